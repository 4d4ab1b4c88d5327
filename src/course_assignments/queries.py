"""Queries: search a repository for records.

Each field of a query declares one filter. A storage can translate them from `Query.where`,
`Query.ranges`, `Query.contains` and `Query.special`; `Query.matches` applies all to one record.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, ClassVar, Final, Generic, Literal, Self, TypeAlias, TypeVar, get_args

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.changes import Event
from course_assignments.entities.assignments import CourseAssignment, Origin
from course_assignments.entities.attempts import Attempt
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.codes import fold
from course_assignments.entities.enums import AssignmentStatus, CompletionStatus
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Subscription
from course_assignments.errors import InvalidInput, invalid, is_a, plain, repr_codes, repr_ids
from course_assignments.frozen import copy_with, frozen
from course_assignments.text import fold_text
from course_assignments.time.datetimes import as_utc, next_tick
from course_assignments.validation import Several, Strings

_Training: TypeAlias = CourseAssignment | Attempt | Subscription | KeyBatch | TrainingKey
#: The class of the records that a query finds.
RecordT = TypeVar("RecordT", bound=Organization | Course | User | _Training | Redemption | Event)

#: The position of a record in the order of its kind: the values of fields that never change.
SortKey: TypeAlias = tuple[Any, ...]

#: For each field of a record, the values that it may have.
Where: TypeAlias = dict[str, tuple[str | int, ...]]

#: A half-open range: the first value in it and the first value after it; ``None`` is unlimited.
Bounds: TypeAlias = tuple[datetime | int | None, datetime | int | None]

#: The default and the maximum number of records on a page.
DEFAULT_PAGE, MAX_PAGE = 100, 10_000

Method: TypeAlias = Literal["where", "ranges", "contains", "special"]


@frozen
class Filter:
    """The filter that one field of a query declares.

    Attributes:
        name: The field of the record; by default that of the query.
        convert: Converts what the caller passes; takes it with the name of the query's field.
        check: The validator of the query's field.
        given: Converts the value of the query's field to what the method returns.
        indexed: Whether few of many records match, so that a storage should have an index.
        reads: The other fields of the query that a special filter needs.
        fits: The predicate of a special filter; takes the query and a record.
    """

    method: Method
    name: str = ""
    convert: Callable[[Any, str], Any] | None = None
    check: Callable[..., None] | None = None
    given: Callable[[Any], Any] | None = None
    indexed: bool = False
    reads: tuple[str, ...] = ()
    fits: Callable[[Any, Any], bool] | None = None

    def __call__(self, query: "Query[Any]", at: "attrs.Attribute[Any]") -> Any:
        """Convert and check the field *at* of *query*, and return its value."""
        value = getattr(query, at.name)
        if value is None:
            return None
        if self.convert is not None:
            value = self.convert(value, at.name)
            object.__setattr__(query, at.name, value)
        if self.check is not None:
            self.check(query, at, value)
            value = getattr(query, at.name)  # a string of a derived class is now a plain one
        return value


#: The key of the filter in the metadata of an attrs field.
_FILTER: Final = "course_assignments.filter"


def filters(query: type["Query[Any]"]) -> tuple[tuple["attrs.Attribute[Any]", Filter], ...]:
    """Return the filters of the class *query*, each with its field."""
    stated = [(at, at.metadata.get(_FILTER)) for at in attrs.fields(query)]
    return tuple(
        (at, attrs.evolve(one, name=one.name or at.name)) for at, one in stated if one is not None
    )


_filters: Final[Any] = cache(filters)


def _optional(filter_: Filter, *, shown: Any = True) -> Any:
    """Declare an optional field with *filter_*; *shown* is its repr."""
    return field(default=None, repr=shown, metadata={_FILTER: filter_})


def equals(
    name: str = "",
    check: Callable[..., None] = validation.identifier,
    *,
    convert: Callable[[Any, str], Any] | None = None,
    indexed: bool = True,
    shown: Any = repr_ids,
) -> Any:
    """Declare that the record's field equals the value, which is an id by default."""
    filter_ = Filter("where", name, convert, check, lambda one: (one,), indexed)
    return _optional(filter_, shown=shown)


def is_one_of(name: str, convert: Callable[[Any, str], Any], *, shown: Any = repr_ids) -> Any:
    """Declare that the record's field is one of the values."""
    return _optional(Filter("where", name, convert, None, dict.fromkeys, indexed=True), shown=shown)


