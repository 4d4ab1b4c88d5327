"""Subscriptions: their status at any time, and what was opened."""

from datetime import timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import AssignmentStatus, Opening, Subscription
from course_assignments.testing.strategies import subscriptions
from tests.support.acts import SUBSCRIPTION
from tests.support.rules import STEPS, edges, elsewhere, moments
from tests.support.strategies import identifiers

GIVEN = attrs.evolve(SUBSCRIPTION, openings=[])
START, END = GIVEN.created_at, GIVEN.expires_at


class TestStatus:
    """Derived, not stored; active from its creation until just before its end."""

    @given(subscriptions(), st.data())
    def test_follows_from_its_datetimes(
        self, subscription: Subscription, data: st.DataObject
    ) -> None:
        at = data.draw(moments(edges(subscription)))
        is_cancelled = subscription.cancelled_at is not None and subscription.cancelled_at <= at
        wanted = AssignmentStatus.ACTIVE
        if at < subscription.created_at:
            wanted = AssignmentStatus.SCHEDULED
        elif is_cancelled:
            wanted = AssignmentStatus.CANCELLED
        elif subscription.expires_at <= at:
            wanted = AssignmentStatus.EXPIRED
        for moment in (at, *elsewhere(at)):
            assert subscription.status_at(moment) is wanted
            assert subscription.is_active_at(moment) is (wanted is AssignmentStatus.ACTIVE)
            left = subscription.expires_at - at
            assert subscription.remaining_at(moment) == (
                left if wanted is AssignmentStatus.ACTIVE else timedelta(0)
            )

    @pytest.mark.parametrize("step", STEPS)
    def test_is_active_from_creation_until_just_before_the_end(self, step: timedelta) -> None:
        assert GIVEN.is_active_at(END + step) is (step < timedelta(0))
        assert GIVEN.is_active_at(START + step) is (step >= timedelta(0))
        assert GIVEN.remaining_at(END + step) == max(timedelta(0), -step)


class TestOpenings:
    """Each opening has an id derived from the subscription, the course and the turn."""

    @given(subscriptions(), identifiers())
    def test_are_returned_by_course_in_order(self, subscription: Subscription, course: str) -> None:
        names = {one.course_id for one in subscription.openings} | {course}
        found = {name: subscription.opened(name) for name in names}
        assert sum(map(len, found.values())) == len(subscription.openings)
        for name, ids in found.items():
            mine = [one for one in subscription.openings if one.course_id == name]
            assert [one.assignment_id for one in mine] == [*ids]

    @given(st.lists(st.sampled_from(["py", "sql"]), max_size=5), st.sampled_from(["py", "sql"]))
    def test_each_turn_of_each_course_has_a_different_id(
        self, opened: list[str], course: str
    ) -> None:
        subscription, ids = GIVEN, set[str]()
        for one in [*opened, course]:
            made = subscription.next_assignment_id(one)
            assert made not in ids
            # Opening another course does not change the next id.
            other = {"py": "sql", "sql": "py"}[one]
            aside = attrs.evolve(
                subscription, openings=[*subscription.openings, Opening(other, "a-9")]
            )
            assert aside.next_assignment_id(one) == made
            ids.add(made)
            openings = [*subscription.openings, Opening(one, made)]
            subscription = attrs.evolve(subscription, openings=openings)
