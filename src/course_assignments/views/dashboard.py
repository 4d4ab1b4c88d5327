"""Which assignments does a learner see first, and how long is that so? Rule 17.

Pure: it takes assignments that someone has read, and an instant. It knows neither where they are
kept nor how they are shown.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.errors import InvalidInput
from course_assignments.policies import defaults
from course_assignments.repository import Repository
from course_assignments.time.datetimes import LATEST, as_utc
from course_assignments.time.durations import end_in_range
from course_assignments.views.training import of_learner, relevant


@attrs.frozen(kw_only=True)
class Dashboard:
    """What a learner sees first, and until when.

    Attributes:
        assignments: The most relevant ones, in their order.
        has_more: Whether there are more of them than are shown; then a page shows an arrow.
        stale_at: Before this instant it stays as it is if nobody does anything; from it on, ask
            again.

    Raises:
        InvalidInput: a field is of the wrong kind.

    Example:
        >>> from datetime import UTC
        >>> at = datetime(2026, 1, 5, tzinfo=UTC)
        >>> Dashboard(assignments=[], has_more=False, stale_at=at).assignments
        ()
    """

    assignments: tuple[CourseAssignment, ...] = field(
        converter=validation.tidy_tuple, validator=validation.each_of(tuple, CourseAssignment)
    )
    has_more: bool = field(validator=validation.flag)
    stale_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)


class DashboardRule(Protocol):
    """What may stand in for `DashboardPolicy`."""

    def evaluate(self, assignments: Iterable[CourseAssignment], *, at: datetime) -> Dashboard:
        """Return the dashboard of a learner who has *assignments*, as it is at *at*."""
        ...


@attrs.frozen
class DashboardPolicy:
    """Show the five most relevant assignments, good for five minutes (rule 17).

    Relevant is what is active, completed or not:
    `course_assignments.views.training.relevance` says in which order.

    Attributes:
        size: How many are shown; one more and there are more.
        fresh_for: How long a dashboard is good at most.

    Raises:
        InvalidInput: *size* is no whole number from 1 on, or *fresh_for* no positive `timedelta`.

    Example:
        >>> from datetime import UTC
        >>> at = datetime(2026, 1, 5, 9, tzinfo=UTC)
        >>> DashboardPolicy(size=3).evaluate([], at=at).stale_at.isoformat()
        '2026-01-05T09:05:00+00:00'
    """

    size: int = field(default=defaults.DASHBOARD_SIZE, validator=validation.count(1))
    fresh_for: timedelta = field(
        default=defaults.DASHBOARD_FRESHNESS,
        validator=[validation.one_of(timedelta), validation.term],
    )

    def evaluate(self, assignments: Iterable[CourseAssignment], *, at: datetime) -> Dashboard:
        """Return the dashboard of a learner who has *assignments*, as it is at *at*.

        It goes stale ``fresh_for`` after *at*, or at the first instant before that at which what it
        shows is different although nobody does anything: something ends, say, and another one
        moves up. Beyond the year 9899 there is no instant, so there it ends with the last one.

        Raises:
            InvalidInput: an argument is of the wrong kind, or *at* is naive.
        """
        now = as_utc(at)
        given = validation.check_each(assignments, "assignments", CourseAssignment)
        shown, has_more = self._seen(given, now)
        latest = end_in_range(self.fresh_for, now) or LATEST
        turns = sorted({turn for one in given for turn in _turns(one) if now < turn < latest})
        stale_at = next(
            (turn for turn in turns if self._seen(given, turn) != (shown, has_more)), latest
        )
        return Dashboard(assignments=shown, has_more=has_more, stale_at=stale_at)

    def _seen(
        self, given: tuple[CourseAssignment, ...], now: datetime
    ) -> tuple[tuple[CourseAssignment, ...], bool]:
        active = relevant(given, at=now)
        return active[: self.size], len(active) > self.size


def _turns(assignment: CourseAssignment) -> Iterable[datetime]:
    """Give the instants at which the place of *assignment* on a dashboard may change."""
    yield from (assignment.created_at, assignment.expires_at)
    others = (assignment.started_at, assignment.completed_at, assignment.cancelled_at)
    yield from (instant for instant in others if instant is not None)


_DOCUMENTED = DashboardPolicy()


def dashboard(
    repository: Repository, learner_id: str, *, at: datetime, policy: DashboardRule = _DOCUMENTED
) -> Dashboard:
    """Return the five most relevant assignments of a learner at *at* (rule 17).

    Active and not completed: first those started, then by soonest end, then the newest, then by id;
    those that are completed and have not ended come after them. Whoever has no assignments, known
    or not, has an empty dashboard.

    Args:
        repository: Where the assignments are kept.
        learner_id: Whose they are.
        at: The aware instant asked about.
        policy: How many are shown, and how long that is good.

    Raises:
        InvalidInput: an argument is of the wrong kind, or *at* is naive.

    Example:
        >>> from course_assignments.memory import InMemoryRepository
        >>> from datetime import UTC
        >>> at = datetime(2026, 1, 5, 9, tzinfo=UTC)
        >>> seen = dashboard(InMemoryRepository(), "ada", at=at)
        >>> seen.assignments, seen.has_more, seen.stale_at.isoformat()
        ((), False, '2026-01-05T09:05:00+00:00')
    """
    if isinstance(policy, type) or not callable(getattr(policy, "evaluate", None)):
        raise InvalidInput("wrong_type", "policy", "expected a policy with evaluate()")
    seen = policy.evaluate(of_learner(repository, learner_id), at=at)
    validation.check_kind(seen, "policy", Dashboard)
    return seen
