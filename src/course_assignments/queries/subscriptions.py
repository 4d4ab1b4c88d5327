"""Subscriptions, by whose they are."""

import attrs

from course_assignments.queries.base import Query, Where, equal_to, id_or_none
from course_assignments.subscriptions import Subscription


@attrs.frozen(kw_only=True)
class SubscriptionQuery(Query[Subscription]):
    """Subscriptions from the oldest on, those of the same instant by id.

    Example:
        >>> SubscriptionQuery(learner_id="ada").where()
        {'learner_id': ('ada',)}
    """

    kind = Subscription
    order = ("created_at", "id")

    learner_id: str | None = id_or_none()

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        return equal_to(learner_id=self.learner_id)
