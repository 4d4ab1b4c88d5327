"""Base classes of commands, and what they share."""

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence, Sized
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, ClassVar, Generic, TypeVar, cast, get_origin

import attrs
from attrs import field, validators

from course_assignments import validation
from course_assignments.changes import MAX_SUBJECTS, Change, Event, R, Record, Replace
from course_assignments.commands.reader import Reader
from course_assignments.decisions import YES, Decision, Question, Refused, all_of, answer
from course_assignments.entities.assignments import Claim, CourseAssignment, Note, Origin
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.codes import differs_in_case, fold
from course_assignments.entities.enums import Permission
from course_assignments.entities.keys import TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.receipts import Receipt, digest_of, receipts_of
from course_assignments.errors import (
    Conflict,
    InvalidInput,
    invalid,
    is_a,
    mask_id,
    plain,
    repr_ids,
    to_words,
)
from course_assignments.frozen import Field, frozen, unchecked
from course_assignments.policies import DEFAULT_POLICIES, Policies
from course_assignments.policies.expiration import Limit, earliest
from course_assignments.reasons import EmailTaken, ForAssignment, KeyNotFound, Reason
from course_assignments.time.datetimes import TICK

N = TypeVar("N")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_assignment = unchecked(CourseAssignment)
_own_id = validators.optional(validation.accepted_by(validation.check_own_id))


def record_or_none(kind: type[R]) -> R | None:
    """Declare a field for a record of *kind*, by default ``None``."""
    declared: Any = field(default=None, validator=validation.one_of(kind, optional=True))
    return cast("R | None", declared)


@frozen
class Context:
    """The time, the rules and the actor of a decision.

    Attributes:
        at: In UTC.
        actor: The user who acts; ``None`` trusts the caller.

    >>> Context(clock()).actor is None
    True
    """

    at: datetime = field(converter=validation.to_utc)
    policies: Policies = field(default=DEFAULT_POLICIES, validator=validation.one_of(Policies))
    actor: User | None = field(default=None, validator=validation.one_of(User, optional=True))

    def may(
        self, permission: Permission, organization_id: str | None, profile: User | None = None
    ) -> list[Question]:
        """Ask whether the actor, if any, has *permission* for an organization (rule 21)."""
        actor, policy = self.actor, self.policies.authorization
        if actor is None:
            return []
        return [
            lambda at: answer(
                "authorization",
                policy.evaluate(
                    actor,
                    permission=permission,
                    organization_id=organization_id,
                    at=at,
                    profile=profile,
                ),
            )
        ]

    def may_for(self, learner: User) -> list[Question]:
        """Ask whether the actor may act for *learner*; learners may act for themselves."""
        if self.actor is not None and self.actor.id == learner.id:
            return []
        return self.may(Permission.ASSIGN_COURSES, learner.organization_id)

    def is_available(self, course: Course) -> Question:
        """Ask whether *course* is available (rule 22)."""
        policy = self.policies.course_availability
        return lambda at: answer("course_availability", policy.evaluate(course, at=at))

    def limit(self, course: Course, organization: Organization | None, *others: Limit) -> Limit:
        """Return the end of access that begins now: the earliest of rule 1's limit and *others*."""
        limit = self.policies.expiration.limit(self.at, course=course, organization=organization)
        validation.check_kind(limit, "policies.expiration", Limit, exact=True)
        return earliest([limit, *others]) if others else limit

    def since(self, *times: datetime) -> "Context":
        """Return this context for records that were created or changed at *times*.

        Clocks of servers differ a little. If the clock is less than ``policies.clock_skew`` before
        one of *times*, that is the time of the decision.
        """
        later = tuple(sorted(one for one in times if self.at < one))
        if not later:
            return self
        at = _taken(self.at, later, self.policies.clock_skew)
        return _Behind(at, self.policies, self.actor, times=later, clock=self.at)

    def require(self, *questions: Question) -> Decision:
        """Return a decision without reasons, or raise `Refused` with every reason."""
        decision = all_of(questions, self.at)
        decision.require()
        return decision

    def expect(self, *records: Record | None) -> tuple[Record, ...]:
        """Return the actor and *records* without ``None`` and duplicates."""
        found = {id(record): record for record in records if record is not None}
        if self.actor is not None and self.actor not in found.values():
            found[id(self.actor)] = self.actor
        return tuple(found.values())

    def expect_for_actor(self, *records: Record) -> tuple[Record, ...]:
        """Return *records* and the actor, or nothing without an actor."""
        return () if self.actor is None else self.expect(*records)

    def event(self, action: str, *subject_ids: str, **details: str | None) -> Event:
        """Return the event of *action* on the records *subject_ids*."""
        named = {key: one for key, one in details.items() if one is not None} if details else ()
        return Event(
            at=self.at,
            by=None if self.actor is None else self.actor.id,
            action=action,
            subject_ids=subject_ids,
            details=named,
        )

    def events(
        self, action: str, subjects: Iterable[tuple[str, ...]], **details: str | None
    ) -> list[Event]:
        """Return as few events of *action* as can name *subjects*, groups of related records."""
        found: list[Event] = []
        ids: dict[str, None] = {}
        for group in subjects:
            if len(ids) + sum(id_ not in ids for id_ in group) > MAX_SUBJECTS:
                found.append(self.event(action, *ids, **details))
                ids.clear()
            ids |= dict.fromkeys(group)
        return [*found, self.event(action, *ids, **details)] if ids else found


