"""One learner's access to one course, and what belongs to it. Facts with their instants only.

Where an assignment stands is derived from these facts at an instant; it is never stored.
"""

from datetime import datetime, timedelta
from typing import TypeAlias, get_args

import attrs
from attrs import converters, field, validators

from course_assignments import validation
from course_assignments.entities.enums import AssignmentStatus, CompletionStatus, ExpirationLimit
from course_assignments.errors import InvalidInput
from course_assignments.time.datetimes import as_utc
from course_assignments.validation import derived_id


@attrs.frozen(kw_only=True)
class Note:
    """What an administrator leaves on an assignment for other administrators.

    Example:
        >>> Note(title="Renewal", message="Paid until June.").high_importance
        False
    """

    title: str = field(validator=validation.name)
    message: str = field(validator=validation.long_text)
    high_importance: bool = field(default=False, validator=validation.flag)


@attrs.frozen
class Direct:
    """An administrator made the assignment.

    Example:
        >>> Direct() == Direct()
        True
    """


@attrs.frozen
class FromKey:
    """A learner made the assignment by redeeming a training key.

    Example:
        >>> FromKey("spring", "r-1").batch_id
        'spring'
    """

    batch_id: str = field(validator=validation.identifier)
    redemption_id: str = field(validator=validation.identifier)


@attrs.frozen
class FromSubscription:
    """A learner made the assignment by opening a course of their subscription.

    Example:
        >>> FromSubscription("s-1").subscription_id
        's-1'
    """

    subscription_id: str = field(validator=validation.identifier)


#: How an assignment came about.
Origin: TypeAlias = Direct | FromKey | FromSubscription


def _instant_or_none() -> datetime | None:
    return field(
        default=None,
        converter=converters.optional(validation.tidy_instant),
        validator=validators.optional(validation.instant),
    )


def status_at(
    at: datetime, *, created_at: datetime, expires_at: datetime, cancelled_at: datetime | None
) -> AssignmentStatus:
    """Return where access with these instants stands at the aware instant *at*."""
    now = as_utc(at)
    if now < created_at:
        return AssignmentStatus.SCHEDULED
    if cancelled_at is not None and cancelled_at <= now:
        return AssignmentStatus.CANCELLED
    return AssignmentStatus.EXPIRED if expires_at <= now else AssignmentStatus.ACTIVE


@attrs.frozen(kw_only=True)
class CourseAssignment:
    """One learner's access to one course, from ``created_at`` until just before ``expires_at``.

    Attributes:
        organization_id: The learner's organization when it was made: who is billed (rule 16).
        limited_by: Which ceiling set the end (rule 1).
        first_lab_launched_at: When a lab was first launched; it counts for good (rule 3).
        finished: The ids of the activities that were finished (rule 5).

    All instants are UTC.

    Raises:
        InvalidInput: a field is out of bounds, or an instant lies before ``created_at``.

    Example:
        >>> from datetime import UTC
        >>> created = datetime(2026, 1, 5, 9, tzinfo=UTC)
        >>> assignment = CourseAssignment(
        ...     id="a-1", learner_id="ada", course_id="py", organization_id=None,
        ...     created_at=created, origin=Direct(),
        ...     expires_at=created + timedelta(days=180), limited_by=ExpirationLimit.MAXIMUM,
        ... )
        >>> assignment.status_at(created)
        <AssignmentStatus.ACTIVE: 'active'>
        >>> assignment.remaining_at(created + timedelta(days=179))
        datetime.timedelta(days=1)
    """

    id: str = field(validator=validation.identifier)
    learner_id: str = field(validator=validation.identifier)
    course_id: str = field(validator=validation.identifier)
    organization_id: str | None = field(validator=validators.optional(validation.identifier))
    created_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)
    expires_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)
    limited_by: ExpirationLimit = field(validator=validation.one_of(ExpirationLimit))
    origin: Origin = field(validator=validation.one_of(*get_args(Origin)))
    first_lab_launched_at: datetime | None = _instant_or_none()
    started_at: datetime | None = _instant_or_none()
    completed_at: datetime | None = _instant_or_none()
    cancelled_at: datetime | None = _instant_or_none()
    finished: frozenset[str] = field(
        default=frozenset[str](), converter=validation.tidy_set, validator=validation.identifiers
    )
    notes: tuple[Note, ...] = field(
        default=(), converter=validation.tidy_tuple, validator=validation.each_of(tuple, Note)
    )

    def __attrs_post_init__(self) -> None:
        if self.expires_at <= self.created_at:
            raise InvalidInput("empty_window", "expires_at", "the end must lie after created_at")
        for name in ("first_lab_launched_at", "started_at", "completed_at", "cancelled_at"):
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
        """Return whether it gives access at *at*: from its creation to just before its end."""
        return self.status_at(at) is AssignmentStatus.ACTIVE

    def remaining_at(self, at: datetime) -> timedelta:
        """Return how long it still gives access from *at* on; zero when it does not."""
        now = as_utc(at)
        return self.expires_at - now if self.is_active_at(now) else timedelta(0)

    @property
    def batch_id(self) -> str | None:
        """The batch of the key that it was made with, or ``None``."""
        return self.origin.batch_id if isinstance(self.origin, FromKey) else None

    @property
    def subscription_id(self) -> str | None:
        """The subscription that it was opened from, or ``None``."""
        origin = self.origin
        return origin.subscription_id if isinstance(origin, FromSubscription) else None

    @property
    def completion(self) -> CompletionStatus:
        """How far the learner is."""
        if self.completed_at is not None:
            return CompletionStatus.COMPLETE
        if self.started_at is not None:
            return CompletionStatus.INCOMPLETE
        return CompletionStatus.NOT_STARTED


@attrs.frozen(kw_only=True)
class Claim:
    """A learner's one place in a course: which assignment holds it.

    Whoever assigns under ``Repeat.SKIP`` or ``Repeat.REFUSE`` writes it, so that two who do so at
    once meet here (rule 15).

    Example:
        >>> Claim.of("ada", "py", "a-1") == Claim.of("ada", "py", "a-1")
        True
    """

    id: str = field(validator=validation.identifier)
    learner_id: str = field(validator=validation.identifier)
    course_id: str = field(validator=validation.identifier)
    assignment_id: str = field(validator=validation.identifier)

    @staticmethod
    def id_for(learner_id: str, course_id: str) -> str:
        """Return the id of the one claim that this learner has in this course."""
        validation.check_id(learner_id, "learner_id")
        validation.check_id(course_id, "course_id")
        return derived_id("claim", learner_id, course_id)

    @classmethod
    def of(cls, learner_id: str, course_id: str, assignment_id: str) -> "Claim":
        """Return the claim of this learner in this course, held by this assignment."""
        return cls(
            id=cls.id_for(learner_id, course_id),
            learner_id=learner_id,
            course_id=course_id,
            assignment_id=assignment_id,
        )


@attrs.frozen(kw_only=True)
class AssignmentBatch:
    """What assigning several courses to several learners came to, in the order of the input.

    Attributes:
        created: The new assignments.
        skipped: Under ``Repeat.SKIP``, the active assignments that were there already.

    Example:
        >>> AssignmentBatch(created=(), skipped=()).created
        ()
    """

    created: tuple[CourseAssignment, ...]
    skipped: tuple[CourseAssignment, ...] = ()
