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
    return {name: attrgetter(name) for name in names.split()}


def _origin(assignment: CourseAssignment) -> str:
    if isinstance(assignment.origin, Direct):
        return "direct"
    return "key" if isinstance(assignment.origin, FromKey) else "subscription"


def _notes(assignment: CourseAssignment) -> str:
    return "\n\n".join(
        f"{'! ' if note.high_importance else ''}{note.title}: {note.message}"
        for note in assignment.notes
    )


#: All columns of each kind.
COLUMNS: Final[Mapping[type, Values]] = {
    CourseAssignment: {
        **_fields("id learner_id course_id organization_id created_at expires_at limited_by"),
        # The name, because the numbers of the enum are only for sorting.
        "completion": lambda assignment: assignment.completion.name.lower(),
        **_fields("started_at completed_at cancelled_at first_lab_launched_at"),
        "origin": _origin,
        **_fields("batch_id"),
        "redemption_id": lambda assignment: getattr(assignment.origin, "redemption_id", None),
        **_fields("subscription_id"),
        # No id contains a line break.
        "finished": lambda assignment: "\n".join(sorted(assignment.finished)),
        "notes": _notes,
    },
    TrainingKey: {
        **_fields("id"),
        "code": attrgetter("display_code"),
        **_fields("batch_id number uses max_uses remaining_uses revoked_at"),
    },
    StatementLine: _fields(
        "organization_id course_id learner_id assignment_id created_at cancelled_at billable"
    ),
    StatementTotal: _fields("organization_id course_id created cancelled billable"),
}

# Notes are for administrators, so exporting them must be asked for.
_ON_REQUEST: Final = {"finished", "notes"}

#: The default columns of each kind.
DEFAULT_COLUMNS: Final[Mapping[type, tuple[str, ...]]] = {
    kind: tuple(name for name in values if name not in _ON_REQUEST)
    for kind, values in COLUMNS.items()
}

#: The default columns of assignments, without ``finished`` and ``notes``.
ASSIGNMENT_COLUMNS: tuple[str, ...] = DEFAULT_COLUMNS[CourseAssignment]

#: The default columns of keys.
KEY_COLUMNS: tuple[str, ...] = DEFAULT_COLUMNS[TrainingKey]

#: The default columns of the lines of a statement.
LINE_COLUMNS: tuple[str, ...] = DEFAULT_COLUMNS[StatementLine]

#: The default columns of the totals of a statement.
TOTAL_COLUMNS: tuple[str, ...] = DEFAULT_COLUMNS[StatementTotal]
