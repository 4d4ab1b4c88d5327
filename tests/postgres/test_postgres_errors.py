"""Whatever goes wrong in PostgreSQL or on the way: an error of ours, and nothing half done."""

import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import partial
from itertools import count
from traceback import format_exception
from typing import Any

import attrs
import pytest
from sqlalchemy import Connection, Engine, MetaData, create_engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository, build_tables, dialects
from course_assignments.testing import samples
from course_assignments.testing.contract.base import contents
from tests.sql import database_cases as cases
from tests.support.empty_database import LEVELS, TABLES, empty_repository, engine_with_tables
from tests.support.postgres import own_server, server
from tests.support.races import TIMEOUT, Scene, outcome_of
from tests.support.sessions import transaction, waits

CODE = "Secret-Code-2026"
LEVEL = "READ COMMITTED"
NEW = ca.Change(create=[ca.Course(id="new", name="New")])


def with_a_key() -> Scene:
    """Return a scene with a key of three uses."""
    scene = Scene(empty_repository(LEVEL))
    scene.registrar.create_keys(
        "py",
        id="spring",
        codes=[CODE],
        max_uses=3,
        name="Spring",
        organization_id="acme",
        availability=timedelta(days=30),
    )
    return scene


def stocked() -> SqlRepository:
    repository = empty_repository(LEVEL)
    repository.commit(ca.Change(create=samples.RECORDS, record=samples.EVENTS))
    return repository


def failure(task: Callable[[], object]) -> ca.CourseAssignmentsError:
    """Return the error of ours that *task* ends with."""
    error = outcome_of(task)
    assert isinstance(error, ca.CourseAssignmentsError)
    return error


def cut(connection: Connection) -> None:
    """Cut the line to the server, as a network does: whoever is at its other end is not told."""
    line: Any = connection.connection.driver_connection
    with socket.socket(fileno=os.dup(line.fileno())) as end:
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def just_before(engine: Engine, moment: str, act: Callable[[Connection], None]) -> Iterator[None]:
    """Let *act* happen once, just before the next such *moment* of *engine*."""
    todo = [act]

    def listener(connection: Connection, *_: object) -> None:
        while todo:
            todo.pop()(connection)

    with cases.listening(engine, moment, listener):
        yield
    assert not todo


