"""The system clock and the manual clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import Duration, DurationLike, ManualClock, Months, system_clock
from course_assignments.time.datetimes import LATEST, as_utc
from tests.support.strategies import US, instants, terms, utc_instants
from tests.support.values import refusal

START = datetime(2026, 1, 31, 9, tzinfo=UTC)


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
    ("duration", "shown"),
    [
        (timedelta(hours=24), "2026-02-01T09:00:00+00:00"),
        (US, "2026-01-31T09:00:00.000001+00:00"),
        (Months(1), "2026-02-28T09:00:00+00:00"),
        (relativedelta(months=1), "2026-02-28T09:00:00+00:00"),
        (relativedelta(weeks=1), "2026-02-07T09:00:00+00:00"),
    ],
    ids=repr,
)
def test_it_advances_by_any_kind_of_duration(duration: DurationLike, shown: str) -> None:
    clock = ManualClock(START)
    assert clock.advance(duration).isoformat() == shown
    assert repr(clock) == f"ManualClock({shown})"


def test_it_can_be_set_to_an_earlier_time() -> None:
    clock = ManualClock(START)
    past = datetime(2025, 1, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    assert clock.set(past) == datetime(2025, 1, 1, tzinfo=UTC)
    assert clock() is clock.set(clock())
    assert clock().tzinfo is UTC


@pytest.mark.parametrize("value", [timedelta(0), -US, 5, None, relativedelta(months=-1)], ids=repr)
def test_a_refused_duration_does_not_advance_it(value: Any) -> None:
    clock = ManualClock(START)
    assert refusal(lambda: clock.advance(value)).code == "invalid_duration"
    assert refusal(lambda: clock.set(START.replace(tzinfo=None))).field == "at"
    assert clock() == START


def test_it_stops_at_the_end_of_the_accepted_years() -> None:
    clock = ManualClock(LATEST)
    assert refusal(lambda: clock.advance(US)).code == "out_of_range"
    assert clock() == LATEST


@pytest.mark.parametrize(
    ("move", "shown"),
    [
        (lambda clock: clock.advance(timedelta(hours=1)), datetime(2026, 2, 28, 10, tzinfo=UTC)),
        (lambda clock: clock.set(START), START),
    ],
    ids=["advance", "set"],
)
def test_a_change_waits_for_another_one_in_progress(
    move: Callable[[ManualClock], object], shown: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(START)
    threads: list[Thread] = []
    after = Months.after

    def interrupted(months: Months, start: datetime, zone: tzinfo = UTC) -> datetime:
        thread = Thread(target=move, args=[clock])
        thread.start()
        # The thread ends at once, unless a lock makes it wait.
        thread.join(0.05)
        threads.append(thread)
        return after(months, start, zone)

    monkeypatch.setattr(Months, "after", interrupted)
    clock.advance(Months(1))
    for thread in threads:
        thread.join()
    assert clock() == shown
