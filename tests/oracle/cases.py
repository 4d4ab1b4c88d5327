"""The cases: situations, and what is tried in each of them, in neutral words."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from tests.oracle.neutral import Broken, Call, Months, Once, Rec, Ref, Situation, Step, Stored, Word

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
ZERO, TICK, MINUTE = timedelta(0), timedelta(microseconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NAIVE = datetime(2026, 2, 1, 9)  # noqa: DTZ001 - naive on purpose

# --- The world -----------------------------------------------------------------------------------


def org(id: str, **fields: Any) -> Rec:
    return Rec("organization", {"id": id, "name": id.title(), **fields})


def course(id: str, **fields: Any) -> Rec:
    ready = {"content_provider": "us", "publishing_group": "all"}
    return Rec("course", {"id": id, "name": id.title(), **ready, **fields})


def user(id: str, organization: str | None = None, **fields: Any) -> Rec:
    email = f"{id}@example.org"
    given = {"id": id, "name": id.title(), "email": email, "organization_id": organization}
    return Rec("user", {**given, **fields})


def staff(id: str, role: str, *managed: str) -> Rec:
    return user(id, roles={Word("role", role)}, managed_organization_ids=set(managed))


def activity(id: str, kind: str, *, required: bool = False) -> Rec:
    kind_word = Word("activity_kind", kind)
    return Rec("activity", {"id": id, "name": id.title(), "kind": kind_word, "required": required})


ACME = org("acme", time_zone="Europe/Berlin", anonymous_registration=True)
BETA = org("beta", maximum_access=90 * DAY)
PY = course("py", activities=(activity("lab", "lab", required=True),))
SQL = course("sql", maximum_access=30 * DAY)
MIX = course(
    "mix",
    activities=(
        activity("film", "video", required=True),
        activity("test", "assessment", required=True),
        activity("extra", "lab"),
    ),
)
NEW = user("new")
WORLD = (
    *(ACME, BETA, org("child", parent_id="acme", maximum_access=Months(2)), PY, SQL, MIX),
    Rec("course", {"id": "draft", "name": "Draft"}),
    course("half", publishing_group=None),
    course("old", archived=True),
    *(user("ada", "acme"), user("bo", "beta"), user("cy"), user("di", "acme"), user("ed", "child")),
    staff("manager", "operations_manager", "acme"),
    staff("sales", "sales_manager", "acme", "beta"),
    staff("trainer", "company_training_manager", "acme"),
    staff("enroller", "enrollment_manager", "beta"),
    staff("support", "support"),
)
ROLES = ("manager", "sales", "trainer", "enroller", "support", "ada", "bo", "nobody")


def call(command: str, **args: Any) -> Call:
    return Call(command, args)


def step(after: timedelta, label: str, command: str, **args: Any) -> Step:
    return Step(after, Call(command, args), label)


# --- Steps ---------------------------------------------------------------------------------------

ASSIGN = step(ZERO, "a", "assign", course_id="py", learner_id="ada", id="a-1")
MIXED = step(ZERO, "a", "assign", course_id="mix", learner_id="ada", id="a-1")
LAUNCH = step(HOUR, "t", "start", assignment_id="a-1", activity_id="lab", id="try-1")
FILM = step(HOUR, "t", "start", assignment_id="a-1", activity_id="film", id="try-1")
PAUSE = step(2 * HOUR, "p", "pause", attempt_id=Ref("t"))
RESUME = step(3 * HOUR, "r", "resume", attempt_id=Ref("t"))
FINISH = step(4 * HOUR, "f", "finish", attempt_id=Ref("t"))
CANCEL = step(5 * HOUR, "c", "cancel", assignment_id="a-1")
CODE, SECOND = "Spring-2026", "Summer-2026"


def keys(**args: Any) -> Step:
    given: dict[str, Any] = {
        "course_id": "py",
        "name": "Spring",
        "organization_id": "acme",
        "availability": 30 * DAY,
        "codes": [CODE, SECOND],
        "id": "b-1",
    }
    return Step(ZERO, Call("create_keys", {**given, **args}), "b")


def redeem(after: timedelta, learner: str = "ada", id: str = "a-1", **args: Any) -> Step:
    return step(after, f"r-{id}", "redeem", code=CODE, learner_id=learner, id=id, **args)


SUBSCRIBE = step(
    *(ZERO, "s", "subscribe"),
    learner_id="ada",
    course_ids=["py", "sql"],
    duration=90 * DAY,
    id="s-1",
)
OPEN = step(HOUR, "o", "open_course", subscription_id="s-1", course_id="py", id="a-1")
OPEN_SQL = step(2 * HOUR, "q", "open_course", subscription_id="s-1", course_id="sql", id="a-2")
BULK = step(
    *(ZERO, "m", "assign_many"),
    course_ids=["py", "sql"],
    learners=["ada", "bo", NEW],
    id="p-1",
)
FULL = (
    *(ASSIGN, LAUNCH, keys(max_uses=2), SUBSCRIBE),
    step(HOUR, "o", "open_course", subscription_id="s-1", course_id="sql", id="a-4"),
    redeem(HOUR, "di", "a-2"),
    step(HOUR, "bo", "assign", course_id="mix", learner_id="bo", id="a-3"),
    step(2 * HOUR, "f", "start", assignment_id="a-3", activity_id="film", id="try-3"),
)
ACCESS = 180 * DAY


def _repeat(value: str) -> Mapping[str, Any]:
    return {"repeat": {"default": Word("repeat", value)}}


_WINDOW = {"redeemable_from": DAY, "redeemable_until": 10 * DAY}
_SEEN = ("assigning", "assignment", "learning")

SITUATIONS: tuple[Situation, ...] = (
    Situation("fresh", ("assigning", "assignment", "keys", "subscription", "records")),
    Situation("full", ("junk", "roles", "queries", "views", "iterators"), FULL, 3 * HOUR),
    # assignments
    Situation("just assigned", _SEEN, (ASSIGN,)),
    Situation("a tick before creation", _SEEN, (ASSIGN,), -TICK),
    Situation("after 24 hours", ("assignment",), (ASSIGN,), DAY),
    Situation("a tick after 24 hours", ("assignment", "roles of cancel"), (ASSIGN,), DAY + TICK),
    Situation("a tick before the end", _SEEN, (ASSIGN,), ACCESS - TICK),
    Situation("at the end", _SEEN, (ASSIGN,), ACCESS),
    Situation("after the end", _SEEN, (ASSIGN,), ACCESS + DAY),
    Situation(
        *("completed", ("assignment", "learning")),
        (ASSIGN, step(HOUR, "c", "complete", assignment_id="a-1")),
        2 * HOUR,
    ),
    Situation("cancelled", _SEEN, (ASSIGN, CANCEL), 6 * HOUR),
    Situation("cancelled, the clock behind", ("assignment",), (ASSIGN, CANCEL), 4 * HOUR),
    Situation(
        *("cancelled by support", ("assignment", "queries")),
        (
            ASSIGN,
            step(
                *(3 * DAY, "c", "cancel"),
                assignment_id="a-1",
                support_reason="moved",
                by="support",
            ),
        ),
        4 * DAY,
    ),
    Situation(
        *("shortened and over", ("assigning", "assignment", "learning")),
        (ASSIGN, step(HOUR, "r", "reschedule", assignment_id="a-1", expires=DAY)),
        2 * DAY,
    ),
    Situation(
        *("over and revived", ("assignment", "learning")),
        (
            *(ASSIGN, step(HOUR, "r", "reschedule", assignment_id="a-1", expires=DAY)),
            step(3 * DAY, "v", "reschedule", assignment_id="a-1", expires=5 * DAY),
        ),
        4 * DAY,
    ),
    Situation(
        *("with a note", ("assigning", "assignment", "queries")),
        (
            step(
                *(ZERO, "a", "assign"),
                course_id="sql",
                learner_id="bo",
                id="a-1",
                note=Rec("note", {"title": "T", "message": "M\nN", "high_importance": True}),
                by="sales",
            ),
        ),
        HOUR,
    ),
    Situation("assigned in bulk", ("assigning", "bulk"), (BULK,), HOUR),
    Situation("assigned in bulk and over", ("bulk",), (BULK,), 400 * DAY),
    Situation(
        *("assigned twice", ("assigning", "assignment", "views")),
        (
            *(ASSIGN, step(HOUR, "b", "assign", course_id="py", learner_id="ada", id="a-2")),
            step(HOUR, "d", "assign", course_id="sql", learner_id="ada", expires=DAY, id="a-3"),
        ),
        2 * HOUR,
    ),
    Situation(
        *("archived later", ("assigning", "assignment", "learning")),
        (
            *(ASSIGN, keys()),
            step(HOUR, "u", "update", record=Stored("course", "py", {"archived": True})),
        ),
        2 * HOUR,
    ),
    Situation(
        *("moved to beta", ("assigning", "assignment", "learning", "roles of cancel")),
        (
            ASSIGN,
            step(HOUR, "u", "update", record=Stored("user", "ada", {"organization_id": "beta"})),
        ),
        2 * HOUR,
    ),
    # learning
    Situation("launched", ("assignment", "learning"), (ASSIGN, LAUNCH), 2 * HOUR),
    Situation("launched, the clock behind", ("learning",), (ASSIGN, LAUNCH), 30 * MINUTE),
    Situation("paused", ("learning",), (ASSIGN, LAUNCH, PAUSE), 3 * HOUR),
    Situation("paused, the clock behind", ("learning",), (ASSIGN, LAUNCH, PAUSE), HOUR),
    Situation("resumed", ("learning",), (ASSIGN, LAUNCH, PAUSE, RESUME), 3 * HOUR + MINUTE),
    Situation("finished", ("assignment", "learning"), (ASSIGN, LAUNCH, FINISH), 5 * HOUR),
    Situation(
        *("retaken", ("learning", "queries")),
        (
            *(ASSIGN, LAUNCH, FINISH),
            step(5 * HOUR, "t", "start", assignment_id="a-1", activity_id="lab", id="try-2"),
        ),
        6 * HOUR,
    ),
    Situation("launched and over", ("learning", "assignment"), (ASSIGN, LAUNCH), ACCESS),
    Situation("paused and over", ("learning",), (ASSIGN, LAUNCH, PAUSE), ACCESS + TICK),
    Situation("film running", ("assignment", "learning"), (MIXED, FILM), 2 * HOUR),
    Situation("film running and cancelled", _SEEN, (MIXED, FILM, CANCEL), 6 * HOUR),
    Situation("film finished", ("assignment", "learning"), (MIXED, FILM, FINISH), 5 * HOUR),
    Situation(
        *("film finished, test running", ("learning",)),
        (
            *(MIXED, FILM, FINISH),
            step(5 * HOUR, "t", "start", assignment_id="a-1", activity_id="test"),
        ),
        6 * HOUR,
    ),
    # keys
    Situation("keys", ("keys", "roles of keys"), (keys(),), HOUR),
    Situation("keys before their window", ("keys",), (keys(**_WINDOW),), DAY - TICK),
    Situation("keys when it opens", ("keys",), (keys(**_WINDOW),), DAY),
    Situation("keys a tick before it closes", ("keys",), (keys(**_WINDOW),), 10 * DAY - TICK),
    Situation("keys when it closes", ("keys",), (keys(**_WINDOW),), 10 * DAY),
    Situation("keys after their window", ("keys",), (keys(**_WINDOW),), 11 * DAY),
    Situation("key used up", ("keys",), (keys(), redeem(HOUR, "di", "a-2")), 2 * HOUR),
    Situation(
        *("key half used", ("keys", "queries")),
        (keys(max_uses=2, name="Äpfel"), redeem(HOUR, "di", "a-2", by="manager")),
        2 * HOUR,
    ),
    Situation(
        *("key used twice", ("keys", "queries")),
        (keys(max_uses=3), redeem(HOUR, "di", "a-2"), redeem(HOUR + TICK)),
        2 * HOUR,
    ),
    Situation(
        *("key revoked", ("keys",)),
        (keys(), step(HOUR, "v", "revoke_key", code=CODE)),
        2 * HOUR,
    ),
    Situation(
        *("all keys revoked", ("keys",)),
        (keys(), step(HOUR, "v", "revoke_keys", batch_id="b-1")),
        2 * HOUR,
    ),
    Situation(
        *("redeemed", ("keys", "assignment", "queries", "views")),
        (keys(max_uses=3), redeem(HOUR)),
        2 * HOUR,
    ),
    Situation("redeemed and over", ("keys",), (keys(max_uses=3), redeem(HOUR)), 40 * DAY),
    Situation(
        *("redeemed and cancelled", ("keys",)), (keys(max_uses=3), redeem(HOUR), CANCEL), 6 * HOUR
    ),
    Situation(
        *("redeemed, cancelled, restored", ("keys", "assignment", "queries")),
        (keys(), redeem(HOUR), CANCEL),
        6 * HOUR,
        {"cancellation": {"restores_key_use": True}},
    ),
    Situation(
        *("redeemed, to be restored", ("assignment", "keys")),
        (keys(), redeem(HOUR)),
        2 * HOUR,
        {"cancellation": {"restores_key_use": True}},
    ),
    Situation(
        *("redeemed again", ("keys", "assignment")),
        (keys(), redeem(HOUR), CANCEL, redeem(6 * HOUR, id="a-2")),
        7 * HOUR,
        {"cancellation": {"restores_key_use": True}},
    ),
    Situation(
        *("redeemed, as often as one likes", ("keys", "assignment")),
        (keys(max_uses=3), redeem(HOUR)),
        2 * HOUR,
        {"redemption": {"once_per_learner": False}},
    ),
    Situation("keys for everyone", ("keys",), (keys(any_organization=True, max_uses=5),), HOUR),
    Situation("keys of beta", ("keys", "roles of keys"), (keys(organization_id="beta"),), HOUR),
    Situation(
        *("keys of a short course", ("keys",)),
        (keys(course_id="sql", availability=Months(7), any_organization=True, max_uses=9),),
        HOUR,
    ),
    Situation(
        *("registered", ("keys", "assignment")),
        (keys(max_uses=2), step(HOUR, "n", "register", code=CODE, user=NEW, id="a-1")),
        2 * HOUR,
    ),
    Situation(
        *("keys added", ("keys", "queries")),
        (
            keys(),
            step(
                HOUR, "m", "add_keys", batch_id="b-1", codes=["Autumn-2026"], generate=2, id="m-1"
            ),
        ),
        2 * HOUR,
    ),
    Situation(
        *("keys edited", ("keys",)),
        (
            keys(**_WINDOW),
            step(
                *(HOUR, "e", "edit_keys"),
                batch_id="b-1",
                redeemable_until=None,
                max_uses=4,
                name="New",
            ),
        ),
        20 * DAY,
    ),
    Situation(
        *("keys of an archived course", ("keys",)),
        (keys(), step(HOUR, "u", "update", record=Stored("course", "py", {"archived": True}))),
        2 * HOUR,
    ),
    Situation(
        *("keys where nobody may register", ("keys",)),
        (
            keys(),
            step(
                *(HOUR, "u", "update"),
                record=Stored("organization", "acme", {"anonymous_registration": False}),
            ),
        ),
        2 * HOUR,
    ),
    # subscriptions
    Situation("subscribed", ("subscription", "roles of subscription"), (SUBSCRIBE,), HOUR),
    Situation("a tick before the subscription", ("subscription",), (SUBSCRIBE,), -TICK),
    Situation("subscribed 24 hours ago", ("subscription",), (SUBSCRIBE,), DAY),
    Situation("subscribed before that", ("subscription",), (SUBSCRIBE,), DAY + TICK),
    Situation(
        "opened", ("subscription", "assignment", "queries"), (SUBSCRIBE, OPEN, OPEN_SQL), 3 * HOUR
    ),
    Situation(
        "opened and launched",
        ("subscription",),
        (
            SUBSCRIBE,
            OPEN,
            OPEN_SQL,
            step(2 * HOUR, "t", "start", assignment_id="a-1", activity_id="lab"),
        ),
        3 * HOUR,
    ),
    Situation("opened and cancelled", ("subscription",), (SUBSCRIBE, OPEN, CANCEL), 6 * HOUR),
    Situation(
        *("opened and over", ("subscription", "assignment")),
        (SUBSCRIBE, OPEN, step(2 * HOUR, "r", "reschedule", assignment_id="a-1", expires=HOUR)),
        4 * HOUR,
    ),
    Situation("subscription nearly over", ("subscription",), (SUBSCRIBE, OPEN), 90 * DAY - TICK),
    Situation("subscription over", ("subscription",), (SUBSCRIBE, OPEN), 90 * DAY),
    Situation(
        *("subscription cancelled", ("subscription", "assignment")),
        (SUBSCRIBE, OPEN, step(2 * HOUR, "c", "cancel_subscription", subscription_id="s-1")),
        3 * HOUR,
    ),
    Situation(
        *("subscription edited", ("subscription", "queries")),
        (
            *(SUBSCRIBE, OPEN),
            step(2 * HOUR, "e", "edit_subscription", subscription_id="s-1", course_ids=["mix"]),
        ),
        3 * HOUR,
    ),
    # records
    Situation(
        *("anonymised", ("records", "assigning", "assignment")),
        (ASSIGN, step(HOUR, "x", "anonymise", user_id="ada")),
        2 * HOUR,
    ),
    # policies
    Situation(
        *("long window", ("assignment", "subscription")),
        (ASSIGN, SUBSCRIBE),
        14 * DAY,
        {"cancellation": {"window": 14 * DAY}},
    ),
    Situation(
        *("past the long window", ("assignment", "subscription")),
        (ASSIGN, SUBSCRIBE),
        14 * DAY + TICK,
        {"cancellation": {"window": 14 * DAY}},
    ),
    Situation(
        *("short access", ("assigning", "assignment", "keys", "subscription")),
        (ASSIGN, keys(), SUBSCRIBE),
        HOUR,
        {"expiration": {"maximum": 20 * DAY, "default": Months(1)}},
    ),
    Situation(
        *("default access", ("assigning", "assignment")),
        (ASSIGN,),
        HOUR,
        {"expiration": {"maximum": Months(6), "default": Months(1)}},
    ),
    Situation(*("skipping", ("assigning", "bulk")), (ASSIGN,), HOUR, _repeat("skip")),
    Situation(*("refusing", ("assigning", "bulk")), (ASSIGN,), HOUR, _repeat("refuse")),
    Situation(*("refusing, over", ("assigning", "bulk")), (ASSIGN,), ACCESS, _repeat("refuse")),
    Situation(
        *("skipped in bulk", ("assigning", "bulk")),
        (ASSIGN, BULK),
        HOUR,
        _repeat("skip"),
    ),
    Situation(
        *("other roles", ("roles",)),
        FULL,
        3 * HOUR,
        {
            "authorization": {
                "assigning": (Word("role", "enrollment_manager"),),
                "keys": (Word("role", "sales_manager"), Word("role", "support")),
                "support": (Word("role", "operations_manager"),),
            }
        },
    ),
)

#: The policies that a host may put its own in the place of.
HOSTED = (
    *("cancellation", "expiration", "reschedule", "completion", "access", "attempt", "finish"),
    *("subscription", "redemption", "registration", "availability", "repeat", "authorization"),
)

SITUATIONS = (
    *SITUATIONS,
    *(
        Situation(f"the host on {name}", ("host",), FULL, 3 * HOUR, later={name: {"host": True}})
        for name in HOSTED
    ),
)

# --- What is tried: by themes --------------------------------------------------------------------

#: Arguments with which each command is allowed in the situation "full".
GOOD: Mapping[str, Mapping[str, Any]] = {
    "add": {"records": (NEW,)},
    "update": {"record": Stored("user", "ada", {"name": "Ada L."})},
    "anonymise": {"user_id": "ada"},
    "assign": {
        "course_id": "py",
        "learner_id": "ada",
        "expires": 10 * DAY,
        "note": Rec("note", {"title": "T", "message": "M"}),
        "repeat": Word("repeat", "allow"),
        "id": "a-9",
    },
    "assign_many": {
        "course_ids": ["py", "sql"],
        "learners": ["ada", "di", NEW],
        "expires": 10 * DAY,
        "note": None,
        "repeat": Word("repeat", "skip"),
        "id": "p-9",
    },
    "cancel": {"assignment_id": "a-2", "support_reason": None},
    "reschedule": {"assignment_id": "a-1", "expires": 20 * DAY},
    "complete": {"assignment_id": "a-1"},
    "start": {"assignment_id": "a-2", "activity_id": "lab", "id": "try-9"},
    "pause": {"attempt_id": Ref("t")},
    "resume": {"attempt_id": Ref("t")},
    "finish": {"attempt_id": Ref("t")},
    "create_keys": {
        "course_id": "py",
        "name": "More",
        "organization_id": "acme",
        "availability": Months(1),
        "redeemable_from": DAY,
        "redeemable_until": date(2026, 2, 1),
        "max_uses": 3,
        "any_organization": True,
        "codes": ["Winter-2026"],
        "generate": 1,
        "id": "b-9",
    },
    "add_keys": {"batch_id": "b-1", "codes": ["Winter-2026"], "generate": 1, "id": "m-9"},
    "edit_keys": {
        "batch_id": "b-1",
        "name": "Other",
        "redeemable_from": HOUR,
        "redeemable_until": 30 * DAY,
        "max_uses": 5,
        "availability": 7 * DAY,
        "any_organization": True,
    },
    "revoke_key": {"code": CODE},
    "revoke_keys": {"batch_id": "b-1"},
    "keys": {"batch_id": "b-1"},
    "redeem": {"code": CODE, "learner_id": "ada", "id": "a-9"},
    "register": {"code": CODE, "user": NEW, "id": "a-9"},
    "subscribe": {
        "learner_id": "ada",
        "course_ids": ["py", "mix"],
        "duration": Months(3),
        "id": "s-9",
    },
    "edit_subscription": {"subscription_id": "s-1", "course_ids": ["py", "mix"]},
    "cancel_subscription": {"subscription_id": "s-1", "support_reason": None},
    "open_course": {"subscription_id": "s-1", "course_id": "py", "id": "a-9"},
}

_TEXTS: tuple[Any, ...] = (None, 5, b"py", "", "  ", "\ud800", "a\x00b", ["py"])
_IDS = (*_TEXTS, "x" * 200, "x" * 201, "unknown", " py ", "p\ny")
_LISTS: tuple[Any, ...] = (
    None,
    7,
    "py",
    [],
    [5],
    ["py", ""],
    ["py", "unknown", "none"],
    ["py", "py"],
    Once(()),
)
_COUNTS: tuple[Any, ...] = (None, True, 0, -1, 1, 2**31, 2**31 - 1, 1.0, "3")
_FLAGS: tuple[Any, ...] = (None, 1, "yes", False)
_ENDS: tuple[Any, ...] = (
    *(None, NAIVE, "2026-02-01", 5, True, ZERO, -DAY, TICK, 40_000 * DAY, timedelta.max),
    *(Months(1), Months(0), Months(1.0), Months(1200), date(2026, 1, 5), date(2026, 1, 6)),
    *(date(2026, 7, 4), date(9999, 12, 31), datetime(9999, 12, 31, tzinfo=UTC)),
    *(START, START + 3 * HOUR, START + 3 * HOUR + TICK, START + 180 * DAY),
    *(START + 180 * DAY + 3 * HOUR, START + 180 * DAY + 3 * HOUR + TICK),
    *(relativedelta(months=1), relativedelta(months=7), relativedelta(years=1, days=1)),
    *(relativedelta(day=1), START - DAY),
)
_USERS = (
    *(None, "ada", 5, PY, user("new", "unknown"), user("new", "beta"), user("new", "acme")),
    *(staff("new", "support"), user("new", managed_organization_ids={"acme"})),
    *(user("new", email="ADA@example.org"), user("ada"), user("ada", "acme"), user("", "acme")),
    user("new", email="no address"),
)

#: What is put in the place of an argument.
JUNK: Mapping[str, tuple[Any, ...]] = {
    **dict.fromkeys(
        (
            *("course_id", "learner_id", "assignment_id", "activity_id", "attempt_id"),
            *("batch_id", "organization_id", "subscription_id", "user_id", "id", "by"),
        ),
        _IDS,
    ),
    "course_ids": _LISTS,
    "learners": (
        *_LISTS,
        *([one] for one in _USERS),
        [NEW, NEW.but(name="Another")],
        [NEW, NEW],
        [NEW, user("newer", email="NEW@example.org")],
        ["new", NEW],
    ),
    "expires": _ENDS,
    "redeemable_from": _ENDS,
    "redeemable_until": _ENDS,
    "availability": _ENDS,
    "duration": _ENDS,
    "note": ("a note", 5, Rec("note", {"title": " ", "message": "M"}), PY),
    "repeat": ("skip", 5, None, Word("repeat", "refuse")),
    "support_reason": ("", "  ", 5, "moved", "x" * 10_000, "x" * 10_001, "two\nlines", "\x00"),
    "name": (*_TEXTS, "x" * 500, "x" * 501),
    "max_uses": _COUNTS,
    "any_organization": _FLAGS,
    "generate": (*_COUNTS[:5], 3, "3", 2.0, 100_001, 2**31),
    "codes": (
        *(None, 7, CODE, [], [5], [""], ["", "  "], ["short"], ["x" * 64], ["x" * 65]),
        *(["ünïcödes"], ["with\ttab1"], [CODE], [" Winter-2026 ", "", "Winter-2026"]),
        *(["Winter-2026", SECOND, CODE], ["0000-0000-0000-0000-0"], ["0000-0000-0000-0000-1"]),
        ["two words"],
    ),
    "code": (
        *(None, 5, b"x", "", "  ", "short", "x" * 65, "x" * 1000, "unknown-1", "ünïcödes"),
        *(
            CODE.upper(),
            f" {CODE} ",
            "0000-0000-0000-0000-1",
            "0000-0000-0000-0000-0",
            "\ud800" * 9,
        ),
        SECOND,
    ),
    "user": _USERS,
    "record": (
        *(None, "ada", Rec("direct"), NEW, PY, PY.but(name="Other"), ACME.but(name="Other")),
        *(ACME.but(parent_id="acme"), ACME.but(parent_id="unknown"), ACME.but(parent_id="child")),
        *(BETA.but(maximum_access=None), BETA.but(time_zone="Nowhere"), user("ada", "beta")),
        *(user("ada", "unknown"), user("ada", "acme", email="BO@example.org"), user("ada", "acme")),
        staff("ada", "support"),
        Stored("user", "manager", {"managed_organization_ids": {"acme", "unknown"}}),
        Stored("assignment", "a-1", {}),
    ),
    "records": (
        *((), (None,), ("ada",), (NEW, NEW), (NEW, NEW.but(name="Other")), (user("ada", "acme"),)),
        *((user("ada"),), (user("newer", email="ADA@example.org"),), (PY, SQL), (PY, NEW)),
        (NEW, user("newer", email="NEW@example.org")),
        (user("new", "fresh"), org("fresh")),
        (user("new", "unknown"),),
        (org("fresh", parent_id="unknown"),),
        (org("fresh", parent_id="acme"), course("rust")),
        (Stored("assignment", "a-1", {}),),
        ([NEW],),
    ),
}


def junk() -> Iterator[tuple[str, Call]]:
    for command, good in GOOD.items():
        yield f"{command} as it is", Call(command, good)
        for name in (*good, "by"):
            for number, value in enumerate(JUNK[name]):
                args = {**good, name: value}
                yield f"{command} {name} {number:02} {_shown(value)}", Call(command, args)


def _shown(value: Any) -> str:
    text = value.kind if isinstance(value, Rec | Stored) else ascii(value)
    return text if len(text) <= 24 else f"{text[:20]}..."


def roles() -> Iterator[tuple[str, Call]]:
    for command, good in GOOD.items():
        for by in ROLES:
            yield f"{command} by {by}", Call(command, {**good, "by": by})


def host() -> Iterator[tuple[str, Call]]:
    for command, good in GOOD.items():
        for by in (None, "manager", "ada"):
            yield f"{command} by {by}", Call(command, {**good, "by": by})
    because = {"support_reason": "moved", "by": "support"}
    yield "cancel because", call("cancel", assignment_id="a-2", **because)
    yield (
        "cancel_subscription because",
        call("cancel_subscription", subscription_id="s-1", **because),
    )
    yield (
        "assign refusing",
        call(*("assign",), course_id="py", learner_id="ada", repeat=Word("repeat", "refuse")),
    )


def roles_of_cancel() -> Iterator[tuple[str, Call]]:
    for by in ROLES:
        for why in (None, "moved"):
            yield (
                f"cancel by {by} because {why}",
                call("cancel", assignment_id="a-1", support_reason=why, by=by),
            )
        yield f"assign by {by}", call("assign", course_id="py", learner_id="ada", by=by)
        yield f"start by {by}", call("start", assignment_id="a-1", activity_id="lab", by=by)


def roles_of_keys() -> Iterator[tuple[str, Call]]:
    for command in ("create_keys", "add_keys", "edit_keys", "revoke_key", "revoke_keys", "keys"):
        for by in ROLES:
            yield f"{command} by {by}", Call(command, {**GOOD[command], "by": by})
    for by in ROLES:
        yield f"redeem by {by}", call("redeem", code=CODE, learner_id="ada", by=by)
        yield f"register by {by}", call("register", code=CODE, user=NEW, by=by)


def roles_of_subscription() -> Iterator[tuple[str, Call]]:
    for command in ("subscribe", "edit_subscription", "cancel_subscription", "open_course"):
        for by in ROLES:
            yield f"{command} by {by}", Call(command, {**GOOD[command], "by": by})


def iterators() -> Iterator[tuple[str, Call]]:
    yield "assign_many once", call("assign_many", course_ids=Once(("py",)), learners=Once(("bo",)))
    yield "assign_many broken", call("assign_many", course_ids=Broken(("py",)), learners=["bo"])
    yield "assign_many broken too", call("assign_many", course_ids=["py"], learners=Broken(("bo",)))
    yield (
        "subscribe once",
        call("subscribe", learner_id="bo", course_ids=Once(("py",)), duration=DAY),
    )
    yield "edit once", call("edit_subscription", subscription_id="s-1", course_ids=Once(("mix",)))
    yield "add_keys once", call("add_keys", batch_id="b-1", codes=Once(("Winter-2026",)))
    yield "add_keys broken", call("add_keys", batch_id="b-1", codes=Broken(("Winter-2026",)))


def assigning() -> Iterator[tuple[str, Call]]:
    def one(name: str, course_id: str = "py", learner: str = "ada", **args: Any) -> Any:
        return f"assign {name}", call("assign", course_id=course_id, learner_id=learner, **args)

    yield one("")
    yield one("under an id", id="a-9")
    yield one("again", id="a-1")
    yield one("another learner under the id", learner="bo", id="a-1")
    yield one("another course under the id", "sql", id="a-1")
    for repeat in ("allow", "skip", "refuse"):
        yield one(repeat, repeat=Word("repeat", repeat))
        yield one(f"{repeat} sql", "sql", repeat=Word("repeat", repeat), id="a-9")
    for name in ("sql", "draft", "half", "old", "unknown"):
        yield one(f"of {name}", name)
    for learner in ("bo", "cy", "ed", "unknown"):
        yield one(f"to {learner}", learner=learner)
    yield one("draft refused for two things", "draft", expires=-DAY, by="ada")
    yield one("for a day", expires=DAY)
    yield one("for too long", expires=181 * DAY)
    yield one("for too long in beta", learner="bo", expires=Months(4))
    yield one("for as long as it can", expires=180 * DAY)
    yield one("by the manager", by="manager")
    yield one("by themself", by="ada")


def bulk() -> Iterator[tuple[str, Call]]:
    def many(name: str, courses: Any = ("py", "sql"), learners: Any = ("ada", "bo"), **args: Any):  # type: ignore[no-untyped-def]  # noqa: ANN202
        given = {"course_ids": [*courses], "learners": [*learners], **args}
        return f"assign_many {name}", Call("assign_many", given)

    skip, refuse = Word("repeat", "skip"), Word("repeat", "refuse")
    yield many("")
    yield many("skipping", repeat=skip)
    yield many("refusing", repeat=refuse)
    yield many("skipping under an id", repeat=skip, id="p-9")
    yield many("again", learners=("ada", "bo", NEW), id="p-1")
    yield many("again, named", learners=("ada", "bo", "new"), id="p-1")
    yield many("again, turned round", ("sql", "py"), ("new", "bo", "ada"), id="p-1")
    yield many("again, fewer", ("py",), ("ada",), id="p-1")
    yield many("again, more", learners=("ada", "bo", "cy"), id="p-1")
    yield many("again, more, skipping", learners=("ada", "bo", "cy"), id="p-1", repeat=skip)
    yield many("of what cannot be had", ("py", "draft", "old"), ("ada", "bo"), expires=100 * DAY)
    yield many("to unknown ones", ("py", "none"), ("ada", "nobody", user("new", "nowhere")))
    yield many("by the manager", by="manager")
    yield many("by sales", by="sales")
    yield many("by sales with a newcomer", learners=("ada", user("newest", "beta")), by="sales")
    yield many("by sales with a stranger", learners=("ada", user("newest")), by="sales")
    yield many("of one", ("py",), ("cy",))


def assignment() -> Iterator[tuple[str, Call]]:
    def one(name: str, command: str, **args: Any) -> Any:
        return f"{command} {name}", Call(command, {"assignment_id": "a-1", **args})

    yield one("", "cancel")
    yield one("by the manager", "cancel", by="manager")
    yield one("because", "cancel", support_reason="moved")
    yield one("because, by support", "cancel", support_reason="moved", by="support")
    yield one("by support", "cancel", by="support")
    yield one("because, by the manager", "cancel", support_reason="moved", by="manager")
    yield one("by themself", "cancel", by="ada")
    ends: tuple[Any, ...] = (
        *(ZERO, TICK, DAY, -TICK, 180 * DAY, 90 * DAY, Months(2), date(2026, 2, 1)),
        *(START, START + HOUR, START + 30 * DAY, START + 180 * DAY, START + 180 * DAY + TICK),
        START + 90 * DAY + TICK,
    )
    for number, expires in enumerate(ends):
        yield one(f"{number:02} to {_shown(expires)}", "reschedule", expires=expires)
    yield one("by the manager", "reschedule", expires=DAY, by="manager")
    yield one("by themself", "reschedule", expires=DAY, by="ada")
    yield one("", "complete")
    for by in ("ada", "manager", "bo", "support"):
        yield one(f"by {by}", "complete", by=by)


def learning() -> Iterator[tuple[str, Call]]:
    for name in ("lab", "film", "test", "extra", "nothing"):
        yield f"start {name}", call("start", assignment_id="a-1", activity_id=name)
        again = call("start", assignment_id="a-1", activity_id=name, id="try-1")
        yield f"start {name} again", again
    new = call("start", assignment_id="a-1", activity_id="lab", id="try-9")
    yield "start lab under an id", new
    for by in ("ada", "bo", "manager", "support"):
        yield f"start by {by}", Call("start", {**new.args, "by": by})
    for command in ("pause", "resume", "finish"):
        yield command, call(command, attempt_id=Ref("t"))
        for by in ("ada", "bo", "manager"):
            yield f"{command} by {by}", call(command, attempt_id=Ref("t"), by=by)


def key_calls() -> Iterator[tuple[str, Call]]:
    for learner in ("ada", "bo", "cy", "di", "ed", "nobody"):
        yield f"redeem {learner}", call("redeem", code=CODE, learner_id=learner)
    yield "redeem again", call("redeem", code=CODE, learner_id="ada", id="a-1")
    yield "redeem another key again", call("redeem", code=SECOND, learner_id="ada", id="a-1")
    yield "redeem for another again", call("redeem", code=CODE, learner_id="di", id="a-1")
    yield "redeem under an id", call("redeem", code=f" {CODE}", learner_id="ada", id="a-9")
    yield "redeem the second", call("redeem", code=SECOND, learner_id="ada")
    for by in ("ada", "bo", "manager"):
        yield f"redeem by {by}", call("redeem", code=CODE, learner_id="ada", by=by)
    yield "register", call("register", code=CODE, user=NEW)
    yield "register again", call("register", code=CODE, user=NEW, id="a-1")
    yield "register another again", call("register", code=CODE, user=NEW.but(id="newer"), id="a-1")
    yield "register beta", call("register", code=CODE, user=user("new", "beta"), id="a-9")
    yield (
        "register address taken",
        call("register", code=CODE, user=NEW.but(email="ada@example.org")),
    )
    yield "register id taken", call("register", code=CODE, user=NEW.but(id="ada"))
    yield "register by the manager", call("register", code=CODE, user=NEW, by="manager")
    yield "revoke_key", call("revoke_key", code=CODE)
    yield "revoke_keys", call("revoke_keys", batch_id="b-1")
    yield "keys", call("keys", batch_id="b-1")
    yield "keys by the manager", call("keys", batch_id="b-1", by="manager")
    yield "edit_keys nothing", call("edit_keys", batch_id="b-1")
    for name, value in (
        *(("name", "Other"), ("name", "Spring"), ("max_uses", None), ("max_uses", 1)),
        *(("max_uses", 4), ("redeemable_from", None), ("redeemable_from", 20 * DAY)),
        *(("redeemable_until", None), ("redeemable_until", DAY), ("redeemable_until", -DAY)),
        *(("availability", DAY), ("any_organization", True), ("any_organization", False)),
    ):
        yield f"edit_keys {name} {value}", Call("edit_keys", {"batch_id": "b-1", name: value})
    yield "add_keys", call("add_keys", batch_id="b-1", codes=["Winter-2026"], id="m-9")
    yield "add_keys taken", call("add_keys", batch_id="b-1", codes=["Winter-2026", "", CODE])
    again: dict[str, Any] = {"batch_id": "b-1", "codes": ["Autumn-2026"], "generate": 2}
    yield "add_keys again", call("add_keys", **again, id="m-1")
    yield "add_keys otherwise", call("add_keys", **{**again, "generate": 3}, id="m-1")
    yield "add_keys drawn", call("add_keys", batch_id="b-1", generate=2)
    yield "create_keys again", keys().call
    yield "create_keys otherwise", keys(course_id="sql").call
    yield "create_keys drawn", keys(codes=(), generate=2, id="b-9").call
    yield "create_keys taken", keys(codes=["Winter-2026", CODE], id="b-9").call
    for name in ("draft", "old", "unknown"):
        yield f"create_keys of {name}", keys(course_id=name, codes=["Winter-2026"], id="b-9").call


def subscription() -> Iterator[tuple[str, Call]]:
    again = SUBSCRIBE.call
    yield "subscribe again", again
    for name, value in (
        *(("learner_id", "bo"), ("course_ids", ["py"]), ("course_ids", ["sql", "py"])),
        *(("duration", DAY), ("id", "s-9"), ("id", None)),
    ):
        yield f"subscribe {name} {value}", Call("subscribe", {**again.args, name: value})
    for duration in (Months(6), 400 * DAY, TICK):
        args = {**again.args, "duration": duration, "id": "s-9"}
        yield f"subscribe for {duration}", Call("subscribe", args)
    for names in (["py", "draft"], ["old"], ["none", "py", "nothing"]):
        args = {**again.args, "course_ids": names, "id": "s-9"}
        yield f"subscribe to {names}", Call("subscribe", args)
    for names in (["py"], ["py", "sql"], ["sql", "py"], ["mix"], ["draft"], ["py", "old"]):
        edit = call("edit_subscription", subscription_id="s-1", course_ids=names)
        yield f"edit_subscription to {names}", edit
    for by, why in (
        *((None, None), ("manager", None), (None, "moved"), ("support", "moved")),
        *(("support", None), ("ada", None)),
    ):
        cancel = call("cancel_subscription", subscription_id="s-1", support_reason=why, by=by)
        yield f"cancel_subscription by {by} because {why}", cancel
    for name in ("py", "sql", "mix", "unknown"):
        yield f"open {name}", call("open_course", subscription_id="s-1", course_id=name)
        under = call("open_course", subscription_id="s-1", course_id=name, id="a-1")
        yield f"open {name} under a taken id", under
        free = call("open_course", subscription_id="s-1", course_id=name, id="a-9")
        yield f"open {name} under a free id", free
    for by in ("ada", "bo", "manager"):
        yield f"open by {by}", call("open_course", subscription_id="s-1", course_id="py", by=by)


def records() -> Iterator[tuple[str, Call]]:
    for number, given in enumerate(JUNK["records"]):
        if not any(isinstance(one, Stored) for one in given):
            for by in (None, "manager"):
                yield f"add {number:02} by {by}", call("add", records=given, by=by)
    for number, one in enumerate(JUNK["record"]):
        if not isinstance(one, Stored):
            for by in (None, "manager"):
                yield f"update {number:02} by {by}", call("update", record=one, by=by)
    for who in ("ada", "manager", "unknown"):
        for by in (None, "manager", "support", "ada"):
            yield f"anonymise {who} by {by}", call("anonymise", user_id=who, by=by)


THEMES = {
    "junk": junk,
    "roles": roles,
    "host": host,
    "roles of cancel": roles_of_cancel,
    "roles of keys": roles_of_keys,
    "roles of subscription": roles_of_subscription,
    "iterators": iterators,
    "assigning": assigning,
    "bulk": bulk,
    "assignment": assignment,
    "learning": learning,
    "keys": key_calls,
    "subscription": subscription,
    "records": records,
}


def calls(situation: Situation) -> Iterator[tuple[str, Call]]:
    """Go through what is tried in *situation*, each under a name of its own."""
    for theme in situation.themes:
        if theme in THEMES:
            for name, one in THEMES[theme]():
                yield f"{theme}: {name}", one


# --- Queries and views ---------------------------------------------------------------------------

_QUERIES: tuple[tuple[str, Mapping[str, Any]], ...] = (
    *(("organizations", {}), ("organizations", {"name": "AC"})),
    *(("organizations", {"parent_id": "acme"}), ("organizations", {"limit": 1})),
    *(("courses", {}), ("courses", {"archived": True}), ("courses", {"archived": False})),
    *(("courses", {"name": "q"}), ("courses", {"limit": 2})),
    *(("users", {}), ("users", {"email": "ADA@example.org"}), ("users", {"name": "A"})),
    *(("users", {"organization_id": "acme"}), ("users", {"limit": 3})),
    *(("users", {"email": 5}), ("users", {"limit": 0}), ("users", {"limit": True})),
    *(("users", {"cursor": "x"}), ("users", {"limit": 10_001}), ("users", {"name": ""})),
    *(
        ("assignments", {}),
        ("assignments", {"learner_id": "ada"}),
        ("assignments", {"limit": 1}),
    ),
    *(("assignments", {"course_id": "sql"}), ("assignments", {"organization_id": "acme"})),
    *(
        ("assignments", {"status": Word("status", one), "at": START + 2 * HOUR})
        for one in ("scheduled", "active", "expired", "cancelled")
    ),
    ("assignments", {"status": Word("status", "active")}),
    ("assignments", {"at": START}),
    *(("assignments", {"completion": Word("completion", one)}) for one in (0, 10, 30)),
    ("assignments", {"completion": [Word("completion", 0), Word("completion", 30)]}),
    *(
        ("assignments", {"origin": Word("origin", one)})
        for one in ("direct", "from_key", "from_subscription")
    ),
    *(("assignments", {"batch_id": "b-1"}), ("assignments", {"subscription_id": "s-1"})),
    ("assignments", {"created_from": START + HOUR, "created_until": START + 2 * HOUR}),
    ("assignments", {"created_from": START, "created_until": START}),
    ("assignments", {"started_from": START, "started_until": START + HOUR + TICK}),
    ("assignments", {"completed_from": START}),
    ("assignments", {"completed_until": START + DAY}),
    ("assignments", {"expires_from": START + 90 * DAY}),
    ("assignments", {"expires_until": NAIVE}),
    *(("attempts", {}), ("attempts", {"assignment_id": "a-1"})),
    ("attempts", {"assignment_id": "a-1", "activity_id": "lab", "limit": 1}),
    *(("subscriptions", {}), ("subscriptions", {"learner_id": "ada"})),
    ("subscriptions", {"organization_id": "acme", "expires_until": START + 90 * DAY}),
    ("subscriptions", {"created_from": START, "expires_from": START + 90 * DAY}),
    *(("batches", {}), ("batches", {"course_id": "py", "organization_id": "acme"})),
    *(("batches", {"name": "ÄP"}), ("batches", {"created_until": START})),
    ("batches", {"redeemable_from": START, "redeemable_until": START + DAY}),
    *(("keys", {}), ("keys", {"batch_ids": ["b-1"]}), ("keys", {"batch_ids": []})),
    *(("keys", {"code": CODE}), ("keys", {"redeemed": True}), ("keys", {"redeemed": False})),
    *(("keys", {"usable": True}), ("keys", {"usable": False, "limit": 1})),
    *(("redemptions", {}), ("redemptions", {"code": CODE, "learner_id": "ada"})),
    *(("redemptions", {"learner_id": "di"}), ("events", {}), ("events", {"limit": 2})),
    *(("events", {"after": 2}), ("events", {"after": -1})),
)
QUERIES = {f"{query} {filters or 'all'}": (query, filters) for query, filters in _QUERIES}

_VIEWS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    *(
        (view, {"learner_id": learner, "at": START + after})
        for view in ("dashboard", "current_training", "transcript")
        for learner in ("ada", "bo", "di", "nobody")
        for after in (-TICK, 2 * HOUR, 31 * DAY)
    ),
    ("dashboard", {"learner_id": "ada", "at": NAIVE}),
    ("expiring", {"at": START, "within": Months(6)}),
    ("expiring", {"at": START, "within": 30 * DAY, "learner_id": "ada"}),
    ("expiring", {"at": START, "within": 180 * DAY, "organization_id": "acme"}),
    ("expiring", {"at": START, "within": 180 * DAY + HOUR + TICK, "course_id": "py"}),
    ("statement", {"start": date(2026, 1, 1), "end": date(2026, 2, 1)}),
    ("statement", {"start": START, "end": START + HOUR, "organization_id": "acme"}),
    ("statement", {"start": START, "end": START + HOUR, "organization_id": "none"}),
    ("statement", {"start": START, "end": START}),
)
VIEWS = {f"{view} {number}": (view, args) for number, (view, args) in enumerate(_VIEWS)}

# --- Policies ------------------------------------------------------------------------------------

_A = Rec(
    "assignment",
    {
        "id": "a-1",
        "learner_id": "ada",
        "course_id": "py",
        "organization_id": "acme",
        "created_at": START,
        "expires_at": START + 30 * DAY,
        "limited_by": Word("limit", "request"),
        "origin": Rec("direct"),
    },
)
_BATCH = Rec(
    "batch",
    {
        "id": "b-1",
        "name": "Spring",
        "course_id": "py",
        "organization_id": "acme",
        "created_at": START,
        "redeemable_from": START + DAY,
        "redeemable_until": START + 10 * DAY,
        "max_uses": 2,
        "availability": DAY,
        "size": 1,
    },
)
_KEY = Rec("key", {"id": "k-1", "code": CODE, "batch_id": "b-1", "max_uses": 2})
_SUBSCRIPTION = Rec(
    "subscription",
    {
        "id": "s-1",
        "learner_id": "ada",
        "organization_id": "acme",
        "course_ids": ["py"],
        "created_at": START,
        "expires_at": START + 90 * DAY,
    },
)
_REDEMPTION = Rec(
    "redemption",
    {
        "id": "r-1",
        "key_id": "k-1",
        "batch_id": "b-1",
        "learner_id": "ada",
        "assignment_id": "a-1",
        "redeemed_at": START + DAY,
    },
)
_ATTEMPT = Rec(
    "attempt",
    {
        "id": "t-1",
        "assignment_id": "a-1",
        "activity_id": "lab",
        "number": 1,
        "started_at": START,
    },
)
_ADA, _BO = user("ada", "acme"), user("bo", "beta")


def _around(instant: timedelta, field: str = "at") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, shift in (("before", -TICK), ("at", ZERO), ("after", TICK)):
        yield name, {field: START + instant + shift}


#: Policy, settings, question, arguments, and the instants around which it is asked.
_ASKED: tuple[tuple[str, Mapping[str, Any], str, Mapping[str, Any], tuple[timedelta, ...]], ...] = (
    ("cancellation", {}, "evaluate", {"assignment": _A}, (ZERO, DAY)),
    ("cancellation", {}, "evaluate", {"assignment": _A, "support": True}, (ZERO, DAY)),
    ("cancellation", {"window": 14 * DAY}, "evaluate", {"assignment": _A}, (14 * DAY,)),
    *(
        (
            "cancellation",
            {},
            "evaluate",
            {"assignment": _A.but(**{name: START + HOUR})},
            (HOUR, DAY),
        )
        for name in ("cancelled_at", "first_lab_launched_at", "started_at", "completed_at")
    ),
    ("access", {}, "evaluate", {"assignment": _A}, (ZERO, 30 * DAY)),
    ("access", {}, "evaluate", {"assignment": _A.but(cancelled_at=START + DAY)}, (DAY, 30 * DAY)),
    ("access", {}, "evaluate", {"assignment": _A.but(completed_at=START + DAY)}, (DAY,)),
    ("finish", {}, "evaluate", {"assignment": _A}, (ZERO, 30 * DAY)),
    ("finish", {}, "evaluate", {"assignment": _A.but(cancelled_at=START + DAY)}, (DAY,)),
    ("completion", {}, "evaluate", {"assignment": _A}, (ZERO, 30 * DAY)),
    ("completion", {}, "evaluate", {"assignment": _A.but(completed_at=START + DAY)}, (ZERO, DAY)),
    ("completion", {}, "evaluate", {"assignment": _A.but(cancelled_at=START + DAY)}, (DAY,)),
    *(
        ("reschedule", {}, "evaluate", {"assignment": one, "expires_at": START + end}, (ZERO, HOUR))
        for one in (_A, _A.but(cancelled_at=START + DAY))
        for end in (-HOUR, HOUR, DAY)
    ),
    *(
        ("attempt", {}, "evaluate", {"attempts": given}, (ZERO,))
        for given in ([], [_ATTEMPT], [_ATTEMPT.but(finished_at=START)])
    ),
    ("subscription", {}, "evaluate", {"subscription": _SUBSCRIPTION}, (ZERO, 90 * DAY)),
    *(
        ("subscription", {}, "evaluate", {"subscription": one, "course_id": name}, (ZERO, 90 * DAY))
        for one in (_SUBSCRIPTION, _SUBSCRIPTION.but(cancelled_at=START + DAY))
        for name in ("py", "sql")
    ),
    *(
        (
            *("redemption", settings, "evaluate"),
            {"key": key, "batch": batch, "learner": learner, "redeemed": redeemed},
            (DAY, 10 * DAY),
        )
        for settings, key, batch, learner, redeemed in (
            ({}, _KEY, _BATCH, _ADA, None),
            ({}, _KEY.but(uses=2), _BATCH, _ADA, None),
            ({}, _KEY.but(revoked_at=START), _BATCH, _ADA, None),
            ({}, _KEY, _BATCH, _BO, None),
            ({}, _KEY, _BATCH.but(any_organization=True), _BO, None),
            ({}, _KEY, _BATCH, _ADA, _REDEMPTION),
            ({"once_per_learner": False}, _KEY, _BATCH, _ADA, _REDEMPTION),
            ({}, _KEY, _BATCH.but(redeemable_from=None, redeemable_until=None), _ADA, None),
            ({}, _KEY.but(uses=2, revoked_at=START), _BATCH, _BO, _REDEMPTION),
        )
    ),
    *(
        (
            "registration",
            {},
            "evaluate",
            {"organization": host, "newcomer": NEW, "holder": one},
            (ZERO,),
        )
        for host in (ACME, BETA)
        for one in (None, _ADA)
    ),
    *(
        ("availability", {}, "evaluate", {"course": one}, (ZERO,))
        for one in (
            *(PY, PY.but(content_provider=None), PY.but(publishing_group=None, archived=True)),
            Rec("course", {"id": "draft", "name": "Draft", "archived": True}),
        )
    ),
    *(
        ("repeat", {}, "evaluate", {"standing": given}, (ZERO, 30 * DAY))
        for given in (
            *([], [_A], [_A.but(cancelled_at=START + DAY)]),
            [_A, _A.but(id="a-0"), _A.but(id="a-2", expires_at=START + DAY)],
        )
    ),
    *(
        (
            *("authorization", {}, "evaluate"),
            {"actor": actor, "permission": Word("permission", what), "organization_id": where},
            (ZERO,),
        )
        for actor in (
            *(_ADA, staff("manager", "operations_manager", "acme"), staff("support", "support")),
            *(
                staff("trainer", "company_training_manager", "acme"),
                staff("sales", "sales_manager"),
            ),
        )
        for what in ("assign", "keys", "support")
        for where in ("acme", "beta", None)
    ),
    *(
        ("dashboard", {"size": size}, "evaluate", {"assignments": given}, (ZERO, 30 * DAY))
        for size in (1, 5)
        for given in ([], [_A], [_A, _A.but(id="a-2", started_at=START + MINUTE)])
    ),
)

_LIMITS: tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...] = tuple(
    (settings, {"course": what, "organization": whose})
    for settings in (
        {},
        {"maximum": 20 * DAY},
        {"maximum": Months(12), "default": Months(1)},
    )
    for what in (None, PY, SQL)
    for whose in (None, ACME, BETA, org("acme", maximum_access=Months(1), time_zone="Asia/Tokyo"))
)


def evaluations() -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Go through the questions to policies, each under a name of its own."""
    for number, (policy, settings, question, args, instants) in enumerate(_ASKED):
        for instant in instants:
            for name, at in _around(instant):
                asked = (policy, settings, question, {**args, **at})
                yield f"{policy} {number} {name} {instant}", asked
    for number, (settings, args) in enumerate(_LIMITS):
        given = {**args, "created_at": START}
        for question in ("limit", "default_end"):
            yield f"expiration {number} {question}", ("expiration", settings, question, given)
        for end in (ZERO, 20 * DAY, 30 * DAY, 31 * DAY, 90 * DAY, 180 * DAY):
            for name, at in _around(end, "expires_at"):
                asked = ("expiration", settings, "evaluate", {**given, **at})
                yield f"expiration {number} {name} {end}", asked


