"""The one place that knows what the library calls things at present.

When something is renamed, a table here is edited, and nothing else of the oracle. In a table of
fields ``a=b`` says that the neutral field ``a`` is called ``b`` at present, and ``#`` in front that
what it holds are ids.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from hashlib import sha256
from io import StringIO
from itertools import count
from typing import Any

from sqlalchemy import MetaData, StaticPool, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

import course_assignments as ca
from course_assignments.serialization import to_json
from course_assignments.sqlalchemy import SqlRepository, build_tables
from tests.oracle.neutral import Broken, Call, Id, Months, Once, Rec, Ref, Stored, Word

# --- Tables of names -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A class of the library, and its fields by their neutral names."""

    present: type
    fields: Mapping[str, tuple[str, bool]]


def _fields(spec: str) -> dict[str, tuple[str, bool]]:
    found: dict[str, tuple[str, bool]] = {}
    for word in spec.split():
        name, _, present = word.lstrip("#").partition("=")
        found[name] = (present or name, word.startswith("#"))
    return found


RECORDS: Mapping[str, Kind] = {
    name: Kind(present, _fields(spec))
    for name, present, spec in (
        (
            "organization",
            ca.Organization,
            "#id name #parent_id maximum_access time_zone anonymous_registration",
        ),
        ("activity", ca.Activity, "#id name kind required"),
        (
            "course",
            ca.Course,
            "#id name content_provider publishing_group activities maximum_access archived",
        ),
        ("user", ca.User, "#id name email #organization_id roles #managed_organization_ids"),
        ("note", ca.Note, "title message high_importance"),
        ("direct", ca.Direct, ""),
        ("from_key", ca.FromKey, "#batch_id #redemption_id"),
        ("from_subscription", ca.FromSubscription, "#subscription_id"),
        (
            "assignment",
            ca.CourseAssignment,
            (
                "#id #learner_id #course_id #organization_id created_at expires_at limited_by"
                " origin first_lab_launched_at started_at completed_at cancelled_at #finished notes"
            ),
        ),
        ("seat", ca.Claim, "#id #learner_id #course_id #assignment_id"),
        ("pause", ca.Pause, "paused_at resumed_at"),
        (
            "attempt",
            ca.Attempt,
            "#id #assignment_id #activity_id number started_at pauses finished_at",
        ),
        ("opening", ca.Opening, "#course_id #assignment_id"),
        (
            "subscription",
            ca.Subscription,
            (
                "#id #learner_id #organization_id #course_ids created_at expires_at edited_at"
                " cancelled_at openings"
            ),
        ),
        (
            "batch",
            ca.KeyBatch,
            (
                "#id name #course_id #organization_id created_at redeemable_from redeemable_until"
                " max_uses availability any_organization size"
            ),
        ),
        ("key", ca.TrainingKey, "#id code #batch_id number uses max_uses revoked_at"),
        (
            "redemption",
            ca.Redemption,
            "#id #key_id #batch_id #learner_id #assignment_id redeemed_at restored_at",
        ),
        ("event", ca.Event, "at #by action #subject_ids details"),
        ("assigned", ca.AssignmentBatch, "created skipped"),
        ("ceiling", ca.Limit, "at by"),
        ("dashboard", ca.Dashboard, "assignments has_more stale_at"),
        (
            "statement_line",
            ca.StatementLine,
            (
                "#organization_id #course_id #learner_id #assignment_id created_at cancelled_at"
                " billable"
            ),
        ),
        (
            "statement_total",
            ca.StatementTotal,
            "#organization_id #course_id created cancelled billable",
        ),
        ("statement", ca.Statement, "start end #organization_id lines totals"),
    )
}

#: What is kept under an id: the neutral kinds that can be read back.
KEPT = (
    *("organization", "course", "user", "assignment", "seat", "attempt"),
    *("subscription", "batch", "key", "redemption"),
)

