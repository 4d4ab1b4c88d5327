"""Random commands on a small world, so few records that commands of several threads often meet.

Each command follows from a seed alone: the records that it names have ids which are known before
anything is executed, and may not be there, or not yet.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Any, TypeAlias, TypeVar

import attrs

import course_assignments as ca
from course_assignments import commands
from course_assignments.commands import Command
from course_assignments.testing.samples import (
    ACME,
    ADA,
    BETA,
    BO,
    CY,
    DAY,
    LESSONS,
    MANAGER,
    PYTHON,
    SALES,
    SQL,
    START,
    SUPPORT,
    assignment,
    attempt,
    batch,
    subscription,
    user,
)
from course_assignments.validation import derived_id

T = TypeVar("T")

THREADS = 4
LENGTH = 12
#: How likely a thread is to look after a command.
LOOKING = 0.4

MINUTE = timedelta(minutes=1)
CODES = ("Spring-2026-1", "Spring-2026-2", "Winter-2026-1")
NEW_CODES = ("Summer-2026-1", "Summer-2026-2", "Summer-2026-3")

#: Newcomers; the last two have one address.
DI, EVE = user("di"), user("eve", "acme")
NAMESAKE = user("namesake", email="Eve@Example.org")
NEWCOMERS = (DI, EVE, NAMESAKE)

POLICIES = ca.Policies(cancellation=ca.CancellationPolicy(restores_key_use=True))

#: Ends, or can no longer be cancelled, while a history runs.
SOON = START + 5 * MINUTE

_STARTED = assignment("a-1", "ada", "lessons", 0, started_at=START)
_GIVEN = (
    _STARTED,
    attrs.evolve(assignment("a-2", "bo", "sql", 0), created_at=SOON - DAY),
    assignment("a-3", "ada", "sql", 0, expires_at=SOON),
    assignment("a-4", "bo", "py", 0, cancelled_at=START),
)
_ATTEMPTS = tuple(
    attempt(ca.Attempt.id_for("a-1", id_, 1), _STARTED, 1, 0, activity_id=id_, pauses=pauses)
    for id_, pauses in (("film", ()), ("link", [ca.Pause(START)]))
)

#: What is stored at the beginning.
WORLD: tuple[ca.Record, ...] = (
    *(ACME, BETA, PYTHON, SQL, LESSONS, ADA, BO, CY, MANAGER, SALES, SUPPORT),
    batch("spring", "py", "acme", 0, max_uses=2, size=2, any_organization=True),
    batch("winter", "sql", "beta", 0, any_organization=True),
    *(
        ca.TrainingKey(id=f"k-{number}", code=code, number=number, batch_id="spring", max_uses=2)
        for number, code in enumerate(CODES[:2], 1)
    ),
    ca.TrainingKey(id="k-3", code=CODES[2], batch_id="winter"),
    subscription("s-1", "ada", 0),
    subscription("s-2", "bo", -24, expires_at=SOON),
    *_GIVEN,
    *(ca.Claim.of(one.learner_id, one.course_id, one.id) for one in _GIVEN),
    *_ATTEMPTS,
)


@attrs.frozen
class Look:
    """Read all records of a kind at once, or all events: it shows what others have done so far."""

    query: ca.Query[Any]


#: A step of a thread.
Step: TypeAlias = Command[Any, Any] | Look

COURSES = ("py", "sql", "lessons")
PEOPLE = ("ada", "bo", "cy", "di", "eve")
ACTIVITIES = ("lab", "film", "link")
CALLS = ("call-1", "call-2")
BATCHES = ("spring", "spring", "winter", "b-1")
SUBSCRIPTIONS = ("s-1", "s-1", "s-2", "s-3")
NEW_IDS = ("x-1", "x-2", "x-3", "x-4", "x-5")
#: Assignments: some exist, some others may, and some would be those of a roster.
ASSIGNMENTS = (
    *(*(one.id for one in _GIVEN), *NEW_IDS) * 2,
    *(derived_id("pair", call, "py", learner) for call in CALLS for learner in PEOPLE[:2]),
)
#: Assignments with attempts.
ATTENDED = ("a-1", "a-1", "a-1", "x-1")
ACTORS = (*(None,) * 8, "manager", "manager", "sales", "ada")
LOOKS: tuple[ca.Query[Any], ...] = (
    *(ca.EventQuery(limit=1000),) * 6,
    *(ca.AssignmentQuery(), ca.AttemptQuery(), ca.SubscriptionQuery(), ca.RedemptionQuery()),
    *(ca.KeyQuery(), ca.BatchQuery(), ca.UserQuery(), ca.CourseQuery()),
)

#: Records as they are at the beginning, and edited.
EDITED: tuple[commands.Profile, ...] = (
    *(PYTHON, attrs.evolve(PYTHON, archived=True), attrs.evolve(PYTHON, maximum_access=3 * DAY)),
    *(LESSONS, attrs.evolve(LESSONS, activities=LESSONS.activities[1:])),
    *(SQL, attrs.evolve(SQL, content_provider=None)),
    *(ACME, attrs.evolve(ACME, anonymous_registration=False)),
    *(BETA, attrs.evolve(BETA, maximum_access=2 * DAY)),
    *(ADA, attrs.evolve(ADA, organization_id="beta")),
    *(BO, attrs.evolve(BO, organization_id="acme")),
    *(CY, attrs.evolve(CY, email=DI.email)),
    *(MANAGER, attrs.evolve(MANAGER, roles=[])),
    attrs.evolve(DI, name="Diana"),
)
ADDED: tuple[commands.Profile, ...] = (
    *(*NEWCOMERS, attrs.evolve(DI, name="Diana")),
    *(ca.Organization(id="gamma", name="Gamma"), user("flo", "gamma")),
    ca.Course(id="new", name="New"),
)
KEY_EDITS: tuple[dict[str, Any], ...] = (
    *({"max_uses": number} for number in (1, 2, 3)),
    *({"any_organization": flag} for flag in (False, True)),
    *({"redeemable_until": end} for end in (SOON, None)),
    {"availability": 3 * DAY},
)


class Draw:
    """Draws arguments for the commands of one history, from few of all possible records."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.courses = self.some(COURSES)
        self.people = self.some(PEOPLE)
        self.repeats = self.some(tuple(ca.Repeat))
        self.codes = self.some((*CODES, *NEW_CODES))
        self.edited = self.some(EDITED, 4)
        self.assignments = self.some(ASSIGNMENTS, 6)

    def one(self, *values: T) -> T:
        return self._random.choice(values)

    def maybe(self, *values: T) -> T | None:
        return self._random.choice((None, *values))

    def some(self, values: Sequence[T], most: int = 3) -> list[T]:
        return self._random.sample(values, self._random.randint(1, min(most, len(values))))

    def by(self) -> str | None:
        return self._random.choice(ACTORS)

    def roster(self) -> list[str | ca.User]:
        people: list[str | ca.User] = [*self.people, *NEWCOMERS]
        return self.some(people)

    def attempt_id(self) -> str:
        return ca.Attempt.id_for(self.one(*ATTENDED), self.one(*ACTIVITIES), self.one(1, 1, 2))

    def note(self) -> ca.Note:
        return ca.Note(title="Note", message=str(self._random.random()))

    def programs(self, threads: int, length: int, actions: Sequence[str] = ()) -> list[list[Step]]:
        """Return the commands of each thread, with looks between them.

        They are *actions*, or all with a preference for some, so that these meet more often.
        """
        preferred = actions or self.some([*RANDOM], self.one(4, 8, len(RANDOM)))
        others = 0.0 if actions else 0.1
        weights = [
            (1.0 if action in preferred else others) * (0.2 if action in FINAL else 1.0)
            for action in RANDOM
        ]
        return [
            [
                step
                for make in self._random.choices([*RANDOM.values()], weights, k=length)
                for step in (make(self), *self._looks())
            ]
            for _ in range(threads)
        ]

    def _looks(self) -> list[Step]:
        return [Look(self.one(*LOOKS))] if self._random.random() < LOOKING else []


