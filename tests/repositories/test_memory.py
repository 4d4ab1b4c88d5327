"""The in-memory repository: what its five verbs promise, and what each of them loses to."""

import gc
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from types import FrameType
from typing import Any, TypeAlias
from unicodedata import normalize

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import (
    AssignmentQuery,
    Attempt,
    AttemptQuery,
    BatchQuery,
    Change,
    Claim,
    Conflict,
    Course,
    CourseAssignment,
    CourseQuery,
    Direct,
    Event,
    EventQuery,
    ExpirationLimit,
    InMemoryRepository,
    InvalidInput,
    KeyBatch,
    KeyQuery,
    Organization,
    OrganizationQuery,
    Query,
    Record,
    Redemption,
    RedemptionQuery,
    Replace,
    Subscription,
    SubscriptionQuery,
    TrainingKey,
    Use,
    User,
    UserQuery,
    find_all,
)
from course_assignments.memory import _Listing
from tests.support.world import ACME, ADA, BO, CY, PYTHON, SQL, START, contents

KEY = TrainingKey(id="k-1", code="Hand-made-1", batch_id="spring", uses=1, max_uses=3)
EVENT = Event(at=START, action="test", subject_ids=["a"])


def stored(*records: Record) -> InMemoryRepository:
    repository = InMemoryRepository()
    repository.commit(Change(create=records))
    return repository


def user(name: str, email: str) -> User:
    return User(id=name, name=name, email=email)


def lost(repository: InMemoryRepository, change: Change) -> tuple[str, ...]:
    """Return the ids of the conflict that *change* meets; nothing of it is stored."""
    # What else is in the change would have succeeded by itself.
    witness = Course(id="witness", name="Witness")
    whole = attrs.evolve(change, create=(witness, *change.create), record=(EVENT, *change.record))
    before = contents(repository)
    with pytest.raises(Conflict) as caught:
        repository.commit(whole)
    assert contents(repository) == before
    return caught.value.ids


def key_of(repository: InMemoryRepository, id_: str = KEY.id) -> TrainingKey:
    return repository.get(TrainingKey, [id_])[id_]


class TestCreate:
    """`create`: a new record under its id; loses when the id is taken; for a User also when the
    e-mail is, for a TrainingKey when the code is."""

    def test_what_was_created_is_found_under_its_id(self) -> None:
        repository = stored(PYTHON, ADA, KEY)
        assert repository.get(Course, ["py"]) == {"py": PYTHON}
        assert repository.get(TrainingKey, [KEY.id]) == {KEY.id: KEY}

    @pytest.mark.parametrize("record", [PYTHON, ACME, ADA, KEY])
    def test_it_loses_to_the_same_id_even_with_the_same_content(self, record: Record) -> None:
        (shown,) = lost(stored(record), Change(create=[record]))
        assert shown == record.id

    def test_two_kinds_may_share_an_id(self) -> None:
        course, organization = Course(id="x", name="X"), Organization(id="x", name="X")
        repository = stored(course, organization)
        assert repository.get(Course, ["x"]) == {"x": course}
        assert repository.get(Organization, ["x"]) == {"x": organization}

    def test_the_same_record_twice_in_one_change_is_one_too_many(self) -> None:
        assert lost(InMemoryRepository(), Change(create=[PYTHON, PYTHON])) == ("py",)

    @pytest.mark.parametrize(
        ("held", "wanted"),
        [
            ("ada@example.org", "ada@example.org"),
            ("ada@example.org", "ADA@Example.ORG"),
            ("stra\u00dfe@example.org", "STRASSE@example.org"),
            ("ren\u00e9@example.org", "rene\u0301@example.org"),
            ("rene\u0301@example.org", "REN\u00c9@example.org"),
        ],
    )
    def test_an_address_is_taken_in_any_case_and_composition(self, held: str, wanted: str) -> None:
        assert lost(stored(user("ada", held)), Change(create=[user("bo", wanted)])) == ("bo",)
        two = Change(create=[user("ada", held), user("bo", wanted)])
        assert lost(InMemoryRepository(), two) == ("bo",)

    def test_another_address_is_free(self) -> None:
        repository = stored(ADA, BO)
        assert repository.get(User, ["ada", "bo"]) == {"ada": ADA, "bo": BO}


