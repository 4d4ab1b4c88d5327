"""Learners at work: activities started, paused, resumed, finished and taken again."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.queries import RecordT
from course_assignments.reasons import (
    AssignmentExpired,
    AttemptAhead,
    AttemptNotPaused,
    AttemptOpen,
    AttemptPaused,
    NoAttemptOpen,
)
from tests.support.acts import ACTS, GIVEN, RUNNING
from tests.support.learning import LESSONS, classroom
from tests.support.situations import codes, error, events, made_by
from tests.support.world import START

TICK = timedelta(microseconds=1)
#: How far the clocks of servers may differ.
SKEW = timedelta(seconds=2)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
END = START + 180 * DAY
STEPS = (-TICK, timedelta(0), TICK)


def lesson(
    activity_id: str = "lab", **options: Any
) -> tuple[ca.Registrar, ca.ManualClock, ca.Attempt]:
    """Return a small world in which Ada has started an activity under a-1, an hour ago."""
    registrar, clock = classroom(**options)
    attempt = registrar.start("a-1", activity_id)
    clock.advance(HOUR)
    return registrar, clock, attempt


def stored(registrar: ca.Registrar, attempt: ca.Attempt) -> ca.Attempt:
    return registrar.repository.get(ca.Attempt, [attempt.id])[attempt.id]


def attempts(registrar: ca.Registrar, **wanted: Any) -> list[ca.Attempt]:
    return list(ca.find_all(registrar.repository, ca.AttemptQuery(**wanted)))


def told(registrar: ca.Registrar, *commands: str) -> list[tuple[str, ...]]:
    """Return the name and the subjects of every event of *commands*, in order."""
    return [(one.action, *one.subject_ids) for one in events(registrar) if one.action in commands]


class TestStart:
    """Start labs and activities as long as the assignment remains active."""

    def test_the_first_start_and_the_first_lab_count_permanently(self) -> None:
        registrar, clock = classroom()
        for activity_id in ("link", "film", "lab", "play"):
            registrar.start("a-1", activity_id)
            clock.advance(HOUR)
        after = made_by(registrar, "a-1")
        assert (after.started_at, after.first_lab_launched_at) == (START, START + 2 * HOUR)
        assert after.completion is ca.CompletionStatus.INCOMPLETE

    @pytest.mark.parametrize(
        ("activity_id", "prevented_by"),
        [("lab", ["lab_launched"]), ("play", ["lab_launched"]), ("film", []), ("link", [])],
    )
    def test_a_launched_lab_prevents_cancelling(
        self, activity_id: str, prevented_by: list[str]
    ) -> None:
        """Only within 24 hours of creation and only if no labs have been launched."""
        registrar, _, _ = lesson(activity_id)
        decision = registrar.may_cancel("a-1")
        assert [one.code for one in decision.reasons] == prevented_by
        # Nor does support waive it.
        assert registrar.may_cancel("a-1", support_reason="please").reasons == decision.reasons

    @pytest.mark.parametrize("step", STEPS)
    def test_it_takes_access(self, step: timedelta) -> None:
        registrar, clock = classroom()
        clock.set(END + step)
        if step < timedelta(0):
            assert registrar.may_start("a-1", "lab") == ca.Decision((), END)
            assert registrar.start("a-1", "lab").started_at == clock()
        else:
            assert codes(registrar, "start", "a-1", "lab") == ["assignment_expired"]
            assert registrar.may_start("a-1", "lab") == ca.Decision([AssignmentExpired(END)])
        clock.set(START - SKEW + TICK + step)
        if step < timedelta(0):
            assert registrar.may_start("a-1", "film").changes_at == START - SKEW + TICK
            assert codes(registrar, "start", "a-1", "film") == ["assignment_not_active"]
        else:
            assert registrar.start("a-1", "film").started_at == START

    def test_one_that_was_extended_can_be_resumed(self) -> None:
        registrar, clock, attempt = lesson()
        registrar.pause(attempt.id)
        registrar.reschedule("a-1", clock())
        assert codes(registrar, "resume", attempt.id) == ["assignment_expired"]
        registrar.reschedule("a-1", timedelta(days=3))
        assert registrar.resume(attempt.id).paused_at is None

    def test_a_completed_one_that_has_not_ended_can_still_be_launched(self) -> None:
        """Completed is a separate axis."""
        registrar, _ = classroom()
        registrar.complete("a-1")
        before = made_by(registrar, "a-1")
        registrar.start("a-1", "lab")
        after = made_by(registrar, "a-1")
        assert after == attrs.evolve(before, started_at=START, first_lab_launched_at=START)
        assert after.completion is ca.CompletionStatus.COMPLETE

    def test_an_activity_of_an_archived_course_can_be_started(self) -> None:
        registrar, _ = classroom()
        registrar.update(attrs.evolve(LESSONS, archived=True, content_provider=None))
        assert registrar.start("a-1", "lab").number == 1

    def test_two_activities_may_be_open_at_once_one_activity_only_once(self) -> None:
        registrar, _, attempt = lesson()
        registrar.assign("lessons", "ada", id="a-2")
        assert registrar.start("a-2", "lab").number == registrar.start("a-1", "film").number == 1
        assert codes(registrar, "start", "a-1", "lab") == ["attempt_open"]
        assert registrar.may_start("a-1", "lab") == ca.Decision([AttemptOpen(attempt.id)])
        registrar.pause(attempt.id)
        assert codes(registrar, "start", "a-1", "lab") == ["attempt_open"]

    def test_each_retake_is_an_attempt_with_the_next_number(self) -> None:
        registrar, clock = classroom()
        for number in (1, 2, 3):
            attempt = registrar.start("a-1", "lab")
            assert attempt.number == number
            assert attempt.id == ca.Attempt.id_for("a-1", "lab", number)
            # The next may begin at the moment at which the last one ended.
            clock.advance(HOUR)
            registrar.finish(attempt.id)
        assert registrar.start("a-1", "film").number == 1
        assert [one.number for one in attempts(registrar, activity_id="lab")] == [1, 2, 3]

    def test_the_next_number_follows_the_last_stored_one(self) -> None:
        registrar, _ = classroom()
        second = ca.Attempt(
            id=ca.Attempt.id_for("a-1", "lab", 2),
            assignment_id="a-1",
            activity_id="lab",
            number=2,
            started_at=START,
            finished_at=START,
        )
        registrar.repository.commit(ca.Change(create=[second]))
        assert registrar.start("a-1", "lab").number == 3

    @pytest.mark.parametrize("step", STEPS)
    def test_a_clock_that_went_back_starts_nothing_before_the_last_attempt_ended(
        self, step: timedelta
    ) -> None:
        registrar, clock, attempt = lesson()
        registrar.finish(attempt.id)
        turn = START + HOUR - SKEW + TICK
        clock.set(turn + step)
        if step < timedelta(0):
            assert codes(registrar, "start", "a-1", "lab") == ["attempt_ahead"]
            assert registrar.may_start("a-1", "lab") == ca.Decision(
                [AttemptAhead(START + HOUR)], turn
            )
        else:
            assert registrar.start("a-1", "lab").number == 2

    def test_everything_at_once(self) -> None:
        registrar, clock, _ = lesson()
        registrar.reschedule("a-1", clock())
        clock.set(START - SKEW)
        assert codes(registrar, "start", "a-1", "lab", by="bo") == [
            "role_missing",
            "organization_not_managed",
            "assignment_not_active",
            "attempt_open",
            "attempt_ahead",
        ]


class TestPauseAndResume:
    """Pause as long as the assignment remains active; pausing never moves the end of access."""

    def test_a_pause_lasts_until_the_attempt_is_resumed(self) -> None:
        registrar, clock, attempt = lesson()
        assert registrar.may_pause(attempt.id) == ca.Decision((), END)
        paused = registrar.pause(attempt.id)
        assert paused == attrs.evolve(attempt, pauses=[ca.Pause(START + HOUR)])
        assert stored(registrar, attempt) == paused
        clock.advance(20 * MINUTE)
        assert registrar.may_resume(attempt.id) == ca.Decision((), END)
        resumed = registrar.resume(attempt.id)
        rest = ca.Pause(START + HOUR, START + HOUR + 20 * MINUTE)
        assert resumed == attrs.evolve(attempt, pauses=[rest])
        assert stored(registrar, attempt) == resumed
        clock.advance(HOUR)
        registrar.pause(attempt.id)
        clock.advance(HOUR)
        again = registrar.resume(attempt.id)
        assert again.pauses == (rest, ca.Pause(clock() - HOUR, clock()))
        assert again.time_spent(clock()) == 2 * HOUR

    @given(st.lists(st.timedeltas(timedelta(0), 20 * DAY), max_size=6))
    def test_the_end_of_access_never_moves(self, gaps: list[timedelta]) -> None:
        registrar, clock, attempt = lesson()
        before = made_by(registrar, "a-1")
        for number, gap in enumerate(gaps):
            clock.set(clock() + gap)
            (registrar.resume if number % 2 else registrar.pause)(attempt.id)
        assert made_by(registrar, "a-1") == before
        assert stored(registrar, attempt).time_spent(clock()) == HOUR + sum(gaps[::2], timedelta(0))

    def test_a_paused_attempt_is_not_paused_and_a_running_one_not_resumed(self) -> None:
        registrar, clock, attempt = lesson()
        assert codes(registrar, "resume", attempt.id) == ["attempt_not_paused"]
        assert registrar.may_resume(attempt.id) == ca.Decision([AttemptNotPaused()])
        registrar.pause(attempt.id)
        assert codes(registrar, "pause", attempt.id) == ["attempt_paused"]
        assert registrar.may_pause(attempt.id) == ca.Decision([AttemptPaused(clock())])

    @pytest.mark.parametrize("command", ["pause", "resume"])
    @pytest.mark.parametrize("step", STEPS)
    def test_when_access_has_ended_neither_is_possible(self, command: str, step: timedelta) -> None:
        """An attempt that is open when the assignment ends can be finished, not resumed."""
        registrar, clock, attempt = lesson()
        if command == "resume":
            registrar.pause(attempt.id)
        clock.set(END + step)
        if step < timedelta(0):
            assert getattr(registrar, command)(attempt.id).changed_at == clock()
        else:
            assert codes(registrar, command, attempt.id) == ["assignment_expired"]
            assert registrar.finish(attempt.id).finished_at == clock()

    @pytest.mark.parametrize("step", STEPS)
    def test_a_clock_that_went_back_changes_nothing_before_the_last_change(
        self, step: timedelta
    ) -> None:
        registrar, clock, attempt = lesson()
        registrar.pause(attempt.id)
        turn = START + HOUR - SKEW + TICK
        clock.set(turn + step)
        for command in ("resume", "finish"):
            if step < timedelta(0):
                assert codes(registrar, command, attempt.id) == ["attempt_ahead"]
                decision = getattr(registrar, f"may_{command}")(attempt.id)
                assert decision == ca.Decision([AttemptAhead(START + HOUR)], turn)
            else:
                assert getattr(registrar, f"may_{command}")(attempt.id).allowed

    @pytest.mark.parametrize(
        ("command", "paused"), [("pause", ["attempt_paused"]), ("resume", []), ("finish", [])]
    )
    def test_everything_at_once(self, command: str, paused: list[str]) -> None:
        registrar, clock, attempt = lesson("film")
        registrar.pause(attempt.id)
        registrar.cancel("a-1")
        clock.set(START - SKEW)
        role = ["role_missing", "organization_not_managed"]
        access = ["assignment_not_active", "already_cancelled"]
        expected = [*role, *access, *paused, "attempt_ahead"]
        assert codes(registrar, command, attempt.id, by="bo") == expected


class TestFinish:
    """All required activities finished = complete."""

    @pytest.mark.parametrize("order", [("lab", "film"), ("film", "lab")])
    def test_the_last_required_one_completes_the_assignment(self, order: tuple[str, ...]) -> None:
        registrar, clock = classroom()
        begun = [registrar.start("a-1", one) for one in order]
        completions = []
        for attempt in begun:
            clock.advance(HOUR)
            assert registrar.may_finish(attempt.id) == ca.Decision()
            finished = registrar.finish(attempt.id)
            assert finished == attrs.evolve(attempt, finished_at=clock())
            assert stored(registrar, attempt) == finished
            completions.append(made_by(registrar, "a-1").completion)
        assert completions == [ca.CompletionStatus.INCOMPLETE, ca.CompletionStatus.COMPLETE]
        after = made_by(registrar, "a-1")
        assert after.completed_at == clock()
        assert after.finished == {"lab", "film"}
        assert after.is_active_at(clock())
        assert told(registrar, "finish", "complete") == [
            ("finish", begun[0].id, "a-1", "ada"),
            ("finish", begun[1].id, "a-1", "ada"),
            ("complete", "a-1", "ada"),
        ]

    def test_what_is_not_required_completes_nothing(self) -> None:
        registrar, _ = classroom()
        for activity_id in ("link", "play", "lab"):
            registrar.finish(registrar.start("a-1", activity_id).id)
        after = made_by(registrar, "a-1")
        assert after.finished == {"link", "play", "lab"}
        assert after.completed_at is None
        assert told(registrar, "complete") == []

    def test_a_retake_changes_nothing_about_the_completion(self) -> None:
        registrar, clock = classroom()
        for activity_id in ("lab", "film"):
            registrar.finish(registrar.start("a-1", activity_id).id)
        before = made_by(registrar, "a-1")
        clock.advance(HOUR)
        again = registrar.start("a-1", "lab")
        registrar.finish(again.id)
        assert made_by(registrar, "a-1") == before
        assert told(registrar, "complete") == [("complete", "a-1", "ada")]

    def test_one_completed_by_hand_stays_complete_since_then(self) -> None:
        registrar, clock = classroom()
        registrar.complete("a-1", by="manager")
        clock.advance(HOUR)
        for activity_id in ("lab", "film"):
            registrar.finish(registrar.start("a-1", activity_id).id)
        assert made_by(registrar, "a-1").completed_at == START
        assert told(registrar, "complete") == [("complete", "a-1", "ada")]

    def test_without_required_activities_only_an_administrator_completes(self) -> None:
        registrar, _ = classroom()
        registrar.assign("free", "ada", id="a-2")
        registrar.finish(registrar.start("a-2", "link").id)
        assert made_by(registrar, "a-2").finished == {"link"}
        assert made_by(registrar, "a-2").completion is ca.CompletionStatus.INCOMPLETE
        assert registrar.complete("a-2", by="manager").completion is ca.CompletionStatus.COMPLETE

    def test_what_the_course_requires_now_counts(self) -> None:
        registrar, _, lab = lesson()
        *others, _ = LESSONS.activities
        only_lab = [attrs.evolve(one, required=one.id == "lab") for one in others]
        registrar.update(attrs.evolve(LESSONS, activities=only_lab))
        registrar.finish(lab.id)
        assert made_by(registrar, "a-1").completion is ca.CompletionStatus.COMPLETE

    def test_an_activity_that_was_removed_can_be_finished(self) -> None:
        registrar, _, lab = lesson()
        registrar.update(attrs.evolve(LESSONS, activities=LESSONS.activities[1:]))
        registrar.finish(lab.id)
        assert made_by(registrar, "a-1").finished == {"lab"}
        assert made_by(registrar, "a-1").completed_at is None
        missing = error(ca.NotFound, registrar, "start", "a-1", "lab")
        assert (missing.kind, missing.id) == ("Activity", "lab")

    @pytest.mark.parametrize("resting", [False, True])
    @pytest.mark.parametrize("late", [*STEPS, 3000 * DAY])
    def test_what_is_open_when_access_ends_is_finished_later_and_completes(
        self, late: timedelta, *, resting: bool
    ) -> None:
        registrar, clock, lab = lesson()
        registrar.finish(registrar.start("a-1", "film").id)
        if resting:
            registrar.pause(lab.id)
        clock.set(END + late)
        finished = registrar.finish(lab.id)
        assert finished.paused_at is None
        assert finished.time_spent(clock()) == (HOUR if resting else clock() - START)
        after = made_by(registrar, "a-1")
        assert (after.completed_at, after.expires_at) == (clock(), END)
        wanted = ca.AssignmentStatus.ACTIVE if late < timedelta(0) else ca.AssignmentStatus.EXPIRED
        assert after.status_at(clock()) is wanted

    @pytest.mark.parametrize("command", ["pause", "resume", "finish"])
    @pytest.mark.parametrize("paused", [False, True])
    def test_a_finished_attempt_stays_finished(self, command: str, *, paused: bool) -> None:
        registrar, clock, film = lesson("film")
        if paused:
            registrar.pause(film.id)
        registrar.finish(film.id)
        decision = getattr(registrar, f"may_{command}")(film.id)
        assert decision == ca.Decision([NoAttemptOpen(START + HOUR)])
        clock.set(START)
        assert codes(registrar, command, film.id) == ["no_attempt_open", "attempt_ahead"]
        registrar.cancel("a-1")
        clock.set(START + HOUR)
        assert codes(registrar, command, film.id) == ["already_cancelled", "no_attempt_open"]

    def test_under_a_cancelled_assignment_nothing_is_started_or_finished(self) -> None:
        registrar, _, film = lesson("film")
        registrar.cancel("a-1")
        assert codes(registrar, "start", "a-1", "link") == ["already_cancelled"]
        assert codes(registrar, "pause", film.id) == ["already_cancelled"]
        assert codes(registrar, "finish", film.id) == ["already_cancelled"]


#: Each command with its arguments, in a world in which it is allowed.
COMMANDS: dict[str, Callable[[ca.Registrar], tuple[str, ...]]] = {
    "start": lambda _: ("a-1", "link"),
    "pause": lambda of: (of.start("a-1", "film").id,),
    "resume": lambda of: (of.pause(of.start("a-1", "film").id).id,),
    "finish": lambda of: (of.start("a-1", "film").id,),
}


class Unreadable(ca.InMemoryRepository):
    """A repository whose attempts others are faster with, until it is mended."""

    is_broken = False

    def find(self, query: ca.Query[RecordT], /) -> ca.Page[RecordT]:
        if self.is_broken and isinstance(query, ca.AttemptQuery):
            raise ca.Conflict(("a-1",))
        return super().find(query)


def test_an_error_of_the_repository_is_not_invalid_input() -> None:
    repository = Unreadable()
    registrar, _ = classroom(repository)
    repository.is_broken = True
    with pytest.raises(ca.Conflict) as caught:
        registrar.start("a-1", "lab")
    assert caught.value.ids == ("a-1",)


class TestPoliciesOfTheHost:
    def test_retakes_can_be_limited(self) -> None:
        @attrs.frozen
        class Twice:
            def evaluate(self, attempts: Iterable[ca.Attempt], *, at: datetime) -> ca.Decision:
                del at
                often = len(list(attempts)) >= 2
                return ca.Decision(
                    [ca.CustomReason("x-twice", "Twice is enough.")] if often else []
                )

        registrar, _ = classroom(policies=ca.Policies(attempt=Twice()))
        for _ in range(2):
            registrar.finish(registrar.start("a-1", "lab").id)
        assert codes(registrar, "start", "a-1", "lab") == ["x-twice"]

    @pytest.mark.parametrize("command", COMMANDS)
    def test_access_can_be_closed_at_night(self, command: str) -> None:
        opens_at = START + 12 * HOUR

        @attrs.frozen
        class ByDay:
            def evaluate(self, assignment: object, *, at: datetime) -> ca.Decision:
                del assignment
                if START < at < opens_at:
                    return ca.Decision([ca.CustomReason("x-night", "It is night.")], opens_at)
                return ca.Decision((), None if at >= opens_at else START + TICK)

        registrar, clock = classroom(policies=ca.Policies(access=ByDay(), finish=ByDay()))
        args = COMMANDS[command](registrar)
        assert getattr(registrar, f"may_{command}")(*args) == ca.Decision((), START + TICK)
        clock.set(START + HOUR)
        assert codes(registrar, command, *args) == ["x-night"]
        assert getattr(registrar, f"may_{command}")(*args).changes_at == opens_at
        clock.set(opens_at)
        assert getattr(registrar, command)(*args)


def test_an_assignment_that_does_not_change_is_expected_and_not_written() -> None:
    begun = attrs.evolve(GIVEN, started_at=START, finished={"film"})
    film = attrs.evolve(RUNNING, assignment_id="a-1", activity_id="film")
    about = {"assignment": begun, "course": attrs.evolve(LESSONS, id="py")}
    started = ACTS["start"](activity_id="link", **about)
    finished = ACTS["finish"](attempt=film, **about)
    assert started.replace == ()
    assert [one.before for one in finished.replace] == [film]
    assert started.expect[0] == finished.expect[0] == begun
