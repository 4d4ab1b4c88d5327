"""Crowds, killed writers and a server that crashes, on PostgreSQL."""

from collections.abc import Iterator

import pytest

from tests.support.havoc import crashed_server
from tests.support.postgres import OwnServer, Server, own_server, server
from tests.support.processes import Nursery
from tests.support.proofs import SIZES, Note, Proofs, shown, total, until
from tests.support.writers import Place

LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")


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


class TestPostgres(Proofs):
    pass


class TestACrashedServer:
    """A server of the tests' own, stopped at once, as by a loss of power but for the disk."""

    def test_loses_nothing_that_was_acknowledged(
        self, nursery: Nursery, own: OwnServer, note: Note
    ) -> None:
        found = total(crashed_server(nursery, room(own), 6, own), SIZES.crashes)
        note(f"server stopped at once, {SIZES.crashes} times", shown(found))
        assert (found.lost, found.torn, found.doubled) == (0, 0, 0)
        assert found.faults.keys() <= {"StorageError", "OutcomeUnknown"}
        assert found.acknowledged > SIZES.crashes

    def test_loses_what_it_did_not_wait_for(
        self, nursery: Nursery, own: OwnServer, note: Note
    ) -> None:
        place = room(own).by("does not wait for the disk")
        rounds = crashed_server(nursery, place, 7, own)
        found = until(rounds, lambda so_far: so_far.lost > 0)
        note(f"twin: `synchronous_commit = off`, found in round {found.rounds}", shown(found))
        assert found.lost
        assert not found.torn
