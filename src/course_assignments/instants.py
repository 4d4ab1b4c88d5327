"""Time: instants on the UTC line, exact and calendar lengths, and how one becomes the other.

Every instant that leaves this module is a plain `datetime` whose tzinfo *is* ``datetime.UTC``.
Nothing here reads a clock, and nothing here knows a rule.
"""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from re import fullmatch
from typing import Any, Protocol, TypeAlias
from zoneinfo import ZoneInfo

import attrs
from dateutil.relativedelta import relativedelta

from course_assignments.errors import InvalidInput

#: The first instant that is accepted, and the first that no longer is: so far from the ends of
#: `datetime` that no zone and no accepted term can overflow it.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
TOO_LATE = datetime(9900, 1, 1, tzinfo=UTC)

#: The smallest step of time, and so the distance between "still" and "no longer".
TICK = timedelta(microseconds=1)

#: The longest term: a hundred years, leap days included.
LONGEST = timedelta(days=36525)
MOST_MONTHS = 1200

#: From here on whole days are written as days; 24 hours is the documents' own way to say a day.
_WRITTEN_IN_DAYS = timedelta(days=2)


def as_utc(value: datetime, field: str = "at") -> datetime:
    """Return the instant *value* on the UTC line; *field* is what an error names.

    Raises:
        InvalidInput: *value* is no datetime, has no UTC offset, or lies outside 1970 to 9899.

    Example:
        >>> from zoneinfo import ZoneInfo
        >>> as_utc(datetime(2026, 1, 5, 9, tzinfo=ZoneInfo("Europe/Berlin"))).isoformat()
        '2026-01-05T08:00:00+00:00'
    """
    if type(value) is datetime and value.tzinfo is UTC and EARLIEST <= value < TOO_LATE:
        return value.replace(fold=0) if value.fold else value
    if not isinstance(value, datetime):
        raise InvalidInput("not_a_datetime", field, "expected an aware datetime")
    try:
        offset = value.utcoffset()
        # Rebuilt field by field, so that a subclass with an arithmetic of its own is left behind.
        wall = datetime.combine(
            date(value.year, value.month, value.day),
            time(value.hour, value.minute, value.second, value.microsecond),
            tzinfo=UTC,
        )
        instant = None if offset is None else wall - offset
    except Exception as error:  # a foreign tzinfo may raise anything at all
        raise _out_of_range(field) from error
    if instant is None:
        raise InvalidInput(
            "naive_datetime", field, "a datetime needs a time zone, such as tzinfo=datetime.UTC"
        )
    if not EARLIEST <= instant < TOO_LATE:
        raise _out_of_range(field)
    return instant


def _out_of_range(field: str) -> InvalidInput:
    return InvalidInput("out_of_range", field, "expected an instant in the years 1970 to 9899")


def show(instant: datetime) -> str:
    """Write *instant* the way messages do, to the second unless it is finer.

    Example:
        >>> show(datetime(2026, 1, 5, 9, tzinfo=UTC))
        '2026-01-05 09:00:00 UTC'
    """
    return f"{instant:%Y-%m-%d %H:%M:%S}{f'.{instant:%f}' if instant.microsecond else ''} UTC"


def _first_at_or_after(wall: datetime, zone: tzinfo) -> datetime:
    """Return the instant of *wall* in *zone*: in a fold the first, in a gap the first after it."""
    local = wall.replace(tzinfo=zone, fold=0)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    # In a gap fold=0 gives the offset before the jump and fold=1 the one after it, so the jump
    # lies between the two readings. Zones jump on whole seconds.
    before = local.replace(fold=1).astimezone(UTC)
    old = before.astimezone(zone).utcoffset()
    seconds = range(int(before.timestamp()), int(instant.timestamp()) + 2)

    def jumped(second: int) -> bool:
        return datetime.fromtimestamp(second, zone).utcoffset() != old

    return datetime.fromtimestamp(seconds[bisect_left(seconds, True, key=jumped)], UTC)  # noqa: FBT003


def start_of_day(day: date, zone: tzinfo, field: str = "day") -> datetime:
    """Return the first instant of *day* in *zone*, which need not be its midnight.

    Raises:
        InvalidInput: it lies outside 1970 to 9899.

    Example:
        >>> from zoneinfo import ZoneInfo
        >>> start_of_day(date(2026, 7, 1), ZoneInfo("America/New_York")).isoformat()
        '2026-07-01T04:00:00+00:00'
    """
    try:
        return as_utc(_first_at_or_after(datetime.combine(day, time()), zone), field)
    except OverflowError as error:
        raise _out_of_range(field) from error


def _check_months(_: object, __: object, value: Any) -> None:
    if type(value) is not int or not 1 <= value <= MOST_MONTHS:
        raise InvalidInput("invalid_term", "months", "expected a whole number from 1 to 1200")


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
        wall = start.astimezone(zone).replace(tzinfo=None)
        return _first_at_or_after(wall + relativedelta(months=self.count), zone)

    def __str__(self) -> str:
        return f"P{self.count}M"


#: A length of time, exact (`timedelta`) or on the calendar (`Months`).
Term: TypeAlias = timedelta | Months


