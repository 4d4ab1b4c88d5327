"""The contract under concurrency: nothing too much, and no false conflicts.

All threads wait at a barrier just before each call, and the interpreter switches between them as
often as it can. So a check that is not atomic with its write fails.
"""

import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from threading import Barrier

import attrs

from course_assignments.changes import Change, Replace, Use
from course_assignments.entities.catalog import Course
from course_assignments.entities.keys import TrainingKey
from course_assignments.entities.people import User
from course_assignments.errors import Conflict
from course_assignments.queries import CourseQuery, EventQuery, UserQuery
from course_assignments.repository import Repository
from course_assignments.testing import samples
from course_assignments.testing.contract.base import Examples, listed, store, stored
from course_assignments.testing.threads import TIMEOUT, frequent_switching, run_in_threads

#: The number of threads, and of the changes that each commits.
THREADS, ROUNDS = 8, 6

KEY = TrainingKey(id="mine", code="Hand-made-1", batch_id="spring", number=3, max_uses=20)


@contextmanager
def setting(flag: threading.Event) -> Generator[None]:
    """Set *flag* at the end, even after an error, so that no thread waits forever."""
    try:
        yield
    finally:
        flag.set()


@contextmanager
def abandoning(barrier: Barrier) -> Generator[None]:
    """Break *barrier* after an error, so that no thread waits for the failed thread."""
    try:
        yield
    except BaseException:
        barrier.abort()
        raise


def commit_together(
    repository: Repository, changes: Iterable[Iterable[Change]]
) -> list[list[bool]]:
    """Commit the changes of each round at once; return whether each was stored."""
    rounds = [list(one) for one in changes]
    barrier = Barrier(len(rounds[0]), timeout=TIMEOUT)

    def commit_in_turn(place: int) -> list[bool]:
        done: list[bool] = []
        for together in rounds:
            barrier.wait()
            with abandoning(barrier):
                done.append(was_stored(repository, together[place]))
        return done

    with frequent_switching():
        columns = run_in_threads(partial(commit_in_turn, place) for place in range(len(rounds[0])))
    return [list(row) for row in zip(*columns, strict=True)]


def was_stored(repository: Repository, change: Change) -> bool:
    """Commit *change*, and return whether it was stored instead of a conflict."""
    try:
        repository.commit(change)
    except Conflict:
        return False
    return True


class Concurrency(Examples):
    """Each commit is atomic."""

    def test_a_key_is_used_as_often_as_it_may(self, repository: Repository) -> None:
        """Many threads use the key exactly as often as allowed, each with an event."""
        store(repository, KEY)
        change = Change(use=[Use(KEY, 1)], record=[samples.EVENTS[0]])
        outcomes = commit_together(repository, [[change] * THREADS] * ROUNDS)
        assert sum(map(sum, outcomes)) == KEY.max_uses < THREADS * ROUNDS
        assert stored(repository, KEY).uses == KEY.max_uses
        positions = [event.position for event in listed(repository, EventQuery())]
        assert positions == [*range(1, KEY.max_uses + 1)]

    def test_nobody_is_refused_while_uses_are_left(self, repository: Repository) -> None:
        """The number of threads that use the key at the same time does not matter."""
        key = attrs.evolve(KEY, max_uses=THREADS * ROUNDS)
        store(repository, key)
        outcomes = commit_together(repository, [[Change(use=[Use(key, 1)])] * THREADS] * ROUNDS)
        assert outcomes == [[True] * THREADS] * ROUNDS
        assert stored(repository, key).uses == key.max_uses

    def test_one_of_many_creates_an_id(self, repository: Repository) -> None:
        """Its record is the stored record."""
        rounds = [
            [Course(id=f"course-{turn}", name=f"Of {who}") for who in range(THREADS)]
            for turn in range(ROUNDS)
        ]
        outcomes = commit_together(
            repository, [[Change(create=[one]) for one in row] for row in rounds]
        )
        for row, courses in zip(outcomes, rounds, strict=True):
            winners = [one for one, won in zip(courses, row, strict=True) if won]
            assert len(winners) == 1
            assert stored(repository, winners[0]) == winners[0]

    def test_one_of_many_gets_an_address(self, repository: Repository) -> None:
        """The spelling of the address does not matter."""
        rounds = [
            [
                User(id=f"{turn}-{who}", name="A user", email=f"{'eE'[who % 2]}{turn}@example.org")
                for who in range(THREADS)
            ]
            for turn in range(ROUNDS)
        ]
        outcomes = commit_together(
            repository, [[Change(create=[one]) for one in row] for row in rounds]
        )
        for turn, (row, users) in enumerate(zip(outcomes, rounds, strict=True)):
            winners = [one for one, won in zip(users, row, strict=True) if won]
            assert listed(repository, UserQuery(email=f"e{turn}@example.org")) == winners
            assert len(winners) == 1

    def test_one_of_many_replaces_what_all_read(self, repository: Repository) -> None:
        """So no edit is overwritten silently."""
        before = [Course(id="course", name=f"After {turn}") for turn in range(ROUNDS + 1)]
        repository.commit(Change(create=before[:1]))
        outcomes = commit_together(
            repository,
            [[Change(replace=[Replace(*pair)])] * THREADS for pair in pairwise(before)],
        )
        assert [sum(row) for row in outcomes] == [1] * ROUNDS
        assert stored(repository, before[-1]) == before[-1]

    def test_of_two_who_expect_what_the_other_replaces_one_wins(
        self, repository: Repository
    ) -> None:
        """Each change was decided on a record that the other change replaces."""
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
        assert [sum(row) for row in commit_together(repository, rounds)] == [1] * len(rounds)

    def test_reading_is_a_snapshot_of_one_call(self, repository: Repository) -> None:
        """No call reads half of a change."""
        turns = [
            [Course(id=name, name=f"{turn}") for name in ("first", "second")]
            for turn in range(20 * ROUNDS)
        ]
        repository.commit(Change(create=turns[0]))

        over, begin = threading.Event(), Barrier(3, timeout=TIMEOUT)

        def write() -> list[set[str]]:
            begin.wait()
            with setting(over):
                for before, after in pairwise(turns):
                    repository.commit(Change(replace=list(map(Replace, before, after))))
            return []

        def read() -> list[set[str]]:
            seen: list[set[str]] = []
            begin.wait()
            while not over.is_set():
                got = repository.get(Course, ["first", "second"])
                found = repository.find(CourseQuery())
                seen += [{one.name for one in got.values()}, {one.name for one in found}]
            return seen

        with frequent_switching():
            _, *seen = run_in_threads([write, read, read])
        assert all(len(names) == 1 for one in seen for names in one)

    def test_who_reads_on_misses_no_event(self, repository: Repository) -> None:
        """All events after the last read position are new."""
        events = THREADS * ROUNDS * 5

        over = threading.Event()

        def write_all() -> None:
            with setting(over):
                run_in_threads([write] * 4)

        def write() -> None:
            for _ in range(events // 4):
                repository.commit(Change(record=[samples.EVENTS[0]]))

        def read() -> list[int]:
            seen: list[int] = []
            while not over.is_set():
                seen += (one.position for one in repository.find(after(seen)))
            return [*seen, *(one.position for one in listed(repository, after(seen)))]

        def after(seen: list[int]) -> EventQuery:
            return EventQuery(after=seen[-1] if seen else 0)

        with frequent_switching():
            _, seen = run_in_threads([write_all, read])
        assert seen == [*range(1, events + 1)]
