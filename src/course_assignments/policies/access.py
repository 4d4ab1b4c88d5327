"""May a learner start, finish or complete activities of an assignment? Rule 5."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

import attrs

from course_assignments import validation
from course_assignments.decisions import Decision
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.attempts import Attempt
from course_assignments.reasons import (
    AlreadyCancelled,
    AlreadyCompleted,
    AssignmentExpired,
    AssignmentNotActive,
    AttemptOpen,
    Reason,
)
from course_assignments.time.datetimes import as_utc


class AssignmentRule(Protocol):
    """Protocol for a custom `AccessPolicy`, `FinishPolicy` or `CompletionPolicy`."""

    def evaluate(self, assignment: CourseAssignment, /, *, at: datetime) -> Decision:
        """Decide whether *assignment* allows it at *at*."""
        ...


class AttemptRule(Protocol):
    """Protocol for a custom `AttemptPolicy`."""

    def evaluate(self, attempts: Iterable[Attempt], /, *, at: datetime) -> Decision:
        """Decide whether a learner with *attempts* may start the activity at *at*."""
        ...


def check_exists(assignment: CourseAssignment, now: datetime) -> Decision:
    """Decide whether *assignment* exists at *now* and is never cancelled."""
    reasons: list[Reason] = []
    if now < assignment.created_at:
        reasons.append(AssignmentNotActive(assignment.created_at))
    if assignment.cancelled_at is not None:
        return Decision((*reasons, AlreadyCancelled(assignment.cancelled_at)))
    return Decision(reasons, assignment.created_at if reasons else None)


@attrs.frozen
class AccessPolicy:
    """Allow working on activities while the assignment is active (rule 5).

    A learner may start, pause, resume and retake activities. After completion they still may, until
    access ends.

    Example:
        >>> AccessPolicy()
        AccessPolicy()
    """

    def evaluate(self, assignment: CourseAssignment, *, at: datetime) -> Decision:
        """Decide whether *assignment* gives access to its activities at *at*."""
        validation.check_kind(assignment, "assignment", CourseAssignment)
        now = as_utc(at)
        exists = check_exists(assignment, now)
        # "start, pause, and retake labs and activities as long as the assignment remains active":
        # at its end it is no longer active
        if assignment.expires_at <= now:
            return Decision((*exists.reasons, AssignmentExpired(assignment.expires_at)))
        return Decision((), assignment.expires_at) if exists else exists


@attrs.frozen
class AttemptPolicy:
    """Allow any number of attempts at an activity, one at a time (rule 5).

    Example:
        >>> AttemptPolicy()
        AttemptPolicy()
    """

    def evaluate(self, attempts: Iterable[Attempt], *, at: datetime) -> Decision:
        """Decide whether a learner may start an activity; *at* makes no difference.

        *attempts* are all attempts at this activity under this assignment.
        """
        as_utc(at)
        given = validation.check_each(attempts, "attempts", Attempt)
        return Decision([AttemptOpen(one.id) for one in given if one.is_open])


@attrs.frozen
class FinishPolicy:
    """Allow finishing an open attempt unless the assignment is cancelled (rule 5).

    An attempt may be finished even after access has ended.

    Example:
        >>> FinishPolicy()
        FinishPolicy()
    """

    def evaluate(self, assignment: CourseAssignment, *, at: datetime) -> Decision:
        """Decide whether an open attempt under *assignment* may be finished at *at*."""
        validation.check_kind(assignment, "assignment", CourseAssignment)
        return check_exists(assignment, as_utc(at))


@attrs.frozen
class CompletionPolicy:
    """Allow marking an assignment complete unless it is cancelled (rule 5).

    An expired assignment may be marked complete too.

    Example:
        >>> CompletionPolicy()
        CompletionPolicy()
    """

    def evaluate(self, assignment: CourseAssignment, *, at: datetime) -> Decision:
        """Decide whether *assignment* may be marked complete at *at*."""
        validation.check_kind(assignment, "assignment", CourseAssignment)
        exists = check_exists(assignment, as_utc(at))
        if assignment.completed_at is None:
            return exists
        return Decision((*exists.reasons, AlreadyCompleted(assignment.completed_at)))
