"""Courses assigned to learners, for one pair or for many (rules 1, 2, 14, 15 and 22)."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.reasons import AlreadyAssigned, ExpiresTooLate, OrganizationNotManaged
from tests.support.acts import ACTS, GIVEN, pair
from tests.support.rules import check_turn, counted, near
from tests.support.situations import barged, codes, error, events
from tests.support.strategies import instants, terms, zones
from tests.support.world import (
    ACME,
    ADA,
    BO,
    CY,
    MANAGER,
    OLD,
    PYTHON,
    SALES,
    START,
    contents,
    world,
)

TICK, DAY = timedelta(microseconds=1), timedelta(days=1)
NEW = ca.User(id="new", name="New", email="new@example.org")
NOTE = ca.Note(title="Renewal", message="Paid until June.\nAsk Bo.", high_importance=True)
BERLIN = ZoneInfo("Europe/Berlin")

by_policy = pytest.mark.parametrize("by_policy", [True, False])
skip_or_refuse = pytest.mark.parametrize("repeat", [ca.Repeat.SKIP, ca.Repeat.REFUSE])


def default(repeat: ca.Repeat) -> ca.Policies:
    return ca.Policies(repeat=ca.RepeatPolicy(default=repeat))


def pairs(found: Iterable[ca.CourseAssignment]) -> list[tuple[str, str]]:
    return [(one.course_id, one.learner_id) for one in found]


def stored(registrar: ca.Registrar) -> list[ca.CourseAssignment]:
    found: list[ca.CourseAssignment] = contents(registrar.repository)["CourseAssignment"]
    return found


class TestAssign:
    """The limit is the earliest of the policy's, the organization's and the course's maximum."""

    @given(instants(), st.tuples(*[st.none() | terms(200 * DAY)] * 3), zones())
    def test_the_end_is_the_requested_one_up_to_the_limit(
        self, at: datetime, drawn: tuple[ca.Duration | None, ...], zone: Any
    ) -> None:
        for_course, for_organization, asked = drawn
        at = at.astimezone(UTC)
        course = attrs.evolve(PYTHON, maximum_access=for_course)
        customer = attrs.evolve(ACME, maximum_access=for_organization, time_zone=zone.key)
        lengths = [for_course, for_organization, 180 * DAY]
        limit = min(counted(one, at, zone) for one in lengths if one is not None)
        end = limit if asked is None else counted(asked, at, zone)
        asking: dict[str, Any] = {"at": at, "expires": asked}
        asking["about"] = pair(course=course, organization=customer)
        if end > limit:
            (reason,) = ACTS["assign"].decision(**asking).reasons
            assert isinstance(reason, ExpiresTooLate)
            assert reason.latest == limit
            return
        made = ACTS["assign"].outcome(**asking).result
        assert (made.created_at, made.expires_at) == (at, end)
        assert (made.limited_by is ca.ExpirationLimit.REQUEST) is (asked is not None)

    @pytest.mark.parametrize(
        ("course", "learner", "days", "limit"),
        [
            ("py", "ada", 180, ca.ExpirationLimit.MAXIMUM),
            ("py", "cy", 180, ca.ExpirationLimit.MAXIMUM),
            ("py", "bo", 90, ca.ExpirationLimit.ORGANIZATION),
            ("sql", "bo", 30, ca.ExpirationLimit.COURSE),
            ("sql", "ada", 30, ca.ExpirationLimit.COURSE),
        ],
    )
    def test_the_earliest_limit_wins_and_is_named(
        self, course: str, learner: str, days: int, limit: ca.ExpirationLimit
    ) -> None:
        registrar, _ = world()
        assignment = registrar.assign(course, learner)
        assert assignment.expires_at == START + days * DAY
        assert assignment.limited_by is limit
        assert assignment.organization_id == {"ada": "acme", "bo": "beta", "cy": None}[learner]
        assert assignment.notes == ()

    @pytest.mark.parametrize(
        ("expires", "end"),
        [
            (180 * DAY, START + 180 * DAY),
            (ca.Months(3), datetime(2026, 4, 5, 10, tzinfo=BERLIN)),
            (relativedelta(months=3), datetime(2026, 4, 5, 10, tzinfo=BERLIN)),
            (relativedelta(days=10), START + 10 * DAY),
            (date(2026, 4, 5), datetime(2026, 4, 5, tzinfo=BERLIN)),
            (
                datetime(2026, 4, 5, tzinfo=ZoneInfo("Asia/Tokyo")),
                datetime(2026, 4, 4, 15, tzinfo=UTC),
            ),
            (START + TICK, START + TICK),
        ],
    )
    def test_an_end_can_be_requested(self, expires: Any, end: datetime) -> None:
        registrar, _ = world()
        (many,) = registrar.assign_many(["py"], ["ada"], expires=expires).created
        for made in (registrar.assign("py", "ada", expires=expires), many):
            assert (made.expires_at, made.limited_by) == (end, ca.ExpirationLimit.REQUEST)
            assert made.expires_at.tzinfo is UTC

    def test_a_learner_without_an_organization_has_the_calendar_of_utc(self) -> None:
        registrar, _ = world()
        made = registrar.assign("py", "cy", expires=date(2026, 4, 5))
        assert made.expires_at == datetime(2026, 4, 5, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("expires", "code"),
        [
            (180 * DAY + TICK, "expires_too_late"),
            (ca.Months(7), "expires_too_late"),
            (START + 200 * DAY, "expires_too_late"),
            (START, "expires_too_early"),
            (START - 400 * DAY, "expires_too_early"),
            (date(2026, 1, 5), "expires_too_early"),
        ],
    )
    def test_an_end_out_of_bounds_is_refused(self, expires: Any, code: str) -> None:
        registrar, _ = world()
        assert codes(registrar, "assign", "py", "ada", expires=expires) == [code]
        assert codes(registrar, "assign_many", ["py"], ["ada"], expires=expires) == [code]

    @pytest.mark.parametrize(
        ("course", "code"), [("draft", "course_not_available"), ("old", "course_archived")]
    )
    def test_a_course_has_to_be_set_up_for_training(self, course: str, code: str) -> None:
        registrar, _ = world()
        assert codes(registrar, "assign", course, "ada") == [code]
        assert codes(registrar, "assign_many", [course], ["ada", "bo"]) == [code]

    def test_all_failed_conditions_are_reported(self) -> None:
        registrar, _ = world()
        registrar.assign("py", "ada")
        registrar.update(attrs.evolve(PYTHON, archived=True, content_provider=None))
        refused: dict[str, Any] = {"expires": START, "repeat": ca.Repeat.REFUSE, "by": "bo"}
        assert codes(registrar, "assign", "py", "ada", **refused) == [
            "role_missing",
            "organization_not_managed",
            "course_not_available",
            "course_archived",
            "already_assigned",
            "expires_too_early",
        ]


