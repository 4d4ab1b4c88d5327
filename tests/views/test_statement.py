"""Rule 16: what is billed for a period, and the sum of two adjoining periods."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from itertools import groupby, pairwise
from operator import add
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.time.datetimes import start_of_day
from tests.support.acts import GIVEN
from tests.support.strategies import ZONE_NAMES
from tests.support.values import assert_is_value, refusal
from tests.support.world import ACME, BETA, MANAGER, START, SUPPORT, world

US, HOUR, DAY = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)
JANUARY, FEBRUARY, MARCH = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3))


def assignment(
    name: str,
    created: datetime,
    *,
    organization: str | None = "acme",
    course: str = "py",
    cancelled: timedelta | None = None,
) -> ca.CourseAssignment:
    return attrs.evolve(
        GIVEN,
        id=name,
        course_id=course,
        organization_id=organization,
        created_at=created,
        expires_at=created + 180 * DAY,
        cancelled_at=None if cancelled is None else created + cancelled,
    )


def stored(*records: Any) -> ca.InMemoryRepository:
    repository = ca.InMemoryRepository()
    repository.commit(ca.Change(create=[ACME, BETA, *records]))
    return repository


def ticks(first: int, last: int) -> st.SearchStrategy[datetime]:
    return st.integers(first, last).map(lambda count: JANUARY + count * US)


@st.composite
def histories(draw: st.DrawFn, created: st.SearchStrategy[datetime]) -> list[ca.CourseAssignment]:
    """Draw assignments of few organizations and courses, some of them cancelled."""
    return [
        assignment(
            f"a-{7 * number % 10}",
            draw(created),
            organization=draw(st.sampled_from([None, "acme", "beta"])),
            course=draw(st.sampled_from(["py", "sql"])),
            cancelled=draw(st.none() | st.sampled_from([timedelta(0), 2 * US, DAY, 90 * DAY])),
        )
        for number in range(draw(st.integers(0, 9)))
    ]


PERIODS = st.lists(ticks(-1, 7), min_size=2, max_size=5, unique=True).map(sorted)
#: Days around changes of the clocks in several zones.
DAYS = st.dates(date(2026, 3, 20), date(2026, 4, 10))
ORGANIZATIONS = st.sampled_from([None, "acme", "beta"])


class TestFilter:
    """A statement lists assignments created in `[start, end)`; cancelled ones are not billable."""

    @given(histories(ticks(0, 6)), PERIODS, ORGANIZATIONS)
    def test_lines_and_totals(
        self, history: list[ca.CourseAssignment], period: list[datetime], whose: str | None
    ) -> None:
        start, end = period[0], period[-1]
        found = ca.statement(stored(*history), start=start, end=end, organization_id=whose)
        created = [
            one
            for one in history
            if start <= one.created_at < end and whose in {None, one.organization_id}
        ]
        created.sort(
            key=lambda one: (one.organization_id or "", one.course_id, one.created_at, one.id)
        )
        assert [
            (
                *(line.organization_id, line.course_id, line.learner_id),
                *(line.assignment_id, line.created_at, line.cancelled_at, line.billable),
            )
            for line in found.lines
        ] == [
            (
                *(one.organization_id, one.course_id, one.learner_id),
                *(one.id, one.created_at, one.cancelled_at, one.cancelled_at is None),
            )
            for one in created
        ]
        assert [line.assignment_id for line in found.billable] == [
            one.id for one in created if one.cancelled_at is None
        ]
        groups = groupby(created, key=lambda one: (one.organization_id, one.course_id))
        counts = [(group, [one.cancelled_at is None for one in ones]) for group, ones in groups]
        assert [attrs.astuple(total) for total in found.totals] == [
            (*group, len(kept), kept.count(False), kept.count(True)) for group, kept in counts
        ]


class Inclusive:
    """A repository that wrongly includes the end of a range."""

    def __init__(self, inner: ca.InMemoryRepository) -> None:
        self.get, self.inner = inner.get, inner
        self.commit = inner.commit

    def find(self, query: ca.Query[Any], /) -> ca.Page[Any]:
        """Return the records in the range, including its end."""
        until: Any = getattr(query, "created_until", None)
        later: dict[str, Any] = {"created_until": until + US}
        return self.inner.find(attrs.evolve(query, **later))


class TestAdding:
    """Adding two adjoining periods gives the statement of both."""

    @given(histories(ticks(0, 6)), PERIODS, ORGANIZATIONS)
    def test_parts_of_any_period(
        self, history: list[ca.CourseAssignment], cuts: list[datetime], whose: str | None
    ) -> None:
        repository = stored(*history)
        parts = [
            ca.statement(repository, start=start, end=end, organization_id=whose)
            for start, end in pairwise(cuts)
        ]
        whole = ca.statement(repository, start=cuts[0], end=cuts[-1], organization_id=whose)
        assert reduce(add, parts) == whole

    @given(
        st.lists(DAYS, min_size=3, max_size=3, unique=True), st.sampled_from(ZONE_NAMES), st.data()
    )
    def test_days_in_any_zone(self, days: list[date], name: str, data: st.DataObject) -> None:
        first, cut, last = sorted(days)
        zone = ZoneInfo(name)
        near = st.sampled_from(days).flatmap(
            lambda day: st.sampled_from([-HOUR, -US, timedelta(0), US, HOUR]).map(
                lambda off: start_of_day(day, zone) + off
            )
        )
        repository = stored(*data.draw(histories(near)))

        def between(start: date, end: date) -> ca.Statement:
            return ca.statement(repository, start=start, end=end, zone=zone)

        whole = between(first, last)
        assert between(first, cut) + between(cut, last) == whole
        assert all(first <= line.created_at.astimezone(zone).date() < last for line in whole.lines)

    def test_a_repository_that_includes_the_end_is_refused(self) -> None:
        kept = stored(assignment("a-1", FEBRUARY))
        parts = [
            ca.statement(kept, start=start, end=end)
            for start, end in ((JANUARY, FEBRUARY), (FEBRUARY, MARCH))
        ]
        assert len(reduce(add, parts).lines) == 1
        found = refusal(lambda: ca.statement(Inclusive(kept), start=JANUARY, end=FEBRUARY))
        assert found.code == "out_of_period"

    @pytest.mark.parametrize(
        "changes",
        [
            {"start": FEBRUARY + US},
            {"start": FEBRUARY - US},
            {"organization_id": "acme"},
        ],
    )
    def test_periods_that_do_not_adjoin_are_refused(self, changes: Mapping[str, Any]) -> None:
        one = ca.Statement(start=JANUARY, end=FEBRUARY)
        other = ca.Statement(start=FEBRUARY, end=MARCH)
        assert (one + other).end == MARCH
        error = refusal(lambda: one + attrs.evolve(other, **changes))
        assert (error.code, error.field) == ("not_adjoining", "other")
        assert refusal(lambda: other + one).code == "not_adjoining"

    def test_the_zone_of_the_days_does_not_matter(self) -> None:
        one = ca.Statement(start=JANUARY, end=FEBRUARY)
        other = ca.Statement(start=FEBRUARY, end=MARCH, zone=ZoneInfo("UTC"))
        assert one + other == ca.Statement(start=JANUARY, end=MARCH)
        assert (other.zone, (one + other).zone) == (ZoneInfo("UTC"), UTC)


class TestPeriod:
    """From its start until just before its end; a date is a day in the zone."""

    @pytest.mark.parametrize(
        ("created", "months"),
        [
            (JANUARY - US, []),
            (JANUARY, [1]),
            (JANUARY + US, [1]),
            (FEBRUARY - US, [1]),
            (FEBRUARY, [2]),
            (FEBRUARY + US, [2]),
            (MARCH - US, [2]),
            (MARCH, []),
        ],
    )
    def test_each_datetime_is_in_one_period(self, created: datetime, months: list[int]) -> None:
        repository = stored(assignment("a-1", created))
        found = [
            start.month
            for start, end in ((JANUARY, FEBRUARY), (FEBRUARY, MARCH))
            if ca.statement(repository, start=start, end=end).lines
        ]
        assert found == months

    def test_days_are_those_of_the_organization(self) -> None:
        berlin = datetime(2025, 12, 31, 23, tzinfo=UTC)
        repository = stored(assignment("a-0", berlin - US), assignment("a-1", berlin))
        days: dict[str, Any] = {"start": date(2026, 1, 1), "end": date(2026, 2, 1)}
        found = ca.statement(repository, **days, organization_id="acme")
        assert (found.start, found.end) == (berlin, FEBRUARY - HOUR)
        assert (str(found.zone), found.organization_id) == ("Europe/Berlin", "acme")
        assert [line.assignment_id for line in found.lines] == ["a-1"]
        assert ca.statement(repository, **days).lines == ()
        assert ca.statement(repository, **days).zone is UTC
        tokyo = ca.statement(
            repository, **days, organization_id="acme", zone=ZoneInfo("Asia/Tokyo")
        )
        assert tokyo.start == JANUARY - 9 * HOUR
        assert len(tokyo.lines) == 2

    def test_a_date_and_a_datetime_can_be_mixed(self) -> None:
        found = ca.statement(stored(), start=date(2026, 1, 1), end=START)
        assert (found.start, found.end) == (JANUARY, START)

    def test_datetimes_in_any_zone_are_accepted(self) -> None:
        there = JANUARY.astimezone(ZoneInfo("Asia/Tokyo"))
        assert ca.statement(stored(), start=there, end=FEBRUARY).start.tzinfo is UTC

    @pytest.mark.parametrize(
        ("start", "end", "zone"),
        [
            (JANUARY, JANUARY, UTC),
            (FEBRUARY, JANUARY, UTC),
            (date(2026, 1, 1), date(2026, 1, 1), UTC),
            # Samoa skipped the 30th of December 2011.
            (date(2011, 12, 30), date(2011, 12, 31), ZoneInfo("Pacific/Apia")),
        ],
    )
    def test_an_empty_period_is_refused(self, start: Any, end: Any, zone: Any) -> None:
        error = refusal(lambda: ca.statement(stored(), start=start, end=end, zone=zone))
        assert (error.code, error.field) == ("empty_window", "end")
        assert refusal(lambda: ca.Statement(start=FEBRUARY, end=FEBRUARY)).field == "end"


class TestOrganization:
    """The organization billed is the one the learner had at creation."""

    def test_that_does_not_exist_is_not_found(self) -> None:
        for zone in (None, UTC):
            with pytest.raises(ca.NotFound) as caught:
                ca.statement(
                    stored(), start=JANUARY, end=FEBRUARY, zone=zone, organization_id="nobody"
                )
            assert (caught.value.kind, caught.value.id) == ("Organization", "nobody")

    def test_of_the_creation_is_billed_after_a_learner_changes_theirs(self) -> None:
        registrar, _ = world()
        registrar.assign("py", "ada", id="a-1")
        moved = attrs.evolve(MANAGER, id="ada", email="ada@example.org", organization_id="beta")
        registrar.update(attrs.evolve(moved, name="Ada", roles=[], managed_organization_ids=[]))
        for whose, count in (("acme", 1), ("beta", 0), (None, 1)):
            found = ca.statement(
                registrar.repository, start=START, end=START + US, organization_id=whose
            )
            assert len(found.lines) == count

    def test_may_be_missing_and_then_comes_first(self) -> None:
        repository = stored(
            assignment("a-1", JANUARY), assignment("a-2", JANUARY + DAY, organization=None)
        )
        found = ca.statement(repository, start=JANUARY, end=FEBRUARY)
        assert [line.organization_id for line in found.lines] == [None, "acme"]


class TestCancelling:
    """Cancelled assignments are listed and not billable."""

    def test_in_time_or_later_by_support(self) -> None:
        registrar, clock = world()
        registrar.assign("py", "ada", id="kept")
        registrar.assign("py", "ada", id="in time")
        registrar.assign("py", "ada", id="later")
        clock.advance(24 * HOUR)
        registrar.cancel("in time")
        clock.advance(40 * DAY)
        registrar.cancel("later", support_reason="the course was full", by=SUPPORT.id)
        found = ca.statement(registrar.repository, start=JANUARY, end=FEBRUARY)
        assert {line.assignment_id: line.cancelled_at for line in found.lines} == {
            "kept": None,
            "in time": START + DAY,
            "later": START + 41 * DAY,
        }
        assert [line.assignment_id for line in found.billable] == ["kept"]
        assert found.totals == (
            ca.StatementTotal(
                organization_id="acme", course_id="py", created=3, cancelled=2, billable=1
            ),
        )
        # It belongs to the period of the creation, not of the cancellation.
        assert ca.statement(registrar.repository, start=FEBRUARY, end=MARCH).lines == ()


class TestWhatIsBilled:
    """Redeeming is billed; creating keys, subscribing and reopening a course are not."""

    def test_a_course_opened_from_a_subscription_once(self) -> None:
        registrar, clock = world()
        registrar.subscribe(["py", "sql"], "ada", duration=300 * DAY, id="s-1")
        repository = registrar.repository
        assert ca.statement(repository, start=JANUARY, end=MARCH).lines == ()
        first = registrar.open_course("s-1", "py")
        clock.advance(DAY)
        assert registrar.open_course("s-1", "py") == first
        clock.set(first.expires_at)
        second = registrar.open_course("s-1", "py")
        lines = ca.statement(repository, start=JANUARY, end=first.expires_at + US).lines
        assert [line.assignment_id for line in lines] == [first.id, second.id]

    def test_keys_when_they_are_redeemed(self) -> None:
        registrar, clock = world()
        options: dict[str, Any] = {"organization_id": "acme", "availability": 30 * DAY}
        registrar.create_keys("py", name="Keys", codes=["Spring-2026"], id="k", **options)
        repository = registrar.repository
        assert ca.statement(repository, start=JANUARY, end=MARCH).lines == ()
        clock.set(FEBRUARY)
        registrar.redeem("Spring-2026", "ada", id="a-1")
        assert [
            line.assignment_id for line in ca.statement(repository, start=FEBRUARY, end=MARCH).lines
        ] == ["a-1"]
        assert ca.statement(repository, start=JANUARY, end=FEBRUARY).lines == ()

    def test_completed_and_expired_assignments_like_any_other(self) -> None:
        before = assignment("a-1", JANUARY)
        repository = stored(before)
        now = ca.statement(repository, start=JANUARY, end=FEBRUARY)
        after = attrs.evolve(before, completed_at=JANUARY + DAY, expires_at=JANUARY + 2 * DAY)
        repository.commit(ca.Change(replace=[ca.Replace(before, after)]))
        assert ca.statement(repository, start=JANUARY, end=FEBRUARY) == now


LINE = ca.StatementLine(
    organization_id="acme",
    course_id="py",
    learner_id="ada",
    assignment_id="a-1",
    created_at=JANUARY,
)


class TestValues:
    def test_are_frozen(self) -> None:
        assert_is_value(LINE)
        assert_is_value(ca.Statement(start=JANUARY, end=FEBRUARY, lines=[LINE]))
        assert_is_value(
            ca.StatementTotal(
                organization_id=None, course_id="py", created=1, cancelled=0, billable=1
            )
        )

    def test_lines_are_sorted(self) -> None:
        lines = [attrs.evolve(LINE, assignment_id=name) for name in "cab"]
        found = ca.Statement(start=JANUARY, end=FEBRUARY, lines=iter(lines))
        assert [line.assignment_id for line in found.lines] == ["a", "b", "c"]
        assert [total.created for total in found.totals] == [3]

    def test_a_statement_writes_nothing(self) -> None:
        class ReadOnly(ca.InMemoryRepository):
            def commit(self, change: ca.Change, /) -> None:
                raise AssertionError(change)

        assert ca.statement(ReadOnly(), start=JANUARY, end=FEBRUARY).lines == ()

    @pytest.mark.parametrize(
        ("given_field", "junk"),
        [
            ("start", None),
            ("start", "2026-01-01"),
            ("start", datetime(2026, 1, 1)),  # noqa: DTZ001 - that is the point
            ("end", date(9900, 1, 2)),
            ("zone", "Europe/Berlin"),
            ("organization_id", 7),
            ("organization_id", ""),
            ("repository", ca.Organization),
        ],
    )
    def test_invalid_arguments_are_named(self, given_field: str, junk: Any) -> None:
        days = {"start": date(2026, 1, 1), "end": date(2026, 2, 1)}
        for period in ({"start": JANUARY, "end": FEBRUARY}, days):
            valid = {"repository": stored(), **period, "organization_id": "acme"}
            asked: dict[str, Any] = {**valid, given_field: junk}
            assert refusal(lambda asked=asked: ca.statement(**asked)).field == given_field  # type: ignore[misc]


def at(off: timedelta) -> ca.StatementLine:
    return attrs.evolve(LINE, assignment_id="a-2", created_at=JANUARY + off)


class TestCustomLines:
    """A statement can be created from any lines that belong to it."""

    @given(histories(ticks(0, 5)))
    def test_give_the_same_statement_as_a_repository(self, kept: list[ca.CourseAssignment]) -> None:
        start, end = JANUARY + 2 * US, JANUARY + 5 * US
        lines = [ca.StatementLine.of(one) for one in kept if start <= one.created_at < end]
        found = ca.statement(stored(*kept), start=start, end=end)
        assert ca.Statement(start=start, end=end, lines=lines[::-1]) == found

    @pytest.mark.parametrize(
        ("lines", "code", "field"),
        [
            *(([at(off)], "", "") for off in (timedelta(0), 31 * DAY - US)),
            *(
                ([at(off)], "out_of_period", "lines[0].created_at")
                for off in (-US, 31 * DAY, 31 * DAY + US)
            ),
            *(
                ([attrs.evolve(LINE, organization_id=other)], "another_record", "lines[0]")
                for other in (None, "beta")
            ),
            ([LINE, attrs.evolve(LINE, created_at=JANUARY + DAY)], "repeated", "lines[1]"),
        ],
    )
    def test_lines_are_of_its_period_and_organization_and_distinct(
        self, lines: list[ca.StatementLine], code: str, field: str
    ) -> None:
        def month() -> ca.Statement:
            return ca.Statement(start=JANUARY, end=FEBRUARY, organization_id="acme", lines=lines)

        if code:
            error = refusal(month)
            assert (error.code, error.field) == (code, field)
        else:
            assert month().lines == tuple(lines)