class TestReplace:
    """`replace`: before -> after, compare-and-set by value; loses when the stored record no longer
    equals `before`."""

    def test_it_replaces_what_is_as_it_was_read(self) -> None:
        repository, after = stored(PYTHON), attrs.evolve(PYTHON, archived=True)
        repository.commit(Change(replace=[Replace(attrs.evolve(PYTHON), after)]))
        assert repository.get(Course, ["py"]) == {"py": after}

    def test_it_loses_to_any_other_value(self) -> None:
        repository = stored(attrs.evolve(PYTHON, name="Snakes"))
        after = attrs.evolve(PYTHON, archived=True)
        assert lost(repository, Change(replace=[Replace(PYTHON, after)])) == ("py",)

    def test_it_loses_when_nothing_is_stored(self) -> None:
        assert lost(InMemoryRepository(), Change(replace=[Replace(PYTHON, PYTHON)])) == ("py",)
        assert lost(InMemoryRepository(), Change(replace=[Replace(KEY, KEY)])) == ("k-1",)

    def test_a_second_replace_in_one_change_starts_from_the_first(self) -> None:
        one, two = attrs.evolve(PYTHON, name="1"), attrs.evolve(PYTHON, name="2")
        repository = stored(PYTHON)
        assert lost(repository, Change(replace=[Replace(PYTHON, one), Replace(PYTHON, two)])) == (
            "py",
        )
        repository.commit(Change(replace=[Replace(PYTHON, one), Replace(one, two)]))
        assert repository.get(Course, ["py"]) == {"py": two}

    def test_an_address_that_another_has_is_taken(self) -> None:
        change = Change(replace=[Replace(BO, attrs.evolve(BO, email="ADA@example.org"))])
        assert lost(stored(ADA, BO), change) == ("bo",)

    def test_ones_own_address_may_change_its_case(self) -> None:
        after = attrs.evolve(ADA, email="ADA@example.org")
        repository = stored(ADA)
        repository.commit(Change(replace=[Replace(ADA, after)]))
        assert list(repository.find(UserQuery(email="ada@example.org"))) == [after]

    def test_two_may_swap_their_addresses_in_one_change(self) -> None:
        ada, bo = attrs.evolve(ADA, email=BO.email), attrs.evolve(BO, email=ADA.email)
        repository = stored(ADA, BO)
        repository.commit(Change(replace=[Replace(ADA, ada), Replace(BO, bo)]))
        assert list(repository.find(UserQuery(email=ADA.email))) == [bo]
        assert list(repository.find(UserQuery(email=BO.email))) == [ada]

    def test_three_may_hand_their_addresses_round(self) -> None:
        people = [ADA, BO, CY]
        after = [
            attrs.evolve(one, email=people[position - 1].email)
            for position, one in enumerate(people)
        ]
        repository = stored(*people)
        repository.commit(Change(replace=list(map(Replace, people, after))))
        assert list(find_all(repository, UserQuery())) == after

    def test_an_address_given_up_can_be_taken_in_the_same_change_and_later(self) -> None:
        ada = attrs.evolve(ADA, email="new@example.org")
        repository = stored(ADA)
        newcomer = user("dee", ADA.email)
        repository.commit(Change(create=[newcomer], replace=[Replace(ADA, ada)]))
        assert list(repository.find(UserQuery(email=ADA.email))) == [newcomer]
        moved = attrs.evolve(newcomer, email="dee@example.org")
        repository.commit(Change(replace=[Replace(newcomer, moved)]))
        repository.commit(Change(create=[user("eve", ADA.email)]))

    def test_two_cannot_take_the_address_that_one_gave_up(self) -> None:
        ada = attrs.evolve(ADA, email="new@example.org")
        change = Change(
            create=[user("dee", ADA.email), user("eve", ADA.email.upper())],
            replace=[Replace(ADA, ada)],
        )
        assert lost(stored(ADA), change) == ("eve",)


class TestReplaceKey:
    """On a TrainingKey it compares and writes the terms only, all but `uses`, and loses if stored
    uses exceed the new maximum."""

    def test_it_keeps_the_uses_made_since_it_was_read(self) -> None:
        repository = stored(KEY)
        repository.commit(Change(use=[Use(KEY, 1)]))
        repository.commit(Change(replace=[Replace(KEY, attrs.evolve(KEY, revoked_at=START))]))
        assert key_of(repository) == attrs.evolve(KEY, uses=2, revoked_at=START)

    def test_it_writes_no_uses(self) -> None:
        repository = stored(KEY)
        repository.commit(Change(replace=[Replace(KEY, attrs.evolve(KEY, uses=0))]))
        assert key_of(repository) == KEY

    @pytest.mark.parametrize(
        "other",
        [
            attrs.evolve(KEY, revoked_at=START),
            attrs.evolve(KEY, max_uses=4),
            attrs.evolve(KEY, batch_id="summer"),
        ],
    )
    def test_it_loses_to_other_terms(self, other: TrainingKey) -> None:
        after = attrs.evolve(KEY, max_uses=9)
        assert lost(stored(other), Change(replace=[Replace(KEY, after)]))

    @pytest.mark.parametrize(("maximum", "fits"), [(1, False), (2, True), (3, True)])
    def test_it_loses_if_more_uses_are_stored_than_the_new_maximum(
        self, *, maximum: int, fits: bool
    ) -> None:
        repository = stored(KEY)
        repository.commit(Change(use=[Use(KEY, 1)]))
        change = Change(replace=[Replace(KEY, attrs.evolve(KEY, max_uses=maximum))])
        if fits:
            repository.commit(change)
            assert key_of(repository) == attrs.evolve(KEY, uses=2, max_uses=maximum)
        else:
            assert lost(repository, change) == ("k-1",)


class TestUse:
    """`use`: uses + n, never above `max_uses`, never below 0; loses when the bound would break, or
    the key's terms are no longer those that were read."""

    @pytest.mark.parametrize(
        ("by", "uses"), [(1, 2), (2, 3), (3, None), (-1, 0), (-2, None), (0, 1)]
    )
    def test_the_counter_stays_in_its_bounds(self, by: int, uses: int | None) -> None:
        repository = stored(KEY)
        change = Change(use=[Use(KEY, by)])
        if uses is None:
            assert lost(repository, change) == ("k-1",)
        else:
            repository.commit(change)
            assert key_of(repository).uses == uses

    def test_it_does_not_lose_to_other_uses(self) -> None:
        repository = stored(KEY)
        repository.commit(Change(use=[Use(KEY, 1)]))
        repository.commit(Change(use=[Use(KEY, 1)]))
        assert key_of(repository).uses == 3
        assert lost(repository, Change(use=[Use(KEY, 1)]))

    def test_several_uses_in_one_change_add_up(self) -> None:
        repository = stored(KEY)
        repository.commit(Change(use=[Use(KEY, 1), Use(KEY, 1)]))
        assert key_of(repository).uses == 3
        assert lost(stored(KEY), Change(use=[Use(KEY, 2), Use(KEY, 1)]))

    @pytest.mark.parametrize(
        "other", [attrs.evolve(KEY, revoked_at=START), attrs.evolve(KEY, max_uses=4)]
    )
    def test_it_loses_to_other_terms(self, other: TrainingKey) -> None:
        assert lost(stored(other), Change(use=[Use(KEY, 1)])) == ("k-1",)

    def test_it_loses_when_there_is_no_such_key(self) -> None:
        assert lost(InMemoryRepository(), Change(use=[Use(KEY, 1)])) == ("k-1",)

    def test_a_key_can_be_used_in_the_change_that_makes_it(self) -> None:
        repository = InMemoryRepository()
        repository.commit(Change(create=[KEY], use=[Use(KEY, 1)]))
        assert key_of(repository).uses == 2


