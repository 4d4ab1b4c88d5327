"""Datetimes, days, durations and time zones: conversion, limits and string forms."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from itertools import pairwise
from re import fullmatch
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
import pytest
from dateutil import tz
from dateutil.relativedelta import MO, relativedelta
from hypothesis import example, given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.time.datetimes import (
    as_utc,
    format_datetime,
    format_datetime_up,
    start_of_day,
)
from course_assignments.time.durations import as_duration, as_end, end_of, resolve_end
from tests.support.strategies import (
    FOLDS,
    GAPS,
    US,
    ZONE_NAMES,
    instants,
    terms,
    utc_instants,
    zones,
)
from tests.support.values import assert_is_value, refusal

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
END_OF_RANGE = datetime(9900, 1, 1, tzinfo=UTC)
HUNDRED_YEARS = timedelta(days=36525)
MINUTE = timedelta(minutes=1)

NAIVE = datetime.fromisoformat("2026-01-05")

#: Untyped, since the type of `relativedelta` accepts only whole numbers.
ANY_DELTA: Any = relativedelta

BERLIN = ZoneInfo("Europe/Berlin")
APIA = ZoneInfo("Pacific/Apia")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def first_reached(wall: datetime, zone: tzinfo) -> datetime:
    """Return when the clocks of *zone* first show *wall* or later, minute by minute.

    The zone must change its clocks at a whole minute.
    """
    rest = timedelta(seconds=wall.second, microseconds=wall.microsecond)
    # Every zone is at most 14 hours ahead of UTC or 12 behind it, and skips at most a day.
    minute = (wall - rest).replace(tzinfo=UTC) - timedelta(hours=15)
    jumped_over = None
    for _ in range(42 * 60):
        shown = minute.astimezone(zone).replace(tzinfo=None)
        if shown + rest == wall:
            return minute + rest
        if shown > wall and jumped_over is None:
            jumped_over = minute
        minute += MINUTE
    assert jumped_over is not None
    return jumped_over


def months_later(wall: datetime, count: int) -> datetime:
    """Add months on a calendar, with the day clipped to the end of the month."""
    years, month = divmod(wall.year * 12 + wall.month - 1 + count, 12)
    return wall.replace(
        year=years, month=month + 1, day=min(wall.day, monthrange(years, month + 1)[1])
    )


class Broken(tzinfo):
    """A zone with any value as its offset, or an error."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def utcoffset(self, _: datetime | None, /) -> timedelta | None:
        if isinstance(self.answer, BaseException):
            raise self.answer
        answer: timedelta | None = self.answer
        return answer

    def tzname(self, _: datetime | None, /) -> None:
        return None

    def dst(self, _: datetime | None, /) -> None:
        return None


class Stubborn(datetime):
    """A datetime whose own arithmetic must not be used."""

    def __sub__(self, _: object) -> Any:
        raise RuntimeError("not this way")

    __add__ = __radd__ = __sub__

    def astimezone(self, _: tzinfo | None = None) -> Any:
        raise RuntimeError("not this way")

    def replace(self, *_: object, **__: object) -> Any:
        raise RuntimeError("not this way")


class NaTType(datetime):
    """Like pandas.NaT: a datetime that is not equal to itself and answers no question."""

    def __eq__(self, _: object) -> bool:
        return False

    def __ne__(self, _: object) -> bool:
        return True

    __hash__ = datetime.__hash__

    def utcoffset(self) -> Any:
        raise ValueError("NaTType does not support utcoffset")


NAT = NaTType(1970, 1, 1, tzinfo=UTC)


class Incomparable(datetime):
    """A datetime that cannot be compared."""

    __hash__ = datetime.__hash__

    def __ne__(self, _: object) -> bool:
        raise RuntimeError("no")


