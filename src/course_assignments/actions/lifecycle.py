"""Cancel, reschedule and complete an assignment that exists. Rules 2 to 5, 13 and 21."""

from datetime import datetime

import attrs

from course_assignments import validation
from course_assignments.actions.acting import (
    authorization,
    check_organization,
    check_same,
    event,
    read,
)
from course_assignments.changes import Change, Replace, Use
from course_assignments.decisions import Decision, all_of
from course_assignments.entities.assignments import CourseAssignment, FromKey, FromSubscription
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import ExpirationLimit, Permission
from course_assignments.entities.keys import Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Subscription
from course_assignments.errors import InvalidInput
from course_assignments.policies import DOCUMENTED, Policies
from course_assignments.policies.expiration import zone_of
from course_assignments.reasons import ExpiresTooLate
from course_assignments.time.datetimes import as_utc
from course_assignments.time.durations import EndLike, resolve_end


def cancel(
    assignment: CourseAssignment,
    learner: User,
    *,
    at: datetime,
    support_reason: str | None = None,
    redemption: Redemption | None = None,
    key: TrainingKey | None = None,
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that cancels *assignment* (rules 3, 4, 13 and 21).

    Args:
        assignment: As it is stored.
        learner: Whose it is.
        at: The aware instant at which it is cancelled.
        support_reason: Why support cancels it after the window; recorded in the event.
        redemption: The redemption it came from; needed if the policy gives its use back.
        key: The key that was redeemed; needed likewise.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        InvalidInput: an argument is of the wrong kind or missing, or *support_reason* is blank.

    Example:
        >>> from datetime import UTC, timedelta
        >>> from course_assignments.entities.assignments import Direct
        >>> created = datetime(2026, 1, 5, tzinfo=UTC)
        >>> ada = User(id="ada", name="Ada", email="ada@example.org")
        >>> assignment = CourseAssignment(
        ...     id="a-1", learner_id="ada", course_id="py", organization_id=None,
        ...     created_at=created, origin=Direct(),
        ...     expires_at=created + timedelta(days=180), limited_by=ExpirationLimit.MAXIMUM,
        ... )
        >>> cancel(assignment, ada, at=created + timedelta(hours=25))
        Traceback (most recent call last):
        course_assignments.decisions.Refused: The time to cancel closed after ...
    """
    _check(assignment, learner, policies)
    now = as_utc(at)
    if redemption is not None:
        validation.check_kind(redemption, "redemption", Redemption)
        check_same(redemption.assignment_id, assignment.id, "redemption")
    if key is not None:
        validation.check_kind(key, "key", TrainingKey)
        check_same(key.code, None if redemption is None else redemption.code, "key")
    if support_reason is not None:
        validation.check_long_text(support_reason, "support_reason")
    support = support_reason is not None
    permission = Permission.SUPPORT if support else Permission.ASSIGN_COURSES
    decision = all_of(
        [
            *authorization(policies, actor, permission, learner.organization_id),
            lambda at: policies.cancellation.evaluate(assignment, at=at, support=support),
        ],
        now,
    )
    decision.require()
    replace = [Replace(assignment, attrs.evolve(assignment, cancelled_at=now))]
    use: list[Use] = []
    if policies.cancellation.restores_key_use and isinstance(assignment.origin, FromKey):
        if redemption is None or key is None:
            raise InvalidInput("missing", "redemption", "give it and its key: the use is restored")
        replace.append(Replace(redemption, attrs.evolve(redemption, restored_at=now)))
        use.append(Use(key, -1))
    details = {} if support_reason is None else {"support_reason": support_reason}
    return Change(
        replace=replace,
        use=use,
        expect=read(*(() if actor is None else (learner, actor))),
        record=[event("cancel", now, actor, assignment.id, learner.id, details=details)],
        decision=decision,
    )


def reschedule(
    assignment: CourseAssignment,
    learner: User,
    *,
    expires: EndLike,
    at: datetime,
    course: Course,
    organization: Organization | None = None,
    subscription: Subscription | None = None,
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that gives *assignment* another end (rules 2 and 21).

    Args:
        assignment: As it is stored.
        learner: Whose it is.
        expires: The new end: an aware instant, a term from the creation of the assignment, or a day
            in the zone of *organization*. The present instant ends access.
        at: The aware instant at which it is changed.
        course: The assignment's, whose maximum counts.
        organization: The learner's, whose maximum and time zone count, if they have one.
        subscription: What the assignment was opened from, if it was; its end limits too.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        InvalidInput: an argument is of the wrong kind, missing or out of bounds, or a record
            belongs to others than the rest.

    Example:
        >>> from datetime import UTC, timedelta
        >>> from course_assignments.entities.assignments import Direct
        >>> created = datetime(2026, 1, 5, tzinfo=UTC)
        >>> ada = User(id="ada", name="Ada", email="ada@example.org")
        >>> assignment = CourseAssignment(
        ...     id="a-1", learner_id="ada", course_id="py", organization_id=None,
        ...     created_at=created, origin=Direct(),
        ...     expires_at=created + timedelta(days=180), limited_by=ExpirationLimit.MAXIMUM,
        ... )
        >>> change = reschedule(
        ...     assignment, ada, expires=timedelta(days=30), at=created,
        ...     course=Course(id="py", name="Python"),
        ... )
        >>> change.made(CourseAssignment)[0].expires_at.isoformat()
        '2026-02-04T00:00:00+00:00'
    """
    _check(assignment, learner, policies)
    now, created_at = as_utc(at), assignment.created_at
    validation.check_kind(course, "course", Course)
    check_same(course.id, assignment.course_id, "course")
    check_organization(organization, learner)
    _check_subscription(subscription, assignment)
    end = resolve_end(expires, start=created_at, zone=zone_of(organization), field="expires")
    in_bounds = policies.expiration.evaluate(
        end, created_at=created_at, course=course, organization=organization
    )
    if subscription is not None and end > subscription.expires_at:
        in_bounds = _also_limited(in_bounds, subscription.expires_at)
    decision = all_of(
        [
            *authorization(policies, actor, Permission.ASSIGN_COURSES, learner.organization_id),
            lambda at: policies.reschedule.evaluate(assignment, expires_at=end, at=at),
            # An end that is past already has its reason, and its earliest instant is the later.
            lambda at: Decision() if end < at and end <= created_at else in_bounds,
        ],
        now,
    )
    decision.require()
    after = attrs.evolve(assignment, expires_at=end, limited_by=ExpirationLimit.REQUEST)
    return Change(
        replace=[Replace(assignment, after)],
        expect=read(learner, course, organization, subscription, actor),
        record=[event("reschedule", now, actor, assignment.id, learner.id)],
        decision=decision,
    )


def complete(
    assignment: CourseAssignment,
    learner: User,
    *,
    at: datetime,
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that marks *assignment* complete by hand (rules 5 and 21).

    Args:
        assignment: As it is stored.
        learner: Whose it is.
        at: The aware instant of its completion.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        InvalidInput: an argument is of the wrong kind, or a record belongs to others than the rest.

    Example:
        >>> from datetime import UTC, timedelta
        >>> from course_assignments.entities.assignments import Direct
        >>> created = datetime(2026, 1, 5, tzinfo=UTC)
        >>> ada = User(id="ada", name="Ada", email="ada@example.org")
        >>> assignment = CourseAssignment(
        ...     id="a-1", learner_id="ada", course_id="py", organization_id=None,
        ...     created_at=created, origin=Direct(),
        ...     expires_at=created + timedelta(days=180), limited_by=ExpirationLimit.MAXIMUM,
        ... )
        >>> change = complete(assignment, ada, at=created + timedelta(days=3))
        >>> change.made(CourseAssignment)[0].completion.name
        'COMPLETE'
    """
    _check(assignment, learner, policies)
    now = as_utc(at)
    decision = all_of(
        [
            *authorization(policies, actor, Permission.ASSIGN_COURSES, learner.organization_id),
            lambda at: policies.completion.evaluate(assignment, at=at),
        ],
        now,
    )
    decision.require()
    return Change(
        replace=[Replace(assignment, attrs.evolve(assignment, completed_at=now))],
        expect=read(*(() if actor is None else (learner, actor))),
        record=[event("complete", now, actor, assignment.id, learner.id)],
        decision=decision,
    )


def _check(assignment: CourseAssignment, learner: User, policies: Policies) -> None:
    validation.check_kind(assignment, "assignment", CourseAssignment)
    validation.check_kind(learner, "learner", User)
    validation.check_kind(policies, "policies", Policies)
    check_same(learner.id, assignment.learner_id, "learner")


def _check_subscription(subscription: Subscription | None, assignment: CourseAssignment) -> None:
    origin = assignment.origin
    wanted = origin.subscription_id if isinstance(origin, FromSubscription) else None
    if subscription is not None:
        validation.check_kind(subscription, "subscription", Subscription)
        check_same(subscription.id, wanted, "subscription")
    elif wanted is not None:
        raise InvalidInput("missing", "subscription", "give it: its end limits too")


def _also_limited(decision: Decision, end: datetime) -> Decision:
    """Return *decision* with the end of a subscription as one more limit; the earliest is named."""
    own = ExpiresTooLate(end, ExpirationLimit.SUBSCRIPTION)
    late = [own, *(one for one in decision.reasons if isinstance(one, ExpiresTooLate))]
    others = (one for one in decision.reasons if not isinstance(one, ExpiresTooLate))
    return Decision((*others, min(late, key=lambda one: one.latest)))
