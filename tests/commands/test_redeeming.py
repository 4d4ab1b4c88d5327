"""What learners do with keys: redeem them, or register with them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.queries import RecordT
from course_assignments.reasons import AlreadyRedeemed
from tests.support.acts import ACTS, BATCH, NEWCOMER, presented
from tests.support.rules import counted
from tests.support.situations import barged, codes, error
from tests.support.strategies import instants, terms, zones
from tests.support.world import ACME, ADA, BETA, BO, CY, PYTHON, SALES, START, contents, world

TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
CODE = "Hand-made-1"
NEW = ca.User(id="new", name="New", email="new@example.org")


def with_key(
    *, policies: ca.Policies | None = None, **terms: Any
) -> tuple[ca.Registrar, ca.ManualClock]:
    """Return a small world with a key of Acme's for Python, of two uses unless *terms* say more."""
    registrar, clock = world(policies=policies or ca.Policies())
    make(registrar, **terms)
    return registrar, clock


def make(registrar: ca.Registrar, **terms: Any) -> None:
    options: dict[str, Any] = {
        "name": "Keys",
        "organization_id": "acme",
        "availability": timedelta(days=30),
        "max_uses": 2,
        "codes": [CODE],
        "id": "b-1",
        **terms,
    }
    registrar.create_keys("py", **options)


def key(registrar: ca.Registrar, code: str = CODE) -> ca.TrainingKey:
    return next(iter(registrar.find_all(ca.KeyQuery(code=code))))


def redemptions(registrar: ca.Registrar) -> list[ca.Redemption]:
    return list(ca.find_all(registrar.repository, ca.RedemptionQuery()))


def stored(registrar: ca.Registrar) -> list[ca.CourseAssignment]:
    found: list[ca.CourseAssignment] = contents(registrar.repository)["CourseAssignment"]
    return found


