"""JSON is read with one meaning and within limits, or refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_assignments.serialization.strict_json import MAX_BYTES, MAX_DEPTH, read_json, write_json
from tests.support.values import refusal

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def code_of(text: Any) -> str:
    error = refusal(lambda: read_json(text, "text"))
    assert error.field == "text"
    return error.code


@given(VALUES)
def test_a_written_value_is_read_back(value: Any) -> None:
    assert read_json(write_json(value, "value"), "text") == value


@given(st.dictionaries(st.text(max_size=3), st.integers(), min_size=2))
def test_keys_are_written_in_one_order(value: dict[str, int]) -> None:
    turned = dict(reversed(value.items()))

    assert write_json(value, "value") == write_json(turned, "value")


@given(st.text() | VALUES.map(json.dumps))
def test_any_string_is_read_like_json_or_refused(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        assert code_of(text) == "not_json"
    else:
        assert read_json(text, "text") == expected


def test_characters_are_not_escaped_and_there_are_no_spaces() -> None:
    name = "Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}"

    assert write_json({"name": name, "ids": [1, 2]}, "value") == f'{{"ids":[1,2],"name":"{name}"}}'


@pytest.mark.parametrize("text", ["NaN", "Infinity", "[-Infinity]", '{"uses": NaN}'])
def test_a_value_that_is_not_a_number_is_refused(text: str) -> None:
    assert json.loads(text) is not None  # Python accepts it
    assert code_of(text) == "not_json"


@pytest.mark.parametrize(
    "text", ["", " ", "{", '{"a":1,}', "'a'", "[1] [2]", "\ufeff[]", "9" * 5000]
)
def test_a_string_that_is_not_json_is_refused(text: str) -> None:
    assert code_of(text) == "not_json"


@pytest.mark.parametrize("text", ['{"a":1,"a":1}', '[{"b":{"a":1,"\\u0061":2}}]'])
def test_a_repeated_key_is_refused(text: str) -> None:
    assert json.loads(text)
    assert code_of(text) == "repeated_key"


@pytest.mark.parametrize("text", [b"[]", None, 1, []])
def test_only_a_string_is_accepted(text: Any) -> None:
    assert code_of(text) == "wrong_type"


def test_nesting_has_a_maximum_depth() -> None:
    assert read_json(nested(MAX_DEPTH), "text")
    assert code_of(nested(MAX_DEPTH + 1)) == "too_deep"
    assert code_of('{"a":' * (MAX_DEPTH + 1)) == "too_deep"


def test_brackets_in_sequence_or_in_a_string_are_not_nested() -> None:
    beside: list[list[int]] = [[]] * 100
    within = nested(100) + '"\\' + nested(100)

    assert read_json(json.dumps(beside), "text") == beside
    assert read_json(json.dumps([within]), "text") == [within]


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_many_open_brackets_are_refused(opening: str) -> None:
    assert code_of(opening * (MAX_BYTES // len(opening))) == "too_deep"


@pytest.mark.parametrize("part", ['"', '\\"', '"\\', '\\"['])
def test_many_quotes_are_refused_in_linear_time(part: str) -> None:
    # A search for the end from each of them would take hours.
    assert code_of(part * (MAX_BYTES // len(part))) in {"not_json", "too_deep"}


@pytest.mark.parametrize("character", ["a", "\N{LATIN SMALL LETTER E WITH DIAERESIS}", "\ud800"])
def test_a_string_has_a_maximum_number_of_bytes(character: str) -> None:
    size = len(character.encode(errors="surrogatepass"))
    longest = character * ((MAX_BYTES - len('""')) // size)

    assert read_json(write_json(longest, "value"), "text") == longest
    assert refusal(lambda: write_json(longest + character, "value")).code == "too_large"
    assert code_of(f'"{longest}{character}"') == "too_large"
