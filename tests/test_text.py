"""What people type and paste: every character that cannot be seen, at every place."""

from collections.abc import Callable
from email import message_from_string
from email.policy import default
from sys import maxunicode
from typing import Any
from unicodedata import category, name, normalize

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments import codes
from course_assignments.text import clean, describe, drop_unseen, find_unseen, fold_text
from tests.support.values import refusal
from tests.support.world import ADA, START

#: Default_Ignorable_Code_Point, from DerivedCoreProperties.txt of Unicode.
IGNORABLE = {
    *(0x00AD, 0x034F, 0x061C, 0x3164, 0xFEFF, 0xFFA0),
    *range(0x115F, 0x1161),
    *range(0x17B4, 0x17B6),
    *range(0x180B, 0x1810),
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xFE00, 0xFE10),
    *range(0xFFF0, 0xFFF9),
    *range(0x1BCA0, 0x1BCA4),
    *range(0x1D173, 0x1D17B),
    *range(0xE0000, 0xE1000),
}
EVERY = [*map(chr, range(maxunicode + 1))]
#: The fillers that show nothing; the "gap fillers" of some scripts are marks.
FILLERS = {
    char
    for char in EVERY
    if name(char, "").endswith("FILLER") and ("HANGUL" in name(char) or "KHITAN" in name(char))
}
#: What Unicode calls format, filler or default-ignorable, and the blank of Braille.
UNSEEN = sorted(
    {char for char in EVERY if category(char) == "Cf"} | FILLERS | {*map(chr, IGNORABLE), "\u2800"}
)
#: The property Dash, from PropList.txt of Unicode, without the category Pd.
OTHER_DASHES = "\u2053\u207b\u208b\u2212"
DASHES = [char for char in EVERY if category(char) == "Pd"] + [*OTHER_DASHES]


def places(text: str, char: str) -> list[str]:
    """Return *text* with *char* at its start, in its middle and at its end."""
    middle = len(text) // 2
    return [char + text, text[:middle] + char + text[middle:], text + char]


