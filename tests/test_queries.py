"""What can be asked of a repository: filters, and the order and pages of what is found."""

from datetime import timedelta, timezone
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.testing.strategies import attempts, subscriptions
from tests.support import acts
from tests.support.acts import BATCH, GENERATED, GIVEN, REDEMPTION, RUNNING, SUBSCRIPTION
from tests.support.strategies import assignments, courses, keys, organizations, users
from tests.support.values import refusal
from tests.support.world import ACME, ADA, BO, PYTHON, SQL, START

EVENT = ca.Event(position=3, at=START, action="test", subject_ids=["a"])
KEY = attrs.evolve(acts.KEY, code=GENERATED)
QUERIES: tuple[ca.Query[Any], ...] = (
    ca.OrganizationQuery(),
    ca.CourseQuery(),
    ca.UserQuery(),
    ca.AssignmentQuery(),
    ca.BatchQuery(),
    ca.KeyQuery(),
    ca.RedemptionQuery(),
    ca.AttemptQuery(),
    ca.SubscriptionQuery(),
    ca.EventQuery(),
)
RECORDS = (
    *(ACME, PYTHON, ADA, GIVEN, BATCH, KEY, REDEMPTION, RUNNING, SUBSCRIPTION),
    EVENT,
)


class TestMatches:
    """`matches(record)` reads that record alone; every filter is optional."""

    @pytest.mark.parametrize(("query", "own"), list(zip(QUERIES, RECORDS, strict=True)))
    def test_without_a_filter_every_record_of_its_kind_fits_and_no_other(
        self, query: ca.Query[Any], own: object
    ) -> None:
        assert [one for one in (*RECORDS, None, "text", ca.Course) if query.matches(one)] == [own]

    @given(
        st.one_of(
            *(organizations(), courses(), users(), assignments(), keys()),
            *(attempts(), subscriptions()),
        )
    )
    def test_every_record_fits_exactly_one_of_the_open_queries(self, drawn: Any) -> None:
        for record in drawn if isinstance(drawn, tuple) else (drawn,):
            assert sum(query.matches(record) for query in QUERIES) == 1

    @pytest.mark.parametrize(
        ("query", "fits"),
        [
            (ca.UserQuery(email="ADA@Example.org"), True),
            (ca.UserQuery(email="bo@example.org"), False),
            (ca.AssignmentQuery(learner_id="ada"), True),
            (ca.AssignmentQuery(learner_id="Ada"), False),
            (ca.AssignmentQuery(course_id="py"), True),
            (ca.AssignmentQuery(course_id="sql"), False),
            (ca.AssignmentQuery(learner_id="ada", course_id="py"), True),
            (ca.AssignmentQuery(learner_id="ada", course_id="sql"), False),
            (ca.AssignmentQuery(learner_id="bo", course_id="py"), False),
            (ca.BatchQuery(course_id="py"), True),
            (ca.BatchQuery(course_id="sql"), False),
            (ca.KeyQuery(batch_ids=["other", "spring"]), True),
            (ca.KeyQuery(batch_ids=["other"]), False),
            (ca.KeyQuery(batch_ids=[]), False),
            (ca.RedemptionQuery(key_id="k-1"), True),
            (ca.KeyQuery(code="0000 0000-0000 oool-2"), True),
            (ca.RedemptionQuery(key_id="k-2"), False),
            (ca.RedemptionQuery(learner_id="di"), True),
            (ca.RedemptionQuery(learner_id="bo"), False),
            (ca.AttemptQuery(assignment_id="a-3", activity_id="lab"), True),
            (ca.AttemptQuery(assignment_id="a-3", activity_id="film"), False),
            (ca.AttemptQuery(assignment_id="a-2", activity_id="lab"), False),
            (ca.SubscriptionQuery(learner_id="ada"), True),
            (ca.SubscriptionQuery(learner_id="bo"), False),
            (ca.EventQuery(after=2), True),
            (ca.EventQuery(after=3), False),
        ],
    )
    def test_what_is_set_has_to_fit(self, *, query: ca.Query[Any], fits: bool) -> None:
        assert any(query.matches(record) for record in RECORDS) is fits

    def test_an_address_fits_in_any_composition(self) -> None:
        rene = ca.User(id="r", name="R", email="ren\u00e9@example.org")
        assert ca.UserQuery(email="RENE\u0301@example.org").matches(rene)
        assert ca.UserQuery(email="rene\u0301@example.org") == ca.UserQuery(email=rene.email)


