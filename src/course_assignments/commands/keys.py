"""Create, edit, revoke and list the training keys of a course. Rules 6 to 9, 12 and 20 to 22."""

from datetime import datetime
from enum import Enum
from typing import Any, Final, cast

import attrs
from attrs import field, validators

from course_assignments import validation
from course_assignments.changes import Amend, Change, Replace
from course_assignments.commands import base
from course_assignments.commands.base import Command, Context, CreatingCommand, N, Outcome
from course_assignments.commands.reader import Reader
from course_assignments.decisions import Decision, Question
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.codes import (
    MAX_KEYS_PER_CALL,
    Paste,
    fold,
    has_generated_shape,
    scan_codes,
)
from course_assignments.entities.enums import Permission
from course_assignments.entities.keys import KeyBatch, TrainingKey
from course_assignments.errors import Conflict, InvalidInput, invalid, is_a, repr_codes
from course_assignments.frozen import Field, frozen
from course_assignments.policies.expiration import zone_of
from course_assignments.queries import KeyQuery
from course_assignments.reasons import CodeTaken, MaxUsesBelowUses
from course_assignments.time import durations
from course_assignments.time.durations import Duration, DurationLike, End, EndLike
from course_assignments.validation import (
    Strings,
    accepted_by,
    items_of,
    to_end_or_none,
    to_string_set,
    to_strings,
    to_tuple,
)


