"""What learners do, and what their subscriptions open, said a second time: dicts and sentences.

As in `tests.support.model`, nothing here calls a policy, an action or a repository.
"""

from collections.abc import Iterable
from typing import Any

from course_assignments import Duration
from tests.support.model import (
    ASSIGNING,
    CONFLICT,
    Expected,
    Facts,
    Model,
    Said,
    after,
    facts,
    first,
    refused,
    returns,
)


def last_change(attempt: Facts) -> Any:
    """Return when the last thing happened to an attempt."""
    told = [attempt["started_at"]]
    for pause in attempt["pauses"]:
        told += [one for one in pause if one is not None]
    return attempt["finished_at"] or told[-1]


def resting_since(attempt: Facts) -> Any:
    """Return since when an attempt that is open is paused, if it is."""
    pauses = attempt["pauses"]
    rests = attempt["finished_at"] is None and pauses and pauses[-1][1] is None
    return pauses[-1][0] if rests else None


class WholeModel(Model):
    """All that is stored, and what every command of the registrar makes of it."""

    # Learning.

    def attempts_under(self, assignment_id: str, activity_id: str | None = None) -> list[Facts]:
        """Return the attempts under an assignment, of all activities or of one."""
        return [
            one
            for one in self.attempts.values()
            if one["assignment_id"] == assignment_id and activity_id in (None, one["activity_id"])
        ]

    def activities(self, assignment: Facts) -> dict[str, Any]:
        """Return what the course of an assignment consists of now."""
        return {one.id: one for one in self.courses[assignment["course_id"]]["activities"]}

    def own_acting(self, by: str | None, learner_id: str) -> list[Said]:
        """Rule 21: nobody needs a role to act for themself; for another, the creating ones."""
        organization_id = self.users[learner_id]["organization_id"]
        return self.acting(None if by == learner_id else by, organization_id, ASSIGNING)

    def _outside(self, assignment: Facts) -> list[Said]:
        """Rule 5: "as long as ... active = not cancelled and created <= at < expires"."""
        over = assignment["expires_at"] <= self.at
        ended = [("assignment_expired", assignment["expires_at"])] if over else []
        return [*self.changing(assignment), *ended]

    def _unheard_of(self, *attempts: Facts) -> list[Said]:
        """Section 4: "clocks do go back", and nothing happens before what happened already."""
        known = (last_change(one) for one in attempts)
        return list(dict.fromkeys(("attempt_ahead", one) for one in known if one > self.at))

    def start(
        self,
        assignment_id: str,
        activity_id: str,
        *,
        id: str | None = None,
        by: str | None = None,
    ) -> Expected:
        """Rules 3, 5 and 21: "start ... and retake labs and activities"."""
        again = self.repeated("start", id, (assignment_id, activity_id))
        if again is not None:
            return again
        if assignment_id not in self.assignments:
            return Expected(tuple(self.missing(by, (self.assignments, assignment_id))))
        one = self.assignments[assignment_id]
        activities = self.activities(one)
        earlier = self.attempts_under(assignment_id, activity_id)

        def reasons() -> list[Said]:
            return [
                *self.own_acting(by, one["learner_id"]),
                *self._outside(one),
                *(("attempt_open", it["id"]) for it in earlier if it["finished_at"] is None),
                *self._unheard_of(*earlier),
            ]

        def store(made: Any) -> None:
            assert made.id not in self.attempts
            self.attempts[made.id] = {
                "id": made.id,
                "assignment_id": assignment_id,
                "activity_id": activity_id,
                "number": len(earlier) + 1,
                "started_at": self.at,
                "pauses": (),
                "finished_at": None,
            }
            if id is not None:
                self.receipts["start", id] = ((assignment_id, activity_id), made.id)
            assert facts(made) == self.attempts[made.id]
            if one["started_at"] is None:
                one["started_at"] = self.at
            lab = activities[activity_id].kind.value == "lab"
            if lab and one["first_lab_launched_at"] is None:
                one["first_lab_launched_at"] = self.at
            self.happened("start", by)

        return self.judged(self.missing(by, (activities, activity_id)), reasons, store)

    def _lesson(self, attempt_id: str, by: str | None) -> list[Said]:
        return self.missing(by, (self.attempts, attempt_id))

    def _against_going_on(self, attempt: Facts, by: str | None) -> list[Said]:
        """Return what speaks against any change of an attempt, but for the end of access."""
        one = self.assignments[attempt["assignment_id"]]
        over = attempt["finished_at"]
        return [
            *self.own_acting(by, one["learner_id"]),
            *self.changing(one),
            *([] if over is None else [("no_attempt_open", over)]),
            *self._unheard_of(attempt),
        ]

    def pause(self, attempt_id: str, *, by: str | None = None) -> Expected:
        """Rules 5 and 21."""
        faults = self._lesson(attempt_id, by)
        if faults:
            return Expected(tuple(faults))
        attempt = self.attempts[attempt_id]

        def reasons() -> Iterable[Said]:
            since = resting_since(attempt)
            return {
                *self._against_going_on(attempt, by),
                *self._outside(self.assignments[attempt["assignment_id"]]),
                *([] if since is None else [("attempt_paused", since)]),
            }

        def store(made: Any) -> None:
            attempt["pauses"] += ((self.at, None),)
            assert facts(made) == attempt
            self.happened("pause", by)

        return self.judged([], reasons, store)

    def resume(self, attempt_id: str, *, by: str | None = None) -> Expected:
        """Rule 5: "open when the assignment ends can be finished, not resumed"."""
        faults = self._lesson(attempt_id, by)
        if faults:
            return Expected(tuple(faults))
        attempt = self.attempts[attempt_id]

        def reasons() -> Iterable[Said]:
            runs = attempt["finished_at"] is None and resting_since(attempt) is None
            return {
                *self._against_going_on(attempt, by),
                *self._outside(self.assignments[attempt["assignment_id"]]),
                *([("attempt_not_paused",)] if runs else []),
            }

        def store(made: Any) -> None:
            *before, (since, _) = attempt["pauses"]
            attempt["pauses"] = (*before, (since, self.at))
            assert facts(made) == attempt
            self.happened("resume", by)

        return self.judged([], reasons, store)

    def finish(self, attempt_id: str, *, by: str | None = None) -> Expected:
        """Rule 5: "all required activities finished = complete", if there are any."""
        faults = self._lesson(attempt_id, by)
        if faults:
            return Expected(tuple(faults))
        attempt = self.attempts[attempt_id]
        one = self.assignments[attempt["assignment_id"]]

        def store(made: Any) -> None:
            attempt["finished_at"] = self.at
            assert facts(made) == attempt
            one["finished"] |= {attempt["activity_id"]}
            self.happened("finish", by)
            needed = [it.id for it in self.activities(one).values() if it.required]
            left = [it for it in needed if it not in one["finished"]]
            if needed and not left and one["completed_at"] is None:
                one["completed_at"] = self.at
                self.happened("complete", by)

        return self.judged([], lambda: self._against_going_on(attempt, by), store)

    # Subscribing.

    def subscribe(
        self,
        course_ids: Iterable[str],
        learner_id: str,
        *,
        duration: Duration,
        id: str | None = None,
        by: str | None = None,
    ) -> Expected:
        """Rules 19, 21 and 22."""
        wanted = tuple(dict.fromkeys(course_ids))
        if id in self.subscriptions:
            made = self.subscriptions[id]
            same = made["edited_at"] is not None or made["course_ids"] == wanted
            same = same and made["learner_id"] == learner_id
            return Expected((), returns(made["id"])) if same else CONFLICT
        courses = ((self.courses, one) for one in wanted)
        faults = self.missing(by, (self.users, learner_id), *courses)
        if faults:
            return Expected(tuple(faults))
        organization_id = self.users[learner_id]["organization_id"]

        def reasons() -> list[Said]:
            return [*self.acting(by, organization_id, ASSIGNING), *self._none_missing(wanted)]

        def store(made: Any) -> None:
            assert id in (None, made.id)
            assert made.id not in self.subscriptions
            self.subscriptions[made.id] = {
                "id": made.id,
                "learner_id": learner_id,
                "organization_id": organization_id,
                "course_ids": wanted,
                "created_at": self.at,
                "expires_at": after(duration, self.at, self.zone(organization_id)),
                "edited_at": None,
                "cancelled_at": None,
                "openings": (),
            }
            assert facts(made) == self.subscriptions[made.id]
            self.happened("subscribe", by)

        return self.judged([], reasons, store)

    def _none_missing(self, course_ids: Iterable[str]) -> list[Said]:
        return [reason for one in course_ids for reason in self.available(one)]

    def _shut(self, subscription: Facts) -> list[Said]:
        """Rule 19: a subscription opens courses from its creation to just before its end."""
        reasons: list[Said] = []
        if self.at < subscription["created_at"]:
            reasons.append(("subscription_not_active", subscription["created_at"]))
        end, cancelled_at = subscription["expires_at"], subscription["cancelled_at"]
        if cancelled_at is not None:
            reasons.append(("subscription_ended", min(end, cancelled_at)))
        elif end <= self.at:
            reasons.append(("subscription_ended", end))
        return reasons

    def edit_subscription(
        self, subscription_id: str, course_ids: Iterable[str], *, by: str | None = None
    ) -> Expected:
        """Rules 19, 21 and 22: what is new in the set has to be available."""
        wanted = tuple(dict.fromkeys(course_ids))
        courses = ((self.courses, one) for one in wanted)
        faults = self.missing(by, (self.subscriptions, subscription_id), *courses)
        if faults:
            return Expected(tuple(faults))
        one = self.subscriptions[subscription_id]
        organization_id = self.users[one["learner_id"]]["organization_id"]
        new = [it for it in wanted if it not in one["course_ids"]]

        def reasons() -> list[Said]:
            acting = self.acting(by, organization_id, ASSIGNING)
            return [*acting, *self._shut(one), *self._none_missing(new)]

        def store(made: Any) -> None:
            if wanted != one["course_ids"]:
                one.update(course_ids=wanted, edited_at=self.at)
                self.happened("edit_subscription", by)
            assert facts(made) == one

        return self.judged([], reasons, store)

    def opened(self, subscription: Facts, course_id: str | None = None) -> list[Facts]:
        """Return the assignments that came of a subscription, of all courses or of one."""
        return [
            self.assignments[assignment_id]
            for course, assignment_id in subscription["openings"]
            if course_id in (None, course)
        ]

    def cancel_subscription(
        self, subscription_id: str, *, support_reason: str | None = None, by: str | None = None
    ) -> Expected:
        """Rules 3, 4, 19 and 21: it, and every assignment opened from it."""
        faults = self.missing(by, (self.subscriptions, subscription_id))
        if support_reason is not None and not support_reason.strip():
            faults.append(("invalid",))
        if faults:
            return Expected(tuple(faults))
        one = self.subscriptions[subscription_id]
        standing = [it for it in self.opened(one) if it["cancelled_at"] is None]

        def reasons() -> list[Said]:
            return [
                *self.cancelling(by, one["learner_id"], support_reason),
                *(
                    # "not active" is said of the subscription itself
                    ("subscription_not_active", said[1])
                    if said[0] == "assignment_not_active"
                    else said
                    for said in self.against_cancelling(one, support_reason)
                ),
                *dict.fromkeys(
                    (it["course_id"], it["learner_id"], reason)
                    for it in standing
                    for reason in self.against_cancelling(it, support_reason)
                ),
            ]

        def store(made: Any) -> None:
            for it in (one, *standing):
                it["cancelled_at"] = self.at
            assert facts(made) == one
            self.happened("cancel_subscription", by, support_reason)

        return self.judged([], reasons, store)

    def open_course(
        self,
        subscription_id: str,
        course_id: str,
        *,
        id: str | None = None,
        by: str | None = None,
    ) -> Expected:
        """Rule 19: "while that assignment is active the same one; after it ended, a new one"."""
        if id in self.assignments:
            made = self.assignments[id]
            as_made = (made["course_id"], made["origin"])
            same = as_made == (course_id, ("subscription", subscription_id))
            return Expected((), returns(made["id"])) if same else CONFLICT
        faults = self.missing(by, (self.subscriptions, subscription_id), (self.courses, course_id))
        if faults:
            return Expected(tuple(faults))
        one = self.subscriptions[subscription_id]
        learner = self.users[one["learner_id"]]
        acting = self.own_acting(by, learner["id"])
        own = {it["id"] for it in self.opened(one, course_id)}
        standing = [it["id"] for it in self.held(course_id, learner["id"]) if it["id"] in own]
        if standing:
            return refused(*acting) if acting else Expected((), returns(standing[0]))

        def reasons() -> list[Said]:
            inside = course_id in one["course_ids"]
            outside = [] if inside else [("course_not_in_subscription", course_id)]
            return [*acting, *self._shut(one), *outside, *self.available(course_id)]

        def store(made: Any) -> None:
            assert id in (None, made.id)
            origin = ("subscription", subscription_id)
            limit = self.limit(self.at, course_id, learner["organization_id"])
            end = first([limit, self.end_of_subscription(subscription_id)])
            self.keep_assignment(made.id, learner, course_id, end, origin=origin)
            one["openings"] += ((course_id, made.id),)
            self.happened("open_course", by)

        return self.judged([], reasons, store)
