"""Rules 3 and 4: when an assignment can be cancelled, and what support may do."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import CancellationPolicy, CourseAssignment, Decision, Months
from course_assignments.reasons import (
    AlreadyCancelled,
    AssignmentNotActive,
    CancellationWindowClosed,
    LabLaunched,
)
from tests.support.acts import GIVEN
from tests.support.rules import NO_INSTANTS, STEPS, check_junk, edges, moments
from tests.support.strategies import US, assignments

CREATED = datetime(2026, 3, 28, 20, tzinfo=UTC)
DAY = timedelta(hours=24)
ASSIGNMENT = attrs.evolve(GIVEN, created_at=CREATED, expires_at=CREATED + timedelta(days=180))


@attrs.frozen
class Dates:
    """The fields that the policy reads of an assignment or a subscription."""

    created_at: datetime
    cancelled_at: datetime | None = None
    first_lab_launched_at: datetime | None = None


WINDOWS = st.timedeltas(US, timedelta(days=500)) | st.just(DAY)


@st.composite
def questions(draw: st.DrawFn) -> tuple[CancellationPolicy, CourseAssignment, datetime, bool]:
    """Draw a policy, an assignment, a datetime at or near one of its own, and who asks."""
    assignment, window = draw(assignments()), draw(WINDOWS)
    at = draw(moments({*edges(assignment), assignment.created_at + window}))
    return CancellationPolicy(window=window), assignment, at, draw(st.booleans())


class TestCancelling:
    """Cancel "only within 24 hours of creation and only if no labs have been launched" (rule 3)."""

    @pytest.mark.parametrize(
        ("passed", "allowed"),
        [
            (-US, False),
            (timedelta(0), True),
            (US, True),
            (DAY - US, True),
            (DAY, True),
            (DAY + US, False),
        ],
    )
    def test_the_window_has_24_hours_including_its_end(
        self, passed: timedelta, *, allowed: bool
    ) -> None:
        decision = CancellationPolicy().evaluate(ASSIGNMENT, at=CREATED + passed)
        assert decision.allowed is allowed

    def test_the_window_has_24_hours_when_clocks_change(self) -> None:
        # 21:00 in Berlin; the next day at 21:00 only 23 hours have passed.
        berlin = ZoneInfo("Europe/Berlin")
        assert CREATED.astimezone(berlin).utcoffset() == timedelta(hours=1)
        closes_at = CancellationPolicy().closes_at(ASSIGNMENT)
        assert closes_at == datetime(2026, 3, 29, 22, tzinfo=berlin)
        assert closes_at.tzinfo is UTC

    @given(assignments(), WINDOWS)
    def test_it_closes_at_the_end_of_the_window(
        self, assignment: CourseAssignment, window: timedelta
    ) -> None:
        policy = CancellationPolicy(window=window)
        assert policy.closes_at(assignment) == assignment.created_at + window

    @pytest.mark.parametrize("passed", [timedelta(0), DAY])
    def test_a_permission_ends_a_microsecond_after_the_window(self, passed: timedelta) -> None:
        decision = CancellationPolicy().evaluate(ASSIGNMENT, at=CREATED + passed)
        assert decision == Decision((), CREATED + DAY + US)

    @pytest.mark.parametrize(
        ("changed", "passed", "reasons"),
        [
            ({}, -US, (AssignmentNotActive(CREATED),)),
            ({}, DAY + US, (CancellationWindowClosed(CREATED + DAY),)),
            ({"first_lab_launched_at": CREATED}, US, (LabLaunched(CREATED),)),
            ({"cancelled_at": CREATED}, US, (AlreadyCancelled(CREATED),)),
            (
                {"cancelled_at": CREATED + US, "first_lab_launched_at": CREATED},
                2 * DAY,
                (
                    AlreadyCancelled(CREATED + US),
                    CancellationWindowClosed(CREATED + DAY),
                    LabLaunched(CREATED),
                ),
            ),
        ],
    )
    def test_a_reason_has_its_datetime(
        self, changed: dict[str, Any], passed: timedelta, reasons: tuple[object, ...]
    ) -> None:
        assignment = attrs.evolve(ASSIGNMENT, **changed)
        assert CancellationPolicy().evaluate(assignment, at=CREATED + passed).reasons == reasons

    def test_a_complete_or_expired_assignment_can_be_cancelled_within_it(self) -> None:
        short = attrs.evolve(ASSIGNMENT, expires_at=CREATED + US, completed_at=CREATED)
        assert CancellationPolicy().evaluate(short, at=CREATED + DAY).allowed


class TestSupport:
    """After 24 hours and no labs launched, ask support (rule 4)."""

    @pytest.mark.parametrize("passed", [DAY + US, timedelta(days=179), timedelta(days=9999)])
    def test_support_waives_the_window_and_never_a_launched_lab(self, passed: timedelta) -> None:
        launched = attrs.evolve(ASSIGNMENT, first_lab_launched_at=CREATED)
        policy = CancellationPolicy()
        assert policy.evaluate(ASSIGNMENT, at=CREATED + passed, support=True) == Decision()
        refused = policy.evaluate(launched, at=CREATED + passed, support=True)
        assert refused == Decision([LabLaunched(CREATED)])


class TestAnythingWithTheThreeDatetimes:
    """The policy also takes subscriptions, which have no labs, and a host's own rows."""

    @given(questions())
    def test_no_other_field_of_an_assignment_matters(
        self, question: tuple[CancellationPolicy, CourseAssignment, datetime, bool]
    ) -> None:
        policy, assignment, at, support = question
        dates = Dates(*(getattr(assignment, one.name) for one in attrs.fields(Dates)))
        wanted = policy.evaluate(assignment, at=at, support=support)
        assert policy.evaluate(dates, at=at, support=support) == wanted
        assert policy.closes_at(dates) == policy.closes_at(assignment)

    def test_its_datetimes_may_be_in_any_zone(self) -> None:
        berlin = CREATED.astimezone(ZoneInfo("Europe/Berlin"))
        policy = CancellationPolicy()
        dates, same = Dates(berlin, berlin, berlin), Dates(CREATED, CREATED, CREATED)
        assert policy.closes_at(dates).tzinfo is UTC
        assert policy.evaluate(dates, at=CREATED) == policy.evaluate(same, at=CREATED)


