"""The errors that may leave this library, each a value that says what to do.

Seven kinds and their common base, so that one ``except`` catches them all. `Refused`, which carries
a decision, stands beside `Decision`. No message here ever shows the code of a training key.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

#: The longest message that an `InvalidInput` shows: it has to fit in one line beside a form field.
MESSAGE_LENGTH = 200

#: How many lines of a pasted text, or ids of a whole roster, one message names.
MAX_NAMED = 8


class CourseAssignmentsError(Exception):
    """The base of every error of this library; two of them are equal when their fields are.

    Example:
        >>> NotFound("Course", "c-9") == NotFound("Course", "c-9")
        True
    """

    def __eq__(self, other: object) -> bool:
        """Compare by class and fields: attrs leaves exceptions comparing by identity."""
        if type(other) is not type(self):
            return NotImplemented
        return self.args == other.args

    def __hash__(self) -> int:
        """Hash by class and fields, as they compare."""
        return hash((type(self), self.args))

    def add_note(self, note: str, /) -> None:
        """Add *note* to what a traceback shows, as on any exception."""
        # attrs before 25.1 refuses the first note on a frozen exception; to a list it can be added.
        self.__dict__.setdefault("__notes__", [])
        super().add_note(note)


def _plain(text: str) -> str:
    """Keep *text* printable and on one line, whatever was put in."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


@attrs.frozen(eq=False)
class InvalidInput(CourseAssignmentsError, ValueError):
    """Something handed in is not what it has to be; nothing was stored or used up.

    Attributes:
        code: A stable word for the kind of mistake, such as ``naive_datetime``.
        field: The path to what was wrong, such as ``learners[17]``.
        hint: What was expected, and what to do.

    Example:
        >>> print(InvalidInput("blank", "name", "give a name of 1 to 500 characters"))
        name: give a name of 1 to 500 characters
    """

    code: str
    field: str
    hint: str

    def __str__(self) -> str:
        message = _plain(f"{self.field}: {self.hint}")
        return message if len(message) <= MESSAGE_LENGTH else message[: MESSAGE_LENGTH - 1] + "…"


def _enumerated(several: Sequence[object]) -> str:
    """Name *several* in a message, the first few of them."""
    shown = ", ".join(str(one) for one in several[:MAX_NAMED])
    more = len(several) - MAX_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _tuple(values: Iterable[Any]) -> tuple[Any, ...]:
    return (*values,) if values.__class__ is list else values  # type: ignore[return-value]


def _check_tuple(value: Any, field: str, kind: type) -> None:
    if value.__class__ is not tuple or not all(isinstance(one, kind) for one in value):
        raise InvalidInput("not_a_list", field, f"expected a tuple of {kind.__name__}")


def _not_founds(_: object, at: "attrs.Attribute[Any]", value: object) -> None:
    _check_tuple(value, at.name, NotFound)


def _texts(_: object, at: "attrs.Attribute[Any]", value: object) -> None:
    _check_tuple(value, at.name, str)


def _conflict_code(_: object, at: "attrs.Attribute[Any]", value: Any) -> None:
    if value.__class__ is not str or value not in {"changed", "id_taken"}:
        raise InvalidInput("wrong_type", at.name, "expected changed or id_taken")


@attrs.frozen(eq=False)
class NotFound(CourseAssignmentsError, LookupError):
    """No record of this kind has this id.

    Attributes:
        kind: The name of the kind of record, such as ``Course``.
        id: The id that nothing is stored under.
        also: What else of the same call was not found.

    Example:
        >>> print(NotFound("Course", "c-9"))
        there is no Course 'c-9'
    """

    kind: str
    id: str
    also: tuple["NotFound", ...] = attrs.field(default=(), converter=_tuple, validator=_not_founds)

    @classmethod
    def raise_any(cls, missing: Iterable[tuple[str, str]]) -> None:
        """Raise one error that names every (kind, id) of *missing*; do nothing if there is none."""
        errors = [cls(kind, id_) for kind, id_ in missing]
        if errors:
            raise attrs.evolve(errors[0], also=tuple(errors[1:]))

    def __str__(self) -> str:
        return "there is no " + ", no ".join(f"{one.kind} {one.id!r}" for one in (self, *self.also))


@attrs.frozen(eq=False)
class Conflict(CourseAssignmentsError):
    """A record is not, or no longer, what this change was made for.

    Attributes:
        ids: The ids of the records that stood in the way; the code of a key is masked.
        code: ``changed`` if a record was not, or no longer, as the change needed it: read again and
            decide anew. ``id_taken`` if something else is stored under an id that the caller gave:
            calling again will not help.

    Example:
        >>> print(Conflict(("a-1",)))
        others changed or made a-1 meanwhile; try again
        >>> print(Conflict(("a-1",), "id_taken"))
        something else is stored under a-1; give another id, or what is stored there
    """

    ids: tuple[str, ...] = attrs.field(converter=_tuple, validator=_texts)
    code: str = attrs.field(default="changed", validator=_conflict_code)

    def __str__(self) -> str:
        ids = _enumerated(self.ids)
        if self.code == "changed":
            return _plain(f"others changed or made {ids} meanwhile; try again")
        advice = "give another id, or what is stored there"
        return _plain(f"something else is stored under {ids}; {advice}")


def _text(_: object, at: "attrs.Attribute[Any]", value: object) -> None:
    if value.__class__ is not str:
        raise InvalidInput("not_a_text", at.name, "expected a text")


@attrs.frozen(eq=False)
class StorageBusy(CourseAssignmentsError):
    """Others held what had to be read or written for longer than timeout lasts; nothing is stored.

    Attributes:
        hint: What was waited for, as the storage calls it.

    Example:
        >>> print(StorageBusy("database is locked"))
        the storage was busy for too long (database is locked), nothing was stored; try again later
    """

    hint: str = attrs.field(validator=_text)

    def __str__(self) -> str:
        advice = "nothing was stored; try again later"
        return _plain(f"the storage was busy for too long ({self.hint}), {advice}")


@attrs.frozen(eq=False)
class OutcomeUnknown(CourseAssignmentsError):
    """The storage was lost while it committed: the whole change is stored, or nothing of it.

    Attributes:
        ids: The ids of what it would have made, or else changed; the code of a key is masked.

    Example:
        >>> print(OutcomeUnknown(("a-1",)))
        whether a-1 was stored is unknown; call again with the same id, or look it up
    """

    ids: tuple[str, ...] = attrs.field(converter=_tuple, validator=_texts)

    def __str__(self) -> str:
        what = _enumerated(self.ids) or "the change"
        advice = "call again with the same id, or look it up"
        return _plain(f"whether {what} was stored is unknown; {advice}")


@attrs.frozen(eq=False)
class StorageError(CourseAssignmentsError):
    """The storage could not do what it was asked; nothing is stored.

    Attributes:
        code: A stable word for what is wrong, such as ``read_only``.
        hint: What the storage said, or what to do.

    Example:
        >>> print(StorageError("disk_full", "database or disk is full"))
        the storage failed, nothing was stored: database or disk is full
    """

    code: str = attrs.field(validator=_text)
    hint: str = attrs.field(validator=_text)

    def __str__(self) -> str:
        return _plain(f"the storage failed, nothing was stored: {self.hint}")


def name_lines(numbers: Sequence[int]) -> str:
    """Name the lines of *numbers* in a message, the first few of them.

    Example:
        >>> name_lines([3]), name_lines([3, 7])
        ('line 3', 'lines 3, 7')
    """
    return f"line{'s' * (len(numbers) > 1)} {_enumerated(numbers)}"
