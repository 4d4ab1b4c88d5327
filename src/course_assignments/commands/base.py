"""What every command is: a value that says what to read and decides what to write."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Sized
from datetime import datetime
from typing import ClassVar, Generic, Protocol, TypeVar, overload

import attrs
from attrs import field, validators

from course_assignments import validation
from course_assignments.changes import Change, Event, R, Record, Replace
from course_assignments.decisions import Decision, Question, all_of
from course_assignments.entities.assignments import Claim
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.codes import mask
from course_assignments.entities.enums import Permission
from course_assignments.entities.keys import TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.receipts import Receipt, digest, receipts_of
from course_assignments.errors import Conflict, InvalidInput, to_words
from course_assignments.policies import DEFAULT_POLICIES, Policies
from course_assignments.queries import Query, RecordT
from course_assignments.reasons import EmailTaken, ForAssignment, Reason

N = TypeVar("N")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
A = TypeVar("A", bound=Record)
B = TypeVar("B", bound=Record)
C = TypeVar("C", bound=Record)


class Reader(Protocol):
    """What a command reads with, once for each try. It decides nothing and writes nothing.

    Each method raises `NotFound` for a record that has to be there and is not.
    """

    @property
    def policies(self) -> Policies:
        """The rules in force."""
        ...

    def get(self, kind: type[R], ids: Iterable[str]) -> dict[str, R]:
        """Return the records of *kind* that are stored under *ids*."""
        ...

    def find(self, query: Query[RecordT]) -> Iterator[RecordT]:
        """Go through everything that *query* finds."""
        ...

    def look_up(self, kind: type[R], id_: str | None) -> R | None:
        """Return the record under *id_*, or ``None`` if there is none or *id_* is ``None``."""
        ...

    def need(self, kind: type[R], id_: str) -> R:
        """Return the record under *id_*."""
        ...

    def need_all(self, kind: type[R], ids: Iterable[str]) -> dict[str, R]:
        """Return the records under *ids*, of which none may be missing."""
        ...

    @overload
    def need_each(self, a: tuple[type[A], str], b: tuple[type[B], str], /) -> tuple[A, B]: ...
    @overload
    def need_each(
        self, a: tuple[type[A], str], b: tuple[type[B], str], c: tuple[type[C], str], /
    ) -> tuple[A, B, C]: ...

    def organization_of(self, user: User) -> Organization | None:
        """Return the organization of *user*, or ``None`` if they have none."""
        ...

    def email_owners(self, users: Iterable[User]) -> Sequence[User]:
        """Return the stored users who have the e-mail address of one of *users*."""
        ...

    def key(self, code: str) -> TrainingKey:
        """Return the key whose code someone typed, or raise `Refused` (rule 12)."""
        ...

    def new_id(self, wanted: str | None = None) -> str:
        """Return the id that the caller *wanted*, or a new one."""
        ...

    def new_codes(self, count: int, besides: Collection[str]) -> tuple[str, ...]:
        """Return *count* new codes that no key has and that are not among *besides*."""
        ...


@attrs.frozen
class Context:
    """When a command is decided, by which rules, and who acts: the same for every command.

    Attributes:
        at: The time of the decision, UTC.
        policies: The rules.
        actor: The user who acts; ``None`` trusts the caller.

    Example:
        >>> Context(clock()).actor is None
        True
    """

    at: datetime = field(converter=validation.to_utc)
    policies: Policies = field(default=DEFAULT_POLICIES, validator=validation.one_of(Policies))
    actor: User | None = field(default=None, validator=validators.optional(validation.one_of(User)))

    def may(self, permission: Permission, organization_id: str | None) -> list[Question]:
        """Ask whether the actor may act for an organization (rule 21); without one ask nothing."""
        actor, policy = self.actor, self.policies.authorization
        if actor is None:
            return []
        return [
            lambda at: policy.evaluate(
                actor, permission=permission, organization_id=organization_id, at=at
            )
        ]

    def may_for(self, learner: User) -> list[Question]:
        """Ask whether the actor may act for *learner*: learners always may act for themselves."""
        if self.actor is not None and self.actor.id == learner.id:
            return []
        return self.may(Permission.ASSIGN_COURSES, learner.organization_id)

    def require(self, questions: Iterable[Question]) -> Decision:
        """Return the decision that allows it, or raise `Refused` with every reason against."""
        decision = all_of(questions, self.at)
        decision.require()
        return decision

    def expect(self, *records: Record | None) -> tuple[Record, ...]:
        """Return what was decided on, each once: *records* that are not ``None``, and the actor."""
        read = (*records, self.actor)
        return tuple(dict.fromkeys(record for record in read if record is not None))

    def expect_for_actor(self, *records: Record) -> tuple[Record, ...]:
        """Return *records* and the actor, whose permission they decide; nothing without one."""
        return () if self.actor is None else self.expect(*records)

    def event(self, action: str, *subject_ids: str, **details: str | None) -> Event:
        """Return the event that *action* was carried out on the records *subject_ids*."""
        return Event(
            at=self.at,
            by=None if self.actor is None else self.actor.id,
            action=action,
            subject_ids=subject_ids,
            details={name: text for name, text in details.items() if text is not None},
        )


@attrs.frozen
class Outcome(Generic[T_co]):
    """What a command decided.

    Attributes:
        result: What the caller gets.
        change: What has to be committed first; empty if everything is stored already.
        decision: The decision that allowed it.

    Example:
        >>> bool(Outcome("found").change)
        False
    """

    result: T_co
    change: Change = Change()
    decision: Decision = Decision()


@attrs.frozen
class Command(ABC, Generic[N, T]):
    """A command as a value: its fields are what the caller says, checked when it is made.

    ``N`` is what has to be read for it, and ``T`` what the caller gets.

    Attributes:
        by: The id of the user who acts, whose roles then count; ``None`` trusts the caller.

    Raises:
        InvalidInput: an argument is of the wrong kind or out of bounds.
    """

    #: The name of the command in events and on `Registrar`.
    action: ClassVar[str]

    by: str | None = field(default=None, kw_only=True, validator=validation.identifier_or_none)

    def __init_subclass__(cls) -> None:
        cls.action = to_words(cls.__name__).replace(" ", "_")

    def existing(self, reader: Reader) -> T | None:  # noqa: ARG002 - most look for nothing
        """Return what an earlier call under the same id made, or ``None``.

        Raises:
            Conflict: something else is stored under the id.
        """
        return None

    @abstractmethod
    def read(self, reader: Reader) -> N:
        """Return the records that the decision needs.

        Raises:
            NotFound: a record that the command names is not stored.
        """
        ...

    @abstractmethod
    def decide(self, records: N, context: Context) -> Outcome[T]:
        """Return the result and the change that makes it true.

        Raises:
            Refused: with every reason against.
            InvalidInput: *records* are not those that the command names, or an argument does not
                fit them.
        """
        ...


@attrs.frozen
class CreatingCommand(Command[N, T]):
    """A command that makes a record.

    Attributes:
        id: The id of the record; makes the call safe to repeat. By default a new one.
    """

    id: str | None = field(default=None, kw_only=True, validator=validation.identifier_or_none)


@attrs.frozen
class ReceiptedCommand(CreatingCommand[N, T]):
    """A command that makes no record under its ``id``, and a `Receipt` instead.

    Attributes:
        id: An id for this call; makes the call safe to repeat.
    """

    @property
    @abstractmethod
    def arguments(self) -> tuple[object, ...]:
        """What a repeated call has to say again, without personal data and codes."""
        ...

    def find_receipt(self, reader: Reader) -> tuple[Receipt, ...]:
        """Return the receipt of an earlier call under the same id, or nothing.

        Raises:
            Conflict: the earlier call had other arguments.
        """
        if self.id is None:
            return ()
        first = reader.look_up(Receipt, Receipt.id_for(self.action, self.id))
        if first is None:
            return ()
        if first.digest != digest(self.action, self.id, self.arguments):
            raise Conflict((self.id,), "id_taken")
        ids = [Receipt.id_for(self.action, self.id, part) for part in range(1, first.parts)]
        rest = reader.need_all(Receipt, ids)
        return (first, *(rest[id_] for id_ in ids))

    def receipt(
        self,
        made: Sequence[str] = (),
        skipped: Sequence[str] = (),
        positions: tuple[int, ...] = (),
    ) -> tuple[Receipt, ...]:
        """Return the receipt to store with what the call makes; nothing without an ``id``."""
        if self.id is None:
            return ()
        return receipts_of(
            self.action, self.id, self.arguments, made=made, skipped=skipped, positions=positions
        )


@attrs.frozen
class Claims:
    """The claims that a change writes: each as it was read, or ``None``, and as it is to be.

    Every command that makes an assignment writes one, so that two of them meet (rule 15).
    """

    steps: tuple[tuple[Claim | None, Claim], ...] = field(converter=validation.to_tuple)

    @property
    def create(self) -> list[Claim]:
        """The claims that nobody wrote before."""
        return [after for before, after in self.steps if before is None]

    @property
    def replace(self) -> list[Replace]:
        """The claims that name another assignment from now on."""
        return [Replace(before, after) for before, after in self.steps if before is not None]


def check_claim(claim: Claim | None, learner: User, course: Course) -> None:
    """Raise `InvalidInput` unless *claim* is that of *learner* and *course*, or ``None``."""
    if claim is not None:
        validation.check_same(claim.id, Claim.id_for(learner.id, course.id), "claim")


def check_organization(organization: Organization | None, learner: User) -> None:
    """Raise `InvalidInput` unless *organization* is the one of *learner*, or both have none."""
    wanted = learner.organization_id
    if (None if organization is None else organization.id) != wanted:
        hint = "none, as the learner has none" if wanted is None else f"{wanted[:60]!r}, theirs"
        raise InvalidInput("another_record", "organization", f"expected {hint}")


def check_newcomer(user: User, path: str) -> User:
    """Return *user* if they come without rights: no roles, nothing managed (rule 11).

    Example:
        >>> check_newcomer(User(id="eve", name="Eve", email="eve@example.org"), "user").id
        'eve'
    """
    validation.check_record(user, path, User)
    for name in ("roles", "managed_organization_ids"):
        if getattr(user, name):
            raise InvalidInput(
                "newcomer_with_rights",
                f"{path}.{name}",
                "leave it empty; an administrator can give it to them later",
            )
    return user


def newcomer(_: object, at: validation.Field, value: User) -> None:
    """Refuse what is not a profile without rights."""
    check_newcomer(value, at.name)


def hidden(values: Sized) -> str:
    """Return how a repr shows what may be codes: how many they are."""
    return f"<{len(values)} hidden>"


def masked(code: str) -> str:
    """Return how a repr shows a code."""
    return repr(mask(code))


def typed_code(_: object, at: validation.Field, value: object) -> None:
    """Refuse what cannot be a code that someone typed: no string."""
    if not isinstance(value, str):
        raise InvalidInput("not_a_text", at.name, "expected the code of a key as a string")


def emails_free(records: Iterable[Record], owners: Iterable[User]) -> Decision:
    """Return whether every user of *records* has an e-mail address of their own.

    *owners* are the stored users who have one of these addresses.
    """
    taken = {one.folded_email for one in owners}
    reasons: list[EmailTaken] = []
    for record in records:
        if isinstance(record, User):
            if record.folded_email in taken:
                reasons.append(EmailTaken(record.id))
            taken.add(record.folded_email)
    return Decision(tuple(reasons))


def for_assignment(
    course_id: str,
    learner_id: str,
    question: Question,
    concerns: Callable[[Reason], bool] | None,
    at: datetime,
) -> Decision:
    """Ask *question*, and say of each reason that *concerns* one assignment which it is.

    Without *concerns* every reason does.
    """
    decision = question(at)
    reasons = tuple(
        ForAssignment(course_id, learner_id, reason)
        if not isinstance(reason, ForAssignment) and (concerns is None or concerns(reason))
        else reason
        for reason in decision.reasons
    )
    return attrs.evolve(decision, reasons=reasons)
