"""Assignments: their status and completion at any time."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import attrs
import pytest
from hypothesis import given

import course_assignments as ca
from tests.support.acts import GIVEN as ASSIGNMENT
from tests.support.rules import edges, near
from tests.support.strategies import US, assignments, instants, zones
from tests.support.values import assert_is_value

DAY = timedelta(days=1)
CREATED = ASSIGNMENT.created_at
NOTE = ca.Note(title="Renewal", message="Paid until June.\nThen ask again.")


def plain_status(assignment: ca.CourseAssignment, at: datetime) -> str:
    """Return the status by the rule: scheduled, else cancelled, else expired, else active."""
    if at < assignment.created_at:
        return "scheduled"
    if assignment.cancelled_at is not None and at >= assignment.cancelled_at:
        return "cancelled"
    return "expired" if at >= assignment.expires_at else "active"


class TestStatus:
    """The status is derived, not stored; windows are half-open."""

    @given(assignments(), instants(), zones())
    def test_follows_from_the_datetimes_at_every_edge_and_elsewhere(
        self, assignment: ca.CourseAssignment, elsewhere: datetime, zone: tzinfo
    ) -> None:
        for at in [*near(edges(assignment)), elsewhere.astimezone(UTC)]:
            expected = plain_status(assignment, at)
            for asked in (at, at.astimezone(zone)):
                assert assignment.status_at(asked) is ca.AssignmentStatus(expected)
                assert assignment.is_active_at(asked) is (expected == "active")
                left = assignment.expires_at - at if expected == "active" else timedelta(0)
                assert assignment.remaining_at(asked) == left

    @pytest.mark.parametrize(
        ("passed", "status"),
        [
            (-US, ca.AssignmentStatus.SCHEDULED),
            (timedelta(0), ca.AssignmentStatus.ACTIVE),
            (US, ca.AssignmentStatus.ACTIVE),
            (2 * DAY - US, ca.AssignmentStatus.ACTIVE),
            (2 * DAY, ca.AssignmentStatus.CANCELLED),
            (180 * DAY - US, ca.AssignmentStatus.CANCELLED),
            (180 * DAY, ca.AssignmentStatus.CANCELLED),
        ],
    )
    def test_of_an_assignment_cancelled_after_two_days(
        self, passed: timedelta, status: ca.AssignmentStatus
    ) -> None:
        cancelled = attrs.evolve(ASSIGNMENT, cancelled_at=CREATED + 2 * DAY)
        assert cancelled.status_at(CREATED + passed) is status

    @pytest.mark.parametrize(
        ("passed", "status", "left"),
        [
            (-US, ca.AssignmentStatus.SCHEDULED, timedelta(0)),
            (timedelta(0), ca.AssignmentStatus.ACTIVE, 180 * DAY),
            (180 * DAY - US, ca.AssignmentStatus.ACTIVE, US),
            (180 * DAY, ca.AssignmentStatus.EXPIRED, timedelta(0)),
            (180 * DAY + US, ca.AssignmentStatus.EXPIRED, timedelta(0)),
        ],
    )
    def test_and_time_left_of_an_assignment_that_expires(
        self, passed: timedelta, status: ca.AssignmentStatus, left: timedelta
    ) -> None:
        assert ASSIGNMENT.status_at(CREATED + passed) is status
        assert ASSIGNMENT.remaining_at(CREATED + passed) == left

    def test_is_expired_until_a_later_cancellation(self) -> None:
        late = attrs.evolve(ASSIGNMENT, cancelled_at=CREATED + 181 * DAY)
        assert late.status_at(CREATED + 181 * DAY - US) is ca.AssignmentStatus.EXPIRED
        assert late.status_at(CREATED + 181 * DAY) is ca.AssignmentStatus.CANCELLED


@given(assignments())
def test_completion_does_not_depend_on_the_status(assignment: ca.CourseAssignment) -> None:
    step = (assignment.started_at is not None) + 2 * (assignment.completed_at is not None)
    names = ["NOT_STARTED", "INCOMPLETE", "COMPLETE", "COMPLETE"]
    assert assignment.completion is ca.CompletionStatus[names[step]]


def test_a_caller_cannot_change_the_lists_of_an_assignment() -> None:
    notes, finished = [NOTE], {"lab"}
    given: dict[str, Any] = {"notes": notes, "finished": finished}
    assignment = attrs.evolve(ASSIGNMENT, **given)
    notes.clear()
    finished.clear()
    assert assignment.notes == (NOTE,)
    assert assignment.finished == frozenset({"lab"})
    assert_is_value(assignment)
