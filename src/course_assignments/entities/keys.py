"""Training keys: batches, the keys in them, and what was redeemed. Values only."""

from datetime import datetime

import attrs
from attrs import converters, field, validators

from course_assignments import validation
from course_assignments.entities.codes import fold, format_code, is_storable, mask
from course_assignments.errors import InvalidInput
from course_assignments.time.durations import Duration
from course_assignments.validation import derived_id


@attrs.frozen
class Addition:
    """Keys that were added to a batch later, under an id by which a retry is known.

    Example:
        >>> Addition("order-7", 20).keys
        20
    """

    id: str = field(validator=validation.identifier)
    keys: int = field(validator=validation.count(1))


@attrs.frozen(kw_only=True)
class KeyBatch:
    """Keys of one course that share a name and their terms.

    Attributes:
        organization_id: Whose keys they are; without ``any_organization`` only its learners redeem.
        redeemable_from: The first instant they can be redeemed, UTC; ``None`` is at once.
        redeemable_until: The first instant they no longer can, UTC; ``None`` is never (rule 7).
        max_uses: How often each key of it can be used; 1 unless more was said (rule 6).
        availability: How long access lasts from redemption on (rule 8).
        size: How many keys are stored of it; keys are revoked and never deleted.
        additions: What was added to it later under an id, so that a retry adds nothing.

    Raises:
        InvalidInput: a field is out of bounds, or the window is empty.

    Example:
        >>> from datetime import UTC, timedelta
        >>> batch = KeyBatch(
        ...     id="spring", name="Spring", course_id="py", organization_id="acme",
        ...     created_at=datetime(2026, 1, 5, tzinfo=UTC), availability=timedelta(days=30),
        ... )
        >>> batch.max_uses
        1
    """

    id: str = field(validator=validation.identifier)
    name: str = field(validator=validation.name)
    course_id: str = field(validator=validation.identifier)
    organization_id: str = field(validator=validation.identifier)
    created_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)
    redeemable_from: datetime | None = field(
        default=None,
        converter=converters.optional(validation.tidy_instant),
        validator=validators.optional(validation.instant),
    )
    redeemable_until: datetime | None = field(
        default=None,
        converter=converters.optional(validation.tidy_instant),
        validator=validators.optional(validation.instant),
    )
    max_uses: int = field(default=1, validator=validation.count(1))
    availability: Duration = field(converter=validation.tidy_duration, validator=validation.term)
    any_organization: bool = field(default=False, validator=validation.flag)
    size: int = field(default=0, validator=validation.count(0))
    additions: tuple[Addition, ...] = field(
        default=(), converter=validation.tidy_tuple, validator=validation.each_of(tuple, Addition)
    )

    def __attrs_post_init__(self) -> None:
        start, end = self.redeemable_from, self.redeemable_until
        if start is not None and end is not None and end <= start:
            raise InvalidInput(
                "empty_window", "redeemable_until", "the end must lie after redeemable_from"
            )


def _code(_: object, at: "attrs.Attribute[str]", value: object) -> None:
    if not isinstance(value, str) or fold(value) != value or not is_storable(value):
        raise InvalidInput(
            "invalid_code",
            at.name,
            "expected a code as codes.fold gives it, of 8 to 64 symbols",
        )


@attrs.frozen(kw_only=True)
class TrainingKey:
    """One code of a batch, with its uses so far; the code stands for the key wherever it is kept.

    Attributes:
        code: In the form in which it is looked up, unique over all batches; masked in the repr.
        uses: How often it was redeemed, less what was given back (rule 13).
        revoked_at: When it was called back, UTC; for good.

    Raises:
        InvalidInput: a field is out of bounds.

    Example:
        >>> key = TrainingKey(code="Spring-2026", batch_id="spring", max_uses=3, uses=1)
        >>> key.remaining_uses
        2
        >>> key
        TrainingKey(code='****-26', batch_id='spring', uses=1, max_uses=3, revoked_at=None)
    """

    code: str = field(validator=_code, repr=lambda code: repr(mask(code)))
    batch_id: str = field(validator=validation.identifier)
    uses: int = field(default=0, validator=validation.count(0))
    max_uses: int = field(default=1, validator=validation.count(1))
    revoked_at: datetime | None = field(
        default=None,
        converter=converters.optional(validation.tidy_instant),
        validator=validators.optional(validation.instant),
    )

    def __attrs_post_init__(self) -> None:
        if self.uses > self.max_uses:
            raise InvalidInput("invalid_count", "uses", "expected at most max_uses")

    @property
    def id(self) -> str:
        """The code, which is what the key is stored under."""
        return self.code

    @property
    def terms(self) -> tuple[str, str, int, datetime | None]:
        """All but the uses, which is what redeeming it leaves as it is."""
        return self.code, self.batch_id, self.max_uses, self.revoked_at

    @property
    def remaining_uses(self) -> int:
        """How often it can still be redeemed."""
        return self.max_uses - self.uses

    @property
    def display_code(self) -> str:
        """The code as it is given to a learner, a generated one in groups of four."""
        return format_code(self.code)


@attrs.frozen(kw_only=True)
class Redemption:
    """The record that one learner used one key, and the assignment that it made.

    Attributes:
        code: The key's; masked in the repr.
        redeemed_at: When, UTC.
        restored_at: When the use was given back by cancelling, UTC, or ``None`` (rule 13).

    Example:
        >>> Redemption.id_for("Spring-2026", "ada", 0) == Redemption.id_for("Spring-2026", "ada", 1)
        False
    """

    id: str = field(validator=validation.identifier)
    code: str = field(validator=_code, repr=lambda code: repr(mask(code)))
    batch_id: str = field(validator=validation.identifier)
    learner_id: str = field(validator=validation.identifier)
    assignment_id: str = field(validator=validation.identifier)
    redeemed_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)
    restored_at: datetime | None = field(
        default=None,
        converter=converters.optional(validation.tidy_instant),
        validator=validators.optional(validation.instant),
    )

    @staticmethod
    def id_for(code: str, learner_id: str, turn: int) -> str:
        """Return the one id of this learner's redemption of this key after *turn* restored ones."""
        validation.check_id(code, "code")
        validation.check_id(learner_id, "learner_id")
        validation.check_count(turn, "turn", 0)
        return derived_id("redemption", code, learner_id, str(turn))
