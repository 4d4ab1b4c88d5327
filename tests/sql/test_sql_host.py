"""On a connection of the host's, a commit is a part of its transaction: a savepoint, no more."""

import sqlite3
from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from sqlalchemy import Connection, Engine, StaticPool, create_engine, event, text

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository, transactions
from course_assignments.testing import samples
from tests.sql.database_cases import HostTransactions, storage_error, write, written
from tests.support.sql import SETUPS, Watch, closing, dump, open_file, stocked, trouble, watched
from tests.support.values import refusal

COURSE = ca.Course(id="new", name="New")


class TestSqlite(HostTransactions):
    """However the host opens it, unless it wants no transactions."""

    @pytest.fixture(params=sorted(SETUPS.keys() - {"autocommit", "no rollback"}))
    def engine(self, request: pytest.FixtureRequest, path: Path) -> Generator[Engine]:
        with closing(open_file(path)) as first:
            stocked(first).commit(ca.Change(create=samples.RECORDS))
        with closing(SETUPS[request.param](path)) as engine:
            yield engine

    @pytest.fixture
    def outside(self, path: Path) -> Generator[SqlRepository]:
        with closing(open_file(path)) as engine:
            yield SqlRepository(engine)


@pytest.fixture
def connection(path: Path, watch: Watch) -> Generator[Connection]:
    with closing(open_file(path, connect_args=watched(watch))) as engine:
        stocked(engine)
        with engine.connect() as connection:
            yield connection


