"""A Hypothesis strategy for every entity and value.

Each strategy generates one record. The records that it refers to need not exist. If the package is
installed, ``st.from_type(CourseAssignment)`` uses these strategies.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import available_timezones

from hypothesis import strategies as st

from course_assignments.changes import Event
from course_assignments.entities.assignments import (
    Claim,
    CourseAssignment,
    Direct,
    FromKey,
    FromSubscription,
    Note,
    Origin,
)
from course_assignments.entities.attempts import Attempt, Pause
from course_assignments.entities.catalog import Activity, Course, Organization
from course_assignments.entities.codes import (
    ALPHABET,
    MAX_CODE_LENGTH,
    MIN_CODE_LENGTH,
    RANDOM_SYMBOLS,
    check_symbol,
    fold,
    is_storable,
)
from course_assignments.entities.enums import ActivityKind, ExpirationLimit, Role
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.receipts import Receipt
from course_assignments.entities.subscriptions import Opening, Subscription
from course_assignments.time.datetimes import EARLIEST, LATEST, TICK
from course_assignments.time.durations import MAX_DURATION, MAX_MONTHS, Duration, Months
from course_assignments.validation import ID_LENGTH, MAX_COUNT, NAME_LENGTH

#: Time zones with unusual offsets or changes, if this machine knows them.
_ZONES: Final = (
    "UTC",
    *sorted(
        {"America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Berlin"}
        & available_timezones()
    ),
)

#: The maximum length of a list in a record, and of a long string.
_FEW, _LONG = 3, 1000


def datetimes(first: datetime = EARLIEST, last: datetime = LATEST) -> st.SearchStrategy[datetime]:
    """Generate a datetime in UTC, by default in the years 1970 to 9899.

    Example:
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
    return _strings(ID_LENGTH)


def names() -> st.SearchStrategy[str]:
    """Generate a valid name."""
    return _strings(NAME_LENGTH)


def long_strings() -> st.SearchStrategy[str]:
    """Generate a message of at most 1,000 characters, with or without line breaks."""
    return _strings(_LONG, "\n\r\t")


def _strings(length: int, also: str = "") -> st.SearchStrategy[str]:
    characters = st.characters(exclude_categories=["Cc", "Cs"], include_characters=also)
    return st.text(characters, min_size=1, max_size=length).filter(str.strip)


def emails() -> st.SearchStrategy[str]:
    """Generate an e-mail address with any characters that ends in ``.example``."""
    characters = st.characters(exclude_categories=["C", "Z"], exclude_characters="@")
    return st.builds("{}@{}.example".format, *[st.text(characters, min_size=1, max_size=50)] * 2)


def codes() -> st.SearchStrategy[str]:
    """Generate the folded code of a key, custom or generated."""
    characters = st.characters(min_codepoint=ord("!"), max_codepoint=ord("~"))
    by_hand = st.text(characters, min_size=MIN_CODE_LENGTH, max_size=MAX_CODE_LENGTH)
    generated = st.text(ALPHABET, min_size=RANDOM_SYMBOLS, max_size=RANDOM_SYMBOLS)
    return by_hand.filter(lambda code: is_storable(code) and fold(code) == code) | generated.map(
        lambda symbols: symbols + check_symbol(symbols)
    )


@st.composite
def organizations(draw: st.DrawFn) -> Organization:
    """Generate an organization in one of a few time zones."""
    id_ = draw(identifiers())
    return Organization(
        id=id_,
        name=draw(names()),
        parent_id=draw(st.none() | identifiers().filter(lambda other: other != id_)),
        maximum_access=draw(st.none() | durations()),
        time_zone=draw(st.sampled_from(_ZONES)),
        anonymous_registration=draw(st.booleans()),
    )


def activities() -> st.SearchStrategy[Activity]:
    """Generate an activity of a course."""
    return st.builds(
        Activity,
        id=identifiers(),
        name=names(),
        kind=st.sampled_from(ActivityKind),
        required=st.booleans(),
    )


def courses() -> st.SearchStrategy[Course]:
    """Generate a course with at most three activities, available or not."""
    return st.builds(
        Course,
        id=identifiers(),
        name=names(),
        content_provider=st.none() | names(),
        publishing_group=st.none() | names(),
        activities=st.lists(activities(), max_size=_FEW, unique_by=lambda one: one.id),
        maximum_access=st.none() | durations(),
        archived=st.booleans(),
    )


def users() -> st.SearchStrategy[User]:
    """Generate a user with any roles, never an anonymized user."""
    return st.builds(
        User,
        id=identifiers(),
        name=names(),
        email=emails(),
        organization_id=st.none() | identifiers(),
        roles=st.frozensets(st.sampled_from(Role)),
        managed_organization_ids=st.frozensets(identifiers(), max_size=_FEW),
    )


def notes() -> st.SearchStrategy[Note]:
    """Generate the note of an administrator."""
    return st.builds(Note, title=names(), message=long_strings(), high_importance=st.booleans())


def origins() -> st.SearchStrategy[Origin]:
    """Generate any origin of an assignment."""
    return st.just(Direct()) | _from_key() | _from_subscription()


def _from_key() -> st.SearchStrategy[FromKey]:
    return st.builds(FromKey, identifiers(), identifiers())


def _from_subscription() -> st.SearchStrategy[FromSubscription]:
    return st.builds(FromSubscription, identifiers())


