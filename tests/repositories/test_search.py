"""Search: each filter against a plain one, in memory and in SQLite, at its edges and on pages."""

from collections.abc import Callable, Generator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, get_args
from unicodedata import normalize
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import MetaData

import course_assignments as ca
from course_assignments.queries import QUERIES
from course_assignments.sqlalchemy import SqlRepository, build_tables
from course_assignments.testing import samples
from course_assignments.testing.contract.base import listed
from tests.support.sql import closing, open_memory, stocked
from tests.support.values import refusal
from tests.support.world import START

US = timedelta(microseconds=1)
GENERATED = "00000000000000012"
LATEST = datetime(9899, 12, 31, 23, 59, 59, 999999, tzinfo=START.tzinfo)


def instant(ticks: int) -> datetime:
    return START + ticks * US


#: Ids that databases confuse or sort in another order, and ids that records refer to.
IDS = ("b", "a", "B", "10", "9", "\u00e9", "e\u0301", "\uff61", "\U00010000")
REFERENCES = ("a", "A", "%")
# Few values, so that generated records and filters match often, and at their edges.
INSTANTS = st.integers(0, 5).map(instant)
SOMETIMES = st.none() | INSTANTS
REFS = st.sampled_from(REFERENCES)
NAMES = st.sampled_from(
    [
        *(
            "Ada",
            "ADA Lovelace",
            "Ada\u00a0\u200b lovelace",
            "Stra\u00dfe 5",
            "strasse",
            "Stra\u00adsse",
        ),
        *("Ren\u00e9", "rene\u0301", "100%", "\\_'"),
    ]
)
#: Some of the characters that cannot be seen, which the names above have.
UNSEEN = "\u200b\u00ad"
PARTS = NAMES | st.sampled_from(
    ["a", "SS", "E", "\u00c9", "ove", " 5", "%", "_", "\\", "'", "a  L", "a\u2003l", "a\u200b"]
)
CODES = (*(f"Code-number-{number}" for number in range(1, 9)), GENERATED)
TYPED = st.sampled_from(CODES).flatmap(lambda code: st.sampled_from([code, code.swapcase()]))
ORIGINS: st.SearchStrategy[ca.Origin] = st.one_of(
    st.just(ca.Direct()),
    st.builds(ca.FromKey, REFS, st.just("r")),
    st.builds(ca.FromSubscription, REFS),
)


@st.composite
def windows(draw: st.DrawFn) -> tuple[datetime | None, datetime | None]:
    """Generate a window that is not empty; each of its sides may be open."""
    start, end = sorted(draw(st.lists(st.integers(-1, 6), min_size=2, max_size=2, unique=True)))
    return (
        instant(start) if draw(st.booleans()) else None,
        instant(end) if draw(st.booleans()) else None,
    )


@st.composite
def assignments(draw: st.DrawFn) -> ca.CourseAssignment:
    created = draw(st.integers(0, 3))
    later = st.none() | st.integers(created, 6).map(instant)
    return ca.CourseAssignment(
        id=draw(REFS),
        learner_id=draw(REFS),
        course_id=draw(REFS),
        organization_id=draw(st.none() | REFS),
        created_at=instant(created),
        expires_at=instant(draw(st.integers(created + 1, 7))),
        limited_by=ca.ExpirationLimit.REQUEST,
        origin=draw(ORIGINS),
        started_at=draw(later),
        completed_at=draw(later),
        cancelled_at=draw(later),
    )


def spanned(created: int, length: int, **facts: Any) -> ca.Subscription:
    start, end = instant(created), instant(created + length)
    return attrs.evolve(samples.SUBSCRIPTIONS[3], created_at=start, expires_at=end, **facts)


@st.composite
def batches(draw: st.DrawFn) -> ca.KeyBatch:
    start, end = draw(windows())
    return ca.KeyBatch(
        id=draw(REFS),
        name=draw(NAMES),
        course_id=draw(REFS),
        organization_id=draw(REFS),
        created_at=draw(INSTANTS),
        redeemable_from=start,
        redeemable_until=end,
        availability=timedelta(days=1),
    )


