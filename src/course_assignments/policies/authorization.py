"""May this person act for this organization? Rules 4 and 21."""

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias, cast

from attrs import field

from course_assignments import reasons, validation
from course_assignments.decisions import Decision
from course_assignments.entities.enums import Permission, Role
from course_assignments.entities.people import User
from course_assignments.errors import invalid
from course_assignments.frozen import frozen
from course_assignments.time.datetimes import as_utc

#: "creating, cancelling, rescheduling, completing and subscribing take one of Company Training
#: Manager, Enrollment Manager, Operations Manager, Sales Manager"; "add, update, anonymize take the
#: creating roles for users" (rule 21).
_CREATING: Final = frozenset({Permission.ASSIGN_COURSES, Permission.MANAGE_USERS})

#: "keys take Operations Manager"; "Operations Manager for courses and organizations" (rule 21).
_OPERATING: Final = frozenset(
    {Permission.MANAGE_KEYS, Permission.MANAGE_COURSES, Permission.MANAGE_ORGANIZATIONS}
)

#: What each role may do.
PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.COMPANY_TRAINING_MANAGER: _CREATING,
        Role.ENROLLMENT_MANAGER: _CREATING,
        Role.OPERATIONS_MANAGER: _CREATING | _OPERATING,
        Role.SALES_MANAGER: _CREATING,
        # "after 24 h and no labs launched, ask support" (rule 4)
        Role.SUPPORT: frozenset({Permission.SUPPORT}),
    }
)

#: What is done to a learner or a user, whom nobody manages without an organization.
_FOR_PEOPLE: Final = frozenset(
    {Permission.ASSIGN_COURSES, Permission.MANAGE_USERS, Permission.SUPPORT}
)


class AuthorizationRule(Protocol):
    """Protocol for a custom `AuthorizationPolicy`."""

    def evaluate(
        self,
        actor: User,
        /,
        *,
        permission: Permission,
        organization_id: str | None,
        at: datetime,
        profile: User | None = None,
    ) -> Decision: ...


#: What each role may do, as pairs that nobody can change.
Permissions: TypeAlias = tuple[tuple[Role, frozenset[Permission]], ...]


def _to_permissions(given: Mapping[Role, Collection[Permission]] | Permissions) -> Permissions:
    validation.check_kind(given, "permissions", Mapping, tuple)
    try:
        found = dict(given)
    except Exception as error:  # the caller's mapping may raise anything
        hint = "expected a mapping from roles to permissions"
        raise invalid("wrong_type", "permissions", hint, given) from error
    validation.check_each(found, "permissions", Role)
    return tuple(
        (
            role,
            frozenset(validation.check_each(found[role], f"permissions[{role.name}]", Permission)),
        )
        for role in Role
        if role in found
    )


def _repr_permissions(permissions: Permissions) -> str:
    """Return the repr as a mapping, in the order of the enums: that of sets is not stable."""
    return repr(
        {str(role): [str(one) for one in Permission if one in of] for role, of in permissions}
    )


@frozen
class AuthorizationPolicy:
    """Require a role, and that the actor manages the organization (rules 4 and 21).

    Without an actor, the policy is not called.

    Attributes:
        permissions: What each role may do; pass a mapping.

    >>> AuthorizationPolicy().roles(Permission.MANAGE_KEYS)
    (<Role.OPERATIONS_MANAGER: 'operations_manager'>,)
    """

    permissions: Permissions = field(
        default=cast("Permissions", PERMISSIONS), converter=_to_permissions, repr=_repr_permissions
    )

    def roles(self, permission: Permission) -> tuple[Role, ...]:
        """Return the roles that have *permission*."""
        validation.check_kind(permission, "permission", Permission)
        return tuple(role for role, granted in self.permissions if permission in granted)

    def evaluate(
        self,
        actor: User,
        *,
        permission: Permission,
        organization_id: str | None,
        at: datetime,
        profile: User | None = None,
    ) -> Decision:
        """Decide whether *actor* has *permission* for an organization.

        *organization_id* is the organization of the learner, the user or the batch, if any. The
        actor must also have all rights of *profile*, the user to add, change or anonymize.
        """
        as_utc(at)
        validation.check_kind(actor, "actor", User)
        roles = self.roles(permission)
        if organization_id is not None:
            organization_id = validation.check_id(organization_id, "organization_id")
        if profile is not None:
            validation.check_kind(profile, "profile", User)
        found: list[reasons.Reason] = []
        if not actor.roles.intersection(roles):
            is_support = permission is Permission.SUPPORT
            found.append(reasons.SupportRoleMissing() if is_support else reasons.RoleMissing(roles))
        managed = [organization_id] if organization_id or permission in _FOR_PEOPLE else []
        if profile is not None:
            # "nobody gives a role they do not hold or an organization they do not manage"
            not_held = tuple(one for one in Role if one in profile.roles - actor.roles)
            if not_held:
                found.append(reasons.RoleNotHeld(not_held))
            managed += sorted(profile.managed_organization_ids - {organization_id})
        found += (
            reasons.OrganizationNotManaged(one)
            for one in managed
            if one not in actor.managed_organization_ids
        )
        return Decision(found)
