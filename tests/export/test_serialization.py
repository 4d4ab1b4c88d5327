"""Records go out in one form and come back the same; nothing else comes in, and nothing leaks."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import (
    Activity,
    ActivityKind,
    Attempt,
    Claim,
    CompletionStatus,
    Course,
    CourseAssignment,
    Direct,
    Duration,
    Event,
    FromKey,
    FromSubscription,
    InvalidInput,
    KeyBatch,
    Months,
    Note,
    Opening,
    Pause,
    Record,
    Redemption,
    Repeat,
    Role,
    User,
    to_dict,
)
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
from tests.support.values import refusal

#: All that is kept: the kinds of records, and events.
KEPT: tuple[type[Any], ...] = (*get_args(Record), Event)

#: The way to something in a value of JSON.
Path_: TypeAlias = tuple[str | int, ...]

GOLDEN = Path(__file__).parents[1] / "golden"
NINE = datetime(2026, 1, 5, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)

CLAIM = Claim(id="claim-1", learner_id="zoe", course_id="py", assignment_id="a-1")

#: One record of each kind, every field of it filled in; `PARTS` says how each type is written.
EXAMPLES: tuple[Record | Event, ...] = tuple(
    from_json(path.read_text(encoding="utf-8")) for path in sorted(GOLDEN.glob("*.json"))
)

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: type(one).__name__)


def records(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Draw a record of *kind*; an event is stored, and may carry any text but lone surrogates."""
    if kind is not Event:
        return STRATEGIES[kind]()
    texts = st.text(st.characters(exclude_categories=["Cs"]))
    more = st.fixed_dictionaries(
        {
            "position": st.integers(0, MAX_COUNT),
            "subject_ids": st.lists(texts, max_size=4),
            "details": st.dictionaries(texts, texts, max_size=4),
        }
    )
    return st.builds(lambda event, fields: attrs.evolve(event, **fields), STRATEGIES[Event](), more)


ANY_RECORD = st.sampled_from(KEPT).flatmap(records)


def enveloped(kind: object, data: object, version: object = VERSION) -> str:
    return json.dumps({"type": kind, "version": version, "data": data})


def data_of(record: Record | Event) -> Any:
    return json.loads(to_json(record))["data"]


def refused(kind: type[Any], data: object) -> InvalidInput:
    return refusal(lambda: from_json(enveloped(kind.__name__, data)))


