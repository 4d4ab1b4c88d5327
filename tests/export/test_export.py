"""Keys and assignments as CSV: the same values are read back, and no cell is a formula."""

import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from enum import Enum, StrEnum
from functools import partial
from pathlib import Path
from re import findall
from typing import Any, get_args
from unicodedata import normalize
from weakref import ref
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.entities.codes import check_symbol
from course_assignments.export import cells, columns, writer
from course_assignments.export.cells import escape_formula, write_cell
from tests.support.acts import GIVEN, KEY
from tests.support.strategies import any_ids, assignments, keys
from tests.support.values import refusal
from tests.support.world import START, world

DAY = timedelta(days=1)
US = timedelta(microseconds=1)

#: How this machine orders bytes, in the name of a codec.
ORDER = f"{sys.byteorder[0]}e"

#: The signs that a cell never begins with: plain, control characters, full-width and small.
SIGNS = "=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"

ASSIGNMENT = attrs.evolve(GIVEN, organization_id=None)
CODE = ca.ExportColumn[ca.TrainingKey]("code", lambda one: one.code)

ALL = (*columns.ASSIGNMENT_COLUMNS, "finished", "notes")


def hostile_strings() -> st.SearchStrategy[str]:
    """Draw a string, often of signs, quotes, separators and line breaks; no lone surrogates."""
    return st.text(SIGNS + "'\"',;| \u00a0\u200b\ufeffab1") | st.text(
        st.characters(exclude_categories=["Cs"])
    )


@st.composite
def full_assignments(draw: st.DrawFn) -> ca.CourseAssignment:
    """Draw an assignment with any ids and any origin, with or without notes."""
    ids = any_ids()
    titles = st.characters(exclude_categories=["Cc", "Cs"]).map("=\u200b{}x".format)
    note = st.builds(ca.Note, title=titles, message=st.just("=\n\t'\" ,;"))
    return attrs.evolve(
        draw(assignments()),
        id=draw(ids),
        learner_id=draw(ids),
        course_id=draw(ids),
        organization_id=draw(st.none() | ids),
        origin=draw(
            st.just(ca.Direct())
            | st.builds(ca.FromKey, ids, ids)
            | st.builds(ca.FromSubscription, ids)
        ),
        finished=draw(st.frozensets(ids, max_size=2)),
        notes=draw(st.lists(note, max_size=2)),
    )


@st.composite
def full_keys(draw: st.DrawFn) -> ca.TrainingKey:
    """Draw a key with a custom code of any characters, or with a generated code."""
    key, _ = draw(keys())
    printable = st.characters(
        min_codepoint=ord("!"), max_codepoint=ord("~"), exclude_characters="'\",;`"
    )
    custom = st.text("=+-@", min_size=8, max_size=12) | st.text(printable, min_size=8, max_size=9)
    generated = st.text("0123AXYZ", min_size=16, max_size=16)
    code = draw(custom | generated.map(lambda symbols: symbols + check_symbol(symbols)))
    return attrs.evolve(key, code=code, batch_id=draw(any_ids()))


def exported(records: Iterable[Any], **options: Any) -> str:
    stream = io.StringIO()
    ca.export_csv(records, stream, **options)
    return stream.getvalue()


def refused(records: Any, **options: Any) -> ca.InvalidInput:
    return refusal(lambda: exported(records, **options))


def raw_rows(text: str, delimiter: str = ",") -> list[list[str]]:
    """Return the cells as a spreadsheet gets them, with their apostrophes."""
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def rows(text: str, delimiter: str = ",") -> list[list[str]]:
    """Return the values that were exported."""
    return [[ca.read_cell(cell) for cell in row] for row in raw_rows(text, delimiter)]


def assert_no_formula(text: str, delimiter: str = ",") -> None:
    for row in raw_rows(text, delimiter):
        for cell in row:
            assert not cell.strip().startswith(tuple(SIGNS)), cell
            assert not cell.startswith(tuple(SIGNS)), cell


def datetime_or_none(cell: str) -> datetime | None:
    return datetime.fromisoformat(cell) if cell else None


