"""What the messages for bad input say: what was expected, what was received, and where."""

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from importlib import import_module
from json import dumps, loads
from typing import Any
from uuid import uuid4

import attrs
import pytest
from dateutil.relativedelta import relativedelta

import course_assignments as ca
from course_assignments import commands
from course_assignments.serialization import from_json, to_json
from tests.support.acts import ACTS
from tests.support.values import refusal
from tests.support.world import ADA, PYTHON, START, contents, world

DAY = timedelta(days=1)
NAIVE = datetime.fromisoformat("2026-01-05")


class Dateless(tzinfo):
    """A time zone that says nothing about any datetime, as the base class does."""


LAB = ca.Activity(id="lab", name="A lab", kind=ca.ActivityKind.LAB)
STRAY = ca.User(id="stray", name="S", email="s@example.org", organization_id="o")
NEW = ca.Course(id="new", name="New")
NEW_USER = ca.User(id="new", name="New", email="new@example.org")

#: A wrong call, and what its message says.
MESSAGES: tuple[tuple[Callable[[], object], str], ...] = (
    (
        lambda: world()[0].cancel(uuid4()),  # type: ignore[arg-type]
        "assignment_id: expected a string of 1 to 200 characters, got UUID",
    ),
    (
        lambda: world()[0].assign("py", ADA),  # type: ignore[arg-type]
        "learner_id: expected a string of 1 to 200 characters, got User",
    ),
    (
        lambda: world()[0].assign_many(["py"], ["ada", 7]),  # type: ignore[list-item]
        "learners[1]: expected a string of 1 to 200 characters, got int 7",
    ),
    (
        lambda: world()[0].add(ADA, "bo"),  # type: ignore[arg-type]
        "records[1]: expected Organization or Course or User, got str 'bo'",
    ),
    (
        lambda: world()[0].assign("py", "x" * 201),
        "learner_id: expected at most 200 characters, got 201",
    ),
    (
        lambda: ca.User(id="a", name="A", email="a@b.org", roles="support"),  # type: ignore[arg-type]
        "roles: expected a list, such as ['a', 'b'], got str 'support'",
    ),
    (
        lambda: ca.User(id="a", name="A", email="a@b.org", roles=ca.Role.SUPPORT),  # type: ignore[arg-type]
        "roles: expected a list, such as [Role.SUPPORT], got Role",
    ),
    (
        lambda: ca.User(id="a", name="A", email="a@b.org", roles=["support"]),  # type: ignore[list-item]
        "roles[0]: expected Role, such as Role.COMPANY_TRAINING_MANAGER, got str 'support'",
    ),
    (
        lambda: ca.AssignmentQuery(completion="not_started"),  # type: ignore[arg-type]
        (
            "completion: expected CompletionStatus, such as CompletionStatus.NOT_STARTED, "
            "got str '****-ed'"
        ),
    ),
    (
        lambda: ca.AssignmentQuery(origin="Direct"),  # type: ignore[arg-type]
        "origin: expected the class Direct or FromKey or FromSubscription itself, got str 'Direct'",
    ),
    (
        lambda: ca.CourseQuery(limit=0),
        "limit: expected a whole number from 1 to 10000, got int 0",
    ),
    (
        lambda: ca.CourseQuery(cursor=("a", 1)),
        "cursor: expected the cursor of the next query of a page of the same kind, got tuple",
    ),
    (
        lambda: ca.Note(title="t", message="m", high_importance="no"),  # type: ignore[arg-type]
        "high_importance: expected True or False, got str 'no'",
    ),
    (
        lambda: ca.Change(create=[ADA, 7]),  # type: ignore[list-item]
        "create[1]: expected Organization or Course or User or 8 others, got int 7",
    ),
    (
        lambda: ca.Replace(PYTHON, ADA),
        "after: expected Course 'py', as in before; got User 'ada'",
    ),
    (
        lambda: ca.Registrar(42),  # type: ignore[arg-type]
        (
            "repository: expected an object with get(), find() and commit(), "
            "such as SqlRepository(engine), got int 42"
        ),
    ),
    (
        lambda: ca.Policies(cancellation=timedelta(hours=24)),  # type: ignore[arg-type]
        "cancellation: expected a policy with evaluate(), restores_key_use, got timedelta",
    ),
    (
        lambda: ca.CustomReason("unpaid", "Pay."),
        "code: expected a code that starts with x-, got str 'unpaid'",
    ),
    (
        lambda: world()[0].redeem(7, "ada"),  # type: ignore[arg-type]
        "code: expected the code of a key as a string, got int 7",
    ),
    (
        lambda: ca.KeyQuery(codes="Spring-2026"),  # type: ignore[arg-type]
        "codes: expected a list, such as ['a', 'b'], got str '****-26'",
    ),
    (
        lambda: world()[0].add_keys("b", codes="Spring-2026"),  # type: ignore[arg-type]
        "codes: expected a list, such as ['a', 'b'], got str '****-26'",
    ),
    (
        lambda: commands.Cancel("a").decide(ADA, commands.Context(START)),  # type: ignore[arg-type]
        "records: expected Cancellable, got User",
    ),
    (
        lambda: ca.Course(id="c", name="C", activities=[LAB, LAB]),
        "activities[1].id: 'lab' is repeated; give each only once",
    ),
    (
        lambda: ca.KeyBatch(
            id="b",
            name="B",
            course_id="py",
            organization_id="acme",
            created_at=START,
            availability=DAY,
            redeemable_from=START,
            redeemable_until=START,
        ),
        (
            "redeemable_until: expected a datetime after redeemable_from, "
            "2026-01-05T09:00:00+00:00; got 2026-01-05T09:00:00+00:00"
        ),
    ),
    (
        lambda: world()[0].assign("py", "ada", expires=NAIVE),
        (
            "expires: expected an aware datetime, got datetime 2026-01-05T00:00:00 without a zone; "
            "if it is in UTC, pass value.replace(tzinfo=UTC)"
        ),
    ),
    (
        lambda: ca.ManualClock(datetime.max.replace(tzinfo=UTC)),
        (
            "at: expected a datetime in the years 1970 to 9899, "
            "got datetime 9999-12-31T23:59:59.999999"
        ),
    ),
    (
        lambda: ca.statement(
            world()[0].repository,
            start=NAIVE.date(),
            end=NAIVE.date(),
            zone=Dateless(),  # type: ignore[abstract]
        ),
        (
            "start: expected a datetime in the years 1970 to 9899, "
            "got date 2026-01-05, whose time zone raised NotImplementedError"
        ),
    ),
    (
        lambda: ca.Course(id="c", name="C", maximum_access=-DAY),
        (
            "maximum_access: expected a duration above 0, at most 100 years, "
            "got timedelta -1 day, 0:00:00"
        ),
    ),
    (
        lambda: ca.Course(id="c", name="C", maximum_access=relativedelta(months=1, days=1)),
        (
            "maximum_access: expected either months or an exact length, "
            "not both and not a date, got relativedelta"
        ),
    ),
    (
        lambda: ca.Months("3"),  # type: ignore[arg-type]
        "months: expected a whole number of months from 1 to 1200, got str '3'",
    ),
    (lambda: ca.Months(0), "months: expected a whole number of months from 1 to 1200, got int 0"),
    (
        lambda: ca.parse_duration("P1201M"),
        "duration: expected a whole number of months from 1 to 1200, got str 'P1201M'",
    ),
    (
        lambda: ca.parse_duration("PT0S"),
        "duration: expected a duration above 0, at most 100 years, got str 'PT0S'",
    ),
    (
        lambda: ca.User(id="a", name="A", email="a@b;"),
        (
            "email: expected the address alone, such as ada@example.org, got str 'a@b;'; "
            "remove SEMICOLON (U+003B)"
        ),
    ),
    (
        lambda: ca.Organization(id="o", name="O", parent_id="o"),
        (
            "parent_id: expected another organization; an organization cannot be its own parent, "
            "got str 'o'"
        ),
    ),
    (
        lambda: from_json('{"type": "Course", "version": 2, "data": {}}'),
        "version: expected 1; a newer release may read it, got int 2",
    ),
)


