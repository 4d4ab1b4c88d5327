"""Strict JSON with limits, so that hostile input is refused cheaply.

The parser of Python accepts repeated keys, NaN, and nesting up to the recursion limit.
"""

from json import dumps, loads
from re import finditer
from typing import Any, Final

from course_assignments.errors import InvalidInput, invalid, is_a, plain

#: The maximum number of bytes in UTF-8, and the maximum depth of nested brackets.
MAX_BYTES: Final = 2**20
MAX_DEPTH: Final = 16

#: A bracket, or a whole string; an unterminated string extends to the end.
_NESTING: Final = r'[][{}]|"(?:[^"\\]|\\.)*"?'


def write_json(data: Any, field: str) -> str:
    """Return *data* as one compact line with sorted keys, without Unicode escapes."""
    text = dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    _check_size(text, field)
    return text


def read_json(text: str, field: str) -> Any:
    """Return the value of the JSON *text*; an error names *field*."""
    text = plain(text)
    if not is_a(text, str):
        raise invalid("wrong_type", field, "expected a string", text)
    _check_size(text, field)
    if _depth(text) > MAX_DEPTH:
        raise InvalidInput("too_deep", field, f"expected at most {MAX_DEPTH} nested brackets")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise InvalidInput("repeated_key", field, "expected each key of an object once")
        return found

    def refuse(_: str) -> Any:
        raise InvalidInput("not_json", field, "JSON has neither NaN nor Infinity")

    try:
        return loads(text, object_pairs_hook=once, parse_constant=refuse)
    except InvalidInput:
        raise
    except ValueError:  # not JSON, or a number of more digits than Python reads
        raise InvalidInput("not_json", field, "expected one value in JSON") from None


def _check_size(text: str, field: str) -> None:
    # Lone surrogates are counted here; the reader of the value refuses them with their path.
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise InvalidInput("too_large", field, f"expected at most {MAX_BYTES} bytes of JSON")


def _depth(text: str) -> int:
    """Return the depth of nested brackets in *text*, ignoring strings."""
    depth = deepest = 0
    for token in finditer(_NESTING, text):
        depth += (token[0] in "[{") - (token[0] in "]}")
        deepest = max(deepest, depth)
    return deepest
