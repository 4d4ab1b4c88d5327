"""Two changes at once come to what one after the other comes to, at every level of isolation.

Each pair meets while the first is written and not committed. What comes of it is compared with the
in-memory repository, to which the two are given one after the other.
"""

from itertools import product

import attrs
import pytest
from support.emptied import LEVELS, emptied, furnished
from support.races import outcome_of
from support.sessions import Met, Open, holds_nothing, meet, shares_nothing, without

from course_assignments import (
    Change,
    Conflict,
    Course,
    InMemoryRepository,
    Record,
    Replace,
    Repository,
    Use,
    User,
)
from course_assignments.changes import KINDS
from course_assignments.sqlalchemy import SqlRepository
from course_assignments.testing import stock
from course_assignments.testing.edits import edited
from course_assignments.testing.promises.base import contents

ALL = [*LEVELS, "AUTOCOMMIT"]
SAMPLES: dict[type, Record] = {type(record): record for record in reversed(stock.RECORDS)}


def takes(user: User, email: str) -> Replace:
    return Replace(user, attrs.evolve(user, email=email))


def of(record: Record) -> Replace:
    return Replace(record, edited(record))


NEW = Course(id="new", name="New")
EVE = User(id="eve", name="Eve", email="eve@example.org")

#: By what they do. Whatever they were decided on is stored when they meet.
CHANGES = {
    "create": Change(create=[NEW]),
    "create otherwise": Change(create=[attrs.evolve(NEW, name="Newer")]),
    "replace": Change(replace=[of(stock.PYTHON)]),
    "expect": Change(expect=[stock.PYTHON], create=[attrs.evolve(NEW, id="another")]),
    "expect one, replace another": Change(expect=[stock.PYTHON], replace=[of(stock.ACME)]),
    "replace the one, expect the other": Change(replace=[of(stock.PYTHON)], expect=[stock.ACME]),
    "use": Change(use=[Use(stock.SMALL, 1)]),
    "use the last": Change(use=[Use(stock.SPRING, 1)]),
    "give back": Change(use=[Use(stock.SPRING, -2)]),
    "revoke": Change(replace=[of(stock.SPRING)]),
    "expect a key": Change(expect=[stock.SPRING], create=[attrs.evolve(NEW, id="a third")]),
    "join": Change(create=[EVE]),
    "join with her address": Change(create=[attrs.evolve(EVE, id="eva")]),
    "take her address": Change(replace=[takes(stock.ADA, EVE.email)]),
    "take it too": Change(replace=[takes(stock.BO, EVE.email)]),
    "take what is given up": Change(create=[attrs.evolve(EVE, email=stock.ADA.email)]),
}


def check(level: str, first: Change, second: Change, *, kept: bool, make: Open) -> Met:
    """Fail unless what came of both is what comes of one after the other."""
    repository, memory = emptied(level), InMemoryRepository()
    for one in (repository, memory):
        one.commit(Change(create=stock.RECORDS))
    met = meet(furnished(level), first, second, kept=kept, make=make)
    # Who did not wait was there first.
    done = [first, second] if met.waited else [second, first]
    expected = {id(one): told(memory, one) for one in done if kept or one is second}
    assert expected.get(id(first)) is None, "both are told that all is stored"
    assert (type(met.outcome), contents(repository)) == (
        type(expected[id(second)]),
        contents(memory),
    )
    return met


def told(repository: Repository, change: Change) -> Conflict | None:
    outcome = outcome_of(lambda: repository.commit(change))
    assert outcome is None or isinstance(outcome, Conflict)
    return outcome


@pytest.mark.parametrize("level", ALL)
@pytest.mark.parametrize("kept", [True, False], ids=["kept", "rolled back"])
class TestTwoAtOnce:
    @pytest.mark.parametrize("first", CHANGES)
    def test_every_pair(self, level: str, first: str, *, kept: bool) -> None:
        for second in CHANGES.values():
            check(level, CHANGES[first], second, kept=kept, make=SqlRepository)

    @pytest.mark.parametrize("kind", KINDS)
    def test_every_kind(self, level: str, kind: type, *, kept: bool) -> None:
        record = SAMPLES[kind]
        replaced = Change(replace=[of(record)])
        expected = Change(expect=[record], create=[NEW])
        for first, second in ((replaced, replaced), (replaced, expected), (expected, replaced)):
            assert check(level, first, second, kept=kept, make=SqlRepository).waited


@pytest.mark.parametrize("level", ALL)
class TestWhoNeedNotWait:
    """Who only refers to what another one holds, or expects the same, goes on at once."""

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("expect", "expect one, replace another"),
            ("expect a key", "use"),
            ("replace", "use"),
            ("use", "use the last"),
            ("create", "join"),
        ],
    )
    def test_two_that_are_not_in_each_others_way(
        self, level: str, first: str, second: str
    ) -> None:
        both = CHANGES[first], CHANGES[second]
        assert not check(level, *both, kept=True, make=SqlRepository).waited

    def test_who_refers_to_what_is_replaced(self, level: str) -> None:
        attempt = Change(create=[attrs.evolve(stock.ATTEMPTS[0], id="t-9")])
        notes = Change(replace=[of(stock.STARTED)])
        assert stock.ATTEMPTS[0].assignment_id == stock.STARTED.id
        assert not check(level, notes, attempt, kept=True, make=SqlRepository).waited


class TestWithoutAGuard:
    @staticmethod
    def broken(make: Open, level: str) -> set[tuple[str, str]]:
        found = set()
        for first, second in product(CHANGES, CHANGES):
            try:
                check(level, CHANGES[first], CHANGES[second], kept=True, make=make)
            except AssertionError:
                found.add((first, second))
        return found

    def test_what_is_expected_changes_if_it_is_not_held(self) -> None:
        broken = self.broken(without(shares_nothing), "READ COMMITTED")
        assert {
            ("expect", "replace"),
            ("expect one, replace another", "replace the one, expect the other"),
            ("expect a key", "revoke"),
        } <= broken

    def test_an_update_is_lost_if_what_is_replaced_is_not_held(self) -> None:
        broken = self.broken(without(holds_nothing), "READ COMMITTED")
        assert {("replace", "replace"), ("revoke", "revoke")} <= broken

    def test_with_both_nothing_is(self) -> None:
        assert self.broken(SqlRepository, "READ COMMITTED") == set()
