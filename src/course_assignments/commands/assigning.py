"""Assign courses to learners. Rules 1, 2, 14, 15, 21 and 22."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import cast

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.changes import Change
from course_assignments.commands import base
from course_assignments.commands.base import Context, CreatingCommand, N, Outcome, T
from course_assignments.commands.reader import Reader
from course_assignments.decisions import Decision, Question, answer
from course_assignments.entities.assignments import (
    AssignmentBatch,
    Claim,
    CourseAssignment,
    Direct,
    Note,
)
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import ExpirationLimit, Permission, Repeat
from course_assignments.entities.people import User
from course_assignments.errors import Conflict, InvalidInput, invalid, is_a, mask_id, repr_first
from course_assignments.frozen import frozen
from course_assignments.policies import Policies
from course_assignments.policies.expiration import Limit, zone_of
from course_assignments.policies.repetition import latest_open
from course_assignments.reasons import OrganizationNotManaged
from course_assignments.time.durations import End, resolve_end
from course_assignments.validation import derived_id, items_of, to_tuple


@frozen(kw_only=True)
class Assignable(base.CourseAndLearner):
    """A course, and a learner with their organization.

    Attributes:
        id: The id of the new assignment.
        existing: The learner's assignments of the course; needed unless repetition is allowed.
        claim: The claim of the learner and the course, read before ``existing``.
    """

    id: str = field(validator=validation.identifier)
    existing: tuple[CourseAssignment, ...] = field(
        default=(), converter=to_tuple[CourseAssignment], validator=items_of(CourseAssignment)
    )

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        for position, one in enumerate(self.existing):
            path = f"existing[{position}]"
            validation.check_same(one.learner_id, self.learner.id, f"{path}.learner_id")
            validation.check_same(one.course_id, self.course.id, f"{path}.course_id")

    def active(self, at: datetime) -> CourseAssignment | None:
        """Return the learner's open assignment of the course, if any (rule 15)."""
        return latest_open(self.existing, at)


