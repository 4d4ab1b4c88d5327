"""Learners at work: activities started, paused, resumed, finished and taken again."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import (
    AssignmentStatus,
    Attempt,
    AttemptQuery,
    Change,
    CompletionStatus,
    Conflict,
    CustomReason,
    Decision,
    Event,
    InMemoryRepository,
    InvalidInput,
    ManualClock,
    NotFound,
    Page,
    Pause,
    Policies,
    Query,
    Refused,
    Registrar,
    Role,
    find_all,
)
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
from tests.support.rules import check_turn
from tests.support.situations import barged, codes, error, events, made_by
from tests.support.world import ADA, MANAGER, START, contents

TICK = timedelta(microseconds=1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
END = START + 180 * DAY
STEPS = (-TICK, timedelta(0), TICK)


def lesson(activity_id: str = "lab", **options: Any) -> tuple[Registrar, ManualClock, Attempt]:
    """Return a small world in which Ada has started an activity under a-1, an hour ago."""
    registrar, clock = classroom(**options)
    attempt = registrar.start("a-1", activity_id)
    clock.advance(HOUR)
    return registrar, clock, attempt


def stored(registrar: Registrar, attempt: Attempt) -> Attempt:
    return registrar.repository.get(Attempt, [attempt.id])[attempt.id]


def attempts(registrar: Registrar, **wanted: Any) -> list[Attempt]:
    return list(find_all(registrar.repository, AttemptQuery(**wanted)))


def told(registrar: Registrar, *commands: str) -> list[tuple[str, ...]]:
    """Return the subjects of every event of *commands*, in order, behind its name."""
    return [(one.action, *one.subject_ids) for one in events(registrar) if one.action in commands]


class TestStart:
    """Start labs and activities as long as the assignment remains active."""

    def test_an_attempt_is_made_and_the_assignment_is_begun(self) -> None:
        registrar, clock = classroom()
        clock.advance(HOUR)
        before = made_by(registrar, "a-1")
        assert registrar.may_start("a-1", "film") == Decision((), END)
        attempt = registrar.start("a-1", "film", by="manager")
        assert attempt == Attempt(
            id=Attempt.id_for("a-1", "film", 1),
            assignment_id="a-1",
            activity_id="film",
            number=1,
            started_at=clock(),
        )
        assert attempts(registrar) == [attempt]
        after = made_by(registrar, "a-1")
        assert after == attrs.evolve(before, started_at=clock())
        assert after.completion is CompletionStatus.INCOMPLETE
        assert events(registrar)[-1] == Event(
            position=len(events(registrar)),
            at=clock(),
            by="manager",
            action="start",
            subject_ids=[attempt.id, "a-1", "ada"],
        )

    def test_the_first_start_and_the_first_lab_count_for_good(self) -> None:
        registrar, clock = classroom()
        for activity_id in ("link", "film", "lab", "play"):
            registrar.start("a-1", activity_id)
            clock.advance(HOUR)
        after = made_by(registrar, "a-1")
        assert (after.started_at, after.first_lab_launched_at) == (START, START + 2 * HOUR)

    def test_a_later_start_leaves_the_assignment_as_it_is(self) -> None:
        registrar, _, _ = lesson()
        before = made_by(registrar, "a-1")
        registrar.start("a-1", "play")
        registrar.start("a-1", "film")
        assert made_by(registrar, "a-1") == before

    @pytest.mark.parametrize(
        ("activity_id", "speaks_against"),
        [("lab", ["lab_launched"]), ("play", ["lab_launched"]), ("film", []), ("link", [])],
    )
    def test_a_lab_that_was_launched_stands_in_the_way_of_cancelling_and_nothing_else_does(
        self, activity_id: str, speaks_against: list[str]
    ) -> None:
        """Only within 24 hours of creation and only if no labs have been launched."""
        registrar, _, _ = lesson(activity_id)
        decision = registrar.may_cancel("a-1")
        assert [one.code for one in decision.reasons] == speaks_against
        # Nor does support waive it.
        assert registrar.may_cancel("a-1", support_reason="please").reasons == decision.reasons

    @pytest.mark.parametrize("step", STEPS)
    def test_when_access_has_ended_no_lab_is_launched(self, step: timedelta) -> None:
        registrar, clock = classroom()
        clock.set(END + step)
        if step < timedelta(0):
            assert registrar.start("a-1", "lab").started_at == clock()
        else:
            assert codes(registrar, "start", "a-1", "lab") == ["assignment_expired"]
            assert registrar.may_start("a-1", "lab") == Decision([AssignmentExpired(END)])

    @pytest.mark.parametrize("step", STEPS)
    def test_before_the_creation_of_the_assignment_nothing_is(self, step: timedelta) -> None:
        registrar, clock = classroom()
        clock.set(START + step)
        if step < timedelta(0):
            assert codes(registrar, "start", "a-1", "lab") == ["assignment_not_active"]
            assert registrar.may_start("a-1", "lab").changes_at == START
        else:
            assert registrar.start("a-1", "lab").started_at == clock()

    def test_under_a_cancelled_one_nothing_is(self) -> None:
        registrar, _ = classroom()
        registrar.cancel("a-1")
        assert codes(registrar, "start", "a-1", "lab") == ["already_cancelled"]
        assert attempts(registrar) == []

    def test_one_that_came_to_life_again_can_be_gone_on_with(self) -> None:
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
        assert after.completion is CompletionStatus.COMPLETE

    def test_an_archived_course_can_still_be_learnt(self) -> None:
        registrar, _ = classroom()
        registrar.update(attrs.evolve(LESSONS, archived=True, content_provider=None))
        assert registrar.start("a-1", "lab").number == 1

    def test_two_activities_may_be_open_at_once_one_activity_only_once(self) -> None:
        registrar, _, attempt = lesson()
        registrar.start("a-1", "film")
        assert codes(registrar, "start", "a-1", "lab") == ["attempt_open"]
        assert registrar.may_start("a-1", "lab") == Decision([AttemptOpen(attempt.id)])
        registrar.pause(attempt.id)
        assert codes(registrar, "start", "a-1", "lab") == ["attempt_open"]

    def test_another_assignment_of_the_course_has_attempts_of_its_own(self) -> None:
        registrar, _, _ = lesson()
        registrar.assign("lessons", "ada", id="a-2")
        assert registrar.start("a-2", "lab").number == 1

    def test_each_retake_is_an_attempt_with_the_next_number(self) -> None:
        registrar, clock = classroom()
        for number in (1, 2, 3):
            attempt = registrar.start("a-1", "lab")
            assert attempt.number == number
            assert attempt.id == Attempt.id_for("a-1", "lab", number)
            # The next may begin in the instant in which the last one ended.
            clock.advance(HOUR)
            registrar.finish(attempt.id)
        assert registrar.start("a-1", "film").number == 1
        assert [one.number for one in attempts(registrar, activity_id="lab")] == [1, 2, 3]

    def test_what_was_stored_without_its_first_number_goes_on_from_its_last(self) -> None:
        registrar, _ = classroom()
        second = Attempt(
            id=Attempt.id_for("a-1", "lab", 2),
            assignment_id="a-1",
            activity_id="lab",
            number=2,
            started_at=START,
            finished_at=START,
        )
        registrar.repository.commit(Change(create=[second]))
        assert registrar.start("a-1", "lab").number == 3

    @pytest.mark.parametrize("step", STEPS)
    def test_a_clock_that_went_back_starts_nothing_before_the_last_attempt_ended(
        self, step: timedelta
    ) -> None:
        registrar, clock, attempt = lesson()
        registrar.finish(attempt.id)
        clock.set(START + HOUR + step)
        if step < timedelta(0):
            assert codes(registrar, "start", "a-1", "lab") == ["attempt_ahead"]
            assert registrar.may_start("a-1", "lab") == Decision(
                [AttemptAhead(START + HOUR)], START + HOUR
            )
        else:
            assert registrar.start("a-1", "lab").number == 2

    def test_everything_at_once(self) -> None:
        registrar, clock, _ = lesson()
        registrar.reschedule("a-1", clock())
        clock.set(START - TICK)
        assert codes(registrar, "start", "a-1", "lab", by="bo") == [
            "role_missing",
            "organization_not_managed",
            "assignment_not_active",
            "attempt_open",
            "attempt_ahead",
        ]


class TestStartUnderAnId:
    """If what it would make exists under that id with the same content, it is returned and nothing
    happens; if it differs, `Conflict` at once. This check comes before any policy."""

    def test_a_second_time_it_returns_the_same_as_it_stands_now(self) -> None:
        registrar, clock = classroom()
        first = registrar.start("a-1", "lab", id="x-1")
        for change in (registrar.pause, registrar.resume, registrar.finish):
            now = change(first.id)
            before = contents(registrar.repository)
            for by in (None, "bo", "nobody"):
                assert registrar.may_start("a-1", "lab", id="x-1", by=by) == Decision()
                assert registrar.start("a-1", "lab", id="x-1", by=by) == now
            assert contents(registrar.repository) == before
        clock.set(END)
        assert registrar.start("a-1", "lab", id="x-1").number == 1

    def test_of_several_retakes_the_one_under_the_id_is_returned(self) -> None:
        registrar, _ = classroom()
        made = [
            registrar.finish(registrar.start("a-1", "lab", id=one).id)
            for one in ("x-1", "x-2", "x-3")
        ]
        assert [one.number for one in made] == [1, 2, 3]
        assert [registrar.start("a-1", "lab", id=f"x-{one}") for one in (1, 2, 3)] == made

    def test_another_activity_under_it_is_a_conflict(self) -> None:
        registrar, _ = classroom()
        registrar.start("a-1", "lab", id="x-1")
        conflict = error(Conflict, registrar, "start", "a-1", "film", id="x-1")
        assert conflict == Conflict(("x-1",), "id_taken")

    def test_another_assignment_under_it_is_a_conflict(self) -> None:
        registrar, _ = classroom()
        registrar.assign("lessons", "bo", id="a-2")
        registrar.start("a-1", "lab", id="x-1")
        assert error(Conflict, registrar, "start", "a-2", "lab", id="x-1").ids == ("x-1",)

    def test_a_first_time_that_was_refused_left_nothing(self) -> None:
        registrar, clock, attempt = lesson()
        assert codes(registrar, "start", "a-1", "lab", id="x-1") == ["attempt_open"]
        registrar.finish(attempt.id)
        assert registrar.start("a-1", "lab", id="x-1").started_at == clock()

    def test_two_at_once_under_one_id_get_one_and_the_same(self) -> None:
        made: list[Attempt] = []
        registrar, _, repository = barged(
            lambda other: made.append(other.start("a-1", "lab", id="x-1"))
        )
        registrar.add(LESSONS)
        registrar.assign("lessons", "ada", id="a-1")
        repository.open = True
        assert registrar.start("a-1", "lab", id="x-1") == made[0]
        assert attempts(registrar) == made

    def test_without_an_id_the_second_is_refused(self) -> None:
        # The negative control: what the id is for.
        registrar, _, repository = barged(lambda other: other.start("a-1", "lab"))
        registrar.add(LESSONS)
        registrar.assign("lessons", "ada", id="a-1")
        repository.open = True
        with pytest.raises(Refused) as caught:
            registrar.start("a-1", "lab")
        assert [one.code for one in caught.value.decision.reasons] == ["attempt_open"]

    def test_of_two_activities_at_once_under_one_id_one_starts(self) -> None:
        registrar, _, repository = barged(lambda other: other.start("a-1", "film", id="x-1"))
        registrar.add(LESSONS)
        registrar.assign("lessons", "ada", id="a-1")
        registrar.start("a-1", "play")
        repository.open = True
        with pytest.raises(Conflict) as caught:
            registrar.start("a-1", "lab", id="x-1")
        assert caught.value == Conflict(("x-1",), "id_taken")
        assert registrar.start("a-1", "film", id="x-1").activity_id == "film"


class TestPauseAndResume:
    """Pause as long as the assignment remains active; pausing never moves the end of access."""

    def test_it_rests_from_one_instant_to_the_other(self) -> None:
        registrar, clock, attempt = lesson()
        assert registrar.may_pause(attempt.id) == Decision((), END)
        paused = registrar.pause(attempt.id)
        assert paused == attrs.evolve(attempt, pauses=[Pause(START + HOUR)])
        assert stored(registrar, attempt) == paused
        clock.advance(20 * MINUTE)
        assert registrar.may_resume(attempt.id) == Decision((), END)
        resumed = registrar.resume(attempt.id, by="ada")
        rest = Pause(START + HOUR, START + HOUR + 20 * MINUTE)
        assert resumed == attrs.evolve(attempt, pauses=[rest])
        assert stored(registrar, attempt) == resumed
        clock.advance(HOUR)
        registrar.pause(attempt.id)
        clock.advance(HOUR)
        again = registrar.resume(attempt.id)
        assert again.pauses == (rest, Pause(clock() - HOUR, clock()))
        assert again.time_spent(clock()) == 2 * HOUR
        subjects = (attempt.id, "a-1", "ada")
        assert told(registrar, "pause", "resume") == [
            *(("pause", *subjects), ("resume", *subjects)) * 2
        ]
        assert [one.by for one in events(registrar)[-4:]] == [None, "ada", None, None]

    @given(st.lists(st.timedeltas(timedelta(0), 20 * DAY), max_size=6))
    def test_the_end_of_access_never_moves(self, gaps: list[timedelta]) -> None:
        registrar, clock, attempt = lesson()
        before = made_by(registrar, "a-1")
        for number, gap in enumerate(gaps):
            clock.set(clock() + gap)
            (registrar.resume if number % 2 else registrar.pause)(attempt.id)
        assert made_by(registrar, "a-1") == before
        assert stored(registrar, attempt).time_spent(clock()) == HOUR + sum(gaps[::2], timedelta(0))

    def test_it_may_be_paused_and_resumed_in_the_instant_of_its_start(self) -> None:
        registrar, _ = classroom()
        attempt = registrar.start("a-1", "lab")
        registrar.pause(attempt.id)
        registrar.resume(attempt.id)
        assert registrar.finish(attempt.id).time_spent(END) == timedelta(0)

    def test_what_rests_is_not_paused_and_what_does_not_is_not_resumed(self) -> None:
        registrar, clock, attempt = lesson()
        assert codes(registrar, "resume", attempt.id) == ["attempt_not_paused"]
        assert registrar.may_resume(attempt.id) == Decision([AttemptNotPaused()])
        registrar.pause(attempt.id)
        assert codes(registrar, "pause", attempt.id) == ["attempt_paused"]
        assert registrar.may_pause(attempt.id) == Decision([AttemptPaused(clock())])

    @pytest.mark.parametrize("resting", [False, True])
    def test_what_is_finished_is_neither(self, *, resting: bool) -> None:
        registrar, clock, attempt = lesson()
        if resting:
            registrar.pause(attempt.id)
        registrar.finish(attempt.id)
        clock.advance(HOUR)
        for command in ("pause", "resume"):
            decision = getattr(registrar, f"may_{command}")(attempt.id)
            assert decision == Decision([NoAttemptOpen(START + HOUR)])
            assert codes(registrar, command, attempt.id) == ["no_attempt_open"]

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
        clock.set(START + HOUR + step)
        for command in ("resume", "finish"):
            if step < timedelta(0):
                assert codes(registrar, command, attempt.id) == ["attempt_ahead"]
                decision = getattr(registrar, f"may_{command}")(attempt.id)
                assert decision == Decision([AttemptAhead(START + HOUR)], START + HOUR)
            else:
                assert getattr(registrar, f"may_{command}")(attempt.id).allowed

    def test_everything_at_once(self) -> None:
        registrar, clock, attempt = lesson("film")
        registrar.pause(attempt.id)
        registrar.cancel("a-1")
        clock.set(START - TICK)
        everyone = ["role_missing", "organization_not_managed"]
        access = ["assignment_not_active", "already_cancelled"]
        assert codes(registrar, "pause", attempt.id, by="bo") == [
            *everyone,
            *access,
            "attempt_paused",
            "attempt_ahead",
        ]
        assert codes(registrar, "resume", attempt.id, by="bo") == [
            *everyone,
            *access,
            "attempt_ahead",
        ]
        assert codes(registrar, "finish", attempt.id, by="bo") == [
            *everyone,
            *access,
            "attempt_ahead",
        ]


class TestFinish:
    """All required activities finished = complete."""

    @pytest.mark.parametrize("order", [("lab", "film"), ("film", "lab")])
    def test_the_last_required_one_completes_the_assignment(self, order: tuple[str, ...]) -> None:
        registrar, clock = classroom()
        begun = [registrar.start("a-1", one) for one in order]
        completions = []
        for attempt in begun:
            clock.advance(HOUR)
            assert registrar.may_finish(attempt.id) == Decision()
            finished = registrar.finish(attempt.id)
            assert finished == attrs.evolve(attempt, finished_at=clock())
            assert stored(registrar, attempt) == finished
            completions.append(made_by(registrar, "a-1").completion)
        assert completions == [CompletionStatus.INCOMPLETE, CompletionStatus.COMPLETE]
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

    def test_a_retake_takes_nothing_away_and_completes_nothing_twice(self) -> None:
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

    def test_a_course_without_required_ones_is_completed_by_an_administrator_only(self) -> None:
        registrar, _ = classroom()
        registrar.assign("free", "ada", id="a-2")
        registrar.finish(registrar.start("a-2", "link").id)
        assert made_by(registrar, "a-2").finished == {"link"}
        assert made_by(registrar, "a-2").completion is CompletionStatus.INCOMPLETE
        assert registrar.complete("a-2", by="manager").completion is CompletionStatus.COMPLETE

    def test_what_the_course_requires_now_counts(self) -> None:
        registrar, _, lab = lesson()
        *others, _ = LESSONS.activities
        only_lab = [attrs.evolve(one, required=one.id == "lab") for one in others]
        registrar.update(attrs.evolve(LESSONS, activities=only_lab))
        registrar.finish(lab.id)
        assert made_by(registrar, "a-1").completion is CompletionStatus.COMPLETE

    def test_an_activity_that_the_course_has_no_more_can_be_finished(self) -> None:
        registrar, _, lab = lesson()
        registrar.update(attrs.evolve(LESSONS, activities=LESSONS.activities[1:]))
        registrar.finish(lab.id)
        assert made_by(registrar, "a-1").finished == {"lab"}
        assert made_by(registrar, "a-1").completed_at is None
        missing = error(NotFound, registrar, "start", "a-1", "lab")
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
        wanted = AssignmentStatus.ACTIVE if late < timedelta(0) else AssignmentStatus.EXPIRED
        assert after.status_at(clock()) is wanted

    def test_it_is_finished_once(self) -> None:
        registrar, clock, lab = lesson()
        registrar.finish(lab.id)
        clock.advance(HOUR)
        assert codes(registrar, "finish", lab.id) == ["no_attempt_open"]
        assert registrar.may_finish(lab.id) == Decision([NoAttemptOpen(START + HOUR)])

    @pytest.mark.parametrize("command", ["pause", "resume", "finish"])
    def test_one_that_was_finished_by_a_clock_ahead_says_both(self, command: str) -> None:
        registrar, clock, lab = lesson()
        registrar.finish(lab.id)
        clock.set(START)
        assert codes(registrar, command, lab.id) == ["no_attempt_open", "attempt_ahead"]

    @pytest.mark.parametrize("command", ["pause", "resume", "finish"])
    def test_what_speaks_against_the_assignment_is_told_before_the_attempt(
        self, command: str
    ) -> None:
        registrar, _, film = lesson("film")
        registrar.finish(film.id)
        registrar.cancel("a-1")
        assert codes(registrar, command, film.id) == ["already_cancelled", "no_attempt_open"]

    def test_under_a_cancelled_assignment_nothing_is_finished(self) -> None:
        registrar, _, film = lesson("film")
        registrar.cancel("a-1")
        assert codes(registrar, "finish", film.id) == ["already_cancelled"]


#: Each command, on an attempt of that name and in a world in which it is allowed.
COMMANDS: dict[str, Callable[[Registrar], tuple[str, ...]]] = {
    "start": lambda _: ("a-1", "link"),
    "pause": lambda of: (of.start("a-1", "film").id,),
    "resume": lambda of: (of.pause(of.start("a-1", "film").id).id,),
    "finish": lambda of: (of.start("a-1", "film").id,),
}


@pytest.mark.parametrize("command", COMMANDS)
class TestActing:
    """Learners act for themselves; for another it takes the roles that assigning takes, and the
    learner's organization among the managed ones."""

    @staticmethod
    def ready(command: str) -> tuple[Registrar, tuple[str, ...]]:
        registrar, _ = classroom()
        return registrar, COMMANDS[command](registrar)

    def test_learners_need_no_role(self, command: str) -> None:
        registrar, args = self.ready(command)
        assert getattr(registrar, f"may_{command}")(*args, by="ada").allowed
        getattr(registrar, command)(*args, by="ada")
        assert events(registrar)[-1].by == "ada"

    def test_other_learners_may_not(self, command: str) -> None:
        registrar, args = self.ready(command)
        for by in ("bo", "cy", "support"):
            assert codes(registrar, command, *args, by=by) == [
                "role_missing",
                "organization_not_managed",
            ]

    @pytest.mark.parametrize("role", Role)
    def test_each_role_opens_what_it_opens(self, command: str, role: Role) -> None:
        registrar, args = self.ready(command)
        registrar.update(attrs.evolve(MANAGER, roles={role}))
        if role is Role.SUPPORT:
            assert codes(registrar, command, *args, by="manager") == ["role_missing"]
        else:
            assert getattr(registrar, command)(*args, by="manager")
            assert events(registrar)[-1].by == "manager"

    def test_it_is_the_organization_that_the_learner_has_now(self, command: str) -> None:
        registrar, args = self.ready(command)
        registrar.update(attrs.evolve(ADA, organization_id="beta"))
        assert codes(registrar, command, *args, by="manager") == ["organization_not_managed"]
        assert getattr(registrar, command)(*args, by="sales")

    def test_the_answer_holds_until_it_changes_and_no_longer(self, command: str) -> None:
        registrar, clock = classroom()
        args = COMMANDS[command](registrar)

        def ask(at: datetime) -> Decision:
            clock.set(at)
            decision: Decision = getattr(registrar, f"may_{command}")(*args)
            return decision

        for at in (START - TICK, START, END - TICK, END):
            check_turn(ask, at, [START, END])

    def test_whoever_and_whatever_is_unknown_is_named(self, command: str) -> None:
        registrar, args = self.ready(command)
        kind = "CourseAssignment" if command == "start" else "Attempt"
        missing = error(NotFound, registrar, command, "t-9", *args[1:])
        assert (missing.kind, missing.id) == (kind, "t-9")
        missing = error(NotFound, registrar, command, *args, by="nobody")
        assert (missing.kind, missing.id) == ("User", "nobody")

    @pytest.mark.parametrize("junk", [None, 7, "", " ", "a" * 201, b"a-1", ["a-1"]])
    def test_what_can_be_no_id_is_invalid(self, command: str, junk: Any) -> None:
        registrar, args = self.ready(command)
        field = "assignment_id" if command == "start" else "attempt_id"
        assert error(InvalidInput, registrar, command, junk, *args[1:]).field == field
        if junk is not None:
            assert error(InvalidInput, registrar, command, *args, by=junk).field == "by"
        if command == "start":
            assert error(InvalidInput, registrar, command, "a-1", junk).field == "activity_id"
            if junk is not None:
                found = error(InvalidInput, registrar, command, "a-1", "lab", id=junk)
                assert found.field == "id"


