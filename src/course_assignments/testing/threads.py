"""Tools to run tasks in threads, with very frequent switching between them."""

import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from threading import BrokenBarrierError, Thread
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

#: After this many seconds, threads that still run count as hanging.
TIMEOUT = 60.0


@contextmanager
def frequent_switching() -> Generator[None]:
    """Let the interpreter switch threads as often as it can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def run_in_threads(tasks: Iterable[Callable[[], T]], timeout: float = TIMEOUT) -> list[T]:
    """Run each task in a separate thread, and return the results in order.

    Raises:
        BaseException: The error of a task; a broken barrier only if no other task failed.
    """
    todo = list(tasks)
    results: dict[int, T] = {}
    failures: list[BaseException] = []
    give_up_at = monotonic() + timeout

    def work(number: int) -> None:
        try:
            results[number] = todo[number]()
        except BaseException as error:  # noqa: BLE001 - raised again by the waiting thread
            failures.append(error)

    threads = [Thread(target=work, args=[number], daemon=True) for number in range(len(todo))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, give_up_at - monotonic()))
    # A broken barrier only shows that another thread failed.
    for failure in sorted(failures, key=lambda error: isinstance(error, BrokenBarrierError)):
        raise failure
    assert len(results) == len(todo), "a thread hangs"
    return [results[number] for number in range(len(todo))]
