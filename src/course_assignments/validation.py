"""The checks that a single value has to pass before it may be part of a record.

The converters here only tidy: what they cannot tidy they hand on as it is, and the validator, which
knows the name of the field, refuses it. Every refusal is an `InvalidInput`.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from unicodedata import category, normalize

import attrs
from attrs import Converter

from course_assignments.errors import CourseAssignmentsError, InvalidInput
from course_assignments.time.datetimes import as_utc
from course_assignments.time.durations import Duration, DurationLike, as_duration

T = TypeVar("T")

#: What attrs calls with the record, the field and its value.
Validator: TypeAlias = Callable[[Any, "attrs.Attribute[Any]", Any], None]

ID_LENGTH = 200
NAME_LENGTH = 500
TEXT_LENGTH = 10_000

#: The largest whole number that every common database stores in an ordinary integer column.
MAX_COUNT = 2**31 - 1


def check_text(value: object, field: str, length: int, allowed: str = "") -> str:
    """Return *value* if it is a text of 1 to *length* characters that is not blank.

    Control characters and surrogates are refused, but for those *allowed*.

    Raises:
        InvalidInput: it is not.

    Example:
        >>> check_text("Ada", "name", 500)
        'Ada'
    """
    if not isinstance(value, str):
        raise InvalidInput("not_a_text", field, f"expected a text of 1 to {length} characters")
    if not value.strip():
        raise InvalidInput("blank", field, f"expected a text of 1 to {length} characters")
    if len(value) > length:
        raise InvalidInput("too_long", field, f"expected at most {length} characters")
    if not value.isprintable() and any(
        category(letter) in {"Cc", "Cs"} and letter not in allowed for letter in value
    ):
        raise InvalidInput(
            "unprintable", field, "take out the control characters and lone surrogates"
        )
    return value


def check_id(value: object, field: str) -> str:
    """Return *value* if it can be an id: 1 to 200 characters.

    Example:
        >>> check_id("c-1", "course_id")
        'c-1'
    """
    if not isinstance(value, str):
        hint = f"expected an id: a text of 1 to {ID_LENGTH} characters"
        raise InvalidInput("not_a_text", field, hint)
    return check_text(value, field, ID_LENGTH)


def check_long_text(value: object, field: str) -> str:
    """Return *value* if it can be a message: 1 to 10,000 characters, line breaks among them.

    Example:
        >>> check_long_text("one line, or more", "message")
        'one line, or more'
    """
    return check_text(value, field, TEXT_LENGTH, allowed="\n\r\t")


def check_count(value: object, field: str, least: int, most: int = MAX_COUNT) -> int:
    """Return *value* if it is a whole number from *least* to *most*; a bool is none.

    Example:
        >>> check_count(3, "max_uses", 1)
        3
    """
    if type(value) is not int or not least <= value <= most:
        raise InvalidInput(
            "invalid_count", field, f"expected a whole number from {least} to {most}"
        )
    return value


def check_list(values: Iterable[T], field: str, *, empty: bool = False) -> tuple[T, ...]:
    """Return *values* as a tuple; a single text is no list, and a list is not empty.

    Example:
        >>> check_list(["c-1", "c-2"], "course_ids")
        ('c-1', 'c-2')
    """
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InvalidInput("not_a_list", field, "expected a list, such as ['a', 'b']")
    try:
        found = tuple(values)
    except CourseAssignmentsError:  # of a repository that could not read on
        raise
    except Exception as error:  # a list of the caller's own, or a generator, may raise anything
        raise InvalidInput("not_a_list", field, "it broke off while it was read") from error
    if not found and not empty:
        raise InvalidInput("empty_list", field, "expected a list with at least one element")
    return found


def check_tuple(values: Iterable[T], field: str) -> tuple[T, ...]:
    """Return *values* as a tuple, which may be empty.

    Example:
        >>> check_tuple(["py", "sql"], "course_ids")
        ('py', 'sql')
    """
    return values if type(values) is tuple else check_list(values, field, empty=True)


def check_set(values: Iterable[T], field: str) -> frozenset[T]:
    """Return *values* as a frozenset, which may be empty.

    Example:
        >>> check_set(["py", "py"], "finished")
        frozenset({'py'})
    """
    if type(values) is frozenset:
        return values
    found = check_list(values, field, empty=True)
    try:
        return frozenset(found)
    except Exception as error:  # the hash of a foreign element may raise anything at all
        raise InvalidInput("not_a_list", field, "expected a set of hashable values") from error


def check_ids(values: Iterable[str], field: str) -> tuple[str, ...]:
    """Return *values* as a tuple if they are ids, at least one.

    Example:
        >>> check_ids(["py", "sql"], "course_ids")
        ('py', 'sql')
    """
    found = check_list(values, field)
    for position, value in enumerate(found):
        check_id(value, f"{field}[{position}]")
    return found


def check_each(values: Iterable[T], field: str, *kinds: type) -> tuple[T, ...]:
    """Return *values* as a tuple if each of them is one of *kinds*; there may be none.

    Example:
        >>> check_each(["Ada"], "names", str)
        ('Ada',)
    """
    found = check_list(values, field, empty=True)
    for position, value in enumerate(found):
        check_kind(value, f"{field}[{position}]", *kinds)
    return found


def check_kind(value: object, field: str, *kinds: type) -> None:
    """Do nothing if *value* is one of *kinds*.

    Example:
        >>> check_kind("Ada", "name", str)
    """
    if not isinstance(value, kinds):
        names = " or ".join(_example(kind) for kind in kinds)
        raise InvalidInput("wrong_type", field, f"expected {names}")


def check_record(value: object, field: str, *kinds: type) -> None:
    """Do nothing if *value* is of one of *kinds* itself: what is stored is found by its class.

    Example:
        >>> check_record("Ada", "name", str)
    """
    check_kind(value, field, *kinds)
    if not any(is_exactly(value, kind) for kind in kinds):
        raise InvalidInput("wrong_type", field, "expected the class itself, not one derived of it")


def _example(kind: type) -> str:
    """Name *kind*, one of an enum by its first member."""
    if issubclass(kind, Enum):
        return f"{kind.__name__}, such as {next(iter(kind))}"
    return kind.__name__


def is_exactly(value: object, kind: type) -> bool:
    """Return whether *value* is a *kind* itself: a subclass may raise when it is read.

    Example:
        >>> is_exactly((), tuple), is_exactly(True, int)
        (True, False)
    """
    return type(value) is kind


# A `Converter` is given the field (attrs 24.1), so that its error names it. mypy and pyright know
# converters only as functions, so to them each of the four is the function that it stands for.
if TYPE_CHECKING:

    def to_utc(value: datetime) -> datetime:
        """Convert an aware datetime to UTC."""
        ...

    def to_duration(value: DurationLike) -> Duration:
        """Convert a ``relativedelta`` to a `Duration`."""
        ...

    # Neither solves a generic converter: elements are Any.
    def to_tuple(values: Iterable[Any]) -> tuple[Any, ...]:
        """Convert any iterable to a tuple."""
        ...

    def to_set(values: Iterable[Any]) -> frozenset[Any]:
        """Convert any iterable of hashable elements to a frozenset."""
        ...

else:

    def _to_utc(value: datetime, field: "attrs.Attribute[Any]") -> datetime:
        return as_utc(value, field.name)

    def _to_duration(value: DurationLike, field: "attrs.Attribute[Any]") -> Duration:
        return as_duration(value, field.name)

    def _to_tuple(values: Iterable[Any], field: "attrs.Attribute[Any]") -> tuple[Any, ...]:
        return check_tuple(values, field.name)

    def _to_set(values: Iterable[Any], field: "attrs.Attribute[Any]") -> frozenset[Any]:
        return check_set(values, field.name)

    to_utc = Converter(_to_utc, takes_field=True)
    to_duration = Converter(_to_duration, takes_field=True)
    to_tuple = Converter(_to_tuple, takes_field=True)
    to_set = Converter(_to_set, takes_field=True)


def tidy_instant(value: datetime) -> datetime:
    """Convert an aware instant to UTC."""
    try:
        return as_utc(value)
    except InvalidInput:
        return value


def tidy_duration(value: DurationLike) -> Duration:
    """Convert a ``relativedelta`` to a `Duration`."""
    try:
        return as_duration(value)
    except InvalidInput:
        return value  # type: ignore[return-value]  # the validator refuses it


# The element types of the next two are Any: type checkers do not solve a generic converter.


def tidy_tuple(values: Iterable[Any]) -> tuple[Any, ...]:
    """Convert a list to a tuple."""
    if isinstance(values, tuple):
        return values
    try:
        return check_list(values, "", empty=True)
    except InvalidInput:
        return values  # type: ignore[return-value]  # the validator refuses it


def tidy_set(values: Iterable[Any]) -> frozenset[Any]:
    """Convert a set, or a list of what a set may hold, to a frozenset."""
    try:
        return frozenset(check_list(values, "", empty=True))
    except Exception:  # noqa: BLE001 - the hash of a foreign element may raise anything at all
        return values  # type: ignore[return-value]  # the validator refuses it


def identifier(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    """Refuse what cannot be an id."""
    check_id(value, field.name)


def name(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    """Refuse what cannot be a name: 1 to 500 characters."""
    check_text(value, field.name, NAME_LENGTH)


def long_text(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    """Refuse what cannot be a message."""
    check_long_text(value, field.name)


def instant(_: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    """Refuse what is no aware instant."""
    as_utc(value, field.name)


def term(_: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    """Refuse what is no length of time."""
    as_duration(value, field.name)


def count(least: int) -> Validator:
    """Refuse what is no whole number from *least* on."""

    def check(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
        check_count(value, field.name, least)

    return check


def flag(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    """Refuse what is not ``True`` or ``False``."""
    if not isinstance(value, bool):
        raise InvalidInput("not_a_flag", field.name, "expected True or False")


def one_of(*kinds: type) -> Validator:
    """Refuse what is of none of *kinds*."""

    def check(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
        check_kind(value, field.name, *kinds)

    return check


def record_of(*kinds: type) -> Validator:
    """Refuse what is of none of *kinds* itself."""

    def check(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
        check_record(value, field.name, *kinds)

    return check


def each_of(container: type[Collection[Any]], *kinds: type) -> Validator:
    """Refuse what is not a *container* of nothing but *kinds*."""
    return _each(container, check_kind, kinds)


def records_of(*kinds: type) -> Validator:
    """Refuse what is not a tuple of nothing but *kinds* themselves."""
    return _each(tuple, check_record, kinds)


def _each(
    container: type[Collection[Any]], check_one: Callable[..., None], kinds: tuple[type, ...]
) -> Validator:
    def check(_: object, field: "attrs.Attribute[Any]", values: Collection[Any]) -> None:
        if not is_exactly(values, container):
            raise InvalidInput("not_a_list", field.name, "expected a list")
        for position, value in enumerate(values):
            check_one(value, f"{field.name}[{position}]", *kinds)

    return check


def identifiers(_: object, field: "attrs.Attribute[Any]", values: Collection[Any]) -> None:
    """Refuse what is not a frozenset of ids."""
    if not is_exactly(values, frozenset):
        raise InvalidInput("not_a_list", field.name, "expected a set of ids")
    for value in values:
        check_id(value, field.name)


def fold_text(text: str) -> str:
    """Return the form in which two texts are the same: composed (NFC), then without case.

    Folding a folded text changes nothing.

    Example:
        >>> fold_text("STRASSE") == fold_text("Stra\N{LATIN SMALL LETTER SHARP S}e")
        True
    """
    return normalize("NFC", normalize("NFC", text).casefold())


def derived_id(*parts: str) -> str:
    """Return the id that *parts*, in this order, always give.

    Each part goes in behind its length, so that no two lists of parts run together.

    Example:
        >>> derived_id("claim", "ab", "c") == derived_id("claim", "a", "bc")
        False
        >>> len(derived_id("claim", "ada", "python"))
        64
    """
    digest = sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
