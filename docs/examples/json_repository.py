"""A complete repository in a dictionary of JSON strings: a model for your own.

It is exact with threads, and slow on purpose: each search reads every record. You can save the
dictionary anywhere and load it again.
"""

from collections.abc import Iterable, Iterator
from operator import attrgetter
from threading import Lock
from typing import Any

import attrs

from course_assignments import Change, Conflict, Event, Page, Query, Record, TrainingKey, Use
from course_assignments.changes import UNIQUE, Amend, R, Replace
from course_assignments.queries import RecordT
from course_assignments.serialization import from_json, to_json


class JsonRepository:
    """A `Repository` that stores each record as a JSON string under its class and id."""

    def __init__(self, texts: dict[str, str] | None = None) -> None:
        """Start with these JSON strings, or empty."""
        self.texts = {} if texts is None else texts
        self._lock = Lock()

    def get(self, kind: type[R], ids: Iterable[str], /) -> dict[str, R]:
        """Return the stored records of *kind* by id; leave out unknown *ids*."""
        with self._lock:
            found = {one: self._read(kind, one) for one in ids}
        return {one: record for one, record in found.items() if record is not None}

    def find(self, query: Query[RecordT], /) -> Page[RecordT]:
        """Return the first page of what *query* asks for, in its order."""
        with self._lock:
            records = self._all(query.kind)
        start = query.cursor or ()
        fitting = [one for one in records if query.matches(one) and query.sort_key(one) > start]
        page = sorted(fitting, key=query.sort_key)[: query.limit]
        return Page(page, query.starting_after(page[-1]) if len(page) < len(fitting) else None)

    def commit(self, change: Change, /) -> None:
        """Store the whole *change*, or raise `Conflict` and store nothing."""
        with self._lock:
            records = [*self._decided(change), *self._numbered(change.record)]
            texts = {_name(type(one), _id(one)): to_json(one) for one in records}
            # Nothing is stored before this line, and nothing can fail after it.
            self.texts.update(texts)

    def _read(self, kind: type[Any], id: str) -> Any:
        text = self.texts.get(_name(kind, id))
        return None if text is None else from_json(text)

    def _all(self, kind: type[Any]) -> list[Any]:
        names = [name for name in self.texts if name.startswith(_name(kind, ""))]
        return [from_json(self.texts[name]) for name in names]

    def _numbered(self, events: tuple[Event, ...]) -> list[Event]:
        last = sum(name.startswith(_name(Event, "")) for name in self.texts)
        return [attrs.evolve(one, position=place) for place, one in enumerate(events, last + 1)]

    def _decided(self, change: Change) -> list[Record]:
        """Return the records that *change* creates or replaces, or raise `Conflict`."""
        lost = [one for one in change.expect if self._read(type(one), one.id) != one]
        after: dict[str, Record] = {}
        for record in change.create:
            name = _name(type(record), record.id)
            if name in self.texts or name in after:
                lost.append(record)
            after[name] = record
        for before, step in self._steps(change, after):
            name = _name(type(before), before.id)
            result = _after(after.get(name) or self._read(type(before), before.id), step)
            if result is None:
                lost.append(before)
            else:
                after[name] = result
        lost += self._clashing(after)
        if lost:
            raise Conflict(tuple(dict.fromkeys(one.id for one in lost)))
        return [*after.values()]

    def _steps(
        self, change: Change, after: dict[str, Record]
    ) -> Iterator[tuple[Record, Replace | Amend | Use]]:
        """Give each step with the record that it changes, in the order in which they apply."""
        for replace in change.replace:
            yield replace.before, replace
        for amend in change.amend:
            keys = {_name(TrainingKey, one.id): one for one in self._all(TrainingKey)}
            for key in (keys | after).values():
                if isinstance(key, TrainingKey) and key.batch_id == amend.batch_id:
                    yield key, amend
        for use in change.use:
            yield use.key, use

    def _clashing(self, after: dict[str, Record]) -> Iterator[Record]:
        """Give the records of *after* whose e-mail address or code belongs to another record."""
        for kind, name in UNIQUE.items():
            value = attrgetter(name)
            mine = [one for one in after.values() if isinstance(one, kind)]
            others = self._all(kind) if mine else []
            owners = {value(one): one.id for one in reversed(mine)}
            for one in others:
                if value(after.get(_name(kind, one.id), one)) == value(one):
                    owners[value(one)] = one.id
            yield from (one for one in mine if owners[value(one)] != one.id)


def _after(stored: Any, step: Replace | Amend | Use) -> Record | None:
    """Apply *step* to the *stored* record; return ``None`` if they conflict."""
    if isinstance(step, Amend):
        return step.of(stored)
    if isinstance(step, Use):
        read, new, by = step.key, stored, step.by
    elif isinstance(step.before, TrainingKey):
        # Replacing a key neither compares nor changes its uses.
        read, new, by = step.before, step.after, 0
    else:
        return step.after if stored == step.before else None
    if stored is None or stored.terms != read.terms:
        return None
    uses = stored.uses + by
    return attrs.evolve(new, uses=uses) if 0 <= uses <= new.max_uses else None


def _id(record: Record | Event) -> str:
    return str(record.position) if isinstance(record, Event) else record.id


def _name(kind: type[Any], id: str) -> str:
    return f"{kind.__name__}/{id}"
