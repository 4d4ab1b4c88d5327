"""Subscriptions: granted, edited, cancelled; and the courses that are opened from them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.reasons import (
    AlreadyCancelled,
    AssignmentNotActive,
    CourseNotInSubscription,
    ExpiresTooLate,
    LabLaunched,
    SubscriptionEnded,
)
from tests.support.learning import subscribed
from tests.support.rules import check_turn, counted
from tests.support.situations import barged, codes, error, events, made_by
from tests.support.strategies import terms
from tests.support.world import ACME, PYTHON, SQL, START, contents, world

TICK = timedelta(microseconds=1)
#: How far the clocks of servers may differ.
SKEW = timedelta(seconds=2)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEPS = (-TICK, timedelta(0), TICK)
END = START + 60 * DAY


def stored(registrar: ca.Registrar) -> ca.Subscription:
    return registrar.repository.get(ca.Subscription, ["s-1"])["s-1"]


def last_event(registrar: ca.Registrar) -> ca.Event:
    return attrs.evolve(events(registrar)[-1], position=0)


class TestSubscribe:
    """One learner's access to a set of courses for a time."""

    @pytest.mark.parametrize(
        ("learner", "duration", "end"),
        [
            ("ada", 90 * DAY, START + 90 * DAY),
            ("ada", TICK, START + TICK),
            # Berlin changes its clocks in between, so 10:00 there is an hour earlier in UTC.
            ("ada", ca.Months(3), datetime(2026, 4, 5, 8, tzinfo=UTC)),
            ("ada", relativedelta(months=3), datetime(2026, 4, 5, 8, tzinfo=UTC)),
            ("bo", ca.Months(3), datetime(2026, 4, 5, 9, tzinfo=UTC)),
            ("cy", ca.Months(3), datetime(2026, 4, 5, 9, tzinfo=UTC)),
            # The limits of rule 1 are of assignments, not of subscriptions.
            ("bo", ca.Months(36), datetime(2029, 1, 5, 9, tzinfo=UTC)),
        ],
    )
    def test_it_lasts_from_now_on_in_the_zone_of_the_organization(
        self, learner: str, duration: Any, end: datetime
    ) -> None:
        registrar, _ = world()
        assert registrar.may_subscribe(["sql", "py"], learner, duration=duration) == ca.Decision()
        made = registrar.subscribe(["sql", "py"], learner, duration=duration, id="s-1")
        home = {"ada": "acme", "bo": "beta", "cy": None}[learner]
        assert made == ca.Subscription(
            id="s-1",
            learner_id=learner,
            organization_id=home,
            course_ids=["sql", "py"],
            created_at=START,
            expires_at=end,
        )
        assert stored(registrar) == made
        assert contents(registrar.repository)["CourseAssignment"] == []

    def test_a_course_that_is_named_twice_counts_once(self) -> None:
        registrar, _ = world()
        made = registrar.subscribe(iter(["sql", "py", "sql"]), "ada", duration=DAY)
        assert made.course_ids == ("sql", "py")

    def test_courses_that_are_not_ready_or_archived_are_all_named(self) -> None:
        """Checked whenever something new is made."""
        registrar, _ = world()
        found = codes(registrar, "subscribe", ["draft", "py", "old"], "ada", duration=DAY)
        assert found == ["course_not_available", "course_archived"]
        reasons = registrar.may_subscribe(["draft", "old"], "ada", duration=DAY).reasons
        assert [getattr(one, "course_id", None) for one in reasons] == ["draft", "old"]

    def test_everything_at_once(self) -> None:
        registrar, _ = world()
        found = codes(registrar, "subscribe", ["old", "draft"], "ada", duration=DAY, by="bo")
        assert found == [
            "role_missing",
            "organization_not_managed",
            "course_archived",
            "course_not_available",
        ]

    @pytest.mark.parametrize(
        "duration", [timedelta(0), -DAY, None, END, timedelta(days=36525, microseconds=1)]
    )
    def test_an_invalid_duration_is_named(self, duration: Any) -> None:
        registrar, _ = world()
        found = error(ca.InvalidInput, registrar, "subscribe", ["py"], "ada", duration=duration)
        assert found.field == "duration"


