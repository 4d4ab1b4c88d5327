"""Cancel a subscription, with all that was opened from it. Rules 3, 4, 19 and 21."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

import attrs

from course_assignments import validation
from course_assignments.actions.acting import authorization, event, for_pair, read
from course_assignments.actions.subscribing import check_opened, check_whose
from course_assignments.changes import Change, Replace
from course_assignments.decisions import Decision, Question, all_of
from course_assignments.entities.assignments import CourseAssignment, FromSubscription
from course_assignments.entities.enums import ExpirationLimit, Permission
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Subscription
from course_assignments.policies import DOCUMENTED, Policies
from course_assignments.reasons import AssignmentNotActive, SubscriptionNotActive
from course_assignments.time.datetimes import as_utc


def cancel_subscription(
    subscription: Subscription,
    learner: User,
    *,
    opened: Iterable[CourseAssignment],
    at: datetime,
    support_reason: str | None = None,
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that cancels a subscription, and all that was opened (rules 3, 4, 19, 21).

    The cancellation policy is asked about the subscription, as if it were one assignment, and about
    each assignment opened from it; a reason against one of these is a `ForAssignment`.

    Args:
        subscription: As it is stored.
        learner: Whose it is.
        opened: All assignments that were opened from it.
        at: The aware instant at which it is cancelled.
        support_reason: Why support cancels it after the window; recorded in the event.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        InvalidInput: an argument is of the wrong kind or missing, a record belongs to others than
            the rest, or *support_reason* is blank.

    Example:
        >>> from course_assignments.errors import InvalidInput
        >>> try:
        ...     cancel_subscription("s-1", None, opened=[], at=datetime(2026, 1, 5))
        ... except InvalidInput as error:
        ...     print(error)
        subscription: expected Subscription
    """
    check_whose(subscription, learner, policies)
    ids = [one.assignment_id for one in subscription.openings]
    given = check_opened(subscription, opened, ids)
    if support_reason is not None:
        validation.check_long_text(support_reason, "support_reason")
    permission = Permission.ASSIGN_COURSES if support_reason is None else Permission.SUPPORT
    now = as_utc(at)
    uncancelled = [one for one in given if one.cancelled_at is None]
    whole = _as_assignment(subscription)
    decision = all_of(
        [
            *authorization(policies, actor, permission, learner.organization_id),
            partial(_for_whole, _cancels(whole, policies, support_reason)),
            *(
                partial(
                    for_pair,
                    one.course_id,
                    one.learner_id,
                    _cancels(one, policies, support_reason),
                    None,
                )
                for one in uncancelled
            ),
        ],
        now,
    )
    decision.require()
    cancelled: list[Subscription | CourseAssignment] = [subscription, *uncancelled]
    details = {} if support_reason is None else {"support_reason": support_reason}
    subjects = (subscription.id, *(one.id for one in uncancelled), learner.id)
    return Change(
        replace=[Replace(one, attrs.evolve(one, cancelled_at=now)) for one in cancelled],
        expect=read(*(() if actor is None else (learner, actor))),
        record=[event("cancel_subscription", now, actor, *subjects, details=details)],
        decision=decision,
    )


def _cancels(
    assignment: CourseAssignment, policies: Policies, support_reason: str | None
) -> Question:
    support = support_reason is not None
    return lambda at: policies.cancellation.evaluate(assignment, at=at, support=support)


def _for_whole(question: Question, at: datetime) -> Decision:
    """Ask *question*; what it says of an assignment that is not there yet is said otherwise."""
    answer = question(at)
    reasons = tuple(
        SubscriptionNotActive(one.created_at) if isinstance(one, AssignmentNotActive) else one
        for one in answer.reasons
    )
    return attrs.evolve(answer, reasons=reasons)


def _as_assignment(subscription: Subscription) -> CourseAssignment:
    """Return *subscription* as the cancellation policy can be asked about it."""
    return CourseAssignment(
        id=subscription.id,
        learner_id=subscription.learner_id,
        course_id=subscription.id,
        organization_id=subscription.organization_id,
        created_at=subscription.created_at,
        expires_at=subscription.expires_at,
        limited_by=ExpirationLimit.SUBSCRIPTION,
        origin=FromSubscription(subscription.id),
        cancelled_at=subscription.cancelled_at,
    )
