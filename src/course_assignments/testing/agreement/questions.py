"""What the machine asks of both repositories: queries with any filters, in pages of any size."""

from typing import Any

from hypothesis import strategies as st

from course_assignments import queries
from course_assignments.assignments import Direct, FromKey, FromSubscription
from course_assignments.enums import AssignmentStatus, CompletionStatus
from course_assignments.queries import Query
from course_assignments.testing import strategies
from course_assignments.testing.stock import DAY, START

IDS = st.sampled_from(["one", "two", *(f"id-{number}" for number in range(1, 6))])
LEARNERS = st.sampled_from(["ada", "bo", "cy", "ADA"])
COURSES = st.sampled_from(["py", "sql"])
HOMES = st.sampled_from(["acme", "beta", "nowhere"])
CODES = st.sampled_from(["Spring-2026", "spring-2026", " Summer-2026"])
TEXTS = st.sampled_from(["a", "E", "%", "_", "\\", "ada"]) | strategies.names()
FLAGS = st.booleans()
INSTANTS = st.integers(-20, 300).map(lambda days: START + days * DAY)


_OPEN: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({})


def _asked(
    kind: type[Query[Any]], *windows: str, **filters: st.SearchStrategy[Any]
) -> st.SearchStrategy[Query[Any]]:
    """Draw a query of *kind* with some of its *filters* and *windows*."""
    limits = st.fixed_dictionaries({"limit": st.integers(1, 4)}, optional=filters)

    def query(drawn: tuple[dict[str, Any], ...]) -> Query[Any]:
        return kind(**{name: one for facts in drawn for name, one in facts.items()})

    return st.tuples(limits, *map(_window, windows)).map(query)


def _window(name: str) -> st.SearchStrategy[dict[str, Any]]:
    bounds = st.lists(INSTANTS, min_size=2, max_size=2, unique=True).map(sorted)
    return _OPEN | bounds.flatmap(
        lambda pair: st.fixed_dictionaries(
            {}, optional={f"{name}_from": st.just(pair[0]), f"{name}_until": st.just(pair[1])}
        )
    )


_STANDING: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"status": st.sampled_from(AssignmentStatus), "at": INSTANTS}
)

QUERIES: st.SearchStrategy[Query[Any]] = st.one_of(
    _asked(queries.OrganizationQuery, name=TEXTS, parent_id=HOMES),
    _asked(queries.CourseQuery, name=TEXTS, archived=FLAGS),
    _asked(queries.UserQuery, name=TEXTS, email=st.just("ADA@example.org"), organization_id=HOMES),
    _asked(
        queries.AssignmentQuery,
        *("created", "started", "completed", "expires"),
        learner_id=LEARNERS,
        course_id=COURSES,
        organization_id=HOMES,
        batch_id=IDS,
        subscription_id=IDS,
        completion=st.lists(st.sampled_from(CompletionStatus)),
        origin=st.sampled_from([Direct, FromKey, FromSubscription]),
    ),
    _STANDING.map(lambda standing: queries.AssignmentQuery(**standing, limit=2)),
    _asked(queries.AttemptQuery, assignment_id=IDS, activity_id=st.just("lab")),
    _asked(
        queries.SubscriptionQuery,
        *("created", "expires"),
        learner_id=LEARNERS,
        organization_id=HOMES,
    ),
    _asked(
        queries.BatchQuery,
        *("created", "redeemable"),
        course_id=COURSES,
        organization_id=HOMES,
        name=TEXTS,
    ),
    _asked(queries.KeyQuery, batch_ids=st.lists(IDS), code=CODES, redeemed=FLAGS, usable=FLAGS),
    _asked(queries.RedemptionQuery, code=CODES, learner_id=LEARNERS),
    _asked(queries.EventQuery, after=st.integers(0, 30)),
)
