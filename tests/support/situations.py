"""Situations to ask about: commands drawn at random, their outcomes, and rivals who are faster."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from hashlib import sha256
from inspect import signature
from itertools import count
from typing import Any, TypeVar

import attrs
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments import commands
from tests.support.races import Watched, fill
from tests.support.world import ACME, ADA, MANAGER, PYTHON, SALES, START, contents, world

E = TypeVar("E", bound=ca.CourseAssignmentsError)

TYPED = ("Hand-made-1", "Hand-made-2", "Hand-made-3")
FRESH = tuple(f"Fresh-code-{number}" for number in range(1, 6))


def copied(repository: ca.Repository) -> ca.InMemoryRepository:
    """Return another repository with the same contents."""
    copy = ca.InMemoryRepository()
    fill(copy, repository)
    return copy


def codes(of: ca.Registrar, command: str, *args: Any, **kwargs: Any) -> list[str]:
    """Return the codes for which *command* is refused; its question agrees, nothing is changed."""
    before = contents(of.repository)
    decision = getattr(of, f"may_{command}")(*args, **kwargs)
    with pytest.raises(ca.Refused) as caught:
        getattr(of, command)(*args, **kwargs)
    assert caught.value.decision == decision
    assert not decision.allowed
    assert contents(of.repository) == before
    return [reason.code for reason in decision.reasons]


def error(kind: type[E], of: ca.Registrar, command: str, *args: Any, **kwargs: Any) -> E:
    """Return the error that *command* and its question raise; nothing is changed."""
    before = contents(of.repository)
    with pytest.raises(kind) as caught:
        getattr(of, command)(*args, **kwargs)
    with pytest.raises(kind) as asked:
        getattr(of, f"may_{command}")(*args, **kwargs)
    assert asked.value == caught.value
    assert contents(of.repository) == before
    return caught.value


def events(of: ca.Registrar) -> list[ca.Event]:
    """Return all events, in their order."""
    return contents(of.repository)["Event"]


class Barged(Watched):
    """A repository in which, just before a commit, others carry out what they have in mind."""

    def __init__(self, others: Iterable[Callable[[ca.Repository], object]]) -> None:
        """Let the first of *others* be faster than the first commit, and so on."""
        self.inner = ca.InMemoryRepository()
        super().__init__(self.inner)
        self.commits = 0
        self.others = iter(others)
        self.open = False

    def commit(self, change: ca.Change, /) -> None:
        if self.open:
            self.commits += 1
            other = next(self.others, None)
            if other is not None:
                other(self.inner)
        super().commit(change)


def barged(
    *others: Callable[[ca.Registrar], object], **options: Any
) -> tuple[ca.Registrar, ca.ManualClock, Barged]:
    """Return a small world whose registrar meets *others* at its commits, once it is opened.

    The others work through a registrar of their own, with the same clock and policies.
    """
    clock = ca.ManualClock(START)
    policies = options.get("policies", ca.Policies())

    def faster(other: Callable[[ca.Registrar], object]) -> Callable[[ca.Repository], object]:
        return lambda inner: other(
            ca.Registrar(inner, clock=clock, policies=policies, random_bytes=hashed("others"))
        )

    repository = Barged([faster(other) for other in others])
    registrar, _ = world(repository, **{"clock": clock, **options})
    return registrar, clock, repository


def hashed(seed: str) -> Callable[[int], bytes]:
    """Return a random source that gives the same bytes in each run, other ones for each *seed*."""
    numbers = count()
    return lambda size: b"".join(
        sha256(f"{seed} {next(numbers)}".encode()).digest() for _ in range(size // 32 + 1)
    )[:size]


@attrs.frozen
class Call:
    """A command with its arguments, to be carried out or asked about."""

    command: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def on(self, registrar: ca.Registrar) -> Any:
        """Carry it out."""
        return getattr(registrar, self.command)(*self.args, **self.kwargs)

    def asked_of(self, registrar: ca.Registrar) -> Any:
        """Ask the question."""
        return getattr(registrar, f"may_{self.command}")(*self.args, **self.kwargs)


COURSES = st.sampled_from(["py", "py", "sql", "draft", "old"])
LEARNERS = st.sampled_from(["ada", "ada", "bo", "cy", "new"])
BY = st.sampled_from([*[None] * 5, "manager", "manager", "sales", "ada", "support", "nobody"])
ENDS = st.sampled_from(
    [
        None,
        timedelta(days=10),
        ca.Months(1),
        relativedelta(months=7),
        START + timedelta(days=20),
        START - timedelta(days=1),
        date(2026, 2, 1),
    ]
)
BOUNDS = st.sampled_from([*[None] * 3, timedelta(days=1), START + timedelta(days=2)])
NEWCOMER = ca.User(id="new", name="New", email="new@example.org")
NEWCOMERS = st.sampled_from(
    [
        *[NEWCOMER] * 4,
        ca.User(id="newer", name="Newer", email="ADA@example.org"),
        ca.User(id="newest", name="Newest", email="newest@example.org", organization_id="beta"),
        ca.User(id="ada", name="Another Ada", email="another@example.org"),
        MANAGER,
    ]
)
CODES = st.sampled_from(
    [*[*TYPED[:2], " Hand-made-1 "] * 3, "Fresh-code-1", "unknown-1", "0000-0000-0000-0000-1"]
)


PROFILES = st.sampled_from(
    [
        ADA,
        attrs.evolve(ADA, email="BO@example.org"),
        attrs.evolve(ADA, organization_id="beta"),
        attrs.evolve(ACME, maximum_access=timedelta(days=5)),
        attrs.evolve(ACME, anonymous_registration=False),
        attrs.evolve(PYTHON, archived=True),
        PYTHON,
        ca.Organization(id="gamma", name="Gamma", parent_id="unknown"),
    ]
)
NEW_IDS = st.none() | st.none() | st.sampled_from(["a-1", "a-2", "a-3"])
TERMS = st.sampled_from([timedelta(days=20), ca.Months(8)])
NOTE = ca.Note(title="A title", message="A message")

#: What is drawn for each argument of a command, by its name; ``None`` leaves it out.
ARGUMENTS: dict[str, st.SearchStrategy[Any]] = {
    "activity_id": st.sampled_from(["lab", "lab", "lab", "nothing"]),
    "any_organization": st.sampled_from([None, True, False]),
    "assignment_id": st.sampled_from(["a-1", "a-1", "a-1", "a-2", "a-3"]),
    "attempt_id": st.sampled_from([ca.Attempt.id_for("a-1", "lab", one) for one in (1, 1, 1, 2)]),
    "availability": TERMS,
    "batch_id": st.sampled_from(["b-1", "b-1", "b-2"]),
    "by": BY,
    "code": CODES,
    "codes": st.lists(st.sampled_from([*FRESH, TYPED[0]]), max_size=2, unique=True),
    "course_id": COURSES,
    "course_ids": st.lists(COURSES, min_size=1, max_size=2),
    "duration": TERMS,
    "expires": ENDS,
    "generate": st.integers(0, 2),
    "id": NEW_IDS,
    "learner_id": LEARNERS,
    "learners": st.lists(LEARNERS | NEWCOMERS, min_size=1, max_size=2),
    "max_uses": st.sampled_from([None, 1, 2, 3]),
    "name": st.just("Some keys"),
    "note": st.sampled_from([None, NOTE]),
    "organization_id": st.sampled_from(["acme", "acme", "beta"]),
    "record": PROFILES,
    "records": PROFILES | NEWCOMERS,
    "redeemable_from": BOUNDS,
    "redeemable_until": BOUNDS,
    "repeat": st.sampled_from([None, *ca.Repeat]),
    "subscription_id": st.sampled_from(["s-1", "s-1", "s-2"]),
    "support_reason": st.sampled_from([None, "moved"]),
    "user": NEWCOMERS,
    "user_id": LEARNERS,
}
#: The same for one command, where it differs.
OF_COMMANDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "add_keys": {"id": st.sampled_from([None, "plus"])},
    "add_note": {"note": st.just(NOTE)},
    "assign_many": {"id": st.sampled_from([None, None, "p-1"])},
    "create_keys": {
        "course_id": st.sampled_from(["py", "py", "sql", "draft"]),
        "id": st.sampled_from([None, "b-2", "b-2", "b-1"]),
    },
    "edit_keys": {"name": st.none(), "availability": st.none()},
    "reschedule": {"expires": ENDS.filter(lambda end: end is not None)},
    "start": {"id": st.sampled_from([None, "try"])},
    "subscribe": {"id": st.sampled_from([None, "s-1", "s-2"])},
}


def _call(command: str) -> st.SearchStrategy[Call]:
    drawn = ARGUMENTS | OF_COMMANDS.get(command, {})
    parameters = signature(commands.COMMANDS[command]).parameters.values()
    named = {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}
    return st.builds(
        lambda args, kwargs: Call(
            command, args, {name: value for name, value in kwargs.items() if value is not None}
        ),
        st.tuples(*(drawn[one.name] for one in parameters if one.name not in named)),
        st.fixed_dictionaries({name: drawn[name] for name in sorted(named)}),
    )


def calls() -> st.SearchStrategy[Call]:
    """Draw one of all commands, with arguments that are valid, or nearly."""
    return st.sampled_from([*commands.COMMANDS, "redeem"]).flatmap(_call)


#: How far the clock moves between two commands: onto the edges, over them, and back.
MOVES = st.sampled_from(
    [
        timedelta(0),
        timedelta(hours=24),
        timedelta(hours=24),
        timedelta(hours=24, microseconds=1),
        timedelta(days=2),
        timedelta(days=40),
        timedelta(days=-1),
    ]
)

POLICIES = st.builds(
    lambda restores, once, default: ca.Policies(
        cancellation=ca.CancellationPolicy(restores_key_use=restores),
        key_redemption=ca.KeyRedemptionPolicy(once_per_learner=once),
        repeat=ca.RepeatPolicy(default=default),
    ),
    st.booleans(),
    st.booleans(),
    st.sampled_from(ca.Repeat),
)


def stocked(
    policies: ca.Policies, *, any_organization: bool
) -> tuple[ca.Registrar, ca.ManualClock]:
    """Return a small world in which some assignments and keys exist already."""
    registrar, clock = world(policies=policies)
    registrar.add(SALES)
    registrar.assign("py", "ada", id="a-1")
    registrar.create_keys(
        "py",
        name="Some keys",
        organization_id="acme",
        availability=timedelta(days=30),
        redeemable_from=timedelta(days=1),
        redeemable_until=timedelta(days=50),
        max_uses=2,
        any_organization=any_organization,
        codes=TYPED[:2],
        id="b-1",
    )
    registrar.subscribe(["py", "sql"], "ada", duration=timedelta(days=60), id="s-1")
    return registrar, clock


@st.composite
def situations(draw: st.DrawFn) -> tuple[ca.Registrar, ca.ManualClock, ca.Policies]:
    """Draw a world some commands after its start; what they refuse is part of it."""
    policies = draw(POLICIES)
    registrar, clock = stocked(policies, any_organization=draw(st.booleans()))
    for step in draw(st.lists(calls(), max_size=6)):
        clock.set(clock() + draw(MOVES))
        try:
            step.on(registrar)
        except ca.CourseAssignmentsError:
            continue
    clock.set(clock() + draw(MOVES))
    # Chosen at random, it would rarely be a key in its window.
    for code in draw(st.sets(st.sampled_from(TYPED[:2]))):
        if registrar.may_redeem(code, "ada"):
            registrar.redeem(code, "ada")
    return registrar, clock, policies


def same_registrar(
    repository: ca.Repository, clock: ca.ManualClock, policies: ca.Policies
) -> ca.Registrar:
    """Return a registrar like that of `world` who works on *repository*."""
    numbers = count(1)
    return ca.Registrar(
        repository,
        clock=clock,
        policies=policies,
        new_id=lambda: f"copy-{next(numbers)}",
        random_bytes=hashed("copy"),
    )


def made_by(registrar: ca.Registrar, assignment_id: str) -> ca.CourseAssignment:
    """Return the assignment as it is stored."""
    return registrar.repository.get(ca.CourseAssignment, [assignment_id])[assignment_id]
