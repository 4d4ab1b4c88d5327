"""What the registrar has to do, said a second time: dicts, sets and the sentences of the rules.

Nothing here calls a policy, an action or a repository. Each command of the registrar has a method
of the same name that answers what has to come of it; what is stored afterwards is told by `store`.
"""

from calendar import monthrange
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum
from typing import Any
from unicodedata import normalize
from zoneinfo import ZoneInfo

import attrs

from course_assignments import (
    Conflict,
    CourseAssignmentsError,
    Direct,
    Duration,
    ForAssignment,
    FromKey,
    FromSubscription,
    InvalidInput,
    Months,
    Note,
    NotFound,
    Opening,
    Organization,
    Pause,
    Reason,
    Refused,
    Repeat,
    Role,
    User,
)

TICK = timedelta(microseconds=1)
MISTYPED = "mistyped"

#: "creating assignments takes one of the roles ...; keys take Operations Manager"
ASSIGNING = (
    Role.COMPANY_TRAINING_MANAGER,
    Role.ENROLLMENT_MANAGER,
    Role.OPERATIONS_MANAGER,
    Role.SALES_MANAGER,
)
KEYS = (Role.OPERATIONS_MANAGER,)

#: `ExpirationLimit`: "ties to the first in the order of the enum"
LIMITS = ("request", "key", "subscription", "course", "organization", "maximum", "default")

Facts = dict[str, Any]
Said = tuple[Any, ...]


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case Direct():
            return ("direct",)
        case FromKey():
            return ("key", value.batch_id, value.redemption_id)
        case FromSubscription():
            return ("subscription", value.subscription_id)
        case (Pause() | Opening(), *_):
            return tuple(tuple(facts(one).values()) for one in value)
        case _:
            return value


def facts(record: Any) -> Facts:
    """Return the fields of *record* by their names."""
    return {one: _plain(getattr(record, one)) for one in _names(type(record))}


_NAMES: dict[type, tuple[str, ...]] = {}


def _names(kind: type) -> tuple[str, ...]:
    if kind not in _NAMES:
        _NAMES[kind] = tuple(one.name for one in attrs.fields(kind))
    return _NAMES[kind]


def said(reason: Reason) -> Said:
    """Return *reason* as its code and its facts."""
    if isinstance(reason, ForAssignment):
        return (reason.course_id, reason.learner_id, said(reason.reason))
    return (reason.code, *(_plain(getattr(reason, one)) for one in _names(type(reason))))


def folded(email: str) -> str:
    """Return *email* as e-mail addresses are compared: "NFC and casefolded"."""
    return normalize("NFC", normalize("NFC", email).casefold())


def first_instant(wall: datetime, zone: tzinfo) -> datetime:
    """Say when it is *wall* in *zone*: after a gap, at the first occurrence in a fold."""
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    instant = instant.replace(second=0, microsecond=0) - timedelta(hours=26)
    while instant.astimezone(zone).replace(tzinfo=None) < wall:
        instant += timedelta(minutes=1)
    return instant


def after(term: Duration, start: datetime, zone: tzinfo) -> datetime:
    """Say when *term* is over: exact on the line of UTC, or by the calendar of *zone*."""
    if isinstance(term, timedelta):
        return start + term
    wall = start.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    years, months = divmod(wall.month - 1 + term.count, 12)
    year, month = wall.year + years, months + 1
    day = min(wall.day, monthrange(year, month)[1])
    return first_instant(wall.replace(year=year, month=month, day=day), zone)


def resolved(end: Any, start: datetime, zone: tzinfo) -> datetime:
    """Say which instant an instant, a day or a length of time stands for."""
    if isinstance(end, datetime):
        return end.astimezone(UTC)
    if isinstance(end, date):
        return first_instant(datetime.combine(end, time()), zone)
    assert isinstance(end, timedelta | Months)
    return after(end, start, zone)


def _nothing(_: Any) -> None:
    """Store nothing."""


@dataclass(frozen=True)
class Expected:
    """What has to come of a command: it is done, or one of *errors* leaves it."""

    errors: tuple[Said, ...] = ()
    store: Callable[[Any], None] = _nothing

    def fits(self, error: CourseAssignmentsError) -> bool:
        """Return whether *error* is one of those that were expected."""
        return any(_is(error, expected) for expected in self.errors)


