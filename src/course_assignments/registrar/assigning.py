"""Commands that assign courses to learners. Rules 1, 2, 14, 15, 21 and 22."""

from collections.abc import Iterable
from datetime import datetime

from course_assignments import actions, validation
from course_assignments.actions import Pair
from course_assignments.actions.acting import check_newcomer
from course_assignments.entities.assignments import (
    AssignmentBatch,
    Claim,
    CourseAssignment,
    Direct,
    Note,
)
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import Repeat
from course_assignments.entities.people import User
from course_assignments.errors import Conflict, InvalidInput, NotFound
from course_assignments.registrar.desk import Desk
from course_assignments.registrar.office import TIMEOUT, Office, Outcome, command, question
from course_assignments.time.durations import EndLike
from course_assignments.validation import derived_id


class AssigningCommands(Office):
    """What makes assignments by an administrator's hand."""

    @command
    def assign(
        self,
        desk: Desk,
        course_id: str,
        learner_id: str,
        *,
        expires: EndLike | None = None,
        note: Note | None = None,
        repeat: Repeat | None = None,
        id: str | None = None,
        by: str | None = None,
    ) -> Outcome[CourseAssignment]:
        """Assign a course to a learner (rules 1, 2, 15, 21 and 22).

        Args:
            course_id: The course.
            learner_id: The learner.
            expires: When access ends: an aware instant, a term from now (`timedelta`, `Months` or
                ``relativedelta``), or a day, which begins in the zone of the learner's
                organization. By default it is the earliest of all ceilings.
            note: For administrators.
            repeat: What to do if the learner has an active assignment of the course; by default
                what the policies say. Under ``Repeat.SKIP`` that one is returned.
            id: The id of the assignment; makes the call safe to repeat.
            by: The id of the user who acts, whose roles then count.

        Raises:
            Refused: with every reason against.
            NotFound: the course, the learner or *by* is unknown.
            Conflict: another assignment is stored under *id*.
            InvalidInput: an argument is of the wrong kind or out of bounds.

        Example:
            >>> from course_assignments import Course, Registrar, User
            >>> registrar = Registrar()
            >>> registrar.add(
            ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
            ...     User(id="ada", name="Ada", email="ada@example.org"),
            ... )
            >>> assignment = registrar.assign("py", "ada", id="a-1")
            >>> (assignment.expires_at - assignment.created_at).days
            180
            >>> registrar.assign("py", "ada", id="a-1") == assignment
            True
        """
        validation.check_id(course_id, "course_id")
        validation.check_id(learner_id, "learner_id")
        made = desk.look_up(CourseAssignment, id)
        if made is not None:
            if (made.course_id, made.learner_id, made.origin) != (course_id, learner_id, Direct()):
                raise Conflict((made.id,), "id_taken")
            return Outcome(made)
        actor = desk.actor(by)
        course = desk.need(Course, course_id, "course_id")
        learner = desk.need(User, learner_id, "learner_id")
        wanted = _repeat(desk, repeat)
        (pair,) = _pairs(desk, [course], [learner], wanted, {(course.id, learner.id): id})
        change = actions.assign(
            pair,
            at=desk.at,
            expires=expires,
            note=note,
            repeat=wanted,
            policies=desk.policies,
            actor=actor,
        )
        batch = actions.settled([pair], change, at=desk.at)
        return Outcome((*batch.created, *batch.skipped)[0], change)

    may_assign = question(assign)

    @command
    def assign_many(
        self,
        desk: Desk,
        course_ids: Iterable[str],
        learners: Iterable[str | User],
        *,
        expires: EndLike | None = None,
        note: Note | None = None,
        repeat: Repeat | None = None,
        id: str | None = None,
        by: str | None = None,
    ) -> Outcome[AssignmentBatch]:
        """Assign every course to every learner, or nothing to anyone (rule 14).

        Args:
            course_ids: The courses; one that is named twice counts once.
            learners: The ids of the learners; one without a profile may be given as a `User`, who
                is then stored in the same change.
            expires: As for `assign`, for each pair.
            note: The same on each assignment.
            repeat: As for `assign`; what was skipped is in the result.
            id: What the ids of the assignments are made from; makes the call safe to repeat.
            by: The id of the user who acts, whose roles then count.

        Raises:
            Refused: with all reasons; one that concerns a pair is a `ForAssignment`.
            NotFound: naming every course, learner and organization that is unknown.
            Conflict: under *id* some of these pairs were assigned and others not, or a `User`
                differs from who is stored.
            InvalidInput: an argument is of the wrong kind or out of bounds.

        Example:
            >>> from course_assignments import Course, Registrar, User
            >>> registrar = Registrar()
            >>> registrar.add(
            ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
            ...     User(id="ada", name="Ada", email="ada@example.org"),
            ... )
            >>> newcomer = User(id="bo", name="Bo", email="bo@example.org")
            >>> batch = registrar.assign_many(["py"], ["ada", newcomer])
            >>> [assignment.learner_id for assignment in batch.created]
            ['ada', 'bo']
        """
        wanted_courses = dict.fromkeys(validation.check_ids(course_ids, "course_ids"))
        given = _learners(learners)
        names = [(course_id, learner_id) for course_id in wanted_courses for learner_id in given]
        ids: dict[tuple[str, str], str | None] = dict.fromkeys(names)
        wanted = _repeat(desk, repeat)
        if id is not None:
            prefix = validation.check_id(id, "id")
            derived = {name: derived_id("pair", prefix, *name) for name in names}
            made = _made_before(desk, derived, prefix, wanted)
            if made is not None:
                return Outcome(made)
            ids.update(derived)
        actor = desk.actor(by)
        courses = desk.repository.get(Course, wanted_courses)
        # The addresses first: whoever is stored after this is known, or is met at the commit.
        holders = desk.holders(user for user in given.values() if user is not None)
        known = desk.repository.get(User, given)
        newcomers = _newcomers(given, known)
        joined = dict.fromkeys(
            one.organization_id for one in newcomers.values() if one.organization_id is not None
        )
        organizations = desk.repository.get(Organization, joined)
        NotFound.raise_any(
            [
                *(("Course", one) for one in wanted_courses if one not in courses),
                *(("User", one) for one in given if one not in known and one not in newcomers),
                *(("Organization", one) for one in joined if one not in organizations),
            ]
        )
        pairs = _pairs(
            desk,
            [courses[one] for one in wanted_courses],
            [newcomers.get(one) or known[one] for one in given],
            wanted,
            ids,
        )
        change = actions.assign_many(
            pairs,
            at=desk.at,
            newcomers=newcomers.values(),
            holders=holders,
            expires=expires,
            note=note,
            repeat=wanted,
            policies=desk.policies,
            actor=actor,
        )
        return Outcome(actions.settled(pairs, change, at=desk.at), change)

    may_assign_many = question(assign_many)