class TestUnseen:
    def test_are_format_characters_fillers_and_default_ignorable_ones(self) -> None:
        assert len(UNSEEN) > 4000
        # Python 3.11 does not know all of them as format characters yet.
        later = {*map(chr, range(0x13430, 0x13440)), "\U00016fe4"}
        found = {char for char in EVERY if find_unseen(char) == char}
        assert set(UNSEEN) <= found <= {*UNSEEN, *later, *map(chr, range(0xFFF9, 0xFFFC))}
        assert drop_unseen("".join(UNSEEN)) == ""

    @pytest.mark.parametrize(
        ("make", "text"),
        [
            (lambda text: attrs.evolve(ADA, email=text), "ada@example.org"),
            (lambda text: attrs.evolve(ADA, id=text), "ada"),
            (lambda text: attrs.evolve(ADA, organization_id=text), "acme"),
            (lambda text: attrs.evolve(ADA, managed_organization_ids=[text]), "acme"),
            (lambda text: ca.AssignmentQuery(learner_id=text), "ada"),
        ],
    )
    def test_are_refused_in_ids_and_addresses_by_their_names(self, make: Any, text: str) -> None:
        make(text)
        for char in UNSEEN:
            for changed in places(text, char):
                error = refusal(lambda changed=changed: make(changed))  # type: ignore[misc]
                assert error.code == "invisible_character", ascii(changed)
                assert error.hint.startswith(f"remove {name(char, '') or 'U+'}")
                assert f"U+{ord(char):04X}" in error.hint

    def test_are_kept_in_names_and_notes_and_ignored_in_a_search(self) -> None:
        for char in UNSEEN:
            for changed in places("Ada Lovelace", char):
                user = attrs.evolve(ADA, name=changed)
                assert user.name == changed
                for query in (changed, "lovelace", f"ADA{char}"):
                    assert ca.UserQuery(name=query).matches(user)
                assert ca.Note(title=changed, message=changed).message == changed

    def test_are_dropped_in_codes_and_in_the_search_for_an_address(self) -> None:
        key = ca.TrainingKey(id="k-1", code="Spring-2026", batch_id="spring")
        made = attrs.evolve(key, code="00000000000000012")
        for char in UNSEEN:
            for changed in places("Spring-2026", char):
                assert ca.KeyQuery(code=changed).matches(key)
                assert [*ca.read_codes([changed])] == ["Spring-2026"]
            for changed in places("0000-0000-0000-0001-2", char):
                assert ca.KeyQuery(codes=[changed]).matches(made)
            for changed in places(ADA.email, char):
                assert ca.UserQuery(email=changed).matches(ADA)

    @pytest.mark.parametrize(
        ("make", "field"),
        [
            (lambda text: attrs.evolve(ADA, id=text), "id"),
            (lambda text: attrs.evolve(ADA, name=text), "name"),
            (lambda text: attrs.evolve(ADA, email=text), "email"),
            (lambda text: ca.Note(title=text, message="x"), "title"),
            (lambda text: ca.Note(title="x", message=text), "message"),
            (lambda text: ca.commands.Cancel("a-1", support_reason=text), "support_reason"),
            (lambda text: ca.UserQuery(name=text), "name"),
            (lambda text: ca.UserQuery(email=text), "email"),
            (lambda text: ca.CourseQuery(name=text), "name"),
            (lambda text: ca.BatchQuery(name=text), "name"),
        ],
    )
    def test_alone_are_blank(self, make: Any, field: str) -> None:
        for text in (*UNSEEN, "".join(UNSEEN[:50]), " \u200b\u00a0", "\u00ad \u3164"):
            error = refusal(lambda text=text: make(text))  # type: ignore[misc]
            assert (error.code, error.field) == ("blank", field), ascii(text)

    @pytest.mark.parametrize(
        ("text", "first"),
        [
            ("\u200b\u00ad", "ZERO WIDTH SPACE (U+200B)"),
            ("\u00a0\u200b", "NO-BREAK SPACE (U+00A0)"),
            ("\U000e0fff", "U+E0FFF"),
            (" ", "SPACE (U+0020)"),
        ],
    )
    def test_alone_are_told_by_the_first(self, text: str, first: str) -> None:
        expected = "expected a string that shows something, got only what cannot be seen: first"
        for field, call in (
            ("name", lambda: attrs.evolve(ADA, name=text)),
            ("title", lambda: ca.Note(title=text, message="x")),
            ("message", lambda: ca.Note(title="x", message=text)),
            ("support_reason", lambda: ca.commands.Cancel("a-1", support_reason=text)),
        ):
            error = refusal(call)
            assert (error.field, error.hint) == (field, f"{expected} {first}")


class TestOuterWhiteSpace:
    SPACES = tuple(char for char in EVERY if char.isspace() and category(char) != "Cc")

    def test_is_refused_in_ids_names_and_addresses_by_its_name(self) -> None:
        assert "\u00a0" in self.SPACES
        for space in self.SPACES:
            for before, after in (
                (space, ""),
                ("", space),
                (f"\u200b{space}", ""),
                (space, "\u00ad"),
            ):
                for field, text in (("id", "ada"), ("name", "Ada"), ("email", "ada@example.org")):
                    changed = {field: f"{before}{text}{after}"}
                    error = refusal(lambda changed=changed: attrs.evolve(ADA, **changed))  # type: ignore[misc]
                    assert (error.code, error.field) == ("outer_white_space", field)
                    assert f"remove {name(space)}" in error.hint

    def test_is_kept_around_a_message(self) -> None:
        for space in (*self.SPACES, "\n", "\r\n", "\t"):
            text = f"{space}Paid until June.{space}"
            assert ca.Note(title="Renewal", message=text).message == text

    def test_inside_counts_as_one_space_in_a_search(self) -> None:
        for space in self.SPACES:
            user = attrs.evolve(ADA, name=f"Ada{space}Lovelace")
            for typed in ("ada lovelace", "a  l", f"{space}ada{space} {space}LOVE", "\tada\nl"):
                assert ca.UserQuery(name=typed).matches(user)
            assert not ca.UserQuery(name="adalovelace").matches(user)


