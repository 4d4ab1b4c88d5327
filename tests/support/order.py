"""Whether two commands that meet come to what one after the other would have come to."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, TypeAlias

import attrs

from course_assignments import InMemoryRepository, Refused, Registrar, Repository, TrainingKey
from tests.support.races import (
    Interruption,
    Scene,
    Watched,
    at_every_point,
    codes_of,
    fill,
    outcome_of,
)
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
        """Return what came of it where *other*, in the middle of *name*, made what no order makes.

        The first few will do.
        """
        first, second = self.commands[name], self.commands[other]
        show = partial(_kept, in_order=(name, other) not in self.overtaking)
        wrong: list[str] = []

        def in_turn(*commands: Command) -> tuple[list[object], Any]:
            repository = InMemoryRepository()
            fill(repository, base.repository)
            registrar = base.on(repository)
            return [outcome_of(partial(one, registrar)) for one in commands], show(repository)

        straight, (turned, kept) = in_turn(first, second), in_turn(second, first)
        models = [straight, (turned[::-1], kept)]

        def play(interruption: Interruption) -> None:
            if len(wrong) >= ENOUGH:
                return
            repository = make()
            fill(repository, base.repository)
            interruption.rival = partial(second, base.on(repository))
            mine = outcome_of(partial(first, base.on(Watched(repository, interruption))))
            interruption.finish()
            outcomes, found = [mine, interruption.result], show(repository)
            if not any(
                found == kept and all(map(_agree, outcomes, model)) for model, kept in models
            ):
                wrong.append(f"{other}: {mine!r:.150}, {interruption.result!r:.150}")

        at_every_point(play)
        return wrong

    def all_differences(self, make: Callable[[], Repository], base: Scene, name: str) -> list[str]:
        """Return the same for every command in the middle of *name*, itself among them."""
        wrong: list[str] = []
        for other in self.commands:
            if len(wrong) < ENOUGH:
                wrong += self.differences(make, base, name, other)
        return wrong
