"""Redeem a training key, as a known learner or as a newcomer who registers. Rules 6 to 13."""

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.changes import Change, Use
from course_assignments.commands.base import (
    Context,
    CreatingCommand,
    Outcome,
    Reader,
    check_claim,
    check_newcomer,
    check_organization,
    masked,
    newcomer,
    typed_code,
    write_claims,
)
from course_assignments.decisions import Decision, Question
from course_assignments.entities.assignments import Claim, CourseAssignment, FromKey
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.codes import fold
from course_assignments.entities.enums import ExpirationLimit
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.errors import Conflict
from course_assignments.policies.expiration import Limit, earliest, zone_of
from course_assignments.queries import RedemptionQuery
from course_assignments.time.durations import end_in_range


@attrs.frozen(kw_only=True)
class Redeemable:
    """A key and the learner who redeems it.

    Attributes:
        id: The id of the assignment to be made.
        redemption_id: The id of the redemption to be made. If a learner may redeem a key once only
            it is ``Redemption.id_for`` the key, the learner and the number of their restored
            redemptions, so that two calls at the same time meet.
        organization: The learner's organization, or ``None`` if they have none.
        redeemed: The learner's redemption of this key that was not restored, if there is one.
        claim: The claim of the learner and the course, or ``None``.

    Raises:
        InvalidInput: a field is of the wrong kind, or belongs to another key or learner.
    """

    id: str = field(validator=validation.identifier)
    redemption_id: str = field(validator=validation.identifier)
    key: TrainingKey = field(validator=validation.one_of(TrainingKey))
    batch: KeyBatch = field(validator=validation.one_of(KeyBatch))
    course: Course = field(validator=validation.one_of(Course))
    learner: User = field(validator=validation.one_of(User))
    organization: Organization | None = field(
        default=None, validator=validation.one_of(Organization, optional=True)
    )
    redeemed: Redemption | None = field(
        default=None, validator=validation.one_of(Redemption, optional=True)
    )
    claim: Claim | None = field(default=None, validator=validation.one_of(Claim, optional=True))

    def __attrs_post_init__(self) -> None:
        validation.check_same(self.key.batch_id, self.batch.id, "batch")
        validation.check_same(self.course.id, self.batch.course_id, "course")
        check_organization(self.organization, self.learner)
        check_claim(self.claim, self.learner, self.course)
        if self.redeemed is not None:
            validation.check_same(self.redeemed.key_id, self.key.id, "redeemed")
            validation.check_same(self.redeemed.learner_id, self.learner.id, "redeemed")

    def questions(self, context: Context) -> list[Question]:
        """Ask who acts, the redemption policy, and whether the course is available."""
        policies = context.policies
        return [
            *context.may_for(self.learner),
            lambda at: policies.key_redemption.evaluate(
                self.key, self.batch, self.learner, at=at, redeemed=self.redeemed
            ),
            lambda at: policies.course_availability.evaluate(self.course, at=at),
        ]

    def limit(self, context: Context) -> Limit:
        """Return when access ends.

        "Content availability" counts from redemption, and the limit of rule 1 applies as well.
        """
        at, organization = context.at, self.organization
        limit = context.policies.expiration.limit(at, course=self.course, organization=organization)
        validation.check_kind(limit, "policies.expiration", Limit)
        available = end_in_range(self.batch.availability, at, zone_of(organization))
        return (
            limit if available is None else earliest([limit, Limit(available, ExpirationLimit.KEY)])
        )

    def outcome(
        self, action: str, context: Context, decision: Decision
    ) -> Outcome[CourseAssignment]:
        """Return the assignment, and the change that makes it and uses the key."""
        key, batch, learner, end = self.key, self.batch, self.learner, self.limit(context)
        assignment = CourseAssignment(
            id=self.id,
            learner_id=learner.id,
            course_id=batch.course_id,
            organization_id=learner.organization_id,
            created_at=context.at,
            expires_at=end.at,
            limited_by=end.by,
            origin=FromKey(batch.id, self.redemption_id),
        )
        redemption = Redemption(
            id=self.redemption_id,
            key_id=key.id,
            batch_id=batch.id,
            learner_id=learner.id,
            assignment_id=self.id,
            redeemed_at=context.at,
        )
        subjects = (assignment.id, redemption.id, key.id, batch.id, batch.course_id, learner.id)
        new_claims, claims = write_claims(
            [(self.claim, Claim.of(learner.id, batch.course_id, self.id))]
        )
        change = Change(
            create=(assignment, redemption, *new_claims),
            replace=claims,
            use=[Use(key, 1)],
            # Not the batch: a redemption decided before its window was edited may commit after it.
            expect=context.expect(self.course, learner, self.organization),
            record=[context.event(action, *subjects)],
        )
        return Outcome(assignment, change, decision)


@attrs.frozen
class Redeem(CreatingCommand[Redeemable, CourseAssignment]):
    """Redeem a training key for a learner (rules 6 to 10, 12, 21 and 22).

    Attributes:
        code: As the learner typed it. For generated codes case, spaces, dashes and look-alikes are
            forgiven.
        learner_id: The learner, who may act for themselves.

    Example:
        >>> registrar.redeem("Spring-2026", "ada").limited_by
        <ExpirationLimit.KEY: 'key'>
        >>> [reason.code for reason in registrar.may_redeem("Spring-2026", "ada").reasons]
        ['key_exhausted', 'already_redeemed']
    """

    code: str = field(validator=typed_code, repr=masked)
    learner_id: str = field(validator=validation.identifier)

    def existing(self, reader: Reader) -> CourseAssignment | None:
        """Return the assignment under the same id, if this key and learner made it."""
        return _existing(reader, self.id, self.code, self.learner_id)

    def read(self, reader: Reader) -> Redeemable:
        """Read the key, its batch and course, and the learner with their redemptions of it."""
        learner = reader.need(User, self.learner_id)
        key = reader.key(self.code)
        return _redeemable(reader, key, reader.need(KeyBatch, key.batch_id), learner, self.id)

    def decide(self, records: Redeemable, context: Context) -> Outcome[CourseAssignment]:
        """Ask who acts, the redemption policy, and whether the course is available."""
        validation.check_same(records.learner.id, self.learner_id, "learner")
        return records.outcome(self.action, context, context.require(records.questions(context)))


