"""`id=` makes a command safe to retry: it returns what an earlier call made, or is a conflict."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from tests.support.learning import LESSONS
from tests.support.situations import Call, barged, error, events, hashed
from tests.support.world import ADA, PYTHON, SALES, contents, world

CODE = "Hand-made-1"
NEW = ca.User(id="new", name="New", email="new@example.org")
OTHER = ca.User(id="newer", name="Newer", email="newer@example.org")
DAY = timedelta(days=1)

#: The class of the records with the id that a command takes; others store a receipt.
KINDS = {
    **dict.fromkeys(("assign", "redeem", "register", "open_course"), "CourseAssignment"),
    "create_keys": "KeyBatch",
    "subscribe": "Subscription",
}


def fill(registrar: ca.Registrar) -> None:
    """Add what the commands are about: keys, assignments and subscriptions."""
    registrar.add(SALES, LESSONS)
    terms: dict[str, Any] = {"organization_id": "acme", "availability": 30 * DAY, "max_uses": 2}
    for batch_id, codes in (("b-1", [CODE, "Hand-made-2"]), ("b-2", ["Other-code"])):
        registrar.create_keys(
            "py", name="Keys", any_organization=True, codes=codes, id=batch_id, **terms
        )
    registrar.assign("lessons", "ada", id="a-1")
    registrar.assign("lessons", "bo", id="a-2")
    for subscription_id in ("s-1", "s-2"):
        registrar.subscribe(["py", "sql"], "ada", duration=60 * DAY, id=subscription_id)


def filled(**options: Any) -> ca.Registrar:
    """Return a registrar of a small world with what the commands are about."""
    registrar, _ = world(**options)
    fill(registrar)
    return registrar


#: Each command that creates, under an id.
CREATING: dict[str, dict[str, Any]] = {
    "assign": {"course_id": "py", "learner_id": "ada", "repeat": ca.Repeat.REFUSE},
    "assign_many": {"course_ids": ["py", "sql"], "learners": ["ada", NEW, "bo"]},
    "redeem": {"code": CODE, "learner_id": "ada"},
    "register": {"code": CODE, "user": NEW},
    "add_keys": {"batch_id": "b-1", "codes": ["Fresh-code"], "generate": 2},
    "create_keys": {
        "course_id": "py",
        "name": "More keys",
        "organization_id": "acme",
        "availability": DAY,
        "codes": ["Fresh-code"],
        "generate": 2,
    },
    "start": {"assignment_id": "a-1", "activity_id": "lab"},
    "subscribe": {"course_ids": ["py", "sql"], "learner_id": "ada", "duration": DAY},
    "open_course": {"subscription_id": "s-1", "course_id": "py"},
}


def call(name: str, **changed: Any) -> Call:
    return Call(name, (), {**CREATING[name], "id": "x-1", **changed})


@pytest.mark.parametrize("name", CREATING)
class TestAgain:
    """If what it would make exists under that id with the same content, it is returned and nothing
    happens, no second use of the key. This check comes before any policy."""

    def test_it_returns_the_same_before_any_policy_is_asked(self, name: str) -> None:
        registrar, step = filled(), call(name)
        first = step.on(registrar)
        assert step.on(registrar) == first
        registrar.update(attrs.evolve(PYTHON, archived=True))
        registrar.revoke_keys("b-1")
        before = contents(registrar.repository)
        # The actor does not matter: even someone unknown only asks what exists.
        for by in (None, "bo", "nobody"):
            again = call(name, by=by)
            assert again.asked_of(registrar) == ca.Decision()
            assert again.on(registrar) == first
        assert contents(registrar.repository) == before

    def test_a_refused_first_time_left_nothing(self, name: str) -> None:
        registrar = filled()
        before = contents(registrar.repository)
        with pytest.raises(ca.Refused):
            call(name, by="cy").on(registrar)
        assert contents(registrar.repository) == before
        assert call(name).on(registrar)
        assert contents(registrar.repository) != before

    def test_two_at_once_under_one_id_get_the_same(self, name: str) -> None:
        made: list[Any] = []
        step = call(name)
        registrar, _, repository = barged(lambda other: made.append(step.on(other)))
        fill(registrar)
        before = len(events(registrar))
        repository.open = True
        assert step.on(registrar) == made[0]
        assert repository.commits == 1
        assert [event.action for event in events(registrar)[before:]] == [name]

    def test_without_an_id_they_would_get_two(self, name: str) -> None:
        # The negative control: what the id is for.
        registrar = filled(random_bytes=hashed("ids"))
        first = call(name).on(registrar)
        before = contents(registrar.repository)
        bare = call(name, id=None)
        try:
            again = bare.on(registrar)
        except (ca.Refused, ca.Conflict):
            assert contents(registrar.repository) == before
        else:
            # While it is active, the course that was opened is returned.
            assert (contents(registrar.repository) == before) is (name == "open_course")
            assert (again == first) is (name == "open_course")


def cancel(of: ca.Registrar, made: ca.CourseAssignment) -> ca.CourseAssignment:
    return of.cancel(made.id)


def open_another(of: ca.Registrar, made: ca.Subscription) -> ca.Subscription:
    of.open_course(made.id, "py")
    return of.get(ca.Subscription, made.id)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        *((name, cancel) for name in ("assign", "redeem", "register", "open_course")),
        ("start", lambda of, made: of.pause(made.id)),
        ("start", lambda of, made: of.finish(made.id)),
        ("subscribe", open_another),
        ("create_keys", lambda of, made: of.edit_keys(made.id, name="Summer", max_uses=9)),
        ("create_keys", lambda of, made: of.add_keys(made.id, codes=["Newer-code"])),
    ],
)
def test_a_retry_returns_the_record_as_it_is_now(
    name: str, change: Callable[[ca.Registrar, Any], Any]
) -> None:
    registrar = filled()
    changed = change(registrar, call(name).on(registrar))
    assert call(name).on(registrar) == changed


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("assign", {"course_id": "sql"}),
        ("assign", {"learner_id": "bo"}),
        ("assign", {"learner_id": "nobody"}),
        ("assign_many", {"course_ids": ["sql"]}),
        ("assign_many", {"course_ids": ["py", "sql", "lessons"]}),
        ("assign_many", {"learners": ["bo", NEW, "ada"]}),
        ("assign_many", {"learners": ["ada", NEW, "bo", "nobody"]}),
        ("assign_many", {"expires": DAY}),
        ("assign_many", {"note": ca.Note(title="Title", message="Message")}),
        *(("assign_many", {"repeat": repeat}) for repeat in ca.Repeat),
        ("redeem", {"learner_id": "bo"}),
        ("redeem", {"code": "Hand-made-2"}),
        ("redeem", {"code": "unknown-1"}),
        ("redeem", {"code": "0000-0000-0000-0001-3"}),
        ("register", {"code": "Hand-made-2"}),
        ("register", {"user": OTHER}),
        ("add_keys", {"codes": ["Never-made"]}),
        ("add_keys", {"codes": ["Fresh-code", "Never-made"]}),
        ("add_keys", {"codes": ["Other-code"]}),  # a code of another batch
        ("add_keys", {"codes": [CODE]}),  # a code of the batch that another call made
        ("add_keys", {"generate": 1}),
        ("add_keys", {"generate": 3}),
        ("add_keys", {"batch_id": "b-2"}),
        ("create_keys", {"course_id": "sql"}),
        ("create_keys", {"organization_id": "beta"}),
        ("create_keys", {"codes": ["Fresh-code", "Never-made"]}),
        ("create_keys", {"codes": ["Never-made"]}),
        ("create_keys", {"generate": 3}),
        ("start", {"activity_id": "film"}),
        ("start", {"assignment_id": "a-2"}),
        ("subscribe", {"learner_id": "bo"}),
        ("subscribe", {"course_ids": ["py"]}),
        ("open_course", {"course_id": "sql"}),
        ("open_course", {"subscription_id": "s-2"}),
    ],
)
def test_other_content_is_a_conflict(name: str, changed: dict[str, Any]) -> None:
    registrar = filled()
    call(name).on(registrar)
    found = error(ca.Conflict, registrar, name, **call(name, **changed).kwargs)
    assert found == ca.Conflict(("x-1",), "id_taken", KINDS.get(name))


@pytest.mark.parametrize(
    ("first", "second"), [*permutations(["assign", "redeem", "open_course"], 2)]
)
def test_another_origin_is_a_conflict(first: str, second: str) -> None:
    registrar = filled()
    call(first).on(registrar)
    found = error(ca.Conflict, registrar, second, **call(second).kwargs)
    assert found == ca.Conflict(("x-1",), "id_taken", "CourseAssignment")


def test_what_may_change_later_is_not_compared() -> None:
    registrar = filled()
    first = registrar.assign("py", "ada", id="x-1", note=ca.Note(title="a", message="b"))
    assert registrar.assign("py", "ada", id="x-1", expires=900 * DAY) == first
    registrar.anonymize("ada")
    assert registrar.assign("py", "ada", id="x-1") == first
    assert ADA.name not in repr(contents(registrar.repository)["User"])


class TestAssign:
    def test_under_skip_the_active_one_is_returned_under_its_own_id(self) -> None:
        registrar, _ = world()
        first = registrar.assign("py", "ada")
        for _ in range(2):
            assert registrar.assign("py", "ada", id="x-1", repeat=ca.Repeat.SKIP) == first
        assert not registrar.repository.get(ca.CourseAssignment, ["x-1"])

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
        registrar.add(*(attrs.evolve(PYTHON, id=id_) for id_ in ("a", "ab")))
        registrar.add(*(ca.User(id=id_, name=id_, email=f"{id_}@x.org") for id_ in ("bc", "c")))
        created = registrar.assign_many(["a", "ab"], ["bc", "c"], id="p").created
        assert len({one.id for one in created}) == 4

    @pytest.mark.parametrize("by_policy", [True, False])
    def test_what_was_skipped_is_skipped_again(self, *, by_policy: bool) -> None:
        policies = ca.Policies(
            repeat=ca.RepeatPolicy(ca.Repeat.SKIP if by_policy else ca.Repeat.ALLOW)
        )
        registrar, clock = world(policies=policies)
        options: dict[str, Any] = {"id": "p-1"} | ({} if by_policy else {"repeat": ca.Repeat.SKIP})
        held = registrar.assign("py", "bo", repeat=ca.Repeat.ALLOW, expires=DAY)
        batch = registrar.assign_many(["py"], ["ada", "bo"], **options)
        assert batch.skipped == (held,)
        every = registrar.assign_many(["py"], ["bo"], **{**options, "id": "p-2"})
        assert every == ca.AssignmentBatch(created=(), skipped=(held,))
        clock.advance(2 * DAY)
        before = contents(registrar.repository)
        assert registrar.assign_many(["py"], ["ada", "bo"], **options) == batch
        assert registrar.assign_many(["py"], ["bo"], **{**options, "id": "p-2"}) == every
        assert contents(registrar.repository) == before

    def test_a_newcomer_of_the_first_time_is_no_newcomer_of_the_second(self) -> None:
        registrar, _ = world()
        batch = registrar.assign_many(["py"], [NEW], id="p-1")
        registrar.update(attrs.evolve(NEW, name="Newer"))
        assert registrar.assign_many(["py"], [NEW], id="p-1") == batch

    @given(
        st.lists(st.sampled_from(["py", "sql"]), min_size=1, max_size=3),
        st.lists(st.sampled_from(["ada", "bo", "cy"]), min_size=1, max_size=4),
        st.sampled_from(ca.Repeat),
        st.lists(st.sampled_from(["ada", "bo"]), max_size=2),
    )
    def test_twice_is_once(
        self, courses: list[str], learners: list[str], repeat: ca.Repeat, before: list[str]
    ) -> None:
        registrar, _ = world()
        if repeat is not ca.Repeat.REFUSE:
            for learner in before:
                registrar.assign("py", learner)
        first = registrar.assign_many(courses, learners, id="p-1", repeat=repeat)
        kept = contents(registrar.repository)
        assert registrar.assign_many(courses, learners, id="p-1", repeat=repeat) == first
        assert contents(registrar.repository) == kept


class TestKeys:
    def test_a_code_is_the_same_however_it_is_typed_and_no_second_use_is_taken(self) -> None:
        registrar = filled()
        registrar.add_keys("b-1", codes=["00000000000000012"])
        for number, (code, again) in enumerate(
            [(CODE, f" {CODE} "), ("0000-0000-0000-0001-2", "oooo oooo oooo oool 2")]
        ):
            first = registrar.redeem(code, "ada", id=f"x-{number}")
            assert registrar.redeem(again, "ada", id=f"x-{number}") == first
            assert [key.uses for key in registrar.find_all(ca.KeyQuery(code=code))] == [1]

    def test_an_addition_is_remembered_by_its_id(self) -> None:
        registrar = filled()
        after = registrar.add_keys("b-1", generate=2, id="plus")
        assert registrar.add_keys("b-1", generate=2, id="plus") == after
        assert registrar.add_keys("b-1", generate=2, id="plus more").size == after.size + 2
        assert registrar.add_keys("b-1", generate=2, id="plus").size == after.size + 2

    def test_a_batch_that_grew_has_not_made_the_added_codes_under_its_id(self) -> None:
        registrar = filled()
        registrar.add_keys("b-2", codes=["Added-code"])
        terms: dict[str, Any] = {**CREATING["create_keys"], "generate": 0, "id": "b-2"}
        for codes in (["Added-code"], ["Other-code", "Added-code", CODE]):
            found = error(ca.Conflict, registrar, "create_keys", **{**terms, "codes": codes})
            assert found == ca.Conflict(("b-2",), "id_taken", "KeyBatch")
        assert registrar.create_keys(**{**terms, "codes": ["Other-code"]}).size == 2


class TestSkipped:
    """The retry of a call that returned an existing assignment returns it, for ever."""

    @pytest.mark.parametrize(
        "step",
        [
            Call("assign", ("py", "ada"), {"repeat": ca.Repeat.SKIP, "id": "x-1"}),
            Call("open_course", ("s-1", "py"), {"id": "x-1"}),
        ],
        ids=lambda step: str(step.command),
    )
    def test_it_is_returned_after_it_has_ended_too(self, step: Call) -> None:
        registrar = filled()
        before = registrar.open_course("s-1", "py", id="opened")
        assert step.on(registrar) == before
        cancelled = registrar.cancel("opened")
        assert step.on(registrar) == cancelled
        assert step.asked_of(registrar) == ca.Decision()
        # Without the id, the call makes a new one.
        assert Call(step.command, step.args, {**step.kwargs, "id": None}).on(registrar) != cancelled

    def test_other_arguments_are_a_conflict(self) -> None:
        registrar = filled()
        registrar.open_course("s-1", "py", id="opened")
        registrar.open_course("s-1", "py", id="x-1")
        registrar.assign("py", "ada", repeat=ca.Repeat.SKIP, id="x-2")
        for name, *arguments in (("open_course", "s-2", "py"), ("open_course", "s-1", "sql")):
            assert error(ca.Conflict, registrar, name, *arguments, id="x-1").code == "id_taken"
        for pair in (("py", "bo"), ("sql", "ada")):
            found = error(ca.Conflict, registrar, "assign", *pair, id="x-2")
            assert found == ca.Conflict(("x-2",), "id_taken")


class TestStart:
    def test_of_several_retakes_the_one_under_the_id_is_returned(self) -> None:
        registrar = filled()
        made = [
            registrar.finish(registrar.start("a-1", "lab", id=one).id)
            for one in ("x-1", "x-2", "x-3")
        ]
        assert [one.number for one in made] == [1, 2, 3]
        assert [registrar.start("a-1", "lab", id=f"x-{one}") for one in (1, 2, 3)] == made

    def test_of_two_activities_at_once_under_one_id_one_starts(self) -> None:
        registrar, _, repository = barged(lambda other: other.start("a-1", "film", id="x-1"))
        fill(registrar)
        registrar.start("a-1", "play")
        repository.open = True
        with pytest.raises(ca.Conflict) as caught:
            registrar.start("a-1", "lab", id="x-1")
        assert caught.value == ca.Conflict(("x-1",), "id_taken")
        assert registrar.start("a-1", "film", id="x-1").activity_id == "film"


def test_once_a_subscription_was_edited_its_set_is_not_compared() -> None:
    registrar = filled()
    edited = registrar.edit_subscription("s-1", ["sql"])
    again = registrar.subscribe(["py", "sql"], "ada", duration=DAY, id="s-1")
    assert again == edited
    found = error(ca.Conflict, registrar, "subscribe", ["sql"], "bo", duration=DAY, id="s-1")
    assert found == ca.Conflict(("s-1",), "id_taken", "Subscription")
