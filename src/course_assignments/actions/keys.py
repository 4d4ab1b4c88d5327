"""Give training keys other terms, or call them back. Rules 12, 20 and 21."""

from collections.abc import Iterable
from datetime import datetime

import attrs

from course_assignments import validation
from course_assignments.actions.acting import authorization, check_host, check_same, event, read
from course_assignments.changes import Change, Replace
from course_assignments.decisions import Decision, all_of
from course_assignments.entities.catalog import Organization
from course_assignments.entities.codes import mask
from course_assignments.entities.enums import Permission
from course_assignments.entities.keys import KeyBatch, TrainingKey
from course_assignments.entities.people import User
from course_assignments.errors import InvalidInput
from course_assignments.policies import DOCUMENTED, Policies
from course_assignments.reasons import MaxUsesBelowUses
from course_assignments.time.datetimes import as_utc

#: What an edit of a batch may change.
_TERMS = (
    "name",
    "redeemable_from",
    "redeemable_until",
    "max_uses",
    "availability",
    "any_organization",
)


def _keys_of(batch: KeyBatch, keys: Iterable[TrainingKey]) -> tuple[TrainingKey, ...]:
    given = validation.check_each(keys, "keys", TrainingKey)
    for position, key in enumerate(given):
        check_same(key.batch_id, batch.id, f"keys[{position}]")
    return given


def edit_keys(
    batch: KeyBatch,
    after: KeyBatch,
    keys: Iterable[TrainingKey],
    *,
    at: datetime,
    organization: Organization | None = None,
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that gives *batch* and its keys other terms (rules 20 and 21).

    What was redeemed before stays as it is.

    Args:
        batch: As it is stored.
        after: As it is to be.
        keys: All keys of it, read after the batch; needed if the maximum of uses changes.
        at: The aware instant at which it is edited.
        organization: The one of the batch, if a day of its window was taken in its time zone.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        InvalidInput: an argument is of the wrong kind, or a record belongs to others than the rest.

    Example:
        >>> from datetime import UTC, timedelta
        >>> at = datetime(2026, 1, 5, tzinfo=UTC)
        >>> batch = KeyBatch(
        ...     id="spring", name="Spring", course_id="py", organization_id="acme", created_at=at,
        ...     availability=timedelta(days=30),
        ... )
        >>> edit_keys(batch, attrs.evolve(batch, name="May"), [], at=at).made(KeyBatch)[0].name
        'May'
    """
    validation.check_kind(batch, "batch", KeyBatch)
    validation.check_kind(after, "after", KeyBatch)
    validation.check_kind(policies, "policies", Policies)
    if attrs.evolve(batch, **{name: getattr(after, name) for name in _TERMS}) != after:
        raise InvalidInput("another_record", "after", "expected the same batch on other terms")
    check_host(organization, batch)
    now = as_utc(at)
    given = _keys_of(batch, keys)
    if after.max_uses != batch.max_uses and len(given) < batch.size:
        raise InvalidInput("missing", "keys", "give all keys of the batch: their maximum changes")
    changed = [key for key in given if key.max_uses != after.max_uses]
    most = max((key.uses for key in changed), default=0)
    decision = all_of(
        [
            *authorization(policies, actor, Permission.MANAGE_KEYS, batch.organization_id),
            # "max_uses cannot go below the uses already made"
            lambda _: Decision((MaxUsesBelowUses(most),) if most > after.max_uses else ()),
        ],
        now,
    )
    decision.require()
    if batch == after and not changed:
        return Change(decision=decision)
    return Change(
        replace=[
            Replace(batch, after),
            *(Replace(key, attrs.evolve(key, max_uses=after.max_uses)) for key in changed),
        ],
        expect=read(organization, actor),
        record=[event("edit_keys", now, actor, batch.id)],
        decision=decision,
    )


def revoke_keys(
    batch: KeyBatch,
    keys: Iterable[TrainingKey],
    *,
    at: datetime,
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that calls *keys* of *batch* back for good (rule 21).

    Keys that are revoked already stay as they are; what was redeemed before stays too.

    Args:
        batch: As it is stored.
        keys: Some of its keys, or all, read after the batch.
        at: The aware instant from which they are worthless.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        InvalidInput: an argument is of the wrong kind, or a record belongs to others than the rest.

    Example:
        >>> from datetime import UTC, timedelta
        >>> at = datetime(2026, 1, 5, tzinfo=UTC)
        >>> batch = KeyBatch(
        ...     id="spring", name="Spring", course_id="py", organization_id="acme", created_at=at,
        ...     availability=timedelta(days=30), size=1,
        ... )
        >>> key = TrainingKey(code="Spring-2026", batch_id="spring")
        >>> revoke_keys(batch, [key], at=at).made(TrainingKey)[0].revoked_at == at
        True
    """
    validation.check_kind(batch, "batch", KeyBatch)
    validation.check_kind(policies, "policies", Policies)
    now = as_utc(at)
    decision = all_of(
        authorization(policies, actor, Permission.MANAGE_KEYS, batch.organization_id), now
    )
    decision.require()
    given = _keys_of(batch, keys)
    valid = [key for key in given if key.revoked_at is None]
    if not valid:
        return Change(decision=decision)
    details = {"key": mask(valid[0].code)} if len(valid) == 1 else {"keys": str(len(valid))}
    return Change(
        replace=[Replace(key, attrs.evolve(key, revoked_at=now)) for key in valid],
        # Keys that are added meanwhile change the batch, so none of them slips through.
        expect=read(batch, actor),
        record=[event("revoke_keys", now, actor, batch.id, details=details)],
        decision=decision,
    )