@attrs.frozen(kw_only=True)
class Registrable:
    """A key with the newcomer who registers with it.

    Attributes:
        redeemable: The key, and as its learner the profile that the newcomer is to have.
        batch_organization: The organization of the batch, which has to allow registration.
        email_owner: The user who has the newcomer's e-mail address already, if there is one.

    Raises:
        InvalidInput: a field is of the wrong kind, or the newcomer comes with rights.
    """

    redeemable: Redeemable = field(validator=validation.one_of(Redeemable))
    batch_organization: Organization = field(validator=validation.one_of(Organization))
    email_owner: User | None = field(default=None, validator=validation.one_of(User, optional=True))

    def __attrs_post_init__(self) -> None:
        wanted = self.redeemable.batch.organization_id
        validation.check_same(self.batch_organization.id, wanted, "batch_organization")
        check_newcomer(self.redeemable.learner, "learner")


@attrs.frozen
class Register(CreatingCommand[Registrable, CourseAssignment]):
    """Create the profile of a newcomer and redeem their key, both or neither (rules 11 and 12).

    Attributes:
        code: As the newcomer typed it.
        user: Their profile, without roles. Without an organization they join that of the key.

    Example:
        >>> newcomer = User(id="eve", name="Eve", email="eve@example.org")
        >>> registrar.register("Spring-2026", newcomer).organization_id
        'acme'
    """

    code: str = field(validator=typed_code, repr=masked)
    user: User = field(validator=newcomer)

    def existing(self, reader: Reader) -> CourseAssignment | None:
        """Return the assignment under the same id, if this key and newcomer made it."""
        return _existing(reader, self.id, self.code, self.user.id)

    def read(self, reader: Reader) -> Registrable:
        """Read the key, its batch, course and organization, and who has the e-mail address."""
        key = reader.key(self.code)
        batch = reader.need(KeyBatch, key.batch_id)
        email_owner = next(iter(reader.email_owners([self.user])), None)
        if email_owner is None and reader.look_up(User, self.user.id) is not None:
            raise Conflict((self.user.id,), "id_taken")
        organization_id = self.user.organization_id or batch.organization_id
        learner = attrs.evolve(self.user, organization_id=organization_id)
        batch_organization = reader.need(Organization, batch.organization_id)
        return Registrable(
            redeemable=_redeemable(reader, key, batch, learner, self.id),
            batch_organization=batch_organization,
            email_owner=email_owner,
        )

    def decide(self, records: Registrable, context: Context) -> Outcome[CourseAssignment]:
        """Ask the registration policy, and everything that redeeming asks."""
        redeemable, organization = records.redeemable, records.batch_organization
        learner, policy = redeemable.learner, context.policies.registration
        validation.check_same(learner.id, self.user.id, "learner")
        decision = context.require(
            [
                lambda at: policy.evaluate(
                    organization, learner, at=at, email_owner=records.email_owner
                ),
                *redeemable.questions(context),
            ]
        )
        outcome = redeemable.outcome(self.action, context, decision)
        change = outcome.change
        expect = (*(one for one in change.expect if one is not learner), organization)
        return attrs.evolve(
            outcome,
            change=attrs.evolve(
                change,
                create=(learner, *change.create),
                expect=tuple(dict.fromkeys(expect)),
            ),
        )


def _existing(
    reader: Reader, id_: str | None, code: str, learner_id: str
) -> CourseAssignment | None:
    made = reader.look_up(CourseAssignment, id_)
    if made is None:
        return None
    if isinstance(made.origin, FromKey) and made.learner_id == learner_id:
        redemption = reader.need(Redemption, made.origin.redemption_id)
        if reader.need(TrainingKey, redemption.key_id).code == fold(code):
            return made
    raise Conflict((made.id,), "id_taken")


def _redeemable(
    reader: Reader, key: TrainingKey, batch: KeyBatch, learner: User, id_: str | None
) -> Redeemable:
    """Read what *learner* and *batch* refer to, and the learner's redemptions of *key*."""
    standing, turn = None, 0
    for one in reader.find(RedemptionQuery(key_id=key.id, learner_id=learner.id)):
        if one.restored_at is not None:
            turn += 1
        elif standing is None:
            standing = one
    once = reader.policies.key_redemption.once_per_learner and standing is None
    claim_id = Claim.id_for(learner.id, batch.course_id)
    claim = reader.look_up(Claim, claim_id)
    course = reader.need(Course, batch.course_id)
    organization = reader.organization_of(learner)
    # The change does not expect the batch, so its terms are read last: they are as they were when
    # everything that is expected was as it will be found.
    latest = reader.need(KeyBatch, batch.id)
    if (latest.course_id, latest.organization_id) != (batch.course_id, batch.organization_id):
        raise Conflict((batch.id,))
    return Redeemable(
        id=reader.new_id(id_),
        redemption_id=(Redemption.id_for(key.id, learner.id, turn) if once else reader.new_id()),
        key=key,
        batch=latest,
        course=course,
        learner=learner,
        organization=organization,
        redeemed=standing,
        claim=claim,
    )
