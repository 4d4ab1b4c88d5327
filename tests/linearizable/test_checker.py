"""The check accepts histories that have a sequential order, and refuses all others."""

import attrs
import pytest

import course_assignments as ca
from course_assignments import commands
from course_assignments.testing.samples import START
from tests.support.histories import History, Operation, seen
from tests.support.history_commands import CODES, Look, Step
from tests.support.linearizable import BEGIN, Search, State, answer

LOOK = Look(ca.AssignmentQuery())
ASSIGN = commands.Assign("py", "ada", id="x-1")
CANCEL = commands.Cancel("x-1")
#: Cy has no organization, so after it Cy can't redeem.
CLOSE = commands.EditKeys("spring", any_organization=False)
REDEEM = commands.Redeem(CODES[0], "cy", id="x-2")


def played(state: State, step: Step, read: State | None = None) -> tuple[object, State]:
    """Return the answer to *step*, which is decided on what was *read*, and the next state."""
    if isinstance(step, Look):
        return seen(step, state.find(step.query)), state
    return answer(read or state, state, operation(step, 0, 0))


def operation(step: Step, invoked: int, returned: int, result: object = None) -> Operation:
    return Operation(0, step, invoked, returned, returned, START, (), result)


def history(state: State, *operations: Operation) -> History:
    """Return a history with each of *operations* on a thread of its own."""
    threads = [(attrs.evolve(one, thread=number),) for number, one in enumerate(operations)]
    events = [attrs.evolve(one, position=at) for at, one in enumerate(state.events, 1)]
    return History(tuple(threads), state.records, tuple(events))


def accepted(found: History) -> bool:
    return Search(found).order() is not None


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [((0, 1), (2, 3), True), ((0, 3), (1, 2), True), ((2, 3), (0, 1), False)],
    ids=["one after the other", "overlapping", "the other way around"],
)
def test_an_order_must_agree_with_the_time(
    first: tuple[int, int], second: tuple[int, int], *, expected: bool
) -> None:
    """The assignment can only be cancelled after it was made."""
    made, state = played(BEGIN, ASSIGN)
    cancelled, state = played(state, CANCEL)
    operations = operation(ASSIGN, *first, made), operation(CANCEL, *second, cancelled)
    assert accepted(history(state, *operations)) is expected


def test_what_was_read_must_be_what_was_stored() -> None:
    made, state = played(BEGIN, ASSIGN)
    before, after = played(BEGIN, LOOK)[0], played(state, LOOK)[0]
    assign = operation(ASSIGN, 0, 1, made)
    assert accepted(history(state, assign, operation(LOOK, 2, 3, after)))
    assert not accepted(history(state, assign, operation(LOOK, 2, 3, before)))


def test_the_end_must_be_that_of_the_model() -> None:
    made, state = played(BEGIN, ASSIGN)
    assign = operation(ASSIGN, 0, 1, made)
    for other in (
        attrs.evolve(state, records=BEGIN.records),
        attrs.evolve(state, events=()),
        attrs.evolve(state, events=state.events * 2),
    ):
        assert not accepted(history(other, assign))


@pytest.mark.parametrize(("invoked", "expected"), [(0, True), (3, False)])
def test_a_redemption_may_be_stored_after_an_edit_that_it_was_decided_before(
    invoked: int, *, expected: bool
) -> None:
    """The look shows that it was not yet stored when the batch was edited."""
    edited, state = played(BEGIN, CLOSE)
    looked, state = played(state, LOOK)
    redeemed, state = played(state, REDEEM, BEGIN)
    assert isinstance(redeemed, ca.CourseAssignment)
    found = history(
        state,
        operation(CLOSE, 1, 2, edited),
        operation(LOOK, 3, 4, looked),
        operation(REDEEM, invoked, 5, redeemed),
    )
    assert accepted(found) is expected


def test_a_refused_history_is_reported() -> None:
    made, state = played(BEGIN, ASSIGN)
    search = Search(history(state, operation(ASSIGN, 0, 1, made), operation(CANCEL, 2, 3, made)))
    assert search.order() is None
    assert search.report().startswith("the model agrees with 1 operations")
    assert "Cancel" in search.report()
