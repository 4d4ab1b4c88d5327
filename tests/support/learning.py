"""Worlds in which people learn, with assignments or with subscriptions."""

from datetime import timedelta
from typing import Any

from course_assignments import ManualClock, Registrar, Repository
from course_assignments.testing.samples import FREE, LESSONS, SALES
from tests.support.world import world

__all__ = ["FREE", "LESSONS", "classroom", "subscribed"]


def classroom(
    repository: Repository | None = None, **options: Any
) -> tuple[Registrar, ManualClock]:
    """Return a small world in which Ada has assignment a-1 of a course with activities."""
    registrar, clock = world(repository, **options)
    registrar.add(SALES, LESSONS, FREE)
    registrar.assign("lessons", "ada", id="a-1")
    return registrar, clock


def subscribed(
    duration: timedelta = timedelta(days=60), learner: str = "ada", **options: Any
) -> tuple[Registrar, ManualClock]:
    """Return a small world in which *learner* has subscription s-1 to three courses."""
    registrar, clock = world(**options)
    registrar.add(SALES, LESSONS)
    registrar.subscribe(["py", "sql", "lessons"], learner, duration=duration, id="s-1")
    return registrar, clock
