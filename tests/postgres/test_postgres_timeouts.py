"""No call waits longer than its timeout, and what limits it does not reach the host."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository, dialects
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


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """End statements after less than the second that they always have."""
    monkeypatch.setattr(dialects, "_STATEMENT_TIME", 0.1)


@pytest.mark.usefixtures("soon")
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


@pytest.mark.usefixtures("soon")
def test_a_statement_that_takes_too_long_is_ended() -> None:
    """It waits for no lock: the table is a view that sleeps, for a minute if nobody ends it."""
    engine = create_engine(server().room(), poolclass=NullPool)
    hasty = SqlRepository(engine, TABLES, timeout=timedelta(seconds=0.1))
    columns = ", ".join(f"NULL::text AS {name}" for name in TABLES.by_kind[ca.Course].c.keys()[1:])
    with engine.begin() as connection:
        slow = f"SELECT pg_sleep(60)::text AS id, {columns}"
        connection.execute(text(f"CREATE VIEW courses AS {slow}"))
    with pytest.raises(ca.StorageBusy, match="canceling statement"):
        hasty.find(ca.CourseQuery())


@pytest.mark.usefixtures("soon")
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


def test_a_read_is_two_statements() -> None:
    repository = empty_repository(LEVEL)
    with heard(engine_with_tables(LEVEL)) as statements:
        repository.get(ca.Course, ["new"])
    words = ["set_config", "courses"]
    assert all(word in one for (one, _), word in zip(statements, words, strict=True))
