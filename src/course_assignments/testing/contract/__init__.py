"""The contract of a repository, as a class of tests to subclass."""

from course_assignments.testing.contract.commits import Commits
from course_assignments.testing.contract.finding import Finding
from course_assignments.testing.contract.threads import Concurrency
from course_assignments.testing.contract.values import Values


class RepositoryContract(Commits, Finding, Values, Concurrency):
    """The contract of every `Repository`, with a pytest test for each sentence.

    Subclass it with a name that starts with ``Test``, and return a new, empty repository from
    ``make``. If that needs fixtures, or the repository must be closed, override the fixture
    ``repository`` instead.

    >>> class TestMine(RepositoryContract):
    ...     def make(self) -> Repository:
    ...         return InMemoryRepository()
    >>> mine = TestMine()
    >>> mine.test_a_taken_id_is_lost(mine.make())
    """
