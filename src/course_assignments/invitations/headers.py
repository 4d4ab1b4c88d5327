"""Values of mail headers, safe against injection.

A value is either plain words, whose characters have no meaning in a header, or encoded words (RFC
2047). So nothing needs quotes, which a long name can lose when the standard library folds a header.
"""

from email.header import Header
from re import ASCII, fullmatch
from unicodedata import normalize

from course_assignments import validation
from course_assignments.entities.people import EMAIL_LENGTH
from course_assignments.errors import InvalidInput

#: The longest line of a header that is not a single address (RFC 5322, section 2.1.1).
LINE_LENGTH = 78

#: The longest plain value, so that it fits into one line after the name of the header.
_PLAIN_LENGTH = 60

# The characters of an atom (RFC 5322, section 3.2.3), except the two that begin an encoded word.
_PLAIN = r"[\w!#$%&'*+/^`{|}~-]+( [\w!#$%&'*+/^`{|}~-]+)*"

# A dot-atom on both sides, including characters that are not ASCII (RFC 6532, section 3.2). Quoted
# and bracketed forms are excluded: no mail service gives them to people.
_ATOM = r"[\w!#$%&'*+/=?^`{|}~\u0080-\U0010ffff-]+"
_LABEL = r"[\w\u0080-\U0010ffff-]+"
_ADDRESS = rf"{_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})*"


def as_header(text: str, header: str) -> str:
    """Return *text* with single spaces as the value of the header named *header*, folded."""
    line = " ".join(text.split())
    if len(line) <= _PLAIN_LENGTH and fullmatch(_PLAIN, line, ASCII):
        return line
    return Header(line, "utf-8", maxlinelen=LINE_LENGTH - 2, header_name=header).encode()


def as_mailbox(name: str | None, address: str, header: str, field: str) -> str:
    """Return a mailbox for the header named *header*; an error names *field*.

    The address is on a separate line and is never changed. It need not be ASCII; then the caller
    must send the message according to RFC 6531.
    """
    validation.check_text(address, field, EMAIL_LENGTH)
    # Also check the compatibility form: a mail service may read a full-width comma as a comma.
    forms = address, normalize("NFKC", address)
    spaced = any(char.isspace() for char in address)
    if spaced or "=?" in address or not all(fullmatch(_ADDRESS, form) for form in forms):
        hint = "expected an address such as ada@example.org, without quotes and brackets"
        raise InvalidInput("invalid_email", field, hint)
    return f"<{address}>" if name is None else f"{as_header(name, header)}\n <{address}>"
