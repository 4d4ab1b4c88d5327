"""The contract of `find` for filters: each alone, and any two together."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import attrs

from course_assignments import queries
from course_assignments.changes import Change, Replace, Use
from course_assignments.entities.assignments import Direct, FromKey, FromSubscription
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import AssignmentStatus, CompletionStatus
from course_assignments.entities.people import User
from course_assignments.queries import CourseQuery, KeyQuery, Query, UserQuery
from course_assignments.repository import Repository
from course_assignments.testing import samples
from course_assignments.testing.contract.base import Examples, in_order, listed, store
from course_assignments.time.datetimes import TICK

Filters = Sequence[Mapping[str, Any]]


def _at(hours: int, ticks: int = 0) -> Any:
    return samples.START + hours * samples.HOUR + ticks * TICK


def _window(name: str, start: Any, until: Any) -> Filters:
    """Return ranges with one or both limits, and with a limit that is a tick later."""
    return (
        {f"{name}_from": start},
        {f"{name}_from": start + TICK},
        {f"{name}_until": until},
        {f"{name}_until": until + TICK},
        {f"{name}_from": start, f"{name}_until": until},
    )


#: The filters of each query; each of them finds some records, but not all.
FILTERS: Mapping[type[Query[Any]], Filters] = {
    queries.OrganizationQuery: (
        {"parent_id": "acme"},
        {"name": "acme"},
        {"name": "100%"},
    ),
    queries.CourseQuery: (
        {"name": "python"},
        {"name": "CAFE\N{COMBINING ACUTE ACCENT}"},
        {"archived": True},
        {"archived": False},
    ),
    queries.UserQuery: (
        {"name": "stra\N{LATIN SMALL LETTER SHARP S}e"},
        {"name": "LOVE"},
        {"email": "ADA@EXAMPLE.ORG"},
        {"email": "RE\N{LATIN CAPITAL LETTER E}\N{COMBINING ACUTE ACCENT}@example.org"},
        {"email": "STRASSE@example.org"},
        {"organization_id": "acme"},
        {"organization_id": "nowhere"},
    ),
    queries.AssignmentQuery: (
        {"learner_id": "ada"},
        {"learner_id": "Cy"},
        {"course_id": "py"},
        {"organization_id": "acme"},
        {"batch_id": "spring"},
        {"subscription_id": "s-2"},
        *(
            {"status": status, "at": _at(hours)}
            for status, hours in (
                (AssignmentStatus.SCHEDULED, 1),
                (AssignmentStatus.SCHEDULED, 2),
                (AssignmentStatus.ACTIVE, 0),
                (AssignmentStatus.ACTIVE, 2),
                (AssignmentStatus.ACTIVE, 4),
                (AssignmentStatus.EXPIRED, 3),
                (AssignmentStatus.EXPIRED, 500),
                (AssignmentStatus.CANCELLED, 2),
                (AssignmentStatus.CANCELLED, 500),
            )
        ),
        {"status": AssignmentStatus.ACTIVE, "at": _at(2, -1)},
        *({"completion": one} for one in CompletionStatus),
        {"completion": [CompletionStatus.NOT_STARTED, CompletionStatus.COMPLETE]},
        *({"origin": one} for one in (Direct, FromKey, FromSubscription)),
        *_window("created", _at(0), _at(3)),
        *_window("started", _at(1), _at(4)),
        *_window("completed", _at(1), _at(2)),
        *_window("expires", _at(10 * 24), _at(10 * 24 + 4)),
    ),
    queries.AttemptQuery: ({"assignment_id": "a-2"}, {"activity_id": "lab"}),
    queries.SubscriptionQuery: (
        {"learner_id": "ada"},
        {"organization_id": "acme"},
        *_window("created", _at(0), _at(1)),
        *_window("expires", _at(29 * 24), _at(30 * 24 + 1)),
    ),
    queries.BatchQuery: (
        {"course_id": "py"},
        {"organization_id": "acme"},
        {"name": "SPRING 50%"},
        {"redeemable_from": _at(10)},
        {"redeemable_until": _at(20)},
        *(
            {"redeemable_from": start, "redeemable_until": until}
            for start, until in (
                (_at(9), _at(10)),
                (_at(10, -1), _at(10)),
                (_at(10), _at(20)),
                (_at(20, -1), _at(20)),
                (_at(20), _at(21)),
            )
        ),
        *_window("created", _at(1), _at(2)),
    ),
    queries.KeyQuery: (
        {"batch_ids": ["spring"]},
        {"batch_ids": ["winter", "nothing", "summer", "winter"]},
        {"code": " Spring-2026 "},
        {"code": "oooo-oooo oooo-oool-2"},
        {"codes": ["oooo-oooo oooo-oool-2", "Spring-2026", "Not-there", "Spring-2026 "]},
        {"redeemed": True},
        {"redeemed": False},
        {"usable": True},
        {"usable": False},
    ),
    queries.RedemptionQuery: (
        {"key_id": "k-1"},
        {"learner_id": "bo"},
        {"learner_id": "Cy"},
    ),
}


def _check(repository: Repository, kind: type[Query[Any]]) -> None:
    """Fail unless each filter, and any two filters, find matching records in order."""
    store(repository)
    filters = FILTERS[kind]
    all_ = [one for one in samples.RECORDS if isinstance(one, kind.kind)]
    for facts in filters:
        query = kind(**facts, limit=2)
        expected = in_order(query, all_)
        assert 0 < len(expected) < len(all_), query
        assert listed(repository, query) == expected
    for one, other in combinations(filters, 2):
        if not one.keys() & other.keys():
            query = kind(**one, **other, limit=2)
            assert listed(repository, query) == in_order(query, all_)


class Filtering(Examples):
    """`find` returns only the records that match every filter."""

    def test_organizations(self, repository: Repository) -> None:
        """By name and parent."""
        _check(repository, queries.OrganizationQuery)

    def test_courses(self, repository: Repository) -> None:
        """By name, archived or not."""
        _check(repository, queries.CourseQuery)

    def test_users(self, repository: Repository) -> None:
        """By name, e-mail address and organization."""
        _check(repository, queries.UserQuery)

    def test_assignments(self, repository: Repository) -> None:
        """By ids, status, completion, origin and datetimes."""
        _check(repository, queries.AssignmentQuery)

    def test_attempts(self, repository: Repository) -> None:
        """By assignment and activity."""
        _check(repository, queries.AttemptQuery)

    def test_subscriptions(self, repository: Repository) -> None:
        """By learner, organization and datetimes."""
        _check(repository, queries.SubscriptionQuery)

    def test_batches(self, repository: Repository) -> None:
        """By course, organization, name, redemption window and creation."""
        _check(repository, queries.BatchQuery)

    def test_keys(self, repository: Repository) -> None:
        """By batch, code, codes, and whether they were or can be redeemed."""
        _check(repository, queries.KeyQuery)

    def test_redemptions(self, repository: Repository) -> None:
        """By key and learner."""
        _check(repository, queries.RedemptionQuery)

    def test_filters_without_a_match_find_nothing(self, repository: Repository) -> None:
        """An empty list of values finds nothing either."""
        store(repository)
        for query in (
            queries.OrganizationQuery(parent_id="Acme"),
            queries.AssignmentQuery(learner_id="ADA"),
            queries.AssignmentQuery(completion=[]),
            queries.AttemptQuery(assignment_id="a-2 "),
            queries.SubscriptionQuery(learner_id="nobody"),
            queries.BatchQuery(course_id="PY"),
            queries.RedemptionQuery(key_id="K-1"),
            KeyQuery(batch_ids=[]),
            KeyQuery(code="SPRING-2026"),
            KeyQuery(codes=[]),
            KeyQuery(codes=["SPRING-2026", "", "~"]),
            KeyQuery(code="Spring-2026", codes=["spring-2026"]),
            UserQuery(email="ada@example"),
        ):
            assert listed(repository, query) == [], query

    def test_replaced_records_are_found_by_new_values_only(self, repository: Repository) -> None:
        """Filters do not compare former values."""
        store(repository)
        moved = attrs.evolve(
            samples.ADA, organization_id="beta", name="Eve", email="eve@example.org"
        )
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
        used_up = [samples.SMALL]
        assert listed(repository, KeyQuery(batch_ids=["spring"], usable=True)) == used_up

    def test_searched_strings_are_plain(self, repository: Repository) -> None:
        """The special characters of a search engine have no special meaning."""
        names = ("100%", "100 percent", "a_b", "aXb", "c\\d", "cd", "[e]", "e", "f*", "f?", "'g\"")
        courses = {name: Course(id=name, name=f"<{name}>") for name in names}
        repository.commit(Change(create=courses.values()))
        for text in (*names, "%", "_", "\\", "*", "?", "[", "]", "'", '"', "^", "<100%>", "%>"):
            expected = [courses[name] for name in sorted(names) if text in f"<{name}>"]
            assert listed(repository, CourseQuery(name=text)) == expected, text

    def test_strings_are_compared_folded(self, repository: Repository) -> None:
        """Case and composition do not matter, even if folding makes a string longer."""
        pairs = (
            ("Stra\u00dfe", "STRASSE"),
            ("Caf\u00e9", "CAFE\u0301"),
            ("\u0130zmir", "i\u0307ZMIR"),
            ("\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2"),
            ("\ufb01n", "FIN"),
            ("\U00010400", "\U00010428"),
        )
        for place, (name, _) in enumerate(pairs):
            repository.commit(
                Change(
                    create=[
                        Course(id=f"c-{place}", name=f"The {name}."),
                        Organization(id=f"o-{place}", name=f"The {name}."),
                        User(id=f"u-{place}", name=f"The {name}.", email=f"{place}@example.org"),
                    ]
                )
            )
        for place, (name, typed) in enumerate(pairs):
            for text in (name, typed):
                for kind, prefix in (
                    (CourseQuery, "c"),
                    (queries.OrganizationQuery, "o"),
                    (UserQuery, "u"),
                ):
                    found = listed(repository, kind(name=text))
                    assert [one.id for one in found] == [f"{prefix}-{place}"], text

    def test_long_strings_and_lists_are_accepted(self, repository: Repository) -> None:
        """They are not an error."""
        store(repository)
        assert listed(repository, CourseQuery(name="p" * 10_000)) == []
        assert listed(repository, CourseQuery(name="%" * 10_000)) == []
        assert listed(repository, UserQuery(email="\U0001f600" * 10_000)) == []
        many = [*(f"batch-{place}" for place in range(40_000)), "spring"]
        assert listed(repository, KeyQuery(batch_ids=many)) == [samples.SPRING, samples.SMALL]
