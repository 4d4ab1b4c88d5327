"""One policy for each question: the documented ones, a host's own, and what holds for all."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from course_assignments import (
    AccessPolicy,
    AttemptPolicy,
    AuthorizationPolicy,
    CancellationPolicy,
    CompletionPolicy,
    Course,
    CourseAssignment,
    CourseAvailabilityPolicy,
    CustomReason,
    Decision,
    ExpirationLimit,
    ExpirationPolicy,
    FinishPolicy,
    KeyRedemptionPolicy,
    Limit,
    Months,
    Organization,
    Policies,
    Refused,
    RegistrationPolicy,
    Repeat,
    RepeatPolicy,
    ReschedulePolicy,
    Role,
    SubscriptionPolicy,
)
from course_assignments.policies import (
    DEFAULT_POLICIES,
    authorization,
    cancellation,
    expiration,
)
from course_assignments.policies.cancellation import Cancellable
from course_assignments.reasons import CourseArchived, ForAssignment
from tests.support.acts import ACTS, NOW, pair
from tests.support.rules import JUNK, check_junk, check_turn
from tests.support.strategies import US
from tests.support.world import MANAGER

DAY = timedelta(days=1)
UNPAID = CustomReason("x-unpaid", "The invoice of May is open.")


@attrs.frozen
class Unpaid:
    """A host's own policy, which fits every place and refuses for the host's own reason."""

    restores_key_use: bool = False
    once_per_learner: bool = True
    default: Repeat = Repeat.REFUSE

    def evaluate(self, *_: Any, **__: Any) -> Decision:
        return Decision([UNPAID])

    def limit(
        self,
        created_at: datetime,
        *,
        course: Course | None = None,  # noqa: ARG002
        organization: Organization | None = None,  # noqa: ARG002
    ) -> Limit:
        return Limit(created_at + DAY, ExpirationLimit.MAXIMUM)

    default_end = limit


@attrs.frozen
class UnlessComplete:
    """The documented rule of cancelling, and one more of the host's."""

    documented: CancellationPolicy = CancellationPolicy()
    restores_key_use: bool = False

    def evaluate(
        self, cancellable: Cancellable, *, at: datetime, support: bool = False
    ) -> Decision:
        decision = self.documented.evaluate(cancellable, at=at, support=support)
        if isinstance(cancellable, CourseAssignment) and cancellable.completed_at is not None:
            return Decision((*decision.reasons, CustomReason("x-complete", "It is complete.")))
        return decision


class TestTheDocumentedOnes:
    def test_there_is_one_for_each_question(self) -> None:
        documented = {
            "cancellation": CancellationPolicy(),
            "expiration": ExpirationPolicy(),
            "reschedule": ReschedulePolicy(),
            "completion": CompletionPolicy(),
            "access": AccessPolicy(),
            "attempt": AttemptPolicy(),
            "finish": FinishPolicy(),
            "subscription": SubscriptionPolicy(),
            "key_redemption": KeyRedemptionPolicy(),
            "registration": RegistrationPolicy(),
            "course_availability": CourseAvailabilityPolicy(),
            "repeat": RepeatPolicy(),
            "authorization": AuthorizationPolicy(),
        }
        assert attrs.asdict(Policies(), recurse=False) == documented
        assert Policies() == DEFAULT_POLICIES

    def test_their_numbers_are_those_of_the_documents(self) -> None:
        assert timedelta(days=180) == expiration.MAXIMUM_ACCESS
        assert Months(6) == expiration.DEFAULT_ACCESS
        assert timedelta(hours=24) == cancellation.WINDOW
        assert authorization.KEY_ROLES == (Role.OPERATIONS_MANAGER,)
        assert authorization.SUPPORT_ROLES == (Role.SUPPORT,)
        assert set(authorization.ASSIGNING_ROLES) == set(Role) - {Role.SUPPORT}


