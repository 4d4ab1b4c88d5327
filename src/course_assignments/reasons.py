"""Reasons for a refusal: frozen values with a stable code, their facts, and a sentence for people.

No sentence shows the code of a key. To add a reason, write its class, list it in `PlainReason` and
test its sentence.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Final, Literal, TypeAlias, TypeVar, dataclass_transform, get_args

import attrs
from attrs import field, frozen, validators

from course_assignments.entities.enums import ExpirationLimit, Role
from course_assignments.errors import format_list, invalid, is_a, plain, printable, to_words
from course_assignments.time.datetimes import format_datetime, format_datetime_up
from course_assignments.validation import (
    count,
    flag,
    identifier,
    items_of,
    keep,
    one_of,
    to_strings,
    to_tuple,
    to_utc,
)

#: The metadata of a datetime that a sentence must not show earlier than it is.
ROUND_UP: Final = {"round_up": True}


@frozen(eq=False)
class Variants:
    """The sentences of one reason, selected by the value of a field.

    For a tuple, the length is the value. A case for 1 and *other* are the singular and the plural
    of a translation.
    """

    field: str
    cases: Mapping[object, str]
    other: "str | Variants"

    def select(self, reason: object) -> str:
        """Return the sentence for the facts of *reason*."""
        value = getattr(reason, self.field)
        found = self.cases.get(len(value) if value.__class__ is tuple else value, self.other)
        return found.select(reason) if isinstance(found, Variants) else found

    @property
    def sentences(self) -> tuple[str, ...]:
        """All sentences."""
        others = self.other.sentences if isinstance(self.other, Variants) else (self.other,)
        return (*self.cases.values(), *others)


def format_fact(value: Any, *, round_up: bool = False) -> str:
    """Format *value* for a sentence; ids are quoted, enum members and lists are not."""
    match value:
        case datetime():
            return format_datetime_up(value) if round_up else format_datetime(value)
        case Enum():
            return str(value.value).replace("_", " ")
        case str():
            return repr(value)
        case tuple():
            items: list[Any] = [*value]
            words = [format_fact(one) if isinstance(one, Enum) else str(one) for one in items]
            return printable(format_list(words))
        case _:
            return str(value)


@frozen
class _Sentence:
    """A value with a template as its string; the placeholders are its fields."""

    #: Whole sentences, so that they can be translated.
    sentence: ClassVar[str | Variants]

    def __str__(self) -> str:
        template = self.sentence
        if isinstance(template, Variants):
            template = template.select(self)
        facts = {
            one.name: format_fact(getattr(self, one.name), **one.metadata)
            for one in attrs.fields(type(self))
        }
        return re.sub(r"\{(\w+)\}", lambda placeholder: facts[placeholder[1]], template)


class _Reason(_Sentence):
    """A reason of this library."""

    __slots__ = ()

    code: ClassVar[Any]


ReasonT = TypeVar("ReasonT", bound=_Reason)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def reason(
    sentence: str, **variants: Mapping[object, str]
) -> Callable[[type[ReasonT]], type[ReasonT]]:
    """Declare a frozen reason, whose code is the name of its class.

    Name a field and some of its values to state *variants* of the sentence; the last one counts.
    """

    def declare(kind: type[ReasonT]) -> type[ReasonT]:
        kind.code = to_words(kind.__name__).replace(" ", "_")
        kind.sentence = sentence
        for name, cases in variants.items():
            kind.sentence = Variants(name, cases, kind.sentence)
        return frozen(kind)

    return declare


@reason(
    "Cancellation was possible until {closed_at}. "
    "Support can still cancel it if no lab was launched."
)
class CancellationWindowClosed(_Reason):
    """The cancellation window of the assignment is over (rule 3)."""

    code: ClassVar[Literal["cancellation_window_closed"]]
    closed_at: datetime = field(converter=to_utc)


@reason("A lab was launched on {launched_at}, so cancellation is no longer possible.")
class LabLaunched(_Reason):
    """A lab was launched, so the assignment can never be cancelled (rule 3)."""

    code: ClassVar[Literal["lab_launched"]]
    launched_at: datetime = field(converter=to_utc)


@reason("Already cancelled on {cancelled_at}. Create a new one instead.")
class AlreadyCancelled(_Reason):
    """The assignment or the subscription is cancelled."""

    code: ClassVar[Literal["already_cancelled"]]
    cancelled_at: datetime = field(converter=to_utc)


@reason("Already completed on {completed_at}. There is nothing left to do.")
class AlreadyCompleted(_Reason):
    """The assignment is completed (rule 5)."""

    code: ClassVar[Literal["already_completed"]]
    completed_at: datetime = field(converter=to_utc)


@reason("The assignment is not active before {created_at}. Try again then.")
class AssignmentNotActive(_Reason):
    """The decision is for a time before the assignment was created."""

    code: ClassVar[Literal["assignment_not_active"]]
    created_at: datetime = field(converter=to_utc, metadata=ROUND_UP)


@reason("Access ended on {expired_at}. Ask for an extension or a new assignment.")
class AssignmentExpired(_Reason):
    """Access under the assignment has ended (rule 5)."""

    code: ClassVar[Literal["assignment_expired"]]
    expired_at: datetime = field(converter=to_utc)


@reason("An attempt of this activity is still open. Continue or finish it first.")
class AttemptOpen(_Reason):
    """An attempt of the activity is open, and only one may be open at a time (rule 5)."""

    code: ClassVar[Literal["attempt_open"]]
    attempt_id: str = field(validator=identifier)


@reason("The attempt was finished on {finished_at}. Start the activity again.")
class NoAttemptOpen(_Reason):
    """The attempt is finished (rule 5)."""

    code: ClassVar[Literal["no_attempt_open"]]
    finished_at: datetime = field(converter=to_utc)


@reason("The attempt has been paused since {paused_at}. Resume or finish it.")
class AttemptPaused(_Reason):
    """The attempt is already paused (rule 5)."""

    code: ClassVar[Literal["attempt_paused"]]
    paused_at: datetime = field(converter=to_utc)


@reason("The attempt is not paused, so there is nothing to resume.")
class AttemptNotPaused(_Reason):
    """The attempt is not paused, so it can't be resumed (rule 5)."""

    code: ClassVar[Literal["attempt_not_paused"]]


