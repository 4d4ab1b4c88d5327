"""What actions share: checks of what belongs together, the actor's question, and the event."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import attrs

from course_assignments import validation
from course_assignments.changes import Event, Record
from course_assignments.decisions import Decision, Question
from course_assignments.entities.catalog import Organization
from course_assignments.entities.enums import Permission
from course_assignments.entities.keys import KeyBatch
from course_assignments.entities.people import User
from course_assignments.errors import InvalidInput
from course_assignments.policies import Policies
from course_assignments.reasons import EmailTaken, ForAssignment, Reason
from course_assignments.time.datetimes import as_utc


def check_actor(actor: User | None) -> None:
    """Do nothing if *actor* is a user or nobody."""
    if actor is not None:
        validation.check_kind(actor, "actor", User)


def check_same(found: str | None, wanted: str | None, path: str) -> None:
    """Do nothing if a record at *path* has the id that the records beside it refer to.

    Raises:
        InvalidInput: it belongs to another record than they do.
    """
    if found != wanted:
        raise InvalidInput("another_record", path, "expected the one that the others belong to")


def check_organization(organization: Organization | None, learner: User) -> None:
    """Do nothing if *organization* is the one of *learner*, or both have none."""
    if organization is not None:
        validation.check_kind(organization, "organization", Organization)
    wanted = learner.organization_id
    if (None if organization is None else organization.id) != wanted:
        hint = "none, as the learner has none" if wanted is None else f"{wanted[:60]!r}, theirs"
        raise InvalidInput("another_record", "organization", f"expected {hint}")


def check_host(organization: Organization | None, batch: KeyBatch) -> None:
    """Do nothing if *organization* is the one of *batch*, or is not given."""
    if organization is not None:
        validation.check_kind(organization, "organization", Organization)
        check_same(organization.id, batch.organization_id, "organization")


def check_newcomer(user: User, field_path: str) -> User:
    """Return *user* if they come with no rights: no roles, nothing managed (rule 11).

    Raises:
        InvalidInput: they bring a role or a managed organization.

    Example:
        >>> check_newcomer(User(id="ada", name="Ada", email="ada@example.org"), "user").id
        'ada'
    """
    validation.check_record(user, field_path, User)
    for name in ("roles", "managed_organization_ids"):
        if getattr(user, name):
            raise InvalidInput(
                "newcomer_with_rights",
                f"{field_path}.{name}",
                "leave it empty; an administrator can give it to them later",
            )
    return user


def authorization(
    policies: Policies, actor: User | None, permission: Permission, organization_id: str | None
) -> list[Question]:
    """Return the question whether *actor* may do this; without an actor the caller is trusted."""
    check_actor(actor)
    if actor is None:
        return []
    return [
        lambda at: policies.authorization.evaluate(
            actor, permission=permission, organization_id=organization_id, at=at
        )
    ]


def own_authorization(policies: Policies, actor: User | None, learner: User) -> list[Question]:
    """Return the question whether *actor* may act for *learner*, whom nobody asks about themself.

    For another it takes the roles that assigning takes (rule 21).
    """
    check_actor(actor)
    acting = None if actor is not None and actor.id == learner.id else actor
    return authorization(policies, acting, Permission.ASSIGN_COURSES, learner.organization_id)


def for_pair(
    course_id: str,
    learner_id: str,
    question: Question,
    concerns: Callable[[Reason], bool] | None,
    at: datetime,
) -> Decision:
    """Ask *question*; of each reason that *concerns* this pair, or of all, say which pair it is."""
    decision = question(at)
    reasons = tuple(
        ForAssignment(course_id, learner_id, reason)
        if not isinstance(reason, ForAssignment) and (concerns is None or concerns(reason))
        else reason
        for reason in decision.reasons
    )
    return attrs.evolve(decision, reasons=reasons)


def event(
    action: str,
    at: datetime,
    actor: User | None,
    *subject_ids: str,
    details: Mapping[str, str] | None = None,
) -> Event:
    """Return the event that *action* was carried out at *at*."""
    check_actor(actor)
    return Event(
        at=as_utc(at),
        by=None if actor is None else actor.id,
        action=action,
        subject_ids=subject_ids,
        details=details or {},
    )


def read(*records: Record | None) -> tuple[Record, ...]:
    """Return *records*, each once, as what a change expects to find as it was read."""
    return tuple(dict.fromkeys(record for record in records if record is not None))


def emails_free(records: Iterable[Record], holders: Iterable[User]) -> Decision:
    """Return whether every user of *records* has an e-mail address of their own."""
    taken = {one.folded_email for one in validation.check_each(holders, "holders", User)}
    reasons: list[EmailTaken] = []
    for record in records:
        if isinstance(record, User):
            if record.folded_email in taken:
                reasons.append(EmailTaken(record.id))
            taken.add(record.folded_email)
    return Decision(tuple(reasons))
