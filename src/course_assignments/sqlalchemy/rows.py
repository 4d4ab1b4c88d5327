"""Convert records to rows, and back; derived values that are searched have their own columns."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final, TypeVar

import attrs
from sqlalchemy import Connection, Executable

from course_assignments.changes import KINDS, Event, Record
from course_assignments.entities.assignments import Direct, FromKey, FromSubscription, Origin
from course_assignments.errors import InvalidInput, StorageError
from course_assignments.text import fold_text

T = TypeVar("T")

#: The columns of a field that has more than one, or another type, and the types of their values.
_SEVERAL: Final[Mapping[str, Mapping[str, Any]]] = {
    "name": {"name": str, "folded_name": str},
    "email": {"email": str, "folded_email": str},
    "code": {"code": str, "lookup_code": str},
    "origin": dict.fromkeys(("batch_id", "redemption_id", "subscription_id"), str | None),
}

#: The columns of each kind, in the order of its fields, and the types of their values.
COLUMNS: Final[Mapping[type, Mapping[str, Any]]] = {
    kind: {
        column: type_
        for at in attrs.fields(kind)
        for column, type_ in _SEVERAL.get(at.name, {at.name: at.type}).items()
    }
    for kind in (*KINDS, Event)
}

#: How to derive the columns that no attribute of a record has.
_DERIVED: Final[Mapping[str, Callable[[Any], Any]]] = {
    "folded_name": lambda record: fold_text(record.name),
    "redemption_id": lambda assignment: getattr(assignment.origin, "redemption_id", None),
}

_FIELDS: Final = {kind: tuple(attrs.fields_dict(kind)) for kind in COLUMNS}

_READERS: Final = {
    kind: {name: _DERIVED.get(name) or attrgetter(name) for name in columns}
    for kind, columns in COLUMNS.items()
}


def to_row(record: Record | Event) -> dict[str, Any]:
    """Return the column values of *record*; a record changed without its checks is refused."""
    _check(record)
    return {name: read(record) for name, read in _READERS[type(record)].items()}


def _check(record: Record | Event) -> None:
    """Copy *record* and its parts, the parts first, so that all of their checks run."""
    for name in _FIELDS[type(record)]:
        value: tuple[Any, ...] = getattr(record, name)
        for part in value if isinstance(value, tuple) else ():
            if attrs.has(part.__class__):
                attrs.evolve(part)
    attrs.evolve(record)


def read_all(
    kind: type[T], statement: Executable, parameters: Mapping[str, Any], connection: Connection
) -> list[T]:
    """Return the records of *kind* that *statement* selects; others may have written bad rows."""
    rows = connection.execute(statement, parameters).mappings()
    try:
        return [_from_row(kind, row) for row in rows]
    # InvalidInput is a ValueError. JSON may be nested too deeply for the stack.
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        cause = type(error).__name__
        if isinstance(error, InvalidInput):
            cause = f"{error.field}: {error.code}"
        hint = f"the stored {kind.__name__} is invalid ({cause})"
        raise StorageError("unreadable", hint) from None  # its message may show personal data


def _from_row(kind: type[T], row: Mapping[Any, Any]) -> T:
    fields = _FIELDS[kind]
    return kind(**{name: _origin(row) if name == "origin" else row[name] for name in fields})


def _origin(row: Mapping[Any, Any]) -> Origin:
    if row["batch_id"] is not None:
        return FromKey(row["batch_id"], row["redemption_id"])
    if row["subscription_id"] is not None:
        return FromSubscription(row["subscription_id"])
    return Direct()
