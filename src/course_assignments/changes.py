"""What a command wants written: five verbs, all that a storage engine needs to be exact.

A change is decided on what was read. It is stored whole, or not at all when something it was
decided on is no longer so; it knows neither rules nor storage.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias, TypeVar, get_args

import attrs
from attrs import field, validators

from course_assignments import validation
from course_assignments.decisions import Decision
from course_assignments.entities.assignments import Claim, CourseAssignment
from course_assignments.entities.attempts import Attempt
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.codes import mask
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Subscription
from course_assignments.errors import InvalidInput

#: Everything that a repository keeps under an id.
Record: TypeAlias = (
    Organization
    | Course
    | User
    | CourseAssignment
    | Claim
    | Attempt
    | Subscription
    | KeyBatch
    | TrainingKey
    | Redemption
)

#: The classes of `Record`.
KINDS = get_args(Record)

R = TypeVar("R", bound=Record)


def masked_id(record: Record) -> str:
    """Return the id of *record* as messages may show it: the code of a key is masked.

    Example:
        >>> masked_id(TrainingKey(code="Spring-2026", batch_id="spring"))
        '****-26'
    """
    return mask(record.id) if isinstance(record, TrainingKey) else record.id


def _check_stored(stored: object) -> None:
    if stored is not None:
        validation.check_record(stored, "stored", *KINDS)


@attrs.frozen
class Replace:
    """A record as it was read, and as it is to be: compare and set, by value.

    Example:
        >>> before = Course(id="py", name="Python")
        >>> Replace(before, attrs.evolve(before, archived=True)).after.archived
        True
    """

    before: Record = field(validator=validation.record_of(*KINDS))
    after: Record = field(validator=validation.record_of(*KINDS))

    def __attrs_post_init__(self) -> None:
        if type(self.before) is not type(self.after) or self.before.id != self.after.id:
            raise InvalidInput("another_record", "after", "expected the same record as before")

    def of(self, stored: Record | None) -> Record | None:
        """Return what becomes of the *stored* record, or ``None`` if this step is lost.

        Raises:
            InvalidInput: *stored* is neither a record nor ``None``.

        Example:
            >>> key = TrainingKey(code="Spring-2026", batch_id="spring", max_uses=2)
            >>> step = Replace(key, attrs.evolve(key, max_uses=3))
            >>> step.of(attrs.evolve(key, uses=1))
            TrainingKey(code='****-26', batch_id='spring', uses=1, max_uses=3, revoked_at=None)
        """
        _check_stored(stored)
        before, after = self.before, self.after
        if not isinstance(before, TrainingKey) or not isinstance(after, TrainingKey):
            return after if stored == before else None
        if not isinstance(stored, TrainingKey) or stored.terms != before.terms:
            return None
        return None if stored.uses > after.max_uses else attrs.evolve(after, uses=stored.uses)


@attrs.frozen
class Use:
    """A key as it was read, and by how much its uses go up or down.

    Example:
        >>> Use(TrainingKey(code="Spring-2026", batch_id="spring"), 1).by
        1
    """

    key: TrainingKey = field(validator=validation.record_of(TrainingKey))
    by: int = field(validator=validation.count(-validation.MAX_COUNT))

    def of(self, stored: Record | None) -> Record | None:
        """Return what becomes of the *stored* key, or ``None`` if this step is lost.

        Raises:
            InvalidInput: *stored* is neither a record nor ``None``.

        Example:
            >>> key = TrainingKey(code="Spring-2026", batch_id="spring", max_uses=2)
            >>> Use(key, 1).of(attrs.evolve(key, uses=1)).uses
            2
            >>> Use(key, 1).of(attrs.evolve(key, uses=2)) is None
            True
        """
        _check_stored(stored)
        if not isinstance(stored, TrainingKey) or stored.terms != self.key.terms:
            return None
        uses = stored.uses + self.by
        return attrs.evolve(stored, uses=uses) if 0 <= uses <= stored.max_uses else None


def _pairs(
    details: Mapping[str, str] | Iterable[tuple[str, str]],
) -> tuple[tuple[str, str], ...]:
    given: Any = details
    if isinstance(given, str):
        return given  # type: ignore[return-value]  # the validator refuses it
    try:
        return tuple(sorted(dict(details).items()))
    except Exception:  # noqa: BLE001 - a mapping of the caller's own may raise anything at all
        return details  # type: ignore[return-value]  # the validator refuses it


def _texts(_: object, at: "attrs.Attribute[Any]", value: Any) -> None:
    def is_text(pair: Any) -> bool:
        return (
            validation.is_exactly(pair, tuple)
            and len(pair) == len(("name", "text"))
            and all(isinstance(text, str) for text in pair)
        )

    if not validation.is_exactly(value, tuple) or not all(map(is_text, value)):
        raise InvalidInput("wrong_type", at.name, "expected texts by their names")


@attrs.frozen(kw_only=True)
class Event:
    """What happened, appended in the same commit as the change itself.

    Attributes:
        position: Where the repository put it, from 1 on; 0 until it is stored.
        at: When, UTC.
        by: The id of the user who acted, or ``None``.
        action: The name of the command.
        subject_ids: The ids of all records that it is about; never the code of a key.
        details: What else is worth knowing, as sorted pairs of names and texts.

    Example:
        >>> from datetime import UTC
        >>> event = Event(
        ...     at=datetime(2026, 1, 5, tzinfo=UTC), action="cancel", subject_ids=["a-1"],
        ...     details={"support_reason": "moved"},
        ... )
        >>> dict(event.details)
        {'support_reason': 'moved'}
    """

    position: int = field(default=0, validator=validation.count(0))
    at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)
    by: str | None = field(default=None, validator=validators.optional(validation.identifier))
    action: str = field(validator=validation.identifier)
    subject_ids: tuple[str, ...] = field(
        converter=validation.tidy_tuple, validator=validation.each_of(tuple, str)
    )
    details: tuple[tuple[str, str], ...] = field(default=(), converter=_pairs, validator=_texts)


@attrs.frozen(kw_only=True)
class Change:
    """All that one command writes, and what it must still find when it does.

    Attributes:
        create: New records; lost to another under the same id, or for a `User` the same e-mail.
        replace: Compare-and-set by value; on a `TrainingKey` all but its uses.
        use: Bounded steps on the counter of a key: never below 0 or above its maximum.
        expect: Records that have to be as they were read.
        record: Events.
        decision: The answer that allowed it; it is not stored.

    Example:
        >>> change = Change(create=[Course(id="py", name="Python")])
        >>> [course.name for course in change.made(Course)]
        ['Python']
        >>> bool(Change())
        False
    """

    create: tuple[Record, ...] = field(
        default=(), converter=validation.tidy_tuple, validator=validation.records_of(*KINDS)
    )
    replace: tuple[Replace, ...] = field(
        default=(), converter=validation.tidy_tuple, validator=validation.each_of(tuple, Replace)
    )
    use: tuple[Use, ...] = field(
        default=(), converter=validation.tidy_tuple, validator=validation.each_of(tuple, Use)
    )
    expect: tuple[Record, ...] = field(
        default=(), converter=validation.tidy_tuple, validator=validation.records_of(*KINDS)
    )
    record: tuple[Event, ...] = field(
        default=(), converter=validation.tidy_tuple, validator=validation.each_of(tuple, Event)
    )
    decision: Decision = field(default=Decision(), eq=False, validator=validation.one_of(Decision))

    def made(self, kind: type[R]) -> tuple[R, ...]:
        """Return the records of *kind* as this change creates or leaves them."""
        if not any(kind is one for one in KINDS):
            raise InvalidInput("wrong_type", "kind", "expected a kind of record")
        after = (*self.create, *(replace.after for replace in self.replace))
        return tuple(record for record in after if isinstance(record, kind))

    def __bool__(self) -> bool:
        """Return whether there is anything to write."""
        return bool(self.create or self.replace or self.use or self.record)