class TestExpect:
    """`expect`: a record is still what was read; nothing is written; loses when it no longer is."""

    def test_it_writes_nothing(self) -> None:
        repository = stored(PYTHON)
        before = contents(repository)
        repository.commit(Change(expect=[PYTHON]))
        assert contents(repository) == before

    def test_it_loses_to_any_other_value(self) -> None:
        change = Change(expect=[PYTHON])
        assert lost(stored(attrs.evolve(PYTHON, archived=True)), change) == ("py",)
        assert lost(InMemoryRepository(), change) == ("py",)

    def test_on_a_key_the_uses_count_too(self) -> None:
        repository = stored(KEY)
        repository.commit(Change(expect=[KEY]))
        repository.commit(Change(use=[Use(KEY, 1)]))
        assert lost(repository, Change(expect=[KEY])) == ("k-1",)

    def test_it_speaks_of_what_was_there_before_the_change(self) -> None:
        after = attrs.evolve(PYTHON, archived=True)
        repository = stored(PYTHON)
        replace = [Replace(PYTHON, after)]
        assert lost(repository, Change(replace=replace, expect=[after])) == ("py",)
        repository.commit(Change(replace=replace, expect=[PYTHON]))


@pytest.mark.parametrize(
    ("change", "writes"),
    [
        (Change(), False),
        (Change(expect=[ADA]), False),
        (Change(create=[ADA]), True),
        (Change(replace=[Replace(ADA, ADA)]), True),
        (Change(use=[Use(TrainingKey(id="k-1", code="Spring-2026", batch_id="b"), 1)]), True),
        (Change(record=[Event(at=START, action="add", subject_ids=["ada"])]), True),
    ],
)
def test_a_change_is_true_if_it_writes(*, change: Change, writes: bool) -> None:
    assert bool(change) is writes


class TestRecord:
    """`record`: append events, in the same commit; never loses."""

    def test_positions_have_no_gaps_and_start_at_one(self) -> None:
        repository = InMemoryRepository()
        repository.commit(Change(record=[EVENT, attrs.evolve(EVENT, position=99)]))
        with pytest.raises(Conflict):
            repository.commit(Change(expect=[PYTHON], record=[EVENT]))
        repository.commit(Change(record=[EVENT]))
        assert [one.position for one in find_all(repository, EventQuery())] == [1, 2, 3]

    def test_equal_events_are_different_events(self) -> None:
        repository = InMemoryRepository()
        for _ in range(2):
            repository.commit(Change(record=[EVENT, EVENT]))
        found = list(find_all(repository, EventQuery(limit=3)))
        assert [attrs.evolve(one, position=0) for one in found] == [EVENT] * 4

    def test_events_behind_a_position_are_read_from_there(self) -> None:
        repository = InMemoryRepository()
        repository.commit(Change(record=[EVENT] * 5))
        assert [one.position for one in repository.find(EventQuery(after=3))] == [4, 5]
        assert not repository.find(EventQuery(after=5)).records


class TestWholeOrNothing:
    def test_all_that_stood_in_the_way_is_named_once(self) -> None:
        repository = stored(PYTHON, ADA, KEY)
        other = attrs.evolve(PYTHON, name="Snakes")
        change = Change(
            create=[ADA, user("dee", ADA.email.upper())],
            replace=[Replace(other, PYTHON)],
            use=[Use(KEY, 5)],
            expect=[SQL, other],
        )
        ids = lost(repository, change)
        assert set(ids) == {"ada", "dee", "py", "sql", "k-1"}
        assert len(ids) == 5

    def test_what_was_read_is_a_snapshot(self) -> None:
        repository = stored(PYTHON)
        found, page = repository.get(Course, ["py"]), repository.find(CourseQuery())
        repository.commit(Change(replace=[Replace(PYTHON, attrs.evolve(PYTHON, name="Snakes"))]))
        assert found == {"py": PYTHON}
        assert page.records == (PYTHON,)
        found.clear()
        assert set(repository.get(Course, ["py"])) == {"py"}

    def test_an_empty_change_is_no_matter(self) -> None:
        repository = stored(PYTHON)
        before = contents(repository)
        repository.commit(Change())
        assert contents(repository) == before


class TestGet:
    def test_unknown_ids_are_left_out_and_repeated_ones_collapse(self) -> None:
        repository = stored(PYTHON, SQL)
        assert repository.get(Course, ["sql", "nothing", "py", "sql"]) == {"sql": SQL, "py": PYTHON}
        assert repository.get(Course, iter(["py"])) == {"py": PYTHON}
        assert repository.get(Course, []) == {}
        assert repository.get(User, ["py"]) == {}

    def test_a_claim_is_read_by_its_id(self) -> None:
        claim = Claim.of("ada", "py", "a-1")
        assert stored(claim).get(Claim, [claim.id]) == {claim.id: claim}


