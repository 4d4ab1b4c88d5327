"""Carries the cases out and writes down what came of them.

``PYTHONPATH=src python -m tests.oracle.record`` writes the data anew from the present code, and
with ``forms`` behind it only the forms that other programs read.
"""

import gzip
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

from tests.oracle import adapter, cases
from tests.oracle.adapter import Office
from tests.oracle.neutral import Broken, Call, Id, Once, Rec, Ref, Situation, Stored

HERE = Path(__file__).parent
DATA, FORMS = HERE / "oracle.jsonl.gz", HERE / "forms.json"


def office_in(situation: Situation) -> Office:
    """Return an office that went through the steps of *situation*."""
    office = Office(cases.START, situation.policies)
    office.carry_out(Call("add", {"records": cases.WORLD}))
    for step in situation.steps:
        office.set(cases.START + step.after)
        office.results[step.label] = office.carry_out(step.call)
    office.set(cases.START + situation.at)
    if situation.later is not None:
        office.govern(situation.later)
    office.commits.clear()
    return office


def outcome(situation: Situation, name: str, call: Call) -> dict[str, Any]:
    """Return what comes of *call* in *situation*, and what its twin answers."""
    office = office_in(situation)
    found: dict[str, Any] = {}
    seed = crc32(f"{situation.name} {name}".encode())
    if call.command not in adapter.WITHOUT_TWIN:
        office.shake(seed)
        found["may"] = _caught(lambda: adapter.decision(office.ask(call)))
        if office.commits:
            found["may has committed"] = len(office.commits)
    office.shake(seed)
    found["answer"] = _caught(lambda: adapter.neutral(office.carry_out(call)))
    if office.commits:
        found["events"] = [one for made in office.commits for one in adapter.events(made)]
        found["commits"] = [adapter.change(made) for made in office.commits]
    return _numbered(found, known(situation, call))


