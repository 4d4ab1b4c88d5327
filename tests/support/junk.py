"""Invalid values of every kind, and a table of every public entry that takes arguments.

Left out: endless lists; what Python refuses by itself, such as an
unknown argument; and what a function of the caller's raises, which is theirs.
"""

import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, StrEnum
from fractions import Fraction
from functools import partial
from inspect import signature
from io import StringIO
from itertools import chain
from typing import Any, NoReturn, TypeVar, cast, get_args

import attrs
from dateutil.relativedelta import FR, relativedelta
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments import commands, reasons
from course_assignments.entities.receipts import receipts_of
from course_assignments.views import training
from tests.support import acts
from tests.support.acts import ACTS
from tests.support.reasons import facts_for
from tests.support.world import ACME, ADA, BETA, MANAGER, PYTHON, SQL, START, world

T = TypeVar("T")
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
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


HOSTILE = hostile(*EVERYTHING)()

#: A string whose every method raises.
HOSTILE_STRING = hostile(
    *(name for name in vars(str) if not name.startswith("__")),
    *(*COMPARISONS, *ITERATION, "__hash__", "__add__", "__mod__", "__mul__", "__rmul__"),
    *("__format__", "__repr__", "__str__"),
    base=str,
)


class Agreeable:
    """Equal to everything, as `unittest.mock.ANY` is."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class Obliging:
    """Has an attribute of every name."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return Obliging()


class Proxy:
    """Stands for another object and gives its class for its own, as lazy objects of hosts do."""

    def __init__(self, target: object) -> None:
        object.__setattr__(self, "_target", target)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._target)

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_target"), name)

    def __eq__(self, other: object) -> bool:
        return bool(self._target == other)

    def __hash__(self) -> int:
        return hash(self._target)

    def __str__(self) -> str:
        return str(self._target)

    def __len__(self) -> int:
        return len(self._target)

    def __iter__(self) -> Iterator[object]:
        return iter(self._target)

    def __bool__(self) -> bool:
        return bool(self._target)


class Unbound:
    """A proxy outside of a request, whose class cannot even be asked for."""

    __class__ = property(spring)


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
    """A string that is a member of an enum."""

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
    """An invalid value, made anew each time because it may be exhausted.

    *nowhere* says that no argument accepts it.
    """

    name: str
    make: Callable[[], Any]
    nowhere: bool = True


def _fits(name: str, make: Callable[[], Any]) -> Junk:
    return Junk(name, make, nowhere=False)


def _values(values: Iterable[object], *, nowhere: bool = True) -> Iterator[Junk]:
    return (Junk(repr(one), partial(copy, one), nowhere) for one in values)


