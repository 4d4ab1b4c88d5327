"""Start, pause, resume and finish the activities of a course. Rules 3, 5 and 21.

Learners may act for themselves. To act for someone else you need a role that may assign courses.
"""

from abc import abstractmethod
from datetime import datetime

import attrs
from attrs import field

from course_assignments import reasons, validation
from course_assignments.changes import Change, Replace
from course_assignments.commands.base import Command, Context, Outcome, ReceiptedCommand
from course_assignments.commands.changing import Assigned
from course_assignments.commands.reader import Reader
from course_assignments.decisions import Decision, Question, answer
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.attempts import MAX_PAUSES, Attempt
from course_assignments.entities.attempts import Pause as Break
from course_assignments.entities.catalog import Course
from course_assignments.entities.enums import ActivityKind
from course_assignments.entities.people import User
from course_assignments.errors import NotFound
from course_assignments.frozen import frozen
from course_assignments.queries import AttemptQuery
from course_assignments.reasons import Reason
from course_assignments.validation import items_of, to_tuple


@frozen
class Startable(Assigned):
    """An assignment with its learner, its course and all its attempts."""

    course: Course = field(validator=validation.one_of(Course))
    attempts: tuple[Attempt, ...] = field(
        default=(), converter=to_tuple[Attempt], validator=items_of(Attempt)
    )

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        validation.check_same(self.course.id, self.assignment.course_id, "course")
        for position, one in enumerate(self.attempts):
            path = f"attempts[{position}].assignment_id"
            validation.check_same(one.assignment_id, self.assignment.id, path)


@frozen
class Start(ReceiptedCommand[Startable, Attempt]):
    """Start an activity, or start it again after it is finished (rules 3, 5 and 21).

    The first start of an activity makes the assignment incomplete. The first launch of a lab is
    recorded permanently. After it you can't cancel the assignment.

    Attributes:
        activity_id: An activity of the course.
        id: An id for this call; makes the call safe to repeat.

    >>> assignment = registrar.assign("py", "ada")
    >>> registrar.start(assignment.id, "lab").number
    1
    >>> [reason.code for reason in registrar.may_cancel(assignment.id).reasons]
    ['lab_launched']
    """

    assignment_id: str = field(validator=validation.identifier)
    activity_id: str = field(validator=validation.identifier)

    @property
    def arguments(self) -> tuple[object, ...]:
        """The assignment and the activity."""
        return self.assignment_id, self.activity_id

    def existing(self, reader: Reader) -> Attempt | None:
        receipt = self.find_receipt(reader)
        return reader.need(Attempt, receipt[0].made[0]) if receipt else None

    def read(self, reader: Reader) -> Startable:
        assignment = reader.need(CourseAssignment, self.assignment_id)
        attempts = tuple(reader.find(AttemptQuery(assignment_id=assignment.id)))
        learner, course = reader.need_each(
            (User, assignment.learner_id), (Course, assignment.course_id)
        )
        return Startable(assignment, learner, course, attempts)

    def decide(self, records: Startable, context: Context) -> Outcome[Attempt]:
        before, learner, course = records.assignment, records.learner, records.course
        validation.check_same(before.id, self.assignment_id, "assignment")
        activity = next((one for one in course.activities if one.id == self.activity_id), None)
        if activity is None:
            raise NotFound("Activity", self.activity_id)
        earlier = [one for one in records.attempts if one.activity_id == activity.id]
        context = context.since(before.created_at, *(one.changed_at for one in earlier))
        policies, now = context.policies, context.at
        decision = context.require(
            *context.may_for(learner),
            lambda at: answer("access", policies.access.evaluate(before, at=at)),
            lambda at: answer("attempt", policies.attempt.evaluate(earlier, at=at)),
            *(_not_ahead(one) for one in earlier),
        )
        number = max((one.number for one in earlier), default=0) + 1
        attempt = Attempt(
            id=Attempt.id_for(before.id, activity.id, number),
            assignment_id=before.id,
            activity_id=activity.id,
            number=number,
            started_at=now,
        )
        launched_at = now if activity.kind is ActivityKind.LAB else None
        after = attrs.evolve(
            before,
            started_at=before.started_at or now,
            first_lab_launched_at=before.first_lab_launched_at or launched_at,
        )
        replace, expect = _replaced_or_expected(before, after)
        change = Change(
            create=(attempt, *self.receipt([attempt.id])),
            replace=replace,
            expect=(*expect, *context.expect(learner, course)),
            record=[context.event(self.action, attempt.id, before.id, learner.id)],
        )
        return Outcome(attempt, change, decision)


@frozen
class Attempted:
    """An attempt with its assignment and its learner."""

    attempt: Attempt = field(validator=validation.one_of(Attempt))
    assignment: CourseAssignment = field(validator=validation.one_of(CourseAssignment))
    learner: User = field(validator=validation.one_of(User))

    def __attrs_post_init__(self) -> None:
        validation.check_same(self.learner.id, self.assignment.learner_id, "learner")
        path = "attempt.assignment_id"
        validation.check_same(self.attempt.assignment_id, self.assignment.id, path)

    def is_open(self, at: datetime) -> Decision:  # noqa: ARG002 - a question takes a time
        """Decide whether the attempt is not finished."""
        finished_at = self.attempt.finished_at
        return Decision(() if finished_at is None else (reasons.NoAttemptOpen(finished_at),))


