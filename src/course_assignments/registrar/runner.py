"""Execution of commands: read, decide, commit, and retry after a conflict."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from os import urandom
from secrets import token_bytes
from time import monotonic
from typing import Any, TypeVar

import attrs

from course_assignments import validation
from course_assignments.changes import R
from course_assignments.commands.base import Command, Context, Outcome
from course_assignments.commands.reader import Reader
from course_assignments.decisions import Decision, Refused
from course_assignments.entities.codes import RandomBytes
from course_assignments.entities.people import User
from course_assignments.errors import Conflict, CourseAssignmentsError, NotFound, invalid
from course_assignments.memory import InMemoryRepository
from course_assignments.policies import DEFAULT_POLICIES, Policies
from course_assignments.queries import Query, RecordT
from course_assignments.reasons import ForAssignment, Reason
from course_assignments.repository import Repository, check_repository, find_all
from course_assignments.time.clocks import Clock, system_clock
from course_assignments.time.datetimes import as_utc

T = TypeVar("T")

#: How long a command is retried after conflicts, by default.
TIMEOUT = timedelta(seconds=30)


def _new_id() -> str:
    return urandom(16).hex()


class Runner:
    """Execute commands on a repository, with policies and a clock."""

    def __init__(
        self,
        repository: Repository | None = None,
        *,
        policies: Policies = DEFAULT_POLICIES,
        clock: Clock = system_clock,
        new_id: Callable[[], str] = _new_id,
        random_bytes: RandomBytes = token_bytes,
        timeout: timedelta = TIMEOUT,
        stopwatch: Callable[[], float] = monotonic,
    ) -> None:
        """Store records in *repository*, or in memory."""
        validation.check_kind(policies, "policies", Policies)
        sources = {"clock": clock, "new_id": new_id, "random_bytes": random_bytes}
        for name, source in {**sources, "stopwatch": stopwatch}.items():
            if not callable(source):
                raise invalid("not_callable", name, "expected a function", source)
        if repository is not None:
            check_repository(repository)
        self._repository = InMemoryRepository() if repository is None else repository
        self._policies = policies
        self._clock = clock
        self._new_id = new_id
        self._random_bytes = random_bytes
        self._timeout = validation.check_timeout(timeout)
        self._stopwatch = stopwatch

    @property
    def repository(self) -> Repository:
        """Where the records are stored."""
        return self._repository

    @property
    def policies(self) -> Policies:
        """The rules."""
        return self._policies

    @property
    def clock(self) -> Clock:
        """Returns the current time."""
        return self._clock

    def get(self, kind: type[R], id: str) -> R:
        """Return the record of *kind* that is stored under *id*.

        Raises:
            NotFound: no record of *kind* has this id.

        >>> registrar.get(Course, "py").name
        'Python'
        """
        wanted = validation.check_id(id, "id")
        record = self._repository.get(kind, [wanted]).get(wanted)
        if record is None:
            raise NotFound(kind.__name__, wanted)
        return record

    def find_all(self, query: Query[RecordT]) -> Iterator[RecordT]:
        """Iterate over all records that *query* finds, in its order.

        >>> [course.id for course in registrar.find_all(CourseQuery())]
        ['py', 'sql']
        """
        return find_all(self._repository, query)

    def execute(self, command: Command[Any, T]) -> T:
        """Execute *command*: read, decide and commit, until it succeeds or is refused.

        The method of the same name does the same. Use `execute` for commands that you store as
        values, for example in a queue.

        >>> registrar.execute(commands.Assign("py", "ada")).learner_id
        'ada'
        """
        validation.check_kind(command, "command", Command)
        issued_ids: set[str] = set()
        give_up_at = self._stopwatch() + self._timeout
        while True:
            outcome = self._decide_stably(command, issued_ids, give_up_at, asking=False)
            if not outcome.change:
                return outcome.result
            try:
                self._repository.commit(outcome.change)
            except Conflict:
                if self._stopwatch() >= give_up_at:
                    raise
            else:
                return outcome.result

    def check(self, command: Command[Any, Any]) -> Decision:
        """Return whether *command* is allowed now; nothing is stored.

        A command that was executed before under the same id is allowed.

        >>> registrar.check(commands.Assign("py", "ada")).allowed
        True
        """
        validation.check_kind(command, "command", Command)
        give_up_at = self._stopwatch() + self._timeout
        try:
            return self._decide_stably(command, set(), give_up_at, asking=True).decision
        except Refused as refused:
            return refused.decision

    def _plan(self, command: Command[Any, T], reader: Reader) -> Outcome[T]:
        """Read and decide once."""
        at = as_utc(self._clock(), "clock")
        existing = command.existing(reader)
        if existing is not None:
            return Outcome(existing)
        # The first read that needs a record names an unknown actor too, and ends there.
        actors = {} if command.by is None else reader.named(User, (command.by,))
        records = command.read(reader)
        reader.require_named()
        context = Context(at, self._policies, actors.get(command.by or ""))
        return command.decide(records, context)

    def _decide_stably(
        self, command: Command[Any, T], issued_ids: set[str], give_up_at: float, *, asking: bool
    ) -> Outcome[T]:
        """Decide *command*, and repeat an answer that writes nothing until it is stable.

        The reads of one try are not one snapshot. If another command commits between two reads,
        they can show a state that never existed. A commit checks a change, but nothing checks an
        answer without a change, such as a refusal. So such an answer must be the same twice in a
        row. At *give_up_at* the last answer is returned.
        """
        last: object = None
        while True:
            reader = Reader(
                repository=self._repository,
                policies=self._policies,
                id_source=self._new_id,
                random_bytes=self._random_bytes,
                issued_ids={*issued_ids},
            )
            late = last is not None and self._stopwatch() >= give_up_at
            try:
                outcome = self._plan(command, reader)
            except (Refused, NotFound, Conflict) as no:
                if late or _stable_part(no) == last:
                    raise
                last = _stable_part(no)
            else:
                answer = outcome.decision if asking else outcome
                if (outcome.change and not asking) or late or _stable_part(answer) == last:
                    issued_ids.update(reader.issued_ids)
                    return outcome
                last = _stable_part(answer)


def _stable_part(answer: CourseAssignmentsError | Outcome[Any] | Decision) -> object:
    """Return the part of *answer* that does not change with the clock."""
    if isinstance(answer, Refused):
        answer = answer.decision
    if isinstance(answer, Decision):
        return tuple(map(_reason_key, answer.reasons))
    return (answer.result,) if isinstance(answer, Outcome) else answer


def _reason_key(reason: Reason) -> object:
    """Return the code, the ids and the lists of *reason*.

    Other facts may change with the clock, or each time when somebody uses a key.
    """
    if isinstance(reason, ForAssignment):
        return reason.course_id, reason.learner_id, _reason_key(reason.reason)

    def is_stable(field: "attrs.Attribute[object]", value: object) -> bool:
        return field.name.endswith("_id") or isinstance(value, tuple)

    return reason.code, *attrs.asdict(reason, recurse=False, filter=is_stable).values()
