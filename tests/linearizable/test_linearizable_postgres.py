"""Histories of PostgreSQL are linearizable at each level of isolation."""

from functools import partial

import pytest

from tests.support.empty_database import LEVELS, empty_repository
from tests.support.history_tests import Empty, HistoryTests
from tests.support.postgres import server


class TestPostgres(HistoryTests):
    @pytest.fixture(params=LEVELS)
    def level(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def empty(self, level: str) -> Empty:
        return partial(empty_repository, level)

    @pytest.fixture
    def backend(self, level: str) -> str:
        return f"PostgreSQL {server().version()}, {level}"

    @pytest.fixture
    def short(self) -> int:
        return 24
