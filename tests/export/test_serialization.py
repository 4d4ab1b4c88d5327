"""Records as JSON: written in one form, read back unchanged, and nothing else is accepted."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from functools import partial, reduce
from operator import delitem, getitem
from pathlib import Path
from typing import Any, TypeAlias, get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.entities.assignments import Origin
from course_assignments.serialization import (
    VERSION,
    from_json,
    read_value,
    to_json,
    write_value,
)
from course_assignments.testing.strategies import STRATEGIES
from course_assignments.validation import MAX_COUNT
from tests.support.junk import HOSTILE, HOSTILE_STRING
from tests.support.values import refusal

#: All that a storage keeps: the kinds of records, and events.
KEPT: tuple[type[Any], ...] = (*get_args(ca.Record), ca.Event)

#: The path to a part of a JSON value.
Path_: TypeAlias = tuple[str | int, ...]

GOLDEN = Path(__file__).parents[1] / "golden"
NINE = datetime(2026, 1, 5, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)

CLAIM = ca.Claim(id="claim-1", learner_id="zoe", course_id="py", assignment_id="a-1")

#: One record of each kind with every field set; `PARTS` has the form of each type.
EXAMPLES: tuple[ca.Record | ca.Event, ...] = tuple(
    from_json(path.read_text(encoding="utf-8")) for path in sorted(GOLDEN.glob("*.json"))
)

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: type(one).__name__)


def records(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Draw a record of *kind*; an event may hold any string without lone surrogates."""
    if kind is not ca.Event:
        return STRATEGIES[kind]()
    strings = st.text(st.characters(exclude_categories=["Cs"]))
    more = st.fixed_dictionaries(
        {
            "position": st.integers(0, MAX_COUNT),
            "subject_ids": st.lists(strings, max_size=4),
            "details": st.dictionaries(strings, strings, max_size=4),
        }
    )
    return st.builds(
        lambda event, fields: attrs.evolve(event, **fields), STRATEGIES[ca.Event](), more
    )


ANY_RECORD = st.sampled_from(KEPT).flatmap(records)


def enveloped(kind: object, data: object, version: object = VERSION) -> str:
    return json.dumps({"type": kind, "version": version, "data": data})


def data_of(record: ca.Record | ca.Event) -> Any:
    return json.loads(to_json(record))["data"]


def refused(kind: type[Any], data: object) -> ca.InvalidInput:
    return refusal(lambda: from_json(enveloped(kind.__name__, data)))


