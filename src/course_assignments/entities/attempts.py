"""Attempts: a learner's work on the activities of a course."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from attrs import field

from course_assignments import validation
from course_assignments.errors import InvalidInput, invalid
from course_assignments.frozen import frozen
from course_assignments.time.datetimes import as_utc
from course_assignments.validation import at_most, items_of, to_tuple, to_utc

#: How many pauses one attempt may have; each further one is stored with all earlier ones.
MAX_PAUSES = 1000


@frozen
class Pause:
    """A pause in an attempt; ``resumed_at`` is ``None`` until the attempt is resumed.

    >>> Pause(datetime(2026, 1, 5, 9, tzinfo=UTC)).resumed_at is None
    True
    """

    paused_at: datetime = field(converter=to_utc)
    resumed_at: datetime | None = validation.optional_datetime()


@frozen(kw_only=True)
class Attempt:
    """An attempt at an activity under an assignment; a retake is a new one (rule 5).

    Attributes:
        number: Counts the attempts at this activity under this assignment, from 1 on.
        pauses: In order, at most 1000; only the last one may be open.

    >>> attempt = registrar.start(registrar.assign("py", "ada").id, "lab")
    >>> attempt.time_spent(clock.advance(timedelta(minutes=30)))
    datetime.timedelta(seconds=1800)
    """

    id: str = field(validator=validation.identifier)
    assignment_id: str = field(validator=validation.identifier)
    activity_id: str = field(validator=validation.identifier)
    number: int = field(validator=validation.count(1))
    started_at: datetime = field(converter=to_utc)
    pauses: tuple[Pause, ...] = field(
        default=(),
        converter=to_tuple[Pause],
        validator=[items_of(Pause, exact=True), at_most(MAX_PAUSES)],
    )
    finished_at: datetime | None = validation.optional_datetime()

    def __attrs_post_init__(self) -> None:
        for (first, before), (name, after) in pairwise(self._steps()):
            if after < before:
                expected = f"expected {first}, {before.isoformat()}, or a later datetime"
                hint = f"{expected}; got {after.isoformat()}"
                raise InvalidInput("out_of_order", name, hint)
        for position, pause in enumerate(self.pauses[:-1]):
            if pause.resumed_at is None:
                path = f"pauses[{position}].resumed_at"
                raise invalid("out_of_order", path, "only the last pause may be open", None)

    def _steps(self) -> Iterator[tuple[str, datetime]]:
        """Yield each datetime in order, with the path of its field."""
        yield "started_at", self.started_at
        for position, pause in enumerate(self.pauses):
            yield f"pauses[{position}].paused_at", pause.paused_at
            if pause.resumed_at is not None:
                yield f"pauses[{position}].resumed_at", pause.resumed_at
        if self.finished_at is not None:
            yield "finished_at", self.finished_at

    @property
    def is_open(self) -> bool:
        """Whether the attempt is not finished; a paused attempt is open."""
        return self.finished_at is None

    @property
    def paused_at(self) -> datetime | None:
        """When the attempt was paused, or ``None`` if it is not paused."""
        last = self.pauses[-1] if self.pauses and self.is_open else None
        return last.paused_at if last is not None and last.resumed_at is None else None

    @property
    def changed_at(self) -> datetime:
        """When the attempt last changed."""
        *_, (_, last) = self._steps()
        return last

    def time_spent(self, at: datetime) -> timedelta:
        """Return the time spent until the aware datetime *at*, without pauses."""
        now = as_utc(at)
        end = now if self.finished_at is None else min(now, self.finished_at)

        def until(start: datetime, stop: datetime | None) -> timedelta:
            return max(timedelta(0), min(end, stop or end) - start)

        paused = (until(pause.paused_at, pause.resumed_at) for pause in self.pauses)
        return until(self.started_at, None) - sum(paused, timedelta(0))

    @staticmethod
    def id_for(assignment_id: str, activity_id: str, number: int) -> str:
        """Return the id of attempt *number* at this activity under this assignment."""
        assignment_id = validation.check_id(assignment_id, "assignment_id")
        activity_id = validation.check_id(activity_id, "activity_id")
        validation.check_count(number, "number", 1)
        return validation.derived_id("attempt", assignment_id, activity_id, str(number))
