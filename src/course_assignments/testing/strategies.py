"""A Hypothesis strategy for every entity and value.

Each strategy generates one record. The records that it refers to need not exist. If the package is
installed, ``st.from_type(CourseAssignment)`` uses these strategies.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache, partial
from types import NoneType
from typing import Any, Final, TypeVar, get_args, get_origin
from zoneinfo import available_timezones

import attrs
from hypothesis import strategies as st

from course_assignments import validation
from course_assignments.changes import Event
from course_assignments.entities import codes as _codes
from course_assignments.entities.assignments import Claim, CourseAssignment, Note, Origin
from course_assignments.entities.attempts import Attempt, Pause
from course_assignments.entities.catalog import Activity, Course, Organization
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User, check_email
from course_assignments.entities.receipts import Receipt
from course_assignments.entities.subscriptions import Opening, Subscription
from course_assignments.errors import InvalidInput
from course_assignments.text import drop_unseen
from course_assignments.time.datetimes import EARLIEST, LATEST, TICK
from course_assignments.time.durations import MAX_DURATION, MAX_MONTHS, Duration, Months

_T = TypeVar("_T")

#: Time zones with unusual offsets or changes; some machines do not know them.
_ODD_ZONES = {"America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Berlin"}
_ZONES: Final = ["UTC", *sorted(_ODD_ZONES & available_timezones())]

#: The maximum length of a list in a record, and of a long string.
_FEW, _LONG = 3, 1000


def datetimes(first: datetime = EARLIEST, last: datetime = LATEST) -> st.SearchStrategy[datetime]:
    """Generate a datetime in UTC, by default in the years 1970 to 9899.

    >>> from hypothesis import find
    >>> find(datetimes(), lambda at: at.year > 2000).tzinfo is UTC
    True
    """
    walls = st.datetimes(first.replace(tzinfo=None), last.replace(tzinfo=None))
    return walls.map(lambda wall: wall.replace(tzinfo=UTC, fold=0))


def _since(at: datetime, last: datetime = LATEST) -> st.SearchStrategy[datetime]:
    """Generate a datetime from *at* to *last*, often *at* or the next microsecond."""
    return st.sampled_from([at, min(at + TICK, last)]) | datetimes(at, last)


def months() -> st.SearchStrategy[Months]:
    """Generate a calendar duration of 1 to 1200 months."""
    return st.integers(1, MAX_MONTHS).map(Months)


def durations() -> st.SearchStrategy[Duration]:
    """Generate a duration, exact or in calendar months; no ``relativedelta``."""
    return st.timedeltas(TICK, MAX_DURATION) | months()


def identifiers() -> st.SearchStrategy[str]:
    """Generate a valid id with any characters."""
    return _strings(validation.ID_LENGTH).map(drop_unseen).filter(bool)


def names() -> st.SearchStrategy[str]:
    """Generate a valid name."""
    return _strings(validation.NAME_LENGTH)


def long_strings() -> st.SearchStrategy[str]:
    """Generate a message of at most 1,000 characters, with or without line breaks."""
    return _characters(_LONG, "\n\r\t").filter(lambda text: drop_unseen(text).strip())


def _characters(length: int, also: str = "") -> st.SearchStrategy[str]:
    characters = st.characters(exclude_categories=["Cc", "Cs"], include_characters=also)
    return st.text(characters, min_size=1, max_size=length)


def _strings(length: int) -> st.SearchStrategy[str]:
    """Generate strings whose seen characters neither begin nor end with white space."""

    def fits(text: str) -> bool:
        seen = drop_unseen(text)
        return seen == seen.strip() != ""

    return _characters(length).filter(fits)


def emails() -> st.SearchStrategy[str]:
    """Generate an e-mail address in any script that ends in ``.example``."""
    characters = st.characters(categories=["L", "M", "N"], include_characters="-_")
    part = st.text(characters, min_size=1, max_size=16).map(drop_unseen)
    return st.builds("{}@{}.example".format, part, part).filter(_is_address)


def _is_address(text: str) -> bool:
    try:
        return bool(check_email(text, "email"))
    except InvalidInput:
        return False


def codes() -> st.SearchStrategy[str]:
    """Generate the code of a key, custom or generated."""
    characters = st.characters(
        min_codepoint=ord("!"), max_codepoint=ord("~"), exclude_characters=",;'\"`"
    )
    custom = st.text(characters, min_size=_codes.MIN_CODE_LENGTH, max_size=_codes.MAX_CODE_LENGTH)
    size = _codes.RANDOM_SYMBOLS
    generated = st.text(_codes.ALPHABET, min_size=size, max_size=size)
    return custom | generated.map(lambda symbols: symbols + _codes.check_symbol(symbols))


def _records(kind: Callable[..., _T], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[_T]:
    """Generate instances of *kind*; fields that are not *given* get any value of their type."""
    fields: Any = attrs.fields_dict(kind)  # type: ignore[arg-type]
    values = {name: _values(at.type, name) for name, at in fields.items() if name not in given}
    return st.builds(kind, **values, **given)


@cache
def _values(of: Any, name: str) -> st.SearchStrategy[Any]:
    """Generate values of the type *of*; strings depend on the *name* of their field."""
    inner = get_args(of)
    if get_origin(of) in {tuple, frozenset}:
        several = st.lists if get_origin(of) is tuple else st.frozensets
        return several(_values(inner[0], name), max_size=_FEW)
    if inner:
        return st.one_of(*[_values(one, name) for one in inner])
    if of is str:
        return _STRINGS.get(name, identifiers)()
    if issubclass(of, Enum):
        return st.sampled_from(of)
    return {**_VALUES, **STRATEGIES}[of]()


def organizations() -> st.SearchStrategy[Organization]:
    """Generate an organization in one of a few time zones."""
    return identifiers().flatmap(
        lambda id_: _records(
            Organization,
            id=st.just(id_),
            parent_id=st.none() | identifiers().filter(id_.__ne__),
            time_zone=st.sampled_from(_ZONES),
        )
    )


def activities() -> st.SearchStrategy[Activity]:
    """Generate an activity of a course."""
    return _records(Activity)


def courses() -> st.SearchStrategy[Course]:
    """Generate a course with at most three activities, available or not."""
    distinct = st.lists(activities(), max_size=_FEW, unique_by=lambda one: one.id)
    return _records(Course, activities=distinct)


def users() -> st.SearchStrategy[User]:
    """Generate a user with any roles, never an anonymized user."""
    return _records(User)


def notes() -> st.SearchStrategy[Note]:
    """Generate the note of an administrator."""
    return _records(Note)


def origins() -> st.SearchStrategy[Origin]:
    """Generate any origin of an assignment."""
    return st.one_of(*[_records(kind) for kind in get_args(Origin)])


def _periods(
    kind: Callable[..., _T], first: datetime, last: datetime, **given: st.SearchStrategy[Any]
) -> st.SearchStrategy[_T]:
    """Generate records of which no datetime is before their creation."""
    fields: Any = attrs.fields_dict(kind)  # type: ignore[arg-type]
    optional = [name for name, at in fields.items() if at.type == datetime | None]

    def created(at: datetime) -> st.SearchStrategy[_T]:
        later = dict.fromkeys(optional, st.none() | _since(at, last))
        expires_at = _since(at + TICK, last)
        return _records(kind, created_at=st.just(at), expires_at=expires_at, **later, **given)

    return datetimes(first, last - TICK).flatmap(created)


def assignments(
    first: datetime = EARLIEST, last: datetime = LATEST
) -> st.SearchStrategy[CourseAssignment]:
    """Generate an assignment in any state.

    Its datetimes are between *first* and *last*, in any order that a record allows.
    """
    return _periods(CourseAssignment, first, last, origin=origins())


def claims() -> st.SearchStrategy[Claim]:
    """Generate a claim; its id is derived from its learner and course."""
    return st.builds(Claim.of, identifiers(), identifiers(), identifiers())


def pauses() -> st.SearchStrategy[Pause]:
    """Generate a pause, with or without an end."""
    return datetimes().flatmap(lambda at: st.builds(Pause, st.just(at), st.none() | _since(at)))


@st.composite
def attempts(draw: st.DrawFn) -> Attempt:
    """Generate an attempt: open, paused or finished, with at most three pauses."""
    over = draw(st.booleans())
    steps = [draw(datetimes())]
    for _ in range(draw(st.integers(over, 2 * _FEW + over))):
        steps.append(draw(_since(steps[-1])))
    started_at, *rest = steps
    finished_at = rest.pop() if over else None
    return draw(
        _records(
            Attempt,
            started_at=st.just(started_at),
            pauses=st.just([Pause(*rest[at : at + 2]) for at in range(0, len(rest), 2)]),
            finished_at=st.just(finished_at),
        )
    )


def openings() -> st.SearchStrategy[Opening]:
    """Generate the opening of a course."""
    return _records(Opening)


def subscriptions() -> st.SearchStrategy[Subscription]:
    """Generate a subscription with at most three courses and three openings."""
    course_ids = st.lists(identifiers(), min_size=1, max_size=_FEW, unique=True)
    return _periods(Subscription, EARLIEST, LATEST, course_ids=course_ids)


def receipts() -> st.SearchStrategy[Receipt]:
    """Generate a receipt with any id."""
    return _records(Receipt)


def batches() -> st.SearchStrategy[KeyBatch]:
    """Generate a batch of keys of any size, with or without a redemption window."""
    return st.lists(datetimes(), min_size=2, max_size=2, unique=True).flatmap(
        lambda window: _records(
            KeyBatch,
            redeemable_from=st.sampled_from([None, min(window)]),
            redeemable_until=st.sampled_from([None, max(window)]),
            availability=durations(),
            size=st.integers(0, validation.MAX_COUNT),
        )
    )


def keys() -> st.SearchStrategy[TrainingKey]:
    """Generate a key: unused, used or used up, revoked or not."""
    return st.integers(1, validation.MAX_COUNT).flatmap(
        lambda most: _records(TrainingKey, uses=st.integers(0, most), max_uses=st.just(most))
    )


def redemptions() -> st.SearchStrategy[Redemption]:
    """Generate a redemption with any id, with or without a restored use."""
    return _records(Redemption)


def events() -> st.SearchStrategy[Event]:
    """Generate an event that is not stored yet, so without a position."""
    details = st.dictionaries(identifiers(), long_strings(), max_size=_FEW)
    return _records(Event, position=st.just(0), details=details)


#: The strategy for each string that is not an id, by the name of the field.
_STRINGS: Final[Mapping[str, Callable[[], st.SearchStrategy[str]]]] = {
    **dict.fromkeys(("name", "title", "content_provider", "publishing_group"), names),
    "message": long_strings,
    "email": emails,
    "code": codes,
}

#: The strategy for each class that is not ours.
_VALUES: Final[Mapping[type, Callable[[], st.SearchStrategy[Any]]]] = {
    NoneType: st.none,
    bool: st.booleans,
    int: partial(st.integers, 1, validation.MAX_COUNT),
    datetime: datetimes,
    timedelta: partial(st.timedeltas, TICK, MAX_DURATION),
}

#: The strategy for each class of this package.
STRATEGIES: Final[Mapping[type, Callable[[], st.SearchStrategy[Any]]]] = {
    Months: months,
    Organization: organizations,
    Activity: activities,
    Course: courses,
    User: users,
    Note: notes,
    **{kind: partial(_records, kind) for kind in get_args(Origin)},
    CourseAssignment: assignments,
    Claim: claims,
    Pause: pauses,
    Attempt: attempts,
    Opening: openings,
    Subscription: subscriptions,
    Receipt: receipts,
    KeyBatch: batches,
    TrainingKey: keys,
    Redemption: redemptions,
    Event: events,
}
