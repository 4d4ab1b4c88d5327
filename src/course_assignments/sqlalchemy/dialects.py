"""How to begin and end a transaction in SQLite and in PostgreSQL."""

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Engine, event, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from course_assignments.errors import InvalidInput, StorageBusy

#: Returns how many seconds are left for a call; never less than zero.
Left: TypeAlias = Callable[[], float]

#: How many seconds a statement waits for a lock in PostgreSQL before the transaction is retried.
_LOCK_WAIT: Final = 5.0

#: How many seconds a statement that waits for no lock has in PostgreSQL, even without a timeout.
_STATEMENT_TIME: Final = 1.0

#: How many seconds may pass before the limits of a transaction in PostgreSQL are set again.
_DRIFT: Final = 0.1

#: The key of the advisory lock for creating tables: any number that nobody else uses.
_SCHEMA_LOCK: Final = 7_240_417_153


class Dialect:
    """How one kind of database begins and ends a transaction; by default, as its driver does."""

    def check(self, driver: Any) -> None:
        """Raise StorageBusy if the host has a transaction on the driver's only connection."""

    def waiting(self, connection: Connection, left: Left) -> AbstractContextManager[None]:  # noqa: ARG002
        """Return a block in which *connection* waits for locks no longer than is *left*."""
        return nullcontext()

    def reading(self, connection: Connection, left: Left) -> AbstractContextManager[None]:  # noqa: ARG002
        """Return a block in which a statement that reads ends about when no time is *left*."""
        return nullcontext()

    def begin(self, connection: Connection, left: Left) -> None:
        """Begin a transaction for writing that waits for locks while time is *left*."""

    def commit(self, connection: Connection) -> None:
        """Commit the transaction."""
        connection.commit()

    def rollback(self, connection: Connection) -> None:
        """Roll the transaction back."""
        connection.rollback()

    def join(self, connection: Connection) -> None:
        """Ensure that the host's *connection* is in a transaction; a savepoint begins one.

        In autocommit nobody would end this transaction, and the change would be lost.
        """
        if _is_autocommit(connection):
            raise _no_transaction()

    def protect(self, connection: Connection) -> AbstractContextManager[Any]:  # noqa: ARG002
        """Return a block in which a failing read leaves the host's transaction as it was."""
        return nullcontext()

    def prepare(self, connection: Connection) -> None:
        """Set permanent options of the database, before there are tables."""

    def lock_schema(self, connection: Connection) -> None:
        """Let only one transaction at a time create tables."""


def _is_autocommit(connection: Connection) -> bool:
    driver = connection.connection.dbapi_connection
    given = connection.get_execution_options().get("isolation_level")
    return given == "AUTOCOMMIT" or getattr(driver, "autocommit", None) is True


def _no_transaction() -> InvalidInput:
    hint = "the connection is in autocommit; use one that is not, or pass the engine"
    return InvalidInput("no_transaction", "bind", hint)


class Sqlite(Dialect):
    """Writers run one at a time from their first statement, so none reads what another changes.

    A transaction that the driver begins itself starts too late. So each is begun and ended by a
    statement, whatever transaction mode the driver has. A single statement reads a snapshot.
    """

    def check(self, driver: Any) -> None:
        """Refuse: ending a transaction of ours, even one that only read, would end the host's."""
        if driver.in_transaction and not _is_always_in_transaction(driver):
            raise StorageBusy("the only connection is in a transaction; commit it, or hand it over")

    @contextmanager
    def waiting(self, connection: Connection, left: Left) -> Generator[None]:
        """Shorten the busy timeout that the host has set, if it is longer than what is *left*."""
        if _WAITS not in connection.info:
            found = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
            connection.info[_WAITS] = found
        waits, rest = connection.info[_WAITS], _milliseconds(left())
        if rest >= waits:
            yield
            return
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {rest}")
        try:
            yield
        finally:
            _restore(connection, waits)

    def begin(self, connection: Connection, left: Left) -> None:  # noqa: ARG002
        """Begin a transaction, as the only writer."""
        _own_transaction(connection)
        if _CHECKS not in connection.info:
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            connection.info[_CHECKS] = True
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def commit(self, connection: Connection) -> None:
        """Commit the transaction."""
        connection.exec_driver_sql("COMMIT")
        _release(connection)

    def rollback(self, connection: Connection) -> None:
        """Roll the transaction back, if the driver has one."""
        _roll_back(connection)
        _release(connection)

    def join(self, connection: Connection) -> None:
        """Begin if the driver has not yet: releasing a savepoint alone would commit it."""
        super().join(connection)
        if not connection.in_transaction():
            connection.begin()  # a listener of the host may begin one here
        driver = _driver(connection)
        if not driver.in_transaction:
            if driver.isolation_level is None:  # neither the driver nor a listener begins any
                raise _no_transaction()
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    def prepare(self, connection: Connection) -> None:
        """Set the journal mode WAL, in which readers and a writer do not block each other."""
        _own_transaction(connection)
        try:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        finally:
            _release(connection)


