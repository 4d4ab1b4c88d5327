"""`id=` makes a command safe to retry: what it would make is there, or it is something else."""

from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import (
    AssignmentBatch,
    Conflict,
    Course,
    CourseAssignment,
    Decision,
    InvalidInput,
    KeyBatch,
    KeyQuery,
    Note,
    NotFound,
    Policies,
    Refused,
    Registrar,
    Repeat,
    RepeatPolicy,
    TrainingKey,
    User,
)
from tests.support.situations import Call, barged, error, events, hashed, made_by
from tests.support.world import ADA, PYTHON, SALES, START, contents, world

CODE = "Hand-made-1"
NEW = User(id="new", name="New", email="new@example.org")
DAY = timedelta(days=1)


def with_keys(**options: Any) -> Registrar:
    """Return a small world with batch b-1 of two hand-made keys, of two uses each."""
    registrar, _ = world(**options)
    registrar.add(SALES)
    make_keys(registrar)
    return registrar


TERMS: dict[str, Any] = {
    "course_id": "py",
    "name": "Keys",
    "organization_id": "acme",
    "availability": timedelta(days=30),
    "max_uses": 2,
    "any_organization": True,
    "codes": [CODE, "Hand-made-2"],
    "id": "b-1",
}


def make_keys(registrar: Registrar, **other: Any) -> KeyBatch:
    return registrar.create_keys(**{**TERMS, **other})


def key(registrar: Registrar) -> TrainingKey:
    return next(iter(registrar.find_all(KeyQuery(code=CODE))))


#: Each command that creates, in a form that can be repeated under the same id.
CREATING = (
    Call("assign", ("py", "ada"), {"id": "x-1", "expires": DAY}),
    Call("assign", ("py", "ada"), {"id": "x-1", "repeat": Repeat.REFUSE}),
    Call("assign_many", (["py", "sql"], ["ada", NEW, "bo"]), {"id": "x-1"}),
    Call("assign_many", (["py"], ["ada", "bo"]), {"id": "x-1", "repeat": Repeat.REFUSE}),
    Call("redeem", (CODE, "ada"), {"id": "x-1"}),
    Call("register", (CODE, NEW), {"id": "x-1"}),
    Call("add_keys", ("b-1",), {"id": "x-1", "codes": ["Fresh-code"], "generate": 2}),
    Call(
        "create_keys",
        ("py",),
        {
            "id": "x-1",
            "name": "More keys",
            "organization_id": "acme",
            "availability": DAY,
            "codes": ["Fresh-code"],
            "generate": 2,
        },
    ),
)


@pytest.mark.parametrize("step", CREATING, ids=lambda step: step.command)
class TestAgain:
    """If what it would make exists under that id with the same content, it is returned and nothing
    happens, no second use of the key. This check comes before any policy."""

    def test_a_second_time_it_returns_the_same_and_nothing_happens(self, step: Call) -> None:
        registrar = with_keys()
        first = step.on(registrar)
        before = contents(registrar.repository)
        assert step.asked_of(registrar) == Decision()
        assert step.on(registrar) == first
        assert contents(registrar.repository) == before

    def test_it_does_so_before_any_policy_is_asked(self, step: Call) -> None:
        registrar = with_keys()
        first = step.on(registrar)
        registrar.update(attrs.evolve(PYTHON, archived=True))
        registrar.revoke_keys("b-1")
        before = contents(registrar.repository)
        # Neither does it matter who asks: even someone unknown only asks what there is.
        for by in (None, "bo", "nobody"):
            again = attrs.evolve(step, kwargs={**step.kwargs, "by": by})
            assert again.asked_of(registrar) == Decision()
            assert again.on(registrar) == first
        assert contents(registrar.repository) == before

    def test_a_first_time_that_was_refused_left_nothing(self, step: Call) -> None:
        registrar = with_keys()
        registrar.update(attrs.evolve(PYTHON, archived=True))
        before = contents(registrar.repository)
        assert not step.asked_of(registrar)
        registrar.update(PYTHON)
        assert step.on(registrar)
        assert contents(registrar.repository) != before

    def test_two_at_once_under_one_id_get_one_and_the_same(self, step: Call) -> None:
        made: list[Any] = []
        registrar, _, repository = barged(lambda other: made.append(step.on(other)))
        registrar.add(SALES)
        make_keys(registrar)
        repository.open = True
        assert step.on(registrar) == made[0]
        assert repository.commits == 1
        # The keys of the small world were made before.
        assert [event.action for event in events(registrar)][3:] == [step.command]



class TestAssign:
    """The same content: learner, course and origin. If it differs, `Conflict` at once."""




    def test_under_skip_the_active_one_is_returned_under_its_own_id(self) -> None:
        registrar, _ = world()
        first = registrar.assign("py", "ada")
        for _ in range(2):
            assert registrar.assign("py", "ada", id="x-1", repeat=Repeat.SKIP) == first
        assert not registrar.repository.get(CourseAssignment, ["x-1"])


    def test_200_characters_are_an_id(self) -> None:
        registrar, _ = world()
        assert registrar.assign("py", "ada", id="x" * 200).id == "x" * 200


