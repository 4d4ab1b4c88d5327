"""The commands as pure functions: records and an instant in, a `Change` out, or `Refused`.

They read no clock, draw nothing at random and store nothing, so they fit into any application that
keeps its records itself. The registrar is what reads before them and commits after them.
"""

from course_assignments.actions.assigning import assign, assign_many, settled
from course_assignments.actions.batches import add_keys, create_keys
from course_assignments.actions.keys import edit_keys, revoke_keys
from course_assignments.actions.learning import finish, start
from course_assignments.actions.lifecycle import cancel, complete, reschedule
from course_assignments.actions.opening import open_course
from course_assignments.actions.pairs import Pair
from course_assignments.actions.pausing import pause, resume
from course_assignments.actions.records import add, anonymize, update
from course_assignments.actions.redeeming import Presented, redeem, register
from course_assignments.actions.subscribing import edit_subscription, subscribe
from course_assignments.actions.unsubscribing import cancel_subscription

__all__ = [
    "Pair",
    "Presented",
    "add",
    "add_keys",
    "anonymize",
    "assign",
    "assign_many",
    "cancel",
    "cancel_subscription",
    "complete",
    "create_keys",
    "edit_keys",
    "edit_subscription",
    "finish",
    "open_course",
    "pause",
    "redeem",
    "register",
    "reschedule",
    "resume",
    "revoke_keys",
    "settled",
    "start",
    "subscribe",
    "update",
]
