"""Changes: what a command wants to store, all of it or, if a record has changed, nothing."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import chain
from typing import Final, TypeAlias, TypeVar, get_args

from attrs import field, validators

from course_assignments import validation
from course_assignments.entities.assignments import Claim, CourseAssignment
from course_assignments.entities.attempts import Attempt
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.receipts import Receipt
from course_assignments.entities.subscriptions import Subscription
from course_assignments.errors import InvalidInput, invalid, mask_id, plain
from course_assignments.frozen import copy_with, frozen
from course_assignments.validation import items_of, to_strings, to_tuple, to_utc

#: Everything that a repository stores under an id.
Record: TypeAlias = (
    Organization
    | Course
    | User
    | CourseAssignment
    | Claim
    | Receipt
    | Attempt
    | Subscription
    | KeyBatch
    | TrainingKey
    | Redemption
)

#: The classes of `Record`.
KINDS = get_args(Record)

#: The field of a kind, beside its id, that no two records share.
UNIQUE: Final[Mapping[type, str]] = {User: "folded_email", TrainingKey: "lookup_code"}

R = TypeVar("R", bound=Record)

#: How many ids one event names, so that it fits into one JSON document.
MAX_SUBJECTS: Final = 1000


@frozen
class Replace:
    """Compare and set: store *after* if the stored record equals *before*.

    >>> before = Course(id="py", name="Python")
    >>> step = Replace(before, Course(id="py", name="Python", archived=True))
    >>> step.of(before).archived, step.of(None)
    (True, None)
    """

    before: Record = field(validator=validation.one_of(*KINDS, exact=True))
    after: Record = field(validator=validation.one_of(*KINDS, exact=True))

    def __attrs_post_init__(self) -> None:
        before, after = self.before, self.after
        if type(before) is not type(after) or before.id != after.id:
            wanted = f"{type(before).__name__} {mask_id(before.id)!r}, as in before"
            found = f"{type(after).__name__} {mask_id(after.id)!r}"
            raise InvalidInput("another_record", "after", f"expected {wanted}; got {found}")

    def of(self, stored: Record | None) -> Record | None:
        """Return the record to store in place of *stored*, or ``None`` on a conflict.

        The uses of a `TrainingKey` are neither compared nor set.
        """
        validation.check_kind(stored, "stored", *KINDS, type(None), exact=True)
        match stored, self.before, self.after:
            case TrainingKey(), TrainingKey() as before, TrainingKey() as after:
                same = stored.terms == before.terms and stored.uses <= after.max_uses
                return copy_with(after, uses=stored.uses) if same else None
            case _:
                return self.after if stored == self.before else None


@frozen
class Use:
    """Add *by*, which may be negative, to the uses of the stored key.

    >>> key = TrainingKey(id="k-1", code="Spring-2026", batch_id="spring", max_uses=2)
    >>> Use(key, 2).of(key).uses, Use(key, 3).of(key)
    (2, None)
    """

    key: TrainingKey = field(validator=validation.one_of(TrainingKey, exact=True))
    by: int = field(validator=validation.count(-validation.MAX_COUNT))

    def of(self, stored: Record | None) -> Record | None:
        """Return the key to store in place of *stored*, or ``None`` on a conflict."""
        if type(stored) is not TrainingKey:
            validation.check_kind(stored, "stored", *KINDS, type(None), exact=True)
            return None
        if stored is not self.key and stored.terms != self.key.terms:
            return None
        uses = stored.uses + self.by
        return copy_with(stored, uses=uses) if 0 <= uses <= stored.max_uses else None


@frozen(kw_only=True)
class Amend:
    """Change the terms of all keys of a batch, without naming each of them.

    Attributes:
        max_uses: The new maximum, which no key of the batch may exceed; ``None`` keeps it.
        revoked_at: When the keys that are not revoked yet are revoked; ``None`` revokes none.

    >>> key = TrainingKey(id="k-1", code="Spring-2026", batch_id="spring", max_uses=2, uses=2)
    >>> Amend(batch_id="spring", max_uses=5).of(key).max_uses
    5
    >>> Amend(batch_id="spring", max_uses=1).of(key) is None
    True
    """

    batch_id: str = field(validator=validation.identifier)
    max_uses: int | None = field(default=None, validator=validators.optional(validation.count(1)))
    revoked_at: datetime | None = validation.optional_datetime()

    def of(self, stored: Record | None) -> Record | None:
        """Return the key to store in place of *stored*, or ``None`` on a conflict."""
        if type(stored) is not TrainingKey:
            validation.check_kind(stored, "stored", *KINDS, type(None), exact=True)
            return None
        max_uses = stored.max_uses if self.max_uses is None else self.max_uses
        if stored.batch_id != self.batch_id or stored.uses > max_uses:
            return None
        revoked_at = stored.revoked_at or self.revoked_at
        return copy_with(stored, max_uses=max_uses, revoked_at=revoked_at)


def _to_details(
    details: Mapping[str, str] | Iterable[tuple[str, str]],
) -> tuple[tuple[str, str], ...]:
    kind: type = type(details)
    if kind is tuple and not details:
        return ()
    expected = "expected a mapping of str to str"
    if issubclass(kind, str):
        raise invalid("wrong_type", "details", expected, details)
    try:
        found = tuple(sorted((plain(name), plain(text)) for name, text in dict(details).items()))
    except Exception as error:  # the caller's mapping may raise anything
        raise invalid("wrong_type", "details", expected, details) from error
    for one in chain(*found):
        if type(one) is not str:
            raise invalid("wrong_type", "details", expected, one)
    return found


@frozen(kw_only=True)
class Event:
    """An entry of the audit log, stored in the same commit as the change.

    Attributes:
        position: The position among all events, from 1 on; 0 until the event is stored.
        by: The id of the user who acted, or ``None``.
        action: The name of the command.
        subject_ids: The ids of all records concerned, at most 1000; a command that concerns more
            stores several events.
        details: Other facts, as sorted pairs of names and strings.

    >>> event = Event(
    ...     at=datetime(2026, 1, 5, tzinfo=UTC), action="cancel", subject_ids=["a-1"],
    ...     details={"support_reason": "moved"},
    ... )
    >>> dict(event.details)
    {'support_reason': 'moved'}
    """

    position: int = field(default=0, validator=validation.count(0))
    at: datetime = field(converter=to_utc)
    by: str | None = field(default=None, validator=validation.identifier_or_none)
    action: str = field(validator=validation.identifier)
    subject_ids: tuple[str, ...] = field(
        converter=to_strings, validator=[items_of(str), validation.at_most(MAX_SUBJECTS)]
    )
    details: tuple[tuple[str, str], ...] = field(default=(), converter=_to_details)


_records = items_of(*KINDS, exact=True)


@frozen(kw_only=True)
class Change:
    """Everything that one command stores, and the conditions for storing it.

    Attributes:
        create: New records, whose ids, e-mail addresses and codes must not be taken.
        amend: New terms for all stored keys of a batch.
        use: Changes of the uses of keys, which stay between 0 and their maximum.
        expect: Records that must be unchanged since they were read.

    >>> change = Change(create=[Course(id="py", name="Python")])
    >>> [course.name for course in change.made(Course)]
    ['Python']
    >>> bool(Change())
    False
    """

    create: tuple[Record, ...] = field(default=(), converter=to_tuple[Record], validator=_records)
    replace: tuple[Replace, ...] = field(
        default=(), converter=to_tuple[Replace], validator=items_of(Replace)
    )
    amend: tuple[Amend, ...] = field(
        default=(), converter=to_tuple[Amend], validator=items_of(Amend)
    )
    use: tuple[Use, ...] = field(default=(), converter=to_tuple[Use], validator=items_of(Use))
    expect: tuple[Record, ...] = field(default=(), converter=to_tuple[Record], validator=_records)
    record: tuple[Event, ...] = field(
        default=(), converter=to_tuple[Event], validator=items_of(Event)
    )

    def made(self, kind: type[R]) -> tuple[R, ...]:
        """Return the records of *kind* that this change creates or replaces."""
        if not any(kind is one for one in KINDS):
            raise invalid("wrong_type", "kind", "expected a class of record, such as User", kind)
        after = (*self.create, *(step.after for step in self.replace))
        return tuple(record for record in after if isinstance(record, kind))

    def __bool__(self) -> bool:
        """Return whether there is anything to store."""
        return bool(self.create or self.replace or self.amend or self.use or self.record)
