"""The answers of every policy: all reasons in order, and when they change."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.testing.strategies import attempts, subscriptions
from tests.support.acts import REDEMPTION
from tests.support.rules import check_turn, codes, edges, elsewhere, moments, near
from tests.support.strategies import US, assignments, courses, keys, organizations, users
from tests.support.world import MANAGER, START

DAY = timedelta(days=1)


@attrs.frozen
class Question:
    """A question to a policy, and its answer by the sentence of the rule.

    `against` returns whether each reason holds, in order; `marks` are the datetimes at which that
    may change.
    """

    ask: Callable[[datetime], ca.Decision]
    against: Callable[[datetime], dict[str, bool]]
    marks: set[datetime]


Draw = st.DrawFn


def cancelling(draw: Draw) -> Question:
    """Cancel within the window, with no lab launched; support waives the window (rules 3, 4)."""
    one, window = draw(assignments()), draw(st.timedeltas(US, 500 * DAY) | st.just(DAY))
    support = draw(st.booleans())
    policy = ca.CancellationPolicy(window=window)
    return Question(
        lambda at: policy.evaluate(one, at=at, support=support),
        lambda at: {
            "assignment_not_active": at < one.created_at,
            "already_cancelled": one.cancelled_at is not None,
            "cancellation_window_closed": at - one.created_at > window and not support,
            "lab_launched": one.first_lab_launched_at is not None,
        },
        {*edges(one), one.created_at + window},
    )


def rescheduling(draw: Draw) -> Question:
    """A later end may revive an expired assignment, never a cancelled one (rule 2)."""
    one = draw(assignments())
    end = draw(moments(edges(one)))
    return Question(
        lambda at: ca.ReschedulePolicy().evaluate(one, expires_at=end, at=at),
        lambda at: {
            "assignment_not_active": at < one.created_at,
            "already_cancelled": one.cancelled_at is not None,
            "expires_too_early": end < at,
        },
        {*edges(one), end},
    )


def of_assignment(
    draw: Draw,
    policy: ca.CompletionPolicy | ca.AccessPolicy | ca.FinishPolicy,
    further: Callable[[ca.CourseAssignment, datetime], dict[str, bool]],
) -> Question:
    """Ask *policy* about an assignment that must exist and not be cancelled, and *further*."""
    one = draw(assignments())
    return Question(
        lambda at: policy.evaluate(one, at=at),
        lambda at: {
            "assignment_not_active": at < one.created_at,
            "already_cancelled": one.cancelled_at is not None,
            **further(one, at),
        },
        edges(one),
    )


def completing(draw: Draw) -> Question:
    """Complete by hand: refused if cancelled or complete, allowed if expired (rule 5)."""
    return of_assignment(
        draw,
        ca.CompletionPolicy(),
        lambda one, _: {"already_completed": one.completed_at is not None},
    )


def starting(draw: Draw) -> Question:
    """Start, pause and retake while the assignment is active (rule 5)."""
    return of_assignment(
        draw, ca.AccessPolicy(), lambda one, at: {"assignment_expired": at >= one.expires_at}
    )


def finishing(draw: Draw) -> Question:
    """An attempt that is open when access ends can be finished (rule 5)."""
    return of_assignment(draw, ca.FinishPolicy(), lambda *_: {})


def retaking(draw: Draw) -> Question:
    """One attempt at a time (rule 5)."""
    one = draw(attempts())
    return Question(
        lambda at: ca.AttemptPolicy().evaluate(iter([one]), at=at),
        lambda _: {"attempt_open": one.finished_at is None},
        edges(one),
    )


def opening(draw: Draw) -> Question:
    """A course of the set opens while the subscription is active (rule 19)."""
    one = draw(subscriptions())
    course_id = draw(st.sampled_from([None, *one.course_ids, "no course of any set"]))
    return Question(
        lambda at: ca.SubscriptionPolicy().evaluate(one, at=at, course_id=course_id),
        lambda at: {
            "subscription_not_active": at < one.created_at,
            "subscription_ended": one.cancelled_at is not None or one.expires_at <= at,
            "course_not_in_subscription": course_id not in (None, *one.course_ids),
        },
        edges(one),
    )


def redeeming(draw: Draw) -> Question:
    """Each condition of a key, its window, its organization and its learner (rules 6 to 10)."""
    key, batch = draw(keys())
    learner = draw(users())
    if draw(st.booleans()):
        learner = attrs.evolve(learner, organization_id=batch.organization_id)
    if draw(st.booleans()):
        key = attrs.evolve(key, uses=0, revoked_at=None)
    once = draw(st.booleans())
    redemption = attrs.evolve(REDEMPTION, learner_id=learner.id, redeemed_at=batch.created_at)
    redeemed = draw(st.sampled_from([None, None, redemption]))
    start, end = batch.redeemable_from, batch.redeemable_until
    return Question(
        lambda at: ca.KeyRedemptionPolicy(once_per_learner=once).evaluate(
            key, batch, learner, at=at, redeemed=redeemed
        ),
        lambda at: {
            "key_revoked": key.revoked_at is not None,
            "key_not_yet_redeemable": start is not None and at < start,
            "key_expired": end is not None and not at < end,
            "key_exhausted": key.uses == key.max_uses,
            "wrong_organization": not batch.any_organization
            and learner.organization_id != batch.organization_id,
            "already_redeemed": once and redeemed is not None,
        },
        edges(batch, key),
    )


def registering(draw: Draw) -> Question:
    """Register where both organizations allow it, with a free address (rule 11)."""
    organization, joined = draw(organizations()), draw(st.none() | organizations())
    own = organization if joined is None else joined
    newcomer = attrs.evolve(draw(users()), organization_id=own.id)
    owner = draw(st.none() | users())
    return Question(
        lambda at: ca.RegistrationPolicy().evaluate(
            organization, newcomer, at=at, joined=joined, email_owner=owner
        ),
        lambda _: {
            "registration_disabled": not organization.anonymous_registration
            or (own.id != organization.id and not own.anonymous_registration),
            "email_taken": owner is not None,
        },
        set(),
    )


def using_a_course(draw: Draw) -> Question:
    """A course needs a provider and a group, and must not be archived (rule 22)."""
    course = draw(courses())
    return Question(
        lambda at: ca.CourseAvailabilityPolicy().evaluate(course, at=at),
        lambda _: {
            "course_not_available": None in {course.content_provider, course.publishing_group},
            "course_archived": course.archived,
        },
        set(),
    )


def repeating(draw: Draw) -> Question:
    """The learner has an active assignment of the course, or one that will be (rule 15)."""
    one = draw(assignments())
    return Question(
        lambda at: ca.RepeatPolicy().evaluate(iter([one]), at=at),
        lambda at: {"already_assigned": one.cancelled_at is None and at < one.expires_at},
        edges(one),
    )


def acting(draw: Draw) -> Question:
    """Each permission needs one of its roles, and the organization (rules 4 and 21)."""
    roles = draw(st.sets(st.sampled_from(ca.Role)))
    managed = draw(st.sets(st.sampled_from(["acme", "beta", "Acme", "acme-child"])))
    actor = attrs.evolve(MANAGER, roles=roles, managed_organization_ids=managed)
    permission = draw(st.sampled_from(ca.Permission))
    organization = draw(st.sampled_from(["acme", "beta", None]))
    profile = draw(st.none() | users())
    creating = set(ca.Role) - {ca.Role.SUPPORT}
    needed = {
        **{one: {ca.Role.OPERATIONS_MANAGER} for one in ca.Permission},
        ca.Permission.ASSIGN_COURSES: creating,
        ca.Permission.MANAGE_USERS: creating,
        ca.Permission.SUPPORT: {ca.Role.SUPPORT},
    }
    support = permission is ca.Permission.SUPPORT
    # Nobody manages a person without an organization; courses have none.
    of_person = support or needed[permission] == creating
    concerned = {organization} if of_person or organization is not None else set[str | None]()
    if profile is not None:
        concerned |= profile.managed_organization_ids
    return Question(
        lambda at: ca.AuthorizationPolicy().evaluate(
            actor, permission=permission, organization_id=organization, at=at, profile=profile
        ),
        lambda _: {
            "support_role_missing": support and not roles & needed[permission],
            "role_missing": not support and not roles & needed[permission],
            "role_not_held": profile is not None and bool(profile.roles - roles),
            "organization_not_managed": not concerned <= managed,
        },
        set(),
    )


QUESTIONS: dict[str, Callable[[Draw], Question]] = {
    function.__name__: function
    for function in (
        *(cancelling, rescheduling, completing, starting, finishing, retaking, opening),
        *(redeeming, registering, using_a_course, repeating, acting),
    )
}


@pytest.mark.parametrize("name", QUESTIONS)
class TestEveryPolicy:
    """All reasons at once, and exactly until when the answer holds."""

    @given(st.data())
    def test_every_reason_is_returned_in_a_fixed_order(self, name: str, data: Any) -> None:
        question, drawn = self.draw(name, data)
        for at in (drawn, *sorted(near(question.marks))):
            decision = question.ask(at)
            wanted = [code for code, holds in question.against(at).items() if holds]
            assert [*dict.fromkeys(codes(decision))] == wanted
            assert decision.allowed is (not wanted)

    @given(st.data())
    def test_the_answer_holds_until_changes_at_and_no_longer(self, name: str, data: Any) -> None:
        question, at = self.draw(name, data)
        check_turn(question.ask, at, question.marks)

    @given(st.data())
    def test_the_same_time_in_another_zone_has_the_same_answer(self, name: str, data: Any) -> None:
        question, at = self.draw(name, data)
        assert [question.ask(other) for other in elsewhere(at)] == [question.ask(at)] * 3

    @staticmethod
    def draw(name: str, data: Any) -> tuple[Question, datetime]:
        """Draw a question, and a datetime at or around one of its marks."""
        question: Question = data.draw(st.composite(QUESTIONS[name])())
        return question, data.draw(moments(question.marks or {START}))
