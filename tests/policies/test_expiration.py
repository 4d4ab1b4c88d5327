"""Rules 1 and 2: when access ends, which limit set the end, and which ends are allowed."""

from datetime import UTC, datetime, timedelta, tzinfo
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.policies.expiration import earliest
from course_assignments.reasons import ExpiresTooEarly, ExpiresTooLate
from tests.support.rules import STEPS, counted, elsewhere
from tests.support.strategies import FOLDS, GAPS, US, ZONE_NAMES, instants, terms

CREATED = datetime(2026, 1, 5, 9, tzinfo=UTC)
DAYS = timedelta(days=1)

#: Zones that skipped a day; six months across that day are at most 180 days.
SKIPPED_A_DAY = ("Pacific/Kwajalein", "Pacific/Kiritimati", "Pacific/Enderbury")

#: Durations of which two often end at the same time.
ALIKE: tuple[ca.Duration, ...] = (90 * DAYS, 180 * DAYS, 181 * DAYS, ca.Months(6), ca.Months(3))
LENGTHS = st.sampled_from(ALIKE) | terms()


def course(maximum: ca.Duration | None) -> ca.Course:
    return ca.Course(id="py", name="Python", maximum_access=maximum)


def organization(maximum: ca.Duration | None, zone: str = "UTC") -> ca.Organization:
    return ca.Organization(id="acme", name="Acme", maximum_access=maximum, time_zone=zone)


@attrs.frozen
class Case:
    """A datetime of creation, and the limits, which are all but two optional."""

    created: datetime
    maximum: ca.Duration
    default: ca.Duration
    for_course: ca.Duration | None
    for_organization: ca.Duration | None
    zone: str | None

    @property
    def policy(self) -> ca.ExpirationPolicy:
        return ca.ExpirationPolicy(maximum=self.maximum, default=self.default)

    @property
    def known(self) -> dict[str, Any]:
        """The course, and the organization if there is a zone."""
        customer = None if self.zone is None else organization(self.for_organization, self.zone)
        return {"course": course(self.for_course), "organization": customer}

    def limits(self) -> dict[ca.ExpirationLimit, datetime]:
        """Return the end of each limit, counted without the library, in the order of the enum."""
        zone: tzinfo = UTC if self.zone is None else ZoneInfo(self.zone)
        lengths = {
            ca.ExpirationLimit.COURSE: self.for_course,
            ca.ExpirationLimit.ORGANIZATION: None if self.zone is None else self.for_organization,
            ca.ExpirationLimit.MAXIMUM: self.maximum,
            ca.ExpirationLimit.DEFAULT: self.default,
        }
        return {
            by: counted(duration, self.created, zone)
            for by, duration in lengths.items()
            if duration is not None
        }


@st.composite
def cases(draw: st.DrawFn) -> Case:
    return Case(
        created=draw(instants()),
        maximum=draw(LENGTHS),
        default=draw(LENGTHS),
        for_course=draw(st.none() | LENGTHS),
        for_organization=draw(st.none() | LENGTHS),
        zone=draw(st.none() | st.sampled_from(ZONE_NAMES)),
    )


def first_of(limits: dict[ca.ExpirationLimit, datetime]) -> tuple[datetime, ca.ExpirationLimit]:
    """Return the earliest limit; of equal limits the first."""
    end = min(limits.values())
    return end, next(by for by, at in limits.items() if at == end)


