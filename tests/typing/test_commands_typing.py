"""What mypy and pyright know of every command; nothing in the functions of types is run."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import assert_type

import pytest

import course_assignments as ca
from course_assignments import commands
from course_assignments.commands import COMMANDS, Context, Outcome
from tests.support.world import ACME, START

DAY = timedelta(days=1)
CONTEXT = Context(START)
#: A record that no command is decided on.
WRONG = ACME


def types_of_add(of: ca.Registrar, user: ca.User, records: commands.Addable) -> None:
    command = commands.Add([user])
    assert_type(of.execute(command), None)
    of.add(user)
    assert_type(of.may_add(user), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[None])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_update(
    of: ca.Registrar, course: ca.Course, records: commands.Updatable[ca.Course]
) -> None:
    command = commands.Update(course)
    assert_type(of.update(course), ca.Course)
    assert_type(of.execute(command), ca.Course)
    assert_type(of.may_update(course), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.Course])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_anonymize(of: ca.Registrar, records: ca.User) -> None:
    command = commands.Anonymize("u")
    assert_type(of.anonymize("u"), ca.User)
    assert_type(of.execute(command), ca.User)
    assert_type(of.may_anonymize("u"), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.User])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_assign(of: ca.Registrar, records: commands.Assignable) -> None:
    command = commands.Assign("c", "u")
    assert_type(of.assign("c", "u"), ca.CourseAssignment)
    assert_type(of.execute(command), ca.CourseAssignment)
    assert_type(of.may_assign("c", "u"), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.CourseAssignment])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_assign_many(of: ca.Registrar, user: ca.User, records: commands.Roster) -> None:
    command = commands.AssignMany(["c"], ["u", user])
    assert_type(of.assign_many(["c"], ["u", user]), ca.AssignmentBatch)
    assert_type(of.execute(command), ca.AssignmentBatch)
    assert_type(of.may_assign_many(["c"], ["u", user]), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.AssignmentBatch])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_cancel(of: ca.Registrar, records: commands.Cancellable) -> None:
    command = commands.Cancel("a")
    assert_type(of.cancel("a"), ca.CourseAssignment)
    assert_type(of.execute(command), ca.CourseAssignment)
    assert_type(of.may_cancel("a"), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.CourseAssignment])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_reschedule(of: ca.Registrar, records: commands.Reschedulable) -> None:
    command = commands.Reschedule("a", DAY)
    assert_type(of.reschedule("a", DAY), ca.CourseAssignment)
    assert_type(of.execute(command), ca.CourseAssignment)
    assert_type(of.may_reschedule("a", DAY), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.CourseAssignment])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_add_note(of: ca.Registrar, records: commands.Assigned) -> None:
    note = ca.Note(title="Renewal", message="Paid until June.")
    command = commands.AddNote("a", note)
    assert_type(of.add_note("a", note), ca.CourseAssignment)
    assert_type(of.execute(command), ca.CourseAssignment)
    assert_type(of.may_add_note("a", note), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.CourseAssignment])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_complete(of: ca.Registrar, records: commands.Assigned) -> None:
    command = commands.Complete("a")
    assert_type(of.complete("a"), ca.CourseAssignment)
    assert_type(of.execute(command), ca.CourseAssignment)
    assert_type(of.may_complete("a"), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.CourseAssignment])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_start(of: ca.Registrar, records: commands.Startable) -> None:
    command = commands.Start("a", "lab")
    assert_type(of.start("a", "lab"), ca.Attempt)
    assert_type(of.execute(command), ca.Attempt)
    assert_type(of.may_start("a", "lab"), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.Attempt])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_pause(of: ca.Registrar, records: commands.Attempted) -> None:
    command = commands.Pause("t")
    assert_type(of.pause("t"), ca.Attempt)
    assert_type(of.execute(command), ca.Attempt)
    assert_type(of.may_pause("t"), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.Attempt])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_resume(of: ca.Registrar, records: commands.Attempted) -> None:
    command = commands.Resume("t")
    assert_type(of.resume("t"), ca.Attempt)
    assert_type(of.execute(command), ca.Attempt)
    assert_type(of.may_resume("t"), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.Attempt])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_finish(of: ca.Registrar, records: commands.Finishable) -> None:
    command = commands.Finish("t")
    assert_type(of.finish("t"), ca.Attempt)
    assert_type(of.execute(command), ca.Attempt)
    assert_type(of.may_finish("t"), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.Attempt])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_create_keys(of: ca.Registrar, records: commands.BatchToCreate) -> None:
    command = commands.CreateKeys("c", name="K", organization_id="o", availability=DAY)
    assert_type(of.create_keys("c", name="K", organization_id="o", availability=DAY), ca.KeyBatch)
    assert_type(of.execute(command), ca.KeyBatch)
    assert_type(
        of.may_create_keys("c", name="K", organization_id="o", availability=DAY), ca.Decision
    )
    assert_type(command.decide(records, CONTEXT), Outcome[ca.KeyBatch])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_add_keys(of: ca.Registrar, records: commands.BatchToExtend) -> None:
    command = commands.AddKeys("b", generate=1)
    assert_type(of.add_keys("b", generate=1), ca.KeyBatch)
    assert_type(of.execute(command), ca.KeyBatch)
    assert_type(of.may_add_keys("b", generate=1), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.KeyBatch])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_edit_keys(of: ca.Registrar, records: commands.BatchAndKeys) -> None:
    command = commands.EditKeys("b", max_uses=None)
    assert_type(of.edit_keys("b", max_uses=None), ca.KeyBatch)
    assert_type(of.execute(command), ca.KeyBatch)
    assert_type(of.may_edit_keys("b", max_uses=None), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.KeyBatch])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_revoke_key(of: ca.Registrar, records: commands.BatchAndKeys) -> None:
    command = commands.RevokeKey("Code-2026")
    assert_type(of.revoke_key("Code-2026"), ca.TrainingKey)
    assert_type(of.execute(command), ca.TrainingKey)
    assert_type(of.may_revoke_key("Code-2026"), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.TrainingKey])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_revoke_keys(of: ca.Registrar, records: commands.BatchAndKeys) -> None:
    command = commands.RevokeKeys("b")
    assert_type(of.revoke_keys("b"), ca.KeyBatch)
    assert_type(of.execute(command), ca.KeyBatch)
    assert_type(of.may_revoke_keys("b"), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.KeyBatch])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_keys(of: ca.Registrar, records: ca.KeyBatch) -> None:
    command = commands.Keys("b")
    assert_type(of.keys("b"), Iterator[ca.TrainingKey])
    assert_type(of.execute(command), ca.KeyBatch)
    assert_type(of.may_keys("b"), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.KeyBatch])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_redeem(of: ca.Registrar, records: commands.Redeemable) -> None:
    command = commands.Redeem("Code-2026", "u")
    assert_type(of.redeem("Code-2026", "u"), ca.CourseAssignment)
    assert_type(of.execute(command), ca.CourseAssignment)
    assert_type(of.may_redeem("Code-2026", "u"), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.CourseAssignment])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_register(of: ca.Registrar, user: ca.User, records: commands.Registrable) -> None:
    command = commands.Register("Code-2026", user)
    assert_type(of.register("Code-2026", user), ca.CourseAssignment)
    assert_type(of.execute(command), ca.CourseAssignment)
    assert_type(of.may_register("Code-2026", user), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.CourseAssignment])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_subscribe(of: ca.Registrar, records: commands.Subscribable) -> None:
    command = commands.Subscribe(["c"], "u", duration=DAY)
    assert_type(of.subscribe(["c"], "u", duration=DAY), ca.Subscription)
    assert_type(of.execute(command), ca.Subscription)
    assert_type(of.may_subscribe(["c"], "u", duration=DAY), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.Subscription])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_edit_subscription(of: ca.Registrar, records: commands.EditableSubscription) -> None:
    command = commands.EditSubscription("s", ["c"])
    assert_type(of.edit_subscription("s", ["c"]), ca.Subscription)
    assert_type(of.execute(command), ca.Subscription)
    assert_type(of.may_edit_subscription("s", ["c"]), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.Subscription])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_cancel_subscription(
    of: ca.Registrar, records: commands.CancellableSubscription
) -> None:
    command = commands.CancelSubscription("s")
    assert_type(of.cancel_subscription("s"), ca.Subscription)
    assert_type(of.execute(command), ca.Subscription)
    assert_type(of.may_cancel_subscription("s"), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.Subscription])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_open_course(of: ca.Registrar, records: commands.Openable) -> None:
    command = commands.OpenCourse("s", "c")
    assert_type(of.open_course("s", "c"), ca.CourseAssignment)
    assert_type(of.execute(command), ca.CourseAssignment)
    assert_type(of.may_open_course("s", "c"), ca.Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[ca.CourseAssignment])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_types_of_every_command_are_checked(name: str) -> None:
    command = f"\n    command = commands.{COMMANDS[name].__name__}("
    _, found = Path(__file__).read_text(encoding="utf-8").split(f"\ndef types_of_{name}(")
    checked = found.partition("\ndef ")[0].replace("assert_type(\n        ", "assert_type(")
    assert command in checked
    calls = ["of.execute(command", f"of.may_{name}(", "command.decide(records"]
    calls += [] if name == "add" else [f"of.{name}("]  # which returns None
    assert [one for one in calls if f"assert_type({one}" not in checked] == []
    assert "command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]" in checked
