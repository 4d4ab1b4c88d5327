"""The reasons: stable codes, a sentence each, and never the code of a key."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_assignments import (
    Change,
    Conflict,
    CourseAssignmentsError,
    CustomReason,
    ExpirationLimit,
    ForAssignment,
    InvalidInput,
    Reason,
    Refused,
    Registrar,
    Role,
    TrainingKey,
    reasons,
)
from tests.support.strategies import any_ids, utc_instants
from tests.support.values import assert_is_value, refusal
from tests.support.world import world

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)

#: One of each kind, with the code that it will always have and the sentence that it has today.
ONE_OF_EACH: list[tuple[Any, str, str]] = [
    (
        reasons.CancellationWindowClosed(AT),
        "cancellation_window_closed",
        (
            "The time to cancel closed after 2026-01-05 09:00:00 UTC; support can still cancel as "
            "long as no lab was launched."
        ),
    ),
    (
        reasons.LabLaunched(AT),
        "lab_launched",
        "A lab was launched at 2026-01-05 09:00:00 UTC, so this can't be cancelled.",
    ),
    (
        reasons.AlreadyCancelled(AT),
        "already_cancelled",
        "It was cancelled at 2026-01-05 09:00:00 UTC; make a new one instead.",
    ),
    (
        reasons.AlreadyCompleted(AT),
        "already_completed",
        "It was completed at 2026-01-05 09:00:00 UTC; there is nothing left to do.",
    ),
    (
        reasons.AssignmentNotActive(AT),
        "assignment_not_active",
        "It is not active before 2026-01-05 09:00:00 UTC; check the clock, or wait.",
    ),
    (
        reasons.AssignmentExpired(AT),
        "assignment_expired",
        ("Access ended at 2026-01-05 09:00:00 UTC; ask for a later end, or for a new assignment."),
    ),
    (
        reasons.AttemptOpen("t-1"),
        "attempt_open",
        "An attempt of this activity is still open; go on with it, or finish it first.",
    ),
    (
        reasons.NoAttemptOpen(AT),
        "no_attempt_open",
        ("The attempt was finished at 2026-01-05 09:00:00 UTC; start the activity again instead."),
    ),
    (
        reasons.AttemptPaused(AT),
        "attempt_paused",
        "The attempt has been paused since 2026-01-05 09:00:00 UTC; resume it, or finish it.",
    ),
    (
        reasons.AttemptNotPaused(),
        "attempt_not_paused",
        "The attempt is not paused; there is nothing to resume.",
    ),
    (
        reasons.AttemptAhead(AT),
        "attempt_ahead",
        "The attempt was last changed at 2026-01-05 09:00:00 UTC; check the clock, or wait.",
    ),
    (
        reasons.CourseNotInSubscription("py"),
        "course_not_in_subscription",
        "Course 'py' is not part of the subscription; choose one that is, or ask for it.",
    ),
    (
        reasons.SubscriptionNotActive(AT),
        "subscription_not_active",
        (
            "The subscription is not active before 2026-01-05 09:00:00 UTC; check the clock, "
            "or wait."
        ),
    ),
    (
        reasons.SubscriptionEnded(AT),
        "subscription_ended",
        "The subscription ended at 2026-01-05 09:00:00 UTC; ask for a new one.",
    ),
    (
        reasons.ExpiresTooLate(AT + timedelta(microseconds=1), ExpirationLimit.ORGANIZATION),
        "expires_too_late",
        (
            "It can end at 2026-01-05 09:00:00 UTC at the latest, by the limit of the "
            "organization; choose an earlier end."
        ),
    ),
    (
        reasons.ExpiresTooEarly(AT),
        "expires_too_early",
        "It can't end before 2026-01-05 09:00:00 UTC; choose a later end.",
    ),
    (
        reasons.CourseNotAvailable("py", ("content provider", "publishing group")),
        "course_not_available",
        "Course 'py' needs a content provider and a publishing group first.",
    ),
    (
        reasons.CourseArchived("py"),
        "course_archived",
        "Course 'py' is archived; choose another course.",
    ),
    (
        reasons.AlreadyAssigned("a-1", AT),
        "already_assigned",
        (
            "The learner has assignment 'a-1' of this course until 2026-01-05 09:00:00 UTC; use "
            "that one."
        ),
    ),
    (
        reasons.KeyNotFound(),
        "key_not_found",
        "There is no such key; compare it with what you were sent.",
    ),
    (
        reasons.KeyMistyped(),
        "key_mistyped",
        "The key has a typing error; compare it symbol by symbol with what you were sent.",
    ),
    (
        reasons.KeyRevoked(AT),
        "key_revoked",
        "The key was revoked at 2026-01-05 09:00:00 UTC; ask for a new one.",
    ),
    (
        reasons.KeyNotYetRedeemable(AT),
        "key_not_yet_redeemable",
        "The key can be redeemed from 2026-01-05 09:00:00 UTC on; try again then.",
    ),
    (
        reasons.KeyExpired(AT),
        "key_expired",
        "The key expired at 2026-01-05 09:00:00 UTC; ask for a new one.",
    ),
    (
        reasons.KeyExhausted(5),
        "key_exhausted",
        "The key is used up: all its 5 uses are taken; ask for another one.",
    ),
    (
        reasons.WrongOrganization(),
        "wrong_organization",
        "The key is for the learners of another organization; ask yours for one.",
    ),
    (
        reasons.AlreadyRedeemed("a-1", AT),
        "already_redeemed",
        (
            "This key was redeemed before, at 2026-01-05 09:00:00 UTC, and made assignment 'a-1'; "
            "use that one."
        ),
    ),
    (
        reasons.RegistrationDisabled(),
        "registration_disabled",
        "You can't register with this key; sign in with your account to redeem it.",
    ),
    (
        reasons.EmailTaken("ada"),
        "email_taken",
        (
            "The e-mail address of 'ada' belongs to an account already; sign in with it, or give "
            "another address."
        ),
    ),
    (
        reasons.RoleMissing((Role.SALES_MANAGER, Role.SUPPORT)),
        "role_missing",
        "This takes one of the roles sales manager, support; ask someone who has one.",
    ),
    (
        reasons.SupportRoleMissing(),
        "support_role_missing",
        "Only support can cancel after the window; ask support.",
    ),
    (
        reasons.OrganizationNotManaged("acme"),
        "organization_not_managed",
        "You do not manage organization 'acme'; ask someone who does.",
    ),
    (
        reasons.CodeTaken((1, 2, 3, 4, 5, 6, 7, 8, 9, 10)),
        "code_taken",
        (
            "There are keys with these codes already; take them out: lines 1, 2, 3, 4, 5, 6, 7, 8 "
            "and 2 more."
        ),
    ),
    (
        reasons.MaxUsesBelowUses(4),
        "max_uses_below_uses",
        "A key was used 4 times already; choose at least 4.",
    ),
    (
        CustomReason("x-unpaid", "The invoice of May is open."),
        "x-unpaid",
        "The invoice of May is open.",
    ),
]

KINDS: tuple[type[Any], ...] = get_args(reasons.PlainReason)


@pytest.mark.parametrize(
    ("reason", "code", "sentence"), ONE_OF_EACH, ids=[code for _, code, _ in ONE_OF_EACH]
)
def test_each_has_its_code_and_its_sentence(reason: Any, code: str, sentence: str) -> None:
    assert reason.code == code
    assert str(reason) == sentence
    assert_is_value(reason, keyword_only=False)


@pytest.mark.parametrize(
    ("roles", "sentence"),
    [
        ((), "No role allows this here; ask whoever set the rules of this system."),
        ((Role.SUPPORT,), "This takes the role of support; ask someone who has it."),
    ],
)
def test_a_sentence_names_as_many_roles_as_there_are(
    roles: tuple[Role, ...], sentence: str
) -> None:
    assert str(reasons.RoleMissing(roles)) == sentence


def test_none_is_left_out_and_no_two_share_a_code() -> None:
    assert [type(reason) for reason, _, _ in ONE_OF_EACH] == list(KINDS)
    assert len({code for _, code, _ in ONE_OF_EACH}) == len(KINDS)
    assert set(get_args(Reason)) == {*KINDS, ForAssignment}


def test_each_is_found_under_its_name() -> None:
    assert {kind.__name__ for kind in (*KINDS, ForAssignment)} | {"PlainReason", "Reason"} == set(
        reasons.__all__
    )
    assert all(getattr(reasons, kind.__name__) is kind for kind in KINDS)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (
            reasons.KeyExhausted(1),
            "The key is used up: its one use is taken; ask for another one.",
        ),
        (
            reasons.OrganizationNotManaged(None),
            "The learner has no organization, so nobody manages them; give them one first.",
        ),
        (
            reasons.CourseNotAvailable("py", ("publishing group",)),
            "Course 'py' needs a publishing group first.",
        ),
        (
            reasons.RoleMissing((Role.OPERATIONS_MANAGER,)),
            "This takes the role of operations manager; ask someone who has it.",
        ),
        (
            reasons.CodeTaken((3,)),
            "There are keys with these codes already; take them out: line 3.",
        ),
    ],
    ids=repr,
)
def test_a_sentence_fits_the_numbers_in_it(reason: Any, sentence: str) -> None:
    assert str(reason) == sentence


def made_of(kind: type[Any], text: str, instant: datetime) -> Any:
    """Return a reason of *kind* whose texts are *text* and whose instants are *instant*."""
    values: dict[Any, Any] = {
        datetime: instant,
        str: text,
        str | None: text,
        int: 7,
        tuple[str, ...]: ("content provider",),
        tuple[int, ...]: (7,),
        tuple[Role, ...]: tuple(Role),
        ExpirationLimit: ExpirationLimit.COURSE,
    }
    return kind(*(values[field.type] for field in attrs.fields(kind)))


FIELDS = [(kind, field.name) for kind in (*KINDS, ForAssignment) for field in attrs.fields(kind)]


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_a_fact_that_cannot_be_one_is_invalid(kind: type[Any], name: str) -> None:
    if kind is ForAssignment:
        reason: Any = ForAssignment("py", "ada", reasons.CourseArchived("py"))
    elif kind is CustomReason:
        reason = CustomReason("x-unpaid", "The invoice of May is open.")
    else:
        reason = made_of(kind, "py", datetime(2026, 1, 5, tzinfo=UTC))
    for junk in (object(), 1.5, [object()], b"py"):
        with pytest.raises(InvalidInput) as caught:
            attrs.evolve(reason, **{name: junk})
        assert caught.value.field.startswith(name)


@given(
    any_ids(),
    utc_instants(),
    st.sampled_from([kind for kind in KINDS if kind is not CustomReason]),
)
def test_a_sentence_is_one_line_whatever_is_in_it(
    text: str, instant: datetime, kind: type[Any]
) -> None:
    reason = made_of(kind, text, instant)
    for sentence in (str(reason), str(ForAssignment(text, text, reason))):
        assert sentence.isprintable()
        assert len(sentence.splitlines()) == 1
        assert sentence.endswith(".")


@given(st.sampled_from(ONE_OF_EACH))
def test_a_reason_against_a_pair_has_the_code_of_what_speaks_against_it(
    one: tuple[Any, str, str],
) -> None:
    reason, code, sentence = one
    pair = ForAssignment("py", "ada", reason)
    assert pair.code == code
    assert str(pair) == f"Learner 'ada', course 'py': {sentence}"
    assert_is_value(pair, keyword_only=False)


class TestReasonsOfTheHost:
    """CustomReason(code, sentence) is the member for a host's own policies; it starts with x-."""

    @pytest.mark.parametrize("code", ["x-unpaid", "x-1", "x-a-b_c"])
    def test_have_a_code_that_starts_so(self, code: str) -> None:
        assert CustomReason(code, "No.").code == code

    @pytest.mark.parametrize(
        "code", ["unpaid", "lab_launched", "X-unpaid", " x-unpaid", "x", "x_unpaid", "", None, 5]
    )
    def test_are_refused_with_any_other(self, code: Any) -> None:
        error = refusal(lambda: CustomReason(code, "No."))
        assert (error.code, error.field) == ("invalid_code", "code")

    @pytest.mark.parametrize("sentence", [None, 5, b"No.", "", " ", "One line.\nAnother."])
    def test_have_a_sentence_of_one_line(self, sentence: Any) -> None:
        assert refusal(lambda: CustomReason("x-unpaid", sentence)).field == "sentence"


