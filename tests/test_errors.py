"""The errors: values that say what to do, in one line, wherever they are carried."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pickle import dumps, loads
from traceback import format_exception
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.errors import name_lines
from course_assignments.reasons import (
    AlreadyCancelled,
    CourseArchived,
    CourseNotAvailable,
    CustomReason,
    ForAssignment,
    LabLaunched,
)
from tests.support.strategies import any_ids
from tests.support.values import assert_copies_are_equal

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)

ERRORS = [
    ca.InvalidInput("blank", "learners[17]", "expected a text of 1 to 200 characters"),
    ca.NotFound("Course", "c-9"),
    ca.NotFound("Course", "c-9", (ca.NotFound("User", "u-9"), ca.NotFound("User", "u-8"))),
    ca.Conflict(("a-1", "b-1")),
    ca.Refused(ca.Decision([LabLaunched(AT), AlreadyCancelled(AT)], AT)),
    ca.Refused(ca.Decision([ForAssignment("py", "ada", CourseArchived("py"))])),
    ca.StorageBusy("database is locked"),
    ca.OutcomeUnknown(("a-1", "r-1")),
    ca.StorageError("disk_full", "database or disk is full"),
]

BUSY = "The storage was busy for too long (database is locked)."
UNKNOWN = "It is unknown whether 'a-1', 'r-1' were stored."

every_error = pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)

strings = st.text(max_size=250)


def errors() -> st.SearchStrategy[ca.CourseAssignmentsError]:
    """Draw an error of any of the seven kinds, made of any text; ids are what may be an id."""
    kinds = st.sampled_from(["Course", "User"])
    ids = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)
    not_found = st.builds(ca.NotFound, kinds, strings)
    return st.one_of(
        st.builds(ca.InvalidInput, strings, strings, strings),
        st.builds(ca.NotFound, kinds, strings, st.lists(not_found, max_size=2).map(tuple)),
        st.builds(ca.Conflict, st.lists(ids, max_size=3).map(tuple)),
        st.builds(
            ca.Refused, st.builds(ca.Decision, st.lists(st.builds(CourseArchived, any_ids())))
        ),
        st.builds(ca.StorageBusy, strings),
        st.builds(ca.OutcomeUnknown, st.lists(ids, max_size=3).map(tuple)),
        st.builds(ca.StorageError, strings, strings),
    )


def test_each_kind_is_caught_by_the_one_base_and_by_what_python_calls_it() -> None:
    others = [ca.Conflict, ca.Refused, ca.StorageBusy, ca.OutcomeUnknown, ca.StorageError]
    kinds = {
        ca.InvalidInput: ValueError,
        ca.NotFound: LookupError,
        **dict.fromkeys(others, Exception),
    }
    assert {*ca.CourseAssignmentsError.__subclasses__()} == {*kinds}
    assert all(issubclass(kind, also) for kind, also in kinds.items())


class TestValues:
    """Frozen attrs values, positional fields, equal by value."""

    @given(errors(), errors())
    def test_are_equal_exactly_when_their_kind_and_their_fields_are(
        self, one: Any, other: Any
    ) -> None:
        same = type(one) is type(other) and attrs.astuple(one) == attrs.astuple(other)
        assert (one == other) is same
        assert (one != other) is not same
        if same:
            assert hash(one) == hash(other)
        assert_copies_are_equal(one)


class TestRaising:
    @every_error
    def test_keeps_where_it_came_from(self, error: Any) -> None:
        @contextmanager
        def translating() -> Iterator[None]:
            try:
                yield
            except KeyError as cause:
                raise fresh from cause

        fresh = attrs.evolve(error)
        with pytest.raises(type(error)) as caught, translating():
            dict[str, str]()["missing"]
        assert caught.value is fresh
        assert isinstance(fresh.__cause__, KeyError)
        assert fresh.__traceback__ is not None
        assert fresh == error

    @every_error
    def test_takes_notes_that_a_traceback_shows(self, error: Any) -> None:
        fresh = attrs.evolve(error)
        fresh.add_note("in row 7")
        fresh.add_note("of roster.csv")
        assert fresh.__notes__ == ["in row 7", "of roster.csv"]
        assert "".join(format_exception(fresh)).endswith("\nin row 7\nof roster.csv\n")
        assert fresh == error
        assert not hasattr(error, "__notes__")
        with pytest.raises(TypeError):
            fresh.add_note(7)


class TestMessages:
    @given(strings, strings)
    def test_of_invalid_input_are_one_line_of_at_most_200_characters(
        self, field: str, hint: str
    ) -> None:
        message = str(ca.InvalidInput("code", field, hint))
        whole = f"{field}: {hint}"
        assert message.isprintable()
        assert len(message) == min(len(whole), 200)
        assert message.endswith("…") or len(whole) <= 200
        if whole.isprintable() and len(whole) <= 200:
            assert message == whole

    @pytest.mark.parametrize(("length", "shown"), [(199, 199), (200, 200), (201, 200), (999, 200)])
    def test_of_invalid_input_are_cut_where_they_are_too_long(
        self, length: int, shown: int
    ) -> None:
        message = str(ca.InvalidInput("code", "f", "x" * (length - 3)))
        assert len(message) == shown
        assert message.endswith("…") == (length > 200)

    @given(errors())
    @example(ca.Conflict(("a\u2028b",)))
    @example(ca.NotFound("Course", "a\nb"))
    def test_of_any_kind_are_one_line(self, error: ca.CourseAssignmentsError) -> None:
        assert len(str(error).splitlines()) <= 1

    @pytest.mark.parametrize(
        ("error", "message"),
        [
            (ERRORS[0], "learners[17]: expected a text of 1 to 200 characters"),
            (ERRORS[1], "Not found: course 'c-9'."),
            (ERRORS[2], "Not found: course 'c-9', users 'u-9', 'u-8'."),
            (
                ca.NotFound(
                    "KeyBatch", "b", (ca.NotFound("TrainingKey", "k"), ca.NotFound("KeyBatch", "c"))
                ),
                "Not found: key batches 'b', 'c', training key 'k'.",
            ),
            (ERRORS[3], "'a-1', 'b-1' were changed by someone else; try again."),
            (ca.Conflict(("a-1",)), "'a-1' was changed by someone else; try again."),
            (ca.Conflict(()), "A record was changed by someone else; try again."),
            (
                ca.Conflict(("bo",), "id_taken"),
                (
                    "A different record or call has the id 'bo'; use another id. "
                    "To retry, pass the same arguments."
                ),
            ),
            (
                ca.Conflict(("bo", "py"), "id_taken"),
                (
                    "A different record or call has the ids 'bo', 'py'; use other ids. "
                    "To retry, pass the same arguments."
                ),
            ),
            (
                ca.Conflict(("bo",), "id_taken", "User"),
                (
                    "A different user with id 'bo' exists; "
                    "change it with update(), or use another id."
                ),
            ),
            (
                ca.Conflict(("bo", "cy"), "id_taken", "User"),
                (
                    "Different users with ids 'bo', 'cy' exist; "
                    "change them with update(), or use other ids."
                ),
            ),
            (
                ca.Conflict(("b-1",), "id_taken", "KeyBatch"),
                "A different key batch with id 'b-1' exists; use another id.",
            ),
            (
                ca.Conflict(("b-1", "b-2"), "id_taken", "KeyBatch"),
                "Different key batches with ids 'b-1', 'b-2' exist; use other ids.",
            ),
            (ERRORS[4], f"{LabLaunched(AT)} {AlreadyCancelled(AT)}"),
            (
                ERRORS[5],
                "Learner 'ada', course 'py': Course 'py' is archived. Choose another course.",
            ),
            (ERRORS[6], f"{BUSY} Nothing was stored; try again later."),
            (ERRORS[7], f"{UNKNOWN} Call again with the same ids, or look them up."),
            (
                ca.OutcomeUnknown(("a-1",)),
                (
                    "It is unknown whether 'a-1' was stored. "
                    "Call again with the same id, or look it up."
                ),
            ),
            (ERRORS[8], "The storage failed and nothing was stored: database or disk is full"),
        ],
    )
    def test_say_what_happened(self, error: ca.CourseAssignmentsError, message: str) -> None:
        assert str(error) == message


class TestEverythingMissing:
    def test_nothing_missing_raises_nothing(self) -> None:
        ca.NotFound.raise_any(iter(()))

    @given(
        st.lists(st.tuples(st.sampled_from(["Course", "User"]), any_ids()), min_size=1, max_size=4)
    )
    def test_all_of_it_is_named_in_order(self, missing: list[tuple[str, str]]) -> None:
        with pytest.raises(ca.NotFound) as caught:
            ca.NotFound.raise_any(iter(missing))
        found = caught.value
        assert [(one.kind, one.id) for one in (found, *found.also)] == missing
        assert all(one.also == () for one in found.also)
        assert all(repr(id_) in str(found) for _, id_ in missing if len(id_) < 8)


@pytest.mark.parametrize(
    ("numbers", "named"),
    [
        ([3], "line 3"),
        ([3, 7], "lines 3, 7"),
        (range(1, 9), "lines 1, 2, 3, 4, 5, 6, 7, 8"),
        (range(1, 10), "lines 1, 2, 3, 4, 5, 6, 7, 8 and 1 more"),
        (range(1, 100_001), "lines 1, 2, 3, 4, 5, 6, 7, 8 and 99992 more"),
    ],
)
def test_lines_are_named_the_first_eight_of_them(numbers: Sequence[int], named: str) -> None:
    assert name_lines(numbers) == named


def test_of_many_ids_the_first_few_are_named() -> None:
    ids = tuple(f"a-{number}" for number in range(10_000))
    shown = "'a-0', 'a-1', 'a-2', 'a-3', 'a-4', 'a-5', 'a-6', 'a-7'"
    assert str(ca.Conflict(ids[:8])) == f"{shown} were changed by someone else; try again."
    assert f"{shown} and 9992 more" in str(ca.Conflict(ids))
    assert f"{shown} and 9992 more" in str(ca.OutcomeUnknown(ids))
    missing = ca.NotFound("User", "u", tuple(ca.NotFound("Course", id_) for id_ in ids))
    assert str(missing) == f"Not found: user 'u', courses {shown} and 9992 more."


class TestMasks:
    """Someone may pass the code of a key in place of an id, so messages mask long ids."""

    @given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=8))
    @example("Welcome2026")
    @example("0000 0000 0000 0001 2")
    def test_show_at_most_four_symbols_and_a_quarter_of_an_id(self, id_: str) -> None:
        shown = min(4, len(id_) // 4)
        masked = repr(f"****-{id_[len(id_) - shown :]}")
        for error in (
            ca.NotFound("User", id_),
            ca.NotFound("User", "u", (ca.NotFound("Course", id_),)),
            ca.Conflict(("a", id_)),
            ca.Conflict((id_,), "id_taken"),
            ca.OutcomeUnknown((id_,)),
        ):
            assert masked in str(error)
            assert masked in repr(error)
            assert repr(id_) not in str(error) + repr(error)
        assert ca.NotFound("User", id_).id == id_

    @pytest.mark.parametrize("id_", ["a", "ada", "Spring1"])
    def test_show_an_id_that_is_too_short_for_a_code(self, id_: str) -> None:
        for error in (ca.NotFound("User", id_), ca.Conflict((id_,)), ca.OutcomeUnknown((id_,))):
            assert repr(id_) in str(error)
            assert repr(id_) in repr(error)


class TestBounds:
    """A message and a repr have a bounded length, however much an error carries."""

    LONG = "x" * 200
    MANY = tuple(map("{:0200}".format, range(5_000)))
    SENTENCE = CustomReason("x-long", "y" * 500)
    ERRORS = (
        ca.InvalidInput("c", "f" * 10_000, "h" * 10_000),
        ca.InvalidInput("c", "f", "h", tuple(map(partial(ca.InvalidInput, "c", "f"), MANY))),
        ca.NotFound("Course", "c", tuple(map(partial(ca.NotFound, "User"), MANY))),
        ca.NotFound("Course", "c", tuple(map(ca.NotFound, MANY, MANY))),
        ca.Conflict(MANY),
        ca.Conflict(MANY, "id_taken", "User"),
        ca.Conflict(MANY, "id_taken", LONG * 100),
        ca.OutcomeUnknown(MANY),
        ca.StorageBusy(LONG * 100),
        ca.StorageError("failed", LONG * 100),
        ca.Refused(ca.Decision(map(CourseArchived, MANY))),
        ca.Refused(ca.Decision([SENTENCE] * 5_000)),
    )

    @pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
    def test_hold_for_every_error(self, error: ca.CourseAssignmentsError) -> None:
        for text in (str(error), repr(error)):
            assert len(text) <= 10_000
            assert text.isprintable()
        assert loads(dumps(error)) == error  # noqa: S301

    def test_of_a_decision_show_eight_reasons_and_count_the_others(self) -> None:
        archived = [CourseArchived(f"c-{number}") for number in range(5_000)]
        shown = " ".join(map(str, archived[:8]))
        assert str(ca.Decision(archived[:8])) == shown
        assert str(ca.Decision(archived[:9])) == f"{shown} There is 1 more."
        assert str(ca.Refused(ca.Decision(archived))) == f"{shown} There are 4992 more."
        assert repr(ca.Decision(archived[:8])).count("CourseArchived") == 8
        assert repr(ca.Decision(archived)).endswith("'c-7'), and 4992 more), changes_at=None)")

    def test_of_one_sentence_hold_too(self) -> None:
        long = ForAssignment("c" * 200, "l" * 200, CourseNotAvailable("c", ("x" * 2_000,)))
        assert len(str(long)) > 2_000
        assert len(str(ca.Decision([long]))) == 1_000


class TestOtherFields:
    """One error has every invalid field of a record."""

    FIRST, SECOND = ca.InvalidInput("blank", "id", "give one"), ca.InvalidInput("long", "name", "h")
    BOTH = ca.InvalidInput.of([FIRST, SECOND])

    def test_are_listed_after_the_first(self) -> None:
        assert ca.InvalidInput("blank", "id", "give one", (self.SECOND,)) == self.BOTH
        assert self.BOTH.errors == (self.FIRST, self.SECOND)
        assert self.FIRST.errors == (self.FIRST,) == ca.InvalidInput.of([self.FIRST]).errors

    def test_are_counted_in_the_message(self) -> None:
        assert str(self.BOTH) == "id: give one (and 1 more)"
        three = ca.InvalidInput.of([self.FIRST, self.SECOND, self.SECOND])
        assert str(three) == "id: give one (and 2 more)"
        long = ca.InvalidInput.of([ca.InvalidInput("c", "f", "x" * 300), self.SECOND])
        assert str(long).endswith("x… (and 1 more)")
        assert len(str(long)) == 200


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ca.NotFound(ca.Course, "x"), "kind: expected a string, got the class Course"),  # type: ignore[arg-type]
        (lambda: ca.NotFound("Course", 7), "id: expected a string, got int 7"),  # type: ignore[arg-type]
        (lambda: ca.Refused("no"), "decision: expected Decision, got str 'no'"),  # type: ignore[arg-type]
        (lambda: ca.Conflict("a"), "ids: expected a tuple of str, got str 'a'"),  # type: ignore[arg-type]
        (lambda: ca.Conflict([7]), "ids: expected a tuple of str, got int 7"),
        (lambda: ca.InvalidInput("c", "f", None), "hint: expected a string, got None"),  # type: ignore[arg-type]
        (
            lambda: ca.InvalidInput("c", "f", "h", (7,)),
            "also: expected a tuple of InvalidInput, got int 7",
        ),
    ],
)
def test_an_error_of_wrong_values_is_an_invalid_input(make: Any, message: str) -> None:
    with pytest.raises(ca.InvalidInput) as caught:
        make()
    assert str(caught.value) == message


def test_an_unknown_outcome_of_nothing_with_an_id_is_a_sentence_too() -> None:
    """As of making the tables, or of dropping events."""
    assert str(ca.OutcomeUnknown(())).startswith("It is unknown whether the change was stored. ")


@pytest.mark.parametrize("code", ["busy", "", None, 1, ["changed"]])
def test_a_conflict_has_one_of_two_codes(code: Any) -> None:
    with pytest.raises(ca.InvalidInput) as caught:
        ca.Conflict(("a-1",), code)
    assert caught.value.field == "code"
    assert (
        ca.Conflict(("a-1",))
        == ca.Conflict(("a-1",), "changed")
        != ca.Conflict(("a-1",), "id_taken")
    )


def test_a_list_of_ids_becomes_a_tuple() -> None:
    ids: Any = ["a-1", "a-2"]
    assert ca.Conflict(ids) == ca.Conflict(("a-1", "a-2")) == loads(dumps(ca.Conflict(ids)))  # noqa: S301
    also: Any = [ca.NotFound("User", "u-9")]
    assert ca.NotFound("User", "u-8", also) == ca.NotFound("User", "u-8", (*also,))
