"""What bad input gets: our own errors with a stable code and the path to it, and nothing stored."""

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from inspect import signature
from io import StringIO
from pathlib import Path
from typing import Any, get_args

import attrs
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments import commands
from tests.support.acts import pair
from tests.support.junk import (
    ARGUMENTS,
    ASSIGNMENT,
    ATTEMPT,
    BATCH,
    CATALOGUE,
    CODE,
    COMMANDS,
    DAY,
    END,
    ENTRIES,
    JANUARY,
    KEY,
    KEY_TERMS,
    LINE,
    NEWCOMER,
    OFFICE,
    POLICIES,
    QUERIES,
    RECORDS,
    RESULTS,
    STORES,
    TOLD,
    VALUES,
    VIEWS,
    Counting,
    Entry,
    Junk,
    half_a_list,
    junk,
    says_what_was_received,
    stage,
)
from tests.support.world import ACME, ADA, PYTHON, START, contents, world

#: Every code that an `InvalidInput` may have. They are a promise: add to them, never change one.
CODES = {
    "another_record",
    "bad_id_source",
    "bad_random_source",
    "before_creation",
    "blank",
    "code_repeated",
    "code_taken",
    "empty_list",
    "empty_window",
    "enclosed",
    "heading",
    "invalid_code",
    "invalid_count",
    "invalid_cursor",
    "invalid_email",
    "invalid_placeholder",
    "invalid_duration",
    "invalid_url",
    "invisible_character",
    "missing",
    "naive_datetime",
    "newcomer_with_rights",
    "not_a_datetime",
    "not_a_flag",
    "not_a_list",
    "not_a_text",
    "not_adjoining",
    "not_callable",
    "out_of_order",
    "out_of_period",
    "out_of_range",
    "outer_white_space",
    "own_parent",
    "repeated",
    "reserved_id",
    "several_columns",
    "shortened_number",
    "too_long",
    "too_many",
    "unknown_column",
    "unknown_time_zone",
    "unprintable",
    "wrong_type",
}

#: Codes of two arguments that do not go together; which of them is named is a matter of taste.
OF_TWO = {
    *("another_record", "before_creation", "empty_window", "out_of_order", "out_of_period"),
    "out_of_range",
    "own_parent",
}

NAMES = [entry.name for entry in ENTRIES]


class Stage:
    """A world that is set up again whenever something was stored in it."""

    def __init__(self) -> None:
        self.set_up()

    def set_up(self) -> None:
        self.repository = Counting()
        self.registrar = stage(self.repository)
        self.before = contents(self.repository)
        self.commits = self.repository.commits

    @property
    def is_as_it_was(self) -> bool:
        return contents(self.repository) == self.before

    def complaints(self, entry: Entry, bad: Mapping[str, Junk]) -> list[str]:
        """Return what is wrong with how *entry* takes *bad* in the place of valid arguments."""
        what = ", ".join(f"{name}={one.name}" for name, one in bad.items())
        given = dict(entry.arguments) | {name: one.make() for name, one in bad.items()}
        theirs = [name for name in bad if name in entry.functions and callable(given[name])]
        if theirs:
            return []
        found: list[str] = []
        accepted = False
        try:
            result = entry.run(self.registrar, given)
            accepted = (result is not False and not isinstance(result, ca.Decision)) or bool(result)
        except ca.InvalidInput as error:
            found = list(_malformed(error, entry, bad))
        except ca.CourseAssignmentsError as error:
            found = [] if str(error).isprintable() else ["has a message of several lines"]
        except Exception as error:  # noqa: BLE001 - that is the point
            found = [f"let out {error!r}"]
        wrong = [name for name, one in bad.items() if one.nowhere and one.name not in entry.takes]
        if accepted and wrong:
            found.append("accepted it")
        # To compare all contents each time would take most of the time.
        if self.repository.commits != self.commits and not self.is_as_it_was:
            if not (accepted and (entry.writes or entry.repeats)):
                found.append("stored something")
            self.set_up()
        return [f"{entry.name}({what}) {one}" for one in found]


