"""Assignments, by whom and what they concern, where they stand, and when it happened."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, get_args

import attrs
from attrs import converters, field, validators

from course_assignments import validation
from course_assignments.entities.assignments import CourseAssignment, Origin
from course_assignments.entities.enums import AssignmentStatus, CompletionStatus
from course_assignments.errors import InvalidInput
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


def _several(value: Iterable[CompletionStatus] | CompletionStatus) -> tuple[CompletionStatus, ...]:
    return (value,) if isinstance(value, CompletionStatus) else validation.tidy_tuple(value)


def _check_origin(_: object, at: "attrs.Attribute[Any]", value: object) -> None:
    kinds = get_args(Origin)
    if not any(value is kind for kind in kinds):
        names = " or ".join(kind.__name__ for kind in kinds)
        raise InvalidInput("wrong_type", at.name, f"expected the class {names} itself")


@attrs.frozen(kw_only=True)
class AssignmentQuery(Query[CourseAssignment]):
    """Assignments from the oldest on, those of the same instant by id.

    Every range is half-open: what happened at its ``_from`` is in it, at its ``_until`` no longer.
    What has not happened, such as the start of what was never started, is in no range.

    Attributes:
        organization_id: The organization the learner had when it was made (rule 16).
        status: Where it stands at the instant ``at``, which has to be given with it.
        completion: How far the learner is by now, whatever ``at`` says: one status, or several of
            which any will do.
        origin: How it came about: `Direct`, `FromKey` or `FromSubscription`, the class.
        batch_id: The batch of the key by which it was made.
        subscription_id: The subscription from which it was opened.

    Raises:
        InvalidInput: a filter is of the wrong kind, a range is empty, or one of ``status`` and
            ``at`` is given without the other.

    Example:
        >>> from datetime import UTC
        >>> AssignmentQuery(learner_id="ada").where()
        {'learner_id': ('ada',)}
        >>> open_ones = AssignmentQuery(
        ...     status=AssignmentStatus.ACTIVE,
        ...     at=datetime(2026, 3, 1, tzinfo=UTC),
        ...     completion=[CompletionStatus.NOT_STARTED, CompletionStatus.INCOMPLETE],
        ... )
    """

    kind = CourseAssignment
    order = ("created_at", "id")

    learner_id: str | None = id_or_none()
    course_id: str | None = id_or_none()
    organization_id: str | None = id_or_none()
    status: AssignmentStatus | None = field(
        default=None, validator=validators.optional(validation.one_of(AssignmentStatus))
    )
    at: datetime | None = instant_or_none()
    completion: tuple[CompletionStatus, ...] | None = field(
        default=None,
        converter=converters.optional(_several),
        validator=validators.optional(validation.each_of(tuple, CompletionStatus)),
    )
    origin: type[Origin] | None = field(default=None, validator=validators.optional(_check_origin))
    batch_id: str | None = id_or_none()
    subscription_id: str | None = id_or_none()
    created_from: datetime | None = instant_or_none()
    created_until: datetime | None = instant_or_none()
    started_from: datetime | None = instant_or_none()
    started_until: datetime | None = instant_or_none()
    completed_from: datetime | None = instant_or_none()
    completed_until: datetime | None = instant_or_none()
    expires_from: datetime | None = instant_or_none()
    expires_until: datetime | None = instant_or_none()

    def __attrs_post_init__(self) -> None:
        if self.status is not None and self.at is None:
            hint = "give the instant at which it has the status"
            raise InvalidInput("missing", "at", hint)
        if self.at is not None and self.status is None:
            raise InvalidInput("missing", "status", "give the status that it has at that instant")
        for name in ("created", "started", "completed", "expires"):
            check_window(self, name)

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        found = equal_to(
            learner_id=self.learner_id,
            course_id=self.course_id,
            organization_id=self.organization_id,
            batch_id=self.batch_id,
            subscription_id=self.subscription_id,
        )
        return found if self.completion is None else {**found, "completion": self.completion}

    def ranges(self) -> Ranges:
        """Return the fields that are bounded, each with its half-open range."""
        return within(
            created_at=(self.created_from, self.created_until),
            started_at=(self.started_from, self.started_until),
            completed_at=(self.completed_from, self.completed_until),
            expires_at=(self.expires_from, self.expires_until),
        )

    def matches(self, record: CourseAssignment) -> bool:
        """Return whether *record* is an assignment and passes every filter that is set."""
        return (
            super().matches(record)
            and (self.origin is None or isinstance(record.origin, self.origin))
            and self._stands(record)
        )

    def _stands(self, record: CourseAssignment) -> bool:
        if self.status is None or self.at is None:
            return True
        return record.status_at(self.at) is self.status
