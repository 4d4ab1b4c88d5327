"""A small world to act in: two organizations, courses, people, a clock and a registrar."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from course_assignments import (
    Activity,
    ActivityKind,
    AssignmentQuery,
    AttemptQuery,
    BatchQuery,
    Claim,
    Course,
    CourseQuery,
    EventQuery,
    KeyQuery,
    ManualClock,
    Organization,
    OrganizationQuery,
    Query,
    RedemptionQuery,
    Registrar,
    Repository,
    Role,
    SubscriptionQuery,
    User,
    UserQuery,
    find_all,
)

START = datetime(2026, 1, 5, 9, tzinfo=UTC)

ACME = Organization(id="acme", name="Acme", time_zone="Europe/Berlin", anonymous_registration=True)
BETA = Organization(id="beta", name="Beta", maximum_access=timedelta(days=90))
PYTHON = Course(
    id="py",
    name="Python",
    content_provider="us",
    publishing_group="all",
    activities=[Activity(id="lab", name="A lab", kind=ActivityKind.LAB, required=True)],
)
SQL = Course(
    id="sql",
    name="SQL",
    content_provider="us",
    publishing_group="all",
    maximum_access=timedelta(days=30),
)
DRAFT = Course(id="draft", name="Draft")
OLD = Course(id="old", name="Old", content_provider="us", publishing_group="all", archived=True)
ADA = User(id="ada", name="Ada", email="ada@example.org", organization_id="acme")
BO = User(id="bo", name="Bo", email="bo@example.org", organization_id="beta")
CY = User(id="cy", name="Cy", email="cy@example.org")
MANAGER = User(
    id="manager",
    name="Manager",
    email="manager@example.org",
    organization_id="acme",
    roles={Role.OPERATIONS_MANAGER},
    managed_organization_ids={"acme"},
)
SUPPORT = User(id="support", name="Support", email="support@example.org", roles={Role.SUPPORT})

RECORDS = (ACME, BETA, PYTHON, SQL, DRAFT, OLD, ADA, BO, CY, MANAGER, SUPPORT)


def counting(prefix: str = "id") -> Callable[[], str]:
    """Return an id source that counts, so that two runs make the same ids."""
    numbers = count(1)
    return lambda: f"{prefix}-{next(numbers)}"


def counting_bytes() -> Callable[[int], bytes]:
    """Return a random source that is none: it counts, so that two runs make the same codes."""
    numbers = count(1)

    def draw(size: int) -> bytes:
        blocks = (next(numbers).to_bytes(16, "big") for _ in range(size // 16))
        return b"".join(
            bytes(nibble for byte in block for nibble in (byte >> 4, byte & 15))[16:]
            for block in blocks
        )

    return draw


def world(repository: Repository | None = None, **options: Any) -> tuple[Registrar, ManualClock]:
    """Return a registrar who knows `RECORDS`, and the clock it reads, which shows `START`."""
    clock = ManualClock(START)
    settings: dict[str, Any] = {
        "clock": clock,
        "new_id": counting(),
        "random_bytes": counting_bytes(),
        **options,
    }
    registrar = Registrar(repository, **settings)
    registrar.add(*RECORDS)
    return registrar, clock


def contents(repository: Repository) -> dict[str, list[Any]]:
    """Return everything that *repository* keeps, so that two of them can be compared."""
    queries: tuple[Query[Any], ...] = (
        OrganizationQuery(),
        CourseQuery(),
        UserQuery(),
        AssignmentQuery(),
        AttemptQuery(),
        SubscriptionQuery(),
        BatchQuery(),
        KeyQuery(),
        RedemptionQuery(),
        EventQuery(),
    )
    found = {type(query).__name__: list(find_all(repository, query)) for query in queries}
    people, courses = found["UserQuery"], found["CourseQuery"]
    claims = [Claim.id_for(user.id, course.id) for user in people for course in courses]
    return {
        **found,
        "claims": sorted(repository.get(Claim, claims).values(), key=lambda one: one.id),
    }
