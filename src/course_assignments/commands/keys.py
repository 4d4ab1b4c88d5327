"""Make, change, revoke and list the training keys of a course. Rules 6 to 9, 12 and 20 to 22."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final, cast

import attrs
from attrs import field, validators

from course_assignments import validation
from course_assignments.changes import Change, Replace
from course_assignments.commands.base import (
    Command,
    Context,
    CreatingCommand,
    Outcome,
    Reader,
    ReceiptedCommand,
    hidden,
    masked,
    typed_code,
)
from course_assignments.decisions import Decision, Question
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.codes import MAX_KEYS_PER_CALL, is_storable, read_codes
from course_assignments.entities.enums import Permission
from course_assignments.entities.keys import KeyBatch, TrainingKey
from course_assignments.errors import Conflict, InvalidInput
from course_assignments.policies.expiration import zone_of
from course_assignments.queries import MAX_PAGE, KeyQuery
from course_assignments.reasons import CodeTaken, MaxUsesBelowUses
from course_assignments.time.durations import (
    Duration,
    DurationLike,
    End,
    EndLike,
    as_duration,
    as_end,
    resolve_end,
)


class Unset(Enum):
    """Says that a field stays as it is, where ``None`` has a meaning of its own."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


def _number_of_keys(_: object, at: validation.Field, value: int) -> None:
    validation.check_count(value, at.name, 0, MAX_KEYS_PER_CALL)


_NO_CODES: Any = ()


def _codes(typed: Iterable[str]) -> Mapping[str, int]:
    """Return typed codes with the numbers of their lines; a command that is evolved has them."""
    found = read_codes(typed)
    if typed.__class__ is not dict:
        return found
    known = cast("dict[str, int]", typed)
    return known if known.keys() == found.keys() else found


def _are_codes(_: object, at: validation.Field, codes: tuple[str, ...]) -> None:
    for position, code in enumerate(codes):
        if not isinstance(code, str) or not is_storable(code):
            path = f"{at.name}[{position}]"
            raise InvalidInput("invalid_code", path, "expected a code in its stored form")


def _end(_: object, at: validation.Field, value: EndLike) -> None:
    as_end(value, at.name)


def _duration(_: object, at: validation.Field, value: DurationLike) -> None:
    as_duration(value, at.name)


def _unless_unset(check: Any) -> Any:
    """Return a validator that lets `UNSET` pass."""

    def validate(record: object, at: validation.Field, value: object) -> None:
        if value is not UNSET:
            check(record, at, value)

    return validate


@attrs.frozen(kw_only=True)
class NewKeys:
    """The course that new keys are for, and their codes.

    Attributes:
        course: The course of the batch.
        key_ids: The ids of the new keys, first of those with hand-made codes.
        generated: The new codes that were asked for, as ``codes.generate`` gives them.
        taken: The hand-made codes that a key has already.

    Raises:
        InvalidInput: a field is of the wrong kind.
    """

    course: Course = field(validator=validation.one_of(Course))
    key_ids: tuple[str, ...] = field(
        converter=validation.to_tuple, validator=validation.items_of(str)
    )
    generated: tuple[str, ...] = field(
        default=(), converter=validation.to_tuple, validator=_are_codes, repr=hidden
    )
    taken: frozenset[str] = field(
        default=frozenset[str](),
        converter=validation.to_set,
        validator=validation.items_of(str),
        repr=hidden,
    )

    def keys(self, batch: KeyBatch, lines: Mapping[str, int]) -> tuple[TrainingKey, ...]:
        """Return the keys of *batch* with the codes of *lines*, and those that were generated."""
        validation.check_same(self.course.id, batch.course_id, "course")
        wanted = dict.fromkeys([*lines, *self.generated])
        if len(wanted) < len(lines) + len(self.generated):
            raise InvalidInput("code_repeated", "generated", "expected codes not listed elsewhere")
        if not wanted:
            raise InvalidInput("empty_list", "codes", "pass codes, or how many keys to generate")
        if len(self.key_ids) != len(wanted):
            raise InvalidInput("missing", "key_ids", "expected one id for each of the keys")
        named = zip(self.key_ids, wanted, strict=True)
        return tuple(
            TrainingKey(
                id=id_, code=code, batch_id=batch.id, number=number, max_uses=batch.max_uses
            )
            for number, (id_, code) in enumerate(named, batch.size + 1)
        )

    def require(self, context: Context, organization_id: str, lines: Mapping[str, int]) -> Decision:
        """Ask who acts, whether the course is available, and whether a code is taken."""
        taken = tuple(line for code, line in lines.items() if code in self.taken)
        return context.require(
            [
                *context.may(Permission.MANAGE_KEYS, organization_id),
                lambda at: context.policies.course_availability.evaluate(self.course, at=at),
                lambda _: Decision((CodeTaken(taken),) if taken else ()),
            ]
        )


