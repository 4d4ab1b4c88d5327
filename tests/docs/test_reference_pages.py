"""The reference: every public name has its place, and every reason its code and sentence."""

from doctest import DocTestFinder
from pathlib import Path
from re import findall
from typing import get_args

import course_assignments
from course_assignments import Registrar, actions, testing
from course_assignments.reasons import CustomReason, PlainReason
from course_assignments.testing import strategies

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
ROW = r"(?m)^\| `(.+)` \| \{py:class\}`~course_assignments\.reasons\.(\w+)` \| (.+) \|$"


def documented() -> set[str]:
    """Return the names that the pages document one by one, without the name of the package."""
    pages = (page.read_text(encoding="utf-8") for page in REFERENCE.glob("*.md"))
    directive = r"(?m)^\s*\.\. (?:auto|py:)\w+:: course_assignments\.(\S+)$"
    names = {name for page in pages for name in findall(directive, page)}
    # A module is public under its last name, wherever it stands.
    return names | {name.removeprefix("entities.") for name in names}


def sentence_of(reason: type) -> str:
    """Return what the example in the docstring prints, which is tested where it stands."""
    (example,) = (test for test in DocTestFinder(recurse=False).find(reason) if test.examples)
    return " ".join(example.examples[-1].want.split())


def test_every_public_name_is_documented() -> None:
    assert set(course_assignments.__all__) - documented() == set()


def test_every_name_of_the_kit_is_documented() -> None:
    drawn = {
        f"testing.strategies.{name}"
        for name, one in vars(strategies).items()
        if not name.startswith("_") and getattr(one, "__module__", "") == strategies.__name__
    }
    offered = {f"testing.{name}" for name in testing.__all__} - {"testing.strategies"}
    assert len(drawn) >= len(strategies.STRATEGIES)
    assert (drawn | offered) - documented() == set()


def test_every_command_and_its_twin_is_documented() -> None:
    commands = {f"Registrar.{name}" for name in dir(Registrar) if not name.startswith("_")}
    inner = {"Registrar.repository"}
    assert commands - inner - documented() == set()


def test_every_action_is_documented() -> None:
    assert {f"actions.{name}" for name in actions.__all__} - documented() == set()


def test_every_reason_is_listed_with_its_code_and_sentence() -> None:
    reasons = [reason for reason in get_args(PlainReason) if reason is not CustomReason]
    rows = [(reason.code, reason.__name__, sentence_of(reason)) for reason in reasons]
    assert findall(ROW, (REFERENCE / "reasons.md").read_text(encoding="utf-8")) == rows


def test_no_two_reasons_share_a_code() -> None:
    codes = [reason.code for reason in get_args(PlainReason) if reason is not CustomReason]
    assert len(set(codes)) == len(codes) > 0
