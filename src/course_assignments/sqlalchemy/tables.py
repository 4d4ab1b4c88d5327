"""The tables: columns for each field of a record, and constraints that hold for every writer.

They are plain SQLAlchemy tables in a MetaData of the host, for its own queries and migrations.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from types import NoneType
from typing import Any, Final, get_args, get_origin

import attrs
import sqlalchemy as sa
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine

from course_assignments import validation
from course_assignments.changes import Event
from course_assignments.entities.assignments import Claim, CourseAssignment
from course_assignments.entities.attempts import Attempt
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.receipts import Receipt
from course_assignments.entities.subscriptions import Subscription
from course_assignments.errors import InvalidInput
from course_assignments.sqlalchemy import column_types
from course_assignments.sqlalchemy.rows import COLUMNS

#: Names in PostgreSQL have up to 63 bytes; the longest here, that of a check, has 43.
_MAX_PREFIX: Final = 20


@attrs.frozen(eq=False)
class Tables:
    """The tables in which records are kept.

    Attributes:
        by_kind: The table of each kind of record, and of `Event`.
        journal: One row with the position of the last event.

    >>> import sqlalchemy as sa
    >>> build_tables(sa.MetaData(), prefix="ca_").by_kind[Course].name
    'ca_courses'
    """

    by_kind: Mapping[type, sa.Table]
    journal: sa.Table

    def __iter__(self) -> Iterator[sa.Table]:
        """Iterate over all tables, each after those that it refers to."""
        yield from self.by_kind.values()
        yield self.journal


@attrs.frozen
class _Plan:
    """What the table of a kind has besides its columns: constraints by name, and indexes.

    The columns of users are not foreign keys: their organizations may be stored later.
    """

    name: str
    checks: Mapping[str, str] = {}
    unique: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    refers: bool = True


def _window(*later: str) -> dict[str, str]:
    """Return the checks of a window of access: it ends after it starts, and *later* is later."""
    return {
        "window": "created_at < expires_at",
        **{name: f"created_at <= {name}" for name in later},
    }


def _listings(since: str, *narrowed: str) -> tuple[tuple[str, ...], ...]:
    """Return the indexes to list a table, all of it and by each of *narrowed*, oldest first."""
    return (since, "id"), *((name, since, "id") for name in narrowed)


#: The plan for each kind, after those that it refers to.
PLANS: Final[Mapping[type, _Plan]] = {
    Organization: _Plan("organizations"),
    Course: _Plan("courses"),
    User: _Plan(
        "users", unique=("folded_email",), indexes=(("organization_id", "id"),), refers=False
    ),
    Subscription: _Plan(
        "subscriptions",
        _window("edited_at", "cancelled_at"),
        indexes=(*_listings("created_at", "learner_id", "organization_id"), ("expires_at",)),
    ),
    KeyBatch: _Plan(
        "key_batches",
        {"max_uses": "max_uses >= 1", "window": "redeemable_from < redeemable_until"},
        indexes=_listings("created_at", "course_id", "organization_id"),
    ),
    TrainingKey: _Plan(
        "training_keys",
        {"number": "number >= 1", "uses": "uses BETWEEN 0 AND max_uses"},
        unique=("lookup_code",),
        indexes=(("batch_id", "number", "id"),),
    ),
    CourseAssignment: _Plan(
        "course_assignments",
        {
            **_window("first_lab_launched_at", "started_at"),
            "origin": "(batch_id IS NULL) = (redemption_id IS NULL)"
            " AND (batch_id IS NULL OR subscription_id IS NULL)",
        },
        indexes=(
            *_listings(
                *("created_at", "learner_id", "course_id"),
                *("organization_id", "batch_id", "subscription_id"),
            ),
            ("expires_at",),
        ),
    ),
    Claim: _Plan("claims", unique=("learner_id", "course_id")),
    Attempt: _Plan(
        "attempts", {"number": "number >= 1"}, indexes=_listings("started_at", "assignment_id")
    ),
    Redemption: _Plan("redemptions", indexes=_listings("redeemed_at", "key_id", "learner_id")),
    Receipt: _Plan("receipts"),
    Event: _Plan("events", indexes=(("at",),)),
}

#: The columns that are foreign keys, and the tables that they refer to. The redemption of an
#: assignment is not one: it refers to the assignment, and references in both directions would need
#: deferred constraints, whose errors come too late.
_REFERENCES: Final[Mapping[str, str]] = {
    "learner_id": "users",
    "course_id": "courses",
    "organization_id": "organizations",
    "batch_id": "key_batches",
    "subscription_id": "subscriptions",
    "assignment_id": "course_assignments",
    "key_id": "training_keys",
}

#: The column types of fields. All other values are encoded; those with parts are documents.
_TYPES: Final[Mapping[Any, TypeEngine[Any]]] = {
    str: column_types.BinaryText,
    str | None: column_types.BinaryText,
    int: sa.Integer(),
    bool: column_types.Flag(),
    datetime: column_types.Instant(),
    datetime | None: column_types.Instant(),
}

#: The checks that columns hold what their types write, in SQL of both databases.
_FORMS: Final[Mapping[type, Callable[[str], str | column_types.IsInstantText]]] = {
    column_types.Instant: column_types.IsInstantText,
    column_types.Flag: "{} IN (false, true)".format,
}


def build_tables(metadata: sa.MetaData, prefix: str = "") -> Tables:
    """Add the tables to *metadata*; their names and those of their indexes start with *prefix*.

    Give the same *metadata* to Alembic to create migrations. Without migrations,
    `SqlRepository.create_all` creates the tables.

    Raises:
        InvalidInput: *prefix* is too long for PostgreSQL, or *metadata* already has such a table.

    >>> import sqlalchemy as sa
    >>> metadata = sa.MetaData()
    >>> tables = build_tables(metadata, prefix="training_")
    >>> sorted(metadata.tables)[0]
    'training_attempts'
    """
    validation.check_kind(metadata, "metadata", sa.MetaData)
    validation.check_kind(prefix, "prefix", str)
    if prefix and not (prefix.isidentifier() and len(prefix.encode()) <= _MAX_PREFIX):
        hint = f"expected an identifier of at most {_MAX_PREFIX} bytes, such as training_"
        raise InvalidInput("invalid_prefix", "prefix", hint)
    by_kind = {
        kind: _add_table(metadata, prefix, plan, COLUMNS[kind]) for kind, plan in PLANS.items()
    }
    journal = _Plan("journal", {"one_row": "id = 1"})
    columns = {"id": int, "last_position": int}
    return Tables(by_kind, _add_table(metadata, prefix, journal, columns))


def _add_table(
    metadata: sa.MetaData, prefix: str, plan: _Plan, kinds: Mapping[str, Any]
) -> sa.Table:
    name = prefix + plan.name
    columns = [_column(column, kind, plan, prefix) for column, kind in kinds.items()]
    try:
        return sa.Table(name, metadata, *columns, *_rules(name, plan, columns), sqlite_strict=True)
    except InvalidRequestError:
        hint = f"there is a table {name} in it already; build them once, or give another prefix"
        raise InvalidInput("table_exists", "prefix", hint) from None


def _column(name: str, kind: Any, plan: _Plan, prefix: str) -> sa.Column[Any]:
    """Return the column for values of the type *kind*."""
    has_parts = get_origin(kind) in {tuple, frozenset}
    other = column_types.Document if has_parts else column_types.EncodedText
    referred = _REFERENCES.get(name) if plan.refers else None
    reference = [sa.ForeignKey(f"{prefix}{referred}.id")] if referred else []
    return sa.Column(
        name,
        _TYPES.get(kind) or other(kind),
        *reference,
        primary_key=name in {"id", "position"},
        nullable=NoneType in get_args(kind),
        autoincrement=False,
    )


def _rules(name: str, plan: _Plan, columns: Iterable[sa.Column[Any]]) -> Iterator[SchemaItem]:
    """Give the constraints and indexes of the table *name*."""
    for rule, condition in plan.checks.items():
        yield sa.CheckConstraint(condition, name=f"{name}_{rule}")
    if plan.unique:
        yield sa.UniqueConstraint(*plan.unique, name=f"{name}_by_{plan.unique[0]}")
    for indexed in plan.indexes:
        yield sa.Index(f"{name}_by_{indexed[0]}", *indexed)
    for column in columns:
        if form := _FORMS.get(type(column.type)):
            yield sa.CheckConstraint(form(column.name), name=f"{name}_{column.name}_ok")
