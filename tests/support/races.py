"""Races without luck: gates where threads meet, rivals that interrupt, repositories without guards.

Threads switch so seldom that a plain stress test passes on code that checks first and acts later.
Here threads meet just before they commit, or a whole command runs in the middle of another.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from copy import copy
from datetime import timedelta
from functools import partial
from itertools import count, cycle
from secrets import token_hex
from threading import Barrier, BrokenBarrierError, Lock, Semaphore, local
from typing import Any, TypeAlias, TypeVar

import attrs
import pytest

import course_assignments as ca
from course_assignments.changes import R
from course_assignments.queries import RecordT
from course_assignments.reasons import KeyExhausted
from course_assignments.testing.threads import run_in_threads
from course_assignments.validation import Strings
from tests.support.world import contents, world

T = TypeVar("T")

#: What makes a repository.
Make: TypeAlias = Callable[[], ca.Repository]

#: How many seconds threads wait for each other, and commands for their turn, before a test fails;
#: far more than any of them needs.
TIMEOUT = 10.0

#: A step that is taken just before a call of a repository, with its name: get, find or commit.
Step: TypeAlias = Callable[[str], None]


def outcomes_of(
    tasks: Iterable[Callable[[], T]], timeout: float = 3 * TIMEOUT
) -> list[T | ca.CourseAssignmentsError]:
    """Run each task in a thread of its own; return what each returned or which of our errors."""
    return run_in_threads([partial(outcome_of, one) for one in tasks], timeout)


def outcome_of(task: Callable[[], T]) -> T | ca.CourseAssignmentsError:
    """Return what *task* returns, or the error of ours that it raises."""
    try:
        return task()
    except ca.CourseAssignmentsError as error:
        return error


def granted(outcomes: Iterable[T | ca.CourseAssignmentsError]) -> list[T]:
    """Return what was granted; fail if there are other errors than refusals."""
    found = list(outcomes)
    errors = [one for one in found if isinstance(one, ca.CourseAssignmentsError)]
    assert [one for one in errors if not isinstance(one, ca.Refused)] == []
    return [one for one in found if not isinstance(one, ca.CourseAssignmentsError)]


def refusals(outcomes: Iterable[object]) -> list[ca.Refused]:
    return [one for one in outcomes if isinstance(one, ca.Refused)]


def codes_of(refused: ca.Refused) -> list[str]:
    """Return the codes of all reasons against."""
    return [reason.code for reason in refused.decision.reasons]


def the_one(found: Sequence[T]) -> T:
    assert len(found) == 1
    return found[0]


def race(
    *holds: Mapping[str, Any],
    long: Iterable[Mapping[str, Any]] = (),
    controls: Iterable[tuple[Any, Mapping[str, Any]]] = (),
) -> Callable[[Callable[..., object]], Callable[..., None]]:
    """Make a test of a function that plays a race on a repository, which its `make` creates.

    Args:
        holds: Arguments with which the race has to end well on the in-memory repository.
        long: The same, for a long run.
        controls: Habits or repositories without a guard, on which the race has to fail.
    """
    cases: list[Any] = [
        *(_case("holds", ca.InMemoryRepository, one) for one in holds),
        *(_case("holds", ca.InMemoryRepository, one, pytest.mark.long) for one in long),
        *(_case("fails", make, one) for make, one in controls),
    ]

    def decorate(play: Callable[..., object]) -> Callable[..., None]:
        def test(make: Make, arguments: Mapping[str, Any], ending: str) -> None:
            with pytest.raises(AssertionError) if ending == "fails" else nullcontext():
                play(**{"make": make, **arguments})

        test.__doc__ = play.__doc__
        marked: Callable[..., None]
        marked = pytest.mark.parametrize(("make", "arguments", "ending"), cases)(test)
        return marked

    return decorate


def _case(ending: str, make: Any, arguments: Mapping[str, Any], *marks: Any) -> Any:
    short = {name: one for name, one in arguments.items() if not isinstance(one, list | tuple)}
    shown = (f"{name} {getattr(one, '__name__', one)}" for name, one in short.items())
    title = ", ".join([f"{ending} with {make.__name__}", *shown])
    made = make if isinstance(make, type) else careless(make)
    return pytest.param(made, arguments, ending, id=title, marks=marks)


class Gate:
    """Where each thread waits, on its first arrival, until all are there; open from then on."""

    def __init__(self, parties: int, timeout: float = TIMEOUT) -> None:
        self.was_full = False
        self._barrier = Barrier(parties, self._fill, timeout)
        self._here = local()

    def _fill(self) -> None:
        self.was_full = True

    def meet(self) -> None:
        if not getattr(self._here, "was", False):
            self._here.was = True
            # If not all come, those who did go on, and `was_full` tells.
            with suppress(BrokenBarrierError):
                self._barrier.wait()

    def before(self, *calls: str) -> Step:
        """Return the step that lets threads meet just before their first call of that name."""
        return lambda call: self.meet() if call in calls else None


class Interruption:
    """A rival that acts, whole, just before call number *point* of a command."""

    def __init__(self, point: int) -> None:
        self.is_in_time = False
        self.rival: Callable[[], object] = lambda: None
        self.result: Any = None
        self._until = point

    def __call__(self, _: str) -> None:
        if self._until == 0:
            self.is_in_time = True
            self._act()
        self._until -= 1

    def finish(self) -> None:
        """Let the rival act now if it has not yet: then it comes after the command."""
        if not self.is_in_time:
            self._act()

    def _act(self) -> None:
        self.result = outcome_of(self.rival)


def at_every_point(play: Callable[[Interruption], None]) -> int:
    """Play with the rival before the first call, the second, ..., after the last; count them."""
    for point in count():
        interruption = Interruption(point)
        play(interruption)
        if not interruption.is_in_time:
            return point
    raise AssertionError


class Watched:
    """A repository before each call of which a step is taken."""

    def __init__(self, inner: ca.Repository, step: Step = lambda _: None) -> None:
        self._inner = inner
        self._step = step
        self.calls: list[str] = []

    def _take(self, call: str) -> None:
        self.calls.append(call)
        self._step(call)

    def get(self, kind: type[R], ids: Strings, /) -> dict[str, R]:
        self._take("get")
        return self._inner.get(kind, ids)

    def find(self, query: ca.Query[RecordT], /) -> ca.Page[RecordT]:
        self._take("find")
        return self._inner.find(query)

    def commit(self, change: ca.Change, /) -> None:
        self._take("commit")
        self._inner.commit(change)


class Scene:
    """The small world in a repository of one's choice, for registrars who share it."""

    def __init__(self, repository: ca.Repository, **options: Any) -> None:
        self.repository = repository
        self.options = {
            "new_id": lambda: token_hex(16),
            # Longer than any gate waits: who was held up there must not give up for it.
            "timeout": timedelta(seconds=2 * TIMEOUT),
            **options,
        }
        self.registrar, self.clock = world(repository, **self.options)

    def on(self, repository: ca.Repository) -> ca.Registrar:
        """Return another registrar, with the same clock and policies, who works on *repository*."""
        return ca.Registrar(repository, clock=self.clock, **self.options)

    def copied(self, make: Make) -> "Scene":
        """Return a scene with the same records, clock and policies on another repository."""
        other = copy(self)
        other.repository = make()
        fill(other.repository, self.repository)
        other.registrar = other.on(other.repository)
        return other

    def watched(self, step: Step) -> ca.Registrar:
        """Return another registrar of the same world, before whose every call *step* is taken."""
        return self.on(Watched(self.repository, step))

    def key(self, code: str) -> ca.TrainingKey:
        return next(iter(self.repository.find(ca.KeyQuery(code=code))))

    def events(self, *actions: str) -> list[ca.Event]:
        """Return all events in order, or those of *actions*."""
        events = ca.find_all(self.repository, ca.EventQuery(limit=10_000))
        return [one for one in events if not actions or one.action in actions]


