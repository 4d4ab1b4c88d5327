"""The registrar: executes commands on a repository, with one method for each."""

from collections.abc import Callable, Iterable, Iterator
from inspect import signature
from typing import Any, Concatenate, Final, ParamSpec

from course_assignments import commands
from course_assignments.commands import UNSET, Command, Profile, Unset
from course_assignments.commands.profiles import P
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

Args = ParamSpec("Args")


def _question(
    command: Callable[Args, Command[Any, Any]], method: Callable[..., Any]
) -> Callable[Concatenate[Runner, Args], Decision]:
    """Return the method that checks *command*, with the arguments of the executing *method*."""

    def ask(self: Runner, /, *args: Args.args, **kwargs: Args.kwargs) -> Decision:
        return self.check(command(*args, **kwargs))

    ask.__name__ = f"may_{method.__name__}"
    ask.__qualname__ = f"Registrar.{ask.__name__}"
    ask.__doc__ = f"Return whether `{method.__name__}` is allowed now, with every reason against."
    ask.__annotations__ = {**method.__annotations__, "return": Decision}
    vars(ask)["__signature__"] = signature(method).replace(return_annotation=Decision)
    return ask


class Registrar(Runner):
    """Assign courses, manage keys and subscriptions, and record learning.

    Each method executes the command of the same name: `cancel` executes `Cancel`. The command
    documents its arguments and rules. Each method has a ``may_`` method with the same arguments,
    such as `may_cancel`, which returns a `Decision` and stores nothing.

    A command reads the clock once and stores everything or nothing. It is safe under concurrency:
    other threads and processes may use the same repository.

    Args:
        repository: Where the records are stored; in memory by default.
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
        self.execute(commands.Add(records, by=by))

    def may_add(self, *records: Profile, by: str | None = None) -> Decision:
        """Return whether `add` is allowed now, with every reason against."""
        return self.check(commands.Add(records, by=by))

    def update(self, record: P, *, by: str | None = None) -> P:
        """Replace the stored record that has the same id."""
        updated: P = self.execute(commands.Update(record, by=by))
        return updated

    def may_update(self, record: P, *, by: str | None = None) -> Decision:
        """Return whether `update` is allowed now, with every reason against."""
        return self.check(commands.Update(record, by=by))

    def anonymize(self, user_id: str, *, by: str | None = None) -> User:
        """Replace the name and the e-mail address of a user."""
        return self.execute(commands.Anonymize(user_id, by=by))

    may_anonymize: Final = _question(commands.Anonymize, anonymize)

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
            commands.Assign(
                course_id, learner_id, expires=expires, note=note, repeat=repeat, id=id, by=by
            )
        )

    may_assign: Final = _question(commands.Assign, assign)

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
            commands.AssignMany(
                course_ids, learners, expires=expires, note=note, repeat=repeat, id=id, by=by
            )
        )

    may_assign_many: Final = _question(commands.AssignMany, assign_many)

    def cancel(
        self, assignment_id: str, *, support_reason: str | None = None, by: str | None = None
    ) -> CourseAssignment:
        """Cancel an assignment permanently."""
        return self.execute(commands.Cancel(assignment_id, support_reason=support_reason, by=by))

    may_cancel: Final = _question(commands.Cancel, cancel)

    def reschedule(
        self, assignment_id: str, expires: EndLike, *, by: str | None = None
    ) -> CourseAssignment:
        """Change the end of an assignment, within its limit."""
        return self.execute(commands.Reschedule(assignment_id, expires, by=by))

    may_reschedule: Final = _question(commands.Reschedule, reschedule)

    def complete(self, assignment_id: str, *, by: str | None = None) -> CourseAssignment:
        """Mark an assignment as completed."""
        return self.execute(commands.Complete(assignment_id, by=by))

    may_complete: Final = _question(commands.Complete, complete)

    def add_note(
        self, assignment_id: str, note: Note, *, by: str | None = None
    ) -> CourseAssignment:
        """Add a note to an assignment, whatever its state."""
        return self.execute(commands.AddNote(assignment_id, note, by=by))

    may_add_note: Final = _question(commands.AddNote, add_note)

    # Activities

    def start(
        self, assignment_id: str, activity_id: str, *, id: str | None = None, by: str | None = None
    ) -> Attempt:
        """Start an activity, or start it again after it is finished."""
        return self.execute(commands.Start(assignment_id, activity_id, id=id, by=by))

    may_start: Final = _question(commands.Start, start)

    def pause(self, attempt_id: str, *, by: str | None = None) -> Attempt:
        """Pause an attempt; the end of access stays the same."""
        return self.execute(commands.Pause(attempt_id, by=by))

    may_pause: Final = _question(commands.Pause, pause)

    def resume(self, attempt_id: str, *, by: str | None = None) -> Attempt:
        """Resume a paused attempt."""
        return self.execute(commands.Resume(attempt_id, by=by))

    may_resume: Final = _question(commands.Resume, resume)

    def finish(self, attempt_id: str, *, by: str | None = None) -> Attempt:
        """Finish an attempt, even after access has ended."""
        return self.execute(commands.Finish(attempt_id, by=by))

    may_finish: Final = _question(commands.Finish, finish)

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
            commands.CreateKeys(
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

    may_create_keys: Final = _question(commands.CreateKeys, create_keys)

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
        return self.execute(
            commands.AddKeys(batch_id, codes=codes, generate=generate, id=id, by=by)
        )

    may_add_keys: Final = _question(commands.AddKeys, add_keys)

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
            commands.EditKeys(
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

    may_edit_keys: Final = _question(commands.EditKeys, edit_keys)

    def revoke_key(self, code: str, *, by: str | None = None) -> TrainingKey:
        """Revoke one key permanently."""
        return self.execute(commands.RevokeKey(code, by=by))

    may_revoke_key: Final = _question(commands.RevokeKey, revoke_key)

    def revoke_keys(self, batch_id: str, *, by: str | None = None) -> tuple[TrainingKey, ...]:
        """Revoke all keys of a batch permanently, and return those that were valid."""
        return self.execute(commands.RevokeKeys(batch_id, by=by))

    may_revoke_keys: Final = _question(commands.RevokeKeys, revoke_keys)

    def keys(self, batch_id: str, *, by: str | None = None) -> Iterator[TrainingKey]:
        """Iterate over the keys of a batch, in the order of their numbers."""
        batch = self.execute(commands.Keys(batch_id, by=by))
        return find_all(self.repository, KeyQuery(batch_ids=[batch.id], limit=MAX_PAGE))

    may_keys: Final = _question(commands.Keys, keys)

    def redeem(
        self, code: str, learner_id: str, *, id: str | None = None, by: str | None = None
    ) -> CourseAssignment:
        """Redeem a training key for a learner."""
        return self.execute(commands.Redeem(code, learner_id, id=id, by=by))

    may_redeem: Final = _question(commands.Redeem, redeem)

    def register(
        self, code: str, user: User, *, id: str | None = None, by: str | None = None
    ) -> CourseAssignment:
        """Create the profile of a newcomer and redeem their key, both or neither."""
        return self.execute(commands.Register(code, user, id=id, by=by))

    may_register: Final = _question(commands.Register, register)

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
        return self.execute(
            commands.Subscribe(course_ids, learner_id, duration=duration, id=id, by=by)
        )

    may_subscribe: Final = _question(commands.Subscribe, subscribe)

    def edit_subscription(
        self, subscription_id: str, course_ids: Iterable[str], *, by: str | None = None
    ) -> Subscription:
        """Change the set of courses of a subscription."""
        return self.execute(commands.EditSubscription(subscription_id, course_ids, by=by))

    may_edit_subscription: Final = _question(commands.EditSubscription, edit_subscription)

    def cancel_subscription(
        self, subscription_id: str, *, support_reason: str | None = None, by: str | None = None
    ) -> Subscription:
        """Cancel a subscription and every assignment opened from it."""
        return self.execute(
            commands.CancelSubscription(subscription_id, support_reason=support_reason, by=by)
        )

    may_cancel_subscription: Final = _question(commands.CancelSubscription, cancel_subscription)

    def open_course(
        self, subscription_id: str, course_id: str, *, id: str | None = None, by: str | None = None
    ) -> CourseAssignment:
        """Open a course of a subscription."""
        return self.execute(commands.OpenCourse(subscription_id, course_id, id=id, by=by))

    may_open_course: Final = _question(commands.OpenCourse, open_course)
