"""On PostgreSQL too, commands that make an assignment have a serial order wherever they meet."""

from functools import partial

import pytest

import course_assignments as ca
from tests.races.test_assigning_races import ASSIGNING, MODES, TABLE, scene
from tests.support.empty_database import empty_repository


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ASSIGNING)
def test_assigning_commands_that_meet_have_a_serial_order(name: str, mode: ca.Repeat) -> None:
    empty = partial(empty_repository, "READ COMMITTED")
    assert TABLE.all_differences(empty, scene(mode), name) == []
