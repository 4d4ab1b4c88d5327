"""Rule 22: for which courses assignments and keys may be created."""

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from course_assignments import CourseAvailabilityPolicy, Decision
from course_assignments.reasons import CourseArchived, CourseNotAvailable
from tests.support.world import DRAFT, OLD, PYTHON

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
POLICY = CourseAvailabilityPolicy()


class TestAvailability:
    """Courses "must be assigned to a Content Provider and a Publishing Group" (rule 22)."""

    @pytest.mark.parametrize(
        ("provider", "group", "missing"),
        [
            ("us", "all", ()),
            ("us", None, ("publishing group",)),
            (None, "all", ("content provider",)),
            (None, None, ("content provider", "publishing group")),
        ],
    )
    @pytest.mark.parametrize("archived", [False, True])
    def test_each_missing_field_is_named_and_whether_it_is_archived(
        self, provider: str | None, group: str | None, missing: tuple[str, ...], *, archived: bool
    ) -> None:
        course = attrs.evolve(
            PYTHON, content_provider=provider, publishing_group=group, archived=archived
        )
        wanted: list[Any] = [CourseNotAvailable("py", missing)] if missing else []
        wanted += [CourseArchived("py")] if archived else []
        assert POLICY.evaluate(course, at=AT) == Decision(wanted)

    def test_the_reason_names_both_in_one_sentence(self) -> None:
        (sentence,) = [str(reason) for reason in POLICY.evaluate(DRAFT, at=AT).reasons]
        assert "'draft'" in sentence
        assert "content provider, publishing group" in sentence
        assert "archived" in str(POLICY.evaluate(OLD, at=AT))
