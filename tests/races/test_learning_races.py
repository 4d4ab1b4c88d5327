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
from tests.support.learning import FREE, LESSONS
from tests.support.order import Command, Table
from tests.support.races import (
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
    overwrites,
    race,
    reckless,
    refusals,
    the_one,
    together,
    without_claims,
)
from tests.support.world import ACME, ADA, MANAGER, PYTHON, SALES, SQL, START

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: A course with eight required films.
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


def subscription(scene: Scene) -> Subscription:
    return scene.repository.get(Subscription, ["s-1"])["s-1"]


def attempts(scene: Scene, activity_id: str | None = None) -> list[Attempt]:
    found = find_all(scene.repository, AttemptQuery(activity_id=activity_id, limit=10_000))
    return sorted(found, key=lambda one: one.number)


def opened(scene: Scene) -> list[CourseAssignment]:
    """Return what was opened from subscription s-1, by the origin of the assignments."""
    found = find_all(scene.repository, AssignmentQuery(learner_id="ada"))
    return [one for one in found if one.origin == FromSubscription("s-1")]


@race(
    {"rounds": 60, "activity_id": "link"},
    long=[{"rounds": 10_000, "activity_id": "lab"}],
    controls=[
        (compares_nothing, {"rounds": 3, "activity_id": "lab"}),
        (expects_nothing, {"rounds": 3, "activity_id": "link"}),
    ],
)
def test_no_attempt_is_started_under_a_cancelled_assignment(
    make: Make, rounds: int, activity_id: str
) -> None:
    """Cancelling and the first launch of a lab are never both done (rules 3 and 5)."""
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
            # An assignment that was started before is only expected when a link is started.
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
        after = stored[one.id]
        if isinstance(start, Refused):
            assert codes_of(start) == ["already_cancelled"]
            assert one.id not in begun
            assert cancel == after == attrs.evolve(one, cancelled_at=START)
            continue
        assert start == begun[one.id]
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


def started(scene: Scene, attempt: Attempt) -> int:
    """Return how many events tell that *attempt* was started."""
    return sum(attempt.id in one.subject_ids for one in scene.events("start"))


