"""Sample records: a small training system with plain and unusual values.

`WORLD` has the records that a registrar needs. `RECORDS` adds records of every other kind, and
values that storages confuse. They contain all records that they refer to, so a storage with foreign
keys can store them in one commit. Only the organization of `DEE` is unknown, which is allowed.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from course_assignments.changes import Event, Record
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
from course_assignments.entities.enums import ActivityKind, ExpirationLimit, Role
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.receipts import Receipt, receipts_of
from course_assignments.entities.subscriptions import Opening, Subscription
from course_assignments.time.datetimes import TICK
from course_assignments.time.durations import Months

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def at(hours: int, ticks: int = 0) -> datetime:
    """Return the datetime *hours* and *ticks* after `START`."""
    return START + hours * HOUR + ticks * TICK


ACME = Organization(id="acme", name="Acme", time_zone="Europe/Berlin", anonymous_registration=True)
BETA = Organization(id="beta", name="Beta", maximum_access=90 * DAY)

LAB = Activity(id="lab", name="A lab", kind=ActivityKind.LAB, required=True)
FILM = Activity(id="film", name="A film", kind=ActivityKind.VIDEO, required=True)
LINK = Activity(id="link", name="A link", kind=ActivityKind.LINK)


def course(id: str, *activities: Activity, **facts: Any) -> Course:
    """Return a course, by default an available one."""
    known: dict[str, Any] = {"name": id.title(), "content_provider": "us", **facts}
    return Course(id=id, publishing_group="all", activities=activities, **known)


PYTHON = course("py", LAB, name="Python")
SQL = course("sql", name="SQL", maximum_access=30 * DAY)
DRAFT = Course(id="draft", name="Draft")
OLD = course("old", archived=True)
#: Two required activities, of which one is a lab, and two optional activities.
LESSONS = course(
    "lessons", LAB, FILM, LINK, Activity(id="play", name="Another lab", kind=ActivityKind.LAB)
)
#: A course without required activities.
FREE = course("free", LINK)


def user(id: str, organization_id: str | None = None, **facts: Any) -> User:
    """Return a user of an organization, by default named after the id."""
    known: dict[str, Any] = {"name": id.title(), "email": f"{id}@example.org", **facts}
    return User(id=id, organization_id=organization_id, **known)


ADA = user("ada", "acme")
BO = user("bo", "beta")
CY = user("cy")
MANAGER = user(
    "manager", "acme", roles=[Role.OPERATIONS_MANAGER], managed_organization_ids=["acme"]
)
SUPPORT = user("support", roles=[Role.SUPPORT], managed_organization_ids=["acme", "beta"])
#: Manages both organizations, so roles and organizations can be missing independently.
SALES = user("sales", roles=[Role.SALES_MANAGER], managed_organization_ids=["acme", "beta"])

#: The records that a registrar needs.
WORLD: tuple[Organization | Course | User, ...] = (
    *(ACME, BETA, PYTHON, SQL, DRAFT, OLD),
    *(ADA, BO, CY, MANAGER, SUPPORT),
)

#: Ids that differ from other ids only in case, and names that look like patterns.
BETA_SONS = Organization(id="Beta", name="beta_\N{LATIN SMALL LETTER SHARP S}ons", parent_id="acme")
GAMMA = Organization(id="acme2", name="C:\\Gamma [a-z]* 100% (North)", maximum_access=Months(3))
ORGANIZATIONS = (ACME, BETA, BETA_SONS, GAMMA)
CAFE = Course(
    id="Py", name="Caf\N{LATIN SMALL LETTER E WITH ACUTE} Python 100 % S_QL", archived=True
)
COURSES = (PYTHON, SQL, DRAFT, OLD, CAFE)
#: E-mail addresses that storages fold in different ways.
RENE = user("Cy", email="re\N{LATIN SMALL LETTER E WITH ACUTE}@example.org")
DEE = user(
    "dee",
    "nowhere",
    name="STRASSE, Dee Lovelace",
    email="Stra\N{LATIN SMALL LETTER SHARP S}e@Example.org",
    roles=[Role.SUPPORT, Role.SALES_MANAGER],
    managed_organization_ids=["acme", "Beta"],
)
USERS = (ADA, BO, CY, MANAGER, SUPPORT, RENE, DEE)

_HOMES = {user.id: user.organization_id for user in USERS}


def assignment(
    id: str, learner_id: str, course_id: str, hours: int, origin: Origin | None = None, **facts: Any
) -> CourseAssignment:
    """Return an assignment created *hours* after `START`, by default for ten days."""
    created_at = at(hours)
    known: dict[str, Any] = {"expires_at": created_at + 10 * DAY, **facts}
    return CourseAssignment(
        id=id,
        learner_id=learner_id,
        course_id=course_id,
        organization_id=_HOMES[learner_id],
        created_at=created_at,
        limited_by=ExpirationLimit.REQUEST,
        origin=origin or Direct(),
        **known,
    )


def subscription(
    id: str, learner_id: str, hours: int, opened: str | None = None, **facts: Any
) -> Subscription:
    """Return a subscription created *hours* after `START`, for thirty days."""
    created_at = at(hours)
    known: dict[str, Any] = {"expires_at": created_at + 30 * DAY, **facts}
    return Subscription(
        id=id,
        learner_id=learner_id,
        organization_id=_HOMES[learner_id],
        course_ids=["sql", "py"],
        created_at=created_at,
        openings=[] if opened is None else [Opening("py", opened)],
        **known,
    )


def batch(id: str, course_id: str, organization_id: str, hours: int, **facts: Any) -> KeyBatch:
    """Return a batch created *hours* after `START`."""
    known: dict[str, Any] = {"name": id, "availability": 30 * DAY, **facts}
    home = organization_id
    return KeyBatch(id=id, course_id=course_id, organization_id=home, created_at=at(hours), **known)


def redemption(id: str, key: TrainingKey, made: CourseAssignment, **facts: Any) -> Redemption:
    """Return the redemption of *key* that created the assignment *made*."""
    return Redemption(
        id=id,
        key_id=key.id,
        batch_id=key.batch_id,
        learner_id=made.learner_id,
        assignment_id=made.id,
        redeemed_at=made.created_at,
        **facts,
    )


def attempt(id: str, made: CourseAssignment, number: int, hours: int, **facts: Any) -> Attempt:
    """Return an attempt at the lab, started *hours* after `START`."""
    known: dict[str, Any] = {"activity_id": "lab", **facts}
    return Attempt(id=id, assignment_id=made.id, number=number, started_at=at(hours), **known)


BATCHES = (
    batch("spring", "py", "acme", 0, max_uses=3, size=2, name="Spring 50%"),
    batch("summer", "sql", "Beta", 0, redeemable_from=at(10), redeemable_until=at(20), size=10),
    batch("Autumn", "py", "acme", 1, redeemable_from=at(20), availability=Months(2)),
    batch("winter", "sql", "acme", 2, redeemable_until=at(10), any_organization=True),
    batch("empty", "py", "acme", 3),
)

SPRING = TrainingKey(id="k-1", code="Spring-2026", batch_id="spring", max_uses=3, uses=2)
#: A custom code with as many symbols as a generated one.
SMALL = TrainingKey(id="K-1", code="Training-Key-000001", batch_id="spring", number=2, max_uses=3)
USED_UP = TrainingKey(id="k-0", code="Summer-2026", batch_id="summer", number=10, uses=1)
REVOKED = TrainingKey(
    id="k-3", code="00000000000000012", batch_id="summer", number=9, revoked_at=at(0, 1)
)
GIVEN_BACK = TrainingKey(id="k-4", code="~~Winter~~", batch_id="winter")
KEYS = (SPRING, SMALL, USED_UP, REVOKED, GIVEN_BACK)

FRESH = assignment("a-1", "ada", "py", 0)
STARTED = assignment("a-2", "ada", "sql", 0, started_at=at(1))
COMPLETE = assignment(
    "A-3",
    "bo",
    "py",
    0,
    started_at=at(1),
    completed_at=at(2),
    first_lab_launched_at=at(1),
    finished=["lab", "film"],
)
CANCELLED = assignment("a-4", "bo", "sql", 1, cancelled_at=at(2))
NOTE = Note(title="Renewal", message="Paid.", high_importance=True)
EXPIRED = assignment("a-10", "Cy", "py", 2, expires_at=at(3), notes=[NOTE])
REDEEMED = assignment("a-6", "ada", "py", 3, FromKey("spring", "r-1"))
AGAIN = assignment("a-7", "bo", "py", 3, FromKey("spring", "r-2"), started_at=at(4))
RESTORED = assignment("a-8", "Cy", "sql", 4, FromKey("winter", "R-3"), cancelled_at=at(4))
USED = assignment("a-9", "bo", "sql", 12, FromKey("summer", "r-0"))
OPENED = assignment("a-11", "ada", "py", 5, FromSubscription("s-1"))
DONE = assignment(
    "a-12", "bo", "py", -24, FromSubscription("s-2"), started_at=at(-20), completed_at=at(1)
)
ASSIGNMENTS = (
    *(FRESH, STARTED, COMPLETE, CANCELLED, EXPIRED, REDEEMED, AGAIN, RESTORED, USED, OPENED, DONE),
)

REDEMPTIONS = (
    redemption("r-1", SPRING, REDEEMED),
    redemption("r-2", SPRING, AGAIN),
    redemption("R-3", GIVEN_BACK, RESTORED, restored_at=at(4)),
    redemption("r-0", USED_UP, USED),
)
ATTEMPTS = (
    attempt("t-1", STARTED, 1, 1),
    attempt("T-2", STARTED, 1, 1, activity_id="film", finished_at=at(2)),
    attempt("t-3", COMPLETE, 1, 1, pauses=[Pause(at(1), at(1, 1))]),
    attempt("t-0", COMPLETE, 2, 3, pauses=[Pause(at(4))]),
)
SUBSCRIPTIONS = (
    subscription("s-1", "ada", -24, OPENED.id),
    subscription("s-2", "bo", -24, DONE.id, edited_at=START, expires_at=START + DAY),
    subscription("S-3", "ada", 0, cancelled_at=START),
    subscription("s-0", "Cy", 1),
    subscription("s-5", "bo", 2),
)
RECEIPTS: tuple[Receipt, ...] = (
    *receipts_of("start", "call-1", ("a-2", "lab"), made=["t-1"]),
    *receipts_of("assign_many", "roster", (), made=["a-1", "A-3"], skipped=["a-2", "a-1"]),
    *receipts_of("add_keys", "order-7", ("summer", 2), positions=(9, 10)),
)
CLAIMS = (Claim.of("ada", "py", FRESH.id), Claim.of("bo", "py", COMPLETE.id))

#: All records; each comes after the records that it refers to.
RECORDS: tuple[Record, ...] = (
    *(*ORGANIZATIONS, *COURSES, *USERS, *BATCHES, *KEYS, *SUBSCRIPTIONS),
    *(*ASSIGNMENTS, *CLAIMS, *ATTEMPTS, *REDEMPTIONS),
    *RECEIPTS,
)
EVENTS = tuple(
    Event(at=at(hours), by=by, action=action, subject_ids=ids, details=details)
    for hours, by, action, ids, details in (
        (0, None, "add", ("ada", "bo"), {}),
        (0, "bo", "assign", ("a-1",), {}),
        (2, "bo", "cancel", ("a-4",), {"support_reason": "moved,\nill", "\N{SNOWMAN}": ""}),
        (1, None, "assign", ("a-9", "bo"), {}),
        (1, None, "assign", ("a-9", "bo"), {}),
    )
)


#: A valid change for each kind of record; it refers only to sample records.
EDITS: Mapping[type, Any] = {
    Organization: {"maximum_access": DAY},
    Course: {"publishing_group": "others"},
    User: {"roles": frozenset({Role.ENROLLMENT_MANAGER})},
    CourseAssignment: {"notes": (Note(title="New", message="New"),)},
    Claim: {"assignment_id": REDEEMED.id},
    Attempt: {"finished_at": at(9)},
    Subscription: {"course_ids": ("py",)},
    KeyBatch: {"name": "Edited"},
    TrainingKey: {"revoked_at": START},
    Receipt: {"skipped": ("a-1",)},
    Redemption: {"restored_at": START + 9 * DAY},
}


def counting(prefix: str = "id") -> Callable[[], str]:
    """Return an id source that counts, so that each run creates the same ids."""
    numbers = count(1)
    return lambda: f"{prefix}-{next(numbers)}"


def counting_bytes() -> Callable[[int], bytes]:
    """Return a byte source that counts, so that each run creates the same codes."""
    numbers = count(1)

    def draw(size: int) -> bytes:
        blocks = (f"{next(numbers):016x}" for _ in range(size // 16))
        return bytes(int(digit, 16) for block in blocks for digit in block)

    return draw
