"""The contract of `commit` for creating, replacing and expecting records."""

import attrs

from course_assignments.changes import Change, Record, Replace, Use
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.keys import TrainingKey
from course_assignments.entities.people import User
from course_assignments.queries import EventQuery, KeyQuery, UserQuery
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

#: A record with many fields of each kind that is compared as a whole.
OF_MANY_FIELDS: tuple[Record, ...] = (
    *(samples.GAMMA, samples.PYTHON, samples.DEE, samples.COMPLETE, samples.ATTEMPTS[2]),
    *(samples.SUBSCRIPTIONS[0], samples.BATCHES[1], samples.REDEMPTIONS[2]),
)


class Creating(Examples):
    """``create`` conflicts if a record of that kind is stored under the id."""

    def test_what_was_created_is_stored_under_its_id(self, repository: Repository) -> None:
        """Records of every kind are read as they were created."""
        store(repository)
        for record in samples.RECORDS:
            assert exactly(stored(repository, record)) == exactly(record)

    def test_records_may_come_in_any_order(self, repository: Repository) -> None:
        """A record may come before the records that it refers to."""
        repository.commit(Change(create=samples.RECORDS[::-1]))
        for record in samples.RECORDS:
            assert stored(repository, record) == record

    def test_a_taken_id_is_lost(self, repository: Repository) -> None:
        """This is true for every kind, and for an equal record too."""
        store(repository)
        for record in samples.RECORDS:
            check_lost(repository, Change(create=[record]), record.id)
            check_lost(repository, Change(create=[edited(record)]), record.id)

    def test_two_under_one_id_are_lost(self, repository: Repository) -> None:
        """One change cannot create two records of a kind under one id."""
        new = Course(id="new", name="New")
        check_lost(repository, Change(create=[new, attrs.evolve(new, name="Other")]), "new")

    def test_two_kinds_may_share_an_id(self, repository: Repository) -> None:
        """An id is taken only for its own kind."""
        course, organization = Course(id="x", name="X"), Organization(id="x", name="X")
        repository.commit(Change(create=[course]))
        repository.commit(Change(create=[organization]))
        assert repository.get(Course, ["x"]) == {"x": course}
        assert repository.get(Organization, ["x"]) == {"x": organization}

    def test_ids_are_exact(self, repository: Repository) -> None:
        """Ids that differ only in case, composition or outer white space are different."""
        names = ["a", "A", "a ", " a", "\u00e9", "e\u0301", "\uff41", "ss", "\u00df", "a\u200b"]
        courses = {name: Course(id=name, name=f"No. {at}") for at, name in enumerate(names)}
        repository.commit(Change(create=courses.values()))
        assert repository.get(Course, names) == courses

    def test_codes_are_exact(self, repository: Repository) -> None:
        """Codes that differ only in case are different keys."""
        store(repository)
        for key in (samples.SPRING, samples.SMALL):
            assert listed(repository, KeyQuery(code=key.code)) == [key]

    def test_many_records_fit_in_one_change(self, repository: Repository) -> None:
        """A change can have thousands of keys."""
        keys = [
            TrainingKey(
                id=f"{place}", code=f"Number-{place:05}", batch_id="spring", number=place + 3
            )
            for place in range(7000)
        ]
        store(repository, *keys)
        assert repository.get(TrainingKey, [key.id for key in keys]) == {
            key.id: key for key in keys
        }


