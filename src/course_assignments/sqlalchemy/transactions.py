"""Whose transaction it is: one of our own for each commit, or a part of the host's.

Nothing is known here of records; what is done inside comes in as a function of the connection.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from random import random
from threading import Lock
from time import monotonic, sleep
from typing import Final, Protocol, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Pool, SingletonThreadPool, StaticPool
from sqlalchemy.exc import SQLAlchemyError

from course_assignments.errors import OutcomeUnknown, StorageBusy
from course_assignments.sqlalchemy.dialects import dialect_of
from course_assignments.sqlalchemy.failures import explained, is_lost, is_passing, is_undone

T = TypeVar("T")

#: How long to wait before the second try, and before any; in seconds, drawn from 0 to that.
_FIRST_WAIT: Final = 0.005
_LONGEST_WAIT: Final = 0.25

#: For how long locks and both databases can be told to wait, in seconds: a week.
_MOST_PATIENCE: Final = 7 * 24 * 3600.0

#: For pools whose one connection all threads share: whoever uses it.
_turns: Final[WeakKeyDictionary[Pool, Lock]] = WeakKeyDictionary()
_turns_lock: Final = Lock()


class Transactions(Protocol):
    """Where to read and write: each call is whole, or has not happened."""

    def read(self, work: Callable[[Connection], T]) -> T:
        """Return what *work* reads."""
        ...

    def write(self, work: Callable[[Connection], T], ids: tuple[str, ...] = ()) -> T:
        """Carry *work* out, and return what it returns; an unknown outcome names *ids*."""
        ...


class OwnTransactions:
    """Begins and commits by itself, and tries again while others are only in the way."""

    def __init__(self, engine: Engine, timeout: float) -> None:
        """Take connections from *engine*, and try for *timeout* seconds, if that is possible."""
        self._engine = engine
        self._dialect = dialect_of(engine)
        self._patience = min(max(timeout, 0.0), _MOST_PATIENCE)
        self._only = engine.pool if isinstance(engine.pool, StaticPool) else None

    def read(self, work: Callable[[Connection], T]) -> T:
        """Return what *work* reads.

        Raises:
            StorageBusy, StorageError: it could not be read.
        """

        def once(_: float) -> T:
            with self._connection() as connection:
                self._dialect.read(connection)
                return work(connection)

        return self._persistently(once)

    def write(self, work: Callable[[Connection], T], ids: tuple[str, ...] = ()) -> T:
        """Carry *work* out in a transaction, and return what it returns.

        Raises:
            OutcomeUnknown: the connection was lost in the very commit.
            StorageBusy, StorageError: nothing is stored.
        """

        def once(seconds: float) -> T:
            with self._connection() as connection:
                try:
                    self._dialect.begin(connection, seconds)
                    result = work(connection)
                except BaseException:
                    self._undo(connection)
                    raise
                self._commit(connection, ids)
                return result

        return self._persistently(once)

    def _commit(self, connection: Connection, ids: tuple[str, ...]) -> None:
        try:
            self._dialect.commit(connection)
        except SQLAlchemyError as error:
            if is_undone(error):
                self._undo(connection)
                raise
            connection.invalidate()
            raise OutcomeUnknown(ids) from None

    def _undo(self, connection: Connection) -> None:
        if not connection.invalidated:  # what is lost is undone
            self._dialect.undo(connection)

    def _persistently(self, once: Callable[[float], T]) -> T:
        """Return what *once* comes to, which is told how many seconds are left."""
        give_up_at = monotonic() + self._patience
        reconnected = False
        wait = _FIRST_WAIT
        while True:
            try:
                return once(max(0.0, give_up_at - monotonic()))
            except SQLAlchemyError as error:
                # A pool may hold connections that were lost long ago; a new one tells more.
                retry = is_passing(error) or (is_lost(error) and not reconnected)
                reconnected = reconnected or is_lost(error)
                if not retry or monotonic() >= give_up_at:
                    raise explained(error) from None
            sleep(random() * wait)  # noqa: S311 - no secret
            wait = min(2 * wait, _LONGEST_WAIT)

    @contextmanager
    def _connection(self) -> Generator[Connection]:
        if self._only is None:
            with self._engine.connect() as connection:
                if isinstance(self._engine.pool, SingletonThreadPool):
                    self._dialect.check(connection.connection.driver_connection)
                yield connection
            return
        turn = _turn(self._only)
        if not turn.acquire(timeout=self._patience):
            raise StorageBusy("the one connection is in use")
        try:
            # Before it is taken: the pool would undo what is under way as it takes it back.
            self._dialect.check(self._only.connection.driver_connection)
            with self._engine.connect() as connection:
                yield connection
        finally:
            turn.release()


def _turn(pool: Pool) -> Lock:
    """Return the lock for the one connection of *pool*."""
    with _turns_lock:
        return _turns.setdefault(pool, Lock())


class HostTransaction:
    """Joins the transaction of a connection of the host's, who commits it or not.

    Nothing is tried again: the host alone knows what else is in its transaction.
    """

    def __init__(self, connection: Connection) -> None:
        """Work on *connection*."""
        self._connection = connection
        self._dialect = dialect_of(connection)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Return what *work* reads.

        Raises:
            StorageBusy, StorageError: it could not be read.
        """
        try:
            return work(self._connection)
        except SQLAlchemyError as error:
            raise explained(error) from None

    def write(self, work: Callable[[Connection], T], ids: tuple[str, ...] = ()) -> T:  # noqa: ARG002
        """Carry *work* out in a savepoint, and return what it returns.

        Raises:
            StorageBusy, StorageError: nothing of it is left in the transaction.
        """
        try:
            self._dialect.join(self._connection)
            with self._connection.begin_nested():
                return work(self._connection)
        except SQLAlchemyError as error:
            raise explained(error) from None
