"""A second implementation of the rules, with dicts and sets, to compare the registrar with.

Nothing here calls a policy, a command or a repository. Each command of the registrar is a generator
of the same name here: it yields every reason against it, or raises `Fault`; if there is no reason,
it is sent what the registrar returned, and stores that.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum
from itertools import product
from typing import Any
from unicodedata import normalize
from zoneinfo import ZoneInfo

import attrs

import course_assignments as ca
from tests.support.rules import counted, first_instant

TICK = timedelta(microseconds=1)
#: How far the clocks of servers may differ: "an `at` less than that before `created_at`".
SKEW = timedelta(seconds=2)
MISTYPED = "mistyped"

#: "creating assignments takes one of the roles ...; keys take Operations Manager"
ASSIGNING = (
    ca.Role.COMPANY_TRAINING_MANAGER,
    ca.Role.ENROLLMENT_MANAGER,
    ca.Role.OPERATIONS_MANAGER,
    ca.Role.SALES_MANAGER,
)
KEYS = (ca.Role.OPERATIONS_MANAGER,)

#: `ExpirationLimit`: "ties to the first in the order of the enum"
LIMITS = (
    "request",
    "key",
    "subscription",
    "course",
    "organization",
    "maximum",
    "default",
    "support",
)

Facts = dict[str, Any]
Said = tuple[Any, ...]
#: Yields the reasons against a command, is sent what it returned, and stores that.
Steps = Generator[Iterable[Said], Any, None]
Id = str | None


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case ca.Direct():
            return ("direct",)
        case ca.FromKey():
            return ("key", value.batch_id, value.redemption_id)
        case ca.FromSubscription():
            return ("subscription", value.subscription_id)
        case (ca.Pause() | ca.Opening(), *_):
            return tuple(tuple(facts(one).values()) for one in value)
        case _:
            return value


def facts(record: Any) -> Facts:
    """Return the fields of *record* by their names."""
    return {one.name: _plain(getattr(record, one.name)) for one in attrs.fields(type(record))}


def said(reason: ca.Reason) -> Said:
    """Return *reason* as its code and its facts."""
    if isinstance(reason, ca.ForAssignment):
        return (reason.course_id, reason.learner_id, said(reason.reason))
    known = facts(reason)
    known.pop("owner_id", None)  # which of several users has an address is not in the rules
    return (reason.code, *known.values())


def folded(email: str) -> str:
    """Return *email* as e-mail addresses are compared: "NFC and casefolded"."""
    return normalize("NFC", normalize("NFC", email).casefold())


def resolved(end: Any, start: datetime, zone: tzinfo) -> datetime:
    """Say which instant an instant, a day or a length of time stands for."""
    if isinstance(end, datetime):
        return end.astimezone(UTC)
    if isinstance(end, date):
        return first_instant(datetime.combine(end, time()), zone)
    assert isinstance(end, timedelta | ca.Months)
    return counted(end, start, zone)


class Fault(Exception):
    """One of *errors* has to leave the command."""

    def __init__(self, *errors: Said) -> None:
        self.errors = errors


@dataclass(frozen=True)
class Expected:
    """What has to come of a command: it is done, or one of *errors* leaves it."""

    errors: tuple[Said, ...] = ()
    rest: Steps | None = None

    def fits(self, error: ca.CourseAssignmentsError) -> bool:
        """Return whether *error* is one of those that were expected."""
        return any(_is(error, expected) for expected in self.errors)

    def store(self, returned: Any) -> None:
        """Store what the command makes, which *returned* what the registrar made."""
        assert self.rest is not None
        with suppress(StopIteration):
            self.rest.send(returned)


def _is(error: ca.CourseAssignmentsError, expected: Said) -> bool:
    match error:
        case ca.Refused():
            reasons = [said(reason) for reason in error.decision.reasons]
            return ("refused", frozenset(reasons)) == expected and len(set(reasons)) == len(reasons)
        case ca.NotFound():
            return expected[0] == "not_found" and error.id in expected[1]
        case ca.Conflict():
            return expected == CONFLICT
        case ca.InvalidInput():
            return expected == INVALID
        case _:
            return False


INVALID = ("invalid",)
CONFLICT = ("conflict",)


@dataclass
class Settings:
    """Which of the policies' settings are in force."""

    restores_key_use: bool = False
    once_per_learner: bool = True
    repeat: ca.Repeat = ca.Repeat.ALLOW
    default: ca.Duration = ca.Months(6)


