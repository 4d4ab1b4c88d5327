"""Learners and subscribers who do two things at once, on the in-memory repository.

Each race has controls: it has to fail on a repository without one guard.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import Any

import attrs
import pytest

import course_assignments as ca
from course_assignments.testing.samples import course
from tests.support import races
from tests.support.acts import GIVEN
from tests.support.learning import FREE, LESSONS
from tests.support.order import Command, Table
from tests.support.races import (
    Habit,
    Make,
    Scene,
    amid,
    codes_of,
    granted,
    in_rounds,
    race,
    refusals,
    the_one,
    together,
)
from tests.support.world import ACME, ADA, MANAGER, PYTHON, SALES, SQL, START

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: A course with eight required films.
SERIES = course(
    "series",
    *(
        ca.Activity(id=f"film-{number}", name="A film", kind=ca.ActivityKind.VIDEO, required=True)
        for number in range(8)
    ),
)


def learning(make: Make) -> Scene:
    """Return a scene in which Ada has assignment a-1, under which a film has been started."""
    scene = Scene(make())
    scene.registrar.add(SALES, LESSONS, SERIES)
    scene.registrar.assign("lessons", "ada", id="a-1")
    scene.registrar.start("a-1", "film")
    return scene


def subscribed(make: Make) -> Scene:
    """Return a scene in which Ada has subscription s-1, of which nothing is opened yet."""
    scene = Scene(make())
    scene.registrar.add(SALES, LESSONS, FREE)
    scene.registrar.subscribe(["py", "sql", "lessons"], "ada", duration=60 * DAY, id="s-1")
    return scene


def subscription(scene: Scene) -> ca.Subscription:
    return scene.repository.get(ca.Subscription, ["s-1"])["s-1"]


def attempts(scene: Scene, activity_id: str | None = None) -> list[ca.Attempt]:
    found = ca.find_all(scene.repository, ca.AttemptQuery(activity_id=activity_id, limit=10_000))
    return sorted(found, key=lambda one: one.number)


def opened(scene: Scene) -> list[ca.CourseAssignment]:
    """Return what was opened from subscription s-1, by the origin of the assignments."""
    found = ca.find_all(scene.repository, ca.AssignmentQuery(learner_id="ada"))
    return [one for one in found if one.origin == ca.FromSubscription("s-1")]


@race(
    {"rounds": 60, "activity_id": "link"},
    long=[{"rounds": 10_000, "activity_id": "lab"}],
    controls=[
        (races.compares_nothing, {"rounds": 3, "activity_id": "lab"}),
        (races.expects_nothing, {"rounds": 3, "activity_id": "link"}),
    ],
)
def test_no_attempt_is_started_under_a_cancelled_assignment(
    make: Make, rounds: int, activity_id: str
) -> None:
    """Cancelling and the first launch of a lab are never both done (rules 3 and 5)."""
    scene = Scene(make())
    scene.registrar.add(LESSONS)
    # An assignment that was started before is only expected when a link is started.
    started_at = START if activity_id == "link" else None
    made = [
        attrs.evolve(GIVEN, id=f"a-{number:05}", course_id="lessons", started_at=started_at)
        for number in range(rounds)
    ]
    scene.repository.commit(ca.Change(create=made))
    commands: dict[str, Callable[[ca.Registrar, str], ca.CourseAssignment | ca.Attempt]] = {
        "cancel": lambda of, id_: of.cancel(id_),
        "start": lambda of, id_: of.start(id_, activity_id),
    }
    cancels, starts = in_rounds(scene, [one.id for one in made], commands)
    stored = scene.repository.get(ca.CourseAssignment, [one.id for one in made])
    begun = {one.assignment_id: one for one in attempts(scene)}
    for one, cancel, start in zip(made, cancels, starts, strict=True):
        after = stored[one.id]
        if isinstance(start, ca.Refused):
            assert codes_of(start) == ["already_cancelled"]
            assert one.id not in begun
            assert cancel == after == attrs.evolve(one, cancelled_at=START)
            continue
        assert start == begun[one.id]
        if activity_id == "lab":
            assert isinstance(cancel, ca.Refused)
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


def started(scene: Scene, attempt: ca.Attempt) -> int:
    """Return how many events tell that *attempt* was started."""
    return sum(attempt.id in one.subject_ids for one in scene.events("start"))


@race(
    *({"activity_id": one, "earlier": earlier} for one in ("lab", "link") for earlier in (0, 2)),
    controls=[
        (races.overwrites, {"activity_id": "link", "earlier": earlier}) for earlier in (0, 2)
    ],
)
def test_of_sixteen_who_start_an_activity_one_does(
    make: Make, activity_id: str, earlier: int
) -> None:
    """An activity has one open attempt at a time, and each attempt has its number."""
    scene = learning(make)
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
        assert getattr(reason, "attempt_id", None) == only.id
    assert started(scene, only) == 1


@race(
    *({"activity_id": activity_id, "id": "x-1"} for activity_id in ("lab", "link")),
    controls=[
        (ca.InMemoryRepository, {"activity_id": "link", "id": None}),
        *(
            (races.reckless, {"activity_id": activity_id, "id": "x-1"})
            for activity_id in ("lab", "link")
        ),
    ],
)
def test_all_who_start_an_activity_under_one_id_get_one_attempt(
    make: Make, activity_id: str, id: str | None
) -> None:
    scene = learning(make)
    outcomes = together(scene, [lambda of: of.start("a-1", activity_id, id=id)] * 16)
    only = the_one(attempts(scene, activity_id=activity_id))
    assert outcomes == [only] * 16
    assert started(scene, only) == 1


@race(*({"left": left} for left in (2, 3, 8)), controls=[(races.compares_nothing, {"left": 2})])
def test_required_activities_finished_at_once_complete_the_assignment(
    make: Make, left: int
) -> None:
    """Finishing one replaces the assignment, so two last finishes cannot both miss the other."""
    scene = learning(make)
    scene.registrar.assign("series", "ada", id="a-2")
    begun = [scene.registrar.start("a-2", one.id) for one in SERIES.activities]
    for one in begun[left:]:
        scene.registrar.finish(one.id)
    finish = [partial(ca.Registrar.finish, attempt_id=one.id) for one in begun[:left]]
    assert len(granted(together(scene, finish))) == left
    after = scene.repository.get(ca.CourseAssignment, ["a-2"])["a-2"]
    assert after.completion is ca.CompletionStatus.COMPLETE
    assert after.finished == {one.id for one in SERIES.activities}
    assert len(scene.events("complete")) == 1
    assert scene.events()[-1].action == "complete"


@race(
    *({"own_ids": own_ids, "earlier": earlier} for own_ids in (False, True) for earlier in (0, 2)),
    {"make": races.careless(races.compares_nothing), "own_ids": False, "earlier": 0},
    controls=[
        (races.without_claims(races.compares_nothing), {"own_ids": True, "earlier": 0}),
        (races.reckless, {"own_ids": False, "earlier": 0}),
    ],
)
def test_all_who_open_a_course_get_one_assignment(
    make: Make, *, own_ids: bool, earlier: int
) -> None:
    """`open_course` replaces the subscription, which counts its openings.

    Without ids of their own, all of them write the same id as well: a second guard.
    """
    scene = subscribed(make)
    for _ in range(earlier):
        scene.registrar.cancel(scene.registrar.open_course("s-1", "py").id)
    ids = [f"x-{number}" if own_ids else None for number in range(16)]
    opening = partial(ca.Registrar.open_course, subscription_id="s-1", course_id="py")
    outcomes = together(scene, [partial(opening, id=one) for one in ids])
    only = the_one([one for one in opened(scene) if one.cancelled_at is None])
    assert outcomes == [only] * 16
    openings = subscription(scene).openings
    assert len(openings) == len({*openings}) == len(opened(scene)) == earlier + 1
    assert openings[-1] == ca.Opening("py", only.id)
    assert len(scene.events("open_course")) == earlier + 1


@race(*[{}] * 5, controls=[(races.compares_nothing, {})])
def test_a_cancelled_subscription_leaves_nothing_open_or_launched(make: Make) -> None:
    """Eight open courses, eight cancel and eight launch a lab at once."""
    scene = subscribed(make)
    scene.registrar.open_course("s-1", "lessons", id="o-1")
    kinds: list[tuple[Command, set[str]]] = [
        (lambda of: of.open_course("s-1", "py"), {"subscription_ended"}),
        (lambda of: of.cancel_subscription("s-1"), {"already_cancelled", "lab_launched"}),
        (lambda of: of.start("o-1", "lab"), {"already_cancelled", "attempt_open"}),
    ]
    outcomes = together(scene, [command for command, _ in kinds for _ in range(8)])
    after, made = subscription(scene), opened(scene)
    assert sorted(one.assignment_id for one in after.openings) == sorted(one.id for one in made)
    if after.cancelled_at is not None:
        assert all(one.cancelled_at is not None for one in made)
        assert all(one.first_lab_launched_at is None for one in made)
    for number, (_, codes) in enumerate(kinds):
        found = refusals(outcomes[8 * number : 8 * number + 8])
        assert {*chain.from_iterable(map(codes_of, found))} <= codes
    # Either a lab was launched or the subscription was cancelled, once.
    assert len(granted(outcomes[8:16])) + len(granted(outcomes[16:])) == 1


def test_a_revived_assignment_stays_beside_the_new_one() -> None:
    """Rule 2: it may revive an expired assignment, as if it had come later."""
    scene = subscribed(ca.InMemoryRepository)
    scene.registrar.open_course("s-1", "py", id="o-1")
    scene.clock.advance(HOUR)
    scene.registrar.reschedule("o-1", scene.clock())
    (revived,) = amid(
        scene,
        [lambda of: of.reschedule("o-1", 10 * DAY)],
        lambda: scene.registrar.open_course("s-1", "py", id="o-2"),
    )
    active = [one.id for one in opened(scene) if one.is_active_at(scene.clock())]
    assert active == ["o-1", "o-2"]
    assert [one.action for one in scene.events()][-2:] == ["open_course", "reschedule"]
    assert isinstance(revived, ca.CourseAssignment)


def busy(make: Make) -> Scene:
    """Return a scene in which Ada is in the middle of learning and of a subscription."""
    scene = subscribed(make)
    of = scene.registrar
    of.assign("lessons", "ada", id="a-1")
    of.finish(of.start("a-1", "film").id)
    of.start("a-1", "film")
    of.pause(of.start("a-1", "link").id)
    return scene


def demote(of: ca.Registrar) -> object:
    return of.update(attrs.evolve(MANAGER, roles=()))


def move(of: ca.Registrar) -> object:
    return of.update(attrs.evolve(ADA, organization_id="beta"))


def cancel(of: ca.Registrar) -> object:
    return of.cancel("a-1")


def archive(of: ca.Registrar) -> object:
    return of.update(attrs.evolve(FREE, archived=True))


#: What the manager does for Ada.
BY_MANAGER: dict[str, Command] = {
    "start": lambda of: of.start("a-1", "play", by="manager"),
    "pause": lambda of: of.pause(ca.Attempt.id_for("a-1", "film", 2), by="manager"),
    "resume": lambda of: of.resume(ca.Attempt.id_for("a-1", "link", 1), by="manager"),
    "finish": lambda of: of.finish(ca.Attempt.id_for("a-1", "film", 2), by="manager"),
    "subscribe": lambda of: of.subscribe(["py"], "ada", duration=DAY, by="manager"),
    "edit_subscription": lambda of: of.edit_subscription("s-1", ["free", "py"], by="manager"),
    "cancel_subscription": lambda of: of.cancel_subscription("s-1", by="manager"),
    "open_course": lambda of: of.open_course("s-1", "py", by="manager"),
    "cancel": lambda of: of.cancel("a-1", by="manager"),
    "reschedule": lambda of: of.reschedule("a-1", 100 * DAY, by="manager"),
    "complete": lambda of: of.complete("a-1", by="manager"),
}
#: A command that is decided, what is faster, and why the command is then refused.
REFUSED: list[dict[str, Any]] = [
    {"command": command, "rival": rival, "codes": codes}
    for commands, rival, codes in (
        (BY_MANAGER, demote, ["role_missing"]),
        (BY_MANAGER.keys() - {"reschedule"}, move, ["organization_not_managed"]),
        # The present organization limits the end as well.
        (["reschedule"], move, ["organization_not_managed", "expires_too_late"]),
        (["pause", "resume", "finish"], cancel, ["already_cancelled"]),
        (["edit_subscription"], archive, ["course_archived"]),
    )
    for command in sorted(commands)
]


@race(*REFUSED, controls=[(races.expects_nothing, one) for one in REFUSED])
def test_what_a_decision_found_is_expected(
    make: Make, command: str, rival: Command, codes: list[str]
) -> None:
    scene = busy(make)
    (outcome,) = amid(scene, [BY_MANAGER[command]], lambda: rival(scene.registrar))
    assert codes_of(the_one(refusals([outcome]))) == codes


@race(
    {"ends": [5 * DAY, timedelta(days=90)]},
    # In Berlin the clocks change in between.
    {"make": races.careless(races.expects_nothing), "ends": [60 * DAY, timedelta(days=90) - HOUR]},
)
def test_an_end_is_counted_with_the_organization_as_it_is_then(
    make: Make, ends: list[timedelta]
) -> None:
    scene = busy(make)
    outcomes = amid(
        scene,
        [
            lambda of: of.open_course("s-1", "py").expires_at,
            lambda of: of.subscribe(["py"], "ada", duration=ca.Months(3)).expires_at,
        ],
        lambda: scene.registrar.update(attrs.evolve(ACME, maximum_access=5 * DAY, time_zone="UTC")),
    )
    assert outcomes == [START + end for end in ends]


def school() -> Scene:
    """Return a scene with two learners in the middle of everything."""
    scene = Scene(ca.InMemoryRepository())
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
    return ca.Attempt.id_for(assignment_id, activity_id, number)


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
    """Return a scene with a subscription of which something is opened, ended and launched."""
    scene = subscribed(ca.InMemoryRepository)
    of = scene.registrar
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
    "reschedule": lambda of: of.reschedule("o-1", 10 * DAY),
    "complete": lambda of: of.complete("o-1"),
    "launch": lambda of: of.start("o-1", "lab"),
    "go on": lambda of: of.start("o-1", "link"),
    "subscribe": lambda of: of.subscribe(["py"], "ada", duration=DAY, id="s-2"),
    "subscribe otherwise": lambda of: of.subscribe(["sql"], "ada", duration=DAY, id="s-2"),
    "archive": lambda of: of.update(attrs.evolve(PYTHON, archived=True)),
    "shorten": lambda of: of.update(attrs.evolve(SQL, maximum_access=DAY)),
    "change ada": lambda of: of.update(attrs.evolve(ADA, organization_id="beta")),
}


LEARNERS, SUBSCRIBERS = (Table(LEARNING), school), (Table(SUBSCRIBING), subscriptions)
#: The names of two commands that have no serial order without a guard.
CONTROLS = (
    (LEARNERS, races.compares_nothing, "first launch", "cancel"),
    (LEARNERS, races.compares_nothing, "cancel", "first launch"),
    (LEARNERS, races.compares_nothing, "finish lab", "finish film"),
    (LEARNERS, races.compares_nothing, "complete", "finish film"),
    (LEARNERS, races.compares_nothing, "finish", "pause"),
    (LEARNERS, races.compares_nothing, "pause", "pause"),
    (LEARNERS, races.compares_nothing, "resume", "resume"),
    (LEARNERS, races.expects_nothing, "start another", "end"),
    (LEARNERS, races.expects_nothing, "pause", "end"),
    (LEARNERS, races.expects_nothing, "resume", "end"),
    (LEARNERS, races.expects_nothing, "finish lab", "require less"),
    (LEARNERS, races.expects_nothing, "start another", "require less"),
    (LEARNERS, races.expects_nothing, "start another", "change ada"),
    (LEARNERS, races.expects_nothing, "start another", "change manager"),
    (LEARNERS, races.overwrites, "start another", "start another"),
    (LEARNERS, races.reckless, "start", "start under an id"),
    (SUBSCRIBERS, races.compares_nothing, "open", "edit"),
    (SUBSCRIBERS, races.compares_nothing, "open", "cancel"),
    (SUBSCRIBERS, races.compares_nothing, "open", "open under an id"),
    (SUBSCRIBERS, races.compares_nothing, "open", "open again"),
    (SUBSCRIBERS, races.compares_nothing, "edit", "open"),
    (SUBSCRIBERS, races.compares_nothing, "edit", "cancel"),
    (SUBSCRIBERS, races.compares_nothing, "cancel", "open"),
    (SUBSCRIBERS, races.compares_nothing, "cancel", "launch"),
    (SUBSCRIBERS, races.compares_nothing, "launch", "cancel"),
    (SUBSCRIBERS, races.compares_nothing, "revive", "cancel"),
    (SUBSCRIBERS, races.compares_nothing, "complete", "cancel"),
    (SUBSCRIBERS, races.compares_nothing, "cancel one", "cancel"),
    (SUBSCRIBERS, races.expects_nothing, "go on", "cancel"),
    (SUBSCRIBERS, races.expects_nothing, "open again", "revive"),
    (SUBSCRIBERS, races.expects_nothing, "open again", "shorten"),
    (SUBSCRIBERS, races.expects_nothing, "open", "archive"),
    (SUBSCRIBERS, races.expects_nothing, "open", "change ada"),
    (SUBSCRIBERS, races.expects_nothing, "subscribe", "archive"),
    (SUBSCRIBERS, races.expects_nothing, "subscribe", "change ada"),
    (SUBSCRIBERS, races.expects_nothing, "edit", "change ada"),
    (SUBSCRIBERS, races.overwrites, "subscribe", "subscribe otherwise"),
)


class TestOneAfterTheOther:
    """Whatever two commands do at once, one of them might as well have come first."""

    @pytest.mark.parametrize("name", LEARNING)
    def test_learning_commands_that_meet_have_a_serial_order(self, name: str) -> None:
        assert Table(LEARNING).all_differences(ca.InMemoryRepository, school(), name) == []

    @pytest.mark.parametrize("name", SUBSCRIBING)
    def test_subscription_commands_that_meet_have_a_serial_order(self, name: str) -> None:
        assert (
            Table(SUBSCRIBING).all_differences(ca.InMemoryRepository, subscriptions(), name) == []
        )

    @pytest.mark.parametrize(("commands", "habit", "name", "other"), CONTROLS)
    def test_they_have_none_without_a_guard(
        self, commands: tuple[Table, Callable[[], Scene]], habit: Habit, name: str, other: str
    ) -> None:
        table, base = commands
        assert table.differences(races.careless(habit), base(), name, other) != []

    def test_a_careless_repository_without_a_bad_habit_has_no_other_fault(self) -> None:
        for (table, base), name in ((LEARNERS, "finish lab"), (SUBSCRIBERS, "open")):
            assert table.all_differences(races.careless(races.honest), base(), name) == []
