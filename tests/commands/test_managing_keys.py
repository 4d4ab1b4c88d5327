"""Training keys: made, added, edited, revoked and listed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments import commands
from course_assignments.entities.codes import ALPHABET, is_mistyped
from course_assignments.reasons import MaxUsesBelowUses
from tests.support.acts import ACTS, BATCH, NOW
from tests.support.situations import barged, codes, error, events, hashed, made_by
from tests.support.world import PYTHON, START, contents, world

TICK = timedelta(microseconds=1)
MONTH = timedelta(days=30)
BERLIN = ZoneInfo("Europe/Berlin")
TYPED = ["Hand-made-1", "Hand-made-2"]


def make(registrar: ca.Registrar, **options: Any) -> ca.KeyBatch:
    return registrar.create_keys(**wanted(**options))


def wanted(**options: Any) -> dict[str, Any]:
    terms: dict[str, Any] = {
        "course_id": "py",
        "name": "Spring",
        "organization_id": "acme",
        "availability": MONTH,
    }
    if not {"codes", "generate"} & options.keys():
        terms["codes"] = TYPED
    return {**terms, **options}


class TestCreateKeys:
    def test_a_batch_keeps_its_terms(self) -> None:
        registrar, _ = world()
        batch = make(
            registrar,
            redeemable_from=timedelta(days=1),
            redeemable_until=timedelta(days=9),
            max_uses=3,
            availability=relativedelta(months=2),
            any_organization=True,
        )
        assert batch == ca.KeyBatch(
            id=batch.id,
            name="Spring",
            course_id="py",
            organization_id="acme",
            created_at=START,
            redeemable_from=START + timedelta(days=1),
            redeemable_until=START + timedelta(days=9),
            max_uses=3,
            availability=ca.Months(2),
            any_organization=True,
            size=2,
        )
        assert [key.max_uses for key in registrar.keys(batch.id)] == [3, 3]

    def test_by_default_a_key_has_one_use_no_window_and_its_own_organization(self) -> None:
        registrar, _ = world()
        for maximum in (None, 1):
            batch = make(registrar, codes=[f"Code-of-{maximum}"], max_uses=maximum)
            assert (batch.redeemable_from, batch.redeemable_until) == (None, None)
            assert not batch.any_organization
            assert [key.remaining_uses for key in registrar.keys(batch.id)] == [1]

    @pytest.mark.parametrize(
        ("bound", "at"),
        [
            (ca.Months(3), datetime(2026, 4, 5, 10, tzinfo=BERLIN)),
            (relativedelta(months=3), datetime(2026, 4, 5, 10, tzinfo=BERLIN)),
            (date(2026, 4, 5), datetime(2026, 4, 5, tzinfo=BERLIN)),
            (timedelta(hours=1), START + timedelta(hours=1)),
            (
                datetime(2026, 4, 5, tzinfo=ZoneInfo("Asia/Tokyo")),
                datetime(2026, 4, 4, 15, tzinfo=UTC),
            ),
        ],
    )
    def test_the_window_is_on_the_calendar_of_the_organization(
        self, bound: Any, at: datetime
    ) -> None:
        registrar, _ = world()
        until = make(registrar, redeemable_until=bound, codes=["Until-1234"])
        since = make(registrar, redeemable_from=bound, codes=["From-12345"])
        assert until.redeemable_until == since.redeemable_from == at

    @pytest.mark.parametrize(
        "window",
        [
            {"redeemable_until": START},
            {"redeemable_until": START - TICK},
            {"redeemable_from": timedelta(days=2), "redeemable_until": timedelta(days=2)},
            {"redeemable_from": timedelta(days=2), "redeemable_until": timedelta(days=1)},
        ],
    )
    def test_a_window_that_is_over_before_it_begins_is_invalid(
        self, window: dict[str, Any]
    ) -> None:
        registrar, _ = world()
        refused = error(ca.InvalidInput, registrar, "create_keys", **wanted(**window))
        assert (refused.code, refused.field) == ("empty_window", "redeemable_until")

    @pytest.mark.parametrize(
        ("course", "code"), [("draft", "course_not_available"), ("old", "course_archived")]
    )
    def test_a_course_has_to_be_set_up_for_training(self, course: str, code: str) -> None:
        registrar, _ = world()
        assert codes(registrar, "create_keys", **wanted(course_id=course)) == [code]

    def test_all_failed_conditions_are_reported(self) -> None:
        registrar, _ = world()
        make(registrar)
        found = codes(
            registrar,
            "create_keys",
            **wanted(course_id="draft", codes=["", *TYPED[1:], "Fresh-code"], by="bo"),
        )
        assert found == [
            "role_missing",
            "organization_not_managed",
            "course_not_available",
            "code_taken",
        ]

    @pytest.mark.parametrize("name", ["create_keys", "add_keys"])
    def test_there_is_one_code_at_least(self, name: str) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            ACTS[name](codes=[], generated=[])
        assert (caught.value.code, caught.value.field) == ("empty_list", "codes")
        assert len(ACTS[name](codes=[], key_ids=["k-1"]).made(ca.TrainingKey)) == 1


class TestCodes:
    """A code is unique over all batches, in the form in which it is looked up. Blank lines in a
    paste are skipped; a repeated or existing code refuses the whole paste, naming the lines."""

    def test_a_paste_is_read_line_by_line(self) -> None:
        registrar, _ = world()
        text = "\ufeffHand-made-1\r\n\r\n  Hand-made-2 \r\n\r\n"
        batch = make(registrar, codes=text.splitlines())
        assert [key.code for key in registrar.keys(batch.id)] == TYPED

    def test_a_repeated_code_refuses_the_whole_paste_and_names_the_lines(self) -> None:
        registrar, _ = world()
        lines = ["Hand-made-1", "", "Hand-made-2", "Hand-made-1", " Hand-made-2"]
        refused = error(ca.InvalidInput, registrar, "create_keys", **wanted(codes=lines))
        assert (refused.code, refused.field) == ("code_repeated", "codes[3]")
        assert "lines 4, 5" in str(refused)

    def test_an_existing_code_refuses_the_whole_paste_and_names_the_lines(self) -> None:
        registrar, _ = world()
        make(registrar)
        lines = ["Fresh-code", "", "Hand-made-2", "Hand-made-1"]
        # In whichever batch it is.
        other = wanted(course_id="sql", organization_id="beta", codes=lines)
        assert codes(registrar, "create_keys", **other) == ["code_taken"]
        assert str(registrar.may_create_keys(**other)).endswith("lines 3, 4. Remove those lines.")

    def test_a_code_that_someone_else_used_in_the_meantime_is_refused(self) -> None:
        registrar, _, repository = barged(lambda other: other.create_keys(**wanted()))
        repository.open = True
        with pytest.raises(Exception, match="line 1"):
            make(registrar, codes=["Hand-made-1"])
        assert len(contents(repository)["KeyBatch"]) == 1

    @pytest.mark.parametrize(
        "code", ["TRAINING-KEY-000001", "0000-0000-0000-oool-2", "0000-0000-0000-0001-3"]
    )
    def test_a_hand_made_code_of_the_shape_of_a_generated_one_is_stored_as_given(
        self, code: str
    ) -> None:
        registrar, _ = world()
        batch = make(registrar, codes=[code])
        (key,) = registrar.keys(batch.id)
        assert key.code == key.display_code == code
        again = wanted(codes=[code.lower().replace("-", "")])
        assert codes(registrar, "create_keys", **again) == ["code_taken"]

    @pytest.mark.parametrize("name", ["create_keys", "add_keys"])
    def test_bad_repeated_and_existing_lines_are_named_at_once(self, name: str) -> None:
        registrar, _ = world()
        make(registrar, id="b-1")
        before = contents(registrar.repository)
        lines = ["code,uses", "hand-made-1", "Fresh-code", "short", "", "fresh-code", "Hand-made-2"]
        first: tuple[Any, ...] = ("b-1",) if name == "add_keys" else ()
        options = {"codes": lines} if name == "add_keys" else wanted(codes=lines)
        refused = error(ca.InvalidInput, registrar, name, *first, **options)
        assert [(one.code, one.field) for one in refused.errors] == [
            ("several_columns", "codes[0]"),
            ("code_taken", "codes[1]"),
            ("invalid_code", "codes[3]"),
            ("code_repeated", "codes[5]"),
            ("code_taken", "codes[6]"),
        ]
        assert (refused.code, refused.field) == ("several_columns", "codes[0]")
        assert "codes of other keys: lines 2, 7" in str(refused)
        shown = f"{refused} {refused.errors}"
        assert not any(line in shown for line in lines if len(line) >= 8)
        assert contents(registrar.repository) == before

    @pytest.mark.parametrize("name", ["create_keys", "add_keys"])
    def test_a_bad_line_is_named_when_the_id_was_used_before(self, name: str) -> None:
        registrar, _ = world()
        make(registrar, id="b-1", codes=["Fresh-code", "Other-code"])
        registrar.add_keys("b-1", id="plus", codes=["Third-code", "Fourth-code"])
        lines = ["Third-code", "Fourth,code"] if name == "add_keys" else ["Fresh-code", "a,b"]
        options = (
            {"id": "plus", "codes": lines} if name == "add_keys" else wanted(codes=lines, id="b-1")
        )
        first: tuple[Any, ...] = ("b-1",) if name == "add_keys" else ()
        refused = error(ca.InvalidInput, registrar, name, *first, **options)
        assert (refused.code, refused.field) == ("several_columns", "codes[1]")

    def test_a_call_makes_at_most_100_000_keys(self) -> None:
        """Typed and generated ones together."""
        lines = [f"Number-{number}" for number in range(50_001)]
        commands.AddKeys("b-1", codes=lines, generate=49_999)
        with pytest.raises(ca.InvalidInput) as caught:
            commands.AddKeys("b-1", codes=lines, generate=50_000)
        assert (caught.value.code, caught.value.field) == ("too_many", "codes")

    @pytest.mark.parametrize("minimum", [1, 5, 12])
    def test_the_shortest_hand_made_code_is_a_setting(self, minimum: int) -> None:
        registrar, _ = world(policies=ca.Policies(minimum_code_length=minimum))
        make(registrar, codes=["x" * minimum])
        if minimum > 1:
            short = wanted(codes=["Long-enough-1", "y" * (minimum - 1), "y,"])
            refused = error(ca.InvalidInput, registrar, "create_keys", **short)
            assert [one.field for one in refused.errors] == ["codes[1]", "codes[2]"]
            assert f"at least {minimum} characters: line 2" in str(refused)
        assert registrar.may_redeem("X" * minimum, "ada")

    @pytest.mark.parametrize("minimum", [0, 65, None, True])
    def test_a_shortest_code_has_1_to_64_characters(self, minimum: Any) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            ca.Policies(minimum_code_length=minimum)
        assert (caught.value.code, caught.value.field) == ("invalid_count", "minimum_code_length")

    @given(st.integers(1, 40))
    def test_generated_codes_are_new_well_formed_and_as_many_as_asked(self, number: int) -> None:
        registrar, _ = world(random_bytes=hashed("codes"))
        batch = make(registrar, generate=number)
        found = [key.code for key in registrar.keys(batch.id)]
        assert len(set(found)) == number == batch.size
        for code in found:
            assert len(code) == 17
            assert set(code) <= set(ALPHABET)
            assert not is_mistyped(code)
        assert [key.display_code.count("-") for key in registrar.keys(batch.id)] == [4] * number


class TestAddKeys:
    """`add_keys` replaces the batch (it keeps its `size`)."""

    def test_an_edited_term_counts_for_later_keys(self) -> None:
        registrar, _ = world()
        batch = make(registrar)
        registrar.edit_keys(batch.id, max_uses=7)
        registrar.add_keys(batch.id, codes=["Fresh-code"])
        assert {key.max_uses for key in registrar.keys(batch.id)} == {7}

    def test_the_reasons_against_creating_keys_count_for_adding_them(self) -> None:
        registrar, _ = world()
        batch = make(registrar)
        registrar.update(attrs.evolve(PYTHON, archived=True))
        assert codes(registrar, "add_keys", batch.id, codes=["", "Hand-made-2"], by="bo") == [
            "role_missing",
            "organization_not_managed",
            "course_archived",
            "code_taken",
        ]


class TestEditKeys:
    """Changes what is made later, never an expiry already given. `max_uses` cannot go below the
    uses already made."""

    def test_an_edit_without_a_change_records_no_event(self) -> None:
        registrar, _ = world()
        batch = make(registrar, max_uses=2)
        before = contents(registrar.repository)
        assert registrar.may_edit_keys(batch.id, max_uses=2)
        assert registrar.edit_keys(batch.id, name=batch.name, max_uses=2) == batch
        assert contents(registrar.repository) == before

    @pytest.mark.parametrize(
        ("terms", "after"),
        [
            ({"name": "Summer"}, {"name": "Summer"}),
            (
                {"redeemable_from": date(2026, 4, 5)},
                {"redeemable_from": datetime(2026, 4, 5, tzinfo=BERLIN)},
            ),
            ({"redeemable_from": None}, {"redeemable_from": None}),
            (
                {"redeemable_until": ca.Months(3)},
                {"redeemable_until": datetime(2026, 4, 5, 10, tzinfo=BERLIN)},
            ),
            ({"redeemable_until": None}, {"redeemable_until": None}),
            ({"max_uses": 5}, {"max_uses": 5}),
            ({"max_uses": None}, {"max_uses": 1}),
            ({"availability": relativedelta(months=1)}, {"availability": ca.Months(1)}),
            ({"any_organization": True}, {"any_organization": True}),
            (
                {"name": "Summer", "max_uses": 9, "redeemable_from": timedelta(days=2)},
                {"name": "Summer", "max_uses": 9, "redeemable_from": START + timedelta(days=2)},
            ),
        ],
    )
    def test_the_given_terms_change_and_the_others_stay(
        self, terms: dict[str, Any], after: dict[str, Any]
    ) -> None:
        registrar, clock = world()
        batch = make(
            registrar,
            max_uses=2,
            redeemable_from=timedelta(days=1),
            redeemable_until=timedelta(days=200),
        )
        clock.advance(timedelta(hours=5))
        assert registrar.may_edit_keys(batch.id, **terms)
        edited = registrar.edit_keys(batch.id, **terms, by="manager")
        assert edited == attrs.evolve(batch, **after) == registrar.get(ca.KeyBatch, batch.id)
        assert {key.max_uses for key in registrar.keys(batch.id)} == {edited.max_uses}

    @pytest.mark.parametrize(("maximum", "fits"), [(1, False), (2, True), (3, True), (9, True)])
    def test_the_maximum_cannot_go_below_the_uses(self, *, maximum: int, fits: bool) -> None:
        registrar, _ = world()
        batch = make(registrar, max_uses=5)
        for learner in ("ada", "manager"):
            registrar.redeem("Hand-made-1", learner)
        if fits:
            registrar.edit_keys(batch.id, max_uses=maximum)
            assert [key.remaining_uses for key in registrar.keys(batch.id)] == [
                maximum - 2,
                maximum,
            ]
        else:
            found = codes(registrar, "edit_keys", batch.id, max_uses=maximum)
            assert found == ["max_uses_below_uses"]
            assert str(registrar.may_edit_keys(batch.id, max_uses=maximum)) == (
                "A key was already used 2 times. Allow at least 2 uses."
            )

    @given(uses=st.lists(st.integers(0, 50), min_size=1, max_size=9), maximum=st.integers(1, 50))
    def test_the_most_used_key_counts_wherever_it_is(self, uses: list[int], maximum: int) -> None:
        registrar, _ = world()
        batch = make(registrar, max_uses=50, codes=[f"Hand-made-{one}" for one in range(len(uses))])
        keys = registrar.keys(batch.id)
        used = [ca.Use(key, number) for key, number in zip(keys, uses, strict=True) if number]
        registrar.repository.commit(ca.Change(use=used))
        decision = registrar.may_edit_keys(batch.id, max_uses=maximum)
        most = max(uses)
        assert decision.reasons == ((MaxUsesBelowUses(most),) if most > maximum else ())

    def test_what_was_redeemed_before_stays(self) -> None:
        registrar, _ = world()
        batch = make(registrar, codes=["Hand-made-1"], max_uses=2)
        before = registrar.redeem("Hand-made-1", "ada")
        registrar.edit_keys(batch.id, availability=timedelta(days=2))
        after = registrar.redeem("Hand-made-1", "manager")
        assert made_by(registrar, before.id) == before
        assert (after.expires_at - before.expires_at).days == 2 - 30

    def test_a_window_that_would_be_empty_is_invalid(self) -> None:
        registrar, _ = world()
        batch = make(registrar, redeemable_from=timedelta(days=5))
        refused = error(
            ca.InvalidInput, registrar, "edit_keys", batch.id, redeemable_until=timedelta(days=5)
        )
        assert refused.field == "redeemable_until"

    @pytest.mark.parametrize("field", ["name", "availability", "any_organization"])
    def test_a_term_that_is_required_cannot_be_removed(self, field: str) -> None:
        registrar, _ = world()
        batch = make(registrar)
        terms: dict[str, Any] = {field: None}
        assert error(ca.InvalidInput, registrar, "edit_keys", batch.id, **terms).field == field

    def test_editing_a_window_touches_no_key(self) -> None:
        after = attrs.evolve(BATCH, name="May", redeemable_until=NOW)
        change = ACTS["edit_keys"](max_uses=3, redeemable_until=NOW)
        assert change.replace == (ca.Replace(BATCH, after),)


class TestRevoke:
    def test_one_key_is_revoked_permanently(self) -> None:
        registrar, clock = world()
        batch = make(registrar, max_uses=2)
        registrar.redeem("Hand-made-1", "ada")
        clock.advance(timedelta(days=1))
        assert registrar.may_revoke_key("Hand-made-1")
        key = registrar.revoke_key(" Hand-made-1 ", by="manager")
        assert (key.revoked_at, key.uses) == (clock(), 1)
        first, other = registrar.keys(batch.id)
        assert first == key
        assert (other.code, other.uses, other.revoked_at) == ("Hand-made-2", 0, None)
        assert codes(registrar, "redeem", "Hand-made-1", "manager") == ["key_revoked"]
        registrar.redeem("Hand-made-2", "manager")

    def test_a_second_time_changes_nothing(self) -> None:
        registrar, clock = world()
        batch = make(registrar)
        first = registrar.revoke_key("Hand-made-1")
        clock.advance(timedelta(days=1))
        before = contents(registrar.repository)
        assert registrar.revoke_key("Hand-made-1") == first
        assert contents(registrar.repository) == before
        registrar.revoke_keys(batch.id)
        before = contents(registrar.repository)
        assert registrar.revoke_keys(batch.id) == batch
        assert contents(registrar.repository) == before
        # Authorization is checked although nothing is left to revoke.
        assert not registrar.may_revoke_keys(batch.id, by="bo")

    def test_the_valid_keys_of_a_batch_are_revoked(self) -> None:
        registrar, clock = world()
        batch = make(registrar, codes=[*TYPED, "Hand-made-3"], max_uses=2)
        registrar.redeem("Hand-made-2", "ada")
        early = registrar.revoke_key("Hand-made-1")
        clock.advance(timedelta(days=1))
        assert registrar.may_revoke_keys(batch.id)
        assert registrar.revoke_keys(batch.id, by="manager") == batch
        assert [(key.uses, key.revoked_at) for key in registrar.keys(batch.id)] == [
            (0, early.revoked_at),
            (1, clock()),
            (0, clock()),
        ]
        assert events(registrar)[-1] == ca.Event(
            position=len(events(registrar)),
            at=clock(),
            by="manager",
            action="revoke_keys",
            subject_ids=[batch.id],
        )


class TestKeys:
    """`keys(batch_id)` -> iterator."""

    def test_they_come_in_the_order_of_their_numbers_each_once(self) -> None:
        registrar, _ = world(random_bytes=hashed("many"))
        make(registrar, codes=["Other-batch"])
        batch = make(registrar, generate=250)
        registrar.add_keys(batch.id, codes=["Another-one"])
        found = list(registrar.keys(batch.id))
        assert [key.number for key in found] == [*range(1, 252)]
        assert found[-1].code == "Another-one"
        assert len({key.code for key in found}) == len({key.id for key in found}) == 251
