"""Records as JSON and back, exactly: equal records give equal texts, and nothing is ever guessed.

Needs the extra ``cattrs``. What is read has to be what would be written, key for key and type for
type; anything else is an `InvalidInput` that names the place and never shows what stood there.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial, reduce
from operator import eq
from types import NoneType, UnionType
from typing import Any, Final, TypeAlias, Union, get_args, get_origin

import attrs
from cattrs import Converter

from course_assignments import validation
from course_assignments.changes import KINDS, Event, Record
from course_assignments.entities import enums
from course_assignments.entities.assignments import Origin
from course_assignments.errors import InvalidInput
from course_assignments.serialization.strict_json import read_json, write_json
from course_assignments.time.datetimes import as_utc
from course_assignments.time.durations import Duration, Months, format_duration, parse_duration

#: The version of the format, which stands in every text.
VERSION: Final = 1

#: The path of what is looked at, as long as nobody has said which part of what it is.
_HERE: Final = "value"

_BY_NAME: Final[dict[str, type[Any]]] = {kind.__name__: kind for kind in (*KINDS, Event)}
_ORIGINS: Final[dict[str, type[Any]]] = {kind.__name__: kind for kind in get_args(Origin)}

_ENUMS: Final[tuple[type[Enum], ...]] = (
    enums.ActivityKind,
    enums.AssignmentStatus,
    enums.CompletionStatus,
    enums.ExpirationLimit,
    enums.Permission,
    enums.Repeat,
    enums.Role,
)

#: How an event declares its details, which JSON has a better form for: texts by their names.
_DETAILS: Final[Any] = attrs.fields(Event).details.type

_Write: TypeAlias = Callable[[Any], Any]
_Read: TypeAlias = Callable[[Any, Any], Any]


def make_converter() -> Converter:
    """Return a new converter for records, events and all that they are made of.

    It writes what JSON can hold, and reads nothing but what it would write. It is the caller's to
    extend.

    Example:
        >>> from course_assignments.entities.catalog import Organization
        >>> converter = make_converter()
        >>> data = converter.unstructure(Organization(id="acme", name="Acme"))
        >>> data["time_zone"], converter.structure(data, Organization).time_zone
        ('UTC', 'UTC')
        >>> converter.unstructure(Months(6)), converter.structure("P6M", Duration)
        ('P6M', Months(count=6))
    """
    converter = Converter()
    made: list[tuple[Callable[[Any], bool], Callable[..., _Write], Callable[..., _Read]]] = [
        (attrs.has, _record_writer, _record_reader),
        (_is_many, _many_writer, _many_reader),
        (_is_optional, _optional_writer, _optional_reader),
        (partial(eq, Origin), _origin_writer, _origin_reader),
    ]
    for fits, writer, reader in made:
        converter.register_unstructure_hook_factory(fits, partial(writer, converter))
        converter.register_structure_hook_factory(fits, partial(reader, converter))
    alias: list[tuple[Any, _Write, _Read]] = [
        (Duration, format_duration, _read_term),
        (_DETAILS, _write_details, _read_details),
    ]
    for kind, write, read in alias:
        converter.register_unstructure_hook_func(partial(eq, kind), write)
        converter.register_structure_hook_func(partial(eq, kind), read)
    plain: list[tuple[type, _Write, _Read]] = [
        (str, _text, _read_text),
        (int, _same, partial(_exactly, hint="expected a whole number")),
        (bool, _same, partial(_exactly, hint="expected true or false")),
        (datetime, _write_instant, _read_instant),
        (timedelta, format_duration, _read_term),
        (Months, format_duration, _read_term),
        *((kind, _write_member, _read_member) for kind in _ENUMS),
    ]
    for kind, write, read in plain:
        converter.register_unstructure_hook(kind, write)
        converter.register_structure_hook(kind, read)
    return converter


def to_json(record: Record | Event) -> str:
    """Write *record* as one line of JSON: its type, the version of the format, and its data.

    Raises:
        InvalidInput: it is neither a record nor an `Event`, or has over a mebibyte of text.

    Example:
        >>> from course_assignments.entities.catalog import Organization
        >>> text = to_json(Organization(id="acme", name="Acme"))
        >>> text[:49]
        '{"data":{"anonymous_registration":false,"id":"acm'
        >>> from_json(text).name
        'Acme'
    """
    validation.check_record(record, "record", *_BY_NAME.values())
    data = _at("record", _CONVERTER.unstructure, record)
    return write_json({"type": type(record).__name__, "version": VERSION, "data": data}, "record")


def from_json(text: str) -> Record | Event:
    """Return the record or event that `to_json` wrote as *text*.

    Raises:
        InvalidInput: it is no such text; the field says where, as ``data.activities[1].kind`` does.

    Example:
        >>> from_json('{"type": "Course", "version": 2, "data": {}}')
        Traceback (most recent call last):
            ...
        course_assignments.errors.InvalidInput: version: expected 1; a newer release may read it
    """
    envelope = read_json(text, "text")
    _check_keys(envelope, ("type", "version", "data"), "text")
    kind = _kind_of(envelope["type"], _BY_NAME)
    if type(envelope["version"]) is not int or envelope["version"] != VERSION:
        hint = f"expected {VERSION}; a newer release may read it"
        raise InvalidInput("unknown_version", "version", hint)
    record: Record | Event = _at("data", _CONVERTER.structure, envelope["data"], kind)
    return record


def _at(step: str, function: Callable[..., Any], *args: Any) -> Any:
    """Call *function*, and let an error of it name the path that begins with *step*."""
    try:
        return function(*args)
    except InvalidInput as error:
        rest = error.field if error.field.startswith("[") else f".{error.field}"
        path = step if error.field == _HERE else step + rest
        raise attrs.evolve(error, field=path) from None


def _exactly(value: Any, kind: Any, hint: str, here: str = _HERE) -> Any:
    if type(value) is not kind:
        raise InvalidInput("wrong_type", here, hint)
    return value


def _check_keys(data: Any, names: tuple[str, ...], here: str = _HERE) -> None:
    _exactly(data, dict, "expected an object", here)
    if not data.keys() <= set(names):
        raise InvalidInput("unknown_key", here, f"expected no keys but {', '.join(names)}")
    for name in names:
        if name not in data:
            raise InvalidInput("missing_key", name, "expected this key; null stands for nothing")


def _kind_of(name: Any, kinds: dict[str, type[Any]]) -> type[Any]:
    if type(name) is not str or name not in kinds:
        raise InvalidInput("unknown_type", "type", f"expected one of {', '.join(kinds)}")
    return kinds[name]


def _same(value: Any) -> Any:
    return value


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInput("unprintable", _HERE, "take out the lone surrogates") from None
    return value


def _read_text(value: Any, _: Any = str) -> str:
    return _text(_exactly(value, str, "expected a text"))


def _write_instant(value: datetime) -> str:
    # As long as any other, so that texts sort as instants do.
    at = as_utc(value, _HERE).replace(tzinfo=None)
    return f"{at.isoformat(timespec='microseconds')}Z"


def _read_instant(text: Any, _: Any) -> datetime:
    written = _read_text(text)
    try:
        at = datetime.fromisoformat(written).replace(tzinfo=UTC)
    except ValueError:
        at = None
    if at is None or _write_instant(at) != written:
        hint = "expected UTC such as 2026-01-05T09:00:00.000000Z"
        raise InvalidInput("invalid_instant", _HERE, hint)
    return at


def _read_term(text: Any, kind: Any) -> Duration:
    term = parse_duration(text, _HERE)
    validation.check_kind(term, _HERE, *(get_args(kind) or (kind,)))
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
    _exactly(data, dict, "expected an object of texts")
    return tuple(sorted((_read_text(name), _read_text(text)) for name, text in data.items()))


def _record_writer(converter: Converter, kind: Any) -> _Write:
    writers = {at.name: converter.get_unstructure_hook(at.type) for at in attrs.fields(kind)}

    def write(record: Any) -> dict[str, Any]:
        validation.check_record(record, _HERE, kind)
        return {name: _at(name, one, getattr(record, name)) for name, one in writers.items()}

    return write


def _record_reader(converter: Converter, kind: Any) -> _Read:
    types = {at.name: at.type for at in attrs.fields(kind)}
    readers = {name: converter.get_structure_hook(type_) for name, type_ in types.items()}

    def read(data: Any, _: Any) -> Any:
        _check_keys(data, (*types,))
        return kind(**{name: _at(name, readers[name], data[name], types[name]) for name in types})

    return read


def _is_many(kind: Any) -> bool:
    """Return whether *kind* is a frozenset, or a tuple of any length."""
    any_length = get_args(kind)[1:] == (...,)
    return get_origin(kind) is frozenset or (get_origin(kind) is tuple and any_length)


def _many_writer(converter: Converter, kind: Any) -> _Write:
    write_one = converter.get_unstructure_hook(get_args(kind)[0])

    def write(values: Any) -> list[Any]:
        written = [_at(f"[{place}]", write_one, one) for place, one in enumerate(values)]
        return sorted(written) if get_origin(kind) is frozenset else written

    return write


def _many_reader(converter: Converter, kind: Any) -> _Read:
    container: Any = get_origin(kind)
    element = get_args(kind)[0]
    read_one = converter.get_structure_hook(element)

    def read(data: Any, _: Any) -> Any:
        _exactly(data, list, "expected a list")
        values = [_at(f"[{place}]", read_one, one, element) for place, one in enumerate(data)]
        found = container(values)
        if len(found) < len(values):
            raise InvalidInput("repeated", _HERE, "expected each of them once")
        return found

    return read


def _is_optional(kind: Any) -> bool:
    return get_origin(kind) in {Union, UnionType} and NoneType in get_args(kind)


def _present(kind: Any) -> Any:
    """Return what *kind* is when it is not ``None``."""
    kinds: list[Any] = [one for one in get_args(kind) if one is not NoneType]
    return reduce(lambda one, other: one | other, kinds)


def _optional_writer(converter: Converter, kind: Any) -> _Write:
    write_one = converter.get_unstructure_hook(_present(kind))
    return lambda value: None if value is None else write_one(value)


def _optional_reader(converter: Converter, kind: Any) -> _Read:
    present = _present(kind)
    read_one = converter.get_structure_hook(present)
    return lambda data, _: None if data is None else read_one(data, present)


def _origin_writer(converter: Converter, _: Any) -> _Write:
    return lambda origin: {"type": type(origin).__name__, **converter.unstructure(origin)}


def _origin_reader(converter: Converter, _: Any) -> _Read:
    def read(data: Any, _: Any) -> Any:
        _exactly(data, dict, "expected an object with a type")
        kind = _kind_of(data.get("type"), _ORIGINS)
        rest = {name: value for name, value in data.items() if name != "type"}
        return converter.structure(rest, kind)

    return read


_CONVERTER: Final = make_converter()
