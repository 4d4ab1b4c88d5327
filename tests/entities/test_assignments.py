"""Assignments: facts with their instants, and what follows from them at any instant."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import (
    AssignmentStatus,
    Claim,
    CompletionStatus,
    CourseAssignment,
    Direct,
    ExpirationLimit,
    Note,
)
from tests.support.strategies import US, assignments, instants, zones
from tests.support.values import assert_is_value, refusal

DAY = timedelta(days=1)
CREATED = datetime(2026, 1, 5, 9, tzinfo=UTC)
ASSIGNMENT = CourseAssignment(
    id="a-1",
    learner_id="ada",
    course_id="py",
    organization_id=None,
    created_at=CREATED,
    expires_at=CREATED + 180 * DAY,
    limited_by=ExpirationLimit.MAXIMUM,
    origin=Direct(),
)
NOTE = Note(title="Renewal", message="Paid until June.\nThen ask again.")
NAIVE = datetime.fromisoformat("2026-02-05")


def plain_status(assignment: CourseAssignment, at: datetime) -> str:
    """Say it after the sentence, on bare numbers.

    SCHEDULED before `created_at`, CANCELLED from `cancelled_at`, EXPIRED from `expires_at`, else
    ACTIVE.
    """
    now, created, expires, cancelled = (
        (instant - datetime(1970, 1, 1, tzinfo=UTC)) // US if instant else None
        for instant in (at, assignment.created_at, assignment.expires_at, assignment.cancelled_at)
    )
    assert now is not None
    assert created is not None
    assert expires is not None
    if now < created:
        return "scheduled"
    if cancelled is not None and now >= cancelled:
        return "cancelled"
    return "expired" if now >= expires else "active"


def edges(assignment: CourseAssignment) -> list[datetime]:
    """Return the instants at which something changes, each with its neighbours."""
    around = [assignment.created_at, assignment.expires_at, assignment.cancelled_at]
    return [edge + step for edge in around if edge for step in (-US, timedelta(0), US)]


class TestStatus:
    """State is derived, not stored; windows are half-open."""

    @given(assignments(), instants(), zones())
    def test_follows_from_the_datetimes_at_every_edge_and_elsewhere(
        self, assignment: CourseAssignment, elsewhere: datetime, zone: tzinfo
    ) -> None:
        for at in [*edges(assignment), elsewhere.astimezone(UTC)]:
            expected = plain_status(assignment, at)
            for asked in (at, at.astimezone(zone)):
                assert assignment.status_at(asked) is AssignmentStatus(expected)
                assert assignment.is_active_at(asked) is (expected == "active")
                left = assignment.expires_at - at if expected == "active" else timedelta(0)
                assert assignment.remaining_at(asked) == left

    @pytest.mark.parametrize(
        ("passed", "status"),
        [
            (-US, AssignmentStatus.SCHEDULED),
            (timedelta(0), AssignmentStatus.ACTIVE),
            (US, AssignmentStatus.ACTIVE),
            (2 * DAY - US, AssignmentStatus.ACTIVE),
            (2 * DAY, AssignmentStatus.CANCELLED),
            (180 * DAY - US, AssignmentStatus.CANCELLED),
            (180 * DAY, AssignmentStatus.CANCELLED),
        ],
    )
    def test_of_one_cancelled_after_two_days(
        self, passed: timedelta, status: AssignmentStatus
    ) -> None:
        cancelled = attrs.evolve(ASSIGNMENT, cancelled_at=CREATED + 2 * DAY)
        assert cancelled.status_at(CREATED + passed) is status

    @pytest.mark.parametrize(
        ("passed", "status", "left"),
        [
            (-US, AssignmentStatus.SCHEDULED, timedelta(0)),
            (timedelta(0), AssignmentStatus.ACTIVE, 180 * DAY),
            (180 * DAY - US, AssignmentStatus.ACTIVE, US),
            (180 * DAY, AssignmentStatus.EXPIRED, timedelta(0)),
            (180 * DAY + US, AssignmentStatus.EXPIRED, timedelta(0)),
        ],
    )
    def test_of_one_that_runs_its_course(
        self, passed: timedelta, status: AssignmentStatus, left: timedelta
    ) -> None:
        assert ASSIGNMENT.status_at(CREATED + passed) is status
        assert ASSIGNMENT.remaining_at(CREATED + passed) == left

    def test_of_one_cancelled_after_its_end_was_expired_before(self) -> None:
        late = attrs.evolve(ASSIGNMENT, cancelled_at=CREATED + 181 * DAY)
        assert late.status_at(CREATED + 181 * DAY - US) is AssignmentStatus.EXPIRED
        assert late.status_at(CREATED + 181 * DAY) is AssignmentStatus.CANCELLED

    @pytest.mark.parametrize("at", [NAIVE, date(2026, 2, 5), "2026-02-05", None])
    def test_needs_an_aware_datetime(self, at: Any) -> None:
        for ask in (ASSIGNMENT.status_at, ASSIGNMENT.is_active_at, ASSIGNMENT.remaining_at):
            assert refusal(lambda a=ask: a(at)).field == "at"  # type: ignore[misc]


@given(assignments())
def test_completion_is_another_axis_than_the_status(assignment: CourseAssignment) -> None:
    far = (assignment.started_at is not None) + 2 * (assignment.completed_at is not None)
    names = ["NOT_STARTED", "INCOMPLETE", "COMPLETE", "COMPLETE"]
    assert assignment.completion is CompletionStatus[names[far]]


def test_lists_are_kept_so_that_nobody_changes_them() -> None:
    notes, finished = [NOTE], {"lab"}
    given: dict[str, Any] = {"notes": notes, "finished": finished}
    assignment = attrs.evolve(ASSIGNMENT, **given)
    notes.clear()
    finished.clear()
    assert assignment.notes == (NOTE,)
    assert assignment.finished == frozenset({"lab"})
    assert_is_value(assignment)


class TestClaims:
    ids = st.text("ab", min_size=1, max_size=3)

    @given(ids, ids, ids, ids)
    def test_are_one_for_each_learner_and_course(
        self, learner: str, course: str, other_learner: str, other_course: str
    ) -> None:
        claims = Claim.of(learner, course, "a-1"), Claim.of(other_learner, other_course, "a-2")
        same = (learner, course) == (other_learner, other_course)
        assert (claims[0].id == claims[1].id) == same
        assert claims[0].id == Claim.id_for(learner, course)

    def test_have_an_id_that_stays_what_it_is_in_every_version(self) -> None:
        assert Claim.id_for("ada", "py") == (
            "5b51c33aa096f431f62bc500f45df460a6e7ff3c882a1534714585caacc155d1"
        )
