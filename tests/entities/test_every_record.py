"""Every record: it is a value, has these defaults, and refuses invalid fields."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum
from typing import Any, TypeAlias

import attrs
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import example, given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments import commands
from course_assignments.testing.strategies import STRATEGIES, attempts, subscriptions
from tests.support.acts import BATCH, REDEMPTION, SUBSCRIPTION
from tests.support.acts import GIVEN as ASSIGNMENT
from tests.support.acts import RUNNING as ATTEMPT
from tests.support.junk import HOSTILE_STRING
from tests.support.rules import NAIVE, elsewhere
from tests.support.strategies import US, assignments, courses, keys, organizations, users, zones
from tests.support.values import assert_is_value, refusal

START = datetime(2026, 1, 5, 9, tzinfo=UTC)

ACME = ca.Organization(id="acme", name="Acme")
LAB = ca.Activity(id="lab", name="A lab", kind=ca.ActivityKind.LAB)
PYTHON = ca.Course(id="py", name="Python")
ADA = ca.User(id="ada", name="Ada", email="ada@example.org")
NOTE = ca.Note(title="Renewal", message="Paid until June.\nThen ask again.")
KEY = ca.TrainingKey(id="k-1", code="Spring-2026", batch_id="spring")
OPENING = ca.Opening("py", "a-1")
CLAIM = ca.Claim.of("ada", "py", "a-1")
ORIGIN = ca.FromKey("spring", "r-1")

#: Drawn records of every kind with datetimes or collections, and one of every other kind.
DRAWN: st.SearchStrategy[Any] = st.one_of(
    *(organizations(), courses(), users(), assignments(), attempts(), subscriptions()),
    keys().flatmap(st.sampled_from),
    st.sampled_from([LAB, NOTE, REDEMPTION, CLAIM, ca.AssignmentBatch(created=(ASSIGNMENT,))]),
)


class Word(str):
    """A string of a derived class, such as Django's ``SafeString`` or ``numpy.str_``."""

    __slots__ = ()


def derived(value: Any) -> Any:
    """Return *value* with every string in it of a derived class."""
    match value:
        case Enum():
            return value
        case str():
            return Word(value)
        case tuple():
            return [derived(one) for one in value]
        case frozenset():
            return frozenset(map(derived, value))
        case _:
            return value


def kinds_in(value: Any) -> set[type]:
    """Return the classes of all that *value* consists of."""
    parts: list[Any] = []
    if attrs.has(type(value)):
        parts = [getattr(value, at.name) for at in attrs.fields(type(value))]
    elif isinstance(value, tuple | frozenset):
        parts = [*value]
    return {type(value)}.union(*map(kinds_in, parts))


class TestStringsOfADerivedClass:
    """A record has plain strings only, so it is the same in every storage."""

    @given(st.sampled_from([*STRATEGIES]).flatmap(lambda kind: STRATEGIES[kind]()))
    def test_become_plain_in_every_field(self, record: Any) -> None:
        for one in record if isinstance(record, list) else [record]:
            fields = attrs.fields(type(one))
            given = {at.alias: derived(getattr(one, at.name)) for at in fields}
            made = type(one)(**given)
            assert made == one
            assert Word not in kinds_in(made)

    @given(st.sampled_from([*STRATEGIES]).flatmap(lambda kind: STRATEGIES[kind]()))
    def test_become_plain_in_a_hostile_one_too(self, record: Any) -> None:
        def hostile(value: Any) -> Any:
            plain = isinstance(value, str) and not isinstance(value, Enum)
            return HOSTILE_STRING(value) if plain else value

        for one in record if isinstance(record, list) else [record]:
            fields = attrs.fields(type(one))
            given = {at.alias: hostile(getattr(one, at.name)) for at in fields}
            assert type(one)(**given) == one


def subclass(kind: type) -> Callable[[Any], Any]:
    """Return what makes an instance of a subclass of *kind* from one of *kind*."""
    derived = type(f"Derived{kind.__name__}", (kind,), {})
    names = attrs.fields_dict(kind)
    return lambda value: derived(**{name: getattr(value, name) for name in names})


