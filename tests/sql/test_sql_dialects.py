"""What is said to PostgreSQL, where no server has to answer; what it answers is tested with one."""

import sqlite3
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from sqlalchemy import Engine, MetaData, event
from sqlalchemy.dialects import postgresql

import course_assignments as ca
from course_assignments.sqlalchemy import build_tables
from course_assignments.sqlalchemy.dialects import Postgresql, Sqlite, dialect_of
from course_assignments.sqlalchemy.selects import Selects
from course_assignments.sqlalchemy.writing import Statements
from course_assignments.testing import samples
from tests.sql.database_cases import heard
from tests.support.sql import closing, open_memory, stocked

POSTGRESQL: Any = postgresql.dialect()  # type: ignore[no-untyped-call]
TABLES = build_tables(MetaData())


@pytest.fixture
def said() -> list[tuple[Any, ...]]:
    return []


@pytest.fixture
def engine(said: list[tuple[Any, ...]]) -> Generator[Engine]:
    """A SQLite whose driver knows the functions of PostgreSQL that are called by hand."""

    def teach(connection: Any, _: object) -> None:
        def set_config(*given: Any) -> Any:
            said.append(given)
            return given[1]

        connection.create_function("set_config", 3, set_config)
        connection.create_function("pg_advisory_xact_lock", 1, lambda key: said.append((key,)))

    with closing(open_memory()) as engine:
        event.listen(engine, "connect", teach)
        yield engine