class Unset(Enum):
    """Says that a field keeps its value, where ``None`` is a value."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


def _paste(typed: Strings | Paste) -> Paste:
    """Return typed codes as a paste, which an evolved command already has."""
    return typed if is_a(typed, Paste) else scan_codes(typed)


def _check_lines(command: Any, _: object) -> None:
    command.codes.require(1)


def _check_code(code: object, path: str) -> None:
    if not is_a(code, str) or not has_generated_shape(code):
        raise invalid("invalid_code", path, "expected a code as codes.generate() returns it", code)


def _unless_unset(check: Any) -> Any:
    """Return a validator that lets `UNSET` pass."""

    def validate(record: object, at: Field, value: object) -> None:
        if value is not UNSET:
            check(record, at, value)

    return validate


_is_duration = _unless_unset(accepted_by(durations.as_duration))
_is_count = _unless_unset(validators.optional(validation.count(1)))
_is_flag = _unless_unset(validation.flag)
_is_end = _unless_unset(validators.optional(accepted_by(durations.as_end)))


@frozen(kw_only=True)
class NewKeys:
    """The course that new keys are for, and their codes.

    Attributes:
        key_ids: The ids of the new keys, in the order of the custom and then the generated codes.
        generated: The new codes, as ``codes.generate`` returns them.
        taken: The custom codes that a key already has, as `codes.fold` returns them.
    """

    course: Course = field(validator=validation.one_of(Course))
    key_ids: tuple[str, ...] = field(converter=to_strings, validator=items_of(str))
    generated: tuple[str, ...] = field(
        default=(), converter=to_strings, validator=validation.each(_check_code), repr=base.hidden
    )
    taken: frozenset[str] = field(
        default=frozenset[str](), converter=to_string_set, validator=items_of(str), repr=base.hidden
    )


@frozen(kw_only=True)
class _WithNewKeys(CreatingCommand[N, KeyBatch]):
    """What `CreateKeys` and `AddKeys` share."""

    codes: Paste = field(
        default=cast("Any", ()),
        converter=_paste,
        repr=base.hidden,
        hash=False,
        # Lines are refused together with codes that are taken, unless another field is wrong too.
        metadata={"lines": _check_lines},
    )
    generate: int = field(default=0, validator=validation.count(0, MAX_KEYS_PER_CALL))

    def __attrs_post_init__(self) -> None:
        wanted = len(self.codes) + self.generate
        validation.check_number(wanted, "codes", MAX_KEYS_PER_CALL, "keys to create")

    def draw(self, reader: Reader) -> dict[str, Any]:
        """Return the fields of `NewKeys`, without the course."""
        custom = self.codes.codes
        return {
            "taken": reader.keys_of_codes(custom),
            "key_ids": [reader.new_id() for _ in range(len(custom) + self.generate)],
            "generated": reader.new_codes(self.generate, custom),
        }

    def new_keys(
        self, records: NewKeys, batch: KeyBatch, context: Context
    ) -> tuple[tuple[TrainingKey, ...], Decision]:
        """Return the keys to add to *batch*, if the actor may add them and the codes are free."""
        validation.check_same(records.course.id, batch.course_id, "course")
        custom = self.codes.codes
        taken = sorted(custom.keys() & set(map(fold, records.taken)))
        self.codes.require(context.policies.minimum_code_length, taken)
        wanted = {one: code for one, (code, _) in custom.items()}
        wanted |= {fold(code): code for code in records.generated}
        if len(wanted) < len(custom) + len(records.generated):
            raise InvalidInput("code_repeated", "generated", "expected codes not listed elsewhere")
        if not wanted:
            raise InvalidInput(
                "empty_list", "codes", "expected codes, or how many keys to generate; got none"
            )
        if len(records.key_ids) != len(wanted):
            hint = f"expected one id for each of {len(wanted)} keys, got {len(records.key_ids)}"
            raise InvalidInput("missing", "key_ids", hint)
        lines = tuple(sorted(custom[one][1] for one in taken))
        decision = context.require(
            *context.may(Permission.MANAGE_KEYS, batch.organization_id),
            context.is_available(records.course),
            lambda _: Decision((CodeTaken(lines),) if lines else ()),
        )
        terms: dict[str, Any] = {"batch_id": batch.id, "max_uses": batch.max_uses}
        named = enumerate(zip(records.key_ids, wanted.values(), strict=True), batch.size + 1)
        keys = (TrainingKey(id=id_, code=code, number=at, **terms) for at, (id_, code) in named)
        return tuple(keys), decision

    def check_codes(self, reader: Reader, batch: KeyBatch, first: int) -> None:
        """Raise Conflict unless an earlier call made keys with these codes in *batch*.

        The *first* of them has this number; the custom codes come before the generated ones.
        """
        self.codes.require(1)
        found = reader.keys_of_codes(self.codes.codes).values()
        numbers = {one.number for one in found if one.batch_id == batch.id}
        if numbers != {*range(first, first + len(self.codes))}:
            kind = "KeyBatch" if batch.id == self.id else None
            raise Conflict((self.id or "",), "id_taken", kind)


_DATES = ("redeemable_from", "redeemable_until")
#: The fields of a batch that `EditKeys` may change.
_TERMS = ("name", "max_uses", "availability", "any_organization", *_DATES)


def _terms(
    command: "CreateKeys | EditKeys", start: datetime, organization: Organization | None
) -> dict[str, Any]:
    """Return the terms that *command* gives to a batch, with datetimes and without `UNSET`."""
    terms: dict[str, Any] = {}
    for name in _TERMS:
        value = getattr(command, name)
        if name == "max_uses" and value is None:
            value = 1
        elif name in _DATES and value is not None and value is not UNSET:
            end = durations.as_end(value, name)
            zone = zone_of(organization, end)
            value = durations.resolve_end(end, start=start, zone=zone, field=name)
        if value is not UNSET:
            terms[name] = value
    return terms


@frozen(kw_only=True)
class BatchToCreate(NewKeys):
    """The course, the codes and the organization of a new batch.

    Attributes:
        id: The id of the batch.
        organization: The owner of the keys.
    """

    id: str = field(validator=validation.identifier)
    organization: Organization = field(validator=validation.one_of(Organization))


@frozen
class CreateKeys(_WithNewKeys[BatchToCreate]):
    """Create a batch of training keys for a course (rules 6 to 9, 12, 21 and 22).

    Attributes:
        name: The name of the batch.
        organization_id: The organization that owns the keys.
        availability: How long access lasts from redemption.
        redeemable_from: When redemption starts: an aware datetime, a duration from now, or a date
            in the time zone of the organization. ``None`` means always.
        redeemable_until: When redemption ends, likewise. ``None`` means never.
        max_uses: How often each key can be used; ``None`` is once.
        any_organization: Whether learners of other organizations may redeem the keys.
        codes: Custom codes of 8 to 64 printable ASCII characters without space, comma, semicolon
            and quote. Pass a pasted string as ``text.splitlines()``; blank lines are skipped.
        generate: How many keys with random codes to add to those.

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
    redeemable_from: End | None = field(default=None, kw_only=True, converter=to_end_or_none)
    redeemable_until: End | None = field(default=None, kw_only=True, converter=to_end_or_none)
    max_uses: int | None = field(
        default=None, kw_only=True, validator=validators.optional(validation.count(1))
    )
    any_organization: bool = field(default=False, kw_only=True, validator=validation.flag)

    def existing(self, reader: Reader) -> KeyBatch | None:
        made = reader.look_up(KeyBatch, self.id)
        if made is None:
            return None
        same = (made.course_id, made.organization_id) == (self.course_id, self.organization_id)
        if not same or made.size < len(self.codes) + self.generate:
            raise Conflict((made.id,), "id_taken", "KeyBatch")
        self.check_codes(reader, made, 1)
        return made

    def read(self, reader: Reader) -> BatchToCreate:
        course, organization = reader.need_each(
            (Course, self.course_id), (Organization, self.organization_id)
        )
        id_ = reader.new_id(self.id)
        return BatchToCreate(id=id_, course=course, organization=organization, **self.draw(reader))

    def decide(self, records: BatchToCreate, context: Context) -> Outcome[KeyBatch]:
        organization, now = records.organization, context.at
        validation.check_same(organization.id, self.organization_id, "organization")
        batch = KeyBatch(
            id=records.id,
            course_id=self.course_id,
            organization_id=organization.id,
            created_at=now,
            **_terms(self, now, organization),
        )
        if batch.redeemable_until is not None and batch.redeemable_until <= now:
            raise validation.not_after("redeemable_until", batch.redeemable_until, "now", now)
        keys, decision = self.new_keys(records, batch, context)
        batch = attrs.evolve(batch, size=len(keys))
        change = Change(
            create=(batch, *keys),
            expect=context.expect(records.course, organization),
            record=[context.event(self.action, batch.id, self.course_id, keys=str(len(keys)))],
        )
        return Outcome(batch, change, decision)


