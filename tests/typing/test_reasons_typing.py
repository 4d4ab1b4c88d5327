"""What mypy and pyright know about a reason once its code or its class was looked at.

Both check this file; the tests see that what they believe is true at run time.
"""

from datetime import UTC, datetime
from typing import Literal, assert_never, assert_type

import pytest

from course_assignments import CustomReason, ForAssignment, Reason
from course_assignments.reasons import (
    AlreadyAssigned,
    CourseArchived,
    CourseNotAvailable,
    LabLaunched,
    PlainReason,
)

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)


def launched_at(reason: Reason) -> datetime | None:
    if reason.code == "lab_launched":
        assert_type(reason, LabLaunched)
        return assert_type(reason.launched_at, datetime)
    return None


def assigned_or_launched(reason: PlainReason) -> str:
    match reason.code:
        case "already_assigned":
            return assert_type(reason, AlreadyAssigned).assignment_id
        case "lab_launched":
            return str(assert_type(reason, LabLaunched).launched_at.year)
        case _:
            return str(reason)


def course_of(reason: CourseArchived | CourseNotAvailable) -> str:
    if reason.code == "course_archived":
        assert_type(reason.code, Literal["course_archived"])
        assert_type(reason, CourseArchived)
    elif reason.code == "course_not_available":
        assert_type(reason, CourseNotAvailable)
        assert_type(reason.missing, tuple[str, ...])
    else:
        assert_never(reason)
    return reason.course_id


def custom_code(reason: Reason) -> str:
    code: str = reason.code
    if isinstance(reason, CustomReason):
        assert_type(reason.sentence, str)
        code = reason.code.removeprefix("x-")
    elif isinstance(reason, ForAssignment):
        assert_type(reason.reason, PlainReason)
        code = f"{reason.learner_id}: {code}"
    return code


@pytest.mark.parametrize(
    ("reason", "found"),
    [
        (LabLaunched(AT), AT),
        (ForAssignment("py", "ada", LabLaunched(AT)), AT),
        (CourseArchived("py"), None),
        (CustomReason("x-unpaid", "The invoice of May is open."), None),
    ],
    ids=repr,
)
def test_a_code_narrows_a_reason(reason: Reason, found: datetime | None) -> None:
    assert launched_at(reason) == found


def test_a_code_narrows_a_match_statement() -> None:
    assert assigned_or_launched(AlreadyAssigned("a-1", AT)) == "a-1"
    assert assigned_or_launched(LabLaunched(AT)) == "2026"
    assert assigned_or_launched(CourseArchived("py")) == str(CourseArchived("py"))


def test_codes_exhaust_a_union() -> None:
    assert course_of(CourseArchived("py")) == course_of(CourseNotAvailable("py", ())) == "py"


def test_a_code_is_a_string() -> None:
    assert custom_code(CustomReason("x-unpaid", "The invoice of May is open.")) == "unpaid"
    assert custom_code(ForAssignment("py", "ada", CourseArchived("py"))) == "ada: course_archived"
    assert custom_code(LabLaunched(AT)) == "lab_launched"