STANDING = st.lists(
    st.tuples(st.integers(0, 8), st.integers(1, 4)).map(
        lambda drawn: attrs.evolve(
            GIVEN,
            id=f"a-{drawn}",
            created_at=START + drawn[0] * DAY,
            expires_at=START + sum(drawn) * DAY,
        )
    ),
    max_size=3,
)


class TestRepeat:
    """`Repeat.ALLOW` (default: a new assignment, billed again), `SKIP` (bulk says which; a single
    one returns the active one) or `REFUSE`, by policy or per call, for assign and assign_many."""

    @given(
        standing=STANDING,
        repeat=st.sampled_from(ca.Repeat),
        course=st.sampled_from([PYTHON, PYTHON, OLD]),
        actor=st.sampled_from([None, MANAGER, CY]),
        at=st.integers(0, 13).flatmap(
            lambda day: st.sampled_from(sorted(near([START + day * DAY])))
        ),
    )
    def test_an_answer_holds_until_it_changes(
        self,
        standing: list[ca.CourseAssignment],
        repeat: ca.Repeat,
        course: ca.Course,
        *,
        actor: ca.User | None,
        at: datetime,
    ) -> None:
        found = pair(course=course, existing=standing)
        bo = pair(id="a-10", learner=attrs.evolve(BO, organization_id="acme"), organization=ACME)
        asked = {"repeat": repeat, "actor": actor, "expires": None}
        marks = [START + day * DAY for day in range(14)]
        check_turn(lambda at: ACTS["assign"].decision(about=found, at=at, **asked), at, marks)
        many = {"assignables": [found, bo], "newcomers": [], "email_owners": [], **asked}
        check_turn(lambda at: ACTS["assign_many"].decision(at=at, **many), at, marks)

    def test_by_default_a_new_one_is_made(self) -> None:
        registrar, _ = world()
        one, two = registrar.assign("py", "ada"), registrar.assign("py", "ada")
        three = registrar.assign_many(["py"], ["ada"]).created[0]
        assert len({one.id, two.id, three.id}) == 3
        (claim,) = contents(registrar.repository)["Claim"]
        assert claim.assignment_id == three.id

    @by_policy
    def test_skip_returns_the_active_one(self, *, by_policy: bool) -> None:
        registrar, clock = world(policies=default(ca.Repeat.SKIP if by_policy else ca.Repeat.ALLOW))
        repeat = None if by_policy else ca.Repeat.SKIP
        first = registrar.assign("py", "ada", repeat=repeat)
        clock.advance(3 * DAY)
        before = contents(registrar.repository)
        assert registrar.may_assign("py", "ada", repeat=repeat, expires=2 * DAY)
        assert registrar.assign("py", "ada", repeat=repeat) == first
        batch = registrar.assign_many(["py"], ["ada"], repeat=repeat)
        assert batch == ca.AssignmentBatch(created=(), skipped=(first,))
        assert contents(registrar.repository) == before

    @by_policy
    def test_refuse_names_the_active_one(self, *, by_policy: bool) -> None:
        registrar, clock = world(
            policies=default(ca.Repeat.REFUSE if by_policy else ca.Repeat.ALLOW)
        )
        repeat = None if by_policy else ca.Repeat.REFUSE
        first = registrar.assign("py", "ada", repeat=repeat)
        clock.advance(3 * DAY)
        reason = AlreadyAssigned(first.id, first.expires_at)
        assert codes(registrar, "assign", "py", "ada", repeat=repeat) == ["already_assigned"]
        decision = registrar.may_assign("py", "ada", repeat=repeat)
        assert (decision.reasons, decision.changes_at) == ((reason,), first.expires_at)
        many = registrar.may_assign_many(["sql", "py"], ["bo", "ada"], repeat=repeat)
        assert many.reasons == (ca.ForAssignment("py", "ada", reason),)

    def test_the_call_overrules_the_policy(self) -> None:
        registrar, _ = world(policies=default(ca.Repeat.REFUSE))
        registrar.assign("py", "ada")
        registrar.assign("py", "ada", repeat=ca.Repeat.ALLOW)
        registrar.assign("py", "ada", repeat=ca.Repeat.SKIP)
        assert len(stored(registrar)) == 2

    @skip_or_refuse
    @pytest.mark.parametrize("end", ["expired", "cancelled"])
    def test_one_that_has_ended_does_not_count(self, repeat: ca.Repeat, end: str) -> None:
        registrar, clock = world()
        first = registrar.assign("py", "ada", repeat=repeat)
        if end == "expired":
            clock.set(first.expires_at)
        else:
            registrar.cancel(first.id)
        second = registrar.assign("py", "ada", repeat=repeat)
        clock.advance(TICK)
        third = registrar.assign_many(["py"], ["ada"], repeat=ca.Repeat.SKIP)
        assert third == ca.AssignmentBatch(created=(), skipped=(second,))
        (claim,) = contents(registrar.repository)["Claim"]
        assert claim.assignment_id == second.id

    def test_one_that_ends_a_microsecond_later_counts(self) -> None:
        registrar, clock = world()
        first = registrar.assign("py", "ada")
        clock.set(first.expires_at - TICK)
        assert codes(registrar, "assign", "py", "ada", repeat=ca.Repeat.REFUSE) == [
            "already_assigned"
        ]

    def test_of_several_active_ones_the_one_that_ends_last_is_returned(self) -> None:
        registrar, _ = world()
        made = [registrar.assign("py", "ada", expires=days * DAY) for days in (3, 9, 5)]
        assert registrar.assign("py", "ada", repeat=ca.Repeat.SKIP) == made[1]

    def test_one_from_a_key_counts_too(self) -> None:
        registrar, _ = world()
        terms: dict[str, Any] = {"organization_id": "acme", "availability": 9 * DAY}
        registrar.create_keys("py", name="Keys", codes=["Hand-made-1"], **terms)
        redeemed = registrar.redeem("Hand-made-1", "ada")
        assert registrar.assign("py", "ada", repeat=ca.Repeat.SKIP) == redeemed

    def test_for_a_skipped_pair_only_authorization_is_checked(self) -> None:
        # Rule 22: the course is checked whenever something new is made, never for what exists.
        registrar, clock = world()
        first = registrar.assign("py", "ada")
        registrar.update(attrs.evolve(PYTHON, archived=True))
        decision = registrar.may_assign("py", "ada", repeat=ca.Repeat.SKIP)
        assert (decision.allowed, decision.changes_at) == (True, first.expires_at)
        assert registrar.assign("py", "ada", repeat=ca.Repeat.SKIP, expires=900 * DAY) == first
        batch = registrar.assign_many(["py"], ["ada"], repeat=ca.Repeat.SKIP)
        assert batch == ca.AssignmentBatch(created=(), skipped=(first,))
        assert registrar.may_assign("py", "ada", repeat=ca.Repeat.SKIP, by="manager")
        assert codes(registrar, "assign", "py", "ada", repeat=ca.Repeat.SKIP, by="ada") == [
            "role_missing",
            "organization_not_managed",
        ]
        clock.set(first.expires_at)
        assert codes(registrar, "assign", "py", "ada", repeat=ca.Repeat.SKIP) == ["course_archived"]

    @skip_or_refuse
    def test_two_who_assign_at_once_meet_at_the_claim(self, repeat: ca.Repeat) -> None:
        made: list[ca.CourseAssignment] = []
        registrar, _, repository = barged(
            lambda other: made.append(other.assign("py", "ada", repeat=repeat))
        )
        repository.open = True
        if repeat is ca.Repeat.SKIP:
            assert registrar.assign("py", "ada", repeat=repeat) == made[0]
        else:
            with pytest.raises(ca.Refused) as caught:
                registrar.assign("py", "ada", repeat=repeat)
            (reason,) = caught.value.decision.reasons
            assert reason == AlreadyAssigned(made[0].id, made[0].expires_at)
        assert stored(registrar) == made
        assert repository.commits == 1

    @pytest.mark.parametrize(("repeat", "times"), [(ca.Repeat.SKIP, 1), (ca.Repeat.ALLOW, 2)])
    def test_two_overlapping_rosters_make_no_pair_twice_unless_allowed(
        self, repeat: ca.Repeat, times: int
    ) -> None:
        registrar, _, repository = barged(
            lambda other: other.assign_many(["py"], ["bo", "cy"], repeat=repeat)
        )
        repository.open = True
        batch = registrar.assign_many(["py"], ["ada", "bo"], repeat=repeat)
        assert len(batch.skipped) == 2 - times
        learners = sorted(one.learner_id for one in stored(registrar))
        assert learners == ["ada", *["bo"] * times, "cy"]


