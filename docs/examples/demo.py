"""Show one week of training, from the first assignment to the monthly bill.

The demo sets the clock and uses fixed ids and codes, so every run prints the same output. Your
application does not need these three arguments of `Registrar`.
"""

import csv
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from hashlib import shake_256
from itertools import count
from pathlib import Path
from textwrap import fill, indent

from course_assignments import (
    Activity,
    ActivityKind,
    AssignmentQuery,
    CompletionStatus,
    Course,
    CourseAssignment,
    KeyBatch,
    ManualClock,
    Months,
    Organization,
    Refused,
    Registrar,
    User,
    UserQuery,
    dashboard,
    find_all,
    format_duration,
    invitation,
    parse_duration,
    statement,
)

HERE = Path(__file__).parent
WIDTH, MARGIN = 90, "    "
ACCESS = ("learner_id", "course_id", "expires_at", "limited_by", "id")
KEY = ("display_code", "remaining_uses")

NORTHWIND = Organization(
    id="northwind", name="Northwind", time_zone="Europe/Berlin", anonymous_registration=True
)
HARBOUR = Organization(id="harbour", name="Harbour Clinic", maximum_access=timedelta(days=90))


def main() -> None:
    """Run all steps."""
    clock = ManualClock(datetime(2026, 1, 5, 9, tzinfo=UTC))
    numbers = count(1)
    registrar = Registrar(
        clock=clock,
        new_id=lambda: f"a-{next(numbers)}",
        random_bytes=lambda size: shake_256(b"a demonstration").digest(size),
    )

    print_step(
        clock, "Read a catalog and a roster from CSV files, and store them with two organizations."
    )
    courses = read_courses(HERE / "catalog.csv")
    learners = read_users(HERE / "roster.csv")
    registrar.add(NORTHWIND, HARBOUR, *courses, *learners)
    print_table([NORTHWIND, HARBOUR], "id", "name", "time_zone", "maximum_access")
    print_table(courses, "id", "name", "maximum_access")
    print_table(learners, "id", "name", "organization_id")

    print_step(clock, "Assign two courses to three learners: all six pairs or none.")
    batch = registrar.assign_many(["python", "sql"], [learner.id for learner in learners])
    print_table(batch.created, *ACCESS)

    clock.advance(timedelta(hours=2))
    print_step(
        clock, "Bo should not have SQL. Check until when it can be cancelled, and cancel it."
    )
    mistake = next(one for one in batch.created if (one.learner_id, one.course_id) == ("bo", "sql"))
    decision = registrar.may_cancel(mistake.id)
    print_answer(f"may_cancel: {decision} This holds until just before {decision.changes_at}.")
    print_answer(
        f"cancel: {mistake.id} is {registrar.cancel(mistake.id).status_at(clock()).value}."
    )

    clock.advance(timedelta(days=2))
    print_step(clock, "Try to cancel it again two days later. The refusal lists both reasons.")
    print_refusal(lambda: registrar.cancel(mistake.id))

    print_step(
        clock,
        "Create keys for Git that anyone can redeem: three random, one custom, two uses each.",
    )
    spring = registrar.create_keys(
        "git",
        name="Spring",
        organization_id="northwind",
        redeemable_until=date(2026, 4, 1),
        max_uses=2,
        availability=timedelta(days=30),
        any_organization=True,
        codes=["Welcome-2026"],
        generate=3,
        id="spring",
    )
    print_answer(
        f"They expire at {format_cell(spring.redeemable_until)}, when April begins in Berlin."
    )
    print_table(registrar.keys(spring.id), *KEY)

    clock.advance(timedelta(hours=1))
    print_step(clock, "Ada redeems a generated key. Case, spaces and look-alikes do not matter.")
    generated = [*registrar.keys(spring.id)][1]
    typed = generated.display_code.lower().replace("-", " ").replace("0", "o")
    print_answer(f"She types: {typed}")
    print_table([registrar.redeem(typed, "ada")], *ACCESS)

    clock.advance(timedelta(hours=1))
    print_step(clock, "Dee has no account yet. She registers with the custom key.")
    dee = User(id="dee", name="Dee Farrow", email="dee@northwind.example")
    print_table([registrar.register("Welcome-2026", dee)], *ACCESS)

    clock.advance(timedelta(hours=1))
    print_step(clock, "Bo uses the last use of that key, and Cy is refused.")
    print_table([registrar.redeem("Welcome-2026", "bo")], *ACCESS)
    print_refusal(lambda: registrar.redeem("Welcome-2026", "cy"))
    print_table(registrar.keys(spring.id), *KEY)

    clock.advance(timedelta(days=2))
    print_step(
        clock, "List all active assignments, with the end of access and the limit that set it."
    )
    found = (
        assignment
        for learner in find_all(registrar.repository, UserQuery())
        for assignment in find_all(registrar.repository, AssignmentQuery(learner_id=learner.id))
    )
    print_table((one for one in found if one.is_active_at(clock())), *ACCESS)

    look_back(registrar, clock)
    invite(registrar, clock, spring, learners[-1])