class TestEnd:
    """Assignments expire 180 days after creation unless a profile is shorter (rule 1).

    "assignments expire 180 days after creation unless the organization or course profile specifies
    a shorter maximum"; "by default, this field is set to 6 months".
    """

    @given(cases())
    def test_the_end_is_the_earliest_limit_and_names_it(self, case: Case) -> None:
        end, by = first_of(case.limits())
        assert case.policy.default_end(case.created, **case.known) == ca.Limit(end, by)

    @given(cases())
    def test_the_limit_is_the_earliest_maximum_and_names_it(self, case: Case) -> None:
        limits = case.limits()
        del limits[ca.ExpirationLimit.DEFAULT]
        end, by = first_of(limits)
        limit = case.policy.limit(case.created, **case.known)
        assert limit == ca.Limit(end, by)
        assert limit.at > case.created
        assert limit.at.tzinfo is UTC

    @given(cases())
    def test_another_limit_never_makes_the_end_later(self, case: Case) -> None:
        policy, known = case.policy, case.known
        # The organization keeps its zone: in another one the months end at another time.
        bare: dict[str, Any] = {
            "course": None,
            "organization": None if case.zone is None else organization(None, case.zone),
        }
        with_course = {**bare, "course": known["course"]}
        with_organization = {**bare, "organization": known["organization"]}
        for end in (policy.limit, policy.default_end):
            none, all_of_them = end(case.created, **bare).at, end(case.created, **known).at
            for one in (with_course, with_organization):
                assert all_of_them <= end(case.created, **one).at <= none
        limit = policy.limit(case.created, **known)
        assert policy.default_end(case.created, **known).at <= limit.at

    @given(
        instants(),
        st.none() | st.sampled_from([*ZONE_NAMES, *SKIPPED_A_DAY]),
    )
    @example(datetime(1993, 2, 27, 12, tzinfo=ZoneInfo("Pacific/Kwajalein")), "Pacific/Kwajalein")
    @example(datetime(1994, 8, 31, 12, tzinfo=ZoneInfo("Pacific/Kiritimati")), "Pacific/Kiritimati")
    @example(datetime(2011, 8, 31, 12, tzinfo=ZoneInfo("Pacific/Apia")), "Pacific/Apia")
    @example(datetime(2026, 8, 31, tzinfo=UTC), None)
    def test_six_months_never_exceed_180_days(self, created: datetime, zone: str | None) -> None:
        customer = None if zone is None else organization(None, zone)
        end = ca.ExpirationPolicy().default_end(created, organization=customer)
        exact = created.astimezone(UTC) + timedelta(days=180)
        assert end == ca.Limit(exact, ca.ExpirationLimit.MAXIMUM)

    @pytest.mark.parametrize(
        ("zone", "day"),
        [("Pacific/Kwajalein", (1993, 2, 27)), ("Pacific/Kiritimati", (1994, 8, 31))],
    )
    def test_six_months_across_a_skipped_day_are_180_days(
        self, zone: str, day: tuple[int, int, int]
    ) -> None:
        created = datetime(*day, 12, tzinfo=ZoneInfo(zone))
        end = ca.ExpirationPolicy(maximum=365 * DAYS).default_end(
            created, organization=organization(None, zone)
        )
        assert end == ca.Limit(created.astimezone(UTC) + 180 * DAYS, ca.ExpirationLimit.DEFAULT)

    @pytest.mark.parametrize("longer", [181 * DAYS, ca.Months(6), ca.Months(1200)])
    def test_a_longer_maximum_of_a_profile_changes_nothing(self, longer: ca.Duration) -> None:
        limit = ca.ExpirationPolicy().limit(
            CREATED, course=course(longer), organization=organization(longer)
        )
        assert limit == ca.Limit(CREATED + 180 * DAYS, ca.ExpirationLimit.MAXIMUM)

    @pytest.mark.parametrize("step", STEPS)
    def test_the_shorter_maximum_of_organization_and_course_wins(self, step: timedelta) -> None:
        limit = ca.ExpirationPolicy().limit(
            CREATED, course=course(30 * DAYS), organization=organization(30 * DAYS + step)
        )
        by = ca.ExpirationLimit.ORGANIZATION if step < timedelta(0) else ca.ExpirationLimit.COURSE
        assert limit == ca.Limit(CREATED + 30 * DAYS + min(step, timedelta(0)), by)

    def test_of_equal_limits_the_first_of_the_enum_wins(self) -> None:
        names = ["REQUEST", "KEY", "SUBSCRIPTION", "COURSE", "ORGANIZATION", "MAXIMUM", "DEFAULT"]
        names.append("SUPPORT")
        for order in permutations(ca.ExpirationLimit, 3):
            together = [ca.Limit(CREATED, by) for by in order]
            assert earliest(together).by.name == min((by.name for by in order), key=names.index)
            assert earliest([*together, ca.Limit(CREATED - US, order[-1])]).by is order[-1]

    @given(cases())
    def test_the_same_time_in_another_zone_has_the_same_end(self, case: Case) -> None:
        for other in elsewhere(case.created):
            for end in (case.policy.limit, case.policy.default_end):
                assert end(other, **case.known) == end(case.created, **case.known)

    @pytest.mark.parametrize(
        ("at", "end"),
        list(
            zip(
                [*GAPS, *FOLDS],
                [
                    datetime(2026, 3, 29, 1, tzinfo=UTC),
                    datetime(2026, 3, 8, 7, tzinfo=UTC),
                    datetime(2018, 11, 4, 3, tzinfo=UTC),
                    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
                    datetime(2011, 12, 30, 10, tzinfo=UTC),
                    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
                    datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
                    datetime(2026, 4, 4, 14, 45, tzinfo=UTC),
                ],
                strict=True,
            )
        ),
    )
    def test_months_end_after_a_gap_and_at_the_first_of_two_times_in_a_fold(
        self, at: tuple[str, datetime], end: datetime
    ) -> None:
        name, wall = at
        start = wall.replace(year=wall.year - 1, tzinfo=ZoneInfo(name))
        customer = organization(ca.Months(12), name)
        policy = ca.ExpirationPolicy(maximum=ca.Months(13))
        limit = policy.limit(start, organization=customer)
        assert limit == ca.Limit(end, ca.ExpirationLimit.ORGANIZATION)
        assert counted(ca.Months(12), start, ZoneInfo(name)) == end

    def test_without_an_organization_months_are_counted_in_utc(self) -> None:
        created = datetime(2026, 3, 1, 2, tzinfo=UTC)
        policy = ca.ExpirationPolicy(maximum=ca.Months(1))
        assert policy.limit(created).at == datetime(2026, 4, 1, 2, tzinfo=UTC)
        # There it is still the last day of February, so it ends on the 28th of March.
        new_york = organization(None, "America/New_York")
        end = policy.limit(created, organization=new_york).at
        assert end == datetime(2026, 3, 28, 21, tzinfo=ZoneInfo("America/New_York"))

    def test_the_settings_are_the_documented_ones(self) -> None:
        policy = ca.ExpirationPolicy()
        assert (policy.maximum, policy.default) == (timedelta(days=180), ca.Months(6))