class TestEdit:
    """Another set of courses; what is open stays open."""

    def test_it_says_what_can_be_opened_from_now_on(self) -> None:
        registrar, clock = subscribed()
        opened = registrar.open_course("s-1", "py")
        clock.advance(HOUR)
        before = stored(registrar)
        assert registrar.may_edit_subscription("s-1", ["sql"]) == ca.Decision((), END)
        after = registrar.edit_subscription("s-1", ["sql", "lessons", "sql"], by="manager")
        assert after == attrs.evolve(before, course_ids=["sql", "lessons"], edited_at=clock())
        assert stored(registrar) == after
        assert last_event(registrar) == ca.Event(
            at=clock(), by="manager", action="edit_subscription", subject_ids=["s-1", "ada"]
        )
        assert made_by(registrar, opened.id) == opened
        assert registrar.open_course("s-1", "py") == opened
        registrar.cancel(opened.id)
        assert codes(registrar, "open_course", "s-1", "py") == ["course_not_in_subscription"]

    def test_the_same_set_changes_nothing_another_order_does(self) -> None:
        registrar, _ = subscribed()
        before = contents(registrar.repository)
        assert registrar.edit_subscription("s-1", ["py", "sql", "lessons"]) == stored(registrar)
        assert contents(registrar.repository) == before
        after = registrar.edit_subscription("s-1", ["lessons", "sql", "py"])
        assert after.course_ids == ("lessons", "sql", "py")

    def test_only_added_courses_have_to_be_available(self) -> None:
        """Checked whenever something new is made, never for what exists."""
        registrar, _ = subscribed()
        registrar.update(attrs.evolve(PYTHON, archived=True))
        registrar.edit_subscription("s-1", ["py", "sql"])
        found = codes(registrar, "edit_subscription", "s-1", ["old", "py", "draft"])
        assert found == ["course_archived", "course_not_available"]
        registrar.edit_subscription("s-1", ["sql"])
        assert codes(registrar, "edit_subscription", "s-1", ["sql", "py"]) == ["course_archived"]

    @pytest.mark.parametrize("step", STEPS)
    def test_one_that_has_ended_stays_as_it_is(self, step: timedelta) -> None:
        registrar, clock = subscribed()
        clock.set(END + step)
        if step < timedelta(0):
            assert registrar.edit_subscription("s-1", ["sql"]).edited_at == clock()
        else:
            assert codes(registrar, "edit_subscription", "s-1", ["sql"]) == ["subscription_ended"]
            decision = registrar.may_edit_subscription("s-1", ["sql"])
            assert decision == ca.Decision([SubscriptionEnded(END)])

    def test_everything_at_once(self) -> None:
        registrar, clock = subscribed()
        registrar.cancel_subscription("s-1")
        clock.set(START - SKEW)
        assert codes(registrar, "edit_subscription", "s-1", ["draft", "sql"], by="ada") == [
            "role_missing",
            "organization_not_managed",
            "subscription_not_active",
            "subscription_ended",
            "course_not_available",
        ]


