"""The actions: what each one wants written, what it refuses, and what two of them meet over."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import (
    Addition,
    AuthorizationPolicy,
    CancellationPolicy,
    Change,
    Claim,
    CompletionPolicy,
    Conflict,
    Course,
    CourseAssignment,
    CourseAvailabilityPolicy,
    Decision,
    Direct,
    Duration,
    Event,
    ExpirationLimit,
    ExpirationPolicy,
    FromKey,
    InvalidInput,
    KeyRedemptionPolicy,
    Months,
    Organization,
    Permission,
    Policies,
    Record,
    Redemption,
    Refused,
    RegistrationPolicy,
    Repeat,
    RepeatPolicy,
    Replace,
    ReschedulePolicy,
    Role,
    TrainingKey,
    Use,
    User,
    actions,
)
from course_assignments.reasons import (
    AlreadyAssigned,
    CodeTaken,
    CourseArchived,
    EmailTaken,
    ExpiresTooEarly,
    ExpiresTooLate,
    ForAssignment,
    MaxUsesBelowUses,
    OrganizationNotManaged,
    RoleMissing,
    SupportRoleMissing,
)
from tests.support.acts import (
    ACTS,
    BATCH,
    CLAIM,
    DAY,
    DI,
    GIVEN,
    KEY,
    NEWCOMER,
    NOTE,
    NOW,
    REDEEMED,
    REDEMPTION,
    STOCK,
    Act,
    pair,
    presented,
    stocked,
)
from tests.support.rules import JUNK, NO_INSTANTS, check_junk, check_turn, codes, counted, near
from tests.support.strategies import US, ZONE_NAMES, instants, terms, zones
from tests.support.world import ACME, ADA, BETA, BO, CY, DRAFT, MANAGER, OLD, PYTHON, SQL, START
from tests.support.world import SUPPORT as SUPPORTER

COMMANDS = sorted(ACTS)
GENERATED = "00000000000000012"
NEW_COURSE = attrs.evolve(PYTHON, id="new-course")

#: One who has no role and manages nothing.
STRANGER = CY


def event(action: str, *subject_ids: str, by: User | None = None, **details: str) -> Event:
    return Event(
        at=NOW,
        by=None if by is None else by.id,
        action=action,
        subject_ids=subject_ids,
        details=details,
    )


def wanted(
    *records: Event,
    create: Iterable[Record] = (),
    replace: Iterable[tuple[Record, Record]] = (),
    use: Iterable[tuple[TrainingKey, int]] = (),
    expect: Iterable[Record] = (),
) -> Change:
    """Return the change that consists of these verbs."""
    return Change(
        create=tuple(create),
        replace=[Replace(before, after) for before, after in replace],
        use=[Use(key, by) for key, by in use],
        expect=tuple(expect),
        record=records,
    )


def made(**changed: Any) -> CourseAssignment:
    """Return the assignment that `pair` asks for, less what is *changed*."""
    given_: dict[str, Any] = {
        "id": "a-9",
        "created_at": NOW,
        "expires_at": NOW + 10 * DAY,
        "limited_by": ExpirationLimit.REQUEST,
        "notes": (NOTE,),
    }
    return attrs.evolve(GIVEN, **{**given_, **changed})


def redemption(learner: User) -> Redemption:
    return Redemption(
        id=Redemption.id_for(KEY.code, learner.id, 0),
        code=KEY.code,
        batch_id="spring",
        learner_id=learner.id,
        assignment_id=f"a-9-{learner.id}",
        redeemed_at=NOW,
    )


def redeemed(learner: User) -> CourseAssignment:
    return made(
        id=f"a-9-{learner.id}",
        learner_id=learner.id,
        expires_at=NOW + 30 * DAY,
        limited_by=ExpirationLimit.KEY,
        origin=FromKey("spring", redemption(learner).id),
        notes=(),
    )


ADDED = (
    TrainingKey(code="Summer-2026", batch_id="spring", max_uses=3),
    TrainingKey(code=GENERATED, batch_id="spring", max_uses=3),
)
SUMMER = attrs.evolve(BATCH, id="summer", size=3)

#: What every act of `ACTS` wants written. What was found present is replaced, used or expected;
#: what was found absent is created under an id that whoever else makes it would write too.
WANTED: dict[str, Change] = {
    "add": wanted(event("add", "new", "new-course"), create=[NEWCOMER, NEW_COURSE]),
    "update": wanted(event("update", "ada"), replace=[(ADA, attrs.evolve(ADA, name="Ada L."))]),
    "assign": wanted(
        event("assign", "a-9", "py", "ada"),
        create=[made()],
        expect=[PYTHON, ADA, ACME],
    ),
    "assign_many": wanted(
        event("assign_many", "a-9", "py", "ada", "a-10", "new"),
        create=[NEWCOMER, made(), made(id="a-10", learner_id="new")],
        # Not the newcomer, who is made here.
        expect=[PYTHON, ADA, ACME],
    ),
    "cancel": wanted(
        event("cancel", "a-2", "di"),
        replace=[
            (REDEEMED, attrs.evolve(REDEEMED, cancelled_at=NOW)),
            (REDEMPTION, attrs.evolve(REDEMPTION, restored_at=NOW)),
        ],
        use=[(KEY, -1)],
    ),
    "reschedule": wanted(
        event("reschedule", "a-1", "ada"),
        replace=[
            (
                GIVEN,
                attrs.evolve(
                    GIVEN, expires_at=START + 10 * DAY, limited_by=ExpirationLimit.REQUEST
                ),
            )
        ],
        expect=[ADA, PYTHON, ACME],
    ),
    "complete": wanted(
        event("complete", "a-1", "ada"),
        replace=[(GIVEN, attrs.evolve(GIVEN, completed_at=NOW))],
    ),
    "create_keys": wanted(
        event("create_keys", "summer", "py", keys="3"),
        create=[
            SUMMER,
            *(
                TrainingKey(code=code, batch_id="summer", max_uses=3)
                for code in ("Summer-2026", "Summer-2027", GENERATED)
            ),
        ],
        expect=[PYTHON],
    ),
    "add_keys": wanted(
        event("add_keys", "spring", "py", keys="2"),
        create=ADDED,
        replace=[(BATCH, attrs.evolve(BATCH, size=3, additions=[Addition("plus", 2)]))],
        expect=[PYTHON],
    ),
    "edit_keys": wanted(
        event("edit_keys", "spring"),
        replace=[
            (BATCH, attrs.evolve(BATCH, name="May", max_uses=2)),
            (KEY, attrs.evolve(KEY, max_uses=2)),
        ],
    ),
    "revoke_keys": wanted(
        event("revoke_keys", "spring", key="****-26"),
        replace=[(KEY, attrs.evolve(KEY, revoked_at=NOW))],
        expect=[BATCH],
    ),
    "redeem": wanted(
        event("redeem", "a-9-ada", redemption(ADA).id, "spring", "py", "ada"),
        create=[redeemed(ADA), redemption(ADA)],
        use=[(KEY, 1)],
        # Not the batch: a redemption may commit just after an edit of its window.
        expect=[PYTHON, ADA, ACME],
    ),
    "register": wanted(
        event("register", "a-9-new", redemption(NEWCOMER).id, "spring", "py", "new"),
        create=[NEWCOMER, redeemed(NEWCOMER), redemption(NEWCOMER)],
        use=[(KEY, 1)],
        expect=[PYTHON, ACME],
    ),
}


def verbs(change: Change) -> tuple[Any, ...]:
    """Return what *change* writes; in which order it expects records does not matter."""
    return change.create, change.replace, change.use, set(change.expect), change.record


class TestWhatIsWritten:
    """What a decision found present is replaced, used or expected; what it found absent is claimed
    by an id that both sides write.
    """

    @pytest.mark.parametrize("name", sorted(WANTED))
    def test_an_action_wants_these_verbs_and_no_others(self, name: str) -> None:
        change = ACTS[name]()
        assert verbs(change) == verbs(WANTED[name])
        assert len(change.expect) == len(set(change.expect))
        assert change
        assert change.decision.allowed

    @pytest.mark.parametrize("name", sorted(WANTED))
    def test_what_an_actor_was_asked_for_is_expected_as_well(self, name: str) -> None:
        trusted, change = WANTED[name], ACTS[name](actor=MANAGER)
        (recorded,) = trusted.record
        assert change.record == (attrs.evolve(recorded, by="manager"),)
        assert (change.create, change.replace, change.use) == verbs(trusted)[:3]
        more = {
            # Nobody is asked for a role here.
            "add": (),
            "update": (),
            # Whose assignment it is was asked for because of the organization.
            "cancel": (MANAGER, DI),
            "complete": (MANAGER, ADA),
        }.get(name, (MANAGER,))
        assert set(change.expect) == {*trusted.expect, *more}

    @pytest.mark.parametrize("name", COMMANDS)
    def test_the_same_input_gives_the_same_change_and_stays_as_it_is(self, name: str) -> None:
        act = ACTS[name]
        arguments = deepcopy(act.arguments)
        before = deepcopy(arguments)
        first, second = act.action(**arguments), act.action(**arguments)
        assert first == second
        assert first.decision == second.decision
        assert arguments == before

    @pytest.mark.parametrize("name", COMMANDS)
    @pytest.mark.parametrize("actor", [None, MANAGER])
    def test_events_name_ids_alone_and_never_a_code(self, name: str, actor: User | None) -> None:
        change = ACTS[name](actor=actor)
        ids = {one.id for one in (*STOCK, *change.create) if not isinstance(one, TrainingKey)}
        (recorded,) = change.record
        assert set(recorded.subject_ids) <= ids
        assert recorded.action == name
        assert recorded.at == NOW
        told = repr(change) + repr(change.decision)
        for code in ("Spring-2026", "Summer-2026", "Summer-2027", GENERATED):
            assert code not in told
        said = repr(recorded)
        for secret in (ADA.name, ADA.email, NEWCOMER.email, PYTHON.name, NOTE.message):
            assert secret not in said.replace("'ada'", "")

    @pytest.mark.parametrize("name", COMMANDS)
    def test_the_same_instant_in_another_zone_gives_the_same_change(self, name: str) -> None:
        for zone in ZONE_NAMES:
            elsewhere = NOW.astimezone(Organization(id="o", name="O", time_zone=zone).zone)
            assert ACTS[name](at=elsewhere) == ACTS[name]()


class TestAssign:
    """Rules 1, 2 and 15: one learner, one course."""

    assign = ACTS["assign"]

    @given(instants(), st.tuples(*[st.none() | terms(timedelta(days=200))] * 3), zones())
    def test_the_end_is_that_of_the_rules_or_the_one_asked_for(
        self,
        at: datetime,
        drawn: tuple[Duration | None, Duration | None, Duration | None],
        zone: Any,
    ) -> None:
        for_course, for_organization, asked = drawn
        at = at.astimezone(UTC)
        course = attrs.evolve(PYTHON, maximum_access=for_course)
        customer = attrs.evolve(ACME, maximum_access=for_organization, time_zone=zone.key)
        lengths = [for_course, for_organization, timedelta(days=180)]
        limit = min(counted(one, at, zone) for one in lengths if one is not None)
        change: Callable[..., Change] = lambda: self.assign(  # noqa: E731
            pair=pair(course=course, organization=customer), at=at, expires=asked
        )
        end = limit if asked is None else counted(asked, at, zone)
        if end > limit:
            with pytest.raises(Refused) as caught:
                change()
            (reason,) = caught.value.decision.reasons
            assert isinstance(reason, ExpiresTooLate)
            assert reason.latest == limit
            return
        (assignment,) = change().made(CourseAssignment)
        assert assignment.created_at == at
        assert assignment.expires_at == end
        assert (assignment.limited_by is ExpirationLimit.REQUEST) is (asked is not None)
        assert assignment.origin == Direct()

    def test_the_organization_that_is_billed_is_the_learners(self) -> None:
        nobody = self.assign(pair=pair(learner=CY, organization=None))
        assert nobody.made(CourseAssignment)[0].organization_id is None
        assert set(nobody.expect) == {PYTHON, CY}
        assert self.assign().made(CourseAssignment)[0].organization_id == "acme"

    def test_a_day_begins_in_the_zone_of_the_organization(self) -> None:
        change = self.assign(expires=date(2026, 2, 1))
        end = change.made(CourseAssignment)[0].expires_at
        assert end == datetime.fromisoformat("2026-02-01T00:00:00+01:00")
        bare = self.assign(pair=pair(learner=CY, organization=None), expires=date(2026, 2, 1))
        assert bare.made(CourseAssignment)[0].expires_at == end + timedelta(hours=1)

    def test_without_a_note_there_is_none(self) -> None:
        assert self.assign(note=None).made(CourseAssignment)[0].notes == ()

    @pytest.mark.parametrize("repeat", [Repeat.SKIP, Repeat.REFUSE])
    @pytest.mark.parametrize("by_policy", [True, False])
    def test_the_first_of_a_pair_takes_its_claim(self, repeat: Repeat, *, by_policy: bool) -> None:
        asked = {"policies": Policies(repeat=RepeatPolicy(default=repeat))}
        change = self.assign(**asked) if by_policy else self.assign(repeat=repeat)
        assert change.create == (made(), Claim.of("ada", "py", "a-9"))
        assert change.replace == ()

    @pytest.mark.parametrize("repeat", [Repeat.SKIP, Repeat.REFUSE])
    def test_a_claim_whose_holder_is_over_is_taken_over(self, repeat: Repeat) -> None:
        over = attrs.evolve(GIVEN, expires_at=NOW)
        claim = Claim.of("ada", "py", "a-1")
        change = self.assign(pair=pair(standing=[over], claim=claim), repeat=repeat)
        assert change.create == (made(),)
        assert change.replace == (Replace(claim, Claim.of("ada", "py", "a-9")),)

    def test_allowing_repetition_leaves_the_claim_alone(self) -> None:
        claim = Claim.of("ada", "py", "a-1")
        change = self.assign(pair=pair(standing=[GIVEN], claim=claim), repeat=Repeat.ALLOW)
        assert change == WANTED["assign"]

    def test_refusing_names_the_one_that_is_there(self) -> None:
        asked = {"pair": pair(standing=[GIVEN]), "repeat": Repeat.REFUSE, "expires": None}
        decision = self.assign.decision(**asked)
        assert decision == RepeatPolicy().evaluate([GIVEN], at=NOW)
        assert decision.reasons == (AlreadyAssigned("a-1", GIVEN.expires_at),)
        assert decision.changes_at == GIVEN.expires_at

    def test_skipping_writes_nothing_and_comes_to_the_one_that_is_there(self) -> None:
        found = pair(standing=[GIVEN, attrs.evolve(GIVEN, id="a-0", expires_at=NOW + DAY)])
        change = self.assign(pair=found, repeat=Repeat.SKIP)
        assert not change
        assert change == Change()
        batch = actions.settled([found], change, at=NOW)
        assert (batch.created, batch.skipped) == ((), (GIVEN,))

    @pytest.mark.parametrize("course", [DRAFT, OLD])
    def test_what_is_skipped_is_asked_only_who_may_act(self, course: Course) -> None:
        found = pair(course=course, standing=[GIVEN])
        late = {"expires": 999 * DAY, "repeat": Repeat.SKIP}
        assert self.assign(pair=found, **late) == Change()
        refused = self.assign.decision(pair=found, actor=STRANGER, **late)
        assert codes(refused) == ["role_missing", "organization_not_managed"]
        # Once it is over, a new one would be made, for which the course has to be available.
        over = self.assign.decision(pair=found, at=GIVEN.expires_at, **late)
        assert codes(over)[1:] == ["expires_too_late"]
        assert codes(over)[0].startswith("course_")

    def test_everything_at_once(self) -> None:
        decision = self.assign.decision(
            pair=pair(course=OLD, standing=[GIVEN]),
            expires=START,
            repeat=Repeat.REFUSE,
            actor=STRANGER,
        )
        assert decision.reasons == (
            RoleMissing(AuthorizationPolicy().assigning),
            OrganizationNotManaged("acme"),
            CourseArchived("old"),
            AlreadyAssigned("a-1", GIVEN.expires_at),
            ExpiresTooEarly(NOW + US),
        )
        # The end that was asked for moves with the clock, so there is no one instant.
        assert decision.changes_at is None


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


class TestWhenTheAnswersChange:
    """The first instant at which the answer is different if no one does anything."""

    @given(
        standing=STANDING,
        repeat=st.sampled_from(Repeat),
        course=st.sampled_from([PYTHON, PYTHON, OLD]),
        actor=st.sampled_from([None, MANAGER, STRANGER]),
        at=st.integers(0, 13).flatmap(
            lambda day: st.sampled_from(sorted(near([START + day * DAY])))
        ),
    )
    def test_of_assigning(
        self,
        standing: list[CourseAssignment],
        repeat: Repeat,
        course: Course,
        *,
        actor: User | None,
        at: datetime,
    ) -> None:
        found = pair(course=course, standing=standing)
        bo = pair(id="a-10", learner=attrs.evolve(BO, organization_id="acme"), organization=ACME)
        asked = {"repeat": repeat, "actor": actor, "expires": None}
        marks = [START + day * DAY for day in range(14)]
        check_turn(lambda at: ACTS["assign"].decision(pair=found, at=at, **asked), at, marks)
        many = {"pairs": [found, bo], "newcomers": [], "holders": [], **asked}
        check_turn(lambda at: ACTS["assign_many"].decision(at=at, **many), at, marks)

    @given(
        st.sampled_from(["cancel", "complete", "reschedule", "redeem", "register"]),
        st.sampled_from([None, MANAGER, STRANGER]),
        st.data(),
    )
    def test_of_what_has_a_window(self, name: str, actor: User | None, data: st.DataObject) -> None:
        first, last = START + 2 * DAY, START + 20 * DAY
        batch = attrs.evolve(BATCH, redeemable_from=first, redeemable_until=last)
        changed: dict[str, Any] = {"actor": actor}
        if name in {"redeem", "register"}:
            found: Any = ACTS[name].arguments["presented"]
            changed["presented"] = attrs.evolve(found, batch=batch)
        marks = [START, START + DAY, START + 10 * DAY, first, last]
        at = data.draw(st.sampled_from(sorted(near(marks))))
        check_turn(lambda at: ACTS[name].decision(at=at, **changed), at, marks)


class TestAssignMany:
    """Rule 14: every pair, or nothing and all problems named."""

    assign_many = ACTS["assign_many"]

    def test_pairs_are_made_in_their_order_and_the_event_names_each_id_once(self) -> None:
        pairs = [
            pair(id=f"{course.id}-{learner.id}", course=course, learner=learner)
            for course in (SQL, PYTHON)
            for learner in (CY, ADA, BO)
        ]
        change = self.assign_many(pairs=pairs, newcomers=[], note=None, expires=None)
        assert [one.id for one in change.made(CourseAssignment)] == [one.id for one in pairs]
        assert {one.created_at for one in change.made(CourseAssignment)} == {NOW}
        (recorded,) = change.record
        assert len(recorded.subject_ids) == len(set(recorded.subject_ids)) == 6 + 2 + 3
        assert set(change.expect) == {SQL, PYTHON, CY, ADA, BO, ACME, BETA}

    def test_all_problems_are_named_and_each_pairs_own_with_the_pair(self) -> None:
        pairs = [
            pair(id="1", course=OLD, standing=[GIVEN]),
            pair(id="2", course=SQL, learner=BO),
            pair(id="3", course=OLD, learner=BO),
        ]
        twin = attrs.evolve(NEWCOMER, id="twin", email="NEW@example.org")
        decision = self.assign_many.decision(
            pairs=pairs,
            newcomers=[NEWCOMER, twin],
            holders=[attrs.evolve(CY, email="New@Example.org")],
            expires=31 * DAY,
            repeat=Repeat.REFUSE,
            actor=MANAGER,
        )
        latest = NOW + 30 * DAY
        assert decision.reasons == (
            EmailTaken("new"),
            EmailTaken("twin"),
            CourseArchived("old"),
            ForAssignment("old", "ada", AlreadyAssigned("a-1", GIVEN.expires_at)),
            OrganizationNotManaged("beta"),
            ForAssignment("sql", "bo", ExpiresTooLate(latest, ExpirationLimit.COURSE)),
        )
        assert decision.changes_at is None

    def test_some_are_skipped_and_those_who_stand_in_for_them_are_expected(self) -> None:
        held = pair(id="1", standing=[GIVEN])
        new = pair(
            id="2", course=SQL, standing=[attrs.evolve(GIVEN, course_id="sql", expires_at=NOW)]
        )
        change = self.assign_many(pairs=[held, new], newcomers=[], repeat=Repeat.SKIP, expires=None)
        batch = actions.settled([held, new], change, at=NOW)
        assert [one.id for one in batch.created] == ["2"]
        assert batch.skipped == (GIVEN,)
        assert change.create[1:] == (Claim.of("ada", "sql", "2"),)
        assert set(change.expect) == {PYTHON, SQL, ADA, ACME, GIVEN}
        assert change.record == (event("assign_many", "2", "sql", "ada"),)

    def test_one_who_is_named_twice_comes_in_once(self) -> None:
        change = self.assign_many(newcomers=[NEWCOMER, NEWCOMER])
        assert change.made(User) == (NEWCOMER,)

    @pytest.mark.parametrize(
        "rights", [{"roles": {Role.SALES_MANAGER}}, {"managed_organization_ids": {"acme"}}]
    )
    def test_a_newcomer_brings_no_rights(self, rights: dict[str, Any]) -> None:
        """One given with roles or managed organizations is invalid input (rule 11)."""
        newcomer = attrs.evolve(NEWCOMER, **rights)
        with pytest.raises(InvalidInput) as caught:
            self.assign_many(pairs=[pair(learner=newcomer)], newcomers=[newcomer])
        assert caught.value.code == "newcomer_with_rights"
        assert caught.value.field == f"newcomers[0].{next(iter(rights))}"

    def test_no_pairs_are_invalid(self) -> None:
        check_junk(lambda junk: self.assign_many(pairs=junk), "pairs", [[], (), "a-1", [pair(), 1]])


#: What is said of an assignment that came from no key.
NO_KEY: dict[str, Any] = {"redemption": None, "key": None}
CANCEL_GIVEN: dict[str, Any] = {"assignment": GIVEN, "learner": ADA, **NO_KEY}


class TestCancel:
    """Rules 3, 4 and 13."""

    cancel = ACTS["cancel"]

    def test_without_a_policy_for_it_no_use_is_given_back(self) -> None:
        change = self.cancel(policies=Policies())
        after = attrs.evolve(REDEEMED, cancelled_at=NOW)
        assert change == wanted(event("cancel", "a-2", "di"), replace=[(REDEEMED, after)])

    def test_one_that_came_from_no_key_gives_none_back(self) -> None:
        change = self.cancel(assignment=GIVEN, learner=ADA, **NO_KEY)
        after = attrs.evolve(GIVEN, cancelled_at=NOW)
        assert change == wanted(event("cancel", "a-1", "ada"), replace=[(GIVEN, after)])

    @pytest.mark.parametrize("missing", ["redemption", "key"])
    def test_what_it_takes_to_give_a_use_back_is_not_forgotten(self, missing: str) -> None:
        left_out = NO_KEY if missing == "redemption" else {"key": None}
        with pytest.raises(InvalidInput) as caught:
            self.cancel(**left_out)
        assert caught.value.code == "missing"

    @pytest.mark.parametrize(
        "passed", [-US, timedelta(hours=24), timedelta(hours=24) + US, 9 * DAY]
    )
    @pytest.mark.parametrize("reason", [None, "They moved."])
    def test_it_is_refused_with_the_answer_of_the_policy(
        self, passed: timedelta, reason: str | None
    ) -> None:
        launched = attrs.evolve(GIVEN, first_lab_launched_at=START)
        for assignment in (GIVEN, launched, attrs.evolve(launched, cancelled_at=NOW)):
            wanted_ = CancellationPolicy().evaluate(
                assignment, at=START + passed, support=reason is not None
            )
            decision = self.cancel.decision(
                assignment=assignment,
                learner=ADA,
                at=START + passed,
                support_reason=reason,
                **NO_KEY,
            )
            assert decision == wanted_

    def test_the_reason_of_support_is_recorded(self) -> None:
        change = self.cancel(support_reason="They\nmoved.", at=START + 9 * DAY, actor=SUPPORTER)
        (recorded,) = change.record
        assert dict(recorded.details) == {"support_reason": "They\nmoved."}
        assert recorded.by == "support"

    def test_support_takes_its_role_and_cancelling_takes_the_others(self) -> None:
        by_manager = self.cancel.decision(support_reason="They moved.", actor=MANAGER)
        assert by_manager.reasons == (SupportRoleMissing(),)
        by_support = self.cancel.decision(actor=SUPPORTER)
        assert codes(by_support) == ["role_missing", "organization_not_managed"]
        late = self.cancel.decision(actor=SUPPORTER, at=START + 2 * DAY)
        assert codes(late)[2:] == ["cancellation_window_closed"]

    def test_a_reason_is_not_blank(self) -> None:
        check_junk(
            lambda junk: self.cancel(support_reason=junk),
            "support_reason",
            ["", " \n", "x" * 10_001, "\x00", *JUNK],
        )


class TestReschedule:
    """Rule 2: a later change obeys the same limit, still counted from creation."""

    reschedule = ACTS["reschedule"]

    @given(
        terms(timedelta(days=400)) | st.sampled_from([timedelta(days=180), timedelta(days=1)]),
        st.integers(0, 300),
        st.none() | terms(timedelta(days=200)),
    )
    def test_it_is_refused_with_the_answers_of_the_policies(
        self, term: Duration, days: int, maximum: Duration | None
    ) -> None:
        at = START + days * DAY
        course = attrs.evolve(PYTHON, maximum_access=maximum)
        end = counted(term, START, ACME.zone)
        in_bounds = ExpirationPolicy().evaluate(
            end, created_at=START, course=course, organization=ACME
        )
        asked = ReschedulePolicy().evaluate(GIVEN, expires_at=end, at=at)
        decision = self.reschedule.decision(expires=term, at=at, course=course)
        assert decision.reasons == (*asked.reasons, *in_bounds.reasons)
        if decision:
            (after,) = self.reschedule(expires=term, at=at, course=course).made(CourseAssignment)
            assert (after.expires_at, after.limited_by) == (end, ExpirationLimit.REQUEST)
            assert decision.changes_at == asked.changes_at

    def test_now_ends_access(self) -> None:
        (after,) = self.reschedule(expires=NOW).made(CourseAssignment)
        assert not after.is_active_at(NOW)
        assert after.is_active_at(NOW - US)

    def test_at_its_creation_it_cannot_end(self) -> None:
        decision = self.reschedule.decision(expires=START, at=START)
        assert decision.reasons == (ExpiresTooEarly(START + US),)

    def test_without_an_organization_the_policys_maximum_counts(self) -> None:
        alone = {"learner": attrs.evolve(ADA, organization_id=None), "organization": None}
        change = self.reschedule(expires=180 * DAY, **alone)
        assert change.expect == (alone["learner"], PYTHON)
        decision = self.reschedule.decision(expires=180 * DAY + US, **alone)
        assert codes(decision) == ["expires_too_late"]

    def test_a_month_is_counted_in_the_zone_of_the_organization(self) -> None:
        # 23:30 in UTC on the last day of January is the first of February in Berlin.
        created = datetime.fromisoformat("2026-01-31T23:30:00+00:00")
        assignment = attrs.evolve(GIVEN, created_at=created)
        (after,) = self.reschedule(assignment=assignment, at=created, expires=Months(1)).made(
            CourseAssignment
        )
        assert after.expires_at == datetime.fromisoformat("2026-03-01T00:30:00+01:00")


class TestComplete:
    """Rule 5: completing by hand."""

    @pytest.mark.parametrize(
        "changed",
        [{}, {"completed_at": NOW}, {"cancelled_at": NOW}, {"created_at": NOW + US}],
    )
    def test_it_is_refused_with_the_answer_of_the_policy(self, changed: dict[str, Any]) -> None:
        assignment = attrs.evolve(GIVEN, **changed)
        decision = ACTS["complete"].decision(assignment=assignment)
        assert decision == CompletionPolicy().evaluate(assignment, at=NOW)
        assert decision.allowed is (not changed)

    def test_an_expired_one_is_completed(self) -> None:
        late = GIVEN.expires_at + DAY
        (after,) = ACTS["complete"](at=late).made(CourseAssignment)
        assert after == attrs.evolve(GIVEN, completed_at=late)


class TestKeys:
    """Rules 6 to 9, 12 and 20."""

    create_keys, add_keys = ACTS["create_keys"], ACTS["add_keys"]
    edit_keys, revoke_keys = ACTS["edit_keys"], ACTS["revoke_keys"]

    @pytest.mark.parametrize("act", [create_keys, add_keys])
    def test_codes_that_keys_have_already_are_named_by_their_lines(self, act: Act) -> None:
        typed = {"Summer-2026": 2, "Spring-2026": 5, "Winter-2026": 9}
        decision = act.decision(
            batch=attrs.evolve(BATCH, course_id="old"),
            codes=typed,
            taken={"Spring-2026", "Winter-2026", "Autumn-2026"},
            course=OLD,
        )
        assert decision.reasons == (CourseArchived("old"), CodeTaken((5, 9)))
        assert "Spring" not in str(decision)

    @pytest.mark.parametrize("act", [create_keys, add_keys])
    def test_they_take_the_operations_manager_of_the_batchs_organization(self, act: Act) -> None:
        sales = attrs.evolve(MANAGER, roles={Role.SALES_MANAGER})
        assert act.decision(actor=sales).reasons == (RoleMissing((Role.OPERATIONS_MANAGER,)),)
        other = attrs.evolve(BATCH, organization_id="beta")
        assert act.decision(actor=MANAGER, batch=other).reasons == (OrganizationNotManaged("beta"),)

    @pytest.mark.parametrize("act", [create_keys, add_keys])
    def test_there_is_one_code_at_least(self, act: Act) -> None:
        for none in (None, dict[str, int]()):
            with pytest.raises(InvalidInput) as caught:
                act(codes=none, generated=[])
            assert (caught.value.code, caught.value.field) == ("empty_list", "codes")
        assert len(act(codes=None).made(TrainingKey)) == 1

    @pytest.mark.parametrize("step", [-US, timedelta(0), US])
    def test_a_batch_is_not_over_before_it_begins(self, step: timedelta) -> None:
        batch = attrs.evolve(BATCH, redeemable_until=NOW + step)
        if step > timedelta(0):
            assert self.create_keys(batch=batch)
            return
        with pytest.raises(InvalidInput) as caught:
            self.create_keys(batch=batch)
        assert (caught.value.code, caught.value.field) == ("empty_window", "redeemable_until")

    def test_keys_are_added_on_the_terms_of_the_batch(self) -> None:
        batch = attrs.evolve(BATCH, max_uses=7, additions=[Addition("earlier", 1)])
        change = self.add_keys(batch=batch)
        assert {key.max_uses for key in change.made(TrainingKey)} == {7}
        (after,) = change.made(type(BATCH))
        assert [one.id for one in after.additions] == ["earlier", "plus"]
        (unnamed,) = self.add_keys(batch=batch, id=None).made(type(BATCH))
        assert [one.id for one in unnamed.additions] == ["earlier"]

    @pytest.mark.parametrize(("most", "allowed"), [(1, False), (2, True), (3, True), (9, True)])
    def test_the_maximum_cannot_go_below_the_uses_already_made(
        self, most: int, *, allowed: bool
    ) -> None:
        keys = [attrs.evolve(KEY, uses=uses, code=f"Spring-{uses}-x") for uses in (0, 2, 1)]
        asked = {"after": attrs.evolve(BATCH, max_uses=most), "keys": keys}
        decision = self.edit_keys.decision(**asked)
        assert decision == (Decision() if allowed else Decision([MaxUsesBelowUses(2)]))
        if allowed:
            change = self.edit_keys(**asked)
            changed = [] if most == 3 else [attrs.evolve(key, max_uses=most) for key in keys]
            assert list(change.made(TrainingKey)) == changed

    def test_editing_a_window_touches_no_key(self) -> None:
        after = attrs.evolve(BATCH, redeemable_until=NOW)
        change = self.edit_keys(after=after)
        assert change == wanted(event("edit_keys", "spring"), replace=[(BATCH, after)])

    def test_one_batch_is_not_edited_into_another(self) -> None:
        with pytest.raises(InvalidInput) as caught:
            self.edit_keys(after=attrs.evolve(BATCH, id="summer"))
        assert caught.value.code == "another_record"

    def test_several_keys_are_called_back_and_those_that_were_stay_as_they_are(self) -> None:
        keys = [attrs.evolve(KEY, code=f"Spring-{number}-x") for number in range(3)]
        keys[1] = attrs.evolve(keys[1], revoked_at=START)
        change = self.revoke_keys(keys=keys)
        assert change == wanted(
            event("revoke_keys", "spring", keys="2"),
            replace=[(key, attrs.evolve(key, revoked_at=NOW)) for key in (keys[0], keys[2])],
            expect=[BATCH],
        )

    @pytest.mark.parametrize("keys", [[], [attrs.evolve(KEY, revoked_at=START)]])
    def test_where_there_is_nothing_to_call_back_nothing_is_written(
        self, keys: list[TrainingKey]
    ) -> None:
        assert self.revoke_keys(keys=keys) == Change()
        # Who may not do it is told so all the same.
        assert not self.revoke_keys.decision(keys=keys, actor=STRANGER)

    @pytest.mark.parametrize("act", [edit_keys, revoke_keys])
    def test_changing_keys_takes_the_same_role(self, act: Act) -> None:
        decision = act.decision(actor=STRANGER)
        assert decision == AuthorizationPolicy().evaluate(
            STRANGER, permission=Permission.MANAGE_KEYS, organization_id="acme", at=NOW
        )


#: Without a request the end is the policy's.
ENDLESS: dict[Any, dict[str, Any]] = {actions.assign: {"expires": None}}


class TestRedeem:
    """Rules 8 to 11: the learner, or a newcomer, with a key."""

    redeem, register = ACTS["redeem"], ACTS["register"]

    @given(instants(), terms(), st.tuples(*[st.none() | terms()] * 2), zones())
    def test_the_end_is_the_earliest_of_availability_and_limit(
        self,
        at: datetime,
        availability: Duration,
        maxima: tuple[Duration | None, Duration | None],
        zone: Any,
    ) -> None:
        """Content availability is counted from redemption, and the limit still applies (rule 8)."""
        for_course, for_organization = maxima
        lengths = {
            ExpirationLimit.KEY: availability,
            ExpirationLimit.COURSE: for_course,
            ExpirationLimit.ORGANIZATION: for_organization,
            ExpirationLimit.MAXIMUM: timedelta(days=180),
        }
        ends = {by: counted(term, at, zone) for by, term in lengths.items() if term is not None}
        change = self.redeem(
            presented=presented(
                batch=attrs.evolve(BATCH, availability=availability),
                course=attrs.evolve(PYTHON, maximum_access=for_course),
                organization=attrs.evolve(
                    ACME, maximum_access=for_organization, time_zone=zone.key
                ),
            ),
            at=at,
        )
        (assignment,) = change.made(CourseAssignment)
        assert assignment.expires_at == min(ends.values())
        assert assignment.limited_by is min(ends, key=lambda by: ends[by])

    @pytest.mark.parametrize(
        "key", [KEY, attrs.evolve(KEY, uses=3), attrs.evolve(KEY, revoked_at=NOW)]
    )
    @pytest.mark.parametrize("learner", [ADA, BO])
    def test_it_is_refused_with_the_answers_of_the_policies(
        self, key: TrainingKey, learner: User
    ) -> None:
        earlier = attrs.evolve(redemption(learner), redeemed_at=START)
        for course in (PYTHON, DRAFT):
            for first in (None, earlier):
                by_key = KeyRedemptionPolicy().evaluate(key, BATCH, learner, at=NOW, redeemed=first)
                by_course = CourseAvailabilityPolicy().evaluate(course, at=NOW)
                decision = self.redeem.decision(
                    presented=presented(learner, key=key, course=course, redeemed=first)
                )
                assert decision.reasons == (*by_key.reasons, *by_course.reasons)

    def test_an_availability_beyond_the_years_that_are_accepted_limits_nothing(self) -> None:
        late = datetime(9850, 1, 1, tzinfo=UTC)
        batch = attrs.evolve(BATCH, availability=Months(1200))
        (made,) = self.redeem(presented=presented(batch=batch), at=late).made(CourseAssignment)
        assert (made.expires_at, made.limited_by) == (late + 180 * DAY, ExpirationLimit.MAXIMUM)

    @pytest.mark.parametrize("act", [ACTS["redeem"], ACTS["assign"]])
    def test_a_policy_of_the_host_that_gives_no_ceiling_is_named(self, act: Act) -> None:
        class Endless(ExpirationPolicy):
            def limit(self, *_: object, **__: object) -> Any:
                return None

            def default_end(self, *_: object, **__: object) -> Any:
                return None

        with pytest.raises(InvalidInput) as caught:
            act(policies=Policies(expiration=Endless()), **ENDLESS.get(act.action, {}))
        assert (caught.value.code, caught.value.field) == ("wrong_type", "policies.expiration")

    def test_learners_act_for_themselves_and_for_another_it_takes_a_role(self) -> None:
        own = self.redeem(actor=ADA)
        assert own.record[0].by == "ada"
        assert set(own.expect) == {PYTHON, ADA, ACME}
        for_another = self.redeem.decision(actor=DI)
        assert codes(for_another) == ["role_missing", "organization_not_managed"]

    @pytest.mark.parametrize("host", [ACME, BETA])
    @pytest.mark.parametrize("holder", [None, ADA])
    def test_registering_asks_first_whether_it_is_allowed(
        self, host: Organization, holder: User | None
    ) -> None:
        batch = attrs.evolve(BATCH, organization_id=host.id, any_organization=True)
        used_up = presented(NEWCOMER, key=attrs.evolve(KEY, uses=3), batch=batch)
        decision = self.register.decision(presented=used_up, host=host, holder=holder)
        asked = RegistrationPolicy().evaluate(host, NEWCOMER, at=NOW, holder=holder)
        assert decision.reasons[:-1] == asked.reasons
        assert codes(decision)[-1] == "key_exhausted"

    def test_a_newcomer_of_another_organization_brings_it_and_the_host_is_expected(self) -> None:
        newcomer = attrs.evolve(NEWCOMER, organization_id="beta")
        batch = attrs.evolve(BATCH, any_organization=True)
        change = self.register(presented=presented(newcomer, batch=batch, organization=BETA))
        assert set(change.expect) == {PYTHON, BETA, ACME}
        assert change.made(CourseAssignment)[0].organization_id == "beta"

    @pytest.mark.parametrize(
        "rights", [{"roles": {Role.SALES_MANAGER}}, {"managed_organization_ids": {"acme"}}]
    )
    def test_a_newcomer_brings_no_rights(self, rights: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput) as caught:
            self.register(presented=presented(attrs.evolve(NEWCOMER, **rights)))
        assert caught.value.code == "newcomer_with_rights"
        assert caught.value.field == f"user.{next(iter(rights))}"


OTHER_KEY = attrs.evolve(KEY, code="Other-2026", batch_id="other")
#: Arguments that do not belong together, and the field that is named.
STRANGERS: list[tuple[str, dict[str, Any], str]] = [
    ("cancel", {"learner": ADA}, "learner"),
    ("cancel", {"redemption": attrs.evolve(REDEMPTION, assignment_id="a-3")}, "redemption"),
    ("cancel", {"key": OTHER_KEY}, "key"),
    ("cancel", {"redemption": None}, "key"),
    ("complete", {"learner": BO}, "learner"),
    ("reschedule", {"learner": BO, "organization": BETA}, "learner"),
    ("reschedule", {"course": SQL}, "course"),
    ("reschedule", {"organization": BETA}, "organization"),
    ("reschedule", {"organization": None}, "organization"),
    ("create_keys", {"course": SQL}, "course"),
    ("create_keys", {"organization": BETA}, "organization"),
    ("add_keys", {"course": SQL}, "course"),
    ("edit_keys", {"keys": [OTHER_KEY]}, "keys[0]"),
    ("edit_keys", {"organization": BETA}, "organization"),
    *(
        ("edit_keys", {"after": attrs.evolve(BATCH, **changed)}, "after")
        for changed in (
            {"id": "other"},
            {"course_id": "sql"},
            {"organization_id": "beta"},
            {"created_at": NOW + US},
            {"size": 9},
            {"additions": [Addition("plus", 1)]},
        )
    ),
    ("revoke_keys", {"keys": [KEY, OTHER_KEY]}, "keys[1]"),
    ("register", {"host": BETA}, "host"),
]


class TestWhatBelongsTogether:
    """Who hands in records of one's own gets no change that is made of those of others."""

    @pytest.mark.parametrize(("act", "changed", "field"), STRANGERS)
    def test_a_record_of_another_is_refused(
        self, act: str, changed: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(InvalidInput) as caught:
            ACTS[act](**changed)
        assert (caught.value.code, caught.value.field) == ("another_record", field)

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"organization": BETA}, "organization"),
            ({"organization": None}, "organization"),
            ({"learner": CY}, "organization"),
            ({"standing": [attrs.evolve(GIVEN, learner_id="bo")]}, "standing[0].learner_id"),
            ({"standing": [GIVEN, attrs.evolve(GIVEN, course_id="sql")]}, "standing[1].course_id"),
            ({"claim": CLAIM}, "claim"),
        ],
    )
    def test_a_pair_is_of_one_learner_and_one_course(
        self, changed: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(InvalidInput) as caught:
            attrs.evolve(pair(), **changed)
        assert (caught.value.code, caught.value.field) == ("another_record", field)

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"key": OTHER_KEY}, "batch"),
            ({"course": SQL}, "course"),
            ({"organization": BETA}, "organization"),
            ({"organization": None}, "organization"),
            ({"redeemed": attrs.evolve(REDEMPTION, learner_id="ada", code="Other-26")}, "redeemed"),
            ({"redeemed": REDEMPTION}, "redeemed"),
        ],
    )
    def test_a_key_is_presented_by_one_learner_for_its_course(
        self, changed: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(InvalidInput) as caught:
            attrs.evolve(presented(), **changed)
        assert (caught.value.code, caught.value.field) == ("another_record", field)

    def test_each_pair_has_an_id_of_its_own(self) -> None:
        with pytest.raises(InvalidInput) as caught:
            ACTS["assign_many"](pairs=[pair(), pair(course=SQL)])
        assert (caught.value.code, caught.value.field) == ("repeated", "pairs[1].id")

    @pytest.mark.parametrize(
        "generated", [["00000000000000012"] * 2, ["Summer-2026"], ["Autumn-2026", "Summer-2026"]]
    )
    @pytest.mark.parametrize("act", [ACTS["create_keys"], ACTS["add_keys"]])
    def test_each_code_is_there_once(self, act: Act, generated: list[str]) -> None:
        with pytest.raises(InvalidInput) as caught:
            act(codes={"Summer-2026": 1}, generated=generated)
        assert (caught.value.code, caught.value.field) == ("code_repeated", "generated")

    def test_another_maximum_takes_all_keys(self) -> None:
        with pytest.raises(InvalidInput) as caught:
            ACTS["edit_keys"](keys=[])
        assert (caught.value.code, caught.value.field) == ("missing", "keys")
        renamed = ACTS["edit_keys"](after=attrs.evolve(BATCH, name="May"), keys=[])
        assert len(renamed.replace) == 1

    def test_the_organization_whose_days_were_taken_is_expected(self) -> None:
        for act in (ACTS["create_keys"], ACTS["edit_keys"]):
            assert ACME in act(organization=ACME).expect
            assert ACME not in act().expect


class TestProfiles:
    """Organizations, courses and users; rule 23: `anonymize` keeps the records."""

    add, update, anonymize = ACTS["add"], ACTS["update"], ACTS["anonymize"]

    def test_what_is_stored_just_so_is_not_added_again(self) -> None:
        stored = {(User, "new"): NEWCOMER, (Course, "new-course"): NEW_COURSE, (User, "ada"): ADA}
        assert self.add(stored=stored) == Change()
        assert self.add(records=[SQL, SQL], stored=None).create == (SQL,)

    @pytest.mark.parametrize("where", ["stored", "records"])
    def test_another_record_under_the_same_id_conflicts(self, where: str) -> None:
        other = attrs.evolve(SQL, name="Other")
        stored = {(Course, "sql"): other} if where == "stored" else None
        records = [SQL] if where == "stored" else [SQL, other]
        with pytest.raises(Conflict) as caught:
            self.add(records=records, stored=stored)
        assert caught.value == Conflict(("sql",), "id_taken")

    def test_ids_are_taken_within_their_kind(self) -> None:
        records = [attrs.evolve(SQL, id="x"), attrs.evolve(ACME, id="x"), attrs.evolve(ADA, id="x")]
        change = self.add(records=records, holders=[])
        assert change.create == tuple(records)
        assert change.record == (event("add", "x"),)

    @pytest.mark.parametrize("email", ["NEW@example.org", "new@EXAMPLE.org"])
    def test_an_address_is_taken_by_a_user_or_by_another_of_the_same_call(self, email: str) -> None:
        twin = attrs.evolve(NEWCOMER, id="twin", email=email)
        by_holder = self.add.decision(records=[NEWCOMER], holders=[twin])
        assert by_holder.reasons == (EmailTaken("new"),)
        together = self.add.decision(records=[NEWCOMER, twin], holders=[])
        assert together.reasons == (EmailTaken("twin"),)

    def test_another_ones_address_is_not_taken_over(self) -> None:
        after = attrs.evolve(ADA, email="BO@example.org")
        decision = self.update.decision(after=after, holder=BO)
        assert decision == Decision([EmailTaken("ada")])
        cased = attrs.evolve(ADA, email="ADA@example.org")
        assert self.update(after=cased, holder=ADA).made(User) == (cased,)
        assert self.update(after=after, holder=None).made(User) == (after,)

    @pytest.mark.parametrize("record", [ACME, PYTHON, ADA])
    def test_an_update_that_changes_nothing_writes_nothing(self, record: Any) -> None:
        assert self.update(before=record, after=record, holder=None) == Change()

    @pytest.mark.parametrize(
        ("before", "after"), [(ADA, BO), (ADA, attrs.evolve(PYTHON, id="ada"))]
    )
    def test_one_record_is_not_updated_into_another(self, before: Any, after: Any) -> None:
        with pytest.raises(InvalidInput) as caught:
            self.update(before=before, after=after, holder=None)
        assert caught.value.code == "another_record"

    def test_who_is_forgotten_keeps_everything_but_name_and_address(self) -> None:
        change = self.anonymize(user=MANAGER, actor=SUPPORTER)
        (after,) = change.made(User)
        assert change == wanted(
            event("anonymize", "manager", by=SUPPORTER), replace=[(MANAGER, after)]
        )
        assert attrs.evolve(after, name=MANAGER.name, email=MANAGER.email) == MANAGER
        assert "manager" not in (after.name + after.email).lower()
        assert self.anonymize(user=after) == Change()
        (other,) = self.anonymize(user=ADA).made(User)
        assert other.folded_email != after.folded_email


#: Two acts that are decided on the same records, the first of which is stored first; and what
#: keeps the second from being stored: a verb, or None where both are fine.
NEWER = attrs.evolve(BATCH, name="May", redeemable_until=NOW)
DEMOTED = (
    ACTS["update"],
    {"before": MANAGER, "after": attrs.evolve(MANAGER, roles=()), "holder": None},
)
MOVED = ACTS["update"], {"before": ADA, "after": attrs.evolve(ADA, organization_id="beta")}
ARCHIVED = (
    ACTS["update"],
    {"before": PYTHON, "after": attrs.evolve(PYTHON, archived=True), "holder": None},
)
SHORTENED = (
    ACTS["update"],
    {"before": ACME, "after": attrs.evolve(ACME, maximum_access=DAY), "holder": None},
)
CLOSED = (
    ACTS["update"],
    {"before": ACME, "after": attrs.evolve(ACME, anonymous_registration=False), "holder": None},
)
ONCE = {"repeat": Repeat.REFUSE}
DI_AGAIN = {"standing": [attrs.evolve(REDEEMED, expires_at=NOW)], "learner": DI, "claim": CLAIM}
MEETINGS: dict[str, tuple[Any, Any, str | None]] = {
    "refuse, refuse": (
        (ACTS["assign"], ONCE),
        (ACTS["assign"], {**ONCE, "pair": pair(id="a-10")}),
        "create",
    ),
    "skip, refuse": (
        (ACTS["assign"], {"repeat": Repeat.SKIP, "pair": pair(**DI_AGAIN)}),
        (ACTS["assign"], {**ONCE, "pair": pair(**{**DI_AGAIN, "id": "a-10"})}),
        "replace",
    ),
    "allow, allow": (
        (ACTS["assign"], {}),
        (ACTS["assign"], {"pair": pair(id="a-10")}),
        None,
    ),
    "refuse for one, refuse for another": (
        (ACTS["assign"], ONCE),
        (ACTS["assign"], {**ONCE, "pair": pair(id="a-10", learner=BO)}),
        None,
    ),
    "archive, assign": (ARCHIVED, (ACTS["assign"], {}), "expect"),
    "shorten, assign": (SHORTENED, (ACTS["assign"], {}), "expect"),
    "move, assign": (MOVED, (ACTS["assign"], {}), "expect"),
    "demote, assign": (DEMOTED, (ACTS["assign"], {"actor": MANAGER}), "expect"),
    "demote, assign without an actor": (DEMOTED, (ACTS["assign"], {}), None),
    "cancel what stands in, assign the others": (
        (ACTS["cancel"], CANCEL_GIVEN),
        (
            ACTS["assign_many"],
            {
                "pairs": [pair(standing=[GIVEN]), pair(id="a-10", course=SQL)],
                "newcomers": [],
                "repeat": Repeat.SKIP,
            },
        ),
        "expect",
    ),
    "newcomer, the same newcomer": (
        (ACTS["assign_many"], {}),
        (ACTS["register"], {}),
        "create",
    ),
    "cancel, cancel": (
        (ACTS["cancel"], CANCEL_GIVEN),
        (ACTS["cancel"], {**CANCEL_GIVEN, "support_reason": "They moved."}),
        "replace",
    ),
    "cancel, reschedule": (
        (ACTS["cancel"], CANCEL_GIVEN),
        (ACTS["reschedule"], {}),
        "replace",
    ),
    "complete, cancel": (
        (ACTS["complete"], {}),
        (ACTS["cancel"], CANCEL_GIVEN),
        "replace",
    ),
    "reschedule, complete": ((ACTS["reschedule"], {}), (ACTS["complete"], {}), "replace"),
    "move, cancel": (
        MOVED,
        (ACTS["cancel"], {**CANCEL_GIVEN, "actor": MANAGER}),
        "expect",
    ),
    "move, cancel without an actor": (
        MOVED,
        (ACTS["cancel"], CANCEL_GIVEN),
        None,
    ),
    "move, complete": (MOVED, (ACTS["complete"], {"actor": MANAGER}), "expect"),
    "move, reschedule": (MOVED, (ACTS["reschedule"], {}), "expect"),
    "shorten, reschedule": (SHORTENED, (ACTS["reschedule"], {}), "expect"),
    "archive, reschedule": (ARCHIVED, (ACTS["reschedule"], {}), "expect"),
    "redeem, redeem by another": (
        (ACTS["redeem"], {}),
        (ACTS["redeem"], {"presented": presented(DI)}),
        None,
    ),
    "redeem, redeem again": (
        (ACTS["redeem"], {}),
        (ACTS["redeem"], {"presented": presented(id="a-10")}),
        "create",
    ),
    "redeem, give back": ((ACTS["redeem"], {}), (ACTS["cancel"], {}), None),
    "revoke, redeem": ((ACTS["revoke_keys"], {}), (ACTS["redeem"], {}), "use"),
    "redeem, revoke": ((ACTS["redeem"], {}), (ACTS["revoke_keys"], {}), None),
    "edit the window, redeem": (
        (ACTS["edit_keys"], {"after": NEWER}),
        (ACTS["redeem"], {}),
        None,
    ),
    "edit the uses, redeem": ((ACTS["edit_keys"], {}), (ACTS["redeem"], {}), "use"),
    "redeem, edit the uses to fewer": (
        (ACTS["redeem"], {}),
        (ACTS["edit_keys"], {"after": attrs.evolve(BATCH, max_uses=1)}),
        "replace",
    ),
    "redeem, edit the uses": ((ACTS["redeem"], {}), (ACTS["edit_keys"], {}), None),
    "archive, redeem": (ARCHIVED, (ACTS["redeem"], {}), "expect"),
    "shorten, redeem": (SHORTENED, (ACTS["redeem"], {}), "expect"),
    "move, redeem": (MOVED, (ACTS["redeem"], {}), "expect"),
    "register, register": ((ACTS["register"], {}), (ACTS["register"], {}), "create"),
    "close, register": (CLOSED, (ACTS["register"], {}), "expect"),
    "create keys, the same code in another batch": (
        (ACTS["create_keys"], {}),
        (ACTS["create_keys"], {"batch": attrs.evolve(BATCH, id="winter")}),
        "create",
    ),
    "archive, create keys": (ARCHIVED, (ACTS["create_keys"], {}), "expect"),
    "demote, create keys": (DEMOTED, (ACTS["create_keys"], {"actor": MANAGER}), "expect"),
    "archive, add keys": (ARCHIVED, (ACTS["add_keys"], {}), "expect"),
    "demote, edit keys": (DEMOTED, (ACTS["edit_keys"], {"actor": MANAGER}), "expect"),
    "demote, revoke keys": (DEMOTED, (ACTS["revoke_keys"], {"actor": MANAGER}), "expect"),
    "add keys, edit keys": ((ACTS["add_keys"], {}), (ACTS["edit_keys"], {}), "replace"),
    "edit keys, add keys": ((ACTS["edit_keys"], {}), (ACTS["add_keys"], {}), "replace"),
    "add keys, add others": (
        (ACTS["add_keys"], {}),
        (ACTS["add_keys"], {"codes": {"Winter-2026": 1}, "generated": []}),
        "replace",
    ),
    "add keys, revoke them all": ((ACTS["add_keys"], {}), (ACTS["revoke_keys"], {}), "expect"),
    "revoke them all, add keys": ((ACTS["revoke_keys"], {}), (ACTS["add_keys"], {}), None),
    "update, anonymize": ((ACTS["update"], {}), (ACTS["anonymize"], {}), "replace"),
}


class TestTwoThatWereDecidedOnTheSameRecords:
    """Two that cannot both stand meet over what both write, or what one of them expects."""

    @pytest.mark.parametrize("name", MEETINGS)
    def test_the_second_is_stored_only_if_it_may_stand_beside_the_first(self, name: str) -> None:
        (first, asked_first), (second, asked_second), verb = MEETINGS[name]
        repository = stocked()
        earlier, later = first(**asked_first), second(**asked_second)
        # Each alone can be stored, so that it is the other that keeps it out.
        stocked().commit(later)
        repository.commit(earlier)
        if verb is None:
            repository.commit(later)
            return
        with pytest.raises(Conflict):
            repository.commit(later)

    @pytest.mark.parametrize("name", [name for name, found in MEETINGS.items() if found[2]])
    def test_without_the_verb_that_guards_it_it_would_be_stored(self, name: str) -> None:
        (first, asked_first), (second, asked_second), verb = MEETINGS[name]
        repository = stocked()
        earlier, later = first(**asked_first), second(**asked_second)
        repository.commit(earlier)
        assert verb is not None
        unguarded = attrs.evolve(later, **{verb: ()})
        if verb == "create":
            assert set(map(_name, later.create)) & set(map(_name, earlier.create))
        repository.commit(unguarded)


def _name(record: Record) -> tuple[str, str]:
    return type(record).__name__, record.id


class TestJunk:
    """No other exception may leave the public API; what is no argument is invalid."""

    @pytest.mark.parametrize(
        ("name", "argument"),
        [(name, argument) for name in COMMANDS for argument in ACTS[name].arguments],
    )
    def test_it_is_invalid_or_makes_no_difference(self, name: str, argument: str) -> None:
        act = ACTS[name]
        fine = act()
        values = [*NO_INSTANTS, *JUNK] if argument == "at" else [*JUNK, "junk", [None]]
        different: list[tuple[Any, object]] = []
        for value in values:
            try:
                change = act(**{argument: value})
            except InvalidInput:
                continue
            except Exception as error:  # noqa: BLE001 - whatever it is, it is one too many
                different.append((value, error))
                continue
            if change != fine:
                different.append((value, change))
        # Any text is the id of an addition and a reason, and any string of letters holds no code.
        if (name, argument) in {("add_keys", "id"), ("cancel", "support_reason")}:
            different = [(value, change) for value, change in different if value != "junk"]
        assert different == []

    @pytest.mark.parametrize("field", [at.name for at in attrs.fields(actions.Pair)])
    def test_a_pair_holds_what_it_says(self, field: str) -> None:
        values = [42, object(), [42], NO_INSTANTS[3]]
        check_junk(lambda junk: attrs.evolve(pair(), **{field: junk}), field, values)

    @pytest.mark.parametrize("field", [at.name for at in attrs.fields(actions.Presented)])
    def test_a_key_is_presented_with_what_it_says(self, field: str) -> None:
        values = [42, object(), [42], NO_INSTANTS[3]]
        check_junk(lambda junk: attrs.evolve(presented(), **{field: junk}), field, values)

    def test_what_is_settled_are_pairs_and_a_change(self) -> None:
        check_junk(lambda junk: actions.settled(junk, Change(), at=NOW), "pairs", [42, [42], "a"])
        check_junk(lambda junk: actions.settled([pair()], junk, at=NOW), "change", [42, None])
        check_junk(lambda junk: actions.settled([pair()], Change(), at=junk), "at", NO_INSTANTS)
