"""The public names of the specification: where they are, what they take, how they behave."""

import copy
import importlib
import inspect
import pickle
import pkgutil
import subprocess
import sys
import tomllib
import types
from collections.abc import Callable, Iterator
from importlib.metadata import distributions
from importlib.resources import files
from inspect import Parameter
from itertools import combinations
from pathlib import Path
from typing import Any, ClassVar, Protocol, get_args, get_origin, get_type_hints

import attrs
import pytest
from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy.sql.visitors import Visitable

import course_assignments as ca
from course_assignments import commands, reasons
from course_assignments.commands import COMMANDS, UNSET
from tests.support.junk import COMMANDS as SAID
from tests.support.junk import QUERIES, RECORDS, RESULTS, TOLD, Entry, stage
from tests.support.world import START

#: The fields of each record in their order, with their defaults.
RECORD_FIELDS: dict[type, str] = {
    ca.Organization: (
        "id name parent_id=None maximum_access=None time_zone='UTC' anonymous_registration=False"
    ),
    ca.Activity: "id name kind required=False",
    ca.Course: (
        "id name content_provider=None publishing_group=None activities=() maximum_access=None "
        "archived=False"
    ),
    ca.User: (
        "id name email organization_id=None roles=frozenset() managed_organization_ids=frozenset()"
    ),
    ca.Note: "title message high_importance=False",
    ca.CourseAssignment: (
        "id learner_id course_id organization_id created_at expires_at limited_by origin "
        "first_lab_launched_at=None started_at=None completed_at=None cancelled_at=None "
        "finished=frozenset() notes=()"
    ),
    ca.Event: "position=0 at by=None action subject_ids details=()",
    ca.Statement: "start end zone=datetime.timezone.utc organization_id=None lines=()",
    ca.StatementLine: (
        "organization_id course_id learner_id assignment_id created_at cancelled_at=None"
    ),
    ca.StatementTotal: "organization_id course_id created cancelled billable",
    ca.Direct: "",
    ca.FromKey: "batch_id redemption_id",
    ca.FromSubscription: "subscription_id",
    ca.Pause: "paused_at resumed_at=None",
    ca.Opening: "course_id assignment_id",
    ca.Months: "count",
    ca.CancellationPolicy: "window=datetime.timedelta(days=1) restores_key_use=False",
    ca.ExpirationPolicy: "maximum=datetime.timedelta(days=180) default=Months(count=6)",
    ca.DashboardPolicy: "size=5 fresh_for=datetime.timedelta(seconds=300)",
    ca.Dashboard: "assignments has_more stale_at",
    ca.KeyRedemptionPolicy: "once_per_learner=True match_case=False",
    ca.Limit: "at by",
    ca.CustomReason: "code sentence",
    ca.InvalidInput: "code field hint also=() summary=''",
    ca.Refused: "decision",
    ca.Conflict: "ids code='changed' kind=None",
    ca.StorageBusy: "hint",
    ca.OutcomeUnknown: "ids",
    ca.StorageError: "code hint",
}

#: Records of which only some fields are named, and more may follow.
SOME_FIELDS: dict[type, set[str]] = {
    ca.TrainingKey: {"id", "code", "batch_id", "number", "uses", "max_uses"},
    ca.NotFound: {"kind", "id"},
    ca.AssignmentBatch: {"created", "skipped"},
    ca.Decision: {"reasons", "changes_at"},
    ca.Redemption: {"key_id", "learner_id", "restored_at", "assignment_id"},
    ca.KeyBatch: {
        *("name", "course_id", "organization_id", "redeemable_from", "redeemable_until"),
        *("max_uses", "availability", "any_organization", "size"),
    },
    ca.InvitationTemplate: {
        *(
            "subject",
            "greeting",
            "opening",
            "valid_from",
            "deadline",
            "new_account",
            "new_account_steps",
        ),
        *("existing_account", "existing_account_steps", "signature"),
    },
    ca.Claim: {"learner_id", "course_id", "assignment_id"},
    ca.Attempt: {"assignment_id", "activity_id", "number", "started_at", "finished_at"},
    ca.Subscription: {"learner_id", "course_ids", "created_at", "expires_at", "cancelled_at"},
    ca.AttemptQuery: {"assignment_id", "activity_id"},
    ca.SubscriptionQuery: {"learner_id"},
    ca.Page: {"next"},
    ca.Change: {"create", "replace", "amend", "use", "expect", "record"},
    ca.Policies: {"cancellation", "expiration", "key_redemption"},
    ca.AssignmentQuery: {
        *("learner_id", "course_id", "organization_id", "status", "at", "completion", "origin"),
        *("learner_ids", "course_ids", "batch_id", "created_from", "created_until"),
        *("started_from", "started_until"),
        *("completed_from", "completed_until", "expires_from", "expires_until"),
    },
    ca.KeyQuery: {"batch_ids", "code", "codes", "redeemed", "min_uses", "revoked", "usable"},
    ca.EventQuery: {"after"},
    ca.BatchQuery: {
        *("course_id", "organization_id", "name", "redeemable_from", "redeemable_until"),
        *("created_from", "created_until"),
    },
    ca.UserQuery: {"name", "email", "emails", "organization_id"},
    ca.CourseQuery: {"name", "archived"},
    ca.OrganizationQuery: {"name", "parent_id"},
    ca.RedemptionQuery: {"key_id", "learner_id"},
}

