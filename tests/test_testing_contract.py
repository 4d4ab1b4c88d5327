"""The kit for repositories: the reference repository keeps its contract, careless ones do not."""

from threading import Lock, Thread

from course_assignments import InMemoryRepository, Repository
from course_assignments.changes import Change
from course_assignments.testing import RepositoryContract
from course_assignments.testing.promises.crowds import PATIENCE


class TestInMemory(RepositoryContract):
    def make(self) -> Repository:
        return InMemoryRepository()


class Fails(InMemoryRepository):
    """Raises what a driver does, to the first who uses a key."""

    def __init__(self) -> None:
        super().__init__()
        self._is_first = Lock()

    def commit(self, change: Change, /) -> None:
        if change.use and self._is_first.acquire(blocking=False):
            raise OSError("database is locked")
        super().commit(change)


def test_nobody_waits_for_one_that_failed() -> None:
    """A crowd that meets a fault is told of the fault, and at once."""
    told: list[BaseException] = []

    def run() -> None:
        contract = TestInMemory()
        try:
            contract.test_a_key_is_used_as_often_as_it_may(Fails())
        except BaseException as error:  # noqa: BLE001 - looked at below
            told.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE / 4)
    assert [type(error) for error in told] == [OSError]
