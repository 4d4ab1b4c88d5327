"""Decisions: yes or every reason why not, when that changes, and many of them as one."""

from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course_assignments import CustomReason, Decision, ForAssignment, InvalidInput, Reason, Refused
from course_assignments.decisions import MAX_TURNS, all_of
from course_assignments.reasons import CourseArchived, KeyNotFound
from tests.support.values import assert_is_value, refusal

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ARCHIVED = CourseArchived("py")
UNPAID = CustomReason("x-unpaid", "The invoice of May is open.")

Question = Callable[[datetime], Decision]


class TestOneDecision:
    @pytest.mark.parametrize("changes_at", [None, START])
    def test_allows_without_reasons(self, changes_at: datetime | None) -> None:
        decision = Decision(changes_at=changes_at)
        assert decision.allowed is bool(decision) is True
        assert decision.reasons == ()
        assert str(decision) == "Yes."
        decision.require()

    @pytest.mark.parametrize("changes_at", [None, START])
    def test_refuses_with_all_its_reasons_in_their_order(self, changes_at: datetime | None) -> None:
        decision = Decision([UNPAID, ARCHIVED], changes_at)
        assert decision.allowed is bool(decision) is False
        assert decision.reasons == (UNPAID, ARCHIVED)
        assert str(decision) == f"{UNPAID} {ARCHIVED}"
        with pytest.raises(Refused) as caught:
            decision.require()
        assert caught.value.decision is decision
        assert str(caught.value) == str(decision)

    def test_is_a_value_in_utc(self) -> None:
        berlin = START.astimezone(ZoneInfo("Europe/Berlin"))
        decision = Decision(iter([ARCHIVED]), berlin)
        assert decision == Decision((ARCHIVED,), START)
        assert decision.changes_at is not None
        assert decision.changes_at.tzinfo is UTC
        assert_is_value(decision, keyword_only=False)
        assert_is_value(Decision(), keyword_only=False)

    @pytest.mark.parametrize(
        ("reasons", "changes_at", "path", "code"),
        [
            ("no", None, "reasons", "not_a_list"),
            (None, None, "reasons", "not_a_list"),
            (ARCHIVED, None, "reasons", "not_a_list"),
            (["no"], None, "reasons[0]", "wrong_type"),
            ([ARCHIVED, CourseArchived], None, "reasons[1]", "wrong_type"),
            ([], datetime.fromisoformat("2026-01-05"), "changes_at", "naive_datetime"),
            ([], date(2026, 1, 5), "changes_at", "not_a_datetime"),
        ],
    )
    def test_is_refused_by_the_field_that_is_wrong(
        self, reasons: Any, changes_at: Any, path: str, code: str
    ) -> None:
        error = refusal(lambda: Decision(reasons, changes_at))
        assert (error.code, error.field) == (code, path)

    def test_takes_every_kind_of_reason(self) -> None:
        reasons: list[Reason] = [
            ARCHIVED,
            UNPAID,
            KeyNotFound(),
            ForAssignment("py", "ada", ARCHIVED),
        ]
        assert Decision(reasons).reasons == tuple(reasons)


def turning(name: str, turns: list[int], *, allows: bool) -> Question:
    """Return a policy that first *allows* or not, and turns at these minutes after `START`.

    The reason is different at each minute, so that only `allowed` is constant in between.
    """

    def ask(at: datetime) -> Decision:
        passed = bisect_right([START + minute * MINUTE for minute in turns], at)
        changes_at = START + turns[passed] * MINUTE if passed < len(turns) else None
        if (passed % 2 == 0) == allows:
            return Decision((), changes_at)
        return Decision([CustomReason(f"x-{name}", f"Part {passed}."), ARCHIVED], changes_at)

    return ask


#: The minutes at which a policy turns, and what it says before.
plans = st.tuples(
    st.lists(st.integers(0, 30), unique=True, max_size=8).map(sorted),
    st.booleans(),
)


def at_minute(minute: int) -> datetime:
    return START + minute * MINUTE


