"""Lengths of time, exact ones and calendar ones, which are different types, and where they end.

Hours and days are exact lengths on the UTC line; months are counted on a calendar, once from their
start. A ``relativedelta`` is taken and converted, never kept.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from re import fullmatch
from typing import Any, Protocol, TypeAlias

import attrs
from dateutil.relativedelta import relativedelta

from course_assignments.errors import InvalidInput
from course_assignments.time.datetimes import (
    as_utc,
    check_zone,
    first_at_or_after,
    out_of_range,
    start_of_day,
)

#: The longest term: a hundred years, leap days included.
LONGEST = timedelta(days=36525)
MAX_MONTHS = 1200

#: From here on whole days are written as days; 24 hours is the documents' own way to say a day.
_WRITTEN_IN_DAYS = timedelta(days=2)


def _check_months(_: object, __: object, value: Any) -> None:
    if type(value) is not int or not 1 <= value <= MAX_MONTHS:
        hint = f"expected a whole number of months from 1 to {MAX_MONTHS}"
        raise InvalidInput("invalid_duration", "months", hint)


@attrs.frozen(order=True)
class Months:
    """A calendar length: so many months on, on the same day of the month or its last.

    Counted once from a start, in a stated time zone. Written ``P6M``.

    Raises:
        InvalidInput: *count* is not a whole number from 1 to 1200.

    Example:
        >>> end_of(Months(6), datetime(2026, 8, 31, tzinfo=UTC)).isoformat()
        '2027-02-28T00:00:00+00:00'
    """

    count: int = attrs.field(validator=_check_months)

    def after(self, start: datetime, zone: tzinfo = UTC) -> datetime:
        """Return the instant this many months after *start* on the calendar of *zone*."""
        at = as_utc(start, "start")
        check_zone(zone)
        try:
            wall = at.astimezone(zone).replace(tzinfo=None)
            end = first_at_or_after(wall + relativedelta(months=self.count), zone)
        except Exception as error:  # a foreign tzinfo may raise anything at all
            raise out_of_range("start") from error
        return as_utc(end, "start")

    def __str__(self) -> str:
        return f"P{self.count}M"


#: A length of time, exact (`timedelta`) or on the calendar (`Months`).
Duration: TypeAlias = timedelta | Months


class CalendarDelta(Protocol):
    """What a ``dateutil.relativedelta.relativedelta`` looks like to a type checker.

    Example:
        >>> as_duration(relativedelta(months=6))
        Months(count=6)
    """

    @property
    def years(self) -> int:
        """How many years."""
        ...

    @property
    def months(self) -> int:
        """How many months."""
        ...

    @property
    def days(self) -> int:
        """How many days."""
        ...


#: What is taken where a `Duration` is wanted; a ``relativedelta`` becomes one of the two.
DurationLike: TypeAlias = timedelta | Months | CalendarDelta


def as_duration(value: DurationLike, field: str = "term") -> Duration:
    """Return *value* as a `Duration`; *field* is what an error names.

    A ``relativedelta`` of years and months becomes `Months`, one of weeks, days and smaller units a
    `timedelta`; one that mixes both, or sets a date, is refused.

    Raises:
        InvalidInput: *value* is no term, or not positive, or longer than a hundred years.

    Example:
        >>> as_duration(relativedelta(years=1, months=6))
        Months(count=18)
        >>> as_duration(relativedelta(weeks=2))
        datetime.timedelta(days=14)
    """
    if isinstance(value, relativedelta):
        return _from_relativedelta(value, field)
    if isinstance(value, timedelta):
        # A subclass (pandas has one) is rebuilt, so that a stored term is always the plain type.
        exact = timedelta(value.days, value.seconds, value.microseconds)
        if timedelta(0) < exact <= LONGEST:
            return exact
        raise InvalidInput(
            "invalid_duration", field, "expected a length above 0, at most 100 years"
        )
    if isinstance(value, Months):
        return value
    raise InvalidInput(
        "invalid_duration", field, "expected a timedelta or Months, such as Months(6)"
    )


def _from_relativedelta(value: relativedelta, field: str) -> Duration:
    try:
        months = 12 * value.years + value.months
        units = ("days", "hours", "minutes", "seconds", "microseconds")
        parts = {unit: getattr(value, unit) for unit in units}
        if months and value == relativedelta(years=value.years, months=value.months):
            return Months(months)
        if value == relativedelta(**parts):
            return as_duration(timedelta(**parts), field)
    except Exception as error:  # anyone may have written anything into it
        raise InvalidInput(
            "invalid_duration", field, "expected a length above 0, at most 100 years"
        ) from error
    raise InvalidInput(
        "invalid_duration",
        field,
        "expected either months or an exact length, not a mixture or a date",
    )


def end_of(term: Duration, start: datetime, zone: tzinfo = UTC, field: str = "term") -> datetime:
    """Return the instant *term* after *start*; months are counted on the calendar of *zone*.

    Raises:
        InvalidInput: an argument is of the wrong kind, or the end lies outside 1970 to 9899.

    Example:
        >>> end_of(timedelta(hours=24), datetime(2026, 1, 5, tzinfo=UTC)).isoformat()
        '2026-01-06T00:00:00+00:00'
    """
    length, at = as_duration(term, field), as_utc(start, "start")
    check_zone(zone)
    try:
        end = at + length if isinstance(length, timedelta) else length.after(at, zone)
    except (InvalidInput, OverflowError) as error:
        raise out_of_range(field) from error
    return as_utc(end, field)


def end_in_range(term: Duration, start: datetime, zone: tzinfo = UTC) -> datetime | None:
    """Return what `end_of` returns, or ``None`` if that lies behind every accepted instant.

    Example:
        >>> end_in_range(Months(1200), datetime(9850, 1, 1, tzinfo=UTC)) is None
        True
    """
    try:
        return end_of(term, start, zone)
    except InvalidInput:
        return None


#: What is taken where an end is wanted; an instant, a `Duration` from a start, or a day in a zone.
EndLike: TypeAlias = datetime | date | DurationLike


def resolve_end(value: EndLike, *, start: datetime, zone: tzinfo, field: str) -> datetime:
    """Return the instant that *value* stands for: itself, a term after *start*, a day in *zone*.

    Raises:
        InvalidInput: *value* is none of these, or the instant lies outside 1970 to 9899.

    Example:
        >>> start = datetime(2026, 1, 5, tzinfo=UTC)
        >>> resolve_end(date(2026, 2, 1), start=start, zone=UTC, field="expires").isoformat()
        '2026-02-01T00:00:00+00:00'
    """
    if isinstance(value, datetime):
        return as_utc(value, field)
    if isinstance(value, date):
        return start_of_day(value, zone, field)
    if not isinstance(value, timedelta | Months | relativedelta):
        hint = (
            "expected an aware datetime, a date, or a length such as timedelta(days=30), Months(6)"
        )
        raise InvalidInput("invalid_duration", field, hint)
    return end_of(as_duration(value, field), start, zone, field)


def format_duration(term: Duration) -> str:
    """Write *term* in ISO 8601: ``P6M``, ``P180D``, ``PT24H``.

    Example:
        >>> format_duration(timedelta(days=180)), format_duration(Months(6))
        ('P180D', 'P6M')
    """
    term = as_duration(term)
    if isinstance(term, Months):
        return str(term)
    days = term.days if term >= _WRITTEN_IN_DAYS else 0
    rest = term - timedelta(days=days)
    minutes, seconds = divmod(rest, timedelta(minutes=1))
    hours, minutes = divmod(minutes, 60)
    exact = f"{seconds.seconds}.{seconds.microseconds:06}".rstrip("0").rstrip(".")
    clock = "".join(
        f"{amount}{unit}"
        for amount, unit in ((str(hours), "H"), (str(minutes), "M"), (exact, "S"))
        if amount != "0"
    )
    return "P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "")


_AMOUNT = r"(?:(\d{1,9})%s)?"
_MONTHS = "P" + _AMOUNT % "Y" + _AMOUNT % "M"
_EXACT = (
    "P"
    + _AMOUNT % "W"
    + _AMOUNT % "D"
    + r"(?:T(?=\d)"
    + _AMOUNT % "H"
    + _AMOUNT % "M"
    + r"(?:(\d{1,9})(?:\.(\d{1,6}))?S)?)?"
)


def parse_duration(text: str, field: str = "term") -> Duration:
    """Read a term written in ISO 8601: years and months, or weeks, days and smaller units.

    Raises:
        InvalidInput: *text* is written otherwise, mixes the two, or is out of bounds.

    Example:
        >>> parse_duration("PT36H"), parse_duration("P1Y6M")
        (datetime.timedelta(days=1, seconds=43200), Months(count=18))
    """
    if isinstance(text, str) and text.isascii():
        if (calendar := fullmatch(_MONTHS, text)) and any(calendar.groups()):
            years, months = (int(amount or 0) for amount in calendar.groups())
            return _checked_months(12 * years + months, field)
        if (exact := fullmatch(_EXACT, text)) and any(exact.groups()):
            *whole, fraction = exact.groups()
            weeks, days, hours, minutes, seconds = (int(amount or 0) for amount in whole)
            try:
                length = timedelta(
                    weeks=weeks,
                    days=days,
                    hours=hours,
                    minutes=minutes,
                    seconds=seconds,
                    microseconds=int((fraction or "0").ljust(6, "0")),
                )
            except OverflowError:
                length = timedelta.max
            return as_duration(length, field)
    raise InvalidInput("invalid_duration", field, "expected ISO 8601 such as P6M, P180D or PT24H")


def _checked_months(count: int, field: str) -> Months:
    try:
        return Months(count)
    except InvalidInput as error:
        raise attrs.evolve(error, field=field) from None