@frozen(kw_only=True)
class BatchToExtend(NewKeys):
    """The stored batch, its course and the codes to add."""

    batch: KeyBatch = field(validator=validation.one_of(KeyBatch))


@frozen
class AddKeys(_WithNewKeys[BatchToExtend], base.ReceiptedCommand[BatchToExtend, KeyBatch]):
    """Add keys to a batch, on its terms (rules 12, 21 and 22).

    Attributes:
        codes, generate: As for `create_keys`.
        id: An id for this call; makes the call safe to repeat.

    >>> registrar.add_keys("spring", generate=2).size
    3
    """

    batch_id: str = field(validator=validation.identifier)

    @property
    def arguments(self) -> tuple[object, ...]:
        """The batch and the numbers of keys; codes are compared with the keys of the batch."""
        return self.batch_id, len(self.codes), self.generate

    def existing(self, reader: Reader) -> KeyBatch | None:
        receipt = self.find_receipt(reader)
        if not receipt:
            return None
        batch = reader.need(KeyBatch, self.batch_id)
        self.check_codes(reader, batch, receipt[0].positions[0])
        return batch

    def read(self, reader: Reader) -> BatchToExtend:
        batch = reader.need(KeyBatch, self.batch_id)
        course = reader.need(Course, batch.course_id)
        return BatchToExtend(batch=batch, course=course, **self.draw(reader))

    def decide(self, records: BatchToExtend, context: Context) -> Outcome[KeyBatch]:
        before = records.batch
        validation.check_same(before.id, self.batch_id, "batch")
        context = context.since(before.created_at)
        keys, decision = self.new_keys(records, before, context)
        after = attrs.evolve(before, size=before.size + len(keys))
        change = Change(
            create=(*keys, *self.receipt(positions=(before.size + 1, after.size))),
            replace=[Replace(before, after)],
            expect=context.expect(records.course),
            record=[context.event(self.action, before.id, before.course_id, keys=str(len(keys)))],
        )
        return Outcome(after, change, decision)


