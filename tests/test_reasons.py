"""The reasons: stable codes, a sentence each, and never the code of a key."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from string import Formatter
from typing import Any, get_args, get_type_hints

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments import reasons
from tests.support.reasons import facts_for
from tests.support.strategies import any_ids, utc_instants
from tests.support.values import assert_is_value, refusal

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)

#: One of each kind, with its sentence.
ONE_OF_EACH: dict[Any, str] = {
    reasons.CancellationWindowClosed(AT): (
        "Cancellation was possible until 5 Jan 2026, 09:00 UTC. "
        "Support can still cancel it if no lab was launched."
    ),
    reasons.LabLaunched(AT): (
        "A lab was launched on 5 Jan 2026, 09:00 UTC, so cancellation is no longer possible."
    ),
    reasons.AlreadyCancelled(AT): (
        "Already cancelled on 5 Jan 2026, 09:00 UTC. Create a new one instead."
    ),
    reasons.AlreadyCompleted(AT): (
        "Already completed on 5 Jan 2026, 09:00 UTC. There is nothing left to do."
    ),
    reasons.AssignmentNotActive(AT): (
        "The assignment is not active before 5 Jan 2026, 09:00 UTC. Try again then."
    ),
    reasons.AssignmentExpired(AT): (
        "Access ended on 5 Jan 2026, 09:00 UTC. Ask for an extension or a new assignment."
    ),
    reasons.AttemptOpen("t-1"): (
        "An attempt of this activity is still open. Continue or finish it first."
    ),
    reasons.NoAttemptOpen(AT): (
        "The attempt was finished on 5 Jan 2026, 09:00 UTC. Start the activity again."
    ),
    reasons.AttemptPaused(AT): (
        "The attempt has been paused since 5 Jan 2026, 09:00 UTC. Resume or finish it."
    ),
    reasons.AttemptNotPaused(): ("The attempt is not paused, so there is nothing to resume."),
    reasons.PausesUsedUp(1000): (
        "The attempt was paused 1000 times, the maximum. Finish it and start the activity again."
    ),
    reasons.NotesUsedUp(1000): (
        "The assignment has 1000 notes, the maximum. Keep further notes elsewhere."
    ),
    reasons.AttemptAhead(AT): (
        "The attempt was changed later, on 5 Jan 2026, 09:00 UTC. "
        "Try again then, or check the clock."
    ),
    reasons.CourseNotInSubscription("py"): (
        "Course 'py' is not part of the subscription. "
        "Choose another course, or ask for this one to be added."
    ),
    reasons.SubscriptionNotActive(AT): (
        "The subscription is not active before 5 Jan 2026, 09:00 UTC. Try again then."
    ),
    reasons.SubscriptionEnded(AT): (
        "The subscription ended on 5 Jan 2026, 09:00 UTC. Ask for a new one."
    ),
    reasons.ExpiresTooLate(AT + timedelta(microseconds=1), ca.ExpirationLimit.ORGANIZATION): (
        "The organization allows access until 5 Jan 2026, 09:00 UTC. Choose an earlier end."
    ),
    reasons.ExpiresTooEarly(AT): (
        "Access can't end before 5 Jan 2026, 09:00 UTC. Choose a later end."
    ),
    reasons.CourseNotAvailable("py", ("content provider", "publishing group")): (
        "Course 'py' is not available yet. Add what is missing: content provider, publishing group."
    ),
    reasons.CourseArchived("py"): ("Course 'py' is archived. Choose another course."),
    reasons.AlreadyAssigned("a-1", AT): (
        "The learner already has assignment 'a-1' of this course until 5 Jan 2026, 09:00 UTC. "
        "Use that assignment."
    ),
    reasons.KeyNotFound(): ("This key doesn't exist. Compare it with the key that you received."),
    reasons.KeyMistyped(): (
        "The key contains a typo. "
        "Compare it with the key that you received, character by character."
    ),
    reasons.KeyRevoked(AT): ("The key was revoked on 5 Jan 2026, 09:00 UTC. Ask for a new one."),
    reasons.KeyNotYetRedeemable(AT): (
        "The key can be redeemed from 5 Jan 2026, 09:00 UTC. Try again then."
    ),
    reasons.KeyExpired(AT): ("The key expired on 5 Jan 2026, 09:00 UTC. Ask for a new one."),
    reasons.KeyExhausted(5): ("All 5 uses of the key are taken. Ask for another key."),
    reasons.WrongOrganization(): (
        "This key is reserved for another organization. Ask your organization for a key."
    ),
    reasons.AlreadyRedeemed("a-1", AT): (
        "This key was already redeemed on 5 Jan 2026, 09:00 UTC for assignment 'a-1'. "
        "Use that assignment."
    ),
    reasons.RegistrationDisabled(): (
        "You can't register with this key. Sign in with your account to redeem it."
    ),
    reasons.RegistrationDisabled("globex"): (
        "You can't register as a member of organization 'globex'. "
        "Leave the organization out, or sign in with your account."
    ),
    reasons.EmailTaken("ada"): (
        "The e-mail address of 'ada' already belongs to an account. "
        "Sign in with that account, or use another address."
    ),
    reasons.EmailTaken("eve", "ada"): (
        "User 'eve' has the e-mail address of user 'ada'. "
        "Use 'ada' in place of 'eve', or correct the address."
    ),
    reasons.RoleMissing((ca.Role.SALES_MANAGER, ca.Role.SUPPORT)): (
        "You need one of these roles: sales manager, support. Ask someone who has one."
    ),
    reasons.RoleNotHeld((ca.Role.SALES_MANAGER, ca.Role.SUPPORT)): (
        "You don't have the roles sales manager, support, so you can't give or change them. "
        "Ask who has them."
    ),
    reasons.RoleNotHeld((ca.Role.SUPPORT,)): (
        "You don't have the role support, so you can't give or change it. Ask who has it."
    ),
    reasons.SupportRoleMissing(): ("Only support can do this. Ask support."),
    reasons.OrganizationNotManaged("acme"): (
        "You don't manage organization 'acme'. Ask someone who does."
    ),
    reasons.CodeTaken((1, 2, 3, 4, 5, 6, 7, 8, 9, 10)): (
        "Other keys already have the codes in lines 1, 2, 3, 4, 5, 6, 7, 8 and 2 more. "
        "Remove those lines."
    ),
    reasons.MaxUsesBelowUses(4): ("A key was already used 4 times. Allow at least 4 uses."),
    ca.CustomReason("x-unpaid", "The invoice of May is open."): ("The invoice of May is open."),
}

KINDS: tuple[type[Any], ...] = get_args(reasons.PlainReason)

#: The reasons of the documented rules: all but a host's own.
RULES = [kind for kind in KINDS if kind is not ca.CustomReason]


@pytest.mark.parametrize("reason", ONE_OF_EACH, ids=lambda reason: str(reason.code))
def test_each_is_a_value_with_its_sentence(reason: Any) -> None:
    assert str(reason) == ONE_OF_EACH[reason]
    assert_is_value(reason, keyword_only=False)
    pair: Any = ca.ForAssignment("py", "ada", reason)
    assert pair.code == reason.code
    assert str(pair) == f"Learner 'ada', course 'py': {reason}"
    assert_is_value(pair, keyword_only=False)


def test_every_kind_is_listed() -> None:
    assert [*dict.fromkeys(map(type, ONE_OF_EACH))] == list(KINDS)
    assert set(get_args(ca.Reason)) == {*KINDS, ca.ForAssignment}


@pytest.mark.parametrize("kind", RULES)
def test_a_code_is_typed_as_the_literal_that_it_is(kind: type[Any]) -> None:
    (annotation,) = get_args(get_type_hints(kind)["code"])
    assert get_args(annotation) == (kind.code,)


def templates(kind: type[Any]) -> list[str]:
    """Return every sentence that a reason of *kind* may have."""
    sentence = kind.sentence
    return [sentence] if isinstance(sentence, str) else [*sentence.sentences]


@pytest.mark.parametrize("kind", [*RULES, ca.ForAssignment])
def test_a_sentence_has_no_placeholder_but_the_fields(kind: type[Any]) -> None:
    fields = set(attrs.fields_dict(kind))
    for template in templates(kind):
        assert {name for _, name, _, _ in Formatter().parse(template) if name is not None} <= fields
        assert not any(spec or conversion for _, _, spec, conversion in Formatter().parse(template))
    if isinstance(kind.sentence, reasons.Variants):
        assert kind.sentence.field in fields
        assert len(set(templates(kind))) == len(templates(kind)) > 1


def test_a_placeholder_that_is_no_field_is_never_formatted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasons.KeyRevoked, "sentence", "Revoked: {code}, {__class__}.")
    with pytest.raises(KeyError):
        str(reasons.KeyRevoked(AT))
    monkeypatch.setattr(reasons.KeyRevoked, "sentence", "Revoked: {revoked_at.tzinfo}.")
    assert str(reasons.KeyRevoked(AT)) == "Revoked: {revoked_at.tzinfo}."


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (
            reasons.KeyExhausted(1),
            "The one use of the key is taken. Ask for another key.",
        ),
        (
            reasons.OrganizationNotManaged(None),
            (
                "The user has no organization, so nobody manages them. "
                "Add the user to an organization first."
            ),
        ),
        (
            reasons.CourseNotAvailable("py", ("publishing group",)),
            "Course 'py' is not available yet. Add what is missing: publishing group.",
        ),
        (
            reasons.RoleMissing(()),
            "No role allows this. Ask whoever configures this system.",
        ),
        (
            reasons.RoleMissing((ca.Role.OPERATIONS_MANAGER,)),
            "You need this role: operations manager. Ask someone who has it.",
        ),
        (
            reasons.CodeTaken((3,)),
            "Another key already has the code in line 3. Remove that line.",
        ),
        (
            reasons.MaxUsesBelowUses(1),
            "A key was already used once. Allow at least 1 use.",
        ),
        (
            reasons.ExpiresTooLate(AT, ca.ExpirationLimit.COURSE),
            "The course allows access until 5 Jan 2026, 09:00 UTC. Choose an earlier end.",
        ),
        (
            reasons.ExpiresTooLate(AT, ca.ExpirationLimit.SUBSCRIPTION),
            "The subscription ends on 5 Jan 2026, 09:00 UTC. Choose an earlier end.",
        ),
        (
            reasons.ExpiresTooLate(AT, ca.ExpirationLimit.COURSE, passed=True),
            "Access was possible until 5 Jan 2026, 09:00 UTC at most. Only support can extend it.",
        ),
        (
            reasons.ExpiresTooLate(AT, ca.ExpirationLimit.KEY),
            "Access is possible until 5 Jan 2026, 09:00 UTC. Choose an earlier end.",
        ),
    ],
    ids=repr,
)
def test_a_sentence_fits_the_facts_in_it(reason: Any, sentence: str) -> None:
    assert str(reason) == sentence


FIELDS = [(kind, field.name) for kind in (*KINDS, ca.ForAssignment) for field in attrs.fields(kind)]


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_a_fact_that_cannot_be_one_is_invalid(kind: type[Any], name: str) -> None:
    reason: Any = ca.CustomReason("x-unpaid", "The invoice of May is open.")
    if kind is not ca.CustomReason:
        reason = kind(**facts_for(kind, "py", AT))
    for junk in (object(), 1.5, [object()], b"py"):
        with pytest.raises(ca.InvalidInput) as caught:
            attrs.evolve(reason, **{name: junk})
        assert caught.value.field.startswith(name)


@given(
    any_ids(),
    utc_instants(),
    st.sampled_from(RULES),
)
def test_a_sentence_is_one_line_whatever_is_in_it(text: str, at: datetime, kind: type[Any]) -> None:
    reason = kind(**facts_for(kind, text, at))
    for sentence in (str(reason), str(ca.ForAssignment(text, text, reason))):
        assert sentence.isprintable()
        assert len(sentence.splitlines()) == 1
        assert sentence.endswith(".")


def test_a_reason_against_a_pair_has_the_fields_of_the_inner_reason() -> None:
    pair: Any = ca.ForAssignment("py", "ada", reasons.AlreadyAssigned("a-1", AT))
    assert (pair.assignment_id, pair.expires_at) == ("a-1", AT)
    for name in ("missing", "_missing"):
        with pytest.raises(AttributeError, match=name):
            getattr(pair, name)


class TestReasonsOfTheHost:
    """CustomReason(code, sentence) is the member for a host's own policies; it starts with x-."""

    @pytest.mark.parametrize("code", ["x-unpaid", "x-1", "x-a-b_c"])
    def test_have_a_code_that_starts_so(self, code: str) -> None:
        assert ca.CustomReason(code, "No.").code == code

    @pytest.mark.parametrize(
        "code", ["unpaid", "lab_launched", "X-unpaid", " x-unpaid", "x", "x_unpaid", "", None, 5]
    )
    def test_are_refused_with_any_other(self, code: Any) -> None:
        error = refusal(lambda: ca.CustomReason(code, "No."))
        assert (error.code, error.field) == ("invalid_code", "code")

    @pytest.mark.parametrize("sentence", [None, 5, b"No.", "", " ", "One line.\nAnother."])
    def test_have_a_sentence_of_one_line(self, sentence: Any) -> None:
        assert refusal(lambda: ca.CustomReason("x-unpaid", sentence)).field == "sentence"


@pytest.mark.parametrize(
    "kind",
    [
        reasons.ExpiresTooEarly,
        reasons.KeyNotYetRedeemable,
        reasons.AssignmentNotActive,
        reasons.SubscriptionNotActive,
        reasons.AttemptAhead,
    ],
)
def test_a_sentence_names_no_second_that_is_still_too_early(
    kind: Callable[[datetime], Any],
) -> None:
    assert ", 09:00 UTC" in str(kind(AT))
    assert ", 09:00:01 UTC" in str(kind(AT + timedelta(microseconds=1)))
    assert ", 09:00:01 UTC" in str(kind(AT + timedelta(microseconds=999_999)))
    assert ", 09:01 UTC" in str(kind(AT + timedelta(seconds=59, microseconds=1)))


@pytest.mark.parametrize(
    "kind",
    [reasons.CancellationWindowClosed, reasons.KeyExpired, reasons.AssignmentExpired],
)
def test_a_sentence_names_no_second_that_is_already_too_late(
    kind: Callable[[datetime], Any],
) -> None:
    assert ", 09:00 UTC" in str(kind(AT + timedelta(microseconds=999_999)))
    assert ", 09:00:59 UTC" in str(kind(AT + timedelta(seconds=59, microseconds=999_999)))
