"""Many at once, on the in-memory repository. DESIGN section 3: what makes read-decide-commit exact.

Each race is a function of the repository that it is run on. It holds on the real one, and beside it
stands what it catches: the same race on a repository, or by a caller, with one guard taken away.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from itertools import chain, product
from threading import Semaphore
from typing import Any, TypeAlias, TypeVar

import attrs
import pytest

from course_assignments import (
    AssignmentBatch,
    AssignmentQuery,
    BatchQuery,
    CancellationPolicy,
    Change,
    CourseAssignment,
    CourseAssignmentsError,
    Direct,
    ExpirationLimit,
    FromKey,
    InMemoryRepository,
    KeyBatch,
    KeyQuery,
    Policies,
    RedemptionQuery,
    Refused,
    Registrar,
    Repeat,
    TrainingKey,
    User,
    UserQuery,
    find_all,
)
from course_assignments.testing.threads import frequent_switching
from tests.support.order import Table
from tests.support.races import (
    TIMEOUT,
    EmailBlind,
    Gate,
    Habit,
    Interruption,
    Make,
    MeetingInside,
    Scene,
    Unlocked,
    Watched,
    amid,
    at_every_point,
    careless,
    claims_nothing,
    codes_of,
    compares_nothing,
    compares_uses,
    expects_nothing,
    forgets_the_bound,
    forgets_the_terms,
    granted,
    honest,
    in_rounds,
    keeps_taken_codes,
    makes_redeemers_retry,
    newcomers,
    outcome_of,
    outcomes_of,
    overwrites,
    reckless,
    refusals,
    replaces_uses_too,
    says_used_up_when_busy,
    without_claims,
    writes_uses_as_read,
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
RESTORING = Policies(cancellation=CancellationPolicy(restores_key_use=True))
DI, EVE = newcomers(2, "new")

T = TypeVar("T")
#: What a learner is told: the assignment, or why there is none.
Told: TypeAlias = CourseAssignment | CourseAssignmentsError


def with_keys(make: Make, learners: Sequence[User] = (), uses: int = 1, **options: Any) -> Scene:
    """Return a scene with *learners* and a batch of two keys for Python."""
    scene = Scene(make(), **options)
    if learners:
        scene.registrar.add(*learners)
    scene.registrar.create_keys("py", id="spring", codes=[CODE, OTHER_CODE], max_uses=uses, **TERMS)
    return scene


def the_one(found: Sequence[T]) -> T:
    assert len(found) == 1
    return found[0]


def holders(scene: Scene, code: str = CODE) -> list[str]:
    """Return who holds a use of the key that was not given back."""
    found = find_all(scene.repository, RedemptionQuery(key_id=scene.key(code).id, limit=10_000))
    return [one.learner_id for one in found if one.restored_at is None]


def assignments(scene: Scene) -> list[CourseAssignment]:
    return list(find_all(scene.repository, AssignmentQuery(limit=10_000)))


def check_uses(scene: Scene) -> None:
    """Check that each key has as many uses as redemptions not restored, one a learner."""
    for key in find_all(scene.repository, KeyQuery()):
        found = holders(scene, key.code)
        assert key.uses == len(found) == len(set(found)) <= key.max_uses
    made = [one.id for one in assignments(scene) if isinstance(one.origin, FromKey)]
    redemptions = find_all(scene.repository, RedemptionQuery(limit=10_000))
    assert sorted(made) == sorted(one.assignment_id for one in redemptions)


class TestManyLearnersShareOneKey:
    """Nobody may be told "used up" while a use is left, and never more get in than it has uses."""

    @staticmethod
    def play(make: Make, uses: int, learners: int, *, meet: bool = True) -> None:
        people = newcomers(learners)
        scene = with_keys(make, people, uses)
        gate = Gate(64)
        watched = Watched(scene.repository, gate.before("commit" if meet else ""))
        redeem = partial(scene.on(watched).redeem, CODE)

        def redeem_for(some: Iterable[User]) -> list[Told]:
            return [outcome_of(partial(redeem, one.id)) for one in some]

        rows = outcomes_of(partial(redeem_for, people[first::64]) for first in range(64))
        outcomes = list(chain.from_iterable(granted(rows)))
        assert gate.was_full is meet
        winners = [one.learner_id for one in granted(outcomes)]
        # Of the refused nobody was wrong: as many got in as could.
        assert len(winners) == min(uses, learners) == scene.key(CODE).uses
        assert {str(codes_of(one)) for one in refusals(outcomes)} <= {"['key_exhausted']"}
        assert sorted(holders(scene)) == sorted(winners)
        check_uses(scene)
        if learners <= uses:
            # Redeeming makes nobody try again: the counter is no compare-and-set.
            assert watched.calls.count("commit") == learners

    def test_sixty_four_threads_end_at_exactly_its_thousand_uses(self) -> None:
        self.play(InMemoryRepository, uses=1000, learners=1100)

    def test_with_a_use_for_everyone_nobody_is_refused_or_retries(self) -> None:
        self.play(InMemoryRepository, uses=1000, learners=1000)

    @pytest.mark.parametrize("uses", range(1, 9))
    def test_of_sixty_four_who_decide_at_once_as_many_get_in_as_it_has_uses(
        self, uses: int
    ) -> None:
        self.play(InMemoryRepository, uses=uses, learners=64)

    def test_exactly_its_uses_are_made_by_threads_that_switch_all_the_time(self) -> None:
        with frequent_switching():
            self.play(InMemoryRepository, uses=1000, learners=1100, meet=False)

    def test_nobody_comes_between_the_check_of_a_commit_and_its_writing(self) -> None:
        self.play(MeetingInside, uses=8, learners=64)

    @pytest.mark.parametrize(
        ("make", "uses"),
        [
            pytest.param(Unlocked, 8, id="without the lock"),
            pytest.param(careless(writes_uses_as_read), 1, id="uses written as read"),
            pytest.param(careless(writes_uses_as_read), 1000, id="uses written as read, of many"),
            pytest.param(careless(forgets_the_bound), 8, id="without the bound"),
            pytest.param(careless(says_used_up_when_busy), 8, id="used up when busy"),
            pytest.param(careless(says_used_up_when_busy), 64, id="used up when busy, for all"),
            pytest.param(careless(makes_redeemers_retry), 64, id="a use that is compared"),
        ],
    )
    def test_it_takes_the_lock_and_a_bounded_counter(self, make: Make, uses: int) -> None:
        with pytest.raises(AssertionError):
            self.play(make, uses=uses, learners=64)


class TestOneLearnerOnManyThreads:
    """The same learner redeems a multi-use key twice: refused, naming the first assignment."""

    @staticmethod
    def play(make: Make) -> None:
        scene = with_keys(make, uses=1000)
        gate = Gate(64)
        redeem = partial(scene.watched(gate.before("commit")).redeem, CODE, "bo")
        outcomes = outcomes_of([redeem] * 64)
        assert gate.was_full
        only = the_one(granted(outcomes))
        reasons = [reason for one in refusals(outcomes) for reason in one.decision.reasons]
        assert [reason.code for reason in reasons] == ["already_redeemed"] * 63
        assert {getattr(reason, "assignment_id", None) for reason in reasons} == {only.id}
        assert assignments(scene) == [only]
        assert scene.key(CODE).uses == 1
        check_uses(scene)

    def test_one_gets_in_and_the_others_learn_of_it(self) -> None:
        self.play(InMemoryRepository)

    @pytest.mark.parametrize("habit", [claims_nothing, overwrites])
    def test_it_takes_an_id_that_both_sides_write(self, habit: Habit) -> None:
        with pytest.raises(AssertionError):
            self.play(careless(habit))


def pairs_of(batch: AssignmentBatch) -> list[CourseAssignment]:
    return sorted((*batch.created, *batch.skipped), key=lambda one: one.id)


#: Commands that take an id; what they answer with is made comparable.
REPEATABLE: dict[str, Callable[[Registrar, str | None], object]] = {
    "assign": lambda of, id_: of.assign("py", "bo", id=id_),
    "assign, skip": lambda of, id_: of.assign("py", "bo", id=id_, repeat=Repeat.SKIP),
    "assign, refuse": lambda of, id_: of.assign("py", "bo", id=id_, repeat=Repeat.REFUSE),
    "assign_many": lambda of, id_: of.assign_many(["py", "sql"], ["bo", DI], id=id_),
    "assign_many, skip": lambda of, id_: of.assign_many(
        ["py", "sql"], ["bo", DI], id=id_, repeat=Repeat.SKIP
    ),
    "assign_many, refuse": lambda of, id_: of.assign_many(
        ["py", "sql"], ["bo", "cy"], id=id_, repeat=Repeat.REFUSE
    ),
    "redeem": lambda of, id_: of.redeem(CODE, "bo", id=id_),
    "register": lambda of, id_: of.register(CODE, DI, id=id_),
    "create_keys, typed": lambda of, id_: of.create_keys("py", codes=[NEW_CODE], id=id_, **TERMS),
    "create_keys, drawn": lambda of, id_: of.create_keys("py", generate=3, id=id_, **TERMS),
    "add_keys, typed": lambda of, id_: of.add_keys("spring", codes=[NEW_CODE], id=id_),
    "add_keys, drawn": lambda of, id_: of.add_keys("spring", generate=3, id=id_),
}
#: Those of them that without an id do something new each time.
NEW_EACH_TIME = ("assign", "assign_many", "create_keys, drawn", "add_keys, drawn")


class TestOneId:
    """`id=` makes a command safe to retry: it is returned and nothing happens, no second use."""

    @staticmethod
    def sizes(scene: Scene) -> dict[str, int]:
        return {name: len(found) for name, found in contents(scene.repository).items()}

    def check_once(self, scene: Scene, name: str, uses: int, outcomes: list[object]) -> None:
        """Check that all *outcomes* are equal, and what is stored is what one call would store."""
        assert [one for one in outcomes if isinstance(one, Exception)] == []
        assert [one for one in outcomes if one != outcomes[0]] == []
        alone = with_keys(InMemoryRepository, uses=uses)
        REPEATABLE[name](alone.registrar, "x-1")
        assert self.sizes(scene) == self.sizes(alone)
        assert scene.key(CODE).uses == alone.key(CODE).uses
        check_uses(scene)

    def play(self, make: Make, name: str, uses: int = 1000, id: str | None = "x-1") -> None:
        scene = with_keys(make, uses=uses)
        gate = Gate(64)
        registrar = scene.watched(gate.before("commit"))
        outcomes = outcomes_of([partial(REPEATABLE[name], registrar, id)] * 64)
        assert gate.was_full
        self.check_once(scene, name, uses, outcomes)

    @pytest.mark.parametrize("name", REPEATABLE)
    def test_sixty_four_threads_get_one_and_the_same(self, name: str) -> None:
        self.play(InMemoryRepository, name)

    @pytest.mark.parametrize("name", ["redeem", "register"])
    def test_so_they_do_when_the_key_had_one_use(self, name: str) -> None:
        self.play(InMemoryRepository, name, uses=1)

    @pytest.mark.parametrize("name", REPEATABLE)
    def test_it_takes_a_create_that_loses(self, name: str) -> None:
        with pytest.raises(AssertionError):
            self.play(careless(keeps_taken_codes(reckless)), name)

    @pytest.mark.parametrize("name", NEW_EACH_TIME)
    def test_it_takes_the_id(self, name: str) -> None:
        with pytest.raises(AssertionError):
            self.play(InMemoryRepository, name, id=None)

    @pytest.mark.parametrize(
        ("name", "uses"),
        [*product(REPEATABLE, [1000]), ("redeem", 1), ("register", 1)],
    )
    def test_a_retry_in_the_middle_of_the_first_try_gets_the_same(
        self, name: str, uses: int
    ) -> None:
        def play(interruption: Interruption) -> None:
            scene = with_keys(InMemoryRepository, uses=uses)
            interruption.rival = lambda: REPEATABLE[name](scene.registrar, "x-1")
            first = partial(REPEATABLE[name], scene.watched(interruption), "x-1")
            outcomes = [outcome_of(first)]
            interruption.finish()
            self.check_once(scene, name, uses, [*outcomes, interruption.result])

        assert at_every_point(play) > 2


class TestRevokingWhileOthersRedeem:
    """Revoking a leaked key must not lose to the crowd that redeems it."""

    @staticmethod
    def play(make: Make) -> None:
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
        revoker, crowd = scene.on(watched), scene.watched(gate.before("commit"))

        def redeem_for(some: Iterable[User]) -> list[Told]:
            outcomes: list[Told] = []
            for one in some:
                outcomes.append(outcome_of(partial(crowd.redeem, CODE, one.id)))
                done.release()
            return outcomes

        def revoke() -> list[Told]:
            revoker.revoke_key(CODE)
            uses_then.append(scene.key(CODE).uses)
            return []

        shares: list[Callable[[], list[Told]]] = [
            partial(redeem_for, people[first::16]) for first in range(16)
        ]
        outcomes = list(chain.from_iterable(granted(outcomes_of([*shares, revoke]))))
        assert gate.was_full
        assert all(waited)
        assert watched.calls.count("commit") == 1
        # Whatever was granted was granted before it was revoked, and is in the books.
        assert uses_then == [scene.key(CODE).uses] == [len(granted(outcomes))]
        assert uses_then[0] >= 16
        late = outcome_of(partial(scene.registrar.redeem, CODE, "ada"))
        for refused in (*refusals(outcomes), *refusals([late])):
            assert codes_of(refused) == ["key_revoked"]
        assert granted([late]) == []
        check_uses(scene)

    def test_a_key_is_revoked_within_one_commit(self) -> None:
        self.play(InMemoryRepository)

    def test_so_it_is_when_threads_switch_all_the_time(self) -> None:
        with frequent_switching():
            self.play(InMemoryRepository)

    def test_it_takes_terms_that_are_compared_without_the_uses(self) -> None:
        with pytest.raises(AssertionError):
            self.play(careless(compares_uses))

    @staticmethod
    def play_decided(make: Make, revoke: Callable[[Registrar], object]) -> None:
        people = newcomers(16)
        scene = with_keys(make, people, uses=1000)
        redeem = [partial(Registrar.redeem, code=CODE, learner_id=one.id) for one in people]
        outcomes = amid(scene, redeem, lambda: revoke(scene.registrar))
        assert [codes_of(one) for one in refusals(outcomes)] == [["key_revoked"]] * 16
        assert assignments(scene) == []
        check_uses(scene)

    def test_who_had_decided_to_redeem_it_is_refused_once_it_is_revoked(self) -> None:
        self.play_decided(InMemoryRepository, lambda of: of.revoke_key(CODE))
        self.play_decided(InMemoryRepository, lambda of: of.revoke_keys("spring"))

    def test_it_takes_uses_that_compare_the_terms(self) -> None:
        with pytest.raises(AssertionError):
            self.play_decided(careless(forgets_the_terms), lambda of: of.revoke_key(CODE))


class TestEditingTheMaximumAmidTheCrowd:
    """`max_uses` cannot go below the uses already made, and never are there more uses than that."""

    @staticmethod
    def play_decided(make: Make, before: int, after: int) -> None:
        """Edit the maximum when 16 have decided to redeem."""
        people = newcomers(16)
        scene = with_keys(make, people, uses=before)
        redeem = [partial(Registrar.redeem, code=CODE, learner_id=one.id) for one in people]
        outcomes = amid(scene, redeem, lambda: scene.registrar.edit_keys("spring", max_uses=after))
        assert len(granted(outcomes)) == min(after, 16) == scene.key(CODE).uses
        assert {str(codes_of(one)) for one in refusals(outcomes)} <= {"['key_exhausted']"}
        assert scene.key(CODE).max_uses == after
        check_uses(scene)

    @pytest.mark.parametrize(("before", "after"), [(1000, 10), (16, 15), (16, 17), (10, 16)])
    def test_who_had_decided_to_redeem_meets_the_new_maximum(self, before: int, after: int) -> None:
        self.play_decided(InMemoryRepository, before, after)

    def test_it_takes_a_counter_that_keeps_to_it(self) -> None:
        with pytest.raises(AssertionError):
            self.play_decided(careless(forgets_the_bound), 1000, 10)

    @staticmethod
    def play_overtaken(make: Make, after: int) -> None:
        """Let 16 redeem when the maximum is about to be edited."""
        people = newcomers(16)
        scene = with_keys(make, people, uses=1000)

        def rush() -> None:
            redeem = [partial(scene.registrar.redeem, CODE, one.id) for one in people]
            assert len(granted(outcomes_of(redeem))) == 16

        (outcome,) = amid(scene, [lambda of: of.edit_keys("spring", max_uses=after)], rush)
        if after < 16:
            assert [codes_of(one) for one in refusals([outcome])] == [["max_uses_below_uses"]]
        assert scene.key(CODE).max_uses == (1000 if after < 16 else after)
        assert scene.key(CODE).uses == 16
        check_uses(scene)

    @pytest.mark.parametrize("after", [1, 15, 16, 17])
    def test_a_maximum_below_uses_made_meanwhile_is_refused(self, after: int) -> None:
        self.play_overtaken(InMemoryRepository, after)

    @pytest.mark.parametrize("after", [15, 17])
    def test_it_takes_terms_that_leave_the_uses_alone(self, after: int) -> None:
        with pytest.raises(AssertionError):
            self.play_overtaken(careless(replaces_uses_too), after)


Roster: TypeAlias = list[str | User]


class TestRostersUploadedAtOnce:
    """Two uploads of one roster meet at the claims."""

    #: Two rosters that overlap: in learners with a profile, and in newcomers.
    KNOWN: tuple[Roster, ...] = (["ada", "bo", DI], [EVE, "cy", "bo", "ada"])
    NEW: tuple[Roster, ...] = (["ada", DI], [EVE, "bo", DI])

    @staticmethod
    def wanted(roster: Roster) -> list[tuple[str, str]]:
        ids = [one.id if isinstance(one, User) else one for one in roster]
        return list(product(["py", "sql"], ids))

    @staticmethod
    def pairs(found: Iterable[CourseAssignment]) -> list[tuple[str, str]]:
        return [(one.course_id, one.learner_id) for one in found]

    def check(
        self,
        scene: Scene,
        rosters: Sequence[Roster],
        repeat: Repeat,
        outcomes: Sequence[AssignmentBatch | CourseAssignmentsError],
    ) -> None:
        standing = [one for one in assignments(scene) if one.cancelled_at is None]
        stored = Counter(self.pairs(standing))
        winners = [
            (roster, outcome)
            for roster, outcome in zip(rosters, outcomes, strict=True)
            if not isinstance(outcome, CourseAssignmentsError)
        ]
        assert stored == Counter({pair for roster, _ in winners for pair in self.wanted(roster)})
        for roster, batch in winners:
            created, skipped = self.pairs(batch.created), self.pairs(batch.skipped)
            assert [one for one in self.wanted(roster) if one not in skipped] == created
            assert [one for one in self.wanted(roster) if one not in created] == skipped
        assert sum(len(batch.created) for _, batch in winners) == stored.total()
        assert len(list(find_all(scene.repository, UserQuery()))) == 5 + len(
            {one.id for roster, _ in winners for one in roster if isinstance(one, User)}
        )
        if repeat is Repeat.SKIP:
            assert len(winners) == len(rosters)
            return
        winner, _ = the_one(winners)
        for roster, outcome in zip(rosters, outcomes, strict=True):
            if isinstance(outcome, CourseAssignmentsError):
                refused = the_one(refusals([outcome]))
                taken = [
                    (getattr(one, "course_id", ""), getattr(one, "learner_id", ""))
                    for one in refused.decision.reasons
                ]
                assert set(codes_of(refused)) == {"already_assigned"}
                assert taken == [one for one in self.wanted(roster) if one in self.wanted(winner)]

    @staticmethod
    def scene(make: Make, vacated: Sequence[str] = ()) -> Scene:
        """Return a scene, with claims of *vacated* learners that nobody holds any more."""
        scene = Scene(make())
        if vacated:
            batch = scene.registrar.assign_many(["py", "sql"], vacated, repeat=Repeat.SKIP)
            for one in batch.created:
                scene.registrar.cancel(one.id)
        return scene

    def play(
        self,
        make: Make,
        rosters: Sequence[Roster],
        repeat: Repeat,
        vacated: Sequence[str] = (),
    ) -> None:
        scene = self.scene(make, vacated)
        gate = Gate(len(rosters))
        upload = partial(
            scene.watched(gate.before("commit")).assign_many, ["py", "sql"], repeat=repeat
        )
        outcomes = outcomes_of(partial(upload, roster) for roster in rosters)
        assert gate.was_full
        self.check(scene, rosters, repeat, outcomes)

    @pytest.mark.parametrize("repeat", [Repeat.SKIP, Repeat.REFUSE])
    @pytest.mark.parametrize("rosters", [KNOWN, NEW], ids=["known", "new"])
    def test_two_never_make_a_pair_twice(self, rosters: tuple[Roster, ...], repeat: Repeat) -> None:
        self.play(InMemoryRepository, rosters, repeat)

    @pytest.mark.parametrize("repeat", [Repeat.SKIP, Repeat.REFUSE])
    def test_nor_do_they_where_the_claims_were_vacated(self, repeat: Repeat) -> None:
        self.play(InMemoryRepository, self.KNOWN, repeat, vacated=["ada", "bo"])

    @pytest.mark.parametrize("repeat", [Repeat.SKIP, Repeat.REFUSE])
    def test_that_takes_claims_that_are_compared(self, repeat: Repeat) -> None:
        with pytest.raises(AssertionError):
            self.play(careless(compares_nothing), self.KNOWN, repeat, vacated=["ada", "bo"])

    def test_eight_in_opposite_orders_never_make_a_pair_twice(self) -> None:
        people = newcomers(40)
        rosters: list[Roster] = [[*people[first : first + 20]] for first in range(0, 24, 3)]
        turned = [one[::-1] if number % 2 else one for number, one in enumerate(rosters)]
        self.play(InMemoryRepository, turned, Repeat.SKIP)

    @pytest.mark.parametrize("repeat", [Repeat.SKIP, Repeat.REFUSE])
    @pytest.mark.parametrize(
        ("habit", "rosters"),
        [(claims_nothing, KNOWN), (overwrites, KNOWN), (overwrites, NEW)],
        ids=["no claims", "claims overwritten", "newcomers overwritten"],
    )
    def test_it_takes_claims(
        self, habit: Habit, rosters: tuple[Roster, ...], repeat: Repeat
    ) -> None:
        with pytest.raises(AssertionError):
            self.play(careless(habit), rosters, repeat)

    @pytest.mark.parametrize("repeat", [Repeat.SKIP, Repeat.REFUSE])
    @pytest.mark.parametrize("vacated", [[], ["ada", "bo"]], ids=["fresh", "vacated"])
    @pytest.mark.parametrize("rosters", [KNOWN, NEW], ids=["known", "new"])
    def test_one_may_come_in_the_middle_of_the_other(
        self, rosters: tuple[Roster, ...], repeat: Repeat, vacated: list[str]
    ) -> None:
        def play(interruption: Interruption) -> None:
            scene = self.scene(InMemoryRepository, vacated)
            first, second = (
                partial(of.assign_many, ["py", "sql"], roster, repeat=repeat)
                for of, roster in zip(
                    (scene.watched(interruption), scene.registrar), rosters, strict=True
                )
            )
            interruption.rival = second
            outcome = outcome_of(first)
            interruption.finish()
            self.check(scene, rosters, repeat, [outcome, interruption.result])

        assert at_every_point(play) > 4


class TestCancellingAndReschedulingAtOnce:
    """The loser sees the winner."""

    LATER = START + timedelta(days=200)
    SOONER = START + timedelta(days=30)

    def play(self, make: Make, rounds: int) -> None:
        scene = Scene(make())
        made = [
            CourseAssignment(
                id=f"a-{number:05}",
                learner_id="bo",
                course_id="py",
                organization_id="beta",
                created_at=START,
                expires_at=START + timedelta(days=90),
                limited_by=ExpirationLimit.ORGANIZATION,
                origin=Direct(),
            )
            for number in range(rounds)
        ]
        scene.repository.commit(Change(create=made))
        commands: dict[str, Callable[[Registrar, str], CourseAssignment]] = {
            "cancel": lambda of, id_: of.cancel(id_),
            "reschedule": lambda of, id_: of.reschedule(id_, self.SOONER),
        }
        cancels, reschedules = in_rounds(scene, [one.id for one in made], commands)
        told: dict[str, list[str]] = {one.id: [] for one in made}
        for event in scene.events("cancel", "reschedule"):
            told[event.subject_ids[0]].append(event.action)
        stored = scene.repository.get(CourseAssignment, told)
        for one, cancel, reschedule in zip(made, cancels, reschedules, strict=True):
            cancelled = attrs.evolve(one, cancelled_at=START)
            if isinstance(reschedule, Refused):
                assert codes_of(reschedule) == ["already_cancelled"]
                assert told[one.id] == ["cancel"]
            else:
                moved = attrs.evolve(
                    one, expires_at=self.SOONER, limited_by=ExpirationLimit.REQUEST
                )
                assert reschedule == moved
                assert told[one.id] == ["reschedule", "cancel"]
                cancelled = attrs.evolve(moved, cancelled_at=START)
            assert cancel == stored[one.id] == cancelled
        refused = refusals(reschedules)
        assert rounds // 3 <= len(refused) <= rounds - rounds // 3

    @pytest.mark.long
    def test_ten_thousand_times_the_loser_sees_the_winner(self) -> None:
        self.play(InMemoryRepository, 10_000)

    def test_it_takes_a_compare_before_the_set(self) -> None:
        with pytest.raises(AssertionError):
            self.play(careless(compares_nothing), 1)


class TestOneAddress:
    """A taken e-mail (compared without case) is refused and the key keeps its use."""

    @staticmethod
    def check_reasons(people: Sequence[User], found: Sequence[Refused]) -> None:
        """Check that the address is the reason, and for the very same person the key too."""
        also = ["already_redeemed"] if people[0] == people[1] else []
        assert {tuple(codes_of(one)) for one in found} == {("email_taken", *also)}

    def play(self, make: Make, people: Sequence[User]) -> None:
        scene = with_keys(make, uses=1000)
        gate = Gate(len(people))
        register = partial(scene.watched(gate.before("commit")).register, CODE)
        outcomes = outcomes_of(partial(register, one) for one in people)
        assert gate.was_full
        only = the_one(granted(outcomes))
        assert len(refusals(outcomes)) == 63
        self.check_reasons(people, refusals(outcomes))
        found = scene.repository.find(UserQuery(email="di@example.org")).records
        assert [one.id for one in found] == [only.learner_id]
        assert holders(scene) == [only.learner_id]
        assert assignments(scene) == [only]
        check_uses(scene)

    #: 64 people with one address, written in two ways.
    ALIKE = tuple(
        attrs.evolve(one, email="Di@example.org" if number % 2 else "dI@EXAMPLE.org")
        for number, one in enumerate(newcomers(64))
    )
    #: One and the same person 64 times.
    SAME = (ALIKE[0],) * 64

    @pytest.mark.parametrize("people", [ALIKE, SAME], ids=["alike", "same"])
    def test_of_sixty_four_who_register_with_it_one_becomes_a_user(
        self, people: Sequence[User]
    ) -> None:
        self.play(InMemoryRepository, people)

    def test_it_takes_an_eye_on_addresses(self) -> None:
        with pytest.raises(AssertionError):
            self.play(EmailBlind, self.ALIKE)

    def test_it_takes_a_create_that_loses(self) -> None:
        with pytest.raises(AssertionError):
            self.play(careless(overwrites), self.SAME)

    @pytest.mark.parametrize("people", [ALIKE[:2], SAME[:2]], ids=["alike", "same"])
    def test_a_second_one_may_come_in_the_middle_of_the_first(self, people: Sequence[User]) -> None:
        def play(interruption: Interruption) -> None:
            scene = with_keys(InMemoryRepository, uses=1000)
            first, second = people
            interruption.rival = lambda: scene.registrar.register(CODE, second)
            watched = scene.watched(interruption)
            outcomes = [outcome_of(partial(watched.register, CODE, first))]
            interruption.finish()
            outcomes.append(interruption.result)
            assert len(granted(outcomes)) == scene.key(CODE).uses == 1
            self.check_reasons(people, refusals(outcomes))
            check_uses(scene)

        assert at_every_point(play) > 4


class TestAddingKeysAmidOtherCommands:
    """`add_keys` replaces the batch, so that an edit of `max_uses` cannot miss new keys."""

    @staticmethod
    def added(of: Registrar) -> KeyBatch:
        return of.add_keys("spring", codes=[NEW_CODE])

    @staticmethod
    def edited(of: Registrar) -> KeyBatch:
        return of.edit_keys("spring", max_uses=5)

    @staticmethod
    def revoked(of: Registrar) -> tuple[TrainingKey, ...]:
        return of.revoke_keys("spring")

    def play(
        self,
        make: Make,
        first: Callable[[Registrar], object],
        second: Callable[[Registrar], object],
    ) -> None:
        def play(interruption: Interruption) -> None:
            scene = with_keys(make)
            interruption.rival = partial(second, scene.registrar)
            outcome = outcome_of(partial(first, scene.watched(interruption)))
            interruption.finish()
            assert len(granted([outcome, interruption.result])) == 2
            (batch,) = scene.repository.find(BatchQuery())
            keys = list(scene.registrar.keys(batch.id))
            assert batch.size == len(keys) == 3
            assert {key.max_uses for key in keys} == {batch.max_uses}
            actions = [one.action for one in scene.events("add_keys", "edit_keys", "revoke_keys")]
            if "revoke_keys" in actions:
                spared = [] if actions[0] == "add_keys" else [NEW_CODE]
                assert [key.code for key in keys if key.revoked_at is None] == spared

        assert at_every_point(play) > 2

    @pytest.mark.parametrize("others", [edited, revoked], ids=["edit_keys", "revoke_keys"])
    def test_no_key_is_missed(self, others: Any) -> None:
        self.play(InMemoryRepository, self.added, others.__func__)
        self.play(InMemoryRepository, others.__func__, self.added)

    @pytest.mark.parametrize(
        ("habit", "first", "second"),
        [
            (compares_nothing, edited, added),
            (compares_nothing, added, edited),
            (expects_nothing, revoked, added),
        ],
        ids=["edit, add", "add, edit", "revoke, add"],
    )
    def test_it_takes_a_batch_that_is_compared(self, habit: Habit, first: Any, second: Any) -> None:
        with pytest.raises(AssertionError):
            self.play(careless(habit), first.__func__, second.__func__)

    def test_additions_from_many_threads_are_all_there(self) -> None:
        self.play_crowd(InMemoryRepository)

    def test_that_too_takes_a_batch_that_is_compared(self) -> None:
        with pytest.raises(AssertionError):
            self.play_crowd(careless(compares_nothing))

    def play_crowd(self, make: Make) -> None:
        scene = with_keys(make)
        gate = Gate(17)
        registrar = scene.watched(gate.before("commit"))
        add = [partial(registrar.add_keys, "spring", codes=[f"More-{one:04}"]) for one in range(16)]
        outcomes = outcomes_of([*add, partial(self.edited, registrar)])
        assert gate.was_full
        assert len(granted(outcomes)) == 17
        (batch,) = scene.repository.find(BatchQuery())
        assert batch.size == len(list(scene.registrar.keys("spring"))) == 18
        assert {key.max_uses for key in scene.registrar.keys("spring")} == {batch.max_uses} == {5}


class TestArchivingACourse:
    """Checked whenever something new is made; once `update` returned nothing new is made."""

    MAKERS: tuple[Callable[[Registrar], object], ...] = (
        lambda of: of.assign("py", "ada"),
        lambda of: of.assign("py", "bo", repeat=Repeat.SKIP),
        lambda of: of.assign_many(["sql", "py"], ["cy", EVE]),
        lambda of: of.redeem(CODE, "bo"),
        lambda of: of.register(CODE, DI),
        lambda of: of.create_keys("py", generate=1, **TERMS),
        lambda of: of.add_keys("spring", generate=1),
    )

    def play(self, make: Make) -> None:
        scene = with_keys(make, uses=1000)
        before = contents(scene.repository)
        archived = attrs.evolve(PYTHON, archived=True)
        outcomes = amid(scene, self.MAKERS, lambda: scene.registrar.update(archived))
        assert {str(codes_of(one)) for one in refusals(outcomes)} == {"['course_archived']"}
        assert granted(outcomes) == []
        after = contents(scene.repository)
        assert {name for name in after if after[name] != before[name]} == {
            "Course",
            "Event",
        }
        assert [one.action for one in scene.events()][-1] == "update"

    def test_who_had_decided_to_make_something_is_refused(self) -> None:
        self.play(InMemoryRepository)

    def test_it_takes_a_course_that_is_expected(self) -> None:
        with pytest.raises(AssertionError):
            self.play(careless(expects_nothing))


class TestGivingAUseBack:
    """Uses = redemptions not restored, whoever cancels and redeems at once."""

    @staticmethod
    def play(make: Make, uses: int = 18) -> None:
        """Let eight cancel for each of two learners, who then try eight times to redeem again."""
        others = newcomers(16)
        left = sorted(one.id for one in others)
        scene = with_keys(make, others, uses=uses, policies=RESTORING)
        for learner in ("ada", "bo", *left):
            scene.registrar.redeem(CODE, learner, id=f"first-{learner}")

        def rush(
            command: Callable[[Registrar, str], CourseAssignment], code: str, after: list[str]
        ) -> None:
            gate = Gate(16)
            registrar = scene.watched(gate.before("commit"))
            outcomes = outcomes_of(partial(command, registrar, one) for one in ["ada", "bo"] * 8)
            assert gate.was_full
            assert sorted(one.learner_id for one in granted(outcomes)) == ["ada", "bo"]
            assert {codes_of(one)[-1] for one in refusals(outcomes)} == {code}
            assert sorted(holders(scene)) == after
            check_uses(scene)

        rush(lambda of, one: of.cancel(f"first-{one}"), "already_cancelled", left)
        rush(lambda of, one: of.redeem(CODE, one), "already_redeemed", ["ada", "bo", *left])

    def test_each_use_is_given_back_once_and_taken_once_again(self) -> None:
        self.play(InMemoryRepository)

    @pytest.mark.parametrize(
        "habit", [compares_nothing, writes_uses_as_read, without_claims(overwrites)]
    )
    def test_it_takes_every_guard(self, habit: Habit) -> None:
        # So many uses are left that it is the guard that has to hold, and not the bound by luck.
        with pytest.raises(AssertionError):
            self.play(careless(habit), uses=100)

    @staticmethod
    def play_between(make: Make, *, swap: bool) -> None:
        """Let a learner redeem again in the middle of the cancelling, or the other way round."""

        def play(interruption: Interruption) -> None:
            scene = with_keys(make, uses=3, policies=RESTORING)
            scene.registrar.redeem(CODE, "ada", id="first")
            scene.registrar.redeem(CODE, "bo")
            watched = scene.watched(interruption)
            commands: list[Callable[[Registrar], CourseAssignment]] = [
                lambda of: of.cancel("first"),
                lambda of: of.redeem(CODE, "ada", id="second"),
            ]
            first, second = commands[::-1] if swap else commands
            interruption.rival = partial(second, scene.registrar)
            outcomes = [outcome_of(partial(first, watched))]
            interruption.finish()
            cancel, redeem = [*outcomes, interruption.result][:: -1 if swap else 1]
            assert len(granted([cancel])) == 1
            for refused in refusals([redeem]):
                assert codes_of(refused) == ["already_redeemed"]
            assert sorted(holders(scene)) == ["bo"] if refusals([redeem]) else ["ada", "bo"]
            check_uses(scene)

        assert at_every_point(play) > 2

    def test_the_learner_may_redeem_again_in_the_middle_of_it(self) -> None:
        self.play_between(InMemoryRepository, swap=False)

    def test_it_may_be_cancelled_in_the_middle_of_redeeming_again(self) -> None:
        self.play_between(InMemoryRepository, swap=True)

    def test_that_takes_a_counter_that_is_not_written_as_read(self) -> None:
        with pytest.raises(AssertionError):
            self.play_between(careless(writes_uses_as_read), swap=True)

    def test_redeeming_and_cancelling_at_once_keeps_the_uses_right(self) -> None:
        people = newcomers(16)
        scene = with_keys(InMemoryRepository, people, uses=5, policies=RESTORING)

        def come_and_go(learner: User) -> list[str]:
            refused: list[str] = []
            for number in range(12):
                code = (CODE, OTHER_CODE)[number % 2]
                made = outcome_of(partial(scene.registrar.redeem, code, learner.id))
                if isinstance(made, CourseAssignment):
                    scene.registrar.cancel(made.id)
                refused += [reason for one in refusals([made]) for reason in codes_of(one)]
            return refused

        with frequent_switching():
            rows = granted(outcomes_of(partial(come_and_go, one) for one in people))
        assert set(chain.from_iterable(rows)) <= {"key_exhausted"}
        assert scene.key(CODE).uses == scene.key(OTHER_CODE).uses == 0
        check_uses(scene)


#: Someone of another organization, with the address of a newcomer.
ALIKE = attrs.evolve(EVE, email=DI.email, organization_id="beta")

#: Commands of every kind on one small world, each with its own ids.
COMMANDS: dict[str, Callable[[Registrar], object]] = {
    "assign": lambda of: of.assign("py", "bo", id="x-1", repeat=Repeat.SKIP),
    "assign again": lambda of: of.assign("py", "bo", id="x-2", repeat=Repeat.REFUSE),
    "roster": lambda of: of.assign_many(["py", "sql"], [DI, "bo"], id="r-1", repeat=Repeat.SKIP),
    "other roster": lambda of: of.assign_many(["py"], ["cy", DI], id="r-2", repeat=Repeat.REFUSE),
    "cancel": lambda of: of.cancel("a-1"),
    "cancel redeemed": lambda of: of.cancel("redeemed"),
    "reschedule": lambda of: of.reschedule("a-1", timedelta(days=10)),
    "complete": lambda of: of.complete("a-1"),
    "redeem": lambda of: of.redeem(CODE, "bo", id="x-3"),
    "redeem again": lambda of: of.redeem(CODE, "ada", id="x-4"),
    "register": lambda of: of.register(CODE, DI, id="x-5"),
    "register alike": lambda of: of.register(CODE, ALIKE, id="x-6"),
    "create_keys": lambda of: of.create_keys("py", id="may", codes=[NEW_CODE], **TERMS),
    "add_keys": lambda of: of.add_keys("spring", id="more", codes=[NEW_CODE]),
    "lower maximum": lambda of: of.edit_keys("spring", max_uses=1),
    "raise maximum": lambda of: of.edit_keys("spring", max_uses=3),
    "restrict": lambda of: of.edit_keys("spring", any_organization=False),
    "revoke_key": lambda of: of.revoke_key(CODE),
    "revoke_keys": lambda of: of.revoke_keys("spring"),
    "archive": lambda of: of.update(attrs.evolve(PYTHON, archived=True)),
    "close": lambda of: of.update(attrs.evolve(ACME, anonymous_registration=False)),
    "shorten": lambda of: of.update(attrs.evolve(BETA, maximum_access=timedelta(days=5))),
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
        scene = with_keys(InMemoryRepository, uses=2, policies=RESTORING)
        scene.registrar.redeem(CODE, "ada", id="redeemed")
        scene.registrar.assign("sql", "bo", id="a-1", repeat=Repeat.SKIP)
        return scene

    @pytest.mark.parametrize("name", COMMANDS)
    def test_commands_that_meet_have_a_serial_order(self, name: str) -> None:
        assert TABLE.all_differences(InMemoryRepository, self.base(), name) == []

    @pytest.mark.parametrize(
        ("habit", "name", "other"),
        [
            (expects_nothing, "assign", "archive"),
            (expects_nothing, "assign", "move"),
            (expects_nothing, "assign", "shorten"),
            (expects_nothing, "register alike", "close"),
            (expects_nothing, "reschedule", "shorten"),
            (expects_nothing, "revoke_keys", "add_keys"),
            (compares_nothing, "reschedule", "cancel"),
            (compares_nothing, "complete", "cancel"),
            (compares_nothing, "add_keys", "raise maximum"),
            (compares_nothing, "cancel", "cancel"),
            (overwrites, "assign", "assign again"),
            (overwrites, "roster", "other roster"),
            (keeps_taken_codes(honest), "create_keys", "add_keys"),
            (writes_uses_as_read, "redeem", "cancel redeemed"),
            (writes_uses_as_read, "redeem", "register"),
            (forgets_the_terms, "redeem", "revoke_key"),
            (forgets_the_bound, "redeem", "register"),
            (replaces_uses_too, "raise maximum", "redeem"),
        ],
    )
    def test_it_takes_every_guard(self, habit: Habit, name: str, other: str) -> None:
        assert TABLE.differences(careless(habit), self.base(), name, other) != []

    def test_nothing_else_about_a_careless_repository_is_wrong(self) -> None:
        assert TABLE.all_differences(careless(honest), self.base(), "cancel redeemed") == []
