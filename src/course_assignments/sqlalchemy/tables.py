"""The tables: a column for each field of a record, and the constraints that bind every writer.

They are plain SQLAlchemy tables in a MetaData of the host's choice, for its own queries, foreign
keys and migrations. What a command has read before it writes is a foreign key; what a profile only
names, such as the organization of a user, may come later.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import attrs
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    Table,
)

from course_assignments import validation
from course_assignments.changes import Event
from course_assignments.entities.assignments import Claim, CourseAssignment, Note
from course_assignments.entities.attempts import Attempt, Pause
from course_assignments.entities.catalog import Activity, Course, Organization
from course_assignments.entities.enums import ExpirationLimit, Role
from course_assignments.entities.keys import Addition, KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Opening, Subscription
from course_assignments.errors import InvalidInput
from course_assignments.sqlalchemy.building import (
    Builder,
    count,
    document,
    flag,
    instant,
    key,
    length,
    named,
    text,
)
from course_assignments.sqlalchemy.column_types import Word

#: The kinds, each behind those that it refers to.
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
    validation.check_kind(metadata, "metadata", MetaData)
    validation.check_kind(prefix, "prefix", str)
    if prefix and not (prefix.isidentifier() and len(prefix.encode()) <= _LONGEST_PREFIX):
        hint = (
            f"expected at most {_LONGEST_PREFIX} letters, digits and underscores, such as training_"
        )
        raise InvalidInput("invalid_prefix", "prefix", hint)
    build = Builder(metadata, prefix)
    by_kind = {
        Organization: build.table(
            "organizations",
            *(key("id"), *named(), text("parent_id"), length("maximum_access")),
            *(text("time_zone", required=True), flag("anonymous_registration")),
        ),
        Course: build.table(
            "courses",
            *(key("id"), *named(), text("content_provider"), text("publishing_group")),
            *(document("activities", tuple[Activity, ...]), length("maximum_access")),
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
            *(count("max_uses"), length("availability", required=True)),
            *(flag("any_organization"), count("size"), document("additions", _ADDITIONS)),
            build.check("key_batches", "max_uses", "max_uses >= 1"),
            build.check("key_batches", "window", "redeemable_from < redeemable_until"),
            *build.listings("key_batches", "created_at", "course_id", "organization_id"),
        ),
        TrainingKey: build.table(
            "training_keys",
            *(key("code"), build.reference("batch_id", "key_batches")),
            *(count("uses"), count("max_uses"), instant("revoked_at")),
            build.check("training_keys", "uses", "uses BETWEEN 0 AND max_uses"),
            build.index("training_keys", "batch_id", "code"),
        ),
        CourseAssignment: build.table(
            "course_assignments",
            *(key("id"), build.reference("learner_id", "users")),
            build.reference("course_id", "courses"),
            build.reference("organization_id", "organizations", required=False),
            *(instant("created_at", required=True), instant("expires_at", required=True)),
            Column("limited_by", Word(ExpirationLimit), nullable=False),
            build.reference("batch_id", "key_batches", required=False),
            # The redemption refers to the assignment; two that refer to each other could only
            # be written with deferred constraints, whose errors come too late.
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
            *(instant("finished_at"), text("request_id")),
            build.check("attempts", "number", "number >= 1"),
            *build.listings("attempts", "started_at", "assignment_id"),
        ),
        Redemption: build.table(
            "redemptions",
            *(key("id"), build.reference("code", "training_keys", "code")),
            build.reference("batch_id", "key_batches"),
            build.reference("learner_id", "users"),
            build.reference("assignment_id", "course_assignments"),
            *(instant("redeemed_at", required=True), instant("restored_at")),
            *build.listings("redemptions", "redeemed_at", "code", "learner_id"),
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


_ADDITIONS = tuple[Addition, ...]