#: What a key batch needs beside its name.
KEYS: dict[str, Any] = {
    "name": "Spring",
    "organization_id": "acme",
    "availability": timedelta(days=30),
    "any_organization": True,
}


def world_of_keys(codes: list[str]) -> Registrar:
    """Return a registrar with a key that is used up, one revoked, one too old, one too young."""
    registrar, clock = world()
    used_up, revoked, too_old, too_young = codes
    registrar.create_keys("py", codes=[used_up], **KEYS)
    registrar.redeem(used_up, "ada")
    registrar.create_keys("py", codes=[revoked], **KEYS)
    registrar.revoke_key(revoked)
    registrar.create_keys("py", codes=[too_old], redeemable_until=timedelta(days=1), **KEYS)
    registrar.create_keys("py", codes=[too_young], redeemable_from=timedelta(days=9), **KEYS)
    clock.advance(timedelta(days=2))
    return registrar


CODES = [
    ["Used-up-2026", "Revoked-2026", "Too-old-2026", "Too-young-2026"],
    ["00000000000000012", "00000000000000024", "00000000000000036", "00000000000000048"],
]


@pytest.mark.parametrize("codes", CODES, ids=["hand-made", "generated"])
def test_nothing_that_is_said_about_a_key_shows_its_code(codes: list[str]) -> None:
    registrar = world_of_keys(codes)
    mistyped = "00000000000000013"
    unknown = "Unknown-2026"
    tries: list[Callable[[], object]] = [
        lambda: registrar.create_keys("py", codes=[codes[0]], **KEYS),
        lambda: registrar.create_keys("py", codes=[codes[0]] * 2, **KEYS),
        lambda: registrar.create_keys("py", codes=[mistyped], **KEYS),
        lambda: registrar.redeem(codes[0], "ada"),
    ]
    tries += [partial(registrar.redeem, code, "bo") for code in (*codes, mistyped, unknown)]
    said = set()
    for attempt in tries:
        with pytest.raises(CourseAssignmentsError) as caught:
            attempt()
        error = caught.value
        if isinstance(error, Refused):
            said |= {reason.code for reason in error.decision.reasons}
        shown = f"{error} {error!r} {error.args!r}"
        for code in (*codes, mistyped, unknown):
            assert code not in shown
            assert code[:8] not in shown
    assert said == {
        "already_redeemed",
        "code_taken",
        "key_exhausted",
        "key_expired",
        "key_mistyped",
        "key_not_found",
        "key_not_yet_redeemable",
        "key_revoked",
    }


def test_a_conflict_over_a_key_shows_its_code_masked() -> None:
    registrar = world_of_keys(CODES[0])
    repository = registrar.repository
    again = TrainingKey(code=CODES[0][0], batch_id="spring")
    with pytest.raises(Conflict) as caught:
        repository.commit(Change(create=[again]))
    assert caught.value.ids == ("****-026",)
    assert "Used-up" not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize(
    "kind",
    [reasons.ExpiresTooEarly, reasons.KeyNotYetRedeemable, reasons.AssignmentNotActive],
)
def test_a_sentence_names_no_second_that_is_still_too_early(
    kind: Callable[[datetime], Any],
) -> None:
    at = datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert "09:00:00 UTC" in str(kind(at))
    assert "09:00:01 UTC" in str(kind(at + timedelta(microseconds=1)))
    assert "09:00:01 UTC" in str(kind(at + timedelta(microseconds=999_999)))
