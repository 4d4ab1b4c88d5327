"""Codes of training keys: generate, read, check and mask them (rule 12).

A generated code has 16 random symbols of Crockford's base 32 (80 bits) and one check symbol. The
random source is an argument.
"""

import re
from collections.abc import Callable, Iterable
from unicodedata import category

from course_assignments.errors import InvalidInput, name_lines
from course_assignments.validation import check_count, check_list

#: Crockford's base 32: no I, L, O or U. The position of a symbol is its value, 0 to 31.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

#: The random symbols of a generated code; the check symbol follows them.
RANDOM_SYMBOLS = 16
GENERATED_LENGTH = RANDOM_SYMBOLS + 1

#: The length of a custom code.
MIN_CODE_LENGTH, MAX_CODE_LENGTH = 8, 64

#: How many keys one call may create.
MAX_KEYS_PER_CALL = 100_000

#: How often the random source is called again if codes are not new.
MAX_ATTEMPTS = 16

_GENERATED = re.compile(f"[{ALPHABET}]{{{GENERATED_LENGTH}}}")
_VALUES = {symbol: value for value, symbol in enumerate(ALPHABET)}

# x times each element of GF(32), modulo the primitive polynomial x^5 + x^2 + 1.
_TIMES_X = [(value << 1) ^ (0b100101 if value & 0b10000 else 0) for value in range(32)]

# Only ASCII changes: str.upper would turn a long s or a ligature into a symbol.
_FOLDED = str.maketrans("abcdefghijklmnopqrstuvwxyzILO", "ABCDEFGH1JK1MN0PQRSTUVWXYZ110", "-")

# White space up to U+3000 and the byte order mark, removed in one pass.
_MARGIN = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\ufeff"

#: Returns that many random bytes, as ``secrets.token_bytes`` does.
RandomBytes = Callable[[int], bytes]


def _check_string(code: object) -> None:
    if not isinstance(code, str):
        raise InvalidInput("not_a_text", "code", "expected the code of a key as a string")


def check_symbol(symbols: str) -> str:
    """Return the check symbol for *symbols*.

    The symbols are coefficients of a polynomial over GF(32), evaluated at the generator. Every
    position has a different weight, so one wrong symbol or two swapped symbols are always found.

    >>> check_symbol("0000000000000001")
    '2'
    """
    _check_string(symbols)
    value = 0
    for symbol in symbols:
        if symbol not in _VALUES:
            raise InvalidInput("invalid_code", "code", f"expected symbols of {ALPHABET}")
        value = _TIMES_X[value ^ _VALUES[symbol]]
    return ALPHABET[value]


def fold(typed: str) -> str:
    """Return the form of *typed* in which codes are looked up and stored.

    Case, spaces, dashes and look-alikes are ignored if the result is a generated code. Any other
    string only loses its leading and trailing white space.

    >>> fold(" ooo0-0000 0000-oool-2 "), fold(" Spring-2026 ")
    ('00000000000000012', 'Spring-2026')
    """
    _check_string(typed)
    exact = typed.strip(_MARGIN)
    if len(exact) < GENERATED_LENGTH or _GENERATED.fullmatch(exact):
        return exact
    kept = "".join(exact.split())
    if not kept.isascii():
        kept = "".join(char for char in kept if category(char) != "Pd")
    folded = kept.translate(_FOLDED)
    return folded if has_generated_shape(folded) else exact


def has_generated_shape(code: str) -> bool:
    """Return whether *code* has the length and the symbols of a generated code.

    >>> has_generated_shape("00000000000000012")
    True
    """
    _check_string(code)
    return _GENERATED.fullmatch(code) is not None


def is_mistyped(code: str) -> bool:
    """Return whether the folded *code* is a generated code with a wrong check symbol.

    >>> is_mistyped("00000000000000011"), is_mistyped("Spring-2026")
    (True, False)
    """
    return has_generated_shape(code) and check_symbol(code[:-1]) != code[-1]


