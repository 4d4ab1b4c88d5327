"""Two registrars to compare: one in memory, and one on the tested repository.

Both use the same clock, ids and codes, so they must return and store the same.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from course_assignments.changes import Event, Record
from course_assignments.entities.enums import Repeat
from course_assignments.entities.keys import TrainingKey
from course_assignments.errors import Conflict, CourseAssignmentsError
from course_assignments.memory import InMemoryRepository
from course_assignments.policies import Policies
from course_assignments.policies.cancellation import CancellationPolicy
from course_assignments.policies.redemption import KeyRedemptionPolicy
from course_assignments.policies.repetition import RepeatPolicy
from course_assignments.registrar import Registrar
from course_assignments.repository import Repository
from course_assignments.testing import samples
from course_assignments.testing.contract.base import contents, exactly
from course_assignments.testing.samples import DAY, HOUR, START, counting, counting_bytes
from course_assignments.time.clocks import ManualClock
from course_assignments.time.datetimes import TICK
from course_assignments.time.durations import Months

#: The records that both start with.
RECORDS = (*samples.WORLD, samples.SALES, samples.LESSONS)


@attrs.frozen
class FromNow:
    """A datetime as its distance from now, because strategies do not know the clock."""

    by: timedelta


COURSES = st.sampled_from(["py"] * 4 + ["lessons"] * 2 + ["sql"] * 2 + ["nothing"])
LEARNERS = st.sampled_from(["ada"] * 5 + ["bo"] * 4 + ["cy", "manager", "nobody"])
ACTORS = st.sampled_from([None] * 8 + ["manager", "manager", "sales", "support", "ada", "nobody"])
IDS = st.sampled_from([None] * 5 + ["one", "two", "\N{SNOWMAN} three"])
#: The number of a record, the last changed first; `NOTHING` selects an unknown record.
NOTHING = 9
PICKS = st.integers(0, NOTHING)
STEPS = st.sampled_from([TICK, HOUR, HOUR, HOUR, DAY, DAY + TICK, 10 * DAY, 200 * DAY])
TERMS = st.sampled_from([TICK, DAY, 30 * DAY, 300 * DAY, Months(1), Months(6)])
#: Ends: durations, or datetimes at a distance from now.
GIVEN_ENDS = TERMS | st.sampled_from([-DAY, timedelta(0), DAY, 20 * DAY]).map(FromNow)
ENDS = st.none() | GIVEN_ENDS


def outcome(call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Return the result of *call*, or the error it raised, in a comparable form."""
    try:
        return exactly(call(*args, **kwargs))
    except Conflict as error:
        return Conflict, error.code  # a repository need not name all of several lost ids
    except CourseAssignmentsError as error:
        return type(error), exactly(error.args)


class Compared(RuleBasedStateMachine):
    """Call everything twice, and compare the results."""

    def make(self) -> Repository:
        """Return a new, empty repository."""
        raise NotImplementedError

    @initialize(
        restores=st.booleans(),
        once=st.sampled_from([True, True, False]),
        repeat=st.sampled_from(Repeat),
    )
    def start_registrars(self, *, restores: bool, once: bool, repeat: Repeat) -> None:
        """Create both registrars with the same policies and a few records."""
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
                new_id=counting(),
                random_bytes=counting_bytes(),
                timeout=timedelta(0),  # nobody else writes, so nothing has to be retried
            )
            for repository in (InMemoryRepository(), self.repository)
        )
        #: Every value that a record has had, oldest first.
        self.versions: dict[tuple[type, str], list[Record]] = {}
        self.do("add", *RECORDS)
        self.do("assign", "py", "ada")
        self.do("subscribe", ["py", "sql"], "bo", duration=300 * DAY)
        self.do(
            "create_keys",
            "py",
            name="First",
            organization_id="acme",
            availability=20 * DAY,
            max_uses=3,
            any_organization=True,
            codes=["First-2026"],
            generate=1,
        )

    def do(self, name: str, /, *args: Any, **kwargs: Any) -> None:
        """Call the ``may_`` method and the command on both registrars."""
        shown = ", ".join([*map(repr, args), *(f"{key}={one!r}" for key, one in kwargs.items())])
        note(f"{self.clock().isoformat()} {name}({shown})")
        for call in (f"may_{name}", name):
            expected, found = (
                outcome(getattr(registrar, call), args, kwargs)
                for registrar in (self.reference, self.tested)
            )
            assert found == expected, f"{call} returns the same"
        self.compare()

    def compare(self) -> None:
        """Check that both store the same."""
        self.seen = contents(self.reference.repository)
        found = contents(self.repository)
        for kind, expected in self.seen.items():
            assert found[kind] == expected, f"the same {kind} records are stored"
        for records in self.seen.values():
            for record in records:
                self._remember(record)

    def _remember(self, record: Any) -> None:
        if not isinstance(record, Event):
            name = record.__class__, record.id
            versions = self.versions.get(name, [])
            if versions[-1:] != [record]:
                # The record that changed last comes last.
                self.versions.pop(name, None)
                self.versions[name] = [*versions, record]

    def pick(self, kind: type, pick: int) -> str:
        """Return the id of a record of *kind*, or an unknown id; 0 is the last changed."""
        ids = [id_ for stored, id_ in self.versions if stored is kind]
        return ids[-1 - pick % len(ids)] if ids and pick != NOTHING else "nothing-there"

    def code(self, pick: int, typed: Callable[[str], str] = str) -> str:
        """Return the code of a key, changed by *typed*."""
        id_ = self.pick(TrainingKey, pick)
        codes = (
            key.code
            for key in self.versions.get((TrainingKey, id_), ())
            if isinstance(key, TrainingKey)
        )
        return typed(next(codes, id_))

    def at(self, end: Any) -> Any:
        """Return *end*; a distance from now becomes a datetime."""
        return self.clock() + end.by if isinstance(end, FromNow) else end

    @rule(step=STEPS, back=st.booleans())
    def wait(self, *, step: timedelta, back: bool) -> None:
        """Move the clock forward or back."""
        self.clock.set(self.clock() + (-step if back else step))
