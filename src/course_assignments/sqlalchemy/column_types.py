"""Column types: each converts the values of one type to column values, and back.

Equal values have equal column values. In SQLite, types have only names of its STRICT tables.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from course_assignments.serialization import read_value, write_value
from course_assignments.time.datetimes import as_utc

#: Compared and sorted by code point in both databases, as in Python.
BinaryText: Final[TypeEngine[str]] = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


class Instant(sa.TypeDecorator[datetime]):
    """An aware datetime in UTC: a timestamp in PostgreSQL, a fixed-width string in SQLite."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = (
        sa.DateTime()
        .with_variant(sa.DateTime(timezone=True), "postgresql")
        .with_variant(sa.Text(), "sqlite")
    )
    cache_ok: bool | None = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        """Return *value* as a column value; a naive datetime is refused."""
        if value is None:
            return None
        at = as_utc(value)
        return write_value(at, datetime) if dialect.name == "sqlite" else at

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        """Return a column value as a datetime in UTC."""
        if value is None:
            return None
        return as_utc(read_value(value, datetime) if dialect.name == "sqlite" else value)


#: Digits at a fixed width, so that the strings sort as the datetimes do.
_PATTERN = "0000-00-00T00:00:00.000000Z".replace("0", "[0-9]")


class IsInstantText(sa.ColumnElement[bool]):
    """A condition: the column holds a value that an `Instant` writes."""

    inherit_cache: bool | None = False

    def __init__(self, column: str) -> None:
        """Check *column*."""
        self.column = column


@compiles(IsInstantText)
def _compiled(check: IsInstantText, compiler: SQLCompiler, **_: Any) -> str:
    if compiler.dialect.name == "sqlite":
        return f"{check.column} GLOB '{_PATTERN}'"
    # PostgreSQL also has infinity, which no driver can read as a datetime.
    return f"isfinite({check.column})"


class Flag(sa.TypeDecorator[bool]):
    """A bool; in SQLite, which has no such type, 1 or 0."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = sa.Boolean().with_variant(
        sa.Integer(), "sqlite"
    )
    cache_ok: bool | None = True

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> bool | None:  # noqa: ARG002
        """Return a column value as a bool."""
        return None if value is None else bool(value)


class EncodedText(sa.TypeDecorator[Any]):
    """A value encoded as a short string: an enum member by its value, a duration as ``P6M``."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = BinaryText
    cache_ok: bool | None = True

    def __init__(self, kind: Any = Any) -> None:
        """Convert values of the type *kind*; migrations only create columns and give none."""
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ARG002
        """Return the string for *value*."""
        return None if value is None else write_value(value, self.kind)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ARG002
        """Return the value for the string."""
        return None if value is None else read_value(value, self.kind)


class Document(EncodedText):
    """A value with parts, such as the activities of a course, as JSON; never NULL."""

    cache_ok: bool | None = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str:  # noqa: ARG002
        """Return *value* as JSON, equal values as equal strings."""
        plain = write_value(value, self.kind)
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ARG002
        """Return the value for the JSON."""
        return read_value(json.loads(value), self.kind)


class TextList(sa.TypeDecorator[Sequence[str]]):
    """Any number of strings as one parameter: an array in PostgreSQL, JSON in SQLite."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = sa.Text().with_variant(
        ARRAY(sa.Text()), "postgresql"
    )
    cache_ok: bool | None = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: sa.Dialect) -> Any:
        """Return the strings as one parameter."""
        strings = [*(value or ())]
        return json.dumps(strings) if dialect.name == "sqlite" else strings


def any_of(column: sa.Column[Any], name: str, dialect: str) -> sa.ColumnElement[bool]:
    """Return the condition that *column* is one of the strings in the parameter *name*."""
    strings = sa.bindparam(name, type_=TextList())
    if dialect == "sqlite":
        return column.in_(sa.select(sa.func.json_each(strings).table_valued("value").c.value))
    return column == sa.func.any(strings, type_=ARRAY(column.type))


def is_storable(text: str) -> bool:
    """Return whether both databases can store *text*: no NUL, no lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