JUNK: tuple[Any, ...] = (None, 7, "text", b"bytes", [], {}, object(), int, ADA, Course)


class Busy(Exception):
    """Another call is not over yet."""


class Turnstile:
    """A lock that, where another would wait, says so; without a *bar* it lets everyone through."""

    def __init__(self, *, bar: bool) -> None:
        self.bar, self.taken = bar, False

    def __enter__(self) -> None:
        if self.bar and self.taken:
            raise Busy
        self.taken = True

    def __exit__(self, *_: object) -> None:
        self.taken = False


class TestReading:
    """Reading is a snapshot of one call: no commit comes into the middle of it."""

    @staticmethod
    def names(how: str, *, bar: bool) -> list[str]:
        """Read two users, while another call tries to rename both."""
        kept = stored(ADA, BO)
        kept._lock = Turnstile(bar=bar)  # type: ignore[assignment]  # noqa: SLF001
        renamed = [Replace(one, attrs.evolve(one, name="Renamed")) for one in (ADA, BO)]
        rivals = iter([lambda: kept.commit(Change(replace=renamed))])

        def let_one_try() -> None:
            with suppress(Busy):
                next(rivals, lambda: None)()

        class Records(dict[Any, Any]):
            def __getitem__(self, name: Any) -> Any:
                found = super().__getitem__(name)
                let_one_try()
                return found

        shelf = kept._shelves[User]  # noqa: SLF001
        shelf.records = Records(shelf.records)
        read: Mapping[str, Callable[[], Iterable[User]]] = {
            "get": lambda: kept.get(User, ["ada", "bo"]).values(),
            "find": lambda: kept.find(UserQuery()),
        }
        return [one.name for one in read[how]()]

    @pytest.mark.parametrize("how", ["get", "find"])
    def test_is_of_one_moment(self, how: str) -> None:
        assert self.names(how, bar=True) == ["Ada", "Bo"]

    @pytest.mark.parametrize("how", ["get", "find"])
    def test_would_be_of_two_without_the_lock(self, how: str) -> None:
        assert self.names(how, bar=False) == ["Ada", "Renamed"]


class TestJunk:
    """`InvalidInput`; no other exception type may leave the public API."""

    @pytest.mark.parametrize("kind", [None, 7, "Course", [], {}, object(), int, ADA, object, Query])
    def test_what_is_no_kind_of_record_is_refused(self, kind: Any) -> None:
        with pytest.raises(InvalidInput) as caught:
            stored(PYTHON).get(kind, ["py"])
        assert caught.value.field == "kind"

    @pytest.mark.parametrize("ids", [None, 7, "py", b"py", [7], [None], ["py", b"py"], [["py"]]])
    def test_what_is_no_list_of_ids_is_refused(self, ids: Any) -> None:
        with pytest.raises(InvalidInput) as caught:
            stored(PYTHON).get(Course, ids)
        assert caught.value.field.startswith("ids")

    @pytest.mark.parametrize("query", [*JUNK, CourseQuery, Query])
    def test_what_is_no_query_is_refused(self, query: Any) -> None:
        with pytest.raises(InvalidInput) as caught:
            stored(PYTHON).find(query)
        assert caught.value.field == "query"

    def test_a_query_of_no_kind_is_refused(self) -> None:
        query: Query[Course] = Query()
        with pytest.raises(InvalidInput):
            stored(PYTHON).find(query)

    def test_a_query_of_a_kind_that_nobody_keeps_is_refused(self) -> None:
        class Odd(Query[Any]):
            kind = int

        with pytest.raises(InvalidInput):
            stored(PYTHON).find(Odd())

    def test_a_query_of_ones_own_with_a_cursor_of_another_order_is_refused(self) -> None:
        class Lost(CourseQuery):
            @property
            def cursor(self) -> tuple[Any, ...]:
                return (7,)

        with pytest.raises(InvalidInput) as caught:
            stored(PYTHON, SQL).find(Lost())
        assert (caught.value.code, caught.value.field) == ("invalid_cursor", "cursor")

    @pytest.mark.parametrize("change", [*JUNK, Change])
    def test_what_is_no_change_is_refused(self, change: Any) -> None:
        with pytest.raises(InvalidInput) as caught:
            InMemoryRepository().commit(change)
        assert caught.value.field == "change"

    @pytest.mark.parametrize("cursor", [(7,), (None,), (START, "a"), (b"py",), (("a",),)])
    def test_a_cursor_of_another_order_is_refused(self, cursor: tuple[Any, ...]) -> None:
        with pytest.raises(InvalidInput) as caught:
            stored(PYTHON, ADA, SQL).find(CourseQuery(cursor=cursor))
        assert (caught.value.code, caught.value.field) == ("invalid_cursor", "cursor")

    def test_a_naive_instant_in_a_cursor_is_refused(self) -> None:
        naive = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the point
        with pytest.raises(InvalidInput):
            stored(assignment("a-1", 0, "ada", "py")).find(AssignmentQuery(cursor=(naive, "a")))


def assignment(name: str, minutes: int, learner: str, course: str) -> CourseAssignment:
    created = START + timedelta(minutes=minutes)
    return CourseAssignment(
        id=name,
        learner_id=learner,
        course_id=course,
        organization_id=None,
        created_at=created,
        expires_at=created + timedelta(days=9),
        limited_by=ExpirationLimit.REQUEST,
        origin=Direct(),
    )


