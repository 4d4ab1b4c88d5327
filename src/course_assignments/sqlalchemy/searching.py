"""Queries as SQL. A statement is built once for each shape of query: which filters are set.

What a query says by ``where``, ``ranges`` and ``parts`` is translated word for word; the few
filters that only its ``matches`` knows have their sentences here.
"""

from collections.abc import Callable, Iterator, Mapping
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
from sqlalchemy.dialects.postgresql import ARRAY

from course_assignments import queries
from course_assignments.entities.assignments import Direct, FromKey
from course_assignments.entities.enums import AssignmentStatus, CompletionStatus
from course_assignments.errors import InvalidInput
from course_assignments.queries import F, Place, Query
from course_assignments.sqlalchemy.column_types import Instant, TextList, is_storable
from course_assignments.sqlalchemy.tables import Tables

#: One thing that a query narrows by, without the values, which are parameters.
Facet: TypeAlias = tuple[Any, ...]
Parameters: TypeAlias = dict[str, Any]
Condition: TypeAlias = ColumnElement[bool]

#: How many bits, beside its sign, a whole number has in both databases at most.
_BITS: Final = 63


class Searching:
    """Gives for each query the statement and its parameters."""

    def __init__(self, tables: Tables, dialect: str) -> None:
        """Search *tables* in a database of the kind that *dialect* names."""
        self._tables = tables
        self._dialect = dialect
        self._statements: dict[tuple[Facet, ...], Select[Any]] = {}

    def statement(self, query: Query[F]) -> tuple[Select[Any], Parameters]:
        """Return what finds one record more than the page of *query* has.

        Raises:
            InvalidInput: it is no query of this library: what another one means is unknown here.
        """
        if type(query) not in queries.QUERIES:
            raise InvalidInput("wrong_type", "query", "expected a query of course_assignments")
        parameters: Parameters = {"page": query.limit + 1}
        facets = (("kind", query.kind), *_facets(query, parameters))
        if facets not in self._statements:
            self._statements[facets] = self._built(query, facets[1:])
        return self._statements[facets], parameters

    def _built(self, query: Query[F], facets: tuple[Facet, ...]) -> Select[Any]:
        table = self._tables.by_kind[query.kind]
        order = [table.c[name] for name in query.order]
        conditions = [_CONDITIONS[facet[0]](table, self._dialect, *facet[1:]) for facet in facets]
        return select(table).where(*conditions).order_by(*order).limit(bindparam("page"))


def _facets(query: Query[Any], parameters: Parameters) -> Iterator[Facet]:
    """Give what *query* narrows by, and put the values into *parameters*."""
    for name, values in query.where().items():
        if name == "completion":
            # Each once and in one order: the statement is kept, and anyone may give any list.
            yield "completion", tuple(one for one in CompletionStatus if one in values)
            continue
        fitting = [one for one in values if not isinstance(one, str) or is_storable(one)]
        facet = "is" if len(fitting) == 1 else "any"
        parameters[f"{facet}_{name}"] = fitting[0] if facet == "is" else fitting
        yield facet, name
    for name, (first, end) in query.ranges().items():
        if first is not None:
            parameters[f"from_{name}"] = first
            yield "from", name
        if end is not None:
            parameters[f"until_{name}"] = end
            yield "until", name
    for name, part in query.parts().items():
        parameters[f"part_{name}"] = part
        yield "part", name
    if query.start is not None:
        _check_place(query.start)
        parameters |= {
            f"behind_{name}": at for name, at in zip(query.order, query.start, strict=True)
        }
        yield "behind", query.order
    yield from _own_facets(query, parameters)


def _check_place(place: Place) -> None:
    """Refuse what no column can hold, and so no page has ended with."""
    for one in place:
        too_big = isinstance(one, int) and one.bit_length() > _BITS
        if too_big or (isinstance(one, str) and not is_storable(one)):
            hint = "expected the cursor of the next query of a page"
            raise InvalidInput("invalid_cursor", "cursor", hint)


