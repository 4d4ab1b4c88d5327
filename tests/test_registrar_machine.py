"""Sequences of all commands against a plain model, on a clock that also goes backwards.

Beside the machine itself stand its negative controls: for each fault that is put into a repository,
a policy or the registrar, the same machine has to find it.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any, ClassVar

import attrs
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from support.machine import RegistrarMachine
from support.model import TICK, Settings

from course_assignments import (
    CancellationPolicy,
    Change,
    Conflict,
    CourseAssignment,
    Decision,
    InMemoryRepository,
    KeyBatch,
    KeyRedemptionPolicy,
    Policies,
    Redemption,
    Registrar,
    Replace,
    Repository,
    Seat,
    TrainingKey,
    Use,
    User,
)

#: Everything that the commands of this release can come to.
COMMANDS = {
    "add",
    "update",
    "anonymise",
    "assign",
    "assign_many",
    "cancel",
    "reschedule",
    "complete",
    "launch_lab",
    "create_keys",
    "add_keys",
    "edit_keys",
    "revoke_key",
    "revoke_keys",
    "redeem",
    "register",
}
REASONS = {
    "already_assigned",
    "already_cancelled",
    "already_completed",
    "already_redeemed",
    "assignment_not_active",
    "cancellation_window_closed",
    "code_taken",
    "course_archived",
    "course_not_available",
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
    "organization_not_managed",
    "registration_disabled",
    "role_missing",
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
    "create_keys",
    "add_keys",
    "edit_keys",
    "redeem",
}


class InMemoryMachine(RegistrarMachine):
    def make(self) -> Repository:
        return InMemoryRepository()


FIXED = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    stateful_step_count=50,
)


#: Each round has a name and so, while runs are derandomised, a seed of its own.
ROUNDS = tuple(f"Round{number}" for number in range(1, 9))


@cache
def run() -> tuple[Counter[str], Exception | None]:
    """Run the machine twice as the profile says, and again until it got everywhere.

    Return what was reached, and what went wrong; so that it is sought for once only.
    """
    counter: Counter[str] = Counter()
    for number, name in enumerate(ROUNDS, start=1):
        machine: type[RegistrarMachine] = type(name, (InMemoryMachine,), {"reached": counter})
        try:
            run_state_machine_as_test(machine)
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


def test_every_sequence_of_commands_comes_to_what_the_rules_say() -> None:
    _, fault = run()
    if fault is not None:
        raise fault


def test_the_run_reaches_every_command() -> None:
    assert done(reached()) == COMMANDS


def test_the_run_reaches_every_reason() -> None:
    assert named(reached()) >= REASONS


def test_the_run_reaches_what_others_can_overtake() -> None:
    assert decided_anew(reached()) >= OVERTAKEN


# What follows is broken on purpose.


def broken(
    make: Callable[[], Repository] = InMemoryRepository,
    office: type[Registrar] = Registrar,
    policies: Callable[[Policies], Policies] = lambda documented: documented,
) -> type[RegistrarMachine]:
    """Return the machine over something broken."""

    class Broken(RegistrarMachine):
        reached: ClassVar[Counter[str]] = Counter()

        def make(self) -> Repository:
            return make()

        def policies(self, settings: Settings) -> Policies:
            return policies(super().policies(settings))

    Broken.office = office
    return Broken


class Unbounded(InMemoryRepository):
    """Leaves a counter at its bound where it ought to refuse, as a counter updated unheeded."""

    def commit(self, change: Change, /) -> None:
        within: list[Use] = []
        for use in change.use:
            stored = self.get(TrainingKey, [use.key.id])[use.key.id]
            if 0 <= stored.uses + use.by <= stored.max_uses:
                within.append(use)
        super().commit(attrs.evolve(change, use=within))


class Expecting(InMemoryRepository):
    """Does not look whether what it is to expect is still so."""

    def commit(self, change: Change, /) -> None:
        super().commit(attrs.evolve(change, expect=()))


class LastWriteWins(InMemoryRepository):
    """Replaces whatever is stored, changed meanwhile or not."""

    def commit(self, change: Change, /) -> None:
        def stored(step: Replace) -> Replace:
            found = self.get(type(step.before), [step.before.id])
            return Replace(found.get(step.before.id, step.before), step.after)

        super().commit(attrs.evolve(change, replace=[stored(step) for step in change.replace]))


class WritesUses(InMemoryRepository):
    """Writes the uses that were read along with the terms of a key."""

    def commit(self, change: Change, /) -> None:
        super().commit(change)
        for step in change.replace:
            if isinstance(step.after, TrainingKey):
                stored = self.get(TrainingKey, [step.after.id])[step.after.id]
                super().commit(Change(use=[Use(stored, step.after.uses - stored.uses)]))


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
        self, assignment: CourseAssignment, *, at: datetime, support: bool = False
    ) -> Decision:
        now = max(at, assignment.created_at)
        return CancellationPolicy.evaluate(self, assignment, at=now, support=support)


@attrs.frozen
class ForgetsLabs(CancellationPolicy):
    """Lets support waive the launched lab too."""

    def evaluate(
        self, assignment: CourseAssignment, *, at: datetime, support: bool = False
    ) -> Decision:
        shown = attrs.evolve(assignment, first_lab_launched_at=None) if support else assignment
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


class OnceMachine(InMemoryMachine):
    """Draws runs under once-per-learner, which the policy above denies to the registrar only."""

    reached: ClassVar[Counter[str]] = Counter()

    def policies(self, settings: Settings) -> Policies:
        settings.once_per_learner = True
        right = super().policies(settings)
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


def altering(action: str, alter: Callable[[Change], Change]) -> type[RegistrarMachine]:
    """Return the machine over a command that writes something else than it ought to."""
    return broken(make=lambda: Altering(action, alter))


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


class AsksByDoing(Registrar):
    """Cancels when it is only asked whether it may."""

    def may_cancel(self, *args: Any, **kwargs: Any) -> Decision:
        self.cancel(*args, **kwargs)
        return Decision()


class SaysYes(Registrar):
    """Answers that every key can be redeemed."""

    def may_redeem(self, *_args: Any, **_kwargs: Any) -> Decision:
        return Decision()


class ForgetsIds(Registrar):
    """Redeems again when a call is repeated under the same id."""

    def redeem(self, *args: Any, **kwargs: Any) -> CourseAssignment:
        return super().redeem(*args, **{**kwargs, "id": None})


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


FAULTS: dict[str, type[RegistrarMachine]] = {
    "a repository that does not heed the bound of uses": broken(make=Unbounded),
    "a repository that expects nothing": broken(make=Expecting),
    "a repository in which the last write wins": broken(make=LastWriteWins),
    "a repository that writes uses with the terms": broken(make=WritesUses),
    "a repository that keeps half a change": broken(make=Halfway),
    "a repository that lets two create one record": broken(make=CreatesOver),
    "a repository that tells what did not happen": broken(make=TellsLostChanges),
    "a window that closes a microsecond early": broken(policies=window(timedelta(hours=24) - TICK)),
    "a window that closes a microsecond late": broken(policies=window(timedelta(hours=24) + TICK)),
    "a maximum a microsecond too long": broken(policies=maximum(timedelta(days=180) + TICK)),
    "keys that expire a microsecond late": broken(
        policies=with_policy(key_redemption=lambda one: KeysATickLate(one.once_per_learner))
    ),
    "keys that may be redeemed twice": broken(
        policies=with_policy(key_redemption=lambda one: ForgetsRedemptions(one.once_per_learner))
    ),
    "cancelling before creation": broken(
        policies=with_policy(
            cancellation=lambda one: OpenBeforeCreation(one.window, one.restores_key_use)
        )
    ),
    "support that waives a launched lab": broken(
        policies=with_policy(cancellation=lambda one: ForgetsLabs(one.window, one.restores_key_use))
    ),
    "redeeming without a claim": OnceMachine,
    "redeeming without a record": altering("redeem", without(Redemption)),
    "redeeming without a use": altering("redeem", lambda change: attrs.evolve(change, use=())),
    "redeeming twice at once": altering("redeem", twice),
    "registering without a profile": altering("register", without(User)),
    "a use given back twice": altering("cancel", twice),
    "a use given back without a trace": altering("cancel", without(Redemption)),
    "assigning without a seat": altering("assign", without(Seat)),
    "assigning many without seats": altering("assign_many", without(Seat)),
    "adding keys that the batch does not count": altering("add_keys", without(KeyBatch)),
    "editing a batch without its keys": altering("edit_keys", without(TrainingKey)),
    "revoking all keys but the last": altering(
        "revoke_keys", lambda change: attrs.evolve(change, replace=change.replace[:-1])
    ),
    "cancelling without an event": altering(
        "cancel", lambda change: attrs.evolve(change, record=())
    ),
    "asking by doing": broken(office=AsksByDoing),
    "always saying yes": broken(office=SaysYes),
    "forgetting the id of a call": broken(office=ForgetsIds),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_machine_finds(fault: str) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(FAULTS[fault], settings=settings(FIXED, max_examples=2000))
