"""What SQLite and PostgreSQL each have to be told before a transaction is exact."""

from typing import Any, Final, Protocol

from sqlalchemy import Connection, Engine, func, select, text

from course_assignments.errors import InvalidInput, StorageBusy

#: How long one statement waits for a lock in PostgreSQL before the whole is tried anew.
_LOCK_WAIT: Final = 5.0

#: How long one statement may take in PostgreSQL where timeout ends sooner.
_STATEMENT: Final = 30.0

#: What those who make the tables hold, so that each finds what the last one has made; any number.
_MAKING_TABLES: Final = 7_240_417_153


class Dialect(Protocol):
    """How one kind of database begins and ends a transaction."""

    def check(self, driver: Any) -> None:
        """Refuse the driver's connection if somebody else is in the middle of something on it."""
        ...

    def read(self, connection: Connection) -> None:
        """Let *connection* read without a transaction around each statement."""
        ...

    def begin(self, connection: Connection, seconds: float) -> None:
        """Begin a transaction that writes, and that waits for *seconds* at most."""
        ...

    def commit(self, connection: Connection) -> None:
        """Make it last."""
        ...

    def undo(self, connection: Connection) -> None:
        """Leave nothing of it."""
        ...

    def join(self, connection: Connection) -> None:
        """Make sure that *connection*, which is the host's, is in a transaction."""
        ...

    def prepare(self, connection: Connection) -> None:
        """Set what stays set, before there are tables."""
        ...

    def line_up(self, connection: Connection) -> None:
        """Let only one transaction at a time make tables."""
        ...


class Sqlite:
    """Writers line up from their first statement on: none of them reads what another one changes.

    What the driver begins by itself it begins too late, so each transaction is begun and ended by
    its own statement, whatever the driver was told about transactions.
    """

    def check(self, driver: Any) -> None:
        """Refuse the only connection that there is while the host has a transaction on it.

        Whatever we end on it, even only reading, would end that as well, and without a word.
        """
        # Some drivers are always in a transaction, if they are told to.
        if driver.in_transaction and getattr(driver, "autocommit", None) is not False:
            raise StorageBusy("the only connection is in a transaction; commit it, or hand it over")

    def read(self, connection: Connection) -> None:
        """Leave *connection* as it is: one statement is read as of one instant anyway."""

    def begin(self, connection: Connection, seconds: float) -> None:
        """Begin a transaction that no other writer is in."""
        _take_over(connection)
        if _WAITS not in connection.info:
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            waits = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
            connection.info[_WAITS] = waits
        waits = connection.info[_WAITS]
        if waits <= _milliseconds(seconds):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {_milliseconds(seconds)}")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        finally:
            if not connection.invalidated:
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {waits}")

    def commit(self, connection: Connection) -> None:
        """Make it last."""
        connection.exec_driver_sql("COMMIT")
        _hand_over(connection)

    def undo(self, connection: Connection) -> None:
        """Leave nothing of it; whoever gives the connection back need not know of it."""
        if _driver(connection).in_transaction:
            connection.exec_driver_sql("ROLLBACK")
        _hand_over(connection)

    def join(self, connection: Connection) -> None:
        """Begin if the driver has not yet: a savepoint alone would be committed by its release."""
        if not connection.in_transaction():
            connection.begin()  # by which a listener of the host's may begin one
        if not _driver(connection).in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    def prepare(self, connection: Connection) -> None:
        """Let readers and a writer work side by side; a file keeps this once it is set."""
        _take_over(connection)
        try:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        finally:
            _hand_over(connection)

    def line_up(self, connection: Connection) -> None:
        """Do nothing: there is only one writer."""


#: Under this name a connection of the driver's remembers how long the host lets it wait.
_WAITS: Final = "course_assignments.waits"


def _take_over(connection: Connection) -> None:
    """End what the driver, or a listener of the host's, has begun on *connection*."""
    # Not by an isolation level: the pool resets it, and what the driver says then comes out bare.
    connection.begin()
    if _driver(connection).in_transaction:
        connection.exec_driver_sql("ROLLBACK")


def _hand_over(connection: Connection) -> None:
    """Leave a driver that is always in a transaction in one, or it cannot be rolled back."""
    driver = _driver(connection)
    if getattr(driver, "autocommit", None) is False and not driver.in_transaction:
        connection.exec_driver_sql("BEGIN")


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


class Postgresql:
    """Rows are held where it matters, so that it is right at every isolation level."""

    def check(self, driver: Any) -> None:
        """Do nothing: a server has more than one connection."""

    def read(self, connection: Connection) -> None:
        """Read each statement by itself, which saves two ways to the server and back."""
        connection.execution_options(isolation_level="AUTOCOMMIT")

    def begin(self, connection: Connection, seconds: float) -> None:
        """Begin a transaction in which no lock is waited for longer than *seconds*."""
        if getattr(connection.connection.dbapi_connection, "autocommit", None) is True:
            # The host's engine begins no transactions; here there has to be one.
            connection.execution_options(isolation_level="READ COMMITTED")
        limits = {"lock": min(seconds, _LOCK_WAIT), "all": max(seconds, _STATEMENT)}
        milliseconds = {name: str(_milliseconds(limit)) for name, limit in limits.items()}
        connection.execute(_LIMITS, milliseconds)

    def commit(self, connection: Connection) -> None:
        """Make it last."""
        connection.commit()

    def undo(self, connection: Connection) -> None:
        """Leave nothing of it."""
        connection.rollback()

    def join(self, connection: Connection) -> None:
        """Do nothing: the driver begins with the first statement, and a savepoint is one."""

    def prepare(self, connection: Connection) -> None:
        """Do nothing: nothing has to be set."""

    def line_up(self, connection: Connection) -> None:
        """Wait for those who are making tables."""
        connection.execute(select(func.pg_advisory_xact_lock(_MAKING_TABLES)))


_LIMITS: Final = text(
    "SELECT set_config('lock_timeout', :lock, true), set_config('statement_timeout', :all, true)"
)


def dialect_of(bind: Engine | Connection) -> Dialect:
    """Return what the database of *bind* needs.

    Raises:
        InvalidInput: it is neither SQLite nor PostgreSQL.

    Example:
        >>> from sqlalchemy import create_engine
        >>> type(dialect_of(create_engine("sqlite://"))).__name__
        'Sqlite'
    """
    if bind.dialect.name == "sqlite":
        return Sqlite()
    if bind.dialect.name == "postgresql":
        return Postgresql()
    raise InvalidInput("unsupported_database", "bind", "expected SQLite or PostgreSQL")