@attrs.frozen(kw_only=True)
class BatchToCreate(NewKeys):
    """The course, the codes and the organization of a batch that is to be made.

    Attributes:
        id: The id of the batch.
        organization: Whose keys they are; dates count in its time zone.
    """

    id: str = field(validator=validation.identifier)
    organization: Organization = field(validator=validation.one_of(Organization))


@attrs.frozen
class CreateKeys(CreatingCommand[BatchToCreate, KeyBatch]):
    """Create a batch of training keys for a course (rules 6 to 9, 12, 21 and 22).

    Attributes:
        course_id: What the keys give access to.
        name: What the batch is called.
        organization_id: Whose keys they are.
        availability: How long access lasts from redemption.
        redeemable_from: From when they can be redeemed: an aware datetime, a duration from now, or
            a date in the time zone of the organization. By default at once.
        redeemable_until: When they can no longer be redeemed, likewise. By default never.
        max_uses: How often each key can be used; ``None`` is once.
        any_organization: Whether learners of other organizations may redeem them.
        codes: Hand-made codes, one a line, 8 to 64 printable ASCII characters each. Pass a paste as
            ``text.splitlines()``; blank lines are skipped.
        generate: How many keys with random codes to make as well.

    Example:
        >>> batch = registrar.create_keys(
        ...     "py", name="May", organization_id="acme", availability=timedelta(days=30),
        ...     codes=["May-2026"], generate=2,
        ... )
        >>> batch.size
        3
    """

    course_id: str = field(validator=validation.identifier)
    name: str = field(kw_only=True, validator=validation.name)
    organization_id: str = field(kw_only=True, validator=validation.identifier)
    availability: Duration = field(kw_only=True, converter=validation.to_duration)
    redeemable_from: End | None = field(
        default=None, kw_only=True, converter=validation.to_end_or_none
    )
    redeemable_until: End | None = field(
        default=None, kw_only=True, converter=validation.to_end_or_none
    )
    max_uses: int | None = field(
        default=None, kw_only=True, validator=validators.optional(validation.count(1))
    )
    any_organization: bool = field(default=False, kw_only=True, validator=validation.flag)
    codes: Mapping[str, int] = field(
        default=_NO_CODES, kw_only=True, converter=_codes, repr=hidden, hash=False
    )
    generate: int = field(default=0, kw_only=True, validator=_number_of_keys)

    def existing(self, reader: Reader) -> KeyBatch | None:
        """Return the batch under the same id, if it has the same course and organization."""
        made = reader.look_up(KeyBatch, self.id)
        if made is None:
            return None
        same = (made.course_id, made.organization_id) == (self.course_id, self.organization_id)
        enough = made.size >= len(self.codes) + self.generate
        if not same or not enough or not _are_all_in(reader, made, self.codes):
            raise Conflict((made.id,), "id_taken")
        return made

    def read(self, reader: Reader) -> BatchToCreate:
        """Read the course, the organization, and which of the codes a key has already."""
        taken = reader.keys_of_codes(self.codes)
        course, organization = reader.need_each(
            (Course, self.course_id), (Organization, self.organization_id)
        )
        return BatchToCreate(
            id=reader.new_id(self.id),
            course=course,
            organization=organization,
            key_ids=_new_ids(reader, len(self.codes) + self.generate),
            generated=reader.new_codes(self.generate, self.codes),
            taken=taken,
        )

    def decide(self, records: BatchToCreate, context: Context) -> Outcome[KeyBatch]:
        """Ask who acts, whether the course is available, and whether a code is taken."""
        organization, now = records.organization, context.at
        validation.check_same(organization.id, self.organization_id, "organization")
        batch = KeyBatch(
            id=records.id,
            name=self.name,
            course_id=self.course_id,
            organization_id=organization.id,
            created_at=now,
            redeemable_from=_bound(self.redeemable_from, now, organization, "redeemable_from"),
            redeemable_until=_bound(self.redeemable_until, now, organization, "redeemable_until"),
            max_uses=1 if self.max_uses is None else self.max_uses,
            availability=self.availability,
            any_organization=self.any_organization,
        )
        if batch.redeemable_until is not None and batch.redeemable_until <= now:
            raise InvalidInput("empty_window", "redeemable_until", "expected a datetime after now")
        keys = records.keys(batch, self.codes)
        decision = records.require(context, batch.organization_id, self.codes)
        batch = attrs.evolve(batch, size=len(keys))
        change = Change(
            create=(batch, *keys),
            expect=context.expect(records.course, organization),
            record=[context.event(self.action, batch.id, self.course_id, keys=str(len(keys)))],
        )
        return Outcome(batch, change, decision)