class TestAddresses:
    """An address is what a letter can be sent to."""

    @pytest.mark.parametrize(
        ("email", "what"),
        [
            ("ada@example.org;", "SEMICOLON"),
            ("<ada@example.org>", "LESS-THAN SIGN"),
            ("ada@example.org>", "GREATER-THAN SIGN"),
            ("mailto:ada@example.org", "COLON"),
            ('"ada"@example.org', "QUOTATION MARK"),
            ("'ada@example.org'", "APOSTROPHE"),
            ("ada@example.org.", "FULL STOP"),
            (".ada@example.org", "FULL STOP"),
            ("ada..l@example.org", "FULL STOP"),
            ("ada@example.org,bo@example.org", "COMMA"),
            ("ada@bo@example.org", "COMMERCIAL AT"),
            ("ada lovelace@example.org", "SPACE"),
            ("ada@exam\u00a0ple.org", "NO-BREAK SPACE"),
            ("ada\uff0cbo@example.org", "FULLWIDTH COMMA"),
            ("ada@example.org\uff1b", "FULLWIDTH SEMICOLON"),
            ("a=?b@example.org", "EQUALS SIGN"),
            ("\u2018ada@example.org\u2019", "LEFT SINGLE QUOTATION MARK"),
            ("ada@example.org\u2019", "RIGHT SINGLE QUOTATION MARK"),
            ("o\u2019neil@example.org", "RIGHT SINGLE QUOTATION MARK"),
            ("\u201cada@example.org\u201d", "LEFT DOUBLE QUOTATION MARK"),
            ("ada@example.org\u201d", "RIGHT DOUBLE QUOTATION MARK"),
            ("\u2022ada@example.org", "BULLET"),
            ("\u25aaada@example.org", "BLACK SMALL SQUARE"),
            ("\u00b7ada@example.org", "MIDDLE DOT"),
            ("ada@example\u3002org", "IDEOGRAPHIC FULL STOP"),
            ("ada@example\uff0eorg", "FULLWIDTH FULL STOP"),
            ("ada@example\uff61org", "HALFWIDTH IDEOGRAPHIC FULL STOP"),
            ("ada.l\uff61@example.org", "HALFWIDTH IDEOGRAPHIC FULL STOP"),
            ("ada@example.org\uff0c", "FULLWIDTH COMMA"),
            ("ada@example.org\u3001", "IDEOGRAPHIC COMMA"),
            ("ada\u2474@example.org", "PARENTHESIZED DIGIT ONE"),
            ("Ada <ada@example.org>", "SPACE"),
        ],
    )
    def test_name_the_character_that_does_not_fit(self, email: str, what: str) -> None:
        error = refusal(lambda: attrs.evolve(ADA, email=email))
        assert (error.code, error.field) == ("invalid_email", "email")
        assert f"remove {what} (U+" in error.hint

    @pytest.mark.parametrize("email", ["ada", "ada@", "example.org"])
    def test_are_complete(self, email: str) -> None:
        error = refusal(lambda: attrs.evolve(ADA, email=email))
        assert (error.code, error.field) == ("invalid_email", "email")
        assert error.hint.startswith("expected the address alone, such as ada@example.org, got str")

    @pytest.mark.parametrize(
        "email",
        [
            *(
                "\u0930\u093e\u092e@\u0909\u0926\u093e\u0939\u0930\u0923.example",
                "\u7528\u6237@\u4f8b.example",
            ),
            *("ada@col\u00b7lega.example", "ada@\u30a2\u30fb\u30a4.example", "e\u0301@example.org"),
        ],
    )
    def test_have_the_letters_of_every_script(self, email: str) -> None:
        assert attrs.evolve(ADA, email=email).email == email

    @given(
        st.text(
            st.sampled_from(
                "ab1.@-_'+=?;<>`|\u00a0\u200b\uff0c\u00e4\u2019\u2022\u3002\uff0e\u0301\u2488 "
            ),
            max_size=12,
        )
        | st.builds(
            "{}@{}".format,
            st.text("a\u00e4.", min_size=30, max_size=70),
            st.text("b\u4f8b\uff42.", min_size=1, max_size=200),
        )
    )
    @example("a.b@c.d")
    @example("a" * 64 + "@" + "b." * 94 + "c")
    @example("\u4f8b" * 21 + "@" + "\u4f8b." * 22 + "c")
    def test_that_a_user_has_can_be_sent_to(self, email: str) -> None:
        """One notion for both."""
        arguments: dict[str, Any] = {
            "course": ca.Course(id="py", name="Python"),
            "batch": ca.KeyBatch(
                id="b",
                name="B",
                course_id="py",
                organization_id="acme",
                created_at=START,
                availability=ca.Months(1),
            ),
            "organization": ca.Organization(id="acme", name="Acme"),
            "login_url": "https://learn.example",
        }
        key = ca.TrainingKey(id="k-1", code="Spring-2026", batch_id="b")
        try:
            user = attrs.evolve(ADA, email=email)
        except ca.InvalidInput:
            refusal(lambda: ca.invitation(key, ADA, sender=email, **arguments))
        else:
            message = ca.invitation(key, user, sender=email, **arguments)
            assert f"<{email}>" in str(message)
            read = message_from_string(bytes(message).decode(), policy=default)
            for header in ("From", "To"):
                assert [box.addr_spec for box in read[header].addresses] == [email]


