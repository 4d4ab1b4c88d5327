"""The statements of a search: how many there are, and that none of them reads a whole table."""

from collections.abc import Callable, Generator
from datetime import datetime, timedelta
from functools import partial
from gc import collect
from itertools import combinations
from typing import Any
from weakref import ref
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, MetaData, UniqueConstraint, event

import course_assignments as ca
from course_assignments.changes import KINDS
from course_assignments.queries import QUERIES, filters
from course_assignments.sqlalchemy import SqlRepository, Tables, build_tables
from course_assignments.sqlalchemy.selects import Selects
from course_assignments.testing import samples
from course_assignments.testing.contract.finding import FILTERS
from tests.sql.database_cases import heard
from tests.support.rules import NAIVE
from tests.support.sql import closing, open_memory, stocked
from tests.support.values import refusal

TABLES = build_tables(MetaData())
each_query = pytest.mark.parametrize("kind", QUERIES, ids=lambda kind: kind.__name__)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@pytest.fixture
def repository(engine: Engine) -> SqlRepository:
    found = stocked(engine, tables=TABLES)
    found.commit(ca.Change(create=samples.RECORDS, record=samples.EVENTS))
    return found


UNSTORABLE = ["\0", "py\0", "\ud800", "x" * 10_000, ""]


class TestIds:
    @pytest.mark.parametrize("count", [1, 2])
    def test_that_cannot_be_stored_narrow_to_nothing(
        self, count: int, repository: SqlRepository
    ) -> None:
        for one in UNSTORABLE:
            assert repository.find(ca.KeyQuery(batch_ids=[one] * count)).records == ()
        found = repository.find(ca.KeyQuery(batch_ids=[*UNSTORABLE, "spring"])).records
        assert {key.batch_id for key in found} == {"spring"}

    def test_may_be_any_number_in_one_statement(
        self, repository: SqlRepository, engine: Engine
    ) -> None:
        ids = [f"id-{number}" for number in range(100_000)]

        with heard(engine) as statements:
            found = repository.get(ca.Course, [*ids, "py"])

        assert found == {"py": samples.PYTHON}
        assert len(statements) == 1


class TestStatements:
    @each_query
    def test_one_finds_a_page(
        self, kind: type[ca.Query[Any]], repository: SqlRepository, engine: Engine
    ) -> None:
        with heard(engine) as statements:
            page = repository.find(kind(limit=1))
        assert len(statements) == 1
        assert page.next is not None

        with heard(engine) as statements:
            repository.find(page.next)
        assert len(statements) == 1

    @each_kind
    def test_one_gets_records_by_id(
        self, kind: type[Any], repository: SqlRepository, engine: Engine
    ) -> None:
        ids = [record.id for record in samples.RECORDS if type(record) is kind]

        with heard(engine) as statements:
            assert len(repository.get(kind, ids)) == len(ids)
        assert len(statements) == 1

    @given(st.sampled_from([*FILTERS]), st.data())
    def test_are_built_once_for_the_same_filters(
        self, kind: type[ca.Query[Any]], data: st.DataObject
    ) -> None:
        query = kind(**data.draw(st.sampled_from(FILTERS[kind])))
        selects = Selects(TABLES, "sqlite")
        first, _ = selects.statement(query)
        again, parameters = selects.statement(attrs.evolve(query, limit=7))

        assert again is first
        assert parameters["page"] == 8

    def test_are_built_once_whatever_the_values(self) -> None:
        selects = Selects(TABLES, "sqlite")

        def shapes(*asked: ca.Query[Any]) -> int:
            return len({id(selects.statement(query)[0]) for query in asked})

        assert shapes(*(ca.CourseQuery(name=name) for name in "aA%_")) == 1
        assert (
            shapes(*(ca.KeyQuery(batch_ids=[f"{n}" for n in range(m)]) for m in range(2, 9))) == 1
        )
        assert (
            shapes(ca.CourseQuery(name="a"), ca.CourseQuery(), ca.CourseQuery(archived=True)) == 3
        )
        assert shapes(ca.CourseQuery(), ca.OrganizationQuery()) == 2

    def test_are_one_for_each_set_of_completions(self) -> None:
        # The list may come from a form that anyone fills in, and each statement is kept.
        selects = Selects(TABLES, "sqlite")
        none, some, done = ca.CompletionStatus
        asked = [[none, some], [some, none], [none, some, none], (some,) * 3 + (none,) * 3]

        built = {id(selects.statement(ca.AssignmentQuery(completion=one))[0]) for one in asked}

        assert len(built) == 1
        other = ca.AssignmentQuery(completion=[none, done])
        assert id(selects.statement(other)[0]) not in built

    def test_are_no_more_than_are_in_use(self) -> None:
        selects = Selects(TABLES, "sqlite")
        names = ("learner_id", "course_id", "organization_id", "batch_id", "subscription_id")
        begins = ("created_from", "started_from", "completed_from", "expires_from")
        known: dict[str, Any] = dict.fromkeys(names, "a") | dict.fromkeys(begins, samples.START)
        shapes = [some for size in range(10) for some in combinations(known, size)]
        assert len(shapes) == 2**9
        built = [
            ref(selects.statement(ca.AssignmentQuery(**{name: known[name] for name in some}))[0])
            for some in shapes
        ]
        collect()
        assert sum(one() is not None for one in built) == 256

    @pytest.mark.usefixtures("repository")
    def test_are_shared_by_the_repositories_over_the_same_tables(self, engine: Engine) -> None:
        executed: list[object] = []

        def note(_: object, statement: object, *__: object) -> None:
            executed.append(statement)

        event.listen(engine, "before_execute", note)
        tables = build_tables(MetaData())
        for number in range(5):
            SqlRepository(engine, tables).find(ca.CourseQuery(name=f"{number}"))
        assert len(executed) == 5
        assert len(set(map(id, executed))) == 1


