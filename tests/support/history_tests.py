"""Tests that histories are linearizable, to inherit for each storage.

``HISTORIES`` sets how many are recorded on each storage; the published figures are for 2,000.
"""

import os
from collections import Counter
from collections.abc import Callable
from time import perf_counter
from typing import ClassVar

import course_assignments as ca
from course_assignments.commands import COMMANDS
from tests.support.histories import Failure, History, Make, random_history
from tests.support.history_commands import LENGTH, THREADS, Look
from tests.support.linearizable import Search

#: How many histories to record on each storage; 0 leaves it to the test.
HISTORIES = int(os.environ.get("HISTORIES", "0"))

#: The commands that write; `Keys` only reads.
WRITING = COMMANDS.keys() - {"keys"}

#: In how many histories every command has a result.
ENOUGH = 100

#: What makes an empty repository, again and again.
Empty = Callable[[], ca.Repository]


def refused(make: Make, number: int) -> Search | None:
    """Return the search for the first of *number* histories that is not linearizable, if any."""
    for seed in range(number):
        search = Search(make(seed))
        if search.order() is None:
            return search
    return None


def answered(history: History) -> Counter[str]:
    """Count the commands in *history* that returned a result, by their actions."""
    return Counter(
        one.step.action
        for one in history.operations()
        if not isinstance(one.step, Look) and not isinstance(one.result, Failure)
    )


class HistoryTests:
    """Inherit, with fixtures: `empty`, the `backend` for the figures, and the `short` number."""

    #: How many threads run at once, from one history to the next.
    OVERLAPS: ClassVar[tuple[int, ...]] = (1, 2, 3, 4)

    def test_all_histories_are_linearizable(
        self, empty: Empty, backend: str, short: int, note: Callable[..., None]
    ) -> None:
        number = HISTORIES or short
        done: Counter[str] = Counter()
        begin = perf_counter()
        for seed in range(number):
            at_once = self.OVERLAPS[seed % len(self.OVERLAPS)]
            history = random_history(seed, empty(), at_once=at_once)
            search = Search(history)
            assert search.order() is not None, f"history {seed}: {search.report()}"
            done += answered(history)
        # In fewer histories, a command that is rare may not succeed.
        assert number < ENOUGH or done.keys() == WRITING
        note(
            *(backend, f"{number:,}", f"{number * THREADS * LENGTH:,}", f"{done.total():,}", "0"),
            f"{perf_counter() - begin:,.0f} s",
        )
