"""What a repository promises holds on PostgreSQL, whatever isolation the host has chosen."""

from course_assignments import Repository
from course_assignments.testing import RepositoryContract
from tests.support.emptied import emptied


class TestReadCommitted(RepositoryContract):
    def make(self) -> Repository:
        return emptied("READ COMMITTED")


class TestRepeatableRead(RepositoryContract):
    def make(self) -> Repository:
        return emptied("REPEATABLE READ")


class TestSerializable(RepositoryContract):
    def make(self) -> Repository:
        return emptied("SERIALIZABLE")
