"""The columns for each kind of exported record."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final, TypeAlias

from course_assignments.entities.assignments import CourseAssignment, Direct, FromKey
from course_assignments.entities.keys import TrainingKey
from course_assignments.export.cells import Cell
from course_assignments.views.billing import StatementLine, StatementTotal

#: The columns of a kind by name, with the function that returns the value for a record.
Values: TypeAlias = Mapping[str, Callable[[Any], Cell]]


def _fields(names: str) -> Values:
    """Return columns for the fields *names*."""
    return {name: attrgetter(name) for name in names.split()}


def _origin_name(assignment: CourseAssignment) -> str:
    if isinstance(assignment.origin, Direct):
        return "direct"
    return "key" if isinstance(assignment.origin, FromKey) else "subscription"


def _finished(assignment: CourseAssignment) -> str:
    # No id contains a line break.
    return "\n".join(sorted(assignment.finished))


def _notes(assignment: CourseAssignment) -> str:
    return "\n\n".join(
        f"{'! ' if note.high_importance else ''}{note.title}: {note.message}"
        for note in assignment.notes
    )


_ASSIGNMENT: Values = {
    **_fields("id learner_id course_id organization_id created_at expires_at limited_by"),
    # The name, because the numbers of the enum are only for sorting.
    "completion": lambda assignment: assignment.completion.name.lower(),
    **_fields("started_at completed_at cancelled_at first_lab_launched_at"),
    "origin": _origin_name,
    "batch_id": attrgetter("batch_id"),
    "redemption_id": lambda assignment: getattr(assignment.origin, "redemption_id", None),
    "subscription_id": attrgetter("subscription_id"),
    "finished": _finished,
    "notes": _notes,
}

_KEY: Values = {
    "id": attrgetter("id"),
    "code": attrgetter("display_code"),
    **_fields("batch_id number uses max_uses remaining_uses revoked_at"),
}
_LINE = _fields(
    "organization_id course_id learner_id assignment_id created_at cancelled_at billable"
)
_TOTAL = _fields("organization_id course_id created cancelled billable")

#: All columns of each kind.
COLUMNS: Final[Mapping[type, Values]] = {
    CourseAssignment: _ASSIGNMENT,
    TrainingKey: _KEY,
    StatementLine: _LINE,
    StatementTotal: _TOTAL,
}

# Notes are for administrators, so exporting them must be asked for.
_ON_REQUEST = {"finished", "notes"}

#: The default columns of assignments, without ``finished`` and ``notes``.
ASSIGNMENT_COLUMNS: tuple[str, ...] = tuple(n for n in _ASSIGNMENT if n not in _ON_REQUEST)

#: The default columns of keys.
KEY_COLUMNS: tuple[str, ...] = tuple(_KEY)

#: The default columns of the lines of a statement.
LINE_COLUMNS: tuple[str, ...] = tuple(_LINE)

#: The default columns of the totals of a statement.
TOTAL_COLUMNS: tuple[str, ...] = tuple(_TOTAL)

#: The default columns of each kind.
DEFAULT_COLUMNS: Final[Mapping[type, tuple[str, ...]]] = dict(
    zip(COLUMNS, (ASSIGNMENT_COLUMNS, KEY_COLUMNS, LINE_COLUMNS, TOTAL_COLUMNS), strict=True)
)
