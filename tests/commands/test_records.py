"""Organizations, courses and users: added, updated, forgotten."""

from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from tests.support.situations import codes, error, events
from tests.support.strategies import courses, organizations
from tests.support.world import (
    ACME,
    ADA,
    BETA,
    BO,
    MANAGER,
    PYTHON,
    RECORDS,
    SALES,
    SQL,
    START,
    contents,
    world,
)

NEW_USER = ca.User(id="new", name="New", email="new@example.org", organization_id="acme")
NEW_COURSE = ca.Course(id="new", name="New")
NEW_ORGANIZATION = ca.Organization(id="new", name="New")
NOT_MANAGED = ["organization_not_managed"]


def kept(registrar: ca.Registrar, id_: str, kind: type[Any] = ca.User) -> Any:
    return registrar.repository.get(kind, [id_])[id_]


def check(registrar: ca.Registrar, against: list[str], name: str, record: Any, by: str) -> None:
    """Run the command of *name* for an actor, and check that it is refused for *against*."""
    if against:
        assert codes(registrar, name, record, by=by) == against
    else:
        assert getattr(registrar, f"may_{name}")(record, by=by)
        getattr(registrar, name)(record, by=by)
        assert events(registrar)[-1].by == by


class TestAdd:
    """An equal record again does nothing, a different one under the same id is Conflict (notebook
    cells rerun)."""

    def test_a_cell_can_be_run_again(self) -> None:
        registrar, clock = world()
        before = contents(registrar.repository)
        clock.advance(timedelta(days=1))
        registrar.add(*RECORDS)
        assert registrar.may_add(*RECORDS)
        assert contents(registrar.repository) == before

    def test_a_cell_that_grew_adds_what_is_new(self) -> None:
        registrar, _ = world()
        new = ca.Course(id="new", name="New")
        registrar.add(*RECORDS, new, new)
        assert registrar.repository.get(ca.Course, ["new"]) == {"new": new}
        assert events(registrar)[-1].subject_ids == ("new",)

    @given(st.lists(organizations() | courses(), min_size=1, max_size=5))
    def test_adding_all_at_once_one_by_one_or_twice_is_the_same(
        self, records: list[ca.Organization | ca.Course]
    ) -> None:
        distinct = {(type(one), one.id): one for one in reversed(records)}
        together, single = ca.Registrar(), ca.Registrar()
        together.add(*distinct.values())
        for one in distinct.values():
            single.add(one)
            single.add(one)
        found = [contents(one.repository) for one in (together, single)]
        for each in found:
            each.pop("Event")
        assert found[0] == found[1]

    @pytest.mark.parametrize(
        "changed",
        [
            attrs.evolve(PYTHON, name="Snakes"),
            attrs.evolve(ACME, time_zone="Asia/Tokyo"),
            attrs.evolve(ADA, organization_id=None),
        ],
    )
    def test_another_record_under_the_same_id_is_a_conflict(self, changed: Any) -> None:
        registrar, _ = world()
        new = ca.Course(id="new", name="New")
        assert error(ca.Conflict, registrar, "add", new, changed).ids == (changed.id,)
        again = attrs.evolve(new, name="Newer")
        assert error(ca.Conflict, registrar, "add", new, again).ids == ("new",)

    def test_records_of_different_kinds_may_have_the_same_id(self) -> None:
        registrar, _ = world()
        registrar.add(ca.Organization(id="py", name="Py"), ca.Course(id="acme", name="Acme"))
        assert kept(registrar, "ada").organization_id == "acme"

    def test_an_address_that_is_taken_or_shared_is_refused(self) -> None:
        registrar, _ = world()
        one, two = (ca.User(id=name, name=name, email="x@example.org") for name in ("x", "y"))
        assert codes(registrar, "add", one, two) == ["email_taken"]
        assert str(registrar.may_add(one, two)).startswith(
            "User 'y' has the e-mail address of user"
        )
        taken = ca.User(id="new", name="New", email="ADA@EXAMPLE.ORG")
        assert codes(registrar, "add", ca.Course(id="c", name="C"), taken) == ["email_taken"]

    def test_all_that_is_referred_to_and_unknown_is_named(self) -> None:
        registrar, _ = world()
        records = (
            ca.User(
                id="new",
                name="New",
                email="new@example.org",
                organization_id="o-1",
                managed_organization_ids=["o-3", "acme", "o-2"],
            ),
            ca.Organization(id="child", name="Child", parent_id="o-4"),
        )
        missing = error(ca.NotFound, registrar, "add", *records)
        assert {missing.kind, *(one.kind for one in missing.also)} == {"Organization"}
        assert [missing.id, *(one.id for one in missing.also)] == ["o-1", "o-2", "o-3", "o-4"]

    def test_what_is_referred_to_may_come_in_the_same_call_and_in_any_order(self) -> None:
        registrar, _ = world()
        registrar.add(
            ca.User(id="new", name="New", email="new@example.org", organization_id="child"),
            ca.Organization(id="child", name="Child", parent_id="parent"),
            ca.Organization(id="parent", name="Parent", parent_id="acme"),
        )
        assert kept(registrar, "new").organization_id == "child"

    @pytest.mark.parametrize("junk", [None, 7, "text", ca.Course, [PYTHON], object()])
    def test_what_is_no_record_is_named_by_its_place(self, junk: Any) -> None:
        registrar, _ = world()
        refused = error(ca.InvalidInput, registrar, "add", SQL, junk)
        assert refused.field == "records[1]"


