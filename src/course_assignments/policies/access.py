"""May an activity be started, or what is open be finished, under this assignment? Rule 5."""

from datetime import datetime

import attrs

from course_assignments import fields
from course_assignments.assignments import CourseAssignment
from course_assignments.decisions import Decision
from course_assignments.instants import as_utc
from course_assignments.reasons import (
    AlreadyCancelled,
    AssignmentExpired,
    AssignmentNotActive,
    Reason,
)


@attrs.frozen
class AccessPolicy:
    """Start, pause, resume and retake activities while the assignment is active (rule 5).

    Completion bears on nothing here: a completed assignment that has not ended can be launched.

    Example:
        >>> AccessPolicy()
        AccessPolicy()
    """

    def evaluate(self, assignment: CourseAssignment, *, at: datetime) -> Decision:
        """Return whether *assignment* gives access to its activities at *at*.

        Raises:
            InvalidInput: *assignment* is no `CourseAssignment`, or *at* is naive.
        """
        fields.check_kind(assignment, "assignment", CourseAssignment)
        now = as_utc(at)
        reasons: list[Reason] = []
        turns_at: datetime | None = assignment.expires_at
        if now < assignment.created_at:
            reasons.append(AssignmentNotActive(assignment.created_at))
            turns_at = assignment.created_at
        if assignment.cancelled_at is not None:
            reasons.append(AlreadyCancelled(assignment.cancelled_at))
            turns_at = None
        # the window is half-open: at its end it is over
        if assignment.expires_at <= now:
            reasons.append(AssignmentExpired(assignment.expires_at))
            turns_at = None
        return Decision(tuple(reasons), turns_at)


@attrs.frozen
class FinishPolicy:
    """Finish what is open, also after access has ended, but not once it is cancelled (rule 5).

    Example:
        >>> FinishPolicy()
        FinishPolicy()
    """

    def evaluate(self, assignment: CourseAssignment, *, at: datetime) -> Decision:
        """Return whether an attempt that is open under *assignment* may be finished at *at*.

        Raises:
            InvalidInput: *assignment* is no `CourseAssignment`, or *at* is naive.
        """
        fields.check_kind(assignment, "assignment", CourseAssignment)
        reasons: list[Reason] = []
        turns_at = None
        if as_utc(at) < assignment.created_at:
            reasons.append(AssignmentNotActive(assignment.created_at))
            turns_at = assignment.created_at
        if assignment.cancelled_at is not None:
            reasons.append(AlreadyCancelled(assignment.cancelled_at))
            turns_at = None
        return Decision(tuple(reasons), turns_at)
