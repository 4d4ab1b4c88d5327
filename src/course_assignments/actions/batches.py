"""Make batches of training keys and add to them. Rules 6 to 9, 12, 21 and 22."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import attrs

from course_assignments import validation
from course_assignments.actions.acting import authorization, check_host, check_same, event, read
from course_assignments.changes import Change, Replace
from course_assignments.decisions import Decision, all_of
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.codes import is_storable
from course_assignments.entities.enums import Permission
from course_assignments.entities.keys import Addition, KeyBatch, TrainingKey
from course_assignments.entities.people import User
from course_assignments.errors import InvalidInput
from course_assignments.policies import DOCUMENTED, Policies
from course_assignments.reasons import CodeTaken
from course_assignments.time.datetimes import as_utc


def create_keys(
    batch: KeyBatch,
    course: Course,
    *,
    at: datetime,
    organization: Organization | None = None,
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
        organization: The one of the batch, if a day of its window was taken in its time zone.
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
    validation.check_kind(batch, "batch", KeyBatch)
    check_host(organization, batch)
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
        expect=read(course, organization, actor),
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
    validation.check_kind(batch, "batch", KeyBatch)
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
    added = () if id is None else (Addition(id, len(keys)),)
    after = attrs.evolve(batch, size=batch.size + len(keys), additions=(*batch.additions, *added))
    return Change(
        create=keys,
        replace=[Replace(batch, after)],
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
    validation.check_kind(course, "course", Course)
    check_same(course.id, batch.course_id, "course")
    validation.check_kind(policies, "policies", Policies)
    lines_of = _codes({} if codes is None else codes)
    known = frozenset(validation.check_each(taken, "taken", str))
    drawn = _each_code(generated, "generated")
    wanted = dict.fromkeys([*lines_of, *drawn])
    if len(wanted) < len(lines_of) + len(drawn):
        raise InvalidInput("code_repeated", "generated", "expected codes that differ from all else")
    if not wanted:
        raise InvalidInput("empty_list", "codes", "give codes, or a number of keys to generate")
    lines = tuple(line for code, line in lines_of.items() if code in known)
    decision = all_of(
        [
            *authorization(policies, actor, Permission.MANAGE_KEYS, batch.organization_id),
            lambda at: policies.course_availability.evaluate(course, at=at),
            lambda _: Decision((CodeTaken(lines),) if lines else ()),
        ],
        now,
    )
    decision.require()
    keys = [TrainingKey(code=code, batch_id=batch.id, max_uses=batch.max_uses) for code in wanted]
    return decision, keys


def _each_code(codes: Iterable[str], field: str) -> tuple[str, ...]:
    found = validation.check_list(codes, field, empty=True)
    for position, code in enumerate(found):
        if not isinstance(code, str) or not is_storable(code):
            path = f"{field}[{position}]"
            raise InvalidInput("invalid_code", path, "expected a code in the form it is stored in")
    return found


def _codes(codes: Mapping[str, int]) -> dict[str, int]:
    validation.check_kind(codes, "codes", Mapping)
    try:
        lines = dict(codes)
    except Exception as error:  # a mapping of the caller's own may raise anything at all
        raise InvalidInput("wrong_type", "codes", "expected lines by their codes") from error
    _each_code(lines, "codes")
    for line in lines.values():
        validation.check_count(line, "codes", 1)
    return lines
