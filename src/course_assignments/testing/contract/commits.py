"""The contract of `commit`: what conflicts, and what is stored."""

from typing import Any

import attrs

from course_assignments import Course, Organization, TrainingKey
from course_assignments.changes import Amend, Change, Record, Replace, Use
from course_assignments.queries import EventQuery, KeyQuery, Query, UserQuery
from course_assignments.repository import Repository
from course_assignments.testing import samples
from course_assignments.testing.contract.base import (
    Examples,
    check_lost,
    contents,
    exactly,
    listed,
    store,
    stored,
)
from course_assignments.testing.variants import edited, variants
from course_assignments.validation import MAX_COUNT

#: A record with many fields of each kind that is compared as a whole.
OF_MANY_FIELDS: tuple[Record, ...] = (
    *(samples.GAMMA, samples.PYTHON, samples.DEE, samples.COMPLETE, samples.ATTEMPTS[2]),
    *(samples.SUBSCRIPTIONS[0], samples.BATCHES[1], samples.REDEMPTIONS[2]),
)


#: A key that no other key refers to, and addresses that are the same.
NEW = TrainingKey(id="new", code="Autumn-2026", batch_id="Autumn")
SAME = (
    ("eve@example.com", "EVE@Example.COM"),
    ("stra\u00dfe@example.com", "STRASSE@example.com"),
    ("ren\u00e9@example.com", "rene\u0301@example.com"),
    ("e\u0301va@example.com", "\u00c9VA@example.com"),
)

#: A key that was used once and can be used twice more, of the batch "spring".
KEY = TrainingKey(id="mine", code="Hand-made-1", batch_id="spring", number=3, uses=1, max_uses=3)
OTHER_TERMS = (
    attrs.evolve(KEY, revoked_at=samples.START),
    attrs.evolve(KEY, max_uses=4),
    attrs.evolve(KEY, batch_id="summer"),
    attrs.evolve(KEY, number=4),
    attrs.evolve(KEY, code="Hand-made-2"),
)


