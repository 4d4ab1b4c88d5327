"""Records as JSON and back, exactly: equal records give equal texts, and nothing is ever guessed.

Needs the extra ``cattrs``. What is read has to be what would be written, key for key and type for
type; anything else is an `InvalidInput` that names the place and never shows what stood there.
"""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial, reduce
from operator import eq, or_
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

import attrs
from cattrs import Converter

from course_assignments import enums, fields
from course_assignments.assignments import Origin
from course_assignments.changes import KINDS, Event
from course_assignments.errors import InvalidInput
from course_assignments.instants import as_utc
from course_assignments.terms import Months, Term, format_term, parse_term

#: The version of the format, which stands in every text.
VERSION: Final = 1

#: The longest text in bytes of UTF-8, and how deep one may be nested.
LARGEST: Final = 2**20
DEEPEST: Final = 16

#: The path of what is looked at, as long as nobody has said which part of what it is.
_HERE: Final = "value"

_BY_NAME: Final[dict[str, type]] = {kind.__name__: kind for kind in (*KINDS, Event)}
_ORIGINS: Final[dict[str, type]] = {kind.__name__: kind for kind in get_args(Origin)}

#: How an event declares its details, which JSON has a better form for: texts by their names.
_DETAILS: Final = attrs.fields(Event).details.type


def make_converter() -> Converter:
    """Return a new converter for records, events and all that they are made of.

    It writes what JSON can hold, and reads nothing but what it would write. It is the caller's to
    extend.

    Example:
        >>> from course_assignments.catalog import Organization
        >>> converter = make_converter()
        >>> data = converter.unstructure(Organization(id="acme", name="Acme"))
        >>> data["time_zone"], converter.structure(data, Organization).time_zone
        ('UTC', 'UTC')
        >>> converter.unstructure(Months(6)), converter.structure("P6M", Term)
        ('P6M', Months(count=6))
    """
    converter = Converter()
    for kind, write, read in (
        (str, _text, _text),
        (int, _same, partial(_exactly, hint="expected a whole number")),
        (bool, _same, partial(_exactly, hint="expected true or false")),
        (datetime, _write_instant, _read_instant),
        (timedelta, format_term, _read_term),
        (Months, format_term, _read_term),
        (enums.ActivityKind, _write_member, _read_member),
        (enums.AssignmentStatus, _write_member, _read_member),
        (enums.CompletionStatus, _write_member, _read_member),
        (enums.ExpirationLimit, _write_member, _read_member),
        (enums.Permission, _write_member, _read_member),
        (enums.Repeat, _write_member, _read_member),
        (enums.Role, _write_member, _read_member),
    ):
        converter.register_unstructure_hook(kind, write)
        converter.register_structure_hook(kind, read)
    for fits, writer, reader in (
        (attrs.has, _record_writer, _record_reader),
        (_is_many, _many_writer, _many_reader),
        (_is_optional, _optional_writer, _optional_reader),
        (partial(eq, Origin), _origin_writer, _origin_reader),
        (partial(eq, Term), lambda *_: format_term, lambda *_: _read_term),
        (partial(eq, _DETAILS), lambda *_: _write_details, lambda *_: _read_details),
    ):
        converter.register_unstructure_hook_factory(fits, partial(writer, converter))
        converter.register_structure_hook_factory(fits, partial(reader, converter))
    return converter


def _at(step: str, function: Callable[..., Any], *args: Any) -> Any:
    """Call *function*, and let an error of it name the path that begins with *step*."""
    try:
        return function(*args)
    except InvalidInput as error:
        rest = error.field if error.field.startswith("[") else f".{error.field}"
        path = step if error.field == _HERE else step + rest
        raise attrs.evolve(error, field=path) from None


def _check_keys(data: Any, names: Collection[str], here: str = _HERE) -> None:
    if not isinstance(data, dict):
        raise InvalidInput("wrong_type", here, "expected an object")
    if data.keys() - names:
        raise InvalidInput("unknown_key", here, f"expected no keys but {', '.join(names)}")
    for name in names:
        if name not in data:
            raise InvalidInput("missing_key", name, "expected this key; null stands for nothing")


def _kind_of(tag: Any, kinds: dict[str, type]) -> type:
    if not isinstance(tag, str) or tag not in kinds:
        raise InvalidInput("unknown_type", "type", f"expected one of {', '.join(kinds)}")
    return kinds[tag]


def _same(value: Any) -> Any:
    return value


def _exactly(value: Any, kind: Any, hint: str) -> Any:
    if type(value) is not kind:
        raise InvalidInput("wrong_type", _HERE, hint)
    return value