class TestTransactions:
    @pytest.mark.parametrize(
        ("seconds", "lock", "statement"),
        [(60.0, "5000", "60000"), (30.0, "5000", "30000"), (0.5, "500", "1000"), (0, "1", "1000")],
    )
    def test_wait_no_longer_than_the_timeout(
        self,
        seconds: float,
        lock: str,
        statement: str,
        engine: Engine,
        said: list[tuple[Any, ...]],
    ) -> None:
        with engine.connect() as connection:
            Postgresql().begin(connection, lambda: seconds)
        # What a statement does may take longer than others may be waited for.
        assert said == [("lock_timeout", lock, 1), ("statement_timeout", statement, 1)]

    def test_wait_no_longer_than_what_is_left_of_it(
        self, engine: Engine, said: list[tuple[Any, ...]]
    ) -> None:
        left = [2.0]
        waits = []
        with engine.connect() as connection:
            Postgresql().begin(connection, lambda: left[0])
            for left[0] in (1.95, 1.2, 1.15, 0.05, 0, 0):
                said.clear()
                connection.exec_driver_sql("SELECT 1")
                waits.append([milliseconds for name, milliseconds, _ in said if "lock" in name])
        assert waits == [[], ["1200"], [], ["50"], ["1"], []]

    def test_end_by_the_drivers_own_means(self, engine: Engine) -> None:
        stocked(engine)
        for end, kept in ((Postgresql().commit, 1), (Postgresql().rollback, 0)):
            with engine.connect() as connection:
                connection.exec_driver_sql("DELETE FROM journal")
                connection.exec_driver_sql("INSERT INTO journal VALUES (1, 1)")
                end(connection)
                assert not connection.in_transaction()
            with engine.begin() as connection:
                found = connection.exec_driver_sql("SELECT count(*) FROM journal").scalar_one()
                connection.exec_driver_sql("DELETE FROM journal")
            assert found == kept

    @pytest.mark.parametrize(
        ("autocommit", "asked_for"), [(False, []), (True, [{"isolation_level": "READ COMMITTED"}])]
    )
    def test_are_begun_if_the_driver_does_not_begin_them(
        self, autocommit: Any, asked_for: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        factory = type("Driver", (sqlite3.Connection,), {"autocommit": autocommit})
        asked: list[Any] = []
        with (
            closing(open_memory(connect_args={"factory": factory})) as engine,
            engine.connect() as connection,
        ):
            monkeypatch.setattr(connection, "execution_options", lambda **how: asked.append(how))
            monkeypatch.setattr(connection, "execute", lambda *_: None)
            monkeypatch.setattr(event, "listen", lambda *_: None)
            Postgresql().begin(connection, lambda: 1.0)
        assert asked == asked_for

    def test_read_within_limits(
        self, engine: Engine, said: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[Any] = []
        with engine.connect() as connection:
            monkeypatch.setattr(connection, "execution_options", lambda **how: asked.append(how))
            with Postgresql().reading(connection, lambda: 3):
                assert asked == [{"isolation_level": "READ COMMITTED"}]
        assert said == [("lock_timeout", "3000", 1), ("statement_timeout", "3000", 1)]

    @pytest.mark.parametrize(("level", "savepoints"), [(None, 1), ("AUTOCOMMIT", 0)])
    def test_of_a_host_are_protected_by_a_savepoint(
        self, level: str | None, savepoints: int, engine: Engine
    ) -> None:
        with engine.connect() as connection, heard(engine) as statements:
            if level:
                connection.execution_options(isolation_level=level)
            with Postgresql().waiting(connection, lambda: 1), Postgresql().protect(connection):
                pass
        assert sum(statement.startswith("SAVEPOINT") for statement, _ in statements) == savepoints

    def test_lock_the_schema_before_tables_are_made(
        self, engine: Engine, said: list[tuple[Any, ...]]
    ) -> None:
        with engine.connect() as connection:
            Postgresql().prepare(connection)
            Postgresql().join(connection)
            assert not connection.in_transaction()
            Postgresql().lock_schema(connection)
            Sqlite().lock_schema(connection)
        assert len(said) == 1


def test_each_database_is_known_by_the_name_of_its_dialect(engine: Engine) -> None:
    assert isinstance(dialect_of(engine), Sqlite)
    bound: Any = SimpleNamespace(dialect=POSTGRESQL)
    assert isinstance(dialect_of(bound), Postgresql)


class TestStatements:
    def test_hold_what_is_changed_and_share_what_is_expected(self) -> None:
        statements: Any = Statements.of(TABLES, "postgresql")
        hold = str(statements.of_kind[ca.User].hold.compile(dialect=POSTGRESQL))
        share = str(statements.of_kind[ca.User].share.compile(dialect=POSTGRESQL))
        assert hold.endswith("ORDER BY users.id FOR NO KEY UPDATE")
        assert share.endswith("ORDER BY users.id FOR SHARE")
        assert "= any(%(ids)s::TEXT[])" in hold

    def test_search_strings_by_position_and_lists_as_arrays(self) -> None:
        selects = Selects(TABLES, "postgresql")
        statement, _ = selects.statement(ca.CourseQuery(name="py"))
        assert "strpos(courses.folded_name" in str(statement.compile(dialect=POSTGRESQL))
        statement, given = selects.statement(ca.KeyQuery(batch_ids=["a", "b"]))
        assert "= any(" in str(statement.compile(dialect=POSTGRESQL))
        assert given["any_batch_id"] == ["a", "b"]


class TestAddressTakenSince:
    """Between the look and the write, in PostgreSQL another one may take it."""

    def test_is_lost(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        repository = stocked(engine)
        repository.commit(ca.Change(create=samples.RECORDS))
        monkeypatch.setattr("course_assignments.sqlalchemy.writing._clashing", lambda *_: [])
        step = ca.Replace(samples.CY, attrs.evolve(samples.CY, email=samples.ADA.email))
        with pytest.raises(ca.Conflict) as caught:
            repository.commit(ca.Change(replace=[step]))
        assert caught.value.ids == (samples.CY.id,)
        assert repository.get(ca.User, [samples.CY.id]) == {samples.CY.id: samples.CY}

    def test_of_another_kind_it_is_an_error_of_the_storage(self, engine: Engine) -> None:
        repository = stocked(engine)
        repository.commit(ca.Change(create=samples.RECORDS))
        step = ca.Replace(samples.FRESH, attrs.evolve(samples.FRESH, learner_id="nobody"))
        with pytest.raises(ca.StorageError, match="FOREIGN KEY"):
            repository.commit(ca.Change(replace=[step]))
