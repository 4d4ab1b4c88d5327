"""A state machine that draws commands of a registrar, over any repository.

It compares the repository with a `Model` after each command. Sometimes a rival is faster: its
command is carried out between the reading and the commit. `tests.support.machine_learning` adds
learning and subscriptions.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, TypeAlias

import attrs
from hypothesis import event, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import course_assignments as ca
from tests.support import world
from tests.support.model import MISTYPED, SKEW, TICK, Expected, Facts, Settings, facts, folded
from tests.support.model_learning import WholeModel
from tests.support.races import Watched

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = timedelta(0)

SELLER = attrs.evolve(world.SALES, id="seller", email="seller@example.org")
#: The only lab of all courses.
LAB = ca.Activity(id="lab", name="A lab", kind=ca.ActivityKind.LAB, required=True)
FILM = ca.Activity(id="film", name="A film", kind=ca.ActivityKind.VIDEO, required=True)
NOTES = ca.Activity(id="notes", name="Notes", kind=ca.ActivityKind.DOCUMENT)
PYTHON = attrs.evolve(world.PYTHON, activities=[FILM, NOTES, LAB])
SQL = attrs.evolve(world.SQL, activities=[NOTES, attrs.evolve(LAB, required=False)])
RECORDS = (
    *(one for one in world.RECORDS if one not in (world.PYTHON, world.SQL)),
    *(PYTHON, SQL, SELLER),
)

#: Newcomers: two of them share an address, one has Ada's, one has Ada's id, one may not come so.
NEWCOMERS = (
    ca.User(id="dee", name="Dee", email="dee@example.org"),
    ca.User(id="eli", name="Eli", email="eli@example.org", organization_id="acme"),
    ca.User(id="fay", name="Fay", email="DEE@Example.org", organization_id="beta"),
    ca.User(id="gus", name="Gus", email="Ada@example.org"),
    ca.User(id="ada", name="Ada Again", email="ada.again@example.org"),
    ca.User(id="hal", name="Hal", email="hal@example.org", organization_id="nowhere"),
    ca.User(id="ivy", name="Ivy", email="ivy@example.org", roles={ca.Role.SUPPORT}),
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
REPEATS = st.sampled_from([None, None, *ca.Repeat, ca.Repeat.REFUSE])
RENEWAL = ca.Note(title="Renewal", message="Paid.", high_importance=True)
NOTICES = st.sampled_from([None, None, RENEWAL])
#: Which record, the newest first; the last number stands for a record that does not exist.
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
TERMS = (TICK, DAY, 30 * DAY, 90 * DAY, 180 * DAY, ca.Months(1), ca.Months(6))
DATES = (date(2026, 1, 6), date(2026, 3, 29), date(2026, 7, 1))
ENDS = st.sampled_from([*map(Shifted, SHIFTS), *TERMS, *DATES])
#: A command, its arguments by place and by name.
Call: TypeAlias = tuple[str, tuple[Any, ...], dict[str, Any]]

#: Where to go before a command: to which edge of a record, and how far off.
EDGES = ("created_at", "closes_at", "expires_at")
WINDOW = ("created_at", "redeemable_from", "redeemable_until")


def moves(edges: tuple[str, ...]) -> st.SearchStrategy[tuple[str, timedelta] | None]:
    """Draw where the clock goes before a command: nowhere, or to an edge, give or take a tick."""
    offsets = st.sampled_from([NOW, NOW, TICK, -TICK, -SKEW, TICK - SKEW])
    return st.none() | st.none() | st.tuples(st.sampled_from(edges), offsets)


def edits(shelf: str, ids: list[str], **fields: Any) -> st.SearchStrategy[tuple[str, str, Any]]:
    """Draw what an edit makes of a course, an organization or a user."""
    return st.tuples(st.just(shelf), st.sampled_from(ids), st.fixed_dictionaries(fields))


EDITS = st.one_of(
    st.tuples(
        st.just("add"),
        st.lists(st.sampled_from(RECORDS + NEWCOMERS[2:]), min_size=1, max_size=3),
        st.none(),
    ),
    edits(
        "courses",
        ["py", "sql", "draft"],
        archived=st.sampled_from([False, False, False, True]),
        content_provider=st.sampled_from(["us", "us", "us", None]),
        publishing_group=st.sampled_from(["all", "all", "all", None]),
        maximum_access=st.sampled_from([None, None, 30 * DAY, ca.Months(1), 200 * DAY]),
    ),
    # Something is left out of a course, renamed, added, or required where it was not.
    edits(
        "courses",
        ["py", "py", "sql"],
        activities=st.sampled_from(
            [
                PYTHON.activities,
                SQL.activities,
                (FILM, NOTES),
                (attrs.evolve(NOTES, required=True), attrs.evolve(LAB, name="A new lab")),
                (ca.Activity(id="quiz", name="A quiz", kind=ca.ActivityKind.ASSESSMENT), FILM),
            ]
        ),
    ),
    edits(
        "organizations",
        ["acme", "beta"],
        anonymous_registration=st.booleans(),
        maximum_access=st.sampled_from([None, 90 * DAY, ca.Months(3), 30 * DAY]),
        time_zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    ),
    st.tuples(
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
RIVALRY = st.sampled_from([None] * 4 + ["same", "near", "against", "rules"])
#: The same, more often: for commands that are seldom allowed.
RUSH = RIVALRY | st.sampled_from(["same", "near", "against"])

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


def contents(repository: ca.Repository) -> dict[str, list[Any]]:
    """Return everything that *repository* stores, by the names of the model."""
    return {SHELVES[kind]: records for kind, records in world.contents(repository).items()}


def call(name: str, /, *args: Any, **kwargs: Any) -> Call:
    return name, args, kwargs


@dataclass(frozen=True)
class Outcome:
    """What came of a call: a value, or one of the library's errors."""

    value: Any = None
    error: ca.CourseAssignmentsError | None = None

    def names(self) -> list[str]:
        """Return "done", the codes of a refusal, or the name of the error."""
        match self.error:
            case None:
                return ["done"]
            case ca.Refused(decision):
                return sorted({reason.code for reason in decision.reasons})
            case error:
                return [type(error).__name__]


