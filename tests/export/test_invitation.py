"""A ready letter for a key and a learner: nothing handed in becomes anything but text."""

import smtplib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, message_from_string
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.policy import EmailPolicy, compat32, default
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
from course_assignments.time.datetimes import LATEST
from tests.support.world import ACME, ADA, BETA, PYTHON, SQL, START

US = timedelta(microseconds=1)
LOGIN = "https://learn.example/login?from=mail&to=py"
BATCH = ca.KeyBatch(
    id="spring",
    name="Spring",
    course_id="py",
    organization_id="acme",
    created_at=START,
    availability=timedelta(days=30),
)
KEY = ca.TrainingKey(id="k-1", code="00000000000000012", batch_id="spring")
GIVEN: dict[str, Any] = {
    "key": KEY,
    "learner": ADA,
    "course": PYTHON,
    "batch": BATCH,
    "organization": ACME,
    "login_url": LOGIN,
    "sender": "training@acme.example",
    "sender_name": "Acme, Training",
}


def letter(**changes: Any) -> EmailMessage:
    return ca.invitation(**{**GIVEN, **changes})


def to(**changes: Any) -> EmailMessage:
    return letter(learner=attrs.evolve(ADA, **changes))


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ca.InvalidInput) as caught:
        call()
    return caught.value.code, caught.value.field


def utf8(message: EmailMessage) -> bool:
    assert isinstance(message.policy, EmailPolicy)
    return message.policy.utf8