def _malformed(error: ca.InvalidInput, entry: Entry, bad: Mapping[str, Junk]) -> list[str]:
    """Return what an error lacks: a known code, a path to a bad argument, one short line."""
    found: list[str] = []
    if error.code not in CODES:
        found.append(f"has the unknown code {error.code!r}")
    named = set(bad) if error.code not in OF_TWO else set(entry.arguments)
    root = error.field.partition("[")[0].partition(".")[0]
    if root not in named | entry.also:
        found.append(f"speaks of {error.field!r} ({error.code})")
    message = str(error)
    if not message.isprintable() or len(message) > 200 or not error.hint.strip():
        found.append(f"has the message {message!r}")
    received = [one.make() for one in bad.values()]
    told = error.code == "missing" or any(
        says_what_was_received(error.hint, one) for one in received
    )
    if not told:
        found.append(f"does not say what was received: {message!r}")
    return found


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
class TestEveryEntryPoint:
    """No other exception type may leave the public API. Nothing is stored, nothing is consumed."""

    def test_takes_what_is_right(self, entry: Entry) -> None:
        # Without this an entry that always fails would pass all the others.
        registrar = stage()
        before = contents(registrar.repository)
        entry.run(registrar, entry.arguments)
        assert (contents(registrar.repository) != before) is entry.writes

    def test_refuses_each_known_thing_in_each_argument(self, entry: Entry) -> None:
        at = Stage()
        complaints = [
            complaint
            for name in entry.arguments
            for one in CATALOGUE
            for complaint in at.complaints(entry, {name: one})
        ]
        assert not complaints, "\n".join(complaints)
        assert at.is_as_it_was

    def test_refuses_each_known_thing_in_all_arguments_at_once(self, entry: Entry) -> None:
        at = Stage()
        complaints = [
            complaint
            for one in CATALOGUE
            for complaint in at.complaints(entry, dict.fromkeys(entry.arguments, one))
        ]
        assert not complaints, "\n".join(complaints)
        assert at.is_as_it_was


@pytest.mark.parametrize(
    "entries",
    [OFFICE, STORES, VIEWS, POLICIES, TOLD, COMMANDS, RECORDS, QUERIES, VALUES, RESULTS],
    ids=[
        *("office", "stores", "views", "policies", "told", "commands"),
        *("records", "queries", "values", "results"),
    ],
)
@given(data=st.data())
def test_whatever_is_drawn_meets_only_our_own_errors(
    entries: tuple[Entry, ...], data: st.DataObject
) -> None:
    entry = data.draw(st.sampled_from([one for one in entries if one.arguments]))
    names = st.sets(st.sampled_from(sorted(entry.arguments)), min_size=1)
    bad = data.draw(
        names.flatmap(lambda some: st.fixed_dictionaries(dict.fromkeys(sorted(some), junk())))
    )
    assert not Stage().complaints(entry, bad)


#: Without arguments, or no more than a name for what others are.
PLAIN = {
    *("AccessPolicy", "AttemptPolicy", "FinishPolicy", "SubscriptionPolicy"),
    *("CompletionPolicy", "CourseAvailabilityPolicy", "Direct", "InMemoryRepository"),
    *("RegistrationPolicy", "ReschedulePolicy", "system_clock"),
    *("Clock", "Origin", "Reason", "Record", "Repository", "Duration", "DurationLike", "EndLike"),
    *("codes", "commands", "reasons", "CourseAssignmentsError", "Query"),
}

#: Python's own refusal of a value that is no member is what a user of enums expects.
ENUMS = {name for name in ca.__all__ if isinstance(getattr(ca, name), type(ca.Role))}


