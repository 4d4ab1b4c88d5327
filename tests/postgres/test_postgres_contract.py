"""PostgreSQL meets the contract, whatever isolation the host has chosen."""

import pytest

from course_assignments import Repository
from course_assignments.testing import RepositoryContract
from tests.support.empty_database import LEVELS, empty_repository


class TestPostgres(RepositoryContract):
    @pytest.fixture(params=LEVELS)
    def repository(self, request: pytest.FixtureRequest) -> Repository:
        return empty_repository(request.param)
