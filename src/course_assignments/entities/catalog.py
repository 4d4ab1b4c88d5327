"""Who buys and what is taught: organizations and courses. Values only; no rule lives here."""

from datetime import tzinfo

import attrs
from attrs import converters, field, validators

from course_assignments import validation
from course_assignments.entities.enums import ActivityKind
from course_assignments.errors import InvalidInput
from course_assignments.time.datetimes import zone_named
from course_assignments.time.durations import Duration


@attrs.frozen(kw_only=True)
class Organization:
    """A customer of the training system, who may shorten access for its learners.

    Attributes:
        maximum_access: The longest access its learners get, or ``None`` (rule 1).
        time_zone: The IANA name of the zone on whose calendar its months and days are counted.
        anonymous_registration: Whether a newcomer may register with one of its keys (rule 11).

    Raises:
        InvalidInput: a field is out of bounds, or no such time zone is known.

    Example:
        >>> print(Organization(id="acme", name="Acme", time_zone="Europe/Berlin").zone)
        Europe/Berlin
    """

    id: str = field(validator=validation.identifier)
    name: str = field(validator=validation.name)
    parent_id: str | None = field(
        default=None, validator=validators.optional(validation.identifier)
    )
    maximum_access: Duration | None = field(
        default=None,
        converter=converters.optional(validation.tidy_duration),
        validator=validators.optional(validation.term),
    )
    time_zone: str = field(default="UTC")
    anonymous_registration: bool = field(default=False, validator=validation.flag)

    def __attrs_post_init__(self) -> None:
        zone_named(self.time_zone)
        if self.parent_id == self.id:
            raise InvalidInput("own_parent", "parent_id", "an organization is not its own parent")

    @property
    def zone(self) -> tzinfo:
        """The time zone itself."""
        return zone_named(self.time_zone)


@attrs.frozen(kw_only=True)
class Activity:
    """A part of a course: a lab, a video, a document and so on.

    Attributes:
        required: Whether the course is complete only once this is finished (rule 5).

    Example:
        >>> Activity(id="lab-1", name="First steps", kind=ActivityKind.LAB).required
        False
    """

    id: str = field(validator=validation.identifier)
    name: str = field(validator=validation.name)
    kind: ActivityKind = field(validator=validation.one_of(ActivityKind))
    required: bool = field(default=False, validator=validation.flag)


@attrs.frozen(kw_only=True)
class Course:
    """What a learner is given access to.

    Attributes:
        content_provider: Who made it; without one it cannot be set up for training (rule 22).
        publishing_group: Who publishes it; without one it cannot be set up for training (rule 22).
        activities: Its parts, in order; no two share an id.
        maximum_access: The longest access to it, or ``None`` (rule 1).
        archived: Whether it is kept for what exists only (rule 22).

    Example:
        >>> from datetime import timedelta
        >>> Course(id="py", name="Python", maximum_access=timedelta(days=90)).archived
        False
    """

    id: str = field(validator=validation.identifier)
    name: str = field(validator=validation.name)
    content_provider: str | None = field(
        default=None, validator=validators.optional(validation.name)
    )
    publishing_group: str | None = field(
        default=None, validator=validators.optional(validation.name)
    )
    activities: tuple[Activity, ...] = field(
        default=(), converter=validation.tidy_tuple, validator=validation.each_of(tuple, Activity)
    )
    maximum_access: Duration | None = field(
        default=None,
        converter=converters.optional(validation.tidy_duration),
        validator=validators.optional(validation.term),
    )
    archived: bool = field(default=False, validator=validation.flag)

    def __attrs_post_init__(self) -> None:
        seen: set[str] = set()
        for position, activity in enumerate(self.activities):
            if activity.id in seen:
                path = f"activities[{position}].id"
                raise InvalidInput(
                    "repeated", path, f"{activity.id[:60]!r} is in this course already"
                )
            seen.add(activity.id)
