"""Records as the rows of a CSV file, one by one, in the order they come in.

What a cell says is the affair of `cells`. Nothing here knows where records are kept, opens a file,
or ever holds more than one record.
"""

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
from course_assignments.errors import InvalidInput
from course_assignments.export.cells import Cell, guard, write_cell
from course_assignments.export.columns import COLUMNS, DEFAULT_COLUMNS, Values
from course_assignments.views.billing import StatementLine, StatementTotal

R = TypeVar("R", CourseAssignment, TrainingKey, StatementLine, StatementTotal)

_MARK = "\ufeff"

# These begin what they write with a byte order mark of their own.
_MARKING = {"utf-8-sig", "utf-16", "utf-32"}


def _function(_: object, at: "attrs.Attribute[Any]", value: object) -> None:
    if not callable(value):
        raise InvalidInput("not_callable", at.name, "expected a function of the record")


@attrs.frozen
class ExportColumn(Generic[R]):
    """A column of your own: its heading, and what a record has in it.

    Attributes:
        title: The heading, of 1 to 500 characters.
        value: Called with each record; it gives a text, a whole number, an instant, a day, a term,
            a member of an enum, or ``None`` for an empty cell. What it raises is yours and passes.

    Raises:
        InvalidInput: the title is no name, or the value no function.

    Example:
        >>> names = {"ada": "Ada Lovelace"}
        >>> ExportColumn("Learner", lambda assignment: names[assignment.learner_id]).title
        'Learner'
    """

    title: str = field(validator=validation.name)
    value: Callable[[R], Cell] = field(validator=_function)


class TextStream(Protocol):
    """What rows are written to: any open text file, ``io.StringIO``, or less.

    Example:
        >>> from io import StringIO
        >>> stream: TextStream = StringIO()
    """

    def write(self, text: str, /) -> object:
        """Take *text*, the next piece of the file."""
        ...


def export_csv(
    records: Iterable[R],
    stream: TextStream,
    *,
    columns: Iterable[str | ExportColumn[R]] | None = None,
    delimiter: Literal[",", ";", "\t"] = ",",
    encoding: Literal["utf-8", "utf-8-sig"] = "utf-8",
) -> int:
    r"""Write a heading and a row for each of *records* to *stream*; return how many records.

    The records are `CourseAssignment`\ s, `TrainingKey`\ s, or the lines or totals of a
    `Statement`, all of one kind, and keep their order. They may come from any iterator: each row is
    written before the next record is asked for. The codes of keys are written in full, as learners
    type them: guard the file like the keys.

    A cell that a spreadsheet might compute gets a ``'`` in front (`read_cell` takes it off again).
    Instants are written in UTC, instants and terms in ISO 8601, members of an enum by their values
    (``completion`` by its name), and ``None`` as an empty cell. Lines end with CR LF.

    *columns* are names, as in `columns.ASSIGNMENT_COLUMNS` and its neighbours, or columns of your
    own, and by default those of the kind. By default it takes a record to know them: without one,
    nothing at all is written.

    *delimiter* has to be where the reader splits; Excel goes by the list separator of the computer,
    often a semicolon. A spreadsheet that splits elsewhere finds cells that nobody guarded.

    *encoding* ``utf-8-sig`` begins with a byte order mark, by which Excel knows UTF-8, unless
    *stream* writes one itself, as a file does that was opened with this encoding. How characters
    become bytes is up to the stream. Open a file with ``newline=""``.

    Raises:
        InvalidInput: an argument is not what it has to be, a column is unknown or named twice (and
            nothing is written), or a record is of another kind than the first, or a column of your
            own gives what is no cell (and the rows before are written). What the stream, the
            iterator or a function of a column raises is yours and passes, just so.

    Example:
        >>> from io import StringIO
        >>> keys = [TrainingKey(code="Spring-2026", batch_id="spring", max_uses=3)]
        >>> stream = StringIO()
        >>> export_csv(keys, stream, columns=["code", "remaining_uses"])
        1
        >>> stream.getvalue()
        'code,remaining_uses\r\nSpring-2026,3\r\n'
    """
    _check_stream(stream)
    _check_word(delimiter, "delimiter", (",", ";", "\t"), "a comma, a semicolon or a tab")
    _check_word(encoding, "encoding", ("utf-8", "utf-8-sig"), "utf-8 or utf-8-sig")
    chosen = None if columns is None else _check_columns(columns)
    rest = _iterate(records)
    head = list(islice(rest, 1))
    if head:
        validation.check_record(head[0], "records[0]", *COLUMNS)
    kind = type(head[0]) if head else None
    shown = _with_values(chosen, kind)
    if not shown:
        return 0
    if encoding == "utf-8-sig" and not _marks_itself(stream):
        stream.write(_MARK)
    writer = csv.writer(stream, delimiter=delimiter)
    writer.writerow([guard(title) for title, _, _ in shown])
    written = 0
    for record in chain(head, rest):
        if type(record) is not kind:
            validation.check_record(record, f"records[{written}]", *COLUMNS)
            raise InvalidInput("wrong_type", f"records[{written}]", "export one kind at a time")
        writer.writerow([write_cell(value(record), path) for _, value, path in shown])
        written += 1
    return written


