"""Assignments that exist: cancelled, rescheduled, completed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.reasons import ExpiresTooEarly, ExpiresTooLate
from tests.support.acts import ACTS, GIVEN
from tests.support.rules import counted
from tests.support.situations import codes, error, events, made_by
from tests.support.strategies import terms
from tests.support.world import ACME, PYTHON, SALES, START, SUPPORT, world

RESCHEDULE = ACTS["reschedule"]
TICK = timedelta(microseconds=1)
#: How far the clocks of servers may differ.
SKEW = timedelta(seconds=2)
DAY = timedelta(hours=24)


def with_one(**options: Any) -> tuple[ca.Registrar, ca.ManualClock]:
    """Return a small world in which Ada has assignment a-1."""
    registrar, clock = world(**options)
    registrar.add(SALES)
    registrar.assign("py", "ada", id="a-1")
    return registrar, clock


def with_key(*, restores: bool = True, uses: int = 1) -> tuple[ca.Registrar, ca.ManualClock]:
    """Return a small world in which Ada redeemed a key and got assignment a-1."""
    cancellation = ca.CancellationPolicy(restores_key_use=restores)
    registrar, clock = world(policies=ca.Policies(cancellation=cancellation))
    registrar.create_keys(
        "py",
        name="Keys",
        organization_id="acme",
        availability=timedelta(days=30),
        max_uses=uses,
        codes=["Hand-made-1"],
        id="b-1",
    )
    registrar.redeem("Hand-made-1", "ada", id="a-1")
    return registrar, clock


def key(registrar: ca.Registrar) -> ca.TrainingKey:
    return next(iter(registrar.find_all(ca.KeyQuery(code="Hand-made-1"))))


def redemptions(registrar: ca.Registrar) -> list[ca.Redemption]:
    return list(ca.find_all(registrar.repository, ca.RedemptionQuery(learner_id="ada")))


class TestCancel:
    """Only within 24 hours of creation and only if no labs have been launched."""

    @pytest.mark.parametrize("passed", [timedelta(0), TICK, DAY - TICK, DAY, DAY + TICK])
    def test_it_can_be_cancelled_for_24_hours(self, passed: timedelta) -> None:
        registrar, clock = with_one()
        clock.set(START + passed)
        before = made_by(registrar, "a-1")
        if passed > DAY:
            assert codes(registrar, "cancel", "a-1") == ["cancellation_window_closed"]
            return
        assert registrar.may_cancel("a-1").changes_at == START + DAY + TICK
        after = registrar.cancel("a-1")
        assert after == attrs.evolve(before, cancelled_at=clock())
        assert after.status_at(clock()) is ca.AssignmentStatus.CANCELLED

    def test_all_failed_conditions_are_reported(self) -> None:
        registrar, clock = with_one()
        registrar.start("a-1", "lab")
        registrar.cancel(registrar.assign("py", "ada", id="a-2").id)
        clock.advance(timedelta(days=2))
        closed = "cancellation_window_closed"
        assert codes(registrar, "cancel", "a-1") == [closed, "lab_launched"]
        assert codes(registrar, "cancel", "a-2") == ["already_cancelled", closed]

    def test_a_completed_and_an_expired_one_may_be_cancelled(self) -> None:
        registrar, clock = with_one()
        registrar.complete("a-1")
        clock.advance(timedelta(hours=1))
        registrar.reschedule("a-1", clock())
        assert registrar.cancel("a-1").completed_at == START


class TestCancelBySupport:
    """After 24 h and no labs launched, ask support: a `support` override waives the window, never
    the launched lab; it needs the SUPPORT role when an actor is given, and a reason text that is
    recorded."""

    def test_support_cancels_after_the_window_with_a_reason(self) -> None:
        registrar, clock = with_one()
        clock.advance(timedelta(days=90))
        assert registrar.may_cancel("a-1", support_reason="moved", by="support").changes_at is None
        after = registrar.cancel("a-1", support_reason="moved\naway", by="support")
        assert after.cancelled_at == clock()
        event = events(registrar)[-1]
        assert (event.by, event.details) == ("support", (("support_reason", "moved\naway"),))

    def test_a_caller_who_is_trusted_needs_no_role(self) -> None:
        registrar, clock = with_one()
        clock.advance(timedelta(days=90))
        assert registrar.cancel("a-1", support_reason="moved").cancelled_at == clock()

    def test_others_are_refused(self) -> None:
        registrar, clock = with_one()
        clock.advance(timedelta(days=2))
        for by, manages in (("manager", True), ("sales", True), ("ada", False)):
            found = codes(registrar, "cancel", "a-1", support_reason="moved", by=by)
            wanted = [] if manages else ["organization_not_managed"]
            assert found == ["support_role_missing", *wanted]

    def test_support_acts_only_for_the_organizations_that_they_manage(self) -> None:
        registrar, _ = with_one()
        registrar.update(attrs.evolve(SUPPORT, managed_organization_ids=["beta"]))
        found = codes(registrar, "cancel", "a-1", support_reason="moved", by="support")
        assert found == ["organization_not_managed"]

    def test_support_without_a_reason_is_like_anyone(self) -> None:
        registrar, _ = with_one()
        assert codes(registrar, "cancel", "a-1", by="support") == ["role_missing"]

    def test_support_neither_cancels_twice_nor_before_creation(self) -> None:
        registrar, clock = with_one()
        registrar.cancel("a-1")
        clock.set(START - SKEW)
        assert codes(registrar, "cancel", "a-1", support_reason="moved") == [
            "assignment_not_active",
            "already_cancelled",
        ]


class TestRestoredUse:
    """The use is not given back unless `CancellationPolicy(restores_key_use=True)`; then the same
    change sets `Redemption.restored_at`, and the learner may redeem again. Uses = redemptions not
    restored."""

    def test_by_default_the_use_is_not_restored(self) -> None:
        registrar, _ = with_key(restores=False)
        registrar.cancel("a-1")
        assert key(registrar).uses == 1
        assert [one.restored_at for one in redemptions(registrar)] == [None]
        assert codes(registrar, "redeem", "Hand-made-1", "ada") == [
            "key_exhausted",
            "already_redeemed",
        ]

    def test_the_use_is_restored_in_the_same_change(self) -> None:
        registrar, clock = with_key()
        clock.advance(timedelta(hours=2))
        number = len(events(registrar))
        registrar.cancel("a-1")
        assert key(registrar).uses == 0
        assert [one.restored_at for one in redemptions(registrar)] == [clock()]
        assert len(events(registrar)) == number + 1

    def test_the_learner_may_redeem_again_each_time_under_a_new_id(self) -> None:
        registrar, clock = with_key()
        for turn in range(1, 4):
            clock.advance(timedelta(hours=1))
            registrar.cancel(f"a-{turn}")
            again = registrar.redeem("Hand-made-1", "ada", id=f"a-{turn + 1}")
            assert again.created_at == clock()
            assert codes(registrar, "redeem", "Hand-made-1", "ada") == [
                "key_exhausted",
                "already_redeemed",
            ]
        ids = [one.id for one in redemptions(registrar)]
        assert ids == [ca.Redemption.id_for(key(registrar).id, "ada", turn) for turn in range(4)]
        assert [one.restored_at is None for one in redemptions(registrar)] == [False] * 3 + [True]
        assert key(registrar).uses == 1

    def test_another_learner_may_take_a_restored_use(self) -> None:
        registrar, _ = with_key()
        registrar.cancel("a-1")
        assert registrar.redeem("Hand-made-1", "manager").learner_id == "manager"

    def test_the_use_of_a_revoked_key_is_restored_too(self) -> None:
        registrar, _ = with_key()
        registrar.revoke_key("Hand-made-1")
        registrar.cancel("a-1")
        assert (key(registrar).uses, key(registrar).revoked_at) == (0, START)
        assert codes(registrar, "redeem", "Hand-made-1", "ada") == ["key_revoked"]

    def test_support_restores_the_use_as_well(self) -> None:
        registrar, clock = with_key(uses=3)
        clock.advance(timedelta(days=9))
        registrar.cancel("a-1", support_reason="moved")
        assert key(registrar).uses == 0

    def test_a_direct_assignment_restores_no_use(self) -> None:
        registrar, _ = with_key()
        registrar.assign("py", "ada", id="a-2")
        registrar.cancel("a-2")
        assert key(registrar).uses == 1

    def test_a_refused_cancellation_restores_no_use(self) -> None:
        registrar, clock = with_key()
        clock.advance(DAY + TICK)
        assert codes(registrar, "cancel", "a-1") == ["cancellation_window_closed"]
        assert key(registrar).uses == 1


class TestReschedule:
    """An explicit expiry must lie after creation and not after the limit. A later change obeys the
    same limit, still counted from creation; it may revive an expired assignment, never a cancelled
    one. A `Duration` counts from creation; an end before now is refused, now ends access."""

    @pytest.mark.parametrize(
        ("expires", "end"),
        [
            (timedelta(days=30), START + timedelta(days=30)),
            (ca.Months(1), datetime(2026, 2, 5, 9, tzinfo=UTC)),
            # Berlin changes its clocks in between, so 10:00 there is an hour earlier in UTC.
            (ca.Months(3), datetime(2026, 4, 5, 8, tzinfo=UTC)),
            (relativedelta(months=3), datetime(2026, 4, 5, 8, tzinfo=UTC)),
            (relativedelta(weeks=1), START + timedelta(days=7)),
            (date(2026, 4, 5), datetime(2026, 4, 4, 22, tzinfo=UTC)),
            (START + timedelta(days=180), START + timedelta(days=180)),
            (
                datetime(2026, 2, 1, tzinfo=ZoneInfo("Asia/Tokyo")),
                datetime(2026, 1, 31, 15, tzinfo=UTC),
            ),
        ],
    )
    def test_the_new_end_counts_from_creation_in_the_zone_of_the_organization(
        self, expires: Any, end: datetime
    ) -> None:
        registrar, clock = with_one()
        before = made_by(registrar, "a-1")
        clock.advance(timedelta(days=3))
        assert registrar.may_reschedule("a-1", expires).changes_at == end + TICK
        after = registrar.reschedule("a-1", expires, by="manager")
        assert after == attrs.evolve(before, expires_at=end, limited_by=ca.ExpirationLimit.REQUEST)
        assert after.expires_at.tzinfo is UTC

    def test_a_learner_without_an_organization_has_utc(self) -> None:
        registrar, _ = world()
        registrar.assign("py", "cy", id="a-1")
        after = registrar.reschedule("a-1", date(2026, 4, 5))
        assert after.expires_at == datetime(2026, 4, 5, tzinfo=UTC)

    @pytest.mark.parametrize("learner", ["ada", "bo", "cy"])
    @pytest.mark.parametrize(("over", "fits"), [(-TICK, True), (timedelta(0), True), (TICK, False)])
    def test_the_limit_itself_is_allowed(
        self, *, learner: str, over: timedelta, fits: bool
    ) -> None:
        registrar, clock = world()
        registrar.assign("py", learner, id="a-1", expires=timedelta(days=1))
        clock.advance(timedelta(days=50))
        limit = START + timedelta(days=90 if learner == "bo" else 180)
        wanted = limit + over
        if fits:
            assert registrar.reschedule("a-1", wanted).expires_at == wanted
        else:
            assert codes(registrar, "reschedule", "a-1", wanted) == ["expires_too_late"]
            by = ca.ExpirationLimit.ORGANIZATION if learner == "bo" else ca.ExpirationLimit.MAXIMUM
            assert registrar.may_reschedule("a-1", wanted).reasons == (ExpiresTooLate(limit, by),)

    def test_the_present_limit_counts(self) -> None:
        registrar, _ = with_one()
        registrar.update(attrs.evolve(PYTHON, maximum_access=timedelta(days=10)))
        assert codes(registrar, "reschedule", "a-1", timedelta(days=11)) == ["expires_too_late"]
        registrar.update(attrs.evolve(ACME, maximum_access=timedelta(days=5)))
        assert codes(registrar, "reschedule", "a-1", timedelta(days=6)) == ["expires_too_late"]
        registrar.reschedule("a-1", timedelta(days=5))

    def test_now_ends_access_and_a_microsecond_before_is_refused(self) -> None:
        registrar, clock = with_one()
        clock.advance(timedelta(days=3))
        decision = registrar.may_reschedule("a-1", clock() - TICK)
        assert decision.reasons == (ExpiresTooEarly(clock()),)
        assert codes(registrar, "reschedule", "a-1", clock() - TICK) == ["expires_too_early"]
        assert (
            registrar.reschedule("a-1", clock()).status_at(clock()) is ca.AssignmentStatus.EXPIRED
        )

    def test_an_end_at_or_before_creation_is_refused(self) -> None:
        registrar, clock = with_one()
        assert codes(registrar, "reschedule", "a-1", START) == ["expires_too_early"]
        clock.advance(timedelta(hours=1))
        assert registrar.may_reschedule("a-1", START - DAY).reasons == (ExpiresTooEarly(clock()),)

    def test_an_expired_one_can_be_extended_and_a_cancelled_one_cannot(self) -> None:
        registrar, clock = with_one()
        registrar.reschedule("a-1", timedelta(hours=3))
        clock.advance(timedelta(hours=4))
        assert made_by(registrar, "a-1").status_at(clock()) is ca.AssignmentStatus.EXPIRED
        after = registrar.reschedule("a-1", timedelta(days=9))
        assert after.status_at(clock()) is ca.AssignmentStatus.ACTIVE
        registrar.cancel("a-1")
        assert codes(registrar, "reschedule", "a-1", timedelta(days=9)) == ["already_cancelled"]

    def test_all_failed_conditions_are_reported(self) -> None:
        registrar, clock = with_one()
        registrar.cancel("a-1")
        clock.advance(timedelta(days=3))
        assert codes(registrar, "reschedule", "a-1", timedelta(days=1), by="ada") == [
            "role_missing",
            "organization_not_managed",
            "already_cancelled",
            "expires_too_early",
        ]

    @pytest.mark.parametrize("days", [1, 100, 180, 200, 400])
    def test_after_the_limit_only_support_can_extend(self, days: int) -> None:
        registrar, clock = with_one()
        limit = START + timedelta(days=180)
        clock.set(limit)
        assert registrar.may_reschedule("a-1", limit)
        assert registrar.may_reschedule("a-1", limit + TICK).reasons == (
            ExpiresTooLate(limit, ca.ExpirationLimit.MAXIMUM),
        )
        clock.advance(TICK)
        decision = registrar.may_reschedule("a-1", timedelta(days=days))
        passed = ExpiresTooLate(limit, ca.ExpirationLimit.MAXIMUM, passed=True)
        assert decision == ca.Decision([passed])
        assert str(decision).endswith("UTC at most. Only support can extend it.")

    def test_support_can_extend_beyond_the_limit(self) -> None:
        registrar, clock = with_one()
        clock.advance(timedelta(days=200))
        missing = ["support_role_missing"]
        for by, wanted in (("manager", missing), ("ada", [*missing, "organization_not_managed"])):
            found = codes(registrar, "reschedule", "a-1", 400 * DAY, support_reason="ill", by=by)
            assert found == wanted
        after = registrar.reschedule("a-1", 400 * DAY, support_reason="ill\nlong", by="support")
        assert after.expires_at == START + 400 * DAY
        assert after.limited_by is ca.ExpirationLimit.SUPPORT
        event = events(registrar)[-1]
        assert (event.by, event.details) == ("support", (("support_reason", "ill\nlong"),))
        assert after.is_active_at(clock())

    def test_a_later_change_without_support_meets_the_limit_again(self) -> None:
        registrar, clock = with_one()
        registrar.reschedule("a-1", 400 * DAY, support_reason="ill")
        assert codes(registrar, "reschedule", "a-1", 300 * DAY) == ["expires_too_late"]
        after = registrar.reschedule("a-1", 180 * DAY)
        assert after.limited_by is ca.ExpirationLimit.REQUEST
        clock.advance(181 * DAY)
        assert codes(registrar, "reschedule", "a-1", 300 * DAY) == ["expires_too_late"]

    def test_support_waives_nothing_but_the_limit(self) -> None:
        registrar, clock = with_one()
        said = {"support_reason": "ill"}
        found = registrar.may_reschedule("a-1", START, **said)
        assert found.reasons == (ExpiresTooEarly(START + TICK),)
        clock.advance(DAY)
        found = registrar.may_reschedule("a-1", START - DAY, **said)
        assert found.reasons == (ExpiresTooEarly(clock()),)
        registrar.cancel("a-1")
        assert codes(registrar, "reschedule", "a-1", 400 * DAY, **said) == ["already_cancelled"]

    @given(
        terms(timedelta(days=400)) | st.sampled_from([timedelta(days=180), timedelta(days=1)]),
        st.integers(0, 300),
        st.none() | terms(timedelta(days=200)),
    )
    def test_the_policies_decide(
        self, term: ca.Duration, days: int, maximum: ca.Duration | None
    ) -> None:
        at = START + days * DAY
        course = attrs.evolve(PYTHON, maximum_access=maximum)
        end = counted(term, START, ACME.zone)
        in_bounds = ca.ExpirationPolicy().evaluate(
            end, created_at=START, course=course, organization=ACME
        )
        asked = ca.ReschedulePolicy().evaluate(GIVEN, expires_at=end, at=at)
        limit = ca.ExpirationPolicy().limit(START, course=course, organization=ACME)
        decision = RESCHEDULE.decision(expires=term, at=at, course=course)
        if limit.at < at:
            assert decision.reasons == (ExpiresTooLate(limit.at, limit.by, passed=True),)
        else:
            assert decision.reasons == (*asked.reasons, *in_bounds.reasons)
        if decision:
            (after,) = RESCHEDULE(expires=term, at=at, course=course).made(ca.CourseAssignment)
            assert (after.expires_at, after.limited_by) == (end, ca.ExpirationLimit.REQUEST)
            assert decision.changes_at == asked.changes_at

    @pytest.mark.parametrize(
        "expires",
        [
            None,
            7,
            "2026-02-01",
            timedelta(0),
            datetime(2026, 2, 1),  # noqa: DTZ001 - a naive one is refused
            relativedelta(months=1, days=1),
            date(1, 1, 1),
            date.max,
        ],
    )
    def test_an_invalid_end_is_named(self, expires: Any) -> None:
        registrar, _ = with_one()
        assert error(ca.InvalidInput, registrar, "reschedule", "a-1", expires).field == "expires"


class TestComplete:
    """Completing by hand: refused if cancelled, allowed if expired."""

    def test_it_is_complete_from_now_on_and_still_active(self) -> None:
        registrar, clock = with_one()
        before = made_by(registrar, "a-1")
        clock.advance(timedelta(days=2))
        assert registrar.may_complete("a-1").changes_at is None
        after = registrar.complete("a-1")
        assert after == attrs.evolve(before, completed_at=clock())
        assert after.completion is ca.CompletionStatus.COMPLETE
        assert after.is_active_at(clock())

    def test_an_expired_one_can_be_completed(self) -> None:
        registrar, clock = with_one()
        clock.advance(timedelta(days=500))
        assert registrar.complete("a-1").status_at(clock()) is ca.AssignmentStatus.EXPIRED

    def test_neither_twice_nor_after_cancelling(self) -> None:
        registrar, _ = with_one()
        registrar.complete("a-1")
        assert codes(registrar, "complete", "a-1") == ["already_completed"]
        registrar.cancel("a-1")
        assert codes(registrar, "complete", "a-1") == ["already_cancelled", "already_completed"]
        registrar, _ = with_one()
        registrar.cancel("a-1")
        assert codes(registrar, "complete", "a-1") == ["already_cancelled"]
