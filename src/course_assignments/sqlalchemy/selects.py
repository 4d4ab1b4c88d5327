"""Queries as SQL: one statement for each set of filters, whatever their values.

What a query gives by ``where``, ``ranges`` and ``contains`` is translated column by column. A
filter that reads more than one column has its SQL in `SPECIAL`, under its name in the query.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from operator import eq, ge, gt, lt
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from course_assignments.entities.assignments import Direct, FromKey
from course_assignments.entities.enums import AssignmentStatus, CompletionStatus
from course_assignments.errors import InvalidInput
from course_assignments.queries import QUERIES, Query, RecordT, SortKey
from course_assignments.sqlalchemy.column_types import Instant, any_of, is_storable
from course_assignments.sqlalchemy.tables import Tables

#: What builds a condition, and its arguments. The values of the query are parameters.
Filter: TypeAlias = tuple[Any, ...]
Parameters: TypeAlias = dict[str, Any]
Condition: TypeAlias = sa.ColumnElement[bool]

#: The most bits, besides the sign, that an integer has in both databases.
_BITS: Final = 63


class Selects:
    """The statements for queries, each built once."""

    def __init__(self, tables: Tables, dialect: str) -> None:
        """Select from *tables* in a database of the kind *dialect*."""
        self._tables = tables
        self._dialect = dialect
        self._statements: dict[tuple[type, tuple[Filter, ...]], sa.Select[Any]] = {}

    def statement(self, query: Query[RecordT]) -> tuple[sa.Select[Any], Parameters]:
        """Return the statement that finds one record more than the page has, and its parameters."""
        if type(query) not in QUERIES:  # its filters are unknown here
            raise InvalidInput("wrong_type", "query", "expected a query of course_assignments")
        parameters: Parameters = {"page": query.limit + 1}
        filters = tuple(_filters(query, parameters))
        key = (query.kind, filters)
        if key not in self._statements:
            self._statements[key] = self._built(query, filters)
        return self._statements[key], parameters

    def _built(self, query: Query[RecordT], filters: tuple[Filter, ...]) -> sa.Select[Any]:
        table = self._tables.by_kind[query.kind]
        order = [table.c[name] for name in query.order]
        conditions = [build(table, self._dialect, *rest) for build, *rest in filters]
        return sa.select(table).where(*conditions).order_by(*order).limit(sa.bindparam("page"))


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
            yield _compared, eq, "equals", name
        else:
            parameters[f"any_{name}"] = storable
            yield _any, name
    for name, (start, until) in query.ranges().items():
        for compare, prefix, bound in ((ge, "from", start), (lt, "until", until)):
            if bound is not None:
                parameters[f"{prefix}_{name}"] = bound
                yield _compared, compare, prefix, name
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


def _given(prefix: str, column: sa.Column[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(f"{prefix}_{column.name}", type_=column.type)


def _compared(table: sa.Table, _: str, compare: Any, prefix: str, name: str) -> Condition:
    condition: Condition = compare(table.c[name], _given(prefix, table.c[name]))
    return condition


def _any(table: sa.Table, dialect: str, name: str) -> Condition:
    return any_of(table.c[name], f"any_{name}", dialect)


def _contains(table: sa.Table, dialect: str, name: str) -> Condition:
    # Not LIKE, which has wildcards, and whose patterns SQLite limits in length.
    search = sa.func.instr if dialect == "sqlite" else sa.func.strpos
    at: sa.ColumnElement[int] = search(table.c[f"folded_{name}"], sa.bindparam(f"part_{name}"))
    return at > 0


def _after(table: sa.Table, _: str, names: tuple[str, ...]) -> Condition:
    columns = [table.c[name] for name in names]
    if len(columns) == 1:
        return columns[0] > _given("after", columns[0])
    return sa.tuple_(*columns) > sa.tuple_(*(_given("after", column) for column in columns))


def _special(table: sa.Table, _: str, name: str, values: tuple[Any, ...]) -> Condition:
    given = (
        sa.bindparam(f"{name}_{at}", type_=Instant()) if value is datetime else value
        for at, value in enumerate(values)
    )
    return SPECIAL[name](table, *given)


def _completion(table: sa.Table, values: frozenset[CompletionStatus]) -> Condition:
    completion = sa.case(
        (table.c.completed_at.is_not(None), CompletionStatus.COMPLETE.value),
        (table.c.started_at.is_not(None), CompletionStatus.INCOMPLETE.value),
        else_=CompletionStatus.NOT_STARTED.value,
    )
    return completion.in_([one.value for one in CompletionStatus if one in values])


def _status(table: sa.Table, status: AssignmentStatus, at: sa.BindParameter[datetime]) -> Condition:
    begun, ended = table.c.created_at <= at, table.c.expires_at <= at
    if status is AssignmentStatus.SCHEDULED:
        return sa.not_(begun)
    if status is AssignmentStatus.CANCELLED:
        return sa.and_(begun, table.c.cancelled_at <= at)
    is_over = ended if status is AssignmentStatus.EXPIRED else sa.not_(ended)
    return sa.and_(begun, _is_null_or("cancelled_at", gt, table, at), is_over)


def _is_null_or(name: str, compare: Any, table: sa.Table, at: sa.BindParameter[Any]) -> Condition:
    return sa.or_(table.c[name].is_(None), compare(table.c[name], at))


def _origin(table: sa.Table, origin: type) -> Condition:
    from_key, from_subscription = (
        table.c.batch_id.is_not(None),
        table.c.subscription_id.is_not(None),
    )
    if origin is Direct:
        return sa.and_(sa.not_(from_key), sa.not_(from_subscription))
    return from_key if origin is FromKey else from_subscription


def _usable(table: sa.Table, usable: bool) -> Condition:  # noqa: FBT001 - a filter's value
    is_usable = sa.and_(table.c.revoked_at.is_(None), table.c.uses < table.c.max_uses)
    return is_usable if usable else sa.not_(is_usable)


#: The SQL of the filters that read more than one column, by their names.
SPECIAL: Final[Mapping[str, Callable[..., Condition]]] = {
    "completion": _completion,
    "status": _status,
    "origin": _origin,
    "redeemable_from": partial(_is_null_or, "redeemable_until", gt),
    "redeemable_until": partial(_is_null_or, "redeemable_from", lt),
    "usable": _usable,
}
