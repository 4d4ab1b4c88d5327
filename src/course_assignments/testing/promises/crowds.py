"""What holds when many threads come at once: as many as may, and nobody is refused falsely.

All wait at a barrier just before each call, and the interpreter switches threads as often as it
can, so that a check and a write that are not one thing are caught between.
"""

import sys
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from threading import Barrier, BrokenBarrierError, Thread
from time import monotonic
from typing import Any

import attrs

from course_assignments.changes import Change, Replace, Use
from course_assignments.entities.catalog import Course
from course_assignments.entities.keys import TrainingKey
from course_assignments.entities.people import User
from course_assignments.errors import Conflict
from course_assignments.queries import CourseQuery, EventQuery, UserQuery
from course_assignments.repository import Repository
from course_assignments.testing import stock
from course_assignments.testing.promises.base import Examples, listed, store, stored

#: How many threads there are, and how often they meet.
CREW, ROUNDS = 8, 6

#: How many seconds all of them together may take: a repository that hangs fails after that.
TIMEOUT = 60.0

KEY = TrainingKey(code="Hand-made-1", batch_id="spring", max_uses=20)


@contextmanager
def hasty_switching() -> Generator[None]:
    """Let the interpreter switch threads as often as it can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


@contextmanager
def setting(flag: threading.Event) -> Generator[None]:
    """Set *flag* at the end, however it comes, so that nobody waits for ever."""
    try:
        yield
    finally:
        flag.set()


@contextmanager
def abandoning(barrier: Barrier) -> Generator[None]:
    """Let nobody wait at *barrier* for somebody who fails."""
    try:
        yield
    except BaseException:
        barrier.abort()
        raise


def crew(tasks: Iterable[Callable[[], Any]]) -> list[Any]:
    """Carry out each task on a thread of its own; return what each came to, in their order."""
    todo = list(tasks)
    outcomes: dict[int, Any] = {}
    failures: list[BaseException] = []
    give_up_at = monotonic() + TIMEOUT

    def work(place: int) -> None:
        try:
            outcomes[place] = todo[place]()
        except BaseException as error:  # noqa: BLE001 - raised again by who waits for the threads
            failures.append(error)

    threads = [Thread(target=work, args=[place], daemon=True) for place in range(len(todo))]
    with hasty_switching():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, give_up_at - monotonic()))
    # Who waited in vain for one that failed has nothing to tell.
    for failure in sorted(failures, key=lambda error: isinstance(error, BrokenBarrierError)):
        raise failure
    assert len(outcomes) == len(todo), "a thread hangs"
    return [outcomes[place] for place in range(len(todo))]


def meet(repository: Repository, changes: Iterable[Iterable[Change]]) -> list[list[bool]]:
    """Commit the changes of each round at once; return of each whether it was stored."""
    rounds = [list(one) for one in changes]
    barrier = Barrier(len(rounds[0]), timeout=TIMEOUT)

    def commit_in_turn(place: int) -> list[bool]:
        done: list[bool] = []
        for together in rounds:
            barrier.wait()
            with abandoning(barrier):
                done.append(was_stored(repository, together[place]))
        return done

    columns = crew(partial(commit_in_turn, place) for place in range(len(rounds[0])))
    return [list(row) for row in zip(*columns, strict=True)]


def was_stored(repository: Repository, change: Change) -> bool:
    """Return whether *change* was stored; anything but a conflict is a fault."""
    try:
        repository.commit(change)
    except Conflict:
        return False
    return True


class Crowding(Examples):
    """No other commit comes between."""

    def test_a_key_is_used_as_often_as_it_may(self, repository: Repository) -> None:
        """By many at once who all read it unused: exactly so often, each with its event."""
        store(repository, KEY)
        change = Change(use=[Use(KEY, 1)], record=[stock.EVENTS[0]])
        stored_ = meet(repository, [[change] * CREW] * ROUNDS)
        assert sum(map(sum, stored_)) == KEY.max_uses < CREW * ROUNDS
        assert stored(repository, KEY).uses == KEY.max_uses
        positions = [event.position for event in listed(repository, EventQuery())]
        assert positions == [*range(1, KEY.max_uses + 1)]

    def test_nobody_is_refused_while_uses_are_left(self, repository: Repository) -> None:
        """However many come at once."""
        key = attrs.evolve(KEY, max_uses=CREW * ROUNDS)
        store(repository, key)
        stored_ = meet(repository, [[Change(use=[Use(key, 1)])] * CREW] * ROUNDS)
        assert stored_ == [[True] * CREW] * ROUNDS
        assert stored(repository, key).uses == key.max_uses

    def test_one_of_many_creates_an_id(self, repository: Repository) -> None:
        """And what it created is what is stored."""
        rounds = [
            [Course(id=f"course-{turn}", name=f"Of {who}") for who in range(CREW)]
            for turn in range(ROUNDS)
        ]
        stored_ = meet(repository, [[Change(create=[one]) for one in row] for row in rounds])
        for row, courses in zip(stored_, rounds, strict=True):
            winners = [one for one, won in zip(courses, row, strict=True) if won]
            assert len(winners) == 1
            assert stored(repository, winners[0]) == winners[0]

    def test_one_of_many_gets_an_address(self, repository: Repository) -> None:
        """However it is written."""
        rounds = [
            [
                User(id=f"{turn}-{who}", name="A user", email=f"{'eE'[who % 2]}{turn}@example.org")
                for who in range(CREW)
            ]
            for turn in range(ROUNDS)
        ]
        stored_ = meet(repository, [[Change(create=[one]) for one in row] for row in rounds])
        for turn, (row, users) in enumerate(zip(stored_, rounds, strict=True)):
            winners = [one for one, won in zip(users, row, strict=True) if won]
            assert listed(repository, UserQuery(email=f"e{turn}@example.org")) == winners
            assert len(winners) == 1

    def test_one_of_many_replaces_what_all_read(self, repository: Repository) -> None:
        """So no edit is overwritten unseen."""
        before = [Course(id="course", name=f"After {turn}") for turn in range(ROUNDS + 1)]
        repository.commit(Change(create=before[:1]))
        stored_ = meet(
            repository,
            [[Change(replace=[Replace(*pair)])] * CREW for pair in pairwise(before)],
        )
        assert [sum(row) for row in stored_] == [1] * ROUNDS
        assert stored(repository, before[-1]) == before[-1]

    def test_of_two_who_expect_what_the_other_replaces_one_wins(
        self, repository: Repository
    ) -> None:
        """Each decided on what the other takes away."""
        rounds: list[list[Change]] = []
        for turn in range(5 * ROUNDS):
            one, two = (Course(id=f"{turn}-{side}", name="Free") for side in "ab")
            repository.commit(Change(create=[one, two]))
            pairs = ((one, two), (two, one))
            rounds.append(
                [
                    Change(expect=[mine], replace=[Replace(other, attrs.evolve(other, name="No"))])
                    for mine, other in pairs
                ]
            )
        assert [sum(row) for row in meet(repository, rounds)] == [1] * len(rounds)

    def test_reading_is_a_snapshot_of_one_call(self, repository: Repository) -> None:
        """No call sees the half of a change."""
        turns = [
            [Course(id=name, name=f"{turn}") for name in ("first", "second")]
            for turn in range(20 * ROUNDS)
        ]
        repository.commit(Change(create=turns[0]))

        over, begin = threading.Event(), Barrier(3, timeout=TIMEOUT)

        def write() -> None:
            begin.wait()
            with setting(over):
                for before, after in pairwise(turns):
                    repository.commit(Change(replace=list(map(Replace, before, after))))

        def read() -> list[set[str]]:
            seen: list[set[str]] = []
            begin.wait()
            while not over.is_set():
                got = repository.get(Course, ["first", "second"])
                found = repository.find(CourseQuery())
                seen += [{one.name for one in got.values()}, {one.name for one in found}]
            return seen

        _, *seen = crew([write, read, read])
        assert all(len(names) == 1 for one in seen for names in one)

    def test_who_reads_on_misses_no_event(self, repository: Repository) -> None:
        """Events behind the last position that was read are all that have come since."""
        events = CREW * ROUNDS * 5

        over = threading.Event()

        def write_all() -> None:
            with setting(over):
                crew([write] * 4)

        def write() -> None:
            for _ in range(events // 4):
                repository.commit(Change(record=[stock.EVENTS[0]]))

        def read() -> list[int]:
            seen: list[int] = []
            while not over.is_set():
                seen += (one.position for one in repository.find(behind(seen)))
            return [*seen, *(one.position for one in listed(repository, behind(seen)))]

        def behind(seen: list[int]) -> EventQuery:
            return EventQuery(after=seen[-1] if seen else 0)

        _, seen = crew([write_all, read])
        assert seen == [*range(1, events + 1)]
