"""What the errors of SQLAlchemy and of the drivers mean, in errors of our own.

A driver's message may repeat the values of a row, the code of a key among them, so only its first
sentence is passed on, and the error itself is not shown in a traceback.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from course_assignments.errors import CourseAssignmentsError, StorageBusy, StorageError

#: The sqlstates of PostgreSQL after which the same transaction may succeed: could not be
#: serialized, a deadlock, a lock not to be had in time, too many connections.
_PASSING: Final = frozenset({"40001", "40P01", "55P03", "53300"})

#: The low byte of SQLite's codes that say so: busy and locked.
_SQLITE_PASSING: Final = frozenset({5, 6})

#: What SQLite and PostgreSQL call the same troubles; classes of sqlstates by their first letters.
_CODES: Final[Mapping[str, str]] = {
    "SQLITE_FULL": "disk_full",
    "SQLITE_READONLY": "read_only",
    "SQLITE_CANTOPEN": "unavailable",
    "SQLITE_CONSTRAINT": "constraint",
    "SQLITE_CORRUPT": "corrupt",
    "SQLITE_NOTADB": "corrupt",
    "53100": "disk_full",
    "25006": "read_only",
    "08": "unavailable",
    "57P": "unavailable",
    "23": "constraint",
    "XX": "corrupt",
    "42P01": "missing_table",
    "42703": "missing_column",
    "42501": "not_permitted",
    "22": "value_refused",
}

#: What SQLite has no code for.
_MISSING: Final[Mapping[str, str]] = {
    "no such table": "missing_table",
    "no such column": "missing_column",
    "has no column": "missing_column",
}

#: What a broken unique constraint is called.
_TAKEN: Final = frozenset({"23505", "SQLITE_CONSTRAINT_UNIQUE"})

#: A commit that fails so was not carried out; after any other failure nobody knows.
_UNDONE: Final = frozenset({"disk_full", "read_only", "constraint"})

#: How Python's driver for SQLite begins to say that what is stored as a text is none.
_NO_TEXT: Final = "Could not decode"


def state(error: SQLAlchemyError) -> str:
    """Return the sqlstate, or SQLite's name, of what the driver raised; empty if it gave none."""
    cause: Any = getattr(error, "orig", None)
    names = (getattr(cause, name, None) for name in ("sqlstate", "pgcode", "sqlite_errorname"))
    return next((str(name) for name in names if name), _told(cause).get("C", ""))


def _told(cause: Any) -> Mapping[str, str]:
    """Return what pg8000 tells, by the letters that PostgreSQL sends; other drivers tell else."""
    told = next(iter(getattr(cause, "args", ())), None)
    return told if isinstance(told, dict) else {}


def is_passing(error: SQLAlchemyError) -> bool:
    """Return whether the same again may succeed, as others were only in the way."""
    code: Any = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_PASSING
    return isinstance(error, PoolTimeout) or state(error) in _PASSING


def is_lost(error: SQLAlchemyError) -> bool:
    """Return whether the connection is gone."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def is_taken(error: SQLAlchemyError) -> bool:
    """Return whether something else stands where only one of it may."""
    return state(error) in _TAKEN


def is_undone(error: SQLAlchemyError) -> bool:
    """Return whether a commit that failed with *error* has certainly stored nothing."""
    return is_passing(error) or (not is_lost(error) and _code(error) in _UNDONE)


def explained(error: SQLAlchemyError) -> CourseAssignmentsError:
    """Return *error* as one of ours; what the library itself refused comes out as it was."""
    cause = getattr(error, "orig", None)
    if isinstance(cause, CourseAssignmentsError):
        return cause
    if is_passing(error) or state(error) == "57014":  # a statement that took too long
        return StorageBusy(_said(error))
    return StorageError(_code(error), _said(error))


#: What else it may be where a thread may have a database of its own.
_IN_MEMORY: Final[Mapping[str, str]] = {
    "SQLITE_ERROR": "; in memory, threads share a database only by a StaticPool"
}


def _code(error: SQLAlchemyError) -> str:
    said = state(error)
    cause = str(getattr(error, "orig", ""))
    if said == "SQLITE_ERROR":
        missing = (code for words, code in _MISSING.items() if words in cause)
        return next(missing, "failed")
    if cause.startswith(_NO_TEXT):
        return "unreadable"
    fitting = [code for start, code in _CODES.items() if said.startswith(start)]
    # Who was not let in, or found nobody there, was told so by no state.
    is_away = is_lost(error) or (isinstance(error, OperationalError) and not said)
    return fitting[0] if fitting else "unavailable" if is_away else "failed"


def _said(error: SQLAlchemyError) -> str:
    """Return what the storage said, without the values of any row."""
    cause = error.orig if isinstance(error, StatementError) else error
    diagnosis = getattr(getattr(cause, "diag", None), "message_primary", None)
    text = str(diagnosis or _told(cause).get("M") or cause).strip() or type(cause).__name__
    hint = text.splitlines()[0]
    if hint.startswith(_NO_TEXT):
        return hint.partition(" with text")[0]
    if _code(error) == "missing_table":
        more = _IN_MEMORY.get(state(error), "")
        return f"{hint}; call create_all(), or run your migrations{more}"
    if _code(error) == "missing_column":
        return f"{hint}; run your migrations, or give the tables a prefix if this one is yours"
    return hint
