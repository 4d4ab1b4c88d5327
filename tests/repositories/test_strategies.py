"""Hypothesis can generate every entity and value, by name and by its class."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import course_assignments as ca
from _course_assignments_hypothesis import register as entry_point
from course_assignments.hypothesis_hook import DRAWN
from course_assignments.testing import strategies
from course_assignments.time.datetimes import EARLIEST, LATEST


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


#: As the installed package announces it.
ENTRY_POINT = "[hypothesis]\ncourse_assignments = _course_assignments_hypothesis:register\n"


def test_the_entry_point_is_declared() -> None:
    project = Path(__file__).parents[2] / "pyproject.toml"
    declared = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["entry-points"]
    assert declared["hypothesis"] == {
        "course_assignments": "_course_assignments_hypothesis:register"
    }


@pytest.fixture
def output_of(tmp_path: Path) -> Callable[..., str]:
    """Return what a new Python prints in which the package is installed."""
    info = tmp_path / "course_assignments-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: course-assignments\nVersion: 0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINT)

    def run(*lines: str) -> str:
        script = "\n".join(["import sys", "sys.path[:] = sys.argv[1:]", *lines])
        done = subprocess.run(  # noqa: S603 - our own script and this very Python
            [sys.executable, "-c", script, str(tmp_path), *sys.path],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    return run


OURS = "print(sorted(one for one in sys.modules if one.startswith('course_assignments')))"


def test_importing_hypothesis_does_not_import_the_package(output_of: Any) -> None:
    printed = output_of(
        "import hypothesis", "print('_course_assignments_hypothesis' in sys.modules)", OURS
    )
    assert printed == "True\n[]\n"


@pytest.mark.parametrize(
    "first", ["hypothesis", "course_assignments", "course_assignments.testing.strategies"]
)
def test_strategies_do_not_depend_on_the_order_of_imports(first: str, output_of: Any) -> None:
    printed = output_of(
        f"import {first}",
        "from course_assignments import Course",
        "from hypothesis import find, strategies as st",
        "print(find(st.from_type(Course), lambda one: True))",
    )
    assert printed.startswith("Course(id=")


@pytest.mark.parametrize(
    "broken",
    [
        "sys.modules['course_assignments'] = None",
        "sys.modules['course_assignments'] = object()",
        "import course_assignments.hypothesis_hook as hook; hook.register = lambda: 1 / 0",
    ],
)
def test_a_broken_package_does_not_break_hypothesis(broken: str, output_of: Any) -> None:
    printed = output_of(
        broken,
        "from hypothesis import find, strategies as st",
        "print(find(st.integers(), lambda one: one > 2))",
    )
    assert printed == "3\n"


def test_importing_the_package_imports_no_test_tools(output_of: Any) -> None:
    printed = output_of(
        "import course_assignments",
        "print({'hypothesis', 'pytest', 'course_assignments.testing'} & set(sys.modules))",
    )
    assert printed == "set()\n"


def test_nothing_is_registered_before_both_are_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[type] = []
    monkeypatch.setattr(st, "register_type_strategy", lambda kind, _: registered.append(kind))
    for missing in ("hypothesis", "course_assignments"):
        with monkeypatch.context() as without:
            without.delitem(sys.modules, missing)
            entry_point()
        assert registered == []
    entry_point()
    assert registered == list(DRAWN)
