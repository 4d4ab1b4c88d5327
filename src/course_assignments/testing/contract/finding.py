"""The contract of `get` and `find`, and of the positions of events."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, TypeAlias

import attrs
import pytest

from course_assignments import queries
from course_assignments.changes import Change, Replace, Use
from course_assignments.entities.assignments import Direct, FromKey, FromSubscription
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import AssignmentStatus, CompletionStatus
from course_assignments.entities.keys import TrainingKey
from course_assignments.entities.people import User
from course_assignments.errors import Conflict
from course_assignments.queries import CourseQuery, EventQuery, KeyQuery, Query, UserQuery
from course_assignments.repository import Repository
from course_assignments.testing import samples
from course_assignments.testing.contract.base import (
    EVERYTHING,
    Examples,
    exactly,
    in_order,
    listed,
    store,
)
from course_assignments.testing.samples import at
from course_assignments.time.datetimes import TICK

#: Strings that cannot be the id of a stored record.
ODD_IDS = ("", " ", "\x00", "py\x00", "\ud800", "'; --", "%", "_", "p_", "\\", "y" * 10_000)

#: Ids in the order of their code points, which differs from every language.
IN_ORDER = (
    *("#", "-a", "10", "9", "A", "B", "Z", "a", "a b", "a-b", "aB", "aa", "ab", "z"),
    *("\u00c4", "\u00e4", "\u0130", "\u0131", "\u4e2d", "\uffdc", "\U0001f600"),
)

#: The events of the samples with their positions.
EVENTS = [attrs.evolve(one, position=at) for at, one in enumerate(samples.EVENTS, start=1)]

#: Values of one or two filters, by their names.
Filters: TypeAlias = Mapping[str, Any]


def _each(**values: Sequence[Any]) -> Iterator[Filters]:
    """Yield each of the values of each filter."""
    return ({name: value} for name, several in values.items() for value in several)


def _statuses(status: AssignmentStatus, *times: Any) -> Iterator[Filters]:
    return ({"status": status, "at": at} for at in times)


def _window(name: str, start: Any, until: Any) -> Iterator[Filters]:
    """Yield ranges with one or both limits, and with a limit that is a tick later."""
    first, end = f"{name}_from", f"{name}_until"
    yield from _each(**{first: [start, start + TICK], end: [until, until + TICK]})
    yield {first: start, end: until}


#: The filters of each query; each of them finds some records, but not all.
FILTERS: Mapping[type[Query[Any]], Sequence[Filters]] = {
    queries.OrganizationQuery: [*_each(parent_id=["acme"], name=["acme", "100%"])],
    queries.CourseQuery: [
        *_each(name=["python", "CAFE\N{COMBINING ACUTE ACCENT}"], archived=[True, False])
    ],
    queries.UserQuery: [
        *_each(
            name=["stra\N{LATIN SMALL LETTER SHARP S}e", "LOVE"],
            email=["ADA@EXAMPLE.ORG", "REE\u0301@example.org", "STRASSE@example.org"],
            emails=[["nobody@example.org", "ADA@EXAMPLE.ORG"]],
            organization_id=["acme", "nowhere"],
        )
    ],
    queries.AttemptQuery: [*_each(assignment_id=["a-2"], activity_id=["lab"])],
    queries.SubscriptionQuery: [
        *_each(learner_id=["ada"], organization_id=["acme"]),
        *_window("created", at(0), at(1)),
        *_window("expires", at(29 * 24), at(30 * 24 + 1)),
    ],
    queries.BatchQuery: [
        *_each(course_id=["py"], organization_id=["acme"], name=["SPRING 50%"]),
        *_each(redeemable_from=[at(10)], redeemable_until=[at(20)]),
        {"redeemable_from": at(9), "redeemable_until": at(10)},
        {"redeemable_from": at(10, -1), "redeemable_until": at(10)},
        {"redeemable_from": at(10), "redeemable_until": at(20)},
        {"redeemable_from": at(20, -1), "redeemable_until": at(20)},
        {"redeemable_from": at(20), "redeemable_until": at(21)},
        *_window("created", at(1), at(2)),
    ],
    queries.KeyQuery: [
        *_each(
            batch_ids=[["spring"], ["winter", "nothing", "summer", "winter"]],
            code=[" spring\u20132026\u200b", "TRAINING KEY OOOOOI", "oooo-oooo oooo-oool-2"],
            codes=[["oooo-oooo oooo-oool-2", "Spring-2026", "Not-there", "Spring-2026 "]],
            redeemed=[True, False],
            min_uses=[1],
            revoked=[True, False],
            usable=[True, False],
        )
    ],
    queries.RedemptionQuery: [*_each(key_id=["k-1"], learner_id=["bo", "Cy"])],
    queries.EventQuery: [*_each(after=[2, 4])],
    queries.AssignmentQuery: [
        *_each(learner_id=["ada", "Cy"], course_id=["py"], organization_id=["acme"]),
        *_each(learner_ids=[["ada"], ["Cy", "nobody", "bo"]], course_ids=[["sql", "py-2"]]),
        *_each(batch_id=["spring"], subscription_id=["s-2"]),
        *_each(
            completion=[
                *CompletionStatus,
                [CompletionStatus.NOT_STARTED, CompletionStatus.COMPLETE],
            ],
            origin=[Direct, FromKey, FromSubscription],
        ),
        *_statuses(AssignmentStatus.SCHEDULED, at(1), at(2)),
        *_statuses(AssignmentStatus.ACTIVE, at(0), at(2, -1), at(2), at(4)),
        *_statuses(AssignmentStatus.EXPIRED, at(3), at(500)),
        *_statuses(AssignmentStatus.CANCELLED, at(2), at(500)),
        *_window("created", at(0), at(3)),
        *_window("started", at(1), at(4)),
        *_window("completed", at(1), at(2)),
        *_window("expires", at(10 * 24), at(10 * 24 + 4)),
    ],
}


def _stored(repository: Repository) -> list[Any]:
    """Store all samples, and return them with the positions of the events."""
    repository.commit(Change(create=samples.RECORDS, record=samples.EVENTS))
    return [*samples.RECORDS, *EVENTS]


def _expected(repository: Repository) -> Iterator[tuple[Query[Any], list[Any]]]:
    """Store all samples, and yield each query with everything that it finds, in order."""
    all_ = _stored(repository)
    for query in EVERYTHING:
        yield query, in_order(query, [one for one in all_ if isinstance(one, query.kind)])


class Finding(Examples):
    """`get` and `find` return what is stored, in the order of the query."""

    # get

    def test_unknown_ids_are_left_out(self, repository: Repository) -> None:
        """Repeated ids are returned once; the ids may be any iterable."""
        assert repository.get(Course, ["py"]) == {}
        store(repository)
        found = repository.get(Course, iter(["sql", "nothing", "py", "sql"]))
        assert found == {"sql": samples.SQL, "py": samples.PYTHON}
        assert repository.get(Course, []) == {}
        assert repository.get(User, ["py"]) == {}

    def test_under_odd_ids_nothing_is_found(self, repository: Repository) -> None:
        store(repository)
        for kind in {type(one) for one in samples.RECORDS}:
            assert repository.get(kind, ODD_IDS) == {}
        assert repository.get(Course, [*ODD_IDS, "py"]) == {"py": samples.PYTHON}

    def test_many_ids_may_be_asked_for_at_once(self, repository: Repository) -> None:
        store(repository)
        many = (f"Not-there-{place}" for place in range(100_000))
        found = repository.get(TrainingKey, [samples.SPRING.id, *many, samples.SMALL.id])
        assert found == {samples.SPRING.id: samples.SPRING, samples.SMALL.id: samples.SMALL}

    def test_what_was_read_is_a_snapshot(self, repository: Repository) -> None:
        """Later commits do not change the result, and changing the result stores nothing."""
        store(repository)
        found = repository.get(Course, ["py"])
        renamed = attrs.evolve(samples.PYTHON, name="Snakes")
        repository.commit(Change(replace=[Replace(samples.PYTHON, renamed)]))
        later = repository.get(Course, ["py"])
        assert found == {"py": samples.PYTHON}
        found.clear()
        assert later == repository.get(Course, ["py"]) == {"py": renamed}

    # the positions of events

    def test_events_are_numbered_from_one_without_a_gap(self, repository: Repository) -> None:
        """A change that conflicts does not use a position."""
        store(repository)
        repository.commit(Change(record=samples.EVENTS[:2]))
        with pytest.raises(Conflict):
            repository.commit(Change(create=[samples.ADA], record=samples.EVENTS))
        repository.commit(Change(expect=[samples.ADA]))
        repository.commit(Change(record=samples.EVENTS[2:]))
        assert exactly(listed(repository, EventQuery())) == exactly(EVENTS)

    def test_positions_of_new_events_are_ignored(self, repository: Repository) -> None:
        numbered = [attrs.evolve(event, position=99) for event in samples.EVENTS]
        repository.commit(Change(record=numbered))
        assert listed(repository, EventQuery()) == EVENTS

    # order and pages

    def test_everything_is_found_in_its_order(self, repository: Repository) -> None:
        """Pages of any size give the same; records with the same datetime are sorted by id."""
        for query, expected in _expected(repository):
            assert len(expected) >= len(samples.ORGANIZATIONS)
            for limit in (query.limit, *range(1, len(expected) + 2), queries.MAX_PAGE):
                assert listed(repository, attrs.evolve(query, limit=limit)) == expected

    def test_an_empty_repository_has_one_empty_page(self, repository: Repository) -> None:
        for query in EVERYTHING:
            page = repository.find(query)
            assert (page.records, page.next) == ((), None)

    def test_ids_are_ordered_by_code_point(self, repository: Repository) -> None:
        assert list(IN_ORDER) == sorted(IN_ORDER)
        courses = [Course(id=name, name="A course") for name in IN_ORDER]
        repository.commit(Change(create=sorted(courses, key=hash)))
        assert listed(repository, CourseQuery()) == courses
        assert listed(repository, CourseQuery(limit=1)) == courses

    def test_a_page_starts_after_its_cursor(self, repository: Repository) -> None:
        """The cursor can be at any record, and between two records."""
        for query, expected in _expected(repository):
            for place, record in enumerate(expected, start=1):
                assert listed(repository, query.starting_after(record)) == expected[place:]
        between = attrs.evolve(samples.PYTHON, id="q")
        assert listed(repository, CourseQuery().starting_after(between)) == [samples.SQL]

    def test_new_records_are_found_only_after_the_cursor(self, repository: Repository) -> None:
        names = ["b", "d", "f"]
        repository.commit(Change(create=[Course(id=one, name=one) for one in names]))
        page = repository.find(CourseQuery(limit=2))
        assert page.next is not None
        repository.commit(Change(create=[Course(id=one, name=one) for one in "ace"]))
        assert [one.id for one in repository.find(page.next)] == ["e", "f"]

    def test_datetimes_are_ordered_to_the_microsecond(self, repository: Repository) -> None:
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

    # filters

    def test_records_match_each_filter_and_any_two(self, repository: Repository) -> None:
        all_ = _stored(repository)
        for kind, filters in FILTERS.items():
            kept = [one for one in all_ if isinstance(one, kind.kind)]
            for facts in filters:
                assert 0 < len(in_order(kind(**facts), kept)) < len(kept), facts
            for one, other in combinations([dict[str, Any](), *filters], 2):
                if not one.keys() & other.keys():
                    query = kind(**one, **other, limit=2)
                    assert listed(repository, query) == in_order(query, kept), query

    def test_filters_without_a_match_find_nothing(self, repository: Repository) -> None:
        _stored(repository)
        for query in (
            queries.OrganizationQuery(parent_id="Acme"),
            queries.AssignmentQuery(learner_id="ADA"),
            queries.AssignmentQuery(completion=[]),
            queries.AttemptQuery(assignment_id="a-2."),
            queries.SubscriptionQuery(learner_id="nobody"),
            queries.BatchQuery(course_id="PY"),
            queries.RedemptionQuery(key_id="K-1"),
            KeyQuery(batch_ids=[]),
            KeyQuery(code="Spring2026"),
            KeyQuery(codes=[]),
            KeyQuery(codes=["Spring2026", "", "~"]),
            KeyQuery(code="Spring-2026", codes=["Training-Key-000001"]),
            UserQuery(email="ada@example"),
            EventQuery(after=5),
            EventQuery(after=99),
        ):
            assert listed(repository, query) == [], query

    def test_replaced_records_are_found_by_new_values_only(self, repository: Repository) -> None:
        store(repository)
        moved = samples.user("ada", "beta", name="Eve", email="eve@example.org")
        done = attrs.evolve(samples.STARTED, completed_at=samples.START + samples.DAY)
        pairs = ((samples.ADA, moved), (samples.STARTED, done))
        repository.commit(Change(replace=[Replace(*pair) for pair in pairs]))
        for query, found in (
            (UserQuery(organization_id="acme"), [samples.MANAGER]),
            (UserQuery(organization_id="beta"), [moved, samples.BO]),
            (UserQuery(name="ada"), []),
            (UserQuery(name="eve"), [moved]),
            (UserQuery(email="ada@example.org"), []),
            (UserQuery(email="eve@example.org"), [moved]),
            (queries.AssignmentQuery(course_id="sql", learner_id="ada"), [done]),
            (queries.AssignmentQuery(completed_from=samples.START + samples.DAY), [done]),
        ):
            assert listed(repository, query) == found, query
        repository.commit(Change(use=[Use(samples.SPRING, 1)]))
        usable = KeyQuery(batch_ids=["spring"], usable=True)
        assert listed(repository, usable) == [samples.SMALL]

    def test_searched_strings_are_plain(self, repository: Repository) -> None:
        names = ("100%", "100 percent", "a_b", "aXb", "c\\d", "cd", "[e]", "e", "f*", "f?", "'g\"")
        courses = {name: Course(id=name, name=f"<{name}>") for name in names}
        repository.commit(Change(create=courses.values()))
        for text in (*names, "%", "_", "\\", "*", "?", "[", "]", "'", '"', "^", "<100%>", "%>"):
            expected = [courses[name] for name in sorted(names) if text in f"<{name}>"]
            assert listed(repository, CourseQuery(name=text)) == expected, text

    def test_strings_are_compared_folded(self, repository: Repository) -> None:
        """Case, composition, white space and what cannot be seen do not matter."""
        pairs = (
            ("No\u00a0break", " no  BREAK\u3000"),
            ("Ze\u200bro\u00adwidth", "\ufeffZEROWIDTH"),
            ("Stra\u00dfe", "STRASSE"),
            ("Caf\u00e9", "CAFE\u0301"),
            ("\u0130zmir", "i\u0307ZMIR"),
            ("\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2"),
            ("\ufb01n", "FIN"),
            ("\U00010400", "\U00010428"),
        )
        for place, (name, _) in enumerate(pairs):
            named: dict[str, Any] = {"id": f"{place}", "name": f"The {name}."}
            user = User(**named, email=f"{place}@example.org")
            repository.commit(Change(create=[Course(**named), Organization(**named), user]))
        for place, pair in enumerate(pairs):
            for text in pair:
                for kind in (CourseQuery, queries.OrganizationQuery, UserQuery):
                    found = listed(repository, kind(name=text))
                    assert [one.id for one in found] == [f"{place}"], text

    def test_long_strings_and_lists_are_accepted(self, repository: Repository) -> None:
        store(repository)
        assert listed(repository, CourseQuery(name="p" * 10_000)) == []
        assert listed(repository, CourseQuery(name="%" * 10_000)) == []
        assert listed(repository, UserQuery(email="\U0001f600" * 10_000)) == []
        many = [*(f"batch-{place}" for place in range(40_000)), "spring"]
        assert listed(repository, KeyQuery(batch_ids=many)) == [samples.SPRING, samples.SMALL]
