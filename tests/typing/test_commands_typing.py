"""What mypy and pyright know of every command; nothing in the functions of types is run."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import assert_type

import pytest

from course_assignments import (
    AssignmentBatch,
    Attempt,
    Course,
    CourseAssignment,
    Decision,
    KeyBatch,
    Note,
    Registrar,
    Subscription,
    TrainingKey,
    User,
    commands,
)
from course_assignments.commands import COMMANDS, Context, Outcome
from tests.support.world import ACME, START

DAY = timedelta(days=1)
CONTEXT = Context(START)
#: A record that no command is decided on.
WRONG = ACME


def types_of_add(of: Registrar, user: User, records: commands.Addable) -> None:
    command = commands.Add([user])
    assert_type(of.execute(command), None)
    of.add(user)
    assert_type(of.may_add(user), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[None])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_update(of: Registrar, course: Course, records: commands.Updatable[Course]) -> None:
    command = commands.Update(course)
    assert_type(of.update(course), Course)
    assert_type(of.execute(command), Course)
    assert_type(of.may_update(course), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[Course])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_anonymize(of: Registrar, records: User) -> None:
    command = commands.Anonymize("u")
    assert_type(of.anonymize("u"), User)
    assert_type(of.execute(command), User)
    assert_type(of.may_anonymize("u"), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[User])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_assign(of: Registrar, records: commands.Assignable) -> None:
    command = commands.Assign("c", "u")
    assert_type(of.assign("c", "u"), CourseAssignment)
    assert_type(of.execute(command), CourseAssignment)
    assert_type(of.may_assign("c", "u"), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[CourseAssignment])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_assign_many(of: Registrar, user: User, records: commands.Roster) -> None:
    command = commands.AssignMany(["c"], ["u", user])
    assert_type(of.assign_many(["c"], ["u", user]), AssignmentBatch)
    assert_type(of.execute(command), AssignmentBatch)
    assert_type(of.may_assign_many(["c"], ["u", user]), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[AssignmentBatch])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_cancel(of: Registrar, records: commands.Cancellable) -> None:
    command = commands.Cancel("a")
    assert_type(of.cancel("a"), CourseAssignment)
    assert_type(of.execute(command), CourseAssignment)
    assert_type(of.may_cancel("a"), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[CourseAssignment])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_reschedule(of: Registrar, records: commands.Reschedulable) -> None:
    command = commands.Reschedule("a", DAY)
    assert_type(of.reschedule("a", DAY), CourseAssignment)
    assert_type(of.execute(command), CourseAssignment)
    assert_type(of.may_reschedule("a", DAY), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[CourseAssignment])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_add_note(of: Registrar, records: commands.Assigned) -> None:
    note = Note(title="Renewal", message="Paid until June.")
    command = commands.AddNote("a", note)
    assert_type(of.add_note("a", note), CourseAssignment)
    assert_type(of.execute(command), CourseAssignment)
    assert_type(of.may_add_note("a", note), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[CourseAssignment])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_complete(of: Registrar, records: commands.Assigned) -> None:
    command = commands.Complete("a")
    assert_type(of.complete("a"), CourseAssignment)
    assert_type(of.execute(command), CourseAssignment)
    assert_type(of.may_complete("a"), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[CourseAssignment])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_start(of: Registrar, records: commands.Startable) -> None:
    command = commands.Start("a", "lab")
    assert_type(of.start("a", "lab"), Attempt)
    assert_type(of.execute(command), Attempt)
    assert_type(of.may_start("a", "lab"), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[Attempt])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_pause(of: Registrar, records: commands.Attempted) -> None:
    command = commands.Pause("t")
    assert_type(of.pause("t"), Attempt)
    assert_type(of.execute(command), Attempt)
    assert_type(of.may_pause("t"), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[Attempt])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_resume(of: Registrar, records: commands.Attempted) -> None:
    command = commands.Resume("t")
    assert_type(of.resume("t"), Attempt)
    assert_type(of.execute(command), Attempt)
    assert_type(of.may_resume("t"), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[Attempt])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_finish(of: Registrar, records: commands.Finishable) -> None:
    command = commands.Finish("t")
    assert_type(of.finish("t"), Attempt)
    assert_type(of.execute(command), Attempt)
    assert_type(of.may_finish("t"), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[Attempt])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_create_keys(of: Registrar, records: commands.BatchToCreate) -> None:
    command = commands.CreateKeys("c", name="K", organization_id="o", availability=DAY)
    assert_type(of.create_keys("c", name="K", organization_id="o", availability=DAY), KeyBatch)
    assert_type(of.execute(command), KeyBatch)
    assert_type(of.may_create_keys("c", name="K", organization_id="o", availability=DAY), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[KeyBatch])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_add_keys(of: Registrar, records: commands.BatchToExtend) -> None:
    command = commands.AddKeys("b", generate=1)
    assert_type(of.add_keys("b", generate=1), KeyBatch)
    assert_type(of.execute(command), KeyBatch)
    assert_type(of.may_add_keys("b", generate=1), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[KeyBatch])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_edit_keys(of: Registrar, records: commands.BatchAndKeys) -> None:
    command = commands.EditKeys("b", max_uses=None)
    assert_type(of.edit_keys("b", max_uses=None), KeyBatch)
    assert_type(of.execute(command), KeyBatch)
    assert_type(of.may_edit_keys("b", max_uses=None), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[KeyBatch])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_revoke_key(of: Registrar, records: commands.BatchAndKeys) -> None:
    command = commands.RevokeKey("Code-2026")
    assert_type(of.revoke_key("Code-2026"), TrainingKey)
    assert_type(of.execute(command), TrainingKey)
    assert_type(of.may_revoke_key("Code-2026"), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[TrainingKey])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_revoke_keys(of: Registrar, records: commands.BatchAndKeys) -> None:
    command = commands.RevokeKeys("b")
    assert_type(of.revoke_keys("b"), tuple[TrainingKey, ...])
    assert_type(of.execute(command), tuple[TrainingKey, ...])
    assert_type(of.may_revoke_keys("b"), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[tuple[TrainingKey, ...]])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_keys(of: Registrar, records: KeyBatch) -> None:
    command = commands.Keys("b")
    assert_type(of.keys("b"), Iterator[TrainingKey])
    assert_type(of.execute(command), KeyBatch)
    assert_type(of.may_keys("b"), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[KeyBatch])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_redeem(of: Registrar, records: commands.Redeemable) -> None:
    command = commands.Redeem("Code-2026", "u")
    assert_type(of.redeem("Code-2026", "u"), CourseAssignment)
    assert_type(of.execute(command), CourseAssignment)
    assert_type(of.may_redeem("Code-2026", "u"), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[CourseAssignment])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_register(of: Registrar, user: User, records: commands.Registrable) -> None:
    command = commands.Register("Code-2026", user)
    assert_type(of.register("Code-2026", user), CourseAssignment)
    assert_type(of.execute(command), CourseAssignment)
    assert_type(of.may_register("Code-2026", user), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[CourseAssignment])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_subscribe(of: Registrar, records: commands.Subscribable) -> None:
    command = commands.Subscribe(["c"], "u", duration=DAY)
    assert_type(of.subscribe(["c"], "u", duration=DAY), Subscription)
    assert_type(of.execute(command), Subscription)
    assert_type(of.may_subscribe(["c"], "u", duration=DAY), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[Subscription])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_edit_subscription(of: Registrar, records: commands.EditableSubscription) -> None:
    command = commands.EditSubscription("s", ["c"])
    assert_type(of.edit_subscription("s", ["c"]), Subscription)
    assert_type(of.execute(command), Subscription)
    assert_type(of.may_edit_subscription("s", ["c"]), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[Subscription])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_cancel_subscription(of: Registrar, records: commands.CancellableSubscription) -> None:
    command = commands.CancelSubscription("s")
    assert_type(of.cancel_subscription("s"), Subscription)
    assert_type(of.execute(command), Subscription)
    assert_type(of.may_cancel_subscription("s"), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[Subscription])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


def types_of_open_course(of: Registrar, records: commands.Openable) -> None:
    command = commands.OpenCourse("s", "c")
    assert_type(of.open_course("s", "c"), CourseAssignment)
    assert_type(of.execute(command), CourseAssignment)
    assert_type(of.may_open_course("s", "c"), Decision)
    assert_type(command.decide(records, CONTEXT), Outcome[CourseAssignment])
    command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_types_of_every_command_are_checked(name: str) -> None:
    command = f"\n    command = commands.{COMMANDS[name].__name__}("
    _, found = Path(__file__).read_text(encoding="utf-8").split(f"\ndef types_of_{name}(")
    checked = found.partition("\ndef ")[0]
    assert command in checked
    calls = ["of.execute(command", f"of.may_{name}(", "command.decide(records"]
    calls += [] if name == "add" else [f"of.{name}("]  # which returns None
    assert [one for one in calls if f"assert_type({one}" not in checked] == []
    assert "command.decide(WRONG, CONTEXT)  # type: ignore[arg-type]" in checked
