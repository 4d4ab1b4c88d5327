"""Commands on assignments that exist. Rules 2 to 5, 13 and 21."""

from course_assignments import actions
from course_assignments.entities.assignments import CourseAssignment, FromKey, FromSubscription
from course_assignments.entities.catalog import Course
from course_assignments.entities.keys import Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Subscription
from course_assignments.registrar.desk import Desk
from course_assignments.registrar.office import Office, Outcome, command, question
from course_assignments.time.durations import EndLike


class LifecycleCommands(Office):
    """What changes an assignment."""

    @command
    def cancel(
        self,
        desk: Desk,
        assignment_id: str,
        *,
        support_reason: str | None = None,
        by: str | None = None,
    ) -> Outcome[CourseAssignment]:
        """Cancel an assignment for good (rules 3, 4, 13 and 21).

        Args:
            assignment_id: The assignment.
            support_reason: Why support cancels it although the window is closed; recorded.
            by: The id of the user who acts, whose roles then count.

        Raises:
            Refused: with every reason against.
            NotFound: the assignment or *by* is unknown.
            InvalidInput: an argument is of the wrong kind, or *support_reason* is blank.

        Example:
            >>> from datetime import UTC, datetime, timedelta
            >>> from course_assignments import Course, ManualClock, Registrar, User
            >>> clock = ManualClock(datetime(2026, 1, 5, 9, tzinfo=UTC))
            >>> registrar = Registrar(clock=clock)
            >>> registrar.add(
            ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
            ...     User(id="ada", name="Ada", email="ada@example.org"),
            ... )
            >>> assignment = registrar.assign("py", "ada")
            >>> registrar.may_cancel(assignment.id).changes_at.isoformat()
            '2026-01-06T09:00:00.000001+00:00'
            >>> registrar.cancel(assignment.id).status_at(clock()).name
            'CANCELLED'
        """
        actor = desk.actor(by)
        assignment = desk.need(CourseAssignment, assignment_id, "assignment_id")
        redemption, key = None, None
        if desk.policies.cancellation.restores_key_use and isinstance(assignment.origin, FromKey):
            redemption = desk.need(Redemption, assignment.origin.redemption_id)
            key = desk.repository.get(TrainingKey, [redemption.code]).get(redemption.code)
        change = actions.cancel(
            assignment,
            desk.need(User, assignment.learner_id),
            at=desk.at,
            support_reason=support_reason,
            redemption=redemption,
            key=key,
            policies=desk.policies,
            actor=actor,
        )
        return Outcome(change.made(CourseAssignment)[0], change)

    may_cancel = question(cancel)

    @command
    def reschedule(
        self, desk: Desk, assignment_id: str, expires: EndLike, *, by: str | None = None
    ) -> Outcome[CourseAssignment]:
        """Give an assignment another end, within its limit from creation (rules 2 and 21).

        Args:
            assignment_id: The assignment; an expired one comes to life again, a cancelled one not.
            expires: The new end: an aware instant, a term from the creation of the assignment, or
                a day in the zone of the learner's organization. The present instant ends access.
            by: The id of the user who acts, whose roles then count.

        Raises:
            Refused: with every reason against; the latest end that is allowed is in it.
            NotFound: the assignment or *by* is unknown.
            InvalidInput: an argument is of the wrong kind or out of bounds.

        Example:
            >>> from datetime import timedelta
            >>> from course_assignments import Course, Registrar, User
            >>> registrar = Registrar()
            >>> registrar.add(
            ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
            ...     User(id="ada", name="Ada", email="ada@example.org"),
            ... )
            >>> assignment = registrar.assign("py", "ada")
            >>> registrar.reschedule(assignment.id, timedelta(days=30)).limited_by.name
            'REQUEST'
        """
        actor = desk.actor(by)
        assignment = desk.need(CourseAssignment, assignment_id, "assignment_id")
        learner = desk.need(User, assignment.learner_id)
        origin = assignment.origin
        subscription = (
            desk.need(Subscription, origin.subscription_id)
            if isinstance(origin, FromSubscription)
            else None
        )
        change = actions.reschedule(
            assignment,
            learner,
            expires=expires,
            at=desk.at,
            course=desk.need(Course, assignment.course_id),
            organization=desk.organization_of(learner),
            subscription=subscription,
            policies=desk.policies,
            actor=actor,
        )
        return Outcome(change.made(CourseAssignment)[0], change)

    may_reschedule = question(reschedule)

    @command
    def complete(
        self, desk: Desk, assignment_id: str, *, by: str | None = None
    ) -> Outcome[CourseAssignment]:
        """Mark an assignment complete by hand, expired or not (rules 5 and 21).

        Args:
            assignment_id: The assignment.
            by: The id of the user who acts, whose roles then count.

        Raises:
            Refused: with every reason against.
            NotFound: the assignment or *by* is unknown.
            InvalidInput: an argument is of the wrong kind.

        Example:
            >>> from course_assignments import Course, Registrar, User
            >>> registrar = Registrar()
            >>> registrar.add(
            ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
            ...     User(id="ada", name="Ada", email="ada@example.org"),
            ... )
            >>> registrar.complete(registrar.assign("py", "ada").id).completion.name
            'COMPLETE'
        """
        actor = desk.actor(by)
        assignment = desk.need(CourseAssignment, assignment_id, "assignment_id")
        change = actions.complete(
            assignment,
            desk.need(User, assignment.learner_id),
            at=desk.at,
            policies=desk.policies,
            actor=actor,
        )
        return Outcome(change.made(CourseAssignment)[0], change)

    may_complete = question(complete)
