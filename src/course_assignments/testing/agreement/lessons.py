"""Rules for learning: activities that are started and finished, and subscriptions."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.attempts import Attempt
from course_assignments.entities.subscriptions import Subscription
from course_assignments.testing.agreement.keyrings import Keyrings
from course_assignments.testing.agreement.offices import (
    ACTORS,
    COURSES,
    IDS,
    LEARNERS,
    PICKS,
    TERMS,
)

ACTIVITIES = st.sampled_from(["lab", "lab", "film", "nothing"])
VERBS = st.sampled_from(["pause", "resume", "finish"])
SETS = st.lists(COURSES, min_size=1, max_size=2)


class Lessons(Keyrings):
    """Learns, with or without a subscription."""

    @rule(pick=PICKS, activity_id=ACTIVITIES, then=st.lists(VERBS, max_size=3), id=IDS, by=ACTORS)
    def study(self, *, pick: int, activity_id: str, then: list[str], **options: Any) -> None:
        """Start an activity, and go on with what was started last."""
        self.do("start", self.pick(CourseAssignment, pick), activity_id, **options)
        for verb in then:
            self.do(verb, self.pick(Attempt, 0))

    @rule(pick=PICKS, verb=VERBS, by=ACTORS)
    def go_on(self, *, pick: int, verb: str, by: str | None) -> None:
        """Pause, resume or finish something that was started."""
        self.do(verb, self.pick(Attempt, pick), by=by)

    @rule(learner_id=LEARNERS, course_ids=SETS, duration=TERMS, id=IDS, by=ACTORS)
    def subscribe(self, *, learner_id: str, course_ids: list[str], **options: Any) -> None:
        """Give a subscription."""
        self.do("subscribe", course_ids, learner_id, **options)

    @rule(pick=PICKS, course_id=COURSES, id=IDS, by=ACTORS)
    def open_course(self, *, pick: int, course_id: str, **options: Any) -> None:
        """Open a course of a subscription."""
        self.do("open_course", self.pick(Subscription, pick), course_id, **options)

    @rule(pick=PICKS, course_ids=SETS, by=ACTORS)
    def edit_subscription(self, *, pick: int, course_ids: list[str], by: str | None) -> None:
        """Change the set of courses."""
        self.do("edit_subscription", self.pick(Subscription, pick), course_ids, by=by)

    @rule(pick=PICKS, support_reason=st.none() | st.just("Moved."), by=ACTORS)
    def cancel_subscription(self, *, pick: int, **options: Any) -> None:
        """Take a subscription away again."""
        self.do("cancel_subscription", self.pick(Subscription, pick), **options)