class Commits(Examples):
    """`commit` stores all of a change, or conflicts and stores nothing."""

    # create, and the fields that no two records share

    def test_records_may_come_in_any_order(self, repository: Repository) -> None:
        """A record may come before the records that it refers to; all are read as created."""
        repository.commit(Change(create=samples.RECORDS[::-1]))
        for record in samples.RECORDS:
            assert exactly(stored(repository, record)) == exactly(record)

    def test_a_taken_id_is_lost(self, repository: Repository) -> None:
        store(repository)
        for record in samples.RECORDS:
            check_lost(repository, Change(create=[record]), record.id)
            check_lost(repository, Change(create=[edited(record)]), record.id)

    def test_two_new_records_conflict_with_each_other(self, repository: Repository) -> None:
        """They share an id, an e-mail address or a code that no stored record has."""
        store(repository)
        pairs: list[tuple[Any, Any]] = [
            (samples.course("new"), samples.course("new", name="Other")),
            (NEW, attrs.evolve(NEW, id="other", number=2)),
            *((samples.user("one", email=a), samples.user("two", email=b)) for a, b in SAME),
        ]
        for pair in pairs:
            check_lost(repository, Change(create=pair), *[one.id for one in pair])

    def test_two_kinds_may_share_an_id(self, repository: Repository) -> None:
        course, organization = Course(id="x", name="X"), Organization(id="x", name="X")
        repository.commit(Change(create=[course]))
        repository.commit(Change(create=[organization]))
        assert repository.get(Course, ["x"]) == {"x": course}
        assert repository.get(Organization, ["x"]) == {"x": organization}

    def test_ids_are_exact(self, repository: Repository) -> None:
        """Ids that differ only in case, composition or white space are different."""
        names = ["a", "A", "a b", "a  b", "a\u00a0b", "\u00e9", "e\u0301", "\uff41", "ss", "\u00df"]
        courses = {name: Course(id=name, name=f"No. {at}") for at, name in enumerate(names)}
        repository.commit(Change(create=courses.values()))
        assert repository.get(Course, names) == courses

    def test_many_records_fit_in_one_change(self, repository: Repository) -> None:
        keys = {
            f"{place}": attrs.evolve(NEW, id=f"{place}", code=f"Number-{place:05}", number=place)
            for place in range(1, 7001)
        }
        store(repository, *keys.values())
        assert repository.get(TrainingKey, keys) == keys

    def test_a_taken_address_or_code_is_lost(self, repository: Repository) -> None:
        """This is true for new and for replaced records; both are compared folded."""
        holders = [samples.user(f"holder-{at}", email=pair[0]) for at, pair in enumerate(SAME)]
        store(repository, NEW, *holders)
        for _, email in SAME:
            check_lost(repository, Change(create=[samples.user("newer", email=email)]), "newer")
            taking = Replace(samples.BO, attrs.evolve(samples.BO, email=email))
            check_lost(repository, Change(replace=[taking]), "bo")
        for key in samples.KEYS:
            newer = attrs.evolve(NEW, id="newer", code=key.code.swapcase())
            check_lost(repository, Change(create=[newer]), "newer")
            taking = Replace(NEW, attrs.evolve(NEW, code=key.code.swapcase()))
            check_lost(repository, Change(replace=[taking]), "new")

    def test_users_can_change_the_spelling_of_their_address(self, repository: Repository) -> None:
        store(repository)
        louder = attrs.evolve(samples.ADA, email="ADA@EXAMPLE.ORG")
        repository.commit(Change(replace=[Replace(samples.ADA, louder)]))
        renamed = attrs.evolve(louder, name="Ada L.")
        repository.commit(Change(replace=[Replace(louder, renamed)]))
        assert listed(repository, UserQuery(email="ada@example.org")) == [renamed]

    def test_an_address_or_a_code_that_was_given_up_is_free(self, repository: Repository) -> None:
        store(repository, NEW)
        ada, heir = samples.ADA, samples.user("heir", email=samples.ADA.email)
        steps: list[tuple[Any, Any, Any, Query[Any]]] = [
            (ada, attrs.evolve(ada, email="ada@example.com"), heir, UserQuery(email=ada.email)),
            (
                NEW,
                attrs.evolve(NEW, code="Autumn-2027"),
                attrs.evolve(NEW, id="heir", number=2),
                KeyQuery(code=NEW.code),
            ),
        ]
        for before, after, new, query in steps:
            repository.commit(Change(replace=[Replace(before, after)]))
            assert listed(repository, query) == []
            repository.commit(Change(create=[new]))
            assert listed(repository, query) == [new]
            assert stored(repository, after) == after

    # replace

    def test_an_unchanged_record_is_replaced(self, repository: Repository) -> None:
        store(repository)
        for record in samples.RECORDS:
            repository.commit(Change(replace=[Replace(record, edited(record))]))
        for record in samples.RECORDS:
            after = edited(record)
            assert after != record
            assert exactly(stored(repository, record)) == exactly(after)

    def test_a_change_of_an_older_value_is_lost(self, repository: Repository) -> None:
        """This is true even if the stored record would not change."""
        store(repository)
        for record in samples.RECORDS:
            after = edited(record)
            repository.commit(Change(replace=[Replace(record, after)]))
            check_lost(repository, Change(replace=[Replace(record, record)]), record.id)
            check_lost(repository, Change(replace=[Replace(record, after)]), record.id)
            repository.commit(Change(replace=[Replace(after, record)]))

    def test_every_field_is_compared(self, repository: Repository) -> None:
        store(repository)
        for record in OF_MANY_FIELDS:
            varied: set[str] = set()
            for name, other in variants(record):
                if other.id == record.id:
                    check_lost(repository, Change(replace=[Replace(other, record)]), record.id)
                    varied.add(name)
            assert {one.name for one in attrs.fields(type(record))} - varied <= {"id"}

    def test_replacing_an_unknown_record_is_lost(self, repository: Repository) -> None:
        for record in samples.RECORDS:
            check_lost(repository, Change(replace=[Replace(record, record)]), record.id)
        check_lost(repository, Change(use=[Use(KEY, 1)]), KEY.id)

    # expect

    def test_a_different_or_missing_record_is_lost(self, repository: Repository) -> None:
        for record in samples.RECORDS:
            check_lost(repository, Change(expect=[record]), record.id)
        store(repository)
        for record in samples.RECORDS:
            check_lost(repository, Change(expect=[edited(record)]), record.id)

    def test_records_before_the_change_are_compared(self, repository: Repository) -> None:
        store(repository)
        after = edited(samples.PYTHON)
        replace = [Replace(samples.PYTHON, after)]
        new = Course(id="new", name="New")
        check_lost(repository, Change(replace=replace, expect=[after]), "py")
        check_lost(repository, Change(create=[new], expect=[new]), "new")
        used = attrs.evolve(samples.SPRING, uses=3)
        use = [Use(samples.SPRING, 1)]
        check_lost(repository, Change(use=use, expect=[used]), samples.SPRING.id)
        repository.commit(Change(replace=replace, use=use, expect=[samples.PYTHON, samples.SPRING]))
        assert stored(repository, after) == after
        assert stored(repository, used) == used

    # all steps together

    def test_each_verb_alone_may_lose_for_all(self, repository: Repository) -> None:
        """The steps without a conflict are not stored then, and all together otherwise."""
        store(repository)
        stale = edited(samples.PYTHON)
        new, after = Course(id="new", name="New"), edited(samples.SQL)
        fine = Change(
            create=[new],
            replace=[Replace(samples.SQL, after)],
            use=[Use(samples.SPRING, 1)],
            expect=[samples.ACME],
            record=samples.EVENTS,
        )
        for losing, lost in (
            (Change(create=[samples.CAFE]), ["Py"]),
            (Change(create=[samples.user("new", email=samples.ADA.email)]), ["new"]),
            (Change(create=[attrs.evolve(samples.SPRING, id="newer")]), ["newer"]),
            (Change(replace=[Replace(stale, samples.PYTHON)]), ["py"]),
            (Change(use=[Use(samples.USED_UP, 1)]), [samples.USED_UP.id]),
            (Change(expect=[stale]), ["py"]),
            (
                Change(create=[samples.ADA], use=[Use(samples.USED_UP, 1)], expect=[stale]),
                ["ada", samples.USED_UP.id, "py"],
            ),
        ):
            verbs = ("create", "replace", "use", "expect")
            both = {verb: [*getattr(fine, verb), *getattr(losing, verb)] for verb in verbs}
            check_lost(repository, attrs.evolve(fine, **both), *lost)
        repository.commit(fine)
        assert [stored(repository, one) for one in (new, after)] == [new, after]
        assert stored(repository, samples.SPRING).uses == samples.SPRING.uses + 1
        assert len(listed(repository, EventQuery())) == len(samples.EVENTS)

    def test_changes_without_effect_store_nothing(self, repository: Repository) -> None:
        """They are empty, expect records, or replace records by themselves."""
        store(repository)
        before = contents(repository)
        repository.commit(Change())
        repository.commit(Change(expect=samples.RECORDS))
        repository.commit(Change(replace=[Replace(one, one) for one in samples.RECORDS]))
        assert contents(repository) == before

    # use, and the uses of a key

    def test_the_counter_moves_within_its_bounds(self, repository: Repository) -> None:
        store(repository, KEY)
        for by, uses in ((2, 3), (0, 3), (-3, 0), (3, 3), (-1, 2)):
            repository.commit(Change(use=[Use(KEY, by)]))
            assert stored(repository, KEY) == attrs.evolve(KEY, uses=uses)
        for by in (2, -3, MAX_COUNT, -MAX_COUNT):
            check_lost(repository, Change(use=[Use(KEY, by)]), KEY.id)

    def test_a_use_does_not_lose_to_other_uses(self, repository: Repository) -> None:
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

    def test_uses_and_replaces_lose_to_other_terms(self, repository: Repository) -> None:
        """A key that was revoked, edited or moved since it was read is a conflict."""
        store(repository, KEY)
        now = KEY
        for other in OTHER_TERMS:
            repository.commit(Change(replace=[Replace(now, other)]))
            check_lost(repository, Change(replace=[Replace(KEY, KEY)]), KEY.id)
            for by in (1, -1):
                check_lost(repository, Change(use=[Use(KEY, by)]), KEY.id)
                repository.commit(Change(use=[Use(other, by)]))
            now = other

    def test_a_use_leaves_the_terms_and_other_keys_alone(self, repository: Repository) -> None:
        store(repository)
        repository.commit(Change(use=[Use(samples.REVOKED, 1)]))
        after = attrs.evolve(samples.REVOKED, uses=1)
        assert repository.get(TrainingKey, [key.id for key in samples.KEYS]) == {
            key.id: after if key is samples.REVOKED else key for key in samples.KEYS
        }

    def test_the_stored_uses_stay_as_they_are(self, repository: Repository) -> None:
        """``replace`` neither compares nor writes them; ``expect`` compares them."""
        store(repository, KEY)
        repository.commit(Change(use=[Use(KEY, 1)]))
        check_lost(repository, Change(expect=[KEY]), KEY.id)
        after = attrs.evolve(KEY, uses=0, revoked_at=samples.START)
        repository.commit(Change(replace=[Replace(KEY, after)]))
        assert stored(repository, KEY) == attrs.evolve(after, uses=2)

    def test_a_replace_loses_if_more_uses_are_stored_than_the_new_maximum(
        self, repository: Repository
    ) -> None:
        """Exactly as many uses are allowed."""
        store(repository, KEY)
        repository.commit(Change(use=[Use(KEY, 1)]))
        one, two = (Replace(KEY, attrs.evolve(KEY, max_uses=number)) for number in (1, 2))
        check_lost(repository, Change(replace=[one]), KEY.id)
        repository.commit(Change(replace=[two]))
        assert stored(repository, KEY) == attrs.evolve(KEY, max_uses=2, uses=2)

    # amend

    def test_all_keys_of_a_batch_are_amended(self, repository: Repository) -> None:
        """Keys that are revoked already stay as they are, and so do all other batches."""
        others = [attrs.evolve(NEW, id=f"n-{at}", code=f"Autumn-{at}", number=at) for at in (1, 2)]
        store(repository, *others)
        step = Amend(batch_id="spring", max_uses=9, revoked_at=samples.at(50))
        repository.commit(Change(amend=[step]))
        for key in (*samples.KEYS, *others):
            after = attrs.evolve(key, max_uses=9, revoked_at=key.revoked_at or samples.at(50))
            assert stored(repository, key) == (after if key.batch_id == "spring" else key)
        repository.commit(Change(amend=[Amend(batch_id="nothing", revoked_at=samples.START)]))

    def test_amending_loses_if_a_key_has_more_uses_than_the_new_maximum(
        self, repository: Repository
    ) -> None:
        """Exactly as many uses are allowed."""
        mine = attrs.evolve(NEW, id="mine", code="Autumn-1", uses=2, max_uses=3)
        store(repository, NEW, mine)
        one, two = (Amend(batch_id=NEW.batch_id, max_uses=number) for number in (1, 2))
        check_lost(repository, Change(amend=[one]), "mine")
        repository.commit(Change(amend=[two]))
        assert stored(repository, mine) == attrs.evolve(mine, max_uses=2)
        assert stored(repository, NEW) == attrs.evolve(NEW, max_uses=2)

    def test_amend_comes_after_create_and_replace_and_before_use(
        self, repository: Repository
    ) -> None:
        store(repository, NEW)
        second = attrs.evolve(NEW, id="second", code="Autumn-2", number=2)
        wider = attrs.evolve(NEW, max_uses=2)
        amended = attrs.evolve(NEW, max_uses=3, revoked_at=samples.START)
        change = Change(
            create=[second],
            replace=[Replace(NEW, wider)],
            amend=[Amend(batch_id=NEW.batch_id, max_uses=3, revoked_at=samples.START)],
            use=[Use(amended, 3)],
        )
        check_lost(repository, attrs.evolve(change, use=[Use(wider, 1)]), NEW.id)
        repository.commit(change)
        assert stored(repository, NEW) == attrs.evolve(amended, uses=3)
        after = attrs.evolve(second, max_uses=3, revoked_at=samples.START)
        assert stored(repository, second) == after

    def test_use_comes_after_replace(self, repository: Repository) -> None:
        """In one change, a use counts with the new terms and the new maximum."""
        store(repository, KEY)
        wider = attrs.evolve(KEY, max_uses=5)
        replace = [Replace(KEY, wider)]
        check_lost(repository, Change(replace=replace, use=[Use(KEY, 1)]), KEY.id)
        check_lost(repository, Change(replace=replace, use=[Use(wider, 5)]), KEY.id)
        repository.commit(Change(replace=replace, use=[Use(wider, 4)]))
        assert stored(repository, KEY) == attrs.evolve(wider, uses=5)
