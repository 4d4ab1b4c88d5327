"""Open a course of a subscription. Rules 1, 19, 21 and 22."""

from collections.abc import Iterable
from datetime import datetime

import attrs

from course_assignments import validation
from course_assignments.actions.acting import (
    check_organization,
    event,
    own_authorization,
    read,
)
from course_assignments.actions.subscribing import check_opened, check_whose
from course_assignments.changes import Change, Replace
from course_assignments.decisions import Decision, Question, all_of
from course_assignments.entities.assignments import CourseAssignment, FromSubscription
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import ExpirationLimit
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Opening, Subscription
from course_assignments.policies import DOCUMENTED, Policies
from course_assignments.policies.expiration import Limit, earliest
from course_assignments.policies.repetition import latest_standing
from course_assignments.time.datetimes import as_utc


def open_course(
    subscription: Subscription,
    learner: User,
    course: Course,
    *,
    opened: Iterable[CourseAssignment],
    at: datetime,
    organization: Organization | None = None,
    id: str | None = None,
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that opens a course of a subscription (rules 1, 19, 21 and 22).

    It is empty if `latest_standing` of what was opened before is there: that is the one to go on
    with, whatever became of the subscription's set or of the course since.

    Args:
        subscription: As it is stored.
        learner: Whose it is.
        course: What to open.
        opened: All assignments that came of opening this course before.
        at: The aware instant at which it is opened.
        organization: The learner's, whose maximum and time zone count, if they have one.
        id: The id of the assignment; by default the one that every opening at this turn gives it.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        InvalidInput: an argument is of the wrong kind or missing, or a record belongs to others
            than the rest.

    Example:
        >>> from datetime import UTC, timedelta
        >>> created = datetime(2026, 1, 5, tzinfo=UTC)
        >>> change = open_course(
        ...     Subscription(
        ...         id="s-1", learner_id="ada", organization_id=None, course_ids=["py"],
        ...         created_at=created, expires_at=created + timedelta(days=90),
        ...     ),
        ...     User(id="ada", name="Ada", email="ada@example.org"),
        ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
        ...     opened=[],
        ...     at=created + timedelta(days=30),
        ... )
        >>> assignment = change.made(CourseAssignment)[0]
        >>> assignment.expires_at.isoformat(), assignment.limited_by.name
        ('2026-04-05T00:00:00+00:00', 'SUBSCRIPTION')
    """
    check_whose(subscription, learner, policies)
    validation.check_kind(course, "course", Course)
    check_organization(organization, learner)
    given = check_opened(subscription, opened, subscription.opened(course.id))
    now = as_utc(at)

    def unless_open(question: Question) -> Question:
        def ask(at: datetime) -> Decision:
            standing = latest_standing(given, at)
            return question(at) if standing is None else Decision((), standing.expires_at)

        return ask

    decision = all_of(
        [
            *own_authorization(policies, actor, learner),
            unless_open(
                lambda at: policies.subscription.evaluate(subscription, at=at, course_id=course.id)
            ),
            unless_open(lambda at: policies.course_availability.evaluate(course, at=at)),
        ],
        now,
    )
    decision.require()
    if latest_standing(given, now) is not None:
        return Change(decision=decision)
    limit = policies.expiration.limit(now, course=course, organization=organization)
    validation.check_kind(limit, "policies.expiration", Limit)
    end = earliest([limit, Limit(subscription.expires_at, ExpirationLimit.SUBSCRIPTION)])
    assignment = CourseAssignment(
        id=subscription.next_assignment_id(course.id) if id is None else id,
        learner_id=learner.id,
        course_id=course.id,
        organization_id=learner.organization_id,
        created_at=now,
        expires_at=end.at,
        limited_by=end.by,
        origin=FromSubscription(subscription.id),
    )
    openings = (*subscription.openings, Opening(course.id, assignment.id))
    subjects = (assignment.id, subscription.id, course.id, learner.id)
    return Change(
        create=[assignment],
        replace=[Replace(subscription, attrs.evolve(subscription, openings=openings))],
        # What was found to be over could come to life again meanwhile.
        expect=read(course, learner, organization, actor, *given),
        record=[event("open_course", now, actor, *subjects)],
        decision=decision,
    )
