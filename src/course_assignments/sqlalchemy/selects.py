"""Queries as SQL: one statement for each set of filters, whatever their values.

Filters of one column are translated by their kind; `SPECIAL` has the SQL of all others by name.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache, partial
from operator import eq, ge, gt, lt
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from course_assignments.entities.assignments import Direct, FromKey
from course_assignments.entities.enums import AssignmentStatus, CompletionStatus
from course_assignments.errors import invalid
from course_assignments.queries import Query, RecordT, SortKey, check_query
from course_assignments.sqlalchemy.column_types import Instant, any_of, is_storable
from course_assignments.sqlalchemy.tables import Tables

#: How a query filters, and by which columns. The values of the query are parameters.
Filter: TypeAlias = tuple[Any, ...]
Parameters: TypeAlias = dict[str, Any]
Condition: TypeAlias = sa.ColumnElement[bool]

#: How to compare columns with parameters. The names of both begin the names of the parameters.
_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], Condition]]] = {
    "equals": eq,
    "from": ge,
    "until": lt,
    "after": gt,
}

#: How many statements are kept; users combine filters in millions of ways, but in few often.
_KEPT: Final = 256

#: The most bits, besides the sign, that an integer has in both databases.
_BITS: Final = 63


class Selects:
    """The statements for queries, each built once while it is in use."""

    def __init__(self, tables: Tables, dialect: str) -> None:
        """Select from *tables* in a database of the kind *dialect*."""
        self._tables = tables
        self._dialect = dialect
        self._built: Callable[..., sa.Select[Any]] = lru_cache(_KEPT)(self._build)

    def statement(self, query: Query[RecordT]) -> tuple[sa.Select[Any], Parameters]:
        """Return the statement that finds one record more than the page has, and its parameters."""
        check_query(query)
        parameters: Parameters = {"page": query.limit + 1}
        filters = tuple(_filters(query, parameters))
        return self._built(query.kind, query.order, filters), parameters

    def _build(
        self, kind: type, order: tuple[str, ...], filters: tuple[Filter, ...]
    ) -> sa.Select[Any]:
        table = self._tables.by_kind[kind]
        columns = [table.c[name] for name in order]
        conditions = [_condition(table, self._dialect, *one) for one in filters]
        return sa.select(table).where(*conditions).order_by(*columns).limit(sa.bindparam("page"))


def _filters(query: Query[Any], parameters: Parameters) -> Iterator[Filter]:
    """Give the filters of *query* that are set, and put their values into *parameters*."""
    for name, values in query.where().items():
        if name in SPECIAL:
            # A set, because each statement is kept and callers may repeat values in any order.
            yield name, frozenset(values)
            continue
        storable = [one for one in values if not isinstance(one, str) or is_storable(one)]
        how, given = ("equals", storable[0]) if len(storable) == 1 else ("any", storable)
        parameters[f"{how}_{name}"] = given
        yield how, name
    for name, (start, until) in query.ranges().items():
        for how, bound in (("from", start), ("until", until)):
            if bound is not None:
                parameters[f"{how}_{name}"] = bound
                yield how, name
    for name, text in query.contains().items():
        parameters[f"part_{name}"] = text
        yield "part", name
    if query.cursor is not None:
        _check_cursor(query.cursor)
        after = zip(query.order, query.cursor, strict=True)
        parameters |= {f"after_{name}": one for name, one in after}
        yield "after", *query.order
    for name, values in query.special().items():
        # Datetimes are parameters. All other values, of which there are few, select the statement.
        times = {at: one for at, one in enumerate(values) if isinstance(one, datetime)}
        parameters |= {f"{name}_{at}": one for at, one in times.items()}
        yield name, *(datetime if at in times else one for at, one in enumerate(values))


def _check_cursor(cursor: SortKey) -> None:
    """Raise InvalidInput if no column can hold *cursor*, so that it is not from a page."""
    for one in cursor:
        too_big = isinstance(one, int) and one.bit_length() > _BITS
        if too_big or (isinstance(one, str) and not is_storable(one)):
            hint = "expected the cursor of the next query of a page"
            raise invalid("invalid_cursor", "cursor", hint, cursor)


def _condition(table: sa.Table, dialect: str, how: str, *names: Any) -> Condition:
    """Return the condition of one of `_filters`."""
    if how in SPECIAL:
        given = (
            sa.bindparam(f"{how}_{at}", type_=Instant()) if value is datetime else value
            for at, value in enumerate(names)
        )
        return SPECIAL[how](table, *given)
    if how == "part":
        # Not LIKE, which has wildcards, and whose patterns SQLite limits in length.
        search = sa.func.instr if dialect == "sqlite" else sa.func.strpos
        folded = table.c[f"folded_{names[0]}"]
        at: sa.ColumnElement[int] = search(folded, sa.bindparam(f"part_{names[0]}"))
        return at > 0
    columns: list[sa.Column[Any]] = [table.c[name] for name in names]
    if how == "any":
        return any_of(columns[0], f"any_{names[0]}", dialect)
    parameters: list[sa.BindParameter[Any]] = [
        sa.bindparam(f"{how}_{one.name}", type_=one.type) for one in columns
    ]
    compare = _COMPARISONS[how]
    if len(columns) == 1:
        return compare(columns[0], parameters[0])
    return compare(sa.tuple_(*columns), sa.tuple_(*parameters))


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


def _revoked(table: sa.Table, revoked: bool) -> Condition:  # noqa: FBT001 - a filter's value
    return table.c.revoked_at.is_not(None) if revoked else table.c.revoked_at.is_(None)


#: The SQL of the filters that read more than one column, by their names.
SPECIAL: Final[Mapping[str, Callable[..., Condition]]] = {
    "completion": _completion,
    "status": _status,
    "origin": _origin,
    "redeemable_from": partial(_is_null_or, "redeemable_until", gt),
    "redeemable_until": partial(_is_null_or, "redeemable_from", lt),
    "revoked": _revoked,
    "usable": _usable,
}