@pytest.mark.parametrize(("call", "message"), MESSAGES, ids=[text for _, text in MESSAGES])
def test_a_message_says_what_was_expected_and_received(
    call: Callable[[], object], message: str
) -> None:
    assert str(refusal(call)) == message


def test_an_id_that_is_taken_says_what_is_possible() -> None:
    registrar, _ = world()
    with pytest.raises(ca.Conflict, match=r"change it with update\(\), or use another id"):
        registrar.add(attrs.evolve(ADA, name="Ada L."))
    registrar.assign("py", "ada", id="a-1")
    with pytest.raises(ca.Conflict, match=r"A different course assignment .*; use another id"):
        registrar.assign("sql", "ada", id="a-1")


def test_a_mismatch_names_both_ids() -> None:
    records = attrs.evolve(ACTS["assign"].records)
    error = refusal(lambda: commands.Assign("sql", "ada").decide(records, commands.Context(START)))
    assert str(error) == "course: expected 'sql', which the others refer to, got 'py'"
    wrong = ca.Course(id="Welcome2026", name="Passed by mistake")
    error = refusal(
        lambda: commands.Assign("py", "ada").decide(
            attrs.evolve(records, course=wrong), commands.Context(START)
        )
    )
    assert str(error) == "course: expected 'py', which the others refer to, got '****-26'"


