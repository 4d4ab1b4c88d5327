"""Where one try of a command reads what it decides on. It writes nothing.

What guards an absence (a claim, a redemption id, an e-mail) is read before what it guards.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime

import attrs

from course_assignments import validation
from course_assignments.changes import R
from course_assignments.decisions import Decision, Refused
from course_assignments.entities import codes
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.catalog import Organization
from course_assignments.entities.keys import KeyBatch, TrainingKey
from course_assignments.entities.people import User
from course_assignments.errors import InvalidInput, NotFound
from course_assignments.policies import Policies
from course_assignments.queries import MAX_PAGE, AssignmentQuery, KeyQuery, UserQuery
from course_assignments.reasons import KeyMistyped, KeyNotFound
from course_assignments.repository import Repository, find_all


@attrs.frozen(kw_only=True)
class Desk:
    """One reading of the clock, and everything that one try needs to read, draw and ask."""

    at: datetime
    policies: Policies
    repository: Repository
    id_source: Callable[[], str]
    random_bytes: codes.RandomBytes
    drawn: set[str]

    def look_up(self, kind: type[R], id_: str | None, field: str = "id") -> R | None:
        """Return the record of *kind* under *id_*, if there is an id and such a record."""
        if id_ is None:
            return None
        return self.repository.get(kind, [validation.check_id(id_, field)]).get(id_)

    def need(self, kind: type[R], id_: str, field: str = "id") -> R:
        """Return the record of *kind* under *id_*, or raise `NotFound`."""
        record = self.look_up(kind, validation.check_id(id_, field), field)
        if record is None:
            raise NotFound(kind.__name__, id_)
        return record

    def need_all(self, kind: type[R], ids: Collection[str]) -> dict[str, R]:
        """Return the records of *kind* under *ids*, or raise `NotFound` naming all that miss."""
        records = self.repository.get(kind, ids)
        NotFound.raise_any((kind.__name__, one) for one in ids if one not in records)
        return records

    def actor(self, by: str | None) -> User | None:
        """Return the user who acts, or ``None`` if the caller names none."""
        return None if by is None else self.need(User, by, "by")

    def organization_of(self, user: User) -> Organization | None:
        """Return the organization of *user*, or ``None`` if they have none."""
        if user.organization_id is None:
            return None
        return self.need(Organization, user.organization_id, "organization_id")

    def standing(self, learner_id: str) -> dict[str, list[CourseAssignment]]:
        """Return all assignments of the learner, by the ids of their courses."""
        found: dict[str, list[CourseAssignment]] = {}
        for one in find_all(self.repository, AssignmentQuery(learner_id=learner_id)):
            found.setdefault(one.course_id, []).append(one)
        return found

    def holders(self, users: Iterable[User]) -> list[User]:
        """Return the stored users who have the e-mail address of one of *users*."""
        pages = (self.repository.find(UserQuery(email=user.email)) for user in users)
        return [holder for page in pages for holder in page]

    def key(self, typed: str) -> TrainingKey:
        """Return the key whose code someone *typed*.

        A code that cannot be one is refused before anything is looked up (rule 12).
        """
        if not isinstance(typed, str):
            raise InvalidInput("not_a_text", "code", "expected the code of a key as a text")
        code = codes.fold(typed)
        if codes.is_mistyped(code):
            raise Refused(Decision((KeyMistyped(),)))
        found = self.repository.get(TrainingKey, [code]) if codes.is_storable(code) else {}
        if code not in found:
            raise Refused(Decision((KeyNotFound(),)))
        return found[code]

    def keys_of(self, batch: KeyBatch) -> Iterator[TrainingKey]:
        """Go through all keys of *batch*."""
        return find_all(self.repository, KeyQuery(batch_ids=[batch.id], limit=MAX_PAGE))

    def new_id(self, wanted: str | None = None) -> str:
        """Return the id that the caller *wanted*, or one that was not drawn before."""
        if wanted is not None:
            return wanted
        drawn = validation.check_id(self.id_source(), "new_id")
        if drawn in self.drawn:
            raise InvalidInput("bad_id_source", "new_id", "it repeats itself; use a unique one")
        self.drawn.add(drawn)
        return drawn

    def new_codes(self, count: int, besides: Collection[str]) -> tuple[str, ...]:
        """Return *count* codes that no key has and that are not among *besides*."""
        for _ in range(codes.MAX_ATTEMPTS):
            drawn = codes.generate(count, self.random_bytes)
            if not self.repository.get(TrainingKey, drawn) and not {*drawn} & {*besides}:
                return drawn
        raise InvalidInput("bad_random_source", "random_bytes", "it repeats itself; use another")
