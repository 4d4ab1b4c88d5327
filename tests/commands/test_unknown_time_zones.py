"""Organizations whose time zone this machine lacks: read, mended, refused where it is needed."""

from collections.abc import Callable, Generator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import pendulum
import pytest

import course_assignments as ca
from course_assignments.serialization import from_json, to_json
from course_assignments.sqlalchemy import SqlRepository
from tests.support.sql import closing, open_memory
from tests.support.values import refusal
from tests.support.world import ACME, START, world

#: As stored by a machine that has the zone.
LACKING = attrs.evolve(ACME, time_zone="Mars/Olympus_Mons")
DAY = timedelta(days=1)


@pytest.fixture(params=["memory", "sqlite"])
def registrar(request: pytest.FixtureRequest) -> Generator[ca.Registrar]:
    with closing(open_memory()) as engine:
        stored = SqlRepository(engine)
        stored.create_all()
        found, _ = world(stored if request.param == "sqlite" else None)
        found.repository.commit(ca.Change(replace=[ca.Replace(ACME, LACKING)]))
        yield found


def test_it_is_read_listed_and_serialized(registrar: ca.Registrar) -> None:
    assert registrar.get(ca.Organization, "acme") == LACKING
    assert LACKING in registrar.find_all(ca.OrganizationQuery())
    assert from_json(to_json(LACKING)) == LACKING
    assert ca.to_dict(LACKING)["time_zone"] == "Mars/Olympus_Mons"


def test_it_can_be_mended_and_renamed(registrar: ca.Registrar) -> None:
    renamed = attrs.evolve(LACKING, name="New name")
    assert registrar.update(renamed) == renamed
    registrar.add(renamed)  # identical, so nothing is checked
    mended = attrs.evolve(renamed, time_zone="Europe/Berlin")
    assert registrar.update(mended) == mended
    assert registrar.assign("py", "ada", expires=ca.Months(1)).limited_by == "request"


def test_a_typo_of_an_administrator_is_refused_at_once(registrar: ca.Registrar) -> None:
    typo = ca.Organization(id="new", name="New", time_zone="Europe/Berlinn")
    for call, field in (
        (lambda: registrar.add(ca.Course(id="c", name="C"), typo), "records[1].time_zone"),
        (lambda: registrar.update(attrs.evolve(typo, id="acme")), "record.time_zone"),
    ):
        error = refusal(call)
        assert (error.code, error.field) == ("unknown_time_zone", field)
        assert "install tzdata, or correct the name" in error.hint
    assert registrar.repository.get(ca.Course, ["c"]) == {}


Act = Callable[[ca.Registrar], Any]


def _keys(**terms: Any) -> Act:
    fixed: dict[str, Any] = {"name": "K", "organization_id": "acme", "generate": 1}
    return lambda one: one.create_keys("py", **fixed, **{"availability": DAY, **terms})


def _statement(**days: Any) -> Act:
    return lambda one: ca.statement(one.repository, organization_id="acme", **days)


EXACT = ca.Policies(expiration=ca.ExpirationPolicy(default=timedelta(days=30)))
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)


class TestCommands:
    @pytest.mark.parametrize(
        "act",
        [
            lambda one: one.assign("py", "ada", expires=30 * DAY),
            lambda one: one.assign("py", "ada", expires=NOON),
            lambda one: one.reschedule(one.assign("py", "ada", expires=NOON).id, 2 * DAY),
            lambda one: one.cancel(one.assign("py", "ada", expires=NOON).id),
            lambda one: one.subscribe(["py"], "ada", duration=DAY),
            _keys(redeemable_until=NOON),
            _statement(start=START, end=NOON, zone=UTC),
        ],
    )
    def test_that_need_no_zone_go_on(self, act: Act, registrar: ca.Registrar) -> None:
        act(registrar)

    @pytest.mark.parametrize(
        "act",
        [
            lambda one: one.assign("py", "ada"),
            lambda one: one.assign("py", "ada", expires=ca.Months(1)),
            lambda one: one.assign("py", "ada", expires=date(2026, 2, 1)),
            lambda one: one.reschedule(one.assign("py", "ada", expires=NOON).id, ca.Months(1)),
            lambda one: one.subscribe(["py"], "ada", duration=ca.Months(1)),
            _keys(redeemable_until=date(2026, 2, 1)),
            lambda one: one.edit_keys(
                _keys()(one).id, redeemable_until=pendulum.duration(months=1)
            ),
            _statement(start=date(2026, 1, 1), end=date(2026, 2, 1)),
        ],
    )
    def test_that_need_the_zone_are_refused_and_say_what_to_do(
        self, act: Act, registrar: ca.Registrar
    ) -> None:
        error = refusal(lambda: act(registrar))
        assert (error.code, error.field) == ("unknown_time_zone", "time_zone")
        wanted = "organization 'acme': this machine has no zone 'Mars/Olympus_Mons'; install tzdata"
        assert error.hint.startswith(wanted)

    def test_count_exact_lengths_without_the_zone(self, registrar: ca.Registrar) -> None:
        exact = ca.Registrar(registrar.repository, policies=EXACT, clock=registrar.clock)
        assert exact.assign("py", "ada").expires_at == START + 30 * DAY
