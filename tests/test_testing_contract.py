"""The kit for repositories: the reference repository keeps its contract, careless ones do not."""

from course_assignments import InMemoryRepository, Repository
from course_assignments.testing import RepositoryContract


class TestInMemory(RepositoryContract):
    def make(self) -> Repository:
        return InMemoryRepository()