class TestCancel:
    """Cancelling the subscription replaces it and every assignment opened from it; only within 24
    hours of its creation and only if no labs have been launched under any of them."""

    def test_all_that_was_opened_goes_with_it(self) -> None:
        registrar, clock = subscribed()
        registrar.assign("py", "ada", id="a-1")
        opened = [registrar.open_course("s-1", one) for one in ("py", "sql")]
        clock.advance(HOUR)
        before = stored(registrar)
        assert registrar.may_cancel_subscription("s-1").changes_at == START + DAY + TICK
        after = registrar.cancel_subscription("s-1", by="manager")
        assert after == attrs.evolve(before, cancelled_at=clock())
        assert stored(registrar) == after
        for one in opened:
            assert made_by(registrar, one.id) == attrs.evolve(one, cancelled_at=clock())
        assert made_by(registrar, "a-1").cancelled_at is None
        assert last_event(registrar) == ca.Event(
            at=clock(),
            by="manager",
            action="cancel_subscription",
            subject_ids=["s-1", *(one.id for one in opened), "ada"],
        )
        assert codes(registrar, "open_course", "s-1", "py") == ["subscription_ended"]

    def test_what_was_cancelled_before_stays_as_it_is(self) -> None:
        registrar, clock = subscribed()
        first = registrar.cancel(registrar.open_course("s-1", "py").id)
        second = registrar.open_course("s-1", "py")
        clock.advance(HOUR)
        registrar.cancel_subscription("s-1")
        assert made_by(registrar, first.id) == first
        assert made_by(registrar, second.id).cancelled_at == clock()
        assert events(registrar)[-1].subject_ids == ("s-1", second.id, "ada")

    @pytest.mark.parametrize("step", STEPS)
    def test_the_window_counts_from_the_creation_of_the_subscription(self, step: timedelta) -> None:
        registrar, clock = subscribed()
        clock.advance(23 * HOUR)
        registrar.open_course("s-1", "py")
        clock.set(START + DAY + step)
        if step > timedelta(0):
            found = codes(registrar, "cancel_subscription", "s-1")
            assert found == ["cancellation_window_closed"]
        else:
            assert registrar.cancel_subscription("s-1").cancelled_at == clock()

    def test_a_lab_that_was_launched_under_one_of_them_counts_permanently(self) -> None:
        registrar, clock = subscribed()
        registrar.open_course("s-1", "sql")
        opened = registrar.open_course("s-1", "lessons")
        registrar.start(opened.id, "film")
        assert registrar.may_cancel_subscription("s-1").allowed
        registrar.start(opened.id, "lab")
        wanted = ca.Decision([ca.ForAssignment("lessons", "ada", LabLaunched(START))])
        for options in ({}, {"support_reason": "please"}):
            assert registrar.may_cancel_subscription("s-1", **options) == wanted
            assert codes(registrar, "cancel_subscription", "s-1", **options) == ["lab_launched"]
        clock.set(END + DAY)
        assert codes(registrar, "cancel_subscription", "s-1") == [
            "cancellation_window_closed",
            "cancellation_window_closed",
            "cancellation_window_closed",
            "lab_launched",
        ]

    def test_it_is_cancelled_once(self) -> None:
        registrar, clock = subscribed()
        registrar.open_course("s-1", "py")
        registrar.cancel_subscription("s-1")
        assert registrar.may_cancel_subscription("s-1") == ca.Decision([AlreadyCancelled(START)])
        clock.advance(DAY + TICK)
        assert codes(registrar, "cancel_subscription", "s-1") == [
            "already_cancelled",
            "cancellation_window_closed",
        ]
        found = codes(registrar, "cancel_subscription", "s-1", support_reason="please")
        assert found == ["already_cancelled"]

    def test_support_cancels_after_the_window_and_the_end_with_a_reason(self) -> None:
        registrar, clock = subscribed()
        opened = registrar.open_course("s-1", "sql")
        clock.set(END + DAY)
        for by, manages in (("manager", True), ("sales", True), ("ada", False)):
            found = codes(registrar, "cancel_subscription", "s-1", support_reason="moved", by=by)
            wanted = [] if manages else ["organization_not_managed"]
            assert found == ["support_role_missing", *wanted]
        decision = registrar.may_cancel_subscription("s-1", support_reason="moved", by="support")
        assert decision == ca.Decision()
        registrar.cancel_subscription("s-1", support_reason="moved\naway", by="support")
        assert made_by(registrar, opened.id).cancelled_at == clock()
        event = events(registrar)[-1]
        assert (event.by, event.details) == ("support", (("support_reason", "moved\naway"),))
        # It was over before that.
        assert registrar.may_open_course("s-1", "sql").reasons == (SubscriptionEnded(END),)

    def test_a_clock_that_went_back_cancels_nothing_before_it_was_made(self) -> None:
        registrar, clock = subscribed()
        clock.advance(HOUR)
        registrar.open_course("s-1", "py")
        clock.set(START + HOUR - SKEW)
        wanted = ca.ForAssignment("py", "ada", AssignmentNotActive(START + HOUR))
        turn = START + HOUR - SKEW + TICK
        assert registrar.may_cancel_subscription("s-1") == ca.Decision([wanted], turn)
        clock.set(START - SKEW)
        assert codes(registrar, "cancel_subscription", "s-1") == [
            "subscription_not_active",
            "assignment_not_active",
        ]
        assert registrar.may_cancel_subscription("s-1").changes_at == turn

    def test_everything_at_once(self) -> None:
        registrar, clock = subscribed()
        registrar.start(registrar.open_course("s-1", "py").id, "lab")
        clock.advance(2 * DAY)
        assert codes(registrar, "cancel_subscription", "s-1", by="ada") == [
            "role_missing",
            "organization_not_managed",
            "cancellation_window_closed",
            "cancellation_window_closed",
            "lab_launched",
        ]

    def test_the_answer_holds_until_it_changes_and_no_longer(self) -> None:
        registrar, clock = subscribed()
        clock.advance(HOUR)
        registrar.open_course("s-1", "py")

        def ask(at: datetime) -> ca.Decision:
            clock.set(at)
            return registrar.may_cancel_subscription("s-1")

        marks = [START, START + HOUR, START + DAY, START + DAY + HOUR]
        for at in (START - TICK, START, START + HOUR, START + DAY, START + DAY + TICK):
            check_turn(ask, at, marks)


