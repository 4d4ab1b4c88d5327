"""Subscriptions: what they keep, where they stand at any instant, and what was opened."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course_assignments import AssignmentStatus, InvalidInput, Opening, Subscription
from course_assignments.testing.strategies import subscriptions
from tests.support.rules import NO_INSTANTS, STEPS, check_junk, edges, elsewhere, moments
from tests.support.strategies import identifiers, zones
from tests.support.values import assert_is_value, refusal

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


@given(subscriptions())
def test_subscriptions_are_values(subscription: Subscription) -> None:
    assert_is_value(subscription)
    for opening in subscription.openings:
        assert_is_value(opening, keyword_only=False)


def test_what_is_not_said_has_not_happened() -> None:
    assert (GIVEN.edited_at, GIVEN.cancelled_at, GIVEN.openings) == (None, None, ())
    assert GIVEN.course_ids == ("py", "sql")
    assert attrs.evolve(GIVEN, organization_id=None).organization_id is None


NO_IDS: list[tuple[Any, str]] = [("", "blank"), ("a" * 201, "too_long"), (5, "not_a_text")]
INSTANTS: list[tuple[Any, str]] = [
    (START.replace(tzinfo=None), "naive_datetime"),
    ("2026-02-05", "not_a_datetime"),
    (datetime(1969, 12, 31, tzinfo=UTC), "out_of_range"),
]
OPENING = Opening("py", "a-1")
REFUSED: list[tuple[Any, str, Any, str, str]] = [
    *((GIVEN, at, junk, at, code) for at in ("id", "learner_id") for junk, code in NO_IDS),
    *((GIVEN, at, None, at, "not_a_text") for at in ("id", "learner_id")),
    *((GIVEN, "organization_id", junk, "organization_id", code) for junk, code in NO_IDS),
    *((GIVEN, "course_ids", ["py", junk], "course_ids[1]", code) for junk, code in NO_IDS),
    (GIVEN, "course_ids", ["py", "sql", "py"], "course_ids[2]", "repeated"),
    (GIVEN, "course_ids", [[]], "course_ids[0]", "not_a_text"),
    (GIVEN, "course_ids", [], "course_ids", "empty_list"),
    (GIVEN, "course_ids", "py", "course_ids", "not_a_list"),
    (GIVEN, "course_ids", None, "course_ids", "not_a_list"),
    *((GIVEN, at, None, at, "not_a_datetime") for at in ("created_at", "expires_at")),
    *(
        (GIVEN, at, junk, at, code)
        for at in ("created_at", "expires_at", "edited_at", "cancelled_at")
        for junk, code in INSTANTS
    ),
    (GIVEN, "openings", "py", "openings", "not_a_list"),
    (GIVEN, "openings", [("py", "a-1")], "openings[0]", "wrong_type"),
    *(
        (OPENING, at, junk, at, code)
        for at in ("course_id", "assignment_id")
        for junk, code in [*NO_IDS, (None, "not_a_text")]
    ),
]


@pytest.mark.parametrize(("record", "field", "value", "path", "code"), REFUSED)
def test_a_field_out_of_bounds_is_refused_by_its_name(
    record: Any, field: str, value: Any, path: str, code: str
) -> None:
    error = refusal(lambda: attrs.evolve(record, **{field: value}))
    assert (error.code, error.field) == (code, path)


class TestTheOrderOfInstants:
    @pytest.mark.parametrize("step", STEPS)
    def test_the_end_lies_after_the_creation(self, step: timedelta) -> None:
        if step > timedelta(0):
            assert attrs.evolve(GIVEN, expires_at=START + step).expires_at == START + step
        else:
            error = refusal(lambda: attrs.evolve(GIVEN, expires_at=START + step))
            assert (error.code, error.field) == ("empty_window", "expires_at")

    @pytest.mark.parametrize("name", ["edited_at", "cancelled_at"])
    @pytest.mark.parametrize("step", STEPS)
    def test_nothing_happens_to_it_before_its_creation(self, name: str, step: timedelta) -> None:
        fields: dict[str, Any] = {name: START + step}
        if step < timedelta(0):
            error = refusal(lambda: attrs.evolve(GIVEN, **fields))
            assert (error.code, error.field) == ("before_creation", name)
        else:
            assert getattr(attrs.evolve(GIVEN, **fields), name) == START + step

    @given(subscriptions(), zones())
    def test_datetimes_in_any_zone_make_the_same_subscription(
        self, subscription: Subscription, zone: tzinfo
    ) -> None:
        names = ("created_at", "expires_at", "edited_at", "cancelled_at")
        moved: dict[str, Any] = {
            name: instant.astimezone(zone)
            for name in names
            if (instant := getattr(subscription, name)) is not None
        }
        again = attrs.evolve(subscription, **moved)
        assert again == subscription
        assert all(getattr(again, name).tzinfo is UTC for name in moved)


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

    @pytest.mark.parametrize("junk", [None, 5, "", [], b"py"])
    def test_are_asked_for_by_the_id_of_a_course(self, junk: Any) -> None:
        for ask in (GIVEN.opened, GIVEN.next_assignment_id):
            with pytest.raises(InvalidInput) as caught:
                ask(junk)
            assert caught.value.field == "course_id"
