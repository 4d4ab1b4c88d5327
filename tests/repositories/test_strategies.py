"""Hypothesis can generate every entity and value, by name and by its class."""

import subprocess
import sys
from importlib.metadata import entry_points
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.hypothesis_hook import DRAWN, register
from course_assignments.testing import strategies
from course_assignments.time.datetimes import EARLIEST, LATEST

# If the package is installed, the import of Hypothesis has called it already.
register()


def test_every_class_with_a_strategy_is_registered() -> None:
    assert set(DRAWN) == set(strategies.STRATEGIES)


@pytest.mark.parametrize("kind", DRAWN)
@given(data=st.data())
def test_a_class_generates_its_instances(kind: type, data: st.DataObject) -> None:
    drawn: Any = data.draw(st.from_type(kind))
    assert type(drawn) is kind


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (ca.CourseAssignment, lambda one: one.cancelled_at and one.notes and one.finished),
        (ca.CourseAssignment, lambda one: isinstance(one.origin, ca.FromKey)),
        (ca.Attempt, lambda one: len(one.pauses) > 1 and one.finished_at),
        (ca.Attempt, lambda one: one.paused_at),
        (ca.KeyBatch, lambda one: isinstance(one.availability, ca.Months) and one.redeemable_until),
        (ca.TrainingKey, lambda one: one.uses == one.max_uses > 1 and one.revoked_at),
        (ca.User, lambda one: not one.email.isascii() and len(one.roles) > 1),
    ],
)
def test_unusual_records_are_generated(kind: type, found: Any) -> None:
    quickly = settings(phases=[Phase.generate], max_examples=2000)
    assert found(find(st.from_type(kind), lambda one: bool(found(one)), settings=quickly))


@given(strategies.datetimes(LATEST, LATEST) | strategies.datetimes(EARLIEST, EARLIEST))
def test_the_first_and_the_last_datetime_are_generated(at: Any) -> None:
    assert at in {EARLIEST, LATEST}


#: What the installed package announces; a tree that was only put on the path announces nothing.
ANNOUNCED = [one for one in entry_points(group="hypothesis") if one.name == "course_assignments"]


def test_the_entry_point_is_the_hook() -> None:
    hooks = [one.value for one in ANNOUNCED]
    assert hooks == ["course_assignments.hypothesis_hook:register"][: len(hooks)]


def output_of(*lines: str) -> str:
    """Return what a new Python with the same path prints."""
    script = "\n".join(["import sys", "sys.path[:] = sys.argv[1:]", *lines])
    done = subprocess.run(  # noqa: S603 - our own script and this very Python
        [sys.executable, "-c", script, *sys.path], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize(
    "first", ["hypothesis", "course_assignments.testing", "course_assignments.hypothesis_hook"]
)
def test_strategies_do_not_depend_on_the_order_of_imports(first: str) -> None:
    printed = output_of(
        f"import {first}",
        "from course_assignments import Course",
        "from course_assignments.hypothesis_hook import register",
        "from hypothesis import find, strategies as st",
        "" if ANNOUNCED else "register()",
        "print(find(st.from_type(Course), lambda one: True))",
    )
    assert printed.startswith("Course(id=")


def test_importing_the_hook_imports_no_test_tools() -> None:
    printed = output_of(
        "import course_assignments.hypothesis_hook",
        "print({'hypothesis', 'pytest', 'course_assignments.testing'} & set(sys.modules))",
    )
    assert printed == "set()\n"