DerivedActivity, DerivedNote = subclass(ca.Activity), subclass(ca.Note)
DerivedPause, DerivedOpening = subclass(ca.Pause), subclass(ca.Opening)
DerivedMonths, DerivedOrigin = subclass(ca.Months), subclass(ca.Direct)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ca.Course(id="c", name="C", activities=[DerivedActivity(LAB)]),
        lambda: attrs.evolve(ASSIGNMENT, notes=[DerivedNote(NOTE)]),
        lambda: attrs.evolve(ASSIGNMENT, origin=DerivedOrigin(ca.Direct())),
        lambda: attrs.evolve(ATTEMPT, pauses=[DerivedPause(ca.Pause(START))]),
        lambda: attrs.evolve(SUBSCRIPTION, openings=[DerivedOpening(OPENING)]),
        lambda: ca.Course(id="c", name="C", maximum_access=DerivedMonths(ca.Months(3))),
        lambda: commands.Assign("py", "ada", note=DerivedNote(NOTE)),
        lambda: commands.Assign("py", "ada", expires=DerivedMonths(ca.Months(3))),
        lambda: commands.AddNote("a-1", DerivedNote(NOTE)),
    ],
)
def test_a_part_of_a_derived_class_is_refused(make: Callable[[], object]) -> None:
    """A storage would return its base class, which is not equal."""
    assert refusal(make).code in {"wrong_type", "invalid_duration"}


#: What a field is if it is not given; a field that is not listed is required.
DEFAULTS: dict[Any, dict[str, Any]] = {
    ACME: {
        "parent_id": None,
        "maximum_access": None,
        "time_zone": "UTC",
        "anonymous_registration": False,
    },
    LAB: {"required": False},
    PYTHON: {
        "content_provider": None,
        "publishing_group": None,
        "activities": (),
        "maximum_access": None,
        "archived": False,
    },
    ADA: {
        "organization_id": None,
        "roles": frozenset(),
        "managed_organization_ids": frozenset(),
    },
    ASSIGNMENT: {
        "first_lab_launched_at": None,
        "started_at": None,
        "completed_at": None,
        "cancelled_at": None,
        "finished": frozenset(),
        "notes": (),
    },
    NOTE: {"high_importance": False},
    BATCH: {
        "redeemable_from": None,
        "redeemable_until": None,
        "max_uses": 1,
        "any_organization": False,
        "size": 0,
    },
    KEY: {"number": 1, "uses": 0, "max_uses": 1, "revoked_at": None},
    REDEMPTION: {"restored_at": None},
    ATTEMPT: {"pauses": (), "finished_at": None},
    ca.Pause(START): {"resumed_at": None},
    SUBSCRIPTION: {"edited_at": None, "cancelled_at": None, "openings": ()},
    ca.AssignmentBatch(created=()): {"skipped": ()},
}


@given(DRAWN)
def test_is_a_value(record: Any) -> None:
    assert_is_value(record)


@pytest.mark.parametrize("record", [ca.Direct(), ORIGIN, ca.Pause(START), OPENING], ids=repr)
def test_a_small_value_takes_its_fields_by_position_too(record: Any) -> None:
    assert_is_value(record, keyword_only=False)


@given(DRAWN, zones())
def test_datetimes_in_any_zone_make_the_same_record(record: Any, zone: tzinfo) -> None:
    moved = {
        name: value.astimezone(zone)
        for name in attrs.fields_dict(type(record))
        if isinstance(value := getattr(record, name), datetime)
    }
    again = attrs.evolve(record, **moved)
    assert again == record
    assert {getattr(again, name).tzinfo for name in moved} <= {UTC}


@pytest.mark.parametrize("record", DEFAULTS, ids=lambda one: type(one).__name__)
def test_an_omitted_field_has_this_default(record: Any) -> None:
    fields = attrs.fields(type(record))
    required = [one.name for one in fields if one.default is attrs.NOTHING]
    made = type(record)(**{name: getattr(record, name) for name in required})
    optional = {one.name: getattr(made, one.name) for one in fields if one.name not in required}
    assert optional == DEFAULTS[record]


Refused: TypeAlias = list[tuple[Any, str]]

