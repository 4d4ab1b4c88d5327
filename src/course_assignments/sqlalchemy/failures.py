"""Translate the errors of SQLAlchemy and of the drivers into errors of this library.

A driver's message may contain values, such as the code of a key. So only its first line is passed
on, and the original error is not shown in a traceback.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from course_assignments.errors import CourseAssignmentsError, StorageBusy, StorageError

#: The SQLSTATEs of PostgreSQL after which a retry may succeed: serialization failure, deadlock,
#: lock timeout, too many connections.
_TRANSIENT: Final = frozenset({"40001", "40P01", "55P03", "53300"})

#: Our codes for the codes of SQLite and PostgreSQL; a prefix stands for a class of SQLSTATEs.
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

#: Our codes for messages of SQLite that have no code of their own.
_MISSING: Final[Mapping[str, str]] = {
    "no such table": "missing_table",
    "no such column": "missing_column",
    "has no column": "missing_column",
}

#: Our codes for errors of Python that drivers raise when they convert values.
_CONVERSIONS: Final[Mapping[type[Exception], str]] = {
    UnicodeEncodeError: "value_refused",
    UnicodeDecodeError: "unreadable",
}

#: The likely reasons of errors of Python, by their classes.
_ADVICE: Final[Mapping[type[Exception], str]] = {
    UnicodeEncodeError: "; is the encoding UTF8?",
    UnicodeDecodeError: "; is the encoding UTF8?",
    NotImplementedError: "; is DateStyle ISO?",  # of psycopg, for a datetime in another style
}

#: The names that PEP 249 gives to the errors of a lost or refused connection.
_DISCONNECTIONS: Final = frozenset({"InterfaceError", "OperationalError"})

#: The start of the sqlite3 message for stored text that is not UTF-8.
_NOT_UTF8: Final = "Could not decode"


def _cause(error: Exception) -> Any:
    """Return the error of the driver, which SQLAlchemy wraps where it expects one."""
    return error.orig if isinstance(error, StatementError) else error


def state(error: Exception) -> str:
    """Return the SQLSTATE, or SQLite's name, of a driver's error; empty if it has none."""
    cause = _cause(error)
    names = (getattr(cause, name, None) for name in ("sqlstate", "pgcode", "sqlite_errorname"))
    return next((str(name) for name in names if name), _pg8000_fields(cause).get("C", ""))


def _pg8000_fields(cause: Any) -> Mapping[str, str]:
    """Return the fields of a pg8000 error by PostgreSQL's keys, such as ``C``; else empty."""
    fields = next(iter(getattr(cause, "args", ())), None)
    return fields if isinstance(fields, dict) else {}


def is_transient(error: Exception) -> bool:
    """Return whether a retry may succeed, because another transaction was in the way."""
    code = getattr(_cause(error), "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in {5, 6}  # SQLITE_BUSY, SQLITE_LOCKED
    return isinstance(error, PoolTimeout) or state(error) in _TRANSIENT


def is_lost(error: Exception) -> bool:
    """Return whether the connection was lost."""
    if isinstance(error, SQLAlchemyError):
        return isinstance(error, DBAPIError) and error.connection_invalidated
    return type(error).__name__ in _DISCONNECTIONS and not state(error)


def is_unique_violation(error: Exception) -> bool:
    """Return whether a unique constraint was violated."""
    return state(error) in {"23505", "SQLITE_CONSTRAINT_UNIQUE"}


def is_rolled_back(error: Exception) -> bool:
    """Return whether a commit that failed with *error* certainly stored nothing."""
    rolled_back = {"disk_full", "read_only", "constraint"}  # after other failures, nobody knows
    return is_transient(error) or (not is_lost(error) and _code(error) in rolled_back)


def translate(error: Exception) -> CourseAssignmentsError:
    """Return *error* as an error of this library; one that it raised itself is unchanged."""
    cause = _cause(error)
    if isinstance(cause, CourseAssignmentsError):
        return cause
    if is_transient(error) or state(error) == "57014":  # statement timeout
        return StorageBusy(_message(error))
    return StorageError(_code(error), _message(error))


def _code(error: Exception) -> str:
    """Return the code of `StorageError` for *error*."""
    found, cause = state(error), _cause(error)
    if type(cause) in _CONVERSIONS:
        return _CONVERSIONS[type(cause)]
    if found == "SQLITE_ERROR":
        missing = (code for words, code in _MISSING.items() if words in str(cause))
        return next(missing, "failed")
    if str(cause).startswith(_NOT_UTF8):
        return "unreadable"
    fitting = [code for start, code in _CODES.items() if found.startswith(start)]
    # A refused or failed connection has no SQLSTATE.
    is_away = is_lost(error) or (isinstance(error, OperationalError) and not found)
    return fitting[0] if fitting else "unavailable" if is_away else "failed"


def _message(error: Exception) -> str:
    """Return the first line of the database's message, without the values of a row."""
    cause = _cause(error)
    if not isinstance(error, SQLAlchemyError) and not is_lost(error):
        # Errors of Python may contain any value, so only their names are passed on.
        return f"the driver raised {type(error).__name__}{_ADVICE.get(type(error), '')}"
    diagnosis = getattr(getattr(cause, "diag", None), "message_primary", None)
    text = str(diagnosis or _pg8000_fields(cause).get("M") or cause).strip() or type(cause).__name__
    hint = text.splitlines()[0]
    if hint.startswith(_NOT_UTF8):
        return hint.partition(" with text")[0]
    if _code(error) == "missing_table":
        hint = f"{hint}; call create_all(), or run your migrations"
        if state(error) != "SQLITE_ERROR":
            return hint
        return f"{hint}; in memory, threads share a database only by a StaticPool"
    if _code(error) == "missing_column":
        return f"{hint}; run your migrations, or give the tables a prefix if this one is yours"
    return hint
