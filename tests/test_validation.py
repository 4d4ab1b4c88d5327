"""The checks of single values, at the edges of what they let through."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import partial
from typing import Any

import attrs
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import InvalidInput, Months, StorageError
from course_assignments import validation as f
from tests.support.values import refusal

#: By their numbers, from the Unicode code charts, and not by what `unicodedata` calls them.
CONTROL = {*range(0x20), *range(0x7F, 0xA0)}
SURROGATE = set(range(0xD800, 0xE000))
NEARBY = [*range(0x3000), *range(0xD7F0, 0xE010), 0xFEFF, 0xFFFE, 0xFFFF, 0x1F600, 0x10FFFF]

check_long_text = partial(f.check_text, length=f.TEXT_LENGTH, allowed=f.LINE_BREAKS)

NAIVE = datetime.fromisoformat("2026-01-05")


class TestStrings:
    """Ids have 1 to 200 characters, names 1 to 500, no control characters or surrogates."""

    def test_have_no_control_character_and_no_surrogate(self) -> None:
        refused = set()
        for point in NEARBY:
            try:
                f.check_text(f"a{chr(point)}b", "name", 3)
            except InvalidInput:
                refused.add(point)
        assert refused == CONTROL | SURROGATE
        error = refusal(lambda: f.check_text("a\ud800b", "name", 3))
        assert (error.code, error.field) == ("unprintable", "name")

    def test_may_have_the_control_characters_that_are_allowed(self) -> None:
        for point in CONTROL:
            text = f"a{chr(point)}b"
            if chr(point) in "\n\r\t":
                assert check_long_text(text, "message") == text
            else:
                assert refusal(lambda t=text: check_long_text(t, "message")).code == "unprintable"  # type: ignore[misc]

    @pytest.mark.parametrize(
        ("check", "longest"),
        [(f.check_id, 200), (check_long_text, 10_000)],
    )
    def test_have_a_greatest_length(self, check: Any, longest: int) -> None:
        assert check("a", "field") == "a"
        assert check("é" * longest, "field") == "é" * longest
        error = refusal(lambda: check("a" * (longest + 1), "field"))
        assert (error.code, error.field) == ("too_long", "field")

    @pytest.mark.parametrize("text", ["", " ", "\n", "\t \u00a0\u2003"])
    def test_are_not_blank(self, text: str) -> None:
        for check in (f.check_id, check_long_text):
            error = refusal(lambda c=check: c(text, "field"))  # type: ignore[misc]
            assert (error.code, error.field) == ("blank", "field")

    @pytest.mark.parametrize("value", [None, 5, b"ada", ["ada"]])
    def test_are_strings(self, value: Any) -> None:
        error = refusal(lambda: f.check_id(value, "field"))
        assert (error.code, error.field) == ("not_a_text", "field")


class Large(IntEnum):
    """A number of a derived class."""

    TWO = 2


class TestCounts:
    @given(st.integers(-5, 5), st.integers(-5, 5), st.integers(0, 5))
    def test_lie_between_their_bounds(self, value: int, least: int, more: int) -> None:
        if least <= value <= least + more:
            assert f.check_count(value, "uses", least, least + more) == value
        else:
            error = refusal(lambda: f.check_count(value, "uses", least, least + more))
            assert (error.code, error.field) == ("invalid_count", "uses")

    @pytest.mark.parametrize("value", [True, False, 2.0, "2", None, Large.TWO, float("nan")])
    def test_are_plain_whole_numbers(self, value: Any) -> None:
        assert refusal(lambda: f.check_count(value, "uses", 0)).code == "invalid_count"

    def test_fit_into_a_column_of_a_database(self) -> None:
        assert f.check_count(2**31 - 1, "uses", 0) == 2**31 - 1
        assert refusal(lambda: f.check_count(2**31, "uses", 0)).code == "invalid_count"


class TestLists:
    """Empty lists, and a str where a list is expected, are invalid."""

    @given(st.lists(st.integers(), min_size=1))
    def test_of_any_kind_become_tuples(self, values: list[int]) -> None:
        for given_as in (values, tuple(values), iter(values), (value for value in values)):
            assert f.check_list(given_as, "ids") == tuple(values)

    def test_are_empty_only_where_that_is_said(self) -> None:
        assert f.check_list([], "ids", empty=True) == ()
        error = refusal(lambda: f.check_list(iter(()), "ids"))
        assert (error.code, error.field) == ("empty_list", "ids")

    @pytest.mark.parametrize("values", ["", "abc", b"abc", None, 5])
    def test_are_lists(self, values: Any) -> None:
        for empty in (False, True):
            error = refusal(lambda e=empty: f.check_list(values, "ids", empty=e))  # type: ignore[misc]
            assert (error.code, error.field) == ("not_a_list", "ids")


def test_a_value_of_another_kind_is_told_which_ones_are_expected() -> None:
    f.check_kind(5, "value", int)
    f.check_kind(5, "value", str, int)
    error = refusal(lambda: f.check_kind(5.5, "value", str, int))
    assert error == InvalidInput("wrong_type", "value", "expected str or int, got float 5.5")


@attrs.frozen(kw_only=True)
class Record:
    """One field for each converter and each validator."""

    id: Any = attrs.field(default="r-1", validator=f.identifier)
    name: Any = attrs.field(default="A name", validator=f.name)
    message: Any = attrs.field(default="A\nmessage", validator=f.long_text)
    created_at: Any = attrs.field(default=datetime(2026, 1, 5, tzinfo=UTC), converter=f.to_utc)
    ends: Any = f.optional_datetime(f.after("begins"))
    begins: Any = f.optional_datetime()
    done: Any = f.since_creation()
    other_id: Any = attrs.field(default=None, validator=f.identifier_or_none)
    other_name: Any = attrs.field(default=None, validator=f.name_or_none)
    length: Any = attrs.field(default=Months(6), converter=f.to_duration)
    uses: Any = attrs.field(default=1, validator=f.count(1))
    active: Any = attrs.field(default=True, validator=f.flag)
    parent: Any = attrs.field(default="", validator=f.one_of(str, int))
    exact: Any = attrs.field(default=1, validator=f.one_of(str, int, exact=True))
    parts: Any = attrs.field(default=(), converter=f.to_tuple[Any], validator=f.items_of(str, int))
    exacts: Any = attrs.field(
        default=(), converter=f.to_tuple[Any], validator=f.items_of(int, exact=True)
    )
    kinds: Any = attrs.field(
        default=frozenset(), converter=f.to_set[Any], validator=f.items_of(str)
    )
    ids: Any = attrs.field(default=frozenset(), converter=f.to_set[Any], validator=f.identifiers)


class TestARecord:
    @pytest.mark.parametrize(
        ("field", "value", "path", "code"),
        [
            ("id", "", "id", "blank"),
            ("id", "a" * 201, "id", "too_long"),
            ("id", 5, "id", "not_a_text"),
            ("name", "a" * 501, "name", "too_long"),
            ("name", "a\nb", "name", "unprintable"),
            ("message", "a" * 10_001, "message", "too_long"),
            ("message", "a\0b", "message", "unprintable"),
            ("created_at", NAIVE, "created_at", "naive_datetime"),
            ("created_at", "2026-01-05", "created_at", "not_a_datetime"),
            ("created_at", None, "created_at", "not_a_datetime"),
            ("begins", NAIVE, "begins", "naive_datetime"),
            ("begins", "2026-01-05", "begins", "not_a_datetime"),
            ("done", NAIVE, "done", "naive_datetime"),
            ("done", datetime(2026, 1, 4, tzinfo=UTC), "done", "before_creation"),
            ("other_id", "", "other_id", "blank"),
            ("other_name", "a\nb", "other_name", "unprintable"),
            ("length", timedelta(0), "length", "invalid_duration"),
            ("length", 180, "length", "invalid_duration"),
            ("length", relativedelta(months=1, days=1), "length", "invalid_duration"),
            ("uses", 0, "uses", "invalid_count"),
            ("uses", True, "uses", "invalid_count"),
            ("active", 1, "active", "not_a_flag"),
            ("active", None, "active", "not_a_flag"),
            ("parent", None, "parent", "wrong_type"),
            ("exact", True, "exact", "wrong_type"),
            ("exact", None, "exact", "wrong_type"),
            ("exacts", [1, True], "exacts[1]", "wrong_type"),
            ("exacts", [None], "exacts[0]", "wrong_type"),
            ("parts", "ab", "parts", "not_a_list"),
            ("parts", None, "parts", "not_a_list"),
            ("parts", ["a", 1, None], "parts[2]", "wrong_type"),
            ("kinds", "ab", "kinds", "not_a_list"),
            ("kinds", [[]], "kinds", "not_a_list"),
            ("kinds", [5], "kinds[0]", "wrong_type"),
            ("ids", None, "ids", "not_a_list"),
            ("ids", [{}], "ids", "not_a_list"),
            ("ids", ["a", ""], "ids", "blank"),
            ("ids", [5], "ids", "not_a_text"),
        ],
    )
    def test_names_the_field_that_is_wrong(
        self, field: str, value: Any, path: str, code: str
    ) -> None:
        error = refusal(lambda: Record(**{field: value}))
        assert (error.code, error.field) == (code, path)

    @pytest.mark.parametrize(
        ("field", "value", "kept"),
        [
            ("name", "a" * 500, "a" * 500),
            ("length", relativedelta(years=1), Months(12)),
            ("length", timedelta(hours=1), timedelta(hours=1)),
            ("parts", ["a", 1], ("a", 1)),
            ("parts", iter(["b"]), ("b",)),
            ("kinds", ["a", "a"], frozenset({"a"})),
            ("ids", {"a", "b"}, frozenset({"a", "b"})),
        ],
    )
    def test_converts_what_it_can(self, field: str, value: Any, kept: Any) -> None:
        got = getattr(Record(**{field: value}), field)
        assert got == kept
        assert type(got) is type(kept)

    def test_keeps_datetimes_in_utc(self) -> None:
        berlin = datetime.fromisoformat("2026-01-05T01:00:00+01:00")
        assert Record(created_at=berlin).created_at.tzinfo is UTC
        assert Record(begins=berlin).begins.tzinfo is UTC

    def test_has_none_where_that_is_allowed(self) -> None:
        record = Record(begins=None, ends=None, done=None, other_id=None, other_name=None)
        assert record == Record()

    @pytest.mark.parametrize("step", [timedelta(0), timedelta(microseconds=-1)])
    def test_ends_after_it_begins_if_it_does_both(self, step: timedelta) -> None:
        begins = datetime(2026, 1, 5, tzinfo=UTC)
        error = refusal(lambda: Record(begins=begins, ends=begins + step))
        assert (error.code, error.field) == ("empty_window", "ends")
        assert error.hint == (
            "expected a datetime after begins, 2026-01-05T00:00:00+00:00; "
            f"got {(begins + step).isoformat()}"
        )
        assert Record(ends=begins + step).begins is None
        later = begins + timedelta(microseconds=1)
        assert Record(begins=begins, ends=later).ends == later


@given(st.lists(st.sampled_from("abc")))
def test_values_are_distinct_up_to_the_first_that_is_repeated(values: list[str]) -> None:
    repeated = [place for place, one in enumerate(values) if one in values[:place]]
    if not repeated:
        f.check_distinct(values, "codes[{}].id")
        return
    error = refusal(lambda: f.check_distinct(values, "codes[{}].id"))
    assert (error.code, error.field) == ("repeated", f"codes[{repeated[0]}].id")


def test_records_that_do_not_belong_together_are_refused() -> None:
    f.check_same("a", "a", "batch")
    error = refusal(lambda: f.check_same("a", "b", "batch"))
    assert (error.code, error.field) == ("another_record", "batch")


class Derived(Record):
    """A record that may do anything."""


def test_a_record_is_of_its_very_class() -> None:
    f.check_kind(Record(), "record", int, Record, exact=True)
    for other in (Derived(), None):
        error = refusal(lambda one=other: f.check_kind(one, "record", int, Record, exact=True))  # type: ignore[misc]
        assert (error.code, error.field) == ("wrong_type", "record")


def test_an_error_of_the_storage_is_raised() -> None:
    def half() -> Iterator[str]:
        yield "a"
        raise StorageError("failed", "disk I/O error")

    with pytest.raises(StorageError):
        f.check_list(half(), "ids")
