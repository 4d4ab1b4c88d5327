"""How tables are put together: names behind a prefix, and the constraints that each column needs.

Which tables there are, and what is in them, is not known here.
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

from course_assignments.errors import InvalidInput
from course_assignments.sqlalchemy.column_types import (
    Document,
    Flag,
    Instant,
    Plain,
    Word,
    Written,
)
from course_assignments.time.durations import Duration


@attrs.frozen
class Builder:
    """Makes tables whose names, and those of what belongs to them, begin with a prefix."""

    metadata: MetaData
    prefix: str

    def table(self, name: str, *parts: Any) -> Table:
        """Put a table into the metadata, and hold its columns to what their types write.

        Raises:
            InvalidInput: there is one of this name already.
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

    def reference(
        self, name: str, table: str, to: Literal["id", "code"] = "id", *, required: bool = True
    ) -> Column[str]:
        """Return a column that refers to the record of another *table*."""
        target = f"{self.prefix}{table}.{to}"
        return Column(name, Plain, ForeignKey(target), nullable=not required)

    def check(self, table: str, name: str, condition: str | Written) -> CheckConstraint:
        """Hold each row of *table* to *condition*."""
        return CheckConstraint(condition, name=f"{self.prefix}{table}_{name}")

    def window(self, table: str, *instants: str) -> Iterator[CheckConstraint]:
        """Hold what the record holds: it ends after it began, and nothing comes before that."""
        yield self.check(table, "window", "created_at < expires_at")
        for name in instants:
            yield self.check(table, name, f"created_at <= {name}")

    def unique(self, table: str, *columns: str) -> UniqueConstraint:
        """Let no two rows of *table* have the same in *columns*."""
        return UniqueConstraint(*columns, name=f"{self.prefix}{table}_by_{columns[0]}")

    def index(self, table: str, *columns: str) -> Index:
        """Let *table* be looked up by *columns*."""
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


def key(name: str) -> Column[str]:
    """Return the column for what a record is stored under."""
    return Column(name, Plain, primary_key=True)


def text(name: str, *, required: bool = False) -> Column[str]:
    """Return a column for a text."""
    return Column(name, Plain, nullable=not required)


def named() -> tuple[Column[str], Column[str]]:
    """Return the columns for a name: as it was given, and as it is searched."""
    return text("name", required=True), text("folded_name", required=True)


def instant(name: str, *, required: bool = False) -> Column[Any]:
    """Return a column for an instant."""
    return Column(name, Instant, nullable=not required)


def length(name: str, *, required: bool = False) -> Column[Any]:
    """Return a column for a length of time."""
    return Column(name, Word(Duration), nullable=not required)


def flag(name: str) -> Column[bool]:
    """Return a column for what is true or false."""
    return Column(name, Flag, nullable=False)


def count(name: str) -> Column[int]:
    """Return a column for a whole number."""
    return Column(name, Integer, nullable=False)


def document(name: str, kind: Any) -> Column[Any]:
    """Return a column for what has parts of its own, of the type *kind*."""
    return Column(name, Document(kind), nullable=False)