class Addresses(Examples):
    """A user conflicts if another user has the same folded e-mail address."""

    SAME = (
        ("eve@example.com", "EVE@Example.COM"),
        ("stra\u00dfe@example.com", "STRASSE@example.com"),
        ("ren\u00e9@example.com", "rene\u0301@example.com"),
        ("e\u0301va@example.com", "\u00c9VA@example.com"),
    )

    def test_a_taken_address_is_lost(self, repository: Repository) -> None:
        """Case and composition do not matter, for new and for replaced users."""
        store(repository)
        for place, (held, wanted) in enumerate(self.SAME):
            holder = User(id=f"holder-{place}", name="Holder", email=held)
            repository.commit(Change(create=[holder]))
            new = User(id="new", name="New", email=wanted)
            check_lost(repository, Change(create=[new]), "new")
            taking = Replace(samples.BO, attrs.evolve(samples.BO, email=wanted))
            check_lost(repository, Change(replace=[taking]), "bo")

    def test_two_newcomers_with_one_address_are_lost(self, repository: Repository) -> None:
        """Two users in one change conflict too."""
        for held, wanted in self.SAME:
            one = User(id="one", name="One", email=held)
            two = User(id="two", name="Two", email=wanted)
            check_lost(repository, Change(create=[one, two]), "one", "two")

    def test_ones_own_address_is_free(self, repository: Repository) -> None:
        """A user can change the spelling of their address, or keep it."""
        store(repository)
        louder = attrs.evolve(samples.ADA, email="ADA@EXAMPLE.ORG")
        repository.commit(Change(replace=[Replace(samples.ADA, louder)]))
        renamed = attrs.evolve(louder, name="Ada L.")
        repository.commit(Change(replace=[Replace(louder, renamed)]))
        assert listed(repository, UserQuery(email="ada@example.org")) == [renamed]

    def test_an_address_that_was_given_up_is_free(self, repository: Repository) -> None:
        """Another user can have the address then."""
        store(repository)
        moved = attrs.evolve(samples.ADA, email="ada@example.com")
        repository.commit(Change(replace=[Replace(samples.ADA, moved)]))
        heir = User(id="heir", name="Heir", email=samples.ADA.email)
        repository.commit(Change(create=[heir]))
        assert listed(repository, UserQuery(email=samples.ADA.email)) == [heir]


class Codes(Examples):
    """A created or replaced key is lost too if another has the same code."""

    NEW = TrainingKey(id="new", code="Autumn-2026", batch_id="Autumn")

    def test_a_key_whose_code_is_taken_is_lost(self, repository: Repository) -> None:
        """Whoever has the code, and be they revoked."""
        store(repository, self.NEW)
        for key in samples.KEYS:
            new = attrs.evolve(self.NEW, id="newer", code=key.code)
            check_lost(repository, Change(create=[new]), "newer")
            taking = Replace(self.NEW, attrs.evolve(self.NEW, code=key.code))
            check_lost(repository, Change(replace=[taking]), "new")

    def test_two_new_keys_with_one_code_in_one_change_are_lost(
        self, repository: Repository
    ) -> None:
        """Also if no key had it before."""
        store(repository)
        other = attrs.evolve(self.NEW, id="other", number=2)
        check_lost(repository, Change(create=[self.NEW, other]), "new", "other")

    def test_a_code_that_was_given_up_is_free(self, repository: Repository) -> None:
        """No command does it, but who corrects a code by hand may."""
        store(repository, self.NEW)
        corrected = attrs.evolve(self.NEW, code="Autumn-2027")
        repository.commit(Change(replace=[Replace(self.NEW, corrected)]))
        assert listed(repository, KeyQuery(code=self.NEW.code)) == []
        heir = attrs.evolve(self.NEW, id="heir", number=2)
        repository.commit(Change(create=[heir]))
        assert listed(repository, KeyQuery(batch_ids=["Autumn"])) == [corrected, heir]
        assert listed(repository, KeyQuery(code=self.NEW.code)) == [heir]


class Replacing(Examples):
    """``replace`` conflicts unless the stored record equals ``before``."""

    def test_an_unchanged_record_is_replaced(self, repository: Repository) -> None:
        """Records of every kind are read as they were last written."""
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
        """A record that differs in one field is different."""
        store(repository)
        for record in OF_MANY_FIELDS:
            varied: set[str] = set()
            for name, other in variants(record):
                if other.id == record.id:
                    check_lost(repository, Change(replace=[Replace(other, record)]), record.id)
                    varied.add(name)
            assert {one.name for one in attrs.fields(type(record))} - varied <= {"id"}

    def test_replacing_an_unknown_record_is_lost(self, repository: Repository) -> None:
        """A replace does not create a record."""
        for record in samples.RECORDS:
            check_lost(repository, Change(replace=[Replace(record, record)]), record.id)

    def test_replacing_a_record_by_itself_changes_nothing(self, repository: Repository) -> None:
        """The record is checked anyway."""
        store(repository)
        before = contents(repository)
        repository.commit(Change(replace=[Replace(one, one) for one in samples.RECORDS]))
        assert contents(repository) == before