def assignment_read(row: dict[str, str], notes: tuple[ca.Note, ...]) -> ca.CourseAssignment:
    """Return the assignment in *row*; its notes cannot be read back."""
    origins: dict[str, Callable[[], ca.Origin]] = {
        "direct": ca.Direct,
        "key": lambda: ca.FromKey(row["batch_id"], row["redemption_id"]),
        "subscription": lambda: ca.FromSubscription(row["subscription_id"]),
    }
    return ca.CourseAssignment(
        id=row["id"],
        learner_id=row["learner_id"],
        course_id=row["course_id"],
        organization_id=row["organization_id"] or None,
        created_at=datetime.fromisoformat(row["created_at"]),
        expires_at=datetime.fromisoformat(row["expires_at"]),
        limited_by=ca.ExpirationLimit(row["limited_by"]),
        origin=origins[row["origin"]](),
        first_lab_launched_at=datetime_or_none(row["first_lab_launched_at"]),
        started_at=datetime_or_none(row["started_at"]),
        completed_at=datetime_or_none(row["completed_at"]),
        cancelled_at=datetime_or_none(row["cancelled_at"]),
        finished=set(filter(None, row["finished"].split("\n"))),
        notes=notes,
    )


class TestReadingBack:
    """The `csv` module reads the same values back; no cell is a formula."""

    @given(st.lists(full_assignments(), min_size=1, max_size=2))
    def test_assignments(self, records: list[ca.CourseAssignment]) -> None:
        text = exported(records, columns=ALL)
        assert_no_formula(text)
        heading, *found = rows(text)
        assert heading == list(ALL)
        tables = [dict(zip(heading, row, strict=True)) for row in found]
        read = [assignment_read(row, one.notes) for row, one in zip(tables, records, strict=True)]
        assert read == records
        assert [ca.CompletionStatus[row["completion"].upper()] for row in tables] == [
            one.completion for one in records
        ]

    @given(st.lists(full_keys(), min_size=1, max_size=3))
    def test_keys(self, records: list[ca.TrainingKey]) -> None:
        text = exported(records)
        assert_no_formula(text)
        heading, *found = rows(text)
        assert heading == [
            *("id", "code", "batch_id", "number", "uses", "max_uses", "remaining_uses"),
            "revoked_at",
        ]
        expected = [
            (
                *(one.id, one.display_code, one.batch_id, one.number),
                *(one.uses, one.max_uses, one.remaining_uses),
            )
            for one in records
        ]
        assert [
            (id_, code, batch_id, *map(int, counts)) for id_, code, batch_id, *counts, _ in found
        ] == expected
        assert [datetime_or_none(row[-1]) for row in found] == [one.revoked_at for one in records]

    @given(st.lists(full_assignments(), min_size=1, max_size=3, unique_by=lambda one: one.id))
    def test_the_lines_and_totals_of_a_statement(self, records: list[ca.CourseAssignment]) -> None:
        lines = [ca.StatementLine.of(one) for one in records]
        start = min(one.created_at for one in lines)
        month = ca.Statement(
            start=start, end=max(one.created_at for one in lines) + US, lines=lines
        )
        text = exported(month.lines)
        assert_no_formula(text)
        heading, *found = rows(text)
        assert heading == list(columns.LINE_COLUMNS)
        assert [
            ca.StatementLine(
                organization_id=whose or None,
                course_id=course_id,
                learner_id=learner_id,
                assignment_id=assignment_id,
                created_at=datetime.fromisoformat(created),
                cancelled_at=datetime_or_none(cancelled),
            )
            for whose, course_id, learner_id, assignment_id, created, cancelled, _ in found
        ] == list(month.lines)
        assert [row[-1] == "true" for row in found] == [one.billable for one in month.lines]
        _, *totals = rows(exported(month.totals))
        assert [
            [whose or None, course, *map(int, counts)] for whose, course, *counts in totals
        ] == [list(attrs.astuple(one)) for one in month.totals]

    @given(any_ids(), st.lists(hostile_strings(), min_size=1), st.sampled_from(",;\t"))
    @example('=Sum, \'"total"; 1', ["=1"], ",")
    def test_custom_columns(self, title: str, strings: list[str], delimiter: str) -> None:
        remaining = iter(strings)
        own = ca.ExportColumn[ca.TrainingKey](title, lambda _: next(remaining))
        text = exported([KEY] * len(strings), columns=[own], delimiter=delimiter)
        assert_no_formula(text, delimiter)
        assert rows(text, delimiter) == [[title], *([one] for one in strings)]

    def test_a_file_on_disk(self, tmp_path: Path) -> None:
        path, strings = tmp_path / "keys.csv", ["a\r\nb", "a\nb", "a\rb", "\r", "\n", "é\u2028"]
        remaining = iter(strings)
        with path.open("w", newline="", encoding="utf-8") as file:
            own = ca.ExportColumn[ca.TrainingKey]("String", lambda _: next(remaining))
            assert ca.export_csv([KEY] * len(strings), file, columns=[own]) == len(strings)
        with path.open(newline="", encoding="utf-8") as file:
            assert [ca.read_cell(cell) for (cell,) in csv.reader(file)] == ["String", *strings]


