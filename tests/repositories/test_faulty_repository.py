"""A faulty repository stores nothing before an error, and everything after one."""

from collections.abc import Callable

import pytest

import course_assignments as ca
from course_assignments.testing import FaultyRepository
from course_assignments.testing.faults import Call

PYTHON = ca.Course(id="py", name="Python", content_provider="us", publishing_group="all")
ADA = ca.User(id="ada", name="Ada", email="ada@example.org")
BUSY = ca.StorageBusy("database is locked")
UNKNOWN = ca.OutcomeUnknown(("py",))

CALLS: dict[Call, Callable[[FaultyRepository], object]] = {
    "get": lambda repository: repository.get(ca.Course, ["py"]),
    "find": lambda repository: repository.find(ca.CourseQuery()),
    "commit": lambda repository: repository.commit(ca.Change(create=[PYTHON])),
}


@pytest.fixture
def repository() -> FaultyRepository:
    return FaultyRepository(ca.InMemoryRepository())


@pytest.mark.parametrize("name", CALLS)
def test_a_call_fails_once(repository: FaultyRepository, name: Call) -> None:
    repository.fail_before(name, BUSY)
    with pytest.raises(ca.StorageBusy):
        CALLS[name](repository)
    CALLS[name](repository)
    assert repository.calls == [name, name]


@pytest.mark.parametrize(("fail", "stored"), [("fail_before", []), ("fail_after", [PYTHON])])
def test_a_commit_is_stored_only_before_an_error(
    repository: FaultyRepository, fail: str, stored: list[ca.Course]
) -> None:
    getattr(repository, fail)("commit", UNKNOWN)
    with pytest.raises(ca.OutcomeUnknown):
        CALLS["commit"](repository)
    assert [*repository.get(ca.Course, ["py"]).values()] == stored
    assert list(repository.find(ca.CourseQuery())) == stored


def test_the_nth_call_from_now_fails(repository: FaultyRepository) -> None:
    CALLS["get"](repository)
    repository.fail_after("get", BUSY, nth=2)
    CALLS["find"](repository)
    CALLS["get"](repository)
    with pytest.raises(ca.StorageBusy):
        CALLS["get"](repository)
    CALLS["get"](repository)


def test_a_retry_under_the_same_id_creates_one_assignment() -> None:
    """An error before or after any call leaves the state before or after the command."""

    def prepared() -> tuple[FaultyRepository, ca.Registrar]:
        repository = FaultyRepository(ca.InMemoryRepository())
        registrar = ca.Registrar(repository)
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
            with pytest.raises(ca.OutcomeUnknown):
                registrar.assign("py", "ada", id="a-1")
            made = repository.get(ca.CourseAssignment, ["a-1"])
            assert bool(made) is (after and name == "commit")
            again = registrar.assign("py", "ada", id="a-1")
            assert list(ca.find_all(repository, ca.AssignmentQuery())) == [again]
            assert made in ({}, {"a-1": again})
