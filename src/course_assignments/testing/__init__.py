"""The kit with which anyone proves a repository of their own; the extra ``testing`` installs it.

`RepositoryContract` holds the promises as examples, `RepositoryAgreement` draws commands and has a
repository agree with the one in memory, `strategies` draws every entity and value, and
`FaultyRepository` shows an application what a storage may come to.
"""

import pytest

for _theme in ("agreement", "promises"):
    pytest.register_assert_rewrite(f"{__name__}.{_theme}")

from course_assignments.testing import strategies  # noqa: E402 - asserts are rewritten on import
from course_assignments.testing.contract import RepositoryContract  # noqa: E402 - the same
from course_assignments.testing.faults import FaultyRepository  # noqa: E402 - the same
from course_assignments.testing.machine import RepositoryAgreement  # noqa: E402 - the same

__all__ = ["FaultyRepository", "RepositoryAgreement", "RepositoryContract", "strategies"]
