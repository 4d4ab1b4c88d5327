"""Durations, either exact or in calendar months, and the datetimes after them.

A day is 24 hours. Months are counted on a calendar. A ``relativedelta`` is converted, never stored.
"""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, tzinfo
from re import fullmatch
from typing import Any, Protocol, TypeAlias

import attrs
from dateutil.relativedelta import relativedelta

from course_assignments.errors import InvalidInput, is_a, plain, received
from course_assignments.time.datetimes import (
    END_OF_RANGE,
    as_utc,
    check_zone,
    first_at_or_after,
    out_of_range,
    received_time,
    start_of_day,
)

#: The longest duration: a hundred years, leap days included.
MAX_DURATION = timedelta(days=36525)
MAX_MONTHS = 1200

#: From here on whole days are written as days. The rules write one day as 24 hours.
_WRITTEN_IN_DAYS = timedelta(days=2)


def _invalid(field: str, hint: str) -> InvalidInput:
    return InvalidInput("invalid_duration", field, hint)


#: What a message expects.
_ANY_MONTHS = f"expected a whole number of months from 1 to {MAX_MONTHS}"
_ANY_LENGTH = "expected a duration above 0, at most 100 years"


def _check_months(_: object, __: object, value: Any) -> None:
    if type(value) is not int or not 1 <= value <= MAX_MONTHS:
        raise _invalid("months", f"{_ANY_MONTHS}, {received(value)}")


@attrs.frozen(order=True)
class Months:
    """A calendar duration of 1 to 1200 months, written ``P6M``.

    It ends on the same day of the month in a time zone, or on the last day of a shorter month.

    >>> end_of(Months(6), datetime(2026, 8, 31, tzinfo=UTC)).isoformat()
    '2027-02-28T00:00:00+00:00'
    """

    count: int = attrs.field(validator=_check_months)

    def after(self, start: datetime, zone: tzinfo = UTC) -> datetime:
        """Return the datetime this many months after *start* on the calendar of *zone*."""
        at, zone = as_utc(start, "start"), check_zone(zone)
        try:
            wall = at.astimezone(zone).replace(tzinfo=None)
            end = first_at_or_after(wall + relativedelta(months=self.count), zone)
        except Exception as error:  # a foreign tzinfo may raise anything
            raise out_of_range("start", _after(self, at)) from error
        return as_utc(end, "start")

    def __str__(self) -> str:
        return f"P{self.count}M"


#: A length of time, exact (`timedelta`) or on the calendar (`Months`).
Duration: TypeAlias = timedelta | Months


class CalendarDelta(Protocol):
    """The type of a ``dateutil.relativedelta.relativedelta`` for type checkers.

    >>> as_duration(relativedelta(months=6))
    Months(count=6)
    """

    years: int
    months: int
    days: int


#: Accepted where a `Duration` is expected; a ``relativedelta`` is converted to one.
DurationLike: TypeAlias = timedelta | Months | CalendarDelta


def as_duration(value: DurationLike, field: str = "duration") -> Duration:
    """Return *value* as a `Duration`, above 0 and at most a hundred years.

    A ``relativedelta`` of years and months becomes `Months`, and one of weeks, days and smaller
    units a `timedelta`. It is invalid if it mixes both, or sets a date. The same holds for a
    `timedelta` with years and months, such as pendulum's.

    >>> as_duration(relativedelta(years=1, months=6))
    Months(count=18)
    >>> as_duration(relativedelta(weeks=2))
    datetime.timedelta(days=14)
    """
    if type(value) is Months:
        return value
    if type(value) is timedelta:
        if timedelta(0) < value <= MAX_DURATION:
            return value
        raise _invalid(field, f"{_ANY_LENGTH}, {received_time(value)}")
    if is_a(value, timedelta, relativedelta):
        found = None
        with suppress(Exception):  # the caller's object may raise anything
            found = _converted(value)
        if found is None:
            hint = "expected either months or an exact length, not both and not a date"
            raise _invalid(field, f"{hint}, {received(value)}")
        return as_duration(found, field)
    hint = f"expected a timedelta or Months, such as Months(6), {received_time(value)}"
    raise _invalid(field, hint)


_UNITS = ("days", "hours", "minutes", "seconds", "microseconds")


def _converted(value: Any) -> Duration | None:
    """Return a `timedelta` of a subclass, or a ``relativedelta``, as a duration of our own."""
    years, months = getattr(value, "years", 0), getattr(value, "months", 0)
    if years or months:
        whole = value == type(value)(years=years, months=months)
        return Months(12 * years + months) if whole else None
    if is_a(value, timedelta):
        return timedelta(value.days, value.seconds, value.microseconds)
    parts = {unit: getattr(value, unit) for unit in _UNITS}
    return timedelta(**parts) if value == relativedelta(**parts) else None


