"""Rules 6, 7, 9, 10 and 11: who may redeem a key and when, and who may register with one."""

from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest

import course_assignments as ca
from course_assignments.reasons import (
    AlreadyRedeemed,
    EmailTaken,
    KeyExhausted,
    KeyExpired,
    KeyNotYetRedeemable,
    KeyRevoked,
    RegistrationDisabled,
    WrongOrganization,
)
from tests.support.acts import BATCH as SPRING
from tests.support.acts import KEY as USED_KEY
from tests.support.acts import REDEMPTION
from tests.support.rules import STEPS
from tests.support.strategies import US
from tests.support.world import ACME, ADA, BETA, BO, CY
from tests.support.world import START as MADE

DAY = timedelta(days=1)
FROM, UNTIL = MADE + DAY, MADE + 30 * DAY
BATCH = attrs.evolve(SPRING, redeemable_from=FROM, redeemable_until=UNTIL)
KEY = attrs.evolve(USED_KEY, uses=0)
POLICY = ca.KeyRedemptionPolicy()


REDEEMED = attrs.evolve(REDEMPTION, learner_id="ada", assignment_id="a-1", redeemed_at=FROM)


def test_all_reasons_are_returned_before_the_window_and_after_it() -> None:
    key = attrs.evolve(KEY, uses=3, revoked_at=MADE)
    others = (KeyExhausted(3), WrongOrganization(), AlreadyRedeemed("a-1", FROM))
    for at, outside in ((FROM - US, KeyNotYetRedeemable(FROM)), (UNTIL, KeyExpired(UNTIL))):
        decision = POLICY.evaluate(key, BATCH, BO, at=at, redeemed=REDEEMED)
        assert decision == ca.Decision((KeyRevoked(MADE), outside, *others))


class TestMaxUses:
    """Max uses is "blank or 1" by default, never unlimited (rule 6)."""

    def test_a_key_has_one_use_by_default(self) -> None:
        said = attrs.asdict(BATCH)
        del said["max_uses"]
        batch = ca.KeyBatch(**said)
        fresh = ca.TrainingKey(id="k-1", code=KEY.code, batch_id="spring")
        assert (batch.max_uses, fresh.remaining_uses) == (1, 1)
        used = attrs.evolve(fresh, uses=1)
        assert POLICY.evaluate(fresh, batch, ADA, at=FROM).allowed
        assert POLICY.evaluate(used, batch, ADA, at=FROM) == ca.Decision([KeyExhausted(1)])

    @pytest.mark.parametrize(("uses", "allowed"), [(0, True), (2, True), (3, False)])
    def test_the_last_use_is_a_use(self, uses: int, *, allowed: bool) -> None:
        key = attrs.evolve(KEY, uses=uses)
        assert POLICY.evaluate(key, BATCH, ADA, at=FROM).allowed is allowed


class TestWindow:
    """Unredeemed Key Expiration: "the date when keys can no longer be redeemed" (rule 7)."""

    @pytest.mark.parametrize("step", STEPS)
    def test_a_key_is_redeemable_from_its_start_until_just_before_its_end(
        self, step: timedelta
    ) -> None:
        at_start, at_end = (POLICY.evaluate(KEY, BATCH, ADA, at=at + step) for at in (FROM, UNTIL))
        if step < timedelta(0):
            assert at_start == ca.Decision([KeyNotYetRedeemable(FROM)], FROM)
            assert at_end == ca.Decision((), UNTIL)
        else:
            assert at_start == ca.Decision((), UNTIL)
            assert at_end == ca.Decision([KeyExpired(UNTIL)])

    @pytest.mark.parametrize("years", [0, 7000])
    def test_without_a_date_there_is_no_end(self, years: int) -> None:
        open_end = attrs.evolve(BATCH, redeemable_from=None, redeemable_until=None)
        at = MADE.replace(year=MADE.year + years)
        assert POLICY.evaluate(KEY, open_end, ADA, at=at) == ca.Decision()
        assert POLICY.evaluate(KEY, open_end, ADA, at=MADE - 9999 * DAY) == ca.Decision()

    def test_a_revoked_key_is_always_refused(self) -> None:
        revoked = attrs.evolve(KEY, revoked_at=FROM + DAY)
        for at in (FROM, FROM + DAY - US, FROM + DAY, UNTIL - US):
            assert POLICY.evaluate(revoked, BATCH, ADA, at=at) == ca.Decision(
                [KeyRevoked(FROM + DAY)]
            )


