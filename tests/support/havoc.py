"""Crowds of processes that redeem keys, and what becomes of the records when they are killed.

Each experiment says what it found and judges nothing; what has to hold stands in the tests. Killing
goes in rounds without end: in each of them some writers begin together, are killed at a moment that
is drawn, and the books are compared with what the writers said.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from itertools import chain, count, islice
from random import Random
from time import perf_counter

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from course_assignments import Change, KeyRedemptionPolicy, ManualClock, Policies, Registrar, User
from course_assignments.policies import DOCUMENTED
from course_assignments.sqlalchemy import SqlRepository
from tests.support.books import Books, books, uses
from tests.support.postgres import OwnServer
from tests.support.processes import TIMEOUT, Child, Nursery, last_messages, messages
from tests.support.world import ACME, PYTHON, START
from tests.support.writers import READY, REDEEMED, Answer, Call, Place, write

#: How many writers are killed at once.
WRITERS = 4
#: How many calls a writer has before it; it is killed long before the last.
CALLS = 100
#: After how many answers of all writers they are killed, at the most; and how many seconds later.
MOST_ANSWERS, LONGEST_DELAY = 24, 0.006

#: The key at which a crowd meets.
CODE = "Spring-2026"

#: A learner may redeem one key any number of times.
AGAIN_AND_AGAIN = Policies(key_redemption=KeyRedemptionPolicy(once_per_learner=False))


@dataclass(frozen=True)
class Crowd:
    """What a crowd was told, and what was stored of it."""

    said: Counter[str]
    books: Books
    seconds: float


@dataclass(frozen=True)
class Round:
    """What came of killing the writers, or the server, once; rounds can be added up."""

    rounds: int = 0
    acknowledged: int = 0
    #: Acknowledged, and not stored.
    lost: int = 0
    #: Stored, and killed before it was acknowledged.
    in_doubt: int = 0
    #: Used twice: by a call that was cut off, and by its retry.
    doubled: int = 0
    #: How often the accounts of the books differed, or the database found something wrong.
    torn: int = 0
    #: What else writers were told.
    faults: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "Round") -> "Round":
        names = [field.name for field in fields(self)]
        return Round(**{name: getattr(self, name) + getattr(other, name) for name in names})


def furnish(place: Place, learners: Iterable[str]) -> Registrar:
    """Make a new home for records, with *learners* who may redeem keys; return who makes keys."""
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
    nursery: Nursery,
    place: Place,
    calls: Iterable[Sequence[Call]],
    policies: Policies = DOCUMENTED,
) -> list[Child]:
    """Start a writer for each list of *calls*, and let them loose when all are ready."""
    children = [nursery.start(write, place, tuple(one), policies) for one in calls]
    for child in children:
        assert child.channel.recv() == READY
    for child in children:
        child.channel.send(READY)
    return children


def crowd(nursery: Nursery, place: Place, *, writers: int, calls_each: int, uses: int) -> Crowd:
    """Let *writers* make their calls for one key of so many *uses*, each for another learner."""
    learners = [_learners(writer, calls_each) for writer in range(writers)]
    add_key(furnish(place, chain(*learners)), CODE, uses)
    calls = [[Call(CODE, learner) for learner in group] for group in learners]
    began = perf_counter()
    children = begin(nursery, place, calls)
    said = Counter(answer.said for _, answer in last_messages(children))
    return Crowd(said, books(place.url), perf_counter() - began)


def killed_writers(nursery: Nursery, place: Place, seed: int) -> Iterator[Round]:
    """Kill the writers, round after round."""
    return _rounds(nursery, place, seed, _kill)


def retried_calls(
    nursery: Nursery, place: Place, seed: int, *, named: bool = True
) -> Iterator[Round]:
    """Kill the writers; in the next round each begins with the call that was cut off.

    A call that is *named* is made and repeated under an id. Learners may redeem a key twice.
    """
    return _rounds(nursery, place, seed, _kill, retry=True, named=named)


def crashed_server(nursery: Nursery, place: Place, seed: int, server: OwnServer) -> Iterator[Round]:
    """Stop the server while writers are at work, and start it again, round after round."""

    def crash(children: Sequence[Child]) -> list[tuple[Child, Answer]]:
        server.crash()
        told = list(last_messages(children))
        server.start()
        return told

    return _rounds(nursery, place, seed, crash)


def _learners(writer: int, number: int) -> list[str]:
    return [f"learner-{writer}-{one}" for one in range(number)]


def _kill(children: Sequence[Child]) -> list[tuple[Child, Answer]]:
    for child in children:
        child.kill()
    return list(last_messages(children))


def _until_a_moment(children: Sequence[Child], random: Random) -> list[tuple[Child, Answer]]:
    """Listen until some answers have come, and then for a moment."""
    told = list(islice(messages(children, TIMEOUT), random.randint(1, MOST_ANSWERS)))
    return [*told, *messages(children, random.uniform(0, LONGEST_DELAY))]


def _rounds(
    nursery: Nursery,
    place: Place,
    seed: int,
    strike: Callable[[Sequence[Child]], list[tuple[Child, Answer]]],
    *,
    retry: bool = False,
    named: bool = False,
) -> Iterator[Round]:
    learners = [_learners(writer, CALLS) for writer in range(WRITERS)]
    registrar = furnish(place, chain(*learners))
    policies = AGAIN_AND_AGAIN if retry else DOCUMENTED
    cut_off: list[list[Call]] = [[] for _ in learners]
    before = books(place.url)
    random = Random(seed)  # noqa: S311 - no secret: a run is to be repeated
    for number in count(1):
        code = f"Round-{number:04}"
        add_key(registrar, code, WRITERS * CALLS)
        calls = [
            [*first, *(Call(code, one, f"{code}-{one}" if named else None) for one in group)]
            for first, group in zip(cut_off, learners, strict=True)
        ]
        children = begin(nursery, place, calls, policies)
        told = [*_until_a_moment(children, random), *strike(children)]
        done = Counter(child.pid for child, answer in told if answer.said == REDEEMED)
        open_ = [own[done[child.pid]] for child, own in zip(children, calls, strict=True)]
        after = books(place.url)
        yield _judged(place, [answer for _, answer in told], open_, before, after)
        before = after
        cut_off = [[call] for call in open_] if retry else cut_off


def _judged(
    place: Place, told: Sequence[Answer], open_: Sequence[Call], before: Books, after: Books
) -> Round:
    """Compare the books with what writers *told*, and with the calls that were still *open_*."""
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