def steps(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Go through *value* and all that is in it, with the way there."""
    yield path, value
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from steps(inner, (*path, step))


def changed(value: Any, path: Path_, change: Callable[[Any, Any], None]) -> Any:
    """Return a copy of *value* in which *change* was made to what the last step leads out of."""
    copy = deepcopy(value)
    *way, last = path
    place = copy
    for step in way:
        place = place[step]
    change(place, last)
    return copy


def put(new: object, place: Any, step: Any) -> None:
    place[step] = new


def take(place: Any, step: Any) -> None:
    del place[step]


def written(path: Path_) -> str:
    """Return *path* as an error names it; what is in the details of an event is not told apart."""
    known = path[:1] if path[:1] == ("details",) else path
    return "data" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in known)


def read(text: Any) -> Record | Event | InvalidInput:
    """Return what *text* says, or why it is refused; fail if anything else comes of it."""
    try:
        return from_json(text)
    except InvalidInput as error:
        return error


class TestARoundTrip:
    @given(ANY_RECORD)
    def test_a_record_comes_back_the_same(self, record: Any) -> None:
        assert from_json(to_json(record)) == record

    @given(ANY_RECORD)
    def test_a_string_comes_back_the_same(self, record: Any) -> None:
        text = to_json(record)

        assert to_json(from_json(text)) == text

    @given(ANY_RECORD)
    def test_whatever_json_makes_of_the_data_it_stays_the_same(self, record: Any) -> None:
        data = write_value(record, type(record))

        assert json.loads(json.dumps(data)) == data
        assert read_value(data, type(record)) == record

    @pytest.mark.parametrize("kind", KEPT)
    def test_each_kind_is_drawn_and_comes_back(self, kind: type[Any]) -> None:
        @given(records(kind))
        def comes_back(record: Any) -> None:
            assert type(from_json(to_json(record))) is kind

        comes_back()

    def test_a_set_leaves_no_trace_of_how_it_was_made(self) -> None:
        # The order of a set is that of hashes, which differ from one process to the next.
        ids = [f"o-{number}" for number in range(50)]
        users = [
            User(id="u", name="U", email="u@example.org", managed_organization_ids=one)
            for one in (frozenset(ids), frozenset(reversed(ids)))
        ]

        assert to_json(users[0]) == to_json(users[1])
        assert data_of(users[0])["managed_organization_ids"] == sorted(ids)


PARTS: list[tuple[Any, object, object]] = [
    (
        tuple[Activity, ...],
        (Activity(id="lab", name="A lab", kind=ActivityKind.LAB),),
        [{"id": "lab", "name": "A lab", "kind": "lab", "required": False}],
    ),
    (tuple[Note, ...], (), []),
    (
        tuple[Note, ...],
        (Note(title="t", message="m"),),
        [{"title": "t", "message": "m", "high_importance": False}],
    ),
    (
        tuple[Pause, ...],
        (Pause(NINE),),
        [{"paused_at": "2026-01-05T09:00:00.000000Z", "resumed_at": None}],
    ),
    (
        tuple[Opening, ...],
        (Opening("py", "a-1"),),
        [{"course_id": "py", "assignment_id": "a-1"}],
    ),
    (tuple[str, ...], ("b", "a"), ["b", "a"]),
    (frozenset[str], frozenset({"b", "a"}), ["a", "b"]),
    (frozenset[Role], frozenset(Role), sorted(role.value for role in Role)),
    (Origin, Direct(), {"type": "Direct"}),
    (
        Origin,
        FromKey("spring", "r-1"),
        {"type": "FromKey", "batch_id": "spring", "redemption_id": "r-1"},
    ),
    (Origin, FromSubscription("s-1"), {"type": "FromSubscription", "subscription_id": "s-1"}),
    (Duration, Months(6), "P6M"),
    (Duration, timedelta(hours=24), "PT24H"),
    (Duration | None, Months(6), "P6M"),
    (Duration | None, None, None),
    (timedelta, timedelta(days=2), "P2D"),
    (Months, Months(6), "P6M"),
    (datetime, NINE, "2026-01-05T09:00:00.000000Z"),
    (datetime | None, None, None),
    (CompletionStatus, CompletionStatus.INCOMPLETE, 10),
    (Repeat, Repeat.SKIP, "skip"),
    (tuple[tuple[str, str], ...], (("a", "b"), ("why", "moved")), {"a": "b", "why": "moved"}),
    (str, "Ada", "Ada"),
    (bool, True, True),
    (int, 3, 3),
]


class TestAPart:
    @pytest.mark.parametrize(("kind", "value", "data"), PARTS)
    def test_goes_out_and_comes_back_as_the_type_it_is_declared_as(
        self, kind: Any, value: object, data: object
    ) -> None:
        assert write_value(value, kind) == data
        assert read_value(data, kind) == value

    @pytest.mark.parametrize("kind", KEPT)
    def test_of_any_field_can_be_kept_by_itself(self, kind: type[Any]) -> None:
        @given(records(kind))
        def can_be_kept(record: Any) -> None:
            for field in attrs.fields(kind):
                value = getattr(record, field.name)
                data = write_value(value, field.type)
                assert read_value(data, field.type) == value

        can_be_kept()

    def test_that_is_a_datetime_is_in_datetime_utc(self) -> None:
        assert read_value("2026-01-05T09:00:00.000000Z", datetime).tzinfo is UTC
        elsewhere = NINE.astimezone(timezone(5 * HOUR))
        assert write_value(elsewhere, datetime) == "2026-01-05T09:00:00.000000Z"
        naive = refusal(lambda: write_value(NINE.replace(tzinfo=None), datetime))
        assert (naive.code, naive.field) == ("naive_datetime", "value")

    @pytest.mark.parametrize(
        ("kind", "other"),
        [
            (int, "3"),
            (int, 3.0),
            (int, True),
            (bool, 1),
            (bool, "true"),
            (str, 3),
            (str, b"Ada"),
            (datetime, NINE),
            (datetime, 0),
            (Duration, 180),
            (tuple[str, ...], "ab"),
            (tuple[str, ...], ("a", "b")),
            (tuple[str, ...], {"a": "b"}),
            (frozenset[str], {"a"}),
            (Origin, "Direct"),
            (tuple[tuple[str, str], ...], [["why", "moved"]]),
        ],
    )
    def test_of_another_type_is_not_converted(self, kind: Any, other: object) -> None:
        error = refusal(lambda: read_value(other, kind))

        assert error.code == ("invalid_duration" if kind == Duration else "wrong_type")
        assert error.field == "value"

    def test_that_is_wrong_names_itself_where_nothing_else_is_known(self) -> None:
        wrong = ["lab", {"id": "talk"}]
        errors = [
            refusal(lambda: read_value("3", int)),
            refusal(lambda: read_value(wrong, tuple[Activity, ...])),
            refusal(lambda: read_value(wrong[1:], tuple[Activity, ...])),
        ]

        assert [error.field for error in errors] == ["value", "[0]", "[0].name"]


class TestTheFormat:
    """A file here that had to be changed means a new version of the format."""

    @each_example
    def test_is_pinned_to_the_byte(self, example: Record | Event) -> None:
        golden = (GOLDEN / f"{type(example).__name__}.json").read_bytes()

        assert f"{to_json(example)}\n".encode() == golden

    def test_is_pinned_for_every_kind(self) -> None:
        assert {type(example) for example in EXAMPLES} == set(KEPT)
        names = {f"{kind.__name__}.json" for kind in KEPT}
        assert {path.name for path in GOLDEN.glob("*.json")} == names

    @each_example
    def test_has_every_field_filled_in(self, example: Record | Event) -> None:
        for field in attrs.fields(type(example)):
            assert getattr(example, field.name) != field.default

    def test_is_one_line_with_its_keys_sorted(self) -> None:
        assert to_json(CLAIM) == (
            '{"data":{"assignment_id":"a-1","course_id":"py","id":"claim-1","learner_id":"zoe"},'
            '"type":"Claim","version":1}'
        )


class TestAKey:
    """Of every object in every golden text; the details of an event may have any."""

    @each_example
    def test_that_is_missing_is_refused(self, example: Record | Event) -> None:
        data = data_of(example)
        for path, _ in steps(data):
            if not path or isinstance(path[-1], int) or path[0] == "details":
                continue
            error = refused(type(example), changed(data, path, take))
            code = "unknown_type" if path[-1] == "type" else "missing_key"
            assert (error.code, error.field) == (code, written(path))

    @each_example
    def test_that_is_unknown_is_refused(self, example: Record | Event) -> None:
        data = data_of(example)
        for path, value in steps(data):
            if isinstance(value, dict) and path != ("details",):
                more = changed(data, (*path, "Spring-2026"), partial(put, None))
                error = refused(type(example), more)
                assert (error.code, error.field) == ("unknown_key", written(path))
                assert "Spring-2026" not in str(error)

    @each_example
    def test_with_a_value_of_another_type_is_refused(self, example: Record | Event) -> None:
        data = data_of(example)
        for path, value in steps(data):
            others: tuple[object, ...] = (True, 1, 1.0, "1", [], {}, str(value))
            for other in others:
                if path and type(other) is not type(value):
                    error = refused(type(example), changed(data, path, partial(put, other)))
                    assert error.field.startswith(written(path))

    @each_example
    def test_without_a_value_is_refused_or_has_none(self, example: Record | Event) -> None:
        data = data_of(example)
        for path, _ in steps(data):
            if not path:
                continue
            text = enveloped(type(example).__name__, changed(data, path, partial(put, None)))
            record = read(text)
            if isinstance(record, InvalidInput):
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


class TestAValue:
    @pytest.mark.parametrize(
        "text",
        [
            "2026-01-05T09:00:00.000000",
            "2026-01-05T09:00:00.000000+00:00",
            "2026-01-05T10:00:00.000000+01:00",
            "2026-01-05T09:00:00.000000z",
            "2026-01-05T09:00:00Z",
            "2026-01-05T09:00:00.000Z",
            "2026-01-05T09:00:00.0000001Z",
            "2026-01-05T09:00:00,000000Z",
            "2026-01-05 09:00:00.000000Z",
            "20260105T090000.000000Z",
            "2026-W02-1T09:00:00.000000Z",
            "2026-01-05T24:00:00.000000Z",
            "2026-01-05T09:00:60.000000Z",
            "2026-02-29T09:00:00.000000Z",
            "2026-01-05T09:00:00.000000Z\n",
            " 2026-01-05T09:00:00.000000Z",
            "2026-01-05T09:00:00.00000\N{ARABIC-INDIC DIGIT ZERO}Z",
            "2026-01-05",
            "",
        ],
    )
    def test_of_a_datetime_has_one_form(self, text: str) -> None:
        error = refused(Redemption, example(Redemption) | {"redeemed_at": text})

        assert (error.code, error.field) == ("invalid_instant", "data.redeemed_at")

    @pytest.mark.parametrize("text", ["1969-12-31T23:59:59.999999Z", "9900-01-01T00:00:00.000000Z"])
    def test_of_a_datetime_is_in_the_accepted_years(self, text: str) -> None:
        error = refused(Redemption, example(Redemption) | {"redeemed_at": text})

        assert (error.code, error.field) == ("out_of_range", "data.redeemed_at")

    @pytest.mark.parametrize(
        "text", ["", "6", "P", "P1M1D", "P0D", "-P1D", "P101Y", "P1Y\n", "p6m"]
    )
    def test_of_a_duration_is_iso_8601(self, text: str) -> None:
        error = refused(KeyBatch, example(KeyBatch) | {"availability": text})

        assert (error.code, error.field) == ("invalid_duration", "data.availability")

    @pytest.mark.parametrize(("kind", "text"), [(timedelta, "P6M"), (Months, "P2D")])
    def test_of_a_duration_has_the_requested_kind(self, kind: Any, text: str) -> None:
        error = refusal(lambda: read_value(text, kind))

        assert (error.code, error.field) == ("wrong_type", "value")

    @pytest.mark.parametrize("value", ["Lab", "LAB", "", "ActivityKind.LAB", None, 0, ["lab"]])
    def test_of_an_enum_is_one_of_its_own(self, value: object) -> None:
        activity = {"id": "lab", "name": "A lab", "kind": value, "required": True}
        error = refused(Course, example(Course) | {"activities": [activity]})

        assert (error.code, error.field) == ("unknown_value", "data.activities[0].kind")
        assert error.hint.startswith("expected one of lab, video, ")

    @pytest.mark.parametrize("value", [False, 10.0, "10", 20])
    def test_of_a_numbered_enum_is_its_number_itself(self, value: object) -> None:
        error = refusal(lambda: read_value(value, CompletionStatus))

        assert (error.code, error.hint) == ("unknown_value", "expected one of 0, 10, 30")

    @pytest.mark.parametrize("kind", ["Nobody", "", None, 1, "direct", "CourseAssignment", []])
    def test_of_an_origin_names_its_type(self, kind: object) -> None:
        error = refused(CourseAssignment, example(CourseAssignment) | {"origin": {"type": kind}})

        assert (error.code, error.field) == ("unknown_type", "data.origin.type")

    @pytest.mark.parametrize(
        ("kind", "key", "values"),
        [
            (User, "roles", ["support", "support"]),
            (User, "managed_organization_ids", ["a", "b", "a"]),
            (CourseAssignment, "finished", ["lab", "lab"]),
        ],
    )
    def test_of_a_set_is_not_repeated(self, kind: type[Any], key: str, values: object) -> None:
        error = refused(kind, example(kind) | {key: values})

        assert (error.code, error.field) == ("repeated", f"data.{key}")

    def test_of_a_set_may_stand_anywhere(self) -> None:
        turned = example(User) | {"roles": ["support", "sales_manager"]}

        assert from_json(enveloped("User", turned)) in EXAMPLES

    def test_that_the_record_itself_refuses_is_named_with_its_path(self) -> None:
        twice = [{"id": "lab", "name": "A lab", "kind": "lab", "required": True}] * 2
        error = refused(Course, example(Course) | {"activities": twice})
        pauses = [{"paused_at": "2026-01-05T07:00:00.000000Z", "resumed_at": None}]
        other = refused(Attempt, example(Attempt) | {"pauses": pauses})

        assert (error.code, error.field) == ("repeated", "data.activities[1].id")
        assert (other.code, other.field) == ("out_of_order", "data.pauses[0].paused_at")

    @pytest.mark.parametrize("details", [{"why": "\ud800"}, {"\ud800": "why"}])
    def test_that_no_file_can_hold_is_refused_both_ways(self, details: dict[str, str]) -> None:
        event = Event(at=NINE, action="cancel", subject_ids=[], details=details)
        out = refusal(lambda: to_json(event))
        into = refused(Event, example(Event) | {"details": details})

        assert (out.code, out.field) == ("unprintable", "record.details")
        assert (into.code, into.field) == ("unprintable", "data.details")


class TestAnEnvelope:
    @pytest.mark.parametrize("version", [0, 2, -1, True, 1.0, "1", None, [1]])
    def test_of_another_version_is_refused_with_a_code_of_its_own(self, version: object) -> None:
        error = refusal(lambda: from_json(enveloped("Claim", example(Claim), version)))

        assert (error.code, error.field) == ("unknown_version", "version")

    @pytest.mark.parametrize("kind", ["claim", "Change", "Note", "", None, 1, ["Claim"], {}])
    def test_of_another_type_is_refused(self, kind: object) -> None:
        error = refusal(lambda: from_json(enveloped(kind, example(Claim))))

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
    def test_that_is_no_object_is_refused(self, text: str) -> None:
        error = refusal(lambda: from_json(text))

        assert (error.code, error.field) == ("wrong_type", "text")

    @pytest.mark.parametrize("data", [None, [], "Claim", 1])
    def test_without_an_object_in_it_is_refused(self, data: object) -> None:
        assert refused(Claim, data).field == "data"

    @pytest.mark.parametrize("junk", [None, "Claim", Direct(), Claim, object(), [CLAIM]])
    def test_is_made_of_nothing_but_records(self, junk: Any) -> None:
        assert refusal(lambda: to_json(junk)).field == "record"

    def test_is_not_made_of_what_would_not_come_back_the_same(self) -> None:
        class Remark(Note):
            """A note that knows more."""

        noted = evolved(CourseAssignment, notes=(Remark(title="t", message="m"),))
        error = refusal(lambda: to_json(noted))

        assert (error.code, error.field) == ("wrong_type", "record.notes[0]")

    def test_is_not_made_longer_than_it_may_be_read(self) -> None:
        note = Note(title="t", message="m" * 10_000)
        long = evolved(CourseAssignment, notes=(note,) * 100)
        too_long = evolved(CourseAssignment, notes=(note,) * 110)

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
    """Draw the data of a record with junk put somewhere into it, and the name of its kind."""
    record = draw(st.sampled_from(EXAMPLES))
    data = data_of(record)
    path = draw(st.sampled_from([path for path, _ in steps(data) if path]))
    return type(record).__name__, changed(data, path, partial(put, draw(JUNK)))


class TestJunk:
    """Whatever is handed in, an `InvalidInput` is all that comes of it, or what it really says."""

    def check(self, text: Any) -> None:
        record = read(text)
        if isinstance(record, InvalidInput):
            assert len(str(record)) <= 200
            assert str(record).isprintable()
            assert "Spring-2026" not in str(record)
        else:
            assert from_json(to_json(record)) == record

    @given(st.text() | st.binary() | JUNK)
    def test_of_any_kind(self, junk: Any) -> None:
        self.check(junk)

    @given(JUNK.map(json.dumps))
    def test_that_is_json(self, text: str) -> None:
        self.check(text)

    @given(st.sampled_from(KEPT), JUNK)
    def test_in_an_envelope(self, kind: type[Any], junk: Any) -> None:
        self.check(enveloped(kind.__name__, junk))

    @given(nearly_records())
    def test_in_a_record(self, nearly: tuple[str, Any]) -> None:
        self.check(enveloped(*nearly))

    @given(st.sampled_from(EXAMPLES).map(to_json), st.data())
    def test_in_the_string_of_a_record(self, text: str, data: st.DataObject) -> None:
        start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        self.check(text[:start] + data.draw(st.text(max_size=3)) + text[end:])

    @pytest.mark.parametrize(("kind", "_", "data"), PARTS)
    def test_for_a_part(self, kind: Any, _: object, data: object) -> None:
        @given(JUNK | st.just(data) | st.sets(st.text()) | st.builds(object))
        def is_read_or_refused(junk: object) -> None:
            try:
                value = read_value(junk, kind)
            except InvalidInput:
                pass
            else:
                assert read_value(data, kind) == value or junk != data

        is_read_or_refused()


def parts_of(value: Any) -> Iterator[Any]:
    """Go through *value* and everything in it."""
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from parts_of(one)


class TestADict:
    """The record as plain nested data: field name to value."""

    @given(ANY_RECORD)
    def test_has_the_values_of_the_fields_and_nothing_but_plain_data(self, record: Any) -> None:
        data = to_dict(record)

        assert [*data] == [field.name for field in attrs.fields(type(record))]
        plain = {dict, list, str, int, bool, datetime, type(None)}
        assert {type(part) for part in parts_of(data)} <= plain
        for part in parts_of(data):
            assert not isinstance(part, datetime) or part.tzinfo is UTC

    @given(ANY_RECORD)
    def test_says_what_json_says_but_for_datetimes_details_and_origins(self, record: Any) -> None:
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

        data, wanted = written(to_dict(record)), data_of(record)
        if isinstance(record, Event):
            assert dict(data.pop("details")) == wanted.pop("details")
        if isinstance(record, CourseAssignment):
            assert data["origin"] | {"type": type(record.origin).__name__} == wanted.pop("origin")
            del data["origin"]
        assert data == wanted

    @given(ANY_RECORD)
    def test_shares_nothing_that_could_be_changed(self, record: Any) -> None:
        before = to_json(record)
        for part in parts_of(to_dict(record)):
            if isinstance(part, dict | list):
                part.clear()
        assert to_json(record) == before
        assert to_dict(record)

    def test_of_an_assignment(self) -> None:
        assert to_dict(evolved(CourseAssignment)) == {
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
        assert to_dict(evolved(KeyBatch))["availability"] == "PT24H"
        assert to_dict(evolved(Event))["details"] == [
            ["activity_id", "lab"],
            ["support_reason", "moved"],
        ]

    @pytest.mark.parametrize("junk", [None, "Claim", {}, Direct(), Claim, object(), [CLAIM], NINE])
    def test_is_made_of_nothing_but_records(self, junk: Any) -> None:
        error = refusal(lambda: to_dict(junk))

        assert (error.code, error.field) == ("wrong_type", "record")

    def test_is_not_made_of_what_is_derived_from_a_record(self) -> None:
        class Remark(Claim):
            """A claim that knows more."""

        remark = Remark(id="claim-1", learner_id="zoe", course_id="py", assignment_id="a-1")
        assert refusal(lambda: to_dict(remark)).code == "wrong_type"
