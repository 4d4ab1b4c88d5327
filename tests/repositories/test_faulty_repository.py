"""A faulty repository stores nothing before an error, and everything after one."""

from collections.abc import Callable

import pytest

from course_assignments import (
    AssignmentQuery,
    Change,
    Course,
    CourseAssignment,
    CourseQuery,
    InMemoryRepository,
    OutcomeUnknown,
    Registrar,
    StorageBusy,
    User,
    find_all,
)
from course_assignments.testing import FaultyRepository
from course_assignments.testing.faults import Call

PYTHON = Course(id="py", name="Python", content_provider="us", publishing_group="all")
ADA = User(id="ada", name="Ada", email="ada@example.org")
BUSY = StorageBusy("database is locked")
UNKNOWN = OutcomeUnknown(("py",))

CALLS: dict[Call, Callable[[FaultyRepository], object]] = {
    "get": lambda repository: repository.get(Course, ["py"]),
    "find": lambda repository: repository.find(CourseQuery()),
    "commit": lambda repository: repository.commit(Change(create=[PYTHON])),
}


@pytest.fixture
def repository() -> FaultyRepository:
    return FaultyRepository(InMemoryRepository())


@pytest.mark.parametrize("name", CALLS)
def test_a_call_fails_once(repository: FaultyRepository, name: Call) -> None:
    repository.fail_before(name, BUSY)
    with pytest.raises(StorageBusy):
        CALLS[name](repository)
    CALLS[name](repository)
    assert repository.calls == [name, name]


@pytest.mark.parametrize(("fail", "stored"), [("fail_before", []), ("fail_after", [PYTHON])])
def test_a_commit_is_stored_only_before_an_error(
    repository: FaultyRepository, fail: str, stored: list[Course]
) -> None:
    getattr(repository, fail)("commit", UNKNOWN)
    with pytest.raises(OutcomeUnknown):
        CALLS["commit"](repository)
    assert [*repository.get(Course, ["py"]).values()] == stored
    assert list(repository.find(CourseQuery())) == stored


def test_the_nth_call_from_now_fails(repository: FaultyRepository) -> None:
    CALLS["get"](repository)
    repository.fail_after("get", BUSY, nth=2)
    CALLS["find"](repository)
    CALLS["get"](repository)
    with pytest.raises(StorageBusy):
        CALLS["get"](repository)
    CALLS["get"](repository)


def test_a_retry_under_the_same_id_creates_one_assignment() -> None:
    """An error before or after any call leaves the state before or after the command."""

    def prepared() -> tuple[FaultyRepository, Registrar]:
        repository = FaultyRepository(InMemoryRepository())
        registrar = Registrar(repository)
        registrar.add(PYTHON, ADA)
        return repository, registrar

    whole, registrar = prepared()
    whole.calls.clear()
    registrar.assign("py", "ada", id="a-1")
    assert whole.calls.count("commit") == 1
    for place, name in enumerate(whole.calls):
        for after in (False, True):
            repository, registrar = prepared()
            fail = repository.fail_after if after else repository.fail_before
            fail(name, UNKNOWN, nth=whole.calls[: place + 1].count(name))
            with pytest.raises(OutcomeUnknown):
                registrar.assign("py", "ada", id="a-1")
            made = repository.get(CourseAssignment, ["a-1"])
            assert bool(made) is (after and name == "commit")
            again = registrar.assign("py", "ada", id="a-1")
            assert list(find_all(repository, AssignmentQuery())) == [again]
            assert made in ({}, {"a-1": again})
