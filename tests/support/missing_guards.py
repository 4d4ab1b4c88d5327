"""Repositories and registrars that lack one guard each, for the check of histories to find.

All that they store is whole and well formed; only what commits and readings compare is less.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

import attrs

import course_assignments as ca
from course_assignments.changes import R
from course_assignments.commands import Command
from tests.support import races
from tests.support.linearizable import attempt
from tests.support.races import Careless, Habit

T = TypeVar("T")


def creates_over(*kinds: type) -> Habit:
    """A new record of these kinds takes the place of the one that has its id."""

    def habit(repository: Careless, change: ca.Change) -> ca.Change:
        over = [one for one in change.create if isinstance(one, kinds)]
        rest = [one for one in change.create if one not in over]
        made = races.overwrites(repository, attrs.evolve(change, create=over))
        return attrs.evolve(made, create=[*rest, *made.create])

    return habit


def replaces_anything(*kinds: type) -> Habit:
    """The last one to replace a record of these kinds wins, whatever it was decided on."""

    def habit(repository: Careless, change: ca.Change) -> ca.Change:
        replace = [
            ca.Replace(repository.stored(one.before), one.after)
            if isinstance(one.after, kinds)
            else one
            for one in change.replace
        ]
        return attrs.evolve(change, replace=replace)

    return habit


def expects_no(*kinds: type) -> Habit:
    """Records of these kinds may have changed since they were read."""
    return lambda _, change: attrs.evolve(
        change, expect=[one for one in change.expect if not isinstance(one, kinds)]
    )


class Blind(ca.InMemoryRepository):
    """The in-memory repository, which lets two records of *kind* share what is unique."""

    def __init__(self, kind: type) -> None:
        super().__init__()
        self._kind = kind

    def _clashing(self, staged: Any) -> Iterator[ca.Record]:
        return (one for one in super()._clashing(staged) if not isinstance(one, self._kind))


class StoresInTwoSteps:
    """Commits what a change creates, and then the rest of it."""

    def __init__(self, inner: ca.Repository) -> None:
        self._inner = inner
        self.get, self.find = inner.get, inner.find

    def commit(self, change: ca.Change, /) -> None:
        self._inner.commit(ca.Change(create=change.create, expect=change.expect))
        self._inner.commit(attrs.evolve(change, create=(), expect=()))


class Lags(ca.InMemoryRepository):
    """Answers from a copy that is renewed by every eighth call, and by each conflict."""

    def __init__(self) -> None:
        super().__init__()
        self._copy: dict[type, dict[str, Any]] = {}
        self._calls = 0

    def get(self, kind: type[R], ids: Iterable[str], /) -> dict[str, R]:
        self._calls += 1
        if self._calls % 8 == 0:
            self._copy.clear()
        found = self._copy.setdefault(kind, {})
        wanted = tuple(ids)
        found.update(super().get(kind, [one for one in wanted if one not in found]))
        return {one: found[one] for one in wanted if one in found}

    def commit(self, change: ca.Change, /) -> None:
        try:
            super().commit(change)
        except ca.Conflict:
            self._copy.clear()
            raise


class ReadsOnce:
    """A registrar that trusts what it has read once, also if it stores nothing."""

    def __init__(
        self,
        repository: ca.Repository,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        **_: Any,
    ) -> None:
        self._repository = repository
        self._sources = clock, new_id

    def execute(self, command: Command[Any, T]) -> T:
        while True:
            result, change = attempt(command, self._repository, *self._sources)
            try:
                if change:
                    self._repository.commit(change)
            except ca.Conflict:
                continue
            found: T = result
            return found


def never_retries(repository: ca.Repository, **options: Any) -> ca.Registrar:
    """Return a registrar that gives up at the first conflict."""
    return ca.Registrar(repository, **{**options, "timeout": timedelta(0)})
