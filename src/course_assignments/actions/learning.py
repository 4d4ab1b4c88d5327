"""Start and finish the activities of a course. Rules 3 and 5.

Learners act for themselves; for another it takes the roles that assigning takes.
"""

from collections.abc import Iterable
from datetime import datetime

import attrs

from course_assignments import validation
from course_assignments.actions.acting import check_same, event, own_authorization, read
from course_assignments.changes import Change, Replace
from course_assignments.decisions import Decision, Question, all_of
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.attempts import Attempt
from course_assignments.entities.catalog import Course
from course_assignments.entities.enums import ActivityKind
from course_assignments.entities.people import User
from course_assignments.errors import NotFound
from course_assignments.policies import DOCUMENTED, Policies
from course_assignments.reasons import AttemptAhead, NoAttemptOpen
from course_assignments.time.datetimes import as_utc


def start(
    assignment: CourseAssignment,
    learner: User,
    course: Course,
    activity_id: str,
    *,
    attempts: Iterable[Attempt],
    at: datetime,
    request_id: str | None = None,
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that starts an activity, or starts it again (rules 3, 5 and 21).

    The first start of any activity makes the assignment incomplete, and the first launch of a lab
    marks it for good.

    Args:
        assignment: As it is stored.
        learner: Whose it is.
        course: The assignment's.
        activity_id: Which of its activities.
        attempts: All attempts of this activity under this assignment.
        at: The aware instant at which it is started.
        request_id: The id of the call, by which a retry is known.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        NotFound: the course has no such activity.
        InvalidInput: an argument is of the wrong kind, or a record belongs to others than the rest.

    Example:
        >>> from datetime import UTC, timedelta
        >>> from course_assignments.entities.assignments import Direct
        >>> from course_assignments.entities.catalog import Activity
        >>> from course_assignments.entities.enums import ExpirationLimit
        >>> created = datetime(2026, 1, 5, tzinfo=UTC)
        >>> lab = Activity(id="lab", name="First steps", kind=ActivityKind.LAB)
        >>> change = start(
        ...     CourseAssignment(
        ...         id="a-1", learner_id="ada", course_id="py", organization_id=None,
        ...         created_at=created, origin=Direct(),
        ...         expires_at=created + timedelta(days=180), limited_by=ExpirationLimit.MAXIMUM,
        ...     ),
        ...     User(id="ada", name="Ada", email="ada@example.org"),
        ...     Course(id="py", name="Python", activities=[lab]),
        ...     "lab",
        ...     attempts=[],
        ...     at=created,
        ... )
        >>> change.made(Attempt)[0].number
        1
        >>> change.made(CourseAssignment)[0].first_lab_launched_at == created
        True
    """
    _check(assignment, learner, policies)
    validation.check_kind(course, "course", Course)
    check_same(course.id, assignment.course_id, "course")
    validation.check_id(activity_id, "activity_id")
    if request_id is not None:
        validation.check_id(request_id, "request_id")
    earlier = validation.check_each(attempts, "attempts", Attempt)
    for position, one in enumerate(earlier):
        check_same(one.assignment_id, assignment.id, f"attempts[{position}].assignment_id")
        check_same(one.activity_id, activity_id, f"attempts[{position}].activity_id")
    activity = next((one for one in course.activities if one.id == activity_id), None)
    if activity is None:
        raise NotFound("Activity", activity_id)
    now = as_utc(at)
    decision = all_of(
        [
            *own_authorization(policies, actor, learner),
            lambda at: policies.access.evaluate(assignment, at=at),
            lambda at: policies.attempt.evaluate(earlier, at=at),
            *(recorded_by(one) for one in earlier),
        ],
        now,
    )
    decision.require()
    number = max((one.number for one in earlier), default=0) + 1
    attempt = Attempt(
        id=Attempt.id_for(assignment.id, activity_id, number),
        assignment_id=assignment.id,
        activity_id=activity_id,
        number=number,
        started_at=now,
        request_id=request_id,
    )
    launched = now if activity.kind is ActivityKind.LAB else None
    after = attrs.evolve(
        assignment,
        started_at=assignment.started_at or now,
        first_lab_launched_at=assignment.first_lab_launched_at or launched,
    )
    return Change(
        create=[attempt],
        replace=_replaced(assignment, after),
        expect=(*_kept(assignment, after), *read(learner, course, actor)),
        record=[event("start", now, actor, attempt.id, assignment.id, learner.id)],
        decision=decision,
    )


def finish(
    attempt: Attempt,
    assignment: CourseAssignment,
    learner: User,
    course: Course,
    *,
    at: datetime,
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that finishes an attempt, paused or not (rules 5 and 21).

    Once every required activity of the course is finished, the assignment is complete. A course
    without required activities is completed by an administrator only.

    Args:
        attempt: As it is stored.
        assignment: Under which it runs; it may have ended meanwhile.
        learner: Whose it is.
        course: The assignment's, which says what is required.
        at: The aware instant at which it is finished.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        InvalidInput: an argument is of the wrong kind, or a record belongs to others than the rest.

    Example:
        >>> from course_assignments.errors import InvalidInput
        >>> try:
        ...     finish("t-1", None, None, None, at=datetime(2026, 1, 5))
        ... except InvalidInput as error:
        ...     print(error)
        attempt: expected Attempt
    """
    check_attempt(attempt, assignment, learner, policies)
    validation.check_kind(course, "course", Course)
    check_same(course.id, assignment.course_id, "course")
    now = as_utc(at)
    decision = all_of(
        [
            *own_authorization(policies, actor, learner),
            lambda at: policies.finish.evaluate(assignment, at=at),
            is_open(attempt),
            recorded_by(attempt),
        ],
        now,
    )
    decision.require()
    finished = assignment.finished | {attempt.activity_id}
    required = {one.id for one in course.activities if one.required}
    completes = assignment.completed_at is None and required and required <= finished
    after = attrs.evolve(
        assignment,
        finished=finished,
        completed_at=now if completes else assignment.completed_at,
    )
    events = [event("finish", now, actor, attempt.id, assignment.id, learner.id)]
    if completes:
        events.append(event("complete", now, actor, assignment.id, learner.id))
    return Change(
        replace=[
            Replace(attempt, attrs.evolve(attempt, finished_at=now)),
            *_replaced(assignment, after),
        ],
        expect=(*_kept(assignment, after), *read(learner, course, actor)),
        record=events,
        decision=decision,
    )


def _check(assignment: CourseAssignment, learner: User, policies: Policies) -> None:
    validation.check_kind(assignment, "assignment", CourseAssignment)
    validation.check_kind(learner, "learner", User)
    validation.check_kind(policies, "policies", Policies)
    check_same(learner.id, assignment.learner_id, "learner")


def check_attempt(
    attempt: Attempt, assignment: CourseAssignment, learner: User, policies: Policies
) -> None:
    """Do nothing if all of these are what they should be and belong together."""
    validation.check_kind(attempt, "attempt", Attempt)
    _check(assignment, learner, policies)
    check_same(attempt.assignment_id, assignment.id, "attempt.assignment_id")


def is_open(attempt: Attempt) -> Question:
    """Return the question whether *attempt* can still be gone on with."""
    finished_at = attempt.finished_at
    return lambda _: Decision(() if finished_at is None else (NoAttemptOpen(finished_at),))


def recorded_by(attempt: Attempt) -> Question:
    """Return the question whether all that is told of *attempt* has happened; clocks do go back."""

    def ask(at: datetime) -> Decision:
        if attempt.changed_at <= at:
            return Decision()
        return Decision((AttemptAhead(attempt.changed_at),), attempt.changed_at)

    return ask


def _replaced(before: CourseAssignment, after: CourseAssignment) -> tuple[Replace, ...]:
    return () if before == after else (Replace(before, after),)


def _kept(before: CourseAssignment, after: CourseAssignment) -> tuple[CourseAssignment, ...]:
    """Return what is only expected: the assignment, if nothing about it changes."""
    return (before,) if before == after else ()
