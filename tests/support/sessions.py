"""Two sessions of one PostgreSQL that meet: one has written and not committed, another arrives.

Nothing here is left to luck: the one goes on when the other has arrived, which is when it waits for
the one or is through.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from time import monotonic
from typing import Any, TypeAlias, TypeVar

import attrs
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from course_assignments import Change, CourseAssignmentsError, Repository
from course_assignments.sqlalchemy import SqlRepository
from course_assignments.sqlalchemy.failures import is_transient
from course_assignments.sqlalchemy.writing import KindStatements, Statements
from tests.support.races import TIMEOUT, outcome_of

T = TypeVar("T")

#: What makes a repository over an engine, or over a connection of the host's.
Open: TypeAlias = Callable[..., Repository]

PID = text("SELECT pg_backend_pid()")
HELD_UP = text("SELECT count(*) FROM pg_stat_activity WHERE :pid = ANY (pg_blocking_pids(pid))")


@attrs.frozen
class Met:
    """What came of two changes.

    Attributes:
        kept: Whether the first is stored; one that is serializable may be refused at its end.
        waited: Whether the second had to wait for the end of the first.
        outcome: The error of the second, or ``None``.
    """

    kept: bool
    waited: bool
    outcome: CourseAssignmentsError | None


def meet(
    engine: Engine, first: Change, second: Change, *, kept: bool = True, make: Open = SqlRepository
) -> Met:
    """Commit *second* while *first* is written and open, which is then *kept* or rolled back."""
    with transaction(engine) as connection:
        make(connection).commit(first)
        with ThreadPoolExecutor(1) as thread:
            arriving = thread.submit(outcome_of, partial(make(engine).commit, second))
            waited = waits(engine, arriving, connection)
            kept = kept and committed(connection)
            connection.rollback()
            return Met(kept, waited, arriving.result(TIMEOUT))


def committed(connection: Connection) -> bool:
    """Commit, and return whether that could be serialized."""
    try:
        connection.commit()
    except OperationalError as error:
        if not is_transient(error):
            raise
        return False
    return True


def transaction(engine: Engine) -> Connection:
    """Return a connection that is in a transaction, even where the engine begins none."""
    connection = engine.connect()
    if getattr(connection.connection.dbapi_connection, "autocommit", False):
        connection.execution_options(isolation_level="READ COMMITTED")
    return connection


def waits(engine: Engine, arriving: "Future[T]", connection: Connection) -> bool:
    """Return, as soon as it is known, whether who is *arriving* waits for *connection*."""
    pid = connection.execute(PID).scalar_one()
    give_up_at = monotonic() + TIMEOUT
    with engine.connect() as observer:
        observer.execution_options(isolation_level="AUTOCOMMIT")
        while not arriving.done():
            if observer.execute(HELD_UP, {"pid": pid}).scalar_one():
                return True
            assert monotonic() < give_up_at, "it neither waits nor ends"
    return False


class Without(SqlRepository):
    """The repository, but for how it asks: what goes wrong elsewhere."""

    def __init__(
        self,
        bind: Engine | Connection,
        habit: Callable[[Statements], Statements],
        **options: Any,
    ) -> None:
        super().__init__(bind, **options)
        self._statements = habit(self._statements)


def without(habit: Callable[[Statements], Statements]) -> Open:
    """Return what makes repositories with a bad *habit*."""
    return lambda bind, **options: Without(bind, habit, **options)


def shares_nothing(statements: Statements) -> Statements:
    """What is expected is read, and may change a moment later."""
    return _of_each_kind(statements, lambda one: attrs.evolve(one, share=one.read))


def holds_nothing(statements: Statements) -> Statements:
    """What is replaced is compared, and may change before it is written."""
    return _of_each_kind(statements, lambda one: attrs.evolve(one, hold=one.read))


def queues_nowhere(statements: Statements) -> Statements:
    """Rows are locked at once, past those who wait for them."""

    def locked(one: KindStatements) -> KindStatements:
        read: Any = one.read
        return attrs.evolve(
            one,
            hold=read.with_for_update(key_share=True),
            share=read.with_for_update(read=True),
        )

    return _of_each_kind(statements, locked)


def _of_each_kind(
    statements: Statements, change: Callable[[KindStatements], KindStatements]
) -> Statements:
    of_kind = {kind: change(one) for kind, one in statements.of_kind.items()}
    return attrs.evolve(statements, of_kind=of_kind)
