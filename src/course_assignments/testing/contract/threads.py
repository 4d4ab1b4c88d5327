"""The contract under concurrency: nothing too much, and no false conflicts.

All threads wait at a barrier just before each call, and the interpreter switches between them as
often as it can. So a check that is not atomic with its write fails.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import compress, pairwise
from threading import Barrier, Event

import attrs

from course_assignments import Course, TrainingKey
from course_assignments.changes import Change, R, Replace, Use
from course_assignments.queries import CourseQuery, EventQuery, UserQuery
from course_assignments.repository import Repository
from course_assignments.testing import samples
from course_assignments.testing.contract.base import (
    Examples,
    conflicting_ids,
    listed,
    store,
    stored,
)
from course_assignments.testing.threads import TIMEOUT, frequent_switching, run_in_threads

#: The number of threads, and of the changes that each commits.
THREADS, ROUNDS = 8, 6

KEY = TrainingKey(id="mine", code="Hand-made-1", batch_id="spring", number=3, max_uses=20)


def commit_together(
    repository: Repository, changes: Iterable[Iterable[Change]]
) -> list[list[bool]]:
    """Commit the changes of each round at once; return whether each was stored."""
    rounds = [list(one) for one in changes]
    barrier = Barrier(len(rounds[0]), timeout=TIMEOUT)

    def commit_in_turn(place: int) -> list[bool]:
        done: list[bool] = []
        try:
            for together in rounds:
                barrier.wait()
                done.append(not conflicting_ids(repository, together[place]))
        except BaseException:
            barrier.abort()  # so that no thread waits for this one
            raise
        return done

    with frequent_switching():
        columns = run_in_threads(partial(commit_in_turn, place) for place in range(len(rounds[0])))
    return [list(row) for row in zip(*columns, strict=True)]


def created_together(repository: Repository, rounds: Sequence[Sequence[R]]) -> list[R]:
    """Create the records of each round at once; return the one of each that was stored."""
    changes = [[Change(create=[one]) for one in records] for records in rounds]
    outcomes = commit_together(repository, changes)
    assert [sum(row) for row in outcomes] == [1] * len(rounds)
    return [next(compress(*pair)) for pair in zip(rounds, outcomes, strict=True)]


def read_during(write: Callable[[], object], *reads: Callable[[], object]) -> None:
    """Repeat each of *reads* in a thread while another thread executes *write*."""
    over, begin = Event(), Barrier(1 + len(reads), timeout=TIMEOUT)

    def write_once() -> None:
        begin.wait()
        try:
            write()
        finally:
            over.set()

    def repeat(read: Callable[[], object]) -> None:
        begin.wait()
        while not over.is_set():
            read()

    tasks: list[Callable[[], object]] = [write_once, *(partial(repeat, read) for read in reads)]
    with frequent_switching():
        run_in_threads(tasks)


class Concurrency(Examples):
    """Each commit is atomic."""

    def test_a_key_is_used_as_often_as_it_may(self, repository: Repository) -> None:
        store(repository, KEY)
        change = Change(use=[Use(KEY, 1)], record=[samples.EVENTS[0]])
        outcomes = commit_together(repository, [[change] * THREADS] * ROUNDS)
        assert sum(map(sum, outcomes)) == KEY.max_uses < THREADS * ROUNDS
        assert stored(repository, KEY).uses == KEY.max_uses
        positions = [event.position for event in listed(repository, EventQuery())]
        assert positions == [*range(1, KEY.max_uses + 1)]

    def test_nobody_is_refused_while_uses_are_left(self, repository: Repository) -> None:
        key = attrs.evolve(KEY, max_uses=THREADS * ROUNDS)
        store(repository, key)
        outcomes = commit_together(repository, [[Change(use=[Use(key, 1)])] * THREADS] * ROUNDS)
        assert outcomes == [[True] * THREADS] * ROUNDS
        assert stored(repository, key).uses == key.max_uses

    def test_one_of_many_creates_an_id(self, repository: Repository) -> None:
        rounds = [
            [Course(id=f"course-{turn}", name=f"Of {who}") for who in range(THREADS)]
            for turn in range(ROUNDS)
        ]
        for course in created_together(repository, rounds):
            assert stored(repository, course) == course

    def test_one_of_many_gets_an_address(self, repository: Repository) -> None:
        """The spelling of the address does not matter."""
        rounds = [
            [
                samples.user(f"{turn}-{who}", email=f"{'eE'[who % 2]}{turn}@example.org")
                for who in range(THREADS)
            ]
            for turn in range(ROUNDS)
        ]
        for user in created_together(repository, rounds):
            assert listed(repository, UserQuery(email=user.email)) == [user]

    def test_one_of_many_replaces_what_all_read(self, repository: Repository) -> None:
        """So no edit is overwritten silently."""
        before = [Course(id="course", name=f"After {turn}") for turn in range(ROUNDS + 1)]
        repository.commit(Change(create=before[:1]))
        outcomes = commit_together(
            repository, [[Change(replace=[Replace(*pair)])] * THREADS for pair in pairwise(before)]
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
            rounds.append(
                [
                    Change(expect=[mine], replace=[Replace(other, attrs.evolve(other, name="No"))])
                    for mine, other in ((one, two), (two, one))
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
        seen: list[set[str]] = []

        def write() -> None:
            for before, after in pairwise(turns):
                repository.commit(Change(replace=list(map(Replace, before, after))))

        def read() -> None:
            seen.append({one.name for one in repository.get(Course, ["first", "second"]).values()})
            seen.append({one.name for one in repository.find(CourseQuery())})

        read_during(write, read, read)
        assert [names for names in seen if len(names) != 1] == []

    def test_readers_miss_no_event(self, repository: Repository) -> None:
        events = THREADS * ROUNDS * 5
        seen: list[int] = []

        def write() -> None:
            for _ in range(events // 4):
                repository.commit(Change(record=[samples.EVENTS[0]]))

        def after() -> EventQuery:
            return EventQuery(after=seen[-1] if seen else 0)

        def read() -> None:
            seen.extend([one.position for one in repository.find(after())])

        read_during(lambda: run_in_threads([write] * 4), read)
        seen += [one.position for one in listed(repository, after())]
        assert seen == [*range(1, events + 1)]
