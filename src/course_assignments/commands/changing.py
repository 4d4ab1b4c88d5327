"""Cancel, reschedule and complete assignments, and add notes. Rules 2 to 5, 13 and 21."""

from datetime import datetime
from typing import Any

import attrs
from attrs import field, validators

from course_assignments import validation
from course_assignments.changes import Change, Replace, Use
from course_assignments.commands import base
from course_assignments.commands.base import Command, Context, Outcome
from course_assignments.commands.reader import Reader
from course_assignments.decisions import Decision, Question, answer
from course_assignments.entities.assignments import MAX_NOTES, CourseAssignment, FromKey, Note
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import ExpirationLimit, Permission
from course_assignments.entities.keys import Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Subscription
from course_assignments.errors import InvalidInput
from course_assignments.frozen import frozen
from course_assignments.policies.expiration import Limit, zone_of
from course_assignments.reasons import ExpiresTooEarly, ExpiresTooLate, NotesUsedUp, Reason
from course_assignments.time.durations import End, resolve_end


@frozen
class Assigned:
    """An assignment and its learner."""

    assignment: CourseAssignment = field(validator=validation.one_of(CourseAssignment))
    learner: User = field(validator=validation.one_of(User))

    def __attrs_post_init__(self) -> None:
        validation.check_same(self.learner.id, self.assignment.learner_id, "learner")


@frozen
class Cancellable(Assigned):
    """An assignment and its learner; to restore the use of a key, also redemption and key."""

    redemption: Redemption | None = base.record_or_none(Redemption)
    key: TrainingKey | None = base.record_or_none(TrainingKey)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.redemption is not None:
            validation.check_same(self.redemption.assignment_id, self.assignment.id, "redemption")
        if self.key is not None:
            key_id = None if self.redemption is None else self.redemption.key_id
            validation.check_same(self.key.id, key_id, "key")


@frozen
class Cancel(Command[Cancellable, CourseAssignment]):
    """Cancel an assignment permanently (rules 3, 4, 13 and 21).

    Attributes:
        support_reason: Why support cancels the assignment after the window; recorded.

    >>> assignment = registrar.assign("py", "ada")
    >>> registrar.may_cancel(assignment.id).changes_at.isoformat()
    '2026-01-06T09:00:00.000001+00:00'
    >>> registrar.cancel(assignment.id).status_at(clock())
    <AssignmentStatus.CANCELLED: 'cancelled'>
    """

    assignment_id: str = field(validator=validation.identifier)
    support_reason: str | None = field(
        default=None, kw_only=True, validator=validators.optional(validation.long_text)
    )

    def read(self, reader: Reader) -> Cancellable:
        assignment = reader.need(CourseAssignment, self.assignment_id)
        origin = assignment.origin
        if not reader.policies.cancellation.restores_key_use or not isinstance(origin, FromKey):
            return Cancellable(assignment, reader.need(User, assignment.learner_id))
        learner, redemption = reader.need_each(
            (User, assignment.learner_id), (Redemption, origin.redemption_id)
        )
        key = reader.look_up(TrainingKey, redemption.key_id)
        return Cancellable(assignment, learner, redemption, key)

    def decide(self, records: Cancellable, context: Context) -> Outcome[CourseAssignment]:
        before, learner, policy = records.assignment, records.learner, context.policies.cancellation
        validation.check_same(before.id, self.assignment_id, "assignment")
        context = context.since(before.created_at)
        support = self.support_reason is not None
        permission = Permission.SUPPORT if support else Permission.ASSIGN_COURSES
        decision = context.require(
            *context.may(permission, learner.organization_id),
            lambda at: answer("cancellation", policy.evaluate(before, at=at, support=support)),
        )
        after = attrs.evolve(before, cancelled_at=context.at)
        replace, use = [Replace(before, after)], list[Use]()
        if policy.restores_key_use and isinstance(before.origin, FromKey):
            redemption, key = records.redemption, records.key
            if redemption is None or key is None:
                hint = "pass the redemption and its key, to restore the use"
                raise InvalidInput("missing", "redemption", hint)
            restored = attrs.evolve(redemption, restored_at=context.at)
            replace.append(Replace(redemption, restored))
            use.append(Use(key, -1))
        subjects = (before.id, learner.id)
        change = Change(
            replace=replace,
            use=use,
            expect=context.expect_for_actor(learner),
            record=[context.event(self.action, *subjects, support_reason=self.support_reason)],
        )
        return Outcome(after, change, decision)


