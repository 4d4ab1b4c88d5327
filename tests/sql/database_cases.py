"""What the tests of all SQL databases share: classes to subclass, errors and statements."""

from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from copy import copy
from datetime import datetime
from typing import Any

import attrs
import pytest
from sqlalchemy import Connection, Engine, event, text

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository
from course_assignments.testing import samples
from course_assignments.testing.contract.base import contents

NEW = ca.Course(id="new", name="New")
#: A change whose last step conflicts.
LOST = ca.Change(
    create=[NEW],
    replace=[ca.Replace(samples.PYTHON, attrs.evolve(samples.PYTHON, name="Snakes"))],
    use=[ca.Use(samples.USED_UP, 1)],
    record=samples.EVENTS[:1],
)


def altered(record: Any, **facts: Any) -> Any:
    """Return a copy of *record* that was changed without its checks."""
    other = copy(record)
    for name, value in facts.items():
        object.__setattr__(other, name, value)
    return other


def storage_error(call: Callable[[], object]) -> ca.StorageError:
    """Return the `StorageError` that *call* raises."""
    with pytest.raises(ca.StorageError) as caught:
        call()
    return caught.value


def check_missing_tables(repository: SqlRepository) -> None:
    for call in (
        lambda: repository.find(ca.CourseQuery()),
        lambda: repository.commit(ca.Change(create=[NEW])),
    ):
        error = storage_error(call)
        assert error.code == "missing_table"
        assert "call create_all()" in error.hint


@contextmanager
def listening(target: Any, moment: str, listener: Callable[..., object]) -> Generator[None]:
    """Call *listener* at each such *moment* of an engine or a connection."""
    event.listen(target, moment, listener)
    try:
        yield
    finally:
        event.remove(target, moment, listener)