def varied(sample: ca.Record, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Generate *sample* with other values in some *fields*."""
    return st.builds(partial(attrs.evolve, sample), **fields)


#: A strategy for each kind, after the kinds that it refers to.
STRATEGIES: Mapping[type, st.SearchStrategy[Any]] = {
    ca.Organization: varied(samples.ACME, name=NAMES, parent_id=st.none() | st.sampled_from("xX")),
    ca.Course: varied(samples.PYTHON, name=NAMES, archived=st.booleans()),
    ca.User: varied(samples.CY, name=NAMES, organization_id=st.none() | REFS),
    ca.Subscription: st.builds(
        spanned,
        st.integers(0, 3),
        st.integers(1, 4),
        learner_id=REFS,
        organization_id=st.none() | REFS,
    ),
    ca.KeyBatch: batches(),
    ca.TrainingKey: varied(
        samples.SPRING,
        id=REFS,
        code=st.sampled_from(CODES),
        batch_id=REFS,
        number=st.integers(1, 3),
        uses=st.integers(0, 2),
        max_uses=st.integers(2, 3),
        revoked_at=SOMETIMES,
    ),
    ca.CourseAssignment: assignments(),
    ca.Attempt: varied(
        samples.ATTEMPTS[0], assignment_id=REFS, activity_id=REFS, started_at=INSTANTS
    ),
    ca.Redemption: varied(
        samples.REDEMPTIONS[0],
        key_id=REFS,
        batch_id=REFS,
        learner_id=REFS,
        assignment_id=REFS,
        redeemed_at=INSTANTS,
    ),
}


def email(place: int) -> str:
    return f"\u00c9{place}@x.org"


def referred_to(kind: type) -> list[ca.Record]:
    """Return the records that records of *kind* may refer to."""
    found: list[ca.Record] = []
    for number, ref in enumerate(REFERENCES):
        found += (
            attrs.evolve(samples.ACME, id=ref),
            attrs.evolve(samples.PYTHON, id=ref),
            attrs.evolve(samples.CY, id=ref, email=f"{number}@example.org"),
            attrs.evolve(samples.SUBSCRIPTIONS[0], id=ref, learner_id=ref, organization_id=None),
            attrs.evolve(samples.BATCHES[0], id=ref, course_id=ref, organization_id=ref),
            attrs.evolve(samples.SPRING, id=ref, batch_id=ref, code=f"Reference-{number}"),
            attrs.evolve(
                samples.FRESH, id=ref, learner_id=ref, course_id=ref, organization_id=None
            ),
        )
    order = [*STRATEGIES]
    return [one for one in found if order.index(type(one)) < order.index(kind)]


def placed(record: Any, place: int) -> Any:
    """Return *record* with values that no record at another place has."""
    own = {ca.User: {"email": email(place)}, ca.TrainingKey: {"code": CODES[place]}}
    return attrs.evolve(record, id=IDS[place], **own.get(type(record), {}))


@st.composite
def edits(draw: st.DrawFn, kind: type) -> list[ca.Replace]:
    """Generate records of *kind*, with another value for each."""
    places = draw(st.lists(st.integers(0, len(IDS) - 1), max_size=8, unique=True))
    return [
        ca.Replace(*(placed(draw(STRATEGIES[kind]), place) for _ in range(2))) for place in places
    ]


def folded(text: str) -> str:
    seen = " ".join("".join(char for char in text if char not in UNSEEN).split())
    return normalize("NFC", normalize("NFC", seen).casefold())


def has_part(record: Any, part: str) -> bool:
    return folded(part) in folded(record.name)


def equal(name: str) -> Callable[[Any, Any], bool]:
    return lambda record, value: bool(getattr(record, name) == value)


def lies_in(at: datetime, window: tuple[datetime | None, datetime | None]) -> bool:
    """Return whether *at* is in the half-open *window*."""
    start, end = window
    return (start or at) <= at < (end or at + US)


def inside(name: str) -> Callable[[Any, Any], bool]:
    def fits(record: Any, window: Any) -> bool:
        at = getattr(record, name)
        return window == (None, None) or (at is not None and lies_in(at, window))

    return fits


def overlaps(record: ca.KeyBatch, window: tuple[datetime | None, datetime | None]) -> bool:
    """Go through all instants of this small world and some around it."""
    own = (record.redeemable_from, record.redeemable_until)
    return any(lies_in(at, own) and lies_in(at, window) for at in map(instant, range(-5, 12)))


#: The values of a filter, and whether a record matches one of them.
Filter = tuple[st.SearchStrategy[Any], Callable[[Any, Any], bool]]


def same(*names: str, values: st.SearchStrategy[Any] = REFS) -> dict[str, Filter]:
    return {name: (values, equal(name)) for name in names}


def within(*names: str) -> dict[str, Filter]:
    """Return filters of windows: "created" stands for created_from and created_until."""
    return {name: (windows(), inside(f"{name}_at")) for name in names}


NAME: dict[str, Filter] = {"name": (PARTS, has_part)}
#: The filters of each query; the value of "status" holds the datetime, too.
FILTERS: Mapping[type[ca.Query[Any]], Mapping[str, Filter]] = {
    ca.OrganizationQuery: {**NAME, **same("parent_id", values=st.sampled_from("xX"))},
    ca.CourseQuery: {**NAME, **same("archived", values=st.booleans())},
    ca.UserQuery: {
        **NAME,
        **same("organization_id"),
        "email": (
            st.integers(0, len(IDS) - 1),
            lambda one, place: folded(one.email) == folded(email(place)),
        ),
        "emails": (
            st.lists(st.integers(0, len(IDS) - 1)),
            lambda one, places: folded(one.email) in {folded(email(place)) for place in places},
        ),
    },
    ca.AssignmentQuery: {
        **same("learner_id", "course_id", "organization_id"),
        "learner_ids": (st.lists(REFS), lambda one, ids: one.learner_id in ids),
        "course_ids": (st.lists(REFS), lambda one, ids: one.course_id in ids),
        **within("created", "started", "completed", "expires"),
        "status": (
            st.tuples(st.sampled_from(ca.AssignmentStatus), st.integers(-1, 8).map(instant)),
            lambda one, asked: one.status_at(asked[1]) is asked[0],
        ),
        "completion": (
            st.lists(st.sampled_from(ca.CompletionStatus), max_size=3),
            lambda one, some: one.completion in some,
        ),
        "origin": (
            st.sampled_from(get_args(ca.Origin)),
            lambda one, kind: type(one.origin) is kind,
        ),
        "batch_id": (REFS, lambda one, batch: getattr(one.origin, "batch_id", None) == batch),
        "subscription_id": (REFS, lambda one, bought: one.origin == ca.FromSubscription(bought)),
    },
    ca.AttemptQuery: same("assignment_id", "activity_id"),
    ca.SubscriptionQuery: {
        **same("learner_id", "organization_id"),
        **within("created", "expires"),
    },
    ca.BatchQuery: {
        **NAME,
        **same("course_id", "organization_id"),
        **within("created"),
        "redeemable": (windows(), overlaps),
    },
    ca.KeyQuery: {
        "code": (TYPED, lambda one, code: one.code.upper() == code.upper()),
        "codes": (
            st.lists(TYPED),
            lambda one, codes: one.code.upper() in [code.upper() for code in codes],
        ),
        "batch_ids": (st.lists(REFS), lambda one, ids: one.batch_id in ids),
        "redeemed": (st.booleans(), lambda one, wanted: wanted == (one.uses > 0)),
        "min_uses": (st.integers(1, 3), lambda one, least: one.uses >= least),
        "revoked": (st.booleans(), lambda one, wanted: wanted == (one.revoked_at is not None)),
        "usable": (
            st.booleans(),
            lambda one, wanted: wanted == (one.revoked_at is None and one.uses < one.max_uses),
        ),
    },
    ca.RedemptionQuery: same("key_id", "learner_id"),
}
ORDERS: Mapping[type[ca.Query[Any]], Callable[[Any], Any]] = {
    ca.AssignmentQuery: lambda one: (one.created_at, one.id),
    ca.SubscriptionQuery: lambda one: (one.created_at, one.id),
    ca.BatchQuery: lambda one: (one.created_at, one.id),
    ca.KeyQuery: lambda one: (one.batch_id, one.number, one.id),
    ca.RedemptionQuery: lambda one: (one.redeemed_at, one.id),
    ca.AttemptQuery: lambda one: (one.started_at, one.id),
}


def as_arguments(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the *values* of filters as the arguments of a query."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        match name:
            case "status":
                found |= {"status": value[0], "at": value[1]}
            case "email":
                found["email"] = normalize("NFD", email(value)).lower()
            case "emails":
                found["emails"] = [normalize("NFD", email(place)).upper() for place in value]
            case "created" | "started" | "completed" | "expires" | "redeemable":
                found |= {f"{name}_from": value[0], f"{name}_until": value[1]}
            case _:
                found[name] = value
    return found


def stored(*records: ca.Record) -> ca.InMemoryRepository:
    repository = ca.InMemoryRepository()
    repository.commit(ca.Change(create=records))
    return repository


TABLES = build_tables(MetaData())
EMPTY = [f"DELETE FROM {table.name}" for table in reversed([*TABLES])]  # noqa: S608 - ours


@pytest.fixture(scope="module", params=["memory", pytest.param("sqlite", marks=pytest.mark.long)])
def empty_repository(request: pytest.FixtureRequest) -> Generator[Callable[[], ca.Repository]]:
    """Return an empty repository each time, in memory or in one SQLite database."""
    if request.param == "memory":
        yield ca.InMemoryRepository
        return
    with closing(open_memory()) as engine:
        stocked(engine, tables=TABLES)

        def emptied() -> ca.Repository:
            with engine.begin() as connection:
                for statement in EMPTY:
                    connection.exec_driver_sql(statement)
            return SqlRepository(engine, TABLES)

        yield emptied


each_query = pytest.mark.parametrize("kind", FILTERS, ids=lambda kind: kind.__name__)


class TestEveryFilter:
    """The records found are those that a plain search finds, after they were replaced too."""

    @each_query
    @given(data=st.data())
    def test_finds_what_a_plain_search_finds(
        self, kind: type[ca.Query[Any]], data: st.DataObject, empty_repository: Any
    ) -> None:
        filters, order = FILTERS[kind], ORDERS.get(kind, lambda one: one.id)
        replaced: list[ca.Replace] = data.draw(edits(kind.kind))
        repository: ca.Repository = empty_repository()
        repository.commit(ca.Change(create=referred_to(kind.kind)))
        repository.commit(ca.Change(create=[one.before for one in replaced]))
        repository.commit(ca.Change(replace=replaced))
        records = [one.of(one.before) for one in replaced]
        limit = data.draw(st.integers(1, 5))
        values = {name: data.draw(of) for name, (of, _) in filters.items()}
        some = data.draw(st.sets(st.sampled_from(sorted(filters)), max_size=3))
        for names in (*({name} for name in filters), some):
            query = kind(**as_arguments({name: values[name] for name in names}), limit=limit)
            expected = [
                one for one in records if all(filters[name][1](one, values[name]) for name in names)
            ]
            assert [one for one in records if query.matches(one)] == expected
            assert listed(repository, query) == sorted(expected, key=order)

    def test_no_filter_of_a_query_is_left_out(self) -> None:
        assert {*FILTERS, ca.EventQuery} == {*QUERIES}
        for kind, filters in FILTERS.items():
            tried = as_arguments(dict.fromkeys(filters, (0, 0)))
            assert {one.alias for one in attrs.fields(kind)} - {"limit", "cursor"} == {*tried}


ONE = attrs.evolve(
    samples.FRESH,
    expires_at=START + 4 * US,
    started_at=START + US,
    completed_at=START + 2 * US,
)
BATCH = samples.batch(
    *("spring", "py", "acme", 0),
    redeemable_from=START + 3 * US,
    redeemable_until=START + 6 * US,
)
KEY = ca.TrainingKey(id="k-1", code=GENERATED, batch_id="spring", max_uses=2)


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
        assert ca.AssignmentQuery(**bounds).matches(ONE) is fits
        if name == "created":
            batch = attrs.evolve(BATCH, created_at=at)
            assert ca.BatchQuery(**bounds).matches(batch) is fits

    @pytest.mark.parametrize(
        ("ticks", "status"),
        [
            (-1, ca.AssignmentStatus.SCHEDULED),
            (0, ca.AssignmentStatus.ACTIVE),
            (3, ca.AssignmentStatus.ACTIVE),
            (4, ca.AssignmentStatus.EXPIRED),
            (5, ca.AssignmentStatus.EXPIRED),
        ],
    )
    def test_of_a_status(self, ticks: int, status: ca.AssignmentStatus) -> None:
        at = instant(ticks)
        fitting = [
            one for one in ca.AssignmentStatus if ca.AssignmentQuery(status=one, at=at).matches(ONE)
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
        query = ca.BatchQuery(
            redeemable_from=None if start is None else instant(start),
            redeemable_until=None if until is None else instant(until),
        )
        assert query.matches(BATCH) is fits
        open_batch = attrs.evolve(BATCH, redeemable_from=None, redeemable_until=None)
        assert query.matches(open_batch)

    def test_a_datetime_may_be_in_any_zone(self) -> None:
        there = START.astimezone(ZoneInfo("Asia/Kathmandu"))
        active = ca.AssignmentStatus.ACTIVE
        query = ca.AssignmentQuery(created_from=there, status=active, at=there)
        same = ca.AssignmentQuery(created_from=START, status=active, at=START)
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
        both: tuple[tuple[ca.Query[Any], ca.Record], ...] = (
            (ca.UserQuery(name=part), ca.User(id="r", name=name, email="r@x.org")),
            (ca.CourseQuery(name=part), ca.Course(id="r", name=name)),
            (ca.OrganizationQuery(name=part), ca.Organization(id="r", name=name)),
            (ca.BatchQuery(name=part), attrs.evolve(BATCH, name=name)),
        )
        for query, record in both:
            assert query.matches(record) is fits

    @given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1), st.data())
    def test_every_part_of_a_name_is_found_however_it_is_written(
        self, name: str, data: st.DataObject
    ) -> None:
        start = data.draw(st.integers(0, len(name) - 1))
        part = name[start : data.draw(st.integers(start + 1, len(name)))]
        course = ca.Course(id="c", name=name)
        for typed in (part, part.upper(), part.lower(), part.swapcase()):
            assert ca.CourseQuery(name=typed).matches(course)

    def test_a_name_that_grows_when_it_is_folded_can_be_searched_page_by_page(self) -> None:
        sharp = "ß" * 500
        one, other = (ca.Course(id=name, name=sharp) for name in "ab")
        assert listed(stored(one, other), ca.CourseQuery(name=sharp, limit=1)) == [one, other]


class TestKeys:
    """Keys by batches, code, redeemed or not, redeemable at an instant."""

    @pytest.mark.parametrize(
        "typed", [GENERATED, " 0000-0000-0000-0001-2 ", "oooo oooo oooo oool 2"]
    )
    def test_a_code_is_taken_as_it_was_typed(self, typed: str) -> None:
        other = ca.TrainingKey(id="k-2", code="Spring-2026", batch_id="spring")
        query = ca.KeyQuery(code=typed)
        assert list(stored(KEY, other).find(query)) == [KEY]
        assert query == ca.KeyQuery(code=GENERATED)
        assert query.where() == {"lookup_code": (GENERATED,)}
        assert ca.KeyQuery(code="spring-2026").matches(other)
        assert not ca.KeyQuery(code="Spring2026").matches(other)

    def test_codes_are_taken_as_they_were_typed(self) -> None:
        typed = [" 0000-0000-0000-0001-2 ", "Nobody-has-this", GENERATED]
        any_iterable: Any = iter(typed)
        assert list(stored(KEY).find(ca.KeyQuery(codes=any_iterable))) == [KEY]

    def test_no_repr_shows_the_code(self) -> None:
        assert "code='****-0012'" in repr(ca.KeyQuery(code=GENERATED).starting_after(KEY))
        assert "code=None" in repr(ca.KeyQuery())
        assert "codes=('****-0012',)" in repr(ca.KeyQuery(codes=[GENERATED]))

    @given(
        st.lists(batches(), max_size=4), st.lists(STRATEGIES[ca.TrainingKey], max_size=4), st.data()
    )
    def test_redeemable_agrees_with_the_policy(
        self, drawn: list[ca.KeyBatch], some: list[ca.TrainingKey], data: st.DataObject
    ) -> None:
        offered = {one.id: one for one in drawn}
        by_id = {one.id: one for one in some if one.batch_id in offered}
        held = {one.lookup_code: one for one in by_id.values()}
        at = data.draw(st.integers(-2, 8).map(instant) | st.just(LATEST))
        query = ca.KeyQuery.redeemable(iter(offered.values()), at=at)
        policy = ca.KeyRedemptionPolicy()
        expected = {
            key.code
            for key in held.values()
            if policy.evaluate(key, batch := offered[key.batch_id], learner_of(batch), at=at)
        }
        assert {one.code for one in ca.find_all(stored(*held.values()), query)} == expected

    @pytest.mark.parametrize(
        ("ticks", "fits"), [(2, False), (3, True), (4, True), (5, True), (6, False), (7, False)]
    )
    def test_redeemable_from_its_start_to_just_before_its_end(
        self, ticks: int, *, fits: bool
    ) -> None:
        assert ca.KeyQuery.redeemable([BATCH], at=instant(ticks)).matches(KEY) is fits

    def test_without_a_batch_nothing_is_redeemable(self) -> None:
        query = ca.KeyQuery.redeemable([], at=START)
        assert not query.matches(KEY)
        assert not stored(KEY).find(query).records

    def test_a_naive_datetime_is_refused(self) -> None:
        error = refusal(lambda: ca.KeyQuery.redeemable([BATCH], at=START.replace(tzinfo=None)))
        assert (error.code, error.field) == ("naive_datetime", "at")

    @pytest.mark.parametrize("junk", [None, 7, "spring", [None], ["spring"], BATCH])
    def test_what_is_not_a_list_of_batches_is_refused(self, junk: Any) -> None:
        assert refusal(lambda: ca.KeyQuery.redeemable(junk, at=START)).field.startswith("batches")


def learner_of(batch: ca.KeyBatch) -> ca.User:
    """Return someone whom the organization rule of *batch* lets in."""
    return ca.User(id="l", name="L", email="l@x.org", organization_id=batch.organization_id)


class TestJunk:
    """What cannot be asked is InvalidInput, with the field."""

    def test_a_status_needs_its_datetime(self) -> None:
        error = refusal(lambda: ca.AssignmentQuery(status=ca.AssignmentStatus.ACTIVE))
        assert (error.code, error.field) == ("missing", "at")
        error = refusal(lambda: ca.AssignmentQuery(at=START))
        assert (error.code, error.field) == ("missing", "status")

    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            *(
                (ca.AssignmentQuery, name)
                for name in ("created", "started", "completed", "expires")
            ),
            *((ca.BatchQuery, name) for name in ("created", "redeemable")),
        ],
    )
    @pytest.mark.parametrize("length", [0, -1])
    def test_an_empty_window_is_refused(self, kind: Any, name: str, length: int) -> None:
        bounds = {f"{name}_from": START, f"{name}_until": START + length * US}
        error = refusal(lambda: kind(**bounds))
        assert (error.code, error.field) == ("empty_window", f"{name}_until")
        assert kind(**{**bounds, f"{name}_until": START + US})

    @pytest.mark.parametrize(
        "origin", [ca.Direct(), ca.FromKey("b", "r"), "Direct", ca.Course, type, ca.Origin]
    )
    def test_an_origin_is_one_of_the_classes(self, origin: Any) -> None:
        error = refusal(lambda: ca.AssignmentQuery(origin=origin))
        assert (error.code, error.field) == ("wrong_type", "origin")
        assert all(kind.__name__ in error.hint for kind in get_args(ca.Origin))

    def test_several_that_may_be_asked_for_are_kept_as_a_tuple(self) -> None:
        few = [ca.CompletionStatus.NOT_STARTED, ca.CompletionStatus.INCOMPLETE]
        any_iterable: Any = iter(few)
        assert ca.AssignmentQuery(completion=any_iterable).completion == tuple(few)
        assert ca.AssignmentQuery(completion=few[0]).completion == (few[0],)
        assert not ca.AssignmentQuery(completion=[]).matches(ONE)


class TestPages:
    """Pages neither repeat nor skip records that are stored all along and do not change."""

    @given(st.data())
    def test_changes_by_others_do_not_matter(self, data: st.DataObject) -> None:
        kept = stored(*(edit.before for edit in data.draw(edits(ca.CourseAssignment))))
        filters = FILTERS[ca.AssignmentQuery]
        names = data.draw(st.sets(st.sampled_from(sorted(filters)), max_size=2))
        asked = {name: data.draw(filters[name][0]) for name in sorted(names)}
        query = ca.AssignmentQuery(**as_arguments(asked), limit=data.draw(st.integers(1, 3)))
        before = [one.id for one in ca.find_all(kept, query)]
        found: list[str] = []
        touched: set[str] = set()
        rest: ca.Query[ca.CourseAssignment] | None = query
        while rest is not None:
            page = kept.find(rest)
            found += [one.id for one in page]
            rest = page.next
            for drawn in data.draw(st.lists(assignments(), max_size=2)):
                touched.add(self.write(kept, drawn, data.draw(st.integers(0, 9))))
        assert len(set(found)) == len(found)
        assert [one for one in found if one not in touched] == [
            one for one in before if one not in touched
        ]

    @staticmethod
    def write(kept: ca.InMemoryRepository, drawn: ca.CourseAssignment, place: int) -> str:
        """Edit the record at *place* so that other filters match, or create one."""
        records = list(ca.find_all(kept, ca.AssignmentQuery()))
        if place < len(records):
            old = records[place]
            new = attrs.evolve(old, learner_id=drawn.learner_id, started_at=None, completed_at=None)
            kept.commit(ca.Change(replace=[ca.Replace(old, new)]))
        else:
            new = attrs.evolve(drawn, id=f"new {len(records)}")
            kept.commit(ca.Change(create=[new]))
        return new.id
