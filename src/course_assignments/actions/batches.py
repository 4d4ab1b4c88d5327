"""Make, add, edit and revoke training keys. Rules 6 to 9, 12 and 20 to 22."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import attrs

from course_assignments import fields
from course_assignments.actions.acting import authorization, event, read
from course_assignments.catalog import Course
from course_assignments.changes import Change, Replace
from course_assignments.codes import is_storable, mask
from course_assignments.decisions import Decision, all_of
from course_assignments.enums import Permission
from course_assignments.errors import InvalidInput
from course_assignments.instants import as_utc
from course_assignments.keys import KeyBatch, TrainingKey
from course_assignments.people import User
from course_assignments.policies.bundle import DOCUMENTED, Policies
from course_assignments.reasons import CodeTaken, MaxUsesBelowUses


def create_keys(
    batch: KeyBatch,
    course: Course,
    *,
    at: datetime,
    codes: Mapping[str, int] | None = None,
    generated: Iterable[str] = (),
    taken: Collection[str] = (),
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that makes *batch* and its keys (rules 6 to 9, 12, 21 and 22).

    Args:
        batch: As it is to be, still without keys.
        course: The one that its keys give access to.
        at: The aware instant at which it is made.
        codes: Hand-made codes with the numbers of their lines, as `read_codes` gives them.
        generated: Further codes, as ``codes.generate`` gives them.
        taken: Those of *codes* that a key has already.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        InvalidInput: an argument is of the wrong kind, there is no code, or the batch is over
            before it begins.

    Example:
        >>> from datetime import UTC, timedelta
        >>> course = Course(id="py", name="Python", content_provider="us", publishing_group="all")
        >>> at = datetime(2026, 1, 5, tzinfo=UTC)
        >>> batch = KeyBatch(
        ...     id="spring", name="Spring", course_id="py", organization_id="acme", created_at=at,
        ...     availability=timedelta(days=30),
        ... )
        >>> change = create_keys(batch, course, at=at, codes={"Spring-2026": 1})
        >>> change.made(KeyBatch)[0].size, change.made(TrainingKey)[0].remaining_uses
        (1, 1)
    """
    fields.check_kind(batch, "batch", KeyBatch)
    now = as_utc(at)
    if batch.redeemable_until is not None and batch.redeemable_until <= now:
        raise InvalidInput("empty_window", "redeemable_until", "expected an instant after now")
    decision, keys = _new_keys(
        batch,
        course,
        now,
        codes=codes,
        generated=generated,
        taken=taken,
        policies=policies,
        actor=actor,
    )
    return Change(
        create=(attrs.evolve(batch, size=len(keys)), *keys),
        expect=read(course, actor),
        record=[event("create_keys", now, actor, batch.id, course.id, details=_number(keys))],
        decision=decision,
    )


