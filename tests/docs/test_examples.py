import ast
import re
import runpy
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import EventQuery, KeyQuery, RedemptionQuery, find_all

TESTS = Path(__file__).parents[1]
EXAMPLES = TESTS.parent / "docs" / "examples"
DEMO, REPLAY = EXAMPLES / "demo.py", EXAMPLES / "replay.py"
TOLD = TESTS / "golden" / "demo.txt"

demo = runpy.run_path(str(DEMO))
replay = runpy.run_path(str(REPLAY))


def assert_same_text(printed: str, expected: str) -> None:
    difference = unified_diff(
        expected.splitlines(), printed.splitlines(), str(TOLD.name), "printed", lineterm=""
    )
    shown = "\n".join(difference)
    if shown:
        hint = f"If this is meant: python docs/examples/demo.py > tests/golden/{TOLD.name}"
        pytest.fail(f"{shown}\n\n{hint}", pytrace=False)


def printed_by(script: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-W", "error", str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603  # our own script


def test_the_demo_prints_what_is_pinned(capsys: pytest.CaptureFixture[str]) -> None:
    demo["main"]()

    assert_same_text(capsys.readouterr().out, TOLD.read_text("utf-8"))


def test_the_demo_prints_the_same_as_a_script_and_nothing_else() -> None:
    ran = printed_by(DEMO)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert_same_text(ran.stdout, TOLD.read_text("utf-8"))


def test_another_output_is_shown_as_a_difference() -> None:
    told = TOLD.read_text("utf-8")

    with pytest.raises(pytest.fail.Exception, match=r"(?m)^-.*maximum.*\n\+.*minimum") as failed:
        assert_same_text(told.replace("maximum  ", "minimum  ", 1), told)
    assert "python docs/examples/demo.py > tests/golden/demo.txt" in str(failed.value)


def test_the_demo_fits_a_terminal() -> None:
    lines = TOLD.read_text("utf-8").splitlines()

    assert max(map(len, lines)) <= 90
    assert all(line.isascii() and line == line.rstrip() for line in lines)


def step(sentence: str) -> str:
    """Return the one step of the demo that *sentence* begins."""
    steps = re.split(r"\n(?=\w+day [0-9-]{10} )", TOLD.read_text("utf-8"))
    (found,) = (one for one in steps if f" UTC\n{sentence}" in one)
    return found.partition("\n\n")[2]


def test_the_demo_assigns_two_courses_to_three_learners() -> None:
    rows = [line.split() for line in step("Assign two courses").splitlines() if "a-" in line]
    pairs = [(learner, course) for learner, course, *_ in rows]

    assert pairs == [(who, what) for what in ("python", "sql") for who in ("ada", "bo", "cy")]


def test_the_demo_cancels_once_and_is_then_refused_for_both_reasons() -> None:
    assert "cancel: a-5 is cancelled" in step("Bo should not have SQL")
    codes = re.findall(r"^    (\w+): ", step("Try to cancel it again"), re.MULTILINE)
    assert codes == ["already_cancelled", "cancellation_window_closed"]


def test_the_demo_lists_the_key_made_by_hand_and_three_generated_keys() -> None:
    listed = step("Create keys for Git").split("remaining uses\n")[1].splitlines()
    (by_hand, uses), *generated = [line.split() for line in listed]
    symbol = "[0-9A-HJKMNP-TV-Z]"

    assert len(generated) == 3
    assert all(re.fullmatch(f"({symbol}{{4}}-){{4}}{symbol}", code) for code, _ in generated)
    assert (by_hand, uses) == ("Welcome-2026", "2")


def test_the_last_use_in_the_demo_is_refused_to_the_next() -> None:
    last = step("Bo uses the last use")

    assert last.index("bo  ") < last.index("key_exhausted: ")
    assert "Welcome-2026            0" in last


def test_the_demo_ends_with_all_that_is_active() -> None:
    # Created on 5 January at 9; the longest access is 180 days, 90 at the clinic, 45 for SQL,
    # and 30 from redemption with a key. What Bo had of SQL is cancelled.
    created = datetime(2026, 1, 5, 9, tzinfo=UTC)
    redeemed = created + timedelta(days=2, hours=3)
    expected = [
        ("ada", "python", created + timedelta(days=180), "maximum"),
        ("ada", "sql", created + timedelta(days=45), "course"),
        ("ada", "git", redeemed + timedelta(days=30), "key"),
        ("bo", "python", created + timedelta(days=180), "maximum"),
        ("bo", "git", redeemed + timedelta(days=30, hours=2), "key"),
        ("cy", "python", created + timedelta(days=90), "organization"),
        ("cy", "sql", created + timedelta(days=45), "course"),
        ("dee", "git", redeemed + timedelta(days=30, hours=1), "key"),
    ]
    rows = step("List all active").splitlines()[1:]

    assert [tuple(re.split("  +", row.strip())[:4]) for row in rows] == [
        (who, what, f"{end:%Y-%m-%d %H:%M} UTC", by) for who, what, end, by in expected
    ]


@pytest.mark.parametrize("script", [DEMO, REPLAY], ids=["demo", "replay"])
def test_an_example_imports_only_this_library_and_what_comes_with_python(script: Path) -> None:
    tree = ast.parse(script.read_text("utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert imported <= {"course_assignments", *sys.stdlib_module_names}


@pytest.mark.parametrize("name", ["django_app/*.py", "fastapi_app.py", "openedx_filter.py"])
def test_an_example_for_a_host_is_short_enough_to_copy(name: str) -> None:
    files = [*EXAMPLES.glob(name)]

    assert files
    assert sum(len(file.read_text("utf-8").splitlines()) for file in files) < 120


class Stay(NamedTuple):
    module: str
    presentation: str
    learner: int
    came: int | None
    went: int | None

    @property
    def course(self) -> str:
        return f"{self.module}-{self.presentation}"

    @property
    def start(self) -> datetime:
        return {
            "2013B": datetime(2013, 2, 1, tzinfo=UTC),
            "2013J": datetime(2013, 10, 1, tzinfo=UTC),
            "2014B": datetime(2014, 2, 1, tzinfo=UTC),
        }[self.presentation]


PRESENTATIONS = [("AAA", "2013B"), ("AAA", "2013J"), ("BBB", "2014B")]


def write_tables(folder: Path, stays: Iterable[Stay]) -> None:
    """Write what the README of the data set describes: quoted cells, empty where a day lacks."""
    courses = ['"code_module","code_presentation","module_presentation_length"']
    courses += [f'"{module}","{presentation}","240"' for module, presentation in PRESENTATIONS]
    (folder / "courses.csv").write_text("\r\n".join(courses) + "\r\n")
    columns = "code_module code_presentation id_student date_registration date_unregistration"
    rows = [",".join(f'"{name}"' for name in columns.split())]
    rows += [",".join(f'"{"" if cell is None else cell}"' for cell in stay) for stay in stays]
    (folder / "studentRegistration.csv").write_text("\r\n".join(rows) + "\r\n")


def stays() -> st.SearchStrategy[list[Stay]]:
    """Draw a table; learners are few, so that some come twice and some stay below six."""
    days = st.none() | st.integers(-3, 3) | st.integers(-300, 300)
    presentations = st.sampled_from([*PRESENTATIONS, *PRESENTATIONS[:1] * 5])
    rows = st.tuples(presentations, st.integers(1, 12), days, days)
    return st.lists(rows.map(lambda row: Stay(*row[0], row[1], row[2], row[3])), max_size=40)


def learners_of(table: list[Stay]) -> dict[str, set[int]]:
    """Return the learners who came to each course."""
    return {
        course: {one.learner for one in table if one.course == course and one.came is not None}
        for course in map("-".join, PRESENTATIONS)
    }


def expected_outcomes(table: list[Stay]) -> dict[tuple[str, str], int]:
    """Derive what has to come of it, from the rows alone."""
    came = [stay for stay in table if stay.came is not None]
    stayed = [
        stay.went - stay.came
        for stay in came
        if stay.came is not None and stay.went is not None and stay.went >= stay.came
    ]
    enough = [len(names) for names in learners_of(table).values() if len(names) >= 6]
    outcomes = {
        ("assign", "granted"): len(came),
        ("cancel", "granted"): sum(days <= 1 for days in stayed),
        ("cancel", "cancellation_window_closed"): sum(days > 1 for days in stayed),
        ("redeem", "granted"): sum(count - 5 for count in enough),
        ("redeem", "key_exhausted"): 5 * len(enough),
    }
    return {outcome: times for outcome, times in outcomes.items() if times}


def play(table: list[Stay]) -> tuple[Any, Any]:
    with TemporaryDirectory() as folder:
        write_tables(Path(folder), table)
        tally, registrar = replay["replay"](Path(folder))
    return tally, registrar


@given(stays())
def test_what_is_granted_and_refused_is_what_was_attempted(table: list[Stay]) -> None:
    tally, _ = play(table)

    assert dict(tally.outcomes) == expected_outcomes(table)


@given(stays())
def test_every_key_is_redeemed_exactly_as_often_as_it_may_be(table: list[Stay]) -> None:
    _, registrar = play(table)
    repository = registrar.repository

    redeemed = Counter(one.key_id for one in find_all(repository, RedemptionQuery()))
    for key in find_all(repository, KeyQuery()):
        course = key.code.removesuffix("-key")
        came = learners_of(table)[course]
        assert redeemed.pop(key.id) == key.uses == key.max_uses == len(came) - 5
    assert not redeemed


@given(stays())
def test_what_happened_is_played_in_the_order_of_time(table: list[Stay]) -> None:
    _, registrar = play(table)
    events = [
        event
        for event in find_all(registrar.repository, EventQuery())
        if event.action in {"assign", "cancel"}
    ]
    came = [one.start + timedelta(days=one.came) for one in table if one.came is not None]

    assert [event.at for event in events if event.action == "assign"] == sorted(came)
    assert [event.at for event in events] == sorted(event.at for event in events)


@given(stays())
def test_what_cannot_be_played_is_counted(table: list[Stay]) -> None:
    tally, _ = play(table)
    undated = [one for one in table if one.came is None]

    assert sum(tally.left_out.values()) == (
        len(undated)
        + sum(one.went is not None for one in undated)
        + sum(
            one.came is not None and one.went is not None and one.went < one.came for one in table
        )
        + sum(len(names) < 6 for names in learners_of(table).values())
    )


SIX = [Stay("AAA", "2013J", learner, -30, None) for learner in range(1, 7)]


@pytest.mark.parametrize(
    ("days", "outcome"),
    [(0, "granted"), (1, "granted"), (2, "cancellation_window_closed")],
    ids=str,
)
def test_a_withdrawal_is_granted_up_to_the_next_day(days: int, outcome: str) -> None:
    tally, _ = play([Stay("AAA", "2013J", 1, -30, days - 30)])

    assert tally.outcomes["cancel", outcome] == 1


def test_a_withdrawal_before_its_registration_leaves_the_assignment() -> None:
    tally, _ = play([Stay("AAA", "2013J", 1, 5, 4)])

    assert dict(tally.outcomes) == {("assign", "granted"): 1}
    assert tally.left_out["withdrawals when there was nothing to cancel yet"] == 1


@pytest.mark.parametrize(("learners", "granted"), [(5, 0), (6, 1), (7, 2)])
def test_a_key_has_five_uses_fewer_than_there_were_learners(learners: int, granted: int) -> None:
    twice = [SIX[0]]  # someone who comes again is one learner all the same
    more = Stay("AAA", "2013J", 7, -30, None)
    tally, _ = play([*[*SIX, more][:learners], *twice])

    assert tally.outcomes["redeem", "granted"] == granted
    assert tally.outcomes["redeem", "key_exhausted"] == (5 if granted else 0)
    without = tally.left_out["keys, for there were at most 5 learners"]
    assert without == (2 if granted else 3)


def test_a_replay_prints_readable_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = [
        *SIX,
        Stay("AAA", "2013B", 1, -10, -9),
        Stay("AAA", "2013B", 2, None, 12),
        Stay("AAA", "2013B", 3, None, None),
        Stay("BBB", "2014B", 2, 0, 2),
        Stay("BBB", "2014B", 3, 2, 0),
    ]
    write_tables(tmp_path, table)
    tally, _ = replay["replay"](tmp_path)
    tally.seconds.update(assign=3.0, cancel=0.5, redeem=0.5)
    tally.show()

    assert (
        capsys.readouterr().out
        == """\
command      times   outcome
assign           9   granted
cancel           1   cancellation_window_closed
cancel           1   granted
redeem           1   granted
redeem           5   key_exhausted

command      times   seconds   per second
assign           9      3.00            3
cancel           2      0.50            4
redeem           6      0.50           12
all             17      4.00            4

left out     times   what
                 2   rows without a day of registration
                 1   withdrawals in these rows
                 1   withdrawals when there was nothing to cancel yet
                 2   keys, for there were at most 5 learners
"""
    )


def test_a_replay_runs_as_a_script(tmp_path: Path) -> None:
    write_tables(tmp_path, SIX)
    ran = printed_by(REPLAY, str(tmp_path))

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "redeem           5   key_exhausted\n" in ran.stdout


def test_a_replay_without_a_folder_says_how_it_is_called() -> None:
    ran = printed_by(REPLAY)

    assert ran.returncode == 1
    assert ran.stderr == "Name the folder with the tables: nox -s replay -- FOLDER\n"


@pytest.mark.parametrize("missing", ["nowhere", "courses.csv", "studentRegistration.csv"])
def test_a_replay_names_the_file_that_is_missing(tmp_path: Path, missing: str) -> None:
    write_tables(tmp_path, SIX)
    (tmp_path / missing).unlink(missing_ok=True)
    folder = tmp_path / "nowhere" if missing == "nowhere" else tmp_path

    with pytest.raises(SystemExit) as left:
        replay["replay"](folder)
    message = str(left.value)
    assert message.startswith(f"There is no {folder}")
    assert missing in message.partition(";")[0]
    assert message.endswith("a folder that holds courses.csv and studentRegistration.csv.")


@pytest.mark.parametrize(
    "row", ["AAA,2013X,7,0,", "AAA,2013J,7,soon,", "AAA,,7,0,", "AAA,2013J,7,9999999999999,"]
)
def test_a_replay_names_the_line_that_it_cannot_read(tmp_path: Path, row: str) -> None:
    write_tables(tmp_path, SIX)
    with (tmp_path / "studentRegistration.csv").open("a") as file:
        file.write(f"{row}\n")

    with pytest.raises(SystemExit, match=r"studentRegistration\.csv, line 8: "):
        replay["replay"](tmp_path)