@dataclass
class Model:
    """All that is stored, as facts by id, and what each command makes of it."""

    settings: Settings
    at: datetime
    organizations: dict[str, Facts] = field(default_factory=dict)
    courses: dict[str, Facts] = field(default_factory=dict)
    users: dict[str, Facts] = field(default_factory=dict)
    assignments: dict[str, Facts] = field(default_factory=dict)
    claims: dict[tuple[str, str], str] = field(default_factory=dict)
    batches: dict[str, Facts] = field(default_factory=dict)
    keys: dict[str, Facts] = field(default_factory=dict)
    redemptions: dict[str, Facts] = field(default_factory=dict)
    attempts: dict[str, Facts] = field(default_factory=dict)
    subscriptions: dict[str, Facts] = field(default_factory=dict)
    events: list[Said] = field(default_factory=list)
    #: the latest end that each assignment may have, counted from its creation
    bounds: dict[str, datetime] = field(default_factory=dict)
    #: for each command and id of a call: its arguments, and what it made
    receipts: dict[tuple[str, str], tuple[Any, Any]] = field(default_factory=dict)
    #: the stored code that each typed one means, ``MISTYPED``, or ``None``
    spellings: dict[str, str | None] = field(default_factory=dict)
    #: the codes that were generated
    generated: set[str] = field(default_factory=set)
    #: returns the new codes of a batch, as only the repository knows what was generated
    drawn: Callable[[str], list[str]] = lambda _: []

    def expect(self, command: str, *args: Any, **kwargs: Any) -> Expected:
        """Return what has to come of a command; `id=` refuses "the prefix of derived ids"."""
        if (kwargs.get("id") or "").startswith("derived-"):
            return Expected((INVALID,))
        steps: Steps = getattr(self, command)(*args, **kwargs)
        try:
            reasons = frozenset(next(steps))
        except Fault as fault:
            return Expected(fault.errors)
        return Expected((("refused", reasons),)) if reasons else Expected(rest=steps)

    # What several commands share.

    def reach(self, *times: datetime) -> None:
        """Section 4: an `at` a little before one of *times* "is taken as" it."""
        self.at = max([self.at, *(one for one in times if self.at < one < self.at + SKEW)])

    def shelf(self, record: Any) -> dict[str, Facts]:
        """Return where records of this kind are kept."""
        shelves = {"Organization": self.organizations, "Course": self.courses, "User": self.users}
        return shelves[type(record).__name__]

    def zone(self, organization_id: Id) -> tzinfo:
        """Return the zone of the learner's organization; "a learner without one has UTC"."""
        if organization_id is None:
            return UTC
        return ZoneInfo(self.organizations[organization_id]["time_zone"])

    def happened(self, action: str, by: Id, reason: str | None = None) -> None:
        """Note an event."""
        self.events.append((len(self.events) + 1, self.at, by, action, reason))

    def require(
        self, by: Id, *others: tuple[dict[str, Facts], Id], also: Iterable[Said] = ()
    ) -> None:
        """Raise if an actor or one of *others* does not exist, or if there are faults *also*."""
        wanted = [(self.users, by), *others]
        ids = {one for shelf, one in wanted if one is not None and one not in shelf}
        faults = (*([("not_found", frozenset(ids))] if ids else []), *also)
        if faults:
            raise Fault(*faults)

    def found(self, by: Id, shelf: dict[str, Facts], id_: str, also: Iterable[Said] = ()) -> Facts:
        """Return the facts under an id; raise like `require`."""
        self.require(by, (shelf, id_), also=also)
        return shelf[id_]

    def acting(
        self, by: Id, organization_id: Id, roles: tuple[ca.Role, ...] = ASSIGNING
    ) -> list[Said]:
        """Rule 21: "one of the roles ... and the learner's organization must be among ..."."""
        if by is None:
            return []
        reasons: list[Said] = []
        if not self.users[by]["roles"].intersection(roles):
            reasons.append(("role_missing", roles))
        if organization_id not in self.users[by]["managed_organization_ids"]:
            reasons.append(("organization_not_managed", organization_id))
        return reasons

    def managing(self, by: Id, kind: type, one: Facts) -> list[Said]:
        """Rule 21: "creating roles for users ..., Operations Manager for courses and organizations;
        nobody gives a role they do not hold or an organization they do not manage"."""
        if by is None:
            return []
        roles = ASSIGNING if kind is ca.User else KEYS
        missing = [] if self.users[by]["roles"].intersection(roles) else [("role_missing", roles)]
        if kind is not ca.User:
            parent = one.get("parent_id")
            return self.acting(by, parent, roles) if parent else missing
        held = self.users[by]["roles"]
        lacking = tuple(role for role in ca.Role if role in one["roles"] - held)
        concerned = dict.fromkeys(
            [one["organization_id"], *sorted(one["managed_organization_ids"])]
        )
        managed = self.users[by]["managed_organization_ids"]
        return [
            *missing,
            *([("role_not_held", lacking)] if lacking else []),
            *(("organization_not_managed", id_) for id_ in concerned if id_ not in managed),
        ]

    def acting_for(self, by: Id, learner_id: str, *, own: bool = False) -> list[Said]:
        """Rule 21: for what is their *own*, nobody needs a role."""
        organization_id = self.users[learner_id]["organization_id"]
        return self.acting(None if own and by == learner_id else by, organization_id)

    def available(self, course_id: str) -> list[Said]:
        """Rule 22: "assigned to a Content Provider and a Publishing Group"; archived."""
        course = self.courses[course_id]
        reasons: list[Said] = []
        needed = ("content_provider", "publishing_group")
        missing = tuple(name.replace("_", " ") for name in needed if course[name] is None)
        if missing:
            reasons.append(("course_not_available", course_id, missing))
        if course["archived"]:
            reasons.append(("course_archived", course_id))
        return reasons

    def limit(
        self, created_at: datetime, course_id: str, organization_id: Id
    ) -> tuple[datetime, str]:
        """Rule 1: "the earliest of created + 180 days, + organization's, + course's maximum"."""
        zone = self.zone(organization_id)
        ceilings = [(created_at + timedelta(days=180), "maximum")]
        terms = {"course": self.courses[course_id]["maximum_access"]}
        if organization_id is not None:
            terms["organization"] = self.organizations[organization_id]["maximum_access"]
        for name, term in terms.items():
            if term is not None:
                ceilings.append((counted(term, created_at, zone), name))
        return first(ceilings)

    def limit_of(self, one: Facts) -> tuple[datetime, str]:
        """Rule 2: "the same limit, still counted from creation; a subscription's end also"."""
        organization_id = self.users[one["learner_id"]]["organization_id"]
        ceilings = [self.limit(one["created_at"], one["course_id"], organization_id)]
        if one["origin"][0] == "subscription":
            ceilings.append(self.end_of_subscription(one["origin"][1]))
        return first(ceilings)

    def end_of_subscription(self, id_: str) -> tuple[datetime, str]:
        """Return until when a subscription lasts, as a limit."""
        return self.subscriptions[id_]["expires_at"], "subscription"

    @staticmethod
    def in_bounds(end: datetime, created_at: datetime, latest: tuple[datetime, str]) -> list[Said]:
        """Rule 2: "must lie after creation and not after the limit"."""
        if end <= created_at:
            return [("expires_too_early", created_at + TICK)]
        return [("expires_too_late", *latest, False)] if end > latest[0] else []

    def held(self, course_id: str, learner_id: str) -> list[Facts]:
        """Return what of a course is neither cancelled nor over, the last to end first."""
        found = [
            one
            for one in self.assignments.values()
            if (one["course_id"], one["learner_id"]) == (course_id, learner_id)
            and one["cancelled_at"] is None
            and self.at < one["expires_at"]
        ]
        found.sort(key=lambda one: one["id"])
        return sorted(found, key=lambda one: one["expires_at"], reverse=True)

    def keep_assignment(
        self,
        id_: str,
        learner: Facts,
        course_id: str,
        end: tuple[datetime, str],
        *,
        origin: Said = ("direct",),
        note: ca.Note | None = None,
    ) -> None:
        """Keep a new assignment, and its claim: "replaced to name the newest one"."""
        assert id_ not in self.assignments
        self.assignments[id_] = {
            "id": id_,
            "learner_id": learner["id"],
            "course_id": course_id,
            "organization_id": learner["organization_id"],
            "created_at": self.at,
            "expires_at": end[0],
            "limited_by": end[1],
            "origin": origin,
            "first_lab_launched_at": None,
            "started_at": None,
            "completed_at": None,
            "cancelled_at": None,
            "finished": frozenset(),
            "notes": () if note is None else (note,),
        }
        self.bounds[id_] = self.limit_of(self.assignments[id_])[0]
        self.claims[learner["id"], course_id] = id_

    def made_before(self, action: str, id: Id, arguments: Any) -> Any:
        """Return what a call under an id made, if it was made: with "other arguments" a fault."""
        if id is None or (action, id) not in self.receipts:
            return None
        said, made = self.receipts[action, id]
        if said != arguments:
            raise Fault(CONFLICT)
        return made

    def keep_receipt(self, action: str, id: Id, arguments: Any, made: Any) -> None:
        """Keep what a call under an id made, if it has one."""
        if id is not None:
            self.receipts[action, id] = (arguments, made)

    # Organizations, courses, users.

    def _references(self, records: Iterable[Any]) -> list[Said]:
        known = {
            *self.organizations,
            *(one.id for one in records if isinstance(one, ca.Organization)),
        }
        wanted: set[str | None] = set()
        for record in records:
            if isinstance(record, ca.User):
                wanted |= {record.organization_id, *record.managed_organization_ids}
            if isinstance(record, ca.Organization):
                wanted.add(record.parent_id)
        ids = wanted - known - {None}
        return [("not_found", frozenset(ids))] if ids else []

    def emails_taken(self, users: Iterable[Facts]) -> list[Said]:
        """Return who of *users* brings an e-mail address that someone else has."""
        owners = {folded(one["email"]): one["id"] for one in self.users.values()}
        return [
            ("email_taken", user["id"])
            for user in users
            if owners.setdefault(folded(user["email"]), user["id"]) != user["id"]
        ]

    def add(self, *records: Any, by: Id = None) -> Steps:
        """ "An equal record again does nothing, a different one under the same id is Conflict"."""
        new: dict[tuple[type, str], Any] = {}
        differ = False
        for record in records:
            stored = self.shelf(record).get(record.id)
            if stored is None:
                differ |= new.setdefault((type(record), record.id), record) != record
            else:
                differ |= stored != facts(record)
        conflict = [CONFLICT] if differ else []
        self.require(by, also=[*self._references(new.values()), *conflict])
        users = [one for one in new.values() if isinstance(one, ca.User)]
        acting = [
            one for record in new.values() for one in self.managing(by, type(record), facts(record))
        ]
        yield [*dict.fromkeys(acting), *self.emails_taken(map(facts, users))]
        for record in new.values():
            self.shelf(record)[record.id] = facts(record)
        if new:
            self.happened("add", by)

    def update(self, record: Any, *, by: Id = None) -> Steps:
        """Rule 20: it "changes what is made later"."""
        shelf, now = self.shelf(record), facts(record)
        self.require(by, (shelf, record.id), also=self._references([record]))
        before = shelf[record.id]
        if isinstance(record, ca.Organization):
            acting = self.acting(by, record.id, KEYS)
            if before["parent_id"] != record.parent_id:
                acting += self.managing(by, ca.Organization, now)
        else:
            acting = [
                said for one in (before, now) for said in self.managing(by, type(record), one)
            ]
        taken = self.emails_taken([now] if isinstance(record, ca.User) else [])
        yield [*dict.fromkeys(acting), *taken]
        if shelf[record.id] != now:
            shelf[record.id] = now
            self.happened("update", by)

    def anonymize(self, user_id: str, *, by: Id = None) -> Steps:
        """Rule 23: "replaces name and e-mail and keeps the records"."""
        before = self.found(by, self.users, user_id)
        user = yield self.managing(by, ca.User, before)
        assert user.email.endswith("@anonymous.invalid")
        now = {**before, "name": "Anonymous", "email": user.email}
        if now != before:
            self.users[user_id] = now
            self.happened("anonymize", by)

    # Assigning.

    def _against_pair(
        self, course_id: str, learner: Facts, expires: Any, mode: ca.Repeat
    ) -> tuple[list[Said], tuple[datetime, str]]:
        """Return what speaks against one pair as a pair, and the end it would get."""
        organization_id = learner["organization_id"]
        zone = self.zone(organization_id)
        limit = self.limit(self.at, course_id, organization_id)
        reasons: list[Said] = []
        held = self.held(course_id, learner["id"])
        if mode is ca.Repeat.REFUSE and held:
            reasons.append(("already_assigned", held[0]["id"], held[0]["expires_at"]))
        if expires is None:
            return reasons, first(
                [limit, (counted(self.settings.default, self.at, zone), "default")]
            )
        end = resolved(expires, self.at, zone)
        return [*reasons, *self.in_bounds(end, self.at, limit)], (end, "request")

    def assign(
        self,
        course_id: str,
        learner_id: str,
        *,
        expires: Any = None,
        note: ca.Note | None = None,
        repeat: ca.Repeat | None = None,
        id: Id = None,
        by: Id = None,
    ) -> Steps:
        """Rules 1, 2, 15, 21 and 22."""
        if id in self.assignments:
            made = self.assignments[id]
            as_made = (made["course_id"], made["learner_id"], made["origin"])
            yield from returned(id, same=as_made == (course_id, learner_id, ("direct",)))
            return
        arguments = (course_id, learner_id)
        before = self.made_before("assign", id, arguments)
        if before is not None:
            yield from returned(before)
            return
        mode = repeat or self.settings.repeat
        self.require(by, (self.courses, course_id), (self.users, learner_id))
        learner = self.users[learner_id]
        acting = self.acting_for(by, learner_id)
        held = self.held(course_id, learner_id)
        if mode is ca.Repeat.SKIP and held:
            yield from returned(held[0]["id"], against=acting)
            self.keep_receipt("assign", id, arguments, held[0]["id"])
            return
        own, end = self._against_pair(course_id, learner, expires, mode)
        made = yield [*acting, *self.available(course_id), *own]
        assert id in (None, made.id)
        self.keep_assignment(made.id, learner, course_id, end, note=note)
        self.keep_receipt("assign", id, arguments, made.id)
        self.happened("assign", by)

    def assign_many(
        self,
        course_ids: Iterable[str],
        learners: Sequence[str | ca.User],
        *,
        expires: Any = None,
        note: ca.Note | None = None,
        repeat: ca.Repeat | None = None,
        id: Id = None,
        by: Id = None,
    ) -> Steps:
        """Rule 14: "every pair, input order, duplicates collapse, one bad pair and nothing"."""
        brought = {one.id: one for one in learners if isinstance(one, ca.User)}
        if any(one.roles or one.managed_organization_ids for one in brought.values()):
            raise Fault(INVALID)
        given = dict.fromkeys(one.id if isinstance(one, ca.User) else one for one in learners)
        courses = list(dict.fromkeys(course_ids))
        arguments = (courses, list(given), expires, note, repeat)
        before = self.made_before("assign_many", id, arguments)
        if before is not None:
            assert _ids_of((yield ())) == before
            return
        profiles = {one: facts(user) for one, user in brought.items()}
        differ = any(self.users.get(one, user) != user for one, user in profiles.items())
        self.require(
            by,
            *((self.courses, one) for one in courses),
            *((self.users, one) for one in given if one not in profiles),
            *((self.organizations, one["organization_id"]) for one in profiles.values()),
            also=[CONFLICT] if differ else [],
        )
        newcomers = {one: user for one, user in profiles.items() if one not in self.users}
        people = {**self.users, **newcomers}
        mode = repeat or self.settings.repeat
        reasons = self.emails_taken(newcomers.values())
        made: list[tuple[str, Facts, tuple[datetime, str]]] = []
        skipped: list[str] = []
        for course_id, learner_id in product(courses, given):
            learner = people[learner_id]
            nobodys = ("organization_not_managed", None)
            reasons += [
                (course_id, learner_id, reason) if reason == nobodys else reason
                for reason in self.acting(by, learner["organization_id"])
            ]
            held = self.held(course_id, learner_id)
            if mode is ca.Repeat.SKIP and held:
                skipped.append(held[0]["id"])
                continue
            own, end = self._against_pair(course_id, learner, expires, mode)
            reasons += self.available(course_id)
            reasons += [(course_id, learner_id, reason) for reason in own]
            made.append((course_id, learner, end))
        batch = yield reasons
        ids = _ids_of(batch)
        assert ids[1] == skipped
        self.users.update(newcomers)
        for one, (course_id, learner, end) in zip(batch.created, made, strict=True):
            self.keep_assignment(one.id, learner, course_id, end, note=note)
        self.keep_receipt("assign_many", id, arguments, ids)
        if made:
            self.happened("assign_many", by)

    # What exists.

    def cancel(
        self, assignment_id: str, *, support_reason: str | None = None, by: Id = None
    ) -> Steps:
        """Rules 3, 4, 13 and 21."""
        one = self.found(by, self.assignments, assignment_id, also=blank(support_reason))
        self.reach(one["created_at"])
        yield [
            *self.supporting(by, one["learner_id"], support_reason),
            *self.against_cancelling(one, support_reason),
        ]
        one["cancelled_at"] = self.at
        if self.settings.restores_key_use and one["origin"][0] == "key":
            redemption = self.redemptions[one["origin"][2]]
            redemption["restored_at"] = self.at
            self.keys[redemption["code"]]["uses"] -= 1
        self.happened("cancel", by, support_reason)

    def supporting(self, by: Id, learner_id: str, support_reason: str | None) -> list[Said]:
        """Rule 4: support "needs the SUPPORT role when an actor is given", and "within managed
        organizations"."""
        against = self.acting_for(by, learner_id)
        if support_reason is None or by is None:
            return against
        missing = ca.Role.SUPPORT not in self.users[by]["roles"]
        return [
            *([("support_role_missing",)] if missing else []),
            *(one for one in against if one[0] == "organization_not_managed"),
        ]

    def against_cancelling(self, one: Facts, support_reason: str | None) -> list[Said]:
        """Rules 3 and 4, whoever asks."""
        reasons = self.changing(one)
        closes_at = one["created_at"] + timedelta(hours=24)
        # "exactly 24:00:00 still cancels"; support "waives the window, never the lab"
        if support_reason is None and self.at > closes_at:
            reasons.append(("cancellation_window_closed", closes_at))
        if one.get("first_lab_launched_at") is not None:
            reasons.append(("lab_launched", one["first_lab_launched_at"]))
        return reasons

    def changing(self, one: Facts) -> list[Said]:
        """Return what speaks against any change of an assignment that exists."""
        reasons: list[Said] = []
        if self.at < one["created_at"]:
            reasons.append(("assignment_not_active", one["created_at"]))
        if one["cancelled_at"] is not None:
            reasons.append(("already_cancelled", one["cancelled_at"]))
        return reasons

    def reschedule(
        self, assignment_id: str, expires: Any, *, support_reason: str | None = None, by: Id = None
    ) -> Steps:
        """Rule 2: "the same limit, still counted from creation; an end before now is refused".

        Rule 4: support "waives the limit of rule 1 and a subscription's end".
        """
        one = self.found(by, self.assignments, assignment_id, also=blank(support_reason))
        self.reach(one["created_at"])
        support = support_reason is not None
        latest = (datetime.max.replace(tzinfo=UTC), "") if support else self.limit_of(one)
        zone = self.zone(self.users[one["learner_id"]]["organization_id"])
        end = resolved(expires, one["created_at"], zone)
        bounds = self.in_bounds(end, one["created_at"], latest)
        if latest[0] < self.at:
            bounds = [("expires_too_late", *latest, True)]
        elif end < self.at:
            later = [said for said in bounds if said[0] != "expires_too_early"]
            bounds = [("expires_too_early", self.at), *later]
        acting = self.supporting(by, one["learner_id"], support_reason)
        yield [*acting, *self.changing(one), *bounds]
        one.update(expires_at=end, limited_by="support" if support else "request")
        self.bounds[one["id"]] = end if support else latest[0]
        self.happened("reschedule", by, support_reason)

    def complete(self, assignment_id: str, *, by: Id = None) -> Steps:
        """Rule 5: "refused if cancelled, allowed if expired"."""
        one = self.found(by, self.assignments, assignment_id)
        self.reach(one["created_at"])
        done = one["completed_at"]
        again = [] if done is None else [("already_completed", done)]
        yield [*self.acting_for(by, one["learner_id"]), *self.changing(one), *again]
        one["completed_at"] = self.at
        self.happened("complete", by)

    def add_note(self, assignment_id: str, note: ca.Note, *, by: Id = None) -> Steps:
        """Rule 21 alone: a note may be added in any state."""
        one = self.found(by, self.assignments, assignment_id)
        self.reach(one["created_at"])
        yield self.acting_for(by, one["learner_id"])
        one["notes"] += (note,)
        self.happened("add_note", by)

    # Keys.

    def _lines(self, codes: Iterable[str]) -> dict[str, int]:
        """Return typed codes by their lines: blank ones "are skipped"; rule 12 refuses repeats."""
        lines = typed(codes)
        if len(dict(lines)) < len(lines):
            raise Fault(INVALID)
        return dict(lines)

    def _against_codes(
        self, course_id: str, organization_id: str, codes: dict[str, int], by: Id
    ) -> list[Said]:
        taken = tuple(line for code, line in codes.items() if code in self.keys)
        return [
            *self.acting(by, organization_id, KEYS),
            *self.available(course_id),
            *([("code_taken", taken)] if taken else []),
        ]

    def _keep_keys(self, batch: Facts, codes: Iterable[str], generate: int) -> None:
        drawn = self.drawn(batch["id"])
        assert len(drawn) == generate
        for code in (*codes, *drawn):
            assert code not in self.keys
            self.keys[code] = {
                "code": code,
                "batch_id": batch["id"],
                "number": batch["size"] + 1,
                "uses": 0,
                "max_uses": batch["max_uses"],
                "revoked_at": None,
            }
            batch["size"] += 1
        self.generated |= set(drawn)

    def create_keys(
        self,
        course_id: str,
        *,
        name: str,
        organization_id: str,
        availability: ca.Duration,
        redeemable_from: Any = None,
        redeemable_until: Any = None,
        max_uses: int | None = None,
        any_organization: bool = False,
        codes: Sequence[str] = (),
        generate: int = 0,
        id: Id = None,
        by: Id = None,
    ) -> Steps:
        """Rules 6 to 9, 12, 21 and 22."""
        if id in self.batches:
            made = self.batches[id]
            same = (made["course_id"], made["organization_id"]) == (course_id, organization_id)
            # It only grows, so fewer keys than are asked for now were never asked for before.
            same = same and made["size"] >= len(typed(codes)) + generate
            yield from returned(id, same=same and self._made(id, self._lines(codes), 1))
            return
        self.require(by, (self.courses, course_id), (self.organizations, organization_id))
        lines = self._lines(codes)
        zone = self.zone(organization_id)
        start, end = (
            None if one is None else resolved(one, self.at, zone)
            for one in (redeemable_from, redeemable_until)
        )
        over = end is not None and end <= self.at
        if is_empty(start, end) or over or not (lines or generate):
            raise Fault(INVALID)
        made = yield self._against_codes(course_id, organization_id, lines, by)
        assert id in (None, made.id)
        self.batches[made.id] = {
            "id": made.id,
            "name": name,
            "course_id": course_id,
            "organization_id": organization_id,
            "created_at": self.at,
            "redeemable_from": start,
            "redeemable_until": end,
            "max_uses": max_uses or 1,
            "availability": availability,
            "any_organization": any_organization,
            "size": 0,
        }
        self._keep_keys(self.batches[made.id], lines, generate)
        self.happened("create_keys", by)

    def _made(self, batch_id: str, codes: Iterable[str], begin: int) -> bool:
        """Return whether the keys of a batch with these *codes* are those from number *begin*."""
        found = [self.keys.get(one, {}) for one in codes]
        numbers = sorted(one["number"] for one in found if one.get("batch_id") == batch_id)
        return numbers == [*range(begin, begin + len(found))]

    def add_keys(
        self,
        batch_id: str,
        *,
        codes: Sequence[str] = (),
        generate: int = 0,
        id: Id = None,
        by: Id = None,
    ) -> Steps:
        """Rules 12, 21 and 22."""
        arguments = (batch_id, len(typed(codes)), generate)
        begin = self.made_before("add_keys", id, arguments)
        if begin is not None:
            yield from returned(batch_id, same=self._made(batch_id, self._lines(codes), begin))
            return
        self.require(by, (self.batches, batch_id))
        lines = self._lines(codes)
        if not (lines or generate):
            raise Fault(INVALID)
        batch = self.batches[batch_id]
        self.reach(batch["created_at"])
        yield self._against_codes(batch["course_id"], batch["organization_id"], lines, by)
        self.keep_receipt("add_keys", id, arguments, batch["size"] + 1)
        self._keep_keys(batch, lines, generate)
        self.happened("add_keys", by)

    def edit_keys(self, batch_id: str, *, by: Id = None, **terms: Any) -> Steps:
        """Rule 20: "max_uses cannot go below the uses already made"."""
        batch = self.found(by, self.batches, batch_id)
        self.reach(batch["created_at"])
        zone = self.zone(batch["organization_id"])
        edited = {**batch, **terms}
        for name in ("redeemable_from", "redeemable_until"):
            if edited[name] is not None:
                edited[name] = resolved(edited[name], batch["created_at"], zone)
        edited["max_uses"] = edited["max_uses"] or 1
        if is_empty(edited["redeemable_from"], edited["redeemable_until"]):
            raise Fault(INVALID)
        keys = self.keys_of(batch_id)
        most = max((key["uses"] for key in keys), default=0)
        low = [("max_uses_below_uses", most)] if most > edited["max_uses"] else []
        yield [*self.acting(by, batch["organization_id"], KEYS), *low]
        if edited != batch:
            batch.update(edited)
            for key in keys:
                key["max_uses"] = batch["max_uses"]
            self.happened("edit_keys", by)

    def keys_of(self, batch_id: str) -> list[Facts]:
        return [key for key in self.keys.values() if key["batch_id"] == batch_id]

    def _revoke(self, action: str, batch: Facts, keys: list[Facts], by: Id) -> Steps:
        self.reach(batch["created_at"])
        yield self.acting(by, batch["organization_id"], KEYS)
        valid = [key for key in keys if key["revoked_at"] is None]
        for key in valid:
            key["revoked_at"] = self.at
        if valid:
            self.happened(action, by)

    def revoke_key(self, code: str, *, by: Id = None) -> Steps:
        """Call one key back."""
        self.require(by)
        key = self._key(code)
        yield from self._revoke("revoke_key", self.batches[key["batch_id"]], [key], by)

    def revoke_keys(self, batch_id: str, *, by: Id = None) -> Steps:
        """Call all keys of a batch back."""
        batch = self.found(by, self.batches, batch_id)
        yield from self._revoke("revoke_keys", batch, self.keys_of(batch_id), by)

    # Redeeming.

    def _key(self, typed: str, also: Sequence[Said] = ()) -> Facts:
        """Rule 12: `key_mistyped` if nothing is found and the check does not fit."""
        code = self.spellings[typed]
        if code is not None and code in self.keys:
            return self.keys[code]
        reason = ("key_mistyped",) if code == MISTYPED else ("key_not_found",)
        raise Fault(*also, ("refused", frozenset([reason])))

    def _redeemed(self, id_: Id, typed: str, learner_id: str) -> Steps | None:
        """Return what has to come of redeeming under an id that is in use, if it is."""
        if id_ not in self.assignments:
            return None
        made = self.assignments[id_]
        same = made["origin"][0] == "key" and made["learner_id"] == learner_id
        code = self.redemptions[made["origin"][2]]["code"] if same else None
        return returned(id_, same=same and code == self.spellings[typed])

    def _against_redeeming(self, key: Facts, learner: Facts) -> list[Said]:
        """Rules 6, 7, 9, 10 and 22."""
        batch = self.batches[key["batch_id"]]
        reasons: list[Said] = []
        if key["revoked_at"] is not None:
            reasons.append(("key_revoked", key["revoked_at"]))
        start, end = batch["redeemable_from"], batch["redeemable_until"]
        if start is not None and self.at < start:
            reasons.append(("key_not_yet_redeemable", start))
        if end is not None and self.at >= end:
            reasons.append(("key_expired", end))
        if key["uses"] == key["max_uses"]:
            reasons.append(("key_exhausted", key["max_uses"]))
        own = learner["organization_id"] == batch["organization_id"]
        if not own and not batch["any_organization"]:
            reasons.append(("wrong_organization",))
        if self.settings.once_per_learner:
            reasons += [
                ("already_redeemed", one["assignment_id"], one["redeemed_at"])
                for one in self.redemptions.values()
                if (one["code"], one["learner_id"]) == (key["code"], learner["id"])
                and one["restored_at"] is None
            ]
        return [*reasons, *self.available(batch["course_id"])]

    def _keep_redemption(self, key: Facts, learner: Facts, made: Any, id_: Id) -> None:
        """Rule 8: "length of access counted from redemption; the limit still clamps here"."""
        assert id_ in (None, made.id)
        batch = self.batches[key["batch_id"]]
        course_id, organization_id = batch["course_id"], learner["organization_id"]
        available = (counted(batch["availability"], self.at, self.zone(organization_id)), "key")
        end = first([available, self.limit(self.at, course_id, organization_id)])
        redemption_id = made.origin.redemption_id
        assert redemption_id not in self.redemptions
        origin = ("key", batch["id"], redemption_id)
        self.keep_assignment(made.id, learner, course_id, end, origin=origin)
        self.redemptions[redemption_id] = {
            "id": redemption_id,
            "code": key["code"],
            "batch_id": batch["id"],
            "learner_id": learner["id"],
            "assignment_id": made.id,
            "redeemed_at": self.at,
            "restored_at": None,
        }
        key["uses"] += 1

    def redeem(self, code: str, learner_id: str, *, id: Id = None, by: Id = None) -> Steps:
        """Rules 6 to 10, 12, 21 and 22."""
        before = self._redeemed(id, code, learner_id)
        if before is not None:
            yield from before
            return
        learner = self.found(by, self.users, learner_id)
        key = self._key(code)
        self.reach(self.batches[key["batch_id"]]["created_at"])
        acting = self.acting_for(by, learner_id, own=True)
        made = yield [*acting, *self._against_redeeming(key, learner)]
        self._keep_redemption(key, learner, made, id)
        self.happened("redeem", by)

    def register(self, code: str, user: ca.User, *, id: Id = None, by: Id = None) -> Steps:
        """Rule 11: "registers a new user ... and redeems in the same change: all or nothing"."""
        if user.roles or user.managed_organization_ids:
            raise Fault(INVALID)
        before = self._redeemed(id, code, user.id)
        if before is not None:
            yield from before
            return
        taken = folded(user.email) in {folded(one["email"]) for one in self.users.values()}
        faults = [] if taken or user.id not in self.users else [CONFLICT]
        try:
            self.require(by, (self.organizations, user.organization_id), also=faults)
        except Fault as fault:
            self._key(code, also=fault.errors)
            raise
        key = self._key(code)
        batch = self.batches[key["batch_id"]]
        self.reach(batch["created_at"])
        host = self.organizations[batch["organization_id"]]
        joins = user.organization_id or batch["organization_id"]
        newcomer = {**facts(user), "organization_id": joins}
        made = yield [
            *self.acting(None if by == user.id else by, joins),
            *([] if host["anonymous_registration"] else [("registration_disabled", None)]),
            *self._against_joining(host["id"], joins),
            *([("email_taken", user.id)] if taken else []),
            *self._against_redeeming(key, newcomer),
        ]
        self.users[user.id] = newcomer
        self._keep_redemption(key, newcomer, made, id)
        self.happened("register", by)

    def _against_joining(self, host: str, joins: str) -> list[Said]:
        """Rule 11: "naming another is refused unless that one allows registration too"."""
        allowed = joins == host or self.organizations[joins]["anonymous_registration"]
        return [] if allowed else [("registration_disabled", joins)]

    def status_at(self, one: Facts) -> str:
        """Section 3: "follows from its instants"."""
        if self.at < one["created_at"]:
            return "scheduled"
        if one["cancelled_at"] is not None and one["cancelled_at"] <= self.at:
            return "cancelled"
        return "expired" if one["expires_at"] <= self.at else "active"


def first(ceilings: list[tuple[datetime, str]]) -> tuple[datetime, str]:
    """Return the earliest of some ends, and what sets it."""
    return min(ceilings, key=lambda one: (one[0], LIMITS.index(one[1])))


def typed(codes: Iterable[str]) -> list[tuple[str, int]]:
    """Return typed codes by their lines, without the blank ones."""
    lines = [(line.strip(), number) for number, line in enumerate(codes, start=1)]
    return [(code, number) for code, number in lines if code]


def is_empty(start: datetime | None, end: datetime | None) -> bool:
    return start is not None and end is not None and end <= start


def blank(support_reason: str | None) -> list[Said]:
    """Return the fault of a support reason that says nothing."""
    return [INVALID] if support_reason is not None and not support_reason.strip() else []


def returned(id_: str | None, *, same: bool = True, against: Iterable[Said] = ()) -> Steps:
    """Return the record that exists already, and store nothing, if it is the *same*."""
    if not same:
        raise Fault(CONFLICT)
    made = yield against
    assert made.id == id_


def _ids_of(batch: Any) -> tuple[list[str], list[str]]:
    return [one.id for one in batch.created], [one.id for one in batch.skipped]
