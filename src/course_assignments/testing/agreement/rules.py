"""Rules that call all commands."""

from collections.abc import Callable
from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import rule

from course_assignments.entities.assignments import CourseAssignment, Note
from course_assignments.entities.attempts import Attempt
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import Repeat
from course_assignments.entities.keys import KeyBatch
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Subscription
from course_assignments.testing import strategies
from course_assignments.testing.agreement.compared import (
    ACTORS,
    COURSES,
    ENDS,
    GIVEN_ENDS,
    IDS,
    LEARNERS,
    PICKS,
    TERMS,
    Compared,
    FromNow,
)
from course_assignments.testing.samples import DAY, FILM, HOUR, LAB, user
from course_assignments.time.durations import Months

NOTE = Note(title="Renewal", message="Paid until June.")

#: New users; some have the address or the id of another user.
NEWCOMERS = st.sampled_from(
    [
        user("dee"),
        user("eli", "acme"),
        user("fay", email="DEE@example.org"),
        user("gus", email="Ada@Example.org"),
        user("ada", name="Ada Again", email="again@example.org"),
    ]
)
PROFILES = strategies.organizations() | strategies.courses() | strategies.users() | NEWCOMERS


def some(**facts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Generate values for any number of *facts*."""
    return st.fixed_dictionaries({}, optional=facts)


def edits(
    kind: type, **facts: st.SearchStrategy[Any]
) -> st.SearchStrategy[tuple[type, dict[str, Any]]]:
    """Generate a kind of record, and new values for some of its fields."""
    return st.tuples(st.just(kind), some(**facts))


EDITS = st.one_of(
    edits(
        Course,
        name=strategies.names(),
        archived=st.sampled_from([False, False, False, True]),
        publishing_group=st.sampled_from(["all", "all", "all", None]),
        activities=st.sampled_from([(), (LAB,), (FILM, LAB)]),
        maximum_access=st.none() | strategies.durations(),
    ),
    edits(
        Organization,
        name=strategies.names(),
        parent_id=st.sampled_from([None, "nowhere"]),
        maximum_access=st.sampled_from([None, 20 * DAY, Months(2)]),
        anonymous_registration=st.booleans(),
    ),
    edits(
        User,
        email=strategies.emails() | st.sampled_from(["ADA@example.org", "BO@example.org"]),
        organization_id=st.sampled_from([None, "acme", "beta", "nowhere"]),
    ),
)


class AssignmentRules(Compared):
    """Store records, and assign courses to learners."""

    @rule(records=st.lists(PROFILES, min_size=1, max_size=2), by=ACTORS)
    def add(self, *, records: list[Any], by: str | None) -> None:
        """Add organizations, courses and users of any kind."""
        self.do("add", *records, by=by)

    @rule(edit=EDITS | st.none(), pick=PICKS, by=ACTORS)
    def update(self, *, edit: tuple[Any, Any] | None, pick: int, by: str | None) -> None:
        """Edit a stored record, or anonymize a user."""
        if edit is None:
            self.do("anonymize", self.pick(User, pick), by=by)
        else:
            kind, facts = edit
            stored = self.seen[kind.__name__]
            self.do("update", attrs.evolve(stored[pick % len(stored)], **facts), by=by)

    @rule(
        course_id=COURSES,
        learner_id=LEARNERS,
        expires=ENDS,
        note=st.none() | strategies.notes(),
        repeat=st.none() | st.sampled_from(Repeat),
        id=IDS,
        by=ACTORS,
    )
    def assign(self, *, course_id: str, learner_id: str, expires: Any, **options: Any) -> None:
        """Assign a course to a learner."""
        self.do("assign", course_id, learner_id, expires=self.at(expires), **options)

    @rule(
        course_ids=st.lists(COURSES, min_size=1, max_size=2),
        learners=st.lists(LEARNERS | NEWCOMERS, min_size=1, max_size=3),
        expires=ENDS,
        repeat=st.none() | st.sampled_from(Repeat),
        id=IDS,
        by=ACTORS,
    )
    def assign_many(
        self, *, course_ids: list[str], learners: list[Any], expires: Any, **options: Any
    ) -> None:
        """Assign several courses to several learners, some of them new."""
        self.do("assign_many", course_ids, learners, expires=self.at(expires), **options)

    @rule(pick=PICKS, support_reason=st.none() | st.just("Moved."), by=ACTORS)
    def cancel(self, *, pick: int, **options: Any) -> None:
        """Cancel an assignment."""
        self.do("cancel", self.pick(CourseAssignment, pick), **options)

    @rule(pick=PICKS, expires=GIVEN_ENDS, by=ACTORS)
    def reschedule(self, *, pick: int, expires: Any, by: str | None) -> None:
        """Change the end of an assignment."""
        self.do("reschedule", self.pick(CourseAssignment, pick), self.at(expires), by=by)

    @rule(pick=PICKS, by=ACTORS)
    def complete(self, *, pick: int, by: str | None) -> None:
        """Mark an assignment as completed."""
        self.do("complete", self.pick(CourseAssignment, pick), by=by)

    @rule(pick=PICKS, note=st.just(NOTE), by=ACTORS)
    def add_note(self, *, pick: int, note: Note, by: str | None) -> None:
        """Add a note to an assignment."""
        self.do("add_note", self.pick(CourseAssignment, pick), note, by=by)


CODES = st.lists(
    st.sampled_from(["Spring-2026", "spring-2026", " Summer-2026 ", ""]) | strategies.codes(),
    max_size=2,
    unique=True,
)
#: The start and the end of a redemption window.
OPENS = st.none() | st.sampled_from([FromNow(-DAY), FromNow(HOUR)])
CLOSES = st.none() | st.sampled_from([FromNow(2 * HOUR), FromNow(20 * DAY), Months(1)])
USES = st.sampled_from([None, 1, 2, 2, 3])
#: Ways to type a code: unchanged, in lower case, with spaces around it, or wrong.
TYPING = st.sampled_from([str, str, str, str.lower, "  {}\n".format, "{}x".format])


class KeyRules(AssignmentRules):
    """Create, edit, revoke and redeem training keys."""

    @rule(
        course_id=COURSES,
        name=strategies.names(),
        organization_id=st.sampled_from(["acme", "acme", "beta", "nowhere"]),
        availability=TERMS,
        redeemable_from=OPENS,
        redeemable_until=CLOSES,
        max_uses=USES,
        any_organization=st.booleans(),
        codes=CODES,
        generate=st.integers(0, 2),
        id=IDS,
        by=ACTORS,
    )
    def create_keys(
        self, *, course_id: str, redeemable_from: Any, redeemable_until: Any, **terms: Any
    ) -> None:
        """Create a batch of keys."""
        window = {
            "redeemable_from": self.at(redeemable_from),
            "redeemable_until": self.at(redeemable_until),
        }
        self.do("create_keys", course_id, **window, **terms)

    @rule(pick=PICKS, codes=CODES, generate=st.integers(0, 2), id=IDS, by=ACTORS)
    def add_keys(self, *, pick: int, **options: Any) -> None:
        """Add keys to a batch."""
        self.do("add_keys", self.pick(KeyBatch, pick), **options)

    @rule(
        pick=PICKS,
        terms=some(
            name=strategies.names(),
            redeemable_from=OPENS,
            redeemable_until=CLOSES,
            max_uses=USES,
            availability=TERMS,
            any_organization=st.booleans(),
        ),
        by=ACTORS,
    )
    def edit_keys(self, *, pick: int, terms: dict[str, Any], by: str | None) -> None:
        """Edit the terms of a batch and of all keys in it."""
        known = {name: self.at(term) for name, term in terms.items()}
        self.do("edit_keys", self.pick(KeyBatch, pick), **known, by=by)

    @rule(pick=PICKS, typed=TYPING | st.none(), by=ACTORS)
    def revoke(self, *, pick: int, typed: Callable[[str], str] | None, by: str | None) -> None:
        """Revoke a key, or all keys of a batch."""
        if typed is None:
            self.do("revoke_keys", self.pick(KeyBatch, pick), by=by)
        else:
            self.do("revoke_key", self.code(pick, typed), by=by)

    @rule(pick=PICKS, typed=TYPING, learner_id=LEARNERS, id=IDS, by=ACTORS)
    def redeem(
        self, *, pick: int, typed: Callable[[str], str], learner_id: str, **options: Any
    ) -> None:
        """Redeem a key for a stored user."""
        self.do("redeem", self.code(pick, typed), learner_id, **options)

    @rule(pick=PICKS, typed=TYPING, user=NEWCOMERS | strategies.users(), id=IDS, by=ACTORS)
    def register(
        self, *, pick: int, typed: Callable[[str], str], user: Any, **options: Any
    ) -> None:
        """Register a new user with a key."""
        self.do("register", self.code(pick, typed), user, **options)


ACTIVITIES = st.sampled_from(["lab", "lab", "film", "nothing"])
VERBS = st.sampled_from(["pause", "resume", "finish"])
SETS = st.lists(COURSES, min_size=1, max_size=2)


class LearningRules(KeyRules):
    """Start and finish activities, with or without a subscription."""

    @rule(pick=PICKS, activity_id=ACTIVITIES, then=st.lists(VERBS, max_size=3), id=IDS, by=ACTORS)
    def study(self, *, pick: int, activity_id: str, then: list[str], **options: Any) -> None:
        """Start an activity, and continue the attempt that changed last."""
        self.do("start", self.pick(CourseAssignment, pick), activity_id, **options)
        for verb in then:
            self.do(verb, self.pick(Attempt, 0))

    @rule(pick=PICKS, verb=VERBS, by=ACTORS)
    def go_on(self, *, pick: int, verb: str, by: str | None) -> None:
        """Pause, resume or finish an attempt."""
        self.do(verb, self.pick(Attempt, pick), by=by)

    @rule(learner_id=LEARNERS, course_ids=SETS, duration=TERMS, id=IDS, by=ACTORS)
    def subscribe(self, *, learner_id: str, course_ids: list[str], **options: Any) -> None:
        """Create a subscription."""
        self.do("subscribe", course_ids, learner_id, **options)

    @rule(pick=PICKS, course_id=COURSES, id=IDS, by=ACTORS)
    def open_course(self, *, pick: int, course_id: str, **options: Any) -> None:
        """Open a course of a subscription."""
        self.do("open_course", self.pick(Subscription, pick), course_id, **options)

    @rule(pick=PICKS, course_ids=SETS, by=ACTORS)
    def edit_subscription(self, *, pick: int, course_ids: list[str], by: str | None) -> None:
        """Change the courses of a subscription."""
        self.do("edit_subscription", self.pick(Subscription, pick), course_ids, by=by)

    @rule(pick=PICKS, support_reason=st.none() | st.just("Moved."), by=ACTORS)
    def cancel_subscription(self, *, pick: int, **options: Any) -> None:
        """Cancel a subscription."""
        self.do("cancel_subscription", self.pick(Subscription, pick), **options)
