"""The server that the tests of this folder run on, before anything is built on it."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from tests.support import postgres
from tests.support.postgres import own_server, server


def engine(**settings: str) -> Engine:
    return create_engine(server().room(**settings), poolclass=NullPool)


def said(engine: Engine, sentence: str) -> object:
    with engine.begin() as connection:
        result = connection.execute(text(sentence))
        return result.scalar() if result.returns_rows else None


def test_it_is_a_postgresql() -> None:
    assert str(said(engine(), "SELECT version()")).startswith("PostgreSQL")


def test_a_room_is_empty_and_knows_nothing_of_the_others() -> None:
    count = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
    first, second = engine(), engine()
    said(first, "CREATE TABLE here (id text)")
    assert (said(first, count), said(second, count)) == (1, 0)


def test_a_room_has_the_settings_that_were_asked_for() -> None:
    assert said(engine(synchronous_commit="off"), "SHOW synchronous_commit") == "off"
    assert said(engine(), "SHOW synchronous_commit") == "on"


def test_committed_data_survives_a_crash() -> None:
    with own_server() as own:
        room = create_engine(own.room(), poolclass=NullPool)
        said(room, "CREATE TABLE here (id text)")
        own.crash()
        own.start()
        assert said(room, "SELECT count(*) FROM here") == 0


def test_it_removes_its_files() -> None:
    with own_server() as own:
        data = Path(str(own.url.query["host"]))
        assert data.exists()
    assert not data.parent.exists()


START_AND_DIE = """
import os, signal
from tests.support.postgres import OwnServer
print(OwnServer().url.query["host"], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_ends_with_whoever_started_it() -> None:
    killed = subprocess.run(  # noqa: S603 - our own script and this very Python
        [sys.executable, "-c", START_AND_DIE],
        cwd=Path(postgres.__file__).parents[2],
        capture_output=True,  # the daemon holds stderr too, so the call waits for it
        text=True,
        check=False,
    )
    assert killed.stdout
    assert not Path(killed.stdout.strip()).parent.exists()


def test_without_a_server_every_test_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = tmp_path / "daemon.py"
    daemon.write_text("import a_wheel_that_is_not_installed")
    monkeypatch.setattr(postgres, "DAEMON", daemon)
    with pytest.raises(RuntimeError, match=postgres.GIVEN), own_server():
        pass
