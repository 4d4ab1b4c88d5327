"""Records that do not belong together, and two decisions on the same records."""

from functools import partial
from typing import Any

import attrs
import pytest

import course_assignments as ca
from course_assignments.commands import AssignMany, Context, Roster
from tests.support.acts import (
    ACTS,
    BATCH,
    CLAIM,
    DAY,
    DI,
    FROM_SQL,
    GENERATED,
    GIVEN,
    KEY,
    NEWCOMER,
    NOW,
    OPENED,
    REDEEMED,
    REDEMPTION,
    RUNNING,
    SUBSCRIPTION,
    Act,
    pair,
    presented,
    stocked,
)
from tests.support.rules import JUNK, NO_INSTANTS, check_junk
from tests.support.world import ACME, ADA, BETA, BO, CY, MANAGER, PYTHON, SQL

#: What is said of an assignment that came from no key.
NO_KEY: dict[str, Any] = {"redemption": None, "key": None}
CANCEL_GIVEN: dict[str, Any] = {"assignment": GIVEN, "learner": ADA, **NO_KEY}

SECOND_KEY = attrs.evolve(KEY, id="k-2", code="Summer-2026")
OTHER_KEY = attrs.evolve(KEY, id="k-9", code="Other-2026", batch_id="other")
ATTEMPT_OF = "attempt.assignment_id"
#: Records that do not belong together, and the field that is named.
STRANGERS: list[tuple[str, dict[str, Any], str]] = [
    ("cancel", {"learner": ADA}, "learner"),
    ("cancel", {"redemption": attrs.evolve(REDEMPTION, assignment_id="a-3")}, "redemption"),
    ("cancel", {"key": OTHER_KEY}, "key"),
    ("cancel", {"redemption": None}, "key"),
    ("complete", {"learner": BO}, "learner"),
    ("reschedule", {"learner": BO, "organization": BETA}, "learner"),
    ("reschedule", {"course": SQL}, "course"),
    ("reschedule", {"organization": BETA}, "organization"),
    ("reschedule", {"organization": None}, "organization"),
    ("create_keys", {"course": SQL}, "course"),
    ("create_keys", {"organization": BETA}, "organization"),
    ("add_keys", {"course": SQL}, "course"),
    ("edit_keys", {"keys": [OTHER_KEY]}, "keys[0]"),
    ("edit_keys", {"organization": BETA}, "organization"),
    ("revoke_keys", {"keys": [KEY, OTHER_KEY]}, "keys[1]"),
    ("start", {"learner": BO}, "learner"),
    ("start", {"course": SQL}, "course"),
    ("start", {"attempts": [RUNNING]}, "attempts[0].assignment_id"),
    *(
        (name, changed, field)
        for name in ("pause", "resume", "finish")
        for changed, field in (
            ({"learner": BO}, "learner"),
            ({"assignment": attrs.evolve(GIVEN, learner_id="bo"), "learner": BO}, ATTEMPT_OF),
        )
    ),
    ("finish", {"course": SQL}, "course"),
    ("subscribe", {"organization": BETA}, "organization"),
    ("subscribe", {"organization": None}, "organization"),
    ("edit_subscription", {"learner": BO}, "learner"),
    ("cancel_subscription", {"learner": BO}, "learner"),
    *(
        ("cancel_subscription", {"opened": [attrs.evolve(OPENED, **changed)]}, "opened[0]")
        for changed in (
            {"origin": ca.Direct()},
            {"origin": ca.FromSubscription("s-2")},
            {"learner_id": "bo"},
        )
    ),
    ("open_course", {"learner": BO, "organization": BETA}, "learner"),
    ("open_course", {"organization": BETA}, "organization"),
    ("open_course", {"opened": [attrs.evolve(OPENED, origin=ca.Direct())]}, "opened[0]"),
    ("reschedule", {"subscription": SUBSCRIPTION}, "subscription"),
    (
        "reschedule",
        {"assignment": OPENED, "subscription": attrs.evolve(SUBSCRIPTION, id="s-2")},
        "subscription",
    ),
    ("register", {"batch_organization": BETA}, "batch_organization"),
    ("redeem", {"key": SECOND_KEY}, "key"),
    ("register", {"redeemable": presented(NEWCOMER, key=SECOND_KEY)}, "redeemable.key"),
    *(("revoke_key", {"keys": keys}, "keys") for keys in ([], [SECOND_KEY], [KEY, SECOND_KEY])),
    ("update", {"record": BO, "email_owner": None}, "before"),
    ("update", {"record": attrs.evolve(PYTHON, id="ada"), "email_owner": None}, "after"),
]


