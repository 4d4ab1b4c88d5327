"""The runs of activities, by the assignment that they run under."""

import attrs

from course_assignments.entities.attempts import Attempt
from course_assignments.queries.base import Query, Where, equal_to, id_or_none


@attrs.frozen(kw_only=True)
class AttemptQuery(Query[Attempt]):
    """Attempts from the first started on, those of the same instant by id.

    Example:
        >>> AttemptQuery(assignment_id="a-1", activity_id="lab").where()
        {'assignment_id': ('a-1',), 'activity_id': ('lab',)}
    """

    kind = Attempt
    order = ("started_at", "id")

    assignment_id: str | None = id_or_none()
    activity_id: str | None = id_or_none()

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        return equal_to(assignment_id=self.assignment_id, activity_id=self.activity_id)
