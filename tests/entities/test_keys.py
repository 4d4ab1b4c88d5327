"""Key batches and training keys: windows, uses, and how a code is shown."""

from datetime import timedelta
from typing import Any

import attrs
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import example, given
from hypothesis import strategies as st

from course_assignments import Months
from tests.support.acts import BATCH, GENERATED, KEY
from tests.support.strategies import US
from tests.support.values import refusal

START = BATCH.created_at


class TestBatches:
    @given(st.integers(-2, 2))
    @example(0)
    @example(1)
    def test_their_window_ends_after_it_starts(self, microseconds: int) -> None:
        end = START + microseconds * US
        window: dict[str, Any] = {"redeemable_from": START, "redeemable_until": end}
        if microseconds > 0:
            assert attrs.evolve(BATCH, **window).redeemable_until == end
        else:
            error = refusal(lambda: attrs.evolve(BATCH, **window))
            assert (error.code, error.field) == ("empty_window", "redeemable_until")

    def test_a_window_may_have_only_a_start_or_only_an_end(self) -> None:
        long_ago = START - timedelta(days=9999)
        assert attrs.evolve(BATCH, redeemable_until=long_ago).redeemable_from is None
        assert attrs.evolve(BATCH, redeemable_from=long_ago).redeemable_until is None

    def test_their_availability_is_stored_as_a_duration(self) -> None:
        half_a_year: Any = relativedelta(months=6)
        assert attrs.evolve(BATCH, availability=half_a_year).availability == Months(6)


class TestKeys:
    @given(st.integers(-1, 6), st.integers(-1, 6))
    def test_are_never_used_more_often_than_they_may_be(self, uses: int, max_uses: int) -> None:
        """0 <= uses <= max_uses always; remaining uses are never below 0."""
        if 0 <= uses <= max_uses and max_uses >= 1:
            key = attrs.evolve(KEY, uses=uses, max_uses=max_uses)
            assert key.remaining_uses == len(range(uses, max_uses))
        else:
            error = refusal(lambda: attrs.evolve(KEY, uses=uses, max_uses=max_uses))
            assert error.code == "invalid_count"
            assert error.field == ("max_uses" if uses >= 0 and max_uses < 1 else "uses")

    @pytest.mark.parametrize("code", ["!" * 8, "~" * 64])
    def test_keep_their_id_whatever_their_code(self, code: str) -> None:
        key = attrs.evolve(KEY, code=code)
        assert (key.id, key.code) == ("k-1", code)

    def test_show_a_generated_code_in_groups_and_a_custom_code_unchanged(self) -> None:
        assert attrs.evolve(KEY, code=GENERATED).display_code == "0000-0000-0000-0001-2"
        assert KEY.display_code == "Spring-2026"

    @pytest.mark.parametrize(
        ("code", "masked"),
        [
            ("Spring-2026", "****-26"),
            (GENERATED, "****-0012"),
            ("A" * 60 + "EF-9", "****-EF-9"),
            ("Spring!!", "****-!!"),
        ],
    )
    def test_mask_their_code_in_a_repr(self, code: str, masked: str) -> None:
        """A ``repr`` masks key codes: at most 4 symbols, never more than a quarter."""
        shown = repr(attrs.evolve(KEY, code=code))
        assert f"code={masked!r}" in shown
        assert code[:-4] not in shown
        assert code[-5:] not in shown
