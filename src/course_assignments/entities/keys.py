"""Training keys: batches, the keys in them, and their redemptions."""

from datetime import datetime

from attrs import field

from course_assignments import validation
from course_assignments.entities.codes import fold, format_code, is_storable
from course_assignments.errors import invalid, is_a, plain, repr_codes
from course_assignments.frozen import Field, frozen
from course_assignments.time.durations import Duration
from course_assignments.validation import after, optional_datetime, to_duration, to_utc


@frozen(kw_only=True)
class KeyBatch:
    """Keys of one course that share a name and their terms.

    Attributes:
        organization_id: Who owns the keys; its learners may redeem them.
        redeemable_until: When redemption ends, or ``None`` for never (rule 7).
        max_uses: How often each key can be used (rule 6).
        availability: How long access lasts from redemption on (rule 8).
        any_organization: Whether learners of other organizations may redeem the keys.
        size: How many keys it has; keys are revoked, never deleted.

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
    created_at: datetime = field(converter=to_utc)
    redeemable_from: datetime | None = optional_datetime()
    redeemable_until: datetime | None = optional_datetime(after("redeemable_from"))
    max_uses: int = field(default=1, validator=validation.count(1))
    availability: Duration = field(converter=to_duration)
    any_organization: bool = field(default=False, validator=validation.flag)
    size: int = field(default=0, validator=validation.count(0))


def _code(key: object, at: Field, value: object) -> None:
    value = plain(value)
    if not is_a(value, str) or not is_storable(value):
        hint = "expected up to 64 printable ASCII characters without space, comma, semicolon, quote"
        raise invalid("invalid_code", at.name, hint, value)
    validation.keep(key, at, value)


@frozen(kw_only=True)
class TrainingKey:
    """One key of a batch. Only the key itself has its code; everything else refers to its id.

    Attributes:
        code: As given, or 17 symbols if it was generated; masked in the repr.
        number: Its position in the batch, from 1 on.
        uses: How often it was redeemed, without the uses that were restored (rule 13).

    >>> key = TrainingKey(id="k-1", code="Spring-2026", batch_id="spring", max_uses=3, uses=1)
    >>> key.remaining_uses
    2
    >>> key.display_code, "Spring-2026" in repr(key)
    ('Spring-2026', False)
    """

    id: str = field(validator=validation.identifier)
    code: str = field(validator=_code, repr=repr_codes)
    batch_id: str = field(validator=validation.identifier)
    number: int = field(default=1, validator=validation.count(1))
    uses: int = field(default=0, validator=validation.count(0))
    max_uses: int = field(default=1, validator=validation.count(1))
    revoked_at: datetime | None = optional_datetime()

    def __attrs_post_init__(self) -> None:
        if self.uses > self.max_uses:
            raise invalid("invalid_count", "uses", f"expected at most {self.max_uses}", self.uses)

    @property
    def terms(self) -> tuple[str, str, str, int, int, datetime | None]:
        """All fields except ``uses``, none of which a redemption changes."""
        return self.id, self.code, self.batch_id, self.number, self.max_uses, self.revoked_at

    @property
    def lookup_code(self) -> str:
        """The form of the code in which it is looked up, and unique over all batches (rule 12)."""
        return fold(self.code)

    @property
    def remaining_uses(self) -> int:
        """How often it can still be redeemed."""
        return self.max_uses - self.uses

    @property
    def display_code(self) -> str:
        """The code as learners see it, a generated one in groups of four."""
        return format_code(self.code)


@frozen(kw_only=True)
class Redemption:
    """The use of a key by a learner, and the assignment that it made.

    Attributes:
        id: Always from `id_for`: a registrar looks for the first one to see whether there are more.
        restored_at: When the use was restored by cancelling, or ``None`` (rule 13).

    >>> Redemption.id_for("k-1", "ada", 0) == Redemption.id_for("k-1", "ada", 1)
    False
    """

    id: str = field(validator=validation.identifier)
    key_id: str = field(validator=validation.identifier)
    batch_id: str = field(validator=validation.identifier)
    learner_id: str = field(validator=validation.identifier)
    assignment_id: str = field(validator=validation.identifier)
    redeemed_at: datetime = field(converter=to_utc)
    restored_at: datetime | None = optional_datetime()

    @staticmethod
    def id_for(key_id: str, learner_id: str, turn: int) -> str:
        """Return the id of this learner's redemption of this key after *turn* earlier ones."""
        key_id = validation.check_id(key_id, "key_id")
        learner_id = validation.check_id(learner_id, "learner_id")
        validation.check_count(turn, "turn", 0)
        return validation.derived_id("redemption", key_id, learner_id, str(turn))
