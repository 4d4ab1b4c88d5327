"""Codes of training keys: generate, read, look up, check and mask them (rule 12).

A generated code has 16 random symbols of Crockford's base 32 (80 bits) and one check symbol. The
random source is an argument. A custom code is stored and shown as given. Both are looked up in one
form, which `fold` returns.
"""

import re
from collections.abc import Callable, Collection, Mapping

import attrs

from course_assignments import errors
from course_assignments.errors import MAX_NAMED, InvalidInput, invalid, is_a, name_lines, plain
from course_assignments.text import clean
from course_assignments.validation import Strings, check_count, check_list, check_number

#: Crockford's base 32: no I, L, O or U. The position of a symbol is its value, 0 to 31.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

#: The random symbols of a generated code; the check symbol follows them.
RANDOM_SYMBOLS = 16
GENERATED_LENGTH = RANDOM_SYMBOLS + 1

#: The length of a custom code; `Policies` can set another minimum.
MIN_CODE_LENGTH, MAX_CODE_LENGTH = errors.MIN_CODE_LENGTH, 64

#: How many keys one call may create.
MAX_KEYS_PER_CALL = 100_000

#: How often the random source is called again if codes are not new.
MAX_ATTEMPTS = 16

_GENERATED = re.compile(f"[{ALPHABET}]{{{GENERATED_LENGTH}}}")
# One symbol can be missing or doubled.
_NEARLY = re.compile(f"[{ALPHABET}]{{{GENERATED_LENGTH - 1},{GENERATED_LENGTH + 1}}}")
_STORABLE = re.compile(rf"[!-~]{{1,{MAX_CODE_LENGTH}}}")
# What a line has besides a code if it was cut from a table.
_GLUE = re.compile(r"[\t,;]")
_QUOTES = re.compile(r"['\"`]")
# What a table or a chat leaves around a code; inside, it is a part of the code.
_AROUND = re.compile(r"\A[<>|]|[<>|]\Z|\A([*_~]+).*\1\Z")
# How spreadsheets show a number with many digits; the other digits are lost.
_SHORTENED = re.compile(r"\d(\.\d+)?E\+\d+", re.IGNORECASE)
# The heading of a column of codes, without what separates its words.
_HEADING = re.compile(
    "(access|activation|coupon|course|enroll?(ment)?|license|promo|registration|training|voucher)?"
    "(code|key)s?|coupons?|vouchers?"
)
_VALUES = {symbol: value for value, symbol in enumerate(ALPHABET)}

# x times each element of GF(32), modulo the primitive polynomial x^5 + x^2 + 1.
_TIMES_X = [(value << 1) ^ (0b100101 if value & 0b10000 else 0) for value in range(32)]

# Only ASCII changes: str.upper would turn a long s or a ligature into a symbol.
_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_FOLDED = str.maketrans("abcdefghijklmnopqrstuvwxyzILO", "ABCDEFGH1JK1MN0PQRSTUVWXYZ110", "-")

#: Returns that many random bytes, as ``secrets.token_bytes`` does.
RandomBytes = Callable[[int], bytes]


def _as_string(code: object) -> str:
    if not is_a(code, str):
        raise invalid("not_a_text", "code", "expected the code of a key as a string", code)
    return str(plain(code))


def check_symbol(symbols: str) -> str:
    """Return the check symbol for *symbols*.

    The symbols are coefficients of a polynomial over GF(32), evaluated at the generator. Every
    position has a different weight, so one wrong symbol or two swapped symbols are always found.

    >>> check_symbol("0000000000000001")
    '2'
    """
    value = 0
    for symbol in _as_string(symbols):
        if symbol not in _VALUES:
            raise invalid("invalid_code", "code", f"expected symbols of {ALPHABET}", symbols)
        value = _TIMES_X[value ^ _VALUES[symbol]]
    return ALPHABET[value]


def fold(typed: str, field: str = "code") -> str:
    """Return the form in which the code that someone typed is looked up, and is unique.

    Characters that cannot be seen, outer white space and case make no difference. Spaces, dashes
    and look-alikes make none if 17 symbols remain without them, as in a generated code.

    >>> fold(" ooo0-0000 0000-oool-2 "), fold(" Spring-2026 ")
    ('00000000000000012', 'SPRING-2026')
    """
    cleaned = clean(_as_string(typed), field)
    symbols = _symbols(cleaned)
    return symbols if _GENERATED.fullmatch(symbols) else cleaned.translate(_UPPER)


def _symbols(cleaned: str) -> str:
    """Return *cleaned* without spaces and dashes, in upper case, each look-alike as a digit."""
    return "".join(cleaned.split()).translate(_FOLDED)