class TestAsUtc:
    """Every stored value is a plain `datetime` whose tzinfo *is* ``datetime.UTC``."""

    @given(instants())
    def test_returns_the_same_time_as_a_plain_datetime_in_utc(self, value: datetime) -> None:
        got = as_utc(value)
        offset = value.utcoffset()
        assert offset is not None
        assert got.replace(tzinfo=None) == value.replace(tzinfo=None) - offset
        assert type(got) is datetime
        assert got.tzinfo is UTC
        assert got.fold == 0
        assert as_utc(got) is got

    @given(utc_instants(), zones(), zones())
    def test_the_same_time_in_two_zones_gives_the_same_value(
        self, at: datetime, one: tzinfo, other: tzinfo
    ) -> None:
        values = {as_utc(at.astimezone(zone)) for zone in (one, other, UTC)}
        assert values == {at}
        assert [value.fold for value in values] == [0]

    @pytest.mark.parametrize(
        "utc",
        [
            UTC,
            ZoneInfo("UTC"),
            tz.UTC,
            tz.tzutc(),
            timezone(timedelta(0), "Zulu"),
            ZoneInfo("Africa/Abidjan"),
        ],
        ids=repr,
    )
    def test_any_utc_zone_becomes_datetime_utc(self, utc: tzinfo) -> None:
        got = as_utc(datetime(2026, 1, 5, 9, tzinfo=utc, fold=1))
        assert got == datetime(2026, 1, 5, 9, tzinfo=UTC)
        assert got.tzinfo is UTC
        assert got.fold == 0

    @pytest.mark.parametrize(("name", "wall"), FOLDS)
    def test_the_fold_of_an_ambiguous_time_counts(self, name: str, wall: datetime) -> None:
        zone = ZoneInfo(name)
        first, second = (as_utc(wall.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
        assert first < second
        for at in (first, second):
            assert at.astimezone(zone).replace(tzinfo=None) == wall

    @pytest.mark.parametrize(("name", "wall"), GAPS)
    def test_a_time_that_does_not_exist_is_converted_by_its_offset(
        self, name: str, wall: datetime
    ) -> None:
        zone = ZoneInfo(name)
        before, after = (as_utc(wall.replace(tzinfo=zone, fold=fold)) for fold in (1, 0))
        jump = first_reached(wall, zone)
        assert before < jump <= after
        assert before.astimezone(zone).replace(tzinfo=None) < wall
        assert after.astimezone(zone).replace(tzinfo=None) > wall

    def test_a_subclass_becomes_a_plain_datetime_without_its_own_arithmetic(self) -> None:
        for zone, hour in ((UTC, 9), (BERLIN, 8)):
            got = as_utc(Stubborn(2026, 1, 5, 9, 1, 2, 3, tzinfo=zone))
            assert type(got) is datetime
            assert got == datetime(2026, 1, 5, hour, 1, 2, 3, tzinfo=UTC)


class TestRefusedDatetime:
    """Naive datetimes are refused, also with a zone without offset. Range: years 1970 to 9899."""

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            (NAIVE, "naive_datetime"),
            (datetime(2026, 1, 5, tzinfo=Broken(None)), "naive_datetime"),
            (datetime.fromisoformat("9999-12-31"), "naive_datetime"),
            (datetime(2026, 1, 5, tzinfo=Broken(RuntimeError("no"))), "out_of_range"),
            (datetime(2026, 1, 5, tzinfo=Broken(KeyError("no"))), "out_of_range"),
            (datetime(2026, 1, 5, tzinfo=Broken("+01:00")), "out_of_range"),
            (datetime(2026, 1, 5, tzinfo=Broken(timedelta(days=2))), "out_of_range"),
            (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), "out_of_range"),
            (datetime.max.replace(tzinfo=timezone(-timedelta(hours=14))), "out_of_range"),
            (date(2026, 1, 5), "not_a_datetime"),
            (time(9, tzinfo=UTC), "not_a_datetime"),
            ("2026-01-05T09:00:00Z", "not_a_datetime"),
            (1767600000, "not_a_datetime"),
            (None, "not_a_datetime"),
            (float("nan"), "not_a_datetime"),
            (NAT, "not_a_datetime"),
        ],
    )
    def test_is_named_with_its_field(self, value: Any, code: str) -> None:
        error = refusal(lambda: as_utc(value, "created_at"))
        assert (error.code, error.field) == (code, "created_at")

    def test_that_is_missing_says_so_and_what_to_pass(self) -> None:
        for value, name in ((NAT, "NaT"), (float("nan"), "NaN")):
            for check in (as_utc, as_end, as_duration):
                hint = refusal(lambda c=check, v=value: c(v)).hint  # type: ignore[misc]
                assert hint.endswith(f", got {name}; pass None")

    def test_that_cannot_be_compared_is_refused_as_usual(self) -> None:
        assert refusal(lambda: as_utc(Incomparable(2026, 1, 5))).code == "naive_datetime"

    def test_that_is_naive_says_how_to_add_a_zone(self) -> None:
        assert "value.replace(tzinfo=UTC)" in refusal(lambda: as_utc(NAIVE)).hint

    def test_a_keyboard_interrupt_propagates(self) -> None:
        with pytest.raises(KeyboardInterrupt):
            as_utc(datetime(2026, 1, 5, tzinfo=Broken(KeyboardInterrupt())))

    @pytest.mark.parametrize("name", ZONE_NAMES)
    def test_the_range_is_half_open_in_utc(self, name: str) -> None:
        zone = ZoneInfo(name)
        for inside in (EARLIEST, EARLIEST + US, END_OF_RANGE - US):
            assert as_utc(inside.astimezone(zone)) == inside
        for outside in (EARLIEST - US, END_OF_RANGE, END_OF_RANGE + US):
            error = refusal(lambda at=outside: as_utc(at.astimezone(zone)))  # type: ignore[misc]
            assert (error.code, error.field) == ("out_of_range", "at")


MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ")  # noqa: SIM905


@given(utc_instants())
@example(datetime(2026, 1, 6, 9, tzinfo=UTC))
@example(datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))
def test_a_sentence_shows_a_datetime_to_the_second_in_utc(at: datetime) -> None:
    found = fullmatch(r"(\d+) (\w+) (\d{4}), (\d\d):(\d\d)(:\d\d)? UTC", format_datetime(at))
    assert found
    day, month, year, hour, minute, second = found.groups(default=":00")
    date_shown = date(int(year), MONTHS.index(month) + 1, int(day))
    shown = datetime.combine(date_shown, time(int(hour), int(minute), int(second[1:]), tzinfo=UTC))
    assert shown == at.replace(microsecond=0)
    assert (second == ":00") == (at.second == 0)
    rounded_up = shown if shown == at else shown + timedelta(seconds=1)
    assert format_datetime_up(at) == format_datetime(rounded_up)


class TestStartOfDay:
    """A `date` is the start of that day in the zone, or the first datetime after a gap."""

    @given(st.dates(date(1973, 1, 1), date(2150, 1, 1)), zones())
    @example(date(2011, 12, 30), APIA)
    @example(date(2018, 11, 4), SAO_PAULO)
    def test_is_the_first_datetime_with_this_date(self, day: date, zone: tzinfo) -> None:
        got = start_of_day(day, zone)
        assert got == first_reached(datetime.combine(day, time()), zone)
        assert got.tzinfo is UTC
        assert (got - US).astimezone(zone).date() < day <= got.astimezone(zone).date()

    @pytest.mark.parametrize(
        ("day", "zone", "field"),
        [
            (datetime(2026, 3, 1, tzinfo=UTC), UTC, "day"),
            ("2026-03-01", UTC, "day"),
            (date(2026, 3, 1), "Europe/Berlin", "zone"),
            (date(2026, 3, 1), None, "zone"),
        ],
    )
    def test_needs_a_date_and_a_zone(self, day: Any, zone: Any, field: str) -> None:
        error = refusal(lambda: start_of_day(day, zone))
        assert (error.code, error.field) == ("wrong_type", field)

    @pytest.mark.parametrize(
        ("day", "zone", "start"),
        [
            # Skipped, so it starts with the next day; without a midnight; with two of them.
            (date(2011, 12, 30), APIA, datetime(2011, 12, 30, 10, tzinfo=UTC)),
            (date(2011, 12, 31), APIA, datetime(2011, 12, 30, 10, tzinfo=UTC)),
            (date(2018, 11, 4), SAO_PAULO, datetime(2018, 11, 4, 3, tzinfo=UTC)),
            (date(2026, 11, 1), ZoneInfo("America/Havana"), datetime(2026, 11, 1, 4, tzinfo=UTC)),
            # At the limits of the accepted years.
            (date(1970, 1, 1), UTC, EARLIEST),
            (date(1970, 1, 1), BERLIN, None),
            (date(1970, 1, 2), BERLIN, datetime(1970, 1, 1, 23, tzinfo=UTC)),
            (date(9899, 12, 31), UTC, datetime(9899, 12, 31, tzinfo=UTC)),
            (date(9900, 1, 1), UTC, None),
            (date(9900, 1, 1), BERLIN, datetime(9899, 12, 31, 23, tzinfo=UTC)),
            (date.min, BERLIN, None),
            (date.max, SAO_PAULO, None),
        ],
    )
    def test_is_known_for_odd_days_and_within_the_accepted_years(
        self, day: date, zone: tzinfo, start: datetime | None
    ) -> None:
        if start is not None:
            assert start_of_day(day, zone) == start
        else:
            error = refusal(lambda: start_of_day(day, zone, "expires"))
            assert (error.code, error.field) == ("out_of_range", "expires")