@pytest.mark.parametrize("name", ACTS)
def test_wrong_arguments_of_decide_are_named(name: str) -> None:
    """Applications call `decide` too, without a registrar."""
    command, records = ACTS[name].command, ACTS[name].records
    for wrong in (None, 7, name, object(), PYTHON if records is not PYTHON else ADA):
        if isinstance(wrong, type(records)):
            continue
        error = refusal(lambda given=wrong: command.decide(given, commands.Context(START)))  # type: ignore[misc]
        assert error.field == "records"
        error = refusal(lambda given=wrong: command.decide(records, given))  # type: ignore[misc]
        assert (error.field, error.hint[:17]) == ("context", "expected Context,")


def test_a_command_of_an_application_may_annotate_its_records_as_a_string() -> None:
    class Greet(commands.Command[ca.User, str]):
        def read(self, reader: Any) -> ca.User:
            user: ca.User = reader.need(ca.User, "ada")
            return user

        def decide(self, records: "ca.User", context: commands.Context) -> commands.Outcome[str]:
            return commands.Outcome(f"{records.name}, {context.at:%d}")

    assert world()[0].execute(Greet()) == "Ada, 05"
    error = refusal(lambda: Greet().decide(ADA, START))  # type: ignore[arg-type]
    assert error.field == "context"


class Silent:
    """A policy with everything that any policy needs, which answers nothing."""

    restores_key_use = False
    default = ca.Repeat.REFUSE

    def evaluate(self, *_: object, **__: object) -> Any:
        return None

    def limit(self, *_: object, **__: object) -> Any:
        return None

    default_end = limit


