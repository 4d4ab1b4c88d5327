"""Commands: pure values that say what to read and decide what to store.

Each command is a frozen value. `Command.read` reads the records that it needs. `Command.decide`
returns the result with the change to commit, or raises `Refused`. A `Registrar` calls both and
commits. An application with its own tables can call ``decide`` with its own records.

In the examples, ``registrar`` has these records: The course ``py`` has the lab ``lab``; the course
``sql`` has none. The organization ``acme`` has the learners ``ada`` and ``bo``. The batch
``spring`` has the key ``Spring-2026``. The clock, ``clock``, shows 2026-01-05 09:00 UTC.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeGuard

from course_assignments.commands.assigning import Assign, Assignable, AssignMany, Roster
from course_assignments.commands.base import Command, Context, Outcome
from course_assignments.commands.changing import (
    AddNote,
    Assigned,
    Cancel,
    Cancellable,
    Complete,
    Reschedulable,
    Reschedule,
)
from course_assignments.commands.keys import (
    UNSET,
    AddKeys,
    BatchAndKeys,
    BatchToCreate,
    BatchToExtend,
    CreateKeys,
    EditKeys,
    Keys,
    RevokeKey,
    RevokeKeys,
    Unset,
)
from course_assignments.commands.learning import (
    Attempted,
    Finish,
    Finishable,
    Pause,
    Resume,
    Start,
    Startable,
)
from course_assignments.commands.profiles import Add, Addable, Anonymize, Profile, Updatable, Update
from course_assignments.commands.reader import Reader
from course_assignments.commands.redeeming import Redeem, Redeemable, Register, Registrable
from course_assignments.commands.subscribing import (
    CancellableSubscription,
    CancelSubscription,
    EditableSubscription,
    EditSubscription,
    Openable,
    OpenCourse,
    Subscribable,
    Subscribe,
    Subscribed,
)


def _is_command(thing: object) -> TypeGuard[type[Command[Any, Any]]]:
    return isinstance(thing, type) and issubclass(thing, Command) and thing is not Command


#: All commands by name; `Registrar` has a method of each name.
COMMANDS: Final[Mapping[str, type[Command[Any, Any]]]] = MappingProxyType(
    {one.action: one for one in filter(_is_command, tuple(vars().values()))}
)

__all__ = ["COMMANDS", "UNSET", "Add", "AddKeys", "AddNote", "Addable", "Anonymize", "Assign"]
__all__ += ["AssignMany", "Assignable", "Assigned", "Attempted", "BatchAndKeys", "BatchToCreate"]
__all__ += ["BatchToExtend", "Cancel", "CancelSubscription", "Cancellable"]
__all__ += ["CancellableSubscription", "Command", "Complete", "Context", "CreateKeys", "EditKeys"]
__all__ += ["EditSubscription", "EditableSubscription", "Finish", "Finishable", "Keys"]
__all__ += ["OpenCourse", "Openable", "Outcome", "Pause", "Profile", "Reader", "Redeem"]
__all__ += ["Redeemable", "Register", "Registrable", "Reschedulable", "Reschedule", "Resume"]
__all__ += ["RevokeKey", "RevokeKeys", "Roster", "Start", "Startable", "Subscribable", "Subscribe"]
__all__ += ["Subscribed", "Unset", "Updatable", "Update"]
