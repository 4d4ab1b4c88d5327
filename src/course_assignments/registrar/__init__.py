"""The office that carries commands out: it reads, lets the actions decide, and commits."""

from course_assignments.registrar.assigning import AssigningCommands
from course_assignments.registrar.batches import BatchCommands
from course_assignments.registrar.keys import KeyCommands
from course_assignments.registrar.learning import LearningCommands
from course_assignments.registrar.lifecycle import LifecycleCommands
from course_assignments.registrar.records import RecordCommands
from course_assignments.registrar.redeeming import RedeemingCommands
from course_assignments.registrar.subscribing import SubscribingCommands


class Registrar(
    RecordCommands,
    AssigningCommands,
    LifecycleCommands,
    BatchCommands,
    KeyCommands,
    RedeemingCommands,
    SubscribingCommands,
    LearningCommands,
):
    """Assign courses, cancel them, hand out keys and subscriptions, and learn.

    Every command reads the clock once, is stored whole or not at all, and is exact however many
    threads or processes work on one repository. Each that can be refused has a twin, such as
    `may_cancel` for `cancel`, that takes the same arguments, answers and changes nothing.

    Args:
        repository: Where the records are kept; in memory unless another is given.
        policies: The rules; the documented ones unless others are given.
        clock: What gives the present instant.
        new_id: What gives a new id.
        random_bytes: What gives so many random bytes, for the codes of keys.
        timeout: How long a command tries again while others are faster.

    Raises:
        InvalidInput: an argument is of the wrong kind.

    Example:
        >>> from datetime import UTC, datetime, timedelta
        >>> from course_assignments import Course, ManualClock, User
        >>> clock = ManualClock(datetime(2026, 1, 5, 9, tzinfo=UTC))
        >>> registrar = Registrar(clock=clock)
        >>> registrar.add(
        ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
        ...     User(id="ada", name="Ada", email="ada@example.org"),
        ... )
        >>> assignment = registrar.assign("py", "ada")
        >>> _ = clock.advance(timedelta(hours=25))
        >>> print(registrar.may_cancel(assignment.id))
        The time to cancel closed after 2026-01-06 09:00:00 UTC; support can still cancel ...
    """


__all__ = ["Registrar"]
