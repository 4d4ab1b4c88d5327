"""The invitation e-mail: no argument can change its headers, its HTML or its template."""

import smtplib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, message_from_string
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.policy import HTTP, SMTP, SMTPUTF8, EmailPolicy, compat32, default, strict
from email.utils import getaddresses
from html.parser import HTMLParser
from pathlib import Path
from re import findall, sub
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.entities.people import anonymous_email
from course_assignments.invitations import headers, message, template
from course_assignments.reasons import KeyExhausted, KeyRevoked
from course_assignments.text import drop_unseen
from course_assignments.time.datetimes import LATEST
from tests.support.acts import BATCH, GENERATED
from tests.support.values import refusal
from tests.support.world import ACME, ADA, BETA, PYTHON, SQL, START

US = timedelta(microseconds=1)
LOGIN = "https://learn.example/login?from=mail&to=py"
KEY = ca.TrainingKey(id="k-1", code=GENERATED, batch_id="spring")
ARGUMENTS: dict[str, Any] = {
    "key": KEY,
    "learner": ADA,
    "course": PYTHON,
    "batch": BATCH,
    "organization": ACME,
    "login_url": LOGIN,
    "sender": "training@acme.example",
    "sender_name": "Acme, Training",
}


def invitation(**changes: Any) -> EmailMessage:
    return ca.invitation(**{**ARGUMENTS, **changes})


def invitation_to(**changes: Any) -> EmailMessage:
    return invitation(learner=attrs.evolve(ADA, **changes))


def refused(call: Callable[[], object]) -> tuple[str, str]:
    error = refusal(call)
    return error.code, error.field


def utf8(message: EmailMessage) -> bool:
    assert isinstance(message.policy, EmailPolicy)
    return message.policy.utf8


