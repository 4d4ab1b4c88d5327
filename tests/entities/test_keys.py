"""Key batches, training keys and redemptions: what they keep, refuse, and never show."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import attrs
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import example, given
from hypothesis import strategies as st

from course_assignments import KeyBatch, Months, Redemption, TrainingKey
from tests.support.strategies import US, keys, zones
from tests.support.values import assert_is_value, refusal

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
REDEMPTION = Redemption(
    id="r-1",
    key_id="k-1",
    batch_id="spring",
    learner_id="ada",
    assignment_id="a-1",
    redeemed_at=START,
)


@given(keys())
def test_keys_and_their_batches_are_values(drawn: tuple[TrainingKey, KeyBatch]) -> None:
    for record in drawn:
        assert_is_value(record)


def test_a_redemption_is_a_value() -> None:
    assert_is_value(REDEMPTION)


def test_what_is_not_said_is_one_use_without_an_end_for_the_organization_alone() -> None:
    assert attrs.asdict(BATCH) == {
        "id": "spring",
        "name": "Spring",
        "course_id": "py",
        "organization_id": "acme",
        "created_at": START,
        "redeemable_from": None,
        "redeemable_until": None,
        "max_uses": 1,
        "availability": timedelta(days=30),
        "any_organization": False,
        "size": 0,
    }
    assert attrs.asdict(KEY) == {
        "id": "k-1",
        "code": "Spring-2026",
        "batch_id": "spring",
        "number": 1,
        "uses": 0,
        "max_uses": 1,
        "revoked_at": None,
    }
    assert REDEMPTION.restored_at is None


NO_IDS: list[tuple[Any, str]] = [("", "blank"), ("a" * 201, "too_long"), (5, "not_a_text")]
NO_INSTANTS: list[tuple[Any, str]] = [
    (NAIVE, "naive_datetime"),
    ("2026-02-05", "not_a_datetime"),
    (datetime(1969, 12, 31, tzinfo=UTC), "out_of_range"),
]
# "blank or 1": None means 1 where a batch is made, and is nothing that a record keeps.
NO_USES = [(junk, "invalid_count") for junk in (0, -1, True, 1.0, "1", None, 2**31)]
NO_CODES = [
    (junk, "invalid_code")
    for junk in (
        *("", "short-1", "a" * 65, "Spring 2026", "Früh-2026", " Spring-2026", "Spring-2026\n"),
        # Of the shape of a generated code, but mistyped, or not in the form it is looked up in.
        *("00000000000000013", "0000-0000-0000-0001-2", "0000000000000001Z"),
        *("oooooooooooooool2", "\uff10" * 17, 20262026, None, b"Spring-2026"),
    )
]

REFUSED = [
    *((BATCH, field, *junk) for field in ("id", "course_id") for junk in NO_IDS),
    *((BATCH, "organization_id", *junk) for junk in [*NO_IDS, (None, "not_a_text")]),
    *((BATCH, "name", *junk) for junk in [("", "blank"), ("a" * 501, "too_long")]),
    *((BATCH, "created_at", *junk) for junk in NO_INSTANTS),
    *((BATCH, "redeemable_from", *junk) for junk in NO_INSTANTS),
    *((BATCH, "redeemable_until", *junk) for junk in NO_INSTANTS),
    *((BATCH, "max_uses", *junk) for junk in NO_USES),
    *((BATCH, "availability", junk, "invalid_duration") for junk in (timedelta(0), 30, None)),
    (BATCH, "availability", timedelta(days=36525, microseconds=1), "invalid_duration"),
    (BATCH, "any_organization", 1, "not_a_flag"),
    *((BATCH, "size", junk, "invalid_count") for junk in (-1, True, None)),
    *((KEY, "code", *junk) for junk in NO_CODES),
    *((KEY, name, *junk) for name in ("id", "batch_id") for junk in NO_IDS),
    *((KEY, "number", *junk) for junk in NO_USES),
    *((KEY, "uses", junk, "invalid_count") for junk in (-1, 2, True, 0.0, None)),
    *((KEY, "max_uses", *junk) for junk in NO_USES),
    *((KEY, "revoked_at", *junk) for junk in NO_INSTANTS),
    *((REDEMPTION, "key_id", *junk) for junk in NO_IDS),
    *(
        (REDEMPTION, field, *junk)
        for field in ("id", "batch_id", "learner_id", "assignment_id")
        for junk in NO_IDS
    ),
    *((REDEMPTION, "redeemed_at", *junk) for junk in [*NO_INSTANTS, (None, "not_a_datetime")]),
    *((REDEMPTION, "restored_at", *junk) for junk in NO_INSTANTS),
]


@pytest.mark.parametrize(("record", "field", "value", "code"), REFUSED)
def test_a_field_out_of_bounds_is_refused_by_its_name(
    record: Any, field: str, value: Any, code: str
) -> None:
    error = refusal(lambda: attrs.evolve(record, **{field: value}))
    assert (error.code, error.field) == (code, field)


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

    @given(keys(), zones())
    def test_datetimes_in_any_zone_make_the_same_batch(
        self, drawn: tuple[TrainingKey, KeyBatch], zone: tzinfo
    ) -> None:
        _, batch = drawn
        names = ("created_at", "redeemable_from", "redeemable_until")
        moved: dict[str, Any] = {
            name: instant.astimezone(zone)
            for name in names
            if (instant := getattr(batch, name)) is not None
        }
        again = attrs.evolve(batch, **moved)
        assert again == batch
        assert all(getattr(again, name).tzinfo is UTC for name in moved)

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