class TestAnyOrganization:
    """Otherwise the learner's organization must be the batch's, exactly (rule 9)."""

    CHILD = ca.User(id="di", name="Di", email="di@example.org", organization_id="acme-child")

    @pytest.mark.parametrize("learner", [BO, CY, CHILD])
    def test_without_it_a_key_is_only_for_learners_of_its_organization(
        self, learner: ca.User
    ) -> None:
        assert POLICY.evaluate(KEY, BATCH, learner, at=FROM) == ca.Decision([WrongOrganization()])
        assert POLICY.evaluate(KEY, BATCH, ADA, at=FROM).allowed

    @pytest.mark.parametrize("learner", [ADA, BO, CY, CHILD])
    def test_with_it_a_key_is_for_everyone(self, learner: ca.User) -> None:
        batch = attrs.evolve(BATCH, any_organization=True)
        assert POLICY.evaluate(KEY, batch, learner, at=FROM).allowed


class TestRedeemingTwice:
    """The same learner redeems a multi-use key twice (rule 10)."""

    @pytest.mark.parametrize("at", [FROM, UNTIL - US])
    def test_it_is_refused_and_names_the_first_assignment(self, at: datetime) -> None:
        key = attrs.evolve(KEY, uses=1)
        decision = POLICY.evaluate(key, BATCH, ADA, at=at, redeemed=REDEEMED)
        assert decision == ca.Decision([AlreadyRedeemed("a-1", FROM)])

    def test_a_policy_may_allow_it(self) -> None:
        twice = ca.KeyRedemptionPolicy(once_per_learner=False)
        decision = twice.evaluate(KEY, BATCH, ADA, at=FROM, redeemed=REDEEMED)
        assert decision.allowed
        assert POLICY.once_per_learner is True


def test_a_new_user_registers_only_if_the_organization_allows_it() -> None:
    """Rule 11."""
    assert ca.RegistrationPolicy().evaluate(ACME, CY, at=MADE).allowed
    refused = ca.RegistrationPolicy().evaluate(BETA, CY, at=MADE, email_owner=ADA)
    assert refused == ca.Decision([RegistrationDisabled(), EmailTaken("cy")])


def test_a_newcomer_may_join_another_organization_only_if_it_allows_registration_too() -> None:
    """Rule 11."""
    ask = ca.RegistrationPolicy().evaluate
    newcomer = attrs.evolve(CY, organization_id="beta")
    assert ask(ACME, newcomer, at=MADE, joined=BETA) == ca.Decision([RegistrationDisabled("beta")])
    is_open = attrs.evolve(BETA, anonymous_registration=True)
    assert ask(ACME, newcomer, at=MADE, joined=is_open).allowed
    closed = attrs.evolve(ACME, anonymous_registration=False)
    both = [RegistrationDisabled(), RegistrationDisabled("beta")]
    assert ask(closed, newcomer, at=MADE, joined=BETA) == ca.Decision(both)


@pytest.mark.parametrize("joined", [None, ACME])
def test_the_organization_that_a_newcomer_names_must_be_passed(joined: Any) -> None:
    newcomer = attrs.evolve(CY, organization_id="beta")
    with pytest.raises(ca.InvalidInput) as caught:
        ca.RegistrationPolicy().evaluate(ACME, newcomer, at=MADE, joined=joined)
    assert (caught.value.code, caught.value.field) == ("another_record", "joined")