class TestMonths:
    """Calendar months are counted once from the start in a zone; the day is clipped."""

    @given(instants(end=datetime.fromisoformat("2080-01-01")), st.integers(1, 240), zones())
    @example(datetime(2026, 1, 29, 2, 30, tzinfo=BERLIN), 2, BERLIN)
    @example(datetime(2026, 9, 25, 2, 30, tzinfo=BERLIN), 1, BERLIN)
    @example(datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1), 1, BERLIN)
    @example(datetime(2011, 8, 30, 12, tzinfo=APIA), 4, APIA)
    @example(datetime(2018, 5, 4, 0, 30, 0, 1, tzinfo=SAO_PAULO), 6, SAO_PAULO)
    def test_end_where_the_wall_clock_first_shows_it(
        self, start: datetime, count: int, zone: tzinfo
    ) -> None:
        at = as_utc(start)
        wall = at.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0)
        later = months_later(wall, count)
        assert later == wall + relativedelta(months=count)
        got = end_of(ca.Months(count), at, zone)
        assert got == first_reached(later, zone)
        assert got.tzinfo is UTC
        assert got > at

    @pytest.mark.parametrize(
        ("start", "count", "end"),
        [
            ("2026-01-29T01:30", 2, "2026-03-29T01:00"),  # 02:30 does not exist: 03:00
            ("2026-09-25T00:30", 1, "2026-10-25T00:30"),  # 02:30 exists twice: the first
            ("2026-10-25T01:30", 1, "2026-11-25T01:30"),  # from the second 02:30 of a day
            ("2026-08-30T22:30", 6, "2027-02-27T23:30"),  # the 31st there, the 30th in UTC
        ],
    )
    def test_in_berlin(self, start: str, count: int, end: str) -> None:
        begin = datetime.fromisoformat(start).replace(tzinfo=UTC)
        assert ca.Months(count).after(begin, BERLIN).isoformat() == f"{end}:00+00:00"

    def test_are_counted_once_and_not_month_by_month(self) -> None:
        start = datetime(2026, 1, 31, tzinfo=UTC)
        assert end_of(ca.Months(2), start) == datetime(2026, 3, 31, tzinfo=UTC)
        assert end_of(ca.Months(1), end_of(ca.Months(1), start)) == datetime(
            2026, 3, 28, tzinfo=UTC
        )

    def test_six_are_always_181_to_184_days(self) -> None:
        first = datetime(2095, 1, 1, tzinfo=UTC)
        # Ten years around 2100, which is not a leap year, include every case.
        lengths = {
            (ca.Months(6).after(start) - start).days
            for start in (first + timedelta(days=day) for day in range(3650))
        }
        assert lengths == {181, 182, 183, 184}

    @given(st.integers(1, 1200), st.integers(1, 1200))
    def test_compare_by_their_count(self, one: int, other: int) -> None:
        assert (ca.Months(one) == ca.Months(other)) == (one == other)
        assert (ca.Months(one) < ca.Months(other)) == (one < other)

    def test_are_values(self) -> None:
        assert_is_value(ca.Months(6), keyword_only=False)
        assert str(ca.Months(6)) == "P6M"

    @pytest.mark.parametrize("count", [0, -1, 1201, True, 6.0, "6", None])
    def test_are_1_to_1200(self, count: Any) -> None:
        assert [ca.Months(1).count, ca.Months(1200).count] == [1, 1200]
        error = refusal(lambda: ca.Months(count))
        assert (error.code, error.field) == ("invalid_duration", "months")


class Longer(timedelta):
    """A timedelta of another library."""