@frozen
class _PauseOrResume(Command[Attempted, Attempt]):
    """Change the pauses of an attempt, unless a reason is against it."""

    attempt_id: str = field(validator=validation.identifier)

    def read(self, reader: Reader) -> Attempted:
        attempt = reader.need(Attempt, self.attempt_id)
        assignment = reader.need(CourseAssignment, attempt.assignment_id)
        return Attempted(attempt, assignment, reader.need(User, assignment.learner_id))

    def decide(self, records: Attempted, context: Context) -> Outcome[Attempt]:
        before, assignment, learner = records.attempt, records.assignment, records.learner
        validation.check_same(before.id, self.attempt_id, "attempt")
        context = context.since(assignment.created_at, before.changed_at)
        policy = context.policies.access
        decision = context.require(
            *context.may_for(learner),
            lambda at: answer("access", policy.evaluate(assignment, at=at)),
            records.is_open,
            lambda _: Decision(self._against(before)),
            _not_ahead(before),
        )
        after = attrs.evolve(before, pauses=self._pauses(before.pauses, context.at))
        change = Change(
            replace=[Replace(before, after)],
            expect=(assignment, *context.expect_for_actor(learner)),
            record=[context.event(self.action, after.id, assignment.id, learner.id)],
        )
        return Outcome(after, change, decision)

    @abstractmethod
    def _against(self, attempt: Attempt) -> tuple[Reason, ...]: ...

    @abstractmethod
    def _pauses(self, before: tuple[Break, ...], at: datetime) -> tuple[Break, ...]: ...


@frozen
class Pause(_PauseOrResume):
    """Pause an attempt; the end of access stays the same (rules 5 and 21).

    >>> attempt = registrar.start(registrar.assign("py", "ada").id, "lab")
    >>> registrar.pause(attempt.id).paused_at == clock()
    True
    """

    def _against(self, attempt: Attempt) -> tuple[Reason, ...]:
        if attempt.paused_at is not None:
            return (reasons.AttemptPaused(attempt.paused_at),)
        used_up = len(attempt.pauses) >= MAX_PAUSES
        return (reasons.PausesUsedUp(MAX_PAUSES),) if used_up else ()

    def _pauses(self, before: tuple[Break, ...], at: datetime) -> tuple[Break, ...]:
        return (*before, Break(at))


@frozen
class Resume(_PauseOrResume):
    """Resume a paused attempt while the assignment is active (rules 5 and 21).

    >>> attempt = registrar.start(registrar.assign("py", "ada").id, "lab")
    >>> registrar.resume(registrar.pause(attempt.id).id).paused_at is None
    True
    """

    def _against(self, attempt: Attempt) -> tuple[Reason, ...]:
        runs = attempt.is_open and attempt.paused_at is None
        return (reasons.AttemptNotPaused(),) if runs else ()

    def _pauses(self, before: tuple[Break, ...], at: datetime) -> tuple[Break, ...]:
        return (*before[:-1], attrs.evolve(before[-1], resumed_at=at))


@frozen
class Finishable(Attempted):
    """An attempt with its assignment, its learner and its course."""

    course: Course = field(validator=validation.one_of(Course))

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        validation.check_same(self.course.id, self.assignment.course_id, "course")


@frozen
class Finish(Command[Finishable, Attempt]):
    """Finish an attempt, even after access has ended (rules 5 and 21).

    When every required activity of the course is finished, the assignment is complete. Only
    `complete` completes an assignment of a course without required activities.

    >>> assignment = registrar.assign("py", "ada")
    >>> attempt = registrar.finish(registrar.start(assignment.id, "lab").id)
    >>> registrar.get(CourseAssignment, assignment.id).completion
    <CompletionStatus.COMPLETE: 30>
    """

    attempt_id: str = field(validator=validation.identifier)

    def read(self, reader: Reader) -> Finishable:
        attempt = reader.need(Attempt, self.attempt_id)
        assignment = reader.need(CourseAssignment, attempt.assignment_id)
        learner, course = reader.need_each(
            (User, assignment.learner_id), (Course, assignment.course_id)
        )
        return Finishable(attempt, assignment, learner, course)

    def decide(self, records: Finishable, context: Context) -> Outcome[Attempt]:
        attempt, before, learner = records.attempt, records.assignment, records.learner
        validation.check_same(attempt.id, self.attempt_id, "attempt")
        context = context.since(before.created_at, attempt.changed_at)
        policy, now = context.policies.finish, context.at
        decision = context.require(
            *context.may_for(learner),
            lambda at: answer("finish", policy.evaluate(before, at=at)),
            records.is_open,
            _not_ahead(attempt),
        )
        finished = before.finished | {attempt.activity_id}
        required = {one.id for one in records.course.activities if one.required}
        completes = before.completed_at is None and required and required <= finished
        after = attrs.evolve(
            before, finished=finished, completed_at=now if completes else before.completed_at
        )
        result = attrs.evolve(attempt, finished_at=now)
        replace, expect = _replaced_or_expected(before, after)
        events = [context.event(self.action, attempt.id, before.id, learner.id)]
        if completes:
            events.append(context.event("complete", before.id, learner.id))
        change = Change(
            replace=[Replace(attempt, result), *replace],
            expect=(*expect, *context.expect(learner, records.course)),
            record=events,
        )
        return Outcome(result, change, decision)


def _not_ahead(attempt: Attempt) -> Question:
    """Ask whether the last change of *attempt* is not in the future, as clocks can go back."""

    def ask(at: datetime) -> Decision:
        if attempt.changed_at <= at:
            return Decision()
        return Decision((reasons.AttemptAhead(attempt.changed_at),), attempt.changed_at)

    return ask


def _replaced_or_expected(
    before: CourseAssignment, after: CourseAssignment
) -> tuple[tuple[Replace, ...], tuple[CourseAssignment, ...]]:
    """Return the assignment as replaced if it changes, else as expected."""
    return ((), (before,)) if before == after else ((Replace(before, after),), ())
