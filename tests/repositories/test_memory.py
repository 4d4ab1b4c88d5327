"""The in-memory repository beyond the contract: each verb against a model, and constant costs."""

import gc
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from threading import Thread
from types import FrameType
from typing import Any, TypeAlias
from unicodedata import normalize

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.testing import samples
from tests.support.values import refusal
from tests.support.world import ADA, BO, PYTHON, SQL, START

KEY = ca.TrainingKey(id="k-1", code="Hand-made-1", batch_id="spring", uses=1, max_uses=3)
EVENT = ca.Event(at=START, action="test", subject_ids=["a"])


def stored(*records: ca.Record) -> ca.InMemoryRepository:
    repository = ca.InMemoryRepository()
    repository.commit(ca.Change(create=records))
    return repository


@pytest.mark.parametrize(
    ("change", "writes"),
    [
        (ca.Change(), False),
        (ca.Change(expect=[ADA]), False),
        (ca.Change(create=[ADA]), True),
        (ca.Change(replace=[ca.Replace(ADA, ADA)]), True),
        (ca.Change(use=[ca.Use(KEY, 1)]), True),
        (ca.Change(record=[EVENT]), True),
    ],
)
def test_a_change_is_true_if_it_writes(*, change: ca.Change, writes: bool) -> None:
    assert bool(change) is writes


class TestConflicts:
    """What the contract leaves open: several steps for one record, and all conflicts at once."""

    def test_a_second_replace_in_one_change_starts_from_the_first(self) -> None:
        one, two = attrs.evolve(PYTHON, name="1"), attrs.evolve(PYTHON, name="2")
        repository = stored(PYTHON)
        with pytest.raises(ca.Conflict):
            repository.commit(ca.Change(replace=[ca.Replace(PYTHON, one), ca.Replace(PYTHON, two)]))
        repository.commit(ca.Change(replace=[ca.Replace(PYTHON, one), ca.Replace(one, two)]))
        assert repository.get(ca.Course, ["py"]) == {"py": two}

    def test_a_key_can_be_used_in_the_change_that_creates_it(self) -> None:
        repository = ca.InMemoryRepository()
        repository.commit(ca.Change(create=[KEY], use=[ca.Use(KEY, 1)]))
        assert repository.get(ca.TrainingKey, [KEY.id])[KEY.id].uses == 2

    def test_two_users_cannot_take_the_address_that_one_gave_up(self) -> None:
        change = ca.Change(
            create=[samples.user("dee", email=ADA.email), samples.user("ADA")],
            replace=[ca.Replace(ADA, attrs.evolve(ADA, email="new@example.org"))],
        )
        with pytest.raises(ca.Conflict) as caught:
            stored(ADA).commit(change)
        assert caught.value.ids == ("ADA",)

    def test_every_conflicting_id_is_named_once(self) -> None:
        other = attrs.evolve(PYTHON, name="Snakes")
        change = ca.Change(
            create=[ADA, samples.user("dee", email=ADA.email.upper())],
            replace=[ca.Replace(other, PYTHON)],
            use=[ca.Use(KEY, 5)],
            expect=[SQL, other],
        )
        with pytest.raises(ca.Conflict) as caught:
            stored(PYTHON, ADA, KEY).commit(change)
        assert sorted(caught.value.ids) == ["ada", "dee", "k-1", "py", "sql"]


@pytest.mark.parametrize("kind", [ca.Event, int, object, None, []])
def test_only_records_are_looked_up_by_id(kind: Any) -> None:
    error = refusal(lambda: stored(PYTHON).get(kind, ["1"]))
    assert (error.code, error.field) == ("wrong_type", "kind")


class TestReading:
    """A call reads one state: a commit that comes in the middle waits for its end."""

    def test_a_search_reads_one_state(self, monkeypatch: pytest.MonkeyPatch) -> None:
        repository = stored(ADA, BO)
        rival = Rival(repository)

        def interrupted(_: ca.UserQuery, __: ca.User) -> bool:
            rival.try_to_rename()
            return True

        monkeypatch.setattr(ca.UserQuery, "matches", interrupted)
        assert list(repository.find(ca.UserQuery())) == [ADA, BO]
        rival.thread.join()

    def test_a_look_up_reads_one_state(self) -> None:
        repository = stored(ADA, BO)
        rival = Rival(repository)

        class Interrupting(dict[str, ca.User]):
            def __contains__(self, id_: object) -> bool:
                if id_ == "bo":
                    rival.try_to_rename()
                return super().__contains__(id_)

        held = repository._shelves[ca.User]  # noqa: SLF001 - a look-up calls nothing of the caller
        held.records = repository._records[ca.User] = Interrupting(held.records)  # noqa: SLF001
        assert repository.get(ca.User, ["ada", "bo"]) == {"ada": ADA, "bo": BO}
        rival.thread.join()


