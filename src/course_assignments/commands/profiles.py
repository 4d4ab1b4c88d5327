"""Add, update and anonymize organizations, courses and users. Rules 20, 21 and 23."""

from collections.abc import Iterable, Mapping
from typing import Generic, TypeAlias, TypeVar, get_args

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.changes import Change, Replace
from course_assignments.commands.base import Command, Context, Outcome, emails_free, record_or_none
from course_assignments.commands.reader import Reader
from course_assignments.decisions import Question
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import Permission
from course_assignments.entities.people import User, anonymous_email
from course_assignments.errors import Conflict, invalid
from course_assignments.frozen import frozen
from course_assignments.time.datetimes import zone_named
from course_assignments.validation import items_of, to_tuple

#: The records that administrators add; other commands create all other records.
Profile: TypeAlias = Organization | Course | User
PROFILES = get_args(Profile)
P = TypeVar("P", Organization, Course, User)


def _by_kind_and_id(stored: Mapping[tuple[type, str], Profile]) -> dict[tuple[type, str], Profile]:
    validation.check_kind(stored, "stored", Mapping)
    try:
        known = dict(stored)
    except Exception as error:  # the caller's mapping may raise anything
        raise invalid("wrong_type", "stored", "expected records by kind and id", stored) from error
    for record in known.values():
        validation.check_kind(record, "stored", *PROFILES)
    return known


@frozen
class Addable:
    """The stored records with the same kinds and ids as the records to add.

    Attributes:
        stored: These records, by kind and id.
        email_owners: The users who have the e-mail address of one of the records.
    """

    stored: Mapping[tuple[type, str], Profile] = field(
        factory=dict[tuple[type, str], Profile], converter=_by_kind_and_id, hash=False
    )
    email_owners: tuple[User, ...] = field(
        default=(), converter=to_tuple[User], validator=items_of(User)
    )


def _records(values: Iterable[Profile]) -> tuple[Profile, ...]:
    found = validation.check_list(values, "records")
    for position, record in enumerate(found):
        validation.check_kind(record, f"records[{position}]", *PROFILES, exact=True)
    return found


@frozen
class Add(Command[Addable, None]):
    """Add organizations, courses and users; identical records are left unchanged (rule 21).

    So you can run a notebook cell again.

    Attributes:
        records: In any order. The records that they refer to must be stored or among them.

    >>> registrar.add(Course(id="new", name="New"))
    >>> registrar.add(Course(id="new", name="New"))
    """

    records: tuple[Profile, ...] = field(converter=_records)

    def read(self, reader: Reader) -> Addable:
        # Read the addresses first. A user who is stored later is read below, or is a conflict.
        email_owners = reader.email_owners(self.records)
        stored: dict[tuple[type, str], Profile] = {}
        for kind in PROFILES:
            ids = [record.id for record in self.records if isinstance(record, kind)]
            stored |= {(kind, id_): one for id_, one in reader.get(kind, ids).items()}
        new = (one for one in self.records if (type(one), one.id) not in stored)
        _check_references(reader, new)
        return Addable(stored, email_owners)

    def decide(self, records: Addable, context: Context) -> Outcome[None]:
        known = dict(records.stored)
        new: list[Profile] = []
        for position, record in enumerate(self.records):
            name = (type(record), record.id)
            if name not in known:
                _check_time_zone(record, f"records[{position}]")
                known[name] = record
                new.append(record)
            elif known[name] != record:
                raise Conflict((record.id,), "id_taken", type(record).__name__)
        free = emails_free(new, records.email_owners)
        may = (question for one in new for question in _may_add(context, one))
        decision = context.require(*may, lambda _: free)
        if not new:
            return Outcome(None, decision=decision)
        change = Change(
            create=new,
            expect=context.expect_for_actor(),
            record=context.events(self.action, ((record.id,) for record in new)),
        )
        return Outcome(None, change, decision)


@frozen
class Updatable(Generic[P]):
    """The stored record, and the owner of the new e-mail address."""

    before: P = field(validator=validation.one_of(*PROFILES, exact=True))
    email_owner: User | None = record_or_none(User)


