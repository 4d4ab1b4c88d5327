"""May a learner get another assignment of a course that they have already? Rule 15."""

from collections.abc import Iterable
from datetime import datetime

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.decisions import Decision
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.enums import Repeat
from course_assignments.reasons import AlreadyAssigned
from course_assignments.time.datetimes import as_utc


def latest_standing(
    assignments: Iterable[CourseAssignment], at: datetime
) -> CourseAssignment | None:
    """Return the one of *assignments* that is neither cancelled nor over at *at* and ends last.

    One that was created later than *at* stands too: whoever made it had a clock that was ahead, or
    read theirs a moment later. Of several that end together it is the one with the smallest id; if
    there is none, ``None``.

    Example:
        >>> from datetime import UTC
        >>> latest_standing([], datetime(2026, 1, 5, tzinfo=UTC)) is None
        True
    """
    now = as_utc(at)
    given = validation.check_each(assignments, "assignments", CourseAssignment)
    standing = [one for one in given if one.cancelled_at is None and now < one.expires_at]
    standing.sort(key=lambda one: one.id)
    return max(standing, key=lambda one: one.expires_at, default=None)


@attrs.frozen
class RepeatPolicy:
    """What a second assignment of a course meets while the first is active (rule 15).

    Attributes:
        default: What is done when a call does not say: a new one is made, billed anew.

    Example:
        >>> RepeatPolicy().default
        <Repeat.ALLOW: 'allow'>
    """

    default: Repeat = field(default=Repeat.ALLOW, validator=validation.one_of(Repeat))

    def evaluate(self, standing: Iterable[CourseAssignment], *, at: datetime) -> Decision:
        """Return whether nothing of *standing* stands in the way of another one at *at*.

        Args:
            standing: The learner's assignments of the course.
            at: The aware instant asked about.

        Raises:
            InvalidInput: an argument is of the wrong kind, or *at* is naive.
        """
        assignments = validation.check_list(standing, "standing", empty=True)
        for position, one in enumerate(assignments):
            validation.check_kind(one, f"standing[{position}]", CourseAssignment)
        holder = latest_standing(assignments, at)
        if holder is None:
            return Decision()
        return Decision((AlreadyAssigned(holder.id, holder.expires_at),), holder.expires_at)