ENTITIES = (
    *(ca.Organization, ca.Activity, ca.Course, ca.User, ca.Note, ca.CourseAssignment, ca.Claim),
    *(ca.KeyBatch, ca.TrainingKey, ca.Redemption, ca.Event, ca.Attempt, ca.Subscription),
)

MEMBERS: dict[type, list[str]] = {
    ca.ActivityKind: ["LAB", "VIDEO", "SCORM", "LTI", "LINK", "ASSESSMENT", "DOCUMENT"],
    ca.AssignmentStatus: ["SCHEDULED", "ACTIVE", "EXPIRED", "CANCELLED"],
    ca.CompletionStatus: ["NOT_STARTED", "INCOMPLETE", "COMPLETE"],
    ca.ExpirationLimit: [
        *("REQUEST", "KEY", "SUBSCRIPTION", "COURSE", "ORGANIZATION", "MAXIMUM", "DEFAULT"),
        "SUPPORT",
    ],
    ca.Role: [
        *("COMPANY_TRAINING_MANAGER", "ENROLLMENT_MANAGER", "OPERATIONS_MANAGER"),
        *("SALES_MANAGER", "SUPPORT"),
    ],
    ca.Repeat: ["ALLOW", "SKIP", "REFUSE"],
}

REASON_CODES = {
    *("cancellation_window_closed", "lab_launched", "already_cancelled", "assignment_not_active"),
    *("expires_too_late", "expires_too_early", "course_not_available", "course_archived"),
    *("key_not_found", "key_revoked", "key_not_yet_redeemable", "key_expired", "key_exhausted"),
    *("wrong_organization", "already_redeemed", "registration_disabled", "email_taken"),
    *("role_missing", "organization_not_managed", "support_role_missing", "already_assigned"),
    *("already_completed", "key_mistyped", "assignment_expired", "attempt_open"),
    *("no_attempt_open", "course_not_in_subscription", "subscription_ended"),
}

#: What the specification says that functions take: parameters that may be given by position,
#: then a star and those that are given by name; ``=`` stands before a default.
SIGNATURES: dict[str, str] = {
    "CancellationPolicy.evaluate": "cancellable * at support=False",
    "CancellationPolicy.closes_at": "cancellable",
    "ExpirationPolicy.limit": "created_at * course=None organization=None",
    "ExpirationPolicy.default_end": "created_at * course=None organization=None",
    "ExpirationPolicy.evaluate": "expires_at * created_at course=None organization=None",
    "KeyRedemptionPolicy.evaluate": "key batch learner * at redeemed=None",
    "DashboardPolicy.evaluate": "assignments * at",
    "current_training": "repository learner_id * at",
    "transcript": "repository learner_id * at",
    "expiring": (
        "repository * at within learner_id=None course_id=None organization_id=None "
        "zone=datetime.timezone.utc"
    ),
    "CourseAssignment.status_at": "at",
    "CourseAssignment.is_active_at": "at",
    "CourseAssignment.remaining_at": "at",
    "Decision.require": "",
    "Query.matches": "record",
    "KeyQuery.redeemable": "batches * at",
    "ManualClock.advance": "duration",
    "InMemoryRepository.get": "kind ids",
    "InMemoryRepository.find": "query",
    "InMemoryRepository.commit": "change",
    "Repository.get": "kind ids",
    "Repository.find": "query",
    "Repository.commit": "change",
    "find_all": "repository query",
    "statement": "repository * start end zone=None organization_id=None",
}