def differs_in_case(typed: str, code: str) -> bool:
    """Return whether *typed* is in another case than the custom *code* that it is for.

    >>> differs_in_case("spring-2026", "Spring-2026"), differs_in_case("Spring-2026", "Spring-2026")
    (True, False)
    """
    if has_generated_shape(code):
        return False
    one, other = (re.sub(r"[\s-]", "", clean(text)) for text in (typed, code))
    return any(a != b and a.upper() == b.upper() for a, b in zip(one, other, strict=False))


def has_generated_shape(code: str) -> bool:
    """Return whether *code* has the length and the symbols of a generated code, and its check.

    >>> has_generated_shape("00000000000000012"), has_generated_shape("00000000000000011")
    (True, False)
    """
    text = _as_string(code)
    return _GENERATED.fullmatch(text) is not None and check_symbol(text[:-1]) == text[-1]


def is_mistyped(typed: str) -> bool:
    """Return whether *typed* is nearly a generated code, with one wrong symbol more or less.

    >>> is_mistyped("0000-0000-0000-0001-1"), is_mistyped("0000-0000-0000-001-2")
    (True, True)
    >>> is_mistyped("Spring-2026")
    False
    """
    symbols = _symbols(clean(_as_string(typed)))
    return _NEARLY.fullmatch(symbols) is not None and not has_generated_shape(symbols)


def is_storable(code: str) -> bool:
    """Return whether *code* has 1 to 64 printable ASCII characters, none of which separates codes.

    These are space, comma, semicolon and quotes, of which a backtick is one.

    >>> is_storable("Spring-2026"), is_storable("Spring 2026")
    (True, False)
    """
    text = _as_string(code)
    separated = _GLUE.search(text) or _QUOTES.search(text)
    return _STORABLE.fullmatch(text) is not None and separated is None


def format_code(code: str) -> str:
    """Format the *code* of a key for learners, a generated one as ``XXXX-XXXX-XXXX-XXXX-C``.

    >>> format_code("00000000000000012")
    '0000-0000-0000-0001-2'
    """
    text = _as_string(code)
    if not has_generated_shape(text):
        return text
    return "-".join(text[start : start + 4] for start in range(0, GENERATED_LENGTH, 4))


def mask(code: str) -> str:
    """Mask *code* for messages, except its last quarter of at most 4 characters.

    >>> mask("0000000000000001C7Q2"), mask("Spring-2026")
    ('****-C7Q2', '****-26')
    """
    return errors.mask(_as_string(code))


def generate(count: int, random_bytes: RandomBytes) -> tuple[str, ...]:
    """Return *count* distinct new codes, with five random bits per symbol.

    >>> generate(1, lambda count: bytes(count))
    ('00000000000000000',)
    """
    check_count(count, "generate", 0, MAX_KEYS_PER_CALL)
    if not callable(random_bytes):
        raise invalid("not_callable", "random_bytes", "expected a function", random_bytes)
    found: dict[str, None] = {}
    for _ in range(MAX_ATTEMPTS):
        size = (count - len(found)) * RANDOM_SYMBOLS
        drawn = random_bytes(size)
        if not is_a(drawn, bytes) or len(drawn) != size:
            expected = f"expected a function that returns {size} bytes"
            raise invalid("bad_random_source", "random_bytes", expected, drawn)
        # 32 divides 256, so five bits of a random byte favor no symbol.
        symbols = "".join(ALPHABET[byte & 31] for byte in drawn)
        for start in range(0, size, RANDOM_SYMBOLS):
            code = symbols[start : start + RANDOM_SYMBOLS]
            found[code + check_symbol(code)] = None
        if len(found) == count:
            return tuple(found)
    hint = "the function returns the same bytes every time; use a random source"
    raise InvalidInput("bad_random_source", "random_bytes", hint)