def pid_of(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


def terminate(connection: Connection) -> None:
    """Let the server end the session of *connection*, and wait until it has."""
    end_session(pid_of(connection))


def end_session(pid: int) -> None:
    there = text("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid = :pid")
    ending = create_engine(server().url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with ending.connect() as another:
        while another.execute(there, {"pid": pid}).scalar_one():
            pass


@contextmanager
def at_the_commit(engine: Engine, table: str, sentence: str) -> Iterator[None]:
    """Let the server do as *sentence* says in the commit of whoever adds to *table*."""
    make = f"""
        CREATE FUNCTION at_the_commit() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN {sentence}; RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER at_the_commit AFTER INSERT ON {table}
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_the_commit();
    """
    with engine.begin() as connection:
        connection.exec_driver_sql(make)
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP FUNCTION at_the_commit CASCADE")


def commit_and_cut(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    # It goes on at once with another transaction, so that the driver has one to commit.
    driver.pgconn.exec_(b"COMMIT AND CHAIN")
    cut(connection)


#: How a connection is lost during the commit, and how many uses of the key are stored then.
LOSSES: dict[str, tuple[Callable[[Engine], AbstractContextManager[None]], int]] = {
    "before the server hears": (partial(just_before, moment="commit", act=cut), 0),
    "before the answer": (partial(just_before, moment="commit", act=commit_and_cut), 1),
    "by the server": (
        partial(
            at_the_commit,
            table="redemptions",
            sentence="PERFORM pg_terminate_backend(pg_backend_pid())",
        ),
        0,
    ),
}


class TestLostConnection:
    @pytest.mark.parametrize("end", [cut, terminate])
    def test_before_the_commit_the_command_is_retried_and_done_once(
        self, end: Callable[[Connection], None]
    ) -> None:
        """At every statement of a redemption."""
        engine = engine_with_tables(LEVEL)
        for number in count():
            scene = with_a_key()
            statements = count()

            def at_its_turn(connection: Connection, *_: object) -> None:
                if next(statements) == number:  # noqa: B023 - it is heard in this round only
                    end(connection)

            with cases.listening(engine, "before_cursor_execute", at_its_turn):
                made = scene.registrar.redeem(CODE, "ada", id="a-1")
            assert (made.id, scene.key(CODE).uses) == ("a-1", 1)
            assert len(scene.events("redeem")) == 1
            if next(statements) <= number:
                break
        assert number > 10

    @pytest.mark.parametrize("loss", LOSSES)
    def test_during_the_commit_the_outcome_is_unknown(self, loss: str) -> None:
        scene = with_a_key()
        redeem = partial(scene.registrar.redeem, CODE, "ada", id="a-1")
        strike, uses = LOSSES[loss]
        with strike(engine_with_tables(LEVEL)):
            error = failure(redeem)
        assert isinstance(error, ca.OutcomeUnknown)
        assert "a-1" in error.ids
        assert CODE not in "".join(format_exception(error))
        assert scene.key(CODE).uses == uses
        # The same call again, with the same id, finds or makes the one assignment.
        assert redeem().id == "a-1"
        assert (scene.key(CODE).uses, len(scene.events("redeem"))) == (1, 1)

    def test_nothing_is_unknown_if_the_commit_itself_says_no(self) -> None:
        repository = empty_repository(LEVEL)
        no = "RAISE EXCEPTION USING ERRCODE = 'check_violation'"
        with at_the_commit(engine_with_tables(LEVEL), "courses", no):
            error = failure(partial(repository.commit, NEW))
        assert error == ca.StorageError("constraint", "check_violation")
        assert repository.get(ca.Course, ["new"]) == {}

    def test_what_could_not_be_serialized_in_the_commit_is_done_again(self) -> None:
        repository = empty_repository(LEVEL)
        engine = engine_with_tables(LEVEL)
        with engine.begin() as connection:
            connection.execute(text("CREATE SEQUENCE tries"))
        busy = """IF nextval('tries') < 3 THEN
            RAISE EXCEPTION USING ERRCODE = 'serialization_failure'; END IF"""
        with at_the_commit(engine, "courses", busy):
            repository.commit(NEW)
        assert repository.get(ca.Course, ["new"]) != {}


class TestLockedRows:
    """Somebody who is none of us holds the row of a key."""

    HOLD = text("SELECT 1 FROM training_keys WHERE code = :code FOR UPDATE")
    USE = ca.Change(use=[ca.Use(samples.SMALL, 1)])

    def test_a_commit_gives_up_after_the_timeout(self) -> None:
        repository = stocked()
        hasty = SqlRepository(engine_with_tables(LEVEL), TABLES, timeout=timedelta(seconds=0.1))
        before = contents(repository)
        with engine_with_tables(LEVEL).connect() as another:
            another.execute(self.HOLD, {"code": samples.SMALL.code})
            error = failure(partial(hasty.commit, self.USE))
        assert isinstance(error, ca.StorageBusy)
        assert contents(repository) == before
        hasty.commit(self.USE)

    @pytest.mark.parametrize("level", [*LEVELS, "AUTOCOMMIT"])
    def test_a_commit_is_retried_until_the_lock_is_released(
        self, level: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dialects, "_LOCK_WAIT", 0.005)
        repository = empty_repository(level)
        repository.commit(ca.Change(create=samples.RECORDS))
        engine = engine_with_tables(level)
        with (
            cases.heard(engine) as tries,
            transaction(engine) as another,
            ThreadPoolExecutor(1) as thread,
        ):
            another.execute(self.HOLD, {"code": samples.SMALL.code})
            using = thread.submit(repository.commit, self.USE)
            while sum("UPDATE training_keys" in statement for statement, _ in tries) < 3:
                waits(engine, using, another)
                assert not using.done()
            another.rollback()
            using.result(TIMEOUT)
        (key,) = repository.get(ca.TrainingKey, [samples.SMALL.id]).values()
        assert key.uses == samples.SMALL.uses + 1


class TestRefused:
    def test_missing_tables(self) -> None:
        cases.check_missing_tables(
            SqlRepository(create_engine(server().room(), poolclass=NullPool))
        )

    def test_a_database_that_is_only_read(self) -> None:
        repository = stocked()
        engine = engine_with_tables(LEVEL)
        url = engine.url.update_query_dict(
            {"options": f"{engine.url.query['options']} -cdefault_transaction_read_only=on"}
        )
        reading = SqlRepository(create_engine(url, poolclass=NullPool))
        before = contents(repository)
        assert contents(reading) == before
        assert cases.storage_error(partial(reading.commit, NEW)).code == "read_only"
        assert contents(repository) == before

    def test_a_table_that_others_may_write_and_we_may_not(self) -> None:
        repository = stocked()
        engine = engine_with_tables(LEVEL)
        before = contents(repository)

        def as_a_guest(connection: Connection) -> None:
            connection.execute(text("SET LOCAL ROLE pg_monitor"))

        weak = SqlRepository(engine)
        with engine.begin() as connection:
            schema = connection.execute(text("SELECT current_schema()")).scalar_one()
            connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO pg_monitor"))
        with just_before(engine, "begin", as_a_guest):
            assert cases.storage_error(partial(weak.commit, NEW)).code == "not_permitted"
        assert contents(repository) == before

    def test_a_journal_that_is_full(self) -> None:
        repository = stocked()
        with engine_with_tables(LEVEL).begin() as connection:
            connection.execute(text("UPDATE journal SET last_position = 2147483646"))
        last, one_more = samples.EVENTS[:2]
        repository.commit(ca.Change(record=[last]))
        before = contents(repository)
        error = failure(partial(repository.commit, attrs.evolve(NEW, record=[one_more])))
        assert error == ca.StorageError("value_refused", "integer out of range")
        assert contents(repository) == before


class TestValues(cases.RefusedValues):
    @pytest.fixture
    def repository(self) -> SqlRepository:
        return stocked()


class TestSettings:
    """What a server, a database or a role may be set to, and the driver cannot convert."""

    @staticmethod
    def opened(**settings: str) -> SqlRepository:
        repository = SqlRepository(create_engine(server().room(**settings), poolclass=NullPool))
        repository.create_all()
        return repository

    def test_an_encoding_without_a_character(self) -> None:
        repository = self.opened(client_encoding="LATIN1")
        repository.commit(ca.Change(create=[ca.Course(id="é", name="é")]))
        before = contents(repository)
        for task in (
            partial(repository.commit, ca.Change(create=[ca.Course(id="€", name="€")])),
            partial(repository.get, ca.Course, ["€"]),
            partial(repository.find, ca.CourseQuery(name="€")),
        ):
            error = cases.storage_error(task)
            assert error.code == "value_refused"
            assert "is the encoding UTF8" in error.hint
        assert contents(repository) == before

    def test_a_date_style_that_the_driver_cannot_read(self) -> None:
        repository = self.opened(DateStyle="German")
        assignment = samples.FRESH
        repository.commit(ca.Change(create=samples.RECORDS))
        for task in (
            partial(repository.get, ca.CourseAssignment, [assignment.id]),
            partial(repository.find, ca.AssignmentQuery()),
            partial(repository.commit, ca.Change(expect=[assignment], create=NEW.create)),
        ):
            assert "is DateStyle ISO?" in cases.storage_error(task).hint
        assert repository.get(ca.Course, ["new"]) == {}


class TestUnavailable:
    def test_a_server_that_is_stopped(self) -> None:
        with own_server() as own:
            repository = SqlRepository(create_engine(own.room(), poolclass=NullPool))
            repository.create_all()
            own.crash()
            for task in (
                partial(repository.get, ca.Course, ["py"]),
                partial(repository.commit, NEW),
            ):
                assert cases.storage_error(task).code == "unavailable"
            own.start()
            repository.commit(NEW)
            assert [*repository.get(ca.Course, ["new"])] == ["new"]

    def test_an_unknown_database(self) -> None:
        url = server().url.set(database="nobody")
        repository = SqlRepository(create_engine(url, poolclass=NullPool))
        error = cases.storage_error(partial(repository.get, ca.Course, ["py"]))
        assert error.code == "unavailable"
        assert "nobody" in error.hint


class TestNoCodeIsShown:
    """What PostgreSQL says of a row that it does not take has the code of the key in it."""

    STRANGE = attrs.evolve(samples.GIVEN_BACK, id="k-9", code=CODE, batch_id="nowhere")

    @staticmethod
    def shown(task: Callable[[], object]) -> str:
        with pytest.raises(ca.CourseAssignmentsError) as caught:
            task()
        return repr(caught.value) + "".join(format_exception(caught.value))

    def write(self, repository: ca.Repository) -> None:
        repository.commit(ca.Change(create=[self.STRANGE]))

    def test_in_an_error_of_ours(self) -> None:
        repository = stocked()
        assert cases.storage_error(partial(self.write, repository)).code == "constraint"
        assert CODE not in self.shown(partial(self.write, repository))

    def test_in_the_transaction_of_a_host(self) -> None:
        stocked()
        with engine_with_tables(LEVEL).connect() as connection:
            shown = self.shown(partial(self.write, SqlRepository(connection)))
        assert "violates foreign key" in shown
        assert CODE not in shown

    def test_the_driver_would_have_shown_it(self) -> None:
        stocked()
        table = TABLES.by_kind[ca.TrainingKey]
        key = {"id": "k-9", "code": CODE, "lookup_code": CODE, "batch_id": "spring", "number": 9}
        used_too_often = {"uses": 2, "max_uses": 1}
        with (
            engine_with_tables(LEVEL).connect() as connection,
            pytest.raises(IntegrityError) as caught,
        ):
            connection.execute(table.insert(), {**key, **used_too_often})
        assert CODE in str(caught.value.orig)


def test_tables_of_another_name_are_others() -> None:
    repository = stocked()
    other = SqlRepository(engine_with_tables(LEVEL), build_tables(MetaData(), prefix="other_"))
    other.create_all()
    assert other.get(ca.Course, ["py"]) == {}
    assert [*repository.get(ca.Course, ["py"])] == ["py"]
