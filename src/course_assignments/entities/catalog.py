"""Organizations and their catalog: courses and activities."""

from datetime import tzinfo

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.entities.enums import ActivityKind
from course_assignments.errors import InvalidInput, invalid, mask_id
from course_assignments.frozen import frozen
from course_assignments.time.datetimes import check_zone_name, zone_named
from course_assignments.time.durations import Duration
from course_assignments.validation import items_of, to_duration_or_none, to_tuple


@frozen(kw_only=True)
class Organization:
    """A customer of the training system.

    Attributes:
        maximum_access: The longest access of its learners, or ``None`` (rule 1).
        time_zone: The IANA name of the time zone in which months and days are counted. A machine
            that lacks the zone can read and store the organization.
        anonymous_registration: Whether newcomers may register with its keys (rule 11).

    >>> print(Organization(id="acme", name="Acme", time_zone="Europe/Berlin").zone)
    Europe/Berlin
    """

    id: str = field(validator=validation.identifier)
    name: str = field(validator=validation.name)
    parent_id: str | None = field(default=None, validator=validation.identifier_or_none)
    maximum_access: Duration | None = field(default=None, converter=to_duration_or_none)
    time_zone: str = field(default="UTC", validator=validation.accepted_by(check_zone_name))
    anonymous_registration: bool = field(default=False, validator=validation.flag)

    def __attrs_post_init__(self) -> None:
        if self.parent_id == self.id:
            expected = "expected another organization; an organization cannot be its own parent"
            raise invalid("own_parent", "parent_id", expected, self.parent_id)

    @property
    def zone(self) -> tzinfo:
        """The time zone as a `tzinfo`; raises InvalidInput if this machine lacks it."""
        try:
            return zone_named(self.time_zone)
        except InvalidInput as error:  # whoever needs the zone did not type its name
            hint = f"organization {mask_id(self.id)!r}: {error.hint}"
            raise attrs.evolve(error, hint=hint) from None


@frozen(kw_only=True)
class Activity:
    """A part of a course, such as a lab or a video.

    Attributes:
        required: Whether completing the course requires this activity (rule 5).

    >>> Activity(id="lab-1", name="First steps", kind=ActivityKind.LAB).required
    False
    """

    id: str = field(validator=validation.identifier)
    name: str = field(validator=validation.name)
    kind: ActivityKind = field(validator=validation.one_of(ActivityKind))
    required: bool = field(default=False, validator=validation.flag)


@frozen(kw_only=True)
class Course:
    """A course of the catalog.

    To be assigned it needs a provider and a publishing group, and must not be archived (rule 22).

    Attributes:
        activities: The parts of the course, in order, with distinct ids.
        maximum_access: The longest access to the course, or ``None`` (rule 1).

    >>> Course(id="py", name="Python", maximum_access=timedelta(days=90)).archived
    False
    """

    id: str = field(validator=validation.identifier)
    name: str = field(validator=validation.name)
    content_provider: str | None = field(default=None, validator=validation.name_or_none)
    publishing_group: str | None = field(default=None, validator=validation.name_or_none)
    activities: tuple[Activity, ...] = field(
        default=(), converter=to_tuple[Activity], validator=items_of(Activity, exact=True)
    )
    maximum_access: Duration | None = field(default=None, converter=to_duration_or_none)
    archived: bool = field(default=False, validator=validation.flag)

    def __attrs_post_init__(self) -> None:
        validation.check_distinct((one.id for one in self.activities), "activities[{}].id")