@attrs.frozen
class _Behind(Context):
    """A context whose clock is before the sorted *times* of records, perhaps only a little."""

    times: tuple[datetime, ...] = field(kw_only=True)
    clock: datetime = field(kw_only=True)

    def require(self, *questions: Question) -> Decision:
        decision = all_of(map(self._asked, questions), self.clock)
        decision.require()
        return decision

    def _asked(self, question: Question) -> Question:
        """Return *question*, asked with the time that is taken for the one of the clock."""
        skew = self.policies.clock_skew

        def ask(clock: datetime) -> Decision:
            given = question(_taken(clock, self.times, skew))
            turn = given.changes_at if isinstance(given, Decision) else None
            if turn is None:
                return given
            following = bisect_left(self.times, turn)
            near = (one - skew + TICK for one in self.times[following : following + 1])
            return attrs.evolve(given, changes_at=min([turn, *near]))

        return ask


def _taken(clock: datetime, times: Sequence[datetime], skew: timedelta) -> datetime:
    """Return the last of the sorted *times* that is less than *skew* after *clock*, or *clock*."""
    near = bisect_left(times, clock + skew)
    return max(clock, times[near - 1]) if near else clock


@frozen
class Outcome(Generic[T_co]):
    """The outcome of a command.

    Attributes:
        result: The value that the caller gets.
        change: The change to commit first; empty if everything is already stored.
        decision: The decision that allowed the command.

    >>> bool(Outcome("found").change)
    False
    """

    result: T_co
    change: Change = Change()
    decision: Decision = Decision()


def _checking(decide: Callable[..., Any]) -> Callable[..., Any]:
    """Return *decide* of a command, which applications call too, with checks of its arguments."""
    declared = decide.__annotations__.get("records")
    kind = get_origin(declared) or declared

    @wraps(decide)
    def check_and_decide(self: Any, records: Any, context: Context) -> Any:
        if isinstance(kind, type):
            validation.check_kind(records, "records", kind)
        validation.check_kind(context, "context", Context)
        return decide(self, records, context)

    return check_and_decide


def _repr(command: "Command[Any, Any]") -> str:
    """Return the repr of *command*, with masked ids: one may be a code in the wrong place."""
    kind = type(command)
    shown: list[str] = []
    for at in attrs.fields(kind):
        value = getattr(command, at.name)
        is_id = at.name == "by" or at.name.endswith(("id", "ids"))
        show = at.repr if callable(at.repr) else repr_ids if is_id else repr
        shown.append(f"{at.name}={show(value)}")
    return f"{kind.__name__}({', '.join(shown)})"


@frozen
class Command(ABC, Generic[N, T]):
    """A command as a value; its fields are the arguments of the caller.

    ``N`` is the type of the records that it needs, and ``T`` is the type of its result.

    Attributes:
        by: The id of the user who acts, which a registrar reads; ``None`` trusts the caller.
    """

    #: The name of the command in events and on `Registrar`.
    action: ClassVar[str]

    by: str | None = field(default=None, kw_only=True, validator=validation.identifier_or_none)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.action = to_words(cls.__name__).replace(" ", "_")
        decide: Any = vars(cls).get("decide")
        # attrs makes a class with slots from the first one, with what is in it, and no other repr.
        setattr(cls, "__repr__", _repr)  # noqa: B010 - mypy refuses it as an attribute
        if decide is not None and not hasattr(decide, "__wrapped__"):
            setattr(cls, "decide", _checking(decide))  # noqa: B010 - mypy refuses it as an attribute

    def existing(self, reader: Reader) -> T | None:  # noqa: ARG002 - most look for nothing
        """Return the result of an earlier call with the same id, or ``None``.

        Raises:
            Conflict: a different record is stored under the id.
        """
        return None

    @abstractmethod
    def read(self, reader: Reader) -> N:
        """Return the records that the decision needs.

        Raises:
            NotFound: a record that the command refers to is not stored.
        """
        ...

    @abstractmethod
    def decide(self, records: N, context: Context) -> Outcome[T]:
        """Return the result and the change to commit.

        Raises:
            Refused: a rule does not allow it; the decision has every reason.
            InvalidInput: *records* are not those that the command names, or do not match an
                argument.
            Conflict: a concurrent command created a record under the ``id`` of this one.
        """
        ...


