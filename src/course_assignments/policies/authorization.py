"""May this person act for this organization? Rules 4 and 21."""

from datetime import datetime

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.decisions import Decision
from course_assignments.entities.enums import Permission, Role
from course_assignments.entities.people import User
from course_assignments.policies import defaults
from course_assignments.reasons import (
    OrganizationNotManaged,
    Reason,
    RoleMissing,
    SupportRoleMissing,
)
from course_assignments.time.datetimes import as_utc


@attrs.frozen
class AuthorizationPolicy:
    """Act with one of the right roles, for an organization one manages (rule 21).

    Support acts for everyone (rule 4). It is asked only when the caller names an actor.

    Attributes:
        assigning: Who may assign, subscribe, cancel, reschedule and complete.
        keys: Who may make, edit and revoke keys.
        support: Who may cancel after the window.

    Example:
        >>> from datetime import UTC
        >>> ada = User(id="ada", name="Ada", email="ada@example.org", roles={Role.SALES_MANAGER})
        >>> decision = AuthorizationPolicy().evaluate(
        ...     ada, permission=Permission.ASSIGN_COURSES, organization_id="acme",
        ...     at=datetime(2026, 1, 5, tzinfo=UTC),
        ... )
        >>> print(decision)
        You do not manage organization 'acme'; ask someone who does.
    """

    assigning: tuple[Role, ...] = field(
        default=defaults.ASSIGNING_ROLES,
        converter=validation.tidy_tuple,
        validator=validation.each_of(tuple, Role),
    )
    keys: tuple[Role, ...] = field(
        default=defaults.KEY_ROLES,
        converter=validation.tidy_tuple,
        validator=validation.each_of(tuple, Role),
    )
    support: tuple[Role, ...] = field(
        default=defaults.SUPPORT_ROLES,
        converter=validation.tidy_tuple,
        validator=validation.each_of(tuple, Role),
    )

    def evaluate(
        self, actor: User, *, permission: Permission, organization_id: str | None, at: datetime
    ) -> Decision:
        """Return whether *actor* may do this for the organization, at whatever instant.

        Args:
            actor: Who acts.
            permission: What for.
            organization_id: The learner's organization, or the batch's when it is about keys.
            at: The aware instant asked about.

        Raises:
            InvalidInput: an argument is of the wrong kind, or *at* is naive.
        """
        as_utc(at)
        validation.check_kind(actor, "actor", User)
        validation.check_kind(permission, "permission", Permission)
        if organization_id is not None:
            validation.check_id(organization_id, "organization_id")
        if permission is Permission.SUPPORT:
            return Decision(
                () if actor.roles.intersection(self.support) else (SupportRoleMissing(),)
            )
        roles = self.keys if permission is Permission.MANAGE_KEYS else self.assigning
        reasons: list[Reason] = []
        if not actor.roles.intersection(roles):
            reasons.append(RoleMissing(roles))
        if organization_id not in actor.managed_organization_ids:
            reasons.append(OrganizationNotManaged(organization_id))
        return Decision(tuple(reasons))
