"""Sequences of all commands come on PostgreSQL to what the rules say, and to the same as memory."""

from collections import Counter
from typing import ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from course_assignments import Repository
from course_assignments.testing import RepositoryAgreement
from tests.support.empty_database import empty_repository
from tests.support.machine_learning import LearningMachine


class Learning(LearningMachine):
    reached: ClassVar[Counter[str]] = Counter()

    def make(self) -> Repository:
        return empty_repository("READ COMMITTED")


class Agreement(RepositoryAgreement):
    def make(self) -> Repository:
        return empty_repository("READ COMMITTED")


# All that is drawn here was drawn on memory, where it is quicker, many times over.
@pytest.mark.parametrize(("machine", "share"), [(Learning, 5), (Agreement, 2)])
def test_every_sequence_of_commands_comes_to_the_same(
    machine: type[RuleBasedStateMachine], share: int
) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=settings().max_examples // share,
            stateful_step_count=30,
            # What fails here and not in memory is soon said as an example: it is not shrunk.
            phases=[one for one in Phase if one not in {Phase.shrink, Phase.explain}],
        ),
    )
