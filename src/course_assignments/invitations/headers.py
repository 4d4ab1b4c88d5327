"""Values of mail headers, safe against injection.

A value is either plain words, whose characters have no meaning in a header, or encoded words (RFC
2047). So nothing needs quotes, which a long name can lose when the standard library folds a header.
"""

from email.header import Header
from re import ASCII, fullmatch, sub

from course_assignments.entities.people import check_email

#: The longest line of a header that is not a single address (RFC 5322, section 2.1.1).
LINE_LENGTH = 78

#: The longest plain value, so that it fits into one line after the name of the header.
_PLAIN_LENGTH = 60

# The characters of an atom (RFC 5322, section 3.2.3), except the two that begin an encoded word.
_PLAIN = r"[\w!#$%&'*+/^`{|}~-]+( [\w!#$%&'*+/^`{|}~-]+)*"

# The specials of RFC 5322, section 3.2.3, and what begins an encoded word.
_SPECIAL = r'[][()<>:;@\\,."]|=(?=\?)'


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

    Characters of *name* that have a meaning in an address become spaces, even though the name is
    encoded. Applications may write the message with another policy, which folds the header again,
    and then the standard library decodes the name: a comma in it would begin another recipient.
    """
    line = f"<{check_email(address, field)}>"
    shown = "" if name is None else sub(_SPECIAL, " ", name).strip()
    return f"{as_header(shown, header)}\n {line}" if shown else line
