"""Rules that search, and that commit changes decided on older values."""

from collections import defaultdict
from collections.abc import Mapping
from operator import itemgetter
from typing import Any, TypeAlias

import attrs
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import rule

from course_assignments.changes import Change, Replace, Use
from course_assignments.entities.assignments import Direct, FromKey, FromSubscription
from course_assignments.entities.enums import AssignmentStatus, CompletionStatus
from course_assignments.entities.keys import TrainingKey
from course_assignments.entities.people import User
from course_assignments.queries import QUERIES, Query
from course_assignments.testing import samples, strategies
from course_assignments.testing.agreement.compared import Compared
from course_assignments.testing.agreement.rules import RECORDS, CommandRules, from_machine
from course_assignments.testing.contract.base import conflicting_ids, listed

IDS = st.sampled_from(["one", "ONE", *(f"id-{number}" for number in range(1, 6))])
CODES = st.sampled_from(["Spring-2026", "spring-2026", "Summer-2026"])
DATETIMES = st.tuples(
    st.sampled_from([-10, -1, 0, 0, 1, 10, 20, 30, 180, 300]), st.sampled_from([0, 0, 0, 1])
).map(lambda later: samples.at(24 * later[0] + later[1]))

#: Some filters of a query.
Filters: TypeAlias = dict[str, Any]

#: Values for each filter, by its name; other filters are for ids, or the limits of a window.
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "activity_id": st.just("lab"),
    "after": st.integers(0, 30),
    "archived": st.booleans(),
    "batch_ids": st.lists(IDS),
    "code": CODES,
    "codes": st.lists(CODES),
    "completion": st.lists(st.sampled_from(CompletionStatus)),
    "course_id": st.sampled_from(["py", "sql"]),
    "course_ids": st.lists(st.sampled_from(["py", "sql"])),
    "email": st.just("ADA@example.org"),
    "emails": st.lists(st.sampled_from(["ADA@example.org", "free@example.org"])),
    "learner_id": st.sampled_from(["ada", "bo", "cy", "ADA"]),
    "learner_ids": st.lists(st.sampled_from(["ada", "bo", "cy", "ADA"])),
    "name": st.sampled_from(["a", "E", "%", "_", "\\", "ada"]) | strategies.names(),
    "organization_id": st.sampled_from(["acme", "beta", "nowhere"]),
    "origin": st.sampled_from([Direct, FromKey, FromSubscription]),
    "parent_id": st.sampled_from(["acme", "beta", "nowhere"]),
    "min_uses": st.integers(1, 3),
    "redeemed": st.booleans(),
    "revoked": st.booleans(),
    "usable": st.booleans(),
}


def _filters(name: str) -> st.SearchStrategy[Filters]:
    """Generate values for the filter *name*, and for the filter that it requires."""
    if name == "status":
        return st.fixed_dictionaries({name: st.sampled_from(AssignmentStatus), "at": DATETIMES})
    if name.endswith("_from"):
        until = name.replace("_from", "_until")
        limits = st.lists(DATETIMES, min_size=2, max_size=2, unique=True).map(sorted)
        windows = limits.flatmap(
            lambda pair: st.sampled_from([(pair[0], pair[1]), (pair[0], None), (None, pair[1])])
        )
        return windows.map(lambda window: dict(zip((name, until), window, strict=True)))
    return st.fixed_dictionaries({name: VALUES.get(name, IDS)})


def _queries(kind: type[Query[Any]]) -> st.SearchStrategy[Query[Any]]:
    """Generate queries of *kind* with at most two filters."""
    names = [one.alias for one in attrs.fields(kind) if one.alias not in {"limit", "cursor", "at"}]
    filters = st.one_of(*[_filters(name) for name in names if not name.endswith("_until")])

    def query(limit: int, narrowed: list[Filters]) -> Query[Any]:
        return kind(limit=limit, **{name: one for some in narrowed for name, one in some.items()})

    return st.builds(query, st.integers(1, 4), st.lists(filters, max_size=2))


def _former(kind: type | None = None) -> st.SearchStrategy[Any]:
    """Generate latest and former values of records, of *kind* if given."""
    return _pairs(kind).map(itemgetter(0))


def _pairs(kind: type | None = None) -> st.SearchStrategy[Any]:
    """Generate two values of one record, often of a record that changed last."""

    def draw(machine: Compared) -> st.SearchStrategy[Any]:
        histories = machine.histories(kind)
        values = st.sampled_from(histories[:2]) | st.sampled_from(histories)
        return values.flatmap(
            lambda values: st.tuples(*[st.sampled_from([values[0], *values[:3]])] * 2)
        )

    return from_machine(draw)


_REPLACED = st.tuples(st.just("replace"), _pairs().map(lambda pair: Replace(*pair)))
_USED = st.tuples(
    st.just("use"), st.builds(Use, _former(TrainingKey), st.sampled_from([1, 1, -1, 2, 0]))
)
#: The steps of a change.
STEPS: st.SearchStrategy[tuple[str, Any]] = st.one_of(
    st.tuples(st.just("create"), RECORDS),
    st.tuples(st.just("create"), _former()),
    *[_REPLACED, _REPLACED, _USED, _USED],
    st.tuples(st.just("expect"), _former()),
    st.tuples(st.just("record"), strategies.events()),
)


class ChangeRules(CommandRules):
    """Search, and commit changes that may be stale."""

    @rule(queries=st.lists(st.one_of(*map(_queries, QUERIES)), min_size=3, max_size=10))
    def look(self, *, queries: list[Query[Any]]) -> None:
        """Search, and read all pages."""
        for query in queries:
            expected = listed(self.reference.repository, query)
            assert listed(self.repository, query) == expected, query

    @rule(steps=st.lists(STEPS, min_size=1, max_size=3))
    def commit(self, *, steps: list[tuple[str, Any]]) -> None:
        """Commit a change made of older and newer values of stored records."""
        change = _change(steps)
        note(repr(change))
        lost, named = (
            conflicting_ids(one.repository, change) for one in (self.reference, self.tested)
        )
        found = f"conflicts in memory {sorted(lost)}, conflicts here {sorted(named)}"
        assert bool(named) == bool(lost), f"the same changes conflict: {found}"
        assert named <= lost, f"only conflicting ids are named: {found}"
        self.compare()


def _change(steps: list[tuple[str, Any]]) -> Change:
    parts: dict[str, list[Any]] = defaultdict(list)
    written: set[object] = set()
    for verb, step in steps:
        if verb in {"create", "replace"}:
            record = step.before if isinstance(step, Replace) else step
            # Two users in one change could swap addresses, which the contract leaves open.
            name = User if isinstance(record, User) else (record.__class__, record.id)
            if name in written:
                continue
            written.add(name)
        parts[verb].append(step)
    return Change(**parts)
