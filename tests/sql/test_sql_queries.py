"""What is asked of SQLite: the answers are those of memory, and no question reads a whole table."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, MetaData, UniqueConstraint, event

from course_assignments import (
    AssignmentQuery,
    AssignmentStatus,
    Attempt,
    AttemptQuery,
    BatchQuery,
    Change,
    CompletionStatus,
    Course,
    CourseAssignment,
    CourseQuery,
    Direct,
    Event,
    EventQuery,
    ExpirationLimit,
    FromKey,
    FromSubscription,
    InMemoryRepository,
    KeyBatch,
    KeyQuery,
    Organization,
    OrganizationQuery,
    Origin,
    Query,
    Record,
    Redemption,
    RedemptionQuery,
    Repository,
    Subscription,
    SubscriptionQuery,
    TrainingKey,
    User,
    UserQuery,
)
from course_assignments.changes import KINDS
from course_assignments.memory import _INDEXED
from course_assignments.queries import Method, filters
from course_assignments.sqlalchemy import SqlRepository, Tables, build_tables
from course_assignments.sqlalchemy.selects import SPECIAL, Selects
from course_assignments.testing import samples
from tests.support.rules import NAIVE
from tests.support.sql import closing, open_memory, stocked
from tests.support.values import refusal

TICK = timedelta(microseconds=1)
TABLES = build_tables(MetaData())
EMPTY = [f"DELETE FROM {table.name}" for table in reversed([*TABLES])]  # noqa: S608 - ours

#: Texts that databases take for others, or order otherwise: case, composition, what stands for
#: something in a pattern, and the two letters that UTF-16 sorts the other way round.
ODD = ("a", "A", "B", "10", "9", "%", "_", "\\", "'", "\u00e9", "e\u0301", "\uff61", "\U00010000")
IDS = st.sampled_from(ODD)
NAMES = st.text(st.sampled_from("aAeE\u0301\u00e9\u00df%_\\' \U0001f40d"), min_size=1, max_size=4)
TEXTS = NAMES.filter(str.strip)
CODES = ("Code-number-1", "code-number-1", "Code-%-number", "00000000000000012")
INSTANTS = st.integers(0, 5).map(lambda ticks: samples.START + ticks * TICK)
SOMETIMES = st.none() | INSTANTS
FLAGS = st.booleans()


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Record], list[Event]]:
    """Draw some records of every kind; whatever one names is among them."""

    def some(build: Callable[[str], Any]) -> list[Any]:
        names = st.lists(IDS, min_size=2, max_size=5, unique=True)
        return [build(name) for name in draw(names)]

    def one(records: list[Any]) -> Any:
        return draw(st.sampled_from(records)).id

    def perhaps(records: list[Any]) -> Any:
        return draw(st.sampled_from([None, *(record.id for record in records)]))

    def spanned() -> dict[str, Any]:
        created, end = sorted(draw(st.lists(INSTANTS, min_size=2, max_size=2, unique=True)))
        return {"created_at": created, "expires_at": end}

    def since(start: datetime) -> datetime | None:
        return draw(SOMETIMES.filter(lambda at: at is None or at >= start))

    def assignment(name: str) -> CourseAssignment:
        span = spanned()
        origins: list[Origin] = [
            Direct(),
            *(FromKey(batch.id, "r") for batch in batches),
            *(FromSubscription(one.id) for one in subscriptions),
        ]
        return CourseAssignment(
            id=name,
            learner_id=one(users),
            course_id=one(courses),
            organization_id=perhaps(organizations),
            limited_by=ExpirationLimit.REQUEST,
            origin=draw(st.sampled_from(origins)),
            started_at=since(span["created_at"]),
            completed_at=since(span["created_at"]),
            cancelled_at=since(span["created_at"]),
            **span,
        )

    def batch(name: str) -> KeyBatch:
        edges = sorted(draw(st.lists(INSTANTS, min_size=2, max_size=2, unique=True)))
        return KeyBatch(
            id=name,
            name=draw(TEXTS),
            course_id=one(courses),
            organization_id=one(organizations),
            created_at=draw(INSTANTS),
            redeemable_from=draw(st.sampled_from([None, edges[0]])),
            redeemable_until=draw(st.sampled_from([None, edges[1]])),
            availability=timedelta(days=1),
        )

    organizations = some(
        lambda name: Organization(
            id=name, name=draw(TEXTS), parent_id=draw(st.none() | IDS.filter(name.__ne__))
        )
    )
    courses = some(lambda name: Course(id=name, name=draw(TEXTS), archived=draw(FLAGS)))
    users = some(
        lambda name: User(
            id=name,
            name=draw(TEXTS),
            email=f"\u00c9{ODD.index(name)}@example.org",
            organization_id=draw(st.none() | IDS),
        )
    )
    subscriptions = some(
        lambda name: Subscription(
            id=name,
            learner_id=one(users),
            organization_id=perhaps(organizations),
            course_ids=["py"],
            **spanned(),
        )
    )
    batches = some(batch)
    keys = [
        TrainingKey(
            id=f"k-{code}",
            code=code,
            batch_id=one(batches),
            number=draw(st.integers(1, 3)),
            uses=draw(st.integers(0, 2)),
            max_uses=2,
            revoked_at=draw(SOMETIMES),
        )
        for code in draw(st.lists(st.sampled_from(CODES), min_size=2, unique=True))
    ]
    assignments = some(assignment)
    attempts = some(
        lambda name: Attempt(
            id=name,
            assignment_id=one(assignments),
            activity_id=draw(IDS),
            number=1,
            started_at=draw(INSTANTS),
        )
    )
    redemptions = some(
        lambda name: Redemption(
            id=name,
            key_id=one(keys),
            batch_id=one(batches),
            learner_id=one(users),
            assignment_id=one(assignments),
            redeemed_at=draw(INSTANTS),
        )
    )
    events = st.builds(Event, at=INSTANTS, action=IDS)
    records = [*organizations, *courses, *users, *subscriptions, *batches, *keys, *assignments]
    return [*records, *attempts, *redemptions], draw(st.lists(events, max_size=5))


Facts = dict[str, Any]
Filters = Mapping[str, st.SearchStrategy[Facts]]


def equal(**values: st.SearchStrategy[Any]) -> Filters:
    return {name: st.fixed_dictionaries({name: one}) for name, one in values.items()}


def windows(*names: str) -> Filters:
    """Give windows that are not empty; each of their sides may be open."""
    bounds = st.lists(INSTANTS, min_size=2, max_size=2, unique=True).map(sorted)

    def window(name: str) -> st.SearchStrategy[Facts]:
        return bounds.flatmap(
            lambda pair: st.fixed_dictionaries(
                {}, optional={f"{name}_from": st.just(pair[0]), f"{name}_until": st.just(pair[1])}
            )
        )

    return {name: window(name) for name in names}


CODE = st.sampled_from([*CODES, f" {CODES[0]} ", CODES[0].lower()])

#: By what each query can be narrowed; what belongs together is drawn together.
FILTERS: Mapping[type[Query[Any]], Filters] = {
    OrganizationQuery: equal(name=TEXTS, parent_id=IDS),
    CourseQuery: equal(name=TEXTS, archived=FLAGS),
    UserQuery: equal(
        name=TEXTS,
        email=st.sampled_from(ODD).map(lambda name: f"E\u0301{ODD.index(name)}@EXAMPLE.org"),
        organization_id=IDS,
    ),
    AssignmentQuery: {
        **equal(learner_id=IDS, course_id=IDS, organization_id=IDS, batch_id=IDS),
        **equal(subscription_id=IDS, origin=st.sampled_from([Direct, FromKey, FromSubscription])),
        **equal(completion=st.lists(st.sampled_from(CompletionStatus))),
        "status": st.fixed_dictionaries(
            {"status": st.sampled_from(AssignmentStatus), "at": INSTANTS}
        ),
        **windows("created", "started", "completed", "expires"),
    },
    AttemptQuery: equal(assignment_id=IDS, activity_id=IDS),
    SubscriptionQuery: {
        **equal(learner_id=IDS, organization_id=IDS),
        **windows("created", "expires"),
    },
    BatchQuery: {
        **equal(course_id=IDS, organization_id=IDS, name=TEXTS),
        **windows("redeemable", "created"),
    },
    KeyQuery: equal(
        batch_ids=st.lists(IDS), code=CODE, codes=st.lists(CODE), redeemed=FLAGS, usable=FLAGS
    ),
    RedemptionQuery: equal(key_id=st.sampled_from(CODES).map("k-{}".format), learner_id=IDS),
    EventQuery: equal(after=st.integers(0, 6)),
}


@st.composite
def queries(draw: st.DrawFn, kind: type[Query[Any]], *filters: str) -> Query[Any]:
    """Draw a query narrowed by *filters*, or else by up to three."""
    some = st.lists(st.sampled_from([*FILTERS[kind]]), max_size=3, unique=True)
    names = [*filters] or draw(some)
    facts: Facts = {"limit": draw(st.integers(1, 3))}
    for name in names:
        facts |= draw(FILTERS[kind][name])
    return kind(**facts)


each_query = pytest.mark.parametrize("kind", FILTERS, ids=lambda kind: kind.__name__)


@pytest.fixture(scope="module")
def engine() -> Generator[Engine]:
    with closing(open_memory()) as engine:
        stocked(engine, tables=TABLES)
        yield engine


def empty_repository(engine: Engine) -> SqlRepository:
    with engine.begin() as connection:
        for sentence in EMPTY:
            connection.exec_driver_sql(sentence)
    return SqlRepository(engine, TABLES)


def pages(repository: Repository, query: Query[Any]) -> Iterator[tuple[Any, ...]]:
    """Give each page of *query*, and what asks for the next one."""
    following: Query[Any] | None = query
    while following is not None:
        page = repository.find(following)
        following = page.next
        yield page.records, following


@each_query
@given(data=st.data())
@pytest.mark.long
def test_the_answers_are_those_of_memory_page_by_page(
    kind: type[Query[Any]], data: st.DataObject, engine: Engine
) -> None:
    records, events = data.draw(worlds())
    asked = [data.draw(queries(kind, name)) for name in FILTERS[kind]]
    asked += data.draw(st.lists(queries(kind), min_size=2, max_size=4))
    memory, database = InMemoryRepository(), empty_repository(engine)
    for repository in (memory, database):
        repository.commit(Change(create=records, record=events))

    for query in asked:
        assert [*pages(database, query)] == [*pages(memory, query)]


@each_query
def test_every_filter_is_asked_for(kind: type[Query[Any]]) -> None:
    said = {at.alias for at in attrs.fields(kind)} - {"limit", "cursor"}
    known = {name.removesuffix("_from").removesuffix("_until") for name in said}

    assert known - {"at"} == {*FILTERS[kind]}


def without_sql(kind: type[Query[Any]]) -> set[str]:
    """Return the names of what *kind* narrows that neither a column nor an own SQL stands for."""
    columns = TABLES.by_kind[kind.kind].c
    named: Mapping[Method, Callable[[str], object]] = {
        "where": lambda name: name in columns or name in SPECIAL,
        "ranges": lambda name: name in columns,
        "contains": lambda name: f"folded_{name}" in columns,
        "special": lambda name: name in SPECIAL,
    }
    return {
        one.name
        for method, has_sql in named.items()
        for one in filters(kind, method).values()
        if not has_sql(one.name)
    }


class TestEveryFilter:
    @each_query
    def test_has_sql(self, kind: type[Query[Any]]) -> None:
        assert without_sql(kind) == set()

    @pytest.mark.parametrize("name", SPECIAL)
    def test_would_be_missed_without_it(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(cast("dict[str, Any]", SPECIAL), name)
        (missed,) = (missed for kind in FILTERS if (missed := without_sql(kind)))
        assert missed == {name}


@pytest.fixture
def repository(engine: Engine) -> SqlRepository:
    found = empty_repository(engine)
    found.commit(Change(create=samples.RECORDS, record=samples.EVENTS))
    return found


@contextmanager
def heard(engine: Engine) -> Generator[list[tuple[str, Any]]]:
    """Collect the statements, and their parameters, that go to the database meanwhile."""
    found: list[tuple[str, Any]] = []

    def hear(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        found.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", hear)


UNSTORABLE = ["\0", "py\0", "\ud800", "x" * 10_000, ""]


class TestIds:
    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    def test_that_cannot_be_stored_are_not_found(
        self, kind: type[Any], repository: SqlRepository
    ) -> None:
        there = next(record for record in samples.RECORDS if type(record) is kind)

        assert repository.get(kind, UNSTORABLE) == {}
        assert repository.get(kind, [*UNSTORABLE, there.id]) == {there.id: there}

    @pytest.mark.parametrize("count", [1, 2])
    def test_that_cannot_be_stored_narrow_to_nothing(
        self, count: int, repository: SqlRepository
    ) -> None:
        for one in UNSTORABLE:
            assert repository.find(KeyQuery(batch_ids=[one] * count)).records == ()
        found = repository.find(KeyQuery(batch_ids=[*UNSTORABLE, "spring"])).records
        assert {key.batch_id for key in found} == {"spring"}

    def test_may_be_any_number_in_one_statement(
        self, repository: SqlRepository, engine: Engine
    ) -> None:
        ids = [f"id-{number}" for number in range(100_000)]

        with heard(engine) as statements:
            found = repository.get(Course, [*ids, "py"])

        assert found == {"py": samples.PYTHON}
        assert len(statements) == 1


class TestStatements:
    @each_query
    def test_one_finds_a_page(
        self, kind: type[Query[Any]], repository: SqlRepository, engine: Engine
    ) -> None:
        with heard(engine) as statements:
            page = repository.find(kind(limit=1))
        assert len(statements) == 1
        assert page.next is not None

        with heard(engine) as statements:
            repository.find(page.next)
        assert len(statements) == 1

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    def test_one_gets_records_by_id(
        self, kind: type[Any], repository: SqlRepository, engine: Engine
    ) -> None:
        ids = [record.id for record in samples.RECORDS if type(record) is kind]

        with heard(engine) as statements:
            assert len(repository.get(kind, ids)) == len(ids)
        assert len(statements) == 1

    @each_query
    @given(data=st.data())
    def test_are_built_once_for_the_same_filters(
        self, kind: type[Query[Any]], data: st.DataObject
    ) -> None:
        selects = Selects(TABLES, "sqlite")
        query = data.draw(queries(kind))

        first, _ = selects.statement(query)
        again, parameters = selects.statement(attrs.evolve(query, limit=7))

        assert again is first
        assert parameters["page"] == 8

    def test_are_built_once_whatever_the_values(self) -> None:
        selects = Selects(TABLES, "sqlite")

        def shapes(*asked: Query[Any]) -> int:
            return len({id(selects.statement(query)[0]) for query in asked})

        assert shapes(*(CourseQuery(name=name) for name in ODD)) == 1
        assert shapes(*(KeyQuery(batch_ids=[f"{n}" for n in range(m)]) for m in range(2, 9))) == 1
        assert shapes(CourseQuery(name="a"), CourseQuery(), CourseQuery(archived=True)) == 3
        assert shapes(CourseQuery(), OrganizationQuery()) == 2

    def test_are_one_for_each_set_of_completions(self) -> None:
        # The list may come from a form that anyone fills in, and each statement is kept.
        selects = Selects(TABLES, "sqlite")
        none, some, done = CompletionStatus
        asked = [[none, some], [some, none], [none, some, none], (some,) * 3 + (none,) * 3]

        built = {id(selects.statement(AssignmentQuery(completion=one))[0]) for one in asked}

        assert len(built) == 1
        other = AssignmentQuery(completion=[none, done])
        assert id(selects.statement(other)[0]) not in built

    def test_are_shared_by_the_repositories_over_the_same_tables(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        built: Counter[type] = Counter()
        build = vars(Selects)["_built"]

        def counted(selects: Selects, query: Query[Any], *rest: Any) -> Any:
            built[type(query)] += 1
            return build(selects, query, *rest)

        monkeypatch.setattr(Selects, "_built", counted)
        tables = build_tables(MetaData())
        for number in range(5):
            repository = SqlRepository(engine, tables)
            repository.find(CourseQuery(name=f"{number}"))
            repository.find(UserQuery())

        assert built == {CourseQuery: 1, UserQuery: 1}
        SqlRepository(engine, build_tables(MetaData())).find(UserQuery())
        assert built[UserQuery] == 2


class MyQuery(CourseQuery):
    """A query of somebody else's, which knows a filter that the database does not."""

    def matches(self, record: Course) -> bool:
        return super().matches(record) and record.id.islower()


