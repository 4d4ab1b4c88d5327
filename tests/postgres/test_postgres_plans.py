"""How PostgreSQL finds what is asked for: by an index of what it is narrowed by, never by all.

Twenty thousand rows stand in each table that grows. What the repository really says is explained.
"""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection

import course_assignments as ca
from course_assignments.changes import KINDS
from course_assignments.sqlalchemy import SqlRepository
from tests.sql.database_cases import heard
from tests.support.empty_database import TABLES, empty_repository, engine_with_tables
from tests.support.world import START

LEVEL = "READ COMMITTED"
DAY = "interval '1 day'"
AT = f"timestamptz '{START.isoformat()}' + number * interval '1 minute'"

CODE = "'code-' || to_char(number, 'FM00000')"

#: What stands in the columns of each table; ``number`` counts its rows.
ROWS: dict[str, tuple[int, str]] = {
    "organizations": (50, "'o-' || number, 'O', 'o', NULL, NULL, 'UTC', false"),
    "courses": (100, "'c-' || number, 'C', 'c', 'us', 'all', '[]', NULL, false"),
    "users": (
        20_000,
        """'u-' || number, 'U', 'u', 'u-' || number || '@example.org',
        'u-' || number || '@example.org', 'o-' || number % 50, '[]', '[]'""",
    ),
    "subscriptions": (
        20_000,
        f"""'s-' || number, 'u-' || number % 2000, 'o-' || number % 50, '["c-1"]', {AT},
        {AT} + {DAY}, NULL, NULL, '[]'""",
    ),
    "key_batches": (
        2_000,
        f"""'b-' || number, 'B', 'b', 'c-' || number % 100, 'o-' || number % 50, {AT},
        NULL, NULL, 1, 'P30D', false, 0""",
    ),
    "training_keys": (
        20_000,
        f"'k-' || number, {CODE}, upper({CODE}), 'b-' || number % 200, number + 1, 0, 1, NULL",
    ),
    "course_assignments": (
        20_000,
        f"""'a-' || number, 'u-' || number % 2000, 'c-' || number % 100, 'o-' || number % 50,
        {AT}, {AT} + {DAY}, 'key', CASE number % 3 WHEN 0 THEN 'b-' || number % 200 END,
        CASE number % 3 WHEN 0 THEN 'r-' || number END,
        CASE number % 3 WHEN 1 THEN 's-' || number % 2000 END,
        NULL, NULL, NULL, NULL, '[]', '[]'""",
    ),
    "receipts": (20_000, "'receipt-' || number, 'start', 'd-' || number, 1, '[]', '[]', '[]'"),
    "claims": (20_000, "'claim-' || number, 'u-' || number, 'c-1', 'a-' || number"),
    "attempts": (
        20_000,
        f"'t-' || number, 'a-' || number % 4000, 'lab', 1, {AT}, '[]', NULL",
    ),
    "redemptions": (
        20_000,
        f"""'r-' || number, 'k-' || number, 'b-' || number % 200, 'u-' || number % 2000,
        'a-' || number, {AT}, NULL""",
    ),
    "events": (20_000, f"number, {AT}, NULL, 'seen', '[]', '{{}}'"),
    "journal": (0, "1, 20000"),
}


@pytest.fixture(scope="module")
def filled() -> Iterator[Connection]:
    """Give a connection to full tables, of which the planner knows."""
    empty_repository(LEVEL)
    with engine_with_tables(LEVEL).connect() as connection:
        for table, (count, columns) in ROWS.items():
            connection.exec_driver_sql(
                f"INSERT INTO {table} SELECT {columns.replace('%', '%%')}"  # noqa: S608 - ours
                f" FROM generate_series(0, {count}) AS number"
            )
        for table in ROWS:
            connection.exec_driver_sql(f"ANALYZE {table}")
        yield connection
        connection.rollback()


def scans(connection: Connection, ask: Callable[[ca.Repository], object]) -> list[dict[str, Any]]:
    """Return how each table is read that *ask* reads from."""
    with heard(connection) as said:
        ask(SqlRepository(connection, TABLES))
    plans = [
        connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
        for statement, parameters in said
        if "SAVEPOINT" not in statement
    ]
    assert plans
    found = [json.loads(plan) if isinstance(plan, str) else plan for plan in plans]
    every_node = (node for plan in found for node in nodes(plan[0]["Plan"]))
    read = [node for node in every_node if "Relation Name" in node or "Index Name" in node]
    assert read
    return read


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def check(connection: Connection, ask: Callable[[ca.Repository], object], *columns: str) -> None:
    """Fail unless all that *ask* reads is found by an index of one of *columns*."""
    for node in scans(connection, ask):
        assert "Seq" not in node["Node Type"]
        # A bitmap of rows is made by one node and read by another.
        if node["Node Type"] != "Bitmap Heap Scan":
            assert any(column in node["Index Cond"] for column in columns)


