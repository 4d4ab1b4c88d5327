"""A repository that fails when it is told to, to see what becomes of the application above it."""

from collections import Counter
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Literal, TypeAlias, TypeVar

from course_assignments.changes import Change, R
from course_assignments.queries import F, Query
from course_assignments.repository import Page, Repository

T = TypeVar("T")

#: What a repository can be asked to do.
Call: TypeAlias = Literal["get", "find", "commit"]


class FaultyRepository:
    """Stands before another repository, and raises what it is told to, before a call or after it.

    A fault before a commit leaves everything as it was, as `StorageBusy` says; one after it comes
    when all is stored, as `OutcomeUnknown` leaves it open. Each fault strikes once.

    Attributes:
        calls: The names of all calls so far, in order.

    Example:
        >>> from course_assignments import Course, InMemoryRepository, Registrar, StorageBusy
        >>> repository = FaultyRepository(InMemoryRepository())
        >>> registrar = Registrar(repository)
        >>> repository.fail_before("commit", StorageBusy("database is locked"))
        >>> registrar.add(Course(id="py", name="Python"))
        Traceback (most recent call last):
        course_assignments.errors.StorageBusy: the storage was busy for too long ...
        >>> registrar.add(Course(id="py", name="Python"))
        >>> repository.calls[-2:]
        ['get', 'commit']
    """

    def __init__(self, repository: Repository) -> None:
        """Pass everything on to *repository*."""
        self._repository = repository
        self._lock = Lock()
        self._before: dict[tuple[Call, int], Exception] = {}
        self._after: dict[tuple[Call, int], Exception] = {}
        self._counts: Counter[Call] = Counter()
        self.calls: list[Call] = []

    def fail_before(self, call: Call, error: Exception, *, nth: int = 1) -> None:
        """Raise *error* instead of the *nth* of these calls from now on."""
        self._before[call, self._counts[call] + nth] = error

    def fail_after(self, call: Call, error: Exception, *, nth: int = 1) -> None:
        """Raise *error* when the *nth* of these calls from now on is done."""
        self._after[call, self._counts[call] + nth] = error

    def get(self, kind: type[R], ids: Iterable[str], /) -> dict[str, R]:
        """Return the records of *kind* under *ids*, or fail."""
        return self._passed_on("get", lambda: self._repository.get(kind, ids))

    def find(self, query: Query[F], /) -> Page[F]:
        """Return the first page of what *query* asks for, or fail."""
        return self._passed_on("find", lambda: self._repository.find(query))

    def commit(self, change: Change, /) -> None:
        """Store all of *change*, or fail before or after it."""
        self._passed_on("commit", lambda: self._repository.commit(change))

    def _passed_on(self, call: Call, do: Callable[[], T]) -> T:
        with self._lock:
            self.calls.append(call)
            self._counts[call] += 1
            this = call, self._counts[call]
            before, after = self._before.pop(this, None), self._after.pop(this, None)
        if before is not None:
            raise before
        result = do()
        if after is not None:
            raise after
        return result
