"""The agreement: the reference repository agrees with itself, faulty repositories do not."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from course_assignments import EventQuery, InMemoryRepository, Repeat, Repository, Use
from course_assignments.commands import COMMANDS
from course_assignments.testing import RepositoryAgreement
from tests.support import broken

#: Searches until something is found, without shrinking.
SEARCH = settings(
    max_examples=500,
    phases=[Phase.generate],
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class Agreement(RepositoryAgreement):
    def make(self) -> Repository:
        return InMemoryRepository()


TestInMemory = Agreement.TestCase

#: Faults that commands, searches and changes find without an example; see `broken.faulty`.
FAULTS = [
    *("overwrites", "ComparesWithoutCase", "compares_nothing", "forgets_the_bound"),
    *("forgets_the_terms", "makes_redeemers_retry", "stores_events_of_conflicts", "names_no_id"),
    *("names_all_ids", "names_codes", "NumbersEventsFirst", "sorts_without_case"),
    *("repeats_the_last_record", "reads_strings_as_patterns", "KeepsAddressesInItsIndex"),
    *("cuts_windows_to_the_second", "stores_months_as_days"),
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.long
def test_the_machine_finds(fault: str) -> None:
    class Faulty(RepositoryAgreement):
        def make(self) -> Repository:
            return broken.faulty(fault)

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Faulty, settings=SEARCH)


# Rules leave notes, which Hypothesis accepts only in one of its tests.
@given(repeat=st.sampled_from(Repeat))
def test_the_machine_shows_the_conflicts_of_both(repeat: Repeat) -> None:
    class Faulty(RepositoryAgreement):
        def make(self) -> Repository:
            return broken.faulty("forgets_the_bound")

    machine = Faulty()
    machine.start_registrars(restores=True, once=True, repeat=repeat)
    with pytest.raises(AssertionError, match=r"in memory \['id-\d+'\], conflicts here \[\]"):
        machine.commit(steps=[("use", Use(machine.seen["TrainingKey"][0], 4))])


@pytest.mark.long
def test_every_command_succeeds_and_stores_only_references_to_stored_records() -> None:
    done: set[str] = set()

    class Counting(RepositoryAgreement):
        def make(self) -> Repository:
            return broken.WithForeignKeys()

        def do(self, name: str, /, *args: Any, **kwargs: Any) -> None:
            before = len(self.tested.repository.find(EventQuery(limit=10_000)))
            super().do(name, *args, **kwargs)
            if len(self.seen["Event"]) > before:
                done.add(name)

    run_state_machine_as_test(Counting, settings=SEARCH)
    assert COMMANDS.keys() - done == {"keys"}  # which only reads


def test_the_base_class_makes_no_repository() -> None:
    with pytest.raises(NotImplementedError):
        RepositoryAgreement().make()
