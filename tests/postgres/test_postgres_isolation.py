"""Commands that meet come to the same at every level of isolation; nobody is refused falsely.

All have decided on the same state when they come to their commits.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from operator import methodcaller
from threading import Lock
from typing import Any, TypeAlias

import pytest
from sqlalchemy import Engine

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository
from tests.support import races
from tests.support.empty_database import LEVELS, TABLES, empty_repository, engine_with_tables

CODE = "Spring-2026-1"
DAY = timedelta(days=1)
ALL = (*LEVELS, "AUTOCOMMIT")
FILMS = ca.Course(
    id="films",
    name="Films",
    content_provider="us",
    publishing_group="all",
    activities=[
        ca.Activity(id=f"film-{number}", name="A film", kind=ca.ActivityKind.VIDEO, required=True)
        for number in range(4)
    ],
)

Command: TypeAlias = Callable[[ca.Registrar], Any]
#: What makes an empty repository.
Make: TypeAlias = Callable[[], ca.Repository]


def together(scene: races.Scene, commands: Sequence[Command]) -> list[Any]:
    """Let all *commands* meet when each has decided; return what each came to."""
    gate = races.Gate(len(commands))
    registrar = scene.watched(gate.before("commit"))
    outcomes = races.outcomes_of(partial(command, registrar) for command in commands)
    assert gate.was_full
    return outcomes


def with_a_key(make: Make, uses: int) -> races.Scene:
    scene = races.Scene(make())
    scene.registrar.add(*races.newcomers(8))
    terms: dict[str, Any] = {"organization_id": "acme", "availability": 30 * DAY}
    scene.registrar.create_keys(
        "py",
        id="spring",
        name="Spring",
        codes=[CODE],
        max_uses=uses,
        any_organization=True,
        **terms,
    )
    return scene


def assignments(scene: races.Scene) -> list[ca.CourseAssignment]:
    return [*ca.find_all(scene.repository, ca.AssignmentQuery())]


def redeeming(make: Make, uses: int) -> None:
    """Eight learners redeem one key: as many get in as it has uses."""
    scene = with_a_key(make, uses)
    outcomes = together(scene, [methodcaller("redeem", CODE, one.id) for one in races.newcomers(8)])
    won = {one.learner_id for one in races.granted(outcomes)}
    assert len(won) == len(races.granted(outcomes)) == uses
    assert {str(races.codes_of(one)) for one in races.refusals(outcomes)} <= {"['key_exhausted']"}
    redeemed = ca.find_all(scene.repository, ca.RedemptionQuery())
    assert {one.learner_id for one in redeemed} == won
    assert scene.key(CODE).uses == uses
    assert len(scene.events("redeem")) == uses


def redeeming_what_is_revoked(make: Make) -> None:
    """Who redeems a key while it is revoked was before that, or is told so."""
    scene = with_a_key(make, 8)
    one, revoked = together(
        scene, [methodcaller("redeem", CODE, "u-0000"), methodcaller("revoke_key", CODE)]
    )
    assert isinstance(revoked, ca.TrainingKey)
    key = scene.key(CODE)
    assert key.revoked_at is not None
    assert key.uses == len(races.granted([one])) == len(assignments(scene))
    assert [races.codes_of(no) for no in races.refusals([one])] == [["key_revoked"]] * (
        1 - key.uses
    )
    # In the order of their events.
    order = [event.action for event in scene.events("redeem", "revoke_key")]
    assert order == ["redeem", "revoke_key"][1 - key.uses :]


def redeeming_what_was_revoked(make: Make) -> None:
    """Who has decided before a key is revoked, and commits after it, is told so."""
    scene = with_a_key(make, 8)
    rival = partial(scene.registrar.revoke_key, CODE)
    outcomes = races.amid(scene, [methodcaller("redeem", CODE, "u-0000")], rival)
    assert [races.codes_of(no) for no in races.refusals(outcomes)] == [["key_revoked"]]
    assert scene.key(CODE).uses == len(assignments(scene)) == 0


def assigning(make: Make) -> None:
    """Eight uploads of the same pair give one assignment."""
    scene = races.Scene(make())
    outcomes = together(
        scene, [methodcaller("assign", "py", "ada", repeat=ca.Repeat.SKIP) for _ in range(8)]
    )
    made = [one.id for one in assignments(scene)]
    assert len(made) == 1
    assert [one.id for one in races.granted(outcomes)] == made * 8


def cancelling_while_a_lab_is_launched(make: Make) -> None:
    """Either the lab runs, or the assignment is cancelled, and the other is told so."""
    scene = races.Scene(make())
    scene.registrar.assign("py", "ada", id="a-1")
    outcomes = together(scene, [methodcaller("cancel", "a-1"), methodcaller("start", "a-1", "lab")])
    assert len(races.granted(outcomes)) == 1
    (found,) = assignments(scene)
    assert (found.cancelled_at is None) is (found.first_lab_launched_at is not None)
    assert len(scene.events("cancel", "start")) == 1


def finishing(make: Make) -> None:
    """Four required activities that are finished at once complete the course."""
    scene = races.Scene(make())
    scene.registrar.add(FILMS)
    scene.registrar.assign("films", "ada", id="a-1")
    ids = [scene.registrar.start("a-1", activity.id).id for activity in FILMS.activities]
    races.granted(together(scene, [methodcaller("finish", one) for one in ids]))
    (found,) = assignments(scene)
    assert found.finished == {activity.id for activity in FILMS.activities}
    assert found.completed_at is not None


def opening_what_is_cancelled(make: Make) -> None:
    """Nothing that was opened outlives its subscription."""
    scene = races.Scene(make())
    scene.registrar.subscribe(["py"], "ada", duration=60 * DAY, id="s-1")
    races.granted(
        together(
            scene,
            [
                methodcaller("cancel_subscription", "s-1"),
                methodcaller("open_course", "s-1", "py"),
            ],
        )
    )
    opened = [one for one in assignments(scene) if one.origin == ca.FromSubscription("s-1")]
    assert all(one.cancelled_at is not None for one in opened)


RACES: dict[str, Callable[[Make], None]] = {
    "the last use": partial(redeeming, uses=1),
    "some uses": partial(redeeming, uses=5),
    "a use for all": partial(redeeming, uses=8),
    "revoking": redeeming_what_is_revoked,
    "revoked before": redeeming_what_was_revoked,
    "one claim": assigning,
    "cancelling": cancelling_while_a_lab_is_launched,
    "finishing": finishing,
    "opening": opening_what_is_cancelled,
}


@pytest.mark.parametrize("level", ALL)
@pytest.mark.parametrize("race", RACES)
def test_commands_that_meet(level: str, race: str) -> None:
    RACES[race](partial(empty_repository, level))


class Careless(SqlRepository):
    """The repository, but for one bad habit, which it has one commit at a time."""

    def __init__(self, engine: Engine, habit: Any) -> None:
        super().__init__(engine, TABLES)
        self._habit = habit
        self._turn = Lock()

    def commit(self, change: ca.Change, /) -> None:
        with self._turn:
            super().commit(self._habit(self, change))

    def stored(self, record: ca.Record) -> Any:
        return self.get(type(record), [record.id]).get(record.id)


@pytest.mark.parametrize(
    ("race", "habit"),
    [
        ("the last use", races.writes_uses_as_read),
        ("some uses", races.writes_uses_as_read),
        ("revoked before", races.forgets_the_terms),
        ("one claim", races.claims_nothing),
        ("cancelling", races.compares_nothing),
        ("finishing", races.compares_nothing),
        ("opening", races.compares_nothing),
    ],
)
@pytest.mark.parametrize("level", ALL)
def test_without_its_guard_no_level_makes_up_for_it(level: str, race: str, habit: Any) -> None:
    def make() -> ca.Repository:
        empty_repository(level)
        return Careless(engine_with_tables(level), habit)

    with pytest.raises(AssertionError):
        RACES[race](make)
