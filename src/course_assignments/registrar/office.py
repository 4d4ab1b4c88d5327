"""How every command is carried out: read, decide, commit, and again if someone else was faster."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from inspect import signature
from secrets import token_bytes, token_hex
from time import monotonic
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

import attrs

from course_assignments import validation
from course_assignments.changes import Change
from course_assignments.decisions import Decision, Refused
from course_assignments.entities.codes import RandomBytes
from course_assignments.errors import Conflict, CourseAssignmentsError, InvalidInput, NotFound
from course_assignments.memory import InMemoryRepository
from course_assignments.policies import DOCUMENTED, Policies
from course_assignments.reasons import ForAssignment, Reason
from course_assignments.registrar.desk import Desk
from course_assignments.repository import Repository, check_repository
from course_assignments.time.clocks import Clock, system_clock
from course_assignments.time.datetimes import as_utc

P = ParamSpec("P")
T = TypeVar("T")
AnyOffice = TypeVar("AnyOffice", bound="Office")

#: How long a command tries again while others are faster.
TIMEOUT = timedelta(seconds=30)


@attrs.frozen
class Outcome(Generic[T]):
    """What one try came to: the answer for the caller, and the change that makes it true."""

    result: T
    change: Change = Change()


def _new_id() -> str:
    return token_hex(16)


class Office:
    """Reads the clock once for each try, lets a plan decide, and commits its change."""

    def __init__(
        self,
        repository: Repository | None = None,
        *,
        policies: Policies = DOCUMENTED,
        clock: Clock = system_clock,
        new_id: Callable[[], str] = _new_id,
        random_bytes: RandomBytes = token_bytes,
        timeout: timedelta = TIMEOUT,
    ) -> None:
        """Open for business, in memory unless a *repository* is given."""
        validation.check_kind(policies, "policies", Policies)
        for name, source in (("clock", clock), ("new_id", new_id), ("random_bytes", random_bytes)):
            if not callable(source):
                raise InvalidInput("not_callable", name, "expected a function")
        validation.check_kind(timeout, "timeout", timedelta)
        if repository is not None:
            check_repository(repository)
        self._repository = InMemoryRepository() if repository is None else repository
        self._policies = policies
        self._clock = clock
        self._new_id = new_id
        self._random_bytes = random_bytes
        self._patience = timeout.total_seconds()

    @property
    def repository(self) -> Repository:
        """Where the records are kept."""
        return self._repository

    def _desk(self, drawn: set[str]) -> Desk:
        return Desk(
            at=as_utc(self._clock(), "clock"),
            policies=self._policies,
            repository=self._repository,
            id_source=self._new_id,
            random_bytes=self._random_bytes,
            drawn=drawn,
        )

    def _carry_out(self, plan: Callable[[Desk], Outcome[T]]) -> T:
        """Read, decide and commit what *plan* says, until it succeeds or is refused.

        Raises:
            Conflict: others were faster for longer than the timeout lasts.
        """
        drawn: set[str] = set()
        give_up_at = monotonic() + self._patience
        while True:
            outcome = self._settled(plan, drawn, give_up_at)
            if not outcome.change:
                return outcome.result
            try:
                self._repository.commit(outcome.change)
            except Conflict:
                if monotonic() >= give_up_at:
                    raise
            else:
                return outcome.result

    def _ask(self, plan: Callable[[Desk], Outcome[T]]) -> Decision:
        """Return whether *plan* would be allowed now; nothing is committed."""
        give_up_at = monotonic() + self._patience
        try:
            # No commit checks this yes, so it is an answer like any other.
            return self._settled(
                lambda desk: Outcome(plan(desk).change.decision), set(), give_up_at
            ).result
        except Refused as refused:
            return refused.decision

    def _settled(
        self, plan: Callable[[Desk], Outcome[T]], drawn: set[str], give_up_at: float
    ) -> Outcome[T]:
        """Return what *plan* comes to: a change to commit, or an answer that is read twice.

        The readings of one try are not one snapshot. If another command is stored between them,
        what they add up to may be a state that never was. A change is checked when it is
        committed; an answer that writes nothing, above all a no, is believed only when it is read
        twice in a row, or when it still changes with every reading at *give_up_at*.

        Raises:
            Refused, NotFound, Conflict: the plan raises as much twice.
        """
        last: object = None
        while True:
            desk = self._desk(set(drawn))
            late = last is not None and monotonic() >= give_up_at
            try:
                outcome = plan(desk)
            except (Refused, NotFound, Conflict) as no:
                if late or _gist(no) == last:
                    raise
                last = _gist(no)
            else:
                if outcome.change or late or _gist(outcome) == last:
                    drawn.update(desk.drawn)
                    return outcome
                last = _gist(outcome)


def _gist(answer: CourseAssignmentsError | Outcome[Any]) -> object:
    """Return what of *answer* does not move with the clock."""
    said: object = answer.decision if isinstance(answer, Refused) else answer
    if isinstance(answer, Outcome) and isinstance(answer.result, Decision):
        said = answer.result
    return tuple(map(_point, said.reasons)) if isinstance(said, Decision) else said


def _point(reason: Reason) -> object:
    """Return the code of *reason* and the ids it names; other facts may move with the clock."""
    if isinstance(reason, ForAssignment):
        return reason.course_id, reason.learner_id, _point(reason.reason)
    named = attrs.asdict(reason, filter=lambda field, _: field.name.endswith("_id"))
    return reason.code, *named.values()


def command(
    plan: Callable[Concatenate[AnyOffice, Desk, P], Outcome[T]],
) -> Callable[Concatenate[AnyOffice, P], T]:
    """Turn a plan, which reads and decides at a desk, into a command that also commits."""

    def carry_out(self: AnyOffice, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try_ = _at_desk(plan, self, args, kwargs)
        return self._carry_out(try_)  # pyright: ignore[reportPrivateUsage] - the office's own

    return _dressed(carry_out, plan, plan.__name__, plan.__doc__)


def question(
    of: Callable[Concatenate[AnyOffice, P], T],
) -> Callable[Concatenate[AnyOffice, P], Decision]:
    """Return the twin of a command: whether it would be allowed now; it changes nothing."""
    plan: Callable[..., Outcome[T]] = of.__wrapped__  # type: ignore[attr-defined]  # set by command

    def ask(self: AnyOffice, /, *args: P.args, **kwargs: P.kwargs) -> Decision:
        try_ = _at_desk(plan, self, args, kwargs)
        return self._ask(try_)  # pyright: ignore[reportPrivateUsage] - the office's own

    name = plan.__name__
    sentence = f"Answer whether `{name}` would be allowed now, and if not, why; change nothing."
    return _dressed(ask, plan, f"may_{name}", sentence)


def _kept(argument: Any) -> Any:
    """Return *argument* so that every try finds it whole, even one that runs dry."""
    if not isinstance(argument, Iterator):
        return argument
    try:
        return (*argument,)
    except Exception as error:  # noqa: BLE001 - whoever reads it raises it again, and names it
        return _BrokenOff(error)


@attrs.frozen
class _BrokenOff:
    """What is left of a generator that raised: it raises the same again."""

    error: Exception

    def __iter__(self) -> Iterator[Any]:
        raise self.error


def _at_desk(
    plan: Callable[..., Outcome[T]],
    office: Office,
    args: Any,
    kwargs: Any,
) -> Callable[[Desk], Outcome[T]]:
    kept = [_kept(one) for one in args]
    named = {name: _kept(one) for name, one in kwargs.items()}
    return lambda desk: plan(office, desk, *kept, **named)


F = TypeVar("F", bound=Callable[..., Any])


def _dressed(function: F, plan: Callable[..., Any], name: str, doc: str | None) -> F:
    """Give *function* the face of *plan*, without its desk and with its own result."""
    shown = signature(plan)
    own = [one for one in shown.parameters.values() if one.name != "desk"]
    result = shown.return_annotation.__args__[0] if doc == plan.__doc__ else Decision
    face: Any = function
    face.__signature__ = shown.replace(parameters=own, return_annotation=result)
    face.__annotations__ = {
        **{key: value for key, value in plan.__annotations__.items() if key != "desk"},
        "return": result,
    }
    face.__name__, face.__doc__, face.__module__ = name, doc, plan.__module__
    face.__qualname__ = plan.__qualname__.removesuffix(plan.__name__) + name
    face.__wrapped__ = plan
    return function