class TestUpdate:
    """`update(record)` for organizations, courses, users. Editing changes what is made later, never
    an expiry already given."""

    def test_the_same_again_does_nothing(self) -> None:
        registrar, _ = world()
        before = contents(registrar.repository)
        assert registrar.update(ADA) == ADA
        assert contents(registrar.repository) == before

    def test_what_was_made_before_stays(self) -> None:
        registrar, _ = world()
        before = registrar.assign("py", "ada")
        registrar.update(attrs.evolve(ACME, maximum_access=timedelta(days=5)))
        registrar.update(attrs.evolve(PYTHON, maximum_access=timedelta(days=4)))
        registrar.update(attrs.evolve(ADA, organization_id="beta"))
        after = registrar.assign("py", "ada")
        found = contents(registrar.repository)["CourseAssignment"]
        assert found == [before, after]
        assert before.expires_at == START + timedelta(days=180)
        assert after.expires_at == START + timedelta(days=4)
        assert (before.organization_id, after.organization_id) == ("acme", "beta")

    def test_the_address_of_another_is_refused(self) -> None:
        registrar, _ = world()
        after = attrs.evolve(ADA, email="BO@example.org")
        assert codes(registrar, "update", after) == ["email_taken"]

    def test_ones_own_address_may_change_its_case(self) -> None:
        registrar, _ = world()
        after = attrs.evolve(ADA, email="ADA@example.org")
        assert registrar.update(after) == after
        assert list(ca.find_all(registrar.repository, ca.UserQuery(email="ada@example.org"))) == [
            after
        ]

    def test_a_record_that_is_unknown_cannot_be_updated(self) -> None:
        registrar, _ = world()
        missing = error(ca.NotFound, registrar, "update", ca.Course(id="new", name="New"))
        assert (missing.kind, missing.id) == ("Course", "new")
        child = attrs.evolve(ACME, parent_id="unknown")
        assert error(ca.NotFound, registrar, "update", child).id == "unknown"
        moved = attrs.evolve(ADA, organization_id="unknown")
        assert error(ca.NotFound, registrar, "update", moved).id == "unknown"


class TestAnonymize:
    """`anonymize(user_id)` replaces name and e-mail and keeps the records."""

    def test_name_and_address_are_replaced_and_all_else_is_kept(self) -> None:
        registrar, _ = world()
        assignment = registrar.assign("py", "manager")
        after = registrar.anonymize("manager", by="manager")
        assert after == attrs.evolve(MANAGER, name=after.name, email=after.email)
        assert kept(registrar, "manager") == after
        assert "manager" not in f"{after.name} {after.email}".casefold()
        assert not list(ca.find_all(registrar.repository, ca.UserQuery(email=MANAGER.email)))
        assert contents(registrar.repository)["CourseAssignment"] == [assignment]
        assert registrar.anonymize("ada").email != after.email

    def test_a_second_time_changes_nothing(self) -> None:
        registrar, _ = world()
        first = registrar.anonymize("ada")
        before = contents(registrar.repository)
        assert registrar.anonymize("ada") == first
        assert contents(registrar.repository) == before

    def test_the_address_can_be_used_again(self) -> None:
        registrar, _ = world()
        registrar.anonymize("ada")
        registrar.add(ca.User(id="new", name="Ada", email="ADA@example.org"))
        registrar.update(attrs.evolve(BO, email="bo2@example.org"))