@attrs.frozen(kw_only=True)
class BatchToExtend(NewKeys):
    """A batch as it is stored, with its course and the codes that are to be added."""

    batch: KeyBatch = field(validator=validation.one_of(KeyBatch))


@attrs.frozen
class AddKeys(ReceiptedCommand[BatchToExtend, KeyBatch]):
    """Add keys to a batch, on its terms (rules 12, 21 and 22).

    Attributes:
        batch_id: The batch.
        codes: As for `create_keys`.
        generate: As for `create_keys`.
        id: An id for this call; makes the call safe to repeat.

    Example:
        >>> registrar.add_keys("spring", generate=2).size
        3
    """

    batch_id: str = field(validator=validation.identifier)
    codes: Mapping[str, int] = field(
        default=_NO_CODES, kw_only=True, converter=_codes, repr=hidden, hash=False
    )
    generate: int = field(default=0, kw_only=True, validator=_number_of_keys)

    @property
    def arguments(self) -> tuple[object, ...]:
        """The batch and the numbers of keys; codes are compared with the keys of the batch."""
        return self.batch_id, len(self.codes), self.generate

    def existing(self, reader: Reader) -> KeyBatch | None:
        """Return the batch, if these keys were added to it under the same id."""
        if not self.find_receipt(reader):
            return None
        batch = reader.need(KeyBatch, self.batch_id)
        if not _are_all_in(reader, batch, self.codes):
            raise Conflict((self.id or "",), "id_taken")
        return batch

    def read(self, reader: Reader) -> BatchToExtend:
        """Read the batch, its course, and which of the codes a key has already."""
        taken = reader.keys_of_codes(self.codes)
        batch = reader.need(KeyBatch, self.batch_id)
        return BatchToExtend(
            batch=batch,
            course=reader.need(Course, batch.course_id),
            key_ids=_new_ids(reader, len(self.codes) + self.generate),
            generated=reader.new_codes(self.generate, self.codes),
            taken=taken,
        )

    def decide(self, records: BatchToExtend, context: Context) -> Outcome[KeyBatch]:
        """Ask who acts, whether the course is available, and whether a code is taken."""
        before = records.batch
        validation.check_same(before.id, self.batch_id, "batch")
        keys = records.keys(before, self.codes)
        decision = records.require(context, before.organization_id, self.codes)
        after = attrs.evolve(before, size=before.size + len(keys))
        change = Change(
            create=(*keys, *self.receipt(positions=(before.size + 1, after.size))),
            replace=[Replace(before, after)],
            expect=context.expect(records.course),
            record=[context.event(self.action, before.id, before.course_id, keys=str(len(keys)))],
        )
        return Outcome(after, change, decision)


@attrs.frozen
class BatchAndKeys:
    """A batch as it is stored, and keys of it that were read after it.

    Attributes:
        keys: The keys that are to be changed: all of them if their maximum of uses changes.
        organization: The organization of the batch, in whose time zone dates count.

    Raises:
        InvalidInput: a field is of the wrong kind, or belongs to another batch.
    """

    batch: KeyBatch = field(validator=validation.one_of(KeyBatch))
    keys: tuple[TrainingKey, ...] = field(
        default=(),
        converter=validation.to_tuple,
        validator=validation.items_of(TrainingKey),
    )
    organization: Organization | None = field(
        default=None, validator=validators.optional(validation.one_of(Organization))
    )

    def __attrs_post_init__(self) -> None:
        for position, key in enumerate(self.keys):
            validation.check_same(key.batch_id, self.batch.id, f"keys[{position}]")
        if self.organization is not None:
            validation.check_same(self.organization.id, self.batch.organization_id, "organization")

    def manage(self, context: Context) -> list[Question]:
        """Ask whether the actor may manage the keys of the batch's organization."""
        return context.may(Permission.MANAGE_KEYS, self.batch.organization_id)


