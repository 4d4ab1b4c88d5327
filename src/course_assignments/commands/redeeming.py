"""Redeem a training key, as a known learner or as a newcomer who registers. Rules 6 to 13."""

from datetime import datetime

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.changes import Change, Use
from course_assignments.commands import base
from course_assignments.commands.base import Context, CreatingCommand, Outcome
from course_assignments.commands.reader import Reader
from course_assignments.decisions import Decision, Question, answer
from course_assignments.entities.assignments import Claim, CourseAssignment, FromKey
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.codes import fold
from course_assignments.entities.enums import ExpirationLimit
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.errors import Conflict, repr_codes
from course_assignments.frozen import frozen, unchecked
from course_assignments.policies.expiration import Limit, zone_of
from course_assignments.queries import RedemptionQuery
from course_assignments.time.durations import end_in_range

_redemption = unchecked(Redemption)


@frozen(kw_only=True)
class Redeemable(base.CourseAndLearner):
    """A key with its batch and course, and the learner with their organization.

    Attributes:
        id: The id of the new assignment.
        redemption_id: The id of the new redemption: ``Redemption.id_for`` the key, the learner and
            the number of their earlier redemptions of it. So concurrent calls conflict.
        redeemed: The learner's redemption of this key that was not restored, if there is one.
    """

    id: str = field(validator=validation.identifier)
    redemption_id: str = field(validator=validation.identifier)
    key: TrainingKey = field(validator=validation.one_of(TrainingKey))
    batch: KeyBatch = field(validator=validation.one_of(KeyBatch))
    redeemed: Redemption | None = base.record_or_none(Redemption)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        validation.check_same(self.key.batch_id, self.batch.id, "batch")
        validation.check_same(self.course.id, self.batch.course_id, "course")
        if self.redeemed is not None:
            validation.check_same(self.redeemed.key_id, self.key.id, "redeemed")
            validation.check_same(self.redeemed.learner_id, self.learner.id, "redeemed")

    def questions(self, context: Context) -> list[Question]:
        """Ask about the actor, the key and the course."""
        policy = context.policies.key_redemption
        return [
            *context.may_for(self.learner),
            lambda at: answer(
                "key_redemption",
                policy.evaluate(self.key, self.batch, self.learner, at=at, redeemed=self.redeemed),
            ),
            context.is_available(self.course),
        ]

    def limit(self, context: Context) -> Limit:
        """Return when access ends: by the key, counted from now, or by the limit of rule 1."""
        zone = zone_of(self.organization, self.batch.availability)
        available = end_in_range(self.batch.availability, context.at, zone)
        own = [] if available is None else [Limit(available, ExpirationLimit.KEY)]
        return context.limit(self.course, self.organization, *own)

    def outcome(
        self, action: str, context: Context, decision: Decision
    ) -> Outcome[CourseAssignment]:
        """Return the assignment, and the change that creates it and uses the key."""
        key, batch, learner = self.key, self.batch, self.learner
        origin = FromKey(batch.id, self.redemption_id)
        assignment = self.assignment(self.id, context.at, self.limit(context), origin)
        redemption = _redemption(
            id=self.redemption_id,
            key_id=key.id,
            batch_id=batch.id,
            learner_id=learner.id,
            assignment_id=self.id,
            redeemed_at=context.at,
        )
        subjects = (assignment.id, redemption.id, key.id, batch.id, batch.course_id, learner.id)
        new_claims, claims = base.write_claims([self], [assignment])
        change = Change(
            create=(assignment, redemption, *new_claims),
            replace=claims,
            use=(Use(key, 1),),
            # Not the batch. A redemption may commit after an edit of the window, if it was decided
            # before the edit.
            expect=context.expect(self.course, learner, self.organization),
            record=(context.event(action, *subjects),),
        )
        return Outcome(assignment, change, decision)


@frozen
class Redeem(CreatingCommand[Redeemable, CourseAssignment]):
    """Redeem a training key for a learner (rules 6 to 10, 12, 21 and 22).

    Attributes:
        code: As the learner typed it. Case makes no difference. In generated codes, spaces, dashes
            and look-alike characters make none either.
        learner_id: The learner, who may act for themselves.

    >>> registrar.redeem("Spring-2026", "ada").limited_by
    <ExpirationLimit.KEY: 'key'>
    >>> [reason.code for reason in registrar.may_redeem("Spring-2026", "ada").reasons]
    ['key_exhausted', 'already_redeemed']
    """

    code: str = field(validator=base.typed_code, repr=repr_codes)
    learner_id: str = field(validator=validation.identifier)

    def existing(self, reader: Reader) -> CourseAssignment | None:
        return _existing(reader, self.id, self.code, self.learner_id) if self.id else None

    def read(self, reader: Reader) -> Redeemable:
        learner = reader.need(User, self.learner_id)
        key = reader.key(self.code)
        return _redeemable(reader, key, reader.need(KeyBatch, key.batch_id), learner, self.id)

    def decide(self, records: Redeemable, context: Context) -> Outcome[CourseAssignment]:
        base.check_keys([records.key], self.code, "key", context)
        validation.check_same(records.learner.id, self.learner_id, "learner")
        context = context.since(records.batch.created_at)
        return records.outcome(self.action, context, context.require(*records.questions(context)))


