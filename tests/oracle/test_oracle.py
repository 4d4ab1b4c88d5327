"""The library behaves as it did when `oracle.record` wrote it down.

When something is renamed, `oracle.adapter` is edited and this stays green. When a difference is
wanted, ``PYTHONPATH=src python -m tests.oracle.record`` writes all of it anew, and with ``forms``
behind it only what other programs read.
"""

import json
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from typing import Any

import pytest

from tests.oracle import record

MOST_SHOWN = 12


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Go through the places where *after* is not *before*."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({*before, *after}):
            here = f"{path} / {name}" if path else name
            if name not in after:
                yield f"{here}: gone, was {before[name]!r:.300}"
            elif name not in before:
                yield f"{here}: new, is {after[name]!r:.300}"
            else:
                yield from differences(before[name], after[name], here)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for position, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{path} [{position}]")
    elif isinstance(before, str) and isinstance(after, str) and before != after:
        same = takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))
        start = max(0, len([*same]) - 40)
        yield f"{path}: was {before[start:]!r:.300}, is {after[start:]!r:.300}"
    elif before != after or type(before) is not type(after):
        yield f"{path}: was {before!r:.300}, is {after!r:.300}"


def report(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Return the first differences in words, and how many cases differ."""
    differing = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    found = [*differences(before, after)]
    shown = "\n  ".join(found[:MOST_SHOWN])
    more = f"\n  and {len(found) - MOST_SHOWN} more" if len(found) > MOST_SHOWN else ""
    return f"{len(differing)} of {len(before)} cases differ:\n  {shown}{more}" if found else ""


@cache
def recorded() -> dict[str, dict[str, Any]]:
    return record.read_data()


@pytest.mark.parametrize("group", record.groups())
def test_everything_comes_out_as_it_did(group: str) -> None:
    said = report(recorded()[group], record.collected(group))
    if said:
        pytest.fail(said, pytrace=False)


def test_no_group_is_left_out() -> None:
    assert recorded().keys() == record.groups().keys()


def test_what_other_programs_read_is_written_as_it_was() -> None:
    said = report(json.loads(record.FORMS.read_text()), record.forms())
    if said:
        pytest.fail(said, pytrace=False)


def test_each_kind_of_difference_is_seen() -> None:
    before = {"a": {"x": [1, 2], "y": None}, "b": {}}
    after = {"a": {"x": [1, True], "z": 1}, "c": {}}
    assert [*differences(before, after)] == [
        "a / x [1]: was 2, is True",
        "a / y: gone, was None",
        "a / z: new, is 1",
        "b: gone, was {}",
        "c: new, is {}",
    ]
    assert report(before, after).startswith("3 of 2 cases differ")
    assert not report(before, before)
