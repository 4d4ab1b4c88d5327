"""Users: what they keep, what they refuse, and when two e-mail addresses are the same."""

from typing import Any
from unicodedata import normalize

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course_assignments import Permission, Role, User
from course_assignments.entities.people import fold_email
from tests.support.strategies import users
from tests.support.values import assert_is_value, refusal

ADA = User(id="ada", name="Ada", email="ada@example.org")


@given(users())
def test_a_user_is_a_value(user: User) -> None:
    assert_is_value(user)


def test_what_is_not_said_is_left_empty() -> None:
    assert attrs.asdict(ADA) == {
        "id": "ada",
        "name": "Ada",
        "email": "ada@example.org",
        "organization_id": None,
        "roles": frozenset(),
        "managed_organization_ids": frozenset(),
    }


@given(st.lists(st.sampled_from(Role)), st.lists(st.sampled_from(["acme", "beta"])))
def test_roles_and_managed_organizations_are_sets_whatever_they_were_given_as(
    roles: list[Role], managed: list[str]
) -> None:
    kinds: tuple[Any, ...] = (list, tuple, set, frozenset, iter)
    for kind in kinds:
        user = attrs.evolve(ADA, roles=kind(roles), managed_organization_ids=kind(managed))
        assert user.roles == frozenset(roles)
        assert user.managed_organization_ids == frozenset(managed)
        assert isinstance(user.roles, frozenset)
        assert isinstance(user.managed_organization_ids, frozenset)
        assert_is_value(user)


@pytest.mark.parametrize(
    ("field", "value", "path", "code"),
    [
        ("id", "", "id", "blank"),
        ("id", "a" * 201, "id", "too_long"),
        ("id", None, "id", "not_a_text"),
        ("name", " ", "name", "blank"),
        ("name", "a" * 501, "name", "too_long"),
        ("name", "Ada\0", "name", "unprintable"),
        ("email", "", "email", "blank"),
        ("email", None, "email", "not_a_text"),
        ("email", "ada", "email", "invalid_email"),
        ("email", "@example.org", "email", "invalid_email"),
        ("email", "ada@", "email", "invalid_email"),
        ("email", "ada@b@example.org", "email", "invalid_email"),
        ("email", "ada b@example.org", "email", "invalid_email"),
        ("email", " ada@example.org", "email", "invalid_email"),
        ("email", "ada@example.org\u00a0", "email", "invalid_email"),
        ("email", "ada@example.org\n", "email", "unprintable"),
        ("email", "ada@" + "a" * 251, "email", "too_long"),
        ("organization_id", "", "organization_id", "blank"),
        ("organization_id", 5, "organization_id", "not_a_text"),
        ("roles", "support", "roles", "not_a_list"),
        ("roles", None, "roles", "not_a_list"),
        ("roles", ["support"], "roles[0]", "wrong_type"),
        ("roles", [[]], "roles", "not_a_list"),
        ("managed_organization_ids", "acme", "managed_organization_ids", "not_a_list"),
        ("managed_organization_ids", None, "managed_organization_ids", "not_a_list"),
        ("managed_organization_ids", [""], "managed_organization_ids", "blank"),
        ("managed_organization_ids", [5], "managed_organization_ids", "not_a_text"),
    ],
)
def test_a_field_out_of_bounds_is_refused_by_its_name(
    field: str, value: Any, path: str, code: str
) -> None:
    changed: dict[str, Any] = {field: value}
    error = refusal(lambda: attrs.evolve(ADA, **changed))
    assert (error.code, error.field) == (code, path)


@pytest.mark.parametrize(
    "email", ["a@b", "ada+x@example.org", "ädä@exämple.org", "ada@" + "a" * 250, "'o@b"]
)
def test_an_address_is_kept_as_it_was_given(email: str) -> None:
    assert attrs.evolve(ADA, email=email).email == email


class TestSameAddress:
    """The e-mail is compared NFC and casefolded, the only unique field beside ids."""

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
            # NFC is not NFKC: what only looks alike is another address.
            ("ada@example.org", "\uff41da@example.org", False),
        ],
    )
    def test_is_one_that_differs_in_case_or_in_how_it_is_composed(
        self, one: str, other: str, *, same: bool
    ) -> None:
        folded = [attrs.evolve(ADA, email=email).folded_email for email in (one, other)]
        assert (folded[0] == folded[1]) == same
        assert folded == [fold_email(one), fold_email(other)]

    @given(st.text())
    @example("\u0130")
    @example("\u01f0")
    @example("\u1e9e\u0345\u0313")
    def test_is_found_however_it_is_composed_and_folding_twice_adds_nothing(
        self, email: str
    ) -> None:
        folded = fold_email(email)
        assert fold_email(folded) == folded
        assert fold_email(normalize("NFD", email)) == folded
        assert fold_email(normalize("NFC", email)) == folded
        assert normalize("NFC", folded) == folded

    @given(st.text(st.characters(max_codepoint=0x7F)))
    def test_of_ascii_characters_differs_only_in_case(self, email: str) -> None:
        assert fold_email(email) == fold_email(email.upper()) == email.lower()


def test_the_words_for_roles_and_permissions_are_these() -> None:
    assert {role.name: role.value for role in Role} == {
        "COMPANY_TRAINING_MANAGER": "company_training_manager",
        "ENROLLMENT_MANAGER": "enrollment_manager",
        "OPERATIONS_MANAGER": "operations_manager",
        "SALES_MANAGER": "sales_manager",
        "SUPPORT": "support",
    }
    assert {permission.name: permission.value for permission in Permission} == {
        "ASSIGN_COURSES": "assign_courses",
        "MANAGE_KEYS": "manage_keys",
        "SUPPORT": "support",
    }


@pytest.mark.parametrize("junk", [None, 12, b"ada@example.org"])
def test_only_a_string_is_an_address(junk: Any) -> None:
    error = refusal(lambda: fold_email(junk))
    assert (error.code, error.field) == ("not_a_text", "email")
