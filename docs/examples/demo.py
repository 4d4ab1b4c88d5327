"""One week of a training system, from the first assignment to what is billed for it.

The clock is moved by hand, and ids and codes come from fixed sources, so that every run prints the
same. An application leaves these three arguments of `Registrar` out.
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
    """Tell the story."""
    clock = ManualClock(datetime(2026, 1, 5, 9, tzinfo=UTC))
    numbers = count(1)
    registrar = Registrar(
        clock=clock,
        new_id=lambda: f"a-{next(numbers)}",
        random_bytes=lambda size: shake_256(b"a demonstration").digest(size),
    )

    tell(clock, "A catalogue and a roster are read from CSV files and stored, with two customers.")
    courses = read_courses(HERE / "catalogue.csv")
    learners = read_users(HERE / "roster.csv")
    registrar.add(NORTHWIND, HARBOUR, *courses, *learners)
    format_datetime([NORTHWIND, HARBOUR], "id", "name", "time_zone", "maximum_access")
    format_datetime(courses, "id", "name", "maximum_access")
    format_datetime(learners, "id", "name", "organization_id")

    tell(clock, "Two courses are assigned to three learners, all six pairs or none.")
    batch = registrar.assign_many(["python", "sql"], [learner.id for learner in learners])
    format_datetime(batch.created, *ACCESS)

    clock.advance(timedelta(hours=2))
    tell(clock, "SQL was not meant for Bo. May it be cancelled, and until when? It may, so it is.")
    mistake = next(one for one in batch.created if (one.learner_id, one.course_id) == ("bo", "sql"))
    decision = registrar.may_cancel(mistake.id)
    say(f"may_cancel: {decision} This holds until just before {decision.changes_at}.")
    say(f"cancel: {mistake.id} is {registrar.cancel(mistake.id).status_at(clock()).value}.")

    clock.advance(timedelta(days=2))
    tell(
        clock, "Two days later someone tries to cancel it again, and is given both reasons against."
    )
    show_refusal(lambda: registrar.cancel(mistake.id))

    tell(
        clock,
        "Keys for Git are made, for whoever has one: three at random, one by hand, two uses each.",
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
    say(f"They can be redeemed until {text(spring.redeemable_until)}, when April begins in Berlin.")
    format_datetime(registrar.keys(spring.id), *KEY)

    clock.advance(timedelta(hours=1))
    tell(clock, "Ada redeems a generated key; how she types it does not matter.")
    typed = next(registrar.keys(spring.id)).display_code.lower().replace("-", " ").replace("0", "o")
    say(f"She types: {typed}")
    format_datetime([registrar.redeem(typed, "ada")], *ACCESS)

    clock.advance(timedelta(hours=1))
    tell(clock, "Dee has no account yet; she registers with the key that was made by hand.")
    dee = User(id="dee", name="Dee Farrow", email="dee@northwind.example")
    format_datetime([registrar.register("Welcome-2026", dee)], *ACCESS)

    clock.advance(timedelta(hours=1))
    tell(clock, "Bo takes the last use of that key, and Cy comes too late.")
    format_datetime([registrar.redeem("Welcome-2026", "bo")], *ACCESS)
    show_refusal(lambda: registrar.redeem("Welcome-2026", "cy"))
    format_datetime(registrar.keys(spring.id), *KEY)

    clock.advance(timedelta(days=2))
    tell(clock, "The week is over: who has what, until when, and what set the end.")
    found = (
        assignment
        for learner in find_all(registrar.repository, UserQuery())
        for assignment in find_all(registrar.repository, AssignmentQuery(learner_id=learner.id))
    )
    format_datetime((one for one in found if one.is_active_at(clock())), *ACCESS)

    look_back(registrar, clock)
    invite(registrar, clock, spring, learners[-1])


def look_back(registrar: Registrar, clock: ManualClock) -> None:
    """Let Ada learn and look, and bill the month."""
    tell(clock, "Ada launches the lab of Python, the one thing that it requires, and finishes it.")
    lab = registrar.start("a-1", "lab")
    clock.advance(timedelta(minutes=40))
    lab = registrar.finish(lab.id)
    say(f"Attempt {lab.number} took {format_duration(lab.time_spent(clock()))}.")
    show_refusal(lambda: registrar.cancel("a-1", support_reason="She asked for it."))

    tell(clock, "What Ada sees first when she signs in: what is still to do, then what is done.")
    seen = dashboard(registrar.repository, "ada", at=clock())
    format_datetime(seen.assignments, "course_id", "completion", "expires_at")
    say(f"More than these: {seen.has_more}. Ask again at {text(seen.stale_at)}.")

    tell(clock, "What January is billed: by the day of creation, without what was cancelled.")
    january = statement(
        registrar.repository, start=date(2026, 1, 1), end=date(2026, 2, 1), zone=NORTHWIND.zone
    )
    format_datetime(
        january.totals, "organization_id", "course_id", "created", "cancelled", "billable"
    )
    say(f"{len(january.billable)} of {len(january.lines)} assignments are billed.")


def invite(registrar: Registrar, clock: ManualClock, batch: KeyBatch, learner: User) -> None:
    """Write to *learner* about a key of *batch* that nobody has used."""
    tell(clock, "A key is left for Cy; this letter takes it to her.")
    letter = invitation(
        next(key for key in registrar.keys(batch.id) if key.uses == 0),
        learner,
        course=registrar.repository.get(Course, [batch.course_id])[batch.course_id],
        batch=batch,
        organization=NORTHWIND,
        login_url="https://learn.northwind.example/login",
        sender="training@northwind.example",
    )
    for name in ("From", "To", "Subject"):
        say(f"{name}: {letter[name]}")
    body = letter.get_body(("plain",))
    assert body is not None  # noqa: S101 - every invitation has one
    print("\n" + indent(body.get_content().rstrip(), MARGIN))


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file; a spreadsheet may have put a byte order mark first."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def read_courses(path: Path) -> list[Course]:
    """Return a catalogue; the longest access is written in ISO 8601, such as ``P45D``.

    A course may have a lab, which it then requires.
    """
    return [
        Course(
            id=row["id"],
            name=row["name"],
            content_provider=row["content_provider"] or None,
            publishing_group=row["publishing_group"] or None,
            maximum_access=parse_duration(longest) if (longest := row["maximum_access"]) else None,
            activities=[lab(name)] if (name := row["lab"]) else (),
        )
        for row in read_rows(path)
    ]


def lab(name: str) -> Activity:
    """Return the lab that a course requires."""
    return Activity(id="lab", name=name, kind=ActivityKind.LAB, required=True)


def read_users(path: Path) -> list[User]:
    """Return a roster; who has no organization has an empty cell."""
    return [
        User(
            id=row["id"],
            name=row["name"],
            email=row["email"],
            organization_id=row["organization_id"] or None,
        )
        for row in read_rows(path)
    ]


def tell(clock: ManualClock, sentence: str) -> None:
    """Begin the next step: when it is, and what happens."""
    print(f"\n{clock():%A %Y-%m-%d %H:%M} UTC\n{sentence}")


def say(answer: str) -> None:
    """Print an *answer* of the library under its step."""
    print("\n" + fill(answer, WIDTH, initial_indent=MARGIN, subsequent_indent=2 * MARGIN))


def format_datetime(records: Iterable[object], *fields: str) -> None:
    """Print these *fields* of *records* as a table under their step."""
    heading = [name.removesuffix("_id").replace("_", " ") for name in fields]
    lines = [heading, *([text(getattr(record, name)) for name in fields] for record in records)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    print()
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print((MARGIN + "   ".join(cells)).rstrip())


def text(value: object) -> str:
    """Return *value* as a table shows it."""
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


def show_refusal(command: Callable[[], CourseAssignment]) -> None:
    """Carry *command* out, and print why it is refused."""
    try:
        command()
    except Refused as refused:
        for reason in refused.decision.reasons:
            say(f"{reason.code}: {reason}")


if __name__ == "__main__":
    main()
