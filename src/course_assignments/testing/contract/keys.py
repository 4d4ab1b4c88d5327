"""The contract of `commit` for keys: the counter and the terms are independent."""

import attrs

from course_assignments.changes import Change, Replace, Use
from course_assignments.entities.keys import TrainingKey
from course_assignments.repository import Repository
from course_assignments.testing import samples
from course_assignments.testing.contract.base import Examples, check_lost, store, stored
from course_assignments.validation import MAX_COUNT

#: A key that was used once and can be used twice more, of the batch "spring".
KEY = TrainingKey(id="mine", code="Hand-made-1", batch_id="spring", number=3, uses=1, max_uses=3)
OTHER_TERMS = (
    attrs.evolve(KEY, revoked_at=samples.START),
    attrs.evolve(KEY, max_uses=4),
    attrs.evolve(KEY, batch_id="summer"),
    attrs.evolve(KEY, number=4),
    attrs.evolve(KEY, code="Hand-made-2"),
)


class Counting(Examples):
    """``use`` adds to the stored uses and conflicts outside of 0 to ``max_uses``."""

    def test_the_counter_moves_within_its_bounds(self, repository: Repository) -> None:
        """The uses can reach the maximum and zero."""
        store(repository, KEY)
        for by, uses in ((2, 3), (0, 3), (-3, 0), (3, 3), (-1, 2)):
            repository.commit(Change(use=[Use(KEY, by)]))
            assert stored(repository, KEY) == attrs.evolve(KEY, uses=uses)
        for by in (2, -3, MAX_COUNT, -MAX_COUNT):
            check_lost(repository, Change(use=[Use(KEY, by)]), KEY.id)

    def test_a_use_does_not_lose_to_other_uses(self, repository: Repository) -> None:
        """The number of uses since the key was read does not matter."""
        store(repository, KEY)
        repository.commit(Change(use=[Use(KEY, 1)]))
        repository.commit(Change(use=[Use(KEY, 1)]))
        assert stored(repository, KEY).uses == 3
        check_lost(repository, Change(use=[Use(KEY, 1)]), KEY.id)

    def test_two_uses_in_one_change_add_up(self, repository: Repository) -> None:
        """Together they must not exceed the maximum."""
        store(repository, KEY)
        check_lost(repository, Change(use=[Use(KEY, 1), Use(KEY, 2)]), KEY.id)
        repository.commit(Change(use=[Use(KEY, 1), Use(KEY, 1)]))
        assert stored(repository, KEY).uses == 3

    def test_a_use_loses_to_other_terms(self, repository: Repository) -> None:
        """A key that was revoked, edited or moved since it was read is a conflict."""
        store(repository, KEY)
        now = KEY
        for other in OTHER_TERMS:
            repository.commit(Change(replace=[Replace(now, other)]))
            check_lost(repository, Change(use=[Use(KEY, 1)]), KEY.id)
            check_lost(repository, Change(use=[Use(KEY, -1)]), KEY.id)
            repository.commit(Change(use=[Use(other, 1)]))
            repository.commit(Change(use=[Use(other, -1)]))
            now = other

    def test_a_use_loses_if_there_is_no_such_key(self, repository: Repository) -> None:
        """A use does not create a key."""
        check_lost(repository, Change(use=[Use(KEY, 1)]), KEY.id)

    def test_a_use_leaves_the_terms_and_other_keys_alone(self, repository: Repository) -> None:
        """Only the counter of the key changes."""
        store(repository)
        repository.commit(Change(use=[Use(samples.REVOKED, 1)]))
        after = attrs.evolve(samples.REVOKED, uses=1)
        assert repository.get(TrainingKey, [key.id for key in samples.KEYS]) == {
            key.id: after if key is samples.REVOKED else key for key in samples.KEYS
        }


class Terms(Examples):
    """``replace`` ignores the uses of a key."""

    def test_the_stored_uses_stay_as_they_are(self, repository: Repository) -> None:
        """The uses of ``before`` and ``after`` are neither compared nor written."""
        store(repository, KEY)
        repository.commit(Change(use=[Use(KEY, 1)]))
        after = attrs.evolve(KEY, uses=0, revoked_at=samples.START)
        repository.commit(Change(replace=[Replace(KEY, after)]))
        assert stored(repository, KEY) == attrs.evolve(after, uses=2)

    def test_a_replace_loses_to_other_terms(self, repository: Repository) -> None:
        """Each of the terms is compared by value."""
        store(repository, KEY)
        now = KEY
        for other in OTHER_TERMS:
            repository.commit(Change(replace=[Replace(now, other)]))
            check_lost(repository, Change(replace=[Replace(KEY, KEY)]), KEY.id)
            now = other

    def test_a_replace_loses_if_more_uses_are_stored_than_the_new_maximum(
        self, repository: Repository
    ) -> None:
        """Exactly as many uses are allowed."""
        store(repository, KEY)
        repository.commit(Change(use=[Use(KEY, 1)]))
        check_lost(
            repository, Change(replace=[Replace(KEY, attrs.evolve(KEY, max_uses=1))]), KEY.id
        )
        fewer = attrs.evolve(KEY, max_uses=2)
        repository.commit(Change(replace=[Replace(KEY, fewer)]))
        assert stored(repository, KEY) == attrs.evolve(fewer, uses=2)

    def test_use_comes_after_replace(self, repository: Repository) -> None:
        """In one change, a use counts with the new terms and the new maximum."""
        store(repository, KEY)
        wider = attrs.evolve(KEY, max_uses=5)
        replace = [Replace(KEY, wider)]
        check_lost(repository, Change(replace=replace, use=[Use(KEY, 1)]), KEY.id)
        check_lost(repository, Change(replace=replace, use=[Use(wider, 5)]), KEY.id)
        repository.commit(Change(replace=replace, use=[Use(wider, 4)]))
        assert stored(repository, KEY) == attrs.evolve(wider, uses=5)