NAMES = st.sampled_from("abcd")
INSTANTS = st.integers(0, 2).map(lambda minutes: START + timedelta(minutes=minutes))
EMAILS = st.sampled_from(
    ["a@x.org", "A@X.org", "b@x.org", "\u00e9@x.org", "e\u0301@x.org", "\u00c9@X.org"]
)
CODES = st.sampled_from(["Code-number-1", "Code-number-2", "Code-number-3"])
RECORDS: st.SearchStrategy[Record] = st.one_of(
    st.builds(Organization, id=NAMES, name=NAMES),
    st.builds(Course, id=NAMES, name=NAMES),
    st.builds(User, id=NAMES, name=NAMES, email=EMAILS),
    st.builds(assignment, NAMES, st.integers(0, 2), NAMES, NAMES),
    st.builds(Claim.of, NAMES, NAMES, NAMES),
    st.builds(
        KeyBatch,
        id=NAMES,
        name=NAMES,
        course_id=NAMES,
        organization_id=NAMES,
        created_at=INSTANTS,
        availability=st.just(timedelta(days=1)),
    ),
    st.builds(
        TrainingKey,
        id=NAMES,
        code=CODES,
        batch_id=NAMES,
        number=st.integers(1, 3),
        uses=st.integers(0, 2),
        max_uses=st.integers(2, 3),
    ),
    st.builds(
        Redemption,
        id=NAMES,
        key_id=NAMES,
        batch_id=NAMES,
        learner_id=NAMES,
        assignment_id=NAMES,
        redeemed_at=INSTANTS,
    ),
    st.builds(
        Attempt,
        id=NAMES,
        assignment_id=NAMES,
        activity_id=NAMES,
        number=st.just(1),
        started_at=INSTANTS,
    ),
    st.builds(
        Subscription,
        id=NAMES,
        learner_id=NAMES,
        organization_id=st.none(),
        course_ids=st.just(["py"]),
        created_at=INSTANTS,
        expires_at=st.just(START + timedelta(days=9)),
    ),
)

Shelf: TypeAlias = dict[tuple[type, str], Record]


def name_of(record: Record) -> tuple[type, str]:
    return type(record), record.id


def terms(record: Record | None) -> Record | None:
    """Return *record* as a replace compares it: of a key all but the uses."""
    return attrs.evolve(record, uses=0) if isinstance(record, TrainingKey) else record


def replaced(now: Record | None, step: Replace) -> Record | None:
    if now is None or terms(now) != terms(step.before):
        return None
    new = step.after
    if isinstance(new, TrainingKey) and isinstance(now, TrainingKey):
        return attrs.evolve(new, uses=now.uses) if now.uses <= new.max_uses else None
    return new


def used(now: Record | None, step: Use) -> Record | None:
    if not isinstance(now, TrainingKey) or terms(now) != terms(step.key):
        return None
    in_bounds = 0 <= now.uses + step.by <= now.max_uses
    return attrs.evolve(now, uses=now.uses + step.by) if in_bounds else None


def folded(email: str) -> str:
    return normalize("NFC", normalize("NFC", email).casefold())


def after_commit(shelf: Shelf, change: Change) -> Shelf | None:
    """Return what is stored after *change*, by the table of verbs; ``None`` is a loss."""
    after = dict(shelf)
    if any(shelf.get(name_of(one)) != one for one in change.expect):
        return None
    for one in change.create:
        if name_of(one) in after:
            return None
        after[name_of(one)] = one
    steps: list[Replace | Use] = [*change.replace, *change.use]
    for step in steps:
        if isinstance(step, Replace):
            name = name_of(step.before)
            new = replaced(after.get(name), step)
        else:
            name = name_of(step.key)
            new = used(after.get(name), step)
        if new is None:
            return None
        after[name] = new
    addresses = [folded(one.email) for one in after.values() if isinstance(one, User)]
    return after if len(addresses) == len(set(addresses)) else None


@st.composite
def changes(draw: st.DrawFn, shelf: Mapping[tuple[type, str], Record]) -> Change:
    """Draw a change that is made for what is on *shelf*, or for what might have been there."""
    here = sorted(shelf.values(), key=repr)
    some = st.sampled_from(here) if here else RECORDS
    others = draw(st.lists(RECORDS, max_size=3))
    replace = []
    for other in others:
        before = shelf.get(name_of(other), other)
        replace += [Replace(before, other)] if draw(st.booleans()) else []
    keys = [one for one in here if isinstance(one, TrainingKey)]
    steps = st.builds(Use, st.sampled_from(keys), st.integers(-2, 2)) if keys else st.nothing()
    return Change(
        create=draw(st.lists(RECORDS, max_size=2)),
        replace=replace,
        use=draw(st.lists(steps, max_size=1)) if keys else (),
        expect=draw(st.lists(some | some | RECORDS, max_size=1)),
        record=[EVENT] * draw(st.integers(0, 1)),
    )


def paged(repository: InMemoryRepository, query: Query[Any]) -> list[Any]:
    """Return what all pages give, each of them as full as its limit says."""
    found: list[Any] = []
    rest: Query[Any] | None = query
    while rest is not None:
        page = repository.find(rest)
        assert len(page) == len(page.records) <= query.limit
        assert page.next is None or len(page) == query.limit
        found += page
        rest = page.next
    return found


def anything(_: object, __: str) -> bool:
    return True


def nothing(_: object, __: str) -> bool:
    return False


