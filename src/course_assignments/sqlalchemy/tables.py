"""The tables: a column for each field of a record, and the constraints that bind every writer.

They are plain SQLAlchemy tables in a MetaData of the host's choice, for its own queries, foreign
keys and migrations. What a command has read before it writes is a foreign key; what a profile only
names, such as the organization of a user, may come later.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

import attrs
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
)
from sqlalchemy.exc import InvalidRequestError

from course_assignments import fields
from course_assignments.assignments import CourseAssignment, Note, Seat
from course_assignments.attempts import Attempt, Pause
from course_assignments.catalog import Activity, Course, Organization
from course_assignments.changes import Event
from course_assignments.enums import ExpirationLimit, Role
from course_assignments.errors import InvalidInput
from course_assignments.keys import Addition, KeyBatch, Redemption, TrainingKey
from course_assignments.people import User
from course_assignments.sqlalchemy.column_types import (
    Document,
    Flag,
    Instant,
    Plain,
    Word,
    Written,
)
from course_assignments.subscriptions import Opening, Subscription
from course_assignments.terms import Term

#: The kinds, each behind those that it refers to.
ORDER: Final = (
    Organization,
    Course,
    User,
    Subscription,
    KeyBatch,
    TrainingKey,
    CourseAssignment,
    Seat,
    Attempt,
    Redemption,
)


#: Names in PostgreSQL have 63 bytes, and the longest of ours, that of a check, takes 43 of them.
_LONGEST_PREFIX: Final = 20


@attrs.frozen(eq=False)
class Tables:
    """The tables that records are kept in.

    Attributes:
        by_kind: The table of each kind of record, and of `Event`.
        journal: One row: the position of the last event.

    Example:
        >>> from course_assignments import Course
        >>> build_tables(MetaData(), prefix="ca_").by_kind[Course].name
        'ca_courses'
    """

    by_kind: Mapping[type, Table]
    journal: Table

    def __iter__(self) -> Iterator[Table]:
        """Go through all tables, each behind those that it refers to."""
        yield from self.by_kind.values()
        yield self.journal


def build_tables(metadata: MetaData, prefix: str = "") -> Tables:
    """Put the tables into *metadata*, their names and those of their indexes behind *prefix*.

    Hand the same *metadata* to Alembic and it makes the migrations; `SqlRepository.create_all`
    makes the tables without one.

    Raises:
        InvalidInput: an argument is of the wrong kind, *prefix* is too long for PostgreSQL, or
            *metadata* has a table of such a name.

    Example:
        >>> metadata = MetaData()
        >>> tables = build_tables(metadata, prefix="training_")
        >>> sorted(metadata.tables)[0]
        'training_attempts'
    """
    fields.check_kind(metadata, "metadata", MetaData)
    fields.check_kind(prefix, "prefix", str)
    if prefix and not (prefix.isidentifier() and len(prefix.encode()) <= _LONGEST_PREFIX):
        hint = (
            f"expected at most {_LONGEST_PREFIX} letters, digits and underscores, such as training_"
        )
        raise InvalidInput("invalid_prefix", "prefix", hint)
    build = _Builder(metadata, prefix)
    by_kind = {
        Organization: build.table(
            "organizations",
            *(_key("id"), *_named(), _text("parent_id"), _length("maximum_access")),
            *(_text("time_zone", required=True), _flag("anonymous_registration")),
        ),
        Course: build.table(
            "courses",
            *(_key("id"), *_named(), _text("content_provider"), _text("publishing_group")),
            *(_document("activities", tuple[Activity, ...]), _length("maximum_access")),
            _flag("archived"),
        ),
        User: build.table(
            "users",
            *(_key("id"), *_named(), _text("email", required=True)),
            *(_text("folded_email", required=True), _text("organization_id")),
            _document("roles", frozenset[Role]),
            _document("managed_organization_ids", frozenset[str]),
            *(build.unique("users", "folded_email"), build.index("users", "organization_id", "id")),
        ),
        Subscription: build.table(
            "subscriptions",
            *(_key("id"), build.reference("learner_id", "users")),
            build.reference("organization_id", "organizations", required=False),
            _document("course_ids", tuple[str, ...]),
            *(_instant("created_at", required=True), _instant("expires_at", required=True)),
            *(_instant("edited_at"), _instant("cancelled_at")),
            _document("openings", tuple[Opening, ...]),
            *build.window("subscriptions", "edited_at", "cancelled_at"),
            *build.listings("subscriptions", "created_at", "learner_id", "organization_id"),
            build.index("subscriptions", "expires_at"),
        ),
        KeyBatch: build.table(
            "key_batches",
            *(_key("id"), *_named(), build.reference("course_id", "courses")),
            build.reference("organization_id", "organizations"),
            _instant("created_at", required=True),
            *(_instant("redeemable_from"), _instant("redeemable_until")),
            *(_count("max_uses"), _length("availability", required=True)),
            *(_flag("any_organization"), _count("size"), _document("additions", _ADDITIONS)),
            build.check("key_batches", "max_uses", "max_uses >= 1"),
            build.check("key_batches", "window", "redeemable_from < redeemable_until"),
            *build.listings("key_batches", "created_at", "course_id", "organization_id"),
        ),
        TrainingKey: build.table(
            "training_keys",
            *(_key("code"), build.reference("batch_id", "key_batches")),
            *(_count("uses"), _count("max_uses"), _instant("revoked_at")),
            build.check("training_keys", "uses", "uses BETWEEN 0 AND max_uses"),
            build.index("training_keys", "batch_id", "code"),
        ),
        CourseAssignment: build.table(
            "course_assignments",
            *(_key("id"), build.reference("learner_id", "users")),
            build.reference("course_id", "courses"),
            build.reference("organization_id", "organizations", required=False),
            *(_instant("created_at", required=True), _instant("expires_at", required=True)),
            Column("limited_by", Word(ExpirationLimit), nullable=False),
            build.reference("batch_id", "key_batches", required=False),
            # The redemption refers to the assignment; two that refer to each other could only
            # be written with deferred constraints, whose errors come too late.
            _text("redemption_id"),
            build.reference("subscription_id", "subscriptions", required=False),
            *(_instant("first_lab_launched_at"), _instant("started_at")),
            *(_instant("completed_at"), _instant("cancelled_at")),
            _document("finished", frozenset[str]),
            _document("notes", tuple[Note, ...]),
            *build.window("course_assignments", "first_lab_launched_at", "started_at"),
            build.check(
                "course_assignments",
                "origin",
                "(batch_id IS NULL) = (redemption_id IS NULL)"
                " AND (batch_id IS NULL OR subscription_id IS NULL)",
            ),
            *build.listings(
                *("course_assignments", "created_at", "learner_id", "course_id"),
                *("organization_id", "batch_id", "subscription_id"),
            ),
            build.index("course_assignments", "expires_at"),
        ),
        Seat: build.table(
            "seats",
            *(_key("id"), build.reference("learner_id", "users")),
            build.reference("course_id", "courses"),
            build.reference("assignment_id", "course_assignments"),
            build.unique("seats", "learner_id", "course_id"),
        ),
        Attempt: build.table(
            "attempts",
            *(_key("id"), build.reference("assignment_id", "course_assignments")),
            *(_text("activity_id", required=True), _count("number")),
            *(_instant("started_at", required=True), _document("pauses", tuple[Pause, ...])),
            *(_instant("finished_at"), _text("request_id")),
            build.check("attempts", "number", "number >= 1"),
            *build.listings("attempts", "started_at", "assignment_id"),
        ),
        Redemption: build.table(
            "redemptions",
            *(_key("id"), build.reference("code", "training_keys", "code")),
            build.reference("batch_id", "key_batches"),
            build.reference("learner_id", "users"),
            build.reference("assignment_id", "course_assignments"),
            *(_instant("redeemed_at", required=True), _instant("restored_at")),
            *build.listings("redemptions", "redeemed_at", "code", "learner_id"),
        ),
        Event: build.table(
            "events",
            Column("position", Integer, primary_key=True, autoincrement=False),
            *(_instant("at", required=True), _text("by"), _text("action", required=True)),
            _document("subject_ids", tuple[str, ...]),
            _document("details", tuple[tuple[str, str], ...]),
            build.index("events", "at"),
        ),
    }
    journal = build.table(
        "journal",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("last_position", Integer, nullable=False),
        build.check("journal", "one_row", "id = 1"),
    )
    return Tables(by_kind, journal)


_ADDITIONS = tuple[Addition, ...]


@attrs.frozen
class _Builder:
    """Makes tables whose names, and those of what belongs to them, begin with a prefix."""

    metadata: MetaData
    prefix: str

    def table(self, name: str, *parts: Any) -> Table:
        forms = {part.name: _FORMS.get(getattr(part, "type", None).__class__) for part in parts}
        checks = [
            self.check(name, f"{column}_ok", form(column))
            for column, form in forms.items()
            if form is not None
        ]
        try:
            return Table(self.prefix + name, self.metadata, *parts, *checks, sqlite_strict=True)
        except InvalidRequestError:
            there = f"there is a table {self.prefix}{name} in it already"
            hint = f"{there}; build them once, or give another prefix"
            raise InvalidInput("table_exists", "prefix", hint) from None

    def reference(
        self, name: str, table: str, to: Literal["id", "code"] = "id", *, required: bool = True
    ) -> Column[str]:
        target = f"{self.prefix}{table}.{to}"
        return Column(name, Plain, ForeignKey(target), nullable=not required)

    def check(self, table: str, name: str, condition: str | Written) -> CheckConstraint:
        return CheckConstraint(condition, name=f"{self.prefix}{table}_{name}")

    def window(self, table: str, *instants: str) -> Iterator[CheckConstraint]:
        """Hold what the record holds: it ends after it began, and nothing comes before that."""
        yield self.check(table, "window", "created_at < expires_at")
        for name in instants:
            yield self.check(table, name, f"created_at <= {name}")

    def unique(self, table: str, *columns: str) -> UniqueConstraint:
        return UniqueConstraint(*columns, name=f"{self.prefix}{table}_by_{columns[0]}")

    def index(self, table: str, *columns: str) -> Index:
        return Index(f"{self.prefix}{table}_by_{columns[0]}", *columns)

    def listings(self, table: str, since: str, *narrowed: str) -> Iterator[Index]:
        """Let all of *table*, and all under each of *narrowed*, be listed from the oldest on."""
        for columns in ((), *((name,) for name in narrowed)):
            yield self.index(table, *columns, since, "id")


#: How it is checked that columns hold what their types write; any database has to take the words.
_FORMS: Final[Mapping[type, Callable[[str], str | Written]]] = {
    Instant: Written,
    Flag: "{} IN (false, true)".format,
}


def _key(name: str) -> Column[str]:
    return Column(name, Plain, primary_key=True)


def _text(name: str, *, required: bool = False) -> Column[str]:
    return Column(name, Plain, nullable=not required)


def _named() -> tuple[Column[str], Column[str]]:
    """Return the columns for a name: as it was given, and as it is searched."""
    return _text("name", required=True), _text("folded_name", required=True)


def _instant(name: str, *, required: bool = False) -> Column[Any]:
    return Column(name, Instant, nullable=not required)


def _length(name: str, *, required: bool = False) -> Column[Any]:
    return Column(name, Word(Term), nullable=not required)


def _flag(name: str) -> Column[bool]:
    return Column(name, Flag, nullable=False)


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _document(name: str, kind: Any) -> Column[Any]:
    return Column(name, Document(kind), nullable=False)
