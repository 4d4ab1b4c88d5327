"""Export of records to a CSV file, in constant memory."""

import csv
from codecs import lookup
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BufferedIOBase, RawIOBase
from itertools import chain, islice
from typing import Any, Generic, Literal, Protocol, TypeVar

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.keys import TrainingKey
from course_assignments.errors import InvalidInput, invalid, is_a
from course_assignments.export.cells import Cell, escape_formula, keep_as_text, write_cell
from course_assignments.export.columns import COLUMNS, DEFAULT_COLUMNS
from course_assignments.frozen import frozen
from course_assignments.validation import Many, Strings
from course_assignments.views.billing import StatementLine, StatementTotal

R = TypeVar("R", CourseAssignment, TrainingKey, StatementLine, StatementTotal)

_BYTE_ORDER_MARK = "\ufeff"

# Streams with these encodings write a byte order mark themselves.
_MARKING = {"utf-8-sig", "utf-16", "utf-32"}


def _function(_: object, at: "attrs.Attribute[Any]", value: object) -> None:
    if not callable(value):
        raise invalid("not_callable", at.name, "expected a function of the record", value)


@frozen
class ExportColumn(Generic[R]):
    """A custom column: a heading and a function that returns the value.

    Attributes:
        title: The heading, of 1 to 500 characters.
        value: Returns a `Cell` for a record; an error that it raises is not caught.

    >>> names = {"ada": "Ada Lovelace"}
    >>> ExportColumn("Learner", lambda assignment: names[assignment.learner_id]).title
    'Learner'
    """

    title: str = field(validator=validation.name)
    value: Callable[[R], Cell] = field(validator=_function)


class TextStream(Protocol):
    """Any open text file, ``io.StringIO``, or another object with this method."""

    def write(self, text: str, /) -> object:
        """Write the string *text*."""
        ...


def export_csv(
    records: Iterable[R],
    stream: TextStream,
    *,
    columns: Many[str | ExportColumn[R]] | None = None,
    delimiter: Literal[",", ";", "\t"] = ",",
    encoding: Literal["utf-8", "utf-8-sig"] = "utf-8",
    as_text: Strings = (),
) -> int:
    r"""Write headings and one row per record to *stream*; return the record count.

    Cells that a spreadsheet might evaluate get a ``'`` in front, which `read_cell` removes.
    Datetimes are in UTC, datetimes and durations in ISO 8601, enum members are their values
    (``completion`` is its name), and ``None`` is an empty cell. Lines end with CR LF. The codes of
    keys are written in full, so protect the file like the keys.

    Args:
        records: `CourseAssignment`\ s, `TrainingKey`\ s, or the lines or totals of a `Statement`,
            all of one kind. Each row is written before the next record is read.
        stream: A text stream; open a file with ``newline=""``.
        columns: Names, such as those in `columns.ASSIGNMENT_COLUMNS`, and custom columns; by
            default the columns of the kind. Without columns and records nothing is written.
        delimiter: The delimiter that the reader expects: with another, escapes do not work. Excel
            uses the list separator of the computer.
        encoding: ``utf-8-sig`` writes a byte order mark, so that Excel recognizes UTF-8, unless
            *stream* writes one itself. The stream encodes the characters.
        as_text: The headings of columns whose cells all get a ``'`` in front, so that no
            spreadsheet reads ``1E10``, ``MAR-1`` or ``000123`` as a number or a date.

    Raises:
        InvalidInput: An argument is wrong, or a column is unknown or repeated; nothing was written.
            Or a record is of another kind than the first, or a custom column does not return a
            `Cell`; the rows before it were written.

    >>> from io import StringIO
    >>> keys = [TrainingKey(id="k-1", code="Spring-2026", batch_id="spring", max_uses=3)]
    >>> export_csv(keys, StringIO(), columns=["code", "remaining_uses"])
    1
    """
    _check_stream(stream)
    _check_choice(delimiter, "delimiter", (",", ";", "\t"), "a comma, a semicolon or a tab")
    _check_choice(encoding, "encoding", ("utf-8", "utf-8-sig"), "utf-8 or utf-8-sig")
    chosen = None if columns is None else _check_columns(columns)
    rest = _iterate(records)
    head = list(islice(rest, 1))
    if head:
        validation.check_kind(head[0], "records[0]", *COLUMNS, exact=True)
    kind = type(head[0]) if head else None
    shown = _with_writers(_with_values(chosen, kind), as_text)
    if not shown:
        return 0
    if encoding == "utf-8-sig" and not _marks_itself(stream):
        stream.write(_BYTE_ORDER_MARK)
    writer = csv.writer(stream, delimiter=delimiter)
    writer.writerow([escape_formula(title) for title, _, _, _ in shown])
    written = 0
    for record in chain(head, rest):
        if type(record) is not kind:
            validation.check_kind(record, f"records[{written}]", *COLUMNS, exact=True)
            expected = "expected the class of records[0]; export one kind at a time"
            raise invalid("wrong_type", f"records[{written}]", expected, record)
        writer.writerow([write(value(record), path) for _, value, path, write in shown])
        written += 1
    return written


