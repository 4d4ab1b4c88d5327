"""The e-mail that sends a key to a learner.

No argument can inject a header, a second address, an HTML element or a placeholder.
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
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.keys import KeyBatch, TrainingKey
from course_assignments.entities.people import User, anonymous_email
from course_assignments.errors import InvalidInput, invalid, plain
from course_assignments.invitations.headers import as_header, as_mailbox
from course_assignments.invitations.template import Block, InvitationTemplate, blocks, parts
from course_assignments.time.datetimes import LATEST, TICK

#: The longest URL of a login page; browsers and mail programs support this length.
URL_LENGTH: Final = 2_000

#: The default wording.
DEFAULT_TEMPLATE: Final = InvitationTemplate()


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
    template: InvitationTemplate = DEFAULT_TEMPLATE,
) -> EmailMessage:
    """Return an e-mail that sends *key* to *learner*, as plain text and as HTML.

    This function does not check whether the learner may redeem the key. Call
    `Registrar.may_redeem` or `Registrar.may_register` first. The message contains the code of the
    key, so do not log the message.

    The message shows the redemption window of the batch (rule 7) to the minute, in the time zone of
    the organization, and never wider than it is. If newcomers cannot register with the keys of the
    organization, use a template without steps for them. An anonymized user is refused (rule 23).

    >>> message = invitation(
    ...     TrainingKey(id="k-1", code="Spring-2026", batch_id="spring"),
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
    >>> print(message["Subject"])
    Your key for Python
    """
    validation.check_kind(key, "key", TrainingKey)
    validation.check_kind(learner, "learner", User)
    validation.check_kind(course, "course", Course)
    validation.check_kind(batch, "batch", KeyBatch)
    validation.check_kind(organization, "organization", Organization)
    validation.check_kind(template, "template", InvitationTemplate)
    validation.check_same(key.batch_id, batch.id, "batch")
    validation.check_same(course.id, batch.course_id, "course")
    validation.check_same(organization.id, batch.organization_id, "organization")
    values = {
        "course": course.name,
        "key": key.display_code,
        "learner": learner.name,
        "login": _checked_url(login_url),
        "organization": organization.name,
    }
    window: list[str] = []
    if batch.redeemable_from is not None:
        # rounded up to the minute
        start = min(batch.redeemable_from + timedelta(minutes=1) - TICK, LATEST)
        values["valid_from"] = _shown(start, organization)
        window.append(template.valid_from)
    if batch.redeemable_until is not None:
        values["until"] = _shown(batch.redeemable_until, organization)
        window.append(template.deadline)
    body = tuple(blocks(template, *window))
    message = _envelope(learner, sender, sender_name, _filled(template.subject, values))
    # Quoted-printable, because not every relay accepts eight bits or lines of any length. The
    # boundary cannot occur in quoted-printable content (RFC 2045, section 6.7).
    plain, html = _plain(body, values), _html(body, values)
    message.set_content(plain, cte="quoted-printable")
    message.make_alternative(boundary=f"=_{validation.digest('invitation', plain, html)[:32]}")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


def _checked_url(value: object) -> str:
    """Return *value* if it is a plain http or https URL."""
    text = validation.check_text(value, "login_url", URL_LENGTH)
    # No name and password before the host, and no character that RFC 3986 excludes.
    host, rest = r"[^\s<>\"\\^`{|}/?#@]+", r"[^\s<>\"\\^`{|}]*"
    if not fullmatch(rf"https?://{host}([/?#]{rest})?", text, IGNORECASE):
        expected = "expected the URL of a page, such as https://learn.example/login"
        raise invalid("invalid_url", "login_url", expected, text)
    return text


def _shown(at: datetime, organization: Organization) -> str:
    """Write *at* in the time zone of *organization*, rounded down to the minute."""
    if organization.time_zone == "UTC":
        return f"{at:%Y-%m-%d %H:%M} UTC"
    local = at.astimezone(organization.zone)
    offset = local.isoformat(timespec="minutes")[16:]
    return f"{local:%Y-%m-%d %H:%M} {organization.time_zone} (UTC{offset})"


def _envelope(learner: User, sender: str, sender_name: str | None, subject: str) -> EmailMessage:
    """Return a message without a body; its headers are never folded again."""
    sender = plain(sender)
    if learner.email == anonymous_email(learner.id):
        raise InvalidInput("invalid_email", "learner.email", "this user was anonymized")
    if sender_name is not None:
        sender_name = validation.check_text(sender_name, "sender_name", validation.NAME_LENGTH)
    lines = (
        f"From: {as_mailbox(sender_name, sender, 'From', 'sender')}",
        f"To: {as_mailbox(learner.name, learner.email, 'To', 'learner.email')}",
        f"Subject: {as_header(subject, 'Subject')}",
    )
    international = not (sender + learner.email).isascii()
    policy = EmailPolicy(utf8=international, refold_source="none")
    return HeaderParser(policy=policy).parsestr("\n".join(lines))


def _plain(body: tuple[Block, ...], values: Mapping[str, str]) -> str:
    paragraphs: list[str] = []
    for block in body:
        lines = [_filled(part, values) for part in parts(block)]
        if not isinstance(block, str):
            lines = [f"{number}. {line}" for number, line in enumerate(lines, 1)]
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs) + "\n"


def _html(body: tuple[Block, ...], values: Mapping[str, str]) -> str:
    """Write *body* with every string escaped before any markup is put around it."""
    safe = {name: escape(value) for name, value in values.items()}
    safe["key"] = f"<strong>{safe['key']}</strong>"
    safe["login"] = f'<a href="{safe["login"]}">{safe["login"]}</a>'
    lines = ["<!DOCTYPE html>", "<html>", '<body dir="auto">']
    for block in body:
        texts = [_filled(escape(part), safe, end_of_line="<br>\n") for part in parts(block)]
        if isinstance(block, str):
            lines += [f"<p>{text}</p>" for text in texts]
        else:
            lines += ["<ol>", *(f"<li>{text}</li>" for text in texts), "</ol>"]
    return "\n".join((*lines, "</body>", "</html>", ""))


def _filled(text: str, values: Mapping[str, str], end_of_line: str = "\n") -> str:
    """Fill in *values*, and normalize line ends, which only the template can have."""
    return Template(sub(r"\r\n?|\n", end_of_line, text)).substitute(values)
