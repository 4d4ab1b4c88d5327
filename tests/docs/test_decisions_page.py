"""The page of decisions: each has its four lines, and the tests that it names exist."""

import ast
from pathlib import Path
from re import findall, split

TESTS = Path(__file__).parents[1]
DEFAULT_PAGE = TESTS.parent / "docs" / "decisions.md"
LABELS = ["Source", "Reading", "Alternative", "Test"]


def entries() -> dict[str, str]:
    """Return what the page says, by the titles of its decisions."""
    parts = split(r"(?m)^#{1,2} .*$|^### (.+)$", DEFAULT_PAGE.read_text(encoding="utf-8"))
    return {title: text for title, text in zip(parts[1::2], parts[2::2], strict=True) if title}


def named_tests(text: str) -> list[str]:
    return findall(r"`(test_\w+\.py(?:::\w+)+)`", text)


def existing_tests() -> set[str]:
    """Return every test in the files here and below, as pytest calls it."""
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        found |= _tests_in(ast.parse(path.read_text(encoding="utf-8")), path.name)
    return found


def _tests_in(node: ast.Module | ast.ClassDef, prefix: str) -> set[str]:
    found: set[str] = set()
    for one in node.body:
        if isinstance(one, ast.ClassDef) and one.name.startswith("Test"):
            found |= _tests_in(one, f"{prefix}::{one.name}")
        elif isinstance(one, ast.FunctionDef) and one.name.startswith("test_"):
            found.add(f"{prefix}::{one.name}")
    return found


def test_every_decision_has_a_source_a_reading_an_alternative_and_a_test() -> None:
    assert len(entries()) > 0
    labels = {
        title: findall(r"(?m)^- \*\*(\w+):\*\* \S", text) for title, text in entries().items()
    }
    assert {title for title, found in labels.items() if found != LABELS} == set()


def test_every_decision_names_a_test() -> None:
    assert {title for title, text in entries().items() if not named_tests(text)} == set()


def test_every_test_that_is_named_exists() -> None:
    named = named_tests(DEFAULT_PAGE.read_text(encoding="utf-8"))
    assert set(named) - existing_tests() == set()


def test_a_test_that_does_not_exist_would_be_found_out() -> None:
    own = f"{Path(__file__).name}::{test_every_test_that_is_named_exists.__name__}"
    assert named_tests(f"- **Test:** `{own}`, `{own}_not`") == [own, f"{own}_not"]
    assert existing_tests() & {own, f"{own}_not"} == {own}
