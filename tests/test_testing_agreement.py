"""The kit for repositories: the reference repository agrees with itself, careless ones do not."""

from course_assignments import InMemoryRepository, Repository
from course_assignments.testing import RepositoryAgreement


class Agreement(RepositoryAgreement):
    def make(self) -> Repository:
        return InMemoryRepository()


TestInMemory = Agreement.TestCase