def outcome_of(registrar: ca.Registrar, method: str, args: Any, kwargs: Any) -> Outcome:
    """Return what comes of a call; an error of another library is a fault by itself."""
    try:
        return Outcome(getattr(registrar, method)(*args, **kwargs))
    except ca.CourseAssignmentsError as error:
        return Outcome(error=error)


class Overtaken(Watched):
    """A repository in front of another, where a rival may be faster than a commit."""

    def __init__(self, inner: ca.Repository) -> None:
        super().__init__(inner)
        self.rival: Callable[[], object] | None = None
        self.lost = 0
        self.closed = False

    def commit(self, change: ca.Change, /) -> None:
        assert not self.closed, "a question changes nothing"
        made = [*change.create, *change.record]
        assert [attrs.evolve(one) for one in made] == made, "a record passes its checks"
        if self.rival is not None:
            rival, self.rival = self.rival, None
            rival()
        try:
            super().commit(change)
        except ca.Conflict:
            self.lost += 1
            assert self.lost < 3, "a commit is refused although nobody else wrote anything"
            raise


class RegistrarMachine(RuleBasedStateMachine):
    """Draw commands; fill in `make`, and run its ``TestCase``."""

    #: What was reached, by command and outcome; a subclass that wants to know has its own.
    reached: ClassVar[Counter[str]] = Counter()
    registrar_class: ClassVar[type[ca.Registrar]] = ca.Registrar

    def make(self) -> ca.Repository:
        """Return a new, empty repository."""
        raise NotImplementedError

    def policies(self, settings: Settings) -> ca.Policies:
        """Return the documented policies, with what *settings* say."""
        return ca.Policies(
            cancellation=ca.CancellationPolicy(restores_key_use=settings.restores_key_use),
            expiration=ca.ExpirationPolicy(default=settings.default),
            key_redemption=ca.KeyRedemptionPolicy(once_per_learner=settings.once_per_learner),
            repeat=ca.RepeatPolicy(default=settings.repeat),
        )

    @initialize(
        settings=st.builds(
            Settings,
            st.booleans(),
            st.sampled_from([True, True, False]),
            st.sampled_from([ca.Repeat.ALLOW, *ca.Repeat]),
            st.sampled_from([ca.Months(6), ca.Months(6), ca.Months(1), timedelta(days=20)]),
        ),
        keys_of=st.sampled_from([None, "acme", "acme", "beta"]),
        lasts=st.sampled_from([None, 2 * DAY, 10 * DAY, ca.Months(12)]),
    )
    def start_registrar(
        self, *, settings: Settings, keys_of: str | None, lasts: timedelta | ca.Months | None
    ) -> None:
        self.repository = self.make()
        self.overtaken = Overtaken(self.repository)
        self.clock = ca.ManualClock(world.START)
        options: dict[str, Any] = {
            "policies": self.policies(settings),
            "clock": self.clock,
            "new_id": world.counting(),
            "random_bytes": world.counting_bytes(),
        }
        self.registrar = self.registrar_class(self.overtaken, **options)
        # Nobody is faster than this one, so it need not try again.
        self.faster = self.registrar_class(self.repository, **options, timeout=NOW)
        self.probed = False
        self.model = WholeModel(settings, world.START, drawn=self.drawn)
        self.seen = contents(self.repository)
        self.do("add", *RECORDS)
        if keys_of is not None:
            self.do(
                "create_keys",
                "py",
                name="First keys",
                organization_id=keys_of,
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

    def do(self, name: str, /, *args: Any, rivalry: str | None = None, **kwargs: Any) -> None:
        """Carry out a command as the registrar, with a rival who may be faster."""
        kwargs = {key: self._when(one) for key, one in kwargs.items()}
        if rivalry is not None:
            rival = self._rival(rivalry, name, args, kwargs)
            self.overtaken.rival = lambda: self._do(self.faster, *rival)
        self._do(self.registrar, name, args, kwargs)
        self.overtaken.rival = None

    def _do(self, registrar: ca.Registrar, name: str, args: Any, kwargs: Any) -> None:
        shown = ", ".join([*map(repr, args), *(f"{key}={one!r}" for key, one in kwargs.items())])
        note(f"{self.clock().isoformat()} {name}({shown})")
        self.model.at = self.clock()
        self.overtaken.lost = 0
        expected = self.model.expect(name, *args, **kwargs)
        before = events = self.seen
        self.overtaken.closed = True
        answer = self._ask(name, args, kwargs)
        self._foresee(name, args, kwargs, answer)
        self.overtaken.closed = False
        outcome = outcome_of(registrar, name, args, kwargs)
        after = contents(self.repository)
        if self.seen is not events:
            # A rival was faster, so it was decided again on what the rival had stored.
            before = self.seen
            self.model.at = self.clock()
            expected = self.model.expect(name, *args, **kwargs)
        else:
            self._agree(answer, outcome)
        if self.overtaken.lost:
            self.reached[f"{name}: decided again"] += 1
        self.seen = after
        self._settle(name, expected, outcome, before)
        self.model.at = self.clock()

    def _settle(self, name: str, expected: Expected, outcome: Outcome, before: Any) -> None:
        if outcome.error is not None:
            assert expected.fits(outcome.error), (expected, outcome.error)
            assert self.seen == before, "what is refused leaves everything as it was"
        else:
            assert not expected.errors, (expected, outcome)
            expected.store(outcome.value)
        for one in outcome.names():
            self.reached[f"{name}: {one}"] += 1
            event(f"{name}: {one}")
        self._compare()

    def _ask(self, name: str, args: Any, kwargs: Any) -> Outcome:
        """Return what the question of a command answers."""
        return outcome_of(self.registrar, f"may_{name}", args, kwargs)

    def _foresee(self, name: str, args: Any, kwargs: Any, answer: Outcome) -> None:
        """Check that the answer stays the same until the instant it names, and turns there."""
        if not isinstance(answer.value, ca.Decision):
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
    def _agree(answer: Outcome, outcome: Outcome) -> None:
        """Check that the question allowed exactly what was then done, for the same reasons."""
        if answer.error is not None:
            assert answer.error == outcome.error
            return
        decision = answer.value
        assert isinstance(decision, ca.Decision)
        if isinstance(outcome.error, ca.Refused):
            assert decision.reasons == outcome.error.decision.reasons
        else:
            assert outcome.error is None
            assert decision.allowed

    def _compare(self) -> None:
        """Check that repository and model contain the same."""
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
        if isinstance(record, ca.TrainingKey):
            del found["id"]
        if isinstance(record, ca.Redemption):
            codes = {key.id: key.code for key in self.seen["keys"]}
            found["code"] = codes[found.pop("key_id")]
        return found

    # Who is faster.

    def _rival(  # noqa: C901, PLR0911, PLR0912 - one case for each
        self, rivalry: str, name: str, args: Any, kwargs: Any
    ) -> Call:
        """Return the command of someone faster, relative to the one that is about to commit."""
        first = args[0]
        asked = {key: one for key, one in kwargs.items() if key not in {"by", "id"}}
        match rivalry, name:
            case "near", "redeem":
                return self._redeeming(first)
            case "near", "register":
                # Someone else with the same e-mail address, written otherwise.
                user = args[1]
                return call(name, first, attrs.evolve(user, id="zoe", email=user.email.upper()))
            case "near", "assign" | "assign_many":
                return call(name, *args, **{**asked, "repeat": ca.Repeat.SKIP})
            case "near", "create_keys" | "add_keys":
                terms = {"name": "Rival", "organization_id": "acme", "availability": DAY}
                codes = {key: asked[key] for key in ("codes", "generate") if key in asked}
                return call("create_keys", "py", **terms, **codes)
            case "near", "edit_keys" | "revoke_keys":
                return call("add_keys", first, generate=1)
            case "near", "cancel" | "reschedule" | "complete":
                return call("start", first, LAB.id)
            case "against", "redeem" | "register":
                return call("revoke_key", first)
            case ("against", "assign" | "create_keys") | ("rules", "assign"):
                return self._archive(first)
            case "against", "assign_many":
                return self._archive(first[0])
            case "against", "edit_keys" | "revoke_keys":
                keys = self.model.keys_of(first)
                valid = (one["code"] for one in keys if one["revoked_at"] is None)
                return self._redeeming(next(valid, "Never-made"))
            case "against", "revoke_key":
                return self._redeeming(first)
            case "against", "cancel" | "complete":
                return call("reschedule", first, DAY)
            case "against", "reschedule":
                return call("cancel", first)
            case "rules", "redeem":
                return self._archive(self._batch_of(first).get("course_id", "old"))
            case "rules", "register":
                host = self._batch_of(first).get("organization_id", "acme")
                return self._edit("organizations", host, anonymous_registration=False)
            case "rules", "add_keys":
                return self._archive(self.model.batches.get(first, {}).get("course_id", "old"))
            case "rules", "reschedule":
                course_id = self.model.assignments.get(first, {}).get("course_id", "old")
                return self._edit("courses", course_id, maximum_access=TICK)
            case _:
                return name, args, kwargs

    def _batch_of(self, typed: str) -> Facts:
        key = self.model.keys.get(self.model.spellings[typed] or "")
        return {} if key is None else self.model.batches[key["batch_id"]]

    def _redeeming(self, typed: str) -> Call:
        """Return that someone who did not do so yet redeems a key."""
        meant = typed if typed in self.model.keys else None
        code = self.model.spellings.setdefault(typed, meant)
        held = {one["learner_id"] for one in self.model.redemptions.values() if one["code"] == code}
        return call(
            "redeem", typed, next((one for one in ("ada", "bo", "cy") if one not in held), "ada")
        )

    def _archive(self, course_id: str) -> Call:
        known = {one.id for one in self.seen["courses"]}
        return self._edit("courses", course_id if course_id in known else "old", archived=True)

    def _edit(self, shelf: str, id_: str, **changed: Any) -> Call:
        stored = next(one for one in self.seen[shelf] if one.id == id_)
        return call("update", attrs.evolve(stored, **changed))

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

    def _when(self, end: Any) -> Any:
        return self.clock() + end.by if isinstance(end, Shifted) else end

    def _pick(self, shelf: dict[str, Any], pick: int) -> str:
        ids = list(shelf)
        return ids[-1 - pick % len(ids)] if ids and pick < NOTHING else "nothing"

    # Organizations, courses, users.

    @rule(edit=EDITS, by=ACTORS, rivalry=RIVALRY)
    def keep_records(self, *, edit: tuple[str, Any, Any], **options: Any) -> None:
        """Add, update or anonymize."""
        shelf, what, changed = edit
        if shelf == "add":
            self.do("add", *what, **options)
        elif changed is None:
            self.do("anonymize", what, **options)
        else:
            stored = [one for one in self.seen[shelf] if one.id == what]
            record = attrs.evolve(stored[0] if stored else NEWCOMERS[0], **changed)
            self.do("update", record, **options)

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
    def assign(self, *, course_id: str, learner_id: str, **options: Any) -> None:
        self.do("assign", course_id, learner_id, **options)

    @rule(
        course_ids=st.lists(st.sampled_from(["py", "py", "sql", "old"]), min_size=1, max_size=3),
        learners=st.lists(
            st.sampled_from(["ada", "bo", "cy", *NEWCOMERS[:5], *NEWCOMERS]), min_size=1, max_size=3
        ),
        expires=st.none() | st.none() | ENDS,
        repeat=REPEATS,
        note=NOTICES,
        id=IDS,
        by=ACTORS,
        rivalry=RUSH,
    )
    def assign_many(self, *, course_ids: list[str], learners: list[Any], **options: Any) -> None:
        self.do("assign_many", course_ids, learners, **options)

    # What exists.

    def exists(self) -> bool:
        return bool(self.model.assignments)

    @precondition(exists)
    @rule(
        pick=PICKS,
        move=moves(EDGES),
        support_reason=st.sampled_from([*[None] * 5, "Moved.", "Moved.", "Ill.", " "]),
        by=ACTORS | st.just("support"),
        rivalry=RIVALRY,
    )
    def cancel(self, *, pick: int, move: Any, **options: Any) -> None:
        self.do("cancel", self._assignment(pick, move), **options)

    @precondition(exists)
    @rule(
        pick=PICKS,
        move=moves(EDGES),
        expires=ENDS | st.sampled_from([-TICK, NOW, TICK]).map(AtTheLimit),
        support_reason=st.sampled_from([*[None] * 8, "Ill.", "Ill.", " "]),
        by=ACTORS | st.just("support"),
        rivalry=RUSH,
    )
    def reschedule(self, *, pick: int, move: Any, expires: Any, **options: Any) -> None:
        id_ = self._assignment(pick, move)
        if isinstance(expires, AtTheLimit) and id_ in self.model.assignments:
            end = self.model.limit_of(self.model.assignments[id_])[0] + expires.by
        else:
            end = self._when(expires)
        self.do("reschedule", id_, end, **options)

    @precondition(exists)
    @rule(pick=PICKS, move=moves(EDGES), by=ACTORS, rivalry=RUSH)
    def complete(self, *, pick: int, move: Any, **options: Any) -> None:
        id_ = self._assignment(pick, move)
        self.do("complete", id_, **options)
        self.do("complete", id_)

    @precondition(exists)
    @rule(pick=PICKS, by=ACTORS)
    def add_note(self, *, pick: int, by: str | None) -> None:
        self.do("add_note", self._pick(self.model.assignments, pick), RENEWAL, by=by)

    def _assignment(self, pick: int, move: Any = None) -> str:
        id_ = self._pick(self.model.assignments, pick)
        if id_ in self.model.assignments:
            self._move(self.model.assignments[id_], move)
        return id_

    # Keys.

    @rule(
        course_id=COURSES,
        organization_id=ORGANIZATIONS,
        availability=st.sampled_from([10 * DAY, 40 * DAY, 200 * DAY, ca.Months(1), ca.Months(7)]),
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
    def create_keys(self, *, course_id: str, **options: Any) -> None:
        self.do("create_keys", course_id, name="Keys", **options)

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
    def add_keys(self, *, pick: int, **options: Any) -> None:
        self.do("add_keys", self._pick(self.model.batches, pick), **options)

    @precondition(_has_keys)
    @rule(
        pick=PICKS,
        edited=st.fixed_dictionaries(
            {},
            optional={
                "name": st.just("Edited"),
                "redeemable_from": st.none() | ENDS,
                "redeemable_until": st.none() | ENDS,
                "max_uses": st.sampled_from([None, 1, 1, 1, 2, 4]),
                "availability": st.sampled_from([TICK, 5 * DAY, ca.Months(2)]),
                "any_organization": st.booleans(),
            },
        ),
        by=ACTORS,
        rivalry=RUSH,
    )
    def edit_keys(self, *, pick: int, edited: dict[str, Any], **options: Any) -> None:
        self.do("edit_keys", self._pick(self.model.batches, pick), **edited, **options)

    @precondition(_has_keys)
    @rule(pick=PICKS, hand=st.sampled_from([*HANDS, None, None, None]), by=ACTORS, rivalry=RIVALRY)
    def revoke(self, *, pick: int, hand: str | None, **options: Any) -> None:
        if hand is None:
            self.do("revoke_keys", self._pick(self.model.batches, pick), **options)
        else:
            self.do("revoke_key", self._typed(pick, hand), **options)

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
        self, *, pick: int, hand: str, who: str | ca.User, move: Any, by: str | None, **options: Any
    ) -> None:
        """Redeem it as someone who is known, or register with it."""
        if by == "the learner":
            by = who.id if isinstance(who, ca.User) else who
        self._present(self._typed(pick, hand, move), who, by=by, **options)

    def _present(self, typed: str, who: str | ca.User, **options: Any) -> None:
        self.do("register" if isinstance(who, ca.User) else "redeem", typed, who, **options)

    @precondition(_has_keys)
    @rule(
        pick=PICKS,
        people=st.lists(
            st.sampled_from(["ada", "bo", "cy", *NEWCOMERS[:2]]), min_size=1, max_size=4
        ),
        then=st.sampled_from([None, None, *AFTERWARDS]),
        rivalry=st.sampled_from([None, "same", "near", "near"]),
    )
    def present_in_turn(
        self, *, pick: int, people: list[str | ca.User], then: Any, rivalry: str | None
    ) -> None:
        """Present one key again and again, and then perhaps edit or revoke its batch."""
        typed = self._typed(pick, "exact")
        for who in people:
            self._present(typed, who, rivalry=rivalry)
        if then is not None and typed in self.model.keys:
            command, terms = then
            batch_id = self.model.keys[typed]["batch_id"]
            self.do(command, batch_id, rivalry="against", **terms)

    @precondition(_has_keys)
    @rule(pick=PICKS, who=st.sampled_from(["ada", "bo"]), rivalry=RIVALRY)
    def change_ones_mind(self, *, pick: int, who: str, rivalry: str | None) -> None:
        """Redeem, cancel what came of it, and redeem again."""
        typed = self._typed(pick, "exact")
        held = len(self.model.assignments)
        self.do("redeem", typed, who)
        if len(self.model.assignments) > held:
            self.do("cancel", list(self.model.assignments)[-1])
            self.do("redeem", typed, who, rivalry=rivalry)

    # Ids that are in use.

    @precondition(exists)
    @rule(pick=PICKS, learner_id=LEARNERS | st.none(), code=PICKS | st.none())
    def use_an_id_again(self, *, pick: int, learner_id: str | None, code: int | None) -> None:
        """Assign and redeem under the id of an assignment: its own pair or key, or another."""
        id_ = self._assignment(pick)
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
            self.do("redeem", self._typed(code, "exact"), learner_id, id=id_)

    def _said(self, action: str) -> dict[str, Any]:
        """Return the arguments of the calls of a command, by the ids that they were given."""
        return {id_: said for (of, id_), (said, _) in self.model.receipts.items() if of == action}

    @rule(pick=PICKS, others=st.lists(LEARNERS, max_size=2), repeat=REPEATS)
    def assign_many_again(self, *, pick: int, others: list[str], repeat: ca.Repeat | None) -> None:
        """Assign under an id that was used before: to the same learners, or to more."""
        said = self._said("assign_many")
        if (id_ := self._pick(said, pick)) in said:
            courses, learners, expires, _, before = said[id_]
            again = {"expires": expires, "repeat": repeat if others else before, "id": id_}
            self.do("assign_many", courses, [*learners, *others], **again)

    @precondition(_has_keys)
    @rule(pick=PICKS, codes=st.lists(st.sampled_from(CODES), unique=True, max_size=2), own=PICKS)
    def use_the_id_of_a_batch_again(self, *, pick: int, codes: list[str], own: int) -> None:
        """Make a batch that exists: with its own codes, or with others."""
        id_ = self._pick(self.model.batches, pick)
        if id_ not in self.model.batches:
            return
        batch = self.model.batches[id_]
        mine = [one["code"] for one in self.model.keys_of(id_)]
        self.do(
            "create_keys",
            batch["course_id"],
            name="Again",
            organization_id=batch["organization_id"],
            availability=DAY,
            codes=[*mine[:own], *codes] if own < NOTHING else mine,
            id=id_,
        )

    def _typed(self, pick: int, hand: str, move: Any = None) -> str:
        """Return the code of a key as someone types it, and tell the model what is meant."""
        code = self._pick(self.model.keys, pick)
        if code not in self.model.keys:
            typed, meant = "Never-made", None
        else:
            self._move(self.model.batches[self.model.keys[code]["batch_id"]], move)
            typed, meant = self._written(code, hand)
        self.model.spellings[typed] = meant
        return typed

    def _written(self, code: str, hand: str) -> tuple[str, str | None]:
        generated = code in self.model.generated
        match hand:
            case "spaced":
                return f"  {code}\n", code
            case "forgiven" if generated:
                symbols = code.lower().replace("0", "o").replace("1", "l")
                return "-".join(symbols[at : at + 4] for at in range(0, 17, 4)), code
            case "mistyped" if generated:
                return code[:-1] + ("A" if code[-1] != "A" else "B"), MISTYPED
            case "forgiven":
                return f"\u200b{code.swapcase().replace('-', chr(0x2013))}", code
            case "mistyped":
                return f"{code}x", None
            case _:
                return code, code

    # What holds after every step, read from the repository alone.

    @invariant()
    def uses_are_within_bounds_and_equal_the_redemptions(self) -> None:
        standing = [one for one in self.seen["redemptions"] if one.restored_at is None]
        used = Counter(one.key_id for one in standing)
        for key in self.seen["keys"]:
            assert 0 <= key.uses <= key.max_uses
            assert key.uses == used[key.id]
        if self.model.settings.once_per_learner:
            assert len({(one.learner_id, one.key_id) for one in standing}) == len(standing)

    @invariant()
    def redemptions_and_assignments_from_keys_match(self) -> None:
        redemptions = {
            (one.batch_id, one.id, one.assignment_id, one.learner_id, one.redeemed_at)
            for one in self.seen["redemptions"]
        }
        assert redemptions == {
            (one.origin.batch_id, one.origin.redemption_id, one.id, one.learner_id, one.created_at)
            for one in self.seen["assignments"]
            if isinstance(one.origin, ca.FromKey)
        }
        assert len(redemptions) == len(self.seen["redemptions"])

    @invariant()
    def a_batch_counts_its_keys_and_all_have_its_maximum(self) -> None:
        batches = {one.id: one for one in self.seen["batches"]}
        sizes = Counter(key.batch_id for key in self.seen["keys"])
        assert sizes == {one.id: one.size for one in batches.values()}
        for key in self.seen["keys"]:
            assert key.max_uses == batches[key.batch_id].max_uses

    @invariant()
    def no_assignment_exceeds_its_limit_and_statuses_agree(self) -> None:
        for one in self.seen["assignments"]:
            assert one.created_at < one.expires_at <= self.model.bounds[one.id]
            stored = self.model.assignments[one.id]
            assert one.status_at(self.clock()).value == self.model.status_at(stored)

    @invariant()
    def each_claim_points_to_an_assignment_of_its_pair(self) -> None:
        assignments = {one.id: one for one in self.seen["assignments"]}
        for claim in self.seen["claims"]:
            held = assignments[claim.assignment_id]
            assert (held.learner_id, held.course_id) == (claim.learner_id, claim.course_id)

    @invariant()
    def no_two_users_share_an_email(self) -> None:
        emails = [folded(one.email) for one in self.seen["users"]]
        assert len(set(emails)) == len(emails)

    @invariant()
    def events_are_numbered_and_contain_no_code(self) -> None:
        events = self.seen["events"]
        assert [one.position for one in events] == [*range(1, len(events) + 1)]
        codes = {key.code for key in self.seen["keys"]}
        for one in events:
            assert codes.isdisjoint({*one.subject_ids, *(text for _, text in one.details)})
