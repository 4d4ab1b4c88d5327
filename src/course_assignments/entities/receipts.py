"""Receipts make calls safe to repeat that may create no record under their own id."""

from collections.abc import Iterator, Sequence
from typing import cast

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.frozen import frozen
from course_assignments.validation import derived_id, items_of, to_strings, to_tuple

#: How many ids of each kind one receipt holds, so that it fits into one JSON document. A longer
#: list is split into several parts.
MAX_IDS = 1000


_are_ids = [items_of(str), validation.at_most(MAX_IDS)]
_are_positions = validation.each(lambda one, path: validation.check_count(one, path, 1))


@frozen(kw_only=True)
class Receipt:
    """The ids of the records that one call created, stored in the same commit.

    The id of a receipt is derived from the id of the call. A repeated call finds the receipt and
    returns the records as they are now. A receipt never holds the code of a key.

    Attributes:
        action: The name of the command.
        digest: A digest of the arguments, to detect a call with different arguments.
        parts: How many receipts this call has; the first one is stored under ``id_for(..., 0)``.
        skipped: The ids of the skipped records (rule 15).
        positions: The first and the last number of created keys in their batch; else empty.

    >>> Receipt.id_for("start", "call-1") == Receipt.id_for("start", "call-1")
    True
    """

    id: str = field(validator=validation.identifier)
    action: str = field(validator=validation.identifier)
    digest: str = field(validator=validation.identifier)
    parts: int = field(default=1, validator=validation.count(1))
    made: tuple[str, ...] = field(default=(), converter=to_strings, validator=_are_ids)
    skipped: tuple[str, ...] = field(default=(), converter=to_strings, validator=_are_ids)
    positions: tuple[int, ...] = field(
        default=(), converter=to_tuple[int], validator=_are_positions
    )

    @staticmethod
    def id_for(action: str, call_id: str, part: int = 0) -> str:
        """Return the id of a *part* of the receipt of a call."""
        action = validation.check_id(action, "action")
        call_id = validation.check_id(call_id, "call_id")
        validation.check_count(part, "part", 0)
        return derived_id("receipt", action, call_id, str(part))


def receipts_of(
    action: str,
    call_id: str,
    arguments: object,
    *,
    made: Sequence[str] = (),
    skipped: Sequence[str] = (),
    positions: tuple[int, ...] = (),
) -> tuple[Receipt, ...]:
    """Return the receipt of a call, in as many parts as its ids need."""
    starts = range(0, max(len(made), len(skipped), 1), MAX_IDS)
    return tuple(
        Receipt(
            id=Receipt.id_for(action, call_id, part),
            action=action,
            digest=digest_of(action, call_id, arguments),
            parts=len(starts),
            made=made[start : start + MAX_IDS],
            skipped=skipped[start : start + MAX_IDS],
            positions=positions,
        )
        for part, start in enumerate(starts)
    )


def digest_of(action: str, call_id: str, arguments: object) -> str:
    """Return a digest of *arguments*, salted with the action and the id of the call."""
    return validation.digest("arguments", action, call_id, *_flattened(arguments))


def _flattened(value: object) -> Iterator[str]:
    """Yield *value* as strings, each part after its type and length."""
    yield type(value).__name__
    if isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)
        yield str(len(items))
        for one in items:
            yield from _flattened(one)
    elif attrs.has(type(value)):
        yield from _flattened(attrs.astuple(value, recurse=False))  # type: ignore[arg-type]
    else:
        yield str(value)