@frozen(kw_only=True)
class _Assigning(CreatingCommand[N, T]):
    """What `Assign` and `AssignMany` share."""

    expires: End | None = field(default=None, converter=validation.to_end_or_none)
    note: Note | None = field(
        default=None, validator=validation.one_of(Note, exact=True, optional=True)
    )
    repeat: Repeat | None = field(default=None, validator=validation.one_of(Repeat, optional=True))

    def mode(self, policies: Policies) -> Repeat:
        """Return how to repeat an assignment: the argument, or else the default."""
        if self.repeat is not None:
            return self.repeat
        default = policies.repeat.default
        validation.check_kind(default, "policies.repeat.default", Repeat)
        return default

    def read_assignables(
        self,
        reader: Reader,
        courses: Sequence[Course],
        learners: Sequence[User],
        ids: Mapping[tuple[str, str], str | None],
    ) -> list[Assignable]:
        """Read the organizations of the learners, and the claims and assignments of each pair."""
        wanted = dict.fromkeys(one.organization_id for one in learners if one.organization_id)
        organizations = reader.need_all(Organization, wanted)
        # Read the claims first. An assignment that is created later is a conflict.
        claims = reader.get(Claim, [Claim.id_for(learner, course) for course, learner in ids])
        existing: dict[tuple[str, str], list[CourseAssignment]] = {}
        if self.mode(reader.policies) is not Repeat.ALLOW:
            wanted_ids = [one.id for one in learners], [one.id for one in courses]
            for one in reader.assignments(*wanted_ids):
                existing.setdefault((one.course_id, one.learner_id), []).append(one)
        return [
            Assignable(
                id=reader.new_id(ids[course.id, learner.id]),
                course=course,
                learner=learner,
                organization=organizations.get(learner.organization_id or ""),
                existing=existing.get((course.id, learner.id), ()),
                claim=claims.get(Claim.id_for(learner.id, course.id)),
            )
            for course in courses
            for learner in learners
        ]

    def end(self, one: Assignable, context: Context) -> Limit:
        """Return the requested end of access, or else the default (rules 1 and 2)."""
        if self.expires is None:
            end = context.policies.expiration.default_end(
                context.at, course=one.course, organization=one.organization
            )
            validation.check_kind(end, "policies.expiration", Limit, exact=True)
            return end
        zone = zone_of(one.organization, self.expires)
        wanted = resolve_end(self.expires, start=context.at, zone=zone, field="expires")
        return Limit(wanted, ExpirationLimit.REQUEST)

    def learner_questions(self, one: Assignable, context: Context) -> list[Question]:
        """Return the questions about the learner alone."""
        return context.may(Permission.ASSIGN_COURSES, one.learner.organization_id)

    def course_questions(self, one: Assignable, context: Context) -> list[Question]:
        """Return the questions about the course alone, unless its assignment is skipped."""
        return [self._unless_skipped(one, context, context.is_available(one.course))]

    def own_questions(self, one: Assignable, context: Context) -> list[Question]:
        """Return the questions about the learner and the course together."""
        policies = context.policies
        questions: list[Question] = []
        if self.mode(policies) is Repeat.REFUSE:
            questions.append(
                lambda at: answer("repeat", policies.repeat.evaluate(one.existing, at=at))
            )
        if self.expires is not None:
            within_limits = answer(
                "expiration",
                policies.expiration.evaluate(
                    self.end(one, context).at,
                    created_at=context.at,
                    course=one.course,
                    organization=one.organization,
                ),
            )
            questions.append(self._unless_skipped(one, context, lambda _: within_limits))
        return questions

    def _unless_skipped(self, one: Assignable, context: Context, question: Question) -> Question:
        """Return *question*, with a yes if the assignment would be skipped (rule 22)."""
        skips = self.mode(context.policies) is Repeat.SKIP
        return base.unless_active(one.active, question) if skips else question

    def require(self, questions: Iterable[Question], context: Context) -> Decision:
        """Return a decision without reasons, or raise `Refused`."""
        if self.expires is None:
            return context.require(*questions)
        # The limits of a new assignment move with the clock, so with a requested end there is no
        # fixed time at which the answer changes.
        return context.require(*map(_without_change, questions))

    def outcome(
        self, assignables: Sequence[Assignable], context: Context
    ) -> tuple[AssignmentBatch, Change]:
        """Return the created and skipped assignments, and the change to commit."""
        skips = self.mode(context.policies) is Repeat.SKIP
        active = [one.active(context.at) if skips else None for one in assignables]
        skipped = tuple(one for one in active if one is not None)
        made = [one for one, held in zip(assignables, active, strict=True) if held is None]
        created = tuple(
            one.assignment(one.id, context.at, self.end(one, context), Direct(), self.note)
            for one in made
        )
        new_claims, claims = base.write_claims(made, created)
        # A concurrent command can make one that lasts longer and would be skipped instead.
        kept = [one.claim for one, held in zip(assignables, active, strict=True) if held]
        # An expired assignment can become active again.
        ended = (old for one in made for old in one.existing if old.cancelled_at is None)
        decided_on = (
            record for one in assignables for record in (one.course, one.learner, one.organization)
        )
        change = Change(
            create=(*created, *new_claims),
            replace=claims,
            expect=context.expect(*decided_on, *skipped, *kept, *ended),
            record=context.events(
                self.action, ((one.id, one.course.id, one.learner.id) for one in made)
            ),
        )
        return AssignmentBatch(created=created, skipped=skipped), change


#: The only shared reason that concerns a single learner: one without an organization.
_UNMANAGED = OrganizationNotManaged(None)


def _without_change(question: Question) -> Question:
    return lambda at: Decision(question(at).reasons)


