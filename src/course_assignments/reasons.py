"""Why something is refused: one small value per reason, with its facts as typed fields.

A ``code`` is stable and may be matched on; the sentence that ``str`` gives may change. Sentences
are for the person who was refused, and none ever shows the code of a key.
"""

from datetime import datetime
from typing import Any, ClassVar, TypeAlias

import attrs

from course_assignments.enums import ExpirationLimit, Role
from course_assignments.errors import InvalidInput, name_lines
from course_assignments.instants import show


@attrs.frozen
class CancellationWindowClosed:
    """The time in which an assignment may be cancelled has passed (rule 3)."""

    code: ClassVar = "cancellation_window_closed"
    closed_at: datetime

    def __str__(self) -> str:
        return (
            f"The time to cancel closed after {show(self.closed_at)}; support can still cancel "
            "as long as no lab was launched."
        )


@attrs.frozen
class LabLaunched:
    """A lab was launched under the assignment, which counts for good (rule 3)."""

    code: ClassVar = "lab_launched"
    launched_at: datetime

    def __str__(self) -> str:
        return f"A lab was launched at {show(self.launched_at)}, so this can't be cancelled."


@attrs.frozen
class AlreadyCancelled:
    """The assignment is cancelled."""

    code: ClassVar = "already_cancelled"
    cancelled_at: datetime

    def __str__(self) -> str:
        return f"It was cancelled at {show(self.cancelled_at)}; make a new assignment instead."


@attrs.frozen
class AlreadyCompleted:
    """The assignment is complete."""

    code: ClassVar = "already_completed"
    completed_at: datetime

    def __str__(self) -> str:
        return f"It was completed at {show(self.completed_at)}; there is nothing left to do."


@attrs.frozen
class AssignmentNotActive:
    """The instant asked about lies before the assignment's creation."""

    code: ClassVar = "assignment_not_active"
    created_at: datetime

    def __str__(self) -> str:
        return f"It is not active before {show(self.created_at)}; check the clock, or wait."


@attrs.frozen
class ExpiresTooLate:
    """The end asked for lies after the latest that is allowed (rules 1 and 2)."""

    code: ClassVar = "expires_too_late"
    latest: datetime
    limited_by: ExpirationLimit

    def __str__(self) -> str:
        return f"It can end at {show(self.latest)} at the latest ({self.limited_by.value} limit)."


@attrs.frozen
class ExpiresTooEarly:
    """The end asked for lies too early (rule 2)."""

    code: ClassVar = "expires_too_early"
    earliest: datetime

    def __str__(self) -> str:
        return f"It can't end before {show(self.earliest)}; choose a later end."


@attrs.frozen
class CourseNotAvailable:
    """The course lacks what it needs to be set up for training (rule 22)."""

    code: ClassVar = "course_not_available"
    course_id: str
    missing: tuple[str, ...]

    def __str__(self) -> str:
        return f"Course {self.course_id!r} needs a {' and a '.join(self.missing)} first."


@attrs.frozen
class CourseArchived:
    """The course is kept for what exists only (rule 22)."""

    code: ClassVar = "course_archived"
    course_id: str

    def __str__(self) -> str:
        return f"Course {self.course_id!r} is archived; choose another course."


@attrs.frozen
class AlreadyAssigned:
    """The learner has an active assignment of the course (rule 15)."""

    code: ClassVar = "already_assigned"
    assignment_id: str
    expires_at: datetime

    def __str__(self) -> str:
        return (
            f"The learner has assignment {self.assignment_id!r} of this course until "
            f"{show(self.expires_at)}; use that one."
        )


@attrs.frozen
class KeyNotFound:
    """No key has this code (rule 12)."""

    code: ClassVar = "key_not_found"

    def __str__(self) -> str:
        return "There is no such key; compare it with what you were sent."


@attrs.frozen
class KeyMistyped:
    """The check symbol of the code does not fit (rule 12)."""

    code: ClassVar = "key_mistyped"

    def __str__(self) -> str:
        return "The key has a typing error; compare it symbol by symbol with what you were sent."


@attrs.frozen
class KeyRevoked:
    """The key was called back."""

    code: ClassVar = "key_revoked"
    revoked_at: datetime

    def __str__(self) -> str:
        return f"The key was revoked at {show(self.revoked_at)}; ask for a new one."


@attrs.frozen
class KeyNotYetRedeemable:
    """The window in which the key can be redeemed has not begun (rule 7)."""

    code: ClassVar = "key_not_yet_redeemable"
    redeemable_from: datetime

    def __str__(self) -> str:
        return f"The key can be redeemed from {show(self.redeemable_from)} on; try again then."


@attrs.frozen
class KeyExpired:
    """The window in which the key could be redeemed is over (rule 7)."""

    code: ClassVar = "key_expired"
    redeemable_until: datetime

    def __str__(self) -> str:
        return f"The key expired at {show(self.redeemable_until)}; ask for a new one."


