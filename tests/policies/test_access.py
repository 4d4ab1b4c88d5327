"""Rules 5 and 19: who may use the activities of a course, and what a subscription opens."""

from collections.abc import Callable
from datetime import datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.reasons import (
    AlreadyCancelled,
    AssignmentExpired,
    AssignmentNotActive,
    AttemptOpen,
    CourseNotInSubscription,
    SubscriptionEnded,
    SubscriptionNotActive,
)
from course_assignments.testing.strategies import attempts
from tests.support.acts import GIVEN, RUNNING, SUBSCRIPTION
from tests.support.rules import STEPS, edges, elsewhere, moments
from tests.support.strategies import US, assignments, utc_instants

DAY = timedelta(days=1)
CREATED, ENDS = GIVEN.created_at, GIVEN.expires_at
GRANTED = attrs.evolve(SUBSCRIPTION, expires_at=ENDS)


class TestAccess:
    """Start, pause and retake while the assignment is active, complete or not (rule 5)."""

    @given(assignments(), st.data())
    def test_it_agrees_with_is_active_at_unless_a_cancellation_follows(
        self, assignment: ca.CourseAssignment, data: st.DataObject
    ) -> None:
        at = data.draw(moments(edges(assignment)))
        uncancelled = attrs.evolve(assignment, cancelled_at=None)
        for one in (assignment, uncancelled):
            allowed = ca.AccessPolicy().evaluate(one, at=at).allowed
            assert allowed is (one.is_active_at(at) and one.cancelled_at is None)

    @given(assignments(), st.data())
    def test_what_a_learner_has_done_does_not_matter(
        self, assignment: ca.CourseAssignment, data: st.DataObject
    ) -> None:
        at = data.draw(moments(edges(assignment)))
        untouched = attrs.evolve(
            assignment, first_lab_launched_at=None, started_at=None, completed_at=None
        )
        answers = [ca.AccessPolicy().evaluate(one, at=at) for one in (assignment, untouched)]
        assert answers[0] == answers[1]

    @pytest.mark.parametrize("step", STEPS)
    def test_it_lasts_from_creation_until_just_before_the_end(self, step: timedelta) -> None:
        at_creation, at_end = (
            ca.AccessPolicy().evaluate(GIVEN, at=at + step) for at in (CREATED, ENDS)
        )
        if step < timedelta(0):
            assert at_creation == ca.Decision([AssignmentNotActive(CREATED)], CREATED)
            assert at_end == ca.Decision((), ENDS)
        else:
            assert at_creation == ca.Decision((), ENDS)
            assert at_end == ca.Decision([AssignmentExpired(ENDS)])

    def test_a_cancelled_assignment_never_gives_access(self) -> None:
        cancelled = attrs.evolve(GIVEN, cancelled_at=CREATED + DAY)
        reason = AlreadyCancelled(CREATED + DAY)
        cases: tuple[tuple[datetime, list[ca.Reason]], ...] = (
            (CREATED - US, [AssignmentNotActive(CREATED), reason]),
            (CREATED, [reason]),
            (CREATED + DAY, [reason]),
            (ENDS, [reason, AssignmentExpired(ENDS)]),
        )
        for at, reasons in cases:
            assert ca.AccessPolicy().evaluate(cancelled, at=at) == ca.Decision(reasons)


