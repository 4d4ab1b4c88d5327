"""Repositories that each have one plausible fault, for the test kit to find."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from functools import partial
from itertools import count
from threading import Event as Flag
from threading import Lock, current_thread, main_thread
from typing import Any, TypeAlias, TypeVar, cast

import attrs

import course_assignments as ca
from course_assignments.changes import R
from course_assignments.queries import RecordT
from course_assignments.testing.contract.threads import THREADS
from course_assignments.validation import Strings
from tests.support import races
from tests.support.races import TIMEOUT, Careless, Gate

Make: TypeAlias = Callable[[], ca.Repository]
F = TypeVar("F", bound=Callable[..., Any])


class DriverError(Exception):
    """An error that a database driver raises."""


def makes(kind: Callable[[F], ca.Repository]) -> Callable[[F], Make]:
    """Return a decorator that makes a function a factory of repositories of *kind*."""
    return lambda function: partial(kind, function)


class Rewriting(ca.InMemoryRepository):
    """Changes every value of a class before it is stored."""

    def __init__(self, kind: type, rewrite: Callable[[Any], Any]) -> None:
        super().__init__()
        self._kind, self._rewrite = kind, rewrite

    def commit(self, change: ca.Change, /) -> None:
        super().commit(self._rewritten(change))

    def _rewritten(self, value: Any) -> Any:
        """Rewrite everything in *value*, from the inside out."""
        if attrs.has(type(value)):
            named = {one.alias: getattr(value, one.name) for one in attrs.fields(type(value))}
            value = type(value)(**{name: self._rewritten(one) for name, one in named.items()})
        elif isinstance(value, tuple | frozenset):
            value = type(value)(map(self._rewritten, value))
        return self._rewrite(value) if type(value) is self._kind else value


def to_the_second(value: Any) -> Any:
    return value.replace(microsecond=0) if isinstance(value, datetime) else value


def cut_window(batch: ca.KeyBatch) -> ca.KeyBatch:
    return attrs.evolve(batch, redeemable_until=to_the_second(batch.redeemable_until))


def sort_strings(values: Any) -> Any:
    return tuple(sorted(values)) if all(isinstance(one, str) for one in values) else values


cuts_windows_to_the_second = partial(Rewriting, ca.KeyBatch, cut_window)
stores_months_as_days = partial(Rewriting, ca.Months, lambda one: timedelta(days=30 * one.count))
trims_strings = partial(Rewriting, str, str.strip)
truncates_strings = partial(Rewriting, str, lambda one: one[:255])
replaces_line_breaks = partial(Rewriting, str, lambda one: one.replace("\r\n", "\n"))
composes_characters = partial(Rewriting, str, lambda one: one.replace("e\u0301", "\u00e9"))
sorts_lists = partial(Rewriting, tuple, sort_strings)


class ReturnsAnotherZone(ca.InMemoryRepository):
    """Returns datetimes in a zone that equals UTC but is another object."""

    ZULU = timezone(timedelta(0), "Z")

    def get(self, kind: type[R], ids: Strings, /) -> dict[str, R]:
        found = {id_: copy(record) for id_, record in super().get(kind, ids).items()}
        for record in found.values():
            for one in attrs.fields(type(record)):
                value = getattr(record, one.name)
                if isinstance(value, datetime):
                    object.__setattr__(record, one.name, value.replace(tzinfo=self.ZULU))
        return found


class Paging(ca.InMemoryRepository):
    """Changes every page that it finds."""

    def __init__(self, answer: Callable[[ca.Query[Any], ca.Page[Any]], ca.Page[Any]]) -> None:
        super().__init__()
        self._answer = answer

    def find(self, query: ca.Query[RecordT], /) -> ca.Page[RecordT]:
        return self._answer(query, super().find(query))


never_has_a_next_page = partial(Paging, lambda _, page: ca.Page(page.records))
reverses_pages = partial(Paging, lambda _, page: ca.Page(page.records[::-1], page.next))


@makes(Paging)
def always_has_a_next_page(query: ca.Query[Any], page: ca.Page[Any]) -> ca.Page[Any]:
    return ca.Page(page.records, query.starting_after(page.records[-1]) if page.records else None)


@makes(Paging)
def repeats_the_last_record(query: ca.Query[Any], page: ca.Page[Any]) -> ca.Page[Any]:
    if page.next is None or len(page) == 1:
        return page
    return ca.Page(page.records, query.starting_after(page.records[-2]))


class Searching(ca.InMemoryRepository):
    """Searches all records with its own filter and its own order."""

    def __init__(
        self,
        fits: Callable[[ca.Query[Any], Any], bool] = lambda query, one: query.matches(one),
        key: Callable[[ca.Query[Any], Any], Any] = lambda query, one: query.sort_key(one),
    ) -> None:
        super().__init__()
        self._fits, self._key = fits, key

    def find(self, query: ca.Query[RecordT], /) -> ca.Page[RecordT]:
        all_: list[Any] = list(self._shelves[query.kind].records.values())
        after = query.cursor or ()
        found = sorted(
            (one for one in all_ if self._fits(query, one) and query.sort_key(one) > after),
            key=partial(self._key, query),
        )
        page = found[: query.limit]
        more = len(found) > query.limit
        return ca.Page(page, query.starting_after(page[-1]) if more else None)


def without(query: ca.Query[Any], *filters: str) -> ca.Query[Any]:
    """Return *query* with *filters* not set."""
    unset: dict[str, Any] = dict.fromkeys(filters)
    return attrs.evolve(query, **unset)


@makes(Searching)
def reads_strings_as_patterns(query: ca.Query[Any], one: Any) -> bool:
    """Do what LIKE does without an escape character."""
    return without(query, *query.contains()).matches(one) and all(
        fnmatchcase(getattr(one, name).casefold(), f"*{part.replace('%', '*').replace('_', '?')}*")
        for name, part in query.contains().items()
    )


@makes(Searching)
def folds_ascii_only(query: ca.Query[Any], one: Any) -> bool:
    """Do what SQLite does."""
    return without(query, *query.contains()).matches(one) and all(
        part in getattr(one, name).lower() for name, part in query.contains().items()
    )


def ignoring(kind: type[ca.Query[Any]], *filters: str) -> Make:
    """Return a factory of repositories that ignore *filters* of *kind*."""

    @makes(Searching)
    def fits(query: ca.Query[Any], one: Any) -> bool:
        return (without(query, *filters) if isinstance(query, kind) else query).matches(one)

    return fits


def including_end(kind: type[ca.Query[Any]], until: str) -> Make:
    """Return a factory of repositories that include the end of a range in queries of *kind*."""

    @makes(Searching)
    def fits(query: ca.Query[Any], one: Any) -> bool:
        end = getattr(query, until) if isinstance(query, kind) else None
        at_end = end is not None and getattr(one, until.replace("_until", "_at")) == end
        return query.matches(one) or (at_end and without(query, until).matches(one))

    return fits


def sorting(key: Callable[[ca.Query[Any], Any], Any]) -> Make:
    return partial(Searching, key=key)


@sorting
def sorts_by_the_second(query: ca.Query[Any], one: Any) -> Any:
    return tuple(map(to_the_second, query.sort_key(one)))


@sorting
def sorts_without_case(query: ca.Query[Any], one: Any) -> Any:
    return tuple(part.casefold() if isinstance(part, str) else part for part in query.sort_key(one))


sorts_by_creation = sorting(lambda _, __: 0)


@makes(Careless)
def stores_each_verb_alone(repository: Careless, change: ca.Change) -> ca.Change:
    for verb in ("expect", "create", "replace", "use"):
        repository.put(ca.Change(**{verb: getattr(change, verb)}))
    return ca.Change(record=change.record)


@makes(Careless)
def stores_events_of_conflicts(repository: Careless, change: ca.Change) -> ca.Change:
    repository.put(ca.Change(record=change.record))
    return attrs.evolve(change, record=())


@makes(Careless)
def creates_what_it_cannot_replace(repository: Careless, change: ca.Change) -> ca.Change:
    missing = [one for one in change.replace if not repository.is_stored(one.before)]
    return attrs.evolve(
        change,
        create=[*change.create, *(one.after for one in missing)],
        replace=[one for one in change.replace if one not in missing],
    )


@makes(Careless)
def refuses_the_own_address(repository: Careless, change: ca.Change) -> ca.Change:
    held = {one.folded_email for one in ca.find_all(repository, ca.UserQuery())}
    for user in change.made(ca.User):
        if user.folded_email in held and user not in change.create:
            raise ca.Conflict((user.id,))
    return change


class ComparesWithoutCase(ca.InMemoryRepository):
    """Compares new ids without case, as some databases do."""

    def commit(self, change: ca.Change, /) -> None:
        for record in change.create:
            stored = self._shelves[type(record)].records.values()
            beside = [one for one in change.create if type(one) is type(record)]
            others = {one.id for one in (*stored, *beside)} - {record.id}
            if record.id.casefold() in {one.casefold() for one in others}:
                raise ca.Conflict((record.id,))
        super().commit(change)


class Clashing(ca.InMemoryRepository):
    """Accepts some records with the address or the code of another record."""

    def __init__(self, clashes: Callable[[ca.Record, list[Any]], bool]) -> None:
        super().__init__()
        self._clashes = clashes

    def _clashing(self, staged: Any) -> Iterator[ca.Record]:
        for record in super()._clashing(staged):
            others = [one for one in self._shelves[type(record)].records.values() if one != record]
            if self._clashes(record, others):
                yield record


allows_equal_addresses = partial(Clashing, lambda record, _: not isinstance(record, ca.User))
allows_equal_codes = partial(Clashing, lambda record, _: not isinstance(record, ca.TrainingKey))


@makes(Clashing)
def compares_addresses_with_case(record: ca.Record, others: list[Any]) -> bool:
    return not isinstance(record, ca.User) or record.email in [one.email for one in others]


class NumbersEventsFirst(ca.InMemoryRepository):
    """Draws the positions of events before the commit, so that a conflict leaves a gap."""

    def __init__(self) -> None:
        super().__init__()
        self._positions = count(1)

    def commit(self, change: ca.Change, /) -> None:
        events = [attrs.evolve(one, position=self._position(one)) for one in change.record]
        super().commit(attrs.evolve(change, record=()))
        with self._lock:
            for event in events:
                self._shelves[ca.Event].put(event)

    def _position(self, _: ca.Event) -> int:
        return next(self._positions)


class KeepsPositions(NumbersEventsFirst):
    """Keeps the positions of new events."""

    def _position(self, event: ca.Event) -> int:
        return event.position or super()._position(event)


class StoresEventsLate(NumbersEventsFirst):
    """Stores the second event after a reader has seen a later one."""

    def __init__(self) -> None:
        super().__init__()
        self._was_passed = Flag()

    def _position(self, event: ca.Event) -> int:
        position = super()._position(event)
        if position == 2:
            self._was_passed.wait(TIMEOUT)
        return position

    def find(self, query: ca.Query[RecordT], /) -> ca.Page[RecordT]:
        page = super().find(query)
        if any(isinstance(one, ca.Event) and one.position > 2 for one in page):
            self._was_passed.set()
        return page


class ExpectsTheOutcome(ca.InMemoryRepository):
    """Compares expected records with the records after the change."""

    def commit(self, change: ca.Change, /) -> None:
        with self._lock:
            staged = self._staged(attrs.evolve(change, expect=()))
            for one in change.expect:
                stored = self._records[type(one)].get(one.id)
                if staged.get((type(one), one.id), stored) != one:
                    raise ca.Conflict((one.id,))
        super().commit(attrs.evolve(change, expect=()))


class Naming(ca.InMemoryRepository):
    """Names ids of its own choice in a conflict."""

    def __init__(self, ids: Callable[[ca.Change], Iterable[str]]) -> None:
        super().__init__()
        self._ids = ids

    def commit(self, change: ca.Change, /) -> None:
        try:
            super().commit(change)
        except ca.Conflict as conflict:
            raise ca.Conflict((*self._ids(change),)) from conflict


def ids_of(change: ca.Change) -> Iterator[str]:
    """Yield the ids of all records in *change*."""
    for record in (*change.create, *change.expect, *(one.before for one in change.replace)):
        yield record.id
    yield from (use.key.id for use in change.use)


names_no_id = partial(Naming, lambda _: ())
names_all_ids = partial(Naming, ids_of)


@makes(Naming)
def names_codes(change: ca.Change) -> Iterable[str]:
    return [key.code for key in change.made(ca.TrainingKey)] or ids_of(change)


class ReturnsItsCache(ca.InMemoryRepository):
    """Returns a dictionary that it uses again for the next call."""

    def __init__(self) -> None:
        super().__init__()
        self._answers: dict[Any, Any] = {}

    def get(self, kind: type[R], ids: Strings, /) -> dict[str, R]:
        asked = kind, tuple(ids)
        answer: dict[str, R] = self._answers.setdefault(asked, {})
        answer.update(super().get(kind, asked[1]))
        return answer


class LimitsIds(ca.InMemoryRepository):
    """Accepts as many ids at once as SQLite accepts variables, and none with NUL."""

    def get(self, kind: type[R], ids: Strings, /) -> dict[str, R]:
        wanted = tuple(ids)
        if len(wanted) > 32_766:
            raise DriverError("too many SQL variables")
        if any("\x00" in one for one in wanted):
            raise DriverError("a string literal cannot contain NUL")
        return super().get(kind, wanted)


class ReadsOneByOne(ca.InMemoryRepository):
    """Reads one record after the other, and others write in between."""

    def __init__(self) -> None:
        super().__init__()
        self._reading, self._written = Flag(), Flag()

    def commit(self, change: ca.Change, /) -> None:
        if current_thread() is not main_thread():
            self._reading.wait(0.1)
        super().commit(change)
        self._written.set()

    def get(self, kind: type[R], ids: Strings, /) -> dict[str, R]:
        found: dict[str, R] = {}
        for one in ids:
            found |= super().get(kind, [one])
            self._let_others_write()
        return found

    def _let_others_write(self) -> None:
        self._written.clear()
        self._reading.set()
        self._written.wait(0.1)
        self._reading.clear()


class ReadsPagesOneByOne(ReadsOneByOne):
    """Finds the ids first, and reads the records afterwards."""

    def find(self, query: ca.Query[RecordT], /) -> ca.Page[RecordT]:
        page = super().find(query)
        records: list[Any] = []
        for one in page.records:
            records += ca.InMemoryRepository.get(self, query.kind, [cast("Any", one).id]).values()
            self._let_others_write()
        return ca.Page(records, page.next)

    def get(self, kind: type[R], ids: Strings, /) -> dict[str, R]:
        return ca.InMemoryRepository.get(self, kind, ids)


class ChecksThenWrites(ca.InMemoryRepository):
    """Checks a change and stores it later; all threads meet in between, once."""

    def __init__(self) -> None:
        super().__init__()
        self._gate = Gate(THREADS)

    def commit(self, change: ca.Change, /) -> None:
        staged = self._staged(change)
        if current_thread() is not main_thread():
            self._gate.meet()
        with self._lock:
            for record in staged.values():
                self._shelves[type(record)].put(record)
            events = self._shelves[ca.Event]
            for event in change.record:
                events.put(attrs.evolve(event, position=len(events.records) + 1))


class ExpectsInAnotherTransaction(ca.InMemoryRepository):
    """Checks expected records in a transaction of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._gate = Gate(2)

    def commit(self, change: ca.Change, /) -> None:
        super().commit(ca.Change(expect=change.expect))
        if current_thread() is not main_thread():
            self._gate.meet()
        super().commit(attrs.evolve(change, expect=()))


