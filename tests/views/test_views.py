"""Rules 17 and 18: dashboard, current training, transcript, and expiring assignments."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise, permutations
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.views import training
from course_assignments.views.dashboard import FRESH_FOR, SIZE
from tests.support.acts import GIVEN
from tests.support.rules import check_junk, counted, edges, elsewhere, moments, near
from tests.support.strategies import US, assignments, histories, terms, zones
from tests.support.world import ADA, START, world

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
FIVE_MINUTES = timedelta(minutes=5)
LATEST = datetime(9899, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
FIRST = attrs.evolve(GIVEN, organization_id=None)
History = Sequence[ca.CourseAssignment]


def stored(history: Iterable[ca.CourseAssignment]) -> ca.InMemoryRepository:
    repository = ca.InMemoryRepository()
    repository.commit(ca.Change(create=history))
    return repository


def several(count: int, **changes: Any) -> list[ca.CourseAssignment]:
    return [attrs.evolve(FIRST, id=f"a-{number}", **changes) for number in range(count)]


def ids(found: Iterable[ca.CourseAssignment]) -> list[str]:
    return [one.id for one in found]


# A second implementation of the views: one stable sort after the other.


def happened(change: datetime | None, at: datetime) -> bool:
    return change is not None and change <= at


def gives_access(one: ca.CourseAssignment, at: datetime) -> bool:
    return one.created_at <= at < one.expires_at and not happened(one.cancelled_at, at)


def ranked(history: History, at: datetime) -> list[ca.CourseAssignment]:
    found = [one for one in history if gives_access(one, at)]
    found.sort(key=lambda one: one.id)
    found.sort(key=lambda one: one.created_at, reverse=True)
    found.sort(key=lambda one: one.expires_at)
    found.sort(key=lambda one: happened(one.started_at, at), reverse=True)
    found.sort(key=lambda one: happened(one.completed_at, at))
    return found


def finished(history: History, at: datetime) -> list[ca.CourseAssignment]:
    found = [one for one in history if happened(one.completed_at, at)]
    found = [one for one in found if not happened(one.cancelled_at, at)]
    found.sort(key=lambda one: one.id)
    found.sort(key=lambda one: one.completed_at or at, reverse=True)
    return found


def soon_over(history: History, at: datetime, until: datetime) -> list[ca.CourseAssignment]:
    found = [one for one in history if gives_access(one, at) and not gives_access_by(one, until)]
    found.sort(key=lambda one: one.id)
    found.sort(key=lambda one: one.expires_at)
    return found


def gives_access_by(one: ca.CourseAssignment, until: datetime) -> bool:
    """Return whether *one*, if nobody cancels it, still gives access at *until*."""
    return attrs.evolve(one, cancelled_at=None).status_at(until) is ca.AssignmentStatus.ACTIVE


@attrs.frozen
class Case:
    """Assignments of two learners, and a datetime at one of theirs or anywhere."""

    history: tuple[ca.CourseAssignment, ...]
    at: datetime

    @property
    def of_ada(self) -> list[ca.CourseAssignment]:
        return [one for one in self.history if one.learner_id == "ada"]

    @property
    def repository(self) -> ca.InMemoryRepository:
        return stored(self.history)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    wide = st.lists(assignments(), max_size=5, unique_by=lambda one: one.id).map(
        lambda found: tuple(attrs.evolve(one, learner_id="ada") for one in found)
    )
    history = draw(histories() | histories() | wide)
    return Case(history, draw(moments({START, *edges(*history)})))


class TestDashboard:
    """The dashboard has "the five most relevant" assignments (rule 17)."""

    @given(cases(), st.integers(1, 7))
    def test_it_is_a_filter_and_a_sort(self, case: Case, size: int) -> None:
        seen = ca.dashboard(
            case.repository, "ada", at=case.at, policy=ca.DashboardPolicy(size=size)
        )
        all_of_them = ranked(case.of_ada, case.at)
        assert list(seen.assignments) == all_of_them[:size]
        assert seen.has_more is (len(all_of_them) > size)

    @pytest.mark.parametrize(
        ("count", "shown", "has_more"), [(0, 0, False), (4, 4, False), (5, 5, False), (6, 5, True)]
    )
    def test_has_more_is_set_from_six_assignments_on(
        self, *, count: int, shown: int, has_more: bool
    ) -> None:
        seen = ca.dashboard(stored(several(count)), "ada", at=START)
        assert (len(seen.assignments), seen.has_more) == (shown, has_more)

    def test_has_more_counts_completed_and_not_expired_assignments(self) -> None:
        five = several(5)
        done = attrs.evolve(FIRST, id="done", completed_at=START)
        over = attrs.evolve(FIRST, id="over", expires_at=START + US)
        assert not ca.dashboard(stored([*five, over]), "ada", at=START + US).has_more
        assert ca.dashboard(stored([*five, done]), "ada", at=START + US).has_more

    @given(histories(), st.data())
    def test_the_order_of_the_input_does_not_matter(
        self, history: History, data: st.DataObject
    ) -> None:
        at = data.draw(moments({START, *edges(*history)}))
        shuffled = data.draw(st.permutations(history))
        policy = ca.DashboardPolicy()
        assert policy.evaluate(shuffled, at=at) == policy.evaluate(iter(history), at=at)
        assert training.current(shuffled, at=at) == training.current(history, at=at)
        assert training.completed(shuffled, at=at) == training.completed(history, at=at)
        soon = [training.ending(one, at=at, within=MINUTE) for one in (shuffled, history)]
        assert soon[0] == soon[1]

    #: The first of each pair is more relevant at `START` by one criterion; all later criteria
    #: favor the second.
    PAIRS: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
        ({}, {"completed_at": START, "started_at": START, "expires_at": START + DAY}),
        ({"started_at": START}, {"expires_at": START + DAY}),
        (
            {"expires_at": START + DAY, "created_at": START - DAY},
            {"expires_at": START + DAY + US},
        ),
        ({}, {"created_at": START - US}),
        ({"id": "a"}, {"id": "b"}),
    )

    @staticmethod
    def check_pair(first: dict[str, Any], second: dict[str, Any]) -> None:
        one = attrs.evolve(FIRST, **{"id": "b", **first})
        other = attrs.evolve(FIRST, **{"id": "a", **second})
        for given_in in permutations([one, other]):
            seen = ca.DashboardPolicy().evaluate(given_in, at=START)
            assert seen.assignments == (one, other)

    @pytest.mark.parametrize(("first", "second"), PAIRS)
    def test_each_criterion_decides_before_those_after_it(
        self, first: dict[str, Any], second: dict[str, Any]
    ) -> None:
        self.check_pair(first, second)

    @pytest.mark.parametrize("criterion", range(5))
    def test_without_a_criterion_its_pair_is_wrong(
        self, criterion: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        true_rank = training.relevance

        def blind(one: ca.CourseAssignment, at: datetime) -> tuple[Any, ...]:
            rank = list(true_rank(one, at))
            rank[criterion] = 0
            return tuple(rank)

        monkeypatch.setattr(training, "relevance", blind)
        with pytest.raises(AssertionError):
            self.check_pair(*self.PAIRS[criterion])

    @pytest.mark.parametrize("fact", ["started_at", "completed_at"])
    def test_a_later_change_has_no_effect_yet(self, fact: str) -> None:
        marked: dict[str, Any] = {fact: START + DAY}
        # Before the change it is second by its id; a started assignment is first.
        one, other = attrs.evolve(FIRST, id="b", **marked), attrs.evolve(FIRST, id="a")
        repository = stored([one, other])
        before = ca.dashboard(repository, "ada", at=START + DAY - US)
        then = ca.dashboard(repository, "ada", at=START + DAY)
        assert ids(before.assignments) == ["a", "b"]
        assert ids(then.assignments) == (["b", "a"] if fact == "started_at" else ["a", "b"])


def check_fresh(
    show: Callable[[datetime], ca.Dashboard], at: datetime, marks: Iterable[datetime]
) -> None:
    """Fail unless the dashboard at *at* holds until just before `stale_at`, and no longer."""
    seen = show(at)
    assert at < seen.stale_at <= at + FIVE_MINUTES
    for moment in near({at, seen.stale_at, *marks}):
        if at <= moment < seen.stale_at:
            later = show(moment)
            assert (later.assignments, later.has_more) == (seen.assignments, seen.has_more)
    if seen.stale_at < at + FIVE_MINUTES:
        then = show(seen.stale_at)
        assert (then.assignments, then.has_more) != (seen.assignments, seen.has_more)


class TestFreshness:
    """A dashboard is fresh for five minutes and says when it goes stale (rule 17)."""

    @given(cases())
    def test_it_stays_the_same_until_stale_at_or_a_change(self, case: Case) -> None:
        check_fresh(
            lambda at: ca.DashboardPolicy(size=3).evaluate(case.of_ada, at=at),
            case.at,
            edges(*case.history),
        )

    @pytest.mark.parametrize("pretended", [MINUTE, FIVE_MINUTES, FIVE_MINUTES + US])
    def test_a_wrong_stale_at_is_noticed(self, pretended: timedelta) -> None:
        over = attrs.evolve(FIRST, expires_at=START + 2 * MINUTE)

        def wrong(at: datetime) -> ca.Dashboard:
            seen = ca.DashboardPolicy().evaluate([over], at=at)
            return attrs.evolve(seen, stale_at=at + pretended)

        with pytest.raises(AssertionError):
            check_fresh(wrong, START, edges(over))

    @pytest.mark.parametrize(
        "history",
        [
            [attrs.evolve(FIRST, created_at=START + MINUTE)],
            [attrs.evolve(FIRST, expires_at=START + MINUTE)],
            [attrs.evolve(FIRST, cancelled_at=START + MINUTE)],
            [FIRST, attrs.evolve(FIRST, id="b", started_at=START + MINUTE)],
            [attrs.evolve(FIRST, completed_at=START + MINUTE), attrs.evolve(FIRST, id="b")],
        ],
    )
    def test_each_change_ends_it(self, history: History) -> None:
        repository = stored(history)
        assert ca.dashboard(repository, "ada", at=START).stale_at == START + MINUTE
        assert ca.dashboard(repository, "ada", at=START + MINUTE - US).stale_at == START + MINUTE
        assert ca.dashboard(repository, "ada", at=START + MINUTE).stale_at == START + 6 * MINUTE

    def test_a_change_without_effect_does_not_end_it(self) -> None:
        one = attrs.evolve(FIRST, started_at=START + MINUTE, completed_at=START + 2 * MINUTE)
        of_others = attrs.evolve(FIRST, id="b", learner_id="bo", expires_at=START + MINUTE)
        seen = ca.dashboard(stored([one, of_others]), "ada", at=START)
        assert seen.stale_at == START + FIVE_MINUTES

    def test_a_change_of_has_more_ends_it(self) -> None:
        last = attrs.evolve(FIRST, id="z", completed_at=START, cancelled_at=START + MINUTE)
        seen = ca.dashboard(stored([*several(5), last]), "ada", at=START)
        assert (seen.has_more, seen.stale_at) == (True, START + MINUTE)

    @pytest.mark.parametrize("fresh_for", [US, timedelta(days=36525)])
    def test_it_ends_with_the_accepted_years(self, fresh_for: timedelta) -> None:
        policy = ca.DashboardPolicy(fresh_for=fresh_for)
        assert policy.evaluate([], at=LATEST).stale_at == LATEST
        assert policy.evaluate([], at=LATEST - US).stale_at == LATEST

    def test_its_settings_are_the_documented_ones(self) -> None:
        assert ca.DashboardPolicy() == ca.DashboardPolicy(5, timedelta(minutes=5))
        assert (SIZE, FRESH_FOR) == (5, FIVE_MINUTES)
        assert ca.DashboardPolicy(fresh_for=DAY).evaluate([], at=START).stale_at == START + DAY


class TestCurrentTrainingAndTranscript:
    """Current: active and not completed. Transcript: completed, expired or not (rule 18)."""

    @given(cases())
    def test_current_training_is_a_filter_and_a_sort(self, case: Case) -> None:
        wanted = [
            one for one in ranked(case.of_ada, case.at) if not happened(one.completed_at, case.at)
        ]
        assert list(ca.current_training(case.repository, "ada", at=case.at)) == wanted

    @given(cases())
    def test_the_transcript_is_a_filter_and_a_sort(self, case: Case) -> None:
        wanted = finished(case.of_ada, case.at)
        assert list(ca.transcript(case.repository, "ada", at=case.at)) == wanted

    def test_the_newest_completion_comes_first_and_ties_are_sorted_by_id(self) -> None:
        old = attrs.evolve(FIRST, id="a", completed_at=START)
        new = [attrs.evolve(FIRST, id=id_, completed_at=START + US) for id_ in "cb"]
        for given_in in permutations([old, *new]):
            assert ids(training.completed(given_in, at=START + DAY)) == ["b", "c", "a"]

    def test_two_versions_of_one_assignment_keep_their_order(self) -> None:
        done = attrs.evolve(FIRST, completed_at=START)
        ways: tuple[tuple[ca.CourseAssignment, Callable[[History], History]], ...] = (
            (FIRST, lambda history: training.relevant(history, at=START)),
            (FIRST, lambda history: training.current(history, at=START)),
            (done, lambda history: training.completed(history, at=START)),
            (FIRST, lambda history: training.ending(history, at=START, within=180 * DAY)),
        )
        for one, view in ways:
            later = attrs.evolve(one, finished={"lab"})
            for given_in in permutations([one, later]):
                assert view(given_in) == given_in


def where(one: ca.CourseAssignment, history: History, at: datetime) -> set[str]:
    """Return the views of a learner in which *one* is shown at *at*."""
    repository, of = stored(history), one.learner_id
    shown = {
        "dashboard": ca.dashboard(
            repository, of, at=at, policy=ca.DashboardPolicy(100)
        ).assignments,
        "current": ca.current_training(repository, of, at=at),
        "transcript": ca.transcript(repository, of, at=at),
        "expiring": ca.expiring(repository, at=at, within=ca.Months(1200)),
    }
    return {view for view, found in shown.items() if one in found}


class TestEveryViewAgreesWithTheStatus:
    """Every view agrees with `assignment.status_at(at)`."""

    #: "Completed and unexpired: on the dashboard and the transcript, not in current training";
    #: "expired: transcript only"; "cancelled: nowhere".
    PLACES: ClassVar[dict[tuple[ca.AssignmentStatus, bool], set[str]]] = {
        (ca.AssignmentStatus.ACTIVE, False): {"dashboard", "current", "expiring"},
        (ca.AssignmentStatus.ACTIVE, True): {"dashboard", "transcript", "expiring"},
        (ca.AssignmentStatus.EXPIRED, True): {"transcript"},
        (ca.AssignmentStatus.EXPIRED, False): set(),
        (ca.AssignmentStatus.CANCELLED, False): set(),
        (ca.AssignmentStatus.CANCELLED, True): set(),
        (ca.AssignmentStatus.SCHEDULED, False): set(),
    }

    @given(cases())
    def test_an_assignment_is_shown_where_its_status_says(self, case: Case) -> None:
        for one in case.history:
            key = one.status_at(case.at), happened(one.completed_at, case.at)
            assert where(one, case.history, case.at) == self.PLACES[key]

    @given(cases())
    def test_a_lab_can_be_launched_exactly_for_what_the_dashboard_shows(self, case: Case) -> None:
        """Except for later cancellations: policies refuse those at any time."""
        for one in case.history:
            if happened(one.cancelled_at, case.at) or one.cancelled_at is None:
                launches = ca.AccessPolicy().evaluate(one, at=case.at).allowed
                assert launches is ("dashboard" in where(one, case.history, case.at))

    @pytest.mark.parametrize("completes", [False, True])
    @pytest.mark.parametrize(
        ("passed", "cancels", "refused"),
        [
            (180 * DAY - US, False, ""),
            (180 * DAY, False, "assignment_expired"),
            (DAY, True, "already_cancelled"),
        ],
    )
    def test_an_assignment_that_is_not_active_cannot_be_started(
        self, *, completes: bool, passed: timedelta, cancels: bool, refused: str
    ) -> None:
        registrar, clock = world()
        registrar.assign("py", "ada", id="py")
        if completes:
            registrar.complete("py")
        if cancels:
            registrar.cancel("py")
        at = clock.advance(passed)
        stored_now = registrar.repository.get(ca.CourseAssignment, ["py"])["py"]
        key = stored_now.status_at(at), completes
        assert where(stored_now, [stored_now], at) == self.PLACES[key]
        decision = registrar.may_start("py", "lab", by="ada")
        assert [reason.code for reason in decision.reasons] == ([refused] if refused else [])
        assert decision.allowed is (stored_now.status_at(at) is ca.AssignmentStatus.ACTIVE)

    @pytest.mark.parametrize(
        ("changes", "passed", "places"),
        [
            ({}, -US, set()),
            ({}, timedelta(0), {"dashboard", "current", "expiring"}),
            ({}, 180 * DAY - US, {"dashboard", "current", "expiring"}),
            ({}, 180 * DAY, set()),
            ({"completed_at": START + DAY}, DAY - US, {"dashboard", "current", "expiring"}),
            ({"completed_at": START + DAY}, DAY, {"dashboard", "transcript", "expiring"}),
            ({"completed_at": START + DAY}, 180 * DAY, {"transcript"}),
            ({"completed_at": START + 200 * DAY}, 200 * DAY - US, set()),
            ({"completed_at": START + 200 * DAY}, 200 * DAY, {"transcript"}),
            ({"cancelled_at": START + DAY}, DAY - US, {"dashboard", "current", "expiring"}),
            ({"cancelled_at": START + DAY}, DAY, set()),
            ({"cancelled_at": START + DAY, "completed_at": START}, 200 * DAY, set()),
        ],
    )
    def test_the_edges_are_exact(
        self, changes: dict[str, Any], passed: timedelta, places: set[str]
    ) -> None:
        one = attrs.evolve(FIRST, **changes)
        assert where(one, [one], START + passed) == places

    def test_a_scenario_of_commands(self) -> None:
        registrar, clock = world()
        py = registrar.assign("py", "ada", id="py")
        sql = registrar.assign("sql", "ada", id="sql")
        registrar.cancel(registrar.assign("py", "ada", id="mistake").id)
        repository = registrar.repository
        at = clock.advance(DAY)
        assert ids(ca.dashboard(repository, "ada", at=at).assignments) == ["sql", "py"]
        registrar.start("py", "lab")
        assert ids(ca.current_training(repository, "ada", at=at)) == ["py", "sql"]
        registrar.complete("py")
        assert ids(ca.current_training(repository, "ada", at=at)) == ["sql"]
        assert ids(ca.dashboard(repository, "ada", at=at).assignments) == ["sql", "py"]
        assert ids(ca.transcript(repository, "ada", at=at)) == ["py"]
        assert ids(ca.expiring(repository, at=at, within=30 * DAY)) == ["sql"]
        after = sql.expires_at
        assert ids(ca.current_training(repository, "ada", at=after)) == []
        assert ids(ca.transcript(repository, "ada", at=py.expires_at)) == ["py"]


@attrs.frozen
class Ask:
    """The arguments of `expiring`, except for `at`."""

    within: ca.Duration
    zone: tzinfo
    filters: dict[str, str]

    def fits(self, one: ca.CourseAssignment) -> bool:
        return all(getattr(one, name) == value for name, value in self.filters.items())


def asks() -> st.SearchStrategy[Ask]:
    near_ends = st.builds(
        lambda minutes, step: minutes * MINUTE + step,
        st.integers(1, 8),
        st.sampled_from([-US, timedelta(0), US]),
    )
    filters = st.fixed_dictionaries(
        {},
        optional={
            "learner_id": st.sampled_from(["ada", "bo", "cy"]),
            "course_id": st.sampled_from(["py", "sql"]),
            "organization_id": st.sampled_from(["acme", "beta"]),
        },
    )
    return st.builds(Ask, near_ends | terms(), zones(), filters)


class TestExpiring:
    """Assignments about to expire, for one learner's calendar or a reminder job."""

    @given(cases(), asks())
    def test_it_is_a_filter_and_a_sort(self, case: Case, ask: Ask) -> None:
        found = ca.expiring(
            case.repository, at=case.at, within=ask.within, zone=ask.zone, **ask.filters
        )
        until = counted(ask.within, case.at, ask.zone)
        fitting = [one for one in case.history if ask.fits(one)]
        assert list(found) == soon_over(fitting, case.at, until)

    @pytest.mark.parametrize(
        ("ends", "found"),
        [(timedelta(0), False), (US, True), (DAY, True), (DAY + US, False)],
    )
    def test_the_window_includes_its_end(self, *, ends: timedelta, found: bool) -> None:
        one = attrs.evolve(FIRST, created_at=START - DAY, expires_at=START + ends)
        assert bool(ca.expiring(stored([one]), at=START, within=DAY)) is found

    def test_the_first_to_end_comes_first_and_ties_are_sorted_by_id(self) -> None:
        late = attrs.evolve(FIRST, id="a", expires_at=START + DAY)
        early = [attrs.evolve(FIRST, id=id_, expires_at=START + DAY - US) for id_ in "cb"]
        for given_in in permutations([late, *early]):
            assert ids(training.ending(given_in, at=START, within=DAY)) == ["b", "c", "a"]

    @given(histories(), st.lists(st.integers(1, 4), min_size=2, max_size=8))
    @example([attrs.evolve(FIRST, expires_at=START + 2 * MINUTE)], [2, 2])
    def test_jobs_that_look_ahead_to_their_next_run_see_each_end_once(
        self, history: History, steps: list[int]
    ) -> None:
        self.check_once(history, steps, ca.expiring)

    @staticmethod
    def check_once(history: History, steps: list[int], look: Callable[..., History]) -> None:
        forever = [attrs.evolve(one, cancelled_at=None) for one in history]
        repository = stored(forever)
        runs = [START + sum(steps[:count]) * MINUTE for count in range(len(steps) + 1)]
        seen = [
            one.id
            for run, following in pairwise(runs)
            for one in look(repository, at=run, within=following - run)
        ]
        # No job sees an assignment that starts and ends between two runs.
        wanted = [
            one.id
            for one in forever
            for run, following in pairwise(runs)
            if one.created_at <= run < one.expires_at <= following
        ]
        assert sorted(seen) == sorted(wanted)

    def test_without_the_end_of_the_window_an_end_would_be_missed(self) -> None:
        def half_open(repository: ca.Repository, *, at: datetime, within: timedelta) -> History:
            found = ca.expiring(repository, at=at, within=within)
            return [one for one in found if one.expires_at < at + within]

        with pytest.raises(AssertionError):
            self.check_once([attrs.evolve(FIRST, expires_at=START + 2 * MINUTE)], [2, 2], half_open)

    @given(histories(), st.lists(st.integers(1, 4), max_size=8), st.integers(4, 6))
    def test_a_job_that_remembers_what_it_sent_neither_misses_nor_repeats(
        self, history: History, steps: list[int], lead: int
    ) -> None:
        repository, within = stored(history), lead * MINUTE
        runs = [START + sum(steps[:count]) * MINUTE for count in range(len(steps) + 1)]
        sent: list[tuple[str, datetime]] = []
        for run in runs:
            for one in ca.expiring(repository, at=run, within=within):
                if (one.id, one.expires_at) not in sent:
                    sent.append((one.id, one.expires_at))
        # The runs are never further apart than the lead: a reminder was sent for each assignment
        # that was active at a run and ended before the last run.
        due = {
            one.id
            for one in history
            for run in runs
            if gives_access(one, run) and one.expires_at <= run + within
        }
        over = {
            one.id
            for one in history
            if one.cancelled_at is None
            and one.expires_at <= runs[-1]
            and any(gives_access(one, run) for run in runs)
        }
        assert len(sent) == len(due)
        assert {name for name, _ in sent} == due >= over

    def test_months_are_counted_in_the_zone(self) -> None:
        at = datetime(2026, 1, 30, 23, 30, tzinfo=UTC)  # in Berlin it is the 31st
        repository = stored([attrs.evolve(FIRST, expires_at=datetime(2026, 2, 28, 12, tzinfo=UTC))])
        berlin = ZoneInfo("Europe/Berlin")
        assert ca.expiring(repository, at=at, within=ca.Months(1))
        assert not ca.expiring(repository, at=at, within=ca.Months(1), zone=berlin)

    def test_the_organization_is_that_of_the_creation(self) -> None:
        registrar, _ = world()
        made = registrar.assign("py", "ada")
        registrar.update(attrs.evolve(ADA, organization_id="beta"))
        found = [
            ca.expiring(registrar.repository, at=START, within=ca.Months(6), organization_id=one)
            for one in ("acme", "beta")
        ]
        assert found == [(made,), ()]

    def test_a_window_that_ends_after_the_accepted_years_is_invalid(self) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            ca.expiring(stored([]), at=LATEST, within=US)
        assert (caught.value.code, caught.value.field) == ("out_of_range", "within")


