"""Learners and subscribers who do two things at once, on the in-memory repository.

Each race holds on the real repository, and beside it stands what it catches: the same race on a
repository with one guard taken away.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import TypeVar

import attrs
import pytest

from course_assignments import (
    Activity,
    ActivityKind,
    AssignmentQuery,
    Attempt,
    AttemptQuery,
    Change,
    CompletionStatus,
    Course,
    CourseAssignment,
    CourseAssignmentsError,
    Direct,
    ExpirationLimit,
    FromSubscription,
    InMemoryRepository,
    Months,
    Opening,
    Refused,
    Registrar,
    Subscription,
    find_all,
)
from tests.support.learning import LESSONS
from tests.support.order import Command, Table
from tests.support.races import (
    Gate,
    Habit,
    Make,
    Scene,
    amid,
    careless,
    codes_of,
    compares_nothing,
    expects_nothing,
    granted,
    honest,
    in_rounds,
    outcomes_of,
    overwrites,
    reckless,
    refusals,
    without_claims,
)
from tests.support.world import ACME, ADA, MANAGER, PYTHON, SALES, SQL, START

T = TypeVar("T")

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: A course with so many required films.
SERIES = Course(
    id="series",
    name="Series",
    content_provider="us",
    publishing_group="all",
    activities=[
        Activity(id=f"film-{number}", name="A film", kind=ActivityKind.VIDEO, required=True)
        for number in range(8)
    ],
)


def at_school(make: Make) -> Scene:
    """Return a scene in which Ada has assignment a-1, under which a film has been started."""
    scene = Scene(make())
    scene.registrar.add(SALES, LESSONS, SERIES)
    scene.registrar.assign("lessons", "ada", id="a-1")
    scene.registrar.start("a-1", "film")
    return scene


def subscribed(make: Make) -> Scene:
    """Return a scene in which Ada has subscription s-1, of which nothing is opened yet."""
    scene = Scene(make())
    scene.registrar.add(SALES, LESSONS)
    scene.registrar.subscribe(["py", "sql", "lessons"], "ada", duration=60 * DAY, id="s-1")
    return scene


def the_one(found: Sequence[T]) -> T:
    assert len(found) == 1
    return found[0]


def assignment(scene: Scene, id_: str = "a-1") -> CourseAssignment:
    return scene.repository.get(CourseAssignment, [id_])[id_]


def subscription(scene: Scene) -> Subscription:
    return scene.repository.get(Subscription, ["s-1"])["s-1"]


def attempts(scene: Scene, activity_id: str | None = None) -> list[Attempt]:
    found = find_all(scene.repository, AttemptQuery(activity_id=activity_id, limit=10_000))
    return sorted(found, key=lambda one: one.number)


def opened(scene: Scene) -> list[CourseAssignment]:
    """Return what came of subscription s-1, by whatever it is known."""
    found = find_all(scene.repository, AssignmentQuery(learner_id="ada"))
    return [one for one in found if one.origin == FromSubscription("s-1")]


def together(
    scene: Scene, commands: Sequence[Callable[[Registrar], T]]
) -> list[T | CourseAssignmentsError]:
    """Let all *commands* decide, and then commit."""
    gate = Gate(len(commands))
    registrar = scene.watched(gate.before("commit"))
    outcomes = outcomes_of(partial(one, registrar) for one in commands)
    assert gate.was_full
    return outcomes


class TestCancellingAndTheFirstLaunchAtOnce:
    """Never both, and no attempt is left under a cancelled assignment (rules 3 and 5)."""

    @staticmethod
    def play(make: Make, rounds: int, activity_id: str = "lab") -> None:
        scene = Scene(make())
        scene.registrar.add(LESSONS)
        made = [
            CourseAssignment(
                id=f"a-{number:05}",
                learner_id="ada",
                course_id="lessons",
                organization_id="acme",
                created_at=START,
                expires_at=START + 180 * DAY,
                limited_by=ExpirationLimit.MAXIMUM,
                origin=Direct(),
                # One under which a film was started before is only expected by a link.
                started_at=START if activity_id == "link" else None,
            )
            for number in range(rounds)
        ]
        scene.repository.commit(Change(create=made))
        commands: dict[str, Callable[[Registrar, str], CourseAssignment | Attempt]] = {
            "cancel": lambda of, id_: of.cancel(id_),
            "start": lambda of, id_: of.start(id_, activity_id),
        }
        cancels, starts = in_rounds(scene, [one.id for one in made], commands)
        stored = scene.repository.get(CourseAssignment, [one.id for one in made])
        begun = {one.assignment_id: one for one in attempts(scene)}
        for one, cancel, start in zip(made, cancels, starts, strict=True):
            if isinstance(start, Refused):
                assert codes_of(start) == ["already_cancelled"]
                assert one.id not in begun
                assert cancel == stored[one.id] == attrs.evolve(one, cancelled_at=START)
            else:
                assert start == begun[one.id]
                after = stored[one.id]
                if activity_id == "lab":
                    assert isinstance(cancel, Refused)
                    assert codes_of(cancel) == ["lab_launched"]
                    assert after.first_lab_launched_at == after.started_at == START
                    assert after.cancelled_at is None
                else:
                    # What was started before may be cancelled afterwards.
                    assert cancel == after == attrs.evolve(one, cancelled_at=START)
        told = [one.action for one in scene.events("cancel", "start")]
        assert told.count("start") == len(begun)
        assert told.count("cancel") == len(granted(cancels))
        assert rounds // 3 <= len(refusals(starts)) <= rounds - rounds // 3

    @pytest.mark.long
    def test_ten_thousand_times_never_both(self) -> None:
        self.play(InMemoryRepository, 10_000)

    def test_nor_is_anything_else_started_under_what_is_cancelled(self) -> None:
        self.play(InMemoryRepository, 60, "link")

    @pytest.mark.parametrize(
        ("habit", "activity_id"), [(compares_nothing, "lab"), (expects_nothing, "link")]
    )
    def test_it_takes_an_assignment_that_is_compared(self, habit: Habit, activity_id: str) -> None:
        with pytest.raises(AssertionError):
            self.play(careless(habit), 3, activity_id)


class TestOneOpenAttempt:
    """Of an activity there is one attempt at a time, and each has its number."""

    @staticmethod
    def play(make: Make, activity_id: str, earlier: int = 0) -> None:
        scene = at_school(make)
        for _ in range(earlier):
            scene.registrar.finish(scene.registrar.start("a-1", activity_id).id)
        outcomes = together(scene, [lambda of: of.start("a-1", activity_id)] * 16)
        only = the_one(granted(outcomes))
        found = attempts(scene, activity_id=activity_id)
        assert [one.number for one in found] == [*range(1, earlier + 2)]
        assert [one for one in found if one.is_open] == [only]
        for refused in refusals(outcomes):
            assert codes_of(refused) == ["attempt_open"]
            reason = the_one(refused.decision.reasons)
            assert getattr(reason, "attempt_id", None) == found[-1].id
        told = [one for one in scene.events("start") if found[-1].id in one.subject_ids]
        assert len(told) == 1

    @pytest.mark.parametrize("activity_id", ["lab", "link"])
    @pytest.mark.parametrize("earlier", [0, 2])
    def test_of_sixteen_who_start_it_one_does(self, activity_id: str, earlier: int) -> None:
        self.play(InMemoryRepository, activity_id, earlier)

    @pytest.mark.parametrize("earlier", [0, 2])
    def test_it_takes_an_id_that_all_of_them_write(self, earlier: int) -> None:
        with pytest.raises(AssertionError):
            self.play(careless(overwrites), "link", earlier)

    @staticmethod
    def play_under_an_id(make: Make, activity_id: str, id_: str | None = "x-1") -> None:
        scene = at_school(make)
        outcomes = together(scene, [lambda of: of.start("a-1", activity_id, id=id_)] * 16)
        only = the_one(attempts(scene, activity_id=activity_id))
        assert outcomes == [only] * 16
        told = [one for one in scene.events("start") if only.id in one.subject_ids]
        assert len(told) == 1

    @pytest.mark.parametrize("activity_id", ["lab", "link"])
    def test_under_one_id_all_of_them_get_it(self, activity_id: str) -> None:
        self.play_under_an_id(InMemoryRepository, activity_id)

    def test_that_takes_the_id(self) -> None:
        with pytest.raises(AssertionError):
            self.play_under_an_id(InMemoryRepository, "link", None)

    @pytest.mark.parametrize("activity_id", ["lab", "link"])
    def test_that_takes_a_create_that_loses(self, activity_id: str) -> None:
        with pytest.raises(AssertionError):
            self.play_under_an_id(careless(reckless), activity_id)

    @staticmethod
    def play_pauses(make: Make) -> None:
        scene = at_school(make)
        (film,) = attempts(scene)
        outcomes = together(scene, [lambda of: of.pause(film.id)] * 16)
        paused = the_one(granted(outcomes))
        assert {str(codes_of(one)) for one in refusals(outcomes)} == {"['attempt_paused']"}
        assert attempts(scene) == [paused]
        outcomes = together(scene, [lambda of: of.resume(film.id)] * 16)
        resumed = the_one(granted(outcomes))
        assert {str(codes_of(one)) for one in refusals(outcomes)} == {"['attempt_not_paused']"}
        assert attempts(scene) == [resumed]
        assert len(scene.events("pause", "resume")) == 2

    def test_it_is_paused_once_and_resumed_once(self) -> None:
        self.play_pauses(InMemoryRepository)

    def test_that_takes_an_attempt_that_is_compared(self) -> None:
        with pytest.raises(AssertionError):
            self.play_pauses(careless(compares_nothing))


class TestTheLastRequiredOnesFinishedAtOnce:
    """Finishing a required activity replaces the assignment, so that two last finishes cannot both
    see the other open."""

    @staticmethod
    def play(make: Make, left: int) -> None:
        scene = at_school(make)
        scene.registrar.assign("series", "ada", id="a-2")
        begun = [scene.registrar.start("a-2", one.id) for one in SERIES.activities]
        for one in begun[left:]:
            scene.registrar.finish(one.id)
        outcomes = together(
            scene, [partial(Registrar.finish, attempt_id=one.id) for one in begun[:left]]
        )
        assert len(granted(outcomes)) == left
        after = assignment(scene, "a-2")
        assert after.completion is CompletionStatus.COMPLETE
        assert after.finished == {one.id for one in SERIES.activities}
        assert len(scene.events("complete")) == 1
        assert scene.events()[-1].action == "complete"

    @pytest.mark.parametrize("left", [2, 3, 8])
    def test_the_assignment_is_complete(self, left: int) -> None:
        self.play(InMemoryRepository, left)

    def test_it_takes_an_assignment_that_is_compared(self) -> None:
        with pytest.raises(AssertionError):
            self.play(careless(compares_nothing), 2)

    @staticmethod
    def play_by_hand(make: Make) -> None:
        scene = at_school(make)
        (film,) = attempts(scene)
        scene.registrar.finish(scene.registrar.start("a-1", "lab").id)
        outcomes = together(
            scene,
            [*[lambda of: of.complete("a-1")] * 4, *[lambda of: of.finish(film.id)] * 4],
        )
        completions, finishes = outcomes[:4], outcomes[4:]
        assert len(granted(finishes)) == 1
        assert {str(codes_of(one)) for one in refusals(finishes)} == {"['no_attempt_open']"}
        assert len(granted(completions)) <= 1
        assert {str(codes_of(one)) for one in refusals(completions)} == {"['already_completed']"}
        assert len(scene.events("complete")) == 1
        assert assignment(scene).finished == {"lab", "film"}

    def test_it_is_completed_once_by_whomever(self) -> None:
        self.play_by_hand(InMemoryRepository)

    def test_that_too_takes_an_assignment_that_is_compared(self) -> None:
        with pytest.raises(AssertionError):
            self.play_by_hand(careless(compares_nothing))


class TestOpeningACourseOnManyThreads:
    """`open_course` replaces the subscription: it counts its openings."""

    @staticmethod
    def play(make: Make, *, own_ids: bool = False, earlier: int = 0) -> None:
        scene = subscribed(make)
        for _ in range(earlier):
            scene.registrar.cancel(scene.registrar.open_course("s-1", "py").id)
        ids = [f"x-{number}" if own_ids else None for number in range(16)]
        outcomes = together(
            scene,
            [
                partial(Registrar.open_course, subscription_id="s-1", course_id="py", id=one)
                for one in ids
            ],
        )
        only = the_one([one for one in opened(scene) if one.cancelled_at is None])
        assert outcomes == [only] * 16
        openings = subscription(scene).openings
        assert len(openings) == len({*openings}) == len(opened(scene)) == earlier + 1
        assert openings[-1] == Opening("py", only.id)
        assert len(scene.events("open_course")) == earlier + 1

    @pytest.mark.parametrize("own_ids", [False, True])
    @pytest.mark.parametrize("earlier", [0, 2])
    def test_there_is_one_assignment_and_all_of_them_get_it(
        self, *, own_ids: bool, earlier: int
    ) -> None:
        self.play(InMemoryRepository, own_ids=own_ids, earlier=earlier)

    def test_whatever_ids_they_give_it_takes_a_subscription_that_is_compared(self) -> None:
        with pytest.raises(AssertionError):
            self.play(careless(without_claims(compares_nothing)), own_ids=True)

    def test_where_they_give_none_it_takes_an_id_that_all_of_them_write_too(self) -> None:
        self.play(careless(compares_nothing))
        with pytest.raises(AssertionError):
            self.play(careless(reckless))

    @staticmethod
    def play_several(make: Make) -> None:
        scene = subscribed(make)
        courses = ["py", "sql", "lessons"]
        opening = partial(Registrar.open_course, subscription_id="s-1")
        # With ids of their own nothing but the subscription is in their way.
        wanted = [
            partial(opening, course_id=one, id=f"{one}-{turn}") for one in courses for turn in "123"
        ]
        assert len(granted(together(scene, wanted))) == 9
        assert sorted(one.course_id for one in opened(scene)) == sorted(courses)
        told = {one.assignment_id: one.course_id for one in subscription(scene).openings}
        assert told == {one.id: one.course_id for one in opened(scene)}

    def test_different_courses_are_all_counted(self) -> None:
        self.play_several(InMemoryRepository)

    def test_that_takes_a_subscription_that_is_compared(self) -> None:
        with pytest.raises(AssertionError):
            self.play_several(careless(compares_nothing))


def prepare_nothing(_: Registrar) -> None:
    """Leave the scene as it is."""


def open_lessons(of: Registrar) -> CourseAssignment:
    return of.open_course("s-1", "lessons", id="o-1")


def begin_lessons(of: Registrar) -> Attempt:
    open_lessons(of)
    return of.start("o-1", "film")


def drop_lessons(of: Registrar) -> Subscription:
    return of.edit_subscription("s-1", ["sql"])


class TestCancellingASubscriptionAmidOthers:
    """Cancelling the subscription replaces it and every assignment opened from it."""

    @staticmethod
    def check(scene: Scene) -> None:
        """Check that nothing is left of a subscription that is cancelled, and nothing launched."""
        after = subscription(scene)
        known = [one.assignment_id for one in after.openings]
        assert sorted(known) == sorted(one.id for one in opened(scene))
        if after.cancelled_at is not None:
            assert [one.id for one in opened(scene) if one.cancelled_at is None] == []
            launched = [one for one in opened(scene) if one.first_lab_launched_at is not None]
            assert launched == []

    def rival(
        self, make: Make, prepare: Command, command: Command, *, code: str, cancel_last: bool
    ) -> None:
        """Let one decide, the other act whole, and the first commit."""
        scene = subscribed(make)
        prepare(scene.registrar)
        cancel: Command = lambda of: of.cancel_subscription("s-1")  # noqa: E731 - a table's entry
        late, early = (cancel, command) if cancel_last else (command, cancel)
        (outcome,) = amid(scene, [late], lambda: early(scene.registrar))
        self.check(scene)
        if code:
            assert [codes_of(one) for one in refusals([outcome])] == [[code]]
        else:
            assert len(granted([outcome])) == 1

    #: What is prepared, what is done, why it is refused afterwards, and why cancelling is.
    RIVALS: tuple[tuple[Command, Command, str, str], ...] = (
        (prepare_nothing, open_lessons, "subscription_ended", ""),
        (open_lessons, lambda of: of.open_course("s-1", "py"), "subscription_ended", ""),
        (open_lessons, lambda of: of.start("o-1", "lab"), "already_cancelled", "lab_launched"),
        (begin_lessons, lambda of: of.start("o-1", "link"), "already_cancelled", ""),
        (begin_lessons, lambda of: of.start("o-1", "play"), "already_cancelled", "lab_launched"),
        (open_lessons, lambda of: of.reschedule("o-1", DAY), "already_cancelled", ""),
        (open_lessons, lambda of: of.complete("o-1"), "already_cancelled", ""),
        (open_lessons, lambda of: of.cancel("o-1"), "already_cancelled", ""),
        (
            prepare_nothing,
            lambda of: of.edit_subscription("s-1", ["sql"]),
            "subscription_ended",
            "",
        ),
    )

    @pytest.mark.parametrize(("prepare", "command", "refused", "kept"), RIVALS)
    def test_whoever_decided_before_it_is_refused_after_it(
        self, prepare: Command, command: Command, refused: str, kept: str
    ) -> None:
        self.rival(InMemoryRepository, prepare, command, code=refused, cancel_last=False)
        self.rival(InMemoryRepository, prepare, command, code=kept, cancel_last=True)

    @pytest.mark.parametrize(
        ("number", "cancel_last"),
        # Number 5 expects the subscription as well, and so has two guards.
        [*((number, False) for number in (0, 1, 2, 4, 6, 7, 8)), (0, True), (2, True)],
    )
    def test_it_takes_a_subscription_and_assignments_that_are_compared(
        self, number: int, *, cancel_last: bool
    ) -> None:
        prepare, command, refused, kept = self.RIVALS[number]
        code = kept if cancel_last else refused
        with pytest.raises(AssertionError):
            self.rival(
                careless(compares_nothing), prepare, command, code=code, cancel_last=cancel_last
            )

    def test_what_changes_nothing_about_an_assignment_has_to_expect_it(self) -> None:
        prepare, command, refused, _ = self.RIVALS[3]
        with pytest.raises(AssertionError):
            self.rival(careless(expects_nothing), prepare, command, code=refused, cancel_last=False)

    def play(self, make: Make) -> None:
        """Let eight open courses, eight cancel and eight launch a lab at once."""
        scene = subscribed(make)
        open_lessons(scene.registrar)
        kinds: list[tuple[Command, set[str]]] = [
            (lambda of: of.open_course("s-1", "py"), {"subscription_ended"}),
            (lambda of: of.cancel_subscription("s-1"), {"already_cancelled", "lab_launched"}),
            (lambda of: of.start("o-1", "lab"), {"already_cancelled", "attempt_open"}),
        ]
        outcomes = together(scene, [command for command, _ in kinds for _ in range(8)])
        self.check(scene)
        for number, (_, codes) in enumerate(kinds):
            found = refusals(outcomes[8 * number : 8 * number + 8])
            assert {*chain.from_iterable(map(codes_of, found))} <= codes
        # A lab was launched or the whole was cancelled, and neither twice.
        assert len(granted(outcomes[8:16])) + len(granted(outcomes[16:])) == 1

    def test_many_of_each_leave_it_in_order(self) -> None:
        for _ in range(5):
            self.play(InMemoryRepository)

    def test_that_takes_what_is_compared(self) -> None:
        with pytest.raises(AssertionError):
            self.play(careless(compares_nothing))


class TestOpeningAmidOthers:
    """Decided in one order or the other."""

    def play_edit(self, make: Make, *, edit_last: bool) -> None:
        scene = subscribed(make)
        commands: list[Command] = [
            lambda of: of.open_course("s-1", "py"),
            lambda of: of.edit_subscription("s-1", ["sql"]),
        ]
        late, early = commands[:: -1 if edit_last else 1]
        (outcome,) = amid(scene, [late], lambda: early(scene.registrar))
        after = subscription(scene)
        assert after.course_ids == ("sql",)
        assert [one.assignment_id for one in after.openings] == [one.id for one in opened(scene)]
        if edit_last:
            assert len(granted([outcome])) == len(opened(scene)) == 1
        else:
            assert [codes_of(one) for one in refusals([outcome])] == [
                ["course_not_in_subscription"]
            ]
            assert opened(scene) == []

    @pytest.mark.parametrize("edit_last", [False, True])
    def test_the_set_is_that_of_the_instant_in_which_it_is_opened(self, *, edit_last: bool) -> None:
        self.play_edit(InMemoryRepository, edit_last=edit_last)

    @pytest.mark.parametrize("edit_last", [False, True])
    def test_that_takes_a_subscription_that_is_compared(self, *, edit_last: bool) -> None:
        with pytest.raises(AssertionError):
            self.play_edit(careless(compares_nothing), edit_last=edit_last)

    @staticmethod
    def ended(make: Make) -> Scene:
        """Return a scene in which assignment o-1 was opened and has ended."""
        scene = subscribed(make)
        scene.registrar.open_course("s-1", "py", id="o-1")
        scene.clock.advance(HOUR)
        scene.registrar.reschedule("o-1", scene.clock())
        return scene

    def play_revival(self, make: Make) -> None:
        """Revive what had ended when a new one is about to be made."""
        scene = self.ended(make)
        (outcome,) = amid(
            scene,
            [lambda of: of.open_course("s-1", "py")],
            lambda: scene.registrar.reschedule("o-1", 10 * DAY),
        )
        only = the_one(opened(scene))
        assert [outcome] == [only]
        assert only.is_active_at(scene.clock())

    def test_what_came_to_life_again_meanwhile_is_the_one_that_is_opened(self) -> None:
        self.play_revival(InMemoryRepository)

    def test_that_takes_what_had_ended_to_be_expected(self) -> None:
        with pytest.raises(AssertionError):
            self.play_revival(careless(expects_nothing))

    def test_a_revived_assignment_stays_beside_the_new_one(self) -> None:
        """Rule 2: it may revive an expired assignment; so it does as if it had come later."""
        scene = self.ended(InMemoryRepository)
        (revived,) = amid(
            scene,
            [lambda of: of.reschedule("o-1", 10 * DAY)],
            lambda: scene.registrar.open_course("s-1", "py", id="o-2"),
        )
        assert [one.id for one in opened(scene) if one.is_active_at(scene.clock())] == [
            "o-1",
            "o-2",
        ]
        assert [one.action for one in scene.events()][-2:] == ["open_course", "reschedule"]
        assert isinstance(revived, CourseAssignment)

    def play_unavailable(self, make: Make) -> None:
        """Archive a course when it is about to be opened, subscribed to and added."""
        scene = subscribed(make)
        scene.registrar.subscribe(["sql"], "ada", duration=DAY, id="s-2")
        outcomes = amid(
            scene,
            [
                lambda of: of.open_course("s-1", "py"),
                lambda of: of.subscribe(["sql", "py"], "ada", duration=DAY),
                lambda of: of.edit_subscription("s-2", ["sql", "py"]),
            ],
            lambda: scene.registrar.update(attrs.evolve(PYTHON, archived=True)),
        )
        assert [codes_of(one) for one in refusals(outcomes)] == [["course_archived"]] * 3

    def test_nothing_new_is_made_of_a_course_once_it_is_archived(self) -> None:
        self.play_unavailable(InMemoryRepository)

    def test_that_takes_a_course_that_is_expected(self) -> None:
        with pytest.raises(AssertionError):
            self.play_unavailable(careless(expects_nothing))


def busy(make: Make) -> Scene:
    """Return a scene in which Ada is in the middle of learning and of a subscription."""
    scene = subscribed(make)
    of = scene.registrar
    of.assign("lessons", "ada", id="a-1")
    of.finish(of.start("a-1", "film").id)
    of.start("a-1", "film")
    of.pause(of.start("a-1", "link").id)
    return scene


def demote(of: Registrar) -> None:
    of.update(attrs.evolve(MANAGER, roles=()))


def move(of: Registrar) -> None:
    of.update(attrs.evolve(ADA, organization_id="beta"))


class TestWhatADecisionFound:
    """What a decision found present is replaced, used or expected."""

    #: What the manager does for Ada.
    BY_MANAGER: tuple[Command, ...] = (
        lambda of: of.start("a-1", "play", by="manager"),
        lambda of: of.pause(Attempt.id_for("a-1", "film", 2), by="manager"),
        lambda of: of.resume(Attempt.id_for("a-1", "link", 1), by="manager"),
        lambda of: of.finish(Attempt.id_for("a-1", "film", 2), by="manager"),
        lambda of: of.subscribe(["py"], "ada", duration=DAY, by="manager"),
        lambda of: of.edit_subscription("s-1", ["py"], by="manager"),
        lambda of: of.cancel_subscription("s-1", by="manager"),
        lambda of: of.open_course("s-1", "py", by="manager"),
        lambda of: of.cancel("a-1", by="manager"),
        lambda of: of.reschedule("a-1", 10 * DAY, by="manager"),
        lambda of: of.complete("a-1", by="manager"),
    )

    @staticmethod
    def refused(make: Make, command: Command, rival: Callable[[Registrar], object]) -> list[str]:
        """Return why *command* is refused once *rival* was faster."""
        scene = busy(make)
        (outcome,) = amid(scene, [command], lambda: rival(scene.registrar))
        return codes_of(the_one(refusals([outcome])))

    @pytest.mark.parametrize("command", BY_MANAGER)
    def test_a_lost_role_or_moved_learner_is_refused(self, command: Command) -> None:
        found = [self.refused(InMemoryRepository, command, one) for one in (demote, move)]
        assert found == [["role_missing"], ["organization_not_managed"]]

    @pytest.mark.parametrize("command", BY_MANAGER)
    @pytest.mark.parametrize("rival", [demote, move])
    def test_that_takes_people_who_are_expected(
        self, command: Command, rival: Callable[[Registrar], object]
    ) -> None:
        with pytest.raises(AssertionError):
            self.refused(careless(expects_nothing), command, rival)

    @pytest.mark.parametrize("command", BY_MANAGER[1:4])
    def test_under_an_assignment_that_was_cancelled_nothing_goes_on(self, command: Command) -> None:
        def cancel(of: Registrar) -> object:
            return of.cancel("a-1")

        assert self.refused(InMemoryRepository, command, cancel) == ["already_cancelled"]
        with pytest.raises(AssertionError):
            self.refused(careless(expects_nothing), command, cancel)

    def test_a_later_end_is_limited_by_the_present_organization(self) -> None:
        later: Command = lambda of: of.reschedule("a-1", 100 * DAY)  # noqa: E731 - as in a table
        assert self.refused(InMemoryRepository, later, move) == ["expires_too_late"]
        with pytest.raises(AssertionError):
            self.refused(careless(expects_nothing), later, move)

    @staticmethod
    def ends(make: Make) -> list[object]:
        """Return the ends of what is made while the organization gets another zone and maximum."""
        scene = busy(make)
        outcomes = amid(
            scene,
            [
                lambda of: of.open_course("s-1", "py").expires_at,
                lambda of: of.subscribe(["py"], "ada", duration=Months(3)).expires_at,
            ],
            lambda: scene.registrar.update(
                attrs.evolve(ACME, maximum_access=5 * DAY, time_zone="UTC")
            ),
        )
        return [*outcomes]

    def test_an_end_counts_by_the_organization_as_it_is_then(self) -> None:
        # In Berlin the clocks would have changed in between.
        wanted = [START + 5 * DAY, START.replace(month=4)]
        assert self.ends(InMemoryRepository) == wanted
        assert self.ends(careless(expects_nothing)) == [
            START + 60 * DAY,
            START.replace(month=4) - HOUR,
        ]


def school() -> Scene:
    """Return a scene with two learners in the middle of everything."""
    scene = Scene(InMemoryRepository())
    of = scene.registrar
    of.add(SALES, LESSONS)
    of.assign("lessons", "ada", id="a-1")
    of.start("a-1", "film")
    of.pause(of.start("a-1", "play", id="x-0").id)
    of.assign("lessons", "bo", id="a-2")
    of.start("a-2", "lab")
    of.start("a-2", "film")
    of.assign("lessons", "ada", id="a-3")
    scene.clock.advance(HOUR)
    return scene


def attempt_id(assignment_id: str, activity_id: str, number: int = 1) -> str:
    return Attempt.id_for(assignment_id, activity_id, number)


#: Commands of learners, and of others that come in their way.
LEARNING: dict[str, Command] = {
    "start": lambda of: of.start("a-1", "lab"),
    "start under an id": lambda of: of.start("a-1", "lab", id="x-1"),
    "start another": lambda of: of.start("a-1", "link", by="manager"),
    "first launch": lambda of: of.start("a-3", "lab", by="ada"),
    "first start": lambda of: of.start("a-3", "link"),
    "cancel": lambda of: of.cancel("a-3"),
    "pause": lambda of: of.pause(attempt_id("a-1", "film"), by="ada"),
    "resume": lambda of: of.resume(attempt_id("a-1", "play")),
    "finish": lambda of: of.finish(attempt_id("a-1", "film"), by="ada"),
    "finish lab": lambda of: of.finish(attempt_id("a-2", "lab")),
    "finish film": lambda of: of.finish(attempt_id("a-2", "film")),
    "complete": lambda of: of.complete("a-2"),
    "end": lambda of: of.reschedule("a-1", of._clock()),  # noqa: SLF001 - the present instant
    "require less": lambda of: of.update(attrs.evolve(LESSONS, activities=LESSONS.activities[::3])),
    "change ada": lambda of: of.update(attrs.evolve(ADA, organization_id="beta")),
    "change manager": lambda of: of.update(attrs.evolve(MANAGER, roles=())),
}


def subscriptions() -> Scene:
    """Return a scene with subscriptions of which something is opened, ended and launched."""
    scene = Scene(InMemoryRepository())
    of = scene.registrar
    of.add(SALES, LESSONS)
    of.subscribe(["py", "sql", "lessons"], "ada", duration=60 * DAY, id="s-1")
    of.open_course("s-1", "lessons", id="o-1")
    of.start("o-1", "film")
    of.open_course("s-1", "sql", id="o-2")
    scene.clock.advance(HOUR)
    of.reschedule("o-2", scene.clock())
    return scene


#: Commands on subscriptions, and what they meet.
SUBSCRIBING: dict[str, Command] = {
    "open": lambda of: of.open_course("s-1", "py", by="ada"),
    "open under an id": lambda of: of.open_course("s-1", "py", id="x-1"),
    "open what is open": lambda of: of.open_course("s-1", "lessons"),
    "open again": lambda of: of.open_course("s-1", "sql"),
    "revive": lambda of: of.reschedule("o-2", 10 * DAY),
    "edit": lambda of: of.edit_subscription("s-1", ["sql"], by="manager"),
    "edit back": lambda of: of.edit_subscription("s-1", ["py", "sql", "lessons"]),
    "cancel": lambda of: of.cancel_subscription("s-1"),
    "cancel one": lambda of: of.cancel("o-1"),
    "launch": lambda of: of.start("o-1", "lab"),
    "go on": lambda of: of.start("o-1", "link"),
    "subscribe": lambda of: of.subscribe(["py"], "ada", duration=DAY, id="s-2"),
    "subscribe otherwise": lambda of: of.subscribe(["sql"], "ada", duration=DAY, id="s-2"),
    "archive": lambda of: of.update(attrs.evolve(PYTHON, archived=True)),
    "shorten": lambda of: of.update(attrs.evolve(SQL, maximum_access=DAY)),
    "change ada": lambda of: of.update(attrs.evolve(ADA, organization_id="beta")),
}


LEARNERS, SUBSCRIBERS = Table(LEARNING), Table(SUBSCRIBING)


class TestOneAfterTheOther:
    """Whatever two commands do at once, one of them might as well have come first."""

    @pytest.mark.parametrize("name", LEARNING)
    def test_learning_commands_that_meet_have_a_serial_order(self, name: str) -> None:
        assert LEARNERS.all_differences(InMemoryRepository, school(), name) == []

    @pytest.mark.parametrize("name", SUBSCRIBING)
    def test_subscription_commands_that_meet_have_a_serial_order(self, name: str) -> None:
        assert SUBSCRIBERS.all_differences(InMemoryRepository, subscriptions(), name) == []

    @pytest.mark.parametrize(
        ("habit", "name", "other"),
        [
            (compares_nothing, "first launch", "cancel"),
            (compares_nothing, "cancel", "first launch"),
            (compares_nothing, "finish lab", "finish film"),
            (compares_nothing, "complete", "finish film"),
            (compares_nothing, "finish", "pause"),
            (compares_nothing, "pause", "pause"),
            (compares_nothing, "resume", "resume"),
            (expects_nothing, "start another", "end"),
            (expects_nothing, "pause", "end"),
            (expects_nothing, "resume", "end"),
            (expects_nothing, "finish lab", "require less"),
            (expects_nothing, "start another", "require less"),
            (expects_nothing, "start another", "change ada"),
            (expects_nothing, "start another", "change manager"),
            (overwrites, "start another", "start another"),
            (reckless, "start", "start under an id"),
        ],
    )
    def test_for_learners_it_takes_every_guard(self, habit: Habit, name: str, other: str) -> None:
        assert LEARNERS.differences(careless(habit), school(), name, other) != []

    @pytest.mark.parametrize(
        ("habit", "name", "other"),
        [
            (compares_nothing, "open", "edit"),
            (compares_nothing, "open", "cancel"),
            (compares_nothing, "open", "open under an id"),
            (compares_nothing, "edit", "open"),
            (compares_nothing, "cancel", "open"),
            (compares_nothing, "cancel", "launch"),
            (compares_nothing, "launch", "cancel"),
            (compares_nothing, "revive", "cancel"),
            (compares_nothing, "cancel one", "cancel"),
            (expects_nothing, "go on", "cancel"),
            (expects_nothing, "open again", "revive"),
            (expects_nothing, "open again", "shorten"),
            (expects_nothing, "open", "archive"),
            (expects_nothing, "open", "change ada"),
            (expects_nothing, "subscribe", "archive"),
            (expects_nothing, "subscribe", "change ada"),
            (expects_nothing, "edit", "change ada"),
            (overwrites, "subscribe", "subscribe otherwise"),
        ],
    )
    def test_for_subscribers_it_takes_every_guard(
        self, habit: Habit, name: str, other: str
    ) -> None:
        assert SUBSCRIBERS.differences(careless(habit), subscriptions(), name, other) != []

    def test_nothing_else_about_a_careless_repository_is_wrong(self) -> None:
        assert LEARNERS.all_differences(careless(honest), school(), "finish lab") == []
        assert SUBSCRIBERS.all_differences(careless(honest), subscriptions(), "open") == []
