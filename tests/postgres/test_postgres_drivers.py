"""Each driver of PostgreSQL: a session that the server ends is replaced, and nothing is lost."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository
from tests.postgres.test_postgres_errors import (
    end_session,
    failure,
    just_before,
    pid_of,
    terminate,
)
from tests.support.empty_database import TABLES
from tests.support.postgres import server
from tests.support.world import world


@pytest.fixture(params=["psycopg", "psycopg2", "pg8000"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    url = server().room().set(drivername=f"postgresql+{request.param}")
    schema = str(url.query["options"]).partition("search_path=")[2]
    socket = url.query.get("host")
    if request.param == "pg8000":  # it takes neither as the others do
        url = url.set(query={"unix_sock": f"{socket}/.s.PGSQL.5432"} if socket else {})
    engine = create_engine(url, pool_size=1, max_overflow=0)

    @event.listens_for(engine, "connect")
    def choose(connection: Any, _: object) -> None:
        connection.cursor().execute(f"SET search_path TO {schema}")
        connection.commit()

    yield engine
    engine.dispose()


@pytest.fixture
def registrar(engine: Engine) -> ca.Registrar:
    repository = SqlRepository(engine, TABLES)
    repository.create_all()
    found, _ = world(repository)
    return found


def test_a_session_that_ended_between_two_commands_is_not_noticed(
    engine: Engine, registrar: ca.Registrar
) -> None:
    with engine.connect() as connection:
        pid = pid_of(connection)
    end_session(pid)
    assert registrar.assign("py", "ada", id="a-1").id == "a-1"


def test_a_command_whose_session_ended_is_done_once(
    engine: Engine, registrar: ca.Registrar
) -> None:
    with just_before(engine, "before_cursor_execute", terminate):
        assert registrar.assign("py", "ada", id="a-1").id == "a-1"
    assert len(list(registrar.find_all(ca.AssignmentQuery()))) == 1


def test_an_end_during_the_commit_is_an_unknown_outcome(
    engine: Engine, registrar: ca.Registrar
) -> None:
    assign = partial(registrar.assign, "py", "ada", id="a-1")
    with just_before(engine, "commit", terminate):
        assert isinstance(failure(assign), ca.OutcomeUnknown)
    assert assign().id == "a-1"
    assert len(list(registrar.find_all(ca.AssignmentQuery()))) == 1
