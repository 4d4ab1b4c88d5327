"""What holds for every command: its result, its change, its errors and who may execute it."""

from copy import deepcopy
from itertools import cycle
from typing import Any

import attrs
import pytest

import course_assignments as ca
from course_assignments.commands import COMMANDS
from course_assignments.reasons import OrganizationNotManaged
from tests.support.acts import (
    ACTS,
    BATCH,
    DAY,
    GENERATED,
    KEY,
    NEW_COURSE,
    NEWCOMER,
    NOTE,
    NOW,
    STOCK,
    stocked,
)
from tests.support.rules import check_turn, edges, near
from tests.support.situations import codes, copied, error, events
from tests.support.strategies import ZONE_NAMES
from tests.support.world import ACME, ADA, CY, MANAGER, PYTHON, SALES, START, contents

#: The ids that are new in the result of a command, in the order in which they are drawn.
NEW_IDS = {
    "assign": ["a-9"],
    "assign_many": ["a-9", "a-10"],
    "create_keys": ["summer", "new-1", "new-2", "new-3"],
    "add_keys": ["k-2", "k-3"],
    "redeem": ["a-9-ada"],
    "register": ["a-9-new"],
    "subscribe": ["s-9"],
}

#: The roles that allow a command for learners or keys of a managed organization (rule 21).
CREATING = frozenset(ca.Role) - {ca.Role.SUPPORT}
MANAGING_KEYS = frozenset({ca.Role.OPERATIONS_MANAGER})
ROLES = {
    **dict.fromkeys(["assign", "assign_many", "cancel", "reschedule", "complete"], CREATING),
    **dict.fromkeys(["add_note", "register", "subscribe", "edit_subscription"], CREATING),
    **dict.fromkeys(["cancel_subscription", "open_course", "redeem"], CREATING),
    **dict.fromkeys(["start", "pause", "resume", "finish"], CREATING),
    **dict.fromkeys(["create_keys", "add_keys", "edit_keys"], MANAGING_KEYS),
    **dict.fromkeys(["revoke_key", "revoke_keys", "keys"], MANAGING_KEYS),
}
#: The commands that learners may also execute for themselves.
OWN = ["start", "pause", "resume", "finish", "redeem", "open_course"]
LEARNERS = {
    **dict.fromkeys(["assign", "reschedule", "complete", "add_note", *OWN], "ada"),
    **dict.fromkeys(["subscribe", "edit_subscription", "cancel_subscription"], "ada"),
    **dict.fromkeys(["cancel", "resume"], "di"),
}
NEEDS_ROLE_AND_ORGANIZATION = ["role_missing", "organization_not_managed"]

#: What an argument names by an id.
KINDS = {
    "course_id": "Course",
    "learner_id": "User",
    "user_id": "User",
    "organization_id": "Organization",
    "assignment_id": "CourseAssignment",
    "activity_id": "Activity",
    "attempt_id": "Attempt",
    "batch_id": "KeyBatch",
    "subscription_id": "Subscription",
    "by": "User",
}


def verbs(change: ca.Change) -> tuple[Any, ...]:
    """Return what *change* writes; in which order it expects records does not matter."""
    return (
        change.create,
        change.replace,
        change.amend,
        change.use,
        set(change.expect),
        change.record,
    )


def registrar_for(name: str) -> ca.Registrar:
    """Return a registrar with the records and the sources that the act of *name* expects."""
    repository = stocked()
    added: list[ca.Record] = [SALES, NEW_COURSE] if name == "edit_subscription" else [SALES]
    repository.commit(ca.Change(create=added))
    return ca.Registrar(
        repository,
        clock=ca.ManualClock(NOW),
        policies=ACTS[name].policies,
        new_id=cycle(NEW_IDS.get(name, ["unused"])).__next__,
        random_bytes=lambda size: bytes(size - 1) + b"\1",
    )


