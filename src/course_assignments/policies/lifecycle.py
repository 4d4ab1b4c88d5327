"""May an assignment that exists get another end, or be completed by hand? Rules 2 and 5."""

from datetime import datetime

import attrs

from course_assignments import validation
from course_assignments.decisions import Decision
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.reasons import (
    AlreadyCancelled,
    AlreadyCompleted,
    AssignmentNotActive,
    ExpiresTooEarly,
    Reason,
)
from course_assignments.time.datetimes import as_utc, next_tick


def is_standing(assignment: CourseAssignment, at: datetime) -> Decision:
    """Return whether *assignment* is there at *at*: created, and cancelled at no instant.

    Raises:
        InvalidInput: *assignment* is no `CourseAssignment`, or *at* is naive.
    """
    validation.check_kind(assignment, "assignment", CourseAssignment)
    reasons: list[Reason] = []
    turns_at = None
    if as_utc(at) < assignment.created_at:
        reasons.append(AssignmentNotActive(assignment.created_at))
        turns_at = assignment.created_at
    if assignment.cancelled_at is not None:
        reasons.append(AlreadyCancelled(assignment.cancelled_at))
        turns_at = None
    return Decision(tuple(reasons), turns_at)


@attrs.frozen
class ReschedulePolicy:
    """Give any assignment another end but a cancelled one; now ends access (rule 2).

    How late the end may be is the expiration policy's matter.

    Example:
        >>> ReschedulePolicy()
        ReschedulePolicy()
    """

    def evaluate(
        self, assignment: CourseAssignment, *, expires_at: datetime, at: datetime
    ) -> Decision:
        """Return whether *assignment* may be made to end at *expires_at* by someone at *at*.

        Raises:
            InvalidInput: an argument is of the wrong kind, or an instant is naive.
        """
        # "a later change ... may revive an expired assignment, never a cancelled one"
        standing = is_standing(assignment, at)
        now, end = as_utc(at), as_utc(expires_at, "expires_at")
        reasons = [*standing.reasons]
        turns_at = next_tick(end) if standing else standing.changes_at
        # "an end before now is refused, now ends access"
        if end < now:
            reasons.append(ExpiresTooEarly(now))
        never = assignment.cancelled_at is not None or end < max(now, assignment.created_at)
        return Decision(tuple(reasons), None if never else turns_at)


@attrs.frozen
class CompletionPolicy:
    """Mark any assignment complete by hand, expired or not, but a cancelled one (rule 5).

    Example:
        >>> CompletionPolicy()
        CompletionPolicy()
    """

    def evaluate(self, assignment: CourseAssignment, *, at: datetime) -> Decision:
        """Return whether someone may mark *assignment* complete at *at*.

        Raises:
            InvalidInput: an argument is of the wrong kind, or *at* is naive.
        """
        standing = is_standing(assignment, at)
        if assignment.completed_at is not None:
            return Decision((*standing.reasons, AlreadyCompleted(assignment.completed_at)))
        return standing
