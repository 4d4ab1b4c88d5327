"""The statements that read records by id and write changes, each built once for a set of tables."""

from collections.abc import Mapping
from typing import Any

import attrs
from sqlalchemy import (
    BigInteger,
    Executable,
    Table,
    Update,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from course_assignments.changes import Event
from course_assignments.entities.keys import TrainingKey
from course_assignments.entities.people import User
from course_assignments.sqlalchemy.column_types import Instant
from course_assignments.sqlalchemy.searching import any_of
from course_assignments.sqlalchemy.tables import ORDER, Tables

#: What of a key is written when it is replaced: its uses belong to those who redeem it.
TERMS = ("batch_id", "max_uses", "revoked_at")


@attrs.frozen(kw_only=True)
class Statements:
    """What is asked of the database, by kind of record.

    Attributes:
        read: The records under ``ids``.
        hold: The same, each held so that until the end nobody else changes or holds it.
        share: The same, each held so that until the end nobody changes it.
        create: New ones, less those that are there; it gives the ids of the new ones.
        replace: The fields of the one under ``key``.
        holders: The ids of the users who have one of ``emails``, and which.
        use: ``by`` more uses of a key, if its terms are as given and its bounds hold.
        advance: The journal goes on by ``count``; it gives the last position.
        append: New events.
        prune: Events from before the instant ``before`` are dropped.
    """

    read: Mapping[type, Executable]
    hold: Mapping[type, Executable]
    share: Mapping[type, Executable]
    create: Mapping[type, Executable]
    replace: Mapping[type, Executable]
    holders: Executable
    use: Executable
    advance: Executable
    append: Executable
    prune: Executable

    @classmethod
    def of(cls, tables: Tables, dialect: str) -> "Statements":
        """Build them for *tables* in a database of the kind that *dialect* names."""
        insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
        users, events = tables.by_kind[User], tables.by_kind[Event]
        journal = tables.journal
        advance = insert(journal).values(id=1, last_position=bindparam("count"))
        last = journal.c.last_position
        read: dict[type, Executable] = {}
        hold: dict[type, Executable] = {}
        share: dict[type, Executable] = {}
        create: dict[type, Executable] = {}
        replace: dict[type, Executable] = {}
        for kind in ORDER:
            table = tables.by_kind[kind]
            key = _key(table)
            found = select(table).where(any_of(key, "ids", dialect))
            read[kind] = found
            # Whoever refers to a held row by a foreign key need not wait: its id stays as it is.
            hold[kind] = found.order_by(key).with_for_update(key_share=True)
            share[kind] = found.order_by(key).with_for_update(read=True)
            create[kind] = insert(table).on_conflict_do_nothing().returning(key)
            replace[kind] = update(table).where(key == bindparam("key"))
        return cls(
            read=read,
            hold=hold,
            share=share,
            create=create,
            replace=replace,
            holders=select(users.c.folded_email, users.c.id).where(
                any_of(users.c.folded_email, "emails", dialect)
            ),
            use=_use(tables.by_kind[TrainingKey]),
            advance=advance.on_conflict_do_update(
                index_elements=[journal.c.id],
                set_={last: last + bindparam("count")},
            ).returning(last),
            append=events.insert(),
            prune=delete(events).where(events.c.at < bindparam("before", type_=Instant())),
        )


def _key(table: Table) -> Any:
    (key,) = table.primary_key
    return key


def _use(keys: Table) -> Update:
    by = bindparam("by", type_=BigInteger())
    terms = (
        keys.c[name].is_not_distinct_from(bindparam(f"read_{name}", type_=keys.c[name].type))
        for name in TERMS
    )
    return (
        update(keys)
        .where(keys.c.code == bindparam("key"), *terms)
        .where((keys.c.uses + by).between(0, keys.c.max_uses))
        .values(uses=keys.c.uses + by)
    )
