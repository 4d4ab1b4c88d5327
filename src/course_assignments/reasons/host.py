"""The reasons that a host adds with policies of its own."""

from typing import Any

import attrs

from course_assignments.errors import InvalidInput


def _check_code(_: object, __: object, value: Any) -> None:
    if not isinstance(value, str) or not value.startswith("x-"):
        raise InvalidInput("invalid_code", "code", "a host's reason has a code such as x-unpaid")


def _check_sentence(_: object, __: object, value: Any) -> None:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise InvalidInput("not_a_text", "sentence", "expected one line for who was refused")


@attrs.frozen
class CustomReason:
    """A reason of the host's own policies; its code starts with ``x-``.

    Raises:
        InvalidInput: *code* does not start with ``x-``.

    Example:
        >>> print(CustomReason("x-unpaid", "The invoice of May is open."))
        The invoice of May is open.
    """

    code: str = attrs.field(validator=_check_code)
    sentence: str = attrs.field(validator=_check_sentence)

    def __str__(self) -> str:
        return self.sentence
