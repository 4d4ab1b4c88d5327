"""Who may do what, and in which situation: tables worked out from the rules by hand."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import attrs
import pytest

from course_assignments import ManualClock, Note, Registrar, Role, User
from course_assignments.commands import (
    COMMANDS,
    Add,
    AddKeys,
    AddNote,
    Anonymize,
    Assign,
    AssignMany,
    Cancel,
    CancelSubscription,
    Command,
    Complete,
    CreateKeys,
    EditKeys,
    EditSubscription,
    Finish,
    Keys,
    OpenCourse,
    Pause,
    Redeem,
    Register,
    Reschedule,
    Resume,
    RevokeKey,
    RevokeKeys,
    Start,
    Subscribe,
    Update,
)
from tests.support.rules import codes
from tests.support.strategies import US
from tests.support.world import ADA, START, world

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CODE = "Spring-2026"
NEWCOMER = User(id="new", name="New", email="new@example.org")

Prepare = Callable[[Registrar, ManualClock], object]


def rows(table: str) -> Iterator[tuple[str, str, list[str]]]:
    """Give each cell of *table*: its row, its column, and the codes of the refusal.

    Cells are separated by two spaces; "yes" is no code, and a comma separates codes.
    """
    heading, *lines = (line.split("  ") for line in table.strip().splitlines())
    names = [name.strip() for name in heading if name.strip()]
    for line in lines:
        row, *cells = [cell.strip() for cell in line if cell.strip()]
        for column, cell in zip(names, cells, strict=True):
            yield row, column, [] if cell == "yes" else cell.split(",")


def launch(registrar: Registrar, clock: ManualClock) -> str:
    clock.advance(HOUR)
    return registrar.start("a-1", "lab").id


#: What happens to an assignment of ten days before it is asked about, and when.
SITUATIONS: dict[str, tuple[Prepare, timedelta]] = {
    "before creation": (lambda _, __: None, -timedelta(seconds=2)),
    "a little before": (lambda _, __: None, US - timedelta(seconds=2)),
    "created": (lambda _, __: None, timedelta(0)),
    "24 hours old": (lambda _, __: None, DAY),
    "a tick older": (lambda _, __: None, DAY + US),
    "lab launched": (launch, 2 * HOUR),
    "lab finished": (lambda one, clock: one.finish(launch(one, clock)), 2 * HOUR),
    "completed": (lambda one, _: one.complete("a-1"), HOUR),
    "expired": (lambda _, __: None, 10 * DAY),
    "cancelled": (lambda one, _: one.cancel("a-1"), HOUR),
    "cancelled, expired": (lambda one, _: one.cancel("a-1"), 10 * DAY),
}

ASKED: dict[str, Command[Any, Any]] = {
    "cancel": Cancel("a-1"),
    "by support": Cancel("a-1", support_reason="moved"),
    "until day 30": Reschedule("a-1", START + 30 * DAY),
    "until hour 3": Reschedule("a-1", START + 3 * HOUR),
    "complete": Complete("a-1"),
    "start": Start("a-1", "lab"),
}

CHANGES = """
                    cancel                      by support             until day 30
before creation     assignment_not_active       assignment_not_active  assignment_not_active
a little before     yes                         yes                    yes
created             yes                         yes                    yes
24 hours old        yes                         yes                    yes
a tick older        cancellation_window_closed  yes                    yes
lab launched        lab_launched                lab_launched           yes
lab finished        lab_launched                lab_launched           yes
completed           yes                         yes                    yes
expired             cancellation_window_closed  yes                    yes
cancelled           already_cancelled           already_cancelled      already_cancelled
"""

MORE_CHANGES = """
                    until hour 3           complete               start
before creation     assignment_not_active  assignment_not_active  assignment_not_active
a little before     yes                    yes                    yes
created             yes                    yes                    yes
24 hours old        expires_too_early      yes                    yes
a tick older        expires_too_early      yes                    yes
lab launched        yes                    yes                    attempt_open
lab finished        yes                    already_completed      yes
completed           yes                    already_completed      yes
expired             expires_too_early      yes                    assignment_expired
cancelled           already_cancelled      already_cancelled      already_cancelled
"""
BOTH = """
                    until hour 3                         start
