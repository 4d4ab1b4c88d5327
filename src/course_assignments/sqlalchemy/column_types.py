"""Column types: each converts the values of one type to column values, and back.

Equal values have equal column values, so that a database can compare them. For SQLite the types use
only the names that its STRICT tables accept.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    Integer,
    Text,
    TypeDecorator,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeEngine

from course_assignments.serialization import read_value, write_value
from course_assignments.time.datetimes import as_utc

#: Compared and sorted by code point in both databases, as in Python.
BinaryText = Text().with_variant(Text(collation="C"), "postgresql")


class Instant(TypeDecorator[datetime]):
    """An aware datetime in UTC: a timestamp in PostgreSQL, a fixed-width string in SQLite.

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
        """Return the type to use in the database of *dialect*."""
        kind = Text() if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Return *value* as a column value; a naive datetime is refused."""
        if value is None:
            return None
        instant = as_utc(value)
        return write_value(instant, datetime) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return a column value as a datetime in UTC."""
        if value is None:
            return None
        instant: datetime = read_value(value, datetime) if dialect.name == "sqlite" else value
        return as_utc(instant)


#: Digits at a fixed width, so that the strings sort as the datetimes do.
_PATTERN = "0000-00-00T00:00:00.000000Z".replace("0", "[0-9]")


class IsInstantText(ColumnElement[bool]):
    """A condition: the column holds a value that an `Instant` writes.

    Example:
        >>> from sqlalchemy.dialects import postgresql, sqlite
        >>> print(IsInstantText("at").compile(dialect=postgresql.dialect()))
        isfinite(at)
        >>> print(IsInstantText("at").compile(dialect=sqlite.dialect()))
        at GLOB '[0-9][0-9][0-9][0-9]-...Z'
    """

    inherit_cache = False

    def __init__(self, column: str) -> None:
        """Check the column of this name."""
        self.column = column


@compiles(IsInstantText)
def _finite(check: IsInstantText, *_: Any, **__: Any) -> str:
    # PostgreSQL also has infinity, which no driver can read as a datetime.
    return f"isfinite({check.column})"


@compiles(IsInstantText, "sqlite")
def _fixed_width(check: IsInstantText, *_: Any, **__: Any) -> str:
    return f"{check.column} GLOB '{_PATTERN}'"


class Flag(TypeDecorator[bool]):
    """A bool; in SQLite, which has no such type, 1 or 0.

    Example:
        >>> from sqlalchemy.dialects import sqlite
        >>> Flag().compile(dialect=sqlite.dialect())
        'INTEGER'
    """

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type to use in the database of *dialect*."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else Boolean())

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:  # noqa: ARG002
        """Return a column value as a bool."""
        return None if value is None else bool(value)


class EncodedText(TypeDecorator[Any]):
    """A value encoded as a short string: an enum member by its value, a duration as ``P6M``.

    Example:
        >>> from sqlalchemy.dialects import sqlite
        >>> from course_assignments import Months
        >>> EncodedText(Months).process_bind_param(Months(6), sqlite.dialect())
        'P6M'
    """

    impl = BinaryText
    cache_ok = True

    def __init__(self, kind: Any = Any) -> None:
        """Convert values of the type *kind*; migrations only create columns and give none."""
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """Return the word for *value*."""
        return None if value is None else write_value(value, self.kind)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """Return what the word stands for."""
        return None if value is None else read_value(value, self.kind)


class Document(TypeDecorator[Any]):
    """A value with parts, such as the activities of a course, as JSON.

    Example:
        >>> from sqlalchemy.dialects import sqlite
        >>> Document(frozenset[str]).process_bind_param(frozenset({"b", "a"}), sqlite.dialect())
        '["a","b"]'
    """

    impl = BinaryText
    cache_ok = True

    def __init__(self, kind: Any = Any) -> None:
        """Convert values of the type *kind*; migrations only create columns and give none."""
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:  # noqa: ARG002
        """Return *value* as JSON, equal values as equal texts."""
        plain = write_value(value, self.kind)
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """Return what the JSON stands for."""
        return read_value(json.loads(value), self.kind)


class TextList(TypeDecorator[Sequence[str]]):
    """Any number of strings as one parameter: an array in PostgreSQL, JSON in SQLite.

    Example:
        >>> from sqlalchemy.dialects import sqlite
        >>> TextList().process_bind_param(["a", "b"], sqlite.dialect())
        '["a", "b"]'
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type to use in the database of *dialect*."""
        kind: TypeEngine[Any] = Text() if dialect.name == "sqlite" else ARRAY(Text())
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> Any:
        """Return the strings as one parameter."""
        texts = [*(value or ())]
        return json.dumps(texts) if dialect.name == "sqlite" else texts


def any_of(column: Column[Any], name: str, dialect: str) -> ColumnElement[bool]:
    """Return the condition that *column* is one of the strings in the parameter *name*."""
    texts = bindparam(name, type_=TextList())
    if dialect == "sqlite":
        return column.in_(select(func.json_each(texts).table_valued("value").c.value))
    return column == func.any(texts, type_=ARRAY(column.type))


def is_storable(text: str) -> bool:
    r"""Return whether both databases can store *text*: no NUL, no lone surrogate.

    Example:
        >>> is_storable("Ada"), is_storable("A\0da")
        (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
