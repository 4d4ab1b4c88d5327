"""How the values of records stand in columns: each type takes and gives what records hold.

Two equal values are always written the same, so that a database can compare them. Only type names
that SQLite's STRICT tables know are used there.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy import Boolean, ColumnElement, DateTime, Dialect, Integer, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeEngine

from course_assignments.serialization.converter import make_converter
from course_assignments.time.datetimes import as_utc

#: What both databases compare and sort by code point, as Python does.
Plain = Text().with_variant(Text(collation="C"), "postgresql")

_converter = make_converter()


class Instant(TypeDecorator[datetime]):
    """An aware instant, given back in UTC: a timestamp in PostgreSQL, fixed-width text in SQLite.

    Example:
        >>> from sqlalchemy.dialects import postgresql, sqlite
        >>> Instant().compile(dialect=postgresql.dialect())
        'TIMESTAMP WITH TIME ZONE'
        >>> Instant().compile(dialect=sqlite.dialect())
        'TEXT'
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the database of *dialect* has for it."""
        kind = Text() if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Return *value* as the database takes it; a naive one is refused."""
        if value is None:
            return None
        instant = as_utc(value)
        return _converter.unstructure(instant) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return what the database gave as an instant in UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return _converter.structure(value, datetime)
        return as_utc(value)


#: Fixed width and nothing but digits, so that texts sort as the instants do.
_WRITTEN = "0000-00-00T00:00:00.000000Z".replace("0", "[0-9]")


class Written(ColumnElement[bool]):
    """That a column holds what an `Instant` writes, in words of whichever database is asked.

    Example:
        >>> from sqlalchemy.dialects import postgresql, sqlite
        >>> print(Written("at").compile(dialect=postgresql.dialect()))
        isfinite(at)
        >>> print(Written("at").compile(dialect=sqlite.dialect()))
        at GLOB '[0-9][0-9][0-9][0-9]-...Z'
    """

    inherit_cache = False

    def __init__(self, column: str) -> None:
        """Ask it of the column of this name."""
        self.column = column


@compiles(Written)
def _finite(written: Written, *_: Any, **__: Any) -> str:
    # No datetime stands for PostgreSQL's infinity, so no driver could read it.
    return f"isfinite({written.column})"


@compiles(Written, "sqlite")
def _fixed_width(written: Written, *_: Any, **__: Any) -> str:
    return f"{written.column} GLOB '{_WRITTEN}'"


class Flag(TypeDecorator[bool]):
    """True or false; in SQLite, which has no type for it, 1 or 0.

    Example:
        >>> from sqlalchemy.dialects import sqlite
        >>> Flag().compile(dialect=sqlite.dialect())
        'INTEGER'
    """

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the database of *dialect* has for it."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else Boolean())

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:  # noqa: ARG002
        """Return what the database gave as ``True`` or ``False``."""
        return None if value is None else bool(value)


class Word(TypeDecorator[Any]):
    """What is written as one word: a member of an enum by its value, a length of time as ``P6M``.

    Example:
        >>> from sqlalchemy.dialects import sqlite
        >>> from course_assignments import Months
        >>> Word(Months).process_bind_param(Months(6), sqlite.dialect())
        'P6M'
    """

    impl = Plain
    cache_ok = True

    def __init__(self, kind: Any = Any) -> None:
        """Take values of the type *kind*; a migration makes columns only, and names none."""
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """Return the word for *value*."""
        return None if value is None else _converter.unstructure(value, unstructure_as=self.kind)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """Return what the word stands for."""
        return None if value is None else _converter.structure(value, self.kind)


class Document(TypeDecorator[Any]):
    """What has parts of its own, such as the activities of a course, as JSON.

    Example:
        >>> from sqlalchemy.dialects import sqlite
        >>> Document(frozenset[str]).process_bind_param(frozenset({"b", "a"}), sqlite.dialect())
        '["a","b"]'
    """

    impl = Plain
    cache_ok = True

    def __init__(self, kind: Any = Any) -> None:
        """Take values of the type *kind*; a migration makes columns only, and names none."""
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:  # noqa: ARG002
        """Return *value* as JSON, equal values as equal texts; each part is checked once more."""
        for part in value:
            if attrs.has(part.__class__):
                attrs.validate(part)
        plain = _converter.unstructure(value, unstructure_as=self.kind)
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """Return what the JSON stands for."""
        return _converter.structure(json.loads(value), self.kind)


class TextList(TypeDecorator[Sequence[str]]):
    """Any number of texts as one parameter: an array in PostgreSQL, JSON in SQLite.

    Example:
        >>> from sqlalchemy.dialects import sqlite
        >>> TextList().process_bind_param(["a", "b"], sqlite.dialect())
        '["a", "b"]'
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the database of *dialect* has for it."""
        kind: TypeEngine[Any] = Text() if dialect.name == "sqlite" else ARRAY(Text())
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> Any:
        """Return the texts as the database takes them."""
        texts = [*(value or ())]
        return json.dumps(texts) if dialect.name == "sqlite" else texts


def is_storable(text: str) -> bool:
    r"""Return whether every database can hold *text*: no NUL, no half of a surrogate pair.

    Example:
        >>> is_storable("Ada"), is_storable("A\0da")
        (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
