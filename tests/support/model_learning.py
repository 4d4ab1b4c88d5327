"""Learning and subscriptions for the model: what `tests.support.model` leaves out."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from course_assignments import Duration
from tests.support.model import Facts, Id, Model, Said, Steps, blank, facts, first, returned
from tests.support.rules import counted


def last_change(attempt: Facts) -> datetime:
    """Return when something last happened to an attempt."""
    known = [attempt["started_at"], *(one for pause in attempt["pauses"] for one in pause if one)]
    latest: datetime = attempt["finished_at"] or known[-1]
    return latest


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

    def _outside(self, assignment: Facts) -> list[Said]:
        """Rule 5: "as long as ... active = not cancelled and created <= at < expires"."""
        over = assignment["expires_at"] <= self.at
        ended = [("assignment_expired", assignment["expires_at"])] if over else []
        return [*self.changing(assignment), *ended]

    def _ahead(self, *attempts: Facts) -> list[Said]:
        """Section 4: "clocks do go back", and nothing happens before what happened already."""
        return [("attempt_ahead", known) for known in map(last_change, attempts) if known > self.at]

    def start(self, assignment_id: str, activity_id: str, *, id: Id = None, by: Id = None) -> Steps:
        """Rules 3, 5 and 21: "start ... and retake labs and activities"."""
        before = self.made_before("start", id, (assignment_id, activity_id))
        if before is not None:
            yield from returned(before)
            return
        if assignment_id not in self.assignments:
            self.require(by, (self.assignments, assignment_id))
        one = self.assignments[assignment_id]
        activities = self.activities(one)
        self.require(by, (activities, activity_id))
        earlier = self.attempts_under(assignment_id, activity_id)
        self.reach(one["created_at"], *map(last_change, earlier))
        made = yield [
            *self.acting_for(by, one["learner_id"], own=True),
            *self._outside(one),
            *(("attempt_open", it["id"]) for it in earlier if it["finished_at"] is None),
            *self._ahead(*earlier),
        ]
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
        assert facts(made) == self.attempts[made.id]
        if id is not None:
            self.receipts["start", id] = ((assignment_id, activity_id), made.id)
        one["started_at"] = one["started_at"] or self.at
        if activities[activity_id].kind.value == "lab":
            one["first_lab_launched_at"] = one["first_lab_launched_at"] or self.at
        self.happened("start", by)

    def _attempt(self, attempt_id: str, by: Id) -> tuple[Facts, Facts, list[Said]]:
        """Return an attempt, its assignment, and the reasons against any change of it."""
        attempt = self.found(by, self.attempts, attempt_id)
        one = self.assignments[attempt["assignment_id"]]
        self.reach(one["created_at"], last_change(attempt))
        over = attempt["finished_at"]
        against = [
            *self.acting_for(by, one["learner_id"], own=True),
            *self.changing(one),
            *([] if over is None else [("no_attempt_open", over)]),
            *self._ahead(attempt),
        ]
        return attempt, one, against

    def pause(self, attempt_id: str, *, by: Id = None) -> Steps:
        """Rules 5 and 21."""
        attempt, one, against = self._attempt(attempt_id, by)
        since = resting_since(attempt)
        resting = [] if since is None else [("attempt_paused", since)]
        made = yield [*against, *self._outside(one), *resting]
        attempt["pauses"] += ((self.at, None),)
        assert facts(made) == attempt
        self.happened("pause", by)

    def resume(self, attempt_id: str, *, by: Id = None) -> Steps:
        """Rule 5: "open when the assignment ends can be finished, not resumed"."""
        attempt, one, against = self._attempt(attempt_id, by)
        runs = attempt["finished_at"] is None and resting_since(attempt) is None
        running = [("attempt_not_paused",)] if runs else []
        made = yield [*against, *self._outside(one), *running]
        *before, (since, _) = attempt["pauses"]
        attempt["pauses"] = (*before, (since, self.at))
        assert facts(made) == attempt
        self.happened("resume", by)

    def finish(self, attempt_id: str, *, by: Id = None) -> Steps:
        """Rule 5: "all required activities finished = complete", if there are any."""
        attempt, one, against = self._attempt(attempt_id, by)
        made = yield against
        attempt["finished_at"] = self.at
        assert facts(made) == attempt
        one["finished"] |= {attempt["activity_id"]}
        self.happened("finish", by)
        needed = {it.id for it in self.activities(one).values() if it.required}
        if needed and needed <= one["finished"] and one["completed_at"] is None:
            one["completed_at"] = self.at
            self.happened("complete", by)

    # Subscribing.

    def subscribe(
        self,
        course_ids: Iterable[str],
        learner_id: str,
        *,
        duration: Duration,
        id: Id = None,
        by: Id = None,
    ) -> Steps:
        """Rules 19, 21 and 22."""
        wanted = tuple(dict.fromkeys(course_ids))
        if id in self.subscriptions:
            before = self.subscriptions[id]
            same = before["edited_at"] is not None or before["course_ids"] == wanted
            yield from returned(id, same=same and before["learner_id"] == learner_id)
            return
        self.require(by, (self.users, learner_id), *((self.courses, one) for one in wanted))
        organization_id = self.users[learner_id]["organization_id"]
        made = yield [*self.acting(by, organization_id), *self._all_available(wanted)]
        assert id in (None, made.id)
        assert made.id not in self.subscriptions
        self.subscriptions[made.id] = {
            "id": made.id,
            "learner_id": learner_id,
            "organization_id": organization_id,
            "course_ids": wanted,
            "created_at": self.at,
            "expires_at": counted(duration, self.at, self.zone(organization_id)),
            "edited_at": None,
            "cancelled_at": None,
            "openings": (),
        }
        assert facts(made) == self.subscriptions[made.id]
        self.happened("subscribe", by)

    def _all_available(self, course_ids: Iterable[str]) -> list[Said]:
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
        self, subscription_id: str, course_ids: Iterable[str], *, by: Id = None
    ) -> Steps:
        """Rules 19, 21 and 22: what is new in the set has to be available."""
        wanted = tuple(dict.fromkeys(course_ids))
        courses = ((self.courses, one) for one in wanted)
        self.require(by, (self.subscriptions, subscription_id), *courses)
        one = self.subscriptions[subscription_id]
        self.reach(one["created_at"])
        acting = self.acting_for(by, one["learner_id"])
        new = [it for it in wanted if it not in one["course_ids"]]
        made = yield [*acting, *self._shut(one), *self._all_available(new)]
        if wanted != one["course_ids"]:
            one.update(course_ids=wanted, edited_at=self.at)
            self.happened("edit_subscription", by)
        assert facts(made) == one

    def opened(self, subscription: Facts, course_id: str | None = None) -> list[Facts]:
        """Return the assignments that came of a subscription, of all courses or of one."""
        return [
            self.assignments[assignment_id]
            for course, assignment_id in subscription["openings"]
            if course_id in (None, course)
        ]

    def cancel_subscription(
        self, subscription_id: str, *, support_reason: str | None = None, by: Id = None
    ) -> Steps:
        """Rules 3, 4, 19 and 21: it, and every assignment opened from it."""
        one = self.found(by, self.subscriptions, subscription_id, also=blank(support_reason))
        standing = [it for it in self.opened(one) if it["cancelled_at"] is None]
        self.reach(*(it["created_at"] for it in (one, *standing)))
        against = self.against_cancelling(one, support_reason)
        made = yield [
            *self.supporting(by, one["learner_id"], support_reason),
            *(
                # "not active" is said of the subscription itself
                ("subscription_not_active", said[1]) if said[0] == "assignment_not_active" else said
                for said in against
            ),
            *(
                (it["course_id"], it["learner_id"], reason)
                for it in standing
                for reason in self.against_cancelling(it, support_reason)
            ),
        ]
        for it in (one, *standing):
            it["cancelled_at"] = self.at
        assert facts(made) == one
        self.happened("cancel_subscription", by, support_reason)

    def open_course(
        self, subscription_id: str, course_id: str, *, id: Id = None, by: Id = None
    ) -> Steps:
        """Rule 19: "while that assignment is active the same one; after it ended, a new one"."""
        origin = ("subscription", subscription_id)
        if id in self.assignments:
            before = self.assignments[id]
            same = (before["course_id"], before["origin"]) == (course_id, origin)
            yield from returned(id, same=same)
            return
        opened = self.made_before("open_course", id, (subscription_id, course_id))
        if opened is not None:
            yield from returned(opened)
            return
        self.require(by, (self.subscriptions, subscription_id), (self.courses, course_id))
        one = self.subscriptions[subscription_id]
        self.reach(one["created_at"])
        learner = self.users[one["learner_id"]]
        acting = self.acting_for(by, learner["id"], own=True)
        own = {it["id"] for it in self.opened(one, course_id)}
        standing = [it["id"] for it in self.held(course_id, learner["id"]) if it["id"] in own]
        if standing:
            yield from returned(standing[0], against=acting)
            self.keep_receipt("open_course", id, (subscription_id, course_id), standing[0])
            return
        inside = course_id in one["course_ids"]
        outside = [] if inside else [("course_not_in_subscription", course_id)]
        made = yield [*acting, *self._shut(one), *outside, *self.available(course_id)]
        assert id in (None, made.id)
        limit = self.limit(self.at, course_id, learner["organization_id"])
        end = first([limit, self.end_of_subscription(subscription_id)])
        self.keep_assignment(made.id, learner, course_id, end, origin=origin)
        one["openings"] += ((course_id, made.id),)
        self.keep_receipt("open_course", id, (subscription_id, course_id), made.id)
        self.happened("open_course", by)
