"""First the checks of arguments, then the converters and the validators of fields.

All raise an `InvalidInput` that names the field; converters do so for what they cannot convert.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias, TypeVar, cast
from unicodedata import category

import attrs
from attrs import Converter

from course_assignments.errors import (
    MAX_ERRORS,
    CourseAssignmentsError,
    InvalidInput,
    invalid,
    is_a,
    mask_id,
    plain,
)
from course_assignments.frozen import Field
from course_assignments.text import describe, drop_unseen, find_unseen
from course_assignments.time.datetimes import as_utc
from course_assignments.time.durations import (
    Duration,
    DurationLike,
    End,
    EndLike,
    as_duration,
    as_end,
)

R = TypeVar("R")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Several(Protocol[T_co]):
    """A collection, but for type checkers not one string, because its `in` takes only strings."""

    def __contains__(self, value: object, /) -> bool: ...
    def __iter__(self) -> Iterator[T_co]: ...
    def __len__(self) -> int: ...


#: A list or another collection, a generator or an open file; for type checkers, not one string.
Many: TypeAlias = Iterator[T] | Several[T]
Strings: TypeAlias = Many[str]

#: What attrs calls with the record, the field and its value.
Validator: TypeAlias = Callable[[Any, Field, Any], None]

ID_LENGTH = 200
NAME_LENGTH = 500
TEXT_LENGTH = 10_000
#: The control characters that a long text may have.
LINE_BREAKS = "\n\r\t"

#: The largest whole number that every common database stores in an ordinary integer column.
MAX_COUNT = 2**31 - 1

#: How many elements a list may have.
MAX_ITEMS = 1_000_000


def check_text(value: object, field: str, length: int = ID_LENGTH, allowed: str = "") -> str:
    """Raise InvalidInput unless *value* is a string of 1 to *length* characters and not blank.

    Characters that cannot be seen count as nothing. It must not have control characters, except for
    those *allowed*, or lone surrogates. Unless some are allowed, it is one line, and must not have
    white space at its ends.
    """
    value = plain(value)
    if not is_a(value, str):
        raise invalid("not_a_text", field, f"expected a string of 1 to {length} characters", value)
    if _is_plain(value, length):  # nearly every string
        return value
    if len(value) > length:
        hint = f"expected at most {length} characters, got {len(value)}"
        raise InvalidInput("too_long", field, hint)
    seen = drop_unseen(value)
    shown = seen.strip()
    if not value:
        raise invalid("blank", field, f"expected a string of 1 to {length} characters", value)
    if not shown:
        first = describe(value[0])
        hint = (
            f"expected a string that shows something, got only what cannot be seen: first {first}"
        )
        raise InvalidInput("blank", field, hint)
    for char in () if value.isprintable() else value:
        if category(char) in {"Cc", "Cs"} and char not in allowed:
            hint = f"remove {describe(char)}; control characters and lone surrogates are refused"
            raise InvalidInput("unprintable", field, hint)
    if not allowed and seen != shown:
        outer = seen[0] if seen[0].isspace() else seen[-1]
        hint = f"remove {describe(outer)} at the start or the end"
        raise InvalidInput("outer_white_space", field, hint)
    return value


def _is_plain(text: str, length: int) -> bool:
    """Return whether *text* has 1 to *length* printable ASCII characters, no space at its ends."""
    plain = 0 < len(text) <= length and text.isascii() and text.isprintable()
    return plain and text[0] != " " != text[-1]


def check_id(value: object, field: str) -> str:
    """Raise InvalidInput unless *value* is an id: a string of 1 to 200 characters, all seen."""
    return check_seen(check_text(value, field), field)


def check_seen(text: str, field: str) -> str:
    """Raise InvalidInput if *text* has a character that cannot be seen."""
    unseen = find_unseen(text)
    if unseen is not None:
        hint = f"remove {describe(unseen)}, which cannot be seen"
        raise InvalidInput("invisible_character", field, hint)
    return text


#: How derived ids begin.
DERIVED = "derived-"


def check_own_id(value: object, field: str) -> str:
    """Return the id *value*, or raise InvalidInput if it begins as derived ids do.

    A record under the id that another command derives would block that command.
    """
    id_ = check_id(value, field)
    if id_.startswith(DERIVED):
        expected = f"expected an id that does not begin with {DERIVED}, as derived ids do"
        raise invalid("reserved_id", field, expected, id_)
    return id_


def check_count(value: object, field: str, least: int, most: int = MAX_COUNT) -> int:
    """Raise InvalidInput unless *value* is a whole number from *least* to *most*, and no bool."""
    if type(value) is not int or not least <= value <= most:
        raise invalid(
            "invalid_count", field, f"expected a whole number from {least} to {most}", value
        )
    return value


_LISTS = frozenset({tuple, list, dict, frozenset})


def _is_list(values: object) -> bool:
    """Return whether *values* is iterable and no string, nor a lazy proxy of one."""
    try:
        return not isinstance(values, str | bytes) and issubclass(type(values), Iterable)
    except Exception:  # noqa: BLE001 - a lazy proxy may raise anything
        return False


def check_list(values: Iterable[T], field: str, *, empty: bool = False) -> tuple[T, ...]:
    """Return *values* as a tuple; refuse a string and, unless *empty* is set, no elements.

    More than a million elements are refused, and an iterator is not read further.
    """
    kind: type = type(values)
    if kind not in _LISTS and not _is_list(values):  # which is slow
        one = f"{type(values).__name__}.{values.name}" if is_a(values, Enum) else "'a', 'b'"
        raise invalid("not_a_list", field, f"expected a list, such as [{one}]", values)
    try:
        found = tuple(values if kind is tuple else islice(values, MAX_ITEMS + 1))
    except CourseAssignmentsError:  # of a repository that could not read on
        raise
    except Exception as error:  # an iterable of the caller's own may raise anything
        raise invalid("not_a_list", field, "iterating it raised an error", values) from error
    check_number(len(found), field)
    if not found and not empty:
        raise invalid("empty_list", field, "expected at least one element", values)
    return found


def check_number(number: int, field: str, most: int = MAX_ITEMS, of: str = "elements") -> None:
    """Raise InvalidInput if the *number* of elements is above *most*."""
    if number > most:
        raise InvalidInput("too_many", field, f"expected at most {most} {of}, got more")


def gather(calls: Iterable[Callable[[], R]]) -> list[R]:
    """Return what each of *calls* returns; one error has those of all, up to a limit."""
    found: list[R] = []
    errors: list[InvalidInput] = []
    for call in calls:
        try:
            found.append(call())
        except InvalidInput as error:
            errors.append(error)
            if len(errors) == MAX_ERRORS:
                break
    if errors:
        raise InvalidInput.of(errors) from errors[0].__cause__
    return found


def collect(values: Iterable[T], check: Callable[[T, str], R], field: str) -> list[R]:
    """Return what *check* returns for each of *values* and its path, like `gather`."""
    return gather(partial(check, one, f"{field}[{place}]") for place, one in enumerate(values))


def check_ids(values: Strings, field: str) -> tuple[str, ...]:
    """Return *values* as a tuple, or raise InvalidInput unless they are ids, at least one."""
    return tuple(collect(check_list(values, field), check_id, field))


def check_each(values: Iterable[T], field: str, *kinds: type, exact: bool = False) -> tuple[T, ...]:
    """Return *values* as a tuple, or raise InvalidInput unless each is an instance of *kinds*."""
    found = check_list(values, field, empty=True)
    if not frozenset(kinds).issuperset(map(type, found)):
        collect(found, lambda one, path: check_kind(one, path, *kinds, exact=exact), field)
    return tuple(map(plain, found)) if str in kinds else found


#: How many of several classes a message names.
_MAX_KINDS = 3


def check_kind(value: object, field: str, *kinds: type, exact: bool = False) -> None:
    """Raise InvalidInput unless *value* is an instance of *kinds*; *exact* excludes subclasses."""
    if type(value) in kinds:
        return
    if not is_a(value, *kinds):
        names = " or ".join(map(_example, kinds[:_MAX_KINDS]))
        others = len(kinds) - _MAX_KINDS
        expected = f"expected {names}{f' or {others} others' * (others > 0)}"
        raise invalid("wrong_type", field, expected, value)
    if exact:
        names = " or ".join(kind.__name__ for kind in kinds if is_a(value, kind))
        raise invalid("wrong_type", field, f"expected {names} itself, not a subclass", value)


def check_timeout(value: timedelta) -> float:
    """Return *value* in seconds, or raise InvalidInput unless it is a duration of zero or more."""
    check_kind(value, "timeout", timedelta)
    seconds = value.total_seconds()
    if seconds < 0:
        hint = f"expected zero or more, got {seconds:g} seconds; zero is one try"
        raise InvalidInput("out_of_range", "timeout", hint)
    return seconds


def check_distinct(values: Iterable[str], path: str) -> None:
    """Raise InvalidInput if one of *values* is repeated, with its position put into *path*."""
    seen: set[str] = set()
    for position, value in enumerate(values):
        if value in seen:
            hint = f"{mask_id(value)!r} is repeated; give each only once"
            raise InvalidInput("repeated", path.format(position), hint)
        seen.add(value)


def check_same(id_: str | None, wanted: str | None, field: str) -> None:
    """Raise InvalidInput unless the record in *field* has the id that the others refer to."""
    if id_ != wanted:
        expected, got = _quoted(wanted), _quoted(id_)
        hint = f"expected {expected}, which the others refer to, got {got}"
        raise InvalidInput("another_record", field, hint)


def _quoted(id_: str | None) -> str:
    return "none" if id_ is None else repr(mask_id(id_))


def _example(kind: type) -> str:
    """Name *kind*, an enum with its first member."""
    if issubclass(kind, Enum):
        return f"{kind.__name__}, such as {kind.__name__}.{next(iter(kind)).name}"
    return "None" if kind is type(None) else kind.__name__


def _converter(convert: Callable[[Any, str], Any], *unchanged: type, accepted: Any = None) -> Any:
    """Return a converter that calls *convert* with the value and the name of its field."""

    def convert_field(value: Any, field: Field) -> Any:
        return value if type(value) in unchanged else convert(value, field.name)

    # attrs shows this in the signature of the class.
    accepted = accepted or next(iter(convert.__annotations__.values()))
    convert_field.__annotations__["value"] = (
        accepted | None if type(None) in unchanged else accepted
    )
    return Converter(convert_field, takes_field=True)


class _ConverterOf:
    """Has the converter to a collection of a class, as in ``to_tuple[Activity]``."""

    def __init__(self, convert: Callable[[Any, str], Any], unchanged: type) -> None:
        self._arguments = convert, unchanged

    def __getitem__(self, kind: Any) -> Any:
        return _converter(*self._arguments, accepted=Iterable[kind])


def _ids(values: Strings, field: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(check_ids(values, field)))


def _tuple(values: Iterable[Any], field: str) -> tuple[Any, ...]:
    return check_list(values, field, empty=True)


def _set(values: Iterable[Any], field: str) -> frozenset[Any]:
    found = check_list(values, field, empty=True)
    try:
        return frozenset(found)
    except Exception as error:  # the hash of a foreign element may raise anything
        raise invalid("not_a_list", field, "expected hashable elements", values) from error


# mypy and pyright accept only functions as converters, and solve no generic ones; in attrs 24.1
# `attrs.converters.optional` takes no `Converter`.
if TYPE_CHECKING:
    # ruff: disable[D101, D102, D103, N801, SLOT001]
    def to_utc(value: datetime) -> datetime: ...
    def to_duration(value: DurationLike) -> Duration: ...
    def to_duration_or_none(value: DurationLike | None) -> Duration | None: ...
    def to_end(value: EndLike) -> End: ...
    def to_end_or_none(value: EndLike | None) -> End | None: ...
    def to_ids(values: Strings) -> tuple[str, ...]: ...
    def to_strings(values: Strings) -> tuple[str, ...]: ...
    def to_string_set(values: Strings) -> frozenset[str]: ...

    class to_tuple(tuple[T, ...]):  # type checkers take a class as a generic converter
        def __new__(cls, values: Iterable[T], /) -> Self: ...

    class to_set(frozenset[T]):
        def __new__(cls, values: Iterable[T], /) -> Self: ...

    # ruff: enable[D101, D102, D103, N801, SLOT001]
else:
    to_utc = _converter(as_utc)
    to_duration = _converter(as_duration)
    to_duration_or_none = _converter(as_duration, type(None))
    to_end = _converter(as_end)
    to_end_or_none = _converter(as_end, type(None))
    to_ids = _converter(_ids)
    to_strings = _converter(_tuple, tuple, accepted=Strings)
    to_string_set = _converter(_set, frozenset, accepted=Strings)
    to_tuple = _ConverterOf(_tuple, tuple)
    to_set = _ConverterOf(_set, frozenset)

_to_utc_or_none = _converter(as_utc, type(None))


def _text(
    check: Callable[[Any, str], Any], length: int = ID_LENGTH, *, optional: bool = False
) -> Validator:
    def validate(record: object, field: Field, value: Any) -> None:
        """Refuse what *check* refuses."""
        if type(value) is str:  # most values are short and plain, and need no further call
            if _is_plain(value, length):
                return
        elif value is None and optional:
            return
        keep(record, field, check(value, field.name))

    return validate


def keep(record: object, field: Field, value: object) -> None:
    """Set *field* of *record*, which is being made, to the plain form of its value.

    A converter would do this too, but at a cost for each of the many values that are plain.
    """
    object.__setattr__(record, field.name, value)


_check_name = partial(check_text, length=NAME_LENGTH)
identifier: Validator = _text(check_id)
identifier_or_none: Validator = _text(check_id, optional=True)
name: Validator = _text(_check_name, NAME_LENGTH)
name_or_none: Validator = _text(_check_name, NAME_LENGTH, optional=True)
long_text: Validator = _text(
    partial(check_text, length=TEXT_LENGTH, allowed=LINE_BREAKS), TEXT_LENGTH
)


def count(least: int, most: int = MAX_COUNT) -> Validator:
    """Refuse what is not a whole number from *least* to *most*."""

    def check(_: object, field: Field, value: object) -> None:
        if type(value) is not int or not least <= value <= most:
            check_count(value, field.name, least, most)

    return check


def flag(_: object, field: Field, value: object) -> None:
    """Refuse what is not ``True`` or ``False``."""
    if not is_a(value, bool):
        raise invalid("not_a_flag", field.name, "expected True or False", value)


def exact_duration(_: object, field: Field, value: object) -> None:
    """Refuse what is not a `timedelta` of up to a hundred years: months have no exact length."""
    check_kind(value, field.name, timedelta)
    # A subclass can be a number of months.
    check_kind(as_duration(cast("timedelta", value), field.name), field.name, timedelta)


def one_of(*kinds: type, exact: bool = False, optional: bool = False) -> Validator:
    """Refuse what is not an instance of *kinds*, nor ``None`` if *optional*."""
    exactly = frozenset((*kinds, type(None)) if optional else kinds)

    def check(_: object, field: Field, value: object) -> None:
        if type(value) not in exactly:
            check_kind(value, field.name, *kinds, exact=exact)

    return check


def items_of(*kinds: type, exact: bool = False) -> Validator:
    """Refuse elements that are not instances of *kinds*."""
    exactly = frozenset(kinds)

    def check(record: object, field: Field, values: Any) -> None:
        if values and not exactly.issuperset(map(type, values)):
            found = check_each(values, field.name, *kinds, exact=exact)
            keep(record, field, type(values)(found))

    return check


def at_most(most: int) -> Validator:
    """Refuse more than *most* elements."""
    return lambda _, field, values: check_number(len(values), field.name, most)


def identifiers(record: object, field: Field, values: Any) -> None:
    """Refuse elements that are not ids."""
    found = [check_id(value, field.name) for value in values]
    keep(record, field, type(values)(found))


def accepted_by(check: Callable[[Any, str], Any]) -> Validator:
    """Refuse what *check*, called with the value and the name of the field, refuses."""

    def check_value(record: object, field: Field, value: object) -> None:
        if is_a(value, str):
            keep(record, field, value := plain(value))
        check(value, field.name)

    return check_value


def each(check: Callable[[Any, str], Any]) -> Validator:
    """Refuse elements that *check*, called with the element and its path, refuses."""

    def check_all(record: object, field: Field, values: Iterable[Any]) -> None:
        found = tuple(map(plain, values))
        keep(record, field, found)
        collect(found, check, field.name)

    return check_all


def after(start: str) -> Validator:
    """Refuse a datetime that is not after the field *start*, unless one of them is ``None``."""

    def check(record: object, field: Field, value: datetime | None) -> None:
        first: datetime | None = getattr(record, start)
        if value is not None and first is not None and value <= first:
            raise not_after(field.name, value, start, first)

    return check


def not_after(field: str, value: datetime, start: str, first: datetime) -> InvalidInput:
    """Return the error for a datetime that is not after the field *start*."""
    hint = f"expected a datetime after {start}, {first.isoformat()}; got {value.isoformat()}"
    return InvalidInput("empty_window", field, hint)


def optional_datetime(validator: Validator | None = None) -> datetime | None:
    """Declare a field for a datetime in UTC, by default ``None``."""
    declared: Any = attrs.field(default=None, converter=_to_utc_or_none, validator=validator)
    return cast("datetime | None", declared)


def _to_utc_since_creation(value: datetime | None, record: Any, field: Field) -> datetime | None:
    if value is None:
        return None
    at = as_utc(value, field.name)
    if at < record.created_at:
        created = record.created_at.isoformat()
        hint = f"expected created_at, {created}, or a later datetime; got {at.isoformat()}"
        raise InvalidInput("before_creation", field.name, hint)
    return at


def since_creation() -> datetime | None:
    """Declare an optional UTC datetime that is not before ``created_at``, declared earlier."""
    converter: Any = Converter(_to_utc_since_creation, takes_self=True, takes_field=True)
    return cast("datetime | None", attrs.field(default=None, converter=converter))


def derived_id(*parts: str) -> str:
    """Return the id that *parts*, in this order, always give; no caller can choose such an id."""
    return DERIVED + digest(*parts)


def digest(*parts: str) -> str:
    """Return the SHA-256 of *parts* in this order, as 64 hexadecimal digits.

    The length of each part goes in before it: "ab" and "c" differ from "a" and "bc".
    """
    found = sha256()
    for part in parts:
        data = str.encode(part)
        found.update(len(data).to_bytes(8, "big") + data)
    return found.hexdigest()
