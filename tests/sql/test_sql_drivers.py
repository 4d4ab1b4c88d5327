"""What drivers tell differently: who reads it wrong gives up too early, or tells too much."""

import pytest
from sqlalchemy.exc import DBAPIError

from course_assignments import StorageBusy, StorageError
from course_assignments.sqlalchemy.failures import is_transient, translate

CODE = "SECRET-CODE-77"


def told_by_pg8000(state: str, message: str) -> DBAPIError:
    """Return what SQLAlchemy makes of an error of pg8000: its one argument is all that it tells."""
    told = {"S": "ERROR", "C": state, "M": message, "D": f"Key (code)=({CODE}) already exists."}
    return DBAPIError("INSERT ...", {"code": CODE}, Exception(told))


@pytest.mark.parametrize("state", ["40001", "40P01", "55P03", "53300"])
def test_what_passes_is_tried_again(state: str) -> None:
    """Whoever tells it in whatever form."""
    error = told_by_pg8000(state, "could not serialize access")
    assert is_transient(error)
    assert translate(error) == StorageBusy("could not serialize access")


def test_no_value_of_a_row_is_passed_on() -> None:
    """The details name the key that stood in the way."""
    said = translate(told_by_pg8000("23505", "duplicate key value violates a constraint"))
    assert said == StorageError("constraint", "duplicate key value violates a constraint")
    assert CODE not in repr(said)
