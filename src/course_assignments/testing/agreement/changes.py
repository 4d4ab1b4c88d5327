"""Rules that search, and that commit changes decided on older values."""

from typing import Any

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import rule

from course_assignments.changes import Change, Event, Record, Replace, Use
from course_assignments.entities.keys import TrainingKey
from course_assignments.entities.people import User
from course_assignments.errors import Conflict
from course_assignments.queries import Query
from course_assignments.repository import Repository
from course_assignments.testing import strategies
from course_assignments.testing.agreement.queries import QUERIES
from course_assignments.testing.agreement.rules import NEWCOMERS, PROFILES, LearningRules
from course_assignments.testing.contract.base import listed

#: The number of a record, the last changed first, and of its value, the newest first.
WHICH = st.integers(0, 3) | st.integers(0, 30)
AGES = st.sampled_from([0, 0, 1, 2])
#: The steps of a change.
STEPS = st.one_of(
    st.tuples(st.just("new"), NEWCOMERS | PROFILES),
    st.tuples(st.just("again"), WHICH, AGES),
    st.tuples(st.just("replace"), WHICH, AGES, AGES),
    st.tuples(st.just("replace"), WHICH, AGES, AGES),
    st.tuples(st.just("use"), st.integers(0, 1), AGES, st.sampled_from([1, 1, -1, 2, 0])),
    st.tuples(st.just("use"), st.integers(0, 1), AGES, st.sampled_from([1, 1, -1, 2, 0])),
    st.tuples(st.just("expect"), WHICH, AGES),
    st.tuples(st.just("record"), strategies.events()),
)


class ChangeRules(LearningRules):
    """Search, and commit changes that may be stale."""

    @rule(queries=st.lists(QUERIES, min_size=3, max_size=10))
    def look(self, *, queries: list[Query[Any]]) -> None:
        """Search, and read all pages."""
        for query in queries:
            expected = listed(self.reference.repository, query)
            assert listed(self.repository, query) == expected, query

    @rule(steps=st.lists(STEPS, min_size=1, max_size=3))
    def commit(self, *, steps: list[tuple[Any, ...]]) -> None:
        """Commit a change made of older and newer values of stored records."""
        change = self._change(steps)
        note(repr(change))
        lost, named = (_lost(one.repository, change) for one in (self.reference, self.tested))
        found = f"conflicts in memory {sorted(lost)}, conflicts here {sorted(named)}"
        assert bool(named) == bool(lost), f"the same changes conflict: {found}"
        assert named <= lost, f"only conflicting ids are named: {found}"
        self.compare()

    def _change(self, steps: list[tuple[Any, ...]]) -> Change:
        writes: dict[object, Record | Replace] = {}
        uses: list[Use] = []
        expected: list[Record] = []
        events: list[Event] = []
        for verb, *what in steps:
            match verb:
                case "new":
                    writes.setdefault(_key(what[0]), what[0])
                case "again":
                    record = self._value(*what)
                    writes.setdefault(_key(record), record)
                case "replace":
                    which, before, after = what
                    step = Replace(self._value(which, before), self._value(which, after))
                    writes.setdefault(_key(step.before), step)
                case "use":
                    which, age, by = what
                    uses.append(Use(self._value(which, age, TrainingKey), by))
                case "expect":
                    expected.append(self._value(*what))
                case _:
                    events += what
        return Change(
            create=[one for one in writes.values() if not isinstance(one, Replace)],
            replace=[one for one in writes.values() if isinstance(one, Replace)],
            use=uses,
            expect=expected,
            record=events,
        )

    def _value(self, which: int, age: int, kind: type | None = None) -> Any:
        """Return a current or former value of a record, optionally of *kind*."""
        names = [name for name in self.versions if kind in {None, name[0]}]
        versions = self.versions[names[-1 - which % len(names)]]
        return versions[-1 - min(age, len(versions) - 1)]


def _key(record: Record) -> object:
    """Return a key that each step of a change needs for itself.

    It is the kind and the id, but for users only the kind. Two users in one change could swap their
    addresses, which the contract leaves open.
    """
    return User if isinstance(record, User) else (record.__class__, record.id)


def _lost(repository: Repository, change: Change) -> set[str]:
    """Commit *change*, and return the conflicting ids, if any."""
    try:
        repository.commit(change)
    except Conflict as conflict:
        return {*conflict.ids}
    return set()