class TestTable:
    """The table of entry points leaves none out, and the harness sees what it has to see."""

    def test_names_every_public_name(self) -> None:
        tried = {entry.name.rstrip("()") for entry in ENTRIES}
        assert set(ca.__all__) - tried == PLAIN | ENUMS

    def test_names_every_command_and_the_records_of_each(self) -> None:
        tried = {entry.name.removeprefix("commands.") for entry in ENTRIES}
        untried = {"COMMANDS", "Command", "Profile", "Reader", "UNSET", "Unset"}
        # What an assignment or a subscription has beside it says more in what derives from these.
        assert set(commands.__all__) - tried == untried | {"Subscribed"}

    def test_names_every_reason(self) -> None:
        tried = {entry.name for entry in ENTRIES}
        assert {kind.__name__ for kind in get_args(ca.Reason)} <= tried

    def test_names_every_method_of_a_registrar(self) -> None:
        public = {name for name in dir(ca.Registrar) if not name.startswith("_")}
        tried = {entry.name.removeprefix("Registrar.") for entry in ENTRIES}
        attributes = {"repository", "policies", "clock"}
        assert public - attributes - tried == {"execute", "check"}

    def test_names_every_method_of_policies_and_values(self) -> None:
        tried = {entry.name for entry in ENTRIES}
        for name in set(ca.__all__) - {"Registrar", "Repository", "Query", "Policies"}:
            thing = getattr(ca, name)
            if not isinstance(thing, type) or name in ENUMS or issubclass(thing, Exception):
                continue
            methods = {one for one, what in vars(thing).items() if not one.startswith("_")}
            methods = {one for one in methods if callable(getattr(thing, one))}
            # These take nothing.
            methods -= {"kind", "where", "ranges", "contains", "special", "require"}
            assert {f"{name}.{one}" for one in methods} <= tried, name

    def test_names_every_argument(self) -> None:
        for name, kind in commands.COMMANDS.items():
            assert set(signature(kind).parameters) == set(ARGUMENTS[name])

    def test_a_field_without_a_check_is_noticed(self) -> None:
        @attrs.frozen
        class Lax:
            name: str

        entry = Entry("Lax", lambda _, given: Lax(**given), {"name": "Ada"})
        bad = {"name": Junk("object", object)}
        assert Stage().complaints(entry, bad) == ["Lax(name=object) accepted it"]

    @pytest.mark.parametrize(
        ("run", "complaint"),
        [
            (lambda _, given: {}[given["id"]], "let out KeyError(5)"),
            (lambda of, _: (of.anonymize("ada"), 1 / 0), "stored something"),
            (lambda of, _: of.anonymize("ada"), "stored something"),
            (lambda of, _: of.assign("py", " "), "speaks of 'learner_id' (blank)"),
        ],
    )
    def test_an_entry_that_misbehaves_is_noticed(self, run: Any, complaint: str) -> None:
        entry = Entry("Registrar.cancel", run, {"id": "a-1"})
        found = Stage().complaints(entry, {"id": Junk("5", lambda: 5)})
        assert f"Registrar.cancel(id=5) {complaint}" in found

    @pytest.mark.parametrize(
        "error",
        [
            ca.InvalidInput("no_such_code", "id", "give one"),
            ca.InvalidInput("blank", "ids", "give one"),
            ca.InvalidInput("blank", "id", " "),
        ],
    )
    def test_an_unclear_error_is_noticed(self, error: ca.InvalidInput) -> None:
        def run(_: object, __: object) -> None:
            raise error

        assert Stage().complaints(Entry("x", run, {"id": "a"}), {"id": Junk("5", lambda: 5)})


@attrs.frozen
class Example:
    """One entry of the catalogue of bad input: what is done, and what the error says."""

    about: str
    code: str
    field: str
    run: Callable[[ca.Registrar], object]


def _assign(**changes: Any) -> Callable[[ca.Registrar], object]:
    return lambda of: of.assign(**{"course_id": "py", "learner_id": "ada", **changes})


def _assign_many(courses: Any = ("py",), learners: Any = ("ada",)) -> Callable[..., object]:
    return lambda of: of.assign_many(courses, learners)


def _create_keys(**changes: Any) -> Callable[[ca.Registrar], object]:
    return lambda of: of.create_keys(**{**KEY_TERMS, **changes})


def _pasted(*lines: Any) -> Callable[[ca.Registrar], object]:
    return _create_keys(codes=lines)


def _made(kind: Any, of: object, **changes: Any) -> Callable[[ca.Registrar], object]:
    valid = {name: getattr(of, name) for name in attrs.fields_dict(kind)}
    return lambda _: kind(**{**valid, **changes})


def _at(at: Any) -> Callable[[ca.Registrar], object]:
    return lambda _: ca.CancellationPolicy().evaluate(ASSIGNMENT, at=at)


NAIVE = datetime(2026, 2, 1)  # noqa: DTZ001 - that is the point


class HalfAList:
    """A list that breaks off, each time that it is read."""

    def __iter__(self) -> Iterator[object]:
        return half_a_list()