def _naive(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - that is the point


OFFSETS = {"east": timezone(timedelta(hours=14)), "west": timezone(-timedelta(hours=14))}
INFINITE = float("inf")

SCALARS = (
    *_values([None, True, False, 0, 1, 2**31 - 1], nowhere=False),
    *_values([-1, 2**31, 2**63, 1.0, float("nan"), INFINITE, 1j, ..., NotImplemented]),
    *_values([Decimal(1), Decimal("sNaN"), Fraction(1, 2), b"Spring-2026"]),
    Junk("10**400", lambda: 10**400),
    Junk("bytearray", lambda: bytearray(b"ada")),
    Junk("foreign member", lambda: Foreign.SKIP),
    Junk("number of ours", lambda: ca.CompletionStatus.COMPLETE),
)

STRINGS = (
    Junk("empty string", lambda: ""),
    _fits("blank string", lambda: " \t\u2003"),  # a line of a paste may be blank
    _fits("NUL", lambda: "a\0b"),
    _fits("surrogate", lambda: "ab\ud800cdefgh"),
    _fits("line break", lambda: "ab\r\ncdefghij"),
    _fits("escape", lambda: "\x1b[31mred"),
    _fits("next line", lambda: "ab\x85cdefgh"),
    _fits("right to left", lambda: "ab\u202ecdefgh"),
    _fits("over-long string", lambda: "x" * 20_000),
    *_values(["ada,bo", "5", "P6M", "P999999999W", "2026-01-05T09:00:00Z"], nowhere=False),
    _fits("path", lambda: "../../etc/passwd"),
    _fits("member of a string enum", lambda: Word.LONG),
    _fits("hostile string", lambda: HOSTILE_STRING("hostile1")),
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
    Junk("too early", lambda: datetime(1970, 1, 1, tzinfo=UTC) - TICK),
    Junk("too late", lambda: datetime(9900, 1, 1, tzinfo=UTC)),
    _fits("earliest", lambda: datetime(1970, 1, 1, tzinfo=UTC)),
    _fits("latest", lambda: datetime(9899, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    Junk("zone gives None", lambda: datetime(2026, 2, 1, tzinfo=Zone(None))),
    Junk("zone gives a string", lambda: datetime(2026, 2, 1, tzinfo=Zone("+01:00"))),
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
    Junk("zone itself gives a string", lambda: Zone("+01:00")),
    Junk("zone itself raises", lambda: Zone(Sprung())),
    _fits("timestamp", lambda: 1_767_225_600),
)

TERMS = (
    Junk("no time", lambda: timedelta(0)),
    Junk("less than no time", lambda: -TICK),
    *_values(
        [TICK, 36525 * DAY, 36525 * DAY + TICK, timedelta.max, ca.Months(1200)], nowhere=False
    ),
    Junk("timedelta.min", lambda: timedelta.min),
    _fits("hostile timedelta", lambda: hostile(*COMPARISONS, *ARITHMETIC, base=timedelta)(days=1)),
    *_values([relativedelta(), relativedelta(months=-1), relativedelta(years=101)]),
    *_values([relativedelta(months=1, days=1), relativedelta(months=1, day=31)]),
    *_values([relativedelta(weekday=FR), relativedelta(leapdays=1)]),
    *_values([relativedelta(years=1, months=1), relativedelta(days=1)], nowhere=False),
    *(
        Junk(f"changed delta: {changed!r:.60}", partial(changed_delta, **changed))
        for changed in (
            *({"years": "1"}, {"years": 10**400}, {"day": HOSTILE}, {"months": 0, "days": HOSTILE}),
            *({"months": 0, "days": 10**400}, {"months": 0, "days": Decimal("sNaN")}),
            *({"months": 0, "days": INFINITE}, {"months": None}, {"months": [1]}, {"months": 0.5}),
            *({"months": float("nan")}, {"months": HOSTILE}, {"months": Agreeable()}),
        )
    ),
    Junk("emptied delta", emptied_delta),
)

LISTS = (
    *_values([[], (), {}, set()], nowhere=False),
    _fits("nothing to go through", lambda: iter(())),
    *_values([[None], [[]], [b"py"], {None: None}, {1: 1, "a": 2}, (None,), ((),), range(3)]),
    Junk("[hostile]", lambda: [hostile(*EVERYTHING)()]),
    Junk("[unhashable]", lambda: [Unhashable()]),
    Junk("[agreeable]", lambda: [Agreeable()]),
    Junk("list of itself", Itself),
    Junk("half a list", half_a_list),
    Junk("no iterator", NoIterator),
    Junk("hostile list", lambda: hostile(*ITERATION, base=list)(["py"])),
    Junk("hostile tuple", lambda: hostile(*ITERATION, *COMPARISONS, base=tuple)(["py"])),
    Junk("hostile set", lambda: hostile(*ITERATION, base=frozenset)(["py"])),
    Junk("hostile dict", lambda: hostile(*ITERATION, "keys", "items", base=dict)(py=1)),
    Junk("keys that raise", hostile("keys", "__getitem__")),
)

#: No argument takes what only stands for one of these.
PROXIED: tuple[object, ...] = (
    *("py", b"py", 1, True, START, START.date(), DAY, UTC, ca.Months(1), relativedelta(days=1)),
    *(ca.Role.SUPPORT, ADA, SQL, BETA, ca.Note(title="T", message="M"), str, ca.User),
    *(ca.CourseQuery(), ca.Change(), ca.Policies(), ca.Decision(), None),
)


#: What stands for one of these is a list of its own: it can be gone through.
PROXIED_LISTS: tuple[object, ...] = (["py"], ("py",), {"py"}, {})


def _proxies(target: object) -> list[Proxy]:
    return [Proxy(target)]


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
    Junk("unbound proxy", Unbound),
    Junk("[unbound proxy]", lambda: [Unbound()]),
    *(Junk(f"proxy of {one!r:.40}", partial(Proxy, one)) for one in PROXIED),
    *(Junk(f"[proxy of {one!r:.40}]", partial(_proxies, one)) for one in PROXIED),
    *(_fits(f"proxy of {one!r}", partial(Proxy, one)) for one in PROXIED_LISTS),
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

CATALOGUE = (*SCALARS, *STRINGS, *TIMES, *TERMS, *LISTS, *THINGS)
EVERY_NAME = frozenset(one.name for one in CATALOGUE)


#: What a message names with a word of its own; of a character it says the name and the number.
_NAMED = re.compile(
    r"got (-?\d|P\d|\$|'|(None|NaN|NaT|none|more|limits|str|int|date|tuple|timedelta|Course)\b)"
    r"|unknown column '|U\+[0-9A-F]{4}"
)


def says_what_was_received(hint: str, value: object) -> bool:
    """Return whether *hint* names the type of *value*, or of something in it."""
    return bool(_NAMED.search(hint)) or any(f"got {name}" in hint for name in _types(value))


def _types(value: object) -> Iterator[str]:
    yield type(value).__name__[:40]
    if issubclass(type(value), type):
        yield f"the class {value.__name__[:40]}"  # type: ignore[attr-defined]
    yield from (
        base.__name__ for base in (datetime, date, timedelta) if issubclass(type(value), base)
    )
    with suppress(Exception):
        yield from (type(one).__name__[:40] for one in cast("Iterable[object]", value))


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
    drawn = scalars.map(lambda value: next(_values([value], nowhere=False)))
    single = st.sampled_from(CATALOGUE) | drawn
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
LAB = ca.Activity(id="lab", name="A lab", kind=ca.ActivityKind.LAB)
NEWCOMER = ca.User(id="new", name="New", email="new@example.org", organization_id="acme")

#: A valid value for each argument, by its name; where a call needs another one, it says so.
GIVEN: dict[str, Any] = {
    "action": "start",
    "activity_id": "lab",
    "actor": MANAGER,
    "any_organization": True,
    "archived": False,
    "assignment_id": "a-1",
    "at": START,
    "attempt_id": ca.Attempt.id_for("a-2", "lab", 1),
    "availability": 30 * DAY,
    "batch_id": "spring",
    "batch_ids": ["spring"],
    "learner_ids": ["ada"],
    "by": "manager",
    "code": CODE,
    "codes": [OTHER_CODE],
    "completion": [ca.CompletionStatus.NOT_STARTED],
    "content_provider": "us",
    "course": SQL,
    "course_id": "py",
    "course_ids": ["py"],
    "duration": 90 * DAY,
    "email": "ada@example.org",
    "emails": ["ada@example.org"],
    "expires": 10 * DAY,
    "finished": {"lab"},
    "generate": 1,
    "id": "autumn",
    "ids": ("a-1",),
    "key_id": "k-1",
    "learner": ADA,
    "learner_id": "ada",
    "limit": 10,
    "limited_by": ca.ExpirationLimit.KEY,
    "managed_organization_ids": {"acme"},
    "max_uses": 2,
    "maximum_access": DAY,
    "message": "Paid until June.",
    "name": "Autumn",
    "newcomer": NEWCOMER,
    "note": NOTE,
    "notes": [NOTE],
    "number": 1,
    "openings": [ca.Opening("py", "a-4")],
    "organization": BETA,
    "organization_id": "acme",
    "origin": ca.FromKey("spring", "r-1"),
    "parent_id": "beta",
    "pauses": [ca.Pause(START, END)],
    "permission": ca.Permission.MANAGE_KEYS,
    "publishing_group": "all",
    "redemption_id": "r-1",
    "repeat": ca.Repeat.SKIP,
    "roles": {ca.Role.SUPPORT},
    "size": 1,
    "subject_ids": ["a-1"],
    "subscription_id": "s-1",
    "support_reason": "moved",
    "time_zone": "Europe/Berlin",
    "title": "Renewal",
    "user": NEWCOMER,
    "user_id": "ada",
    "uses": 0,
    "amend": [ca.Amend(batch_id="spring", max_uses=4)],
    "min_uses": 1,
    "within": ca.Months(1),
    "zone": OFFSETS["east"],
    **dict.fromkeys(("anonymous_registration", "high_importance", "required"), True),
    **dict.fromkeys(("redeemed", "revoked", "support", "usable"), True),
    **dict.fromkeys(("cancelled_at", "completed_at", "created_at", "edited_at"), START),
    **dict.fromkeys(("first_lab_launched_at", "paused_at", "redeemed_at", "revoked_at"), START),
    **dict.fromkeys(("start", "started_at", "redeemable_from"), START),
    **dict.fromkeys(("end", "expires_at", "finished_at", "redeemable_until"), END),
    **dict.fromkeys(("restored_at", "resumed_at"), END),
    **dict.fromkeys(("created_from", "expires_from", "started_from", "completed_from"), START),
    **dict.fromkeys(("created_until", "expires_until", "started_until", "completed_until"), END),
}


def given(call: Callable[..., Any], /, **changed: Any) -> dict[str, Any]:
    """Return a valid value for each argument of *call*, with some of them *changed*.

    Left out is ``field``, which says only how errors call another argument.
    """
    names = [name for name in signature(call).parameters if name in changed or name != "field"]
    return {name: changed[name] if name in changed else GIVEN[name] for name in names}


def _made(kind: type[T], **changed: Any) -> T:
    return kind(**given(kind, **changed))


ASSIGNMENT = attrs.evolve(acts.GIVEN, expires_at=END)
BATCH = acts.BATCH
KEY = attrs.evolve(acts.KEY, uses=0)
REDEMPTION = _made(ca.Redemption, restored_at=None)
ATTEMPT = _made(ca.Attempt, pauses=(), finished_at=None)
SUBSCRIPTION = _made(ca.Subscription, course_ids=["py", "sql"], cancelled_at=None)
LINE = _made(ca.StatementLine, cancelled_at=None)
CLAIM = _made(ca.Claim)
(RECEIPT,) = receipts_of("start", "try", ("a-1", "lab"), made=["t-1"])
EVENT = ca.Event(at=START, action="assign", subject_ids=["a-1"])
JANUARY = ca.Statement(start=START, end=END, lines=[LINE])
GIVEN |= {
    "assignment": ASSIGNMENT,
    "assignments": [ASSIGNMENT],
    "attempts": [ATTEMPT],
    "batch": BATCH,
    "cancellable": ASSIGNMENT,
    "email_owner": ADA,
    "joined": ACME,
    "profile": ADA,
    "permissions": {ca.Role.SUPPORT: [ca.Permission.SUPPORT]},
    "existing": [ASSIGNMENT],
    "key": KEY,
    "subscription": SUBSCRIPTION,
}
KEY_TERMS: Mapping[str, Any] = given(commands.CreateKeys, by="manager")

#: The arguments with which a command succeeds at `stage`, where they are not those of `GIVEN`.
_OTHERS: Mapping[str, Mapping[str, Any]] = {
    "add": {"records": NEWCOMER},
    "update": {"record": ca.Course(id="py", name="Python 3")},
    "assign": {"course_id": "sql"},
    "assign_many": {
        "course_ids": ["sql"],
        "learners": ["ada", ca.User(id="n", name="N", email="n@x", organization_id="acme")],
        "repeat": ca.Repeat.REFUSE,
    },
    "cancel": {"by": "support"},
    "reschedule": {"by": "support"},
    "edit_keys": {"max_uses": 5},
    "redeem": {"learner_id": "manager"},
    "resume": {"attempt_id": ca.Attempt.id_for("a-3", "lab", 1), "by": "ada"},
    "edit_subscription": {"course_ids": ["sql"]},
    "cancel_subscription": {"by": "support"},
    "open_course": {"course_id": "sql"},
}

#: Arguments with which each command succeeds at `stage`.
ARGUMENTS = {name: given(kind, **_OTHERS.get(name, {})) for name, kind in commands.COMMANDS.items()}


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


def _of(kind: Callable[..., Any], /, **changed: Any) -> Entry:
    """Return the entry of a class, with a valid value for each of its arguments."""
    return _call(getattr(kind, "__name__", ""), kind, **changed)


def _of_commands(kind: Callable[..., Any], /, **changed: Any) -> Entry:
    return _call(f"commands.{kind.__name__}", kind, **changed)


def _like(value: Any) -> Entry:
    """Return the entry of the class of *value*, with its own fields."""
    fields = {one.alias: getattr(value, one.name) for one in attrs.fields(type(value))}
    return _of(type(value), **fields)


def _call(name: str, function: Callable[..., Any], /, **changed: Any) -> Entry:
    return Entry(name, lambda _, given: function(**given), given(function, **changed))


def _method(target: Any, name: str, **changed: Any) -> Entry:
    return _call(f"{type(target).__name__}.{name}", getattr(target, name), **changed)


def _again(command: str, **changed: Any) -> Entry:
    """Return the entry of a command that is repeated with its id, and looks at little else."""
    return Entry(
        f"Registrar.{command} again",
        lambda registrar, given: getattr(registrar, command)(**given),
        given(commands.COMMANDS[command], by=None, **changed),
        takes=EVERY_NAME,
        repeats=True,
    )


def _sourced(name: str, given: Callable[[Any], Any]) -> Entry:
    def run(registrar: ca.Registrar, arguments: Mapping[str, Any]) -> Any:
        registrar_class: Any = ca.Registrar
        # A source that always gives the same serves for one new id.
        only_one_id = {"id": "autumn", "generate": 0} if name == "new_id" else {}
        sources = {"clock": lambda: START, name: given(arguments[name])}
        return registrar_class(registrar.repository, **sources).create_keys(
            **{**KEY_TERMS, "id": None, **only_one_id}
        )

    valid = {"clock": START, "new_id": "an-id", "random_bytes": bytes(16)}[name]
    also = frozenset({"redeemable_until"})  # the clock may have passed it
    return Entry(f"Registrar({name} that gives)", run, {name: valid}, writes=True, also=also)


def _methods(target: Any, **changed: Any) -> Iterator[Entry]:
    """Return the entries of the public methods of *target* that take arguments."""
    for name in dir(type(target)):
        method = None if name.startswith("_") else getattr(target, name)
        if callable(method) and signature(method).parameters:
            yield _method(target, name, **changed)


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
    registrar_class: Any = ca.Registrar
    return registrar_class(**given).may_add(SQL)


def _own_cell(_: ca.Registrar, given: Mapping[str, Any]) -> Any:
    own = ca.ExportColumn[ca.TrainingKey]("Own", lambda _: given["cell"])
    return ca.export_csv([KEY], StringIO(), columns=[own])


def _all_pages(_: ca.Registrar, given: Mapping[str, Any]) -> Any:
    return list(ca.find_all(**given))


RECORDS = (
    *map(_of, (ca.Organization, ca.User, ca.Note, ca.FromKey, ca.CourseAssignment)),
    *map(_of, (ca.FromSubscription, ca.Pause, ca.Attempt, ca.Opening, ca.Subscription, ca.Claim)),
    *map(_of, (ca.KeyBatch, ca.TrainingKey, ca.Redemption, ca.StatementLine)),
    _of(ca.Activity, kind=ca.ActivityKind.LAB),
    _of(ca.Course, activities=[LAB]),
    replace(
        _of(ca.Receipt, digest="d", parts=1, made=["a-1"], skipped=["a-2"], positions=[1, 2]),
        takes=frozenset({"bytearray"}),
    ),
    # A pair of strings may be any iterable of two.
    replace(_of(ca.Event, position=1, details={"keys": "1"}), takes=frozenset({"[proxy of 'py']"})),
    _of(ca.StatementTotal, created=2, cancelled=1, billable=1),
    replace(
        _of(ca.Statement, lines=[LINE]),
        # Only a day is read in the zone, and here are none left.
        takes=frozenset(
            f"zone itself {what}" for what in ("gives None", "gives a string", "raises")
        ),
    ),
    replace(_of(ca.Months, count=6), also=frozenset({"months"})),
    _of(ca.Replace, before=PYTHON, after=PYTHON),
    replace(_of(ca.Use, by=1), takes=frozenset({"-1"})),
    _of(ca.Amend),
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
    _of(ca.Limit, by=ca.ExpirationLimit.KEY),
    replace(_of(ca.ExportColumn, value=repr), functions=frozenset({"value"})),
    _of(ca.Dashboard, has_more=False, stale_at=START),
    *map(
        _like,
        (
            ca.InvitationTemplate(),
            ca.CancellationPolicy(),
            ca.ExpirationPolicy(),
            ca.DashboardPolicy(),
            ca.KeyRedemptionPolicy(),
            ca.RepeatPolicy(),
            ca.AuthorizationPolicy(),
        ),
    ),
    replace(_like(ca.Policies()), takes=frozenset({"no time"})),  # clocks that never differ
)

QUERIES = (
    _of(ca.OrganizationQuery, cursor=("a",)),
    _of(ca.CourseQuery, cursor=("a",)),
    _of(ca.UserQuery, cursor=("a",)),
    replace(
        _of(
            ca.AssignmentQuery,
            cursor=(START, "a"),
            status=ca.AssignmentStatus.ACTIVE,
            origin=ca.FromKey,
        ),
        takes=frozenset({"number of ours"}),  # as completion
    ),
    _of(ca.AttemptQuery, cursor=(START, "t")),
    _of(ca.SubscriptionQuery, cursor=(START, "s")),
    _of(ca.BatchQuery, cursor=(START, "a")),
    _of(ca.KeyQuery, cursor=("a", 1, "a")),
    _of(ca.RedemptionQuery, cursor=(START, "a")),
    _of(ca.EventQuery, cursor=(1,), after=1),
)


def _found(entry: Entry) -> Entry:
    """Return the entry that also looks for what the query of *entry* asks for."""

    def run(registrar: ca.Registrar, given: Mapping[str, Any]) -> Any:
        return registrar.repository.find(entry.run(registrar, given))

    return Entry(f"find({entry.name})", run, entry.arguments, takes=entry.takes)


POLICIES = (
    *chain.from_iterable(
        _methods(one, redeemed=REDEMPTION)
        for one in (*attrs.astuple(ca.Policies(), recurse=False), ca.DashboardPolicy())
        if attrs.has(type(one))
    ),
    *(
        _call(f"training.{select.__name__}", select)
        for select in (training.relevant, training.current, training.completed, training.ending)
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
    _of_commands(commands.Context, policies=ca.Policies()),
    *(
        _of_commands(kind, **{name: getattr(records, name) for name in attrs.fields_dict(kind)})
        for kind, records in DECIDED_ON.items()
    ),
)

#: A code is looked up, and a day is read in a zone, only when the records are there.
_LATER = {
    "code": {"empty string"},
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
    _again("assign", id="a-1"),
    _again("assign_many", id="b", learners=["bo"], expires=None, note=None, repeat=None),
    _again("start", id="try", assignment_id="a-2"),
    _again("subscribe", id="s-1", course_ids=["py", "sql"]),
    _again("open_course", id="a-4"),
    _again("redeem", id="a-2"),
    _again("add_keys", id="more", codes=["Second-2026"], generate=0),
    _again("create_keys", id="spring", codes=[CODE], generate=0),
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
        takes=frozenset({"no time"}),  # as timeout: no retry
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

_SEEN: Mapping[str, Any] = {"repository": stage().repository}

VIEWS = (
    _call("dashboard", ca.dashboard, **_SEEN, policy=ca.DashboardPolicy()),
    _call("current_training", ca.current_training, **_SEEN),
    _call("transcript", ca.transcript, **_SEEN),
    _call("expiring", ca.expiring, **_SEEN),
)

VALUES = (
    *chain.from_iterable(
        _methods(one, call_id="c", part=0, turn=0)
        for one in (ASSIGNMENT, ATTEMPT, SUBSCRIPTION, RECEIPT, CLAIM, REDEMPTION, LINE)
    ),
    _call("statement", ca.statement, **_SEEN, start=date(2026, 1, 1), end=date(2026, 2, 1)),
    _method(JANUARY, "__add__", other=ca.Statement(start=END, end=END + DAY)),
    _call("KeyQuery.redeemable", ca.KeyQuery.redeemable, batches=[BATCH]),
    _method(ca.Change(), "made", kind=ca.User),
    replace(_method(ca.Replace(PYTHON, PYTHON), "of", stored=PYTHON), takes=frozenset({"None"})),
    replace(_method(ca.Use(KEY, 1), "of", stored=KEY), takes=frozenset({"None"})),
    replace(_method(ca.Amend(batch_id="spring"), "of", stored=KEY), takes=frozenset({"None"})),
    _method(ca.Months(1200), "after"),
    _clock("advance", duration=DAY),
    _clock("set", at=START),
    _call("ManualClock", ca.ManualClock),
    replace(_call("parse_duration", ca.parse_duration, text="P6M"), also=frozenset({"duration"})),
    _call("format_duration", ca.format_duration),
    _call("to_dict", ca.to_dict, record=ASSIGNMENT),
    _call(
        "invitation",
        ca.invitation,
        course=PYTHON,
        organization=ACME,
        login_url="https://learn.example/login",
        sender="training@acme.example",
        sender_name="Acme, Training",
        template=ca.InvitationTemplate(),
    ),
    replace(_call("read_codes", ca.read_codes, lines=[CODE], minimum=8), also=frozenset({"codes"})),
    replace(_call("read_cell", ca.read_cell, cell="'=1"), takes=frozenset({"empty string"})),
    _call(
        "export_csv",
        ca.export_csv,
        records=[ASSIGNMENT],
        stream=StringIO(),
        columns=["id"],
        as_text=["id"],
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
                *(
                    "-1",
                    "2147483648",
                    "foreign member",
                    "number of ours",
                    "empty string",
                    "no time",
                ),
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
        _of(ca.InvalidInput, code="blank", field="name", hint="give one", also=(), summary=""),
        _of(ca.NotFound, kind="Course", also=()),
        _of(ca.Conflict, code="changed", kind=None),
        _of(ca.StorageBusy, hint="database is locked"),
        _of(ca.OutcomeUnknown),
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