@attrs.frozen
class EditKeys(Command[BatchAndKeys, KeyBatch]):
    """Change the terms of a batch for what is redeemed from now on (rules 20 and 21).

    Attributes:
        batch_id: The batch.
        name: What it is called.
        redeemable_from: As for `create_keys`, but a duration counts from the creation of the batch;
            ``None`` is at once.
        redeemable_until: Likewise; ``None`` is never.
        max_uses: How often each key can be used, not below the uses made; ``None`` is once.
        availability: How long access lasts from redemption.
        any_organization: Whether learners of other organizations may redeem them.

    Example:
        >>> registrar.edit_keys("spring", max_uses=5).max_uses
        5
    """

    batch_id: str = field(validator=validation.identifier)
    name: str | Unset = field(default=UNSET, kw_only=True, validator=_unless_unset(validation.name))
    redeemable_from: EndLike | Unset | None = field(
        default=UNSET, kw_only=True, validator=_unless_unset(validators.optional(_end))
    )
    redeemable_until: EndLike | Unset | None = field(
        default=UNSET, kw_only=True, validator=_unless_unset(validators.optional(_end))
    )
    max_uses: int | Unset | None = field(
        default=UNSET,
        kw_only=True,
        validator=_unless_unset(validators.optional(validation.count(1))),
    )
    availability: DurationLike | Unset = field(
        default=UNSET, kw_only=True, validator=_unless_unset(_duration)
    )
    any_organization: bool | Unset = field(
        default=UNSET, kw_only=True, validator=_unless_unset(validation.flag)
    )

    def read(self, reader: Reader) -> BatchAndKeys:
        """Read the batch, its organization, and all its keys if their maximum of uses changes."""
        batch = reader.need(KeyBatch, self.batch_id)
        organization = reader.need(Organization, batch.organization_id)
        keys = _keys_of(reader, batch) if self._max_uses(batch) != batch.max_uses else ()
        return BatchAndKeys(batch, keys, organization)

    def decide(self, records: BatchAndKeys, context: Context) -> Outcome[KeyBatch]:
        """Ask who acts, and whether a key was used more often than its new maximum."""
        batch, keys = records.batch, records.keys
        validation.check_same(batch.id, self.batch_id, "batch")
        after = self._edited(batch, records.organization)
        if after.max_uses != batch.max_uses and len(keys) < batch.size:
            raise InvalidInput(
                "missing", "keys", "pass all keys of the batch: their maximum changes"
            )
        changed = [key for key in keys if key.max_uses != after.max_uses]
        most = max((key.uses for key in changed), default=0)
        decision = context.require(
            [
                *records.manage(context),
                # "max_uses cannot go below the uses made"
                lambda _: Decision((MaxUsesBelowUses(most),) if most > after.max_uses else ()),
            ]
        )
        if batch == after and not changed:
            return Outcome(batch, decision=decision)
        change = Change(
            replace=[
                Replace(batch, after),
                *(Replace(key, attrs.evolve(key, max_uses=after.max_uses)) for key in changed),
            ],
            expect=context.expect(records.organization),
            record=[context.event(self.action, batch.id)],
        )
        return Outcome(after, change, decision)

    def _max_uses(self, batch: KeyBatch) -> int:
        if isinstance(self.max_uses, Unset):
            return batch.max_uses
        return 1 if self.max_uses is None else self.max_uses

    def _edited(self, batch: KeyBatch, organization: Organization | None) -> KeyBatch:
        terms: dict[str, Any] = {
            "name": self.name,
            "max_uses": self._max_uses(batch),
            "availability": self.availability,
            "any_organization": self.any_organization,
        }
        for name in ("redeemable_from", "redeemable_until"):
            bound = getattr(self, name)
            if bound is not UNSET:
                terms[name] = _bound(bound, batch.created_at, organization, name)
        set_ = {name: value for name, value in terms.items() if value is not UNSET}
        return attrs.evolve(batch, **set_)


