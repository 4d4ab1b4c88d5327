"""Many who redeem keep nobody from changing their course: who waits to change it is next."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import cycle
from threading import Event as Signal
from time import monotonic
from typing import Any

import attrs
import pytest
from sqlalchemy import Connection, Engine, create_engine, text

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository
from course_assignments.testing import samples
from course_assignments.testing.variants import edited
from tests.support.empty_database import TABLES, empty_repository, engine_with_tables
from tests.support.races import TIMEOUT, Scene, newcomers, outcome_of
from tests.support.sessions import PID, Open, queues_nowhere, without
from tests.support.sql import closing
from tests.support.world import PYTHON

LEVEL = "READ COMMITTED"
CODE = "Spring-2026"
SHARED: list[ca.Record] = [samples.ACME, samples.PYTHON]
THREADS = 12
BEHIND = text(
    "SELECT pid FROM pg_stat_activity WHERE :pid = ANY (pg_blocking_pids(pid)) AND pid <> :pid"
)


def held_up(observer: Connection, pid: int, arriving: "Future[Any]") -> int | None:
    """Return who waits for *pid*, as soon as it is known, or ``None`` if *arriving* is through."""
    give_up_at = monotonic() + TIMEOUT
    while not arriving.done():
        if found := observer.execute(BEHIND, {"pid": pid}).scalars().first():
            return int(found)
        assert monotonic() < give_up_at, "it neither waits nor ends"
    return None


def queue(record: ca.Record, make: Open = SqlRepository) -> None:
    """Fail unless who comes while another waits to change *record* gets what is changed then."""
    repository, engine = empty_repository(LEVEL), engine_with_tables(LEVEL)
    repository.commit(ca.Change(create=[record]))
    change = ca.Change(replace=[ca.Replace(record, edited(record))])
    first, second = (
        ca.Change(expect=[record], create=[ca.Course(id=id_, name="New")]) for id_ in ("c-1", "c-2")
    )
    with (
        engine.connect() as connection,
        engine.connect() as observer,
        ThreadPoolExecutor(2) as threads,
    ):
        observer.execution_options(isolation_level="AUTOCOMMIT")
        make(connection).commit(first)
        pid = connection.execute(PID).scalar_one()
        changing = threads.submit(outcome_of, partial(make(engine).commit, change))
        changer = held_up(observer, pid, changing)
        assert changer is not None
        coming = threads.submit(outcome_of, partial(make(engine).commit, second))
        try:
            assert held_up(observer, changer, coming), "who came last was first"
        finally:
            connection.commit()
        assert changing.result(TIMEOUT) is None
        assert coming.result(TIMEOUT) == ca.Conflict((record.id,))
    assert repository.get(type(record), [record.id]) == {record.id: edited(record)}


class TestQueue:
    @pytest.mark.parametrize("record", SHARED, ids=lambda record: type(record).__name__)
    def test_who_waits_to_change_is_next(self, record: ca.Record) -> None:
        queue(record)

    @pytest.mark.parametrize("record", SHARED, ids=lambda record: type(record).__name__)
    def test_without_it_others_pass(self, record: ca.Record) -> None:
        with pytest.raises(AssertionError, match="who came last was first"):
            queue(record, without(queues_nowhere))

    def test_those_who_change_nothing_do_not_wait(self) -> None:
        repository = empty_repository(LEVEL)
        repository.commit(ca.Change(create=SHARED))
        engine = engine_with_tables(LEVEL)
        with engine.connect() as connection, ThreadPoolExecutor(1) as thread:
            binds: tuple[Connection | Engine, ...] = (connection, engine)
            for place, bind in enumerate(binds):
                new = ca.Course(id=f"c-{place}", name="New")
                change = ca.Change(expect=SHARED, create=[new])
                coming = thread.submit(outcome_of, partial(SqlRepository(bind).commit, change))
                assert coming.result(TIMEOUT) is None

    def test_has_a_bounded_number_of_places(self) -> None:
        """The server keeps a few thousand locks for all, whatever a roster names."""
        courses = [ca.Course(id=f"c-{number}", name="Course") for number in range(2_000)]
        empty_repository(LEVEL).commit(ca.Change(create=courses))
        count = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = :pid")
        with engine_with_tables(LEVEL).connect() as connection:
            change = ca.Change(expect=courses, create=[samples.ACME])
            SqlRepository(connection, TABLES).commit(change)
            pid = connection.execute(PID).scalar_one()
            assert connection.execute(count, {"pid": pid}).scalar_one() == 256


@contextmanager
def crowd(repository: ca.Repository) -> Iterator[Callable[[], int]]:
    """Let 12 threads redeem all the time; gives what tells how often they have."""
    people = newcomers(THREADS * 300)
    scene = Scene(repository)
    scene.registrar.add(*people)
    terms: dict[str, Any] = {"organization_id": "acme", "availability": timedelta(days=30)}
    scene.registrar.create_keys(
        "py", name="Spring", codes=[CODE], max_uses=10**6, any_organization=True, **terms
    )
    done = Signal()
    redeemed: list[str] = []

    def redeem(place: int) -> None:
        for learner in cycle(people[place::THREADS]):
            if done.is_set():
                return
            try:
                redeemed.append(scene.registrar.redeem(CODE, learner.id).id)
            except ca.Refused as refused:
                codes = {reason.code for reason in refused.decision.reasons}
                assert codes <= {"course_archived", "key_already_redeemed"}, codes

    with ThreadPoolExecutor(THREADS) as threads:
        redeeming = [threads.submit(redeem, place) for place in range(THREADS)]
        try:
            yield lambda: len(redeemed)
        finally:
            done.set()
        assert [one.result(TIMEOUT) for one in redeeming] == [None] * THREADS


def archive(times: int, make: Open = SqlRepository) -> None:
    """Archive the course amid a crowd, and bring it back; no change may take two seconds."""
    empty_repository(LEVEL)
    many = create_engine(engine_with_tables(LEVEL).url, pool_size=THREADS + 1)
    with closing(many) as engine, crowd(make(engine)) as redeemed:
        office = ca.Registrar(make(engine, timeout=timedelta(seconds=2)), timeout=timedelta(0))
        for archived in [True, False] * times:
            office.update(attrs.evolve(PYTHON, archived=archived))
            enough = redeemed() + THREADS
            give_up_at = monotonic() + TIMEOUT
            while not archived and redeemed() < enough:  # until they are at it again
                assert monotonic() < give_up_at, "they have stopped"
                Signal().wait(0.001)


def test_a_course_is_archived_amid_a_crowd() -> None:
    archive(20)


def test_without_a_queue_it_is_not() -> None:
    with pytest.raises(ca.StorageBusy):
        archive(100, without(queues_nowhere))
