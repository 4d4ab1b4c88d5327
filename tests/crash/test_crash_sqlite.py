"""Many processes and killed writers, on one SQLite file."""

import sqlite3
import sys
from pathlib import Path

import pytest

from tests.support.crash_tests import CrashTests
from tests.support.writers import Place

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows"),
    pytest.mark.long,
]


@pytest.fixture
def backend() -> str:
    return f"SQLite {sqlite3.sqlite_version}"


@pytest.fixture
def level() -> None:
    """SQLite has one level of isolation."""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(f"sqlite:///{tmp_path / 'records.db'}")


class TestSqlite(CrashTests):
    pass