def two_pages(query: ca.Query[Any]) -> Callable[[ca.Repository], object]:
    def ask(repository: ca.Repository) -> None:
        first = repository.find(query).records[0]
        repository.find(query.starting_after(first))

    return ask


FROM = START + timedelta(days=3)
#: A query for each index, and the columns of which one must be searched.
LISTINGS: list[tuple[ca.Query[Any], str]] = [
    (ca.AssignmentQuery(learner_id="u-7"), "learner_id"),
    (ca.AssignmentQuery(course_id="c-7"), "course_id"),
    (ca.AssignmentQuery(organization_id="o-7"), "organization_id"),
    (ca.AssignmentQuery(batch_id="b-9"), "batch_id"),
    (ca.AssignmentQuery(subscription_id="s-7"), "subscription_id"),
    (ca.AttemptQuery(assignment_id="a-7"), "assignment_id"),
    (ca.SubscriptionQuery(learner_id="u-7"), "learner_id"),
    (ca.SubscriptionQuery(organization_id="o-7"), "organization_id"),
    (ca.BatchQuery(course_id="c-7"), "course_id"),
    (ca.BatchQuery(organization_id="o-7"), "organization_id"),
    (ca.KeyQuery(batch_ids=["b-7"]), "batch_id"),
    (ca.KeyQuery(batch_ids=["b-7", "b-8"], usable=True), "batch_id"),
    (ca.RedemptionQuery(key_id="k-7000"), "key_id"),
    (ca.RedemptionQuery(key_id="k-7000", learner_id="u-1000"), "key_id"),
    (ca.RedemptionQuery(learner_id="u-7"), "learner_id"),
    (ca.UserQuery(email="u-7@example.org"), "folded_email"),
    (ca.UserQuery(emails=["u-7@example.org", "u-8@example.org"]), "folded_email"),
    (ca.UserQuery(organization_id="o-7"), "organization_id"),
    (ca.EventQuery(after=19_000), "position"),
    (ca.AssignmentQuery(learner_id="u-7", course_id="c-7"), "learner_id course_id"),
    (
        ca.AssignmentQuery(created_from=FROM, created_until=FROM + timedelta(hours=9)),
        "created_at",
    ),
]


#: These have few rows, and to read them all is no more work.
SMALL = {"organizations", "courses"}


@pytest.mark.parametrize("scanning", ["on", "off"])
class TestPlans:
    @pytest.fixture(autouse=True)
    def _settings(self, filled: Connection, scanning: str) -> Iterator[None]:
        with filled.begin_nested() as part:
            filled.exec_driver_sql(f"SET LOCAL enable_seqscan = {scanning}")
            yield
            part.rollback()

    @pytest.mark.parametrize(("query", "columns"), LISTINGS, ids=lambda one: repr(one)[:60])
    def test_a_listing(self, filled: Connection, query: ca.Query[Any], columns: str) -> None:
        check(filled, two_pages(query), *columns.split())

    def test_what_ends_soon(self, filled: Connection) -> None:
        check(filled, partial(ca.expiring, at=FROM, within=timedelta(hours=1)), "expires_at")

    @pytest.mark.parametrize("kind", KINDS)
    def test_some_by_their_ids(self, filled: Connection, scanning: str, kind: type) -> None:
        table = TABLES.by_kind[kind].name
        if table not in SMALL or scanning == "off":
            check(filled, lambda repository: repository.get(kind, ["one", "another"]), "id", "code")

    def test_a_whole_redemption(self, filled: Connection, scanning: str) -> None:
        def redeem(repository: ca.Repository) -> None:
            registrar = ca.Registrar(repository, clock=lambda: START)
            assert registrar.redeem("code-00007", "u-1007").learner_id == "u-1007"

        for node in scans(filled, redeem):
            is_small = node.get("Relation Name") in SMALL
            assert "Seq" not in node["Node Type"] or (is_small and scanning == "on")

    @pytest.mark.parametrize(("query", "columns"), LISTINGS, ids=lambda one: repr(one)[:60])
    def test_without_its_indexes(
        self, filled: Connection, query: ca.Query[Any], columns: str
    ) -> None:
        table = TABLES.by_kind[query.kind]
        filled.exec_driver_sql(
            f"ALTER TABLE {table.name} DROP CONSTRAINT {table.name}_pkey CASCADE"
        )
        filled.exec_driver_sql("ALTER TABLE users DROP CONSTRAINT users_by_folded_email")
        for index in table.indexes:
            filled.exec_driver_sql(f"DROP INDEX {index.name}")
        with pytest.raises(AssertionError):
            check(filled, two_pages(query), *columns.split())
