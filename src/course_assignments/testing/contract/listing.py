"""The contract of `find` for order and pages."""

from itertools import combinations

import attrs

from course_assignments import queries
from course_assignments.changes import Change, Event, Record
from course_assignments.entities.assignments import Claim
from course_assignments.entities.catalog import Course
from course_assignments.entities.receipts import Receipt
from course_assignments.queries import MAX_PAGE, CourseQuery
from course_assignments.repository import Repository
from course_assignments.testing import samples
from course_assignments.testing.contract.base import (
    EVERYTHING,
    Examples,
    in_order,
    listed,
    store,
)
from course_assignments.time.datetimes import TICK

#: Ids in the order of their code points, which differs from every language.
IN_ORDER = (
    *("#", "-a", "10", "9", "A", "B", "Z", "a", "a ", "a b", "a-b", "aB", "aa", "ab", "z"),
    *("\u00c4", "\u00e4", "\u0130", "\u0131", "\u4e2d", "\uffdc", "\U0001f600"),
)


def everything(repository: Repository) -> list[Record | Event]:
    """Store all samples and return them; events get their positions."""
    repository.commit(Change(create=samples.RECORDS, record=samples.EVENTS))
    events = [
        attrs.evolve(one, position=place) for place, one in enumerate(samples.EVENTS, start=1)
    ]
    return [*(one for one in samples.RECORDS if not isinstance(one, Claim | Receipt)), *events]


class Ordering(Examples):
    """`find` returns records in the order of the query, page by page."""

    def test_everything_is_found_in_its_order(self, repository: Repository) -> None:
        """Records of every kind; those with the same datetime by id."""
        all_ = everything(repository)
        for query in EVERYTHING:
            kept = [one for one in all_ if isinstance(one, query.kind)]
            assert listed(repository, query) == in_order(query, kept)
            assert len(kept) >= len(samples.ORGANIZATIONS)

    def test_an_empty_repository_has_one_empty_page(self, repository: Repository) -> None:
        """This is true for every kind."""
        for query in EVERYTHING:
            page = repository.find(query)
            assert (page.records, page.next) == ((), None)

    def test_ids_are_ordered_by_code_point(self, repository: Repository) -> None:
        """For example, upper case comes before lower case."""
        assert list(IN_ORDER) == sorted(IN_ORDER)
        courses = [Course(id=name, name="A course") for name in IN_ORDER]
        repository.commit(Change(create=sorted(courses, key=hash)))
        assert listed(repository, CourseQuery()) == courses
        assert listed(repository, CourseQuery(limit=1)) == courses

    def test_pages_of_any_size_give_the_same(self, repository: Repository) -> None:
        """No record is missing or repeated, and no page is empty."""
        all_ = everything(repository)
        for query in EVERYTHING:
            expected = in_order(query, [one for one in all_ if isinstance(one, query.kind)])
            for limit in (*range(1, len(expected) + 2), MAX_PAGE):
                assert listed(repository, attrs.evolve(query, limit=limit)) == expected

    def test_a_page_starts_after_its_cursor(self, repository: Repository) -> None:
        """The cursor can be at any record."""
        all_ = everything(repository)
        for query in EVERYTHING:
            expected = in_order(query, [one for one in all_ if isinstance(one, query.kind)])
            for place, record in enumerate(expected, start=1):
                assert listed(repository, query.starting_after(record)) == expected[place:]

    def test_the_cursor_need_not_be_stored(self, repository: Repository) -> None:
        """The cursor can be between two records."""
        everything(repository)
        between = attrs.evolve(samples.PYTHON, id="q")
        assert listed(repository, CourseQuery().starting_after(between)) == [samples.SQL]

    def test_new_records_are_found_only_after_the_cursor(self, repository: Repository) -> None:
        """Pages that were already read do not change the next page."""
        names = ["b", "d", "f"]
        repository.commit(Change(create=[Course(id=one, name=one) for one in names]))
        page = repository.find(CourseQuery(limit=2))
        assert page.next is not None
        repository.commit(Change(create=[Course(id=one, name=one) for one in "ace"]))
        assert [one.id for one in repository.find(page.next)] == ["e", "f"]

    def test_datetimes_are_ordered_to_the_microsecond(self, repository: Repository) -> None:
        """This is also true around whole seconds and far from now."""
        later = (
            *(TICK * step for step in (-1, 0, 1, 10, 100_000, 999_999, 1_000_000)),
            *(samples.DAY * days for days in (-20_000, 20_000, 2_000_000)),
        )
        made = [
            attrs.evolve(samples.FRESH, id=f"{-place:03}", created_at=at, expires_at=at + TICK)
            for place, at in enumerate(sorted(samples.START + step for step in later))
        ]
        assert all(one.created_at < other.created_at for one, other in combinations(made, 2))
        store(repository)
        repository.commit(Change(create=made[::-1]))
        query = queries.AssignmentQuery(limit=3)
        assert listed(repository, query) == in_order(query, [*samples.ASSIGNMENTS, *made])
