"""May this learner redeem this key, and may a newcomer register with it? Rules 6, 7 and 9 to 11."""

from datetime import datetime

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.decisions import Decision
from course_assignments.entities.catalog import Organization
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.reasons import (
    AlreadyRedeemed,
    EmailTaken,
    KeyExhausted,
    KeyExpired,
    KeyNotYetRedeemable,
    KeyRevoked,
    Reason,
    RegistrationDisabled,
    WrongOrganization,
)
from course_assignments.time.datetimes import as_utc


@attrs.frozen
class KeyRedemptionPolicy:
    """Redeem a key that is not revoked, within its window, while a use is left (rules 6, 7, 9, 10).

    Attributes:
        once_per_learner: Whether a learner may use each key only once, unless the use was restored.

    Example:
        >>> KeyRedemptionPolicy(once_per_learner=False).once_per_learner
        False
    """

    once_per_learner: bool = field(default=True, validator=validation.flag)

    def evaluate(
        self,
        key: TrainingKey,
        batch: KeyBatch,
        learner: User,
        *,
        at: datetime,
        redeemed: Redemption | None = None,
    ) -> Decision:
        """Return whether *learner* may redeem *key* of *batch* at *at*, with every reason against.

        Args:
            key: As it is stored.
            batch: The batch of the key, whose window and organization count.
            learner: Who wants to redeem it.
            at: The aware instant asked about.
            redeemed: The learner's redemption of this key that was not restored, if there is one.

        Raises:
            InvalidInput: an argument is of the wrong kind, or *at* is naive.
        """
        validation.check_kind(key, "key", TrainingKey)
        validation.check_kind(batch, "batch", KeyBatch)
        validation.check_kind(learner, "learner", User)
        now = as_utc(at)
        start, end = batch.redeemable_from, batch.redeemable_until
        for_good: list[Reason] = []
        in_time: list[Reason] = []
        turns_at = end
        if key.revoked_at is not None:
            for_good.append(KeyRevoked(key.revoked_at))
        # before its start it is "not yet", not "expired"
        if start is not None and now < start:
            in_time.append(KeyNotYetRedeemable(start))
            turns_at = start
        # "the date when keys can no longer be redeemed": not from that instant on
        if end is not None and end <= now:
            in_time.append(KeyExpired(end))
            turns_at = None
        spent = self._spent(key, batch, learner, redeemed)
        return Decision((*for_good, *in_time, *spent), None if for_good or spent else turns_at)

    def _spent(
        self, key: TrainingKey, batch: KeyBatch, learner: User, redeemed: Redemption | None
    ) -> list[Reason]:
        """Return the reasons that have nothing to do with time."""
        reasons: list[Reason] = []
        if key.uses >= key.max_uses:
            reasons.append(KeyExhausted(key.max_uses))
        # "redeemable by any student regardless of organization", unticked: exactly the batch's own
        if not batch.any_organization and learner.organization_id != batch.organization_id:
            reasons.append(WrongOrganization())
        if redeemed is not None:
            validation.check_kind(redeemed, "redeemed", Redemption)
        if self.once_per_learner and redeemed is not None:
            reasons.append(AlreadyRedeemed(redeemed.assignment_id, redeemed.redeemed_at))
        return reasons


@attrs.frozen
class RegistrationPolicy:
    """Register a newcomer with a key if its organization allows it (rule 11).

    Example:
        >>> RegistrationPolicy()
        RegistrationPolicy()
    """

    def evaluate(
        self,
        organization: Organization,
        newcomer: User,
        *,
        at: datetime,
        holder: User | None = None,
    ) -> Decision:
        """Return whether *newcomer* may register with a key of *organization*, at whatever instant.

        Args:
            organization: The one of the key's batch.
            newcomer: Who wants to register.
            at: The aware instant asked about.
            holder: The user who has the newcomer's e-mail address already, if there is one.

        Raises:
            InvalidInput: an argument is of the wrong kind, or *at* is naive.
        """
        as_utc(at)
        validation.check_kind(organization, "organization", Organization)
        validation.check_kind(newcomer, "newcomer", User)
        if holder is not None:
            validation.check_kind(holder, "holder", User)
        reasons: list[Reason] = []
        if not organization.anonymous_registration:
            reasons.append(RegistrationDisabled())
        if holder is not None:
            reasons.append(EmailTaken(newcomer.id))
        return Decision(tuple(reasons))