NOTE = ca.Note(title="Renewal", message="Paid until June.")
MANAGING = ca.User(id="n", name="N", email="n@example.org", managed_organization_ids=["acme"])
BRINGING = ca.User(id="n", name="N", email="n@example.org", roles=[ca.Role.SUPPORT])
RESTORING = ca.Policies(cancellation=ca.CancellationPolicy(restores_key_use=True))
FROM_KEY = attrs.evolve(ASSIGNMENT, origin=ca.FromKey("spring", "r-1"))
LAB = ca.Activity(id="lab", name="A lab", kind=ca.ActivityKind.LAB)

EXAMPLES = (
    # Instants
    Example("1 naive", "naive_datetime", "expires", _assign(expires=NAIVE)),
    Example("3 day", "not_a_datetime", "at", _at(date(2026, 2, 1))),
    Example("6 max", "out_of_range", "expires", _assign(expires=datetime.max.replace(tzinfo=UTC))),
    Example(
        "18 zone",
        "unknown_time_zone",
        "time_zone",
        lambda _: ca.Organization(id="x", name="X", time_zone="Mars/Olympus Mons"),
    ),
    # Terms
    Example("20 zero", "invalid_duration", "availability", _create_keys(availability=timedelta(0))),
    Example(
        "27 mixture",
        "invalid_duration",
        "expires",
        _assign(expires=relativedelta(months=1, days=1)),
    ),
    Example(
        "27 months as a window",
        "wrong_type",
        "window",
        lambda _: ca.CancellationPolicy(window=ca.Months(1)),  # type: ignore[arg-type]
    ),
    Example("28 words", "invalid_duration", "duration", lambda _: ca.parse_duration("6 months")),
    Example(
        "30 empty window",
        "empty_window",
        "redeemable_until",
        _create_keys(redeemable_until=START, redeemable_from=START),
    ),
    # Assigning
    Example("32 empty id", "blank", "learner_id", _assign(learner_id="")),
    Example("43 no title", "blank", "title", _made(ca.Note, NOTE, title=" ")),
    Example("46 note", "wrong_type", "note", _assign(note="Paid")),
    Example("48 actor", "not_a_text", "by", _assign(by=ca.CompletionStatus.COMPLETE)),
    Example("end of another type", "invalid_duration", "expires", _assign(expires="P6M")),
    Example("48 repeat", "wrong_type", "repeat", _assign(repeat="skip")),
    Example("49 empty id", "blank", "id", _assign(id="")),
    Example("49 long id", "too_long", "id", _assign(id="x" * 201)),
    Example("49 unprintable id", "unprintable", "id", _assign(id="a\0")),
    # In bulk
    Example("50 no learners", "empty_list", "learners", _assign_many(learners=[])),
    Example("51 no courses", "empty_list", "course_ids", _assign_many(courses=[])),
    Example("52 text", "not_a_list", "learners", _assign_many(learners="ada")),
    Example("53 half a list", "not_a_list", "learners", _assign_many(learners=HalfAList())),
    Example("57 None", "not_a_text", "learners[1]", _assign_many(learners=["ada", None])),
    Example(
        "58 one of 10,000",
        "blank",
        "learners[7777]",
        _assign_many(learners=["ada"] * 7777 + [" "] + ["ada"] * 2222),
    ),
    Example(
        "58 one of many codes",
        "invalid_code",
        "codes[4]",
        _pasted("Hand-made-1", "", "Hand-made-3", "Hand-made-4", "five"),
    ),
    Example(
        "59 two of one id",
        "repeated",
        "learners[1]",
        _assign_many(learners=[NEWCOMER, attrs.evolve(NEWCOMER, name="Newer")]),
    ),
    Example(
        "59 roles",
        "newcomer_with_rights",
        "learners[3].roles",
        _assign_many(learners=["ada", "bo", "cy", BRINGING]),
    ),
    Example(
        "59 managed",
        "newcomer_with_rights",
        "learners[0].managed_organization_ids",
        _assign_many(learners=[MANAGING]),
    ),
    # Canceling
    Example(
        "68 no reason",
        "blank",
        "support_reason",
        lambda of: of.cancel("a-1", support_reason=" \n"),
    ),
    Example(
        "70 cancelled before",
        "before_creation",
        "cancelled_at",
        _made(ca.CourseAssignment, ASSIGNMENT, cancelled_at=START - DAY),
    ),
    Example(
        "attempt that ends before it starts",
        "out_of_order",
        "finished_at",
        _made(ca.Attempt, ATTEMPT, finished_at=START - DAY),
    ),
    Example(
        "71 key to give back",
        "missing",
        "redemption",
        lambda _: commands.Cancel("a-1").decide(
            commands.Cancellable(FROM_KEY, ADA), commands.Context(START, RESTORING)
        ),
    ),
    # Keys
    Example("72 no use", "invalid_count", "max_uses", _create_keys(max_uses=0)),
    Example("74 bool", "invalid_count", "max_uses", _create_keys(max_uses=True)),
    Example("flag", "not_a_flag", "any_organization", _create_keys(any_organization="yes")),
    Example("80 NUL", "unprintable", "name", _create_keys(name="a\0b")),
    Example(
        "86 no availability", "invalid_duration", "availability", _create_keys(availability=None)
    ),
    Example(
        "91 uses over the maximum", "invalid_count", "uses", _made(ca.TrainingKey, KEY, uses=4)
    ),
    # Codes
    Example("92 none", "empty_list", "codes", _create_keys(codes=[], generate=0)),
    Example(
        "92 blank lines", "empty_list", "codes", _create_keys(codes=["", " ", "\ufeff"], generate=0)
    ),
    Example("94 seven", "invalid_code", "codes[0]", _pasted("Hand-07")),
    Example("98 Cyrillic", "invalid_code", "codes[0]", _pasted("\u0410utumn-2026")),
    Example("several columns", "several_columns", "codes[0]", _pasted("Spring-2026,5")),
    Example("enclosed", "enclosed", "codes[0]", _pasted("<Spring-2026>")),
    Example("heading", "heading", "codes[0]", _pasted("coupon_code", "Spring-2026")),
    Example("shortened number", "shortened_number", "codes[0]", _pasted("1.23457E+11")),
    Example("taken, beside", "code_taken", "codes[0]", _pasted(CODE, "Spring-2026,5")),
    Example("too many", "too_many", "codes", _pasted(*(f"Number-{one}" for one in range(100_001)))),
    Example("invisible", "invisible_character", "id", _made(ca.User, ADA, id="a\u200bda")),
    Example(
        "outer white space", "outer_white_space", "name", _made(ca.User, ADA, name="Ada\u00a0")
    ),
    Example("104 twice", "code_repeated", "codes[2]", _pasted("Hand-made", "", " Hand-made")),
    Example(
        "104 twice in another form",
        "code_repeated",
        "codes[1]",
        _pasted("0000-0000-0000-0001-2", "oooo-oooo-oooo-oool-2"),
    ),
    Example("107 too many", "invalid_count", "generate", _create_keys(generate=100_001)),
    Example(
        "108 few bytes",
        "bad_random_source",
        "random_bytes",
        lambda _: _create_keys(by=None)(world(random_bytes=lambda _: b"few")[0]),
    ),
    Example(
        "108 same ids",
        "bad_id_source",
        "new_id",
        lambda _: world(new_id=lambda: "same")[0].assign_many(["py"], ["ada", "bo"]),
    ),
    Example("111 bytes", "not_a_text", "codes[0]", _pasted(b"Spring-2026")),
    Example(
        "111 with a space", "invalid_code", "code", _made(ca.TrainingKey, KEY, code="Spring 2026")
    ),
    # Redeeming
    Example("121 address", "invalid_email", "email", _made(ca.User, ADA, email="ada")),
    Example(
        "121 rights",
        "newcomer_with_rights",
        "user.roles",
        lambda of: of.register(CODE, BRINGING),
    ),
    Example("user", "wrong_type", "user", lambda of: of.register(CODE, PYTHON)),  # type: ignore[arg-type]
    Example(
        "too many pairs",
        "too_many",
        "learners",
        lambda of: of.assign_many(map(str, range(1001)), map(str, range(1000))),
    ),
    Example(
        "derived id",
        "reserved_id",
        "id",
        lambda of: of.assign("py", "ada", id=ca.Claim.id_for("ada", "py")),
    ),
    Example("no records", "empty_list", "records", lambda of: of.add()),
    Example("no more keys", "empty_list", "codes", lambda of: of.add_keys("spring")),
    Example("125 number", "not_a_text", "code", lambda of: of.redeem(12345678, "ada")),  # type: ignore[arg-type]
    # What the rest of the public names refuse
    Example(
        "own parent",
        "own_parent",
        "parent_id",
        lambda _: ca.Organization(id="x", name="X", parent_id="x"),
    ),
    Example(
        "two activities",
        "repeated",
        "activities[1].id",
        _made(ca.Course, PYTHON, activities=[LAB, LAB]),
    ),
    Example(
        "second record",
        "wrong_type",
        "records[1]",
        lambda of: of.add(NEWCOMER, KEY),  # type: ignore[arg-type]
    ),
    Example(
        "second id",
        "wrong_type",
        "ids[1]",
        lambda of: of.repository.get(ca.User, ["a", NOTE]),  # type: ignore[list-item]
    ),
    Example(
        "second pair",
        "wrong_type",
        "assignables[1]",
        lambda _: commands.Roster(assignables=[pair(), ADA]),  # type: ignore[list-item]
    ),
    Example("two records", "another_record", "after", lambda _: ca.Replace(PYTHON, ADA)),
    Example("clock", "not_callable", "clock", lambda _: ca.Registrar(clock=START)),  # type: ignore[arg-type]
    Example(
        "statements with a gap",
        "not_adjoining",
        "other",
        lambda _: JANUARY + ca.Statement(start=END + DAY, end=END + 2 * DAY),
    ),
    Example(
        "line of another month",
        "out_of_period",
        "lines[0].created_at",
        lambda _: ca.Statement(start=END, end=END + DAY, lines=[LINE]),
    ),
    Example(
        "status without a time",
        "missing",
        "at",
        lambda _: ca.AssignmentQuery(status=ca.AssignmentStatus.ACTIVE),
    ),
    Example(
        "range that ends first",
        "empty_window",
        "created_until",
        lambda _: ca.AssignmentQuery(created_from=START, created_until=START),
    ),
    Example("cursor", "invalid_cursor", "cursor", lambda _: ca.CourseQuery(cursor=(1, 2))),
    Example(
        "placeholder",
        "invalid_placeholder",
        "new_account_steps[0]",
        lambda _: ca.InvitationTemplate(new_account_steps=["Give $secret"]),
    ),
    Example(
        "login page",
        "invalid_url",
        "login_url",
        lambda _: ca.invitation(
            KEY,
            ADA,
            course=PYTHON,
            batch=BATCH,
            organization=ACME,
            login_url="javascript:alert(1)",
            sender="training@acme.example",
        ),
    ),
    Example("host's reason", "invalid_code", "code", lambda _: ca.CustomReason("unpaid", "Pay.")),
    Example(
        "column of the other kind",
        "unknown_column",
        "columns[1]",
        lambda _: ca.export_csv([KEY], StringIO(), columns=["code", "learner_id"]),
    ),
)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.about)
def test_bad_input_is_named_by_its_code_and_field(example: Example) -> None:
    registrar = stage()
    before = contents(registrar.repository)
    with pytest.raises(ca.InvalidInput) as caught:
        example.run(registrar)
    assert (caught.value.code, caught.value.field) == (example.code, example.field)
    assert str(caught.value).startswith(f"{example.field}: ")
    assert contents(registrar.repository) == before