class TestJoining:
    def test_one_commit_is_one_savepoint(self, connection: Connection, watch: Watch) -> None:
        repository = SqlRepository(connection)
        with watch.statements() as statements:
            repository.commit(ca.Change(create=[COURSE]))
        words = [statement.split()[0] for statement in statements]
        assert words == ["BEGIN", "SAVEPOINT", "INSERT", "RELEASE"]
        with watch.statements() as statements:
            repository.commit(ca.Change(create=[attrs.evolve(COURSE, id="other")]))
        assert [one.split()[0] for one in statements] == ["SAVEPOINT", "INSERT", "RELEASE"]

    def test_the_tables_can_be_made_in_it(self, path: Path) -> None:
        with closing(open_file(path)) as engine, engine.connect() as connection:
            repository = SqlRepository(connection)
            repository.create_all()
            repository.commit(ca.Change(create=[COURSE]))
            connection.rollback()
            assert dump(path) == {}
            repository.create_all()
            connection.commit()
            assert "courses" in dump(path)

    def test_nothing_is_tried_again(
        self, connection: Connection, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(transactions, "sleep", lambda _: pytest.fail("it waits"))
        repository = SqlRepository(connection)
        tries = 0

        def busy(statement: str) -> None:
            nonlocal tries
            if statement.startswith(("INSERT", "SELECT")):
                tries += 1
                raise trouble(5, "SQLITE_BUSY", "database is locked")

        with watch.told(before=busy):
            with pytest.raises(ca.StorageBusy):
                repository.commit(ca.Change(create=[COURSE]))
            with pytest.raises(ca.StorageBusy):
                repository.find(ca.CourseQuery())
        assert tries == 2
        repository.commit(ca.Change(create=[COURSE]))

    def test_a_full_disk_is_said_as_such(self, connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        many = [attrs.evolve(COURSE, id=f"{n}", name="x" * 500) for n in range(2000)]
        error = storage_error(lambda: SqlRepository(connection).commit(ca.Change(create=many)))
        assert error.code == "disk_full"

    def test_a_closed_connection_is_said_as_such(self, connection: Connection) -> None:
        repository = SqlRepository(connection)
        connection.close()
        for call in (
            lambda: repository.find(ca.CourseQuery()),
            lambda: repository.commit(ca.Change(create=[COURSE])),
            repository.create_all,
        ):
            storage_error(call)


class Never(sqlite3.Connection):
    """Behaves as Python 3.12 and newer do with ``autocommit=True``, also before."""

    autocommit = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.isolation_level = None

    def commit(self) -> None:
        pass

    def rollback(self) -> None:
        pass


def _with_option(path: Path) -> Engine:
    return open_file(path).execution_options(isolation_level="AUTOCOMMIT")


def _with_listener(path: Path) -> Engine:
    """What begins a transaction does not help if the driver does not commit it."""
    engine = open_file(path, connect_args={"factory": Never})
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


#: How a host may ask for no transactions.
AUTOCOMMIT: dict[str, Callable[[Path], Engine]] = {
    "engine": SETUPS["autocommit"],
    "option": _with_option,
    "driver without transactions": lambda path: open_file(
        path, connect_args={"isolation_level": None}
    ),
    "driver in autocommit": lambda path: open_file(path, connect_args={"factory": Never}),
    "driver in autocommit, with a listener": _with_listener,
}


class TestAutocommit:
    """Nobody would end a transaction of ours: the change would be lost, and the file locked."""

    @pytest.mark.parametrize("setup", AUTOCOMMIT)
    def test_a_change_is_refused_and_a_read_is_not(self, setup: str, path: Path) -> None:
        with closing(open_file(path)) as first:
            stocked(first).commit(ca.Change(create=samples.RECORDS))
        before = dump(path)
        with closing(AUTOCOMMIT[setup](path)) as engine, engine.connect() as connection:
            repository = SqlRepository(connection)
            for call in (
                repository.create_all,
                lambda: repository.commit(ca.Change(create=[COURSE])),
                lambda: repository.prune_events(samples.START),
            ):
                error = refusal(call)
                assert (error.code, error.field) == ("no_transaction", "bind")
                assert "pass the engine" in error.hint
            assert repository.get(ca.Course, ["py"]) == {"py": samples.PYTHON}
            connection.rollback()
            with closing(open_file(path)) as other:
                SqlRepository(other, timeout=timedelta(0)).commit(ca.Change(create=[COURSE]))
        assert dump(path) != before

    @pytest.mark.parametrize("setup", AUTOCOMMIT)
    def test_with_the_engine_it_is_stored(self, setup: str, path: Path) -> None:
        with closing(AUTOCOMMIT[setup](path)) as engine:
            stocked(engine).commit(ca.Change(create=[COURSE]))
            assert dump(path)["courses"]


class TestOnlyConnection:
    """In memory there is one connection, for the host too: nobody ends what others began."""

    @pytest.mark.parametrize("pool", [None, StaticPool])
    @pytest.mark.parametrize(
        "call",
        [
            lambda repository: ca.Registrar(repository).add(COURSE),
            lambda repository: repository.get(ca.Course, ["py"]),
        ],
        ids=["add", "get"],
    )
    def test_what_the_host_is_writing_is_not_undone_unseen(
        self, pool: type[StaticPool] | None, call: Callable[[SqlRepository], object]
    ) -> None:
        """The host gets an error, and can commit first, or pass the connection."""
        engine = create_engine("sqlite://", poolclass=pool)
        repository = stocked(engine)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE mine (id TEXT)"))
        with engine.connect() as connection:
            write(connection, "not committed")
            with pytest.raises(ca.StorageBusy, match="commit it, or hand it over"):
                call(repository)
        with engine.begin() as connection:
            write(connection, "passed")
            call(SqlRepository(connection))
        call(repository)
        with engine.connect() as connection:
            assert written(connection) == ["passed"]

    def test_what_the_host_was_writing_can_be_committed_after_a_refusal(self) -> None:
        """The pool of SQLAlchemy leaves it alone, and so does the repository."""
        engine = create_engine("sqlite://")
        repository = stocked(engine)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE mine (id TEXT)"))
            write(connection, "committed")
            with pytest.raises(ca.StorageBusy):
                repository.commit(ca.Change(create=[COURSE]))
        with engine.connect() as connection:
            assert written(connection) == ["committed"]


def test_the_busy_timeout_of_the_host_is_restored() -> None:
    engine = create_engine("sqlite://", connect_args={"timeout": 60})
    SqlRepository(engine, timeout=timedelta(seconds=1)).create_all()
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA busy_timeout")).scalar_one() == 60_000


def test_a_savepoint_without_a_transaction_would_last(path: Path) -> None:
    """What joining is for: the driver alone begins none, and the release of a savepoint commits."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE one (id INTEGER)")
    connection.execute("SAVEPOINT a")
    connection.execute("RELEASE a")
    assert not connection.in_transaction
    connection.close()