def together(
    scene: Scene, commands: Sequence[Callable[[ca.Registrar], T]]
) -> list[T | ca.CourseAssignmentsError]:
    """Let all *commands* decide before any of them commits."""
    gate = Gate(len(commands))
    registrar = scene.watched(gate.before("commit"))
    outcomes = outcomes_of(partial(one, registrar) for one in commands)
    assert gate.was_full
    return outcomes


def interrupted(
    start: Callable[[], Scene],
    first: Callable[[ca.Registrar], object],
    second: Callable[[ca.Registrar], object],
    check: Callable[[Scene, list[Any]], None],
) -> int:
    """Let *second* act, whole, before each call of *first*, and *check* what came of both."""

    def play(interruption: Interruption) -> None:
        scene = start()
        interruption.rival = partial(second, scene.registrar)
        outcome = outcome_of(partial(first, scene.watched(interruption)))
        interruption.finish()
        check(scene, [outcome, interruption.result])

    return at_every_point(play)


def amid(
    scene: Scene, commands: Iterable[Callable[[ca.Registrar], T]], rival: Callable[[], object]
) -> list[T | ca.CourseAssignmentsError]:
    """Let *rival* act, whole, when all *commands* have decided and are about to commit."""
    todo = list(commands)
    arrived, go = Gate(len(todo) + 1), Gate(len(todo) + 1)

    def wait(call: str) -> None:
        if call == "commit":
            arrived.meet()
            go.meet()

    def act() -> None:
        arrived.meet()
        rival()
        go.meet()

    registrar = scene.watched(wait)
    tasks: list[Callable[[], Any]] = [*(partial(command, registrar) for command in todo), act]
    outcomes = outcomes_of(tasks)
    assert go.was_full
    return outcomes[:-1]