IDS: Refused = [
    *[("", "blank"), (" ", "blank"), ("a\nb", "unprintable"), ("a" * 201, "too_long")],
    *[(5, "not_a_text")],
]
NEEDED_IDS: Refused = [*IDS, (None, "not_a_text")]
NAMES: Refused = [
    *[("", "blank"), (" ", "blank"), ("a\0b", "unprintable"), ("a" * 501, "too_long")],
    *[(5, "not_a_text")],
]
NEEDED_NAMES: Refused = [*NAMES, (None, "not_a_text")]
DATETIMES: Refused = [
    *[(NAIVE, "naive_datetime"), ("2026-02-05", "not_a_datetime"), (5, "not_a_datetime")],
    *[(NAIVE.date(), "not_a_datetime"), (datetime(1969, 12, 31, tzinfo=UTC), "out_of_range")],
]
NEEDED_DATETIMES: Refused = [*DATETIMES, (None, "not_a_datetime")]
LATER: Refused = [*DATETIMES, (START - US, "before_creation")]
FLAGS: Refused = [(1, "not_a_flag"), ("yes", "not_a_flag"), (None, "not_a_flag")]
#: "blank or 1": None means 1 where a batch is created, and a record never has it.
COUNTS: Refused = [(junk, "invalid_count") for junk in (0, -1, True, 1.0, "1", None, 2**31)]
DURATIONS: Refused = [
    (junk, "invalid_duration")
    for junk in (
        *(timedelta(0), timedelta(days=36525, microseconds=1), 180, "P6M"),
        relativedelta(months=1, days=1),
    )
]
CODES: Refused = [
    (junk, "invalid_code")
    for junk in (
        *("", "a" * 65, "Spring 2026", "Früh-2026", " Spring-2026", "Spring-2026\n"),
        *("Spring-2026,5", "Spring;2026", "'Spring-2026", '"Spring-2026"', "Spring\u200b-2026"),
        *("\uff10" * 17, 20262026, None, b"Spring-2026"),
    )
]
ADDRESSES: Refused = [
    *[("", "blank"), (None, "not_a_text"), ("ada@" + "a" * 251, "too_long")],
    *[("ada@example.org\n", "unprintable")],
    *(
        (junk, "invalid_email")
        for junk in (
            *("ada", "@example.org", "ada@", "ada@b@example.org", "ada b@example.org"),
            *(
                "ada@example.org;",
                "<ada@example.org>",
                "mailto:ada@example.org",
                "ada@example.org.",
            ),
        )
    ),
    *[(" ada@example.org", "outer_white_space"), ("ada@example.org\u00a0", "outer_white_space")],
    *[("\ufeffada@example.org", "invisible_character")],
]


def not_a(*junk: Any) -> Refused:
    """Say that each of *junk* has the wrong type."""
    return [(one, "wrong_type") for one in junk]


def not_a_list(*junk: Any) -> Refused:
    """Say that each of *junk* is not a list."""
    return [(one, "not_a_list") for one in junk]