class TestWhatBelongsTogether:
    """A command is decided only on the records that it names."""

    @pytest.mark.parametrize(("act", "changed", "field"), STRANGERS)
    def test_a_record_of_another_is_refused(
        self, act: str, changed: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            ACTS[act](**changed)
        assert (caught.value.code, caught.value.field) == ("another_record", field)
        assert not any(code in str(caught.value) for code in ("Spring-2026", "Summer-2026"))

    def test_many_are_assigned_only_what_the_command_names(self) -> None:
        roster = Roster(assignables=[pair(), pair(id="a-8", learner=BO)])
        with pytest.raises(ca.InvalidInput) as caught:
            AssignMany(["py"], ["ada"]).decide(roster, Context(NOW))
        assert (caught.value.code, caught.value.field) == ("another_record", "assignables[1]")

    @pytest.mark.parametrize("typed", [GENERATED, "ooooo-OOOOO 00000-i2", " 00000000000000012\n"])
    @pytest.mark.parametrize("act", ["redeem", "register", "revoke_key"])
    def test_codes_are_compared_as_they_are_looked_up(self, act: str, typed: str) -> None:
        key = attrs.evolve(KEY, code=GENERATED)
        records: dict[str, dict[str, Any]] = {
            "redeem": {"key": key},
            "register": {"redeemable": presented(NEWCOMER, key=key)},
            "revoke_key": {"keys": [key]},
        }
        assert ACTS[act](**records[act], code=typed)
        with pytest.raises(ca.InvalidInput) as caught:
            ACTS[act](**records[act], code=typed.replace("2", "3"))
        assert caught.value.code == "another_record"

    @pytest.mark.parametrize(
        ("act", "changed", "field"),
        [
            ("cancel", NO_KEY, "redemption"),
            ("cancel", {"key": None}, "redemption"),
            ("reschedule", {"assignment": OPENED}, "subscription"),
            ("cancel_subscription", {"opened": []}, "opened"),
            ("cancel_subscription", {"opened": [OPENED] * 2 + [FROM_SQL]}, "opened"),
            ("open_course", {"course": PYTHON}, "opened"),
            ("open_course", {"opened": [OPENED]}, "opened"),
        ],
    )
    def test_a_record_that_is_needed_is_missed(
        self, act: str, changed: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            ACTS[act](**changed)
        assert (caught.value.code, caught.value.field) == ("missing", field)

    @pytest.mark.parametrize("name", ["subscribe", "edit_subscription"])
    def test_only_the_given_courses_are_granted(self, name: str) -> None:
        with pytest.raises(ca.InvalidInput):
            ACTS[name](course_ids=["draft"])

    def test_a_course_that_is_named_twice_counts_once(self) -> None:
        for act in (ACTS["subscribe"], ACTS["assign_many"], ACTS["edit_subscription"]):
            command: Any = act.command
            named = attrs.evolve(command, course_ids=["py", "sql", "py"])
            assert named.course_ids == ("py", "sql")

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"organization": BETA}, "organization"),
            ({"organization": None}, "organization"),
            ({"learner": CY}, "organization"),
            ({"existing": [attrs.evolve(GIVEN, learner_id="bo")]}, "existing[0].learner_id"),
            ({"existing": [GIVEN, attrs.evolve(GIVEN, course_id="sql")]}, "existing[1].course_id"),
            ({"claim": CLAIM}, "claim"),
        ],
    )
    def test_one_course_is_assigned_to_one_learner(
        self, changed: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            attrs.evolve(pair(), **changed)
        assert (caught.value.code, caught.value.field) == ("another_record", field)

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"key": OTHER_KEY}, "batch"),
            ({"course": SQL}, "course"),
            ({"organization": BETA}, "organization"),
            ({"organization": None}, "organization"),
            ({"redeemed": attrs.evolve(REDEMPTION, learner_id="ada", key_id="k-9")}, "redeemed"),
            ({"redeemed": REDEMPTION}, "redeemed"),
        ],
    )
    def test_a_key_is_presented_by_one_learner_for_its_course(
        self, changed: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            attrs.evolve(presented(), **changed)
        assert (caught.value.code, caught.value.field) == ("another_record", field)

    @pytest.mark.parametrize(
        ("assignables", "code", "field"),
        [
            ([pair(), pair(course=SQL)], "repeated", "assignables[1].id"),
            ([], "empty_list", "assignables"),
            ((), "empty_list", "assignables"),
            ("a-1", "not_a_list", "assignables"),
            ([pair(), 1], "wrong_type", "assignables[1]"),
        ],
    )
    def test_a_roster_has_pairs_with_different_ids(
        self, assignables: Any, code: str, field: str
    ) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            ACTS["assign_many"](assignables=assignables)
        assert (caught.value.code, caught.value.field) == (code, field)

    @pytest.mark.parametrize("generated", [["00000000000000000"] * 2, ["00000000000000012"]])
    @pytest.mark.parametrize("act", [ACTS["create_keys"], ACTS["add_keys"]])
    def test_each_code_occurs_once(self, act: Act, generated: list[str]) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            act(codes=["Summer-2026", "OOOO-0000-0000-000l-2"], generated=generated)
        assert (caught.value.code, caught.value.field) == ("code_repeated", "generated")

    def test_another_maximum_amends_all_keys(self) -> None:
        assert len(ACTS["edit_keys"]().amend) == 1
        renamed = ACTS["edit_keys"](max_uses=3)
        assert (len(renamed.replace), renamed.amend) == (1, ())

    def test_only_an_organization_that_was_read_is_expected(self) -> None:
        assert ACTS["edit_keys"](organization=None).expect == ()


#: Two acts that are decided on the same records, the first of which is stored first; and what
#: keeps the second from being stored: a verb, or None where both are fine.
DEMOTED = (
    "update",
    {"before": MANAGER, "record": attrs.evolve(MANAGER, roles=()), "email_owner": None},
)
MOVED = "update", {"before": ADA, "record": attrs.evolve(ADA, organization_id="beta")}
ARCHIVED = (
    "update",
    {"before": PYTHON, "record": attrs.evolve(PYTHON, archived=True), "email_owner": None},
)
SHORTENED = (
    "update",
    {"before": ACME, "record": attrs.evolve(ACME, maximum_access=DAY), "email_owner": None},
)
CLOSED = (
    "update",
    {
        "before": ACME,
        "record": attrs.evolve(ACME, anonymous_registration=False),
        "email_owner": None,
    },
)
ONCE = {"repeat": ca.Repeat.REFUSE}
CANCELLED = attrs.evolve(REDEEMED, cancelled_at=NOW)
DI_AGAIN = {"existing": [CANCELLED], "learner": DI, "claim": CLAIM}
MEETINGS: dict[str, tuple[Any, Any, str | None]] = {
    "refuse, refuse": (("assign", ONCE), ("assign", {**ONCE, "about": pair(id="a-10")}), "create"),
    "skip, refuse": (
        ("assign", {"repeat": ca.Repeat.SKIP, "about": pair(**DI_AGAIN)}),
        ("assign", {**ONCE, "about": pair(**{**DI_AGAIN, "id": "a-10"})}),
        "replace",
    ),
    "allow, allow": (("assign", {}), ("assign", {"about": pair(id="a-10")}), "create"),
    "refuse for one, refuse for another": (
        ("assign", ONCE),
        ("assign", {**ONCE, "about": pair(id="a-10", learner=BO)}),
        None,
    ),
    "archive, assign": (ARCHIVED, ("assign", {}), "expect"),
    "shorten, assign": (SHORTENED, ("assign", {}), "expect"),
    "move, assign": (MOVED, ("assign", {}), "expect"),
    "demote, assign": (DEMOTED, ("assign", {"actor": MANAGER}), "expect"),
    "demote, assign without an actor": (DEMOTED, ("assign", {}), None),
    "cancel what stands in, assign the others": (
        ("cancel", CANCEL_GIVEN),
        (
            "assign_many",
            {
                "assignables": [pair(existing=[GIVEN]), pair(id="a-10", course=SQL)],
                "newcomers": [],
                "repeat": ca.Repeat.SKIP,
            },
        ),
        "expect",
    ),
    "newcomer, the same newcomer": (("assign_many", {}), ("register", {}), "create"),
    "cancel, cancel": (
        ("cancel", CANCEL_GIVEN),
        ("cancel", {**CANCEL_GIVEN, "support_reason": "They moved."}),
        "replace",
    ),
    "cancel, reschedule": (("cancel", CANCEL_GIVEN), ("reschedule", {}), "replace"),
    "complete, cancel": (("complete", {}), ("cancel", CANCEL_GIVEN), "replace"),
    "reschedule, complete": (("reschedule", {}), ("complete", {}), "replace"),
    "move, cancel": (MOVED, ("cancel", {**CANCEL_GIVEN, "actor": MANAGER}), "expect"),
    "move, cancel without an actor": (MOVED, ("cancel", CANCEL_GIVEN), None),
    "move, complete": (MOVED, ("complete", {"actor": MANAGER}), "expect"),
    "move, reschedule": (MOVED, ("reschedule", {}), "expect"),
    "shorten, reschedule": (SHORTENED, ("reschedule", {}), "expect"),
    "archive, reschedule": (ARCHIVED, ("reschedule", {}), "expect"),
    "redeem, redeem by another": (
        ("redeem", {}),
        ("redeem", {"about": presented(DI, claim=CLAIM)}),
        None,
    ),
    "redeem, redeem again": (("redeem", {}), ("redeem", {"about": presented(id="a-10")}), "create"),
    "redeem, give back": (("redeem", {}), ("cancel", {}), None),
    "revoke, redeem": (("revoke_keys", {}), ("redeem", {}), "use"),
    "redeem, revoke": (("redeem", {}), ("revoke_keys", {}), None),
    "edit the window, redeem": (
        ("edit_keys", {"max_uses": 3, "redeemable_until": NOW}),
        ("redeem", {}),
        None,
    ),
    "edit the uses, redeem": (("edit_keys", {}), ("redeem", {}), "use"),
    "redeem, edit the uses to fewer": (
        ("redeem", {}),
        ("edit_keys", {"name": BATCH.name, "max_uses": 1}),
        "amend",
    ),
    "redeem, edit the uses": (("redeem", {}), ("edit_keys", {}), None),
    "archive, redeem": (ARCHIVED, ("redeem", {}), "expect"),
    "shorten, redeem": (SHORTENED, ("redeem", {}), "expect"),
    "move, redeem": (MOVED, ("redeem", {}), "expect"),
    "register, register": (("register", {}), ("register", {}), "create"),
    "close, register": (CLOSED, ("register", {}), "expect"),
    "create keys, the same code in another batch": (
        ("create_keys", {}),
        ("create_keys", {"id": "winter", "key_ids": ["k-7", "k-8", "k-9"]}),
        "create",
    ),
    "archive, create keys": (ARCHIVED, ("create_keys", {}), "expect"),
    "demote, create keys": (DEMOTED, ("create_keys", {"actor": MANAGER}), "expect"),
    "archive, add keys": (ARCHIVED, ("add_keys", {}), "expect"),
    "demote, edit keys": (DEMOTED, ("edit_keys", {"actor": MANAGER}), "expect"),
    "demote, revoke keys": (DEMOTED, ("revoke_keys", {"actor": MANAGER}), "expect"),
    "add keys, edit keys": (("add_keys", {}), ("edit_keys", {}), "replace"),
    "edit keys, add keys": (("edit_keys", {}), ("add_keys", {}), "replace"),
    "add keys, add others": (
        ("add_keys", {}),
        ("add_keys", {"codes": ["Winter-2026"], "generated": [], "key_ids": ["k-9"], "id": None}),
        "replace",
    ),
    "add keys, revoke them all": (("add_keys", {}), ("revoke_keys", {}), "expect"),
    "revoke them all, add keys": (("revoke_keys", {}), ("add_keys", {}), None),
    "update, anonymize": (("update", {}), ("anonymize", {}), "replace"),
}


class TestTwoDecisionsOnTheSameRecords:
    """Decisions that exclude each other conflict over a record that both write or one expects."""

    @pytest.mark.parametrize("name", MEETINGS)
    def test_the_second_is_stored_only_if_both_may_be(self, name: str) -> None:
        (first, asked_first), (second, asked_second), verb = MEETINGS[name]
        repository = stocked()
        earlier, later = ACTS[first](**asked_first), ACTS[second](**asked_second)
        # Each alone can be stored, so that it is the other that keeps it out.
        stocked().commit(later)
        repository.commit(earlier)
        if verb is None:
            repository.commit(later)
            return
        with pytest.raises(ca.Conflict):
            repository.commit(later)

    @pytest.mark.parametrize("name", [name for name, found in MEETINGS.items() if found[2]])
    def test_without_the_verb_that_guards_it_it_would_be_stored(self, name: str) -> None:
        (first, asked_first), (second, asked_second), verb = MEETINGS[name]
        repository = stocked()
        earlier, later = ACTS[first](**asked_first), ACTS[second](**asked_second)
        repository.commit(earlier)
        assert verb is not None
        unguarded = attrs.evolve(later, **{verb: ()})
        if verb == "create":
            assert set(map(_name, later.create)) & set(map(_name, earlier.create))
        repository.commit(unguarded)


def _name(record: ca.Record) -> tuple[str, str]:
    return type(record).__name__, record.id


#: The commands whose records are not simply one that is stored.
COMPOSED = [
    name for name, act in ACTS.items() if not isinstance(act.records, ca.User | type(BATCH))
]


class TestJunk:
    """No other exception may leave the public API; what is no argument is invalid."""

    @pytest.mark.parametrize("name", COMPOSED)
    def test_in_records_is_invalid_or_makes_no_difference(self, name: str) -> None:
        act = ACTS[name]
        fine = act.outcome()
        different: list[tuple[str, Any, object]] = []
        for field in attrs.fields(type(act.records)):
            # Any string is an id, and what may be missing may be None.
            text = () if field.name.endswith("id") else ("junk",)
            absent = (None,) if field.default is attrs.NOTHING else ()
            for value in (*JUNK, [None], *text, *absent):
                try:
                    outcome = act.outcome(about=attrs.evolve(act.records, **{field.name: value}))
                except ca.InvalidInput:
                    continue
                except Exception as error:  # noqa: BLE001 - whatever it is, it is one too many
                    different.append((field.name, value, error))
                    continue
                if outcome != fine:
                    different.append((field.name, value, outcome))
        assert different == []

    @pytest.mark.parametrize("name", ["at", "policies", "actor"])
    def test_in_the_context_is_invalid(self, name: str) -> None:
        values = [*(NO_INSTANTS if name == "at" else ()), *JUNK, "junk", [None]]
        known: dict[str, Any] = {"at": NOW}
        check_junk(lambda junk: Context(**{**known, name: junk}), name, values)

    @pytest.mark.parametrize("records", [pair(), presented()], ids=["pair", "key"])
    def test_in_a_pair_or_a_presented_key_is_invalid(self, records: Any) -> None:
        def with_junk(field: str, junk: Any) -> object:
            return attrs.evolve(records, **{field: junk})

        for field in attrs.fields_dict(type(records)):
            check_junk(partial(with_junk, field), field, [42, object(), [42], NO_INSTANTS[3]])
