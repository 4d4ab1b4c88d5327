"""Replay real registrations and withdrawals: nox -s replay -- FOLDER.

FOLDER has two tables of the Open University Learning Analytics Dataset. Each registration assigns a
course, and each withdrawal tries to cancel it, in order of time. Then each presentation gets a key
with five uses fewer than it has learners, and every learner tries to redeem it.
"""

import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from course_assignments import (
    Course,
    CourseAssignment,
    ManualClock,
    Months,
    Organization,
    Refused,
    Registrar,
    User,
)

TABLES = COURSES, REGISTRATIONS = "courses.csv", "studentRegistration.csv"
MONTHS = {"B": 2, "J": 10}  # month of the start, by the character after the year
USES_FEWER = 5

T = TypeVar("T")


class Tally:
    """The outcomes and durations of the commands, and the rows that were left out."""

    def __init__(self) -> None:
        """Start with empty counters."""
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.left_out: Counter[str] = Counter()

    def attempt(self, command: Callable[..., CourseAssignment], *ids: str) -> str | None:
        """Execute *command*; return the id of its assignment, or ``None`` if refused."""
        made, outcome = None, "granted"
        began = perf_counter()
        try:
            made = command(*ids).id
        except Refused as refused:
            outcome = " + ".join(reason.code for reason in refused.decision.reasons)
        self.seconds[command.__name__] += perf_counter() - began
        self.outcomes[command.__name__, outcome] += 1
        return made

    def show(self) -> None:
        """Print the results as tables."""
        tried: Counter[str] = Counter()
        print("command      times   outcome")
        for (name, outcome), times in sorted(self.outcomes.items()):
            print(f"{name:<8}{times:>10,}   {outcome}")
            tried[name] += times
        print("\ncommand      times   seconds   per second")
        rows = [(name, times, self.seconds[name]) for name, times in tried.items()]
        rows.append(("all", tried.total(), sum(self.seconds.values())))
        for name, times, seconds in rows:
            print(f"{name:<8}{times:>10,}{seconds:>10.2f}{times / (seconds or 1):>13,.0f}")
        print("\nleft out     times   what")
        for what, times in self.left_out.items():
            print(f"{times:>18,}   {what}")


def replay(folder: Path) -> tuple[Tally, Registrar]:
    """Replay the tables in *folder*."""
    clock, tally = ManualClock(datetime(1970, 1, 1, tzinfo=UTC)), Tally()
    registrar = Registrar(clock=clock)
    courses = read(folder / COURSES, course_id)
    stays = read(folder / REGISTRATIONS, stay)
    people = dict.fromkeys(learner for _, learner, _, _ in stays)
    registrar.add(
        Organization(id="ou", name="The university"),
        *(Course(id=it, name=it, content_provider="ou", publishing_group="ou") for it in courses),
        *(User(id=it, name=it, email=f"{it}@ou.test", organization_id="ou") for it in people),
    )
    events = []
    for number, (_, _, came, went) in enumerate(stays):
        if came is None:
            tally.left_out["rows without a day of registration"] += 1
            tally.left_out["withdrawals in these rows"] += went is not None
        else:
            # On the same day, a registration (turn 0) comes before a withdrawal (turn 1).
            events += [(at, turn, number) for turn, at in enumerate((came, went)) if at is not None]
    made: dict[int, str | None] = {}
    learners: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for at, turn, number in sorted(events):
        clock.set(at)
        course, learner, *_ = stays[number]
        if turn == 0:
            made[number] = tally.attempt(registrar.assign, course, learner)
            learners[course][learner] = None
        elif assignment := made.get(number):
            tally.attempt(registrar.cancel, assignment)
        else:
            tally.left_out["withdrawals when there was nothing to cancel yet"] += 1
    for course in courses:
        play_key(course, learners[course], registrar, tally)
    return tally, registrar


def play_key(course: str, learners: Collection[str], registrar: Registrar, tally: Tally) -> None:
    """Create a key with too few uses for *learners*, and let all of them redeem it."""
    max_uses = len(learners) - USES_FEWER
    if max_uses < 1:
        tally.left_out[f"keys, for there were at most {USES_FEWER} learners"] += 1
        return
    code = f"{course}-key"
    registrar.create_keys(
        course,
        name=course,
        organization_id="ou",
        availability=Months(3),
        max_uses=max_uses,
        codes=[code],
    )
    for learner in learners:
        tally.attempt(registrar.redeem, code, learner)


def read(path: Path, make: Callable[[dict[str, str]], T]) -> list[T]:
    """Return the result of *make* for each row of the table at *path*."""
    if not path.is_file():
        sys.exit(f"There is no {path}; name a folder that holds {' and '.join(TABLES)}.")
    with path.open(newline="", encoding="utf-8-sig") as file:
        table = csv.DictReader(file)
        try:
            return [make(row) for row in table]
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            sys.exit(f"{path}, line {table.line_num}: expected a row of {path.name} ({error!r}).")


def course_id(row: dict[str, str]) -> str:
    """Return the id of a presentation."""
    return f"{row['code_module']}-{row['code_presentation']}"


def stay(row: dict[str, str]) -> tuple[str, str, datetime | None, datetime | None]:
    """Return the ids of presentation and learner, and the first and last day."""
    name = row["code_presentation"]
    start = datetime(int(name[:-1]), MONTHS[name[-1]], 1, tzinfo=UTC)
    days = (row["date_registration"], row["date_unregistration"])
    came, went = (start + timedelta(days=int(day)) if day else None for day in days)
    return course_id(row), row["id_student"], came, went


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit("Name the folder with the tables: nox -s replay -- FOLDER")
    print("Each registration assigns a course, and each withdrawal tries to cancel it. Then each")
    print(
        f"presentation gets a key with {USES_FEWER} uses too few, and every learner redeems it.\n"
    )
    replay(Path(sys.argv[1]))[0].show()
