"""An empty repository in PostgreSQL again and again, without making its tables each time."""

import atexit
from functools import cache

from sqlalchemy import Engine, MetaData, create_engine

from course_assignments.sqlalchemy import SqlRepository, build_tables
from tests.support.postgres import server

TABLES = build_tables(MetaData())
EMPTY = "; ".join(f"DELETE FROM {table.name}" for table in reversed([*TABLES]))  # noqa: S608 - ours

LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")


def empty_repository(isolation: str) -> SqlRepository:
    """Return an empty repository; the one before, at this level of *isolation*, is no more."""
    engine = engine_with_tables(isolation)
    with engine.begin() as connection:
        connection.exec_driver_sql(EMPTY)
    return SqlRepository(engine, TABLES)


@cache
def engine_with_tables(isolation: str) -> Engine:
    """Return where the repositories of this level of *isolation* are, with their tables."""
    # What is on the disk is shown elsewhere; here it would only take longer.
    url = server().room(synchronous_commit="off")
    engine = create_engine(url, isolation_level=isolation)
    atexit.register(engine.dispose)
    SqlRepository(engine, TABLES).create_all()
    return engine
