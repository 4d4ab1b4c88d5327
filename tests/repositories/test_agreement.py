"""The kit for repositories: the reference repository agrees with itself, careless ones do not."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from course_assignments import EventQuery, InMemoryRepository, Repeat, Repository
from course_assignments.commands import COMMANDS
from course_assignments.testing import RepositoryAgreement
from tests.support import broken, races

#: Looks until something is found, and does not make it smaller.
SEARCH = settings(
    max_examples=500,
    phases=[Phase.generate],
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
#: The commands that change something.
CHANGING = COMMANDS.keys() - {"keys"}


class Agreement(RepositoryAgreement):
    def make(self) -> Repository:
        return InMemoryRepository()


TestInMemory = Agreement.TestCase

#: Faults that commands and searches come upon by themselves.
FAULTS: dict[str, Callable[[], Repository]] = {
    "what is created overwrites": races.careless(races.overwrites),
    "ids are blind for case": broken.CaseBlind,
    "the last to replace wins": races.careless(races.compares_nothing),
    "uses have no bound": races.careless(races.forgets_the_bound),
    "uses count whatever became of the key": races.careless(races.forgets_the_terms),
    "users have to retry": races.careless(races.makes_redeemers_retry),
    "events of what was lost stay": broken.Chatty,
    "a conflict names nothing": partial(broken.Naming, broken.no_ids),
    "a conflict names everything": partial(broken.Naming, broken.all_ids),
    "a conflict tells a code": partial(broken.Naming, broken.codes_too),
    "lost events take positions": broken.Gapped,
    "order is that of a dictionary": partial(broken.Searching, place=broken.as_a_dictionary_sorts),
    "pages repeat": partial(broken.Answering, broken.with_the_last_again),
    "texts are patterns": partial(broken.Searching, broken.with_wildcards),
    "addresses are remembered": broken.Forgetful,
    "windows are cut to the second": partial(broken.Rewriting, broken.with_windows_to_the_second),
    "months are days": partial(broken.Rewriting, broken.months_as_days),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.long
def test_the_machine_finds(fault: str) -> None:
    class Faulty(RepositoryAgreement):
        def make(self) -> Repository:
            return FAULTS[fault]()

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Faulty, settings=SEARCH)


# Rules leave notes, which they can only in a test of Hypothesis.
@given(repeat=st.sampled_from(Repeat))
def test_the_machine_says_what_each_of_them_lost(repeat: Repeat) -> None:
    class Faulty(RepositoryAgreement):
        def make(self) -> Repository:
            return FAULTS["uses have no bound"]()

    machine = Faulty()
    machine.start_registrars(restores=True, once=True, repeat=repeat)

    with pytest.raises(AssertionError, match=r"in memory \['id-\d+'\], conflicts here \[\]"):
        machine.commit(steps=[("use", 0, 0, 4)])


@pytest.mark.long
def test_every_command_is_carried_out_and_all_that_is_stored_is_whole() -> None:
    """A storage with foreign keys takes what the machine stores."""
    done: set[str] = set()

    class Counting(RepositoryAgreement):
        def make(self) -> Repository:
            return broken.WithForeignKeys()

        def do(self, name: str, /, *args: Any, **kwargs: Any) -> None:
            before = len(self.tested.repository.find(EventQuery(limit=10_000)))
            super().do(name, *args, **kwargs)
            if len(self.seen["Event"]) > before:
                done.add(name)

    run_state_machine_as_test(Counting, settings=settings(SEARCH, max_examples=100))
    assert CHANGING - done == set()


def test_the_base_makes_nothing() -> None:
    with pytest.raises(NotImplementedError):
        RepositoryAgreement().make()
