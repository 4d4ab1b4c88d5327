"""Clocks: the system's, and one that is moved by hand."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import Duration, DurationLike, ManualClock, Months, system_clock
from course_assignments.time.datetimes import as_utc
from tests.support.strategies import US, instants, terms, utc_instants
from tests.support.values import refusal

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
NAIVE = datetime.fromisoformat("2026-01-05")


def test_the_system_clock_returns_a_datetime_in_utc() -> None:
    now = system_clock()
    assert as_utc(now) is now


@given(instants())
def test_a_manual_clock_shows_the_given_datetime_in_utc(at: datetime) -> None:
    clock = ManualClock(at)
    assert clock() == as_utc(at)
    assert clock().tzinfo is UTC
    assert clock() is clock()


@given(utc_instants(), st.lists(terms(timedelta(days=400)), max_size=5))
def test_it_advances_by_the_given_durations(at: datetime, moves: list[Duration]) -> None:
    clock = ManualClock(at)
    for move in moves:
        before = clock()
        after = clock.advance(move)
        assert after is clock()
        assert after > before
        if isinstance(move, timedelta):
            assert after == before + move
        else:
            assert after == before + relativedelta(months=move.count)


@pytest.mark.parametrize(
    ("term", "shown"),
    [
        (timedelta(hours=24), "2026-02-01T09:00:00+00:00"),
        (US, "2026-01-31T09:00:00.000001+00:00"),
        (Months(1), "2026-02-28T09:00:00+00:00"),
        (relativedelta(months=1), "2026-02-28T09:00:00+00:00"),
        (relativedelta(weeks=1), "2026-02-07T09:00:00+00:00"),
    ],
    ids=repr,
)
def test_it_advances_by_any_kind_of_duration(term: DurationLike, shown: str) -> None:
    clock = ManualClock(START)
    assert clock.advance(term).isoformat() == shown
    assert repr(clock) == f"ManualClock({shown})"


def test_it_can_be_set_back() -> None:
    clock = ManualClock(START)
    past = datetime(2025, 1, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    assert clock.set(past) == datetime(2025, 1, 1, tzinfo=UTC)
    assert clock() is clock.set(clock())
    assert clock().tzinfo is UTC


@pytest.mark.parametrize("value", [NAIVE, date(2026, 1, 5), "2026-01-05", None])
def test_it_never_shows_an_invalid_datetime(value: Any) -> None:
    clock = ManualClock(START)
    assert refusal(lambda: ManualClock(value)).field == "at"
    assert refusal(lambda: clock.set(value)).field == "at"
    assert clock() == START


@pytest.mark.parametrize("value", [timedelta(0), -US, 5, None, relativedelta(months=-1)], ids=repr)
def test_a_move_that_is_refused_does_not_move_it(value: Any) -> None:
    clock = ManualClock(START)
    assert refusal(lambda: clock.advance(value)).code == "invalid_duration"
    assert clock() == START


def test_it_stops_before_the_end_of_time() -> None:
    last = datetime(9900, 1, 1, tzinfo=UTC) - US
    clock = ManualClock(last)
    assert refusal(lambda: clock.advance(US)).code == "out_of_range"
    assert clock() == last


class InterruptedMonths(Months):
    """A month during which another thread has all the time it wants to do something else."""

    other: Callable[[], object]
    threads: list[Thread]

    def after(self, start: datetime, zone: tzinfo = UTC) -> datetime:
        thread = Thread(target=type(self).other)
        thread.start()
        # It ends at once if nothing makes it wait, and is given up waiting for if something does.
        thread.join(0.05)
        self.threads.append(thread)
        return super().after(start, zone)


@pytest.mark.parametrize(
    ("move", "shown"),
    [
        (lambda clock: clock.advance(timedelta(hours=1)), datetime(2026, 2, 28, 10, tzinfo=UTC)),
        (lambda clock: clock.set(START), START),
    ],
    ids=["advance", "set"],
)
def test_a_move_waits_for_another_that_has_begun(
    move: Callable[[ManualClock], object], shown: datetime
) -> None:
    clock = ManualClock(START)
    threads: list[Thread] = []

    class Month(InterruptedMonths):
        other = staticmethod(lambda: move(clock))

    Month.threads = threads
    clock.advance(Month(1))
    for thread in threads:
        thread.join()
    assert clock() == shown
