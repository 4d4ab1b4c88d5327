"""Repositories that each have one plausible fault, for the kit to find."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from functools import partial
from itertools import count
from threading import Event as SomethingHappened
from threading import Lock, current_thread, main_thread
from typing import Any, TypeAlias, cast

import attrs

from course_assignments import (
    Change,
    Conflict,
    Course,
    CourseAssignment,
    Event,
    InMemoryRepository,
    KeyBatch,
    Months,
    Organization,
    Page,
    Query,
    Record,
    Repository,
    Subscription,
    TrainingKey,
    User,
    UserQuery,
    find_all,
)
from course_assignments.changes import R
from course_assignments.queries import RecordT
from tests.support.races import TIMEOUT, Careless, Gate

Rewrite: TypeAlias = Callable[[Any], Any]
Answer: TypeAlias = Callable[[Query[Any], Page[Any]], Page[Any]]
Fits: TypeAlias = Callable[[Query[Any], Any], bool]
Place: TypeAlias = Callable[[Query[Any], Any], Any]
Ids: TypeAlias = Callable[[Change], Iterable[str]]


class Rewriting(InMemoryRepository):
    """Stores every value a little otherwise than it was given."""

    def __init__(self, rewrite: Rewrite) -> None:
        super().__init__()
        self._rewrite = rewrite

    def commit(self, change: Change, /) -> None:
        super().commit(_rewritten(change, self._rewrite))


def _rewritten(value: Any, rewrite: Rewrite) -> Any:
    """Return *value* with *rewrite* applied to everything in it, from the inside out."""
    if attrs.has(type(value)):
        named = {one.alias: getattr(value, one.name) for one in attrs.fields(type(value))}
        value = type(value)(**{name: _rewritten(one, rewrite) for name, one in named.items()})
    elif isinstance(value, tuple | frozenset):
        value = type(value)(_rewritten(one, rewrite) for one in value)
    return rewrite(value)


def to_the_second(value: Any) -> Any:
    return value.replace(microsecond=0) if isinstance(value, datetime) else value


def with_windows_to_the_second(value: Any) -> Any:
    if isinstance(value, KeyBatch):
        return attrs.evolve(value, redeemable_until=to_the_second(value.redeemable_until))
    return value


def months_as_days(value: Any) -> Any:
    return timedelta(days=30 * value.count) if isinstance(value, Months) else value


def trimmed(value: Any) -> Any:
    return value.strip() if type(value) is str else value


def line_breaks_as_one(value: Any) -> Any:
    return value.replace("\r\n", "\n") if type(value) is str else value


def composed(value: Any) -> Any:
    return value.replace("e\u0301", "\u00e9") if type(value) is str else value


def in_order(value: Any) -> Any:
    texts = isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    return tuple(sorted(value)) if texts else value


def cut(value: Any) -> Any:
    return value[:255] if type(value) is str else value


ZULU = timezone(timedelta(0), "Z")


class Zoned(InMemoryRepository):
    """Gives instants back in a zone that is equal to UTC, and is not UTC itself."""

    def get(self, kind: type[R], ids: Iterable[str], /) -> dict[str, R]:
        found = {id_: copy(record) for id_, record in super().get(kind, ids).items()}
        for record in found.values():
            for one in attrs.fields(type(record)):
                value = getattr(record, one.name)
                if isinstance(value, datetime):
                    object.__setattr__(record, one.name, value.replace(tzinfo=ZULU))
        return found


class Answering(InMemoryRepository):
    """Makes something else of each page that it finds."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    def find(self, query: Query[RecordT], /) -> Page[RecordT]:
        return self._answer(query, super().find(query))


def always_with_a_next(query: Query[Any], page: Page[Any]) -> Page[Any]:
    return Page(page.records, query.starting_after(page.records[-1]) if page.records else None)


def never_with_a_next(_: Query[Any], page: Page[Any]) -> Page[Any]:
    return Page(page.records)


def with_the_last_again(query: Query[Any], page: Page[Any]) -> Page[Any]:
    if page.next is None or len(page) == 1:
        return page
    return Page(page.records, query.starting_after(page.records[-2]))


def backwards(_: Query[Any], page: Page[Any]) -> Page[Any]:
    return Page(page.records[::-1], page.next)


class Searching(InMemoryRepository):
    """Looks through everything, in its own order and by its own idea of what fits."""

    def __init__(
        self,
        fits: Fits = lambda query, one: query.matches(one),
        place: Place = lambda query, one: query.sort_key(one),
    ) -> None:
        super().__init__()
        self._fits, self._place = fits, place

    def find(self, query: Query[RecordT], /) -> Page[RecordT]:
        all_: list[Any] = list(self._shelves[query.kind].records.values())
        behind = query.cursor or ()
        found = sorted(
            (one for one in all_ if self._fits(query, one) and query.sort_key(one) > behind),
            key=partial(self._place, query),
        )
        page = found[: query.limit]
        more = len(found) > query.limit
        return Page(page, query.starting_after(page[-1]) if more else None)


