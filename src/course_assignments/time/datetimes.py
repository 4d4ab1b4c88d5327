"""Datetimes in UTC, and how a wall clock in a time zone leads to one.

Every datetime that leaves this module is a plain `datetime` whose tzinfo *is* ``datetime.UTC``.
"""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from course_assignments.errors import InvalidInput

#: Accepted datetimes are from here until just before there: so far from the ends of `datetime` that
#: no time zone and no duration can overflow it.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
END_OF_RANGE = datetime(9900, 1, 1, tzinfo=UTC)

#: The smallest step of time, and so the distance between "still" and "no longer".
TICK = timedelta(microseconds=1)

#: The last accepted datetime.
LATEST = END_OF_RANGE - TICK


def as_utc(value: datetime, field: str = "at") -> datetime:
    """Return the aware datetime *value* in UTC; *field* is what an error names.

    Raises:
        InvalidInput: *value* is not a datetime, is naive, or is not in the years 1970 to 9899.

    Example:
        >>> from zoneinfo import ZoneInfo
        >>> as_utc(datetime(2026, 1, 5, 9, tzinfo=ZoneInfo("Europe/Berlin"))).isoformat()
        '2026-01-05T08:00:00+00:00'
    """
    if type(value) is datetime and value.tzinfo is UTC and EARLIEST <= value < END_OF_RANGE:
        return value.replace(fold=0) if value.fold else value
    if not isinstance(value, datetime):
        raise InvalidInput("not_a_datetime", field, "expected an aware datetime")
    try:
        offset = value.utcoffset()
        # Rebuilt from its fields, because a subclass may have an arithmetic of its own.
        wall = datetime.combine(
            date(value.year, value.month, value.day),
            time(value.hour, value.minute, value.second, value.microsecond),
            tzinfo=UTC,
        )
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


#: English names, whatever the locale of the machine is.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_datetime(instant: datetime) -> str:
    """Return *instant* as sentences show it, rounded down to the second; ":00" is left out.

    Example:
        >>> format_datetime(datetime(2026, 1, 6, 9, 0, 0, 999999, tzinfo=UTC))
        '6 Jan 2026, 09:00 UTC'
        >>> format_datetime(datetime(2026, 1, 6, 9, 0, 59, tzinfo=UTC))
        '6 Jan 2026, 09:00:59 UTC'
    """
    day = f"{instant.day} {_MONTHS[instant.month - 1]} {instant.year}"
    seconds = f":{instant.second:02}" if instant.second else ""
    return f"{day}, {instant.hour:02}:{instant.minute:02}{seconds} UTC"


def format_datetime_up(instant: datetime) -> str:
    """Return *instant* rounded up to the second, for the first time at which something is possible.

    Example:
        >>> format_datetime_up(datetime(2026, 1, 6, 9, 0, 0, 1, tzinfo=UTC))
        '6 Jan 2026, 09:00:01 UTC'
    """
    return format_datetime(instant + timedelta(seconds=1) - TICK)


def check_zone(zone: tzinfo, field: str = "zone") -> None:
    """Raise InvalidInput unless *zone* is a time zone; its name is not one."""
    if not isinstance(zone, tzinfo):
        raise InvalidInput("wrong_type", field, "expected tzinfo, such as ZoneInfo('Asia/Tokyo')")


def first_at_or_after(wall: datetime, zone: tzinfo) -> datetime:
    """Return *wall* in *zone* as UTC: in a fold the first, in a gap the first datetime after it."""
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
    """Return when *day* begins in *zone*, which is not always at midnight.

    Example:
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


def zone_named(name: str, field: str = "time_zone") -> tzinfo:
    """Return the time zone with the IANA *name*.

    Example:
        >>> print(zone_named("Asia/Tokyo"))
        Asia/Tokyo
    """
    if isinstance(name, str):
        if name == "UTC":  # known even without a database of time zones
            return UTC
        try:
            return ZoneInfo(name)
        except (LookupError, OSError, ValueError):
            pass
    hint = "expected an IANA name such as Europe/Berlin; if this machine has none, install tzdata"
    raise InvalidInput("unknown_time_zone", field, hint)
