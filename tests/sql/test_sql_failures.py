"""What goes wrong around a database, real where it can be: our own errors, and nothing changed."""

import sqlite3
import struct
from collections.abc import Callable, Generator, Iterable
from datetime import timedelta
from itertools import count, repeat
from pathlib import Path
from traceback import format_exception
from typing import Any

import attrs
import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, InvalidRequestError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository, failures, transactions
from course_assignments.testing import samples
from tests.sql.database_cases import RefusedValues, check_missing_tables, storage_error
from tests.support.sql import Watch, closing, dump, open_file, stocked, trouble, watched

SOON = timedelta(milliseconds=1)
COURSE = ca.Course(id="new", name="New")


@pytest.fixture
def engine(path: Path, watch: Watch) -> Generator[Engine]:
    with closing(open_file(path, connect_args=watched(watch))) as engine:
        yield engine


@pytest.fixture
def repository(engine: Engine) -> SqlRepository:
    repository = stocked(engine, timeout=SOON)
    repository.commit(ca.Change(create=samples.RECORDS, record=samples.EVENTS))
    return repository


@pytest.fixture
def patient(repository: SqlRepository, engine: Engine) -> SqlRepository:  # noqa: ARG001 - its tables
    return SqlRepository(engine)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited between tries, in place of waiting."""
    waited: list[float] = []
    monkeypatch.setattr(transactions, "sleep", waited.append)
    return waited


def execute(engine: Engine, statement: str) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)


class TestTheFile:
    def test_a_full_disk_is_said(
        self, repository: SqlRepository, engine: Engine, path: Path
    ) -> None:
        before = dump(path)
        execute(engine, "PRAGMA max_page_count = 1")  # no more than it has by now
        many = [attrs.evolve(COURSE, id=f"new-{n}", name="x" * 500) for n in range(2000)]
        error = storage_error(lambda: repository.commit(ca.Change(create=many)))
        assert error == ca.StorageError("disk_full", "database or disk is full")
        assert dump(path) == before
        execute(engine, "PRAGMA max_page_count = 100000")
        repository.commit(ca.Change(create=many))

    def test_a_file_that_may_only_be_read_is_said(
        self, repository: SqlRepository, path: Path
    ) -> None:
        uri = f"file:{path}?mode=ro&uri=true"
        with closing(open_file(uri)) as engine:
            only_read = SqlRepository(engine)
            error = storage_error(lambda: only_read.commit(ca.Change(create=[COURSE])))
            assert error.code == "read_only"
            assert only_read.find(ca.CourseQuery()) == repository.find(ca.CourseQuery())

    def test_a_file_that_cannot_be_opened_is_said(self, tmp_path: Path) -> None:
        with closing(open_file(tmp_path / "nowhere" / "records.db")) as engine:
            error = storage_error(lambda: SqlRepository(engine).find(ca.CourseQuery()))
        assert error.code == "unavailable"

    def test_a_file_that_is_no_database_is_said(self, path: Path) -> None:
        path.write_bytes(b"Dear diary, " * 1000)
        with closing(open_file(path, connect_args={"factory": sqlite3.Connection})) as engine:
            for call in (SqlRepository(engine).create_all, lambda: read(SqlRepository(engine))):
                assert storage_error(call).code == "corrupt"

    def test_a_torn_file_is_said(
        self, repository: SqlRepository, engine: Engine, path: Path
    ) -> None:
        execute(engine, "PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (size - 4096))
        assert storage_error(lambda: read(repository)).code == "corrupt"

    def test_tables_that_are_not_there_are_said(self, path: Path) -> None:
        with closing(open_file(path)) as engine:
            check_missing_tables(SqlRepository(engine))

    def test_a_table_of_the_hosts_that_has_our_name_is_said(self, path: Path) -> None:
        with closing(open_file(path)) as engine:
            with engine.begin() as connection:
                connection.exec_driver_sql("CREATE TABLE courses (id TEXT PRIMARY KEY)")
            repository = SqlRepository(engine)
            repository.create_all()
            for call in (
                lambda: read(repository),
                lambda: repository.commit(ca.Change(create=[COURSE])),
            ):
                error = storage_error(call)
                assert error.code == "missing_column"
                assert "give the tables a prefix" in error.hint

    def test_a_file_that_others_hold_is_waited_for(
        self, repository: SqlRepository, path: Path, waits: list[float]
    ) -> None:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        before = dump(path)
        with pytest.raises(ca.StorageBusy, match="database is locked"):
            repository.commit(ca.Change(create=[COURSE]))
        assert dump(path) == before
        assert read(repository), "who reads does not wait"
        other.execute("COMMIT")
        other.close()
        repository.commit(ca.Change(create=[COURSE]))
        assert len(waits) <= 1


def read(repository: SqlRepository) -> list[ca.Course]:
    return list(repository.find(ca.CourseQuery()))


class TestValues(RefusedValues):
    def test_what_refers_to_nothing_is_refused(self, repository: SqlRepository, path: Path) -> None:
        before = dump(path)
        stray = attrs.evolve(samples.FRESH, id="stray", learner_id="nobody")
        error = storage_error(lambda: repository.commit(ca.Change(create=[COURSE, stray])))
        assert error == ca.StorageError("constraint", "FOREIGN KEY constraint failed")
        assert dump(path) == before


def failing(start: str, errors: Iterable[Exception]) -> Callable[[str], None]:
    """Return what raises the *errors*, one each time, for statements with this *start*."""
    coming = iter(errors)

    def fail(statement: str) -> None:
        if statement.startswith(start) and (error := next(coming, None)):
            raise error

    return fail


class InterfaceError(Exception):
    """An error of a driver that SQLAlchemy does not wrap, as it comes from another module."""


CODE = "Spring-2026"

#: What drivers raise besides errors of their own.
FOREIGN = (
    UnicodeEncodeError("latin-1", f"€{CODE}", 0, 1, "ordinal not in range(256)"),
    NotImplementedError(f"can't parse timestamptz with DateStyle 'German': {CODE}"),
    struct.error(CODE),
    OSError(CODE),
    ZeroDivisionError(CODE),
    Exception(),
)

CALLS: dict[str, Callable[[SqlRepository], object]] = {
    "get": lambda repository: repository.get(ca.Course, ["py"]),
    "find": lambda repository: repository.find(ca.CourseQuery()),
    "commit": lambda repository: repository.commit(
        ca.Change(create=[COURSE], record=samples.EVENTS[:1])
    ),
    "create_all": SqlRepository.create_all,
    "prune_events": lambda repository: repository.prune_events(samples.START),
}


BUSY = trouble(5, "SQLITE_BUSY", "database is locked")


class TestTryingAgain:
    def test_what_is_busy_for_a_while_succeeds(
        self, patient: SqlRepository, watch: Watch, waits: list[float]
    ) -> None:
        with watch.told(before=failing("BEGIN IMMEDIATE", [BUSY] * 12)):
            patient.commit(ca.Change(create=[COURSE]))
        assert COURSE in read(patient)
        # Drawn from 0 to a limit that doubles, and that ends at a quarter of a second.
        limits = [min(0.25, 0.005 * 2**turn) for turn in range(12)]
        assert len(waits) == len(limits)
        assert all(0 <= wait <= limit for wait, limit in zip(waits, limits, strict=True))
        assert len(set(waits)) > 1

    def test_a_commit_that_is_busy_is_undone_and_done_again(
        self, patient: SqlRepository, watch: Watch, waits: list[float]
    ) -> None:
        with watch.told(before=failing("COMMIT", [BUSY])):
            patient.commit(ca.Change(create=[COURSE]))
        assert COURSE in read(patient)
        assert len(waits) == 1

    def test_what_is_busy_for_ever_ends_at_the_deadline(
        self, engine: Engine, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 1000.0

        def sleep(seconds: float) -> None:
            nonlocal now
            now += seconds

        monkeypatch.setattr(transactions, "sleep", sleep)
        monkeypatch.setattr(transactions, "monotonic", lambda: now)
        # Long enough for a wait that doubled for ever to become more than a number can be.
        patient = SqlRepository(engine, timeout=timedelta(minutes=30))

        recovering = repeat(trouble(261, "SQLITE_BUSY_RECOVERY", "database is locked"))
        fail = failing("BEGIN IMMEDIATE", recovering)
        with watch.told(before=fail), pytest.raises(ca.StorageBusy):
            patient.commit(ca.Change(create=[COURSE]))
        assert 1800 <= now - 1000 <= 1801

    def test_a_connection_that_was_lost_long_ago_is_replaced_once(
        self, patient: SqlRepository, watch: Watch, waits: list[float]
    ) -> None:
        lost = sqlite3.ProgrammingError("Cannot operate on a closed database.")
        with watch.told(before=failing("SELECT", [lost])):
            assert read(patient)
        losses = iter([lost] * 10)
        with watch.told(before=failing("SELECT", losses)):
            assert storage_error(lambda: read(patient)).code == "unavailable"
        assert len([*losses]) == 8
        assert len(waits) == 2

    @pytest.mark.usefixtures("waits")
    def test_an_exhausted_pool_is_busy(self, path: Path) -> None:
        options = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0}
        with closing(open_file(path, **options)) as engine:
            repository = stocked(engine, timeout=SOON)
            with engine.connect(), pytest.raises(ca.StorageBusy):
                repository.find(ca.CourseQuery())
            assert read(repository) == []

    def test_a_lost_connection_that_sqlalchemy_does_not_know_is_replaced_once(
        self, patient: SqlRepository, watch: Watch, waits: list[float]
    ) -> None:
        with watch.told(before=failing("SELECT", [InterfaceError("network error")])):
            assert read(patient)
        with watch.told(before=failing("SELECT", repeat(InterfaceError("network error")))):
            assert storage_error(lambda: read(patient)).code == "unavailable"
        assert len(waits) == 2

    @pytest.mark.parametrize("name", CALLS)
    @pytest.mark.parametrize("error", FOREIGN, ids=lambda error: type(error).__name__)
    def test_only_errors_of_ours_come_out(
        self, name: str, error: Exception, patient: SqlRepository, path: Path, watch: Watch
    ) -> None:
        """Whatever a driver raises, at any of its statements."""
        before = dump(path)
        for place in count():
            statements: list[str] = []

            def fail(statement: str, place: int = place) -> None:
                statements.append(statement)  # noqa: B023 - it is heard in this round only
                if len(statements) == place + 1:  # noqa: B023
                    raise error

            outcome: ca.CourseAssignmentsError | None = None
            with watch.told(before=fail):
                try:
                    CALLS[name](patient)
                except ca.CourseAssignmentsError as ours:
                    outcome = ours
            if len(statements) <= place:
                break
            unknown = statements[place] == "COMMIT"
            assert isinstance(outcome, ca.OutcomeUnknown if unknown else ca.StorageError)
            assert CODE not in "".join(format_exception(outcome))
            assert dump(path) == before
        assert place > 0

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
    def test_an_interruption_leaves_nothing(
        self, kind: type[BaseException], repository: SqlRepository, path: Path, watch: Watch
    ) -> None:
        with watch.statements() as statements:
            repository.commit(ca.Change(create=[COURSE], record=samples.EVENTS[:1]))
        before = dump(path)
        whole = ca.Change(create=[attrs.evolve(COURSE, id="newer")], record=samples.EVENTS[:1])
        for place in range(len(statements)):
            count = -1

            def interrupt(_: str, place: int = place) -> None:
                nonlocal count
                count += 1
                if count == place:
                    raise kind

            with watch.told(before=interrupt), pytest.raises(kind):
                repository.commit(whole)
            assert dump(path) == before
        repository.commit(whole)


class Said(Exception):
    """An error of a driver's, with what PostgreSQL's says about itself."""

    def __init__(self, sqlstate: str, message: str = "", *, primary: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.diag = attrs.make_class("Diag", {"message_primary": attrs.field()})(primary)


DETAIL = f"Key (code)=({CODE}) exists"


def told_by_pg8000(sqlstate: str, message: str) -> Exception:
    """Return an error of pg8000: its one argument is all that it tells."""
    return Exception({"S": "ERROR", "C": sqlstate, "M": message, "D": DETAIL})


def wrapped(cause: Exception, *, lost: bool = False) -> DBAPIError:
    return OperationalError("SELECT 1", {}, cause, connection_invalidated=lost)


class TestExplaining:
    @pytest.mark.parametrize(
        ("sqlstate", "code"),
        [
            ("53100", "disk_full"),
            ("25006", "read_only"),
            ("08006", "unavailable"),
            ("57P01", "unavailable"),
            ("23503", "constraint"),
            ("23514", "constraint"),
            ("XX001", "corrupt"),
            ("42P01", "missing_table"),
            ("42703", "missing_column"),
            ("42501", "not_permitted"),
            ("22021", "value_refused"),
            ("0A000", "failed"),
        ],
    )
    def test_what_postgresql_says_has_a_code(self, sqlstate: str, code: str) -> None:
        error = failures.translate(wrapped(Said(sqlstate, "no")))
        assert isinstance(error, ca.StorageError)
        assert error.code == code
        assert not failures.is_transient(wrapped(Said(sqlstate)))

    @pytest.mark.parametrize("told", [Said, told_by_pg8000])
    @pytest.mark.parametrize("sqlstate", ["40001", "40P01", "55P03", "53300"])
    def test_what_passes_is_busy_and_undone(self, sqlstate: str, told: Any) -> None:
        error = wrapped(told(sqlstate, "wait"))
        assert failures.is_transient(error)
        assert failures.is_rolled_back(error)
        assert failures.translate(error) == ca.StorageBusy("wait")

    def test_what_took_too_long_is_busy_but_not_tried_again(self) -> None:
        error = wrapped(Said("57014", "canceling statement due to statement timeout"))
        assert not failures.is_transient(error)
        assert isinstance(failures.translate(error), ca.StorageBusy)

    @pytest.mark.parametrize(
        ("error", "undone"),
        [
            (wrapped(Said("53100")), True),
            (wrapped(Said("23505")), True),
            (wrapped(Said("23505"), lost=True), False),
            (wrapped(Said("08006"), lost=True), False),
            (wrapped(Said("0A000")), False),
            (wrapped(trouble(10, "SQLITE_IOERR", "disk I/O error")), False),
            (wrapped(trouble(13, "SQLITE_FULL", "full")), True),
            (PoolTimeout("none left"), True),
        ],
    )
    def test_only_what_is_certainly_undone_is_said_to_be(
        self,
        error: SQLAlchemyError,
        undone: bool,  # noqa: FBT001
    ) -> None:
        assert failures.is_rolled_back(error) is undone

    def test_a_lost_connection_is_unavailable(self) -> None:
        error = failures.translate(wrapped(Said(""), lost=True))
        assert error == ca.StorageError("unavailable", "Said")

    @pytest.mark.parametrize(
        "cause",
        [
            Said("23505", f"duplicate key value\nDETAIL: {DETAIL}"),
            Said("23505", f"duplicate key value\nDETAIL: {DETAIL}", primary="duplicate key value"),
            told_by_pg8000("23505", "duplicate key value"),
        ],
    )
    def test_no_value_of_a_row_is_repeated(self, cause: Exception) -> None:
        error = failures.translate(wrapped(cause))
        assert error == ca.StorageError("constraint", "duplicate key value")
        assert "Spring" not in "".join(format_exception(error))

    def test_what_the_library_itself_refused_comes_out_as_it_was(self) -> None:
        cause = ca.InvalidInput("naive_datetime", "at", "give a zone")
        assert failures.translate(wrapped(cause)) is cause

    @pytest.mark.parametrize(
        ("cause", "code", "advice"),
        [
            (
                UnicodeEncodeError("latin-1", CODE, 0, 1, ""),
                "value_refused",
                "; is the encoding UTF8?",
            ),
            (
                UnicodeDecodeError("utf-8", CODE.encode(), 0, 1, ""),
                "unreadable",
                "; is the encoding UTF8?",
            ),
            (NotImplementedError(CODE), "failed", "; is DateStyle ISO?"),
            (TypeError(CODE), "failed", ""),
            (OSError(CODE), "failed", ""),
        ],
    )
    def test_what_a_driver_cannot_convert_is_explained(
        self, cause: Exception, code: str, advice: str
    ) -> None:
        error = failures.translate(cause)
        hint = f"the driver raised {type(cause).__name__}{advice}"
        assert error == ca.StorageError(code, hint)
        assert CODE not in "".join(format_exception(error))

    def test_what_sqlalchemy_itself_says_is_passed_on(self) -> None:
        error = failures.translate(InvalidRequestError("This Connection is closed"))
        assert error == ca.StorageError("failed", "This Connection is closed")