def _check_stream(stream: object) -> None:
    binary = is_a(stream, type, RawIOBase, BufferedIOBase)
    if binary or not callable(getattr(stream, "write", None)):
        hint = "expected a text stream, such as open(path, 'w', newline='', encoding='utf-8')"
        raise invalid("wrong_type", "stream", hint, stream)


def _check_choice(value: object, name: str, choices: tuple[str, ...], expected: str) -> None:
    if type(value) is not str or value not in choices:
        raise invalid("wrong_type", name, f"expected {expected}", value)


def _marks_itself(stream: object) -> bool:
    encoding = getattr(stream, "encoding", None)
    try:
        return isinstance(encoding, str) and lookup(encoding).name in _MARKING
    except (LookupError, ValueError):  # Python does not know this encoding
        return False


def _iterate(records: Iterable[R]) -> Iterator[R]:
    kind: type = type(records)
    if issubclass(kind, str | bytes) or not issubclass(kind, Iterable):
        raise invalid("not_a_list", "records", "expected records, such as statement.lines", records)
    try:
        return iter(records)
    except Exception as error:  # the caller's iterable may raise anything
        raise invalid("not_a_list", "records", "iterating it raised an error", records) from error


def _check_columns(columns: Many[str | ExportColumn[R]]) -> tuple[str | ExportColumn[R], ...]:
    found = validation.check_list(columns, "columns")
    found = validation.check_each(found, "columns", str, ExportColumn)
    titles = (one.title if isinstance(one, ExportColumn) else one for one in found)
    validation.check_distinct(titles, "columns[{}]")
    return found


def _write_as_text(value: Cell, field: str) -> str:
    return keep_as_text(write_cell(value, field))


def _with_writers(
    shown: Iterable[tuple[str, Callable[[Any], Cell], str]], as_text: Strings
) -> list[tuple[str, Callable[[Any], Cell], str, Callable[[Cell, str], str]]]:
    """Return each column with the function that writes its cells."""
    kept = validation.check_each(as_text, "as_text", str, exact=True)
    columns: list[tuple[str, Callable[[Any], Cell], str, Callable[[Cell, str], str]]] = [
        (title, value, path, _write_as_text if title in kept else write_cell)
        for title, value, path in shown
    ]
    titles = {title for title, *_ in columns}
    for position, title in enumerate(kept if columns else ()):
        if title not in titles:
            expected = "expected the heading of one of the columns"
            raise invalid("unknown_column", f"as_text[{position}]", expected, title)
    return columns


def _with_values(
    columns: Sequence[str | ExportColumn[Any]] | None, kind: type | None
) -> list[tuple[str, Callable[[Any], Cell], str]]:
    """Return heading, function and path of each column; empty without both arguments."""
    if columns is None:
        columns = () if kind is None else DEFAULT_COLUMNS[kind]
    # Without a kind, names are looked up in the kind that has most of them.
    names = {column for column in columns if isinstance(column, str)}
    likely = max(COLUMNS.values(), key=lambda values: len(names & values.keys()))
    known = likely if kind is None else COLUMNS[kind]
    shown: list[tuple[str, Callable[[Any], Cell], str]] = []
    for position, column in enumerate(columns):
        path = f"columns[{position}]"
        if isinstance(column, ExportColumn):
            shown.append((column.title, column.value, path))
        elif column in known:
            shown.append((column, known[column], path))
        else:
            hint = f"unknown column {column[:12]!a}; expected one such as {next(iter(known))}"
            raise InvalidInput("unknown_column", path, hint)
    return shown