@reason(
    "The attempt was paused {maximum} times, the maximum. Finish it and start the activity again."
)
class PausesUsedUp(_Reason):
    """The attempt has as many pauses as it may have."""

    code: ClassVar[Literal["pauses_used_up"]]
    maximum: int = field(validator=count(1))


@reason("The assignment has {maximum} notes, the maximum. Keep further notes elsewhere.")
class NotesUsedUp(_Reason):
    """The assignment has as many notes as it may have."""

    code: ClassVar[Literal["notes_used_up"]]
    maximum: int = field(validator=count(1))


@reason("The attempt was changed later, on {changed_at}. Try again then, or check the clock.")
class AttemptAhead(_Reason):
    """The decision is for a time before the last recorded change of the attempt (rule 5)."""

    code: ClassVar[Literal["attempt_ahead"]]
    changed_at: datetime = field(converter=to_utc, metadata=ROUND_UP)


@reason(
    "Course {course_id} is not part of the subscription. "
    "Choose another course, or ask for this one to be added."
)
class CourseNotInSubscription(_Reason):
    """The subscription does not include the course (rule 19)."""

    code: ClassVar[Literal["course_not_in_subscription"]]
    course_id: str = field(validator=identifier)


@reason("The subscription is not active before {created_at}. Try again then.")
class SubscriptionNotActive(_Reason):
    """The decision is for a time before the subscription was created (rule 19)."""

    code: ClassVar[Literal["subscription_not_active"]]
    created_at: datetime = field(converter=to_utc, metadata=ROUND_UP)


@reason("The subscription ended on {ended_at}. Ask for a new one.")
class SubscriptionEnded(_Reason):
    """The subscription has ended or was cancelled (rule 19)."""

    code: ClassVar[Literal["subscription_ended"]]
    ended_at: datetime = field(converter=to_utc)


@reason(
    "Access is possible until {latest}. Choose an earlier end.",
    limited_by={
        ExpirationLimit.COURSE: "The course allows access until {latest}. Choose an earlier end.",
        ExpirationLimit.ORGANIZATION: (
            "The organization allows access until {latest}. Choose an earlier end."
        ),
        ExpirationLimit.SUBSCRIPTION: "The subscription ends on {latest}. Choose an earlier end.",
    },
    passed={True: "Access was possible until {latest} at most. Only support can extend it."},
)
class ExpiresTooLate(_Reason):
    """The requested end is later than the limits allow (rules 1 and 2).

    Attributes:
        passed: Whether the latest end is in the past, so that no end is possible.
    """

    code: ClassVar[Literal["expires_too_late"]]
    latest: datetime = field(converter=to_utc)
    limited_by: ExpirationLimit = field(validator=one_of(ExpirationLimit))
    passed: bool = field(default=False, validator=flag)


@reason("Access can't end before {earliest}. Choose a later end.")
class ExpiresTooEarly(_Reason):
    """The requested end is too early (rule 2)."""

    code: ClassVar[Literal["expires_too_early"]]
    earliest: datetime = field(converter=to_utc, metadata=ROUND_UP)