def with_wildcards(query: Query[Any], one: Any) -> bool:
    """Take what is searched for as a pattern, as LIKE does unless it is told otherwise."""
    return without(query, *query.contains()).matches(one) and all(
        fnmatchcase(getattr(one, name).casefold(), f"*{part.replace('%', '*').replace('_', '?')}*")
        for name, part in query.contains().items()
    )


def in_ascii_case_only(query: Query[Any], one: Any) -> bool:
    """Fold no more than SQLite does."""
    return without(query, *query.contains()).matches(one) and all(
        part in getattr(one, name).lower() for name, part in query.contains().items()
    )


def without(query: Query[Any], *filters: str) -> Query[Any]:
    """Return *query* with *filters* not set."""
    unset: dict[str, Any] = dict.fromkeys(filters)
    return attrs.evolve(query, **unset)


def with_closed_ranges(query: Query[Any], one: Any) -> bool:
    """Take the end of a range for a part of it."""
    return query.matches(one) or any(
        getattr(one, name) == until
        and without(query, f"{name.removesuffix('_at')}_until").matches(one)
        for name, (_, until) in query.ranges().items()
        if until is not None and name.endswith("_at")
    )


def whatever(*filters: str) -> Fits:
    """Leave *filters* out of what is asked."""

    def fits(query: Query[Any], one: Any) -> bool:
        narrowed = all(getattr(query, name, None) is not None for name in filters)
        return (without(query, *filters) if narrowed else query).matches(one)

    return fits


def by_the_second(query: Query[Any], one: Any) -> Any:
    return tuple(map(to_the_second, query.sort_key(one)))


def as_a_dictionary_sorts(query: Query[Any], one: Any) -> Any:
    return tuple(part.casefold() if isinstance(part, str) else part for part in query.sort_key(one))


def as_it_came(_: Query[Any], __: Any) -> int:
    return 0


class CaseSensitiveEmail(InMemoryRepository):
    """Compares addresses as they were written."""

    def _clashing(self, staged: Any) -> Iterator[Record]:
        for record in super()._clashing(staged):
            others = [one for one in self._shelves[type(record)].records.values() if one != record]
            if not isinstance(record, User) or record.email in [one.email for one in others]:
                yield record


class CodesUnchecked(InMemoryRepository):
    """Lets two keys have one code."""

    def _clashing(self, staged: Any) -> Iterator[Record]:
        return (one for one in super()._clashing(staged) if not isinstance(one, TrainingKey))


class Gapped(InMemoryRepository):
    """Numbers its events as a sequence does: what is lost has had its numbers."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn = 0

    def commit(self, change: Change, /) -> None:
        numbered = []
        for event in change.record:
            self._drawn += 1
            numbered.append(attrs.evolve(event, position=self._drawn))
        super().commit(attrs.evolve(change, record=()))
        with self._lock:
            for event in numbered:
                self._shelves[Event].put(event)


class LateNumbers(InMemoryRepository):
    """Draws the number of an event first, so that a reader may see a later one before it."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count(1)
        self._drawing = Lock()
        self._passed_by = SomethingHappened()

    def commit(self, change: Change, /) -> None:
        with self._drawing:
            numbered = [attrs.evolve(one, position=next(self._numbers)) for one in change.record]
        if any(one.position == 2 for one in numbered):
            self._passed_by.wait(TIMEOUT)
        super().commit(attrs.evolve(change, record=()))
        with self._lock:
            for event in numbered:
                self._shelves[Event].put(event)

    def find(self, query: Query[RecordT], /) -> Page[RecordT]:
        page = super().find(query)
        if any(isinstance(one, Event) and one.position > 2 for one in page):
            self._passed_by.set()
        return page


class Piecemeal(InMemoryRepository):
    """Stores one verb after the other, each by itself."""

    def commit(self, change: Change, /) -> None:
        for verb in ("expect", "create", "replace", "use", "record"):
            super().commit(Change(**{verb: getattr(change, verb)}))


class Chatty(InMemoryRepository):
    """Keeps the events of a change even if the rest of it is lost."""

    def commit(self, change: Change, /) -> None:
        super().commit(Change(record=change.record))
        super().commit(attrs.evolve(change, record=()))


class ExpectsTheOutcome(InMemoryRepository):
    """Compares what a change expects with what it leaves."""

    def commit(self, change: Change, /) -> None:
        with self._lock:
            staged = self._staged(attrs.evolve(change, expect=()))
            for one in change.expect:
                if staged.get((type(one), one.id), self._stored(one)) != one:
                    raise Conflict((one.id,))
        super().commit(attrs.evolve(change, expect=()))