ENUMS: Mapping[str, type[Enum]] = {
    "repeat": ca.Repeat,
    "role": ca.Role,
    "permission": ca.Permission,
    "limit": ca.ExpirationLimit,
    "activity_kind": ca.ActivityKind,
    "status": ca.AssignmentStatus,
    "completion": ca.CompletionStatus,
}

#: Members that have another value now: neutral to present.
MEMBERS: Mapping[tuple[str, str], str] = {
    ("permission", "assign"): "assign_courses",
    ("permission", "keys"): "manage_keys",
}

#: Codes of reasons, with the facts of each.
REASONS: Mapping[str, Mapping[str, tuple[str, bool]]] = {
    code: _fields(facts)
    for code, facts in {
        "cancellation_window_closed": "closed_at",
        "lab_launched": "launched_at",
        "already_cancelled": "cancelled_at",
        "already_completed": "completed_at",
        "assignment_not_active": "created_at",
        "assignment_expired": "expired_at",
        "attempt_open": "#attempt_id",
        "no_attempt_open": "finished_at",
        "attempt_paused": "paused_at",
        "attempt_not_paused": "",
        "attempt_ahead": "changed_at",
        "course_not_in_subscription": "#course_id",
        "subscription_not_active": "created_at",
        "subscription_ended": "ended_at",
        "expires_too_late": "latest limited_by",
        "expires_too_early": "earliest",
        "course_not_available": "#course_id missing",
        "course_archived": "#course_id",
        "already_assigned": "#assignment_id expires_at",
        "key_not_found": "",
        "key_mistyped": "",
        "key_revoked": "revoked_at",
        "key_not_yet_redeemable": "redeemable_from",
        "key_expired": "redeemable_until",
        "key_exhausted": "max_uses",
        "wrong_organization": "",
        "already_redeemed": "#assignment_id redeemed_at",
        "registration_disabled": "",
        "email_taken": "#user_id",
        "role_missing": "any_of",
        "support_role_missing": "",
        "organization_not_managed": "#organization_id",
        "code_taken": "lines",
        "max_uses_below_uses": "uses",
    }.items()
}

#: Codes of reasons, of errors, and names of events that are called otherwise now: present to
#: neutral. So are the first words of paths in `InvalidInput`.
CODES: Mapping[str, str] = {"invalid_duration": "invalid_term"}
ACTIONS: Mapping[str, str] = {"anonymize": "anonymise"}
PATHS: Mapping[str, str] = {}

#: What the address ends with of those who were anonymised.
ANONYMOUS = "@anonymous.invalid"

#: Commands that are called otherwise now, or have arguments that are: their present names, and the
#: arguments as neutral to present.
RENAMED: Mapping[str, tuple[str, Mapping[str, str]]] = {"anonymise": ("anonymize", {})}

#: Commands: what they are called, and those of their arguments that are called otherwise.
COMMANDS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    name: RENAMED.get(name, (name, {}))
    for name in (
        *("add", "update", "anonymise", "assign", "assign_many", "cancel", "reschedule"),
        *("complete", "start", "pause", "resume", "finish", "create_keys", "add_keys"),
        *("edit_keys", "revoke_key", "revoke_keys", "keys", "redeem", "register", "subscribe"),
        *("edit_subscription", "cancel_subscription", "open_course"),
    )
}

#: Those that have no twin that asks, and those that give an iterator.
WITHOUT_TWIN = {"anonymise", "keys"}
ITERATING = {"keys"}

