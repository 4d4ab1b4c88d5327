"""Commands by which learners redeem training keys. Rules 8 to 13."""

import attrs

from course_assignments import actions, validation
from course_assignments.actions import Presented
from course_assignments.actions.acting import check_newcomer
from course_assignments.entities.assignments import CourseAssignment, FromKey
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.codes import fold
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.errors import Conflict
from course_assignments.queries import RedemptionQuery
from course_assignments.registrar.desk import Desk
from course_assignments.registrar.office import Office, Outcome, command, question
from course_assignments.repository import find_all


class RedeemingCommands(Office):
    """What learners do with the keys that they were given."""

    @command
    def redeem(
        self,
        desk: Desk,
        code: str,
        learner_id: str,
        *,
        id: str | None = None,
        by: str | None = None,
    ) -> Outcome[CourseAssignment]:
        """Redeem a key for a learner who has a profile (rules 6 to 10, 12, 21 and 22).

        Args:
            code: As the learner typed it; for generated codes case, spaces, dashes and look-alikes
                are forgiven.
            learner_id: The learner.
            id: The id of the assignment; makes the call safe to repeat, without a second use.
            by: The id of the user who acts: the learner, or someone whose roles then count.

        Raises:
            Refused: with every reason against; no use is taken.
            NotFound: the learner or *by* is unknown.
            Conflict: another assignment is stored under *id*.
            InvalidInput: an argument is of the wrong kind.

        Example:
            >>> from datetime import timedelta
            >>> from course_assignments import Course, Organization, Registrar, User
            >>> registrar = Registrar()
            >>> registrar.add(
            ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
            ...     Organization(id="acme", name="Acme"),
            ...     User(id="ada", name="Ada", email="ada@example.org", organization_id="acme"),
            ... )
            >>> batch = registrar.create_keys(
            ...     "py", name="Spring", organization_id="acme", availability=timedelta(days=30),
            ...     codes=["Spring-2026"],
            ... )
            >>> registrar.redeem("Spring-2026", "ada").limited_by.name
            'KEY'
            >>> [reason.code for reason in registrar.may_redeem("Spring-2026", "ada").reasons]
            ['key_exhausted', 'already_redeemed']
        """
        validation.check_id(learner_id, "learner_id")
        made = _made_before(desk, id, code, learner_id)
        if made is not None:
            return Outcome(made)
        actor = desk.actor(by)
        learner = desk.need(User, learner_id, "learner_id")
        key = desk.key(code)
        presented = _presented(desk, key, desk.need(KeyBatch, key.batch_id), learner, id)
        change = actions.redeem(presented, at=desk.at, policies=desk.policies, actor=actor)
        return Outcome(change.made(CourseAssignment)[0], change)

    may_redeem = question(redeem)

    @command
    def register(
        self,
        desk: Desk,
        code: str,
        user: User,
        *,
        id: str | None = None,
        by: str | None = None,
    ) -> Outcome[CourseAssignment]:
        """Give a newcomer a profile and redeem their key, both or neither (rules 11 and 12).

        Args:
            code: As the newcomer typed it.
            user: Their profile, without roles; without an organization they join the key's.
            id: The id of the assignment; makes the call safe to repeat.
            by: The id of the user who acts, whose roles then count.

        Raises:
            Refused: with every reason against; there is no profile and no use is taken.
            NotFound: the organization of *user*, or *by*, is unknown.
            Conflict: someone else is stored under the id of *user*, or something else under *id*.
            InvalidInput: an argument is of the wrong kind, or *user* brings roles.

        Example:
            >>> from datetime import timedelta
            >>> from course_assignments import Course, Organization, Registrar, User
            >>> registrar = Registrar()
            >>> registrar.add(
            ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
            ...     Organization(id="acme", name="Acme", anonymous_registration=True),
            ... )
            >>> batch = registrar.create_keys(
            ...     "py", name="Spring", organization_id="acme", availability=timedelta(days=30),
            ...     codes=["Spring-2026"],
            ... )
            >>> newcomer = User(id="bo", name="Bo", email="bo@example.org")
            >>> registrar.register("Spring-2026", newcomer).organization_id
            'acme'
        """
        check_newcomer(user, "user")
        made = _made_before(desk, id, code, user.id)
        if made is not None:
            return Outcome(made)
        actor = desk.actor(by)
        key = desk.key(code)
        batch = desk.need(KeyBatch, key.batch_id)
        holder = next(iter(desk.holders([user])), None)
        if holder is None and desk.look_up(User, user.id) is not None:
            raise Conflict((user.id,), "id_taken")
        newcomer = attrs.evolve(user, organization_id=user.organization_id or batch.organization_id)
        host = desk.need(Organization, batch.organization_id)
        change = actions.register(
            _presented(desk, key, batch, newcomer, id),
            at=desk.at,
            host=host,
            holder=holder,
            policies=desk.policies,
            actor=actor,
        )
        return Outcome(change.made(CourseAssignment)[0], change)

    may_register = question(register)


def _made_before(
    desk: Desk, id_: str | None, code: str, learner_id: str
) -> CourseAssignment | None:
    """Return what was made under *id_* by this learner with this key; something else conflicts."""
    made = desk.look_up(CourseAssignment, id_)
    if made is None:
        return None
    if isinstance(made.origin, FromKey) and made.learner_id == learner_id:
        redemption = desk.need(Redemption, made.origin.redemption_id)
        if isinstance(code, str) and redemption.code == fold(code):
            return made
    raise Conflict((made.id,), "id_taken")


def _presented(
    desk: Desk, key: TrainingKey, batch: KeyBatch, learner: User, id_: str | None
) -> Presented:
    """Return *key* as *learner* presents it, with what was read about both."""
    query = RedemptionQuery(code=key.code, learner_id=learner.id)
    redemptions = tuple(find_all(desk.repository, query))
    standing = [one for one in redemptions if one.restored_at is None]
    turn = len(redemptions) - len(standing)
    once = desk.policies.key_redemption.once_per_learner and not standing
    course = desk.need(Course, batch.course_id)
    organization = desk.organization_of(learner)
    # The change does not expect the batch, so its terms are read last: as they were when all that
    # is expected was as it will be found.
    latest = desk.need(KeyBatch, batch.id)
    if (latest.course_id, latest.organization_id) != (batch.course_id, batch.organization_id):
        raise Conflict((batch.id,))
    return Presented(
        id=desk.new_id(id_),
        redemption_id=Redemption.id_for(key.code, learner.id, turn) if once else desk.new_id(),
        key=key,
        batch=latest,
        course=course,
        learner=learner,
        organization=organization,
        redeemed=standing[0] if standing else None,
    )