def content(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def one_line(text: str) -> str:
    """Return *text* as a header shows it."""
    return " ".join(text.split())


def in_header(name: str) -> str:
    """Return *name* without what has a meaning in an address: RFC 5322, section 3.2.3, and "=?"."""
    return one_line(
        "".join(" " if char in '()<>[]:;@\\,."' else char for char in name.replace("=?", " ?"))
    )


#: Strings that are dangerous in a header, an address, an HTML page or a template.
DANGEROUS = (
    *("x, eve@evil.example", "<eve@evil.example>", '"', "\\", ":(", ";", "=?", "?=", "@", "group:"),
    *("=?utf-8?q?=0D=0ABcc:_eve?=", "=?utf-8?b?PGV2ZUB4Pg==?=", "Bcc: eve@evil.example", "."),
    *("<script>alert(1)</script>", "</p></body>", "&lt;b&gt;", "'", "javascript:", "<!--", "]]>"),
    *("$key", "${login}", "$$", "$", "{0.__class__}", "%s", "x" * 90, "\u2028", "\u2029", "  "),
    *(
        "\u00a0",
        "\u202e",
        "\ufeff",
        "\u200b",
        "e\u0301",
        "日本語",
        "\U0001f600",
        "\u017f",
        "\uff0c",
    ),
)
CHARACTERS = st.characters(exclude_categories=["Cc", "Cs"])


def strings(most: int = 500) -> st.SearchStrategy[str]:
    """Draw a name: any string, or one made of dangerous pieces."""
    pieces = st.lists(st.sampled_from(DANGEROUS) | st.text(CHARACTERS, max_size=5), min_size=1)
    mixed = pieces.map("".join).map(lambda text: text[:most])
    return (mixed | st.text(CHARACTERS, min_size=1, max_size=60)).filter(is_name)


def is_name(text: str) -> bool:
    """Return whether *text* shows something, and no white space at its ends."""
    seen = drop_unseen(text)
    return seen == seen.strip() != ""


ATEXT = st.text(st.sampled_from("abcXYZ019!#$%&'*+/=?^_`{|}~-äß日"), min_size=1, max_size=62)
LABEL = st.text(st.sampled_from("abcXYZ019-äß日"), min_size=1, max_size=30)


def addresses() -> st.SearchStrategy[str]:
    """Draw an accepted address: no quoted local part, no bracketed host."""
    parts = st.lists(ATEXT, min_size=1, max_size=3).map(".".join)
    hosts = st.lists(LABEL.filter(is_label), min_size=1, max_size=4).map(".".join)
    local = parts.filter(lambda text: len(text.encode()) <= 64 and "=?" not in text)
    return st.builds("{}@{}".format, local, hosts)


def is_label(text: str) -> bool:
    """Return whether *text* is short enough for a domain, in its ASCII form."""
    return text.isascii() or len(text.lower().encode("punycode")) <= 59


def reading(raw: str) -> str:
    """Return *raw* decoded as RFC 2047 says; the parser of Python adds spaces."""
    return str(make_header(decode_header(raw)))


def complaints(message: EmailMessage, name: str, address: str, subject: str) -> list[str]:
    """Return the differences from the intended headers, once *message* was sent and parsed."""
    data = bytes(message)
    text = data.decode("utf-8")
    found: list[str] = []

    name = in_header(name)

    def check(what: str, actual: object, expected: object) -> None:
        if actual != expected:
            found.append(f"{what}: {actual!r}, not {expected!r}")

    check("ASCII", data.isascii(), address.isascii())
    names = ["From", "To", "Subject", "MIME-Version", "Content-Type"]
    plain: Message[str, str] = message_from_string(text, policy=compat32)
    read = message_from_string(text, policy=default)
    for one in (message, read):
        check("headers", one.keys(), names)
        check("subject", str(one["Subject"]), one_line(subject))
        for header, who, where in (
            ("From", "Acme Training", "training@acme.example"),
            ("To", name, address),
        ):
            boxes = one[header].addresses
            check(header, [box.addr_spec for box in boxes], [where])
            # Between two encoded words of a name some versions of Python read a space.
            said = [sub(r"\s", "", box.display_name) for box in boxes]
            check(f"name in {header}", said, [sub(r"\s", "", who)])
            check(f"mail to {header}", [box for _, box in getaddresses([one[header]])], [where])
    check("name", reading(str(plain["To"]).rpartition("<")[0].strip()), name)
    for line in text.partition("\n\n")[0].splitlines():
        if len(line) > 78:
            check("long line", line, f" <{address}>" if name else f"To: <{address}>")
    return found


class TestHeaders:
    """There is exactly one From, To and Subject, with the intended values."""

    @given(strings(), addresses(), strings())
    @example("x" * 500, "ada@example.org", "x" * 500)
    @example("日" * 500, "a" * 64 + "@" + "b." * 94 + "c", "\U0001f600 " * 249 + "x")
    @example("x" * 90 + ":(", "ada@example.org", "x: y")
    def test_have_the_intended_values(self, name: str, address: str, course: str) -> None:
        message = invitation(
            learner=attrs.evolve(ADA, name=name, email=address),
            course=attrs.evolve(PYTHON, name=course),
        )
        assert not complaints(message, name, address, f"Your key for {course}")

    @pytest.mark.parametrize("name", ["x " * 50 + "x", "x\u2028x"])
    def test_would_be_wrong_without_encoding(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert not complaints(invitation_to(name=name), name, ADA.email, "Your key for Python")
        monkeypatch.setattr(headers, "as_header", lambda text, _: text)
        assert complaints(invitation_to(name=name), name, ADA.email, "Your key for Python")

    @given(strings(200))
    def test_show_the_name_of_the_sender(self, name: str) -> None:
        read = message_from_bytes(bytes(invitation(sender_name=name)), policy=compat32)
        said, _, address = str(read["From"]).rpartition("<")
        assert reading(said.strip()) == in_header(name)
        assert address.removesuffix(">") == "training@acme.example"

    def test_may_have_no_name_of_the_sender(self) -> None:
        assert invitation(sender_name=None)["From"] == "training@acme.example"

    def test_are_readable_where_nothing_is_encoded(self) -> None:
        lines = bytes(invitation(sender_name="Acme Training")).decode().splitlines()
        assert lines[:5] == [
            "From: Acme Training",
            " <training@acme.example>",
            "To: Ada",
            " <ada@example.org>",
            "Subject: Your key for Python",
        ]

    @pytest.mark.parametrize(("length", "kept"), [(59, True), (60, True), (61, False)])
    def test_do_not_encode_a_string_that_fits_into_a_line(self, length: int, *, kept: bool) -> None:
        assert (headers.as_header("x" * length, "Subject") == "x" * length) is kept

    @pytest.mark.parametrize("bad", ["\0", "\n", "\r", "\r\nBcc: eve@x", "\x85", "\ud800"])
    @pytest.mark.parametrize(
        ("call", "field"),
        [
            (lambda text: invitation(sender_name=text), "sender_name"),
            (lambda text: invitation(sender=f"a{text}@x"), "sender"),
            (lambda text: invitation(login_url=f"https://x/{text}"), "login_url"),
            (lambda text: ca.InvitationTemplate(subject=text), "subject"),
        ],
    )
    def test_refuse_control_characters(
        self, bad: str, call: Callable[[str], object], field: str
    ) -> None:
        assert refused(lambda: call(f"ab{bad}c")) == ("unprintable", field)

    def test_do_not_include_date_and_id(self) -> None:
        message = invitation()
        assert message["Date"] is message["Message-ID"] is None
        message["Date"] = START
        assert b"\nDate: Mon, 05 Jan 2026 09:00:00 +0000\n" in bytes(message)


class TestAddresses:
    """An address that is not safe in a header is invalid."""

    WRONG = (
        *("a,b@x", '"a"@x', "<a>@x", "a@x>", "a@x,b", "a(b)@x", "a:b@x", "a;b@x", "a\\b@x"),
        *("a@[1.2.3.4]", ".a@x", "a.@x", "a..b@x", "a@.x", "a@x.", "a@x..y", "=?utf-8?q?a?=@x"),
        *("a\uff0cb@x", "a\u2025b@x", "a@x\uff1cy", "\u00a8@x", "a@b!c", "a@b'c"),
    )

    @pytest.mark.parametrize("address", WRONG)
    def test_that_need_quotes_are_refused(self, address: str) -> None:
        assert refused(lambda: invitation_to(email=address)) == ("invalid_email", "email")
        assert refused(lambda: invitation(sender=address)) == ("invalid_email", "sender")

    @pytest.mark.parametrize("address", ["a", "a b@x", "a@x@y", "a@\u2028x", "a@x\u00a0y"])
    def test_that_are_not_valid_are_refused(self, address: str) -> None:
        assert refused(lambda: invitation(sender=address)) == ("invalid_email", "sender")

    @pytest.mark.parametrize("address", ["jörg@example.org", "ada@exämple.org", "用户@例え.jp"])
    def test_that_are_not_ascii_use_utf_8(self, address: str) -> None:
        assert utf8(invitation_to(email=address))
        assert f"<{address}>".encode() in bytes(invitation_to(email=address))
        assert not utf8(invitation_to())

    def test_of_an_anonymized_user_are_refused(self) -> None:
        call = lambda: invitation_to(email=anonymous_email("ada"))  # noqa: E731
        assert refused(call) == ("invalid_email", "learner.email")


class Transport(smtplib.SMTP):
    """Records each message and its recipients, and sends nothing."""

    def __init__(self, *extensions: str) -> None:
        super().__init__()
        self.sent: list[tuple[str, Sequence[str], bytes]] = []
        self.extensions = extensions

    def ehlo_or_helo_if_needed(self) -> None:
        pass

    def has_extn(self, opt: str) -> bool:
        return opt in self.extensions

    def sendmail(self, from_addr: str, to_addrs: Any, msg: Any, *_: Any, **__: Any) -> Any:
        self.sent.append((from_addr, to_addrs, msg))
        return {}


#: Lines that are never folded, and of lengths at which a name or an address is split.
POLICIES = [
    base.clone(max_line_length=length)
    for base in (default, SMTP, SMTPUTF8, HTTP, strict, compat32)
    for length in (0, None, 40, 60, 76, 78, 998)
]
POLICIES += [
    policy.clone(refold_source="all") for policy in POLICIES if isinstance(policy, EmailPolicy)
]


def to_ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode().replace("?", "q")


class TestRewriting:
    """An application may write the message with another policy, and read it, and write it again."""

    LONG = "a" * 60 + "@" + "b" * 40

    @staticmethod
    def assert_one_recipient(data: bytes, address: str) -> None:
        read = message_from_bytes(data, policy=default)
        assert [box.addr_spec for box in read["To"].addresses] == [address]
        assert len(read.get_all("To", [])) == 1

    def rewrite(self, message: EmailMessage) -> None:
        """Check that *message* to Ada has her as its only recipient, under every policy."""
        for policy in POLICIES:
            once = message.as_bytes(policy=policy)
            self.assert_one_recipient(once, ADA.email)
            twice = message_from_bytes(once, policy=policy).as_bytes(policy=policy)
            self.assert_one_recipient(twice, ADA.email)

    @given(
        strings(100),
        addresses().map(to_ascii),
        st.sampled_from(POLICIES),
        st.sampled_from(POLICIES),
    )
    @example("Ada, Eve eve@evil.example", LONG, default, default)
    @example("Ada, Eve eve@evil.example", "a" * 60 + "@" + "b" * 14, default, SMTP)
    @example("Ada, Eve eve@evil.example", "a" * 60 + "@" + "b" * 15, compat32, SMTP)
    def test_keeps_the_learner_as_the_only_recipient(
        self, name: str, address: str, first: Any, second: Any
    ) -> None:
        once = invitation_to(name=name, email=address).as_bytes(policy=first)
        self.assert_one_recipient(once, address)
        twice = message_from_bytes(once, policy=second).as_bytes(policy=second)
        self.assert_one_recipient(twice, address)

    NAMES = ("Okafor, Ada", "Ada <eve@evil.example>", "=?utf-8?q?a=2Cb?=")

    @pytest.mark.parametrize("name", NAMES[:2])
    def test_would_be_wrong_with_all_characters_of_a_name(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(headers, "_SPECIAL", "$^")
        message = invitation_to(name=name)
        with pytest.raises(AssertionError):
            self.rewrite(message)

    @pytest.mark.parametrize("name", NAMES)
    def test_keeps_the_only_recipient_with_lines_of_any_length(self, name: str) -> None:
        self.rewrite(invitation_to(name=name))

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("Okafor, Ada", "Okafor Ada"),
            ("Dr. Ada (Acme)", "Dr Ada Acme"),
            ("eve@evil.example", "eve evil example"),
            ("a=?b", "a ?b"),
            ("a=b", "a=b"),
            ("O'Neil", "O'Neil"),
            ("\uff0c\u00e4", "\uff0c\u00e4"),
            ("...", ""),
        ],
    )
    def test_is_safe_because_no_character_of_a_name_has_a_meaning_in_an_address(
        self, name: str, shown: str
    ) -> None:
        message = invitation_to(name=name, email=self.LONG)
        (box,) = message["To"].addresses
        assert (box.display_name, box.addr_spec) == (shown, self.LONG)
        assert content(message, "plain").startswith(f"Hello {name},")


class TestSending:
    """`smtplib` can send the message unchanged."""

    @given(strings(200), addresses())
    def test_has_the_learner_as_its_only_recipient(self, name: str, address: str) -> None:
        transport = Transport("smtputf8")
        message = invitation_to(name=name, email=address)
        transport.send_message(message)
        ((sender, recipients, data),) = transport.sent
        assert (sender, recipients) == ("training@acme.example", [address])
        assert data.replace(b"\r\n", b"\n") == bytes(message)
        assert b"\r" not in data.replace(b"\r\n", b"")

    def test_to_an_address_that_is_not_ascii_needs_smtputf8(self) -> None:
        with pytest.raises(smtplib.SMTPNotSupportedError):
            Transport().send_message(invitation_to(email="jörg@example.org"))

    @given(strings(100))
    def test_has_short_ascii_lines(self, name: str) -> None:
        body = bytes(invitation_to(name=name)).partition(b"\n\n")[2]
        assert body.isascii()
        assert max(map(len, body.splitlines())) <= 78

    @pytest.mark.parametrize("name", ["Ada", "日" * 100])
    def test_is_quoted_printable_in_both_parts(self, name: str) -> None:
        ways = [part["Content-Transfer-Encoding"] for part in invitation_to(name=name).iter_parts()]
        assert ways == ["quoted-printable"] * 2

    def test_is_deterministic_with_a_boundary_for_each_message(self) -> None:
        assert bytes(invitation()) == bytes(invitation())
        first, second = invitation().get_boundary(), invitation_to(name="Bo").get_boundary()
        assert first != second
        assert bytes(invitation()).count(f"--{first}".encode()) == 3


#: The elements of the HTML part, with the attributes that each may have.
OURS = {
    **dict.fromkeys(("html", "p", "ol", "li", "br", "strong"), ()),
    "body": ("dir",),
    "a": ("href",),
}


class Page(HTMLParser):
    """The text, links and unknown parts of the HTML alternative."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.paragraphs: list[str] = []
        self.links: list[str | None] = []
        self.foreign: list[str] = []
        self.depth = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tuple(name for name, _ in attrs) != OURS.get(tag):
            self.foreign.append(tag)
        self.links += [value for name, value in attrs if name == "href"]
        if tag in {"p", "li"}:
            self.paragraphs.append("")
        self.depth += tag != "br"

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag in OURS

    def handle_data(self, data: str) -> None:
        if self.paragraphs:
            self.paragraphs[-1] += data

    def handle_comment(self, data: str) -> None:
        self.foreign.append(data)

    handle_pi = unknown_decl = handle_comment


def lines_of(parts: Sequence[str]) -> list[str]:
    return [line for text in parts for line in text.split("\n") if line.strip()]


def differences(message: EmailMessage) -> list[str]:
    """Return how the HTML part differs from the plain part."""
    page = Page(content(message, "html"))
    plain = [sub(r"^\d+\. ", "", line) for line in content(message, "plain").split("\n")]
    found = [f"has {one}" for one in page.foreign]
    found += [f"links to {one}" for one in page.links if one != LOGIN]
    if lines_of(page.paragraphs) != lines_of(plain):
        found.append("has another text")
    if page.depth:
        found.append("is not closed")
    return found


class TestBody:
    """Plain text, and an escaped HTML alternative."""

    @given(strings(), strings(), strings(), st.text("<>&\"'$a\n", max_size=20))
    @example("<script>alert(1)</script>", "</p><a href='//x'>", "&amp;", "<b>&lt;\n\"'")
    def test_reads_the_same_in_both_parts(
        self, name: str, course: str, organization: str, own: str
    ) -> None:
        message = invitation(
            learner=attrs.evolve(ADA, name=name),
            course=attrs.evolve(PYTHON, name=course),
            organization=attrs.evolve(ACME, name=organization),
            template=ca.InvitationTemplate(signature=own.replace("$", "$$") + "<i>$course</i>"),
        )
        assert not differences(message)
        for text in (name, course, organization):
            assert text in content(message, "plain")

    @pytest.mark.parametrize("name", ["<script>alert(1)</script>", "</p></li>", "&lt;", "<!--x-->"])
    def test_would_differ_without_escaping(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert not differences(invitation_to(name=name))
        monkeypatch.setattr(message, "escape", str)
        assert differences(invitation_to(name=name))

    @given(strings(100))
    def test_does_not_fill_in_placeholders_of_a_name(self, name: str) -> None:
        text = content(invitation_to(name=f"$course {name} ${{key}}"), "plain")
        assert text.startswith(f"Hello $course {name} ${{key}},\n")

    def test_has_this_default_content(self) -> None:
        window = attrs.evolve(
            BATCH,
            redeemable_from=datetime(2026, 2, 1, tzinfo=UTC),
            redeemable_until=datetime(2026, 7, 1, tzinfo=UTC),
        )
        assert content(invitation(batch=window), "plain").splitlines() == [
            "Hello Ada,",
            "",
            "Acme invites you to the course Python. This key lets you in:",
            "0000-0000-0000-0001-2",
            "Please keep it to yourself.",
            "",
            "It works from 2026-02-01 01:00 Europe/Berlin (UTC+01:00) on.",
            "",
            "Redeem it before 2026-07-01 02:00 Europe/Berlin (UTC+02:00).",
            "",
            "If you have no account yet:",
            "",
            f"1. Open {LOGIN}",
            "2. Choose to register with a key, and enter 0000-0000-0000-0001-2",
            "3. Give your name and your e-mail address; the course is opened at once.",
            "",
            "If you have an account:",
            "",
            f"1. Log in at {LOGIN}",
            "2. Choose to redeem a key, and enter 0000-0000-0000-0001-2",
            "3. The course is now among your current training.",
            "",
            "Acme",
        ]

    def test_links_to_the_login_page_and_emphasizes_the_key(self) -> None:
        html = content(invitation(), "html")
        shown = LOGIN.replace("&", "&amp;")
        assert html.startswith('<!DOCTYPE html>\n<html>\n<body dir="auto">\n<p>Hello Ada,</p>\n<p>')
        assert f'<li>Open <a href="{shown}">{shown}</a></li>' in html
        assert "<br>\n<strong>0000-0000-0000-0001-2</strong><br>\n" in html

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_ends_lines_as_the_template_does(self, end: str) -> None:
        template = ca.InvitationTemplate(signature=f"One{end}Two{end}{end}Four")
        message = invitation(template=template)
        assert content(message, "plain").endswith("\n\nOne\nTwo\n\nFour\n")
        assert "<p>One<br>\nTwo<br>\n<br>\nFour</p>" in content(message, "html")

    @pytest.mark.parametrize("which", ["new_account", "existing_account"])
    def test_leaves_out_missing_steps(self, which: str) -> None:
        above = getattr(ca.InvitationTemplate(), which)
        message = invitation(template=with_parts(**{f"{which}_steps": []}))
        for kind in ("plain", "html"):
            assert above in content(invitation(), kind)
            assert above not in content(message, kind)
        assert content(message, "html").count("<ol>") == 1

    def test_shows_a_custom_code_unchanged(self) -> None:
        message = invitation(key=attrs.evolve(KEY, code="<b>&^|$key"))
        assert "\n<b>&^|$key\n" in content(message, "plain")
        assert not differences(message)

    def test_does_not_check_whether_the_key_is_redeemable(self) -> None:
        bad = attrs.evolve(KEY, revoked_at=START, uses=1)
        decision = ca.KeyRedemptionPolicy().evaluate(bad, BATCH, ADA, at=START)
        assert {type(reason) for reason in decision.reasons} == {KeyRevoked, KeyExhausted}
        assert bytes(invitation(key=bad)) == bytes(invitation())

    def test_is_the_only_place_that_shows_the_code(self) -> None:
        head = bytes(invitation()).partition(b"\n\n")[0].decode()
        for text in (repr(invitation()), head):
            assert "0001" not in text


class TestDeadline:
    """The date when keys can no longer be redeemed, in the zone of the organization."""

    @staticmethod
    def shown(until: datetime | None, zone: str = "UTC") -> list[str]:
        message = invitation(
            batch=attrs.evolve(BATCH, redeemable_until=until),
            organization=attrs.evolve(ACME, time_zone=zone),
        )
        return findall("Redeem it before (.*)[.]", content(message, "plain"))

    def test_is_optional(self) -> None:
        assert self.shown(None) == []

    @pytest.mark.parametrize(
        ("off", "shown"), [(-US, "08:59"), (timedelta(0), "09:00"), (US, "09:00")]
    )
    def test_is_never_shown_later_than_it_is(self, off: timedelta, shown: str) -> None:
        assert self.shown(START + off) == [f"2026-01-05 {shown} UTC"]

    @pytest.mark.parametrize(
        ("hour", "shown"),
        [(0, "02:30 Europe/Berlin (UTC+02:00)"), (1, "02:30 Europe/Berlin (UTC+01:00)")],
    )
    def test_distinguishes_two_equal_wall_times(self, hour: int, shown: str) -> None:
        at = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
        assert self.shown(at, "Europe/Berlin") == [f"2026-10-25 {shown}"]

    @pytest.mark.parametrize(
        ("zone", "at", "shown"),
        [
            ("Asia/Kathmandu", START, "2026-01-05 14:45 Asia/Kathmandu (UTC+05:45)"),
            ("America/New_York", START, "2026-01-05 04:00 America/New_York (UTC-05:00)"),
            (
                "Asia/Tokyo",
                datetime(9899, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
                "9900-01-01 08:59 Asia/Tokyo (UTC+09:00)",
            ),
            (
                "Africa/Monrovia",
                datetime(1971, 1, 1, tzinfo=UTC),
                "1970-12-31 23:15 Africa/Monrovia (UTC-00:44:30)",
            ),
        ],
    )
    def test_names_zone_and_offset(self, zone: str, at: datetime, shown: str) -> None:
        batch = attrs.evolve(BATCH, created_at=datetime(1970, 1, 1, tzinfo=UTC))
        message = invitation(
            batch=attrs.evolve(batch, redeemable_until=at),
            organization=attrs.evolve(ACME, time_zone=zone),
        )
        assert f"Redeem it before {shown}.\n" in content(message, "plain")


PARTS = [one.name for one in attrs.fields(ca.InvitationTemplate)]


def with_parts(**parts: Any) -> ca.InvitationTemplate:
    return ca.InvitationTemplate(**parts)


def with_part(part: str, text: str) -> ca.InvitationTemplate:
    return with_parts(**{part: [text] if part.endswith("_steps") else text})


def known_in(part: str) -> frozenset[str]:
    odd = {
        "subject": template.IN_SUBJECT,
        "valid_from": template.IN_VALID_FROM,
        "deadline": template.IN_DEADLINE,
    }
    return odd.get(part, template.IN_TEXT)


def path_of(part: str) -> str:
    return f"{part}[0]" if part.endswith("_steps") else part


class TestTemplate:
    """A template accepts a closed set of placeholders and never uses `str.format`."""

    @pytest.mark.parametrize("part", PARTS)
    @given(
        st.text("abcdeginoruklyt_K", min_size=1, max_size=8)
        | st.sampled_from(sorted(template.IN_VALID_FROM | template.IN_DEADLINE))
    )
    def test_refuses_other_placeholders(self, part: str, name: str) -> None:
        for text in (f"$key $login ${name}", f"$key $login ${{{name}}}"):
            if part == "subject":
                text = text.removeprefix("$key $login ")  # noqa: PLW2901 - not allowed there
            if name in known_in(part):
                assert getattr(with_part(part, text), part) in {text, (text,)}
            else:
                with pytest.raises(ca.InvalidInput) as caught:
                    with_part(part, text)
                assert caught.value.code == "invalid_placeholder"
                assert caught.value.field == path_of(part)
                assert caught.value.hint.startswith("expected the placeholders $course, ")
                assert caught.value.hint.endswith(f", got ${name}")

    @pytest.mark.parametrize("part", PARTS)
    @pytest.mark.parametrize(
        "text", ["$", "100 $", "$ key", "${key", "${}", "$1", "${key.code}", "${key!r}", "$é"]
    )
    def test_refuses_a_dollar_sign_without_a_placeholder(self, part: str, text: str) -> None:
        call = lambda: with_part(part, text)  # noqa: E731
        assert refused(call) == ("invalid_placeholder", path_of(part))

    @pytest.mark.parametrize("part", PARTS)
    @pytest.mark.parametrize("text", ["", " \n", "\0", "\x1b[31m", "\ud800"])
    def test_refuses_a_blank_or_unreadable_part(self, part: str, text: str) -> None:
        code, field = refused(lambda: with_part(part, text))
        assert (code in {"blank", "unprintable"}, field) == (True, path_of(part))

    @pytest.mark.parametrize("part", [part for part in PARTS if part.endswith("_steps")])
    def test_takes_steps_from_any_iterable(self, part: str) -> None:
        steps: dict[str, Any] = {part: iter(["One", "Two"])}
        assert getattr(ca.InvitationTemplate(**steps), part) == ("One", "Two")
        string: dict[str, Any] = {part: "Open $login"}
        assert refused(lambda: ca.InvitationTemplate(**string)) == ("not_a_list", part)

    def test_names_the_placeholder_shortened(self) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            ca.InvitationTemplate(signature="$" + "x" * 9_000)
        assert len(caught.value.hint) < 120

    @pytest.mark.parametrize("text", ["{0.__class__}", "%s %(key)s", "{learner}", "<% key %>"])
    def test_does_not_interpret_other_formats(self, text: str) -> None:
        template = ca.InvitationTemplate(greeting=text)
        assert content(invitation(template=template), "plain").startswith(f"{text}\n")

    def test_writes_two_dollar_signs_as_one(self) -> None:
        template = ca.InvitationTemplate(subject="$$5 for ${learner}s", greeting="$$key")
        message = invitation(template=template)
        assert message["Subject"] == "$5 for Adas"
        assert content(message, "plain").startswith("$key\n")

    @pytest.mark.parametrize(("name", "other"), [("key", "login"), ("login", "key")])
    def test_always_shows_the_key_and_the_login_page(self, name: str, other: str) -> None:
        silent: dict[str, Any] = {"new_account_steps": [], "existing_account_steps": []}
        # It does not count in an optional part, nor after an escaped dollar sign.
        hidden: dict[str, Any] = {
            **dict.fromkeys(["new_account", "valid_from", "deadline"], f"${name}"),
            "signature": f"$${name}",
        }
        call = lambda: ca.InvitationTemplate(opening=f"${other}", **silent, **hidden)  # noqa: E731
        assert refused(call) == ("missing", "opening")
        for part in ("greeting", "signature"):
            ca.InvitationTemplate(opening=f"${other}", **{**silent, part: f"${name}"})
        ca.InvitationTemplate(
            opening=f"${other}", new_account_steps=[f"${name}"], existing_account_steps=[]
        )

    def test_documents_its_placeholders_in_one_table(self) -> None:
        page = Path(__file__).parents[2] / "docs" / "reference" / "invitations.md"
        rows = findall(r"(?m)^\| `\$(\w+)` \| .+ \| (.+) \|$", page.read_text(encoding="utf-8"))
        where = {
            **dict.fromkeys(template.IN_DEADLINE, "the deadline"),
            **dict.fromkeys(template.IN_VALID_FROM - template.IN_TEXT, "`valid_from`"),
            **dict.fromkeys(template.IN_TEXT, "all but the subject"),
            **dict.fromkeys(template.IN_SUBJECT, "every part"),
        }
        assert dict(rows) == where
        assert len(rows) == len(where)

    @pytest.mark.parametrize(
        ("at", "shown"),
        [
            (START, "2026-01-05 09:00 UTC"),
            (START + US, "2026-01-05 09:01 UTC"),
            (START + timedelta(minutes=1) - US, "2026-01-05 09:01 UTC"),
            (START + timedelta(minutes=1), "2026-01-05 09:01 UTC"),
            (LATEST, "9899-12-31 23:59 UTC"),
        ],
    )
    def test_never_shows_a_start_too_early(self, at: datetime, shown: str) -> None:
        message = invitation(
            batch=attrs.evolve(BATCH, redeemable_from=at),
            organization=attrs.evolve(ACME, time_zone="UTC"),
        )
        assert f"\nIt works from {shown} on.\n" in content(message, "plain")

    def test_fills_in_every_placeholder(self) -> None:
        text = " ".join(f"${name}" for name in sorted(template.IN_DEADLINE))
        message = invitation(
            batch=attrs.evolve(BATCH, redeemable_until=START + US),
            template=ca.InvitationTemplate(deadline=text),
        )
        line = f"Python 0000-0000-0000-0001-2 Ada {LOGIN} Acme 2026-01-05 10:00 Europe/Berlin"
        assert f"\n{line} (UTC+01:00)\n" in content(message, "plain")


class TestLoginPage:
    """The login page is an http or https address."""

    WRONG = (
        *("javascript:alert(1)", "JavaScript://x/%0aalert(1)", "data:text/html,x", "ftp://x/"),
        *("//learn.example", "learn.example", "https:learn.example", "https://", "https:///x"),
        *("https://a b/", "https://x/a b", "https://x/\u2028y", "https://x/<b>", 'https://x/"a'),
        *("https://me@x/", "https://me:pw@x/", "https:\\\\x", "https://x\\@y", "https://?x"),
        *("https://#x", "mailto:ada@x", "file:///etc/passwd"),
    )

    @pytest.mark.parametrize("address", WRONG)
    def test_refuses_other_addresses(self, address: str) -> None:
        assert refused(lambda: invitation(login_url=address)) == ("invalid_url", "login_url")

    @pytest.mark.parametrize(
        "address",
        [
            *(
                "http://x",
                "HTTPS://Learn.Example",
                "https://x:8443/a?b=c&d='e'#f",
                "https://[::1]/",
            ),
            *("https://lernen.exämple/anmelden", "https://x?a=b", "https://x/me@y"),
        ],
    )
    def test_is_shown_unchanged(self, address: str) -> None:
        message = invitation(login_url=address)
        assert Page(content(message, "html")).links == [address, address]
        assert f"Open {address}\n" in content(message, "plain")


@pytest.mark.parametrize(
    ("field", "start", "most"),
    [("sender", "a@" + "b." * 124, 254), ("login_url", "https://x/", 2000)],
)
def test_an_address_has_a_maximum_length(field: str, start: str, most: int) -> None:
    for length in (most - 1, most):
        address = start.ljust(length, "b")
        sent = invitation(**{field: address})
        shown = sent["From"].addresses[0].addr_spec if field == "sender" else content(sent, "plain")
        assert address in shown
    too_long = start.ljust(most + 1, "b")
    assert refused(lambda: invitation(**{field: too_long})) == ("too_long", field)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"key": attrs.evolve(KEY, batch_id="autumn")}, "batch"),
        ({"batch": attrs.evolve(BATCH, id="autumn")}, "batch"),
        ({"course": SQL}, "course"),
        ({"organization": BETA}, "organization"),
    ],
)
def test_records_that_do_not_belong_together_are_refused(
    changes: dict[str, Any], field: str
) -> None:
    assert refused(lambda: invitation(**changes)) == ("another_record", field)


def test_a_learner_of_another_organization_can_be_invited() -> None:
    # Rule 9 says who may redeem; the invitation does not check it.
    assert invitation_to(organization_id="beta")["To"] == "Ada <ada@example.org>"
