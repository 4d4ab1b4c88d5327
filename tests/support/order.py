"""Whether two commands that meet have the outcome of one after the other."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, TypeAlias

import attrs

from course_assignments import InMemoryRepository, Refused, Registrar, Repository, TrainingKey
from tests.support.races import Scene, codes_of, interrupted, outcome_of
from tests.support.world import contents

#: A command with its arguments, for a registrar of one's choice.
Command: TypeAlias = Callable[[Registrar], object]

#: How many faults are shown at once.
ENOUGH = 3


def _told(outcome: object) -> object:
    """Return *outcome*, less the random id and the uses of a key: its terms are what counts."""
    if isinstance(outcome, TrainingKey):
        return attrs.evolve(outcome, id=outcome.code, uses=0)
    if isinstance(outcome, tuple):
        return tuple(map(_told, outcome))
    return outcome


def _agree(outcome: object, model: object) -> bool:
    """Return whether *outcome* is as in *model*, a refusal for the very same reasons."""
    if isinstance(outcome, Refused) and isinstance(model, Refused):
        return codes_of(outcome) == codes_of(model)
    return _told(outcome) == _told(model)


def _kept(repository: Repository, *, in_order: bool) -> dict[str, list[Any]]:
    """Return what is stored, with the code of each key in place of its random id."""
    kept: dict[str, list[Any]] = {**contents(repository)}
    codes = {one.id: one.code for one in kept["TrainingKey"]}
    keys = [attrs.evolve(one, id=one.code) for one in kept["TrainingKey"]]
    kept["TrainingKey"] = sorted(keys, key=lambda one: one.id)
    kept["Redemption"] = [attrs.evolve(one, key_id=codes[one.key_id]) for one in kept["Redemption"]]
    kept["Event"] = [
        attrs.evolve(one, subject_ids=[codes.get(id_, id_) for id_ in one.subject_ids])
        for one in kept["Event"]
    ]
    if not in_order:
        events = [attrs.evolve(one, position=0) for one in kept["Event"]]
        kept["Event"] = sorted(events, key=repr)
    return kept


@attrs.frozen
class Table:
    """Commands that may meet in one small world; in some pairs the order of events is free."""

    commands: Mapping[str, Command]
    overtaking: Collection[tuple[str, str]] = ()

    def differences(
        self, make: Callable[[], Repository], base: Scene, name: str, other: str
    ) -> list[str]:
        """Return the first outcomes of *other* in the middle of *name* that no order has."""
        first, second = self.commands[name], self.commands[other]
        show = partial(_kept, in_order=(name, other) not in self.overtaking)
        wrong: list[str] = []

        def in_turn(*commands: Command) -> tuple[list[object], Any]:
            scene = base.copied(InMemoryRepository)
            outcomes = [outcome_of(partial(one, scene.registrar)) for one in commands]
            return outcomes, show(scene.repository)

        straight, (turned, kept) = in_turn(first, second), in_turn(second, first)
        models = [straight, (turned[::-1], kept)]

        def check(scene: Scene, outcomes: list[Any]) -> None:
            found = show(scene.repository)
            if not any(
                found == kept and all(map(_agree, outcomes, model)) for model, kept in models
            ):
                wrong.append(f"{other}: {outcomes[0]!r:.150}, {outcomes[1]!r:.150}")

        interrupted(lambda: base.copied(make), first, second, check)
        return wrong[:ENOUGH]

    def all_differences(self, make: Callable[[], Repository], base: Scene, name: str) -> list[str]:
        """Return the same for every command in the middle of *name*, itself among them."""
        wrong: list[str] = []
        for other in self.commands:
            if len(wrong) < ENOUGH:
                wrong += self.differences(make, base, name, other)
        return wrong
