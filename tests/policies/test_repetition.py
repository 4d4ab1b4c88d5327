"""Rule 15: whether a learner with an active assignment of a course gets another one."""

from datetime import datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import CourseAssignment, Decision, Repeat, RepeatPolicy
from course_assignments.policies.repetition import latest_open
from course_assignments.reasons import AlreadyAssigned
from tests.support.acts import GIVEN
from tests.support.rules import STEPS, check_turn, edges, near
from tests.support.strategies import US, assignments

CREATED = GIVEN.created_at
HOUR = timedelta(hours=1)
POLICY = RepeatPolicy()
FIRST = attrs.evolve(GIVEN, expires_at=CREATED + HOUR)


def lasting(id_: str, start: int, hours: int, *, cancelled: bool = False) -> CourseAssignment:
    """Return an assignment that starts this number of hours after the first one."""
    created = CREATED + start * HOUR
    return attrs.evolve(
        FIRST,
        id=id_,
        created_at=created,
        expires_at=created + hours * HOUR,
        cancelled_at=created if cancelled else None,
    )


#: Assignments that overlap, follow each other without a gap, or leave one.
EXISTING = st.lists(
    st.builds(
        lasting,
        st.sampled_from(["a", "b", "c", "d"]),
        st.integers(0, 8),
        st.integers(1, 4),
        cancelled=st.sampled_from([False, False, False, True]),
    )
    | assignments(),
    max_size=5,
)


def active(existing: list[CourseAssignment], at: datetime) -> list[CourseAssignment]:
    """Return those that give access at *at* or later."""
    return [one for one in existing if one.cancelled_at is None and at < one.expires_at]


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[CourseAssignment], datetime]:
    existing = draw(EXISTING)
    return existing, draw(st.sampled_from(sorted(near({CREATED, *edges(*existing)}))))


class TestRepeating:
    """The learner already has an active assignment of that course (rule 15)."""

    @given(questions())
    def test_a_refusal_names_the_active_assignment_that_ends_last(
        self, question: tuple[list[CourseAssignment], datetime]
    ) -> None:
        existing, at = question
        found = active(existing, at)
        decision = POLICY.evaluate(existing, at=at)
        assert decision.allowed is (not found)
        if found:
            end = max(one.expires_at for one in found)
            name = min(one.id for one in found if one.expires_at == end)
            assert decision.reasons == (AlreadyAssigned(name, end),)
            held = latest_open(existing, at)
            assert held in found
            assert held is not None
            assert (held.id, held.expires_at) == (name, end)
        else:
            assert latest_open(existing, at) is None

    @given(questions())
    def test_the_answer_holds_until_it_changes_and_no_longer(
        self, question: tuple[list[CourseAssignment], datetime]
    ) -> None:
        existing, at = question
        check_turn(lambda at: POLICY.evaluate(existing, at=at), at, edges(*existing))

    @pytest.mark.parametrize("step", STEPS)
    def test_an_assignment_counts_until_just_before_its_end(self, step: timedelta) -> None:
        decision = POLICY.evaluate([FIRST], at=CREATED + HOUR + step)
        assert decision.allowed is (step >= timedelta(0))

    @pytest.mark.parametrize("step", STEPS)
    def test_an_assignment_counts_even_before_its_creation(self, step: timedelta) -> None:
        assert not POLICY.evaluate([FIRST], at=CREATED + step)

    def test_of_consecutive_assignments_the_last_end_counts(self) -> None:
        chain = [lasting("a", 0, 2), lasting("b", 2, 2), lasting("c", 5, 1)]
        end = CREATED + 6 * HOUR
        assert POLICY.evaluate(chain, at=CREATED) == Decision([AlreadyAssigned("c", end)], end)
        assert POLICY.evaluate(chain, at=end) == Decision()

    def test_a_cancelled_assignment_never_counts(self) -> None:
        cancelled = attrs.evolve(FIRST, cancelled_at=CREATED + HOUR / 2)
        for passed in (-US, timedelta(0), HOUR / 4):
            assert POLICY.evaluate([cancelled], at=CREATED + passed) == Decision()
        assert latest_open([cancelled], CREATED) is None

    def test_the_setting_is_the_documented_one(self) -> None:
        assert POLICY.default is Repeat.ALLOW
        assert RepeatPolicy(default=Repeat.SKIP).default is Repeat.SKIP
