"""The commands as pure functions: records and an instant in, a `Change` out, or `Refused`.

They read no clock, draw nothing at random and store nothing, so they fit into any application that
keeps its records itself. The registrar is what reads before them and commits after them.
"""

from course_assignments.actions.assigning import assign, assign_many, settled
from course_assignments.actions.batches import add_keys, create_keys
from course_assignments.actions.keys import edit_keys, revoke_keys
from course_assignments.actions.lifecycle import cancel, complete, reschedule
from course_assignments.actions.pairs import Pair
from course_assignments.actions.records import add, anonymise, update
from course_assignments.actions.redeeming import Presented, redeem, register

__all__ = [
    "Pair",
    "Presented",
    "add",
    "add_keys",
    "anonymise",
    "assign",
    "assign_many",
    "cancel",
    "complete",
    "create_keys",
    "edit_keys",
    "redeem",
    "register",
    "reschedule",
    "revoke_keys",
    "settled",
    "update",
]