#: For each record and its fields, separated by spaces, the values that are refused.
REFUSED: dict[Any, dict[str, Refused]] = {
    ACME: {
        "id": NEEDED_IDS,
        "name": NEEDED_NAMES,
        "parent_id": [*IDS, ("acme", "own_parent")],
        "maximum_access": DURATIONS,
        "time_zone": [(zone, "unknown_time_zone") for zone in ("berlin", "", None, 1)],
        "anonymous_registration": FLAGS,
    },
    LAB: {
        "id": NEEDED_IDS,
        "name": NEEDED_NAMES,
        "kind": not_a("lab", None, "LAB"),
        "required": FLAGS,
    },
    PYTHON: {
        "id": NEEDED_IDS,
        "name": NEEDED_NAMES,
        "content_provider publishing_group": NAMES,
        "activities": not_a_list("lab", None, LAB),
        "maximum_access": DURATIONS,
        "archived": FLAGS,
    },
    ADA: {
        "id": NEEDED_IDS,
        "name": NEEDED_NAMES,
        "email": ADDRESSES,
        "organization_id": IDS,
        "roles": not_a_list("support", None, [[]]),
        "managed_organization_ids": [
            *not_a_list("acme", None),
            *[([""], "blank"), ([5], "not_a_text")],
        ],
    },
    ASSIGNMENT: {
        "id learner_id course_id": NEEDED_IDS,
        "organization_id": IDS,
        "created_at": NEEDED_DATETIMES,
        "expires_at": [
            *NEEDED_DATETIMES,
            *((end, "empty_window") for end in (START, START - US, elsewhere(START)[0])),
        ],
        "limited_by": not_a("maximum", None),
        "origin": not_a("direct", None),
        "first_lab_launched_at started_at completed_at cancelled_at": LATER,
        "finished": [*not_a_list("lab"), ([""], "blank")],
        "notes": not_a_list("note", NOTE),
    },
    NOTE: {
        "title": [*NEEDED_NAMES, ("a\nb", "unprintable")],
        "message": [
            *[(" \n", "blank"), ("a\0b", "unprintable"), ("a" * 10_001, "too_long")],
            *[(None, "not_a_text")],
        ],
        "high_importance": FLAGS,
    },
    ORIGIN: {"batch_id redemption_id": NEEDED_IDS},
    CLAIM: {"id learner_id course_id assignment_id": NEEDED_IDS},
    BATCH: {
        "id course_id organization_id": NEEDED_IDS,
        "name": NEEDED_NAMES,
        "created_at": NEEDED_DATETIMES,
        "redeemable_from redeemable_until": DATETIMES,
        "max_uses": COUNTS,
        "availability": [*DURATIONS, (None, "invalid_duration")],
        "any_organization": FLAGS,
        "size": [(junk, "invalid_count") for junk in (-1, True, None)],
    },
    KEY: {
        "id batch_id": NEEDED_IDS,
        "code": CODES,
        "number max_uses": COUNTS,
        "uses": [(junk, "invalid_count") for junk in (-1, 2, True, 0.0, None)],
        "revoked_at": DATETIMES,
    },
    REDEMPTION: {
        "id key_id batch_id learner_id assignment_id": NEEDED_IDS,
        "redeemed_at": NEEDED_DATETIMES,
        "restored_at": DATETIMES,
    },
    ATTEMPT: {
        "id assignment_id activity_id": NEEDED_IDS,
        "number": COUNTS,
        "started_at": NEEDED_DATETIMES,
        "finished_at": DATETIMES,
        "pauses": not_a_list("rest", None),
    },
    ca.Pause(START): {"paused_at": NEEDED_DATETIMES, "resumed_at": DATETIMES},
    SUBSCRIPTION: {
        "id learner_id": NEEDED_IDS,
        "organization_id": IDS,
        "course_ids": [*not_a_list("py", None), ([], "empty_list")],
        "created_at": NEEDED_DATETIMES,
        "expires_at": [
            *NEEDED_DATETIMES,
            *((end, "empty_window") for end in (START, START - US)),
        ],
        "edited_at cancelled_at": LATER,
        "openings": not_a_list("py"),
    },
    OPENING: {"course_id assignment_id": NEEDED_IDS},
}


@pytest.mark.parametrize(
    ("record", "field", "refused"),
    [
        pytest.param(record, field, refused, id=f"{type(record).__name__}.{field}")
        for record, fields in REFUSED.items()
        for names, refused in fields.items()
        for field in names.split()
    ],
)
def test_an_invalid_field_is_refused_by_name(record: Any, field: str, refused: Refused) -> None:
    for value, code in refused:
        error = refusal(lambda given=value: attrs.evolve(record, **{field: given}))  # type: ignore[misc]
        assert (error.code, error.field) == (code, field), value


def test_every_field_of_a_listed_record_has_refused_values() -> None:
    for record, fields in REFUSED.items():
        assert set(attrs.fields_dict(type(record))) == set(" ".join(fields).split())


@pytest.mark.parametrize(
    ("record", "field", "value", "path", "code"),
    [
        (PYTHON, "activities", [LAB, "lab"], "activities[1]", "wrong_type"),
        (ADA, "roles", ["support"], "roles[0]", "wrong_type"),
        (ASSIGNMENT, "notes", [NOTE, "note"], "notes[1]", "wrong_type"),
        (ATTEMPT, "pauses", [START], "pauses[0]", "wrong_type"),
        *((SUBSCRIPTION, "course_ids", ["py", junk], "course_ids[1]", code) for junk, code in IDS),
        (SUBSCRIPTION, "course_ids", ["py", "sql", "py"], "course_ids[2]", "repeated"),
        (SUBSCRIPTION, "course_ids", [[]], "course_ids[0]", "not_a_text"),
        (SUBSCRIPTION, "openings", [("py", "a-1")], "openings[0]", "wrong_type"),
    ],
)
def test_an_invalid_element_is_refused_by_its_position(
    record: Any, field: str, value: Any, path: str, code: str
) -> None:
    error = refusal(lambda: attrs.evolve(record, **{field: value}))
    assert (error.code, error.field) == (code, path)


@pytest.mark.parametrize(
    ("record", "field"),
    [
        *((ASSIGNMENT, name) for name in ("started_at", "completed_at", "cancelled_at")),
        *((ASSIGNMENT, "first_lab_launched_at"), (SUBSCRIPTION, "edited_at")),
        (SUBSCRIPTION, "cancelled_at"),
    ],
)
def test_a_change_may_happen_at_the_time_of_creation(record: Any, field: str) -> None:
    assert getattr(attrs.evolve(record, **{field: START}), field) == START


