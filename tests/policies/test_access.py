"""Rules 5 and 19: who gets at the activities of a course, and what a subscription opens."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import (
    AccessPolicy,
    Attempt,
    AttemptPolicy,
    CourseAssignment,
    Decision,
    Direct,
    ExpirationLimit,
    FinishPolicy,
    Pause,
    Subscription,
    SubscriptionPolicy,
)
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
from tests.support.rules import (
    STEPS,
    codes,
    edges,
    elsewhere,
    moments,
)
from tests.support.strategies import US, assignments, utc_instants

CREATED = datetime(2026, 1, 5, 9, tzinfo=UTC)
DAY = timedelta(days=1)
ENDS = CREATED + 180 * DAY
GIVEN = CourseAssignment(
    id="a-1",
    learner_id="ada",
    course_id="py",
    organization_id=None,
    created_at=CREATED,
    expires_at=ENDS,
    limited_by=ExpirationLimit.MAXIMUM,
    origin=Direct(),
)
GRANTED = Subscription(
    id="s-1",
    learner_id="ada",
    organization_id=None,
    course_ids=["py", "sql"],
    created_at=CREATED,
    expires_at=ENDS,
)
OPEN = Attempt(id="t-1", assignment_id="a-1", activity_id="lab", number=1, started_at=CREATED)

Ask: TypeAlias = Callable[[datetime], Decision]


class TestAccess:
    """Start, pause and retake as long as the assignment is active: not cancelled, and
    created <= at < expires. Completed is a separate axis (rule 5)."""

    @given(assignments(), st.data())
    def test_it_agrees_with_the_assignment_unless_that_is_to_be_cancelled_later(
        self, assignment: CourseAssignment, data: st.DataObject
    ) -> None:
        at = data.draw(moments(edges(assignment)))
        uncancelled = attrs.evolve(assignment, cancelled_at=None)
        for one in (assignment, uncancelled):
            allowed = AccessPolicy().evaluate(one, at=at).allowed
            assert allowed is (one.is_active_at(at) and one.cancelled_at is None)

    @given(assignments(), st.data())
    def test_what_a_learner_has_done_bears_on_nothing(
        self, assignment: CourseAssignment, data: st.DataObject
    ) -> None:
        at = data.draw(moments(edges(assignment)))
        untouched = attrs.evolve(
            assignment, first_lab_launched_at=None, started_at=None, completed_at=None
        )
        answers = [AccessPolicy().evaluate(one, at=at) for one in (assignment, untouched)]
        assert answers[0] == answers[1]

    @pytest.mark.parametrize("step", STEPS)
    def test_at_its_end_it_is_over(self, step: timedelta) -> None:
        decision = AccessPolicy().evaluate(GIVEN, at=ENDS + step)
        if step < timedelta(0):
            assert decision == Decision((), ENDS)
        else:
            assert decision == Decision([AssignmentExpired(ENDS)])

    @pytest.mark.parametrize("step", STEPS)
    def test_at_its_creation_it_begins(self, step: timedelta) -> None:
        decision = AccessPolicy().evaluate(GIVEN, at=CREATED + step)
        if step < timedelta(0):
            assert decision == Decision([AssignmentNotActive(CREATED)], CREATED)
        else:
            assert decision == Decision((), ENDS)

    def test_a_cancelled_assignment_never_gives_access(self) -> None:
        cancelled = attrs.evolve(GIVEN, cancelled_at=CREATED + DAY)
        reason = AlreadyCancelled(CREATED + DAY)
        for at, others in (
            (CREATED - US, [AssignmentNotActive(CREATED)]),
            (CREATED, []),
            (CREATED + DAY, []),
        ):
            assert AccessPolicy().evaluate(cancelled, at=at) == Decision([*others, reason])
        over = AccessPolicy().evaluate(cancelled, at=ENDS)
        assert over == Decision([reason, AssignmentExpired(ENDS)])


class TestFinishing:
    """An attempt that is open when the assignment ends can be finished (rule 5)."""

    @pytest.mark.parametrize("late", [*STEPS, 3000 * DAY])
    def test_the_end_of_access_does_not_matter(self, late: timedelta) -> None:
        assert FinishPolicy().evaluate(GIVEN, at=ENDS + late) == Decision()

    @pytest.mark.parametrize("step", STEPS)
    def test_before_the_creation_nothing_may_be_done(self, step: timedelta) -> None:
        decision = FinishPolicy().evaluate(GIVEN, at=CREATED + step)
        if step < timedelta(0):
            assert decision == Decision([AssignmentNotActive(CREATED)], CREATED)
        else:
            assert decision == Decision()

    def test_under_a_cancelled_one_nothing_is_finished(self) -> None:
        cancelled = attrs.evolve(GIVEN, cancelled_at=CREATED + DAY)
        for at in (CREATED, CREATED + DAY, ENDS):
            decision = FinishPolicy().evaluate(cancelled, at=at)
            assert decision == Decision([AlreadyCancelled(CREATED + DAY)])
        early = FinishPolicy().evaluate(cancelled, at=CREATED - US)
        assert early == Decision([AssignmentNotActive(CREATED), AlreadyCancelled(CREATED + DAY)])


class TestAnotherAttempt:
    """Retake as often as you like, one attempt at a time (rule 5)."""

    @given(st.lists(attempts(), max_size=4), utc_instants())
    def test_every_open_attempt_is_a_reason_at_any_time(
        self, given_ones: list[Attempt], at: datetime
    ) -> None:
        wanted = Decision([AttemptOpen(one.id) for one in given_ones if one.finished_at is None])
        for moment in (at, *elsewhere(at)):
            assert AttemptPolicy().evaluate(iter(given_ones), at=moment) == wanted

    def test_one_that_rests_is_open_one_that_is_finished_is_not(self) -> None:
        resting = attrs.evolve(OPEN, pauses=[Pause(CREATED)])
        finished = attrs.evolve(OPEN, finished_at=CREATED)
        found = [
            codes(AttemptPolicy().evaluate([one], at=CREATED)) for one in (OPEN, resting, finished)
        ]
        assert found == [["attempt_open"], ["attempt_open"], []]

    def test_none_at_all_is_no_hindrance(self) -> None:
        assert AttemptPolicy().evaluate([], at=CREATED) == Decision()


def of(subscription: Subscription, course_id: str | None) -> Ask:
    return lambda at: SubscriptionPolicy().evaluate(subscription, at=at, course_id=course_id)


class TestWhatASubscriptionOpens:
    """A course in the set opens while the subscription is active (rule 19)."""

    @pytest.mark.parametrize("course_id", [None, "py", "sql"])
    @pytest.mark.parametrize("step", STEPS)
    def test_at_its_end_it_is_over(self, step: timedelta, course_id: str | None) -> None:
        decision = of(GRANTED, course_id)(ENDS + step)
        if step < timedelta(0):
            assert decision == Decision((), ENDS)
        else:
            assert decision == Decision([SubscriptionEnded(ENDS)])

    @pytest.mark.parametrize("course_id", [None, "py", "sql"])
    @pytest.mark.parametrize("step", STEPS)
    def test_at_its_creation_it_begins(self, step: timedelta, course_id: str | None) -> None:
        decision = of(GRANTED, course_id)(CREATED + step)
        if step < timedelta(0):
            assert decision == Decision([SubscriptionNotActive(CREATED)], CREATED)
        else:
            assert decision == Decision((), ENDS)

    @pytest.mark.parametrize(
        ("cancelled_at", "ended_at"),
        [(CREATED, CREATED), (ENDS - US, ENDS - US), (ENDS, ENDS), (ENDS + DAY, ENDS)],
    )
    def test_a_cancelled_subscription_opens_nothing_and_has_its_first_end(
        self, cancelled_at: datetime, ended_at: datetime
    ) -> None:
        cancelled = attrs.evolve(GRANTED, cancelled_at=cancelled_at)
        for at in (CREATED, ENDS - US, ENDS, ENDS + 2 * DAY):
            assert of(cancelled, "py")(at) == Decision([SubscriptionEnded(ended_at)])

    def test_a_course_outside_the_set_never_opens(self) -> None:
        reason = CourseNotInSubscription("c++")
        assert of(GRANTED, "c++")(CREATED) == Decision([reason])
        early = of(attrs.evolve(GRANTED, cancelled_at=CREATED), "c++")(CREATED - US)
        assert early == Decision(
            [SubscriptionNotActive(CREATED), SubscriptionEnded(CREATED), reason]
        )
