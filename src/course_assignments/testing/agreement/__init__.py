"""A Hypothesis state machine to compare a repository with `InMemoryRepository`."""

from course_assignments.testing.agreement.changes import ChangeRules


class RepositoryAgreement(ChangeRules):
    """Run the same commands on a repository and in memory, and compare the results.

    The machine calls every command of the `Registrar` and every ``may_`` method. It also searches,
    and commits changes that were decided on older values. Both sides use the same clock, which also
    goes backwards, and get the same ids and codes. After each step, both must have returned and
    stored the same.

    Subclass it, and return a new, empty repository from ``make``. Assign its ``TestCase`` to a name
    that pytest finds. To close a repository, override ``teardown`` and use ``self.repository``.

    >>> class MyAgreement(RepositoryAgreement):
    ...     def make(self) -> Repository:
    ...         return InMemoryRepository()
    >>> TestMine = MyAgreement.TestCase
    """
