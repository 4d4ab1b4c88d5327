"""Why an activity is not started, paused, resumed or finished. Rule 5."""

from datetime import datetime
from typing import ClassVar

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.time.datetimes import format_datetime, format_datetime_up


@attrs.frozen
class AssignmentExpired:
    """Access under the assignment has ended.

    Example:
        >>> from datetime import UTC
        >>> print(AssignmentExpired(datetime(2026, 1, 5, 9, tzinfo=UTC)))
        Access ended at 2026-01-05 09:00:00 UTC; ask for a later end, or for a new assignment.
    """

    code: ClassVar = "assignment_expired"
    expired_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)

    def __str__(self) -> str:
        return (
            f"Access ended at {format_datetime(self.expired_at)}; ask for a later end, or for a new "  # noqa: E501
            "assignment."
        )


@attrs.frozen
class AttemptOpen:
    """An attempt of the activity is open, and there is one at a time.

    Example:
        >>> print(AttemptOpen("t-1"))
        An attempt of this activity is still open; go on with it, or finish it first.
    """

    code: ClassVar = "attempt_open"
    attempt_id: str = field(validator=validation.identifier)

    def __str__(self) -> str:
        return "An attempt of this activity is still open; go on with it, or finish it first."


@attrs.frozen
class NoAttemptOpen:
    """The attempt is finished.

    Example:
        >>> from datetime import UTC
        >>> print(NoAttemptOpen(datetime(2026, 1, 5, 9, tzinfo=UTC)))
        The attempt was finished at 2026-01-05 09:00:00 UTC; start the activity again instead.
    """

    code: ClassVar = "no_attempt_open"
    finished_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)

    def __str__(self) -> str:
        return (
            f"The attempt was finished at {format_datetime(self.finished_at)}; start the activity again "  # noqa: E501
            "instead."
        )


@attrs.frozen
class AttemptPaused:
    """The attempt is paused already.

    Example:
        >>> from datetime import UTC
        >>> print(AttemptPaused(datetime(2026, 1, 5, 9, tzinfo=UTC)))
        The attempt has been paused since 2026-01-05 09:00:00 UTC; resume it, or finish it.
    """

    code: ClassVar = "attempt_paused"
    paused_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)

    def __str__(self) -> str:
        return f"The attempt has been paused since {format_datetime(self.paused_at)}; resume it, or finish it."  # noqa: E501


@attrs.frozen
class AttemptNotPaused:
    """The attempt is under way, so there is nothing to resume.

    Example:
        >>> print(AttemptNotPaused())
        The attempt is not paused; there is nothing to resume.
    """

    code: ClassVar = "attempt_not_paused"

    def __str__(self) -> str:
        return "The attempt is not paused; there is nothing to resume."


@attrs.frozen
class AttemptAhead:
    """The instant asked about lies before what is recorded of the attempt.

    Example:
        >>> from datetime import UTC
        >>> print(AttemptAhead(datetime(2026, 1, 5, 9, tzinfo=UTC)))
        The attempt was last changed at 2026-01-05 09:00:00 UTC; check the clock, or wait.
    """

    code: ClassVar = "attempt_ahead"
    changed_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)

    def __str__(self) -> str:
        return (
            f"The attempt was last changed at {format_datetime_up(self.changed_at)}; check the clock, or "  # noqa: E501
            "wait."
        )