def spelled(function: Callable[..., Any]) -> tuple[list[str], set[str]]:
    """Return the parameters by position, in order, and by name, in no order."""
    ordered: list[str] = []
    named: set[str] = set()
    for one in inspect.signature(function).parameters.values():
        shown = "UNSET" if one.default is UNSET else repr(one.default)
        default = "" if one.default is Parameter.empty else f"={shown}"
        if one.kind is Parameter.KEYWORD_ONLY:
            named.add(one.name + default)
        elif one.name != "self":
            ordered.append("*" * (one.kind is Parameter.VAR_POSITIONAL) + one.name + default)
    return ordered, named


def find(path: str) -> Any:
    """Return what is called *path* in the package."""
    thing: Any = ca
    for name in path.split("."):
        thing = getattr(thing, name)
    return thing


def spelled_field(field: "attrs.Attribute[Any]") -> str:
    """Return the name of *field*, with its default if it has one."""
    factory: Any = attrs.Factory
    default = field.default
    value = default.factory() if isinstance(default, factory) else default
    return field.name if value is attrs.NOTHING else f"{field.name}={value!r}"


class TestNames:
    """All importable from `course_assignments`. These are the contract."""

    @pytest.mark.parametrize("kind", RECORD_FIELDS, ids=lambda kind: kind.__name__)
    def test_fields_are_as_stated(self, kind: type) -> None:
        assert [*map(spelled_field, attrs.fields(kind))] == RECORD_FIELDS[kind].split()

    @pytest.mark.parametrize("kind", SOME_FIELDS, ids=lambda kind: kind.__name__)
    def test_fields_that_are_named_are_there(self, kind: type) -> None:
        assert set(attrs.fields_dict(kind)) >= SOME_FIELDS[kind]

    @pytest.mark.parametrize("kind", MEMBERS, ids=lambda kind: kind.__name__)
    def test_members_stand_in_their_order(self, kind: Any) -> None:
        assert [one.name for one in kind] == MEMBERS[kind]

    def test_completion_counts_as_it_is_known_to(self) -> None:
        assert [int(one) for one in ca.CompletionStatus] == [0, 10, 30]

    @pytest.mark.parametrize("path", SIGNATURES)
    def test_parameters_are_as_stated(self, path: str) -> None:
        ordered, star, named = SIGNATURES[path].partition("* ")
        if not star:
            ordered, named = SIGNATURES[path], ""
        assert spelled(find(path)) == (ordered.split(), set(named.split()))

    def test_a_dashboard_takes_its_time_and_policy_by_name(self) -> None:
        parameters = inspect.signature(ca.dashboard).parameters
        assert list(parameters) == ["repository", "learner_id", "at", "policy"]
        assert [parameters[name].kind for name in ("at", "policy")] == [Parameter.KEYWORD_ONLY] * 2
        assert parameters["at"].default is Parameter.empty
        assert parameters["policy"].default == ca.DashboardPolicy()

    def test_a_registrar_takes_its_repository_and_its_sources(self) -> None:
        parameters = inspect.signature(ca.Registrar).parameters
        assert list(parameters)[:4] == ["repository", "policies", "clock", "new_id"]
        assert parameters["repository"].default is None
        assert parameters["policies"].default == ca.Policies()
        assert parameters["clock"].default is ca.system_clock
        kinds = [one.kind for one in parameters.values()]
        assert kinds[0] is Parameter.POSITIONAL_OR_KEYWORD
        assert set(kinds[1:]) == {Parameter.KEYWORD_ONLY}

    def test_reasons_have_the_codes_that_are_stated(self) -> None:
        kinds = set(get_args(ca.Reason)) - {ca.CustomReason, ca.ForAssignment}
        codes = [kind.code for kind in kinds]
        assert len(set(codes)) == len(codes)
        assert set(codes) >= REASON_CODES
        assert all(getattr(reasons, kind.__name__) is kind for kind in get_args(ca.Reason))

    def test_a_reason_is_called_as_its_code(self) -> None:
        for kind in set(get_args(ca.Reason)) - {ca.CustomReason, ca.ForAssignment}:
            assert kind.code.replace("_", "") == kind.__name__.lower()

    @pytest.mark.parametrize("module", [ca, commands], ids=lambda module: module.__name__)
    def test_all_is_sorted_and_true(self, module: types.ModuleType) -> None:
        names: list[str] = list(module.__all__)
        assert names == sorted(set(names), key=lambda name: (not name.isupper(), name))
        assert all(hasattr(module, name) for name in names)