@pytest.mark.parametrize("query", [MyQuery(), None, 42, "py", CourseQuery], ids=repr)
def test_refuses_what_is_no_query_of_ours(query: Any, repository: SqlRepository) -> None:
    error = refusal(lambda: repository.find(query))

    assert (error.code, error.field) == ("wrong_type", "query")


def planned(engine: Engine, ask: Callable[[], object]) -> list[str]:
    """Return how SQLite says that it goes about what *ask* asks."""
    with heard(engine) as statements:
        ask()
    ((statement, parameters),) = statements
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return [str(row.detail) for row in rows]


def scanned(plan: list[str], tables: Tables) -> list[str]:
    """Return the steps of *plan* in which a whole table is gone through."""
    return [step for step in plan for table in tables if step.startswith(f"SCAN {table.name}")]


QUERIES = {query.kind: query for query in FILTERS}
INDEXED = [(kind, name) for kind, names in _INDEXED.items() for name in names]
FIND_BY: Mapping[tuple[type, str], Facts] = {
    (User, "folded_email"): {"email": "ada@example.org"},
    (TrainingKey, "batch_id"): {"batch_ids": ["spring"]},
    (TrainingKey, "code"): {"code": "Spring-2026"},
}


def listing(kind: type, name: str) -> Query[Any]:
    """Return the query for the records of *kind* whose field *name* has one value."""
    return QUERIES[kind](**FIND_BY.get((kind, name), {name: "a"}), limit=1)


