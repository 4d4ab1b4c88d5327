"""All that a repository promises, as a Hypothesis machine to inherit."""

from course_assignments.testing.agreement.changes import Changes


class RepositoryAgreement(Changes):
    """Drives a repository and the one in memory with the same commands, and compares.

    Every command of the `Registrar` and its twin are drawn, with the same readings of a clock that
    also goes backwards, the same ids and codes; so are searches, and changes that were decided on
    older values. After each step both have told the same and keep the same.

    Inherit it, say in ``make`` how a new, empty repository comes about, and give pytest its
    ``TestCase``. Where a repository has to be closed, override ``teardown``; it is there as
    ``self.repository``.

    Example:
        >>> from course_assignments import InMemoryRepository, Repository
        >>> class MyAgreement(RepositoryAgreement):
        ...     def make(self) -> Repository:
        ...         return InMemoryRepository()
        >>> TestMine = MyAgreement.TestCase
    """