#: What makes an `InvalidInput`; the first argument is its code.
MAKERS = {"InvalidInput", "invalid"}

#: What only who asks for an extra imports; the tests of each have the codes of its errors.
EXTRAS = {"serialization", "sqlalchemy", "testing"}


class TestCodes:
    """`InvalidInput` with `.code`, `.field`, and one line of at most 200 characters."""

    def test_are_those_that_the_source_speaks_of(self) -> None:
        folder = Path(str(ca.__file__)).parent
        found: set[str] = set()
        for path in folder.rglob("*.py"):
            if EXTRAS & {*path.relative_to(folder).parts}:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in MAKERS:
                    code = node.args[0]
                    if path.name == "errors.py" and not isinstance(code, ast.Constant):
                        continue  # which makes them from what the others pass
                    assert isinstance(code, ast.Constant), ast.unparse(node)
                    found.add(str(code.value))
        assert found - {"blank"} == CODES - {"blank"}  # one docstring has it as well

    def test_have_an_example_each(self) -> None:
        assert {example.code for example in EXAMPLES} == CODES


class TestPoliciesOfAHost:
    """A host may put its own policy in; what it lacks is said when it is put in."""

    @pytest.mark.parametrize(
        ("field", "needed"),
        [
            ("cancellation", "restores_key_use"),
            ("expiration", "limit"),
            ("expiration", "default_end"),
            ("repeat", "default"),
        ],
    )
    def test_a_policy_that_lacks_something_is_refused(self, field: str, needed: str) -> None:
        documented = getattr(ca.Policies(), field)
        names = {name for name in dir(documented) if not name.startswith("_")}

        def with_only(some: set[str]) -> ca.Policies:
            parts = {name: getattr(documented, name) for name in some}
            return ca.Policies(**{field: type("Own", (), parts)()})

        assert getattr(with_only(names), field)
        with pytest.raises(ca.InvalidInput) as caught:
            with_only(names - {needed})
        assert (caught.value.code, caught.value.field) == ("wrong_type", field)


