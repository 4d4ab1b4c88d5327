"""A Hypothesis state machine to inherit that compares a repository with the one in memory."""

from course_assignments.testing.agreement.changes import ChangeRules


class RepositoryAgreement(ChangeRules):
    """Drive a repository and the one in memory with the same commands, and compare them.

    Every command of the `Registrar` and its ``may_`` question are drawn. Both sides read the same
    clock, which also goes backwards, and get the same ids and codes. Searches are drawn too, and
    changes that were decided on older values. After each step both must have returned the same
    and store the same.

    Inherit from it, return a new, empty repository from ``make``, and give pytest its
    ``TestCase``. If a repository must be closed, override ``teardown``; it is ``self.repository``.

    Example:
        >>> from course_assignments import InMemoryRepository, Repository
        >>> class MyAgreement(RepositoryAgreement):
        ...     def make(self) -> Repository:
        ...         return InMemoryRepository()
        >>> TestMine = MyAgreement.TestCase
    """
