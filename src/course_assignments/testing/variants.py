"""Variants of records: a valid edit of each kind, other values for each field."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import attrs

from course_assignments.changes import R
from course_assignments.errors import InvalidInput
from course_assignments.testing import samples
from course_assignments.time.datetimes import TICK
from course_assignments.time.durations import Months


def edited(record: R) -> R:
    """Return *record* with a valid change."""
    return attrs.evolve(record, **samples.EDITS[type(record)])


def variants(record: Any) -> Iterator[tuple[str, Any]]:
    """Yield the name of each field, and *record* with another value of this field.

    The value is close to the value of *record*, or else from another sample of its kind.
    """
    kind: type[Any] = record.__class__
    for field in attrs.fields(kind):
        value = getattr(record, field.name)
        others = (getattr(one, field.name) for one in samples.RECORDS if type(one) is type(record))
        near = [*_with(record, field.alias, (*_near(value), None))]
        yield from ((field.name, one) for one in near or _with(record, field.alias, others))


def _with(record: Any, name: str, values: Iterable[Any]) -> Iterator[Any]:
    """Yield *record* with each of *values* that is valid and different."""
    for value in values:
        try:
            variant = attrs.evolve(record, **{name: value})
        except InvalidInput:
            continue
        if variant != record:
            yield variant


def _near(value: Any) -> Iterator[Any]:
    """Yield values that differ from *value* in case, order or length, or by a tick."""
    match value:
        case bool():
            yield not value
        case Enum():
            yield from type(value)
        case int():
            yield from (value - 1, value + 1)
        case str():
            yield value.swapcase()
        case datetime():
            yield from (value - TICK, value + TICK)
        case timedelta():
            yield from (value + TICK, Months(1))
        case Months():
            yield from (Months(value.count + 1), value.count * timedelta(days=30))
        case tuple() | frozenset():
            kind: Any = tuple if isinstance(value, tuple) else frozenset
            items: list[Any] = [*value] or [None]
            first, rest = items[0], items[1:]
            yield from (kind(rest), kind([*rest, first]))
            yield from (kind([*rest, other]) for other in _near(first))
        case _:
            if attrs.has(value.__class__):
                yield from (variant for _, variant in variants(value))