@pytest.mark.parametrize("record", [ASSIGNMENT, SUBSCRIPTION])
def test_access_may_last_a_microsecond(record: Any) -> None:
    assert attrs.evolve(record, expires_at=START + US).remaining_at(START) == US


def next_assignment_id(subscription_id: str, course_id: str) -> str:
    granted = attrs.evolve(SUBSCRIPTION, id=subscription_id, openings=())
    return granted.next_assignment_id(course_id)


#: How an id is derived, its parts, and the id that it has in every version.
DERIVED: list[tuple[Callable[..., str], tuple[Any, ...], str]] = [
    (
        ca.Claim.id_for,
        ("ada", "py"),
        "derived-5b51c33aa096f431f62bc500f45df460a6e7ff3c882a1534714585caacc155d1",
    ),
    (
        ca.Attempt.id_for,
        ("a-1", "lab", 1),
        "derived-dc244e419dfced9d941c996f5ba177c99579f216d81ee9a0ce704ba3626d9083",
    ),
    (
        ca.Redemption.id_for,
        ("Spring-2026", "ada", 0),
        "derived-fdd61023149f7451e2c65ba0a8fe4895f88e42a85847902910ed4e89aaf0d82a",
    ),
    (
        next_assignment_id,
        ("s-1", "py"),
        "derived-3cef184ef412f15e2b699b36d9b012a498ba4134155ce7dc729adedc02682131",
    ),
]
parts = st.tuples(*[st.text("12r", min_size=1, max_size=3)] * 2, st.integers(1, 20))


@pytest.mark.parametrize(("derive", "known", "id_"), DERIVED)
class TestDerivedIds:
    """A record that may exist only once has an id derived from what makes it unique."""

    def test_are_the_same_in_every_version(
        self, derive: Callable[..., str], known: tuple[Any, ...], id_: str
    ) -> None:
        assert derive(*known) == id_

    @given(one=parts, other=parts)
    @example(one=("12", "r", 1), other=("1", "2r", 1))
    @example(one=("1", "r1", 1), other=("1", "r", 11))
    @example(one=("1", "r", 1), other=("1", "r", 2))
    def test_are_the_same_only_for_the_same_parts(
        self,
        derive: Callable[..., str],
        known: tuple[Any, ...],
        id_: str,
        one: tuple[Any, ...],
        other: tuple[Any, ...],
    ) -> None:
        one, other = one[: len(known)], other[: len(known)]
        assert (derive(*one) == derive(*other)) == (one == other)
        assert len(derive(*one)) == len(id_)


MEMBERS: dict[type[Enum], dict[str, Any]] = {
    ca.Role: {
        "COMPANY_TRAINING_MANAGER": "company_training_manager",
        "ENROLLMENT_MANAGER": "enrollment_manager",
        "OPERATIONS_MANAGER": "operations_manager",
        "SALES_MANAGER": "sales_manager",
        "SUPPORT": "support",
    },
    ca.Permission: {
        "ASSIGN_COURSES": "assign_courses",
        "MANAGE_KEYS": "manage_keys",
        "MANAGE_USERS": "manage_users",
        "MANAGE_COURSES": "manage_courses",
        "MANAGE_ORGANIZATIONS": "manage_organizations",
        "SUPPORT": "support",
    },
    ca.ActivityKind: {
        kind.upper(): kind
        for kind in ("lab", "video", "scorm", "lti", "link", "assessment", "document")
    },
    ca.AssignmentStatus: {
        status.upper(): status for status in ("scheduled", "active", "expired", "cancelled")
    },
    ca.CompletionStatus: {"NOT_STARTED": 0, "INCOMPLETE": 10, "COMPLETE": 30},
    ca.Repeat: {"ALLOW": "allow", "SKIP": "skip", "REFUSE": "refuse"},
    # Of equal limits the first in this order wins.
    ca.ExpirationLimit: {
        limit.upper(): limit
        for limit in (
            *("request", "key", "subscription", "course", "organization", "maximum", "default"),
            "support",
        )
    },
}


@pytest.mark.parametrize("kind", MEMBERS)
def test_the_members_of_an_enum_have_these_values_in_this_order(kind: type[Enum]) -> None:
    assert [(one.name, one.value) for one in kind] == list(MEMBERS[kind].items())
