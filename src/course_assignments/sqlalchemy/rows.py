"""Convert records to rows, and back; derived values that are searched have their own columns."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import attrs
from sqlalchemy import Result

from course_assignments.changes import KINDS, Event, Record
from course_assignments.entities.assignments import (
    CourseAssignment,
    Direct,
    FromKey,
    FromSubscription,
)
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.keys import KeyBatch
from course_assignments.entities.people import User
from course_assignments.errors import InvalidInput, StorageError
from course_assignments.validation import fold_text

T = TypeVar("T")


def _folded_name(record: Any) -> str:
    return fold_text(record.name)


#: The columns without a field, and how to derive their values.
_DERIVED: Final[Mapping[type, Mapping[str, Callable[[Any], Any]]]] = {
    Organization: {"folded_name": _folded_name},
    Course: {"folded_name": _folded_name},
    KeyBatch: {"folded_name": _folded_name},
    User: {"folded_name": _folded_name, "folded_email": lambda user: user.folded_email},
    CourseAssignment: {
        "batch_id": lambda assignment: assignment.batch_id,
        "subscription_id": lambda assignment: assignment.subscription_id,
        "redemption_id": lambda assignment: getattr(assignment.origin, "redemption_id", None),
    },
}

#: The fields of each kind that have a column of the same name.
_NAMES: Final[Mapping[type, tuple[str, ...]]] = {
    kind: tuple(name for name in attrs.fields_dict(kind) if name != "origin")
    for kind in (*KINDS, Event)
}


def to_row(record: Record | Event) -> dict[str, Any]:
    """Return the column values of *record* by the names of the columns.

    Raises:
        InvalidInput: the record was changed without its checks.

    Example:
        >>> row = to_row(Course(id="py", name="Python"))
        >>> row["name"], row["folded_name"]
        ('Python', 'python')
    """
    _check(record)
    row = {name: getattr(record, name) for name in _NAMES[type(record)]}
    derived = _DERIVED.get(type(record), {})
    return {**row, **{name: derive(record) for name, derive in derived.items()}}


def _check(record: Record | Event) -> None:
    """Make *record* and its parts anew, the parts first, so that all of their checks run."""
    for name in _NAMES[type(record)]:
        value: tuple[Any, ...] = getattr(record, name)
        for part in value if isinstance(value, tuple) else ():
            if attrs.has(part.__class__):
                attrs.evolve(part)
    attrs.evolve(record)


def from_row(kind: type[T], row: Mapping[Any, Any]) -> T:
    """Return the record of *kind* in *row*.

    Example:
        >>> from_row(Course, to_row(Course(id="py", name="Python"))).name
        'Python'
    """
    values = {name: row[name] for name in _NAMES[kind]}
    if kind is CourseAssignment:
        values["origin"] = _origin(row)
    return kind(**values)


def read_all(kind: type[T], result: Result[Any]) -> list[T]:
    """Return the records of *kind* in *result*.

    Raises:
        StorageError: a row, which something else wrote, is not a valid record.
    """
    try:
        return [from_row(kind, row) for row in result.mappings()]
    # InvalidInput is a ValueError. JSON may be nested too deeply for the stack.
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        cause = str(error) if isinstance(error, InvalidInput) else type(error).__name__
        hint = f"the stored {kind.__name__} is invalid ({cause})"
        raise StorageError("unreadable", hint) from error


def _origin(row: Mapping[Any, Any]) -> Direct | FromKey | FromSubscription:
    if row["batch_id"] is not None:
        return FromKey(row["batch_id"], row["redemption_id"])
    if row["subscription_id"] is not None:
        return FromSubscription(row["subscription_id"])
    return Direct()
