"""On a connection of the host's, a commit is a part of its transaction: a savepoint, no more."""

import sqlite3
from collections.abc import Generator
from copy import copy
from pathlib import Path

import attrs
import pytest
from sqlalchemy import Column, Connection, Engine, ForeignKey, MetaData, String, Table

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository, build_tables, transactions
from course_assignments.testing import samples
from tests.support.sql import SETUPS, Watch, closing, dump, open_file, stocked, trouble, watched

COURSE = ca.Course(id="new", name="New")
LOST = ca.Change(
    create=[attrs.evolve(COURSE, id="another"), samples.PYTHON], record=samples.EVENTS[:1]
)

metadata = MetaData()
TABLES = build_tables(metadata)
PRICES = Table(
    "prices",
    metadata,
    Column("course_id", ForeignKey("courses.id"), primary_key=True),
    Column("price", String(20), nullable=False),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


#: Where the host has said that its rollbacks shall do nothing, they do nothing.
JOINABLE = sorted(SETUPS.keys() - {"no rollback"})


@pytest.fixture(params=JOINABLE)
def engine(request: pytest.FixtureRequest, path: Path) -> Generator[Engine]:
    with closing(open_file(path)) as first:
        stocked(first, tables=TABLES).commit(ca.Change(create=samples.RECORDS))
        PRICES.create(first)
    with closing(SETUPS[request.param](path)) as engine:
        yield engine


def price(connection: Connection, course_id: str) -> None:
    connection.execute(PRICES.insert().values(course_id=course_id, price="10 EUR"))


def prices(path: Path) -> list[str]:
    return [str(row[0]) for row in dump(path)["prices"]]


def courses(path: Path) -> set[str]:
    return {str(row[0]) for row in dump(path)["courses"]}


class TestJoining:
    def test_the_host_commits_both(self, engine: Engine, path: Path) -> None:
        with engine.connect() as connection:
            SqlRepository(connection, TABLES).commit(ca.Change(create=[COURSE]))
            price(connection, COURSE.id)
            assert COURSE.id not in courses(path), "until the host commits, nobody sees it"
            connection.commit()
        assert COURSE.id in courses(path)
        assert prices(path) == [COURSE.id]

    def test_the_host_takes_both_back(self, engine: Engine, path: Path) -> None:
        before = dump(path)
        with engine.connect() as connection:
            SqlRepository(connection, TABLES).commit(
                ca.Change(create=[COURSE], record=samples.EVENTS[:1])
            )
            price(connection, COURSE.id)
            connection.rollback()
        assert dump(path) == before

    def test_whoever_only_leaves_takes_it_back(self, engine: Engine, path: Path) -> None:
        before = dump(path)
        with engine.connect() as connection:
            SqlRepository(connection, TABLES).commit(ca.Change(create=[COURSE]))
        assert dump(path) == before

    def test_what_the_host_had_begun_goes_on(self, engine: Engine, path: Path) -> None:
        with engine.begin() as connection:
            price(connection, samples.PYTHON.id)
            SqlRepository(connection, TABLES).commit(ca.Change(create=[COURSE]))
            price(connection, COURSE.id)
        assert prices(path) == [COURSE.id, samples.PYTHON.id]

    def test_what_was_not_committed_can_be_read(self, engine: Engine) -> None:
        with engine.connect() as connection:
            repository = SqlRepository(connection, TABLES)
            repository.commit(ca.Change(create=[COURSE]))
            assert repository.get(ca.Course, [COURSE.id]) == {COURSE.id: COURSE}
            assert COURSE in [*repository.find(ca.CourseQuery())]
            connection.rollback()
            assert repository.get(ca.Course, [COURSE.id]) == {}

    def test_one_commit_is_one_savepoint(self, path: Path) -> None:
        watch = Watch()
        with closing(open_file(path, connect_args=watched(watch))) as engine:
            stocked(engine)
            with engine.connect() as connection:
                repository = SqlRepository(connection)
                with watch.statements() as statements:
                    repository.commit(ca.Change(create=[COURSE]))
                words = [statement.split()[0] for statement in statements]
                assert words == ["BEGIN", "SAVEPOINT", "INSERT", "RELEASE"]
                with watch.statements() as statements:
                    repository.commit(ca.Change(create=[attrs.evolve(COURSE, id="other")]))
                assert [one.split()[0] for one in statements] == ["SAVEPOINT", "INSERT", "RELEASE"]

    def test_the_tables_can_be_made_in_it(self, path: Path) -> None:
        with closing(open_file(path)) as engine, engine.connect() as connection:
            repository = SqlRepository(connection)
            repository.create_all()
            repository.commit(ca.Change(create=[COURSE]))
            connection.rollback()
            assert dump(path) == {}
            repository.create_all()
            connection.commit()
            assert "courses" in dump(path)


class TestLosing:
    def test_a_conflict_leaves_what_the_host_wrote(self, engine: Engine, path: Path) -> None:
        before = courses(path)
        with engine.connect() as connection:
            repository = SqlRepository(connection, TABLES)
            price(connection, samples.PYTHON.id)
            repository.commit(ca.Change(create=[COURSE]))
            with pytest.raises(ca.Conflict):
                repository.commit(LOST)
            step = ca.Replace(samples.SQL, attrs.evolve(samples.SQL, name="Newer"))
            repository.commit(ca.Change(replace=[step]))
            price(connection, COURSE.id)
            connection.commit()
        assert prices(path) == [COURSE.id, samples.PYTHON.id]
        assert courses(path) == {*before, COURSE.id}
        assert dump(path)["events"] == []

    def test_so_does_every_other_error(self, engine: Engine, path: Path) -> None:
        with engine.connect() as connection:
            repository = SqlRepository(connection, TABLES)
            price(connection, samples.PYTHON.id)
            broken = copy(samples.SQL)
            object.__setattr__(broken, "name", "a\0b")
            step = ca.Replace(samples.SQL, samples.SQL)
            object.__setattr__(step, "after", broken)
            with pytest.raises(ca.InvalidInput):
                repository.commit(ca.Change(create=[COURSE], replace=[step]))
            with pytest.raises(KeyboardInterrupt):
                repository._transactions.write(_interrupted)  # noqa: SLF001 - to be in the middle
            connection.commit()
        assert prices(path) == [samples.PYTHON.id]
        assert COURSE.id not in courses(path)

    def test_nothing_is_tried_again(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(transactions, "sleep", lambda _: pytest.fail("it waits"))
        watch = Watch()
        with closing(open_file(path, connect_args=watched(watch))) as engine:
            stocked(engine)
            with engine.connect() as connection:
                repository = SqlRepository(connection)
                tries = 0

                def busy(statement: str) -> None:
                    nonlocal tries
                    if statement.startswith(("INSERT", "SELECT")):
                        tries += 1
                        raise trouble(5, "SQLITE_BUSY", "database is locked")

                with watch.told(before=busy):
                    with pytest.raises(ca.StorageBusy):
                        repository.commit(ca.Change(create=[COURSE]))
                    with pytest.raises(ca.StorageBusy):
                        repository.find(ca.CourseQuery())
                assert tries == 2
                repository.commit(ca.Change(create=[COURSE]))

    def test_a_full_disk_is_said_as_such(self, path: Path) -> None:
        with closing(open_file(path)) as engine:
            stocked(engine)
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA max_page_count = 1")
                repository = SqlRepository(connection)
                many = [attrs.evolve(COURSE, id=f"{n}", name="x" * 500) for n in range(2000)]
                with pytest.raises(ca.StorageError) as caught:
                    repository.commit(ca.Change(create=many))
                assert caught.value.code == "disk_full"

    def test_a_connection_that_is_closed_is_said(self, path: Path) -> None:
        with closing(open_file(path)) as engine:
            with engine.connect() as connection:
                repository = SqlRepository(connection)
            for call in (
                lambda: repository.find(ca.CourseQuery()),
                lambda: repository.commit(ca.Change(create=[COURSE])),
                repository.create_all,
            ):
                with pytest.raises(ca.StorageError):
                    call()


def _interrupted(_: Connection) -> None:
    raise KeyboardInterrupt


def test_a_savepoint_without_a_transaction_would_last(path: Path) -> None:
    """What joining is for: the driver alone begins none, and the release of a savepoint commits."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE one (id INTEGER)")
    connection.execute("SAVEPOINT a")
    connection.execute("RELEASE a")
    assert not connection.in_transaction
    connection.close()
