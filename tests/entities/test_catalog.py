"""Organizations, courses and their activities."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import Activity, ActivityKind, Course, Months, Organization
from tests.support.strategies import ZONE_NAMES
from tests.support.values import refusal

ACME = Organization(id="acme", name="Acme")
LAB = Activity(id="lab", name="A lab", kind=ActivityKind.LAB)
PYTHON = Course(id="py", name="Python")


@pytest.mark.parametrize("name", ZONE_NAMES)
def test_an_organization_has_the_zone_of_its_name(name: str) -> None:
    zone = attrs.evolve(ACME, time_zone=name).zone
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert str(zone) == name
    assert noon.astimezone(zone).utcoffset() == noon.astimezone(ZoneInfo(name)).utcoffset()


@pytest.mark.parametrize("record", [ACME, PYTHON], ids=["organization", "course"])
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (timedelta(days=90), timedelta(days=90)),
        (Months(3), Months(3)),
        (relativedelta(months=3), Months(3)),
        (relativedelta(weeks=2), timedelta(days=14)),
        (None, None),
    ],
    ids=repr,
)
def test_a_maximum_access_is_stored_as_a_duration(record: Any, given: Any, kept: object) -> None:
    got = attrs.evolve(record, maximum_access=given).maximum_access
    assert got == kept
    assert type(got) is type(kept)


def test_the_activities_of_a_course_keep_their_order() -> None:
    activities = [attrs.evolve(LAB, id=name) for name in "cab"]
    for given_as in (activities, tuple(activities), iter(activities)):
        course: Course = attrs.evolve(PYTHON, activities=given_as)
        assert course.activities == tuple(activities)


@given(st.lists(st.sampled_from("abcd"), max_size=5))
def test_no_two_activities_of_a_course_share_an_id(ids: list[str]) -> None:
    activities = tuple(attrs.evolve(LAB, id=name) for name in ids)
    second = next((place for place, name in enumerate(ids) if name in ids[:place]), None)
    if second is None:
        assert attrs.evolve(PYTHON, activities=activities).activities == activities
    else:
        error = refusal(lambda: attrs.evolve(PYTHON, activities=activities))
        assert (error.code, error.field) == ("repeated", f"activities[{second}].id")