@attrs.frozen
class Paste:
    """The lines of a paste, cleaned and checked.

    Attributes:
        field: The name of the argument, for errors.
        codes: Each code as given with the number of its line from 1 on, by its form for look-up.
        problems: What is wrong with other lines, by their numbers.
    """

    field: str
    codes: Mapping[str, tuple[str, int]] = attrs.field(repr=lambda codes: f"<{len(codes)} hidden>")
    problems: Mapping[int, InvalidInput]

    def __len__(self) -> int:
        """Return the number of lines that are not blank."""
        return len(self.codes) + len(self.problems)

    def require(self, minimum: int, taken: Collection[str] = ()) -> None:
        """Raise InvalidInput if a line has a problem, or a code shorter than *minimum*.

        The error names all these lines, and those with codes that are *taken*.
        """
        problems = dict(self.problems)
        for code, line in self.codes.values():
            if len(code) < minimum:
                expected = f"expected at least {minimum} characters"
                path = _path(self.field, line)
                problems[line] = invalid("invalid_code", path, expected, code, secret=True)
        if not problems:
            return
        for code, line in map(self.codes.__getitem__, taken):
            path, advice = _path(self.field, line), "remove the codes of other keys"
            problems.setdefault(line, invalid("code_taken", path, advice, code, secret=True))
        lines: dict[str, list[int]] = {}
        for line in sorted(problems):
            lines.setdefault(problems[line].hint.partition(", got ")[0], []).append(line)
        most = MAX_NAMED // len(lines)
        hint = "; ".join(f"{advice}: {name_lines(some, most)}" for advice, some in lines.items())
        found = InvalidInput.of([problems[line] for line in sorted(problems)])
        raise attrs.evolve(found, summary=hint)


def _path(field: str, line: int) -> str:
    return f"{field}[{line - 1}]"


def _is_heading(code: str) -> bool:
    return _HEADING.fullmatch(re.sub(r"[\s_.:-]", "", code.lower())) is not None


def _problem(code: str, path: str, line: str) -> InvalidInput | None:
    """Return what is wrong with *line*, which was cleaned to *code*, if anything is."""
    if _GLUE.search(code):
        advice = "give the column of codes alone"
        return invalid("several_columns", path, advice, line, secret=True)
    if _QUOTES.search(code):
        return invalid("enclosed", path, "remove quotes and backticks", line, secret=True)
    if _AROUND.search(code):
        advice = "remove what encloses codes, such as < > | or **"
        return invalid("enclosed", path, advice, line, secret=True)
    if _SHORTENED.fullmatch(code):
        advice = "format the column as text, then copy it again"
        return invalid("shortened_number", path, advice, line, secret=True)
    if is_storable(code):
        return None
    wanted = f"expected up to {MAX_CODE_LENGTH} printable ASCII characters without spaces"
    return invalid("invalid_code", path, wanted, line, secret=True)


def scan_codes(lines: Strings, field: str = "codes") -> Paste:
    """Return the custom codes of *lines*, and what is wrong with other lines.

    >>> scan_codes(["Spring-2026", "Spring-2026,5", ""]).problems[2].code
    'several_columns'
    """
    found: dict[str, tuple[str, int]] = {}
    problems: dict[int, InvalidInput] = {}
    heading: tuple[int, str, InvalidInput] | None = None
    for number, line in enumerate(check_list(lines, field, empty=True), start=1):
        path = _path(field, number)
        if not is_a(line, str):
            raise invalid("not_a_text", path, "expected a code as a string", line)
        try:
            code = clean(plain(line), path)
        except InvalidInput as error:  # it is too long
            problems[number] = error
            continue
        if not code:
            continue
        if not found and not problems and _is_heading(code):
            advice = "leave out what looks like a heading"
            heading = number, code, invalid("heading", path, advice, line, secret=True)
        problem = _problem(code, path, line)
        if problem is None and found.setdefault(fold(code), (code, number))[1] != number:
            problem = invalid("code_repeated", path, "remove the repeated codes", line, secret=True)
        if problem is not None:
            problems[number] = problem
    count = len(found) + len(problems)
    check_number(count, field, MAX_KEYS_PER_CALL, "codes")
    if heading is not None and count > 1:
        number, code, problem = heading
        found.pop(fold(code), None)
        problems[number] = problem
    return Paste(field, found, problems)


def read_codes(
    lines: Strings, field: str = "codes", *, minimum: int = MIN_CODE_LENGTH
) -> dict[str, int]:
    """Return the custom codes of *lines*, with their line numbers from 1 on.

    Codes have *minimum* to 64 printable ASCII characters without space, comma, semicolon and quote.
    The first of several must not be a heading, and ``<``, ``>`` or ``|`` must not enclose a code.
    Blank lines are skipped. Pass an open file, or a pasted string as ``text.splitlines()``.

    Raises:
        InvalidInput: Some lines are not such codes, or repeat one; the error names all of them.

    >>> read_codes(["Spring-2026", "", "Summer-2026"])
    {'Spring-2026': 1, 'Summer-2026': 3}
    """
    check_count(minimum, "minimum", 1, MAX_CODE_LENGTH)
    paste = scan_codes(lines, field)
    paste.require(minimum)
    return dict(paste.codes.values())
