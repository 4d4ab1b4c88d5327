"""The reference repository: all records in the memory of this process, safe under threads.

One lock makes each call atomic. Calls do not slow down as more is stored: frequent filters have an
index, and a listing is sorted once after it has grown.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from heapq import merge
from operator import attrgetter
from threading import Lock
from typing import Any, Final

from course_assignments import validation
from course_assignments.changes import (
    KINDS,
    UNIQUE,
    Amend,
    Change,
    Event,
    R,
    Record,
    Replace,
    Use,
)
from course_assignments.entities.keys import TrainingKey
from course_assignments.errors import Conflict, invalid, is_a
from course_assignments.frozen import copy_with
from course_assignments.queries import (
    QUERIES,
    Query,
    RecordT,
    SortKey,
    Where,
    check_query,
    filters,
)
from course_assignments.repository import Page
from course_assignments.validation import Strings

#: The fields of each kind that have an index.
_INDEXED: Final[Mapping[type, tuple[str, ...]]] = {
    query.kind: tuple(
        {
            one.name: None
            for _, one in filters(query)
            # Records are found by the last part of their sort key without an index.
            if one.indexed and one.name != query.order[-1]
        }
    )
    for query in QUERIES
}

#: The fields of the sort key of each kind; a kind without a query is only read by id.
_ORDER: Final[Mapping[type, tuple[str, ...]]] = {query.kind: query.order for query in QUERIES}

_EMPTY: Final[Page[Any]] = Page(())
_STRINGS: Final = frozenset({str})


class _Listing(list[SortKey]):
    """The sort keys of some records, sorted when they are read and not when they are appended."""

    #: How many of the first keys are in order; unset until they are sorted.
    __slots__ = ("_sorted",)

    def drop(self, key: SortKey) -> None:
        self._sort()
        del self[bisect_left(self, key)]
        self._sorted -= 1

    def between(self, start: SortKey, until: SortKey | None = None) -> Iterator[SortKey]:
        """Give the sort keys after *start* that are before *until*."""
        self._sort()
        if not start and until is None:
            return iter(self)
        first = bisect_right(self, start)
        end = len(self) if until is None else bisect_left(self, until)
        return map(self.__getitem__, range(first, end))

    def _sort(self) -> None:
        first = getattr(self, "_sorted", 0)
        if first < len(self):
            latest = self[max(first - 1, 0) :]
            if latest != sorted(latest):
                self.sort()
            self._sorted = len(self)


def _sort_key(order: tuple[str, ...]) -> Callable[[Any], SortKey]:
    """Return the function that returns the sort key of a record, its fields *order*."""
    key = attrgetter(*order)
    return key if len(order) > 1 else lambda record: (key(record),)


class _Shelf:
    """All records of one kind, by the last part of their sort key, with their listings."""

    def __init__(self, kind: type) -> None:
        self.records: dict[Any, Any] = {}
        self._order = _ORDER.get(kind, ("id",))
        self._sort_key = _sort_key(self._order)
        self._all = _Listing()
        self._by: dict[str, defaultdict[Any, _Listing]] = {
            name: defaultdict(_Listing) for name in _INDEXED.get(kind, ())
        }

    def put(self, record: Any) -> None:
        """Store *record*, and list it in place of the one stored before."""
        new = self._sort_key(record)
        before = self.records.get(new[-1])
        self.records[new[-1]] = record
        old = () if before is None else self._sort_key(before)
        if old != new:
            if old:
                self._all.drop(old)
            self._all.append(new)
        for name, index in self._by.items():
            value = getattr(record, name)
            if old:
                was = getattr(before, name)
                if was == value and old == new:
                    continue
                if was is not None:
                    index[was].drop(old)
                    if not index[was]:
                        del index[was]
            if value is not None:  # no filter looks for a field without a value
                index[value].append(new)

    def read(self, key: SortKey) -> Any:
        """Return the record with the sort key *key*."""
        return self.records[key[-1]]

    def owner(self, name: str, value: str) -> str | None:
        """Return the id of the one record whose indexed field *name* is *value*."""
        listing = self._by[name].get(value)
        return None if not listing else str(next(listing.between(()))[-1])

    def listed(self, name: str, value: str) -> Iterator[Any]:
        """Give the records whose indexed field *name* is *value*."""
        listing = self._by[name].get(value)
        return iter(()) if listing is None else map(self.read, listing.between(()))

    def narrowest(self, where: Where) -> list[_Listing]:
        """Return the shortest listings that together have all records that fit."""
        best, fewest = [self._all], len(self._all)
        for name, values in where.items():
            if name not in self._by:
                continue
            found = [*filter(None, map(self._by[name].get, dict.fromkeys(values)))]
            count = sum(map(len, found))
            if count <= fewest:
                best, fewest = found, count
        return best


class _Journal(_Shelf):
    """All events. An event is copied with its position when it is first read."""

    def append(self, event: Event) -> None:
        position = len(self.records) + 1
        self.records[position] = event
        self._all.append((position,))

    def read(self, key: SortKey) -> Any:
        (position,) = key
        event: Event = self.records[position]
        if event.position != position:
            event = self.records[position] = copy_with(event, position=position)
        return event


class InMemoryRepository:
    """A `Repository` for tests, notebooks and applications without a database.

    >>> repository = InMemoryRepository()
    >>> repository.commit(Change(create=[Course(id="py", name="Python")]))
    >>> repository.get(Course, ["py", "c-9"])["py"].name
    'Python'
    """

    def __init__(self) -> None:
        """Start empty."""
        self._lock = Lock()
        self._journal = _Journal(Event)
        self._shelves = {**{kind: _Shelf(kind) for kind in KINDS}, Event: self._journal}
        self._records = {kind: self._shelves[kind].records for kind in KINDS}

    def get(self, kind: type[R], ids: Strings, /) -> dict[str, R]:
        """Return the records of *kind* by their ids, without the ids that are not stored."""
        records = self._records.get(kind) if is_a(kind, type) else None
        if records is None:
            raise invalid("wrong_type", "kind", "expected a class of record, such as User", kind)
        wanted = validation.check_list(ids, "ids", empty=True)
        if not _STRINGS.issuperset(map(type, wanted)):
            wanted = validation.check_each(wanted, "ids", str)
        found: dict[str, R] = {}
        with self._lock:
            for one in wanted:
                if one in records:
                    found[one] = records[one]
        return found

    def find(self, query: Query[RecordT], /) -> Page[RecordT]:
        """Return the first page of the records that *query* finds, in its order."""
        check_query(query)
        shelf = self._shelves[query.kind]
        found: list[RecordT] = []
        with self._lock:
            listings = shelf.narrowest(query.where())
            if not listings:
                return _EMPTY
            span = _span(query)
            spans = [one.between(*span) for one in listings]
            for key in spans[0] if len(spans) == 1 else merge(*spans):
                record = shelf.read(key)
                if query.matches(record):
                    found.append(record)
                    if len(found) > query.limit:
                        break
        page = tuple(found[: query.limit])
        return Page(page, query.starting_after(page[-1]) if len(found) > query.limit else None)

    def commit(self, change: Change, /) -> None:
        """Store all of *change*, or nothing."""
        validation.check_kind(change, "change", Change)
        with self._lock:
            for record in self._staged(change).values():
                self._shelves[type(record)].put(record)
            for event in change.record:
                self._journal.append(event)

    def _staged(self, change: Change) -> dict[tuple[type, str], Record]:
        """Return the records as they are after *change*, or raise `Conflict`."""
        staged: dict[tuple[type, str], Record] = {}
        lost: list[Record] = []
        records = self._records
        for record in change.expect:
            stored = records[type(record)].get(record.id)
            if stored is not record and stored != record:  # most are still the same object
                lost.append(record)
        for record in change.create:
            name = (type(record), record.id)
            if name in staged or record.id in records[type(record)]:
                lost.append(record)
            staged[name] = record
        for before, step in self._steps(change, staged):
            name = (type(before), before.id)
            after = step.of(staged.get(name) or records[type(before)].get(before.id))
            if after is None:
                lost.append(before)
            else:
                staged[name] = after
        lost.extend(self._clashing(staged))
        if lost:
            raise Conflict(tuple(dict.fromkeys(record.id for record in lost)))
        return staged

    def _steps(
        self, change: Change, staged: Mapping[tuple[type, str], Record]
    ) -> Iterator[tuple[Record, Replace | Amend | Use]]:
        """Give each step with the record that it changes, in the order in which they apply."""
        for replace in change.replace:
            yield replace.before, replace
        for amend in change.amend:
            stored = self._shelves[TrainingKey].listed("batch_id", amend.batch_id)
            keys: dict[tuple[type, str], Record] = {(TrainingKey, key.id): key for key in stored}
            for key in (keys | {**staged}).values():
                if isinstance(key, TrainingKey) and key.batch_id == amend.batch_id:
                    yield key, amend
        for use in change.use:
            yield use.key, use

    def _clashing(self, staged: Mapping[tuple[type, str], Record]) -> Iterator[Record]:
        """Give the records of *staged* whose unique field another one shares, or will share."""
        owners: dict[tuple[str, str], str] = {}
        for (kind, _), record in staged.items():
            name = UNIQUE.get(kind)
            if name is None:
                continue
            shelf, value = self._shelves[kind], getattr(record, name)
            before = shelf.records.get(record.id)
            if before is not None and getattr(before, name) == value:
                continue  # it keeps its own; whoever else wants it is the one that clashes
            stored = shelf.owner(name, value)
            holder = None if stored is None else staged.get((kind, stored))
            gives_it_up = holder is not None and getattr(holder, name) != value
            if stored is None or gives_it_up:
                stored = owners.setdefault((name, value), record.id)
            if stored != record.id:
                yield record


def _span(query: Query[Any]) -> tuple[SortKey, SortKey | None]:
    """Return the sort keys after which, and before which, *query* can find records."""
    first, end = query.ranges().get(query.order[0], (None, None))
    after = query.cursor or ()
    # A sort key of one part precedes all longer ones that begin with that part.
    return after if first is None else max(after, (first,)), None if end is None else (end,)
