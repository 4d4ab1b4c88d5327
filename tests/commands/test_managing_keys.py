"""Training keys: made, added, edited, revoked and listed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import (
    Conflict,
    Event,
    InvalidInput,
    KeyBatch,
    Months,
    NotFound,
    Refused,
    Registrar,
    Role,
    TrainingKey,
)
from course_assignments.entities.codes import ALPHABET, MAX_KEYS_PER_CALL, is_mistyped
from tests.support.situations import barged, codes, error, events, hashed, made_by
from tests.support.world import ACME, MANAGER, PYTHON, START, contents, world

TICK = timedelta(microseconds=1)
MONTH = timedelta(days=30)
BERLIN = ZoneInfo("Europe/Berlin")
TYPED = ["Hand-made-1", "Hand-made-2"]


def make(registrar: Registrar, **options: Any) -> KeyBatch:
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


def batch_of(registrar: Registrar, batch_id: str) -> KeyBatch:
    return registrar.repository.get(KeyBatch, [batch_id])[batch_id]


class TestCreateKeys:
    def test_a_batch_says_everything_about_itself(self) -> None:
        registrar, _ = world()
        assert registrar.may_create_keys(**wanted(by="manager"))
        batch = make(
            registrar,
            redeemable_from=timedelta(days=1),
            redeemable_until=timedelta(days=9),
            max_uses=3,
            availability=relativedelta(months=2),
            any_organization=True,
            by="manager",
        )
        assert batch == KeyBatch(
            id=batch.id,
            name="Spring",
            course_id="py",
            organization_id="acme",
            created_at=START,
            redeemable_from=START + timedelta(days=1),
            redeemable_until=START + timedelta(days=9),
            max_uses=3,
            availability=Months(2),
            any_organization=True,
            size=2,
        )
        assert batch_of(registrar, batch.id) == batch
        keys = list(registrar.keys(batch.id))
        assert keys == [
            TrainingKey(id=key.id, code=code, batch_id=batch.id, number=number, max_uses=3)
            for number, (key, code) in enumerate(zip(keys, TYPED, strict=True), start=1)
        ]
        assert len({key.id for key in keys}) == len(TYPED)
        assert events(registrar)[-1] == Event(
            position=2,
            at=START,
            by="manager",
            action="create_keys",
            subject_ids=[batch.id, "py"],
            details={"keys": "2"},
        )

    def test_without_a_word_a_key_has_one_use_no_window_and_its_own_organization(self) -> None:
        registrar, _ = world()
        for maximum in (None, 1):
            code = f"Code-of-{maximum}"
            batch = make(registrar, codes=[code], max_uses=maximum)
            assert (batch.max_uses, batch.redeemable_from, batch.redeemable_until) == (
                1,
                None,
                None,
            )
            assert not batch.any_organization
            assert [key.remaining_uses for key in registrar.keys(batch.id)] == [1]

    @pytest.mark.parametrize(
        ("bound", "instant"),
        [
            (Months(3), datetime(2026, 4, 5, 10, tzinfo=BERLIN)),
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
        self, bound: Any, instant: datetime
    ) -> None:
        registrar, _ = world()
        assert (
            make(registrar, redeemable_until=bound, codes=["Until-1234"]).redeemable_until
            == instant
        )
        assert (
            make(registrar, redeemable_from=bound, codes=["From-12345"]).redeemable_from == instant
        )

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
        refused = error(InvalidInput, registrar, "create_keys", **wanted(**window))
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

    def test_whatever_is_unknown_is_named(self) -> None:
        registrar, _ = world()
        for field, kind in (
            ("course_id", "Course"),
            ("organization_id", "Organization"),
            ("by", "User"),
        ):
            missing = error(NotFound, registrar, "create_keys", **wanted(**{field: "nothing"}))
            assert (missing.kind, missing.id) == (kind, "nothing")

    @pytest.mark.parametrize(
        ("field", "junk"),
        [
            ("course_id", 7),
            ("organization_id", ["acme"]),
            ("name", ""),
            ("name", "x" * 501),
            ("availability", None),
            ("availability", timedelta(0)),
            ("availability", 30),
            ("redeemable_from", "soon"),
            ("redeemable_until", datetime(2026, 2, 1)),  # noqa: DTZ001 - a naive one is refused
            ("max_uses", 0),
            ("max_uses", -1),
            ("max_uses", True),
            ("max_uses", 1.0),
            ("max_uses", "2"),
            ("any_organization", None),
            ("any_organization", "yes"),
            ("codes", "Hand-made-1"),
            ("codes", None),
            ("codes", [7]),
            ("generate", -1),
            ("generate", True),
            ("generate", 1.0),
            ("generate", MAX_KEYS_PER_CALL + 1),
            ("id", ""),
            ("by", 7),
        ],
    )
    def test_junk_is_named_by_its_field(self, field: str, junk: Any) -> None:
        registrar, _ = world()
        refused = error(InvalidInput, registrar, "create_keys", **wanted(**{field: junk}))
        assert refused.field.partition("[")[0] == field

    def test_no_key_at_all_is_invalid(self) -> None:
        registrar, _ = world()
        for nothing in ([], ["", "  ", "\ufeff"]):
            refused = error(InvalidInput, registrar, "create_keys", **wanted(codes=nothing))
            assert (refused.code, refused.field) == ("empty_list", "codes")


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
        refused = error(InvalidInput, registrar, "create_keys", **wanted(codes=lines))
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

    def test_a_code_that_someone_else_made_meanwhile_is_refused(self) -> None:
        registrar, _, repository = barged(lambda other: other.create_keys(**wanted()))
        repository.open = True
        with pytest.raises(Exception, match="line 1"):
            make(registrar, codes=["Hand-made-1"])
        assert len(contents(repository)["KeyBatch"]) == 1

    def test_a_hand_made_code_of_the_shape_of_a_generated_one_is_stored_folded(self) -> None:
        registrar, _ = world()
        batch = make(registrar, codes=["0000-0000-0000-oool-2"])
        (key,) = registrar.keys(batch.id)
        assert key.code == "00000000000000012"
        assert key.display_code == "0000-0000-0000-0001-2"
        again = wanted(codes=["00000 00000 00000 12"])
        assert codes(registrar, "create_keys", **again) == ["code_taken"]
        refused = error(
            InvalidInput, registrar, "create_keys", **wanted(codes=["0000-0000-0000-0001-3"])
        )
        assert (refused.code, refused.field) == ("key_mistyped", "codes[0]")

    @pytest.mark.parametrize(
        "code", ["short", "with a space", "x" * 65, "Umlaut-\u00e4\u00f6\u00fc"]
    )
    def test_what_can_be_no_code_is_named_by_its_line(self, code: str) -> None:
        registrar, _ = world()
        refused = error(
            InvalidInput, registrar, "create_keys", **wanted(codes=["Hand-made-1", code])
        )
        assert (refused.code, refused.field) == ("invalid_code", "codes[1]")

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

    def test_typed_and_generated_ones_come_together(self) -> None:
        registrar, _ = world()
        batch = make(registrar, codes=iter(TYPED), generate=3)
        assert batch.size == len(list(registrar.keys(batch.id))) == 5
        assert {key.code for key in registrar.keys(batch.id)} >= set(TYPED)

    def test_no_event_shows_a_code(self) -> None:
        registrar, _ = world()
        batch = make(registrar, codes=TYPED, generate=2)
        registrar.add_keys(batch.id, codes=["Fresh-code"], id="plus")
        registrar.revoke_key("Fresh-code")
        registrar.redeem("Hand-made-1", "ada")
        registrar.revoke_keys(batch.id)
        shown = repr(events(registrar))
        for key in registrar.keys(batch.id):
            assert key.code not in shown
            assert key.display_code not in shown
            assert key.code not in repr(key)


class TestAddKeys:
    """`add_keys` replaces the batch (it keeps its `size`)."""

    def test_the_new_ones_have_the_terms_of_the_batch(self) -> None:
        registrar, clock = world()
        batch = make(registrar, max_uses=4)
        clock.advance(timedelta(days=1))
        assert registrar.may_add_keys(batch.id, codes=["Fresh-code"])
        after = registrar.add_keys(batch.id, codes=["Fresh-code", ""], generate=2, by="manager")
        assert after == attrs.evolve(batch, size=5)
        assert batch_of(registrar, batch.id) == after
        found = list(registrar.keys(batch.id))
        assert len(found) == 5
        assert {key.max_uses for key in found} == {4}
        assert events(registrar)[-1] == Event(
            position=3,
            at=clock(),
            by="manager",
            action="add_keys",
            subject_ids=[batch.id, "py"],
            details={"keys": "3"},
        )

    def test_what_was_edited_counts_for_what_comes_later(self) -> None:
        registrar, _ = world()
        batch = make(registrar)
        registrar.edit_keys(batch.id, max_uses=7)
        registrar.add_keys(batch.id, codes=["Fresh-code"])
        assert {key.max_uses for key in registrar.keys(batch.id)} == {7}

    def test_what_speaks_against_making_keys_speaks_against_adding_them(self) -> None:
        registrar, _ = world()
        batch = make(registrar)
        registrar.update(attrs.evolve(PYTHON, archived=True))
        assert codes(registrar, "add_keys", batch.id, codes=["", "Hand-made-2"], by="bo") == [
            "role_missing",
            "organization_not_managed",
            "course_archived",
            "code_taken",
        ]

    def test_junk_and_unknown_things_are_named(self) -> None:
        registrar, _ = world()
        batch = make(registrar)
        assert error(NotFound, registrar, "add_keys", "b-9", generate=1).kind == "KeyBatch"
        assert error(NotFound, registrar, "add_keys", batch.id, generate=1, by="x").id == "x"
        for field, junk in (
            ("codes", "Hand-made-1"),
            ("codes", [None]),
            ("generate", -1),
            ("generate", None),
            ("id", ""),
            ("by", ""),
        ):
            options: dict[str, Any] = {"generate": 1, field: junk}
            refused = error(InvalidInput, registrar, "add_keys", batch.id, **options)
            assert refused.field.partition("[")[0] == field
        assert error(InvalidInput, registrar, "add_keys", batch.id).code == "empty_list"
        assert error(InvalidInput, registrar, "add_keys", 7, generate=1).field == "batch_id"

    def test_two_additions_at_once_both_count(self) -> None:
        registrar, _, repository = barged(
            lambda other: other.add_keys("b-1", codes=["Fresh-code-2"])
        )
        make(registrar, id="b-1")
        repository.open = True
        assert registrar.add_keys("b-1", codes=["Fresh-code-1"]).size == 4
        assert len(list(registrar.keys("b-1"))) == 4
        assert repository.commits == 2


class TestEditKeys:
    """Changes what is made later, never an expiry already given. `max_uses` cannot go below the
    uses already made."""

    def test_what_changes_nothing_is_no_event(self) -> None:
        registrar, _ = world()
        batch = make(registrar, max_uses=2)
        before = contents(registrar.repository)
        assert registrar.may_edit_keys(batch.id, max_uses=2)
        assert registrar.edit_keys(batch.id, name=batch.name, max_uses=2) == batch
        assert contents(registrar.repository) == before

    @pytest.mark.parametrize("who", ["support", "bo"])
    def test_keys_are_shown_to_those_who_may_make_them(self, who: str) -> None:
        """A key shows its code, so looking takes the role that making them takes (rule 21)."""
        registrar, _ = world()
        batch = make(registrar)
        assert list(registrar.keys(batch.id, by="manager")) == list(registrar.keys(batch.id))
        with pytest.raises(Refused) as caught:
            registrar.keys(batch.id, by=who)
        assert {one.code for one in caught.value.decision.reasons} == {
            "role_missing",
            "organization_not_managed",
        }

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
                {"redeemable_until": Months(3)},
                {"redeemable_until": datetime(2026, 4, 5, 10, tzinfo=BERLIN)},
            ),
            ({"redeemable_until": None}, {"redeemable_until": None}),
            ({"max_uses": 5}, {"max_uses": 5}),
            ({"max_uses": None}, {"max_uses": 1}),
            ({"availability": relativedelta(months=1)}, {"availability": Months(1)}),
            ({"any_organization": True}, {"any_organization": True}),
            (
                {"name": "Summer", "max_uses": 9, "redeemable_from": timedelta(days=2)},
                {"name": "Summer", "max_uses": 9, "redeemable_from": START + timedelta(days=2)},
            ),
        ],
    )
    def test_what_is_said_changes_and_the_rest_stays(
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
        assert edited == attrs.evolve(batch, **after) == batch_of(registrar, batch.id)
        assert {key.max_uses for key in registrar.keys(batch.id)} == {edited.max_uses}
        assert events(registrar)[-1] == Event(
            position=3, at=clock(), by="manager", action="edit_keys", subject_ids=[batch.id]
        )

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
            assert codes(registrar, "edit_keys", batch.id, max_uses=maximum) == [
                "max_uses_below_uses"
            ]
            assert str(registrar.may_edit_keys(batch.id, max_uses=maximum)) == (
                "A key was already used 2 times. Allow at least 2 uses."
            )

    def test_what_was_redeemed_before_stays(self) -> None:
        registrar, _ = world()
        batch = make(registrar, codes=["Hand-made-1"], max_uses=2)
        before = registrar.redeem("Hand-made-1", "ada")
        registrar.edit_keys(batch.id, availability=timedelta(days=2))
        after = registrar.redeem("Hand-made-1", "manager")
        assert made_by(registrar, before.id) == before
        assert (after.expires_at - before.expires_at).days == 2 - 30

    def test_an_edit_of_the_window_counts_for_the_next(self) -> None:
        registrar, clock = world()
        batch = make(registrar)
        registrar.edit_keys(batch.id, redeemable_until=timedelta(days=1))
        clock.advance(timedelta(days=1))
        assert codes(registrar, "redeem", "Hand-made-1", "ada") == ["key_expired"]
        registrar.edit_keys(batch.id, redeemable_until=None)
        registrar.redeem("Hand-made-1", "ada")

    def test_an_edit_of_the_maximum_cannot_miss_keys_added_meanwhile(self) -> None:
        registrar, _, repository = barged(lambda other: other.add_keys("b-1", codes=["Fresh-code"]))
        make(registrar, id="b-1")
        repository.open = True
        assert registrar.edit_keys("b-1", max_uses=5).size == 3
        assert {key.max_uses for key in registrar.keys("b-1")} == {5}

    def test_an_edit_of_the_maximum_does_not_lose_to_those_who_redeem(self) -> None:
        registrar, _, repository = barged(lambda other: other.redeem("Hand-made-1", "ada"))
        make(registrar, id="b-1", max_uses=3)
        repository.open = True
        registrar.edit_keys("b-1", max_uses=2)
        assert repository.commits == 1
        assert [key.remaining_uses for key in registrar.keys("b-1")] == [1, 2]

    def test_unless_they_were_more_than_the_new_maximum_lets_in(self) -> None:
        registrar, _, repository = barged(lambda other: other.redeem("Hand-made-1", "bo"))
        make(registrar, id="b-1", max_uses=3, any_organization=True)
        registrar.redeem("Hand-made-1", "ada")
        repository.open = True
        with pytest.raises(Exception, match="Allow at least 2 uses"):
            registrar.edit_keys("b-1", max_uses=1)
        assert batch_of(registrar, "b-1").max_uses == 3

    def test_a_window_that_would_be_empty_is_invalid(self) -> None:
        registrar, _ = world()
        batch = make(registrar, redeemable_from=timedelta(days=5))
        refused = error(
            InvalidInput, registrar, "edit_keys", batch.id, redeemable_until=timedelta(days=5)
        )
        assert refused.field == "redeemable_until"

    @pytest.mark.parametrize(
        ("field", "junk"),
        [
            ("name", None),
            ("name", " "),
            ("availability", None),
            ("availability", 30),
            ("max_uses", 0),
            ("max_uses", True),
            ("any_organization", None),
            ("redeemable_from", "now"),
            ("redeemable_until", 7),
            ("by", 7),
        ],
    )
    def test_junk_is_named_by_its_field(self, field: str, junk: Any) -> None:
        registrar, _ = world()
        batch = make(registrar)
        options: dict[str, Any] = {field: junk}
        refused = error(InvalidInput, registrar, "edit_keys", batch.id, **options)
        assert refused.field == field
        assert error(InvalidInput, registrar, "edit_keys", None).field == "batch_id"
        assert error(NotFound, registrar, "edit_keys", "b-9").kind == "KeyBatch"

    def test_who_acts_needs_the_role_and_the_organization(self) -> None:
        registrar, _ = world()
        batch = make(registrar)
        assert codes(registrar, "edit_keys", batch.id, name="Summer", by="bo") == [
            "role_missing",
            "organization_not_managed",
        ]
        assert error(NotFound, registrar, "edit_keys", batch.id, by="x").id == "x"


class TestRevoke:
    def test_one_key_is_called_back_for_good(self) -> None:
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
        event = events(registrar)[-2]
        assert (event.action, event.subject_ids, event.by) == (
            "revoke_keys",
            (batch.id, key.id),
            "manager",
        )
        assert event.details == ()

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
        assert registrar.revoke_keys(batch.id) == ()
        assert contents(registrar.repository) == before

    def test_a_whole_batch_is_called_back_and_those_that_were_valid_are_given(self) -> None:
        registrar, clock = world()
        batch = make(registrar, codes=[*TYPED, "Hand-made-3"], max_uses=2)
        registrar.redeem("Hand-made-2", "ada")
        early = registrar.revoke_key("Hand-made-1")
        clock.advance(timedelta(days=1))
        assert registrar.may_revoke_keys(batch.id)
        revoked = registrar.revoke_keys(batch.id, by="manager")
        assert [(key.code, key.revoked_at) for key in revoked] == [
            ("Hand-made-2", clock()),
            ("Hand-made-3", clock()),
        ]
        assert [(key.uses, key.revoked_at) for key in registrar.keys(batch.id)] == [
            (0, early.revoked_at),
            (1, clock()),
            (0, clock()),
        ]
        assert events(registrar)[-1] == Event(
            position=len(events(registrar)),
            at=clock(),
            by="manager",
            action="revoke_keys",
            subject_ids=[batch.id],
            details={"keys": "2"},
        )

    def test_what_was_redeemed_before_stays(self) -> None:
        registrar, _ = world()
        batch = make(registrar)
        assignment = registrar.redeem("Hand-made-1", "ada")
        registrar.revoke_keys(batch.id)
        assert made_by(registrar, assignment.id) == assignment

    def test_revoking_does_not_lose_to_those_who_redeem(self) -> None:
        registrar, _, repository = barged(lambda other: other.redeem("Hand-made-1", "ada"))
        make(registrar, id="b-1", max_uses=3)
        repository.open = True
        registrar.revoke_key("Hand-made-1")
        assert repository.commits == 1
        key = next(registrar.keys("b-1"))
        assert (key.uses, key.revoked_at) == (1, START)

    def test_no_key_added_meanwhile_slips_through(self) -> None:
        registrar, _, repository = barged(lambda other: other.add_keys("b-1", codes=["Fresh-code"]))
        make(registrar, id="b-1")
        repository.open = True
        assert len(registrar.revoke_keys("b-1")) == 3
        assert all(key.revoked_at for key in registrar.keys("b-1"))

    def test_an_unknown_or_mistyped_key_is_refused(self) -> None:
        registrar, _ = world()
        assert codes(registrar, "revoke_key", "unknown-1") == ["key_not_found"]
        assert codes(registrar, "revoke_key", "short") == ["key_not_found"]
        assert codes(registrar, "revoke_key", "0000-0000-0000-0000-1") == ["key_mistyped"]
        for junk in (None, 7, b"Hand-made-1", ["Hand-made-1"]):
            assert error(InvalidInput, registrar, "revoke_key", junk).field == "code"

    def test_an_unknown_batch_is_not_found(self) -> None:
        registrar, _ = world()
        assert error(NotFound, registrar, "revoke_keys", "b-9").kind == "KeyBatch"
        assert error(InvalidInput, registrar, "revoke_keys", 7).field == "batch_id"


class TestActing:
    """Keys take Operations Manager; the organization must be among the actor's managed ones."""

    COMMANDS: tuple[tuple[str, tuple[object, ...], dict[str, object]], ...] = (
        ("create_keys", (), wanted(codes=["Fresh-code"])),
        ("add_keys", ("b-1",), {"generate": 1}),
        ("edit_keys", ("b-1",), {"name": "Summer"}),
        ("revoke_key", ("Hand-made-1",), {}),
        ("revoke_keys", ("b-1",), {}),
    )

    @pytest.mark.parametrize(("command", "args", "kwargs"), COMMANDS)
    @pytest.mark.parametrize("role", Role)
    def test_roles(
        self, command: str, args: tuple[object, ...], kwargs: dict[str, object], role: Role
    ) -> None:
        registrar, _ = world()
        make(registrar, id="b-1")
        registrar.update(attrs.evolve(MANAGER, roles={role}))
        if role is Role.OPERATIONS_MANAGER:
            getattr(registrar, command)(*args, **kwargs, by="manager")
            assert events(registrar)[-1].by == "manager"
        else:
            assert codes(registrar, command, *args, **kwargs, by="manager") == ["role_missing"]

    @pytest.mark.parametrize(("command", "args", "kwargs"), COMMANDS)
    def test_organizations(
        self, command: str, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> None:
        registrar, _ = world()
        make(registrar, id="b-1")
        registrar.update(attrs.evolve(ACME, parent_id="beta"))
        registrar.update(attrs.evolve(MANAGER, managed_organization_ids={"beta"}))
        assert codes(registrar, command, *args, **kwargs, by="manager") == [
            "organization_not_managed"
        ]
        missing = error(NotFound, registrar, command, *args, **kwargs, by="nobody")
        assert (missing.kind, missing.id) == ("User", "nobody")


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

    def test_an_unknown_batch_is_not_found_before_anything_is_gone_through(self) -> None:
        registrar, _ = world()
        with pytest.raises(NotFound):
            registrar.keys("b-9")
        junk: Any = 7
        with pytest.raises(InvalidInput):
            registrar.keys(junk)

    def test_they_are_as_they_are_now(self) -> None:
        registrar, _ = world()
        batch = make(registrar)
        registrar.redeem("Hand-made-2", "ada")
        assert [(key.code, key.remaining_uses) for key in registrar.keys(batch.id)] == [
            ("Hand-made-1", 1),
            ("Hand-made-2", 0),
        ]


def test_a_batch_id_that_is_taken_by_other_keys_is_a_conflict() -> None:
    registrar, _ = world()
    make(registrar, id="b-1")
    other = wanted(id="b-1", codes=["Fresh-code"])
    assert error(Conflict, registrar, "create_keys", **other).ids == ("b-1",)