@attrs.frozen
class Paged:
    """A read-only repository with at most *size* records in a page."""

    inner: ca.Repository
    size: int

    def get(self, kind: Any, ids: Iterable[str], /) -> Any:
        raise NotImplementedError

    def find(self, query: ca.Query[Any], /) -> ca.Page[Any]:
        return self.inner.find(attrs.evolve(query, limit=self.size))

    def commit(self, change: ca.Change, /) -> None:
        raise NotImplementedError


def everything(repository: ca.Repository, at: datetime) -> list[Any]:
    return [
        ca.dashboard(repository, "ada", at=at),
        ca.current_training(repository, "ada", at=at),
        ca.transcript(repository, "ada", at=at),
        ca.expiring(repository, at=at, within=3 * MINUTE),
    ]


class TestFromAnyRepository:
    """Each view is a pure function of a repository and a datetime."""

    @given(cases(), st.integers(1, 3))
    def test_the_size_of_a_page_does_not_matter(self, case: Case, size: int) -> None:
        repository = case.repository
        assert everything(Paged(repository, size), case.at) == everything(repository, case.at)

    @given(cases())
    def test_the_zone_of_the_datetime_does_not_matter(self, case: Case) -> None:
        repository = case.repository
        answers = [everything(repository, at) for at in elsewhere(case.at)]
        assert answers == [everything(repository, case.at)] * 3

    def test_a_learner_without_assignments_has_empty_views(self) -> None:
        repository = stored([FIRST])
        assert everything(stored([]), START)[1:] == [(), (), ()]
        nothing = ca.Dashboard(assignments=(), has_more=False, stale_at=START + FIVE_MINUTES)
        assert ca.dashboard(repository, "nobody", at=START) == nothing
        assert ca.current_training(repository, "nobody", at=START) == ()
        assert ca.transcript(repository, "nobody", at=START) == ()
        assert ca.expiring(repository, at=START, within=DAY, learner_id="nobody") == ()


