"""A learner and a course, and what is asked and written when the one is assigned to the other.

Rules 1, 2, 15, 21 and 22.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

import attrs
from attrs import field, validators

from course_assignments import validation
from course_assignments.actions.acting import (
    authorization,
    check_organization,
    check_same,
    event,
    read,
)
from course_assignments.changes import Change, Record, Replace
from course_assignments.decisions import Decision, Question, all_of
from course_assignments.entities.assignments import Claim, CourseAssignment, Direct, Note
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.enums import ExpirationLimit, Permission, Repeat
from course_assignments.entities.people import User
from course_assignments.policies import Policies
from course_assignments.policies.expiration import Limit, zone_of
from course_assignments.policies.repetition import latest_standing
from course_assignments.time.durations import EndLike, resolve_end


@attrs.frozen(kw_only=True)
class Pair:
    """One learner and one course, with all that has to be read to assign the one to the other.

    Attributes:
        id: The id of the assignment to be made.
        organization: The learner's, or ``None`` if they have none.
        standing: The learner's assignments of the course; needed unless repeating is allowed.
        claim: The learner's claim in the course, read before `standing`, or ``None``.

    Raises:
        InvalidInput: a field is of the wrong kind, or belongs to another learner or course.

    Example:
        >>> pair = Pair(
        ...     id="a-1", course=Course(id="py", name="Python"),
        ...     learner=User(id="ada", name="Ada", email="ada@example.org"),
        ... )
        >>> pair.standing
        ()
    """

    id: str = field(validator=validation.identifier)
    course: Course = field(validator=validation.one_of(Course))
    learner: User = field(validator=validation.one_of(User))
    organization: Organization | None = field(
        default=None, validator=validators.optional(validation.one_of(Organization))
    )
    standing: tuple[CourseAssignment, ...] = field(
        default=(),
        converter=validation.tidy_tuple,
        validator=validation.each_of(tuple, CourseAssignment),
    )
    claim: Claim | None = field(
        default=None, validator=validators.optional(validation.one_of(Claim))
    )

    def __attrs_post_init__(self) -> None:
        check_organization(self.organization, self.learner)
        for position, one in enumerate(self.standing):
            check_same(one.learner_id, self.learner.id, f"standing[{position}].learner_id")
            check_same(one.course_id, self.course.id, f"standing[{position}].course_id")
        if self.claim is not None:
            check_same(self.claim.id, Claim.id_for(self.learner.id, self.course.id), "claim")


@attrs.frozen(kw_only=True)
class Order:
    """What is asked for all pairs of one call."""

    at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)
    expires: EndLike | None
    note: Note | None = field(validator=validators.optional(validation.one_of(Note)))
    repeat: Repeat | None = field(validator=validators.optional(validation.one_of(Repeat)))
    policies: Policies = field(validator=validation.one_of(Policies))
    actor: User | None = field(validator=validators.optional(validation.one_of(User)))

    @property
    def mode(self) -> Repeat:
        """What to do if the learner has the course already: as asked for, else the policy's."""
        return self.policies.repeat.default if self.repeat is None else self.repeat

    def end(self, pair: Pair) -> Limit:
        """Return when access of *pair* ends: as asked for, else by default (rules 1 and 2)."""
        if self.expires is None:
            end = self.policies.expiration.default_end(
                self.at, course=pair.course, organization=pair.organization
            )
            validation.check_kind(end, "policies.expiration", Limit)
            return end
        zone = zone_of(pair.organization)
        wanted = resolve_end(self.expires, start=self.at, zone=zone, field="expires")
        return Limit(wanted, ExpirationLimit.REQUEST)

    def shared_questions(self, pair: Pair) -> list[Question]:
        """Return the questions that concern the course or the learner of *pair* alone."""
        organization_id = pair.learner.organization_id
        return [
            *authorization(self.policies, self.actor, Permission.ASSIGN_COURSES, organization_id),
            self._unless_skipped(
                pair, lambda at: self.policies.course_availability.evaluate(pair.course, at=at)
            ),
        ]

    def own_questions(self, pair: Pair) -> list[Question]:
        """Return the questions that concern *pair* as a pair."""
        questions: list[Question] = []
        if self.mode is Repeat.REFUSE:
            questions.append(lambda at: self.policies.repeat.evaluate(pair.standing, at=at))
        if self.expires is not None:
            asked = self.policies.expiration.evaluate(
                self.end(pair).at,
                created_at=self.at,
                course=pair.course,
                organization=pair.organization,
            )
            questions.append(self._unless_skipped(pair, lambda _: asked))
        return questions

    def _unless_skipped(self, pair: Pair, question: Question) -> Question:
        """Return *question*, to be asked only while something new would be made (rule 22)."""
        if self.mode is not Repeat.SKIP:
            return question

        def ask(at: datetime) -> Decision:
            answer = question(at)
            holder = latest_standing(pair.standing, at)
            # A plain yes stays one, whether it is skipped or not.
            if holder is None or answer == Decision():
                return answer
            return Decision((), holder.expires_at)

        return ask

    def decide(self, questions: Iterable[Question]) -> Decision:
        """Return the answer to all *questions*."""
        if self.expires is None:
            return all_of(questions, self.at)
        # The ceilings of a new assignment move with the clock, so an end that was asked for has no
        # one instant at which the answer turns.
        return all_of([_without_turn(question) for question in questions], self.at)

    def is_skipped(self, pair: Pair) -> bool:
        """Return whether an active assignment stands in for a new one (rule 15)."""
        return self.mode is Repeat.SKIP and latest_standing(pair.standing, self.at) is not None

    def change(self, action: str, pairs: list[Pair], decision: Decision) -> Change:
        """Return the change that assigns *pairs*, less those that are skipped."""
        made = [pair for pair in pairs if not self.is_skipped(pair)]
        if not made:
            return Change(decision=decision)
        assignments = [self._assignment(pair) for pair in made]
        claims = [] if self.mode is Repeat.ALLOW else made
        held = (latest_standing(pair.standing, self.at) for pair in pairs if self.is_skipped(pair))
        ids = (one for pair in made for one in (pair.id, pair.course.id, pair.learner.id))
        return Change(
            create=(*assignments, *(_seat(pair) for pair in claims if pair.claim is None)),
            replace=[Replace(pair.claim, _seat(pair)) for pair in claims if pair.claim is not None],
            expect=read(*_decided_on(pairs), self.actor, *held),
            record=[event(action, self.at, self.actor, *dict.fromkeys(ids))],
            decision=decision,
        )

    def _assignment(self, pair: Pair) -> CourseAssignment:
        end = self.end(pair)
        return CourseAssignment(
            id=pair.id,
            learner_id=pair.learner.id,
            course_id=pair.course.id,
            organization_id=pair.learner.organization_id,
            created_at=self.at,
            expires_at=end.at,
            limited_by=end.by,
            origin=Direct(),
            notes=() if self.note is None else (self.note,),
        )


def _without_turn(question: Question) -> Question:
    return lambda at: Decision(question(at).reasons)


def _seat(pair: Pair) -> Claim:
    return Claim.of(pair.learner.id, pair.course.id, pair.id)


def _decided_on(pairs: Iterable[Pair]) -> Iterator[Record | None]:
    for pair in pairs:
        yield from (pair.course, pair.learner, pair.organization)
