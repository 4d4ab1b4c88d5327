"""The wording of an invitation: strings with a fixed set of placeholders."""

from collections.abc import Iterator
from functools import partial
from string import Template
from typing import Final, TypeAlias

from attrs import field

from course_assignments import validation
from course_assignments.errors import InvalidInput, invalid
from course_assignments.frozen import frozen

#: The placeholders for each part. Other people can read a subject, so it must not show the key.
IN_SUBJECT: Final = frozenset({"course", "learner", "organization"})
IN_TEXT: Final = IN_SUBJECT | {"key", "login"}
IN_VALID_FROM: Final = IN_TEXT | {"valid_from"}
IN_DEADLINE: Final = IN_TEXT | {"until"}

#: A paragraph, or a list of steps.
Block: TypeAlias = str | tuple[str, ...]


def _check_part(text: str, path: str, known: frozenset[str]) -> None:
    longest, breaks = validation.TEXT_LENGTH, validation.LINE_BREAKS
    template = Template(validation.check_text(text, path, longest, breaks))
    for name in template.get_identifiers():
        if name not in known:
            usable = ", ".join(f"${one}" for one in sorted(known))
            hint = f"expected the placeholders {usable}, got ${name[:40]}"
            raise InvalidInput("invalid_placeholder", path, hint)
    if not template.is_valid():
        expected = "expected a placeholder name after each $; write $$ for a dollar sign"
        raise invalid("invalid_placeholder", path, expected, template.template)


def _only(known: frozenset[str]) -> validation.Validator:
    return validation.accepted_by(partial(_check_part, known=known))


_steps = validation.each(partial(_check_part, known=IN_TEXT))


@frozen(kw_only=True)
class InvitationTemplate:
    """The wording of an invitation, part by part, in the order of the message.

    `invitation` fills in the placeholders of each part; ``$$`` is a dollar sign. Markup is not
    interpreted; the HTML part of the message shows it as plain text.

    ``valid_from`` is left out if the batch has no start, ``deadline`` if it has no end, and an
    introduction if it has no steps. Every message must show the key and the login page.

    >>> InvitationTemplate(greeting="Dear ${learner}:").greeting
    'Dear ${learner}:'
    """

    subject: str = field(
        default="Your key for $course", validator=[validation.name, _only(IN_SUBJECT)]
    )
    greeting: str = field(default="Hello $learner,", validator=_only(IN_TEXT))
    opening: str = field(
        default=(
            "$organization invites you to the course $course. This key lets you in:\n"
            "$key\n"
            "Please keep it to yourself."
        ),
        validator=_only(IN_TEXT),
    )
    valid_from: str = field(default="It works from $valid_from on.", validator=_only(IN_VALID_FROM))
    deadline: str = field(default="Redeem it before $until.", validator=_only(IN_DEADLINE))
    new_account: str = field(default="If you have no account yet:", validator=_only(IN_TEXT))
    new_account_steps: tuple[str, ...] = field(
        default=(
            "Open $login",
            "Choose to register with a key, and enter $key",
            "Give your name and your e-mail address; the course is opened at once.",
        ),
        converter=validation.to_strings,
        validator=_steps,
    )
    existing_account: str = field(default="If you have an account:", validator=_only(IN_TEXT))
    existing_account_steps: tuple[str, ...] = field(
        default=(
            "Log in at $login",
            "Choose to redeem a key, and enter $key",
            "The course is now among your current training.",
        ),
        converter=validation.to_strings,
        validator=_steps,
    )
    signature: str = field(default="$organization", validator=_only(IN_TEXT))

    def __attrs_post_init__(self) -> None:
        text = "\n".join(part for block in blocks(self) for part in parts(block))
        shown = Template(text).get_identifiers()
        for name in ("key", "login"):
            if name not in shown:
                hint = f"show ${name} here or in the steps; learners need it"
                raise InvalidInput("missing", "opening", hint)


def blocks(template: InvitationTemplate, *window: str) -> Iterator[Block]:
    """Yield the blocks after the subject, including the parts about the *window*."""
    yield template.greeting
    yield template.opening
    yield from window
    for introduction, steps in (
        (template.new_account, template.new_account_steps),
        (template.existing_account, template.existing_account_steps),
    ):
        if steps:
            yield introduction
            yield steps
    yield template.signature


def parts(block: Block) -> tuple[str, ...]:
    """Return the strings of *block*."""
    return (block,) if isinstance(block, str) else block
