"""Learning and subscriptions for the machine of `tests.support.machine`."""

from collections import Counter
from datetime import timedelta
from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

import course_assignments as ca
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
    Outcome,
    RegistrarMachine,
    call,
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
DURATIONS = st.sampled_from([DAY, DAY, 20 * DAY, 20 * DAY, ca.Months(1), ca.Months(6), 365 * DAY])
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

    def _settle(self, name: str, expected: Expected, outcome: Outcome, before: Any) -> None:
        super()._settle(name, expected, outcome, before)
        if outcome.error is None and name == "complete":
            self.completed.add(outcome.value.id)
        if outcome.error is None and name == "finish":
            self._finished(outcome.value.assignment_id)

    def _finished(self, assignment_id: str) -> None:
        one = next(it for it in self.seen["assignments"] if it.id == assignment_id)
        course = next(it for it in self.seen["courses"] if it.id == one.course_id)
        under = (it for it in self.seen["attempts"] if it.assignment_id == assignment_id)
        finished = {it.activity_id for it in under if it.finished_at}
        required = {it.id for it in course.activities if it.required}
        if required and finished >= required:
            self.completed.add(assignment_id)

    # Who is faster.

    def _rival(  # noqa: C901, PLR0911, PLR0912 - one case for each
        self, rivalry: str, name: str, args: Any, kwargs: Any
    ) -> Call:
        first = args[0]
        match rivalry, name:
            case "near", "start":
                return call("start", first, NOTES.id)
            case "near", "pause" | "resume":
                return call("finish", first)
            case "near", "finish":
                under = self.model.attempts_under(self._above(first))
                going = (one["id"] for one in under if one["finished_at"] is None)
                return call("finish", next((one for one in going if one != first), first))
            case "near", "subscribe":
                return call("subscribe", ["sql"], args[1], **kwargs)
            case "near", "edit_subscription" | "cancel_subscription":
                courses = self.model.subscriptions.get(first, {}).get("course_ids", ("py",))
                return call("open_course", first, courses[0])
            case "near", "open_course":
                return call("edit_subscription", first, ["draft"])
            case "against", "start":
                return call("cancel", first)
            case "against", "pause" | "resume" | "finish":
                return call("cancel", self._above(first))
            case "against", "subscribe":
                return self._archive(first[0])
            case "against", "edit_subscription" | "open_course":
                return call("cancel_subscription", first)
            case "against" | "rules", "cancel_subscription":
                opened = self._opened_from(first)
                return call("start", opened[-1]["id"] if opened else "nothing", LAB.id)
            case "rules", "start":
                return self._emptying(first)
            case "rules", "resume":
                return call("reschedule", self._above(first), self.clock())
            case "rules", "finish":
                return self._emptying(self._above(first))
            case "rules", "subscribe":
                return self._archive(first[-1])
            case "rules", "edit_subscription":
                return self._archive(args[1][0])
            case "rules", "open_course":
                # What was opened and is over gets a later end.
                opened = self._opened_from(first, args[1])
                if not opened:
                    return self._archive(args[1])
                return call("reschedule", opened[-1]["id"], self.model.limit_of(opened[-1])[0])
            case _:
                return super()._rival(rivalry, name, args, kwargs)

    def _above(self, attempt_id: str) -> str:
        return str(self.model.attempts.get(attempt_id, {}).get("assignment_id", "nothing"))

    def _opened_from(self, subscription_id: str, course_id: str | None = None) -> list[Facts]:
        one = self.model.subscriptions.get(subscription_id)
        return [] if one is None else self.model.opened(one, course_id)

    def _emptying(self, assignment_id: str) -> Call:
        """Return that the course is left with its notes alone, which are then required."""
        course_id = self.model.assignments.get(assignment_id, {}).get("course_id", "draft")
        return self._edit("courses", course_id, activities=[attrs.evolve(NOTES, required=True)])

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
    def start(self, *, pick: int, activity: int, move: Any, by: str | None, **options: Any) -> None:
        assignment_id = self._assignment(pick, move)
        by = self._as(by, self.model.assignments.get(assignment_id))
        self.do("start", assignment_id, self._activity(assignment_id, activity), by=by, **options)

    def _studied(self) -> bool:
        return bool(self.model.attempts)

    @precondition(_studied)
    @rule(
        pick=PICKS, verb=st.sampled_from(GOING_ON), move=moves(LESSON), by=OWN_ACTORS, rivalry=RUSH
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
        self.do(verb, id_, by=self._as(by, one), rivalry=rivalry)

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
        assignment_id = self._assignment(pick)
        activity_id = self._activity(assignment_id, activity)
        self._go_into(assignment_id)
        self.do("start", assignment_id, activity_id, id=id)
        for number, verb in enumerate(verbs):
            faster = rivalry if number == turn else None
            attempts = self.model.attempts_under(assignment_id, activity_id)
            if verb == "start":
                self.do("start", assignment_id, activity_id, id=id, rivalry=faster)
            else:
                self.do(verb, attempts[-1]["id"] if attempts else "nothing", rivalry=faster)
        if regrets is not None:
            self.do("cancel", assignment_id, **regrets)
            for one in self.model.attempts_under(assignment_id, activity_id)[-1:]:
                self.do("finish", one["id"])

    @precondition(RegistrarMachine.exists)
    @rule(
        pick=PICKS,
        rivalry=st.sampled_from([None, None, "same", "near", "near"]),
        by=st.sampled_from([None, None, None, "the learner", "seller", "nobody"]),
    )
    def work_through(self, *, pick: int, rivalry: str | None, by: str | None) -> None:
        """Start all that is in a course, and then finish it."""
        assignment_id = self._assignment(pick)
        one = self.model.assignments.get(assignment_id)
        if one is None:
            return
        self._go_into(assignment_id)
        by = self._as(by, one)
        for number, activity_id in enumerate(self.model.activities(one)):
            # The first of all starts changes the assignment, the second need not.
            faster = rivalry if number == 1 else None
            self.do("start", assignment_id, activity_id, by=by, rivalry=faster)
        under = self.model.attempts_under(assignment_id)
        unfinished = [it["id"] for it in under if it["finished_at"] is None]
        for number, attempt_id in enumerate(unfinished, start=1):
            # The last two are finished at once.
            faster = rivalry if number == len(unfinished) - 1 else None
            self.do("finish", attempt_id, by=by, rivalry=faster)

    # Subscribing.

    @rule(
        learner_id=LEARNERS, course_ids=SETS, duration=DURATIONS, id=IDS, by=ACTORS, rivalry=RIVALRY
    )
    def subscribe(self, *, learner_id: str, course_ids: list[str], **options: Any) -> None:
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
        self, *, pick: int, move: Any, course_ids: list[str] | None, why: str | None, **options: Any
    ) -> None:
        """Give it another set of courses, or cancel it."""
        id_ = self._subscription(pick, move)
        if course_ids is not None:
            self.do("edit_subscription", id_, course_ids, **options)
        else:
            self.do("cancel_subscription", id_, support_reason=why, **options)

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
        by: str | None,
        **options: Any,
    ) -> None:
        """Open a course, and then perhaps give what was opened the latest end, or a later one."""
        subscription_id = self._subscription(pick, move)
        by = self._as(by, self.model.subscriptions.get(subscription_id))
        course_id = self._course(subscription_id, course)
        self.do("open_course", subscription_id, course_id, by=by, **options)
        if late is not None:
            for one in self._opened_from(subscription_id)[-1:]:
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
            command = self._meanwhile(what, id_, course_id)
            if command is not None:
                name, args, _ = command
                self.do(name, *args, rivalry=rivalry if number else None)
        if then == "open_course":
            self.do(then, id_, course_id, rivalry=rivalry)
        else:
            self.do(then, id_, support_reason=why, rivalry=rivalry)

    def _meanwhile(self, what: str, subscription_id: str, course_id: str) -> Call | None:
        opened = self._opened_from(subscription_id, course_id)
        last = opened[-1]["id"] if opened else "nothing"
        other = "sql" if course_id == "py" else "py"
        commands = {
            "open": call("open_course", subscription_id, course_id),
            "leave": call("edit_subscription", subscription_id, [other]),
            "join": call("edit_subscription", subscription_id, [course_id]),
        }
        if opened:
            commands |= {
                "study": call("start", last, NOTES.id),
                "launch": call("start", last, LAB.id),
                "cancel": call("cancel", last),
                "end": call("reschedule", last, self.clock()),
                "revive": call("reschedule", opened[0]["id"], self.model.limit_of(opened[0])[0]),
            }
        return commands.get(what)

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
        said = self._said("start")
        if (id_ := self._pick(said, pick)) in said:
            above, own = said[id_]
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
    def attempts_are_numbered_and_only_the_last_is_open(self) -> None:
        attempts = self.seen["attempts"]
        most = Counter((one.assignment_id, one.activity_id) for one in attempts)
        numbers = {(one.assignment_id, one.activity_id, one.number) for one in attempts}
        assert numbers == {(*of, it) for of, last in most.items() for it in range(1, last + 1)}
        for one in attempts:
            assert not one.is_open or one.number == most[one.assignment_id, one.activity_id]

    @invariant()
    def a_lab_marks_its_assignment_which_is_never_cancelled(self) -> None:
        launched = {
            one.assignment_id: one.started_at
            for one in self.seen["attempts"]
            if one.activity_id == LAB.id and one.number == 1
        }
        for one in self.seen["assignments"]:
            assert one.first_lab_launched_at == launched.get(one.id)
            assert one.cancelled_at is None or one.id not in launched

    @invariant()
    def what_is_complete_was_completed_by_hand_or_by_the_last_activity(self) -> None:
        assignments = self.seen["assignments"]
        assert {one.id for one in assignments if one.completed_at is not None} == self.completed

    @invariant()
    def subscriptions_and_what_was_opened_from_them_agree(self) -> None:
        opened: dict[str, list[ca.CourseAssignment]] = {}
        for one in self.seen["assignments"]:
            if isinstance(one.origin, ca.FromSubscription):
                opened.setdefault(one.origin.subscription_id, []).append(one)
        for one in self.seen["subscriptions"]:
            own = opened.pop(one.id, [])
            counted = sorted((it.course_id, it.assignment_id) for it in one.openings)
            assert counted == sorted((it.course_id, it.id) for it in own)
            for it in own:
                assert it.learner_id == one.learner_id
                assert one.created_at <= it.created_at < it.expires_at
                extended = it.limited_by is ca.ExpirationLimit.SUPPORT
                assert extended or it.expires_at <= one.expires_at
                assert one.cancelled_at is None or it.cancelled_at is not None
        assert not opened
