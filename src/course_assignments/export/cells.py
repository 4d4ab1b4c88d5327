"""Cells of a CSV file: escape strings that a spreadsheet could read as a formula."""

from datetime import date, datetime, timedelta
from enum import Enum
from typing import TypeAlias
from unicodedata import category, normalize

from course_assignments.errors import invalid, is_a, plain
from course_assignments.text import drop_unseen
from course_assignments.time.datetimes import as_utc
from course_assignments.time.durations import Months, as_duration, format_duration
from course_assignments.validation import check_count

#: The values that a cell can have.
Cell: TypeAlias = str | int | date | timedelta | Months | Enum | None

#: Put before a cell, this character makes a spreadsheet show the cell as plain text.
ESCAPE = "'"

# The last is the typographic minus sign, which some programs accept in numbers.
_SIGNS = frozenset("=+-@\u2212")

# What a spreadsheet may skip before a sign besides the characters that cannot be seen: control
# characters, white space, and marks and characters that a font may not have.
_SKIPPED = frozenset({"Cc", "Cn", "Co", "Me", "Mn", "Zl", "Zp", "Zs"})

_MAX_INTEGER = 2**63 - 1


def escape_formula(text: str) -> str:
    """Return *text* as a cell that no spreadsheet evaluates, if needed with a ``'`` before it."""
    if not text or (text[0].isascii() and text[0].isalnum()):  # nearly every cell
        return text
    # A leading ' is escaped too, so that `read_cell` is exact. TAB, CR, LF and NUL are Cc.
    if text[0] == ESCAPE or category(text[0]) == "Cc":
        return ESCAPE + text
    shown = (char for char in drop_unseen(text) if category(char) not in _SKIPPED)
    return ESCAPE + text if normalize("NFKC", next(shown, ""))[:1] in _SIGNS else text


def keep_as_text(cell: str) -> str:
    """Return *cell*, unless it is empty, with a ``'`` so that a spreadsheet keeps it as text."""
    return ESCAPE + cell if cell and cell[0] != ESCAPE else cell


def read_cell(cell: str) -> str:
    """Return the string that `export_csv` wrote as *cell*, without the ``'`` before it.

    >>> read_cell("'=1+1"), read_cell("Ada")
    ('=1+1', 'Ada')
    """
    if not is_a(cell, str):
        raise invalid("not_a_text", "cell", "expected a cell as the csv module reads it", cell)
    return plain(cell).removeprefix(ESCAPE)  # type: ignore[no-any-return]


def write_cell(value: Cell, field: str) -> str:
    """Return *value* as a cell; an error names *field*.

    Datetimes are written in UTC, datetimes and durations in ISO 8601, enum members as their
    values, and ``None`` as an empty cell.
    """
    # The most frequent types come first.
    if type(value) is str:
        return escape_formula(value)
    if value is None:
        return ""
    if is_a(value, datetime):  # begins with a digit
        return as_utc(value, field).isoformat()
    if is_a(value, Enum):
        return write_cell(value.value, field)
    return escape_formula(_written(value, field))


def _written(value: str | int | date | timedelta | Months, field: str) -> str:
    if is_a(value, bool):
        return "true" if value else "false"
    if is_a(value, int):
        return str(check_count(value, field, -_MAX_INTEGER, _MAX_INTEGER))
    if is_a(value, str):
        return plain(value)  # type: ignore[no-any-return]
    if is_a(value, date):
        return value.isoformat()
    if is_a(value, timedelta, Months):
        # Zero is not a duration, but it is the remaining access of an expired assignment.
        return format_duration(as_duration(value, field)) if value else "PT0S"
    hint = "expected a str, int, datetime, date, duration, enum member or None"
    raise invalid("wrong_type", field, hint, value)
