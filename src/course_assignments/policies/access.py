"""May a learner start, finish or complete activities of an assignment? Rule 5."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

import attrs

from course_assignments import reasons, validation
from course_assignments.decisions import Decision
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.attempts import Attempt
from course_assignments.time.datetimes import as_utc


class AssignmentRule(Protocol):
    """Protocol for a custom `AccessPolicy`, `FinishPolicy` or `CompletionPolicy`."""

    def evaluate(self, assignment: CourseAssignment, /, *, at: datetime) -> Decision: ...


class AttemptRule(Protocol):
    """Protocol for a custom `AttemptPolicy`."""

    def evaluate(self, attempts: Iterable[Attempt], /, *, at: datetime) -> Decision: ...


def check_exists(assignment: CourseAssignment, at: datetime) -> Decision:
    """Decide whether *assignment* exists at *at* and is never cancelled."""
    validation.check_kind(assignment, "assignment", CourseAssignment)
    found: list[reasons.Reason] = []
    if as_utc(at) < assignment.created_at:
        found.append(reasons.AssignmentNotActive(assignment.created_at))
    if assignment.cancelled_at is not None:
        return Decision((*found, reasons.AlreadyCancelled(assignment.cancelled_at)))
    return Decision(found, assignment.created_at if found else None)


@attrs.frozen
class AccessPolicy:
    """Allow starting, pausing and resuming activities while an assignment is active (rule 5).

    >>> policy = AccessPolicy()
    """

    def evaluate(self, assignment: CourseAssignment, *, at: datetime) -> Decision:
        """Decide whether *assignment* gives access to its activities at *at*."""
        exists = check_exists(assignment, at)
        # "start, pause, and retake labs and activities as long as the assignment remains active":
        # at its end it is no longer active
        if assignment.expires_at <= as_utc(at):
            return Decision((*exists.reasons, reasons.AssignmentExpired(assignment.expires_at)))
        return Decision((), assignment.expires_at) if exists else exists


@attrs.frozen
class AttemptPolicy:
    """Allow any number of attempts at an activity, one at a time (rule 5).

    >>> policy = AttemptPolicy()
    """

    def evaluate(self, attempts: Iterable[Attempt], *, at: datetime) -> Decision:
        """Decide whether a learner with all these *attempts* may start the activity."""
        as_utc(at)
        given = validation.check_each(attempts, "attempts", Attempt)
        return Decision([reasons.AttemptOpen(one.id) for one in given if one.is_open])


@attrs.frozen
class FinishPolicy:
    """Allow finishing an open attempt, even after access ended, but not if cancelled (rule 5).

    >>> policy = FinishPolicy()
    """

    def evaluate(self, assignment: CourseAssignment, *, at: datetime) -> Decision:
        """Decide whether an open attempt under *assignment* may be finished at *at*."""
        return check_exists(assignment, at)


@attrs.frozen
class CompletionPolicy:
    """Allow marking an assignment complete, even after access ended, but not if cancelled (rule 5).

    >>> policy = CompletionPolicy()
    """

    def evaluate(self, assignment: CourseAssignment, *, at: datetime) -> Decision:
        """Decide whether *assignment* may be marked complete at *at*."""
        exists = check_exists(assignment, at)
        if assignment.completed_at is None:
            return exists
        return Decision((*exists.reasons, reasons.AlreadyCompleted(assignment.completed_at)))
