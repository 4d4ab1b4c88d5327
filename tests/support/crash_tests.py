"""Tests with many processes, some of them killed, to inherit for each database.

The fixtures are in `tests/crash`. Next to each test is its negative control: the same experiment
with one guard taken away must find a fault.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import pytest

from tests.support.ledger import Ledger
from tests.support.process_crashes import WRITERS, Redemptions, Round, redeem_together, rounds
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


def total(played: Iterator[Round], number: int) -> Round:
    return sum(islice(played, number), Round())


def until(played: Iterator[Round], found_by: str) -> Round:
    """Add up rounds until this figure is above zero, or for `ENOUGH` rounds."""
    so_far = Round()
    for one in islice(played, ENOUGH):
        so_far += one
        if getattr(so_far, found_by):
            break
    return so_far


def shown(found: Redemptions | Round) -> str:
    """Return the figures of the table in docs/reliability.md."""
    if isinstance(found, Redemptions):
        said = ", ".join(f"{number:,} {what}" for what, number in sorted(found.said.items())[::-1])
        return f"{said}; {found.ledger.redemptions:,} stored; {found.seconds:.0f} s"
    return (
        f"{found.acknowledged:,} acknowledged, {found.lost:,} lost; {found.in_doubt:,} more "
        f"stored; {found.doubled:,} used twice; {found.torn:,} torn"
    )


class CrashTests:
    """Inherit, with the fixtures `place` and `level` for the database."""

    @pytest.mark.parametrize(
        ("calls", "uses"),
        [
            (SIZES.calls, SIZES.uses),
            (SIZES.calls_without_loser, PROCESSES * SIZES.calls_without_loser),
        ],
        ids=["more calls than uses", "a use for each call"],
    )
    def test_a_key_is_redeemed_exactly_as_often_as_allowed(
        self,
        pool: ProcessPool,
        place: Place,
        note: Note,
        *,
        level: str | None,
        calls: int,
        uses: int,
    ) -> None:
        attempts, where = PROCESSES * calls, "" if level is None else f", {level}"
        found = redeem_together(
            pool, place.at(level), writers=PROCESSES, calls_each=calls, uses=uses
        )
        done = f"{PROCESSES} processes, {attempts:,} attempts, {uses:,} uses{where}"
        note(done, shown(found))
        assert found.said == +Counter({REDEEMED: uses, EXHAUSTED: attempts - uses})
        assert found.ledger == Ledger(uses, uses, uses, uses, doubled=0)

    @pytest.mark.parametrize(
        ("fault", "calls", "uses", "told"),
        [
            # More are redeemed than allowed, or some are refused although a use is left.
            ("counting in the client", 10, 20, REDEEMED),
            ("not waiting for others", 8, 64, EXHAUSTED),
        ],
    )
    def test_a_missing_guard_of_the_counter_is_found(
        self,
        pool: ProcessPool,
        place: Place,
        note: Note,
        *,
        fault: str,
        calls: int,
        uses: int,
        told: str,
    ) -> None:
        broken, attempts = place.using(fault), PROCESSES * calls
        found = redeem_together(pool, broken, writers=PROCESSES, calls_each=calls, uses=uses)
        note(f"control: {fault}, {attempts} attempts, {uses} uses", shown(found))
        assert found.said[told] > (uses if told == REDEEMED else 0)

    def test_killing_writers_loses_nothing_that_was_acknowledged(
        self, pool: ProcessPool, place: Place, note: Note
    ) -> None:
        found = total(rounds(pool, place, seed=1), SIZES.kills)
        note(f"{WRITERS} writers killed, {SIZES.kills} times", shown(found))
        assert (found.lost, found.torn, found.doubled) == (0, 0, 0)
        assert not found.faults
        assert found.acknowledged > SIZES.kills

    @pytest.mark.parametrize(
        ("fault", "seed", "found_by"),
        [("counting in a second step", 2, "torn"), ("acknowledging before storing", 3, "lost")],
    )
    def test_killing_writers_finds_a_missing_guard(
        self, pool: ProcessPool, place: Place, note: Note, *, fault: str, seed: int, found_by: str
    ) -> None:
        found = until(rounds(pool, place.using(fault), seed), found_by)
        note(f"control: {fault}, found in round {found.rounds}", shown(found))
        assert getattr(found, found_by)

    def test_a_call_that_is_repeated_under_its_id_takes_effect_once(
        self, pool: ProcessPool, place: Place, note: Note
    ) -> None:
        retried = rounds(pool, place, seed=4, retry=True, named=True)
        found = total(retried, SIZES.retried_kills // WRITERS)
        if not found.in_doubt:  # else nothing was shown: no call that is repeated had been stored
            found += until(retried, "in_doubt")
        # One round more, in which the last of those are repeated.
        found += next(retried)
        kills = found.rounds * WRITERS
        note(f"{kills:,} writers killed, calls repeated under the same id", shown(found))
        assert (found.lost, found.torn, found.doubled) == (0, 0, 0)
        assert not found.faults
        assert found.in_doubt

    def test_a_call_that_is_repeated_without_an_id_takes_effect_twice(
        self, pool: ProcessPool, place: Place, note: Note
    ) -> None:
        found = until(rounds(pool, place, seed=5, retry=True), "doubled")
        note(f"control: repeating without an id, found in round {found.rounds}", shown(found))
        assert found.doubled
