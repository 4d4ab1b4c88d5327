"""What every action shares: the actor's question, the event, and what the change has to expect."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from course_assignments import fields
from course_assignments.changes import Event, Record
from course_assignments.decisions import Decision, Question
from course_assignments.enums import Permission
from course_assignments.instants import as_utc
from course_assignments.people import User
from course_assignments.policies.bundle import Policies
from course_assignments.reasons import EmailTaken


def check_actor(actor: User | None) -> None:
    """Do nothing if *actor* is a user or nobody."""
    if actor is not None:
        fields.check_kind(actor, "actor", User)


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
    taken = {one.folded_email for one in fields.check_each(holders, "holders", User)}
    reasons: list[EmailTaken] = []
    for record in records:
        if isinstance(record, User):
            if record.folded_email in taken:
                reasons.append(EmailTaken(record.id))
            taken.add(record.folded_email)
    return Decision(tuple(reasons))
