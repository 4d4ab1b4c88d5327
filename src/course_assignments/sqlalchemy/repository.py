"""The SQL repository: each call reads or writes in one transaction."""

from datetime import datetime, timedelta
from functools import cache, lru_cache, partial

from sqlalchemy import Connection, Engine, MetaData

from course_assignments import validation
from course_assignments.changes import KINDS, Change, R
from course_assignments.errors import invalid, is_a
from course_assignments.queries import Query, RecordT
from course_assignments.repository import Page
from course_assignments.sqlalchemy.column_types import is_storable
from course_assignments.sqlalchemy.dialects import dialect_of
from course_assignments.sqlalchemy.rows import read_all
from course_assignments.sqlalchemy.selects import Selects
from course_assignments.sqlalchemy.tables import Tables, build_tables
from course_assignments.sqlalchemy.transactions import HostTransaction, OwnTransactions
from course_assignments.sqlalchemy.writing import Statements, write
from course_assignments.time.datetimes import as_utc
from course_assignments.validation import Strings

#: How long a call is retried after transient errors.
TIMEOUT = timedelta(seconds=30)


class SqlRepository:
    """A `Repository` in SQLite or PostgreSQL.

    With an ``Engine``, each commit is a transaction of its own at the engine's isolation level, and
    is retried after transient errors. With a ``Connection``, it is a savepoint in the host's
    transaction: it is never retried, and it is lost if the host rolls back. Errors of the database
    are raised as `StorageBusy`, `OutcomeUnknown` or `StorageError`.

    >>> from sqlalchemy import create_engine
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
        """Keep records in *tables*, or in those of ``build_tables(MetaData())``.

        SQLite must be 3.37 or later. A call on an engine waits and retries for up to *timeout*;
        zero is one try. On a connection, the host sets the timeouts.
        """
        if not is_a(bind, Engine, Connection):
            expected = "expected an engine or connection of SQLAlchemy, such as create_engine(url)"
            raise invalid("wrong_type", "bind", expected, bind)
        seconds = validation.check_timeout(timeout)
        if tables is not None:
            validation.check_kind(tables, "tables", Tables)
        self._bind = bind
        self._dialect = dialect_of(bind)
        self._tables = _default_tables() if tables is None else tables
        self._statements, self._selects = _prepared(self._tables, bind.dialect.name)
        self._transactions: OwnTransactions | HostTransaction
        if isinstance(bind, Engine):
            self._transactions = OwnTransactions(bind, seconds)
        else:
            self._transactions = HostTransaction(bind)

    def create_all(self) -> None:
        """Create the missing tables, and set a SQLite file to write-ahead logging."""
        if isinstance(self._bind, Engine):
            self._transactions.read(self._dialect.prepare)

        def make(connection: Connection) -> None:
            self._dialect.lock_schema(connection)
            self._tables.journal.metadata.create_all(connection, tables=[*self._tables])

        self._transactions.write(make)

    def get(self, kind: type[R], ids: Strings, /) -> dict[str, R]:
        """Return the records of *kind* by their ids, without the ids that are not stored."""
        if not any(kind is one for one in KINDS):
            raise invalid("wrong_type", "kind", "expected a class of record, such as User", kind)
        wanted = validation.check_each(ids, "ids", str)
        statement = self._statements.of_kind[kind].read
        possible = {"ids": [*filter(is_storable, dict.fromkeys(wanted))]}
        records = self._transactions.read(partial(read_all, kind, statement, possible))
        found = {record.id: record for record in records}
        return {one: found[one] for one in wanted if one in found}

    def find(self, query: Query[RecordT], /) -> Page[RecordT]:
        """Return the first page of the records that *query* finds, in its order."""
        statement, parameters = self._selects.statement(query)
        found = self._transactions.read(partial(read_all, query.kind, statement, parameters))
        page = tuple(found[: query.limit])
        return Page(page, query.starting_after(page[-1]) if len(found) > query.limit else None)

    def commit(self, change: Change, /) -> None:
        """Store all of *change*, or nothing; nobody knows which after `OutcomeUnknown`."""
        validation.check_kind(change, "change", Change)
        self._transactions.write(
            partial(write, statements=self._statements, change=change), _ids(change)
        )

    def prune_events(self, before: datetime) -> int:
        """Delete the events before the aware datetime *before*, and return how many (rule 23)."""
        parameters = {"before": as_utc(before, "before")}
        return self._transactions.write(
            lambda connection: connection.execute(self._statements.prune, parameters).rowcount
        )


@cache
def _default_tables() -> Tables:
    return build_tables(MetaData())


@lru_cache(maxsize=32)
def _prepared(tables: Tables, dialect: str) -> tuple[Statements, Selects]:
    """Return the statements of a repository; hosts create one for each of their transactions."""
    return Statements.of(tables, dialect), Selects(tables, dialect)


def _ids(change: Change) -> tuple[str, ...]:
    """Return the ids that tell whether *change* was stored."""
    made = change.create or [
        *(step.before for step in change.replace),
        *(step.key for step in change.use),
    ]
    events = (one for event in change.record for one in event.subject_ids)
    return tuple(dict.fromkeys(record.id for record in made)) or (*events,)
