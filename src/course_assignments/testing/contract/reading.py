"""The contract of `get`, and of the positions of events."""

import attrs
import pytest

from course_assignments.changes import Change, Replace
from course_assignments.entities.catalog import Course
from course_assignments.entities.keys import TrainingKey
from course_assignments.entities.people import User
from course_assignments.errors import Conflict
from course_assignments.queries import EventQuery
from course_assignments.repository import Repository
from course_assignments.testing import samples
from course_assignments.testing.contract.base import Examples, exactly, listed, store

#: Strings that cannot be the id of a stored record.
ODD_IDS = ("", " ", "\x00", "py\x00", "\ud800", "'; --", "%", "_", "p_", "\\", "y" * 10_000)


class Getting(Examples):
    """`get` returns the records of a kind by their ids."""

    def test_unknown_ids_are_left_out(self, repository: Repository) -> None:
        """Repeated ids are returned once."""
        assert repository.get(Course, ["py"]) == {}
        store(repository)
        found = repository.get(Course, ["sql", "nothing", "py", "sql"])
        assert found == {"sql": samples.SQL, "py": samples.PYTHON}
        assert repository.get(Course, []) == {}
        assert repository.get(User, ["py"]) == {}

    def test_ids_may_be_any_iterable(self, repository: Repository) -> None:
        """An iterator is enough."""
        store(repository)
        assert repository.get(Course, iter(["py"])) == {"py": samples.PYTHON}

    def test_under_odd_ids_nothing_is_found(self, repository: Repository) -> None:
        """They are not an error, and do not affect other ids."""
        store(repository)
        for kind in {type(one) for one in samples.RECORDS}:
            assert repository.get(kind, ODD_IDS) == {}
        assert repository.get(Course, [*ODD_IDS, "py"]) == {"py": samples.PYTHON}

    def test_many_ids_may_be_asked_for_at_once(self, repository: Repository) -> None:
        """One command can look up 100,000 keys."""
        store(repository)
        many = (f"Not-there-{place}" for place in range(100_000))
        found = repository.get(TrainingKey, [samples.SPRING.id, *many, samples.SMALL.id])
        assert found == {samples.SPRING.id: samples.SPRING, samples.SMALL.id: samples.SMALL}

    def test_what_was_read_is_a_snapshot(self, repository: Repository) -> None:
        """Later commits do not change the result, and changing the result stores nothing."""
        store(repository)
        found = repository.get(Course, ["py"])
        renamed = attrs.evolve(samples.PYTHON, name="Snakes")
        repository.commit(Change(replace=[Replace(samples.PYTHON, renamed)]))
        later = repository.get(Course, ["py"])
        assert found == {"py": samples.PYTHON}
        found.clear()
        assert later == repository.get(Course, ["py"]) == {"py": renamed}


class Numbering(Examples):
    """``record`` appends the events, each with the next position, from 1 on."""

    def test_events_are_numbered_from_one_without_a_gap(self, repository: Repository) -> None:
        """A change that conflicts does not use a position."""
        store(repository)
        repository.commit(Change(record=samples.EVENTS[:2]))
        with pytest.raises(Conflict):
            repository.commit(Change(create=[samples.ADA], record=samples.EVENTS))
        repository.commit(Change(expect=[samples.ADA]))
        repository.commit(Change(record=samples.EVENTS[2:]))
        assert exactly(tuple(listed(repository, EventQuery()))) == exactly(
            tuple(
                attrs.evolve(event, position=position)
                for position, event in enumerate(samples.EVENTS, start=1)
            )
        )

    def test_a_position_that_an_event_brings_does_not_count(self, repository: Repository) -> None:
        """The repository replaces the position."""
        brought = [attrs.evolve(event, position=99) for event in samples.EVENTS]
        repository.commit(Change(record=brought))
        found = listed(repository, EventQuery())
        assert [event.position for event in found] == [1, 2, 3, 4, 5]

    def test_events_after_a_position_are_read_from_there(self, repository: Repository) -> None:
        """Pages of any size work, and there is nothing after the last event."""
        repository.commit(Change(record=samples.EVENTS))
        for after, positions in ((0, [1, 2, 3, 4, 5]), (2, [3, 4, 5]), (5, []), (99, [])):
            for limit in (1, 2, 5):
                found = listed(repository, EventQuery(after=after, limit=limit))
                assert [event.position for event in found] == positions