class TestDurations:
    """Durations are positive and at most 100 years; a ``relativedelta`` is converted."""

    @pytest.mark.parametrize(
        ("given", "duration"),
        [
            (US, US),
            (HUNDRED_YEARS, HUNDRED_YEARS),
            (ca.Months(6), ca.Months(6)),
            (relativedelta(months=6), ca.Months(6)),
            (relativedelta(years=1), ca.Months(12)),
            (relativedelta(years=1, months=6), ca.Months(18)),
            (relativedelta(years=1, months=-1), ca.Months(11)),
            (relativedelta(months=18), ca.Months(18)),
            (relativedelta(years=100), ca.Months(1200)),
            (relativedelta(weeks=2), timedelta(days=14)),
            (relativedelta(days=180), timedelta(days=180)),
            (relativedelta(days=36525), HUNDRED_YEARS),
            (relativedelta(hours=24), timedelta(days=1)),
            (relativedelta(hours=36), timedelta(hours=36)),
            (relativedelta(minutes=90), timedelta(minutes=90)),
            (relativedelta(seconds=1, microseconds=1), timedelta(seconds=1, microseconds=1)),
            (relativedelta(days=1, hours=-1), timedelta(hours=23)),
            (ANY_DELTA(days=1.5), timedelta(hours=36)),
        ],
        ids=repr,
    )
    def test_are_converted(self, given: ca.DurationLike, duration: ca.Duration) -> None:
        assert as_duration(given) == duration
        assert type(as_duration(given)) is type(duration)

    @given(st.integers(-100, 100), st.integers(-1200, 1200))
    def test_a_relativedelta_of_years_and_months_counts_months(
        self, years: int, months: int
    ) -> None:
        total = 12 * years + months
        length = relativedelta(years=years, months=months)
        if 1 <= total <= 1200:
            assert as_duration(length) == ca.Months(total)
        else:
            assert refusal(lambda: as_duration(length)).code == "invalid_duration"

    @given(st.timedeltas(US, HUNDRED_YEARS))
    def test_a_relativedelta_of_exact_units_is_a_timedelta(self, exact: timedelta) -> None:
        length = relativedelta(
            days=exact.days, seconds=exact.seconds, microseconds=exact.microseconds
        )
        assert as_duration(length) == exact
        assert type(as_duration(length)) is timedelta

    def test_a_subclass_of_timedelta_becomes_plain(self) -> None:
        got = as_duration(Longer(days=2, seconds=3, microseconds=4))
        assert type(got) is timedelta
        assert got == timedelta(days=2, seconds=3, microseconds=4)

    @pytest.mark.parametrize(
        ("given", "duration"),
        [
            (pendulum.duration(months=3), ca.Months(3)),
            (pendulum.duration(years=1, months=6), ca.Months(18)),
            (pendulum.duration(weeks=1, days=2, hours=3), timedelta(days=9, hours=3)),
        ],
        ids=repr,
    )
    def test_a_subclass_with_months_counts_months(
        self, given: timedelta, duration: ca.Duration
    ) -> None:
        assert as_duration(given) == duration
        assert type(as_duration(given)) is type(duration)

    def test_an_interval_of_calendar_months_is_refused_for_what_it_is(self) -> None:
        interval = pendulum.datetime(2026, 4, 1) - pendulum.datetime(2026, 1, 1)
        error = refusal(lambda: as_duration(interval))
        assert error.hint == (
            "expected either months or an exact length, not both and not a date, got Interval"
        )

    def test_a_policy_takes_no_months_for_an_exact_length(self) -> None:
        month = pendulum.duration(months=1)
        assert refusal(lambda: ca.CancellationPolicy(window=month)).code == "wrong_type"

    @pytest.mark.parametrize("name", ["years", "months", "days", "seconds", "__eq__"])
    @pytest.mark.parametrize("value", ["x", None, 1.5, [1], RuntimeError("no")])
    def test_a_subclass_with_invalid_attributes_is_refused_or_exact(
        self, name: str, value: Any
    ) -> None:
        def read(*_: object) -> Any:
            if isinstance(value, Exception):
                raise value
            return value

        attribute = read if name == "__eq__" else property(read)
        kind: Any = type("Odd", (Longer,), {"months": 3, name: attribute})
        if (name, value) == ("months", None):
            assert as_duration(kind(days=90)) == timedelta(days=90)
        else:
            assert refusal(lambda: as_duration(kind(days=90))).code == "invalid_duration"

    @pytest.mark.parametrize(
        "given",
        [
            timedelta(0),
            -US,
            pendulum.duration(months=1, days=1),
            pendulum.duration(years=1, months=-12),
            pendulum.interval(pendulum.datetime(2026, 1, 1), pendulum.datetime(2026, 3, 1)),
            HUNDRED_YEARS + US,
            timedelta.max,
            relativedelta(),
            relativedelta(months=-1),
            relativedelta(days=-1),
            relativedelta(days=36525, microseconds=1),
            relativedelta(years=100, months=1),
            relativedelta(months=1, days=1),
            relativedelta(months=1, hours=1),
            relativedelta(months=1, leapdays=1),
            relativedelta(leapdays=1),
            relativedelta(months=1, day=1),
            relativedelta(days=1, hour=0),
            relativedelta(days=1, weekday=MO),
            relativedelta(year=2026),
            ANY_DELTA(days=float("nan")),
            ANY_DELTA(days=float("inf")),
            180,
            "P6M",
            None,
            datetime(2026, 1, 5, tzinfo=UTC),
        ],
        ids=repr,
    )
    def test_of_other_forms_are_refused(self, given: Any) -> None:
        error = refusal(lambda: as_duration(given, "maximum_access"))
        assert (error.code, error.field) == ("invalid_duration", "maximum_access")

    def test_a_relativedelta_with_invalid_attributes_is_refused(self) -> None:
        for junk in ("x", None, [1]):
            length = relativedelta(months=6)
            length.months = junk  # type: ignore[assignment]
            assert refusal(lambda given=length: as_duration(given)).code == "invalid_duration"  # type: ignore[misc]