def _check_stream(stream: object) -> None:
    binary = isinstance(stream, type | RawIOBase | BufferedIOBase)
    if binary or not callable(getattr(stream, "write", None)):
        hint = "expected a text stream, such as open(path, 'w', newline='', encoding='utf-8')"
        raise InvalidInput("wrong_type", "stream", hint)


def _check_word(value: object, name: str, words: tuple[str, ...], expected: str) -> None:
    if not isinstance(value, str) or value not in words:
        raise InvalidInput("wrong_type", name, f"expected {expected}")


def _marks_itself(stream: object) -> bool:
    encoding = getattr(stream, "encoding", None)
    try:
        return isinstance(encoding, str) and lookup(encoding).name in _MARKING
    except (LookupError, ValueError):  # no such encoding, or no name of one
        return False


def _iterate(records: Iterable[R]) -> Iterator[R]:
    if isinstance(records, str | bytes) or not isinstance(records, Iterable):
        raise InvalidInput(
            "not_a_list", "records", "expected records one by one, such as statement.lines"
        )
    try:
        return iter(records)
    except Exception as error:  # a list of the caller's own may raise anything
        raise InvalidInput("not_a_list", "records", "it cannot be gone through") from error


def _check_columns(
    columns: Iterable[str | ExportColumn[R]],
) -> tuple[str | ExportColumn[R], ...]:
    found = validation.check_list(columns, "columns")
    titles: set[str] = set()
    for position, column in enumerate(found):
        path = f"columns[{position}]"
        validation.check_kind(column, path, str, ExportColumn)
        title = column.title if isinstance(column, ExportColumn) else column
        if title in titles:
            raise InvalidInput("repeated", path, "give each column a heading of its own")
        titles.add(title)
    return found


def _with_values(
    columns: Sequence[str | ExportColumn[Any]] | None, kind: type | None
) -> list[tuple[str, Callable[[Any], Cell], str]]:
    """Return heading, function and path of each column; none if there is no telling which."""
    if columns is None:
        columns = () if kind is None else DEFAULT_COLUMNS[kind]
    known = _known(columns, kind)
    shown: list[tuple[str, Callable[[Any], Cell], str]] = []
    for position, column in enumerate(columns):
        path = f"columns[{position}]"
        if isinstance(column, ExportColumn):
            shown.append((column.title, column.value, path))
        elif column in known:
            shown.append((column, known[column], path))
        else:
            hint = f"expected one such as {next(iter(known))}; there is no {column[:12]!a}"
            raise InvalidInput("unknown_column", path, hint)
    return shown


def _known(columns: Sequence[str | ExportColumn[Any]], kind: type | None) -> Values:
    """Return the columns of *kind*; without a record, of the kind that has most of these."""
    if kind is not None:
        return COLUMNS[kind]
    names = {column for column in columns if isinstance(column, str)}
    return max(COLUMNS.values(), key=lambda known: len(names & known.keys()))
