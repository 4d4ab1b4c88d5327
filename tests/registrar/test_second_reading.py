"""The readings of one try are no snapshot, and its clock is read before them.

Whatever comes between two of them, what a command or a question answers was true at some time.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import partial
from gc import get_referents
from itertools import count
from types import FunctionType, ModuleType
from typing import Any

import attrs
import pytest

import course_assignments as ca
from course_assignments.changes import R
from course_assignments.commands import Assign, Assignable, Context, Outcome
from course_assignments.entities.people import anonymous_email
from course_assignments.queries import RecordT
from course_assignments.validation import Strings
from tests.support.world import ACME, ADA, PYTHON, START, world

US, DAY = timedelta(microseconds=1), timedelta(days=1)


class Interrupted(ca.InMemoryRepository):
    """Lets the next thing happen before each reading of records of one kind."""

    def __init__(self, kind: type, steps: Iterable[Callable[[], object]] = ()) -> None:
        super().__init__()
        self.kind, self.steps = kind, list(steps)
        self.is_open = False

    def _step(self, kind: type) -> None:
        if self.is_open and kind is self.kind and self.steps:
            step, self.is_open = self.steps.pop(0), False
            step()
            self.is_open = True

    def get(self, kind: type[R], ids: Strings, /) -> dict[str, R]:
        self._step(kind)
        return super().get(kind, ids)

    def find(self, query: ca.Query[RecordT], /) -> ca.Page[RecordT]:
        self._step(query.kind)
        return super().find(query)


def ticking() -> Callable[[], datetime]:
    """Return a clock that moves on with every reading, as clocks do."""
    time = START

    def read() -> datetime:
        nonlocal time
        time += US
        return time

    return read


def standing(registrar: ca.Registrar) -> list[ca.CourseAssignment]:
    return list(ca.find_all(registrar.repository, ca.AssignmentQuery(learner_id="ada")))


class AssignUnlessActive(Assign):
    """Counts only active assignments, and none that was made later."""

    def decide(self, records: Assignable, context: Context) -> Outcome[ca.CourseAssignment]:
        active = [one for one in records.existing if one.is_active_at(context.at)]
        return super().decide(attrs.evolve(records, existing=active), context)


def upload_amid_another(
    repeat: ca.Repeat, command: type[Assign] = Assign
) -> list[ca.CourseAssignment]:
    """Assign once more after the clock of the first was read and before anything else was."""
    repository = Interrupted(ca.User)
    registrar, _ = world(repository, clock=ticking())
    repository.steps = [lambda: registrar.assign("py", "ada", repeat=repeat)]
    repository.is_open = True
    with suppress(ca.Refused):
        registrar.execute(command("py", "ada", repeat=repeat))
    return standing(registrar)


@pytest.mark.parametrize("repeat", [ca.Repeat.SKIP, ca.Repeat.REFUSE])
def test_an_assignment_made_after_the_clock_was_read_counts(repeat: ca.Repeat) -> None:
    assert len(upload_amid_another(repeat)) == 1


@pytest.mark.parametrize("repeat", [ca.Repeat.SKIP, ca.Repeat.REFUSE])
def test_if_only_active_assignments_counted_there_would_be_two(repeat: ca.Repeat) -> None:
    assert len(upload_amid_another(repeat, AssignUnlessActive)) == 2


def test_an_assignment_made_after_the_clock_was_read_can_be_cancelled() -> None:
    repository = Interrupted(ca.CourseAssignment)
    registrar, _ = world(repository, clock=ticking())
    repository.steps = [lambda: registrar.assign("py", "ada", id="a-1")]
    repository.is_open = True
    assert registrar.cancel("a-1").cancelled_at is not None


def test_lines_of_taken_codes_are_read_until_they_are_stable() -> None:
    """The second code is taken by a batch with the same id: with it, the id is taken too."""
    repository = Interrupted(ca.TrainingKey)
    registrar, _ = world(repository)
    create: Any = partial(
        registrar.create_keys,
        "py",
        name="Keys",
        organization_id="acme",
        availability=30 * DAY,
    )
    create(codes=["Spring-2026"])
    repository.steps = [lambda: None, lambda: create(id="b-1", codes=["Summer-2026"])]
    repository.is_open = True
    with pytest.raises(ca.Conflict) as caught:
        create(id="b-1", codes=["Spring-2026", "Summer-2026"])
    assert caught.value == ca.Conflict(("b-1",), "id_taken", "KeyBatch")


def test_a_yes_that_was_never_true_is_not_given() -> None:
    """The key is revoked before the course is restored: at no time could it be redeemed."""
    repository = Interrupted(ca.Course)
    registrar, _ = keys_of_acme(repository)
    registrar.update(attrs.evolve(PYTHON, archived=True))

    def revoke_and_set_free() -> None:
        registrar.revoke_key("Spring-2026")
        registrar.update(PYTHON)

    repository.steps = [revoke_and_set_free]
    repository.is_open = True
    decision = registrar.may_redeem("Spring-2026", "ada")
    assert [one.code for one in decision.reasons] == ["key_revoked"]


class Scripted:
    """A policy that answers in turn, with a reason of each code or with yes."""

    def __init__(self, *answers: str) -> None:
        self.answers = iter(answers)
        self.asked = 0

    def evaluate(self, *_: object, **__: object) -> ca.Decision:
        self.asked += 1
        code = next(self.answers)
        # Each time with other words, as of something that moves with the clock.
        return ca.Decision([ca.CustomReason(code, f"Sentence {self.asked}.")] if code else ())


def scripted(*answers: str, **options: Any) -> tuple[ca.Registrar, Scripted]:
    rule = Scripted(*answers)
    registrar, _ = world(policies=ca.Policies(course_availability=rule), **options)
    return registrar, rule


class TestAnAnswerThatWritesNothing:
    @pytest.mark.parametrize(
        ("answers", "believed"),
        [
            (["x-a", "x-a"], "x-a"),
            (["x-a", "x-b", "x-b"], "x-b"),
            (["x-a", "x-b", "x-a", "x-a"], "x-a"),
            (["x-a", "", "x-b", "x-b"], "x-b"),
            (["", "x-a", "", ""], ""),
        ],
    )
    def test_is_believed_when_it_is_read_twice_in_a_row(
        self, answers: list[str], believed: str
    ) -> None:
        registrar, rule = scripted(*answers)
        decision = registrar.may_assign("py", "ada")
        assert [one.code for one in decision.reasons] == ([believed] if believed else [])
        assert rule.asked == len(answers)

    def test_is_believed_after_the_timeout_though_it_changes_all_the_time(self) -> None:
        # Time passes only by the readings of this stopwatch.
        seconds = count(0.0, 10)
        registrar, rule = scripted(
            *["x-a", "x-b"] * 50,
            timeout=timedelta(seconds=35),
            stopwatch=lambda: next(seconds),
        )
        with pytest.raises(ca.Refused):
            registrar.assign("py", "ada")
        assert rule.asked == 5

    def test_is_read_twice_even_without_a_timeout(self) -> None:
        registrar, rule = scripted("x-a", "x-b", "x-c", timeout=timedelta(0))
        assert [one.code for one in registrar.may_assign("py", "ada").reasons] == ["x-b"]
        assert rule.asked == 2

    def test_is_not_that_someone_is_missing_who_was_just_added(self) -> None:
        repository = Interrupted(ca.User)
        registrar, _ = world(repository)
        zoe = attrs.evolve(ADA, id="zoe", email="zoe@example.org")
        repository.steps = [lambda: None, lambda: registrar.add(zoe)]
        repository.is_open = True
        assert registrar.assign("py", "zoe").learner_id == "zoe"

    def test_may_draw_the_same_ids_at_each_reading(self) -> None:
        registrar, _ = world(new_id=lambda: "x-1")
        assert registrar.may_assign("py", "ada")
        assert registrar.assign("py", "ada").id == "x-1"


class TestAProfileThatOthersBringToo:
    """They are stored by another upload just when it is asked whose the address is."""

    PEOPLE = tuple(
        ca.User(id=name, name=name, email=f"{name}@example.org") for name in ("zoe", "yan", "xia")
    )

    def interrupted(self) -> tuple[Interrupted, ca.Registrar]:
        repository = Interrupted(ca.User)
        registrar, _ = world(repository)
        # A step for each reading of a user, over and over: one person more each time.
        for one in self.PEOPLE:
            repository.steps += [partial(registrar.add, one), *[lambda: None] * 3]
        repository.is_open = True
        return repository, registrar

    @pytest.mark.parametrize("readings", range(8))
    def test_is_not_refused_to_a_roster(self, readings: int) -> None:
        repository, registrar = self.interrupted()
        repository.steps[:0] = [lambda: None] * readings
        assert len(registrar.assign_many(["py"], self.PEOPLE, repeat=ca.Repeat.SKIP).created) == 3

    @pytest.mark.parametrize("readings", range(8))
    def test_is_not_refused_to_who_adds_it(self, readings: int) -> None:
        repository, registrar = self.interrupted()
        repository.steps[:0] = [lambda: None] * readings
        registrar.add(*self.PEOPLE)
        assert len(repository.get(ca.User, [one.id for one in self.PEOPLE])) == 3

    def test_is_refused_if_the_address_is_another_s(self) -> None:
        _, registrar = self.interrupted()
        other = attrs.evolve(self.PEOPLE[0], id="other")
        with pytest.raises(ca.Refused, match="e-mail address"):
            registrar.assign_many(["py"], [*self.PEOPLE, other])


def keys_of_acme(repository: Interrupted | None = None) -> tuple[ca.Registrar, ca.ManualClock]:
    """Return a registrar who knows one key of Python, for the learners of Acme."""
    registrar, clock = world(repository)
    registrar.create_keys(
        "py",
        name="Keys",
        organization_id="acme",
        availability=timedelta(days=3),
        codes=["Spring-2026"],
        id="spring",
    )
    return registrar, clock


def test_a_window_that_closed_before_the_course_was_restored_is_closed() -> None:
    """The change does not expect the batch, so its terms are read when all else was read."""
    repository = Interrupted(ca.Course)
    registrar, _ = keys_of_acme(repository)
    registrar.update(attrs.evolve(PYTHON, archived=True))

    def close_and_set_free() -> None:
        registrar.edit_keys("spring", redeemable_until=START)
        registrar.update(PYTHON)

    repository.steps = [close_and_set_free]
    repository.is_open = True
    with pytest.raises(ca.Refused) as caught:
        registrar.redeem("Spring-2026", "ada")
    assert [one.code for one in caught.value.decision.reasons] == ["key_expired"]


def test_a_batch_that_was_moved_to_another_course_is_read_again() -> None:
    """No command does so, but a host may."""
    repository = Interrupted(ca.Course)
    registrar, _ = keys_of_acme(repository)
    other = attrs.evolve(PYTHON, id="other")
    registrar.add(other)
    batch = repository.get(ca.KeyBatch, ["spring"])["spring"]
    moved = attrs.evolve(batch, course_id="other")
    repository.steps = [lambda: repository.commit(ca.Change(replace=[ca.Replace(batch, moved)]))]
    repository.is_open = True
    assert registrar.redeem("Spring-2026", "ada").course_id == "other"


def test_a_batch_that_was_moved_to_another_organization_is_read_again() -> None:
    repository = Interrupted(ca.Course)
    registrar, _ = keys_of_acme(repository)
    batch = repository.get(ca.KeyBatch, ["spring"])["spring"]
    moved = attrs.evolve(batch, organization_id="beta")
    repository.steps = [lambda: repository.commit(ca.Change(replace=[ca.Replace(batch, moved)]))]
    repository.is_open = True
    newcomer = ca.User(id="new", name="New", email="new@example.org")
    with pytest.raises(ca.Refused) as caught:
        registrar.register("Spring-2026", newcomer)
    assert [one.code for one in caught.value.decision.reasons] == ["registration_disabled"]


@pytest.mark.parametrize("command", ["create_keys", "edit_keys"])
def test_a_day_is_that_of_the_zone_at_the_commit(command: str) -> None:
    class MovesFirst(ca.InMemoryRepository):
        """Lets Acme move to another zone just before a change of keys is stored."""

        moved = True

        def commit(self, change: ca.Change, /) -> None:
            if not self.moved:
                self.moved = True
                registrar.update(attrs.evolve(ACME, time_zone="Asia/Tokyo"))
            super().commit(change)

    repository = MovesFirst()
    registrar, _ = world(repository)
    terms: dict[str, Any] = {"organization_id": "acme", "availability": timedelta(days=3)}
    batch = registrar.create_keys("py", name="Keys", generate=1, **terms)
    repository.moved = False
    until = date(2026, 3, 1)
    if command == "create_keys":
        after = registrar.create_keys(
            "py", name="Keys", generate=1, redeemable_until=until, **terms
        )
    else:
        after = registrar.edit_keys(batch.id, redeemable_until=until)
    assert after.redeemable_until == datetime.fromisoformat("2026-03-01T00:00:00+09:00")


def test_a_policy_of_the_host_may_let_a_key_be_redeemed_again() -> None:
    class Lenient:
        def evaluate(self, *_: object, **__: object) -> ca.Decision:
            return ca.Decision()

    registrar, clock = keys_of_acme()
    registrar.edit_keys("spring", max_uses=2)
    policies = ca.Policies(key_redemption=Lenient())
    other = ca.Registrar(registrar.repository, policies=policies, clock=clock)
    assert other.redeem("Spring-2026", "ada") != other.redeem("Spring-2026", "ada")
    assert [key.uses for key in other.keys("spring")] == [2]


class TestAStartUnderItsId:
    """Whether it was started under the id and what is open is read at once, or it starts twice."""

    @pytest.mark.parametrize("readings", range(6))
    def test_a_retry_amid_the_first_call_is_found_however_far_it_came(self, readings: int) -> None:
        repository = Interrupted(ca.Attempt)
        registrar, _ = world(repository)
        registrar.assign("py", "ada", id="a-1")
        registrar.finish(registrar.start("a-1", "lab").id)

        def retry() -> None:
            registrar.finish(registrar.start("a-1", "lab", id="click").id)

        repository.steps = [*[lambda: None] * readings, retry]
        repository.is_open = True
        assert registrar.start("a-1", "lab", id="click").number == 2
        repository.is_open = False
        found = ca.find_all(repository, ca.AttemptQuery(assignment_id="a-1"))
        assert sorted(one.number for one in found) == [1, 2]


class TestARosterUnderItsPrefix:
    def test_a_pair_assigned_during_the_first_call_is_skipped_again(
        self,
    ) -> None:
        repository = Interrupted(ca.User)
        registrar, clock = world(repository)

        def assign_meanwhile() -> None:
            clock.advance(US)
            registrar.assign("py", "bo", id="other")
            clock.set(START)

        repository.steps = [assign_meanwhile]
        repository.is_open = True
        first = registrar.assign_many(["py"], ["ada", "bo"], id="r", repeat=ca.Repeat.SKIP)
        assert [one.id for one in first.skipped] == ["other"]
        clock.advance(timedelta(hours=1))
        registrar.cancel("other")
        again = registrar.assign_many(["py"], ["ada", "bo"], id="r", repeat=ca.Repeat.SKIP)
        assert again.created == first.created
        assert [one.id for one in again.skipped] == ["other"]

    @pytest.mark.parametrize(("ends", "told"), [((3, 9), "a"), ((9, 3), "b"), ((9, 9), "a")])
    def test_of_several_the_one_that_ends_last_or_has_the_smaller_id_is_named(
        self, ends: tuple[int, int], told: str
    ) -> None:
        registrar, clock = world()
        held = {}
        for name, days in zip("ba", ends, strict=True):
            held[name] = registrar.assign("py", "bo", expires=START + days * DAY, id=name)
            clock.advance(US)
        first = registrar.assign_many(["py"], ["ada", "bo"], id="r", repeat=ca.Repeat.SKIP)
        assert first.skipped == (held[told],)
        assert registrar.assign_many(["py"], ["ada", "bo"], id="r", repeat=ca.Repeat.SKIP) == first

    def test_a_skipped_pair_is_skipped_again_after_every_change(self) -> None:
        registrar, clock = world()
        held = registrar.assign("py", "bo", expires=timedelta(days=3))
        first = registrar.assign_many(["py"], ["ada", "bo"], id="r", repeat=ca.Repeat.SKIP)
        clock.advance(timedelta(hours=1))
        cancelled = registrar.cancel(held.id)
        registrar.assign("py", "bo")
        again = registrar.assign_many(["py"], ["ada", "bo"], id="r", repeat=ca.Repeat.SKIP)
        assert again.created == first.created
        assert (first.skipped, again.skipped) == ((held,), (cancelled,))

    @pytest.mark.parametrize("expires", [None, timedelta(days=30)])
    def test_the_cost_of_skipping_is_linear(self, expires: timedelta | None) -> None:
        def asked(size: int) -> int:
            registrar, clock = world()
            count = 0

            class Counting:
                def evaluate(self, course: ca.Course, *, at: datetime) -> ca.Decision:
                    nonlocal count
                    count += 1
                    return rule.evaluate(course, at=at)

            rule = registrar.policies.course_availability
            people = [
                attrs.evolve(ADA, id=f"u-{one}", email=f"u-{one}@example.org")
                for one in range(size)
            ]
            registrar.add(*people)
            for person in people:
                registrar.assign("py", person.id)
                clock.advance(timedelta(hours=1))
            policies = attrs.evolve(registrar.policies, course_availability=Counting())
            other = ca.Registrar(registrar.repository, policies=policies, clock=clock)
            ids = [one.id for one in people]
            batch = other.assign_many(["py"], ids, repeat=ca.Repeat.SKIP, expires=expires)
            assert len(batch.skipped) == size
            return count

        assert asked(40) == 4 * asked(10)


def texts_in(thing: object) -> set[str]:
    """Return every string that can be reached from *thing*, but not through what is imported."""
    seen: dict[int, object] = {}
    left = [thing]
    while left:
        one = left.pop()
        if id(one) not in seen and not isinstance(one, type | ModuleType | FunctionType):
            seen[id(one)] = one
            left += get_referents(one)
    return {one for one in seen.values() if isinstance(one, str)}


class TestTheAnonymousAddress:
    def test_is_of_one_user_only(self) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            attrs.evolve(ADA, id="bo", email=anonymous_email("ada"))
        assert (caught.value.code, caught.value.field) == ("invalid_email", "email")

    def test_replaces_every_copy_of_the_former_address(self) -> None:
        registrar, _ = world()
        assert ADA.email in texts_in(registrar.repository)
        registrar.anonymize("ada")
        kept = texts_in(registrar.repository)
        assert ADA.email not in kept
        assert anonymous_email("ada") in kept

    def test_may_be_long_once_it_is_folded(self) -> None:
        registrar, _ = world()
        registrar.add(ca.User(id="x", name="x", email="x@" + "\ufb03" * 20 + ".y"))
        assert registrar.anonymize("x").email == anonymous_email("x")


def test_a_host_policy_that_answers_something_else_is_named() -> None:
    class Yes:
        restores_key_use = False

        def evaluate(self, *_: object, **__: object) -> Any:
            return True

    registrar, _ = world()
    assignment = registrar.assign("py", "ada")
    policies = attrs.evolve(registrar.policies, cancellation=Yes())
    other = ca.Registrar(registrar.repository, policies=policies)
    with pytest.raises(ca.InvalidInput) as caught:
        other.cancel(assignment.id)
    assert str(caught.value) == "policies.cancellation: expected Decision, got bool True"