class TestRedeem:
    """Content availability is counted from redemption, and the limit still applies (rule 8)."""

    @given(instants(), terms(), st.tuples(*[st.none() | terms()] * 2), zones())
    def test_the_end_is_the_earliest_of_availability_and_limit(
        self,
        at: datetime,
        availability: ca.Duration,
        maxima: tuple[ca.Duration | None, ca.Duration | None],
        zone: Any,
    ) -> None:
        for_course, for_organization = maxima
        lengths = {
            ca.ExpirationLimit.KEY: availability,
            ca.ExpirationLimit.COURSE: for_course,
            ca.ExpirationLimit.ORGANIZATION: for_organization,
            ca.ExpirationLimit.MAXIMUM: timedelta(days=180),
        }
        ends = {by: counted(term, at, zone) for by, term in lengths.items() if term is not None}
        assignment = (
            ACTS["redeem"]
            .outcome(
                about=presented(
                    batch=attrs.evolve(BATCH, availability=availability),
                    course=attrs.evolve(PYTHON, maximum_access=for_course),
                    organization=attrs.evolve(
                        ACME, maximum_access=for_organization, time_zone=zone.key
                    ),
                ),
                at=at,
            )
            .result
        )
        assert assignment.expires_at == min(ends.values())
        assert assignment.limited_by is min(ends, key=lambda by: ends[by])

    def test_an_availability_beyond_the_accepted_years_limits_nothing(self) -> None:
        late = datetime(9850, 1, 1, tzinfo=UTC)
        batch = attrs.evolve(BATCH, availability=ca.Months(1200))
        made = ACTS["redeem"].outcome(about=presented(batch=batch), at=late).result
        assert (made.expires_at, made.limited_by) == (late + 180 * DAY, ca.ExpirationLimit.MAXIMUM)

    @pytest.mark.parametrize(("name", "known"), [("redeem", {}), ("assign", {"expires": None})])
    def test_a_policy_of_the_host_that_gives_no_limit_is_named(
        self, name: str, known: dict[str, Any]
    ) -> None:
        class Endless(ca.ExpirationPolicy):
            def limit(self, *_: object, **__: object) -> Any:
                return None

            def default_end(self, *_: object, **__: object) -> Any:
                return None

        with pytest.raises(ca.InvalidInput) as caught:
            ACTS[name](policies=ca.Policies(expiration=Endless()), **known)
        assert (caught.value.code, caught.value.field) == ("wrong_type", "policies.expiration")

    @pytest.mark.parametrize(
        ("availability", "learner", "days", "limit"),
        [
            (timedelta(days=30), "ada", 30, ca.ExpirationLimit.KEY),
            (timedelta(days=180), "ada", 180, ca.ExpirationLimit.KEY),
            (timedelta(days=181), "ada", 180, ca.ExpirationLimit.MAXIMUM),
            (ca.Months(12), "cy", 180, ca.ExpirationLimit.MAXIMUM),
            (ca.Months(12), "bo", 90, ca.ExpirationLimit.ORGANIZATION),
            (ca.Months(1), "bo", 31, ca.ExpirationLimit.KEY),
        ],
    )
    def test_access_lasts_until_the_availability_or_the_limit_ends(
        self, availability: Any, learner: str, days: int, limit: ca.ExpirationLimit
    ) -> None:
        registrar, _ = with_key(availability=availability, any_organization=True)
        assignment = registrar.redeem(CODE, learner)
        assert assignment.expires_at == START + timedelta(days=days)
        assert assignment.limited_by is limit

    @pytest.mark.parametrize("typed", ["0000 0000 0000 0001 2", "oooo-oooo-oooo-oool-2", " 0"])
    def test_a_generated_code_is_forgiven_case_spaces_dashes_and_look_alikes(
        self, typed: str
    ) -> None:
        registrar, _ = with_key(codes=["00000000000000012", CODE])
        if typed == " 0":
            assert codes(registrar, "redeem", typed, "ada") == ["key_not_found"]
        else:
            registrar.redeem(typed, "ada")
            assert key(registrar, "00000000000000012").uses == 1

    @pytest.mark.parametrize(
        "typed", ["\t {}\r\n", "{}\u200b", "\u00ad{}", "\ufeff{}", "\u202d{}\u202c", "\u00a0{}"]
    )
    @pytest.mark.parametrize("change", [str, str.upper, str.lower, str.swapcase])
    def test_a_hand_made_code_is_exact_but_for_case_and_what_cannot_be_seen(
        self, typed: str, change: Callable[[str], str]
    ) -> None:
        registrar, _ = with_key()
        assert codes(registrar, "redeem", CODE.replace("-", ""), "ada") == ["key_not_found"]
        registrar.redeem(typed.format(change(CODE)), "ada")

    @pytest.mark.parametrize("code", ["TRAINING-KEY-000001", "WELCOME-SPRING-2026"])
    def test_a_hand_made_code_of_17_symbols_is_shown_as_given_and_forgiven_like_a_generated_one(
        self, code: str
    ) -> None:
        registrar, _ = with_key(codes=[code], any_organization=True)
        assert key(registrar, code).code == key(registrar, code).display_code == code
        for learner, typed in (("ada", code), ("cy", code.lower().replace("-", " "))):
            registrar.redeem(typed, learner)
        assert codes(registrar, "redeem", code[:-1] + "9", "ada") == ["key_mistyped"]

    def test_a_code_with_a_typo_is_told_so_only_if_no_key_has_it(self) -> None:
        registrar, _ = with_key(codes=["00000000000000012", "00000-00000-00000-13"], max_uses=9)
        mistyped = ["0000-0000-0000-0001-4", "0000-0000-0000-001-2", "0000-0000-0000-00001-2"]
        for typed in mistyped:
            assert codes(registrar, "redeem", typed, "ada") == ["key_mistyped"]
        registrar.redeem("0000-0000-0000-0001-3", "ada")
        assert codes(registrar, "redeem", "0000-0000-0000-00-2", "ada") == ["key_not_found"]

    @pytest.mark.parametrize(
        ("typed", "found"),
        [
            (CODE, True),
            (f" {CODE}\u200b", True),
            (CODE.replace("-", "\u2013"), True),
            (CODE.upper(), False),
            (CODE.lower(), False),
            ("oooo oooo oooo oool 2", True),
        ],
    )
    def test_case_can_be_made_to_matter_in_hand_made_codes(
        self, typed: str, *, found: bool
    ) -> None:
        policies = ca.Policies(key_redemption=ca.KeyRedemptionPolicy(match_case=True))
        registrar, _ = with_key(codes=[CODE, "00000000000000012"], policies=policies)
        calls: list[tuple[str, Any]] = [("redeem", "ada"), ("register", NEW), ("revoke_key", None)]
        for name, who in calls:
            args = (typed,) if who is None else (typed, who)
            reasons = getattr(registrar, f"may_{name}")(*args).reasons
            assert ([one.code for one in reasons] == ["key_not_found"]) != found

    def test_a_policy_of_the_host_without_that_setting_lets_case_differ(self) -> None:
        class Lenient:
            def evaluate(self, *_: object, **__: object) -> ca.Decision:
                return ca.Decision()

        policies = ca.Policies(key_redemption=Lenient())
        registrar, _ = with_key(policies=policies)
        registrar.redeem(CODE.upper(), "ada")

    def test_two_codes_that_differ_in_case_are_one_code(self) -> None:
        registrar, _ = with_key()
        assert codes(registrar, "add_keys", "b-1", codes=[CODE.upper()]) == ["code_taken"]

    @pytest.mark.parametrize("command", ["redeem", "register", "revoke_key"])
    @pytest.mark.parametrize(
        ("typed", "code"),
        [
            ("", "key_not_found"),
            (" ", "key_not_found"),
            ("\u200b", "key_not_found"),
            ("Spring 2026", "key_not_found"),
            ("x" * 65, "key_not_found"),
            ("x" * 10_000, "key_not_found"),
            ("Spring\x002026", "key_not_found"),
            ("Spring-\ud800-2026", "key_not_found"),
        ],
    )
    def test_what_cannot_be_a_key_is_refused_without_a_look_up(
        self, command: str, typed: str, code: str
    ) -> None:
        class NoKeys(ca.InMemoryRepository):
            """Lets nobody look a key up."""

            def find(self, query: ca.Query[RecordT], /) -> ca.Page[RecordT]:
                assert getattr(query, "code", None) is None
                return super().find(query)

        registrar, _ = world(NoKeys())
        people: dict[str, tuple[str | ca.User, ...]] = {"redeem": ("ada",), "register": (NEW,)}
        who = people.get(command, ())
        assert codes(registrar, command, typed, *who) == [code]
        with pytest.raises(AssertionError):
            getattr(registrar, command)("Spring-2026", *who)


