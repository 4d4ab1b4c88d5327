"""The repository over SQL: what is read and written, each in one transaction."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache, lru_cache, partial

from sqlalchemy import Connection, Engine, MetaData

from course_assignments import validation
from course_assignments.changes import KINDS, Change, R, masked_id
from course_assignments.errors import InvalidInput
from course_assignments.queries import F, Query
from course_assignments.repository import Page
from course_assignments.sqlalchemy.column_types import is_storable
from course_assignments.sqlalchemy.dialects import dialect_of
from course_assignments.sqlalchemy.rows import read_all
from course_assignments.sqlalchemy.searching import Searching
from course_assignments.sqlalchemy.statements import Statements
from course_assignments.sqlalchemy.tables import Tables, build_tables
from course_assignments.sqlalchemy.transactions import (
    HostTransaction,
    OwnTransactions,
    Transactions,
)
from course_assignments.sqlalchemy.writing import write
from course_assignments.time.datetimes import as_utc

#: How long a commit is tried while others are in the way.
TIMEOUT = timedelta(seconds=30)


class SqlRepository:
    """A `Repository` in SQLite or PostgreSQL.

    Over an ``Engine`` each commit is a transaction of its own, at the isolation level that the
    engine has, and is tried again while others are in the way. Over a ``Connection`` it is a part
    of the host's transaction: a savepoint, never tried again, and lost if the host rolls back.
    Errors of the database leave as `StorageBusy`, `OutcomeUnknown` or `StorageError`.

    Example:
        >>> from sqlalchemy import create_engine
        >>> from course_assignments import Course, Registrar
        >>> repository = SqlRepository(create_engine("sqlite://"))
        >>> repository.create_all()
        >>> Registrar(repository).add(Course(id="py", name="Python"))
        >>> repository.get(Course, ["py"])["py"].name
        'Python'
    """

    def __init__(
        self,
        bind: Engine | Connection,
        tables: Tables | None = None,
        *,
        timeout: timedelta = TIMEOUT,
    ) -> None:
        """Keep records in *tables*, or in those that ``build_tables(MetaData())`` gives.

        Args:
            bind: Where the database is: SQLite from 3.37 on, or PostgreSQL.
            tables: What `build_tables` gave.
            timeout: How long to try again; a connection of the host's is never tried again.

        Raises:
            InvalidInput: an argument is of the wrong kind, or it is another kind of database.
        """
        validation.check_kind(bind, "bind", Engine, Connection)
        validation.check_kind(timeout, "timeout", timedelta)
        if tables is not None:
            validation.check_kind(tables, "tables", Tables)
        self._bind = bind
        self._dialect = dialect_of(bind)
        self._tables = _tables_of_our_own() if tables is None else tables
        self._statements, self._searching = _prepared(self._tables, bind.dialect.name)
        self._transactions: Transactions = (
            OwnTransactions(bind, timeout.total_seconds())
            if isinstance(bind, Engine)
            else HostTransaction(bind)
        )

    def create_all(self) -> None:
        """Make the tables that are not there yet; a SQLite file is set to write ahead.

        Raises:
            StorageBusy, StorageError: they could not be made.
        """
        if isinstance(self._bind, Engine):
            self._transactions.read(self._dialect.prepare)

        def make(connection: Connection) -> None:
            self._dialect.line_up(connection)
            tables = [*self._tables]
            tables[0].metadata.create_all(connection, tables=tables)

        self._transactions.write(make)

    def get(self, kind: type[R], ids: Iterable[str], /) -> dict[str, R]:
        """Return the records of *kind* under *ids*, leaving out the ids nothing is stored under.

        Raises:
            InvalidInput: *kind* is no kind of record, or *ids* is no list of texts.
            StorageBusy, StorageError: it could not be read.
        """
        if not any(kind is one for one in KINDS):
            raise InvalidInput("wrong_type", "kind", "expected a kind of record")
        wanted = validation.check_each(ids, "ids", str)
        statement = self._statements.read[kind]
        possible = {"ids": [*filter(is_storable, dict.fromkeys(wanted))]}
        records = self._transactions.read(
            lambda connection: read_all(kind, connection.execute(statement, possible))
        )
        found = {record.id: record for record in records}
        return {one: found[one] for one in wanted if one in found}

    def find(self, query: Query[F], /) -> Page[F]:
        """Return the first page of what *query* asks for, in the order it states.

        Raises:
            InvalidInput: it is none of this library's queries.
            StorageBusy, StorageError: it could not be read.
        """
        statement, parameters = self._searching.statement(query)
        found = self._transactions.read(
            lambda connection: read_all(query.kind, connection.execute(statement, parameters))
        )
        page = tuple(found[: query.limit])
        return Page(page, query.behind(page[-1]) if len(found) > query.limit else None)

    def commit(self, change: Change, /) -> None:
        """Store all of *change*, or nothing.

        Raises:
            Conflict: something is not, or no longer, as the change needs it.
            InvalidInput: it is no `Change`.
            OutcomeUnknown: the connection was lost while it was committed.
            StorageBusy, StorageError: nothing is stored.
        """
        validation.check_kind(change, "change", Change)
        self._transactions.write(
            partial(write, statements=self._statements, change=change), _ids(change)
        )

    def prune_events(self, before: datetime) -> int:
        """Drop the events before the aware instant *before*, and return how many (rule 23).

        Raises:
            InvalidInput: *before* is naive.
            StorageBusy, OutcomeUnknown, StorageError: as for `commit`.
        """
        parameters = {"before": as_utc(before, "before")}
        return self._transactions.write(
            lambda connection: connection.execute(self._statements.prune, parameters).rowcount
        )


@cache
def _tables_of_our_own() -> Tables:
    return build_tables(MetaData())


@lru_cache(maxsize=32)
def _prepared(tables: Tables, dialect: str) -> tuple[Statements, Searching]:
    """Return what a repository asks; hosts make one for each of their transactions."""
    return Statements.of(tables, dialect), Searching(tables, dialect)


def _ids(change: Change) -> tuple[str, ...]:
    """Return the ids by which one can find out whether *change* was stored."""
    made = change.create or [
        *(step.before for step in change.replace),
        *(step.key for step in change.use),
    ]
    events = (one for event in change.record for one in event.subject_ids)
    return tuple(dict.fromkeys(masked_id(record) for record in made)) or (*events,)
