"""May something new be created for this course? Rule 22."""

from datetime import datetime
from typing import Protocol

import attrs

from course_assignments import validation
from course_assignments.decisions import Decision
from course_assignments.entities.catalog import Course
from course_assignments.reasons import CourseArchived, CourseNotAvailable, Reason
from course_assignments.time.datetimes import as_utc


class CourseAvailabilityRule(Protocol):
    """What your own `CourseAvailabilityPolicy` has to offer."""

    def evaluate(self, course: Course, /, *, at: datetime) -> Decision:
        """Decide whether something new may be created for *course*."""
        ...


@attrs.frozen
class CourseAvailabilityPolicy:
    """Require a content provider and a publishing group, and no archived course (rule 22).

    The policy is asked when something new is created, never about what exists.

    Example:
        >>> from datetime import UTC
        >>> course, at = Course(id="py", name="Python"), datetime(2026, 1, 5, tzinfo=UTC)
        >>> decision = CourseAvailabilityPolicy().evaluate(course, at=at)
        >>> print(decision)
        Course 'py' is not available yet. Add what is missing: content provider, publishing group.
    """

    def evaluate(self, course: Course, *, at: datetime) -> Decision:
        """Decide whether something new may be created for *course*; *at* makes no difference."""
        as_utc(at)
        validation.check_kind(course, "course", Course)
        reasons: list[Reason] = []
        # courses "must be assigned to a Content Provider and a Publishing Group"
        wanted = {
            "content provider": course.content_provider,
            "publishing group": course.publishing_group,
        }
        missing = tuple(name for name, value in wanted.items() if value is None)
        if missing:
            reasons.append(CourseNotAvailable(course.id, missing))
        if course.archived:
            reasons.append(CourseArchived(course.id))
        return Decision(reasons)
