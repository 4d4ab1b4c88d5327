"""The example of a storage: it meets the contract, and what it stores is JSON."""

import attrs
import pytest
from json_repository import JsonRepository

import course_assignments as ca
from course_assignments.serialization import from_json
from course_assignments.testing import RepositoryAgreement, RepositoryContract, samples
from tests.support.values import refusal


class TestJsonRepository(RepositoryContract):
    def make(self) -> ca.Repository:
        return JsonRepository()


class Agreement(RepositoryAgreement):
    def make(self) -> ca.Repository:
        return JsonRepository()


TestAgreement = pytest.mark.long(Agreement.TestCase)


def filled() -> JsonRepository:
    repository = JsonRepository()
    repository.commit(ca.Change(create=samples.RECORDS, record=samples.EVENTS))
    return repository


def test_everything_is_stored_as_a_string_of_one_record() -> None:
    texts = filled().texts

    assert len(texts) == len(samples.RECORDS) + len(samples.EVENTS)
    kept = [from_json(text) for text in texts.values()]
    assert kept[: len(samples.RECORDS)] == [*samples.RECORDS]


def test_it_continues_with_the_strings_of_another() -> None:
    again = JsonRepository(filled().texts)
    again.commit(ca.Change(record=samples.EVENTS[:1]))

    assert again.get(ca.Course, ["py"]) == {"py": samples.PYTHON}
    assert f"Event/{len(samples.EVENTS) + 1}" in again.texts


def test_a_record_that_is_too_long_leaves_no_trace() -> None:
    repository = filled()
    before = dict(repository.texts)
    notes = [ca.Note(title="t", message="m" * 10_000)] * 110
    long = attrs.evolve(samples.FRESH, id="long", notes=notes)

    error = refusal(
        lambda: repository.commit(ca.Change(create=[samples.attempt("t", long, 1, 1), long]))
    )

    assert error.code == "too_large"
    assert repository.texts == before


def test_of_two_users_with_one_address_the_later_is_named_as_in_memory() -> None:
    users = [ca.User(id=name, name=name, email="one@example.org") for name in ("first", "second")]

    for repository in (JsonRepository(), ca.InMemoryRepository()):
        with pytest.raises(ca.Conflict) as caught:
            repository.commit(ca.Change(create=users))
        assert caught.value.ids == ("second",)
