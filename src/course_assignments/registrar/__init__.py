"""The registrar: executes commands on a repository, with one method for each."""

from collections.abc import Iterable, Iterator

from course_assignments.commands.assigning import Assign, AssignMany
from course_assignments.commands.changing import AddNote, Cancel, Complete, Reschedule
from course_assignments.commands.keys import (
    UNSET,
    AddKeys,
    CreateKeys,
    EditKeys,
    Keys,
    RevokeKey,
    RevokeKeys,
    Unset,
)
from course_assignments.commands.learning import Finish, Pause, Resume, Start
from course_assignments.commands.profiles import Add, Anonymize, P, Profile, Update
from course_assignments.commands.redeeming import Redeem, Register
from course_assignments.commands.subscribing import (
    CancelSubscription,
    EditSubscription,
    OpenCourse,
    Subscribe,
)
from course_assignments.decisions import Decision
from course_assignments.entities.assignments import AssignmentBatch, CourseAssignment, Note
from course_assignments.entities.attempts import Attempt
from course_assignments.entities.enums import Repeat
from course_assignments.entities.keys import KeyBatch, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Subscription
from course_assignments.queries import MAX_PAGE, KeyQuery
from course_assignments.registrar.runner import Runner
from course_assignments.repository import find_all
from course_assignments.time.durations import DurationLike, EndLike


