"""Rules for training keys: making, editing, revoking and redeeming them."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from course_assignments.entities.keys import KeyBatch
from course_assignments.testing import strategies
from course_assignments.testing.agreement.offices import (
    ACTORS,
    COURSES,
    IDS,
    LEARNERS,
    PICKS,
    TERMS,
    FromNow,
)
from course_assignments.testing.agreement.rosters import NEWCOMERS, Rosters
from course_assignments.testing.stock import DAY, HOUR
from course_assignments.time.durations import Months

CODES = st.lists(
    st.sampled_from(["Spring-2026", "spring-2026", " Summer-2026 ", ""]) | strategies.codes(),
    max_size=2,
    unique=True,
)
#: When a window of redemption opens and closes.
OPENS = st.none() | st.sampled_from([FromNow(-DAY), FromNow(HOUR)])
CLOSES = st.none() | st.sampled_from([FromNow(2 * HOUR), FromNow(20 * DAY), Months(1)])
USES = st.sampled_from([None, 1, 2, 2, 3])
#: How a code is typed: as it is, in other letters, with something around it, or wrong.
HANDS = st.sampled_from([str, str, str, str.lower, "  {}\n".format, "{}x".format])


class Keyrings(Rosters):
    """Hands out keys and takes them."""

    @rule(
        course_id=COURSES,
        name=strategies.names(),
        organization_id=st.sampled_from(["acme", "acme", "beta", "nowhere"]),
        availability=TERMS,
        redeemable_from=OPENS,
        redeemable_until=CLOSES,
        max_uses=USES,
        any_organization=st.booleans(),
        codes=CODES,
        generate=st.integers(0, 2),
        id=IDS,
        by=ACTORS,
    )
    def create_keys(
        self, *, course_id: str, redeemable_from: Any, redeemable_until: Any, **terms: Any
    ) -> None:
        """Make a batch of keys."""
        window = {
            "redeemable_from": self.at(redeemable_from),
            "redeemable_until": self.at(redeemable_until),
        }
        self.do("create_keys", course_id, **window, **terms)

    @rule(pick=PICKS, codes=CODES, generate=st.integers(0, 2), id=IDS, by=ACTORS)
    def add_keys(self, *, pick: int, **options: Any) -> None:
        """Add keys to a batch."""
        self.do("add_keys", self.pick(KeyBatch, pick), **options)

    @rule(
        pick=PICKS,
        terms=st.fixed_dictionaries(
            {},
            optional={
                "name": strategies.names(),
                "redeemable_from": OPENS,
                "redeemable_until": CLOSES,
                "max_uses": USES,
                "availability": TERMS,
                "any_organization": st.booleans(),
            },
        ),
        by=ACTORS,
    )
    def edit_keys(self, *, pick: int, terms: dict[str, Any], by: str | None) -> None:
        """Edit the terms of a batch and of all keys in it."""
        known = {name: self.at(term) for name, term in terms.items()}
        self.do("edit_keys", self.pick(KeyBatch, pick), **known, by=by)

    @rule(pick=PICKS, hand=HANDS | st.none(), by=ACTORS)
    def revoke(self, *, pick: int, hand: Callable[[str], str] | None, by: str | None) -> None:
        """Call one key back, or all keys of a batch."""
        if hand is None:
            self.do("revoke_keys", self.pick(KeyBatch, pick), by=by)
        else:
            self.do("revoke_key", self.code(pick, hand), by=by)

    @rule(pick=PICKS, hand=HANDS, learner_id=LEARNERS, id=IDS, by=ACTORS)
    def redeem(
        self, *, pick: int, hand: Callable[[str], str], learner_id: str, **options: Any
    ) -> None:
        """Redeem a key as someone who is known."""
        self.do("redeem", self.code(pick, hand), learner_id, **options)

    @rule(pick=PICKS, hand=HANDS, user=NEWCOMERS | strategies.users(), id=IDS, by=ACTORS)
    def register(self, *, pick: int, hand: Callable[[str], str], user: Any, **options: Any) -> None:
        """Register with a key."""
        self.do("register", self.code(pick, hand), user, **options)
