"""Write a change in one transaction: compare, create, replace, amend, use, record.

All changes lock rows in the same order, so that they cannot deadlock: stored records by kind and
id, new records, the counters of keys, and the journal. The rows that most changes need come last.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, TypeAlias

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from course_assignments.changes import KINDS, UNIQUE, Amend, Change, Event, Record, Use
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.keys import KeyBatch, TrainingKey
from course_assignments.errors import Conflict
from course_assignments.sqlalchemy.column_types import Instant, TextList, any_of
from course_assignments.sqlalchemy.failures import is_unique_violation
from course_assignments.sqlalchemy.rows import read_all, to_row
from course_assignments.sqlalchemy.tables import PLANS, Tables

#: A kind and an id.
Name: TypeAlias = tuple[type[Any], str]

#: What is written when a key is replaced: only `Use` changes its uses.
_TERMS: Final = ("code", "lookup_code", "batch_id", "number", "max_uses", "revoked_at")

_RANK: Final = {kind: rank for rank, kind in enumerate(PLANS)}


@attrs.frozen(kw_only=True)
class KindStatements:
    """The statements for one kind of record.

    Attributes:
        read: Select the records with ``ids``.
        hold: The same, and lock them so that nobody else changes or holds them.
        share: The same, and lock them so that nobody else changes them.
        create: Insert rows, except those that exist; returns the ids of the new ones.
        replace: Update the row with the id ``key``.
    """

    read: sa.Executable
    hold: sa.Executable
    share: sa.Executable
    create: sa.Executable
    replace: sa.Executable


@attrs.frozen(kw_only=True)
class Statements:
    """The statements that read records by id and write changes, built once for a set of tables.

    Attributes:
        of_kind: The statements for each kind of record.
        owners: For each kind with a unique field, select the records with one of its ``values``.
        amend: Give the keys of a batch other terms, except those with too many uses.
        exceeding: Select a key of a batch with more uses than ``max_uses``.
        use: Add ``by`` to the uses of a key, if its terms are as given and the uses stay in bounds.
        advance: Advance the journal by ``count``; returns the last position.
        append: Insert events.
        prune: Delete the events before the datetime ``before``.
    """

    of_kind: Mapping[type, KindStatements]
    owners: Mapping[type, sa.Executable]
    amend: sa.Executable
    exceeding: sa.Executable
    use: sa.Executable
    advance: sa.Executable
    append: sa.Executable
    prune: sa.Executable

    @classmethod
    def of(cls, tables: Tables, dialect: str) -> "Statements":
        """Build them for *tables* in a database of the kind *dialect*."""
        by_kind, events = tables.by_kind, tables.by_kind[Event]
        return cls(
            of_kind={kind: _of_kind(kind, by_kind[kind], dialect) for kind in KINDS},
            owners={kind: _owners(by_kind[kind], name, dialect) for kind, name in UNIQUE.items()},
            amend=_amend_of(by_kind[TrainingKey]),
            exceeding=_exceeding(by_kind[TrainingKey]),
            use=_use_of(by_kind[TrainingKey]),
            advance=_advance(tables.journal, dialect),
            append=events.insert(),
            prune=sa.delete(events).where(events.c.at < sa.bindparam("before", type_=Instant())),
        )


def _insert(table: sa.Table, dialect: str) -> Any:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


#: The kinds that many changes at once expect. PostgreSQL lets each that comes share a row, past one
#: who waits to change it. So a change first queues for an advisory lock, which is fair.
_QUEUED: Final = frozenset({Organization, Course})

#: How many locks there are for each table, so that a roster does not fill the server's lock table.
_PLACES: Final = 256


def _queued(found: sa.Select[Any], table: sa.Table, lock: Any) -> sa.Select[Any]:
    """Return *found* for those who queue for *lock* before they lock rows of *table*."""
    # Tables of the same name in other schemas have other numbers.
    dialect: Any = postgresql.dialect
    name = dialect().identifier_preparer.format_table(table)
    number = sa.cast(sa.func.to_regclass(name), postgresql.OID)
    ids = sa.func.unnest(sa.bindparam("ids", type_=TextList())).column_valued("one")
    place = sa.func.abs(sa.func.hashtext(ids) % _PLACES).label("place")
    # In one order, so that no two wait for each other.
    places = sa.select(place).distinct().order_by(place).subquery()
    locks = sa.select(
        lock(sa.func.hashtext(sa.cast(number, sa.Text)), places.c.place).label("lock")
    ).cte("locks")
    # A condition that no row decides is checked before any row is read.
    count = sa.select(sa.func.count()).select_from(locks).scalar_subquery()
    return found.where(count >= 0)


def _of_kind(kind: type, table: sa.Table, dialect: str) -> KindStatements:
    (key,) = table.primary_key
    found = sa.select(table).where(any_of(key, "ids", dialect))
    hold = share = found
    if dialect == "postgresql" and kind in _QUEUED:
        hold = _queued(found, table, sa.func.pg_advisory_xact_lock)
        share = _queued(found, table, sa.func.pg_advisory_xact_lock_shared)
    return KindStatements(
        read=found,
        # A foreign key to a held row need not wait: the id does not change.
        hold=hold.order_by(key).with_for_update(key_share=True),
        share=share.order_by(key).with_for_update(read=True),
        create=_insert(table, dialect).on_conflict_do_nothing().returning(key),
        replace=sa.update(table).where(key == sa.bindparam("key")),
    )


def _owners(table: sa.Table, name: str, dialect: str) -> sa.Executable:
    unique = table.c[name]
    return sa.select(unique.label("value"), table.c.id).where(any_of(unique, "values", dialect))


def _advance(journal: sa.Table, dialect: str) -> Any:
    last = journal.c.last_position
    first = _insert(journal, dialect).values(id=1, last_position=sa.bindparam("count"))
    advanced = first.on_conflict_do_update(
        index_elements=[journal.c.id], set_={last: last + sa.bindparam("count")}
    )
    return advanced.returning(last)


#: The parameters of `Amend`; a maximum of ``None`` keeps that of each key.
_MAX_USES: Final = sa.bindparam("max_uses", type_=sa.Integer())
_REVOKED_AT: Final = sa.bindparam("revoked_at", type_=Instant())


def _amend_of(keys: sa.Table) -> sa.Update:
    max_uses = sa.func.coalesce(_MAX_USES, keys.c.max_uses)
    revoked_at = sa.func.coalesce(keys.c.revoked_at, _REVOKED_AT)
    return (
        sa.update(keys)
        .where(keys.c.batch_id == sa.bindparam("batch"), keys.c.uses <= max_uses)
        .where(sa.or_(keys.c.max_uses != max_uses, keys.c.revoked_at.is_distinct_from(revoked_at)))
        .values(max_uses=max_uses, revoked_at=revoked_at)
    )


def _exceeding(keys: sa.Table) -> sa.Select[Any]:
    in_batch = keys.c.batch_id == sa.bindparam("batch")
    return sa.select(keys.c.id).where(in_batch, keys.c.uses > _MAX_USES).limit(1)


def _use_of(keys: sa.Table) -> sa.Update:
    by = sa.bindparam("by", type_=sa.BigInteger())
    terms = (
        keys.c[name].is_not_distinct_from(sa.bindparam(f"read_{name}", type_=keys.c[name].type))
        for name in _TERMS
    )
    return (
        sa.update(keys)
        .where(keys.c.id == sa.bindparam("key"), *terms)
        .where((keys.c.uses + by).between(0, keys.c.max_uses))
        .values(uses=keys.c.uses + by)
    )


def write(connection: sa.Connection, statements: Statements, change: Change) -> None:
    """Write all of *change* in the transaction of *connection*, which a `Conflict` must roll back.

    It names the first conflicts only, because later steps may refer to these records.
    """
    stored = _held(connection, statements, change)
    lost, replaced = _stepped(stored, change)
    _check(lost + [one for one in change.expect if stored.get(_name(one)) != one])
    _check([*_clashing(connection, statements, stored, [*change.create, *replaced])])
    _create(connection, statements, change.create)
    _replace(connection, statements, replaced)
    _amend(connection, statements, change.amend)
    _use(connection, statements, change.use)
    _record(connection, statements, change.record)


def _check(lost: Sequence[Record]) -> None:
    if lost:
        raise Conflict(tuple(dict.fromkeys(record.id for record in lost)))


def _name(record: Record) -> Name:
    return type(record), record.id


def _claim(record: Record) -> str:
    """Return what other changes may also want: the value of the unique field, or else the id."""
    return str(getattr(record, UNIQUE.get(type(record), "id")))


def _by_kind(
    records: Iterable[Record], by: Callable[[Record], str] = attrgetter("id")
) -> Iterator[tuple[type[Any], list[Record]]]:
    """Give *records* kind by kind, in the order in which all changes lock."""
    ordered = sorted(records, key=lambda record: (_RANK[type(record)], by(record)))
    for kind, group in groupby(ordered, key=type):
        yield kind, [*group]


def _held(connection: sa.Connection, statements: Statements, change: Change) -> dict[Name, Record]:
    """Return the stored records that are replaced or expected, locked until the end."""
    replaced = [step.before for step in change.replace]
    # One kind of lock for all records of a kind: two kinds would lock in two orders.
    written = {type(record) for record in replaced} | {type(step.key) for step in change.use}
    if change.amend:
        # Two changes that amend the keys of a batch must not both lock some of its keys.
        written.add(KeyBatch)
    found: dict[Name, Record] = {}
    for kind, records in _by_kind([*replaced, *change.expect]):
        of_kind = statements.of_kind[kind]
        hold = of_kind.hold if kind in written else of_kind.share
        ids = {"ids": [record.id for record in records]}
        found |= {_name(record): record for record in read_all(kind, hold, ids, connection)}
    return found


def _stepped(stored: Mapping[Name, Record], change: Change) -> tuple[list[Record], list[Record]]:
    """Return the records that cannot be replaced, and the new state of those that can."""
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


def _clashing(
    connection: sa.Connection,
    statements: Statements,
    stored: Mapping[Name, Record],
    written: Sequence[Record],
) -> Iterator[Record]:
    """Give those of *written* whose unique field another record shares, or will share.

    A value that moves from one of them to another is given up now. Where nothing stored gets
    another value, the database finds the conflict when the records are created.
    """
    for kind, name in UNIQUE.items():
        records = [one for one in written if type(one) is kind]
        if all(_claim(stored.get(_name(one), one)) == _claim(one) for one in records):
            continue
        values = {"values": [_claim(one) for one in records]}
        rows = connection.execute(statements.owners[kind], values)
        owners: dict[str, str] = {row.value: row.id for row in rows}
        after = {one.id: _claim(one) for one in records}
        leaving = {id_ for value, id_ in owners.items() if after.get(id_, value) != value}
        if leaving:
            # No address and no code begins with a space.
            parked = [{"key": id_, name: f" {id_}"} for id_ in sorted(leaving)]
            connection.execute(statements.of_kind[kind].replace, parked)
        staying = {value: id_ for value, id_ in owners.items() if id_ not in leaving}
        for one in records:
            if staying.setdefault(_claim(one), one.id) != one.id:
                yield one


def _create(connection: sa.Connection, statements: Statements, records: Sequence[Record]) -> None:
    for kind, group in _by_kind(records, _claim):
        rows = [to_row(record) for record in group]
        made = Counter(connection.execute(statements.of_kind[kind].create, rows).scalars())
        wanted = Counter(record.id for record in group)
        _check([record for record in group if made[record.id] < wanted[record.id]])


def _replace(connection: sa.Connection, statements: Statements, records: Sequence[Record]) -> None:
    for kind, group in _by_kind(records, _claim):
        try:
            rows = [_changed(record) for record in group]
            connection.execute(statements.of_kind[kind].replace, rows)
        except IntegrityError as error:
            if kind not in UNIQUE or not is_unique_violation(error):
                raise
            # Another change has taken the value of a unique field since it was checked.
            _check(group)


def _changed(record: Record) -> dict[str, Any]:
    row = to_row(record)
    names = _TERMS if isinstance(record, TrainingKey) else row.keys() - {"id"}
    return {"key": record.id, **{name: row[name] for name in names}}


def _amend(connection: sa.Connection, statements: Statements, steps: Iterable[Amend]) -> None:
    for step in steps:
        terms = {"batch": step.batch_id, "max_uses": step.max_uses}
        connection.execute(statements.amend, {**terms, "revoked_at": step.revoked_at})
        if step.max_uses is not None:
            lost = connection.execute(statements.exceeding, terms).scalars()
            if ids := tuple(lost):
                raise Conflict(ids)


def _use(connection: sa.Connection, statements: Statements, steps: Iterable[Use]) -> None:
    for step in sorted(steps, key=lambda step: step.key.id):
        read = {f"read_{name}": getattr(step.key, name) for name in _TERMS}
        counted = connection.execute(statements.use, {"key": step.key.id, "by": step.by, **read})
        _check([] if counted.rowcount else [step.key])


def _record(connection: sa.Connection, statements: Statements, events: Sequence[Event]) -> None:
    """Append *events*; this locks the journal until the end."""
    if not events:
        return
    last = connection.execute(statements.advance, {"count": len(events)}).scalar_one()
    rows = [
        {**to_row(event), "position": position}
        for position, event in enumerate(events, last - len(events) + 1)
    ]
    connection.execute(statements.append, rows)