@pytest.mark.parametrize("name", COMMANDS)
class TestCommands:
    """A registrar has a method and a question of each command, which take what it takes."""

    def test_takes_what_it_needs_first_and_the_rest_by_name(self, name: str) -> None:
        parameters = inspect.signature(COMMANDS[name]).parameters
        assert parameters["by"].default is None
        first, *rest = parameters.values()
        assert first.kind is Parameter.POSITIONAL_OR_KEYWORD
        for one in rest:
            may_be_left_out = one.default is not Parameter.empty
            assert not (may_be_left_out and one.kind is Parameter.POSITIONAL_OR_KEYWORD)

    @pytest.mark.parametrize("prefix", ["", "may_"])
    def test_a_registrar_takes_the_same_in_the_same_way(self, name: str, prefix: str) -> None:
        of_class = inspect.signature(COMMANDS[name]).parameters
        _, *of_method = inspect.signature(getattr(ca.Registrar, prefix + name)).parameters.values()
        expected = {(one.name, one.kind, one.default) for one in of_class.values()}
        if name == "add":  # the one list that is spelled out
            expected = {
                ("records", Parameter.VAR_POSITIONAL, Parameter.empty),
                *(one for one in expected if one[0] != "records"),
            }
        assert {(one.name, one.kind, one.default) for one in of_method} == expected
        positional = [one.name for one in of_method if one.kind is not Parameter.KEYWORD_ONLY]
        assert positional == [
            one.name for one in of_class.values() if one.kind is not Parameter.KEYWORD_ONLY
        ]

    def test_a_registrar_returns_what_it_decides_and_a_question_the_decision(
        self, name: str
    ) -> None:
        (outcome,) = get_args(get_type_hints(COMMANDS[name].decide)["return"])
        returned = get_type_hints(getattr(ca.Registrar, name))["return"]
        # Its keys are read page by page, after the command.
        assert returned == (Iterator[ca.TrainingKey] if name == "keys" else outcome)
        assert get_type_hints(getattr(ca.Registrar, f"may_{name}"))["return"] is ca.Decision

    def test_a_registrar_says_in_one_line_what_it_does(self, name: str) -> None:
        assert len(str(getattr(ca.Registrar, name).__doc__).splitlines()) == 1
        question = str(getattr(ca.Registrar, f"may_{name}").__doc__)
        assert len(question.splitlines()) == 1
        assert f"`{name}`" in question

    def test_reads_the_records_that_it_decides_on_which_are_exported(self, name: str) -> None:
        command = COMMANDS[name]
        read = get_type_hints(command.read)["return"]
        assert get_type_hints(command.decide)["records"] == read
        kind = get_origin(read) or read
        module = commands if kind.__module__.startswith(commands.__name__) else ca
        assert kind.__name__ in module.__all__
        assert getattr(commands, command.__name__) is command
        assert command.__name__ in commands.__all__


class TestRegistry:
    def test_a_registrar_has_nothing_beside_the_commands_and_their_questions(self) -> None:
        public = {name for name in dir(ca.Registrar) if not name.startswith("_")}
        methods = {prefix + name for name in COMMANDS for prefix in ("", "may_")}
        assert public - methods == {
            *("repository", "policies", "clock"),
            *("execute", "check", "get", "find_all"),
        }
        assert methods <= public

    def test_what_creates_takes_an_id(self) -> None:
        taking = {name for name, one in COMMANDS.items() if "id" in attrs.fields_dict(one)}
        creating = {"assign", "assign_many", "create_keys", "add_keys", "redeem", "register"}
        creating |= {"start", "subscribe", "open_course"}
        assert taking == creating

    def test_a_command_is_called_as_its_class(self) -> None:
        for name, one in COMMANDS.items():
            assert name.replace("_", "") == one.__name__.lower()
            assert one.action == name

    def test_no_command_is_missing(self) -> None:
        def below(kind: type[Any]) -> Iterator[type[Any]]:
            yield kind
            for derived in kind.__subclasses__():
                yield from below(derived)

        public = {
            one
            for one in below(commands.Command)
            if one.__module__.startswith(commands.__name__) and not one.__name__.startswith("_")
        }
        bases = {
            *(commands.Command, commands.base.CreatingCommand, commands.base.ReceiptedCommand),
        }
        assert public - bases == set(COMMANDS.values())


