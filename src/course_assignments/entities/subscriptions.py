"""Subscriptions: a learner's access to a set of courses for a limited time."""

from datetime import datetime

from attrs import field

from course_assignments import validation
from course_assignments.entities.assignments import AccessPeriod
from course_assignments.frozen import Field, frozen
from course_assignments.validation import items_of, to_strings, to_tuple, to_utc


@frozen
class Opening:
    """An opened course and the assignment that was created.

    >>> Opening("py", "a-1").assignment_id
    'a-1'
    """

    course_id: str = field(validator=validation.identifier)
    assignment_id: str = field(validator=validation.identifier)


def _distinct_ids(_: object, at: Field, ids: tuple[str, ...]) -> None:
    validation.check_distinct(validation.check_ids(ids, at.name), f"{at.name}[{{}}]")


@frozen(kw_only=True)
class Subscription(AccessPeriod):
    """A right to open courses, from ``created_at`` until just before ``expires_at``.

    Attributes:
        organization_id: The learner's organization at creation.
        course_ids: The courses that can be opened, each once, in the order given.
        edited_at: When ``course_ids`` was last changed.
        openings: All courses that were opened, in order (rule 19).

    >>> subscription = registrar.subscribe(["py", "sql"], "ada", duration=Months(12))
    >>> subscription.is_active_at(subscription.expires_at)
    False
    """

    id: str = field(validator=validation.identifier)
    learner_id: str = field(validator=validation.identifier)
    organization_id: str | None = field(validator=validation.identifier_or_none)
    course_ids: tuple[str, ...] = field(converter=to_strings, validator=_distinct_ids)
    created_at: datetime = field(converter=to_utc)
    expires_at: datetime = field(converter=to_utc, validator=validation.after("created_at"))
    edited_at: datetime | None = validation.since_creation()
    cancelled_at: datetime | None = validation.since_creation()
    openings: tuple[Opening, ...] = field(
        default=(), converter=to_tuple[Opening], validator=items_of(Opening, exact=True)
    )

    def opened(self, course_id: str) -> tuple[str, ...]:
        """Return the ids of the assignments that opening this course created, in order."""
        course_id = validation.check_id(course_id, "course_id")
        return tuple(one.assignment_id for one in self.openings if one.course_id == course_id)

    def next_assignment_id(self, course_id: str) -> str:
        """Return the id of the next assignment that opening this course creates."""
        course_id = validation.check_id(course_id, "course_id")
        turn = len(self.opened(course_id))
        return validation.derived_id("opening", self.id, course_id, str(turn))
