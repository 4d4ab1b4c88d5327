"""Fixtures of the tests on SQLite: a database in memory, a file, and a driver that is watched."""

from collections.abc import Generator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.sql import Watch, closing, open_memory


@pytest.fixture
def engine() -> Generator[Engine]:
    with closing(open_memory()) as engine:
        yield engine


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


@pytest.fixture
def watch() -> Watch:
    return Watch()
