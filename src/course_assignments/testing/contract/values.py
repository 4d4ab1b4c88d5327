"""The contract for values: records are read exactly as they were stored."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

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
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
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
from course_assignments.text import drop_unseen
from course_assignments.time.datetimes import EARLIEST, LATEST, TICK, ZONE_NAME_LENGTH
from course_assignments.time.durations import MAX_DURATION, MAX_MONTHS, Months
from course_assignments.validation import ID_LENGTH, MAX_COUNT, NAME_LENGTH, TEXT_LENGTH

T = TypeVar("T")

#: Characters that some storages lose, change, or use as the end of a string.
ODD = "\u00e4\U0001f600e\u0301\u200b\uffff\u2028\\%_'\"{}<&>\u05d0\ufeff"
NAME, TEXT = ((ODD * length)[:length] for length in (NAME_LENGTH, TEXT_LENGTH))
ID = (drop_unseen(ODD) * ID_LENGTH)[:ID_LENGTH]

#: The longest, first, last or most unusual values of each field; all ids are `ID`.
EXTREMES: Mapping[str, Any] = {
    **dict.fromkeys(("name", "content_provider"), NAME),
    **dict.fromkeys(("anonymous_registration", "any_organization"), True),
    **dict.fromkeys(("created_at", "redeemable_from", "first_lab_launched_at"), EARLIEST),
    **dict.fromkeys(("edited_at", "at"), EARLIEST),
    "started_at": EARLIEST + TICK,
    **dict.fromkeys(("redeemable_until", "revoked_at", "restored_at", "redeemed_at"), LATEST),
    **dict.fromkeys(("expires_at", "completed_at", "cancelled_at", "finished_at"), LATEST),
    **dict.fromkeys(("max_uses", "size", "number", "parts"), MAX_COUNT),
    "uses": MAX_COUNT - 1,
    "maximum_access": MAX_DURATION,
    "availability": Months(MAX_MONTHS),
    "parent_id": f"{ID[:-1]}.",
    "time_zone": "Mars/Olympus".ljust(ZONE_NAME_LENGTH, "_"),  # no machine has this zone
    "publishing_group": f".{NAME[:-1]}",
    "archived": False,
    "activities": [
        Activity(id=f"{number} {kind.value}", name=NAME, kind=kind, required=bool(number % 2))
        for number, kind in enumerate(ActivityKind)
    ],
    # 64 octets, and 254 characters in all.
    "email": "\u00e4\U00020000e\u0301%_{}&\u05d0" * 4 + "@" + f"{'b' * 52}." * 4 + "c",
    "roles": list(Role),
    "managed_organization_ids": [ID, "acme", "nowhere"],
    "code": "!#$%&()*+-./0123456789:<=>?@AaBbCcDdEeFfGgHhIiJjKkLlMmNn[\\]^_{|}",
    "limited_by": ExpirationLimit.KEY,
    "origin": FromKey(ID, ID),
    "finished": [ID, "b", "a"],
    "notes": [
        Note(title=NAME, message=f" \n\r\n\t{TEXT[:-10]} \n"),
        Note(title="b", message="a", high_importance=True),
    ],
    "course_ids": [ID, "sql", "py"],
    "openings": [Opening(ID, ID), Opening("py", "0"), Opening(ID, "1")],
    "pauses": [Pause(EARLIEST + TICK, EARLIEST + TICK), Pause(EARLIEST + 2 * TICK, LATEST)],
    "made": [ID, "b", "a"],
    "skipped": ["", ID],
    "positions": [1, MAX_COUNT],
    "position": 0,
    "subject_ids": ["b", "a", "b", ODD],
    "details": {"": "", ODD: TEXT, "a\n": " \r\n\t", "long": "x" * 100_000},
}


def _extreme(kind: Callable[..., T], **others: Any) -> T:
    """Return a record of `EXTREMES` and *others*."""
    fields: Any = attrs.fields_dict(kind)  # type: ignore[arg-type]
    return kind(**{name: EXTREMES.get(name, ID) for name in fields} | others)


_RECENT = [samples.START + number * timedelta(microseconds=100_001) for number in range(9)]

#: Records with extreme values, each after the records that it refers to.
RECORDS: list[Record] = [
    _extreme(Organization),
    _extreme(Course, maximum_access=TICK),
    *map(_extreme, (User, KeyBatch, TrainingKey, CourseAssignment, Subscription)),
    TrainingKey(id="'", code="^|\\%_~~!", batch_id=ID),
    *(
        attrs.evolve(
            samples.FRESH,
            id=f"{number}",
            limited_by=limit,
            origin=FromSubscription("s-1"),
            created_at=created,
            expires_at=created + TICK,
        )
        for number, (limit, created) in enumerate(zip(ExpirationLimit, _RECENT, strict=False))
    ),
    Claim.of(ID, ID, ID),
    *map(_extreme, (Receipt, Attempt, Redemption)),
]


class Values(Examples):
    """Values are read as they were written, with the same classes and in UTC."""

    def test_extreme_values_are_kept(self, repository: Repository) -> None:
        store(repository, *RECORDS)
        for record in RECORDS:
            assert exactly(stored(repository, record)) == exactly(record)
        for query in EVERYTHING:
            found = listed(repository, query)
            for record in RECORDS:
                if isinstance(record, query.kind):
                    assert exactly(record) in map(exactly, found)
        repository.commit(Change(expect=RECORDS, replace=[Replace(one, one) for one in RECORDS]))

    def test_durations_keep_their_kind(self, repository: Repository) -> None:
        days = [number * samples.DAY for number in (1, 30, 365)]
        courses = [
            samples.course(f"{place}", maximum_access=duration)
            for place, duration in enumerate([*days, TICK, Months(1), Months(12)])
        ]
        repository.commit(Change(create=courses))
        for course in courses:
            assert exactly(stored(repository, course)) == exactly(course)

    def test_events_come_back(self, repository: Repository) -> None:
        events = [_extreme(Event, at=at) for at in (EARLIEST, LATEST, samples.START + TICK)]
        repository.commit(Change(record=events))
        found = listed(repository, EventQuery())
        assert exactly([attrs.evolve(one, position=0) for one in found]) == exactly(events)