# --- Records made of wrong parts -----------------------------------------------------------------

_WHOLE: tuple[Rec, ...] = (
    _A.but(
        first_lab_launched_at=START,
        started_at=START,
        completed_at=START + DAY,
        cancelled_at=START + 2 * DAY,
        finished={"lab"},
        notes=[Rec("note", {"title": "T", "message": "M"})],
    ),
    _ATTEMPT.but(
        pauses=[
            Rec("pause", {"paused_at": START + HOUR, "resumed_at": START + 2 * HOUR}),
            Rec("pause", {"paused_at": START + 3 * HOUR}),
        ],
        finished_at=START + DAY,
    ),
    _SUBSCRIPTION.but(
        edited_at=START + DAY,
        cancelled_at=START + DAY,
        openings=[Rec("opening", {"course_id": "py", "assignment_id": "a-1"})],
    ),
    _BATCH.but(any_organization=True),
    _KEY.but(uses=1, revoked_at=START),
    _REDEMPTION.but(restored_at=START + 2 * DAY),
    staff("manager", "operations_manager", "acme"),
    org("child", parent_id="acme", maximum_access=Months(2)),
    course("sql", maximum_access=30 * DAY, archived=True),
    *(ACME, PY, _A, _ATTEMPT),
    Rec("note", {"title": "T", "message": "M", "high_importance": True}),
    Rec("event", {"at": START, "by": "ada", "action": "x", "subject_ids": ["a"], "details": {}}),
    activity("lab", "lab"),
    Rec("opening", {"course_id": "py", "assignment_id": "a-1"}),
    Rec("pause", {"paused_at": START, "resumed_at": START + HOUR}),
    Rec("from_key", {"batch_id": "b-1", "redemption_id": "r-1"}),
    Rec("from_subscription", {"subscription_id": "s-1"}),
)
_ANY: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**31, 1.5, "", "  ", "x" * 201, "x" * 501, "a\x00b", b"x", NAIVE, START),
    *(START - DAY, START + 400 * DAY, DAY, ZERO, [], ["x"], [5], "x"),
)