def at_least(name: str) -> Any:
    """Declare that the record's datetime *name* is the value or later."""
    return _optional(Filter("ranges", name, as_utc, None, lambda start: (start, None)))


def before(name: str) -> Any:
    """Declare that the record's datetime *name* is earlier than the value."""
    return _optional(Filter("ranges", name, as_utc, _check_window, lambda end: (None, end)))


def contains(name: str = "") -> Any:
    """Declare that the record's string contains the value; both are folded."""
    # A folded name can be longer than a name.
    return _optional(Filter("contains", name, fold_text, validation.long_text))


def special(fits: Callable[[Any, Any], bool], *reads: str, **options: Any) -> Any:
    """Declare a filter with its own predicate; SQL finds it by the field's name."""
    return _optional(Filter("special", fits=fits, reads=reads, **options))


def _check_window(query: "Query[Any]", at: "attrs.Attribute[Any]", until: datetime) -> None:
    """Raise InvalidInput if the window is empty."""
    start_name = at.name.replace("_until", "_from")
    start = getattr(query, start_name)
    valid = type(start) is datetime and start.tzinfo is UTC
    if valid and until <= start:
        raise validation.not_after(at.name, until, start_name, start)


def _fold_code(value: Any, _: str) -> Any:
    if not is_a(value, str) or len(typed := plain(value)) > validation.TEXT_LENGTH:
        return value  # which the check of the field refuses
    return fold(typed)


def _to_ids(ids: Strings, name: str) -> tuple[str, ...]:
    return validation.check_each(ids, name, str)


def _to_folded(texts: Strings, name: str) -> tuple[str, ...]:
    return tuple(validation.collect(validation.check_each(texts, name, str), fold_text, name))


def _to_codes(codes: Strings, name: str) -> tuple[str, ...]:
    return tuple(validation.collect(validation.check_each(codes, name, str), fold, name))


_TUPLES: Final = frozenset({tuple})


def _check_cursor(query: "Query[Any]", value: Any) -> None:
    kinds = [_type_of(name) for name in query.order]
    fits = type(value) in _TUPLES and [type(one) for one in value] == kinds
    if not fits or any(getattr(one, "tzinfo", UTC) is not UTC for one in value):
        hint = "expected the cursor of the next query of a page of the same kind"
        raise invalid("invalid_cursor", "cursor", hint, value)


def _type_of(name: str) -> type:
    """Return the type of *name*, a field that records are sorted by."""
    return datetime if name.endswith("_at") else {"position": int, "number": int}.get(name, str)


class _Given:
    # The values that fields may have, and the other filters that are set, with their values. Not
    # attrs fields: those of a query are its arguments.
    __slots__ = ("_others", "_where")
    _where: dict[str, Collection[Any]]
    _others: list[tuple[Filter, Any]]


