"""Grant subscriptions and edit their sets. Rules 19, 21 and 22."""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial

import attrs

from course_assignments import validation
from course_assignments.actions.acting import (
    authorization,
    check_organization,
    check_same,
    event,
    read,
)
from course_assignments.changes import Change, Replace
from course_assignments.decisions import Decision, Question, all_of
from course_assignments.entities.assignments import CourseAssignment, FromSubscription
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import Permission
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Subscription
from course_assignments.errors import InvalidInput
from course_assignments.policies import DOCUMENTED, Policies
from course_assignments.policies.expiration import zone_of
from course_assignments.time.datetimes import as_utc
from course_assignments.time.durations import DurationLike, as_duration, end_of


def subscribe(
    learner: User,
    courses: Iterable[Course],
    *,
    id: str,
    duration: DurationLike,
    at: datetime,
    organization: Organization | None = None,
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that grants a subscription (rules 19, 21 and 22).

    Args:
        learner: Who gets it.
        courses: What it opens, in order.
        id: The id of the subscription.
        duration: How long it lasts; months are counted in the zone of *organization*, else UTC.
        at: The aware instant at which it begins.
        organization: The learner's, if they have one.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        InvalidInput: an argument is of the wrong kind or out of bounds, or a record belongs to
            others than the rest.

    Example:
        >>> from datetime import UTC, timedelta
        >>> change = subscribe(
        ...     User(id="ada", name="Ada", email="ada@example.org"),
        ...     [Course(id="py", name="Python", content_provider="us", publishing_group="all")],
        ...     id="s-1",
        ...     duration=timedelta(days=365),
        ...     at=datetime(2026, 1, 5, tzinfo=UTC),
        ... )
        >>> change.made(Subscription)[0].expires_at.isoformat()
        '2027-01-05T00:00:00+00:00'
    """
    validation.check_kind(learner, "learner", User)
    validation.check_kind(policies, "policies", Policies)
    check_organization(organization, learner)
    wanted = _distinct(courses)
    now = as_utc(at)
    subscription = Subscription(
        id=id,
        learner_id=learner.id,
        organization_id=learner.organization_id,
        course_ids=tuple(one.id for one in wanted),
        created_at=now,
        expires_at=end_of(
            as_duration(duration, "duration"), now, zone_of(organization), "duration"
        ),
    )
    decision = all_of(
        [
            *authorization(policies, actor, Permission.ASSIGN_COURSES, learner.organization_id),
            *_available(policies, wanted),
        ],
        now,
    )
    decision.require()
    return Change(
        create=[subscription],
        expect=read(*wanted, learner, organization, actor),
        record=[event("subscribe", now, actor, subscription.id, learner.id)],
        decision=decision,
    )


def edit_subscription(
    subscription: Subscription,
    learner: User,
    courses: Iterable[Course],
    *,
    at: datetime,
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that gives a subscription another set of courses (rules 19, 21 and 22).

    What is open already stays open. It is empty if the set is the same.

    Args:
        subscription: As it is stored.
        learner: Whose it is.
        courses: What it is to open from now on, in order.
        at: The aware instant at which it is changed.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        InvalidInput: an argument is of the wrong kind, or a record belongs to others than the rest.

    Example:
        >>> from course_assignments.errors import InvalidInput
        >>> try:
        ...     edit_subscription("s-1", None, [], at=datetime(2026, 1, 5))
        ... except InvalidInput as error:
        ...     print(error)
        subscription: expected Subscription
    """
    check_whose(subscription, learner, policies)
    wanted = _distinct(courses)
    added = [one for one in wanted if one.id not in subscription.course_ids]
    now = as_utc(at)
    decision = all_of(
        [
            *authorization(policies, actor, Permission.ASSIGN_COURSES, learner.organization_id),
            lambda at: policies.subscription.evaluate(subscription, at=at),
            *_available(policies, added),
        ],
        now,
    )
    decision.require()
    course_ids = tuple(one.id for one in wanted)
    if course_ids == subscription.course_ids:
        return Change(decision=decision)
    after = attrs.evolve(subscription, course_ids=course_ids, edited_at=now)
    return Change(
        replace=[Replace(subscription, after)],
        expect=read(*added, *(() if actor is None else (learner, actor))),
        record=[event("edit_subscription", now, actor, subscription.id, learner.id)],
        decision=decision,
    )


def check_whose(subscription: Subscription, learner: User, policies: Policies) -> None:
    """Do nothing if all of these are what they should be, and *subscription* is the learner's."""
    validation.check_kind(subscription, "subscription", Subscription)
    validation.check_kind(learner, "learner", User)
    validation.check_kind(policies, "policies", Policies)
    check_same(learner.id, subscription.learner_id, "learner")


def check_opened(
    subscription: Subscription, opened: Iterable[CourseAssignment], ids: Collection[str]
) -> tuple[CourseAssignment, ...]:
    """Return *opened* if they are the assignments under *ids*, all made by *subscription*."""
    given = validation.check_each(opened, "opened", CourseAssignment)
    for position, one in enumerate(given):
        wanted = FromSubscription(subscription.id)
        if one.origin != wanted or one.learner_id != subscription.learner_id:
            raise InvalidInput(
                "another_record", f"opened[{position}]", "expected one that it opened"
            )
    if {one.id for one in given} != {*ids}:
        raise InvalidInput("missing", "opened", "give every assignment that was opened from it")
    return given


def _distinct(courses: Iterable[Course]) -> tuple[Course, ...]:
    """Return *courses*, each once; two that differ under one id are no courses to choose from."""
    given = validation.check_list(courses, "courses")
    for position, one in enumerate(given):
        validation.check_kind(one, f"courses[{position}]", Course)
    return tuple(dict.fromkeys(given))


def _available(policies: Policies, courses: Iterable[Course]) -> list[Question]:
    return [partial(_is_available, policies, one) for one in courses]


def _is_available(policies: Policies, course: Course, at: datetime) -> Decision:
    return policies.course_availability.evaluate(course, at=at)
