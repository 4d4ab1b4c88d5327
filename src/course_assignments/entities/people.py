"""Users with their roles, and the comparison of e-mail addresses."""

import re

from attrs import field, frozen

from course_assignments import validation
from course_assignments.entities.enums import Role
from course_assignments.errors import InvalidInput
from course_assignments.validation import items_of, to_set

#: The longest e-mail address (RFC 5321, section 4.5.3.1.3, without the brackets).
EMAIL_LENGTH = 254

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_HINT = "expected an address such as ada@example.org"

#: The domain of anonymized users; no mail is ever delivered there (RFC 2606).
_ANONYMOUS = "anonymous.invalid"


def fold_email(email: str) -> str:
    """Return *email* in the form in which addresses are compared: NFC, without case.

    >>> fold_email("Ada@Example.ORG") == fold_email("ada@example.org")
    True
    """
    if not isinstance(email, str):
        raise InvalidInput("not_a_text", "email", _HINT)
    return validation.fold_text(email)


def _email(_: object, at: validation.Field, value: object) -> None:
    if not _ADDRESS.fullmatch(validation.check_text(value, at.name, EMAIL_LENGTH)):
        raise InvalidInput("invalid_email", at.name, _HINT)


def anonymous_email(user_id: str) -> str:
    """Return the address of an anonymized user; nobody else can have it."""
    return f"{validation.digest('anonymous', user_id)}@{_ANONYMOUS}"


@frozen(kw_only=True)
class User:
    """A person, called learner where they hold an assignment.

    Attributes:
        email: Unique over all users, compared by `fold_email`.
        roles: What the user may do for others (rule 21).
        managed_organization_ids: The organizations that the user acts for, not their children.

    >>> User(id="ada", name="Ada", email="ada@example.org").roles
    frozenset()
    """

    id: str = field(validator=validation.identifier)
    name: str = field(validator=validation.name)
    email: str = field(validator=_email)
    organization_id: str | None = field(default=None, validator=validation.identifier_or_none)
    roles: frozenset[Role] = field(
        default=frozenset[Role](), converter=to_set, validator=items_of(Role)
    )
    managed_organization_ids: frozenset[str] = field(
        default=frozenset[str](), converter=to_set, validator=validation.identifiers
    )

    def __attrs_post_init__(self) -> None:
        reserved = self.folded_email.endswith(f"@{_ANONYMOUS}")
        if reserved and self.email != anonymous_email(self.id):
            hint = f"addresses at {_ANONYMOUS} are reserved for anonymized users"
            raise InvalidInput("invalid_email", "email", hint)

    @property
    def folded_email(self) -> str:
        """The e-mail address in the form in which it is unique."""
        return validation.fold_text(self.email)