@frozen
class Reschedulable(Assigned):
    """An assignment with its learner, and everything that limits its end."""

    course: Course = field(validator=validation.one_of(Course))
    organization: Organization | None = base.record_or_none(Organization)
    subscription: Subscription | None = base.record_or_none(Subscription)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        validation.check_same(self.course.id, self.assignment.course_id, "course")
        base.check_organization(self.organization, self.learner)
        wanted = self.assignment.subscription_id
        if self.subscription is not None:
            validation.check_same(self.subscription.id, wanted, "subscription")
        elif wanted is not None:
            hint = "pass the subscription: its end is a limit too"
            raise InvalidInput("missing", "subscription", hint)

    def limit(self, context: Context) -> Limit:
        """Return the latest end without support."""
        began = attrs.evolve(context, at=self.assignment.created_at)
        others: list[Limit] = []
        if self.subscription is not None:
            others.append(Limit(self.subscription.expires_at, ExpirationLimit.SUBSCRIPTION))
        return began.limit(self.course, self.organization, *others)


@frozen
class Reschedule(Command[Reschedulable, CourseAssignment]):
    """Change the end of an assignment, within its limit (rules 2, 4 and 21).

    An expired assignment can become active again, but a cancelled assignment cannot.

    Attributes:
        expires: The new end: an aware datetime, a duration from the creation of the assignment, or
            a date in the time zone of the learner's organization. The current time ends access.
        support_reason: Why support chooses an end after the limit; recorded.

    >>> assignment = registrar.assign("py", "ada")
    >>> registrar.reschedule(assignment.id, Months(1)).limited_by
    <ExpirationLimit.REQUEST: 'request'>
    """

    assignment_id: str = field(validator=validation.identifier)
    expires: End = field(converter=validation.to_end)
    support_reason: str | None = field(
        default=None, kw_only=True, validator=validators.optional(validation.long_text)
    )

    def read(self, reader: Reader) -> Reschedulable:
        assignment = reader.need(CourseAssignment, self.assignment_id)
        learner, subscription, course = reader.need_each(
            (User, assignment.learner_id),
            (Subscription, assignment.subscription_id),
            (Course, assignment.course_id),
        )
        organization = reader.organization_of(learner)
        return Reschedulable(assignment, learner, course, organization, subscription)

    def decide(self, records: Reschedulable, context: Context) -> Outcome[CourseAssignment]:
        before, learner, policies = records.assignment, records.learner, context.policies
        validation.check_same(before.id, self.assignment_id, "assignment")
        created_at, course, organization = before.created_at, records.course, records.organization
        context = context.since(created_at)
        zone = zone_of(organization, self.expires)
        end = resolve_end(self.expires, start=created_at, zone=zone, field="expires")
        limited = answer(
            "expiration",
            policies.expiration.evaluate(
                end, created_at=created_at, course=course, organization=organization
            ),
        )
        within_limits = _with_subscription_limit(limited, end, records.subscription)
        support = self.support_reason is not None
        limit = None if support else records.limit(context)
        if support:
            within_limits = _without(within_limits, ExpiresTooLate)

        def may_reschedule(at: datetime) -> Decision:
            given = answer(
                "reschedule", policies.reschedule.evaluate(before, expires_at=end, at=at)
            )
            has_passed = limit is not None and limit.at < at
            return _without(given, ExpiresTooEarly) if has_passed else given

        def is_within_limits(at: datetime) -> Decision:
            if limit is not None and limit.at < at:  # an earlier end is refused, and a later one
                others = _without(within_limits, ExpiresTooEarly, ExpiresTooLate)
                return Decision((*others.reasons, ExpiresTooLate(limit.at, limit.by, passed=True)))
            # An end in the past already has a reason, with a later earliest end.
            return Decision() if end < at and end <= created_at else within_limits

        permission = Permission.SUPPORT if support else Permission.ASSIGN_COURSES
        decision = context.require(
            *context.may(permission, learner.organization_id), may_reschedule, is_within_limits
        )
        by = ExpirationLimit.SUPPORT if support else ExpirationLimit.REQUEST
        after = attrs.evolve(before, expires_at=end, limited_by=by)
        subjects = (before.id, learner.id)
        change = Change(
            replace=[Replace(before, after)],
            expect=context.expect(learner, course, organization, records.subscription),
            record=[context.event(self.action, *subjects, support_reason=self.support_reason)],
        )
        return Outcome(after, change, decision)


