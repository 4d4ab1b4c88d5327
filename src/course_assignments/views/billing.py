"""What is billed: for a period, what was created, what of it was cancelled, what is billable.

"Billing is based on the assignment creation date" (rule 16). It reads assignments and nothing else:
no clock, no prices, and no key or subscription, because only an assignment is ever billed.
"""

from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from itertools import groupby
from typing import Any

import attrs
from attrs import converters, field, validators

from course_assignments import validation
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.catalog import Organization
from course_assignments.errors import InvalidInput, NotFound
from course_assignments.queries import MAX_PAGE, AssignmentQuery
from course_assignments.repository import Repository, check_repository, find_all
from course_assignments.time.datetimes import (
    as_utc,
    check_zone,
    format_datetime,
    start_of_day,
    zone_named,
)


@attrs.frozen(kw_only=True)
class StatementLine:
    """One assignment that was created in the period.

    Attributes:
        organization_id: Who is billed: the learner's organization when it was created (rule 16).
        created_at: When it was created, UTC, which is when it became billable.
        cancelled_at: When it was cancelled, UTC, or ``None``.

    Example:
        >>> from datetime import UTC
        >>> created = datetime(2026, 1, 5, 9, tzinfo=UTC)
        >>> StatementLine(
        ...     organization_id="acme", course_id="py", learner_id="ada", assignment_id="a-1",
        ...     created_at=created, cancelled_at=created,
        ... ).billable
        False
    """

    organization_id: str | None = field(validator=validators.optional(validation.identifier))
    course_id: str = field(validator=validation.identifier)
    learner_id: str = field(validator=validation.identifier)
    assignment_id: str = field(validator=validation.identifier)
    created_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)
    cancelled_at: datetime | None = field(
        default=None,
        converter=converters.optional(validation.tidy_instant),
        validator=validators.optional(validation.instant),
    )

    @classmethod
    def of(cls, assignment: CourseAssignment) -> "StatementLine":
        """Return the line of *assignment*, such as one out of a host's own table.

        Raises:
            InvalidInput: it is no `CourseAssignment`.
        """
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
        """Whether it is billed, which is whether it was not cancelled.

        Nobody can cancel too late but support, who waives the window for a learner in person
        (rule 4): what they took back is not billed either.
        """
        return self.cancelled_at is None


@attrs.frozen(kw_only=True)
class StatementTotal:
    """How many assignments one organization had of one course in the period.

    Attributes:
        organization_id: The organization, or ``None`` for learners who had none.
        created: All that were created; the other two add up to it, as `Statement.totals` counts.

    Example:
        >>> StatementTotal(
        ...     organization_id="acme", course_id="py", created=3, cancelled=1, billable=2
        ... ).billable
        2
    """

    organization_id: str | None = field(validator=validators.optional(validation.identifier))
    course_id: str = field(validator=validation.identifier)
    created: int = field(validator=validation.count(0))
    cancelled: int = field(validator=validation.count(0))
    billable: int = field(validator=validation.count(0))


def _place(line: StatementLine) -> tuple[str, str, datetime, str]:
    return line.organization_id or "", line.course_id, line.created_at, line.assignment_id


def _in_order(lines: Iterable[StatementLine]) -> tuple[StatementLine, ...]:
    found = validation.tidy_tuple(lines)
    if validation.is_exactly(found, tuple) and all(isinstance(one, StatementLine) for one in found):
        return tuple(sorted(found, key=_place))
    return found  # the validator refuses it


def _zone(_: object, at: "attrs.Attribute[Any]", value: Any) -> None:
    check_zone(value, at.name)


