"""A learner's runs of the activities of a course. Facts with their instants only.

Whether an attempt may be started or changed is for policies and actions to say.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import attrs
from attrs import converters, field, validators

from course_assignments import validation
from course_assignments.errors import InvalidInput
from course_assignments.time.datetimes import as_utc
from course_assignments.validation import derived_id


@attrs.frozen
class Pause:
    """A time in which an attempt rested, UTC; without an end it still does.

    Example:
        >>> from datetime import UTC
        >>> Pause(datetime(2026, 1, 5, 9, tzinfo=UTC)).resumed_at is None
        True
    """

    paused_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)
    resumed_at: datetime | None = field(
        default=None,
        converter=converters.optional(validation.tidy_instant),
        validator=validators.optional(validation.instant),
    )


@attrs.frozen(kw_only=True)
class Attempt:
    """One run of one activity under an assignment; a retake is a later attempt (rule 5).

    Attributes:
        number: Which attempt of this activity under this assignment it is, from 1 on.
        started_at: When it was started, UTC.
        pauses: When it rested, in order.
        finished_at: When it was finished, UTC, or ``None`` while it is open.
        request_id: The id that it was started under, by which a retry is known.

    Raises:
        InvalidInput: a field is out of bounds, or the instants are not in the order in which they
            happened.

    Example:
        >>> from datetime import UTC
        >>> nine = datetime(2026, 1, 5, 9, tzinfo=UTC)
        >>> attempt = Attempt(
        ...     id="t-1", assignment_id="a-1", activity_id="lab", number=1, started_at=nine,
        ...     pauses=[Pause(nine + timedelta(minutes=20), nine + timedelta(minutes=50))],
        ... )
        >>> attempt.time_spent(nine + timedelta(hours=1))
        datetime.timedelta(seconds=1800)
    """

    id: str = field(validator=validation.identifier)
    assignment_id: str = field(validator=validation.identifier)
    activity_id: str = field(validator=validation.identifier)
    number: int = field(validator=validation.count(1))
    started_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)
    pauses: tuple[Pause, ...] = field(
        default=(), converter=validation.tidy_tuple, validator=validation.each_of(tuple, Pause)
    )
    finished_at: datetime | None = field(
        default=None,
        converter=converters.optional(validation.tidy_instant),
        validator=validators.optional(validation.instant),
    )
    request_id: str | None = field(
        default=None, validator=validators.optional(validation.identifier)
    )

    def __attrs_post_init__(self) -> None:
        for (_, before), (name, after) in pairwise(self._steps()):
            if after < before:
                raise InvalidInput("out_of_order", name, "it cannot lie before what came before it")
        for position, pause in enumerate(self.pauses[:-1]):
            if pause.resumed_at is None:
                path = f"pauses[{position}].resumed_at"
                raise InvalidInput("out_of_order", path, "it has an end if another pause follows")

    def _steps(self) -> Iterator[tuple[str, datetime]]:
        """Go through what happened, by the name of its field."""
        yield "started_at", self.started_at
        for position, pause in enumerate(self.pauses):
            yield f"pauses[{position}].paused_at", pause.paused_at
            if pause.resumed_at is not None:
                yield f"pauses[{position}].resumed_at", pause.resumed_at
        if self.finished_at is not None:
            yield "finished_at", self.finished_at

    @property
    def is_open(self) -> bool:
        """Whether it is not finished, paused or not."""
        return self.finished_at is None

    @property
    def paused_at(self) -> datetime | None:
        """Since when it rests, or ``None`` if it does not."""
        last = self.pauses[-1] if self.pauses else None
        resting = last is not None and last.resumed_at is None and self.is_open
        return last.paused_at if last is not None and resting else None

    @property
    def changed_at(self) -> datetime:
        """The instant of the last thing that happened to it."""
        *_, (_, last) = self._steps()
        return last

    def time_spent(self, at: datetime) -> timedelta:
        """Return how long it was under way up to the aware instant *at*, without its pauses."""
        now = as_utc(at)
        end = now if self.finished_at is None else min(now, self.finished_at)

        def until(start: datetime, stop: datetime | None) -> timedelta:
            return max(timedelta(0), min(end, stop or end) - start)

        rested = (until(pause.paused_at, pause.resumed_at) for pause in self.pauses)
        return until(self.started_at, None) - sum(rested, timedelta(0))

    @staticmethod
    def id_for(assignment_id: str, activity_id: str, number: int) -> str:
        """Return the one id of attempt *number* of this activity under this assignment."""
        validation.check_id(assignment_id, "assignment_id")
        validation.check_id(activity_id, "activity_id")
        validation.check_count(number, "number", 1)
        return derived_id("attempt", assignment_id, activity_id, str(number))
