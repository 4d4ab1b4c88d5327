"""Commands on subscriptions. Rules 1, 3, 4, 19, 21 and 22."""

from collections.abc import Collection, Iterable

from course_assignments import actions, validation
from course_assignments.entities.assignments import CourseAssignment, FromSubscription
from course_assignments.entities.catalog import Course
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Subscription
from course_assignments.errors import Conflict
from course_assignments.policies.repetition import latest_standing
from course_assignments.registrar.desk import Desk
from course_assignments.registrar.office import Office, Outcome, command, question
from course_assignments.time.durations import DurationLike


class SubscribingCommands(Office):
    """What gives a learner a set of courses for a time."""

    @command
    def subscribe(
        self,
        desk: Desk,
        course_ids: Iterable[str],
        learner_id: str,
        *,
        duration: DurationLike,
        id: str | None = None,
        by: str | None = None,
    ) -> Outcome[Subscription]:
        """Let a learner open each course of a set, for a time from now on (rules 19, 21 and 22).

        Args:
            course_ids: The courses; one that is named twice counts once.
            learner_id: The learner.
            duration: How long: a `timedelta`, `Months` or ``relativedelta``, months on the calendar
                of the learner's organization.
            id: The id of the subscription; makes the call safe to repeat.
            by: The id of the user who acts, whose roles then count.

        Raises:
            Refused: with every reason against.
            NotFound: the learner, a course or *by* is unknown; every such course is named.
            Conflict: another subscription is stored under *id*.
            InvalidInput: an argument is of the wrong kind or out of bounds.

        Example:
            >>> from course_assignments import Course, Months, Registrar, User
            >>> registrar = Registrar()
            >>> registrar.add(
            ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
            ...     User(id="ada", name="Ada", email="ada@example.org"),
            ... )
            >>> subscription = registrar.subscribe(["py"], "ada", duration=Months(12), id="s-1")
            >>> registrar.open_course("s-1", "py").limited_by.name
            'MAXIMUM'
        """
        validation.check_id(learner_id, "learner_id")
        wanted = tuple(dict.fromkeys(validation.check_ids(course_ids, "course_ids")))
        made = desk.look_up(Subscription, id)
        if made is not None:
            # Since the set was edited nobody can tell any more what it was at first.
            same = made.edited_at is not None or made.course_ids == wanted
            if made.learner_id != learner_id or not same:
                raise Conflict((made.id,), "id_taken")
            return Outcome(made)
        actor = desk.actor(by)
        learner = desk.need(User, learner_id, "learner_id")
        courses = desk.need_all(Course, wanted)
        change = actions.subscribe(
            learner,
            [courses[one] for one in wanted],
            id=desk.new_id(id),
            duration=duration,
            at=desk.at,
            organization=desk.organization_of(learner),
            policies=desk.policies,
            actor=actor,
        )
        return Outcome(change.made(Subscription)[0], change)

    may_subscribe = question(subscribe)

    @command
    def edit_subscription(
        self,
        desk: Desk,
        subscription_id: str,
        course_ids: Iterable[str],
        *,
        by: str | None = None,
    ) -> Outcome[Subscription]:
        """Give a subscription another set of courses (rules 19, 21 and 22).

        It says what can be opened from now on; what is open stays open.

        Args:
            subscription_id: The subscription, which has not ended.
            course_ids: The whole set as it is to be.
            by: The id of the user who acts, whose roles then count.

        Raises:
            Refused: with every reason against.
            NotFound: the subscription, a course or *by* is unknown; every such course is named.
            InvalidInput: an argument is of the wrong kind.

        Example:
            >>> from course_assignments import Course, Months, Registrar, User
            >>> registrar = Registrar()
            >>> registrar.add(
            ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
            ...     Course(id="sql", name="SQL", content_provider="us", publishing_group="all"),
            ...     User(id="ada", name="Ada", email="ada@example.org"),
            ... )
            >>> subscription = registrar.subscribe(["py"], "ada", duration=Months(12))
            >>> registrar.edit_subscription(subscription.id, ["sql"]).course_ids
            ('sql',)
        """
        wanted = tuple(dict.fromkeys(validation.check_ids(course_ids, "course_ids")))
        actor = desk.actor(by)
        subscription = desk.need(Subscription, subscription_id, "subscription_id")
        learner = desk.need(User, subscription.learner_id)
        courses = desk.need_all(Course, wanted)
        change = actions.edit_subscription(
            subscription,
            learner,
            [courses[one] for one in wanted],
            at=desk.at,
            policies=desk.policies,
            actor=actor,
        )
        return Outcome((*change.made(Subscription), subscription)[0], change)

    may_edit_subscription = question(edit_subscription)

    @command
    def cancel_subscription(
        self,
        desk: Desk,
        subscription_id: str,
        *,
        support_reason: str | None = None,
        by: str | None = None,
    ) -> Outcome[Subscription]:
        """Cancel a subscription and every assignment opened from it (rules 3, 4, 19 and 21).

        The window counts from the creation of the subscription, and no lab may have been launched
        under any of its assignments.

        Args:
            subscription_id: The subscription.
            support_reason: Why support cancels it although the window is closed; recorded.
            by: The id of the user who acts, whose roles then count.

        Raises:
            Refused: with every reason; one against an opened assignment is a `ForAssignment`.
            NotFound: the subscription or *by* is unknown.
            InvalidInput: an argument is of the wrong kind, or *support_reason* is blank.

        Example:
            >>> from course_assignments import Course, CourseAssignment, Months, Registrar, User
            >>> registrar = Registrar()
            >>> registrar.add(
            ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
            ...     User(id="ada", name="Ada", email="ada@example.org"),
            ... )
            >>> subscription = registrar.subscribe(["py"], "ada", duration=Months(12))
            >>> assignment = registrar.open_course(subscription.id, "py")
            >>> cancelled_at = registrar.cancel_subscription(subscription.id).cancelled_at
            >>> stored = registrar.repository.get(CourseAssignment, [assignment.id])
            >>> stored[assignment.id].cancelled_at == cancelled_at
            True
        """
        actor = desk.actor(by)
        subscription = desk.need(Subscription, subscription_id, "subscription_id")
        change = actions.cancel_subscription(
            subscription,
            desk.need(User, subscription.learner_id),
            opened=_opened(desk, [one.assignment_id for one in subscription.openings]),
            at=desk.at,
            support_reason=support_reason,
            policies=desk.policies,
            actor=actor,
        )
        return Outcome(change.made(Subscription)[0], change)

    may_cancel_subscription = question(cancel_subscription)

    @command
    def open_course(
        self,
        desk: Desk,
        subscription_id: str,
        course_id: str,
        *,
        id: str | None = None,
        by: str | None = None,
    ) -> Outcome[CourseAssignment]:
        """Open a course of a subscription (rules 1, 19, 21 and 22).

        While an assignment that came of it is active that one is returned; after it has ended, or
        was cancelled, there is a new one.

        Args:
            subscription_id: The subscription.
            course_id: One of its courses.
            id: The id of the assignment; makes the call safe to repeat.
            by: The id of the user who acts: the learner, or someone whose roles then count.

        Raises:
            Refused: with every reason against.
            NotFound: the subscription, the course or *by* is unknown.
            Conflict: another assignment is stored under *id*.
            InvalidInput: an argument is of the wrong kind.

        Example:
            >>> from course_assignments import Course, Months, Registrar, User
            >>> registrar = Registrar()
            >>> registrar.add(
            ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
            ...     User(id="ada", name="Ada", email="ada@example.org"),
            ... )
            >>> subscription = registrar.subscribe(["py"], "ada", duration=Months(3))
            >>> assignment = registrar.open_course(subscription.id, "py")
            >>> assignment.expires_at == subscription.expires_at
            True
            >>> registrar.open_course(subscription.id, "py") == assignment
            True
        """
        validation.check_id(subscription_id, "subscription_id")
        validation.check_id(course_id, "course_id")
        made = desk.look_up(CourseAssignment, id)
        if made is not None:
            origin = FromSubscription(subscription_id)
            if (made.course_id, made.origin) != (course_id, origin):
                raise Conflict((made.id,), "id_taken")
            return Outcome(made)
        actor = desk.actor(by)
        subscription = desk.need(Subscription, subscription_id, "subscription_id")
        learner = desk.need(User, subscription.learner_id)
        opened = _opened(desk, subscription.opened(course_id))
        change = actions.open_course(
            subscription,
            learner,
            desk.need(Course, course_id, "course_id"),
            opened=opened,
            at=desk.at,
            organization=desk.organization_of(learner),
            id=id,
            policies=desk.policies,
            actor=actor,
        )
        standing = latest_standing(opened, desk.at)
        return Outcome(standing or change.made(CourseAssignment)[0], change)

    may_open_course = question(open_course)


def _opened(desk: Desk, ids: Collection[str]) -> tuple[CourseAssignment, ...]:
    """Return the assignments under *ids*, which a subscription names, in their order."""
    found = desk.need_all(CourseAssignment, ids)
    return tuple(found[one] for one in ids)
