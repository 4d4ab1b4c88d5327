"""Histories: what several threads asked of one repository at once, and what they were told."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from random import Random
from typing import Any, TypeAlias

import attrs

import course_assignments as ca
from course_assignments.commands.base import ReceiptedCommand
from course_assignments.queries import QUERIES
from course_assignments.testing.samples import START
from course_assignments.testing.threads import run_in_threads
from tests.support.history_commands import (
    COURSES,
    POLICIES,
    THREADS,
    WORLD,
    Look,
    Step,
    programs,
)
from tests.support.schedule import Schedule, Scheduled

SECOND = timedelta(seconds=1)
#: How often the stopwatch of a call may be read, once for each try and each answer, before the call
#: gives up; only calls of repositories without a guard do.
MANY = 1000

#: All records by kind and id.
Contents: TypeAlias = Mapping[type, Mapping[str, Any]]


@attrs.frozen
class Operation:
    """One step of one thread.

    Attributes:
        invoked, returned: The numbers of its begin and its end, among those of all operations.
        effect: The number of its last call of the repository.
        at: What the clock showed when it was last tried.
        ids: The ids that were issued then.
        result: What it was told: records, or an error as plain values.
    """

    thread: int
    step: Step
    invoked: int
    returned: int
    effect: int
    at: datetime
    ids: tuple[str, ...]
    result: object


@attrs.frozen
class History:
    """What each thread did, and what is stored in the end."""

    threads: tuple[tuple[Operation, ...], ...]
    contents: Contents
    events: tuple[ca.Event, ...]

    def operations(self) -> Iterator[Operation]:
        for thread in self.threads:
            yield from thread


#: Records the history of a seed.
Make: TypeAlias = Callable[[int], "History"]

#: What makes a registrar; takes a repository and options.
MakeRegistrar: TypeAlias = Callable[..., Any]
#: What changes how a thread sees the repository, such as to take a guard away.
Wrap: TypeAlias = Callable[[ca.Repository], ca.Repository]


@attrs.frozen
class Failure:
    """An error as a plain value."""

    name: str
    facts: tuple[object, ...]


def told(value: object) -> object:
    """Return what the caller of a command learns from *value*, its result or its error."""
    match value:
        case ca.Refused():
            return Failure("Refused", value.decision.reasons)
        case ca.CourseAssignmentsError():
            return Failure(type(value).__name__, value.args)
        case Exception():
            return Failure("another error", (repr(value),))
        case ca.TrainingKey():  # the uses of a revoked key may be old
            return attrs.evolve(value, uses=0)
        case tuple():
            return tuple(map(told, value))
        case _:
            return value


def seen(look: Look, page: ca.Page[Any]) -> object:
    """Return what *look* shows: records, or events in any order."""
    return frozenset(map(unnumbered, page)) if look.query.kind is ca.Event else page.records


def unnumbered(event: ca.Event) -> ca.Event:
    return attrs.evolve(event, position=0)


def perform(step: Step, repository: ca.Repository, registrar: ca.Registrar) -> object:
    """Execute *step*, and return the answer or the error."""
    try:
        if isinstance(step, Look):
            return seen(step, repository.find(step.query))
        return told(registrar.execute(step))
    except Exception as error:  # noqa: BLE001 - a fault must not end the thread
        return told(error)


class Recorder:
    """Executes the programs of several threads on one repository, and records the history."""

    def __init__(
        self,
        repository: ca.Repository,
        schedule: Schedule,
        make: MakeRegistrar = ca.Registrar,
        wrap: Wrap = lambda repository: repository,
    ) -> None:
        self._repository = repository
        self._schedule = schedule
        self._make = make
        self._wrap = wrap
        self._numbers = count()
        self._ticks = count()

    def record(self, programs: Sequence[Sequence[Step]]) -> History:
        tasks = [partial(self._run, thread, program) for thread, program in enumerate(programs)]
        threads = tuple(run_in_threads(tasks))
        found = contents(self._repository, [one for program in programs for one in program])
        events = tuple(ca.find_all(self._repository, ca.EventQuery(limit=10_000)))
        return History(threads, found, events)

    def _run(self, thread: int, program: Sequence[Step]) -> tuple[Operation, ...]:
        try:
            return tuple(self._perform(thread, number, step) for number, step in enumerate(program))
        finally:
            self._schedule.finish()

    def _perform(self, thread: int, number: int, step: Step) -> Operation:
        """Execute *step* with ids and times of its own."""
        ids: list[str] = []
        names = map(f"{thread}-{number}-{{}}".format, count())
        at = START
        effect = 0

        def clock() -> datetime:
            nonlocal at
            ids.clear()  # each try begins with the clock
            at = START + next(self._ticks) * SECOND
            return at

        def new_id() -> str:
            ids.append(next(names))
            return ids[-1]

        def wait(call: str) -> None:
            nonlocal effect
            self._schedule.step(thread, call)
            effect = next(self._numbers)

        repository = self._wrap(Scheduled(self._repository, wait))
        registrar = self._make(
            repository,
            policies=POLICIES,
            clock=clock,
            new_id=new_id,
            timeout=MANY * SECOND,
            stopwatch=count().__next__,
        )
        self._schedule.step(thread, "begin")
        invoked = next(self._numbers)
        result = perform(step, repository, registrar)
        returned = next(self._numbers)
        return Operation(thread, step, invoked, returned, effect, at, tuple(ids), result)


def contents(repository: ca.Repository, steps: Sequence[Step]) -> Contents:
    """Return all records that *steps* can have stored."""
    found: dict[type, dict[str, Any]] = {}
    for query in QUERIES:
        if query.kind is not ca.Event:
            records = ca.find_all(repository, query(limit=10_000))
            found[query.kind] = {one.id: one for one in records}
    claims = [ca.Claim.id_for(user, course) for user in found[ca.User] for course in COURSES]
    found[ca.Claim] = repository.get(ca.Claim, claims)
    receipts = [
        ca.Receipt.id_for(one.action, one.id)
        for one in steps
        if isinstance(one, ReceiptedCommand) and one.id is not None
    ]
    found[ca.Receipt] = repository.get(ca.Receipt, receipts)
    return found


def random_history(
    seed: int | str,
    repository: ca.Repository,
    *,
    actions: Sequence[str] = (),
    at_once: int = 1,
    make: MakeRegistrar = ca.Registrar,
    wrap: Wrap = lambda repository: repository,
) -> History:
    """Fill the empty *repository*, and record a history that *seed* chooses.

    Args:
        actions: The commands to use; by default all.
        at_once: How many threads run at once. With one, the same seed gives the same history.
    """
    random = Random(seed)  # noqa: S311 - no secrets
    steps = programs(random, actions)
    repository.commit(ca.Change(create=WORLD))
    return Recorder(repository, Schedule(random, THREADS, at_once), make, wrap).record(steps)