@attrs.frozen(kw_only=True)
class Statement:
    """What was created in ``[start, end)``, in the order of organization, course and creation.

    Attributes:
        start: The first instant of the period, UTC.
        end: The first instant after it, UTC.
        zone: The time zone in which its days were meant.
        organization_id: Whose it is, or ``None`` if it is everyone's.
        lines: One for each assignment; those of learners without an organization come first.

    Raises:
        InvalidInput: a field is of the wrong kind, the period is empty, or a line does not belong
            to it: it is of another time or organization, or there already.

    Example:
        >>> from datetime import UTC
        >>> january, february, march = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3))
        >>> both = Statement(start=january, end=february) + Statement(start=february, end=march)
        >>> both == Statement(start=january, end=march)
        True
    """

    start: datetime = field(converter=validation.tidy_instant, validator=validation.instant)
    end: datetime = field(converter=validation.tidy_instant, validator=validation.instant)
    zone: tzinfo = field(factory=lambda: zone_named("UTC"), validator=_zone)
    organization_id: str | None = field(
        default=None, validator=validators.optional(validation.identifier)
    )
    lines: tuple[StatementLine, ...] = field(
        default=(), converter=_in_order, validator=validation.each_of(tuple, StatementLine)
    )

    def __attrs_post_init__(self) -> None:
        _check_period(self.start, self.end)
        seen: set[str] = set()
        for position, line in enumerate(self.lines):
            path = f"lines[{position}]"
            if not self.start <= line.created_at < self.end:
                hint = "it was created outside of the period"
                raise InvalidInput("out_of_period", f"{path}.created_at", hint)
            if self.organization_id not in {None, line.organization_id}:
                raise InvalidInput("another_record", path, "it is of another organization")
            if line.assignment_id in seen:
                raise InvalidInput("repeated", path, "this assignment has a line already")
            seen.add(line.assignment_id)

    @property
    def billable(self) -> tuple[StatementLine, ...]:
        """The lines that are billed."""
        return tuple(line for line in self.lines if line.billable)

    @property
    def totals(self) -> tuple[StatementTotal, ...]:
        """One total for each organization and course, in the order of the lines."""
        found: list[StatementTotal] = []
        for (organization_id, course_id), lines in groupby(
            self.lines, key=lambda line: (line.organization_id, line.course_id)
        ):
            billable = [line.billable for line in lines]
            found.append(
                StatementTotal(
                    organization_id=organization_id,
                    course_id=course_id,
                    created=len(billable),
                    cancelled=billable.count(False),
                    billable=billable.count(True),
                )
            )
        return tuple(found)

    def __add__(self, other: "Statement") -> "Statement":
        """Return the statement of both periods; *other* begins where this one ends.

        Both are periods of instants, so it does not matter in which zone the days of *other* were
        meant.

        Raises:
            InvalidInput: it does not, or it is for another organization.
        """
        validation.check_kind(other, "other", Statement)
        if self.end != other.start:
            start = format_datetime(self.end)
            hint = f"expected a statement that starts at {start}, where this one ends"
            raise InvalidInput("not_adjoining", "other", hint)
        if self.organization_id != other.organization_id:
            hint = "expected a statement for the same organization"
            raise InvalidInput("not_adjoining", "other", hint)
        return attrs.evolve(self, end=other.end, lines=self.lines + other.lines)


def _check_period(start: datetime, end: datetime) -> None:
    if end <= start:
        hint = "the end is not part of the period, so it must lie after the start"
        raise InvalidInput("empty_window", "end", hint)


def statement(
    repository: Repository,
    *,
    start: datetime | date,
    end: datetime | date,
    zone: tzinfo | None = None,
    organization_id: str | None = None,
) -> Statement:
    """Return what was created in ``[start, end)``, what of it was cancelled, what is billable.

    A cancellation counts for the period in which the assignment was created, even if it came after
    its end. So a statement stays as it is once its last day can no longer be cancelled, but for
    what support takes back later.

    Args:
        repository: Where the assignments are.
        start: The first instant of the period; a bare ``date`` is the start of that day.
        end: The first instant after it; a bare ``date`` likewise, so that day is not part of it.
        zone: The time zone for days; that of the organization if one is named, else UTC.
        organization_id: Only what this organization is billed.

    Raises:
        NotFound: there is no such organization.
        InvalidInput: the period is empty, or an argument is of the wrong kind.

    Example:
        >>> from course_assignments import InMemoryRepository
        >>> january = statement(
        ...     InMemoryRepository(), start=date(2026, 1, 1), end=date(2026, 2, 1)
        ... )
        >>> january.end.isoformat(), january.totals
        ('2026-02-01T00:00:00+00:00', ())
    """
    check_repository(repository)
    there = _zone_of(repository, organization_id)
    days = there if zone is None else zone
    first, after = _instant(start, days, "start"), _instant(end, days, "end")
    _check_period(first, after)
    query = AssignmentQuery(
        created_from=first,
        created_until=after,
        organization_id=organization_id,
        limit=MAX_PAGE,
    )
    return Statement(
        start=first,
        end=after,
        zone=days,
        organization_id=organization_id,
        lines=[StatementLine.of(one) for one in find_all(repository, query)],
    )


def _zone_of(repository: Repository, organization_id: str | None) -> tzinfo:
    """Return the time zone of the organization, which has to be there if one is named."""
    if organization_id is None:
        return zone_named("UTC")
    validation.check_id(organization_id, "organization_id")
    found = repository.get(Organization, [organization_id])
    if organization_id not in found:
        raise NotFound("Organization", organization_id)
    return found[organization_id].zone


def _instant(value: datetime | date, zone: tzinfo, name: str) -> datetime:
    if not isinstance(value, date):
        raise InvalidInput("not_a_datetime", name, "expected a date, or an aware datetime")
    if isinstance(value, datetime):
        return as_utc(value, name)
    return start_of_day(value, zone, name)