@frozen
class BatchAndKeys:
    """A stored batch with its organization, and those of its keys that a decision depends on.

    Attributes:
        keys: For `EditKeys` the key with the most uses, if these are more than the new maximum. For
            `RevokeKeys` a key that is not revoked, if there is one. For `RevokeKey` that key.
    """

    batch: KeyBatch = field(validator=validation.one_of(KeyBatch))
    keys: tuple[TrainingKey, ...] = field(
        default=(), converter=to_tuple[TrainingKey], validator=items_of(TrainingKey)
    )
    organization: Organization | None = base.record_or_none(Organization)

    def __attrs_post_init__(self) -> None:
        for position, key in enumerate(self.keys):
            validation.check_same(key.batch_id, self.batch.id, f"keys[{position}]")
        if self.organization is not None:
            validation.check_same(self.organization.id, self.batch.organization_id, "organization")

    def manage(self, context: Context) -> list[Question]:
        """Ask whether the actor may manage the keys of the batch's organization."""
        return context.may(Permission.MANAGE_KEYS, self.batch.organization_id)


@frozen
class EditKeys(Command[BatchAndKeys, KeyBatch]):
    """Change the terms of a batch for future redemptions (rules 20 and 21).

    Arguments that you leave out keep their values. The others are as for `create_keys`.

    Attributes:
        redeemable_from, redeemable_until: A duration counts from the creation of the batch.
        max_uses: Not below the uses of any key; ``None`` is once.

    >>> registrar.edit_keys("spring", max_uses=5).max_uses
    5
    """

    batch_id: str = field(validator=validation.identifier)
    name: str | Unset = field(default=UNSET, kw_only=True, validator=_unless_unset(validation.name))
    redeemable_from: EndLike | Unset | None = field(default=UNSET, kw_only=True, validator=_is_end)
    redeemable_until: EndLike | Unset | None = field(default=UNSET, kw_only=True, validator=_is_end)
    max_uses: int | Unset | None = field(default=UNSET, kw_only=True, validator=_is_count)
    availability: DurationLike | Unset = field(default=UNSET, kw_only=True, validator=_is_duration)
    any_organization: bool | Unset = field(default=UNSET, kw_only=True, validator=_is_flag)

    def read(self, reader: Reader) -> BatchAndKeys:
        batch = reader.need(KeyBatch, self.batch_id)
        organization = reader.need(Organization, batch.organization_id)
        after = attrs.evolve(batch, **_terms(self, batch.created_at, organization))
        return BatchAndKeys(batch, reader.most_used_key(batch, after.max_uses), organization)

    def decide(self, records: BatchAndKeys, context: Context) -> Outcome[KeyBatch]:
        batch = records.batch
        validation.check_same(batch.id, self.batch_id, "batch")
        context = context.since(batch.created_at)
        after = attrs.evolve(batch, **_terms(self, batch.created_at, records.organization))
        most = max((key.uses for key in records.keys), default=0)
        decision = context.require(
            *records.manage(context),
            # "max_uses cannot go below the uses made"
            lambda _: Decision((MaxUsesBelowUses(most),) if most > after.max_uses else ()),
        )
        if batch == after:
            return Outcome(batch, decision=decision)
        amends = after.max_uses != batch.max_uses
        change = Change(
            replace=[Replace(batch, after)],
            amend=[Amend(batch_id=batch.id, max_uses=after.max_uses)] if amends else [],
            expect=context.expect(records.organization),
            record=[context.event(self.action, batch.id)],
        )
        return Outcome(after, change, decision)


