"""Many processes, killed writers and a server that crashes, on PostgreSQL."""

from collections.abc import Iterator

import pytest

from tests.support.crash_tests import SIZES, CrashTests, Note, shown, total, until
from tests.support.empty_database import LEVELS
from tests.support.postgres import OwnServer, Server, own_server, server
from tests.support.process_crashes import crash, rounds
from tests.support.processes import ProcessPool
from tests.support.writers import Place


def room(of: Server) -> Place:
    return Place(of.room().render_as_string(hide_password=False))


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def backend() -> str:
    return f"PostgreSQL {server().version()}"


@pytest.fixture
def place() -> Place:
    return room(server())


@pytest.fixture
def own() -> Iterator[OwnServer]:
    with own_server() as own:
        yield own


class TestPostgres(CrashTests):
    pass


class TestACrashedServer:
    """A server that is stopped without shutdown, as by a loss of power but for the disk."""

    def test_loses_nothing_that_was_acknowledged(
        self, pool: ProcessPool, own: OwnServer, note: Note
    ) -> None:
        found = total(rounds(pool, room(own), 6, crash(own)), SIZES.crashes)
        note(f"server stopped without shutdown, {SIZES.crashes} times", shown(found))
        assert (found.lost, found.torn, found.doubled) == (0, 0, 0)
        assert found.faults.keys() <= {"StorageError", "OutcomeUnknown"}
        assert found.acknowledged > SIZES.crashes

    def test_loses_what_it_did_not_wait_for(
        self, pool: ProcessPool, own: OwnServer, note: Note
    ) -> None:
        place = room(own).using("not waiting for the disk")
        found = until(rounds(pool, place, 7, crash(own)), "lost")
        note(f"control: `synchronous_commit = off`, found in round {found.rounds}", shown(found))
        assert found.lost
        assert not found.torn
