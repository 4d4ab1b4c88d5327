"""The dashboard: the most relevant assignments of a learner. Rule 17."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final, Protocol

from attrs import field

from course_assignments import validation
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.frozen import frozen
from course_assignments.policies import check_policy
from course_assignments.repository import Repository
from course_assignments.time.datetimes import LATEST, as_utc
from course_assignments.time.durations import end_in_range
from course_assignments.views.training import Assignments, of_learner, ranked

#: "the five most relevant" (rule 17).
SIZE: Final = 5

#: "good for five minutes" (rule 17).
FRESH_FOR: Final = timedelta(minutes=5)


@frozen(kw_only=True)
class Dashboard:
    """The most relevant assignments of a learner, and how long they are valid.

    Attributes:
        stale_at: Until just before this time, the dashboard changes only if a record changes.

    >>> at = datetime(2026, 1, 5, tzinfo=UTC)
    >>> dashboard = Dashboard(assignments=[], has_more=False, stale_at=at)
    """

    assignments: tuple[CourseAssignment, ...] = field(
        converter=validation.to_tuple[CourseAssignment],
        validator=validation.items_of(CourseAssignment),
    )
    has_more: bool = field(validator=validation.flag)
    stale_at: datetime = field(converter=validation.to_utc)


class DashboardRule(Protocol):
    """Protocol for a custom `DashboardPolicy`."""

    def evaluate(self, assignments: Iterable[CourseAssignment], /, *, at: datetime) -> Dashboard:
        """Return the dashboard at *at* of a learner who has *assignments*."""
        ...


@frozen
class DashboardPolicy:
    """Show the five most relevant active assignments for five minutes (rule 17).

    `course_assignments.views.training.relevance` defines their order.

    >>> at = datetime(2026, 1, 5, 9, tzinfo=UTC)
    >>> DashboardPolicy(size=3).evaluate([], at=at).stale_at.isoformat()
    '2026-01-05T09:05:00+00:00'
    """

    size: int = field(default=SIZE, validator=validation.count(1))
    fresh_for: timedelta = field(default=FRESH_FOR, validator=validation.exact_duration)

    def evaluate(self, assignments: Iterable[CourseAssignment], *, at: datetime) -> Dashboard:
        """Return the dashboard at *at* of a learner who has *assignments*.

        The dashboard is stale ``fresh_for`` after *at*. It is stale earlier if time alone changes
        it before that: for example, if one assignment ends and another moves up.
        """
        now = as_utc(at)
        given = validation.check_each(assignments, "assignments", CourseAssignment)
        shown = self._shown(given, now)
        latest = end_in_range(self.fresh_for, now) or LATEST
        changes = sorted({one for one in _changes(given) if now < one < latest})
        stale_at = next((one for one in changes if self._shown(given, one) != shown), latest)
        return Dashboard(assignments=shown[0], has_more=shown[1], stale_at=stale_at)

    def _shown(self, given: Iterable[CourseAssignment], now: datetime) -> tuple[Assignments, bool]:
        active = ranked(given, now)
        return active[: self.size], len(active) > self.size


def _changes(given: Iterable[CourseAssignment]) -> Iterator[datetime]:
    """Yield each datetime at which one of *given* can appear, move or disappear."""
    for one in given:
        yield from (one.created_at, one.expires_at)
        facts = (one.started_at, one.completed_at, one.cancelled_at)
        yield from (when for when in facts if when is not None)


_DEFAULT_POLICY = DashboardPolicy()


def dashboard(
    repository: Repository,
    learner_id: str,
    *,
    at: datetime,
    policy: DashboardRule = _DEFAULT_POLICY,
) -> Dashboard:
    """Return the dashboard of a learner at *at*, as *policy* selects it; empty if unknown.

    >>> at = datetime(2026, 1, 5, 9, tzinfo=UTC)
    >>> dashboard(InMemoryRepository(), "ada", at=at).assignments
    ()
    """
    check_policy(policy, "policy")
    seen = policy.evaluate(of_learner(repository, learner_id), at=at)
    validation.check_kind(seen, "policy", Dashboard)
    return seen
