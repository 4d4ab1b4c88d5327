"""SQLite keeps what every repository promises, in memory and in a file, however it is opened."""

from collections.abc import Generator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Engine

from course_assignments import Repository
from course_assignments.testing import RepositoryAgreement, RepositoryContract
from tests.support.machine_learning import LearningMachine
from tests.support.sql import SETUPS, closing, open_file, open_memory, stocked


class TestSqlite(RepositoryContract):
    @pytest.fixture(params=["memory", "file"])
    def repository(self, request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Repository]:
        is_file = request.param == "file"
        with closing(open_file(tmp_path / "records.db") if is_file else open_memory()) as engine:
            yield stocked(engine)


#: Of each group of promises some that need a transaction.
TOLD = (
    RepositoryContract.test_records_may_come_in_any_order,
    RepositoryContract.test_a_taken_id_is_lost,
    RepositoryContract.test_an_address_or_a_code_that_was_given_up_is_free,
    RepositoryContract.test_an_unchanged_record_is_replaced,
    RepositoryContract.test_each_verb_alone_may_lose_for_all,
    RepositoryContract.test_a_replace_loses_if_more_uses_are_stored_than_the_new_maximum,
    RepositoryContract.test_everything_is_found_in_its_order,
    RepositoryContract.test_a_key_is_used_as_often_as_it_may,
    RepositoryContract.test_one_of_many_gets_an_address,
)


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.parametrize("promise", TOLD, ids=lambda one: one.__name__)
def test_however_the_host_opens_it(promise: Any, setup: str, tmp_path: Path) -> None:
    with closing(SETUPS[setup](tmp_path / "records.db")) as engine:
        promise(RepositoryContract(), stocked(engine))


@pytest.mark.parametrize("base", [LearningMachine, RepositoryAgreement])
@pytest.mark.parametrize("place", ["memory", "file"])
def test_every_sequence_of_commands(place: str, base: Any, tmp_path: Path) -> None:
    engines: list[Engine] = []
    numbers = count()

    class Machine(base):  # type: ignore[misc]
        def make(self) -> Repository:
            path = tmp_path / f"{next(numbers)}.db"
            engines.append(open_memory() if place == "memory" else open_file(path))
            return stocked(engines[-1])

        def teardown(self) -> None:
            super().teardown()
            while engines:
                engines.pop().dispose()

    few = settings().max_examples // (5 if place == "memory" else 10)
    run_state_machine_as_test(Machine, settings=settings(max_examples=few, stateful_step_count=20))
