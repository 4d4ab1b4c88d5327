"""One learner's access to a set of courses for a time. Facts with their instants only."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs
from attrs import converters, field, validators

from course_assignments import validation
from course_assignments.entities.assignments import status_at
from course_assignments.entities.enums import AssignmentStatus
from course_assignments.errors import InvalidInput
from course_assignments.time.datetimes import as_utc
from course_assignments.validation import derived_id


@attrs.frozen
class Opening:
    """A course that was opened, and the assignment that came of it.

    Example:
        >>> Opening("py", "a-1").assignment_id
        'a-1'
    """

    course_id: str = field(validator=validation.identifier)
    assignment_id: str = field(validator=validation.identifier)


def _distinct_ids(_: object, at: "attrs.Attribute[tuple[str, ...]]", value: Iterable[str]) -> None:
    given = validation.check_list(value, at.name)
    for position, one in enumerate(given):
        path = f"{at.name}[{position}]"
        validation.check_id(one, path)
        if one in given[:position]:
            raise InvalidInput("repeated", path, "name each course once")


@attrs.frozen(kw_only=True)
class Subscription:
    """What lets one learner open courses, from ``created_at`` until just before ``expires_at``.

    Attributes:
        organization_id: The learner's organization when it was made.
        course_ids: The courses that can be opened, each once, in the order given.
        edited_at: When this set was last changed.
        openings: Everything that was opened, in order (rule 19).

    All instants are UTC.

    Raises:
        InvalidInput: a field is out of bounds, or an instant lies before ``created_at``.

    Example:
        >>> from datetime import UTC
        >>> created = datetime(2026, 1, 5, 9, tzinfo=UTC)
        >>> subscription = Subscription(
        ...     id="s-1", learner_id="ada", organization_id=None, course_ids=["py", "sql"],
        ...     created_at=created, expires_at=created + timedelta(days=365),
        ... )
        >>> subscription.is_active_at(created + timedelta(days=365))
        False
    """

    id: str = field(validator=validation.identifier)
    learner_id: str = field(validator=validation.identifier)
    organization_id: str | None = field(validator=validators.optional(validation.identifier))
    course_ids: tuple[str, ...] = field(converter=validation.tidy_tuple, validator=_distinct_ids)
    created_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)
    expires_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)
    edited_at: datetime | None = field(
        default=None,
        converter=converters.optional(validation.tidy_instant),
        validator=validators.optional(validation.instant),
    )
    cancelled_at: datetime | None = field(
        default=None,
        converter=converters.optional(validation.tidy_instant),
        validator=validators.optional(validation.instant),
    )
    openings: tuple[Opening, ...] = field(
        default=(), converter=validation.tidy_tuple, validator=validation.each_of(tuple, Opening)
    )

    def __attrs_post_init__(self) -> None:
        if self.expires_at <= self.created_at:
            raise InvalidInput("empty_window", "expires_at", "the end must lie after created_at")
        for name in ("edited_at", "cancelled_at"):
            instant = getattr(self, name)
            if instant is not None and instant < self.created_at:
                raise InvalidInput("before_creation", name, "it cannot lie before created_at")

    def status_at(self, at: datetime) -> AssignmentStatus:
        """Return where it stands at the aware instant *at*, be it past or future."""
        return status_at(
            at,
            created_at=self.created_at,
            expires_at=self.expires_at,
            cancelled_at=self.cancelled_at,
        )

    def is_active_at(self, at: datetime) -> bool:
        """Return whether it opens courses at *at*: from its creation to just before its end."""
        return self.status_at(at) is AssignmentStatus.ACTIVE

    def remaining_at(self, at: datetime) -> timedelta:
        """Return how long it still opens courses from *at* on; zero when it does not."""
        now = as_utc(at)
        return self.expires_at - now if self.is_active_at(now) else timedelta(0)

    def opened(self, course_id: str) -> tuple[str, ...]:
        """Return the ids of the assignments that came of opening this course, in order."""
        validation.check_id(course_id, "course_id")
        return tuple(one.assignment_id for one in self.openings if one.course_id == course_id)

    def next_assignment_id(self, course_id: str) -> str:
        """Return the one id of the assignment that opening this course the next time makes."""
        turn = len(self.opened(course_id))
        return derived_id("opening", self.id, course_id, str(turn))
