"""Stop what takes too long, from one thread for all that is under way."""

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import lru_cache
from math import inf
from os import getpid
from threading import Condition, Lock, Thread
from time import monotonic


class _Block:
    """A block of code that has to end at a time of `monotonic`."""

    def __init__(self, end: float, stop: Callable[[], object]) -> None:
        self.end = end
        self._stop = stop
        self._is_over = False
        # Held while the block is stopped, so that this does not stop what comes after it.
        self._lock = Lock()

    def stop(self) -> None:
        with self._lock:
            if not self._is_over:
                # Without a connection to the server, nobody hears that it is to stop.
                with suppress(Exception):
                    self._stop()

    def leave(self) -> None:
        with self._lock:
            self._is_over = True


class _Watchdog:
    """Stops each block at its end."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._blocks: set[_Block] = set()
        self._next = inf
        self._thread: Thread | None = None

    def enter(self, block: _Block) -> None:
        # Most blocks end after others that are waited for, and need no lock.
        self._blocks.add(block)
        if block.end < self._next:
            with self._changed:
                if self._thread is None:
                    self._thread = Thread(target=self._run, name="course_assignments", daemon=True)
                    self._thread.start()
                self._changed.notify()

    def leave(self, block: _Block) -> None:
        self._blocks.discard(block)
        block.leave()

    def _run(self) -> None:
        while True:
            for block in self._late():
                block.stop()

    def _late(self) -> set[_Block]:
        """Wait until blocks have to end, and return them."""
        with self._changed:
            while True:
                self._next = inf  # whoever enters from now on waits for the lock
                blocks = self._blocks.copy()
                now = monotonic()
                late = {block for block in blocks if block.end <= now}
                if late:
                    self._blocks.difference_update(late)
                    return late
                self._next = min((block.end for block in blocks), default=inf)
                self._changed.wait(None if self._next == inf else self._next - now)


@lru_cache(maxsize=1)
def _watchdog(_: int) -> _Watchdog:
    """Return the one of this process: after a fork, the thread is not there."""
    return _Watchdog()


@contextmanager
def stopped_after(seconds: float, stop: Callable[[], object]) -> Generator[None]:
    """Call *stop* from another thread if the block takes longer than *seconds*."""
    watchdog = _watchdog(getpid())
    block = _Block(monotonic() + seconds, stop)
    watchdog.enter(block)
    try:
        yield
    finally:
        watchdog.leave(block)
