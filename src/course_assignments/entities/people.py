"""Users with their roles, and the comparison of e-mail addresses."""

import re
from typing import Any, Final
from unicodedata import category, normalize

from attrs import field

from course_assignments import validation
from course_assignments.entities.enums import Role
from course_assignments.errors import InvalidInput, invalid, received
from course_assignments.frozen import frozen
from course_assignments.text import describe, fold_text
from course_assignments.validation import items_of, to_set, to_string_set

#: The longest e-mail address (RFC 5321, section 4.5.3.1.3, without the brackets).
EMAIL_LENGTH = 254
#: The longest part before the @, in octets (RFC 5321, section 4.5.3.1.1).
LOCAL_LENGTH = 64
#: The longest label of a domain and the longest domain, in ASCII (RFC 1035, section 2.3.4).
LABEL_LENGTH, DOMAIN_LENGTH = 63, 253

_HINT = "expected the address alone, such as ada@example.org"

# A dot-atom on both sides (RFC 5322, section 3.2.3). Quoted and bracketed forms are excluded: no
# mail service gives them to people. So is "=?", which begins an encoded word.
_ATOM = r"(?:[\w!#$%&'*+/?^`{|}~-]|=(?!\?))+"
_LABEL = r"[\w-]+"
_ADDRESS: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_BEGINNING: Final = re.compile(
    rf"\A(?:{_ATOM}(?:\.{_ATOM})*(?:@(?:{_LABEL}(?:\.{_LABEL})*)?)?)?", re.ASCII
)
# Punctuation that some languages write inside a word, as in the Catalan "col·lega": what the
# exceptions and the contextual rules of RFC 5892 permit in a domain.
_INSIDE_A_WORD: Final = re.compile(
    r"(?<=\w)[\u00b7\u0375\u05f3\u05f4\u06fd\u06fe\u0f0b\u30fb](?=\w)", re.ASCII
)

#: The domain of anonymized users; no mail is ever delivered there (RFC 2606).
_ANONYMOUS = "anonymous.invalid"


def fold_email(email: str) -> str:
    """Return *email* in the form in which addresses are compared: `fold_text`.

    >>> fold_email("Ada@Example.ORG ") == fold_email("ada@example.org")
    True
    """
    return fold_text(email, "email")


def check_email(value: Any, field: str) -> str:
    """Raise InvalidInput unless *value* is an e-mail address that `invitation` can send to.

    >>> check_email("ada@example.org", "email")
    'ada@example.org'
    """
    short = type(value) is str and len(value) <= LOCAL_LENGTH
    if short and value.isascii() and _ADDRESS.fullmatch(value):  # nearly every address
        return str(value)
    address = validation.check_text(value, field, EMAIL_LENGTH)
    validation.check_seen(address, field)
    # Also check the compatibility form: a mail service may read a parenthesized digit as three
    # characters.
    for form in (address,) if address.isascii() else (address, normalize("NFKC", address)):
        written = _with_ascii_words(form)
        if _ADDRESS.fullmatch(written):
            continue
        rest = _BEGINNING.sub("", written, count=1)
        hint = f"{_HINT}, {received(address)}"
        if rest:
            wrong = form[-len(rest)]
            typed = (char for char in address if wrong in normalize("NFKC", char))
            hint = f"{hint}; remove {describe(next(typed, wrong))}"
        raise InvalidInput("invalid_email", field, hint)
    _check_lengths(address, field)
    return address


def _with_ascii_words(text: str) -> str:
    """Return *text* with an ``a`` for each alphabetic character, mark or digit beyond ASCII.

    RFC 5892 permits the same in a domain; so curly quotes, bullets and other stops are refused.
    """
    written = "".join(
        "a" if not char.isascii() and category(char)[0] in "LMN" else char for char in text
    )
    return _INSIDE_A_WORD.sub("a", written)


def _check_lengths(address: str, field: str) -> None:
    local, _, domain = address.partition("@")
    labels = [*map(_ascii_label, domain.split("."))]
    for length, most, what in (
        (len(local.encode()), LOCAL_LENGTH, "octets before the @"),
        (max(map(len, labels)), LABEL_LENGTH, "ASCII characters between two dots of the domain"),
        (len(".".join(labels)), DOMAIN_LENGTH, "ASCII characters in the domain"),
    ):
        if length > most:
            raise InvalidInput("too_long", field, f"expected at most {most} {what}, got {length}")


def _ascii_label(label: str) -> str:
    """Return *label* as it stands in the domain name system (RFC 5890, section 2.3.2.1)."""
    folded = normalize("NFKC", label).lower()
    if folded.isascii() or len(folded) > LABEL_LENGTH:  # encoding takes the square of the length
        return folded
    return "xn--" + folded.encode("punycode").decode()


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
    email: str = field(validator=validation.accepted_by(check_email))
    organization_id: str | None = field(default=None, validator=validation.identifier_or_none)
    roles: frozenset[Role] = field(
        default=frozenset[Role](), converter=to_set[Role], validator=items_of(Role)
    )
    managed_organization_ids: frozenset[str] = field(
        default=frozenset[str](), converter=to_string_set, validator=validation.identifiers
    )

    def __attrs_post_init__(self) -> None:
        reserved = self.folded_email.endswith(f"@{_ANONYMOUS}")
        if reserved and self.email != anonymous_email(self.id):
            expected = f"expected no address at {_ANONYMOUS}, which is for anonymized users"
            raise invalid("invalid_email", "email", expected, self.email)

    @property
    def folded_email(self) -> str:
        """The e-mail address in the form in which it is unique."""
        return fold_text(self.email)
