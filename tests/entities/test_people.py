"""Users: their sets, and when two e-mail addresses are the same."""

from typing import Any
from unicodedata import normalize

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course_assignments import Role, User
from course_assignments.entities.people import fold_email
from tests.support.values import assert_is_value, refusal

ADA = User(id="ada", name="Ada", email="ada@example.org")


@given(st.lists(st.sampled_from(Role)), st.lists(st.sampled_from(["acme", "beta"])))
def test_roles_and_managed_organizations_become_sets(roles: list[Role], managed: list[str]) -> None:
    kinds: tuple[Any, ...] = (list, tuple, set, frozenset, iter)
    for kind in kinds:
        user = attrs.evolve(ADA, roles=kind(roles), managed_organization_ids=kind(managed))
        assert user.roles == frozenset(roles)
        assert user.managed_organization_ids == frozenset(managed)
        assert isinstance(user.roles, frozenset)
        assert isinstance(user.managed_organization_ids, frozenset)
        assert_is_value(user)


@pytest.mark.parametrize(
    "email", ["a@b", "ada+x@example.org", "ädä@exämple.org", "ada@" + "a." * 124 + "aa", "'o@b"]
)
def test_an_address_is_stored_unchanged(email: str) -> None:
    assert attrs.evolve(ADA, email=email).email == email


class TestLengths:
    """64 octets, an @, and a domain with 63 characters between its dots and 253 in all."""

    # In the domain name system, 57 times "\u00e4" is "xn--" and 59 characters: the first needs
    # 3 digits, each further one a single digit. Once it is "xn--4ca".
    @pytest.mark.parametrize(
        ("longest", "longer", "words"),
        [
            ("a" * 64 + "@x", "a" * 65 + "@x", "64 octets before the @, got 65"),
            ("\u00e4" * 32 + "@x", "\u00e4" * 32 + "a@x", "64 octets before the @, got 65"),
            ("a@" + "b" * 63 + ".c", "a@" + "b" * 64 + ".c", "63 ASCII characters between"),
            ("a@x." + "b" * 63, "a@x." + "b" * 64, "63 ASCII characters between"),
            ("a@" + "\u00e4" * 57, "a@" + "\u00e4" * 58, "63 ASCII characters between"),
            ("a@" + "\uff42" * 63, "a@" + "\uff42" * 64, "63 ASCII characters between"),
            (
                "a@" + "\u00e4." * 31 + "bbbbb",
                "a@" + "\u00e4." * 31 + "bbbbbb",
                "253 ASCII characters in the domain, got 254",
            ),
        ],
    )
    def test_are_those_of_mail_servers(self, longest: str, longer: str, words: str) -> None:
        assert attrs.evolve(ADA, email=longest).email == longest
        error = refusal(lambda: attrs.evolve(ADA, email=longer))
        assert (error.code, error.field) == ("too_long", "email")
        assert words in error.hint

    def test_of_a_long_label_is_told_without_encoding_it(self) -> None:
        label = "".join(map(chr, range(0x4E00, 0x4E00 + 250)))
        assert refusal(lambda: attrs.evolve(ADA, email=f"a@{label}")).hint.endswith("got 250")


class TestSameAddress:
    """Addresses are compared after NFC and case folding; they are unique."""

    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            ("ada@example.org", "ADA@Example.ORG", True),
            ("\u00e4da@example.org", "a\u0308DA@example.org", True),
            ("\u00c4da@example.org", "a\u0308da@example.org", True),
            ("strasse@example.org", "Stra\u00dfe@example.org", True),
            ("\u212bda@example.org", "\u00e5da@example.org", True),
            ("ada@example.org", "\u00e4da@example.org", False),
            ("ada@example.org", "ada+1@example.org", False),
            ("a.da@example.org", "ada@example.org", False),
            # NFC is not NFKC: a look-alike is another address.
            ("ada@example.org", "\uff41da@example.org", False),
        ],
    )
    def test_differs_only_in_case_or_composition(self, one: str, other: str, *, same: bool) -> None:
        folded = [attrs.evolve(ADA, email=email).folded_email for email in (one, other)]
        assert (folded[0] == folded[1]) == same
        assert folded == [fold_email(one), fold_email(other)]

    @given(st.text())
    @example("\u0130")
    @example("\u01f0")
    @example("\u1e9e\u0345\u0313")
    def test_has_one_folded_form(self, email: str) -> None:
        folded = fold_email(email)
        assert fold_email(folded) == folded
        assert fold_email(normalize("NFD", email)) == folded
        assert fold_email(normalize("NFC", email)) == folded
        assert normalize("NFC", folded) == folded

    @given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7F)))
    def test_of_ascii_characters_differs_only_in_case(self, email: str) -> None:
        assert fold_email(email) == fold_email(email.upper()) == email.lower()


@pytest.mark.parametrize("junk", [None, 12, b"ada@example.org"])
def test_only_a_string_is_an_address(junk: Any) -> None:
    error = refusal(lambda: fold_email(junk))
    assert (error.code, error.field) == ("not_a_text", "email")
