"""Errors: values that say what happened and what to do, but never the code of a training key.

`Refused`, which has a decision, is defined next to `Decision`.
"""

from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from itertools import chain, islice
from re import sub
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, get_args

import attrs

if TYPE_CHECKING:
    from typing_extensions import TypeIs  # which type checkers know without the package
else:
    from typing import TypeGuard as TypeIs  # until Python 3.13

T = TypeVar("T")

#: The longest message of an `InvalidInput`, so that it fits next to a form field.
MESSAGE_LENGTH = 200

#: How many ids, lines or reasons a message lists; it only counts the others.
MAX_NAMED = 8

#: How many errors of fields, elements or lines one `InvalidInput` has; after them it stops.
MAX_ERRORS = 500

#: The longest message of any other error.
LONGEST_MESSAGE = 2_000

#: The least characters of a code. An id of that length may be a code in the wrong place.
MIN_CODE_LENGTH = 8


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


def shorten(text: str, length: int) -> str:
    """Return *text* on one line of at most *length* characters."""
    shown = text if len(text) <= length else text[: length - 1] + "…"
    return printable(shown)


def is_a(value: object, *kinds: type[T]) -> "TypeIs[T]":
    """Return whether *value* is an instance of one of *kinds*, whatever its ``__class__`` says.

    `isinstance` believes a lazy proxy, which names another class there or raises an error.
    """
    return issubclass(type(value), kinds)


def plain(value: Any) -> Any:
    """Return a string of a derived class as a plain `str`, and any other value as it is."""
    return str.__str__(value) if issubclass(type(value), str) else value


