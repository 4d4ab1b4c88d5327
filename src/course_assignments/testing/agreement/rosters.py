"""Rules for records and assignments: who is there, who gets what, and what becomes of it."""

from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import rule

from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import Repeat
from course_assignments.entities.people import User
from course_assignments.testing import strategies
from course_assignments.testing.agreement.offices import (
    ACTORS,
    COURSES,
    ENDS,
    FILM,
    GIVEN_ENDS,
    IDS,
    LAB,
    LEARNERS,
    PICKS,
    Offices,
)
from course_assignments.testing.stock import DAY
from course_assignments.time.durations import Months

#: Newcomers, some of whom come with the address or the id of someone else.
NEWCOMERS = st.sampled_from(
    [
        User(id="dee", name="Dee", email="dee@example.org"),
        User(id="eli", name="Eli", email="eli@example.org", organization_id="acme"),
        User(id="fay", name="Fay", email="DEE@example.org"),
        User(id="gus", name="Gus", email="Ada@Example.org"),
        User(id="ada", name="Ada Again", email="again@example.org"),
    ]
)
PROFILES = strategies.organizations() | strategies.courses() | strategies.users() | NEWCOMERS
#: What an edit makes of a profile.
EDITS = st.one_of(
    st.tuples(
        st.just(Course),
        st.fixed_dictionaries(
            {},
            optional={
                "name": strategies.names(),
                "archived": st.sampled_from([False, False, False, True]),
                "publishing_group": st.sampled_from(["all", "all", "all", None]),
                "activities": st.sampled_from([(), (LAB,), (FILM, LAB)]),
                "maximum_access": st.none() | strategies.terms(),
            },
        ),
    ),
    st.tuples(
        st.just(Organization),
        st.fixed_dictionaries(
            {},
            optional={
                "name": strategies.names(),
                "maximum_access": st.sampled_from([None, 20 * DAY, Months(2)]),
                "anonymous_registration": st.booleans(),
            },
        ),
    ),
    st.tuples(
        st.just(User),
        st.fixed_dictionaries(
            {},
            optional={
                "email": strategies.emails()
                | st.sampled_from(["ADA@example.org", "BO@example.org"]),
                "organization_id": st.sampled_from([None, "acme", "beta", "nowhere"]),
            },
        ),
    ),
)


class Rosters(Offices):
    """Keeps records and gives courses to learners."""

    @rule(records=st.lists(PROFILES, min_size=1, max_size=2), by=ACTORS)
    def add(self, *, records: list[Any], by: str | None) -> None:
        """Add organizations, courses and users of any kind."""
        self.do("add", *records, by=by)

    @rule(edit=EDITS | st.none(), pick=PICKS, by=ACTORS)
    def update(self, *, edit: tuple[Any, Any] | None, pick: int, by: str | None) -> None:
        """Edit one of those that are there, or forget someone."""
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
        """Give one course to one learner."""
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
        """Give several courses to several learners, some of them new."""
        self.do("assign_many", course_ids, learners, expires=self.at(expires), **options)

    @rule(pick=PICKS, support_reason=st.none() | st.just("Moved."), by=ACTORS)
    def cancel(self, *, pick: int, **options: Any) -> None:
        """Take a course away again."""
        self.do("cancel", self.pick(CourseAssignment, pick), **options)

    @rule(pick=PICKS, expires=GIVEN_ENDS, by=ACTORS)
    def reschedule(self, *, pick: int, expires: Any, by: str | None) -> None:
        """Give another end."""
        self.do("reschedule", self.pick(CourseAssignment, pick), self.at(expires), by=by)

    @rule(pick=PICKS, by=ACTORS)
    def complete(self, *, pick: int, by: str | None) -> None:
        """Complete by hand."""
        self.do("complete", self.pick(CourseAssignment, pick), by=by)
