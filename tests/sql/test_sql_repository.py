"""What is around the records: threads, tables made twice, pruned events, other databases, junk."""

import sqlite3
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event as Signal
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from sqlalchemy import Connection, Engine, MetaData, create_engine

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository, build_tables, dialects, transactions
from course_assignments.testing import samples
from tests.support.junk import CATALOGUE, QUERIES
from tests.support.races import granted, outcomes_of
from tests.support.sql import SETUPS, closing, open_file, open_memory, stocked
from tests.support.world import ADA, world

COURSE = ca.Course(id="new", name="New")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


@pytest.fixture
def memory() -> Generator[Engine]:
    with closing(open_memory()) as engine:
        yield engine


class TestThreads:
    KEY = ca.TrainingKey(id="k-40", code="Hand-made-1", batch_id="spring", number=40, max_uses=40)

    def redeem_all(self, engine: Engine) -> list[object]:
        """Let 8 threads, each with a repository of its own, use a key 10 times each."""
        stocked(engine).commit(ca.Change(create=[*samples.RECORDS, self.KEY]))

        def work(number: int) -> int:
            repository = SqlRepository(engine)
            won = 0
            for turn in range(10):
                made = attrs.evolve(COURSE, id=f"{number}-{turn}")
                try:
                    repository.commit(
                        ca.Change(
                            create=[made], use=[ca.Use(self.KEY, 1)], record=[samples.EVENTS[0]] * 2
                        )
                    )
                except ca.CourseAssignmentsError as error:
                    assert type(error).__name__ == "Conflict"  # noqa: PT017 - of many
                    continue
                won += 1
            return won

        return list(outcomes_of([partial(work, number) for number in range(8)]))

    def is_exact(self, engine: Engine, won: list[Any]) -> None:
        repository = SqlRepository(engine)
        made = [one for one in ca.find_all(repository, ca.CourseQuery()) if "-" in one.id]
        assert sum(won) == len(made) == 40
        assert repository.get(ca.TrainingKey, [self.KEY.id])[self.KEY.id].uses == 40
        events = list(ca.find_all(repository, ca.EventQuery()))
        assert [one.position for one in events] == list(range(1, 81))

    def test_one_connection_is_shared_by_all(self, memory: Engine) -> None:
        self.is_exact(memory, self.redeem_all(memory))

    def test_a_file_is_shared_by_all(self, path: Path) -> None:
        with closing(open_file(path)) as engine:
            self.is_exact(engine, self.redeem_all(engine))

    def test_without_the_lock_one_undoes_what_another_is_at(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Unlocked:
            def acquire(self, **_: object) -> bool:
                return True

            def release(self) -> None:
                pass

        # Nobody is at the driver at the same time: without a lock, that would end the interpreter.
        monkeypatch.setattr(transactions, "_connection_lock", lambda _: Unlocked())
        monkeypatch.setattr(dialects.Sqlite, "check", lambda *_: None)
        with closing(SETUPS["one connection"](path)) as engine:
            first, second = stocked(engine), SqlRepository(engine)
            first.commit(ca.Change(create=[samples.SQL]))

            def work(connection: Connection) -> None:
                connection.exec_driver_sql("DELETE FROM courses")
                outcomes_of([partial(second.commit, ca.Change(create=[COURSE]))])

            with pytest.raises(ca.OutcomeUnknown):
                first._transactions.write(work)  # noqa: SLF001 - to be in the middle
            assert {*second.find(ca.CourseQuery())} == {COURSE, samples.SQL}

    def test_two_repositories_over_one_connection_take_turns(self, memory: Engine) -> None:
        stocked(memory)
        inside, done = Signal(), Signal()

        def hold() -> None:
            def work(_: object) -> None:
                inside.set()
                assert done.wait(10)

            SqlRepository(memory)._transactions.write(work)  # noqa: SLF001 - to be in the middle

        def meet() -> None:
            assert inside.wait(10)
            try:
                for timeout in (timedelta(milliseconds=1), timedelta(seconds=-1)):
                    with pytest.raises(ca.StorageBusy, match="in use"):
                        SqlRepository(memory, timeout=timeout).find(ca.CourseQuery())
            finally:
                done.set()

        outcomes_of([hold, meet])
        SqlRepository(memory).commit(ca.Change(create=[COURSE]))

    def test_a_key_is_redeemed_exactly(self, path: Path) -> None:
        with closing(open_file(path)) as engine:
            registrar, clock = world(stocked(engine))
            learners = [attrs.evolve(ADA, id=f"l-{n}", email=f"l-{n}@x") for n in range(16)]
            registrar.add(*learners)
            registrar.create_keys(
                "py",
                name="Spring",
                organization_id="acme",
                availability=timedelta(days=9),
                codes=["Hand-made-1"],
                max_uses=12,
                id="b",
            )

            def redeem(learner: ca.User) -> Any:
                office = ca.Registrar(SqlRepository(engine), clock=clock)
                return office.redeem("Hand-made-1", learner.id)

            outcomes = outcomes_of([partial(redeem, one) for one in learners])
            assert len(granted(outcomes)) == 12
            (key,) = ca.find_all(registrar.repository, ca.KeyQuery(batch_ids=["b"]))
            assert key.uses == 12


class TestTables:
    def test_may_be_made_twice(self, path: Path) -> None:
        with closing(open_file(path)) as engine:
            stocked(engine).commit(ca.Change(create=[COURSE]))
            assert [*stocked(engine).find(ca.CourseQuery())] == [COURSE]

    def test_may_be_made_by_many_at_once(self, path: Path) -> None:
        with closing(open_file(path)) as engine:
            assert outcomes_of([SqlRepository(engine).create_all] * 8) == [None] * 8
            SqlRepository(engine).commit(ca.Change(create=[COURSE]))

    def test_a_file_is_written_ahead(self, path: Path) -> None:
        with closing(open_file(path)) as engine:
            stocked(engine)
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()

    def test_two_sets_of_them_do_not_meet(self, memory: Engine) -> None:
        first, second = (
            stocked(memory, tables=build_tables(MetaData(), prefix)) for prefix in ("a_", "b_")
        )
        first.commit(ca.Change(create=[COURSE]))
        assert [*second.find(ca.CourseQuery())] == []


class TestPruning:
    def test_drops_what_came_before(self, memory: Engine) -> None:
        repository = stocked(memory)
        repository.commit(ca.Change(create=samples.RECORDS, record=samples.EVENTS))
        before = list(ca.find_all(repository, ca.EventQuery()))
        at = samples.START + timedelta(hours=1)
        assert repository.prune_events(at.astimezone(ZoneInfo("Asia/Kathmandu"))) == 2
        kept = [one for one in before if one.at >= at]
        assert list(ca.find_all(repository, ca.EventQuery())) == kept
        assert repository.prune_events(at) == 0

    def test_positions_go_on(self, memory: Engine) -> None:
        repository = stocked(memory)
        repository.commit(ca.Change(create=samples.RECORDS, record=samples.EVENTS))
        repository.prune_events(datetime(2100, 1, 1, tzinfo=UTC))
        assert [*repository.find(ca.EventQuery())] == []
        repository.commit(ca.Change(record=samples.EVENTS[:1]))
        assert [one.position for one in repository.find(ca.EventQuery())] == [
            len(samples.EVENTS) + 1
        ]

    def test_a_naive_instant_is_refused(self, memory: Engine) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            stocked(memory).prune_events(datetime.fromisoformat("2026-01-05"))
        assert (caught.value.code, caught.value.field) == ("naive_datetime", "before")


class TestRefusing:
    def test_other_databases(self) -> None:
        engine = create_engine("sqlite://")
        engine.dialect.name = "oracle"
        with pytest.raises(ca.InvalidInput) as caught:
            SqlRepository(engine)
        assert (caught.value.code, caught.value.field) == ("unsupported_database", "bind")

    @pytest.mark.parametrize(
        ("name", "fits"),
        [("bind", ()), ("tables", (type(None),)), ("timeout", (timedelta,))],
    )
    def test_junk_in_place_of_what_it_takes(
        self, name: str, fits: tuple[type, ...], memory: Engine
    ) -> None:
        for junk in CATALOGUE:
            given: dict[str, Any] = {"bind": memory, name: junk.make()}
            if not isinstance(given[name], fits):
                with pytest.raises(ca.InvalidInput) as caught:
                    SqlRepository(**given)
                assert caught.value.field == name

    @pytest.mark.parametrize(("name", "fits"), [("metadata", ()), ("prefix", (str,))])
    def test_junk_in_place_of_what_tables_take(self, name: str, fits: tuple[type, ...]) -> None:
        for junk in CATALOGUE:
            given: dict[str, Any] = {"metadata": MetaData(), name: junk.make()}
            if not isinstance(given[name], fits):
                with pytest.raises(ca.InvalidInput) as caught:
                    build_tables(**given)
                assert caught.value.field == name

    @pytest.mark.parametrize("timeout", [timedelta(seconds=-1), timedelta.max, timedelta(0)])
    def test_patience_of_any_length_does(self, timeout: timedelta, memory: Engine) -> None:
        repository = stocked(memory, timeout=timeout)
        repository.commit(ca.Change(create=[COURSE]))
        assert [*repository.find(ca.CourseQuery())] == [COURSE]

    def test_names_that_are_taken(self) -> None:
        metadata = MetaData()
        build_tables(metadata)
        with pytest.raises(ca.InvalidInput) as caught:
            build_tables(metadata)
        assert (caught.value.code, caught.value.field) == ("table_exists", "prefix")
        build_tables(metadata, prefix="ca_")

    def test_junk_in_place_of_a_call(self, memory: Engine) -> None:
        repository = stocked(memory)
        calls: dict[str, Any] = {
            "kind": lambda it: repository.get(it, ["a"]),
            "ids": lambda it: repository.get(ca.User, it),
            "query": repository.find,
            "change": repository.commit,
            "before": repository.prune_events,
        }
        complaints = []
        for junk in CATALOGUE:
            for name, call in calls.items():
                try:
                    call(junk.make())
                except ca.CourseAssignmentsError:
                    continue
                except Exception as error:  # noqa: BLE001 - that is the point
                    complaints.append(f"{name}={junk.name} let out {error!r}")
        assert complaints == []

    @pytest.mark.parametrize("entry", QUERIES, ids=lambda entry: entry.name)
    def test_queries_of_anything_that_is_let_through(self, entry: Any, memory: Engine) -> None:
        repository = stocked(memory)
        complaints = []
        for name in entry.arguments:
            for junk in CATALOGUE:
                given = dict(entry.arguments) | {name: junk.make()}
                try:
                    query = entry.run(None, given)
                except ca.CourseAssignmentsError:
                    continue
                try:
                    repository.find(query)
                except ca.CourseAssignmentsError:
                    continue
                except Exception as error:  # noqa: BLE001 - that is the point
                    complaints.append(f"{entry.name}({name}={junk.name}) let out {error!r}")
        assert complaints == []

    @pytest.mark.parametrize("cursor", ["a\0b", "\ud800"])
    def test_cursors_that_no_page_gives(self, cursor: str, memory: Engine) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            stocked(memory).find(ca.CourseQuery(cursor=(cursor,)))
        assert caught.value.code == "invalid_cursor"

    @pytest.mark.parametrize("position", [-(2**70), 2**70])
    def test_positions_that_no_page_gives(self, position: int, memory: Engine) -> None:
        repository = stocked(memory)
        with pytest.raises(ca.InvalidInput):
            repository.find(ca.EventQuery(cursor=(position,)))


def _id(record: Any) -> str:
    return str(record.id)