def mask(text: str) -> str:
    """Mask *text* except its last quarter, of at most 4 characters."""
    shown = min(4, len(text) // 4)
    return f"****-{text[len(text) - shown :]}" if shown else "****"


def mask_id(id_: str) -> str:
    """Return *id_* for a message, masked if it is as long as the code of a key.

    >>> mask_id("ada"), mask_id("Spring-2026")
    ('ada', '****-26')
    """
    return id_ if len(id_) < MIN_CODE_LENGTH else mask(id_)


#: From here on a number may be the code of a key.
_MAX_NUMBER = 10 ** (MIN_CODE_LENGTH - 1)

#: How much of the name of a type a message shows.
SHOWN_LENGTH = 40

_PLAIN_TYPES = frozenset({int, float, bool, complex, type(None)})


def received(value: object, *, secret: bool = False) -> str:
    """Say what was received: the value if it is short, masked if it may be a code, or its type.

    A *secret* string is masked, however short it is.

    >>> received(7), received("lab"), received("Spring-2026"), received(20260105)
    ('got int 7', "got str 'lab'", "got str '****-26'", 'got int')
    """
    kind = type(value)
    if kind is str:
        text = str(value)
        return f"got str {printable(mask(text) if secret else mask_id(text))!r}"
    shown = kind in _PLAIN_TYPES and not (kind is int and abs(value) >= _MAX_NUMBER)  # type: ignore[arg-type]
    if value is None:
        return "got None"
    if issubclass(kind, type):
        return f"got the class {shorten(str(value.__name__), SHOWN_LENGTH)}"  # type: ignore[attr-defined]
    # A foreign type may raise anything when it is shown.
    name = shorten(str(kind.__name__), SHOWN_LENGTH)
    return f"got {name} {value!r}" if shown else f"got {name}"


def check_extra(extra: str, *modules: str) -> None:
    """Raise ModuleNotFoundError, with what to install, unless all *modules* can be imported."""
    for name in modules:
        if find_spec(name) is None:
            advice = f"pip install 'course-assignments[{extra}]'"
            raise ModuleNotFoundError(f"No module named {name!r}; install it: {advice}", name=name)


def invalid(
    code: str, field: str, expected: str, value: object, *, secret: bool = False
) -> "InvalidInput":
    """Return the error for a *value* of *field* that is not as *expected*.

    >>> print(invalid("invalid_count", "uses", "expected a whole number", "7"))
    uses: expected a whole number, got str '7'
    >>> print(invalid("not_a_list", "codes", "expected a list", "Spring-2026"))
    codes: expected a list, got str '****-26'
    """
    return InvalidInput(code, field, f"{expected}, {received(value, secret=secret)}")


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


def repr_first(values: tuple[Any, ...]) -> str:
    """Return the repr of *values*; of a long tuple that of the first, and how many follow."""
    if len(values) <= MAX_NAMED:
        return repr(values)
    shown = ", ".join(map(repr, values[:MAX_NAMED]))
    return f"({shown}, and {len(values) - MAX_NAMED} more)"


#: What returns a repr for one string or several, or for none.
_Show: TypeAlias = Callable[[str | tuple[str, ...] | None], str]


def _repr_masked(mask_one: Callable[[str], str]) -> _Show:
    def show(given: str | tuple[str, ...] | None) -> str:
        """Return the repr of one string or several, each of them masked."""
        if isinstance(given, tuple):
            return repr_first((*map(mask_one, given[:MAX_NAMED]), *given[MAX_NAMED:]))
        return repr(given and mask_one(given))

    return show


#: The repr of codes.
repr_codes: _Show = _repr_masked(mask)

#: The repr of ids, of which one may be a code in the wrong place.
repr_ids: _Show = _repr_masked(mask_id)


def _name_ids(ids: Sequence[str]) -> str:
    first = [repr(mask_id(id_)) for id_ in ids[:MAX_NAMED]]
    return format_list([*first, *ids[MAX_NAMED:]])


def _repr_short(text: str | None) -> str:
    return repr(text and shorten(text, MESSAGE_LENGTH))


def _to_tuple(values: list[Any] | tuple[Any, ...]) -> tuple[Any, ...]:
    if type(values) in {list, tuple}:
        return tuple(map(plain, values))
    return values  # type: ignore[return-value]


def _to_str(value: str) -> str:
    return plain(value)  # type: ignore[no-any-return]


# Type checkers lose what is in a value once it is compared with one class.
_TUPLES = frozenset({tuple})


def _tuple_of(kind: type | None = None) -> Any:
    def check(error: object, field: "attrs.Attribute[Any]", value: Any) -> None:
        """Refuse what is not a tuple of *kind*, by default of the class of *error*."""
        wanted = kind or type(error)
        expected = f"expected a tuple of {wanted.__name__}"
        if type(value) not in _TUPLES:
            raise invalid("not_a_list", field.name, expected, value)
        for one in value:
            if type(one) is not wanted:
                raise invalid("not_a_list", field.name, expected, one)

    return check


_strings = _tuple_of(str)


def _string(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    if type(value) is not str:
        raise invalid("not_a_text", field.name, "expected a string", value)


@attrs.frozen(eq=False)
class InvalidInput(CourseAssignmentsError, ValueError):
    """An argument or a field is invalid; nothing was stored and no key was used.

    Attributes:
        code: A stable word for the kind of mistake, such as ``naive_datetime``.
        field: The path to the invalid value, such as ``learners[17]``.
        hint: What was expected, what was received, and what to do.
        also: The errors of the other invalid fields and elements of the same record, up to 499.
        summary: The message for all of them, if it is not that of the first.

    >>> print(InvalidInput("blank", "name", "give a name of 1 to 500 characters"))
    name: give a name of 1 to 500 characters
    """

    code: str = attrs.field(validator=_string)
    field: str = attrs.field(validator=_string, repr=_repr_short)
    hint: str = attrs.field(validator=_string, repr=_repr_short)
    also: tuple["InvalidInput", ...] = attrs.field(
        default=(),
        converter=_to_tuple,
        validator=_tuple_of(),
        repr=repr_first,
    )
    summary: str = attrs.field(default="", validator=_string, repr=False)

    @classmethod
    def of(cls, errors: Sequence["InvalidInput"]) -> "InvalidInput":
        """Return one error for all *errors*, at least one, and those that they name also."""
        first, *others = islice(chain.from_iterable(one.errors for one in errors), MAX_ERRORS)
        return cls(first.code, first.field, first.hint, tuple(others))

    @property
    def errors(self) -> tuple["InvalidInput", ...]:
        """One error for each invalid field or element of the record, in their order.

        >>> try:
        ...     User(id="", name="", email="ada@example.org")
        ... except InvalidInput as error:
        ...     print([one.field for one in error.errors])
        ['id', 'name']
        """
        return (InvalidInput(self.code, self.field, self.hint), *self.also)

    def __str__(self) -> str:
        if self.summary:
            return shorten(f"{self.field}: {self.summary}", MESSAGE_LENGTH)
        more = len(self.also)
        rest = f" (and {more} more)" if more else ""
        return shorten(f"{self.field}: {self.hint}", MESSAGE_LENGTH - len(rest)) + rest


@attrs.frozen(eq=False)
class NotFound(CourseAssignmentsError, LookupError):
    """No record of this kind has this id.

    Someone may have passed the code of a key in place of an id, so the message and the repr mask
    every id of 8 or more characters.

    Attributes:
        kind: The class name of the record, such as ``Course``.
        id: The whole id, for programs; don't show it to people.
        also: The kinds and ids of other records that the same call did not find.

    >>> print(NotFound("Course", "rust", (NotFound("User", "ed"), NotFound("User", "flo"))))
    Not found: course 'rust', users 'ed', 'flo'.
    """

    kind: str = attrs.field(validator=_string, repr=_repr_short)
    id: str = attrs.field(converter=_to_str, validator=_string, repr=repr_ids)
    also: tuple["NotFound", ...] = attrs.field(
        default=(),
        converter=_to_tuple,
        validator=_tuple_of(),
        repr=repr_first,
    )

    @classmethod
    def raise_any(cls, missing: Iterable[tuple[str, str]]) -> None:
        """Raise one error that names every (kind, id) of *missing*, if any."""
        errors = [cls(kind, id_) for kind, id_ in missing]
        if errors:
            raise cls(errors[0].kind, errors[0].id, tuple(errors[1:]))

    def __str__(self) -> str:
        ids: dict[str, list[str]] = {}
        for one in (self, *self.also):
            ids.setdefault(one.kind, []).append(one.id)
        found = (f"{_name_kind(kind, len(some))} {_name_ids(some)}" for kind, some in ids.items())
        return shorten(f"Not found: {', '.join(found)}.", LONGEST_MESSAGE)


def _name_kind(kind: str, number: int) -> str:
    words = to_words(kind)
    if number == 1:
        return words
    return f"{words}es" if words.endswith("ch") else f"{words}s"


#: Why there is a conflict; see `Conflict`.
ConflictCode: TypeAlias = Literal["changed", "id_taken"]


def _conflict_code(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    if type(value) is not str or value not in get_args(ConflictCode):
        raise invalid("wrong_type", field.name, "expected 'changed' or 'id_taken'", value)


#: The records that a call can change as a whole.
_UPDATABLE = frozenset({"Organization", "Course", "User"})


@attrs.frozen(eq=False)
class Conflict(CourseAssignmentsError):
    """A stored record is not what this change expects; nothing was stored.

    Attributes:
        ids: The whole ids, for programs; the message masks them as that of `NotFound` does.
        code: ``changed`` if someone else created or changed a record; try again.
            ``id_taken`` if a different record has the id that you passed; pass another id.
        kind: The class name of the records that have these ids, or ``None``.

    >>> print(Conflict(("a-1",)))
    'a-1' was changed by someone else; try again.
    >>> print(Conflict(("bo",), "id_taken", "User"))
    A different user with id 'bo' exists; change it with update(), or use another id.
    """

    ids: tuple[str, ...] = attrs.field(converter=_to_tuple, validator=_strings, repr=repr_ids)
    code: ConflictCode = attrs.field(default="changed", validator=_conflict_code)
    kind: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(_string), repr=_repr_short
    )

    def __str__(self) -> str:
        return shorten(self._message(), LONGEST_MESSAGE)

    def _message(self) -> str:
        ids, several = _name_ids(self.ids) or "A record", len(self.ids) > 1
        if self.code == "changed":
            return f"{ids} {'were' if several else 'was'} changed by someone else; try again."
        if self.kind is None:
            id_ = f"ids {ids}; use other ids" if several else f"id {ids}; use another id"
            return f"A different record or call has the {id_}. To retry, pass the same arguments."
        words = _name_kind(self.kind, len(self.ids))
        other, them = ("other ids", "them") if several else ("another id", "it")
        advice = f"change {them} with update(), or use" if self.kind in _UPDATABLE else "use"
        if several:
            return f"Different {words} with ids {ids} exist; {advice} {other}."
        return f"A different {words} with id {ids} exists; {advice} {other}."


@attrs.frozen(eq=False)
class StorageBusy(CourseAssignmentsError):
    """A lock could not be obtained in time; nothing was stored.

    >>> print(StorageBusy("database is locked"))
    The storage was busy for too long (database is locked). Nothing was stored; try again later.
    """

    hint: str = attrs.field(validator=_string, repr=_repr_short)

    def __str__(self) -> str:
        hint = shorten(self.hint, LONGEST_MESSAGE // 2)
        message = f"The storage was busy for too long ({hint})."
        return f"{message} Nothing was stored; try again later."


@attrs.frozen(eq=False)
class OutcomeUnknown(CourseAssignmentsError):
    """The connection was lost during a commit: everything was stored, or nothing.

    Attributes:
        ids: The whole ids of the records to create, or else to change; the message masks them.

    >>> print(OutcomeUnknown(("a-1",)))
    It is unknown whether 'a-1' was stored. Call again with the same id, or look it up.
    """

    ids: tuple[str, ...] = attrs.field(converter=_to_tuple, validator=_strings, repr=repr_ids)

    def __str__(self) -> str:
        ids = _name_ids(self.ids) or "the change"
        stored, advice = "was stored", "Call again with the same id, or look it up."
        if len(self.ids) > 1:
            stored, advice = "were stored", "Call again with the same ids, or look them up."
        return printable(f"It is unknown whether {ids} {stored}. {advice}")


@attrs.frozen(eq=False)
class StorageError(CourseAssignmentsError):
    """The storage failed; nothing was stored.

    >>> print(StorageError("disk_full", "database or disk is full"))
    The storage failed and nothing was stored: database or disk is full
    """

    code: str = attrs.field(validator=_string)
    hint: str = attrs.field(validator=_string, repr=_repr_short)

    def __str__(self) -> str:
        return shorten(f"The storage failed and nothing was stored: {self.hint}", LONGEST_MESSAGE)