def _without(decision: Decision, *kinds: type[Reason]) -> Decision:
    """Return *decision* without its reasons of *kinds*."""
    kept = tuple(one for one in decision.reasons if not isinstance(one, kinds))
    return decision if kept == decision.reasons else Decision(kept)


def _with_subscription_limit(
    decision: Decision, end: datetime, subscription: Subscription | None
) -> Decision:
    """Return *decision* with the end of *subscription* as another limit."""
    if subscription is None or end <= subscription.expires_at:
        return decision
    own = ExpiresTooLate(subscription.expires_at, ExpirationLimit.SUBSCRIPTION)
    late = [own, *(one for one in decision.reasons if isinstance(one, ExpiresTooLate))]
    others = _without(decision, ExpiresTooLate).reasons
    return Decision((*others, min(late, key=lambda one: one.latest)))


@frozen
class _Edit(Command[Assigned, CourseAssignment]):
    """Edit an assignment alone."""

    assignment_id: str = field(validator=validation.identifier)

    def read(self, reader: Reader) -> Assigned:
        assignment = reader.need(CourseAssignment, self.assignment_id)
        return Assigned(assignment, reader.need(User, assignment.learner_id))

    def edit(
        self, records: Assigned, context: Context, *questions: Question, **values: Any
    ) -> Outcome[CourseAssignment]:
        """Return the assignment with *values*, if the actor and *questions* allow them."""
        before, learner = records.assignment, records.learner
        validation.check_same(before.id, self.assignment_id, "assignment")
        may = context.may(Permission.ASSIGN_COURSES, learner.organization_id)
        decision = context.require(*may, *questions)
        after: CourseAssignment = attrs.evolve(before, **values)
        change = Change(
            replace=[Replace(before, after)],
            expect=context.expect_for_actor(learner),
            record=[context.event(self.action, before.id, learner.id)],
        )
        return Outcome(after, change, decision)


@frozen
class Complete(_Edit):
    """Mark an assignment as completed, expired or not (rules 5 and 21).

    >>> registrar.complete(registrar.assign("py", "ada").id).completion
    <CompletionStatus.COMPLETE: 30>
    """

    def decide(self, records: Assigned, context: Context) -> Outcome[CourseAssignment]:
        policy = context.policies.completion
        context = context.since(records.assignment.created_at)

        def is_incomplete(at: datetime) -> Decision:
            return answer("completion", policy.evaluate(records.assignment, at=at))

        return self.edit(records, context, is_incomplete, completed_at=context.at)


@frozen
class AddNote(_Edit):
    """Add a note to an assignment in any state; a retry adds it again (rule 21).

    Attributes:
        note: The note, which becomes the last one of the assignment.

    >>> assignment = registrar.assign("py", "ada")
    >>> note = Note(title="Renewal", message="Paid until June.")
    >>> registrar.add_note(assignment.id, note).notes == (note,)
    True
    """

    note: Note = field(validator=validation.one_of(Note, exact=True))

    def decide(self, records: Assigned, context: Context) -> Outcome[CourseAssignment]:
        context = context.since(records.assignment.created_at)
        notes = (*records.assignment.notes, self.note)
        used_up = Decision([NotesUsedUp(MAX_NOTES)] if len(notes) > MAX_NOTES else [])
        return self.edit(records, context, lambda _: used_up, notes=notes)
