"""Every list has a limit, every event fits into one JSON document, and a refusal costs little."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from importlib import import_module
from itertools import count
from json import dumps
from pkgutil import walk_packages
from typing import Any

import attrs
import pytest

import course_assignments as ca
from course_assignments.entities import codes
from course_assignments.entities.assignments import _claim_id
from course_assignments.reasons import KeyNotFound, NotesUsedUp, PausesUsedUp
from course_assignments.serialization import from_json, to_json
from course_assignments.text import clean
from tests.support.acts import GIVEN, NOTE, RUNNING
from tests.support.world import START, world

#: The most bytes of one character in UTF-8, and the longest id.
WIDEST, LONGEST = "\N{GRINNING FACE}", 200


def endless() -> Iterator[str]:
    """Yield ids, and fail where a caller goes on to read what it has to refuse."""
    for number in count():
        assert number < 2_000_000
        yield f"x-{number}"


#: A query takes a collection, and says so in its type.
ENDLESS: Any = endless()


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ca.InvalidInput) as caught:
        call()
    return caught.value.code, caught.value.field


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("course_ids", lambda of: of.assign_many(endless(), ["ada"])),
        ("learners", lambda of: of.assign_many(["py"], endless())),
        ("course_ids", lambda of: of.subscribe(endless(), "ada", duration=ca.Months(1))),
        ("learner_ids", lambda of: of.find_all(ca.AssignmentQuery(learner_ids=ENDLESS))),
        (
            "codes",
            lambda of: of.create_keys(
                "py",
                name="x",
                organization_id="acme",
                codes=endless(),
                availability=timedelta(days=1),
            ),
        ),
        ("activities", lambda _: ca.Course(id="x", name="X", activities=endless())),  # type: ignore[arg-type]
        ("ids", lambda of: of.repository.get(ca.User, endless())),
    ],
)
def test_an_endless_list_is_refused(field: str, call: Callable[[ca.Registrar], object]) -> None:
    registrar, _ = world()
    assert refusal(lambda: call(registrar)) == ("too_many", field)


def test_a_roster_may_have_a_million_pairs() -> None:
    ids = [f"x-{number}" for number in range(1000)]
    registrar, _ = world()
    with pytest.raises(ca.NotFound) as caught:
        registrar.assign_many(ids, ids, by="nobody")
    assert (caught.value.kind, caught.value.id) == ("User", "nobody")
    assert refusal(lambda: registrar.assign_many([*ids, "y"], ids)) == ("too_many", "learners")


def test_a_typed_code_has_a_limit() -> None:
    registrar, _ = world()
    long = "\N{ZERO WIDTH SPACE}" * 10_000
    assert registrar.may_redeem(long, "ada").reasons == (KeyNotFound(),)
    longer = long + "x"
    for call in (
        lambda: registrar.redeem(longer, "ada"),
        lambda: ca.KeyQuery(code=longer),
        lambda: codes.fold(longer),
        lambda: codes.is_mistyped(longer),
        lambda: clean(longer),
    ):
        assert refusal(call) == ("too_long", "code")
    assert refusal(lambda: ca.KeyQuery(codes=["Spring-2026", longer])) == ("too_long", "codes[1]")
    with pytest.raises(ca.InvalidInput) as caught:
        ca.read_codes(["Spring-2026", longer])
    assert [one.code for one in caught.value.errors] == ["too_long"]


def test_a_permission_is_asked_once_for_each_organization() -> None:
    asked: list[str | None] = []

    class Counting(ca.AuthorizationPolicy):
        def evaluate(self, actor: ca.User, **about: Any) -> ca.Decision:
            asked.append(about["organization_id"])
            return super().evaluate(actor, **about)

    registrar, _ = world(policies=ca.Policies(authorization=Counting()))
    people = newcomers(20)
    registrar.add(*people)
    learners = [*(one.id for one in people), "bo", "cy"]
    decision = registrar.may_assign_many(["py", "sql"], learners, by="manager")
    assert [reason.code for reason in decision.reasons] == ["organization_not_managed"] * 3
    # Nobody manages cy, who has none, and each of whose pairs is named.
    assert asked == ["acme", "beta", None, None] * 2  # a refusal is read twice


class TestEvents:
    """An event names at most a thousand records, so a reader can always store it as JSON."""

    def test_the_largest_event_fits_into_one_document(self) -> None:
        ids = [f"{number:04}" + WIDEST * (LONGEST - 4) for number in range(1000)]
        details = {"support_reason": WIDEST * 10_000}
        event = ca.Event(at=START, action="cancel", subject_ids=ids, details=details)
        assert from_json(to_json(event)) == event
        too_many = lambda: attrs.evolve(event, subject_ids=[*ids, "one more"])  # noqa: E731
        assert refusal(too_many) == ("too_many", "subject_ids")

    @pytest.mark.parametrize("number", [332, 333, 334, 1001])
    def test_a_roster_names_each_assignment_with_its_course_and_learner(self, number: int) -> None:
        registrar, _ = world()
        people = newcomers(number)
        registrar.add(*people)
        batch = registrar.assign_many(["py", "sql"], [one.id for one in people])
        events = [one for one in events_of(registrar) if one.action == "assign_many"]
        for event in events:
            to_json(event)
        named = [{*event.subject_ids} for event in events]
        for one in batch.created:
            assert any({one.id, one.course_id, one.learner_id} <= ids for ids in named)
        assert sum(map(len, named)) <= 3 * len(batch.created)

    def test_added_records_are_all_named(self) -> None:
        registrar, _ = world()
        people = newcomers(1001)
        before = len(events_of(registrar))
        registrar.add(*people)
        added = events_of(registrar)[before:]
        assert [len(event.subject_ids) for event in added] == [1000, 1]
        assert [id_ for event in added for id_ in event.subject_ids] == [one.id for one in people]

    def test_a_cancelled_subscription_is_named_with_each_of_its_assignments(self) -> None:
        registrar, _ = world()
        courses = [
            ca.Course(id=f"c-{n}", name="C", content_provider="u", publishing_group="a")
            for n in range(1000)
        ]
        registrar.add(*courses)
        ids = [one.id for one in courses]
        made = registrar.subscribe(ids, "ada", duration=ca.Months(1), id="s-9")
        opened = [registrar.open_course(made.id, one).id for one in ids]
        before = len(events_of(registrar))
        registrar.cancel_subscription("s-9", support_reason="moved")
        first, second = events_of(registrar)[before:]
        assert first.subject_ids == ("s-9", *opened[:999])
        assert second.subject_ids == ("s-9", opened[999], "ada")
        assert first.details == second.details == (("support_reason", "moved"),)


def test_a_receipt_fits_into_one_document() -> None:
    registrar, _ = world()
    people = newcomers(1500)
    registrar.add(*people)
    ids = [one.id for one in people]
    registrar.assign_many(["py"], ids[:1200])
    call: dict[str, Any] = {"repeat": ca.Repeat.SKIP, "id": "up-7"}
    batch = registrar.assign_many(["py"], ids, **call)
    assert (len(batch.created), len(batch.skipped)) == (300, 1200)
    assert registrar.assign_many(["py"], ids, **call) == batch
    first = registrar.get(ca.Receipt, ca.Receipt.id_for("assign_many", "up-7"))
    second = registrar.get(ca.Receipt, ca.Receipt.id_for("assign_many", "up-7", 1))
    assert (len(first.skipped), len(second.skipped), first.parts) == (1000, 200, 2)
    longest = tuple(f"{number:04}" + WIDEST * (LONGEST - 4) for number in range(1000))
    largest = attrs.evolve(first, skipped=longest)
    assert from_json(to_json(largest)) == largest


def test_an_attempt_has_at_most_a_thousand_pauses() -> None:
    """Each pause is stored with all earlier ones, so their number must not grow without end."""
    registrar, clock = world()
    attempt = registrar.start(registrar.assign("py", "ada").id, "lab")
    paused = [ca.Pause(clock(), clock())] * 999
    repository: Any = registrar.repository
    almost = attrs.evolve(attempt, pauses=paused)
    repository.commit(ca.Change(replace=[ca.Replace(attempt, almost)]))
    registrar.resume(registrar.pause(attempt.id).id)
    decision = registrar.may_pause(attempt.id)
    assert decision == ca.Decision([PausesUsedUp(1000)])
    with pytest.raises(ca.Refused):
        registrar.pause(attempt.id)
    assert not registrar.finish(attempt.id).is_open
    too_many = [ca.Pause(START, START)] * 1001
    assert refusal(lambda: attrs.evolve(RUNNING, pauses=too_many)) == ("too_many", "pauses")


def test_an_assignment_has_at_most_a_thousand_notes() -> None:
    registrar, _ = world()
    made = registrar.assign("py", "ada")
    repository: Any = registrar.repository
    almost = attrs.evolve(made, notes=[NOTE] * 999)
    repository.commit(ca.Change(replace=[ca.Replace(made, almost)]))
    assert len(registrar.add_note(made.id, NOTE).notes) == 1000
    assert registrar.may_add_note(made.id, NOTE) == ca.Decision([NotesUsedUp(1000)])
    assert refusal(lambda: attrs.evolve(GIVEN, notes=[NOTE] * 1001)) == ("too_many", "notes")


def newcomers(number: int) -> list[ca.User]:
    return [
        ca.User(id=f"u-{n:04}", name="U", email=f"u{n}@example.org", organization_id="acme")
        for n in range(number)
    ]


def events_of(registrar: ca.Registrar) -> list[ca.Event]:
    found: Iterable[ca.Event] = ca.find_all(registrar.repository, ca.EventQuery(limit=10_000))
    return [*found]


WRITTEN = to_json(
    ca.Subscription(
        id="s-1",
        learner_id="ada",
        organization_id=None,
        course_ids=["py"],
        created_at=START,
        expires_at=START + timedelta(days=9),
    )
)


@pytest.mark.parametrize(
    "call",
    [
        lambda of, ids: of.subscribe(ids, "ada", duration=timedelta(days=9)),
        lambda of, ids: of.assign_many(["py"], ids),
        lambda _, ids: from_json(WRITTEN.replace('["py"]', dumps(ids))),
    ],
)
def test_an_error_names_at_most_500_elements(call: Callable[[ca.Registrar, Any], object]) -> None:
    registrar, _ = world()
    with pytest.raises(ca.InvalidInput) as caught:
        call(registrar, [*range(600)])
    assert len(caught.value.errors) == 500
    assert len({one.field for one in caught.value.errors}) == 500


def test_every_cache_has_a_limit() -> None:
    """What has none is called with classes of the library only."""
    cached: dict[str, int | None] = {}
    for module in walk_packages(ca.__path__, "course_assignments."):
        if not module.name.startswith("course_assignments.testing"):
            for name, one in vars(import_module(module.name)).items():
                if type(one) is type(_claim_id):
                    cached[name] = one.cache_parameters()["maxsize"]
    assert {name for name, most in cached.items() if most is None} == {
        "_fields",
        "_filters",
        "_form",
        "_default_tables",
    }
    assert cached["_claim_id"] == 1000
