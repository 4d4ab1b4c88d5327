"""May an assignment be cancelled? Rules 3 and 4."""

from datetime import datetime, timedelta
from typing import Final, Protocol, TypeAlias

from attrs import field

from course_assignments import reasons, validation
from course_assignments.decisions import Decision
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.errors import invalid
from course_assignments.frozen import frozen
from course_assignments.time.datetimes import LATEST, as_utc, next_tick
from course_assignments.time.durations import end_in_range

#: Cancel "only within 24 hours of creation and only if no labs have been launched" (rule 3).
#: Support is asked "after 24 h" (rule 4), so exactly 24 hours still belong to the window.
WINDOW: Final = timedelta(hours=24)


class CancellationDates(Protocol):
    """The times of creation, cancellation and the first lab launch, as of a `CourseAssignment`."""

    @property
    def created_at(self) -> datetime: ...

    @property
    def cancelled_at(self) -> datetime | None: ...

    @property
    def first_lab_launched_at(self) -> datetime | None: ...


#: A `CourseAssignment` fits the Protocol, but pyright cannot tell: its fields have converters.
Cancellable: TypeAlias = CourseAssignment | CancellationDates


class CancellationRule(Protocol):
    """Protocol for a custom `CancellationPolicy`.

    To cancel a subscription, the policy is called for the subscription and for each assignment
    opened from it.
    """

    @property
    def restores_key_use(self) -> bool: ...

    def evaluate(
        self, cancellable: Cancellable, /, *, at: datetime, support: bool = False
    ) -> Decision: ...


@frozen
class CancellationPolicy:
    """Allow cancellation soon after creation if no lab was launched (rules 3 and 4).

    Attributes:
        window: How long after creation cancellation is possible, including its end. The length is
            exact: 24 hours stay 24 hours when the clocks change.
        restores_key_use: Whether cancellation restores the use of the key (rule 13).

    >>> CancellationPolicy(window=timedelta(days=14)).window
    datetime.timedelta(days=14)
    """

    window: timedelta = field(default=WINDOW, validator=validation.exact_duration)
    restores_key_use: bool = field(default=False, validator=validation.flag)

    def closes_at(self, cancellable: Cancellable) -> datetime:
        """Return the last datetime, in UTC, at which *cancellable* can be cancelled."""
        created_at, _, _ = _dates(cancellable)
        return end_in_range(self.window, created_at) or LATEST

    def evaluate(
        self, cancellable: Cancellable, *, at: datetime, support: bool = False
    ) -> Decision:
        """Decide whether *cancellable* may be cancelled at *at*; *support* has no window."""
        created_at, cancelled_at, lab_launched_at = _dates(cancellable)
        closes_at, now = self.closes_at(cancellable), as_utc(at)
        validation.check_kind(support, "support", bool)
        found: list[reasons.Reason] = []
        if now < created_at:
            found.append(reasons.AssignmentNotActive(created_at))
        # not already cancelled, even later than *at*
        if cancelled_at is not None:
            found.append(reasons.AlreadyCancelled(cancelled_at))
        # "only within 24 hours of creation": refused when more than that has passed
        if now > closes_at and not support:
            found.append(reasons.CancellationWindowClosed(closes_at))
        # "only if no labs have been launched": a launched lab counts permanently
        if lab_launched_at is not None:
            found.append(reasons.LabLaunched(lab_launched_at))
        match found:
            case []:
                return Decision((), None if support else next_tick(closes_at))
            case [reasons.AssignmentNotActive()]:  # the only reason that time removes
                return Decision(found, created_at)
            case _:
                return Decision(found)


def _dates(cancellable: Cancellable) -> tuple[datetime, datetime | None, datetime | None]:
    """Return the three datetimes of *cancellable* in UTC, or raise InvalidInput."""
    try:
        created_at, cancelled_at = cancellable.created_at, cancellable.cancelled_at
        lab_launched_at = cancellable.first_lab_launched_at
    except AttributeError:
        hint = "expected created_at, cancelled_at and first_lab_launched_at"
        raise invalid("wrong_type", "cancellable", hint, cancellable) from None
    if cancelled_at is not None:
        cancelled_at = as_utc(cancelled_at, "cancellable.cancelled_at")
    if lab_launched_at is not None:
        lab_launched_at = as_utc(lab_launched_at, "cancellable.first_lab_launched_at")
    return as_utc(created_at, "cancellable.created_at"), cancelled_at, lab_launched_at