class TestOddQuestions:
    """What can be handed in only in one way, and so is in no table."""

    def test_a_query_of_no_kind_is_refused(self) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            ca.Query()
        assert caught.value.field == "query"

    @pytest.mark.parametrize("command", ["assign_many", "may_assign_many"])
    def test_the_error_of_a_generator_is_the_cause(self, command: str) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            getattr(stage(), command)(["py"], half_a_list())
        assert type(caught.value.__cause__).__name__ == "Sprung"

    def test_an_end_at_the_end_of_time_is_too_late_and_not_out_of_range(self) -> None:
        latest = datetime(9899, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
        decision = stage().may_reschedule("a-1", latest)
        assert [reason.code for reason in decision.reasons] == ["expires_too_late"]

    def test_an_invalid_duration_is_not_formatted(self) -> None:
        for term in (timedelta(0), -DAY, timedelta.max):
            with pytest.raises(ca.InvalidInput) as caught:
                ca.format_duration(term)
            assert (caught.value.code, caught.value.field) == ("invalid_duration", "duration")


class TestDerivedClasses:
    """What is stored is found by its class, so a record is of the class itself."""

    class Person(ca.User):
        pass

    NEW = Person(id="new", name="New", email="new@example.org")
    ADA = Person(id="ada", name="Ada", email="ada@example.org")
    CALLS: Mapping[str, tuple[Callable[[ca.Registrar], object], str]] = {
        "add": (lambda of: of.add(TestDerivedClasses.NEW), "records[0]"),
        "may_add": (lambda of: of.may_add(TestDerivedClasses.NEW), "records[0]"),
        "update": (lambda of: of.update(TestDerivedClasses.ADA), "record"),
        "assign_many": (lambda of: of.assign_many(["py"], [TestDerivedClasses.NEW]), "learners[0]"),
        "register": (lambda of: of.register(CODE, TestDerivedClasses.NEW), "user"),
        "commit": (
            lambda of: of.repository.commit(ca.Change(create=[TestDerivedClasses.NEW])),
            "create[0]",
        ),
        "replace": (lambda _: ca.Replace(ADA, TestDerivedClasses.ADA), "after"),
    }

    @pytest.mark.parametrize("call", CALLS)
    def test_a_record_of_one_is_refused(self, call: str) -> None:
        registrar = stage()
        before = contents(registrar.repository)
        attempt, field = self.CALLS[call]
        with pytest.raises(ca.InvalidInput) as caught:
            attempt(registrar)
        assert (caught.value.code, caught.value.field) == ("wrong_type", field)
        assert contents(registrar.repository) == before


class TestWithoutAssertions:
    """Validation does not use `assert` (it must hold under -O)."""

    SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import test_junk
held = 0
for example in test_junk.EXAMPLES:
    try:
        example.run(test_junk.stage())
    except test_junk.ca.InvalidInput as error:
        held += (error.code, error.field) == (example.code, example.field)
print(held, len(test_junk.EXAMPLES), __debug__)
"""

    def test_bad_input_is_refused_as_usual(self) -> None:
        paths = os.pathsep.join(path for path in sys.path if path)
        done = subprocess.run(  # noqa: S603 - our own script and this very Python
            [sys.executable, "-O", "-c", self.SCRIPT, str(Path(__file__).parent)],
            env={**os.environ, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.split() == [str(len(EXAMPLES))] * 2 + ["False"], done.stderr

    def test_the_source_has_no_assert(self) -> None:
        folder = Path(str(ca.__file__)).parent
        # Except in the examples of the kit, which are for pytest to run.
        paths = (path for path in folder.rglob("*.py") if "testing" not in path.parts)
        trees = [ast.parse(path.read_text()) for path in paths]
        assert not [
            node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Assert)
        ]