cancelled, expired  already_cancelled,expires_too_early  already_cancelled,assignment_expired
"""


@pytest.mark.parametrize(
    ("situation", "asked", "wanted"), [*rows(CHANGES), *rows(MORE_CHANGES), *rows(BOTH)]
)
def test_an_assignment_can_be_changed_in_these_situations(
    situation: str, asked: str, wanted: list[str]
) -> None:
    registrar, clock = world()
    registrar.assign("py", "ada", id="a-1", expires=10 * DAY)
    prepare, after = SITUATIONS[situation]
    prepare(registrar, clock)
    clock.set(START + after)
    assert codes(registrar.check(ASKED[asked])) == wanted


def staff(id: str, role: Role, organization_id: str) -> User:
    """Return someone with a role who manages an organization."""
    email = f"{id}@example.org"
    managed = [organization_id]
    return User(id=id, name=id, email=email, roles=[role], managed_organization_ids=managed)


ACTORS = {
    "operations": staff("operations", Role.OPERATIONS_MANAGER, "acme"),
    "sales": staff("sales", Role.SALES_MANAGER, "acme"),
    "sales of beta": staff("sales-of-beta", Role.SALES_MANAGER, "beta"),
    "support": staff("support-desk", Role.SUPPORT, "acme"),
    "learner": ADA,
    "another": User(id="another", name="Another", email="x@example.org", organization_id="acme"),
}

#: "neither" is both role_missing and organization_not_managed, "no support" the latter and
#: support_role_missing.
PERMISSIONS = """
           operations            sales                 sales of beta
assigning  yes                   yes                   organization_not_managed
keys       yes                   role_missing          neither
support    support_role_missing  support_role_missing  no support
learning   yes                   yes                   organization_not_managed
"""
MORE_PERMISSIONS = """
           support       learner     another
assigning  role_missing  neither     neither
keys       role_missing  neither     neither
support    yes           no support  no support
learning   role_missing  yes         neither
"""

BATCH: dict[str, Any] = {"name": "B", "organization_id": "acme", "availability": DAY}

#: The commands that need each permission, about ada of acme and a batch of acme.
COMMANDS_BY_PERMISSION: dict[str, list[Command[Any, Any]]] = {
    "assigning": [
        Assign("sql", "ada"),
        AssignMany(["sql"], ["ada"]),
        Cancel("a-1"),
        Reschedule("a-1", START + DAY),
        Complete("a-1"),
        AddNote("a-1", Note(title="A title", message="A message")),
        Subscribe(["sql"], "ada", duration=DAY),
        EditSubscription("s-1", ["sql"]),
        CancelSubscription("s-1"),
    ],
    "keys": [
        CreateKeys("sql", generate=1, **BATCH),
        AddKeys("spring", generate=1),
        EditKeys("spring", name="Summer"),
        RevokeKey(CODE),
        RevokeKeys("spring"),
        Keys("spring"),
    ],
    "support": [
        Cancel("a-1", support_reason="moved"),
        CancelSubscription("s-1", support_reason="moved"),
    ],
    "learning": [
        Start("a-1", "lab"),
        Pause("its attempt"),
        Resume("its attempt"),
        Finish("its attempt"),
        OpenCourse("s-1", "py"),
        Redeem(CODE, "ada"),
    ],
}


def test_every_command_with_an_actor_is_listed() -> None:
    listed = {type(one) for commands in COMMANDS_BY_PERMISSION.values() for one in commands}
    assert listed == {*COMMANDS.values()} - {Add, Update, Anonymize, Register}


@pytest.mark.parametrize(
    ("permission", "actor", "wanted"), [*rows(PERMISSIONS), *rows(MORE_PERMISSIONS)]
)
def test_an_actor_needs_a_role_and_the_organization(
    permission: str, actor: str, wanted: list[str]
) -> None:
    missing = {"neither": "role_missing", "no support": "support_role_missing"}
    role = missing.get("".join(wanted))
    wanted = wanted if role is None else [role, "organization_not_managed"]
    for listed in COMMANDS_BY_PERMISSION[permission]:
        command = attrs.evolve(listed, by=ACTORS[actor].id)
        registrar, _ = world()
        registrar.add(*(one for one in ACTORS.values() if one is not ADA))
        registrar.assign("py", "ada", id="a-1")
        registrar.create_keys("py", codes=[CODE], id="spring", **BATCH)
        registrar.subscribe(["py"], "ada", duration=DAY, id="s-1")
        if isinstance(command, Pause | Resume | Finish):
            attempt = registrar.start("a-1", "lab")
            if isinstance(command, Resume):
                registrar.pause(attempt.id)
            command = attrs.evolve(command, attempt_id=attempt.id)
        assert codes(registrar.check(command)) == wanted, listed
