"""A repository that fails when it is told to: before a call nothing is done, after it all is."""

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


def faulty() -> FaultyRepository:
    return FaultyRepository(InMemoryRepository())


def call(repository: FaultyRepository, name: Call) -> None:
    match name:
        case "get":
            repository.get(Course, ["py"])
        case "find":
            repository.find(CourseQuery())
        case "commit":
            repository.commit(Change(create=[PYTHON]))


@pytest.mark.parametrize("name", ["get", "find", "commit"])
def test_a_call_fails_once(name: Call) -> None:
    repository = faulty()
    repository.fail_before(name, BUSY)
    with pytest.raises(StorageBusy):
        call(repository, name)
    call(repository, name)
    assert repository.calls == [name, name]


def test_a_fault_before_a_commit_leaves_all_as_it_was() -> None:
    repository = faulty()
    repository.fail_before("commit", BUSY)
    with pytest.raises(StorageBusy):
        call(repository, "commit")
    assert repository.get(Course, ["py"]) == {}
    assert not repository.find(CourseQuery()).records


def test_a_fault_after_a_commit_comes_when_all_is_stored() -> None:
    repository = faulty()
    repository.fail_after("commit", UNKNOWN)
    with pytest.raises(OutcomeUnknown):
        call(repository, "commit")
    assert repository.get(Course, ["py"]) == {"py": PYTHON}
    assert list(repository.find(CourseQuery())) == [PYTHON]


def test_the_nth_call_from_now_on_fails() -> None:
    repository = faulty()
    call(repository, "get")
    repository.fail_after("get", BUSY, nth=2)
    call(repository, "find")
    call(repository, "get")
    with pytest.raises(StorageBusy):
        call(repository, "get")
    call(repository, "get")


def test_a_retry_under_the_same_id_makes_one_assignment() -> None:
    """At every call, before it and after it, the state is the one before or the one after."""
    whole = faulty()
    registrar = Registrar(whole)
    registrar.add(PYTHON, ADA)
    whole.calls.clear()
    registrar.assign("py", "ada", id="a-1")
    names = list(whole.calls)
    assert names.count("commit") == 1
    for place, name in enumerate(names):
        for after in (False, True):
            repository = faulty()
            registrar = Registrar(repository)
            registrar.add(PYTHON, ADA)
            fail = repository.fail_after if after else repository.fail_before
            fail(name, UNKNOWN, nth=names[: place + 1].count(name))
            with pytest.raises(OutcomeUnknown):
                registrar.assign("py", "ada", id="a-1")
            made = repository.get(CourseAssignment, ["a-1"])
            assert bool(made) is (after and name == "commit")
            again = registrar.assign("py", "ada", id="a-1")
            assert list(find_all(repository, AssignmentQuery())) == [again]
            assert made in ({}, {"a-1": again})
