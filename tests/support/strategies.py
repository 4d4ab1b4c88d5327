"""Hypothesis strategies for instants, terms and records; each says what it leaves out."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import attrs
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.testing import strategies
from course_assignments.testing.strategies import courses, users
from course_assignments.testing.strategies import identifiers as any_ids

__all__ = ["FOLDS", "GAPS", "US", "ZONE_NAMES", "any_ids", "assignments", "courses", "histories"]
__all__ += ["identifiers", "instants", "keys", "organizations", "terms", "users", "utc_instants"]
__all__ += ["zones"]

US = timedelta(microseconds=1)

#: Zones with the oddities that matter: a half-hour shift, a day skipped, a jump at midnight, odd
#: offsets, both hemispheres, none at all.
ZONE_NAMES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Africa/Casablanca",
)

#: Wall times that do not exist or exist twice: (zone, wall time).
GAPS = (
    ("Europe/Berlin", datetime(2026, 3, 29, 2, 30)),  # noqa: DTZ001 - a wall time
    ("America/New_York", datetime(2026, 3, 8, 2, 30)),  # noqa: DTZ001 - a wall time
    ("America/Sao_Paulo", datetime(2018, 11, 4, 0, 30)),  # noqa: DTZ001 - a wall time
    ("Australia/Lord_Howe", datetime(2026, 10, 4, 2, 15)),  # noqa: DTZ001 - a wall time
    ("Pacific/Apia", datetime(2011, 12, 30, 12)),  # noqa: DTZ001 - a wall time
)
FOLDS = (
    ("Europe/Berlin", datetime(2026, 10, 25, 2, 30)),  # noqa: DTZ001 - a wall time
    ("America/New_York", datetime(2026, 11, 1, 1, 30)),  # noqa: DTZ001 - a wall time
    ("Australia/Lord_Howe", datetime(2026, 4, 5, 1, 45)),  # noqa: DTZ001 - a wall time
)


def zones() -> st.SearchStrategy[tzinfo]:
    """Draw a time zone out of those named above; no fixed offsets."""
    return st.sampled_from(ZONE_NAMES).map(ZoneInfo)


@st.composite
def instants(
    draw: st.DrawFn,
    start: datetime = datetime(1971, 1, 1),  # noqa: DTZ001 - a wall time
    end: datetime = datetime(2150, 1, 1),  # noqa: DTZ001 - a wall time
) -> datetime:
    """Draw an aware instant in any zone, gaps and folds among them; not the ends of the range."""
    if draw(st.integers(0, 3)) == 0:
        picked: tuple[str, datetime] = draw(st.sampled_from(GAPS + FOLDS))
        name, wall = picked
        if start <= wall <= end:
            fold = draw(st.sampled_from([0, 1]))
            return wall.replace(tzinfo=ZoneInfo(name), fold=fold)
    naive: datetime = draw(st.datetimes(min_value=start, max_value=end))
    return naive.replace(tzinfo=draw(zones()), fold=draw(st.sampled_from([0, 1])))


def utc_instants() -> st.SearchStrategy[datetime]:
    """Draw an instant in UTC, as entities hold them."""
    return instants().map(lambda instant: instant.astimezone(UTC))


def terms(longest: timedelta = timedelta(days=3650)) -> st.SearchStrategy[ca.Duration]:
    """Draw an exact or a calendar length, from a microsecond to *longest*; no relativedelta."""
    exact = st.timedeltas(min_value=US, max_value=longest)
    return exact | st.integers(1, max(1, longest.days // 31)).map(ca.Months)


def identifiers() -> st.SearchStrategy[str]:
    """Draw a short id; few enough that two of them meet."""
    return st.text("abcdef", min_size=1, max_size=3)


def assignments() -> st.SearchStrategy[ca.CourseAssignment]:
    """Draw an assignment in any state, away from the ends of the range."""
    return strategies.assignments(
        datetime(1971, 1, 1, tzinfo=UTC), datetime(2150, 1, 1, tzinfo=UTC)
    )


def organizations() -> st.SearchStrategy[ca.Organization]:
    """Draw an organization without a parent."""
    return strategies.organizations().map(lambda one: attrs.evolve(one, parent_id=None))


@st.composite
def histories(draw: st.DrawFn) -> tuple[ca.CourseAssignment, ...]:
    """Draw assignments of two learners, their instants so close that many are equal or touch.

    They lie minutes apart, some a microsecond off; nothing lies more than twelve minutes from the
    first creation.
    """
    start = datetime(2026, 1, 5, 9, tzinfo=UTC)
    passed = st.builds(
        lambda minutes, step: timedelta(minutes=minutes) + step,
        st.integers(0, 6),
        st.sampled_from([timedelta(0), timedelta(0), US]),
    )
    found: list[ca.CourseAssignment] = []
    for name in draw(st.lists(identifiers(), max_size=8, unique=True)):
        created_at = start + draw(passed)
        later = st.none() | passed.map(created_at.__add__)
        found.append(
            ca.CourseAssignment(
                id=name,
                learner_id=draw(st.sampled_from(["ada", "ada", "bo"])),
                course_id=draw(st.sampled_from(["py", "sql"])),
                organization_id=draw(st.sampled_from([None, "acme"])),
                created_at=created_at,
                expires_at=created_at + max(US, draw(passed)),
                limited_by=ca.ExpirationLimit.REQUEST,
                origin=ca.Direct(),
                started_at=draw(later),
                completed_at=draw(later),
                cancelled_at=draw(st.none() | later),
            )
        )
    return tuple(found)


@st.composite
def keys(draw: st.DrawFn) -> tuple[ca.TrainingKey, ca.KeyBatch]:
    """Draw a hand-made key and its batch, with any window, uses and organization rule."""
    created_at = draw(utc_instants())
    window = st.timedeltas(timedelta(0), timedelta(days=400))
    opens, closes = sorted(draw(st.lists(window, min_size=2, max_size=2, unique=True)))
    max_uses = draw(st.integers(1, 5))
    batch = ca.KeyBatch(
        id=draw(identifiers()),
        name="A batch",
        course_id=draw(identifiers()),
        organization_id=draw(identifiers()),
        created_at=created_at,
        redeemable_from=draw(st.sampled_from([None, created_at + opens])),
        redeemable_until=draw(st.sampled_from([None, created_at + closes])),
        max_uses=max_uses,
        availability=draw(terms()),
        any_organization=draw(st.booleans()),
        size=1,
    )
    key = ca.TrainingKey(
        id="k-1",
        code="Hand-made-1",
        batch_id=batch.id,
        uses=draw(st.integers(0, max_uses)),
        max_uses=max_uses,
        revoked_at=draw(st.sampled_from([None, created_at])),
    )
    return key, batch
