"""Rules 2 and 5: rescheduling an assignment, and completing it by hand."""

from datetime import timedelta

import attrs
import pytest

from course_assignments import CompletionPolicy, Decision, ReschedulePolicy
from course_assignments.reasons import (
    AlreadyCancelled,
    AlreadyCompleted,
    AssignmentNotActive,
    ExpiresTooEarly,
)
from tests.support.acts import GIVEN
from tests.support.rules import STEPS
from tests.support.strategies import US

DAY = timedelta(days=1)
CREATED, ENDS = GIVEN.created_at, GIVEN.expires_at


class TestRescheduling:
    """A later change may revive an expired assignment, never a cancelled one (rule 2).

    An end before now is refused, now ends access.
    """

    @pytest.mark.parametrize("step", STEPS)
    def test_an_end_before_now_is_refused_and_now_ends_access(self, step: timedelta) -> None:
        now = CREATED + DAY
        decision = ReschedulePolicy().evaluate(GIVEN, expires_at=now + step, at=now)
        if step < timedelta(0):
            assert decision == Decision([ExpiresTooEarly(now)])
        else:
            assert decision == Decision((), now + step + US)

    @pytest.mark.parametrize("step", STEPS)
    def test_it_is_refused_before_the_creation(self, step: timedelta) -> None:
        decision = ReschedulePolicy().evaluate(GIVEN, expires_at=ENDS, at=CREATED + step)
        if step < timedelta(0):
            assert decision == Decision([AssignmentNotActive(CREATED)], CREATED)
        else:
            assert decision == Decision((), ENDS + US)

    @pytest.mark.parametrize("late", [timedelta(0), US, 3000 * DAY])
    def test_an_expired_assignment_may_be_revived(self, late: timedelta) -> None:
        decision = ReschedulePolicy().evaluate(GIVEN, expires_at=ENDS + late, at=ENDS + late)
        assert decision.allowed

    def test_all_reasons_are_returned_at_once(self) -> None:
        cancelled = attrs.evolve(GIVEN, cancelled_at=CREATED)
        at = CREATED - US
        decision = ReschedulePolicy().evaluate(cancelled, expires_at=at - US, at=at)
        assert decision == Decision(
            [AssignmentNotActive(CREATED), AlreadyCancelled(CREATED), ExpiresTooEarly(at)]
        )


class TestCompletingByHand:
    """Completing by hand: refused if cancelled, allowed if expired (rule 5)."""

    @pytest.mark.parametrize("step", STEPS)
    def test_it_is_refused_before_the_creation(self, step: timedelta) -> None:
        decision = CompletionPolicy().evaluate(GIVEN, at=CREATED + step)
        if step < timedelta(0):
            assert decision == Decision([AssignmentNotActive(CREATED)], CREATED)
        else:
            assert decision == Decision()

    @pytest.mark.parametrize("late", [-US, timedelta(0), US, 3000 * DAY])
    def test_an_expired_assignment_may_be_completed(self, late: timedelta) -> None:
        assert CompletionPolicy().evaluate(GIVEN, at=ENDS + late) == Decision()

    def test_a_cancelled_or_complete_assignment_may_not(self) -> None:
        over = attrs.evolve(GIVEN, cancelled_at=CREATED + DAY, completed_at=CREATED + US)
        wanted = (AlreadyCancelled(CREATED + DAY), AlreadyCompleted(CREATED + US))
        for at in (CREATED, CREATED + DAY, ENDS):
            assert CompletionPolicy().evaluate(over, at=at) == Decision(wanted)
        early = CompletionPolicy().evaluate(over, at=CREATED - US)
        assert early == Decision((AssignmentNotActive(CREATED), *wanted))
