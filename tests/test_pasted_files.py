"""Files in their real shape, with invented content: each is taken, or all bad lines are named."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from rosters import CANVAS, MOODLE, ONEROSTER, Columns, WrongLines, read_roster

import course_assignments as ca
from tests.support.values import refusal

DATA = Path(__file__).parent / "data"
CODES = [
    *("WELCOME-SPRING-2026", "TRAINING-KEY-000001", "Northwind~A1B2", "harbour-7f3k9q"),
    "0000-0000-0000-0001-2",
]


def text_of(name: str) -> str:
    return (DATA / name).read_bytes().decode("utf-8")


@pytest.mark.parametrize(
    "name", ["codes-lf.txt", "codes-cr.txt", "codes-crlf-bom.txt", "codes-nel.txt"]
)
def test_a_plain_list_of_codes_is_taken(name: str) -> None:
    assert list(ca.read_codes(text_of(name).splitlines())) == CODES


@pytest.mark.parametrize("name", ["codes-lf.txt", "codes-cr.txt", "codes-crlf-bom.txt"])
def test_an_open_file_of_codes_is_taken(name: str) -> None:
    with (DATA / name).open(encoding="utf-8") as file:
        assert list(ca.read_codes(file)) == CODES


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("coupons-with-quantities.csv", dict.fromkeys(range(1, 5), "several_columns")),
        ("coupons-quoted.csv", dict.fromkeys(range(1, 4), "enclosed")),
        ("coupons-from-a-spreadsheet.csv", dict.fromkeys(range(1, 5), "several_columns")),
        ("coupons-tabs.txt", dict.fromkeys(range(1, 4), "several_columns")),
        (
            "coupons-mixed.txt",
            {
                2: "several_columns",
                3: "invalid_code",
                4: "code_repeated",
                6: "enclosed",
                7: "invalid_code",
            },
        ),
    ],
)
def test_a_list_with_other_columns_is_refused_with_all_its_bad_lines(
    name: str, wrong: dict[int, str]
) -> None:
    lines = text_of(name).splitlines()
    error = refusal(lambda: ca.read_codes(lines))
    assert {one.field: one.code for one in error.errors} == {
        f"codes[{number - 1}]": code for number, code in wrong.items()
    }
    assert len(str(error)) <= 200
    assert "SPRING" not in str(error)


def is_active(row: Mapping[str, str]) -> bool:
    return row["status"] == "active"


@pytest.mark.parametrize(
    ("name", "columns", "is_learner", "expected"),
    [
        (
            "moodle.csv",
            MOODLE,
            None,
            {"ada": "Ada Okafor", "bo": "Bo Lindqvist", "ren\u00e9": "Ren\u00e9 Stra\u00dfe, Dr."},
        ),
        (
            "moodle-semicolons-bom-cr.csv",
            MOODLE,
            None,
            {"ada": "Ada Okafor", "bo": "Bo Lindqvist"},
        ),
        ("canvas.csv", CANVAS, is_active, {"u-1": "Ada Okafor", "u-3": "Cy Marlow"}),
        (
            "oneroster.csv",
            ONEROSTER,
            lambda row: is_active(row) and row["role"] == "student",
            {"s-1": "Ada Okafor"},
        ),
    ],
)
def test_a_roster_is_taken(
    name: str,
    columns: Columns,
    is_learner: Callable[[Mapping[str, str]], bool] | None,
    expected: dict[str, str],
) -> None:
    options = {} if is_learner is None else {"is_learner": is_learner}
    users = read_roster(text_of(name).splitlines(), columns, "acme", **options)
    assert {one.id: one.name for one in users} == expected
    assert {one.organization_id for one in users} == {"acme"}
    with (DATA / name).open(encoding="utf-8-sig", newline="") as file:
        assert read_roster(file, columns, "acme", **options) == users


@pytest.mark.parametrize(
    ("name", "columns", "wrong"),
    [
        (
            "moodle-wrong.csv",
            MOODLE,
            {
                2: "id: remove ZERO WIDTH SPACE",
                3: "email: expected the address alone, such as ada@example.org; remove SEMICOLON",
                4: "email: expected the address alone, such as ada@example.org; remove COLON",
                6: "id: expected a string",
                7: "email: remove ZERO WIDTH NO-BREAK SPACE",
            },
        ),
        (
            "canvas-wrong.csv",
            CANVAS,
            {
                2: "email: expected the address alone, such as ada@example.org; remove",
                3: "email: expected",
            },
        ),
        (
            "oneroster-wrong.csv",
            ONEROSTER,
            {
                2: "email: expected the address alone",
                3: "name: expected",
                4: "id: remove SOFT HYPHEN",
            },
        ),
        ("moodle.csv", CANVAS, {1: "no column user_id, first_name, last_name"}),
    ],
)
def test_a_roster_is_refused_with_all_its_bad_lines(
    name: str, columns: Columns, wrong: dict[int, str]
) -> None:
    with pytest.raises(WrongLines) as caught:
        read_roster(text_of(name).splitlines(), columns, "acme")
    assert caught.value.lines.keys() == wrong.keys()
    for number, words in wrong.items():
        expected, *advice = words.split("; ")
        assert caught.value.lines[number].startswith(expected)
        assert all(one in caught.value.lines[number] for one in advice)
        assert f"line {number}: " in str(caught.value)


def test_an_empty_file_has_no_columns() -> None:
    with pytest.raises(WrongLines, match="line 1: no column username"):
        read_roster([], MOODLE, "acme")