@frozen
class CreatingCommand(Command[N, T]):
    """A command that creates a record.

    Attributes:
        id: The id of the record, which must not begin with ``derived-``; makes the call safe to
            repeat. By default a new id.
    """

    id: str | None = field(default=None, kw_only=True, validator=_own_id)


@frozen
class ReceiptedCommand(CreatingCommand[N, T]):
    """A command that stores a `Receipt`, because it may create no record with its ``id``.

    Attributes:
        id: An id for this call; makes the call safe to repeat.
    """

    @property
    @abstractmethod
    def arguments(self) -> tuple[object, ...]:
        """The arguments that a repeated call must repeat; no personal data, no codes."""
        ...

    def find_receipt(self, reader: Reader) -> tuple[Receipt, ...]:
        """Return the receipt of an earlier call with the same id, if there is one.

        Raises:
            Conflict: the earlier call had different arguments.
        """
        if self.id is None:
            return ()
        first = reader.look_up(Receipt, Receipt.id_for(self.action, self.id))
        if first is None:
            return ()
        if first.digest != digest_of(self.action, self.id, self.arguments):
            raise Conflict((self.id,), "id_taken")
        ids = [Receipt.id_for(self.action, self.id, part) for part in range(1, first.parts)]
        return (first, *reader.need_all(Receipt, ids).values())

    def find_returned(self, reader: Reader) -> CourseAssignment | None:
        """Return the assignment that an earlier call with the same id returned, if there is one."""
        for part in self.find_receipt(reader):
            return reader.need(CourseAssignment, (*part.made, *part.skipped)[0])
        return None

    def skipping(self, skipped: CourseAssignment, expect: Iterable[Record]) -> Change:
        """Return the change for a call that returns *skipped*; nothing without an ``id``."""
        if skipped.id == self.id:  # created since `existing` looked for it, which has to look again
            raise Conflict((skipped.id,))
        receipt = self.receipt(skipped=[skipped.id])
        return Change(create=receipt, expect=expect) if receipt else Change()

    def receipt(
        self, made: Sequence[str] = (), skipped: Sequence[str] = (), positions: tuple[int, ...] = ()
    ) -> tuple[Receipt, ...]:
        """Return the receipt to store in the same commit; nothing without an ``id``."""
        if self.id is None:
            return ()
        return receipts_of(
            self.action, self.id, self.arguments, made=made, skipped=skipped, positions=positions
        )


@frozen(kw_only=True)
class CourseAndLearner:
    """A course, and a learner with their organization.

    Attributes:
        claim: The claim of the learner and the course.
    """

    course: Course = field(validator=validation.one_of(Course))
    learner: User = field(validator=validation.one_of(User))
    organization: Organization | None = record_or_none(Organization)
    claim: Claim | None = record_or_none(Claim)

    def __attrs_post_init__(self) -> None:
        check_organization(self.organization, self.learner)
        if self.claim is not None:
            wanted = Claim.id_for(self.learner.id, self.course.id)
            validation.check_same(self.claim.id, wanted, "claim")

    def assignment(
        self, id_: str, at: datetime, end: Limit, origin: Origin, note: Note | None = None
    ) -> CourseAssignment:
        """Return an assignment of the course to the learner from *at* to *end*."""
        if end.at <= at:  # a custom policy may return any limit
            raise validation.not_after("expires_at", end.at, "created_at", at)
        return _assignment(
            id=id_,
            learner_id=self.learner.id,
            course_id=self.course.id,
            organization_id=self.learner.organization_id,
            created_at=at,
            expires_at=end.at,
            limited_by=end.by,
            origin=origin,
            notes=() if note is None else (note,),
        )


