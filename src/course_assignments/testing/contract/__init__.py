"""The contract of a repository, as a class of tests to subclass."""

from course_assignments.testing.contract.filtering import Filtering
from course_assignments.testing.contract.keys import Counting, Terms
from course_assignments.testing.contract.listing import Ordering
from course_assignments.testing.contract.reading import Getting, Numbering
from course_assignments.testing.contract.threads import Concurrency
from course_assignments.testing.contract.values import Keeping
from course_assignments.testing.contract.writing import (
    Addresses,
    Codes,
    Creating,
    Expecting,
    Replacing,
    Together,
)


class RepositoryContract(
    Creating,
    Addresses,
    Codes,
    Replacing,
    Expecting,
    Together,
    Counting,
    Terms,
    Getting,
    Numbering,
    Ordering,
    Filtering,
    Keeping,
    Concurrency,
):
    """The contract of every `Repository`, with a pytest test for each sentence.

    Subclass it with a name that starts with ``Test``, and return a new, empty repository from
    ``make``. If that needs fixtures, or the repository must be closed, override the fixture
    ``repository`` instead.

    Example:
        >>> from course_assignments import InMemoryRepository, Repository
        >>> class TestMine(RepositoryContract):
        ...     def make(self) -> Repository:
        ...         return InMemoryRepository()
        >>> mine = TestMine()
        >>> mine.test_a_taken_id_is_lost(mine.make())
    """