class TestRefusals:
    @pytest.mark.parametrize(
        ("passed", "found"),
        [
            (DAY - TICK, ["key_not_yet_redeemable"]),
            (DAY, []),
            (DAY + TICK, []),
            (9 * DAY - TICK, []),
            (9 * DAY, ["key_expired"]),
            (9 * DAY + TICK, ["key_expired"]),
        ],
    )
    def test_the_window_begins_at_its_start_and_is_over_at_its_end(
        self, passed: timedelta, found: list[str]
    ) -> None:
        registrar, clock = with_key(redeemable_from=DAY, redeemable_until=9 * DAY)
        clock.set(START + passed)
        if found:
            assert codes(registrar, "redeem", CODE, "ada") == found
        else:
            registrar.redeem(CODE, "ada")

    def test_neither_a_parent_nor_a_child_is_the_organization(self) -> None:
        registrar, _ = with_key()
        registrar.add(attrs.evolve(ACME, id="child", parent_id="acme"))
        registrar.update(attrs.evolve(BO, organization_id="child"))
        assert codes(registrar, "redeem", CODE, "bo") == ["wrong_organization"]

    def test_a_second_time_names_the_first_and_takes_no_use(self) -> None:
        registrar, clock = with_key(max_uses=5)
        first = registrar.redeem(CODE, "ada")
        clock.advance(DAY)
        assert codes(registrar, "redeem", CODE, "ada") == ["already_redeemed"]
        reason = AlreadyRedeemed(first.id, START)
        assert registrar.may_redeem(CODE, "ada").reasons == (reason,)
        assert key(registrar).uses == 1

    def test_a_policy_may_allow_more_than_one_redemption(self) -> None:
        policies = ca.Policies(key_redemption=ca.KeyRedemptionPolicy(once_per_learner=False))
        registrar, _ = with_key(policies=policies)
        one, two = registrar.redeem(CODE, "ada"), registrar.redeem(CODE, "ada")
        assert one.id != two.id
        assert len({redemption.id for redemption in redemptions(registrar)}) == 2
        assert codes(registrar, "redeem", CODE, "ada") == ["key_exhausted"]

    def test_an_active_assignment_does_not_matter(self) -> None:
        registrar, _ = with_key()
        registrar.assign("py", "ada")
        registrar.redeem(CODE, "ada")

    def test_a_key_of_an_archived_course_is_refused(self) -> None:
        registrar, _ = with_key()
        registrar.update(attrs.evolve(PYTHON, archived=True, publishing_group=None))
        assert codes(registrar, "redeem", CODE, "ada") == [
            "course_not_available",
            "course_archived",
        ]

    def test_all_failed_conditions_are_reported(self) -> None:
        registrar, clock = with_key(redeemable_until=DAY, max_uses=1)
        registrar.redeem(CODE, "ada")
        registrar.revoke_key(CODE)
        registrar.update(attrs.evolve(ADA, organization_id=None))
        registrar.update(attrs.evolve(PYTHON, archived=True))
        clock.advance(DAY)
        assert codes(registrar, "redeem", CODE, "ada", by="bo") == [
            "role_missing",
            "organization_not_managed",
            "key_revoked",
            "key_expired",
            "key_exhausted",
            "wrong_organization",
            "already_redeemed",
            "course_archived",
        ]