@attrs.frozen
class KeyExhausted:
    """Every use of the key is taken (rule 6)."""

    code: ClassVar = "key_exhausted"
    max_uses: int

    def __str__(self) -> str:
        uses = "its one use is" if self.max_uses == 1 else f"all its {self.max_uses} uses are"
        return f"The key is used up: {uses} taken; ask for another one."


@attrs.frozen
class WrongOrganization:
    """The key is for the learners of another organization (rule 9)."""

    code: ClassVar = "wrong_organization"

    def __str__(self) -> str:
        return "The key is for another organization; ask your own for one."


@attrs.frozen
class AlreadyRedeemed:
    """The learner has used this key before (rule 10)."""

    code: ClassVar = "already_redeemed"
    assignment_id: str
    redeemed_at: datetime

    def __str__(self) -> str:
        return (
            f"You redeemed this key at {show(self.redeemed_at)}; it made assignment "
            f"{self.assignment_id!r}."
        )


@attrs.frozen
class RegistrationDisabled:
    """The organization of the key lets nobody register with it (rule 11)."""

    code: ClassVar = "registration_disabled"

    def __str__(self) -> str:
        return "You can't register with this key; sign in with your account to redeem it."


@attrs.frozen
class EmailTaken:
    """A user with this e-mail address, compared without case, exists (rule 11)."""

    code: ClassVar = "email_taken"
    user_id: str

    def __str__(self) -> str:
        return (
            f"The e-mail address of {self.user_id!r} belongs to an account already; sign in with "
            "it, or give another address."
        )


@attrs.frozen
class RoleMissing:
    """The one who acts has none of the roles that this takes (rule 21)."""

    code: ClassVar = "role_missing"
    any_of: tuple[Role, ...]

    def __str__(self) -> str:
        names = " or ".join(role.value.replace("_", " ") for role in self.any_of)
        return f"This takes the role of {names}; ask someone who has it."


@attrs.frozen
class SupportRoleMissing:
    """The one who acts is not support (rule 4)."""

    code: ClassVar = "support_role_missing"

    def __str__(self) -> str:
        return "Only support can cancel after the window; ask support."


@attrs.frozen
class OrganizationNotManaged:
    """The one who acts does not manage the organization that this is about (rule 21)."""

    code: ClassVar = "organization_not_managed"
    organization_id: str | None

    def __str__(self) -> str:
        if self.organization_id is None:
            return "The learner has no organization, so nobody manages them; give them one first."
        return f"You do not manage organization {self.organization_id!r}; ask someone who does."


@attrs.frozen
class CodeTaken:
    """Hand-made codes that keys have already; the lines count from 1 (rule 12)."""

    code: ClassVar = "code_taken"
    lines: tuple[int, ...]

    def __str__(self) -> str:
        return f"There are keys with these codes already; take them out: {name_lines(self.lines)}."


@attrs.frozen
class MaxUsesBelowUses:
    """A key of the batch was used more often than the new maximum allows (rule 20)."""

    code: ClassVar = "max_uses_below_uses"
    uses: int

    def __str__(self) -> str:
        return f"A key was used {self.uses} times already; choose at least {self.uses}."


def _check_code(_: object, __: object, value: Any) -> None:
    if not isinstance(value, str) or not value.startswith("x-"):
        raise InvalidInput("invalid_code", "code", "a host's reason has a code such as x-unpaid")


@attrs.frozen
class HostReason:
    """A reason of the host's own policies; its code starts with ``x-``.

    Raises:
        InvalidInput: *code* does not start with ``x-``.

    Example:
        >>> print(HostReason("x-unpaid", "The invoice of May is open."))
        The invoice of May is open.
    """

    code: str = attrs.field(validator=_check_code)
    sentence: str

    def __str__(self) -> str:
        return self.sentence


#: A reason that stands on its own.
PlainReason: TypeAlias = (
    CancellationWindowClosed
    | LabLaunched
    | AlreadyCancelled
    | AlreadyCompleted
    | AssignmentNotActive
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
    | HostReason
)


@attrs.frozen
class ForPair:
    """A reason against one pair when several courses are assigned to several learners (rule 14).

    Example:
        >>> pair = ForPair("py", "ada", CourseArchived("py"))
        >>> pair.code
        'course_archived'
        >>> print(pair)
        Learner 'ada', course 'py': Course 'py' is archived; choose another course.
    """

    course_id: str
    learner_id: str
    reason: PlainReason

    @property
    def code(self) -> str:
        """The code of the reason itself."""
        return self.reason.code

    def __str__(self) -> str:
        return f"Learner {self.learner_id!r}, course {self.course_id!r}: {self.reason}"


#: Why something was refused: a closed union, to be matched on.
Reason: TypeAlias = PlainReason | ForPair
