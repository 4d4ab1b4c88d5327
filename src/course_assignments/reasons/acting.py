"""Why someone may not act. Rules 4 and 21."""

from typing import ClassVar

import attrs
from attrs import field, validators

from course_assignments import validation
from course_assignments.entities.enums import Role


@attrs.frozen
class RoleMissing:
    """The one who acts has none of the roles that this takes (rule 21).

    Example:
        >>> print(RoleMissing((Role.OPERATIONS_MANAGER,)))
        This takes the role of operations manager; ask someone who has it.
    """

    code: ClassVar = "role_missing"
    any_of: tuple[Role, ...] = field(
        converter=validation.tidy_tuple, validator=validation.each_of(tuple, Role)
    )

    def __str__(self) -> str:
        names = ", ".join(role.value.replace("_", " ") for role in self.any_of)
        match len(self.any_of):
            case 0:
                return "No role allows this here; ask whoever set the rules of this system."
            case 1:
                return f"This takes the role of {names}; ask someone who has it."
            case _:
                return f"This takes one of the roles {names}; ask someone who has one."


@attrs.frozen
class SupportRoleMissing:
    """The one who acts is not support (rule 4).

    Example:
        >>> print(SupportRoleMissing())
        Only support can cancel after the window; ask support.
    """

    code: ClassVar = "support_role_missing"

    def __str__(self) -> str:
        return "Only support can cancel after the window; ask support."


@attrs.frozen
class OrganizationNotManaged:
    """The one who acts does not manage the organization that this is about (rule 21).

    Example:
        >>> print(OrganizationNotManaged("acme"))
        You do not manage organization 'acme'; ask someone who does.
    """

    code: ClassVar = "organization_not_managed"
    organization_id: str | None = field(validator=validators.optional(validation.identifier))

    def __str__(self) -> str:
        if self.organization_id is None:
            return "The learner has no organization, so nobody manages them; give them one first."
        return f"You do not manage organization {self.organization_id!r}; ask someone who does."
