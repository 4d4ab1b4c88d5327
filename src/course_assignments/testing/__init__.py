"""The kit with which anyone proves a repository of their own; the extra ``testing`` installs it.

`RepositoryContract` holds the promises as examples.
"""

import pytest

pytest.register_assert_rewrite("course_assignments.testing.promises")

from course_assignments.testing.contract import RepositoryContract  # noqa: E402

__all__ = ["RepositoryContract"]
