"""The tables: what the database itself refuses, how values stand in it, and what is nonsense."""

import json
import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from operator import attrgetter
from pathlib import Path
from random import Random
from traceback import format_exception
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.schema import CreateIndex, CreateTable

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository, Tables, build_tables, column_types
from course_assignments.sqlalchemy.column_types import (
    Document,
    EncodedText,
    Flag,
    Instant,
    TextList,
    is_storable,
)
from course_assignments.testing import samples, strategies
from tests.support.sql import closing, open_memory, stocked
from tests.support.strategies import instants, zones
from tests.support.values import refusal

SQLITE: sa.Dialect = sqlite.dialect()
POSTGRESQL: sa.Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
GOLDEN = Path(__file__).parents[1] / "golden"
TABLES = build_tables(sa.MetaData())
each_dialect = pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL], ids=lambda one: one.name)

#: A kind of constraint, its table, and its name or its columns.
Requirement = tuple[str, str, str]
Row = dict[str, Any]


def filled(engine: sa.Engine, tables: Tables | None = None) -> SqlRepository:
    repository = stocked(engine, tables=tables)
    repository.commit(ca.Change(create=samples.RECORDS, record=samples.EVENTS))
    return repository


@contextmanager
def driver(tables: Tables) -> Generator[sqlite3.Connection]:
    """Give the driver's connection to a database of the stock, which nothing of ours is between."""
    with closing(open_memory()) as engine:
        filled(engine, tables)
        found: Any = engine.raw_connection().driver_connection
        found.isolation_level, found.row_factory = None, sqlite3.Row
        yield found


def rolled_back(connection: sqlite3.Connection) -> Generator[sqlite3.Connection]:
    connection.execute("BEGIN")
    yield connection
    connection.execute("ROLLBACK")


@pytest.fixture(scope="module")
def everything() -> Generator[sqlite3.Connection]:
    with driver(TABLES) as connection:
        yield connection


@pytest.fixture
def raw(everything: sqlite3.Connection) -> Generator[sqlite3.Connection]:
    yield from rolled_back(everything)


