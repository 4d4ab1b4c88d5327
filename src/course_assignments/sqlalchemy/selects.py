"""Queries as SQL: one statement for each set of filters, whatever their values.

What a query gives by ``where``, ``ranges`` and ``contains`` is translated column by column. A
filter that reads more than one column has its SQL in `SPECIAL`, under its name in the query.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Select,
    Table,
    and_,
    bindparam,
    case,
    func,
    not_,
    or_,
    select,
    tuple_,
)

from course_assignments.entities.assignments import Direct, FromKey
from course_assignments.entities.enums import AssignmentStatus, CompletionStatus
from course_assignments.errors import InvalidInput
from course_assignments.queries import QUERIES, Query, RecordT, SortKey
from course_assignments.sqlalchemy.column_types import Instant, any_of, is_storable
from course_assignments.sqlalchemy.tables import Tables

#: What builds a condition, and its arguments. The values of the query are parameters.
Filter: TypeAlias = tuple[Any, ...]
Parameters: TypeAlias = dict[str, Any]
Condition: TypeAlias = ColumnElement[bool]

#: The most bits, besides the sign, that an integer has in both databases.
_BITS: Final = 63


class Selects:
    """The statements for queries, each built once."""

    def __init__(self, tables: Tables, dialect: str) -> None:
        """Select from *tables* in a database of the kind *dialect*."""
        self._tables = tables
        self._dialect = dialect
        self._statements: dict[tuple[type, tuple[Filter, ...]], Select[Any]] = {}

    def statement(self, query: Query[RecordT]) -> tuple[Select[Any], Parameters]:
        """Return the statement that finds one record more than the page has, and its parameters.

        Raises:
            InvalidInput: *query* is not of this library: its filters are unknown here.
        """
        if type(query) not in QUERIES:
            raise InvalidInput("wrong_type", "query", "expected a query of course_assignments")
        parameters: Parameters = {"page": query.limit + 1}
        filters = tuple(_filters(query, parameters))
        key = (query.kind, filters)
        if key not in self._statements:
            self._statements[key] = self._built(query, filters)
        return self._statements[key], parameters

    def _built(self, query: Query[RecordT], filters: tuple[Filter, ...]) -> Select[Any]:
        table = self._tables.by_kind[query.kind]
        order = [table.c[name] for name in query.order]
        conditions = [build(table, self._dialect, *rest) for build, *rest in filters]
        return select(table).where(*conditions).order_by(*order).limit(bindparam("page"))


def _filters(query: Query[Any], parameters: Parameters) -> Iterator[Filter]:
    """Give the filters of *query* that are set, and put their values into *parameters*."""
    for name, values in query.where().items():
        if name in SPECIAL:
            # A set, because each statement is kept and callers may repeat values in any order.
            yield _special, name, (frozenset(values),)
            continue
        storable = [one for one in values if not isinstance(one, str) or is_storable(one)]
        if len(storable) == 1:
            parameters[f"equals_{name}"] = storable[0]
            yield _equals, name
        else:
            parameters[f"any_{name}"] = storable
            yield _any, name
    for name, (start, until) in query.ranges().items():
        if start is not None:
            parameters[f"from_{name}"] = start
            yield _at_least, name
        if until is not None:
            parameters[f"until_{name}"] = until
            yield _before, name
    for name, text in query.contains().items():
        parameters[f"part_{name}"] = text
        yield _contains, name
    if query.cursor is not None:
        _check_cursor(query.cursor)
        parameters |= {
            f"after_{name}": one for name, one in zip(query.order, query.cursor, strict=True)
        }
        yield _after, query.order
    for name, values in query.special().items():
        # Datetimes are parameters. All other values, of which there are few, select the statement.
        times = {at: one for at, one in enumerate(values) if isinstance(one, datetime)}
        parameters |= {f"{name}_{at}": one for at, one in times.items()}
        shape = tuple(datetime if at in times else one for at, one in enumerate(values))
        yield _special, name, shape


def _check_cursor(cursor: SortKey) -> None:
    """Raise InvalidInput if no column can hold *cursor*, so that it is not from a page."""
    for one in cursor:
        too_big = isinstance(one, int) and one.bit_length() > _BITS
        if too_big or (isinstance(one, str) and not is_storable(one)):
            hint = "expected the cursor of the next query of a page"
            raise InvalidInput("invalid_cursor", "cursor", hint)


def _given(prefix: str, column: Column[Any]) -> BindParameter[Any]:
    return bindparam(f"{prefix}_{column.name}", type_=column.type)


def _equals(table: Table, _: str, name: str) -> Condition:
    return table.c[name] == _given("equals", table.c[name])


def _any(table: Table, dialect: str, name: str) -> Condition:
    return any_of(table.c[name], f"any_{name}", dialect)


def _at_least(table: Table, _: str, name: str) -> Condition:
    return table.c[name] >= _given("from", table.c[name])


def _before(table: Table, _: str, name: str) -> Condition:
    return table.c[name] < _given("until", table.c[name])


def _contains(table: Table, dialect: str, name: str) -> Condition:
    # Not LIKE, which has wildcards, and whose patterns SQLite limits in length.
    search = func.instr if dialect == "sqlite" else func.strpos
    at: ColumnElement[int] = search(table.c[f"folded_{name}"], bindparam(f"part_{name}"))
    return at > 0


def _after(table: Table, _: str, names: tuple[str, ...]) -> Condition:
    columns = [table.c[name] for name in names]
    if len(columns) == 1:
        return columns[0] > _given("after", columns[0])
    return tuple_(*columns) > tuple_(*(_given("after", column) for column in columns))


def _special(table: Table, _: str, name: str, values: tuple[Any, ...]) -> Condition:
    given = (
        bindparam(f"{name}_{at}", type_=Instant()) if value is datetime else value
        for at, value in enumerate(values)
    )
    return SPECIAL[name](table, *given)


def _completion(table: Table, values: frozenset[CompletionStatus]) -> Condition:
    completion = case(
        (table.c.completed_at.is_not(None), CompletionStatus.COMPLETE.value),
        (table.c.started_at.is_not(None), CompletionStatus.INCOMPLETE.value),
        else_=CompletionStatus.NOT_STARTED.value,
    )
    return completion.in_([one.value for one in CompletionStatus if one in values])


def _status(table: Table, status: AssignmentStatus, at: BindParameter[datetime]) -> Condition:
    made, cancelled = table.c.created_at <= at, table.c.cancelled_at <= at
    ended = table.c.expires_at <= at
    not_cancelled = or_(table.c.cancelled_at.is_(None), table.c.cancelled_at > at)
    if status is AssignmentStatus.SCHEDULED:
        return not_(made)
    if status is AssignmentStatus.CANCELLED:
        return and_(made, cancelled)
    return and_(made, not_cancelled, ended if status is AssignmentStatus.EXPIRED else not_(ended))


def _origin(table: Table, origin: type) -> Condition:
    from_key, from_subscription = (
        table.c[name].is_not(None) for name in ("batch_id", "subscription_id")
    )
    if origin is Direct:
        return and_(not_(from_key), not_(from_subscription))
    return from_key if origin is FromKey else from_subscription


def _redeemable_from(table: Table, start: BindParameter[datetime]) -> Condition:
    return or_(table.c.redeemable_until.is_(None), table.c.redeemable_until > start)


def _redeemable_until(table: Table, until: BindParameter[datetime]) -> Condition:
    return or_(table.c.redeemable_from.is_(None), table.c.redeemable_from < until)


def _usable(table: Table, usable: bool) -> Condition:  # noqa: FBT001 - a filter's value
    is_usable = and_(table.c.revoked_at.is_(None), table.c.uses < table.c.max_uses)
    return is_usable if usable else not_(is_usable)


#: The SQL of the filters that read more than one column, by their names.
SPECIAL: Final[Mapping[str, Callable[..., Condition]]] = {
    "completion": _completion,
    "status": _status,
    "origin": _origin,
    "redeemable_from": _redeemable_from,
    "redeemable_until": _redeemable_until,
    "usable": _usable,
}
