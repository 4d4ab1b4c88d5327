"""Why something is refused: one small value per reason, with its facts as typed validation.

A ``code`` is stable and may be matched on; the sentence that ``str`` gives may change. Sentences
are for the person who was refused, and none ever shows the code of a key.
"""

from typing import TypeAlias, get_args

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.reasons.acting import (
    OrganizationNotManaged,
    RoleMissing,
    SupportRoleMissing,
)
from course_assignments.reasons.assigning import (
    AlreadyAssigned,
    CourseArchived,
    CourseNotAvailable,
    ExpiresTooEarly,
    ExpiresTooLate,
)
from course_assignments.reasons.batches import CodeTaken, MaxUsesBelowUses
from course_assignments.reasons.host import CustomReason
from course_assignments.reasons.learning import (
    AssignmentExpired,
    AttemptAhead,
    AttemptNotPaused,
    AttemptOpen,
    AttemptPaused,
    NoAttemptOpen,
)
from course_assignments.reasons.lifecycle import (
    AlreadyCancelled,
    AlreadyCompleted,
    AssignmentNotActive,
    CancellationWindowClosed,
    LabLaunched,
)
from course_assignments.reasons.redeeming import (
    AlreadyRedeemed,
    EmailTaken,
    KeyExhausted,
    KeyExpired,
    KeyMistyped,
    KeyNotFound,
    KeyNotYetRedeemable,
    KeyRevoked,
    RegistrationDisabled,
    WrongOrganization,
)
from course_assignments.reasons.subscribing import (
    CourseNotInSubscription,
    SubscriptionEnded,
    SubscriptionNotActive,
)

#: A reason that stands on its own.
PlainReason: TypeAlias = (
    CancellationWindowClosed
    | LabLaunched
    | AlreadyCancelled
    | AlreadyCompleted
    | AssignmentNotActive
    | AssignmentExpired
    | AttemptOpen
    | NoAttemptOpen
    | AttemptPaused
    | AttemptNotPaused
    | AttemptAhead
    | CourseNotInSubscription
    | SubscriptionNotActive
    | SubscriptionEnded
    | ExpiresTooLate
    | ExpiresTooEarly
    | CourseNotAvailable
    | CourseArchived
    | AlreadyAssigned
    | KeyNotFound
    | KeyMistyped
    | KeyRevoked
    | KeyNotYetRedeemable
    | KeyExpired
    | KeyExhausted
    | WrongOrganization
    | AlreadyRedeemed
    | RegistrationDisabled
    | EmailTaken
    | RoleMissing
    | SupportRoleMissing
    | OrganizationNotManaged
    | CodeTaken
    | MaxUsesBelowUses
    | CustomReason
)


@attrs.frozen
class ForAssignment:
    """A reason against one pair when several courses are assigned to several learners (rule 14).

    Example:
        >>> pair = ForAssignment("py", "ada", CourseArchived("py"))
        >>> pair.code
        'course_archived'
        >>> print(pair)
        Learner 'ada', course 'py': Course 'py' is archived; choose another course.
    """

    course_id: str = field(validator=validation.identifier)
    learner_id: str = field(validator=validation.identifier)
    reason: PlainReason = field(validator=validation.one_of(*get_args(PlainReason)))

    @property
    def code(self) -> str:
        """The code of the reason itself."""
        return self.reason.code

    def __str__(self) -> str:
        return f"Learner {self.learner_id!r}, course {self.course_id!r}: {self.reason}"


#: Why something was refused; a closed union, to be matched on.
Reason: TypeAlias = PlainReason | ForAssignment

__all__ = [
    "AlreadyAssigned",
    "AlreadyCancelled",
    "AlreadyCompleted",
    "AlreadyRedeemed",
    "AssignmentExpired",
    "AssignmentNotActive",
    "AttemptAhead",
    "AttemptNotPaused",
    "AttemptOpen",
    "AttemptPaused",
    "CancellationWindowClosed",
    "CodeTaken",
    "CourseArchived",
    "CourseNotAvailable",
    "CourseNotInSubscription",
    "CustomReason",
    "EmailTaken",
    "ExpiresTooEarly",
    "ExpiresTooLate",
    "ForAssignment",
    "KeyExhausted",
    "KeyExpired",
    "KeyMistyped",
    "KeyNotFound",
    "KeyNotYetRedeemable",
    "KeyRevoked",
    "LabLaunched",
    "MaxUsesBelowUses",
    "NoAttemptOpen",
    "OrganizationNotManaged",
    "PlainReason",
    "Reason",
    "RegistrationDisabled",
    "RoleMissing",
    "SubscriptionEnded",
    "SubscriptionNotActive",
    "SupportRoleMissing",
    "WrongOrganization",
]
