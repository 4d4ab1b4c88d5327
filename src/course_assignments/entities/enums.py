"""The enums of records and policies."""

from enum import IntEnum, StrEnum, unique


@unique
class ActivityKind(StrEnum):
    """The kind of an activity; only labs matter for cancellation.

    >>> ActivityKind("lab")
    <ActivityKind.LAB: 'lab'>
    """

    LAB = "lab"
    VIDEO = "video"
    SCORM = "scorm"
    LTI = "lti"
    LINK = "link"
    ASSESSMENT = "assessment"
    DOCUMENT = "document"


@unique
class Role(StrEnum):
    """What a user may do for others (rules 4 and 21).

    >>> Role("support").name
    'SUPPORT'
    """

    COMPANY_TRAINING_MANAGER = "company_training_manager"
    ENROLLMENT_MANAGER = "enrollment_manager"
    OPERATIONS_MANAGER = "operations_manager"
    SALES_MANAGER = "sales_manager"
    SUPPORT = "support"


@unique
class AssignmentStatus(StrEnum):
    """The status of an assignment at a given time; computed, never stored.

    >>> AssignmentStatus.ACTIVE.value
    'active'
    """

    SCHEDULED = "scheduled"
    ACTIVE = "active"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@unique
class CompletionStatus(IntEnum):
    """The learner's progress, as numbers that sort; independent of the status.

    >>> CompletionStatus.NOT_STARTED < CompletionStatus.COMPLETE
    True
    """

    NOT_STARTED = 0
    INCOMPLETE = 10
    COMPLETE = 30


@unique
class ExpirationLimit(StrEnum):
    """The limit that set the end of an assignment; of equal limits the first one here.

    >>> list(ExpirationLimit)[0]
    <ExpirationLimit.REQUEST: 'request'>
    """

    REQUEST = "request"
    KEY = "key"
    SUBSCRIPTION = "subscription"
    COURSE = "course"
    ORGANIZATION = "organization"
    MAXIMUM = "maximum"
    DEFAULT = "default"
    SUPPORT = "support"


@unique
class Repeat(StrEnum):
    """What to do if the learner has an active assignment of the course (rule 15).

    >>> Repeat("skip") is Repeat.SKIP
    True
    """

    ALLOW = "allow"
    SKIP = "skip"
    REFUSE = "refuse"


@unique
class Permission(StrEnum):
    """An action that needs a role; `AuthorizationPolicy` has the roles for each.

    >>> Permission.MANAGE_KEYS.value
    'manage_keys'
    """

    ASSIGN_COURSES = "assign_courses"
    MANAGE_KEYS = "manage_keys"
    MANAGE_USERS = "manage_users"
    MANAGE_COURSES = "manage_courses"
    MANAGE_ORGANIZATIONS = "manage_organizations"
    SUPPORT = "support"
