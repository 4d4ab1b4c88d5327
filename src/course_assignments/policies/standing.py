"""What speaks against any change of an assignment that exists. Section 4: clocks do go back."""

from datetime import datetime

from course_assignments import fields
from course_assignments.assignments import CourseAssignment
from course_assignments.decisions import Decision
from course_assignments.instants import as_utc
from course_assignments.reasons import AlreadyCancelled, AssignmentNotActive, Reason


def is_standing(assignment: CourseAssignment, at: datetime) -> Decision:
    """Return whether *assignment* is there at *at*: created, and cancelled at no instant.

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
