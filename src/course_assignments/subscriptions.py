"""One learner's access to a set of courses for a time. Facts with their instants only."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs
from attrs import converters, field, validators

from course_assignments import fields
from course_assignments.assignments import status_at
from course_assignments.enums import AssignmentStatus
from course_assignments.errors import InvalidInput
from course_assignments.identifiers import derived_id
from course_assignments.instants import as_utc


@attrs.frozen
class Opening:
    """A course that was opened, and the assignment that came of it.

    Example:
        >>> Opening("py", "a-1").assignment_id
        'a-1'
    """

    course_id: str = field(validator=fields.identifier)
    assignment_id: str = field(validator=fields.identifier)


def _distinct_ids(_: object, at: "attrs.Attribute[tuple[str, ...]]", value: Iterable[str]) -> None:
    given = fields.check_list(value, at.name)
    for position, one in enumerate(given):
        path = f"{at.name}[{position}]"
        fields.check_id(one, path)
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
        >>> subscription.is_active(created + timedelta(days=365))
        False
    """

    id: str = field(validator=fields.identifier)
    learner_id: str = field(validator=fields.identifier)
    organization_id: str | None = field(validator=validators.optional(fields.identifier))
    course_ids: tuple[str, ...] = field(converter=fields.tidy_tuple, validator=_distinct_ids)
    created_at: datetime = field(converter=fields.tidy_instant, validator=fields.instant)
    expires_at: datetime = field(converter=fields.tidy_instant, validator=fields.instant)
    edited_at: datetime | None = field(
        default=None,
        converter=converters.optional(fields.tidy_instant),
        validator=validators.optional(fields.instant),
    )
    cancelled_at: datetime | None = field(
        default=None,
        converter=converters.optional(fields.tidy_instant),
        validator=validators.optional(fields.instant),
    )
    openings: tuple[Opening, ...] = field(
        default=(), converter=fields.tidy_tuple, validator=fields.each_of(tuple, Opening)
    )

    def __attrs_post_init__(self) -> None:
        if self.expires_at <= self.created_at:
            raise InvalidInput("empty_window", "expires_at", "the end must lie after created_at")
        for name in ("edited_at", "cancelled_at"):
            instant = getattr(self, name)
            if instant is not None and instant < self.created_at:
                raise InvalidInput("before_creation", name, "it cannot lie before created_at")

    def status(self, at: datetime) -> AssignmentStatus:
        """Return where it stands at the aware instant *at*, be it past or future."""
        return status_at(
            at,
            created_at=self.created_at,
            expires_at=self.expires_at,
            cancelled_at=self.cancelled_at,
        )

    def is_active(self, at: datetime) -> bool:
        """Return whether it opens courses at *at*: from its creation to just before its end."""
        return self.status(at) is AssignmentStatus.ACTIVE

    def remaining(self, at: datetime) -> timedelta:
        """Return how long it still opens courses from *at* on; zero when it does not."""
        now = as_utc(at)
        return self.expires_at - now if self.is_active(now) else timedelta(0)

    def opened(self, course_id: str) -> tuple[str, ...]:
        """Return the ids of the assignments that came of opening this course, in order."""
        fields.check_id(course_id, "course_id")
        return tuple(one.assignment_id for one in self.openings if one.course_id == course_id)

    def next_assignment_id(self, course_id: str) -> str:
        """Return the one id of the assignment that opening this course the next time makes."""
        turn = len(self.opened(course_id))
        return derived_id("opening", self.id, course_id, str(turn))