@frozen
class Update(Command[Updatable[P], P]):
    """Replace the stored record that has the same id (rules 20 and 21).

    Existing assignments don't change. An actor can't give rights that they don't have, nor change a
    user who has more rights.

    Attributes:
        record: The new organization, course or user.

    >>> registrar.update(Course(id="py", name="Python", archived=True)).archived
    True
    """

    record: P = field(validator=validation.one_of(*PROFILES, exact=True))

    def read(self, reader: Reader) -> Updatable[P]:
        stored = reader.named(type(self.record), [self.record.id])
        _check_references(reader, [self.record])
        before = stored[self.record.id]
        return Updatable(before, next(iter(reader.email_owners([self.record])), None))

    def decide(self, records: Updatable[P], context: Context) -> Outcome[P]:
        before, after, owner = records.before, self.record, records.email_owner
        validation.check_same(before.id, after.id, "before")
        _check_time_zone(after, "record", before)
        others = [] if owner is None or owner.id == after.id else [owner]
        free = emails_free([after], others)
        decision = context.require(*_may_change(context, before, after), lambda _: free)
        if before == after:
            return Outcome(after, decision=decision)
        change = Change(
            replace=[Replace(before, after)],
            expect=context.expect_for_actor(),
            record=[context.event(self.action, after.id)],
        )
        return Outcome(after, change, decision)


@frozen
class Anonymize(Command[User, User]):
    """Replace the name and the e-mail address of a user, keep the rest (rules 21 and 23).

    >>> registrar.anonymize("ada").name
    'Anonymous'
    """

    user_id: str = field(validator=validation.identifier)

    def read(self, reader: Reader) -> User:
        return reader.need(User, self.user_id)

    def decide(self, records: User, context: Context) -> Outcome[User]:
        validation.check_same(records.id, self.user_id, "user")
        after = attrs.evolve(records, name="Anonymous", email=anonymous_email(records.id))
        decision = context.require(*_may_change(context, records, after))
        if after == records:
            return Outcome(records, decision=decision)
        change = Change(
            replace=[Replace(records, after)],
            expect=context.expect_for_actor(),
            record=[context.event(self.action, records.id)],
        )
        return Outcome(after, change, decision)


def _may_add(context: Context, record: Profile) -> list[Question]:
    """Ask whether the actor may add *record* (rule 21)."""
    if isinstance(record, User):
        return context.may(Permission.MANAGE_USERS, record.organization_id, record)
    if isinstance(record, Course):
        return context.may(Permission.MANAGE_COURSES, None)
    return context.may(Permission.MANAGE_ORGANIZATIONS, record.parent_id)


def _may_change(context: Context, before: Profile, after: Profile) -> list[Question]:
    """Ask whether the actor may change *before* to *after* (rule 21)."""
    if isinstance(before, Organization) and isinstance(after, Organization):
        return [
            *context.may(Permission.MANAGE_ORGANIZATIONS, before.id),
            *(_may_add(context, after) if before.parent_id != after.parent_id else []),
        ]
    return [*_may_add(context, before), *_may_add(context, after)]


def _check_time_zone(record: Profile, path: str, before: Profile | None = None) -> None:
    """Raise InvalidInput if *record* gets a time zone that this machine lacks, such as a typo."""
    if isinstance(record, Organization) and record.time_zone != getattr(before, "time_zone", None):
        zone_named(record.time_zone, f"{path}.time_zone")


def _check_references(reader: Reader, records: Iterable[Profile]) -> None:
    """Raise NotFound for organizations that are neither stored nor in *records*."""
    records = tuple(records)
    wanted: dict[str, None] = {}
    for record in records:
        if isinstance(record, Organization):
            wanted |= dict.fromkeys([record.parent_id] if record.parent_id else [])
        elif isinstance(record, User):
            own = [record.organization_id] if record.organization_id else []
            wanted |= dict.fromkeys([*own, *sorted(record.managed_organization_ids)])
    new = {record.id for record in records if isinstance(record, Organization)}
    reader.named(Organization, wanted, besides=new)
    reader.require_named()