class TestOrder:
    """The order is stated, binary, and made of facts that never change."""

    def test_sort_keys(self) -> None:
        assert ca.CourseQuery().sort_key(PYTHON) == ("py",)
        assert ca.AssignmentQuery().sort_key(GIVEN) == (START, "a-1")
        assert ca.BatchQuery().sort_key(BATCH) == (START, "spring")
        assert ca.KeyQuery().sort_key(KEY) == ("spring", 1, "k-1")
        assert ca.RedemptionQuery().sort_key(REDEMPTION) == (START, "r-1")
        assert ca.AttemptQuery().sort_key(RUNNING) == (START, RUNNING.id)
        assert ca.SubscriptionQuery().sort_key(SUBSCRIPTION) == (START, "s-1")
        assert ca.EventQuery().sort_key(EVENT) == (3,)

    def test_a_query_goes_on_after_a_record(self) -> None:
        query = ca.AssignmentQuery(learner_id="ada", limit=7)
        rest = query.starting_after(GIVEN)
        assert rest == attrs.evolve(query, cursor=(START, "a-1"))
        assert (query.cursor, rest.cursor) == (None, (START, "a-1"))

    def test_a_query_of_events_goes_on_after_a_position(self) -> None:
        assert ca.EventQuery().cursor == (0,)
        assert ca.EventQuery(limit=2).starting_after(EVENT).cursor == (3,)
        assert ca.EventQuery(after=3).cursor == (3,)
        assert attrs.evolve(ca.EventQuery(after=1), after=3).cursor == (3,)
        assert ca.EventQuery(after=1).starting_after(EVENT) == ca.EventQuery(after=1, cursor=(3,))

    def test_a_query_can_be_kept_as_a_value(self) -> None:
        assert hash(ca.AssignmentQuery(learner_id="ada")) == hash(
            ca.AssignmentQuery(learner_id="ada")
        )
        assert ca.AssignmentQuery(learner_id="ada") != ca.AssignmentQuery(learner_id="bo")


def test_the_fields_of_a_query_are_its_arguments() -> None:
    query = ca.CourseQuery(name="py")
    wanted = {"limit": 100, "_cursor": None, "name": "py", "archived": None}
    assert attrs.asdict(query) == wanted


class TestJunk:
    """What cannot be asked is InvalidInput, with the field."""

    @pytest.mark.parametrize("limit", [0, -1, 10_001, True, 1.0, "10", None])
    def test_a_page_has_from_one_to_ten_thousand_records(self, limit: Any) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            ca.CourseQuery(limit=limit)
        assert caught.value.field == "limit"

    @pytest.mark.parametrize("limit", [1, 10_000])
    def test_the_bounds_of_a_page_belong_to_it(self, limit: int) -> None:
        assert ca.CourseQuery(limit=limit).limit == limit

    @pytest.mark.parametrize(
        "cursor",
        [
            *("py", 7, ["py"], object(), (None,), (True,), (b"py",), ([],)),
            *((), ("py", "sql"), ("py", 1.5), (START,)),
        ],
    )
    def test_a_cursor_is_a_sort_key_of_its_kind(self, cursor: Any) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            ca.CourseQuery(cursor=cursor)
        assert caught.value.field == "cursor"

    @pytest.mark.parametrize(
        "zone", [None, timezone(timedelta(0), "Z"), timezone(timedelta(hours=1))]
    )
    def test_a_cursor_is_in_utc(self, zone: Any) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            ca.AssignmentQuery(cursor=(START.replace(tzinfo=zone), "a"))
        assert (caught.value.code, caught.value.field) == ("invalid_cursor", "cursor")

    @pytest.mark.parametrize(
        ("kind", "field"),
        [
            (ca.UserQuery, "email"),
            (ca.AssignmentQuery, "learner_id"),
            (ca.AssignmentQuery, "course_id"),
            (ca.BatchQuery, "course_id"),
            (ca.KeyQuery, "code"),
            (ca.RedemptionQuery, "key_id"),
            (ca.RedemptionQuery, "learner_id"),
            (ca.AttemptQuery, "assignment_id"),
            (ca.AttemptQuery, "activity_id"),
            (ca.SubscriptionQuery, "learner_id"),
        ],
    )
    @pytest.mark.parametrize("value", [7, "", " ", b"ada", ["ada"], "a\x00", "\ud800"])
    def test_a_filter_is_a_string_that_could_be_stored(
        self, kind: type[ca.Query[Any]], field: str, value: Any
    ) -> None:
        given_field: dict[str, Any] = {field: value}
        with pytest.raises(ca.InvalidInput) as caught:
            kind(**given_field)
        assert caught.value.field == field

    @pytest.mark.parametrize("batch_ids", ["spring", 7, [7], [None], b"spring"])
    def test_batches_are_a_list_of_ids(self, batch_ids: Any) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            ca.KeyQuery(batch_ids=batch_ids)
        assert caught.value.field.startswith("batch_ids")

    @pytest.mark.parametrize("codes", ["Spring-2026", 7, [7], [None], b"Spring-2026"])
    def test_codes_are_a_list_of_strings(self, codes: Any) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            ca.KeyQuery(codes=codes)
        assert caught.value.field.startswith("codes")

    @pytest.mark.parametrize("after", [-1, True, 1.5, "3", None])
    def test_a_position_is_a_whole_number(self, after: Any) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            ca.EventQuery(after=after)
        assert caught.value.field == "after"