class KeepsAddressesInItsIndex(ca.InMemoryRepository):
    """Finds users by the addresses that they gave up."""

    def __init__(self) -> None:
        super().__init__()
        self._holders: dict[str, str] = {}

    def commit(self, change: ca.Change, /) -> None:
        super().commit(change)
        self._holders |= {user.folded_email: user.id for user in change.made(ca.User)}

    def find(self, query: ca.Query[RecordT], /) -> ca.Page[RecordT]:
        email = getattr(query, "email", None)
        if email is None:
            return super().find(query)
        found: Any = self.get(ca.User, [self._holders[email]] if email in self._holders else [])
        return ca.Page(tuple(found.values()))


class KeepsAddressesUnique(KeepsAddressesInItsIndex):
    """Refuses addresses that other users gave up."""

    def commit(self, change: ca.Change, /) -> None:
        for user in change.made(ca.User):
            if self._holders.get(user.folded_email, user.id) != user.id:
                raise ca.Conflict((user.id,))
        super().commit(change)


class ExceedsTheLimit(ca.InMemoryRepository):
    """Returns one record more than the limit."""

    def find(self, query: ca.Query[RecordT], /) -> ca.Page[RecordT]:
        page = super().find(query)
        if page.next is None:
            return page
        return ca.Page((*page.records, *super().find(attrs.evolve(page.next, limit=1)).records))


