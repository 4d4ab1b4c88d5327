"""Subscriptions, by whose they are and when they begin and end."""

from datetime import datetime

import attrs

from course_assignments.entities.subscriptions import Subscription
from course_assignments.queries.base import (
    Query,
    Ranges,
    Where,
    check_window,
    equal_to,
    id_or_none,
    instant_or_none,
    within,
)


@attrs.frozen(kw_only=True)
class SubscriptionQuery(Query[Subscription]):
    """Subscriptions from the oldest on, those of the same instant by id.

    Every range is half-open: what happens at its ``_from`` is in it, at its ``_until`` no longer.

    Attributes:
        organization_id: The organization the learner had when it was made.

    Raises:
        InvalidInput: a filter is of the wrong kind, or a range is empty.

    Example:
        >>> SubscriptionQuery(learner_id="ada").where()
        {'learner_id': ('ada',)}
    """

    kind = Subscription
    order = ("created_at", "id")

    learner_id: str | None = id_or_none()
    organization_id: str | None = id_or_none()
    created_from: datetime | None = instant_or_none()
    created_until: datetime | None = instant_or_none()
    expires_from: datetime | None = instant_or_none()
    expires_until: datetime | None = instant_or_none()

    def __attrs_post_init__(self) -> None:
        for name in ("created", "expires"):
            check_window(self, name)

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        return equal_to(learner_id=self.learner_id, organization_id=self.organization_id)

    def ranges(self) -> Ranges:
        """Return the fields that are bounded, each with its half-open range."""
        return within(
            created_at=(self.created_from, self.created_until),
            expires_at=(self.expires_from, self.expires_until),
        )
