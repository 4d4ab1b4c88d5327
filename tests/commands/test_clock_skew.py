"""Clocks of servers differ a little: a time just before a record's creation is its creation."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.commands import CancellableSubscription, CancelSubscription, Context
from tests.support.rules import check_turn
from tests.support.situations import codes, events
from tests.support.values import refusal
from tests.support.world import ADA, START, contents, world

TICK, SECOND, HOUR = timedelta(microseconds=1), timedelta(seconds=1), timedelta(hours=1)
SKEW = timedelta(seconds=2)

RUNNING, PAUSED = (ca.Attempt.id_for(one, "lab", 1) for one in ("a-2", "a-3"))

#: Each command on records that exist, with its arguments.
CALLS: dict[str, tuple[Any, ...]] = {
    "cancel": ("a-1",),
    "reschedule": ("a-1", timedelta(days=30)),
    "complete": ("a-1",),
    "start": ("a-1", "lab"),
    "pause": (RUNNING,),
    "resume": (PAUSED,),
    "finish": (RUNNING,),
    "open_course": ("s-1", "sql"),
    "edit_subscription": ("s-1", ["sql"]),
    "cancel_subscription": ("s-1",),
}


def server_a(**options: Any) -> tuple[ca.Registrar, ca.ManualClock]:
    """Return a registrar that made everything at `START`, and the clock of the next server."""
    registrar, clock = world(**options)
    registrar.assign("py", "ada", id="a-1")
    registrar.assign("py", "bo", id="a-2")
    registrar.assign("py", "bo", id="a-3")
    registrar.subscribe(["py", "sql"], "ada", duration=ca.Months(3), id="s-1")
    registrar.start("a-2", "lab")
    registrar.pause(registrar.start("a-3", "lab").id)
    return registrar, clock


@pytest.mark.parametrize("command", CALLS)
class TestEveryCommandOnARecord:
    """An `at` less than the allowance before `created_at` is taken as `created_at`."""

    @pytest.mark.parametrize("before", [TICK, SECOND, SKEW - TICK])
    def test_a_little_before_it_is_done_at_the_creation(
        self, command: str, before: timedelta
    ) -> None:
        registrar, clock = server_a()
        at_creation, _ = server_a()
        clock.set(START - before)
        done, wanted = (getattr(one, command)(*CALLS[command]) for one in (registrar, at_creation))
        assert done == wanted
        assert contents(registrar.repository) == contents(at_creation.repository)
        assert events(registrar)[-1].at == START

    def test_the_allowance_itself_is_refused(self, command: str) -> None:
        registrar, clock = server_a()
        clock.set(START - SKEW)
        args = CALLS[command]
        assert codes(registrar, command, *args)[0] in {
            "assignment_not_active",
            "subscription_not_active",
        }
        turn = getattr(registrar, f"may_{command}")(*args).changes_at
        assert turn == START - SKEW + TICK

    def test_another_allowance_counts_and_none(self, command: str) -> None:
        for skew in (timedelta(0), timedelta(minutes=1)):
            registrar, clock = server_a(policies=ca.Policies(clock_skew=skew))
            clock.set(START - max(skew, TICK))
            assert not getattr(registrar, f"may_{command}")(*CALLS[command])
            clock.advance(TICK)
            assert getattr(registrar, f"may_{command}")(*CALLS[command])

    @given(data=st.data())
    def test_the_answer_is_exact_at_any_time(self, command: str, data: st.DataObject) -> None:
        registrar, clock = server_a()
        ask: Callable[..., ca.Decision] = getattr(registrar, f"may_{command}")
        marks = {START - SKEW, START - SKEW + TICK, START}
        near = st.sampled_from(sorted(marks)).flatmap(
            lambda mark: st.sampled_from([-SECOND, -TICK, 0 * TICK, TICK]).map(mark.__add__)
        )

        def at(moment: Any) -> ca.Decision:
            clock.set(moment)
            return ask(*CALLS[command])

        check_turn(at, data.draw(near), marks)


def test_a_note_is_recorded_at_the_creation() -> None:
    registrar, clock = server_a()
    clock.set(START - SECOND)
    registrar.add_note("a-1", ca.Note(title="Renewal", message="Paid."))
    assert events(registrar)[-1].at == START
    clock.set(START - SKEW)
    registrar.add_note("a-1", ca.Note(title="Renewal", message="Paid."))
    assert events(registrar)[-1].at == START - SKEW


def test_what_is_stored_is_not_before_the_creation() -> None:
    registrar, clock = server_a()
    clock.set(START - SECOND)
    assert registrar.start("a-1", "lab").started_at == START
    assert registrar.open_course("s-1", "sql").created_at == START
    assert registrar.complete("a-2").completed_at == START
    assert registrar.cancel_subscription("s-1").cancelled_at == START


@pytest.mark.parametrize("command", ["pause", "finish"])
def test_the_last_change_of_an_attempt_counts_as_its_creation(command: str) -> None:
    registrar, clock = server_a()
    clock.set(START + HOUR)
    attempt = registrar.start("a-1", "lab")
    clock.set(START + HOUR - SKEW)
    assert codes(registrar, command, attempt.id) == ["attempt_ahead"]
    turn = START + HOUR - SKEW + TICK
    assert getattr(registrar, f"may_{command}")(attempt.id).changes_at == turn
    clock.set(turn)
    assert getattr(registrar, command)(attempt.id).changed_at == START + HOUR


def test_a_retake_begins_at_the_end_of_the_attempt_before() -> None:
    registrar, clock = server_a()
    clock.set(START + HOUR)
    registrar.finish(registrar.start("a-1", "lab").id)
    clock.set(START + HOUR - SECOND)
    assert registrar.start("a-1", "lab").started_at == START + HOUR


#: Each command on a batch of keys, with its arguments.
KEY_CALLS: dict[str, tuple[Any, ...]] = {
    "redeem": ("Spring-2026", "ada"),
    "register": ("Spring-2026", ca.User(id="eve", name="Eve", email="eve@example.org")),
    "add_keys": ("spring",),
    "edit_keys": ("spring",),
    "revoke_key": ("Spring-2026",),
    "revoke_keys": ("spring",),
}
KEY_OPTIONS: dict[str, dict[str, Any]] = {
    "add_keys": {"codes": ["Summer-2026"]},
    "edit_keys": {"max_uses": 2},
}


@pytest.mark.parametrize("command", KEY_CALLS)
def test_keys_can_be_used_a_little_before_they_were_made(command: str) -> None:
    def made() -> tuple[ca.Registrar, ca.ManualClock]:
        registrar, clock = world()
        organization = registrar.get(ca.Organization, "acme")
        registrar.update(attrs.evolve(organization, anonymous_registration=True))
        terms: dict[str, Any] = {"organization_id": "acme", "availability": HOUR, "id": "spring"}
        registrar.create_keys("py", name="K", codes=["Spring-2026"], redeemable_from=START, **terms)
        return registrar, clock

    (behind, clock), (at_creation, _) = made(), made()
    clock.set(START - SKEW + TICK)
    args, options = KEY_CALLS[command], KEY_OPTIONS.get(command, {})
    for one in (behind, at_creation):
        assert getattr(one, f"may_{command}")(*args, **options)
    done, wanted = (getattr(one, command)(*args, **options) for one in (behind, at_creation))
    assert done == wanted
    assert contents(behind.repository) == contents(at_creation.repository)
    assert events(behind)[-1].at == START


def test_a_chosen_start_has_no_allowance() -> None:
    registrar, clock = server_a()
    terms: dict[str, Any] = {"name": "K", "organization_id": "acme", "codes": ["Spring-2026"]}
    start = START + HOUR
    registrar.create_keys("py", **terms, availability=HOUR, redeemable_from=start)
    clock.set(start - TICK)
    assert codes(registrar, "redeem", "Spring-2026", "ada") == ["key_not_yet_redeemable"]
    assert registrar.may_redeem("Spring-2026", "ada").changes_at == start


def test_a_policy_that_is_called_alone_has_no_allowance() -> None:
    registrar, _ = server_a()
    assignment = registrar.get(ca.CourseAssignment, "a-1")
    assert not ca.CancellationPolicy().evaluate(assignment, at=START - TICK)


class TestSeveralRecords:
    """Each is taken as created if the clock is near enough; the others are not active yet."""

    @given(
        opened=st.lists(st.integers(0, 5_000_000), min_size=1, max_size=4),
        at=st.integers(-3_000_000, 6_000_000),
    )
    def test_the_last_one_within_reach_is_the_time(self, opened: list[int], at: int) -> None:
        subscription = ca.Subscription(
            id="s-1",
            learner_id="ada",
            organization_id="acme",
            course_ids=["py"],
            created_at=START,
            expires_at=START + 60 * HOUR,
            openings=[ca.Opening("py", f"a-{number}") for number, _ in enumerate(opened)],
        )
        given_at = [START + TICK * later for later in opened]
        records = CancellableSubscription(
            subscription,
            ADA,
            [
                ca.CourseAssignment(
                    id=f"a-{number}",
                    learner_id="ada",
                    course_id="py",
                    organization_id="acme",
                    created_at=created,
                    expires_at=created + HOUR,
                    limited_by=ca.ExpirationLimit.SUBSCRIPTION,
                    origin=ca.FromSubscription("s-1"),
                )
                for number, created in enumerate(given_at)
            ],
        )

        def decide(moment: Any) -> Any:
            try:
                return CancelSubscription("s-1").decide(records, Context(moment))
            except ca.Refused as refused:
                return refused

        now = START + TICK * at
        outcome = decide(now)
        ahead = [one for one in (START, *given_at) if one - now >= SKEW]
        if ahead:
            turn = max(ahead) - SKEW + TICK
            assert outcome.decision.changes_at == turn
            assert isinstance(decide(turn - TICK), ca.Refused)
            outcome = decide(turn)
            now = turn
        taken = max([now, *(one for one in (START, *given_at) if now < one)])
        assert outcome.result.cancelled_at == taken
        assert {one.after.cancelled_at for one in outcome.change.replace} == {taken}


@pytest.mark.parametrize(
    "skew", [-TICK, timedelta(minutes=1) + TICK, 2, 2.0, None, ca.Months(1), "PT2S"]
)
def test_an_allowance_is_0_to_1_minute(skew: Any) -> None:
    error = refusal(lambda: ca.Policies(clock_skew=skew))
    assert (error.code, error.field) == ("invalid_duration", "clock_skew")
    assert "expected a timedelta from 0 to 1 minute, got " in error.hint
