"""Records go out and come back the same, and nothing else comes in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from course_assignments import (
    Activity,
    ActivityKind,
    Addition,
    CompletionStatus,
    Direct,
    FromKey,
    FromSubscription,
    Months,
    Note,
    Opening,
    Pause,
    Role,
    Term,
)
from course_assignments.assignments import Origin
from course_assignments.serialization import make_converter

CONVERTER = make_converter()
NINE = datetime(2026, 1, 5, 9, tzinfo=UTC)
LAB = Activity(id="lab", name="A lab", kind=ActivityKind.LAB)


@pytest.mark.parametrize(
    ("kind", "value", "data"),
    [
        (
            tuple[Activity, ...],
            (LAB,),
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
        (tuple[Addition, ...], (Addition("more", 3),), [{"id": "more", "keys": 3}]),
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
        (Term, Months(6), "P6M"),
        (Term | None, Months(6), "P6M"),
        (Term | None, None, None),
        (Term, timedelta(hours=24), "PT24H"),
        (timedelta, timedelta(hours=24), "PT24H"),
        (Months, Months(6), "P6M"),
        (datetime, NINE, "2026-01-05T09:00:00.000000Z"),
        (datetime | None, None, None),
        (CompletionStatus, CompletionStatus.INCOMPLETE, 10),
        (tuple[tuple[str, str], ...], (("why", "moved"),), {"why": "moved"}),
        (bool, True, True),
        (int, 3, 3),
    ],
)
def test_each_declared_type_of_a_part_goes_out_and_comes_back(
    kind: Any, value: object, data: object
) -> None:
    assert CONVERTER.unstructure(value, unstructure_as=kind) == data
    assert CONVERTER.structure(data, kind) == value
