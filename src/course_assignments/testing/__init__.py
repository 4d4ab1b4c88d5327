"""A kit to test a repository of your own; the extra ``testing`` installs it.

`RepositoryContract` has one test for each promise, and `RepositoryAgreement` compares a repository
with the one in memory, command by command. `strategies` draws every entity and value.
`FaultyRepository` shows how an application handles storage errors.
"""

import pytest

for _package in ("agreement", "contract", "threads"):
    pytest.register_assert_rewrite(f"{__name__}.{_package}")

from course_assignments.testing import strategies  # noqa: E402 - asserts are rewritten on import
from course_assignments.testing.agreement import RepositoryAgreement  # noqa: E402 - the same
from course_assignments.testing.contract import RepositoryContract  # noqa: E402 - the same
from course_assignments.testing.faults import FaultyRepository  # noqa: E402 - the same

__all__ = ["FaultyRepository", "RepositoryAgreement", "RepositoryContract", "strategies"]
