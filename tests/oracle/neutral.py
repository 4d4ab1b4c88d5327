"""What cases are written in: no name of the library, only words of the oracle's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


@dataclass(frozen=True)
class Rec:
    """A record, or a part of one, by the neutral name of its kind."""

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def but(self, **changes: Any) -> "Rec":
        return Rec(self.kind, {**self.fields, **changes})


@dataclass(frozen=True)
class Word:
    """A member of an enum, by the neutral name of the enum and the value of the member."""

    enum: str
    value: Any


@dataclass(frozen=True)
class Months:
    """A term of calendar months."""

    count: Any


@dataclass(frozen=True)
class Ref:
    """The id of what an earlier step made; of several, of the one at *position*."""

    label: str
    position: int = 0


@dataclass(frozen=True)
class Stored:
    """The record of *kind* as it is stored under *id* when the call is made."""

    kind: str
    id: Any
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Once:
    """An iterator over *values*, which can be read only once."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Broken:
    """An iterator that gives *values* and then raises."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Call:
    """A command with its arguments."""

    command: str
    args: Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """A call that leads to a situation: so long after the start, under a label."""

    after: timedelta
    call: Call
    label: str = ""


@dataclass(frozen=True)
class Situation:
    """Steps under some policies, and the instant at which it is asked what happens next."""

    name: str
    themes: tuple[str, ...]
    steps: tuple[Step, ...] = ()
    at: timedelta = timedelta(0)
    policies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: In force only once the steps are done.
    later: Mapping[str, Mapping[str, Any]] | None = None


class Id(str):
    """A text that is an id: one that the library made up is written as a number."""

    __slots__ = ()
