"""Assignments: facts with their instants, and what follows from them at any instant."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import (
    AssignmentBatch,
    AssignmentStatus,
    Claim,
    CompletionStatus,
    CourseAssignment,
    Direct,
    ExpirationLimit,
    FromKey,
    Note,
    Repeat,
)
from tests.support.strategies import US, assignments, instants, zones
from tests.support.values import assert_is_value, refusal

DAY = timedelta(days=1)
CREATED = datetime(2026, 1, 5, 9, tzinfo=UTC)
ASSIGNMENT = CourseAssignment(
    id="a-1",
    learner_id="ada",
    course_id="py",
    organization_id=None,
    created_at=CREATED,
    expires_at=CREATED + 180 * DAY,
    limited_by=ExpirationLimit.MAXIMUM,
    origin=Direct(),
)
NOTE = Note(title="Renewal", message="Paid until June.\nThen ask again.")
NAIVE = datetime.fromisoformat("2026-02-05")
LATER_FACTS = ("first_lab_launched_at", "started_at", "completed_at", "cancelled_at")


def plain_status(assignment: CourseAssignment, at: datetime) -> str:
    """Say it after the sentence, on bare numbers.

    SCHEDULED before `created_at`, CANCELLED from `cancelled_at`, EXPIRED from `expires_at`, else
    ACTIVE.
    """
    now, created, expires, cancelled = (
        (instant - datetime(1970, 1, 1, tzinfo=UTC)) // US if instant else None
        for instant in (at, assignment.created_at, assignment.expires_at, assignment.cancelled_at)
    )
    assert now is not None
    assert created is not None
    assert expires is not None
    if now < created:
        return "scheduled"
    if cancelled is not None and now >= cancelled:
        return "cancelled"
    return "expired" if now >= expires else "active"


def edges(assignment: CourseAssignment) -> list[datetime]:
    """Return the instants at which something changes, each with its neighbours."""
    around = [assignment.created_at, assignment.expires_at, assignment.cancelled_at]
    return [edge + step for edge in around if edge for step in (-US, timedelta(0), US)]


class TestStatus:
    """State is derived, not stored; windows are half-open."""

    @given(assignments(), instants(), zones())
    def test_follows_from_the_datetimes_at_every_edge_and_elsewhere(
        self, assignment: CourseAssignment, elsewhere: datetime, zone: tzinfo
    ) -> None:
        for at in [*edges(assignment), elsewhere.astimezone(UTC)]:
            expected = plain_status(assignment, at)
            for asked in (at, at.astimezone(zone)):
                assert assignment.status_at(asked) is AssignmentStatus(expected)
                assert assignment.is_active_at(asked) is (expected == "active")
                left = assignment.expires_at - at if expected == "active" else timedelta(0)
                assert assignment.remaining_at(asked) == left

    @pytest.mark.parametrize(
        ("passed", "status"),
        [
            (-US, AssignmentStatus.SCHEDULED),
            (timedelta(0), AssignmentStatus.ACTIVE),
            (US, AssignmentStatus.ACTIVE),
            (2 * DAY - US, AssignmentStatus.ACTIVE),
            (2 * DAY, AssignmentStatus.CANCELLED),
            (180 * DAY - US, AssignmentStatus.CANCELLED),
            (180 * DAY, AssignmentStatus.CANCELLED),
        ],
    )
    def test_of_one_cancelled_after_two_days(
        self, passed: timedelta, status: AssignmentStatus
    ) -> None:
        cancelled = attrs.evolve(ASSIGNMENT, cancelled_at=CREATED + 2 * DAY)
        assert cancelled.status_at(CREATED + passed) is status

    @pytest.mark.parametrize(
        ("passed", "status", "left"),
        [
            (-US, AssignmentStatus.SCHEDULED, timedelta(0)),
            (timedelta(0), AssignmentStatus.ACTIVE, 180 * DAY),
            (180 * DAY - US, AssignmentStatus.ACTIVE, US),
            (180 * DAY, AssignmentStatus.EXPIRED, timedelta(0)),
            (180 * DAY + US, AssignmentStatus.EXPIRED, timedelta(0)),
        ],
    )
    def test_of_one_that_runs_its_course(
        self, passed: timedelta, status: AssignmentStatus, left: timedelta
    ) -> None:
        assert ASSIGNMENT.status_at(CREATED + passed) is status
        assert ASSIGNMENT.remaining_at(CREATED + passed) == left

    def test_of_one_cancelled_after_its_end_was_expired_before(self) -> None:
        late = attrs.evolve(ASSIGNMENT, cancelled_at=CREATED + 181 * DAY)
        assert late.status_at(CREATED + 181 * DAY - US) is AssignmentStatus.EXPIRED
        assert late.status_at(CREATED + 181 * DAY) is AssignmentStatus.CANCELLED

    @pytest.mark.parametrize("at", [NAIVE, date(2026, 2, 5), "2026-02-05", None])
    def test_needs_an_aware_datetime(self, at: Any) -> None:
        for ask in (ASSIGNMENT.status_at, ASSIGNMENT.is_active_at, ASSIGNMENT.remaining_at):
            assert refusal(lambda a=ask: a(at)).field == "at"  # type: ignore[misc]


@given(assignments())
def test_completion_is_another_axis_than_the_status(assignment: CourseAssignment) -> None:
    far = (assignment.started_at is not None) + 2 * (assignment.completed_at is not None)
    names = ["NOT_STARTED", "INCOMPLETE", "COMPLETE", "COMPLETE"]
    assert assignment.completion is CompletionStatus[names[far]]


@given(assignments())
def test_an_assignment_is_a_value(assignment: CourseAssignment) -> None:
    assert_is_value(assignment)
    for name in ("created_at", "expires_at", *LATER_FACTS):
        instant = getattr(assignment, name)
        assert instant is None or instant.tzinfo is UTC


@given(assignments(), zones())
def test_datetimes_in_any_zone_make_the_same_assignment(
    assignment: CourseAssignment, zone: tzinfo
) -> None:
    moved: dict[str, Any] = {
        name: instant.astimezone(zone)
        for name in ("created_at", "expires_at", *LATER_FACTS)
        if (instant := getattr(assignment, name)) is not None
    }
    assert attrs.evolve(assignment, **moved) == assignment


def test_what_is_not_said_has_not_happened() -> None:
    assert attrs.asdict(ASSIGNMENT, recurse=False) == {
        "id": "a-1",
        "learner_id": "ada",
        "course_id": "py",
        "organization_id": None,
        "created_at": CREATED,
        "expires_at": CREATED + 180 * DAY,
        "limited_by": ExpirationLimit.MAXIMUM,
        "origin": Direct(),
        "first_lab_launched_at": None,
        "started_at": None,
        "completed_at": None,
        "cancelled_at": None,
        "finished": frozenset(),
        "notes": (),
    }


def test_lists_are_kept_so_that_nobody_changes_them() -> None:
    notes, finished = [NOTE], {"lab"}
    given: dict[str, Any] = {"notes": notes, "finished": finished}
    assignment = attrs.evolve(ASSIGNMENT, **given)
    notes.clear()
    finished.clear()
    assert assignment.notes == (NOTE,)
    assert assignment.finished == frozenset({"lab"})
    assert_is_value(assignment)


@pytest.mark.parametrize(
    ("field", "value", "path", "code"),
    [
        *((name, "", name, "blank") for name in ("id", "learner_id", "course_id")),
        *((name, None, name, "not_a_text") for name in ("id", "learner_id", "course_id")),
        ("organization_id", "a" * 201, "organization_id", "too_long"),
        ("organization_id", 5, "organization_id", "not_a_text"),
        ("created_at", NAIVE, "created_at", "naive_datetime"),
        ("created_at", None, "created_at", "not_a_datetime"),
        ("expires_at", NAIVE, "expires_at", "naive_datetime"),
        ("expires_at", date(2026, 7, 1), "expires_at", "not_a_datetime"),
        ("expires_at", None, "expires_at", "not_a_datetime"),
        ("limited_by", "maximum", "limited_by", "wrong_type"),
        ("limited_by", None, "limited_by", "wrong_type"),
        ("origin", None, "origin", "wrong_type"),
        ("origin", "direct", "origin", "wrong_type"),
        *((name, NAIVE, name, "naive_datetime") for name in LATER_FACTS),
        *((name, 5, name, "not_a_datetime") for name in LATER_FACTS),
        *((name, CREATED - US, name, "before_creation") for name in LATER_FACTS),
        ("finished", "lab", "finished", "not_a_list"),
        ("finished", [""], "finished", "blank"),
        ("notes", "note", "notes", "not_a_list"),
        ("notes", NOTE, "notes", "not_a_list"),
        ("notes", [NOTE, "note"], "notes[1]", "wrong_type"),
    ],
)
def test_a_field_out_of_bounds_is_refused_by_its_name(
    field: str, value: Any, path: str, code: str
) -> None:
    changed: dict[str, Any] = {field: value}
    error = refusal(lambda: attrs.evolve(ASSIGNMENT, **changed))
    assert (error.code, error.field) == (code, path)


def test_it_ends_after_it_was_created() -> None:
    assert attrs.evolve(ASSIGNMENT, expires_at=CREATED + US).remaining_at(CREATED) == US
    for end in (CREATED, CREATED - US, CREATED.astimezone(ZoneInfo("Asia/Kathmandu"))):
        error = refusal(lambda at=end: attrs.evolve(ASSIGNMENT, expires_at=at))  # type: ignore[misc]
        assert (error.code, error.field) == ("empty_window", "expires_at")


@pytest.mark.parametrize("name", LATER_FACTS)
def test_nothing_happens_to_it_before_it_was_created_but_at_once_it_may(name: str) -> None:
    at_once: dict[str, Any] = {name: CREATED}
    assert getattr(attrs.evolve(ASSIGNMENT, **at_once), name) == CREATED


class TestNotes:
    def test_are_values(self) -> None:
        assert_is_value(NOTE)
        assert NOTE.high_importance is False

    @pytest.mark.parametrize(
        ("field", "value", "code"),
        [
            ("title", "", "blank"),
            ("title", "a\nb", "unprintable"),
            ("title", "a" * 501, "too_long"),
            ("title", None, "not_a_text"),
            ("message", " \n", "blank"),
            ("message", "a\0b", "unprintable"),
            ("message", "a" * 10_001, "too_long"),
            ("message", None, "not_a_text"),
            ("high_importance", 1, "not_a_flag"),
        ],
    )
    def test_are_refused_by_the_field_that_is_wrong(
        self, field: str, value: Any, code: str
    ) -> None:
        changed: dict[str, Any] = {field: value}
        error = refusal(lambda: attrs.evolve(NOTE, **changed))
        assert (error.code, error.field) == (code, field)


class TestOrigins:
    def test_are_values(self) -> None:
        assert_is_value(Direct(), keyword_only=False)
        assert_is_value(FromKey("spring", "r-1"), keyword_only=False)
        assert attrs.evolve(ASSIGNMENT, origin=FromKey("spring", "r-1")) != ASSIGNMENT

    @pytest.mark.parametrize("field", ["batch_id", "redemption_id"])
    def test_name_records_by_their_ids(self, field: str) -> None:
        changed: dict[str, Any] = {field: ""}
        error = refusal(lambda: attrs.evolve(FromKey("spring", "r-1"), **changed))
        assert (error.code, error.field) == ("blank", field)


class TestSeats:
    ids = st.text("ab", min_size=1, max_size=3)

    @given(ids, ids, ids, ids)
    def test_are_one_for_each_learner_and_course(
        self, learner: str, course: str, other_learner: str, other_course: str
    ) -> None:
        claims = Claim.of(learner, course, "a-1"), Claim.of(other_learner, other_course, "a-2")
        same = (learner, course) == (other_learner, other_course)
        assert (claims[0].id == claims[1].id) == same
        assert claims[0].id == Claim.id_for(learner, course)

    def test_have_an_id_that_stays_what_it_is_in_every_version(self) -> None:
        assert Claim.id_for("ada", "py") == (
            "5b51c33aa096f431f62bc500f45df460a6e7ff3c882a1534714585caacc155d1"
        )

    def test_are_values_that_say_whose_they_are(self) -> None:
        claim = Claim.of("ada", "py", "a-1")
        assert_is_value(claim)
        assert (claim.learner_id, claim.course_id, claim.assignment_id) == ("ada", "py", "a-1")

    @pytest.mark.parametrize("field", ["id", "learner_id", "course_id", "assignment_id"])
    def test_have_ids_only(self, field: str) -> None:
        changed: dict[str, Any] = {field: None}
        error = refusal(lambda: attrs.evolve(Claim.of("ada", "py", "a-1"), **changed))
        assert (error.code, error.field) == ("not_a_text", field)


def test_what_assigning_in_bulk_came_to_is_a_value() -> None:
    batch = AssignmentBatch(created=(ASSIGNMENT,))
    assert_is_value(batch)
    assert batch.skipped == ()


def test_the_words_for_assignments_are_these() -> None:
    assert [status.value for status in AssignmentStatus] == [
        "scheduled",
        "active",
        "expired",
        "cancelled",
    ]
    assert {status.name: int(status) for status in CompletionStatus} == {
        "NOT_STARTED": 0,
        "INCOMPLETE": 10,
        "COMPLETE": 30,
    }
    assert [repeat.value for repeat in Repeat] == ["allow", "skip", "refuse"]


def test_of_two_equal_limits_the_first_of_these_wins() -> None:
    assert [(limit.name, limit.value) for limit in ExpirationLimit] == [
        ("REQUEST", "request"),
        ("KEY", "key"),
        ("SUBSCRIPTION", "subscription"),
        ("COURSE", "course"),
        ("ORGANIZATION", "organization"),
        ("MAXIMUM", "maximum"),
        ("DEFAULT", "default"),
    ]