class TestBuilding:
    def test_every_name_starts_with_the_prefix(self, engine: sa.Engine) -> None:
        filled(engine, build_tables(sa.MetaData(), prefix="ca_"))
        seen = sa.inspect(engine)
        names = seen.get_table_names()
        indexes = [str(one["name"]) for name in names for one in seen.get_indexes(name)]

        assert len(names) == len([*TABLES])
        assert len(indexes) > 20
        assert all(name.startswith("ca_") for name in names + indexes)

    def test_two_prefixes_are_two_sets_of_records_in_one_database(self, engine: sa.Engine) -> None:
        metadata = sa.MetaData()
        one, other = (
            stocked(engine, tables=build_tables(metadata, prefix)) for prefix in ("a_", "b_")
        )
        one.commit(ca.Change(create=[samples.PYTHON]))

        assert one.get(ca.Course, ["py"])
        assert not other.get(ca.Course, ["py"])

    def test_a_naming_convention_of_the_hosts_is_kept(self, engine: sa.Engine) -> None:
        convention = {
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
        tables = build_tables(sa.MetaData(naming_convention=convention), prefix="ca_")
        repository = filled(engine, tables)
        seen = sa.inspect(engine)

        assert repository.get(ca.User, ["ada"]) == {"ada": samples.ADA}
        assert seen.get_pk_constraint("ca_users")["name"] == "pk_ca_users"
        names = {one["name"] for one in seen.get_foreign_keys("ca_claims")}
        assert "fk_ca_claims_learner_id_ca_users" in names
        for table in tables:
            assert str(CreateTable(table).compile(dialect=POSTGRESQL))

    def test_they_may_stand_in_a_schema(self, engine: sa.Engine) -> None:
        repository = filled(engine, build_tables(sa.MetaData(schema="main")))

        assert repository.get(ca.User, ["ada"]) == {"ada": samples.ADA}

    def test_a_table_of_the_hosts_may_refer_to_ours(self, engine: sa.Engine) -> None:
        metadata = sa.MetaData()
        tables = build_tables(metadata, prefix="ca_")
        invoices = sa.Table(
            "invoices",
            metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column(
                "assignment_id", sa.Text, sa.ForeignKey("ca_course_assignments.id"), nullable=False
            ),
        )
        filled(engine, tables)
        metadata.create_all(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            connection.execute(sa.insert(invoices), {"assignment_id": samples.FRESH.id})
            with pytest.raises(IntegrityError):
                connection.execute(sa.insert(invoices), {"assignment_id": "nothing"})

    # A letter outside of ASCII has two bytes.
    @pytest.mark.parametrize(
        "junk",
        [*("a.b", 'a"', "a b", "a\0", "a\ud800", "%s", "7_", " "), "p" * 21, "\u00fc" * 11],
    )
    def test_refuses_a_prefix_that_no_name_can_start_with(self, junk: str) -> None:
        metadata = sa.MetaData()

        error = refusal(lambda: build_tables(metadata, junk))

        assert (error.code, error.field) == ("invalid_prefix", "prefix")
        assert not metadata.tables

    def test_the_longest_prefix_leaves_every_name_a_place_in_postgresql(self) -> None:
        tables = build_tables(sa.MetaData(), "p" * 20)
        names = [str(one.name) for table in tables for one in table.constraints]
        names += [str(one.name) for table in tables for one in table.indexes]

        assert max(map(len, names)) == 63

    @pytest.mark.parametrize("table", [*TABLES], ids=lambda table: table.name)
    def test_refuses_a_metadata_that_has_a_table_of_the_name(self, table: sa.Table) -> None:
        metadata = sa.MetaData()
        sa.Table(table.name, metadata)
        sa.Table("ca_users", metadata, schema="elsewhere")

        error = refusal(lambda: build_tables(metadata))

        assert (error.code, error.field) == ("table_exists", "prefix")
        assert table.name in error.hint
        assert "ca_journal" in {one.name for one in build_tables(metadata, "ca_")}


def ddl(dialect: sa.Dialect) -> str:
    sentences: list[str] = []
    for table in build_tables(sa.MetaData()):
        sentences.append(str(CreateTable(table).compile(dialect=dialect)))
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        sentences.extend(str(CreateIndex(index).compile(dialect=dialect)) for index in indexes)
    lines = [line.rstrip() for one in sentences for line in f"{one.strip()};".splitlines()]
    return "".join(f"{line.expandtabs(4)}\n" for line in lines)


@each_dialect
def test_the_schema_is_pinned(dialect: sa.Dialect) -> None:
    # Whoever has to change it changes it for all who keep records, and needs a migration for them.
    assert ddl(dialect) == (GOLDEN / f"{dialect.name}.sql").read_text()


def day(number: int) -> str:
    return f"2026-02-{number:02}T09:00:00.000000Z"


#: Days that keep every window open; any other instant is on the second.
DAYS = {"created_at": 1, "redeemable_until": 3, "expires_at": 9}

TYPES = {table.name: {one.name: one.type for one in table.columns} for table in TABLES}

#: What a row needs besides another key, so that it may stand beside those of the stock.
NEW: dict[str, Row] = {
    "users": {"folded_email": "new"},
    "claims": {"learner_id": "Cy", "course_id": "Py"},
    "training_keys": {"code": "Autumn-2026", "lookup_code": "AUTUMN-2026"},
    "events": {"position": 99},
    "journal": {"id": 1},
}

#: For each check the facts that break it and nothing else.
BREAKING: dict[str, tuple[Row, ...]] = {
    "subscriptions_window": ({"expires_at": day(1)},),
    "subscriptions_edited_at": ({"edited_at": "2026-02-01T08:59:59.999999Z"},),
    "subscriptions_cancelled_at": ({"cancelled_at": "2026-02-01T08:59:59.999999Z"},),
    "key_batches_max_uses": ({"max_uses": 0}, {"max_uses": -1}),
    "key_batches_window": ({"redeemable_from": day(3)}, {"redeemable_until": day(1)}),
    "training_keys_number": ({"number": 0},),
    "training_keys_uses": ({"uses": -1}, {"uses": 4, "max_uses": 3}),
    "course_assignments_window": ({"expires_at": day(1)},),
    "course_assignments_first_lab_launched_at": ({"first_lab_launched_at": day(0)},),
    "course_assignments_started_at": ({"started_at": day(0)},),
    "course_assignments_origin": (
        {"batch_id": "spring"},
        {"redemption_id": "r-1"},
        {"batch_id": "spring", "redemption_id": "r-1", "subscription_id": "s-1"},
    ),
    "attempts_number": ({"number": 0},),
    "journal_one_row": ({"id": 2},),
}


def miswritten(written: str) -> tuple[str, ...]:
    """Return what *written* is not, though it comes at the same place in the order."""
    return (
        written.replace("T", " "),
        written.replace("T", "t"),
        written.replace("Z", "z"),
        written.replace(":00.", ":0x."),
        written.removesuffix("Z"),
        written.replace("Z", "+00:00"),
        written.replace(".000000", ""),
        written.replace(".000000", ".000"),
        written.replace(".000000", ".0000000"),
        written.replace(".", ","),
        f"{written}\n",
    )


def requirements(tables: Tables) -> Iterator[Requirement]:
    """Give all that the tables demand of a row."""
    for table in tables:
        for column in table.columns:
            if not column.nullable and not column.primary_key:
                yield "NOT NULL", table.name, column.name
        for constraint in table.constraints:
            yield named(constraint)


def named(constraint: Any) -> Requirement:
    table = constraint.table.name
    if isinstance(constraint, sa.CheckConstraint):
        return "CHECK", table, str(constraint.name)
    kinds = {
        sa.PrimaryKeyConstraint: "PRIMARY KEY",
        sa.UniqueConstraint: "UNIQUE",
        sa.ForeignKeyConstraint: "FOREIGN KEY",
    }
    return kinds[type(constraint)], table, ",".join(constraint.columns.keys())


REQUIREMENTS = sorted(requirements(TABLES))
each_requirement = pytest.mark.parametrize("needed", REQUIREMENTS, ids=" ".join)


def first(connection: sqlite3.Connection, table: str) -> Row:
    return dict(connection.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchone())  # noqa: S608


def new_row(connection: sqlite3.Connection, table: sa.Table) -> Row:
    """Return a row that *table* takes, all of its instants set."""
    row = first(connection, table.name)
    days = {
        column.name: day(DAYS.get(column.name, 2))
        for column in table.columns
        if isinstance(column.type, Instant)
    }
    keys = {column.name: "new" for column in table.primary_key}
    if table is TABLES.journal:
        connection.execute("DELETE FROM journal")
    return row | keys | days | NEW.get(table.name, {})


def add(connection: sqlite3.Connection, table: str, row: Row) -> None:
    names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", [*row.values()])  # noqa: S608


def change(connection: sqlite3.Connection, table: sa.Table, row: Row, facts: Row) -> None:
    (key,) = table.primary_key.columns.keys()
    changes = ", ".join(f'"{name}" = ?' for name in facts)
    sentence = f"UPDATE {table.name} SET {changes} WHERE {key} = ?"  # noqa: S608
    connection.execute(sentence, [*facts.values(), row[key]])


def breaking(connection: sqlite3.Connection, needed: Requirement, row: Row) -> tuple[Row, ...]:
    """Return the facts by which *row*, which is good, breaks what is *needed* and nothing else."""
    kind, table, name = needed
    if kind == "NOT NULL":
        return ({name: None},)
    if kind == "FOREIGN KEY":
        # An assignment by a key names the redemption too.
        also = {"redemption_id": "r"} if "redemption_id" in row and name == "batch_id" else {}
        return ({name: "nothing", **also},)
    if kind in {"UNIQUE", "PRIMARY KEY"}:
        if table == "journal":
            add(connection, table, row)
        taken = first(connection, table)
        return ({one: taken[one] for one in name.split(",")},)
    column = name.removeprefix(f"{table}_").removesuffix("_ok")
    if column in row and isinstance(TYPES[table][column], Flag):
        return ({column: 2}, {column: -1})
    if name.endswith("_ok"):
        return tuple({column: wrong} for wrong in miswritten(row[column]))
    return BREAKING[name]


def said(needed: Requirement) -> str:
    kind, table, name = needed
    if kind == "CHECK":
        return f"CHECK constraint failed: {name}"
    if kind == "FOREIGN KEY":
        return "FOREIGN KEY constraint failed"
    where = ", ".join(f"{table}.{column}" for column in name.split(","))
    return f"{kind.replace('PRIMARY KEY', 'UNIQUE')} constraint failed: {where}"


def answers(connection: sqlite3.Connection, needed: Requirement, row: Row) -> Iterator[str | None]:
    """Give what the database says to each row that breaks what is *needed*; None if it obeys."""
    table = table_of(needed)
    for facts in breaking(connection, needed, row):
        yield answer(connection, partial(add, connection, table.name, row | facts))
        if needed[:2] == ("PRIMARY KEY", "journal"):
            continue  # there is no other row whose key it could take
        connection.execute("SAVEPOINT added")
        add(connection, table.name, row)
        yield answer(connection, partial(change, connection, table, row, facts))
        connection.execute("ROLLBACK TO added")


def answer(connection: sqlite3.Connection, write: Callable[[], None]) -> str | None:
    connection.execute("SAVEPOINT asked")
    try:
        write()
    except sqlite3.IntegrityError as error:
        return str(error)
    finally:
        connection.execute("ROLLBACK TO asked")
    return None


def table_of(needed: Requirement) -> sa.Table:
    return next(table for table in TABLES if table.name == needed[1])


@each_requirement
def test_the_database_refuses_every_row_that_breaks_it(
    needed: Requirement, raw: sqlite3.Connection
) -> None:
    row = new_row(raw, table_of(needed))

    assert set(answers(raw, needed, row)) == {said(needed)}


@pytest.mark.parametrize("table", [*TABLES], ids=lambda table: table.name)
def test_the_row_that_is_broken_is_good_otherwise(table: sa.Table, raw: sqlite3.Connection) -> None:
    add(raw, table.name, new_row(raw, table))


@pytest.fixture(scope="module")
def undemanding() -> Generator[sqlite3.Connection]:
    """The same tables, with nothing in them that demands anything but keys."""
    tables = build_tables(sa.MetaData())
    for table in tables:
        table.constraints = {table.primary_key}
        for column in table.columns:
            column.nullable = not column.primary_key
    with driver(tables) as connection:
        yield connection


@pytest.fixture
def careless(undemanding: sqlite3.Connection) -> Generator[sqlite3.Connection]:
    yield from rolled_back(undemanding)


@pytest.mark.parametrize(
    "needed", [one for one in REQUIREMENTS if one[0] != "PRIMARY KEY"], ids=" ".join
)
def test_without_it_the_database_takes_the_same_rows(
    needed: Requirement, careless: sqlite3.Connection
) -> None:
    row = new_row(careless, table_of(needed))

    assert set(answers(careless, needed, row)) == {None}


def test_no_row_is_kept_for_a_check_that_is_gone() -> None:
    checks = {name for kind, _, name in REQUIREMENTS if kind == "CHECK"}

    assert {name for name in checks if not name.endswith("_ok")} == {*BREAKING}


COLUMNS = [column for table in TABLES for column in table.columns]


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_a_column_holds_nothing_of_another_type(
    column: sa.Column[Any], raw: sqlite3.Connection
) -> None:
    row = new_row(raw, column.table)

    with pytest.raises(sqlite3.IntegrityError, match=r"cannot store BLOB|datatype mismatch"):
        add(raw, column.table.name, row | {column.name: b"\0"})


def written(kind: Any, value: Any, dialect: sa.Dialect = SQLITE) -> Any:
    """Return what the driver is given for *value*."""
    processor = kind.dialect_impl(dialect).bind_processor(dialect)
    return value if processor is None else processor(value)


def read(kind: Any, value: Any, dialect: sa.Dialect = SQLITE) -> Any:
    processor = kind.dialect_impl(dialect).result_processor(dialect, None)
    return value if processor is None else processor(value)


def again(kind: Any, value: Any) -> Any:
    """Return what the database gives back."""
    with closing(open_memory()) as engine, engine.connect() as connection:
        return connection.scalar(sa.select(sa.literal(value, kind)))


NAIVE = datetime(2026, 1, 5, 9, tzinfo=UTC).replace(tzinfo=None)
VALUES = [
    (EncodedText(ca.Duration), strategies.durations()),
    (EncodedText(ca.ExpirationLimit), st.sampled_from(ca.ExpirationLimit)),
    (Document(frozenset[ca.Role]), st.frozensets(st.sampled_from(ca.Role))),
    (Document(frozenset[str]), st.frozensets(strategies.identifiers(), max_size=5)),
    *(
        (column.type, strategies.STRATEGIES[kind]().map(attrgetter(column.name)))
        for kind, table in TABLES.by_kind.items()
        for column in table.columns
        if isinstance(column.type, Document)
    ),
]
each_kind = pytest.mark.parametrize(
    ("kind", "values"), VALUES, ids=[str(getattr(kind, "kind", kind)) for kind, _ in VALUES]
)


class TestInstant:
    @given(instants())
    def test_comes_back_in_utc_whatever_zone_it_went_in_with(self, instant: datetime) -> None:
        found = again(Instant(), instant)

        assert found == instant.astimezone(UTC)
        assert found.tzinfo is UTC

    @given(instants(), zones())
    def test_is_written_the_same_in_every_zone(self, instant: datetime, zone: tzinfo) -> None:
        utc = instant.astimezone(UTC)

        assert written(Instant(), utc.astimezone(zone)) == written(Instant(), utc)

    @given(instants(), instants())
    def test_is_sorted_as_a_string_as_in_time(self, one: datetime, other: datetime) -> None:
        texts = [written(Instant(), instant) for instant in (one, other)]
        one, other = one.astimezone(UTC), other.astimezone(UTC)

        assert (texts[0] < texts[1], texts[0] == texts[1]) == (one < other, one == other)

    @given(instants(), zones())
    def test_is_aware_for_the_driver_of_postgresql_and_utc_from_it(
        self, instant: datetime, zone: tzinfo
    ) -> None:
        given_ = written(Instant(), instant, POSTGRESQL)
        found = read(Instant(), given_.astimezone(zone), POSTGRESQL)

        assert given_ == found == instant.astimezone(UTC)
        assert given_.tzinfo is found.tzinfo is UTC

    @each_dialect
    def test_that_is_naive_is_refused(self, dialect: sa.Dialect) -> None:
        assert refusal(lambda: written(Instant(), NAIVE, dialect)).code == "naive_datetime"

    def test_that_is_naive_is_our_error_within_that_of_sqlalchemy(self, engine: sa.Engine) -> None:
        events = TABLES.by_kind[ca.Event]
        with engine.connect() as connection, pytest.raises(StatementError) as caught:
            connection.execute(sa.select(events).where(events.c.at == NAIVE))

        assert isinstance(caught.value.orig, ca.InvalidInput)

    def test_that_is_naive_is_our_error_for_whoever_asks_the_repository(
        self, engine: sa.Engine
    ) -> None:
        record = ca.KeyBatch(
            id="naive",
            name="Naive",
            course_id="py",
            organization_id="acme",
            created_at=samples.START,
            availability=timedelta(days=1),
        )
        object.__setattr__(record, "created_at", NAIVE)
        repository = stocked(engine)

        error = refusal(lambda: repository.commit(ca.Change(create=[record])))
        assert error.code == "naive_datetime"


class TestValues:
    @each_kind
    @given(data=st.data())
    def test_come_back_from_a_string_that_is_the_same_for_all_databases(
        self, kind: Any, values: Any, data: st.DataObject
    ) -> None:
        value = data.draw(values)
        found, text = again(kind, value), written(kind, value)

        assert found == value
        assert type(found) is type(value)
        assert type(text) is str
        assert written(kind, value, POSTGRESQL) == text
        assert read(kind, text, POSTGRESQL) == value
        assert written(kind, read(kind, text)) == text

    @given(st.lists(st.text(), unique=True), st.randoms(use_true_random=False))
    def test_that_are_sets_are_written_the_same_in_any_order(
        self, members: list[str], random: Random
    ) -> None:
        members = [one for one in members if is_storable(one)]
        mixed = random.sample(members, len(members))

        assert written(Document(frozenset[str]), frozenset(mixed)) == written(
            Document(frozenset[str]), frozenset(members)
        )

    def test_that_are_equal_lengths_are_written_the_same(self) -> None:
        assert written(EncodedText(ca.Duration), timedelta(days=1)) == written(
            EncodedText(ca.Duration), timedelta(hours=24)
        )

    @each_dialect
    @pytest.mark.parametrize("kind", [Instant(), Flag(), EncodedText(ca.Duration)], ids=repr)
    def test_none_stays_none(self, kind: Any, dialect: sa.Dialect) -> None:
        assert written(kind, None, dialect) is None
        assert read(kind, None, dialect) is None

    @each_dialect
    @pytest.mark.parametrize("flag", [True, False])
    def test_that_are_flags_come_back_as_flags(self, flag: bool, dialect: sa.Dialect) -> None:  # noqa: FBT001
        assert again(Flag(), flag) is flag
        assert read(Flag(), written(Flag(), flag, dialect), dialect) is flag

    @given(st.none() | st.lists(st.text(), max_size=5))
    def test_many_strings_are_one_parameter(self, texts: list[str] | None) -> None:
        assert json.loads(written(TextList(), texts)) == (texts or [])
        assert written(TextList(), texts, POSTGRESQL) == (texts or [])


class TestMigrations:
    """A migration tool sees names and types, but not our classes."""

    @each_dialect
    def test_a_type_can_be_built_from_its_repr(self, dialect: sa.Dialect) -> None:
        """As a migration is written: the name of the module, and the ``repr`` of the type."""
        ours = {
            str(column): column.type
            for table in TABLES
            for column in table.columns
            if type(column.type).__module__.startswith("course_assignments.")
        }
        assert ours
        for name, kind in ours.items():
            again = eval(f"column_types.{kind!r}", {"column_types": column_types})  # noqa: S307 - our own text
            assert again.compile(dialect=dialect) == kind.compile(dialect=dialect), name

    def test_no_constraint_is_written_for_another_database(self) -> None:
        """A migration does not know for which database a constraint is."""
        checks = [
            one
            for table in TABLES
            for one in table.constraints
            if isinstance(one, sa.CheckConstraint) and str(one.name).endswith("_ok")
        ]
        assert checks
        for check in checks:
            on_postgresql, on_sqlite = (
                str(check.sqltext.compile(dialect=dialect)) for dialect in (POSTGRESQL, SQLITE)
            )
            same = on_postgresql == on_sqlite and on_sqlite.endswith(" IN (false, true)")
            assert same or (on_postgresql.startswith("isfinite(") and " GLOB " in on_sqlite)

    @each_dialect
    def test_a_value_is_kept_by_a_type_that_names_no_kind(self, dialect: sa.Dialect) -> None:
        """A migration can move rows as JSON."""
        text = Document().process_bind_param([{"b": 1, "a": None}], dialect)
        assert text == '[{"a":null,"b":1}]'
        assert Document().process_result_value(text, dialect) == [{"b": 1, "a": None}]
        assert EncodedText().process_result_value("P6M", dialect) == "P6M"


@pytest.fixture
def told(engine: sa.Engine) -> tuple[SqlRepository, Callable[..., None]]:
    """Return a repository with samples, and a function that changes a row without its checks."""
    repository = filled(engine)
    driver: Any = engine.raw_connection().driver_connection

    def tell(table: str, column: str, value: str, *, of: Any) -> None:
        driver.execute("PRAGMA ignore_check_constraints = ON")
        driver.execute("PRAGMA foreign_keys = OFF")
        (key,) = next(one for one in TABLES if one.name == table).primary_key.columns.keys()
        changed = driver.execute(
            f"UPDATE {table} SET {column} = {value} WHERE {key} = ?",  # noqa: S608
            [of],
        )
        driver.commit()
        assert changed.rowcount == 1

    return repository, tell


#: What somebody else writes into a column, as SQL, each with a secret in it; and whose row it is.
NONSENSE = [
    ("courses", "activities", "'Secret'", "py"),
    ("courses", "activities", "'{\"Secret\": 1}'", "py"),
    ("courses", "activities", "'[\"Secret\"]'", "py"),
    ("courses", "activities", '\'[{"id": "Secret"}]\'', "py"),
    ("courses", "activities", "'null'", "py"),
    ("courses", "activities", "'NaN'", "py"),
    ("courses", "activities", "printf('%.*c', 100000, '[')", "py"),
    ("courses", "activities", "printf('%.*c', 10000, '7')", "py"),
    ("courses", "maximum_access", "'Secret'", "py"),
    ("courses", "maximum_access", "'P-1M'", "py"),
    ("courses", "maximum_access", "'P9999999M'", "py"),
    ("courses", "name", "''", "py"),
    ("courses", "name", "'Sec' || char(10) || 'ret'", "py"),
    ("courses", "name", "'Secret' || char(0)", "py"),
    ("courses", "name", "CAST(x'536563726574ff' AS TEXT)", "py"),
    ("organizations", "time_zone", "'secret/Zone'", "acme"),
    ("organizations", "time_zone", "'../../Secret'", "acme"),
    ("organizations", "parent_id", "'acme'", "acme"),
    ("users", "email", "'Secret'", "ada"),
    ("users", "roles", "'[\"Secret\"]'", "ada"),
    ("users", "roles", '\'["support", "support"]\'', "ada"),
    ("users", "managed_organization_ids", "'[\"\"]'", "ada"),
    ("course_assignments", "limited_by", "'Secret'", "a-1"),
    ("course_assignments", "created_at", "'Secret'", "a-1"),
    ("course_assignments", "created_at", "'2026-02-30T09:00:00.000000Z'", "a-1"),
    ("course_assignments", "created_at", "'2026-01-05T09:00:00.000000'", "a-1"),
    ("course_assignments", "started_at", "'1969-12-31T09:00:00.000000Z'", "a-1"),
    ("course_assignments", "expires_at", "created_at", "a-1"),
    ("course_assignments", "redemption_id", "NULL", "a-6"),
    ("course_assignments", "notes", '\'[{"title": "Secret"}]\'', "a-1"),
    ("training_keys", "code", "'Secret,'", "k-1"),
    ("training_keys", "number", "0", "k-1"),
    ("training_keys", "uses", "max_uses + 1", "k-1"),
    ("training_keys", "max_uses", "9223372036854775807", "k-1"),
    ("subscriptions", "course_ids", '\'["Secret", "Secret"]\'', "s-1"),
    ("subscriptions", "openings", "'[[\"Secret\", 1]]'", "s-1"),
    ("key_batches", "availability", "'Secret'", "spring"),
    ("key_batches", "redeemable_until", "'2026-13-05T09:00:00.000000Z'", "spring"),
    ("attempts", "number", "0", "t-1"),
    ("attempts", "pauses", '\'[{"paused_at": "Secret", "resumed_at": null}]\'', "t-1"),
    ("redemptions", "redeemed_at", "'Secret'", "r-1"),
    ("events", "at", "'Secret'", 1),
    ("events", "action", "''", 1),
    ("events", "subject_ids", "'\"Secret\"'", 1),
    ("events", "details", "'{\"Secret\": 1}'", 1),
]
KINDS: dict[str, Any] = {table.name: kind for kind, table in TABLES.by_kind.items()}


@pytest.mark.parametrize(("table", "column", "value", "of"), NONSENSE)
def test_what_somebody_else_made_nonsense_is_unreadable(
    table: str, column: str, value: str, of: Any, told: Any
) -> None:
    repository, tell = told

    def ask() -> Any:
        if table == "events":
            return repository.find(ca.EventQuery()).records
        return repository.get(KINDS[table], [of])

    assert ask()

    tell(table, column, value, of=of)

    with pytest.raises(ca.StorageError) as caught:
        ask()
    assert caught.value.code == "unreadable"
    assert "ecret" not in "".join(format_exception(caught.value))
