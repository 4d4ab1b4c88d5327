"""The contract for values: records are read exactly as they were stored."""

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import available_timezones

import attrs

from course_assignments.changes import Change, Event, Record, Replace
from course_assignments.entities.assignments import (
    Claim,
    CourseAssignment,
    FromKey,
    FromSubscription,
    Note,
)
from course_assignments.entities.attempts import Attempt, Pause
from course_assignments.entities.catalog import Activity, Course, Organization
from course_assignments.entities.enums import ActivityKind, ExpirationLimit, Role
from course_assignments.entities.keys import KeyBatch, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.receipts import Receipt
from course_assignments.entities.subscriptions import Opening, Subscription
from course_assignments.queries import EventQuery
from course_assignments.repository import Repository
from course_assignments.testing import samples
from course_assignments.testing.contract.base import (
    EVERYTHING,
    Examples,
    exactly,
    listed,
    store,
    stored,
)
from course_assignments.time.datetimes import EARLIEST, LATEST, TICK
from course_assignments.time.durations import MAX_DURATION, MAX_MONTHS, Duration, Months
from course_assignments.validation import ID_LENGTH, MAX_COUNT, NAME_LENGTH, TEXT_LENGTH

#: Characters that some storages lose, change, or use as the end of a string.
ODD = "\u00e4\U0001f600e\u0301\u200b\u2028\uffff\\%_'\"{}<&>\u05d0\ufeff"
#: A time zone that is not UTC, if this machine knows one.
ZONE = next(iter(available_timezones() & {"Asia/Kathmandu"}), "UTC")


def _odd(length: int) -> str:
    return (ODD * length)[:length]


def odd_values() -> Iterator[Record]:
    """Yield records with extreme values, each after the records that it refers to."""
    id_, name = _odd(ID_LENGTH), _odd(NAME_LENGTH)
    text = f" \n\r\n\t{_odd(TEXT_LENGTH - 10)} \n"
    yield Organization(
        id=id_, name=name, parent_id=f"{id_[:-1]}.", maximum_access=MAX_DURATION, time_zone=ZONE
    )
    activities = [
        Activity(id=f"{number} {kind.value}", name=name, kind=kind, required=bool(number % 2))
        for number, kind in enumerate(ActivityKind)
    ]
    yield Course(
        id=id_,
        name=name,
        content_provider=name,
        publishing_group=f" {name[:-1]}",
        activities=activities,
        maximum_access=TICK,
    )
    yield User(
        id=id_,
        name=name,
        email=f"{_odd(240).replace(chr(0x2028), '')}@example.org",
        organization_id=id_,
        roles=list(Role),
        managed_organization_ids=[id_, "acme", "nowhere"],
    )
    yield KeyBatch(
        id=id_,
        name=name,
        course_id=id_,
        organization_id=id_,
        created_at=EARLIEST,
        redeemable_from=EARLIEST,
        redeemable_until=LATEST,
        max_uses=MAX_COUNT,
        availability=Months(MAX_MONTHS),
        any_organization=True,
        size=MAX_COUNT,
    )
    yield TrainingKey(
        id=id_,
        code="".join(map(chr, range(ord("!"), ord("!") + 64))),
        batch_id=id_,
        number=MAX_COUNT,
        uses=MAX_COUNT - 1,
        max_uses=MAX_COUNT,
        revoked_at=LATEST,
    )
    quoted = TrainingKey(id="'", code="\"'\\%_~~!", batch_id=id_)
    yield quoted
    made = CourseAssignment(
        id=id_,
        learner_id=id_,
        course_id=id_,
        organization_id=id_,
        created_at=EARLIEST,
        expires_at=LATEST,
        limited_by=ExpirationLimit.KEY,
        origin=FromKey(id_, id_),
        first_lab_launched_at=EARLIEST,
        started_at=EARLIEST + TICK,
        completed_at=LATEST,
        cancelled_at=LATEST,
        finished=[id_, "b", "a"],
        notes=[Note(title=name, message=text), Note(title="b", message="a", high_importance=True)],
    )
    yield made
    for number, limit in enumerate(ExpirationLimit):
        created = samples.START + number * timedelta(microseconds=100_001)
        yield attrs.evolve(
            made,
            id=f"{number}",
            limited_by=limit,
            origin=FromSubscription(samples.SUBSCRIPTIONS[0].id),
            created_at=created,
            expires_at=created + TICK,
            first_lab_launched_at=None,
            started_at=None,
            completed_at=None,
            cancelled_at=None,
        )
    yield Subscription(
        id=id_,
        learner_id=id_,
        organization_id=id_,
        course_ids=[id_, "sql", "py"],
        created_at=EARLIEST,
        expires_at=LATEST,
        edited_at=EARLIEST,
        cancelled_at=LATEST,
        openings=[Opening(id_, id_), Opening("py", "0"), Opening(id_, "1")],
    )
    yield Claim.of(id_, id_, id_)
    yield Receipt(
        id=id_,
        action=id_,
        digest=id_,
        parts=MAX_COUNT,
        made=[id_, "b", "a"],
        skipped=["", id_],
        positions=[1, MAX_COUNT],
    )
    yield Attempt(
        id=id_,
        assignment_id=id_,
        activity_id=id_,
        number=MAX_COUNT,
        started_at=EARLIEST,
        pauses=[Pause(EARLIEST, EARLIEST), Pause(EARLIEST + TICK, LATEST)],
        finished_at=LATEST,
    )
    yield samples.redemption(id_, quoted, made)


