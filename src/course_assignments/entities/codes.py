"""The codes of training keys: how they are made, read, checked and masked (rule 12).

A generated code is 16 random symbols of Crockford's base 32 (80 bits) and one check symbol. No
randomness is drawn here: the source is an argument.
"""

from collections.abc import Callable, Iterable
from unicodedata import category

from course_assignments.errors import InvalidInput, name_lines
from course_assignments.validation import check_count, check_list

#: Crockford's base 32: no I, L, O or U. The place of a symbol is its value, 0 to 31.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

#: How many random symbols a generated code has; the check symbol comes behind them.
RANDOM_SYMBOLS = 16
GENERATED_LENGTH = RANDOM_SYMBOLS + 1

#: How long a hand-made code may be.
SHORTEST, LONGEST = 8, 64

#: How many keys one call may make.
MAX_KEYS_PER_CALL = 100_000

#: How often the random source is asked again for codes that are new.
MAX_ATTEMPTS = 16

_VALUES = {symbol: value for value, symbol in enumerate(ALPHABET)}

# Only ASCII letters change: str.upper would turn a long s or a ligature into an honest symbol.
_FOLDED = str.maketrans("abcdefghijklmnopqrstuvwxyzILO", "ABCDEFGH1JK1MN0PQRSTUVWXYZ110")

# White space, the last of which is U+3000, and the byte order mark, in one pass.
_MARGIN = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\ufeff"

#: Gives so many random bytes, as ``secrets.token_bytes`` does.
RandomBytes = Callable[[int], bytes]


def check_symbol(symbols: str) -> str:
    """Return the symbol to put behind *symbols*.

    They are read as a polynomial over GF(32) and its value at the generator is the check, so each
    place weighs differently: one wrong symbol, or two that changed places, never go unseen.

    Example:
        >>> check_symbol("0000000000000001")
        '2'
    """
    value = 0
    for symbol in _text(symbols):
        if symbol not in _VALUES:
            raise InvalidInput("invalid_code", "code", f"expected symbols out of {ALPHABET}")
        value = _times_generator(value ^ _VALUES[symbol])
    return ALPHABET[value]


