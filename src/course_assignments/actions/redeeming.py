"""Redeem a training key, as a known learner or as a newcomer who registers. Rules 8 to 13."""

from datetime import datetime

import attrs

from course_assignments import validation
from course_assignments.actions.acting import (
    check_actor,
    check_newcomer,
    check_organization,
    check_same,
    event,
    own_authorization,
    read,
)
from course_assignments.changes import Change, Use
from course_assignments.decisions import Decision, Question, all_of
from course_assignments.entities.assignments import CourseAssignment, FromKey
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import ExpirationLimit
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.policies import DOCUMENTED, Policies
from course_assignments.policies.expiration import Limit, earliest, zone_of
from course_assignments.time.datetimes import as_utc
from course_assignments.time.durations import end_in_range


@attrs.frozen(kw_only=True)
class Presented:
    """A key as a learner presents it, with all that has to be read to redeem it.

    Attributes:
        id: The id of the assignment to be made.
        redemption_id: The id of the redemption to be made; under once-per-learner it is
            ``Redemption.id_for`` the code, the learner and the number of restored redemptions.
        organization: The learner's, or ``None`` if they have none.
        redeemed: The learner's redemption of this key that was not restored, if there is one.

    Raises:
        InvalidInput: a field is of the wrong kind, or belongs to another key or learner.

    Example:
        >>> attrs.fields(Presented).redeemed.default is None
        True
    """

    id: str = attrs.field(validator=validation.identifier)
    redemption_id: str = attrs.field(validator=validation.identifier)
    key: TrainingKey = attrs.field(validator=validation.one_of(TrainingKey))
    batch: KeyBatch = attrs.field(validator=validation.one_of(KeyBatch))
    course: Course = attrs.field(validator=validation.one_of(Course))
    learner: User = attrs.field(validator=validation.one_of(User))
    organization: Organization | None = attrs.field(
        default=None, validator=attrs.validators.optional(validation.one_of(Organization))
    )
    redeemed: Redemption | None = attrs.field(
        default=None, validator=attrs.validators.optional(validation.one_of(Redemption))
    )

    def __attrs_post_init__(self) -> None:
        check_same(self.key.batch_id, self.batch.id, "batch")
        check_same(self.course.id, self.batch.course_id, "course")
        check_organization(self.organization, self.learner)
        if self.redeemed is not None:
            check_same(self.redeemed.code, self.key.code, "redeemed")
            check_same(self.redeemed.learner_id, self.learner.id, "redeemed")


def redeem(
    presented: Presented,
    *,
    at: datetime,
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that redeems a key for a learner (rules 6 to 10, 21 and 22).

    Learners act for themselves; for another it takes the roles that assigning takes.

    Args:
        presented: The key, the learner, and what was read about them.
        at: The aware instant at which it is redeemed.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        InvalidInput: an argument is of the wrong kind, or a record belongs to others than the rest.

    Example:
        >>> from datetime import UTC, timedelta
        >>> at = datetime(2026, 1, 5, tzinfo=UTC)
        >>> change = redeem(
        ...     Presented(
        ...         id="a-1",
        ...         redemption_id="r-1",
        ...         key=TrainingKey(code="Spring-2026", batch_id="spring"),
        ...         batch=KeyBatch(
        ...             id="spring", name="Spring", course_id="py", organization_id="acme",
        ...             created_at=at, availability=timedelta(days=30), any_organization=True,
        ...         ),
        ...         course=Course(
        ...             id="py", name="Python", content_provider="us", publishing_group="all"
        ...         ),
        ...         learner=User(id="ada", name="Ada", email="ada@example.org"),
        ...     ),
        ...     at=at,
        ... )
        >>> change.made(CourseAssignment)[0].limited_by.name
        'KEY'
    """
    validation.check_kind(presented, "presented", Presented)
    validation.check_kind(policies, "policies", Policies)
    check_actor(actor)
    now = as_utc(at)
    questions = _questions(presented, policies, actor)
    decision = all_of(questions, now)
    decision.require()
    return _redeemed("redeem", presented, decision, at=now, policies=policies, actor=actor)


def register(
    presented: Presented,
    *,
    at: datetime,
    host: Organization,
    holder: User | None = None,
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that gives a newcomer a profile and redeems their key (rule 11).

    Args:
        presented: The key, the newcomer as their profile is to be, and what was read about them.
        at: The aware instant at which it happens.
        host: The organization of the key's batch, which has to allow it.
        holder: The user who has the newcomer's e-mail address already, if there is one.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against; there is no profile and no use is taken.
        InvalidInput: an argument is of the wrong kind, or the newcomer brings roles.

    Example:
        >>> from course_assignments.errors import InvalidInput
        >>> try:
        ...     register("Spring-2026", at=datetime(2026, 1, 5), host=None)
        ... except InvalidInput as error:
        ...     print(error)
        presented: expected Presented
    """
    validation.check_kind(presented, "presented", Presented)
    validation.check_kind(policies, "policies", Policies)
    check_actor(actor)
    validation.check_kind(host, "host", Organization)
    check_same(host.id, presented.batch.organization_id, "host")
    newcomer = check_newcomer(presented.learner, "user")
    now = as_utc(at)
    questions: list[Question] = [
        lambda at: policies.registration.evaluate(host, newcomer, at=at, holder=holder),
        *_questions(presented, policies, actor),
    ]
    decision = all_of(questions, now)
    decision.require()
    change = _redeemed("register", presented, decision, at=now, policies=policies, actor=actor)
    expect = (*(record for record in change.expect if record != newcomer), host)
    return attrs.evolve(
        change, create=(newcomer, *change.create), expect=tuple(dict.fromkeys(expect))
    )


def _questions(presented: Presented, policies: Policies, actor: User | None) -> list[Question]:
    learner = presented.learner
    return [
        *own_authorization(policies, actor, learner),
        lambda at: policies.key_redemption.evaluate(
            presented.key, presented.batch, learner, at=at, redeemed=presented.redeemed
        ),
        lambda at: policies.course_availability.evaluate(presented.course, at=at),
    ]


def _redeemed(
    action: str,
    presented: Presented,
    decision: Decision,
    *,
    at: datetime,
    policies: Policies,
    actor: User | None,
) -> Change:
    learner, batch, organization = presented.learner, presented.batch, presented.organization
    # "content availability" counts from redemption, and the limit of rule 1 still applies
    available = end_in_range(batch.availability, at, zone_of(organization))
    end = policies.expiration.limit(at, course=presented.course, organization=organization)
    validation.check_kind(end, "policies.expiration", Limit)
    if available is not None:
        end = earliest([end, Limit(available, ExpirationLimit.KEY)])
    assignment = CourseAssignment(
        id=presented.id,
        learner_id=learner.id,
        course_id=presented.course.id,
        organization_id=learner.organization_id,
        created_at=at,
        expires_at=end.at,
        limited_by=end.by,
        origin=FromKey(batch.id, presented.redemption_id),
    )
    redemption = Redemption(
        id=presented.redemption_id,
        code=presented.key.code,
        batch_id=batch.id,
        learner_id=learner.id,
        assignment_id=presented.id,
        redeemed_at=at,
    )
    subjects = (assignment.id, redemption.id, batch.id, assignment.course_id, learner.id)
    return Change(
        create=(assignment, redemption),
        use=[Use(presented.key, 1)],
        # Not the batch: a redemption decided before its window was edited may be stored after it.
        expect=read(presented.course, learner, organization, actor),
        record=[event(action, at, actor, *subjects)],
        decision=decision,
    )
