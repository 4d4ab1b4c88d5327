"""Other values for the records of the stock: an edit of each kind, and one of every field."""

from collections.abc import Mapping
from typing import Any

import attrs

from course_assignments.changes import R, Record
from course_assignments.entities.assignments import Claim, CourseAssignment, Note
from course_assignments.entities.attempts import Attempt, Pause
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import ExpirationLimit, Role
from course_assignments.entities.keys import Addition, KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Subscription
from course_assignments.testing import stock
from course_assignments.time.datetimes import TICK
from course_assignments.time.durations import Months

#: Something about each kind of record that changes.
EDITS: Mapping[type, Any] = {
    Organization: {"maximum_access": stock.DAY},
    Course: {"publishing_group": "others"},
    User: {"roles": frozenset({Role.ENROLLMENT_MANAGER})},
    CourseAssignment: {"notes": (Note(title="New", message="New"),)},
    Claim: {"assignment_id": stock.REDEEMED.id},
    Attempt: {"finished_at": stock.START + 9 * stock.HOUR},
    Subscription: {"course_ids": ("py",)},
    KeyBatch: {"additions": (Addition("another", 1),)},
    TrainingKey: {"revoked_at": stock.START},
    Redemption: {"restored_at": stock.START + 9 * stock.DAY},
}


def edited(record: R) -> R:
    """Return *record* with a change that its kind allows."""
    return attrs.evolve(record, **EDITS[type(record)])


#: Records, and for each of their fields another value than they have.
DIFFERENCES: tuple[tuple[Record, Mapping[str, Any]], ...] = (
    (
        stock.ACME,
        {
            "name": "Acme",
            "parent_id": "Beta",
            "maximum_access": 90 * stock.DAY,
            "anonymous_registration": True,
        },
    ),
    (
        stock.PYTHON,
        {
            "name": "python",
            "content_provider": None,
            "publishing_group": "All",
            "activities": stock.PYTHON.activities[::-1],
            "maximum_access": Months(1),
            "archived": True,
        },
    ),
    (
        stock.BO,
        {
            "name": "Strasse, Bo",
            "email": "BO@example.org",
            "organization_id": None,
            "roles": {Role.SUPPORT},
            "managed_organization_ids": {"acme", "beta"},
        },
    ),
    (
        stock.COMPLETE,
        {
            "organization_id": None,
            "created_at": stock.START - TICK,
            "expires_at": stock.COMPLETE.expires_at + TICK,
            "limited_by": ExpirationLimit.DEFAULT,
            "first_lab_launched_at": None,
            "started_at": stock.START + stock.HOUR + TICK,
            "completed_at": None,
            "cancelled_at": stock.START,
            "finished": {"lab"},
            "notes": [Note(title="A", message="B")],
        },
    ),
    (
        stock.ATTEMPTS[2],
        {
            "activity_id": "film",
            "number": 2,
            "pauses": [Pause(stock.START + stock.HOUR)],
            "finished_at": stock.START + stock.DAY,
            "request_id": "A retry",
        },
    ),
    (
        stock.SUBSCRIPTIONS[0],
        {
            "course_ids": ["py", "sql"],
            "expires_at": stock.START + stock.DAY,
            "edited_at": stock.START,
            "cancelled_at": stock.START,
            "openings": [],
        },
    ),
    (
        stock.BATCHES[1],
        {
            "name": "Summer",
            "redeemable_from": None,
            "redeemable_until": None,
            "max_uses": 2,
            "availability": Months(1),
            "any_organization": True,
            "size": 5,
            "additions": [Addition("more", 3)],
        },
    ),
    (stock.REDEMPTIONS[2], {"restored_at": None}),
)
