"""Search: every filter against a plain one, at its edges, and page by page while others write."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, get_args
from unicodedata import normalize
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import (
    AssignmentQuery,
    AssignmentStatus,
    Attempt,
    AttemptQuery,
    BatchQuery,
    Change,
    CompletionStatus,
    Course,
    CourseAssignment,
    CourseQuery,
    Direct,
    ExpirationLimit,
    FromKey,
    FromSubscription,
    InMemoryRepository,
    KeyBatch,
    KeyQuery,
    KeyRedemptionPolicy,
    Organization,
    OrganizationQuery,
    Origin,
    Page,
    Query,
    Record,
    Redemption,
    RedemptionQuery,
    Replace,
    Repository,
    Subscription,
    SubscriptionQuery,
    TrainingKey,
    User,
    UserQuery,
    find_all,
)
from tests.support.values import refusal
from tests.support.world import ADA, BO, CY, START

US = timedelta(microseconds=1)
GENERATED = "00000000000000012"
LATEST = datetime(9899, 12, 31, 23, 59, 59, 999999, tzinfo=START.tzinfo)


def instant(ticks: int) -> datetime:
    return START + ticks * US


# Few instants, ids and names, so that what is drawn meets at the edges.
INSTANTS = st.integers(0, 5).map(instant)
SOMETIMES = st.none() | INSTANTS
IDS = st.sampled_from("abc")
MAYBE = st.none() | IDS
NAMES = st.sampled_from(
    ["Ada", "ADA Lovelace", "Stra\u00dfe 5", "strasse", "Ren\u00e9", "rene\u0301", "Rene"]
)
PARTS = NAMES | st.sampled_from(["a", "SS", "E", "\u00c9", "ove", " 5", "%", "_"])
CODES = st.sampled_from(["Code-number-1", "Code-number-2", "Code-number-3", GENERATED])


ORIGINS: st.SearchStrategy[Origin] = st.one_of(
    st.just(Direct()),
    st.builds(FromKey, IDS, st.just("r")),
    st.builds(FromSubscription, IDS),
)


@st.composite
def spans(draw: st.DrawFn) -> tuple[datetime | None, datetime | None]:
    """Draw a window that is not empty; each of its sides may be open."""
    start, end = sorted(draw(st.lists(st.integers(-1, 6), min_size=2, max_size=2, unique=True)))
    return (
        instant(start) if draw(st.booleans()) else None,
        instant(end) if draw(st.booleans()) else None,
    )


@st.composite
def assignments(draw: st.DrawFn) -> CourseAssignment:
    created = draw(st.integers(0, 3))
    later = st.none() | st.integers(created, 6).map(instant)
    return CourseAssignment(
        id="later",
        learner_id=draw(IDS),
        course_id=draw(IDS),
        organization_id=draw(MAYBE),
        created_at=instant(created),
        expires_at=instant(draw(st.integers(created + 1, 7))),
        limited_by=ExpirationLimit.REQUEST,
        origin=draw(ORIGINS),
        started_at=draw(later),
        completed_at=draw(later),
        cancelled_at=draw(later),
    )


@st.composite
def subscriptions(draw: st.DrawFn) -> Subscription:
    created = draw(st.integers(0, 3))
    return Subscription(
        id=draw(IDS),
        learner_id=draw(IDS),
        organization_id=draw(MAYBE),
        course_ids=["py"],
        created_at=instant(created),
        expires_at=instant(draw(st.integers(created + 1, 7))),
    )


@st.composite
def batches(draw: st.DrawFn) -> KeyBatch:
    start, end = draw(spans())
    return KeyBatch(
        id=draw(IDS),
        name=draw(NAMES),
        course_id=draw(IDS),
        organization_id=draw(IDS),
        created_at=draw(INSTANTS),
        redeemable_from=start,
        redeemable_until=end,
        availability=timedelta(days=1),
    )


def keys() -> st.SearchStrategy[TrainingKey]:
    return st.builds(
        TrainingKey,
        id=IDS,
        code=CODES,
        batch_id=IDS,
        number=st.integers(1, 3),
        uses=st.integers(0, 2),
        max_uses=st.integers(2, 3),
        revoked_at=SOMETIMES,
    )


def redemptions() -> st.SearchStrategy[Redemption]:
    return st.builds(
        Redemption,
        id=IDS,
        key_id=IDS,
        batch_id=st.just("b"),
        learner_id=IDS,
        assignment_id=st.just("a-1"),
        redeemed_at=INSTANTS,
    )


def attempts() -> st.SearchStrategy[Attempt]:
    return st.builds(
        Attempt,
        id=IDS,
        assignment_id=IDS,
        activity_id=IDS,
        number=st.just(1),
        started_at=INSTANTS,
    )


def users() -> st.SearchStrategy[User]:
    return st.builds(
        lambda name, known_as, organization: User(
            id=name, name=known_as, email=f"{name}@x.org", organization_id=organization
        ),
        IDS,
        NAMES,
        MAYBE,
    )


def courses() -> st.SearchStrategy[Course]:
    return st.builds(Course, id=IDS, name=NAMES, archived=st.booleans())


def organizations() -> st.SearchStrategy[Organization]:
    return st.builds(Organization, id=IDS, name=NAMES, parent_id=st.none() | st.sampled_from("xyz"))


def folded(text: str) -> str:
    return normalize("NFC", normalize("NFC", text).casefold())


def has_part(record: Any, part: str) -> bool:
    return folded(part) in folded(record.name)


def equal(name: str) -> Callable[[Any, Any], bool]:
    return lambda record, value: bool(getattr(record, name) == value)


def inside(name: str) -> Callable[[Any, Any], bool]:
    """Return the plain sentence of a half-open range."""

    def fits(record: Any, window: tuple[datetime | None, datetime | None]) -> bool:
        at, (start, end) = getattr(record, name), window
        if start is None and end is None:
            return True
        return at is not None and (start or at) <= at < (end or at + US)

    return fits


def overlapping(record: KeyBatch, window: tuple[datetime | None, datetime | None]) -> bool:
    """Go through all instants of this small world and some around it."""
    return any(
        inside("at")(Moment(at), (record.redeemable_from, record.redeemable_until))
        and inside("at")(Moment(at), window)
        for at in map(instant, range(-5, 12))
    )


@attrs.frozen
class Moment:
    at: datetime


def completions(record: CourseAssignment, value: Any) -> bool:
    return record.completion in (value if isinstance(value, list) else [value])


def by_batch(record: CourseAssignment, batch: str) -> bool:
    return isinstance(record.origin, FromKey) and record.origin.batch_id == batch


def by_subscription(record: CourseAssignment, subscription: str) -> bool:
    return record.origin == FromSubscription(subscription)


def usable(record: TrainingKey, wanted: object) -> bool:
    return wanted == (record.revoked_at is None and record.uses < record.max_uses)


#: For each query: what it finds, in which order, and for each of its filters what may be asked and
#: the plain sentence that it stands for. A pair "x" stands for x_from and x_until; "status" holds
#: the instant as well.
Filter = tuple[st.SearchStrategy[Any], Callable[[Any, Any], bool]]
Plain = tuple[st.SearchStrategy[Any], Callable[[Any], Any], Mapping[str, Filter]]

SOME_STATUS = st.sampled_from(CompletionStatus)
FILTERS: Mapping[type[Query[Any]], Plain] = {
    AssignmentQuery: (
        assignments(),
        lambda one: (one.created_at, one.id),
        {
            "learner_id": (IDS, equal("learner_id")),
            "course_id": (IDS, equal("course_id")),
            "organization_id": (IDS, equal("organization_id")),
            "status": (
                st.tuples(st.sampled_from(AssignmentStatus), st.integers(-1, 8).map(instant)),
                lambda one, asked: one.status_at(asked[1]) is asked[0],
            ),
            "completion": (SOME_STATUS | st.lists(SOME_STATUS, max_size=3), completions),
            "origin": (
                st.sampled_from(get_args(Origin)),
                lambda one, kind: type(one.origin) is kind,
            ),
            "batch_id": (IDS, by_batch),
            "subscription_id": (IDS, by_subscription),
            "created": (spans(), inside("created_at")),
            "started": (spans(), inside("started_at")),
            "completed": (spans(), inside("completed_at")),
            "expires": (spans(), inside("expires_at")),
        },
    ),
    SubscriptionQuery: (
        subscriptions(),
        lambda one: (one.created_at, one.id),
        {
            "learner_id": (IDS, equal("learner_id")),
            "organization_id": (IDS, equal("organization_id")),
            "created": (spans(), inside("created_at")),
            "expires": (spans(), inside("expires_at")),
        },
    ),
    BatchQuery: (
        batches(),
        lambda one: (one.created_at, one.id),
        {
            "course_id": (IDS, equal("course_id")),
            "organization_id": (IDS, equal("organization_id")),
            "name": (PARTS, has_part),
            "redeemable": (spans(), overlapping),
            "created": (spans(), inside("created_at")),
        },
    ),
    KeyQuery: (
        keys(),
        lambda one: (one.batch_id, one.number, one.id),
        {
            "batch_ids": (st.lists(IDS, max_size=3), lambda one, ids: one.batch_id in ids),
            "code": (CODES, equal("code")),
            "codes": (st.lists(CODES, max_size=3), lambda one, codes: one.code in codes),
            "redeemed": (st.booleans(), lambda one, wanted: wanted == (one.uses > 0)),
            "usable": (st.booleans(), usable),
        },
    ),
    RedemptionQuery: (
        redemptions(),
        lambda one: (one.redeemed_at, one.id),
        {"key_id": (IDS, equal("key_id")), "learner_id": (IDS, equal("learner_id"))},
    ),
    AttemptQuery: (
        attempts(),
        lambda one: (one.started_at, one.id),
        {
            "assignment_id": (IDS, equal("assignment_id")),
            "activity_id": (IDS, equal("activity_id")),
        },
    ),
    UserQuery: (
        users(),
        lambda one: one.id,
        {
            "name": (PARTS, has_part),
            "email": (IDS.map("{}@X.org".format), lambda one, email: email.lower() == one.email),
            "organization_id": (IDS, equal("organization_id")),
        },
    ),
    CourseQuery: (
        courses(),
        lambda one: one.id,
        {"name": (PARTS, has_part), "archived": (st.booleans(), equal("archived"))},
    ),
    OrganizationQuery: (
        organizations(),
        lambda one: one.id,
        {"name": (PARTS, has_part), "parent_id": (st.sampled_from("xyz"), equal("parent_id"))},
    ),
}


def as_arguments(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return *asked* as a query takes it."""
    found: dict[str, Any] = {}
    for name, value in asked.items():
        if name == "status":
            found |= {"status": value[0], "at": value[1]}
        elif name in {"created", "started", "completed", "expires", "redeemable"}:
            found |= {f"{name}_from": value[0], f"{name}_until": value[1]}
        else:
            found[name] = value
    return found


