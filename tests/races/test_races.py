"""Commands that meet on the in-memory repository: read-decide-commit is exact.

Each race has controls: it has to fail on a repository, or for a caller, without one guard.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from itertools import chain, product
from threading import Semaphore
from typing import Any, TypeAlias

import attrs
import pytest

import course_assignments as ca
from course_assignments.testing.threads import frequent_switching
from tests.support import races
from tests.support.acts import GIVEN
from tests.support.order import Command, Table
from tests.support.races import (
    TIMEOUT,
    Gate,
    Habit,
    Make,
    Scene,
    Watched,
    codes_of,
    granted,
    in_rounds,
    interrupted,
    newcomers,
    outcome_of,
    outcomes_of,
    race,
    refusals,
    the_one,
    together,
)
from tests.support.world import ACME, BETA, BO, CY, PYTHON, START, contents

CODE = "Spring-2026-1"
OTHER_CODE = "Spring-2026-2"
NEW_CODE = "Spring-2026-3"
TERMS: dict[str, Any] = {
    "name": "Spring",
    "organization_id": "acme",
    "availability": timedelta(days=30),
    "any_organization": True,
}
RESTORING = ca.Policies(cancellation=ca.CancellationPolicy(restores_key_use=True))
DI, EVE = newcomers(2, "new")

#: What a learner gets: the assignment, or why there is none.
Outcome: TypeAlias = ca.CourseAssignment | ca.CourseAssignmentsError


def with_keys(make: Make, learners: Sequence[ca.User] = (), uses: int = 1, **options: Any) -> Scene:
    """Return a scene with *learners* and a batch of two keys for Python."""
    scene = Scene(make(), **options)
    if learners:
        scene.registrar.add(*learners)
    scene.registrar.create_keys("py", id="spring", codes=[CODE, OTHER_CODE], max_uses=uses, **TERMS)
    return scene


def holders(scene: Scene, code: str = CODE) -> list[str]:
    """Return who holds a use of the key that was not given back."""
    found = ca.find_all(
        scene.repository, ca.RedemptionQuery(key_id=scene.key(code).id, limit=10_000)
    )
    return [one.learner_id for one in found if one.restored_at is None]


def assignments(scene: Scene) -> list[ca.CourseAssignment]:
    return list(ca.find_all(scene.repository, ca.AssignmentQuery(limit=10_000)))


def check_uses(scene: Scene) -> None:
    """Check that each key has as many uses as redemptions not restored, one per learner."""
    for key in ca.find_all(scene.repository, ca.KeyQuery()):
        found = holders(scene, key.code)
        assert key.uses == len(found) == len(set(found)) <= key.max_uses
    made = [one.id for one in assignments(scene) if isinstance(one.origin, ca.FromKey)]
    redemptions = ca.find_all(scene.repository, ca.RedemptionQuery(limit=10_000))
    assert sorted(made) == sorted(one.assignment_id for one in redemptions)


def redeem_as(people: Iterable[ca.User]) -> list[Callable[[ca.Registrar], ca.CourseAssignment]]:
    return [partial(ca.Registrar.redeem, code=CODE, learner_id=one.id) for one in people]


@race(
    {"uses": 1000, "learners": 1100, "meet": True},
    {"uses": 1000, "learners": 1000, "meet": True},
    {"uses": 1000, "learners": 1100, "meet": False},
    *({"uses": uses, "learners": 64, "meet": True} for uses in range(1, 9)),
    {"uses": 8, "learners": 64, "meet": True, "make": races.MeetingInside},
    controls=[
        (habit, {"uses": uses, "learners": 64, "meet": True})
        for habit, uses in (
            (races.Unlocked, 8),
            (races.writes_uses_as_read, 1),
            (races.writes_uses_as_read, 1000),
            (races.forgets_the_bound, 8),
            (races.says_used_up_when_busy, 8),
            (races.says_used_up_when_busy, 64),
            (races.makes_redeemers_retry, 64),
        )
    ],
)
def test_a_shared_key_is_used_exactly_as_often_as_allowed(
    make: Make, uses: int, learners: int, *, meet: bool
) -> None:
    """No one is refused while a use is left, and never do more get in than the key has uses."""
    people = newcomers(learners)
    scene = with_keys(make, people, uses)
    gate = Gate(64)
    watched = Watched(scene.repository, gate.before("commit" if meet else ""))
    redeem = partial(scene.on(watched).redeem, CODE)

    def redeem_for(some: Iterable[ca.User]) -> list[Outcome]:
        return [outcome_of(partial(redeem, one.id)) for one in some]

    with nullcontext() if meet else frequent_switching():
        rows = outcomes_of(partial(redeem_for, people[first::64]) for first in range(64))
    outcomes = list(chain.from_iterable(granted(rows)))
    assert gate.was_full is meet
    winners = [one.learner_id for one in granted(outcomes)]
    assert len(winners) == min(uses, learners) == scene.key(CODE).uses
    assert {str(codes_of(one)) for one in refusals(outcomes)} <= {"['key_exhausted']"}
    assert sorted(holders(scene)) == sorted(winners)
    check_uses(scene)
    if learners <= uses:
        # Redeeming makes nobody try again: the counter is no compare-and-set.
        assert watched.calls.count("commit") == learners


@race({}, controls=[(races.claims_nothing, {}), (races.overwrites, {})])
def test_a_learner_redeems_a_key_once_on_many_threads(make: Make) -> None:
    """The same learner redeems a multi-use key twice: refused, naming the first assignment."""
    scene = with_keys(make, uses=1000)
    outcomes = together(scene, redeem_as([BO]) * 64)
    only = the_one(granted(outcomes))
    reasons = [reason for one in refusals(outcomes) for reason in one.decision.reasons]
    assert [reason.code for reason in reasons] == ["already_redeemed"] * 63
    assert {getattr(reason, "assignment_id", None) for reason in reasons} == {only.id}
    assert assignments(scene) == [only]
    assert scene.key(CODE).uses == 1
    check_uses(scene)


#: Commands that take an id, for a retry.
REPEATABLE: dict[str, Callable[[ca.Registrar, str | None], object]] = {
    "assign": lambda of, id_: of.assign("py", "bo", id=id_),
    "assign, skip": lambda of, id_: of.assign("py", "bo", id=id_, repeat=ca.Repeat.SKIP),
    "assign, refuse": lambda of, id_: of.assign("py", "bo", id=id_, repeat=ca.Repeat.REFUSE),
    "assign_many": lambda of, id_: of.assign_many(["py", "sql"], ["bo", DI], id=id_),
    "assign_many, skip": lambda of, id_: of.assign_many(
        ["py", "sql"], ["bo", DI], id=id_, repeat=ca.Repeat.SKIP
    ),
    "assign_many, refuse": lambda of, id_: of.assign_many(
        ["py", "sql"], ["bo", "cy"], id=id_, repeat=ca.Repeat.REFUSE
    ),
    "redeem": lambda of, id_: of.redeem(CODE, "bo", id=id_),
    "register": lambda of, id_: of.register(CODE, DI, id=id_),
    "create_keys, typed": lambda of, id_: of.create_keys("py", codes=[NEW_CODE], id=id_, **TERMS),
    "create_keys, generated": lambda of, id_: of.create_keys("py", generate=3, id=id_, **TERMS),
    "add_keys, typed": lambda of, id_: of.add_keys("spring", codes=[NEW_CODE], id=id_),
    "add_keys, generated": lambda of, id_: of.add_keys("spring", generate=3, id=id_),
}
#: Those of them that without an id do something new each time.
NEW_EACH_TIME = ("assign", "assign_many", "create_keys, generated", "add_keys, generated")
#: With enough uses of the key, and with one use only.
RETRIES: list[dict[str, Any]] = [
    *({"name": name, "uses": 1000} for name in REPEATABLE),
    *({"name": name, "uses": 1} for name in ("redeem", "register")),
]


def check_once(scene: Scene, name: str, uses: int, outcomes: Sequence[object]) -> None:
    """Check that all *outcomes* are equal, and that one call would store as much."""
    assert [one for one in outcomes if isinstance(one, Exception)] == []
    assert [one for one in outcomes if one != outcomes[0]] == []
    alone = with_keys(ca.InMemoryRepository, uses=uses)
    REPEATABLE[name](alone.registrar, "x-1")
    stored, once = contents(scene.repository), contents(alone.repository)
    assert {kind: len(found) for kind, found in stored.items()} == {
        kind: len(found) for kind, found in once.items()
    }
    assert scene.key(CODE).uses == alone.key(CODE).uses
    check_uses(scene)


@race(
    *({**retry, "id": "x-1"} for retry in RETRIES),
    controls=[
        *(
            (races.keeps_taken_codes(races.reckless), {"name": name, "uses": 1000, "id": "x-1"})
            for name in REPEATABLE
        ),
        *(
            (ca.InMemoryRepository, {"name": name, "uses": 1000, "id": None})
            for name in NEW_EACH_TIME
        ),
    ],
)
def test_calls_with_one_id_take_effect_once(
    make: Make, name: str, uses: int, id: str | None
) -> None:
    scene = with_keys(make, uses=uses)
    outcomes = together(scene, [lambda of: REPEATABLE[name](of, id)] * 64)
    check_once(scene, name, uses, outcomes)


@race(*RETRIES)
def test_a_retry_in_the_middle_of_the_first_call_returns_the_same(
    make: Make, name: str, uses: int
) -> None:
    def call(of: ca.Registrar) -> object:
        return REPEATABLE[name](of, "x-1")

    def check(scene: Scene, outcomes: list[Any]) -> None:
        check_once(scene, name, uses, outcomes)

    assert interrupted(lambda: with_keys(make, uses=uses), call, call, check) > 2


@race({"switch": False}, {"switch": True}, controls=[(races.compares_uses, {"switch": False})])
def test_a_key_is_revoked_within_one_commit_while_others_redeem_it(
    make: Make, *, switch: bool
) -> None:
    people = newcomers(16 * 40)
    scene = with_keys(make, people, uses=1000)
    gate, done = Gate(17), Semaphore(0)
    waited: list[bool] = []
    uses_then: list[int] = []

    def wait_for_sixteen(call: str) -> None:
        if call == "commit" and not waited:
            gate.meet()
            waited.extend(done.acquire(timeout=TIMEOUT) for _ in range(16))

    watched = Watched(scene.repository, wait_for_sixteen)
    revoker, redeemer = scene.on(watched), scene.watched(gate.before("commit"))

    def redeem_for(some: Iterable[ca.User]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for one in some:
            outcomes.append(outcome_of(partial(redeemer.redeem, CODE, one.id)))
            done.release()
        return outcomes

    def revoke() -> list[Outcome]:
        revoker.revoke_key(CODE)
        uses_then.append(scene.key(CODE).uses)
        return []

    tasks: list[Callable[[], list[Outcome]]]
    tasks = [*(partial(redeem_for, people[first::16]) for first in range(16)), revoke]
    with frequent_switching() if switch else nullcontext():
        outcomes = list(chain.from_iterable(granted(outcomes_of(tasks))))
    assert gate.was_full
    assert all(waited)
    assert watched.calls.count("commit") == 1
    # Whatever was granted was granted before the key was revoked, and is counted.
    assert uses_then == [scene.key(CODE).uses] == [len(granted(outcomes))]
    assert uses_then[0] >= 16
    late = outcome_of(partial(scene.registrar.redeem, CODE, "ada"))
    for refused in (*refusals(outcomes), *refusals([late])):
        assert codes_of(refused) == ["key_revoked"]
    assert granted([late]) == []
    check_uses(scene)


Roster: TypeAlias = list[str | ca.User]

#: Two rosters that overlap: in learners with a profile, and in newcomers.
KNOWN: list[Roster] = [["ada", "bo", DI], [EVE, "cy", "bo", "ada"]]
NEW: list[Roster] = [["ada", DI], [EVE, "bo", DI]]
#: Eight that overlap, in opposite orders.
EIGHT: list[Roster] = [
    [*(reversed if first % 2 else iter)(newcomers(40)[first : first + 20])]
    for first in range(0, 24, 3)
]


def wanted(roster: Roster) -> list[tuple[str, str]]:
    ids = [one.id if isinstance(one, ca.User) else one for one in roster]
    return list(product(["py", "sql"], ids))


def pairs(found: Iterable[ca.CourseAssignment]) -> list[tuple[str, str]]:
    return [(one.course_id, one.learner_id) for one in found]


def check_rosters(
    scene: Scene, rosters: Sequence[Roster], repeat: ca.Repeat, outcomes: Sequence[Any]
) -> None:
    """Check that no pair was assigned twice, and that each roster was told what it needs."""
    stored = Counter(pairs(one for one in assignments(scene) if one.cancelled_at is None))
    ended = list(zip(rosters, outcomes, strict=True))
    winners = [(roster, batch) for roster, batch in ended if isinstance(batch, ca.AssignmentBatch)]
    assert len(winners) == len(granted(outcomes))
    assert stored == Counter({pair for roster, _ in winners for pair in wanted(roster)})
    for roster, batch in winners:
        created, skipped = pairs(batch.created), pairs(batch.skipped)
        assert [one for one in wanted(roster) if one not in skipped] == created
        assert [one for one in wanted(roster) if one not in created] == skipped
    assert sum(len(batch.created) for _, batch in winners) == stored.total()
    assert len(list(ca.find_all(scene.repository, ca.UserQuery()))) == 5 + len(
        {one.id for roster, _ in winners for one in roster if isinstance(one, ca.User)}
    )
    if repeat is ca.Repeat.SKIP:
        assert len(winners) == len(rosters)
        return
    winner, _ = the_one(winners)
    for roster, outcome in ended:
        if isinstance(outcome, ca.Refused):
            reasons: tuple[Any, ...] = outcome.decision.reasons
            assert {one.code for one in reasons} == {"already_assigned"}
            taken = [one for one in wanted(roster) if one in wanted(winner)]
            assert [(one.course_id, one.learner_id) for one in reasons] == taken


def with_claims(make: Make, vacated: Sequence[str]) -> Scene:
    """Return a scene with claims of *vacated* learners whose assignments were cancelled."""
    scene = Scene(make())
    if vacated:
        batch = scene.registrar.assign_many(["py", "sql"], vacated, repeat=ca.Repeat.SKIP)
        for one in batch.created:
            scene.registrar.cancel(one.id)
    return scene


def upload(roster: Roster, repeat: ca.Repeat) -> Callable[[ca.Registrar], ca.AssignmentBatch]:
    return lambda of: of.assign_many(["py", "sql"], roster, repeat=repeat)


def uploads(rosters: Sequence[Roster], *vacated: str) -> list[dict[str, Any]]:
    return [
        {"rosters": rosters, "repeat": repeat, "vacated": vacated}
        for repeat in (ca.Repeat.SKIP, ca.Repeat.REFUSE)
    ]


@race(
    *(*uploads(KNOWN), *uploads(NEW), *uploads(KNOWN, "ada", "bo")),
    {"rosters": EIGHT, "repeat": ca.Repeat.SKIP, "vacated": ()},
    controls=[
        *((races.compares_nothing, one) for one in uploads(KNOWN, "ada", "bo")),
        *((races.claims_nothing, one) for one in uploads(KNOWN)),
        *((races.overwrites, one) for one in (*uploads(KNOWN), *uploads(NEW))),
    ],
)
def test_rosters_uploaded_at_once_never_assign_a_pair_twice(
    make: Make, rosters: Sequence[Roster], repeat: ca.Repeat, vacated: Sequence[str]
) -> None:
    scene = with_claims(make, vacated)
    outcomes = together(scene, [upload(roster, repeat) for roster in rosters])
    check_rosters(scene, rosters, repeat, outcomes)


@race(*uploads(KNOWN), *uploads(NEW), *uploads(KNOWN, "ada", "bo"), *uploads(NEW, "ada", "bo"))
def test_a_roster_may_be_uploaded_in_the_middle_of_another(
    make: Make, rosters: Sequence[Roster], repeat: ca.Repeat, vacated: Sequence[str]
) -> None:
    def check(scene: Scene, outcomes: list[Any]) -> None:
        check_rosters(scene, rosters, repeat, outcomes)

    first, second = (upload(roster, repeat) for roster in rosters)
    assert interrupted(lambda: with_claims(make, vacated), first, second, check) > 4


@race(long=[{"rounds": 10_000}], controls=[(races.compares_nothing, {"rounds": 1})])
def test_of_cancelling_and_rescheduling_the_loser_sees_the_winner(make: Make, rounds: int) -> None:
    scene = Scene(make())
    sooner = START + timedelta(days=30)
    made = [attrs.evolve(GIVEN, id=f"a-{number:05}") for number in range(rounds)]
    scene.repository.commit(ca.Change(create=made))
    commands: dict[str, Callable[[ca.Registrar, str], ca.CourseAssignment]] = {
        "cancel": lambda of, id_: of.cancel(id_),
        "reschedule": lambda of, id_: of.reschedule(id_, sooner),
    }
    cancels, reschedules = in_rounds(scene, [one.id for one in made], commands)
    told: dict[str, list[str]] = {one.id: [] for one in made}
    for event in scene.events("cancel", "reschedule"):
        told[event.subject_ids[0]].append(event.action)
    stored = scene.repository.get(ca.CourseAssignment, told)
    for one, cancel, reschedule in zip(made, cancels, reschedules, strict=True):
        cancelled = attrs.evolve(one, cancelled_at=START)
        if isinstance(reschedule, ca.Refused):
            assert codes_of(reschedule) == ["already_cancelled"]
            assert told[one.id] == ["cancel"]
        else:
            moved = attrs.evolve(one, expires_at=sooner, limited_by=ca.ExpirationLimit.REQUEST)
            assert reschedule == moved
            assert told[one.id] == ["reschedule", "cancel"]
            cancelled = attrs.evolve(moved, cancelled_at=START)
        assert cancel == stored[one.id] == cancelled
    assert rounds // 3 <= len(refusals(reschedules)) <= rounds - rounds // 3


#: 64 people with one address, written in two ways; and one and the same person 64 times.
ALIKE = tuple(
    attrs.evolve(one, email="Di@example.org" if number % 2 else "dI@EXAMPLE.org")
    for number, one in enumerate(newcomers(64))
)
SAME = (ALIKE[0],) * 64


@race(
    {"people": ALIKE},
    {"people": SAME},
    controls=[(races.EmailBlind, {"people": ALIKE}), (races.overwrites, {"people": SAME})],
)
def test_of_many_who_register_with_one_address_one_becomes_a_user(
    make: Make, people: Sequence[ca.User]
) -> None:
    """A taken e-mail (compared without case) is refused and the key keeps its use."""
    scene = with_keys(make, uses=1000)
    outcomes = together(
        scene, [partial(ca.Registrar.register, code=CODE, user=one) for one in people]
    )
    only = the_one(granted(outcomes))
    assert len(refusals(outcomes)) == 63
    # The address is a reason, and for the very same person the key is one too.
    also = ["already_redeemed"] if people[0] == people[1] else []
    assert {tuple(codes_of(one)) for one in refusals(outcomes)} == {("email_taken", *also)}
    found = scene.repository.find(ca.UserQuery(email="di@example.org")).records
    assert [one.id for one in found] == [only.learner_id]
    assert holders(scene) == [only.learner_id]
    assert assignments(scene) == [only]
    check_uses(scene)


@race({}, controls=[(races.compares_nothing, {})])
def test_keys_added_on_many_threads_are_all_counted(make: Make) -> None:
    """`add_keys` replaces the batch, so an edit of `max_uses` does not miss new keys."""
    scene = with_keys(make)
    add = [
        partial(ca.Registrar.add_keys, batch_id="spring", codes=[f"More-{n:04}"]) for n in range(16)
    ]
    edit = partial(ca.Registrar.edit_keys, batch_id="spring", max_uses=5)
    assert len(granted(together(scene, [*add, edit]))) == 17
    (batch,) = scene.repository.find(ca.BatchQuery())
    assert batch.size == len(list(scene.registrar.keys("spring"))) == 18
    assert {key.max_uses for key in scene.registrar.keys("spring")} == {batch.max_uses} == {5}


@race(
    {"uses": 18},
    # So many uses are left that the guard has to hold, and not by luck the bound.
    controls=[
        (habit, {"uses": 100})
        for habit in (
            races.compares_nothing,
            races.writes_uses_as_read,
            races.without_claims(races.overwrites),
        )
    ],
)
def test_each_use_is_given_back_once_and_taken_once_again(make: Make, uses: int) -> None:
    """Eight threads cancel for each of two learners, and then try to redeem again."""
    others = newcomers(16)
    left = sorted(one.id for one in others)
    scene = with_keys(make, others, uses=uses, policies=RESTORING)
    for learner in ("ada", "bo", *left):
        scene.registrar.redeem(CODE, learner, id=f"first-{learner}")

    def check(command: Callable[[str], Command], code: str, after: list[str]) -> None:
        outcomes: list[Any] = together(scene, [command(one) for one in ["ada", "bo"] * 8])
        assert sorted(one.learner_id for one in granted(outcomes)) == ["ada", "bo"]
        assert {codes_of(one)[-1] for one in refusals(outcomes)} == {code}
        assert sorted(holders(scene)) == after
        check_uses(scene)

    check(lambda one: lambda of: of.cancel(f"first-{one}"), "already_cancelled", left)
    check(lambda one: lambda of: of.redeem(CODE, one), "already_redeemed", ["ada", "bo", *left])


#: Another organization, which allows registration too.
OPEN_BETA = attrs.evolve(BETA, anonymous_registration=True)

#: Someone of another organization, with the address of a newcomer.
NAMESAKE = attrs.evolve(EVE, email=DI.email, organization_id="beta")

#: Commands of every kind on one small world, each with its own ids.
COMMANDS: dict[str, Command] = {
    "assign": lambda of: of.assign("py", "bo", id="x-1", repeat=ca.Repeat.SKIP),
    "assign again": lambda of: of.assign("py", "bo", id="x-2", repeat=ca.Repeat.REFUSE),
    "roster": lambda of: of.assign_many(["py", "sql"], [DI, "bo"], id="r-1", repeat=ca.Repeat.SKIP),
    "other roster": lambda of: of.assign_many(
        ["py"], ["cy", DI], id="r-2", repeat=ca.Repeat.REFUSE
    ),
    "cancel": lambda of: of.cancel("a-1"),
    "cancel redeemed": lambda of: of.cancel("redeemed"),
    "reschedule": lambda of: of.reschedule("a-1", timedelta(days=10)),
    "complete": lambda of: of.complete("a-1"),
    "redeem": lambda of: of.redeem(CODE, "bo", id="x-3"),
    "redeem again": lambda of: of.redeem(CODE, "ada", id="x-4"),
    "register": lambda of: of.register(CODE, DI, id="x-5"),
    "register twice": lambda of: of.register(CODE, DI, id="x-7"),
    "register alike": lambda of: of.register(CODE, NAMESAKE, id="x-6"),
    "create_keys": lambda of: of.create_keys("py", id="may", codes=[NEW_CODE], **TERMS),
    "add_keys": lambda of: of.add_keys("spring", id="more", codes=[NEW_CODE]),
    "lower maximum": lambda of: of.edit_keys("spring", max_uses=1),
    "raise maximum": lambda of: of.edit_keys("spring", max_uses=3),
    "restrict": lambda of: of.edit_keys("spring", any_organization=False),
    "revoke_key": lambda of: of.revoke_key(CODE),
    "revoke_keys": lambda of: of.revoke_keys("spring"),
    "archive": lambda of: of.update(attrs.evolve(PYTHON, archived=True)),
    "close": lambda of: of.update(attrs.evolve(ACME, anonymous_registration=False)),
    "shorten": lambda of: of.update(attrs.evolve(OPEN_BETA, maximum_access=timedelta(days=5))),
    "move": lambda of: of.update(attrs.evolve(BO, organization_id="acme")),
    "change address": lambda of: of.update(attrs.evolve(CY, email=DI.email)),
    "anonymize": lambda of: of.anonymize("bo"),
    "add": lambda of: of.add(DI),
}

#: Where the second may overtake the first although the first was decided without it: redeeming
#: takes no claim (rule 15), and does not expect the batch, whose keys carry what has to be exact.
OVERTAKING = {
    ("assign", "redeem"),
    ("assign again", "redeem"),
    ("roster", "redeem"),
    ("redeem", "restrict"),
    ("register alike", "restrict"),
}


TABLE = Table(COMMANDS, OVERTAKING)


class TestOneAfterTheOther:
    """Whatever two commands do at once, one of them might as well have come first."""

    @staticmethod
    def base() -> Scene:
        scene = with_keys(ca.InMemoryRepository, uses=2, policies=RESTORING)
        scene.registrar.update(OPEN_BETA)
        scene.registrar.redeem(CODE, "ada", id="redeemed")
        scene.registrar.assign("sql", "bo", id="a-1", repeat=ca.Repeat.SKIP)
        return scene

    @pytest.mark.parametrize("name", COMMANDS)
    def test_commands_that_meet_have_a_serial_order(self, name: str) -> None:
        assert TABLE.all_differences(ca.InMemoryRepository, self.base(), name) == []

    @pytest.mark.parametrize(
        ("habit", "name", "other"),
        [
            (races.expects_nothing, "assign", "archive"),
            (races.expects_nothing, "assign", "move"),
            (races.expects_nothing, "assign", "shorten"),
            (races.expects_nothing, "roster", "archive"),
            (races.expects_nothing, "redeem", "archive"),
            (races.expects_nothing, "register", "archive"),
            (races.expects_nothing, "register alike", "close"),
            (races.expects_nothing, "create_keys", "archive"),
            (races.expects_nothing, "add_keys", "archive"),
            (races.expects_nothing, "reschedule", "shorten"),
            (races.expects_nothing, "revoke_keys", "add_keys"),
            (races.compares_nothing, "reschedule", "cancel"),
            (races.compares_nothing, "complete", "cancel"),
            (races.compares_nothing, "add_keys", "raise maximum"),
            (races.compares_nothing, "raise maximum", "add_keys"),
            (races.compares_nothing, "cancel", "cancel"),
            (races.overwrites, "assign", "assign again"),
            (races.overwrites, "roster", "other roster"),
            (races.keeps_taken_codes(races.honest), "create_keys", "add_keys"),
            (races.writes_uses_as_read, "redeem", "cancel redeemed"),
            (races.writes_uses_as_read, "redeem again", "cancel redeemed"),
            (races.writes_uses_as_read, "redeem", "register"),
            (races.forgets_the_terms, "redeem", "revoke_key"),
            (races.forgets_the_terms, "redeem", "revoke_keys"),
            (races.forgets_the_bound, "redeem", "register"),
            (races.forgets_the_bound, "redeem", "lower maximum"),
            (races.replaces_uses_too, "revoke_key", "redeem"),
        ],
    )
    def test_they_have_none_without_a_guard(self, habit: Habit, name: str, other: str) -> None:
        assert TABLE.differences(races.careless(habit), self.base(), name, other) != []

    def test_a_careless_repository_without_a_bad_habit_has_no_other_fault(self) -> None:
        assert (
            TABLE.all_differences(races.careless(races.honest), self.base(), "cancel redeemed")
            == []
        )
