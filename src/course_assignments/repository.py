"""Repositories: a protocol of three methods that any storage can implement.

A repository knows no rules and reads no clock. Each call reads a snapshot. Conditions across
several calls are part of the change, and `commit` checks them.
"""

from collections.abc import Iterator
from typing import Generic, Protocol

from attrs import field

from course_assignments import validation
from course_assignments.changes import Change, R
from course_assignments.errors import invalid, is_a
from course_assignments.frozen import frozen
from course_assignments.queries import Query, RecordT, check_query
from course_assignments.validation import Strings


@frozen
class Page(Generic[RecordT]):
    """Some of the records that a query finds, in its order.

    Attributes:
        records: At most as many as the query's limit.
        next: The query for the records after them, or ``None`` if there are no more.

    >>> list(Page(()))
    []
    """

    records: tuple[RecordT, ...] = field(converter=validation.to_tuple[RecordT])
    next: Query[RecordT] | None = field(
        default=None, validator=validation.one_of(Query, optional=True)
    )

    def __iter__(self) -> Iterator[RecordT]:
        """Iterate over the records of this page."""
        return iter(self.records)

    def __len__(self) -> int:
        """Return the number of records on this page."""
        return len(self.records)


class Repository(Protocol):
    """A storage of records; implement these three methods and every command works.

    Several threads may call them at once. Every error that they raise is a
    `CourseAssignmentsError`.

    >>> repository: Repository = InMemoryRepository()
    >>> repository.get(Course, ["py"])
    {}
    """

    def get(self, kind: type[R], ids: Strings, /) -> dict[str, R]:
        """Return the stored records of *kind* by id; leave out unknown *ids*."""
        ...

    def find(self, query: Query[RecordT], /) -> Page[RecordT]:
        """Return the first page of the records that *query* finds, in its order.

        ``query.kind`` is the class of the records, which may be `Event`.
        ``query.matches(record)`` tells whether a record matches, and ``query.sort_key(record)``
        gives the order. The page starts after ``query.cursor``. If there are more records, ``next``
        of the page is ``query.starting_after(last)``.
        """
        ...

    def commit(self, change: Change, /) -> None:
        """Store all of *change*, or nothing, atomically.

        - ``create``: Conflicts if a record of that kind is stored under the id.
        - ``replace``: Conflicts unless the stored record equals ``before``. A `TrainingKey` is
          compared by its ``terms`` and keeps its stored uses. It conflicts if these uses exceed the
          new maximum.
        - ``amend``: Gives all keys that are in a batch after ``create`` and ``replace`` other
          terms, as ``Amend.of`` says. Conflicts if a key has more uses than the new maximum.
        - ``use``: Adds to the stored uses of a key, after the others. Conflicts unless the key has
          the ``terms`` that were read, or if the uses would leave 0 to ``max_uses``.
        - ``expect``: Conflicts unless the stored record, before this change, equals it.
        - ``record``: Appends the events, each with the next ``position``, starting at 1.

        A created or replaced `User` conflicts if another user has the same ``folded_email`` after
        the change, and a `TrainingKey` if another key has the same ``lookup_code``.
        ``Replace.of`` and ``Use.of`` apply one step to a record.

        Raises:
            Conflict: nothing is stored. The error names one or more of the conflicting ids.
        """
        ...


def check_repository(value: object) -> None:
    """Raise InvalidInput unless *value* has the three methods of a `Repository`."""
    methods = (getattr(value, name, None) for name in ("get", "find", "commit"))
    if is_a(value, type) or not all(callable(method) for method in methods):
        expected = (
            "expected an object with get(), find() and commit(), such as SqlRepository(engine)"
        )
        raise invalid("wrong_type", "repository", expected, value)


def find_all(repository: Repository, query: Query[RecordT]) -> Iterator[RecordT]:
    """Iterate over all records that *query* finds in *repository*, page by page.

    >>> list(find_all(InMemoryRepository(), CourseQuery()))
    []
    """
    check_repository(repository)
    check_query(query)
    return pages(repository, query)


def pages(repository: Repository, query: Query[RecordT]) -> Iterator[RecordT]:
    """Iterate like `find_all`, without checking the arguments."""
    rest: Query[RecordT] | None = query
    while rest is not None:
        page = repository.find(rest)
        yield from page.records
        rest = page.next
