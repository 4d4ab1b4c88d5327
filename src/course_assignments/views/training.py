"""Current, completed and expiring training of a learner. Rules 17 and 18.

Some functions take assignments that you have read yourself, in any order. What happens after *at*
is ignored, so you can ask about the past.
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

Assignments: TypeAlias = tuple[CourseAssignment, ...]


def has_happened(when: datetime | None, at: datetime) -> bool:
    """Return whether *when* is a datetime that is not later than *at*.

    >>> has_happened(None, datetime(2026, 1, 5, tzinfo=UTC))
    False
    """
    return when is not None and when <= at


def relevance(assignment: CourseAssignment, at: datetime) -> tuple[Any, ...]:
    """Return the sort key of an active *assignment*; the most relevant is first.

    Assignments are sorted by completion (not completed first), start (started first), end (the
    first to end first), creation (the newest first), and id (rule 17).

    >>> at = datetime(2026, 1, 5, tzinfo=UTC)
    >>> sorted([], key=lambda assignment: relevance(assignment, at))
    []
    """
    return (
        has_happened(assignment.completed_at, at),
        not has_happened(assignment.started_at, at),
        assignment.expires_at,
        LATEST - assignment.created_at,
        assignment.id,
    )


def ranked(given: Iterable[CourseAssignment], now: datetime) -> Assignments:
    """Return the active assignments in the order of `relevance`, without checks."""
    active = (one for one in given if one.is_active_at(now))
    return tuple(sorted(active, key=lambda one: relevance(one, now)))


def relevant(assignments: Iterable[CourseAssignment], *, at: datetime) -> Assignments:
    """Return the assignments that are active at *at*, the most relevant first.

    >>> relevant([], at=datetime(2026, 1, 5, tzinfo=UTC))
    ()
    """
    now = as_utc(at)
    return ranked(validation.check_each(assignments, "assignments", CourseAssignment), now)


def current(assignments: Iterable[CourseAssignment], *, at: datetime) -> Assignments:
    """Return those `relevant` assignments that are not completed at *at* (rule 18).

    >>> current([], at=datetime(2026, 1, 5, tzinfo=UTC))
    ()
    """
    active = relevant(assignments, at=at)
    return tuple(one for one in active if not has_happened(one.completed_at, as_utc(at)))


def completed(assignments: Iterable[CourseAssignment], *, at: datetime) -> Assignments:
    """Return the assignments completed and not cancelled by *at*, expired or not (rule 18).

    The newest completion is first; assignments completed at the same time are sorted by id.

    >>> completed([], at=datetime(2026, 1, 5, tzinfo=UTC))
    ()
    """
    now = as_utc(at)
    done = [
        (LATEST - one.completed_at, one.id, one)
        for one in validation.check_each(assignments, "assignments", CourseAssignment)
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
) -> Assignments:
    """Return the assignments that are active at *at* and end *within* a duration, the next first.

    An end exactly *within* after *at* is included, an end at *at* is not. So consecutive windows
    include each end once. Completed assignments are included, because they give access until they
    end. Assignments that end at the same time are sorted by id. Months are counted in *zone*.

    >>> ending([], at=datetime(2026, 1, 5, tzinfo=UTC), within=timedelta(days=14))
    ()
    """
    now = as_utc(at)
    given = validation.check_each(assignments, "assignments", CourseAssignment)
    until = end_of(as_duration(within, "within"), now, zone, "within")
    soon = (one for one in given if one.is_active_at(now) and one.expires_at <= until)
    return tuple(sorted(soon, key=lambda one: (one.expires_at, one.id)))


def current_training(repository: Repository, learner_id: str, *, at: datetime) -> Assignments:
    """Return a learner's current training at *at*, selected by `current`; empty if unknown.

    >>> current_training(InMemoryRepository(), "ada", at=datetime(2026, 1, 5, tzinfo=UTC))
    ()
    """
    return current(of_learner(repository, learner_id), at=at)


def transcript(repository: Repository, learner_id: str, *, at: datetime) -> Assignments:
    """Return a learner's transcript at *at*, selected by `completed`; empty if unknown.

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
) -> Assignments:
    """Return the assignments that expire soon, selected by `ending`.

    To remind only learners who are not done, check ``completion``. A filter with an unknown id
    finds nothing. The organization is the learner's at creation (rule 16).

    >>> at = datetime(2026, 1, 5, tzinfo=UTC)
    >>> expiring(InMemoryRepository(), at=at, within=timedelta(days=14))
    ()
    """
    now = as_utc(at)
    until = end_of(as_duration(within, "within"), now, zone, "within")
    query = AssignmentQuery(
        learner_id=learner_id,
        course_id=course_id,
        organization_id=organization_id,
        expires_from=now,
        expires_until=next_tick(until),
        limit=MAX_PAGE,
    )
    found = tuple(find_all(repository, query))
    return ending(found, at=now, within=within, zone=zone)


def of_learner(repository: Repository, learner_id: str) -> Assignments:
    """Return all assignments of a learner in *repository*."""
    # The query takes None for everyone, so None must not get that far.
    learner_id = validation.check_id(learner_id, "learner_id")
    return tuple(find_all(repository, AssignmentQuery(learner_id=learner_id, limit=MAX_PAGE)))