@contextmanager
def heard(target: Any) -> Generator[list[tuple[str, Any]]]:
    """Collect the statements that go to the database, and their parameters."""
    found: list[tuple[str, Any]] = []

    def hear(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        found.append((statement, parameters))

    with listening(target, "before_cursor_execute", hear):
        yield found


def write(host: Connection, value: str) -> None:
    host.execute(text("INSERT INTO mine VALUES (:value)"), {"value": value})


def written(host: Connection) -> list[str]:
    return [*host.execute(text("SELECT id FROM mine ORDER BY id")).scalars()]


class HostTransactions:
    """A commit on a connection of the host is a part of the host's transaction.

    The tests need two fixtures: an `engine` over a database with the samples, and a repository
    `outside` over the same database, on other connections.
    """

    @pytest.fixture
    def host(self, engine: Engine) -> Generator[Connection]:
        """A connection whose host has a table, and writes there first."""
        with engine.connect() as host:
            host.execute(text("CREATE TABLE mine (id TEXT)"))
            host.commit()
            write(host, "before")
            yield host
            host.rollback()
            host.execute(text("DROP TABLE mine"))
            host.commit()

    def test_others_see_it_when_the_host_commits(
        self, host: Connection, outside: SqlRepository
    ) -> None:
        inside = SqlRepository(host)
        inside.commit(ca.Change(create=[NEW]))
        write(host, "after")
        assert inside.get(ca.Course, ["new"]) == {"new": NEW}
        assert NEW in inside.find(ca.CourseQuery())
        assert outside.get(ca.Course, ["new"]) == {}
        host.commit()
        assert outside.get(ca.Course, ["new"]) == {"new": NEW}
        assert written(host) == ["after", "before"]

    def test_nothing_is_stored_when_the_host_does_not_commit(
        self, engine: Engine, outside: SqlRepository
    ) -> None:
        before = contents(outside)
        with engine.connect() as host:
            registrar = ca.Registrar(SqlRepository(host))
            registrar.add(NEW)
            registrar.assign("py", "Cy", id="a-new")
            host.rollback()
            assert contents(outside) == before
            outside.commit(ca.Change(record=samples.EVENTS[:1]))
            assert [one.position for one in outside.find(ca.EventQuery())] == [1]
            registrar.add(NEW)
        assert outside.get(ca.Course, ["new"]) == {}

    def lose(self, host: Connection) -> None:
        """Fail unless a conflict stores nothing, and the host can continue."""
        inside = SqlRepository(host)
        before = contents(inside)
        with pytest.raises(ca.Conflict) as caught:
            inside.commit(LOST)
        assert caught.value.ids == (samples.USED_UP.id,)
        assert contents(inside) == before
        write(host, "after")
        assert written(host) == ["after", "before"]

    def test_a_conflict_undoes_only_its_change(
        self, host: Connection, outside: SqlRepository
    ) -> None:
        self.lose(host)
        SqlRepository(host).commit(ca.Change(create=[NEW]))
        host.commit()
        assert outside.get(ca.Course, ["new", "py"]) == {"new": NEW, "py": samples.PYTHON}

    def test_without_a_savepoint_half_of_the_change_is_left(
        self, host: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Connection, "begin_nested", lambda _: nullcontext())
        with pytest.raises(AssertionError):
            self.lose(host)

    def test_every_other_error_undoes_only_its_change(
        self, host: Connection, outside: SqlRepository
    ) -> None:
        inside = SqlRepository(host)
        before = contents(inside)
        with pytest.raises(ca.InvalidInput):
            inside.commit(ca.Change(create=[NEW, altered(samples.OLD, id="odd", name="a\0b")]))

        def interrupt(_: object, statement: object, *__: object) -> None:
            if "INSERT INTO users" in str(statement):
                raise KeyboardInterrupt

        with listening(host, "before_execute", interrupt), pytest.raises(KeyboardInterrupt):
            inside.commit(ca.Change(create=[NEW, samples.user("new")]))
        assert contents(inside) == before
        host.commit()
        assert contents(outside) == before
        assert written(host) == ["before"]


NAIVE = datetime.fromisoformat("2026-01-05")
ODD = {
    "a NUL": altered(samples.OLD, id="odd", name="a\0b"),
    "half a pair": altered(samples.OLD, id="odd", name="a\ud800"),
    "an over-long name": altered(samples.OLD, id="odd", name="x" * 501),
    "an over-long id": altered(samples.OLD, id="x" * 100_000),
    "a number": altered(samples.OLD, id="odd", archived=5),
    "a huge number": altered(samples.SPRING, code="odd", max_uses=2**70),
    "a naive datetime": altered(samples.FRESH, id="odd", expires_at=NAIVE),
    "a naive datetime within": altered(
        samples.ATTEMPTS[0], id="odd", pauses=(altered(ca.Pause(samples.START), paused_at=NAIVE),)
    ),
    "a NUL within": altered(samples.OLD, id="odd", activities=(altered(samples.LAB, name="a\0b"),)),
    "half a pair within": altered(
        samples.OLD, id="odd", activities=(altered(samples.LAB, name="a\ud800"),)
    ),
    "something else within": altered(samples.OLD, id="odd", activities=(5,)),
    "not a list": altered(samples.OLD, id="odd", activities=None),
    "not an enum": altered(samples.FRESH, id="odd", limited_by="request"),
    "not a duration": altered(samples.OLD, id="odd", maximum_access="P6M"),
}


class RefusedValues:
    """A value that a column cannot hold is refused, and nothing is stored.

    The tests need the fixture `repository`, with the samples.
    """

    def check(self, repository: SqlRepository, change: ca.Change) -> None:
        before = contents(repository)
        with pytest.raises(ca.InvalidInput):
            repository.commit(change)
        assert contents(repository) == before

    @pytest.mark.parametrize("what", ODD)
    def test_an_unchecked_record_is_refused(self, what: str, repository: SqlRepository) -> None:
        change = altered(ca.Change(create=[NEW]), create=(NEW, ODD[what]))
        self.check(repository, change)

    @pytest.mark.parametrize("what", ["a NUL", "an over-long name", "half a pair within"])
    def test_an_unchecked_replacement_is_refused(
        self, what: str, repository: SqlRepository
    ) -> None:
        step = ca.Replace(samples.OLD, samples.OLD)
        step = altered(step, after=altered(ODD[what], id=samples.OLD.id))
        self.check(repository, ca.Change(replace=[step]))

    @pytest.mark.parametrize(
        "facts",
        [
            {"at": NAIVE},
            {"action": "a\0b"},
            {"details": (("reason", "\ud800"),)},
            {"subject_ids": ("\ud800",)},
        ],
    )
    def test_an_unchecked_event_is_refused(self, facts: Any, repository: SqlRepository) -> None:
        change = ca.Change(create=[NEW], record=[altered(samples.EVENTS[0], **facts)])
        self.check(repository, change)

    def test_a_detail_with_a_control_character_is_kept(self, repository: SqlRepository) -> None:
        event = attrs.evolve(samples.EVENTS[0], details={"said": "\0"})
        repository.commit(ca.Change(record=[event]))
        (*_, found) = repository.find(ca.EventQuery())
        assert attrs.evolve(found, position=0) == event