#: Each query with the plain sentence it stands for.
LOOK_UPS: tuple[tuple[Callable[..., Query[Any]], type, Callable[[Any, str], bool]], ...] = (
    (lambda _: OrganizationQuery(), Organization, anything),
    (lambda _: CourseQuery(), Course, anything),
    (lambda _: UserQuery(), User, anything),
    (lambda _: AssignmentQuery(), CourseAssignment, anything),
    (
        lambda name: AssignmentQuery(learner_id=name),
        CourseAssignment,
        lambda one, name: bool(one.learner_id == name),
    ),
    (
        lambda name: AssignmentQuery(course_id=name),
        CourseAssignment,
        lambda one, name: bool(one.course_id == name),
    ),
    (
        lambda name: AssignmentQuery(course_id=name, learner_id="a"),
        CourseAssignment,
        lambda one, name: (one.course_id, one.learner_id) == (name, "a"),
    ),
    (lambda _: BatchQuery(), KeyBatch, anything),
    (
        lambda name: BatchQuery(course_id=name),
        KeyBatch,
        lambda one, name: bool(one.course_id == name),
    ),
    (lambda _: KeyQuery(), TrainingKey, anything),
    (lambda _: KeyQuery(batch_ids=[]), TrainingKey, nothing),
    (
        lambda name: KeyQuery(batch_ids=["a", name, "a", "nothing"]),
        TrainingKey,
        lambda one, name: one.batch_id in {"a", name},
    ),
    (lambda _: RedemptionQuery(), Redemption, anything),
    (
        lambda name: RedemptionQuery(learner_id=name),
        Redemption,
        lambda one, name: bool(one.learner_id == name),
    ),
    (
        lambda name: RedemptionQuery(key_id="a", learner_id=name),
        Redemption,
        lambda one, name: (one.key_id, one.learner_id) == ("a", name),
    ),
    (lambda _: AttemptQuery(), Attempt, anything),
    (
        lambda name: AttemptQuery(assignment_id=name, activity_id="a"),
        Attempt,
        lambda one, name: (one.assignment_id, one.activity_id) == (name, "a"),
    ),
    (lambda _: SubscriptionQuery(), Subscription, anything),
    (
        lambda name: SubscriptionQuery(learner_id=name),
        Subscription,
        lambda one, name: bool(one.learner_id == name),
    ),
)
ORDERS: Mapping[type, Callable[[Any], Any]] = {
    CourseAssignment: lambda one: (one.created_at, one.id),
    KeyBatch: lambda one: (one.created_at, one.id),
    Redemption: lambda one: (one.redeemed_at, one.id),
    TrainingKey: lambda one: (one.batch_id, one.number, one.id),
    Attempt: lambda one: (one.started_at, one.id),
    Subscription: lambda one: (one.created_at, one.id),
}


class TestAgainstAPlainModel:
    """The same commits against a plain dictionary, searched from end to end."""

    @given(st.data())
    def test_commits_win_and_lose_as_the_verbs_say(self, data: st.DataObject) -> None:
        repository, shelf, number = InMemoryRepository(), Shelf(), 0
        for _ in range(data.draw(st.integers(1, 12))):
            change = data.draw(changes(shelf))
            after = after_commit(shelf, change)
            if after is None:
                with pytest.raises(Conflict):
                    repository.commit(change)
            else:
                repository.commit(change)
                shelf, number = after, number + len(change.record)
            for kind, name in {name_of(one) for one in (*change.create, *shelf.values())}:
                stored_now = repository.get(kind, [name]).get(name)
                assert stored_now == shelf.get((kind, name))
        assert len(paged(repository, EventQuery(limit=2))) == number
        name, limit = data.draw(NAMES), data.draw(st.integers(1, 4))
        for query, kind, fits in LOOK_UPS:
            expected = [one for one in shelf.values() if type(one) is kind and fits(one, name)]
            expected.sort(key=ORDERS.get(kind, lambda one: one.id))
            assert paged(repository, attrs.evolve(query(name), limit=limit)) == expected
        for email in ("A@x.org", "b@x.org", "E\u0301@x.org"):
            holders = [
                one
                for one in shelf.values()
                if isinstance(one, User) and folded(one.email) == folded(email)
            ]
            assert list(repository.find(UserQuery(email=email))) == holders

    @given(
        st.lists(st.builds(assignment, st.uuids().map(str), st.integers(0, 9), NAMES, NAMES)),
        st.integers(1, 5),
        st.data(),
    )
    def test_pages_neither_repeat_nor_skip_what_was_there_all_along(
        self, records: list[CourseAssignment], limit: int, data: st.DataObject
    ) -> None:
        repository = stored(*records)
        seen: list[CourseAssignment] = []
        rest: Query[CourseAssignment] | None = AssignmentQuery(limit=limit)
        added = 0
        while rest is not None:
            page = repository.find(rest)
            seen += page
            rest = page.next
            # What others add meanwhile may appear or not.
            if data.draw(st.booleans()) and added < 5:
                added += 1
                new = assignment(f"new {added}", data.draw(st.integers(0, 9)), "new", "new")
                repository.commit(Change(create=[new]))
        old = [one for one in seen if one.learner_id != "new"]
        assert old == sorted(records, key=lambda one: (one.created_at, one.id))
        assert len(set(seen)) == len(seen)

    def test_a_record_that_moves_leaves_its_old_place(self) -> None:
        first, second = assignment("a-1", 5, "ada", "py"), assignment("a-1", 1, "bo", "py")
        between = assignment("a-2", 3, "ada", "py")
        repository = stored(first, between)
        repository.commit(Change(replace=[Replace(first, second)]))
        assert list(repository.find(AssignmentQuery())) == [second, between]
        assert list(repository.find(AssignmentQuery(learner_id="ada"))) == [between]
        assert list(repository.find(AssignmentQuery(learner_id="bo"))) == [second]
        assert list(repository.find(AssignmentQuery(course_id="py"))) == [second, between]

    def test_the_only_one_that_is_found_by_a_value_is_found_after_it_moved(self) -> None:
        first, moved = assignment("a-1", 5, "ada", "py"), assignment("a-1", 1, "ada", "py")
        repository = stored(first)
        repository.commit(Change(replace=[Replace(first, moved)]))
        assert list(repository.find(AssignmentQuery(learner_id="ada"))) == [moved]
        assert list(repository.find(AssignmentQuery(course_id="py"))) == [moved]

    def test_keys_of_several_batches_are_ordered_by_batch_and_number(self) -> None:
        keys = [
            TrainingKey(
                id=f"{batch_id}-{99 - number}",
                code=f"{batch_id}-Code-{99 - number}",
                batch_id=batch_id,
                number=number,
            )
            for batch_id in ("a", "b", "c", "other")
            for number in range(1, 11)
        ]
        repository = stored(*reversed(keys))
        query = KeyQuery(batch_ids=["b", "a", "b", "nothing"], limit=3)
        assert paged(repository, query) == [key for key in keys if key.batch_id in {"a", "b"}]
        twice = KeyQuery(batch_ids=["c", "c"])
        assert paged(repository, twice) == [key for key in keys if key.batch_id == "c"]


