"""Batches of keys, the keys in them, and what was redeemed. A code is never shown in full."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

import attrs
from attrs import converters, field, validators

from course_assignments import validation
from course_assignments.entities.codes import fold, mask
from course_assignments.entities.keys import KeyBatch, Redemption, TrainingKey
from course_assignments.queries.base import (
    Parts,
    Query,
    Ranges,
    Where,
    check_window,
    containing,
    equal_to,
    flag_or_none,
    id_or_none,
    instant_or_none,
    text_or_none,
    within,
)
from course_assignments.time.datetimes import as_utc, next_tick


def _fold_code(code: str) -> str:
    return fold(code) if isinstance(code, str) else code


def _code_or_none() -> Any:
    return field(
        default=None,
        converter=converters.optional(_fold_code),
        validator=validators.optional(validation.name),
        repr=lambda code: repr(code and mask(code)),
    )


@attrs.frozen(kw_only=True)
class BatchQuery(Query[KeyBatch]):
    """Batches of keys from the oldest on, those of the same instant by id.

    Attributes:
        name: A part of the name, in any case and composition.
        redeemable_from, redeemable_until: Their window of redemption shares an instant with this
            one; both are half-open, and a side that is left out, here or there, is open (rule 7).
        created_from, created_until: They were made in this half-open range.

    Raises:
        InvalidInput: a filter is of the wrong kind, or a window is empty.

    Example:
        >>> BatchQuery(course_id="py").where()
        {'course_id': ('py',)}
    """

    kind = KeyBatch
    order = ("created_at", "id")

    course_id: str | None = id_or_none()
    organization_id: str | None = id_or_none()
    name: str | None = text_or_none()
    redeemable_from: datetime | None = instant_or_none()
    redeemable_until: datetime | None = instant_or_none()
    created_from: datetime | None = instant_or_none()
    created_until: datetime | None = instant_or_none()

    def __attrs_post_init__(self) -> None:
        check_window(self, "redeemable")
        check_window(self, "created")

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        return equal_to(course_id=self.course_id, organization_id=self.organization_id)

    def ranges(self) -> Ranges:
        """Return the fields that are bounded, each with its half-open range."""
        return within(created_at=(self.created_from, self.created_until))

    def parts(self) -> Parts:
        """Return the fields that are searched, each with the folded text that it has to contain."""
        return containing(name=self.name)

    def matches(self, record: KeyBatch) -> bool:
        """Return whether *record* is a batch and passes every filter that is set."""
        return (
            super().matches(record)
            and _precedes(self.redeemable_from, record.redeemable_until)
            and _precedes(record.redeemable_from, self.redeemable_until)
        )


def _precedes(start: datetime | None, until: datetime | None) -> bool:
    return start is None or until is None or start < until


@attrs.frozen(kw_only=True)
class KeyQuery(Query[TrainingKey]):
    """Keys by code.

    Attributes:
        batch_ids: The batches they may be of; an empty list finds nothing.
        code: The one key with this code, as it was typed; masked in the repr.
        redeemed: Only those with a use that was not given back, or only those without (rule 13).
        usable: Only those that by themselves can be redeemed once more, which are neither revoked
            nor used up, or only the others. The window is the batch's: see `redeemable`.

    Raises:
        InvalidInput: a filter is of the wrong kind.

    Example:
        >>> KeyQuery(batch_ids=["spring"]).where()
        {'batch_id': ('spring',)}
        >>> KeyQuery(code=" Spring-2026 ").matches(
        ...     TrainingKey(code="Spring-2026", batch_id="spring")
        ... )
        True
    """

    kind = TrainingKey
    order = ("code",)

    batch_ids: tuple[str, ...] | None = field(
        default=None,
        converter=converters.optional(validation.tidy_tuple),
        validator=validators.optional(validation.each_of(tuple, str)),
    )
    code: str | None = _code_or_none()
    redeemed: bool | None = flag_or_none()
    usable: bool | None = flag_or_none()

    @classmethod
    def redeemable(cls, batches: Iterable[KeyBatch], *, at: datetime) -> Self:
        """Return the query for the keys of *batches* that can be redeemed at the instant *at*.

        It agrees with `KeyRedemptionPolicy` for a learner whose organization fits and who has not
        used the key yet (rules 6 and 7); whether the course is available (rule 22) it does not ask.
        Of no batches, or none whose window is open, it finds nothing.

        Raises:
            InvalidInput: *batches* is no list of batches, or *at* is naive.

        Example:
            >>> from datetime import UTC, timedelta
            >>> spring = KeyBatch(
            ...     id="spring", name="Spring", course_id="py", organization_id="acme",
            ...     created_at=datetime(2026, 1, 5, tzinfo=UTC), availability=timedelta(days=30),
            ...     redeemable_until=datetime(2026, 6, 1, tzinfo=UTC),
            ... )
            >>> KeyQuery.redeemable([spring], at=datetime(2026, 5, 31, tzinfo=UTC)).batch_ids
            ('spring',)
            >>> KeyQuery.redeemable([spring], at=datetime(2026, 6, 1, tzinfo=UTC)).batch_ids
            ()
        """
        offered = validation.check_each(batches, "batches", KeyBatch)
        now = as_utc(at)
        open_then = BatchQuery(redeemable_from=now, redeemable_until=next_tick(now))
        return cls(batch_ids=[one.id for one in offered if open_then.matches(one)], usable=True)

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        found = equal_to(code=self.code)
        return found if self.batch_ids is None else {**found, "batch_id": self.batch_ids}

    def ranges(self) -> Ranges:
        """Return the fields that are bounded, each with its half-open range."""
        if self.redeemed is None:
            return {}
        return {"uses": (1, None) if self.redeemed else (None, 1)}

    def matches(self, record: TrainingKey) -> bool:
        """Return whether *record* is a key and passes every filter that is set."""
        return super().matches(record) and (
            self.usable is None
            or self.usable is (record.revoked_at is None and record.remaining_uses > 0)
        )


@attrs.frozen(kw_only=True)
class RedemptionQuery(Query[Redemption]):
    """Redemptions from the oldest on, those of the same instant by id; a code as it was typed.

    Example:
        >>> RedemptionQuery(code=" Spring-2026 ", learner_id="ada")
        RedemptionQuery(limit=100, code='****-26', learner_id='ada')
    """

    kind = Redemption
    order = ("redeemed_at", "id")

    code: str | None = _code_or_none()
    learner_id: str | None = id_or_none()

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        return equal_to(code=self.code, learner_id=self.learner_id)