class Expecting(Examples):
    """``expect`` conflicts unless the stored record, before this change, equals it."""

    def test_nothing_is_written(self, repository: Repository) -> None:
        """An expected record does not change."""
        store(repository)
        before = contents(repository)
        repository.commit(Change(expect=samples.RECORDS))
        assert contents(repository) == before

    def test_a_different_or_missing_record_is_lost(self, repository: Repository) -> None:
        """This is true for every kind."""
        for record in samples.RECORDS:
            check_lost(repository, Change(expect=[record]), record.id)
        store(repository)
        for record in samples.RECORDS:
            check_lost(repository, Change(expect=[edited(record)]), record.id)

    def test_the_uses_of_a_key_count(self, repository: Repository) -> None:
        """Unlike ``replace``, it also compares the uses of a key."""
        store(repository)
        repository.commit(Change(use=[Use(samples.SPRING, 1)]))
        check_lost(repository, Change(expect=[samples.SPRING]), samples.SPRING.id)

    def test_records_before_the_change_are_compared(self, repository: Repository) -> None:
        """The records that the same change writes are not compared."""
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


class Together(Examples):
    """A change is stored as a whole, or not at all."""

    def test_all_verbs_are_stored_together(self, repository: Repository) -> None:
        """One change can have all kinds of steps."""
        store(repository)
        new = User(id="new", name="New", email="new@example.org")
        after = edited(samples.PYTHON)
        repository.commit(
            Change(
                create=[new],
                replace=[Replace(samples.PYTHON, after)],
                use=[Use(samples.SPRING, 1)],
                expect=[samples.SQL],
                record=[samples.EVENTS[0]],
            )
        )
        assert stored(repository, new) == new
        assert stored(repository, after) == after
        assert stored(repository, samples.SPRING).uses == samples.SPRING.uses + 1
        assert len(listed(repository, EventQuery())) == 1

    def test_each_verb_alone_may_lose_for_all(self, repository: Repository) -> None:
        """The steps without a conflict are not stored either."""
        store(repository)
        stale = edited(samples.PYTHON)
        new = Course(id="new", name="New")
        fine = Change(
            create=[new],
            replace=[Replace(samples.SQL, edited(samples.SQL))],
            use=[Use(samples.SPRING, 1)],
            expect=[samples.ACME],
            record=samples.EVENTS,
        )
        namesake = User(id="new", name="New", email=samples.ADA.email)
        for losing, lost in (
            (Change(create=[samples.CAFE]), "Py"),
            (Change(create=[namesake]), "new"),
            (Change(create=[attrs.evolve(samples.SPRING, id="newer")]), "newer"),
            (Change(replace=[Replace(stale, samples.PYTHON)]), "py"),
            (Change(use=[Use(samples.USED_UP, 1)]), samples.USED_UP.id),
            (Change(expect=[stale]), "py"),
        ):
            whole = attrs.evolve(
                fine,
                create=fine.create + losing.create,
                replace=fine.replace + losing.replace,
                use=fine.use + losing.use,
                expect=fine.expect + losing.expect,
            )
            check_lost(repository, whole, lost)
        repository.commit(fine)

    def test_of_several_losses_one_or_more_are_named(self, repository: Repository) -> None:
        """A conflict names only conflicting ids."""
        store(repository)
        stale = edited(samples.PYTHON)
        change = Change(
            create=[samples.ADA],
            replace=[Replace(stale, samples.PYTHON)],
            use=[Use(samples.USED_UP, 1)],
            expect=[edited(samples.SQL)],
        )
        check_lost(repository, change, "ada", "py", samples.USED_UP.id, "sql")

    def test_an_empty_change_stores_nothing(self, repository: Repository) -> None:
        """It is not an error either."""
        store(repository)
        before = contents(repository)
        repository.commit(Change())
        assert contents(repository) == before
