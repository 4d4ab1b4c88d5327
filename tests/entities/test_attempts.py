"""Attempts: what they keep, in which order things happen to them, and the time they took."""

from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course_assignments import Attempt, InvalidInput, Pause
from course_assignments.testing.strategies import attempts
from tests.support.rules import NO_INSTANTS, STEPS, check_junk, elsewhere, moments
from tests.support.strategies import US, zones
from tests.support.values import refusal

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
GIVEN = Attempt(id="t-1", assignment_id="a-1", activity_id="lab", number=1, started_at=START)


def after(ticks: int | None) -> Any:
    """Return the instant so many microseconds after the start."""
    return None if ticks is None else START + ticks * US


class TestTheOrderInWhichThingsHappen:
    """Started, paused, resumed, paused again, finished: nothing before what came before it."""

    ticks = st.integers(-1, 4)

    @given(
        st.lists(st.tuples(ticks, st.none() | ticks), max_size=3),
        st.none() | ticks,
    )
    @example([(1, 1), (1, 1)], 1)
    @example([(1, None), (1, 2)], 3)
    @example([(0, None)], -1)
    def test_is_kept_or_it_is_no_attempt(
        self, rests: list[tuple[int, int | None]], finished: int | None
    ) -> None:
        happened = [0, *(tick for rest in rests for tick in rest), finished]
        told = [tick for tick in happened if tick is not None]
        in_order = all(one <= other for one, other in pairwise(told))
        only_the_last_lasts = None not in [resumed for _, resumed in rests[:-1]]
        pauses = [Pause(after(paused), after(resumed)) for paused, resumed in rests]
        if in_order and only_the_last_lasts:
            attempt = attrs.evolve(GIVEN, pauses=pauses, finished_at=after(finished))
            assert attempt.changed_at == after(max(told))
        else:
            error = refusal(lambda: attrs.evolve(GIVEN, pauses=pauses, finished_at=after(finished)))
            assert error.code == "out_of_order"

    #: What comes second in each, by its name, when it comes an hour after the start and one step.
    SECOND: tuple[tuple[str, Any], ...] = (
        ("pauses[0].paused_at", lambda at: {"started_at": START + HOUR, "pauses": [Pause(at)]}),
        ("pauses[0].resumed_at", lambda at: {"pauses": [Pause(START + HOUR, at)]}),
        ("pauses[1].paused_at", lambda at: {"pauses": [Pause(START, START + HOUR), Pause(at)]}),
        ("finished_at", lambda at: {"started_at": START + HOUR, "finished_at": at}),
        ("finished_at", lambda at: {"pauses": [Pause(START + HOUR)], "finished_at": at}),
        ("finished_at", lambda at: {"pauses": [Pause(START, START + HOUR)], "finished_at": at}),
    )

    @pytest.mark.parametrize("step", STEPS)
    @pytest.mark.parametrize(("name", "made"), SECOND)
    def test_two_changes_at_the_same_time_are_in_order(
        self, name: str, made: Any, step: timedelta
    ) -> None:
        fields = made(START + HOUR + step)
        if step < timedelta(0):
            error = refusal(lambda: attrs.evolve(GIVEN, **fields))
            assert (error.code, error.field) == ("out_of_order", name)
        else:
            assert attrs.evolve(GIVEN, **fields).changed_at == START + HOUR + step

    def test_a_pause_that_lasts_is_the_last_one(self) -> None:
        error = refusal(lambda: attrs.evolve(GIVEN, pauses=[Pause(START), Pause(START + HOUR)]))
        assert (error.code, error.field) == ("out_of_order", "pauses[0].resumed_at")

    @given(attempts(), zones())
    def test_datetimes_in_any_zone_make_the_same_attempt(
        self, attempt: Attempt, zone: tzinfo
    ) -> None:
        def move(instant: datetime | None) -> Any:
            return None if instant is None else instant.astimezone(zone)

        again = attrs.evolve(
            attempt,
            started_at=move(attempt.started_at),
            pauses=[Pause(move(one.paused_at), move(one.resumed_at)) for one in attempt.pauses],
            finished_at=move(attempt.finished_at),
        )
        assert again == attempt
        assert again.changed_at.tzinfo is UTC