def in_rounds(
    scene: Scene, ids: Sequence[str], commands: Mapping[str, Callable[[ca.Registrar, str], T]]
) -> list[list[T | ca.CourseAssignmentsError]]:
    """Let two *commands* meet over each of *ids*, when both have decided and are about to commit.

    In the first round the first command is faster, in the next the second, then either of them.
    """
    barrier, fresh, done = Barrier(2, timeout=TIMEOUT), local(), Semaphore(0)

    def meet_once_a_round(call: str) -> None:
        if call == "commit" and fresh.round:
            fresh.round = False
            barrier.wait()
            # Both have decided; now one goes first, then the other, then either of them.
            if fresh.first not in {"either", fresh.name}:
                assert done.acquire(timeout=TIMEOUT)

    registrar = scene.watched(meet_once_a_round)

    def go_through(name: str) -> list[T | ca.CourseAssignmentsError]:
        outcomes = []
        fresh.name = name
        for one, first in zip(ids, cycle((*commands, "either"))):
            fresh.round, fresh.first = True, first
            outcomes.append(outcome_of(partial(commands[name], registrar, one)))
            if first == name:
                done.release()
        return outcomes

    # A thread that hangs is found at the barrier; all rounds may take as long as they take.
    return granted(
        outcomes_of([partial(go_through, name) for name in commands], timeout=60 * TIMEOUT)
    )


def fill(empty: ca.Repository, original: ca.Repository) -> None:
    """Store all records of *original* in an *empty* repository, in one commit."""
    kept = contents(original)
    events = kept.pop("Event")
    empty.commit(ca.Change(create=[one for kind in kept.values() for one in kind], record=events))


# Repositories without a guard: each takes one guard away and leaves the others.

#: What a careless repository makes of a change just before it stores it.
Habit: TypeAlias = Callable[["Careless", ca.Change], ca.Change]


class Careless(ca.InMemoryRepository):
    """The in-memory repository, but for one bad habit."""

    def __init__(self, habit: Habit) -> None:
        super().__init__()
        self._habit = habit
        self._turn = Lock()

    def commit(self, change: ca.Change, /) -> None:
        with self._turn:
            super().commit(self._habit(self, change))

    def put(self, change: ca.Change) -> None:
        """Store *change* as it is, for a habit that has more to write."""
        super().commit(change)

    def stored(self, record: ca.Record) -> Any:
        return self.get(type(record), [record.id]).get(record.id)

    def is_stored(self, record: ca.Record) -> bool:
        return self.stored(record) is not None


def careless(habit: Habit) -> Make:
    """Return what makes a repository with a bad *habit*."""
    return lambda: Careless(habit)


def honest(_: Careless, change: ca.Change) -> ca.Change:
    """No bad habit at all: what the others are measured against."""
    return change


def expects_nothing(_: Careless, change: ca.Change) -> ca.Change:
    return attrs.evolve(change, expect=())


def compares_nothing(repository: Careless, change: ca.Change) -> ca.Change:
    """The last one to replace a record wins, whatever it was decided on."""
    replace = [ca.Replace(repository.stored(one.before), one.after) for one in change.replace]
    return attrs.evolve(change, replace=replace)


def overwrites(repository: Careless, change: ca.Change) -> ca.Change:
    """What is created takes the place of what is stored under its id."""
    there = [one for one in change.create if repository.is_stored(one)]
    return attrs.evolve(
        change,
        create=[one for one in change.create if one not in there],
        replace=[*change.replace, *(ca.Replace(repository.stored(one), one) for one in there)],
    )


def without(*kinds: type) -> Callable[[ca.Change], ca.Change]:
    """Return what leaves out of a change all new and edited records of these kinds."""
    return lambda change: attrs.evolve(
        change,
        create=[one for one in change.create if not isinstance(one, kinds)],
        replace=[one for one in change.replace if not isinstance(one.after, kinds)],
    )


def without_claims(habit: Habit) -> Habit:
    """Return *habit*, for a repository that stores no claims: they guard what others guard too."""
    return lambda repository, change: habit(repository, without(ca.Claim)(change))


