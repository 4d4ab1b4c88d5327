"""In the transaction of a host: what is committed is a part of it, and so is what is not."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import attrs
import pytest
from sqlalchemy import Connection, Engine, text

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository
from course_assignments.testing import samples
from course_assignments.testing.variants import edited
from tests.sql.database_cases import HostTransactions, heard, storage_error, write, written
from tests.support.empty_database import empty_repository, engine_with_tables
from tests.support.races import TIMEOUT, outcome_of
from tests.support.sessions import waits

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


class TestNoTransaction:
    def test_a_connection_that_commits_each_statement_is_refused(self) -> None:
        empty_repository("AUTOCOMMIT")
        with engine_with_tables("AUTOCOMMIT").connect() as connection:
            commit = SqlRepository(connection).commit
            error = storage_error(lambda: commit(ca.Change(create=[samples.PYTHON])))
        assert "transaction" in error.hint

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