class Registrar(Runner):
    """Assign courses, manage keys and subscriptions, and record learning.

    Each method executes the command of the same name: `cancel` executes `Cancel`. The command
    documents its arguments and rules. Each method has a ``may_`` method with the same arguments,
    such as `may_cancel`, which returns a `Decision` and stores nothing.

    A command reads the clock once and stores everything or nothing. It is safe under concurrency:
    other threads and processes may use the same repository.

    Args:
        repository: Where the records are stored; in memory by default.
        policies: The rules; by default the documented rules.
        clock: Returns the current time, as an aware datetime.
        new_id: Returns a new unique id.
        random_bytes: Returns the given number of random bytes, for the codes of keys.
        timeout: How long a command is retried after conflicts with other commits.
        stopwatch: Returns seconds that never decrease, to measure the timeout.

    Raises:
        InvalidInput: an argument has the wrong type or is out of range.
        NotFound: a record that the call refers to is not stored.
        Refused: a rule does not allow it; the decision has every reason.
        Conflict: a different record has this ``id``, or the retries timed out.
        StorageBusy, StorageError, OutcomeUnknown: the storage failed.

    Example:
        >>> from datetime import UTC, datetime, timedelta
        >>> from course_assignments import Course, ManualClock, User
        >>> clock = ManualClock(datetime(2026, 1, 5, 9, tzinfo=UTC))
        >>> registrar = Registrar(clock=clock)
        >>> registrar.add(
        ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
        ...     User(id="ada", name="Ada", email="ada@example.org"),
        ... )
        >>> assignment = registrar.assign("py", "ada")
        >>> _ = clock.advance(timedelta(hours=25))
        >>> registrar.may_cancel(assignment.id).reasons[0].code
        'cancellation_window_closed'
    """

    # Organizations, courses and users

    def add(self, *records: Profile, by: str | None = None) -> None:
        """Add organizations, courses and users; identical records are left unchanged."""
        self.execute(Add(records, by=by))

    def may_add(self, *records: Profile, by: str | None = None) -> Decision:
        """Return whether `add` is allowed now, with every reason against."""
        return self.check(Add(records, by=by))

    def update(self, record: P, *, by: str | None = None) -> P:
        """Replace the stored record that has the same id."""
        updated: P = self.execute(Update(record, by=by))
        return updated

    def may_update(self, record: P, *, by: str | None = None) -> Decision:
        """Return whether `update` is allowed now, with every reason against."""
        return self.check(Update(record, by=by))

    def anonymize(self, user_id: str, *, by: str | None = None) -> User:
        """Replace the name and the e-mail address of a user."""
        return self.execute(Anonymize(user_id, by=by))

    def may_anonymize(self, user_id: str, *, by: str | None = None) -> Decision:
        """Return whether `anonymize` is allowed now, with every reason against."""
        return self.check(Anonymize(user_id, by=by))

    # Assignments

    def assign(
        self,
        course_id: str,
        learner_id: str,
        *,
        expires: EndLike | None = None,
        note: Note | None = None,
        repeat: Repeat | None = None,
        id: str | None = None,
        by: str | None = None,
    ) -> CourseAssignment:
        """Assign a course to a learner."""
        return self.execute(
            Assign(course_id, learner_id, expires=expires, note=note, repeat=repeat, id=id, by=by)
        )

    def may_assign(
        self,
        course_id: str,
        learner_id: str,
        *,
        expires: EndLike | None = None,
        note: Note | None = None,
        repeat: Repeat | None = None,
        id: str | None = None,
        by: str | None = None,
    ) -> Decision:
        """Return whether `assign` is allowed now, with every reason against."""
        return self.check(
            Assign(course_id, learner_id, expires=expires, note=note, repeat=repeat, id=id, by=by)
        )

    def assign_many(
        self,
        course_ids: Iterable[str],
        learners: Iterable[str | User],
        *,
        expires: EndLike | None = None,
        note: Note | None = None,
        repeat: Repeat | None = None,
        id: str | None = None,
        by: str | None = None,
    ) -> AssignmentBatch:
        """Assign every course to every learner, or nothing to anyone."""
        return self.execute(
            AssignMany(
                course_ids, learners, expires=expires, note=note, repeat=repeat, id=id, by=by
            )
        )

    def may_assign_many(
        self,
        course_ids: Iterable[str],
        learners: Iterable[str | User],
        *,
        expires: EndLike | None = None,
        note: Note | None = None,
        repeat: Repeat | None = None,
        id: str | None = None,
        by: str | None = None,
    ) -> Decision:
        """Return whether `assign_many` is allowed now, with every reason against."""
        return self.check(
            AssignMany(
                course_ids, learners, expires=expires, note=note, repeat=repeat, id=id, by=by
            )
        )

    def cancel(
        self, assignment_id: str, *, support_reason: str | None = None, by: str | None = None
    ) -> CourseAssignment:
        """Cancel an assignment permanently."""
        return self.execute(Cancel(assignment_id, support_reason=support_reason, by=by))

    def may_cancel(
        self, assignment_id: str, *, support_reason: str | None = None, by: str | None = None
    ) -> Decision:
        """Return whether `cancel` is allowed now, with every reason against."""
        return self.check(Cancel(assignment_id, support_reason=support_reason, by=by))

    def reschedule(
        self, assignment_id: str, expires: EndLike, *, by: str | None = None
    ) -> CourseAssignment:
        """Change the end of an assignment, within its limit."""
        return self.execute(Reschedule(assignment_id, expires, by=by))

    def may_reschedule(
        self, assignment_id: str, expires: EndLike, *, by: str | None = None
    ) -> Decision:
        """Return whether `reschedule` is allowed now, with every reason against."""
        return self.check(Reschedule(assignment_id, expires, by=by))

    def complete(self, assignment_id: str, *, by: str | None = None) -> CourseAssignment:
        """Mark an assignment as completed."""
        return self.execute(Complete(assignment_id, by=by))

    def may_complete(self, assignment_id: str, *, by: str | None = None) -> Decision:
        """Return whether `complete` is allowed now, with every reason against."""
        return self.check(Complete(assignment_id, by=by))

    def add_note(
        self, assignment_id: str, note: Note, *, by: str | None = None
    ) -> CourseAssignment:
        """Add a note to an assignment, whatever its state."""
        return self.execute(AddNote(assignment_id, note, by=by))

    def may_add_note(self, assignment_id: str, note: Note, *, by: str | None = None) -> Decision:
        """Return whether `add_note` would be allowed now, with every reason against."""
        return self.check(AddNote(assignment_id, note, by=by))

    # Activities

    def start(
        self, assignment_id: str, activity_id: str, *, id: str | None = None, by: str | None = None
    ) -> Attempt:
        """Start an activity, or start it again after it is finished."""
        return self.execute(Start(assignment_id, activity_id, id=id, by=by))

    def may_start(
        self, assignment_id: str, activity_id: str, *, id: str | None = None, by: str | None = None
    ) -> Decision:
        """Return whether `start` is allowed now, with every reason against."""
        return self.check(Start(assignment_id, activity_id, id=id, by=by))

    def pause(self, attempt_id: str, *, by: str | None = None) -> Attempt:
        """Pause an attempt; the end of access stays the same."""
        return self.execute(Pause(attempt_id, by=by))

    def may_pause(self, attempt_id: str, *, by: str | None = None) -> Decision:
        """Return whether `pause` is allowed now, with every reason against."""
        return self.check(Pause(attempt_id, by=by))

    def resume(self, attempt_id: str, *, by: str | None = None) -> Attempt:
        """Resume a paused attempt."""
        return self.execute(Resume(attempt_id, by=by))

    def may_resume(self, attempt_id: str, *, by: str | None = None) -> Decision:
        """Return whether `resume` is allowed now, with every reason against."""
        return self.check(Resume(attempt_id, by=by))

    def finish(self, attempt_id: str, *, by: str | None = None) -> Attempt:
        """Finish an attempt, even after access has ended."""
        return self.execute(Finish(attempt_id, by=by))

    def may_finish(self, attempt_id: str, *, by: str | None = None) -> Decision:
        """Return whether `finish` is allowed now, with every reason against."""
        return self.check(Finish(attempt_id, by=by))

    # Training keys

    def create_keys(
        self,
        course_id: str,
        *,
        name: str,
        organization_id: str,
        availability: DurationLike,
        redeemable_from: EndLike | None = None,
        redeemable_until: EndLike | None = None,
        max_uses: int | None = None,
        any_organization: bool = False,
        codes: Iterable[str] = (),
        generate: int = 0,
        id: str | None = None,
        by: str | None = None,
    ) -> KeyBatch:
        """Create a batch of training keys for a course."""
        return self.execute(
            CreateKeys(
                course_id,
                name=name,
                organization_id=organization_id,
                availability=availability,
                redeemable_from=redeemable_from,
                redeemable_until=redeemable_until,
                max_uses=max_uses,
                any_organization=any_organization,
                codes=codes,
                generate=generate,
                id=id,
                by=by,
            )
        )

    def may_create_keys(
        self,
        course_id: str,
        *,
        name: str,
        organization_id: str,
        availability: DurationLike,
        redeemable_from: EndLike | None = None,
        redeemable_until: EndLike | None = None,
        max_uses: int | None = None,
        any_organization: bool = False,
        codes: Iterable[str] = (),
        generate: int = 0,
        id: str | None = None,
        by: str | None = None,
    ) -> Decision:
        """Return whether `create_keys` is allowed now, with every reason against."""
        return self.check(
            CreateKeys(
                course_id,
                name=name,
                organization_id=organization_id,
                availability=availability,
                redeemable_from=redeemable_from,
                redeemable_until=redeemable_until,
                max_uses=max_uses,
                any_organization=any_organization,
                codes=codes,
                generate=generate,
                id=id,
                by=by,
            )
        )

    def add_keys(
        self,
        batch_id: str,
        *,
        codes: Iterable[str] = (),
        generate: int = 0,
        id: str | None = None,
        by: str | None = None,
    ) -> KeyBatch:
        """Add keys to a batch."""
        return self.execute(AddKeys(batch_id, codes=codes, generate=generate, id=id, by=by))

    def may_add_keys(
        self,
        batch_id: str,
        *,
        codes: Iterable[str] = (),
        generate: int = 0,
        id: str | None = None,
        by: str | None = None,
    ) -> Decision:
        """Return whether `add_keys` is allowed now, with every reason against."""
        return self.check(AddKeys(batch_id, codes=codes, generate=generate, id=id, by=by))

    def edit_keys(
        self,
        batch_id: str,
        *,
        name: str | Unset = UNSET,
        redeemable_from: EndLike | Unset | None = UNSET,
        redeemable_until: EndLike | Unset | None = UNSET,
        max_uses: int | Unset | None = UNSET,
        availability: DurationLike | Unset = UNSET,
        any_organization: bool | Unset = UNSET,
        by: str | None = None,
    ) -> KeyBatch:
        """Change the terms of a batch for future redemptions."""
        return self.execute(
            EditKeys(
                batch_id,
                name=name,
                redeemable_from=redeemable_from,
                redeemable_until=redeemable_until,
                max_uses=max_uses,
                availability=availability,
                any_organization=any_organization,
                by=by,
            )
        )

    def may_edit_keys(
        self,
        batch_id: str,
        *,
        name: str | Unset = UNSET,
        redeemable_from: EndLike | Unset | None = UNSET,
        redeemable_until: EndLike | Unset | None = UNSET,
        max_uses: int | Unset | None = UNSET,
        availability: DurationLike | Unset = UNSET,
        any_organization: bool | Unset = UNSET,
        by: str | None = None,
    ) -> Decision:
        """Return whether `edit_keys` is allowed now, with every reason against."""
        return self.check(
            EditKeys(
                batch_id,
                name=name,
                redeemable_from=redeemable_from,
                redeemable_until=redeemable_until,
                max_uses=max_uses,
                availability=availability,
                any_organization=any_organization,
                by=by,
            )
        )

    def revoke_key(self, code: str, *, by: str | None = None) -> TrainingKey:
        """Revoke one key permanently."""
        return self.execute(RevokeKey(code, by=by))

    def may_revoke_key(self, code: str, *, by: str | None = None) -> Decision:
        """Return whether `revoke_key` is allowed now, with every reason against."""
        return self.check(RevokeKey(code, by=by))

    def revoke_keys(self, batch_id: str, *, by: str | None = None) -> tuple[TrainingKey, ...]:
        """Revoke all keys of a batch permanently, and return those that were valid."""
        return self.execute(RevokeKeys(batch_id, by=by))

    def may_revoke_keys(self, batch_id: str, *, by: str | None = None) -> Decision:
        """Return whether `revoke_keys` is allowed now, with every reason against."""
        return self.check(RevokeKeys(batch_id, by=by))

    def keys(self, batch_id: str, *, by: str | None = None) -> Iterator[TrainingKey]:
        """Iterate over the keys of a batch, in the order of their numbers."""
        batch = self.execute(Keys(batch_id, by=by))
        return find_all(self.repository, KeyQuery(batch_ids=[batch.id], limit=MAX_PAGE))

    def may_keys(self, batch_id: str, *, by: str | None = None) -> Decision:
        """Return whether `keys` is allowed now, with every reason against."""
        return self.check(Keys(batch_id, by=by))

    def redeem(
        self, code: str, learner_id: str, *, id: str | None = None, by: str | None = None
    ) -> CourseAssignment:
        """Redeem a training key for a learner."""
        return self.execute(Redeem(code, learner_id, id=id, by=by))

    def may_redeem(
        self, code: str, learner_id: str, *, id: str | None = None, by: str | None = None
    ) -> Decision:
        """Return whether `redeem` is allowed now, with every reason against."""
        return self.check(Redeem(code, learner_id, id=id, by=by))

    def register(
        self, code: str, user: User, *, id: str | None = None, by: str | None = None
    ) -> CourseAssignment:
        """Create the profile of a newcomer and redeem their key, both or neither."""
        return self.execute(Register(code, user, id=id, by=by))

    def may_register(
        self, code: str, user: User, *, id: str | None = None, by: str | None = None
    ) -> Decision:
        """Return whether `register` is allowed now, with every reason against."""
        return self.check(Register(code, user, id=id, by=by))

    # Subscriptions

    def subscribe(
        self,
        course_ids: Iterable[str],
        learner_id: str,
        *,
        duration: DurationLike,
        id: str | None = None,
        by: str | None = None,
    ) -> Subscription:
        """Let a learner open courses of a set, for a duration from now."""
        return self.execute(Subscribe(course_ids, learner_id, duration=duration, id=id, by=by))

    def may_subscribe(
        self,
        course_ids: Iterable[str],
        learner_id: str,
        *,
        duration: DurationLike,
        id: str | None = None,
        by: str | None = None,
    ) -> Decision:
        """Return whether `subscribe` is allowed now, with every reason against."""
        return self.check(Subscribe(course_ids, learner_id, duration=duration, id=id, by=by))

    def edit_subscription(
        self, subscription_id: str, course_ids: Iterable[str], *, by: str | None = None
    ) -> Subscription:
        """Change the set of courses of a subscription."""
        return self.execute(EditSubscription(subscription_id, course_ids, by=by))

    def may_edit_subscription(
        self, subscription_id: str, course_ids: Iterable[str], *, by: str | None = None
    ) -> Decision:
        """Return whether `edit_subscription` is allowed now, with every reason against."""
        return self.check(EditSubscription(subscription_id, course_ids, by=by))

    def cancel_subscription(
        self, subscription_id: str, *, support_reason: str | None = None, by: str | None = None
    ) -> Subscription:
        """Cancel a subscription and every assignment opened from it."""
        return self.execute(
            CancelSubscription(subscription_id, support_reason=support_reason, by=by)
        )

    def may_cancel_subscription(
        self, subscription_id: str, *, support_reason: str | None = None, by: str | None = None
    ) -> Decision:
        """Return whether `cancel_subscription` is allowed now, with every reason against."""
        return self.check(CancelSubscription(subscription_id, support_reason=support_reason, by=by))

    def open_course(
        self, subscription_id: str, course_id: str, *, id: str | None = None, by: str | None = None
    ) -> CourseAssignment:
        """Open a course of a subscription."""
        return self.execute(OpenCourse(subscription_id, course_id, id=id, by=by))

    def may_open_course(
        self, subscription_id: str, course_id: str, *, id: str | None = None, by: str | None = None
    ) -> Decision:
        """Return whether `open_course` is allowed now, with every reason against."""
        return self.check(OpenCourse(subscription_id, course_id, id=id, by=by))