def modules() -> list[types.ModuleType]:
    """Return every module of the package."""
    found = pkgutil.walk_packages(ca.__path__, f"{ca.__name__}.")
    return [ca, *(importlib.import_module(one.name) for one in found)]


def own(module: types.ModuleType) -> Iterator[tuple[str, Any]]:
    """Give the public classes and functions that *module* itself defines."""
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        if isinstance(thing, type | types.FunctionType):
            yield f"{module.__name__}.{name}", thing


def methods(kind: type) -> Iterator[tuple[str, Any]]:
    """Give the public methods and properties that *kind* itself defines."""
    for name, raw in vars(kind).items():
        thing = raw.fget if isinstance(raw, property) else getattr(raw, "__func__", raw)
        if name.startswith("_") or not isinstance(thing, types.FunctionType):
            continue
        if thing.__module__ != "typing":  # as what stands for overloads is
            yield name, thing


DEFINED = [one for module in modules() for one in own(module)]

#: What a user calls: all that is offered but the records that commands are decided on.
OFFERED = {
    *(id(getattr(module, name)) for module in (ca,) for name in module.__all__),
    *map(id, (*COMMANDS.values(), commands.Context, commands.Outcome)),
}


class TestDocumentation:
    @pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
    def test_every_module_has_a_docstring(self, module: types.ModuleType) -> None:
        assert (module.__doc__ or "").strip()

    @pytest.mark.parametrize(("path", "thing"), DEFINED, ids=[path for path, _ in DEFINED])
    def test_everything_has_a_docstring(self, path: str, thing: Any) -> None:
        silent = [path] if not (thing.__doc__ or "").strip() else []
        if isinstance(thing, type):
            # An override inherits its docstring. The Protocol of a policy leaves it to the policy,
            # and the name of a test is its sentence.
            if not (".policies." in path and getattr(thing, "_is_protocol", False)):
                names = [name for name, _ in methods(thing) if not name.startswith("test_")]
                silent += [name for name in names if not inspect.getdoc(getattr(thing, name))]
            # attrs writes one for a class that has none, and Protocol and Enum inherit theirs.
            assert "__doc__" in vars(thing)
            assert not str(thing.__doc__).startswith("Method generated by attrs")
        assert not silent

    @pytest.mark.parametrize(
        ("path", "thing"),
        [(path, thing) for path, thing in DEFINED if id(thing) in OFFERED],
        ids=[path for path, thing in DEFINED if id(thing) in OFFERED],
    )
    def test_everything_offered_shows_an_example(self, path: str, thing: Any) -> None:
        assert ">>>" in str(thing.__doc__), path


class TestTypes:
    """`py.typed`, and annotations that can be looked up at run time."""

    def test_are_announced(self) -> None:
        assert files("course_assignments").joinpath("py.typed").is_file()

    # For attrs the type of a field is generic in the eyes of a type checker only, and what derives
    # from a class of Hypothesis or SQLAlchemy inherits annotations that cannot be looked up.
    RESOLVED: ClassVar = [
        (path, thing)
        for path, thing in DEFINED
        if not path.startswith(f"{ca.__name__}.validation.")
        and "attrs.Attribute" not in str(getattr(thing, "__annotations__", {}).values())
        and not {RuleBasedStateMachine, Visitable} & {*getattr(thing, "__mro__", ())}
    ]

    @pytest.mark.parametrize(("path", "thing"), RESOLVED, ids=[path for path, _ in RESOLVED])
    def test_resolve(self, path: str, thing: Any) -> None:
        del path
        get_type_hints(thing)
        if not isinstance(thing, type):
            return
        if attrs.has(thing):
            resolved = attrs.resolve_types(thing)
            assert not [one.name for one in attrs.fields(resolved) if isinstance(one.type, str)]
        for _, one in methods(thing):
            hints = get_type_hints(one)
            assert "return" in hints


