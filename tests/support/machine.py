"""A machine that draws sequences of commands of the registrar, over any repository.

What learners and subscriptions do is drawn in `tests.support.machine_learning`, on top of this.

It keeps a `Model` beside the repository, and after each command both have to tell the same. Now and
then someone else is faster: their command is carried out between the reading and the commit.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, TypeAlias

import attrs
from hypothesis import event, note
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from course_assignments import (
    Activity,
    ActivityKind,
    CancellationPolicy,
    Change,
    Conflict,
    CourseAssignmentsError,
    Decision,
    ExpirationPolicy,
    FromKey,
    KeyRedemptionPolicy,
    ManualClock,
    Months,
    Note,
    Policies,
    Query,
    Redemption,
    Refused,
    Registrar,
    Repeat,
    RepeatPolicy,
    Repository,
    Role,
    TrainingKey,
    User,
)
from course_assignments.changes import R
from course_assignments.queries import RecordT
from course_assignments.repository import Page
from tests.support import world
from tests.support.model import MISTYPED, TICK, Expected, Facts, Settings, facts, folded
from tests.support.model_learning import WholeModel

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = timedelta(0)

SELLER = User(
    id="seller",
    name="Seller",
    email="seller@example.org",
    roles={Role.SALES_MANAGER},
    managed_organization_ids={"acme", "beta"},
)
#: The one lab there is, in whatever course it stands.
LAB = Activity(id="lab", name="A lab", kind=ActivityKind.LAB, required=True)
FILM = Activity(id="film", name="A film", kind=ActivityKind.VIDEO, required=True)
NOTES = Activity(id="notes", name="Notes", kind=ActivityKind.DOCUMENT)
PYTHON = attrs.evolve(world.PYTHON, activities=[FILM, NOTES, LAB])
SQL = attrs.evolve(world.SQL, activities=[NOTES, attrs.evolve(LAB, required=False)])
RECORDS = (
    *(one for one in world.RECORDS if one not in (world.PYTHON, world.SQL)),
    *(PYTHON, SQL, SELLER),
)

#: Newcomers: two of them share an address, one has Ada's, one has Ada's id, one may not come so.
NEWCOMERS = (
    User(id="dee", name="Dee", email="dee@example.org"),
    User(id="eli", name="Eli", email="eli@example.org", organization_id="acme"),
    User(id="fay", name="Fay", email="DEE@Example.org", organization_id="beta"),
    User(id="gus", name="Gus", email="Ada@example.org"),
    User(id="ada", name="Ada Again", email="ada.again@example.org"),
    User(id="hal", name="Hal", email="hal@example.org", organization_id="nowhere"),
    User(id="ivy", name="Ivy", email="ivy@example.org", roles={Role.SUPPORT}),
)
#: Most of them can be registered.
VISITORS = st.sampled_from([*NEWCOMERS, *NEWCOMERS[:3], *NEWCOMERS[:2]])

CODES = ("Spring-2026", "Summer-2026", "Autumn-2026", "WINTER-2026", "", "  Easter-2026 ")

COURSES = st.sampled_from(["py", "py", "py", "py", "sql", "sql", "sql", "draft", "old", "nothing"])
LEARNERS = st.sampled_from(["ada"] * 6 + ["bo"] * 6 + ["cy", "dee", "manager", "nobody"])
ORGANIZATIONS = st.sampled_from(["acme"] * 4 + ["beta"] * 3 + ["nowhere"])
ACTORS = st.sampled_from(
    [None] * 16 + ["manager", "manager", "seller", "seller", "support", "support", "ada", "nobody"]
)
IDS = st.sampled_from([None, None, None, None, "one", "two", "three"])
REPEATS = st.sampled_from([None, None, *Repeat, Repeat.REFUSE])
RENEWAL = Note(title="Renewal", message="Paid.", high_importance=True)
NOTICES = st.sampled_from([None, None, RENEWAL])
#: Which of what there is, the newest first; the last stands for what there is not.
NOTHING = 9
PICKS = st.integers(0, NOTHING)


@dataclass(frozen=True)
class Shifted:
    """An instant, said as its distance from another one that only the run knows."""

    by: timedelta


@dataclass(frozen=True)
class AtTheLimit(Shifted):
    """An instant near the latest end that an assignment may have."""


SHIFTS = (-DAY, -TICK, NOW, TICK, DAY, 29 * DAY, 30 * DAY, 30 * DAY + TICK, 180 * DAY + TICK)
TERMS = (TICK, DAY, 30 * DAY, 90 * DAY, 180 * DAY, Months(1), Months(6))
DATES = (date(2026, 1, 6), date(2026, 3, 29), date(2026, 7, 1))
ENDS = st.sampled_from([*map(Shifted, SHIFTS), *TERMS, *DATES])
#: A command, its arguments by place and by name.
Call: TypeAlias = tuple[str, Any, Any]
END: TypeAlias = Shifted | timedelta | Months | date

#: Where to go before a command: to which edge of a record, and how far off.
EDGES = ("created_at", "closes_at", "expires_at")
WINDOW = ("created_at", "redeemable_from", "redeemable_until")


def moves(edges: tuple[str, ...]) -> st.SearchStrategy[tuple[str, timedelta] | None]:
    """Draw where the clock goes before a command: nowhere, or to an edge, give or take a tick."""
    offsets = st.sampled_from([NOW, NOW, TICK, -TICK])
    return st.none() | st.none() | st.tuples(st.sampled_from(edges), offsets)


ADDITIONS = st.tuples(
    st.just("add"),
    st.lists(st.sampled_from(RECORDS + NEWCOMERS[2:]), min_size=1, max_size=3),
    st.none(),
)
#: What an edit makes of a course, an organization or a user.
COURSE_EDITS = st.tuples(
    st.just("courses"),
    st.sampled_from(["py", "sql", "draft"]),
    st.fixed_dictionaries(
        {
            "archived": st.sampled_from([False, False, False, True]),
            "content_provider": st.sampled_from(["us", "us", "us", None]),
            "publishing_group": st.sampled_from(["all", "all", "all", None]),
            "maximum_access": st.sampled_from([None, None, 30 * DAY, Months(1), 200 * DAY]),
        }
    ),
)
#: What is in a course: something is left out, renamed, added, or required where it was not.
ACTIVITY_EDITS = st.tuples(
    st.just("courses"),
    st.sampled_from(["py", "py", "sql"]),
    st.fixed_dictionaries(
        {
            "activities": st.sampled_from(
                [
                    PYTHON.activities,
                    SQL.activities,
                    (FILM, NOTES),
                    (attrs.evolve(NOTES, required=True), attrs.evolve(LAB, name="A new lab")),
                    (Activity(id="quiz", name="A quiz", kind=ActivityKind.ASSESSMENT), FILM),
                ]
            )
        }
    ),
)
ORGANIZATION_EDITS = st.tuples(
    st.just("organizations"),
    st.sampled_from(["acme", "beta"]),
    st.fixed_dictionaries(
        {
            "anonymous_registration": st.booleans(),
            "maximum_access": st.sampled_from([None, 90 * DAY, Months(3), 30 * DAY]),
            "time_zone": st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
        }
    ),
)
USER_EDITS = st.tuples(
    st.just("users"),
    st.sampled_from(["ada", "bo", "cy", "dee", "seller"]),
    st.none()
    | st.fixed_dictionaries(
        {},
        optional={
            "organization_id": st.sampled_from(["acme", "acme", "beta", None, "nowhere"]),
            "email": st.sampled_from(["dee@example.org", "BO@example.org", "new@example.org"]),
        },
    ),
)

#: How a code is typed.
HANDS = ("exact", "exact", "exact", "spaced", "forgiven", "mistyped")

#: What may be done to a batch after its keys were redeemed.
AFTERWARDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("edit_keys", {"max_uses": 1}),
    ("edit_keys", {"max_uses": 4}),
    ("revoke_keys", {}),
)

STEPS = (TICK, HOUR, 23 * HOUR, DAY, DAY + TICK, 7 * DAY, 30 * DAY, 90 * DAY, 180 * DAY)

#: Where a request moves with the clock, nothing is said about when its answer changes.
MOVING = ("expires", "redeemable_from", "redeemable_until")

#: What someone who is faster may do, relative to what is about to be committed.
RIVALRY = st.sampled_from([None] * 4 + ["the same", "something near", "something against", "rules"])
#: Where it takes some luck that a command is allowed at all, someone is faster more often.
RUSH = RIVALRY | st.sampled_from(["the same", "something near", "something against"])

#: What the model calls the records of each kind.
SHELVES = {
    "Organization": "organizations",
    "Course": "courses",
    "User": "users",
    "Claim": "claims",
    "CourseAssignment": "assignments",
    "KeyBatch": "batches",
    "TrainingKey": "keys",
    "Redemption": "redemptions",
    "Attempt": "attempts",
    "Subscription": "subscriptions",
    "Event": "events",
}
Contents: TypeAlias = dict[str, list[Any]]


def contents(repository: Repository) -> Contents:
    """Return everything that *repository* stores, by the names of the model."""
    return {SHELVES[kind]: records for kind, records in world.contents(repository).items()}


@dataclass(frozen=True)
class Told:
    """What came of a call: a value, or one of the library's errors."""

    value: Any = None
    error: CourseAssignmentsError | None = None


