"""Attempts and subscriptions: strategies for them, and a small world in which people learn."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from course_assignments import (
    Activity,
    ActivityKind,
    Attempt,
    Course,
    ManualClock,
    Opening,
    Pause,
    Registrar,
    Repository,
    Subscription,
)
from tests.support.situations import SALES
from tests.support.strategies import US, identifiers, utc_instants
from tests.support.world import world

#: Two required activities, one of them a lab, and two that are not.
LESSONS = Course(
    id="lessons",
    name="Lessons",
    content_provider="us",
    publishing_group="all",
    activities=[
        Activity(id="lab", name="A lab", kind=ActivityKind.LAB, required=True),
        Activity(id="film", name="A film", kind=ActivityKind.VIDEO, required=True),
        Activity(id="link", name="A link", kind=ActivityKind.LINK),
        Activity(id="play", name="Another lab", kind=ActivityKind.LAB),
    ],
)
#: Nothing in it is required.
FREE = Course(
    id="free",
    name="Free",
    content_provider="us",
    publishing_group="all",
    activities=[Activity(id="link", name="A link", kind=ActivityKind.LINK)],
)


def classroom(
    repository: Repository | None = None, **options: Any
) -> tuple[Registrar, ManualClock]:
    """Return a small world in which Ada has assignment a-1 of a course with activities."""
    registrar, clock = world(repository, **options)
    registrar.add(SALES, LESSONS, FREE)
    registrar.assign("lessons", "ada", id="a-1")
    return registrar, clock


def subscribed(
    duration: timedelta = timedelta(days=60), learner: str = "ada", **options: Any
) -> tuple[Registrar, ManualClock]:
    """Return a small world in which *learner* has subscription s-1 to three courses."""
    registrar, clock = world(**options)
    registrar.add(SALES, LESSONS)
    registrar.subscribe(["py", "sql", "lessons"], learner, duration=duration, id="s-1")
    return registrar, clock


def lasting() -> st.SearchStrategy[timedelta]:
    """Draw how long something takes: nothing, a microsecond, or up to weeks."""
    return st.sampled_from([timedelta(0), US]) | st.timedeltas(timedelta(0), timedelta(days=30))


@st.composite
def attempts(draw: st.DrawFn, starts: st.SearchStrategy[datetime] | None = None) -> Attempt:
    """Draw an attempt in any state: under way, paused, finished, finished while it was paused."""
    started_at = now = draw(starts or utc_instants())

    def later() -> datetime:
        nonlocal now
        now += draw(lasting())
        return now

    pauses = [Pause(later(), later()) for _ in range(draw(st.integers(0, 3)))]
    if draw(st.booleans()):
        pauses.append(Pause(later()))
    return Attempt(
        id=draw(identifiers()),
        assignment_id=draw(identifiers()),
        activity_id=draw(identifiers()),
        number=draw(st.integers(1, 9)),
        started_at=started_at,
        pauses=pauses,
        finished_at=later() if draw(st.booleans()) else None,
        request_id=draw(st.none() | identifiers()),
    )


@st.composite
def subscriptions(draw: st.DrawFn) -> Subscription:
    """Draw a subscription in any state: young, over, edited, cancelled, with courses opened."""
    created_at = draw(utc_instants())
    later = st.none() | lasting().map(lambda passed: created_at + passed)
    return Subscription(
        id=draw(identifiers()),
        learner_id=draw(identifiers()),
        organization_id=draw(st.none() | identifiers()),
        course_ids=draw(st.lists(identifiers(), min_size=1, max_size=3, unique=True)),
        created_at=created_at,
        expires_at=created_at + draw(st.timedeltas(US, timedelta(days=30))),
        edited_at=draw(later),
        cancelled_at=draw(later),
        openings=draw(st.lists(st.builds(Opening, identifiers(), identifiers()), max_size=3)),
    )