class TestAssignMany:
    """Every pair, one clock reading, input order, duplicates in the input collapse, the same note
    on each; one bad pair and nothing is created, all problems named."""

    @given(
        course_ids=st.lists(st.sampled_from(["py", "sql"]), min_size=1, max_size=5),
        learner_ids=st.lists(
            st.sampled_from(["ada", "bo", "cy", "manager"]), min_size=1, max_size=6
        ),
        given_as=st.sampled_from([list, iter]),
    )
    def test_every_pair_is_made_once_in_the_order_of_the_input(
        self, *, course_ids: list[str], learner_ids: list[str], given_as: Any
    ) -> None:
        registrar, clock = world()
        batch = registrar.assign_many(given_as(course_ids), given_as(learner_ids), note=NOTE)
        expected = [*dict.fromkeys(product(course_ids, learner_ids))]
        assert pairs(batch.created) == expected
        assert not batch.skipped
        assert {(one.created_at, one.notes) for one in batch.created} == {(clock(), (NOTE,))}
        assert len({one.id for one in batch.created}) == len(expected)
        assert {*stored(registrar)} == {*batch.created}

    def test_one_event_names_each_created_record_once(self) -> None:
        registrar, _ = world()
        held = [registrar.assign("py", "cy"), registrar.assign("sql", "ada")]
        batch = registrar.assign_many(["sql", "py"], ["cy", "ada", "bo"], repeat=ca.Repeat.SKIP)
        assert pairs(batch.created) == [("sql", "cy"), ("sql", "bo"), ("py", "ada"), ("py", "bo")]
        assert batch.skipped == (held[1], held[0])
        one, two, three, four = (each.id for each in batch.created)
        assert events(registrar)[3:] == [
            ca.Event(
                position=4,
                at=START,
                action="assign_many",
                subject_ids=[one, "sql", "cy", two, "bo", three, "py", "ada", four],
            )
        ]

    def test_each_pair_has_its_own_limit_and_calendar(self) -> None:
        registrar, _ = world()
        batch = registrar.assign_many(["py", "sql"], ["ada", "bo"])
        assert [(one.expires_at - START).days for one in batch.created] == [180, 90, 30, 30]
        batch = registrar.assign_many(["py"], ["ada", "cy"], expires=date(2026, 2, 1))
        assert [one.expires_at.hour for one in batch.created] == [23, 0]

    def test_one_bad_pair_and_nothing_is_created_and_all_problems_are_named(self) -> None:
        registrar, _ = world()
        active = registrar.assign("py", "ada")
        taken = attrs.evolve(NEW, email="ADA@example.org", organization_id="acme")
        courses = ["py", "draft", "old"]
        learners: list[str | ca.User] = ["ada", "bo", taken]
        asked: dict[str, Any] = {"expires": 100 * DAY, "repeat": ca.Repeat.REFUSE, "by": "manager"}
        assert codes(registrar, "assign_many", courses, learners, **asked) == [
            "email_taken",
            "already_assigned",
            "organization_not_managed",
            *("expires_too_late", "course_not_available", "expires_too_late"),
            *("course_archived", "expires_too_late"),
        ]
        reasons = registrar.may_assign_many(courses, learners, **asked).reasons
        too_late = ExpiresTooLate(START + 90 * DAY, ca.ExpirationLimit.ORGANIZATION)
        assert {*reasons} >= {
            ca.ForAssignment("py", "ada", AlreadyAssigned(active.id, active.expires_at)),
            *(ca.ForAssignment(course, "bo", too_late) for course in courses),
            OrganizationNotManaged("beta"),
        }

    def test_each_organization_that_is_not_managed_is_named_once(self) -> None:
        registrar, _ = world()
        found = registrar.may_assign_many(["py", "sql"], ["bo", "ada", "cy"], by="manager")
        assert [str(reason) for reason in found.reasons] == [
            "You don't manage organization 'beta'. Ask someone who does.",
            *(
                f"Learner 'cy', course '{course_id}': The user has no organization, so nobody "
                "manages them. Add the user to an organization first."
                for course_id in ("py", "sql")
            ),
        ]
        registrar.assign_many(["py"], ["ada", "manager"], by="manager")

    def test_everything_that_is_unknown_is_named(self) -> None:
        registrar, _ = world()
        lost = attrs.evolve(NEW, organization_id="o-9")
        found = error(ca.NotFound, registrar, "assign_many", ["c-8", "py", "c-9"], ["ada", "u-9"])
        named = [(one.kind, one.id) for one in (found, *found.also)]
        assert named == [("Course", "c-8"), ("Course", "c-9"), ("User", "u-9")]
        found = error(ca.NotFound, registrar, "assign_many", ["c-9"], ["u-9", lost])
        named = [(one.kind, one.id) for one in (found, *found.also)]
        assert {*named} == {("Course", "c-9"), ("User", "u-9"), ("Organization", "o-9")}
        found = error(ca.NotFound, registrar, "assign_many", ["py"], [lost])
        assert (found.kind, found.id) == ("Organization", "o-9")

    @pytest.mark.parametrize(
        ("junk", "path"),
        [
            ((), "learners"),
            (ADA, "learners"),
            (["ada", "bo", ""], "learners[2]"),
            ([PYTHON], "learners[0]"),
            ([b"ada"], "learners[0]"),
        ],
    )
    def test_invalid_learners_are_named(self, junk: Any, path: str) -> None:
        registrar, _ = world()
        assert error(ca.InvalidInput, registrar, "assign_many", ["py"], junk).field == path


