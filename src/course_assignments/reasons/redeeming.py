"""Why a key is not redeemed, or a newcomer not registered. Rules 6 to 12."""

from datetime import datetime
from typing import ClassVar

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.time.datetimes import format_datetime, format_datetime_up


@attrs.frozen
class KeyNotFound:
    """No key has this code (rule 12).

    Example:
        >>> print(KeyNotFound())
        There is no such key; compare it with what you were sent.
    """

    code: ClassVar = "key_not_found"

    def __str__(self) -> str:
        return "There is no such key; compare it with what you were sent."


@attrs.frozen
class KeyMistyped:
    """The check symbol of the code does not fit (rule 12).

    Example:
        >>> print(KeyMistyped())
        The key has a typing error; compare it symbol by symbol with what you were sent.
    """

    code: ClassVar = "key_mistyped"

    def __str__(self) -> str:
        return "The key has a typing error; compare it symbol by symbol with what you were sent."


@attrs.frozen
class KeyRevoked:
    """The key was called back.

    Example:
        >>> from datetime import UTC
        >>> print(KeyRevoked(datetime(2026, 1, 5, 9, tzinfo=UTC)))
        The key was revoked at 2026-01-05 09:00:00 UTC; ask for a new one.
    """

    code: ClassVar = "key_revoked"
    revoked_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)

    def __str__(self) -> str:
        return f"The key was revoked at {format_datetime(self.revoked_at)}; ask for a new one."


@attrs.frozen
class KeyNotYetRedeemable:
    """The window in which the key can be redeemed has not begun (rule 7).

    Example:
        >>> from datetime import UTC
        >>> print(KeyNotYetRedeemable(datetime(2026, 1, 5, 9, tzinfo=UTC)))
        The key can be redeemed from 2026-01-05 09:00:00 UTC on; try again then.
    """

    code: ClassVar = "key_not_yet_redeemable"
    redeemable_from: datetime = field(
        converter=validation.tidy_instant, validator=validation.instant
    )

    def __str__(self) -> str:
        return f"The key can be redeemed from {format_datetime_up(self.redeemable_from)} on; try again then."  # noqa: E501


@attrs.frozen
class KeyExpired:
    """The window in which the key could be redeemed is over (rule 7).

    Example:
        >>> from datetime import UTC
        >>> print(KeyExpired(datetime(2026, 1, 5, 9, tzinfo=UTC)))
        The key expired at 2026-01-05 09:00:00 UTC; ask for a new one.
    """

    code: ClassVar = "key_expired"
    redeemable_until: datetime = field(
        converter=validation.tidy_instant, validator=validation.instant
    )

    def __str__(self) -> str:
        return f"The key expired at {format_datetime(self.redeemable_until)}; ask for a new one."


@attrs.frozen
class KeyExhausted:
    """Every use of the key is taken (rule 6).

    Example:
        >>> print(KeyExhausted(1))
        The key is used up: its one use is taken; ask for another one.
    """

    code: ClassVar = "key_exhausted"
    max_uses: int = field(validator=validation.count(1))

    def __str__(self) -> str:
        uses = "its one use is" if self.max_uses == 1 else f"all its {self.max_uses} uses are"
        return f"The key is used up: {uses} taken; ask for another one."


@attrs.frozen
class WrongOrganization:
    """The key is for the learners of another organization (rule 9).

    Example:
        >>> print(WrongOrganization())
        The key is for the learners of another organization; ask yours for one.
    """

    code: ClassVar = "wrong_organization"

    def __str__(self) -> str:
        return "The key is for the learners of another organization; ask yours for one."


@attrs.frozen
class AlreadyRedeemed:
    """The learner has used this key before (rule 10).

    Example:
        >>> from datetime import UTC
        >>> print(AlreadyRedeemed("a-1", datetime(2026, 1, 5, 9, tzinfo=UTC)))
        This key was redeemed before, at 2026-01-05 09:00:00 UTC, and made assignment 'a-1'; use
        that one.
    """

    code: ClassVar = "already_redeemed"
    assignment_id: str = field(validator=validation.identifier)
    redeemed_at: datetime = field(converter=validation.tidy_instant, validator=validation.instant)

    def __str__(self) -> str:
        return (
            f"This key was redeemed before, at {format_datetime(self.redeemed_at)}, and made assignment "  # noqa: E501
            f"{self.assignment_id!r}; use that one."
        )


@attrs.frozen
class RegistrationDisabled:
    """The organization of the key lets nobody register with it (rule 11).

    Example:
        >>> print(RegistrationDisabled())
        You can't register with this key; sign in with your account to redeem it.
    """

    code: ClassVar = "registration_disabled"

    def __str__(self) -> str:
        return "You can't register with this key; sign in with your account to redeem it."


@attrs.frozen
class EmailTaken:
    """A user with this e-mail address, compared without case, exists (rule 11).

    Example:
        >>> print(EmailTaken("bo"))
        The e-mail address of 'bo' belongs to an account already; sign in with it, or give another
        address.
    """

    code: ClassVar = "email_taken"
    user_id: str = field(validator=validation.identifier)

    def __str__(self) -> str:
        return (
            f"The e-mail address of {self.user_id!r} belongs to an account already; sign in with "
            "it, or give another address."
        )
