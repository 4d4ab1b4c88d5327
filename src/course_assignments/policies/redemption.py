"""May a learner redeem a key? Rules 6, 7, 9 and 10."""

from datetime import datetime
from typing import Protocol

from attrs import field

from course_assignments import reasons, validation
from course_assignments.decisions import YES, Decision
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.frozen import frozen
from course_assignments.time.datetimes import as_utc


class KeyRedemptionRule(Protocol):
    """Protocol for a custom `KeyRedemptionPolicy`."""

    def evaluate(
        self,
        key: TrainingKey,
        batch: KeyBatch,
        learner: User,
        /,
        *,
        at: datetime,
        redeemed: Redemption | None = None,
    ) -> Decision: ...


@frozen
class KeyRedemptionPolicy:
    """Require a valid key with a use left, for the learner's organization (rules 6, 7, 9 and 10).

    Attributes:
        once_per_learner: Whether a learner may use each key only once, unless the use was restored.
        match_case: Whether a custom code must be typed in its case (rule 12).

    >>> KeyRedemptionPolicy(once_per_learner=False).once_per_learner
    False
    """

    once_per_learner: bool = field(default=True, validator=validation.flag)
    match_case: bool = field(default=False, validator=validation.flag)

    def evaluate(
        self,
        key: TrainingKey,
        batch: KeyBatch,
        learner: User,
        *,
        at: datetime,
        redeemed: Redemption | None = None,
    ) -> Decision:
        """Decide whether *learner* may redeem *key* of *batch* at *at*.

        *redeemed* is the learner's redemption of this key whose use was not restored, if any.
        """
        validation.check_kind(key, "key", TrainingKey)
        validation.check_kind(batch, "batch", KeyBatch)
        validation.check_kind(learner, "learner", User)
        if redeemed is not None:
            validation.check_kind(redeemed, "redeemed", Redemption)
        now, start, end = as_utc(at), batch.redeemable_from, batch.redeemable_until
        found: list[reasons.Reason] = []
        if key.revoked_at is not None:
            found.append(reasons.KeyRevoked(key.revoked_at))
        # before its start a key is "not yet" redeemable, not "expired"
        if start is not None and now < start:
            found.append(reasons.KeyNotYetRedeemable(start))
        # "the date when keys can no longer be redeemed": not from then on
        if end is not None and end <= now:
            found.append(reasons.KeyExpired(end))
        # "blank or 1"
        if key.uses >= key.max_uses:
            found.append(reasons.KeyExhausted(key.max_uses))
        # not "redeemable by any student regardless of organization": only the batch's organization
        if not batch.any_organization and learner.organization_id != batch.organization_id:
            found.append(reasons.WrongOrganization())
        # a learner may not redeem a key with several uses twice
        if self.once_per_learner and redeemed is not None:
            found.append(reasons.AlreadyRedeemed(redeemed.assignment_id, redeemed.redeemed_at))
        match found:
            case []:
                return YES if end is None else Decision((), end)
            case [reasons.KeyNotYetRedeemable()]:  # the only reason that time removes
                return Decision(found, start)
            case _:
                return Decision(found)
