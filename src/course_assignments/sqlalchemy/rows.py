"""Records as rows, and back; what is searched otherwise than stored has a column of its own."""

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


#: The columns that no field has, and what stands in them.
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


#: The fields of each kind that stand in a column of the same name.
_NAMES: Final[Mapping[type, tuple[str, ...]]] = {
    kind: tuple(name for name in attrs.fields_dict(kind) if name != "origin")
    for kind in (*KINDS, Event)
}


def to_row(record: Record | Event) -> dict[str, Any]:
    """Return the values of *record* by the names of their columns.

    Raises:
        InvalidInput: it was changed behind the back of its checks.

    Example:
        >>> row = to_row(Course(id="py", name="Python"))
        >>> row["name"], row["folded_name"]
        ('Python', 'python')
    """
    attrs.validate(record)
    row = {name: getattr(record, name) for name in _NAMES[type(record)]}
    derived = _DERIVED.get(type(record), {})
    return {**row, **{name: derive(record) for name, derive in derived.items()}}


def from_row(kind: type[T], row: Mapping[Any, Any]) -> T:
    """Return the record of *kind* that *row* holds.

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
        StorageError: a row holds none, because somebody else wrote it.
    """
    try:
        return [from_row(kind, row) for row in result.mappings()]
    # InvalidInput is a ValueError; JSON may be nested to the end of the stack.
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        said = str(error) if isinstance(error, InvalidInput) else type(error).__name__
        hint = f"what is stored as a {kind.__name__} is none ({said})"
        raise StorageError("unreadable", hint) from error


def _origin(row: Mapping[Any, Any]) -> Direct | FromKey | FromSubscription:
    if row["batch_id"] is not None:
        return FromKey(row["batch_id"], row["redemption_id"])
    if row["subscription_id"] is not None:
        return FromSubscription(row["subscription_id"])
    return Direct()
