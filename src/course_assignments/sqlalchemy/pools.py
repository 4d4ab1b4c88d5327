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

#: The lock for each pool, which the threads that take connections from it share.
_locks: Final[WeakKeyDictionary[Pool, Lock]] = WeakKeyDictionary()
_locks_lock: Final = Lock()


@contextmanager
def locked(pool: Pool, left: Left, hint: str) -> Generator[None]:
    """Let one thread at a time take a connection from *pool*, or use its only one."""
    with _locks_lock:
        lock = _locks.setdefault(pool, Lock())
    if not lock.acquire(timeout=left()):
        raise StorageBusy(hint)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def sole_use(pool: StaticPool, left: Left) -> Generator[None]:
    """Wait until no other thread uses the only connection of *pool*."""
    with locked(pool, left, "the one connection is in use"):
        yield


@contextmanager
def turn(pool: Pool, left: Left) -> Generator[None]:
    """Wait until *pool* has a connection, which is to be taken in this block.

    A pool waits as long as its own timeout says, so nobody asks it while all connections are in
    use. The host may hold some of them, so a semaphore could not tell.
    """
    if not isinstance(pool, QueuePool) or isinstance(pool, AsyncAdaptedQueuePool):
        yield
        return
    hint = "all connections of the pool are in use"
    with locked(pool, left, hint):
        while not _has_connection(pool):
            if not left():
                raise StorageBusy(hint)
            sleep(min(_PAUSE, left()))
        yield


def _has_connection(pool: QueuePool) -> bool:
    most = vars(pool).get("_max_overflow", -1)  # no public attribute says it; -1 is no limit
    return most < 0 or pool.size() == 0 or pool.checkedout() < pool.size() + most
