"""Assignments: a learner's access to a course. Status is computed, never stored."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypeAlias, get_args

from attrs import field

from course_assignments import validation
from course_assignments.entities.enums import AssignmentStatus, CompletionStatus, ExpirationLimit
from course_assignments.frozen import frozen
from course_assignments.time.datetimes import as_utc
from course_assignments.validation import at_most, items_of, to_string_set, to_tuple, to_utc

#: How many notes one assignment may have; each further one is stored with all earlier ones.
MAX_NOTES = 1000


@frozen(kw_only=True)
class Note:
    """A message about an assignment, from one administrator to others.

    >>> Note(title="Renewal", message="Paid until June.").high_importance
    False
    """

    title: str = field(validator=validation.name)
    message: str = field(validator=validation.long_text)
    high_importance: bool = field(default=False, validator=validation.flag)


@frozen
class Direct:
    """Origin: an administrator created the assignment.

    >>> Direct() == Direct()
    True
    """


@frozen
class FromKey:
    """Origin: the learner redeemed a training key.

    >>> FromKey("spring", "r-1").batch_id
    'spring'
    """

    batch_id: str = field(validator=validation.identifier)
    redemption_id: str = field(validator=validation.identifier)


@frozen
class FromSubscription:
    """Origin: the learner opened a course of their subscription.

    >>> FromSubscription("s-1").subscription_id
    's-1'
    """

    subscription_id: str = field(validator=validation.identifier)


#: How an assignment was created.
Origin: TypeAlias = Direct | FromKey | FromSubscription


@frozen(kw_only=True)
class AccessPeriod:
    """Base class for access from ``created_at`` until just before ``expires_at``.

    Cancellation ends the access earlier. Subclasses define the three fields in their own order.
    """

    created_at: datetime
    expires_at: datetime
    cancelled_at: datetime | None

    def status_at(self, at: datetime) -> AssignmentStatus:
        """Return the status at the aware datetime *at*, past or future."""
        now = as_utc(at)
        if now < self.created_at:
            return AssignmentStatus.SCHEDULED
        if self.cancelled_at is not None and self.cancelled_at <= now:
            return AssignmentStatus.CANCELLED
        return AssignmentStatus.EXPIRED if self.expires_at <= now else AssignmentStatus.ACTIVE

    def is_active_at(self, at: datetime) -> bool:
        """Return whether there is access at *at*."""
        return self.status_at(at) is AssignmentStatus.ACTIVE

    def remaining_at(self, at: datetime) -> timedelta:
        """Return how much access remains at *at*; zero without access."""
        return self.expires_at - as_utc(at) if self.is_active_at(at) else timedelta(0)


@frozen(kw_only=True)
class CourseAssignment(AccessPeriod):
    """A learner's access to a course, from ``created_at`` until before ``expires_at``, in UTC.

    Attributes:
        organization_id: The learner's organization at creation, which is billed (rule 16).
        limited_by: Which limit set the end (rule 1).
        first_lab_launched_at: When a lab was first launched; it never changes again (rule 3).
        finished: The ids of the finished activities (rule 5).
        notes: In order, at most 1000.

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
    organization_id: str | None = field(validator=validation.identifier_or_none)
    created_at: datetime = field(converter=to_utc)
    expires_at: datetime = field(converter=to_utc, validator=validation.after("created_at"))
    limited_by: ExpirationLimit = field(validator=validation.one_of(ExpirationLimit))
    origin: Origin = field(validator=validation.one_of(*get_args(Origin), exact=True))
    first_lab_launched_at: datetime | None = validation.since_creation()
    started_at: datetime | None = validation.since_creation()
    completed_at: datetime | None = validation.since_creation()
    cancelled_at: datetime | None = validation.since_creation()
    finished: frozenset[str] = field(
        default=frozenset[str](), converter=to_string_set, validator=validation.identifiers
    )
    notes: tuple[Note, ...] = field(
        default=(),
        converter=to_tuple[Note],
        validator=[items_of(Note, exact=True), at_most(MAX_NOTES)],
    )

    @property
    def batch_id(self) -> str | None:
        """The batch of the redeemed key, or ``None``."""
        return self.origin.batch_id if isinstance(self.origin, FromKey) else None

    @property
    def subscription_id(self) -> str | None:
        """The subscription that the assignment was opened from, or ``None``."""
        return self.origin.subscription_id if isinstance(self.origin, FromSubscription) else None

    @property
    def completion(self) -> CompletionStatus:
        """The learner's progress."""
        if self.completed_at is not None:
            return CompletionStatus.COMPLETE
        if self.started_at is not None:
            return CompletionStatus.INCOMPLETE
        return CompletionStatus.NOT_STARTED


@lru_cache(maxsize=1000, typed=True)  # a command reads and writes under the same id
def _claim_id(learner_id: str, course_id: str) -> str:
    return validation.derived_id("claim", learner_id, course_id)


@frozen(kw_only=True)
class Claim:
    """The latest assignment of a course to a learner (rule 15).

    Every command that creates an assignment writes its claim, so that concurrent ones conflict.

    >>> Claim.of("ada", "py", "a-1") == Claim.of("ada", "py", "a-1")
    True
    """

    id: str = field(validator=validation.identifier)
    learner_id: str = field(validator=validation.identifier)
    course_id: str = field(validator=validation.identifier)
    assignment_id: str = field(validator=validation.identifier)

    @staticmethod
    def id_for(learner_id: str, course_id: str) -> str:
        """Return the id of this learner's claim to this course."""
        learner_id = validation.check_id(learner_id, "learner_id")
        course_id = validation.check_id(course_id, "course_id")
        return _claim_id(learner_id, course_id)

    @classmethod
    def of(cls, learner_id: str, course_id: str, assignment_id: str) -> "Claim":
        """Return this learner's claim to this course, with this assignment."""
        id_ = cls.id_for(learner_id, course_id)
        return cls(id=id_, learner_id=learner_id, course_id=course_id, assignment_id=assignment_id)


@frozen(kw_only=True)
class AssignmentBatch:
    """The result of `assign_many`, in the order of the input.

    Attributes:
        skipped: With ``Repeat.SKIP``, the active assignments that existed already.

    >>> AssignmentBatch(created=(), skipped=()).created
    ()
    """

    created: tuple[CourseAssignment, ...]
    skipped: tuple[CourseAssignment, ...] = ()
