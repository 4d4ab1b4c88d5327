"""Current, completed and expiring training of a learner. Rules 17 and 18.

Some functions take assignments that you have read yourself. Their results do not depend on the
order of the input. What happens after *at* is ignored, so you can ask about the past. Every
function raises `InvalidInput` if an argument has the wrong type or a datetime is naive.
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

#: The sort key of an assignment.
Rank: TypeAlias = tuple[Any, ...]


def has_happened(when: datetime | None, at: datetime) -> bool:
    """Return whether *when* is a datetime that is not later than *at*.

    Example:
        >>> has_happened(None, datetime(2026, 1, 5, tzinfo=UTC))
        False
    """
    return when is not None and when <= at


def relevance(assignment: CourseAssignment, at: datetime) -> Rank:
    """Return the sort key of an active *assignment*; the most relevant is first.

    Assignments are sorted by completion (not completed first), start (started first), end (the
    first to end first), creation (the newest first), and id (rule 17).

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


def ranked(given: Iterable[CourseAssignment], now: datetime) -> tuple[CourseAssignment, ...]:
    """Return the active assignments in the order of `relevance`, without checks."""
    active = (one for one in given if one.is_active_at(now))
    return tuple(sorted(active, key=lambda one: relevance(one, now)))


def relevant(
    assignments: Iterable[CourseAssignment], *, at: datetime
) -> tuple[CourseAssignment, ...]:
    """Return the assignments that are active at *at*, the most relevant first.

    Example:
        >>> relevant([], at=datetime(2026, 1, 5, tzinfo=UTC))
        ()
    """
    now = as_utc(at)
    return ranked(_checked(assignments), now)


def current(
    assignments: Iterable[CourseAssignment], *, at: datetime
) -> tuple[CourseAssignment, ...]:
    """Return the active assignments that are not completed at *at* (rule 18).

    The most relevant is first.

    Example:
        >>> current([], at=datetime(2026, 1, 5, tzinfo=UTC))
        ()
    """
    now = as_utc(at)
    active = ranked(_checked(assignments), now)
    return tuple(one for one in active if not has_happened(one.completed_at, now))


def completed(
    assignments: Iterable[CourseAssignment], *, at: datetime
) -> tuple[CourseAssignment, ...]:
    """Return the assignments completed by *at*, expired or not (rule 18).

    The newest completion is first; assignments completed at the same time are sorted by id.
    Assignments that are cancelled at *at* are left out.

    Example:
        >>> completed([], at=datetime(2026, 1, 5, tzinfo=UTC))
        ()
    """
    now = as_utc(at)
    done = [
        (LATEST - one.completed_at, one.id, one)
        for one in _checked(assignments)
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
    """Return the assignments that are active at *at* and end *within* a duration.

    The first to end is first; assignments that end at the same time are sorted by id. An end
    exactly *within* after *at* is included, an end at *at* is not. So consecutive windows include
    each end once. Completed assignments are included, because they give access until they end.

    Args:
        assignments: The assignments to select from.
        at: The start of the window.
        within: The length of the window, exact or in months.
        zone: The time zone in which months are counted.

    Raises:
        InvalidInput: an argument is invalid, or the window ends after the year 9899.

    Example:
        >>> from datetime import timedelta
        >>> ending([], at=datetime(2026, 1, 5, tzinfo=UTC), within=timedelta(days=14))
        ()
    """
    now, given = as_utc(at), _checked(assignments)
    return _ending(given, now, _window_end(now, within, zone))


def current_training(
    repository: Repository, learner_id: str, *, at: datetime
) -> tuple[CourseAssignment, ...]:
    """Return a learner's current training at *at*, selected by `current`.

    The result for a learner without assignments, or for an unknown learner, is empty.

    Example:
        >>> from course_assignments.memory import InMemoryRepository
        >>> current_training(InMemoryRepository(), "ada", at=datetime(2026, 1, 5, tzinfo=UTC))
        ()
    """
    return current(of_learner(repository, learner_id), at=at)


def transcript(
    repository: Repository, learner_id: str, *, at: datetime
) -> tuple[CourseAssignment, ...]:
    """Return a learner's transcript at *at*, selected by `completed`.

    The result for a learner without assignments, or for an unknown learner, is empty.

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
    """Return the assignments that expire soon, selected by `ending`.

    To remind only learners who are not done, check ``completion``. A filter with an unknown id
    finds nothing.

    Args:
        repository: Where the assignments are stored.
        at: The start of the window. Use consecutive windows to see each end once.
        within: The length of the window, exact or in months.
        learner_id: Only assignments of this learner.
        course_id: Only assignments of this course.
        organization_id: Only assignments made for learners of this organization (rule 16).
        zone: The time zone in which months are counted.

    Raises:
        InvalidInput: an argument is invalid, or the window ends after the year 9899.

    Example:
        >>> from datetime import timedelta
        >>> from course_assignments.memory import InMemoryRepository
        >>> at = datetime(2026, 1, 5, tzinfo=UTC)
        >>> expiring(InMemoryRepository(), at=at, within=timedelta(days=14))
        ()
    """
    now = as_utc(at)
    until = _window_end(now, within, zone)
    query = AssignmentQuery(
        learner_id=learner_id,
        course_id=course_id,
        organization_id=organization_id,
        expires_from=now,
        expires_until=next_tick(until),
        limit=MAX_PAGE,
    )
    return _ending(find_all(repository, query), now, until)


def of_learner(repository: Repository, learner_id: str) -> tuple[CourseAssignment, ...]:
    """Return all assignments of a learner in *repository*."""
    # The query takes None for everyone, so None must not get that far.
    validation.check_id(learner_id, "learner_id")
    return tuple(find_all(repository, AssignmentQuery(learner_id=learner_id, limit=MAX_PAGE)))


def _ending(
    given: Iterable[CourseAssignment], now: datetime, until: datetime
) -> tuple[CourseAssignment, ...]:
    soon = (one for one in given if one.is_active_at(now) and one.expires_at <= until)
    return tuple(sorted(soon, key=lambda one: (one.expires_at, one.id)))


def _window_end(now: datetime, within: DurationLike, zone: tzinfo) -> datetime:
    return end_of(as_duration(within, "within"), now, zone, "within")


def _checked(assignments: Iterable[CourseAssignment]) -> tuple[CourseAssignment, ...]:
    return validation.check_each(assignments, "assignments", CourseAssignment)