def _is(error: CourseAssignmentsError, expected: Said) -> bool:
    match error:
        case Refused():
            reasons = [said(reason) for reason in error.decision.reasons]
            return ("refused", frozenset(reasons)) == expected and len(set(reasons)) == len(reasons)
        case NotFound():
            return expected[0] == "not_found" and error.id in expected[1]
        case Conflict():
            return expected == ("conflict",)
        case InvalidInput():
            return expected == ("invalid",)
        case _:
            return False


INVALID = Expected((("invalid",),))
CONFLICT = Expected((("conflict",),))
DONE_BEFORE = Expected()


def refused(*reasons: Said) -> Expected:
    """Return that it is refused for *reasons*."""
    return Expected((("refused", frozenset(reasons)),))


@dataclass
class Settings:
    """Which of the policies' settings are in force."""

    restores_key_use: bool = False
    once_per_learner: bool = True
    repeat: Repeat = Repeat.ALLOW
    default: Duration = Months(6)


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
    #: the codes that were drawn at random
    generated: set[str] = field(default_factory=set)
    #: tells which codes of a batch are new, as only the repository knows what was drawn
    drawn: Callable[[str], list[str]] = lambda _: []

    # What several commands share.

    def shelf(self, record: Any) -> dict[str, Facts]:
        """Return where records of this kind are kept."""
        shelves = {"Organization": self.organizations, "Course": self.courses, "User": self.users}
        return shelves[type(record).__name__]

    def zone(self, organization_id: str | None) -> tzinfo:
        """Return the zone of the learner's organization; "a learner without one has UTC"."""
        if organization_id is None:
            return UTC
        return ZoneInfo(self.organizations[organization_id]["time_zone"])

    def happened(self, action: str, by: str | None, reason: str | None = None) -> None:
        """Note an event."""
        self.events.append((len(self.events) + 1, self.at, by, action, reason))

    def missing(self, by: str | None, *others: tuple[dict[str, Facts], str | None]) -> list[Said]:
        """Return the fault that something does not exist, if so."""
        wanted = [(self.users, by), *others]
        ids = {one for shelf, one in wanted if one is not None and one not in shelf}
        return [("not_found", frozenset(ids))] if ids else []

    def judged(
        self, faults: Iterable[Said], reasons: Callable[[], Iterable[Said]], store: Any
    ) -> Expected:
        """Return what comes of it: a fault, all reasons against, or that it is done."""
        found = tuple(faults)
        if found:
            return Expected(found)
        against = tuple(reasons())
        return refused(*against) if against else Expected((), store)

    def acting(
        self, by: str | None, organization_id: str | None, roles: tuple[Role, ...]
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
        self, created_at: datetime, course_id: str, organization_id: str | None
    ) -> tuple[datetime, str]:
        """Rule 1: "the earliest of created + 180 days, + organization's, + course's maximum"."""
        zone = self.zone(organization_id)
        ceilings = [(created_at + timedelta(days=180), "maximum")]
        own = self.courses[course_id]["maximum_access"]
        if own is not None:
            ceilings.append((after(own, created_at, zone), "course"))
        if organization_id is not None:
            shorter = self.organizations[organization_id]["maximum_access"]
            if shorter is not None:
                ceilings.append((after(shorter, created_at, zone), "organization"))
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
        return [("expires_too_late", *latest)] if end > latest[0] else []

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
        note: Note | None = None,
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

    def repeated(self, action: str, id: str | None, arguments: Any) -> Expected | None:
        """Return what a call under an id that was used before comes to: "other arguments"."""
        if id is None or (action, id) not in self.receipts:
            return None
        said, made = self.receipts[action, id]
        return Expected((), returns(made)) if said == arguments else CONFLICT

    # Organizations, courses, users.

    def _references(self, records: Iterable[Any]) -> list[Said]:
        known = {*self.organizations, *(one.id for one in records if isinstance(one, Organization))}
        wanted: set[str | None] = set()
        for record in records:
            if isinstance(record, User):
                wanted |= {record.organization_id, *record.managed_organization_ids}
            if isinstance(record, Organization):
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

    def add(self, *records: Any, by: str | None = None) -> Expected:
        """ "An equal record again does nothing, a different one under the same id is Conflict"."""
        new: dict[tuple[type, str], Any] = {}
        differ = False
        for record in records:
            stored = self.shelf(record).get(record.id)
            if stored is None:
                differ |= new.setdefault((type(record), record.id), record) != record
            else:
                differ |= stored != facts(record)
        faults = [*self.missing(by), *self._references(new.values())]
        if differ:
            faults.append(("conflict",))

        def store(_: None) -> None:
            for record in new.values():
                self.shelf(record)[record.id] = facts(record)
            if new:
                self.happened("add", by)

        people = [facts(one) for one in new.values() if isinstance(one, User)]
        return self.judged(faults, lambda: self.emails_taken(people), store)

    def update(self, record: Any, *, by: str | None = None) -> Expected:
        """Rule 20: it "changes what is made later"."""
        shelf, now = self.shelf(record), facts(record)

        def store(_: Any) -> None:
            if shelf[record.id] != now:
                shelf[record.id] = now
                self.happened("update", by)

        return self.judged(
            [*self.missing(by, (shelf, record.id)), *self._references([record])],
            lambda: self.emails_taken([now] if isinstance(record, User) else []),
            store,
        )

    def anonymize(self, user_id: str, *, by: str | None = None) -> Expected:
        """Rule 23: "replaces name and e-mail and keeps the records"."""

        def store(user: User) -> None:
            before = self.users[user_id]
            now = {**before, "name": "Anonymous", "email": user.email}
            assert user.email.endswith("@anonymous.invalid")
            if now != before:
                self.users[user_id] = now
                self.happened("anonymize", by)

        return self.judged(self.missing(by, (self.users, user_id)), list, store)

    # Assigning.

    def _against_pair(
        self, course_id: str, learner: Facts, expires: Any, mode: Repeat
    ) -> tuple[list[Said], tuple[datetime, str]]:
        """Return what speaks against one pair as a pair, and the end it would get."""
        organization_id = learner["organization_id"]
        zone = self.zone(organization_id)
        reasons: list[Said] = []
        held = self.held(course_id, learner["id"])
        if mode is Repeat.REFUSE and held:
            reasons.append(("already_assigned", held[0]["id"], held[0]["expires_at"]))
        if expires is not None:
            end = resolved(expires, self.at, zone)
            limit = self.limit(self.at, course_id, organization_id)
            reasons += self.in_bounds(end, self.at, limit)
            return reasons, (end, "request")
        default = (after(self.settings.default, self.at, zone), "default")
        return reasons, first([self.limit(self.at, course_id, organization_id), default])

    def assign(
        self,
        course_id: str,
        learner_id: str,
        *,
        expires: Any = None,
        note: Note | None = None,
        repeat: Repeat | None = None,
        id: str | None = None,
        by: str | None = None,
    ) -> Expected:
        """Rules 1, 2, 15, 21 and 22."""
        if id in self.assignments:
            made = self.assignments[id]
            same = (course_id, learner_id, ("direct",))
            as_made = (made["course_id"], made["learner_id"], made["origin"])
            return DONE_BEFORE if as_made == same else CONFLICT
        mode = repeat or self.settings.repeat
        faults = self.missing(by, (self.courses, course_id), (self.users, learner_id))
        if faults:
            return Expected(tuple(faults))
        learner = self.users[learner_id]
        reasons = self.acting(by, learner["organization_id"], ASSIGNING)
        held = self.held(course_id, learner_id)
        if mode is Repeat.SKIP and held:
            return refused(*reasons) if reasons else Expected((), returns(held[0]["id"]))
        own, end = self._against_pair(course_id, learner, expires, mode)

        def store(made: Any) -> None:
            assert id is None or made.id == id
            self.keep_assignment(made.id, learner, course_id, end, note=note)
            self.happened("assign", by)

        return self.judged([], lambda: [*reasons, *self.available(course_id), *own], store)

    def assign_many(
        self,
        course_ids: Iterable[str],
        learners: Sequence[str | User],
        *,
        expires: Any = None,
        note: Note | None = None,
        repeat: Repeat | None = None,
        id: str | None = None,
        by: str | None = None,
    ) -> Expected:
        """Rule 14: "every pair, input order, duplicates collapse, one bad pair and nothing"."""
        brought = {one.id: one for one in learners if isinstance(one, User)}
        if any(one.roles or one.managed_organization_ids for one in brought.values()):
            return INVALID
        given = dict.fromkeys(one.id if isinstance(one, User) else one for one in learners)
        courses = list(dict.fromkeys(course_ids))
        pairs = [(course_id, learner_id) for course_id in courses for learner_id in given]
        mode = repeat or self.settings.repeat
        arguments = (courses, list(given), expires, note, repeat)
        if id is not None and ("assign_many", id) in self.receipts:
            return self._made_many(id, arguments)
        profiles = {one: facts(user) for one, user in brought.items()}
        missing = self.missing(
            by,
            *((self.courses, one) for one in courses),
            *((self.users, one) for one in given if one not in profiles),
            *((self.organizations, one["organization_id"]) for one in profiles.values()),
        )
        differ = any(self.users.get(one, user) != user for one, user in profiles.items())
        if missing or differ:
            return Expected((*missing, *CONFLICT.errors) if differ else tuple(missing))
        newcomers = {one: user for one, user in profiles.items() if one not in self.users}
        people = {**self.users, **newcomers}
        reasons = self.emails_taken(newcomers.values())
        made: list[tuple[str, Facts, tuple[datetime, str]]] = []
        skipped: list[str] = []
        for course_id, learner_id in pairs:
            learner = people[learner_id]
            nobodys = ("organization_not_managed", None)
            reasons += [
                (course_id, learner_id, reason) if reason == nobodys else reason
                for reason in self.acting(by, learner["organization_id"], ASSIGNING)
            ]
            held = self.held(course_id, learner_id)
            if mode is Repeat.SKIP and held:
                skipped.append(held[0]["id"])
                continue
            own, end = self._against_pair(course_id, learner, expires, mode)
            reasons += self.available(course_id)
            reasons += [(course_id, learner_id, reason) for reason in own]
            made.append((course_id, learner, end))

        def store(batch: Any) -> None:
            assert [one.id for one in batch.skipped] == skipped
            assert len(batch.created) == len(made)
            self.users.update(newcomers)
            for one, (course_id, learner, end) in zip(batch.created, made, strict=True):
                self.keep_assignment(one.id, learner, course_id, end, note=note)
            if id is not None:
                ids = [one.id for one in batch.created]
                self.receipts["assign_many", id] = (arguments, (ids, skipped))
            if made:
                self.happened("assign_many", by)

        return self.judged([], lambda: reasons, store)

    def _made_many(self, id: str, arguments: Any) -> Expected:
        said, (created, skipped) = self.receipts["assign_many", id]
        if said != arguments:
            return CONFLICT

        def store(batch: Any) -> None:
            assert [one.id for one in batch.created] == created
            assert [one.id for one in batch.skipped] == skipped

        return Expected((), store)

    # What exists.

    def cancel(
        self, assignment_id: str, *, support_reason: str | None = None, by: str | None = None
    ) -> Expected:
        """Rules 3, 4, 13 and 21."""
        faults = self.missing(by, (self.assignments, assignment_id))
        if support_reason is not None and not support_reason.strip():
            faults.append(("invalid",))
        if faults:
            return Expected(tuple(faults))
        one = self.assignments[assignment_id]

        def reasons() -> list[Said]:
            return [
                *self.cancelling(by, one["learner_id"], support_reason),
                *self.against_cancelling(one, support_reason),
            ]

        def store(_: Any) -> None:
            one["cancelled_at"] = self.at
            if self.settings.restores_key_use and one["origin"][0] == "key":
                redemption = self.redemptions[one["origin"][2]]
                redemption["restored_at"] = self.at
                self.keys[redemption["code"]]["uses"] -= 1
            self.happened("cancel", by, support_reason)

        return self.judged([], reasons, store)

    def cancelling(self, by: str | None, learner_id: str, support_reason: str | None) -> list[Said]:
        """Rules 4 and 21: support "needs the SUPPORT role when an actor is given"."""
        if support_reason is None:
            return self.acting(by, self.users[learner_id]["organization_id"], ASSIGNING)
        roles = self.users[by]["roles"] if by is not None else {Role.SUPPORT}
        return [] if Role.SUPPORT in roles else [("support_role_missing",)]

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

    def reschedule(self, assignment_id: str, expires: Any, *, by: str | None = None) -> Expected:
        """Rule 2: "the same limit, still counted from creation; an end before now is refused"."""
        faults = self.missing(by, (self.assignments, assignment_id))
        if faults:
            return Expected(tuple(faults))
        one = self.assignments[assignment_id]
        organization_id = self.users[one["learner_id"]]["organization_id"]
        end = resolved(expires, one["created_at"], self.zone(organization_id))

        def reasons() -> list[Said]:
            found = [*self.acting(by, organization_id, ASSIGNING), *self.changing(one)]
            bounds = self.in_bounds(end, one["created_at"], self.limit_of(one))
            if end < self.at:
                found.append(("expires_too_early", self.at))
                bounds = [said for said in bounds if said[0] != "expires_too_early"]
            return list(dict.fromkeys([*found, *bounds]))

        def store(_: Any) -> None:
            one.update(expires_at=end, limited_by="request")
            self.bounds[one["id"]] = self.limit_of(one)[0]
            self.happened("reschedule", by)

        return self.judged([], reasons, store)

    def complete(self, assignment_id: str, *, by: str | None = None) -> Expected:
        """Rule 5: "refused if cancelled, allowed if expired"."""
        faults = self.missing(by, (self.assignments, assignment_id))
        if faults:
            return Expected(tuple(faults))
        one = self.assignments[assignment_id]
        organization_id = self.users[one["learner_id"]]["organization_id"]

        def reasons() -> list[Said]:
            found = [*self.acting(by, organization_id, ASSIGNING), *self.changing(one)]
            if one["completed_at"] is not None:
                found.append(("already_completed", one["completed_at"]))
            return found

        def store(_: Any) -> None:
            one["completed_at"] = self.at
            self.happened("complete", by)

        return self.judged([], reasons, store)

    def add_note(self, assignment_id: str, note: Note, *, by: str | None = None) -> Expected:
        """Rule 21 alone: a note may be added in any state."""
        faults = self.missing(by, (self.assignments, assignment_id))
        if faults:
            return Expected(tuple(faults))
        one = self.assignments[assignment_id]
        organization_id = self.users[one["learner_id"]]["organization_id"]

        def store(_: Any) -> None:
            one["notes"] += (note,)
            self.happened("add_note", by)

        return self.judged([], lambda: self.acting(by, organization_id, ASSIGNING), store)

    # Keys.

    def _codes(self, codes: Iterable[str]) -> dict[str, int]:
        """Return typed codes by their lines; "blank lines in a paste are skipped"."""
        lines = enumerate((line.strip() for line in codes), start=1)
        return {code: number for number, code in lines if code}

    @staticmethod
    def _repeats(codes: Iterable[str]) -> bool:
        """Rule 12: "a repeated ... code refuses the whole paste"."""
        typed = [line.strip() for line in codes if line.strip()]
        return len(set(typed)) < len(typed)

    def _against_codes(self, course_id: str, organization_id: str, codes: Any, by: Any) -> Any:
        taken = tuple(line for code, line in codes.items() if code in self.keys)
        return [
            *self.acting(by, organization_id, KEYS),
            *self.available(course_id),
            *([("code_taken", taken)] if taken else []),
        ]

    def _keep_keys(self, batch: Facts, codes: Iterable[str], drawn: Iterable[str]) -> None:
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
        availability: Duration,
        redeemable_from: Any = None,
        redeemable_until: Any = None,
        max_uses: int | None = None,
        any_organization: bool = False,
        codes: Sequence[str] = (),
        generate: int = 0,
        id: str | None = None,
        by: str | None = None,
    ) -> Expected:
        """Rules 6 to 9, 12, 21 and 22."""
        if self._repeats(codes):
            return INVALID
        lines = self._codes(codes)
        if id in self.batches:
            made = self.batches[id]
            same = (made["course_id"], made["organization_id"]) == (course_id, organization_id)
            # It only grows, so fewer keys than are asked for now were never asked for before.
            same = same and made["size"] >= len(lines) + generate
            return DONE_BEFORE if same and self._all_in(id, lines) else CONFLICT
        faults = self.missing(by, (self.courses, course_id), (self.organizations, organization_id))
        if faults:
            return Expected(tuple(faults))
        zone = self.zone(organization_id)
        start = _bound(redeemable_from, self.at, zone)
        end = _bound(redeemable_until, self.at, zone)
        if _is_empty(start, end) or (end is not None and end <= self.at):
            return INVALID
        if not lines and not generate:
            return INVALID

        def store(made: Any) -> None:
            assert id is None or made.id == id
            self.batches[made.id] = batch = {
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
            drawn = self.drawn(made.id)
            assert len(drawn) == generate
            self._keep_keys(batch, lines, drawn)
            self.happened("create_keys", by)

        return self.judged(
            [], lambda: self._against_codes(course_id, organization_id, lines, by), store
        )

    def _all_in(self, batch_id: str, codes: Iterable[str]) -> bool:
        return all(self.keys.get(one, {}).get("batch_id") == batch_id for one in codes)

    def add_keys(
        self,
        batch_id: str,
        *,
        codes: Sequence[str] = (),
        generate: int = 0,
        id: str | None = None,
        by: str | None = None,
    ) -> Expected:
        """Rules 12, 21 and 22."""
        if self._repeats(codes):
            return INVALID
        lines = self._codes(codes)
        if batch_id not in self.batches:
            return Expected(tuple(self.missing(by, (self.batches, batch_id))))
        batch = self.batches[batch_id]
        if id is not None and ("add_keys", id) in self.receipts:
            said, _ = self.receipts["add_keys", id]
            same = said == (batch_id, len(lines), generate) and self._all_in(batch_id, lines)
            return DONE_BEFORE if same else CONFLICT
        faults = self.missing(by)
        if not lines and not generate:
            faults.append(("invalid",))

        def store(_: Any) -> None:
            if id is not None:
                self.receipts["add_keys", id] = ((batch_id, len(lines), generate), batch_id)
            drawn = self.drawn(batch_id)
            assert len(drawn) == generate
            self._keep_keys(batch, lines, drawn)
            self.happened("add_keys", by)

        organization_id, course_id = batch["organization_id"], batch["course_id"]
        return self.judged(
            faults, lambda: self._against_codes(course_id, organization_id, lines, by), store
        )

    def edit_keys(self, batch_id: str, *, by: str | None = None, **terms: Any) -> Expected:
        """Rule 20: "max_uses cannot go below the uses already made"."""
        faults = self.missing(by, (self.batches, batch_id))
        if faults:
            return Expected(tuple(faults))
        batch = self.batches[batch_id]
        zone = self.zone(batch["organization_id"])
        after_edit = {**batch, **terms}
        for name in ("redeemable_from", "redeemable_until"):
            after_edit[name] = _bound(after_edit[name], batch["created_at"], zone)
        after_edit["max_uses"] = after_edit["max_uses"] or 1
        if _is_empty(after_edit["redeemable_from"], after_edit["redeemable_until"]):
            return INVALID
        keys = [key for key in self.keys.values() if key["batch_id"] == batch_id]

        def reasons() -> list[Said]:
            most = max((key["uses"] for key in keys), default=0)
            low = [("max_uses_below_uses", most)] if most > after_edit["max_uses"] else []
            return [*self.acting(by, batch["organization_id"], KEYS), *low]

        def store(_: Any) -> None:
            if after_edit == batch:
                return
            batch.update(after_edit)
            for key in keys:
                key["max_uses"] = batch["max_uses"]
            self.happened("edit_keys", by)

        return self.judged([], reasons, store)

    def _revoke(self, batch: Facts, keys: list[Facts], by: str | None) -> Expected:
        def store(_: Any) -> None:
            valid = [key for key in keys if key["revoked_at"] is None]
            for key in valid:
                key["revoked_at"] = self.at
            if valid:
                self.happened("revoke_keys", by)

        return self.judged([], lambda: self.acting(by, batch["organization_id"], KEYS), store)

    def revoke_key(self, code: str, *, by: str | None = None) -> Expected:
        """Call one key back."""
        faults = self.missing(by)
        if faults:
            return Expected(tuple(faults))
        key, trouble = self._key(code)
        if key is None:
            return refused(trouble)
        return self._revoke(self.batches[key["batch_id"]], [key], by)

    def revoke_keys(self, batch_id: str, *, by: str | None = None) -> Expected:
        """Call all keys of a batch back."""
        faults = self.missing(by, (self.batches, batch_id))
        if faults:
            return Expected(tuple(faults))
        keys = [key for key in self.keys.values() if key["batch_id"] == batch_id]
        return self._revoke(self.batches[batch_id], keys, by)

    # Redeeming.

    def _key(self, typed: str) -> tuple[Facts | None, Said]:
        """Rule 12: "wrong check symbol: `key_mistyped`, no look-up; else it is taken exactly"."""
        code = self.spellings[typed]
        if code is not None and code in self.keys:
            return self.keys[code], ()
        return None, ("key_mistyped",) if code == MISTYPED else ("key_not_found",)

    def _redeemed_before(self, id_: str | None, typed: str, learner_id: str) -> Expected | None:
        if id_ not in self.assignments:
            return None
        made = self.assignments[id_]
        if made["origin"][0] != "key" or made["learner_id"] != learner_id:
            return CONFLICT
        same = self.redemptions[made["origin"][2]]["code"] == self.spellings[typed]
        return DONE_BEFORE if same else CONFLICT

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

    def _keep_redemption(self, key: Facts, learner: Facts, made: Any, id_: str | None) -> None:
        """Rule 8: "length of access counted from redemption; the limit still clamps here"."""
        assert id_ is None or made.id == id_
        batch = self.batches[key["batch_id"]]
        course_id, organization_id = batch["course_id"], learner["organization_id"]
        available = (after(batch["availability"], self.at, self.zone(organization_id)), "key")
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

    def redeem(
        self, code: str, learner_id: str, *, id: str | None = None, by: str | None = None
    ) -> Expected:
        """Rules 6 to 10, 12, 21 and 22."""
        before = self._redeemed_before(id, code, learner_id)
        if before is not None:
            return before
        faults = self.missing(by, (self.users, learner_id))
        if faults:
            return Expected(tuple(faults))
        key, trouble = self._key(code)
        if key is None:
            return refused(trouble)
        learner = self.users[learner_id]
        acting = self.acting(
            None if by == learner_id else by, learner["organization_id"], ASSIGNING
        )

        def store(made: Any) -> None:
            self._keep_redemption(key, learner, made, id)
            self.happened("redeem", by)

        return self.judged([], lambda: [*acting, *self._against_redeeming(key, learner)], store)

    def register(
        self, code: str, user: User, *, id: str | None = None, by: str | None = None
    ) -> Expected:
        """Rule 11: "registers a new user ... and redeems in the same change: all or nothing"."""
        if user.roles or user.managed_organization_ids:
            return INVALID
        before = self._redeemed_before(id, code, user.id)
        if before is not None:
            return before
        faults = self.missing(by, (self.organizations, user.organization_id))
        taken = folded(user.email) in {folded(one["email"]) for one in self.users.values()}
        if not taken and user.id in self.users:
            faults.append(("conflict",))
        key, trouble = self._key(code)
        if key is None:
            return Expected((*faults, *refused(trouble).errors))
        if faults:
            return Expected(tuple(faults))
        batch = self.batches[key["batch_id"]]
        host = self.organizations[batch["organization_id"]]
        joins = user.organization_id or batch["organization_id"]
        newcomer = {**facts(user), "organization_id": joins}

        def reasons() -> list[Said]:
            found = self.acting(None if by == user.id else by, joins, ASSIGNING)
            if not host["anonymous_registration"]:
                found.append(("registration_disabled",))
            if taken:
                found.append(("email_taken", user.id))
            return [*found, *self._against_redeeming(key, newcomer)]

        def store(made: Any) -> None:
            self.users[user.id] = newcomer
            self._keep_redemption(key, newcomer, made, id)
            self.happened("register", by)

        return self.judged([], reasons, store)

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


def _bound(value: Any, start: datetime, zone: tzinfo) -> datetime | None:
    return None if value is None else resolved(value, start, zone)


def _is_empty(start: datetime | None, end: datetime | None) -> bool:
    return start is not None and end is not None and end <= start


def returns(id_: str) -> Callable[[Any], None]:
    """Say that what is there already is returned, and nothing stored."""

    def store(made: Any) -> None:
        assert made.id == id_

    return store