def _own_facets(query: Query[Any], parameters: Parameters) -> Iterator[Facet]:
    """Give what only one kind of query knows."""
    if isinstance(query, queries.AssignmentQuery):
        if query.status is not None:
            parameters["at"] = query.at
            yield "status", query.status
        if query.origin is not None:
            yield "origin", query.origin
    elif isinstance(query, queries.BatchQuery):
        if query.redeemable_from is not None:
            parameters["open_from"] = query.redeemable_from
            yield ("open_from",)
        if query.redeemable_until is not None:
            parameters["open_until"] = query.redeemable_until
            yield ("open_until",)
    elif isinstance(query, queries.KeyQuery) and query.usable is not None:
        yield "usable", query.usable


def any_of(column: Column[Any], name: str, dialect: str) -> Condition:
    """Return that *column* is one of the texts in the parameter *name*, however many they are."""
    texts = bindparam(name, type_=TextList())
    if dialect == "sqlite":
        return column.in_(select(func.json_each(texts).table_valued("value").c.value))
    return column == func.any(texts, type_=ARRAY(column.type))


def _given(prefix: str, column: Column[Any]) -> BindParameter[Any]:
    return bindparam(f"{prefix}_{column.name}", type_=column.type)


def _is(table: Table, _: str, name: str) -> Condition:
    return table.c[name] == _given("is", table.c[name])


def _any(table: Table, dialect: str, name: str) -> Condition:
    return any_of(table.c[name], f"any_{name}", dialect)


def _from(table: Table, _: str, name: str) -> Condition:
    return table.c[name] >= _given("from", table.c[name])


def _until(table: Table, _: str, name: str) -> Condition:
    return table.c[name] < _given("until", table.c[name])


def _part(table: Table, dialect: str, name: str) -> Condition:
    # Not LIKE, in which some letters stand for others and whose patterns SQLite keeps short.
    search = func.instr if dialect == "sqlite" else func.strpos
    at: ColumnElement[int] = search(table.c[f"folded_{name}"], bindparam(f"part_{name}"))
    return at > 0


def _behind(table: Table, _: str, names: tuple[str, ...]) -> Condition:
    columns = [table.c[name] for name in names]
    if len(columns) == 1:
        return columns[0] > _given("behind", columns[0])
    return tuple_(*columns) > tuple_(*(_given("behind", column) for column in columns))


def _completion(table: Table, _: str, values: tuple[CompletionStatus, ...]) -> Condition:
    completion = case(
        (table.c.completed_at.is_not(None), CompletionStatus.COMPLETE.value),
        (table.c.started_at.is_not(None), CompletionStatus.INCOMPLETE.value),
        else_=CompletionStatus.NOT_STARTED.value,
    )
    return completion.in_([one.value for one in values])


def _status(table: Table, _: str, status: AssignmentStatus) -> Condition:
    at = bindparam("at", type_=Instant())
    made, cancelled = table.c.created_at <= at, table.c.cancelled_at <= at
    ended = table.c.expires_at <= at
    not_cancelled = or_(table.c.cancelled_at.is_(None), table.c.cancelled_at > at)
    if status is AssignmentStatus.SCHEDULED:
        return not_(made)
    if status is AssignmentStatus.CANCELLED:
        return and_(made, cancelled)
    return and_(made, not_cancelled, ended if status is AssignmentStatus.EXPIRED else not_(ended))


def _origin(table: Table, _: str, origin: type) -> Condition:
    from_key, from_subscription = (
        table.c[name].is_not(None) for name in ("batch_id", "subscription_id")
    )
    if origin is Direct:
        return and_(not_(from_key), not_(from_subscription))
    return from_key if origin is FromKey else from_subscription


def _open_from(table: Table, _: str) -> Condition:
    until = table.c.redeemable_until
    return or_(until.is_(None), until > bindparam("open_from", type_=Instant()))


def _open_until(table: Table, _: str) -> Condition:
    start = table.c.redeemable_from
    return or_(start.is_(None), start < bindparam("open_until", type_=Instant()))


def _usable(table: Table, _: str, usable: bool) -> Condition:  # noqa: FBT001 - a filter's value
    is_usable = and_(table.c.revoked_at.is_(None), table.c.uses < table.c.max_uses)
    return is_usable if usable else not_(is_usable)


_CONDITIONS: Final[Mapping[str, Callable[..., Condition]]] = {
    "is": _is,
    "any": _any,
    "from": _from,
    "until": _until,
    "part": _part,
    "behind": _behind,
    "completion": _completion,
    "status": _status,
    "origin": _origin,
    "open_from": _open_from,
    "open_until": _open_until,
    "usable": _usable,
}
