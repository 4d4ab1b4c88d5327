"""Rules 6, 7, 9, 10 and 11: who may redeem a key and when, and who may register with one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import (
    Decision,
    KeyBatch,
    KeyRedemptionPolicy,
    Organization,
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
    JUNK,
    NO_INSTANTS,
    STEPS,
    check_junk,
    check_turn,
    codes,
    edges,
    elsewhere,
    moments,
)
from tests.support.strategies import US, keys, organizations, users, utc_instants
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


@attrs.frozen
class Case:
    """A key as someone presents it, and the policy that is asked."""

    policy: KeyRedemptionPolicy
    key: TrainingKey
    batch: KeyBatch
    learner: User
    at: datetime
    redeemed: Redemption | None

    def ask(self, at: datetime) -> Decision:
        return self.policy.evaluate(
            self.key, self.batch, self.learner, at=at, redeemed=self.redeemed
        )

    def expected(self) -> list[str]:
        """Say what speaks against, from the sentences of the rules alone."""
        start, end = self.batch.redeemable_from, self.batch.redeemable_until
        against = {
            "key_revoked": self.key.revoked_at is not None,
            "key_not_yet_redeemable": start is not None and self.at < start,
            "key_expired": end is not None and not self.at < end,
            "key_exhausted": self.key.uses == self.key.max_uses,
            "wrong_organization": not self.batch.any_organization
            and self.learner.organization_id != self.batch.organization_id,
            "already_redeemed": self.policy.once_per_learner and self.redeemed is not None,
        }
        return [code for code, holds in against.items() if holds]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    key, batch = draw(keys())
    learner = draw(users())
    if draw(st.booleans()):
        learner = attrs.evolve(learner, organization_id=batch.organization_id)
    if draw(st.booleans()):
        key = attrs.evolve(key, uses=0, revoked_at=None)
    earlier = redemption(learner, batch.created_at)
    return Case(
        policy=KeyRedemptionPolicy(once_per_learner=draw(st.booleans())),
        key=key,
        batch=batch,
        learner=learner,
        at=draw(moments(edges(batch, key))),
        redeemed=draw(st.sampled_from([None, None, earlier])),
    )


class TestTheDecision:
    @given(cases())
    def test_all_reasons_are_returned_in_a_fixed_order(self, case: Case) -> None:
        decision = case.ask(case.at)
        assert codes(decision) == case.expected()
        assert decision.allowed is (not case.expected())

    @given(cases())
    def test_the_answer_holds_until_it_changes_and_no_longer(self, case: Case) -> None:
        check_turn(case.ask, case.at, edges(case.batch, case.key))

    @given(cases())
    def test_the_same_time_in_another_zone_has_the_same_answer(self, case: Case) -> None:
        for other in elsewhere(case.at):
            assert case.ask(other) == case.ask(case.at)

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

    def test_the_setting_is_a_yes_or_a_no(self) -> None:
        check_junk(
            lambda junk: KeyRedemptionPolicy(once_per_learner=junk),
            "once_per_learner",
            [None, 0, 1, "yes", *JUNK],
        )


class TestRedeemFromTheLoginPage:
    """It registers a new user, only when the batch's organization allows it (rule 11)."""

    @given(organizations(), users(), st.none() | users(), utc_instants())
    def test_all_reasons_are_returned_in_a_fixed_order(
        self, organization: Organization, newcomer: User, owner: User | None, at: datetime
    ) -> None:
        allows = organization.anonymous_registration
        wanted: list[object] = [] if allows else [RegistrationDisabled()]
        wanted += [] if owner is None else [EmailTaken(newcomer.id)]

        def ask(at: datetime) -> Decision:
            return RegistrationPolicy().evaluate(organization, newcomer, at=at, email_owner=owner)

        assert list(ask(at).reasons) == wanted
        check_turn(ask, at, [])
        assert [ask(other) for other in elsewhere(at)] == [ask(at)] * 3

    def test_only_where_the_organization_allows_it(self) -> None:
        assert RegistrationPolicy().evaluate(ACME, CY, at=MADE).allowed
        refused = RegistrationPolicy().evaluate(BETA, CY, at=MADE, email_owner=ADA)
        assert refused == Decision([RegistrationDisabled(), EmailTaken("cy")])


class TestJunk:
    @pytest.mark.parametrize("name", ["key", "batch", "learner"])
    def test_what_is_no_record_is_invalid(self, name: str) -> None:
        fine: dict[str, Any] = {"key": KEY, "batch": BATCH, "learner": ADA}
        check_junk(
            lambda junk: POLICY.evaluate(**{**fine, name: junk}, at=FROM),
            name,
            [None, "Spring-2026", *JUNK],
        )

    @pytest.mark.parametrize("once", [True, False])
    def test_what_is_no_redemption_is_invalid(self, *, once: bool) -> None:
        policy = KeyRedemptionPolicy(once_per_learner=once)
        check_junk(
            lambda junk: policy.evaluate(KEY, BATCH, ADA, at=FROM, redeemed=junk),
            "redeemed",
            ["r-1", *JUNK],
        )

    @pytest.mark.parametrize("name", ["organization", "newcomer", "email_owner"])
    def test_what_is_no_organization_and_no_user_is_invalid(self, name: str) -> None:
        fine: dict[str, Any] = {"organization": ACME, "newcomer": CY}
        check_junk(
            lambda junk: RegistrationPolicy().evaluate(**{**fine, name: junk}, at=MADE),
            name,
            ["acme", *JUNK],
        )

    def test_only_an_aware_datetime_is_valid(self) -> None:
        check_junk(lambda junk: POLICY.evaluate(KEY, BATCH, ADA, at=junk), "at", NO_INSTANTS)
        check_junk(lambda junk: RegistrationPolicy().evaluate(ACME, CY, at=junk), "at", NO_INSTANTS)