@frozen
class RevokeKey(Command[BatchAndKeys, TrainingKey]):
    """Revoke one key permanently; a second call changes nothing (rule 21).

    Concurrent redemptions do not delay revoking, so the ``uses`` of the returned key may be old.

    Attributes:
        code: The code as someone typed it.

    >>> registrar.revoke_key("Spring-2026").revoked_at == clock()
    True
    """

    code: str = field(validator=base.typed_code, repr=repr_codes)

    def read(self, reader: Reader) -> BatchAndKeys:
        key = reader.key(self.code)
        return BatchAndKeys(reader.need(KeyBatch, key.batch_id), [key])

    def decide(self, records: BatchAndKeys, context: Context) -> Outcome[TrainingKey]:
        base.check_keys(records.keys, self.code, "keys", context)
        context = context.since(records.batch.created_at)
        (before,) = records.keys
        decision = context.require(*records.manage(context))
        if before.revoked_at is not None:
            return Outcome(before, decision=decision)
        after = attrs.evolve(before, revoked_at=context.at)
        change = Change(
            replace=[Replace(before, after)],
            expect=context.expect(records.batch),
            record=[context.event(self.action, records.batch.id, after.id)],
        )
        return Outcome(after, change, decision)


@frozen
class RevokeKeys(Command[BatchAndKeys, KeyBatch]):
    """Revoke all keys of a batch permanently; a second call changes nothing (rule 21).

    >>> batch = registrar.revoke_keys("spring")
    >>> [key.revoked_at == clock() for key in registrar.keys(batch.id)]
    [True]
    """

    batch_id: str = field(validator=validation.identifier)

    def read(self, reader: Reader) -> BatchAndKeys:
        batch = reader.need(KeyBatch, self.batch_id)
        valid = reader.repository.find(KeyQuery(batch_ids=[batch.id], revoked=False, limit=1))
        return BatchAndKeys(batch, valid.records)

    def decide(self, records: BatchAndKeys, context: Context) -> Outcome[KeyBatch]:
        batch = records.batch
        validation.check_same(batch.id, self.batch_id, "batch")
        context = context.since(batch.created_at)
        decision = context.require(*records.manage(context))
        valid = [key for key in records.keys if key.revoked_at is None]
        if not valid:
            return Outcome(batch, decision=decision)
        change = Change(
            # Of two concurrent calls, the second finds this key revoked and changes nothing.
            replace=[Replace(key, attrs.evolve(key, revoked_at=context.at)) for key in valid],
            amend=[Amend(batch_id=batch.id, revoked_at=context.at)],
            # Adding keys replaces the batch, so keys that are added concurrently are not missed.
            expect=context.expect(batch),
            record=[context.event(self.action, batch.id)],
        )
        return Outcome(batch, change, decision)


@frozen
class Keys(Command[KeyBatch, KeyBatch]):
    """List the keys of a batch in the order of their numbers, with their codes (rule 21).

    >>> [key.display_code for key in registrar.keys("spring")]
    ['Spring-2026']
    """

    batch_id: str = field(validator=validation.identifier)

    def read(self, reader: Reader) -> KeyBatch:
        return reader.need(KeyBatch, self.batch_id)

    def decide(self, records: KeyBatch, context: Context) -> Outcome[KeyBatch]:
        validation.check_same(records.id, self.batch_id, "batch")
        questions = context.may(Permission.MANAGE_KEYS, records.organization_id)
        return Outcome(records, decision=context.require(*questions))
