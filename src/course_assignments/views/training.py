"""What a learner has and has done at an instant: current, completed, about to end. Rule 18.

Pure selections out of assignments that someone has read, each in a total order, so that the order
of the input does not matter. A fact counts from its instant on: asked about the past, they say what
was so then. Whose the assignments are is not asked.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeAlias

from course_assignments import validation
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.enums import AssignmentStatus
from course_assignments.queries import MAX_PAGE, AssignmentQuery
from course_assignments.repository import Repository, find_all
from course_assignments.time.datetimes import LATEST, as_utc, next_tick
from course_assignments.time.durations import DurationLike, as_duration, end_of

#: Where an assignment stands among others.
Rank: TypeAlias = tuple[Any, ...]


def has_happened(instant: datetime | None, at: datetime) -> bool:
    """Return whether *instant* is one, and not later than *at*.

    Example:
        >>> has_happened(None, datetime(2026, 1, 5, tzinfo=UTC))
        False
    """
    return instant is not None and instant <= at


def relevance(assignment: CourseAssignment, at: datetime) -> Rank:
    """Return where an active *assignment* ranks at *at*, the most relevant first (rule 17).

    Not completed before completed, then started before not started, then the one that ends first,
    then the newest, then by id.

    Example:
        >>> from datetime import timedelta
        >>> from course_assignments.entities.assignments import Direct
        >>> from course_assignments.entities.enums import ExpirationLimit
        >>> created = datetime(2026, 1, 5, tzinfo=UTC)
        >>> assignment = CourseAssignment(
        ...     id="a-1", learner_id="ada", course_id="py", organization_id=None,
        ...     created_at=created, started_at=created, origin=Direct(),
        ...     expires_at=created + timedelta(days=180), limited_by=ExpirationLimit.MAXIMUM,
        ... )
        >>> relevance(assignment, created)[:2]
        (False, False)
    """
    return (
        has_happened(assignment.completed_at, at),
        not has_happened(assignment.started_at, at),
        assignment.expires_at,
        LATEST - assignment.created_at,
        assignment.id,
    )


def relevant(
    assignments: Iterable[CourseAssignment], *, at: datetime
) -> tuple[CourseAssignment, ...]:
    """Return those of *assignments* that are active at *at*, the most relevant first (rule 17).

    Raises:
        InvalidInput: an argument is of the wrong kind, or *at* is naive.

    Example:
        >>> relevant([], at=datetime(2026, 1, 5, tzinfo=UTC))
        ()
    """
    now, given = as_utc(at), _checked(assignments)
    active = (one for one in given if one.is_active_at(now))
    return tuple(sorted(active, key=lambda one: relevance(one, now)))


def current(
    assignments: Iterable[CourseAssignment], *, at: datetime
) -> tuple[CourseAssignment, ...]:
    """Return those that are active at *at* and not completed by then, the most relevant first.

    Rule 18. The instant of completion itself counts as completed.

    Raises:
        InvalidInput: an argument is of the wrong kind, or *at* is naive.

    Example:
        >>> current([], at=datetime(2026, 1, 5, tzinfo=UTC))
        ()
    """
    now = as_utc(at)
    return tuple(
        one for one in relevant(assignments, at=now) if not has_happened(one.completed_at, now)
    )


def completed(
    assignments: Iterable[CourseAssignment], *, at: datetime
) -> tuple[CourseAssignment, ...]:
    """Return those that were completed by *at*, expired or not, the newest completion first.

    Rule 18. What is cancelled at *at* is left out; completions of one instant stand by id.

    Raises:
        InvalidInput: an argument is of the wrong kind, or *at* is naive.

    Example:
        >>> completed([], at=datetime(2026, 1, 5, tzinfo=UTC))
        ()
    """
    now, given = as_utc(at), _checked(assignments)
    done = [
        (LATEST - one.completed_at, one.id, one)
        for one in given
        if one.completed_at is not None
        and one.completed_at <= now
        and one.status_at(now) is not AssignmentStatus.CANCELLED
    ]
    return tuple(one for *_, one in sorted(done, key=lambda entry: entry[:2]))


def ending(
    assignments: Iterable[CourseAssignment],
    *,
    at: datetime,
    within: DurationLike,
    zone: tzinfo = UTC,
) -> tuple[CourseAssignment, ...]:
    """Return those that are active at *at* and over by *within* later, the first to end first.

    So an end exactly *within* after *at* belongs to it, as access is over at its end; one at *at*
    does not. Windows that follow each other without a gap thus take each end once. Ends of one
    instant stand by id. Completed ones are among them: they give access too, until they end.

    Args:
        assignments: Whose ends are asked for.
        at: The aware instant asked about.
        within: How far to look, exact or in months.
        zone: On whose calendar months count.

    Raises:
        InvalidInput: an argument is of the wrong kind, *at* is naive, or *within* leads beyond the
            year 9899.

    Example:
        >>> from datetime import timedelta
        >>> ending([], at=datetime(2026, 1, 5, tzinfo=UTC), within=timedelta(days=14))
        ()
    """
    now, given = as_utc(at), _checked(assignments)
    until = end_of(as_duration(within, "within"), now, zone, "within")
    soon = (one for one in given if one.is_active_at(now) and one.expires_at <= until)
    return tuple(sorted(soon, key=lambda one: (one.expires_at, one.id)))


def _checked(assignments: Iterable[CourseAssignment]) -> tuple[CourseAssignment, ...]:
    return validation.check_each(assignments, "assignments", CourseAssignment)


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
    return current(of_learner(repository, learner_id), at=at)


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
    return completed(of_learner(repository, learner_id), at=at)


def expiring(
    repository: Repository,
    *,
    at: datetime,
    within: DurationLike,
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
        expires_until=next_tick(end_of(as_duration(within, "within"), now, zone, "within")),
        limit=MAX_PAGE,
    )
    return ending(tuple(find_all(repository, query)), at=now, within=within, zone=zone)


def of_learner(repository: Repository, learner_id: str) -> Iterable[CourseAssignment]:
    """Return all assignments of a learner, out of *repository*."""
    # Without this check, no id at all would ask for everyone's.
    query = AssignmentQuery(
        learner_id=validation.check_id(learner_id, "learner_id"), limit=MAX_PAGE
    )
    return tuple(find_all(repository, query))
