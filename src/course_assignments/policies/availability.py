"""May something new be created for this course? Rule 22."""

from datetime import datetime
from typing import Protocol

import attrs

from course_assignments import reasons, validation
from course_assignments.decisions import YES, Decision
from course_assignments.entities.catalog import Course
from course_assignments.time.datetimes import as_utc


class CourseAvailabilityRule(Protocol):
    """Protocol for a custom `CourseAvailabilityPolicy`."""

    def evaluate(self, course: Course, /, *, at: datetime) -> Decision: ...


@attrs.frozen
class CourseAvailabilityPolicy:
    """Require that a course is fully set up and not archived (rule 22).

    It is called before something new is created; existing assignments and keys are not affected.

    >>> course, at = Course(id="py", name="Python"), datetime(2026, 1, 5, tzinfo=UTC)
    >>> print(CourseAvailabilityPolicy().evaluate(course, at=at))
    Course 'py' is not available yet. Add what is missing: content provider, publishing group.
    """

    def evaluate(self, course: Course, *, at: datetime) -> Decision:
        """Decide whether something new may be created for *course*."""
        as_utc(at)
        validation.check_kind(course, "course", Course)
        # courses "must be assigned to a Content Provider and a Publishing Group"
        missing: list[str] = []
        if course.content_provider is None:
            missing.append("content provider")
        if course.publishing_group is None:
            missing.append("publishing group")
        found: list[reasons.Reason] = []
        if missing:
            found.append(reasons.CourseNotAvailable(course.id, tuple(missing)))
        if course.archived:
            found.append(reasons.CourseArchived(course.id))
        return Decision(found) if found else YES
