"""Text that people type or paste: what cannot be seen in it, and the forms to compare it in.

The characters are listed here and not taken from the standard library, so that a string means the
same in every version of Python.
"""

import re
from typing import Final
from unicodedata import name, normalize

from course_assignments.errors import InvalidInput, invalid, is_a, plain

#: The longest string that is folded: composing can take time in proportion to the square of it.
MAX_FOLDED: Final = 10_000

# The characters that show nothing by themselves: the category Cf, the property
# Default_Ignorable_Code_Point, the fillers and the blank of Braille.
_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U00016fe4\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# The property Dash, and what is typed for a dash: other minus signs, a bullet, and the long vowel
# mark, which is on that key of Japanese keyboards.
_DASHES: Final = (
    "\u02d7\u058a\u05be\u1400\u1806\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2053\u207b\u208b"
    "\u2212\u2796\u2e17\u2e1a\u2e3a\u2e3b\u2e40\u2e5d\u301c\u3030\u30a0\u30fc\ufe31\ufe32\ufe58"
    "\ufe63\uff0d\uff70\U00010d6e\U00010ead"
)

_FULL_WIDTH: Final = {0xFEE0 + point: point for point in range(ord("!"), ord("~") + 1)}
_TO_ASCII: Final = _FULL_WIDTH | dict.fromkeys(map(ord, _DASHES), ord("-"))


def _as_string(value: object, field: str = "text") -> str:
    if not is_a(value, str):
        raise invalid("not_a_text", field, "expected a string", value)
    return str(plain(value))


def _check_length(text: str, field: str) -> None:
    if len(text) > MAX_FOLDED:
        hint = f"expected at most {MAX_FOLDED} characters, got {len(text)}"
        raise InvalidInput("too_long", field, hint)


def describe(char: str) -> str:
    r"""Return the name and the number of *char*, for messages.

    >>> describe(";"), describe("\x07")
    ('SEMICOLON (U+003B)', 'U+0007')
    """
    number, named = f"U+{ord(char):04X}", name(char, "")
    return f"{named} ({number})" if named else number


def find_unseen(text: str) -> str | None:
    """Return the first character of *text* that cannot be seen, or ``None``."""
    found = None if text.isascii() else _UNSEEN.search(text)
    return None if found is None else found[0]


def drop_unseen(text: str) -> str:
    r"""Return *text* without the characters that cannot be seen.

    >>> drop_unseen("zero\u200bwidth")
    'zerowidth'
    """
    given = _as_string(text)
    return given if given.isascii() else _UNSEEN.sub("", given)


def clean(typed: str, field: str = "code") -> str:
    r"""Return a *typed* code as it was meant.

    Characters that cannot be seen and outer white space are dropped, dashes of any kind become
    ``-``, and full-width characters become ASCII.

    Raises:
        InvalidInput: *typed*, which the error calls *field*, is longer than 10,000 characters.

    >>> clean(" Spring\u200b\u20132026 ")
    'Spring-2026'
    """
    text = _as_string(typed, field)
    _check_length(text, field)
    return (text if text.isascii() else drop_unseen(text).translate(_TO_ASCII)).strip()


def fold_text(text: str, field: str = "text") -> str:
    r"""Return the form in which names and e-mail addresses are compared and searched.

    Characters that cannot be seen are dropped and white space is one space, none at the ends; then
    the text is composed (NFC) and loses its case. Folding a folded string changes nothing.

    Raises:
        InvalidInput: *text*, which the error calls *field*, is longer than 10,000 characters.

    >>> fold_text(" Ada\u00a0 LOVELACE ")
    'ada lovelace'
    >>> fold_text("STRASSE") == fold_text("Stra\N{LATIN SMALL LETTER SHARP S}e")
    True
    """
    text = _as_string(text, field)
    _check_length(text, field)
    seen = " ".join(drop_unseen(text).split())
    return seen.lower() if seen.isascii() else normalize("NFC", normalize("NFC", seen).casefold())