#: Policies: the field of the bundle, the class, and the settings.
POLICIES: Mapping[str, tuple[str, type, Mapping[str, str]]] = {
    name: (field, present, {one: one for one in settings.split()})
    for name, field, present, settings in (
        ("cancellation", "cancellation", ca.CancellationPolicy, "window restores_key_use"),
        ("expiration", "expiration", ca.ExpirationPolicy, "maximum default"),
        ("reschedule", "reschedule", ca.ReschedulePolicy, ""),
        ("completion", "completion", ca.CompletionPolicy, ""),
        ("access", "access", ca.AccessPolicy, ""),
        ("attempt", "attempt", ca.AttemptPolicy, ""),
        ("finish", "finish", ca.FinishPolicy, ""),
        ("subscription", "subscription", ca.SubscriptionPolicy, ""),
        ("redemption", "key_redemption", ca.KeyRedemptionPolicy, "once_per_learner"),
        ("registration", "registration", ca.RegistrationPolicy, ""),
        ("availability", "course_availability", ca.CourseAvailabilityPolicy, ""),
        ("repeat", "repeat", ca.RepeatPolicy, "default"),
        ("authorization", "authorization", ca.AuthorizationPolicy, "assigning keys support"),
        ("dashboard", "", ca.DashboardPolicy, "size fresh_for"),
    )
}

#: Questions to policies, by their neutral names: the method.
QUESTIONS: Mapping[str, str] = {
    "evaluate": "evaluate",
    "limit": "limit",
    "default_end": "default_end",
}

#: Arguments of these questions that are called otherwise, by policy.
ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    "cancellation": {"assignment": "cancellable"},
    "registration": {"holder": "email_owner"},
    "repeat": {"standing": "existing"},
}

#: Queries, and those of their filters that are called otherwise.
QUERIES: Mapping[str, tuple[type, Mapping[str, str]]] = {
    "organizations": (ca.OrganizationQuery, {}),
    "courses": (ca.CourseQuery, {}),
    "users": (ca.UserQuery, {}),
    "assignments": (ca.AssignmentQuery, {}),
    "attempts": (ca.AttemptQuery, {}),
    "subscriptions": (ca.SubscriptionQuery, {}),
    "batches": (ca.BatchQuery, {}),
    "keys": (ca.KeyQuery, {}),
    "redemptions": (ca.RedemptionQuery, {"code": "key_id"}),
    "events": (ca.EventQuery, {}),
}

#: What is read for a screen or a bill, and takes the repository.
VIEWS: Mapping[str, tuple[Callable[..., Any], Mapping[str, str]]] = {
    "dashboard": (ca.dashboard, {}),
    "current_training": (ca.current_training, {}),
    "transcript": (ca.transcript, {}),
    "expiring": (ca.expiring, {}),
    "statement": (ca.statement, {}),
}


def _renamed(args: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in args.items()}


# --- The office ----------------------------------------------------------------------------------


def _stream(seed: int) -> Iterator[int]:
    for number in count():
        yield from sha256(f"{seed} {number}".encode()).digest()


