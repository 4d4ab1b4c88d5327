"""A repository that fails on demand, to test the handling of storage errors."""

from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import Literal, TypeAlias, TypeVar

from course_assignments.changes import Change, R
from course_assignments.queries import Query, RecordT
from course_assignments.repository import Page, Repository
from course_assignments.validation import Strings

T = TypeVar("T")

#: The methods of a repository.
Call: TypeAlias = Literal["get", "find", "commit"]


class FaultyRepository:
    """Wrap a repository and raise errors that you choose, before or after a call.

    After an error before a commit nothing is stored, as for `StorageBusy`. After an error after a
    commit everything is stored, which is possible for `OutcomeUnknown`. Each error is raised once.

    Attributes:
        calls: The names of all calls so far, in order.

    >>> repository = FaultyRepository(InMemoryRepository())
    >>> registrar = Registrar(repository)
    >>> repository.fail_before("commit", StorageBusy("database is locked"))
    >>> registrar.add(Course(id="py", name="Python"))
    Traceback (most recent call last):
    course_assignments.errors.StorageBusy: The storage was busy for too long ...
    >>> registrar.add(Course(id="py", name="Python"))
    >>> repository.calls[-2:]
    ['get', 'commit']
    """

    def __init__(self, repository: Repository) -> None:
        """Forward all calls to *repository*."""
        self._repository = repository
        self._lock = Lock()
        self._before: dict[tuple[Call, int], Exception] = {}
        self._after: dict[tuple[Call, int], Exception] = {}
        self._counts: Counter[Call] = Counter()
        self.calls: list[Call] = []

    def fail_before(self, call: Call, error: Exception, *, nth: int = 1) -> None:
        """Raise *error* instead of executing the *nth* of these calls from now."""
        self._before[call, self._counts[call] + nth] = error

    def fail_after(self, call: Call, error: Exception, *, nth: int = 1) -> None:
        """Raise *error* after the *nth* of these calls from now."""
        self._after[call, self._counts[call] + nth] = error

    def get(self, kind: type[R], ids: Strings, /) -> dict[str, R]:
        """Return the records of *kind* under *ids*, or fail."""
        return self._passed_on("get", lambda: self._repository.get(kind, ids))

    def find(self, query: Query[RecordT], /) -> Page[RecordT]:
        """Return the first page of the records that *query* finds, or fail."""
        return self._passed_on("find", lambda: self._repository.find(query))

    def commit(self, change: Change, /) -> None:
        """Store all of *change*, or fail before or after that."""
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