class TestOpen:
    """A course in the set opens as an assignment ending at the earlier of rule 1's limit and the
    subscription's end; opening it again while that assignment is active returns the same one; after
    it ended, a new one."""

    def test_while_it_is_active_it_is_the_same_one_and_nothing_happens(self) -> None:
        registrar, clock = subscribed()
        made = registrar.open_course("s-1", "sql")
        before = contents(registrar.repository)
        clock.set(made.expires_at - TICK)
        for options in ({}, {"by": "ada"}, {"id": "x-1"}):
            assert registrar.may_open_course("s-1", "sql", **options).allowed
            assert registrar.open_course("s-1", "sql", **options) == made
        # A direct assignment does not count, and neither does one of another course.
        clock.set(START + HOUR)
        registrar.assign("py", "ada", id="a-1")
        assert registrar.open_course("s-1", "py").id not in {"a-1", made.id}
        assert contents(registrar.repository) != before

    @pytest.mark.parametrize("step", STEPS)
    def test_after_it_has_ended_there_is_a_new_one(self, step: timedelta) -> None:
        registrar, clock = subscribed()
        first = registrar.open_course("s-1", "sql")
        assert first.expires_at == START + 30 * DAY
        clock.set(first.expires_at + step)
        second = registrar.open_course("s-1", "sql")
        if step < timedelta(0):
            assert second == first
        else:
            assert second.id != first.id
            # Exactly at the end of the first both limits of the second fall together.
            assert (second.created_at, second.expires_at) == (clock(), END)
            assert second.limited_by is ca.ExpirationLimit.SUBSCRIPTION
            assert stored(registrar).opened("sql") == (first.id, second.id)

    def test_after_it_was_cancelled_a_new_one_has_the_next_id(self) -> None:
        registrar, _ = subscribed()
        ids = set()
        for turn in range(3):
            expected = stored(registrar).next_assignment_id("py")
            made = registrar.open_course("s-1", "py")
            assert made.id == expected
            registrar.cancel(made.id)
            ids.add(made.id)
            assert len(ids) == turn + 1 == len(stored(registrar).openings)

    def test_of_two_that_are_active_the_one_that_ends_last_is_returned(self) -> None:
        registrar, clock = subscribed()
        first = registrar.open_course("s-1", "py")
        clock.advance(HOUR)
        registrar.reschedule(first.id, clock())
        second = registrar.open_course("s-1", "py")
        registrar.reschedule(second.id, 10 * DAY)
        revived = registrar.reschedule(first.id, 20 * DAY)
        assert registrar.open_course("s-1", "py") == revived

    def test_one_made_by_a_clock_that_was_ahead_is_the_same_one(self) -> None:
        registrar, clock = subscribed()
        clock.advance(HOUR)
        made = registrar.open_course("s-1", "py")
        clock.set(START)
        assert registrar.open_course("s-1", "py") == made

    def test_while_it_is_active_neither_the_set_nor_the_course_matters(self) -> None:
        """Never for what exists."""
        registrar, clock = subscribed()
        registrar.open_course("s-1", "sql")
        made = registrar.complete(stored(registrar).openings[0].assignment_id)
        registrar.edit_subscription("s-1", ["py"])
        registrar.update(attrs.evolve(SQL, archived=True, content_provider=None))
        assert registrar.may_open_course("s-1", "sql") == ca.Decision((), made.expires_at)
        assert registrar.open_course("s-1", "sql") == made
        clock.set(made.expires_at)
        assert codes(registrar, "open_course", "s-1", "sql") == [
            "course_not_in_subscription",
            "course_not_available",
            "course_archived",
        ]

    def test_a_course_outside_the_set_is_refused(self) -> None:
        registrar, _ = subscribed()
        assert codes(registrar, "open_course", "s-1", "old") == [
            "course_not_in_subscription",
            "course_archived",
        ]
        registrar.edit_subscription("s-1", ["sql"])
        decision = registrar.may_open_course("s-1", "py")
        assert decision == ca.Decision([CourseNotInSubscription("py")])

    @pytest.mark.parametrize("step", STEPS)
    def test_at_the_end_of_the_subscription_nothing_opens(self, step: timedelta) -> None:
        registrar, clock = subscribed()
        clock.set(END + step)
        if step < timedelta(0):
            assert registrar.open_course("s-1", "py").expires_at == END
        else:
            assert codes(registrar, "open_course", "s-1", "py") == ["subscription_ended"]

    def test_everything_at_once(self) -> None:
        registrar, clock = subscribed()
        registrar.edit_subscription("s-1", ["sql"])
        registrar.cancel_subscription("s-1")
        registrar.update(attrs.evolve(PYTHON, archived=True, content_provider=None))
        clock.set(START - SKEW)
        assert codes(registrar, "open_course", "s-1", "py", by="bo") == [
            "role_missing",
            "organization_not_managed",
            "subscription_not_active",
            "subscription_ended",
            "course_not_in_subscription",
            "course_not_available",
            "course_archived",
        ]

    @pytest.mark.parametrize("set_", [["py", "sql"], ["py"]])
    def test_the_answer_holds_until_it_changes_and_no_longer(self, set_: list[str]) -> None:
        registrar, clock = subscribed()
        clock.advance(HOUR)
        made = registrar.open_course("s-1", "sql")
        registrar.edit_subscription("s-1", set_)

        def ask(at: datetime) -> ca.Decision:
            clock.set(at)
            return registrar.may_open_course("s-1", "sql")

        marks = [START, made.created_at, made.expires_at, END]
        for at in (START - TICK, START, made.created_at, made.expires_at, END - TICK, END):
            check_turn(ask, at, marks)

    @pytest.mark.parametrize("ids", [("x-1", "x-2"), (None, None), ("x-1", None)])
    def test_two_who_open_it_at_once_get_the_same_one(
        self, ids: tuple[str | None, str | None]
    ) -> None:
        made: list[ca.CourseAssignment] = []
        one, other = ids
        registrar, _, repository = barged(
            lambda of: made.append(of.open_course("s-1", "py", id=one))
        )
        registrar.subscribe(["py"], "ada", duration=DAY, id="s-1")
        repository.open = True
        assert registrar.open_course("s-1", "py", id=other) == made[0]
        assert contents(registrar.repository)["CourseAssignment"] == made
        assert stored(registrar).openings == (ca.Opening("py", made[0].id),)


