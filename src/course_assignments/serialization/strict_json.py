"""JSON in one form and within bounds: what is sent in by anyone costs little to refuse.

It knows nothing of records. Python's own parser takes a key twice, NaN, and nesting to the end of
the stack; none of these is taken here.
"""

from json import dumps, loads
from re import finditer
from typing import Any, Final

from course_assignments.errors import InvalidInput

#: The longest text in bytes of UTF-8, and how many brackets deep it may go.
LARGEST: Final = 2**20
MAX_DEPTH: Final = 16

#: A bracket, or a string with the brackets in it; one that does not end goes up to the end.
_NESTING: Final = r'[][{}]|"(?:[^"\\]|\\.)*"?'


def write_json(data: Any, field: str) -> str:
    """Write *data* as one compact line, its keys sorted, other letters than ASCII kept.

    Raises:
        InvalidInput: it would be longer than `read_json` reads; it names *field*.

    Example:
        >>> write_json({"b": [1, None], "a": True}, "record")
        '{"a":true,"b":[1,null]}'
    """
    text = dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    _check_size(text, field)
    return text


def read_json(text: str, field: str) -> Any:
    """Return what the JSON *text* says.

    Raises:
        InvalidInput: it is no JSON, names a key twice, or is too long or nested too deep.

    Example:
        >>> read_json('{"b": [1, null], "a": true}', "text")
        {'b': [1, None], 'a': True}
    """
    if not isinstance(text, str):
        raise InvalidInput("wrong_type", field, "expected a text")
    _check_size(text, field)
    if _depth(text) > MAX_DEPTH:
        raise InvalidInput(
            "too_deep", field, f"expected at most {MAX_DEPTH} brackets in each other"
        )

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
    except ValueError:  # no JSON, or a number of more digits than Python reads
        raise InvalidInput("not_json", field, "expected one value in JSON") from None


def _check_size(text: str, field: str) -> None:
    # A lone surrogate is counted, not refused: where it stands is for whoever reads the text.
    if len(text.encode(errors="surrogatepass")) > LARGEST:
        raise InvalidInput("too_large", field, f"expected at most {LARGEST} bytes of JSON")


def _depth(text: str) -> int:
    """Return how many brackets deep *text* goes; those within strings are none."""
    depth = deepest = 0
    for token in finditer(_NESTING, text):
        depth += (token[0] in "[{") - (token[0] in "]}")
        deepest = max(deepest, depth)
    return deepest
