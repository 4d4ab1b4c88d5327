"""Strings and addresses as the values of mail headers, so that nothing else gets into a header.

A value is either plain words, whose characters mean nothing in a header, or encoded words (RFC
2047), which contain no others: nothing needs escaping. The headers that the standard library folds
lose the quotes around a long name, and a part of the name can become an address; hence this module.
"""

from email.header import Header
from re import ASCII, fullmatch
from unicodedata import normalize

from course_assignments import validation
from course_assignments.entities.people import EMAIL_LENGTH
from course_assignments.errors import InvalidInput

#: The longest line of a header that is not a single address (RFC 5322, section 2.1.1).
LINE_LENGTH = 78

#: The longest plain value: it fits into the first line after the name of any header used here.
_PLAIN_LENGTH = 60

# The characters of an atom (RFC 5322, section 3.2.3), except the two that begin an encoded word.
_PLAIN = r"[\w!#$%&'*+/^`{|}~-]+( [\w!#$%&'*+/^`{|}~-]+)*"

# A dot-atom on both sides, with everything that is not ASCII (RFC 6532, section 3.2). The quoted
# and the bracketed forms are left out: no mail service gives them to people.
_ATOM = r"[\w!#$%&'*+/=?^`{|}~\u0080-\U0010ffff-]+"
_LABEL = r"[\w\u0080-\U0010ffff-]+"
_ADDRESS = rf"{_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})*"


def as_header(text: str, header: str) -> str:
    """Return *text* as the value of the header named *header*, folded where it is long.

    Each run of white space becomes one space.

    Example:
        >>> as_header("Your key", "Subject"), as_header("Key: Python", "Subject")
        ('Your key', '=?utf-8?q?Key=3A_Python?=')
    """
    line = " ".join(text.split())
    if len(line) <= _PLAIN_LENGTH and fullmatch(_PLAIN, line, ASCII):
        return line
    return Header(line, "utf-8", maxlinelen=LINE_LENGTH - 2, header_name=header).encode()


def as_mailbox(name: str | None, address: str, header: str, field: str) -> str:
    r"""Return the one mailbox of the header named *header*; *field* is what an error names.

    The address has a line of its own and is never changed. An address that is not ASCII is
    accepted; the caller must send the message as RFC 6531 says.

    Raises:
        InvalidInput: *address* is not an address, or only a quoted form could carry it.

    Example:
        >>> as_mailbox("Ada, of Acme", "ada@example.org", "To", "email")
        '=?utf-8?q?Ada=2C_of_Acme?=\n <ada@example.org>'
    """
    validation.check_text(address, field, EMAIL_LENGTH)
    # In its compatibility form as well: a mail service may read a full-width comma as a comma.
    forms = address, normalize("NFKC", address)
    spaced = any(char.isspace() for char in address)
    if spaced or "=?" in address or not all(fullmatch(_ADDRESS, form) for form in forms):
        hint = "expected an address such as ada@example.org, without quotes and brackets"
        raise InvalidInput("invalid_email", field, hint)
    return f"<{address}>" if name is None else f"{as_header(name, header)}\n <{address}>"