@st.composite
def assignments(
    draw: st.DrawFn, first: datetime = EARLIEST, last: datetime = LATEST
) -> CourseAssignment:
    """Generate an assignment in any state.

    Its datetimes are between *first* and *last*, in any order that a record allows.
    """
    created_at = draw(datetimes(first, last - TICK))
    later = st.none() | _since(created_at, last)
    return CourseAssignment(
        id=draw(identifiers()),
        learner_id=draw(identifiers()),
        course_id=draw(identifiers()),
        organization_id=draw(st.none() | identifiers()),
        created_at=created_at,
        expires_at=draw(_since(created_at + TICK, last)),
        limited_by=draw(st.sampled_from(ExpirationLimit)),
        origin=draw(origins()),
        first_lab_launched_at=draw(later),
        started_at=draw(later),
        completed_at=draw(later),
        cancelled_at=draw(later),
        finished=draw(st.frozensets(identifiers(), max_size=_FEW)),
        notes=draw(st.lists(notes(), max_size=_FEW)),
    )


def claims() -> st.SearchStrategy[Claim]:
    """Generate a claim; its id is derived from its learner and course."""
    return st.builds(Claim.of, identifiers(), identifiers(), identifiers())


@st.composite
def pauses(draw: st.DrawFn) -> Pause:
    """Generate a pause, with or without an end."""
    paused_at = draw(datetimes())
    return Pause(paused_at, draw(st.none() | _since(paused_at)))


@st.composite
def attempts(draw: st.DrawFn) -> Attempt:
    """Generate an attempt: open, paused or finished, with at most three pauses."""
    over = draw(st.booleans())
    steps = [draw(datetimes())]
    for _ in range(draw(st.integers(over, 2 * _FEW + over))):
        steps.append(draw(_since(steps[-1])))
    started_at, *rest = steps
    finished_at = rest.pop() if over else None
    return Attempt(
        id=draw(identifiers()),
        assignment_id=draw(identifiers()),
        activity_id=draw(identifiers()),
        number=draw(st.integers(1, MAX_COUNT)),
        started_at=started_at,
        pauses=[Pause(*rest[at : at + 2]) for at in range(0, len(rest), 2)],
        finished_at=finished_at,
    )


def openings() -> st.SearchStrategy[Opening]:
    """Generate the opening of a course."""
    return st.builds(Opening, identifiers(), identifiers())


@st.composite
def subscriptions(draw: st.DrawFn) -> Subscription:
    """Generate a subscription with at most three courses and three openings."""
    created_at = draw(datetimes(last=LATEST - TICK))
    later = st.none() | _since(created_at)
    return Subscription(
        id=draw(identifiers()),
        learner_id=draw(identifiers()),
        organization_id=draw(st.none() | identifiers()),
        course_ids=draw(st.lists(identifiers(), min_size=1, max_size=_FEW, unique=True)),
        created_at=created_at,
        expires_at=draw(_since(created_at + TICK)),
        edited_at=draw(later),
        cancelled_at=draw(later),
        openings=draw(st.lists(openings(), max_size=_FEW)),
    )


def receipts() -> st.SearchStrategy[Receipt]:
    """Generate a receipt with any id."""
    ids = st.lists(identifiers(), max_size=_FEW)
    return st.builds(
        Receipt,
        id=identifiers(),
        action=identifiers(),
        digest=identifiers(),
        parts=st.integers(1, MAX_COUNT),
        made=ids,
        skipped=ids,
        positions=st.lists(st.integers(1, MAX_COUNT), max_size=2),
    )


@st.composite
def batches(draw: st.DrawFn) -> KeyBatch:
    """Generate a batch of keys of any size, with or without a redemption window."""
    start, until = sorted(draw(st.lists(datetimes(), min_size=2, max_size=2, unique=True)))
    return KeyBatch(
        id=draw(identifiers()),
        name=draw(names()),
        course_id=draw(identifiers()),
        organization_id=draw(identifiers()),
        created_at=draw(datetimes()),
        redeemable_from=draw(st.sampled_from([None, start])),
        redeemable_until=draw(st.sampled_from([None, until])),
        max_uses=draw(st.integers(1, MAX_COUNT)),
        availability=draw(durations()),
        any_organization=draw(st.booleans()),
        size=draw(st.integers(0, MAX_COUNT)),
    )


@st.composite
def keys(draw: st.DrawFn) -> TrainingKey:
    """Generate a key: unused, used or used up, revoked or not."""
    max_uses = draw(st.integers(1, MAX_COUNT))
    return TrainingKey(
        id=draw(identifiers()),
        code=draw(codes()),
        batch_id=draw(identifiers()),
        number=draw(st.integers(1, MAX_COUNT)),
        uses=draw(st.integers(0, max_uses)),
        max_uses=max_uses,
        revoked_at=draw(st.none() | datetimes()),
    )


def redemptions() -> st.SearchStrategy[Redemption]:
    """Generate a redemption with any id, with or without a restored use."""
    return st.builds(
        Redemption,
        id=identifiers(),
        key_id=identifiers(),
        batch_id=identifiers(),
        learner_id=identifiers(),
        assignment_id=identifiers(),
        redeemed_at=datetimes(),
        restored_at=st.none() | datetimes(),
    )


def events() -> st.SearchStrategy[Event]:
    """Generate an event that is not stored yet, so without a position."""
    return st.builds(
        Event,
        at=datetimes(),
        by=st.none() | identifiers(),
        action=identifiers(),
        subject_ids=st.lists(identifiers(), max_size=_FEW),
        details=st.dictionaries(identifiers(), long_strings(), max_size=_FEW),
    )


#: The strategy for each class.
STRATEGIES: Final[Mapping[type, Callable[[], st.SearchStrategy[Any]]]] = {
    Months: months,
    Organization: organizations,
    Activity: activities,
    Course: courses,
    User: users,
    Note: notes,
    Direct: lambda: st.just(Direct()),
    FromKey: _from_key,
    FromSubscription: _from_subscription,
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
