"""May something new be created for this course? Rule 22."""

from datetime import datetime
from typing import Protocol

import attrs

from course_assignments import validation
from course_assignments.decisions import YES, Decision
from course_assignments.entities.catalog import Course
from course_assignments.reasons import CourseArchived, CourseNotAvailable, Reason
from course_assignments.time.datetimes import as_utc


class CourseAvailabilityRule(Protocol):
    """Protocol for a custom `CourseAvailabilityPolicy`."""

    def evaluate(self, course: Course, /, *, at: datetime) -> Decision:
        """Decide whether something new may be created for *course*."""
        ...


@attrs.frozen
class CourseAvailabilityPolicy:
    """Require that a course is fully set up and not archived (rule 22).

    A course needs a content provider and a publishing group. The policy is called before something
    new is created; existing assignments and keys are not affected.

    Example:
        >>> from datetime import UTC
        >>> course, at = Course(id="py", name="Python"), datetime(2026, 1, 5, tzinfo=UTC)
        >>> decision = CourseAvailabilityPolicy().evaluate(course, at=at)
        >>> print(decision)
        Course 'py' is not available yet. Add what is missing: content provider, publishing group.
    """

    def evaluate(self, course: Course, *, at: datetime) -> Decision:
        """Decide whether something new may be created; *at* makes no difference."""
        as_utc(at)
        validation.check_kind(course, "course", Course)
        reasons: list[Reason] = []
        # courses "must be assigned to a Content Provider and a Publishing Group"
        missing: list[str] = []
        if course.content_provider is None:
            missing.append("content provider")
        if course.publishing_group is None:
            missing.append("publishing group")
        if missing:
            reasons.append(CourseNotAvailable(course.id, tuple(missing)))
        if course.archived:
            reasons.append(CourseArchived(course.id))
        return Decision(reasons) if reasons else YES
