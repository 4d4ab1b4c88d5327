"""In memory there is only one connection, for the host as well: nobody ends what others began."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, StaticPool, create_engine, text

from course_assignments import Course, Registrar, StorageBusy
from course_assignments.changes import Change
from course_assignments.sqlalchemy import SqlRepository

CALLS: list[Callable[[SqlRepository], Any]] = [
    lambda repository: Registrar(repository).add(Course(id="py", name="Python")),
    lambda repository: repository.get(Course, ["py"]),
]


@pytest.mark.parametrize("pool", [None, StaticPool])
@pytest.mark.parametrize("call", CALLS, ids=["add", "get"])
def test_what_the_host_is_writing_is_not_undone_unseen(
    pool: type[StaticPool] | None, call: Callable[[SqlRepository], Any]
) -> None:
    """It is told, and may commit first, or hand the connection over."""
    engine = create_engine("sqlite://", poolclass=pool)
    repository = SqlRepository(engine)
    repository.create_all()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE notes (text TEXT)"))
    with engine.connect() as connection:
        connection.execute(text("INSERT INTO notes VALUES ('mine')"))
        with pytest.raises(StorageBusy, match="commit it, or hand it over"):
            call(repository)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO notes VALUES ('handed over')"))
        call(SqlRepository(connection))
    call(repository)
    assert notes(engine) == ["handed over"]


def test_what_the_host_was_writing_is_still_there_after_a_refusal() -> None:
    """Where the pool leaves it alone, we do."""
    engine = create_engine("sqlite://")
    repository = SqlRepository(engine)
    repository.create_all()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE notes (text TEXT)"))
        connection.execute(text("INSERT INTO notes VALUES ('mine')"))
        with pytest.raises(StorageBusy):
            repository.commit(Change(create=[Course(id="py", name="Python")]))
    assert notes(engine) == ["mine"]


def test_the_busy_timeout_of_the_host_is_restored() -> None:
    engine = create_engine("sqlite://", connect_args={"timeout": 60})
    SqlRepository(engine, timeout=timedelta(seconds=1)).create_all()
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA busy_timeout")).scalar_one() == 60_000


def notes(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [*connection.execute(text("SELECT text FROM notes")).scalars()]