class TestRequestedEnd:
    """An explicit end lies after creation and not after the limit (rule 2)."""

    @given(cases(), st.data())
    def test_is_refused_outside_of_creation_and_limit_and_never_moved(
        self, case: Case, data: st.DataObject
    ) -> None:
        limits = case.limits()
        del limits[ca.ExpirationLimit.DEFAULT]
        latest, by = first_of(limits)
        start = case.created.astimezone(UTC)
        marks = st.sampled_from([start, latest]).flatmap(
            lambda mark: st.sampled_from([mark + step for step in STEPS])
        )
        end = data.draw(marks | instants())
        decision = case.policy.evaluate(end, created_at=case.created, **case.known)
        if end <= start:
            assert decision == ca.Decision([ExpiresTooEarly(start + US)])
        elif end > latest:
            assert decision == ca.Decision([ExpiresTooLate(latest, by)])
        else:
            assert decision == ca.Decision()
        for other in elsewhere(end):
            assert case.policy.evaluate(other, created_at=case.created, **case.known) == decision

    @pytest.mark.parametrize("step", STEPS)
    def test_is_after_creation_and_at_most_the_limit(self, step: timedelta) -> None:
        evaluate = ca.ExpirationPolicy().evaluate
        assert evaluate(CREATED + step, created_at=CREATED).allowed is (step > timedelta(0))
        limit = CREATED + 180 * DAYS
        assert evaluate(limit + step, created_at=CREATED).allowed is (step <= timedelta(0))

    def test_is_allowed_if_a_refusal_names_it(self) -> None:
        policy = ca.ExpirationPolicy()
        for end in (CREATED - DAYS, CREATED + 999 * DAYS):
            (reason,) = policy.evaluate(end, created_at=CREATED).reasons
            assert isinstance(reason, ExpiresTooEarly | ExpiresTooLate)
            named = reason.earliest if isinstance(reason, ExpiresTooEarly) else reason.latest
            assert policy.evaluate(named, created_at=CREATED).allowed


class TestAcceptedYears:
    def test_an_end_after_them_is_invalid(self) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            ca.ExpirationPolicy().limit(datetime(9899, 12, 1, tzinfo=UTC))
        assert (caught.value.code, caught.value.field) == ("out_of_range", "created_at")

    def test_a_limit_after_them_is_ignored(self) -> None:
        near, century = datetime(9850, 1, 1, tzinfo=UTC), ca.Months(1200)
        endless = course(century)
        far = organization(timedelta(days=36_000))
        limit = ca.ExpirationPolicy().limit(near, course=endless, organization=far)
        assert limit == ca.ExpirationPolicy().limit(near)
        policy = ca.ExpirationPolicy(default=century)
        assert policy.default_end(near) == policy.limit(near)
        only = ca.ExpirationPolicy(maximum=century, default=ca.Months(1))
        assert only.limit(near, course=course(ca.Months(2))) == ca.Limit(
            datetime(9850, 3, 1, tzinfo=UTC), ca.ExpirationLimit.COURSE
        )