class TestTheEndOfWhatIsOpened:
    """Its end is the earliest of all limits; of those that fall together the first in the order of
    the enum is named. A subscription's end also limits (rules 1, 2 and 19)."""

    @pytest.mark.parametrize("step", STEPS)
    @pytest.mark.parametrize(
        ("learner", "course_id", "days", "other"),
        [
            ("ada", "py", 180, ca.ExpirationLimit.MAXIMUM),
            ("bo", "py", 90, ca.ExpirationLimit.ORGANIZATION),
            ("ada", "sql", 30, ca.ExpirationLimit.COURSE),
            ("bo", "sql", 30, ca.ExpirationLimit.COURSE),
        ],
    )
    def test_of_equal_ends_that_of_the_subscription_is_named(
        self, learner: str, course_id: str, days: int, other: ca.ExpirationLimit, step: timedelta
    ) -> None:
        registrar, _ = subscribed(days * DAY + step, learner)
        made = registrar.open_course("s-1", course_id)
        assert made.expires_at == START + days * DAY + min(step, timedelta(0))
        assert made.limited_by is (
            other if step > timedelta(0) else ca.ExpirationLimit.SUBSCRIPTION
        )

    @given(
        st.tuples(terms(400 * DAY), st.none() | terms(400 * DAY), st.none() | terms(400 * DAY)),
        st.timedeltas(timedelta(0), 400 * DAY),
    )
    def test_it_is_the_earliest_and_the_first_of_equal_ones(
        self, lengths: tuple[ca.Duration, ca.Duration | None, ca.Duration | None], passed: timedelta
    ) -> None:
        duration, course_maximum, maximum = lengths
        registrar, clock = world()
        registrar.update(attrs.evolve(PYTHON, maximum_access=course_maximum))
        registrar.update(attrs.evolve(ACME, maximum_access=maximum))
        subscription = registrar.subscribe(["py"], "ada", duration=duration, id="s-1")
        clock.set(START + passed)
        if clock() >= subscription.expires_at:
            assert codes(registrar, "open_course", "s-1", "py") == ["subscription_ended"]
            return
        made = registrar.open_course("s-1", "py")
        ends = [(subscription.expires_at, ca.ExpirationLimit.SUBSCRIPTION)]
        for term, by in (
            (course_maximum, ca.ExpirationLimit.COURSE),
            (maximum, ca.ExpirationLimit.ORGANIZATION),
            (180 * DAY, ca.ExpirationLimit.MAXIMUM),
        ):
            if term is not None:
                ends.append((counted(term, clock(), ACME.zone), by))
        earliest = min(end for end, _ in ends)
        assert made.expires_at == earliest
        assert made.limited_by is next(by for end, by in ends if end == earliest)

    @pytest.mark.parametrize("step", STEPS)
    def test_a_later_end_does_not_pass_that_of_the_subscription(self, step: timedelta) -> None:
        registrar, clock = subscribed()
        clock.advance(5 * DAY)
        made = registrar.open_course("s-1", "py")
        registrar.reschedule(made.id, 10 * DAY)
        if step > timedelta(0):
            assert codes(registrar, "reschedule", made.id, END + step) == ["expires_too_late"]
            decision = registrar.may_reschedule(made.id, END + step)
            assert decision.reasons == (ExpiresTooLate(END, ca.ExpirationLimit.SUBSCRIPTION),)
        else:
            after = registrar.reschedule(made.id, END + step)
            assert (after.expires_at, after.limited_by) == (END + step, ca.ExpirationLimit.REQUEST)

    def test_support_waives_the_end_of_the_subscription(self) -> None:
        registrar, clock = subscribed()
        made = registrar.open_course("s-1", "py")
        clock.set(END + TICK)
        passed = ExpiresTooLate(END, ca.ExpirationLimit.SUBSCRIPTION, passed=True)
        assert registrar.may_reschedule(made.id, END + DAY) == ca.Decision([passed])
        after = registrar.reschedule(made.id, END + DAY, support_reason="ill")
        assert (after.expires_at, after.limited_by) == (END + DAY, ca.ExpirationLimit.SUPPORT)

    @pytest.mark.parametrize("step", STEPS)
    def test_of_two_that_it_passes_the_earlier_is_named(self, step: timedelta) -> None:
        registrar, _ = subscribed(180 * DAY + step)
        made = registrar.open_course("s-1", "py")
        (reason,) = registrar.may_reschedule(made.id, 200 * DAY).reasons
        latest = START + 180 * DAY + min(step, timedelta(0))
        by = ca.ExpirationLimit.MAXIMUM if step > timedelta(0) else ca.ExpirationLimit.SUBSCRIPTION
        assert reason == ExpiresTooLate(latest, by)

    def test_a_limit_that_is_earlier_now_is_named_alone(self) -> None:
        registrar, _ = subscribed()
        made = registrar.open_course("s-1", "py")
        registrar.update(attrs.evolve(ACME, maximum_access=20 * DAY))
        for days in (21, 61):
            (reason,) = registrar.may_reschedule(made.id, days * DAY).reasons
            assert reason == ExpiresTooLate(START + 20 * DAY, ca.ExpirationLimit.ORGANIZATION)
        # Nothing that was given is taken away.
        assert made_by(registrar, made.id).expires_at == END

    def test_other_reasons_come_before_it(self) -> None:
        registrar, clock = subscribed()
        made = registrar.open_course("s-1", "py")
        registrar.cancel(made.id)
        clock.set(START - SKEW)
        assert codes(registrar, "reschedule", made.id, END + TICK) == [
            "assignment_not_active",
            "already_cancelled",
            "expires_too_late",
        ]


