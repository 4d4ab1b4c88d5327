"""Subscriptions: what they keep, where they stand at any instant, and what was opened."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course_assignments import AssignmentStatus, Opening, Subscription
from course_assignments.testing.strategies import subscriptions
from tests.support.rules import NO_INSTANTS, STEPS, check_junk, edges, elsewhere, moments
from tests.support.strategies import identifiers

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
DAY = timedelta(days=1)
END = START + 30 * DAY
GIVEN = Subscription(
    id="s-1",
    learner_id="ada",
    organization_id="acme",
    course_ids=["py", "sql"],
    created_at=START,
    expires_at=END,
)


class TestWhereItStands:
    """Derived, not stored; from its creation until just before its end."""

    @given(subscriptions(), st.data())
    def test_follows_from_its_datetimes(
        self, subscription: Subscription, data: st.DataObject
    ) -> None:
        at = data.draw(moments(edges(subscription)))
        is_cancelled = subscription.cancelled_at is not None and subscription.cancelled_at <= at
        wanted = (
            AssignmentStatus.SCHEDULED
            if at < subscription.created_at
            else AssignmentStatus.CANCELLED
            if is_cancelled
            else AssignmentStatus.EXPIRED
            if subscription.expires_at <= at
            else AssignmentStatus.ACTIVE
        )
        for moment in (at, *elsewhere(at)):
            assert subscription.status_at(moment) is wanted
            assert subscription.is_active_at(moment) is (wanted is AssignmentStatus.ACTIVE)
            left = subscription.expires_at - at
            assert subscription.remaining_at(moment) == (
                left if wanted is AssignmentStatus.ACTIVE else timedelta(0)
            )

    @pytest.mark.parametrize("step", STEPS)
    def test_at_its_end_it_is_over(self, step: timedelta) -> None:
        assert GIVEN.is_active_at(END + step) is (step < timedelta(0))
        assert GIVEN.is_active_at(START + step) is (step >= timedelta(0))
        assert GIVEN.remaining_at(END + step) == max(timedelta(0), -step)

    @pytest.mark.parametrize("name", ["status_at", "is_active_at", "remaining_at"])
    def test_it_needs_an_aware_datetime(self, name: str) -> None:
        check_junk(getattr(GIVEN, name), "at", NO_INSTANTS)


class TestOpenings:
    """What may exist once gets an id made from what makes it unique: subscription, course, turn."""

    @given(subscriptions(), identifiers())
    def test_are_returned_by_course_in_order(self, subscription: Subscription, course: str) -> None:
        names = {one.course_id for one in subscription.openings} | {course}
        found = {name: subscription.opened(name) for name in names}
        assert sum(map(len, found.values())) == len(subscription.openings)
        for name, ids in found.items():
            mine = [one for one in subscription.openings if one.course_id == name]
            assert [one.assignment_id for one in mine] == [*ids]

    @given(st.lists(st.sampled_from(["py", "sql"]), max_size=5), st.sampled_from(["py", "sql"]))
    def test_each_turn_of_each_course_has_an_id_of_its_own(
        self, opened: list[str], course: str
    ) -> None:
        subscription, ids = GIVEN, set[str]()
        for one in [*opened, course]:
            made = subscription.next_assignment_id(one)
            assert made not in ids
            # What another course is opened for does not move it.
            other = {"py": "sql", "sql": "py"}[one]
            aside = attrs.evolve(
                subscription, openings=[*subscription.openings, Opening(other, "a-9")]
            )
            assert aside.next_assignment_id(one) == made
            ids.add(made)
            openings = [*subscription.openings, Opening(one, made)]
            subscription = attrs.evolve(subscription, openings=openings)

    @given(identifiers(), identifiers(), identifiers(), identifiers())
    @example("ab", "c", "a", "bc")
    def test_two_subscriptions_never_meet(
        self, one: str, course: str, other: str, another: str
    ) -> None:
        first = attrs.evolve(GIVEN, id=one).next_assignment_id(course)
        second = attrs.evolve(GIVEN, id=other).next_assignment_id(another)
        assert (first == second) == ((one, course) == (other, another))

    def test_have_an_id_that_stays_what_it_is_in_every_version(self) -> None:
        assert GIVEN.next_assignment_id("py") == (
            "3cef184ef412f15e2b699b36d9b012a498ba4134155ce7dc729adedc02682131"
        )
