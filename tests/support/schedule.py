"""A schedule decides which thread goes on, at every call of a repository, by a seeded generator."""

from collections.abc import Callable
from random import Random
from threading import Lock, Semaphore

import course_assignments as ca
from course_assignments.changes import R
from course_assignments.queries import RecordT
from course_assignments.validation import Strings

#: How likely a thread is to be held back before a step, and for how many choices at most. What was
#: read before a commit is old by then.
HELD = {"commit": 0.5, "get": 0.05, "find": 0.05, "begin": 0.1}
LONGEST = 30
#: How likely a second thread is to go on beside one that runs.
OVERLAP = 0.7


class Schedule:
    """Threads stop before each step, and the schedule chooses who goes on.

    With ``at_once=1`` one thread runs at a time, and a seed gives the same order each time. With
    more, calls overlap, and the order also depends on the machine. A thread only waits while
    another one runs, which will stop or end, so the threads never wait for each other.
    """

    def __init__(self, random: Random, threads: int, at_once: int = 1) -> None:
        """Expect all *threads* to run now, until each stops for the first time."""
        self._random = random
        self._at_once = at_once
        self._turns = [Semaphore(0) for _ in range(threads)]
        self._waiting: set[int] = set()
        self._running = threads
        self._lock = Lock()
        self._choices = 0
        self._held_until = [0] * threads

    def step(self, thread: int, name: str) -> None:
        """Stop before the step *name*, and go on when *thread* is chosen."""
        with self._lock:
            self._waiting.add(thread)
            if self._random.random() < HELD[name]:
                self._held_until[thread] = self._choices + self._random.randint(1, LONGEST)
            self._leave()
        self._turns[thread].acquire()

    def finish(self) -> None:
        """Let the others go on without this thread."""
        with self._lock:
            self._leave()

    def _leave(self) -> None:
        self._running -= 1
        while self._waiting and self._running < self._at_once:
            if self._running and self._random.random() > OVERLAP:
                return
            chosen = self._choose()
            self._waiting.remove(chosen)
            self._running += 1
            self._turns[chosen].release()

    def _choose(self) -> int:
        self._choices += 1
        waiting = sorted(self._waiting)
        free = [one for one in waiting if self._held_until[one] < self._choices]
        return self._random.choice(free or waiting)


class Scheduled:
    """A repository whose calls begin when *step*, which takes their name, returns."""

    def __init__(self, inner: ca.Repository, step: Callable[[str], None]) -> None:
        self._inner = inner
        self._step = step

    def get(self, kind: type[R], ids: Strings, /) -> dict[str, R]:
        self._step("get")
        return self._inner.get(kind, ids)

    def find(self, query: ca.Query[RecordT], /) -> ca.Page[RecordT]:
        self._step("find")
        return self._inner.find(query)

    def commit(self, change: ca.Change, /) -> None:
        self._step("commit")
        self._inner.commit(change)
