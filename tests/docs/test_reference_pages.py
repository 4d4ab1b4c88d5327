"""The reference: every public name has its place, and every reason its code and sentence."""

from pathlib import Path
from re import findall, search
from runpy import run_path
from typing import Any, get_args

import course_assignments
from course_assignments import testing
from course_assignments.commands import COMMANDS
from course_assignments.reasons import CustomReason, PlainReason, Variants
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


def test_every_command_and_its_records_are_documented() -> None:
    """A page documents a module with all that is in it, and so are the classes of a registrar."""
    modules = {one.__module__.partition(".")[2] for one in COMMANDS.values()}
    bases = {f"commands.{name}" for name in ("Command", "Context", "Outcome", "Reader")}
    assert {*modules, *bases, "Registrar"} - documented() == set()
    pages = "".join(page.read_text(encoding="utf-8") for page in REFERENCE.glob("*.md"))
    for module in {*modules, "Registrar"}:
        assert not search(rf"{module}\n\s+:(no-members|members):", pages), module


def settings() -> dict[str, Any]:
    """Return the settings of Sphinx, which build the table of reasons."""
    return run_path(str(REFERENCE.parent / "conf.py"))


def test_every_reason_is_listed_with_its_code_and_sentences() -> None:
    table = settings()["myst_substitutions"]["reasons"]
    assert "\n{{ reasons }}\n" in (REFERENCE / "reasons.md").read_text(encoding="utf-8")
    rows = findall(ROW, table)
    reasons = [reason for reason in get_args(PlainReason) if reason is not CustomReason]
    assert [row[:2] for row in rows] == [(reason.code, reason.__name__) for reason in reasons]
    assert len(rows) == len(table.splitlines()) - 2
    for reason, (_, _, sentences) in zip(reasons, rows, strict=True):
        shown = sentences.split("<br>")
        if isinstance(reason.sentence, Variants):
            assert shown == [*reason.sentence.sentences]
        else:
            assert shown == [reason.sentence]


def test_the_page_of_reasons_keeps_no_rows_of_its_own() -> None:
    assert "| `" not in (REFERENCE / "reasons.md").read_text(encoding="utf-8")


def test_no_two_reasons_share_a_code() -> None:
    codes = [reason.code for reason in get_args(PlainReason) if reason is not CustomReason]
    assert len(set(codes)) == len(codes) > 0
