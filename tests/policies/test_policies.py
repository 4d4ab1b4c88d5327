"""One policy for each question: the documented ones and a host's own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

import course_assignments as ca
from course_assignments.policies import (
    DEFAULT_POLICIES,
    cancellation,
    expiration,
)
from course_assignments.policies.cancellation import Cancellable
from course_assignments.reasons import CourseArchived, ForAssignment
from tests.support.acts import ACTS, NOW, pair
from tests.support.rules import check_junk, check_turn
from tests.support.strategies import US
from tests.support.world import MANAGER

DAY = timedelta(days=1)
UNPAID = ca.CustomReason("x-unpaid", "The invoice of May is open.")


@attrs.frozen
class Unpaid:
    """A host's policy that can replace any other and refuses for the host's own reason."""

    restores_key_use: bool = False
    default: ca.Repeat = ca.Repeat.REFUSE

    def evaluate(self, *_: Any, **__: Any) -> ca.Decision:
        return ca.Decision([UNPAID])

    def limit(
        self,
        created_at: datetime,
        *,
        course: ca.Course | None = None,  # noqa: ARG002
        organization: ca.Organization | None = None,  # noqa: ARG002
    ) -> ca.Limit:
        return ca.Limit(created_at + DAY, ca.ExpirationLimit.MAXIMUM)

    default_end = limit


@attrs.frozen
class UnlessComplete:
    """The documented rule of cancelling, and one more rule of the host."""

    documented: ca.CancellationPolicy = ca.CancellationPolicy()
    restores_key_use: bool = False

    def evaluate(
        self, cancellable: Cancellable, *, at: datetime, support: bool = False
    ) -> ca.Decision:
        decision = self.documented.evaluate(cancellable, at=at, support=support)
        if isinstance(cancellable, ca.CourseAssignment) and cancellable.completed_at is not None:
            return ca.Decision(
                (*decision.reasons, ca.CustomReason("x-complete", "It is complete."))
            )
        return decision


class TestDefaults:
    def test_there_is_one_for_each_question(self) -> None:
        documented = {
            "cancellation": ca.CancellationPolicy(),
            "expiration": ca.ExpirationPolicy(),
            "reschedule": ca.ReschedulePolicy(),
            "completion": ca.CompletionPolicy(),
            "access": ca.AccessPolicy(),
            "attempt": ca.AttemptPolicy(),
            "finish": ca.FinishPolicy(),
            "subscription": ca.SubscriptionPolicy(),
            "key_redemption": ca.KeyRedemptionPolicy(),
            "registration": ca.RegistrationPolicy(),
            "course_availability": ca.CourseAvailabilityPolicy(),
            "repeat": ca.RepeatPolicy(),
            "authorization": ca.AuthorizationPolicy(),
            "clock_skew": timedelta(seconds=2),
            "minimum_code_length": 8,
        }
        assert attrs.asdict(ca.Policies(), recurse=False) == documented
        assert ca.Policies() == DEFAULT_POLICIES

    def test_their_numbers_are_those_of_the_documents(self) -> None:
        assert timedelta(days=180) == expiration.MAXIMUM_ACCESS
        assert ca.Months(6) == expiration.DEFAULT_ACCESS
        assert timedelta(hours=24) == cancellation.WINDOW


#: The commands that ask each policy; an actor is given where authorization is asked.
COMMANDS: dict[str, str] = {
    "cancellation": "cancel",
    "expiration": "assign reschedule",
    "reschedule": "reschedule",
    "completion": "complete",
    "key_redemption": "redeem register",
    "registration": "register",
    "course_availability": "assign assign_many create_keys add_keys redeem register",
    "repeat": "assign",
    "authorization": "add update anonymize assign assign_many cancel reschedule complete "
    "create_keys add_keys edit_keys revoke_keys redeem register",
}


class TestCustomPolicy:
    @pytest.mark.parametrize(
        ("field", "act"), [(field, act) for field in COMMANDS for act in COMMANDS[field].split()]
    )
    def test_is_asked_and_its_reason_is_returned(self, field: str, act: str) -> None:
        changed: dict[str, Any] = {"actor": MANAGER} if field == "authorization" else {}
        ACTS[act](policies=ca.Policies(), **changed)
        own: dict[str, Any] = {field: Unpaid()}
        policies = ca.Policies(**own)
        with pytest.raises(ca.Refused) as caught:
            ACTS[act](policies=policies, **changed)
        assert caught.value.decision.reasons == (UNPAID,)
        assert str(caught.value) == "The invoice of May is open."

    @pytest.mark.parametrize("field", ["expiration", "repeat"])
    def test_reasons_of_a_batch_name_the_assignment(self, field: str) -> None:
        own: dict[str, Any] = {field: Unpaid()}
        with pytest.raises(ca.Refused) as caught:
            ACTS["assign_many"](policies=ca.Policies(**own))
        wanted = tuple(ForAssignment("py", learner, UNPAID) for learner in ("ada", "new"))
        assert caught.value.decision.reasons == wanted

    def test_a_reason_for_an_assignment_is_not_wrapped_again(self) -> None:
        reason = ForAssignment("py", "ada", CourseArchived("py"))

        class Wrapping(Unpaid):
            def evaluate(self, *_: Any, **__: Any) -> ca.Decision:
                return ca.Decision([reason])

        with pytest.raises(ca.Refused) as caught:
            ACTS["assign_many"](policies=ca.Policies(repeat=Wrapping()))
        assert caught.value.decision.reasons == (reason,)

    @pytest.mark.parametrize("act", ["assign", "assign_many", "redeem", "register", "open_course"])
    @pytest.mark.parametrize("end", [NOW, NOW - timedelta(microseconds=1)])
    def test_a_limit_that_leaves_no_access_is_refused(self, act: str, end: datetime) -> None:
        class Over(ca.ExpirationPolicy):
            __slots__ = ()

            def limit(self, *_: Any, **__: Any) -> ca.Limit:
                return ca.Limit(end, ca.ExpirationLimit.MAXIMUM)

        expires = {"expires": None} if act.startswith("assign") else {}
        with pytest.raises(ca.InvalidInput) as caught:
            ACTS[act](policies=ca.Policies(expiration=Over()), **expires)
        assert (caught.value.code, caught.value.field) == ("empty_window", "expires_at")

    @pytest.mark.parametrize("act", ["assign", "redeem"])
    def test_a_limit_of_another_class_is_refused(self, act: str) -> None:
        @attrs.frozen
        class Loose(ca.Limit):
            at: datetime
            by: Any

        class Own(ca.ExpirationPolicy):
            __slots__ = ()

            def limit(self, *_: Any, **__: Any) -> ca.Limit:
                return Loose(datetime.max.replace(tzinfo=UTC), "x")

            default_end = limit

        expires = {"expires": None} if act == "assign" else {}
        with pytest.raises(ca.InvalidInput) as caught:
            ACTS[act](policies=ca.Policies(expiration=Own()), **expires)
        assert (caught.value.code, caught.value.field) == ("wrong_type", "policies.expiration")

    def test_its_limits_are_used(self) -> None:
        policies = ca.Policies(expiration=Unpaid())
        for act in (ACTS["redeem"], ACTS["register"]):
            assert act(policies=policies).made(ca.CourseAssignment)[0].expires_at == NOW + DAY
        assigned = ACTS["assign"](policies=policies, expires=None).made(ca.CourseAssignment)[0]
        assert (assigned.expires_at, assigned.limited_by) == (NOW + DAY, ca.ExpirationLimit.MAXIMUM)

    def test_its_settings_are_used(self) -> None:
        held = ACTS["assign"]().made(ca.CourseAssignment)
        policies = ca.Policies(repeat=ca.RepeatPolicy(default=ca.Repeat.REFUSE))
        decision = ACTS["assign"].decision(policies=policies, about=pair(existing=held))
        assert [reason.code for reason in decision.reasons] == ["already_assigned"]
        # The argument of a call takes precedence over the setting.
        asked = ACTS["assign"].decision(
            policies=policies, about=pair(existing=held), repeat=ca.Repeat.ALLOW
        )
        assert asked.allowed

    def test_it_may_extend_a_documented_policy(self) -> None:
        policies = ca.Policies(cancellation=UnlessComplete())
        cancel = ACTS["cancel"]
        assert cancel.decision(policies=policies).changes_at is not None
        complete = attrs.evolve(
            cancel.records.assignment, completed_at=NOW, first_lab_launched_at=NOW
        )
        decision = cancel.decision(policies=policies, assignment=complete)
        assert [reason.code for reason in decision.reasons] == ["lab_launched", "x-complete"]

    @pytest.mark.parametrize(
        "field", [at.name for at in attrs.fields(ca.Policies) if at.name != "minimum_code_length"]
    )
    def test_a_class_or_an_object_without_the_methods_is_invalid(self, field: str) -> None:
        class NotCallable:
            evaluate = True

        values = [ca.CancellationPolicy, NotCallable()]
        check_junk(lambda junk: ca.Policies(**{field: junk}), field, values)


class TestCheckOfChangesAt:
    """`check_turn`, which checks the `changes_at` of every policy, notices a wrong one."""

    TURN = datetime(2026, 1, 6, tzinfo=UTC)

    @staticmethod
    def saying(turn: datetime | None) -> Callable[[datetime], ca.Decision]:
        """Return a question that changes at `TURN` but claims to change at *turn*."""
        refused, allowed = ca.Decision([UNPAID]), ca.Decision((), turn)
        return lambda at: refused if at >= TestCheckOfChangesAt.TURN else allowed

    def test_accepts_the_right_datetime(self) -> None:
        check_turn(self.saying(self.TURN), self.TURN - DAY, [self.TURN])

    @pytest.mark.parametrize("said", [TURN - US, TURN + US, TURN - 2 * DAY, None])
    def test_notices_a_datetime_that_is_a_microsecond_off(self, said: datetime | None) -> None:
        with pytest.raises(AssertionError):
            check_turn(self.saying(said), self.TURN - DAY, [self.TURN])
