"""Why an assignment is not made, or not with this end. Rules 1, 2, 15 and 22."""

from datetime import datetime
from typing import ClassVar

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.entities.enums import ExpirationLimit
from course_assignments.time.datetimes import format_datetime, format_datetime_up


@attrs.frozen
class CourseNotAvailable:
    """The course lacks what it needs to be set up for training (rule 22).

    Example:
        >>> print(CourseNotAvailable("py", ("content provider",)))
        Course 'py' needs a content provider first.
    """

    code: ClassVar = "course_not_available"
    course_id: str = field(validator=validation.identifier)
    missing: tuple[str, ...] = field(
        converter=validation.tidy_tuple, validator=validation.each_of(tuple, str)
    )

    def __str__(self) -> str:
        return f"Course {self.course_id!r} needs a {' and a '.join(self.missing)} first."


@attrs.frozen
class CourseArchived:
    """The course is kept for what exists only (rule 22).

    Example:
        >>> print(CourseArchived("py"))
        Course 'py' is archived; choose another course.
    """

    code: ClassVar = "course_archived"
    course_id: str = field(validator=validation.identifier)

    def __str__(self) -> str:
        return f"Course {self.course_id!r} is archived; choose another course."


@attrs.frozen
class AlreadyAssigned:
    """The learner has an active assignment of the course (rule 15).

    Example:
        >>> from datetime import UTC
        >>> print(AlreadyAssigned("a-1", datetime(2026, 1, 5, 9, tzinfo=UTC)))
        The learner has assignment 'a-1' of this course until 2026-01-05 09:00:00 UTC; use that one.
    """

    code: ClassVar = "already_assigned"
    assignment_id: str = field(validator=validation.identifier)
    expires_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)

    def __str__(self) -> str:
        return (
            f"The learner has assignment {self.assignment_id!r} of this course until "
            f"{format_datetime(self.expires_at)}; use that one."
        )


#: The limits that a person can look up, and perhaps have changed.
_NAMED = {ExpirationLimit.COURSE, ExpirationLimit.ORGANIZATION, ExpirationLimit.SUBSCRIPTION}


@attrs.frozen
class ExpiresTooLate:
    """The end asked for lies after the latest that is allowed (rules 1 and 2).

    Example:
        >>> from datetime import UTC
        >>> print(ExpiresTooLate(datetime(2026, 1, 5, 9, tzinfo=UTC), ExpirationLimit.COURSE))
        It can end at 2026-01-05 09:00:00 UTC at the latest, by the limit of the course; choose an
        earlier end.
    """

    code: ClassVar = "expires_too_late"
    latest: datetime = field(converter=validation.tidy_instant, validator=validation.instant)
    limited_by: ExpirationLimit = field(validator=validation.one_of(ExpirationLimit))

    def __str__(self) -> str:
        whose = "of the rules"
        if self.limited_by in _NAMED:
            whose = f"of the {self.limited_by.value}"
        return (
            f"It can end at {format_datetime(self.latest)} at the latest, by the limit {whose}; choose an "  # noqa: E501
            "earlier end."
        )


@attrs.frozen
class ExpiresTooEarly:
    """The end asked for lies too early (rule 2).

    Example:
        >>> from datetime import UTC
        >>> print(ExpiresTooEarly(datetime(2026, 1, 5, 9, tzinfo=UTC)))
        It can't end before 2026-01-05 09:00:00 UTC; choose a later end.
    """

    code: ClassVar = "expires_too_early"
    earliest: datetime = field(converter=validation.tidy_instant, validator=validation.instant)

    def __str__(self) -> str:
        return f"It can't end before {format_datetime_up(self.earliest)}; choose a later end."