@frozen(kw_only=True)
class Query(_Given, Generic[RecordT]):
    """A search for one kind of record, in a fixed order, page by page.

    All filters are optional; a record must match every one you set. A ``name`` is a part of the
    name and an ``email`` the whole address, in any case and composition. A flag that is ``False``
    finds only the opposite. An empty list finds nothing. A range includes ``_from`` and excludes
    ``_until``, and a datetime that is ``None`` is in no range. A page has up to ``limit`` records,
    from 1 to 10,000. There is one class of queries for each kind of record. A subclass of your own
    is refused, because a database does not know its filters.

    >>> CourseQuery(limit=10).matches(Course(id="py", name="Python"))
    True
    """

    #: The class of the records.
    kind: ClassVar[type[Any]] = object
    #: The fields of the sort key. They never change, and the last of them is the id.
    order: ClassVar[tuple[str, ...]] = ("id",)

    limit: int = field(default=DEFAULT_PAGE, validator=validation.count(1, MAX_PAGE))
    _cursor: SortKey | None = field(default=None, alias="cursor", repr=False)

    def __init_subclass__(cls, *, order: tuple[str, ...] = ()) -> None:
        """Take the class of the records from a base such as ``Query[Course]``."""
        super().__init_subclass__()
        for base in getattr(cls, "__orig_bases__", ()):
            for kind in get_args(base):
                cls.kind = kind
        cls.order = order or cls.order

    def __attrs_post_init__(self) -> None:
        """Convert and check the filters that are set: a query has many and sets few."""
        check_query(self)
        if self._cursor is not None:
            _check_cursor(self, self._cursor)
        where: dict[str, Collection[Any]] = {}
        others: list[tuple[Filter, Any]] = []
        errors: list[InvalidInput] = []
        for at, one in _filters(type(self)):
            if getattr(self, at.name) is None:
                continue
            try:
                value = one(self, at)
            except InvalidInput as error:
                errors.append(error)
                continue
            given = value if one.given is None else one.given(value)
            if one.method != "where":
                others.append((one, given))
            elif one.name in where:  # two filters of one field must both match
                where[one.name] = [value for value in where[one.name] if value in given]
            else:
                where[one.name] = given
        if errors:
            raise InvalidInput.of(errors)
        object.__setattr__(self, "_where", where)
        object.__setattr__(self, "_others", others)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy the arguments only; a filter has functions, which pickle refuses."""
        given = {at.alias: getattr(self, at.name) for at in attrs.fields(type(self))}
        return partial(type(self), **given), ()

    @property
    def cursor(self) -> SortKey | None:
        """The sort key after which the page starts, or ``None`` for the first page."""
        return self._cursor

    def where(self) -> Where:
        """Return the fields that are restricted to some values, with these distinct values."""
        return {name: tuple(values) for name, values in self._where.items()}

    def ranges(self) -> dict[str, Bounds]:
        """Return the fields that must be in a range, with these half-open ranges."""
        found: dict[str, Bounds] = {}
        for one, given in self._others:
            if one.method == "ranges":
                (start, until), (first, end) = given, found.get(one.name, (None, None))
                found[one.name] = first if start is None else start, end if until is None else until
        return found

    def contains(self) -> dict[str, str]:
        """Return the fields that must contain a string, with these folded strings."""
        return {one.name: part for one, part in self._others if one.method == "contains"}

    def special(self) -> dict[str, tuple[Any, ...]]:
        """Return the filters with their own predicate, with its arguments."""
        return {
            one.name: (value, *(getattr(self, name) for name in one.reads))
            for one, value in self._others
            if one.method == "special"
        }

    def matches(self, record: RecordT) -> bool:
        """Return whether *record* is of this kind and matches every filter."""
        if not is_a(record, self.kind):
            return False
        for name, values in self._where.items():
            if getattr(record, name) not in values:
                return False
        for one, given in self._others:
            if one.method == "ranges":
                fits = _lies_within(getattr(record, one.name), *given)
            elif one.method == "contains":
                fits = given in fold_text(getattr(record, one.name))
            else:
                fits = one.fits is not None and one.fits(self, record)
            if not fits:
                return False
        return True

    def sort_key(self, record: RecordT) -> SortKey:
        """Return the sort key of *record*."""
        validation.check_kind(record, "record", self.kind)
        return tuple(getattr(record, name) for name in self.order)

    def starting_after(self, record: RecordT) -> Self:
        """Return this query for the records after *record*."""
        # Not `attrs.evolve`, which would convert a long list of ids again for each page.
        rest = copy_with(self, _cursor=self.sort_key(record))
        object.__setattr__(rest, "_where", self._where)
        object.__setattr__(rest, "_others", self._others)
        return rest


def _precedes(start: Any, until: Any) -> bool:
    return start is None or until is None or start < until


def _lies_within(value: Any, start: Any, until: Any) -> bool:
    """Return whether *value* is in ``[start, until)``; ``None`` is not."""
    return value is not None and (start is None or start <= value) and _precedes(value, until)


@frozen(kw_only=True)
class OrganizationQuery(Query[Organization]):
    """Organizations by id.

    >>> OrganizationQuery(name="ACME").matches(Organization(id="o-1", name="The Acme Company"))
    True
    """

    name: str | None = contains()
    parent_id: str | None = equals(indexed=False)


@frozen(kw_only=True)
class CourseQuery(Query[Course]):
    """Courses by id.

    >>> CourseQuery(name="PYTH", archived=False).matches(Course(id="py", name="Python"))
    True
    """

    name: str | None = contains()
    archived: bool | None = equals(check=validation.flag, indexed=False, shown=True)


@frozen(kw_only=True)
class UserQuery(Query[User]):
    """Users by id.

    Attributes:
        emails: Users with one of these addresses.

    >>> ada = User(id="ada", name="Ada Lovelace", email="ada@example.org")
    >>> UserQuery(email="ADA@example.org", name="love").matches(ada)
    True
    """

    name: str | None = contains()
    email: str | None = equals("folded_email", validation.long_text, convert=fold_text, shown=True)
    emails: Several[str] | None = is_one_of("folded_email", _to_folded, shown=True)
    organization_id: str | None = equals()


def _to_completions(
    value: Iterable[CompletionStatus] | CompletionStatus, name: str
) -> tuple[CompletionStatus, ...]:
    if is_a(value, str):
        validation.check_kind(value, name, CompletionStatus)
    values = (value,) if is_a(value, CompletionStatus) else value
    return validation.check_each(values, name, CompletionStatus)


def _check_origin(_: object, at: "attrs.Attribute[Any]", value: object) -> None:
    kinds = get_args(Origin)
    if not any(value is kind for kind in kinds):
        names = " or ".join(kind.__name__ for kind in kinds)
        raise invalid("wrong_type", at.name, f"expected the class {names} itself", value)


@frozen(kw_only=True)
class AssignmentQuery(Query[CourseAssignment], order=("created_at", "id")):
    """Assignments, the oldest first; those created at the same time by id.

    Attributes:
        learner_ids, course_ids: Assignments of any of them.
        organization_id: The learner's organization at creation (rule 16).
        status: The status at the datetime ``at``; each requires the other.
        completion: The current completion status, whatever ``at`` is: one or several.
        origin: The class of the origin: `Direct`, `FromKey` or `FromSubscription`.

    >>> AssignmentQuery(learner_id="ada").where()
    {'learner_id': ('ada',)}
    """

    learner_id: str | None = equals()
    learner_ids: Several[str] | None = is_one_of("learner_id", _to_ids)
    course_id: str | None = equals()
    course_ids: Several[str] | None = is_one_of("course_id", _to_ids)
    organization_id: str | None = equals()
    status: AssignmentStatus | None = special(
        lambda query, record: record.status_at(query.at) is query.status,
        "at",
        check=validation.one_of(AssignmentStatus),
    )
    at: datetime | None = validation.optional_datetime()
    completion: Collection[CompletionStatus] | CompletionStatus | None = _optional(
        Filter("where", convert=_to_completions, given=dict.fromkeys)
    )
    origin: type[Origin] | None = special(
        lambda query, record: isinstance(record.origin, query.origin), check=_check_origin
    )
    batch_id: str | None = equals()
    subscription_id: str | None = equals()
    created_from: datetime | None = at_least("created_at")
    created_until: datetime | None = before("created_at")
    started_from: datetime | None = at_least("started_at")
    started_until: datetime | None = before("started_at")
    completed_from: datetime | None = at_least("completed_at")
    completed_until: datetime | None = before("completed_at")
    expires_from: datetime | None = at_least("expires_at")
    expires_until: datetime | None = before("expires_at")

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.status is not None and self.at is None:
            expected = "expected the datetime at which assignments have this status"
            raise invalid("missing", "at", expected, None)
        if self.at is not None and self.status is None:
            raise invalid("missing", "status", "expected the status at this datetime", None)


@frozen(kw_only=True)
class AttemptQuery(Query[Attempt], order=("started_at", "id")):
    """Attempts by start; those started at the same time by id.

    >>> AttemptQuery(assignment_id="a-1", activity_id="lab").where()
    {'assignment_id': ('a-1',), 'activity_id': ('lab',)}
    """

    assignment_id: str | None = equals()
    activity_id: str | None = equals(indexed=False)


@frozen(kw_only=True)
class SubscriptionQuery(Query[Subscription], order=("created_at", "id")):
    """Subscriptions, the oldest first; those created at the same time by id.

    The organization is the learner's at creation.

    >>> SubscriptionQuery(learner_id="ada").where()
    {'learner_id': ('ada',)}
    """

    learner_id: str | None = equals()
    organization_id: str | None = equals()
    created_from: datetime | None = at_least("created_at")
    created_until: datetime | None = before("created_at")
    expires_from: datetime | None = at_least("expires_at")
    expires_until: datetime | None = before("expires_at")


@frozen(kw_only=True)
class BatchQuery(Query[KeyBatch], order=("created_at", "id")):
    """Batches of keys, the oldest first; those created at the same time by id.

    Attributes:
        redeemable_from, redeemable_until: A window that must overlap the batch's redemption window.
            Both windows are half-open, and ``None`` is unlimited (rule 7).

    >>> BatchQuery(course_id="py").where()
    {'course_id': ('py',)}
    """

    course_id: str | None = equals()
    organization_id: str | None = equals()
    name: str | None = contains()
    redeemable_from: datetime | None = special(
        lambda query, record: _precedes(query.redeemable_from, record.redeemable_until),
        convert=as_utc,
    )
    redeemable_until: datetime | None = special(
        lambda query, record: _precedes(record.redeemable_from, query.redeemable_until),
        check=_check_window,
        convert=as_utc,
    )
    created_from: datetime | None = at_least("created_at")
    created_until: datetime | None = before("created_at")


@frozen(kw_only=True)
class KeyQuery(Query[TrainingKey], order=("batch_id", "number", "id")):
    """Keys by batch and number.

    Attributes:
        code: The code as someone typed it; masked in the repr.
        redeemed: Only keys with a use that was not restored (rule 13).
        min_uses: Only keys with so many uses or more.
        usable: Only keys that are neither revoked nor used up. For the redemption window of the
            batch, see `redeemable`.

    >>> KeyQuery(batch_ids=["spring"]).where()
    {'batch_id': ('spring',)}
    """

    batch_ids: Several[str] | None = is_one_of("batch_id", _to_ids)
    code: str | None = equals("lookup_code", validation.name, convert=_fold_code, shown=repr_codes)
    codes: Several[str] | None = is_one_of("lookup_code", _to_codes, shown=repr_codes)
    redeemed: bool | None = _optional(
        Filter("ranges", "uses", None, validation.flag, lambda one: (1, None) if one else (None, 1))
    )
    min_uses: int | None = _optional(
        Filter("ranges", "uses", None, validation.count(1), lambda least: (least, None))
    )
    revoked: bool | None = special(
        lambda query, record: query.revoked is (record.revoked_at is not None),
        check=validation.flag,
    )
    usable: bool | None = special(
        lambda query, record: query.usable is (not record.revoked_at and record.remaining_uses > 0),
        check=validation.flag,
    )

    @classmethod
    def redeemable(cls, batches: Iterable[KeyBatch], *, at: datetime) -> Self:
        """Return the query for the keys of *batches* that can be redeemed at *at*.

        The result agrees with `KeyRedemptionPolicy` for a learner of the right organization who has
        not used the key yet (rules 6 and 7). It does not check whether the course is available
        (rule 22). Without a batch whose window is open, the query finds nothing.

        >>> KeyQuery.redeemable([], at=datetime(2026, 5, 31, tzinfo=UTC)).batch_ids
        ()
        """
        offered = validation.check_each(batches, "batches", KeyBatch)
        now = as_utc(at)
        open_then = BatchQuery(redeemable_from=now, redeemable_until=next_tick(now))
        return cls(batch_ids=[one.id for one in offered if open_then.matches(one)], usable=True)


@frozen(kw_only=True)
class RedemptionQuery(Query[Redemption], order=("redeemed_at", "id")):
    """Redemptions, the oldest first; those at the same time by id.

    >>> RedemptionQuery(key_id="k-1", learner_id="ada")
    RedemptionQuery(limit=100, key_id='k-1', learner_id='ada')
    """

    key_id: str | None = equals()
    learner_id: str | None = equals()


@frozen(kw_only=True)
class EventQuery(Query[Event], order=("position",)):
    """Events in the order of their positions.

    >>> EventQuery(after=12).cursor
    (12,)
    """

    after: int = field(default=0, validator=validation.count(0))

    @property
    def cursor(self) -> SortKey:
        """The sort key after which the page starts."""
        return (self.after,) if self._cursor is None else self._cursor

    def matches(self, record: Event) -> bool:
        """Return whether *record* is an event after the position ``after``."""
        return is_a(record, Event) and record.position > self.after


#: All classes of queries, one for each kind of record that can be listed.
QUERIES: Final[tuple[type[Query[Any]], ...]] = (
    OrganizationQuery,
    CourseQuery,
    UserQuery,
    AssignmentQuery,
    AttemptQuery,
    SubscriptionQuery,
    BatchQuery,
    KeyQuery,
    RedemptionQuery,
    EventQuery,
)


def check_query(value: object) -> None:
    """Raise InvalidInput unless *value* is one of `QUERIES`."""
    validation.check_kind(value, "query", *QUERIES, exact=True)
