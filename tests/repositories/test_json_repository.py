"""The worked example of a back end: it keeps the contract, and what it keeps is JSON."""

from collections.abc import Callable
from threading import Lock, Thread
from typing import Any

import attrs
import pytest
from json_repository import JsonRepository

from course_assignments import (
    Change,
    Conflict,
    Course,
    InMemoryRepository,
    Note,
    Repository,
    TrainingKey,
    Use,
    User,
)
from course_assignments.serialization import from_json
from course_assignments.testing import RepositoryAgreement, RepositoryContract, samples
from tests.support.values import refusal


class TestJsonRepository(RepositoryContract):
    def make(self) -> Repository:
        return JsonRepository()


class Agreement(RepositoryAgreement):
    def make(self) -> Repository:
        return JsonRepository()


TestAgreement = pytest.mark.long(Agreement.TestCase)


def filled() -> JsonRepository:
    repository = JsonRepository()
    repository.commit(Change(create=samples.RECORDS, record=samples.EVENTS))
    return repository


def test_everything_it_keeps_is_a_text_of_one_record() -> None:
    texts = filled().texts

    assert len(texts) == len(samples.RECORDS) + len(samples.EVENTS)
    kept = [from_json(text) for text in texts.values()]
    assert kept[: len(samples.RECORDS)] == [*samples.RECORDS]


def test_it_goes_on_with_the_texts_of_another() -> None:
    again = JsonRepository(filled().texts)
    again.commit(Change(record=samples.EVENTS[:1]))

    assert again.get(Course, ["py"]) == {"py": samples.PYTHON}
    assert f"Event/{len(samples.EVENTS) + 1}" in again.texts


def test_what_is_too_long_for_a_text_leaves_no_trace() -> None:
    repository = filled()
    before = dict(repository.texts)
    notes = [Note(title="t", message="m" * 10_000)] * 110
    long = attrs.evolve(samples.FRESH, id="long", notes=notes)

    error = refusal(
        lambda: repository.commit(Change(create=[samples.attempt("t", long, 1, 1), long]))
    )

    assert error.code == "too_large"
    assert repository.texts == before


def test_of_two_with_one_address_the_later_is_named_as_in_memory() -> None:
    users = [User(id=name, name=name, email="one@example.org") for name in ("first", "second")]

    for repository in (JsonRepository(), InMemoryRepository()):
        with pytest.raises(Conflict) as caught:
            repository.commit(Change(create=users))
        assert caught.value.ids == ("second",)


class Watched:
    """A lock, or none at all, that tells when someone comes to it."""

    def __init__(self, *, locks: bool) -> None:
        self.locks = locks
        self.on_entry: Callable[[], object] = int
        self._lock = Lock()

    def __enter__(self) -> None:
        self.on_entry()
        if self.locks:
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        if self.locks:
            self._lock.release()


class Meeting(dict[str, str]):
    """Texts that are written only once somebody else has come as far as the lock lets them."""

    def __init__(self, texts: dict[str, str]) -> None:
        super().__init__(texts)
        self.before_writing: Callable[[], object] = int

    def update(self, *texts: Any) -> None:  # type: ignore[override]
        meet, self.before_writing = self.before_writing, int
        meet()
        super().update(*texts)


def redeemed_by_two_at_once(lock: Watched) -> list[bool]:
    """Let a second one come while the first, having decided, is about to write the last use."""
    key = TrainingKey(id="k-1", code="Spring-2026", batch_id="spring")
    texts = Meeting({})
    repository = JsonRepository(texts)
    repository.commit(Change(create=[key]))
    vars(repository)["_lock"] = lock
    done: list[bool] = []

    def use() -> None:
        try:
            repository.commit(Change(use=[Use(key, 1)]))
        except Conflict:
            done.append(False)
        else:
            done.append(True)

    second, arrived = Thread(target=use, daemon=True), Lock()
    arrived.acquire()

    def meet() -> None:
        lock.on_entry = arrived.release
        second.start()
        arrived.acquire()
        if not lock.locks:
            second.join()

    texts.before_writing = meet
    use()
    second.join()
    return done


@pytest.mark.parametrize(("locks", "both"), [(True, [True, False]), (False, [True, True])])
def test_the_lock_is_what_keeps_two_from_taking_the_last_use(locks: bool, both: list[bool]) -> None:  # noqa: FBT001
    assert redeemed_by_two_at_once(Watched(locks=locks)) == both
