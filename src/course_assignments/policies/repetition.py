"""May a learner get another assignment of a course they already have? Rule 15."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from attrs import field

from course_assignments import validation
from course_assignments.decisions import YES, Decision
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.enums import Repeat
from course_assignments.frozen import frozen
from course_assignments.reasons import AlreadyAssigned
from course_assignments.time.datetimes import LATEST, as_utc


class RepeatRule(Protocol):
    """Protocol for a custom `RepeatPolicy`."""

    @property
    def default(self) -> Repeat: ...

    def evaluate(self, existing: Iterable[CourseAssignment], /, *, at: datetime) -> Decision: ...


def latest_open(assignments: Iterable[CourseAssignment], at: datetime) -> CourseAssignment | None:
    """Return the open assignment that ends last, or ``None``; of equal ones the smallest id.

    An assignment is open if it is not cancelled and does not end by *at*. Assignments created after
    *at* are included, because another caller's clock may be ahead.

    >>> latest_open([], datetime(2026, 1, 5, tzinfo=UTC))
    """
    now, given = as_utc(at), validation.check_each(assignments, "assignments", CourseAssignment)
    still_open = [one for one in given if one.cancelled_at is None and now < one.expires_at]
    return min(still_open, key=lambda one: (LATEST - one.expires_at, one.id), default=None)


@frozen
class RepeatPolicy:
    """Decide on a second assignment of a course while the first is active (rule 15).

    Attributes:
        default: The behavior if a call does not specify ``repeat``. ``ALLOW`` creates another
            assignment, which is billed.

    >>> RepeatPolicy().default
    <Repeat.ALLOW: 'allow'>
    """

    default: Repeat = field(default=Repeat.ALLOW, validator=validation.one_of(Repeat))

    def evaluate(self, existing: Iterable[CourseAssignment], *, at: datetime) -> Decision:
        """Refuse if one of *existing*, the learner's assignments of the course, is open at *at*."""
        given = validation.check_each(existing, "existing", CourseAssignment)
        found = latest_open(given, at)
        if found is None:
            return YES
        return Decision([AlreadyAssigned(found.id, found.expires_at)], found.expires_at)
