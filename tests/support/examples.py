"""The names that the examples of the commands share, made anew for each docstring."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from _pytest.doctest import DoctestItem

from course_assignments import (
    Activity,
    ActivityKind,
    Course,
    CourseAssignment,
    ManualClock,
    Months,
    Organization,
    Registrar,
    User,
)

ON_SALE: dict[str, Any] = {"content_provider": "us", "publishing_group": "all"}


def names() -> dict[str, Any]:
    """Return a registrar who knows what `course_assignments.commands` says, and its clock."""
    clock = ManualClock(datetime(2026, 1, 5, 9, tzinfo=UTC))
    registrar = Registrar(clock=clock)
    lab = Activity(id="lab", name="A lab", kind=ActivityKind.LAB, required=True)
    registrar.add(
        Organization(id="acme", name="Acme", anonymous_registration=True),
        Course(id="py", name="Python", activities=[lab], **ON_SALE),
        Course(id="sql", name="SQL", **ON_SALE),
        *(
            User(id=name, name=name.title(), email=f"{name}@example.org", organization_id="acme")
            for name in ("ada", "bo")
        ),
    )
    registrar.create_keys(
        "py",
        name="Spring",
        organization_id="acme",
        availability=timedelta(days=30),
        codes=["Spring-2026"],
        id="spring",
    )
    shared = (Course, CourseAssignment, Months, User, timedelta)
    return {
        **{one.__name__: one for one in shared},
        "clock": clock,
        "registrar": registrar,
    }


class Examples:
    """A plugin: as a hook of a conftest it would not be asked about the installed package."""

    @staticmethod
    def pytest_runtest_setup(item: pytest.Item) -> None:
        """Hand the names to the examples of commands."""
        if isinstance(item, DoctestItem) and item.name.startswith("course_assignments.commands."):
            item.dtest.globs.update(names())
