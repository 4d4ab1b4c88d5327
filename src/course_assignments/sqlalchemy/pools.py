"""Wait for a connection of a pool, but no longer than a call may take."""

from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock
from time import sleep
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import AsyncAdaptedQueuePool, Pool, QueuePool, StaticPool

from course_assignments.errors import StorageBusy
from course_assignments.sqlalchemy.dialects import Left

#: How many seconds pass between two looks at a pool that has no connection left.
_PAUSE: Final = 0.005


class _Gate:
    """What the threads that take connections from one pool share.

    A pool waits as long as its own timeout says. So a thread does not ask it while all connections
    are in use, or are about to be taken by others.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self._taking = 0

    def enter(self, pool: QueuePool) -> bool:
        """Return whether the pool has a connection for one more thread."""
        most = vars(pool).get("_max_overflow", -1)  # no public attribute says it; -1 is no limit
        with self.lock:
            free = pool.size() + most - pool.checkedout()
            if most >= 0 and free <= self._taking:
                return False
            self._taking += 1
            return True

    def leave(self) -> None:
        with self.lock:
            self._taking -= 1


_gates: Final[WeakKeyDictionary[Pool, _Gate]] = WeakKeyDictionary()
_gates_lock: Final = Lock()


def _gate(pool: Pool) -> _Gate:
    with _gates_lock:
        return _gates.setdefault(pool, _Gate())


@contextmanager
def sole_use(pool: StaticPool, left: Left) -> Generator[None]:
    """Wait until no other thread uses the only connection of *pool*."""
    lock = _gate(pool).lock
    if not lock.acquire(timeout=left()):
        raise StorageBusy("the one connection is in use")
    try:
        yield
    finally:
        lock.release()


@contextmanager
def turn(pool: Pool, left: Left) -> Generator[None]:
    """Wait until *pool* has a connection, which is to be taken in this block."""
    if not isinstance(pool, QueuePool) or isinstance(pool, AsyncAdaptedQueuePool):
        yield
        return
    gate = _gate(pool)
    while not gate.enter(pool):
        if not left():
            raise StorageBusy("all connections of the pool are in use")
        sleep(min(_PAUSE, left()))
    try:
        yield
    finally:
        gate.leave()
