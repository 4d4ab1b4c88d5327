"""Two offices that do the same: one over the repository in memory, one over another.

Both read one clock and draw the same ids and codes, so whatever they say or keep has to be equal.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import attrs
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from course_assignments.changes import Event, Record
from course_assignments.entities.assignments import Claim
from course_assignments.entities.catalog import Activity, Course, Organization
from course_assignments.entities.enums import ActivityKind, Repeat, Role
from course_assignments.entities.keys import TrainingKey
from course_assignments.entities.people import User
from course_assignments.errors import Conflict, CourseAssignmentsError
from course_assignments.memory import InMemoryRepository
from course_assignments.policies import Policies
from course_assignments.policies.cancellation import CancellationPolicy
from course_assignments.policies.redemption import KeyRedemptionPolicy
from course_assignments.policies.repetition import RepeatPolicy
from course_assignments.registrar import Registrar
from course_assignments.repository import Repository
from course_assignments.testing.promises.base import EVERYTHING, exactly, listed
from course_assignments.testing.stock import DAY, HOUR, START
from course_assignments.time.clocks import ManualClock
from course_assignments.time.datetimes import TICK
from course_assignments.time.durations import Months

LAB = Activity(id="lab", name="A lab", kind=ActivityKind.LAB, required=True)
FILM = Activity(id="film", name="A film", kind=ActivityKind.VIDEO)

#: What both start with.
RECORDS = (
    Organization(id="acme", name="Acme", anonymous_registration=True),
    Organization(id="beta", name="Beta", parent_id="acme", maximum_access=Months(3)),
    Course(
        id="py",
        name="Python",
        content_provider="us",
        publishing_group="all",
        activities=[LAB, FILM],
    ),
    Course(
        id="sql",
        name="SQL",
        content_provider="us",
        publishing_group="all",
        activities=[FILM],
        maximum_access=30 * DAY,
    ),
    User(id="ada", name="Ada", email="ada@example.org", organization_id="acme"),
    User(id="bo", name="Bo", email="bo@example.org", organization_id="beta"),
    User(id="cy", name="Cy", email="cy@example.org"),
    User(
        id="manager",
        name="Manager",
        email="manager@example.org",
        roles=list(Role),
        managed_organization_ids=["acme"],
    ),
)


@attrs.frozen
class FromNow:
    """An instant so far from now, which only the run knows."""

    by: timedelta


COURSES = st.sampled_from(["py"] * 5 + ["sql"] * 3 + ["nothing"])
LEARNERS = st.sampled_from(["ada"] * 5 + ["bo"] * 4 + ["cy", "manager", "nobody"])
ACTORS = st.sampled_from([None] * 8 + ["manager", "manager", "ada", "nobody"])
IDS = st.sampled_from([None] * 5 + ["one", "two", "\N{SNOWMAN} three"])
#: Which of what there is, what changed last first; the last stands for what there is not.
NOTHING = 9
PICKS = st.integers(0, NOTHING)
STEPS = st.sampled_from([TICK, HOUR, HOUR, HOUR, DAY, DAY + TICK, 10 * DAY, 200 * DAY])
TERMS = st.sampled_from([TICK, DAY, 30 * DAY, 300 * DAY, Months(1), Months(6)])
#: When something is to end: a length, or an instant so far from now.
GIVEN_ENDS = TERMS | st.sampled_from([-DAY, timedelta(0), DAY, 20 * DAY]).map(FromNow)
ENDS = st.none() | GIVEN_ENDS


def told(call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Return what comes of *call*, a value or one of our errors, so that two can be compared."""
    try:
        return exactly(call(*args, **kwargs))
    except Conflict as error:
        return Conflict, error.code  # of several ids in the way, a repository need not name all
    except CourseAssignmentsError as error:
        return type(error), exactly(error.args)


def kept(repository: Repository) -> dict[str, list[Any]]:
    """Return everything that *repository* keeps."""
    found = {query.kind.__name__: listed(repository, query) for query in EVERYTHING}
    pairs = [(user.id, course.id) for user in found["User"] for course in found["Course"]]
    claims = repository.get(Claim, [Claim.id_for(*pair) for pair in pairs])
    return {**found, "Claim": sorted(claims.values(), key=lambda claim: claim.id)}


