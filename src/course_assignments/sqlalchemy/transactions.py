"""Transactions: one of our own for each commit, or a savepoint in the host's transaction.

Nothing here knows of records: callers pass the work as a function of the connection.
"""

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from random import random
from time import monotonic, sleep
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, SingletonThreadPool, StaticPool

from course_assignments.errors import CourseAssignmentsError, OutcomeUnknown
from course_assignments.sqlalchemy.dialects import Left, dialect_of
from course_assignments.sqlalchemy.failures import is_lost, is_rolled_back, is_transient, translate
from course_assignments.sqlalchemy.pools import sole_use, turn

T = TypeVar("T")

#: The longest wait before the second try, and before any try, in seconds; each wait is random.
_FIRST_WAIT: Final = 0.005
_MAX_WAIT: Final = 0.25

#: A week in seconds, which locks and both databases accept as a timeout.
_MAX_TIMEOUT: Final = 7 * 24 * 3600.0


class OwnTransactions:
    """Begins and commits its own transactions, and retries after transient errors.

    Each call is atomic. It raises `StorageBusy` or `StorageError` if nothing is stored, and
    `OutcomeUnknown` with *ids* if the connection was lost during the commit.
    """

    def __init__(self, engine: Engine, timeout: float) -> None:
        """Take connections from *engine*, and retry for up to *timeout* seconds."""
        self._engine = engine
        self._dialect = dialect_of(engine)
        self._timeout = min(timeout, _MAX_TIMEOUT)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Return what *work* reads."""

        def once(connection: Connection, left: Left) -> T:
            with self._dialect.reading(connection, left):
                return work(connection)

        return self._with_retries(once)

    def write(self, work: Callable[[Connection], T], ids: tuple[str, ...] = ()) -> T:
        """Return what *work* returns, after committing its transaction."""

        def once(connection: Connection, left: Left) -> T:
            try:
                self._dialect.begin(connection, left)
                result = work(connection)
            except BaseException:
                self._rollback(connection)
                raise
            self._commit(connection, ids)
            return result

        return self._with_retries(once)

    def _commit(self, connection: Connection, ids: tuple[str, ...]) -> None:
        try:
            self._dialect.commit(connection)
        except Exception as error:
            if is_rolled_back(error):
                self._rollback(connection)
                raise
            connection.invalidate()
            raise OutcomeUnknown(ids) from None

    def _rollback(self, connection: Connection) -> None:
        if not connection.invalidated:  # a lost transaction is rolled back by the database
            self._dialect.rollback(connection)

    def _with_retries(self, once: Callable[[Connection, Left], T]) -> T:
        """Return the result of *once*, which is told how many seconds are left."""
        give_up_at = monotonic() + self._timeout

        def left() -> float:
            return max(0.0, give_up_at - monotonic())

        reconnected = False
        wait = _FIRST_WAIT
        while True:
            try:
                with self._connection(left) as connection:
                    try:
                        return once(connection, left)
                    except Exception as error:
                        # SQLAlchemy notices only the lost connections whose errors it wraps.
                        if is_lost(error) and not connection.invalidated:
                            connection.invalidate()
                        raise
            except CourseAssignmentsError:
                raise
            except Exception as error:  # noqa: BLE001 - drivers raise more than SQLAlchemy wraps
                # The pool may have kept a connection that was lost long ago; a new one may work.
                retry = is_transient(error) or (is_lost(error) and not reconnected)
                reconnected = reconnected or is_lost(error)
                if not retry or not left():
                    raise translate(error) from None
            sleep(min(random() * wait, left()))  # noqa: S311 - no secret
            wait = min(2 * wait, _MAX_WAIT)

    @contextmanager
    def _connection(self, left: Left) -> Generator[Connection]:
        pool = self._engine.pool
        with ExitStack() as stack:
            if isinstance(pool, StaticPool):
                stack.enter_context(sole_use(pool, left))
                # Check before taking the connection: the pool rolls back when it gets it back.
                self._dialect.check(pool.connection.driver_connection)
            with turn(pool, left):
                connection = stack.enter_context(self._engine.connect())
            if isinstance(pool, SingletonThreadPool):
                self._dialect.check(connection.connection.driver_connection)
            with self._dialect.waiting(connection, left):
                yield connection


class HostTransaction:
    """Works in the transaction of the host, which commits it or not.

    Nothing is retried, because only the host knows what else is in its transaction.
    """

    def __init__(self, connection: Connection) -> None:
        """Work on *connection*."""
        self._connection = connection
        self._dialect = dialect_of(connection)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Return what *work* reads."""
        with _translated(), self._dialect.protect(self._connection):
            return work(self._connection)

    def write(self, work: Callable[[Connection], T], ids: tuple[str, ...] = ()) -> T:  # noqa: ARG002
        """Return what *work* returns, after running it in a savepoint."""
        with _translated():
            self._dialect.join(self._connection)
            with self._connection.begin_nested():
                return work(self._connection)


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except CourseAssignmentsError:
        raise
    except Exception as error:  # noqa: BLE001 - drivers raise more than SQLAlchemy wraps
        raise translate(error) from None
