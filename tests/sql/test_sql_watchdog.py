"""What takes too long is stopped, and nothing else is."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event as Signal
from typing import NoReturn

import pytest

from course_assignments.sqlalchemy import watchdog
from course_assignments.sqlalchemy.watchdog import stopped_after
from tests.support.races import TIMEOUT


def stop_at_once() -> None:
    """Fail unless a block that has no time is stopped."""
    stopped = Signal()
    with stopped_after(0, stopped.set):
        assert stopped.wait(TIMEOUT)


class TestStoppedAfter:
    def test_a_block_is_stopped_at_its_end(self) -> None:
        stop_at_once()

    def test_a_block_that_begins_later_may_end_earlier(self) -> None:
        with stopped_after(60, pytest.fail):
            stop_at_once()
        stop_at_once()

    def test_several_are_stopped_at_once(self) -> None:
        with ThreadPoolExecutor(8) as threads:
            for one in [threads.submit(stop_at_once) for _ in range(64)]:
                one.result(TIMEOUT)

    def test_each_is_stopped_once(self) -> None:
        stopped: list[int] = []
        with stopped_after(0, lambda: stopped.append(1)):
            stop_at_once()  # it has seen the other one by then
            stop_at_once()
        assert stopped == [1]

    def test_an_error_while_stopping_stops_nothing_else(self) -> None:
        def fail() -> NoReturn:
            raise OSError

        with stopped_after(0, fail):
            stop_at_once()
            stop_at_once()

    def test_what_comes_after_a_block_is_not_stopped(self) -> None:
        """A block ends only when nobody is stopping it any more."""
        begun, go_on, stopped = Signal(), Signal(), Signal()

        def stop() -> None:
            begun.set()
            assert go_on.wait(TIMEOUT)
            stopped.set()

        def leave() -> bool:
            with stopped_after(0, stop):
                assert begun.wait(TIMEOUT)
            return stopped.is_set()

        with ThreadPoolExecutor(1) as thread:
            leaving = thread.submit(leave)
            assert begun.wait(TIMEOUT)
            go_on.set()
            assert leaving.result(TIMEOUT)

    def test_a_block_that_is_over_is_not_stopped(self) -> None:
        block = watchdog._Block(0, pytest.fail)  # noqa: SLF001 - to be in time
        block.leave()
        block.stop()

    def test_a_block_that_ends_after_the_next_wakes_nobody(self) -> None:
        idle = watchdog._Watchdog()  # noqa: SLF001
        idle._next = 1  # noqa: SLF001 - as if its thread waited
        idle.enter(watchdog._Block(1, pytest.fail))  # noqa: SLF001
        assert idle._thread is None  # noqa: SLF001

    def test_a_process_that_was_forked_has_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stop_at_once()
        monkeypatch.setattr(watchdog, "getpid", lambda: -1)
        stop_at_once()
