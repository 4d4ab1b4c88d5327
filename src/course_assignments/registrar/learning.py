"""Commands by which learners work through a course. Rules 3, 5 and 21."""

from collections.abc import Iterable

from course_assignments import actions, validation
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.attempts import Attempt
from course_assignments.entities.catalog import Course
from course_assignments.entities.people import User
from course_assignments.errors import Conflict
from course_assignments.queries import AttemptQuery
from course_assignments.registrar.desk import Desk
from course_assignments.registrar.office import Office, Outcome, command, question
from course_assignments.repository import find_all


class LearningCommands(Office):
    """What learners do with the activities of a course."""

    @command
    def start(
        self,
        desk: Desk,
        assignment_id: str,
        activity_id: str,
        *,
        id: str | None = None,
        by: str | None = None,
    ) -> Outcome[Attempt]:
        """Start an activity, or start it again once it is finished (rules 3, 5 and 21).

        The first start of any activity makes the assignment incomplete. The first launch of a lab
        marks it for good: it can't be cancelled any more.

        Args:
            assignment_id: The assignment.
            activity_id: The activity of its course.
            id: An id for this call, within the assignment; makes it safe to repeat. The attempt
                remembers it as its ``request_id``. Two different activities that are started under
                one id at the very same time may keep it both.
            by: The id of the user who acts: the learner, or someone whose roles then count.

        Raises:
            Refused: with every reason against.
            NotFound: the assignment, the activity or *by* is unknown.
            Conflict: another activity was started under *id*.
            InvalidInput: an argument is of the wrong kind.

        Example:
            >>> from course_assignments import Activity, ActivityKind, Course, Registrar, User
            >>> registrar = Registrar()
            >>> lab = Activity(id="lab", name="First steps", kind=ActivityKind.LAB, required=True)
            >>> registrar.add(
            ...     Course(
            ...         id="py", name="Python", content_provider="us", publishing_group="all",
            ...         activities=[lab],
            ...     ),
            ...     User(id="ada", name="Ada", email="ada@example.org"),
            ... )
            >>> assignment = registrar.assign("py", "ada")
            >>> registrar.start(assignment.id, "lab").number
            1
            >>> [reason.code for reason in registrar.may_cancel(assignment.id).reasons]
            ['lab_launched']
        """
        validation.check_id(activity_id, "activity_id")
        assignment = desk.need(CourseAssignment, assignment_id, "assignment_id")
        # Read once: what was not started under the id is not there for the decision either.
        attempts = tuple(find_all(desk.repository, AttemptQuery(assignment_id=assignment.id)))
        made = _made_before(attempts, id, activity_id)
        if made is not None:
            return Outcome(made)
        actor = desk.actor(by)
        change = actions.start(
            assignment,
            desk.need(User, assignment.learner_id),
            desk.need(Course, assignment.course_id),
            activity_id,
            attempts=[one for one in attempts if one.activity_id == activity_id],
            at=desk.at,
            request_id=id,
            policies=desk.policies,
            actor=actor,
        )
        return Outcome(change.made(Attempt)[0], change)

    may_start = question(start)

    @command
    def pause(self, desk: Desk, attempt_id: str, *, by: str | None = None) -> Outcome[Attempt]:
        """Pause an attempt; the end of access stays where it is (rules 5 and 21).

        Args:
            attempt_id: The attempt.
            by: The id of the user who acts: the learner, or someone whose roles then count.

        Raises:
            Refused: with every reason against.
            NotFound: the attempt or *by* is unknown.
            InvalidInput: an argument is of the wrong kind.

        Example:
            >>> from course_assignments import NotFound, Registrar
            >>> try:
            ...     Registrar().pause("t-9")
            ... except NotFound as error:
            ...     print(error)
            there is no Attempt 't-9'
        """
        actor = desk.actor(by)
        attempt, assignment, learner = _lesson(desk, attempt_id)
        change = actions.pause(
            attempt, assignment, learner, at=desk.at, policies=desk.policies, actor=actor
        )
        return Outcome(change.made(Attempt)[0], change)

    may_pause = question(pause)

    @command
    def resume(self, desk: Desk, attempt_id: str, *, by: str | None = None) -> Outcome[Attempt]:
        """Go on with an attempt that is paused, while the assignment is active (rules 5 and 21).

        Args:
            attempt_id: The attempt.
            by: The id of the user who acts: the learner, or someone whose roles then count.

        Raises:
            Refused: with every reason against.
            NotFound: the attempt or *by* is unknown.
            InvalidInput: an argument is of the wrong kind.

        Example:
            >>> from course_assignments import NotFound, Registrar
            >>> try:
            ...     Registrar().resume("t-9")
            ... except NotFound as error:
            ...     print(error)
            there is no Attempt 't-9'
        """
        actor = desk.actor(by)
        attempt, assignment, learner = _lesson(desk, attempt_id)
        change = actions.resume(
            attempt, assignment, learner, at=desk.at, policies=desk.policies, actor=actor
        )
        return Outcome(change.made(Attempt)[0], change)

    may_resume = question(resume)

    @command
    def finish(self, desk: Desk, attempt_id: str, *, by: str | None = None) -> Outcome[Attempt]:
        """Finish an attempt, even after access has ended (rules 5 and 21).

        Once every required activity of the course is finished, the assignment is complete. One of a
        course without required activities is completed by `complete` only.

        Args:
            attempt_id: The attempt.
            by: The id of the user who acts: the learner, or someone whose roles then count.

        Raises:
            Refused: with every reason against.
            NotFound: the attempt or *by* is unknown.
            InvalidInput: an argument is of the wrong kind.

        Example:
            >>> from course_assignments import Activity, ActivityKind, Course, CourseAssignment
            >>> from course_assignments import Registrar, User
            >>> registrar = Registrar()
            >>> film = Activity(id="film", name="Why", kind=ActivityKind.VIDEO, required=True)
            >>> registrar.add(
            ...     Course(
            ...         id="py", name="Python", content_provider="us", publishing_group="all",
            ...         activities=[film],
            ...     ),
            ...     User(id="ada", name="Ada", email="ada@example.org"),
            ... )
            >>> assignment = registrar.assign("py", "ada")
            >>> attempt = registrar.finish(registrar.start(assignment.id, "film").id)
            >>> stored = registrar.repository.get(CourseAssignment, [assignment.id])
            >>> stored[assignment.id].completion.name
            'COMPLETE'
        """
        actor = desk.actor(by)
        attempt, assignment, learner = _lesson(desk, attempt_id)
        change = actions.finish(
            attempt,
            assignment,
            learner,
            desk.need(Course, assignment.course_id),
            at=desk.at,
            policies=desk.policies,
            actor=actor,
        )
        return Outcome(change.made(Attempt)[0], change)

    may_finish = question(finish)


def _made_before(attempts: Iterable[Attempt], id_: str | None, activity_id: str) -> Attempt | None:
    """Return which of *attempts* was started under *id_*; another activity under it conflicts."""
    if id_ is None:
        return None
    validation.check_id(id_, "id")
    made = {one.activity_id: one for one in attempts if one.request_id == id_}
    # Two activities that were started under it at the very same time keep it each.
    if made and activity_id not in made:
        raise Conflict((id_,), "id_taken")
    return made.get(activity_id)


def _lesson(desk: Desk, attempt_id: str) -> tuple[Attempt, CourseAssignment, User]:
    """Return an attempt, and under which assignment and whose it is."""
    attempt = desk.need(Attempt, attempt_id, "attempt_id")
    assignment = desk.need(CourseAssignment, attempt.assignment_id)
    return attempt, assignment, desk.need(User, assignment.learner_id)
