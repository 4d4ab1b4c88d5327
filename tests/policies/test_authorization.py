"""Rules 4 and 21: who may act, and for whom."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations, product
from typing import Any

import attrs
import pytest

from course_assignments import (
    AuthorizationPolicy,
    Decision,
    InvalidInput,
    Permission,
    Role,
    User,
)
from course_assignments.reasons import (
    OrganizationNotManaged,
    RoleMissing,
    RoleNotHeld,
    SupportRoleMissing,
)
from tests.support.world import ADA, MANAGER

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
POLICY = AuthorizationPolicy()

#: The roles of rule 21 and rule 4, in the order in which the rules name them.
CREATING = (
    Role.COMPANY_TRAINING_MANAGER,
    Role.ENROLLMENT_MANAGER,
    Role.OPERATIONS_MANAGER,
    Role.SALES_MANAGER,
)
OPERATING = (Role.OPERATIONS_MANAGER,)
MAY = {
    Permission.ASSIGN_COURSES: CREATING,
    Permission.MANAGE_KEYS: OPERATING,
    Permission.MANAGE_USERS: CREATING,
    Permission.MANAGE_COURSES: OPERATING,
    Permission.MANAGE_ORGANIZATIONS: OPERATING,
    Permission.SUPPORT: (Role.SUPPORT,),
}
#: Nobody manages a person who has no organization; what else has none needs the role alone.
OF_PEOPLE = {Permission.ASSIGN_COURSES, Permission.MANAGE_USERS, Permission.SUPPORT}
MANAGED: tuple[frozenset[str], ...] = (
    frozenset(),
    frozenset({"acme"}),
    frozenset({"beta"}),
    frozenset({"acme", "beta"}),
    frozenset({"Acme", "acme-child", "acm"}),
)


def actors() -> Iterator[User]:
    """Yield an actor with each set of roles and each set of managed organizations."""
    sets = [set(roles) for size in range(len(Role) + 1) for roles in combinations(Role, size)]
    for roles, managed in product(sets, MANAGED):
        yield attrs.evolve(MANAGER, roles=roles, managed_organization_ids=managed)


def expected(actor: User, permission: Permission, organization_id: str | None) -> tuple[Any, ...]:
    """Return the reasons against it, by the sentences of the rules."""
    has_role = any(role in actor.roles for role in MAY[permission])
    manages = organization_id in list(actor.managed_organization_ids)
    needs_none = organization_id is None and permission not in OF_PEOPLE
    missing = RoleMissing(MAY[permission])
    against = (
        (SupportRoleMissing() if permission is Permission.SUPPORT else missing, not has_role),
        (OrganizationNotManaged(organization_id), not manages and not needs_none),
    )
    return tuple(reason for reason, holds in against if holds)


class TestPermissions:
    """Each permission takes its roles, and the organization must be managed (rule 21)."""

    def test_every_actor_gets_the_answer_of_the_table(self) -> None:
        seen = set()
        for actor, permission, organization_id in product(
            actors(), Permission, ["acme", "beta", None]
        ):
            decision = POLICY.evaluate(
                actor, permission=permission, organization_id=organization_id, at=AT
            )
            wanted = expected(actor, permission, organization_id)
            assert decision == Decision(wanted), (actor, permission, organization_id)
            seen.add((permission, len(wanted)))
        assert seen == set(product(MAY, (0, 1, 2)))

    @pytest.mark.parametrize("managed", ["ACME", "acme-child", "parent-of-acme", None])
    def test_only_exactly_the_managed_organizations_count(self, managed: str | None) -> None:
        # The actor's own organization is not thereby a managed one.
        ids = set() if managed is None else {managed}
        actor = attrs.evolve(MANAGER, managed_organization_ids=ids, organization_id="acme")
        decision = POLICY.evaluate(
            actor, permission=Permission.ASSIGN_COURSES, organization_id="acme", at=AT
        )
        assert decision == Decision([OrganizationNotManaged("acme")])


class TestSupport:
    """A support override needs the SUPPORT role when an actor is given (rule 4)."""

    @pytest.mark.parametrize("organization_id", ["acme", "gamma", None])
    def test_support_acts_for_managed_organizations(self, organization_id: str | None) -> None:
        support = attrs.evolve(MANAGER, roles={Role.SUPPORT}, managed_organization_ids=["acme"])
        decision = POLICY.evaluate(
            support, permission=Permission.SUPPORT, organization_id=organization_id, at=AT
        )
        against = [] if organization_id == "acme" else [OrganizationNotManaged(organization_id)]
        assert decision == Decision(against)

    def test_all_other_roles_together_are_not_support(self) -> None:
        decision = POLICY.evaluate(
            attrs.evolve(MANAGER, roles=CREATING),
            permission=Permission.SUPPORT,
            organization_id="acme",
            at=AT,
        )
        assert decision == Decision([SupportRoleMissing()])


class TestProfiles:
    """Nobody gives a role they do not hold or an organization they do not manage (rule 21)."""

    @pytest.mark.parametrize(
        ("rights", "against"),
        [
            ({}, []),
            ({"roles": {Role.OPERATIONS_MANAGER}, "managed_organization_ids": {"acme"}}, []),
            (
                {"roles": {Role.SUPPORT, Role.SALES_MANAGER, Role.OPERATIONS_MANAGER}},
                [RoleNotHeld((Role.SALES_MANAGER, Role.SUPPORT))],
            ),
            (
                {"managed_organization_ids": {"acme", "gamma", "beta"}},
                [OrganizationNotManaged("beta"), OrganizationNotManaged("gamma")],
            ),
        ],
    )
    def test_the_actor_has_all_rights_of_the_profile(
        self, rights: dict[str, Any], against: list[Any]
    ) -> None:
        decision = POLICY.evaluate(
            MANAGER,
            permission=Permission.MANAGE_USERS,
            organization_id="acme",
            at=AT,
            profile=attrs.evolve(ADA, **rights),
        )
        assert decision == Decision(against)


class TestSettings:
    @pytest.mark.parametrize("permission", Permission)
    def test_the_table_of_permissions_is_data(self, permission: Permission) -> None:
        policy = AuthorizationPolicy(permissions={Role.SALES_MANAGER: [permission]})
        for role in Role:
            actor = attrs.evolve(MANAGER, roles={role})
            decision = policy.evaluate(actor, permission=permission, organization_id="acme", at=AT)
            assert decision.allowed is (role is Role.SALES_MANAGER)

    def test_a_copy_is_kept_and_the_default_is_the_documented_table(self) -> None:
        given = {Role.SUPPORT: {Permission.SUPPORT}}
        policy = AuthorizationPolicy(permissions=given)
        given[Role.SUPPORT].clear()
        given.clear()
        assert policy.permissions == ((Role.SUPPORT, frozenset({Permission.SUPPORT})),)
        assert attrs.evolve(policy) == policy
        for permission, roles in MAY.items():
            assert POLICY.roles(permission) == roles

    @pytest.mark.parametrize(
        ("permissions", "field"),
        [
            ([Role.SUPPORT], "permissions"),
            ({"support": [Permission.SUPPORT]}, "permissions[0]"),
            ({Role.SUPPORT: Permission.SUPPORT}, "permissions[SUPPORT]"),
            ({Role.SUPPORT: ["support"]}, "permissions[SUPPORT][0]"),
        ],
    )
    def test_roles_and_permissions_are_members(self, permissions: Any, field: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            AuthorizationPolicy(permissions=permissions)
        assert caught.value.field == field