class Rival:
    """A thread that renames Ada and Bo as soon as it can."""

    def __init__(self, repository: ca.InMemoryRepository) -> None:
        steps = [ca.Replace(one, attrs.evolve(one, name="Renamed")) for one in (ADA, BO)]
        self.thread = Thread(target=repository.commit, args=[ca.Change(replace=steps)])

    def try_to_rename(self) -> None:
        if self.thread.ident is None:
            self.thread.start()
            self.thread.join(0.1)


NAMES = ("a", "b", "c", "d")
IDS = st.sampled_from(NAMES)
EMAILS = st.sampled_from(
    ["a@x.org", "A@X.org", "b@x.org", "\u00e9@x.org", "e\u0301@x.org", "\u00c9@X.org"]
)
RECORDS: st.SearchStrategy[Any] = st.one_of(
    st.builds(ca.Course, id=IDS, name=IDS),
    st.builds(ca.User, id=IDS, name=IDS, email=EMAILS),
    st.builds(
        ca.TrainingKey,
        id=IDS,
        code=st.sampled_from(["Code-number-1", "Code-number-2", "Code-number-3"]),
        batch_id=IDS,
        uses=st.integers(0, 2),
        max_uses=st.integers(2, 3),
    ),
)

AMENDMENTS = st.builds(
    ca.Amend,
    batch_id=IDS,
    max_uses=st.none() | st.integers(1, 4),
    revoked_at=st.none() | st.just(START),
)

#: What a repository holds, by class and id.
Model: TypeAlias = Mapping[tuple[type, str], Any]


def key_of(record: Any) -> tuple[type, str]:
    return type(record), record.id


def terms(record: Any) -> Any:
    """Return the part of *record* that a replace or a use compares."""
    return attrs.evolve(record, uses=0) if isinstance(record, ca.TrainingKey) else record


def unique(record: Any) -> str:
    """Return what no other record of the kind may share."""
    match record:
        case ca.User(email=email):
            return normalize("NFC", normalize("NFC", email).casefold())
        case ca.TrainingKey(code=code):
            return code
        case _:
            return str(record.id)


def replaced(now: Any, step: ca.Replace) -> Any:
    """Return what *step* stores in place of *now*, or ``None`` for a conflict."""
    if terms(now) != terms(step.before):
        return None
    if isinstance(step.after, ca.TrainingKey):
        return attrs.evolve(step.after, uses=now.uses) if now.uses <= step.after.max_uses else None
    return step.after


def used(now: Any, step: ca.Use) -> Any:
    if terms(now) != terms(step.key) or not 0 <= now.uses + step.by <= now.max_uses:
        return None
    return attrs.evolve(now, uses=now.uses + step.by)


def after_commit(model: Model, change: ca.Change) -> Model | None:
    """Return what is stored after *change*, or ``None`` for a conflict."""
    after = dict(model)
    if any(model.get(key_of(record)) != record for record in change.expect):
        return None
    for new in change.create:
        if key_of(new) in after:
            return None
        after[key_of(new)] = new
    for replace in change.replace:
        after[key_of(replace.before)] = replaced(after.get(key_of(replace.before)), replace)
    for amend in change.amend:
        for key, record in [*after.items()]:
            if isinstance(record, ca.TrainingKey) and record.batch_id == amend.batch_id:
                after[key] = amended(record, amend)
    for use in change.use:
        after[key_of(use.key)] = used(after.get(key_of(use.key)), use)
    if None in after.values():
        return None
    values = [(kind, unique(record)) for (kind, _), record in after.items()]
    return after if len(values) == len(set(values)) else None


def amended(stored: ca.TrainingKey, amend: ca.Amend) -> ca.TrainingKey | None:
    """Return the key with its new terms, or ``None`` for a conflict."""
    max_uses = amend.max_uses or stored.max_uses
    if stored.uses > max_uses:
        return None
    return attrs.evolve(stored, max_uses=max_uses, revoked_at=stored.revoked_at or amend.revoked_at)


