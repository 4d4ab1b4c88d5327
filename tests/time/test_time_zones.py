"""Time zones: which names mean the same on every machine, and zones of other libraries."""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, reset_tzpath

import attrs
import pendulum
import pytest
import pytz
from dateutil import tz
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.time.datetimes import check_zone, start_of_day, zone_named
from course_assignments.time.durations import end_of, resolve_end
from course_assignments.views.training import ending
from tests.support.strategies import ZONE_NAMES
from tests.support.values import refusal
from tests.support.world import ACME, START

DATABASE = frozenset(files("tzdata").joinpath("zones").read_text().split())
#: Zones that are set or counted on each machine in its own way.
OWN = {"Factory", "localtime", "posixrules"}

JULY = datetime(2026, 7, 1, 12, tzinfo=UTC)


def statement_in(zone: tzinfo) -> ca.Statement:
    repository = ca.InMemoryRepository()
    return ca.statement(repository, start=date(2026, 1, 5), end=date(2026, 1, 6), zone=zone)


def names_in_folders() -> Iterator[str]:
    """Yield the names of all files in the folders of zones, as `ZoneInfo` would be given them."""
    for folder in map(Path, (*zoneinfo.TZPATH, str(files("tzdata").joinpath("zoneinfo")))):
        for path in folder.rglob("*"):
            yield path.relative_to(folder).as_posix()


def is_accepted(name: Any) -> bool:
    """Return whether an organization may have the zone and has it on this machine."""
    try:
        zone = attrs.evolve(ACME, time_zone=name).zone
    except ca.InvalidInput:
        return False
    return bool(str(zone) == name)


class TestNames:
    """A zone is an IANA name that means the same on every machine."""

    def test_of_the_database_are_all_accepted(self) -> None:
        known = DATABASE | zoneinfo.available_timezones()
        assert {name for name in known if not is_accepted(name)} <= OWN
        assert len(known) > 400

    def test_of_files_are_accepted_if_they_mean_the_same_on_every_machine(self) -> None:
        accepted = {name for name in names_in_folders() if is_accepted(name)}
        assert accepted <= (DATABASE | zoneinfo.available_timezones()) - OWN

    @pytest.mark.parametrize(
        "name",
        [
            *("localtime", "posixrules", "Factory", "right/UTC", "posix/Europe/Berlin"),
            *("LOCALTIME", "PosixRules", "FACTORY", "Right/UTC", "Posix/Europe/Berlin", "Posix"),
        ],
    )
    def test_of_zones_set_on_each_machine_are_refused_in_any_case(
        self, name: str, tmp_path: Path
    ) -> None:
        file = tmp_path / name  # as on a machine that has the zone
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(files("tzdata").joinpath("zoneinfo", "Europe", "Berlin").read_bytes())
        try:
            reset_tzpath(to=[str(tmp_path)])
            assert ZoneInfo(name).key == name
            assert not is_accepted(name)
            zone = ZoneInfo(name)
            errors = [
                refusal(lambda: attrs.evolve(ACME, time_zone=name)),
                refusal(lambda: statement_in(zone)),
                refusal(lambda: ca.Months(1).after(START, zone)),
            ]
        finally:
            reset_tzpath()
        for error in errors:
            assert error.hint.startswith("expected an IANA name such as Europe/Berlin, got str")

    def test_without_a_name_a_zone_of_a_file_is_accepted(self) -> None:
        with files("tzdata").joinpath("zoneinfo", "Europe", "Berlin").open("rb") as file:
            zone = ZoneInfo.from_file(file)
        assert statement_in(zone).start == datetime(2026, 1, 4, 23, tzinfo=UTC)

    @pytest.mark.parametrize("name", ["europe/berlin", "europe/Berlin", "Europe/berlin", "utc"])
    def test_begin_with_capitals(self, name: str) -> None:
        assert refusal(lambda: attrs.evolve(ACME, time_zone=name)).code == "unknown_time_zone"

    @pytest.mark.parametrize(
        "name",
        [
            *("", " ", ".", "..", "/", "Europe/", "/Europe", "Europe//Berlin", "Europe/berlin "),
            *("../../etc/passwd", "/etc/passwd", "C:\\zone", "Europe/../UTC", "./UTC", "a.b/c"),
            *("UTC\0", "UTC\n", "\ud800", "\u00e9", "X" * 101, "+01:00", "zone.tab", "__init__.py"),
            *(None, 1, b"UTC", UTC, ["UTC"]),
        ],
        ids=lambda name: repr(name)[:20],
    )
    def test_of_another_form_are_refused_at_once(self, name: Any) -> None:
        for refused in (lambda: attrs.evolve(ACME, time_zone=name), lambda: zone_named(name)):
            error = refusal(refused)
            assert (error.code, error.field) == ("unknown_time_zone", "time_zone")
            assert "such as Europe/Berlin, got " in error.hint

    @given(st.text() | st.text("./\\abUTCEurope\0:", max_size=12))
    def test_of_any_form_are_known_or_refused(self, name: str) -> None:
        is_accepted(name)

    @pytest.mark.parametrize(
        "name", ["Mars/Olympus", "Europe", "Etc", "A" * 100, "Europe/Berlin/X"]
    )
    def test_that_this_machine_lacks_are_kept_but_refused_when_needed(self, name: str) -> None:
        organization = attrs.evolve(ACME, time_zone=name)
        assert organization.time_zone == name
        error = refusal(lambda: organization.zone)
        assert (error.code, error.field) == ("unknown_time_zone", "time_zone")
        assert f"this machine has no zone {name[:60]!r}; install tzdata" in error.hint

    def test_utc_is_known_without_a_database(self) -> None:
        try:
            reset_tzpath(to=[])
            assert zone_named("UTC") is UTC
        finally:
            reset_tzpath()


