"""What all queries share: how they narrow, in what order they find, and how their pages follow.

Most filters are one of three kinds, which a repository may read out and search for in its own way:
a field has one of some values (`Query.where`), lies in a range (`Query.ranges`), or contains a text
(`Query.parts`). Of the kinds of records nothing is known here but their names.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, Self, TypeAlias, TypeVar

import attrs
from attrs import converters, field, validators

from course_assignments import validation
from course_assignments.changes import Event
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.attempts import Attempt
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Subscription
from course_assignments.errors import InvalidInput
from course_assignments.validation import fold_text

#: What a query may find.
Found: TypeAlias = (
    Organization
    | Course
    | User
    | CourseAssignment
    | Attempt
    | Subscription
    | KeyBatch
    | TrainingKey
    | Redemption
    | Event
)
F = TypeVar("F", bound=Found)

#: Where a record stands in the order of its kind: facts that never change, compared as they are.
Place: TypeAlias = tuple[Any, ...]

#: For fields of a record, the values of which it must have one.
Where: TypeAlias = dict[str, tuple[str | int, ...]]

#: For fields of a record, the first value that fits and the first that no longer does; ``None``
#: leaves that side open. A field that is ``None`` is in no range.
Ranges: TypeAlias = dict[str, tuple[datetime | int | None, datetime | int | None]]

#: For fields of a record that are texts, what they must contain, folded; so is the field.
Parts: TypeAlias = dict[str, str]

#: How many records a page has unless the query says otherwise, and at most.
DEFAULT_PAGE, MAX_PAGE = 100, 10_000


def _check_cursor(query: "Query[Any]", at: "attrs.Attribute[Any]", value: Any) -> None:
    if value is None:
        return
    kinds = [_kind_of_place(name) for name in query.order]
    fits = validation.is_exactly(value, tuple) and [type(one) for one in value] == kinds
    if not fits or any(getattr(one, "tzinfo", UTC) is not UTC for one in value):
        hint = "expected the cursor of the next query of a page of the same kind"
        raise InvalidInput("invalid_cursor", at.name, hint)


def _kind_of_place(name: str) -> type:
    """Return what the field *name* holds, which is part of a place."""
    return datetime if name.endswith("_at") else {"position": int}.get(name, str)


def _check_limit(_: object, at: "attrs.Attribute[int]", value: object) -> None:
    validation.check_count(value, at.name, 1, MAX_PAGE)


@attrs.frozen(kw_only=True)
class Query(Generic[F]):
    """One kind of record, narrowed by what is set, in a stated order, page by page.

    Attributes:
        limit: How many records a page has, from 1 to 10,000.
        cursor: Only what stands behind this place; the ``next`` of a page sets it.

    Example:
        >>> from course_assignments import Course, CourseQuery
        >>> CourseQuery(limit=10).matches(Course(id="py", name="Python"))
        True
    """

    #: The class of what is looked for.
    kind: ClassVar[type[Any]]
    #: The fields that a record's place in the order is made of; facts that never change, and the
    #: last of them is what the record is stored under.
    order: ClassVar[tuple[str, ...]] = ("id",)

    limit: int = field(default=DEFAULT_PAGE, validator=_check_limit)
    cursor: Place | None = field(default=None, validator=_check_cursor, repr=False)

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        return {}

    def ranges(self) -> Ranges:
        """Return the fields that are bounded, each with its half-open range."""
        return {}

    def parts(self) -> Parts:
        """Return the fields that are searched, each with the folded text that it has to contain."""
        return {}

    def matches(self, record: F) -> bool:
        """Return whether *record* is of the kind asked for and passes every filter that is set."""
        if not isinstance(record, self._kind()):
            return False
        for name, values in self.where().items():
            if getattr(record, name) not in values:
                return False
        for name, bounds in self.ranges().items():
            if not lies_within(getattr(record, name), *bounds):
                return False
        return all(part in fold_text(getattr(record, name)) for name, part in self.parts().items())

    def place(self, record: F) -> Place:
        """Return where *record* stands in the order."""
        validation.check_kind(record, "record", self._kind())
        return tuple(getattr(record, name) for name in self.order)

    def _kind(self) -> type[Any]:
        """Return the class of what is looked for; this base has none."""
        if type(self) is Query:
            raise InvalidInput("wrong_type", "query", "expected a query for one kind of record")
        return self.kind

    @property
    def start(self) -> Place | None:
        """The place behind which this query begins, or ``None`` for all."""
        return self.cursor

    def behind(self, record: F) -> Self:
        """Return the query that goes on behind *record*."""
        return attrs.evolve(self, cursor=self.place(record))


def lies_within(value: Any, start: Any, until: Any) -> bool:
    """Return whether *value* is neither ``None`` nor outside ``[start, until)``."""
    return (
        value is not None and (start is None or start <= value) and (until is None or value < until)
    )


def equal_to(**values: str | bool | None) -> Where:
    """Return what narrows to each of *values* that is set."""
    return {name: (value,) for name, value in values.items() if value is not None}


def within(**bounds: tuple[datetime | None, datetime | None]) -> Ranges:
    """Return what narrows to each of *bounds* that is not open on both sides."""
    return {name: bound for name, bound in bounds.items() if bound != (None, None)}


def containing(**texts: str | None) -> Parts:
    """Return what narrows to the fields that contain each of *texts* that is set."""
    return {name: text for name, text in texts.items() if text is not None}


def check_window(query: Query[Any], name: str) -> None:
    """Refuse a window of *query* that nothing can lie in.

    Raises:
        InvalidInput: its end does not lie after its start.
    """
    start, until = getattr(query, f"{name}_from"), getattr(query, f"{name}_until")
    if start is not None and until is not None and until <= start:
        raise InvalidInput("empty_window", f"{name}_until", f"the end must lie after {name}_from")


def id_or_none() -> Any:
    """Return a field for an id that has to be equal."""
    return field(default=None, validator=validators.optional(validation.identifier))


def instant_or_none() -> Any:
    """Return a field for an aware instant, kept in UTC."""
    return field(
        default=None,
        converter=converters.optional(validation.tidy_instant),
        validator=validators.optional(validation.instant),
    )


def flag_or_none() -> Any:
    """Return a field that narrows to one side of a question, or to neither."""
    return field(default=None, validator=validators.optional(validation.flag))


def _folded(text: str) -> str:
    return fold_text(text) if isinstance(text, str) else text


def text_or_none() -> Any:
    """Return a field for a text that is compared folded, and so is kept folded."""
    return field(
        default=None,
        converter=converters.optional(_folded),
        # Folding may lengthen a text, so it is not held to what a name may have.
        validator=validators.optional(validation.long_text),
    )
