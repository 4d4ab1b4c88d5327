"""Learning and subscriptions for the machine of `tests.support.machine`."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from course_assignments import Attempt, CourseAssignment, FromSubscription, Months
from tests.support.machine import (
    ACTORS,
    COURSES,
    DAY,
    EDGES,
    IDS,
    LAB,
    LEARNERS,
    NOTES,
    NOW,
    PICKS,
    RIVALRY,
    RUSH,
    Call,
    RegistrarMachine,
    Told,
    moves,
)
from tests.support.model import TICK, Expected, Facts
from tests.support.model_learning import last_change

#: Who acts: one of those who may or may not, or whose attempt or subscription it is.
OWN_ACTORS = ACTORS | st.just("the learner")
GOING_ON = ("pause", "resume", "finish")
#: What may be done one after the other with an activity that was started.
VERBS = st.sampled_from(
    [
        ("pause", "resume", "finish"),
        ("resume", "pause", "resume", "pause"),
        ("pause", "pause", "resume", "resume"),
        ("pause", "finish", "start", "start"),
        ("finish", "finish", "start", "pause"),
    ]
)
LESSON = ("started_at", "changed_at", "changed_at", "finished_at", "created_at", "expires_at")
SETS = st.lists(
    st.sampled_from(["py"] * 4 + ["sql"] * 4 + ["draft", "old"]), min_size=1, max_size=3
)
DURATIONS = st.sampled_from([DAY, DAY, 20 * DAY, 20 * DAY, Months(1), Months(6), 365 * DAY])
#: What may happen to a subscription and what was opened from it, before it is opened again.
MEANWHILE = st.sampled_from(
    ["open", "open", "study", "launch", "cancel", "end", "revive", "leave", "join"]
)


class LearningMachine(RegistrarMachine):
    """Draw all commands; fill in `make`, and run its ``TestCase``."""

    def __init__(self) -> None:
        super().__init__()
        #: the assignments that were completed by hand, or by what was finished
        self.completed: set[str] = set()

    def _settle(self, name: str, expected: Expected, outcome: Told, before: Any) -> None:
        super()._settle(name, expected, outcome, before)
        if outcome.error is None and name == "complete":
            self.completed.add(outcome.value.id)
        if outcome.error is None and name == "finish":
            self._finished(outcome.value.assignment_id)

    def _finished(self, assignment_id: str) -> None:
        one = next(it for it in self.seen["assignments"] if it.id == assignment_id)
        course = next(it for it in self.seen["courses"] if it.id == one.course_id)
        finished = {it.activity_id for it in self._under(assignment_id) if it.finished_at}
        required = {it.id for it in course.activities if it.required}
        if required and finished >= required:
            self.completed.add(assignment_id)

    def _under(self, assignment_id: str) -> list[Attempt]:
        return [one for one in self.seen["attempts"] if one.assignment_id == assignment_id]

    # Who is faster.

    def _rival(self, rivalry: str, name: str, args: Any, kwargs: Any) -> Call:
        near: dict[str, Callable[..., Call]] = {
            "start": lambda assignment_id, _: ("start", (assignment_id, NOTES.id), {}),
            "pause": lambda attempt_id: ("finish", (attempt_id,), {}),
            "resume": lambda attempt_id: ("finish", (attempt_id,), {}),
            "finish": self._finishing_another,
            "subscribe": lambda _, learner_id: ("subscribe", (["sql"], learner_id), kwargs),
            "edit_subscription": self._opening,
            "cancel_subscription": self._opening,
            "open_course": lambda id_, _: ("edit_subscription", (id_, ["draft"]), {}),
        }
        against: dict[str, Callable[..., Call]] = {
            "start": lambda assignment_id, _: ("cancel", (assignment_id,), {}),
            "pause": self._cancelling_above,
            "resume": self._cancelling_above,
            "finish": self._cancelling_above,
            "subscribe": lambda course_ids, _: self._archive(course_ids[0]),
            "edit_subscription": lambda id_, _: ("cancel_subscription", (id_,), {}),
            "cancel_subscription": self._launching_below,
            "open_course": lambda id_, _: ("cancel_subscription", (id_,), {}),
        }
        rules: dict[str, Callable[..., Call]] = {
            "start": lambda assignment_id, _: self._emptying(assignment_id),
            "pause": lambda attempt_id: ("pause", (attempt_id,), {}),
            "resume": lambda attempt_id: self._ending(self._above(attempt_id)),
            "finish": lambda attempt_id: self._emptying(self._above(attempt_id)),
            "subscribe": lambda course_ids, _: self._archive(course_ids[-1]),
            "edit_subscription": lambda _, course_ids: self._archive(course_ids[0]),
            "cancel_subscription": self._launching_below,
            "open_course": self._reviving,
        }
        tables = {"something near": near, "something against": against, "rules": rules}
        table = tables.get(rivalry, {})
        return table[name](*args) if name in table else super()._rival(rivalry, name, args, kwargs)

    def _above(self, attempt_id: str) -> str:
        attempt = self.model.attempts.get(attempt_id)
        return "nothing" if attempt is None else str(attempt["assignment_id"])

    def _cancelling_above(self, attempt_id: str) -> Call:
        return "cancel", (self._above(attempt_id),), {}

    def _finishing_another(self, attempt_id: str) -> Call:
        """Return that another open attempt under the same assignment is finished, if there is."""
        under = self.model.attempts_under(self._above(attempt_id))
        others = (
            one["id"] for one in under if one["id"] != attempt_id and one["finished_at"] is None
        )
        return "finish", (next(others, attempt_id),), {}

    def _ending(self, assignment_id: str) -> Call:
        return "reschedule", (assignment_id, self.clock()), {}

    def _emptying(self, assignment_id: str) -> Call:
        """Return that all but the notes are taken out of the course, which are then required."""
        one = self.model.assignments.get(assignment_id)
        wanted = "draft" if one is None else one["course_id"]
        course = next(one for one in self.seen["courses"] if one.id == wanted)
        only = attrs.evolve(NOTES, required=True)
        return "update", (attrs.evolve(course, activities=[only]),), {}

    def _opening(self, subscription_id: str, *_: Any) -> Call:
        one = self.model.subscriptions.get(subscription_id)
        return "open_course", (subscription_id, one["course_ids"][0] if one else "py"), {}

    def _launching_below(self, subscription_id: str) -> Call:
        one = self.model.subscriptions.get(subscription_id)
        opened = [] if one is None else self.model.opened(one)
        return "start", (opened[-1]["id"] if opened else "nothing", LAB.id), {}

    def _reviving(self, subscription_id: str, course_id: str) -> Call:
        """Return that what was opened and is over gets a later end."""
        one = self.model.subscriptions.get(subscription_id)
        opened = [] if one is None else self.model.opened(one, course_id)
        if not opened:
            return self._archive(course_id)
        return "reschedule", (opened[-1]["id"], self.model.limit_of(opened[-1])[0]), {}

    # Learning.

    def _as(self, by: str | None, one: Facts | None) -> str | None:
        """Return *by*, or the learner of the assignment or subscription that is meant."""
        if by == "the learner":
            return "ada" if one is None else str(one["learner_id"])
        return by

    def _activity(self, assignment_id: str, pick: int) -> str:
        one = self.model.assignments.get(assignment_id)
        return "nothing" if one is None else self._pick(self.model.activities(one), pick)

    def _go_into(self, assignment_id: str) -> None:
        """Go to a time at which an assignment gives access."""
        one = self.model.assignments.get(assignment_id)
        if one is not None and self.model.status_at(one) != "active":
            self._go(one["created_at"])

    @precondition(RegistrarMachine.exists)
    @rule(pick=PICKS, activity=PICKS, move=moves(EDGES), id=IDS, by=OWN_ACTORS, rivalry=RIVALRY)
    def start(
        self,
        *,
        pick: int,
        activity: int,
        move: Any,
        id: str | None,
        by: str | None,
        rivalry: str | None,
    ) -> None:
        assignment_id = self._assignment(pick, move)
        by = self._as(by, self.model.assignments.get(assignment_id))
        self.armed = rivalry
        self.do("start", assignment_id, self._activity(assignment_id, activity), id=id, by=by)

    def _studied(self) -> bool:
        return bool(self.model.attempts)

    @precondition(_studied)
    @rule(
        pick=PICKS,
        verb=st.sampled_from(GOING_ON),
        move=moves(LESSON),
        by=OWN_ACTORS,
        rivalry=RUSH,
    )
    def go_on(
        self, *, pick: int, verb: str, move: Any, by: str | None, rivalry: str | None
    ) -> None:
        """Pause an attempt, resume or finish it, at the edges of what happened to it."""
        id_ = self._pick(self.model.attempts, pick)
        one = None
        if id_ in self.model.attempts:
            attempt = self.model.attempts[id_]
            one = self.model.assignments[attempt["assignment_id"]]
            self._move({**one, **attempt, "changed_at": last_change(attempt)}, move)
        self.armed = rivalry
        self.do(verb, id_, by=self._as(by, one))

    @precondition(RegistrarMachine.exists)
    @rule(
        pick=PICKS,
        activity=PICKS,
        verbs=VERBS,
        turn=st.integers(0, 3),
        id=IDS,
        regrets=st.sampled_from([None, {}, *[{"support_reason": "Never mind."}] * 2]),
        rivalry=RUSH,
    )
    def work_on(
        self,
        *,
        pick: int,
        activity: int,
        verbs: tuple[str, ...],
        turn: int,
        id: str | None,
        regrets: Any,
        rivalry: str | None,
    ) -> None:
        """Run an activity in one go, and then perhaps want to cancel all the same."""
        assignment_id = self._assignment(pick, None)
        activity_id = self._activity(assignment_id, activity)
        self._go_into(assignment_id)
        self.do("start", assignment_id, activity_id, id=id)
        for number, verb in enumerate(verbs):
            self.armed = rivalry if number == turn else None
            attempts = self.model.attempts_under(assignment_id, activity_id)
            if verb == "start":
                self.do("start", assignment_id, activity_id, id=id)
            else:
                self.do(verb, attempts[-1]["id"] if attempts else "nothing")
        if regrets is not None:
            self.do("cancel", assignment_id, **regrets)
            for one in self.model.attempts_under(assignment_id, activity_id)[-1:]:
                self.do("finish", one["id"])

    @precondition(RegistrarMachine.exists)
    @rule(
        pick=PICKS,
        rivalry=st.sampled_from([None, None, "the same", "something near", "something near"]),
        by=st.sampled_from([None, None, None, "the learner", "seller", "nobody"]),
    )
    def work_through(self, *, pick: int, rivalry: str | None, by: str | None) -> None:
        """Start all that is in a course, and then finish it."""
        assignment_id = self._assignment(pick, None)
        one = self.model.assignments.get(assignment_id)
        if one is None:
            return
        self._go_into(assignment_id)
        by = self._as(by, one)
        for number, activity_id in enumerate(self.model.activities(one)):
            # The first of all starts changes the assignment, the second need not.
            self.armed = rivalry if number == 1 else None
            self.do("start", assignment_id, activity_id, by=by)
        under = self.model.attempts_under(assignment_id)
        unfinished = [it["id"] for it in under if it["finished_at"] is None]
        for number, attempt_id in enumerate(unfinished, start=1):
            # The last two are finished at once.
            self.armed = rivalry if number == len(unfinished) - 1 else None
            self.do("finish", attempt_id, by=by)

    # Subscribing.

    @rule(
        learner_id=LEARNERS,
        course_ids=SETS,
        duration=DURATIONS,
        id=IDS,
        by=ACTORS,
        rivalry=RIVALRY,
    )
    def subscribe(
        self, *, learner_id: str, course_ids: list[str], rivalry: str | None, **options: Any
    ) -> None:
        self.armed = rivalry
        self.do("subscribe", course_ids, learner_id, **options)

    def _subscribed(self) -> bool:
        return bool(self.model.subscriptions)

    def _subscription(self, pick: int, move: Any) -> str:
        id_ = self._pick(self.model.subscriptions, pick)
        if id_ in self.model.subscriptions:
            self._move(self.model.subscriptions[id_], move)
        return id_

    @precondition(_subscribed)
    @rule(
        pick=PICKS,
        move=moves(EDGES),
        course_ids=st.one_of(SETS, SETS, st.none()),
        why=st.sampled_from([None, None, None, "Moved.", " "]),
        by=ACTORS,
        rivalry=RUSH,
    )
    def change_a_subscription(
        self,
        *,
        pick: int,
        move: Any,
        course_ids: list[str] | None,
        why: str | None,
        by: str | None,
        rivalry: str | None,
    ) -> None:
        """Give it another set, or cancel it."""
        id_ = self._subscription(pick, move)
        self.armed = rivalry
        if course_ids is not None:
            self.do("edit_subscription", id_, course_ids, by=by)
        else:
            self.do("cancel_subscription", id_, support_reason=why, by=by)

    @precondition(_subscribed)
    @rule(
        pick=PICKS,
        course=PICKS | COURSES,
        move=moves(EDGES),
        late=st.sampled_from([None, NOW, TICK]),
        id=IDS,
        by=OWN_ACTORS,
        rivalry=RUSH,
    )
    def open_course(
        self,
        *,
        pick: int,
        course: int | str,
        move: Any,
        late: timedelta | None,
        id: str | None,
        by: str | None,
        rivalry: str | None,
    ) -> None:
        """Open a course, and then perhaps give what was opened the latest end, or a later one."""
        subscription_id = self._subscription(pick, move)
        by = self._as(by, self.model.subscriptions.get(subscription_id))
        self.armed = rivalry
        course_id = self._course(subscription_id, course)
        self.do("open_course", subscription_id, course_id, id=id, by=by)
        if late is not None and subscription_id in self.model.subscriptions:
            for one in self.model.opened(self.model.subscriptions[subscription_id])[-1:]:
                self.do("reschedule", one["id"], self.model.limit_of(one)[0] + late)

    def _course(self, subscription_id: str, course: int | str) -> str:
        """Return a course, or one of those that a subscription opens."""
        one = self.model.subscriptions.get(subscription_id)
        if isinstance(course, str) or one is None:
            return course if isinstance(course, str) else "py"
        return str(one["course_ids"][course % len(one["course_ids"])])

    @precondition(_subscribed)
    @rule(
        pick=PICKS,
        course=PICKS,
        meanwhile=st.lists(MEANWHILE, max_size=3),
        then=st.sampled_from(["open_course", "cancel_subscription"]),
        why=st.sampled_from([None, "Moved."]),
        rivalry=RUSH,
    )
    def open_again(
        self,
        *,
        pick: int,
        course: int,
        meanwhile: list[str],
        then: str,
        why: str | None,
        rivalry: str | None,
    ) -> None:
        """Open a course, and once more or cancel it all, after some things happened."""
        id_ = self._subscription(pick, ("created_at", timedelta(0)))
        if id_ not in self.model.subscriptions:
            return
        course_id = self._course(id_, course)
        self.do("open_course", id_, course_id)
        for number, what in enumerate(meanwhile):
            self.armed = rivalry if number else None
            self._meanwhile(what, id_, course_id)
        self.armed = rivalry
        if then == "open_course":
            self.do(then, id_, course_id)
        else:
            self.do(then, id_, support_reason=why)

    def _meanwhile(self, what: str, subscription_id: str, course_id: str) -> None:
        one = self.model.subscriptions[subscription_id]
        opened = self.model.opened(one, course_id)
        match what:
            case "open":
                self.do("open_course", subscription_id, course_id)
            case "leave":
                self.do(
                    "edit_subscription", subscription_id, ["sql" if course_id == "py" else "py"]
                )
            case "join":
                self.do("edit_subscription", subscription_id, [course_id])
            case _ if not opened:
                return
            case "study" | "launch":
                activity_id = NOTES.id if what == "study" else LAB.id
                self.do("start", opened[-1]["id"], activity_id)
            case "cancel":
                self.do("cancel", opened[-1]["id"])
            case "end":
                self.do("reschedule", opened[-1]["id"], self.clock())
            case _:
                self.do("reschedule", opened[0]["id"], self.model.limit_of(opened[0])[0])

    # Ids that are in use.

    @rule(
        pick=PICKS,
        activity=st.none() | PICKS,
        learner_id=st.none() | LEARNERS,
        course_ids=st.none() | SETS,
    )
    def say_it_again(
        self,
        *,
        pick: int,
        activity: int | None,
        learner_id: str | None,
        course_ids: list[str] | None,
    ) -> None:
        """Start, subscribe and open under the ids that are in use: what they stand for, or not."""
        named = {id_: said for (of, id_), (said, _) in self.model.receipts.items() if of == "start"}
        if (id_ := self._pick(named, pick)) in named:
            above, own = named[id_]
            activity_id = own if activity is None else self._activity(above, activity)
            self.do("start", above, activity_id, id=id_)
        if (id_ := self._pick(self.model.subscriptions, pick)) in self.model.subscriptions:
            one = self.model.subscriptions[id_]
            who, which = learner_id or one["learner_id"], course_ids or one["course_ids"]
            self.do("subscribe", which, who, duration=DAY, id=id_)
            for course_id, assignment_id in one["openings"][-1:]:
                self.do("open_course", id_, course_id, id=assignment_id)
                self.do("open_course", id_, which[0], id=assignment_id)

    # What holds after every step, read from the repository alone.

    @invariant()
    def holds_of_learning(self) -> None:
        self._attempts_are_counted_from_one_and_the_last_alone_is_open()
        self._a_lab_marks_its_assignment_which_is_never_cancelled()
        self._what_is_complete_was_completed_by_hand_or_by_the_last_that_was_required()
        self._a_cancelled_subscription_leaves_nothing_open()
        self._each_opening_is_counted_once_and_ends_with_its_subscription()

    def _attempts_are_counted_from_one_and_the_last_alone_is_open(self) -> None:
        attempts = self._found("attempts")
        most = Counter((one.assignment_id, one.activity_id) for one in attempts)
        numbers = {(one.assignment_id, one.activity_id, one.number) for one in attempts}
        assert numbers == {(*of, it) for of, last in most.items() for it in range(1, last + 1)}
        for one in attempts:
            assert not one.is_open or one.number == most[one.assignment_id, one.activity_id]

    def _a_lab_marks_its_assignment_which_is_never_cancelled(self) -> None:
        launched: dict[str, Any] = {}
        for one in self._found("attempts"):
            if one.activity_id == LAB.id and one.number == 1:
                launched[one.assignment_id] = one.started_at
        for one in self._found("assignments"):
            assert one.first_lab_launched_at == launched.get(one.id)
            assert one.cancelled_at is None or one.id not in launched

    def _what_is_complete_was_completed_by_hand_or_by_the_last_that_was_required(self) -> None:
        completed = {one.id for one in self._found("assignments") if one.completed_at is not None}
        assert completed == self.completed

    def _opened(self) -> dict[str, list[CourseAssignment]]:
        found: dict[str, list[CourseAssignment]] = {}
        for one in self._found("assignments"):
            if isinstance(one.origin, FromSubscription):
                found.setdefault(one.origin.subscription_id, []).append(one)
        return found

    def _a_cancelled_subscription_leaves_nothing_open(self) -> None:
        opened = self._opened()
        for one in self._found("subscriptions"):
            if one.cancelled_at is not None:
                assert all(it.cancelled_at is not None for it in opened.get(one.id, []))

    def _each_opening_is_counted_once_and_ends_with_its_subscription(self) -> None:
        opened = self._opened()
        for one in self._found("subscriptions"):
            own = opened.pop(one.id, [])
            counted = sorted((it.course_id, it.assignment_id) for it in one.openings)
            assert counted == sorted((it.course_id, it.id) for it in own)
            for it in own:
                assert it.learner_id == one.learner_id
                assert one.created_at <= it.created_at < it.expires_at <= one.expires_at
        assert not opened
