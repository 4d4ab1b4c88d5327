"""Why a subscription does not open a course, or is not changed. Rule 19."""

from datetime import datetime
from typing import ClassVar

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.time.datetimes import format_datetime, format_datetime_up


@attrs.frozen
class CourseNotInSubscription:
    """The course is none of those that the subscription opens.

    Example:
        >>> print(CourseNotInSubscription("py"))
        Course 'py' is not part of the subscription; choose one that is, or ask for it.
    """

    code: ClassVar = "course_not_in_subscription"
    course_id: str = field(validator=validation.identifier)

    def __str__(self) -> str:
        return (
            f"Course {self.course_id!r} is not part of the subscription; choose one that is, or "
            "ask for it."
        )


@attrs.frozen
class SubscriptionNotActive:
    """The instant asked about lies before the subscription's creation.

    Example:
        >>> from datetime import UTC
        >>> print(SubscriptionNotActive(datetime(2026, 1, 5, 9, tzinfo=UTC)))
        The subscription is not active before 2026-01-05 09:00:00 UTC; check the clock, or wait.
    """

    code: ClassVar = "subscription_not_active"
    created_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)

    def __str__(self) -> str:
        return (
            f"The subscription is not active before {format_datetime_up(self.created_at)}; check the "  # noqa: E501
            "clock, or wait."
        )


@attrs.frozen
class SubscriptionEnded:
    """The subscription is over, or was cancelled.

    Example:
        >>> from datetime import UTC
        >>> print(SubscriptionEnded(datetime(2026, 1, 5, 9, tzinfo=UTC)))
        The subscription ended at 2026-01-05 09:00:00 UTC; ask for a new one.
    """

    code: ClassVar = "subscription_ended"
    ended_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)

    def __str__(self) -> str:
        return f"The subscription ended at {format_datetime(self.ended_at)}; ask for a new one."
