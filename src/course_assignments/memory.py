"""The reference repository: all records in the memory of this process, safe under threads.

Records are frozen, so a result is a snapshot, and nobody can change a stored record from outside.
One lock makes each call atomic. Calls do not slow down as more is stored: frequent filters have an
index, and a listing is sorted once after it has grown.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import islice
from threading import Lock
from typing import Any, Final

import attrs

from course_assignments import validation
from course_assignments.changes import KINDS, Change, Event, R, Record, Replace, Use, masked_id
from course_assignments.entities.people import User
from course_assignments.errors import Conflict, InvalidInput
from course_assignments.queries import QUERIES, Query, RecordT, SortKey, Where, filters
from course_assignments.repository import Page

#: The fields of each kind that have an index.
_INDEXED: Final[Mapping[type, tuple[str, ...]]] = {
    query.kind: tuple(
        one.name
        for one in filters(query, "where").values()
        # Records are found by the last part of their sort key without an index.
        if one.indexed and one.name != query.order[-1]
    )
    for query in QUERIES
}

#: The fields of the sort key of each kind; a kind without a query is only read by id.
_ORDER: Final[Mapping[type, tuple[str, ...]]] = {query.kind: query.order for query in QUERIES}


class _Listing:
    """The sort keys of some records, sorted when they are read and not when they are added."""

    def __init__(self) -> None:
        self._keys: list[SortKey] = []
        self._sorted = True

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: SortKey) -> None:
        self._sorted = self._sorted and (not self._keys or self._keys[-1] < key)
        self._keys.append(key)

    def remove(self, key: SortKey) -> None:
        self._sort()
        del self._keys[bisect_left(self._keys, key)]

    def between(self, start: SortKey, until: SortKey | None = None) -> Iterator[SortKey]:
        """Give the sort keys after *start* that are before *until*."""
        self._sort()
        first = bisect_right(self._keys, start)
        end = len(self._keys) if until is None else bisect_left(self._keys, until)
        return (self._keys[position] for position in range(first, end))

    def _sort(self) -> None:
        if not self._sorted:
            self._keys.sort()
            self._sorted = True


class _Shelf:
    """All records of one kind, by the last part of their sort key, with their listings."""

    def __init__(self, kind: type) -> None:
        self.records: dict[Any, Any] = {}
        self._order = _ORDER.get(kind, ("id",))
        self._all = _Listing()
        self._by: dict[str, defaultdict[Any, _Listing]] = {
            name: defaultdict(_Listing) for name in _INDEXED.get(kind, ())
        }

    def put(self, record: Any) -> None:
        after = self._entries(record)
        name = after[0][1][-1]
        before = self._entries(self.records[name]) if name in self.records else []
        for listing, key in before:
            if (listing, key) not in after:
                listing.remove(key)
        if before:
            self._drop_empty(self.records[name], record)
        for listing, key in after:
            if (listing, key) not in before:
                listing.add(key)
        self.records[name] = record

    def _drop_empty(self, before: Any, after: Any) -> None:
        """Drop the index entries that only *before* had, such as an old address."""
        for name, index in self._by.items():
            value = getattr(before, name)
            if value not in {None, getattr(after, name)} and not index[value]:
                del index[value]

    def _entries(self, record: Any) -> list[tuple[_Listing, SortKey]]:
        """Return the listings that have *record*, and its sort key."""
        key = self._sort_key(record)
        values = ((index, getattr(record, name)) for name, index in self._by.items())
        # No filter looks for a field without a value.
        narrow = (index[value] for index, value in values if value is not None)
        return [(listing, key) for listing in (self._all, *narrow)]

    def _sort_key(self, record: Any) -> SortKey:
        return tuple(getattr(record, name) for name in self._order)

    def owner(self, name: str, value: str) -> str | None:
        """Return the id of the one record whose indexed field *name* is *value*."""
        listing = self._by[name].get(value)
        return None if not listing else str(next(listing.between(()))[-1])

    def narrowest(self, where: Where) -> list[_Listing]:
        """Return the shortest listings that together have all records that fit."""
        choices = [[self._all]]
        if self._order[-1] in where:
            choices.append([self._under(where[self._order[-1]])])
        for name in where.keys() & self._by.keys():
            index = self._by[name]
            choices.append([index[value] for value in dict.fromkeys(where[name]) if value in index])
        return min(choices, key=lambda choice: sum(map(len, choice)))

    def _under(self, names: Iterable[Any]) -> _Listing:
        """Return the listing of the records stored under *names*."""
        found = _Listing()
        for name in dict.fromkeys(names):
            if name in self.records:
                found.add(self._sort_key(self.records[name]))
        return found


class InMemoryRepository:
    """A `Repository` for tests, notebooks and applications without a database.

    Example:
        >>> from course_assignments.entities.catalog import Course
        >>> repository = InMemoryRepository()
        >>> repository.commit(Change(create=[Course(id="py", name="Python")]))
        >>> repository.get(Course, ["py", "c-9"])["py"].name
        'Python'
    """

    def __init__(self) -> None:
        """Start empty."""
        self._lock = Lock()
        self._shelves = {kind: _Shelf(kind) for kind in (*KINDS, Event)}

    def get(self, kind: type[R], ids: Iterable[str], /) -> dict[str, R]:
        """Return the records of *kind* by their ids, without the ids that are not stored.

        Raises:
            InvalidInput: *kind* is not a kind of record, or *ids* is not a list of strings.
        """
        shelf = self._shelf(kind)
        wanted = validation.check_list(ids, "ids", empty=True)
        if not all(one.__class__ is str for one in wanted):
            validation.check_each(wanted, "ids", str)
        with self._lock:
            return {one: shelf.records[one] for one in wanted if one in shelf.records}

    def find(self, query: Query[RecordT], /) -> Page[RecordT]:
        """Return the first page of the records that *query* finds, in its order.

        Raises:
            InvalidInput: *query* is not a query, or its cursor does not come from a page.
        """
        validation.check_kind(query, "query", Query)
        shelf = self._shelf(getattr(query, "kind", None), "query")
        with self._lock:
            try:
                span = _span(query)
                listings = [one.between(*span) for one in shelf.narrowest(query.where())]
                candidates = (shelf.records[key[-1]] for key in merge(*listings))
                found = tuple(islice(filter(query.matches, candidates), query.limit + 1))
            except TypeError as error:
                raise InvalidInput(
                    "invalid_cursor", "cursor", "expected the next query of a page"
                ) from error
        page = found[: query.limit]
        return Page(page, query.starting_after(page[-1]) if len(found) > query.limit else None)

    def commit(self, change: Change, /) -> None:
        """Store all of *change*, or nothing.

        Raises:
            Conflict: a stored record is not as the change requires.
            InvalidInput: *change* is not a `Change`.
        """
        validation.check_kind(change, "change", Change)
        with self._lock:
            for record in self._staged(change).values():
                self._shelves[type(record)].put(record)
            events = self._shelves[Event]
            for event in change.record:
                events.put(attrs.evolve(event, position=len(events.records) + 1))

    def _shelf(self, kind: object, field: str = "kind") -> _Shelf:
        if not isinstance(kind, type) or kind not in self._shelves:
            raise InvalidInput("wrong_type", field, "expected a kind of record")
        return self._shelves[kind]

    def _stored(self, record: Record) -> Any:
        return self._shelves[type(record)].records.get(record.id)

    def _staged(self, change: Change) -> dict[tuple[type, str], Record]:
        """Return the records as they are after *change*, or raise `Conflict`."""
        staged: dict[tuple[type, str], Record] = {}
        lost = [record for record in change.expect if self._stored(record) != record]
        for record in change.create:
            if (type(record), record.id) in staged or self._stored(record) is not None:
                lost.append(record)
            staged[type(record), record.id] = record
        steps: list[Replace | Use] = [*change.replace, *change.use]
        for step in steps:
            before = step.before if isinstance(step, Replace) else step.key
            name = (type(before), before.id)
            after = step.of(staged.get(name) or self._stored(before))
            if after is None:
                lost.append(before)
            else:
                staged[name] = after
        lost.extend(self._without_email(staged))
        if lost:
            raise Conflict(tuple(dict.fromkeys(masked_id(record) for record in lost)))
        return staged

    def _without_email(self, staged: Mapping[tuple[type, str], Record]) -> Iterator[Record]:
        """Give the users of *staged* whose e-mail address another user has, or will have."""
        users = [record for record in staged.values() if isinstance(record, User)]
        owners = {user.folded_email: user for user in reversed(users)}
        for user in users:
            stored = self._shelves[User].owner("folded_email", user.folded_email)
            stays = stored is not None and (User, stored) not in staged
            if stays or owners[user.folded_email] is not user:
                yield user


def _span(query: Query[Any]) -> tuple[SortKey, SortKey | None]:
    """Return the sort keys after which, and before which, *query* can find records."""
    first, end = query.ranges().get(query.order[0], (None, None))
    after = query.cursor or ()
    # A sort key of one part precedes all longer ones that begin with that part.
    return after if first is None else max(after, (first,)), None if end is None else (end,)
