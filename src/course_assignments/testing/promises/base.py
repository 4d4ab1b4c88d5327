"""What every example starts from: a fresh repository, and how what it says is compared."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from course_assignments import queries
from course_assignments.changes import Change, Record, Replace
from course_assignments.entities.assignments import Claim
from course_assignments.errors import Conflict
from course_assignments.queries import Query
from course_assignments.repository import Repository
from course_assignments.testing import stock

#: A query for all of each kind that can be looked for.
EVERYTHING: tuple[Query[Any], ...] = (
    queries.OrganizationQuery(),
    queries.CourseQuery(),
    queries.UserQuery(),
    queries.AssignmentQuery(),
    queries.AttemptQuery(),
    queries.SubscriptionQuery(),
    queries.BatchQuery(),
    queries.KeyQuery(),
    queries.RedemptionQuery(),
    queries.EventQuery(),
)


class Examples:
    """A fresh repository for each example."""

    def make(self) -> Repository:
        """Return a new, empty repository."""
        raise NotImplementedError

    @pytest.fixture
    def repository(self) -> Repository:
        """The repository of one example."""
        return self.make()


def exactly(value: Any) -> Any:
    """Return *value* so that two are equal only if all in them is of the same class and zone."""
    kind: type[Any] = value.__class__
    if attrs.has(kind):
        return kind, tuple(exactly(getattr(value, one.name)) for one in attrs.fields(kind))
    if kind in {tuple, frozenset}:
        return kind, kind(map(exactly, value))
    if kind is datetime:
        return value, value.tzinfo is UTC
    return kind, value


def listed(repository: Repository, query: Query[Any]) -> list[Any]:
    """Return what all pages give, each as full as it can be and followed only if there is more."""
    found: list[Any] = []
    rest: Query[Any] | None = query
    while rest is not None:
        page = repository.find(rest)
        assert len(page.records) <= query.limit
        if page.next is not None:
            assert len(page.records) == query.limit, "a page is full if there is more"
            assert page.next == query.behind(page.records[-1])
        elif rest is not query:
            assert page.records, "there is a next page only if there is more"
        found += page.records
        rest = page.next
    return found


def contents(repository: Repository) -> dict[str, Any]:
    """Return everything that *repository* keeps, so that two of them can be compared."""
    found = {query.kind.__name__: listed(repository, query) for query in EVERYTHING}
    pairs = [(user.id, course.id) for user in found["User"] for course in found["Course"]]
    claims = repository.get(Claim, [Claim.id_for(*pair) for pair in pairs])
    return {**{kind: exactly(tuple(all_)) for kind, all_ in found.items()}, "Claim": claims}


def store(repository: Repository, *records: Record) -> None:
    """Create *records* with what they may name, those of `stock.RECORDS`, in one commit."""
    own = {(type(one), one.id) for one in records}
    others = [one for one in stock.RECORDS if (type(one), one.id) not in own]
    repository.commit(Change(create=[*others, *records]))


def stored(repository: Repository, record: Record) -> Any:
    """Return what is stored in the place of *record*, if anything is."""
    return repository.get(type(record), [record.id]).get(record.id)


def in_order(query: Query[Any], records: Iterable[Any]) -> list[Any]:
    """Return those of *records* that *query* asks for, as it orders them."""
    return sorted(filter(query.matches, records), key=query.place)


def check_lost(repository: Repository, change: Change, *ids: str) -> None:
    """Fail unless *change* is lost, names one of *ids* or more, and leaves no trace at all."""
    # What else is in the change would have succeeded by itself.
    witness = attrs.evolve(stock.OLD, id="witness")
    dee = stored(repository, stock.NOMAD)
    renamed = [] if dee is None else [Replace(dee, attrs.evolve(dee, name="Witness"))]
    before = contents(repository)
    whole = attrs.evolve(
        change,
        create=[witness, *change.create],
        replace=[*renamed, *change.replace],
        record=[stock.EVENTS[0], *change.record],
    )
    with pytest.raises(Conflict) as caught:
        repository.commit(whole)
    assert contents(repository) == before, "a lost change leaves no trace"
    assert caught.value.ids, "a conflict names what stood in the way"
    assert {*caught.value.ids} <= {*ids}, "a conflict names what stood in the way and nothing else"
    assert caught.value.code == "changed"