def is_storable(code: str) -> bool:
    """Return whether the folded *code* has 8 to 64 printable ASCII characters.

    >>> is_storable("Spring-2026"), is_storable("short")
    (True, False)
    """
    _check_string(code)
    printable = code.isascii() and code.isprintable() and " " not in code
    return printable and MIN_CODE_LENGTH <= len(code) <= MAX_CODE_LENGTH and not is_mistyped(code)


def format_code(code: str) -> str:
    """Format the folded *code* for learners: ``XXXX-XXXX-XXXX-XXXX-C``.

    >>> format_code("00000000000000012")
    '0000-0000-0000-0001-2'
    """
    if not has_generated_shape(code):
        return code
    return "-".join(code[start : start + 4] for start in range(0, GENERATED_LENGTH, 4))


def mask(code: str) -> str:
    """Mask *code* for messages, except its last quarter of at most 4 characters.

    >>> mask("0000000000000001C7Q2"), mask("Spring-2026")
    ('****-C7Q2', '****-26')
    """
    _check_string(code)
    shown = min(4, len(code) // 4)
    return f"****-{code[len(code) - shown :]}" if shown else "****"


def generate(count: int, random_bytes: RandomBytes) -> tuple[str, ...]:
    """Return *count* distinct new codes, with five random bits per symbol.

    >>> generate(1, lambda count: bytes(count))
    ('00000000000000000',)
    """
    check_count(count, "generate", 0, MAX_KEYS_PER_CALL)
    if not callable(random_bytes):
        raise InvalidInput("not_callable", "random_bytes", "expected a function")
    found: dict[str, None] = {}
    for _ in range(MAX_ATTEMPTS):
        size = (count - len(found)) * RANDOM_SYMBOLS
        drawn = random_bytes(size)
        if not isinstance(drawn, bytes) or len(drawn) != size:
            hint = "the function did not return the requested number of bytes"
            raise InvalidInput("bad_random_source", "random_bytes", hint)
        # 32 divides 256, so five bits of a random byte favor no symbol.
        symbols = "".join(ALPHABET[byte & 31] for byte in drawn)
        for start in range(0, size, RANDOM_SYMBOLS):
            code = symbols[start : start + RANDOM_SYMBOLS]
            found[code + check_symbol(code)] = None
        if len(found) == count:
            return tuple(found)
    hint = "the function returns the same bytes every time; use a random source"
    raise InvalidInput("bad_random_source", "random_bytes", hint)


def read_codes(lines: Iterable[str], field: str = "codes") -> dict[str, int]:
    """Return the folded custom codes of *lines*, with their line numbers from 1 on.

    Blank lines and a byte order mark are skipped. Pass an open file, or a pasted string as
    ``text.splitlines()``.

    >>> read_codes(["Spring-2026", "", "Summer-2026"])
    {'Spring-2026': 1, 'Summer-2026': 3}
    """
    found: dict[str, int] = {}
    repeated: list[int] = []
    for number, line in enumerate(check_list(lines, field, empty=True), start=1):
        path = f"{field}[{number - 1}]"
        if not isinstance(line, str):
            raise InvalidInput("not_a_text", path, "expected a code as a string")
        code = fold(line)
        if not code:
            continue
        if is_mistyped(code):
            hint = "this looks like a generated code with a wrong check symbol"
            raise InvalidInput("key_mistyped", path, hint)
        if not is_storable(code):
            hint = "expected 8 to 64 printable ASCII characters without spaces"
            raise InvalidInput("invalid_code", path, hint)
        if code in found:
            repeated.append(number)
        found.setdefault(code, number)
    if repeated:
        path = f"{field}[{repeated[0] - 1}]"
        hint = f"remove the repeated codes: {name_lines(repeated)}"
        raise InvalidInput("code_repeated", path, hint)
    return found
