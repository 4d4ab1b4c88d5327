"""The base class of all contract tests, and functions to compare contents."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import attrs
import pytest

from course_assignments.changes import Change, Record, Replace
from course_assignments.entities.assignments import Claim
from course_assignments.errors import Conflict
from course_assignments.queries import QUERIES, Query
from course_assignments.repository import Repository
from course_assignments.testing import samples

#: A query for all records of each kind that can be listed.
EVERYTHING: tuple[Query[Any], ...] = tuple(query() for query in QUERIES)


class Examples:
    """A new repository for each test."""

    def make(self) -> Repository:
        """Return a new, empty repository."""
        raise NotImplementedError

    @pytest.fixture
    def repository(self) -> Repository:
        """The repository of one test."""
        return self.make()


def exactly(value: Any) -> Any:
    """Return *value* in a form that also compares classes and time zones."""
    kind: type[Any] = value.__class__
    if attrs.has(kind):
        return kind, tuple(exactly(getattr(value, one.name)) for one in attrs.fields(kind))
    if kind in {tuple, frozenset, list}:
        return kind, kind(map(exactly, value))
    if kind is dict:
        return {key: exactly(one) for key, one in value.items()}
    if kind is datetime:
        return value, value.tzinfo is UTC
    return kind, value


def listed(repository: Repository, query: Query[Any]) -> list[Any]:
    """Return the records of all pages, and check that only the last is not full."""
    found: list[Any] = []
    rest: Query[Any] | None = query
    while rest is not None:
        page = repository.find(rest)
        assert len(page.records) <= query.limit
        if page.next is not None:
            assert len(page.records) == query.limit, "a page is full if there is more"
            assert page.next == query.starting_after(page.records[-1])
        elif rest is not query:
            assert page.records, "there is a next page only if there is more"
        found += page.records
        rest = page.next
    return found


_claim_id = cache(Claim.id_for)


def contents(repository: Repository) -> dict[str, list[Any]]:
    """Return everything that *repository* stores, by the names of the classes."""
    found = {query.kind.__name__: listed(repository, query) for query in EVERYTHING}
    ids = [_claim_id(user.id, course.id) for user in found["User"] for course in found["Course"]]
    claims = repository.get(Claim, ids)
    return {**found, "Claim": sorted(claims.values(), key=lambda claim: claim.id)}


def store(repository: Repository, *records: Record) -> None:
    """Create *records* and `samples.RECORDS` in one commit."""
    own = {(type(one), one.id) for one in records}
    others = [one for one in samples.RECORDS if (type(one), one.id) not in own]
    repository.commit(Change(create=[*others, *records]))


def stored(repository: Repository, record: Record) -> Any:
    """Return the record stored under the id of *record*, or ``None``."""
    return repository.get(type(record), [record.id]).get(record.id)


def in_order(query: Query[Any], records: Iterable[Any]) -> list[Any]:
    """Return the *records* that match *query*, in its order."""
    return sorted(filter(query.matches, records), key=query.sort_key)


def conflicting_ids(repository: Repository, change: Change) -> set[str]:
    """Commit *change*, and return the conflicting ids, if any."""
    try:
        repository.commit(change)
    except Conflict as conflict:
        return {*conflict.ids}
    return set()


def check_lost(repository: Repository, change: Change, *ids: str) -> None:
    """Fail unless *change* conflicts, names only *ids*, and stores nothing."""
    # Without *change*, these additional steps would succeed.
    witness = attrs.evolve(samples.DRAFT, id="witness")
    dee = stored(repository, samples.DEE)
    renamed = [] if dee is None else [Replace(dee, attrs.evolve(dee, name="Witness"))]
    before = exactly(contents(repository))
    whole = attrs.evolve(
        change,
        create=[witness, *change.create],
        replace=[*renamed, *change.replace],
        record=[samples.EVENTS[0], *change.record],
    )
    with pytest.raises(Conflict) as caught:
        repository.commit(whole)
    assert exactly(contents(repository)) == before, "after a conflict nothing is stored"
    assert {*caught.value.ids}, "a conflict names a conflicting id"
    assert {*caught.value.ids} <= {*ids}, "a conflict names only conflicting ids"
    assert caught.value.code == "changed"