#: What makes a random command, by its action.
RANDOM: Mapping[str, Callable[[Draw], Step]] = {
    "add": lambda d: commands.Add(d.some(ADDED), by=d.by()),
    "update": lambda d: commands.Update(d.one(*d.edited), by=d.by()),
    "anonymize": lambda d: commands.Anonymize(d.one("bo", "cy", "di"), by=d.by()),
    "assign": lambda d: commands.Assign(
        d.one(*d.courses),
        d.one(*d.people),
        id=d.maybe(*NEW_IDS),
        repeat=d.one(*d.repeats),
        expires=d.maybe(10 * DAY, 2 * MINUTE),
        by=d.by(),
    ),
    "assign_many": lambda d: commands.AssignMany(
        d.some(d.courses),
        d.roster(),
        id=d.maybe(*CALLS),
        repeat=d.one(*d.repeats),
        by=d.by(),
    ),
    "cancel": lambda d: commands.Cancel(
        d.one(*d.assignments), support_reason=d.maybe("moved"), by=d.by()
    ),
    "reschedule": lambda d: commands.Reschedule(
        d.one(*d.assignments), d.one(2 * DAY, 20 * DAY, 3 * MINUTE), by=d.by()
    ),
    "complete": lambda d: commands.Complete(d.one(*d.assignments), by=d.by()),
    "add_note": lambda d: commands.AddNote(d.one(*d.assignments), d.note(), by=d.by()),
    "start": lambda d: commands.Start(
        d.one(*ATTENDED), d.one(*ACTIVITIES), id=d.maybe(*CALLS), by=d.by()
    ),
    "pause": lambda d: commands.Pause(d.attempt_id(), by=d.by()),
    "resume": lambda d: commands.Resume(d.attempt_id(), by=d.by()),
    "finish": lambda d: commands.Finish(d.attempt_id(), by=d.by()),
    "create_keys": lambda d: commands.CreateKeys(
        "py",
        id=d.one("b-1", "b-2"),
        name="Keys",
        organization_id="acme",
        availability=30 * DAY,
        codes=d.some(NEW_CODES),
        max_uses=d.maybe(2),
        by=d.by(),
    ),
    "add_keys": lambda d: commands.AddKeys(
        d.one(*BATCHES), codes=d.some(NEW_CODES), id=d.maybe(*CALLS), by=d.by()
    ),
    "edit_keys": lambda d: commands.EditKeys(d.one(*BATCHES), **d.one(*KEY_EDITS), by=d.by()),
    "revoke_key": lambda d: commands.RevokeKey(d.one(*d.codes), by=d.by()),
    "revoke_keys": lambda d: commands.RevokeKeys(d.one(*BATCHES), by=d.by()),
    "redeem": lambda d: commands.Redeem(
        d.one(*CODES, *d.codes), d.one(*d.people), id=d.maybe(*NEW_IDS), by=d.by()
    ),
    "register": lambda d: commands.Register(
        d.one(*CODES, *d.codes), d.one(*NEWCOMERS), id=d.maybe(*NEW_IDS)
    ),
    "subscribe": lambda d: commands.Subscribe(
        d.some(COURSES),
        d.one(*d.people),
        duration=d.one(3 * MINUTE, 10 * DAY),
        id=d.one("s-3", "s-4"),
        by=d.by(),
    ),
    "edit_subscription": lambda d: commands.EditSubscription(
        d.one(*SUBSCRIPTIONS), d.some(COURSES), by=d.by()
    ),
    "cancel_subscription": lambda d: commands.CancelSubscription(
        d.one(*SUBSCRIPTIONS), support_reason=d.maybe("moved"), by=d.by()
    ),
    "open_course": lambda d: commands.OpenCourse(
        d.one(*SUBSCRIPTIONS), d.one(*d.courses), id=d.maybe(*NEW_IDS), by=d.by()
    ),
}

#: Commands after which little is left to do; they are rare.
FINAL = {"revoke_keys", "revoke_key", "cancel_subscription", "anonymize"}


def programs(random: Random, actions: Sequence[str] = ()) -> list[list[Step]]:
    """Return what each thread executes: twelve commands, of *actions* if given, and looks."""
    return Draw(random).programs(THREADS, LENGTH, actions)
