"""Commands on training keys and their batches. Rules 6 to 9, 12 and 20 to 22."""

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from enum import Enum
from typing import Any, Final

import attrs

from course_assignments import actions, validation
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.codes import MAX_KEYS_PER_CALL, read_codes
from course_assignments.entities.keys import KeyBatch, TrainingKey
from course_assignments.errors import Conflict
from course_assignments.registrar.desk import Desk
from course_assignments.registrar.office import Office, Outcome, command, question
from course_assignments.time.durations import DurationLike, EndLike, resolve_end


class Unchanged(Enum):
    """Says that a field stays as it is, where ``None`` has a meaning of its own.

    Example:
        >>> Unchanged.UNCHANGED
        <Unchanged.UNCHANGED: 'unchanged'>
    """

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


class BatchCommands(Office):
    """What makes, changes and revokes training keys."""

    @command
    def create_keys(
        self,
        desk: Desk,
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
    ) -> Outcome[KeyBatch]:
        """Make a batch of training keys for a course (rules 6 to 9, 12, 21 and 22).

        Args:
            course_id: What the keys give access to.
            name: What the batch is called.
            organization_id: Whose keys they are.
            availability: How long access lasts from redemption on.
            redeemable_from: From when on they can be redeemed: an aware instant, a term from now,
                or a day in the zone of the organization; at once by default.
            redeemable_until: The first instant at which they no longer can, likewise; never by
                default.
            max_uses: How often each can be used; ``None`` is once.
            any_organization: Whether learners of other organizations may redeem them.
            codes: Hand-made codes, one a line: 8 to 64 printable ASCII characters. A pasted text is
                given as ``text.splitlines()``; blank lines are skipped.
            generate: How many more to make with random codes.
            id: The id of the batch; makes the call safe to repeat.
            by: The id of the user who acts, whose roles then count.

        Raises:
            Refused: with every reason against; codes that exist are named by their lines.
            NotFound: the course, the organization or *by* is unknown.
            Conflict: another batch is stored under *id*.
            InvalidInput: an argument is of the wrong kind or out of bounds, or there is no code.

        Example:
            >>> from datetime import timedelta
            >>> from course_assignments import Course, Organization, Registrar
            >>> registrar = Registrar()
            >>> registrar.add(
            ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
            ...     Organization(id="acme", name="Acme"),
            ... )
            >>> batch = registrar.create_keys(
            ...     "py", name="Spring", organization_id="acme", availability=timedelta(days=30),
            ...     codes=["Spring-2026"], generate=2,
            ... )
            >>> len(list(registrar.keys(batch.id)))
            3
        """
        validation.check_id(course_id, "course_id")
        validation.check_id(organization_id, "organization_id")
        validation.check_count(generate, "generate", 0, MAX_KEYS_PER_CALL)
        lines = read_codes(codes)
        taken = desk.repository.get(TrainingKey, lines)
        made = desk.look_up(KeyBatch, id)
        if made is not None:
            same = (made.course_id, made.organization_id) == (course_id, organization_id)
            enough = made.size >= len(lines) + generate
            if not same or not enough or not _all_in(made, lines, taken):
                raise Conflict((made.id,), "id_taken")
            return Outcome(made)
        actor = desk.actor(by)
        course = desk.need(Course, course_id, "course_id")
        organization = desk.need(Organization, organization_id, "organization_id")
        zone = organization.zone
        batch = KeyBatch(
            id=desk.new_id(id),
            name=name,
            course_id=course.id,
            organization_id=organization_id,
            created_at=desk.at,
            redeemable_from=_bound(redeemable_from, desk.at, zone, "redeemable_from"),
            redeemable_until=_bound(redeemable_until, desk.at, zone, "redeemable_until"),
            max_uses=1 if max_uses is None else max_uses,
            availability=availability,
            any_organization=any_organization,
        )
        change = actions.create_keys(
            batch,
            course,
            at=desk.at,
            organization=organization,
            codes=lines,
            generated=desk.new_codes(generate, lines),
            taken=taken,
            policies=desk.policies,
            actor=actor,
        )
        return Outcome(change.made(KeyBatch)[0], change)

    may_create_keys = question(create_keys)

    @command
    def add_keys(
        self,
        desk: Desk,
        batch_id: str,
        *,
        codes: Iterable[str] = (),
        generate: int = 0,
        id: str | None = None,
        by: str | None = None,
    ) -> Outcome[KeyBatch]:
        """Add keys to a batch, on its terms (rules 12, 21 and 22).

        Args:
            batch_id: The batch.
            codes: As for `create_keys`.
            generate: As for `create_keys`.
            id: A name for this addition, which the batch remembers; makes the call safe to repeat.
            by: The id of the user who acts, whose roles then count.

        Raises:
            Refused: with every reason against; codes that exist are named by their lines.
            NotFound: the batch or *by* is unknown.
            Conflict: under *id* other codes were added, or another number of them.
            InvalidInput: an argument is of the wrong kind or out of bounds, or there is no code.

        Example:
            >>> from datetime import timedelta
            >>> from course_assignments import Course, Organization, Registrar
            >>> registrar = Registrar()
            >>> registrar.add(
            ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
            ...     Organization(id="acme", name="Acme"),
            ... )
            >>> batch = registrar.create_keys(
            ...     "py", name="Spring", organization_id="acme", availability=timedelta(days=30),
            ...     generate=2,
            ... )
            >>> registrar.add_keys(batch.id, codes=["Spring-2026"]).size
            3
        """
        validation.check_count(generate, "generate", 0, MAX_KEYS_PER_CALL)
        lines = read_codes(codes)
        taken = desk.repository.get(TrainingKey, lines)
        batch = desk.need(KeyBatch, batch_id, "batch_id")
        if id is not None:
            validation.check_id(id, "id")
            wanted = len(lines) + generate
            for earlier in (one for one in batch.additions if one.id == id):
                if earlier.keys != wanted or not _all_in(batch, lines, taken):
                    raise Conflict((id,), "id_taken")
                return Outcome(batch)
        actor = desk.actor(by)
        change = actions.add_keys(
            batch,
            desk.need(Course, batch.course_id),
            at=desk.at,
            id=id,
            codes=lines,
            generated=desk.new_codes(generate, lines),
            taken=taken,
            policies=desk.policies,
            actor=actor,
        )
        return Outcome(change.made(KeyBatch)[0], change)

    may_add_keys = question(add_keys)

    @command
    def edit_keys(
        self,
        desk: Desk,
        batch_id: str,
        *,
        name: str | Unchanged = UNCHANGED,
        redeemable_from: EndLike | Unchanged | None = UNCHANGED,
        redeemable_until: EndLike | Unchanged | None = UNCHANGED,
        max_uses: int | Unchanged | None = UNCHANGED,
        availability: DurationLike | Unchanged = UNCHANGED,
        any_organization: bool | Unchanged = UNCHANGED,
        by: str | None = None,
    ) -> Outcome[KeyBatch]:
        """Change the terms of a batch for what is redeemed from now on (rules 20 and 21).

        Args:
            batch_id: The batch.
            name: What it is called.
            redeemable_from: As for `create_keys`, but a term counts from the batch's creation;
                ``None`` is at once.
            redeemable_until: Likewise; ``None`` is never.
            max_uses: How often each key can be used, not below the uses made; ``None`` is once.
            availability: How long access lasts from redemption on.
            any_organization: Whether learners of other organizations may redeem them.
            by: The id of the user who acts, whose roles then count.

        Raises:
            Refused: with every reason against.
            NotFound: the batch or *by* is unknown.
            InvalidInput: an argument is of the wrong kind or out of bounds.

        Example:
            >>> from datetime import timedelta
            >>> from course_assignments import Course, Organization, Registrar
            >>> registrar = Registrar()
            >>> registrar.add(
            ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
            ...     Organization(id="acme", name="Acme"),
            ... )
            >>> batch = registrar.create_keys(
            ...     "py", name="Spring", organization_id="acme", availability=timedelta(days=30),
            ...     generate=2,
            ... )
            >>> registrar.edit_keys(batch.id, max_uses=5).max_uses
            5
        """
        actor = desk.actor(by)
        batch = desk.need(KeyBatch, batch_id, "batch_id")
        organization = desk.need(Organization, batch.organization_id)
        zone = organization.zone
        terms: dict[str, Any] = {
            "name": name,
            "max_uses": 1 if max_uses is None else max_uses,
            "availability": availability,
            "any_organization": any_organization,
        }
        for field, bound in (
            ("redeemable_from", redeemable_from),
            ("redeemable_until", redeemable_until),
        ):
            if not isinstance(bound, Unchanged):
                terms[field] = _bound(bound, batch.created_at, zone, field)
        kept = {field: term for field, term in terms.items() if term is not UNCHANGED}
        after = attrs.evolve(batch, **kept)
        keys = desk.keys_of(batch) if after.max_uses != batch.max_uses else ()
        change = actions.edit_keys(
            batch,
            after,
            keys,
            at=desk.at,
            organization=organization,
            policies=desk.policies,
            actor=actor,
        )
        return Outcome(after, change)

    may_edit_keys = question(edit_keys)


def _bound(value: EndLike | None, start: datetime, zone: tzinfo, field: str) -> datetime | None:
    return None if value is None else resolve_end(value, start=start, zone=zone, field=field)


def _all_in(batch: KeyBatch, codes: Iterable[str], stored: Mapping[str, TrainingKey]) -> bool:
    return all(code in stored and stored[code].batch_id == batch.id for code in codes)
