"""Sequences of all commands, compared with a plain model, on a clock that also goes backwards.

Each fault in `FAULTS` is a negative control: the same machine has to find it.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from inspect import signature
from secrets import token_hex
from typing import Any, ClassVar, get_args

import attrs
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

import course_assignments as ca
from course_assignments import commands, reasons
from course_assignments.time.datetimes import LATEST
from tests.support import races
from tests.support.acts import ACTS
from tests.support.machine_learning import LearningMachine
from tests.support.model import TICK, Settings
from tests.support.races import Careless, Habit, Make, without

#: Every command that can change something.
COMMANDS = {name for name, act in ACTS.items() if act.change}
#: The code of every reason of this library.
REASONS = {kind.code for kind in get_args(reasons.PlainReason) if kind is not ca.CustomReason}
#: Commands that rivals overtake often, so that they are decided again.
OVERTAKEN = COMMANDS - {
    *("add", "anonymize", "add_note"),
    *("register", "revoke_key", "revoke_keys"),
}


class InMemoryMachine(LearningMachine):
    def make(self) -> ca.Repository:
        return ca.InMemoryRepository()


#: Each round has a name and so, while runs are derandomized, a seed of its own.
ROUNDS = tuple(f"Round{number}" for number in range(1, 9))


@cache
def run() -> tuple[Counter[str], Exception | None]:
    """Run the machine with long sequences, then with short ones until it has reached everything.

    Return what was reached, and the error; it is cached, so a fault is searched for once only.
    """
    counter: Counter[str] = Counter()
    most = settings().max_examples
    long = settings(max_examples=most // 2)
    # Each example leaves some rules out: many short ones reach more than a few long ones.
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


#: A thousand notes or pauses are more than a machine makes.
TOO_FAR = {"notes_used_up", "pauses_used_up"}


def missing(counter: Counter[str]) -> set[str]:
    """Return what was not reached yet."""
    wanted = {
        *(f"{command}: done" for command in COMMANDS),
        *(f"{command}: decided again" for command in OVERTAKEN),
        *(REASONS - TOO_FAR),
    }
    return wanted - {*counter, *(one.partition(": ")[2] for one in counter)}


@pytest.mark.long
class TestTheMachine:
    def test_finds_no_difference_from_the_rules(self) -> None:
        _, fault = run()
        if fault is not None:
            raise fault

    def test_reaches_every_command_reason_and_conflict(self) -> None:
        counter, _ = run()
        assert not missing(counter)
        assert {one for one in counter if one.endswith(": done")} == {
            f"{command}: done" for command in COMMANDS
        }


# Negative controls. To find it soon, each fault is searched for with the rules of its theme.

ANYTIME = {"move_clock", "assign", "cancel"}
THEMES: dict[str, set[str]] = {
    "assigning": ANYTIME
    | {"keep_records", "assign_many", "reschedule", "complete", "work_on"}
    | {"add_note", "assign_many_again", "use_an_id_again"},
    "keys": ANYTIME
    | {"create_keys", "add_keys", "edit_keys", "revoke", "present_a_key", "present_in_turn"}
    | {"change_ones_mind", "use_an_id_again", "use_the_id_of_a_batch_again"},
    "learning": ANYTIME | {"start", "go_on", "work_on", "work_through", "say_it_again"},
    "subscribing": ANYTIME
    | {"subscribe", "change_a_subscription", "open_course", "open_again", "say_it_again"},
}
RULES = set[str]().union(*THEMES.values())


@attrs.frozen
class Fault:
    """A fault in the repository, the policies or the registrar, and the rules that find it."""

    make: Make = ca.InMemoryRepository
    policies: Callable[[ca.Policies], ca.Policies] = lambda documented: documented
    registrar: type[ca.Registrar] = ca.Registrar

    def machine(self, theme: str) -> type[LearningMachine]:
        """Return the machine over this fault, with only the rules of *theme*."""
        fault = self

        class Broken(LearningMachine):
            reached: ClassVar[Counter[str]] = Counter()
            registrar_class: ClassVar[type[ca.Registrar]] = fault.registrar

            def make(self) -> ca.Repository:
                return fault.make()

            def policies(self, settings: Settings) -> ca.Policies:
                return fault.policies(super().policies(settings))

        others: dict[str, Any] = dict.fromkeys(RULES - THEMES[theme])
        return type(theme.title(), (Broken,), others)


# Faults of a repository.


def blind(*kinds: type) -> Fault:
    """Write records of these kinds whether or not they were changed since they were read."""

    def habit(repository: Careless, change: ca.Change) -> ca.Change:
        return attrs.evolve(
            change,
            expect=[one for one in change.expect if not isinstance(one, kinds)],
            replace=[
                ca.Replace(repository.stored(one.before), one.after)
                if isinstance(one.before, kinds)
                else one
                for one in change.replace
            ],
        )

    return over(habit)


def overwrites_attempts(repository: Careless, change: ca.Change) -> ca.Change:
    new = [one for one in change.create if isinstance(one, ca.Attempt)]
    attempts = races.overwrites(repository, ca.Change(create=new))
    others = [one for one in change.create if one not in new]
    return attrs.evolve(
        change, create=[*others, *attempts.create], replace=[*change.replace, *attempts.replace]
    )


def stores_half(repository: Careless, change: ca.Change) -> ca.Change:
    """What was new in a change is stored even if the rest of it is lost."""
    repository.put(ca.Change(create=change.create))
    return attrs.evolve(change, create=())


def creates_nothing_twice(repository: Careless, change: ca.Change) -> ca.Change:
    """What is stored stays where the change ought to lose."""
    new = [one for one in change.create if not repository.is_stored(one)]
    return attrs.evolve(change, create=new)


class RecordsLostChanges(ca.InMemoryRepository):
    """Appends the events of a change that is lost."""

    def commit(self, change: ca.Change, /) -> None:
        try:
            super().commit(change)
        except ca.Conflict:
            super().commit(ca.Change(record=change.record))
            raise


def over(habit: Habit) -> Fault:
    return Fault(races.careless(habit))


# Faults of a command in what it writes.


def writing(action: str, alter: Callable[[ca.Change], ca.Change]) -> Fault:
    """Alter what one command writes, as if the command had been written so."""

    def habit(_: Careless, change: ca.Change) -> ca.Change:
        meant = any(event.action == action for event in change.record)
        return alter(change) if meant else change

    return over(habit)


def twice(change: ca.Change) -> ca.Change:
    return attrs.evolve(change, use=[*change.use, *change.use])


def unclaimed(change: ca.Change) -> ca.Change:
    """Return *change* with an id of the redemption that two at once do not share."""
    id_ = token_hex(16)

    def renamed(one: Any) -> Any:
        if isinstance(one, ca.CourseAssignment):
            return attrs.evolve(one, origin=ca.FromKey(str(one.batch_id), id_))
        return attrs.evolve(one, id=id_) if isinstance(one, ca.Redemption) else one

    return attrs.evolve(change, create=map(renamed, change.create))


def keeping(kind: type, *names: str) -> Callable[[ca.Change], ca.Change]:
    """Return what leaves these fields of records of *kind* as they were."""

    def kept(step: ca.Replace) -> ca.Replace:
        if not isinstance(step.after, kind):
            return step
        before = {name: getattr(step.before, name) for name in names}
        return ca.Replace(step.before, attrs.evolve(step.after, **before))

    return lambda change: attrs.evolve(change, replace=[kept(step) for step in change.replace])


def incomplete(change: ca.Change) -> ca.Change:
    """Return *change* as if what was finished were never all."""
    record = [event for event in change.record if event.action != "complete"]
    return attrs.evolve(keeping(ca.CourseAssignment, "completed_at")(change), record=record)


# Faults of policies.


def deceived(
    name: str,
    alter: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda _: {},
) -> Fault:
    """Let a policy judge by other arguments than it is given."""

    def put(policies: ca.Policies) -> ca.Policies:
        right = getattr(policies, name)
        kind = type(right)

        def evaluate(_: object, *args: Any, **kwargs: Any) -> ca.Decision:
            bound = signature(right.evaluate).bind(*args, **kwargs)
            bound.apply_defaults()
            decision: ca.Decision = right.evaluate(**{**bound.arguments, **alter(bound.arguments)})
            return decision

        wrong = type(f"Deceived{kind.__name__}", (kind,), {"evaluate": evaluate, "__slots__": ()})
        return attrs.evolve(policies, **{name: wrong(**attrs.asdict(right, recurse=False))})

    return Fault(policies=put)


def seeing(argument: str, **changed: Any) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """Return what shows a policy a record with some fields *changed*."""
    return lambda asked: {argument: attrs.evolve(asked[argument], **changed)}


def no_lab_for_support(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    return seeing("cancellable", first_lab_launched_at=None)(asked) if asked["support"] else {}


def a_tick_later(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    end = asked["batch"].redeemable_until
    return {} if end is None else seeing("batch", redeemable_until=end + TICK)(asked)


def with_settings(name: str, **settings: Any) -> Fault:
    def put(policies: ca.Policies) -> ca.Policies:
        return attrs.evolve(policies, **{name: attrs.evolve(getattr(policies, name), **settings)})

    return Fault(policies=put)


# Faults of the registrar.


class OutlastsItsSubscription(commands.Reschedule):
    """Gives an assignment that was opened from a subscription an end after that."""

    def decide(
        self, records: commands.Reschedulable, context: commands.Context
    ) -> commands.Outcome[ca.CourseAssignment]:
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
    ) -> commands.Outcome[ca.Attempt]:
        outcome = super().decide(records, context)
        made = attrs.evolve(outcome.result, id=token_hex(16))
        change = attrs.evolve(outcome.change, create=[made])
        return attrs.evolve(outcome, result=made, change=change)


def executing(instead: type[commands.Command[Any, Any]]) -> Fault:
    """Let a registrar execute a broken command in the place of the one it derives from."""
    (right,) = instead.__bases__
    instead.action = right.action  # type: ignore[attr-defined]

    def put(command: Any) -> Any:
        if type(command) is not right:
            return command
        return instead(**{one: getattr(command, one) for one in attrs.fields_dict(right)})

    class Executing(ca.Registrar):
        def execute(self, command: Any) -> Any:
            return super().execute(put(command))

        def check(self, command: commands.Command[Any, Any]) -> ca.Decision:
            return super().check(put(command))

    return Fault(registrar=Executing)


class ForgetsIds(ca.Registrar):
    """Redeems or starts again when a call is repeated under the same id."""

    def execute(self, command: Any) -> Any:
        if isinstance(command, commands.Redeem | commands.Start):
            command = attrs.evolve(command, id=None)
        return super().execute(command)


class AsksByDoing(ca.Registrar):
    """Cancels when it is only asked whether it may."""

    def check(self, command: commands.Command[Any, Any]) -> ca.Decision:
        if isinstance(command, commands.Cancel):
            self.execute(command)
            return ca.Decision()
        return super().check(command)


class SaysYes(ca.Registrar):
    """Answers that every key can be redeemed."""

    def check(self, command: commands.Command[Any, Any]) -> ca.Decision:
        return ca.Decision() if isinstance(command, commands.Redeem) else super().check(command)


#: Faults by the theme whose rules find them.
FAULTS: dict[str, dict[str, Fault]] = {
    "keys": {
        "a repository that ignores the bound of uses": over(races.forgets_the_bound),
        "a repository that expects nothing": over(races.expects_nothing),
        "a repository in which the last write wins": over(races.compares_nothing),
        "a repository that writes uses with the terms": over(races.replaces_uses_too),
        "a repository that stores half a change": over(stores_half),
        "a repository that lets two create one record": over(creates_nothing_twice),
        "a repository that records lost changes": Fault(RecordsLostChanges),
        "keys that expire a microsecond late": deceived("key_redemption", a_tick_later),
        "keys that may be redeemed twice": deceived("key_redemption", lambda _: {"redeemed": None}),
        "redemptions under any id": writing("redeem", unclaimed),
        "redeeming without a record": writing("redeem", without(ca.Redemption)),
        "redeeming without a use": writing("redeem", lambda one: attrs.evolve(one, use=())),
        "redeeming twice at once": writing("redeem", twice),
        "registering without a profile": writing("register", without(ca.User)),
        "a use given back twice": writing("cancel", twice),
        "a use given back without a trace": writing("cancel", without(ca.Redemption)),
        "adding keys that the batch does not count": writing("add_keys", without(ca.KeyBatch)),
        "editing a batch without its keys": writing(
            "edit_keys", lambda one: attrs.evolve(one, amend=())
        ),
        "revoking no key": writing("revoke_keys", lambda one: attrs.evolve(one, amend=())),
        "always saying yes": Fault(registrar=SaysYes),
        "forgetting the id of a redemption": Fault(registrar=ForgetsIds),
    },
    "assigning": {
        "a window that closes a microsecond early": with_settings(
            "cancellation", window=timedelta(hours=24) - TICK
        ),
        "a window that closes a microsecond late": with_settings(
            "cancellation", window=timedelta(hours=24) + TICK
        ),
        "a maximum a microsecond too long": with_settings(
            "expiration", maximum=timedelta(days=180) + TICK
        ),
        "canceling before creation": deceived(
            "cancellation", lambda asked: {"at": max(asked["at"], asked["cancellable"].created_at)}
        ),
        "support that waives a launched lab": deceived("cancellation", no_lab_for_support),
        "assigning without a claim": writing("assign", without(ca.Claim)),
        "assigning many without claims": writing("assign_many", without(ca.Claim)),
        "canceling without an event": writing("cancel", lambda one: attrs.evolve(one, record=())),
        "canceling when asked": Fault(registrar=AsksByDoing),
    },
    "learning": {
        "a repository that does not compare assignments": blind(ca.CourseAssignment),
        "a repository that does not compare attempts": blind(ca.Attempt),
        "a repository that overwrites attempts": over(overwrites_attempts),
        "access after the end": deceived("access", seeing("assignment", expires_at=LATEST)),
        "access to what is canceled": deceived("access", seeing("assignment", cancelled_at=None)),
        "finishing under what is canceled": deceived(
            "finish", seeing("assignment", cancelled_at=None)
        ),
        "attempts at the same time": deceived("attempt", lambda _: {"attempts": ()}),
        "attempts under any id": executing(ClaimsNothing),
        "forgetting the id of a start": Fault(registrar=ForgetsIds),
        "a lab that leaves no mark": writing(
            "start", keeping(ca.CourseAssignment, "first_lab_launched_at")
        ),
        "pausing without a trace": writing("pause", without(ca.Attempt)),
        "finishing without the assignment": writing("finish", without(ca.CourseAssignment)),
        "finishing that never completes": writing("finish", incomplete),
    },
    "subscribing": {
        "a repository that does not compare subscriptions": blind(ca.Subscription),
        "opening a course outside the subscription": deceived(
            "subscription", lambda _: {"course_id": None}
        ),
        "opening after the subscription was canceled": deceived(
            "subscription", seeing("subscription", cancelled_at=None)
        ),
        "opening that the subscription does not count": writing(
            "open_course", without(ca.Subscription)
        ),
        "canceling a subscription but not what was opened": writing(
            "cancel_subscription", without(ca.CourseAssignment)
        ),
        "editing a subscription without a date": writing(
            "edit_subscription", keeping(ca.Subscription, "edited_at")
        ),
        "an end after that of the subscription": executing(OutlastsItsSubscription),
    },
}

FEW_EXAMPLES = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    stateful_step_count=20,
    max_examples=40,
)


@pytest.mark.parametrize(
    ("theme", "fault"), [(theme, fault) for theme, faults in FAULTS.items() for fault in faults]
)
@pytest.mark.long
def test_the_machine_finds(theme: str, fault: str) -> None:
    with pytest.raises(AssertionError):
        search(FAULTS[theme][fault].machine(theme))


def search(machine: type[LearningMachine]) -> None:
    """Run *machine* many times, a little each time, as what is drawn in one run is alike."""
    for number in range(50):
        another: type[LearningMachine] = type(f"Search{number}", (machine,), {})
        run_state_machine_as_test(another, settings=FEW_EXAMPLES)
