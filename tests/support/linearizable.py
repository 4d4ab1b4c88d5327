"""Check that a history is linearizable: that one after the other, the commands have done the same.

The sequential model is the commands themselves, one at a time, on plain dictionaries. A history is
linearizable if there is an order of its operations in which the model gives each of them the same
answer and ends with the same records and events, and in which no operation comes before one that
had ended when it began. The search is that of Wing and Gong, with the memory of Lowe.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Any, NoReturn, TypeAlias, TypeVar

import attrs

import course_assignments as ca
from course_assignments import commands
from course_assignments.changes import KINDS, UNIQUE, R
from course_assignments.commands import Command, Context, Reader
from course_assignments.queries import RecordT
from tests.support.histories import History, Operation, seen, told, unnumbered
from tests.support.history_commands import POLICIES, WORLD, Look

T = TypeVar("T")

#: All batches at one moment.
Batches: TypeAlias = tuple[ca.KeyBatch, ...]


@attrs.frozen(eq=False)
class State:
    """Everything that is stored at one moment; it never changes.

    Attributes:
        digest: A number that equal states share, whatever the order of their events.
    """

    records: Mapping[type, Mapping[str, Any]]
    events: tuple[ca.Event, ...] = ()
    digest: int = 0

    def get(self, kind: type[R], ids: Iterable[str], /) -> dict[str, R]:
        stored = self.records[kind]
        return {one: stored[one] for one in ids if one in stored}

    def find(self, query: ca.Query[RecordT], /) -> ca.Page[RecordT]:
        if query.kind is ca.Event:
            events: Any = self.events
            return ca.Page(events)
        found = sorted(filter(query.matches, self.records[query.kind].values()), key=query.sort_key)
        return ca.Page(found[: query.limit])  # no command looks for more than a page

    def commit(self, change: ca.Change, /) -> NoReturn:
        raise NotImplementedError

    def with_records(self, kind: type, records: Mapping[str, Any]) -> "State":
        """Return this state with other *records* of *kind*."""
        return attrs.evolve(self, records={**self.records, kind: records})

    def after(self, change: ca.Change) -> "State":
        """Return the state after *change*; without others it meets no conflict."""
        assert all(self.stored(one) == one for one in change.expect)
        state = self
        for one in change.create:
            assert state.stored(one) is None
            state = state.with_record(one)
        for replace in change.replace:
            state = state.with_record(replace.of(state.stored(replace.before)))
        for amend in change.amend:
            for key in state.records[ca.TrainingKey].values():
                if key.batch_id == amend.batch_id:
                    state = state.with_record(amend.of(key))
        for use in change.use:
            state = state.with_record(use.of(state.stored(use.key)))
        for kind, name in UNIQUE.items():
            values = [getattr(one, name) for one in state.records[kind].values()]
            assert len({*values}) == len(values)
        digest = state.digest + sum(map(hash, change.record))
        return State(state.records, (*self.events, *change.record), digest)

    def stored(self, record: ca.Record) -> Any:
        return self.records[type(record)].get(record.id)

    def with_record(self, record: ca.Record | None) -> "State":
        assert record is not None
        stored = self.stored(record)
        digest = self.digest + hash(record) - (0 if stored is None else hash(stored))
        kind = type(record)
        return attrs.evolve(
            self.with_records(kind, {**self.records[kind], record.id: record}), digest=digest
        )


EMPTY = State({kind: {} for kind in KINDS})
BEGIN = EMPTY.after(ca.Change(create=WORLD))


def attempt(
    command: Command[Any, Any],
    repository: ca.Repository,
    clock: Callable[[], Any],
    new_id: Callable[[], str],
) -> tuple[Any, ca.Change]:
    """Read and decide *command* once; return its result and its change."""
    context_at = clock()
    reader = Reader(
        repository=repository,
        policies=POLICIES,
        id_source=new_id,
        random_bytes=bytes,
        issued_ids=set(),
    )
    existing = command.existing(reader)
    if existing is not None:
        return existing, ca.Change()
    actor = None if command.by is None else reader.need(ca.User, command.by)
    context = Context(context_at, POLICIES, actor)
    outcome = command.decide(command.read(reader), context)
    return outcome.result, outcome.change


def _ids_of(operation: Operation) -> Iterator[str]:
    """Give the ids that were issued, and others if the model needs more."""
    yield from operation.ids
    for number in count():
        yield f"other-{operation.invoked}-{number}"


def _may_overtake(operation: Operation) -> bool:
    """Return whether *operation* may be decided on a batch as it was earlier in the call.

    A redemption that is decided before an edit of its batch may be stored just after the edit.
    """
    redeems = isinstance(operation.step, commands.Redeem | commands.Register)
    return redeems and isinstance(operation.result, ca.CourseAssignment)


def next_states(
    state: State, operation: Operation, batches: Iterable[Batches] = ()
) -> Iterator[State]:
    """Give the states after *operation*, if the model gives the same answer.

    Args:
        batches: Batches of an earlier state, one of which a redemption may have been decided on.
    """
    step = operation.step
    if isinstance(step, Look):
        if seen(step, state.find(step.query)) == operation.result:
            yield state
        return
    current = state.records[ca.KeyBatch]
    for one in batches if _may_overtake(operation) else [tuple(current.values())]:
        earlier = {batch.id: batch for batch in one}
        read = state if earlier == current else state.with_records(ca.KeyBatch, earlier)
        result, then = answer(read, state, operation)
        if result == operation.result:
            yield then


def answer(read: State, state: State, operation: Operation) -> tuple[object, State]:
    """Return what the model answers from what it has *read*, and what becomes of *state*."""
    command: Any = operation.step
    try:
        result, change = attempt(command, read, lambda: operation.at, _ids_of(operation).__next__)
        return told(result), state.after(change)
    except ca.CourseAssignmentsError as error:
        return told(error), state


@attrs.define
class Search:
    """The search for an order of the operations of one history.

    Attributes:
        steps: How often the model was asked.
        longest: The longest order that the model agreed with.
    """

    history: History
    steps: int = 0
    longest: tuple[Operation, ...] = ()
    _path: list[Operation] = attrs.field(factory=list)
    _failed: set[object] = attrs.field(factory=set)

    def order(self) -> tuple[Operation, ...] | None:
        """Return an order in which the model agrees, or ``None``."""
        threads = len(self.history.threads)
        found = self._complete(BEGIN, (0,) * threads, (frozenset(),) * threads)
        return tuple(self._path) if found else None

    def report(self) -> str:
        """Return what the threads were told after the longest order that the model agreed with."""
        lines = [f"the model agrees with {len(self.longest)} operations; then come"]
        for operations in self.history.threads:
            lines += [repr(one) for one in operations if one not in self.longest][:1]
        return "\n".join(lines)

    def _complete(
        self, state: State, done: tuple[int, ...], seen: tuple[frozenset[Batches], ...]
    ) -> bool:
        """Return whether the operations after those that are *done* can follow from *state*.

        Args:
            seen: The batches that the next operation of each thread can have read.
        """
        if len(self._path) > len(self.longest):
            self.longest = tuple(self._path)
        following = [
            operations[number]
            for operations, number in zip(self.history.threads, done, strict=True)
            if number < len(operations)
        ]
        if not following:
            return self._ends_in(state)
        first_end = min(one.returned for one in following)
        candidates = [one for one in following if one.invoked < first_end]
        batches = tuple(state.records[ca.KeyBatch].values())
        for one in filter(_may_overtake, candidates):
            seen = _replaced(seen, one.thread, seen[one.thread] | {batches})
        node = (done, seen, state.digest)
        if node in self._failed:
            return False
        for one in sorted(candidates, key=lambda one: one.effect):  # the likely ones first
            self.steps += 1
            for then in next_states(state, one, seen[one.thread]):
                self._path.append(one)
                then_done = _replaced(done, one.thread, done[one.thread] + 1)
                if self._complete(then, then_done, _replaced(seen, one.thread, frozenset())):
                    return True
                self._path.pop()
        self._failed.add(node)
        return False

    def _ends_in(self, state: State) -> bool:
        recorded = Counter(map(unnumbered, self.history.events))
        return state.records == self.history.contents and Counter(state.events) == recorded


def _replaced(values: tuple[T, ...], position: int, value: T) -> tuple[T, ...]:
    return (*values[:position], value, *values[position + 1 :])