class Upserting(Careless):
    """Makes what is to be replaced if it is not there."""

    def __init__(self) -> None:
        super().__init__(_made)


def _made(repository: Careless, change: Change) -> Change:
    missing = [one for one in change.replace if not repository.is_stored(one.before)]
    return attrs.evolve(
        change,
        create=[*change.create, *(one.after for one in missing)],
        replace=[one for one in change.replace if one not in missing],
    )


class Naming(InMemoryRepository):
    """Has its own idea of the ids that a conflict names."""

    def __init__(self, ids: Ids) -> None:
        super().__init__()
        self._ids = ids

    def commit(self, change: Change, /) -> None:
        try:
            super().commit(change)
        except Conflict as conflict:
            raise Conflict((*self._ids(change),)) from conflict


def no_ids(_: Change) -> Iterable[str]:
    return ()


def all_ids(change: Change) -> Iterable[str]:
    for record in (*change.create, *change.expect, *(one.before for one in change.replace)):
        yield record.id
    for use in change.use:
        yield use.key.id


def codes_too(change: Change) -> Iterable[str]:
    return (
        (key.code for key in change.made(TrainingKey))
        if change.made(TrainingKey)
        else all_ids(change)
    )


class Leaking(InMemoryRepository):
    """Hands out the very dictionary that it looks in next time."""

    def __init__(self) -> None:
        super().__init__()
        self._answers: dict[Any, Any] = {}

    def get(self, kind: type[R], ids: Iterable[str], /) -> dict[str, R]:
        asked = kind, tuple(ids)
        answer: dict[str, R] = self._answers.setdefault(asked, {})
        answer.update(super().get(kind, asked[1]))
        return answer


class CaseBlind(InMemoryRepository):
    """Takes ids and codes that differ in case only for the same, as some databases do."""

    def commit(self, change: Change, /) -> None:
        for record in change.create:
            stored = self._shelves[type(record)].records.values()
            beside = (one for one in change.create if type(one) is type(record))
            others = {self._name(one) for one in (*stored, *beside)} - {self._name(record)}
            if self._name(record).casefold() in {one.casefold() for one in others}:
                raise Conflict((record.id,))
        super().commit(change)

    @staticmethod
    def _name(record: Record) -> str:
        return record.code if isinstance(record, TrainingKey) else record.id


class Narrow(InMemoryRepository):
    """Has room for so many ids in one statement, as SQLite has."""

    def get(self, kind: type[R], ids: Iterable[str], /) -> dict[str, R]:
        wanted = tuple(ids)
        if len(wanted) > 32_766:
            raise ValueError("too many SQL variables")
        return super().get(kind, wanted)


class Touchy(InMemoryRepository):
    """Cannot look for what it cannot store."""

    def get(self, kind: type[R], ids: Iterable[str], /) -> dict[str, R]:
        wanted = tuple(ids)
        for one in wanted:
            one.encode()
            if "\x00" in one:
                raise ValueError("a string literal cannot contain NUL")
        return super().get(kind, wanted)


class Torn(InMemoryRepository):
    """Reads one record after the other, and others write meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._written = SomethingHappened()

    def commit(self, change: Change, /) -> None:
        super().commit(change)
        self._written.set()

    def get(self, kind: type[R], ids: Iterable[str], /) -> dict[str, R]:
        found: dict[str, R] = {}
        for one in ids:
            found |= super().get(kind, [one])
            self._let_others_write()
        return found

    def _let_others_write(self) -> None:
        self._written.clear()
        self._written.wait(0.01)


class TornPages(Torn):
    """Finds the ids first, and reads the records afterwards."""

    def find(self, query: Query[RecordT], /) -> Page[RecordT]:
        page = super().find(query)
        records: list[Any] = []
        for one in page.records:
            records += InMemoryRepository.get(self, query.kind, [cast("Any", one).id]).values()
            self._let_others_write()
        return Page(records, page.next)

    def get(self, kind: type[R], ids: Iterable[str], /) -> dict[str, R]:
        return InMemoryRepository.get(self, kind, ids)


class FirstCheckThenWrite(InMemoryRepository):
    """Looks whether a change fits, and stores it later; so many of them meet between, once each."""

    def __init__(self, parties: int) -> None:
        super().__init__()
        self._gate = Gate(parties)

    def commit(self, change: Change, /) -> None:
        staged = self._staged(change)
        if current_thread() is not main_thread():
            self._gate.meet()
        with self._lock:
            for record in staged.values():
                self._shelves[type(record)].put(record)
            events = self._shelves[Event]
            for event in change.record:
                events.put(attrs.evolve(event, position=len(events.records) + 1))


class ExpectsApart(InMemoryRepository):
    """Checks what a change expects in a transaction of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._gate = Gate(2)

    def commit(self, change: Change, /) -> None:
        super().commit(Change(expect=change.expect))
        if current_thread() is not main_thread():
            self._gate.meet()
        super().commit(attrs.evolve(change, expect=()))


