"""The repository around the records: threads, tables, and arguments of the wrong kind."""

from collections.abc import Callable, Generator
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from threading import Event as Signal
from typing import Any

import attrs
import pytest
from sqlalchemy import Connection, Engine, MetaData, create_engine

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository, build_tables, dialects, transactions
from course_assignments.testing import samples
from tests.support.junk import CATALOGUE, QUERIES
from tests.support.races import granted, outcome_of, outcomes_of
from tests.support.sql import SETUPS, closing, open_file, stocked
from tests.support.values import refusal
from tests.support.world import ADA, world

COURSE = ca.Course(id="new", name="New")


class TestThreads:
    @pytest.mark.parametrize("setup", ["plain", "one connection"])
    def test_a_key_is_redeemed_exactly(self, setup: str, path: Path) -> None:
        """Each thread has a repository of its own."""
        with closing(SETUPS[setup](path)) as engine:
            registrar, clock = world(stocked(engine))
            learners = [attrs.evolve(ADA, id=f"l-{n}", email=f"l-{n}@x") for n in range(40)]
            registrar.add(*learners)
            registrar.create_keys(
                "py",
                name="Spring",
                organization_id="acme",
                availability=timedelta(days=9),
                codes=["Hand-made-1"],
                max_uses=30,
            )
            before = [*ca.find_all(registrar.repository, ca.EventQuery())]

            def redeem(some: list[ca.User]) -> list[Any]:
                registrar = ca.Registrar(SqlRepository(engine), clock=clock)
                return [
                    outcome_of(partial(registrar.redeem, "Hand-made-1", one.id)) for one in some
                ]

            outcomes = outcomes_of([partial(redeem, learners[at::8]) for at in range(8)])
            assert len(granted(chain.from_iterable(granted(outcomes)))) == 30
            (key,) = registrar.repository.find(ca.KeyQuery())
            assert key.uses == 30
            events = [*ca.find_all(registrar.repository, ca.EventQuery())]
            assert [one.position for one in events] == [*range(1, len(before) + 31)]

    def test_without_the_lock_one_undoes_what_another_is_at(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Nobody is at the driver at the same time: without a lock, that would end the interpreter.
        monkeypatch.setattr(transactions, "sole_use", lambda *_: nullcontext())
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

    def test_two_repositories_over_one_connection_take_turns(self, engine: Engine) -> None:
        stocked(engine)
        inside, done = Signal(), Signal()

        def hold() -> None:
            def work(_: object) -> None:
                inside.set()
                assert done.wait(10)

            SqlRepository(engine)._transactions.write(work)  # noqa: SLF001 - to be in the middle

        def meet() -> None:
            assert inside.wait(10)
            try:
                for timeout in (timedelta(milliseconds=1), timedelta(0)):
                    with pytest.raises(ca.StorageBusy, match="in use"):
                        SqlRepository(engine, timeout=timeout).find(ca.CourseQuery())
            finally:
                done.set()

        outcomes_of([hold, meet])
        SqlRepository(engine).commit(ca.Change(create=[COURSE]))


class TestAddresses:
    """In one change, addresses can go from one user to another."""

    @pytest.fixture(params=["in memory", "in SQLite"])
    def repository(self, request: pytest.FixtureRequest, engine: Engine) -> ca.Repository:
        found = ca.InMemoryRepository() if request.param == "in memory" else stocked(engine)
        found.commit(ca.Change(create=samples.RECORDS))
        return found

    @pytest.mark.parametrize("count", [2, 3])
    def test_may_be_exchanged(self, count: int, repository: ca.Repository) -> None:
        users = samples.USERS[:count]
        others = (*users[1:], users[0])
        after = [
            attrs.evolve(one, email=other.email) for one, other in zip(users, others, strict=True)
        ]
        repository.commit(ca.Change(replace=list(map(ca.Replace, users, after))))
        assert [*repository.get(ca.User, [one.id for one in users]).values()] == after

    def test_may_be_given_to_a_new_user(self, repository: ca.Repository) -> None:
        new = attrs.evolve(samples.CY, id="new")
        step = ca.Replace(samples.CY, attrs.evolve(samples.CY, email="other@example.org"))
        repository.commit(ca.Change(create=[new], replace=[step]))
        assert [*repository.find(ca.UserQuery(email=new.email))] == [new]


class TestTables:
    @pytest.fixture
    def file(self, path: Path) -> Generator[Engine]:
        with closing(open_file(path)) as engine:
            yield engine

    def test_may_be_made_twice(self, file: Engine) -> None:
        stocked(file).commit(ca.Change(create=[COURSE]))
        assert [*stocked(file).find(ca.CourseQuery())] == [COURSE]

    def test_may_be_made_by_many_at_once(self, file: Engine) -> None:
        assert outcomes_of([SqlRepository(file).create_all] * 8) == [None] * 8
        SqlRepository(file).commit(ca.Change(create=[COURSE]))

    def test_a_file_is_written_ahead(self, file: Engine) -> None:
        stocked(file)
        with file.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


class TestRefusing:
    def test_other_databases(self) -> None:
        engine = create_engine("sqlite://")
        engine.dialect.name = "oracle"
        error = refusal(lambda: SqlRepository(engine))
        assert (error.code, error.field) == ("unsupported_database", "bind")

    @pytest.mark.parametrize(
        ("name", "fits"),
        [("bind", ()), ("tables", (type(None),)), ("timeout", (timedelta,))],
    )
    def test_junk_for_a_repository(self, name: str, fits: tuple[type, ...], engine: Engine) -> None:
        check_refused(partial(SqlRepository, bind=engine), name, fits)

    @pytest.mark.parametrize(("name", "fits"), [("metadata", ()), ("prefix", (str,))])
    def test_junk_for_tables(self, name: str, fits: tuple[type, ...]) -> None:
        check_refused(partial(build_tables, metadata=MetaData()), name, fits)

    def test_a_negative_timeout_is_refused(self, engine: Engine) -> None:
        error = refusal(lambda: SqlRepository(engine, timeout=timedelta(microseconds=-1)))
        assert (error.code, error.field) == ("out_of_range", "timeout")
        assert "got -1e-06 seconds" in error.hint

    @pytest.mark.parametrize("timeout", [timedelta.max, timedelta(0)])
    def test_a_timeout_of_any_length_is_accepted(self, timeout: timedelta, engine: Engine) -> None:
        repository = stocked(engine, timeout=timeout)
        repository.commit(ca.Change(create=[COURSE]))
        assert [*repository.find(ca.CourseQuery())] == [COURSE]

    def test_junk_for_each_method(self, engine: Engine) -> None:
        repository = stocked(engine)
        calls: dict[str, Any] = {
            "kind": lambda it: repository.get(it, ["a"]),
            "ids": lambda it: repository.get(ca.User, it),
            "query": repository.find,
            "change": repository.commit,
            "before": repository.prune_events,
        }
        complaints = [
            f"{name}={junk.name} let out {error!r}"
            for name, call in calls.items()
            for junk in CATALOGUE
            if (error := foreign_error(partial(call, junk.make())))
        ]
        assert complaints == []

    @pytest.mark.parametrize("entry", QUERIES, ids=lambda entry: entry.name)
    def test_queries_with_any_accepted_value(self, entry: Any, engine: Engine) -> None:
        repository = stocked(engine)

        def find(name: str, value: Any) -> None:
            repository.find(entry.run(None, {**entry.arguments, name: value}))

        complaints = [
            f"{entry.name}({name}={junk.name}) let out {error!r}"
            for name in entry.arguments
            for junk in CATALOGUE
            if (error := foreign_error(partial(find, name, junk.make())))
        ]
        assert complaints == []

    @pytest.mark.parametrize(
        "query",
        [
            *(ca.CourseQuery(cursor=(name,)) for name in ("a\0b", "\ud800")),
            *(ca.EventQuery(cursor=(position,)) for position in (-(2**70), 2**70)),
        ],
    )
    def test_cursors_that_no_page_gives(self, query: ca.Query[Any], engine: Engine) -> None:
        assert refusal(lambda: stocked(engine).find(query)).code == "invalid_cursor"


def check_refused(call: Callable[..., object], name: str, fits: tuple[type, ...]) -> None:
    """Fail unless all junk for the argument *name* is refused, but what is of the types *fits*."""
    for junk in CATALOGUE:
        value = junk.make()
        if not issubclass(type(value), fits):
            assert refusal(partial(call, **{name: value})).field == name


def foreign_error(call: Callable[[], object]) -> Exception | None:
    """Return the error of *call* unless it is one of ours."""
    try:
        call()
    except ca.CourseAssignmentsError:
        return None
    except Exception as error:  # noqa: BLE001 - that is the point
        return error
    return None