class Office:
    """A registrar over records in memory, whose clock, ids and lots are in our hand."""

    def __init__(self, start: datetime, policies: Mapping[str, Mapping[str, Any]]) -> None:
        self.clock = ca.ManualClock(start)
        self.repository = _Recording()
        self._made = count(1)
        self._lots = _stream(0)
        self.results: dict[str, Any] = {}
        self.govern(policies)

    def govern(self, policies: Mapping[str, Mapping[str, Any]]) -> None:
        """Put other policies in force from here on."""
        self._registrar = ca.Registrar(
            self.repository,
            policies=self._policies(policies),
            clock=self.clock,
            new_id=lambda: f"made-{next(self._made):05}",
            random_bytes=lambda size: bytes(next(self._lots) for _ in range(size)),
            timeout=timedelta(0),
        )

    @property
    def commits(self) -> list[Any]:
        """The changes that were committed."""
        return self.repository.commits

    def set(self, at: datetime) -> None:
        self.clock.set(at)

    def shake(self, seed: int) -> None:
        """Draw other lots from here on, the same whatever was drawn before."""
        self._lots = _stream(seed)

    def carry_out(self, call: Call) -> Any:
        """Carry *call* out and return what it gives."""
        args, kwargs = self._arguments(call)
        given = getattr(self._registrar, COMMANDS[call.command][0])(*args, **kwargs)
        return tuple(given) if call.command in ITERATING else given

    def ask(self, call: Call) -> Any:
        """Return the decision on *call*."""
        args, kwargs = self._arguments(call)
        return getattr(self._registrar, f"may_{COMMANDS[call.command][0]}")(*args, **kwargs)

    def find(self, query: str, filters: Mapping[str, Any]) -> list[list[Any]]:
        """Return the pages of what a query finds."""
        rest = self.query(query, filters)
        pages = []
        while rest is not None:
            page = self.repository.find(rest)
            pages.append([*page])
            rest = page.next
        return pages

    def query(self, query: str, filters: Mapping[str, Any]) -> Any:
        """Return the query with these filters."""
        kind, names = QUERIES[query]
        given = _renamed(self.build(filters), names)
        if "key_id" in given:
            # Where no key has the code, it is an id that nothing is stored under.
            keys = self.repository.find(ca.KeyQuery(code=given["key_id"]))
            given["key_id"] = next((one.id for one in keys), given["key_id"])
        return kind(**given)

    def view(self, view: str, args: Mapping[str, Any]) -> Any:
        """Return what a view gives."""
        function, names = VIEWS[view]
        return function(self.repository, **_renamed(self.build(args), names))

    def evaluate(
        self, policy: str, settings: Mapping[str, Any], question: str, args: Mapping[str, Any]
    ) -> Any:
        """Return what a policy answers."""
        asked = getattr(self._policy(policy, settings), QUESTIONS[question])
        return asked(**_renamed(self.build(args), ARGUMENTS.get(policy, {})))

    def kept(self, kind: str, id_: str) -> Any:
        """Return the record that is stored under an id."""
        return self.repository.get(RECORDS[kind].present, [id_])[id_]

    def build(self, value: Any) -> Any:  # noqa: C901, PLR0911 - one for each word of the cases
        """Return what *value*, which is written in neutral words, stands for."""
        match value:
            case Rec(kind, fields):
                known = RECORDS[kind].fields
                made = {known[name][0]: self.build(one) for name, one in fields.items()}
                return RECORDS[kind].present(**made)
            case Stored(kind, id_, changes):
                stored = self.kept(kind, self.build(id_))
                known = RECORDS[kind].fields
                as_it_is = {
                    present: getattr(stored, present)
                    for present, _ in known.values()
                    if present not in {known[name][0] for name in changes}
                }
                changed = {known[name][0]: self.build(one) for name, one in changes.items()}
                return RECORDS[kind].present(**as_it_is, **changed)
            case Word("origin", kind):
                return RECORDS[kind].present
            case Word(enum, member):
                return ENUMS[enum](MEMBERS.get((enum, member), member))
            case Months(number):
                return ca.Months(number)
            case Ref(label, position):
                # Where no step made it, the label is an id that nothing is stored under.
                return _id_of(self.results[label], position) if label in self.results else label
            case Once(values):
                return iter([self.build(one) for one in values])
            case Broken(values):
                return _broken([self.build(one) for one in values])
            case dict():
                return {name: self.build(one) for name, one in value.items()}
            case list() | tuple() | set() | frozenset():
                return type(value)(self.build(one) for one in value)
            case _:
                return value

    def _arguments(self, call: Call) -> tuple[list[Any], dict[str, Any]]:
        given = self.build({name: value for name, value in call.args.items() if name != "records"})
        args = [self.build(one) for one in call.args.get("records", ())]
        return args, _renamed(given, COMMANDS[call.command][1])

    def _policies(self, wanted: Mapping[str, Mapping[str, Any]]) -> Any:
        return ca.Policies(
            **{POLICIES[name][0]: self._policy(name, settings) for name, settings in wanted.items()}
        )

    def _policy(self, name: str, settings: Mapping[str, Any]) -> Any:
        _, present, names = POLICIES[name]
        if settings == {"host": True}:
            return _Stubborn(present())
        return present(**{names[one]: self.build(value) for one, value in settings.items()})