def claims_nothing(_: Careless, change: ca.Change) -> ca.Change:
    """Nobody takes a claim, and every redemption gets an id that means nothing."""
    create = [
        attrs.evolve(one, id=token_hex(16)) if isinstance(one, ca.Redemption) else one
        for one in change.create
    ]
    return without(ca.Claim)(attrs.evolve(change, create=create))


def writes_uses_as_read(repository: Careless, change: ca.Change) -> ca.Change:
    """The client reads the counter, adds one and writes it back."""

    def counted(one: ca.Use) -> int:
        return int(one.key.uses + one.by - repository.stored(one.key).uses)

    return attrs.evolve(change, use=[ca.Use(one.key, counted(one)) for one in change.use])


def forgets_the_bound(repository: Careless, change: ca.Change) -> ca.Change:
    """A use above the maximum is not counted, and nobody looks whether it was."""

    def fits(one: ca.Use) -> bool:
        stored = repository.stored(one.key)
        return bool(0 <= stored.uses + one.by <= stored.max_uses)

    return attrs.evolve(change, use=[one for one in change.use if fits(one)])


def forgets_the_terms(repository: Careless, change: ca.Change) -> ca.Change:
    """A use counts whatever has become of the key since it was read."""
    return attrs.evolve(
        change, use=[ca.Use(repository.stored(one.key), one.by) for one in change.use]
    )


def replaces_uses_too(repository: Careless, change: ca.Change) -> ca.Change:
    """New terms for a key bring back the uses that it had when it was read."""
    for one in change.replace:
        if isinstance(one.after, ca.TrainingKey):
            stored = repository.stored(one.after)
            repository.put(ca.Change(use=[ca.Use(stored, one.after.uses - stored.uses)]))
    return change


def reckless(repository: Careless, change: ca.Change) -> ca.Change:
    """Neither what is created nor what is replaced is looked at."""
    return compares_nothing(repository, overwrites(repository, change))


def keeps_taken_codes(habit: Habit) -> Habit:
    """Return *habit*, for a repository that drops a new key whose code another key has."""

    def both(repository: Careless, change: ca.Change) -> ca.Change:
        new = [one for one in change.create if isinstance(one, ca.TrainingKey)]
        query = ca.KeyQuery(codes=[one.code for one in new], limit=1000)
        taken = {one.code for one in repository.find(query)}
        create = [one for one in change.create if getattr(one, "code", None) not in taken]
        return habit(repository, attrs.evolve(change, create=create))

    return both


def compares_uses(repository: Careless, change: ca.Change) -> ca.Change:
    """New terms for a key lose to everyone who redeems it meanwhile."""
    for one in change.replace:
        if isinstance(one.before, ca.TrainingKey) and repository.stored(one.before) != one.before:
            raise ca.Conflict((one.before.batch_id,))
    return change


def makes_redeemers_retry(repository: Careless, change: ca.Change) -> ca.Change:
    """A use loses to every other use of the same key."""
    if any(repository.stored(one.key) != one.key for one in change.use):
        raise ca.Conflict(("a key",))
    return change


def says_used_up_when_busy(repository: Careless, change: ca.Change) -> ca.Change:
    """A key that changed since it was read is reported as exhausted."""
    for one in change.use:
        if repository.stored(one.key) != one.key:
            raise ca.Refused(ca.Decision((KeyExhausted(one.key.max_uses),)))
    return change


class MeetingInside(ca.InMemoryRepository):
    """The in-memory repository, where redeemers meet between its check and its writing.

    With the lock only one comes so far, so nobody is waited for long.
    """

    def __init__(self, parties: int = 64, timeout: float = 0.2) -> None:
        super().__init__()
        self._gate = Gate(parties, timeout)

    def _staged(self, change: ca.Change) -> dict[tuple[type, str], ca.Record]:
        staged = super()._staged(change)
        if change.use:
            self._gate.meet()
        return staged


class Unlocked(MeetingInside):
    """The same without its lock."""

    def __init__(self) -> None:
        super().__init__(timeout=TIMEOUT)
        self._lock: Any = nullcontext()


class EmailBlind(ca.InMemoryRepository):
    """The in-memory repository without its eye on e-mail addresses."""

    def _clashing(self, staged: Any) -> Iterator[ca.Record]:
        return (one for one in super()._clashing(staged) if not isinstance(one, ca.User))


def newcomers(number: int, prefix: str = "u") -> Sequence[ca.User]:
    """Return *number* users whom nobody knows yet, none with an organization."""
    ids = (f"{prefix}-{position:04}" for position in range(number))
    return [ca.User(id=one, name=one, email=f"{one}@example.org") for one in ids]
