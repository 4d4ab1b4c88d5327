"""Instants on the UTC line, and how a wall clock in a time zone leads to one.

Every instant that leaves this module is a plain `datetime` whose tzinfo *is* ``datetime.UTC``.
Nothing here reads a clock, and nothing here knows a rule.
"""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from course_assignments.errors import InvalidInput

#: The first instant that is accepted, and the first that no longer is: so far from the ends of
#: `datetime` that no zone and no accepted term can overflow it.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
END_OF_RANGE = datetime(9900, 1, 1, tzinfo=UTC)

#: The smallest step of time, and so the distance between "still" and "no longer".
TICK = timedelta(microseconds=1)

#: The last instant that is accepted.
LATEST = END_OF_RANGE - TICK


def as_utc(value: datetime, field: str = "at") -> datetime:
    """Return the instant *value* on the UTC line; *field* is what an error names.

    Raises:
        InvalidInput: *value* is no datetime, has no UTC offset, or lies outside 1970 to 9899.

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
        # Rebuilt field by field, so that a subclass with an arithmetic of its own is left behind.
        wall = datetime.combine(
            date(value.year, value.month, value.day),
            time(value.hour, value.minute, value.second, value.microsecond),
            tzinfo=UTC,
        )
        instant = None if offset is None else wall - offset
    except Exception as error:  # a foreign tzinfo may raise anything at all
        raise out_of_range(field) from error
    if instant is None:
        raise InvalidInput(
            "naive_datetime", field, "a datetime needs a time zone, such as tzinfo=datetime.UTC"
        )
    if not EARLIEST <= instant < END_OF_RANGE:
        raise out_of_range(field)
    return instant


def out_of_range(field: str) -> InvalidInput:
    """Return the error that says so."""
    return InvalidInput("out_of_range", field, "expected an instant in the years 1970 to 9899")


def next_tick(instant: datetime) -> datetime | None:
    """Return the instant right after *instant*, or ``None`` after the last that is accepted.

    Example:
        >>> next_tick(datetime(2026, 1, 5, tzinfo=UTC)).microsecond
        1
    """
    return instant + TICK if instant < LATEST else None


def format_datetime(instant: datetime) -> str:
    """Write *instant* the way sentences do, which are for people: down to the second.

    Example:
        >>> format_datetime(datetime(2026, 1, 5, 9, 0, 0, 999999, tzinfo=UTC))
        '2026-01-05 09:00:00 UTC'
    """
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def format_datetime_up(instant: datetime) -> str:
    """Write the first whole second from which *instant* has come, for what is possible only then.

    Example:
        >>> format_datetime_up(datetime(2026, 1, 5, 9, 0, 0, 1, tzinfo=UTC))
        '2026-01-05 09:00:01 UTC'
    """
    return format_datetime(instant + timedelta(seconds=1) - TICK)


def check_zone(zone: tzinfo, field: str = "zone") -> None:
    """Do nothing if *zone* is a time zone itself; its name is none.

    Example:
        >>> check_zone(UTC)
    """
    if not isinstance(zone, tzinfo):
        raise InvalidInput("wrong_type", field, "expected tzinfo, such as ZoneInfo('Asia/Tokyo')")


def first_at_or_after(wall: datetime, zone: tzinfo) -> datetime:
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
        InvalidInput: *day* is no plain date, *zone* no time zone, or it lies outside 1970 to 9899.

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
    except Exception as error:  # a foreign tzinfo may raise anything at all
        raise out_of_range(field) from error


def zone_named(name: str, field: str = "time_zone") -> tzinfo:
    """Return the time zone of the IANA *name*.

    Raises:
        InvalidInput: this machine knows no such zone.

    Example:
        >>> print(zone_named("Asia/Tokyo"))
        Asia/Tokyo
    """
    # Known everywhere, even where there is no database of time zones.
    if isinstance(name, str):
        if name == "UTC":
            return UTC
        try:
            return ZoneInfo(name)
        except (LookupError, OSError, ValueError):
            pass
    raise InvalidInput(
        "unknown_time_zone",
        field,
        "expected an IANA name such as Europe/Berlin; if this machine has none, install tzdata",
    )
