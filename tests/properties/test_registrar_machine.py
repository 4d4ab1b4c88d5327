"""Sequences of all commands against a plain model, on a clock that also goes backwards.

Beside the machine itself stand its negative controls: for each fault that is put into a repository,
a policy or the registrar, the same machine has to find it.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cache
from secrets import token_hex
from typing import Any, ClassVar

import attrs
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from course_assignments import (
    AccessPolicy,
    Attempt,
    AttemptPolicy,
    CancellationPolicy,
    Change,
    Claim,
    Conflict,
    CourseAssignment,
    Decision,
    FinishPolicy,
    InMemoryRepository,
    KeyBatch,
    KeyRedemptionPolicy,
    Policies,
    Redemption,
    Registrar,
    Replace,
    Repository,
    Subscription,
    SubscriptionPolicy,
    TrainingKey,
    User,
    commands,
)
from course_assignments.policies.cancellation import Cancellable
from course_assignments.time.datetimes import LATEST
from tests.support.acts import ACTS
from tests.support.machine_learning import LearningMachine
from tests.support.model import TICK, Settings
from tests.support.races import (
    careless,
    compares_nothing,
    expects_nothing,
    forgets_the_bound,
    replaces_uses_too,
)

#: What a sequence is made of: everything that can change something.
COMMANDS = {name for name, act in ACTS.items() if act.change}
#: Everything that the commands of this release can come to.
REASONS = {
    "already_assigned",
    "already_cancelled",
    "already_completed",
    "already_redeemed",
    "assignment_expired",
    "assignment_not_active",
    "attempt_ahead",
    "attempt_not_paused",
    "attempt_open",
    "attempt_paused",
    "cancellation_window_closed",
    "code_taken",
    "course_archived",
    "course_not_available",
    "course_not_in_subscription",
    "email_taken",
    "expires_too_early",
    "expires_too_late",
    "key_exhausted",
    "key_expired",
    "key_mistyped",
    "key_not_found",
    "key_not_yet_redeemable",
    "key_revoked",
    "lab_launched",
    "max_uses_below_uses",
    "no_attempt_open",
    "organization_not_managed",
    "registration_disabled",
    "role_missing",
    "subscription_ended",
    "subscription_not_active",
    "support_role_missing",
    "wrong_organization",
}


#: Commands that others overtake often, so that they are decided anew.
OVERTAKEN = {
    "update",
    "assign",
    "assign_many",
    "cancel",
    "reschedule",
    "complete",
    "start",
    "pause",
    "resume",
    "finish",
    "subscribe",
    "edit_subscription",
    "cancel_subscription",
    "open_course",
    "create_keys",
    "add_keys",
    "edit_keys",
    "redeem",
}


class InMemoryMachine(LearningMachine):
    def make(self) -> Repository:
        return InMemoryRepository()


FIXED = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    stateful_step_count=20,
)


#: Each round has a name and so, while runs are derandomised, a seed of its own.
ROUNDS = tuple(f"Round{number}" for number in range(1, 9))


@cache
def run() -> tuple[Counter[str], Exception | None]:
    """Run the machine at length and then more shortly, and again until it got everywhere.

    Return what was reached, and what went wrong; so that it is sought for once only.
    """
    counter: Counter[str] = Counter()
    most = settings().max_examples
    long = settings(max_examples=most // 2)
    # Each example leaves some rules out: many short ones get around more than a few long ones.
    short = settings(max_examples=2 * most, stateful_step_count=20)
    for number, name in enumerate(ROUNDS, start=1):
        machine: type[LearningMachine] = type(name, (InMemoryMachine,), {"reached": counter})
        try:
            run_state_machine_as_test(machine, settings=long if number == 1 else short)
        except Exception as error:  # noqa: BLE001 - whatever it is, one test raises it again
            return counter, error
        if number > 1 and not missing(counter):
            break
    return counter, None


def reached() -> Counter[str]:
    return run()[0]


def missing(counter: Counter[str]) -> set[str]:
    """Return what was not reached yet."""
    return {
        *(COMMANDS - done(counter)),
        *(REASONS - named(counter)),
        *(OVERTAKEN - decided_anew(counter)),
    }


def done(counter: Counter[str]) -> set[str]:
    return {one.removesuffix(": done") for one in counter if one.endswith(": done")}


def decided_anew(counter: Counter[str]) -> set[str]:
    anew = ": decided anew"
    return {one.removesuffix(anew) for one in counter if one.endswith(anew)}


def named(counter: Counter[str]) -> set[str]:
    return {one.split(": ")[1] for one in counter}


@pytest.mark.long
def test_every_sequence_of_commands_comes_to_what_the_rules_say() -> None:
    _, fault = run()
    if fault is not None:
        raise fault


@pytest.mark.long
def test_the_run_reaches_every_command() -> None:
    assert done(reached()) == COMMANDS


@pytest.mark.long
def test_the_run_reaches_every_reason() -> None:
    assert named(reached()) >= REASONS


@pytest.mark.long
def test_the_run_reaches_what_others_can_overtake() -> None:
    assert decided_anew(reached()) >= OVERTAKEN


# What follows is broken on purpose. To find it soon, a fault is sought with the rules of its theme.

ANYTIME = {"move_clock", "assign", "cancel"}
THEMES: dict[str, set[str]] = {
    "assigning": ANYTIME
    | {"keep_records", "assign_many", "cancel_by_support", "reschedule", "complete", "work_on"}
    | {"add_note"}
    | {"use_an_id_again", "use_a_prefix_again"},
    "keys": ANYTIME
    | {"create_keys", "add_keys", "edit_keys", "revoke", "present_a_key", "present_in_turn"}
    | {"change_ones_mind", "use_an_id_again", "use_the_id_of_a_batch_again"},
    "learning": ANYTIME | {"start", "go_on", "work_on", "work_through", "say_it_again"},
    "subscribing": ANYTIME
    | {"subscribe", "change_a_subscription", "open_course", "open_again", "say_it_again"},
}
RULES = set[str]().union(*THEMES.values())


def about(theme: str) -> type[LearningMachine]:
    """Return the machine with only the rules of *theme*."""
    others: dict[str, Any] = dict.fromkeys(RULES - THEMES[theme])
    machine: type[LearningMachine] = type(theme.title(), (LearningMachine,), others)
    return machine


def broken(
    make: Callable[[], Repository] = InMemoryRepository,
    registrar: type[Registrar] = Registrar,
    policies: Callable[[Policies], Policies] = lambda documented: documented,
    theme: str = "assigning",
) -> type[LearningMachine]:
    """Return the machine over something broken."""

    class Broken(about(theme)):  # type: ignore[misc]
        reached: ClassVar[Counter[str]] = Counter()

        def make(self) -> Repository:
            return make()

        def policies(self, settings: Settings) -> Policies:
            return policies(super().policies(settings))

    Broken.registrar_class = registrar
    return Broken


class Blind(InMemoryRepository):
    """Takes what is stored of some kinds for what was read, changed meanwhile or not."""

    def __init__(self, *kinds: type) -> None:
        super().__init__()
        self.kinds = kinds

    def commit(self, change: Change, /) -> None:
        def stored(step: Replace) -> Replace:
            if not isinstance(step.before, self.kinds):
                return step
            return Replace(
                self.get(type(step.before), [step.before.id])[step.before.id], step.after
            )

        expect = [one for one in change.expect if not isinstance(one, self.kinds)]
        replace = [stored(step) for step in change.replace]
        super().commit(attrs.evolve(change, expect=expect, replace=replace))


class Overwrites(InMemoryRepository):
    """Puts a new attempt over the one that is there."""

    def commit(self, change: Change, /) -> None:
        there = [
            Replace(found, one)
            for one in change.create
            if isinstance(one, Attempt)
            for found in self.get(Attempt, [one.id]).values()
        ]
        over = {step.after.id for step in there}
        create = [one for one in change.create if one.id not in over]
        super().commit(attrs.evolve(change, create=create, replace=[*change.replace, *there]))


class Halfway(InMemoryRepository):
    """Keeps what was new in a change even if the rest of it is lost."""

    def commit(self, change: Change, /) -> None:
        super().commit(Change(create=change.create))
        super().commit(attrs.evolve(change, create=()))


class CreatesOver(InMemoryRepository):
    """Keeps what is stored where another record ought to lose."""

    def commit(self, change: Change, /) -> None:
        new = [one for one in change.create if not self.get(type(one), [one.id])]
        super().commit(attrs.evolve(change, create=new))


class TellsLostChanges(InMemoryRepository):
    """Appends the events of a change that is lost."""

    def commit(self, change: Change, /) -> None:
        try:
            super().commit(change)
        except Conflict:
            super().commit(Change(record=change.record))
            raise


@attrs.frozen
class OpenBeforeCreation(CancellationPolicy):
    """Takes an instant before creation for the creation."""

    def evaluate(
        self, cancellable: Cancellable, *, at: datetime, support: bool = False
    ) -> Decision:
        now = max(at, cancellable.created_at)
        return CancellationPolicy.evaluate(self, cancellable, at=now, support=support)


@attrs.frozen
class ForgetsLabs(CancellationPolicy):
    """Lets support waive the launched lab too."""

    def evaluate(
        self, cancellable: Cancellable, *, at: datetime, support: bool = False
    ) -> Decision:
        given: Any = cancellable
        shown = attrs.evolve(given, first_lab_launched_at=None) if support else given
        return CancellationPolicy.evaluate(self, shown, at=at, support=support)


@attrs.frozen
class KeysATickLate(KeyRedemptionPolicy):
    """Lets a key be redeemed one microsecond too long."""

    def evaluate(
        self,
        key: TrainingKey,
        batch: KeyBatch,
        learner: User,
        *,
        at: datetime,
        redeemed: Redemption | None = None,
    ) -> Decision:
        end = batch.redeemable_until
        late = batch if end is None else attrs.evolve(batch, redeemable_until=end + TICK)
        return KeyRedemptionPolicy.evaluate(self, key, late, learner, at=at, redeemed=redeemed)


@attrs.frozen
class ForgetsRedemptions(KeyRedemptionPolicy):
    """Says that it asks for the first use, and does not."""

    def evaluate(
        self,
        key: TrainingKey,
        batch: KeyBatch,
        learner: User,
        *,
        at: datetime,
        redeemed: Redemption | None = None,  # noqa: ARG002
    ) -> Decision:
        return KeyRedemptionPolicy.evaluate(self, key, batch, learner, at=at)


@attrs.frozen
class Unclaiming(KeyRedemptionPolicy):
    """Asks for the first use, but says that nobody has to, so that redemptions get any id."""

    def evaluate(
        self,
        key: TrainingKey,
        batch: KeyBatch,
        learner: User,
        *,
        at: datetime,
        redeemed: Redemption | None = None,
    ) -> Decision:
        return KeyRedemptionPolicy().evaluate(key, batch, learner, at=at, redeemed=redeemed)


@attrs.frozen
class ForgetsTheEnd(AccessPolicy):
    """Gives access after it ended."""

    def evaluate(self, assignment: CourseAssignment, *, at: datetime) -> Decision:
        endless = attrs.evolve(assignment, expires_at=LATEST)
        return AccessPolicy.evaluate(self, endless, at=at)


@attrs.frozen
class ForgetsCancelling(AccessPolicy):
    """Gives access under what was cancelled."""

    def evaluate(self, assignment: CourseAssignment, *, at: datetime) -> Decision:
        return AccessPolicy.evaluate(self, attrs.evolve(assignment, cancelled_at=None), at=at)


@attrs.frozen
class FinishesAnything(FinishPolicy):
    """Lets an attempt be finished under what was cancelled."""

    def evaluate(self, assignment: CourseAssignment, *, at: datetime) -> Decision:
        return FinishPolicy.evaluate(self, attrs.evolve(assignment, cancelled_at=None), at=at)


@attrs.frozen
class ManyAtATime(AttemptPolicy):
    """Lets an activity be started while it is open."""

    def evaluate(self, attempts: Iterable[Attempt], *, at: datetime) -> Decision:  # noqa: ARG002
        return AttemptPolicy.evaluate(self, (), at=at)


@attrs.frozen
class ForgetsTheSet(SubscriptionPolicy):
    """Opens any course."""

    def evaluate(
        self,
        subscription: Subscription,
        *,
        at: datetime,
        course_id: str | None = None,  # noqa: ARG002
    ) -> Decision:
        return SubscriptionPolicy.evaluate(self, subscription, at=at)


@attrs.frozen
class NeverEnds(SubscriptionPolicy):
    """Opens courses after a subscription was cancelled."""

    def evaluate(
        self, subscription: Subscription, *, at: datetime, course_id: str | None = None
    ) -> Decision:
        whole = attrs.evolve(subscription, cancelled_at=None)
        return SubscriptionPolicy.evaluate(self, whole, at=at, course_id=course_id)


class OnceMachine(about("keys")):  # type: ignore[misc]
    """Draws runs under once-per-learner, which the policy above denies to the registrar only."""

    reached: ClassVar[Counter[str]] = Counter()

    def make(self) -> Repository:
        return InMemoryRepository()

    def policies(self, settings: Settings) -> Policies:
        settings.once_per_learner = True
        right: Policies = super().policies(settings)
        return attrs.evolve(right, key_redemption=Unclaiming(once_per_learner=False))


class Altering(InMemoryRepository):
    """Alters what one command writes, as if the command had been written so."""

    def __init__(self, action: str, alter: Callable[[Change], Change]) -> None:
        super().__init__()
        self.action = action
        self.alter = alter

    def commit(self, change: Change, /) -> None:
        meant = any(event.action == self.action for event in change.record)
        super().commit(self.alter(change) if meant else change)


def altering(
    action: str,
    alter: Callable[[Change], Change],
    theme: str = "assigning",
) -> type[LearningMachine]:
    """Return the machine over a command that writes something else than it ought to."""
    return broken(make=lambda: Altering(action, alter), theme=theme)


def without(*kinds: type) -> Callable[[Change], Change]:
    """Return what leaves out of a change all that is of one of *kinds*."""

    def alter(change: Change) -> Change:
        return attrs.evolve(
            change,
            create=[one for one in change.create if not isinstance(one, kinds)],
            replace=[one for one in change.replace if not isinstance(one.after, kinds)],
        )

    return alter


def twice(change: Change) -> Change:
    return attrs.evolve(change, use=[*change.use, *change.use])


def keeping(kind: type, *names: str) -> Callable[[Change], Change]:
    """Return what leaves these fields of records of *kind* as they were."""

    def kept(step: Replace) -> Replace:
        if not isinstance(step.after, kind):
            return step
        before = {name: getattr(step.before, name) for name in names}
        return Replace(step.before, attrs.evolve(step.after, **before))

    return lambda change: attrs.evolve(change, replace=[kept(step) for step in change.replace])


def incomplete(change: Change) -> Change:
    """Return *change* as if what was finished were never all."""
    record = [event for event in change.record if event.action != "complete"]
    return attrs.evolve(keeping(CourseAssignment, "completed_at")(change), record=record)


class OutlastsItsSubscription(commands.Reschedule):
    """Gives an assignment that was opened from a subscription an end after that."""

    def decide(
        self, records: commands.Reschedulable, context: commands.Context
    ) -> commands.Outcome[CourseAssignment]:
        stored = records.subscription
        if stored is None:
            return super().decide(records, context)
        endless = attrs.evolve(stored, expires_at=LATEST)
        outcome = super().decide(attrs.evolve(records, subscription=endless), context)
        expect = [stored if one == endless else one for one in outcome.change.expect]
        return attrs.evolve(outcome, change=attrs.evolve(outcome.change, expect=expect))


class ClaimsNothing(commands.Start):
    """Starts attempts under ids that nobody else would give them."""

    def decide(
        self, records: commands.Startable, context: commands.Context
    ) -> commands.Outcome[Attempt]:
        outcome = super().decide(records, context)
        made = attrs.evolve(outcome.result, id=token_hex(16))
        change = attrs.evolve(outcome.change, create=[made])
        return attrs.evolve(outcome, result=made, change=change)


def executing(instead: type[commands.Command[Any, Any]]) -> type[Registrar]:
    """Return a registrar who executes a broken command in the place of the one it derives from."""
    (right,) = instead.__bases__
    instead.action = right.action  # type: ignore[attr-defined]

    def put(command: Any) -> Any:
        if type(command) is not right:
            return command
        return instead(**{one: getattr(command, one) for one in attrs.fields_dict(right)})

    class Executing(Registrar):
        def execute(self, command: Any) -> Any:
            return super().execute(put(command))

        def check(self, command: commands.Command[Any, Any]) -> Decision:
            return super().check(put(command))

    return Executing


class ForgetsIds(Registrar):
    """Redeems or starts again when a call is repeated under the same id."""

    def execute(self, command: Any) -> Any:
        if isinstance(command, commands.Redeem | commands.Start):
            command = attrs.evolve(command, id=None)
        return super().execute(command)


class AsksByDoing(Registrar):
    """Cancels when it is only asked whether it may."""

    def check(self, command: commands.Command[Any, Any]) -> Decision:
        if isinstance(command, commands.Cancel):
            self.execute(command)
            return Decision()
        return super().check(command)


class SaysYes(Registrar):
    """Answers that every key can be redeemed."""

    def check(self, command: commands.Command[Any, Any]) -> Decision:
        return Decision() if isinstance(command, commands.Redeem) else super().check(command)


def with_policy(**changes: Any) -> Callable[[Policies], Policies]:
    """Return what puts other policies in, made of the settings of the documented ones."""

    def put(policies: Policies) -> Policies:
        made = {name: make(getattr(policies, name)) for name, make in changes.items()}
        return attrs.evolve(policies, **made)

    return put


def window(length: timedelta) -> Callable[[Policies], Policies]:
    return with_policy(cancellation=lambda documented: attrs.evolve(documented, window=length))


def maximum(length: timedelta) -> Callable[[Policies], Policies]:
    return with_policy(expiration=lambda documented: attrs.evolve(documented, maximum=length))


FAULTS: dict[str, type[LearningMachine]] = {
    "a repository that does not heed the bound of uses": broken(
        make=careless(forgets_the_bound), theme="keys"
    ),
    "a repository that expects nothing": broken(make=careless(expects_nothing), theme="keys"),
    "a repository in which the last write wins": broken(
        make=careless(compares_nothing), theme="keys"
    ),
    "a repository that writes uses with the terms": broken(
        make=careless(replaces_uses_too), theme="keys"
    ),
    "a repository that keeps half a change": broken(make=Halfway, theme="keys"),
    "a repository that lets two create one record": broken(make=CreatesOver, theme="keys"),
    "a repository that tells what did not happen": broken(make=TellsLostChanges, theme="keys"),
    "a window that closes a microsecond early": broken(policies=window(timedelta(hours=24) - TICK)),
    "a window that closes a microsecond late": broken(policies=window(timedelta(hours=24) + TICK)),
    "a maximum a microsecond too long": broken(policies=maximum(timedelta(days=180) + TICK)),
    "keys that expire a microsecond late": broken(
        policies=with_policy(key_redemption=lambda one: KeysATickLate(one.once_per_learner)),
        theme="keys",
    ),
    "keys that may be redeemed twice": broken(
        policies=with_policy(key_redemption=lambda one: ForgetsRedemptions(one.once_per_learner)),
        theme="keys",
    ),
    "cancelling before creation": broken(
        policies=with_policy(
            cancellation=lambda one: OpenBeforeCreation(one.window, one.restores_key_use)
        )
    ),
    "redeeming without a claim": OnceMachine,
    "redeeming without a record": altering("redeem", without(Redemption), theme="keys"),
    "redeeming without a use": altering(
        "redeem", lambda change: attrs.evolve(change, use=()), theme="keys"
    ),
    "redeeming twice at once": altering("redeem", twice, theme="keys"),
    "registering without a profile": altering("register", without(User), theme="keys"),
    "a use given back twice": altering("cancel", twice, theme="keys"),
    "a use given back without a trace": altering("cancel", without(Redemption), theme="keys"),
    "assigning without a claim": altering("assign", without(Claim)),
    "assigning many without claims": altering("assign_many", without(Claim)),
    "adding keys that the batch does not count": altering(
        "add_keys", without(KeyBatch), theme="keys"
    ),
    "editing a batch without its keys": altering("edit_keys", without(TrainingKey), theme="keys"),
    "revoking all keys but the last": altering(
        "revoke_keys",
        lambda change: attrs.evolve(change, replace=change.replace[:-1]),
        theme="keys",
    ),
    "cancelling without an event": altering(
        "cancel", lambda change: attrs.evolve(change, record=())
    ),
    "asking by doing": broken(registrar=AsksByDoing),
    "always saying yes": broken(registrar=SaysYes, theme="keys"),
    "forgetting the id of a call": broken(registrar=ForgetsIds, theme="keys"),
    "support that waives a launched lab": broken(
        policies=with_policy(cancellation=lambda one: ForgetsLabs(one.window, one.restores_key_use))
    ),
    "a repository that does not look whether the assignment is as it was read": broken(
        make=lambda: Blind(CourseAssignment), theme="learning"
    ),
    "a repository that does not look whether the subscription is as it was read": broken(
        make=lambda: Blind(Subscription), theme="subscribing"
    ),
    "a repository that does not look whether the attempt is as it was read": broken(
        make=lambda: Blind(Attempt), theme="learning"
    ),
    "a repository that puts one attempt over another": broken(make=Overwrites, theme="learning"),
    "access after the end": broken(
        policies=with_policy(access=lambda _: ForgetsTheEnd()), theme="learning"
    ),
    "access to what is cancelled": broken(
        policies=with_policy(access=lambda _: ForgetsCancelling()), theme="learning"
    ),
    "finishing under what is cancelled": broken(
        policies=with_policy(finish=lambda _: FinishesAnything()), theme="learning"
    ),
    "attempts at the same time": broken(
        policies=with_policy(attempt=lambda _: ManyAtATime()), theme="learning"
    ),
    "attempts under any id": broken(registrar=executing(ClaimsNothing), theme="learning"),
    "starting under the id of another start": broken(registrar=ForgetsIds, theme="learning"),
    "a lab that leaves no mark": altering(
        "start", keeping(CourseAssignment, "first_lab_launched_at"), theme="learning"
    ),
    "pausing without a trace": altering("pause", without(Attempt), theme="learning"),
    "finishing without the assignment": altering(
        "finish", without(CourseAssignment), theme="learning"
    ),
    "finishing that never completes": altering("finish", incomplete, theme="learning"),
    "opening what is not in the set": broken(
        policies=with_policy(subscription=lambda _: ForgetsTheSet()), theme="subscribing"
    ),
    "opening after the subscription was cancelled": broken(
        policies=with_policy(subscription=lambda _: NeverEnds()), theme="subscribing"
    ),
    "opening that the subscription does not count": altering(
        "open_course", without(Subscription), theme="subscribing"
    ),
    "cancelling a subscription but not what was opened": altering(
        "cancel_subscription", without(CourseAssignment), theme="subscribing"
    ),
    "editing a subscription without a date": altering(
        "edit_subscription", keeping(Subscription, "edited_at"), theme="subscribing"
    ),
    "an end after that of the subscription": broken(
        registrar=executing(OutlastsItsSubscription), theme="subscribing"
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.long
def test_the_machine_finds(fault: str) -> None:
    with pytest.raises(AssertionError):
        seek(FAULTS[fault])


def seek(machine: type[LearningMachine]) -> None:
    """Run *machine* again and again, a little each time, as what is drawn in one run is alike."""
    for number in range(50):
        another: type[LearningMachine] = type(f"Search{number}", (machine,), {})
        run_state_machine_as_test(another, settings=settings(FIXED, max_examples=40))