#: Each command, as it is allowed on subscription s-1.
COMMANDS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "subscribe": ((["py"], "ada"), {"duration": DAY}),
    "edit_subscription": (("s-1", ["sql"]), {}),
    "cancel_subscription": (("s-1",), {}),
    "open_course": (("s-1", "py"), {}),
}


@attrs.frozen
class Never:
    """Whatever it is asked, a host's own policy says no."""

    restores_key_use = False

    def evaluate(self, *_: object, **__: object) -> ca.Decision:
        return ca.Decision([ca.CustomReason("x-never", "We do not do this.")])


class TestPoliciesOfTheHost:
    @pytest.mark.parametrize(
        ("command", "asked"),
        [
            ("subscribe", {"authorization", "course_availability"}),
            ("edit_subscription", {"authorization", "subscription", "course_availability"}),
            ("cancel_subscription", {"authorization", "cancellation"}),
            ("open_course", {"authorization", "subscription", "course_availability"}),
        ],
    )
    def test_each_command_asks_its_own(self, command: str, asked: set[str]) -> None:
        registrar, clock = subscribed()
        registrar.edit_subscription("s-1", ["py"])
        args, options = {**COMMANDS, "edit_subscription": (("s-1", ["py", "sql"]), {})}[command]
        refusing = set()
        for name in ("authorization", "subscription", "course_availability", "cancellation"):
            own: dict[str, Any] = {name: Never()}
            of = ca.Registrar(registrar.repository, clock=clock, policies=ca.Policies(**own))
            decision = getattr(of, f"may_{command}")(*args, **options, by="manager")
            if not decision.allowed:
                assert codes(of, command, *args, **options, by="manager") == ["x-never"]
                refusing.add(name)
        assert refusing == asked

    def test_a_cancellation_window_of_the_host_counts(self) -> None:
        short = ca.CancellationPolicy(window=HOUR)
        registrar, clock = subscribed(policies=ca.Policies(cancellation=short))
        clock.advance(HOUR)
        registrar.open_course("s-1", "py")
        assert registrar.may_cancel_subscription("s-1").changes_at == clock() + TICK
        clock.advance(TICK)
        assert codes(registrar, "cancel_subscription", "s-1") == ["cancellation_window_closed"]

    def test_the_hosts_policy_and_the_end_of_the_subscription_both_count(self) -> None:
        @attrs.frozen
        class NeverLater(ca.ExpirationPolicy):
            def evaluate(self, *_: object, **__: object) -> ca.Decision:
                return Never().evaluate()

        registrar, clock = subscribed()
        made = registrar.open_course("s-1", "py")
        own = ca.Policies(expiration=NeverLater())
        of = ca.Registrar(registrar.repository, clock=clock, policies=own)
        assert codes(of, "reschedule", made.id, END) == ["x-never"]
        assert codes(of, "reschedule", made.id, END + TICK) == ["x-never", "expires_too_late"]
        assert codes(of, "reschedule", made.id, END + TICK, support_reason="ill") == ["x-never"]
        clock.set(END + TICK)
        assert codes(of, "reschedule", made.id, START) == ["x-never", "expires_too_late"]