@st.composite
def changes(draw: st.DrawFn, model: Model) -> ca.Change:
    """Generate a change of records that are in *model*, or that could be."""
    records = sorted(model.values(), key=repr)
    known = st.sampled_from(records) if records else RECORDS
    keys = [one for one in records if isinstance(one, ca.TrainingKey)]
    uses = st.builds(ca.Use, st.sampled_from(keys or [KEY]), st.integers(-2, 2))
    return ca.Change(
        create=draw(st.lists(RECORDS, max_size=2)),
        replace=[
            ca.Replace(model.get(key_of(after), after), after)
            for after in draw(st.lists(RECORDS, max_size=3))
            if draw(st.booleans())
        ],
        amend=draw(st.lists(AMENDMENTS, max_size=1 if draw(st.booleans()) else 0)),
        use=draw(st.lists(uses, max_size=2 if keys else 0)),
        expect=draw(st.lists(known | known | RECORDS, max_size=1)),
    )


@given(st.data())
def test_changes_are_stored_or_conflict_as_in_the_model(data: st.DataObject) -> None:
    repository = ca.InMemoryRepository()
    model: Model = {}
    for _ in range(data.draw(st.integers(1, 12))):
        change = data.draw(changes(model))
        after = after_commit(model, change)
        with pytest.raises(ca.Conflict) if after is None else nullcontext():
            repository.commit(change)
        model = model if after is None else after
        for kind in (ca.Course, ca.User, ca.TrainingKey):
            expected = {name: one for (of, name), one in model.items() if of is kind}
            assert repository.get(kind, NAMES) == expected


def operations(action: Callable[[], object]) -> int:
    """Count the calls, of functions in Python and in C, that *action* takes."""
    counted = 0

    def profile(_: FrameType, event: str, __: object) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    previous, collects = sys.getprofile(), gc.isenabled()
    # Hypothesis times each collection in a function of its own, which would be counted with them.
    gc.disable()
    sys.setprofile(profile)
    try:
        action()
    finally:
        sys.setprofile(previous)
        if collects:
            gc.enable()
    return counted


def records_about(
    user: ca.User, course_id: str, key: ca.TrainingKey, minutes: int
) -> list[ca.Record]:
    """Return a record of each kind, made *minutes* after `START`."""
    made = attrs.evolve(
        samples.FRESH,
        id=f"a-{user.id}",
        learner_id=user.id,
        course_id=course_id,
        organization_id=user.organization_id,
        created_at=START + timedelta(minutes=minutes),
    )
    return [
        *(user, key, made, samples.attempt(f"t-{user.id}", made, 1, 1)),
        attrs.evolve(samples.SUBSCRIPTIONS[0], id=f"s-{user.id}", learner_id=user.id),
        samples.batch(f"b-{course_id}", course_id, "acme", 0),
        samples.redemption(f"r-{user.id}", key, made),
    ]


def filled(size: int) -> ca.InMemoryRepository:
    """Return a repository with *size* records of each kind, and one more about Ada."""
    records: list[ca.Record] = []
    for number in range(size):
        name = f"{number * 7919 % 100_003:06}"
        key = ca.TrainingKey(id=f"k-{name}", code=f"Code-{name}", batch_id=name)
        user = attrs.evolve(samples.CY, id=name, email=f"{name}@example.org")
        records += records_about(user, name, key, int(name) % 97)
    repository = stored(*records)
    repository.commit(ca.Change(create=ADAS))
    return repository


ADAS = records_about(ADA, "py", KEY, 99)
MADE: Any = ADAS[2]
SEARCHES: tuple[ca.Query[Any], ...] = (
    ca.AssignmentQuery(learner_id="ada"),
    ca.AssignmentQuery(course_id="py"),
    ca.AssignmentQuery(learner_id="nobody"),
    ca.AssignmentQuery(learner_id="ada", course_id="py"),
    ca.AssignmentQuery(organization_id="acme"),
    ca.AssignmentQuery(batch_id="spring"),
    ca.AssignmentQuery(subscription_id="s-1"),
    ca.AssignmentQuery(created_from=MADE.created_at, created_until=MADE.expires_at),
    ca.AssignmentQuery(created_until=START),
    ca.AssignmentQuery(organization_id="acme", created_from=START),
    ca.AttemptQuery(assignment_id=MADE.id, activity_id="lab"),
    ca.BatchQuery(course_id="py"),
    ca.KeyQuery(batch_ids=["spring"]),
    ca.KeyQuery(code=KEY.code),
    ca.KeyQuery(code="Nobody-has-this"),
    ca.KeyQuery(codes=["Nobody-has-this", KEY.code]),
    ca.RedemptionQuery(key_id=KEY.id),
    ca.RedemptionQuery(key_id=KEY.id, learner_id="ada"),
    ca.SubscriptionQuery(learner_id="ada"),
    ca.UserQuery(email="ADA@example.org"),
    ca.UserQuery(email="free@example.org"),
    ca.UserQuery(emails=["free@example.org", "ADA@example.org"]),
    ca.UserQuery(organization_id="acme"),
)
CHANGES: Mapping[str, ca.Change] = {
    "create": ca.Change(create=[attrs.evolve(MADE, id="new"), samples.user("new")]),
    "replace": ca.Change(
        replace=[ca.Replace(MADE, attrs.evolve(MADE, cancelled_at=MADE.expires_at))]
    ),
    "replace an address": ca.Change(
        replace=[ca.Replace(ADA, attrs.evolve(ADA, email="new@x.org"))]
    ),
    "use": ca.Change(create=[attrs.evolve(ADAS[-1], id="new")], use=[ca.Use(KEY, 1)], expect=[ADA]),
    "record": ca.Change(record=[EVENT]),
}