class TestAtOnce:
    def test_nobody_gets_the_use_that_someone_else_took(self) -> None:
        registrar, _, repository = barged(lambda other: other.redeem(CODE, "manager"))
        make(registrar, max_uses=1)
        repository.open = True
        with pytest.raises(ca.Refused) as caught:
            registrar.redeem(CODE, "ada")
        assert [reason.code for reason in caught.value.decision.reasons] == ["key_exhausted"]
        assert len(stored(registrar)) == 1

    @pytest.mark.parametrize(("once", "uses"), [(True, 1), (False, 2)])
    def test_a_learner_gets_two_at_once_only_if_the_policy_allows_it(
        self, *, once: bool, uses: int
    ) -> None:
        policies = ca.Policies(key_redemption=ca.KeyRedemptionPolicy(once_per_learner=once))
        registrar, _, repository = barged(
            lambda other: other.redeem(CODE, "ada"), policies=policies
        )
        make(registrar)
        repository.open = True
        if once:
            with pytest.raises(ca.Refused) as caught:
                registrar.redeem(CODE, "ada")
            assert [one.code for one in caught.value.decision.reasons] == ["already_redeemed"]
        else:
            registrar.redeem(CODE, "ada")
        assert key(registrar).uses == uses


class TestRegister:
    """Registers a new user, only when the batch's organization allows anonymous registration, and
    redeems in the same change: all or nothing."""

    def test_both_organizations_of_a_newcomer_of_another_are_expected(self) -> None:
        newcomer = attrs.evolve(NEWCOMER, organization_id="beta")
        batch = attrs.evolve(BATCH, any_organization=True)
        open_ = attrs.evolve(BETA, anonymous_registration=True)
        change = ACTS["register"](redeemable=presented(newcomer, batch=batch, organization=open_))
        assert set(change.expect) == {PYTHON, open_, ACME}
        assert change.made(ca.CourseAssignment)[0].organization_id == "beta"

    def test_a_newcomer_joins_the_organization_of_the_key(self) -> None:
        registrar, clock = with_key()
        clock.advance(DAY)
        assert registrar.may_register(CODE, NEW)
        assert not registrar.repository.get(ca.User, ["new"])
        assignment = registrar.register(CODE, NEW)
        newcomer = attrs.evolve(NEW, organization_id="acme")
        assert registrar.repository.get(ca.User, ["new"]) == {"new": newcomer}
        assert (assignment.organization_id, assignment.created_at) == ("acme", clock())
        assert key(registrar).uses == 1
        assert codes(registrar, "redeem", CODE, "new") == ["already_redeemed"]

    def test_a_newcomer_may_name_their_organization(self) -> None:
        registrar, _ = with_key(any_organization=True)
        new = attrs.evolve(NEW, organization_id="beta")
        assert codes(registrar, "register", CODE, new) == ["registration_disabled"]
        assert not registrar.repository.get(ca.User, ["new"])
        registrar.update(attrs.evolve(BETA, anonymous_registration=True))
        assignment = registrar.register(CODE, new)
        assert registrar.repository.get(ca.User, ["new"]) == {"new": new}
        assert assignment.organization_id == "beta"
        registrar, _ = with_key()
        registrar.update(attrs.evolve(BETA, anonymous_registration=True))
        assert codes(registrar, "register", CODE, new) == ["wrong_organization"]

    def test_only_where_the_organization_of_the_key_allows_it(self) -> None:
        registrar, _ = with_key(organization_id="beta", any_organization=True)
        for organization_id in (None, "acme", "beta"):
            new = attrs.evolve(NEW, organization_id=organization_id)
            assert {*codes(registrar, "register", CODE, new)} == {"registration_disabled"}
        registrar.redeem(CODE, "ada")

    @pytest.mark.parametrize("email", ["ada@example.org", "ADA@Example.ORG"])
    def test_an_address_that_is_taken_is_refused_and_the_key_keeps_its_use(
        self, email: str
    ) -> None:
        registrar, _ = with_key()
        assert codes(registrar, "register", CODE, attrs.evolve(NEW, email=email)) == ["email_taken"]
        assert key(registrar).uses == 0

    def test_one_who_is_registered_already_is_refused(self) -> None:
        registrar, _ = with_key()
        registrar.register(CODE, NEW)
        found = codes(registrar, "register", CODE, NEW)
        assert found == ["email_taken", "already_redeemed"]

    def test_an_id_that_someone_else_has_is_a_conflict(self) -> None:
        registrar, _ = with_key()
        other = attrs.evolve(CY, email="free@example.org")
        assert error(ca.Conflict, registrar, "register", CODE, other).ids == ("cy",)

    def test_all_or_nothing(self) -> None:
        registrar, clock = with_key(redeemable_from=DAY, redeemable_until=2 * DAY)
        assert codes(registrar, "register", CODE, NEW) == ["key_not_yet_redeemable"]
        registrar.revoke_key(CODE)
        registrar.update(attrs.evolve(ACME, anonymous_registration=False))
        registrar.update(attrs.evolve(PYTHON, archived=True))
        clock.advance(3 * DAY)
        taken = attrs.evolve(NEW, email="BO@example.org", organization_id="beta")
        assert codes(registrar, "register", CODE, taken) == [
            "registration_disabled",
            "registration_disabled",
            "email_taken",
            "key_revoked",
            "key_expired",
            "wrong_organization",
            "course_archived",
        ]
        assert not registrar.repository.get(ca.User, ["new"])

    @pytest.mark.parametrize(
        "rights", [{"roles": {ca.Role.SUPPORT}}, {"managed_organization_ids": {"acme"}}]
    )
    def test_a_newcomer_has_no_rights(self, rights: dict[str, Any]) -> None:
        registrar, _ = with_key()
        found = error(ca.InvalidInput, registrar, "register", CODE, attrs.evolve(NEW, **rights))
        (name,) = rights
        assert (found.code, found.field) == ("newcomer_with_rights", f"user.{name}")
        with pytest.raises(ca.InvalidInput) as caught:
            ACTS["register"](redeemable=presented(attrs.evolve(NEWCOMER, **rights)))
        assert caught.value == attrs.evolve(found, field=f"learner.{name}")

    def test_an_unknown_organization_is_not_found(self) -> None:
        registrar, _ = with_key(any_organization=True)
        lost = attrs.evolve(NEW, organization_id="o-9")
        assert error(ca.NotFound, registrar, "register", CODE, lost).id == "o-9"
        assert error(ca.NotFound, registrar, "register", CODE, NEW, by="nobody").id == "nobody"

    def test_who_acts_for_a_newcomer_needs_the_role_and_the_organization(self) -> None:
        registrar, _ = with_key(any_organization=True)
        registrar.add(SALES)
        assert codes(registrar, "register", CODE, NEW, by="bo") == [
            "role_missing",
            "organization_not_managed",
        ]
        there = attrs.evolve(NEW, organization_id="beta")
        registrar.update(attrs.evolve(BETA, anonymous_registration=True))
        assert codes(registrar, "register", CODE, there, by="manager") == [
            "organization_not_managed"
        ]
        registrar.register(CODE, there, by="sales")


@given(
    learners=st.lists(st.sampled_from(["ada", "bo", "cy", "manager"]), max_size=8),
    max_uses=st.integers(1, 4),
    any_organization=st.booleans(),
)
def test_a_key_lets_in_each_learner_once_until_it_is_used_up(
    *, learners: list[str], max_uses: int, any_organization: bool
) -> None:
    registrar, _ = with_key(max_uses=max_uses, any_organization=any_organization)
    inside: list[str] = []
    for learner in learners:
        expected = []
        if len(inside) == max_uses:
            expected.append("key_exhausted")
        if not any_organization and learner in {"bo", "cy"}:
            expected.append("wrong_organization")
        if learner in inside:
            expected.append("already_redeemed")
        if expected:
            assert codes(registrar, "redeem", CODE, learner) == expected
        else:
            registrar.redeem(CODE, learner)
            inside.append(learner)
    assert sorted(one.learner_id for one in stored(registrar)) == sorted(inside)
    assert key(registrar).uses == len(inside)