def add_keys(
    batch: KeyBatch,
    course: Course,
    *,
    at: datetime,
    id: str | None = None,
    codes: Mapping[str, int] | None = None,
    generated: Iterable[str] = (),
    taken: Collection[str] = (),
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that adds keys to *batch*, on its terms (rules 12, 21 and 22).

    Args:
        batch: As it is stored.
        course: The one of the batch.
        at: The aware instant at which they are added.
        id: What the batch remembers this addition by, to know it again when it is retried.
        codes: As for `create_keys`.
        generated: As for `create_keys`.
        taken: As for `create_keys`.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        InvalidInput: an argument is of the wrong kind, or there is no code.

    Example:
        >>> from datetime import UTC, timedelta
        >>> course = Course(id="py", name="Python", content_provider="us", publishing_group="all")
        >>> at = datetime(2026, 1, 5, tzinfo=UTC)
        >>> batch = KeyBatch(
        ...     id="spring", name="Spring", course_id="py", organization_id="acme", created_at=at,
        ...     availability=timedelta(days=30), size=3,
        ... )
        >>> add_keys(batch, course, at=at, codes={"Spring-2026": 1}).made(KeyBatch)[0].size
        4
    """
    fields.check_kind(batch, "batch", KeyBatch)
    now = as_utc(at)
    decision, keys = _new_keys(
        batch,
        course,
        now,
        codes=codes,
        generated=generated,
        taken=taken,
        policies=policies,
        actor=actor,
    )
    additions = batch.additions if id is None else batch.additions | {fields.check_id(id, "id")}
    return Change(
        create=keys,
        replace=[
            Replace(batch, attrs.evolve(batch, size=batch.size + len(keys), additions=additions))
        ],
        expect=read(course, actor),
        record=[event("add_keys", now, actor, batch.id, course.id, details=_number(keys))],
        decision=decision,
    )


def _number(keys: Collection[TrainingKey]) -> dict[str, str]:
    return {"keys": str(len(keys))}


def _new_keys(
    batch: KeyBatch,
    course: Course,
    now: datetime,
    *,
    codes: Mapping[str, int] | None,
    generated: Iterable[str],
    taken: Collection[str],
    policies: Policies,
    actor: User | None,
) -> tuple[Decision, list[TrainingKey]]:
    fields.check_kind(course, "course", Course)
    fields.check_kind(policies, "policies", Policies)
    lines_of = _codes({} if codes is None else codes)
    known = frozenset(fields.check_each(taken, "taken", str))
    wanted = (*lines_of, *_each_code(generated, "generated"))
    if not wanted:
        raise InvalidInput("empty_list", "codes", "give codes, or a number of keys to generate")
    lines = tuple(line for code, line in lines_of.items() if code in known)
    decision = all_of(
        [
            *authorization(policies, actor, Permission.KEYS, batch.organization_id),
            lambda at: policies.course_availability.evaluate(course, at=at),
            lambda _: Decision((CodeTaken(lines),) if lines else ()),
        ],
        now,
    )
    decision.require()
    keys = [TrainingKey(code=code, batch_id=batch.id, max_uses=batch.max_uses) for code in wanted]
    return decision, keys


def _each_code(codes: Iterable[str], field: str) -> tuple[str, ...]:
    found = fields.check_list(codes, field, empty=True)
    for position, code in enumerate(found):
        if not isinstance(code, str) or not is_storable(code):
            path = f"{field}[{position}]"
            raise InvalidInput("invalid_code", path, "expected a code in the form it is stored in")
    return found


def _codes(codes: Mapping[str, int]) -> dict[str, int]:
    fields.check_kind(codes, "codes", Mapping)
    try:
        lines = dict(codes)
    except Exception as error:  # a mapping of the caller's own may raise anything at all
        raise InvalidInput("wrong_type", "codes", "expected lines by their codes") from error
    _each_code(lines, "codes")
    for line in lines.values():
        fields.check_count(line, "codes", 1)
    return lines


def edit_keys(
    batch: KeyBatch,
    after: KeyBatch,
    keys: Iterable[TrainingKey],
    *,
    at: datetime,
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
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        InvalidInput: an argument is of the wrong kind.

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
    fields.check_kind(batch, "batch", KeyBatch)
    fields.check_kind(after, "after", KeyBatch)
    fields.check_kind(policies, "policies", Policies)
    now = as_utc(at)
    given = fields.check_each(keys, "keys", TrainingKey)
    changed = [key for key in given if key.max_uses != after.max_uses]
    most = max((key.uses for key in changed), default=0)
    decision = all_of(
        [
            *authorization(policies, actor, Permission.KEYS, batch.organization_id),
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
        expect=read(actor),
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
        InvalidInput: an argument is of the wrong kind.

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
    fields.check_kind(batch, "batch", KeyBatch)
    fields.check_kind(policies, "policies", Policies)
    now = as_utc(at)
    decision = all_of(authorization(policies, actor, Permission.KEYS, batch.organization_id), now)
    decision.require()
    given = fields.check_each(keys, "keys", TrainingKey)
    valid = [key for key in given if key.revoked_at is None]
    if not valid:
        return Change(decision=decision)
    details = {"key": mask(valid[0].code)} if len(valid) == 1 else _number(valid)
    return Change(
        replace=[Replace(key, attrs.evolve(key, revoked_at=now)) for key in valid],
        # Keys that are added meanwhile change the batch, so none of them slips through.
        expect=read(batch, actor),
        record=[event("revoke_keys", now, actor, batch.id, details=details)],
        decision=decision,
    )