class TestSettings:
    def test_they_are_the_documented_ones(self) -> None:
        policy = CancellationPolicy()
        assert policy.window == timedelta(hours=24)
        assert policy.restores_key_use is False

    @pytest.mark.parametrize("step", STEPS)
    def test_another_window_is_as_exact(self, step: timedelta) -> None:
        fortnight = timedelta(days=14)
        decision = CancellationPolicy(window=fortnight).evaluate(
            ASSIGNMENT, at=CREATED + fortnight + step
        )
        assert decision.allowed is (step <= timedelta(0))

    def test_a_window_must_be_an_exact_duration(self) -> None:
        values = [timedelta(0), -DAY, Months(1)]
        check_junk(lambda junk: CancellationPolicy(window=junk), "window", values)

    def test_a_window_ends_with_the_accepted_years(self) -> None:
        end = datetime(9899, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
        late = attrs.evolve(ASSIGNMENT, created_at=end - timedelta(hours=1), expires_at=end)
        assert CancellationPolicy().closes_at(late) == end
        assert CancellationPolicy().evaluate(late, at=end) == Decision()


class TestInvalidDatetimes:
    @pytest.mark.parametrize("name", [at.name for at in attrs.fields(Dates)])
    def test_are_refused_by_their_path(self, name: str) -> None:
        policy = CancellationPolicy()
        values = [0, "", *(one for one in NO_INSTANTS if one is not None)]

        def dates(junk: Any) -> Dates:
            given: dict[str, Any] = {"created_at": CREATED, name: junk}
            return Dates(**given)

        field = f"cancellable.{name}"
        check_junk(lambda junk: policy.closes_at(dates(junk)), field, values)
        check_junk(lambda junk: policy.evaluate(dates(junk), at=CREATED), field, values)
