"""All that a repository promises, as a class of examples to inherit."""

from course_assignments.testing.promises.crowds import Crowding
from course_assignments.testing.promises.filtering import Filtering
from course_assignments.testing.promises.keys import Counting, Terms
from course_assignments.testing.promises.listing import Ordering
from course_assignments.testing.promises.reading import Getting, Numbering
from course_assignments.testing.promises.values import Keeping
from course_assignments.testing.promises.writing import (
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
    Crowding,
):
    """What every `Repository` promises, one pytest example for each sentence.

    Inherit it under a name that begins with ``Test``, and say in ``make`` how a new, empty
    repository comes about. Where one takes fixtures, or has to be closed, override the fixture
    ``repository`` instead.

    Example:
        >>> from course_assignments import InMemoryRepository, Repository
        >>> class TestMine(RepositoryContract):
        ...     def make(self) -> Repository:
        ...         return InMemoryRepository()
        >>> mine = TestMine()
        >>> mine.test_a_taken_id_is_lost(mine.make())
    """
