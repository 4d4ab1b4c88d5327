"""The reader: reads records for one try of a command, and issues ids and codes."""

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar, overload

import attrs

from course_assignments import validation
from course_assignments.changes import R, Record
from course_assignments.decisions import Decision, Refused
from course_assignments.entities import codes
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.catalog import Organization
from course_assignments.entities.keys import KeyBatch, TrainingKey
from course_assignments.entities.people import User
from course_assignments.errors import InvalidInput, NotFound, invalid
from course_assignments.policies import Policies
from course_assignments.queries import (
    MAX_PAGE,
    AssignmentQuery,
    KeyQuery,
    Query,
    RecordT,
    UserQuery,
)
from course_assignments.reasons import KeyMistyped, KeyNotFound
from course_assignments.repository import Repository, pages
from course_assignments.validation import Strings

A = TypeVar("A", bound=Record)
B = TypeVar("B", bound=Record)
C = TypeVar("C", bound=Record)

#: How many codes, learners or e-mail addresses one query looks for.
_CHUNK: Final = 500


@attrs.define(kw_only=True)
class Reader:
    """Reads the records that a command needs from a repository, once for each try.

    Methods that need a record raise `NotFound` if it is not stored.

    Attributes:
        issued_ids: The ids issued so far in this call.
    """

    repository: Repository
    policies: Policies
    id_source: Callable[[], str]
    random_bytes: codes.RandomBytes
    issued_ids: set[str]
    _unknown: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]], init=False)

    def get(self, kind: type[R], ids: Strings) -> dict[str, R]:
        """Return the records of *kind* that are stored under *ids*."""
        return self.repository.get(kind, ids)

    def find(self, query: Query[RecordT]) -> Iterator[RecordT]:
        """Iterate over all records that *query* finds."""
        return pages(self.repository, query)

    def look_up(self, kind: type[R], id_: str | None) -> R | None:
        """Return the record under *id_*, or ``None`` if nothing is stored there."""
        return None if id_ is None else self.repository.get(kind, (id_,)).get(id_)

    def named(
        self, kind: type[R], ids: Iterable[str], besides: Container[str] = ()
    ) -> dict[str, R]:
        """Return the records that are stored under *ids*, in this order.

        `require_named` raises `NotFound` for the others, except for *besides*.
        """
        wanted = tuple(ids)
        records = self.repository.get(kind, wanted)
        unknown = [one for one in wanted if one not in records and one not in besides]
        self._unknown += [(kind.__name__, one) for one in unknown]
        return {one: records[one] for one in wanted if one in records}

    def require_named(self) -> None:
        """Raise one `NotFound` for all ids that `named` did not find, if any."""
        NotFound.raise_any(dict.fromkeys(self._unknown))

    def need(self, kind: type[R], id_: str) -> R:
        """Return the record under *id_*, or raise `NotFound`."""
        return self.need_all(kind, (id_,))[id_]

    def need_all(self, kind: type[R], ids: Iterable[str]) -> dict[str, R]:
        """Return the records in the order of *ids*, or raise `NotFound` for all missing ids."""
        records = self.named(kind, ids)
        self.require_named()
        return records

    @overload
    def need_each(self, a: tuple[type[A], str], b: tuple[type[B], str], /) -> tuple[A, B]: ...
    @overload
    def need_each(
        self, a: tuple[type[A], str], b: tuple[type[B], str | None], c: tuple[type[C], str], /
    ) -> tuple[A, B | None, C]: ...
    @overload
    def need_each(self, *wanted: tuple[type[Any], str | None]) -> tuple[Any, ...]: ...
    def need_each(self, *wanted: tuple[type[Any], str | None]) -> tuple[Any, ...]:
        """Read the records of any number of kinds, in this order; an id of ``None`` gives ``None``.

        Raises:
            NotFound: some of them are not stored.
        """
        found = [{} if id_ is None else self.named(kind, (id_,)) for kind, id_ in wanted]
        self.require_named()
        return tuple([next(iter(one.values()), None) for one in found])

    def organization_of(self, user: User) -> Organization | None:
        """Return the organization of *user*, or ``None`` for a user without one."""
        id_ = user.organization_id
        return None if id_ is None else self.need(Organization, id_)

    def assignments(
        self, learner_ids: Sequence[str], course_ids: Sequence[str]
    ) -> Iterator[CourseAssignment]:
        """Iterate over the assignments of these courses to these learners."""
        for start in range(0, len(learner_ids), _CHUNK):
            learners = learner_ids[start : start + _CHUNK]
            query = AssignmentQuery(learner_ids=learners, course_ids=course_ids, limit=MAX_PAGE)
            yield from self.find(query)

    def email_owners(self, records: Iterable[Record]) -> list[User]:
        """Return the stored users who have the e-mail address of a user in *records*."""
        emails = [one.email for one in records if isinstance(one, User)]
        starts = range(0, len(emails), _CHUNK)
        queries = (UserQuery(emails=emails[one : one + _CHUNK], limit=_CHUNK) for one in starts)
        return [user for query in queries for user in self.repository.find(query)]

    def key(self, code: str) -> TrainingKey:
        """Return the key whose code someone typed, or raise `Refused`.

        An impossible code is refused before anything is looked up (rule 12).
        """
        self.require_named()  # an unknown actor learns nothing about codes
        folded = codes.fold(code)
        if codes.is_storable(folded):
            for found in self.repository.find(KeyQuery(code=folded)).records:
                return found
        raise Refused(Decision((KeyMistyped() if codes.is_mistyped(code) else KeyNotFound(),)))

    def keys_of_codes(self, codes: Iterable[str]) -> dict[str, TrainingKey]:
        """Return the stored keys that have one of *codes*, by the form in which it is looked up."""
        wanted = tuple(codes)
        starts = range(0, len(wanted), _CHUNK)
        queries = (KeyQuery(codes=wanted[one : one + _CHUNK], limit=_CHUNK) for one in starts)
        return {key.lookup_code: key for query in queries for key in self.repository.find(query)}

    def most_used_key(self, batch: KeyBatch, besides: int) -> tuple[TrainingKey, ...]:
        """Return one key of *batch* with the most uses, or none if no key has more than *besides*.

        A batch may have a million keys, so this looks for ever narrower ranges of uses.
        """
        first, last = besides + 1, batch.max_uses
        found: tuple[TrainingKey, ...] = ()
        wanted = first
        while first <= last:
            query = KeyQuery(batch_ids=[batch.id], min_uses=wanted, limit=1)
            page = self.repository.find(query).records
            if page:
                found, first = page, page[0].uses + 1
            else:
                last = wanted - 1 if found else besides  # most often no key has more
            wanted = (first + last + 1) // 2
        return found

    def new_id(self, wanted: str | None = None) -> str:
        """Return *wanted*, or a new id that was not issued before."""
        if wanted is not None:
            return wanted
        issued = validation.check_own_id(self.id_source(), "new_id")
        if issued in self.issued_ids:
            expected = "expected a source that returns no id twice"
            raise invalid("bad_id_source", "new_id", expected, issued)
        self.issued_ids.add(issued)
        return issued

    def new_codes(self, count: int, besides: Collection[str]) -> tuple[str, ...]:
        """Return *count* new codes that no key has and that are not among *besides*."""
        for _ in range(codes.MAX_ATTEMPTS):
            drawn = codes.generate(count, self.random_bytes)
            if not self.keys_of_codes(drawn) and not {*drawn} & {*besides}:
                return drawn
        hint = "the source returned the same bytes again and again; use a random source"
        raise InvalidInput("bad_random_source", "random_bytes", hint)