def some_of(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Draw records, each with an id of its own."""

    def numbered(records: list[Any]) -> list[Any]:
        # The numbers run in another order than the instants.
        if records and isinstance(records[0], CourseAssignment):
            return [attrs.evolve(one, id=f"a-{7 * at % 10}") for at, one in enumerate(records)]
        if records and isinstance(records[0], TrainingKey):  # whose codes are unique too
            records = list({one.code: one for one in records}.values())
        return list({one.id: one for one in records}.values())

    return st.lists(strategy, max_size=8).map(numbered)


def stored(*records: Record) -> InMemoryRepository:
    repository = InMemoryRepository()
    repository.commit(Change(create=records))
    return repository


def paged(repository: Repository, query: Query[Any]) -> list[Any]:
    """Return what all pages give, each of them as full as its limit says."""
    found: list[Any] = []
    rest: Query[Any] | None = query
    while rest is not None:
        page = repository.find(rest)
        assert len(page) <= query.limit
        assert page.next is None or len(page) == query.limit
        assert page.next != rest, "it would never end"
        found += page
        rest = page.next
    return found


class TestEveryFilter:
    """Every kind of record but the events, against a plain search."""

    @pytest.mark.parametrize("kind", FILTERS, ids=lambda kind: kind.__name__)
    @given(data=st.data())
    def test_finds_what_a_plain_search_finds(
        self, kind: type[Query[Any]], data: st.DataObject
    ) -> None:
        records, order, filters = FILTERS[kind]
        kept = data.draw(some_of(records))
        repository, limit = stored(*kept), data.draw(st.integers(1, 5))
        values = {name: data.draw(of) for name, (of, _) in filters.items()}
        some = data.draw(st.sets(st.sampled_from(sorted(filters)), max_size=3))
        for names in (*({name} for name in filters), some):
            query = kind(**as_arguments({name: values[name] for name in names}), limit=limit)
            expected = [
                one for one in kept if all(filters[name][1](one, values[name]) for name in names)
            ]
            assert [one for one in kept if query.matches(one)] == expected
            assert paged(repository, query) == sorted(expected, key=order)

    def test_no_filter_of_a_query_is_left_out(self) -> None:
        for kind, (_, _, filters) in FILTERS.items():
            values = {"status": (None, None), **dict.fromkeys(set(filters) - {"status"}, (0, 0))}
            tried = set(as_arguments({name: values[name] for name in filters}))
            assert {one.alias for one in attrs.fields(kind)} - {"limit", "cursor"} == tried

    @pytest.mark.parametrize("kind", FILTERS, ids=lambda kind: kind.__name__)
    @given(data=st.data())
    def test_says_what_it_narrows_so_that_others_can_search_for_it(
        self, kind: type[Query[Any]], data: st.DataObject
    ) -> None:
        """What no `where`, `ranges` or `contains` can say is left out here."""
        records, _, filters = FILTERS[kind]
        special = {"status", "origin", "redeemable", "usable"} | (
            {"batch_id"} if kind is AssignmentQuery else set()
        )
        names = data.draw(st.sets(st.sampled_from(sorted(set(filters) - special))))
        asked = {name: data.draw(filters[name][0]) for name in sorted(names)}
        query = kind(**as_arguments(asked))
        for one in data.draw(some_of(records)):
            in_range = (
                getattr(one, name) is not None
                and (start is None or getattr(one, name) >= start)
                and (until is None or getattr(one, name) < until)
                for name, (start, until) in query.ranges().items()
            )
            said = (
                all(getattr(one, name) in values for name, values in query.where().items())
                and all(in_range)
                and all(
                    part in folded(getattr(one, name)) for name, part in query.contains().items()
                )
            )
            assert query.matches(one) is said


ONE = CourseAssignment(
    id="a-1",
    learner_id="ada",
    course_id="py",
    organization_id=None,
    created_at=START,
    expires_at=START + 4 * US,
    limited_by=ExpirationLimit.REQUEST,
    origin=Direct(),
    started_at=START + US,
    completed_at=START + 2 * US,
)
BATCH = KeyBatch(
    id="spring",
    name="Spring",
    course_id="py",
    organization_id="acme",
    created_at=START,
    redeemable_from=START + 3 * US,
    redeemable_until=START + 6 * US,
    availability=timedelta(days=9),
)
KEY = TrainingKey(id="k-1", code=GENERATED, batch_id="spring", max_uses=2)


class TestEdges:
    """Ranges are half-open, as windows are: at its end it is over."""

    @pytest.mark.parametrize("name", ["created", "started", "completed", "expires"])
    @pytest.mark.parametrize(
        ("start", "until", "fits"),
        [
            (-1, None, True),
            (0, None, True),
            (1, None, False),
            (None, -1, False),
            (None, 0, False),
            (None, 1, True),
            (0, 1, True),
            (-1, 0, False),
        ],
    )
    def test_of_a_range(
        self, name: str, start: int | None, until: int | None, *, fits: bool
    ) -> None:
        at = getattr(ONE, f"{name}_at")
        bounds: dict[str, Any] = {
            f"{name}_from": None if start is None else at + start * US,
            f"{name}_until": None if until is None else at + until * US,
        }
        assert AssignmentQuery(**bounds).matches(ONE) is fits
        if name == "created":
            batch = attrs.evolve(BATCH, created_at=at)
            assert BatchQuery(**bounds).matches(batch) is fits

    @pytest.mark.parametrize("name", ["started", "completed"])
    def test_what_has_not_happened_is_in_no_range(self, name: str) -> None:
        nothing: dict[str, Any] = {f"{name}_at": None}
        never = attrs.evolve(ONE, **nothing)
        for side, at in (("from", START - US), ("until", LATEST)):
            bound: dict[str, Any] = {f"{name}_{side}": at}
            assert AssignmentQuery(**bound).matches(ONE)
            assert not AssignmentQuery(**bound).matches(never)

    @pytest.mark.parametrize(
        ("ticks", "status"),
        [
            (-1, AssignmentStatus.SCHEDULED),
            (0, AssignmentStatus.ACTIVE),
            (3, AssignmentStatus.ACTIVE),
            (4, AssignmentStatus.EXPIRED),
            (5, AssignmentStatus.EXPIRED),
        ],
    )
    def test_of_a_status(self, ticks: int, status: AssignmentStatus) -> None:
        at = instant(ticks)
        fitting = [
            one for one in AssignmentStatus if AssignmentQuery(status=one, at=at).matches(ONE)
        ]
        assert fitting == [status]

    @pytest.mark.parametrize(
        ("start", "until", "fits"),
        [
            (2, 3, False),
            (2, 4, True),
            (5, 6, True),
            (6, 7, False),
            (5, None, True),
            (6, None, False),
            (None, 3, False),
            (None, 4, True),
        ],
    )
    def test_of_a_window_of_redemption(
        self, start: int | None, until: int | None, *, fits: bool
    ) -> None:
        query = BatchQuery(
            redeemable_from=None if start is None else instant(start),
            redeemable_until=None if until is None else instant(until),
        )
        assert query.matches(BATCH) is fits
        open_batch = attrs.evolve(BATCH, redeemable_from=None, redeemable_until=None)
        assert query.matches(open_batch)

    def test_an_instant_is_taken_in_any_zone(self) -> None:
        there = START.astimezone(ZoneInfo("Asia/Kathmandu"))
        active = AssignmentStatus.ACTIVE
        query = AssignmentQuery(created_from=there, status=active, at=there)
        same = AssignmentQuery(created_from=START, status=active, at=START)
        assert query == same
        assert repr(query) == repr(same)


class TestNames:
    """Text is searched casefolded, whatever its composition."""

    @pytest.mark.parametrize(
        ("part", "fits"),
        [
            ("René Straße", True),
            ("RENÉ STRASSE", True),
            ("nÉ s", True),
            ("SS", True),
            ("ß", True),
            ("rene", False),
            ("%", False),
            ("_", False),
        ],
    )
    def test_a_part_is_found_in_any_case_and_composition(self, part: str, *, fits: bool) -> None:
        name = "Dr. René Straße"
        both: tuple[tuple[Query[Any], Record], ...] = (
            (UserQuery(name=part), User(id="r", name=name, email="r@x.org")),
            (CourseQuery(name=part), Course(id="r", name=name)),
            (OrganizationQuery(name=part), Organization(id="r", name=name)),
            (BatchQuery(name=part), attrs.evolve(BATCH, name=name)),
        )
        for query, record in both:
            assert query.matches(record) is fits

    @given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1), st.data())
    def test_every_part_of_a_name_is_found_however_it_is_written(
        self, name: str, data: st.DataObject
    ) -> None:
        start = data.draw(st.integers(0, len(name) - 1))
        part = name[start : data.draw(st.integers(start + 1, len(name)))]
        course = Course(id="c", name=name)
        for typed in (part, part.upper(), part.lower(), part.swapcase()):
            assert CourseQuery(name=typed).matches(course)

    def test_a_name_that_grows_when_it_is_folded_can_be_searched_page_by_page(self) -> None:
        sharp = "ß" * 500
        one, other = (Course(id=name, name=sharp) for name in "ab")
        assert paged(stored(one, other), CourseQuery(name=sharp, limit=1)) == [one, other]


class TestKeys:
    """Keys by batches, code, redeemed or not, redeemable at an instant."""

    @pytest.mark.parametrize(
        "typed", [GENERATED, " 0000-0000-0000-0001-2 ", "oooo oooo oooo oool 2"]
    )
    def test_a_code_is_taken_as_it_was_typed(self, typed: str) -> None:
        other = TrainingKey(id="k-2", code="Spring-2026", batch_id="spring")
        query = KeyQuery(code=typed)
        assert list(stored(KEY, other).find(query)) == [KEY]
        assert query == KeyQuery(code=GENERATED)
        assert not KeyQuery(code="spring-2026").matches(other)

    def test_a_code_and_a_batch_have_both_to_fit(self) -> None:
        repository = stored(KEY)
        assert list(repository.find(KeyQuery(code=GENERATED, batch_ids=["spring"]))) == [KEY]
        assert not repository.find(KeyQuery(code=GENERATED, batch_ids=["other"])).records
        assert not repository.find(KeyQuery(code=GENERATED).starting_after(KEY)).records

    def test_one_of_several_codes_has_to_fit(self) -> None:
        other = TrainingKey(id="k-2", code="Spring-2026", batch_id="spring", number=2)
        repository = stored(KEY, other)
        typed = [" 0000-0000-0000-0001-2 ", "Nobody-has-this", GENERATED]
        assert list(repository.find(KeyQuery(codes=iter(typed)))) == [KEY]
        assert list(repository.find(KeyQuery(codes=[*typed, other.code]))) == [KEY, other]
        assert not repository.find(KeyQuery(codes=[])).records
        assert list(repository.find(KeyQuery(code=GENERATED, codes=typed))) == [KEY]
        assert not repository.find(KeyQuery(code=other.code, codes=typed)).records

    def test_no_repr_shows_the_code(self) -> None:
        query = KeyQuery(code=GENERATED).starting_after(KEY)
        assert GENERATED not in repr((query, Page((KEY,), query)))
        assert "code='****-0012'" in repr(query)
        assert "code=None" in repr(KeyQuery())
        several = KeyQuery(codes=[GENERATED])
        assert GENERATED not in repr(several)
        assert "codes=('****-0012',)" in repr(several)

    @given(st.lists(batches(), max_size=4), st.lists(keys(), max_size=4), st.data())
    def test_redeemable_agrees_with_the_policy(
        self, drawn: list[KeyBatch], some: list[TrainingKey], data: st.DataObject
    ) -> None:
        offered = {one.id: one for one in drawn}
        by_id = {one.id: one for one in some if one.batch_id in offered}
        held = {one.code: one for one in by_id.values()}
        at = data.draw(st.integers(-2, 8).map(instant) | st.just(LATEST))
        query = KeyQuery.redeemable(iter(offered.values()), at=at)
        policy = KeyRedemptionPolicy()
        expected = {
            key.code
            for key in held.values()
            if policy.evaluate(key, batch := offered[key.batch_id], learner_of(batch), at=at)
        }
        assert {one.code for one in find_all(stored(*held.values()), query)} == expected

    @pytest.mark.parametrize(
        ("ticks", "fits"), [(2, False), (3, True), (4, True), (5, True), (6, False), (7, False)]
    )
    def test_redeemable_from_its_start_to_just_before_its_end(
        self, ticks: int, *, fits: bool
    ) -> None:
        assert KeyQuery.redeemable([BATCH], at=instant(ticks)).matches(KEY) is fits

    @pytest.mark.parametrize(
        "spent",
        [attrs.evolve(KEY, uses=2), attrs.evolve(KEY, revoked_at=LATEST)],
    )
    def test_revoked_and_exhausted_keys_are_never_usable(self, spent: TrainingKey) -> None:
        assert not KeyQuery.redeemable([BATCH], at=instant(4)).matches(spent)
        assert KeyQuery(usable=False).matches(spent)
        assert KeyQuery(usable=True).matches(attrs.evolve(KEY, uses=1))

    def test_of_no_batch_nothing_is_redeemable(self) -> None:
        query = KeyQuery.redeemable([], at=START)
        assert not query.matches(KEY)
        assert not stored(KEY).find(query).records

    def test_a_naive_instant_is_refused_by_its_name(self) -> None:
        error = refusal(lambda: KeyQuery.redeemable([BATCH], at=START.replace(tzinfo=None)))
        assert (error.code, error.field) == ("naive_datetime", "at")

    @pytest.mark.parametrize("junk", [None, 7, "spring", [None], ["spring"], BATCH])
    def test_what_is_no_list_of_batches_is_refused(self, junk: Any) -> None:
        assert refusal(lambda: KeyQuery.redeemable(junk, at=START)).field.startswith("batches")


def learner_of(batch: KeyBatch) -> User:
    """Return someone whom the organization rule of *batch* lets in."""
    return User(id="l", name="L", email="l@x.org", organization_id=batch.organization_id)


class TestJunk:
    """What cannot be asked is InvalidInput, with the field."""

    def test_a_status_takes_the_instant_at_which_it_is_asked(self) -> None:
        error = refusal(lambda: AssignmentQuery(status=AssignmentStatus.ACTIVE))
        assert (error.code, error.field) == ("missing", "at")
        error = refusal(lambda: AssignmentQuery(at=START))
        assert (error.code, error.field) == ("missing", "status")

    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            *((AssignmentQuery, name) for name in ("created", "started", "completed", "expires")),
            *((BatchQuery, name) for name in ("created", "redeemable")),
        ],
    )
    @pytest.mark.parametrize("length", [0, -1])
    def test_an_empty_window_is_refused(self, kind: Any, name: str, length: int) -> None:
        bounds = {f"{name}_from": START, f"{name}_until": START + length * US}
        error = refusal(lambda: kind(**bounds))
        assert (error.code, error.field) == ("empty_window", f"{name}_until")
        assert kind(**{**bounds, f"{name}_until": START + US})

    @pytest.mark.parametrize(
        "origin", [Direct(), FromKey("b", "r"), "Direct", Course, type, Origin]
    )
    def test_an_origin_is_one_of_the_classes(self, origin: Any) -> None:
        error = refusal(lambda: AssignmentQuery(origin=origin))
        assert (error.code, error.field) == ("wrong_type", "origin")
        assert all(kind.__name__ in error.hint for kind in get_args(Origin))

    @pytest.mark.parametrize("completion", [30, [30], "complete", ["complete"], [None], object()])
    def test_completion_is_of_the_enum(self, completion: Any) -> None:
        error = refusal(lambda: AssignmentQuery(completion=completion))
        assert error.field.startswith("completion")

    @pytest.mark.parametrize(
        ("kind", "name"), [(KeyQuery, "redeemed"), (KeyQuery, "usable"), (CourseQuery, "archived")]
    )
    @pytest.mark.parametrize("flag", [0, 1, "yes", []])
    def test_a_side_of_a_question_is_true_or_false(self, kind: Any, name: str, flag: Any) -> None:
        assert refusal(lambda: kind(**{name: flag})).field == name

    @pytest.mark.parametrize("kind", [UserQuery, CourseQuery, OrganizationQuery, BatchQuery])
    @pytest.mark.parametrize("name", ["", " ", 7, b"Ada", ["Ada"], "a\0"])
    def test_a_part_of_a_name_is_a_text(self, kind: Any, name: Any) -> None:
        assert refusal(lambda: kind(name=name)).field == "name"

    def test_several_that_may_be_asked_for_are_kept_as_a_tuple(self) -> None:
        few = [CompletionStatus.NOT_STARTED, CompletionStatus.INCOMPLETE]
        assert AssignmentQuery(completion=iter(few)).completion == tuple(few)
        assert AssignmentQuery(completion=few[0]).completion == (few[0],)
        assert not AssignmentQuery(completion=[]).matches(ONE)


class Counting:
    """A repository whose pages begin behind so many records instead of behind a place."""

    def __init__(self, inner: InMemoryRepository) -> None:
        self.inner, self.seen = inner, 0

    def find(self, query: Query[Any]) -> Page[Any]:
        """Return the next page by its number."""
        found = list(find_all(self.inner, attrs.evolve(query, cursor=None)))
        page = found[self.seen : self.seen + query.limit]
        self.seen += len(page)
        more = self.seen < len(found)
        return Page(page, attrs.evolve(query, cursor=query.sort_key(page[-1])) if more else None)


Write = Callable[[InMemoryRepository], set[str]]


def read_while_others_write(
    pages: Any, query: Query[CourseAssignment], kept: InMemoryRepository, writes: list[Write]
) -> tuple[list[str], list[str]]:
    """Return the ids that the pages give, and of those that nobody touched what they should."""
    before = list(find_all(kept, query))
    touched: set[str] = set()
    found: list[str] = []
    rest: Query[CourseAssignment] | None = query
    while rest is not None:
        page = pages.find(rest)
        found += [one.id for one in page]
        rest = page.next
        if writes:
            touched |= writes.pop()(kept)
    return found, [one.id for one in before if one.id not in touched]


def creating(name: object, drawn: CourseAssignment) -> Write:
    new = attrs.evolve(drawn, id=f"a new {name}")

    def write(kept: InMemoryRepository) -> set[str]:
        kept.commit(Change(create=[new]))
        return {new.id}

    return write


def replacing(place: int, drawn: CourseAssignment) -> Write:
    """Change what an assignment is found by, but not its place: it comes to fit, or ceases to."""

    def write(kept: InMemoryRepository) -> set[str]:
        there = list(find_all(kept, AssignmentQuery()))
        if not there:
            return set()
        old = there[place % len(there)]
        new = attrs.evolve(
            old, learner_id=drawn.learner_id, started_at=None, completed_at=None, course_id="c"
        )
        kept.commit(Change(replace=[Replace(old, new)]))
        return {old.id}

    return write


class TestPages:
    """A cursor neither repeats nor skips what was there before and did not change."""

    @given(st.data())
    def test_give_once_what_was_there_all_along(self, data: st.DataObject) -> None:
        kept = stored(*data.draw(some_of(assignments())))
        _, _, filters = FILTERS[AssignmentQuery]
        names = data.draw(st.sets(st.sampled_from(sorted(filters)), max_size=2))
        asked = {name: data.draw(filters[name][0]) for name in sorted(names)}
        query = AssignmentQuery(**as_arguments(asked), limit=data.draw(st.integers(1, 3)))
        writes = [
            data.draw(st.sampled_from([creating, replacing]))(number, data.draw(assignments()))
            for number in range(data.draw(st.integers(0, 6)))
        ]
        found, expected = read_while_others_write(kept, query, kept, writes)
        assert len(set(found)) == len(found)
        assert [one for one in found if one in expected] == expected

    @pytest.mark.parametrize("write", ["create", "replace"])
    def test_would_repeat_or_skip_if_they_counted_instead(self, write: str) -> None:
        some = [attrs.evolve(ONE, id=name, completed_at=None) for name in "bcde"]
        query = AssignmentQuery(completion=CompletionStatus.INCOMPLETE, limit=2)
        first = attrs.evolve(ONE, completed_at=None)
        acts: Mapping[str, Write] = {
            "create": creating("a", first),
            "replace": replacing(0, ONE),
        }
        outcomes = []
        for pager in (lambda kept: kept, Counting):
            kept = stored(*some)
            pages: Any = pager(kept)
            found, expected = read_while_others_write(pages, query, kept, [acts[write]])
            once = len(set(found)) == len(found)
            outcomes.append(once and [one for one in found if one in expected] == expected)
        assert outcomes == [True, False]


class TestPeople:
    def test_of_an_organization(self) -> None:
        repository = stored(ADA, BO, CY)
        assert list(repository.find(UserQuery(organization_id="acme"))) == [ADA]
        assert list(repository.find(UserQuery(name="b", organization_id="acme"))) == []
        assert list(repository.find(UserQuery(name="A"))) == [ADA]
