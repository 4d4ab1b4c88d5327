"""How the answers of rules are checked: at the edges of records, until they turn, with junk."""

from calendar import monthrange
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import strategies as st

from course_assignments import Decision, Duration, InvalidInput
from course_assignments.time.datetimes import LATEST
from tests.support.strategies import US, utc_instants

#: An instant without its zone.
NAIVE = datetime(2026, 1, 5, tzinfo=UTC).replace(tzinfo=None)

#: The microsecond before, the instant itself, and the one after.
STEPS = (-US, timedelta(0), US)

#: Values that are not accepted as a datetime.
NO_INSTANTS: tuple[Any, ...] = (
    None,
    42,
    "2026-01-05",
    date(2026, 1, 5),
    NAIVE,
    datetime(1969, 12, 31, tzinfo=UTC),
)

#: Values that are not a record, a number, a list of records or a datetime; no None, no string.
JUNK: tuple[Any, ...] = (42, 4.5, b"junk", object(), [42], [[]], {"a": 1}, NAIVE, str)


def edges(*records: Any) -> set[datetime]:
    """Return every instant that stands in one of *records*."""
    values = [getattr(one, at.name) for one in records for at in attrs.fields(type(one))]
    return {value for value in values if isinstance(value, datetime)}


def near(marks: Iterable[datetime]) -> set[datetime]:
    """Return *marks* with the microseconds before and after each."""
    return {mark + step for mark in marks for step in STEPS}


def moments(marks: Iterable[datetime]) -> st.SearchStrategy[datetime]:
    """Draw an instant on one of *marks*, a microsecond off it, or anywhere; in UTC."""
    return st.sampled_from(sorted(near(marks))) | utc_instants()


def elsewhere(instant: datetime) -> list[datetime]:
    """Return *instant* as clocks in other zones show it."""
    names = ("Asia/Kathmandu", "Pacific/Apia", "America/New_York")
    return [instant.astimezone(ZoneInfo(name)) for name in names]


def codes(decision: Decision) -> list[str]:
    """Return the codes of the reasons of *decision*, in their order."""
    return [reason.code for reason in decision.reasons]


def check_turn(
    ask: Callable[[datetime], Decision], at: datetime, marks: Iterable[datetime]
) -> None:
    """Fail unless what *ask* says at *at* holds until just before its `changes_at`, and no longer.

    It is asked at *marks* and around them, a little later, and a few thousand years later.
    """
    first = ask(at)
    turn = first.changes_at
    lengths = (timedelta(days=days) for days in (1, 200, 2_000_000))
    later = near({at, *marks}) | {min(at, LATEST - length) + length for length in lengths}
    if turn is not None:
        assert turn > at
        assert ask(turn).allowed is not first.allowed
        later |= near([turn])
    for moment in sorted(later):
        if moment >= at and (turn is None or moment < turn):
            assert ask(moment).allowed is first.allowed, moment


def check_junk(ask: Callable[[Any], object], field: str, values: Iterable[Any]) -> None:
    """Fail unless *ask* refuses each of *values* as invalid, and names *field*."""
    for value in values:
        with pytest.raises(InvalidInput) as caught:
            ask(value)
        assert caught.value.field.startswith(field), value
        assert len(str(caught.value)) <= 200


def first_instant(wall: datetime, zone: tzinfo) -> datetime:
    """Return when it is *wall* in *zone*: its first occurrence, or the first instant after it."""
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _wall(instant, zone) == wall:
        return instant
    # A gap begins at a full minute, and none is longer than a day.
    instant = instant.replace(second=0, microsecond=0) - timedelta(hours=26)
    while _wall(instant, zone) < wall:
        instant += timedelta(minutes=1)
    return instant


def counted(term: Duration, start: datetime, zone: tzinfo) -> datetime:
    """Return *term* after *start*, its months counted on the calendar of *zone*."""
    if isinstance(term, timedelta):
        return start.astimezone(UTC) + term
    wall = _wall(start, zone)
    years, month = divmod(wall.month - 1 + term.count, 12)
    year, month = wall.year + years, month + 1
    day = min(wall.day, monthrange(year, month)[1])
    return first_instant(wall.replace(year=year, month=month, day=day), zone)


def _wall(instant: datetime, zone: tzinfo) -> datetime:
    return instant.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
