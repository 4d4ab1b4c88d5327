"""Convert records to JSON, exactly and back, and to plain data.

`from_json` accepts only strings that `to_json` writes. For any other string it raises an
`InvalidInput` that names the path of the wrong part.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache, partial, reduce
from operator import attrgetter
from types import NoneType
from typing import Any, Final, NamedTuple, get_args, get_origin

import attr
import attrs

from course_assignments import validation
from course_assignments.changes import KINDS, Event, Record
from course_assignments.entities.assignments import Origin
from course_assignments.errors import InvalidInput, invalid
from course_assignments.serialization.strict_json import read_json, write_json
from course_assignments.time.datetimes import as_utc
from course_assignments.time.durations import Duration, Months, format_duration, parse_duration

#: The version of the JSON format, which is in every string.
VERSION: Final = 1

#: The path of the outermost value.
_HERE: Final = "value"

_KINDS: Final[dict[str, type[Any]]] = {kind.__name__: kind for kind in (*KINDS, Event)}
_ORIGINS: Final[dict[str, type[Any]]] = {kind.__name__: kind for kind in get_args(Origin)}


def to_json(record: Record | Event) -> str:
    """Return *record* as one line of JSON: type, version of the format, and data.

    Equal records give equal strings. A record of more than one mebibyte raises `InvalidInput`.

    >>> text = to_json(Organization(id="acme", name="Acme"))
    >>> text[:49]
    '{"data":{"anonymous_registration":false,"id":"acm'
    >>> from_json(text).name
    'Acme'
    """
    validation.check_kind(record, "record", *_KINDS.values(), exact=True)
    data = _within("record", write_value, record, type(record))
    return write_json({"type": type(record).__name__, "version": VERSION, "data": data}, "record")


def from_json(text: str) -> Record | Event:
    """Return the record or event that `to_json` wrote as *text*.

    The field of an error is a path, such as ``data.activities[1].kind``.

    >>> from_json('{"type": "Course", "version": 2, "data": {}}')
    Traceback (most recent call last):
        ...
    course_assignments.errors.InvalidInput: version: expected 1; a newer release may read it, ...
    """
    envelope = read_json(text, "text")
    _check_keys(envelope, ("type", "version", "data"), "text")
    kind = _kind_named(envelope["type"], _KINDS)
    if type(envelope["version"]) is not int or envelope["version"] != VERSION:
        hint = f"expected {VERSION}; a newer release may read it"
        raise invalid("unknown_version", "version", hint, envelope["version"])
    record: Record | Event = _within("data", read_value, envelope["data"], kind)
    return record


def to_dict(record: Record | Event) -> dict[str, Any]:
    """Return the fields of *record* as plain data, such as for a data frame or a log.

    Enum members become their values, durations ISO 8601 strings, tuples lists, frozensets sorted
    lists and nested records dicts. Datetimes stay aware datetimes in UTC. The code of a key is not
    masked.

    >>> course = to_dict(Course(id="py", name="Python", maximum_access=timedelta(days=90)))
    >>> course["maximum_access"], course["activities"]
    ('P90D', [])
    """
    validation.check_kind(record, "record", *_KINDS.values(), exact=True)
    return attr.asdict(record, value_serializer=_plain)  # `attrs.asdict` would keep tuples


def _plain(_: object, __: object, value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, timedelta | Months):
        return format_duration(value)
    return sorted(value) if value.__class__ is frozenset else value


# --- Values by the type of their field -----------------------------------------------------------


def write_value(value: Any, kind: Any) -> Any:
    """Return *value* of the type *kind* as data for JSON.

    >>> write_value(Months(6), Duration), write_value(frozenset({"b", "a"}), frozenset[str])
    ('P6M', ['a', 'b'])
    """
    return _form_of(kind).write(value)


def read_value(data: Any, kind: Any) -> Any:
    """Return the value of the type *kind* that `write_value` wrote as *data*.

    >>> read_value("P6M", Duration), read_value(["a", "b"], tuple[str, ...])
    (Months(count=6), ('a', 'b'))
    """
    return _form_of(kind).read(data)


class _Form(NamedTuple):
    """The functions that write and read values of one type."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _form_of(kind: Any) -> _Form:
    """Return the form of *kind*, which a caller passed."""
    try:
        return _form(kind)
    except Exception as error:  # a foreign type may raise anything
        expected = "expected the type of a field of a record, such as Duration"
        raise invalid("wrong_type", "kind", expected, kind) from error


@cache
def _form(kind: Any) -> _Form:
    """Return the form of *kind*, which is a class of records or the type of a field."""
    parts = get_args(kind)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if NoneType in parts:
        present: list[Any] = [one for one in parts if one is not NoneType]
        form = _form(reduce(lambda one, other: one | other, present))
        return _Form(partial(_unless_none, form.write), partial(_unless_none, form.read))
    if parts:
        return _many(get_origin(kind), _form(parts[0]))
    if issubclass(kind, Enum):
        return _member(kind)
    return _record(kind)


def _within(step: str, function: Callable[..., Any], *args: Any) -> Any:
    """Return ``function(*args)``; put *step* before the path in an error."""
    try:
        return function(*args)
    except InvalidInput as error:
        found = [attrs.evolve(one, field=_path(step, one.field)) for one in error.errors]
        raise InvalidInput.of(found) from None