#: For each policy, a call that asks it; the other fields of `Policies` are settings.
ASKING: dict[str, Callable[[ca.Registrar], object]] = {
    "cancellation": lambda of: of.cancel("a-1"),
    "expiration": lambda of: of.assign("py", "ada"),
    "reschedule": lambda of: of.reschedule("a-1", START + DAY),
    "completion": lambda of: of.complete("a-1"),
    "access": lambda of: of.start("a-1", "lab"),
    "attempt": lambda of: of.start("a-1", "lab"),
    "finish": lambda of: of.finish(ca.Attempt.id_for("a-2", "lab", 1)),
    "subscription": lambda of: of.open_course("s-1", "py"),
    "key_redemption": lambda of: of.redeem("Spring-2026", "bo"),
    "registration": lambda of: of.register(
        "Spring-2026", ca.User(id="new", name="New", email="new@example.org")
    ),
    "course_availability": lambda of: of.assign("py", "ada"),
    "repeat": lambda of: of.assign("py", "ada", expires=DAY),
    "authorization": lambda of: of.assign("py", "ada", by="manager"),
}


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize("many", [False, True])
def test_a_policy_that_gives_no_decision_is_named(name: str, many: bool) -> None:  # noqa: FBT001
    first, _ = world()
    first.assign("py", "ada", id="a-1")
    first.start(first.assign("py", "ada", id="a-2").id, "lab")
    first.subscribe(["py"], "ada", duration=90 * DAY, id="s-1")
    terms: dict[str, Any] = {"organization_id": "acme", "availability": DAY}
    first.create_keys("py", name="Spring", codes=["Spring-2026"], **terms)
    before = contents(first.repository)
    silent: dict[str, Any] = {name: Silent()}
    policies = ca.Policies(**silent)
    registrar = ca.Registrar(first.repository, policies=policies, clock=lambda: START + DAY / 2)
    if many and name in {"repeat", "course_availability", "authorization"}:
        error = refusal(lambda: registrar.assign_many(["py"], ["ada"], by="manager", expires=DAY))
    else:
        error = refusal(lambda: ASKING[name](registrar))
    expected = "Limit" if name == "expiration" else "Decision"
    assert str(error) == f"policies.{name}: expected {expected}, got None"
    assert contents(registrar.repository) == before


@pytest.mark.parametrize("default", ["skip", "refuse", None, 7])
def test_a_default_repetition_that_is_no_member_is_refused(default: Any) -> None:
    class Odd(Silent):
        pass

    Odd.default = default
    registrar, _ = world(policies=ca.Policies(repeat=Odd()))
    error = refusal(lambda: registrar.assign("py", "ada"))
    assert error.field == "policies.repeat.default"
    assert registrar.assign("py", "ada", repeat=ca.Repeat.ALLOW).course_id == "py"


class TestUnknownIds:
    """All unknown ids of a command are named at once, that of the actor first."""

    CALLS: Mapping[str, tuple[Callable[[ca.Registrar], object], list[tuple[str, str]]]] = {
        "assign": (lambda of: of.assign("x", "y", by="z"), [("Course", "x"), ("User", "y")]),
        "assign_many": (
            lambda of: of.assign_many(["x", "py", "w"], ["ada", "y", STRAY], by="z"),
            [("Course", "x"), ("Course", "w"), ("User", "y"), ("Organization", "o")],
        ),
        "subscribe": (
            lambda of: of.subscribe(["x", "py"], "y", duration=DAY, by="z"),
            [("User", "y"), ("Course", "x")],
        ),
        "edit_subscription": (
            lambda of: of.edit_subscription("s", ["x"], by="z"),
            [("Subscription", "s"), ("Course", "x")],
        ),
        "open_course": (
            lambda of: of.open_course("s", "x", by="z"),
            [("Subscription", "s"), ("Course", "x")],
        ),
        "create_keys": (
            lambda of: of.create_keys(
                "x", name="K", organization_id="o", availability=DAY, generate=1, by="z"
            ),
            [("Course", "x"), ("Organization", "o")],
        ),
        "update": (lambda of: of.update(STRAY, by="z"), [("User", "stray"), ("Organization", "o")]),
        "add": (lambda of: of.add(STRAY, by="z"), [("Organization", "o")]),
        "add of what needs nothing": (lambda of: of.add(NEW, by="z"), []),
        "cancel": (lambda of: of.cancel("a", by="z"), [("CourseAssignment", "a")]),
        "redeem": (lambda of: of.redeem("no such code", "y", by="z"), [("User", "y")]),
        "revoke_key": (lambda of: of.revoke_key("no such code", by="z"), []),
        "register": (lambda of: of.register("no such code", NEW_USER, by="z"), []),
    }

    @pytest.mark.parametrize("name", CALLS)
    def test_are_named_at_once(self, name: str) -> None:
        call, unknown = self.CALLS[name]
        registrar, _ = world()
        before = contents(registrar.repository)
        with pytest.raises(ca.NotFound) as caught:
            call(registrar)
        found = [(one.kind, one.id) for one in (caught.value, *caught.value.also)]
        assert found == [("User", "z"), *unknown]
        assert contents(registrar.repository) == before

    def test_are_named_once_each(self) -> None:
        registrar, _ = world()
        with pytest.raises(ca.NotFound) as caught:
            registrar.assign("py", "z", by="z")
        assert caught.value == ca.NotFound("User", "z")

    def test_of_an_unknown_actor_cost_the_first_reads_only(self) -> None:
        registrar, _ = world()
        ids = [f"n-{number}" for number in range(1_000)]
        with pytest.raises(ca.NotFound) as caught:
            registrar.assign_many(ids, ids, by="z")  # a million pairs
        assert len(caught.value.also) == 2_000


