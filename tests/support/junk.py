"""Things that nobody should hand in, and a table of every place that they can be handed in to.

Left out: what lies about its class, or has a ``repr`` that raises; texts that are hostile
subclasses of ``str``; lists without an end; what Python refuses by itself, such as an unknown
argument; and what a function of the caller's raises, which is theirs.
"""

import types
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, StrEnum
from fractions import Fraction
from functools import partial
from io import StringIO
from typing import Any, NoReturn, get_args

import attrs
from dateutil.relativedelta import FR, relativedelta
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments import commands, reasons
from course_assignments.views import training
from tests.support.acts import ACTS
from tests.support.reasons import facts_for
from tests.support.world import ACME, ADA, BETA, MANAGER, PYTHON, SQL, START, world

DAY = timedelta(days=1)
CODE = "Spring-2026"
OTHER_CODE = "Autumn-2026"
END = START + 30 * DAY


class Sprung(Exception):
    """What a hostile object raises."""


def spring(*_: object, **__: object) -> NoReturn:
    """Raise what no caller expects."""
    raise Sprung


def hostile(*names: str, base: type = object) -> type:
    """Return a subclass of *base* whose methods *names* raise."""
    return type(f"Hostile{base.__name__.title()}", (base,), dict.fromkeys(names, spring))


COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")
ITERATION = ("__iter__", "__len__", "__contains__", "__getitem__")
ARITHMETIC = (
    *("__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__neg__", "__abs__"),
    *("__int__", "__index__", "__float__", "__floordiv__", "__mod__", "__divmod__"),
)
EVERYTHING = (*COMPARISONS, "__hash__", *ITERATION, *ARITHMETIC, "__bool__", "__call__")


class Agreeable:
    """Equal to everything, as `unittest.mock.ANY` is."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class Obliging:
    """Has an attribute of every name, as a mock has."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return Obliging()


class Unhashable:
    """Cannot be a key or in a set."""

    __hash__ = None  # type: ignore[assignment]  # that is how it is said

    def __eq__(self, other: object) -> bool:
        return self is other


class Zone(tzinfo):
    """A time zone that answers with whatever it was given, or raises it."""

    def __init__(self, offset: Any) -> None:
        self.offset = offset

    def utcoffset(self, _: datetime | None) -> Any:
        if isinstance(self.offset, Exception):
            raise self.offset
        return self.offset

    dst = utcoffset

    def tzname(self, _: datetime | None) -> str:
        return "odd"


class Foreign(Enum):
    """Values that look like ours."""

    SKIP = "skip"


class Word(StrEnum):
    """A text that is a member of an enum."""

    LONG = "long"


def half_a_list() -> Iterator[object]:
    """Give one element and raise."""
    yield "py"
    spring()


class NoIterator:
    """Says that it can be gone through and cannot."""

    def __iter__(self) -> Any:
        return 5


class Itself(list[object]):
    """Contains itself."""

    def __init__(self) -> None:
        super().__init__([self])


def changed_delta(**attributes: object) -> relativedelta:
    """Return a ``relativedelta`` that someone wrote into: it is mutable."""
    delta = relativedelta(months=1)
    vars(delta).update(attributes)
    return delta


def emptied_delta() -> relativedelta:
    """Return a ``relativedelta`` that lacks an attribute."""
    delta = relativedelta(months=1)
    del delta.days
    return delta


@dataclass(frozen=True)
class Junk:
    """One thing to hand in, made anew each time because it may run dry.

    *nowhere* says that there is no argument at all in which it is right.
    """

    name: str
    make: Callable[[], Any]
    nowhere: bool = True


def _fits(name: str, make: Callable[[], Any]) -> Junk:
    return Junk(name, make, nowhere=False)