class SkipsByNumber(ca.InMemoryRepository):
    """Starts a page after a number of records instead of the cursor."""

    def __init__(self) -> None:
        super().__init__()
        self._read = 0

    def find(self, query: ca.Query[RecordT], /) -> ca.Page[RecordT]:
        self._read = 0 if query.cursor is None else self._read + query.limit
        whole = list(ca.find_all(cast("ca.Repository", super()), attrs.evolve(query, cursor=None)))
        page = whole[self._read :][: query.limit]
        more = len(whole) > self._read + query.limit
        return ca.Page(page, query.starting_after(page[-1]) if more else None)


class ConflictsWhenBusy(ca.InMemoryRepository):
    """Raises a conflict instead of waiting for another commit."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = Lock()
        self._refused = Flag()

    def commit(self, change: ca.Change, /) -> None:
        if not self._turn.acquire(blocking=False):
            self._refused.set()
            raise ca.Conflict((*ids_of(change),))
        try:
            if current_thread() is not main_thread():
                self._refused.wait(TIMEOUT)
            super().commit(change)
        finally:
            self._turn.release()


def faulty(fault: str) -> ca.Repository:
    """Return a repository with *fault*: a name of this module, or a habit of `races`."""
    make: Make | None = globals().get(fault)
    return Careless(getattr(races, fault)) if make is None else make()


#: The fields that refer to a record of another kind; a user's organization may be unknown.
REFERENCES: Mapping[str, type] = {
    "organization_id": ca.Organization,
    "learner_id": ca.User,
    "course_id": ca.Course,
    "batch_id": ca.KeyBatch,
    "subscription_id": ca.Subscription,
    "assignment_id": ca.CourseAssignment,
    "key_id": ca.TrainingKey,
}


def references_of(record: ca.Record) -> Iterator[tuple[type, str]]:
    """Yield the kind and the id of every record that *record* refers to."""
    for name, kind in REFERENCES.items():
        id_ = getattr(record, name, None)
        if id_ is not None and (type(record), kind) != (ca.User, ca.Organization):
            yield kind, id_
    if isinstance(record, ca.Subscription):
        yield from ((ca.Course, one) for one in record.course_ids)
        yield from ((ca.CourseAssignment, one.assignment_id) for one in record.openings)


class WithForeignKeys(ca.InMemoryRepository):
    """Stores no record that refers to an unknown record; this is no fault."""

    def _staged(self, change: ca.Change) -> dict[tuple[type, str], ca.Record]:
        staged = super()._staged(change)
        for record in staged.values():
            for kind, id_ in references_of(record):
                known = (kind, id_) in staged or id_ in self._shelves[kind].records
                assert known, f"{record} refers to {kind.__name__} {id_!r}, which is not stored"
        return staged
