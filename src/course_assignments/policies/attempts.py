"""May another attempt of an activity be started? Rule 5."""

from collections.abc import Iterable
from datetime import datetime

import attrs

from course_assignments import validation
from course_assignments.decisions import Decision
from course_assignments.entities.attempts import Attempt
from course_assignments.reasons import AttemptOpen
from course_assignments.time.datetimes import as_utc


@attrs.frozen
class AttemptPolicy:
    """Retake an activity as often as you like, one attempt at a time (rule 5).

    A host that limits how often puts in a policy of its own, which sees all attempts so far.

    Example:
        >>> AttemptPolicy()
        AttemptPolicy()
    """

    def evaluate(self, attempts: Iterable[Attempt], *, at: datetime) -> Decision:
        """Return whether a learner may start an activity at *at*, at whatever instant.

        Args:
            attempts: All attempts of this activity under this assignment.
            at: The aware instant asked about.

        Raises:
            InvalidInput: an argument is of the wrong kind, or *at* is naive.
        """
        as_utc(at)
        given = validation.check_each(attempts, "attempts", Attempt)
        return Decision(tuple(AttemptOpen(one.id) for one in given if one.is_open))
