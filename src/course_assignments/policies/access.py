"""May an activity be started, or what is open be finished, under this assignment? Rule 5."""

from datetime import datetime

import attrs

from course_assignments.decisions import Decision
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.policies.lifecycle import is_standing
from course_assignments.reasons import AssignmentExpired
from course_assignments.time.datetimes import as_utc


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
        standing = is_standing(assignment, at)
        # the window is half-open: at its end it is over
        if assignment.expires_at <= as_utc(at):
            return Decision((*standing.reasons, AssignmentExpired(assignment.expires_at)))
        return Decision((), assignment.expires_at) if standing else standing


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
        return is_standing(assignment, at)