@reason("Course {course_id} is not available yet. Add what is missing: {missing}.")
class CourseNotAvailable(_Reason):
    """The course is not fully set up for training (rule 22)."""

    code: ClassVar[Literal["course_not_available"]]
    course_id: str = field(validator=identifier)
    missing: tuple[str, ...] = field(converter=to_strings, validator=items_of(str))


@reason("Course {course_id} is archived. Choose another course.")
class CourseArchived(_Reason):
    """The course is archived, so new assignments are refused (rule 22)."""

    code: ClassVar[Literal["course_archived"]]
    course_id: str = field(validator=identifier)


@reason(
    "The learner already has assignment {assignment_id} of this course until {expires_at}. "
    "Use that assignment."
)
class AlreadyAssigned(_Reason):
    """The learner has an active assignment of the course (rule 15)."""

    code: ClassVar[Literal["already_assigned"]]
    assignment_id: str = field(validator=identifier)
    expires_at: datetime = field(converter=to_utc)


@reason("This key doesn't exist. Compare it with the key that you received.")
class KeyNotFound(_Reason):
    """No key has this code (rule 12)."""

    code: ClassVar[Literal["key_not_found"]]


@reason(
    "The key contains a typo. Compare it with the key that you received, character by character."
)
class KeyMistyped(_Reason):
    """No key has this code, which is nearly a generated one (rule 12)."""

    code: ClassVar[Literal["key_mistyped"]]


@reason("The key was revoked on {revoked_at}. Ask for a new one.")
class KeyRevoked(_Reason):
    """The key was revoked."""

    code: ClassVar[Literal["key_revoked"]]
    revoked_at: datetime = field(converter=to_utc)


@reason("The key can be redeemed from {redeemable_from}. Try again then.")
class KeyNotYetRedeemable(_Reason):
    """The redemption window of the key has not begun (rule 7)."""

    code: ClassVar[Literal["key_not_yet_redeemable"]]
    redeemable_from: datetime = field(converter=to_utc, metadata=ROUND_UP)


@reason("The key expired on {redeemable_until}. Ask for a new one.")
class KeyExpired(_Reason):
    """The redemption window of the key is over (rule 7)."""

    code: ClassVar[Literal["key_expired"]]
    redeemable_until: datetime = field(converter=to_utc)


@reason(
    "All {max_uses} uses of the key are taken. Ask for another key.",
    max_uses={1: "The one use of the key is taken. Ask for another key."},
)
class KeyExhausted(_Reason):
    """The key has no uses left (rule 6)."""

    code: ClassVar[Literal["key_exhausted"]]
    max_uses: int = field(validator=count(1))


@reason("This key is reserved for another organization. Ask your organization for a key.")
class WrongOrganization(_Reason):
    """The key is reserved for learners of another organization (rule 9)."""

    code: ClassVar[Literal["wrong_organization"]]


@reason(
    "This key was already redeemed on {redeemed_at} for assignment {assignment_id}. "
    "Use that assignment."
)
class AlreadyRedeemed(_Reason):
    """The learner has redeemed this key before (rule 10)."""

    code: ClassVar[Literal["already_redeemed"]]
    assignment_id: str = field(validator=identifier)
    redeemed_at: datetime = field(converter=to_utc)


@reason(
    "You can't register as a member of organization {organization_id}. "
    "Leave the organization out, or sign in with your account.",
    organization_id={
        None: "You can't register with this key. Sign in with your account to redeem it."
    },
)
class RegistrationDisabled(_Reason):
    """An organization does not allow registration (rule 11).

    ``organization_id`` is the organization that the newcomer named, ``None`` that of the key.
    """

    code: ClassVar[Literal["registration_disabled"]]
    organization_id: str | None = field(default=None, validator=validators.optional(identifier))


@reason(
    "User {user_id} has the e-mail address of user {owner_id}. "
    "Use {owner_id} in place of {user_id}, or correct the address.",
    owner_id={
        None: (
            "The e-mail address of {user_id} already belongs to an account. "
            "Sign in with that account, or use another address."
        )
    },
)
class EmailTaken(_Reason):
    """A user with this e-mail address exists, ignoring case (rule 11).

    Attributes:
        owner_id: That user, if an administrator asked; a newcomer must not learn it.
    """

    code: ClassVar[Literal["email_taken"]]
    user_id: str = field(validator=identifier)
    owner_id: str | None = field(default=None, validator=validators.optional(identifier))


@reason(
    "You need one of these roles: {any_of}. Ask someone who has one.",
    any_of={
        0: "No role allows this. Ask whoever configures this system.",
        1: "You need this role: {any_of}. Ask someone who has it.",
    },
)
class RoleMissing(_Reason):
    """The actor has none of the required roles (rule 21)."""

    code: ClassVar[Literal["role_missing"]]
    any_of: tuple[Role, ...] = field(converter=to_tuple[Role], validator=items_of(Role))


