"""Why an assignment that exists is not changed. Rules 2 to 5."""

from datetime import datetime
from typing import ClassVar

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.time.datetimes import format_datetime, format_datetime_up


@attrs.frozen
class AssignmentNotActive:
    """The instant asked about lies before the assignment's creation.

    Example:
        >>> from datetime import UTC
        >>> print(AssignmentNotActive(datetime(2026, 1, 5, 9, tzinfo=UTC)))
        It is not active before 2026-01-05 09:00:00 UTC; check the clock, or wait.
    """

    code: ClassVar = "assignment_not_active"
    created_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)

    def __str__(self) -> str:
        return f"It is not active before {format_datetime_up(self.created_at)}; check the clock, or wait."  # noqa: E501


@attrs.frozen
class AlreadyCancelled:
    """The assignment is cancelled.

    Example:
        >>> from datetime import UTC
        >>> print(AlreadyCancelled(datetime(2026, 1, 5, 9, tzinfo=UTC)))
        It was cancelled at 2026-01-05 09:00:00 UTC; make a new one instead.
    """

    code: ClassVar = "already_cancelled"
    cancelled_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)

    def __str__(self) -> str:
        return f"It was cancelled at {format_datetime(self.cancelled_at)}; make a new one instead."


@attrs.frozen
class AlreadyCompleted:
    """The assignment is complete.

    Example:
        >>> from datetime import UTC
        >>> print(AlreadyCompleted(datetime(2026, 1, 5, 9, tzinfo=UTC)))
        It was completed at 2026-01-05 09:00:00 UTC; there is nothing left to do.
    """

    code: ClassVar = "already_completed"
    completed_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)

    def __str__(self) -> str:
        return f"It was completed at {format_datetime(self.completed_at)}; there is nothing left to do."  # noqa: E501


@attrs.frozen
class CancellationWindowClosed:
    """The time in which an assignment may be cancelled has passed (rule 3).

    Example:
        >>> from datetime import UTC
        >>> print(CancellationWindowClosed(datetime(2026, 1, 5, 9, tzinfo=UTC)))
        The time to cancel closed after 2026-01-05 09:00:00 UTC; support can still cancel as long as
        no lab was launched.
    """

    code: ClassVar = "cancellation_window_closed"
    closed_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)

    def __str__(self) -> str:
        return (
            f"The time to cancel closed after {format_datetime(self.closed_at)}; support can still cancel "  # noqa: E501
            "as long as no lab was launched."
        )


@attrs.frozen
class LabLaunched:
    """A lab was launched under the assignment, which counts for good (rule 3).

    Example:
        >>> from datetime import UTC
        >>> print(LabLaunched(datetime(2026, 1, 5, 9, tzinfo=UTC)))
        A lab was launched at 2026-01-05 09:00:00 UTC, so this can't be cancelled.
    """

    code: ClassVar = "lab_launched"
    launched_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)

    def __str__(self) -> str:
        return f"A lab was launched at {format_datetime(self.launched_at)}, so this can't be cancelled."  # noqa: E501
