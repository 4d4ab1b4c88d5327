"""Courses assigned to learners by an administrator's hand, one pair or many."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import (
    AssignmentBatch,
    Conflict,
    CourseAssignment,
    Direct,
    Event,
    ExpirationLimit,
    ForAssignment,
    InvalidInput,
    Months,
    Note,
    NotFound,
    Policies,
    Refused,
    Registrar,
    Repeat,
    RepeatPolicy,
    Role,
    User,
)
from course_assignments.reasons import AlreadyAssigned, ExpiresTooLate
from tests.support.situations import barged, codes, error, events, made_by
from tests.support.world import ACME, ADA, BO, MANAGER, PYTHON, SALES, START, contents, world

TICK = timedelta(microseconds=1)
NEW = User(id="new", name="New", email="new@example.org")
NOTE = Note(title="Renewal", message="Paid until June.\nAsk Bo.", high_importance=True)
BERLIN = ZoneInfo("Europe/Berlin")


def default(repeat: Repeat) -> Policies:
    return Policies(repeat=RepeatPolicy(default=repeat))


def pairs(found: Iterable[CourseAssignment]) -> list[tuple[str, str]]:
    return [(one.course_id, one.learner_id) for one in found]


def stored(registrar: Registrar) -> list[CourseAssignment]:
    found: list[CourseAssignment] = contents(registrar.repository)["CourseAssignment"]
    return found


class TestAssign:
    def test_an_assignment_says_everything_about_itself(self) -> None:
        registrar, _ = world()
        assert registrar.may_assign("py", "ada", note=NOTE, by="manager")
        assignment = registrar.assign("py", "ada", note=NOTE, by="manager")
        assert assignment == CourseAssignment(
            id=assignment.id,
            learner_id="ada",
            course_id="py",
            organization_id="acme",
            created_at=START,
            expires_at=START + timedelta(days=180),
            limited_by=ExpirationLimit.MAXIMUM,
            origin=Direct(),
            notes=[NOTE],
        )
        assert made_by(registrar, assignment.id) == assignment
        assert events(registrar)[-1] == Event(
            position=2,
            at=START,
            by="manager",
            action="assign",
            subject_ids=[assignment.id, "py", "ada"],
        )

    @pytest.mark.parametrize(
        ("course", "learner", "days", "limit"),
        [
            ("py", "ada", 180, ExpirationLimit.MAXIMUM),
            ("py", "cy", 180, ExpirationLimit.MAXIMUM),
            ("py", "bo", 90, ExpirationLimit.ORGANIZATION),
            ("sql", "bo", 30, ExpirationLimit.COURSE),
            ("sql", "ada", 30, ExpirationLimit.COURSE),
        ],
    )
    def test_the_earliest_of_all_ceilings_wins_and_is_named(
        self, course: str, learner: str, days: int, limit: ExpirationLimit
    ) -> None:
        registrar, _ = world()
        assignment = registrar.assign(course, learner)
        assert assignment.expires_at == START + timedelta(days=days)
        assert assignment.limited_by is limit

    @pytest.mark.parametrize(
        ("expires", "end"),
        [
            (timedelta(days=10), START + timedelta(days=10)),
            (timedelta(days=180), START + timedelta(days=180)),
            (Months(3), datetime(2026, 4, 5, 10, tzinfo=BERLIN)),
            (relativedelta(months=3), datetime(2026, 4, 5, 10, tzinfo=BERLIN)),
            (relativedelta(days=10), START + timedelta(days=10)),
            (date(2026, 4, 5), datetime(2026, 4, 5, tzinfo=BERLIN)),
            (
                datetime(2026, 4, 5, tzinfo=ZoneInfo("Asia/Tokyo")),
                datetime(2026, 4, 4, 15, tzinfo=UTC),
            ),
            (START + TICK, START + TICK),
        ],
    )
    def test_an_end_can_be_asked_for(self, expires: Any, end: datetime) -> None:
        registrar, _ = world()
        assignment = registrar.assign("py", "ada", expires=expires)
        assert assignment.expires_at == end
        assert assignment.expires_at.tzinfo is UTC
        assert assignment.limited_by is ExpirationLimit.REQUEST
        (many,) = registrar.assign_many(["py"], ["ada"], expires=expires).created
        assert (many.expires_at, many.limited_by) == (end, ExpirationLimit.REQUEST)

    def test_a_learner_without_an_organization_has_the_calendar_of_utc(self) -> None:
        registrar, _ = world()
        assert registrar.assign("py", "cy", expires=date(2026, 4, 5)).expires_at == datetime(
            2026, 4, 5, tzinfo=UTC
        )

    @pytest.mark.parametrize(
        ("expires", "code"),
        [
            (timedelta(days=180, microseconds=1), "expires_too_late"),
            (Months(7), "expires_too_late"),
            (START + timedelta(days=200), "expires_too_late"),
            (START, "expires_too_early"),
            (START - timedelta(days=400), "expires_too_early"),
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
        found = codes(
            registrar,
            "assign",
            "py",
            "ada",
            expires=START,
            repeat=Repeat.REFUSE,
            by="bo",
        )
        assert found == [
            "role_missing",
            "organization_not_managed",
            "course_not_available",
            "course_archived",
            "already_assigned",
            "expires_too_early",
        ]

    def test_whatever_is_unknown_is_named(self) -> None:
        registrar, _ = world()
        assert error(NotFound, registrar, "assign", "c-9", "ada").kind == "Course"
        assert error(NotFound, registrar, "assign", "py", "nobody").kind == "User"
        assert error(NotFound, registrar, "assign", "py", "ada", by="nobody").id == "nobody"

    @pytest.mark.parametrize(
        ("field", "junk"),
        [
            ("course_id", None),
            ("course_id", ["py"]),
            ("course_id", " "),
            ("learner_id", 7),
            ("learner_id", NEW),
            ("learner_id", "a\x00"),
            ("expires", "P6M"),
            ("expires", timedelta(0)),
            ("expires", datetime(2026, 2, 1)),  # noqa: DTZ001 - a naive one is refused
            ("note", "a note"),
            ("repeat", "skip"),
            ("repeat", True),
            ("id", ""),
            ("id", 7),
            ("by", 7),
        ],
    )
    def test_junk_is_named_by_its_field(self, field: str, junk: Any) -> None:
        registrar, _ = world()
        given_fields = {"course_id": "py", "learner_id": "ada", field: junk}
        assert error(InvalidInput, registrar, "assign", **given_fields).field == field


class TestActing:
    """Creating assignments takes one of the roles Company Training Manager, Enrollment Manager,
    Operations Manager, Sales Manager; and the learner's organization must be among the actor's
    managed ones. Managed organizations match exactly."""

    @pytest.mark.parametrize("role", Role)
    def test_roles(self, role: Role) -> None:
        registrar, _ = world()
        registrar.update(attrs.evolve(MANAGER, roles={role}))
        if role is Role.SUPPORT:
            assert codes(registrar, "assign", "py", "ada", by="manager") == ["role_missing"]
        else:
            registrar.assign("py", "ada", by="manager")

    @pytest.mark.parametrize("learner", ["bo", "cy"])
    def test_organizations(self, learner: str) -> None:
        registrar, _ = world()
        assert codes(registrar, "assign", "py", learner, by="manager") == [
            "organization_not_managed"
        ]

    def test_neither_a_parent_nor_a_child_counts(self) -> None:
        registrar, _ = world()
        for name, parent in (("child", "acme"), ("other", None)):
            registrar.add(attrs.evolve(ACME, id=name, parent_id=parent))
            registrar.add(User(id=name, name=name, email=f"{name}@x.org", organization_id=name))
            found = codes(registrar, "assign", "py", name, by="manager")
            assert found == ["organization_not_managed"]

    def test_in_bulk_each_organization_that_is_not_managed_is_named_once(self) -> None:
        registrar, _ = world()
        found = registrar.may_assign_many(["py", "sql"], ["bo", "ada", "cy"], by="manager")
        assert [str(reason) for reason in found.reasons] == [
            "You don't manage organization 'beta'. Ask someone who does.",
            *(
                f"Learner 'cy', course '{course_id}': The learner has no organization, so nobody "
                "manages them. Add the learner to an organization first."
                for course_id in ("py", "sql")
            ),
        ]
        registrar.assign_many(["py"], ["ada", "manager"], by="manager")

    def test_nobody_acts_for_themselves(self) -> None:
        registrar, _ = world()
        assert codes(registrar, "assign", "py", "ada", by="ada") == [
            "role_missing",
            "organization_not_managed",
        ]


class TestRepeat:
    """`Repeat.ALLOW` (default: a new assignment, billed anew), `SKIP` (bulk says which; a single
    one returns the active one) or `REFUSE`, by policy or per call, for assign and assign_many."""

    def test_by_default_a_new_one_is_made(self) -> None:
        registrar, _ = world()
        one, two = registrar.assign("py", "ada"), registrar.assign("py", "ada")
        three = registrar.assign_many(["py"], ["ada"]).created[0]
        assert len({one.id, two.id, three.id}) == 3
        (claim,) = contents(registrar.repository)["Claim"]
        assert claim.assignment_id == three.id

    @pytest.mark.parametrize("by_policy", [True, False])
    def test_skip_returns_the_active_one(self, *, by_policy: bool) -> None:
        registrar, clock = world(policies=default(Repeat.SKIP if by_policy else Repeat.ALLOW))
        repeat = None if by_policy else Repeat.SKIP
        first = registrar.assign("py", "ada", repeat=repeat)
        clock.advance(timedelta(days=3))
        before = contents(registrar.repository)
        assert registrar.may_assign("py", "ada", repeat=repeat, expires=timedelta(days=2))
        assert registrar.assign("py", "ada", repeat=repeat) == first
        batch = registrar.assign_many(["py"], ["ada"], repeat=repeat)
        assert batch == AssignmentBatch(created=(), skipped=(first,))
        assert contents(registrar.repository) == before

    @pytest.mark.parametrize("by_policy", [True, False])
    def test_refuse_names_the_active_one(self, *, by_policy: bool) -> None:
        registrar, clock = world(policies=default(Repeat.REFUSE if by_policy else Repeat.ALLOW))
        repeat = None if by_policy else Repeat.REFUSE
        first = registrar.assign("py", "ada", repeat=repeat)
        clock.advance(timedelta(days=3))
        reason = AlreadyAssigned(first.id, first.expires_at)
        assert codes(registrar, "assign", "py", "ada", repeat=repeat) == ["already_assigned"]
        decision = registrar.may_assign("py", "ada", repeat=repeat)
        assert (decision.reasons, decision.changes_at) == ((reason,), first.expires_at)
        many = registrar.may_assign_many(["sql", "py"], ["bo", "ada"], repeat=repeat)
        assert many.reasons == (ForAssignment("py", "ada", reason),)
        assert codes(registrar, "assign_many", ["py"], ["ada"], repeat=repeat) == [
            "already_assigned"
        ]

    def test_the_call_overrules_the_policy(self) -> None:
        registrar, _ = world(policies=default(Repeat.REFUSE))
        registrar.assign("py", "ada")
        registrar.assign("py", "ada", repeat=Repeat.ALLOW)
        registrar.assign("py", "ada", repeat=Repeat.SKIP)
        assert len(stored(registrar)) == 2

    @pytest.mark.parametrize("repeat", [Repeat.SKIP, Repeat.REFUSE])
    @pytest.mark.parametrize("end", ["expired", "cancelled"])
    def test_one_that_is_over_is_in_nobodys_way(self, repeat: Repeat, end: str) -> None:
        registrar, clock = world()
        first = registrar.assign("py", "ada", repeat=repeat)
        if end == "expired":
            clock.set(first.expires_at)
        else:
            registrar.cancel(first.id)
        second = registrar.assign("py", "ada", repeat=repeat)
        clock.advance(TICK)
        third = registrar.assign_many(["py"], ["ada"], repeat=Repeat.SKIP)
        assert third == AssignmentBatch(created=(), skipped=(second,))
        (claim,) = contents(registrar.repository)["Claim"]
        assert claim.assignment_id == second.id

    def test_an_instant_before_its_end_it_still_is(self) -> None:
        registrar, clock = world()
        first = registrar.assign("py", "ada")
        clock.set(first.expires_at - TICK)
        assert codes(registrar, "assign", "py", "ada", repeat=Repeat.REFUSE) == ["already_assigned"]

    def test_of_several_active_ones_the_one_that_ends_last_stands(self) -> None:
        registrar, _ = world()
        registrar.assign("py", "ada", expires=timedelta(days=3))
        longest = registrar.assign("py", "ada", expires=timedelta(days=9))
        registrar.assign("py", "ada", expires=timedelta(days=5))
        assert registrar.assign("py", "ada", repeat=Repeat.SKIP) == longest

    def test_one_from_a_key_counts_too(self) -> None:
        registrar, _ = world()
        registrar.create_keys(
            "py",
            name="Keys",
            organization_id="acme",
            availability=timedelta(days=9),
            codes=["Hand-made-1"],
        )
        redeemed = registrar.redeem("Hand-made-1", "ada")
        assert registrar.assign("py", "ada", repeat=Repeat.SKIP) == redeemed

    def test_of_a_pair_that_is_skipped_it_is_only_asked_who_may_act(self) -> None:
        # Rule 22: the course is checked whenever something new is made, never for what exists.
        registrar, clock = world()
        first = registrar.assign("py", "ada")
        registrar.update(attrs.evolve(PYTHON, archived=True))
        decision = registrar.may_assign("py", "ada", repeat=Repeat.SKIP)
        assert (decision.allowed, decision.changes_at) == (True, first.expires_at)
        too_long = timedelta(days=900)
        assert registrar.assign("py", "ada", repeat=Repeat.SKIP, expires=too_long) == first
        batch = registrar.assign_many(["py"], ["ada"], repeat=Repeat.SKIP)
        assert batch == AssignmentBatch(created=(), skipped=(first,))
        assert registrar.may_assign("py", "ada", repeat=Repeat.SKIP, by="manager")
        assert codes(registrar, "assign", "py", "ada", repeat=Repeat.SKIP, by="ada") == [
            "role_missing",
            "organization_not_managed",
        ]
        clock.set(first.expires_at)
        assert codes(registrar, "assign", "py", "ada", repeat=Repeat.SKIP) == ["course_archived"]

    @pytest.mark.parametrize("repeat", [Repeat.SKIP, Repeat.REFUSE])
    def test_two_who_assign_at_once_meet_at_the_claim(self, repeat: Repeat) -> None:
        made: list[CourseAssignment] = []
        registrar, _, repository = barged(
            lambda other: made.append(other.assign("py", "ada", repeat=repeat))
        )
        repository.open = True
        if repeat is Repeat.SKIP:
            assert registrar.assign("py", "ada", repeat=repeat) == made[0]
        else:
            with pytest.raises(Refused) as caught:
                registrar.assign("py", "ada", repeat=repeat)
            (reason,) = caught.value.decision.reasons
            assert reason == AlreadyAssigned(made[0].id, made[0].expires_at)
        assert stored(registrar) == made
        assert repository.commits == 1

    def test_two_overlapping_rosters_make_no_pair_twice(self) -> None:
        registrar, _, repository = barged(
            lambda other: other.assign_many(["py"], ["bo", "cy"], repeat=Repeat.SKIP)
        )
        repository.open = True
        batch = registrar.assign_many(["py"], ["ada", "bo"], repeat=Repeat.SKIP)
        assert (pairs(batch.created), pairs(batch.skipped)) == ([("py", "ada")], [("py", "bo")])
        assert sorted(pairs(stored(registrar))) == [("py", "ada"), ("py", "bo"), ("py", "cy")]

    def test_where_repeating_is_allowed_the_claim_is_not_touched(self) -> None:
        # The negative control of the two above: nothing makes them meet.
        registrar, _, repository = barged(
            lambda other: other.assign_many(["py"], ["bo", "cy"], repeat=Repeat.ALLOW)
        )
        repository.open = True
        registrar.assign_many(["py"], ["ada", "bo"], repeat=Repeat.ALLOW)
        assert pairs(stored(registrar)).count(("py", "bo")) == 2


class TestAssignMany:
    """Every pair, one clock reading, input order, duplicates in the input collapse, the same note
    on each; one bad pair and nothing is created, all problems named."""

    @given(
        course_ids=st.lists(st.sampled_from(["py", "sql"]), min_size=1, max_size=5),
        learner_ids=st.lists(
            st.sampled_from(["ada", "bo", "cy", "manager"]), min_size=1, max_size=6
        ),
        as_generators=st.booleans(),
    )
    def test_every_pair_is_made_once_in_the_order_of_the_input(
        self, *, course_ids: list[str], learner_ids: list[str], as_generators: bool
    ) -> None:
        registrar, clock = world()
        courses: Iterable[str] = iter(course_ids) if as_generators else course_ids
        learners: Iterator[str] | list[str] = iter(learner_ids) if as_generators else learner_ids
        batch = registrar.assign_many(courses, learners, note=NOTE)
        expected: list[tuple[str, str]] = []
        for pair in product(course_ids, learner_ids):
            if pair not in expected:
                expected.append(pair)
        assert pairs(batch.created) == expected
        assert not batch.skipped
        assert {(one.created_at, one.notes) for one in batch.created} == {(clock(), (NOTE,))}
        assert len({one.id for one in batch.created}) == len(expected)
        assert sorted(stored(registrar), key=lambda one: one.id) == sorted(
            batch.created, key=lambda one: one.id
        )

    def test_there_is_one_event_for_all(self) -> None:
        registrar, _ = world()
        batch = registrar.assign_many(["py", "sql"], ["ada", "bo"], by=None)
        one, two, three, four = (each.id for each in batch.created)
        assert events(registrar)[-1] == Event(
            position=2,
            at=START,
            action="assign_many",
            subject_ids=[one, "py", "ada", two, "bo", three, "sql", four],
        )

    def test_what_was_skipped_is_said_in_the_order_of_the_input(self) -> None:
        registrar, _ = world()
        held = [registrar.assign("py", "cy"), registrar.assign("sql", "ada")]
        batch = registrar.assign_many(["sql", "py"], ["cy", "ada", "bo"], repeat=Repeat.SKIP)
        assert pairs(batch.created) == [("sql", "cy"), ("sql", "bo"), ("py", "ada"), ("py", "bo")]
        assert batch.skipped == (held[1], held[0])

    def test_each_pair_has_its_own_ceiling_and_calendar(self) -> None:
        registrar, _ = world()
        batch = registrar.assign_many(["py", "sql"], ["ada", "bo"])
        assert [(one.expires_at - START).days for one in batch.created] == [180, 90, 30, 30]
        batch = registrar.assign_many(["py"], ["ada", "cy"], expires=date(2026, 2, 1))
        assert [one.expires_at.hour for one in batch.created] == [23, 0]

    def test_one_bad_pair_and_nothing_is_created_and_all_problems_are_named(self) -> None:
        registrar, _ = world()
        active = registrar.assign("py", "ada")
        end = START + timedelta(days=100)
        decision = registrar.may_assign_many(
            ["py", "draft", "old"], ["ada", "bo"], expires=end, repeat=Repeat.REFUSE
        )
        assert (
            ForAssignment("py", "ada", AlreadyAssigned(active.id, active.expires_at))
            in decision.reasons
        )
        too_late = ExpiresTooLate(START + timedelta(days=90), ExpirationLimit.ORGANIZATION)
        for course in ("py", "draft", "old"):
            assert ForAssignment(course, "bo", too_late) in decision.reasons
        found = codes(
            registrar,
            "assign_many",
            ["py", "draft", "old"],
            ["ada", "bo"],
            expires=end,
            repeat=Repeat.REFUSE,
        )
        assert sorted(found) == [
            "already_assigned",
            "course_archived",
            "course_not_available",
            *["expires_too_late"] * 3,
        ]

    def test_everything_that_is_unknown_is_named(self) -> None:
        registrar, _ = world()
        found = error(NotFound, registrar, "assign_many", ["c-8", "py", "c-9"], ["ada", "u-9"])
        named = [(one.kind, one.id) for one in (found, *found.also)]
        assert named == [("Course", "c-8"), ("Course", "c-9"), ("User", "u-9")]

    def test_an_unknown_organization_of_a_newcomer_is_named_with_the_rest(self) -> None:
        registrar, _ = world()
        lost = attrs.evolve(NEW, organization_id="o-9")
        found = error(NotFound, registrar, "assign_many", ["py"], [lost])
        assert (found.kind, found.id) == ("Organization", "o-9")
        found = error(NotFound, registrar, "assign_many", ["c-9"], ["u-9", lost])
        named = {(one.kind, one.id) for one in (found, *found.also)}
        assert named == {("Course", "c-9"), ("User", "u-9"), ("Organization", "o-9")}

    @pytest.mark.parametrize(
        ("field", "junk", "path"),
        [
            ("course_ids", "py", "course_ids"),
            ("course_ids", [], "course_ids"),
            ("course_ids", None, "course_ids"),
            ("course_ids", ["py", 7], "course_ids[1]"),
            ("course_ids", [" "], "course_ids[0]"),
            ("learners", "ada", "learners"),
            ("learners", (), "learners"),
            ("learners", ADA, "learners"),
            ("learners", ["ada", None], "learners[1]"),
            ("learners", ["ada", "bo", ""], "learners[2]"),
            ("learners", [PYTHON], "learners[0]"),
            ("learners", [b"ada"], "learners[0]"),
            ("expires", "tomorrow", "expires"),
            ("note", 7, "note"),
            ("repeat", 7, "repeat"),
            ("id", " ", "id"),
            ("by", " ", "by"),
        ],
    )
    def test_junk_is_named_by_its_path(self, field: str, junk: Any, path: str) -> None:
        registrar, _ = world()
        given_fields = {"course_ids": ["py"], "learners": ["ada"], field: junk}
        assert error(InvalidInput, registrar, "assign_many", **given_fields).field == path

    def test_the_seventeenth_learner_is_named_as_such(self) -> None:
        registrar, _ = world()
        learners = ["ada"] * 17 + ["x" * 201]
        found = error(InvalidInput, registrar, "assign_many", ["py"], learners)
        assert (found.code, found.field) == ("too_long", "learners[17]")


class TestNewcomers:
    """A learner who has no profile yet may be given as a `User`, created in the same change."""

    def test_the_profile_is_stored_with_the_assignment(self) -> None:
        registrar, _ = world()
        new = attrs.evolve(NEW, organization_id="beta")
        number = len(events(registrar))
        batch = registrar.assign_many(["py", "sql"], ["ada", new])
        assert pairs(batch.created) == [
            ("py", "ada"),
            ("py", "new"),
            ("sql", "ada"),
            ("sql", "new"),
        ]
        assert registrar.repository.get(User, ["new"]) == {"new": new}
        assert [one.organization_id for one in batch.created] == ["acme", "beta"] * 2
        assert (batch.created[1].expires_at - START).days == 90
        assert len(events(registrar)) == number + 1
        assert "new" in events(registrar)[-1].subject_ids

    @pytest.mark.parametrize("repeat", Repeat)
    def test_under_each_way_to_repeat(self, repeat: Repeat) -> None:
        registrar, _ = world()
        assert len(registrar.assign_many(["py"], [NEW], repeat=repeat).created) == 1
        assert registrar.repository.get(User, ["new"]) == {"new": NEW}

    def test_the_twin_stores_nobody(self) -> None:
        registrar, _ = world()
        assert registrar.may_assign_many(["py"], [NEW])
        assert not registrar.repository.get(User, ["new"])

    def test_someone_who_is_stored_just_so_is_fine(self) -> None:
        registrar, _ = world()
        before = contents(registrar.repository)["User"]
        batch = registrar.assign_many(["py"], [ADA, "bo", attrs.evolve(BO), "ada"])
        assert pairs(batch.created) == [("py", "ada"), ("py", "bo")]
        assert contents(registrar.repository)["User"] == before

    def test_someone_who_is_stored_otherwise_is_a_conflict(self) -> None:
        registrar, _ = world()
        changed = [attrs.evolve(ADA, name="Ada L."), NEW, attrs.evolve(BO, email="b@x.org")]
        assert error(Conflict, registrar, "assign_many", ["py"], changed).ids == ("ada", "bo")

    def test_an_address_that_is_taken_is_refused(self) -> None:
        registrar, _ = world()
        taken = attrs.evolve(NEW, email="ADA@example.org")
        assert codes(registrar, "assign_many", ["py"], ["bo", taken]) == ["email_taken"]

    def test_an_address_that_two_newcomers_share_is_refused(self) -> None:
        registrar, _ = world()
        other = attrs.evolve(NEW, id="newer", email="NEW@example.org")
        decision = registrar.may_assign_many(["py"], [NEW, other])
        assert [str(one)[:28] for one in decision.reasons] == ["The email address of 'newer'"]
        assert codes(registrar, "assign_many", ["py"], [NEW, other]) == ["email_taken"]

    def test_the_same_newcomer_twice_counts_once(self) -> None:
        registrar, _ = world()
        batch = registrar.assign_many(["py"], ["new", NEW, attrs.evolve(NEW), "new"])
        assert pairs(batch.created) == [("py", "new")]

    def test_two_profiles_under_one_id_are_invalid(self) -> None:
        registrar, _ = world()
        found = error(
            InvalidInput, registrar, "assign_many", ["py"], [NEW, attrs.evolve(NEW, name="Newer")]
        )
        assert (found.code, found.field) == ("repeated", "learners[1]")

    @pytest.mark.parametrize(
        "rights", [{"roles": {Role.SUPPORT}}, {"managed_organization_ids": {"acme"}}]
    )
    def test_nobody_comes_in_with_rights(self, rights: dict[str, Any]) -> None:
        registrar, _ = world()
        new = attrs.evolve(NEW, **rights)
        found = error(InvalidInput, registrar, "assign_many", ["py"], ["ada", new])
        (name,) = rights
        assert (found.code, found.field) == ("newcomer_with_rights", f"learners[1].{name}")

    def test_a_refused_pair_leaves_no_profile_behind(self) -> None:
        registrar, _ = world()
        assert codes(registrar, "assign_many", ["draft"], [NEW]) == ["course_not_available"]
        assert not registrar.repository.get(User, ["new"])

    def test_who_acts_has_to_manage_the_newcomer_as_well(self) -> None:
        registrar, _ = world()
        registrar.add(SALES)
        found = codes(registrar, "assign_many", ["py"], [NEW], by="sales")
        assert found == ["organization_not_managed"]
        new = attrs.evolve(NEW, organization_id="acme")
        registrar.assign_many(["py"], [new], by="sales")

    def test_a_newcomer_whom_someone_else_added_meanwhile_is_known(self) -> None:
        registrar, _, repository = barged(lambda other: other.add(NEW))
        repository.open = True
        assert pairs(registrar.assign_many(["py"], [NEW]).created) == [("py", "new")]
        assert repository.commits == 2

    def test_an_address_that_someone_else_took_meanwhile_is_refused(self) -> None:
        other = attrs.evolve(NEW, id="newer", email="NEW@example.org")
        registrar, _, repository = barged(lambda faster: faster.add(other))
        repository.open = True
        with pytest.raises(Refused, match="already belongs to an account"):
            registrar.assign_many(["py"], [NEW])
        assert not stored(registrar)
        assert not registrar.repository.get(User, ["new"])


class TestCeilings:
    """The limit is the earliest of created + 180 days, + organization's maximum, + course's
    maximum; a longer maximum never lengthens."""

    @given(
        st.none() | st.integers(1, 400),
        st.none() | st.integers(1, 400),
        st.none() | st.integers(1, 400),
    )
    def test_ends(self, course: int | None, organization: int | None, asked: int | None) -> None:
        def days(count: int | None) -> timedelta | None:
            return None if count is None else timedelta(days=count)

        registrar, _ = world()
        registrar.update(attrs.evolve(PYTHON, maximum_access=days(course)))
        registrar.update(attrs.evolve(ACME, maximum_access=days(organization)))
        limit = min(one for one in (180, course, organization) if one is not None)
        if asked is not None and asked > limit:
            assert codes(registrar, "assign", "py", "ada", expires=days(asked)) == [
                "expires_too_late"
            ]
            return
        assignment = registrar.assign("py", "ada", expires=days(asked))
        assert assignment.expires_at == START + timedelta(days=limit if asked is None else asked)
