"""Two registrars to compare: one in memory, and one on the tested repository.

Both use the same clock, ids and codes, so they must return and store the same.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from course_assignments.changes import Event
from course_assignments.entities.enums import Repeat
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
from course_assignments.testing.samples import DAY, HOUR, START
from course_assignments.time.clocks import ManualClock
from course_assignments.time.datetimes import TICK

#: The records that both start with.
RECORDS = (*samples.WORLD, samples.SALES, samples.LESSONS)
STEPS = st.sampled_from([TICK, HOUR, HOUR, HOUR, DAY, DAY + TICK, 10 * DAY, 200 * DAY])


def outcome(call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Return the result of *call*, or the error it raised, in a comparable form."""
    try:
        result = call(*args, **kwargs)
        return exactly([*result] if hasattr(result, "__next__") else result)
    except Conflict as error:
        return Conflict, error.code  # a repository need not name all of several lost ids
    except CourseAssignmentsError as error:
        return type(error), exactly(error.args)


class Compared(RuleBasedStateMachine):
    """Call everything twice, and compare the results."""

    clock: ManualClock
    repository: Repository
    reference: Registrar
    tested: Registrar
    #: The records that both store, by the names of their classes.
    seen: dict[str, list[Any]]
    #: Every value that a record has had, oldest first; the record that changed last comes last.
    versions: dict[tuple[type, str], list[Any]]

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
                new_id=samples.counting(),
                random_bytes=samples.counting_bytes(),
                timeout=timedelta(0),  # nobody else writes, so nothing has to be retried
            )
            for repository in (InMemoryRepository(), self.repository)
        )
        self.versions = {}
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
        note(f"{self.clock().isoformat()} {name} {args} {kwargs}")
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
                name = record.__class__, getattr(record, "id", "")
                versions = self.versions.get(name, [])
                if versions[-1:] != [record] and not isinstance(record, Event):
                    self.versions.pop(name, None)
                    self.versions[name] = [*versions, record]

    def histories(self, kind: type | None = None) -> list[list[Any]]:
        """Return all values of each record, of *kind* if given, the latest first."""
        changed_last = reversed(self.versions.items())
        return [values[::-1] for (one, _), values in changed_last if kind in {None, one}]

    @rule(step=STEPS, back=st.booleans())
    def wait(self, *, step: timedelta, back: bool) -> None:
        """Move the clock forward or back."""
        self.clock.set(self.clock() + (-step if back else step))