@race(
    *({"activity_id": one, "earlier": earlier} for one in ("lab", "link") for earlier in (0, 2)),
    controls=[(overwrites, {"activity_id": "link", "earlier": earlier}) for earlier in (0, 2)],
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
        (InMemoryRepository, {"activity_id": "link", "id": None}),
        *((reckless, {"activity_id": activity_id, "id": "x-1"}) for activity_id in ("lab", "link")),
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


@race(*({"left": left} for left in (2, 3, 8)), controls=[(compares_nothing, {"left": 2})])
def test_required_activities_finished_at_once_complete_the_assignment(
    make: Make, left: int
) -> None:
    """Finishing one replaces the assignment, so two last finishes cannot both miss the other."""
    scene = learning(make)
    scene.registrar.assign("series", "ada", id="a-2")
    begun = [scene.registrar.start("a-2", one.id) for one in SERIES.activities]
    for one in begun[left:]:
        scene.registrar.finish(one.id)
    finish = [partial(Registrar.finish, attempt_id=one.id) for one in begun[:left]]
    assert len(granted(together(scene, finish))) == left
    after = scene.repository.get(CourseAssignment, ["a-2"])["a-2"]
    assert after.completion is CompletionStatus.COMPLETE
    assert after.finished == {one.id for one in SERIES.activities}
    assert len(scene.events("complete")) == 1
    assert scene.events()[-1].action == "complete"


@race(
    *({"own_ids": own_ids, "earlier": earlier} for own_ids in (False, True) for earlier in (0, 2)),
    {"make": careless(compares_nothing), "own_ids": False, "earlier": 0},
    controls=[
        (without_claims(compares_nothing), {"own_ids": True, "earlier": 0}),
        (reckless, {"own_ids": False, "earlier": 0}),
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
    opening = partial(Registrar.open_course, subscription_id="s-1", course_id="py")
    outcomes = together(scene, [partial(opening, id=one) for one in ids])
    only = the_one([one for one in opened(scene) if one.cancelled_at is None])
    assert outcomes == [only] * 16
    openings = subscription(scene).openings
    assert len(openings) == len({*openings}) == len(opened(scene)) == earlier + 1
    assert openings[-1] == Opening("py", only.id)
    assert len(scene.events("open_course")) == earlier + 1


@race({}, controls=[(compares_nothing, {})])
def test_different_courses_opened_at_once_are_all_counted(make: Make) -> None:
    scene = subscribed(make)
    courses = ["py", "sql", "lessons"]
    opening = partial(Registrar.open_course, subscription_id="s-1")
    # With ids of their own, nothing but the subscription is in their way.
    commands = [
        partial(opening, course_id=one, id=f"{one}-{turn}") for one in courses for turn in "123"
    ]
    assert len(granted(together(scene, commands))) == 9
    assert sorted(one.course_id for one in opened(scene)) == sorted(courses)
    told = {one.assignment_id: one.course_id for one in subscription(scene).openings}
    assert told == {one.id: one.course_id for one in opened(scene)}


@race(*[{}] * 5, controls=[(compares_nothing, {})])
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
    scene = subscribed(InMemoryRepository)
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
    assert isinstance(revived, CourseAssignment)


def busy(make: Make) -> Scene:
    """Return a scene in which Ada is in the middle of learning and of a subscription."""
    scene = subscribed(make)
    of = scene.registrar
    of.assign("lessons", "ada", id="a-1")
    of.finish(of.start("a-1", "film").id)
    of.start("a-1", "film")
    of.pause(of.start("a-1", "link").id)
    return scene


def demote(of: Registrar) -> object:
    return of.update(attrs.evolve(MANAGER, roles=()))


def move(of: Registrar) -> object:
    return of.update(attrs.evolve(ADA, organization_id="beta"))


def cancel(of: Registrar) -> object:
    return of.cancel("a-1")


def archive(of: Registrar) -> object:
    return of.update(attrs.evolve(FREE, archived=True))


#: What the manager does for Ada.
BY_MANAGER: dict[str, Command] = {
    "start": lambda of: of.start("a-1", "play", by="manager"),
    "pause": lambda of: of.pause(Attempt.id_for("a-1", "film", 2), by="manager"),
    "resume": lambda of: of.resume(Attempt.id_for("a-1", "link", 1), by="manager"),
    "finish": lambda of: of.finish(Attempt.id_for("a-1", "film", 2), by="manager"),
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


@race(*REFUSED, controls=[(expects_nothing, one) for one in REFUSED])
def test_what_a_decision_found_is_expected(
    make: Make, command: str, rival: Command, codes: list[str]
) -> None:
    scene = busy(make)
    (outcome,) = amid(scene, [BY_MANAGER[command]], lambda: rival(scene.registrar))
    assert codes_of(the_one(refusals([outcome]))) == codes


@race(
    {"ends": [5 * DAY, timedelta(days=90)]},
    # In Berlin the clocks change in between.
    {"make": careless(expects_nothing), "ends": [60 * DAY, timedelta(days=90) - HOUR]},
)
def test_an_end_is_counted_with_the_organization_as_it_is_then(
    make: Make, ends: list[timedelta]
) -> None:
    scene = busy(make)
    outcomes = amid(
        scene,
        [
            lambda of: of.open_course("s-1", "py").expires_at,
            lambda of: of.subscribe(["py"], "ada", duration=Months(3)).expires_at,
        ],
        lambda: scene.registrar.update(attrs.evolve(ACME, maximum_access=5 * DAY, time_zone="UTC")),
    )
    assert outcomes == [START + end for end in ends]


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
    """Return a scene with a subscription of which something is opened, ended and launched."""
    scene = subscribed(InMemoryRepository)
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
    (LEARNERS, compares_nothing, "first launch", "cancel"),
    (LEARNERS, compares_nothing, "cancel", "first launch"),
    (LEARNERS, compares_nothing, "finish lab", "finish film"),
    (LEARNERS, compares_nothing, "complete", "finish film"),
    (LEARNERS, compares_nothing, "finish", "pause"),
    (LEARNERS, compares_nothing, "pause", "pause"),
    (LEARNERS, compares_nothing, "resume", "resume"),
    (LEARNERS, expects_nothing, "start another", "end"),
    (LEARNERS, expects_nothing, "pause", "end"),
    (LEARNERS, expects_nothing, "resume", "end"),
    (LEARNERS, expects_nothing, "finish lab", "require less"),
    (LEARNERS, expects_nothing, "start another", "require less"),
    (LEARNERS, expects_nothing, "start another", "change ada"),
    (LEARNERS, expects_nothing, "start another", "change manager"),
    (LEARNERS, overwrites, "start another", "start another"),
    (LEARNERS, reckless, "start", "start under an id"),
    (SUBSCRIBERS, compares_nothing, "open", "edit"),
    (SUBSCRIBERS, compares_nothing, "open", "cancel"),
    (SUBSCRIBERS, compares_nothing, "open", "open under an id"),
    (SUBSCRIBERS, compares_nothing, "edit", "open"),
    (SUBSCRIBERS, compares_nothing, "edit", "cancel"),
    (SUBSCRIBERS, compares_nothing, "cancel", "open"),
    (SUBSCRIBERS, compares_nothing, "cancel", "launch"),
    (SUBSCRIBERS, compares_nothing, "launch", "cancel"),
    (SUBSCRIBERS, compares_nothing, "revive", "cancel"),
    (SUBSCRIBERS, compares_nothing, "complete", "cancel"),
    (SUBSCRIBERS, compares_nothing, "cancel one", "cancel"),
    (SUBSCRIBERS, expects_nothing, "go on", "cancel"),
    (SUBSCRIBERS, expects_nothing, "open again", "revive"),
    (SUBSCRIBERS, expects_nothing, "open again", "shorten"),
    (SUBSCRIBERS, expects_nothing, "open", "archive"),
    (SUBSCRIBERS, expects_nothing, "open", "change ada"),
    (SUBSCRIBERS, expects_nothing, "subscribe", "archive"),
    (SUBSCRIBERS, expects_nothing, "subscribe", "change ada"),
    (SUBSCRIBERS, expects_nothing, "edit", "change ada"),
    (SUBSCRIBERS, overwrites, "subscribe", "subscribe otherwise"),
)


class TestOneAfterTheOther:
    """Whatever two commands do at once, one of them might as well have come first."""

    @pytest.mark.parametrize("name", LEARNING)
    def test_learning_commands_that_meet_have_a_serial_order(self, name: str) -> None:
        assert Table(LEARNING).all_differences(InMemoryRepository, school(), name) == []

    @pytest.mark.parametrize("name", SUBSCRIBING)
    def test_subscription_commands_that_meet_have_a_serial_order(self, name: str) -> None:
        assert Table(SUBSCRIBING).all_differences(InMemoryRepository, subscriptions(), name) == []

    @pytest.mark.parametrize(("commands", "habit", "name", "other"), CONTROLS)
    def test_they_have_none_without_a_guard(
        self, commands: tuple[Table, Callable[[], Scene]], habit: Habit, name: str, other: str
    ) -> None:
        table, base = commands
        assert table.differences(careless(habit), base(), name, other) != []

    def test_a_careless_repository_without_a_bad_habit_has_no_other_fault(self) -> None:
        for (table, base), name in ((LEARNERS, "finish lab"), (SUBSCRIBERS, "open")):
            assert table.all_differences(careless(honest), base(), name) == []