def test_importing_the_package_imports_none_of_its_extras() -> None:
    script = """
import sys
sys.path[:] = sys.argv[1:]
import course_assignments, course_assignments.commands
extras = {"_pytest", "hypothesis", "matplotlib", "pytest", "sqlalchemy"}
print(extras & set(sys.modules))
"""
    done = subprocess.run(  # noqa: S603 - our own script and this very Python
        [sys.executable, "-c", script, *sys.path], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    if not [*distributions(name=project["name"])]:
        pytest.skip("the package is not installed")
    assert ca.__version__ == project["version"]


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = getattr(ca, "nothing")  # noqa: B009 - for mypy there is no such name


def made(entry: Entry) -> Any:
    """Return what *entry* constructs."""
    return entry.run(stage(), entry.arguments)


VALUES = {entry.name: entry for entry in (*RECORDS, *QUERIES, *RESULTS, *TOLD, *SAID)}
PLAIN = [name for name, entry in VALUES.items() if not isinstance(made(entry), Exception)]
ERRORS = [name for name in VALUES if name not in PLAIN]


#: Another value of a field of an error, where not any text will do.
OTHERS: dict[str, Any] = {
    "ids": ("other",),
    "code": "id_taken",
    "decision": ca.Decision([ca.CustomReason("x-other", "Another.")]),
}


class TestValues:
    """Entities are `attrs.frozen`, keyword-only, with slots; two with the same facts are equal."""

    @pytest.mark.parametrize("kind", ENTITIES, ids=lambda kind: kind.__name__)
    def test_entities_take_no_positions(self, kind: type) -> None:
        assert all(one.kw_only for one in attrs.fields(kind))
        assert kind.__name__ in VALUES

    @pytest.mark.parametrize("name", PLAIN)
    def test_are_frozen_and_slotted(self, name: str) -> None:
        value = made(VALUES[name])
        assert not hasattr(value, "__dict__")
        for field in attrs.fields(type(value)):
            with pytest.raises(attrs.exceptions.FrozenInstanceError):
                setattr(value, field.name, None)
            with pytest.raises(attrs.exceptions.FrozenInstanceError):
                delattr(value, field.name)

    @pytest.mark.parametrize("name", VALUES)
    def test_are_equal_by_their_facts(self, name: str) -> None:
        one, other = made(VALUES[name]), made(VALUES[name])
        assert one == other
        assert not one != other  # noqa: SIM202 - both operators are meant
        assert hash(one) == hash(other)
        assert one != (0,)

    @pytest.mark.parametrize("name", [name for name in VALUES if VALUES[name].arguments])
    def test_differ_when_one_fact_differs(self, name: str) -> None:
        value = made(VALUES[name])
        if name in ERRORS:
            for field in attrs.fields(type(value)):
                others = {field.name: OTHERS.get(field.name, "another")}
                if field.name == "also":
                    others["also"] = (value,)
                assert value != attrs.evolve(value, **others), field.name
            return
        for field in attrs.fields(type(value)):
            if field.eq:
                # Set past all checks: only the comparison is asked.
                changed = copy.copy(value)
                object.__setattr__(changed, field.name, "another")
                assert changed != value, field.name

    @pytest.mark.parametrize("name", VALUES)
    @pytest.mark.parametrize(
        "through",
        [
            copy.copy,
            copy.deepcopy,
            *(
                lambda value, protocol=protocol: pickle.loads(pickle.dumps(value, protocol))  # noqa: S301
                for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
            ),
        ],
    )
    def test_come_back_equal(self, name: str, through: Callable[[Any], Any]) -> None:
        value = made(VALUES[name])
        back = through(value)
        assert type(back) is type(value)
        assert back == value
        assert repr(back) == repr(value)
        assert str(back) == str(value)
        if not isinstance(value, Exception):
            assert attrs.asdict(back, recurse=False) == attrs.asdict(value, recurse=False)

    def test_of_two_kinds_are_never_equal(self) -> None:
        for one, other in combinations([made(entry) for entry in VALUES.values()], 2):
            assert one != other


class TestErrors:
    """Frozen attrs values, positional fields, equal by value, taking add_note."""

    @pytest.mark.parametrize("name", ERRORS)
    def test_are_frozen(self, name: str) -> None:
        error = made(VALUES[name])
        for field in attrs.fields(type(error)):
            assert not field.kw_only
            with pytest.raises(attrs.exceptions.FrozenInstanceError):
                setattr(error, field.name, None)

    def test_the_base_is_equal_by_what_it_is_given(self) -> None:
        assert ca.CourseAssignmentsError("a") == ca.CourseAssignmentsError("a")
        assert ca.CourseAssignmentsError("a") != ca.CourseAssignmentsError("b")


def test_a_repository_of_ones_own_is_known_by_its_three_methods() -> None:
    assert issubclass(ca.Repository, Protocol)
    public = {name for name in vars(ca.Repository) if not name.startswith("_")}
    assert public == {"get", "find", "commit"}


def test_the_clock_of_the_system_is_aware() -> None:
    assert ca.system_clock() > START