class TestAllOfThem:
    @given(st.lists(plans, max_size=4), st.integers(-2, 32))
    @example([([], True), ([], True)], 0)
    @example([([5], True), ([5], False)], 0)
    @example([([2, 4], False), ([3], True)], 0)
    @example([([1, 2, 3], True), ([1, 2, 3], False)], 0)
    @example([([2], False), ([1, 3], True)], 0)
    def test_answer_as_each_of_them_asked_at_every_minute(
        self, drawn: list[tuple[list[int], bool]], minute: int
    ) -> None:
        questions = [
            turning(str(number), turns, allows=allows)
            for number, (turns, allows) in enumerate(drawn)
        ]

        def allowed(later: int) -> bool:
            # Counted by hand: a policy has turned as often as there are turns up to then.
            return all(
                allows == (sum(turn <= later for turn in turns) % 2 == 0) for turns, allows in drawn
            )

        decision = all_of(questions, at_minute(minute))
        assert decision.allowed == allowed(minute)
        turns = (later for later in range(minute + 1, 33) if allowed(later) != allowed(minute))
        expected = next(turns, None)
        assert decision.changes_at == (None if expected is None else at_minute(expected))
        if expected is not None:
            before, after = (
                all_of(questions, at_minute(expected) - step)
                for step in (timedelta(microseconds=1), timedelta(0))
            )
            assert before.allowed == decision.allowed != after.allowed

    @given(st.lists(plans, max_size=4), st.integers(-2, 32))
    def test_give_all_reasons_of_now_each_once_in_the_order_of_the_questions(
        self, drawn: list[tuple[list[int], bool]], minute: int
    ) -> None:
        questions = [
            turning(str(number), turns, allows=allows)
            for number, (turns, allows) in enumerate(drawn)
        ]
        expected: list[Any] = []
        for ask in questions:
            expected += [
                reason for reason in ask(at_minute(minute)).reasons if reason not in expected
            ]
        assert list(all_of(iter(questions), at_minute(minute)).reasons) == expected

    def test_of_an_empty_list_is_a_permanent_yes(self) -> None:
        assert all_of([], START) == Decision()

    @pytest.mark.parametrize("answer", [None, True, "yes", ARCHIVED])
    def test_refuses_what_is_not_a_decision(self, answer: Any) -> None:
        error = refusal(lambda: all_of([lambda _: Decision(), lambda _: answer], START))
        assert (error.code, error.field) == ("wrong_type", "questions")

    def test_are_permanently_no_if_one_of_them_is(self) -> None:
        asked: list[datetime] = []

        def soon(at: datetime) -> Decision:
            asked.append(at)
            return Decision([UNPAID], START + MINUTE)

        assert all_of([soon, lambda _: Decision([ARCHIVED])], START) == Decision([UNPAID, ARCHIVED])
        assert asked == [START]

    def test_are_a_list(self) -> None:
        nothing: Any = None
        with pytest.raises(InvalidInput) as caught:
            all_of(nothing, START)
        assert caught.value.field == "questions"

    def test_stop_asking_one_that_says_it_has_changed_already(self) -> None:
        asked: list[datetime] = []

        def stuck(at: datetime) -> Decision:
            asked.append(at)
            return Decision((), START)

        assert all_of([stuck], START) == Decision()
        assert all_of([stuck], START + MINUTE) == Decision()
        assert len(asked) == 2

        def stuck_later(at: datetime) -> Decision:
            asked.append(at)
            return Decision((), START + MINUTE)

        assert all_of([stuck_later], START) == Decision()
        assert len(asked) == 4

    def test_give_up_on_one_that_changes_forever(self) -> None:
        asked: list[datetime] = []

        def daily(at: datetime) -> Decision:
            asked.append(at)
            return Decision((), at + timedelta(days=1))

        assert all_of([daily], START) == Decision((), START + timedelta(days=MAX_TURNS))
        assert len(asked) == MAX_TURNS + 1

    def test_are_asked_only_when_the_whole_may_turn(self) -> None:
        asked: list[datetime] = []

        def watched(at: datetime) -> Decision:
            asked.append(at)
            return turning("a", [1, 2, 3, 9], allows=True)(at)

        late = turning("b", [10], allows=False)
        # Until the tenth minute the other refuses, whatever the first does until then.
        assert all_of([watched, late], START).changes_at == at_minute(10)
        assert asked == [START, at_minute(10)]