#: The key in the connection's info for the busy timeout that the host has set.
_WAITS: Final = "course_assignments.waits"

#: The key in the connection's info for whether foreign keys are checked.
_CHECKS: Final = "course_assignments.checks"


def _restore(connection: Connection, waits: int) -> None:
    """Set the busy timeout to *waits*; this must not hide that a change was stored."""
    if not connection.invalidated:
        try:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {waits}")
        except SQLAlchemyError:
            connection.invalidate()


def _own_transaction(connection: Connection) -> None:
    """End a transaction that the driver, or a listener of the host, has begun on *connection*."""
    # Not by an isolation level: the pool resets it, and then raises errors of the driver itself.
    if not connection.in_transaction():
        connection.begin()
    _roll_back(connection)


def _roll_back(connection: Connection) -> None:
    if _driver(connection).in_transaction:
        connection.exec_driver_sql("ROLLBACK")


def _release(connection: Connection) -> None:
    """Begin a transaction for a driver that is always in one, or its rollback fails."""
    driver = _driver(connection)
    if _is_always_in_transaction(driver) and not driver.in_transaction:
        connection.exec_driver_sql("BEGIN")


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _is_always_in_transaction(driver: Any) -> bool:
    return getattr(driver, "autocommit", None) is False


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


class Postgresql(Dialect):
    """Rows are locked explicitly, so that commits are correct at every isolation level."""

    @contextmanager
    def reading(self, connection: Connection, left: Left) -> Generator[None]:
        """Read in a transaction, whose limits end with it: the host shares the session."""
        # One statement needs no more, and takes part in no serialization failure.
        connection.execution_options(isolation_level="READ COMMITTED")
        connection.execute(_SET_LIMITS, _limits(left()))
        yield

    def begin(self, connection: Connection, left: Left) -> None:
        """Begin a transaction whose statements end about when no time is *left*."""
        if _is_autocommit(connection):
            # The host's engine has autocommit, but a commit needs a transaction.
            connection.execution_options(isolation_level="READ COMMITTED")
        limited = left()
        connection.execute(_SET_LIMITS, _limits(limited))

        def limit(*_: object) -> None:
            nonlocal limited
            rest = left()
            if rest < limited - _DRIFT or rest == 0 < limited:
                limited = rest
                connection.execute(_SET_LIMITS, _limits(rest))

        event.listen(connection, "before_cursor_execute", limit)

    def protect(self, connection: Connection) -> AbstractContextManager[Any]:
        """Return a savepoint: after any error, PostgreSQL aborts the whole transaction."""
        return nullcontext() if _is_autocommit(connection) else connection.begin_nested()

    def lock_schema(self, connection: Connection) -> None:
        """Wait until no other transaction creates tables."""
        connection.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))


_SET_LIMITS: Final = text(
    "SELECT set_config('lock_timeout', CAST(:lock AS text), true),"
    " set_config('statement_timeout', CAST(:statement AS text), true)"
)


def _limits(seconds: float) -> dict[str, int]:
    """Return the milliseconds for which a lock is waited, and for which a statement may run."""
    limits = {"lock": min(seconds, _LOCK_WAIT), "statement": max(seconds, _STATEMENT_TIME)}
    return {name: _milliseconds(limit) for name, limit in limits.items()}


_DIALECTS: Final[Mapping[str, Dialect]] = {"sqlite": Sqlite(), "postgresql": Postgresql()}


def dialect_of(bind: Engine | Connection) -> Dialect:
    """Return the dialect of *bind*; any but SQLite and PostgreSQL is refused."""
    if bind.dialect.name not in _DIALECTS:
        hint = f"expected SQLite or PostgreSQL, got {bind.dialect.name}"
        raise InvalidInput("unsupported_database", "bind", hint)
    return _DIALECTS[bind.dialect.name]
