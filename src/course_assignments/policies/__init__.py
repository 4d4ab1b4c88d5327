"""The rules: one policy for each question, and `Policies`, which has one of each.

Each module answers one question, quotes the rule, and defines its numbers as constants. Next to
each policy is a Protocol for your own policies. A policy reads no clock and no storage.
"""

from datetime import timedelta
from typing import Any, Final

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.entities.codes import MAX_CODE_LENGTH, MIN_CODE_LENGTH
from course_assignments.errors import invalid, is_a
from course_assignments.frozen import frozen
from course_assignments.policies.access import (
    AccessPolicy,
    AssignmentRule,
    AttemptPolicy,
    AttemptRule,
    CompletionPolicy,
    FinishPolicy,
)
from course_assignments.policies.authorization import AuthorizationPolicy, AuthorizationRule
from course_assignments.policies.availability import (
    CourseAvailabilityPolicy,
    CourseAvailabilityRule,
)
from course_assignments.policies.cancellation import CancellationPolicy, CancellationRule
from course_assignments.policies.expiration import (
    ExpirationPolicy,
    ExpirationRule,
    ReschedulePolicy,
    RescheduleRule,
)
from course_assignments.policies.redemption import KeyRedemptionPolicy, KeyRedemptionRule
from course_assignments.policies.registration import RegistrationPolicy, RegistrationRule
from course_assignments.policies.repetition import RepeatPolicy, RepeatRule
from course_assignments.policies.subscription import SubscriptionPolicy, SubscriptionRule


def check_policy(value: object, field: str, *needed: str) -> None:
    """Raise InvalidInput unless *value* has ``evaluate()`` and all *needed* names."""
    missing = [name for name in needed if not hasattr(value, name)]
    if is_a(value, type) or not callable(getattr(value, "evaluate", None)) or missing:
        wanted = ", ".join(("evaluate()", *needed))
        raise invalid("wrong_type", field, f"expected a policy with {wanted}", value)


def _policy(default: Any, *needed: str) -> Any:
    def check(_: object, at: "attrs.Attribute[Any]", value: object) -> None:
        check_policy(value, at.name, *needed)

    return field(default=default, validator=check)


#: How far the clocks of servers may differ, by default.
CLOCK_SKEW: Final = timedelta(seconds=2)
#: Beyond this, a clock is wrong.
MAX_CLOCK_SKEW: Final = timedelta(minutes=1)


def _skew(_: object, at: "attrs.Attribute[Any]", value: object) -> None:
    if type(value) is not timedelta or not timedelta(0) <= value <= MAX_CLOCK_SKEW:
        expected = "expected a timedelta from 0 to 1 minute"
        raise invalid("invalid_duration", at.name, expected, value)


@frozen(kw_only=True)
class Policies:
    """One policy for each question; pass your own for any of them.

    Attributes:
        clock_skew: A command whose clock is less than this before the creation or the last change
            of a record takes that moment as its time. A policy that you call yourself does not.
        minimum_code_length: The fewest characters of a new custom code, from 1 to 64 (rule 12).

    >>> policies = Policies(cancellation=CancellationPolicy(window=timedelta(days=14)))
    >>> policies.key_redemption
    KeyRedemptionPolicy(once_per_learner=True, match_case=False)
    """

    cancellation: CancellationRule = _policy(CancellationPolicy(), "restores_key_use")
    expiration: ExpirationRule = _policy(ExpirationPolicy(), "limit", "default_end")
    reschedule: RescheduleRule = _policy(ReschedulePolicy())
    completion: AssignmentRule = _policy(CompletionPolicy())
    access: AssignmentRule = _policy(AccessPolicy())
    attempt: AttemptRule = _policy(AttemptPolicy())
    finish: AssignmentRule = _policy(FinishPolicy())
    subscription: SubscriptionRule = _policy(SubscriptionPolicy())
    key_redemption: KeyRedemptionRule = _policy(KeyRedemptionPolicy())
    registration: RegistrationRule = _policy(RegistrationPolicy())
    course_availability: CourseAvailabilityRule = _policy(CourseAvailabilityPolicy())
    repeat: RepeatRule = _policy(RepeatPolicy(), "default")
    authorization: AuthorizationRule = _policy(AuthorizationPolicy())
    clock_skew: timedelta = field(default=CLOCK_SKEW, validator=_skew)
    minimum_code_length: int = field(
        default=MIN_CODE_LENGTH, validator=validation.count(1, MAX_CODE_LENGTH)
    )


#: The documented rules.
DEFAULT_POLICIES = Policies()
