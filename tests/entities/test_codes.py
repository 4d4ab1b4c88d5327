"""The codes of training keys: generating, reading, checking, showing, masking (rule 12)."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from itertools import combinations
from random import Random
from re import fullmatch
from sys import maxunicode
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course_assignments import codes, read_codes
from course_assignments.entities.codes import (
    check_symbol,
    fold,
    format_code,
    generate,
    has_generated_shape,
    is_mistyped,
    is_storable,
    mask,
)
from tests.support.values import refusal

#: Crockford's base 32.
SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

Check = Callable[[str], str]

symbols = st.text(SYMBOLS, min_size=16, max_size=16)


def random_bytes(seed: int) -> Callable[[int], bytes]:
    """Return a deterministic source of bytes."""
    return Random(seed).randbytes  # noqa: S311 - the same in every run


def generated() -> st.SearchStrategy[str]:
    """Draw a generated code in its stored form."""
    return symbols.map(lambda drawn: generate(1, lambda _: as_bytes(drawn))[0])


def as_bytes(drawn: str) -> bytes:
    """Return the bytes from which a generator makes *drawn*."""
    return bytes(SYMBOLS.index(symbol) for symbol in drawn)


class TestCheckSymbol:
    """Each single wrong symbol and each swap of two symbols is recognized as a typing error."""

    @given(symbols)
    @example("0000000000000001")
    @example("Z" * 16)
    def test_is_the_value_of_a_polynomial_over_gf_32(self, drawn: str) -> None:
        # With tables of powers and logarithms, which the code under test does not use.
        powers = [1]
        while len(powers) < 31:
            doubled = powers[-1] * 2
            powers.append(doubled ^ 0b100101 if doubled > 31 else doubled)
        assert sorted(powers) == list(range(1, 32))
        total = 0
        for place, symbol in enumerate(drawn):
            value = SYMBOLS.index(symbol)
            if value:
                total ^= powers[(powers.index(value) + 16 - place) % 31]
        assert codes.check_symbol(drawn) == SYMBOLS[total]

    @staticmethod
    def wrong_symbols(code: str) -> Iterable[str]:
        for place, right in enumerate(code):
            for wrong in SYMBOLS:
                if wrong != right:
                    yield code[:place] + wrong + code[place + 1 :]

    @staticmethod
    def swaps(code: str) -> Iterable[str]:
        for one, other in combinations(range(len(code)), 2):
            if code[one] != code[other]:
                swapped = list(code)
                swapped[one], swapped[other] = code[other], code[one]
                yield "".join(swapped)

    def test_detects_each_wrong_symbol_and_each_swap_in_generated_codes(self) -> None:
        for code in generate(10, random_bytes(1)):
            mistyped = [*self.wrong_symbols(code), *self.swaps(code)]
            assert len(mistyped) > 17 * 31
            assert not is_mistyped(code)
            assert all(is_mistyped(typed) for typed in mistyped)
            assert not any(has_generated_shape(typed) for typed in mistyped)

    @given(generated())
    def test_detects_a_missing_and_a_doubled_symbol(self, code: str) -> None:
        """So are 16 and 18 symbols: "16 to 18 such symbols were typed whose check does not fit"."""
        for place in range(17):
            for typed in (
                code[:place] + code[place + 1 :],
                code[:place] + code[place] + code[place:],
            ):
                assert is_mistyped(typed)
                assert is_mistyped("-".join(typed.lower()))
        assert not is_mistyped(code[:15])
        assert not is_mistyped(code + "00")
        assert not is_mistyped("U" + code[1:])

    @given(generated())
    def test_detects_each_swap_in_any_code(self, code: str) -> None:
        assert not is_mistyped(code)
        assert all(is_mistyped(swapped) for swapped in self.swaps(code))

    @staticmethod
    def unseen(check: Check) -> int:
        """Count the swaps of any two symbols, in any two places, that *check* does not detect.

        One rest of the code is enough: the check is linear, so it adds the same to both.
        """
        rest = "7Q0RZ4M1X9C2KT5B"
        count = 0
        for one, other in combinations(range(16), 2):
            for a, b in combinations(SYMBOLS, 2):
                typed = list(rest)
                typed[one], typed[other] = a, b
                first = check("".join(typed))
                typed[one], typed[other] = b, a
                count += first == check("".join(typed))
        for place in range(16):
            for a in SYMBOLS:
                last = check(rest[:place] + a + rest[place + 1 :])
                count += a != last and check(rest[:place] + last + rest[place + 1 :]) == a
        return count

    def test_detects_each_swap_of_any_two_symbols_in_any_two_places(self) -> None:
        assert self.unseen(codes.check_symbol) == 0

    def test_with_equal_weights_would_not_detect_swaps(self) -> None:
        def sum_of_all(drawn: str) -> str:
            total = 0
            for symbol in drawn:
                total ^= SYMBOLS.index(symbol)
            return SYMBOLS[total]

        assert self.unseen(sum_of_all) > 0


class TestGenerating:
    """16 random Crockford base-32 symbols (80 bits) and one check symbol."""

    @given(symbols)
    def test_takes_five_bits_of_each_byte(self, drawn: str) -> None:
        (code,) = generate(1, lambda _: as_bytes(drawn))
        assert code == drawn + codes.check_symbol(drawn)
        assert (code,) == generate(1, lambda _: bytes(b | 0b11100000 for b in as_bytes(drawn)))

    def test_makes_all_symbols_equally_likely(self) -> None:
        every_byte = list(range(256))
        Random(7).shuffle(every_byte)  # noqa: S311 - any order without repeated codes
        made = generate(16, lambda _: bytes(every_byte))
        assert Counter("".join(code[:-1] for code in made)) == dict.fromkeys(SYMBOLS, 8)

    def test_makes_them_equally_likely_in_each_place(self) -> None:
        made = generate(4000, random_bytes(2026))
        expected = len(made) / len(SYMBOLS)
        for place in range(17):
            counts = Counter(code[place] for code in made)
            chi_square = sum((counts[symbol] - expected) ** 2 / expected for symbol in SYMBOLS)
            # 31 degrees of freedom exceed this once in ten thousand; the source is fixed.
            assert chi_square < 68.0

    @given(st.integers(0, 40), st.integers(0, 2**32))
    def test_returns_the_given_number_of_distinct_codes(self, count: int, seed: int) -> None:
        made = generate(count, random_bytes(seed))
        assert len(set(made)) == len(made) == count
        assert all(is_storable(code) and fold(code) == code for code in made)
        assert made == generate(count, random_bytes(seed))

    @pytest.mark.parametrize("count", [-1, 100_001, True, 1.0, "1", None])
    def test_makes_0_to_100_000(self, count: Any) -> None:
        def never(_: int) -> bytes:
            raise AssertionError("a refused count needs no random bytes")

        error = refusal(lambda: generate(count, never))
        assert (error.code, error.field) == ("invalid_count", "generate")

    @pytest.mark.parametrize(
        "source",
        [
            lambda size: bytes(size - 1),
            lambda size: bytes(size + 1),
            lambda _: b"",
            bytearray,
            lambda size: "0" * size,
            lambda _: None,
        ],
    )
    def test_needs_a_source_that_returns_the_requested_number_of_bytes(self, source: Any) -> None:
        error = refusal(lambda: generate(2, source))
        assert (error.code, error.field) == ("bad_random_source", "random_bytes")

    def test_stops_if_the_source_repeats_itself(self) -> None:
        asked = []

        def zeros(size: int) -> bytes:
            asked.append(size)
            return bytes(size)

        error = refusal(lambda: generate(2, zeros))
        assert (error.code, error.field) == ("bad_random_source", "random_bytes")
        assert asked == [32, *[16] * 15]

    def test_replaces_repeated_codes(self) -> None:
        answers = iter([bytes(48), bytes([1] * 16) + bytes(16), bytes([2] * 16)])
        made = generate(3, lambda size: next(answers)[:size])
        assert [code[:16] for code in made] == ["0" * 16, "1" * 16, "2" * 16]


#: Characters that may replace a symbol, or separate symbols, in a typed code.
LOOKALIKES = {"0": "0Oo", "1": "1IiLl"}
CUSTOM = "".join(char for char in map(chr, range(0x21, 0x7F)) if char not in ",;'\"`")
BETWEEN = " \t\n\u00a0\u2003\u3000-\u2010\u2011\u2012\u2013\u2014\uff0d\u2212\u00ad\u200b"


class TestFolding:
    """One form for look-up: upper case, or 17 symbols if dashes and look-alikes make no more."""

    @given(st.data(), generated())
    def test_is_the_generated_code_however_it_is_typed(
        self, data: st.DataObject, code: str
    ) -> None:
        filling = st.text(BETWEEN, max_size=2)
        typed = data.draw(filling)
        for symbol in code:
            forms = LOOKALIKES.get(symbol, symbol + symbol.lower())
            wide = "".join(chr(ord(form) + 0xFEE0) for form in forms)
            typed += data.draw(st.sampled_from(forms + wide)) + data.draw(filling)
        assert fold(typed) == code
        assert fold(f"\ufeff{typed}") == code
        assert not is_mistyped(typed)

    @given(generated())
    def test_accepts_a_code_as_it_is_shown(self, code: str) -> None:
        shown = format_code(code)
        assert [len(group) for group in shown.split("-")] == [4, 4, 4, 4, 1]
        assert fold(shown) == code
        assert format_code(fold(shown.lower())) == shown

    def test_strips_white_space_of_any_kind(self) -> None:
        for space in filter(str.isspace, map(chr, range(0x110000))):
            assert fold(f"{space}\ufeff{space}Spring-2026{space}") == "SPRING-2026"

    @given(st.text(CUSTOM, min_size=1))
    @example("TRAINING-KEY-000001")
    @example("Welcome-Spring-2026")
    def test_of_a_custom_code_is_upper_case_or_17_symbols(self, code: str) -> None:
        symbols_left = code.upper().replace("-", "").translate(str.maketrans("OIL", "011"))
        alike = len(symbols_left) == 17 and set(symbols_left) <= set(SYMBOLS)
        expected = symbols_left if alike else code.upper()
        for typed in (
            code,
            f" {code}\r\n",
            f"\ufeff{code}",
            code.swapcase(),
            f"\ufeff {code}\u3000",
        ):
            assert fold(typed) == expected
        if not has_generated_shape(code):
            assert format_code(code) == code

    @pytest.mark.parametrize(
        "typed", ["000000000000000", "0000000000000000", "000000000000000000", "U0000000000000000"]
    )
    def test_keeps_the_dashes_of_codes_of_another_length_or_alphabet(self, typed: str) -> None:
        assert fold(f"{typed}-") == f"{typed}-"

    @given(
        st.text() | st.text(f"{BETWEEN}\ufeff0OoAaZ", max_size=30) | st.text(" \ufeffA", max_size=6)
    )
    @example(" \ufeff \ufeff Spring-2026")
    @example("Spring-2026\ufeff \ufeff")
    def test_twice_is_the_same_as_once(self, typed: str) -> None:
        assert fold(fold(typed)) == fold(typed)


@pytest.mark.parametrize(
    ("typed", "code", "differs"),
    [
        ("Spring-2026", "Spring-2026", False),
        (" Spring\u20112026\u200b", "Spring-2026", False),
        ("spring-2026", "Spring-2026", True),
        ("SPRING-2026", "Spring-2026", True),
        ("training key oooooi", "Training-Key-000001", True),
        ("Training Key 000001", "Training-Key-000001", False),
        ("Tra1ning-Key-OOOOOl", "Training-Key-000001", False),
        ("oooo-oooo-oooo-oool-2", "00000000000000012", False),
        ("abcd-0000-0000-0000-4", "ABCD000000000000" + check_symbol("ABCD000000000000"), False),
    ],
)
def test_case_differs_only_in_custom_codes(typed: str, code: str, *, differs: bool) -> None:
    assert codes.differs_in_case(typed, code) == differs


@cache
def foreign() -> dict[str, int]:
    """Return the characters that NFKC turns into symbols, each with the number of symbols."""
    folded = {one: normalize("NFKC", one).upper() for one in map(chr, range(128, maxunicode + 1))}
    return {one: len(form) for one, form in folded.items() if {*SYMBOLS, *"OIL"}.issuperset(form)}


class TestForeignCharacters:
    """Of the 996 code points that NFKC turns into symbols only the full-width ones are folded."""

    @staticmethod
    def accepted_by(folding: Check) -> set[str]:
        """Return the foreign characters that *folding* turns into symbols of a code."""
        return {
            character
            for character, length in foreign().items()
            if fullmatch(f"[{SYMBOLS}]{{17}}", folding(character + "0" * (17 - length)))
        }

    def test_are_not_symbols(self) -> None:
        # 996 of these become symbols and the others become look-alikes; newer versions of Unicode
        # only add some.
        assert len(foreign()) >= 1152
        assert {"\uff21", "\u017f", "\u0131", "\ufb06"} <= set(foreign())
        kept = {*SYMBOLS, *SYMBOLS.lower(), *"OILoil"}
        assert self.accepted_by(fold) == {chr(ord(char) + 0xFEE0) for char in kept}

    def test_would_be_symbols_with_nfkc(self) -> None:
        accepted = self.accepted_by(lambda typed: fold(normalize("NFKC", typed).upper()))
        assert accepted == set(foreign())

    @given(generated(), st.integers(0, 16))
    def test_make_a_code_invalid(self, code: str, place: int) -> None:
        bold = chr(0x1D7CE)
        assert normalize("NFKC", bold) == "0"
        typed = code[:place] + bold + code[place + 1 :]
        assert fold(typed) == typed
        assert not is_mistyped(typed)
        assert not is_storable(typed)


class TestStorable:
    """A custom code has printable ASCII characters without space, comma, semicolon or quote."""

    @pytest.mark.parametrize(("length", "can"), [(0, 0), (1, 1), (8, 1), (64, 1), (65, 0)])
    def test_has_up_to_64_characters(self, length: int, can: int) -> None:
        assert is_storable("u" * length) == bool(can)

    def test_has_printable_ascii_without_separators_only(self) -> None:
        can = {chr(point) for point in range(0x3000) if is_storable(f"Spring{chr(point)}2026")}
        assert can == set(CUSTOM)
        assert not is_storable("Spring-2026\n")

    def test_may_look_like_a_generated_code_with_a_wrong_check(self) -> None:
        assert all(is_storable("0" * 15 + "1" + symbol) for symbol in SYMBOLS)
        shaped = [one for one in SYMBOLS if has_generated_shape("0" * 15 + "1" + one)]
        assert shaped == ["2"]


class TestMask:
    """A mask shows at most 4 symbols, never more than a quarter."""

    @given(st.text(min_size=0, max_size=70))
    @example("1234567")
    @example("12345678")
    @example("123456789012345")
    @example("1234567890123456")
    @example("12345678901234567890")
    def test_shows_the_last_quarter_but_no_more_than_four(self, code: str) -> None:
        shown = mask(code)
        end = shown.removeprefix("****").removeprefix("-")
        assert shown in {"****", f"****-{end}"}
        assert code.endswith(end)
        assert len(end) == min(4, len(code) // 4)

    @given(generated())
    def test_of_a_generated_code_is_its_last_four_symbols(self, code: str) -> None:
        assert mask(code) == f"****-{code[-4:]}"


class TestReadCodes:
    """One code per line; blank lines, a BOM and CRLF are ignored; a repeat refuses all lines."""

    def test_from_a_windows_file(self) -> None:
        text = "\ufeffSpring-2026\r\n\r\n  \r\nSummer-2026 \r\n\tWinter-2026\r\n"
        expected = {"Spring-2026": 1, "Summer-2026": 4, "Winter-2026": 5}
        assert read_codes(text.splitlines()) == expected
        assert read_codes(text.splitlines(keepends=True)) == expected
        assert read_codes(iter(text.split("\n"))) == expected
        assert list(read_codes(text.splitlines())) == list(expected)

    @pytest.mark.parametrize("lines", [[], [""], ["\ufeff"], [" ", "\r\n", "\ufeff\r\n"]])
    def test_without_codes_returns_an_empty_dict(self, lines: list[str]) -> None:
        assert read_codes(lines) == {}

    @given(
        st.lists(
            st.tuples(st.text("uvUV!$", min_size=8, max_size=64), st.sampled_from(["", " ", "\r"])),
            max_size=8,
            unique_by=lambda line: line[0],
        ),
        st.data(),
    )
    def test_returns_each_code_with_its_line_number(
        self, made: list[tuple[str, str]], data: st.DataObject
    ) -> None:
        lines: list[str] = []
        expected = {}
        for code, end in made:
            lines += data.draw(st.lists(st.just(""), max_size=2))
            lines.append(code + end)
            expected[code] = len(lines)
        assert read_codes(lines) == expected

    def test_keeps_codes_as_given_but_for_how_they_were_typed(self) -> None:
        lines = ["oooo-oooo-oooo-oool-2", "TRAINING-KEY-000001", "\uff33pring\u20132\u200b026"]
        assert [*read_codes(lines)] == [
            "oooo-oooo-oooo-oool-2",
            "TRAINING-KEY-000001",
            "Spring-2026",
        ]

    @pytest.mark.parametrize(
        ("lines", "field", "code", "words"),
        [
            (["short-1"], "codes[0]", "invalid_code", "at least 8"),
            (["Spring-2026", "u" * 65], "codes[1]", "invalid_code", "up to 64"),
            (["Spring 2026"], "codes[0]", "invalid_code", "without spaces"),
            (["Fr\u00fchling-2026"], "codes[0]", "invalid_code", "ASCII"),
            (["Spring-\x002026"], "codes[0]", "invalid_code", "ASCII"),
            (["Spring-2026", 20262026], "codes[1]", "not_a_text", "string"),
            (["Spring-2026", None], "codes[1]", "not_a_text", "string"),
            (["Spring-2026,5"], "codes[0]", "several_columns", "column of codes alone"),
            (["Spring-2026;;;"], "codes[0]", "several_columns", "column of codes alone"),
            (["Spring-2026\t5"], "codes[0]", "several_columns", "column of codes alone"),
            (['"Spring-2026"'], "codes[0]", "enclosed", "remove quotes and backticks"),
            (["'Spring-2026"], "codes[0]", "enclosed", "remove quotes and backticks"),
            (["`Spring-2026`"], "codes[0]", "enclosed", "remove quotes and backticks"),
            (
                ["<Spring-2026>"],
                "codes[0]",
                "enclosed",
                "what encloses codes, such as < > | or **: line 1",
            ),
            (["**Spring-2026**"], "codes[0]", "enclosed", "what encloses codes"),
            (["_Spring-2026_"], "codes[0]", "enclosed", "what encloses codes"),
            (["1.23457E+11"], "codes[0]", "shortened_number", "format the column as text"),
            (["<Spring-2026"], "codes[0]", "enclosed", "what encloses codes"),
            (["Spring-2026>"], "codes[0]", "enclosed", "what encloses codes"),
            (["|Spring-2026|"], "codes[0]", "enclosed", "what encloses codes"),
            (["|Spring-2026"], "codes[0]", "enclosed", "what encloses codes"),
            ([">Spring-2026"], "codes[0]", "enclosed", "what encloses codes"),
            (["Spring-2026|"], "codes[0]", "enclosed", "what encloses codes"),
            (["| Spring-2026 |"], "codes[0]", "enclosed", "what encloses codes"),
            (["\uff1cSpring-2026\uff1e"], "codes[0]", "enclosed", "what encloses codes"),
            (["", "coupon_code", "Spring-2026"], "codes[1]", "heading", "a heading: line 2"),
            (["Spring-2026", "", "Spring-2026"], "codes[2]", "code_repeated", "line 3"),
            (["Spring-2026", "", "spring-2026"], "codes[2]", "code_repeated", "line 3"),
            (["u" * 8] * 4, "codes[1]", "code_repeated", "lines 2, 3, 4"),
            (
                ["u" * 8] * 12,
                "codes[1]",
                "code_repeated",
                "lines 2, 3, 4, 5, 6, 7, 8, 9 and 3 more",
            ),
            (["0" * 17, "OOOO-OOOO-OOOO-oooo-o"], "codes[1]", "code_repeated", "line 2"),
            ("Spring-2026", "codes", "not_a_list", "list"),
            (None, "codes", "not_a_list", "list"),
        ],
    )
    def test_refuses_all_lines_if_one_is_invalid(
        self, lines: Any, field: str, code: str, words: str
    ) -> None:
        error = refusal(lambda: read_codes(lines))
        assert (error.code, error.field) == (code, field)
        assert words in str(error)
        if isinstance(lines, list):
            assert not any(str(line) in str(error) for line in lines if line)
            codes = [line for line in map(str, lines) if len(line) >= 8]
            assert not any(line in str(one) for one in error.errors for line in codes)

    def test_keeps_brackets_and_bars_inside_a_code(self) -> None:
        lines = ["A<B-2026-x", "A>B-2026-x", "A|B-2026-x"]
        assert [*read_codes(lines)] == lines

    @pytest.mark.parametrize(
        "heading",
        [
            *("code", "Code", "CODES", "key", "Keys:", "coupon_code", "coupon codes", "CouponCode"),
            *("training key", "Training-Keys", "Voucher code", "Access codes", "\ufeffcoupons"),
            *("access.code", "Enrollment key", "enrolment-key", "\uff23ode", "LicenseKey"),
        ],
    )
    def test_may_not_begin_with_a_heading(self, heading: str) -> None:
        error = refusal(lambda: read_codes(["", heading, " ", "Spring-2026", "Summer-2026"]))
        assert [(one.code, one.field) for one in error.errors] == [("heading", "codes[1]")]
        assert str(error) == "codes[1]: leave out what looks like a heading: line 2"

    def test_has_its_heading_in_the_first_line_of_several(self) -> None:
        for lines in (
            ["coupon_code"],
            ["", "coupon_code", "\u200b"],
            ["Spring-2026", "coupon_code"],
            ["TRAINING-KEY-000001", "Spring-2026"],
            ["barcode-reader", "Spring-2026"],
            ["keycodes", "Spring-2026"],
        ):
            assert [*read_codes(lines)] == [one for one in lines if one.strip("\u200b")]
        repeated = refusal(lambda: read_codes(["coupon_code", "Spring-2026", "Coupon_Code"]))
        assert [one.code for one in repeated.errors] == ["heading", "code_repeated"]

    def test_names_every_line_of_every_kind_at_once(self) -> None:
        lines = ["short", "Spring-2026", "a,b", "Spring-2026", "", "x y z 1 2 3", "Autumn-2026"]
        error = refusal(lambda: read_codes(lines))
        assert error.code == error.errors[0].code == "invalid_code"
        assert [(one.code, one.field) for one in error.errors] == [
            ("invalid_code", "codes[0]"),
            ("several_columns", "codes[2]"),
            ("code_repeated", "codes[3]"),
            ("invalid_code", "codes[5]"),
        ]
        for words in ("at least 8 characters: line 1", "alone: line 3", "repeated codes: line 4"):
            assert words in str(error)
        assert error.errors[0].hint == "expected at least 8 characters, got str '****-t'"
        assert error.errors[1].hint.endswith("got str '****'")

    def test_a_message_stays_short_however_many_lines_are_invalid(self) -> None:
        lines = [f"{number},1" for number in range(50_000)] + ["x"] * 50_000
        error = refusal(lambda: read_codes(lines))
        assert len(str(error)) <= 200
        assert len(error.errors) == 500  # of 100,000
        assert "alone: lines 1, 2 and 49998 more;" in str(error)

    def test_takes_at_most_100_000_codes(self) -> None:
        lines = [f"Number-{number}" for number in range(100_000)]
        assert len(read_codes([*lines, "", " "])) == 100_000
        error = refusal(lambda: read_codes([*lines, "short"]))
        assert (error.code, error.field) == ("too_many", "codes")

    @pytest.mark.parametrize(("minimum", "shortest"), [(1, "a"), (8, "a" * 8), (64, "a" * 64)])
    def test_has_a_minimum_length_that_the_caller_sets(self, minimum: int, shortest: str) -> None:
        assert read_codes([shortest], minimum=minimum) == {shortest: 1}
        if minimum > 1:
            error = refusal(lambda: read_codes([shortest[1:]], minimum=minimum))
            assert (error.code, error.field) == ("invalid_code", "codes[0]")
            assert f"at least {minimum} characters" in str(error)

    @pytest.mark.parametrize("minimum", [0, 65, None, "8", True])
    def test_a_minimum_is_from_1_to_64(self, minimum: Any) -> None:
        error = refusal(lambda: read_codes([], minimum=minimum))
        assert (error.code, error.field) == ("invalid_count", "minimum")

    def test_names_the_given_argument(self) -> None:
        assert refusal(lambda: read_codes(["short"], "paste")).field == "paste[0]"

    @pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e"])
    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    def test_lines_may_end_in_any_way(self, end: str, mark: str) -> None:
        text = f"{mark}Spring-2026{end}{end}Autumn-2026{end}"
        for lines in (text.splitlines(), text.splitlines(keepends=True), text.split(end)):
            assert [*read_codes(lines)] == ["Spring-2026", "Autumn-2026"]

    @pytest.mark.parametrize("end", ["\x85", "\u2028", "\u2029"])
    def test_lines_may_end_as_unicode_ends_them(self, end: str) -> None:
        text = f"Spring-2026{end}Autumn-2026{end}"
        assert [*read_codes(text.splitlines())] == ["Spring-2026", "Autumn-2026"]
        # One line with two codes is not split, but refused.
        assert refusal(lambda: read_codes([text])).code == "invalid_code"


@pytest.mark.parametrize(
    "ask",
    [
        *(fold, has_generated_shape, is_mistyped, is_storable, format_code, mask, check_symbol),
    ],
)
@pytest.mark.parametrize("junk", [None, 12, b"Spring-2026", ["Spring-2026"]])
def test_only_a_string_is_a_code(ask: Callable[[Any], object], junk: Any) -> None:
    error = refusal(lambda: ask(junk))
    assert (error.code, error.field) == ("not_a_text", "code")


@pytest.mark.parametrize("symbols", ["0000-0000", "o", "U", "\u00e9"])
def test_only_symbols_of_the_alphabet_are_checked(symbols: str) -> None:
    assert refusal(lambda: check_symbol(symbols)).code == "invalid_code"


@pytest.mark.parametrize("junk", [None, b"0" * 16])
def test_a_random_source_is_a_function(junk: Any) -> None:
    error = refusal(lambda: generate(1, junk))
    assert (error.code, error.field) == ("not_callable", "random_bytes")
