"""What a repository contract, as a class of tests to inherit: one test for each sentence."""

from course_assignments.testing.contract.filtering import Filtering
from course_assignments.testing.contract.keys import Counting, Terms
from course_assignments.testing.contract.listing import Ordering
from course_assignments.testing.contract.reading import Getting, Numbering
from course_assignments.testing.contract.threads import Concurrency
from course_assignments.testing.contract.values import Keeping
from course_assignments.testing.contract.writing import (
    Addresses,
    Creating,
    Expecting,
    Replacing,
    Together,
)


class RepositoryContract(
    Creating,
    Addresses,
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
    """What every `Repository` promises, one pytest test for each sentence.

    Inherit from it under a name that begins with ``Test``, and return a new, empty repository
    from ``make``. If that takes fixtures, or the repository must be closed, override the fixture
    ``repository`` instead.

    Example:
        >>> from course_assignments import InMemoryRepository, Repository
        >>> class TestMine(RepositoryContract):
        ...     def make(self) -> Repository:
        ...         return InMemoryRepository()
        >>> mine = TestMine()
        >>> mine.test_a_taken_id_is_lost(mine.make())
    """
