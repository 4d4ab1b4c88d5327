"""The kit for repositories: the reference repository keeps its contract, careless ones do not."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from threading import Lock, Thread
from typing import TypeAlias

import pytest

from course_assignments import Conflict, InMemoryRepository, Refused, Repository
from course_assignments.changes import Change
from course_assignments.testing import RepositoryContract
from course_assignments.testing.contract.threads import THREADS
from course_assignments.testing.threads import TIMEOUT
from tests.support import broken, races

Make: TypeAlias = Callable[[], Repository]


class TestInMemory(RepositoryContract):
    def make(self) -> Repository:
        return InMemoryRepository()


class Fails(InMemoryRepository):
    """Raises what a driver does, to the first who uses a key."""

    def __init__(self) -> None:
        super().__init__()
        self._is_first = Lock()

    def commit(self, change: Change, /) -> None:
        if change.use and self._is_first.acquire(blocking=False):
            raise OSError("database is locked")
        super().commit(change)


def test_nobody_waits_for_one_that_failed() -> None:
    """A crowd that meets a fault is told of the fault, and at once."""
    told: list[BaseException] = []

    def run() -> None:
        contract = TestInMemory()
        try:
            contract.test_a_key_is_used_as_often_as_it_may(Fails())
        except BaseException as error:  # noqa: BLE001 - looked at below
            told.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(TIMEOUT / 4)
    assert [type(error) for error in told] == [OSError]


class TestWithForeignKeys(RepositoryContract):
    """What the examples store is whole: a storage with foreign keys takes it."""

    def make(self) -> Repository:
        return broken.WithForeignKeys()


def rewriting(rewrite: broken.Rewrite) -> Make:
    return partial(broken.Rewriting, rewrite)


def answering(answer: broken.Answer) -> Make:
    return partial(broken.Answering, answer)


def fitting(fits: broken.Fits) -> Make:
    return partial(broken.Searching, fits)


def placing(place: broken.Place) -> Make:
    return partial(broken.Searching, place=place)


def naming(ids: broken.Ids) -> Make:
    return partial(broken.Naming, ids)


#: The tests of the contract, each with faults that it finds.
FAULTS: dict[str, dict[str, Make]] = {
    "test_a_taken_id_is_lost": {
        "what is created overwrites": races.careless(races.overwrites),
        "a conflict names nothing": naming(broken.no_ids),
        "a conflict tells a code": naming(broken.codes_too),
    },
    "test_ids_are_exact": {
        "ids are blind for case": broken.CaseBlind,
        "ids are trimmed": rewriting(broken.trimmed),
        "ids are composed": rewriting(broken.composed),
    },
    "test_a_taken_address_is_lost": {
        "addresses are not unique": races.EmailBlind,
        "addresses differ by case": broken.CaseSensitiveEmail,
    },
    "test_two_newcomers_with_one_address_are_lost": {
        "addresses of newcomers differ by case": broken.CaseSensitiveEmail,
    },
    "test_a_key_whose_code_is_taken_is_lost": {
        "codes are not unique": broken.CodesUnchecked,
    },
    "test_two_new_keys_with_one_code_in_one_change_are_lost": {
        "codes of new keys are not unique": broken.CodesUnchecked,
    },
    "test_a_change_of_an_older_value_is_lost": {
        "the last to replace wins": races.careless(races.compares_nothing),
    },
    "test_replacing_an_unknown_record_is_lost": {
        "replacing makes what is not there": broken.Upserting,
    },
    "test_an_address_that_was_given_up_is_free": {
        "addresses that were given up are held": broken.Hoarding,
    },
    "test_ones_own_address_is_free": {
        "one's own address is taken": broken.SelfTaken,
    },
    "test_a_different_or_missing_record_is_lost": {
        "nothing is expected": races.careless(races.expects_nothing),
    },
    "test_records_before_the_change_are_compared": {
        "the outcome is expected": broken.ExpectsTheOutcome,
    },
    "test_a_use_does_not_lose_to_other_uses": {
        "uses are written as they were read": races.careless(races.writes_uses_as_read),
        "users have to retry": races.careless(races.makes_redeemers_retry),
    },
    "test_the_counter_moves_within_its_bounds": {
        "uses have no bound": races.careless(races.forgets_the_bound),
    },
    "test_a_use_loses_to_other_terms": {
        "uses count whatever became of the key": races.careless(races.forgets_the_terms),
    },
    "test_the_stored_uses_stay_as_they_are": {
        "replacing a key overwrites its uses": races.careless(races.replaces_uses_too),
        "replacing a key loses to its users": races.careless(races.compares_uses),
    },
    "test_each_verb_alone_may_lose_for_all": {
        "a change is stored in pieces": broken.Piecemeal,
        "events of what was lost stay": broken.Chatty,
        "a conflict names everything": naming(broken.all_ids),
    },
    "test_events_are_numbered_from_one_without_a_gap": {
        "lost events take positions": broken.Gapped,
    },
    "test_a_position_that_an_event_brings_does_not_count": {
        "events bring their positions": broken.Obedient,
    },
    "test_who_reads_on_misses_no_event": {
        "an event may come late": broken.LateNumbers,
    },
    "test_what_was_read_is_a_snapshot": {
        "what was read can be changed": broken.Leaking,
    },
    "test_reading_is_a_snapshot_of_one_call": {
        "records are read one by one": broken.Torn,
        "pages are read one by one": broken.TornPages,
    },
    "test_ids_are_ordered_by_code_point": {
        "order is that of a dictionary": partial(
            broken.Searching, place=broken.as_a_dictionary_sorts
        ),
    },
    "test_everything_is_found_in_its_order": {
        "order is that of storing": placing(broken.as_it_came),
        "order is the other way round": answering(broken.backwards),
    },
    "test_pages_of_any_size_give_the_same": {
        "pages go on for ever": answering(broken.always_with_a_next),
        "there is one page": answering(broken.never_with_a_next),
        "pages repeat": answering(broken.with_the_last_again),
        "pages are too long": broken.Greedy,
    },
    "test_new_records_are_found_only_after_the_cursor": {
        "pages are counted": broken.Counting,
    },
    "test_searched_strings_are_plain": {
        "texts are patterns": fitting(broken.with_wildcards),
    },
    "test_strings_are_compared_folded": {
        "texts are folded as ASCII": fitting(broken.in_ascii_case_only),
    },
    "test_assignments": {
        "ranges are closed": fitting(broken.with_closed_ranges),
        "origin is not asked": fitting(broken.whatever("origin")),
        "status is not asked": fitting(broken.whatever("status", "at")),
    },
    "test_subscriptions": {
        "ranges of subscriptions are closed": fitting(broken.with_closed_ranges),
    },
    "test_batches": {
        "ranges of batches are closed": fitting(broken.with_closed_ranges),
        "the window is not asked": fitting(broken.whatever("redeemable_from", "redeemable_until")),
    },
    "test_courses": {
        "archived is not asked": fitting(broken.whatever("archived")),
    },
    "test_organizations": {
        "parents are not asked": fitting(broken.whatever("parent_id")),
    },
    "test_keys": {
        "usable is not asked": fitting(broken.whatever("usable")),
    },
    "test_attempts": {
        "activities are not asked": fitting(broken.whatever("activity_id")),
    },
    "test_redemptions": {
        "keys are not asked": fitting(broken.whatever("key_id")),
    },
    "test_users": {
        "homes are not asked": fitting(broken.whatever("organization_id")),
    },
    "test_replaced_records_are_found_by_new_values_only": {
        "addresses are remembered": broken.Forgetful,
    },
    "test_values_at_the_edges_come_back": {
        "microseconds are lost": rewriting(broken.with_windows_to_the_second),
        "line breaks are one": rewriting(broken.line_breaks_as_one),
        "lists are sorted": rewriting(broken.in_order),
        "zones are lost": broken.Zoned,
    },
    "test_datetimes_are_ordered_to_the_microsecond": {
        "microseconds are not ordered": placing(broken.by_the_second),
    },
    "test_durations_keep_their_kind": {
        "months are days": rewriting(broken.months_as_days),
    },
    "test_events_come_back": {
        "texts of events are cut": rewriting(broken.cut),
    },
    "test_a_key_is_used_as_often_as_it_may": {
        "checked, then written": partial(broken.FirstCheckThenWrite, THREADS),
    },
    "test_one_of_many_creates_an_id": {
        "ids checked, then written": partial(broken.FirstCheckThenWrite, THREADS),
    },
    "test_one_of_many_gets_an_address": {
        "addresses checked, then written": partial(broken.FirstCheckThenWrite, THREADS),
    },
    "test_one_of_many_replaces_what_all_read": {
        "compared, then replaced": partial(broken.FirstCheckThenWrite, THREADS),
    },
    "test_of_two_who_expect_what_the_other_replaces_one_wins": {
        "expected in another transaction": broken.ExpectsApart,
    },
    "test_nobody_is_refused_while_uses_are_left": {
        "the busy are told that nothing is left": broken.Impatient,
    },
}

#: Faults that show as an error that is none of ours, or none that is promised.
BREAKDOWNS: dict[str, tuple[Make, str, type[Exception]]] = {
    "so many ids and no more": (
        broken.Narrow,
        "test_many_ids_may_be_asked_for_at_once",
        ValueError,
    ),
    "odd ids are an error": (broken.Touchy, "test_under_odd_ids_nothing_is_found", ValueError),
    "who comes second in a crowd is refused": (
        races.careless(races.says_used_up_when_busy),
        "test_nobody_is_refused_while_uses_are_left",
        Refused,
    ),
    "who comes second is refused": (
        races.careless(races.says_used_up_when_busy),
        "test_a_use_does_not_lose_to_other_uses",
        Refused,
    ),
}


def run(make: Make, example: str) -> None:
    getattr(RepositoryContract(), example)(make())


@pytest.mark.parametrize(
    ("example", "fault"), [(one, fault) for one, faults in FAULTS.items() for fault in faults]
)
@pytest.mark.long
def test_the_contract_finds(example: str, fault: str) -> None:
    # A change that is lost although it should not be shows as the conflict itself.
    with pytest.raises((AssertionError, pytest.fail.Exception, Conflict)):
        run(FAULTS[example][fault], example)
    run(InMemoryRepository, example)


@pytest.mark.parametrize("fault", BREAKDOWNS)
@pytest.mark.long
def test_an_example_breaks_down_over(fault: str) -> None:
    make, example, error = BREAKDOWNS[fault]
    with pytest.raises(error):
        run(make, example)
    run(InMemoryRepository, example)


def test_no_theme_hides_an_example_of_another() -> None:
    names = [
        name for theme in RepositoryContract.__mro__ for name in vars(theme) if name[:5] == "test_"
    ]
    assert [name for name, times in Counter(names).items() if times > 1] == []


def test_the_base_itself_is_not_collected() -> None:
    assert not RepositoryContract.__name__.startswith("Test")
    with pytest.raises(NotImplementedError):
        RepositoryContract().make()
