"""Whoever reads events after a position misses none, however late it is committed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import attrs
import pytest
from sqlalchemy import Engine, text

from course_assignments import Change, Event, EventQuery, Repository
from course_assignments.sqlalchemy import SqlRepository
from course_assignments.sqlalchemy.writing import Statements
from tests.support.empty_database import LEVELS, empty_repository, engine_with_tables
from tests.support.races import TIMEOUT
from tests.support.sessions import Open, transaction, waits, without
from tests.support.world import START


def happened(action: str) -> Change:
    return Change(record=[Event(at=START, action=action, subject_ids=["a-1"])])


class Reader:
    """Reads on from where it stopped, as whoever passes events on does."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._last = 0
        self.seen: list[str] = []

    def read_on(self) -> None:
        for event in self._repository.find(EventQuery(after=self._last)):
            self._last = event.position
            self.seen.append(event.action)


def late_commit(engine: Engine, make: Open, end: str) -> tuple[bool, list[str]]:
    """Let the first be committed, or rolled back, after the second has come to its commit.

    Returns:
        Whether the second waited, and what was read.
    """
    reader = Reader(make(engine))
    with transaction(engine) as connection, ThreadPoolExecutor(1) as thread:
        make(connection).commit(happened("first"))
        arriving = thread.submit(make(engine).commit, happened("second"))
        waited = waits(engine, arriving, connection)
        reader.read_on()
        getattr(connection, end)()
        arriving.result(TIMEOUT)
    reader.read_on()
    return waited, reader.seen


@pytest.mark.parametrize("level", [*LEVELS, "AUTOCOMMIT"])
class TestReadingOn:
    def test_an_event_that_is_committed_late_is_seen(self, level: str) -> None:
        empty_repository(level)
        seen = late_commit(engine_with_tables(level), SqlRepository, "commit")
        assert seen == (True, ["first", "second"])

    def test_an_event_that_is_rolled_back_leaves_no_gap(self, level: str) -> None:
        repository = empty_repository(level)
        seen = late_commit(engine_with_tables(level), SqlRepository, "rollback")
        assert seen == (True, ["second"])
        assert [event.position for event in repository.find(EventQuery())] == [1]


def sequence(engine: Engine) -> Callable[[Statements], Statements]:
    """Return the habit to number events by a sequence, for which nobody waits."""
    with engine.begin() as connection:
        connection.execute(text("DROP SEQUENCE IF EXISTS positions"))
        connection.execute(text("CREATE SEQUENCE positions"))
    return lambda statements: attrs.evolve(
        statements, advance=text("SELECT nextval('positions') + 0 * :count")
    )


def test_by_a_sequence_the_late_event_is_never_seen() -> None:
    empty_repository("READ COMMITTED")
    engine = engine_with_tables("READ COMMITTED")
    careless = without(sequence(engine))
    assert late_commit(engine, careless, "commit") == (False, ["second"])
    # It is there all the same, at a position that the reader has passed.
    found = careless(engine).find(EventQuery())
    assert [event.action for event in found] == ["first", "second"]


def test_the_positions_of_many_events_are_one_row() -> None:
    repository = empty_repository("READ COMMITTED")
    reader = Reader(repository)
    for number in range(1, 4):
        event = happened(f"of {number}").record[0]
        repository.commit(Change(record=[event] * number))
        reader.read_on()
    positions = [event.position for event in repository.find(EventQuery())]
    assert reader.seen == ["of 1", *["of 2"] * 2, *["of 3"] * 3]
    assert positions == [number for number, _ in zip(count(1), reader.seen, strict=False)]
