"""Organizations, courses and their activities: what they keep, and what they refuse."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import Activity, ActivityKind, Course, Months, Organization
from tests.support.strategies import ZONE_NAMES, courses, organizations
from tests.support.values import assert_is_value, refusal

ACME = Organization(id="acme", name="Acme")
LAB = Activity(id="lab", name="A lab", kind=ActivityKind.LAB)
PYTHON = Course(id="py", name="Python")


@given(organizations() | courses())
def test_records_of_the_catalog_are_values(record: Organization | Course) -> None:
    assert_is_value(record)


def test_an_activity_is_a_value() -> None:
    assert_is_value(LAB)


def test_what_is_not_said_is_left_at_the_least() -> None:
    assert attrs.asdict(ACME) == {
        "id": "acme",
        "name": "Acme",
        "parent_id": None,
        "maximum_access": None,
        "time_zone": "UTC",
        "anonymous_registration": False,
    }
    assert attrs.asdict(PYTHON) == {
        "id": "py",
        "name": "Python",
        "content_provider": None,
        "publishing_group": None,
        "activities": (),
        "maximum_access": None,
        "archived": False,
    }
    assert attrs.asdict(LAB) == {
        "id": "lab",
        "name": "A lab",
        "kind": ActivityKind.LAB,
        "required": False,
    }


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


def test_the_activities_of_a_course_may_come_in_any_list_and_keep_their_order() -> None:
    activities = [attrs.evolve(LAB, id=name) for name in "cab"]
    for given_as in (activities, tuple(activities), iter(activities)):
        course: Course = attrs.evolve(PYTHON, activities=given_as)
        assert course.activities == tuple(activities)


NO_TEXTS = [("", "blank"), (" ", "blank"), ("a\nb", "unprintable"), (5, "not_a_text")]
NO_IDS = [*NO_TEXTS, ("a" * 201, "too_long")]
NO_NAMES = [*NO_TEXTS, ("a" * 501, "too_long")]
NO_TERMS = [
    (timedelta(0), "invalid_duration"),
    (timedelta(days=36525, microseconds=1), "invalid_duration"),
    (relativedelta(months=1, days=1), "invalid_duration"),
    (180, "invalid_duration"),
    ("P6M", "invalid_duration"),
]
NO_FLAGS = [(1, "not_a_flag"), ("yes", "not_a_flag"), (None, "not_a_flag")]

REFUSED = [
    *((ACME, "id", *junk) for junk in [*NO_IDS, (None, "not_a_text")]),
    *((ACME, "name", *junk) for junk in [*NO_NAMES, (None, "not_a_text")]),
    *((ACME, "parent_id", *junk) for junk in NO_IDS),
    (ACME, "parent_id", "acme", "own_parent"),
    *((ACME, "maximum_access", *junk) for junk in NO_TERMS),
    *((ACME, "time_zone", zone, "unknown_time_zone") for zone in ("Berlin", "", None, 1)),
    *((ACME, "anonymous_registration", *junk) for junk in NO_FLAGS),
    *((LAB, "id", *junk) for junk in NO_IDS),
    *((LAB, "name", *junk) for junk in NO_NAMES),
    *((LAB, "kind", kind, "wrong_type") for kind in ("lab", None, "LAB")),
    *((LAB, "required", *junk) for junk in NO_FLAGS),
    *((PYTHON, "id", *junk) for junk in NO_IDS),
    *((PYTHON, "name", *junk) for junk in NO_NAMES),
    *((PYTHON, "content_provider", *junk) for junk in NO_NAMES),
    *((PYTHON, "publishing_group", *junk) for junk in NO_NAMES),
    *((PYTHON, "activities", junk, "not_a_list") for junk in ("lab", None, LAB)),
    *((PYTHON, "maximum_access", *junk) for junk in NO_TERMS),
    *((PYTHON, "archived", *junk) for junk in NO_FLAGS),
]


@pytest.mark.parametrize(("record", "field", "value", "code"), REFUSED)
def test_a_field_out_of_bounds_is_refused_by_its_name(
    record: Any, field: str, value: Any, code: str
) -> None:
    error = refusal(lambda: attrs.evolve(record, **{field: value}))
    assert (error.code, error.field) == (code, field)


def test_an_activity_of_a_course_is_refused_by_its_place() -> None:
    junk: Any = [LAB, "lab"]
    error = refusal(lambda: Course(id="py", name="Python", activities=junk))
    assert (error.code, error.field) == ("wrong_type", "activities[1]")


@given(st.lists(st.sampled_from("abcd"), max_size=5))
def test_no_two_activities_of_a_course_share_an_id(ids: list[str]) -> None:
    activities = tuple(attrs.evolve(LAB, id=name) for name in ids)
    second = next((place for place, name in enumerate(ids) if name in ids[:place]), None)
    if second is None:
        assert attrs.evolve(PYTHON, activities=activities).activities == activities
    else:
        error = refusal(lambda: attrs.evolve(PYTHON, activities=activities))
        assert (error.code, error.field) == ("repeated", f"activities[{second}].id")


def test_the_words_for_activities_are_these() -> None:
    assert {kind.name: kind.value for kind in ActivityKind} == {
        "LAB": "lab",
        "VIDEO": "video",
        "SCORM": "scorm",
        "LTI": "lti",
        "LINK": "link",
        "ASSESSMENT": "assessment",
        "DOCUMENT": "document",
    }
