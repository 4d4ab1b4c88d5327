"""Create, edit and cancel subscriptions, open courses. Rules 1, 3, 4, 19, 21 and 22."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import zip_longest

import attrs
from attrs import field, validators

from course_assignments import validation
from course_assignments.changes import Change, Replace
from course_assignments.commands import base
from course_assignments.commands.base import Command, Context, CreatingCommand, Outcome
from course_assignments.commands.reader import Reader
from course_assignments.decisions import Decision, Question, answer
from course_assignments.entities.assignments import Claim, CourseAssignment, FromSubscription
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import ExpirationLimit, Permission
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Opening, Subscription
from course_assignments.errors import Conflict, InvalidInput
from course_assignments.frozen import frozen
from course_assignments.policies.expiration import Limit, zone_of
from course_assignments.policies.repetition import latest_open
from course_assignments.reasons import AssignmentNotActive, SubscriptionNotActive
from course_assignments.time.durations import Duration, end_of
from course_assignments.validation import items_of, to_tuple


@frozen(kw_only=True)
class Subscribable:
    """The learner, their organization and the courses of a new subscription.

    Attributes:
        id: The id of the new subscription.
        courses: In order, each once.
    """

    id: str = field(validator=validation.identifier)
    learner: User = field(validator=validation.one_of(User))
    courses: tuple[Course, ...] = field(converter=to_tuple[Course], validator=items_of(Course))
    organization: Organization | None = base.record_or_none(Organization)

    def __attrs_post_init__(self) -> None:
        base.check_organization(self.organization, self.learner)


@frozen
class Subscribe(CreatingCommand[Subscribable, Subscription]):
    """Let a learner open courses of a set for a duration (rules 19, 21 and 22).

    Attributes:
        course_ids: The courses; duplicates are ignored.
        duration: How long the subscription lasts. Months are counted in the time zone of the
            learner's organization.

    >>> subscription = registrar.subscribe(["py", "sql"], "ada", duration=Months(12), id="s-1")
    >>> registrar.open_course("s-1", "py").limited_by
    <ExpirationLimit.MAXIMUM: 'maximum'>
    """

    course_ids: tuple[str, ...] = field(converter=validation.to_ids)
    learner_id: str = field(validator=validation.identifier)
    duration: Duration = field(kw_only=True, converter=validation.to_duration)

    def existing(self, reader: Reader) -> Subscription | None:
        made = reader.look_up(Subscription, self.id)
        if made is None:
            return None
        # After an edit, the original courses are unknown.
        same = made.edited_at is not None or made.course_ids == self.course_ids
        if made.learner_id != self.learner_id or not same:
            raise Conflict((made.id,), "id_taken", "Subscription")
        return made

    def read(self, reader: Reader) -> Subscribable:
        learners = reader.named(User, [self.learner_id])
        courses = reader.named(Course, self.course_ids)
        reader.require_named()
        learner = learners[self.learner_id]
        return Subscribable(
            id=reader.new_id(self.id),
            learner=learner,
            courses=courses.values(),
            organization=reader.organization_of(learner),
        )

    def decide(self, records: Subscribable, context: Context) -> Outcome[Subscription]:
        learner, courses, organization = records.learner, records.courses, records.organization
        validation.check_same(learner.id, self.learner_id, "learner")
        _check_courses(courses, self.course_ids)
        subscription = Subscription(
            id=records.id,
            learner_id=learner.id,
            organization_id=learner.organization_id,
            course_ids=self.course_ids,
            created_at=context.at,
            expires_at=end_of(
                self.duration, context.at, zone_of(organization, self.duration), "duration"
            ),
        )
        decision = context.require(
            *context.may(Permission.ASSIGN_COURSES, learner.organization_id),
            *map(context.is_available, courses),
        )
        change = Change(
            create=[subscription],
            expect=context.expect(*courses, learner, organization),
            record=[context.event(self.action, subscription.id, learner.id)],
        )
        return Outcome(subscription, change, decision)


@frozen
class Subscribed:
    """A subscription and its learner."""

    subscription: Subscription = field(validator=validation.one_of(Subscription))
    learner: User = field(validator=validation.one_of(User))

    def __attrs_post_init__(self) -> None:
        validation.check_same(self.learner.id, self.subscription.learner_id, "learner")


@frozen
class EditableSubscription(Subscribed):
    """A subscription with its learner, and the courses of the new set."""

    courses: tuple[Course, ...] = field(converter=to_tuple[Course], validator=items_of(Course))


@frozen
class EditSubscription(Command[EditableSubscription, Subscription]):
    """Change the set of courses of a subscription (rules 19, 21 and 22).

    From now on only these courses can be opened. Courses that are already open stay open.

    Attributes:
        subscription_id: The subscription, which must not have ended.
        course_ids: The whole new set.

    >>> subscription = registrar.subscribe(["py"], "ada", duration=Months(12))
    >>> registrar.edit_subscription(subscription.id, ["sql"]).course_ids
    ('sql',)
    """

    subscription_id: str = field(validator=validation.identifier)
    course_ids: tuple[str, ...] = field(converter=validation.to_ids)

    def read(self, reader: Reader) -> EditableSubscription:
        subscriptions = reader.named(Subscription, [self.subscription_id])
        courses = reader.named(Course, self.course_ids)
        reader.require_named()
        subscription = subscriptions[self.subscription_id]
        learner = reader.need(User, subscription.learner_id)
        return EditableSubscription(subscription, learner, courses.values())

    def decide(self, records: EditableSubscription, context: Context) -> Outcome[Subscription]:
        before, learner = records.subscription, records.learner
        validation.check_same(before.id, self.subscription_id, "subscription")
        _check_courses(records.courses, self.course_ids)
        context = context.since(before.created_at)
        known = frozenset(before.course_ids)
        added = [one for one in records.courses if one.id not in known]
        policies = context.policies
        decision = context.require(
            *context.may(Permission.ASSIGN_COURSES, learner.organization_id),
            lambda at: answer("subscription", policies.subscription.evaluate(before, at=at)),
            *map(context.is_available, added),
        )
        if self.course_ids == before.course_ids:
            return Outcome(before, decision=decision)
        after = attrs.evolve(before, course_ids=self.course_ids, edited_at=context.at)
        change = Change(
            replace=[Replace(before, after)],
            expect=(*added, *context.expect_for_actor(learner)),
            record=[context.event(self.action, before.id, learner.id)],
        )
        return Outcome(after, change, decision)


@frozen
class CancellableSubscription(Subscribed):
    """A subscription with its learner and all assignments opened from it."""

    opened: tuple[CourseAssignment, ...] = field(
        default=(), converter=to_tuple[CourseAssignment], validator=items_of(CourseAssignment)
    )

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        ids = [one.assignment_id for one in self.subscription.openings]
        _check_opened(self.subscription, self.opened, ids)


@frozen
class CancelSubscription(Command[CancellableSubscription, Subscription]):
    """Cancel a subscription and every assignment opened from it (rules 3, 4, 19, 21).

    The cancellation windows of the subscription and of each assignment must be open, and no lab of
    any assignment may have been launched. A reason against an assignment is a `ForAssignment`.

    Attributes:
        support_reason: Why support cancels the subscription after the window; recorded.

    >>> subscription = registrar.subscribe(["py"], "ada", duration=Months(12))
    >>> assignment = registrar.open_course(subscription.id, "py")
    >>> cancelled = registrar.cancel_subscription(subscription.id)
    >>> registrar.get(CourseAssignment, assignment.id).cancelled_at == cancelled.cancelled_at
    True
    """

    subscription_id: str = field(validator=validation.identifier)
    support_reason: str | None = field(
        default=None, kw_only=True, validator=validators.optional(validation.long_text)
    )

    def read(self, reader: Reader) -> CancellableSubscription:
        subscription = reader.need(Subscription, self.subscription_id)
        learner = reader.need(User, subscription.learner_id)
        ids = [one.assignment_id for one in subscription.openings]
        opened = reader.need_all(CourseAssignment, ids)
        return CancellableSubscription(subscription, learner, opened.values())

    def decide(self, records: CancellableSubscription, context: Context) -> Outcome[Subscription]:
        before, learner = records.subscription, records.learner
        validation.check_same(before.id, self.subscription_id, "subscription")
        support = self.support_reason is not None
        permission = Permission.SUPPORT if support else Permission.ASSIGN_COURSES
        policy = context.policies.cancellation
        uncancelled = [one for one in records.opened if one.cancelled_at is None]
        context = context.since(before.created_at, *(one.created_at for one in uncancelled))

        def may_cancel(one: CourseAssignment | _Dates) -> Question:
            return lambda at: answer("cancellation", policy.evaluate(one, at=at, support=support))

        decision = context.require(
            *context.may(permission, learner.organization_id),
            partial(_for_subscription, may_cancel(_Dates(before.created_at, before.cancelled_at))),
            *(
                base.for_assignment(one.course_id, one.learner_id, may_cancel(one))
                for one in uncancelled
            ),
        )
        after = attrs.evolve(before, cancelled_at=context.at)
        ids = (*(one.id for one in uncancelled), learner.id)
        subjects = [(before.id, one) for one in ids]
        change = Change(
            replace=[
                Replace(before, after),
                *(Replace(one, attrs.evolve(one, cancelled_at=context.at)) for one in uncancelled),
            ],
            expect=context.expect_for_actor(learner),
            record=context.events(self.action, subjects, support_reason=self.support_reason),
        )
        return Outcome(after, change, decision)


def _for_subscription(question: Question, at: datetime) -> Decision:
    """Return the answer to *question*, with reasons for a subscription."""
    given = question(at)
    reasons = tuple(
        SubscriptionNotActive(one.created_at) if isinstance(one, AssignmentNotActive) else one
        for one in given.reasons
    )
    return attrs.evolve(given, reasons=reasons)


@frozen
class _Dates:
    """The datetimes of a subscription for the cancellation policy."""

    created_at: datetime
    cancelled_at: datetime | None
    first_lab_launched_at: None = None


@frozen(kw_only=True)
class Openable(base.CourseAndLearner):
    """A subscription, its learner with their organization, and the course to open.

    Attributes:
        opened: All assignments that opening this course has created.
    """

    subscription: Subscription = field(validator=validation.one_of(Subscription))
    opened: tuple[CourseAssignment, ...] = field(
        default=(), converter=to_tuple[CourseAssignment], validator=items_of(CourseAssignment)
    )

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        validation.check_same(self.learner.id, self.subscription.learner_id, "learner")
        ids = self.subscription.opened(self.course.id)
        _check_opened(self.subscription, self.opened, ids)

    def active(self, at: datetime) -> CourseAssignment | None:
        """Return the assignment that is still active, if there is one."""
        return latest_open(self.opened, at)


@frozen
class OpenCourse(base.ReceiptedCommand[Openable, CourseAssignment]):
    """Open a course of a subscription (rules 1, 19, 21 and 22).

    If an assignment that was opened before is active, this assignment is returned. After it has
    expired or was cancelled, a new assignment is created.

    Attributes:
        course_id: One of its courses.
        id: The id of the new assignment, which must not begin with ``derived-``; makes the call
            safe to repeat. By default an id derived from the subscription.

    >>> subscription = registrar.subscribe(["py"], "ada", duration=Months(3))
    >>> assignment = registrar.open_course(subscription.id, "py")
    >>> assignment.expires_at == subscription.expires_at
    True
    >>> registrar.open_course(subscription.id, "py") == assignment
    True
    """

    subscription_id: str = field(validator=validation.identifier)
    course_id: str = field(validator=validation.identifier)

    @property
    def arguments(self) -> tuple[object, ...]:
        """The subscription and the course."""
        return self.subscription_id, self.course_id

    def existing(self, reader: Reader) -> CourseAssignment | None:
        made = reader.look_up(CourseAssignment, self.id)
        if made is None:
            return self.find_returned(reader)
        wanted = (self.course_id, FromSubscription(self.subscription_id))
        if (made.course_id, made.origin) != wanted:
            raise Conflict((made.id,), "id_taken", "CourseAssignment")
        return made

    def read(self, reader: Reader) -> Openable:
        subscription, course = reader.need_each(
            (Subscription, self.subscription_id), (Course, self.course_id)
        )
        learner = reader.need(User, subscription.learner_id)
        claim = reader.look_up(Claim, Claim.id_for(learner.id, course.id))
        return Openable(
            subscription=subscription,
            learner=learner,
            course=course,
            opened=reader.need_all(CourseAssignment, subscription.opened(course.id)).values(),
            claim=claim,
            organization=reader.organization_of(learner),
        )

    def decide(self, records: Openable, context: Context) -> Outcome[CourseAssignment]:
        before, learner, course = records.subscription, records.learner, records.course
        validation.check_same(before.id, self.subscription_id, "subscription")
        validation.check_same(course.id, self.course_id, "course")
        policy = context.policies.subscription
        context = context.since(before.created_at)

        def can_be_opened(at: datetime) -> Decision:
            return answer("subscription", policy.evaluate(before, at=at, course_id=course.id))

        for_new = (can_be_opened, context.is_available(course))
        decision = context.require(
            *context.may_for(learner),
            *(base.unless_active(records.active, question) for question in for_new),
        )
        active = records.active(context.at)
        if active is not None:
            change = self.skipping(active, context.expect(before, active, learner))
            return Outcome(active, change, decision)
        own = Limit(before.expires_at, ExpirationLimit.SUBSCRIPTION)
        end = context.limit(course, records.organization, own)
        id_ = before.next_assignment_id(course.id) if self.id is None else self.id
        assignment = records.assignment(id_, context.at, end, FromSubscription(before.id))
        openings = (*before.openings, Opening(course.id, assignment.id))
        after = attrs.evolve(before, openings=openings)
        new_claims, claims = base.write_claims([records], [assignment])
        change = Change(
            create=(assignment, *new_claims, *self.receipt(made=[assignment.id])),
            replace=(Replace(before, after), *claims),
            # A concurrent command can make an expired assignment active again.
            expect=context.expect(course, learner, records.organization, *records.opened),
            record=[context.event(self.action, assignment.id, before.id, course.id, learner.id)],
        )
        return Outcome(assignment, change, decision)


def _check_opened(
    subscription: Subscription, opened: Iterable[CourseAssignment], ids: Collection[str]
) -> None:
    """Raise InvalidInput unless *opened* are the assignments *ids*, opened from *subscription*."""
    origin = FromSubscription(subscription.id)
    for position, one in enumerate(opened):
        if one.origin != origin or one.learner_id != subscription.learner_id:
            hint = "expected an assignment that was opened from the subscription"
            raise InvalidInput("another_record", f"opened[{position}]", hint)
    if {one.id for one in opened} != {*ids}:
        hint = "pass every assignment that was opened from the subscription"
        raise InvalidInput("missing", "opened", hint)


def _check_courses(courses: Sequence[Course], ids: Sequence[str]) -> None:
    """Raise InvalidInput unless *courses* are those of *ids*, in this order."""
    for position, (found, wanted) in enumerate(zip_longest((one.id for one in courses), ids)):
        validation.check_same(found, wanted, f"courses[{position}]")
