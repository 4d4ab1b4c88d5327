"""Processes that redeem keys at once, and what is stored when they are killed.

Each experiment returns what it found; the tests say what must hold. Killing goes in endless rounds.
In each round some writers start together and are killed at a random moment. Then the ledger is
compared with what the writers reported.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from itertools import chain, count, islice
from random import Random
from time import perf_counter
from typing import TypeAlias

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from course_assignments import Change, KeyRedemptionPolicy, ManualClock, Policies, Registrar, User
from course_assignments.policies import DEFAULT_POLICIES
from course_assignments.sqlalchemy import SqlRepository
from tests.support.ledger import Ledger, read_ledger, uses
from tests.support.postgres import OwnServer
from tests.support.processes import TIMEOUT, Child, ProcessPool, last_messages, messages
from tests.support.world import ACME, PYTHON, START
from tests.support.writers import READY, REDEEMED, Answer, Call, Place, write

#: How many writers are killed at once.
WRITERS = 4
#: How many calls a writer has before it; it is killed long before the last.
CALLS = 100
#: After how many answers of all writers they are killed, at the most; and how many seconds later.
MOST_ANSWERS, LONGEST_DELAY = 24, 0.006

#: The key that all processes redeem.
CODE = "Spring-2026"

#: A learner may redeem one key any number of times.
AGAIN_AND_AGAIN = Policies(key_redemption=KeyRedemptionPolicy(once_per_learner=False))


@dataclass(frozen=True)
class Redemptions:
    """The answers that the processes got, and what was stored."""

    said: Counter[str]
    ledger: Ledger
    seconds: float


@dataclass(frozen=True)
class Round:
    """The result of killing the writers, or the server, once; rounds can be added."""

    rounds: int = 0
    acknowledged: int = 0
    #: Acknowledged, and not stored.
    lost: int = 0
    #: Stored, and killed before it was acknowledged.
    in_doubt: int = 0
    #: Used twice: by a call that was cut off, and by its retry.
    doubled: int = 0
    #: How often the counts of the ledger differed, or the database reported a fault.
    torn: int = 0
    #: The other answers that writers got.
    faults: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "Round") -> "Round":
        names = [field.name for field in fields(self)]
        return Round(**{name: getattr(self, name) + getattr(other, name) for name in names})


def furnish(place: Place, learners: Iterable[str]) -> Registrar:
    """Create the tables and add *learners*; return a registrar that can create keys."""
    repository = SqlRepository(create_engine(place.url, poolclass=NullPool))
    repository.create_all()
    registrar = Registrar(repository, clock=ManualClock(START))
    registrar.add(ACME, PYTHON)
    people = [User(id=one, name=one, email=f"{one}@example.org") for one in learners]
    repository.commit(Change(create=people))
    return registrar


def add_key(registrar: Registrar, code: str, uses: int) -> None:
    registrar.create_keys(
        PYTHON.id,
        name=code,
        organization_id=ACME.id,
        max_uses=uses,
        availability=timedelta(days=30),
        any_organization=True,
        codes=[code],
    )


def begin(
    pool: ProcessPool,
    place: Place,
    calls: Iterable[Sequence[Call]],
    policies: Policies = DEFAULT_POLICIES,
) -> list[Child]:
    """Start a writer for each list of *calls*, and let all begin when each is ready."""
    children = [pool.start(write, place, tuple(one), policies) for one in calls]
    for child in children:
        assert child.channel.recv() == READY
    for child in children:
        child.channel.send(READY)
    return children


def redeem_together(
    pool: ProcessPool, place: Place, *, writers: int, calls_each: int, uses: int
) -> Redemptions:
    """Let *writers* redeem one key with so many *uses*, each call for another learner."""
    learners = [_learners(writer, calls_each) for writer in range(writers)]
    add_key(furnish(place, chain(*learners)), CODE, uses)
    calls = [[Call(CODE, learner) for learner in group] for group in learners]
    began = perf_counter()
    children = begin(pool, place, calls)
    said = Counter(answer.said for _, answer in last_messages(children))
    return Redemptions(said, read_ledger(place.url), perf_counter() - began)


def _learners(writer: int, number: int) -> list[str]:
    return [f"learner-{writer}-{one}" for one in range(number)]


#: Ends the writers, and returns what they had told by then.
Strike: TypeAlias = Callable[[Sequence[Child]], list[tuple[Child, Answer]]]


def kill(children: Sequence[Child]) -> list[tuple[Child, Answer]]:
    for child in children:
        child.kill()
    return list(last_messages(children))


def crash(server: OwnServer) -> Strike:
    """Return what stops the server while writers are at work, and starts it again."""

    def strike(children: Sequence[Child]) -> list[tuple[Child, Answer]]:
        server.crash()
        told = list(last_messages(children))
        server.start()
        return told

    return strike


def _until_a_moment(children: Sequence[Child], random: Random) -> list[tuple[Child, Answer]]:
    """Listen until some answers have come, and then for a moment."""
    told = list(islice(messages(children, TIMEOUT), random.randint(1, MOST_ANSWERS)))
    return [*told, *messages(children, random.uniform(0, LONGEST_DELAY))]


def rounds(
    pool: ProcessPool,
    place: Place,
    seed: int,
    strike: Strike = kill,
    *,
    retry: bool = False,
    named: bool = False,
) -> Iterator[Round]:
    """Strike at the writers, round after round.

    With *retry*, each begins the next round with the call that was cut off, and learners may redeem
    a key twice. A call that is *named* is made and repeated under an id.
    """
    learners = [_learners(writer, CALLS) for writer in range(WRITERS)]
    registrar = furnish(place, chain(*learners))
    policies = AGAIN_AND_AGAIN if retry else DEFAULT_POLICIES
    cut_off: list[list[Call]] = [[] for _ in learners]
    before = read_ledger(place.url)
    random = Random(seed)  # noqa: S311 - no secret: a run is to be repeated
    for number in count(1):
        code = f"Round-{number:04}"
        add_key(registrar, code, WRITERS * CALLS)
        calls = [
            [*first, *(Call(code, one, f"{code}-{one}" if named else None) for one in group)]
            for first, group in zip(cut_off, learners, strict=True)
        ]
        children = begin(pool, place, calls, policies)
        told = [*_until_a_moment(children, random), *strike(children)]
        done = Counter(child.pid for child, answer in told if answer.said == REDEEMED)
        open_ = [own[done[child.pid]] for child, own in zip(children, calls, strict=True)]
        after = read_ledger(place.url)
        yield _judged(place, [answer for _, answer in told], open_, before, after)
        before = after
        cut_off = [[call] for call in open_] if retry else cut_off


def _judged(
    place: Place, told: Sequence[Answer], open_: Sequence[Call], before: Ledger, after: Ledger
) -> Round:
    """Compare the ledger with what writers *told*, and with the calls still *open_*."""
    done = {one.assignment_id: one.call for one in told if one.said == REDEEMED}
    stored = uses(place.url, {call.code for call in (*done.values(), *open_)})
    known = {(use.code, use.learner_id) for use in stored}
    return Round(
        rounds=1,
        acknowledged=len(done),
        lost=len(done.keys() - {use.id for use in stored}),
        in_doubt=sum((call.code, call.learner_id) in known for call in open_),
        doubled=after.doubled - before.doubled,
        torn=not after.agree,
        faults=Counter(one.said for one in told if one.said != REDEEMED),
    )