@reason(
    "You don't have the roles {roles}, so you can't give or change them. Ask who has them.",
    roles={1: "You don't have the role {roles}, so you can't give or change it. Ask who has it."},
)
class RoleNotHeld(_Reason):
    """The actor does not have all roles of the user to add or to change (rule 21)."""

    code: ClassVar[Literal["role_not_held"]]
    roles: tuple[Role, ...] = field(converter=to_tuple[Role], validator=items_of(Role))


@reason("Only support can do this. Ask support.")
class SupportRoleMissing(_Reason):
    """The actor is not support (rule 4)."""

    code: ClassVar[Literal["support_role_missing"]]


@reason(
    "You don't manage organization {organization_id}. Ask someone who does.",
    organization_id={
        None: (
            "The user has no organization, so nobody manages them. "
            "Add the user to an organization first."
        )
    },
)
class OrganizationNotManaged(_Reason):
    """The actor does not manage the organization (rule 21)."""

    code: ClassVar[Literal["organization_not_managed"]]
    organization_id: str | None = field(validator=validators.optional(identifier))


@reason(
    "Other keys already have the codes in lines {lines}. Remove those lines.",
    lines={1: "Another key already has the code in line {lines}. Remove that line."},
)
class CodeTaken(_Reason):
    """Other keys have these custom codes; the lines count from 1 (rule 12)."""

    code: ClassVar[Literal["code_taken"]]
    lines: tuple[int, ...] = field(converter=to_tuple[int], validator=items_of(int))


@reason(
    "A key was already used {uses} times. Allow at least {uses} uses.",
    uses={1: "A key was already used once. Allow at least 1 use."},
)
class MaxUsesBelowUses(_Reason):
    """A key of the batch already has more uses than the new maximum (rule 20)."""

    code: ClassVar[Literal["max_uses_below_uses"]]
    uses: int = field(validator=count(1))


def _custom_code(reason: object, at: "attrs.Attribute[Any]", value: Any) -> None:
    code = plain(value)
    if not is_a(code, str) or not code.startswith("x-"):
        raise invalid("invalid_code", at.name, "expected a code that starts with x-", value)
    keep(reason, at, code)


def _one_line(reason: object, at: "attrs.Attribute[Any]", value: Any) -> None:
    line = plain(value)
    if not is_a(line, str) or not line.strip() or not line.isprintable():
        raise invalid("not_a_text", at.name, "expected a sentence on one line", value)
    keep(reason, at, line)


@frozen(init=False)
class CustomReason:
    """A reason of your own policy.

    The code is any string that starts with ``x-``. Its type is a single literal because mypy and
    pyright narrow a union by ``code`` only if each member has a literal.

    >>> print(CustomReason("x-unpaid", "The invoice of May is open."))
    The invoice of May is open.
    """

    code: Literal["x-..."] = field(validator=_custom_code)
    sentence: str = field(validator=_one_line)

    def __init__(self, code: str, sentence: str) -> None:
        """Accept any *code* that starts with ``x-``, also for type checkers."""
        self.__attrs_init__(code, sentence)  # type: ignore[arg-type]  # attrs writes it

    def __str__(self) -> str:
        return self.sentence


#: Every reason except `ForAssignment`.
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
    | PausesUsedUp
    | NotesUsedUp
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
    | RoleNotHeld
    | SupportRoleMissing
    | OrganizationNotManaged
    | CodeTaken
    | MaxUsesBelowUses
    | CustomReason
)


@frozen
class ForAssignment(_Sentence):
    """A reason against one of several assignments (rule 14).

    It has the code and the fields of the reason that it holds.

    >>> reason = ForAssignment("py", "ada", CourseNotAvailable("py", ("publishing group",)))
    >>> reason.code, reason.missing
    ('course_not_available', ('publishing group',))
    """

    sentence: ClassVar[str | Variants] = "Learner {learner_id}, course {course_id}: {reason}"
    course_id: str = field(validator=identifier)
    learner_id: str = field(validator=identifier)
    reason: PlainReason = field(validator=one_of(*get_args(PlainReason)))

    @property
    def code(self) -> Literal["code of the reason"]:
        """The code of the reason."""
        return self.reason.code  # type: ignore[return-value]  # a literal, as of `CustomReason`

    # Type checkers expect these fields after `if reason.code == ...`.
    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):  # Python asks for optional methods, such as __deepcopy__
            raise AttributeError(name)
        return getattr(self.reason, name)


#: Why something was refused: a closed union, so you can match on it.
Reason: TypeAlias = PlainReason | ForAssignment
