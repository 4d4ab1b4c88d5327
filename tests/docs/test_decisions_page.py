"""The page of decisions: each has its five entries, and the code and tests it names exist."""

import ast
from pathlib import Path
from pkgutil import resolve_name
from re import findall, split

TESTS = Path(__file__).parents[1]
DEFAULT_PAGE = TESTS.parent / "docs" / "decisions.md"
LABELS = ["Source", "Reading", "Alternative", "Code", "Test"]


def entries() -> dict[str, str]:
    """Return the text of each decision by its title."""
    parts = split(r"(?m)^#{1,2} .*$|^### (.+)$", DEFAULT_PAGE.read_text(encoding="utf-8"))
    return {title: text for title, text in zip(parts[1::2], parts[2::2], strict=True) if title}


def named_tests(text: str) -> list[str]:
    return findall(r"`(test_\w+\.py(?:::\w+)+)`", text)


def named_code(text: str) -> list[str]:
    """Return the import paths in the Code entry of *text*, from roles and plain literals."""
    entry = r"(?ms)^- \*\*Code:\*\* (.+?)(?=^- |\Z)"
    path = r"`~?(course_assignments\.[\w.]+)`"
    return [name for code in findall(entry, text) for name in findall(path, code)]


def is_importable(path: str) -> bool:
    try:
        resolve_name(path)
    except (ImportError, AttributeError):
        return False
    return True


def existing_tests() -> set[str]:
    """Return the id of every test in the test files, without its folder."""
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


def test_every_decision_has_its_five_entries_in_order() -> None:
    assert len(entries()) > 0
    labels = {
        title: findall(r"(?m)^- \*\*(\w+):\*\* \S", text) for title, text in entries().items()
    }
    assert {title for title, found in labels.items() if found != LABELS} == set()


def test_every_decision_names_code() -> None:
    assert {title for title, text in entries().items() if not named_code(text)} == set()


def test_every_named_code_can_be_imported() -> None:
    named = named_code(DEFAULT_PAGE.read_text(encoding="utf-8"))
    assert [path for path in named if not is_importable(path)] == []


def test_code_that_does_not_exist_would_be_found() -> None:
    entry = (
        "- **Code:** {py:class}`~course_assignments.Decision`,\n"
        "  {py:meth}`~course_assignments.Registrar.abolish`, `course_assignments.nowhere`\n"
        "- **Test:** `course_assignments.ignored`\n"
    )
    assert [(path, is_importable(path)) for path in named_code(entry)] == [
        ("course_assignments.Decision", True),
        ("course_assignments.Registrar.abolish", False),
        ("course_assignments.nowhere", False),
    ]


def test_every_decision_names_a_test() -> None:
    assert {title for title, text in entries().items() if not named_tests(text)} == set()


def test_every_named_test_exists() -> None:
    named = named_tests(DEFAULT_PAGE.read_text(encoding="utf-8"))
    assert set(named) - existing_tests() == set()


def test_a_test_that_does_not_exist_would_be_found() -> None:
    own = f"{Path(__file__).name}::{test_every_named_test_exists.__name__}"
    assert named_tests(f"- **Test:** `{own}`, `{own}_not`") == [own, f"{own}_not"]
    assert existing_tests() & {own, f"{own}_not"} == {own}