class Forgetful(InMemoryRepository):
    """Looks e-mail addresses up in an index that it never clears."""

    def __init__(self) -> None:
        super().__init__()
        self._holders: dict[str, str] = {}

    def commit(self, change: Change, /) -> None:
        super().commit(change)
        for user in change.made(User):
            self._holders[user.folded_email] = user.id

    def find(self, query: Query[RecordT], /) -> Page[RecordT]:
        email = getattr(query, "email", None)
        if email is None:
            return super().find(query)
        found: Any = self.get(User, [self._holders[email]] if email in self._holders else [])
        return Page(tuple(found.values()))


class Greedy(InMemoryRepository):
    """Gives one record more than the limit."""

    def find(self, query: Query[RecordT], /) -> Page[RecordT]:
        page = super().find(query)
        return page if page.next is None else Page((*page.records, *self._first(page.next)))

    def _first(self, query: Query[RecordT]) -> tuple[RecordT, ...]:
        return super().find(attrs.evolve(query, limit=1)).records


class Hoarding(InMemoryRepository):
    """Never lets an e-mail address go."""

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[str, str] = {}

    def commit(self, change: Change, /) -> None:
        for user in change.made(User):
            if self._held.get(user.folded_email, user.id) != user.id:
                raise Conflict((user.id,))
        super().commit(change)
        self._held |= {user.folded_email: user.id for user in change.made(User)}


class SelfTaken(InMemoryRepository):
    """Takes a user for another who has the same address."""

    def commit(self, change: Change, /) -> None:
        held = {one.folded_email for one in find_all(self, UserQuery())}
        for user in change.made(User):
            if user.folded_email in held and user not in change.create:
                raise Conflict((user.id,))
        super().commit(change)


class Obedient(InMemoryRepository):
    """Numbers its events, but for those that have a number."""

    def commit(self, change: Change, /) -> None:
        super().commit(attrs.evolve(change, record=()))
        with self._lock:
            events = self._shelves[Event]
            for event in change.record:
                position = event.position or len(events.records) + 1
                events.put(attrs.evolve(event, position=position))


class Counting(InMemoryRepository):
    """Begins a page behind so many records, and not behind a place."""

    def __init__(self) -> None:
        super().__init__()
        self._read = 0

    def find(self, query: Query[RecordT], /) -> Page[RecordT]:
        self._read = 0 if query.cursor is None else self._read + query.limit
        whole = list(find_all(cast("Repository", super()), attrs.evolve(query, cursor=None)))
        page = whole[self._read :][: query.limit]
        more = len(whole) > self._read + query.limit
        return Page(page, query.starting_after(page[-1]) if more else None)


class Impatient(InMemoryRepository):
    """Waits for nobody, and says that what others hold is gone."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = Lock()
        self._refused = SomethingHappened()

    def commit(self, change: Change, /) -> None:
        if not self._turn.acquire(blocking=False):
            self._refused.set()
            raise Conflict((*all_ids(change),))
        try:
            if current_thread() is not main_thread():
                self._refused.wait(TIMEOUT)
            super().commit(change)
        finally:
            self._turn.release()


class WithForeignKeys(InMemoryRepository):
    """Stores nothing that names what is not stored, as databases can be told to."""

    def _staged(self, change: Change) -> dict[tuple[type, str], Record]:
        staged = super()._staged(change)
        for record in staged.values():
            for kind, id_ in named_by(record):
                there = (kind, id_) in staged or id_ in self._shelves[kind].records
                assert there, f"{record} names {kind.__name__} {id_!r}, which is not there"
        return staged


#: The fields that name a record of another kind; a user's organization may be any.
NAMES: Mapping[str, type] = {
    "learner_id": User,
    "course_id": Course,
    "batch_id": KeyBatch,
    "subscription_id": Subscription,
    "assignment_id": CourseAssignment,
    "key_id": TrainingKey,
}


def named_by(record: Record) -> Iterator[tuple[type, str]]:
    """Give the kind and id of everything that *record* names."""
    homes = {} if isinstance(record, User) else {"organization_id": Organization}
    for name, kind in {**NAMES, **homes}.items():
        id_ = getattr(record, name, None)
        if id_ is not None:
            yield kind, id_
    if isinstance(record, Subscription):
        yield from ((Course, one) for one in record.course_ids)
        yield from ((CourseAssignment, one.assignment_id) for one in record.openings)