def _text(value: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput("not_a_text", "code", "expected the code of a key as a text")
    return value


def _times_generator(value: int) -> int:
    """Multiply by x in GF(2)[x] modulo the primitive polynomial x^5 + x^2 + 1."""
    return (value << 1) ^ (0b100101 if value & 0b10000 else 0)


def fold(typed: str) -> str:
    """Return the form in which *typed* is looked up and stored.

    If case, spaces, dashes and look-alikes can be forgiven so that a generated code is left, it is
    that code, in the alphabet and without dashes; else it is *typed* without outer white space.

    Example:
        >>> fold(" ooo0-0000 0000-oool-2 "), fold(" Spring-2026 ")
        ('00000000000000012', 'Spring-2026')
    """
    exact = _text(typed).strip(_MARGIN)
    if len(exact) < GENERATED_LENGTH:
        return exact
    kept = (letter for letter in exact if not letter.isspace() and category(letter) != "Pd")
    folded = "".join(kept).translate(_FOLDED)
    return folded if has_generated_shape(folded) else exact


def has_generated_shape(code: str) -> bool:
    """Return whether *code* has the length and the symbols of a generated code.

    Example:
        >>> has_generated_shape("00000000000000012")
        True
    """
    return len(_text(code)) == GENERATED_LENGTH and all(symbol in _VALUES for symbol in code)


def is_mistyped(code: str) -> bool:
    """Return whether the folded *code* is a generated one whose check symbol does not fit.

    Example:
        >>> is_mistyped("00000000000000011"), is_mistyped("Spring-2026")
        (True, False)
    """
    return has_generated_shape(code) and check_symbol(code[:-1]) != code[-1]


def is_storable(code: str) -> bool:
    """Return whether a key may have the folded *code*: 8 to 64 printable ASCII characters.

    Example:
        >>> is_storable("Spring-2026"), is_storable("short")
        (True, False)
    """
    return (
        SHORTEST <= len(_text(code)) <= LONGEST
        and all("!" <= letter <= "~" for letter in code)
        and not is_mistyped(code)
    )


def format_code(code: str) -> str:
    """Return the folded *code* as it is given to a learner: ``XXXX-XXXX-XXXX-XXXX-C``.

    Example:
        >>> format_code("00000000000000012")
        '0000-0000-0000-0001-2'
    """
    if not has_generated_shape(code):
        return code
    return "-".join(code[start : start + 4] for start in range(0, GENERATED_LENGTH, 4))


def mask(code: str) -> str:
    """Return what may be shown of *code* where others read along: a quarter, at most 4 symbols.

    Example:
        >>> mask("0000000000000001C7Q2"), mask("Spring-2026")
        ('****-C7Q2', '****-26')
    """
    shown = min(4, len(_text(code)) // 4)
    return f"****-{code[len(code) - shown :]}" if shown else "****"


def generate(count: int, random_bytes: RandomBytes) -> tuple[str, ...]:
    """Return *count* different new codes, five random bits a symbol.

    Raises:
        InvalidInput: *count* is out of bounds, or *random_bytes* gives too few or always the same.

    Example:
        >>> generate(1, lambda count: bytes(count))
        ('00000000000000000',)
    """
    check_count(count, "generate", 0, MAX_KEYS_PER_CALL)
    if not callable(random_bytes):
        raise InvalidInput("not_callable", "random_bytes", "expected a function")
    found: dict[str, None] = {}
    for _ in range(MAX_ATTEMPTS):
        wanted = count - len(found)
        drawn = random_bytes(wanted * RANDOM_SYMBOLS)
        if not isinstance(drawn, bytes) or len(drawn) != wanted * RANDOM_SYMBOLS:
            raise InvalidInput("bad_random_source", "random_bytes", "it gave too few bytes")
        # 32 divides 256, so five bits of a random byte favour no symbol.
        letters = "".join(ALPHABET[byte & 31] for byte in drawn)
        for start in range(0, len(letters), RANDOM_SYMBOLS):
            symbols = letters[start : start + RANDOM_SYMBOLS]
            found[symbols + check_symbol(symbols)] = None
        if len(found) == count:
            return tuple(found)
    raise InvalidInput("bad_random_source", "random_bytes", "it repeats itself; use a random one")


def read_codes(lines: Iterable[str], field: str = "codes") -> dict[str, int]:
    """Return the folded hand-made codes of *lines*, each with the number of its line from 1 on.

    Blank lines and a byte order mark are skipped, so a pasted text may be given as
    ``text.splitlines()`` and a file as it is.

    Raises:
        InvalidInput: a line cannot be a code, or repeats an earlier one.

    Example:
        >>> read_codes(["Spring-2026", "", "Summer-2026"])
        {'Spring-2026': 1, 'Summer-2026': 3}
    """
    found: dict[str, int] = {}
    repeated: list[int] = []
    for number, line in enumerate(check_list(lines, field, empty=True), start=1):
        path = f"{field}[{number - 1}]"
        if not isinstance(line, str):
            raise InvalidInput("not_a_text", path, "expected a code as a text")
        code = fold(line)
        if not code:
            continue
        if is_mistyped(code):
            hint = "it looks like a generated code, but its check symbol does not fit"
            raise InvalidInput("key_mistyped", path, hint)
        if not is_storable(code):
            hint = "expected 8 to 64 printable ASCII characters without spaces"
            raise InvalidInput("invalid_code", path, hint)
        if code in found:
            repeated.append(number)
        found.setdefault(code, number)
    if repeated:
        path = f"{field}[{repeated[0] - 1}]"
        raise InvalidInput("code_repeated", path, f"take out the repeats: {name_lines(repeated)}")
    return found
