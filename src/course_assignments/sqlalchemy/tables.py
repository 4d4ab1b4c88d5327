"""The tables: a column for each field of a record, and constraints that hold for every writer.

They are plain SQLAlchemy tables in a MetaData of the host, for its own queries, foreign keys and
migrations. Commands read the records they refer to, so these references are foreign keys. A profile
may name a record that is stored later, such as the organization of a user.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

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

from course_assignments import validation
from course_assignments.changes import Event
from course_assignments.entities.assignments import Claim, CourseAssignment, Note
from course_assignments.entities.attempts import Attempt, Pause
from course_assignments.entities.catalog import Activity, Course, Organization
from course_assignments.entities.enums import ExpirationLimit, Role
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.receipts import Receipt
from course_assignments.entities.subscriptions import Opening, Subscription
from course_assignments.errors import InvalidInput
from course_assignments.sqlalchemy.column_types import (
    BinaryText,
    Document,
    EncodedText,
    Flag,
    Instant,
    IsInstantText,
)
from course_assignments.time.durations import Duration

#: The kinds, each after those that it refers to.
ORDER: Final = (
    Organization,
    Course,
    User,
    Subscription,
    KeyBatch,
    TrainingKey,
    CourseAssignment,
    Claim,
    Attempt,
    Redemption,
    Receipt,
)


#: Names in PostgreSQL have up to 63 bytes; the longest here, that of a check, has 43.
_MAX_PREFIX: Final = 20


@attrs.frozen(eq=False)
class Tables:
    """The tables in which records are kept.

    Attributes:
        by_kind: The table of each kind of record, and of `Event`.
        journal: One row with the position of the last event.

    Example:
        >>> from course_assignments import Course
        >>> build_tables(MetaData(), prefix="ca_").by_kind[Course].name
        'ca_courses'
    """

    by_kind: Mapping[type, Table]
    journal: Table

    def __iter__(self) -> Iterator[Table]:
        """Iterate over all tables, each after those that it refers to."""
        yield from self.by_kind.values()
        yield self.journal


def build_tables(metadata: MetaData, prefix: str = "") -> Tables:
    """Add the tables to *metadata*; their names and those of their indexes start with *prefix*.

    Give the same *metadata* to Alembic to create migrations. Without migrations,
    `SqlRepository.create_all` creates the tables.

    Raises:
        InvalidInput: an argument has the wrong type, *prefix* is too long for PostgreSQL, or
            *metadata* already has such a table.

    Example:
        >>> metadata = MetaData()
        >>> tables = build_tables(metadata, prefix="training_")
        >>> sorted(metadata.tables)[0]
        'training_attempts'
    """
    validation.check_kind(metadata, "metadata", MetaData)
    validation.check_kind(prefix, "prefix", str)
    if prefix and not (prefix.isidentifier() and len(prefix.encode()) <= _MAX_PREFIX):
        hint = f"expected at most {_MAX_PREFIX} letters, digits and underscores, such as training_"
        raise InvalidInput("invalid_prefix", "prefix", hint)
    build = Builder(metadata, prefix)
    by_kind = {
        Organization: build.table(
            "organizations",
            *(key("id"), *named(), text("parent_id"), duration("maximum_access")),
            *(text("time_zone", required=True), flag("anonymous_registration")),
        ),
        Course: build.table(
            "courses",
            *(key("id"), *named(), text("content_provider"), text("publishing_group")),
            *(document("activities", tuple[Activity, ...]), duration("maximum_access")),
            flag("archived"),
        ),
        User: build.table(
            "users",
            *(key("id"), *named(), text("email", required=True)),
            *(text("folded_email", required=True), text("organization_id")),
            document("roles", frozenset[Role]),
            document("managed_organization_ids", frozenset[str]),
            *(build.unique("users", "folded_email"), build.index("users", "organization_id", "id")),
        ),
        Subscription: build.table(
            "subscriptions",
            *(key("id"), build.reference("learner_id", "users")),
            build.reference("organization_id", "organizations", required=False),
            document("course_ids", tuple[str, ...]),
            *(instant("created_at", required=True), instant("expires_at", required=True)),
            *(instant("edited_at"), instant("cancelled_at")),
            document("openings", tuple[Opening, ...]),
            *build.window("subscriptions", "edited_at", "cancelled_at"),
            *build.listings("subscriptions", "created_at", "learner_id", "organization_id"),
            build.index("subscriptions", "expires_at"),
        ),
        KeyBatch: build.table(
            "key_batches",
            *(key("id"), *named(), build.reference("course_id", "courses")),
            build.reference("organization_id", "organizations"),
            instant("created_at", required=True),
            *(instant("redeemable_from"), instant("redeemable_until")),
            *(count("max_uses"), duration("availability", required=True)),
            *(flag("any_organization"), count("size")),
            build.check("key_batches", "max_uses", "max_uses >= 1"),
            build.check("key_batches", "window", "redeemable_from < redeemable_until"),
            *build.listings("key_batches", "created_at", "course_id", "organization_id"),
        ),
        TrainingKey: build.table(
            "training_keys",
            *(key("id"), text("code", required=True), build.reference("batch_id", "key_batches")),
            *(count("number"), count("uses"), count("max_uses"), instant("revoked_at")),
            build.check("training_keys", "number", "number >= 1"),
            build.check("training_keys", "uses", "uses BETWEEN 0 AND max_uses"),
            build.unique("training_keys", "code"),
            build.index("training_keys", "batch_id", "number", "id"),
        ),
        CourseAssignment: build.table(
            "course_assignments",
            *(key("id"), build.reference("learner_id", "users")),
            build.reference("course_id", "courses"),
            build.reference("organization_id", "organizations", required=False),
            *(instant("created_at", required=True), instant("expires_at", required=True)),
            Column("limited_by", EncodedText(ExpirationLimit), nullable=False),
            build.reference("batch_id", "key_batches", required=False),
            # The redemption refers to the assignment. References in both directions would need
            # deferred constraints, whose errors come too late.
            text("redemption_id"),
            build.reference("subscription_id", "subscriptions", required=False),
            *(instant("first_lab_launched_at"), instant("started_at")),
            *(instant("completed_at"), instant("cancelled_at")),
            document("finished", frozenset[str]),
            document("notes", tuple[Note, ...]),
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
        Claim: build.table(
            "claims",
            *(key("id"), build.reference("learner_id", "users")),
            build.reference("course_id", "courses"),
            build.reference("assignment_id", "course_assignments"),
            build.unique("claims", "learner_id", "course_id"),
        ),
        Attempt: build.table(
            "attempts",
            *(key("id"), build.reference("assignment_id", "course_assignments")),
            *(text("activity_id", required=True), count("number")),
            *(instant("started_at", required=True), document("pauses", tuple[Pause, ...])),
            instant("finished_at"),
            build.check("attempts", "number", "number >= 1"),
            *build.listings("attempts", "started_at", "assignment_id"),
        ),
        Redemption: build.table(
            "redemptions",
            *(key("id"), build.reference("key_id", "training_keys")),
            build.reference("batch_id", "key_batches"),
            build.reference("learner_id", "users"),
            build.reference("assignment_id", "course_assignments"),
            *(instant("redeemed_at", required=True), instant("restored_at")),
            *build.listings("redemptions", "redeemed_at", "key_id", "learner_id"),
        ),
        Receipt: build.table(
            "receipts",
            *(key("id"), text("action", required=True), text("digest", required=True)),
            *(count("parts"), document("made", tuple[str, ...])),
            *(document("skipped", tuple[str, ...]), document("positions", tuple[int, ...])),
        ),
        Event: build.table(
            "events",
            Column("position", Integer, primary_key=True, autoincrement=False),
            *(instant("at", required=True), text("by"), text("action", required=True)),
            document("subject_ids", tuple[str, ...]),
            document("details", tuple[tuple[str, str], ...]),
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


@attrs.frozen
class Builder:
    """Adds tables to a MetaData; their names and those of their parts start with a prefix."""

    metadata: MetaData
    prefix: str

    def table(self, name: str, *parts: Any) -> Table:
        """Add a table, with checks that its columns hold what their types write.

        Raises:
            InvalidInput: the metadata has a table of this name.
        """
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

    def reference(self, name: str, table: str, *, required: bool = True) -> Column[str]:
        """Return a foreign key to *table*."""
        target = f"{self.prefix}{table}.id"
        return Column(name, BinaryText, ForeignKey(target), nullable=not required)

    def check(self, table: str, name: str, condition: str | IsInstantText) -> CheckConstraint:
        """Return a constraint that each row of *table* satisfies *condition*."""
        return CheckConstraint(condition, name=f"{self.prefix}{table}_{name}")

    def window(self, table: str, *instants: str) -> Iterator[CheckConstraint]:
        """Give the constraints of a window: it ends after it starts, and *instants* are later."""
        yield self.check(table, "window", "created_at < expires_at")
        for name in instants:
            yield self.check(table, name, f"created_at <= {name}")

    def unique(self, table: str, *columns: str) -> UniqueConstraint:
        """Return a unique constraint on *columns* of *table*."""
        return UniqueConstraint(*columns, name=f"{self.prefix}{table}_by_{columns[0]}")

    def index(self, table: str, *columns: str) -> Index:
        """Return an index on *columns* of *table*."""
        return Index(f"{self.prefix}{table}_by_{columns[0]}", *columns)

    def listings(self, table: str, since: str, *narrowed: str) -> Iterator[Index]:
        """Give the indexes to list *table*, all of it and by each of *narrowed*, oldest first."""
        for columns in ((), *((name,) for name in narrowed)):
            yield self.index(table, *columns, since, "id")


#: The checks that columns hold what their types write, in SQL of both databases.
_FORMS: Final[Mapping[type, Callable[[str], str | IsInstantText]]] = {
    Instant: IsInstantText,
    Flag: "{} IN (false, true)".format,
}


def key(name: str) -> Column[str]:
    """Return the primary key."""
    return Column(name, BinaryText, primary_key=True)


def text(name: str, *, required: bool = False) -> Column[str]:
    """Return a column for a string."""
    return Column(name, BinaryText, nullable=not required)


def named() -> tuple[Column[str], Column[str]]:
    """Return the columns for a name: as it was given, and folded for searching."""
    return text("name", required=True), text("folded_name", required=True)


def instant(name: str, *, required: bool = False) -> Column[Any]:
    """Return a column for a datetime."""
    return Column(name, Instant, nullable=not required)


def duration(name: str, *, required: bool = False) -> Column[Any]:
    """Return a column for a duration."""
    return Column(name, EncodedText(Duration), nullable=not required)


def flag(name: str) -> Column[bool]:
    """Return a column for a bool."""
    return Column(name, Flag, nullable=False)


def count(name: str) -> Column[int]:
    """Return a column for an integer."""
    return Column(name, Integer, nullable=False)


def document(name: str, kind: Any) -> Column[Any]:
    """Return a column for a value of the type *kind*, as JSON."""
    return Column(name, Document(kind), nullable=False)
