"""The wording of an invitation: texts with placeholders, of which there is a closed set.

It promises that whatever stands behind a ``$`` is known before the first letter is written. It
refuses to know what is filled in, and what a letter looks like.
"""

from collections.abc import Iterator
from string import Template
from typing import Final, TypeAlias

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.errors import InvalidInput

#: What may be filled in anywhere; a subject is read by others on the way, so no key is shown there.
IN_SUBJECT: Final = frozenset({"course", "learner", "organization"})
IN_TEXT: Final = IN_SUBJECT | {"key", "login"}
IN_BEGINNING: Final = IN_TEXT | {"since"}
IN_DEADLINE: Final = IN_TEXT | {"until"}

#: A paragraph, or a list of steps.
Block: TypeAlias = str | tuple[str, ...]


def _check_placeholders(text: str, path: str, known: frozenset[str]) -> None:
    template = Template(text)
    for name in template.get_identifiers():
        if name not in known:
            fitting = ", ".join(f"${one}" for one in sorted(known))
            raise InvalidInput("invalid_placeholder", path, f"${name[:40]} is none of {fitting}")
    if not template.is_valid():
        hint = "behind a $ stands the name of a placeholder; write $$ for the sign itself"
        raise InvalidInput("invalid_placeholder", path, hint)


def _subject(_: object, at: "attrs.Attribute[str]", value: object) -> None:
    text = validation.check_text(value, at.name, validation.NAME_LENGTH)
    _check_placeholders(text, at.name, IN_SUBJECT)


def _text(_: object, at: "attrs.Attribute[str]", value: object) -> None:
    _check_placeholders(validation.check_long_text(value, at.name), at.name, IN_TEXT)


def _beginning(_: object, at: "attrs.Attribute[str]", value: object) -> None:
    _check_placeholders(validation.check_long_text(value, at.name), at.name, IN_BEGINNING)


def _deadline(_: object, at: "attrs.Attribute[str]", value: object) -> None:
    _check_placeholders(validation.check_long_text(value, at.name), at.name, IN_DEADLINE)


def _steps(_: object, at: "attrs.Attribute[tuple[str, ...]]", value: tuple[str, ...]) -> None:
    if not validation.is_exactly(value, tuple):
        raise InvalidInput("not_a_list", at.name, "expected a list of texts, one for each step")
    for position, step in enumerate(value):
        path = f"{at.name}[{position}]"
        _check_placeholders(validation.check_long_text(step, path), path, IN_TEXT)


@attrs.frozen(kw_only=True)
class InvitationTemplate:
    """The wording of an invitation, part by part in the order in which they are read.

    A part is a text with placeholders, which `invitation` fills in: ``$course``, ``$learner`` and
    ``$organization`` anywhere, ``$key`` and ``$login`` anywhere but in the subject, ``$since`` in
    the beginning, ``$until`` in the deadline. ``${key}`` is the same as ``$key``, and ``$$`` is a
    dollar sign. A part is never markup: in the HTML part of the letter it reads as in the other.

    Attributes:
        subject: One line, of which others may read along: the key cannot stand there.
        greeting: The first line of the letter.
        opening: What the letter is about.
        beginning: Left out where the batch has no start.
        deadline: Left out where the keys of the batch have no end.
        new_account: What stands above the steps of someone who has no account yet.
        new_account_steps: These steps; without any, the line above them is left out as well.
        existing_account: What stands above the steps of someone who has one.
        existing_account_steps: As for a new account.
        signature: Who writes.

    Raises:
        InvalidInput: a part is blank, has a control character or a placeholder that does not belong
            there, or the letter would not always show the key and the address of the login page.

    Example:
        >>> InvitationTemplate(greeting="Dear ${learner}:").greeting
        'Dear ${learner}:'
        >>> try:
        ...     InvitationTemplate(greeting="Dear $name:")
        ... except InvalidInput as error:
        ...     print(error)
        greeting: $name is none of $course, $key, $learner, $login, $organization
    """

    subject: str = field(default="Your key for $course", validator=_subject)
    greeting: str = field(default="Hello $learner,", validator=_text)
    opening: str = field(
        default=(
            "$organization invites you to the course $course. This key lets you in:\n"
            "$key\n"
            "Please keep it to yourself."
        ),
        validator=_text,
    )
    beginning: str = field(default="It works from $since on.", validator=_beginning)
    deadline: str = field(default="Redeem it before $until.", validator=_deadline)
    new_account: str = field(default="If you have no account yet:", validator=_text)
    new_account_steps: tuple[str, ...] = field(
        default=(
            "Open $login",
            "Choose to register with a key, and enter $key",
            "Give your name and your e-mail address; the course is opened at once.",
        ),
        converter=validation.tidy_tuple,
        validator=_steps,
    )
    existing_account: str = field(default="If you have an account:", validator=_text)
    existing_account_steps: tuple[str, ...] = field(
        default=(
            "Log in at $login",
            "Choose to redeem a key, and enter $key",
            "The course is now among your current training.",
        ),
        converter=validation.tidy_tuple,
        validator=_steps,
    )
    signature: str = field(default="$organization", validator=_text)

    def __attrs_post_init__(self) -> None:
        shown = {
            name
            for block in blocks(self)
            for part in parts(block)
            for name in Template(part).get_identifiers()
        }
        for name in ("key", "login"):
            if name not in shown:
                hint = f"show ${name} here or in the steps; without it nobody gets in"
                raise InvalidInput("missing", "opening", hint)


def blocks(template: InvitationTemplate, *window: str) -> Iterator[Block]:
    """Give the parts that are shown below the subject, with those of the *window* in their place.

    Example:
        >>> template = InvitationTemplate(existing_account_steps=())
        >>> [len(parts(block)) for block in blocks(template)]
        [1, 1, 1, 3, 1]
    """
    yield template.greeting
    yield template.opening
    yield from window
    for above, steps in (
        (template.new_account, template.new_account_steps),
        (template.existing_account, template.existing_account_steps),
    ):
        if steps:
            yield above
            yield steps
    yield template.signature


def parts(block: Block) -> tuple[str, ...]:
    """Return the texts of *block*.

    Example:
        >>> parts("Hello $learner,"), parts(("Open $login",))
        (('Hello $learner,',), ('Open $login',))
    """
    return (block,) if isinstance(block, str) else block