def write_claims(
    pairs: Iterable[CourseAndLearner], made: Iterable[CourseAssignment]
) -> tuple[tuple[Claim, ...], tuple[Replace, ...]]:
    """Return the claims to create and to replace for new assignments, one for each of *pairs*.

    Every command that creates an assignment writes its claim, so that concurrent commands for the
    same learner and course conflict (rule 15).
    """
    create: list[Claim] = []
    replace: list[Replace] = []
    for pair, one in zip(pairs, made, strict=True):
        claim = Claim.of(one.learner_id, one.course_id, one.id)
        if pair.claim is None:
            create.append(claim)
        else:
            replace.append(Replace(pair.claim, claim))
    return tuple(create), tuple(replace)


def unless_active(
    active: Callable[[datetime], CourseAssignment | None], question: Question
) -> Question:
    """Return *question*, with a yes as long as there is an *active* assignment."""

    def ask(at: datetime) -> Decision:
        given, found = question(at), active(at)
        # A permanent yes needs no second look when the assignment ends, which would be quadratic.
        return given if found is None or given == YES else Decision((), found.expires_at)

    return ask


def check_organization(organization: Organization | None, learner: User) -> None:
    """Raise InvalidInput unless *organization* is the organization of *learner*."""
    wanted = learner.organization_id
    if (None if organization is None else organization.id) != wanted:
        found = "none" if organization is None else repr(mask_id(organization.id))
        hint = "none, as the learner has none" if wanted is None else f"theirs, {mask_id(wanted)!r}"
        raise InvalidInput("another_record", "organization", f"expected {hint}; got {found}")


def check_newcomer(user: User, path: str) -> None:
    """Raise InvalidInput unless *user* is a user without roles and managed organizations.

    Newcomers have no rights (rule 11).
    """
    validation.check_kind(user, path, User, exact=True)
    for name in ("roles", "managed_organization_ids"):
        given = len(getattr(user, name))
        if given:
            hint = f"expected none, got {given}; an administrator can give it to them later"
            raise InvalidInput("newcomer_with_rights", f"{path}.{name}", hint)


def hidden(values: Sized) -> str:
    """Return what a repr shows instead of *values* that may be codes: their number."""
    return f"<{len(values)} hidden>"


def typed_code(command: object, at: Field, value: object) -> None:
    """Raise InvalidInput unless *value* is a string that is not much too long."""
    if not is_a(value, str):
        raise invalid("not_a_text", at.name, "expected the code of a key as a string", value)
    typed = plain(value)
    if len(typed) > validation.TEXT_LENGTH:
        hint = f"expected at most {validation.TEXT_LENGTH} characters, got {len(typed)}"
        raise InvalidInput("too_long", at.name, hint)
    validation.keep(command, at, typed)


def check_keys(keys: Sequence[TrainingKey], code: str, path: str, context: Context) -> None:
    """Raise InvalidInput unless *keys* is just the key with the *code* that someone typed.

    Raises:
        Refused: the case of a custom code matters and differs (rule 12).
    """
    if len(keys) != 1 or keys[0].lookup_code != fold(code):
        hint = "expected the key with the given code, and no other"
        raise InvalidInput("another_record", path, hint)
    # a policy of a host need not have this setting
    matching = getattr(context.policies.key_redemption, "match_case", False)
    if matching and differs_in_case(code, keys[0].code):
        raise Refused(Decision((KeyNotFound(),)))


def emails_free(records: Iterable[Record], owners: Iterable[User]) -> Decision:
    """Decide whether the e-mail addresses of the users in *records* are free.

    *owners* are the stored users who have one of these addresses.
    """
    taken = {one.folded_email: one.id for one in owners}
    reasons: list[EmailTaken] = []
    for record in records:
        if isinstance(record, User):
            owner_id = taken.setdefault(record.folded_email, record.id)
            if owner_id != record.id:
                reasons.append(EmailTaken(record.id, owner_id))
    return Decision(tuple(reasons))


def for_assignment(
    course_id: str, learner_id: str, question: Question, *, only: Reason | None = None
) -> Question:
    """Return *question* with each reason, or *only* this reason, in a `ForAssignment`."""

    def ask(at: datetime) -> Decision:
        decision = question(at)
        reasons = tuple(
            ForAssignment(course_id, learner_id, reason)
            if not isinstance(reason, ForAssignment) and only in (None, reason)
            else reason
            for reason in decision.reasons
        )
        return attrs.evolve(decision, reasons=reasons)

    return ask
