"""Histories of the in-memory repository are linearizable, and are not without one of its guards.

One thread runs at a time and the generator chooses which, so a seed always gives the same history.
"""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest

import course_assignments as ca
from tests.support import races
from tests.support.histories import random_history
from tests.support.history_tests import Empty, HistoryTests, refused
from tests.support.missing_guards import (
    Blind,
    Lags,
    ReadsOnce,
    StoresInTwoSteps,
    creates_over,
    expects_no,
    never_retries,
    replaces_anything,
)
from tests.support.races import Habit, careless

#: In how many histories a missing guard must be found.
ENOUGH = 600


class TestMemory(HistoryTests):
    OVERLAPS = (1,)

    @pytest.fixture
    def empty(self) -> Empty:
        return ca.InMemoryRepository

    @pytest.fixture
    def backend(self) -> str:
        return "memory"

    @pytest.fixture
    def short(self) -> int:
        return 100


def test_a_seed_gives_the_same_history_each_time() -> None:
    one, other = (random_history(7, ca.InMemoryRepository()) for _ in range(2))
    assert one == other


ASSIGNING = ("assign", "assign_many", "redeem", "register", "open_course")
ATTENDING = ("start", "pause", "resume", "finish")
KEYS = ("redeem", "register", "cancel", "edit_keys", "revoke_key")


@attrs.frozen
class Missing:
    """What a careless repository does, and the commands that rely on the guard."""

    habit: Habit
    actions: tuple[str, ...]


#: What is taken away, one at a time.
MISSING: Mapping[str, Missing] = {
    "an organization is created over another": Missing(creates_over(ca.Organization), ("add",)),
    "a course is created over another": Missing(creates_over(ca.Course), ("add",)),
    "a user is created over another": Missing(
        creates_over(ca.User), ("add", "register", "assign_many")
    ),
    "an assignment is created over another": Missing(creates_over(ca.CourseAssignment), ASSIGNING),
    "a claim is created over another": Missing(creates_over(ca.Claim), ASSIGNING),
    "an attempt is created over another": Missing(creates_over(ca.Attempt), ("start", "finish")),
    "a receipt is created over another": Missing(
        creates_over(ca.Receipt), ("assign_many", "cancel", "assign")
    ),
    "a subscription is created over another": Missing(
        creates_over(ca.Subscription), ("subscribe", "edit_subscription")
    ),
    "a batch is created over another": Missing(
        creates_over(ca.KeyBatch), ("create_keys", "add_keys")
    ),
    "a redemption is created over another": Missing(
        creates_over(ca.Redemption, ca.Claim), ("redeem", "cancel")
    ),
    "an organization is replaced without comparing": Missing(
        replaces_anything(ca.Organization), ("update",)
    ),
    "a course is replaced without comparing": Missing(replaces_anything(ca.Course), ("update",)),
    "a user is replaced without comparing": Missing(
        replaces_anything(ca.User), ("update", "anonymize", "register")
    ),
    "an assignment is replaced without comparing": Missing(
        replaces_anything(ca.CourseAssignment), ("cancel", "reschedule", "complete", "add_note")
    ),
    "a claim is replaced without comparing": Missing(
        replaces_anything(ca.Claim), ("assign", "open_course")
    ),
    "an attempt is replaced without comparing": Missing(replaces_anything(ca.Attempt), ATTENDING),
    "a subscription is replaced without comparing": Missing(
        replaces_anything(ca.Subscription),
        ("edit_subscription", "cancel_subscription", "open_course"),
    ),
    "a batch is replaced without comparing": Missing(
        replaces_anything(ca.KeyBatch), ("add_keys", "edit_keys")
    ),
    "a key is replaced without comparing": Missing(
        replaces_anything(ca.TrainingKey), ("revoke_key", "revoke_keys")
    ),
    "an organization is not expected": Missing(expects_no(ca.Organization), ("update", "register")),
    "a course is not expected": Missing(
        expects_no(ca.Course), ("update", "assign", "redeem", "start")
    ),
    "a user is not expected": Missing(expects_no(ca.User), ("update", "assign", "subscribe")),
    "an assignment is not expected": Missing(
        expects_no(ca.CourseAssignment), ("cancel", "pause", "resume")
    ),
    "a batch is not expected": Missing(expects_no(ca.KeyBatch), ("add_keys", "revoke_keys")),
    "uses are written as read": Missing(races.writes_uses_as_read, KEYS),
    "uses have no bound": Missing(races.forgets_the_bound, KEYS),
    "uses of changed keys count": Missing(races.forgets_the_terms, ("redeem", "revoke_key")),
    "uses are replaced with the key": Missing(races.replaces_uses_too, KEYS),
}


@pytest.mark.long
@pytest.mark.parametrize("name", MISSING)
def test_a_missing_guard_is_found(name: str) -> None:
    missing = MISSING[name]

    def make(seed: int) -> Any:
        return random_history(seed, careless(missing.habit)(), actions=missing.actions)

    assert refused(make, ENOUGH) is not None


#: What is taken away beside the comparisons of a commit.
OTHERS: Mapping[str, Callable[[int], Any]] = {
    "two users share an address": lambda seed: random_history(
        seed, Blind(ca.User), actions=("add", "register", "update")
    ),
    "two keys share a code": lambda seed: random_history(
        seed, Blind(ca.TrainingKey), actions=("create_keys", "add_keys")
    ),
    "a change is stored in two steps": lambda seed: random_history(
        seed, ca.InMemoryRepository(), wrap=StoresInTwoSteps
    ),
    "readings are old": lambda seed: random_history(seed, Lags()),
    "negative answers are read once": lambda seed: random_history(
        seed, ca.InMemoryRepository(), make=ReadsOnce
    ),
    "nothing is retried": lambda seed: random_history(
        seed, ca.InMemoryRepository(), make=never_retries
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("name", OTHERS)
def test_another_missing_guard_is_found(name: str) -> None:
    assert refused(OTHERS[name], ENOUGH) is not None


def test_a_careless_repository_with_all_guards_is_not_refused() -> None:
    def make(seed: int) -> Any:
        return random_history(seed, careless(races.honest)(), actions=KEYS)

    assert refused(make, 30) is None
