"""Pause an activity and go on with it. Rule 5: a pause never moves the end of access."""

from collections.abc import Callable
from datetime import datetime

import attrs

from course_assignments.actions.acting import event, own_authorization, read
from course_assignments.actions.learning import check_attempt, is_open, recorded_by
from course_assignments.changes import Change, Replace
from course_assignments.decisions import Decision, Question, all_of
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.attempts import Attempt, Pause
from course_assignments.entities.people import User
from course_assignments.policies import DOCUMENTED, Policies
from course_assignments.reasons import AttemptNotPaused, AttemptPaused
from course_assignments.time.datetimes import as_utc


def pause(
    attempt: Attempt,
    assignment: CourseAssignment,
    learner: User,
    *,
    at: datetime,
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that pauses an attempt; the end of access does not move (rules 5 and 21).

    Args:
        attempt: As it is stored.
        assignment: Under which it runs.
        learner: Whose it is.
        at: The aware instant at which it is paused.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        InvalidInput: an argument is of the wrong kind, or a record belongs to others than the rest.

    Example:
        >>> from course_assignments.errors import InvalidInput
        >>> try:
        ...     pause("t-1", None, None, at=datetime(2026, 1, 5))
        ... except InvalidInput as error:
        ...     print(error)
        attempt: expected Attempt
    """
    check_attempt(attempt, assignment, learner, policies)

    def running(_: datetime) -> Decision:
        return Decision(() if attempt.paused_at is None else (AttemptPaused(attempt.paused_at),))

    return _changed(
        "pause",
        attempt,
        assignment,
        learner,
        asked=running,
        pauses=lambda now: (*attempt.pauses, Pause(now)),
        at=at,
        policies=policies,
        actor=actor,
    )


def resume(
    attempt: Attempt,
    assignment: CourseAssignment,
    learner: User,
    *,
    at: datetime,
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that resumes a paused attempt (rules 5 and 21).

    Args:
        attempt: As it is stored.
        assignment: Under which it runs.
        learner: Whose it is.
        at: The aware instant at which it goes on.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        InvalidInput: an argument is of the wrong kind, or a record belongs to others than the rest.

    Example:
        >>> from course_assignments.errors import InvalidInput
        >>> try:
        ...     resume("t-1", None, None, at=datetime(2026, 1, 5))
        ... except InvalidInput as error:
        ...     print(error)
        attempt: expected Attempt
    """
    check_attempt(attempt, assignment, learner, policies)

    def paused(_: datetime) -> Decision:
        waits = attempt.paused_at is not None or not attempt.is_open
        return Decision(() if waits else (AttemptNotPaused(),))

    return _changed(
        "resume",
        attempt,
        assignment,
        learner,
        asked=paused,
        pauses=lambda now: (*attempt.pauses[:-1], attrs.evolve(attempt.pauses[-1], resumed_at=now)),
        at=at,
        policies=policies,
        actor=actor,
    )


def _changed(
    action: str,
    attempt: Attempt,
    assignment: CourseAssignment,
    learner: User,
    *,
    asked: Question,
    pauses: Callable[[datetime], tuple[Pause, ...]],
    at: datetime,
    policies: Policies,
    actor: User | None,
) -> Change:
    """Return the change that gives *attempt* other *pauses*, while its assignment is active."""
    now = as_utc(at)
    decision = all_of(
        [
            *own_authorization(policies, actor, learner),
            lambda at: policies.access.evaluate(assignment, at=at),
            is_open(attempt),
            asked,
            recorded_by(attempt),
        ],
        now,
    )
    decision.require()
    return Change(
        replace=[Replace(attempt, attrs.evolve(attempt, pauses=pauses(now)))],
        expect=read(assignment, *(() if actor is None else (learner, actor))),
        record=[event(action, now, actor, attempt.id, assignment.id, learner.id)],
        decision=decision,
    )
