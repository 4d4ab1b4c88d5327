"""All changes take what they hold in one order, so that none of them waits for one that waits."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import cycle, islice, product
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository, writing
from course_assignments.testing import samples
from course_assignments.testing.variants import edited
from tests.sql.database_cases import listening
from tests.support.empty_database import TABLES, empty_repository, engine_with_tables
from tests.support.races import Gate, Scene, granted, newcomers, outcomes_of
from tests.support.world import PYTHON, SQL

LEVEL = "READ COMMITTED"
DEADLOCK = "40P01"
#: What is in the sentences that hold rows, and in those that take a place for a new user.
HOLD, TAKE = " FOR ", "INSERT INTO users"
PEOPLE = newcomers(12)


@contextmanager
def states_of(engine: Engine) -> Iterator[Counter[str]]:
    """Count the sqlstates of all errors that the server gives, those tried again among them."""
    states: Counter[str] = Counter()

    def note(context: ExceptionContext) -> None:
        states[str(getattr(context.original_exception, "sqlstate", None))] += 1

    with listening(engine, "handle_error", note):
        yield states


def in_steps(gate: Gate, part: str) -> Engine:
    """Return an engine that takes row by row; who has said a sentence with *part* in it waits.

    Where all take the same first, the others cannot have come there, and it opens after a while.
    """
    engine = create_engine(engine_with_tables(LEVEL).url, insertmanyvalues_page_size=1)

    def wait(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:
        if part in statement:
            gate.meet()

    event.listen(engine, "after_cursor_execute", wait)
    return engine


def errors_of(part: str, changes: Sequence[ca.Change]) -> Counter[str]:
    """Return the sqlstates of *changes* that meet behind their first statement with *part*."""
    engine = in_steps(Gate(len(changes), timeout=0.2), part)
    repository = SqlRepository(engine, TABLES)
    with states_of(engine) as states:
        outcomes_of(partial(repository.commit, change) for change in changes)
    engine.dispose()
    return states


def as_given(
    records: Iterable[ca.Record], *_: object
) -> Iterator[tuple[type[Any], list[ca.Record]]]:
    """Give *records* one by one as they come, as one who does not think of others."""
    return ((type(record), [record]) for record in records)


class TestLockOrder:
    PEOPLE = newcomers(2)
    STEPS = tuple(ca.Replace(one, edited(one)) for one in (samples.PYTHON, samples.SQL))
    PAIR: tuple[ca.Record, ...] = (samples.PYTHON, samples.ACME)
    #: What is stored, the changes that meet, and the statement after which they do.
    PLAYS: Mapping[str, tuple[Sequence[ca.Record], list[ca.Change], str]] = {
        "creating": ((), [ca.Change(create=PEOPLE), ca.Change(create=PEOPLE[::-1])], TAKE),
        "replacing": (
            (samples.PYTHON, samples.SQL),
            [ca.Change(replace=STEPS), ca.Change(replace=STEPS[::-1])],
            HOLD,
        ),
        "expecting": (
            PAIR,
            [
                ca.Change(expect=[one], replace=[ca.Replace(other, edited(other))])
                for one, other in (PAIR, PAIR[::-1])
            ],
            HOLD,
        ),
    }

    def play(self, name: str) -> Counter[str]:
        known, both, part = self.PLAYS[name]
        empty_repository(LEVEL).commit(ca.Change(create=known))
        return errors_of(part, both)

    @pytest.mark.parametrize("name", PLAYS)
    def test_there_is_no_deadlock(self, name: str) -> None:
        assert self.play(name) == {}

    @pytest.mark.parametrize("name", PLAYS)
    def test_in_the_given_order_there_is_a_deadlock(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writing, "_by_kind", as_given)
        assert self.play(name)[DEADLOCK] > 0

    def test_two_rosters_with_the_same_people_under_other_ids(self) -> None:
        """They meet at the addresses, and one of them is told so."""
        repository = empty_repository(LEVEL)
        people = newcomers(2)
        again = [
            ca.User(id=id_, name=user.name, email=user.email)
            for id_, user in zip(("b", "a"), people, strict=True)
        ]
        assert errors_of(TAKE, [ca.Change(create=people), ca.Change(create=again)]) == {}
        assert len(repository.find(ca.UserQuery())) == 2


def crowd(level: str) -> tuple[Scene, Counter[str]]:
    """Let many who are about the same people, courses and keys all act at once."""
    scene = Scene(empty_repository(level))
    scene.registrar.add(*PEOPLE)
    ids = [one.id for one in PEOPLE]
    courses = [PYTHON.id, SQL.id]
    terms: dict[str, Any] = {"organization_id": "acme", "availability": timedelta(days=30)}
    for name in ("spring", "summer"):
        codes = [f"{name}-{number:04}" for number in range(6)]
        scene.registrar.create_keys("py", id=name, name=name, codes=codes, max_uses=9, **terms)
    for one in ids:
        scene.registrar.subscribe(courses, one, duration=timedelta(days=60), id=f"s-{one}")
        scene.registrar.open_course(f"s-{one}", "py")
    office = scene.on(scene.repository)

    def upload(turn: int) -> None:
        """The whole roster, from another place on and every second time backwards."""
        roster = [*islice(cycle(ids), turn * 5, turn * 5 + len(ids))][:: (-1) ** turn]
        office.assign_many(courses[:: (-1) ** (turn // 2)], roster, repeat=ca.Repeat.SKIP)

    def unsubscribe(some: Iterable[str]) -> None:
        for one in some:
            office.cancel_subscription(f"s-{one}")

    def edit(names: Sequence[str]) -> None:
        for maximum, name in product(range(10, 16), names):
            office.edit_keys(name, max_uses=maximum)

    def revoke(names: Sequence[str]) -> None:
        for name in names:
            office.revoke_keys(name)

    tasks: list[Callable[[], None]] = [
        *(partial(upload, turn) for turn in range(6)),
        *(partial(unsubscribe, some) for some in (ids, ids[::-1])),
        *(partial(edit, names) for names in (("spring", "summer"), ("summer", "spring"))),
        *(partial(revoke, names) for names in (("spring", "summer"), ("summer", "spring"))),
    ]
    with states_of(engine_with_tables(level)) as states:
        outcomes = outcomes_of(tasks)
    assert len(granted(outcomes)) >= len(tasks) - 2
    return scene, states


@pytest.mark.parametrize("level", [LEVEL, "SERIALIZABLE"])
def test_many_concurrent_commands_finish_without_a_deadlock(level: str) -> None:
    scene, states = crowd(level)
    assert states[DEADLOCK] == 0
    found = ca.find_all(scene.repository, ca.AssignmentQuery(limit=10_000))
    pairs = [(one.learner_id, one.course_id) for one in found if one.origin == ca.Direct()]
    assert len(pairs) == len(set(pairs))
    # Who has a course by a subscription that is not cancelled yet needs no other assignment.
    assert {one for one in pairs if one[1] == SQL.id} == {(one.id, SQL.id) for one in PEOPLE}
    subscribed = ca.find_all(scene.repository, ca.SubscriptionQuery())
    assert all(one.cancelled_at is not None for one in subscribed)
    keys = [*ca.find_all(scene.repository, ca.KeyQuery())]
    assert all(one.revoked_at is not None for one in keys)
