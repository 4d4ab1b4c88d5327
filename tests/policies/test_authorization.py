"""Rules 4 and 21: who may act, and for whom."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations, product
from typing import Any

import attrs
import pytest

from course_assignments import AuthorizationPolicy, Decision, Permission, Role, User
from course_assignments.reasons import OrganizationNotManaged, RoleMissing, SupportRoleMissing
from tests.support.world import MANAGER

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
POLICY = AuthorizationPolicy()

#: The roles of rule 21 and rule 4, in the order in which the rules name them.
CREATING = (
    Role.COMPANY_TRAINING_MANAGER,
    Role.ENROLLMENT_MANAGER,
    Role.OPERATIONS_MANAGER,
    Role.SALES_MANAGER,
)
MAY = {
    Permission.ASSIGN_COURSES: CREATING,
    Permission.MANAGE_KEYS: (Role.OPERATIONS_MANAGER,),
    Permission.SUPPORT: (Role.SUPPORT,),
}
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
    if permission is Permission.SUPPORT:
        return () if has_role else (SupportRoleMissing(),)
    manages = organization_id is not None and organization_id in list(
        actor.managed_organization_ids
    )
    against = (
        (RoleMissing(MAY[permission]), not has_role),
        (OrganizationNotManaged(organization_id), not manages),
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
        both = {(permission, number) for permission in list(MAY)[:2] for number in (0, 1, 2)}
        assert seen == both | {(Permission.SUPPORT, 0), (Permission.SUPPORT, 1)}

    @pytest.mark.parametrize("managed", ["ACME", "acme ", "acme-child", "parent-of-acme", None])
    def test_only_exactly_the_managed_organizations_count(self, managed: str | None) -> None:
        # The actor's own organization is not thereby a managed one.
        ids = {managed} - {None}
        actor = attrs.evolve(MANAGER, managed_organization_ids=ids, organization_id="acme")
        decision = POLICY.evaluate(
            actor, permission=Permission.ASSIGN_COURSES, organization_id="acme", at=AT
        )
        assert decision == Decision([OrganizationNotManaged("acme")])


class TestSupport:
    """A support override needs the SUPPORT role when an actor is given (rule 4)."""

    @pytest.mark.parametrize("organization_id", ["acme", "gamma", None])
    def test_support_acts_for_everyone(self, organization_id: str | None) -> None:
        support = attrs.evolve(MANAGER, roles={Role.SUPPORT}, managed_organization_ids=())
        decision = POLICY.evaluate(
            support, permission=Permission.SUPPORT, organization_id=organization_id, at=AT
        )
        assert decision == Decision()

    def test_all_other_roles_together_are_not_support(self) -> None:
        decision = POLICY.evaluate(
            attrs.evolve(MANAGER, roles=CREATING),
            permission=Permission.SUPPORT,
            organization_id="acme",
            at=AT,
        )
        assert decision == Decision([SupportRoleMissing()])


class TestSettings:
    @pytest.mark.parametrize(
        ("name", "permission"), list(zip(["assigning", "keys", "support"], MAY, strict=True))
    )
    def test_are_the_documented_or_the_given_roles(self, name: str, permission: Permission) -> None:
        assert getattr(POLICY, name) == MAY[permission]
        settings: dict[str, Any] = {name: [Role.SALES_MANAGER]}
        policy = AuthorizationPolicy(**settings)
        for role in Role:
            actor = attrs.evolve(MANAGER, roles={role})
            decision = policy.evaluate(actor, permission=permission, organization_id="acme", at=AT)
            assert decision.allowed is (role is Role.SALES_MANAGER)
