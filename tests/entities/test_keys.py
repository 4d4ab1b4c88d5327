"""Key batches, training keys and redemptions: what they keep, refuse, and never show."""

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import example, given
from hypothesis import strategies as st

from course_assignments import KeyBatch, Months, Redemption, TrainingKey
from tests.support.strategies import US
from tests.support.values import refusal

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
NAIVE = datetime.fromisoformat("2026-02-05")
GENERATED = "00000000000000012"

BATCH = KeyBatch(
    id="spring",
    name="Spring",
    course_id="py",
    organization_id="acme",
    created_at=START,
    availability=timedelta(days=30),
)
KEY = TrainingKey(id="k-1", code="Spring-2026", batch_id="spring")


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

    def test_half_a_window_has_no_other_end(self) -> None:
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

    @pytest.mark.parametrize("code", ["Spring-2026", "!" * 8, "~" * 64, GENERATED])
    def test_have_an_id_that_says_nothing_of_their_code(self, code: str) -> None:
        key = attrs.evolve(KEY, code=code)
        assert (key.id, key.code) == ("k-1", code)

    def test_show_a_generated_code_in_groups_and_another_as_it_is(self) -> None:
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


class TestRedemptions:
    words = st.text("12r", min_size=1, max_size=3)
    made_from = st.tuples(words, words, st.integers(0, 20))

    @given(made_from, made_from)
    @example(("12", "r", 1), ("1", "2r", 1))
    @example(("1", "r1", 1), ("1", "r", 11))
    @example(("1", "r", 1), ("1", "r", 2))
    def test_are_one_for_each_key_learner_and_turn(
        self, one: tuple[str, str, int], other: tuple[str, str, int]
    ) -> None:
        assert (Redemption.id_for(*one) == Redemption.id_for(*other)) == (one == other)

    def test_have_an_id_that_stays_what_it_is_in_every_version(self) -> None:
        assert Redemption.id_for("Spring-2026", "ada", 0) == (
            "fdd61023149f7451e2c65ba0a8fe4895f88e42a85847902910ed4e89aaf0d82a"
        )

    def test_have_an_id_off_which_nobody_reads_the_key(self) -> None:
        id_ = Redemption.id_for("k-1", "ada", 0)
        assert len(id_) == 64
        assert set(id_) <= set("0123456789abcdef")
