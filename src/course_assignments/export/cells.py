"""What a cell of a CSV file says: a text that no spreadsheet takes for a formula, and back again.

Nothing here knows a record, a column or a stream. Quotes are the affair of the csv module: a cell
is what is left when they are undone.
"""

from datetime import date, datetime, timedelta
from enum import Enum
from typing import TypeAlias
from unicodedata import category, normalize

from course_assignments.errors import InvalidInput
from course_assignments.time.datetimes import as_utc
from course_assignments.time.durations import Months, as_duration, format_duration
from course_assignments.validation import check_count

#: What a cell can be made of.
Cell: TypeAlias = str | int | date | timedelta | Months | Enum | None

#: What makes a spreadsheet show a cell as the text that it is.
GUARD = "'"

# The last is the minus sign of typography, which some programs read as a number's.
_SIGNS = frozenset("=+-@\u2212")

# Control characters, white space of every kind, and what cannot be seen by itself.
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Me", "Mn", "Zl", "Zp", "Zs"})

# Letters and one symbol that are blank.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")

_LARGEST = 2**63 - 1


def guard(text: str) -> str:
    """Return the cell for *text*, which never begins with what a spreadsheet computes.

    One ``'`` is put in front of a text that begins with a control character (TAB, CR, LF and NUL
    among them), or in which ``=``, ``+``, ``-`` or ``@``, in any of their Unicode forms, is the
    first thing to be seen; and of one that begins with ``'``, so that `read_cell` finds back.

    Example:
        >>> guard("=1+1"), guard("Ada"), guard("'tis")
        ("'=1+1", 'Ada', "''tis")
    """
    if not text or (text[0].isascii() and text[0].isalnum()):  # as nearly every cell does
        return text
    if text[0] == GUARD or category(text[0]) == "Cc":
        return GUARD + text
    seen = next((letter for letter in text if not _is_unseen(letter)), "")
    return GUARD + text if normalize("NFKC", seen)[:1] in _SIGNS else text


def _is_unseen(letter: str) -> bool:
    return letter in _BLANK or category(letter) in _UNSEEN


def read_cell(cell: str) -> str:
    """Return the text that `export_csv` wrote as *cell*, which is without quotes already.

    It takes off the one ``'`` that was put in front, and leaves every other cell as it is.

    Raises:
        InvalidInput: *cell* is no text.

    Example:
        >>> read_cell("'=1+1"), read_cell("Ada"), read_cell("''tis")
        ('=1+1', 'Ada', "'tis")
    """
    if not isinstance(cell, str):
        raise InvalidInput("not_a_text", "cell", "expected a cell as the csv module reads it")
    return cell.removeprefix(GUARD)


def write_cell(value: Cell, field: str) -> str:
    """Return the cell for *value*; *field* is what an error names.

    An instant is written in UTC, instants and terms in ISO 8601, a member of an enum as its value,
    ``None`` as nothing at all.

    Raises:
        InvalidInput: *value* is none of what a cell can be made of.

    Example:
        >>> write_cell(timedelta(days=30), "columns[0]"), write_cell(-1, "columns[0]")
        ('P30D', "'-1")
    """
    # Asked first for what nearly every cell is made of; an instant begins with a digit.
    if type(value) is str:
        return guard(value)
    if value is None:
        return ""
    if type(value) is datetime:
        return as_utc(value, field).isoformat()
    if isinstance(value, Enum):
        return write_cell(value.value, field)
    return guard(_written(value, field))


def _written(value: str | int | date | timedelta | Months, field: str) -> str:
    if isinstance(value, datetime):
        return as_utc(value, field).isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(check_count(value, field, -_LARGEST, _LARGEST))
    if isinstance(value, str | date):
        return str(value)
    if isinstance(value, timedelta | Months):
        # No time at all is no term, yet it is what remains of an assignment that is over.
        return format_duration(as_duration(value, field)) if value else "PT0S"
    raise InvalidInput(
        "wrong_type", field, "expected a text, whole number, instant, day, term, member or None"
    )