class Offices(RuleBasedStateMachine):
    """Does everything twice, and compares."""

    def make(self) -> Repository:
        """Return a new, empty repository."""
        raise NotImplementedError

    @initialize(
        restores=st.booleans(),
        once=st.sampled_from([True, True, False]),
        repeat=st.sampled_from(Repeat),
    )
    def open(self, *, restores: bool, once: bool, repeat: Repeat) -> None:
        """Open both offices, with the same rules and something of everything to begin with."""
        self.clock = ManualClock(START)
        policies = Policies(
            cancellation=CancellationPolicy(restores_key_use=restores),
            key_redemption=KeyRedemptionPolicy(once_per_learner=once),
            repeat=RepeatPolicy(default=repeat),
        )
        self.repository = self.make()
        self.reference, self.tested = (
            Registrar(
                repository,
                policies=policies,
                clock=self.clock,
                new_id=_counting(),
                random_bytes=_counting_bytes(),
                timeout=timedelta(0),  # nobody else is there, so nothing has to be tried again
            )
            for repository in (InMemoryRepository(), self.repository)
        )
        #: Every value that a record has had, from the first to the one it has now.
        self.versions: dict[tuple[type, str], list[Record]] = {}
        self.do("add", *RECORDS)
        self.do("assign", "py", "ada")
        self.do("subscribe", ["py", "sql"], "bo", duration=300 * DAY)
        self.do(
            "create_keys",
            "py",
            name="Stock",
            organization_id="acme",
            availability=20 * DAY,
            max_uses=3,
            any_organization=True,
            codes=["Stock-2026"],
            generate=1,
        )

    def do(self, name: str, /, *args: Any, **kwargs: Any) -> None:
        """Ask in both offices whether a command is allowed, and carry it out."""
        shown = ", ".join([*map(repr, args), *(f"{key}={one!r}" for key, one in kwargs.items())])
        note(f"{self.clock().isoformat()} {name}({shown})")
        for call in (f"may_{name}", name):
            if hasattr(Registrar, call):
                expected, found = (
                    told(getattr(office, call), args, kwargs)
                    for office in (self.reference, self.tested)
                )
                assert found == expected, f"{call} tells the same"
        self.compare()

    def compare(self) -> None:
        """Check that both keep the same."""
        self.seen = kept(self.reference.repository)
        found = kept(self.repository)
        for kind, expected in self.seen.items():
            assert found[kind] == expected, f"the same of every {kind} is kept"
        for records in self.seen.values():
            for record in records:
                self._remember(record)

    def _remember(self, record: Any) -> None:
        if not isinstance(record, Event):
            name = record.__class__, record.id
            versions = self.versions.get(name, [])
            if versions[-1:] != [record]:
                # What was changed last stands last.
                self.versions.pop(name, None)
                self.versions[name] = [*versions, record]

    def pick(self, kind: type, pick: int) -> str:
        """Return the id of a record of *kind*, that changed last for 0, or one nobody has."""
        ids = [id_ for stored, id_ in self.versions if stored is kind]
        return ids[-1 - pick % len(ids)] if ids and pick != NOTHING else "nothing-there"

    def code(self, pick: int, hand: Callable[[str], str] = str) -> str:
        """Return the code of a key as some *hand* types it."""
        return hand(self.pick(TrainingKey, pick))

    def at(self, end: Any) -> Any:
        """Return an end as it was drawn, an instant so far from now as the instant it is."""
        return self.clock() + end.by if isinstance(end, FromNow) else end

    @rule(step=STEPS, back=st.booleans())
    def wait(self, *, step: timedelta, back: bool) -> None:
        """Let time pass, or set the clock back."""
        self.clock.set(self.clock() + (-step if back else step))


def _counting() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"id-{next(numbers)}"


def _counting_bytes() -> Callable[[int], bytes]:
    numbers = count(1)

    def draw(size: int) -> bytes:
        return b"".join(next(numbers).to_bytes(16, "big") for _ in range(size // 16))

    return draw
