"""Errors: values that say what happened and what to do, but never the code of a training key.

`Refused`, which has a decision, is defined next to `Decision`.
"""

from collections.abc import Iterable, Sequence
from re import sub
from typing import Any, Literal, TypeAlias, get_args

import attrs

#: The longest message of an `InvalidInput`, so that it fits next to a form field.
MESSAGE_LENGTH = 200

#: How many ids or lines a message lists; it only counts the others.
MAX_NAMED = 8


class CourseAssignmentsError(Exception):
    """Base class of all errors of this library; errors with equal fields are equal.

    >>> NotFound("Course", "c-9") == NotFound("Course", "c-9")
    True
    """

    def __eq__(self, other: object) -> bool:
        """Compare class and fields, because attrs compares exceptions by identity."""
        if type(other) is not type(self):
            return NotImplemented
        return self.args == other.args

    def __hash__(self) -> int:
        """Hash class and fields."""
        return hash((type(self), self.args))

    def add_note(self, note: str, /) -> None:
        """Add *note* to the traceback, as on any exception."""
        # Before attrs 25.1 a frozen exception refuses to create this list, but not to extend it.
        self.__dict__.setdefault("__notes__", [])
        super().add_note(note)


def printable(text: str) -> str:
    """Return *text* on one line, with "?" for each character that can't be printed."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "?" for char in text)


#: How much of a value a message shows.
SHOWN_LENGTH = 40

_PLAIN_TYPES = frozenset({int, float, bool, complex, type(None)})


def received(value: object, *, secret: bool = False) -> str:
    """Say what was received: the value if it is short and plain, otherwise its type.

    Pass *secret* for a value that may be the code of a key: the message does not show it.

    >>> received(7), received("a" * 50), received("Spring-2026", secret=True)
    ('got int 7', "got str 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…'", 'got str of 11 characters')
    """
    kind = type(value)
    name = printable(str(kind.__name__))[:SHOWN_LENGTH]
    plain = kind in _PLAIN_TYPES and not secret  # a number may be a code, too
    if plain and not (kind is int and abs(value) >= 10**SHOWN_LENGTH):  # type: ignore[arg-type]
        return "got None" if value is None else f"got {name} {value!r}"
    if kind is not str:  # a foreign type may raise anything when it is shown
        return f"got {name}"
    text = str(value)
    if secret:
        return f"got str of {len(text)} characters"
    shown = text if len(text) <= SHOWN_LENGTH else text[: SHOWN_LENGTH - 1] + "…"
    return f"got str {printable(shown)!r}"


def to_words(name: str) -> str:
    """Return the words of the class name *name* in lower case."""
    return sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


def format_list(values: Sequence[object], most: int = MAX_NAMED) -> str:
    """Return the first of *values*, separated by commas, and the number of the others."""
    shown = ", ".join(str(value) for value in values[:most])
    more = len(values) - most
    return f"{shown} and {more} more" if more > 0 else shown


def name_lines(numbers: Sequence[int], most: int = MAX_NAMED) -> str:
    """Return the first of the line *numbers* in words, such as ``lines 3, 7``."""
    return f"line{'s' * (len(numbers) > 1)} {format_list(numbers, most)}"


def _name_ids(ids: Sequence[str]) -> str:
    return printable(format_list([repr(id_) for id_ in ids]))


def _to_tuple(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(values) if type(values) is list else values  # type: ignore[return-value]


def _strings(_: object, field: "attrs.Attribute[Any]", value: Any, kind: type = str) -> None:
    if value.__class__ is not tuple or not all(isinstance(one, kind) for one in value):
        raise InvalidInput("not_a_list", field.name, f"expected a tuple of {kind.__name__}")


def _string(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    if type(value) is not str:
        raise InvalidInput("not_a_text", field.name, "expected a string")


@attrs.frozen(eq=False)
class InvalidInput(CourseAssignmentsError, ValueError):
    """An argument or a field is invalid; nothing was stored and no key was used.

    Attributes:
        code: A stable word for the kind of mistake, such as ``naive_datetime``.
        field: The path to the invalid value, such as ``learners[17]``.
        hint: What was expected, or what to do.
        errors: An error for each wrong value, if the hint is about several.

    >>> print(InvalidInput("blank", "name", "give a name of 1 to 500 characters"))
    name: give a name of 1 to 500 characters
    """

    code: str
    field: str
    hint: str
    errors: tuple["InvalidInput", ...] = attrs.field(
        default=(),
        converter=_to_tuple,
        validator=lambda error, at, value: _strings(error, at, value, InvalidInput),
    )

    def __str__(self) -> str:
        message = printable(f"{self.field}: {self.hint}")
        return message if len(message) <= MESSAGE_LENGTH else message[: MESSAGE_LENGTH - 1] + "…"


@attrs.frozen(eq=False)
class NotFound(CourseAssignmentsError, LookupError):
    """No record of this kind has this id.

    Attributes:
        kind: The class name of the record, such as ``Course``.
        also: The kinds and ids of other records that the same call did not find.

    >>> print(NotFound("Course", "rust", (NotFound("User", "ed"), NotFound("User", "flo"))))
    Not found: course 'rust', users 'ed', 'flo'.
    """

    kind: str
    id: str
    also: tuple["NotFound", ...] = attrs.field(
        default=(),
        converter=_to_tuple,
        validator=lambda error, at, value: _strings(error, at, value, NotFound),
    )

    @classmethod
    def raise_any(cls, missing: Iterable[tuple[str, str]]) -> None:
        """Raise one error that names every (kind, id) of *missing*, if any."""
        errors = [cls(kind, id_) for kind, id_ in missing]
        if errors:
            raise attrs.evolve(errors[0], also=tuple(errors[1:]))

    def __str__(self) -> str:
        ids: dict[str, list[str]] = {}
        for one in (self, *self.also):
            ids.setdefault(one.kind, []).append(one.id)
        found = (f"{_name_kind(kind, len(some))} {_name_ids(some)}" for kind, some in ids.items())
        return printable(f"Not found: {', '.join(found)}.")


def _name_kind(kind: str, number: int) -> str:
    words = to_words(kind)
    if number == 1:
        return words
    return f"{words}es" if words.endswith("ch") else f"{words}s"


#: Why there is a conflict; see `Conflict`.
ConflictCode: TypeAlias = Literal["changed", "id_taken"]


def _conflict_code(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    if type(value) is not str or value not in get_args(ConflictCode):
        raise InvalidInput("wrong_type", field.name, "expected changed or id_taken")


@attrs.frozen(eq=False)
class Conflict(CourseAssignmentsError):
    """A stored record is not what this change expects; nothing was stored.

    Attributes:
        code: ``changed`` if someone else created or changed a record; try again.
            ``id_taken`` if a different record has the id that you passed; pass another id.

    >>> print(Conflict(("a-1",)))
    'a-1' was changed by someone else; try again.
    >>> print(Conflict(("bo",), "id_taken"))
    A different record with id 'bo' exists; use update() or another id.
    """

    ids: tuple[str, ...] = attrs.field(converter=_to_tuple, validator=_strings)
    code: ConflictCode = attrs.field(default="changed", validator=_conflict_code)

    def __str__(self) -> str:
        ids, several = _name_ids(self.ids) or "A record", len(self.ids) > 1
        if self.code == "changed":
            return f"{ids} {'were' if several else 'was'} changed by someone else; try again."
        if several:
            return f"Different records with ids {ids} exist; use update() or other ids."
        return f"A different record with id {ids} exists; use update() or another id."


@attrs.frozen(eq=False)
class StorageBusy(CourseAssignmentsError):
    """A lock could not be obtained in time; nothing was stored.

    >>> print(StorageBusy("database is locked"))
    The storage was busy for too long (database is locked). Nothing was stored; try again later.
    """

    hint: str = attrs.field(validator=_string)

    def __str__(self) -> str:
        message = f"The storage was busy for too long ({self.hint})."
        return printable(f"{message} Nothing was stored; try again later.")


@attrs.frozen(eq=False)
class OutcomeUnknown(CourseAssignmentsError):
    """The connection was lost during a commit: everything was stored, or nothing.

    Attributes:
        ids: The ids of the records to create, or else to change.

    >>> print(OutcomeUnknown(("a-1",)))
    It is unknown whether 'a-1' was stored. Call again with the same id, or look it up.
    """

    ids: tuple[str, ...] = attrs.field(converter=_to_tuple, validator=_strings)

    def __str__(self) -> str:
        ids = _name_ids(self.ids) or "the change"
        stored, advice = "was stored", "Call again with the same id, or look it up."
        if len(self.ids) > 1:
            stored, advice = "were stored", "Call again with the same ids, or look them up."
        return f"It is unknown whether {ids} {stored}. {advice}"


@attrs.frozen(eq=False)
class StorageError(CourseAssignmentsError):
    """The storage failed; nothing was stored.

    >>> print(StorageError("disk_full", "database or disk is full"))
    The storage failed and nothing was stored: database or disk is full
    """

    code: str = attrs.field(validator=_string)
    hint: str = attrs.field(validator=_string)

    def __str__(self) -> str:
        return printable(f"The storage failed and nothing was stored: {self.hint}")