class TestEnds:
    @given(utc_instants(), st.timedeltas(US, timedelta(days=3650)), zones())
    def test_an_exact_length_is_the_same_in_every_zone(
        self, start: datetime, length: timedelta, zone: tzinfo
    ) -> None:
        assert end_of(length, start, zone) == start + length

    @pytest.mark.parametrize("duration", [timedelta(days=61), ca.Months(2)])
    def test_leave_the_range_like_a_datetime(self, duration: ca.Duration) -> None:
        november = datetime(9899, 11, 1, tzinfo=UTC)
        assert end_of(duration, november - US) == END_OF_RANGE - US
        error = refusal(lambda: end_of(duration, november, field="expires"))
        assert (error.code, error.field) == ("out_of_range", "expires")
        late = refusal(lambda: end_of(duration, datetime(9999, 12, 5, tzinfo=UTC), field="expires"))
        assert (late.code, late.field) == ("out_of_range", "start")

    @pytest.mark.parametrize(
        ("duration", "start", "zone", "field"),
        [
            ("P1D", datetime(2026, 1, 5, tzinfo=UTC), UTC, "duration"),
            (timedelta(days=1), datetime(2026, 1, 5), UTC, "start"),  # noqa: DTZ001
            (timedelta(days=1), "now", UTC, "start"),
            (ca.Months(1), datetime(2026, 1, 5, tzinfo=UTC), "UTC", "zone"),
            (timedelta(days=1), datetime(2026, 1, 5, tzinfo=UTC), "UTC", "zone"),
        ],
    )
    def test_need_a_duration_a_start_and_a_zone(
        self, duration: Any, start: Any, zone: Any, field: str
    ) -> None:
        assert refusal(lambda: end_of(duration, start, zone)).field == field

    def test_accept_a_datetime_a_duration_or_a_date(self) -> None:
        start = datetime(2026, 1, 5, 9, tzinfo=UTC)

        def end(value: Any) -> str:
            return resolve_end(value, start=start, zone=BERLIN, field="expires").isoformat()

        assert end(datetime(2026, 7, 1, 2, tzinfo=BERLIN)) == "2026-07-01T00:00:00+00:00"
        assert end(date(2026, 7, 1)) == "2026-06-30T22:00:00+00:00"
        assert end(timedelta(days=180)) == "2026-07-04T09:00:00+00:00"
        assert end(ca.Months(6)) == "2026-07-05T08:00:00+00:00"
        assert end(relativedelta(months=6)) == "2026-07-05T08:00:00+00:00"

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            (NAIVE, "naive_datetime"),
            (date(9999, 12, 31), "out_of_range"),
            (timedelta(0), "invalid_duration"),
            ("2026-07-01", "invalid_duration"),
            (None, "invalid_duration"),
        ],
    )
    def test_of_other_forms_are_refused(self, value: Any, code: str) -> None:
        start = datetime(2026, 1, 5, 9, tzinfo=UTC)
        error = refusal(lambda: resolve_end(value, start=start, zone=UTC, field="expires"))
        assert (error.code, error.field) == (code, "expires")


