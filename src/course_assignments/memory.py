"""The reference repository: everything in this process's memory, exact under threads.

Records are frozen, so what is read is a snapshot and what is stored cannot be changed from outside.
One lock makes each call whole. Nothing slows down as more is stored: what is looked up often has an
index of its own, and a listing is sorted once after it has grown.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import islice
from threading import Lock
from typing import Any, Final

import attrs

from course_assignments import queries, validation
from course_assignments.changes import KINDS, Change, Event, R, Record, Replace, Use, masked_id
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.attempts import Attempt
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Subscription
from course_assignments.errors import Conflict, InvalidInput
from course_assignments.queries import F, Place, Query
from course_assignments.repository import Page

#: The fields by which records are looked up so often that each has an index.
_INDEXED: Final[Mapping[type, tuple[str, ...]]] = {
    User: ("folded_email", "organization_id"),
    CourseAssignment: (
        *("learner_id", "course_id", "organization_id"),
        *("batch_id", "subscription_id"),
    ),
    Attempt: ("assignment_id",),
    Subscription: ("learner_id", "organization_id"),
    KeyBatch: ("course_id", "organization_id"),
    TrainingKey: ("batch_id",),
    Redemption: ("code", "learner_id"),
}

#: The fields that a kind is listed by; a kind that no query asks for is only ever read by id.
_ORDER: Final[Mapping[type, tuple[str, ...]]] = {
    query.kind: query.order for query in queries.QUERIES
}


class _Listing:
    """The places of some records, sorted when they are read and not when they are added."""

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._sorted = True

    def __len__(self) -> int:
        return len(self._places)

    def add(self, place: Place) -> None:
        self._sorted = self._sorted and (not self._places or self._places[-1] < place)
        self._places.append(place)

    def remove(self, place: Place) -> None:
        self._sort()
        del self._places[bisect_left(self._places, place)]

    def between(self, start: Place, until: Place | None = None) -> Iterator[Place]:
        """Give the places behind *start*, as long as they come before *until*."""
        self._sort()
        first = bisect_right(self._places, start)
        end = len(self._places) if until is None else bisect_left(self._places, until)
        return (self._places[position] for position in range(first, end))

    def _sort(self) -> None:
        if not self._sorted:
            self._places.sort()
            self._sorted = True


class _Shelf:
    """All records of one kind, by the last part of their place, with their listings."""

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
        for listing, place in before:
            if (listing, place) not in after:
                listing.remove(place)
        if before:
            self._forget(self.records[name], record)
        for listing, place in after:
            if (listing, place) not in before:
                listing.add(place)
        self.records[name] = record

    def _forget(self, before: Any, after: Any) -> None:
        """Drop what *before* was found by and nothing is any more, such as an old address."""
        for name, index in self._by.items():
            value = getattr(before, name)
            if value not in {None, getattr(after, name)} and not index[value]:
                del index[value]

    def _entries(self, record: Any) -> list[tuple[_Listing, Place]]:
        """Return the listings that *record* stands in, and where."""
        place = tuple(getattr(record, name) for name in self._order)
        values = ((index, getattr(record, name)) for name, index in self._by.items())
        # Nobody looks for what has no value.
        narrow = (index[value] for index, value in values if value is not None)
        return [(listing, place) for listing in (self._all, *narrow)]

    def holder(self, name: str, value: str) -> str | None:
        """Return the id of the one record whose indexed field *name* is *value*."""
        listing = self._by[name].get(value)
        return None if not listing else str(next(listing.between(()))[-1])

    def narrowest(self, where: queries.Where) -> list[_Listing]:
        """Return the listings, as short as can be, in which all records that fit stand."""
        choices = [[self._all]]
        if self._order[-1] in where:
            choices.append([self._under(where[self._order[-1]])])
        for name in where.keys() & self._by.keys():
            index = self._by[name]
            choices.append([index[value] for value in dict.fromkeys(where[name]) if value in index])
        return min(choices, key=lambda choice: sum(map(len, choice)))

    def _under(self, names: Iterable[Any]) -> _Listing:
        """Return the listing of what is stored under *names*."""
        found = _Listing()
        for name in dict.fromkeys(names):
            if name in self.records:
                found.add(tuple(getattr(self.records[name], one) for one in self._order))
        return found


class InMemoryRepository:
    """A `Repository` for tests, notebooks and applications that keep nothing.

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
        """Return the records of *kind* under *ids*, leaving out the ids nothing is stored under.

        Raises:
            InvalidInput: *kind* is no kind of record, or *ids* is no list of texts.
        """
        shelf = self._shelf(kind)
        wanted = validation.check_list(ids, "ids", empty=True)
        for position, one in enumerate(wanted):
            validation.check_kind(one, f"ids[{position}]", str)
        with self._lock:
            return {one: shelf.records[one] for one in wanted if one in shelf.records}

    def find(self, query: Query[F], /) -> Page[F]:
        """Return the first page of what *query* asks for, in the order it states.

        Raises:
            InvalidInput: it is no query, or its cursor is none of ours.
        """
        validation.check_kind(query, "query", Query)
        shelf = self._shelf(getattr(query, "kind", None), "query")
        with self._lock:
            try:
                span = _span(query)
                listings = [one.between(*span) for one in shelf.narrowest(query.where())]
                candidates = (shelf.records[place[-1]] for place in merge(*listings))
                found = tuple(islice(filter(query.matches, candidates), query.limit + 1))
            except TypeError as error:
                raise InvalidInput(
                    "invalid_cursor", "cursor", "expected the next query of a page"
                ) from error
        page = found[: query.limit]
        return Page(page, query.behind(page[-1]) if len(found) > query.limit else None)

    def commit(self, change: Change, /) -> None:
        """Store all of *change*, or nothing.

        Raises:
            Conflict: something is not, or no longer, as the change needs it.
            InvalidInput: it is no `Change`.
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
        """Return the records as *change* leaves them, or raise `Conflict`."""
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
        """Give the users of *staged* whose e-mail address another user has, or would have."""
        users = [record for record in staged.values() if isinstance(record, User)]
        owners = {user.folded_email: user for user in reversed(users)}
        for user in users:
            stored = self._shelves[User].holder("folded_email", user.folded_email)
            stays = stored is not None and (User, stored) not in staged
            if stays or owners[user.folded_email] is not user:
                yield user


def _span(query: Query[Any]) -> tuple[Place, Place | None]:
    """Return the places behind which, and before which, all stands that *query* can find."""
    first, end = query.ranges().get(query.order[0], (None, None))
    behind = () if query.start is None else query.start
    # A place with nothing behind its first part comes before all that begin with that part.
    return behind if first is None else max(behind, (first,)), None if end is None else (end,)
