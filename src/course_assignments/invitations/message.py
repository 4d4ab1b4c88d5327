"""The letter that takes a key to a learner: its wording is a template, its form is ours.

It promises that no text which is handed in becomes anything but text: not a header, not a second
address, not an element of the HTML part, not a placeholder. It refuses to know whether the key may
still be redeemed, when the letter is sent, and how.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.parser import HeaderParser
from email.policy import EmailPolicy
from html import escape
from re import IGNORECASE, fullmatch, sub
from string import Template
from typing import Final

from course_assignments import validation
from course_assignments.actions.acting import check_same
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.keys import KeyBatch, TrainingKey
from course_assignments.entities.people import User, anonymous_email
from course_assignments.errors import InvalidInput
from course_assignments.invitations.headers import as_header, as_mailbox
from course_assignments.invitations.template import Block, InvitationTemplate, blocks, parts
from course_assignments.time.datetimes import LATEST, TICK
from course_assignments.validation import derived_id

#: The longest address of a login page; browsers and mail programs cope with that much.
URL_LENGTH: Final = 2_000

#: The letter as we word it.
OUR_WORDING: Final = InvitationTemplate()


def invitation(
    key: TrainingKey,
    learner: User,
    *,
    course: Course,
    batch: KeyBatch,
    organization: Organization,
    login_url: str,
    sender: str,
    sender_name: str | None = None,
    template: InvitationTemplate = OUR_WORDING,
) -> EmailMessage:
    """Return the letter that takes *key* to *learner*, as plain text and as HTML.

    It has one ``From``, one ``To`` and one ``Subject``, and always the same bytes for the same
    arguments. It has neither ``Date`` nor ``Message-ID``, as no clock is read and no lots are
    drawn: whoever sends it sets them. White space of any kind in a header becomes one space. If an
    address is not ASCII the policy of the message says so (``utf8``), and only a server that knows
    SMTPUTF8 can carry it; any other letter is ASCII throughout.

    It is only a letter: whether the key is still good, and good for this learner, is not asked.
    Ask `Registrar.may_redeem` or `Registrar.may_register` first. The letter shows the code; that is
    its purpose, so do not log it.

    Args:
        key: What is handed out.
        learner: To whom, by their name and e-mail address.
        course: The one that the batch is for.
        batch: The one that the key is of; its window (rule 7) is shown down to the minute, never a
            wider one.
        organization: The batch's, in whose time zone the window is shown. If newcomers cannot
            register with its keys, hand in a template without steps for a new account.
        login_url: The address of the login page, http or https.
        sender: The e-mail address that the letter comes from.
        sender_name: The name beside it.
        template: The wording.

    Raises:
        InvalidInput: two records do not belong together, an address cannot be written to or was
            that of a user who was forgotten (rule 23), or *login_url* is not what it has to be.

    Example:
        >>> from datetime import UTC, timedelta
        >>> message = invitation(
        ...     TrainingKey(code="Spring-2026", batch_id="spring"),
        ...     User(id="ada", name="Ada", email="ada@example.org"),
        ...     course=Course(id="py", name="Python"),
        ...     batch=KeyBatch(
        ...         id="spring", name="Spring", course_id="py", organization_id="acme",
        ...         created_at=datetime(2026, 1, 5, tzinfo=UTC), availability=timedelta(days=30),
        ...     ),
        ...     organization=Organization(id="acme", name="Acme"),
        ...     login_url="https://learn.example/login",
        ...     sender="training@acme.example",
        ... )
        >>> print(message["To"], "|", message["Subject"])
        Ada <ada@example.org> | Your key for Python
    """
    validation.check_kind(key, "key", TrainingKey)
    validation.check_kind(learner, "learner", User)
    validation.check_kind(course, "course", Course)
    validation.check_kind(batch, "batch", KeyBatch)
    validation.check_kind(organization, "organization", Organization)
    validation.check_kind(template, "template", InvitationTemplate)
    check_same(key.batch_id, batch.id, "batch")
    check_same(course.id, batch.course_id, "course")
    check_same(organization.id, batch.organization_id, "organization")
    values = {
        "course": course.name,
        "key": key.display_code,
        "learner": learner.name,
        "login": _checked_url(login_url),
        "organization": organization.name,
    }
    window: list[str] = []
    if batch.redeemable_from is not None:
        values["since"] = _shown_from(batch.redeemable_from, organization)
        window.append(template.beginning)
    if batch.redeemable_until is not None:
        values["until"] = _shown(batch.redeemable_until, organization)
        window.append(template.deadline)
    letter = tuple(blocks(template, *window))
    subject = _filled(template.subject, values)
    message = _envelope(learner, sender, sender_name, subject)
    _write(message, _plain(letter, values), _html(letter, values))
    return message


def _checked_url(value: object) -> str:
    """Return *value* if a browser that is sent there can only speak HTTP."""
    text = validation.check_text(value, "login_url", URL_LENGTH)
    # No name and password before the host, and nothing that RFC 3986 keeps out of an address.
    host, rest = r"[^\s<>\"\\^`{|}/?#@]+", r"[^\s<>\"\\^`{|}]*"
    if not fullmatch(rf"https?://{host}([/?#]{rest})?", text, IGNORECASE):
        hint = "expected the address of a page, such as https://learn.example/login"
        raise InvalidInput("invalid_url", "login_url", hint)
    return text


def _shown(at: datetime, organization: Organization) -> str:
    """Write *at* as the clocks of *organization* show it; the seconds fall away."""
    if organization.time_zone == "UTC":
        return f"{at:%Y-%m-%d %H:%M} UTC"
    local = at.astimezone(organization.zone)
    offset = local.isoformat(timespec="minutes")[16:]
    return f"{local:%Y-%m-%d %H:%M} {organization.time_zone} (UTC{offset})"


def _shown_from(at: datetime, organization: Organization) -> str:
    """Write the first whole minute from which *at* has come."""
    return _shown(min(at + timedelta(minutes=1) - TICK, LATEST), organization)


def _envelope(learner: User, sender: str, sender_name: str | None, subject: str) -> EmailMessage:
    """Return a message without a body, whose headers are kept just as they are written here."""
    if learner.email == anonymous_email(learner.id):
        raise InvalidInput("invalid_email", "learner.email", "this user was forgotten")
    if sender_name is not None:
        validation.check_text(sender_name, "sender_name", validation.NAME_LENGTH)
    lines = (
        f"From: {as_mailbox(sender_name, sender, 'From', 'sender')}",
        f"To: {as_mailbox(learner.name, learner.email, 'To', 'learner.email')}",
        f"Subject: {as_header(subject, 'Subject')}",
    )
    international = not (sender + learner.email).isascii()
    policy = EmailPolicy(utf8=international, refold_source="none")
    return HeaderParser(policy=policy).parsestr("\n".join(lines))


def _write(message: EmailMessage, plain: str, html: str) -> None:
    # Quoted-printable, because not every relay takes eight bits or lines of any length. A boundary
    # that begins like this occurs in no such text (RFC 2045, section 6.7), and is no random one.
    message.set_content(plain, cte="quoted-printable")
    message.make_alternative(boundary=f"=_{derived_id('invitation', plain, html)[:32]}")
    message.add_alternative(html, subtype="html", cte="quoted-printable")


def _plain(letter: tuple[Block, ...], values: Mapping[str, str]) -> str:
    texts: list[str] = []
    for block in letter:
        if isinstance(block, str):
            texts.append(_filled(block, values))
        else:
            steps = (f"{number}. {_filled(step, values)}" for number, step in enumerate(block, 1))
            texts.append("\n".join(steps))
    return "\n\n".join(texts) + "\n"


def _html(letter: tuple[Block, ...], values: Mapping[str, str]) -> str:
    """Write *letter* with every text escaped before anything that is ours stands beside it."""
    safe = {name: escape(value) for name, value in values.items()}
    safe["key"] = f"<strong>{safe['key']}</strong>"
    safe["login"] = f'<a href="{safe["login"]}">{safe["login"]}</a>'
    lines = ["<!DOCTYPE html>", "<html>", '<body dir="auto">']
    for block in letter:
        texts = [_filled(escape(part), safe, end_of_line="<br>\n") for part in parts(block)]
        if isinstance(block, str):
            lines += [f"<p>{text}</p>" for text in texts]
        else:
            lines += ["<ol>", *(f"<li>{text}</li>" for text in texts), "</ol>"]
    return "\n".join((*lines, "</body>", "</html>", ""))


def _filled(text: str, values: Mapping[str, str], end_of_line: str = "\n") -> str:
    """Fill *values* in; they have no ends of lines, so all of these are the template's."""
    return Template(sub(r"\r\n?|\n", end_of_line, text)).substitute(values)
