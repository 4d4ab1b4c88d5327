"""May anything new be made for this course? Rule 22."""

from datetime import datetime

import attrs

from course_assignments import validation
from course_assignments.decisions import Decision
from course_assignments.entities.catalog import Course
from course_assignments.reasons import CourseArchived, CourseNotAvailable, Reason
from course_assignments.time.datetimes import as_utc


@attrs.frozen
class CourseAvailabilityPolicy:
    """Set a course up for training only with a content provider and a publishing group (rule 22).

    It is asked whenever something new is made, never for what exists.

    Example:
        >>> from datetime import UTC
        >>> course, at = Course(id="py", name="Python"), datetime(2026, 1, 5, tzinfo=UTC)
        >>> decision = CourseAvailabilityPolicy().evaluate(course, at=at)
        >>> print(decision)
        Course 'py' needs a content provider and a publishing group first.
    """

    def evaluate(self, course: Course, *, at: datetime) -> Decision:
        """Return whether something new may be made for *course*, at whatever instant.

        Raises:
            InvalidInput: *course* is no `Course`, or *at* is naive.
        """
        as_utc(at)
        validation.check_kind(course, "course", Course)
        reasons: list[Reason] = []
        wanted = (
            ("content provider", course.content_provider),
            ("publishing group", course.publishing_group),
        )
        missing = tuple(name for name, value in wanted if value is None)
        if missing:
            reasons.append(CourseNotAvailable(course.id, missing))
        if course.archived:
            reasons.append(CourseArchived(course.id))
        return Decision(tuple(reasons))
