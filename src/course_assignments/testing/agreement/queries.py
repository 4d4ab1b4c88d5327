"""Strategies for queries with any filters and page sizes."""

from typing import Any, TypeAlias

from hypothesis import strategies as st

from course_assignments import queries
from course_assignments.entities.assignments import Direct, FromKey, FromSubscription
from course_assignments.entities.enums import AssignmentStatus, CompletionStatus
from course_assignments.queries import Query
from course_assignments.testing import strategies
from course_assignments.testing.samples import DAY, HOUR, START

IDS = st.sampled_from(["one", "two", *(f"id-{number}" for number in range(1, 6))])
LEARNERS = st.sampled_from(["ada", "bo", "cy", "ADA"])
COURSES = st.sampled_from(["py", "sql"])
HOMES = st.sampled_from(["acme", "beta", "nowhere"])
CODES = st.sampled_from(["Spring-2026", "spring-2026", " Summer-2026"])
TEXTS = st.sampled_from(["a", "E", "%", "_", "\\", "ada"]) | strategies.names()
FLAGS = st.booleans()
INSTANTS = st.tuples(
    st.sampled_from([-10, -1, 0, 0, 1, 10, 20, 30, 180, 300]), st.sampled_from([0, 0, 0, 1])
).map(lambda later: START + later[0] * DAY + later[1] * HOUR)

#: Some filters of a query.
Facts: TypeAlias = dict[str, Any]


def _asked(
    kind: type[Query[Any]], *more: st.SearchStrategy[Facts], **filters: st.SearchStrategy[Any]
) -> st.SearchStrategy[Query[Any]]:
    """Generate a query of *kind* with at most two filters."""

    def query(limit: int, narrowed: list[Facts]) -> Query[Any]:
        return kind(limit=limit, **{name: one for facts in narrowed for name, one in facts.items()})

    by_one = [_fact(name, values) for name, values in filters.items()]
    return st.builds(query, st.integers(1, 4), st.lists(st.one_of(*by_one, *more), max_size=2))


def _fact(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Facts]:
    return values.map(lambda value: {name: value})


def _window(name: str) -> st.SearchStrategy[Facts]:
    bounds = st.lists(INSTANTS, min_size=2, max_size=2, unique=True).map(sorted)
    sides = st.sampled_from([(True, True), (True, False), (False, True)])

    def facts(pair: list[Any], shown: tuple[bool, bool]) -> Facts:
        start, until = (one if is_ else None for one, is_ in zip(pair, shown, strict=True))
        return {f"{name}_from": start, f"{name}_until": until}

    return st.builds(facts, bounds, sides)


QUERIES: st.SearchStrategy[Query[Any]] = st.one_of(
    _asked(queries.OrganizationQuery, name=TEXTS, parent_id=HOMES),
    _asked(queries.CourseQuery, name=TEXTS, archived=FLAGS),
    _asked(queries.UserQuery, name=TEXTS, email=st.just("ADA@example.org"), organization_id=HOMES),
    _asked(
        queries.AssignmentQuery,
        *map(_window, ("created", "started", "completed", "expires")),
        st.fixed_dictionaries({"status": st.sampled_from(AssignmentStatus), "at": INSTANTS}),
        learner_id=LEARNERS,
        course_id=COURSES,
        organization_id=HOMES,
        batch_id=IDS,
        subscription_id=IDS,
        completion=st.lists(st.sampled_from(CompletionStatus)),
        origin=st.sampled_from([Direct, FromKey, FromSubscription]),
    ),
    _asked(queries.AttemptQuery, assignment_id=IDS, activity_id=st.just("lab")),
    _asked(
        queries.SubscriptionQuery,
        *map(_window, ("created", "expires")),
        learner_id=LEARNERS,
        organization_id=HOMES,
    ),
    _asked(
        queries.BatchQuery,
        *map(_window, ("created", "redeemable")),
        course_id=COURSES,
        organization_id=HOMES,
        name=TEXTS,
    ),
    _asked(
        queries.KeyQuery,
        batch_ids=st.lists(IDS),
        code=CODES,
        codes=st.lists(CODES),
        redeemed=FLAGS,
        usable=FLAGS,
    ),
    _asked(queries.RedemptionQuery, key_id=IDS, learner_id=LEARNERS),
    _asked(queries.EventQuery, after=st.integers(0, 30)),
)
