"""The people of the training system: their profiles, roles, and how e-mail addresses compare."""

from re import fullmatch

import attrs
from attrs import field, validators

from course_assignments import validation
from course_assignments.entities.enums import Role
from course_assignments.errors import InvalidInput
from course_assignments.validation import derived_id, fold_text

#: The longest address that mail systems carry (RFC 5321, section 4.5.3.1.3, less its brackets).
EMAIL_LENGTH = 254


#: The domain of users who were forgotten; no mail is ever sent there (RFC 2606).
_ANONYMOUS = "anonymous.invalid"


def fold_email(email: str) -> str:
    """Return the form in which two e-mail addresses are the same: NFC, then without case.

    Raises:
        InvalidInput: *email* is no text.

    Example:
        >>> fold_email("Ada@Example.ORG") == fold_email("ada@example.org")
        True
    """
    if not isinstance(email, str):
        raise InvalidInput("not_a_text", "email", "expected an address such as ada@example.org")
    return fold_text(email)


def _email(_: object, at: "attrs.Attribute[str]", value: object) -> None:
    text = validation.check_text(value, at.name, EMAIL_LENGTH)
    if not fullmatch(r"[^@\s]+@[^@\s]+", text):
        raise InvalidInput("invalid_email", at.name, "expected an address such as ada@example.org")


def anonymous_email(user_id: str) -> str:
    """Return the address that stands for a user who was forgotten; nobody else can have it.

    Example:
        >>> anonymous_email("ada").endswith("@anonymous.invalid")
        True
    """
    return f"{derived_id('anonymous', user_id)}@{_ANONYMOUS}"


@attrs.frozen(kw_only=True)
class User:
    """A person's profile; a *learner* is a user seen from an assignment.

    Attributes:
        email: Unique over all users, compared by `fold_email`.
        organization_id: The organization they learn for, or ``None``.
        roles: What they are entrusted with (rule 21).
        managed_organization_ids: The organizations, matched exactly, that they act for (rule 21).

    Example:
        >>> User(id="ada", name="Ada", email="ada@example.org").roles
        frozenset()
    """

    id: str = field(validator=validation.identifier)
    name: str = field(validator=validation.name)
    email: str = field(validator=_email)
    organization_id: str | None = field(
        default=None, validator=validators.optional(validation.identifier)
    )
    roles: frozenset[Role] = field(
        default=frozenset[Role](),
        converter=validation.tidy_set,
        validator=validation.each_of(frozenset, Role),
    )
    managed_organization_ids: frozenset[str] = field(
        default=frozenset[str](), converter=validation.tidy_set, validator=validation.identifiers
    )

    def __attrs_post_init__(self) -> None:
        reserved = self.folded_email.endswith(f"@{_ANONYMOUS}")
        if reserved and self.email != anonymous_email(self.id):
            hint = f"addresses at {_ANONYMOUS} are for users who were forgotten"
            raise InvalidInput("invalid_email", "email", hint)

    @property
    def folded_email(self) -> str:
        """The form in which the e-mail address is unique."""
        return fold_email(self.email)