def _caught(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Exception as error:  # noqa: BLE001 - whatever it raises is what is recorded
        return adapter.error(error)


# --- Ids -----------------------------------------------------------------------------------------


def texts(value: Any) -> Iterator[str]:  # noqa: C901 - one for each word of the cases
    """Go through all texts that someone gave, which stay as they are."""
    match value:
        case str():
            yield value
        case Rec(_, fields):
            yield from texts(fields)
        case Stored(_, id_, changes):
            yield from texts((id_, changes))
        case Call(_, args):
            yield from texts(args)
        case Once(values) | Broken(values):
            yield from texts(values)
        case Mapping():
            for one in value.values():
                yield from texts(one)
        case list() | tuple() | set() | frozenset():
            for one in value:
                yield from texts(one)
        case Ref(label):
            yield label
        case _:
            pass


def known(situation: Situation, *calls: Any) -> set[str]:
    """Return the ids that were given and not made up."""
    return {*texts([cases.WORLD, [step.call for step in situation.steps], calls])}


class Numbers:
    """Numbers for the ids that the library made up, in the order in which they are first seen."""

    def __init__(self, given: set[str]) -> None:
        self.given = given
        self.seen: dict[str, str] = {}

    def written(self, value: Any) -> Any:
        """Return *value* with its ids as they are written down."""
        match value:
            case Id() if value in self.given:
                return str(value)
            case Id():
                return self.seen.setdefault(value, f"#{len(self.seen) + 1}")
            case dict():
                return {name: self.written(one) for name, one in value.items()}
            case list():
                return [self.written(one) for one in value]
            case _:
                return value

    def guessed(self, value: Any) -> str:
        """Return *value* as something to sort by, which gives no new numbers."""
        guess = Numbers(self.given)
        guess.seen = dict.fromkeys(made_up(value), "#") | self.seen
        return _plain(guess.written(value))


def made_up(value: Any) -> Iterator[str]:
    """Go through all ids in *value*."""
    match value:
        case Id():
            yield value
        case dict():
            for one in value.values():
                yield from made_up(one)
        case list():
            for one in value:
                yield from made_up(one)
        case _:
            pass


def _plain(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _numbered(found: dict[str, Any], given: set[str]) -> dict[str, Any]:
    """Write what was found down; the order within each verb of a change means nothing."""
    numbers = Numbers(given)
    written = {name: numbers.written(one) for name, one in found.items() if name != "commits"}
    for commit in found.get("commits", ()):
        verbs = {
            verb: numbers.written(sorted(steps, key=numbers.guessed))
            for verb, steps in commit.items()
            if steps
        }
        ordered = {verb: sorted(steps, key=_plain) for verb, steps in verbs.items()}
        written.setdefault("commits", []).append(ordered)
    return written


# --- Everything ----------------------------------------------------------------------------------


def outcomes(situation: Situation) -> Iterator[tuple[str, dict[str, Any]]]:
    """Go through everything that is recorded of *situation*."""
    for name, call in cases.calls(situation):
        yield f"{situation.name} | {name}", outcome(situation, name, call)
    for theme, asked, ask in (
        ("queries", cases.QUERIES, Office.find),
        ("views", cases.VIEWS, Office.view),
    ):
        if theme not in situation.themes:
            continue
        office = office_in(situation)
        for name, (what, args) in asked.items():
            found = _read(partial(ask, office, what, args))
            yield f"{situation.name} | {theme}: {name}", _numbered(found, known(situation, args))


def evaluations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Go through what policies answer by themselves."""
    office = Office(cases.START, {})
    for name, asked in cases.evaluations():
        yield f"policies | {name}", _read(partial(office.evaluate, *asked))
    for name, asked in cases.settings():
        yield f"policies | with {name}", _read(partial(office.evaluate, *asked))


def constructions() -> Iterator[tuple[str, dict[str, Any]]]:
    """Go through what comes of records with wrong parts."""
    office = Office(cases.START, {})
    for name, record in cases.constructions():
        yield f"records | {name}", _read(partial(office.build, record))


def _read(ask: Callable[[], Any]) -> dict[str, Any]:
    return {"answer": _caught(lambda: adapter.neutral(ask()))}


def groups() -> dict[str, Callable[[], Iterator[tuple[str, dict[str, Any]]]]]:
    """Return all that is recorded, situation by situation."""
    return {
        **{one.name: partial(outcomes, one) for one in cases.SITUATIONS},
        "policies": evaluations,
        "records": constructions,
    }


def collected(group: str) -> dict[str, Any]:
    """Return what is recorded of *group*, as it is read back from the file."""
    found: dict[str, Any] = {}
    for name, one in groups()[group]():
        assert name not in found, name
        found[name] = one
    read: dict[str, Any] = json.loads(json.dumps(found))
    return read


def forms() -> dict[str, Any]:
    """Return the forms that records are written in, for other programs."""
    situations = {one.name: one for one in cases.SITUATIONS}
    made: dict[str, Any] = {}
    for name in ("full", "redeemed, cancelled, restored", "opened", "with a note"):
        office = office_in(situations[name])
        made[f"csv | {name}"] = adapter.csv_forms(office)
        made[f"json | {name}"] = adapter.json_forms(office)
    asked = {
        name: one for name, one in cases.QUERIES.items() if "error" not in _asked(situations, one)
    }
    made["sql"] = adapter.sql_forms(asked)
    read: dict[str, Any] = json.loads(json.dumps(made))
    return read


def _asked(situations: Mapping[str, Situation], query: tuple[str, Mapping[str, Any]]) -> Any:
    office = office_in(situations["fresh"])
    return _caught(lambda: office.find(*query))


def read_data() -> dict[str, dict[str, Any]]:
    """Return what was recorded, by group."""
    found: dict[str, dict[str, Any]] = {}
    for line in gzip.decompress(DATA.read_bytes()).decode().splitlines():
        name, group, recorded = json.loads(line)
        found.setdefault(group, {})[name] = recorded
    return found


def write_data() -> None:
    """Write down how the present code behaves."""
    lines = (
        json.dumps([name, group, found], sort_keys=True)
        for group in groups()
        for name, found in collected(group).items()
    )
    text = "\n".join(lines)
    assert "none of ours" not in text, "an error that is none of the library's"
    DATA.write_bytes(gzip.compress(text.encode(), mtime=0))


def write_forms() -> None:
    """Write down the forms that the present code writes."""
    FORMS.write_text(json.dumps(forms(), indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] != ["forms"]:
        write_data()
    write_forms()
