"""May this person act for this organization? Rules 4 and 21."""

from datetime import datetime
from typing import Final, Protocol

from attrs import field, frozen

from course_assignments import reasons, validation
from course_assignments.decisions import Decision
from course_assignments.entities.enums import Permission, Role
from course_assignments.entities.people import User
from course_assignments.time.datetimes import as_utc
from course_assignments.validation import items_of, to_tuple

#: "creating assignments takes one of the roles Company Training Manager, Enrollment Manager,
#: Operations Manager, Sales Manager" (rule 21).
ASSIGNING_ROLES: Final = (
    Role.COMPANY_TRAINING_MANAGER,
    Role.ENROLLMENT_MANAGER,
    Role.OPERATIONS_MANAGER,
    Role.SALES_MANAGER,
)

#: "keys take Operations Manager" (rule 21).
KEY_ROLES: Final = (Role.OPERATIONS_MANAGER,)

#: "after 24 h and no labs launched, ask support" (rule 4).
SUPPORT_ROLES: Final = (Role.SUPPORT,)


class AuthorizationRule(Protocol):
    """Protocol for a custom `AuthorizationPolicy`."""

    def evaluate(
        self, actor: User, /, *, permission: Permission, organization_id: str | None, at: datetime
    ) -> Decision: ...


_roles = items_of(Role)


@frozen
class AuthorizationPolicy:
    """Require a role, and that the actor manages the organization (rule 21).

    Support acts for every organization (rule 4). Without an actor, the policy is not called.

    Attributes:
        assigning: Who may assign, subscribe, cancel, reschedule and complete.
        keys: Who may create, edit and revoke keys.
        support: Who may cancel after the cancellation window.

    >>> AuthorizationPolicy().keys
    (<Role.OPERATIONS_MANAGER: 'operations_manager'>,)
    """

    assigning: tuple[Role, ...] = field(
        default=ASSIGNING_ROLES, converter=to_tuple, validator=_roles
    )
    keys: tuple[Role, ...] = field(default=KEY_ROLES, converter=to_tuple, validator=_roles)
    support: tuple[Role, ...] = field(default=SUPPORT_ROLES, converter=to_tuple, validator=_roles)

    def evaluate(
        self, actor: User, *, permission: Permission, organization_id: str | None, at: datetime
    ) -> Decision:
        """Decide whether *actor* has *permission* for the organization of the learner or batch."""
        as_utc(at)
        validation.check_kind(actor, "actor", User)
        validation.check_kind(permission, "permission", Permission)
        if organization_id is not None:
            validation.check_id(organization_id, "organization_id")
        if permission is Permission.SUPPORT:
            allowed = actor.roles & set(self.support)
            return Decision([] if allowed else [reasons.SupportRoleMissing()])
        roles = self.keys if permission is Permission.MANAGE_KEYS else self.assigning
        found: list[reasons.Reason] = []
        if not actor.roles & set(roles):
            found.append(reasons.RoleMissing(roles))
        if organization_id not in actor.managed_organization_ids:
            found.append(reasons.OrganizationNotManaged(organization_id))
        return Decision(found)