def listings(kind: type, name: str) -> list[Query[Any]]:
    """Return that query, and what goes on behind a record that it might have found."""
    record = next(one for one in samples.RECORDS if type(one) is kind)
    query = listing(kind, name)
    return [query, query.starting_after(record)]


each_indexed = pytest.mark.parametrize(
    ("kind", "name"), INDEXED, ids=lambda one: getattr(one, "__name__", one)
)


class TestPlans:
    @each_indexed
    def test_to_list_by_one_thing_neither_reads_all_nor_sorts(
        self, kind: type, name: str, engine: Engine
    ) -> None:
        repository = SqlRepository(engine, TABLES)
        for query in listings(kind, name):
            plan = planned(engine, partial(repository.find, query))

            assert plan
            assert not scanned(plan, TABLES)
            assert not [step for step in plan if "TEMP B-TREE" in step]

    @each_indexed
    def test_without_the_index_all_is_read(self, kind: type, name: str) -> None:
        tables = build_tables(MetaData())
        table = tables.by_kind[kind]
        table.indexes -= {one for one in table.indexes if one.columns.keys()[0] == name}
        table.constraints -= {
            one
            for one in table.constraints
            if isinstance(one, UniqueConstraint) and one.columns.keys() == [name]
        }
        with closing(open_memory()) as engine:
            repository = stocked(engine, tables=tables)

            assert scanned(planned(engine, lambda: repository.find(listing(kind, name))), tables)

    def test_to_list_the_keys_of_several_batches_reads_only_those(self, engine: Engine) -> None:
        query = KeyQuery(batch_ids=["spring", "summer"])
        repository = SqlRepository(engine, TABLES)

        assert not scanned(planned(engine, lambda: repository.find(query)), TABLES)

    @each_query
    def test_to_list_all_needs_no_sorting(self, kind: type[Query[Any]], engine: Engine) -> None:
        repository = SqlRepository(engine, TABLES)
        plan = planned(engine, lambda: repository.find(kind()))

        assert plan
        assert not [step for step in plan if "TEMP B-TREE" in step]

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    def test_to_get_by_id_reads_only_those(self, kind: type[Any], engine: Engine) -> None:
        repository = SqlRepository(engine, TABLES)

        assert not scanned(planned(engine, lambda: repository.get(kind, ["a", "b"])), TABLES)

    def test_to_prune_events_reads_only_those(self, engine: Engine) -> None:
        prune = "EXPLAIN QUERY PLAN DELETE FROM events WHERE events.at < ?"
        with engine.connect() as connection:
            plan = [row.detail for row in connection.exec_driver_sql(prune, ("2026",))]

        assert not scanned(plan, TABLES)


