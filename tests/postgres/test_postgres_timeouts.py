"""No call waits longer than its timeout, and what limits it does not reach the host."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository
from course_assignments.testing import samples
from tests.sql.database_cases import heard
from tests.support.empty_database import TABLES, empty_repository, engine_with_tables
from tests.support.postgres import server
from tests.support.races import TIMEOUT, outcome_of

LEVEL = "READ COMMITTED"
COURSE = ca.Course(id="new", name="New")
CALLS: dict[str, Callable[[SqlRepository], object]] = {
    "get": lambda repository: repository.get(ca.Course, ["new"]),
    "find": lambda repository: repository.find(ca.CourseQuery()),
    "commit": lambda repository: repository.commit(ca.Change(create=[COURSE])),
    "prune_events": lambda repository: repository.prune_events(samples.START),
}
LIMITS = text("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")


@pytest.mark.parametrize("level", [LEVEL, "SERIALIZABLE", "AUTOCOMMIT"])
@pytest.mark.parametrize("name", CALLS)
def test_a_locked_table_is_not_waited_for_after_the_timeout(name: str, level: str) -> None:
    empty_repository(level)
    hasty = SqlRepository(engine_with_tables(level), TABLES, timeout=timedelta(seconds=0.1))
    with engine_with_tables(level).connect() as another:
        another.execution_options(isolation_level=LEVEL)
        another.execute(text("LOCK TABLE courses, events IN ACCESS EXCLUSIVE MODE"))
        with ThreadPoolExecutor(1) as thread:
            calling = thread.submit(outcome_of, partial(CALLS[name], hasty))
            try:
                assert isinstance(calling.result(TIMEOUT), ca.StorageBusy)
            finally:
                another.rollback()
    CALLS[name](hasty)


def test_a_statement_that_takes_too_long_is_ended() -> None:
    """It waits for no lock: the table is a view that sleeps, for a minute if nobody ends it."""
    engine = create_engine(server().room(), poolclass=NullPool)
    hasty = SqlRepository(engine, TABLES, timeout=timedelta(seconds=0.1))
    columns = ", ".join(f"NULL::text AS {name}" for name in TABLES.by_kind[ca.Course].c.keys()[1:])
    with engine.begin() as connection:
        slow = f"SELECT pg_sleep(60)::text AS id, {columns}"
        connection.execute(text(f"CREATE VIEW courses AS {slow}"))
    with pytest.raises(ca.StorageBusy, match="statement timeout"):
        hasty.find(ca.CourseQuery())


@pytest.mark.parametrize("name", CALLS)
def test_the_session_of_the_host_keeps_its_limits(name: str) -> None:
    repository = empty_repository(LEVEL)
    engine = engine_with_tables(LEVEL)
    with engine.connect() as connection:
        before = connection.execute(LIMITS).one()
    assert set(before) == {"0"}
    CALLS[name](repository)
    with engine.connect() as connection:
        assert connection.execute(LIMITS).one() == before
        assert connection.execute(text("SHOW transaction_isolation")).scalar_one() == LEVEL.lower()


def opened(**settings: str) -> Engine:
    engine = create_engine(server().room(**settings), pool_size=1)
    SqlRepository(engine, TABLES).create_all()
    return engine


class TestReads:
    @staticmethod
    def statements(engine: Engine, seconds: float) -> list[str]:
        """Return the first word of what a read says, except at the first read of a connection."""
        repository = SqlRepository(engine, TABLES, timeout=timedelta(seconds=seconds))
        repository.get(ca.Course, ["new"])
        with heard(engine) as statements:
            repository.get(ca.Course, ["new"])
        engine.dispose()
        return [statement.split("(")[0].split(",")[0] for statement, _ in statements]

    READ = "SELECT courses.id"
    LIMIT = "SELECT set_config"

    def test_need_no_limits_where_the_session_has_some(self) -> None:
        engine = opened(lock_timeout="2s", statement_timeout="4s")
        assert self.statements(engine, 30) == [self.READ]

    @pytest.mark.parametrize(
        ("lock", "statement", "seconds"),
        [("2s", "0", 30), ("0", "4s", 30), ("2s", "4s", 3), ("2s", "2s", 1), ("6s", "6s", 30)],
    )
    def test_are_limited_where_the_session_has_none_or_longer_ones(
        self, lock: str, statement: str, seconds: float
    ) -> None:
        engine = opened(lock_timeout=lock, statement_timeout=statement)
        assert self.statements(engine, seconds) == [self.LIMIT, self.READ]