class TestFormulas:
    """A cell never starts with a formula sign."""

    @pytest.mark.parametrize("module", [cells, writer])
    @pytest.mark.parametrize("sign", SIGNS[:4])
    def test_without_the_escape_a_cell_would_be_a_formula(
        self, module: Any, sign: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        own = ca.ExportColumn[ca.TrainingKey](f"{sign}1", lambda _: f"{sign}1")
        assert_no_formula(exported([KEY], columns=[own]))
        monkeypatch.setattr(module, "escape_formula", lambda text: text)
        with pytest.raises(AssertionError):
            assert_no_formula(exported([KEY], columns=[own]))

    @pytest.mark.parametrize("sign", SIGNS)
    def test_a_formula_sign_gets_an_apostrophe_in_front(self, sign: str) -> None:
        for string in (sign, f"{sign}1+1", sign * 2):
            assert escape_formula(string) == f"'{string}"

    @pytest.mark.parametrize(
        "string", ["\x0b1", "\x1b[31m", "\x7fa", "\x85a", "'tis", "''", "'=1", "\u22121"]
    )
    def test_so_do_control_characters_apostrophes_and_minus_signs(self, string: str) -> None:
        assert escape_formula(string) == f"'{string}"
        assert ca.read_cell(f"'{string}") == string

    @pytest.mark.parametrize("sign", "=+-@\uff1d\uff0b\uff0d\uff20")
    @pytest.mark.parametrize(
        "before",
        [
            *(" ", "  ", "\u00a0", "\u3000", "\u2028", "\u200b", "\ufeff"),
            *("\u034f", "\ufe0f", "\u115f", "\u3164", "\u2800", "\U000e0100"),
        ],
    )
    def test_an_invisible_character_does_not_hide_a_sign(self, before: str, sign: str) -> None:
        assert escape_formula(f"{before}{sign}1") == f"'{before}{sign}1"

    def test_every_unicode_form_of_a_sign_is_escaped(self) -> None:
        characters = map(chr, range(0x10000))
        forms = [
            one for one in characters if normalize("NFKC", one).startswith(("=", "+", "-", "@"))
        ]
        assert len(forms) > len(SIGNS)
        assert [one for one in forms if escape_formula(one) != f"'{one}"] == []

    @given(st.text() | hostile_strings())
    def test_a_cell_is_its_string_with_at_most_one_escape(self, text: str) -> None:
        assert escape_formula(text) in {text, f"'{text}"}
        assert ca.read_cell(escape_formula(text)) == text

    @pytest.mark.parametrize(
        "text",
        ["", "Ada", "ada@example.org", "1+1", " Ada", "\u200bAda", " ", "(=1)", "/=", "é", "#"],
    )
    def test_any_other_string_is_unchanged(self, text: str) -> None:
        assert escape_formula(text) == ca.read_cell(text) == text


class Level(StrEnum):
    """A string that is a member of an enum."""

    LOW = "-low"


class Odd(Enum):
    """Members with values that a cell can hold, and one that it cannot."""

    STRING = "'text"
    NONE = None
    LIST = ()


class TestCells:
    """Datetimes in UTC, durations in ISO 8601, members by value, `None` as empty."""

    @pytest.mark.parametrize(
        ("value", "cell"),
        [
            (None, ""),
            ("", ""),
            ("Ada", "Ada"),
            (True, "true"),
            (False, "false"),
            (0, "0"),
            (-1, "'-1"),
            (2**63 - 1, "9223372036854775807"),
            (type("Name", (str,), {})("=Ada"), "'=Ada"),
            (START, "2026-01-05T09:00:00+00:00"),
            (
                type("Timestamp", (datetime,), {})(2026, 1, 5, tzinfo=UTC),
                "2026-01-05T00:00:00+00:00",
            ),
            (START + US, "2026-01-05T09:00:00.000001+00:00"),
            (START.astimezone(ZoneInfo("Asia/Kathmandu")), "2026-01-05T09:00:00+00:00"),
            (date(2026, 1, 5), "2026-01-05"),
            (180 * DAY, "P180D"),
            (DAY, "PT24H"),
            (US, "PT0.000001S"),
            (timedelta(0), "PT0S"),
            (ca.Months(6), "P6M"),
            (ca.ExpirationLimit.MAXIMUM, "maximum"),
            (ca.CompletionStatus.INCOMPLETE, "10"),
            (Level.LOW, "'-low"),
            (Odd.STRING, "''text"),
            (Odd.NONE, ""),
        ],
    )
    def test_values(self, value: Any, cell: str) -> None:
        assert write_cell(value, "columns[0]") == cell

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            (1.0, "wrong_type"),
            (b"a", "wrong_type"),
            ([], "wrong_type"),
            (Odd.LIST, "wrong_type"),
            (object(), "wrong_type"),
            (2**63, "invalid_count"),
            (10**5000, "invalid_count"),
            (-US, "invalid_duration"),
            (START.replace(tzinfo=None), "naive_datetime"),
            (datetime(1969, 12, 31, tzinfo=UTC), "out_of_range"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_another_value_is_refused_with_its_column(self, value: Any, code: str) -> None:
        own = ca.ExportColumn[ca.TrainingKey]("Own", lambda _: value)
        error = refused([KEY], columns=["code", own])
        assert (error.code, error.field) == (code, "columns[1]")


class TestColumns:
    """An export has the columns and the order that the caller gives."""

    def test_are_the_given_ones_in_their_order(self) -> None:
        own = ca.ExportColumn[ca.CourseAssignment]("Status", lambda one: one.status_at(START))
        text = exported([ASSIGNMENT], columns=["expires_at", own, "id"])
        assert rows(text) == [
            ["expires_at", "Status", "id"],
            ["2026-07-04T09:00:00+00:00", "active", "a-1"],
        ]

    def test_records_keep_their_order_and_are_counted(self) -> None:
        records = [attrs.evolve(ASSIGNMENT, id=one) for one in "cab"]
        stream = io.StringIO()
        assert ca.export_csv(records, stream, columns=["id"]) == 3
        assert rows(stream.getvalue()) == [["id"], ["c"], ["a"], ["b"]]

    def test_do_not_include_notes_by_default(self) -> None:
        noted = attrs.evolve(ASSIGNMENT, notes=[ca.Note(title="Renewal", message="Paid.")])
        heading, row = rows(exported([noted]))
        assert heading == list(columns.ASSIGNMENT_COLUMNS)
        assert "Paid" not in "".join(row)

    def test_notes_are_written_with_their_importance(self) -> None:
        notes = [
            ca.Note(title="Renewal", message="Paid.\nUntil June.", high_importance=True),
            ca.Note(title="Call", message="Back."),
        ]
        noted = attrs.evolve(ASSIGNMENT, notes=notes)
        cell = "! Renewal: Paid.\nUntil June.\n\nCall: Back."
        assert rows(exported([noted], columns=["notes"])) == [["notes"], [cell]]

    def test_exist_for_every_field_of_a_record(self) -> None:
        assert set(attrs.fields_dict(ca.CourseAssignment)) <= set(ALL)
        assert set(attrs.fields_dict(ca.TrainingKey)) <= set(columns.KEY_COLUMNS)
        assert set(attrs.fields_dict(ca.StatementLine)) <= set(columns.LINE_COLUMNS)
        assert set(attrs.fields_dict(ca.StatementTotal)) <= set(columns.TOTAL_COLUMNS)

    def test_are_all_in_the_reference(self) -> None:
        page = Path(__file__).parents[2] / "docs" / "reference" / "export.md"
        listed = findall(r"(?m)^\| `(\w+)` \|", page.read_text(encoding="utf-8"))
        others = (columns.KEY_COLUMNS, columns.LINE_COLUMNS, columns.TOTAL_COLUMNS)
        assert listed == [*ALL, *(name for names in others for name in names)]

    def test_distinguish_every_origin(self) -> None:
        values: dict[type, ca.Origin] = {
            ca.Direct: ca.Direct(),
            ca.FromKey: ca.FromKey("spring", "r-1"),
            ca.FromSubscription: ca.FromSubscription("s-1"),
        }
        assert set(values) == set(get_args(ca.Origin))
        records = [attrs.evolve(ASSIGNMENT, origin=one) for one in values.values()]
        columns = ["origin", "batch_id", "redemption_id", "subscription_id"]
        assert rows(exported(records, columns=columns))[1:] == [
            ["direct", "", "", ""],
            ["key", "spring", "r-1", ""],
            ["subscription", "", "", "s-1"],
        ]

    def test_show_a_generated_code_in_groups(self) -> None:
        key = attrs.evolve(KEY, code="00000000000000012")
        found = rows(exported([key], columns=["code"]))
        assert found == [["code"], ["0000-0000-0000-0001-2"]]

    @pytest.mark.parametrize(
        ("records", "columns", "code", "field"),
        [
            *(([one], ["nothing"], "unknown_column", "columns[0]") for one in (ASSIGNMENT, KEY)),
            ([ASSIGNMENT], ["batch_id", "code"], "unknown_column", "columns[1]"),
            ([KEY], ["batch_id", "learner_id"], "unknown_column", "columns[1]"),
            ([], [""], "unknown_column", "columns[0]"),
            ([], ["batch_id", "learner_id", "code"], "unknown_column", "columns[2]"),
            *(
                ([KEY], columns, "repeated", "columns[1]")
                for columns in (["code", "code"], ["code", CODE], [CODE, CODE])
            ),
            ([KEY], [], "empty_list", "columns"),
            ([KEY], "code", "not_a_list", "columns"),
            ([KEY], ["code", None], "wrong_type", "columns[1]"),
            ([KEY], [lambda one: one.code], "wrong_type", "columns[0]"),
        ],
    )
    def test_are_a_list_of_distinct_known_names_or_columns(
        self, records: Any, columns: Any, code: str, field: str
    ) -> None:
        stream = io.StringIO()
        error = refusal(lambda: ca.export_csv(records, stream, columns=columns))
        assert (error.code, error.field) == (code, field)
        assert stream.getvalue() == ""

    def test_a_custom_column_has_a_title_and_a_function(self) -> None:
        titled: Any = ca.ExportColumn
        assert refusal(lambda: titled(" ", len)).field == "title"
        error = refusal(lambda: titled("Learner", "learner_id"))
        assert (error.code, error.field) == ("not_callable", "value")


class TestWithoutRecords:
    def test_the_given_columns_are_the_heading(self) -> None:
        own = ca.ExportColumn[ca.TrainingKey]("Course", lambda _: "py")
        stream, none = io.StringIO(), list[ca.TrainingKey]()
        assert ca.export_csv(none, stream, columns=[*columns.KEY_COLUMNS, own]) == 0
        assert rows(stream.getvalue()) == [[*columns.KEY_COLUMNS, "Course"]]
        assert rows(exported([], columns=ALL)) == [list(ALL)]
        assert rows(exported([], columns=[own])) == [["Course"]]

    def test_nothing_is_written_without_columns(self) -> None:
        assert exported(iter(()), encoding="utf-8-sig") == ""


class Log:
    """A stream and an iterator that log each call."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def write(self, text: str) -> None:
        self.events.append(f"wrote {text.strip()}")

    def records(self, ids: str) -> Iterator[ca.CourseAssignment]:
        for one in ids:
            self.events.append(f"asked for {one}")
            yield attrs.evolve(ASSIGNMENT, id=one)


class Gone(Exception):
    """An exception of the caller's own code."""


class TestOneByOne:
    """A million rows in constant memory, from any iterator."""

    def test_a_row_is_written_before_the_next_record_is_read(self) -> None:
        log = Log()
        assert ca.export_csv(log.records("abc"), log, columns=["id"]) == 3
        assert log.events == [
            *("asked for a", "wrote id", "wrote a"),
            *("asked for b", "wrote b"),
            *("asked for c", "wrote c"),
        ]

    def test_a_written_record_is_not_kept_in_memory(self) -> None:
        alive: list[ref[ca.CourseAssignment]] = []
        most = 0

        def made(number: int) -> ca.CourseAssignment:
            one = attrs.evolve(ASSIGNMENT, id=f"a-{number}")
            alive.append(ref(one))
            return one

        def records() -> Iterator[ca.CourseAssignment]:
            nonlocal most
            for number in range(50):
                most = max(most, len([one for one in alive if one() is not None]))
                yield made(number)

        assert ca.export_csv(records(), Log()) == 50
        # The first record, which determines the kind, and the previous one.
        assert most <= 2

    def test_the_records_of_every_page_are_written(self) -> None:
        registrar, _ = world()
        batch = registrar.create_keys(
            "py", name="Spring", organization_id="acme", availability=DAY, generate=5
        )
        found = ca.find_all(registrar.repository, ca.KeyQuery(batch_ids=[batch.id], limit=2))
        listed = [[key.display_code] for key in registrar.keys(batch.id)]
        assert len(listed) == 5
        assert rows(exported(found, columns=["code"])) == [["code"], *listed]

    def test_an_error_of_the_iterator_propagates_after_the_rows_before_it(self) -> None:
        def breaking() -> Iterator[ca.CourseAssignment]:
            yield ASSIGNMENT
            raise Gone

        stream = io.StringIO()
        with pytest.raises(Gone):
            ca.export_csv(breaking(), stream, columns=["id"])
        assert rows(stream.getvalue()) == [["id"], ["a-1"]]

    def test_an_error_of_a_column_or_of_the_stream_propagates(self) -> None:
        class Full:
            def write(self, text: str) -> None:
                raise Gone(text)

        def missing(_: ca.CourseAssignment) -> str:
            raise Gone

        with pytest.raises(Gone):
            exported([ASSIGNMENT], columns=[ca.ExportColumn("Name", missing)])
        with pytest.raises(Gone):
            ca.export_csv([ASSIGNMENT], Full())


class TestByteOrderMark:
    """With `utf-8-sig` there is exactly one."""

    def test_is_written_only_on_request(self) -> None:
        assert exported([KEY], columns=["code"]).startswith("code")
        assert exported([KEY], columns=["code"], encoding="utf-8-sig").startswith("\ufeffcode")

    @pytest.mark.parametrize(
        ("opened", "bare", "asked", "marks"),
        [
            ("utf-8", "utf-8", "utf-8", 0),
            ("utf-8", "utf-8", "utf-8-sig", 1),
            ("utf-8-sig", "utf-8", "utf-8", 1),
            ("utf-8-sig", "utf-8", "utf-8-sig", 1),
            ("UTF_8_SIG", "utf-8", "utf-8-sig", 1),
            ("utf-16", f"utf-16-{ORDER}", "utf-8-sig", 1),
            ("utf-16-le", "utf-16-le", "utf-8-sig", 1),
            ("utf-32", f"utf-32-{ORDER}", "utf-8-sig", 1),
        ],
    )
    def test_is_written_at_most_once_to_a_file(
        self, opened: str, bare: str, asked: Any, marks: int, tmp_path: Path
    ) -> None:
        path = tmp_path / "keys.csv"
        with path.open("w", newline="", encoding=opened) as file:
            ca.export_csv([KEY], file, columns=["code"], encoding=asked)
        text = path.read_bytes().decode(bare)
        assert text == "\ufeff" * marks + "code\r\nSpring-2026\r\n"

    @pytest.mark.parametrize("encoding", [None, 7, "no such encoding", "a\0b"])
    def test_is_written_to_a_stream_of_unknown_encoding(self, encoding: Any) -> None:
        stream = Log()
        vars(stream)["encoding"] = encoding
        ca.export_csv([KEY], stream, columns=["code"], encoding="utf-8-sig")
        assert stream.events[0] == "wrote \ufeff"


class TestInvalidInput:
    @pytest.mark.parametrize("stream", [None, "keys.csv", io.BytesIO(), io.StringIO, Path("a"), 7])
    def test_a_stream_is_a_text_stream(self, stream: Any) -> None:
        error = refusal(lambda: ca.export_csv([KEY], stream))
        assert (error.code, error.field) == ("wrong_type", "stream")

    def test_a_binary_file_is_refused(self, tmp_path: Path) -> None:
        for buffering in (0, -1):
            with (tmp_path / "keys.csv").open("wb", buffering=buffering) as file:
                stream: Any = file
                error = refusal(partial(ca.export_csv, [KEY], stream))
            assert error.field == "stream"

    @pytest.mark.parametrize("records", ["Spring-2026", b"a", None, 7, KEY])
    def test_records_are_iterable(self, records: Any) -> None:
        error = refused(records)
        assert (error.code, error.field) == ("not_a_list", "records")

    def test_an_iterable_that_fails_to_start_is_the_cause(self) -> None:
        class Closed:
            def __iter__(self) -> Iterator[ca.TrainingKey]:
                raise Gone

        error = refused(Closed())
        assert (error.code, error.field) == ("not_a_list", "records")
        assert isinstance(error.__cause__, Gone)

    @pytest.mark.parametrize("other", [None, "Spring-2026", START, ca.TrainingKey])
    @pytest.mark.parametrize("before", [[], [KEY]])
    def test_records_are_assignments_or_keys(self, before: list[Any], other: Any) -> None:
        error = refused([*before, other])
        assert (error.code, error.field) == ("wrong_type", f"records[{len(before)}]")

    def test_records_are_of_one_kind_and_earlier_rows_are_written(self) -> None:
        for one, other in ((KEY, ASSIGNMENT), (ASSIGNMENT, KEY)):
            stream = io.StringIO()
            records: Any = (one, other)
            error = refusal(partial(ca.export_csv, records, stream))
            assert (error.code, error.field) == ("wrong_type", "records[1]")
            assert len(rows(stream.getvalue())) == 2

    def test_records_of_a_derived_class_are_refused(self) -> None:
        class Derived(ca.TrainingKey):
            pass

        derived = Derived(id="k-1", code="Spring-2026", batch_id="a")
        for records in ([derived], [KEY, derived]):
            error = refused(records)
            assert (error.code, error.field) == ("wrong_type", f"records[{len(records) - 1}]")

    @pytest.mark.parametrize(
        ("option", "values"),
        [
            ("encoding", [None, "latin-1", "UTF-8", "", 7, b"utf-8"]),
            ("delimiter", [None, "", ",;", "|", "'", "\n", 7]),
        ],
    )
    def test_an_option_has_one_of_few_values(self, option: str, values: list[object]) -> None:
        for value in values:
            error = refused([KEY], **{option: value})
            assert (error.code, error.field) == ("wrong_type", option)


class TestAsText:
    """What a spreadsheet could read as a number or a date is kept as text where that is asked."""

    CODES = ("000123-1", "12345E67", "MAR-2026", "10-12-2026", "1/2/2026", "12:30:00", "+Spring-1")

    def keys(self) -> list[ca.TrainingKey]:
        return [
            ca.TrainingKey(id=f"{number}", code=code, batch_id="spring")
            for number, code in enumerate(self.CODES)
        ]

    def test_every_cell_of_the_column_gets_an_apostrophe(self) -> None:
        _, *found = rows_as_written(exported(self.keys(), columns=["code", "id"], as_text=["code"]))
        assert found == [[f"'{code}", str(at)] for at, code in enumerate(self.CODES)]

    def test_without_it_only_formulas_do(self) -> None:
        _, *found = rows_as_written(exported(self.keys(), columns=["code"]))
        assert [cell for (cell,) in found] == [*self.CODES[:-1], "'+Spring-1"]

    @given(st.lists(any_ids() | st.text("='+1", min_size=1), min_size=1))
    def test_reading_a_cell_undoes_it(self, strings: list[str]) -> None:
        remaining = iter(strings)
        column = ca.ExportColumn[ca.TrainingKey]("Text", lambda _: next(remaining))
        keys = [ca.TrainingKey(id="k", code="Spring-2026", batch_id="b")] * len(strings)
        _, *found = rows_as_written(exported(keys, columns=[column], as_text=["Text"]))
        assert all(cell.startswith("'") for (cell,) in found)
        assert [ca.read_cell(cell) for (cell,) in found] == strings

    def test_an_empty_cell_stays_empty(self) -> None:
        text = exported(self.keys()[:1], columns=["id", "revoked_at"], as_text=["revoked_at"])
        assert rows_as_written(text)[1] == ["0", ""]

    @pytest.mark.parametrize("junk", [["uses"], ["code", "Code"], [7], "code", None])
    def test_only_columns_of_the_file_can_be_named(self, junk: Any) -> None:
        stream = io.StringIO()
        with pytest.raises(ca.InvalidInput) as caught:
            ca.export_csv(self.keys(), stream, columns=["code"], as_text=junk)
        assert caught.value.field.startswith("as_text")
        assert stream.getvalue() == ""

    def test_without_columns_and_records_nothing_is_looked_for(self) -> None:
        assert exported([], as_text=["code"]) == ""


def rows_as_written(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))
