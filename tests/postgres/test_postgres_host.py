"""In the transaction of a host: what is committed is a part of it, and so is what is not."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import attrs
import pytest
from sqlalchemy import Connection, Engine, event, text

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository, Tables
from course_assignments.sqlalchemy.transactions import HostTransaction
from course_assignments.testing import samples
from course_assignments.testing.contract.base import contents
from course_assignments.testing.variants import edited
from tests.support.empty_database import TABLES, empty_repository, engine_with_tables
from tests.support.races import TIMEOUT, outcome_of
from tests.support.sessions import waits
from tests.support.world import START

T = TypeVar("T")

LEVEL = "READ COMMITTED"
NEW = ca.Course(id="new", name="New")
SEEN = ca.Event(at=START, action="seen", subject_ids=["new"])
#: All that can be written before it turns out that there is no such use.
LOST = ca.Change(
    create=[NEW],
    replace=[ca.Replace(samples.PYTHON, edited(samples.PYTHON))],
    use=[ca.Use(samples.USED_UP, 1)],
    record=[SEEN],
)


@pytest.fixture
def outside() -> SqlRepository:
    """What everybody else sees."""
    repository = empty_repository(LEVEL)
    repository.commit(ca.Change(create=samples.RECORDS))
    return repository


@contextmanager
def host(engine: Engine, level: str = LEVEL) -> Iterator[Connection]:
    """Give a connection whose host has a table of its own, and writes there first."""
    with engine.connect().execution_options(isolation_level=level) as connection:
        connection.execute(text("CREATE TEMPORARY TABLE mine (id text) ON COMMIT DELETE ROWS"))
        connection.execute(text("INSERT INTO mine VALUES ('before')"))
        yield connection
        connection.rollback()
        connection.execute(text("DROP TABLE IF EXISTS mine"))
        connection.commit()


def rows(connection: Connection) -> list[str]:
    return [*connection.execute(text("SELECT id FROM mine ORDER BY id")).scalars()]


def statements_of(engine: Engine, task: Callable[[], T]) -> tuple[T, list[str]]:
    """Return what *task* returns, and the statements that it took."""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        return task(), said
    finally:
        event.remove(engine, "before_cursor_execute", note)


class Bare(HostTransaction):
    """Works in the transaction of the host without a savepoint."""

    def write(self, work: Callable[[Connection], T], ids: tuple[str, ...] = ()) -> T:  # noqa: ARG002
        return work(self._connection)


class WithoutSavepoints(SqlRepository):
    def __init__(self, connection: Connection, tables: Tables) -> None:
        super().__init__(connection, tables)
        self._transactions = Bare(connection)


class TestWhatIsCommitted:
    def test_it_is_there_for_others_when_the_host_commits(self, outside: SqlRepository) -> None:
        with host(engine_with_tables(LEVEL)) as connection:
            inside = SqlRepository(connection, TABLES)
            ca.Registrar(inside).add(NEW)
            assert inside.get(ca.Course, ["new"]) == {"new": NEW}
            assert outside.get(ca.Course, ["new"]) == {}
            connection.commit()
            assert outside.get(ca.Course, ["new"]) == {"new": NEW}

    def test_it_is_gone_when_the_host_rolls_back(self, outside: SqlRepository) -> None:
        before = contents(outside)
        with host(engine_with_tables(LEVEL)) as connection:
            registrar = ca.Registrar(SqlRepository(connection, TABLES))
            registrar.add(NEW)
            registrar.assign("py", "Cy", id="a-new")
            connection.rollback()
        assert contents(outside) == before
        outside.commit(ca.Change(record=[SEEN]))
        assert [event.position for event in ca.find_all(outside, ca.EventQuery())] == [1]


def lose(connection: Connection, make: Callable[..., ca.Repository]) -> None:
    """Commit what is lost, and fail unless nothing of it is left and the host can go on."""
    inside = make(connection, TABLES)
    before = contents(inside)
    assert outcome_of(partial(inside.commit, LOST)) == ca.Conflict(("k-0",))
    assert contents(inside) == before
    connection.execute(text("INSERT INTO mine VALUES ('behind')"))
    assert rows(connection) == ["before", "behind"]


class TestAConflict:
    def test_it_takes_back_its_own_and_leaves_the_rest(self, outside: SqlRepository) -> None:
        with host(engine_with_tables(LEVEL)) as connection:
            lose(connection, SqlRepository)
            SqlRepository(connection, TABLES).commit(ca.Change(create=[NEW]))
            connection.commit()
        assert outside.get(ca.Course, ["new", "py"]) == {"new": NEW, "py": samples.PYTHON}

    @pytest.mark.usefixtures("outside")
    def test_without_a_savepoint_a_half_of_it_is_left(self) -> None:
        with host(engine_with_tables(LEVEL)) as connection, pytest.raises(AssertionError):
            lose(connection, WithoutSavepoints)

    @pytest.mark.usefixtures("outside")
    def test_an_address_that_is_taken_meanwhile_is_one(self) -> None:
        """PostgreSQL says so by an error, after which nothing works but what undoes it."""
        engine = engine_with_tables(LEVEL)
        taking = attrs.evolve(samples.ADA, email="new@example.org")
        with host(engine) as connection, engine.connect() as other, ThreadPoolExecutor(1) as thread:
            taken = ca.User(id="eve", name="Eve", email="new@example.org")
            SqlRepository(other, TABLES).commit(ca.Change(create=[taken]))
            inside = SqlRepository(connection, TABLES)
            change = ca.Change(replace=[ca.Replace(samples.ADA, taking)])
            arriving = thread.submit(outcome_of, partial(inside.commit, change))
            assert waits(engine, arriving, other)
            other.commit()
            assert arriving.result(TIMEOUT) == ca.Conflict(("ada",))
            assert rows(connection) == ["before"]


class TestOthersInTheWay:
    @pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
    def test_what_cannot_be_serialized_is_for_the_host(
        self, level: str, outside: SqlRepository
    ) -> None:
        engine = engine_with_tables(LEVEL)
        change = ca.Change(replace=[ca.Replace(samples.PYTHON, edited(samples.PYTHON))])
        with host(engine, level) as connection:
            inside = SqlRepository(connection, TABLES)
            outside.commit(change)
            # It still sees what was there when it began.
            assert inside.get(ca.Course, ["py"]) == {"py": samples.PYTHON}
            error, said = statements_of(engine, partial(outcome_of, partial(inside.commit, change)))
            assert isinstance(error, ca.StorageBusy)
            assert len([one for one in said if " FOR " in one]) == 1
            assert rows(connection) == ["before"]
            connection.rollback()
            assert outcome_of(partial(inside.commit, change)) == ca.Conflict(("py",))

    @pytest.mark.usefixtures("outside")
    def test_a_lock_is_waited_for_as_long_as_the_host_says(self) -> None:
        engine = engine_with_tables(LEVEL)
        using = ca.Change(use=[ca.Use(samples.SMALL, 1)])
        with host(engine) as connection, engine.connect() as other:
            SqlRepository(other, TABLES).commit(using)
            connection.execute(text("SET LOCAL lock_timeout = '20ms'"))
            inside = SqlRepository(connection, TABLES)
            assert isinstance(outcome_of(partial(inside.commit, using)), ca.StorageBusy)
            other.rollback()
            assert rows(connection) == ["before"]
            inside.commit(using)


class TestNoTransactionAtAll:
    @pytest.mark.usefixtures("outside")
    def test_a_connection_that_commits_each_statement_by_itself_is_no_place_for_a_change(
        self,
    ) -> None:
        with engine_with_tables("AUTOCOMMIT").connect() as connection:
            error = outcome_of(partial(SqlRepository(connection, TABLES).commit, LOST))
        assert isinstance(error, ca.StorageError)
        assert "transaction" in error.hint

    def test_one_that_was_aborted_says_so(self, outside: SqlRepository) -> None:
        with engine_with_tables(LEVEL).connect() as connection:
            assert isinstance(
                outcome_of(partial(SqlRepository(connection, TABLES).commit, STRANGE)),
                ca.StorageError,
            )
            with pytest.raises(Exception, match="division"):
                connection.execute(text("SELECT 1 / 0"))
            error = outcome_of(partial(SqlRepository(connection, TABLES).get, ca.Course, ["py"]))
        assert isinstance(error, ca.StorageError)
        assert "aborted" in error.hint
        assert outside.get(ca.Course, ["py"]) == {"py": samples.PYTHON}


#: A redemption of a key that nobody knows.
STRANGE = ca.Change(create=[attrs.evolve(samples.REDEMPTIONS[0], id="r-9", key_id="nobodys")])