def told(call: Callable[..., Any], args: Any, kwargs: Any) -> Told:
    """Return what comes of *call*; an error that is none of ours is a fault by itself."""
    try:
        return Told(call(*args, **kwargs))
    except CourseAssignmentsError as error:
        return Told(error=error)


class Overtaken:
    """A repository in front of another, where someone else may be faster than who commits."""

    def __init__(self, inner: Repository) -> None:
        self.inner = inner
        self.rival: Callable[[], object] | None = None
        self.lost = 0
        self.closed = False

    def get(self, kind: type[R], ids: Any, /) -> dict[str, R]:
        return self.inner.get(kind, ids)

    def find(self, query: Query[RecordT], /) -> Page[RecordT]:
        return self.inner.find(query)

    def commit(self, change: Change, /) -> None:
        assert not self.closed, "a question changes nothing"
        if self.rival is not None:
            rival, self.rival = self.rival, None
            rival()
        try:
            self.inner.commit(change)
        except Conflict:
            self.lost += 1
            assert self.lost < 3, "a commit is refused although nobody else wrote anything"
            raise


class RegistrarMachine(RuleBasedStateMachine):
    """Draw commands; fill in `make`, and run its ``TestCase``."""

    #: What was reached, by command and outcome; a subclass that wants to know has its own.
    reached: ClassVar[Counter[str]] = Counter()
    registrar_class: ClassVar[type[Registrar]] = Registrar

    def make(self) -> Repository:
        """Return a new, empty repository."""
        raise NotImplementedError

    def policies(self, settings: Settings) -> Policies:
        """Return the documented policies, with what *settings* say."""
        return Policies(
            cancellation=CancellationPolicy(restores_key_use=settings.restores_key_use),
            expiration=ExpirationPolicy(default=settings.default),
            key_redemption=KeyRedemptionPolicy(once_per_learner=settings.once_per_learner),
            repeat=RepeatPolicy(default=settings.repeat),
        )

    @initialize(
        restores=st.booleans(),
        once=st.sampled_from([True, True, False]),
        repeat=st.sampled_from([Repeat.ALLOW, *Repeat]),
        default=st.sampled_from([Months(6), Months(6), Months(1), timedelta(days=20)]),
        stock=st.sampled_from([None, "acme", "acme", "beta"]),
        lasts=st.sampled_from([None, 2 * DAY, 10 * DAY, Months(12)]),
    )
    def start_registrar(
        self,
        *,
        restores: bool,
        once: bool,
        repeat: Repeat,
        default: Any,
        stock: str | None,
        lasts: timedelta | Months | None,
    ) -> None:
        settings = Settings(restores, once, repeat, default)
        self.repository = self.make()
        self.overtaken = Overtaken(self.repository)
        self.clock = ManualClock(world.START)
        options: dict[str, Any] = {
            "policies": self.policies(settings),
            "clock": self.clock,
            "new_id": world.counting(),
            "random_bytes": world.counting_bytes(),
        }
        self.registrar = self.registrar_class(self.overtaken, **options)
        # Nobody is faster than this one, who need not try again.
        self.faster = self.registrar_class(self.repository, **options, timeout=NOW)
        self.armed: str | None = None
        self.probed = False
        self.model = WholeModel(settings, world.START, drawn=self.drawn)
        self.seen = contents(self.repository)
        self.do("add", *RECORDS)
        if stock is not None:
            self.do(
                "create_keys",
                "py",
                name="Stock",
                organization_id=stock,
                availability=40 * DAY,
                redeemable_from=world.START - HOUR,
                redeemable_until=60 * DAY,
                max_uses=3,
                any_organization=True,
                codes=CODES[:1],
                generate=1,
            )
            self.do("assign", "sql", "bo")
        if lasts is not None:
            self.do("subscribe", ["py"], "ada", duration=lasts)

    def drawn(self, batch_id: str) -> list[str]:
        """Return the codes of a batch that the model does not know and nobody typed."""
        known = {*self.model.keys, *(code.strip() for code in CODES)}
        return [key.code for key in self.faster.keys(batch_id) if key.code not in known]

    # One command: asked about, carried out, and compared with the model.

    def do(self, name: str, /, *args: Any, **kwargs: Any) -> None:
        """Carry out a command as the registrar, with someone who may be armed to be faster."""
        rivalry, self.armed = self.armed, None
        if rivalry is None:
            self._do(self.registrar, name, args, kwargs)
            return
        rival = self._rival(rivalry, name, args, kwargs)
        self.overtaken.rival = lambda: self._do(self.faster, rival[0], rival[1], rival[2])
        self._do(self.registrar, name, args, kwargs)
        self.overtaken.rival = None

    def _do(self, registrar: Registrar, name: str, args: Any, kwargs: Any) -> None:
        shown = ", ".join([*map(repr, args), *(f"{key}={one!r}" for key, one in kwargs.items())])
        note(f"{self.clock().isoformat()} {name}({shown})")
        self.model.at = self.clock()
        self.overtaken.lost = 0
        expected: Expected = getattr(self.model, name)(*args, **kwargs)
        before = events = self.seen
        self.overtaken.closed = True
        answer = self._ask(name, args, kwargs)
        self._foresee(name, args, kwargs, answer)
        self.overtaken.closed = False
        outcome = told(getattr(registrar, name), args, kwargs)
        after = contents(self.repository)
        if self.seen is not events:
            # Someone was faster, so it was decided anew on what they had left.
            before = self.seen
            expected = getattr(self.model, name)(*args, **kwargs)
        else:
            self._agree(answer, outcome)
        if self.overtaken.lost:
            self.reached[f"{name}: decided anew"] += 1
        self.seen = after
        self._settle(name, expected, outcome, before)

    def _settle(self, name: str, expected: Expected, outcome: Told, before: Any) -> None:
        if outcome.error is not None:
            assert expected.fits(outcome.error), (expected, outcome.error)
            assert self.seen == before, "what is refused leaves everything as it was"
        else:
            assert not expected.errors, (expected, outcome)
            expected.store(outcome.value)
        for one in _outcomes(outcome):
            self.reached[f"{name}: {one}"] += 1
            event(f"{name}: {one}")
        self._compare()

    def _ask(self, name: str, args: Any, kwargs: Any) -> Told:
        """Return what the question of a command answers."""
        return told(getattr(self.registrar, f"may_{name}"), args, kwargs)

    def _foresee(self, name: str, args: Any, kwargs: Any, answer: Told) -> None:
        """Check that the answer stays the same until the instant it names, and turns there."""
        if not isinstance(answer.value, Decision):
            return
        decision, now = answer.value, self.clock()
        turn = decision.changes_at
        if turn is not None:
            assert turn > now
            probes = {turn - TICK: False, turn: True}
        elif any(kwargs.get(one) for one in MOVING):
            return
        else:
            self.probed = not self.probed
            probes = {now + (400 * DAY if self.probed else DAY + TICK): False}
        for instant, turned in probes.items():
            self.clock.set(instant)
            later = self._ask(name, args, kwargs)
            assert later.error is None, (instant, later)
            assert (later.value.allowed != decision.allowed) is turned, (instant, decision)
        self.clock.set(now)

    @staticmethod
    def _agree(answer: Told, outcome: Told) -> None:
        """Check that the question allowed exactly what was then done, for the same reasons."""
        if answer.error is not None:
            assert answer.error == outcome.error
            return
        decision = answer.value
        assert isinstance(decision, Decision)
        if isinstance(outcome.error, Refused):
            assert decision.reasons == outcome.error.decision.reasons
        else:
            assert outcome.error is None
            assert decision.allowed

    def _compare(self) -> None:
        """Check that the repository tells what the model tells."""
        for kind, found in self.seen.items():
            if kind in {"claims", "events"}:
                continue
            stored = getattr(self.model, kind)
            assert len(found) == len(stored), kind
            for record in found:
                assert self._facts(record) == stored[getattr(record, "code", record.id)], kind
        claims = {(one.learner_id, one.course_id): one.assignment_id for one in self.seen["claims"]}
        assert claims == self.model.claims
        assert [
            (one.position, one.at, one.by, one.action, dict(one.details).get("support_reason"))
            for one in self.seen["events"]
        ] == self.model.events

    def _facts(self, record: Any) -> Facts:
        """Return the facts of *record* as the model has them, which knows keys by their codes."""
        found = facts(record)
        if isinstance(record, TrainingKey):
            del found["id"]
        if isinstance(record, Redemption):
            codes = {key.id: key.code for key in self.seen["keys"]}
            found["code"] = codes[found.pop("key_id")]
        return found

    # Who is faster.

    def _rival(self, rivalry: str, name: str, args: Any, kwargs: Any) -> Call:
        """Return the command of someone faster, relative to the one that is about to commit."""
        asked = {key: one for key, one in kwargs.items() if key not in {"by", "id"}}
        near: dict[str, Callable[..., Call]] = {
            "redeem": lambda code, _: self._redeeming(code),
            "register": lambda code, user: ("register", (code, _namesake(user)), {}),
            "assign": lambda *_: (name, args, {**asked, "repeat": Repeat.SKIP}),
            "assign_many": lambda *_: (name, args, {**asked, "repeat": Repeat.SKIP}),
            "create_keys": lambda _: _keys_with(asked),
            "add_keys": lambda _: _keys_with(asked),
            "edit_keys": lambda batch_id: ("add_keys", (batch_id,), {"generate": 1}),
            "revoke_keys": lambda batch_id: ("add_keys", (batch_id,), {"generate": 1}),
            "cancel": lambda assignment_id: ("start", (assignment_id, LAB.id), {}),
            "reschedule": lambda assignment_id, _: ("start", (assignment_id, LAB.id), {}),
            "complete": lambda assignment_id: ("start", (assignment_id, LAB.id), {}),
        }
        against: dict[str, Callable[..., Call]] = {
            "redeem": lambda code, _: ("revoke_key", (code,), {}),
            "register": lambda code, _: ("revoke_key", (code,), {}),
            "assign": lambda course_id, _: self._archive(course_id),
            "assign_many": lambda course_ids, _: self._archive(course_ids[0]),
            "create_keys": self._archive,
            "edit_keys": self._redeeming_of,
            "revoke_keys": self._redeeming_of,
            "revoke_key": self._redeeming,
            "cancel": lambda assignment_id: ("reschedule", (assignment_id, DAY), {}),
            "reschedule": lambda assignment_id, _: ("cancel", (assignment_id,), {}),
            "complete": lambda assignment_id: ("reschedule", (assignment_id, DAY), {}),
        }
        rules: dict[str, Callable[..., Call]] = {
            "redeem": lambda code, _: self._archive(self._course_of(code)),
            "register": lambda code, _: self._forbidding(code),
            "reschedule": lambda assignment_id, _: self._shortening(assignment_id),
            "assign": lambda course_id, _: self._archive(course_id),
            "add_keys": lambda batch_id: self._archive(self._course_in(batch_id)),
        }
        tables = {"something near": near, "something against": against, "rules": rules}
        table = tables.get(rivalry, {})
        return table[name](*args) if name in table else (name, args, kwargs)

    def _batch_of(self, typed: str) -> Facts | None:
        key = self.model.keys.get(self.model.spellings[typed] or "")
        return None if key is None else self.model.batches[key["batch_id"]]

    def _course_of(self, typed: str) -> str:
        batch = self._batch_of(typed)
        return "old" if batch is None else str(batch["course_id"])

    def _course_in(self, batch_id: str) -> str:
        batch = self.model.batches.get(batch_id)
        return "old" if batch is None else str(batch["course_id"])

    def _forbidding(self, typed: str) -> Call:
        """Return that the organization of a key no longer lets anyone register."""
        batch = self._batch_of(typed)
        wanted = "acme" if batch is None else batch["organization_id"]
        host = next(one for one in self.seen["organizations"] if one.id == wanted)
        return "update", (attrs.evolve(host, anonymous_registration=False),), {}

    def _shortening(self, assignment_id: str) -> Call:
        """Return that the course of an assignment gives the shortest access there is."""
        one = self.model.assignments.get(assignment_id)
        wanted = "old" if one is None else one["course_id"]
        course = next(one for one in self.seen["courses"] if one.id == wanted)
        return "update", (attrs.evolve(course, maximum_access=TICK),), {}

    def _redeeming_of(self, batch_id: str) -> Call:
        keys = [one for one in self.model.keys.values() if one["batch_id"] == batch_id]
        valid = (one["code"] for one in keys if one["revoked_at"] is None)
        return self._redeeming(next(valid, "Never-made"))

    def _redeeming(self, typed: str) -> Call:
        """Return that someone who did not do so yet redeems a key."""
        meant = typed if typed in self.model.keys else None
        code = self.model.spellings.setdefault(typed, meant)
        held = {one["learner_id"] for one in self.model.redemptions.values() if one["code"] == code}
        fresh = (one for one in ("ada", "bo", "cy") if one not in held)
        return "redeem", (typed, next(fresh, "ada")), {}

    def _archive(self, course_id: str) -> Call:
        course = next((one for one in self.seen["courses"] if one.id == course_id), world.OLD)
        return "update", (attrs.evolve(course, archived=True),), {}

    # Time.

    def _go(self, at: datetime) -> None:
        earliest, latest = datetime(2020, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)
        self.clock.set(min(max(at, earliest), latest))
        self.model.at = self.clock()

    @rule(step=st.sampled_from([*STEPS, *(-step for step in STEPS)]))
    def move_clock(self, *, step: timedelta) -> None:
        self._go(self.clock() + step)

    def _move(self, one: Facts, move: tuple[str, timedelta] | None) -> None:
        if move is not None:
            edges = {"closes_at": one["created_at"] + timedelta(hours=24), **one}
            if edges[move[0]] is not None:
                self._go(edges[move[0]] + move[1])

    def _when(self, end: END | None, start: datetime | None = None) -> Any:
        return (start or self.clock()) + end.by if isinstance(end, Shifted) else end

    def _pick(self, shelf: dict[str, Facts], pick: int) -> str:
        ids = list(shelf)
        return ids[-1 - pick % len(ids)] if ids and pick < NOTHING else "nothing"

    # Organizations, courses, users.

    @rule(
        edit=st.one_of(ADDITIONS, COURSE_EDITS, ACTIVITY_EDITS, ORGANIZATION_EDITS, USER_EDITS),
        by=ACTORS,
        rivalry=RIVALRY,
    )
    def keep_records(
        self, *, edit: tuple[str, Any, Any], by: str | None, rivalry: str | None
    ) -> None:
        """Add, update or anonymize."""
        self.armed = rivalry
        query, what, terms = edit
        if query == "add":
            self.do("add", *what, by=by)
        elif terms is None:
            self.do("anonymize", what, by=by)
        else:
            stored = [one for one in self.seen[query] if one.id == what]
            self.do("update", attrs.evolve(stored[0] if stored else NEWCOMERS[0], **terms), by=by)

    # Assigning.

    @rule(
        course_id=COURSES,
        learner_id=LEARNERS,
        expires=st.none() | ENDS,
        repeat=REPEATS,
        note=NOTICES,
        id=IDS,
        by=ACTORS,
        rivalry=RIVALRY,
    )
    def assign(
        self,
        *,
        course_id: str,
        learner_id: str,
        expires: END | None,
        rivalry: str | None,
        **options: Any,
    ) -> None:
        self.armed = rivalry
        self.do("assign", course_id, learner_id, expires=self._when(expires), **options)

    @rule(
        course_ids=st.lists(st.sampled_from(["py", "py", "sql", "old"]), min_size=1, max_size=3),
        learners=st.lists(
            st.sampled_from(["ada", "bo", "cy", *NEWCOMERS[:5], *NEWCOMERS]),
            min_size=1,
            max_size=3,
        ),
        expires=st.none() | st.none() | ENDS,
        repeat=REPEATS,
        note=NOTICES,
        id=IDS,
        by=ACTORS,
        rivalry=RUSH,
    )
    def assign_many(
        self,
        *,
        course_ids: list[str],
        learners: list[Any],
        expires: END | None,
        rivalry: str | None,
        **options: Any,
    ) -> None:
        self.armed = rivalry
        self.do("assign_many", course_ids, learners, expires=self._when(expires), **options)

    # What exists.

    def exists(self) -> bool:
        return bool(self.model.assignments)

    @precondition(exists)
    @rule(pick=PICKS, move=moves(EDGES), by=ACTORS, rivalry=RIVALRY)
    def cancel(self, *, pick: int, move: Any, by: str | None, rivalry: str | None) -> None:
        self.armed = rivalry
        self.do("cancel", self._assignment(pick, move), by=by)

    @precondition(exists)
    @rule(
        pick=PICKS,
        move=moves(EDGES),
        why=st.sampled_from(["Moved.", "Moved.", "Ill.", " "]),
        by=st.sampled_from([None, None, "support", "support", "manager", "nobody"]),
        rivalry=RIVALRY,
    )
    def cancel_by_support(
        self, *, pick: int, move: Any, why: str, by: str | None, rivalry: str | None
    ) -> None:
        self.armed = rivalry
        self.do("cancel", self._assignment(pick, move), support_reason=why, by=by)

    @precondition(exists)
    @rule(
        pick=PICKS,
        move=moves(EDGES),
        expires=ENDS | st.sampled_from([-TICK, NOW, TICK]).map(AtTheLimit),
        by=ACTORS,
        rivalry=RUSH,
    )
    def reschedule(
        self, *, pick: int, move: Any, expires: Any, by: str | None, rivalry: str | None
    ) -> None:
        self.armed = rivalry
        id_ = self._assignment(pick, move)
        if isinstance(expires, AtTheLimit) and id_ in self.model.assignments:
            limit = self.model.limit_of(self.model.assignments[id_])
            self.do("reschedule", id_, limit[0] + expires.by, by=by)
        else:
            self.do("reschedule", id_, self._when(expires), by=by)

    @precondition(exists)
    @rule(pick=PICKS, move=moves(EDGES), by=ACTORS, rivalry=RUSH)
    def complete(self, *, pick: int, move: Any, by: str | None, rivalry: str | None) -> None:
        self.armed = rivalry
        id_ = self._assignment(pick, move)
        self.do("complete", id_, by=by)
        self.do("complete", id_)

    @precondition(exists)
    @rule(pick=PICKS, note=st.just(RENEWAL), by=ACTORS)
    def add_note(self, *, pick: int, note: Note, by: str | None) -> None:
        self.do("add_note", self._pick(self.model.assignments, pick), note, by=by)

    def _assignment(self, pick: int, move: Any) -> str:
        id_ = self._pick(self.model.assignments, pick)
        if id_ in self.model.assignments:
            self._move(self.model.assignments[id_], move)
        return id_

    # Keys.

    @rule(
        course_id=COURSES,
        organization_id=ORGANIZATIONS,
        availability=st.sampled_from([10 * DAY, 40 * DAY, 200 * DAY, Months(1), Months(7)]),
        redeemable_from=st.none() | st.none() | ENDS,
        redeemable_until=st.none() | st.none() | ENDS,
        max_uses=st.sampled_from([None, 1, 2, 2, 3]),
        any_organization=st.booleans(),
        codes=st.lists(st.sampled_from(CODES), unique=True, max_size=3),
        generate=st.integers(0, 2),
        id=IDS,
        by=ACTORS,
        rivalry=RIVALRY,
    )
    def create_keys(
        self,
        *,
        course_id: str,
        redeemable_from: END | None,
        redeemable_until: END | None,
        rivalry: str | None,
        **options: Any,
    ) -> None:
        self.armed = rivalry
        start, end = self._when(redeemable_from), self._when(redeemable_until)
        self.do(
            "create_keys",
            course_id,
            name="Keys",
            redeemable_from=start,
            redeemable_until=end,
            **options,
        )

    def _has_keys(self) -> bool:
        return bool(self.model.keys)

    @precondition(_has_keys)
    @rule(
        pick=PICKS,
        codes=st.lists(st.sampled_from(CODES), unique=True, max_size=2),
        generate=st.integers(0, 2),
        id=IDS,
        by=ACTORS,
        rivalry=RIVALRY,
    )
    def add_keys(self, *, pick: int, rivalry: str | None, **options: Any) -> None:
        self.armed = rivalry
        self.do("add_keys", self._pick(self.model.batches, pick), **options)

    @precondition(_has_keys)
    @rule(
        pick=PICKS,
        terms=st.fixed_dictionaries(
            {},
            optional={
                "name": st.just("Edited"),
                "redeemable_from": st.none() | ENDS,
                "redeemable_until": st.none() | ENDS,
                "max_uses": st.sampled_from([None, 1, 1, 1, 2, 4]),
                "availability": st.sampled_from([TICK, 5 * DAY, Months(2)]),
                "any_organization": st.booleans(),
            },
        ),
        by=ACTORS,
        rivalry=RUSH,
    )
    def edit_keys(
        self, *, pick: int, terms: dict[str, Any], by: str | None, rivalry: str | None
    ) -> None:
        self.armed = rivalry
        self.do(
            "edit_keys",
            self._pick(self.model.batches, pick),
            **{name: self._when(term) for name, term in terms.items()},
            by=by,
        )

    @precondition(_has_keys)
    @rule(pick=PICKS, hand=st.sampled_from([*HANDS, None, None, None]), by=ACTORS, rivalry=RIVALRY)
    def revoke(self, *, pick: int, hand: str | None, by: str | None, rivalry: str | None) -> None:
        self.armed = rivalry
        if hand is None:
            self.do("revoke_keys", self._pick(self.model.batches, pick), by=by)
        else:
            self.do("revoke_key", self._typed(pick, hand, None), by=by)

    # Redeeming.

    @precondition(_has_keys)
    @rule(
        pick=PICKS,
        hand=st.sampled_from(HANDS),
        who=LEARNERS | VISITORS,
        move=moves(WINDOW),
        id=IDS,
        by=ACTORS | st.just("the learner"),
        rivalry=RIVALRY,
    )
    def present_a_key(
        self,
        *,
        pick: int,
        hand: str,
        who: str | User,
        move: Any,
        by: str | None,
        rivalry: str | None,
        **options: Any,
    ) -> None:
        """Redeem it as someone who is known, or register with it."""
        self.armed = rivalry
        if by == "the learner":
            by = who.id if isinstance(who, User) else who
        self._present(self._typed(pick, hand, move), who, by=by, **options)

    def _present(self, typed: str, who: str | User, **options: Any) -> None:
        self.do("register" if isinstance(who, User) else "redeem", typed, who, **options)

    @precondition(_has_keys)
    @rule(
        pick=PICKS,
        people=st.lists(
            st.sampled_from(["ada", "bo", "cy", *NEWCOMERS[:2]]), min_size=1, max_size=4
        ),
        then=st.sampled_from([None, None, *AFTERWARDS]),
        rivalry=st.sampled_from([None, "the same", "something near", "something near"]),
    )
    def present_in_turn(
        self, *, pick: int, people: list[str | User], then: Any, rivalry: str | None
    ) -> None:
        """Present one key again and again, and then perhaps edit or revoke its batch."""
        typed = self._typed(pick, "exact", None)
        for who in people:
            self.armed = rivalry
            self._present(typed, who)
        if then is not None and typed in self.model.keys:
            self.armed = "something against"
            command, terms = then
            self.do(command, self.model.keys[typed]["batch_id"], **terms)

    @precondition(_has_keys)
    @rule(pick=PICKS, who=st.sampled_from(["ada", "bo"]), rivalry=RIVALRY)
    def change_ones_mind(self, *, pick: int, who: str, rivalry: str | None) -> None:
        """Redeem, cancel what came of it, and redeem again."""
        typed = self._typed(pick, "exact", None)
        held = len(self.model.assignments)
        self.do("redeem", typed, who)
        if len(self.model.assignments) > held:
            self.do("cancel", list(self.model.assignments)[-1])
            self.armed = rivalry
            self.do("redeem", typed, who)

    # Ids that are in use.

    @precondition(exists)
    @rule(pick=PICKS, learner_id=LEARNERS | st.none(), code=PICKS | st.none())
    def use_an_id_again(self, *, pick: int, learner_id: str | None, code: int | None) -> None:
        """Assign and redeem under the id of an assignment: its own pair or key, or another."""
        id_ = self._assignment(pick, None)
        if id_ not in self.model.assignments:
            return
        one = self.model.assignments[id_]
        learner_id = learner_id or one["learner_id"]
        self.do("assign", one["course_id"], learner_id, id=id_)
        if code is None and one["origin"][0] == "key":
            typed = self.model.redemptions[one["origin"][2]]["code"]
            self.model.spellings[typed] = typed
            self.do("redeem", typed, learner_id, id=id_)
        elif code is not None:
            self.do("redeem", self._typed(code, "exact", None), learner_id, id=id_)

    @rule(
        pick=PICKS,
        others=st.lists(LEARNERS, max_size=2),
        repeat=REPEATS,
    )
    def assign_many_again(self, *, pick: int, others: list[str], repeat: Repeat | None) -> None:
        """Assign under an id that was used before: to the same learners, or to more."""
        named = {
            id_: said for (of, id_), (said, _) in self.model.receipts.items() if of == "assign_many"
        }
        if (id_ := self._pick(named, pick)) in named:
            courses, learners, expires, _, said = named[id_]
            again = {"expires": expires, "repeat": repeat if others else said, "id": id_}
            self.do("assign_many", courses, [*learners, *others], **again)

    @precondition(_has_keys)
    @rule(pick=PICKS, codes=st.lists(st.sampled_from(CODES), unique=True, max_size=2), own=PICKS)
    def use_the_id_of_a_batch_again(self, *, pick: int, codes: list[str], own: int) -> None:
        """Make a batch that is there: with its own codes, or with others."""
        id_ = self._pick(self.model.batches, pick)
        if id_ not in self.model.batches:
            return
        batch = self.model.batches[id_]
        mine = [one["code"] for one in self.model.keys.values() if one["batch_id"] == id_]
        self.do(
            "create_keys",
            batch["course_id"],
            name="Again",
            organization_id=batch["organization_id"],
            availability=DAY,
            codes=[*mine[:own], *codes] if own < NOTHING else mine,
            id=id_,
        )

    def _typed(self, pick: int, hand: str, move: Any) -> str:
        """Return the code of a key as some hand types it, and tell the model what is meant."""
        code = self._pick(self.model.keys, pick)
        if code not in self.model.keys:
            typed, meant = "Never-made", None
        else:
            self._move(self.model.batches[self.model.keys[code]["batch_id"]], move)
            typed, meant = self._written(code, hand)
        self.model.spellings[typed] = meant
        return typed

    def _written(self, code: str, hand: str) -> tuple[str, str | None]:
        drawn = code in self.model.generated
        match hand:
            case "spaced":
                return f"  {code}\n", code
            case "forgiven" if drawn:
                letters = code.lower().replace("0", "o").replace("1", "l")
                return "-".join(letters[at : at + 4] for at in range(0, 17, 4)), code
            case "mistyped" if drawn:
                return code[:-1] + ("A" if code[-1] != "A" else "B"), MISTYPED
            case "mistyped":
                return f"{code}x", None
            case _:
                return code, code

    # What holds after every step, read from the repository alone.

    @invariant()
    def holds(self) -> None:
        self._uses_are_within_bounds_and_equal_the_redemptions_not_restored()
        self._no_learner_holds_a_key_twice_under_once_per_learner()
        self._each_redemption_has_its_assignment_and_each_assignment_from_a_key_its_redemption()
        self._a_batch_knows_how_many_keys_it_has_and_all_have_its_maximum()
        self._no_assignment_outlasts_its_ceilings()
        self._each_claim_points_to_an_assignment_of_its_learner_and_course()
        self._no_two_users_share_an_email()
        self._events_stand_in_a_row_and_tell_no_code()
        self._the_status_follows_from_the_instants()

    def _found(self, query: str) -> list[Any]:
        return list(self.seen[query])

    def _uses_are_within_bounds_and_equal_the_redemptions_not_restored(self) -> None:
        standing = Counter(
            one.key_id for one in self._found("redemptions") if one.restored_at is None
        )
        for key in self._found("keys"):
            assert 0 <= key.uses <= key.max_uses
            assert key.uses == standing[key.id]

    def _no_learner_holds_a_key_twice_under_once_per_learner(self) -> None:
        if self.model.settings.once_per_learner:
            held = Counter(
                (one.learner_id, one.key_id)
                for one in self._found("redemptions")
                if one.restored_at is None
            )
            assert all(times == 1 for times in held.values())

    def _each_redemption_has_its_assignment_and_each_assignment_from_a_key_its_redemption(
        self,
    ) -> None:
        redemptions = {
            (one.batch_id, one.id, one.assignment_id, one.learner_id, one.redeemed_at)
            for one in self._found("redemptions")
        }
        assert redemptions == {
            (
                one.origin.batch_id,
                one.origin.redemption_id,
                one.id,
                one.learner_id,
                one.created_at,
            )
            for one in self._found("assignments")
            if isinstance(one.origin, FromKey)
        }
        assert len(redemptions) == len(self._found("redemptions"))

    def _a_batch_knows_how_many_keys_it_has_and_all_have_its_maximum(self) -> None:
        batches = {one.id: one for one in self._found("batches")}
        sizes = Counter(key.batch_id for key in self._found("keys"))
        assert sizes == {one.id: one.size for one in batches.values()}
        for key in self._found("keys"):
            assert key.max_uses == batches[key.batch_id].max_uses

    def _no_assignment_outlasts_its_ceilings(self) -> None:
        for one in self._found("assignments"):
            assert one.created_at < one.expires_at <= self.model.bounds[one.id]

    def _each_claim_points_to_an_assignment_of_its_learner_and_course(self) -> None:
        assignments = {one.id: one for one in self._found("assignments")}
        for claim in self._found("claims"):
            held = assignments[claim.assignment_id]
            assert (held.learner_id, held.course_id) == (claim.learner_id, claim.course_id)

    def _no_two_users_share_an_email(self) -> None:
        emails = [folded(one.email) for one in self._found("users")]
        assert len(set(emails)) == len(emails)

    def _events_stand_in_a_row_and_tell_no_code(self) -> None:
        events = self._found("events")
        assert [one.position for one in events] == [*range(1, len(events) + 1)]
        codes = {key.code for key in self._found("keys")}
        for one in events:
            assert codes.isdisjoint({*one.subject_ids, *(text for _, text in one.details)})

    def _the_status_follows_from_the_instants(self) -> None:
        for one in self._found("assignments"):
            stored = self.model.assignments[one.id]
            assert one.status_at(self.clock()).value == self.model.status_at(stored)


def _outcomes(outcome: Told) -> Iterator[str]:
    """Give the name of what came of a command, or the code of each reason against it."""
    match outcome.error:
        case None:
            yield "done"
        case Refused(decision):
            yield from sorted({reason.code for reason in decision.reasons})
        case error:
            yield type(error).__name__


def _namesake(user: User) -> User:
    """Return someone else with the same e-mail address, written otherwise."""
    return attrs.evolve(user, id="zoe", email=user.email.upper())


def _keys_with(asked: dict[str, Any]) -> Call:
    """Return that someone makes a batch with the same codes."""
    terms = {"name": "Rival", "organization_id": "acme", "availability": DAY}
    codes = {key: asked[key] for key in ("codes", "generate") if key in asked}
    return "create_keys", ("py",), {**terms, **codes}
