"""One policy for each question, the documented ones unless a host puts in its own."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

import attrs
from attrs import field

from course_assignments.decisions import Decision
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.attempts import Attempt
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import Permission, Repeat
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Subscription
from course_assignments.errors import InvalidInput
from course_assignments.policies.access import AccessPolicy, FinishPolicy
from course_assignments.policies.attempts import AttemptPolicy
from course_assignments.policies.authorization import AuthorizationPolicy
from course_assignments.policies.availability import CourseAvailabilityPolicy
from course_assignments.policies.cancellation import CancellationPolicy
from course_assignments.policies.expiration import ExpirationPolicy, Limit
from course_assignments.policies.lifecycle import CompletionPolicy, ReschedulePolicy
from course_assignments.policies.redemption import KeyRedemptionPolicy, RegistrationPolicy
from course_assignments.policies.repetition import RepeatPolicy
from course_assignments.policies.subscription import SubscriptionPolicy


class CancellationRule(Protocol):
    """What may stand in for `CancellationPolicy`.

    About a subscription it is asked as if that were one assignment: under the subscription's id,
    which stands for the course too, and with an origin that says so.
    """

    @property
    def restores_key_use(self) -> bool:
        """Whether cancelling gives the use of the key back."""
        ...

    def evaluate(
        self, assignment: CourseAssignment, *, at: datetime, support: bool = False
    ) -> Decision:
        """Return whether *assignment* may be cancelled at *at*."""
        ...


class ExpirationRule(Protocol):
    """What may stand in for `ExpirationPolicy`."""

    def limit(
        self,
        created_at: datetime,
        *,
        course: Course | None = None,
        organization: Organization | None = None,
    ) -> Limit:
        """Return the latest end that is allowed."""
        ...

    def default_end(
        self,
        created_at: datetime,
        *,
        course: Course | None = None,
        organization: Organization | None = None,
    ) -> Limit:
        """Return the end when nothing else was asked for."""
        ...

    def evaluate(
        self,
        expires_at: datetime,
        *,
        created_at: datetime,
        course: Course | None = None,
        organization: Organization | None = None,
    ) -> Decision:
        """Return whether it may end at *expires_at*."""
        ...


class RescheduleRule(Protocol):
    """What may stand in for `ReschedulePolicy`."""

    def evaluate(
        self, assignment: CourseAssignment, *, expires_at: datetime, at: datetime
    ) -> Decision:
        """Return whether *assignment* may be made to end at *expires_at*."""
        ...


class CompletionRule(Protocol):
    """What may stand in for `CompletionPolicy`."""

    def evaluate(self, assignment: CourseAssignment, *, at: datetime) -> Decision:
        """Return whether *assignment* may be marked complete at *at*."""
        ...


class AccessRule(Protocol):
    """What may stand in for `AccessPolicy`."""

    def evaluate(self, assignment: CourseAssignment, *, at: datetime) -> Decision:
        """Return whether activities may be started, paused and resumed under *assignment*."""
        ...


class AttemptRule(Protocol):
    """What may stand in for `AttemptPolicy`."""

    def evaluate(self, attempts: Iterable[Attempt], *, at: datetime) -> Decision:
        """Return whether a learner with *attempts* may start the activity at *at*."""
        ...


class FinishRule(Protocol):
    """What may stand in for `FinishPolicy`."""

    def evaluate(self, assignment: CourseAssignment, *, at: datetime) -> Decision:
        """Return whether an open attempt under *assignment* may be finished at *at*."""
        ...


class SubscriptionRule(Protocol):
    """What may stand in for `SubscriptionPolicy`."""

    def evaluate(
        self, subscription: Subscription, *, at: datetime, course_id: str | None = None
    ) -> Decision:
        """Return whether *subscription* opens the course at *at*, or may be edited."""
        ...


class KeyRedemptionRule(Protocol):
    """What may stand in for `KeyRedemptionPolicy`."""

    @property
    def once_per_learner(self) -> bool:
        """Whether a learner may use each key only once."""
        ...

    def evaluate(
        self,
        key: TrainingKey,
        batch: KeyBatch,
        learner: User,
        *,
        at: datetime,
        redeemed: Redemption | None = None,
    ) -> Decision:
        """Return whether *learner* may redeem *key* at *at*."""
        ...


class RegistrationRule(Protocol):
    """What may stand in for `RegistrationPolicy`."""

    def evaluate(
        self,
        organization: Organization,
        newcomer: User,
        *,
        at: datetime,
        holder: User | None = None,
    ) -> Decision:
        """Return whether *newcomer* may register with a key of *organization*."""
        ...


class CourseAvailabilityRule(Protocol):
    """What may stand in for `CourseAvailabilityPolicy`."""

    def evaluate(self, course: Course, *, at: datetime) -> Decision:
        """Return whether something new may be made for *course*."""
        ...


class RepeatRule(Protocol):
    """What may stand in for `RepeatPolicy`."""

    @property
    def default(self) -> Repeat:
        """What is done when a call does not say."""
        ...

    def evaluate(self, standing: Iterable[CourseAssignment], *, at: datetime) -> Decision:
        """Return whether a learner with *standing* has no active assignment at *at*."""
        ...


class AuthorizationRule(Protocol):
    """What may stand in for `AuthorizationPolicy`."""

    def evaluate(
        self, actor: User, *, permission: Permission, organization_id: str | None, at: datetime
    ) -> Decision:
        """Return whether *actor* may do this for the organization."""
        ...


def _policy(default: Any, *needed: str) -> Any:
    """Return a field for a policy that answers with ``evaluate()`` and has all that is *needed*."""

    def check(_: object, at: "attrs.Attribute[Any]", value: object) -> None:
        lacking = [name for name in needed if not hasattr(value, name)]
        if isinstance(value, type) or not callable(getattr(value, "evaluate", None)) or lacking:
            wanted = ", ".join(("evaluate()", *needed))
            raise InvalidInput("wrong_type", at.name, f"expected a policy with {wanted}")

    return field(default=default, validator=check)


@attrs.frozen(kw_only=True)
class Policies:
    """One policy for each question; every field takes a host's own in its place.

    Example:
        >>> from datetime import timedelta
        >>> policies = Policies(cancellation=CancellationPolicy(window=timedelta(days=14)))
        >>> policies.key_redemption
        KeyRedemptionPolicy(once_per_learner=True)
    """

    cancellation: CancellationRule = _policy(CancellationPolicy(), "restores_key_use")
    expiration: ExpirationRule = _policy(ExpirationPolicy(), "limit", "default_end")
    reschedule: RescheduleRule = _policy(ReschedulePolicy())
    completion: CompletionRule = _policy(CompletionPolicy())
    access: AccessRule = _policy(AccessPolicy())
    attempt: AttemptRule = _policy(AttemptPolicy())
    finish: FinishRule = _policy(FinishPolicy())
    subscription: SubscriptionRule = _policy(SubscriptionPolicy())
    key_redemption: KeyRedemptionRule = _policy(KeyRedemptionPolicy(), "once_per_learner")
    registration: RegistrationRule = _policy(RegistrationPolicy())
    course_availability: CourseAvailabilityRule = _policy(CourseAvailabilityPolicy())
    repeat: RepeatRule = _policy(RepeatPolicy(), "default")
    authorization: AuthorizationRule = _policy(AuthorizationPolicy())


#: The documented rules.
DOCUMENTED = Policies()
