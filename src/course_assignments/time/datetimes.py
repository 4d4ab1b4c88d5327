"""Datetimes in UTC, and conversions from local time to UTC.

Every datetime that this module returns is a plain `datetime` whose tzinfo *is* ``datetime.UTC``.
"""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from course_assignments.errors import InvalidInput

_YEARS = range(1970, 9900)
#: Datetimes are accepted from `EARLIEST` until just before `END_OF_RANGE`. Both are so far from the
#: limits of `datetime` that no time zone and no duration can overflow.
EARLIEST = datetime(_YEARS.start, 1, 1, tzinfo=UTC)
END_OF_RANGE = datetime(_YEARS.stop, 1, 1, tzinfo=UTC)

#: The smallest step of time.
TICK = timedelta(microseconds=1)

#: The last accepted datetime.
LATEST = END_OF_RANGE - TICK


def as_utc(value: datetime, field: str = "at") -> datetime:
    """Return the aware datetime *value*, of the years 1970 to 9899, in UTC.

    >>> from zoneinfo import ZoneInfo
    >>> as_utc(datetime(2026, 1, 5, 9, tzinfo=ZoneInfo("Europe/Berlin"))).isoformat()
    '2026-01-05T08:00:00+00:00'
    """
    if type(value) is datetime and value.tzinfo is UTC and value.year in _YEARS:
        return value.replace(fold=0) if value.fold else value
    if not isinstance(value, datetime):
        raise InvalidInput("not_a_datetime", field, "expected an aware datetime")
    try:
        offset = value.utcoffset()
        # Rebuilt, because a subclass may override its methods and its arithmetic.
        wall = datetime.combine(datetime.date(value), datetime.time(value), UTC)
        found = None if offset is None else wall - offset
    except Exception as error:  # a foreign tzinfo may raise anything
        raise out_of_range(field) from error
    if found is None:
        hint = "a datetime needs a time zone, such as tzinfo=datetime.UTC"
        raise InvalidInput("naive_datetime", field, hint)
    if not EARLIEST <= found < END_OF_RANGE:
        raise out_of_range(field)
    return found


def out_of_range(field: str) -> InvalidInput:
    """Return the error for a datetime that is not accepted."""
    return InvalidInput("out_of_range", field, "expected a datetime in the years 1970 to 9899")


def next_tick(at: datetime) -> datetime | None:
    """Return the datetime right after *at*, or ``None`` after the last accepted one."""
    return at + TICK if at < LATEST else None


# Not from `strftime`, whose names depend on the locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_datetime(at: datetime) -> str:
    """Format *at*, rounded down to the second, as in ``6 Jan 2026, 09:00 UTC``."""
    clock = f"{at:%H:%M:%S}".removesuffix(":00")
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {clock} UTC"


def format_datetime_up(at: datetime) -> str:
    """Format *at* rounded up to the second, so that it is never too early."""
    return format_datetime(at + timedelta(seconds=1) - TICK)


def check_zone(zone: tzinfo, field: str = "zone") -> None:
    """Raise InvalidInput unless *zone* is a `tzinfo`; a name is not one."""
    if not isinstance(zone, tzinfo):
        raise InvalidInput("wrong_type", field, "expected tzinfo, such as ZoneInfo('Asia/Tokyo')")


def first_at_or_after(wall: datetime, zone: tzinfo) -> datetime:
    """Convert the local time *wall* in *zone* to UTC.

    In a fold, return the first of both. In a gap, return the first datetime after the gap.
    """
    local = wall.replace(tzinfo=zone, fold=0)
    found = local.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found
    # In a gap, fold=0 gives the offset before the jump and fold=1 the one after it, so the jump is
    # between the two results. Zones jump on whole seconds.
    before = local.replace(fold=1).astimezone(UTC)
    old = before.astimezone(zone).utcoffset()
    seconds = range(int(before.timestamp()), int(found.timestamp()) + 2)

    def jumped(second: int) -> bool:
        return datetime.fromtimestamp(second, zone).utcoffset() != old

    return datetime.fromtimestamp(seconds[bisect_left(seconds, True, key=jumped)], UTC)  # noqa: FBT003


def start_of_day(day: date, zone: tzinfo, field: str = "day") -> datetime:
    """Return the start of *day* in *zone*, which is not always midnight.

    >>> from zoneinfo import ZoneInfo
    >>> start_of_day(date(2026, 7, 1), ZoneInfo("America/New_York")).isoformat()
    '2026-07-01T04:00:00+00:00'
    """
    if not isinstance(day, date) or isinstance(day, datetime):
        raise InvalidInput("wrong_type", field, "expected a date, without a time of day")
    check_zone(zone)
    try:
        return as_utc(first_at_or_after(datetime.combine(day, time()), zone), field)
    except Exception as error:  # a foreign tzinfo may raise anything
        raise out_of_range(field) from error


def zone_named(name: str) -> tzinfo:
    """Return the time zone with the IANA *name*."""
    if isinstance(name, str):
        if name == "UTC":  # works even without a time zone database
            return UTC
        try:
            return ZoneInfo(name)
        except (LookupError, OSError, ValueError):
            pass
    hint = "expected an IANA name such as Europe/Berlin; if this machine has none, install tzdata"
    raise InvalidInput("unknown_time_zone", "time_zone", hint)
