"""Where records are kept, as three methods; any storage that keeps these promises will do.

A repository knows no rules and reads no clock. Reading is a snapshot of one call; what has to hold
across calls is said in the change and checked when it is committed.
"""

from collections.abc import Iterable, Iterator
from typing import Generic, Protocol

import attrs
from attrs import field, validators

from course_assignments import validation
from course_assignments.changes import Change, R
from course_assignments.errors import InvalidInput
from course_assignments.queries import F, Query


@attrs.frozen
class Page(Generic[F]):
    """Some of what a query finds, in its order.

    Attributes:
        records: At most as many as the query's limit.
        next: The query for what comes behind them, or ``None`` if that is all.

    Example:
        >>> list(Page(()))
        []
    """

    records: tuple[F, ...] = field(
        converter=validation.tidy_tuple, validator=validation.each_of(tuple, object)
    )
    next: Query[F] | None = field(
        default=None, validator=validators.optional(validation.one_of(Query))
    )

    def __iter__(self) -> Iterator[F]:
        """Go through the records of this page."""
        return iter(self.records)

    def __len__(self) -> int:
        """Return how many records this page has."""
        return len(self.records)


class Repository(Protocol):
    """Where records are kept; implement these three and every command works.

    They may be called from several threads at once. Every error that leaves them is a
    `CourseAssignmentsError`.

    Example:
        >>> from course_assignments.entities.catalog import Course
        >>> from course_assignments.memory import InMemoryRepository
        >>> repository: Repository = InMemoryRepository()
        >>> repository.get(Course, ["py"])
        {}
    """

    def get(self, kind: type[R], ids: Iterable[str], /) -> dict[str, R]:
        """Return the records of *kind* under *ids*, leaving out the ids nothing is stored under.

        A `TrainingKey` is stored under its code, as ``codes.fold`` gives it.
        """
        ...

    def find(self, query: Query[F], /) -> Page[F]:
        """Return the first page of what *query* asks for, in the order it states.

        ``query.kind`` is the class of what is looked for, `Event` among them;
        ``query.matches(record)`` tells what fits, ``query.place(record)`` where it stands, and the
        page begins behind ``query.start``. Its ``next`` is ``query.behind(last)`` if there is more.
        """
        ...

    def commit(self, change: Change, /) -> None:
        """Store all of *change*, or nothing; no other commit comes between.

        - ``create``: lost if something of that kind is stored under the id.
        - ``replace``: lost if the stored record is not equal to ``before``. On a `TrainingKey` the
          uses are left out: its ``terms`` are compared, the stored uses stay as they are, and it
          is lost if they are more than the new maximum.
        - ``use``: adds to the stored uses of a key; lost if its ``terms`` are not those that were
          read, or if the uses would leave 0 to ``max_uses``. It comes after ``replace``.
        - ``expect``: lost if the stored record, before this change, is not equal to it.
        - ``record``: appends the events, each with the next ``position``, from 1 on.

        A created or replaced `User` is lost too if another user has the same ``folded_email`` once
        all of it is stored. ``Replace.of`` and ``Use.of`` say what a step makes of a record.

        Raises:
            Conflict: something was lost, and so nothing is stored; it names one or more of the ids
                that were, those of keys masked.
        """
        ...


def check_repository(value: object) -> None:
    """Do nothing if *value* has the three methods of a `Repository`.

    Example:
        >>> from course_assignments.memory import InMemoryRepository
        >>> check_repository(InMemoryRepository())
    """
    methods = (getattr(value, name, None) for name in ("get", "find", "commit"))
    if isinstance(value, type) or not all(callable(method) for method in methods):
        raise InvalidInput(
            "wrong_type",
            "repository",
            "expected get(), find() and commit(), as registrar.repository has",
        )


def find_all(repository: Repository, query: Query[F]) -> Iterator[F]:
    """Go through all that *query* finds in *repository*, page after page.

    Example:
        >>> from course_assignments.memory import InMemoryRepository
        >>> from course_assignments.queries import CourseQuery
        >>> list(find_all(InMemoryRepository(), CourseQuery()))
        []
    """
    check_repository(repository)
    validation.check_kind(query, "query", Query)
    rest: Query[F] | None = query
    while rest is not None:
        page = repository.find(rest)
        yield from page
        rest = page.next
