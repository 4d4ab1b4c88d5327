"""When does access end, and may it end then? Rules 1 and 2."""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.decisions import Decision
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import ExpirationLimit
from course_assignments.policies import defaults
from course_assignments.reasons import ExpiresTooEarly, ExpiresTooLate
from course_assignments.time.datetimes import as_utc, next_tick, out_of_range
from course_assignments.time.durations import Duration, end_in_range

_RANK = {limit: rank for rank, limit in enumerate(ExpirationLimit)}


@attrs.frozen
class Limit:
    """An end that access cannot pass, and whose it is.

    Example:
        >>> at = datetime(2026, 7, 4, tzinfo=UTC)
        >>> Limit(at, ExpirationLimit.MAXIMUM).by
        <ExpirationLimit.MAXIMUM: 'maximum'>
    """

    at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)
    by: ExpirationLimit = field(validator=validation.one_of(ExpirationLimit))


def earliest(ceilings: Iterable[Limit]) -> Limit:
    """Return the earliest of *ceilings*; of equal ones the first in the order of the enum.

    Example:
        >>> at = datetime(2026, 7, 4, tzinfo=UTC)
        >>> earliest([Limit(at, ExpirationLimit.MAXIMUM), Limit(at, ExpirationLimit.KEY)]).by
        <ExpirationLimit.KEY: 'key'>
    """
    return min(ceilings, key=lambda ceiling: (ceiling.at, _RANK[ceiling.by]))


def zone_of(organization: Organization | None) -> tzinfo:
    """Return the zone on whose calendar months and days count: the organization's, else UTC.

    Example:
        >>> zone_of(None)
        datetime.timezone.utc
    """
    return UTC if organization is None else organization.zone


@attrs.frozen
class ExpirationPolicy:
    """Access ends at the earliest of all ceilings, counted from creation (rules 1 and 2).

    A longer maximum of a course or an organization never lengthens.

    Attributes:
        maximum: The longest access anyone gets.
        default: How long access lasts when nothing was asked for.

    Raises:
        InvalidInput: one of them is not a positive length of at most 100 years.

    Example:
        >>> created = datetime(2026, 1, 5, 9, tzinfo=UTC)
        >>> ExpirationPolicy().default_end(created).at.isoformat()
        '2026-07-04T09:00:00+00:00'
    """

    maximum: Duration = field(
        default=defaults.MAXIMUM_ACCESS,
        converter=validation.tidy_duration,
        validator=validation.term,
    )
    default: Duration = field(
        default=defaults.DEFAULT_ACCESS,
        converter=validation.tidy_duration,
        validator=validation.term,
    )

    def limit(
        self,
        created_at: datetime,
        *,
        course: Course | None = None,
        organization: Organization | None = None,
    ) -> Limit:
        """Return the latest end that an assignment created at *created_at* may have.

        A ceiling behind every accepted instant limits nothing.

        Raises:
            InvalidInput: an argument is of the wrong kind, *created_at* is naive, or there is no
                ceiling before the year 9900.
        """
        start = as_utc(created_at, "created_at")
        zone = zone_of(_checked(organization))
        terms = [(self.maximum, ExpirationLimit.MAXIMUM)]
        if organization is not None and organization.maximum_access is not None:
            terms.append((organization.maximum_access, ExpirationLimit.ORGANIZATION))
        if course is not None:
            validation.check_kind(course, "course", Course)
            if course.maximum_access is not None:
                terms.append((course.maximum_access, ExpirationLimit.COURSE))
        ends = ((end_in_range(term, start, zone), by) for term, by in terms)
        ceilings = [Limit(end, by) for end, by in ends if end is not None]
        if not ceilings:
            raise out_of_range("created_at")
        return earliest(ceilings)

    def default_end(
        self,
        created_at: datetime,
        *,
        course: Course | None = None,
        organization: Organization | None = None,
    ) -> Limit:
        """Return the end that an assignment gets when nothing else was asked for.

        Raises:
            InvalidInput: an argument is of the wrong kind, or *created_at* is naive.
        """
        limit = self.limit(created_at, course=course, organization=organization)
        start = as_utc(created_at, "created_at")
        end = end_in_range(self.default, start, zone_of(organization))
        return limit if end is None else earliest([limit, Limit(end, ExpirationLimit.DEFAULT)])

    def evaluate(
        self,
        expires_at: datetime,
        *,
        created_at: datetime,
        course: Course | None = None,
        organization: Organization | None = None,
    ) -> Decision:
        """Return whether an assignment created at *created_at* may end at *expires_at* (rule 2).

        Raises:
            InvalidInput: an argument is of the wrong kind, or an instant is naive.
        """
        end, start = as_utc(expires_at, "expires_at"), as_utc(created_at, "created_at")
        limit = self.limit(start, course=course, organization=organization)
        if end <= start:
            return Decision((ExpiresTooEarly(next_tick(start) or start),))
        if end > limit.at:
            return Decision((ExpiresTooLate(limit.at, limit.by),))
        return Decision()


def _checked(organization: Organization | None) -> Organization | None:
    if organization is not None:
        validation.check_kind(organization, "organization", Organization)
    return organization
