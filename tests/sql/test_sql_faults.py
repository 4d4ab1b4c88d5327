"""A driver that fails at any statement leaves the state before or the state after, and says which.

The statements go to a real SQLite. Before or after each of them, and before or after the commit,
the driver raises an error; what is stored is then read by nothing of ours.
"""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from shutil import copyfile
from sqlite3 import ProgrammingError
from traceback import format_exception

import attrs
import pytest
from sqlalchemy import Connection

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository, dialects, transactions
from tests.support.acts import ACTS
from tests.support.junk import ARGUMENTS, CODE, OTHER_CODE, stage
from tests.support.sql import Watch, closing, dump, open_file, stocked, trouble, watched
from tests.support.world import START, counting, counting_bytes

SECRETS = (CODE, OTHER_CODE, "Second-2026")

#: What a driver may say of the row it was given.
DETAIL = f"\nDETAIL: Key (code)=({CODE}) in ({OTHER_CODE})"

#: The commands whose id is the id of a record that they make.
NAMING = {"assign", "create_keys", "redeem", "register", "subscribe", "open_course"}


@attrs.frozen
class Fault:
    """An error of the driver's; after one that heals, the same again succeeds."""

    error: Callable[[], Exception]
    heals: bool = False
    #: Whether all that is tried afterwards fails too.
    lasts: bool = False
    #: Whether whoever loses a connection is rolled back, as by a server.
    undoes: bool = False


def io_error() -> Exception:
    return trouble(10, "SQLITE_IOERR", "disk I/O error" + DETAIL)


FAULTS = {
    "input and output": Fault(io_error),
    "from now on": Fault(io_error, lasts=True),
    "connection lost": Fault(
        lambda: ProgrammingError("Cannot operate on a closed database." + DETAIL),
        heals=True,
        undoes=True,
    ),
    "busy": Fault(lambda: trouble(5, "SQLITE_BUSY", "database is locked" + DETAIL), heals=True),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in which something has happened, so that it can be undone."""
    path = tmp_path_factory.mktemp("template") / "records.db"
    with closing(open_file(path)) as engine:
        stage(stocked(engine))
    return path


@pytest.fixture(autouse=True)
def _nobody_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "sleep", lambda _: None)


class Bench:
    """A copy of the template, and a driver that fails where it is told to."""

    def __init__(self, template: Path, folder: Path) -> None:
        self.template = template
        self.path = folder / "records.db"
        self.watch = Watch()
        self.engine = open_file(self.path, connect_args=watched(self.watch))
        self.repository = SqlRepository(self.engine)
        self.renew()

    def renew(self) -> None:
        self.engine.dispose()
        for leftover in self.path.parent.glob("records.db*"):
            leftover.unlink()
        copyfile(self.template, self.path)

    def call(self, command: str) -> object:
        """Carry *command* out, as a registrar who always draws the same."""
        registrar = ca.Registrar(
            self.repository,
            clock=ca.ManualClock(START),
            new_id=counting("drawn"),
            random_bytes=counting_bytes(),
        )
        given = dict(ARGUMENTS[command])
        first = [given.pop("records")] if command == "add" else []
        return getattr(registrar, command)(*first, **given)


class Strike:
    """Raises a fault around one of the statements to come."""

    def __init__(self, watch: Watch, fault: Fault, place: int, *, late: bool) -> None:
        self.watch = watch
        self.fault = fault
        self.place = place
        self.late = late
        self.count = 0
        #: The statement that was struck.
        self.statement = ""

    def before(self, statement: str) -> None:
        self.count += 1
        self._strike(statement, late=False)

    def after(self, statement: str) -> None:
        self._strike(statement, late=True)

    def _strike(self, statement: str, *, late: bool) -> None:
        if self.statement and self.fault.lasts:
            raise self.fault.error()
        if not self.statement and self.count == self.place and self.late is late:
            self.statement = statement
            if self.fault.undoes:
                self.watch.connection.rollback()
            raise self.fault.error()


def complaints(bench: Bench, command: str, fault: Fault, *, late: bool) -> Iterator[str]:
    """Give what is wrong after a *fault* at each statement of *command* in turn."""
    bench.renew()
    before = dump(bench.path)
    bench.call(command)
    end = dump(bench.path)
    assert end != before
    bench.renew()
    for place in count(1):
        strike = Strike(bench.watch, fault, place, late=late)
        outcome: Exception | None = None
        with bench.watch.told(strike.before, strike.after):
            try:
                bench.call(command)
            except Exception as error:  # noqa: BLE001 - of any kind, to be looked at
                outcome = error
        if not strike.statement:
            assert place > len(("BEGIN", "INSERT", "COMMIT"))
            return
        found = dump(bench.path)
        for wrong in _wrong(strike, outcome, found, before, end):
            yield f"{command}, {strike.statement[:60]!r}: {wrong}"
        if isinstance(outcome, ca.OutcomeUnknown):
            yield from _wrong_again(bench, command, outcome, end)
        if dump(bench.path) != before:
            bench.renew()


def _wrong(
    strike: Strike, outcome: Exception | None, found: object, before: object, end: object
) -> Iterator[str]:
    """Give what is wrong with how a command that was struck came out."""
    if outcome is None:
        if not strike.fault.heals or found != end:
            yield "nothing was said"
    elif isinstance(outcome, ca.OutcomeUnknown):
        if strike.statement != "COMMIT":
            yield "is called unknown"
        if found != (end if strike.late else before):
            yield "is neither as it was nor done"
    elif strike.fault.heals:
        yield f"is not tried again, but came to {outcome!r}"
    elif not isinstance(outcome, ca.StorageBusy | ca.StorageError):
        yield f"let out {outcome!r}"
    elif found != before:
        yield "something is stored"
    if outcome is not None and any(one in "".join(format_exception(outcome)) for one in SECRETS):
        yield "shows a code"


def _wrong_again(
    bench: Bench, command: str, outcome: ca.OutcomeUnknown, end: object
) -> Iterator[str]:
    """Call again after an unknown outcome, and give what is wrong then."""
    if not outcome.ids:
        yield f"{command}: names no ids"
    if command in NAMING and ARGUMENTS[command]["id"] not in outcome.ids:
        yield f"{command}: names {outcome.ids} instead of its id"
    if "id" in ARGUMENTS[command]:
        bench.call(command)
        if dump(bench.path) != end:
            yield f"{command}: calling again comes to another end"


#: When each fault strikes; what is busy was not carried out.
STRIKES = [(name, when) for name in FAULTS for when in ("before", "after")]
STRIKES.remove(("busy", "after"))


@pytest.mark.parametrize(("name", "when"), STRIKES)
@pytest.mark.parametrize("command", [name for name, act in ACTS.items() if act.change])
@pytest.mark.long
def test_the_state_is_the_one_before_or_the_one_after(
    command: str, name: str, when: str, template: Path, tmp_path: Path
) -> None:
    bench = Bench(template, tmp_path)
    with closing(bench.engine):
        assert [*complaints(bench, command, FAULTS[name], late=when == "after")] == []


@pytest.mark.long
def test_an_adapter_that_commits_each_statement_is_found_out(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(_: object, connection: Connection, __: float) -> None:
        connection.execution_options(isolation_level="AUTOCOMMIT")

    monkeypatch.setattr(dialects.Sqlite, "begin", begin)
    monkeypatch.setattr(dialects.Sqlite, "commit", lambda *_: None)
    bench = Bench(template, tmp_path)
    with closing(bench.engine):
        found = [*complaints(bench, "redeem", FAULTS["input and output"], late=False)]
    assert any("something is stored" in one for one in found)
