"""SQLite as hosts open it, and a driver that fails at a given statement."""

import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Engine, MetaData, StaticPool, create_engine, event
from sqlalchemy.engine.default import DefaultDialect

from course_assignments.sqlalchemy import SqlRepository, build_tables

T = TypeVar("T")


def open_memory(**options: Any) -> Engine:
    """Return an engine over one database in memory, which all threads share."""
    return open_file("", poolclass=StaticPool, **options)


def open_file(path: Path | str, **options: Any) -> Engine:
    """Return an engine over the database in the file *path*."""
    shared = {"check_same_thread": False, **options.pop("connect_args", {})}
    engine = create_engine(f"sqlite:///{path}", connect_args=shared, **options)
    event.listen(engine, "connect", _hurry)
    return engine


def _hurry(connection: sqlite3.Connection, _: object) -> None:
    # Nobody cuts the power during a test: to wait for the disk would take most of the time.
    if not connection.in_transaction:
        connection.execute("PRAGMA synchronous = OFF")


@contextmanager
def closing(engine: Engine) -> Generator[Engine]:
    """Close the connections of *engine* at the end."""
    try:
        yield engine
    finally:
        engine.dispose()


def stocked(engine: Engine, **options: Any) -> SqlRepository:
    """Return a repository over *engine* whose tables are there."""
    repository = SqlRepository(engine, **options)
    repository.create_all()
    return repository


def emptied(engine: Engine, repository: T) -> T:
    """Return *repository*, over *engine*, after all records are deleted."""
    with engine.begin() as connection:
        for table in reversed([*build_tables(MetaData())]):
            connection.execute(table.delete())
    return repository


def leave_transactions_to_events(engine: Engine) -> None:
    """Set *engine* up as the documentation of SQLAlchemy shows it for savepoints in SQLite."""

    def connect(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None

    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    event.listen(engine, "connect", connect)
    event.listen(engine, "begin", begin)


def _by_events(path: Path) -> Engine:
    engine = open_file(path)
    leave_transactions_to_events(engine)
    return engine


class Always(sqlite3.Connection):
    """Behaves as Python 3.12 and newer do with ``autocommit=False``, also before."""

    autocommit = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.isolation_level = None
        self.execute("BEGIN")

    def commit(self) -> None:
        self.execute("COMMIT")
        self.execute("BEGIN")

    def rollback(self) -> None:
        self.execute("ROLLBACK")
        self.execute("BEGIN")


#: How a host may have set its engine up; each of them has to do.
SETUPS: dict[str, Callable[[Path], Engine]] = {
    "plain": open_file,
    "events": _by_events,
    "autocommit": lambda path: open_file(path, isolation_level="AUTOCOMMIT"),
    "serializable": lambda path: open_file(path, isolation_level="SERIALIZABLE"),
    "no reset": lambda path: open_file(path, pool_reset_on_return=None),
    "always in a transaction": lambda path: open_file(path, connect_args={"factory": Always}),
    "one connection": lambda path: open_file(path, poolclass=StaticPool),
}
if "skip_autocommit_rollback" in signature(DefaultDialect).parameters:  # since SQLAlchemy 2.0.43
    SETUPS["no rollback"] = lambda path: open_file(
        path, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True
    )


#: What is called just before and just after the driver does something, with its statement.
Step: TypeAlias = Callable[[str], None]


class Watch:
    """What drivers opened with it tell before and after all that they do."""

    #: The connection of the last statement.
    connection: sqlite3.Connection

    def __init__(self) -> None:
        self.before: Step = _nothing
        self.after: Step = _nothing

    @contextmanager
    def around(self, statement: str, connection: sqlite3.Connection) -> Generator[None]:
        self.connection = connection
        self.before(statement)
        yield
        self.after(statement)

    @contextmanager
    def told(self, before: Step | None = None, after: Step | None = None) -> Generator[None]:
        """Call *before* and *after* for what the driver does meanwhile."""
        self.before, self.after = before or _nothing, after or _nothing
        try:
            yield
        finally:
            self.before = self.after = _nothing

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Collect what the driver is told to do meanwhile."""
        seen: list[str] = []
        with self.told(before=seen.append):
            yield seen


def _nothing(_: str) -> None:
    pass


def watched(watch: Watch) -> dict[str, Any]:
    """Return the arguments for a connection that tells *watch*; it is a real one otherwise."""

    class Cursor(sqlite3.Cursor):
        def execute(self, sql: str, *rest: Any) -> Any:
            with watch.around(sql, self.connection):
                return super().execute(sql, *rest)

        def executemany(self, sql: str, *rest: Any) -> Any:
            with watch.around(sql, self.connection):
                return super().executemany(sql, *rest)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def commit(self) -> None:
            with watch.around("COMMIT", self):
                super().commit()

    return {"factory": Connection}


def trouble(code: int, name: str, message: str) -> sqlite3.OperationalError:
    """Return what the driver raises for the code of SQLite that has this *name*."""
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode, error.sqlite_errorname = code, name
    return error


def dump(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows that are in the file *path*, read by nothing of ours."""
    connection = sqlite3.connect(path)
    try:
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        return {
            name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall()  # noqa: S608
            for (name,) in names
        }
    finally:
        connection.close()
