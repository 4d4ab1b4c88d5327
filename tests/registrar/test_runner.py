"""How every command is executed, whichever it is, and how its question answers for it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, assert_type

import attrs
import pytest
from hypothesis import find, given, note
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.commands import COMMANDS, Reader
from tests.support.acts import ACTS
from tests.support.situations import (
    TYPED,
    Barged,
    Call,
    barged,
    calls,
    codes,
    copied,
    error,
    events,
    same_registrar,
    situations,
)
from tests.support.world import ACME, ADA, MANAGER, PYTHON, START, contents, world

TICK = timedelta(microseconds=1)
#: How far the clocks of servers may differ.
SKEW = timedelta(seconds=2)


def tried(step: Call, registrar: ca.Registrar) -> ca.Decision | ca.CourseAssignmentsError:
    """Carry *step* out; return a yes, the decision of a refusal, or an error."""
    try:
        step.on(registrar)
    except ca.Refused as refused:
        return refused.decision
    except ca.CourseAssignmentsError as failure:
        return failure
    return ca.Decision()


def asked(step: Call, registrar: ca.Registrar) -> ca.Decision | ca.CourseAssignmentsError:
    try:
        answer = step.asked_of(registrar)
    except ca.CourseAssignmentsError as failure:
        return failure
    assert isinstance(answer, ca.Decision)
    return answer


def outcome_at(
    step: Call, registrar: ca.Registrar, policies: ca.Policies, at: datetime
) -> ca.Decision | ca.CourseAssignmentsError:
    """Return what *step* would come to at *at*, in a copy of the world of *registrar*."""
    return tried(step, same_registrar(copied(registrar.repository), ca.ManualClock(at), policies))


def times_before(at: datetime, turn: datetime | None, step: Call) -> Iterator[datetime]:
    """Yield times at which an answer given at *at* has to hold, if no one does anything.

    There are none for what counts from the time of the command itself.
    """
    request_moves = any(
        step.kwargs.get(name) is not None
        for name in ("expires", "redeemable_from", "redeemable_until")
    )
    if turn is not None:
        yield at + (turn - at) / 2
        yield turn - TICK
    elif not request_moves:
        for passed in (TICK, timedelta(hours=24), timedelta(days=45), timedelta(days=4000)):
            yield at + passed


class TestQuestions:
    """A question answers as its command would be decided, and changes nothing."""

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_command_is_drawn(self, name: str) -> None:
        assert find(calls(), lambda step: step.command == name).command == name

    @given(situations(), st.lists(calls(), min_size=3, max_size=3))
    def test_a_question_allows_exactly_what_its_command_does_and_changes_nothing(
        self, situation: tuple[ca.Registrar, ca.ManualClock, ca.Policies], steps: list[Call]
    ) -> None:
        registrar, _, _ = situation
        for step in steps:
            before = contents(registrar.repository)
            answer = asked(step, registrar)
            note(f"{step}: {answer!r}")
            assert contents(registrar.repository) == before
            came_to = tried(step, registrar)
            if isinstance(answer, ca.Decision) and answer.allowed:
                assert came_to == ca.Decision()
            else:
                assert came_to == answer
                assert contents(registrar.repository) == before

    @given(situations(), st.lists(calls(), min_size=3, max_size=3))
    def test_an_answer_holds_until_it_says_that_it_changes_and_then_it_does(
        self, situation: tuple[ca.Registrar, ca.ManualClock, ca.Policies], steps: list[Call]
    ) -> None:
        registrar, clock, policies = situation
        for step in steps:
            answer, now = asked(step, registrar), clock()
            if not isinstance(answer, ca.Decision):
                continue
            turn = answer.changes_at
            note(f"{step} at {now}: {answer!r}")
            for at in times_before(now, turn, step):
                came_to = outcome_at(step, registrar, policies, at)
                assert isinstance(came_to, ca.Decision)
                assert came_to.allowed == answer.allowed, at
            if turn is not None:
                assert turn > now
                came_to = outcome_at(step, registrar, policies, turn)
                assert isinstance(came_to, ca.Decision)
                assert came_to.allowed != answer.allowed

    def test_an_answer_that_moves_with_the_clock_has_no_changes_at(self) -> None:
        registrar, clock = world()
        wanted = START + timedelta(days=170)
        assert registrar.may_assign("py", "ada", expires=wanted).changes_at is None
        assert registrar.may_assign_many(["py"], ["ada"], expires=wanted).changes_at is None
        registrar.assign("py", "ada")
        refused = registrar.may_assign("py", "ada", repeat=ca.Repeat.REFUSE)
        assert refused.changes_at == clock() + timedelta(days=180)


class TestWholeOrNotAtAll:
    """Events in the same commit; a refusal leaves the repository equal to before."""

    @given(situations(), st.lists(calls(), min_size=1, max_size=3))
    def test_each_command_records_one_event_if_it_changes_anything(
        self, situation: tuple[ca.Registrar, ca.ManualClock, ca.Policies], steps: list[Call]
    ) -> None:
        registrar, clock, _ = situation
        for step in steps:
            before = contents(registrar.repository)
            came_to = tried(step, registrar)
            after = contents(registrar.repository)
            new = after["Event"][len(before["Event"]) :]
            if after == before:
                assert not new
                continue
            assert isinstance(came_to, ca.Decision)
            (event,) = new
            recorded = {"revoke_key": "revoke_keys"}.get(step.command, step.command)
            assert (event.action, event.at) == (recorded, clock())
            assert event.by == step.kwargs.get("by")
            assert event.subject_ids
        positions = [event.position for event in events(registrar)]
        assert positions == list(range(1, len(positions) + 1))

    @given(situations(), st.lists(calls(), max_size=3))
    def test_a_key_has_as_many_uses_as_redemptions_that_were_not_given_back(
        self, situation: tuple[ca.Registrar, ca.ManualClock, ca.Policies], steps: list[Call]
    ) -> None:
        registrar, _, _ = situation
        for step in steps:
            tried(step, registrar)
        kept = contents(registrar.repository)
        for key in kept["TrainingKey"]:
            standing = [
                one for one in kept["Redemption"] if (one.key_id, one.restored_at) == (key.id, None)
            ]
            assert key.uses == len(standing) <= key.max_uses
            assert key.remaining_uses == key.max_uses - len(standing)


def archive(registrar: ca.Registrar) -> None:
    registrar.update(attrs.evolve(PYTHON, archived=True))


def rename_ada(registrar: ca.Registrar) -> None:
    (ada,) = registrar.repository.get(ca.User, ["ada"]).values()
    registrar.update(attrs.evolve(ada, name=ada.name + "!"))


class Clock:
    """A clock that moves on by a minute at each reading, and counts them."""

    def __init__(self) -> None:
        self.readings = 0

    def __call__(self) -> datetime:
        self.readings += 1
        return START + timedelta(minutes=self.readings)


class TestTries:
    """The registrar reads the clock once per try, and starts again when a record was changed
    in the meantime, until it succeeds, is refused, or a deadline passes."""

    def test_one_try_reads_the_clock_once(self) -> None:
        clock = Clock()
        registrar = ca.Registrar(clock=clock)
        registrar.add(PYTHON, attrs.evolve(ADA, organization_id=None))
        assert clock.readings == 1
        batch = registrar.assign_many(["py"], ["ada"] * 3, note=ca.Note(title="a", message="b"))
        assert clock.readings == 2
        assert (
            batch.created[0].created_at == START + timedelta(minutes=2) == events(registrar)[-1].at
        )
        # What writes nothing is read twice, each time with a reading of the clock.
        registrar.may_cancel(batch.created[0].id)
        assert clock.readings == 4

    @pytest.mark.parametrize("times", [0, 1, 2, 7])
    def test_a_command_starts_again_as_often_as_others_are_faster(self, times: int) -> None:
        clock = Clock()
        registrar, _, repository = barged(*[rename_ada] * times, clock=clock)
        readings = clock.readings
        repository.open = True
        assignment = registrar.assign("py", "ada")
        assert repository.commits == times + 1 == clock.readings - readings
        # It was decided on the records and the time that the last try read.
        assert assignment.created_at == START + timedelta(minutes=clock.readings)
        assert [event.action for event in events(registrar)][-times - 1 :] == [
            *["update"] * times,
            "assign",
        ]

    def test_a_new_try_decides_on_what_it_reads_anew(self) -> None:
        registrar, _, repository = barged(archive)
        repository.open = True
        with pytest.raises(ca.Refused) as caught:
            registrar.assign("py", "ada")
        assert [reason.code for reason in caught.value.decision.reasons] == ["course_archived"]
        assert not contents(repository)["CourseAssignment"]
        assert repository.commits == 1

    def test_a_generator_is_whole_for_each_try(self) -> None:
        registrar, _, repository = barged(rename_ada, rename_ada)
        repository.open = True
        batch = registrar.assign_many(
            (one for one in ["sql", "py"]), learners=map(str, ["cy", "ada", "bo"])
        )
        assert [(one.course_id, one.learner_id) for one in batch.created] == [
            (course, learner) for course in ("sql", "py") for learner in ("cy", "ada", "bo")
        ]
        assert repository.commits == 3

    def test_a_generator_of_codes_is_whole_for_each_try(self) -> None:
        registrar, _, repository = barged(
            lambda other: other.update(attrs.evolve(PYTHON, name="Snakes"))
        )
        repository.open = True
        batch = registrar.create_keys(
            "py",
            name="Some keys",
            organization_id="acme",
            availability=timedelta(days=1),
            codes=iter(TYPED),
        )
        assert (batch.size, repository.commits) == (3, 2)

    def test_a_conflict_over_an_id_is_raised_at_once(self) -> None:
        clock = Clock()
        registrar, _ = world(clock=clock)
        registrar.assign("py", "ada", id="a-1")
        readings = clock.readings
        with pytest.raises(ca.Conflict) as caught:
            registrar.assign("sql", "ada", id="a-1")
        assert caught.value.ids == ("a-1",)
        assert clock.readings == readings + 2

    @pytest.mark.parametrize(
        ("options", "tries"),
        [
            ({}, 3),
            ({"timeout": timedelta(seconds=35)}, 4),
            ({"timeout": timedelta(0)}, 1),
        ],
    )
    def test_retries_end_at_the_timeout(self, options: dict[str, Any], tries: int) -> None:
        passed = [1000.0]

        def slowly(other: ca.Registrar) -> None:
            rename_ada(other)
            passed[0] += 10

        registrar, _, repository = barged(*[slowly] * 100, stopwatch=lambda: passed[0], **options)
        repository.open = True
        with pytest.raises(ca.Conflict) as caught:
            registrar.assign("py", "ada")
        assert caught.value.ids == ("ada",)
        # Each try takes 10 s, and there are 30 s unless more or less was said.
        assert repository.commits == tries
        assert not contents(repository)["CourseAssignment"]

    def test_questions_and_commands_that_change_nothing_commit_nothing(self) -> None:
        registrar, _, repository = barged(rename_ada)
        repository.open = True
        registrar.add(ADA)
        registrar.update(PYTHON)
        assert registrar.may_assign("py", "ada")
        assert repository.commits == 0


class TestSources:
    """The clock, the id source and the random source are arguments; a bad one is named."""

    def test_the_clock_is_the_one_that_was_passed(self) -> None:
        registrar, clock = world()
        assert registrar.clock is clock

    def test_a_naive_clock_is_named(self) -> None:
        registrar = ca.Registrar(clock=lambda: datetime(2026, 1, 5))  # noqa: DTZ001 - that is the point
        with pytest.raises(ca.InvalidInput) as caught:
            registrar.add(PYTHON)
        assert (caught.value.code, caught.value.field) == ("naive_datetime", "clock")
        with pytest.raises(ca.InvalidInput):
            registrar.may_add(PYTHON)
        assert not list(ca.find_all(registrar.repository, ca.CourseQuery()))

    @pytest.mark.parametrize("shown", [None, "2026-01-05", datetime(1960, 1, 1, tzinfo=UTC)])
    def test_a_clock_without_a_valid_datetime_is_named(self, shown: Any) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            ca.Registrar(clock=lambda: shown).add(PYTHON)
        assert caught.value.field == "clock"

    def test_an_id_source_that_repeats_itself_is_named_and_no_endless_loop(self) -> None:
        registrar, _ = world(new_id=lambda: "always", timeout=timedelta(days=1))
        first = registrar.assign("py", "ada")
        assert first.id == "always"
        before = contents(registrar.repository)
        with pytest.raises(ca.InvalidInput) as caught:
            registrar.assign("py", "ada")
        assert (caught.value.code, caught.value.field) == ("bad_id_source", "new_id")
        assert contents(registrar.repository) == before

    def test_an_id_source_that_met_a_taken_id_once_draws_another(self) -> None:
        drawn = iter(["one", "one", "two"])
        registrar, _ = world(new_id=lambda: next(drawn))
        assert [registrar.assign("py", "ada").id for _ in range(2)] == ["one", "two"]

    @pytest.mark.parametrize("bad", [None, 7, "", "a\nb"])
    def test_an_id_source_that_gives_no_id_is_refused(self, bad: Any) -> None:
        registrar, _ = world(new_id=lambda: bad)
        error(ca.InvalidInput, registrar, "assign", "py", "ada")

    def keys(self, registrar: ca.Registrar, **kwargs: Any) -> Any:
        return registrar.create_keys(
            "py", name="Keys", organization_id="acme", availability=timedelta(days=1), **kwargs
        )

    def test_a_random_source_that_repeats_itself_is_named_and_no_endless_loop(self) -> None:
        registrar, _ = world(random_bytes=bytes, timeout=timedelta(days=1))
        self.keys(registrar, generate=1)
        before = contents(registrar.repository)
        for count_ in (1, 2):
            with pytest.raises(ca.InvalidInput) as caught:
                self.keys(registrar, generate=count_)
            assert (caught.value.code, caught.value.field) == ("bad_random_source", "random_bytes")
        assert contents(registrar.repository) == before

    def test_a_random_source_that_gives_a_code_typed_in_the_same_call_is_named(self) -> None:
        # Time passes only by the readings, so that a loop ends here after three of them.
        seconds = count(0.0, 10)
        registrar, _ = world(random_bytes=bytes, stopwatch=lambda: next(seconds))
        with pytest.raises(ca.InvalidInput) as caught:
            self.keys(registrar, codes=["0000-0000-0000-0000-0"], generate=1)
        assert (caught.value.code, caught.value.field) == ("bad_random_source", "random_bytes")

    def test_a_random_source_that_met_a_taken_code_once_draws_another(self) -> None:
        drawn = iter([bytes(16), bytes(16), bytes(15) + b"\1"])
        registrar, _ = world(random_bytes=lambda _: next(drawn))
        assert [self.keys(registrar, generate=1).size for _ in range(2)] == [1, 1]

    @pytest.mark.parametrize(
        ("field", "bad"),
        [
            ("policies", ca.Policies),
            ("clock", START),
            ("new_id", "id"),
            ("random_bytes", b"bytes"),
            ("stopwatch", 1.0),
            ("timeout", 30),
            ("timeout", timedelta(microseconds=-1)),
        ],
    )
    def test_an_argument_that_is_not_a_source_is_refused(self, field: str, bad: Any) -> None:
        options: dict[str, Any] = {field: bad}
        with pytest.raises(ca.InvalidInput) as caught:
            ca.Registrar(**options)
        assert caught.value.field == field

    def test_a_registrar_needs_no_arguments(self) -> None:
        registrar = ca.Registrar()
        assert isinstance(registrar.repository, ca.InMemoryRepository)
        registrar.add(PYTHON, attrs.evolve(ADA, organization_id=None))
        one, two = registrar.assign("py", "ada"), registrar.assign("py", "ada")
        assert one.id != two.id
        assert len(one.id) == 32
        assert one.created_at.tzinfo is UTC


class TestClockGoingBack:
    """A time before `created_at` may be asked about: not active, nothing may be done."""

    @pytest.mark.parametrize(
        ("command", "arguments"),
        [
            ("cancel", ()),
            ("complete", ()),
            ("reschedule", (timedelta(days=3),)),
        ],
    )
    def test_nothing_is_done_before_creation(
        self, command: str, arguments: tuple[object, ...]
    ) -> None:
        registrar, clock = world()
        registrar.assign("py", "ada", id="a-1")
        clock.set(START - SKEW)
        assert codes(registrar, command, "a-1", *arguments) == ["assignment_not_active"]
        question: Callable[..., ca.Decision] = getattr(registrar, f"may_{command}")
        assert question("a-1", *arguments).changes_at == START - SKEW + TICK

    def test_commands_go_on_and_events_keep_the_order_in_which_they_were_stored(self) -> None:
        registrar, clock = world()
        registrar.assign("py", "ada", id="later")
        clock.set(START - timedelta(days=1))
        # The one made later is there, whatever this clock says of it.
        assert not registrar.may_assign("py", "ada", repeat=ca.Repeat.REFUSE)
        earlier = registrar.assign("py", "ada", id="earlier")
        assert earlier.created_at == START - timedelta(days=1)
        assert [event.position for event in events(registrar)] == [1, 2, 3]
        assert [event.at for event in events(registrar)] == [START, START, earlier.created_at]
        found = contents(registrar.repository)["CourseAssignment"]
        assert [one.id for one in found] == ["earlier", "later"]


class TestNegativeControls:
    """The checks above can fail."""

    def test_without_what_is_expected_a_stale_decision_would_be_stored(self) -> None:
        class Blind(Barged):
            def commit(self, change: ca.Change, /) -> None:
                super().commit(attrs.evolve(change, expect=()))

        repository = Blind([])
        registrar, clock = world(repository)
        repository.others = iter([lambda inner: archive(ca.Registrar(inner, clock=clock))])
        repository.open = True
        # The course was archived before this was stored.
        registrar.assign("py", "ada")
        assert list(contents(repository)["CourseAssignment"])

    def test_a_copy_of_a_world_is_independent(self) -> None:
        registrar, clock = world()
        registrar.assign("py", "ada", id="a-1", repeat=ca.Repeat.REFUSE)
        copy = copied(registrar.repository)
        assert contents(copy) == contents(registrar.repository)
        same_registrar(copy, clock, ca.Policies()).cancel("a-1")
        assert contents(copy) != contents(registrar.repository)


def test_a_change_that_lost_is_not_partly_stored() -> None:
    registrar, _, repository = barged(
        lambda other: other.assign("py", "ada", id="a-1"),
        policies=ca.Policies(key_redemption=ca.KeyRedemptionPolicy(once_per_learner=False)),
    )
    repository.open = True
    with pytest.raises(ca.Conflict):
        # Someone else assigned another course under this id in the meantime.
        registrar.assign("sql", "ada", id="a-1")
    (stored,) = repository.get(ca.CourseAssignment, ["a-1"]).values()
    assert stored.course_id == "py"
    assert [event.action for event in events(registrar)] == ["add", "assign"]


def test_a_record_is_given_by_its_id() -> None:
    registrar, _ = world()
    assert registrar.get(ca.User, "ada") == ADA
    with pytest.raises(ca.NotFound) as caught:
        registrar.get(ca.User, "nobody")
    assert caught.value == ca.NotFound("User", "nobody")


def test_a_reader_reads_any_number_of_kinds_in_one_call() -> None:
    registrar, _ = world()
    reader = Reader(
        repository=registrar.repository,
        policies=registrar.policies,
        id_source=str,
        random_bytes=bytes,
        issued_ids=set(),
    )
    course, none, learner = reader.need_each(
        (ca.Course, "py"), (ca.Subscription, None), (ca.User, "ada")
    )
    assert_type((course, none, learner), tuple[ca.Course, ca.Subscription | None, ca.User])
    assert (course, none, learner) == (PYTHON, None, ADA)
    wanted = (ca.Course, "py"), (ca.Organization, "acme"), (ca.User, "ada"), (ca.User, "manager")
    assert reader.need_each(*wanted) == (PYTHON, ACME, ADA, MANAGER)
    with pytest.raises(ca.NotFound) as caught:
        reader.need_each(*wanted, (ca.User, "nobody"), (ca.User, "no one"))
    assert caught.value == ca.NotFound("User", "nobody", (ca.NotFound("User", "no one"),))


@pytest.mark.parametrize("name", ACTS)
def test_what_is_no_command_is_refused(name: str) -> None:
    registrar, _ = world()
    others: tuple[Any, ...] = (None, name, ACTS[name].kind, ACTS[name].records)
    for junk in others:
        for take in (registrar.execute, registrar.check):
            with pytest.raises(ca.InvalidInput) as caught:
                take(junk)
            assert (caught.value.code, caught.value.field) == ("wrong_type", "command")
