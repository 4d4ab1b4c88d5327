"""Keep the records that everything else refers to: organizations, courses and users. Rule 23."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeAlias, TypeVar, get_args

import attrs

from course_assignments import validation
from course_assignments.actions.acting import check_actor, emails_free, event
from course_assignments.changes import Change, Replace
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.people import User, anonymous_email
from course_assignments.errors import Conflict, InvalidInput
from course_assignments.time.datetimes import as_utc

#: What is kept by hand; everything else comes about by a command of its own.
Profile: TypeAlias = Organization | Course | User
PROFILES = get_args(Profile)
AnyProfile = TypeVar("AnyProfile", Organization, Course, User)


def add(
    records: Iterable[Profile],
    *,
    at: datetime,
    stored: Mapping[tuple[type, str], Profile] | None = None,
    holders: Iterable[User] = (),
    actor: User | None = None,
) -> Change:
    """Return the change that adds *records*, less those that are stored just so already.

    Args:
        records: Organizations, courses and users.
        at: The aware instant at which they are added.
        stored: What is stored under their kinds and ids.
        holders: The users who have the e-mail address of one of them.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Conflict: a different record is stored under the same id, or two of *records* differ in it.
        Refused: an e-mail address is taken.
        InvalidInput: an argument is of the wrong kind.

    Example:
        >>> from datetime import UTC
        >>> change = add([Course(id="py", name="Python")], at=datetime(2026, 1, 5, tzinfo=UTC))
        >>> change.create[0].name
        'Python'
    """
    now = as_utc(at)
    check_actor(actor)
    known = _stored({} if stored is None else stored)
    new: list[Profile] = []
    for position, record in enumerate(validation.check_list(records, "records")):
        validation.check_record(record, f"records[{position}]", *PROFILES)
        name = (type(record), record.id)
        if name not in known:
            known[name] = record
            new.append(record)
        elif known[name] != record:
            raise Conflict((record.id,), "id_taken")
    decision = emails_free(new, holders)
    decision.require()
    if not new:
        return Change(decision=decision)
    ids = dict.fromkeys(record.id for record in new)
    return Change(create=tuple(new), record=[event("add", now, actor, *ids)], decision=decision)


def _stored(
    stored: Mapping[tuple[type, str], Profile],
) -> dict[tuple[type, str], Profile]:
    validation.check_kind(stored, "stored", Mapping)
    try:
        known = dict(stored)
    except Exception as error:  # a mapping of the caller's own may raise anything at all
        raise InvalidInput("wrong_type", "stored", "expected records by kind and id") from error
    for record in known.values():
        validation.check_kind(record, "stored", *PROFILES)
    return known


def update(
    before: AnyProfile,
    after: AnyProfile,
    *,
    at: datetime,
    holder: User | None = None,
    actor: User | None = None,
) -> Change:
    """Return the change from *before* to *after*; what was made under *before* stays (rule 20).

    Args:
        before: As it is stored.
        after: As it is to be.
        at: The aware instant at which it is changed.
        holder: The user who has the e-mail address of *after*, if there is one.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: the e-mail address belongs to someone else.
        InvalidInput: an argument is of the wrong kind, or they are two different records.

    Example:
        >>> from datetime import UTC
        >>> before = Course(id="py", name="Python")
        >>> after = attrs.evolve(before, archived=True)
        >>> change = update(before, after, at=datetime(2026, 1, 5, tzinfo=UTC))
        >>> change.made(Course)[0].archived
        True
    """
    validation.check_record(before, "before", *PROFILES)
    validation.check_record(after, "after", *PROFILES)
    now = as_utc(at)
    check_actor(actor)
    if holder is not None:
        validation.check_kind(holder, "holder", User)
    others = [] if holder is None or holder.id == after.id else [holder]
    decision = emails_free([after], others)
    decision.require()
    if before == after:
        return Change(decision=decision)
    return Change(
        replace=[Replace(before, after)],
        record=[event("update", now, actor, after.id)],
        decision=decision,
    )


def anonymize(user: User, *, at: datetime, actor: User | None = None) -> Change:
    """Return the change that replaces the name and the e-mail address of *user* (rule 23).

    Everything else stays: assignments, roles, events, which hold ids only.

    Args:
        user: As they are stored.
        at: The aware instant at which it happens.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        InvalidInput: an argument is of the wrong kind.

    Example:
        >>> from datetime import UTC
        >>> ada = User(id="ada", name="Ada", email="ada@example.org")
        >>> anonymize(ada, at=datetime(2026, 1, 5, tzinfo=UTC)).made(User)[0].name
        'Anonymous'
    """
    validation.check_kind(user, "user", User)
    now = as_utc(at)
    check_actor(actor)
    after = attrs.evolve(user, name="Anonymous", email=anonymous_email(user.id))
    if after == user:
        return Change()
    return Change(replace=[Replace(user, after)], record=[event("anonymize", now, actor, user.id)])