def cost(action: Callable[[ca.InMemoryRepository], object], size: int) -> int:
    # What Python remembers from a first time, as that a list is iterable, is not to be counted.
    action(filled(1))
    return operations(partial(action, filled(size)))


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[ca.CourseAssignment]:
    """The assignments that a query is compared with."""
    found: list[ca.CourseAssignment] = []
    matches = ca.AssignmentQuery.matches

    def watch(query: ca.AssignmentQuery, record: ca.CourseAssignment) -> bool:
        found.append(record)
        return matches(query, record)

    monkeypatch.setattr(ca.AssignmentQuery, "matches", watch)
    return found


class TestCost:
    """Calls take as many steps however much is stored, and a search reads only what it must."""

    @staticmethod
    def check(action: Callable[[ca.InMemoryRepository], object]) -> None:
        assert cost(action, 20) == cost(action, 1000)

    @pytest.mark.parametrize("query", SEARCHES, ids=repr)
    def test_a_search(self, query: ca.Query[Any]) -> None:
        self.check(lambda repository: repository.find(query))

    @pytest.mark.parametrize("name", CHANGES)
    def test_a_commit(self, name: str) -> None:
        self.check(lambda repository: repository.commit(CHANGES[name]))

    def test_a_look_up_by_id(self) -> None:
        self.check(lambda repository: repository.get(ca.User, ["ada", "nobody"]))

    def test_the_count_sees_a_search_through_everything(self) -> None:
        def scan(repository: ca.InMemoryRepository) -> object:
            return [
                one
                for one in ca.find_all(repository, ca.AssignmentQuery())
                if one.learner_id == "ada"
            ]

        assert cost(scan, 1000) > 10 * cost(scan, 20)

    def test_records_are_sorted_once_after_they_were_stored_out_of_order(self) -> None:
        """A sort is one step, however long it takes, so the steps around it show it."""

        def find(repository: ca.InMemoryRepository) -> int:
            return operations(lambda: repository.find(ca.UserQuery(limit=1)))

        find(stored(ADA, BO))  # fills the caches of queries
        repository = stored(*map(samples.user, "bca"))
        sorting, again = find(repository), find(repository)
        repository.commit(ca.Change(create=[samples.user("d")]))
        assert sorting > find(repository) > find(repository) == again

    def test_a_search_without_a_match_leaves_no_trace(self) -> None:
        repository = stored(MADE)

        def objects_after(names: str) -> int:
            for number in range(1000):
                repository.find(ca.AssignmentQuery(learner_id=f"{names}-{number}"))
            gc.collect()
            return len(gc.get_objects())

        assert objects_after("nobody") - objects_after("somebody") > -100

    def test_a_page_reads_no_further_than_one_record_after_it(
        self, seen: list[ca.CourseAssignment]
    ) -> None:
        repository = filled(300)
        page = repository.find(ca.AssignmentQuery(limit=10))
        assert (len(page), len(seen)) == (10, 11)
        assert page.next is not None
        # A later page does not begin at the first record again.
        assert len(repository.find(page.next)) == 10
        assert len(seen) == 22

    def test_only_the_records_in_the_narrowest_index_are_read(
        self, seen: list[ca.CourseAssignment]
    ) -> None:
        many = [attrs.evolve(MADE, id=f"a-{number:03}") for number in range(50)]
        few = [attrs.evolve(MADE, id=f"b-{number}", learner_id="bo") for number in range(3)]
        query = ca.AssignmentQuery(learner_id="bo", course_id="py")
        assert list(stored(*many, *few).find(query)) == few == seen