class CalendarDelta(Protocol):
    """What a ``dateutil.relativedelta.relativedelta`` looks like to a type checker.

    Example:
        >>> as_term(relativedelta(months=6))
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


#: What is taken where a `Term` is wanted; a ``relativedelta`` becomes one of the two.
TermLike: TypeAlias = timedelta | Months | CalendarDelta


def as_term(value: TermLike, field: str = "term") -> Term:
    """Return *value* as a `Term`; *field* is what an error names.

    A ``relativedelta`` of years and months becomes `Months`, one of weeks, days and smaller units a
    `timedelta`; one that mixes both, or sets a date, is refused.

    Raises:
        InvalidInput: *value* is no term, or not positive, or longer than a hundred years.

    Example:
        >>> as_term(relativedelta(years=1, months=6))
        Months(count=18)
        >>> as_term(relativedelta(weeks=2))
        datetime.timedelta(days=14)
    """
    if isinstance(value, relativedelta):
        return _from_relativedelta(value, field)
    if isinstance(value, timedelta):
        # A subclass (pandas has one) is rebuilt, so that a stored term is always the plain type.
        exact = timedelta(value.days, value.seconds, value.microseconds)
        if timedelta(0) < exact <= LONGEST:
            return exact
        raise InvalidInput("invalid_term", field, "expected a length above 0, at most 100 years")
    if isinstance(value, Months):
        return value
    raise InvalidInput("invalid_term", field, "expected a timedelta or Months, such as Months(6)")


def _from_relativedelta(value: relativedelta, field: str) -> Term:
    try:
        months = 12 * value.years + value.months
        units = ("days", "hours", "minutes", "seconds", "microseconds")
        parts = {unit: getattr(value, unit) for unit in units}
        if months and value == relativedelta(months=months):
            return Months(months)
        if value == relativedelta(**parts):
            return as_term(timedelta(**parts), field)
    except (InvalidInput, ArithmeticError, TypeError, ValueError) as error:
        raise InvalidInput(
            "invalid_term", field, "expected a length above 0, at most 100 years"
        ) from error
    raise InvalidInput(
        "invalid_term", field, "expected either months or an exact length, not a mixture or a date"
    )


def end_of(term: Term, start: datetime, zone: tzinfo = UTC, field: str = "term") -> datetime:
    """Return the instant *term* after *start*; months are counted on the calendar of *zone*.

    Raises:
        InvalidInput: it lies outside 1970 to 9899.

    Example:
        >>> end_of(timedelta(hours=24), datetime(2026, 1, 5, tzinfo=UTC)).isoformat()
        '2026-01-06T00:00:00+00:00'
    """
    try:
        end = start + term if isinstance(term, timedelta) else term.after(start, zone)
    except (OverflowError, ValueError) as error:
        raise _out_of_range(field) from error
    return as_utc(end, field)


#: What is taken where an end is wanted; an instant, a `Term` from a start, or a day in a zone.
EndLike: TypeAlias = datetime | date | TermLike


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
    return end_of(as_term(value, field), start, zone, field)


def format_term(term: Term) -> str:
    """Write *term* in ISO 8601: ``P6M``, ``P180D``, ``PT24H``.

    Example:
        >>> format_term(timedelta(days=180)), format_term(Months(6))
        ('P180D', 'P6M')
    """
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
    + "(?:T"
    + _AMOUNT % "H"
    + _AMOUNT % "M"
    + r"(?:(\d{1,9})(?:\.(\d{1,6}))?S)?)?"
)


def parse_term(text: str, field: str = "term") -> Term:
    """Read a term written in ISO 8601: years and months, or weeks, days and smaller units.

    Raises:
        InvalidInput: *text* is written otherwise, mixes the two, or is out of bounds.

    Example:
        >>> parse_term("PT36H"), parse_term("P1Y6M")
        (datetime.timedelta(days=1, seconds=43200), Months(count=18))
    """
    if isinstance(text, str) and text.isascii():
        if (calendar := fullmatch(_MONTHS, text)) and any(calendar.groups()):
            years, months = (int(amount or 0) for amount in calendar.groups())
            return _checked_months(12 * years + months, field)
        if (exact := fullmatch(_EXACT, text)) and any(exact.groups()):
            *whole, fraction = exact.groups()
            weeks, days, hours, minutes, seconds = (int(amount or 0) for amount in whole)
            return as_term(
                timedelta(
                    weeks=weeks,
                    days=days,
                    hours=hours,
                    minutes=minutes,
                    seconds=seconds,
                    microseconds=int((fraction or "0").ljust(6, "0")),
                ),
                field,
            )
    raise InvalidInput("invalid_term", field, "expected ISO 8601 such as P6M, P180D or PT24H")


def _checked_months(count: int, field: str) -> Months:
    try:
        return Months(count)
    except InvalidInput as error:
        raise attrs.evolve(error, field=field) from None


def zone_named(name: str, field: str = "time_zone") -> ZoneInfo:
    """Return the time zone of the IANA *name*.

    Raises:
        InvalidInput: this machine knows no such zone.

    Example:
        >>> zone_named("Asia/Tokyo").key
        'Asia/Tokyo'
    """
    if isinstance(name, str):
        try:
            return ZoneInfo(name)
        except (LookupError, OSError, ValueError):
            pass
    raise InvalidInput("unknown_time_zone", field, "expected an IANA name such as Europe/Berlin")