class TestActor:
    """Rule 21: "creating roles for users of managed organizations, Operations Manager for courses
    and organizations"."""

    @pytest.mark.parametrize(
        ("by", "record", "against"),
        [
            ("manager", NEW_USER, []),
            ("sales", NEW_USER, []),
            ("ada", NEW_USER, ["role_missing", "organization_not_managed"]),
            ("support", NEW_USER, ["role_missing"]),
            ("manager", attrs.evolve(NEW_USER, organization_id="beta"), NOT_MANAGED),
            ("manager", attrs.evolve(NEW_USER, organization_id=None), NOT_MANAGED),
            ("manager", attrs.evolve(NEW_USER, roles=[ca.Role.SUPPORT]), ["role_not_held"]),
            ("manager", attrs.evolve(NEW_USER, managed_organization_ids=["beta"]), NOT_MANAGED),
            ("manager", NEW_COURSE, []),
            ("sales", NEW_COURSE, ["role_missing"]),
            ("manager", NEW_ORGANIZATION, []),
            ("manager", attrs.evolve(NEW_ORGANIZATION, parent_id="acme"), []),
            ("manager", attrs.evolve(NEW_ORGANIZATION, parent_id="beta"), NOT_MANAGED),
            ("sales", attrs.evolve(NEW_ORGANIZATION, parent_id="beta"), ["role_missing"]),
        ],
    )
    def test_adds_within_their_rights(self, by: str, record: Any, against: list[str]) -> None:
        registrar, _ = world()
        registrar.add(SALES)
        check(registrar, against, "add", record, by)
        assert (len(registrar.repository.get(type(record), [record.id])) == 1) is (not against)

    @pytest.mark.parametrize(
        ("by", "before", "changes", "against"),
        [
            ("manager", ADA, {"name": "Ada L."}, []),
            (
                "ada",
                ADA,
                {"roles": [ca.Role.SUPPORT]},
                ["role_missing", "organization_not_managed", "role_not_held"],
            ),
            ("manager", MANAGER, {"roles": [*MANAGER.roles, ca.Role.SUPPORT]}, ["role_not_held"]),
            ("manager", MANAGER, {"managed_organization_ids": ["acme", "beta"]}, NOT_MANAGED),
            ("manager", ADA, {"organization_id": "beta"}, NOT_MANAGED),
            ("manager", BO, {"name": "Bo", "organization_id": "acme"}, NOT_MANAGED),
            ("sales", BO, {"organization_id": "acme"}, []),
            # Who has rights that the actor lacks can't be changed, and loses none of them.
            ("sales", MANAGER, {"name": "M"}, ["role_not_held"]),
            ("sales", MANAGER, {"roles": ()}, ["role_not_held"]),
            ("manager", PYTHON, {"archived": True}, []),
            ("sales", PYTHON, {"archived": True}, ["role_missing"]),
            ("manager", ACME, {"name": "Acme 2"}, []),
            ("manager", BETA, {"anonymous_registration": True}, NOT_MANAGED),
            ("manager", ACME, {"parent_id": "beta"}, NOT_MANAGED),
            ("sales", ACME, {"name": "Acme 2"}, ["role_missing"]),
        ],
    )
    def test_updates_within_their_rights(
        self, by: str, before: Any, changes: dict[str, Any], against: list[str]
    ) -> None:
        registrar, _ = world()
        registrar.add(SALES)
        after = attrs.evolve(before, **changes)
        check(registrar, against, "update", after, by)
        assert kept(registrar, before.id, type(before)) == (before if against else after)

    @pytest.mark.parametrize(
        ("by", "user_id", "against"),
        [
            ("manager", "ada", []),
            ("ada", "ada", ["role_missing", "organization_not_managed"]),
            ("sales", "manager", ["role_not_held", "organization_not_managed"]),
            ("manager", "cy", NOT_MANAGED),
        ],
    )
    def test_anonymizes_within_their_rights(
        self, by: str, user_id: str, against: list[str]
    ) -> None:
        registrar, _ = world()
        registrar.add(SALES)
        registrar.update(attrs.evolve(MANAGER, organization_id=None))
        check(registrar, against, "anonymize", user_id, by)
        assert (kept(registrar, user_id).name == "Anonymous") is (not against)
