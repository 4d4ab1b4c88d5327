"""Tools to test your own repository; install them with the extra ``testing``.

`RepositoryContract` has a test for each guarantee of a repository. `RepositoryAgreement` compares a
repository with `InMemoryRepository`, command by command. `strategies` generates every entity and
value. `FaultyRepository` raises storage errors, to test how an application handles them.
"""

from course_assignments.errors import check_extra

check_extra("testing", "hypothesis", "pytest")

import pytest  # noqa: E402 - needs the extra

for _package in ("agreement", "contract", "threads"):
    pytest.register_assert_rewrite(f"{__name__}.{_package}")

from course_assignments.testing import strategies  # noqa: E402 - asserts are rewritten on import
from course_assignments.testing.agreement import RepositoryAgreement  # noqa: E402 - the same
from course_assignments.testing.contract import RepositoryContract  # noqa: E402 - the same
from course_assignments.testing.faults import FaultyRepository  # noqa: E402 - the same

__all__ = ["FaultyRepository", "RepositoryAgreement", "RepositoryContract", "strategies"]
