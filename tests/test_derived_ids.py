"""Ids made from what makes a record unique."""

from hashlib import sha256

from hypothesis import example, given
from hypothesis import strategies as st

from course_assignments.validation import derived_id

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
    assert derived_id(*given_parts) == sha256(bytes.fromhex(whole.decode())).hexdigest()


def test_an_id_stays_what_it_is_in_every_version() -> None:
    assert derived_id("claim", "ada", "py") == (
        "5b51c33aa096f431f62bc500f45df460a6e7ff3c882a1534714585caacc155d1"
    )


def test_an_id_that_is_not_length_prefixed_would_run_together() -> None:
    def glued(*words: str) -> str:
        return sha256("".join(words).encode()).hexdigest()

    assert glued("ab", "c") == glued("a", "bc")
    assert derived_id("ab", "c") != derived_id("a", "bc")