class Unreadable(InMemoryRepository):
    """A repository whose attempts others are faster with, until it is mended."""

    is_broken = False

    def find(self, query: Query[RecordT], /) -> Page[RecordT]:
        if self.is_broken and isinstance(query, AttemptQuery):
            raise Conflict(("a-1",))
        return super().find(query)


def test_what_goes_wrong_in_the_repository_is_not_taken_for_bad_input() -> None:
    repository = Unreadable()
    registrar, _ = classroom(repository)
    repository.is_broken = True
    with pytest.raises(Conflict) as caught:
        registrar.start("a-1", "lab")
    assert caught.value.ids == ("a-1",)


class TestPoliciesOfTheHost:
    def test_retakes_can_be_limited(self) -> None:
        @attrs.frozen
        class Twice:
            def evaluate(self, attempts: Iterable[Attempt], *, at: datetime) -> Decision:
                del at
                often = len(list(attempts)) >= 2
                return Decision([CustomReason("x-twice", "Twice is enough.")] if often else [])

        registrar, _ = classroom(policies=Policies(attempt=Twice()))
        for _ in range(2):
            registrar.finish(registrar.start("a-1", "lab").id)
        assert codes(registrar, "start", "a-1", "lab") == ["x-twice"]

    @pytest.mark.parametrize("command", COMMANDS)
    def test_access_can_be_closed_at_night(self, command: str) -> None:
        opens_at = START + 12 * HOUR

        @attrs.frozen
        class ByDay:
            def evaluate(self, assignment: object, *, at: datetime) -> Decision:
                del assignment
                if START < at < opens_at:
                    return Decision([CustomReason("x-night", "It is night.")], opens_at)
                return Decision((), None if at >= opens_at else START + TICK)

        registrar, clock = classroom(policies=Policies(access=ByDay(), finish=ByDay()))
        args = COMMANDS[command](registrar)
        assert getattr(registrar, f"may_{command}")(*args) == Decision((), START + TICK)
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