class TestNewcomers:
    """A learner who has no profile yet may be given as a `User`, created in the same change."""

    def test_the_profile_is_stored_with_the_assignment(self) -> None:
        registrar, _ = world()
        new = attrs.evolve(NEW, organization_id="beta")
        number = len(events(registrar))
        batch = registrar.assign_many(["py", "sql"], ["ada", new])
        assert pairs(batch.created) == [*product(["py", "sql"], ["ada", "new"])]
        assert registrar.get(ca.User, "new") == new
        assert [one.organization_id for one in batch.created] == ["acme", "beta"] * 2
        assert (batch.created[1].expires_at - START).days == 90
        assert len(events(registrar)) == number + 1
        assert "new" in events(registrar)[-1].subject_ids

    @pytest.mark.parametrize("repeat", ca.Repeat)
    def test_the_same_newcomer_twice_counts_once(self, repeat: ca.Repeat) -> None:
        registrar, _ = world()
        learners: list[str | ca.User] = ["new", NEW, attrs.evolve(NEW), "new"]
        batch = registrar.assign_many(["py"], learners, repeat=repeat)
        assert pairs(batch.created) == [("py", "new")]
        assert registrar.get(ca.User, "new") == NEW

    def test_one_who_is_stored_with_the_same_facts_is_accepted(self) -> None:
        registrar, _ = world()
        before = contents(registrar.repository)["User"]
        batch = registrar.assign_many(["py"], [ADA, "bo", attrs.evolve(BO), "ada"])
        assert pairs(batch.created) == [("py", "ada"), ("py", "bo")]
        assert contents(registrar.repository)["User"] == before

    def test_one_who_is_stored_with_other_facts_is_a_conflict(self) -> None:
        registrar, _ = world()
        changed = [attrs.evolve(ADA, name="Ada L."), NEW, attrs.evolve(BO, email="b@x.org")]
        assert error(ca.Conflict, registrar, "assign_many", ["py"], changed).ids == ("ada", "bo")

    def test_an_address_that_two_newcomers_share_is_refused(self) -> None:
        registrar, _ = world()
        other = attrs.evolve(NEW, id="newer", email="NEW@example.org")
        decision = registrar.may_assign_many(["py"], [NEW, other])
        assert str(decision) == (
            "User 'newer' has the e-mail address of user 'new'. "
            "Use 'new' in place of 'newer', or correct the address."
        )
        assert codes(registrar, "assign_many", ["py"], [NEW, other]) == ["email_taken"]

    def test_two_profiles_under_one_id_are_invalid(self) -> None:
        registrar, _ = world()
        two = [NEW, attrs.evolve(NEW, name="Newer")]
        found = error(ca.InvalidInput, registrar, "assign_many", ["py"], two)
        assert (found.code, found.field) == ("repeated", "learners[1]")

    @pytest.mark.parametrize(
        "rights", [{"roles": {ca.Role.SUPPORT}}, {"managed_organization_ids": {"acme"}}]
    )
    def test_a_newcomer_has_no_rights(self, rights: dict[str, Any]) -> None:
        """One given with roles or managed organizations is invalid input (rule 11)."""
        registrar, _ = world()
        new = attrs.evolve(NEW, **rights)
        found = error(ca.InvalidInput, registrar, "assign_many", ["py"], ["ada", new])
        (name,) = rights
        assert (found.code, found.field) == ("newcomer_with_rights", f"learners[1].{name}")
        with pytest.raises(ca.InvalidInput) as caught:
            ACTS["assign_many"](assignables=[pair(learner=new, organization=None)], newcomers=[new])
        assert caught.value == attrs.evolve(found, field=f"newcomers[0].{name}")

    def test_an_actor_has_to_manage_the_newcomer_as_well(self) -> None:
        registrar, _ = world()
        registrar.add(SALES)
        found = codes(registrar, "assign_many", ["py"], [NEW], by="sales")
        assert found == ["organization_not_managed"]
        new = attrs.evolve(NEW, organization_id="acme")
        registrar.assign_many(["py"], [new], by="sales")

    def test_a_newcomer_whom_someone_else_added_in_the_meantime_is_known(self) -> None:
        registrar, _, repository = barged(lambda other: other.add(NEW))
        repository.open = True
        assert pairs(registrar.assign_many(["py"], [NEW]).created) == [("py", "new")]
        assert repository.commits == 2

    def test_an_address_that_someone_else_took_in_the_meantime_is_refused(self) -> None:
        other = attrs.evolve(NEW, id="newer", email="NEW@example.org")
        registrar, _, repository = barged(lambda faster: faster.add(other))
        repository.open = True
        with pytest.raises(ca.Refused, match="has the e-mail address of user 'newer'"):
            registrar.assign_many(["py"], [NEW])
        assert not stored(registrar)
        assert not registrar.repository.get(ca.User, ["new"])