def end_of(
    duration: Duration, start: datetime, zone: tzinfo = UTC, field: str = "duration"
) -> datetime:
    """Return the datetime *duration* after *start*; months are counted in *zone*.

    >>> end_of(timedelta(hours=24), datetime(2026, 1, 5, tzinfo=UTC)).isoformat()
    '2026-01-06T00:00:00+00:00'
    """
    length, at = as_duration(duration, field), as_utc(start, "start")
    end = end_in_range(length, at, check_zone(zone))
    if end is None:
        raise out_of_range(field, _after(length, at))
    return end


def _after(duration: Duration, start: datetime) -> str:
    """Say which end was received."""
    return f"got {format_duration(duration)} after {start.isoformat()}"


def end_in_range(duration: Duration, start: datetime, zone: tzinfo = UTC) -> datetime | None:
    """Return the result of `end_of`, or ``None`` if it is after every accepted datetime.

    The arguments come from records, and are not checked again.
    """
    try:
        end = start + duration if isinstance(duration, timedelta) else duration.after(start, zone)
    except (InvalidInput, OverflowError):
        return None
    return end if end < END_OF_RANGE else None


#: An end that is not resolved yet: a UTC datetime, a `Duration` from a start, or a date.
End: TypeAlias = datetime | date | Duration

#: Accepted where an `End` is expected.
EndLike: TypeAlias = End | CalendarDelta


def as_end(value: EndLike, field: str = "end") -> End:
    """Return *value* as an `End`."""
    if is_a(value, datetime):
        return as_utc(value, field)
    if is_a(value, date):
        return value
    if is_a(value, timedelta, Months, relativedelta):
        return as_duration(value, field)
    hint = "expected an aware datetime, a date, or a duration such as timedelta(days=30)"
    raise _invalid(field, f"{hint}, {received_time(value)}")


def resolve_end(value: EndLike, *, start: datetime, zone: tzinfo, field: str) -> datetime:
    """Resolve an end to a UTC datetime.

    A duration counts from *start*. A date is the start of that day in *zone*.

    >>> start = datetime(2026, 1, 5, tzinfo=UTC)
    >>> resolve_end(date(2026, 2, 1), start=start, zone=UTC, field="expires").isoformat()
    '2026-02-01T00:00:00+00:00'
    """
    end = as_end(value, field)
    if isinstance(end, datetime):
        return end
    if isinstance(end, date):
        return start_of_day(end, zone, field)
    return end_of(end, start, zone, field)


def format_duration(duration: Duration) -> str:
    """Write *duration* in ISO 8601, such as ``P6M``, ``P180D`` or ``PT24H``.

    >>> format_duration(timedelta(days=180)), format_duration(Months(6))
    ('P180D', 'P6M')
    """
    length = as_duration(duration)
    if isinstance(length, Months):
        return str(length)
    days = length.days if length >= _WRITTEN_IN_DAYS else 0
    minutes, seconds = divmod(length - timedelta(days=days), timedelta(minutes=1))
    hours, minutes = divmod(minutes, 60)
    exact = f"{seconds.seconds}.{seconds.microseconds:06}".rstrip("0").rstrip(".")
    amounts = ((str(hours), "H"), (str(minutes), "M"), (exact, "S"))
    clock = "".join(f"{amount}{unit}" for amount, unit in amounts if amount != "0")
    return "P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "")


_AMOUNT = r"(?:(\d{1,9})%s)?"
_MONTHS = "P" + _AMOUNT % "Y" + _AMOUNT % "M"
_CLOCK = _AMOUNT % "H" + _AMOUNT % "M" + r"(?:(\d{1,9})(?:\.(\d{1,6}))?S)?"
_EXACT = "P" + _AMOUNT % "W" + _AMOUNT % "D" + rf"(?:T(?=\d){_CLOCK})?"


def parse_duration(text: str, field: str = "duration") -> Duration:
    """Read a duration in ISO 8601.

    It has years and months, or weeks, days and smaller units, but not both.

    >>> parse_duration("PT36H"), parse_duration("P1Y6M")
    (datetime.timedelta(days=1, seconds=43200), Months(count=18))
    """
    text = plain(text)
    if is_a(text, str) and text.isascii():
        if (calendar := fullmatch(_MONTHS, text)) and any(calendar.groups()):
            years, months = (int(amount or 0) for amount in calendar.groups())
            try:
                return Months(12 * years + months)
            except InvalidInput:
                raise _invalid(field, f"{_ANY_MONTHS}, {received(text)}") from None
        if (exact := fullmatch(_EXACT, text)) and any(exact.groups()):
            *whole, fraction = exact.groups()
            weeks, days, hours, minutes, seconds = (int(amount or 0) for amount in whole)
            microseconds = int((fraction or "0").ljust(6, "0"))
            try:
                length = timedelta(days, seconds, microseconds, 0, minutes, hours, weeks)
                return as_duration(length, field)
            except (OverflowError, InvalidInput):
                raise _invalid(field, f"{_ANY_LENGTH}, {received(text)}") from None
    raise _invalid(field, f"expected ISO 8601 such as P6M, P180D or PT24H, {received(text)}")