def _repeat(desk: Desk, repeat: Repeat | None) -> Repeat:
    if repeat is None:
        return desk.policies.repeat.default
    validation.check_kind(repeat, "repeat", Repeat)
    return repeat


def _learners(learners: Iterable[str | User]) -> dict[str, User | None]:
    """Return the learners by id, in order and each once, with the profiles that were brought."""
    given: dict[str, User | None] = {}
    for position, learner in enumerate(validation.check_list(learners, "learners")):
        path = f"learners[{position}]"
        if not isinstance(learner, User):
            given.setdefault(validation.check_id(learner, path), None)
            continue
        check_newcomer(learner, path)
        if (given.get(learner.id) or learner) != learner:
            raise InvalidInput(
                "repeated", path, f"{learner.id[:60]!r} is given twice, and differently"
            )
        given[learner.id] = learner
    return given


def _newcomers(given: dict[str, User | None], known: dict[str, User]) -> dict[str, User]:
    """Return the profiles that are new; one that differs from what is stored is a `Conflict`."""
    profiles = {id_: user for id_, user in given.items() if user is not None}
    changed = [id_ for id_, user in profiles.items() if known.get(id_, user) != user]
    if changed:
        raise Conflict(tuple(changed), "id_taken")
    return {id_: user for id_, user in profiles.items() if id_ not in known}


def _pairs(
    desk: Desk,
    courses: list[Course],
    learners: list[User],
    repeat: Repeat,
    ids: dict[tuple[str, str], str | None],
) -> list[Pair]:
    """Return every course with every learner, and what was read about them."""
    wanted = dict.fromkeys(one.organization_id for one in learners if one.organization_id)
    organizations = desk.need_all(Organization, wanted)
    claims: dict[str, Claim] = {}
    standing: dict[str, dict[str, list[CourseAssignment]]] = {}
    if repeat is not Repeat.ALLOW:
        # The claims first: whoever takes one after this is met at the commit.
        claims = desk.repository.get(Claim, [Claim.id_for(who, what) for what, who in ids])
        standing = {learner.id: desk.standing(learner.id) for learner in learners}
    return [
        Pair(
            id=desk.new_id(ids[course.id, learner.id]),
            course=course,
            learner=learner,
            organization=organizations.get(learner.organization_id or ""),
            standing=standing.get(learner.id, {}).get(course.id, ()),
            claim=claims.get(Claim.id_for(learner.id, course.id)),
        )
        for course in courses
        for learner in learners
    ]


def _ends(assignment: CourseAssignment) -> datetime:
    """Return when access under *assignment* ends, as far as is known."""
    end = assignment.expires_at
    return end if assignment.cancelled_at is None else min(end, assignment.cancelled_at)


def _counts(later: CourseAssignment, then: datetime) -> bool:
    return later.cancelled_at is None or later.created_at - then <= TIMEOUT


def _made_before(
    desk: Desk, ids: dict[tuple[str, str], str], prefix: str, repeat: Repeat
) -> AssignmentBatch | None:
    """Return what an earlier call under *prefix* came to, or ``None`` if it made none of these.

    It made all or nothing, so whichever of the pairs is not there was skipped. What had ended
    before cannot be why; what ended in the same instant can be, or a true retry would be refused.
    What was made later can be why unless it was cancelled, for its clock may have been ahead; and
    even then if it was made while the first call was under way.
    """
    found = desk.repository.get(CourseAssignment, ids.values())
    if not found:
        return None
    then = min(one.created_at for one in found.values())
    created: list[CourseAssignment] = []
    skipped: list[CourseAssignment] = []
    learners = {learner_id for (_, learner_id), id_ in ids.items() if id_ not in found}
    standing = {learner_id: desk.standing(learner_id) for learner_id in learners}
    for (course_id, learner_id), id_ in ids.items():
        if id_ in found:
            created.append(found[id_])
            continue
        held = standing[learner_id].get(course_id, [])
        early = [one for one in held if one.created_at <= then <= _ends(one)]
        later = [one for one in held if then < one.created_at and _counts(one, then)]
        stood = sorted(early or later, key=lambda one: one.id)
        if repeat is not Repeat.SKIP or not stood:
            raise Conflict((prefix,), "id_taken")
        skipped.append(max(stood, key=lambda one: one.expires_at))
    return AssignmentBatch(created=tuple(created), skipped=tuple(skipped))