class TestStringForm:
    """The string form of a duration is ISO 8601 (``P6M``, ``P180D``, ``PT24H``)."""

    @given(terms(longest=HUNDRED_YEARS))
    def test_is_read_back_unchanged(self, duration: ca.Duration) -> None:
        read = ca.parse_duration(ca.format_duration(duration))
        assert read == duration
        assert type(read) is type(duration)

    @pytest.mark.parametrize(
        ("duration", "text"),
        [
            (ca.Months(6), "P6M"),
            (ca.Months(18), "P18M"),
            (US, "PT0.000001S"),
            (timedelta(seconds=1.5), "PT1.5S"),
            (timedelta(seconds=30), "PT30S"),
            (timedelta(minutes=90), "PT1H30M"),
            (timedelta(hours=24), "PT24H"),
            (timedelta(hours=48) - timedelta(minutes=1), "PT47H59M"),
            (timedelta(hours=48), "P2D"),
            (timedelta(days=2, hours=1, seconds=10), "P2DT1H10S"),
            (timedelta(days=180), "P180D"),
            (HUNDRED_YEARS, "P36525D"),
        ],
    )
    def test_is_written(self, duration: ca.Duration, text: str) -> None:
        assert ca.format_duration(duration) == text

    @pytest.mark.parametrize(
        ("text", "duration"),
        [
            ("P1M", ca.Months(1)),
            ("PT1M", timedelta(minutes=1)),
            ("P1Y", ca.Months(12)),
            ("P1Y6M", ca.Months(18)),
            ("P0Y6M", ca.Months(6)),
            ("P100Y", ca.Months(1200)),
            ("P2W", timedelta(days=14)),
            ("P1W1D", timedelta(days=8)),
            ("P0DT1S", timedelta(seconds=1)),
            ("PT36H", timedelta(hours=36)),
            ("PT15552000S", timedelta(days=180)),
            ("PT0.5S", timedelta(milliseconds=500)),
            ("P1DT2H3M4.000005S", timedelta(1, 4, 5, 0, 3, 2)),
        ],
    )
    def test_is_read(self, text: str, duration: ca.Duration) -> None:
        assert ca.parse_duration(text) == duration

    @pytest.mark.parametrize(
        "text",
        [
            *("", "P", "PT", "P1DT", "P1MT", "T1H", "6M", "P6", "p6m", " P6M", "P6M ", "P6M\n"),
            *("P-6M", "-P6M", "P+6M", "P1.5D", "PT1.5H", "P1,5D", "P1M1D", "P1Y1W", "P1MT1H"),
            *("P1D1W", "P6M6M", "P\u0663M", "P6\u216f", "PT0.0000001S", "PT.5S", "PT1.S"),
            *("P0M", "P0D", "PT0S", "PT0.0S", "P1201M", "P101Y", "P36526D", "P36525DT0.000001S"),
            *("P999999999Y", "P999999999W", "P999999999D", "PT999999999H", "P9999999999D"),
            *(None, 6, b"P6M", timedelta(days=1)),
        ],
        ids=repr,
    )
    def test_of_another_format_is_refused(self, text: Any) -> None:
        error = refusal(lambda: ca.parse_duration(text, "availability"))
        assert (error.code, error.field) == ("invalid_duration", "availability")

    @pytest.mark.parametrize("text", ["", "P", "PT", "six months", None])
    def test_that_is_invalid_gets_a_hint_with_the_format(self, text: Any) -> None:
        assert "ISO 8601" in refusal(lambda: ca.parse_duration(text)).hint

    @given(
        st.text()
        | st.from_regex(
            r"P(\d{0,10}[YMWD]){0,3}(T(\d{0,10}(\.\d{0,7})?[HMS]){0,3})?", fullmatch=True
        )
    )
    def test_of_any_kind_is_a_duration_or_refused(self, text: str) -> None:
        try:
            duration = ca.parse_duration(text)
        except ca.InvalidInput:
            return
        assert as_duration(duration) == duration
        assert ca.parse_duration(ca.format_duration(duration)) == duration


def test_first_reached_knows_gaps_and_folds() -> None:
    for name, wall in GAPS:
        zone = ZoneInfo(name)
        jump = first_reached(wall, zone)
        shown = [at.astimezone(zone).replace(tzinfo=None) for at in (jump - US, jump)]
        assert [one < wall < other for one, other in pairwise(shown)] == [True]
    for name, wall in FOLDS:
        zone = ZoneInfo(name)
        assert first_reached(wall, zone) == wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