@pytest.mark.parametrize("name", ZONE_NAMES)
class TestZonesOfOtherLibraries:
    """They are taken by their name, and give the same datetimes as `ZoneInfo`."""

    @pytest.fixture(
        params=[pytz.timezone, pendulum.timezone, tz.gettz], ids=["pytz", "pendulum", "dateutil"]
    )
    def zone(self, name: str, request: pytest.FixtureRequest) -> Any:
        return request.param(name)

    def test_count_days_and_months_alike(self, name: str, zone: tzinfo) -> None:
        own, start = ZoneInfo(name), datetime(2026, 1, 5, 9, tzinfo=UTC)
        for day in (date(2026, 7, 1), date(2026, 3, 29), date(2011, 12, 30)):
            assert start_of_day(day, zone) == start_of_day(day, own)
            found = resolve_end(day, start=start, zone=zone, field="expires")
            assert found == start_of_day(day, own)
        for months in (ca.Months(1), ca.Months(6)):
            assert months.after(start, zone) == months.after(start, own)
            assert end_of(months, start, zone) == months.after(start, own)

    def test_are_accepted_by_views_and_statements(self, name: str, zone: tzinfo) -> None:
        days: dict[str, Any] = {"start": date(2026, 1, 1), "end": date(2026, 7, 1)}
        found, own = (
            ca.statement(ca.InMemoryRepository(), **days, zone=one)
            for one in (zone, ZoneInfo(name))
        )
        assert (found.start, found.end) == (own.start, own.end)
        months = ca.Months(1)
        assert ending([], at=JULY, within=months, zone=zone) == ()
        assert ca.expiring(ca.InMemoryRepository(), at=JULY, within=months, zone=zone) == ()


class Named(tzinfo):
    """A zone of two hours with any attributes."""

    def __init__(self, **attributes: object) -> None:
        self.__dict__ |= attributes

    def utcoffset(self, _: datetime | None, /) -> timedelta:
        return timedelta(hours=2)

    def dst(self, _: datetime | None, /) -> timedelta:
        return timedelta(0)

    def tzname(self, _: datetime | None, /) -> str:
        return "two hours"


class Hostile(Named):
    """A zone whose name cannot be read."""

    @property
    def key(self) -> str:
        raise RuntimeError("no")


class TestCheckZone:
    @pytest.mark.parametrize(
        "zone", [pytz.timezone("Asia/Tokyo"), pendulum.timezone("Asia/Tokyo")], ids=type
    )
    def test_returns_a_zone_with_a_name_as_a_zoneinfo(self, zone: tzinfo) -> None:
        assert check_zone(zone) is ZoneInfo("Asia/Tokyo")

    def test_returns_the_utc_of_pytz_as_utc(self) -> None:
        assert check_zone(pytz.UTC) is UTC

    @pytest.mark.parametrize(
        "zone",
        [
            *(UTC, ZoneInfo("Asia/Tokyo"), timezone(timedelta(hours=2))),
            *(pytz.FixedOffset(120), pendulum.FixedTimezone(7200), Named(), Hostile()),
            *(Named(key="Mars/Olympus"), Named(zone=7), Named(key=type("Name", (str,), {})("UTC"))),
        ],
        ids=lambda zone: type(zone).__name__,
    )
    def test_returns_any_other_zone_as_it_is(self, zone: tzinfo) -> None:
        assert check_zone(zone) is zone
        assert start_of_day(JULY.date(), zone) <= JULY

    def test_refuses_a_zone_of_pytz_that_this_machine_lacks(self) -> None:
        lacking: Any = Named(zone="Mars/Olympus", localize=lambda _: None)
        error = refusal(lambda: start_of_day(JULY.date(), lacking))
        assert (error.code, error.field) == ("unknown_time_zone", "zone")

    @pytest.mark.parametrize("zone", ["Europe/Berlin", None, timedelta(hours=1), ZoneInfo])
    def test_refuses_what_is_not_a_zone(self, zone: Any) -> None:
        error = refusal(lambda: check_zone(zone, "zone"))
        assert (error.code, error.field) == ("wrong_type", "zone")
