"""What people look at, out of any repository, at any instant: read only. Rules 17 and 18.

A view selects by the instants of the records and by nothing else, so the past and the future can be
asked alike. It reads no clock and no users, and rules on nothing: what is shown, and in which
order, is said by `DashboardPolicy` and `course_assignments.policies.training`, which take
assignments from anywhere. Who may look is the host's to say.

One learner's assignments are read in one call, up to ten thousand of them; of what is committed
while more are read, page after page, a view may show the one half and not the other.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo

from course_assignments import fields
from course_assignments.assignments import CourseAssignment
from course_assignments.errors import InvalidInput
from course_assignments.instants import as_utc, next_tick
from course_assignments.policies import training
from course_assignments.policies.dashboard import Dashboard, DashboardPolicy, DashboardRule
from course_assignments.queries import LARGEST_PAGE, AssignmentQuery
from course_assignments.repository import Repository, every
from course_assignments.terms import TermLike, as_term, end_of

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
        >>> at = datetime(2026, 1, 5, 9, tzinfo=UTC)
        >>> seen = dashboard(InMemoryRepository(), "ada", at=at)
        >>> seen.assignments, seen.has_more, seen.stale_at.isoformat()
        ((), False, '2026-01-05T09:05:00+00:00')
    """
    if isinstance(policy, type) or not callable(getattr(policy, "evaluate", None)):
        raise InvalidInput("wrong_type", "policy", "expected a policy with evaluate()")
    seen = policy.evaluate(_of_learner(repository, learner_id), at=at)
    fields.check_kind(seen, "policy", Dashboard)
    return seen


def current_training(
    repository: Repository, learner_id: str, *, at: datetime
) -> tuple[CourseAssignment, ...]:
    """Return what a learner has to do at *at*: active and not completed by then (rule 18).

    In the order of the dashboard. Whoever has no assignments, known or not, has none to do.

    Args:
        repository: Where the assignments are kept.
        learner_id: Whose they are.
        at: The aware instant asked about.

    Raises:
        InvalidInput: an argument is of the wrong kind, or *at* is naive.

    Example:
        >>> from course_assignments.memory import InMemoryRepository
        >>> current_training(InMemoryRepository(), "ada", at=datetime(2026, 1, 5, tzinfo=UTC))
        ()
    """
    return training.current(_of_learner(repository, learner_id), at=at)


def transcript(
    repository: Repository, learner_id: str, *, at: datetime
) -> tuple[CourseAssignment, ...]:
    """Return what a learner had completed by *at*, expired or not, the newest first (rule 18).

    What is cancelled at *at* is left out, completed or not. Completions of one instant stand by id.
    Whoever has no assignments, known or not, has an empty transcript.

    Args:
        repository: Where the assignments are kept.
        learner_id: Whose they are.
        at: The aware instant asked about.

    Raises:
        InvalidInput: an argument is of the wrong kind, or *at* is naive.

    Example:
        >>> from course_assignments.memory import InMemoryRepository
        >>> transcript(InMemoryRepository(), "ada", at=datetime(2026, 1, 5, tzinfo=UTC))
        ()
    """
    return training.completed(_of_learner(repository, learner_id), at=at)


def expiring(
    repository: Repository,
    *,
    at: datetime,
    within: TermLike,
    learner_id: str | None = None,
    course_id: str | None = None,
    organization_id: str | None = None,
    zone: tzinfo = UTC,
) -> tuple[CourseAssignment, ...]:
    """Return what is active at *at* and over by *within* later, the first to end first.

    Access is over at its end, so an end exactly *within* after *at* belongs to it and one at *at*
    does not: jobs that look as far as to their next run see each end once. Ends of one instant
    stand by id. Completed ones are among them, since they give access too, until they end; whoever
    wants to remind of unfinished ones only looks at ``completion``. A filter that fits nothing
    finds nothing.

    Args:
        repository: Where the assignments are kept.
        at: The aware instant asked about.
        within: How far to look: an exact length, or months.
        learner_id: Only this learner's, such as for a calendar.
        course_id: Only of this course.
        organization_id: Only of those who belonged to it when the assignment was made (rule 16).
        zone: On whose calendar months count.

    Raises:
        InvalidInput: an argument is of the wrong kind, *at* is naive, or *within* leads beyond the
            year 9899.

    Example:
        >>> from datetime import timedelta
        >>> from course_assignments.memory import InMemoryRepository
        >>> at = datetime(2026, 1, 5, tzinfo=UTC)
        >>> expiring(InMemoryRepository(), at=at, within=timedelta(days=14))
        ()
    """
    now = as_utc(at)
    query = AssignmentQuery(
        learner_id=learner_id,
        course_id=course_id,
        organization_id=organization_id,
        expires_from=now,
        expires_until=next_tick(end_of(as_term(within, "within"), now, zone, "within")),
        limit=LARGEST_PAGE,
    )
    return training.ending(tuple(every(repository, query)), at=now, within=within, zone=zone)


def _of_learner(repository: Repository, learner_id: str) -> Iterable[CourseAssignment]:
    # Without this check, no id at all would ask for everyone's.
    query = AssignmentQuery(
        learner_id=fields.check_id(learner_id, "learner_id"), limit=LARGEST_PAGE
    )
    return tuple(every(repository, query))