class TestFinishing:
    """An attempt that is open when the assignment ends can be finished (rule 5)."""

    @pytest.mark.parametrize("late", [*STEPS, 3000 * DAY])
    def test_the_end_of_access_does_not_matter(self, late: timedelta) -> None:
        assert ca.FinishPolicy().evaluate(GIVEN, at=ENDS + late) == ca.Decision()

    @pytest.mark.parametrize("step", STEPS)
    def test_it_is_possible_from_creation(self, step: timedelta) -> None:
        decision = ca.FinishPolicy().evaluate(GIVEN, at=CREATED + step)
        if step < timedelta(0):
            assert decision == ca.Decision([AssignmentNotActive(CREATED)], CREATED)
        else:
            assert decision == ca.Decision()

    def test_it_is_refused_under_a_cancelled_assignment(self) -> None:
        cancelled = attrs.evolve(GIVEN, cancelled_at=CREATED + DAY)
        for at in (CREATED, CREATED + DAY, ENDS):
            decision = ca.FinishPolicy().evaluate(cancelled, at=at)
            assert decision == ca.Decision([AlreadyCancelled(CREATED + DAY)])
        early = ca.FinishPolicy().evaluate(cancelled, at=CREATED - US)
        assert early == ca.Decision([AssignmentNotActive(CREATED), AlreadyCancelled(CREATED + DAY)])


class TestAnotherAttempt:
    """Retake as often as you like, one attempt at a time (rule 5)."""

    @given(st.lists(attempts(), max_size=4), utc_instants())
    def test_every_open_attempt_is_a_reason_at_any_time(
        self, given_ones: list[ca.Attempt], at: datetime
    ) -> None:
        wanted = ca.Decision([AttemptOpen(one.id) for one in given_ones if one.finished_at is None])
        for moment in (at, *elsewhere(at)):
            assert ca.AttemptPolicy().evaluate(iter(given_ones), at=moment) == wanted

    def test_a_paused_attempt_is_open_and_a_finished_one_is_not(self) -> None:
        paused = attrs.evolve(RUNNING, pauses=[ca.Pause(CREATED)])
        finished = attrs.evolve(RUNNING, finished_at=CREATED)
        found = [
            ca.AttemptPolicy().evaluate([one], at=CREATED) for one in (RUNNING, paused, finished)
        ]
        assert [decision.allowed for decision in found] == [False, False, True]


def of(subscription: ca.Subscription, course_id: str | None) -> Callable[[datetime], ca.Decision]:
    return lambda at: ca.SubscriptionPolicy().evaluate(subscription, at=at, course_id=course_id)


class TestSubscription:
    """A course in the set opens while the subscription is active (rule 19)."""

    @pytest.mark.parametrize("course_id", [None, "py", "sql"])
    @pytest.mark.parametrize("step", STEPS)
    def test_it_opens_courses_from_creation_until_just_before_its_end(
        self, step: timedelta, course_id: str | None
    ) -> None:
        at_creation, at_end = (of(GRANTED, course_id)(at + step) for at in (CREATED, ENDS))
        if step < timedelta(0):
            assert at_creation == ca.Decision([SubscriptionNotActive(CREATED)], CREATED)
            assert at_end == ca.Decision((), ENDS)
        else:
            assert at_creation == ca.Decision((), ENDS)
            assert at_end == ca.Decision([SubscriptionEnded(ENDS)])

    @pytest.mark.parametrize(
        ("cancelled_at", "ended_at"),
        [(CREATED, CREATED), (ENDS - US, ENDS - US), (ENDS, ENDS), (ENDS + DAY, ENDS)],
    )
    def test_a_cancelled_subscription_opens_nothing_and_names_its_first_end(
        self, cancelled_at: datetime, ended_at: datetime
    ) -> None:
        cancelled = attrs.evolve(GRANTED, cancelled_at=cancelled_at)
        for at in (CREATED, ENDS - US, ENDS, ENDS + 2 * DAY):
            assert of(cancelled, "py")(at) == ca.Decision([SubscriptionEnded(ended_at)])

    def test_a_course_outside_the_set_never_opens(self) -> None:
        reason = CourseNotInSubscription("c++")
        assert of(GRANTED, "c++")(CREATED) == ca.Decision([reason])
        early = of(attrs.evolve(GRANTED, cancelled_at=CREATED), "c++")(CREATED - US)
        assert early == ca.Decision(
            [SubscriptionNotActive(CREATED), SubscriptionEnded(CREATED), reason]
        )