@frozen
class Assign(
    _Assigning[Assignable, CourseAssignment],
    base.ReceiptedCommand[Assignable, CourseAssignment],
):
    """Assign a course to a learner (rules 1, 2, 15, 21 and 22).

    Attributes:
        id: The id of the new assignment, which must not begin with ``derived-``; makes the call
            safe to repeat. By default a new id.
        expires: When access ends: an aware datetime, a duration from now, or the start of a date in
            the time zone of the learner's organization. By default as late as the limits allow.
        note: A note for administrators.
        repeat: What to do if the learner has an active assignment of the course; by default the
            policy decides. With ``Repeat.SKIP`` the active assignment is returned.

    >>> assignment = registrar.assign("py", "ada", id="a-1")
    >>> (assignment.expires_at - assignment.created_at).days
    180
    >>> registrar.assign("py", "ada", id="a-1") == assignment
    True
    """

    course_id: str = field(validator=validation.identifier)
    learner_id: str = field(validator=validation.identifier)

    @property
    def arguments(self) -> tuple[object, ...]:
        """The course and the learner."""
        return self.course_id, self.learner_id

    def existing(self, reader: Reader) -> CourseAssignment | None:
        made = reader.look_up(CourseAssignment, self.id)
        if made is None:
            return self.find_returned(reader)
        wanted = (self.course_id, self.learner_id, Direct())
        if (made.course_id, made.learner_id, made.origin) != wanted:
            raise Conflict((made.id,), "id_taken", "CourseAssignment")
        return made

    def read(self, reader: Reader) -> Assignable:
        course, learner = reader.need_each((Course, self.course_id), (User, self.learner_id))
        ids = {(course.id, learner.id): self.id}
        (one,) = self.read_assignables(reader, [course], [learner], ids)
        return one

    def decide(self, records: Assignable, context: Context) -> Outcome[CourseAssignment]:
        validation.check_same(records.course.id, self.course_id, "course")
        validation.check_same(records.learner.id, self.learner_id, "learner")
        questions = [
            *self.learner_questions(records, context),
            *self.course_questions(records, context),
            *self.own_questions(records, context),
        ]
        decision = self.require(questions, context)
        batch, change = self.outcome([records], context)
        if not batch.skipped:
            receipt = self.receipt(made=[records.id])
            change = attrs.evolve(change, create=(*change.create, *receipt))
            return Outcome(batch.created[0], change, decision)
        change = self.skipping(batch.skipped[0], change.expect)
        return Outcome(batch.skipped[0], change, decision)


def _each_once(users: Iterable[User]) -> tuple[User, ...]:
    return tuple(dict.fromkeys(validation.check_each(users, "newcomers", User)))


@frozen(kw_only=True)
class Roster:
    """The records to assign every course to every learner.

    Attributes:
        assignables: Every course with every learner, in the order of the new assignments.
        newcomers: The learners without a profile, who get one.
        email_owners: The users who already have the e-mail address of a newcomer.
    """

    assignables: tuple[Assignable, ...] = field(
        converter=to_tuple[Assignable], validator=items_of(Assignable)
    )
    newcomers: tuple[User, ...] = field(
        default=(), converter=_each_once, validator=validation.each(base.check_newcomer)
    )
    email_owners: tuple[User, ...] = field(
        default=(), converter=to_tuple[User], validator=items_of(User)
    )

    def __attrs_post_init__(self) -> None:
        if not self.assignables:
            expected = "expected at least one element"
            raise invalid("empty_list", "assignables", expected, self.assignables)
        validation.check_distinct((one.id for one in self.assignables), "assignables[{}].id")


def _learners(values: validation.Many[str | User]) -> Mapping[str, User | None]:
    """Return the distinct learners by id, in order, with any passed profiles."""
    if type(values) is dict and values:  # of a command that is evolved
        known = cast("dict[str, User | None]", values)
        values = [id_ if user is None else user for id_, user in known.items()]
    given: dict[str, User | None] = {}

    def add(learner: str | User, path: str) -> None:
        if not is_a(learner, User):
            given.setdefault(validation.check_id(learner, path), None)
            return
        base.check_newcomer(learner, path)
        if (given.get(learner.id) or learner) != learner:
            hint = f"{mask_id(learner.id)!r} is repeated with a different profile; give one of them"
            raise InvalidInput("repeated", path, hint)
        given[learner.id] = learner

    validation.collect(validation.check_list(values, "learners"), add, "learners")
    return given


def _repr_learners(learners: Mapping[str, User | None]) -> str:
    return repr_first(tuple(user or mask_id(id_) for id_, user in learners.items()))


#: How many pairs of a course and a learner one call may name.
MAX_PAIRS = 1_000_000


