"""Situations to ask about: commands drawn at random, what they come to, others who are faster."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from hashlib import sha256
from itertools import count
from typing import Any, TypeVar

import attrs
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import strategies as st

from course_assignments import (
    Attempt,
    CancellationPolicy,
    Change,
    CourseAssignment,
    CourseAssignmentsError,
    Event,
    InMemoryRepository,
    KeyRedemptionPolicy,
    ManualClock,
    Months,
    Note,
    Organization,
    Page,
    Policies,
    Query,
    Refused,
    Registrar,
    Repeat,
    RepeatPolicy,
    Repository,
    User,
)
from tests.support.races import fill
from tests.support.world import ACME, ADA, MANAGER, PYTHON, SALES, START, contents, world

E = TypeVar("E", bound=CourseAssignmentsError)

TYPED = ("Hand-made-1", "Hand-made-2", "Hand-made-3")
FRESH = tuple(f"Fresh-code-{number}" for number in range(1, 6))
ASSIGNMENT_IDS = ("a-1", "a-1", "a-1", "a-2", "a-3")
BATCH_IDS = ("b-1", "b-1", "b-2")
ACTIVITIES = st.sampled_from(["lab", "lab", "lab", "nothing"])
ATTEMPTS = st.sampled_from([Attempt.id_for("a-1", "lab", number) for number in (1, 1, 1, 2)])
SUBSCRIPTIONS = st.sampled_from(["s-1", "s-1", "s-2"])


def copied(repository: Repository) -> InMemoryRepository:
    """Return another repository with the same contents."""
    copy = InMemoryRepository()
    fill(copy, repository)
    return copy


def codes(of: Registrar, command: str, *args: Any, **kwargs: Any) -> list[str]:
    """Return the codes for which *command* is refused; its question agrees, nothing is changed."""
    before = contents(of.repository)
    decision = getattr(of, f"may_{command}")(*args, **kwargs)
    with pytest.raises(Refused) as caught:
        getattr(of, command)(*args, **kwargs)
    assert caught.value.decision == decision
    assert not decision.allowed
    assert contents(of.repository) == before
    return [reason.code for reason in decision.reasons]


def error(kind: type[E], of: Registrar, command: str, *args: Any, **kwargs: Any) -> E:
    """Return the error that *command* and its question raise; nothing is changed."""
    before = contents(of.repository)
    with pytest.raises(kind) as caught:
        getattr(of, command)(*args, **kwargs)
    with pytest.raises(kind) as asked:
        getattr(of, f"may_{command}")(*args, **kwargs)
    assert asked.value == caught.value
    assert contents(of.repository) == before
    return caught.value


def events(of: Registrar) -> list[Event]:
    """Return all events, in their order."""
    return contents(of.repository)["Event"]


class Barged:
    """A repository in which, just before a commit, others carry out what they have in mind."""

    def __init__(self, others: Iterable[Callable[[Repository], object]]) -> None:
        """Let the first of *others* be faster than the first commit, and so on."""
        self.inner = InMemoryRepository()
        self.commits = 0
        self.others = iter(others)
        self.open = False

    def get(self, kind: Any, ids: Iterable[str], /) -> dict[str, Any]:
        return self.inner.get(kind, ids)

    def find(self, query: Query[Any], /) -> Page[Any]:
        return self.inner.find(query)

    def commit(self, change: Change, /) -> None:
        if self.open:
            self.commits += 1
            other = next(self.others, None)
            if other is not None:
                other(self.inner)
        self.inner.commit(change)


def barged(
    *others: Callable[[Registrar], object], **options: Any
) -> tuple[Registrar, ManualClock, Barged]:
    """Return a small world whose registrar meets *others* at its commits, once it is opened.

    The others work through a registrar of their own, with the same clock and policies.
    """
    clock = ManualClock(START)
    policies = options.get("policies", Policies())

    def faster(other: Callable[[Registrar], object]) -> Callable[[Repository], object]:
        return lambda inner: other(
            Registrar(inner, clock=clock, policies=policies, random_bytes=hashed("others"))
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

    def on(self, registrar: Registrar) -> Any:
        """Carry it out."""
        return getattr(registrar, self.command)(*self.args, **self.kwargs)

    def asked_of(self, registrar: Registrar) -> Any:
        """Ask the question."""
        return getattr(registrar, f"may_{self.command}")(*self.args, **self.kwargs)


def call(name: str, /, *args: Any, **kwargs: Any) -> st.SearchStrategy[Call]:
    """Draw the call of *name*; each argument is a strategy, what is ``None`` is left out."""
    return st.builds(
        lambda drawn, named: Call(
            name, drawn, {key: value for key, value in named.items() if value is not None}
        ),
        st.tuples(*args),
        st.fixed_dictionaries(kwargs),
    )


COURSES = st.sampled_from(["py", "py", "sql", "draft", "old"])
LEARNERS = st.sampled_from(["ada", "ada", "bo", "cy", "new"])
BY = st.sampled_from([*[None] * 5, "manager", "manager", "sales", "ada", "support", "nobody"])
ENDS = st.sampled_from(
    [
        None,
        timedelta(days=10),
        Months(1),
        relativedelta(months=7),
        START + timedelta(days=20),
        START - timedelta(days=1),
        date(2026, 2, 1),
    ]
)
BOUNDS = st.sampled_from([*[None] * 3, timedelta(days=1), START + timedelta(days=2)])
NEWCOMER = User(id="new", name="New", email="new@example.org")
NEWCOMERS = st.sampled_from(
    [
        *[NEWCOMER] * 4,
        User(id="newer", name="Newer", email="ADA@example.org"),
        User(id="newest", name="Newest", email="newest@example.org", organization_id="beta"),
        User(id="ada", name="Another Ada", email="another@example.org"),
        MANAGER,
    ]
)
CODES = st.sampled_from(
    [*[*TYPED[:2], " Hand-made-1 "] * 3, "Fresh-code-1", "unknown-1", "0000-0000-0000-0000-1"]
)


def calls() -> st.SearchStrategy[Call]:
    """Draw one of all commands, with arguments that fit, or nearly."""
    assignment_id = st.sampled_from(ASSIGNMENT_IDS)
    batch_id = st.sampled_from(BATCH_IDS)
    maybe = {"by": BY}
    repeat = st.sampled_from([None, *Repeat])
    note = st.sampled_from([None, Note(title="A title", message="A message")])
    new_id = st.none() | st.none() | st.sampled_from(["a-1", "a-2", "a-3"])
    typed = st.lists(st.sampled_from([*FRESH, TYPED[0]]), max_size=2, unique=True)
    generated = st.integers(0, 2)
    terms = {
        "redeemable_from": BOUNDS,
        "redeemable_until": BOUNDS,
        "max_uses": st.sampled_from([None, 1, 2, 3]),
        "any_organization": st.sampled_from([None, True, False]),
    }
    profiles = st.sampled_from(
        [
            ADA,
            attrs.evolve(ADA, email="BO@example.org"),
            attrs.evolve(ADA, organization_id="beta"),
            attrs.evolve(ACME, maximum_access=timedelta(days=5)),
            attrs.evolve(ACME, anonymous_registration=False),
            attrs.evolve(PYTHON, archived=True),
            PYTHON,
            Organization(id="gamma", name="Gamma", parent_id="unknown"),
        ]
    )
    return st.one_of(
        call(
            "assign", COURSES, LEARNERS, expires=ENDS, repeat=repeat, id=new_id, note=note, **maybe
        ),
        call(
            "assign_many",
            st.lists(COURSES, min_size=1, max_size=2),
            st.lists(LEARNERS | NEWCOMERS, min_size=1, max_size=2),
            expires=ENDS,
            repeat=repeat,
            id=st.sampled_from([None, None, "p-1"]),
            **maybe,
        ),
        call("cancel", assignment_id, support_reason=st.sampled_from([None, "moved"]), **maybe),
        call("reschedule", assignment_id, ENDS.filter(lambda end: end is not None), **maybe),
        call("complete", assignment_id, **maybe),
        call("add_note", assignment_id, st.just(Note(title="A", message="B")), **maybe),
        call(
            "create_keys",
            st.sampled_from(["py", "py", "sql", "draft"]),
            name=st.just("Some keys"),
            organization_id=st.sampled_from(["acme", "acme", "beta"]),
            availability=st.sampled_from([timedelta(days=20), Months(8)]),
            codes=typed,
            generate=generated,
            id=st.sampled_from([None, "b-2", "b-2", "b-1"]),
            **terms,
            **maybe,
        ),
        call(
            "add_keys",
            batch_id,
            codes=typed,
            generate=generated,
            id=st.sampled_from([None, "plus"]),
            **maybe,
        ),
        call("edit_keys", batch_id, **terms, **maybe),
        call("revoke_key", CODES, **maybe),
        call("revoke_keys", batch_id, **maybe),
        call("redeem", CODES, LEARNERS, id=new_id, **maybe),
        call("redeem", CODES, LEARNERS, id=new_id),
        call("register", CODES, NEWCOMERS, id=new_id, **maybe),
        call("start", assignment_id, ACTIVITIES, id=st.sampled_from([None, "try"]), **maybe),
        call("pause", ATTEMPTS, **maybe),
        call("resume", ATTEMPTS, **maybe),
        call("finish", ATTEMPTS, **maybe),
        call(
            "subscribe",
            st.lists(COURSES, min_size=1, max_size=2),
            LEARNERS,
            duration=st.sampled_from([timedelta(days=20), Months(8)]),
            id=st.sampled_from([None, "s-1", "s-2"]),
            **maybe,
        ),
        call(
            "edit_subscription",
            SUBSCRIPTIONS,
            st.lists(COURSES, min_size=1, max_size=2),
            **maybe,
        ),
        call(
            "cancel_subscription",
            SUBSCRIPTIONS,
            support_reason=st.sampled_from([None, "moved"]),
            **maybe,
        ),
        call("open_course", SUBSCRIPTIONS, COURSES, id=new_id, **maybe),
        call("add", profiles | NEWCOMERS, **maybe),
        call("update", profiles, **maybe),
        call("anonymize", LEARNERS, **maybe),
        call("keys", batch_id, **maybe),
    )


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
    lambda restores, once, default: Policies(
        cancellation=CancellationPolicy(restores_key_use=restores),
        key_redemption=KeyRedemptionPolicy(once_per_learner=once),
        repeat=RepeatPolicy(default=default),
    ),
    st.booleans(),
    st.booleans(),
    st.sampled_from(Repeat),
)


def stocked(policies: Policies, *, any_organization: bool) -> tuple[Registrar, ManualClock]:
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
def situations(draw: st.DrawFn) -> tuple[Registrar, ManualClock, Policies]:
    """Draw a world some commands after its start; what they refuse is part of it."""
    policies = draw(POLICIES)
    registrar, clock = stocked(policies, any_organization=draw(st.booleans()))
    for step in draw(st.lists(calls(), max_size=6)):
        clock.set(clock() + draw(MOVES))
        try:
            step.on(registrar)
        except CourseAssignmentsError:
            continue
    clock.set(clock() + draw(MOVES))
    # Chosen at random, it would rarely be a key in its window.
    for code in draw(st.sets(st.sampled_from(TYPED[:2]))):
        if registrar.may_redeem(code, "ada"):
            registrar.redeem(code, "ada")
    return registrar, clock, policies


def same_registrar(repository: Repository, clock: ManualClock, policies: Policies) -> Registrar:
    """Return a registrar like that of `world` who works on *repository*."""
    numbers = count(1)
    return Registrar(
        repository,
        clock=clock,
        policies=policies,
        new_id=lambda: f"copy-{next(numbers)}",
        random_bytes=hashed("copy"),
    )


def made_by(registrar: Registrar, assignment_id: str) -> CourseAssignment:
    """Return the assignment as it is stored."""
    return registrar.repository.get(CourseAssignment, [assignment_id])[assignment_id]