class Keeping(Examples):
    """Values are read as they were written, with the same classes and in UTC."""

    def test_values_at_the_edges_come_back(self, repository: Repository) -> None:
        """These are the first and last datetime, and the longest strings and durations."""
        records = list(odd_values())
        store(repository, *records)
        for record in records:
            assert exactly(stored(repository, record)) == exactly(record)

    def test_values_at_the_edges_are_found(self, repository: Repository) -> None:
        """They are the same in a listing."""
        records = list(odd_values())
        store(repository, *records)
        for query in EVERYTHING:
            kept = [one for one in records if isinstance(one, query.kind)]
            found = {one.id: one for one in listed(repository, query) if hasattr(one, "id")}
            assert [exactly(found[one.id]) for one in kept] == [exactly(one) for one in kept]

    def test_durations_keep_their_kind(self, repository: Repository) -> None:
        """Thirty days are not a month, and twelve months are not 365 days."""
        durations: tuple[Duration, ...] = (
            samples.DAY,
            30 * samples.DAY,
            Months(1),
            Months(12),
            TICK,
            365 * samples.DAY,
        )
        courses = [
            Course(id=f"{place}", name="A course", maximum_access=duration)
            for place, duration in enumerate(durations)
        ]
        repository.commit(Change(create=courses))
        for course in courses:
            assert exactly(stored(repository, course)) == exactly(course)

    def test_replaced_values_are_compared_as_they_are(self, repository: Repository) -> None:
        """Records can be expected and replaced with the values that were written."""
        records = list(odd_values())
        store(repository, *records)
        repository.commit(Change(expect=records, replace=[Replace(one, one) for one in records]))

    def test_events_come_back(self, repository: Repository) -> None:
        """All their fields are the same."""
        texts = {"": "", ODD: _odd(TEXT_LENGTH), "a\n": " \r\n\t", "long": "x" * 100_000}
        events = [
            Event(
                at=at,
                by=_odd(ID_LENGTH),
                action=_odd(ID_LENGTH),
                subject_ids=["b", "a", "b", ODD],
                details=texts,
            )
            for at in (EARLIEST, LATEST, samples.START + TICK)
        ]
        repository.commit(Change(record=events))
        found = listed(repository, EventQuery())
        assert [exactly(attrs.evolve(one, position=0)) for one in found] == list(
            map(exactly, events)
        )
