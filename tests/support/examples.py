"""The names that the examples of the commands share, made anew for each docstring."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from _pytest.doctest import DoctestItem

import course_assignments as ca
from course_assignments.testing.samples import ADA, PYTHON, course, user


def names() -> dict[str, Any]:
    """Return a registrar who knows what `course_assignments.commands` says, and its clock."""
    clock = ca.ManualClock(datetime(2026, 1, 5, 9, tzinfo=UTC))
    registrar = ca.Registrar(clock=clock)
    registrar.add(
        ca.Organization(id="acme", name="Acme", anonymous_registration=True),
        *(PYTHON, course("sql", name="SQL"), ADA, user("bo", "acme")),
    )
    registrar.create_keys(
        "py",
        name="Spring",
        organization_id="acme",
        availability=timedelta(days=30),
        codes=["Spring-2026"],
        id="spring",
    )
    shared = (ca.Course, ca.CourseAssignment, ca.Months, ca.User, timedelta)
    return {**{one.__name__: one for one in shared}, "clock": clock, "registrar": registrar}


class Examples:
    """A plugin: as a hook of a conftest it would not be asked about the installed package."""

    @staticmethod
    def pytest_runtest_setup(item: pytest.Item) -> None:
        """Hand the names to the examples of commands."""
        if isinstance(item, DoctestItem) and item.name.startswith("course_assignments.commands."):
            item.dtest.globs.update(names())
