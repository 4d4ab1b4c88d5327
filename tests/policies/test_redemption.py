"""Rules 6, 7, 9, 10 and 11: who may redeem a key and when, and who may register with one."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from course_assignments import (
    Decision,
    KeyBatch,
    KeyRedemptionPolicy,
    Redemption,
    RegistrationPolicy,
    TrainingKey,
    User,
)
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
from tests.support.rules import (
    STEPS,
)
from tests.support.strategies import US
from tests.support.world import ACME, ADA, BETA, BO, CY

MADE = datetime(2026, 1, 5, 9, tzinfo=UTC)
DAY = timedelta(days=1)
FROM, UNTIL = MADE + DAY, MADE + 30 * DAY
BATCH = KeyBatch(
    id="spring",
    name="Spring",
    course_id="py",
    organization_id="acme",
    created_at=MADE,
    redeemable_from=FROM,
    redeemable_until=UNTIL,
    max_uses=3,
    availability=30 * DAY,
    size=1,
)
KEY = TrainingKey(id="k-1", code="Spring-2026", batch_id="spring", max_uses=3)
POLICY = KeyRedemptionPolicy()


def redemption(learner: User, at: datetime) -> Redemption:
    return Redemption(
        id="r-1",
        key_id=KEY.id,
        batch_id="spring",
        learner_id=learner.id,
        assignment_id="a-1",
        redeemed_at=at,
    )


class TestTheDecision:
    def test_everything_at_once_before_the_window_and_after_it(self) -> None:
        key = attrs.evolve(KEY, uses=3, revoked_at=MADE)
        redeemed = redemption(BO, MADE)
        for_good = (KeyExhausted(3), WrongOrganization(), AlreadyRedeemed("a-1", MADE))
        for at, in_time in (
            (FROM - US, KeyNotYetRedeemable(FROM)),
            (UNTIL, KeyExpired(UNTIL)),
        ):
            decision = POLICY.evaluate(key, BATCH, BO, at=at, redeemed=redeemed)
            assert decision == Decision((KeyRevoked(MADE), in_time, *for_good))


class TestMaxUsesIsBlankOrOne:
    """Max uses is "blank or 1" by default, never unlimited (rule 6)."""

    def test_a_key_that_does_not_say_has_one_use(self) -> None:
        said = attrs.asdict(BATCH)
        del said["max_uses"]
        batch = KeyBatch(**said)
        fresh = TrainingKey(id="k-1", code=KEY.code, batch_id="spring")
        assert (batch.max_uses, fresh.remaining_uses) == (1, 1)
        used = attrs.evolve(fresh, uses=1)
        assert POLICY.evaluate(fresh, batch, ADA, at=FROM).allowed
        assert POLICY.evaluate(used, batch, ADA, at=FROM) == Decision([KeyExhausted(1)])

    @pytest.mark.parametrize(("uses", "allowed"), [(0, True), (2, True), (3, False)])
    def test_the_last_use_is_a_use(self, uses: int, *, allowed: bool) -> None:
        key = attrs.evolve(KEY, uses=uses)
        assert POLICY.evaluate(key, BATCH, ADA, at=FROM).allowed is allowed


class TestTheDateWhenKeysCanNoLongerBeRedeemed:
    """Unredeemed Key Expiration: "the date when keys can no longer be redeemed" (rule 7)."""

    @pytest.mark.parametrize("step", STEPS)
    def test_not_from_that_time_on(self, step: timedelta) -> None:
        decision = POLICY.evaluate(KEY, BATCH, ADA, at=UNTIL + step)
        if step < timedelta(0):
            assert decision == Decision((), UNTIL)
        else:
            assert decision == Decision([KeyExpired(UNTIL)])

    @pytest.mark.parametrize("step", STEPS)
    def test_before_its_start_it_is_not_yet_and_not_expired(self, step: timedelta) -> None:
        decision = POLICY.evaluate(KEY, BATCH, ADA, at=FROM + step)
        if step < timedelta(0):
            assert decision == Decision([KeyNotYetRedeemable(FROM)], FROM)
        else:
            assert decision == Decision((), UNTIL)

    @pytest.mark.parametrize("years", [0, 7000])
    def test_without_a_date_there_is_no_end(self, years: int) -> None:
        open_end = attrs.evolve(BATCH, redeemable_from=None, redeemable_until=None)
        at = MADE.replace(year=MADE.year + years)
        assert POLICY.evaluate(KEY, open_end, ADA, at=at) == Decision()
        assert POLICY.evaluate(KEY, open_end, ADA, at=MADE - 9999 * DAY) == Decision()

    def test_a_revoked_key_is_always_refused(self) -> None:
        revoked = attrs.evolve(KEY, revoked_at=FROM + DAY)
        for at in (FROM, FROM + DAY - US, FROM + DAY, UNTIL - US):
            assert POLICY.evaluate(revoked, BATCH, ADA, at=at) == Decision([KeyRevoked(FROM + DAY)])


class TestRedeemableByAnyStudentRegardlessOfOrganization:
    """Unticked, the learner's organization must be the batch's, exactly (rule 9)."""

    CHILD = User(id="di", name="Di", email="di@example.org", organization_id="acme-child")

    @pytest.mark.parametrize("learner", [BO, CY, CHILD])
    def test_unticked_it_is_for_the_learners_of_the_batch_alone(self, learner: User) -> None:
        assert POLICY.evaluate(KEY, BATCH, learner, at=FROM) == Decision([WrongOrganization()])
        assert POLICY.evaluate(KEY, BATCH, ADA, at=FROM).allowed

    @pytest.mark.parametrize("learner", [ADA, BO, CY, CHILD])
    def test_ticked_it_is_for_everyone(self, learner: User) -> None:
        ticked = attrs.evolve(BATCH, any_organization=True)
        assert POLICY.evaluate(KEY, ticked, learner, at=FROM).allowed


class TestTheSameLearnerRedeemsAMultiUseKeyTwice:
    """The same learner redeems a multi-use key twice (rule 10)."""

    @pytest.mark.parametrize("at", [FROM, UNTIL - US])
    def test_it_is_refused_and_names_the_first_assignment(self, at: datetime) -> None:
        key = attrs.evolve(KEY, uses=1)
        decision = POLICY.evaluate(key, BATCH, ADA, at=at, redeemed=redemption(ADA, FROM))
        assert decision == Decision([AlreadyRedeemed("a-1", FROM)])

    def test_a_policy_may_allow_it(self) -> None:
        twice = KeyRedemptionPolicy(once_per_learner=False)
        decision = twice.evaluate(KEY, BATCH, ADA, at=FROM, redeemed=redemption(ADA, FROM))
        assert decision.allowed

    def test_the_setting_is_the_documented_one(self) -> None:
        assert POLICY.once_per_learner is True


class TestRedeemFromTheLoginPage:
    """It registers a new user, only when the batch's organization allows it (rule 11)."""

    def test_only_where_the_organization_allows_it(self) -> None:
        assert RegistrationPolicy().evaluate(ACME, CY, at=MADE).allowed
        refused = RegistrationPolicy().evaluate(BETA, CY, at=MADE, email_owner=ADA)
        assert refused == Decision([RegistrationDisabled(), EmailTaken("cy")])
