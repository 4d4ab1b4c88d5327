import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import attrs
import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st
from opaque_keys.edx.keys import CourseKey
from openedx_filters import PipelineStep
from openedx_filters.learning.filters import CourseEnrollmentStarted

import course_assignments as ca
from course_assignments.changes import Change
from tests.support.django_host import User, openedx_filter

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
COURSE = CourseKey.from_string("course-v1:Acme+PY+2026")
ADA = User(id=7, username="ada")


class SwitchToHonor(PipelineStep):
    """A step of somebody else that comes after ours."""

    def run_filter(self, **_: Any) -> dict[str, Any]:
        return {"mode": "honor"}


def assignment(start: int, hours: int, cancelled: int | None = None, name: str = "a") -> Any:
    created_at = NOW + start * HOUR
    return ca.CourseAssignment(
        id=name,
        learner_id="7",
        course_id=str(COURSE),
        organization_id=None,
        created_at=created_at,
        expires_at=created_at + hours * HOUR,
        limited_by=ca.ExpirationLimit.REQUEST,
        origin=ca.Direct(),
        cancelled_at=None if cancelled is None else created_at + cancelled * HOUR,
    )


def kept(*assignments: ca.CourseAssignment) -> ca.InMemoryRepository:
    repository = ca.InMemoryRepository()
    repository.commit(Change(create=assignments))
    return repository


@pytest.fixture
def enroll(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Enroll Ada as the LMS does, with the storage that the settings name."""
    monkeypatch.setattr(openedx_filter, "system_clock", lambda: NOW)
    plugin: Any = ModuleType("your_plugin")
    plugin.SwitchToHonor = SwitchToHonor
    monkeypatch.setitem(sys.modules, "your_plugin", plugin)

    def run(open_repository: Callable[[], ca.Repository], **settings: Any) -> Any:
        plugin.open_repository = open_repository
        started = {
            "fail_silently": False,
            "pipeline": ["openedx_filter.RequireAssignment", "your_plugin.SwitchToHonor"],
            "repository": "your_plugin.open_repository",
        }
        config = {CourseEnrollmentStarted.filter_type: started | settings}
        with override_settings(OPEN_EDX_FILTERS_CONFIG=config):
            return CourseEnrollmentStarted.run_filter(user=ADA, course_key=COURSE, mode="audit")

    return run


def test_a_learner_with_an_active_assignment_is_enrolled_by_all_steps(enroll: Any) -> None:
    user, course_key, mode = enroll(lambda: kept(assignment(-1, 2)))

    assert (user, course_key, mode) == (ADA, COURSE, "honor")


@pytest.mark.parametrize(
    ("assignments", "said"),
    [
        ([], "The course is not assigned to you; ask your manager."),
        ([assignment(-2, 1)], "Access ended on 2 Mar 2026, 08:00 UTC"),
        ([assignment(1, 1)], "The assignment is not active before 2 Mar 2026, 10:00 UTC"),
        ([assignment(-2, 9, 1)], "Already cancelled on 2 Mar 2026, 08:00 UTC"),
    ],
    ids=["none", "expired", "not_yet", "cancelled"],
)
def test_nobody_else_is_enrolled_and_is_told_why(
    enroll: Any, assignments: list[ca.CourseAssignment], said: str
) -> None:
    with pytest.raises(CourseEnrollmentStarted.PreventEnrollment) as prevented:
        enroll(lambda: kept(*assignments))

    assert said in str(prevented.value)


def test_what_is_assigned_to_others_or_of_another_course_does_not_help(enroll: Any) -> None:
    active = assignment(-1, 2)
    repository = kept(
        attrs.evolve(active, id="b", learner_id="8"),
        attrs.evolve(active, id="c", course_id="course-v1:Acme+SQL+2026"),
    )

    with pytest.raises(CourseEnrollmentStarted.PreventEnrollment, match="not assigned to you"):
        enroll(lambda: repository)


@given(
    st.lists(
        st.tuples(st.integers(-5, 5), st.integers(1, 5), st.none() | st.integers(0, 3)), max_size=4
    )
)
def test_any_that_is_active_opens_and_else_the_newest_says_why(
    drawn: list[tuple[int, int, int | None]],
) -> None:
    assignments = [
        assignment(start, hours, cancelled, name=f"a-{number}")
        for number, (start, hours, cancelled) in enumerate(drawn)
    ]
    decision = openedx_filter.may_enroll(kept(*assignments), "7", str(COURSE), at=NOW)

    opened = [cancelled is None and start <= 0 < start + hours for start, hours, cancelled in drawn]
    assert decision.allowed == any(opened)
    newest = max(assignments, key=lambda one: (one.created_at, one.id), default=None)
    if newest is None:
        assert decision.reasons == (openedx_filter.UNASSIGNED,)
    elif not any(opened):
        alone = openedx_filter.may_enroll(kept(newest), "7", str(COURSE), at=NOW)
        assert decision == alone


class Busy(ca.InMemoryRepository):
    def find(self, _: Any, /) -> Any:
        raise ca.StorageBusy("database is locked")


def test_a_storage_that_fails_lets_nobody_in(enroll: Any) -> None:
    with pytest.raises(ca.StorageBusy):
        enroll(Busy)


def test_but_it_lets_everybody_in_where_steps_fail_silently(enroll: Any) -> None:
    _, _, mode = enroll(Busy, fail_silently=True)

    assert mode == "honor"


def test_a_repository_that_is_not_there_lets_nobody_in(enroll: Any) -> None:
    with pytest.raises(ImportError):
        enroll(kept, repository="your_plugin.nothing")
