"""When does access end, and may it end at another time? Rules 1 and 2."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, Protocol

from attrs import field

from course_assignments import validation
from course_assignments.decisions import YES, Decision
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import ExpirationLimit
from course_assignments.frozen import frozen
from course_assignments.policies.access import check_exists
from course_assignments.reasons import ExpiresTooEarly, ExpiresTooLate
from course_assignments.time.datetimes import as_utc, next_tick, out_of_range
from course_assignments.time.durations import Duration, End, Months, end_in_range

#: "assignments expire 180 days after creation unless the organization or course profile specifies a
#: shorter maximum" (rule 1).
MAXIMUM_ACCESS: Final = timedelta(days=180)

#: "by default, this field is set to 6 months" (rule 1).
DEFAULT_ACCESS: Final = Months(6)

_RANKS: Final = {by: rank for rank, by in enumerate(ExpirationLimit)}


@frozen
class Limit:
    """The latest end of access, and which limit sets it.

    >>> at = datetime(2026, 7, 4, tzinfo=UTC)
    >>> Limit(at, ExpirationLimit.MAXIMUM).by
    <ExpirationLimit.MAXIMUM: 'maximum'>
    """

    at: datetime = field(converter=validation.to_utc)
    by: ExpirationLimit = field(validator=validation.one_of(ExpirationLimit))


def earliest(limits: Iterable[Limit]) -> Limit:
    """Return the earliest of *limits*; of equal ones the first in `ExpirationLimit`."""
    return min(limits, key=lambda limit: (limit.at, _RANKS[limit.by]))


def zone_of(organization: Organization | None, end: End) -> tzinfo:
    """Return the time zone in which *end* is counted: only months and dates need the zone."""
    is_exact = isinstance(end, datetime | timedelta)
    return UTC if organization is None or is_exact else organization.zone


class ExpirationRule(Protocol):
    """Protocol for a custom `ExpirationPolicy`."""

    def limit(
        self,
        created_at: datetime,
        *,
        course: Course | None = None,
        organization: Organization | None = None,
    ) -> Limit: ...

    def default_end(
        self,
        created_at: datetime,
        *,
        course: Course | None = None,
        organization: Organization | None = None,
    ) -> Limit: ...

    def evaluate(
        self,
        expires_at: datetime,
        *,
        created_at: datetime,
        course: Course | None = None,
        organization: Organization | None = None,
    ) -> Decision: ...


class RescheduleRule(Protocol):
    """Protocol for a custom `ReschedulePolicy`."""

    def evaluate(
        self, assignment: CourseAssignment, /, *, expires_at: datetime, at: datetime
    ) -> Decision: ...


@frozen
class ExpirationPolicy:
    """End access at the earliest limit, counted from creation (rules 1 and 2).

    Attributes:
        maximum: The longest access. A longer maximum of a course or an organization has no effect.
        default: How long access lasts if the caller requests no end.

    >>> created = datetime(2026, 1, 5, 9, tzinfo=UTC)
    >>> ExpirationPolicy().default_end(created).at.isoformat()
    '2026-07-04T09:00:00+00:00'
    """

    maximum: Duration = field(default=MAXIMUM_ACCESS, converter=validation.to_duration)
    default: Duration = field(default=DEFAULT_ACCESS, converter=validation.to_duration)

    def limit(
        self,
        created_at: datetime,
        *,
        course: Course | None = None,
        organization: Organization | None = None,
    ) -> Limit:
        """Return the latest end of an assignment created at *created_at*."""
        start = as_utc(created_at, "created_at")
        maxima = [(self.maximum, ExpirationLimit.MAXIMUM)]
        if course is not None:
            validation.check_kind(course, "course", Course)
            if course.maximum_access is not None:
                maxima.append((course.maximum_access, ExpirationLimit.COURSE))
        if organization is not None:
            validation.check_kind(organization, "organization", Organization)
            if organization.maximum_access is not None:
                maxima.append((organization.maximum_access, ExpirationLimit.ORGANIZATION))
        limits: list[Limit] = []
        for maximum, by in maxima:
            end = end_in_range(maximum, start, zone_of(organization, maximum))
            if end is not None:  # an end after the year 9899 limits nothing
                limits.append(Limit(end, by))
        if not limits:
            got = f"got limits after that of access from {start.isoformat()}"
            raise out_of_range("created_at", got)
        return limits[0] if len(limits) == 1 else earliest(limits)

    def default_end(
        self,
        created_at: datetime,
        *,
        course: Course | None = None,
        organization: Organization | None = None,
    ) -> Limit:
        """Return the end of an assignment if the caller requests none."""
        start = as_utc(created_at, "created_at")
        limit = self.limit(start, course=course, organization=organization)
        end = end_in_range(self.default, start, zone_of(organization, self.default))
        return limit if end is None else earliest([limit, Limit(end, ExpirationLimit.DEFAULT)])

    def evaluate(
        self,
        expires_at: datetime,
        *,
        created_at: datetime,
        course: Course | None = None,
        organization: Organization | None = None,
    ) -> Decision:
        """Decide whether an assignment may end at *expires_at* (rule 2)."""
        end, start = as_utc(expires_at, "expires_at"), as_utc(created_at, "created_at")
        limit = self.limit(start, course=course, organization=organization)
        if end <= start:
            return Decision([ExpiresTooEarly(next_tick(start) or start)])
        if end > limit.at:
            return Decision([ExpiresTooLate(limit.at, limit.by)])
        return YES


@frozen
class ReschedulePolicy:
    """Allow changing the end of an assignment that is not cancelled (rule 2).

    The end may be now, which ends access. `ExpirationPolicy` decides how late the end may be.

    >>> policy = ReschedulePolicy()
    """

    def evaluate(
        self, assignment: CourseAssignment, *, expires_at: datetime, at: datetime
    ) -> Decision:
        """Decide whether the end of *assignment* may become *expires_at* at *at*."""
        # "a later change ... may revive an expired assignment, never a cancelled one"
        exists = check_exists(assignment, at)
        now, end = as_utc(at), as_utc(expires_at, "expires_at")
        # "an end before now is refused, now ends access"
        if end < now:
            return Decision((*exists.reasons, ExpiresTooEarly(now)))
        if exists:
            return Decision((), next_tick(end))
        return exists if end >= assignment.created_at else Decision(exists.reasons)