class TestAHostsOwn:
    @pytest.mark.parametrize(
        ("field", "act", "changed"),
        [
            ("cancellation", "cancel", {}),
            ("expiration", "assign", {}),
            ("expiration", "reschedule", {}),
            ("reschedule", "reschedule", {}),
            ("completion", "complete", {}),
            ("key_redemption", "redeem", {}),
            ("key_redemption", "register", {}),
            ("registration", "register", {}),
            ("course_availability", "assign", {}),
            ("course_availability", "assign_many", {}),
            ("course_availability", "create_keys", {}),
            ("course_availability", "add_keys", {}),
            ("course_availability", "redeem", {}),
            ("course_availability", "register", {}),
            ("repeat", "assign", {}),
            ("authorization", "assign", {"actor": MANAGER}),
            ("authorization", "assign_many", {"actor": MANAGER}),
            ("authorization", "cancel", {"actor": MANAGER}),
            ("authorization", "reschedule", {"actor": MANAGER}),
            ("authorization", "complete", {"actor": MANAGER}),
            ("authorization", "create_keys", {"actor": MANAGER}),
            ("authorization", "add_keys", {"actor": MANAGER}),
            ("authorization", "edit_keys", {"actor": MANAGER}),
            ("authorization", "revoke_keys", {"actor": MANAGER}),
            ("authorization", "redeem", {"actor": MANAGER}),
            ("authorization", "register", {"actor": MANAGER}),
        ],
    )
    def test_it_is_asked_and_its_reason_comes_through(
        self, field: str, act: str, changed: dict[str, Any]
    ) -> None:
        ACTS[act](policies=Policies(), **changed)
        policies: Policies = Policies(**{field: Unpaid()})
        with pytest.raises(Refused) as caught:
            ACTS[act](policies=policies, **changed)
        assert caught.value.decision.reasons == (UNPAID,)
        assert str(caught.value) == "The invoice of May is open."

    @pytest.mark.parametrize("field", ["expiration", "repeat"])
    def test_its_reason_names_the_assignment(self, field: str) -> None:
        with pytest.raises(Refused) as caught:
            ACTS["assign_many"](policies=Policies(**{field: Unpaid()}))
        wanted = tuple(ForAssignment("py", learner, UNPAID) for learner in ("ada", "new"))
        assert caught.value.decision.reasons == wanted

    def test_a_reason_for_an_assignment_is_not_wrapped_again(self) -> None:
        reason = ForAssignment("py", "ada", CourseArchived("py"))

        class Wrapping(Unpaid):
            def evaluate(self, *_: Any, **__: Any) -> Decision:
                return Decision([reason])

        with pytest.raises(Refused) as caught:
            ACTS["assign_many"](policies=Policies(repeat=Wrapping()))
        assert caught.value.decision.reasons == (reason,)

    def test_its_limits_count(self) -> None:
        policies = Policies(expiration=Unpaid())
        for act in (ACTS["redeem"], ACTS["register"]):
            assert act(policies=policies).made(CourseAssignment)[0].expires_at == NOW + DAY
        assigned = ACTS["assign"](policies=policies, expires=None).made(CourseAssignment)[0]
        assert (assigned.expires_at, assigned.limited_by) == (NOW + DAY, ExpirationLimit.MAXIMUM)

    def test_its_settings_count(self) -> None:
        held = ACTS["assign"]().made(CourseAssignment)
        policies = Policies(repeat=RepeatPolicy(default=Repeat.REFUSE))
        decision = ACTS["assign"].decision(policies=policies, about=pair(existing=held))
        assert [reason.code for reason in decision.reasons] == ["already_assigned"]
        # What a call asks for goes before the setting.
        asked = ACTS["assign"].decision(
            policies=policies, about=pair(existing=held), repeat=Repeat.ALLOW
        )
        assert asked.allowed

    def test_it_may_add_to_the_documented_one(self) -> None:
        policies = Policies(cancellation=UnlessComplete())
        cancel = ACTS["cancel"]
        assert cancel.decision(policies=policies).changes_at is not None
        complete = attrs.evolve(
            cancel.records.assignment, completed_at=NOW, first_lab_launched_at=NOW
        )
        decision = cancel.decision(policies=policies, assignment=complete)
        assert [reason.code for reason in decision.reasons] == ["lab_launched", "x-complete"]

    @pytest.mark.parametrize("field", [at.name for at in attrs.fields(Policies)])
    def test_what_is_no_policy_is_invalid(self, field: str) -> None:
        class NotCallable:
            evaluate = True

        values = [None, "a policy", CancellationPolicy, NotCallable(), *JUNK]
        check_junk(lambda junk: Policies(**{field: junk}), field, values)


class TestTheCheckOfWhenAnAnswerChanges:
    """The check by which every policy is held to its `changes_at` finds out those that lie."""

    TURN = datetime(2026, 1, 6, tzinfo=UTC)

    @staticmethod
    def saying(turn: datetime | None) -> Callable[[datetime], Decision]:
        """Return a question that turns at `TURN` and says that it does so at *turn*."""
        turns_at = TestTheCheckOfWhenAnAnswerChanges.TURN

        def ask(at: datetime) -> Decision:
            if at >= turns_at:
                return Decision([UNPAID])
            return Decision((), turn)

        return ask

    def test_it_takes_the_truth(self) -> None:
        check_turn(self.saying(self.TURN), self.TURN - DAY, [self.TURN])

    @pytest.mark.parametrize("said", [TURN - US, TURN + US, TURN - 2 * DAY, None])
    def test_it_finds_out_what_is_a_microsecond_off(self, said: datetime | None) -> None:
        with pytest.raises(AssertionError):
            check_turn(self.saying(said), self.TURN - DAY, [self.TURN])
