"""The answer of a policy: yes, or every reason why not, and when that will change by itself."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeAlias, get_args

import attrs
from attrs import converters, field, validators

from course_assignments import validation
from course_assignments.errors import CourseAssignmentsError
from course_assignments.reasons import Reason


@attrs.frozen
class Decision:
    """What a policy says about one question at one instant.

    Attributes:
        reasons: Everything that speaks against, in a fixed order; none means yes.
        changes_at: The first instant, UTC, at which `allowed` is different if no one does
            anything; ``None`` if never, or if what is asked for moves with the clock, as the
            limits of an assignment do that is only to be made.

    Example:
        >>> from course_assignments.reasons import CourseArchived
        >>> decision = Decision([CourseArchived("py")])
        >>> decision.allowed, [reason.code for reason in decision.reasons]
        (False, ['course_archived'])
        >>> bool(Decision())
        True
    """

    reasons: tuple[Reason, ...] = field(
        default=(),
        converter=validation.tidy_tuple,
        validator=validation.each_of(tuple, *get_args(Reason)),
    )
    changes_at: datetime | None = field(
        default=None,
        converter=converters.optional(validation.tidy_instant),
        validator=validators.optional(validation.instant),
    )

    @property
    def allowed(self) -> bool:
        """Whether nothing speaks against."""
        return not self.reasons

    def __bool__(self) -> bool:
        """Return `allowed`."""
        return self.allowed

    def require(self) -> None:
        """Do nothing if it is a yes.

        Raises:
            Refused: it is a no.
        """
        if self.reasons:
            raise Refused(self)

    def __str__(self) -> str:
        return " ".join(str(reason) for reason in self.reasons) or "Yes."


@attrs.frozen(eq=False)
class Refused(CourseAssignmentsError):
    """A rule said no; nothing was stored or used up.

    Attributes:
        decision: The whole answer, with every reason.

    Example:
        >>> from course_assignments.reasons import CourseArchived
        >>> print(Refused(Decision([CourseArchived("py")])))
        Course 'py' is archived; choose another course.
    """

    decision: Decision

    def __str__(self) -> str:
        return str(self.decision)


#: How often a decision looks for the instant at which it changes, if a host's policy turns daily.
MAX_TURNS = 1000

#: A policy with its records in hand: what does it say at this instant?
Question: TypeAlias = Callable[[datetime], Decision]


def all_of(questions: Iterable[Question], at: datetime) -> Decision:
    """Return the decision that is a yes at *at* only if every one of *questions* says yes.

    All reasons are given, each once, in the order of the questions. `changes_at` is exact: the
    questions are asked again at each instant at which the whole may turn. Only if it did not turn
    at a thousand of these is it the last of them, up to which the answer stays.

    Example:
        >>> from datetime import UTC
        >>> all_of([lambda at: Decision(), lambda at: Decision()], datetime(2026, 1, 5, tzinfo=UTC))
        Decision(reasons=(), changes_at=None)
    """
    asked = validation.check_list(questions, "questions", empty=True)
    answers = first = [_answer(ask, at) for ask in asked]
    reasons = tuple(dict.fromkeys(reason for answer in first for reason in answer.reasons))
    last, turn = at, _next_turn(answers)
    for _ in range(MAX_TURNS):
        if turn is None or turn <= last:
            return Decision(reasons)
        answers = [_answer(ask, turn) for ask in asked]
        last = turn
        if all(answers) != all(first):
            break
        turn = _next_turn(answers)
    return Decision(reasons, last)


def _answer(ask: Question, at: datetime) -> Decision:
    """Return the answer, which a host's own policy may have got wrong."""
    answer = ask(at)
    validation.check_kind(answer, "policies", Decision)
    return answer


def _next_turn(answers: Sequence[Decision]) -> datetime | None:
    """Return the next instant at which all of *answers* together may turn.

    A yes may turn with the first that does; a no not before all that refuse have turned.
    """
    refused_until = [answer.changes_at for answer in answers if not answer]
    if refused_until:
        known = [instant for instant in refused_until if instant is not None]
        return max(known) if len(known) == len(refused_until) else None
    allowed_until = (answer.changes_at for answer in answers)
    return min((instant for instant in allowed_until if instant is not None), default=None)
