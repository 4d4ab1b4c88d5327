"""The table of what happens to text: each of its cells is run."""

from collections.abc import Callable, Mapping
from pathlib import Path
from re import findall

import attrs
import pytest

import course_assignments as ca
from tests.support.world import ADA, world

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "text.md"


def between(plain: str, text: str) -> str:
    """Return *plain* with *text* after its third character."""
    return f"{plain[:3]}{text}{plain[3:]}"


def each_between(*texts: str) -> Callable[[str], list[str]]:
    return lambda plain: [between(plain, text) for text in texts]


#: For each row, by how it begins, what is made of a plain text.
ROWS: Mapping[str, Callable[[str], list[str]]] = {
    "outer white space": lambda plain: [f" {plain}", f"{plain}\u00a0", f"\u3000{plain} "],
    "white space inside": each_between(" ", "\u00a0", "  "),
    "a character that cannot be seen": lambda plain: [
        *(between(plain, "\u200b"), f"\ufeff{plain}", f"{plain}\u00ad")
    ],
    "nothing but white space": lambda _: ["", " \u00a0", "\u200b", " \u200b "],
    "a line break inside": each_between("\n", "\r\n"),
    "another control character": each_between("\x00", "\x1b"),
    "a dash of another kind": each_between("\u2013", "\u2212"),
    "a full-width character": each_between("\uff23", "\uff43"),
    "another case": lambda plain: [plain.swapcase()],
    "an accent of its own": each_between("e\u0301"),
    "a comma, a semicolon": each_between(",", ";", '"'),
    "a curly quote": each_between("\u2019", "\u201c", "\u2022", "\u3002"),
    "a single quote": each_between("'"),
    "`<` at": lambda plain: [f"<{plain}>", f"<{plain}", f"{plain}>"],
}

#: For each column, a plain text, and what a text becomes there.
COLUMNS: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "id": ("Abcde", lambda text: ca.Course(id=text, name="Python").id),
    "name": ("Abcde", lambda text: ca.Course(id="py", name=text).name),
    "note": ("Abcde", lambda text: ca.Note(title="Note", message=text).message),
    "address": ("Abcde@example.org", lambda text: attrs.evolve(ADA, email=text).email),
    "code": ("Spring-2026", ca.codes.fold),
    "search": ("Abcde", lambda text: ca.CourseQuery(name=text).contains()["name"]),
    "paste": ("Spring-2026", lambda text: next(iter(ca.read_codes([text])), "")),
}

#: For the words in the cells, a text that becomes the same.
SAME: Mapping[str, Callable[[str], list[str]]] = {
    "dropped": lambda plain: [plain],
    "no difference": lambda plain: [plain],
    "one space": each_between(" "),
    "becomes `-`": each_between("-"),
    "becomes ASCII": each_between("C", "c"),
    "composed": each_between("\u00e9"),
}


def table() -> dict[str, dict[str, str]]:
    heading, _, *rows = findall(r"(?m)^\|(.+)\|$", PAGE.read_text(encoding="utf-8"))
    names = [name.strip() for name in heading.split("|")][1:]
    cells = ([cell.strip() for cell in row.split("|")] for row in rows)
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in cells}


def test_the_table_has_each_row_and_column() -> None:
    found = table()
    assert len(found) == len(ROWS)
    assert all(list(cells) == list(COLUMNS) for cells in found.values())


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("begin", ROWS)
def test_every_cell(begin: str, column: str) -> None:
    (cell,) = (cells[column] for row, cells in table().items() if row.startswith(begin))
    plain, become = COLUMNS[column]
    for text in ROWS[begin](plain):
        match cell:
            case "refused":
                with pytest.raises(ca.InvalidInput):
                    become(text)
            case "skipped":
                assert become(text) == ""
            case "not found":
                reasons = world()[0].may_redeem(text, "ada").reasons
                assert [one.code for one in reasons] == ["key_not_found"]
            case "kept":
                assert become(text).casefold() == text.casefold()
                assert become(text) != become(plain)
            case _:
                assert become(text) in [become(same) for same in SAME[cell](plain)]


def test_an_address_is_searched_as_a_name_is() -> None:
    for typed in (" abcde@EXAMPLE.org\u00a0", "Abc\u200bde@example.org", "\ufeffabcde@example.org"):
        assert ca.UserQuery(email=typed) == ca.UserQuery(email="abcde@example.org")
