"""The names that the examples in docstrings share, made anew for each docstring."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from _pytest.doctest import DoctestItem

import course_assignments as ca
from course_assignments.testing.samples import ADA, PYTHON, course, user


def names() -> dict[str, Any]:
    """Return the public names, a registrar with the records of `commands`, and its clock."""
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
    public = {name: getattr(ca, name) for name in ca.__all__}
    dates = {"UTC": UTC, "date": date, "datetime": datetime, "timedelta": timedelta}
    return {**public, **dates, "clock": clock, "registrar": registrar}


class Examples:
    """A plugin: as a hook of a conftest it would not be asked about the installed package."""

    @staticmethod
    def pytest_runtest_setup(item: pytest.Item) -> None:
        """Give the names to the examples of the package."""
        if isinstance(item, DoctestItem) and item.name.startswith("course_assignments."):
            item.dtest.globs |= names() | item.dtest.globs