class _Stubborn:
    """A policy of a host's own: as the documented one, with one more reason against."""

    def __init__(self, documented: Any) -> None:
        self.documented = documented

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        said = self.documented.evaluate(*args, **kwargs)
        return ca.Decision((*said.reasons, ca.CustomReason("x-closed", "Closed today.")))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.documented, name)


def _id_of(result: Any, position: int) -> str:
    if isinstance(result, ca.AssignmentBatch):
        result = result.created
    if isinstance(result, tuple):
        result = result[position]
    return str(result.id)


def _broken(values: list[Any]) -> Iterator[Any]:
    yield from values
    raise RuntimeError


class _Recording:
    """A repository that remembers what was committed."""

    def __init__(self) -> None:
        self.inner: Any = ca.InMemoryRepository()
        self.commits: list[Any] = []

    def get(self, kind: Any, ids: Iterable[str], /) -> Any:
        return self.inner.get(kind, ids)

    def find(self, query: Any, /) -> Any:
        return self.inner.find(query)

    def commit(self, change: Any, /) -> None:
        self.inner.commit(change)
        self.commits.append(change)


# --- What came of it, in neutral words -----------------------------------------------------------

_KIND_OF = {kind.present: name for name, kind in RECORDS.items()}
_NAMED = {kind.present.__name__: name for name, kind in RECORDS.items()}


def neutral(value: Any, *, is_id: bool = False) -> Any:  # noqa: PLR0911 - one for each kind
    """Return *value* as data, ids marked as such; what is empty is left out of records."""
    match value:
        case None | bool() | int():
            return value.value if isinstance(value, Enum) else value
        case Enum():
            return value.value
        case str():
            return Id(value) if is_id else value
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return f"{value.days} d {value.seconds} s {value.microseconds} us"
        case ca.Months():
            return f"{value.count} months"
        case ca.Decision():
            return decision(value)
        case frozenset() | set():
            return sorted((neutral(one, is_id=is_id) for one in value), key=str)
        case list() | tuple():
            return [neutral(one, is_id=is_id) for one in value]
        case _:
            return _parts(value)


def _parts(value: Any) -> dict[str, Any]:
    name = _KIND_OF[type(value)]
    data = {"is": name}
    for field, (present, ids) in RECORDS[name].fields.items():
        found = neutral(getattr(value, present), is_id=ids)
        if name == "event" and field == "action":
            found = ACTIONS.get(found, found)
        if field == "email" and found.endswith(ANONYMOUS):
            found = [Id(found.removesuffix(ANONYMOUS)), ANONYMOUS]  # derived, as an id is
        if found is not None and found != []:
            data[field] = found
    return data


def reason(one: Any) -> dict[str, Any]:
    """Return a reason as its code and its facts."""
    if isinstance(one, ca.ForAssignment):
        pair = [Id(one.course_id), Id(one.learner_id)]
        return {"pair": pair, "reason": reason(one.reason)}
    code = CODES.get(one.code, one.code)
    facts = {} if isinstance(one, ca.CustomReason) else REASONS[code]
    return {
        "code": code,
        **{
            name: neutral(getattr(one, present), is_id=ids)
            for name, (present, ids) in facts.items()
        },
    }


def decision(one: Any) -> dict[str, Any]:
    """Return a decision as its reasons and the instant at which it turns."""
    return {
        "allowed": one.allowed,
        "reasons": [reason(each) for each in one.reasons],
        "changes_at": neutral(one.changes_at),
    }