class TestPruning:
    """Rule 23: what happened long ago may be forgotten."""

    def test_drops_what_happened_before_the_instant(self, repository: SqlRepository) -> None:
        before = samples.START + samples.HOUR
        stored = repository.find(EventQuery()).records

        dropped = repository.prune_events(before)

        kept = repository.find(EventQuery()).records
        assert kept == tuple(one for one in stored if one.at >= before)
        assert {one.at for one in kept} >= {before}
        assert dropped == len(stored) - len(kept) > 0
        assert repository.prune_events(before) == 0

    @given(events=st.lists(st.builds(Event, at=INSTANTS, action=IDS)), before=INSTANTS)
    def test_keeps_the_positions_of_the_others(
        self, events: list[Event], before: datetime, engine: Engine
    ) -> None:
        repository = empty_repository(engine)
        repository.commit(Change(record=events))

        dropped = repository.prune_events(before.astimezone(ZoneInfo("Asia/Kathmandu")))

        kept = repository.find(EventQuery()).records
        places = [place for place, one in enumerate(events, 1) if one.at >= before]
        assert [one.position for one in kept] == places
        assert dropped == len(events) - len(places)

    def test_goes_on_behind_what_was_dropped(self, repository: SqlRepository) -> None:
        last = len(samples.EVENTS)
        assert repository.prune_events(samples.START + samples.DAY) == last

        repository.commit(Change(record=samples.EVENTS[:2]))

        found = repository.find(EventQuery(after=last)).records
        assert [one.position for one in found] == [last + 1, last + 2]
        assert repository.find(EventQuery()).records == found

    def test_leaves_the_records_alone(self, repository: SqlRepository) -> None:
        repository.prune_events(samples.START + samples.DAY)

        assert repository.get(User, ["ada"]) == {"ada": samples.ADA}

    @pytest.mark.parametrize(
        "junk", [NAIVE, None, 42, "2026-01-05", samples.START.date()], ids=repr
    )
    def test_refuses_what_is_no_aware_instant(self, junk: Any, repository: SqlRepository) -> None:
        assert refusal(lambda: repository.prune_events(junk)).field == "before"
        assert len(repository.find(EventQuery()).records) == len(samples.EVENTS)
