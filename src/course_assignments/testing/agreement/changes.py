"""Rules that commit what no command would: changes that were decided on older values."""

from typing import Any

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import rule

from course_assignments.changes import Change, Record, Replace, Use
from course_assignments.errors import Conflict
from course_assignments.keys import TrainingKey
from course_assignments.people import User
from course_assignments.queries import Query
from course_assignments.repository import Repository
from course_assignments.testing.agreement.lessons import Lessons
from course_assignments.testing.agreement.questions import QUERIES
from course_assignments.testing.agreement.rosters import PROFILES
from course_assignments.testing.promises.base import listed
from course_assignments.testing.stock import EVENTS

#: Which record, the one that was stored last for 0, and which of its values, the last for 0.
WHICH = st.integers(0, 30)
AGES = st.sampled_from([0, 0, 0, 1, 2])


class Changes(Lessons):
    """Searches, and commits changes that may be stale."""

    @rule(query=QUERIES)
    def look(self, *, query: Query[Any]) -> None:
        """Search, and read all pages."""
        expected = listed(self.reference.repository, query)
        assert listed(self.repository, query) == expected, query

    @rule(
        new=st.lists(PROFILES, max_size=1),
        again=st.lists(st.tuples(WHICH, AGES), max_size=1),
        replaced=st.lists(st.tuples(WHICH, AGES, AGES), max_size=2),
        used=st.lists(st.tuples(WHICH, AGES, st.integers(-2, 2)), max_size=2),
        expected=st.lists(st.tuples(WHICH, AGES), max_size=2),
        events=st.integers(0, 2),
    )
    def commit(
        self,
        *,
        new: list[Any],
        again: list[tuple[int, int]],
        replaced: list[tuple[int, int, int]],
        used: list[tuple[int, int, int]],
        expected: list[tuple[int, int]],
        events: int,
    ) -> None:
        """Commit a change made of older and newer values of what is there."""
        created: dict[object, Record] = {}
        for record in [*new, *(self._value(*one) for one in again)]:
            created.setdefault(_place(record), record)
        steps: dict[object, Replace] = {}
        for at, before, after in replaced:
            step = Replace(self._value(at, before), self._value(at, after))
            if _place(step.before) not in created:
                steps.setdefault(_place(step.before), step)
        change = Change(
            create=created.values(),
            replace=steps.values(),
            use=[Use(key, by) for at, age, by in used for key in self._key(at, age)],
            expect=[self._value(*one) for one in expected],
            record=EVENTS[:events],
        )
        note(repr(change))
        lost, named = (_lost(office.repository, change) for office in (self.reference, self.tested))
        assert bool(named) == bool(lost), "the same changes are lost"
        assert named <= lost, "what was lost is named, and nothing else"
        self.compare()

    def _value(self, at: int, age: int) -> Any:
        """Return a value that a record has or has had."""
        names = list(self.versions)
        return self._aged(*names[-1 - at % len(names)], age)

    def _key(self, at: int, age: int) -> list[TrainingKey]:
        """Return a value that a key has or has had, if there is any key."""
        keys = self.seen["TrainingKey"]
        codes = [key.code for key in keys[at % max(1, len(keys)) :][:1]]
        return [self._aged(TrainingKey, code, age) for code in codes]

    def _aged(self, kind: type, id_: str, age: int) -> Any:
        versions = self.versions[kind, id_]
        return versions[-1 - min(age, len(versions) - 1)]


def _place(record: Record) -> object:
    """Return what no two steps of a change may share: its id, and for users that they are users.

    What becomes of two users who swap their addresses in one change is not promised.
    """
    return User if isinstance(record, User) else (type(record), record.id)


def _lost(repository: Repository, change: Change) -> set[str]:
    """Commit *change*, and return the ids that its conflict names, none if there is no conflict."""
    try:
        repository.commit(change)
    except Conflict as conflict:
        return {*conflict.ids}
    return set()
