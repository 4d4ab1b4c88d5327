"""Ids made from what makes a record unique."""

from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments.validation import derived_id
from tests.support.world import world

parts = st.lists(st.text("ab\0é", max_size=3), max_size=4)


@given(parts, parts)
@example(["ab", "c"], ["a", "bc"])
@example(["a", ""], ["a"])
@example(["a", "b"], ["b", "a"])
@example([], [""])
def test_two_lists_of_parts_have_the_same_id_only_if_they_are_the_same(
    one: list[str], other: list[str]
) -> None:
    assert (derived_id(*one) == derived_id(*other)) == (one == other)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4))
def test_an_id_is_a_sha_256_over_length_prefixed_parts(given_parts: list[str]) -> None:
    encoded = [part.encode("utf-8") for part in given_parts]
    whole = b"".join(b"%016x" % len(part) + part.hex().encode() for part in encoded)
    digest = sha256(bytes.fromhex(whole.decode())).hexdigest()
    assert derived_id(*given_parts) == f"derived-{digest}"


def test_an_id_stays_what_it_is_in_every_version() -> None:
    assert derived_id("claim", "ada", "py") == (
        "derived-5b51c33aa096f431f62bc500f45df460a6e7ff3c882a1534714585caacc155d1"
    )


def test_an_id_that_is_not_length_prefixed_would_run_together() -> None:
    def glued(*words: str) -> str:
        return sha256("".join(words).encode()).hexdigest()

    assert glued("ab", "c") == glued("a", "bc")
    assert derived_id("ab", "c") != derived_id("a", "bc")


def test_no_one_can_take_an_id_that_a_command_derives() -> None:
    """An assignment under the id of the next opening would block `open_course`."""
    registrar, _ = world()
    subscription = registrar.subscribe(["py"], "ada", duration=ca.Months(1))
    wanted = subscription.next_assignment_id("py")
    calls: list[Callable[[], object]] = [
        lambda: registrar.assign("py", "bo", id=wanted),
        lambda: registrar.assign_many(["py"], ["bo"], id=wanted),
        lambda: registrar.subscribe(["py"], "bo", duration=ca.Months(1), id="derived-1"),
        lambda: ca.Registrar(registrar.repository, new_id=lambda: wanted).assign("py", "bo"),
    ]
    for call, field in zip(calls, ["id", "id", "id", "new_id"], strict=True):
        with pytest.raises(ca.InvalidInput) as caught:
            call()
        assert (caught.value.code, caught.value.field) == ("reserved_id", field)
    assert registrar.open_course(subscription.id, "py").id == wanted
