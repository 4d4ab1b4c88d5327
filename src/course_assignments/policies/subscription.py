"""Does a subscription open a course? Rule 19."""

from datetime import datetime
from typing import Protocol

import attrs

from course_assignments import reasons, validation
from course_assignments.decisions import Decision
from course_assignments.entities.subscriptions import Subscription
from course_assignments.time.datetimes import as_utc


class SubscriptionRule(Protocol):
    """Protocol for a custom `SubscriptionPolicy`."""

    def evaluate(
        self, subscription: Subscription, /, *, at: datetime, course_id: str | None = None
    ) -> Decision: ...


@attrs.frozen
class SubscriptionPolicy:
    """Allow opening the courses of an active subscription (rule 19).

    >>> policy = SubscriptionPolicy()
    """

    def evaluate(
        self, subscription: Subscription, *, at: datetime, course_id: str | None = None
    ) -> Decision:
        """Decide whether *subscription* opens the course at *at*, or without one may be edited."""
        validation.check_kind(subscription, "subscription", Subscription)
        now = as_utc(at)
        if course_id is not None:
            course_id = validation.check_id(course_id, "course_id")
        created_at, expires_at = subscription.created_at, subscription.expires_at
        cancelled_at = subscription.cancelled_at
        found: list[reasons.Reason] = []
        if now < created_at:
            found.append(reasons.SubscriptionNotActive(created_at))
        # a cancelled subscription has ended, even if it was cancelled later than *at*
        if cancelled_at is not None or expires_at <= now:
            found.append(reasons.SubscriptionEnded(min(cancelled_at or expires_at, expires_at)))
        if course_id is not None and course_id not in subscription.course_ids:
            found.append(reasons.CourseNotInSubscription(course_id))
        match found:
            case []:
                return Decision((), expires_at)
            case [reasons.SubscriptionNotActive()]:  # the only reason that time removes
                return Decision(found, created_at)
            case _:
                return Decision(found)
