"""Assign courses to learners. Rules 1, 2, 14, 15, 21 and 22."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

import attrs

from course_assignments import validation
from course_assignments.actions.acting import check_newcomer, emails_free, for_pair
from course_assignments.actions.pairs import Order, Pair
from course_assignments.changes import Change
from course_assignments.decisions import Question
from course_assignments.entities.assignments import AssignmentBatch, CourseAssignment, Note
from course_assignments.entities.enums import Repeat
from course_assignments.entities.people import User
from course_assignments.errors import InvalidInput
from course_assignments.policies import DOCUMENTED, Policies
from course_assignments.policies.repetition import latest_standing
from course_assignments.reasons import OrganizationNotManaged, Reason
from course_assignments.time.durations import EndLike


def assign(
    pair: Pair,
    *,
    at: datetime,
    expires: EndLike | None = None,
    note: Note | None = None,
    repeat: Repeat | None = None,
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that assigns a course to a learner (rules 1, 2, 15, 21 and 22).

    Under ``Repeat.SKIP`` it is empty if `latest_standing` of the standing assignments is there.

    Args:
        pair: The course, the learner, and what was read about them.
        at: The aware instant at which it is created.
        expires: When access ends: an aware instant, a term from *at*, or a day in the zone of the
            learner's organization; by default the earliest of all ceilings.
        note: For administrators.
        repeat: What to do if the learner has the course already; by default the policy's.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason against.
        InvalidInput: an argument is of the wrong kind or out of bounds, or a record belongs to
            others than the rest.

    Example:
        >>> from datetime import UTC
        >>> from course_assignments.entities.catalog import Course
        >>> course = Course(id="py", name="Python", content_provider="us", publishing_group="all")
        >>> ada = User(id="ada", name="Ada", email="ada@example.org")
        >>> change = assign(
        ...     Pair(id="a-1", course=course, learner=ada), at=datetime(2026, 1, 5, tzinfo=UTC)
        ... )
        >>> change.create[0].expires_at.isoformat(), change.create[0].limited_by.name
        ('2026-07-04T00:00:00+00:00', 'MAXIMUM')
    """
    validation.check_kind(pair, "pair", Pair)
    order = Order(at=at, expires=expires, note=note, repeat=repeat, policies=policies, actor=actor)
    decision = order.decide([*order.shared_questions(pair), *order.own_questions(pair)])
    decision.require()
    return order.change("assign", [pair], decision)


def assign_many(
    pairs: Iterable[Pair],
    *,
    at: datetime,
    newcomers: Iterable[User] = (),
    holders: Iterable[User] = (),
    expires: EndLike | None = None,
    note: Note | None = None,
    repeat: Repeat | None = None,
    policies: Policies = DOCUMENTED,
    actor: User | None = None,
) -> Change:
    """Return the change that assigns every pair, or refuse it for all there is to say (rule 14).

    Args:
        pairs: In the order in which the assignments are wanted.
        at: The aware instant at which all of them are created.
        newcomers: The learners among them who have no profile yet and get one.
        holders: The users who have the e-mail address of a newcomer already.
        expires: As for `assign`.
        note: The same on each.
        repeat: As for `assign`.
        policies: The rules.
        actor: Who acts; ``None`` trusts the caller.

    Raises:
        Refused: with every reason; one that concerns a pair is a `ForAssignment`.
        InvalidInput: an argument is of the wrong kind or out of bounds, or a record belongs to
            others than the rest.

    Example:
        >>> from datetime import UTC
        >>> from course_assignments.entities.catalog import Course
        >>> course = Course(id="py", name="Python", content_provider="us", publishing_group="all")
        >>> users = [User(id=id, name=id, email=f"{id}@example.org") for id in ("ada", "bo")]
        >>> pairs = [Pair(id=user.id, course=course, learner=user) for user in users]
        >>> len(assign_many(pairs, at=datetime(2026, 1, 5, tzinfo=UTC)).made(CourseAssignment))
        2
    """
    order = Order(at=at, expires=expires, note=note, repeat=repeat, policies=policies, actor=actor)
    asked = validation.check_list(pairs, "pairs")
    ids: set[str] = set()
    for position, pair in enumerate(asked):
        validation.check_kind(pair, f"pairs[{position}]", Pair)
        if pair.id in ids:
            raise InvalidInput("repeated", f"pairs[{position}].id", "give each pair its own id")
        ids.add(pair.id)
    created = tuple(dict.fromkeys(validation.check_each(newcomers, "newcomers", User)))
    for position, newcomer in enumerate(created):
        check_newcomer(newcomer, f"newcomers[{position}]")
    taken = emails_free(created, holders)
    questions: list[Question] = [lambda _: taken]
    for pair in asked:
        shared, own = order.shared_questions(pair), order.own_questions(pair)
        whose = pair.course.id, pair.learner.id
        questions += [partial(for_pair, *whose, question, _names_nobody) for question in shared]
        questions += [partial(for_pair, *whose, question, None) for question in own]
    decision = order.decide(questions)
    decision.require()
    change = order.change("assign_many", list(asked), decision)
    brought = frozenset(created)
    expect = tuple(record for record in change.expect if record not in brought)
    return attrs.evolve(change, create=(*created, *change.create), expect=expect)


def settled(pairs: Iterable[Pair], change: Change, *, at: datetime) -> AssignmentBatch:
    """Return what *change*, made for *pairs* at *at*, comes to: what is new and what was skipped.

    Example:
        >>> from datetime import UTC
        >>> settled([], Change(), at=datetime(2026, 1, 5, tzinfo=UTC)).created
        ()
    """
    validation.check_kind(change, "change", Change)
    asked = validation.check_each(pairs, "pairs", Pair)
    created = change.made(CourseAssignment)
    fresh = {one.id for one in created}
    held = (latest_standing(pair.standing, at) for pair in asked if pair.id not in fresh)
    return AssignmentBatch(created=created, skipped=tuple(one for one in held if one is not None))


def _names_nobody(reason: Reason) -> bool:
    """Return whether *reason* speaks of a learner whom nobody manages, without a name."""
    return reason == OrganizationNotManaged(None)