class TestAssignMany:
    """In bulk a prefix from which the ids of the pairs are made."""

    def test_the_ids_come_from_the_prefix_and_the_pair_alone(self) -> None:
        one, two = world()[0], world(new_id=lambda: "never drawn")[0]
        found = [
            one.assign_many(["py", "sql"], ["ada", "bo"], id="p-1").created,
            two.assign_many(["sql", "py"], ["bo", "ada"], id="p-1").created,
        ]
        assert {each.id for each in found[0]} == {each.id for each in found[1]}
        other = one.assign_many(["py"], ["ada"], id="p-2").created
        assert other[0].id not in {each.id for each in found[0]}

    def test_the_pairs_of_one_prefix_do_not_run_together(self) -> None:
        registrar, _ = world()
        registrar.add(
            attrs.evolve(PYTHON, id="a"),
            attrs.evolve(PYTHON, id="ab"),
            User(id="bc", name="bc", email="bc@x.org"),
            User(id="c", name="c", email="c@x.org"),
        )
        created = registrar.assign_many(["a", "ab"], ["bc", "c"], id="p").created
        assert len({one.id for one in created}) == 4




    @pytest.mark.parametrize("by_policy", [True, False])
    def test_what_was_skipped_is_skipped_again(self, *, by_policy: bool) -> None:
        policies = Policies(repeat=RepeatPolicy(Repeat.SKIP if by_policy else Repeat.ALLOW))
        registrar, clock = world(policies=policies)
        options: dict[str, Any] = (
            {"id": "p-1"} if by_policy else {"id": "p-1", "repeat": Repeat.SKIP}
        )
        held = registrar.assign("py", "bo", repeat=Repeat.ALLOW)
        batch = registrar.assign_many(["py"], ["ada", "bo"], **options)
        assert batch.skipped == (held,)
        clock.advance(DAY)
        before = contents(registrar.repository)
        assert registrar.assign_many(["py"], ["ada", "bo"], **options) == batch
        assert contents(registrar.repository) == before

    def test_a_newcomer_of_the_first_time_is_no_newcomer_of_the_second(self) -> None:
        registrar, _ = world()
        batch = registrar.assign_many(["py"], [NEW], id="p-1")
        registrar.update(attrs.evolve(NEW, name="Newer"))
        assert registrar.assign_many(["py"], [NEW], id="p-1") == batch

    @given(
        st.lists(st.sampled_from(["py", "sql"]), min_size=1, max_size=3),
        st.lists(st.sampled_from(["ada", "bo", "cy"]), min_size=1, max_size=4),
        st.sampled_from(Repeat),
        st.lists(st.sampled_from(["ada", "bo"]), max_size=2),
    )
    def test_twice_is_once(
        self, courses: list[str], learners: list[str], repeat: Repeat, before: list[str]
    ) -> None:
        registrar, _ = world()
        if repeat is not Repeat.REFUSE:
            for learner in before:
                registrar.assign("py", learner)
        first = registrar.assign_many(courses, learners, id="p-1", repeat=repeat)
        kept = contents(registrar.repository)
        assert registrar.assign_many(courses, learners, id="p-1", repeat=repeat) == first
        assert contents(registrar.repository) == kept


class TestRedeemAndRegister:
    def test_no_second_use_is_taken(self) -> None:
        registrar = with_keys()
        first = registrar.redeem(CODE, "ada", id="x-1")
        assert registrar.redeem(f" {CODE} ", "ada", id="x-1") == first
        assert key(registrar).uses == 1

    def test_a_generated_code_is_the_same_however_it_is_typed(self) -> None:
        registrar = with_keys()
        registrar.add_keys("b-1", codes=["00000000000000012"])
        first = registrar.redeem("0000-0000-0000-0001-2", "ada", id="x-1")
        assert registrar.redeem("oooo oooo oooo oool 2", "ada", id="x-1") == first






class TestKeys:
    def test_a_batch_can_be_made_again_after_it_was_edited(self) -> None:
        registrar = with_keys()
        edited = registrar.edit_keys("b-1", name="Summer", max_uses=9)
        assert make_keys(registrar) == edited
        added = registrar.add_keys("b-1", codes=["Fresh-code"])
        assert make_keys(registrar) == added


    def test_an_addition_is_remembered_by_its_id(self) -> None:
        registrar = with_keys()
        after = registrar.add_keys("b-1", generate=2, id="plus")
        assert registrar.add_keys("b-1", generate=2, id="plus") == after
        assert registrar.add_keys("b-1", generate=2, id="plus more").size == after.size + 2
        assert registrar.add_keys("b-1", generate=2, id="plus").size == after.size + 2






def test_a_course_that_is_gone_from_the_catalogue_is_no_matter_for_a_retry() -> None:
    registrar, _ = world()
    registrar.add(Course(id="c-1", name="C", content_provider="us", publishing_group="all"))
    first = registrar.assign("c-1", "ada", id="x-1")
    registrar.anonymize("ada")
    assert registrar.assign("c-1", "ada", id="x-1") == first
    assert first.created_at == START
    missing = error(NotFound, registrar, "assign", "c-2", "ada", id="x-2")
    assert missing.id == "c-2"
    assert ADA.name not in repr(contents(registrar.repository)["User"])