@frozen
class AssignMany(
    _Assigning[Roster, AssignmentBatch], base.ReceiptedCommand[Roster, AssignmentBatch]
):
    """Assign every course to every learner, or nothing to anyone (rule 14).

    There may be up to a million pairs of a course and a learner.

    Attributes:
        course_ids: The courses; duplicates are ignored.
        learners: The ids of the learners. You can pass a learner without a profile as a `User`,
            which is stored in the same commit.
        expires, note: As for `assign`, for each assignment.
        repeat: As for `assign`; skipped assignments are in the result.
        id: An id for this call, from which the ids of the assignments are derived; makes the call
            safe to repeat.

    >>> newcomer = User(id="eve", name="Eve", email="eve@example.org")
    >>> batch = registrar.assign_many(["py"], ["ada", newcomer])
    >>> [assignment.learner_id for assignment in batch.created]
    ['ada', 'eve']
    """

    course_ids: tuple[str, ...] = field(converter=validation.to_ids)
    learners: Mapping[str, User | None] = field(
        converter=_learners, repr=_repr_learners, hash=False
    )

    def __attrs_post_init__(self) -> None:
        pairs = len(self.course_ids) * len(self.learners)
        validation.check_number(pairs, "learners", MAX_PAIRS, "pairs of a course and a learner")

    def ids(self) -> dict[tuple[str, str], str | None]:
        """Return the ids of the assignments by course and learner; None without `id`."""
        pairs = [(course, learner) for course in self.course_ids for learner in self.learners]
        if self.id is None:
            return dict.fromkeys(pairs)
        return {pair: derived_id("pair", self.id, *pair) for pair in pairs}

    @property
    def arguments(self) -> tuple[object, ...]:
        """All arguments except the profiles of newcomers."""
        return self.course_ids, tuple(self.learners), self.expires, self.note, self.repeat

    def existing(self, reader: Reader) -> AssignmentBatch | None:
        receipt = self.find_receipt(reader)
        if not receipt:
            return None
        made = [id_ for part in receipt for id_ in part.made]
        skipped = [id_ for part in receipt for id_ in part.skipped]
        found = reader.need_all(CourseAssignment, [*made, *skipped])
        return AssignmentBatch(
            created=tuple(found[id_] for id_ in made), skipped=tuple(found[id_] for id_ in skipped)
        )

    def read(self, reader: Reader) -> Roster:
        courses = reader.named(Course, self.course_ids)
        profiles = {id_: user for id_, user in self.learners.items() if user is not None}
        # Read the addresses first. A user who is stored later is read below, or is a conflict.
        email_owners = reader.email_owners(profiles.values())
        known = reader.named(User, self.learners, besides=profiles)
        changed = [id_ for id_, user in profiles.items() if known.get(id_, user) != user]
        if changed:
            raise Conflict(tuple(changed), "id_taken", "User")
        newcomers = {id_: user for id_, user in profiles.items() if id_ not in known}
        joined = dict.fromkeys(
            one.organization_id for one in newcomers.values() if one.organization_id is not None
        )
        reader.named(Organization, joined)
        reader.require_named()
        learners = [newcomers.get(one) or known[one] for one in self.learners]
        wanted = [courses[one] for one in self.course_ids]
        assignables = self.read_assignables(reader, wanted, learners, self.ids())
        return Roster(
            assignables=assignables, newcomers=newcomers.values(), email_owners=email_owners
        )

    def decide(self, records: Roster, context: Context) -> Outcome[AssignmentBatch]:
        named = self.ids()
        for position, one in enumerate(records.assignables):
            if (one.course.id, one.learner.id) not in named:
                hint = "expected a course and a learner that the command names"
                raise InvalidInput("another_record", f"assignables[{position}]", hint)
        taken = base.emails_free(records.newcomers, records.email_owners)
        questions: list[Question] = [lambda _: taken]
        skips = self.mode(context.policies) is Repeat.SKIP
        asked: set[str | None] = set()
        available: set[str] = set()
        for one in records.assignables:
            whose = one.course.id, one.learner.id
            organization_id = one.learner.organization_id
            if organization_id not in asked:  # once for all learners of an organization
                asked |= {organization_id} - {None}
                questions += [
                    base.for_assignment(*whose, ask, only=_UNMANAGED)
                    for ask in self.learner_questions(one, context)
                ]
            if skips or one.course.id not in available:
                available.add(one.course.id)
                questions += self.course_questions(one, context)
            own = self.own_questions(one, context)
            questions += [base.for_assignment(*whose, ask) for ask in own]
        decision = self.require(questions, context)
        batch, change = self.outcome(records.assignables, context)
        receipt = self.receipt(
            made=[one.id for one in batch.created], skipped=[one.id for one in batch.skipped]
        )
        if not batch.created and not receipt:
            return Outcome(batch, decision=decision)
        new = frozenset(records.newcomers)
        change = attrs.evolve(
            change,
            create=(*records.newcomers, *change.create, *receipt),
            expect=[record for record in change.expect if record not in new],
        )
        return Outcome(batch, change, decision)
