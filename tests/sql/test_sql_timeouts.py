"""No call waits longer than its timeout: for a connection of the pool, or for a lock of others."""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import (
    AsyncAdaptedQueuePool,
    Engine,
    NullPool,
    Pool,
    QueuePool,
)

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository, pools, transactions
from course_assignments.sqlalchemy.pools import turn
from tests.support.sql import Watch, closing, open_file, stocked, watched

SECOND = timedelta(seconds=1)
IN_USE = "all connections of the pool are in use"
COURSE = ca.Course(id="new", name="New")

CALLS: dict[str, Callable[[SqlRepository], object]] = {
    "get": lambda repository: repository.get(ca.Course, ["new"]),
    "find": lambda repository: repository.find(ca.CourseQuery()),
    "commit": lambda repository: repository.commit(ca.Change(create=[COURSE])),
}


class Clock:
    """A clock that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.wake: Callable[[], object] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.wake()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(transactions, "monotonic", lambda: clock.now)
    monkeypatch.setattr(transactions, "sleep", clock.sleep)
    monkeypatch.setattr(pools, "sleep", clock.sleep)
    return clock


def _connect() -> NoReturn:
    pytest.fail("nobody asked for a connection")


class TestPool:
    @pytest.fixture
    def engine(self, path: Path) -> Generator[Engine]:
        """An engine over two connections; whoever asks its pool for a third would wait."""
        with closing(open_file(path, pool_size=1, max_overflow=1, pool_timeout=0.001)) as engine:
            stocked(engine)
            yield engine

    @pytest.mark.parametrize("name", CALLS)
    def test_is_not_waited_for_after_the_timeout(
        self, name: str, engine: Engine, clock: Clock
    ) -> None:
        repository = SqlRepository(engine, timeout=SECOND)
        with (
            engine.connect(),
            engine.connect(),
            pytest.raises(ca.StorageBusy, match=IN_USE),
        ):
            CALLS[name](repository)
        assert clock.now == pytest.approx(1001)
        CALLS[name](repository)

    @pytest.mark.usefixtures("clock")
    def test_is_asked_once_without_a_timeout(self, engine: Engine) -> None:
        repository = SqlRepository(engine, timeout=timedelta(0))
        assert repository.get(ca.Course, ["new"]) == {}
        with engine.connect():
            assert repository.get(ca.Course, ["new"]) == {}

    def test_is_used_as_soon_as_a_connection_is_free(self, engine: Engine, clock: Clock) -> None:
        with engine.connect(), engine.connect() as other:
            clock.wake = other.close
            assert SqlRepository(engine, timeout=SECOND).get(ca.Course, ["new"]) == {}
        assert clock.now < 1000.01

    def test_gives_a_connection_to_one_at_a_time(self, engine: Engine) -> None:
        """Two who saw the same free connection would both ask for it."""
        with (
            turn(engine.pool, lambda: 0),
            pytest.raises(ca.StorageBusy, match=IN_USE),
            turn(engine.pool, lambda: 0),
        ):
            pytest.fail("two at once")
        with engine.connect(), turn(engine.pool, lambda: 0):
            pass

    def test_has_a_place_for_whoever_failed_to_connect(self, engine: Engine) -> None:
        for _ in range(3):
            with suppress(ZeroDivisionError), turn(engine.pool, lambda: 0):
                raise ZeroDivisionError

    @pytest.mark.parametrize(
        "pool",
        [
            NullPool(_connect),
            QueuePool(_connect, pool_size=0),
            QueuePool(_connect, max_overflow=-1),
            # To sleep would stop the loop in which the others give their connections back.
            AsyncAdaptedQueuePool(_connect, pool_size=1, max_overflow=0),
        ],
        ids=["none", "no size", "no limit", "async"],
    )
    def test_is_not_waited_for_if_it_has_no_end_or_a_loop(self, pool: Pool) -> None:
        with turn(pool, lambda: 0):
            pass


class TestLock:
    @pytest.fixture
    def engine(self, path: Path, watch: Watch) -> Generator[Engine]:
        """An engine whose host waits for locks for a long time."""
        options = {**watched(watch), "timeout": 60}
        with closing(open_file(path, connect_args=options)) as engine:
            stocked(engine)
            yield engine

    @pytest.mark.parametrize("name", CALLS)
    def test_is_not_waited_for_after_the_timeout(
        self, name: str, path: Path, engine: Engine
    ) -> None:
        repository = SqlRepository(engine, timeout=timedelta(milliseconds=20))
        engine.dispose()
        other = sqlite3.connect(path, isolation_level=None)
        # With write-ahead logging, readers wait for nobody.
        other.execute("PRAGMA journal_mode = DELETE")
        CALLS["get"](repository)  # to open a connection
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ca.StorageBusy, match="database is locked"):
            CALLS[name](repository)
        other.execute("ROLLBACK")
        other.close()
        CALLS[name](repository)

    @pytest.mark.parametrize("name", CALLS)
    @pytest.mark.parametrize("seconds", [1, 61])
    def test_is_waited_for_as_long_as_the_shorter_timeout(
        self, name: str, seconds: int, engine: Engine, watch: Watch, clock: Clock
    ) -> None:
        repository = SqlRepository(engine, timeout=timedelta(seconds=seconds))
        CALLS["get"](repository)
        seen: set[int] = set()

        def look(statement: str) -> None:
            if not statement.startswith("PRAGMA"):
                found = sqlite3.Connection.execute(watch.connection, "PRAGMA busy_timeout")
                seen.add(found.fetchone()[0])

        with watch.told(before=look):
            CALLS[name](repository)
        assert seen == {1000 if seconds == 1 else 60_000}
        assert clock.now == 1000

    @pytest.mark.parametrize("name", CALLS)
    def test_is_waited_for_as_the_host_says_afterwards(self, name: str, engine: Engine) -> None:
        CALLS[name](SqlRepository(engine, timeout=SECOND))
        with engine.connect() as connection:
            waits = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
        assert waits == 60_000

    def test_what_is_stored_stays_stored_if_the_timeout_cannot_be_restored(
        self, engine: Engine, watch: Watch
    ) -> None:
        repository = SqlRepository(engine, timeout=SECOND)
        repository.find(ca.CourseQuery())

        def fail(statement: str) -> None:
            if statement == "PRAGMA busy_timeout = 60000":
                raise sqlite3.OperationalError

        with watch.told(before=fail):
            repository.commit(ca.Change(create=[COURSE]))
        assert repository.get(ca.Course, ["new"]) == {"new": COURSE}
        with engine.connect() as connection:
            waits = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
        assert waits == 60_000
