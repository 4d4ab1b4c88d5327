"""Pause an activity and go on with it. Rule 5: a pause never moves the end of access."""

from datetime import datetime

import attrs

from course_assignments.actions.acting import event, own_authorization, read
from course_assignments.actions.learning import check_attempt, is_open, recorded_by
from course_assignments.assignments import CourseAssignment
from course_assignments.attempts import Attempt, Pause
from course_assignments.changes import Change, Replace
from course_assignments.decisions import Decision, all_of
from course_assignments.instants import as_utc
from course_assignments.people import User
from course_assignments.policies.bundle import DOCUMENTED, Policies
from course_assignments.reasons import AttemptNotPaused, AttemptPaused


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

    now = as_utc(at)
    decision = all_of(
        [
            *own_authorization(policies, actor, learner),
            lambda at: policies.access.evaluate(assignment, at=at),
            is_open(attempt),
            running,
            recorded_by(attempt),
        ],
        now,
    )
    decision.require()
    step = Replace(attempt, attrs.evolve(attempt, pauses=(*attempt.pauses, Pause(now))))
    return _rested("pause", step, assignment, learner, decision=decision, at=now, actor=actor)


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

    now = as_utc(at)
    decision = all_of(
        [
            *own_authorization(policies, actor, learner),
            lambda at: policies.access.evaluate(assignment, at=at),
            is_open(attempt),
            paused,
            recorded_by(attempt),
        ],
        now,
    )
    decision.require()
    *before, last = attempt.pauses
    after = attrs.evolve(attempt, pauses=(*before, attrs.evolve(last, resumed_at=now)))
    step = Replace(attempt, after)
    return _rested("resume", step, assignment, learner, decision=decision, at=now, actor=actor)


def _rested(
    action: str,
    step: Replace,
    assignment: CourseAssignment,
    learner: User,
    *,
    decision: Decision,
    at: datetime,
    actor: User | None,
) -> Change:
    return Change(
        replace=[step],
        expect=read(assignment, *(() if actor is None else (learner, actor))),
        record=[event(action, at, actor, step.after.id, assignment.id, learner.id)],
        decision=decision,
    )