def test_a_query_of_ones_own_may_name_a_record_twice_and_finds_it_once() -> None:
    @attrs.frozen(kw_only=True)
    class Named(CourseQuery):
        def where(self) -> dict[str, tuple[str | int, ...]]:
            return {"id": ("sql", "py", "sql", "nothing")}

    others = [Course(id=name, name=name) for name in "abcd"]
    assert paged(stored(PYTHON, SQL, *others), Named(limit=9)) == [PYTHON, SQL]


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


def filled(size: int) -> InMemoryRepository:
    """Return a repository that holds *size* of everything, none of it about Ada."""
    numbers = [f"{number * 7919 % 100_003:06}" for number in range(size)]
    return stored(
        *(
            record
            for name in numbers
            for record in (
                user(name, f"{name}@example.org"),
                assignment(name, int(name) % 97, name, name),
                TrainingKey(id=f"k-{name}", code=f"Code-{name}", batch_id=name),
                redemption(f"k-{name}", name),
                attempt(name),
                subscription(name),
                batch(name),
            )
        )
    )


def redemption(key_id: str, learner: str) -> Redemption:
    return Redemption(
        id=Redemption.id_for(key_id, learner, 0),
        key_id=key_id,
        batch_id="b",
        learner_id=learner,
        assignment_id="a",
        redeemed_at=START,
    )


def attempt(assignment_id: str) -> Attempt:
    return Attempt(
        id=Attempt.id_for(assignment_id, "lab", 1),
        assignment_id=assignment_id,
        activity_id="lab",
        number=1,
        started_at=START,
    )


def subscription(learner: str) -> Subscription:
    return Subscription(
        id=f"s-{learner}",
        learner_id=learner,
        organization_id=None,
        course_ids=["py"],
        created_at=START,
        expires_at=START + timedelta(days=9),
    )


def batch(course: str) -> KeyBatch:
    return KeyBatch(
        id=f"b-{course}",
        name=course,
        course_id=course,
        organization_id="acme",
        created_at=START,
        availability=timedelta(days=9),
    )


ADAS = attrs.evolve(assignment("adas", 99, "ada", "py"), organization_id="acme")
LATER = attrs.evolve(ADAS, cancelled_at=START + timedelta(days=1))
COSTS: Mapping[str, Callable[[InMemoryRepository], object]] = {
    "get": lambda kept: kept.get(User, ["ada", "nobody"]),
    "by learner": lambda kept: kept.find(AssignmentQuery(learner_id="ada")),
    "by course": lambda kept: kept.find(AssignmentQuery(course_id="py")),
    "by nobody": lambda kept: kept.find(AssignmentQuery(learner_id="nobody")),
    "by learner and course": lambda kept: kept.find(
        AssignmentQuery(learner_id="ada", course_id="py")
    ),
    "by batch": lambda kept: kept.find(KeyQuery(batch_ids=["spring"])),
    "by organization": lambda kept: kept.find(AssignmentQuery(organization_id="acme")),
    "by the batch that it came from": lambda kept: kept.find(AssignmentQuery(batch_id="spring")),
    "by subscription": lambda kept: kept.find(AssignmentQuery(subscription_id="s-1")),
    "users of an organization": lambda kept: kept.find(UserQuery(organization_id="acme")),
    "by creation": lambda kept: kept.find(
        AssignmentQuery(created_from=ADAS.created_at, created_until=ADAS.expires_at)
    ),
    "by creation before all": lambda kept: kept.find(AssignmentQuery(created_until=START)),
    "by organization and creation": lambda kept: kept.find(
        AssignmentQuery(organization_id="acme", created_from=START)
    ),
    "by the code of a key": lambda kept: kept.find(KeyQuery(code=KEY.code)),
    "by a code that no key has": lambda kept: kept.find(KeyQuery(code="Nobody-has-this")),
    "by one of several codes": lambda kept: kept.find(
        KeyQuery(codes=["Nobody-has-this", KEY.code])
    ),
    "by key": lambda kept: kept.find(RedemptionQuery(key_id=KEY.id)),
    "by key and learner": lambda kept: kept.find(RedemptionQuery(key_id=KEY.id, learner_id="ada")),
    "attempts by assignment": lambda kept: kept.find(
        AttemptQuery(assignment_id="adas", activity_id="lab")
    ),
    "subscriptions by learner": lambda kept: kept.find(SubscriptionQuery(learner_id="ada")),
    "batches by course": lambda kept: kept.find(BatchQuery(course_id="py")),
    "by e-mail": lambda kept: kept.find(UserQuery(email="ADA@example.org")),
    "by a free e-mail": lambda kept: kept.find(UserQuery(email="free@example.org")),
    "create": lambda kept: kept.commit(
        Change(create=[assignment("new", 40, "ada", "py"), user("new", "new@example.org")])
    ),
    "replace": lambda kept: kept.commit(Change(replace=[Replace(ADAS, LATER)])),
    "replace with another e-mail": lambda kept: kept.commit(
        Change(replace=[Replace(ADA, attrs.evolve(ADA, email="other@example.org"))])
    ),
    "use": lambda kept: kept.commit(
        Change(create=[redemption(KEY.id, "bo")], use=[Use(KEY, 1)], expect=[ADA])
    ),
    "record": lambda kept: kept.commit(Change(record=[EVENT])),
}