@attrs.frozen
class ByTitle:
    """A host's own dashboard: all assignments, by course."""

    def evaluate(self, assignments: Iterable[ca.CourseAssignment], *, at: datetime) -> ca.Dashboard:
        found = sorted(assignments, key=lambda one: one.course_id)
        return ca.Dashboard(assignments=found, has_more=False, stale_at=at + DAY)


class TestCustomPolicy:
    def test_it_gets_all_assignments_of_the_learner(self) -> None:
        one, other = attrs.evolve(FIRST, course_id="sql"), attrs.evolve(FIRST, id="a-2")
        cancelled = attrs.evolve(FIRST, id="a-3", course_id="r", cancelled_at=START)
        of_others = attrs.evolve(FIRST, id="b-1", learner_id="bo")
        repository = stored([one, other, cancelled, of_others])
        seen = ca.dashboard(repository, "ada", at=START, policy=ByTitle())
        assert seen.assignments == (other, cancelled, one)

    def test_a_class_or_another_result_is_invalid(self) -> None:
        class Wrong:
            def evaluate(self, assignments: Iterable[ca.CourseAssignment], *, at: datetime) -> Any:
                return sorted(assignments, key=lambda one: abs(one.created_at - at))

        policies = [ByTitle, Wrong()]
        check_junk(
            lambda one: ca.dashboard(stored([]), "ada", at=START, policy=one), "policy", policies
        )


class TestInvalidArguments:
    def test_an_element_that_is_not_an_assignment_is_named_by_its_position(self) -> None:
        ways: tuple[Callable[[Any], object], ...] = (
            lambda junk: ca.DashboardPolicy().evaluate(junk, at=START),
            lambda junk: training.relevant(junk, at=START),
            lambda junk: training.current(junk, at=START),
            lambda junk: training.completed(junk, at=START),
            lambda junk: training.ending(junk, at=START, within=DAY),
        )
        for ask in ways:
            check_junk(ask, "assignments[1]", [[FIRST, None], [FIRST, "a-1"]])
            check_junk(ask, "assignments", [None, "a-1", 42])
