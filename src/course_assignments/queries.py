"""What can be asked of a repository: frozen values, every filter optional.

A query says by itself whether a record matches and where the record stands in the order, so that a
repository without a search engine of its own works by filtering and sorting.
"""

from datetime import datetime
from typing import Any, ClassVar, Generic, Self, TypeAlias, TypeVar

import attrs
from attrs import converters, field, validators

from course_assignments import fields
from course_assignments.assignments import CourseAssignment
from course_assignments.attempts import Attempt
from course_assignments.catalog import Course, Organization
from course_assignments.changes import Event
from course_assignments.codes import fold, mask
from course_assignments.errors import InvalidInput
from course_assignments.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.people import User, fold_email
from course_assignments.subscriptions import Subscription

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

#: How many records a page has unless the query says otherwise, and at most.
PAGE, LARGEST_PAGE = 100, 10_000


#: For fields of a record, the values of which it must have one.
Where: TypeAlias = dict[str, tuple[str, ...]]


def _check_cursor(_: object, at: "attrs.Attribute[Any]", value: Any) -> None:
    if value is None:
        return
    known = {str, int, datetime}
    if not fields.is_exactly(value, tuple) or not all(type(one) in known for one in value):
        raise InvalidInput("invalid_cursor", at.name, "expected the cursor of a page's next query")


def _check_limit(_: object, at: "attrs.Attribute[int]", value: object) -> None:
    fields.check_count(value, at.name, 1, LARGEST_PAGE)


@attrs.frozen(kw_only=True)
class Query(Generic[F]):
    """One kind of record, narrowed by what is set, in a stated order, page by page.

    Attributes:
        limit: How many records a page has, from 1 to 10,000.
        cursor: Only what stands behind this place; the ``next`` of a page sets it.

    Example:
        >>> CourseQuery(limit=10).matches(Course(id="py", name="Python"))
        True
    """

    #: The class of what is looked for.
    kind: ClassVar[type[Any]]
    #: The fields that a record's place in the order is made of; facts that never change.
    order: ClassVar[tuple[str, ...]] = ("id",)

    limit: int = field(default=PAGE, validator=_check_limit)
    cursor: Place | None = field(default=None, validator=_check_cursor, repr=False)

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        return {}

    def matches(self, record: F) -> bool:
        """Return whether *record* is of the kind asked for and passes every filter that is set."""
        return isinstance(record, self._kind()) and all(
            getattr(record, name) in values for name, values in self.where().items()
        )

    def place(self, record: F) -> Place:
        """Return where *record* stands in the order."""
        fields.check_kind(record, "record", self._kind())
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


def _optional_id() -> Any:
    return field(default=None, validator=validators.optional(fields.identifier))


def _set(**values: str | None) -> Where:
    return {name: (value,) for name, value in values.items() if value is not None}


@attrs.frozen(kw_only=True)
class OrganizationQuery(Query[Organization]):
    """Organizations by id.

    Example:
        >>> OrganizationQuery().limit
        100
    """

    kind = Organization


@attrs.frozen(kw_only=True)
class CourseQuery(Query[Course]):
    """Courses by id.

    Example:
        >>> CourseQuery(limit=5).limit
        5
    """

    kind = Course


def _fold_email(email: str) -> str:
    return fold_email(email) if isinstance(email, str) else email


@attrs.frozen(kw_only=True)
class UserQuery(Query[User]):
    """Users by id; the e-mail address is compared as `fold_email` does.

    Example:
        >>> ada = User(id="ada", name="Ada", email="ada@example.org")
        >>> UserQuery(email="ADA@example.org").matches(ada)
        True
    """

    kind = User

    email: str | None = field(
        default=None,
        converter=converters.optional(_fold_email),
        validator=validators.optional(fields.long_text),
    )

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        return _set(folded_email=self.email)


@attrs.frozen(kw_only=True)
class AssignmentQuery(Query[CourseAssignment]):
    """Assignments from the oldest on, those of the same instant by id.

    Example:
        >>> AssignmentQuery(learner_id="ada").where()
        {'learner_id': ('ada',)}
    """

    kind = CourseAssignment
    order = ("created_at", "id")

    learner_id: str | None = _optional_id()
    course_id: str | None = _optional_id()

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        return _set(learner_id=self.learner_id, course_id=self.course_id)


@attrs.frozen(kw_only=True)
class AttemptQuery(Query[Attempt]):
    """Attempts from the first started on, those of the same instant by id.

    Example:
        >>> AttemptQuery(assignment_id="a-1", activity_id="lab").where()
        {'assignment_id': ('a-1',), 'activity_id': ('lab',)}
    """

    kind = Attempt
    order = ("started_at", "id")

    assignment_id: str | None = _optional_id()
    activity_id: str | None = _optional_id()

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        return _set(assignment_id=self.assignment_id, activity_id=self.activity_id)


@attrs.frozen(kw_only=True)
class SubscriptionQuery(Query[Subscription]):
    """Subscriptions from the oldest on, those of the same instant by id.

    Example:
        >>> SubscriptionQuery(learner_id="ada").where()
        {'learner_id': ('ada',)}
    """

    kind = Subscription
    order = ("created_at", "id")

    learner_id: str | None = _optional_id()

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        return _set(learner_id=self.learner_id)


@attrs.frozen(kw_only=True)
class BatchQuery(Query[KeyBatch]):
    """Batches of keys from the oldest on, those of the same instant by id.

    Example:
        >>> BatchQuery(course_id="py").where()
        {'course_id': ('py',)}
    """

    kind = KeyBatch
    order = ("created_at", "id")

    course_id: str | None = _optional_id()

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        return _set(course_id=self.course_id)


@attrs.frozen(kw_only=True)
class KeyQuery(Query[TrainingKey]):
    """Keys by code.

    Example:
        >>> KeyQuery(batch_ids=["spring"]).where()
        {'batch_id': ('spring',)}
    """

    kind = TrainingKey

    batch_ids: tuple[str, ...] | None = field(
        default=None,
        converter=converters.optional(fields.tidy_tuple),
        validator=validators.optional(fields.each_of(tuple, str)),
    )

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        return {} if self.batch_ids is None else {"batch_id": self.batch_ids}


def _fold_code(code: str) -> str:
    return fold(code) if isinstance(code, str) else code


@attrs.frozen(kw_only=True)
class RedemptionQuery(Query[Redemption]):
    """Redemptions from the oldest on, those of the same instant by id; a code as it was typed.

    Example:
        >>> RedemptionQuery(code=" Spring-2026 ", learner_id="ada")
        RedemptionQuery(limit=100, code='****-26', learner_id='ada')
    """

    kind = Redemption
    order = ("redeemed_at", "id")

    code: str | None = field(
        default=None,
        converter=converters.optional(_fold_code),
        validator=validators.optional(fields.name),
        repr=lambda code: repr(code and mask(code)),
    )
    learner_id: str | None = _optional_id()

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        return _set(code=self.code, learner_id=self.learner_id)


@attrs.frozen(kw_only=True)
class EventQuery(Query[Event]):
    """Events in the order in which they were stored, behind the position ``after``.

    Example:
        >>> EventQuery(after=12).after
        12
    """

    kind = Event
    order = ("position",)

    after: int = field(default=0, validator=fields.count(0))

    @property
    def start(self) -> Place:
        """The place behind which this query begins."""
        return (self.after,) if self.cursor is None else self.cursor

    def matches(self, record: Event) -> bool:
        """Return whether *record* is an event behind ``after``."""
        return isinstance(record, Event) and record.position > self.after
