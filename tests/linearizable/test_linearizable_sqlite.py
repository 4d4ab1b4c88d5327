"""Histories of SQLite are linearizable, with several connections to one file."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository
from tests.support import sql_without_guards
from tests.support.histories import random_history
from tests.support.history_tests import Empty, HistoryTests, refused
from tests.support.sql import closing, emptied, open_file, stocked


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with closing(open_file(tmp_path / "records.db")) as found:
        stocked(found)
        yield found


class TestSqlite(HistoryTests):
    @pytest.fixture
    def empty(self, engine: Engine) -> Empty:
        repository = SqlRepository(engine)
        return lambda: emptied(engine, repository)

    @pytest.fixture
    def backend(self) -> str:
        return f"SQLite {sqlite3.sqlite_version}"

    @pytest.fixture
    def short(self) -> int:
        return 25


#: Repositories that lack a guard, and how many threads must run at once for it to matter.
MISSING: Mapping[str, tuple[Callable[[Engine], ca.Repository], int]] = {
    "counting in the client": (sql_without_guards.CountsInTheClient, 3),
    "counting in a second step": (sql_without_guards.CountsInASecondStep, 1),
    "acknowledging before storing": (sql_without_guards.StoresLater, 1),
}


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_guard_is_found(name: str, engine: Engine) -> None:
    make, at_once = MISSING[name]
    repository = make(engine)

    def record(seed: int) -> Any:
        actions = ("redeem", "register", "cancel")
        return random_history(seed, emptied(engine, repository), actions=actions, at_once=at_once)

    assert refused(record, 300) is not None
