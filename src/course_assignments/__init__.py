"""Business rules for self-paced training.

You can import all public names from here. Examples in docstrings use these names and `datetime`
without importing them. `course_assignments.commands` describes their ``registrar`` and ``clock``.
"""

from importlib.metadata import version
from typing import TYPE_CHECKING

from _course_assignments_hypothesis import register as _register_strategies
from course_assignments import commands, reasons
from course_assignments.changes import Amend, Change, Event, Record, Replace, Use
from course_assignments.decisions import Decision, Refused
from course_assignments.entities import codes
from course_assignments.entities.assignments import (
    AssignmentBatch,
    Claim,
    CourseAssignment,
    Direct,
    FromKey,
    FromSubscription,
    Note,
    Origin,
)
from course_assignments.entities.attempts import Attempt, Pause
from course_assignments.entities.catalog import Activity, Course, Organization
from course_assignments.entities.codes import read_codes
from course_assignments.entities.enums import (
    ActivityKind,
    AssignmentStatus,
    CompletionStatus,
    ExpirationLimit,
    Permission,
    Repeat,
    Role,
)
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.receipts import Receipt
from course_assignments.entities.subscriptions import Opening, Subscription
from course_assignments.errors import (
    Conflict,
    CourseAssignmentsError,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    StorageBusy,
    StorageError,
)
from course_assignments.export.cells import read_cell
from course_assignments.export.writer import ExportColumn, export_csv
from course_assignments.invitations.message import invitation
from course_assignments.invitations.template import InvitationTemplate
from course_assignments.memory import InMemoryRepository
from course_assignments.policies import Policies
from course_assignments.policies.access import (
    AccessPolicy,
    AttemptPolicy,
    CompletionPolicy,
    FinishPolicy,
)
from course_assignments.policies.authorization import AuthorizationPolicy
from course_assignments.policies.availability import CourseAvailabilityPolicy
from course_assignments.policies.cancellation import CancellationPolicy
from course_assignments.policies.expiration import ExpirationPolicy, Limit, ReschedulePolicy
from course_assignments.policies.redemption import KeyRedemptionPolicy
from course_assignments.policies.registration import RegistrationPolicy
from course_assignments.policies.repetition import RepeatPolicy
from course_assignments.policies.subscription import SubscriptionPolicy
from course_assignments.queries import (
    AssignmentQuery,
    AttemptQuery,
    BatchQuery,
    CourseQuery,
    EventQuery,
    KeyQuery,
    OrganizationQuery,
    Query,
    RedemptionQuery,
    SubscriptionQuery,
    UserQuery,
)
from course_assignments.reasons import CustomReason, ForAssignment, Reason
from course_assignments.registrar import Registrar
from course_assignments.repository import Page, Repository, find_all
from course_assignments.serialization import to_dict
from course_assignments.time.clocks import Clock, ManualClock, system_clock
from course_assignments.time.durations import (
    Duration,
    DurationLike,
    EndLike,
    Months,
    format_duration,
    parse_duration,
)
from course_assignments.views.billing import Statement, StatementLine, StatementTotal, statement
from course_assignments.views.dashboard import Dashboard, DashboardPolicy, dashboard
from course_assignments.views.training import current_training, expiring, transcript

__all__ = ["AccessPolicy", "Activity", "ActivityKind", "Amend", "AssignmentBatch"]
__all__ += ["AssignmentQuery"]
__all__ += ["AssignmentStatus", "Attempt", "AttemptPolicy", "AttemptQuery", "AuthorizationPolicy"]
__all__ += ["BatchQuery", "CancellationPolicy", "Change", "Claim", "Clock", "CompletionPolicy"]
__all__ += ["CompletionStatus", "Conflict", "Course", "CourseAssignment", "CourseAssignmentsError"]
__all__ += ["CourseAvailabilityPolicy", "CourseQuery", "CustomReason", "Dashboard"]
__all__ += ["DashboardPolicy", "Decision", "Direct", "Duration", "DurationLike", "EndLike", "Event"]
__all__ += ["EventQuery", "ExpirationLimit", "ExpirationPolicy", "ExportColumn", "FinishPolicy"]
__all__ += ["ForAssignment", "FromKey", "FromSubscription", "InMemoryRepository", "InvalidInput"]
__all__ += ["InvitationTemplate", "KeyBatch", "KeyQuery", "KeyRedemptionPolicy", "Limit"]
__all__ += ["ManualClock", "Months", "NotFound", "Note", "Opening", "Organization"]
__all__ += ["OrganizationQuery", "Origin", "OutcomeUnknown", "Page", "Pause", "Permission"]
__all__ += ["Policies", "Query", "Reason", "Receipt", "Record", "Redemption", "RedemptionQuery"]
__all__ += ["Refused", "Registrar", "RegistrationPolicy", "Repeat", "RepeatPolicy", "Replace"]
__all__ += ["Repository", "ReschedulePolicy", "Role", "Statement", "StatementLine"]
__all__ += ["StatementTotal", "StorageBusy", "StorageError", "Subscription", "SubscriptionPolicy"]
__all__ += ["SubscriptionQuery", "TrainingKey", "Use", "User", "UserQuery", "codes", "commands"]
__all__ += ["current_training", "dashboard", "expiring", "export_csv", "find_all"]
__all__ += ["format_duration", "invitation", "parse_duration", "read_cell", "read_codes", "reasons"]
__all__ += ["statement", "system_clock", "to_dict", "transcript"]

_register_strategies()

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name: str) -> str:
        """Look up the version of the installed distribution."""
        if name == "__version__":
            return version("course-assignments")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
