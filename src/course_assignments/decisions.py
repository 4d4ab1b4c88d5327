"""Decisions: yes, or every reason why not, and until when that holds."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, TypeAlias, get_args

from attrs import field

from course_assignments import validation
from course_assignments.errors import MAX_NAMED, CourseAssignmentsError, repr_first, shorten
from course_assignments.frozen import frozen
from course_assignments.reasons import Reason
from course_assignments.validation import items_of, one_of, to_tuple

#: How much of a sentence the message of a decision shows.
MAX_SENTENCE: Final = 1_000


@frozen
class Decision:
    """The answer to one question at one moment.

    Its string has the sentences of the first eight reasons, and the number of the others.

    Attributes:
        reasons: All reasons against it, in a fixed order; without any it is a yes.
        changes_at: The first UTC datetime at which `allowed` differs if no one does anything, or
            ``None`` if there is no such time or the request itself moves with the clock.

    >>> from course_assignments.reasons import CourseArchived
    >>> decision = Decision([CourseArchived("py")])
    >>> decision.allowed, [reason.code for reason in decision.reasons]
    (False, ['course_archived'])
    >>> bool(Decision())
    True
    """

    reasons: tuple[Reason, ...] = field(
        default=(),
        converter=to_tuple[Reason],
        validator=items_of(*get_args(Reason)),
        repr=repr_first,
    )
    changes_at: datetime | None = validation.optional_datetime()

    @property
    def allowed(self) -> bool:
        """Whether there is no reason against it."""
        return not self.reasons

    def __bool__(self) -> bool:
        """Return `allowed`."""
        return self.allowed

    def require(self) -> None:
        """Raise Refused unless it is a yes."""
        if self.reasons:
            raise Refused(self)

    def __str__(self) -> str:
        shown = [shorten(str(reason), MAX_SENTENCE) for reason in self.reasons[:MAX_NAMED]]
        more = len(self.reasons) - MAX_NAMED
        if more > 0:
            shown.append(f"There {'are' if more > 1 else 'is'} {more} more.")
        return " ".join(shown) or "Yes."


#: A yes that time does not change.
YES: Final = Decision()


@frozen(eq=False)
class Refused(CourseAssignmentsError):
    """A rule said no; nothing was stored or used up.

    >>> from course_assignments.reasons import CourseArchived
    >>> print(Refused(Decision([CourseArchived("py")])))
    Course 'py' is archived. Choose another course.
    """

    decision: Decision = field(validator=one_of(Decision))

    def __str__(self) -> str:
        return str(self.decision)


def answer(policy: str, given: Decision) -> Decision:
    """Return the answer *given* by the policy, which may be a custom one; it must be a decision."""
    if type(given) is not Decision:
        validation.check_kind(given, f"policies.{policy}", Decision)
    return given


#: How many moments a decision looks at to find the one at which it changes.
MAX_TURNS = 1000

#: Answers for its records at a given moment.
Question: TypeAlias = Callable[[datetime], Decision]


def all_of(questions: Iterable[Question], at: datetime) -> Decision:
    """Return one decision for all *questions*: a yes at *at* only if each of them is a yes.

    It has all their reasons, each once, in the order of the questions. `changes_at` is exact: the
    questions are asked again at each moment at which the answer may change. Only if it did not
    change at a thousand of these, `changes_at` is the last of them.

    >>> all_of([lambda at: Decision(), lambda at: Decision()], datetime(2026, 1, 5, tzinfo=UTC))
    Decision(reasons=(), changes_at=None)
    """
    asked = validation.check_list(questions, "questions", empty=True)
    answers, refused = _answers(asked, at)
    if not answers:
        return YES
    last, turn = at, _next_turn(answers, refused)
    reasons = tuple(dict.fromkeys([one for answer in refused for one in answer.reasons]))
    for _ in range(MAX_TURNS):
        if turn is None or turn <= last:
            return Decision(reasons) if reasons else YES
        last = turn
        answers, against = _answers(asked, turn)
        if bool(against) != bool(refused):
            break
        turn = _next_turn(answers, against)
    return Decision(reasons, last)


def _answers(asked: Iterable[Question], at: datetime) -> tuple[list[Decision], list[Decision]]:
    """Return the answers at *at* except `YES`, and those that refuse."""
    answers: list[Decision] = []
    against: list[Decision] = []
    for ask in asked:
        given = ask(at)
        if type(given) is not Decision:
            validation.check_kind(given, "questions", Decision)
        if given is not YES:
            answers.append(given)
        if given.reasons:
            against.append(given)
    return answers, against


def _next_turn(answers: list[Decision], against: list[Decision]) -> datetime | None:
    """Return the next moment at which the whole may change.

    A yes may change with the first of *answers* that does, a no only once all *against* have.
    """
    known = [one.changes_at for one in against or answers if one.changes_at is not None]
    if not known or (against and len(known) < len(against)):
        return None
    return max(known) if against else min(known)
