"""The contract: the reference repository passes it, and each faulty repository fails a test."""

from collections import Counter
from threading import Lock, Thread

import pytest

from course_assignments import Conflict, InMemoryRepository, Refused, Repository
from course_assignments.changes import Change
from course_assignments.testing import RepositoryContract
from course_assignments.testing.contract.finding import FILTERS
from course_assignments.testing.threads import TIMEOUT
from tests.support import broken


class TestInMemory(RepositoryContract):
    def make(self) -> Repository:
        return InMemoryRepository()


class TestWithForeignKeys(RepositoryContract):
    def make(self) -> Repository:
        return broken.WithForeignKeys()


class FailsOnce(InMemoryRepository):
    """Raises an error of the driver for the first thread that uses a key."""

    def __init__(self) -> None:
        super().__init__()
        self._is_first = Lock()

    def commit(self, change: Change, /) -> None:
        if change.use and self._is_first.acquire(blocking=False):
            raise broken.DriverError("database is locked")
        super().commit(change)


def test_no_thread_waits_for_a_thread_that_failed() -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            RepositoryContract().test_a_key_is_used_as_often_as_it_may(FailsOnce())
        except BaseException as error:  # noqa: BLE001 - looked at below
            errors.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(TIMEOUT / 4)
    assert [type(error) for error in errors] == [broken.DriverError]


#: The faults that each test of the contract finds; see `broken.faulty`.
FAULTS = {
    "test_a_taken_id_is_lost": ["overwrites", "names_no_id", "names_codes"],
    "test_ids_are_exact": ["ComparesWithoutCase", "composes_characters"],
    "test_a_taken_address_or_code_is_lost": [
        *("allows_equal_addresses", "allows_equal_codes", "compares_addresses_with_case"),
    ],
    "test_two_new_records_conflict_with_each_other": [
        *("allows_equal_addresses", "allows_equal_codes", "compares_addresses_with_case"),
    ],
    "test_a_change_of_an_older_value_is_lost": ["compares_nothing"],
    "test_replacing_an_unknown_record_is_lost": ["creates_what_it_cannot_replace"],
    "test_an_address_or_a_code_that_was_given_up_is_free": ["KeepsAddressesUnique"],
    "test_users_can_change_the_spelling_of_their_address": ["refuses_the_own_address"],
    "test_a_different_or_missing_record_is_lost": ["expects_nothing"],
    "test_records_before_the_change_are_compared": ["ExpectsTheOutcome"],
    "test_a_use_does_not_lose_to_other_uses": [
        *("writes_uses_as_read", "makes_redeemers_retry", "says_used_up_when_busy"),
    ],
    "test_the_counter_moves_within_its_bounds": ["forgets_the_bound"],
    "test_uses_and_replaces_lose_to_other_terms": ["forgets_the_terms"],
    "test_the_stored_uses_stay_as_they_are": ["replaces_uses_too", "compares_uses"],
    "test_each_verb_alone_may_lose_for_all": [
        *("stores_each_verb_alone", "stores_events_of_conflicts", "names_all_ids"),
    ],
    "test_events_are_numbered_from_one_without_a_gap": ["NumbersEventsFirst"],
    "test_positions_of_new_events_are_ignored": ["KeepsPositions"],
    "test_readers_miss_no_event": ["StoresEventsLate"],
    "test_under_odd_ids_nothing_is_found": ["LimitsIds"],
    "test_many_ids_may_be_asked_for_at_once": ["LimitsIds"],
    "test_what_was_read_is_a_snapshot": ["ReturnsItsCache"],
    "test_reading_is_a_snapshot_of_one_call": ["ReadsOneByOne", "ReadsPagesOneByOne"],
    "test_ids_are_ordered_by_code_point": ["sorts_without_case"],
    "test_everything_is_found_in_its_order": [
        *("sorts_by_creation", "reverses_pages", "always_has_a_next_page"),
        *("never_has_a_next_page", "repeats_the_last_record", "ExceedsTheLimit"),
    ],
    "test_new_records_are_found_only_after_the_cursor": ["SkipsByNumber"],
    "test_searched_strings_are_plain": ["reads_strings_as_patterns"],
    "test_strings_are_compared_folded": ["folds_ascii_only"],
    "test_replaced_records_are_found_by_new_values_only": ["KeepsAddressesInItsIndex"],
    "test_extreme_values_are_kept": [
        *("cuts_windows_to_the_second", "replaces_line_breaks", "sorts_lists"),
        *("ReturnsAnotherZone", "trims_strings"),
    ],
    "test_datetimes_are_ordered_to_the_microsecond": ["sorts_by_the_second"],
    "test_durations_keep_their_kind": ["stores_months_as_days"],
    "test_events_come_back": ["truncates_strings"],
    "test_a_key_is_used_as_often_as_it_may": ["ChecksThenWrites"],
    "test_one_of_many_creates_an_id": ["ChecksThenWrites"],
    "test_one_of_many_gets_an_address": ["ChecksThenWrites"],
    "test_one_of_many_replaces_what_all_read": ["ChecksThenWrites"],
    "test_of_two_who_expect_what_the_other_replaces_one_wins": ["ExpectsInAnotherTransaction"],
    "test_nobody_is_refused_while_uses_are_left": ["ConflictsWhenBusy", "says_used_up_when_busy"],
}
#: What a failing test raises; a `Conflict` or `Refused` is a false one of the repository.
FAILURES = (AssertionError, pytest.fail.Exception, Conflict, Refused, broken.DriverError)


@pytest.mark.parametrize(
    ("example", "fault"), [(one, fault) for one, faults in FAULTS.items() for fault in faults]
)
@pytest.mark.long
def test_the_contract_finds(example: str, fault: str) -> None:
    with pytest.raises(FAILURES):
        getattr(RepositoryContract(), example)(broken.faulty(fault))


#: Every filter of every query; positions of events are compared by the cursor.
ALL_FILTERS = [
    (kind, name)
    for kind, filters in FILTERS.items()
    for name in dict.fromkeys(name for one in filters for name in one)
    if name not in {"at", "after"}
]


@pytest.mark.parametrize(("kind", "name"), ALL_FILTERS)
@pytest.mark.long
def test_the_contract_finds_an_ignored_filter(kind: type, name: str) -> None:
    repository = broken.ignoring(kind, *(("status", "at") if name == "status" else (name,)))()
    with pytest.raises(AssertionError):
        RepositoryContract().test_records_match_each_filter_and_any_two(repository)


@pytest.mark.parametrize(
    ("kind", "until"),
    [one for one in ALL_FILTERS if one[1].endswith("_until") and one[1] != "redeemable_until"],
)
@pytest.mark.long
def test_the_contract_finds_a_range_that_includes_its_end(kind: type, until: str) -> None:
    with pytest.raises(AssertionError):
        RepositoryContract().test_records_match_each_filter_and_any_two(
            broken.including_end(kind, until)()
        )


def test_each_test_of_the_contract_has_its_own_name() -> None:
    names = [
        name for theme in RepositoryContract.__mro__ for name in vars(theme) if name[:5] == "test_"
    ]
    assert [name for name, times in Counter(names).items() if times > 1] == []


def test_the_base_class_is_not_collected() -> None:
    assert not RepositoryContract.__name__.startswith("Test")
    with pytest.raises(NotImplementedError):
        RepositoryContract().make()