def _naive(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - that is the point


OFFSETS = {"east": timezone(timedelta(hours=14)), "west": timezone(-timedelta(hours=14))}
INFINITE = float("inf")

SCALARS = (
    _fits("None", lambda: None),
    _fits("True", lambda: True),
    _fits("False", lambda: False),
    _fits("0", lambda: 0),
    _fits("1", lambda: 1),
    Junk("-1", lambda: -1),
    _fits("2**31-1", lambda: 2**31 - 1),
    Junk("2**31", lambda: 2**31),
    Junk("2**63", lambda: 2**63),
    Junk("10**400", lambda: 10**400),
    Junk("1.0", lambda: 1.0),
    Junk("nan", lambda: float("nan")),
    Junk("inf", lambda: INFINITE),
    Junk("1j", lambda: 1j),
    Junk("Decimal", lambda: Decimal(1)),
    Junk("Decimal nan", lambda: Decimal("sNaN")),
    Junk("Fraction", lambda: Fraction(1, 2)),
    Junk("bytes", lambda: b"Spring-2026"),
    Junk("bytearray", lambda: bytearray(b"ada")),
    Junk("Ellipsis", lambda: ...),
    Junk("NotImplemented", lambda: NotImplemented),
    Junk("foreign member", lambda: Foreign.SKIP),
    Junk("number of ours", lambda: ca.CompletionStatus.COMPLETE),
)

TEXTS = (
    Junk("empty text", lambda: ""),
    _fits("blank text", lambda: " \t\u2003"),  # a line of a paste may be blank
    _fits("NUL", lambda: "a\0b"),
    _fits("surrogate", lambda: "ab\ud800cdefgh"),
    _fits("line break", lambda: "ab\r\ncdefghij"),
    _fits("escape", lambda: "\x1b[31mred"),
    _fits("next line", lambda: "ab\x85cdefgh"),
    _fits("right to left", lambda: "ab\u202ecdefgh"),
    _fits("over-long text", lambda: "x" * 20_000),
    _fits("text of a list", lambda: "ada,bo"),
    _fits("text of a number", lambda: "5"),
    _fits("text of a term", lambda: "P6M"),
    _fits("text of a huge term", lambda: "P999999999W"),
    _fits("text of an instant", lambda: "2026-01-05T09:00:00Z"),
    _fits("path", lambda: "../../etc/passwd"),
    _fits("member of a text enum", lambda: Word.LONG),
    _fits("full-width code", lambda: "\uff10\uff10\uff11-Spring"),
    _fits("template", lambda: "{0.__class__} %s ${x}"),
)

TIMES = (
    Junk("naive", lambda: _naive(2026, 2, 1)),
    Junk("naive max", lambda: datetime.max),  # noqa: DTZ901 - that is the point
    Junk("naive min", lambda: datetime.min),  # noqa: DTZ901
    Junk("max", lambda: datetime.max.replace(tzinfo=UTC)),
    Junk("min", lambda: datetime.min.replace(tzinfo=UTC)),
    *(
        Junk(f"{end} {name}", partial(at.replace, tzinfo=zone))
        for end, at in (("max", datetime.max), ("min", datetime.min))  # noqa: DTZ901
        for name, zone in OFFSETS.items()
    ),
    Junk("too early", lambda: datetime(1970, 1, 1, tzinfo=UTC) - timedelta(microseconds=1)),
    Junk("too late", lambda: datetime(9900, 1, 1, tzinfo=UTC)),
    _fits("earliest", lambda: datetime(1970, 1, 1, tzinfo=UTC)),
    _fits("latest", lambda: datetime(9899, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    Junk("zone gives None", lambda: datetime(2026, 2, 1, tzinfo=Zone(None))),
    Junk("zone gives text", lambda: datetime(2026, 2, 1, tzinfo=Zone("+01:00"))),
    Junk("zone gives a day", lambda: datetime(2026, 2, 1, tzinfo=Zone(DAY))),
    Junk("zone raises", lambda: datetime(2026, 2, 1, tzinfo=Zone(Sprung()))),
    Junk("zone raises LookupError", lambda: datetime(2026, 2, 1, tzinfo=Zone(LookupError()))),
    _fits(
        "hostile datetime",
        lambda: hostile(*COMPARISONS, *ARITHMETIC, "astimezone", "replace", base=datetime)(
            2026, 2, 1, tzinfo=UTC
        ),
    ),
    _fits("day", lambda: date(2026, 2, 1)),
    Junk("first day", lambda: date.min),
    Junk("last day", lambda: date.max),
    Junk("last day but 99 years", lambda: date(9900, 1, 2)),
    Junk("time", lambda: time(9, tzinfo=UTC)),
    _fits("zone", lambda: UTC),
    Junk("zone itself gives None", lambda: Zone(None)),
    Junk("zone itself gives text", lambda: Zone("+01:00")),
    Junk("zone itself raises", lambda: Zone(Sprung())),
    _fits("timestamp", lambda: 1_767_225_600),
)

TERMS = (
    Junk("no time", lambda: timedelta(0)),
    Junk("less than no time", lambda: -timedelta(microseconds=1)),
    _fits("shortest time", lambda: timedelta(microseconds=1)),
    _fits("hundred years", lambda: timedelta(days=36525)),
    _fits("over a hundred years", lambda: timedelta(days=36525, microseconds=1)),
    _fits("timedelta.max", lambda: timedelta.max),
    Junk("timedelta.min", lambda: timedelta.min),
    _fits("hostile timedelta", lambda: hostile(*COMPARISONS, *ARITHMETIC, base=timedelta)(days=1)),
    _fits("Months", lambda: ca.Months(1200)),
    Junk("no delta", relativedelta),
    Junk("negative delta", lambda: relativedelta(months=-1)),
    Junk("long delta", lambda: relativedelta(years=101)),
    Junk("mixed delta", lambda: relativedelta(months=1, days=1)),
    Junk("dated delta", lambda: relativedelta(months=1, day=31)),
    Junk("delta of a weekday", lambda: relativedelta(weekday=FR)),
    Junk("delta of leap days", lambda: relativedelta(leapdays=1)),
    _fits("delta of months", lambda: relativedelta(years=1, months=1)),
    _fits("delta of days", lambda: relativedelta(days=1)),
    Junk("changed delta: text", lambda: changed_delta(years="1")),
    Junk("changed delta: None", lambda: changed_delta(months=None)),
    Junk("changed delta: nan", lambda: changed_delta(months=float("nan"))),
    Junk("changed delta: inf", lambda: changed_delta(days=INFINITE, months=0)),
    Junk("changed delta: half", lambda: changed_delta(months=0.5)),
    Junk("changed delta: huge", lambda: changed_delta(months=0, days=10**400)),
    Junk("changed delta: huge months", lambda: changed_delta(years=10**400)),
    Junk("changed delta: list", lambda: changed_delta(months=[1])),
    Junk("changed delta: hostile", lambda: changed_delta(months=hostile(*EVERYTHING)())),
    Junk(
        "changed delta: hostile days", lambda: changed_delta(months=0, days=hostile(*EVERYTHING)())
    ),
    Junk("changed delta: agreeable", lambda: changed_delta(months=Agreeable())),
    Junk("changed delta: hostile day", lambda: changed_delta(day=hostile(*EVERYTHING)())),
    Junk("changed delta: Decimal", lambda: changed_delta(months=0, days=Decimal("sNaN"))),
    Junk("emptied delta", emptied_delta),
)

LISTS = (
    _fits("[]", list),
    _fits("()", tuple),
    _fits("{}", dict),
    _fits("set()", set),
    _fits("nothing to go through", lambda: iter(())),
    Junk("[None]", lambda: [None]),
    Junk("[[]]", lambda: [[]]),
    Junk("[bytes]", lambda: [b"py"]),
    Junk("[hostile]", lambda: [hostile(*EVERYTHING)()]),
    Junk("[unhashable]", lambda: [Unhashable()]),
    Junk("[agreeable]", lambda: [Agreeable()]),
    Junk("{None: None}", lambda: {None: None}),
    Junk("{1: 1}", lambda: {1: 1, "a": 2}),
    Junk("(None,)", lambda: (None,)),
    Junk("((),)", lambda: ((),)),
    Junk("list of itself", Itself),
    Junk("half a list", half_a_list),
    Junk("range", lambda: range(3)),
    Junk("no iterator", NoIterator),
    Junk("hostile list", lambda: hostile(*ITERATION, base=list)(["py"])),
    Junk("hostile tuple", lambda: hostile(*ITERATION, *COMPARISONS, base=tuple)(["py"])),
    Junk("hostile set", lambda: hostile(*ITERATION, base=frozenset)(["py"])),
    Junk("hostile dict", lambda: hostile(*ITERATION, "keys", "items", base=dict)(py=1)),
    Junk("keys that raise", hostile("keys", "__getitem__")),
)

THINGS = (
    Junk("object", object),
    Junk("hostile", hostile(*EVERYTHING)),
    *(
        Junk(f"hostile {names[0]}", hostile(*names))
        for names in (COMPARISONS, ("__hash__",), ("__iter__",), ("__len__",), ("__bool__",))
    ),
    Junk("agreeable", Agreeable),
    Junk("obliging", Obliging),
    Junk("unhashable", Unhashable),
    Junk("class", lambda: str),
    Junk("class of ours", lambda: ca.Note),
    Junk("type", lambda: type),
    Junk("function", lambda: len),
    Junk("function that raises", lambda: spring),
    Junk("module", lambda: types),
    Junk("exception", Sprung),
    Junk("decision", ca.Decision),
    _fits("course", lambda: SQL),
    _fits("user", lambda: ADA),
    _fits("organization", lambda: BETA),
    _fits("role", lambda: ca.Role.SUPPORT),
)

CATALOGUE = (*SCALARS, *TEXTS, *TIMES, *TERMS, *LISTS, *THINGS)
EVERY_NAME = frozenset(one.name for one in CATALOGUE)


def _drawn(value: object) -> Junk:
    return _fits(repr(value), partial(copy, value))


def _listed(parts: list[Junk]) -> Junk:
    return _fits(f"[{', '.join(one.name for one in parts)}]", lambda: [one.make() for one in parts])


def junk() -> st.SearchStrategy[Junk]:
    """Draw something that is seldom right, out of `CATALOGUE` or made up, alone or in a list."""
    offsets = st.timedeltas(-DAY, DAY).filter(lambda offset: abs(offset) < DAY).map(timezone)
    scalars = (
        st.text(st.characters(codec=None), max_size=70)
        | st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ- oil", min_size=15, max_size=24)
        | st.integers()
        | st.floats()
        | st.decimals()
        | st.binary(max_size=20)
        | st.datetimes(timezones=st.none() | offsets)
        | st.dates()
        | st.timedeltas()
        | st.integers(-2000, 2000).map(lambda count: changed_delta(months=count))
        | st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=2)
    )
    single = st.sampled_from(CATALOGUE) | scalars.map(_drawn)
    return single | st.lists(single, max_size=3).map(_listed)


@dataclass(frozen=True)
class Entry:
    """One public entry point with arguments that are valid, and how to call it in a fresh world.

    *writes* says that it may store something; *also* by what names errors call what is not among
    the arguments; *takes* which things that fit nowhere else are fine here, by their names;
    *functions* which arguments are functions of the caller's: what one of those raises is theirs;
    *repeats* that it stores nothing only because what it makes is there under its id already.
    """

    name: str
    run: Callable[[ca.Registrar, Mapping[str, Any]], Any]
    arguments: Mapping[str, Any]
    writes: bool = False
    also: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    repeats: bool = False


class Counting(ca.InMemoryRepository):
    """Counts how often something was stored."""

    commits = 0

    def commit(self, change: ca.Change, /) -> None:
        super().commit(change)
        self.commits += 1


def stage(repository: ca.Repository | None = None) -> ca.Registrar:
    """Return the registrar of a world in which something has happened, so that it can be undone."""
    registrar, _ = world(repository)
    terms: dict[str, Any] = {"organization_id": "acme", "availability": 30 * DAY}
    registrar.assign("py", "ada", id="a-1")
    registrar.create_keys("py", name="Spring", codes=[CODE], id="spring", max_uses=3, **terms)
    registrar.redeem(CODE, "ada", id="a-2")
    registrar.assign_many(["py"], ["bo"], id="b")
    registrar.add_keys("spring", codes=["Second-2026"], id="more")
    registrar.start("a-2", "lab", id="try")
    registrar.assign("py", "ada", id="a-3")
    registrar.pause(registrar.start("a-3", "lab").id)
    registrar.subscribe(["py", "sql"], "ada", duration=90 * DAY, id="s-1")
    registrar.open_course("s-1", "py", id="a-4")
    return registrar


NOTE = ca.Note(title="Renewal", message="Paid until June.")
ASSIGNMENT = ca.CourseAssignment(
    id="a-1",
    learner_id="ada",
    course_id="py",
    organization_id="acme",
    created_at=START,
    expires_at=END,
    limited_by=ca.ExpirationLimit.MAXIMUM,
    origin=ca.Direct(),
)
BATCH = ca.KeyBatch(
    id="spring",
    name="Spring",
    course_id="py",
    organization_id="acme",
    created_at=START,
    availability=30 * DAY,
    max_uses=3,
    size=1,
)
KEY = ca.TrainingKey(id="k-1", code=CODE, batch_id="spring", max_uses=3)
REDEMPTION = ca.Redemption(
    id="r-1",
    key_id="k-1",
    batch_id="spring",
    learner_id="ada",
    assignment_id="a-1",
    redeemed_at=START,
)
ATTEMPT = ca.Attempt(id="t-1", assignment_id="a-1", activity_id="lab", number=1, started_at=START)
PAUSED = attrs.evolve(ATTEMPT, pauses=[ca.Pause(START)])
SUBSCRIPTION = ca.Subscription(
    id="s-1",
    learner_id="ada",
    organization_id="acme",
    course_ids=["py", "sql"],
    created_at=START,
    expires_at=END,
    openings=[ca.Opening("py", "a-4")],
)
OPENED = attrs.evolve(ASSIGNMENT, id="a-4", origin=ca.FromSubscription("s-1"))
NEWCOMER = ca.User(id="new", name="New", email="new@example.org", organization_id="acme")
LINE = ca.StatementLine(
    organization_id="acme",
    course_id="py",
    learner_id="ada",
    assignment_id="a-1",
    created_at=START,
)
JANUARY = ca.Statement(start=START, end=END, lines=[LINE])
EVENT = ca.Event(at=START, action="assign", subject_ids=["a-1"])
KEY_TERMS: Mapping[str, Any] = {
    "course_id": "py",
    "name": "Autumn",
    "organization_id": "acme",
    "availability": 30 * DAY,
    "redeemable_from": START,
    "redeemable_until": END,
    "max_uses": 2,
    "any_organization": True,
    "codes": [OTHER_CODE],
    "generate": 1,
    "id": "autumn",
    "by": "manager",
}

#: Arguments with which a command succeeds at `stage`, where those of its act do not.
_OTHERS: Mapping[str, Mapping[str, Any]] = {
    "add": {"records": NEWCOMER, "by": "manager"},
    "update": {"record": ca.Course(id="py", name="Python 3"), "by": "manager"},
    "assign": {
        "course_id": "sql",
        "learner_id": "ada",
        "expires": 10 * DAY,
        "note": NOTE,
        "repeat": ca.Repeat.SKIP,
        "id": "a-9",
        "by": "manager",
    },
    "assign_many": {
        "course_ids": ["sql"],
        "learners": ["ada", ca.User(id="n", name="N", email="n@x", organization_id="acme")],
        "expires": 10 * DAY,
        "note": NOTE,
        "repeat": ca.Repeat.REFUSE,
        "id": "many",
        "by": "manager",
    },
    "cancel": {"assignment_id": "a-1", "support_reason": "moved", "by": "support"},
    "create_keys": KEY_TERMS,
    "add_keys": {
        "batch_id": "spring",
        "codes": [OTHER_CODE],
        "generate": 1,
        "id": "later",
        "by": "manager",
    },
    "edit_keys": {
        "batch_id": "spring",
        "name": "Summer",
        "redeemable_from": START,
        "redeemable_until": END,
        "max_uses": 5,
        "availability": 10 * DAY,
        "any_organization": True,
        "by": "manager",
    },
    "revoke_key": {"code": CODE, "by": "manager"},
    "redeem": {"code": CODE, "learner_id": "manager", "id": "a-9", "by": "manager"},
    "register": {"code": CODE, "user": NEWCOMER, "id": "a-9", "by": "manager"},
    "start": {"assignment_id": "a-1", "activity_id": "lab", "id": "again", "by": "manager"},
    "pause": {"attempt_id": ca.Attempt.id_for("a-2", "lab", 1), "by": "manager"},
    "resume": {"attempt_id": ca.Attempt.id_for("a-3", "lab", 1), "by": "ada"},
    "finish": {"attempt_id": ca.Attempt.id_for("a-2", "lab", 1), "by": "manager"},
    "subscribe": {
        "course_ids": ["py"],
        "learner_id": "ada",
        "duration": 90 * DAY,
        "id": "s-9",
        "by": "manager",
    },
    "edit_subscription": {"subscription_id": "s-1", "course_ids": ["sql"], "by": "manager"},
    "cancel_subscription": {
        "subscription_id": "s-1",
        "support_reason": "moved",
        "by": "support",
    },
}


def _arguments(command: commands.Command[Any, Any]) -> Mapping[str, Any]:
    """Return the arguments of the command of an act, given by the manager."""
    fields = attrs.fields(type(command))
    return {**{one.alias: getattr(command, one.name) for one in fields}, "by": "manager"}


#: Arguments with which each command succeeds at `stage`.
ARGUMENTS = {name: _OTHERS.get(name, _arguments(act.command)) for name, act in ACTS.items()}


def _method_of(prefix: str, command: str) -> Entry:
    """Return the entry of the method of a command, or of its question."""
    name = f"{prefix}{command}"

    def run(registrar: ca.Registrar, given: Mapping[str, Any]) -> Any:
        method = getattr(registrar, name)
        if command == "add":
            return method(given["records"], by=given["by"])
        return method(**given)

    writes = not prefix and bool(ACTS[command].change)
    return Entry(f"Registrar.{name}", run, ARGUMENTS[command], writes=writes)


def _carried_out(command: type[commands.Command[Any, Any]], method: str) -> Entry:
    """Return the entry of a command that is handed to a registrar as a value."""

    def run(registrar: ca.Registrar, given: Mapping[str, Any]) -> Any:
        return getattr(registrar, method)(command(**given))

    writes = method == "execute" and bool(ACTS[command.action].change)
    return Entry(f"{method}({command.__name__})", run, _said(command), writes=writes)


def _said(command: type[commands.Command[Any, Any]]) -> Mapping[str, Any]:
    """Return the arguments of *command* itself, which takes what is added as a list."""
    arguments = ARGUMENTS[command.action]
    return {**arguments, "records": [NEWCOMER]} if command is commands.Add else arguments


def _of_commands(kind: Callable[..., Any], /, **arguments: Any) -> Entry:
    return _call(f"commands.{kind.__name__}", kind, **arguments)


def _again(command: str, **arguments: Any) -> Entry:
    """Return the entry of a command that is repeated with its id, and looks at little else."""
    return Entry(
        f"Registrar.{command} again",
        lambda registrar, given: getattr(registrar, command)(**given),
        arguments,
        takes=EVERY_NAME,
        repeats=True,
    )


def _sourced(name: str, given: Callable[[Any], Any]) -> Entry:
    def run(registrar: ca.Registrar, arguments: Mapping[str, Any]) -> Any:
        office: Any = ca.Registrar
        # A source that always gives the same serves for one new id.
        only_one_id = {"id": "autumn", "generate": 0} if name == "new_id" else {}
        sources = {"clock": lambda: START, name: given(arguments[name])}
        return office(registrar.repository, **sources).create_keys(
            **{**KEY_TERMS, "id": None, **only_one_id}
        )

    valid = {"clock": START, "new_id": "an-id", "random_bytes": bytes(16)}[name]
    also = frozenset({"redeemable_until"})  # the clock may have passed it
    return Entry(f"Registrar({name} that gives)", run, {name: valid}, writes=True, also=also)


def _method(target: Any, name: str, **arguments: Any) -> Entry:
    return Entry(
        f"{type(target).__name__}.{name}",
        lambda _, given: getattr(target, name)(**given),
        arguments,
    )


def _call(name: str, function: Callable[..., Any], /, **arguments: Any) -> Entry:
    return Entry(name, lambda _, given: function(**given), arguments)


def _of(kind: Callable[..., Any], /, **arguments: Any) -> Entry:
    return _call(getattr(kind, "__name__", ""), kind, **arguments)


def _clock(name: str, **arguments: Any) -> Entry:
    return Entry(
        f"ManualClock.{name}",
        lambda _, given: getattr(ca.ManualClock(START), name)(**given),
        arguments,
    )


def _store(name: str, /, **arguments: Any) -> Entry:
    return Entry(
        f"InMemoryRepository.{name}",
        lambda registrar, given: getattr(registrar.repository, name)(*given.values()),
        arguments,
        writes=name == "commit",
    )


def _opened(_: ca.Registrar, given: Mapping[str, Any]) -> Any:
    office: Any = ca.Registrar
    return office(**given).may_add(SQL)


def _own_cell(_: ca.Registrar, given: Mapping[str, Any]) -> Any:
    own = ca.ExportColumn[ca.TrainingKey]("Own", lambda _: given["cell"])
    return ca.export_csv([KEY], StringIO(), columns=[own])


def _all_pages(_: ca.Registrar, given: Mapping[str, Any]) -> Any:
    return list(ca.find_all(**given))


RECORDS = (
    _of(
        ca.Organization,
        id="acme",
        name="Acme",
        parent_id="beta",
        maximum_access=DAY,
        time_zone="Europe/Berlin",
        anonymous_registration=True,
    ),
    _of(ca.Activity, id="lab", name="A lab", kind=ca.ActivityKind.LAB, required=True),
    _of(
        ca.Course,
        id="py",
        name="Python",
        content_provider="us",
        publishing_group="all",
        activities=[ca.Activity(id="lab", name="A lab", kind=ca.ActivityKind.LAB)],
        maximum_access=ca.Months(3),
        archived=False,
    ),
    _of(
        ca.User,
        id="ada",
        name="Ada",
        email="ada@example.org",
        organization_id="acme",
        roles={ca.Role.SUPPORT},
        managed_organization_ids={"acme"},
    ),
    _of(ca.Note, title="Renewal", message="Paid until June.", high_importance=True),
    _of(ca.FromKey, batch_id="spring", redemption_id="r-1"),
    replace(
        _of(
            *(ca.Receipt,),
            id="r",
            action="start",
            digest="d",
            parts=1,
            made=["a-1"],
            skipped=["a-2"],
            positions=[1, 2],
        ),
        takes=frozenset({"bytearray"}),
    ),
    _of(
        ca.CourseAssignment,
        id="a-1",
        learner_id="ada",
        course_id="py",
        organization_id="acme",
        created_at=START,
        expires_at=END,
        limited_by=ca.ExpirationLimit.KEY,
        origin=ca.FromKey("spring", "r-1"),
        first_lab_launched_at=START,
        started_at=START,
        completed_at=START,
        cancelled_at=START,
        finished={"lab"},
        notes=[NOTE],
    ),
    _of(ca.FromSubscription, subscription_id="s-1"),
    _of(ca.Pause, paused_at=START, resumed_at=END),
    _of(
        ca.Attempt,
        id="t-1",
        assignment_id="a-1",
        activity_id="lab",
        number=1,
        started_at=START,
        pauses=[ca.Pause(START, END)],
        finished_at=END,
    ),
    _of(ca.Opening, course_id="py", assignment_id="a-4"),
    _of(
        ca.Subscription,
        id="s-1",
        learner_id="ada",
        organization_id="acme",
        course_ids=["py"],
        created_at=START,
        expires_at=END,
        edited_at=START,
        cancelled_at=START,
        openings=[ca.Opening("py", "a-4")],
    ),
    _of(ca.Claim, id="s", learner_id="ada", course_id="py", assignment_id="a-1"),
    _of(
        ca.KeyBatch,
        id="spring",
        name="Spring",
        course_id="py",
        organization_id="acme",
        created_at=START,
        redeemable_from=START,
        redeemable_until=END,
        max_uses=3,
        availability=DAY,
        any_organization=True,
        size=1,
    ),
    _of(
        ca.TrainingKey,
        id="k-1",
        code=CODE,
        batch_id="spring",
        number=1,
        uses=0,
        max_uses=3,
        revoked_at=START,
    ),
    _of(
        ca.Redemption,
        id="r-1",
        key_id="k-1",
        batch_id="spring",
        learner_id="ada",
        assignment_id="a-1",
        redeemed_at=START,
        restored_at=END,
    ),
    _of(
        ca.Event,
        position=1,
        at=START,
        by="manager",
        action="assign",
        subject_ids=["a-1"],
        details={"keys": "1"},
    ),
    _of(
        ca.StatementLine,
        organization_id="acme",
        course_id="py",
        learner_id="ada",
        assignment_id="a-1",
        created_at=START,
        cancelled_at=END,
    ),
    _of(
        ca.StatementTotal,
        organization_id="acme",
        course_id="py",
        created=2,
        cancelled=1,
        billable=1,
    ),
    replace(
        _of(
            ca.Statement,
            start=START,
            end=END,
            zone=UTC,
            organization_id="acme",
            lines=[LINE],
        ),
        # Only a day is read in the zone, and here are none left.
        takes=frozenset(f"zone itself {what}" for what in ("gives None", "gives text", "raises")),
    ),
    replace(_of(ca.Months, count=6), also=frozenset({"months"})),
    _of(ca.Replace, before=PYTHON, after=PYTHON),
    replace(_of(ca.Use, key=KEY, by=1), takes=frozenset({"-1"})),
    _of(
        ca.Change,
        create=[PYTHON],
        replace=[ca.Replace(PYTHON, PYTHON)],
        use=[ca.Use(KEY, 1)],
        expect=[ADA],
        record=[EVENT],
    ),
    _of(ca.Decision, reasons=[reasons.CourseArchived("py")], changes_at=START),
    _of(ca.CustomReason, code="x-unpaid", sentence="The invoice of May is open."),
    _of(ca.Limit, at=START, by=ca.ExpirationLimit.KEY),
    replace(
        _of(ca.ExportColumn, title="Learner", value=repr),
        functions=frozenset({"value"}),
    ),
    _of(
        ca.InvitationTemplate,
        subject="A key for $learner",
        greeting="Dear $learner,",
        opening="Your key is $key\nand this is where to use it: $login",
        valid_from="Not before $valid_from",
        deadline="In time, that is before $until",
        new_account="New here?",
        new_account_steps=["Register"],
        existing_account="Known here?",
        existing_account_steps=["Log in"],
        signature="$organization",
    ),
    _of(ca.CancellationPolicy, window=DAY, restores_key_use=True),
    _of(ca.ExpirationPolicy, maximum=DAY, default=ca.Months(6)),
    _of(ca.Dashboard, assignments=[ASSIGNMENT], has_more=False, stale_at=START),
    _of(ca.DashboardPolicy, size=5, fresh_for=DAY),
    _of(ca.KeyRedemptionPolicy, once_per_learner=True),
    _of(ca.RepeatPolicy, default=ca.Repeat.SKIP),
    _of(
        ca.AuthorizationPolicy,
        assigning=[ca.Role.SUPPORT],
        keys=[ca.Role.SUPPORT],
        support=[ca.Role.SUPPORT],
    ),
    _of(
        ca.Policies,
        cancellation=ca.CancellationPolicy(),
        expiration=ca.ExpirationPolicy(),
        reschedule=ca.ReschedulePolicy(),
        completion=ca.CompletionPolicy(),
        access=ca.AccessPolicy(),
        attempt=ca.AttemptPolicy(),
        finish=ca.FinishPolicy(),
        subscription=ca.SubscriptionPolicy(),
        key_redemption=ca.KeyRedemptionPolicy(),
        registration=ca.RegistrationPolicy(),
        course_availability=ca.CourseAvailabilityPolicy(),
        repeat=ca.RepeatPolicy(),
        authorization=ca.AuthorizationPolicy(),
    ),
)

QUERIES = (
    _of(ca.OrganizationQuery, limit=10, cursor=("a",), name="Ac", parent_id="beta"),
    _of(ca.CourseQuery, limit=10, cursor=("a",), name="Pyth", archived=False),
    _of(
        ca.UserQuery,
        limit=10,
        cursor=("a",),
        name="Ada",
        email="ada@example.org",
        organization_id="acme",
    ),
    replace(
        _of(
            ca.AssignmentQuery,
            limit=10,
            cursor=(START, "a"),
            learner_id="ada",
            course_id="py",
            organization_id="acme",
            status=ca.AssignmentStatus.ACTIVE,
            at=START,
            completion=[ca.CompletionStatus.NOT_STARTED],
            origin=ca.FromKey,
            batch_id="spring",
            **dict.fromkeys(("created_from", "started_from", "completed_from"), START),
            **dict.fromkeys(("created_until", "started_until", "completed_until"), END),
            expires_from=START,
            expires_until=END,
        ),
        takes=frozenset({"number of ours"}),  # as completion
    ),
    _of(ca.AttemptQuery, limit=10, cursor=(START, "t"), assignment_id="a-1", activity_id="lab"),
    _of(
        ca.SubscriptionQuery,
        limit=10,
        cursor=(START, "s"),
        learner_id="ada",
        organization_id="acme",
        created_from=START,
        created_until=END,
        expires_from=START,
        expires_until=END + DAY,
    ),
    _of(
        ca.BatchQuery,
        limit=10,
        cursor=(START, "a"),
        course_id="py",
        organization_id="acme",
        name="Spr",
        redeemable_from=START,
        redeemable_until=END,
        created_from=START,
        created_until=END,
    ),
    _of(
        ca.KeyQuery,
        limit=10,
        cursor=("a", 1, "a"),
        batch_ids=["spring"],
        code=CODE,
        codes=[CODE],
        redeemed=True,
        usable=True,
    ),
    _of(ca.RedemptionQuery, limit=10, cursor=(START, "a"), key_id="k-1", learner_id="ada"),
    _of(ca.EventQuery, limit=10, cursor=(1,), after=1),
)


def _found(entry: Entry) -> Entry:
    """Return the entry that also looks for what the query of *entry* asks for."""

    def run(registrar: ca.Registrar, given: Mapping[str, Any]) -> Any:
        return registrar.repository.find(entry.run(registrar, given))

    return Entry(f"find({entry.name})", run, entry.arguments, takes=entry.takes)


POLICIES = (
    _method(ca.CancellationPolicy(), "closes_at", cancellable=ASSIGNMENT),
    _method(ca.CancellationPolicy(), "evaluate", cancellable=ASSIGNMENT, at=START, support=True),
    _method(ca.ExpirationPolicy(), "limit", created_at=START, course=SQL, organization=BETA),
    _method(ca.ExpirationPolicy(), "default_end", created_at=START, course=SQL, organization=BETA),
    _method(
        ca.ExpirationPolicy(),
        "evaluate",
        expires_at=START + DAY,
        created_at=START,
        course=SQL,
        organization=BETA,
    ),
    _method(ca.ReschedulePolicy(), "evaluate", assignment=ASSIGNMENT, expires_at=END, at=START),
    _method(ca.CompletionPolicy(), "evaluate", assignment=ASSIGNMENT, at=START),
    _method(ca.AccessPolicy(), "evaluate", assignment=ASSIGNMENT, at=START),
    _method(ca.AttemptPolicy(), "evaluate", attempts=[ATTEMPT], at=START),
    _method(ca.FinishPolicy(), "evaluate", assignment=ASSIGNMENT, at=START),
    _method(
        ca.SubscriptionPolicy(), "evaluate", subscription=SUBSCRIPTION, at=START, course_id="py"
    ),
    _method(
        ca.KeyRedemptionPolicy(),
        "evaluate",
        key=KEY,
        batch=BATCH,
        learner=ADA,
        at=START,
        redeemed=REDEMPTION,
    ),
    _method(
        ca.RegistrationPolicy(),
        "evaluate",
        organization=ACME,
        newcomer=NEWCOMER,
        at=START,
        email_owner=ADA,
    ),
    _method(ca.CourseAvailabilityPolicy(), "evaluate", course=PYTHON, at=START),
    _method(ca.DashboardPolicy(), "evaluate", assignments=[ASSIGNMENT], at=START),
    *(
        _call(f"training.{select.__name__}", select, assignments=[ASSIGNMENT], at=START)
        for select in (training.relevant, training.current, training.completed)
    ),
    _call(
        "training.ending",
        training.ending,
        assignments=[ASSIGNMENT],
        at=START,
        within=ca.Months(1),
        zone=OFFSETS["east"],
    ),
    _method(ca.RepeatPolicy(), "evaluate", existing=[ASSIGNMENT], at=START),
    _method(
        ca.AuthorizationPolicy(),
        "evaluate",
        actor=MANAGER,
        permission=ca.Permission.MANAGE_KEYS,
        organization_id="acme",
        at=START,
    ),
)

#: What the records that commands are decided on are made of, by their classes.
DECIDED_ON = {
    type(act.records): act.records
    for act in ACTS.values()
    if type(act.records).__module__.startswith(commands.__name__)
}

#: What a host hands to a command, beside the command itself.
TOLD = (
    _of_commands(commands.Context, at=START, policies=ca.Policies(), actor=MANAGER),
    *(
        _of_commands(kind, **{name: getattr(records, name) for name in attrs.fields_dict(kind)})
        for kind, records in DECIDED_ON.items()
    ),
)

#: A code is looked up, and a day is read in a zone, only when the records are there.
_LATER = {
    "code": {"empty text"},
    **dict.fromkeys(
        ("expires", "redeemable_from", "redeemable_until"),
        frozenset({"first day", "last day", "last day but 99 years"}),
    ),
}

COMMANDS = tuple(
    replace(
        _of_commands(kind, **_said(kind)),
        takes=frozenset().union(*(_LATER.get(name, ()) for name in _said(kind))),
    )
    for kind in commands.COMMANDS.values()
)

OFFICE = (
    *(_method_of(prefix, name) for name in commands.COMMANDS for prefix in ("", "may_")),
    *(
        _carried_out(kind, how)
        for kind in commands.COMMANDS.values()
        for how in ("execute", "check")
    ),
    Entry("Registrar.get", lambda of, given: of.get(**given), {"kind": ca.User, "id": "ada"}),
    _again("assign", course_id="py", learner_id="ada", expires=DAY, repeat=None, id="a-1", by=None),
    _again("assign_many", course_ids=["py"], learners=["bo"], repeat=None, id="b", by=None),
    _again("start", assignment_id="a-2", activity_id="lab", id="try", by=None),
    _again(
        "subscribe",
        learner_id="ada",
        course_ids=["py", "sql"],
        duration=90 * DAY,
        id="s-1",
        by=None,
    ),
    _again("open_course", subscription_id="s-1", course_id="py", id="a-4", by=None),
    _again("redeem", code=CODE, learner_id="ada", id="a-2", by=None),
    _again("add_keys", batch_id="spring", codes=[CODE], generate=0, id="more", by=None),
    _again(
        "create_keys",
        course_id="py",
        name="Spring",
        organization_id="acme",
        availability=DAY,
        codes=[CODE],
        generate=0,
        id="spring",
        by=None,
    ),
    Entry(
        "Registrar()",
        _opened,
        {
            "repository": ca.InMemoryRepository(),
            "policies": ca.Policies(),
            "clock": lambda: START,
            "new_id": lambda: "an-id",
            "random_bytes": bytes,
            "timeout": DAY,
            "stopwatch": lambda: 0.0,
        },
        takes=frozenset({"no time", "less than no time", "timedelta.min"}),  # as timeout: no retry
        functions=frozenset({"clock", "new_id", "random_bytes", "stopwatch"}),
    ),
    _sourced("clock", lambda shown: lambda: shown),
    _sourced("new_id", lambda drawn: lambda: drawn),
    _sourced("random_bytes", lambda drawn: lambda _: drawn),
)

STORES = (
    _store("get", kind=ca.User, ids=["ada"]),
    _store("find", query=ca.CourseQuery()),
    _store("commit", change=ca.Change(create=[NEWCOMER])),
    Entry(
        "find_all", _all_pages, {"repository": ca.InMemoryRepository(), "query": ca.CourseQuery()}
    ),
    *map(_found, QUERIES),
)

_SEEN: Mapping[str, Any] = {"repository": stage().repository, "learner_id": "ada", "at": START}

VIEWS = (
    _call("dashboard", ca.dashboard, **_SEEN, policy=ca.DashboardPolicy()),
    _call("current_training", ca.current_training, **_SEEN),
    _call("transcript", ca.transcript, **_SEEN),
    _call(
        "expiring",
        ca.expiring,
        **_SEEN,
        within=ca.Months(1),
        course_id="py",
        organization_id="acme",
        zone=OFFSETS["east"],
    ),
)

VALUES = (
    _method(ASSIGNMENT, "status_at", at=START),
    _method(ASSIGNMENT, "is_active_at", at=START),
    _method(ASSIGNMENT, "remaining_at", at=START),
    _method(ATTEMPT, "time_spent", at=START),
    _call("Attempt.id_for", ca.Attempt.id_for, assignment_id="a-1", activity_id="lab", number=1),
    _method(SUBSCRIPTION, "status_at", at=START),
    _method(SUBSCRIPTION, "is_active_at", at=START),
    _method(SUBSCRIPTION, "remaining_at", at=START),
    _method(SUBSCRIPTION, "opened", course_id="py"),
    _method(SUBSCRIPTION, "next_assignment_id", course_id="py"),
    _call("StatementLine.of", ca.StatementLine.of, assignment=ASSIGNMENT),
    _call("Receipt.id_for", ca.Receipt.id_for, action="start", call_id="c", part=0),
    _call("Claim.id_for", ca.Claim.id_for, learner_id="ada", course_id="py"),
    _call("Claim.of", ca.Claim.of, learner_id="ada", course_id="py", assignment_id="a-1"),
    _call(
        "statement",
        ca.statement,
        repository=stage().repository,
        start=date(2026, 1, 1),
        end=date(2026, 2, 1),
        zone=OFFSETS["east"],
        organization_id="acme",
    ),
    _method(JANUARY, "__add__", other=ca.Statement(start=END, end=END + DAY)),
    _call("KeyQuery.redeemable", ca.KeyQuery.redeemable, batches=[BATCH], at=START),
    _call("Redemption.id_for", ca.Redemption.id_for, key_id="k-1", learner_id="ada", turn=0),
    _method(ca.Change(), "made", kind=ca.User),
    replace(_method(ca.Replace(PYTHON, PYTHON), "of", stored=PYTHON), takes=frozenset({"None"})),
    replace(_method(ca.Use(KEY, 1), "of", stored=KEY), takes=frozenset({"None"})),
    _method(ca.Months(1200), "after", start=START, zone=OFFSETS["east"]),
    _clock("advance", duration=DAY),
    _clock("set", at=START),
    _call("ManualClock", ca.ManualClock, at=START),
    replace(_call("parse_duration", ca.parse_duration, text="P6M"), also=frozenset({"duration"})),
    _call("format_duration", ca.format_duration, duration=DAY),
    _call("to_dict", ca.to_dict, record=ASSIGNMENT),
    _call(
        "invitation",
        ca.invitation,
        key=KEY,
        learner=ADA,
        course=PYTHON,
        batch=BATCH,
        organization=ACME,
        login_url="https://learn.example/login",
        sender="training@acme.example",
        sender_name="Acme, Training",
        template=ca.InvitationTemplate(),
    ),
    replace(_call("read_codes", ca.read_codes, lines=[CODE]), also=frozenset({"codes"})),
    replace(_call("read_cell", ca.read_cell, cell="'=1"), takes=frozenset({"empty text"})),
    _call(
        "export_csv",
        ca.export_csv,
        records=[ASSIGNMENT],
        stream=StringIO(),
        columns=["id"],
        delimiter=";",
        encoding="utf-8-sig",
    ),
    Entry(
        "export_csv of a column that gives",
        _own_cell,
        {"cell": "Ada"},
        also=frozenset({"columns"}),
        takes=frozenset(
            {
                *("-1", "2**31", "foreign member", "number of ours", "empty text", "no time"),
                *("first day", "last day", "last day but 99 years"),
            }
        ),
    ),
    *(
        replace(
            _method(query, name, record=record),
            takes=EVERY_NAME if name == "matches" else frozenset(),  # it does not match
        )
        for query, record in (
            (ca.OrganizationQuery(), ACME),
            (ca.CourseQuery(), PYTHON),
            (ca.UserQuery(email="ada@example.org"), ADA),
            (ca.AssignmentQuery(learner_id="ada"), ASSIGNMENT),
            (ca.AttemptQuery(assignment_id="a-1"), ATTEMPT),
            (ca.SubscriptionQuery(learner_id="ada"), SUBSCRIPTION),
            (ca.BatchQuery(course_id="py"), BATCH),
            (ca.KeyQuery(batch_ids=["spring"]), KEY),
            (ca.RedemptionQuery(key_id="k-1"), REDEMPTION),
            (ca.EventQuery(), EVENT),
        )
        for name in ("matches", "sort_key", "starting_after")
    ),
)

#: What the library makes and others only read: the fields take what they are given.
RESULTS = tuple(
    replace(entry, takes=EVERY_NAME)
    for entry in (
        _of(ca.AssignmentBatch, created=(), skipped=()),
        _of(ca.Page, records=(), next=None),
        _of_commands(commands.Outcome, result=None, change=ca.Change(), decision=ca.Decision()),
        _of(ca.InvalidInput, code="blank", field="name", hint="give one"),
        _of(ca.NotFound, kind="Course", id="c-9", also=()),
        _of(ca.Conflict, ids=("a-1",), code="changed"),
        _of(ca.StorageBusy, hint="database is locked"),
        _of(ca.OutcomeUnknown, ids=("a-1",)),
        _of(ca.StorageError, code="disk_full", hint="database or disk is full"),
        _of(ca.Refused, decision=ca.Decision()),
        *(
            _of(kind, **facts_for(kind, "x", START))
            for kind in get_args(reasons.Reason)
            if kind is not ca.CustomReason
        ),
    )
)

ENTRIES = (
    *(*OFFICE, *STORES, *VIEWS, *POLICIES, *TOLD, *COMMANDS),
    *(*RECORDS, *QUERIES, *VALUES, *RESULTS),
)
