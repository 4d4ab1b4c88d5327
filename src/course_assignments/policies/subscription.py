"""Does this subscription open this course now? Rule 19."""

from datetime import datetime

import attrs

from course_assignments import validation
from course_assignments.decisions import Decision
from course_assignments.entities.subscriptions import Subscription
from course_assignments.reasons import (
    CourseNotInSubscription,
    Reason,
    SubscriptionEnded,
    SubscriptionNotActive,
)
from course_assignments.time.datetimes import as_utc


@attrs.frozen
class SubscriptionPolicy:
    """Open the courses of the set while the subscription is active (rule 19).

    Example:
        >>> SubscriptionPolicy()
        SubscriptionPolicy()
    """

    def evaluate(
        self, subscription: Subscription, *, at: datetime, course_id: str | None = None
    ) -> Decision:
        """Return whether *subscription* opens the course at *at*.

        Args:
            subscription: As it is stored.
            at: The aware instant asked about.
            course_id: The course; without one it is asked whether the set may still be edited.

        Raises:
            InvalidInput: an argument is of the wrong kind, or *at* is naive.
        """
        validation.check_kind(subscription, "subscription", Subscription)
        now = as_utc(at)
        reasons: list[Reason] = []
        turns_at: datetime | None = subscription.expires_at
        if now < subscription.created_at:
            reasons.append(SubscriptionNotActive(subscription.created_at))
            turns_at = subscription.created_at
        # once cancelled it is over, at whatever instant that was
        cancelled_at = subscription.cancelled_at
        if cancelled_at is not None:
            reasons.append(SubscriptionEnded(min(cancelled_at, subscription.expires_at)))
            turns_at = None
        elif subscription.expires_at <= now:
            reasons.append(SubscriptionEnded(subscription.expires_at))
            turns_at = None
        if course_id is not None:
            validation.check_id(course_id, "course_id")
            if course_id not in subscription.course_ids:
                reasons.append(CourseNotInSubscription(course_id))
                turns_at = None
        return Decision(tuple(reasons), turns_at)
