"""Two changes at once come to what one after the other comes to, at every level of isolation.

Each pair meets while the first is written and not committed. What comes of it is compared with the
in-memory repository, to which the two are given one after the other.
"""

from collections.abc import Sequence
from functools import partial
from itertools import product

import attrs
import pytest

import course_assignments as ca
from course_assignments.changes import KINDS
from course_assignments.sqlalchemy import SqlRepository
from course_assignments.testing import samples
from course_assignments.testing.contract.base import contents
from course_assignments.testing.variants import edited
from tests.support.empty_database import LEVELS, empty_repository, engine_with_tables
from tests.support.races import outcome_of
from tests.support.sessions import Met, Open, holds_nothing, meet, shares_nothing, without

ALL = [*LEVELS, "AUTOCOMMIT"]
SAMPLES: dict[type, ca.Record] = {type(record): record for record in reversed(samples.RECORDS)}


def takes(user: ca.User, email: str) -> ca.Replace:
    return ca.Replace(user, attrs.evolve(user, email=email))


def of(record: ca.Record) -> ca.Replace:
    return ca.Replace(record, edited(record))


NEW = ca.Course(id="new", name="New")
EVE = ca.User(id="eve", name="Eve", email="eve@example.org")

#: What the changes below were decided on.
KNOWN = (
    samples.ACME,
    samples.PYTHON,
    samples.ADA,
    samples.BO,
    samples.BATCHES[0],
    samples.SPRING,
    samples.SMALL,
)

#: Changes by what they do, in groups that are about the same.
CREATING = {
    "create": ca.Change(create=[NEW]),
    "create it otherwise": ca.Change(create=[attrs.evolve(NEW, name="Newer")]),
}
EXPECTING = {
    "replace": ca.Change(replace=[of(samples.PYTHON)]),
    "expect": ca.Change(expect=[samples.PYTHON], create=[attrs.evolve(NEW, id="another")]),
    "expect, replace another": ca.Change(expect=[samples.PYTHON], replace=[of(samples.ACME)]),
    "replace, expect another": ca.Change(replace=[of(samples.PYTHON)], expect=[samples.ACME]),
}
COUNTING = {
    "use": ca.Change(use=[ca.Use(samples.SMALL, 1)]),
    "use the last": ca.Change(use=[ca.Use(samples.SPRING, 1)]),
    "give back": ca.Change(use=[ca.Use(samples.SPRING, -2)]),
    "revoke": ca.Change(replace=[of(samples.SPRING)]),
    "expect a key": ca.Change(expect=[samples.SPRING], create=[NEW]),
}
NAMING = {
    "join": ca.Change(create=[EVE]),
    "join with her address": ca.Change(create=[attrs.evolve(EVE, id="eva")]),
    "take her address": ca.Change(replace=[takes(samples.ADA, EVE.email)]),
    "take it too": ca.Change(replace=[takes(samples.BO, EVE.email)]),
    "swap": ca.Change(
        replace=[takes(samples.ADA, samples.BO.email), takes(samples.BO, samples.ADA.email)]
    ),
}
GROUPS = (CREATING, EXPECTING, COUNTING, NAMING)
CHANGES = {**CREATING, **EXPECTING, **COUNTING, **NAMING}
PAIRS = [pair for group in GROUPS for pair in product(group, repeat=2)]


def check(
    level: str,
    first: ca.Change,
    second: ca.Change,
    *,
    kept: bool = True,
    known: Sequence[ca.Record] = KNOWN,
    make: Open = SqlRepository,
) -> Met:
    """Fail unless what came of both is what comes of one after the other."""
    repository, memory = empty_repository(level), ca.InMemoryRepository()
    for one in (repository, memory):
        one.commit(ca.Change(create=known))
    met = meet(engine_with_tables(level), first, second, kept=kept, make=make)
    # Who did not wait was there first.
    if met.kept and met.waited:
        assert told(memory, first) is None
    outcome = told(memory, second)
    if met.kept and not met.waited:
        assert told(memory, first) is None, "both were told that all is stored"
    assert (type(met.outcome), contents(repository)) == (type(outcome), contents(memory))
    return met


def told(repository: ca.Repository, change: ca.Change) -> ca.CourseAssignmentsError | None:
    return outcome_of(partial(repository.commit, change))


@pytest.mark.parametrize("level", ALL)
class TestTwoAtOnce:
    @pytest.mark.parametrize("kept", [True, False], ids=["kept", "rolled back"])
    @pytest.mark.parametrize("group", GROUPS, ids=["creating", "expecting", "counting", "naming"])
    def test_every_pair(self, level: str, group: dict[str, ca.Change], *, kept: bool) -> None:
        for first, second in product(group.values(), repeat=2):
            check(level, first, second, kept=kept)

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("expect", "expect, replace another"),
            ("expect a key", "use"),
            ("replace", "use"),
            ("use", "use the last"),
            ("create", "join"),
        ],
    )
    def test_independent_changes_do_not_wait(self, level: str, first: str, second: str) -> None:
        assert not check(level, CHANGES[first], CHANGES[second]).waited

    @pytest.mark.parametrize("kept", [True, False], ids=["kept", "rolled back"])
    def test_an_address_is_free_once_it_is_given_up(self, level: str, *, kept: bool) -> None:
        taking = ca.Change(create=[attrs.evolve(EVE, email=samples.ADA.email)])
        met = check(level, CHANGES["take her address"], taking, kept=kept)
        assert (met.waited, met.outcome) == (True, None if kept else ca.Conflict(("eve",)))

    def test_a_reference_does_not_wait_for_an_edit(self, level: str) -> None:
        attempt = ca.Change(create=[attrs.evolve(samples.ATTEMPTS[0], id="t-9")])
        edit = ca.Change(replace=[of(samples.STARTED)])
        assert samples.ATTEMPTS[0].assignment_id == samples.STARTED.id
        assert not check(level, edit, attempt, known=samples.RECORDS).waited


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_held(kind: type) -> None:
    record = SAMPLES[kind]
    replaced = ca.Change(replace=[of(record)])
    expected = ca.Change(expect=[record], create=[NEW])
    for pair in ((replaced, replaced), (replaced, expected), (expected, replaced)):
        assert check("READ COMMITTED", *pair, known=samples.RECORDS).waited


class TestWithoutAGuard:
    @staticmethod
    def broken(make: Open) -> set[tuple[str, str]]:
        found = set()
        for first, second in PAIRS:
            try:
                check("READ COMMITTED", CHANGES[first], CHANGES[second], make=make)
            except AssertionError:
                found.add((first, second))
        return found

    def test_what_is_expected_changes_if_it_is_not_held(self) -> None:
        assert self.broken(without(shares_nothing)) == {
            ("expect", "replace"),
            ("expect", "replace, expect another"),
            ("expect, replace another", "replace"),
            ("expect, replace another", "replace, expect another"),
            ("replace, expect another", "expect, replace another"),
            ("expect a key", "revoke"),
            ("expect a key", "give back"),
            ("expect a key", "use the last"),
        }

    def test_an_update_is_lost_if_what_is_replaced_is_not_held(self) -> None:
        broken = self.broken(without(holds_nothing))
        assert {("replace", "replace"), ("revoke", "revoke")} <= broken

    def test_with_both_nothing_is(self) -> None:
        assert self.broken(SqlRepository) == set()
