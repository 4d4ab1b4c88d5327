"""The journal, read on from where the last reader stopped."""

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.changes import Event
from course_assignments.queries.base import Place, Query


@attrs.frozen(kw_only=True)
class EventQuery(Query[Event]):
    """Events in the order in which they were stored, behind the position ``after``.

    Example:
        >>> EventQuery(after=12).after
        12
    """

    kind = Event
    order = ("position",)

    after: int = field(default=0, validator=validation.count(0))

    @property
    def start(self) -> Place:
        """The place behind which this query begins."""
        return (self.after,) if self.cursor is None else self.cursor

    def matches(self, record: Event) -> bool:
        """Return whether *record* is an event behind ``after``."""
        return isinstance(record, Event) and record.position > self.after