def _text(value: Any, _: Any = str) -> str:
    if not isinstance(value, str):
        raise InvalidInput("wrong_type", _HERE, "expected a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInput("unprintable", _HERE, "take out the lone surrogates") from None
    return value


def _write_instant(value: datetime) -> str:
    at = as_utc(value, _HERE).replace(tzinfo=None)
    return f"{at.isoformat(timespec='microseconds')}Z"


def _read_instant(text: Any, _: Any) -> datetime:
    try:
        at = datetime.fromisoformat(_text(text)).replace(tzinfo=UTC)
    except InvalidInput:
        raise
    except ValueError:
        at = None
    # One instant has one text, so that texts sort as instants do.
    if at is None or _write_instant(at) != text:
        hint = "expected UTC such as 2026-01-05T09:00:00.000000Z"
        raise InvalidInput("invalid_instant", _HERE, hint)
    return at


def _read_term(text: Any, kind: Any) -> Term:
    term = parse_term(text, _HERE)
    fields.check_kind(term, _HERE, *(get_args(kind) or (kind,)))
    return term


def _write_member(member: Enum) -> Any:
    return member.value


def _read_member(value: Any, kind: Any) -> Any:
    for member in kind:
        if type(value) is type(member.value) and value == member.value:
            return member
    values = ", ".join(str(member.value) for member in kind)
    raise InvalidInput("unknown_value", _HERE, f"expected one of {values}")


def _write_details(pairs: Any) -> dict[str, str]:
    return {_text(name): _text(text) for name, text in pairs}


def _read_details(data: Any, _: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(data, dict):
        raise InvalidInput("wrong_type", _HERE, "expected an object of texts")
    return tuple(sorted(_write_details(data.items()).items()))


def _record_writer(converter: Converter, kind: Any) -> Callable[[Any], Any]:
    writers = {at.name: converter.get_unstructure_hook(at.type) for at in attrs.fields(kind)}

    def write(record: Any) -> dict[str, Any]:
        fields.check_record(record, _HERE, kind)
        return {name: _at(name, one, getattr(record, name)) for name, one in writers.items()}

    return write


def _record_reader(converter: Converter, kind: Any) -> Callable[[Any, Any], Any]:
    types = {at.name: at.type for at in attrs.fields(kind)}
    readers = {name: converter.get_structure_hook(type_) for name, type_ in types.items()}

    def read(data: Any, _: Any) -> Any:
        _check_keys(data, types)
        return kind(**{name: _at(name, readers[name], data[name], types[name]) for name in types})

    return read


def _is_many(kind: Any) -> bool:
    """Whether *kind* is a frozenset, or a tuple of any length."""
    return get_origin(kind) is frozenset or (
        get_origin(kind) is tuple and get_args(kind)[1:] == (...,)
    )


def _many_writer(converter: Converter, kind: Any) -> Callable[[Any], Any]:
    element = get_args(kind)[0]
    write_one = converter.get_unstructure_hook(element)

    def write(values: Any) -> list[Any]:
        written = [_at(f"[{place}]", write_one, one) for place, one in enumerate(values)]
        return sorted(written) if get_origin(kind) is frozenset else written

    return write


def _many_reader(converter: Converter, kind: Any) -> Callable[[Any, Any], Any]:
    element = get_args(kind)[0]
    read_one = converter.get_structure_hook(element)
    container = get_origin(kind)

    def read(data: Any, _: Any) -> Any:
        if not isinstance(data, list):
            raise InvalidInput("wrong_type", _HERE, "expected a list")
        values = [_at(f"[{place}]", read_one, one, element) for place, one in enumerate(data)]
        found = container(values)
        if len(found) < len(values):
            raise InvalidInput("repeated", _HERE, "expected each element once")
        return found

    return read


def _is_optional(kind: Any) -> bool:
    return get_origin(kind) in {Union, UnionType} and NoneType in get_args(kind)


def _present(kind: Any) -> Any:
    """Return what *kind* is when it is not ``None``."""
    return reduce(or_, (one for one in get_args(kind) if one is not NoneType))


def _optional_writer(converter: Converter, kind: Any) -> Callable[[Any], Any]:
    write_one = converter.get_unstructure_hook(_present(kind))
    return lambda value: None if value is None else write_one(value)


def _optional_reader(converter: Converter, kind: Any) -> Callable[[Any, Any], Any]:
    present = _present(kind)
    read_one = converter.get_structure_hook(present)
    return lambda data, _: None if data is None else read_one(data, present)


def _origin_writer(converter: Converter, _: Any) -> Callable[[Any], Any]:
    writers = {kind: converter.get_unstructure_hook(kind) for kind in _ORIGINS.values()}

    def write(origin: Any) -> dict[str, Any]:
        return {"type": type(origin).__name__, **writers[type(origin)](origin)}

    return write


def _origin_reader(converter: Converter, _: Any) -> Callable[[Any, Any], Any]:
    readers = {kind: converter.get_structure_hook(kind) for kind in _ORIGINS.values()}

    def read(data: Any, _: Any) -> Any:
        if not isinstance(data, dict):
            raise InvalidInput("wrong_type", _HERE, "expected an object with a type")
        kind = _kind_of(data.get("type"), _ORIGINS)
        rest = {name: value for name, value in data.items() if name != "type"}
        return readers[kind](rest, kind)

    return read