def said(name: str, **changed: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of the method of *name*, some of them *changed*."""
    command = ACTS[name].command
    known = {one.alias: getattr(command, one.name) for one in attrs.fields(type(command))}
    if name == "revoke_key":
        known["code"] = KEY.code  # in the case in which it is looked up
    known |= changed
    return tuple(known.pop("records", ())), known


def test_every_command_is_in_the_table() -> None:
    assert {name: act.kind for name, act in ACTS.items()} == dict(COMMANDS)
    assert {*COMMANDS} - {*ROLES} == {"add", "update", "anonymize"}
    of_keys = {name for name, roles in ROLES.items() if roles is MANAGING_KEYS}
    assert {*ROLES} - {*LEARNERS} == of_keys | {"assign_many", "register"}


@pytest.mark.parametrize("name", COMMANDS)
class TestDecision:
    """What a decision found present is replaced, used or expected; what it found absent is claimed
    by an id that both sides write.
    """

    def test_has_this_result_and_change(self, name: str) -> None:
        act = ACTS[name]
        outcome = act.outcome()
        assert outcome.result == act.result
        assert verbs(outcome.change) == verbs(act.change)
        assert len(outcome.change.expect) == len(set(outcome.change.expect))
        assert outcome.decision.allowed

    def test_expects_also_the_records_that_authorization_depends_on(self, name: str) -> None:
        act = ACTS[name]
        outcome = act.outcome(actor=MANAGER)
        recorded = tuple(attrs.evolve(one, by="manager") for one in act.change.record)
        more = {*act.change.expect, *act.with_actor}
        assert verbs(outcome.change) == (*verbs(act.change)[:4], more, recorded)
        assert outcome.result == act.result

    def test_is_pure(self, name: str) -> None:
        act = ACTS[name]
        before = deepcopy((act.command, act.records))
        assert act.outcome() == act.outcome()
        assert (act.command, act.records) == before
        for zone in ZONE_NAMES:
            elsewhere = NOW.astimezone(ca.Organization(id="o", name="O", time_zone=zone).zone)
            assert act.outcome(at=elsewhere) == act.outcome()

    @pytest.mark.parametrize("actor", [None, MANAGER])
    def test_makes_only_records_that_pass_all_checks(
        self, name: str, actor: ca.User | None
    ) -> None:
        change = ACTS[name].outcome(actor=actor).change
        for made in (*change.create, *(one.after for one in change.replace), *change.record):
            checked = attrs.evolve(made)
            assert repr(checked) == repr(made)
            for one in attrs.fields(type(made)):
                assert type(getattr(checked, one.name)) is type(getattr(made, one.name))

    @pytest.mark.parametrize("actor", [None, MANAGER])
    def test_records_only_ids_and_no_code(self, name: str, actor: ca.User | None) -> None:
        outcome = ACTS[name].outcome(actor=actor)
        change = outcome.change
        ids = {one.id for one in (*STOCK, *change.create)}
        for recorded in change.record:
            assert set(recorded.subject_ids) <= ids
            assert recorded.at == NOW
        for code in ("Spring-2026", "Summer-2026", "Summer-2027", GENERATED):
            assert code not in repr(outcome)
        shown = repr(change.record)
        for secret in (ADA.name, ADA.email, NEWCOMER.email, PYTHON.name, NOTE.message):
            assert secret not in shown.replace("'ada'", "")

    @pytest.mark.parametrize("actor", [None, MANAGER, CY])
    def test_holds_until_it_changes(self, name: str, actor: ca.User | None) -> None:
        act = ACTS[name]
        batch = attrs.evolve(
            BATCH, redeemable_from=START + 2 * DAY, redeemable_until=START + 20 * DAY
        )
        changed: dict[str, Any] = {"actor": actor}
        if name == "redeem":
            changed["batch"] = batch
        if name == "register":
            changed["redeemable"] = attrs.evolve(act.records.redeemable, batch=batch)
        marks = {NOW, START + DAY, START + 10 * DAY} | edges(batch, *STOCK)
        for at in near(marks):
            check_turn(lambda at: act.decision(at=at, **changed), at, marks)


@pytest.mark.parametrize("name", COMMANDS)
class TestExecution:
    def test_returns_the_result_and_stores_the_change(self, name: str) -> None:
        registrar, act = registrar_for(name), ACTS[name]
        expected = copied(registrar.repository)
        expected.commit(act.change)
        args, options = said(name)
        assert getattr(registrar, f"may_{name}")(*args, **options).allowed
        assert contents(registrar.repository) == contents(registrar_for(name).repository)
        result = getattr(registrar, name)(*args, **options)
        assert (registrar.get(type(act.result), "spring") if name == "keys" else result) == (
            act.result
        )
        assert contents(registrar.repository) == contents(expected)

    def test_names_each_unknown_id(self, name: str) -> None:
        for field in KINDS.keys() & attrs.fields_dict(COMMANDS[name]).keys():
            args, options = said(name, **{field: "unknown"})
            missing = error(ca.NotFound, registrar_for(name), name, *args, **options)
            assert missing == ca.NotFound(KINDS[field], "unknown")

    @pytest.mark.parametrize("junk", [None, 7, "", " ", "a" * 201, "a\nb", b"a-1", ["a-1"]])
    def test_names_each_argument_that_is_not_an_id(self, name: str, junk: Any) -> None:
        optional = {"id", "by"}
        for field in {*KINDS, "id"} & attrs.fields_dict(COMMANDS[name]).keys():
            if junk is not None or field not in optional:
                args, options = said(name, **{field: junk})
                found = error(ca.InvalidInput, registrar_for(name), name, *args, **options)
                assert found.field == field

    @pytest.mark.parametrize("junk", ["", "\n\t", 7, b"moved", "a\x00b", "x" * 10_001])
    def test_names_an_invalid_support_reason(self, name: str, junk: Any) -> None:
        if "support_reason" in attrs.fields_dict(COMMANDS[name]):
            args, options = said(name, support_reason=junk)
            found = error(ca.InvalidInput, registrar_for(name), name, *args, **options)
            assert found.field == "support_reason"


@pytest.mark.parametrize(
    "name", [name for name, kind in COMMANDS.items() if "course_ids" in attrs.fields_dict(kind)]
)
class TestCourseIds:
    def test_are_all_named_if_they_are_unknown(self, name: str) -> None:
        args, options = said(name, course_ids=["c-8", "py", "c-9"])
        missing = error(ca.NotFound, registrar_for(name), name, *args, **options)
        assert missing == ca.NotFound("Course", "c-8", (ca.NotFound("Course", "c-9"),))

    @pytest.mark.parametrize(
        ("junk", "path"),
        [
            (None, "course_ids"),
            ([], "course_ids"),
            ("py", "course_ids"),
            (["py", 7], "course_ids[1]"),
            ([["py"]], "course_ids[0]"),
            ([" "], "course_ids[0]"),
        ],
    )
    def test_are_named_if_they_are_not_a_list_of_ids(self, name: str, junk: Any, path: str) -> None:
        args, options = said(name, course_ids=junk)
        found = error(ca.InvalidInput, registrar_for(name), name, *args, **options)
        assert found.field == path


@pytest.mark.parametrize("name", ROLES)
class TestActor:
    """An actor needs a role that allows the command, and must manage the organization of the
    learner or of the keys. Without an actor the caller is trusted."""

    @pytest.mark.parametrize("role", ca.Role)
    def test_needs_one_of_the_roles(self, name: str, role: ca.Role) -> None:
        registrar = registrar_for(name)
        registrar.update(attrs.evolve(MANAGER, roles={role}))
        args, options = said(name, by="manager")
        if role not in ROLES[name]:
            assert codes(registrar, name, *args, **options) == ["role_missing"]
            return
        getattr(registrar, name)(*args, **options)
        if name != "keys":
            assert events(registrar)[-1].by == "manager"

    @pytest.mark.parametrize("managed", [[], ["beta"], ["child"]])
    def test_needs_the_very_organization(self, name: str, managed: list[str]) -> None:
        """Neither its parent nor its child counts."""
        registrar = registrar_for(name)
        registrar.update(attrs.evolve(ACME, parent_id="beta"))
        registrar.add(ca.Organization(id="child", name="Child", parent_id="acme"))
        registrar.update(attrs.evolve(MANAGER, managed_organization_ids=managed))
        args, options = said(name, by="manager")
        assert codes(registrar, name, *args, **options) == ["organization_not_managed"]

    @pytest.mark.parametrize("actor", ["bo", "cy"])
    def test_is_told_both_when_both_are_missing(self, name: str, actor: str) -> None:
        args, options = said(name, by=actor)
        found = codes(registrar_for(name), name, *args, **options)
        assert found == NEEDS_ROLE_AND_ORGANIZATION


@pytest.mark.parametrize("name", LEARNERS)
class TestLearner:
    def test_may_act_for_themselves_only_where_that_is_allowed(self, name: str) -> None:
        registrar, learner = registrar_for(name), LEARNERS[name]
        args, options = said(name, by=learner)
        if name not in OWN:
            assert codes(registrar, name, *args, **options) == NEEDS_ROLE_AND_ORGANIZATION
            return
        assert getattr(registrar, f"may_{name}")(*args, **options).allowed
        getattr(registrar, name)(*args, **options)
        assert events(registrar)[-1].by == learner

    @pytest.mark.parametrize(("moved", "allowed"), [("beta", {"sales"}), (None, set())])
    def test_is_managed_by_the_present_organization(
        self, name: str, moved: str | None, allowed: set[str]
    ) -> None:
        registrar = registrar_for(name)
        (learner,) = registrar.repository.get(ca.User, [LEARNERS[name]]).values()
        registrar.update(attrs.evolve(learner, organization_id=moved))
        for by in ("manager", "sales"):
            args, options = said(name, by=by)
            reasons = getattr(registrar, f"may_{name}")(*args, **options).reasons
            assert (OrganizationNotManaged(moved) in reasons) is (by not in allowed)
            if name != "redeem":  # The key is reserved for the former organization.
                assert len(reasons) == (by not in allowed)
