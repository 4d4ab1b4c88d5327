"""Datetimes in UTC, and conversions from local time to UTC.

Every datetime that this module returns is a plain `datetime` whose tzinfo *is* ``datetime.UTC``.
"""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from re import fullmatch
from zoneinfo import ZoneInfo

from course_assignments.errors import SHOWN_LENGTH, InvalidInput, is_a, received

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
    if not is_a(value, datetime) or is_missing(value):
        hint = f"expected an aware datetime, {received_time(value)}"
        raise InvalidInput("not_a_datetime", field, hint)
    try:
        offset = value.utcoffset()
        # Rebuilt, because a subclass may override its methods and its arithmetic.
        wall = datetime.combine(datetime.date(value), datetime.time(value), UTC)
        found = None if offset is None else wall - offset
    except OverflowError as error:
        raise out_of_range(field, received_time(value)) from error
    except Exception as error:  # a foreign tzinfo may raise anything
        raise out_of_range(field, f"{received_time(value)}, {_zone_raised(error)}") from error
    if found is None:
        advice = "if it is in UTC, pass value.replace(tzinfo=UTC)"
        hint = f"expected an aware datetime, {received_time(value)} without a zone; {advice}"
        raise InvalidInput("naive_datetime", field, hint)
    if not EARLIEST <= found < END_OF_RANGE:
        raise out_of_range(field, received_time(value))
    return found


def is_missing(value: object) -> bool:
    """Return whether *value* is NaT or NaN, which pandas and numpy use for a missing value."""
    try:
        return bool(value != value)  # noqa: PLR0124 - only they are not equal to themselves
    except Exception:  # noqa: BLE001 - a foreign type may raise anything
        return False


def received_time(value: object) -> str:
    """Say what was received as a datetime, a date or a duration."""
    if is_missing(value):
        return f"got {'NaN' if is_a(value, float) else 'NaT'}; pass None"
    # Of a derived class only what the base class shows; a tzinfo is not asked, and may be wrong.
    if is_a(value, datetime):
        wall = datetime.combine(datetime.date(value), datetime.time(value))
        return f"got datetime {wall.isoformat()}"
    if is_a(value, date):
        return f"got date {date.isoformat(value)}"
    if is_a(value, timedelta):
        return f"got timedelta {timedelta.__str__(value)}"
    return received(value)


def _zone_raised(error: Exception) -> str:
    return f"whose time zone raised {type(error).__name__[:SHOWN_LENGTH]}"


def out_of_range(field: str, got: str) -> InvalidInput:
    """Return the error for a datetime that is not accepted."""
    hint = f"expected a datetime in the years 1970 to 9899, {got}"
    return InvalidInput("out_of_range", field, hint)


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


def check_zone(zone: tzinfo, field: str = "zone") -> tzinfo:
    """Return *zone*, as a `ZoneInfo` if it has an IANA name; refuse what is not a `tzinfo`.

    Names that do not mean the same on every machine are refused, as for an organization.

    Zones of pendulum and pytz have a name. A zone of pytz needs its name, because it is wrong
    without pytz's own arithmetic. Any other `tzinfo` is returned as it is.
    """
    if zone is UTC:
        return zone
    if type(zone) is ZoneInfo:
        if zone.key:  # it has none if it was read from a file
            check_zone_name(zone.key, field)
        return zone
    if not issubclass(type(zone), tzinfo):
        hint = f"expected tzinfo, such as ZoneInfo('Asia/Tokyo'), {received(zone)}"
        raise InvalidInput("wrong_type", field, hint)
    try:
        name = getattr(zone, "key", None) or getattr(zone, "zone", None)
        is_pytz = hasattr(zone, "localize")
    except Exception:  # noqa: BLE001 - a foreign tzinfo may raise anything
        return zone
    if type(name) is str:
        try:
            return zone_named(name, field)
        except InvalidInput:
            if is_pytz:
                raise
    return zone


def first_at_or_after(wall: datetime, zone: tzinfo) -> datetime:
    """Convert the local time *wall* in *zone* to UTC.

    In a fold, return the first of both. In a gap, return the first datetime after the gap.
    """
    found = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    shown = found.astimezone(zone).replace(tzinfo=None)
    if shown == wall:
        return found
    # The jump is between the two datetimes that the offsets before and after it give, whichever of
    # them a zone takes. Zones jump on whole seconds.
    first, last = sorted((found, found - (shown - wall)))
    old = first.astimezone(zone).utcoffset()
    seconds = range(int(first.timestamp()), int(last.timestamp()) + 2)

    def jumped(second: int) -> bool:
        return datetime.fromtimestamp(second, zone).utcoffset() != old

    return datetime.fromtimestamp(seconds[bisect_left(seconds, True, key=jumped)], UTC)  # noqa: FBT003


def start_of_day(day: date, zone: tzinfo, field: str = "day") -> datetime:
    """Return the start of *day* in *zone*, which is not always midnight.

    >>> from zoneinfo import ZoneInfo
    >>> start_of_day(date(2026, 7, 1), ZoneInfo("America/New_York")).isoformat()
    '2026-07-01T04:00:00+00:00'
    """
    if not is_a(day, date) or is_a(day, datetime):
        hint = f"expected a date, without a time of day, {received_time(day)}"
        raise InvalidInput("wrong_type", field, hint)
    zone = check_zone(zone)
    try:
        return as_utc(first_at_or_after(datetime.combine(day, time()), zone), field)
    except (InvalidInput, OverflowError) as error:
        raise out_of_range(field, received_time(day)) from error
    except Exception as error:  # a foreign tzinfo may raise anything
        raise out_of_range(field, f"{received_time(day)}, {_zone_raised(error)}") from error


#: Each part of an IANA name begins with a capital. So ``localtime`` and ``posixrules``, which are
#: set on each machine, and ``posix/...`` and ``right/...``, which count other seconds, are refused.
_ZONE_NAME = r"[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*"

#: The longest name of the database has 32 characters.
ZONE_NAME_LENGTH = 100

#: Not the same on every machine, nor in capitals where a file system ignores case.
_OWN_ZONES = frozenset({"localtime", "posixrules", "factory", "posix", "right"})


def check_zone_name(name: object, field: str = "time_zone") -> str:
    """Raise InvalidInput unless *name* can be an IANA name; this machine may lack the zone.

    >>> check_zone_name("Europe/Berlin")
    'Europe/Berlin'
    """
    known = type(name) is str and len(name) <= ZONE_NAME_LENGTH and fullmatch(_ZONE_NAME, name)
    if not known or known[0].split("/")[0].casefold() in _OWN_ZONES:
        # A stored name is not shown either, as the messages of a storage show no contents.
        hint = f"expected an IANA name such as Europe/Berlin, {received(name)}"
        raise InvalidInput("unknown_time_zone", field, hint)
    return known[0]


def zone_named(name: str, field: str = "time_zone") -> tzinfo:
    """Return the time zone with the IANA *name*, or raise InvalidInput if this machine lacks it."""
    if check_zone_name(name, field) == "UTC":  # works even without a time zone database
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError):
        hint = f"this machine has no zone {name[:60]!r}; install tzdata, or correct the name"
        raise InvalidInput("unknown_time_zone", field, hint) from None
