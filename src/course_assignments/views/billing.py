"""Billing: created, cancelled and billable assignments of a period.

"Billing is based on the assignment creation date" (rule 16). A statement reads only assignments: no
clock, no prices, no keys and no subscriptions.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, tzinfo
from itertools import groupby

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.catalog import Organization
from course_assignments.errors import InvalidInput, NotFound, invalid, is_a, mask_id, received
from course_assignments.frozen import frozen
from course_assignments.queries import MAX_PAGE, AssignmentQuery
from course_assignments.repository import Repository, check_repository, find_all
from course_assignments.time.datetimes import as_utc, check_zone, format_datetime, start_of_day
from course_assignments.validation import to_utc


@frozen(kw_only=True)
class StatementLine:
    """One assignment that was created in the period.

    Attributes:
        organization_id: The learner's organization at creation, which is billed (rule 16).

    >>> StatementLine(
    ...     organization_id="acme", course_id="py", learner_id="ada", assignment_id="a-1",
    ...     created_at=datetime(2026, 1, 5, 9, tzinfo=UTC),
    ... ).billable
    True
    """

    organization_id: str | None = field(validator=validation.identifier_or_none)
    course_id: str = field(validator=validation.identifier)
    learner_id: str = field(validator=validation.identifier)
    assignment_id: str = field(validator=validation.identifier)
    created_at: datetime = field(converter=to_utc)
    cancelled_at: datetime | None = validation.optional_datetime()

    @classmethod
    def of(cls, assignment: CourseAssignment) -> "StatementLine":
        """Return the line of *assignment*."""
        validation.check_kind(assignment, "assignment", CourseAssignment)
        return cls(
            organization_id=assignment.organization_id,
            course_id=assignment.course_id,
            learner_id=assignment.learner_id,
            assignment_id=assignment.id,
            created_at=assignment.created_at,
            cancelled_at=assignment.cancelled_at,
        )

    @property
    def billable(self) -> bool:
        """Whether the assignment is billed; a cancelled one is not, even by support (rule 4)."""
        return self.cancelled_at is None


@frozen(kw_only=True)
class StatementTotal:
    """How many assignments of a course and an organization were created: cancelled and billable.

    >>> total = StatementTotal(
    ...     organization_id="acme", course_id="py", created=3, cancelled=1, billable=2
    ... )
    """

    organization_id: str | None = field(validator=validation.identifier_or_none)
    course_id: str = field(validator=validation.identifier)
    created: int = field(validator=validation.count(0))
    cancelled: int = field(validator=validation.count(0))
    billable: int = field(validator=validation.count(0))


def _in_order(lines: Iterable[StatementLine]) -> tuple[StatementLine, ...]:
    def place(line: StatementLine) -> tuple[str, str, datetime, str]:
        return line.organization_id or "", line.course_id, line.created_at, line.assignment_id

    return tuple(sorted(validation.check_each(lines, "lines", StatementLine), key=place))


@frozen(kw_only=True)
class Statement:
    """The assignments created in a period, by organization, course and creation.

    Attributes:
        end: The first moment after the period.
        organization_id: The organization, or ``None`` for all organizations.
        lines: One line for each assignment. Learners without an organization come first.

    >>> january, february, march = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3))
    >>> both = Statement(start=january, end=february) + Statement(start=february, end=march)
    >>> both == Statement(start=january, end=march)
    True
    """

    start: datetime = field(converter=to_utc)
    end: datetime = field(converter=to_utc, validator=validation.after("start"))
    zone: tzinfo = field(default=UTC, converter=check_zone)
    organization_id: str | None = field(default=None, validator=validation.identifier_or_none)
    lines: tuple[StatementLine, ...] = field(default=(), converter=_in_order)

    def __attrs_post_init__(self) -> None:
        for position, line in enumerate(self.lines):
            path = f"lines[{position}]"
            if not self.start <= line.created_at < self.end:
                hint = f"expected a datetime in the period, got {line.created_at.isoformat()}"
                raise InvalidInput("out_of_period", f"{path}.created_at", hint)
            wanted = self.organization_id
            if wanted is not None and line.organization_id != wanted:
                expected = f"expected a line of organization {mask_id(wanted)!r}"
                raise invalid("another_record", path, expected, line.organization_id)
        validation.check_distinct((line.assignment_id for line in self.lines), "lines[{}]")

    @property
    def billable(self) -> tuple[StatementLine, ...]:
        """The billable lines."""
        return tuple(line for line in self.lines if line.billable)

    @property
    def totals(self) -> tuple[StatementTotal, ...]:
        """One total for each organization and course, in the order of the lines."""
        by_course = groupby(self.lines, key=lambda line: (line.organization_id, line.course_id))
        billed = {ids: [line.billable for line in lines] for ids, lines in by_course}
        return tuple(
            StatementTotal(
                organization_id=organization_id,
                course_id=course_id,
                created=len(flags),
                cancelled=flags.count(False),
                billable=flags.count(True),
            )
            for (organization_id, course_id), flags in billed.items()
        )

    def __add__(self, other: "Statement") -> "Statement":
        """Return the statement of both periods; *other* must start when this one ends."""
        validation.check_kind(other, "other", Statement)
        hint = f"expected a statement for the same organization, {received(other.organization_id)}"
        if self.end != other.start:
            end, start = format_datetime(self.end), format_datetime(other.start)
            hint = f"expected a statement that starts at {end}, got one that starts at {start}"
        elif self.organization_id == other.organization_id:
            return attrs.evolve(self, end=other.end, lines=self.lines + other.lines)
        raise InvalidInput("not_adjoining", "other", hint)


def statement(
    repository: Repository,
    *,
    start: datetime | date,
    end: datetime | date,
    zone: tzinfo | None = None,
    organization_id: str | None = None,
) -> Statement:
    """Return the assignments created from *start* until just before *end*.

    A ``date`` is the start of that day in *zone*, by default the zone of the organization, or else
    UTC. A cancellation counts for the period in which the assignment was created. So a statement is
    final once its last assignments can no longer be cancelled, except by support.

    Raises:
        NotFound: The organization is unknown.

    >>> january = statement(
    ...     InMemoryRepository(), start=date(2026, 1, 1), end=date(2026, 2, 1)
    ... )
    >>> january.end.isoformat(), january.totals
    ('2026-02-01T00:00:00+00:00', ())
    """
    check_repository(repository)
    days = UTC if zone is None else check_zone(zone)
    if organization_id is not None:
        organization_id = validation.check_id(organization_id, "organization_id")
        found = repository.get(Organization, [organization_id])
        if organization_id not in found:
            raise NotFound("Organization", organization_id)
        if zone is None:
            days = found[organization_id].zone
    empty = Statement(
        start=_begin(start, days, "start"),
        end=_begin(end, days, "end"),
        zone=days,
        organization_id=organization_id,
    )
    query = AssignmentQuery(
        created_from=empty.start,
        created_until=empty.end,
        organization_id=organization_id,
        limit=MAX_PAGE,
    )
    return attrs.evolve(empty, lines=[StatementLine.of(one) for one in find_all(repository, query)])


def _begin(value: datetime | date, zone: tzinfo, name: str) -> datetime:
    if is_a(value, datetime):
        return as_utc(value, name)
    if not is_a(value, date):
        raise invalid("not_a_datetime", name, "expected a date, or an aware datetime", value)
    return start_of_day(value, zone, name)