def constructions() -> Iterator[tuple[str, Rec]]:
    """Go through records with one part that is something else."""
    for place, whole in enumerate(_WHOLE):
        yield f"{whole.kind} {place} as it is", whole
        for name in whole.fields:
            for number, value in enumerate(_ANY):
                changed = whole.but(**{name: value})
                yield f"{whole.kind} {place} {name} {number:02} {_shown(value)}", changed


def settings() -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Go through policies with one setting that is something else, each asked something."""
    asked: tuple[tuple[str, str, str, Mapping[str, Any]], ...] = (
        ("cancellation", "window", "evaluate", {"assignment": _A, "at": START}),
        ("cancellation", "restores_key_use", "evaluate", {"assignment": _A, "at": START}),
        ("expiration", "maximum", "limit", {"created_at": START}),
        ("expiration", "default", "default_end", {"created_at": START}),
        (
            *("redemption", "once_per_learner", "evaluate"),
            {"key": _KEY, "batch": _BATCH, "learner": _ADA, "at": START},
        ),
        ("repeat", "default", "evaluate", {"standing": [], "at": START}),
        ("dashboard", "size", "evaluate", {"assignments": [], "at": START}),
        ("dashboard", "fresh_for", "evaluate", {"assignments": [], "at": START}),
        *(
            (
                *("authorization", name, "evaluate"),
                {
                    "actor": staff("sales", "sales_manager", "acme"),
                    "permission": Word("permission", "keys"),
                    "organization_id": "acme",
                    "at": START,
                },
            )
            for name in ("assigning", "keys", "support")
        ),
    )
    for policy, name, question, args in asked:
        values = (*_ANY, Months(2), [Word("role", "sales_manager")], Word("repeat", "skip"))
        for number, value in enumerate(values):
            given = (policy, {name: value}, question, args)
            yield f"{policy} {name} {number:02} {_shown(value)}", given
