"""The closed sets of words that records and policies speak. Nothing here decides anything."""

from enum import IntEnum, StrEnum, unique


@unique
class ActivityKind(StrEnum):
    """What a learner does in an activity of a course; only a lab bears on cancelling.

    Example:
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
    """What a user may be entrusted with; rule 21 and rule 4 say what each role opens.

    Example:
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
    """Where an assignment stands at an instant; derived from its instants, never stored.

    Example:
        >>> AssignmentStatus.ACTIVE.value
        'active'
    """

    SCHEDULED = "scheduled"
    ACTIVE = "active"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@unique
class CompletionStatus(IntEnum):
    """How far the learner is, in numbers that sort; a different axis than the status.

    Example:
        >>> CompletionStatus.NOT_STARTED < CompletionStatus.COMPLETE
        True
    """

    NOT_STARTED = 0
    INCOMPLETE = 10
    COMPLETE = 30


@unique
class ExpirationLimit(StrEnum):
    """What set the end of an assignment; of two that fall together the earlier one here wins.

    Example:
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


@unique
class Repeat(StrEnum):
    """What to do when the learner already has an active assignment of the course (rule 15).

    Example:
        >>> Repeat("skip") is Repeat.SKIP
        True
    """

    ALLOW = "allow"
    SKIP = "skip"
    REFUSE = "refuse"


@unique
class Permission(StrEnum):
    """What an actor may be allowed to do; the roles for each are in the authorization policy.

    Example:
        >>> Permission.MANAGE_KEYS.value
        'manage_keys'
    """

    ASSIGN_COURSES = "assign_courses"
    MANAGE_KEYS = "manage_keys"
    SUPPORT = "support"