def steps(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Yield *value* and each part of it, with its path."""
    yield path, value
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from steps(inner, (*path, step))


def changed(value: Any, path: Path_, change: Callable[[Any, Any], None]) -> Any:
    """Return a copy of *value*; *change* is called with the parent of *path* and its last step."""
    copy = deepcopy(value)
    *parents, last = path
    change(reduce(getitem, parents, copy), last)
    return copy


def put(new: object, parent: Any, step: Any) -> None:
    parent[step] = new


def written(path: Path_) -> str:
    """Return *path* as an error names it; the details of an event are one path."""
    known = path[:1] if path[:1] == ("details",) else path
    return "data" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in known)


def read(text: Any) -> ca.Record | ca.Event | ca.InvalidInput:
    """Return the record in *text*, or the `InvalidInput`; any other exception propagates."""
    try:
        return from_json(text)
    except ca.InvalidInput as error:
        return error


class TestRoundTrip:
    @pytest.mark.parametrize("kind", KEPT)
    @given(data=st.data())
    def test_a_record_and_each_field_are_read_back_unchanged(
        self, kind: type[Any], data: st.DataObject
    ) -> None:
        record = data.draw(records(kind))
        text = to_json(record)
        again = from_json(text)
        assert type(again) is kind
        assert again == record
        assert to_json(again) == text
        plain = write_value(record, kind)
        assert json.loads(json.dumps(plain)) == plain
        assert read_value(plain, kind) == record
        for field in attrs.fields(kind):
            value = getattr(record, field.name)
            assert read_value(write_value(value, field.type), field.type) == value

    def test_a_set_is_sorted(self) -> None:
        # The order of a set is that of hashes, which differ from one process to the next.
        ids = [f"o-{number}" for number in range(50)]
        users = [
            ca.User(id="u", name="U", email="u@example.org", managed_organization_ids=one)
            for one in (frozenset(ids), frozenset(reversed(ids)))
        ]

        assert to_json(users[0]) == to_json(users[1])
        assert data_of(users[0])["managed_organization_ids"] == sorted(ids)


PARTS: list[tuple[Any, object, object]] = [
    (
        tuple[ca.Activity, ...],
        (ca.Activity(id="lab", name="A lab", kind=ca.ActivityKind.LAB),),
        [{"id": "lab", "name": "A lab", "kind": "lab", "required": False}],
    ),
    (tuple[ca.Note, ...], (), []),
    (
        tuple[ca.Note, ...],
        (ca.Note(title="t", message="m"),),
        [{"title": "t", "message": "m", "high_importance": False}],
    ),
    (
        tuple[ca.Pause, ...],
        (ca.Pause(NINE),),
        [{"paused_at": "2026-01-05T09:00:00.000000Z", "resumed_at": None}],
    ),
    (
        tuple[ca.Opening, ...],
        (ca.Opening("py", "a-1"),),
        [{"course_id": "py", "assignment_id": "a-1"}],
    ),
    (tuple[str, ...], ("b", "a"), ["b", "a"]),
    (frozenset[str], frozenset({"b", "a"}), ["a", "b"]),
    (frozenset[ca.Role], frozenset(ca.Role), sorted(role.value for role in ca.Role)),
    (Origin, ca.Direct(), {"type": "Direct"}),
    (
        Origin,
        ca.FromKey("spring", "r-1"),
        {"type": "FromKey", "batch_id": "spring", "redemption_id": "r-1"},
    ),
    (Origin, ca.FromSubscription("s-1"), {"type": "FromSubscription", "subscription_id": "s-1"}),
    (ca.Duration, ca.Months(6), "P6M"),
    (ca.Duration, timedelta(hours=24), "PT24H"),
    (ca.Duration | None, ca.Months(6), "P6M"),
    (ca.Duration | None, None, None),
    (timedelta, timedelta(days=2), "P2D"),
    (ca.Months, ca.Months(6), "P6M"),
    (datetime, NINE, "2026-01-05T09:00:00.000000Z"),
    (datetime | None, None, None),
    (ca.CompletionStatus, ca.CompletionStatus.INCOMPLETE, 10),
    (ca.Repeat, ca.Repeat.SKIP, "skip"),
    (tuple[tuple[str, str], ...], (("a", "b"), ("why", "moved")), {"a": "b", "why": "moved"}),
    (str, "Ada", "Ada"),
    (bool, True, True),
    (int, 3, 3),
]


class TestPart:
    @pytest.mark.parametrize(("kind", "value", "data"), PARTS)
    def test_is_written_and_read_back_by_its_type(
        self, kind: Any, value: object, data: object
    ) -> None:
        assert write_value(value, kind) == data
        assert read_value(data, kind) == value

    def test_that_is_a_datetime_has_the_zone_utc(self) -> None:
        assert read_value("2026-01-05T09:00:00.000000Z", datetime).tzinfo is UTC
        elsewhere = NINE.astimezone(timezone(5 * HOUR))
        assert write_value(elsewhere, datetime) == "2026-01-05T09:00:00.000000Z"
        naive = refusal(lambda: write_value(NINE.replace(tzinfo=None), datetime))
        assert (naive.code, naive.field) == ("naive_datetime", "value")

    @pytest.mark.parametrize(
        ("kind", "others", "code"),
        [
            (int, ["3", 3.0, True], "wrong_type"),
            (bool, [1, "true"], "wrong_type"),
            (str, [3, b"Ada"], "wrong_type"),
            (datetime, [NINE, 0], "wrong_type"),
            (ca.Duration, [180], "invalid_duration"),
            (timedelta, ["P6M"], "wrong_type"),
            (ca.Months, ["P2D"], "wrong_type"),
            (tuple[str, ...], ["ab", ("a", "b"), {"a": "b"}], "wrong_type"),
            (frozenset[str], [{"a"}], "wrong_type"),
            (Origin, ["Direct"], "wrong_type"),
            (tuple[tuple[str, str], ...], [[["why", "moved"]]], "wrong_type"),
            (ca.CompletionStatus, [False, 10.0, "10", 20], "unknown_value"),
        ],
    )
    def test_of_another_type_is_not_converted(
        self, kind: Any, others: list[object], code: str
    ) -> None:
        for other in others:
            error = refusal(lambda given=other: read_value(given, kind))  # type: ignore[misc]
            assert (error.code, error.field) == (code, "value")
            assert kind is not ca.CompletionStatus or error.hint.startswith(
                "expected one of 0, 10, 30, got "
            )

    def test_that_is_wrong_is_named_by_its_path(self) -> None:
        wrong = ["lab", {"id": "talk"}]
        errors = [
            refusal(lambda: read_value("3", int)),
            refusal(lambda: read_value(wrong, tuple[ca.Activity, ...])),
            refusal(lambda: read_value(wrong[1:], tuple[ca.Activity, ...])),
        ]

        assert [error.field for error in errors] == ["value", "[0]", "[0].name"]


class TestFormat:
    """If a golden file must change, the format needs a new version."""

    @each_example
    def test_is_the_golden_file_to_the_byte(self, example: ca.Record | ca.Event) -> None:
        golden = (GOLDEN / f"{type(example).__name__}.json").read_bytes()

        assert f"{to_json(example)}\n".encode() == golden

    def test_has_a_golden_file_for_every_kind(self) -> None:
        assert {type(example) for example in EXAMPLES} == set(KEPT)
        names = {f"{kind.__name__}.json" for kind in KEPT}
        assert {path.name for path in GOLDEN.glob("*.json")} == names

    @each_example
    def test_has_a_value_for_every_field(self, example: ca.Record | ca.Event) -> None:
        for field in attrs.fields(type(example)):
            assert getattr(example, field.name) != field.default

    def test_is_one_line_with_its_keys_sorted(self) -> None:
        assert to_json(CLAIM) == (
            '{"data":{"assignment_id":"a-1","course_id":"py","id":"claim-1","learner_id":"zoe"},'
            '"type":"Claim","version":1}'
        )


class TestKey:
    """Each key of each object in the golden files; the details of an event may have any key."""

    @each_example
    def test_that_is_missing_is_refused(self, example: ca.Record | ca.Event) -> None:
        data = data_of(example)
        for path, _ in steps(data):
            if not path or isinstance(path[-1], int) or path[0] == "details":
                continue
            error = refused(type(example), changed(data, path, delitem))
            code = "unknown_type" if path[-1] == "type" else "missing_key"
            assert (error.code, error.field) == (code, written(path))

    @each_example
    def test_that_is_unknown_is_refused(self, example: ca.Record | ca.Event) -> None:
        data = data_of(example)
        for path, value in steps(data):
            if isinstance(value, dict) and path != ("details",):
                more = changed(data, (*path, "Spring-2026"), partial(put, None))
                error = refused(type(example), more)
                assert (error.code, error.field) == ("unknown_key", written(path))
                assert "Spring-2026" not in str(error)

    @each_example
    def test_with_a_value_of_another_type_is_refused(self, example: ca.Record | ca.Event) -> None:
        data = data_of(example)
        for path, value in steps(data):
            others: tuple[object, ...] = (True, 1, 1.0, "1", [], {}, str(value))
            for other in others:
                if path and type(other) is not type(value):
                    error = refused(type(example), changed(data, path, partial(put, other)))
                    assert error.field.startswith(written(path))

    @each_example
    def test_without_a_value_is_refused_or_read_as_none(
        self, example: ca.Record | ca.Event
    ) -> None:
        data = data_of(example)
        for path, _ in steps(data):
            if not path:
                continue
            text = enveloped(type(example).__name__, changed(data, path, partial(put, None)))
            record = read(text)
            if isinstance(record, ca.InvalidInput):
                assert record.field.startswith(written(path))
            else:
                assert data_of(record) == json.loads(text)["data"]


def evolved(kind: type[Any], **changes: object) -> Any:
    """Return the example of *kind*, changed."""
    found: list[Any] = [one for one in EXAMPLES if type(one) is kind]
    return attrs.evolve(found[0], **changes)


def example(kind: type[Any]) -> Any:
    """Return the data of the example of *kind*."""
    return data_of(evolved(kind))


def activity(kind: object) -> dict[str, object]:
    return {"id": "lab", "name": "A lab", "kind": kind, "required": True}


#: No or another zone, other precisions and separators, and datetimes that do not exist.
NOT_DATETIMES: list[object] = [
    *("2026-01-05T09:00:00.000000", "2026-01-05T09:00:00.000000+00:00", "2026-01-05", ""),
    *("2026-01-05T10:00:00.000000+01:00", "2026-01-05T09:00:00.000000z", "2026-01-05T09:00:00Z"),
    *("2026-01-05T09:00:00.000Z", "2026-01-05T09:00:00.0000001Z", "2026-01-05T09:00:00,000000Z"),
    *("2026-01-05 09:00:00.000000Z", "20260105T090000.000000Z", "2026-W02-1T09:00:00.000000Z"),
    *("2026-01-05T24:00:00.000000Z", "2026-01-05T09:00:60.000000Z", "2026-02-29T09:00:00.000000Z"),
    *("2026-01-05T09:00:00.000000Z\n", " 2026-01-05T09:00:00.000000Z"),
    "2026-01-05T09:00:00.00000\N{ARABIC-INDIC DIGIT ZERO}Z",
]
NOT_DURATIONS: list[object] = ["", "6", "P", "P1M1D", "P0D", "-P1D", "P101Y", "P1Y\n", "p6m"]
NOT_KINDS: list[object] = ["Lab", "LAB", "", "ActivityKind.LAB", None, 0, ["lab"]]
NOT_ORIGINS: list[object] = ["Nobody", "", None, 1, "direct", "CourseAssignment", []]
REPEATED = [activity("lab"), activity("lab")]
EARLY_PAUSE = {"paused_at": "2026-01-05T07:00:00.000000Z", "resumed_at": None}

#: Records with an invalid value: kind, key, values, and the code and path of the error.
REFUSED_VALUES: list[tuple[type[Any], str, list[object], str, str]] = [
    (ca.Redemption, "redeemed_at", NOT_DATETIMES, "invalid_instant", ""),
    (ca.Redemption, "redeemed_at", ["1969-12-31T23:59:59.999999Z"], "out_of_range", ""),
    (ca.Redemption, "redeemed_at", ["9900-01-01T00:00:00.000000Z"], "out_of_range", ""),
    (ca.KeyBatch, "availability", NOT_DURATIONS, "invalid_duration", ""),
    (ca.Course, "activities", [[activity(one)] for one in NOT_KINDS], "unknown_value", "[0].kind"),
    (ca.Course, "activities", [REPEATED], "repeated", "[1].id"),
    (
        ca.CourseAssignment,
        "origin",
        [{"type": one} for one in NOT_ORIGINS],
        "unknown_type",
        ".type",
    ),
    (ca.User, "roles", [["support", "support"]], "repeated", ""),
    (ca.User, "managed_organization_ids", [["a", "b", "a"]], "repeated", ""),
    (ca.CourseAssignment, "finished", [["lab", "lab"]], "repeated", ""),
    (ca.Attempt, "pauses", [[EARLY_PAUSE]], "out_of_order", "[0].paused_at"),
]


class TestValue:
    @pytest.mark.parametrize(("record", "key", "values", "code", "path"), REFUSED_VALUES)
    def test_that_is_invalid_is_refused_by_its_path(
        self, record: type[Any], key: str, values: list[object], code: str, path: str
    ) -> None:
        for value in values:
            error = refused(record, example(record) | {key: value})
            assert (error.code, error.field) == (code, f"data.{key}{path}")
            assert code != "unknown_value" or error.hint.startswith("expected one of lab, video, ")

    def test_of_a_set_may_be_in_any_order(self) -> None:
        turned = example(ca.User) | {"roles": ["support", "sales_manager"]}

        assert from_json(enveloped("User", turned)) in EXAMPLES

    @pytest.mark.parametrize("details", [{"why": "\ud800"}, {"\ud800": "why"}])
    def test_with_a_lone_surrogate_is_not_written_or_read(self, details: dict[str, str]) -> None:
        event = ca.Event(at=NINE, action="cancel", subject_ids=[], details=details)
        out = refusal(lambda: to_json(event))
        into = refused(ca.Event, example(ca.Event) | {"details": details})

        assert (out.code, out.field) == ("unprintable", "record.details")
        assert (into.code, into.field) == ("unprintable", "data.details")


@pytest.mark.parametrize("kind", [None, 7, "str", HOSTILE, object(), list])
def test_a_type_that_no_field_has_is_refused(kind: Any) -> None:
    for call in (read_value, write_value):
        error = refusal(lambda convert=call: convert("x", kind))  # type: ignore[misc]
        assert (error.code, error.field) == ("wrong_type", "kind")


def test_a_hostile_string_is_read_as_what_it_holds() -> None:
    text = HOSTILE_STRING(to_json(ca.Course(id="py", name="Python")))
    assert from_json(text) == ca.Course(id="py", name="Python")


class TestEnvelope:
    @pytest.mark.parametrize("version", [0, 2, -1, True, 1.0, "1", None, [1]])
    def test_of_another_version_is_refused(self, version: object) -> None:
        error = refusal(lambda: from_json(enveloped("Claim", example(ca.Claim), version)))

        assert (error.code, error.field) == ("unknown_version", "version")

    @pytest.mark.parametrize("kind", ["claim", "Change", "Note", "", None, 1, ["Claim"], {}])
    def test_of_another_type_is_refused(self, kind: object) -> None:
        error = refusal(lambda: from_json(enveloped(kind, example(ca.Claim))))

        assert (error.code, error.field) == ("unknown_type", "type")

    @pytest.mark.parametrize("key", ["type", "version", "data"])
    def test_that_lacks_a_key_is_refused(self, key: str) -> None:
        envelope = json.loads(to_json(CLAIM))
        del envelope[key]
        error = refusal(lambda: from_json(json.dumps(envelope)))

        assert (error.code, error.field) == ("missing_key", key)

    def test_with_more_keys_is_refused(self) -> None:
        envelope = json.loads(to_json(CLAIM)) | {"Spring-2026": 1}
        error = refusal(lambda: from_json(json.dumps(envelope)))

        assert (error.code, error.field) == ("unknown_key", "text")

    @pytest.mark.parametrize("text", ["[]", "null", '"Claim"', "1"])
    def test_that_is_not_an_object_is_refused(self, text: str) -> None:
        error = refusal(lambda: from_json(text))

        assert (error.code, error.field) == ("wrong_type", "text")

    @pytest.mark.parametrize("data", [None, [], "Claim", 1])
    def test_without_an_object_as_data_is_refused(self, data: object) -> None:
        assert refused(ca.Claim, data).field == "data"

    def test_of_a_derived_note_is_not_written(self) -> None:
        class Derived(ca.Note):
            pass

        noted = evolved(ca.CourseAssignment)
        object.__setattr__(noted, "notes", (Derived(title="t", message="m"),))  # past all checks
        error = refusal(lambda: to_json(noted))

        assert (error.code, error.field) == ("wrong_type", "record.notes[0]")

    def test_is_not_written_if_it_is_too_long_to_be_read(self) -> None:
        note = ca.Note(title="t", message="m" * 10_000)
        long = evolved(ca.CourseAssignment, notes=(note,) * 100)
        too_long = evolved(ca.CourseAssignment, notes=(note,) * 110)

        assert from_json(to_json(long)) == long
        assert refusal(lambda: to_json(too_long)).code == "too_large"


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["lab", "P6M", "2026-01-05T09:00:00.000000Z", "9999-12-31T23:59:59.999999Z"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text() | st.sampled_from(["type", "id", "name"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@st.composite
def nearly_records(draw: st.DrawFn) -> tuple[str, Any]:
    """Draw the name of a kind, and the data of such a record with junk in one place."""
    record = draw(st.sampled_from(EXAMPLES))
    data = data_of(record)
    path = draw(st.sampled_from([path for path, _ in steps(data) if path]))
    return type(record).__name__, changed(data, path, partial(put, draw(JUNK)))


class TestJunk:
    """Any input is read as a valid record, or refused with a short `InvalidInput`."""

    def check(self, text: Any) -> None:
        record = read(text)
        if isinstance(record, ca.InvalidInput):
            assert len(str(record)) <= 200
            assert str(record).isprintable()
            assert "Spring-2026" not in str(record)
        else:
            assert from_json(to_json(record)) == record

    @pytest.mark.parametrize(
        "inputs",
        [
            st.text() | st.binary() | JUNK,
            JUNK.map(json.dumps),
            st.builds(enveloped, st.sampled_from(KEPT).map(lambda kind: kind.__name__), JUNK),
            nearly_records().map(lambda nearly: enveloped(*nearly)),
        ],
        ids=["anything", "JSON", "an envelope", "nearly a record"],
    )
    @given(data=st.data())
    def test_is_refused_or_read_as_a_record(
        self, inputs: st.SearchStrategy[Any], data: st.DataObject
    ) -> None:
        self.check(data.draw(inputs))

    @given(st.sampled_from(EXAMPLES).map(to_json), st.data())
    def test_inside_the_string_of_a_record(self, text: str, data: st.DataObject) -> None:
        start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        self.check(text[:start] + data.draw(st.text(max_size=3)) + text[end:])

    @pytest.mark.parametrize(("kind", "_", "data"), PARTS)
    def test_for_a_part(self, kind: Any, _: object, data: object) -> None:
        @given(JUNK | st.just(data) | st.sets(st.text()) | st.builds(object))
        def is_read_or_refused(junk: object) -> None:
            try:
                value = read_value(junk, kind)
            except ca.InvalidInput:
                pass
            else:
                assert read_value(data, kind) == value or junk != data

        is_read_or_refused()


def parts_of(value: Any) -> Iterator[Any]:
    """Yield *value* and everything in it."""
    return (part for _, part in steps(value))


class TestDict:
    """A record as plain nested data: field name to value."""

    @given(ANY_RECORD)
    def test_has_every_field_as_plain_data(self, record: Any) -> None:
        data = ca.to_dict(record)

        assert [*data] == [field.name for field in attrs.fields(type(record))]
        plain = {dict, list, str, int, bool, datetime, type(None)}
        assert {type(part) for part in parts_of(data)} <= plain
        for part in parts_of(data):
            assert not isinstance(part, datetime) or part.tzinfo is UTC

    @given(ANY_RECORD)
    def test_is_like_json_except_for_datetimes_details_and_origins(self, record: Any) -> None:
        def written(value: Any) -> Any:
            match value:
                case datetime():
                    return write_value(value, datetime)
                case dict():
                    return {name: written(one) for name, one in value.items()}
                case list():
                    return [written(one) for one in value]
                case _:
                    return value

        data, wanted = written(ca.to_dict(record)), data_of(record)
        if isinstance(record, ca.Event):
            assert dict(data.pop("details")) == wanted.pop("details")
        if isinstance(record, ca.CourseAssignment):
            assert data["origin"] | {"type": type(record.origin).__name__} == wanted.pop("origin")
            del data["origin"]
        assert data == wanted

    @given(ANY_RECORD)
    def test_shares_nothing_mutable_with_the_record(self, record: Any) -> None:
        before = to_json(record)
        for part in parts_of(ca.to_dict(record)):
            if isinstance(part, dict | list):
                part.clear()
        assert to_json(record) == before
        assert ca.to_dict(record)

    def test_of_an_assignment(self) -> None:
        assert ca.to_dict(evolved(ca.CourseAssignment)) == {
            "id": "a-1",
            "learner_id": "zoe",
            "course_id": "py",
            "organization_id": "acme",
            "created_at": NINE,
            "expires_at": NINE + timedelta(days=180),
            "limited_by": "maximum",
            "origin": {"batch_id": "spring", "redemption_id": "r-1"},
            "first_lab_launched_at": NINE + HOUR,
            "started_at": NINE + HOUR,
            "completed_at": NINE + 2 * HOUR,
            "cancelled_at": NINE + 3 * HOUR,
            "finished": ["lab", "talk"],
            "notes": [
                {"title": "Renewal", "message": "Paid\nuntil June.", "high_importance": True}
            ],
        }
        assert ca.to_dict(evolved(ca.KeyBatch))["availability"] == "PT24H"
        assert ca.to_dict(evolved(ca.Event))["details"] == [
            ["activity_id", "lab"],
            ["support_reason", "moved"],
        ]


class Remark(ca.Claim):
    """A class derived from a record."""


@pytest.mark.parametrize("write", [to_json, ca.to_dict])
@pytest.mark.parametrize(
    "value",
    [
        *(None, "Claim", {}, ca.Direct(), ca.Claim, object(), [CLAIM], NINE),
        Remark(id="claim-1", learner_id="zoe", course_id="py", assignment_id="a-1"),
    ],
)
def test_only_records_are_written(write: Callable[[Any], object], value: Any) -> None:
    error = refusal(lambda: write(value))
    assert (error.code, error.field) == ("wrong_type", "record")
