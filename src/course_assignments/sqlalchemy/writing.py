"""How a change is written in one transaction: compare, create, replace, use, record.

Everything is taken in one order, so that no two changes wait for each other in a circle: first what
is there already, by kind and id, then what is new, then the counters of keys, the journal last.
What crowds meet at is so held for the shortest time.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from course_assignments.changes import Change, Event, Record, Use, masked_id
from course_assignments.entities.keys import TrainingKey
from course_assignments.entities.people import User
from course_assignments.errors import Conflict
from course_assignments.sqlalchemy.failures import is_taken
from course_assignments.sqlalchemy.rows import read_all, to_row
from course_assignments.sqlalchemy.statements import TERMS, Statements
from course_assignments.sqlalchemy.tables import ORDER

#: A kind and an id.
Name: TypeAlias = tuple[type[Any], str]

_RANK: Final = {kind: rank for rank, kind in enumerate(ORDER)}


def write(connection: Connection, statements: Statements, change: Change) -> None:
    """Write all of *change* into the transaction of *connection*.

    Raises:
        Conflict: something is not as the change needs it; the transaction has to be undone. It
            names what was found first: what comes after that may refer to it.
    """
    stored = _held(connection, statements, change)
    lost, replaced = _stepped(stored, change)
    _check(lost + [one for one in change.expect if stored.get(_name(one)) != one])
    users = [one for one in (*change.create, *replaced) if isinstance(one, User)]
    _check(_without_email(connection, statements, users))
    _create(connection, statements, change.create)
    _replace(connection, statements, replaced)
    _use(connection, statements, change.use)
    _record(connection, statements, change.record)


def _check(lost: Sequence[Record]) -> None:
    if lost:
        raise Conflict(tuple(dict.fromkeys(masked_id(record) for record in lost)))


def _name(record: Record) -> Name:
    return type(record), record.id


def _id(record: Record) -> str:
    return record.id


def _claim(record: Record) -> str:
    """Return what others may want too: of a user that is the address, whatever id they choose."""
    return record.folded_email if isinstance(record, User) else record.id


def _by_kind(
    records: Iterable[Record], by: Callable[[Record], str] = _id
) -> Iterator[tuple[type[Any], list[Record]]]:
    """Give *records* kind by kind, all in the one order that everybody keeps."""
    ordered = sorted(records, key=lambda record: (_RANK[type(record)], by(record)))
    for kind, group in groupby(ordered, key=type):
        yield kind, [*group]


def _held(connection: Connection, statements: Statements, change: Change) -> dict[Name, Record]:
    """Return what is stored of all that is replaced or expected; until the end it stays so."""
    replaced = [step.before for step in change.replace]
    # Of a kind that is written too, all are held alike: two ways to hold would be two orders.
    written = {type(record) for record in replaced} | {type(step.key) for step in change.use}
    found: dict[Name, Record] = {}
    for kind, records in _by_kind([*replaced, *change.expect]):
        hold = statements.hold if kind in written else statements.share
        rows = connection.execute(hold[kind], {"ids": [record.id for record in records]})
        found |= {_name(record): record for record in read_all(kind, rows)}
    return found


def _stepped(stored: Mapping[Name, Record], change: Change) -> tuple[list[Record], list[Record]]:
    """Return what cannot be replaced, and how all that can be stands afterwards."""
    known = {**stored, **{_name(record): record for record in change.create}}
    lost: list[Record] = []
    replaced: dict[Name, Record] = {}
    for step in change.replace:
        name = _name(step.before)
        after = step.of(known.get(name))
        if after is None:
            lost.append(step.before)
        else:
            known[name] = replaced[name] = after
    return lost, [*replaced.values()]


def _without_email(
    connection: Connection, statements: Statements, users: Sequence[User]
) -> list[Record]:
    """Return those of *users* whose e-mail address another one has, or would have.

    Who gives an address up to another of them gives it up now, or there would be two of it.
    """
    if not users:
        return []
    emails = {"emails": [user.folded_email for user in users]}
    rows = connection.execute(statements.holders, emails)
    holders: dict[str, str] = {row.folded_email: row.id for row in rows}
    after = {user.id: user.folded_email for user in users}
    leaving = {id_ for email, id_ in holders.items() if after.get(id_, email) != email}
    if leaving:
        # No address begins with a space.
        parked = [{"key": id_, "folded_email": f" {id_}"} for id_ in sorted(leaving)]
        connection.execute(statements.replace[User], parked)
    owners = {email: id_ for email, id_ in holders.items() if id_ not in leaving}
    return [user for user in users if owners.setdefault(user.folded_email, user.id) != user.id]


def _create(connection: Connection, statements: Statements, records: Sequence[Record]) -> None:
    for kind, group in _by_kind(records, _claim):
        rows = [to_row(record) for record in group]
        made = Counter(connection.execute(statements.create[kind], rows).scalars())
        wanted = Counter(record.id for record in group)
        _check([record for record in group if made[record.id] < wanted[record.id]])


def _replace(connection: Connection, statements: Statements, records: Sequence[Record]) -> None:
    for kind, group in _by_kind(records, _claim):
        try:
            connection.execute(statements.replace[kind], [_changed(record) for record in group])
        except IntegrityError as error:
            if kind is not User or not is_taken(error):
                raise
            # An e-mail address that was free when it was looked for, and is not any more.
            _check(group)


def _changed(record: Record) -> dict[str, Any]:
    row = to_row(record)
    names = TERMS if isinstance(record, TrainingKey) else row.keys() - {"id"}
    return {"key": record.id, **{name: row[name] for name in names}}


def _use(connection: Connection, statements: Statements, steps: Iterable[Use]) -> None:
    for step in sorted(steps, key=lambda step: step.key.code):
        read = {f"read_{name}": getattr(step.key, name) for name in TERMS}
        counted = connection.execute(statements.use, {"key": step.key.code, "by": step.by, **read})
        _check([] if counted.rowcount else [step.key])


def _record(connection: Connection, statements: Statements, events: Sequence[Event]) -> None:
    """Append *events*; from here on until the end, nobody else appends any."""
    if not events:
        return
    last = connection.execute(statements.advance, {"count": len(events)}).scalar_one()
    rows = [
        {**to_row(event), "position": position}
        for position, event in enumerate(events, last - len(events) + 1)
    ]
    connection.execute(statements.append, rows)
