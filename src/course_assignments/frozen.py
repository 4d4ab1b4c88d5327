"""Frozen classes whose errors name every invalid field, and records of checked values."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache, partial, wraps
from inspect import signature
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar, cast

import attrs

from course_assignments.errors import InvalidInput

P = ParamSpec("P")
T = TypeVar("T")

Field: TypeAlias = "attrs.Attribute[Any]"


if TYPE_CHECKING:
    from attrs import frozen as frozen  # noqa: PLC0414 - type checkers know attrs by its names
else:

    def frozen(kind: type | None = None, **options: Any) -> Any:
        """Build a class as `attrs.frozen` does; its `InvalidInput` names every invalid field."""
        if kind is None:
            return partial(frozen, **options)
        made = attrs.frozen(kind, **options)
        made.__init__ = _naming_all(made.__init__)
        made.__repr__ = _always_shown(made.__repr__)
        return made


def _always_shown(show: Any) -> Any:
    """Return the repr *show*, also for an instance whose making failed: tracebacks show it."""

    @wraps(show)
    def shown(self: Any) -> str:
        try:
            return str(show(self))
        except AttributeError:
            return f"<{type(self).__name__} with an invalid field>"

    return shown


def _naming_all(init: Any) -> Any:
    """Return *init*, which stops at the first invalid field, with an error for all of them."""

    @wraps(init)
    def init_naming_all(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            init(self, *args, **kwargs)
        except InvalidInput as error:
            given = signature(init).bind(self, *args, **kwargs).arguments
            found = _invalid_fields(self, given, error)
            if len(found) > 1:
                raise InvalidInput.of(found) from error.__cause__
            raise

    return init_naming_all


def _invalid_fields(
    record: Any, given: Mapping[str, Any], error: InvalidInput
) -> list[InvalidInput]:
    """Return an error for each invalid field of *record*, whose making stopped at *error*."""
    fields = attrs.fields(record.__class__)
    # attrs converts and sets the fields in their order, so it stopped at the first of these.
    unset = [at for at in fields if not hasattr(record, at.name)]
    found = {at.name: error for at in unset[:1]}
    for at in unset[1:]:
        _note(found, at, _convert, record, at, given)
    for at in fields:
        if hasattr(record, at.name) and at.name not in found:
            _note(found, at, attrs.setters.validate, record, at, getattr(record, at.name))
        # The filter of a query, or the lines of a paste.
        for check in at.metadata.values() if at.name not in found else ():
            _note(found, at, check, record, at)
    return [found[at.name] for at in fields if at.name in found]


def _convert(record: Any, at: Field, given: Mapping[str, Any]) -> None:
    value = given.get(str(at.alias), at.default)
    # In attrs 24.1, `attrs.setters.convert` does not know a `Converter`.
    field: Any = at
    convert = field.converter
    wanted = ((record, "takes_self"), (at, "takes_field"))
    extra = [one for one, name in wanted if getattr(convert, name, False)]
    function = getattr(convert, "converter", convert)
    if function is not None:
        value = function(value, *extra)
    object.__setattr__(record, at.name, value)


def _note(
    found: dict[str, InvalidInput], at: Field, check: Callable[..., object], *args: object
) -> None:
    """Put the error of *check*, if it raises one, into *found*."""
    with suppress(AttributeError):  # it compares the value with a field that is invalid
        try:
            check(*args)
        except InvalidInput as error:
            found[at.name] = error


def copy_with(record: T, **values: object) -> T:
    """Return *record* with *values*, which were checked, in some fields; `attrs.evolve` is slow."""
    kind: Any = type(record)
    names, read, _ = _fields(kind)
    return cast("T", _assembled(kind, names, map(values.get, names, read(record))))


def unchecked(kind: Callable[P, T]) -> Callable[P, T]:
    """Return a constructor of *kind* that checks nothing; pass checked values by keyword."""
    names, _, defaults = _fields(kind)

    def make(*_: P.args, **values: P.kwargs) -> T:
        return cast("T", _assembled(kind, names, map(values.get, names, defaults)))

    return make


@cache
def _fields(kind: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]], tuple[Any, ...]]:
    """Return the names of the fields of *kind*, what reads them all, and their defaults."""
    fields = attrs.fields(kind)
    names = tuple([one.name for one in fields])
    return names, attrgetter(*names), tuple([one.default for one in fields])


def _assembled(kind: Any, names: tuple[str, ...], values: Iterable[Any]) -> Any:
    made = object.__new__(kind)
    # `any` runs the loop in C. `__setattr__` returns None, so it never stops early.
    any(map(object.__setattr__.__get__(made), names, values))
    return made