def test_no_repr_shows_a_code() -> None:
    rest = ca.RedemptionQuery(key_id="k-1").starting_after(REDEMPTION)
    page = ca.Page((REDEMPTION, REDEMPTION), rest)
    keys_page = ca.Page((KEY,), ca.KeyQuery(code=GENERATED, codes=[GENERATED]).starting_after(KEY))
    assert GENERATED not in repr((page, keys_page))
    assert repr(ca.RedemptionQuery()) == "RedemptionQuery(limit=100, key_id=None, learner_id=None)"


class TestPages:
    def repository(self) -> ca.InMemoryRepository:
        repository = ca.InMemoryRepository()
        repository.commit(ca.Change(create=[PYTHON, SQL, ADA, BO], record=[EVENT] * 3))
        return repository

    def test_a_page_is_gone_through_and_counted(self) -> None:
        page = self.repository().find(ca.CourseQuery())
        assert (list(page), len(page), page.next) == ([PYTHON, SQL], 2, None)

    def test_a_page_that_is_just_full_has_no_next_page(self) -> None:
        page = self.repository().find(ca.CourseQuery(limit=2))
        assert page == ca.Page((PYTHON, SQL), None)

    def test_a_full_page_leads_to_the_next_page(self) -> None:
        page = self.repository().find(ca.CourseQuery(limit=1))
        assert page == ca.Page((PYTHON,), ca.CourseQuery(limit=1, cursor=("py",)))

    def test_find_all_reads_all_pages_one_by_one(self) -> None:
        repository = self.repository()
        found = ca.find_all(repository, ca.UserQuery(limit=1))
        assert next(found) == ADA
        # The second page is not read before it is needed.
        cy = ca.User(id="cy", name="Cy", email="cy@example.org")
        repository.commit(ca.Change(create=[cy]))
        assert list(found) == [BO, cy]
        positions = [one.position for one in ca.find_all(repository, ca.EventQuery(limit=1))]
        assert positions == [1, 2, 3]
        assert list(ca.find_all(repository, ca.EventQuery(after=3))) == []


class Narrower(ca.CourseQuery):
    """A query of a host's, with a condition that no database knows."""

    def matches(self, record: ca.Course) -> bool:
        return super().matches(record) and record.id.islower()


class OfNoKind(ca.Query[Any]):
    """A query that derives from the base class."""


@pytest.mark.parametrize("query", [Narrower, OfNoKind, ca.Query])
def test_only_the_queries_of_the_library_can_be_made(query: type[ca.Query[Any]]) -> None:
    error = refusal(query)
    assert (error.code, error.field) == ("wrong_type", "query")
    assert error.hint.endswith(f"got {query.__name__}")
