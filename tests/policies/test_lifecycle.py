"""Rules 2 and 5: giving an assignment another end, and completing it by hand."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import (
    CompletionPolicy,
    CourseAssignment,
    Decision,
    Direct,
    ExpirationLimit,
    ReschedulePolicy,
)
from course_assignments.reasons import (
    AlreadyCancelled,
    AlreadyCompleted,
    AssignmentNotActive,
    ExpiresTooEarly,
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
from tests.support.strategies import US, assignments

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


@attrs.frozen
class Case:
    """An assignment, an end that is asked for, and the instant of asking."""

    assignment: CourseAssignment
    end: datetime
    at: datetime

    @property
    def marks(self) -> set[datetime]:
        return {*edges(self.assignment), self.end}

    def ask(self, at: datetime) -> Decision:
        return ReschedulePolicy().evaluate(self.assignment, expires_at=self.end, at=at)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    assignment = draw(assignments())
    end = draw(moments(edges(assignment)))
    return Case(assignment, end, draw(moments({*edges(assignment), end})))


class TestALaterChangeObeysTheSameLimit:
    """A later change may revive an expired assignment, never a cancelled one (rule 2).

    An end before now is refused, now ends access.
    """

    @given(cases())
    def test_all_reasons_are_returned_in_a_fixed_order(self, case: Case) -> None:
        against = {
            "assignment_not_active": case.at < case.assignment.created_at,
            "already_cancelled": case.assignment.cancelled_at is not None,
            "expires_too_early": case.end < case.at,
        }
        assert codes(case.ask(case.at)) == [code for code, holds in against.items() if holds]

    @given(cases())
    def test_the_answer_holds_until_it_changes_and_no_longer(self, case: Case) -> None:
        check_turn(case.ask, case.at, case.marks)

    @given(cases())
    def test_the_same_time_in_another_zone_has_the_same_answer(self, case: Case) -> None:
        for at, end in zip(elsewhere(case.at), elsewhere(case.end), strict=True):
            moved = ReschedulePolicy().evaluate(case.assignment, expires_at=end, at=at)
            assert moved == case.ask(case.at)

    @pytest.mark.parametrize("step", STEPS)
    def test_an_end_before_now_is_refused_and_now_ends_access(self, step: timedelta) -> None:
        now = CREATED + DAY
        decision = ReschedulePolicy().evaluate(GIVEN, expires_at=now + step, at=now)
        if step < timedelta(0):
            assert decision == Decision([ExpiresTooEarly(now)])
        else:
            assert decision == Decision((), now + step + US)

    @pytest.mark.parametrize("step", STEPS)
    def test_before_its_creation_nothing_may_be_done(self, step: timedelta) -> None:
        decision = ReschedulePolicy().evaluate(GIVEN, expires_at=ENDS, at=CREATED + step)
        if step < timedelta(0):
            assert decision == Decision([AssignmentNotActive(CREATED)], CREATED)
        else:
            assert decision == Decision((), ENDS + US)

    @pytest.mark.parametrize("late", [timedelta(0), US, 3000 * DAY])
    def test_an_expired_one_may_be_revived(self, late: timedelta) -> None:
        decision = ReschedulePolicy().evaluate(GIVEN, expires_at=ENDS + late, at=ENDS + late)
        assert decision.allowed

    @given(cases())
    def test_a_cancelled_assignment_never_may(self, case: Case) -> None:
        cancelled_at = case.assignment.cancelled_at or case.assignment.created_at
        cancelled = attrs.evolve(case.assignment, cancelled_at=cancelled_at)
        decision = attrs.evolve(case, assignment=cancelled).ask(case.at)
        assert AlreadyCancelled(cancelled_at) in decision.reasons
        assert decision.changes_at is None

    def test_everything_at_once(self) -> None:
        cancelled = attrs.evolve(GIVEN, cancelled_at=CREATED)
        at = CREATED - US
        decision = ReschedulePolicy().evaluate(cancelled, expires_at=at - US, at=at)
        assert decision == Decision(
            [AssignmentNotActive(CREATED), AlreadyCancelled(CREATED), ExpiresTooEarly(at)]
        )


class TestCompletingByHand:
    """Completing by hand: refused if cancelled, allowed if expired (rule 5)."""

    @given(assignments(), st.data())
    def test_all_reasons_are_returned_in_a_fixed_order(
        self, assignment: CourseAssignment, data: st.DataObject
    ) -> None:
        at = data.draw(moments(edges(assignment)))
        against = {
            "assignment_not_active": at < assignment.created_at,
            "already_cancelled": assignment.cancelled_at is not None,
            "already_completed": assignment.completed_at is not None,
        }
        decision = CompletionPolicy().evaluate(assignment, at=at)
        assert codes(decision) == [code for code, holds in against.items() if holds]
        for other in elsewhere(at):
            assert CompletionPolicy().evaluate(assignment, at=other) == decision

    @given(assignments(), st.data())
    def test_the_answer_holds_until_it_changes_and_no_longer(
        self, assignment: CourseAssignment, data: st.DataObject
    ) -> None:
        at = data.draw(moments(edges(assignment)))
        check_turn(lambda at: CompletionPolicy().evaluate(assignment, at=at), at, edges(assignment))

    @pytest.mark.parametrize("step", STEPS)
    def test_before_its_creation_nothing_may_be_done(self, step: timedelta) -> None:
        decision = CompletionPolicy().evaluate(GIVEN, at=CREATED + step)
        if step < timedelta(0):
            assert decision == Decision([AssignmentNotActive(CREATED)], CREATED)
        else:
            assert decision == Decision()

    @pytest.mark.parametrize("late", [-US, timedelta(0), US, 3000 * DAY])
    def test_an_expired_one_may_be_completed(self, late: timedelta) -> None:
        assert CompletionPolicy().evaluate(GIVEN, at=ENDS + late) == Decision()

    def test_a_cancelled_one_and_a_complete_one_may_not(self) -> None:
        over = attrs.evolve(GIVEN, cancelled_at=CREATED + DAY, completed_at=CREATED + US)
        wanted = (AlreadyCancelled(CREATED + DAY), AlreadyCompleted(CREATED + US))
        for at in (CREATED, CREATED + DAY, ENDS):
            assert CompletionPolicy().evaluate(over, at=at) == Decision(wanted)
        early = CompletionPolicy().evaluate(over, at=CREATED - US)
        assert early == Decision((AssignmentNotActive(CREATED), *wanted))


class TestJunk:
    def test_what_is_no_assignment_is_invalid(self) -> None:
        for ask in (
            lambda junk: ReschedulePolicy().evaluate(junk, expires_at=ENDS, at=CREATED),
            lambda junk: CompletionPolicy().evaluate(junk, at=CREATED),
        ):
            check_junk(ask, "assignment", [None, "a-1", *JUNK])

    def test_only_an_aware_datetime_is_valid(self) -> None:
        policy = ReschedulePolicy()
        check_junk(lambda junk: policy.evaluate(GIVEN, expires_at=ENDS, at=junk), "at", NO_INSTANTS)
        check_junk(
            lambda junk: policy.evaluate(GIVEN, expires_at=junk, at=CREATED),
            "expires_at",
            NO_INSTANTS,
        )
        check_junk(lambda junk: CompletionPolicy().evaluate(GIVEN, at=junk), "at", NO_INSTANTS)