def _each(steps: Iterable[tuple[str, Callable[[Any], Any], Any]]) -> list[Any]:
    """Return what each function returns for its value; one error has those of all steps."""
    return validation.gather(partial(_within, *step) for step in steps)


def _path(step: str, rest: str) -> str:
    if rest == _HERE:
        return step
    return f"{step}{rest}" if rest.startswith("[") else f"{step}.{rest}"


def _exactly(kind: type, hint: str, value: Any, field: str = _HERE) -> Any:
    if type(value) is not kind:
        raise invalid("wrong_type", field, hint, value)
    return value


def _check_keys(data: Any, names: Collection[str], field: str = _HERE) -> None:
    _exactly(dict, "expected an object", data, field)
    if not data.keys() <= set(names):
        raise InvalidInput("unknown_key", field, f"expected no keys but {', '.join(names)}")
    for name in names:
        if name not in data:
            raise InvalidInput("missing_key", name, "expected this key; null means no value")


def _kind_named(name: Any, kinds: Mapping[str, type[Any]]) -> type[Any]:
    if type(name) is not str or name not in kinds:
        raise invalid("unknown_type", "type", f"expected one of {', '.join(kinds)}", name)
    return kinds[name]


def _record(kind: Any) -> _Form:
    forms = {at.name: _form(at.type) for at in attrs.fields(kind)}

    def write(record: Any) -> dict[str, Any]:
        validation.check_kind(record, _HERE, kind, exact=True)
        steps = ((name, form.write, getattr(record, name)) for name, form in forms.items())
        return dict(zip(forms, _each(steps), strict=True))

    def read(data: Any) -> Any:
        _check_keys(data, forms)
        steps = ((name, form.read, data[name]) for name, form in forms.items())
        return kind(**dict(zip(forms, _each(steps), strict=True)))

    return _Form(write, read)


def _many(container: Any, form: _Form) -> _Form:
    def each(function: Callable[[Any], Any], values: Any) -> list[Any]:
        return _each((f"[{place}]", function, one) for place, one in enumerate(values))

    def write(values: Any) -> list[Any]:
        written = each(form.write, values)
        return sorted(written) if container is frozenset else written

    def read(data: Any) -> Any:
        found = container(each(form.read, _exactly(list, "expected a list", data)))
        if len(found) < len(data):
            raise InvalidInput("repeated", _HERE, "expected each element once")
        return found

    return _Form(write, read)


def _unless_none(function: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else function(value)


def _write_origin(origin: Any) -> dict[str, Any]:
    return {"type": type(origin).__name__, **write_value(origin, type(origin))}


def _read_origin(data: Any) -> Any:
    rest = {**_exactly(dict, "expected an object with a type", data)}
    return read_value(rest, _kind_named(rest.pop("type", None), _ORIGINS))


def _member(kind: type[Enum]) -> _Form:
    members = {member.value: member for member in kind}

    def read(data: Any) -> Enum:
        if type(data) in {str, int} and data in members:
            return members[data]
        raise invalid(
            "unknown_value", _HERE, f"expected one of {', '.join(map(str, members))}", data
        )

    return _Form(attrgetter("value"), read)


def _write_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput("unprintable", _HERE, "remove lone surrogates") from None
    return text


def _read_text(data: Any) -> str:
    return _write_text(_exactly(str, "expected a string", data))


def _write_datetime(value: datetime) -> str:
    # Always the same length, so that strings sort like datetimes.
    at = as_utc(value, _HERE).replace(tzinfo=None)
    return f"{at.isoformat(timespec='microseconds')}Z"


def _read_datetime(data: Any) -> datetime:
    written = _read_text(data)
    try:
        at = datetime.fromisoformat(written).replace(tzinfo=UTC)
    except ValueError:
        at = None
    if at is None or _write_datetime(at) != written:
        hint = "expected UTC such as 2026-01-05T09:00:00.000000Z"
        raise invalid("invalid_instant", _HERE, hint, data)
    return at


def _read_duration(kinds: tuple[type, ...], data: Any) -> Duration:
    term = parse_duration(data, _HERE)
    validation.check_kind(term, _HERE, *kinds)
    return term


def _write_details(pairs: Any) -> dict[str, str]:
    return {_write_text(name): _write_text(text) for name, text in pairs}


def _read_details(data: Any) -> tuple[tuple[str, str], ...]:
    pairs = _exactly(dict, "expected an object of strings", data).items()
    return tuple(sorted((_read_text(name), _read_text(text)) for name, text in pairs))


def _same(value: Any) -> Any:
    return value


_PLAIN: Final[dict[Any, _Form]] = {
    Any: _Form(_same, _same),
    str: _Form(_write_text, _read_text),
    int: _Form(_same, partial(_exactly, int, "expected a whole number")),
    bool: _Form(_same, partial(_exactly, bool, "expected true or false")),
    datetime: _Form(_write_datetime, _read_datetime),
    timedelta: _Form(format_duration, partial(_read_duration, (timedelta,))),
    Months: _Form(format_duration, partial(_read_duration, (Months,))),
    Duration: _Form(format_duration, partial(_read_duration, get_args(Duration))),
    Origin: _Form(_write_origin, _read_origin),
    # The details of an event are pairs of strings, which become an object.
    attrs.fields(Event).details.type: _Form(_write_details, _read_details),
}
