"""What a repository promises holds on PostgreSQL, whatever isolation the host has chosen."""

from course_assignments import Repository
from course_assignments.testing import RepositoryContract
from tests.support.empty_database import empty_repository


class TestReadCommitted(RepositoryContract):
    def make(self) -> Repository:
        return empty_repository("READ COMMITTED")


class TestRepeatableRead(RepositoryContract):
    def make(self) -> Repository:
        return empty_repository("REPEATABLE READ")


class TestSerializable(RepositoryContract):
    def make(self) -> Repository:
        return empty_repository("SERIALIZABLE")
