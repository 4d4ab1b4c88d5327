"""Which columns there are, for each kind of record that can be exported, and what is in them.

Nothing here knows how a cell is written, or where the rows go.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final, TypeAlias

from course_assignments.entities.assignments import CourseAssignment, Direct, FromKey
from course_assignments.entities.keys import TrainingKey
from course_assignments.export.cells import Cell
from course_assignments.views.billing import StatementLine, StatementTotal

#: The columns of a kind by their names, and how each is read out of a record.
Values: TypeAlias = Mapping[str, Callable[[Any], Cell]]


def _named(*names: str) -> Values:
    """Return the columns that are called as the fields that they hold."""
    return {name: attrgetter(name) for name in names}


def _came_about(assignment: CourseAssignment) -> str:
    if isinstance(assignment.origin, Direct):
        return "direct"
    return "key" if isinstance(assignment.origin, FromKey) else "subscription"


def _finished(assignment: CourseAssignment) -> str:
    # No id has a line break in it.
    return "\n".join(sorted(assignment.finished))


def _notes(assignment: CourseAssignment) -> str:
    return "\n\n".join(
        f"{'! ' if note.high_importance else ''}{note.title}: {note.message}"
        for note in assignment.notes
    )


_ASSIGNMENT: Values = {
    **_named(
        *("id", "learner_id", "course_id", "organization_id", "created_at", "expires_at"),
        *("limited_by", "completion", "started_at", "completed_at", "cancelled_at"),
        "first_lab_launched_at",
    ),
    # In a word, as everything else is, and in the place that it has above; the numbers of the enum
    # are there to be sorted by.
    "completion": lambda assignment: assignment.completion.name.lower(),
    "origin": _came_about,
    "batch_id": attrgetter("batch_id"),
    "redemption_id": lambda assignment: getattr(assignment.origin, "redemption_id", None),
    "subscription_id": attrgetter("subscription_id"),
    "finished": _finished,
    "notes": _notes,
}

_KEY: Values = {
    "code": attrgetter("display_code"),
    **_named("batch_id", "uses", "max_uses", "remaining_uses", "revoked_at"),
}

_LINE: Values = _named(
    *("organization_id", "course_id", "learner_id", "assignment_id"),
    *("created_at", "cancelled_at", "billable"),
)

_TOTAL: Values = _named("organization_id", "course_id", "created", "cancelled", "billable")

#: Every column that there is of each kind.
COLUMNS: Final[Mapping[type, Values]] = {
    CourseAssignment: _ASSIGNMENT,
    TrainingKey: _KEY,
    StatementLine: _LINE,
    StatementTotal: _TOTAL,
}

# Notes are for administrators, so whoever wants to pass them on has to say so.
_ON_REQUEST = {"finished", "notes"}

#: The columns of assignments unless others are asked for; there are ``finished`` and ``notes`` too.
ASSIGNMENT_COLUMNS: tuple[str, ...] = tuple(n for n in _ASSIGNMENT if n not in _ON_REQUEST)

#: The columns of keys unless others are asked for.
KEY_COLUMNS: tuple[str, ...] = tuple(_KEY)

#: The columns of the lines of a statement unless others are asked for.
LINE_COLUMNS: tuple[str, ...] = tuple(_LINE)

#: The columns of the totals of a statement unless others are asked for.
TOTAL_COLUMNS: tuple[str, ...] = tuple(_TOTAL)

#: The columns of each kind unless others are asked for.
DEFAULT_COLUMNS: Final[Mapping[type, tuple[str, ...]]] = {
    CourseAssignment: ASSIGNMENT_COLUMNS,
    TrainingKey: KEY_COLUMNS,
    StatementLine: LINE_COLUMNS,
    StatementTotal: TOTAL_COLUMNS,
}