@frozen(kw_only=True)
class Registrable:
    """A key with the newcomer who registers with it.

    Attributes:
        redeemable: The key, with the new profile as its learner.
        batch_organization: The organization of the batch, which must allow registration.
        email_owner: The user who already has the newcomer's e-mail address, if there is one.
    """

    redeemable: Redeemable = field(validator=validation.one_of(Redeemable))
    batch_organization: Organization = field(validator=validation.one_of(Organization))
    email_owner: User | None = base.record_or_none(User)

    def __attrs_post_init__(self) -> None:
        wanted = self.redeemable.batch.organization_id
        validation.check_same(self.batch_organization.id, wanted, "batch_organization")
        base.check_newcomer(self.redeemable.learner, "learner")


@frozen
class Register(CreatingCommand[Registrable, CourseAssignment]):
    """Create the profile of a newcomer and redeem their key, both or neither (rules 11 and 12).

    Attributes:
        code: As the newcomer typed it.
        user: The profile, without roles. By default newcomers join the organization of the key;
            another organization must allow registration, too.

    >>> newcomer = User(id="eve", name="Eve", email="eve@example.org")
    >>> registrar.register("Spring-2026", newcomer).organization_id
    'acme'
    """

    code: str = field(validator=base.typed_code, repr=repr_codes)
    user: User = field(validator=validation.accepted_by(base.check_newcomer))

    def existing(self, reader: Reader) -> CourseAssignment | None:
        return _existing(reader, self.id, self.code, self.user.id) if self.id else None

    def read(self, reader: Reader) -> Registrable:
        key = reader.key(self.code)
        batch = reader.need(KeyBatch, key.batch_id)
        email_owner = next(iter(reader.email_owners([self.user])), None)
        if email_owner is None and reader.look_up(User, self.user.id) is not None:
            raise Conflict((self.user.id,), "id_taken", "User")
        organization_id = self.user.organization_id or batch.organization_id
        learner = attrs.evolve(self.user, organization_id=organization_id)
        return Registrable(
            batch_organization=reader.need(Organization, batch.organization_id),
            redeemable=_redeemable(reader, key, batch, learner, self.id),
            email_owner=email_owner,
        )

    def decide(self, records: Registrable, context: Context) -> Outcome[CourseAssignment]:
        redeemable, organization = records.redeemable, records.batch_organization
        learner, policy = redeemable.learner, context.policies.registration
        base.check_keys([redeemable.key], self.code, "redeemable.key", context)
        validation.check_same(learner.id, self.user.id, "learner")
        context = context.since(redeemable.batch.created_at)

        def may_register(at: datetime) -> Decision:
            return answer(
                "registration",
                policy.evaluate(
                    organization,
                    learner,
                    at=at,
                    joined=redeemable.organization,
                    email_owner=records.email_owner,
                ),
            )

        decision = context.require(may_register, *redeemable.questions(context))
        outcome = redeemable.outcome(self.action, context, decision)
        expect = (*(one for one in outcome.change.expect if one is not learner), organization)
        change = attrs.evolve(
            outcome.change,
            create=(learner, *outcome.change.create),
            expect=tuple(dict.fromkeys(expect)),
        )
        return attrs.evolve(outcome, change=change)


def _existing(reader: Reader, id_: str, code: str, learner_id: str) -> CourseAssignment | None:
    made = reader.look_up(CourseAssignment, id_)
    if made is None:
        return None
    if isinstance(made.origin, FromKey) and made.learner_id == learner_id:
        redemption = reader.need(Redemption, made.origin.redemption_id)
        if reader.need(TrainingKey, redemption.key_id).lookup_code == fold(code):
            return made
    raise Conflict((made.id,), "id_taken", "CourseAssignment")


def _redeemable(
    reader: Reader, key: TrainingKey, batch: KeyBatch, learner: User, id_: str | None
) -> Redeemable:
    """Read what *learner* and *batch* refer to, and the learner's redemptions of *key*."""
    redemption_id = Redemption.id_for(key.id, learner.id, 0)
    standing: list[Redemption] = []
    if reader.look_up(Redemption, redemption_id) is not None:  # most have none
        earlier = [*reader.find(RedemptionQuery(key_id=key.id, learner_id=learner.id))]
        standing = [one for one in earlier if one.restored_at is None]
        redemption_id = Redemption.id_for(key.id, learner.id, len(earlier))
    claim = reader.look_up(Claim, Claim.id_for(learner.id, batch.course_id))
    # The change does not expect the batch, so read its terms last: they held when everything that
    # the change expects was as it was read.
    course, organization, latest = reader.need_each(
        (Course, batch.course_id), (Organization, learner.organization_id), (KeyBatch, batch.id)
    )
    if (latest.course_id, latest.organization_id) != (batch.course_id, batch.organization_id):
        raise Conflict((batch.id,))
    return Redeemable(
        id=reader.new_id(id_),
        redemption_id=redemption_id,
        key=key,
        batch=latest,
        course=course,
        learner=learner,
        organization=organization,
        redeemed=standing[0] if standing else None,
        claim=claim,
    )
