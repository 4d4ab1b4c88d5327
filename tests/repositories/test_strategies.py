"""Every entity and value can be drawn, by name and by its class."""

import subprocess
import sys
from importlib.metadata import entry_points
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from course_assignments import (
    Attempt,
    CourseAssignment,
    FromKey,
    KeyBatch,
    Months,
    TrainingKey,
    User,
)
from course_assignments.hypothesis_hook import DRAWN, register
from course_assignments.testing import strategies
from course_assignments.time.datetimes import EARLIEST, LATEST

# Where the package is installed, importing Hypothesis has done so already.
register()


def test_every_class_that_can_be_drawn_is_announced() -> None:
    assert set(DRAWN) == set(strategies.STRATEGIES)


@pytest.mark.parametrize("kind", DRAWN)
@given(data=st.data())
def test_a_class_is_drawn_as_itself(kind: type, data: st.DataObject) -> None:
    drawn: Any = data.draw(st.from_type(kind))
    assert type(drawn) is kind


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (CourseAssignment, lambda one: one.cancelled_at and one.notes and one.finished),
        (CourseAssignment, lambda one: isinstance(one.origin, FromKey)),
        (Attempt, lambda one: len(one.pauses) > 1 and one.finished_at),
        (Attempt, lambda one: one.paused_at),
        (KeyBatch, lambda one: isinstance(one.availability, Months) and one.redeemable_until),
        (TrainingKey, lambda one: one.uses == one.max_uses > 1 and one.revoked_at),
        (User, lambda one: not one.email.isascii() and len(one.roles) > 1),
    ],
)
def test_the_odd_ones_are_reached(kind: type, found: Any) -> None:
    quickly = settings(phases=[Phase.generate], max_examples=2000)
    assert found(find(st.from_type(kind), lambda one: bool(found(one)), settings=quickly))


@given(strategies.datetimes(LATEST, LATEST) | strategies.datetimes(EARLIEST, EARLIEST))
def test_the_ends_of_time_are_reached(at: Any) -> None:
    assert at in {EARLIEST, LATEST}


#: What the installed package announces; a tree that was only put on the path announces nothing.
ANNOUNCED = [one for one in entry_points(group="hypothesis") if one.name == "course_assignments"]


def test_the_package_announces_its_hook() -> None:
    hooks = [one.value for one in ANNOUNCED]
    assert hooks == ["course_assignments.hypothesis_hook:register"][: len(hooks)]


@pytest.mark.parametrize(
    "first", ["hypothesis", "course_assignments.testing", "course_assignments.hypothesis_hook"]
)
def test_whatever_is_imported_first_all_can_be_drawn(first: str) -> None:
    script = f"""
import sys
sys.path[:] = sys.argv[1:]
import {first}
from course_assignments import Course
from course_assignments.hypothesis_hook import register
from hypothesis import find, strategies as st
{"" if ANNOUNCED else "register()"}
print(find(st.from_type(Course), lambda one: True))
"""
    done = subprocess.run(  # noqa: S603 - our own script and this very Python
        [sys.executable, "-c", script, *sys.path], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Course(id=")


def test_importing_the_hook_builds_nothing() -> None:
    script = """
import sys
sys.path[:] = sys.argv[1:]
import course_assignments.hypothesis_hook
print({"hypothesis", "pytest", "course_assignments.testing"} & set(sys.modules))
"""
    done = subprocess.run(  # noqa: S603 - our own script and this very Python
        [sys.executable, "-c", script, *sys.path], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
