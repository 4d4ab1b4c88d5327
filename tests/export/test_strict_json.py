"""JSON is read in one meaning, within bounds, or not at all."""

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
def test_what_is_written_is_read_back(value: Any) -> None:
    assert read_json(write_json(value, "value"), "text") == value


@given(st.dictionaries(st.text(max_size=3), st.integers(), min_size=2))
def test_the_order_of_keys_leaves_no_trace(value: dict[str, int]) -> None:
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
def test_what_is_no_number_is_refused(text: str) -> None:
    assert json.loads(text) is not None  # Python's own reader takes it
    assert code_of(text) == "not_json"


@pytest.mark.parametrize(
    "text", ["", " ", "{", '{"a":1,}', "'a'", "[1] [2]", "\ufeff[]", "9" * 5000]
)
def test_what_is_no_json_is_refused(text: str) -> None:
    assert code_of(text) == "not_json"


@pytest.mark.parametrize("text", ['{"a":1,"a":1}', '[{"b":{"a":1,"\\u0061":2}}]'])
def test_a_repeated_key_is_refused(text: str) -> None:
    assert json.loads(text)
    assert code_of(text) == "repeated_key"


@pytest.mark.parametrize("text", [b"[]", None, 1, []])
def test_only_a_string_is_accepted(text: Any) -> None:
    assert code_of(text) == "wrong_type"


def test_brackets_may_go_so_deep_and_no_deeper() -> None:
    assert read_json(nested(MAX_DEPTH), "text")
    assert code_of(nested(MAX_DEPTH + 1)) == "too_deep"
    assert code_of('{"a":' * (MAX_DEPTH + 1)) == "too_deep"


def test_brackets_beside_each_other_or_in_a_string_are_not_deep() -> None:
    beside: list[list[int]] = [[]] * 100
    within = nested(100) + '"\\' + nested(100)

    assert read_json(json.dumps(beside), "text") == beside
    assert read_json(json.dumps([within]), "text") == [within]


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_brackets_without_end_are_refused_and_exhaust_nothing(opening: str) -> None:
    assert code_of(opening * (MAX_BYTES // len(opening))) == "too_deep"


@pytest.mark.parametrize("part", ['"', '\\"', '"\\', '\\"['])
def test_quotes_without_end_take_no_longer_than_their_length(part: str) -> None:
    # Were each of them to look for its end anew, this would take hours.
    assert code_of(part * (MAX_BYTES // len(part))) in {"not_json", "too_deep"}


@pytest.mark.parametrize("letter", ["a", "\N{LATIN SMALL LETTER E WITH DIAERESIS}", "\ud800"])
def test_a_string_has_a_maximum_number_of_bytes(letter: str) -> None:
    size = len(letter.encode(errors="surrogatepass"))
    longest = letter * ((MAX_BYTES - len('""')) // size)

    assert read_json(write_json(longest, "value"), "text") == longest
    assert refusal(lambda: write_json(longest + letter, "value")).code == "too_large"
    assert code_of(f'"{longest}{letter}"') == "too_large"
