"""What a learner has to do, has completed, and is about to lose access to. Rules 17 and 18.

The functions that take assignments select from what you have read yourself. The result does not
depend on the order of the input, and a fact counts from its instant on, so you can ask about the
past. Every function raises `InvalidInput` if an argument has the wrong type or a datetime is naive.
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


def has_happened(instant: datetime | None, at: datetime) -> bool:
    """Return whether there is an *instant* and it is not later than *at*.

    Example:
        >>> has_happened(None, datetime(2026, 1, 5, tzinfo=UTC))
        False
    """
    return instant is not None and instant <= at


def relevance(assignment: CourseAssignment, at: datetime) -> Rank:
    """Return the sort key of an active *assignment* at *at*, the most relevant first (rule 17).

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


def ranked(given: Iterable[CourseAssignment], now: datetime) -> tuple[CourseAssignment, ...]:
    """Return those of *given* that are active at *now* in the order of `relevance`, unchecked."""
    active = (one for one in given if one.is_active_at(now))
    return tuple(sorted(active, key=lambda one: relevance(one, now)))


def relevant(
    assignments: Iterable[CourseAssignment], *, at: datetime
) -> tuple[CourseAssignment, ...]:
    """Return those of *assignments* that are active at *at*, the most relevant first.

    Example:
        >>> relevant([], at=datetime(2026, 1, 5, tzinfo=UTC))
        ()
    """
    now = as_utc(at)
    return ranked(_checked(assignments), now)


def current(
    assignments: Iterable[CourseAssignment], *, at: datetime
) -> tuple[CourseAssignment, ...]:
    """Return those that are active and not completed at *at*, the most relevant first (rule 18).

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
    """Return those completed by *at*, expired or not, the newest completion first (rule 18).

    What is cancelled at *at* is left out. Assignments completed at the same instant are sorted by
    id.

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
    """Return those that are active at *at* and end by *within* later, the first to end first.

    An end exactly *within* after *at* is included, an end at *at* is not. So consecutive windows
    include each end once. Assignments that end at the same instant are sorted by id. Completed ones
    are included, because they give access until they end.

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
    """Return what a learner has to do at *at*, as `current` selects it.

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
    """Return what a learner had completed by *at*, as `completed` selects it.

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
    """Return what is active at *at* and ends by *within* later, as `ending` selects it.

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