@attrs.frozen
class RevokeKey(Command[BatchAndKeys, TrainingKey]):
    """Revoke one key permanently; a second time changes nothing (rule 21).

    Revoking never waits for learners who redeem the key at the same time, so the uses of the key
    that is returned are those that were read before.

    Attributes:
        code: Its code, as anyone may type it.

    Example:
        >>> registrar.revoke_key("Spring-2026").revoked_at == clock()
        True
    """

    code: str = field(validator=typed_code, repr=masked)

    def read(self, reader: Reader) -> BatchAndKeys:
        """Read the key and its batch."""
        key = reader.key(self.code)
        return BatchAndKeys(reader.need(KeyBatch, key.batch_id), [key])

    def decide(self, records: BatchAndKeys, context: Context) -> Outcome[TrainingKey]:
        """Ask who acts."""
        revoked, change, decision = _revoke("revoke_keys", records, context)
        return Outcome(revoked[0] if revoked else records.keys[0], change, decision)


@attrs.frozen
class RevokeKeys(Command[BatchAndKeys, tuple[TrainingKey, ...]]):
    """Revoke all keys of a batch permanently, and return those that were valid (rule 21).

    As with `revoke_key`, their uses are those that were read before.

    Attributes:
        batch_id: The batch.

    Example:
        >>> len(registrar.revoke_keys("spring"))
        1
    """

    batch_id: str = field(validator=validation.identifier)

    def read(self, reader: Reader) -> BatchAndKeys:
        """Read the batch, and then its keys."""
        batch = reader.need(KeyBatch, self.batch_id)
        return BatchAndKeys(batch, _keys_of(reader, batch))

    def decide(self, records: BatchAndKeys, context: Context) -> Outcome[tuple[TrainingKey, ...]]:
        """Ask who acts."""
        validation.check_same(records.batch.id, self.batch_id, "batch")
        return Outcome(*_revoke(self.action, records, context))


def _revoke(
    action: str, records: BatchAndKeys, context: Context
) -> tuple[tuple[TrainingKey, ...], Change, Decision]:
    decision = context.require(records.manage(context))
    valid = [key for key in records.keys if key.revoked_at is None]
    if not valid:
        return (), Change(), decision
    revoked = tuple(attrs.evolve(key, revoked_at=context.at) for key in valid)
    subjects = [records.batch.id, *(key.id for key in valid if len(valid) == 1)]
    number = str(len(valid)) if len(valid) > 1 else None
    change = Change(
        replace=[Replace(before, after) for before, after in zip(valid, revoked, strict=True)],
        # Keys that are added at the same time change the batch, so none of them slips through.
        expect=context.expect(records.batch),
        record=[context.event(action, *subjects, keys=number)],
    )
    return revoked, change, decision


@attrs.frozen
class Keys(Command[KeyBatch, KeyBatch]):
    """List the keys of a batch in the order of their numbers, with their codes (rule 21).

    Attributes:
        batch_id: The batch.

    Example:
        >>> [key.display_code for key in registrar.keys("spring")]
        ['Spring-2026']
    """

    batch_id: str = field(validator=validation.identifier)

    def read(self, reader: Reader) -> KeyBatch:
        """Read the batch."""
        return reader.need(KeyBatch, self.batch_id)

    def decide(self, records: KeyBatch, context: Context) -> Outcome[KeyBatch]:
        """Ask who acts."""
        validation.check_same(records.id, self.batch_id, "batch")
        questions = context.may(Permission.MANAGE_KEYS, records.organization_id)
        return Outcome(records, decision=context.require(questions))


def _new_ids(reader: Reader, count: int) -> tuple[str, ...]:
    return tuple(reader.new_id() for _ in range(count))


def _keys_of(reader: Reader, batch: KeyBatch) -> Iterator[TrainingKey]:
    return reader.find(KeyQuery(batch_ids=[batch.id], limit=MAX_PAGE))


def _are_all_in(reader: Reader, batch: KeyBatch, codes: Collection[str]) -> bool:
    found = reader.keys_of_codes(codes)
    return all(code in found and found[code].batch_id == batch.id for code in codes)


def _bound(
    value: End | None, start: datetime, organization: Organization | None, field: str
) -> datetime | None:
    if value is None:
        return None
    return resolve_end(value, start=start, zone=zone_of(organization), field=field)