class TestAllFields:
    """One `InvalidInput` has an error for each invalid field of a record."""

    def test_are_named_in_their_order(self) -> None:
        error = refusal(lambda: ca.User(id="", name="", email="x"))
        assert [one.field for one in error.errors] == ["id", "name", "email"]
        assert [one.code for one in error.errors] == ["blank", "blank", "invalid_email"]
        assert (error.code, error.field) == ("blank", "id")
        assert str(error).endswith(" (and 2 more)")

    @pytest.mark.parametrize(
        ("make", "fields"),
        [
            (
                lambda: ca.User(id="a", name="", email="a@b.org", roles=7),  # type: ignore[arg-type]
                ["name", "roles"],
            ),
            (
                lambda: ca.Attempt(
                    id="t",
                    assignment_id="",
                    activity_id="lab",
                    number=0,
                    started_at=NAIVE,
                    pauses=[7],  # type: ignore[list-item]
                ),
                ["assignment_id", "number", "started_at", "pauses[0]"],
            ),
            # What is compared with an invalid field is not invalid for that alone.
            (
                lambda: ca.KeyBatch(
                    id="b",
                    name="B",
                    course_id="py",
                    organization_id="",
                    created_at=START,
                    availability=DAY,
                    redeemable_from=NAIVE,
                    redeemable_until=START,
                ),
                ["organization_id", "redeemable_from"],
            ),
            (
                lambda: ca.Subscription(
                    id="s",
                    learner_id="",
                    organization_id=None,
                    course_ids=["py"],
                    created_at=NAIVE,
                    expires_at=START,
                    cancelled_at=START,
                ),
                ["learner_id", "created_at"],
            ),
            (
                lambda: commands.Assign("", "", by="", expires="P6M"),  # type: ignore[arg-type]
                ["by", "expires", "course_id", "learner_id"],
            ),
            # A generator is not read twice.
            (
                lambda: commands.Subscribe(iter(["py"]), "", duration=None),  # type: ignore[arg-type]
                ["learner_id", "duration"],
            ),
            (
                lambda: ca.CancellationPolicy(window=24, restores_key_use="no"),  # type: ignore[arg-type]
                ["window", "restores_key_use"],
            ),
            (
                lambda: ca.AssignmentQuery(
                    limit=0,
                    learner_id="",
                    status="active",  # type: ignore[arg-type]
                    at=START,
                    created_from=NAIVE,
                    created_until=START,
                ),
                ["limit", "learner_id", "status", "created_from"],
            ),
            (
                lambda: ca.KeyQuery(code="", usable="yes"),  # type: ignore[arg-type]
                ["code", "usable"],
            ),
            (lambda: ca.EventQuery(limit=0, after=-1), ["limit", "after"]),
            (lambda: ca.Change(create=7, expect=[7]), ["create", "expect[0]"]),  # type: ignore[arg-type, list-item]
        ],
    )
    def test_are_named_for_every_class(self, make: Callable[[], object], fields: list[str]) -> None:
        error = refusal(make)
        assert [one.field for one in error.errors] == fields
        assert all(one.also == () for one in error.errors)

    def test_of_lists_are_named_for_each_element(self) -> None:
        error = refusal(lambda: commands.AssignMany(["py", "", 7], ["ada"], by=""))  # type: ignore[list-item]
        assert [one.field for one in error.errors] == ["by", "course_ids[1]", "course_ids[2]"]
        error = refusal(lambda: ca.Course(id="", name="C", activities=[7, LAB, "b"]))  # type: ignore[list-item]
        assert [one.field for one in error.errors] == ["id", "activities[0]", "activities[2]"]
        error = refusal(lambda: ca.AssignmentQuery(limit=0, learner_ids=["a", 7, 8]))  # type: ignore[list-item]
        assert [one.field for one in error.errors] == ["limit", "learner_ids[1]", "learner_ids[2]"]

    @pytest.mark.parametrize(("wrong", "named"), [(498, 499), (499, 500), (500, 500), (9_999, 500)])
    def test_of_a_long_list_are_the_first_500(self, wrong: int, named: int) -> None:
        error = refusal(lambda: commands.AssignMany(["py"], [""] * wrong, by=""))
        assert len(error.errors) == named
        assert error.errors[-1].field == f"learners[{named - 2}]"

    def test_of_a_paste_are_named_with_the_other_fields(self) -> None:
        lines = ["Spring-2026,5", "Autumn-2026", "a b"]
        terms: dict[str, Any] = {"organization_id": "acme", "availability": 0, "codes": lines}
        error = refusal(lambda: world()[0].create_keys("py", name="", **terms))
        found = [(one.code, one.field) for one in error.errors]
        assert sorted(found) == [
            ("blank", "name"),
            ("invalid_code", "codes[2]"),
            ("invalid_duration", "availability"),
            ("several_columns", "codes[0]"),
        ]

    def test_of_json_are_named_by_their_paths(self) -> None:
        course = loads(to_json(PYTHON))
        course["data"] |= {"activities": [1, {}], "archived": 7, "name": 8}
        error = refusal(lambda: from_json(dumps(course)))
        assert [one.field for one in error.errors] == [
            "data.name",
            "data.activities[0]",
            "data.activities[1].id",
            "data.archived",
        ]

    def test_of_a_record_that_is_read_have_their_paths(self) -> None:
        text = to_json(ADA).replace('"Ada"', '""').replace('"ada"', '""')
        error = refusal(lambda: from_json(text))
        assert [one.field for one in error.errors] == ["data.id", "data.name"]

    def test_keep_the_cause_of_the_first(self) -> None:
        class Broken:
            def __iter__(self) -> Any:
                raise OSError

        error = refusal(lambda: commands.Subscribe(Broken(), "", duration=DAY))  # type: ignore[arg-type]
        assert isinstance(error.__cause__, OSError)

    def test_leave_a_missing_argument_to_python(self) -> None:
        with pytest.raises(TypeError, match=r"Assign\.__init__\(\) missing 2 required"):
            commands.Assign()  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("package", "module"),
    [("sqlalchemy", "sqlalchemy"), ("testing", "hypothesis"), ("testing", "pytest")],
)
def test_a_missing_extra_says_what_to_install(
    package: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"course_assignments.{package}"
    for loaded in [*sys.modules]:
        if f"{loaded}.".startswith(f"{name}."):
            monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModuleNotFoundError) as caught:
        import_module(name)
    assert caught.value.name == module
    assert f"pip install 'course-assignments[{package}]'" in str(caught.value)


def test_a_status_is_equal_to_its_name() -> None:
    assignment = world()[0].assign("py", "ada")
    assert assignment.status_at(START) == "active"
    assert f"{assignment.status_at(START)}" == "active"
