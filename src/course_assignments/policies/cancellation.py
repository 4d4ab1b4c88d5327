"""May this assignment be cancelled now? Rules 3 and 4."""

from datetime import datetime, timedelta

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.decisions import Decision
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.policies import defaults
from course_assignments.reasons import (
    AlreadyCancelled,
    AssignmentNotActive,
    CancellationWindowClosed,
    LabLaunched,
    Reason,
)
from course_assignments.time.datetimes import LATEST, as_utc, next_tick
from course_assignments.time.durations import end_in_range


@attrs.frozen
class CancellationPolicy:
    """Cancel while the assignment is young and no lab was launched (rules 3 and 4).

    Attributes:
        window: How long after creation, its last instant included; exact, so 24 hours stay 24
            hours when the clocks change.
        restores_key_use: Whether cancelling gives the use of the key back (rule 13).

    Raises:
        InvalidInput: *window* is not a positive `timedelta`.

    Example:
        >>> CancellationPolicy(window=timedelta(days=14)).window
        datetime.timedelta(days=14)
    """

    window: timedelta = field(
        default=defaults.CANCELLATION_WINDOW,
        validator=[validation.one_of(timedelta), validation.term],
    )
    restores_key_use: bool = field(default=False, validator=validation.flag)

    def closes_at(self, assignment: CourseAssignment) -> datetime:
        """Return the last instant, UTC, at which *assignment* can be cancelled.

        Raises:
            InvalidInput: it is no `CourseAssignment`.
        """
        validation.check_kind(assignment, "assignment", CourseAssignment)
        return end_in_range(self.window, assignment.created_at) or LATEST

    def evaluate(
        self, assignment: CourseAssignment, *, at: datetime, support: bool = False
    ) -> Decision:
        """Return whether *assignment* may be cancelled at *at*, with every reason against.

        Args:
            assignment: As it is stored.
            at: The aware instant asked about.
            support: Whether support asks, for whom the window does not count (rule 4).

        Raises:
            InvalidInput: an argument is of the wrong kind, or *at* is naive.
        """
        closes_at = self.closes_at(assignment)
        now = as_utc(at)
        validation.check_kind(support, "support", bool)
        reasons: list[Reason] = []
        turns_at = None if support else next_tick(closes_at)
        if now < assignment.created_at:
            reasons.append(AssignmentNotActive(assignment.created_at))
            turns_at = assignment.created_at
        # "not already cancelled", at whatever instant that was
        if assignment.cancelled_at is not None:
            reasons.append(AlreadyCancelled(assignment.cancelled_at))
            turns_at = None
        # "only within 24 hours of creation": refused when more than that has passed
        if now > closes_at and not support:
            reasons.append(CancellationWindowClosed(closes_at))
            turns_at = None
        # "only if no labs have been launched": once launched, it counts for good
        if assignment.first_lab_launched_at is not None:
            reasons.append(LabLaunched(assignment.first_lab_launched_at))
            turns_at = None
        return Decision(tuple(reasons), turns_at)