@pytest.mark.parametrize("query", [None, 42, "py", ca.CourseQuery], ids=repr)
def test_refuses_other_queries(query: Any, repository: SqlRepository) -> None:
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


def indexed() -> Generator[Any]:
    """Give a query for each filter with an index, with the name of the column."""
    for kind in QUERIES:
        columns: set[str] = set()
        for field, one in filters(kind):
            if one.indexed and one.name not in {*columns, kind.order[-1]}:
                columns.add(one.name)
                name = field.name
                facts: dict[str, Any] = {name: ["a"] if name.endswith("s") else "a"}
                yield pytest.param(kind(**facts, limit=1), one.name, id=f"{kind.__name__}-{name}")


each_indexed = pytest.mark.parametrize(("query", "column"), [*indexed()])


class TestPlans:
    @each_indexed
    def test_a_filter_with_an_index_neither_reads_all_nor_sorts(
        self, query: ca.Query[Any], column: str, repository: SqlRepository, engine: Engine
    ) -> None:
        record = next(one for one in samples.RECORDS if type(one) is query.kind)
        for page in (query, query.starting_after(record)):
            plan = planned(engine, partial(repository.find, page))
            assert any(column in step for step in plan)
            assert not scanned(plan, TABLES)
            assert not [step for step in plan if "TEMP B-TREE" in step]

    @each_indexed
    def test_without_the_index_all_is_read(
        self, query: ca.Query[Any], column: str, engine: Engine
    ) -> None:
        tables = build_tables(MetaData())
        table = tables.by_kind[query.kind]
        table.indexes -= {one for one in table.indexes if one.columns.keys()[0] == column}
        table.constraints -= {
            one
            for one in table.constraints
            if isinstance(one, UniqueConstraint) and one.columns.keys() == [column]
        }
        repository = stocked(engine, tables=tables)
        assert scanned(planned(engine, partial(repository.find, query)), tables)

    def test_to_list_the_keys_of_several_batches_reads_only_those(
        self, repository: SqlRepository, engine: Engine
    ) -> None:
        query = ca.KeyQuery(batch_ids=["spring", "summer"])
        assert not scanned(planned(engine, partial(repository.find, query)), TABLES)

    @each_query
    def test_to_list_all_needs_no_sorting(
        self, kind: type[ca.Query[Any]], repository: SqlRepository, engine: Engine
    ) -> None:
        plan = planned(engine, partial(repository.find, kind()))
        assert plan
        assert not [step for step in plan if "TEMP B-TREE" in step]

    @each_kind
    def test_to_get_by_id_reads_only_those(
        self, kind: type[Any], repository: SqlRepository, engine: Engine
    ) -> None:
        assert not scanned(planned(engine, partial(repository.get, kind, ["a", "b"])), TABLES)

    @pytest.mark.usefixtures("repository")
    def test_to_prune_events_reads_only_those(self, engine: Engine) -> None:
        prune = "EXPLAIN QUERY PLAN DELETE FROM events WHERE events.at < ?"
        with engine.connect() as connection:
            plan = [row.detail for row in connection.exec_driver_sql(prune, ("2026",))]

        assert not scanned(plan, TABLES)


INSTANTS = st.integers(0, 5).map(lambda ticks: samples.START + ticks * timedelta(microseconds=1))


class TestPruning:
    """Rule 23: old events can be dropped."""

    @given(st.lists(st.builds(ca.Event, at=INSTANTS, action=st.just("add"))), INSTANTS)
    def test_drops_old_events_and_keeps_the_positions_of_others(
        self, events: list[ca.Event], before: datetime
    ) -> None:
        with closing(open_memory()) as engine:
            repository = stocked(engine)
            repository.commit(ca.Change(record=events))
            dropped = repository.prune_events(before.astimezone(ZoneInfo("Asia/Kathmandu")))
            kept = repository.find(ca.EventQuery()).records
        places = [place for place, one in enumerate(events, 1) if one.at >= before]
        assert [one.position for one in kept] == places
        assert dropped == len(events) - len(places)

    def test_new_events_get_the_next_positions(self, repository: SqlRepository) -> None:
        last = len(samples.EVENTS)
        assert repository.prune_events(samples.START + samples.DAY) == last

        repository.commit(ca.Change(record=samples.EVENTS[:2]))

        found = repository.find(ca.EventQuery(after=last)).records
        assert [one.position for one in found] == [last + 1, last + 2]
        assert repository.find(ca.EventQuery()).records == found

    def test_leaves_the_records_alone(self, repository: SqlRepository) -> None:
        repository.prune_events(samples.START + samples.DAY)

        assert repository.get(ca.User, ["ada"]) == {"ada": samples.ADA}

    @pytest.mark.parametrize(
        "junk", [NAIVE, None, 42, "2026-01-05", samples.START.date()], ids=repr
    )
    def test_refuses_what_is_not_aware(self, junk: Any, repository: SqlRepository) -> None:
        assert refusal(lambda: repository.prune_events(junk)).field == "before"
        assert len(repository.find(ca.EventQuery()).records) == len(samples.EVENTS)
