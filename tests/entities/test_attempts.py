"""Attempts: the order of their datetimes, their state and the time spent."""

from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course_assignments import Attempt, Pause
from course_assignments.testing.strategies import attempts
from tests.support.rules import STEPS, edges, elsewhere, moments
from tests.support.strategies import US, zones
from tests.support.values import refusal

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
GIVEN = Attempt(id="t-1", assignment_id="a-1", activity_id="lab", number=1, started_at=START)


def after(ticks: int | None) -> Any:
    """Return the datetime this number of microseconds after the start."""
    return None if ticks is None else START + ticks * US


class TestOrder:
    """Started, paused, resumed, paused again, finished: in this order, or at the same time."""

    ticks = st.integers(-1, 4)

    @given(
        st.lists(st.tuples(ticks, st.none() | ticks), max_size=3),
        st.none() | ticks,
    )
    @example([(1, 1), (1, 1)], 1)
    @example([(1, None), (1, 2)], 3)
    @example([(0, None)], -1)
    def test_is_required(self, breaks: list[tuple[int, int | None]], finished: int | None) -> None:
        happened = [0, *(tick for one in breaks for tick in one), finished]
        known = [tick for tick in happened if tick is not None]
        in_order = all(one <= other for one, other in pairwise(known))
        only_the_last_is_open = None not in [resumed for _, resumed in breaks[:-1]]
        pauses = [Pause(after(paused), after(resumed)) for paused, resumed in breaks]
        if in_order and only_the_last_is_open:
            attempt = attrs.evolve(GIVEN, pauses=pauses, finished_at=after(finished))
            assert attempt.changed_at == after(max(known))
        else:
            error = refusal(lambda: attrs.evolve(GIVEN, pauses=pauses, finished_at=after(finished)))
            assert error.code == "out_of_order"

    #: The second of two changes: its field, and the fields of an attempt in which it is at `at`.
    SECOND: tuple[tuple[str, Any], ...] = (
        ("pauses[0].paused_at", lambda at: {"started_at": START + HOUR, "pauses": [Pause(at)]}),
        ("pauses[0].resumed_at", lambda at: {"pauses": [Pause(START + HOUR, at)]}),
        ("pauses[1].paused_at", lambda at: {"pauses": [Pause(START, START + HOUR), Pause(at)]}),
        ("finished_at", lambda at: {"started_at": START + HOUR, "finished_at": at}),
        ("finished_at", lambda at: {"pauses": [Pause(START + HOUR)], "finished_at": at}),
        ("finished_at", lambda at: {"pauses": [Pause(START, START + HOUR)], "finished_at": at}),
    )

    @pytest.mark.parametrize("step", STEPS)
    @pytest.mark.parametrize(("name", "made"), SECOND)
    def test_two_changes_at_the_same_time_are_in_order(
        self, name: str, made: Any, step: timedelta
    ) -> None:
        fields = made(START + HOUR + step)
        if step < timedelta(0):
            error = refusal(lambda: attrs.evolve(GIVEN, **fields))
            assert (error.code, error.field) == ("out_of_order", name)
        else:
            assert attrs.evolve(GIVEN, **fields).changed_at == START + HOUR + step

    def test_only_the_last_pause_may_be_open(self) -> None:
        error = refusal(lambda: attrs.evolve(GIVEN, pauses=[Pause(START), Pause(START + HOUR)]))
        assert (error.code, error.field) == ("out_of_order", "pauses[0].resumed_at")

    @given(attempts(), zones())
    def test_datetimes_in_any_zone_make_the_same_attempt(
        self, attempt: Attempt, zone: tzinfo
    ) -> None:
        def move(at: datetime | None) -> Any:
            return None if at is None else at.astimezone(zone)

        again = attrs.evolve(
            attempt,
            started_at=move(attempt.started_at),
            pauses=[Pause(move(one.paused_at), move(one.resumed_at)) for one in attempt.pauses],
            finished_at=move(attempt.finished_at),
        )
        assert again == attempt
        assert again.changed_at.tzinfo is UTC


class TestState:
    RESUMED = Pause(START, START + HOUR)

    @pytest.mark.parametrize(
        ("pauses", "finished_at", "paused_at"),
        [
            ([], None, None),
            ([RESUMED], None, None),
            ([RESUMED, Pause(START + 2 * HOUR)], None, START + 2 * HOUR),
            ([Pause(START)], None, START),
            ([], START, None),
            # A finished attempt is not paused, even if nobody resumed it.
            ([Pause(START)], START + HOUR, None),
        ],
    )
    def test_an_open_pause_lasts_until_the_attempt_is_finished(
        self, pauses: list[Pause], finished_at: Any, paused_at: Any
    ) -> None:
        attempt = attrs.evolve(GIVEN, pauses=pauses, finished_at=finished_at)
        assert attempt.paused_at == paused_at
        assert attempt.is_open is (finished_at is None)

    @given(attempts())
    def test_changed_at_is_its_latest_datetime(self, attempt: Attempt) -> None:
        assert attempt.changed_at == max(edges(attempt, *attempt.pauses))


class TestTimeSpent:
    """The time between start and finish, without the pauses."""

    @given(
        gaps=st.lists(st.integers(0, 6), max_size=7),
        finished=st.booleans(),
        at=st.integers(-3, 45),
    )
    @example(gaps=[0, 0, 0, 0, 0], finished=True, at=0)
    @example(gaps=[1, 2], finished=True, at=9)
    @example(gaps=[1, 2], finished=False, at=2)
    def test_counts_every_microsecond_in_which_the_attempt_runs(
        self, *, gaps: list[int], finished: bool, at: int
    ) -> None:
        marks = [sum(gaps[: number + 1]) for number in range(len(gaps))]
        end = marks.pop() if finished and marks else None
        breaks = [
            (paused, marks[number + 1] if number + 1 < len(marks) else None)
            for number, paused in enumerate(marks)
            if number % 2 == 0
        ]
        attempt = attrs.evolve(
            GIVEN,
            pauses=[Pause(after(paused), after(resumed)) for paused, resumed in breaks],
            finished_at=after(end),
        )

        def is_running(tick: int) -> bool:
            is_paused = any(
                paused <= tick and (resumed is None or tick < resumed) for paused, resumed in breaks
            )
            return tick >= 0 and (end is None or tick < end) and not is_paused

        wanted = sum(map(is_running, range(at)))
        for moment in (after(at), *elsewhere(after(at))):
            assert attempt.time_spent(moment) == wanted * US

    @given(attempts(), st.data())
    def test_never_decreases_and_is_constant_after_the_end(
        self, attempt: Attempt, data: st.DataObject
    ) -> None:
        marks = {attempt.started_at, attempt.changed_at}
        early, late = sorted(data.draw(moments(marks)) for _ in range(2))
        spent, then = attempt.time_spent(early), attempt.time_spent(late)
        assert timedelta(0) <= spent <= then <= spent + (late - early)
        if not attempt.is_open or attempt.paused_at is not None:
            last = attempt.changed_at
            assert attempt.time_spent(max(last, late)) == attempt.time_spent(last)