def cost(action: Callable[[InMemoryRepository], object], size: int) -> int:
    counts = []
    # What Python remembers from a first time, as that a list is iterable, is not to be counted.
    for records in (1, size):
        kept = filled(records)
        kept.commit(
            Change(
                create=[
                    *(ADA, KEY, ADAS, redemption(KEY.id, "ada")),
                    *(attempt(ADAS.id), subscription(ADA.id), batch("py")),
                ]
            )
        )
        counts.append(operations(partial(action, kept)))
    return counts[-1]


class TestCost:
    """get, commit and look-ups by learner, assignment, course, batch, code and e-mail cost the same
    however much is stored."""

    @pytest.mark.parametrize("name", COSTS)
    def test_it_takes_as_many_steps_however_much_is_stored(self, name: str) -> None:
        assert cost(COSTS[name], 20) == cost(COSTS[name], 1000)

    def test_the_count_sees_a_search_through_everything(self) -> None:
        def scan(kept: InMemoryRepository) -> object:
            return [one for one in find_all(kept, AssignmentQuery()) if one.learner_id == "ada"]

        assert cost(scan, 1000) > 10 * cost(scan, 20)

    def test_a_listing_is_sorted_once_after_it_has_grown(self) -> None:
        """One sort counts as one step, however long it takes, so here sorts are counted."""
        sorts = 0

        class Counted(_Listing):
            def sort(self, **options: Any) -> None:
                nonlocal sorts
                sorts += 1
                super().sort(**options)

        kept = InMemoryRepository()
        kept._shelves[User]._all = Counted()  # noqa: SLF001
        for name in "bca":
            kept.commit(Change(create=[user(name, f"{name}@example.org")]))
        for _ in range(3):
            assert [one.id for one in kept.find(UserQuery())] == ["a", "b", "c"]
        assert sorts == 1
        kept.commit(Change(create=[user("d", "d@example.org")]))
        assert len(kept.find(UserQuery())) == 4
        assert sorts == 1

    def test_looking_for_what_is_not_there_leaves_no_trace(self) -> None:
        kept = stored(ADAS)
        index = kept._shelves[CourseAssignment]._by["learner_id"]  # noqa: SLF001
        for number in range(9):
            assert not kept.find(AssignmentQuery(learner_id=f"nobody-{number}")).records
        assert list(index) == ["ada"]

    def test_a_page_reads_no_further_than_one_record_behind_it(self) -> None:
        asked: list[object] = []

        @attrs.frozen(kw_only=True)
        class Watched(AssignmentQuery):
            def matches(self, record: CourseAssignment) -> bool:
                asked.append(record)
                return super().matches(record)

        repository = filled(300)
        page = repository.find(Watched(limit=10))
        assert (len(page), len(asked)) == (10, 11)
        assert page.next is not None
        asked.clear()
        # A later page does not begin at the first record again.
        assert len(repository.find(page.next)) == 10
        assert len(asked) == 11

    def test_only_what_has_the_narrowest_index_is_looked_at(self) -> None:
        asked: list[object] = []

        @attrs.frozen(kw_only=True)
        class Watched(AssignmentQuery):
            def matches(self, record: CourseAssignment) -> bool:
                asked.append(record)
                return super().matches(record)

        many = [assignment(f"a-{number:03}", number, "ada", "py") for number in range(50)]
        few = [assignment(f"b-{number}", number, "bo", "py") for number in range(3)]
        repository = stored(*many, *few)
        assert list(repository.find(Watched(learner_id="bo", course_id="py"))) == few
        assert asked == few


def test_an_address_that_was_given_up_is_not_found_again() -> None:
    repository = stored(ADA)
    now = ADA
    for number in range(5):
        after = attrs.evolve(now, email=f"ada{number}@example.org")
        repository.commit(Change(replace=[Replace(now, after)]))
        now = after
    assert [
        len(repository.find(UserQuery(email=email)))
        for email in (ADA.email, "ada0@example.org", "ada3@example.org", "ada4@example.org")
    ] == [0, 0, 0, 1]


def ids_of(records: Iterable[Record]) -> list[str]:
    return [record.id for record in records]


def test_order_is_binary() -> None:
    names = ["b", "a", "B", "\u00e4", "Z", "10", "9"]
    repository = stored(*(Course(id=name, name=name) for name in names))
    assert ids_of(find_all(repository, CourseQuery(limit=2))) == sorted(names)
