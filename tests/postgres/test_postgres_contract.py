"""PostgreSQL meets the contract, and agrees with the rules and the memory after any commands."""

from collections import Counter
from typing import Any, ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from course_assignments import Repository
from course_assignments.testing import RepositoryAgreement, RepositoryContract
from tests.support.empty_database import LEVELS, empty_repository
from tests.support.machine_learning import LearningMachine


class TestPostgres(RepositoryContract):
    """Whatever isolation the host has chosen."""

    @pytest.fixture(params=LEVELS)
    def repository(self, request: pytest.FixtureRequest) -> Repository:
        return empty_repository(request.param)


# All that is generated here was generated on memory, which is faster, many times.
@pytest.mark.parametrize(("base", "share"), [(LearningMachine, 5), (RepositoryAgreement, 2)])
def test_every_sequence_of_commands(base: Any, share: int) -> None:
    class Machine(base):  # type: ignore[misc]
        reached: ClassVar[Counter[str]] = Counter()

        def make(self) -> Repository:
            return empty_repository("READ COMMITTED")

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=settings().max_examples // share,
            stateful_step_count=30,
            # What fails here and not in memory is soon said as an example: it is not shrunk.
            phases=[one for one in Phase if one not in {Phase.shrink, Phase.explain}],
        ),
    )