def look_back(registrar: Registrar, clock: ManualClock) -> None:
    """Finish a lab, show a dashboard, and bill the month."""
    print_step(clock, "Ada starts and finishes the lab, the only required activity of Python.")
    lab = registrar.start("a-1", "lab")
    clock.advance(timedelta(minutes=40))
    lab = registrar.finish(lab.id)
    print_answer(f"Attempt {lab.number} took {format_duration(lab.time_spent(clock()))}.")
    print_refusal(lambda: registrar.cancel("a-1", support_reason="She asked for it."))

    print_step(clock, "Show Ada's dashboard: unfinished courses first, then completed ones.")
    seen = dashboard(registrar.repository, "ada", at=clock())
    print_table(seen.assignments, "course_id", "completion", "expires_at")
    print_answer(f"More assignments: {seen.has_more}. Stale at {format_cell(seen.stale_at)}.")

    print_step(clock, "Bill January: by creation date, without cancelled assignments.")
    january = statement(
        registrar.repository, start=date(2026, 1, 1), end=date(2026, 2, 1), zone=NORTHWIND.zone
    )
    print_table(january.totals, "organization_id", "course_id", "created", "cancelled", "billable")
    print_answer(f"{len(january.billable)} of {len(january.lines)} assignments are billed.")


def invite(registrar: Registrar, clock: ManualClock, batch: KeyBatch, learner: User) -> None:
    """Write an e-mail to *learner* with an unused key of *batch*."""
    print_step(clock, "Write an e-mail to Cy with an unused key.")
    message = invitation(
        next(key for key in registrar.keys(batch.id) if key.uses == 0),
        learner,
        course=registrar.repository.get(Course, [batch.course_id])[batch.course_id],
        batch=batch,
        organization=NORTHWIND,
        login_url="https://learn.northwind.example/login",
        sender="training@northwind.example",
    )
    for name in ("From", "To", "Subject"):
        print_answer(f"{name}: {message[name]}")
    body = message.get_body(("plain",))
    assert body is not None  # noqa: S101 - every invitation has one
    print("\n" + indent(body.get_content().rstrip(), MARGIN))


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file, which may begin with a byte order mark."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def read_courses(path: Path) -> list[Course]:
    """Return the courses; the maximum access is in ISO 8601, such as ``P45D``.

    If a course has a lab, the lab is required.
    """
    return [
        Course(
            id=row["id"],
            name=row["name"],
            content_provider=row["content_provider"] or None,
            publishing_group=row["publishing_group"] or None,
            maximum_access=parse_duration(maximum) if (maximum := row["maximum_access"]) else None,
            activities=[lab(name)] if (name := row["lab"]) else (),
        )
        for row in read_rows(path)
    ]


def lab(name: str) -> Activity:
    """Return a required lab."""
    return Activity(id="lab", name=name, kind=ActivityKind.LAB, required=True)


def read_users(path: Path) -> list[User]:
    """Return the users; an empty cell means no organization."""
    return [
        User(
            id=row["id"],
            name=row["name"],
            email=row["email"],
            organization_id=row["organization_id"] or None,
        )
        for row in read_rows(path)
    ]


def print_step(clock: ManualClock, sentence: str) -> None:
    """Print the time and the description of the next step."""
    print(f"\n{clock():%A %Y-%m-%d %H:%M} UTC\n{sentence}")


def print_answer(answer: str) -> None:
    """Print an *answer* of the library."""
    print("\n" + fill(answer, WIDTH, initial_indent=MARGIN, subsequent_indent=2 * MARGIN))


def print_table(records: Iterable[object], *fields: str) -> None:
    """Print these *fields* of *records* as a table."""
    heading = [name.removesuffix("_id").replace("_", " ") for name in fields]
    lines = [
        heading,
        *([format_cell(getattr(record, name)) for name in fields] for record in records),
    ]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    print()
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print((MARGIN + "   ".join(cells)).rstrip())


def format_cell(value: object) -> str:
    """Return *value* as a string for a table."""
    match value:
        case datetime():
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case timedelta() | Months():
            return format_duration(value)
        case CompletionStatus():
            return value.name.lower().replace("_", " ")
        case Enum():
            return str(value.value)
        case None:
            return ""
        case _:
            return str(value)


def print_refusal(command: Callable[[], CourseAssignment]) -> None:
    """Execute *command*, and print every reason of its refusal."""
    try:
        command()
    except Refused as refused:
        for reason in refused.decision.reasons:
            print_answer(f"{reason.code}: {reason}")


if __name__ == "__main__":
    main()