def error(raised: Exception) -> dict[str, Any]:
    """Return an error as its kind and its fields, without its sentence."""
    match raised:
        case ca.Refused():
            return {"error": "refused", **decision(raised.decision)}
        case ca.InvalidInput():
            head = raised.field.split("[")[0].split(".")[0]
            path = PATHS.get(head, head) + raised.field[len(head) :]
            code = CODES.get(raised.code, raised.code)
            return {"error": "invalid_input", "code": code, "field": path}
        case ca.NotFound():
            missing = [[_NAMED[one.kind], Id(one.id)] for one in (raised, *raised.also)]
            return {"error": "not_found", "missing": missing}
        case ca.Conflict():
            ids = [one if one.startswith("*") else Id(one) for one in raised.ids]
            return {"error": "conflict", "code": CODES.get(raised.code, raised.code), "ids": ids}
        case _:
            return {"error": "none of ours", "what": repr(raised)}


def change(one: Any) -> dict[str, list[Any]]:
    """Return what was committed, verb by verb; the order within each means nothing."""
    return {
        "create": [neutral(one) for one in one.create if not isinstance(one, ca.Receipt)],
        "replace": [neutral(step.after) for step in one.replace],
        "use": [[Id(step.key.id), step.by] for step in one.use],
        "expect": [neutral(record) for record in one.expect],
    }


def events(one: Any) -> list[Any]:
    """Return the events of a change."""
    return [neutral(event) for event in one.record]


# --- Forms, which may be changed deliberately ----------------------------------------------------


def csv_forms(office: Office) -> dict[str, str]:
    """Return the CSV files of what is stored."""
    lists: dict[str, Iterable[Any]] = {
        "assignments": [one for page in office.find("assignments", {}) for one in page],
        "keys": [one for page in office.find("keys", {}) for one in page],
    }
    bill = office.view("statement", {"start": date(2026, 1, 1), "end": date(2027, 1, 1)})
    lists |= {"lines": bill.lines, "totals": bill.totals}
    options: dict[str, dict[str, Any]] = {
        "plain": {},
        "marked": {"delimiter": ";", "encoding": "utf-8-sig"},
    }
    forms = {
        f"{name} {style}": _csv(records, **given)
        for name, records in lists.items()
        for style, given in options.items()
    }
    every = ["id", "finished", "notes", "origin", "redemption_id", "completion"]
    forms["assignments chosen"] = _csv(lists["assignments"], columns=every)
    own = ca.ExportColumn("Own", lambda one: f"=SUM({one.id})")
    forms["assignments own"] = _csv(lists["assignments"], columns=["id", own])
    return forms


def _csv(records: Iterable[Any], **options: Any) -> str:
    stream = StringIO()
    ca.export_csv(records, stream, **options)
    return stream.getvalue()


def json_forms(office: Office) -> dict[str, list[str]]:
    """Return the JSON of what is stored, kind by kind."""
    seats = [change for commit in office.commits for change in commit.create]
    seats = [one for one in seats if type(one) is RECORDS["seat"].present]
    return {
        **{
            query: [to_json(one) for page in office.find(query, {}) for one in page]
            for query in QUERIES
        },
        "seats": [to_json(one) for one in seats],
    }


def _table_forms(dialect: Any) -> list[str]:
    made: list[Any] = []
    for table in build_tables(MetaData(), prefix="ca_"):
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        made += [CreateTable(table), *map(CreateIndex, indexes)]
    return [str(one.compile(dialect=dialect)) for one in made]


def sql_forms(queries: Mapping[str, tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return the tables in both dialects, and what SQLite is asked for each of *queries*."""
    dialects: dict[str, Any] = {
        "sqlite": sqlite.dialect(),
        "postgresql": postgresql.dialect(),  # type: ignore[no-untyped-call]
    }
    tables = {name: _table_forms(dialect) for name, dialect in dialects.items()}
    asked: list[str] = []
    engine = create_engine("sqlite://", poolclass=StaticPool)
    repository = SqlRepository(engine)
    repository.create_all()

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    selects = {}
    office = Office(datetime.fromisoformat("2026-01-05T09:00:00+00:00"), {})
    for name, (query, filters) in queries.items():
        repository.find(office.query(query, filters))
        selects[name] = asked.copy()
        asked.clear()
    engine.dispose()
    return {"tables": tables, "selects": selects}
