"""In the transaction of a host: what is committed is a part of it, and so is what is not."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial

import attrs
import pytest
from sqlalchemy import Connection, Engine, MetaData, text
from sqlalchemy.exc import DBAPIError

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository, build_tables, dialects
from course_assignments.testing import samples
from course_assignments.testing.variants import edited
from tests.sql.database_cases import HostTransactions, heard, write, written
from tests.support.empty_database import empty_repository, engine_with_tables
from tests.support.races import TIMEOUT, outcome_of
from tests.support.sessions import waits
from tests.support.values import refusal

LEVEL = "READ COMMITTED"


@pytest.fixture
def outside() -> SqlRepository:
    """A repository on connections of its own, as everyone else has."""
    repository = empty_repository(LEVEL)
    repository.commit(ca.Change(create=samples.RECORDS))
    return repository


@pytest.fixture
def engine(outside: SqlRepository) -> Engine:  # noqa: ARG001 - its records
    return engine_with_tables(LEVEL)


class TestPostgres(HostTransactions):
    def test_an_address_that_is_taken_in_the_meantime_is_a_conflict(
        self, host: Connection, engine: Engine
    ) -> None:
        """PostgreSQL raises an error, and the transaction is unusable until it is undone."""
        taken = samples.user("new")
        taking = ca.Replace(samples.ADA, attrs.evolve(samples.ADA, email=taken.email))
        with engine.connect() as other, ThreadPoolExecutor(1) as thread:
            SqlRepository(other).commit(ca.Change(create=[taken]))
            commit = partial(SqlRepository(host).commit, ca.Change(replace=[taking]))
            arriving = thread.submit(outcome_of, commit)
            assert waits(engine, arriving, other)
            other.commit()
            assert arriving.result(TIMEOUT) == ca.Conflict(("ada",))
        assert written(host) == ["before"]

    @pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
    def test_what_cannot_be_serialized_is_not_tried_again(
        self, level: str, host: Connection, outside: SqlRepository
    ) -> None:
        host.rollback()
        host.execution_options(isolation_level=level)
        change = ca.Change(replace=[ca.Replace(samples.PYTHON, edited(samples.PYTHON))])
        inside = SqlRepository(host)
        write(host, "before")
        outside.commit(change)
        # The host still sees what was stored when it began.
        assert inside.get(ca.Course, ["py"]) == {"py": samples.PYTHON}
        with heard(host) as statements, pytest.raises(ca.StorageBusy):
            inside.commit(change)
        assert sum(" FOR " in statement for statement, _ in statements) == 1
        assert written(host) == ["before"]
        host.rollback()
        with pytest.raises(ca.Conflict):
            inside.commit(change)

    def test_a_lock_is_waited_for_as_long_as_the_host_says(
        self, host: Connection, engine: Engine
    ) -> None:
        using = ca.Change(use=[ca.Use(samples.SMALL, 1)])
        with engine.connect() as other:
            SqlRepository(other).commit(using)
            host.execute(text("SET LOCAL lock_timeout = '20ms'"))
            with pytest.raises(ca.StorageBusy):
                SqlRepository(host).commit(using)
            other.rollback()
        assert written(host) == ["before"]
        SqlRepository(host).commit(using)


def breaks(repository: SqlRepository) -> None:
    """Read what the server cannot read, as its table is away."""
    with pytest.raises(ca.StorageError) as caught:
        repository.get(ca.Course, ["py"])
    assert caught.value.code == "missing_table"


class TestFailedRead:
    """PostgreSQL aborts the whole transaction after any error in it."""

    def fail_and_commit(self, host: Connection) -> list[str]:
        """Return what the host finds of its own that it wrote around a failed read."""
        inside = SqlRepository(host, build_tables(MetaData(), prefix="absent_"))
        breaks(inside)
        write(host, "after")
        host.commit()
        return written(host)

    @pytest.fixture
    def host(self, engine: Engine) -> Generator[Connection]:
        with engine.connect() as host:
            host.execute(text("CREATE TEMPORARY TABLE mine (id TEXT)"))
            host.commit()
            write(host, "before")
            yield host
            host.rollback()
            host.execute(text("DROP TABLE mine"))
            host.commit()

    def test_leaves_what_the_host_wrote(self, host: Connection) -> None:
        assert self.fail_and_commit(host) == ["after", "before"]

    def test_without_a_savepoint_it_is_lost(
        self, host: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dialects.Postgresql, "protect", lambda *_: nullcontext())
        with pytest.raises(DBAPIError, match="aborted"):
            self.fail_and_commit(host)
        host.commit()  # as a host does that catches this error too, and is told of none
        assert written(host) == []

    def test_is_an_error_in_autocommit_too(self, engine: Engine) -> None:
        with engine.connect() as host:
            host.execution_options(isolation_level="AUTOCOMMIT")
            breaks(SqlRepository(host, build_tables(MetaData(), prefix="absent_")))
            assert SqlRepository(host).get(ca.Course, ["py"]) == {"py": samples.PYTHON}


class TestNoTransaction:
    @pytest.mark.parametrize("level", ["AUTOCOMMIT", LEVEL])
    def test_a_connection_that_commits_each_statement_is_refused(self, level: str) -> None:
        stored = empty_repository(level)
        with engine_with_tables(level).connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            repository = SqlRepository(connection)
            error = refusal(lambda: repository.commit(ca.Change(create=[samples.PYTHON])))
            assert (error.code, error.field) == ("no_transaction", "bind")
            assert repository.find(ca.CourseQuery()) == stored.find(ca.CourseQuery()) == ca.Page(())

    def test_an_aborted_transaction_is_named(self, engine: Engine, outside: SqlRepository) -> None:
        stray = attrs.evolve(samples.REDEMPTIONS[0], id="r-9", key_id="nobodys")
        with engine.connect() as connection:
            repository = SqlRepository(connection)
            with pytest.raises(ca.StorageError):
                repository.commit(ca.Change(create=[stray]))
            with pytest.raises(Exception, match="division"):
                connection.execute(text("SELECT 1 / 0"))
            with pytest.raises(ca.StorageError, match="aborted"):
                repository.get(ca.Course, ["py"])
        assert outside.get(ca.Course, ["py"]) == {"py": samples.PYTHON}
