"""The registrar: executes commands on a repository, with one method for each."""

from collections.abc import Callable, Iterator
from inspect import Parameter, Signature, getdoc, signature
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, get_args, get_type_hints

from course_assignments import commands
from course_assignments.commands import Command, Profile
from course_assignments.commands.profiles import P
from course_assignments.decisions import Decision
from course_assignments.entities.keys import TrainingKey
from course_assignments.queries import MAX_PAGE, KeyQuery
from course_assignments.registrar.runner import Runner
from course_assignments.repository import find_all

T = TypeVar("T")
Args = ParamSpec("Args")
Method = TypeVar("Method", bound=Callable[..., Any])

#: The arguments that commands share; they come last in a signature.
_SHARED: Final = ("id", "by")


def _described(method: Method, command: Any, prefix: str, summary: str, result: Any) -> Method:
    """Give *method* the name and the arguments of *command*, and the *summary* as its docstring."""
    described: Any = method
    arguments = sorted(signature(command).parameters.values(), key=lambda one: one.name in _SHARED)
    parameters = [Parameter("self", Parameter.POSITIONAL_ONLY), *arguments]
    described.__signature__ = Signature(parameters, return_annotation=result)
    described.__annotations__ = {one.name: one.annotation for one in arguments} | {"return": result}
    described.__name__ = prefix + command.action
    described.__qualname__ = f"Registrar.{described.__name__}"
    described.__doc__ = summary
    return method


def _executes(command: Callable[Args, Command[Any, T]]) -> Callable[Concatenate[Runner, Args], T]:
    """Return the method that executes *command*, with its arguments and its summary."""

    def execute(self: Runner, /, *args: Args.args, **kwargs: Args.kwargs) -> T:
        return self.execute(command(*args, **kwargs))

    kind: Any = command
    (result,) = get_args(get_type_hints(kind.decide)["return"])
    summary = f"{str(getdoc(kind)).splitlines()[0]} See `{kind.__name__}`."
    return _described(execute, kind, "", summary, result)


def _checks(
    command: Callable[Args, Command[Any, Any]],
) -> Callable[Concatenate[Runner, Args], Decision]:
    """Return the method that checks *command*, with its arguments."""

    def check(self: Runner, /, *args: Args.args, **kwargs: Args.kwargs) -> Decision:
        return self.check(command(*args, **kwargs))

    kind: Any = command
    summary = f"Return whether `{kind.action}` is allowed now, with every reason against."
    return _described(check, kind, "may_", summary, Decision)


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
        timeout: How long a command is retried after conflicts with other commits; zero is one try.
        stopwatch: Returns seconds that never decrease, to measure the timeout.

    Raises:
        InvalidInput: an argument has the wrong type or is out of range.
        NotFound: a record that the call refers to is not stored.
        Refused: a rule does not allow it; the decision has every reason.
        Conflict: a different record has this ``id``, or the retries timed out.
        StorageBusy, StorageError, OutcomeUnknown: the storage failed.

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

    anonymize: Final = _executes(commands.Anonymize)
    may_anonymize: Final = _checks(commands.Anonymize)

    # Assignments

    assign: Final = _executes(commands.Assign)
    may_assign: Final = _checks(commands.Assign)
    assign_many: Final = _executes(commands.AssignMany)
    may_assign_many: Final = _checks(commands.AssignMany)
    cancel: Final = _executes(commands.Cancel)
    may_cancel: Final = _checks(commands.Cancel)
    reschedule: Final = _executes(commands.Reschedule)
    may_reschedule: Final = _checks(commands.Reschedule)
    complete: Final = _executes(commands.Complete)
    may_complete: Final = _checks(commands.Complete)
    add_note: Final = _executes(commands.AddNote)
    may_add_note: Final = _checks(commands.AddNote)

    # Activities

    start: Final = _executes(commands.Start)
    may_start: Final = _checks(commands.Start)
    pause: Final = _executes(commands.Pause)
    may_pause: Final = _checks(commands.Pause)
    resume: Final = _executes(commands.Resume)
    may_resume: Final = _checks(commands.Resume)
    finish: Final = _executes(commands.Finish)
    may_finish: Final = _checks(commands.Finish)

    # Training keys

    create_keys: Final = _executes(commands.CreateKeys)
    may_create_keys: Final = _checks(commands.CreateKeys)
    add_keys: Final = _executes(commands.AddKeys)
    may_add_keys: Final = _checks(commands.AddKeys)
    edit_keys: Final = _executes(commands.EditKeys)
    may_edit_keys: Final = _checks(commands.EditKeys)
    revoke_key: Final = _executes(commands.RevokeKey)
    may_revoke_key: Final = _checks(commands.RevokeKey)
    revoke_keys: Final = _executes(commands.RevokeKeys)
    may_revoke_keys: Final = _checks(commands.RevokeKeys)

    def keys(self, batch_id: str, *, by: str | None = None) -> Iterator[TrainingKey]:
        """Iterate over the keys of a batch, in the order of their numbers."""
        batch = self.execute(commands.Keys(batch_id, by=by))
        return find_all(self.repository, KeyQuery(batch_ids=[batch.id], limit=MAX_PAGE))

    may_keys: Final = _checks(commands.Keys)

    redeem: Final = _executes(commands.Redeem)
    may_redeem: Final = _checks(commands.Redeem)
    register: Final = _executes(commands.Register)
    may_register: Final = _checks(commands.Register)

    # Subscriptions

    subscribe: Final = _executes(commands.Subscribe)
    may_subscribe: Final = _checks(commands.Subscribe)
    edit_subscription: Final = _executes(commands.EditSubscription)
    may_edit_subscription: Final = _checks(commands.EditSubscription)
    cancel_subscription: Final = _executes(commands.CancelSubscription)
    may_cancel_subscription: Final = _checks(commands.CancelSubscription)
    open_course: Final = _executes(commands.OpenCourse)
    may_open_course: Final = _checks(commands.OpenCourse)
