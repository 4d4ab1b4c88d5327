"""Hypothesis strategies for any record of any kind, every field of it filled in every way."""

from datetime import datetime, timedelta
from itertools import accumulate
from operator import add
from typing import Any, get_args

from hypothesis import strategies as st

from course_assignments import (
    Activity,
    ActivityKind,
    Addition,
    Attempt,
    Course,
    CourseAssignment,
    Direct,
    Event,
    ExpirationLimit,
    FromKey,
    FromSubscription,
    KeyBatch,
    Note,
    Opening,
    Organization,
    Pause,
    Record,
    Redemption,
    Role,
    Seat,
    Subscription,
    TrainingKey,
    User,
)
from course_assignments.codes import fold, is_storable
from course_assignments.fields import LARGEST_COUNT
from support.strategies import ZONE_NAMES, any_ids, terms, utc_instants

#: All that is kept: the kinds of records, and events.
KEPT: tuple[type[Any], ...] = (*get_args(Record), Event)

_NOT_BLANK = st.characters(exclude_categories=["Cc", "Cs"])
_LATER = st.timedeltas(timedelta(0), timedelta(days=400))


def _names(size: int = 40) -> st.SearchStrategy[str]:
    return st.text(_NOT_BLANK, min_size=1, max_size=size).filter(str.strip)


def _messages() -> st.SearchStrategy[str]:
    letters = _NOT_BLANK | st.sampled_from("\n\r\t")
    return st.text(letters, min_size=1, max_size=80).filter(str.strip)


def _texts() -> st.SearchStrategy[str]:
    """Draw what an event may carry: anything that is no lone surrogate."""
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def _counts(least: int) -> st.SearchStrategy[int]:
    return st.integers(least, LARGEST_COUNT)


def _codes() -> st.SearchStrategy[str]:
    letters = st.characters(min_codepoint=ord("!"), max_codepoint=ord("~"))
    codes = st.text(letters, min_size=8, max_size=64).map(fold)
    return codes.filter(is_storable)


def _emails() -> st.SearchStrategy[str]:
    part = st.text("abcXYZ0189.-\N{LATIN SMALL LETTER SHARP S}", min_size=1, max_size=20)
    return st.builds("{}@{}".format, part, part)


@st.composite
def _ordered(draw: st.DrawFn, most: int = 6) -> list[datetime]:
    """Draw instants in order; later ones may be equal."""
    at = draw(utc_instants())
    steps = draw(st.lists(_LATER, min_size=most, max_size=most))
    return list(accumulate(steps, add, initial=at))


def _activities() -> st.SearchStrategy[list[Activity]]:
    one = st.builds(
        Activity,
        id=any_ids(),
        name=_names(),
        kind=st.sampled_from(ActivityKind),
        required=st.booleans(),
    )
    return st.lists(one, max_size=4, unique_by=lambda activity: activity.id)


@st.composite
def _assignments(draw: st.DrawFn) -> CourseAssignment:
    created_at = draw(utc_instants())
    later = st.none() | _LATER.map(created_at.__add__)
    note = st.builds(Note, title=_names(), message=_messages(), high_importance=st.booleans())
    return CourseAssignment(
        id=draw(any_ids()),
        learner_id=draw(any_ids()),
        course_id=draw(any_ids()),
        organization_id=draw(st.none() | any_ids()),
        created_at=created_at,
        expires_at=created_at + draw(_LATER) + timedelta(microseconds=1),
        limited_by=draw(st.sampled_from(ExpirationLimit)),
        origin=draw(
            st.builds(Direct)
            | st.builds(FromKey, any_ids(), any_ids())
            | st.builds(FromSubscription, any_ids())
        ),
        first_lab_launched_at=draw(later),
        started_at=draw(later),
        completed_at=draw(later),
        cancelled_at=draw(later),
        finished=draw(st.frozensets(any_ids(), max_size=4)),
        notes=draw(st.lists(note, max_size=3)),
    )


@st.composite
def _attempts(draw: st.DrawFn) -> Attempt:
    started_at, *rest = draw(_ordered())
    pauses = [Pause(*rest[0:2]), Pause(*rest[2:4])][: draw(st.integers(0, 2))]
    finished_at = draw(st.sampled_from([None, rest[5]]))
    if draw(st.booleans()):
        pauses.append(Pause(rest[4]))
    return Attempt(
        id=draw(any_ids()),
        assignment_id=draw(any_ids()),
        activity_id=draw(any_ids()),
        number=draw(_counts(1)),
        started_at=started_at,
        pauses=pauses,
        finished_at=finished_at,
        request_id=draw(st.none() | any_ids()),
    )


