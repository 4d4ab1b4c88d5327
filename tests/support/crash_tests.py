"""Tests with many processes, some of them killed, to inherit for each database.

The fixtures are in `tests/crash`. Next to each test is its negative control: the same experiment
with one guard taken away must find a fault.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from tests.support.ledger import Ledger
from tests.support.process_crashes import (
    WRITERS,
    Redemptions,
    Round,
    killed_writers,
    redeem_together,
    retried_calls,
)
from tests.support.processes import ProcessPool
from tests.support.writers import REDEEMED, Place

#: How many processes redeem one key at once.
PROCESSES = 8
#: In how many rounds a missing guard must be found; one or a few are nearly always enough.
ENOUGH = 150

EXHAUSTED = "key_exhausted"


@dataclass(frozen=True)
class Sizes:
    """How much is tried: `calls` is the number of calls of each process."""

    calls: int
    uses: int
    calls_without_loser: int
    kills: int
    retried_kills: int
    crashes: int


SHORT = Sizes(calls=12, uses=24, calls_without_loser=6, kills=4, retried_kills=16, crashes=2)
FULL = Sizes(
    calls=1250, uses=1000, calls_without_loser=125, kills=100, retried_kills=500, crashes=20
)
SIZES = {"short": SHORT, "full": FULL}[os.environ.get("CRASH_PROFILE", "short")]

#: Records one line of figures: what was done, and the result.
Note = Callable[[str, str], None]


def total(rounds: Iterator[Round], number: int) -> Round:
    return sum(islice(rounds, number), Round())


def until(rounds: Iterator[Round], seen: Callable[[Round], bool]) -> Round:
    """Add up rounds until *seen* is true, or for `ENOUGH` rounds."""
    so_far = Round()
    for one in islice(rounds, ENOUGH):
        so_far += one
        if seen(so_far):
            break
    return so_far


def attempted(attempts: int, uses: int, level: str | None) -> str:
    where = "" if level is None else f", {level}"
    return f"{PROCESSES} processes, {attempts:,} attempts, {uses:,} uses{where}"


def told(found: Redemptions) -> str:
    said = ", ".join(f"{number:,} {what}" for what, number in sorted(found.said.items())[::-1])
    return f"{said}; {found.ledger.redemptions:,} stored; {found.seconds:.0f} s"


def shown(found: Round) -> str:
    return (
        f"{found.acknowledged:,} acknowledged, {found.lost:,} lost; {found.in_doubt:,} more "
        f"stored; {found.doubled:,} used twice; {found.torn:,} torn"
    )


class CrashTests:
    """Inherit, with the fixtures `place` and `level` for the database."""

    def test_as_many_redeem_as_a_key_has_uses(
        self, pool: ProcessPool, place: Place, level: str | None, note: Note
    ) -> None:
        at, uses = place.at(level), SIZES.uses
        found = redeem_together(pool, at, writers=PROCESSES, calls_each=SIZES.calls, uses=uses)
        attempts = PROCESSES * SIZES.calls
        note(attempted(attempts, uses, level), told(found))
        assert found.said == {REDEEMED: uses, EXHAUSTED: attempts - uses}
        assert found.ledger == Ledger(uses, uses, uses, uses, doubled=0)

    def test_a_counter_that_is_counted_in_hand_lets_more_in(
        self, pool: ProcessPool, place: Place, note: Note
    ) -> None:
        broken = place.using("counts in hand")
        found = redeem_together(pool, broken, writers=PROCESSES, calls_each=10, uses=20)
        note("twin: counting in hand, 80 attempts, 20 uses", told(found))
        assert found.said[REDEEMED] > 20

    def test_nobody_is_refused_while_a_use_is_left(
        self, pool: ProcessPool, place: Place, level: str | None, note: Note
    ) -> None:
        at, calls = place.at(level), SIZES.calls_without_loser
        uses = PROCESSES * calls
        found = redeem_together(pool, at, writers=PROCESSES, calls_each=calls, uses=uses)
        note(attempted(uses, uses, level), told(found))
        assert found.said == {REDEEMED: uses}
        assert found.ledger == Ledger(uses, uses, uses, uses, doubled=0)

    def test_who_does_not_wait_for_others_is_refused_too_early(
        self, pool: ProcessPool, place: Place, note: Note
    ) -> None:
        broken = place.using("says used up when busy")
        found = redeem_together(pool, broken, writers=PROCESSES, calls_each=8, uses=64)
        note("twin: not waiting for others, 64 attempts, 64 uses", told(found))
        assert found.said[EXHAUSTED] > 0

    def test_killing_writers_loses_nothing_that_was_acknowledged(
        self, pool: ProcessPool, place: Place, note: Note
    ) -> None:
        found = total(killed_writers(pool, place, seed=1), SIZES.kills)
        note(f"{WRITERS} writers killed, {SIZES.kills} times", shown(found))
        assert (found.lost, found.torn, found.doubled) == (0, 0, 0)
        assert not found.faults
        assert found.acknowledged > SIZES.kills

    def test_a_counter_written_in_a_second_step_disagrees_with_the_rest(
        self, pool: ProcessPool, place: Place, note: Note
    ) -> None:
        rounds = killed_writers(pool, place.using("in two steps"), seed=2)
        found = until(rounds, lambda so_far: so_far.torn > 0)
        note(f"twin: counting in a second step, found in round {found.rounds}", shown(found))
        assert found.torn

    def test_what_is_acknowledged_before_it_is_stored_gets_lost(
        self, pool: ProcessPool, place: Place, note: Note
    ) -> None:
        rounds = killed_writers(pool, place.using("stores later"), seed=3)
        found = until(rounds, lambda so_far: so_far.lost > 0)
        note(f"twin: acknowledging before storing, found in round {found.rounds}", shown(found))
        assert found.lost

    def test_a_call_that_is_repeated_under_its_id_uses_once(
        self, pool: ProcessPool, place: Place, note: Note
    ) -> None:
        rounds = retried_calls(pool, place, seed=4)
        found = total(rounds, SIZES.retried_kills // WRITERS)
        if not found.in_doubt:  # else nothing was shown: no call that is repeated had been stored
            found += until(rounds, lambda so_far: so_far.in_doubt > 0)
        # One round more, in which the last of those are repeated.
        found += next(rounds)
        kills = found.rounds * WRITERS
        note(f"{kills:,} writers killed, calls repeated under the same id", shown(found))
        assert (found.lost, found.torn, found.doubled) == (0, 0, 0)
        assert not found.faults
        assert found.in_doubt

    def test_a_call_that_is_repeated_without_an_id_uses_twice(
        self, pool: ProcessPool, place: Place, note: Note
    ) -> None:
        rounds = retried_calls(pool, place, seed=5, named=False)
        found = until(rounds, lambda so_far: so_far.doubled > 0)
        note(f"twin: repeating without an id, found in round {found.rounds}", shown(found))
        assert found.doubled
