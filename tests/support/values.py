"""What every record and every error of the library has to be: a value."""

from collections.abc import Callable
from copy import copy, deepcopy
from pickle import HIGHEST_PROTOCOL, dumps, loads
from typing import Any

import attrs
import pytest

from course_assignments import InvalidInput


def assert_copies_are_equal(value: Any) -> None:
    """Fail unless *value* and what copying and pickling make of it are one and the same value."""
    pickled = [
        loads(dumps(value, protocol))  # noqa: S301 - we made it ourselves
        for protocol in range(2, HIGHEST_PROTOCOL + 1)
    ]
    for other in (copy(value), deepcopy(value), *pickled):
        assert type(other) is type(value)
        assert other == value
        assert hash(other) == hash(value)


def assert_is_value(record: Any, *, keyword_only: bool = True) -> None:
    """Fail unless *record* is frozen, without a dictionary, equal by value, and takes keywords."""
    assert_copies_are_equal(record)
    names = [field.name for field in attrs.fields(type(record))]
    assert record == attrs.evolve(record)
    assert record != object()
    for name in names:
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(record, name, getattr(record, name))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        record.something_else = 1
    assert not hasattr(record, "__dict__")
    if keyword_only:
        with pytest.raises(TypeError):
            type(record)(*(getattr(record, name) for name in names))


def refusal(build: Callable[[], object]) -> InvalidInput:
    """Return the `InvalidInput` that *build* raises; fail if it raises none, or one too wordy."""
    with pytest.raises(InvalidInput) as caught:
        build()
    message = str(caught.value)
    assert len(message) <= 200
    assert message.isprintable()
    return caught.value
