"""Clocks: the system clock, and a clock that tests set. Only this file reads the system time."""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from typing import TypeAlias

from course_assignments.time.datetimes import as_utc
from course_assignments.time.durations import DurationLike, as_duration, end_of

#: Any callable that returns the current time as an aware `datetime`.
Clock: TypeAlias = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the current time of this machine, in UTC.

    >>> system_clock().tzinfo
    datetime.timezone.utc
    """
    return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until you move it, for tests, notebooks and demos.

    Args:
        at: The aware datetime that the clock shows first.

    >>> clock = ManualClock(datetime(2026, 1, 5, 9, tzinfo=UTC))
    >>> clock.advance(timedelta(hours=24)).isoformat()
    '2026-01-06T09:00:00+00:00'
    >>> clock() == clock()
    True
    """

    def __init__(self, at: datetime) -> None:
        """Start at *at*."""
        self._at = as_utc(at)
        self._lock = Lock()

    def __call__(self) -> datetime:
        """Return the time this clock shows."""
        return self._at

    def advance(self, duration: DurationLike) -> datetime:
        """Move forward by *duration* and return the new time; months are counted in UTC."""
        with self._lock:
            self._at = end_of(as_duration(duration), self._at)
            return self._at

    def set(self, at: datetime) -> datetime:
        """Move to *at*, which may be in the past, and return it."""
        with self._lock:
            self._at = as_utc(at)
            return self._at

    def __repr__(self) -> str:
        return f"ManualClock({self._at.isoformat()})"