class TestWhereItStands:
    RESTED = Pause(START, START + HOUR)

    @pytest.mark.parametrize(
        ("pauses", "finished_at", "paused_at"),
        [
            ([], None, None),
            ([RESTED], None, None),
            ([RESTED, Pause(START + 2 * HOUR)], None, START + 2 * HOUR),
            ([Pause(START)], None, START),
            ([], START, None),
            # One that is finished rests no more, although nobody resumed it.
            ([Pause(START)], START + HOUR, None),
        ],
    )
    def test_it_rests_from_a_pause_without_an_end_until_it_is_finished(
        self, pauses: list[Pause], finished_at: Any, paused_at: Any
    ) -> None:
        attempt = attrs.evolve(GIVEN, pauses=pauses, finished_at=finished_at)
        assert attempt.paused_at == paused_at
        assert attempt.is_open is (finished_at is None)

    @given(attempts())
    def test_it_was_last_changed_when_the_last_thing_happened(self, attempt: Attempt) -> None:
        rests = [at for one in attempt.pauses for at in (one.paused_at, one.resumed_at)]
        known = [at for at in (attempt.started_at, *rests, attempt.finished_at) if at is not None]
        assert attempt.changed_at == max(known)


class TestTheTimeSpent:
    """How long it was under way, without its pauses."""

    @given(
        gaps=st.lists(st.integers(0, 6), max_size=7),
        finished=st.booleans(),
        at=st.integers(-3, 45),
    )
    @example(gaps=[0, 0, 0, 0, 0], finished=True, at=0)
    @example(gaps=[1, 2], finished=True, at=9)
    @example(gaps=[1, 2], finished=False, at=2)
    def test_is_every_microsecond_in_which_it_was_under_way(
        self, *, gaps: list[int], finished: bool, at: int
    ) -> None:
        marks = [sum(gaps[: number + 1]) for number in range(len(gaps))]
        end = marks.pop() if finished and marks else None
        rests = [
            (paused, marks[number + 1] if number + 1 < len(marks) else None)
            for number, paused in enumerate(marks)
            if number % 2 == 0
        ]
        attempt = attrs.evolve(
            GIVEN,
            pauses=[Pause(after(paused), after(resumed)) for paused, resumed in rests],
            finished_at=after(end),
        )

        def is_under_way(tick: int) -> bool:
            rests_then = any(
                paused <= tick and (resumed is None or tick < resumed) for paused, resumed in rests
            )
            return tick >= 0 and (end is None or tick < end) and not rests_then

        wanted = sum(map(is_under_way, range(at)))
        for moment in (after(at), *elsewhere(after(at))):
            assert attempt.time_spent(moment) == wanted * US

    @given(attempts(), st.data())
    def test_never_decreases_and_is_constant_after_the_end(
        self, attempt: Attempt, data: st.DataObject
    ) -> None:
        marks = {attempt.started_at, attempt.changed_at}
        early, late = sorted(data.draw(moments(marks)) for _ in range(2))
        spent, then = attempt.time_spent(early), attempt.time_spent(late)
        assert timedelta(0) <= spent <= then <= spent + (late - early)
        if not attempt.is_open or attempt.paused_at is not None:
            last = attempt.changed_at
            assert attempt.time_spent(max(last, late)) == attempt.time_spent(last)

    def test_needs_an_aware_datetime(self) -> None:
        check_junk(GIVEN.time_spent, "at", NO_INSTANTS)


class TestIds:
    words = st.text("12r", min_size=1, max_size=3)
    made_from = st.tuples(words, words, st.integers(1, 20))

    @given(made_from, made_from)
    @example(("12", "r", 1), ("1", "2r", 1))
    @example(("1", "r1", 1), ("1", "r", 11))
    @example(("1", "r", 1), ("1", "r", 2))
    def test_are_one_for_each_assignment_activity_and_number(
        self, one: tuple[str, str, int], other: tuple[str, str, int]
    ) -> None:
        assert (Attempt.id_for(*one) == Attempt.id_for(*other)) == (one == other)

    def test_stay_what_they_are_in_every_version(self) -> None:
        assert Attempt.id_for("a-1", "lab", 1) == (
            "dc244e419dfced9d941c996f5ba177c99579f216d81ee9a0ce704ba3626d9083"
        )

    @pytest.mark.parametrize(
        ("parts", "field"),
        [
            (("", "lab", 1), "assignment_id"),
            (("a-1", None, 1), "activity_id"),
            (("a-1", "lab", 0), "number"),
            (("a-1", "lab", True), "number"),
        ],
    )
    def test_are_made_of_ids_and_a_number(self, parts: tuple[Any, ...], field: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            Attempt.id_for(*parts)
        assert caught.value.field == field