def content(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def one_line(text: str) -> str:
    """Return *text* as a header has it."""
    return " ".join(text.split())


#: What is dangerous somewhere: in a header, an address, an HTML page, a template.
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
LETTERS = st.characters(exclude_categories=["Cc", "Cs"])


def texts(most: int = 500) -> st.SearchStrategy[str]:
    """Draw what may be a name: any text, or one put together of what is dangerous."""
    pieces = st.lists(st.sampled_from(DANGEROUS) | st.text(LETTERS, max_size=5), min_size=1)
    mixed = pieces.map("".join).map(lambda text: text[:most])
    return (mixed | st.text(LETTERS, min_size=1, max_size=60)).filter(lambda text: text.strip())


ATEXT = st.text(st.sampled_from("abcXYZ019!#$%&'*+/=?^_`{|}~-äß日"), min_size=1, max_size=60)
LABEL = st.text(st.sampled_from("abcXYZ019-äß日"), min_size=1, max_size=60)


def addresses() -> st.SearchStrategy[str]:
    """Draw an address that can be written to: no quoted local part, no bracketed host."""
    parts = st.lists(ATEXT, min_size=1, max_size=3).map(".".join)
    hosts = st.lists(LABEL, min_size=1, max_size=3).map(".".join)
    joined = st.builds("{}@{}".format, parts, hosts)
    return joined.filter(lambda text: len(text) <= 254 and "=?" not in text)


def reading(raw: str) -> str:
    """Return how RFC 2047 reads *raw*, where the standard library's parser adds spaces."""
    return str(make_header(decode_header(raw)))


def complaints(message: EmailMessage, name: str, address: str, subject: str) -> list[str]:
    """Return what is not as it was meant, once *message* was sent and is read."""
    data = bytes(message)
    text = data.decode("utf-8")
    found: list[str] = []

    def check(what: str, said: object, meant: object) -> None:
        if said != meant:
            found.append(f"{what}: {said!r}, not {meant!r}")

    check("ASCII", data.isascii(), address.isascii())
    names = ["From", "To", "Subject", "MIME-Version", "Content-Type"]
    plain: Message[str, str] = message_from_string(text, policy=compat32)
    read = message_from_string(text, policy=default)
    for one in (message, read):
        check("headers", one.keys(), names)
        check("subject", str(one["Subject"]), one_line(subject))
        for header, who, where in (
            ("From", "Acme, Training", "training@acme.example"),
            ("To", name, address),
        ):
            boxes = one[header].addresses
            check(header, [box.addr_spec for box in boxes], [where])
            # Between two encoded words of a name some versions of Python read a space.
            said = [sub(r"\s", "", box.display_name) for box in boxes]
            check(f"name in {header}", said, [sub(r"\s", "", who)])
            check(f"mail to {header}", [box for _, box in getaddresses([one[header]])], [where])
    check("name", reading(str(plain["To"]).rpartition("<")[0].strip()), one_line(name))
    for line in text.partition("\n\n")[0].splitlines():
        if len(line) > 78:
            check("long line", line, f" <{address}>")
    return found


class TestHeaders:
    """Header injection refused: one From, one To, one Subject, each of them what was meant."""

    @given(texts(), addresses(), texts())
    @example("x" * 500, "ada@example.org", "x" * 500)
    @example("日" * 500, "a" * 64 + "@" + "b." * 94 + "c", "\U0001f600 " * 250)
    @example("x" * 90 + ":(", "ada@example.org", "x: y")
    def test_say_what_was_meant(self, name: str, address: str, course: str) -> None:
        message = letter(
            learner=attrs.evolve(ADA, name=name, email=address),
            course=attrs.evolve(PYTHON, name=course),
        )
        assert not complaints(message, name, address, f"Your key for {course}")

    @pytest.mark.parametrize(
        "name", ["x, eve@evil.example", "a <eve@evil.example>", "=?utf-8?q??="]
    )
    def test_would_not_if_they_held_the_string_itself(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert not complaints(to(name=name), name, ADA.email, "Your key for Python")
        monkeypatch.setattr(headers, "as_header", lambda text, _: text)
        assert complaints(to(name=name), name, ADA.email, "Your key for Python")

    @given(texts(200))
    def test_of_the_sender_say_it_too(self, name: str) -> None:
        read = message_from_bytes(bytes(letter(sender_name=name)), policy=compat32)
        said, _, address = str(read["From"]).rpartition("<")
        assert (reading(said.strip()), address) == (one_line(name), "training@acme.example>")

    def test_can_do_without_the_name_of_the_sender(self) -> None:
        assert letter(sender_name=None)["From"] == "training@acme.example"

    def test_stay_readable_where_nothing_has_to_be_hidden(self) -> None:
        lines = bytes(letter(sender_name="Acme Training")).decode().splitlines()
        assert lines[:5] == [
            "From: Acme Training",
            " <training@acme.example>",
            "To: Ada",
            " <ada@example.org>",
            "Subject: Your key for Python",
        ]

    @pytest.mark.parametrize(("length", "kept"), [(59, True), (60, True), (61, False)])
    def test_leave_what_fits_into_a_line(self, length: int, *, kept: bool) -> None:
        assert (headers.as_header("x" * length, "Subject") == "x" * length) is kept

    @pytest.mark.parametrize("letter_of", ["\0", "\n", "\r", "\r\nBcc: eve@x", "\x85", "\ud800"])
    @pytest.mark.parametrize(
        ("call", "field"),
        [
            (lambda text: letter(sender_name=text), "sender_name"),
            (lambda text: letter(sender=f"a{text}@x"), "sender"),
            (lambda text: letter(login_url=f"https://x/{text}"), "login_url"),
            (lambda text: ca.InvitationTemplate(subject=text), "subject"),
        ],
    )
    def test_take_no_control_character(
        self, letter_of: str, call: Callable[[str], object], field: str
    ) -> None:
        assert refusal(lambda: call(f"ab{letter_of}c")) == ("unprintable", field)

    def test_leave_date_and_id_to_the_one_who_sends(self) -> None:
        message = letter()
        assert message["Date"] is message["Message-ID"] is None
        message["Date"] = START
        assert b"\nDate: Mon, 05 Jan 2026 09:00:00 +0000\n" in bytes(message)


class TestAddresses:
    """Whatever cannot be put into a header safely is invalid."""

    WRONG = (
        *("a,b@x", '"a"@x', "<a>@x", "a@x>", "a@x,b", "a(b)@x", "a:b@x", "a;b@x", "a\\b@x"),
        *("a@[1.2.3.4]", ".a@x", "a.@x", "a..b@x", "a@.x", "a@x.", "a@x..y", "=?utf-8?q?a?=@x"),
        *("a\uff0cb@x", "a\u2025b@x", "a@x\uff1cy", "\u00a8@x", "a@b!c", "a@b'c"),
    )

    @pytest.mark.parametrize("address", WRONG)
    def test_that_need_quotes_are_refused(self, address: str) -> None:
        assert refusal(lambda: to(email=address)) == ("invalid_email", "learner.email")
        assert refusal(lambda: letter(sender=address)) == ("invalid_email", "sender")

    @pytest.mark.parametrize("address", ["a", "a b@x", "a@x@y", "a@\u2028x", "a@x\u00a0"])
    def test_that_no_user_has_are_refused(self, address: str) -> None:
        assert refusal(lambda: letter(sender=address)) == ("invalid_email", "sender")

    @pytest.mark.parametrize(("length", "fits"), [(253, True), (254, True), (255, False)])
    def test_have_at_most_254_characters(self, length: int, *, fits: bool) -> None:
        address = "a@" + "b" * (length - 2)
        if fits:
            assert letter(sender=address)["From"].addresses[0].addr_spec == address
        else:
            assert refusal(lambda: letter(sender=address)) == ("too_long", "sender")

    @pytest.mark.parametrize("address", ["jörg@example.org", "ada@exämple.org", "用户@例え.jp"])
    def test_that_are_not_ascii_say_so(self, address: str) -> None:
        assert utf8(to(email=address))
        assert f"<{address}>".encode() in bytes(to(email=address))
        assert not utf8(to())

    def test_of_a_user_who_was_forgotten_are_not_written_to(self) -> None:
        call = lambda: to(email=anonymous_email("ada"))  # noqa: E731
        assert refusal(call) == ("invalid_email", "learner.email")


class Transport(smtplib.SMTP):
    """Sends nothing: keeps what would have gone out, and to whom."""

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


class TestSending:
    """The standard library can send it as it is."""

    @given(texts(200), addresses())
    def test_goes_to_the_learner_and_nobody_else(self, name: str, address: str) -> None:
        transport = Transport("smtputf8")
        message = to(name=name, email=address)
        transport.send_message(message)
        ((sender, recipients, data),) = transport.sent
        assert (sender, recipients) == ("training@acme.example", [address])
        assert data.replace(b"\r\n", b"\n") == bytes(message)
        assert b"\r" not in data.replace(b"\r\n", b"")

    def test_needs_a_server_that_knows_addresses_which_are_not_ascii(self) -> None:
        with pytest.raises(smtplib.SMTPNotSupportedError):
            Transport().send_message(to(email="jörg@example.org"))

    @given(texts(100))
    def test_has_lines_that_every_relay_takes(self, name: str) -> None:
        body = bytes(to(name=name)).partition(b"\n\n")[2]
        assert body.isascii()
        assert max(map(len, body.splitlines())) <= 78

    @pytest.mark.parametrize("name", ["Ada", "日" * 100])
    def test_is_quoted_printable_in_both_parts(self, name: str) -> None:
        ways = [part["Content-Transfer-Encoding"] for part in to(name=name).iter_parts()]
        assert ways == ["quoted-printable"] * 2

    def test_is_the_same_each_time_and_another_for_another(self) -> None:
        assert bytes(letter()) == bytes(letter())
        first, second = letter().get_boundary(), to(name="Bo").get_boundary()
        assert first != second
        assert bytes(letter()).count(f"--{first}".encode()) == 3


#: The elements of the HTML part, with the attributes that each may have.
OURS = {
    **dict.fromkeys(("html", "p", "ol", "li", "br", "strong"), ()),
    "body": ("dir",),
    "a": ("href",),
}


class Page(HTMLParser):
    """What a reader of the HTML part sees, and what it is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
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
            self.texts.append("")
        self.depth += tag != "br"

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag in OURS

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data

    def handle_comment(self, data: str) -> None:
        self.foreign.append(data)

    handle_pi = unknown_decl = handle_comment


def lines_of(texts: Sequence[str]) -> list[str]:
    return [line for text in texts for line in text.split("\n") if line.strip()]


def differences(message: EmailMessage) -> list[str]:
    """Return what the HTML part shows otherwise than the plain part, or has of its own."""
    page = Page(content(message, "html"))
    plain = [sub(r"^\d+\. ", "", line) for line in content(message, "plain").split("\n")]
    found = [f"has {one}" for one in page.foreign]
    found += [f"links to {one}" for one in page.links if one != LOGIN]
    if lines_of(page.texts) != lines_of(plain):
        found.append("reads otherwise")
    if page.depth:
        found.append("is not closed")
    return found


class TestBody:
    """Plain text, and an HTML alternative that is escaped."""

    @given(texts(), texts(), texts(), st.text("<>&\"'$a\n", max_size=20))
    @example("<script>alert(1)</script>", "</p><a href='//x'>", "&amp;", "<b>&lt;\n\"'")
    def test_reads_the_same_in_both_parts(
        self, name: str, course: str, organization: str, own: str
    ) -> None:
        message = letter(
            learner=attrs.evolve(ADA, name=name),
            course=attrs.evolve(PYTHON, name=course),
            organization=attrs.evolve(ACME, name=organization),
            template=ca.InvitationTemplate(signature=own.replace("$", "$$") + "<i>$course</i>"),
        )
        assert not differences(message)
        for text in (name, course, organization):
            assert text in content(message, "plain")

    @pytest.mark.parametrize("name", ["<script>alert(1)</script>", "</p></li>", "&lt;", "<!--x-->"])
    def test_would_not_if_nothing_were_escaped(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert not differences(to(name=name))
        monkeypatch.setattr(message, "escape", str)
        assert differences(to(name=name))

    @given(texts(100))
    def test_fills_nothing_in_twice(self, name: str) -> None:
        text = content(to(name=f"$course {name} ${{key}}"), "plain")
        assert text.startswith(f"Hello $course {name} ${{key}},\n")

    def test_is_worded_like_this(self) -> None:
        window = attrs.evolve(
            BATCH,
            redeemable_from=datetime(2026, 2, 1, tzinfo=UTC),
            redeemable_until=datetime(2026, 7, 1, tzinfo=UTC),
        )
        assert content(letter(batch=window), "plain").splitlines() == [
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

    def test_links_to_the_login_page_and_sets_the_key_off(self) -> None:
        html = content(letter(), "html")
        shown = LOGIN.replace("&", "&amp;")
        assert html.startswith('<!DOCTYPE html>\n<html>\n<body dir="auto">\n<p>Hello Ada,</p>\n<p>')
        assert f'<li>Open <a href="{shown}">{shown}</a></li>' in html
        assert "<br>\n<strong>0000-0000-0000-0001-2</strong><br>\n" in html

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_ends_lines_as_the_template_does(self, end: str) -> None:
        template = ca.InvitationTemplate(signature=f"One{end}Two{end}{end}Four")
        message = letter(template=template)
        assert content(message, "plain").endswith("\n\nOne\nTwo\n\nFour\n")
        assert "<p>One<br>\nTwo<br>\n<br>\nFour</p>" in content(message, "html")

    @pytest.mark.parametrize("which", ["new_account", "existing_account"])
    def test_leaves_out_missing_steps(self, which: str) -> None:
        above = getattr(ca.InvitationTemplate(), which)
        message = letter(template=worded(**{f"{which}_steps": []}))
        for kind in ("plain", "html"):
            assert above in content(letter(), kind)
            assert above not in content(message, kind)
        assert content(message, "html").count("<ol>") == 1

    def test_shows_a_hand_made_code_as_it_is(self) -> None:
        message = letter(key=attrs.evolve(KEY, code="<b>&'\"$key"))
        assert "\n<b>&'\"$key\n" in content(message, "plain")
        assert not differences(message)

    def test_does_not_ask_whether_the_key_is_good(self) -> None:
        bad = attrs.evolve(KEY, revoked_at=START, uses=1)
        decision = ca.KeyRedemptionPolicy().evaluate(bad, BATCH, ADA, at=START)
        assert {type(reason) for reason in decision.reasons} == {KeyRevoked, KeyExhausted}
        assert bytes(letter(key=bad)) == bytes(letter())

    def test_is_the_only_place_that_shows_the_code(self) -> None:
        head = bytes(letter()).partition(b"\n\n")[0].decode()
        for text in (repr(letter()), head):
            assert "0001" not in text


class TestDeadline:
    """The date when keys can no longer be redeemed, on the clocks of the organization."""

    @staticmethod
    def shown(until: datetime | None, zone: str = "UTC") -> list[str]:
        message = letter(
            batch=attrs.evolve(BATCH, redeemable_until=until),
            organization=attrs.evolve(ACME, time_zone=zone),
        )
        return findall("Redeem it before (.*)[.]", content(message, "plain"))

    def test_is_left_out_if_there_is_none(self) -> None:
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
        message = letter(
            batch=attrs.evolve(batch, redeemable_until=at),
            organization=attrs.evolve(ACME, time_zone=zone),
        )
        assert f"Redeem it before {shown}.\n" in content(message, "plain")


PARTS = [one.name for one in attrs.fields(ca.InvitationTemplate)]


def worded(**parts: Any) -> ca.InvitationTemplate:
    return ca.InvitationTemplate(**parts)


def with_part(part: str, text: str) -> ca.InvitationTemplate:
    return worded(**{part: [text] if part.endswith("_steps") else text})


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
    """A template takes a closed set of placeholders and never `str.format`."""

    @pytest.mark.parametrize("part", PARTS)
    @given(
        st.text("abcdeginoruklyt_K", min_size=1, max_size=8)
        | st.sampled_from(sorted(template.IN_VALID_FROM | template.IN_DEADLINE))
    )
    def test_takes_no_other_placeholder(self, part: str, name: str) -> None:
        for text in (f"$key $login ${name}", f"$key $login ${{{name}}}"):
            if part == "subject":
                text = text.removeprefix("$key $login ")  # noqa: PLW2901 - neither belongs there
            if name in known_in(part):
                assert getattr(with_part(part, text), part) in {text, (text,)}
            else:
                with pytest.raises(ca.InvalidInput) as caught:
                    with_part(part, text)
                assert caught.value.code == "invalid_placeholder"
                assert caught.value.field == path_of(part)
                assert caught.value.hint.startswith(f"unknown placeholder ${name}; use $course, ")

    @pytest.mark.parametrize("part", PARTS)
    @pytest.mark.parametrize(
        "text", ["$", "100 $", "$ key", "${key", "${}", "$1", "${key.code}", "${key!r}", "$é"]
    )
    def test_takes_no_dollar_sign_that_means_nothing(self, part: str, text: str) -> None:
        call = lambda: with_part(part, text)  # noqa: E731
        assert refusal(call) == ("invalid_placeholder", path_of(part))

    @pytest.mark.parametrize("part", PARTS)
    @pytest.mark.parametrize("text", ["", " \n", "\0", "\x1b[31m", "\ud800"])
    def test_refuses_a_blank_or_unreadable_part(self, part: str, text: str) -> None:
        code, field = refusal(lambda: with_part(part, text))
        assert (code in {"blank", "unprintable"}, field) == (True, path_of(part))

    @pytest.mark.parametrize("part", [part for part in PARTS if part.endswith("_steps")])
    @pytest.mark.parametrize("junk", [None, 5, "Open $login", b"x", {1: 1}.get])
    def test_takes_steps_as_a_list(self, part: str, junk: object) -> None:
        assert refusal(lambda: worded(**{part: junk})) == ("not_a_list", part)
        assert getattr(worded(**{part: iter(["One", "Two"])}), part) == ("One", "Two")

    def test_names_the_placeholder_shortened(self) -> None:
        with pytest.raises(ca.InvalidInput) as caught:
            ca.InvitationTemplate(signature="$" + "x" * 9_000)
        assert len(caught.value.hint) < 120

    @pytest.mark.parametrize("text", ["{0.__class__}", "%s %(key)s", "{learner}", "<% key %>"])
    def test_knows_no_other_language(self, text: str) -> None:
        template = ca.InvitationTemplate(greeting=text)
        assert content(letter(template=template), "plain").startswith(f"{text}\n")

    def test_writes_two_dollar_signs_as_one(self) -> None:
        template = ca.InvitationTemplate(subject="$$5 for ${learner}s", greeting="$$key")
        message = letter(template=template)
        assert message["Subject"] == "$5 for Adas"
        assert content(message, "plain").startswith("$key\n")

    @pytest.mark.parametrize(("name", "other"), [("key", "login"), ("login", "key")])
    def test_always_shows_the_key_and_the_login_page(self, name: str, other: str) -> None:
        silent: dict[str, Any] = {"new_account_steps": [], "existing_account_steps": []}
        # In what may be left out it does not count, nor as a dollar sign and a word.
        hidden = {
            **dict.fromkeys(["new_account", "valid_from", "deadline"], f"${name}"),
            "signature": f"$${name}",
        }
        call = lambda: worded(opening=f"${other}", **silent, **hidden)  # noqa: E731
        assert refusal(call) == ("missing", "opening")
        for part in ("greeting", "signature"):
            worded(opening=f"${other}", **{**silent, part: f"${name}"})
        worded(opening=f"${other}", new_account_steps=[f"${name}"], existing_account_steps=[])

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
    def test_shows_no_start_before_it_has_come(self, at: datetime, shown: str) -> None:
        message = letter(
            batch=attrs.evolve(BATCH, redeemable_from=at),
            organization=attrs.evolve(ACME, time_zone="UTC"),
        )
        assert f"\nIt works from {shown} on.\n" in content(message, "plain")

    def test_fills_every_placeholder_in(self) -> None:
        text = " ".join(f"${name}" for name in sorted(template.IN_DEADLINE))
        message = letter(
            batch=attrs.evolve(BATCH, redeemable_until=START + US),
            template=ca.InvitationTemplate(deadline=text),
        )
        line = f"Python 0000-0000-0000-0001-2 Ada {LOGIN} Acme 2026-01-05 10:00 Europe/Berlin"
        assert f"\n{line} (UTC+01:00)\n" in content(message, "plain")


class TestLoginPage:
    """A link to an http or https address, and to no other."""

    WRONG = (
        *("javascript:alert(1)", "JavaScript://x/%0aalert(1)", "data:text/html,x", "ftp://x/"),
        *("//learn.example", "learn.example", "https:learn.example", "https://", "https:///x"),
        *("https://a b/", "https://x/a b", "https://x/\u2028", "https://x/<b>", 'https://x/"a'),
        *("https://me@x/", "https://me:pw@x/", "https:\\\\x", "https://x\\@y", "https://?x"),
        *("https://#x", " https://x", "https://x ", "mailto:ada@x", "file:///etc/passwd"),
    )

    @pytest.mark.parametrize("address", WRONG)
    def test_is_no_other_address(self, address: str) -> None:
        assert refusal(lambda: letter(login_url=address)) == ("invalid_url", "login_url")

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
    def test_is_shown_as_it_was_given(self, address: str) -> None:
        message = letter(login_url=address)
        assert Page(content(message, "html")).links == [address, address]
        assert f"Open {address}\n" in content(message, "plain")

    @pytest.mark.parametrize(("length", "fits"), [(1999, True), (2000, True), (2001, False)])
    def test_has_at_most_2000_characters(self, length: int, *, fits: bool) -> None:
        address = "https://x/" + "y" * (length - 10)
        if fits:
            assert f"Open {address}\n" in content(letter(login_url=address), "plain")
        else:
            assert refusal(lambda: letter(login_url=address)) == ("too_long", "login_url")


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
    assert refusal(lambda: letter(**changes)) == ("another_record", field)


@pytest.mark.parametrize("name", [name for name in GIVEN if name != "sender_name"] + ["template"])
@pytest.mark.parametrize("junk", [None, 5, b"x", object(), [ADA]])
def test_what_is_of_the_wrong_kind_is_named(name: str, junk: object) -> None:
    code, field = refusal(lambda: letter(**{name: junk}))
    assert (code in {"wrong_type", "not_a_text"}, field) == (True, name)


def test_a_learner_of_another_organization_can_be_written_to() -> None:
    # Who may redeem is a rule (9), and rules are asked elsewhere.
    assert to(organization_id="beta")["To"] == "Ada <ada@example.org>"