@st.composite
def _subscriptions(draw: st.DrawFn) -> Subscription:
    created_at, edited_at, cancelled_at, *_ = draw(_ordered())
    return Subscription(
        id=draw(any_ids()),
        learner_id=draw(any_ids()),
        organization_id=draw(st.none() | any_ids()),
        course_ids=draw(st.lists(any_ids(), min_size=1, max_size=4, unique=True)),
        created_at=created_at,
        expires_at=created_at + draw(_LATER) + timedelta(microseconds=1),
        edited_at=draw(st.sampled_from([None, edited_at])),
        cancelled_at=draw(st.sampled_from([None, cancelled_at])),
        openings=draw(st.lists(st.builds(Opening, any_ids(), any_ids()), max_size=3)),
    )


@st.composite
def _batches(draw: st.DrawFn) -> KeyBatch:
    created_at, start, end, *_ = draw(_ordered())
    return KeyBatch(
        id=draw(any_ids()),
        name=draw(_names()),
        course_id=draw(any_ids()),
        organization_id=draw(any_ids()),
        created_at=created_at,
        redeemable_from=draw(st.sampled_from([None, start])),
        redeemable_until=draw(st.sampled_from([None, end + timedelta(microseconds=1)])),
        max_uses=draw(_counts(1)),
        availability=draw(terms()),
        any_organization=draw(st.booleans()),
        size=draw(_counts(0)),
        additions=draw(st.lists(st.builds(Addition, any_ids(), _counts(1)), max_size=3)),
    )


@st.composite
def _keys(draw: st.DrawFn) -> TrainingKey:
    max_uses = draw(_counts(1))
    return TrainingKey(
        code=draw(_codes()),
        batch_id=draw(any_ids()),
        uses=draw(st.integers(0, max_uses)),
        max_uses=max_uses,
        revoked_at=draw(st.none() | utc_instants()),
    )


_BY_KIND: dict[type[Any], st.SearchStrategy[Any]] = {
    Organization: st.builds(
        Organization,
        id=any_ids(),
        name=_names(),
        parent_id=st.none() | _names().map("of {}".format),
        maximum_access=st.none() | terms(),
        time_zone=st.sampled_from(ZONE_NAMES),
        anonymous_registration=st.booleans(),
    ),
    Course: st.builds(
        Course,
        id=any_ids(),
        name=_names(),
        content_provider=st.none() | _names(),
        publishing_group=st.none() | _names(),
        activities=_activities(),
        maximum_access=st.none() | terms(),
        archived=st.booleans(),
    ),
    User: st.builds(
        User,
        id=any_ids(),
        name=_names(),
        email=_emails(),
        organization_id=st.none() | any_ids(),
        roles=st.frozensets(st.sampled_from(Role)),
        managed_organization_ids=st.frozensets(any_ids(), max_size=4),
    ),
    CourseAssignment: _assignments(),
    Seat: st.builds(
        Seat, id=any_ids(), learner_id=any_ids(), course_id=any_ids(), assignment_id=any_ids()
    ),
    Attempt: _attempts(),
    Subscription: _subscriptions(),
    KeyBatch: _batches(),
    TrainingKey: _keys(),
    Redemption: st.builds(
        Redemption,
        id=any_ids(),
        code=_codes(),
        batch_id=any_ids(),
        learner_id=any_ids(),
        assignment_id=any_ids(),
        redeemed_at=utc_instants(),
        restored_at=st.none() | utc_instants(),
    ),
    Event: st.builds(
        Event,
        position=_counts(0),
        at=utc_instants(),
        by=st.none() | any_ids(),
        action=any_ids(),
        subject_ids=st.lists(_texts(), max_size=4),
        details=st.dictionaries(_texts(), _texts(), max_size=4),
    ),
}


def records(kind: type[Any] | None = None) -> st.SearchStrategy[Any]:
    """Draw a record of *kind*, or of any kind, events among them."""
    if kind is not None:
        return _BY_KIND[kind]
    return st.sampled_from(KEPT).flatmap(records)