class TestCodes:
    def test_have_dashes_of_any_kind(self) -> None:
        for dash in DASHES:
            assert clean(f"Spring{dash}2026") == "Spring-2026"
            assert codes.fold(f"0000{dash}0000{dash}0000{dash}0001{dash}2") == "00000000000000012"

    def test_may_be_full_width(self) -> None:
        for point in range(0x21, 0x7F):
            assert clean(f"Ab{chr(point + 0xFEE0)}") == f"Ab{chr(point)}"

    @given(st.text())
    def test_are_cleaned_once(self, typed: str) -> None:
        assert clean(clean(typed)) == clean(typed)

    @given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E)))
    def test_in_ascii_are_clean(self, typed: str) -> None:
        assert clean(typed) == typed


class TestFolding:
    @given(st.text())
    @example("\u1e9e\u0345\u0313")
    @example("\u0315\u034f\u0300")
    def test_has_one_form(self, text: str) -> None:
        folded = fold_text(text)
        assert fold_text(folded) == folded
        assert fold_text(normalize("NFD", text)) == folded
        assert folded == folded.strip()
        assert find_unseen(folded) is None

    @pytest.mark.parametrize("mark", ["a", "\u0315\u0300", "\U0001f600", " ", "\u200b"])
    def test_looks_at_the_length_first(self, mark: str) -> None:
        """Composing the marks of one letter takes time in proportion to the square of them."""
        text = mark * 200_000
        queries: list[Any] = [
            lambda: ca.UserQuery(name=text),
            lambda: ca.UserQuery(email=text),
            lambda: ca.CourseQuery(name=text),
            lambda: ca.OrganizationQuery(name=text),
            lambda: ca.BatchQuery(name=text),
            lambda: fold_text(text),
        ]
        for query in queries:
            assert refusal(query).code == "too_long"

    @pytest.mark.parametrize("junk", [None, 7, b"ada"])
    def test_is_of_strings(self, junk: Any) -> None:
        error = refusal(lambda: fold_text(junk, "name"))
        assert (error.code, error.field) == ("not_a_text", "name")


@pytest.mark.parametrize(
    ("char", "shown"),
    [
        (";", "SEMICOLON (U+003B)"),
        ("\x07", "U+0007"),
        ("\ud800", "U+D800"),
        ("\U000e0fff", "U+E0FFF"),
    ],
)
def test_a_character_is_described_by_its_name_or_its_number(char: str, shown: str) -> None:
    assert describe(char) == shown


@pytest.mark.parametrize("function", [clean, drop_unseen, fold_text])
@pytest.mark.parametrize("value", [7, None, b"Spring-2026"])
def test_what_is_no_string_is_refused(function: Callable[[Any], str], value: Any) -> None:
    assert refusal(lambda: function(value)).code == "not_a_text"
