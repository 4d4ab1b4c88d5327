"""What `commit` promises of creating, replacing and expecting, and that it is all or nothing."""

import attrs

from course_assignments.changes import Change, Record, Replace, Use, masked_id
from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.keys import TrainingKey
from course_assignments.entities.people import User
from course_assignments.queries import EventQuery, UserQuery
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

#: One record of each kind whose values are all compared, with something in most fields.
OF_MANY_FIELDS: tuple[Record, ...] = (
    *(samples.GAMMA, samples.PYTHON, samples.DEE, samples.COMPLETE, samples.ATTEMPTS[2]),
    *(samples.SUBSCRIPTIONS[0], samples.BATCHES[1], samples.REDEMPTIONS[2]),
)


class Creating(Examples):
    """``create``: lost if something of that kind is stored under the id."""

    def test_what_was_created_is_stored_under_its_id(self, repository: Repository) -> None:
        """A record of any kind is read as it was created."""
        store(repository)
        for record in samples.RECORDS:
            assert exactly(stored(repository, record)) == exactly(record)

    def test_records_may_come_in_any_order(self, repository: Repository) -> None:
        """What a record names may come behind it in the same change."""
        repository.commit(Change(create=samples.RECORDS[::-1]))
        for record in samples.RECORDS:
            assert stored(repository, record) == record

    def test_a_taken_id_is_lost(self, repository: Repository) -> None:
        """Of no kind can a record be created where one is stored, be it the same or another."""
        store(repository)
        for record in samples.RECORDS:
            check_lost(repository, Change(create=[record]), masked_id(record))
            check_lost(repository, Change(create=[edited(record)]), masked_id(record))

    def test_two_under_one_id_are_lost(self, repository: Repository) -> None:
        """One change cannot create two records of a kind under one id."""
        new = Course(id="new", name="New")
        check_lost(repository, Change(create=[new, attrs.evolve(new, name="Other")]), "new")

    def test_two_kinds_may_share_an_id(self, repository: Repository) -> None:
        """An id is taken for its own kind only."""
        course, organization = Course(id="x", name="X"), Organization(id="x", name="X")
        repository.commit(Change(create=[course]))
        repository.commit(Change(create=[organization]))
        assert repository.get(Course, ["x"]) == {"x": course}
        assert repository.get(Organization, ["x"]) == {"x": organization}

    def test_ids_are_exact(self, repository: Repository) -> None:
        """Ids that differ in case, composition or outer space only are different ids."""
        names = ["a", "A", "a ", " a", "\u00e9", "e\u0301", "\uff41", "ss", "\u00df", "a\u200b"]
        courses = {name: Course(id=name, name=f"No. {at}") for at, name in enumerate(names)}
        repository.commit(Change(create=courses.values()))
        assert repository.get(Course, names) == courses

    def test_codes_are_exact(self, repository: Repository) -> None:
        """Codes that differ in case only are different keys."""
        store(repository)
        found = repository.get(TrainingKey, [samples.SPRING.code, samples.SMALL.code])
        assert found == {samples.SPRING.code: samples.SPRING, samples.SMALL.code: samples.SMALL}

    def test_many_records_fit_in_one_change(self, repository: Repository) -> None:
        """A change of thousands of keys is stored whole."""
        keys = [TrainingKey(code=f"Number-{place:05}", batch_id="spring") for place in range(7000)]
        store(repository, *keys)
        assert repository.get(TrainingKey, [key.code for key in keys]) == {
            key.code: key for key in keys
        }


class Addresses(Examples):
    """A created or replaced user is lost too if another has the same folded e-mail address."""

    SAME = (
        ("eve@example.com", "EVE@Example.COM"),
        ("stra\u00dfe@example.com", "STRASSE@example.com"),
        ("ren\u00e9@example.com", "rene\u0301@example.com"),
        ("e\u0301va@example.com", "\u00c9VA@example.com"),
    )

    def test_a_taken_address_is_lost(self, repository: Repository) -> None:
        """It is taken in any case and composition, for who is new and for who changes theirs."""
        store(repository)
        for place, (held, wanted) in enumerate(self.SAME):
            holder = User(id=f"holder-{place}", name="Holder", email=held)
            repository.commit(Change(create=[holder]))
            new = User(id="new", name="New", email=wanted)
            check_lost(repository, Change(create=[new]), "new")
            taking = Replace(samples.BO, attrs.evolve(samples.BO, email=wanted))
            check_lost(repository, Change(replace=[taking]), "bo")

    def test_two_newcomers_with_one_address_are_lost(self, repository: Repository) -> None:
        """Also if neither was there before."""
        for held, wanted in self.SAME:
            one = User(id="one", name="One", email=held)
            two = User(id="two", name="Two", email=wanted)
            check_lost(repository, Change(create=[one, two]), "one", "two")

    def test_ones_own_address_is_free(self, repository: Repository) -> None:
        """A user may write their own address otherwise, and keep it."""
        store(repository)
        louder = attrs.evolve(samples.ADA, email="ADA@EXAMPLE.ORG")
        repository.commit(Change(replace=[Replace(samples.ADA, louder)]))
        renamed = attrs.evolve(louder, name="Ada L.")
        repository.commit(Change(replace=[Replace(louder, renamed)]))
        assert listed(repository, UserQuery(email="ada@example.org")) == [renamed]

    def test_an_address_that_was_given_up_is_free(self, repository: Repository) -> None:
        """Someone else can have it from then on."""
        store(repository)
        moved = attrs.evolve(samples.ADA, email="ada@example.com")
        repository.commit(Change(replace=[Replace(samples.ADA, moved)]))
        heir = User(id="heir", name="Heir", email=samples.ADA.email)
        repository.commit(Change(create=[heir]))
        assert listed(repository, UserQuery(email=samples.ADA.email)) == [heir]


class Replacing(Examples):
    """``replace``: lost if the stored record is not equal to ``before``."""

    def test_what_is_as_it_was_read_is_replaced(self, repository: Repository) -> None:
        """A record of any kind is read as it was last written, and others stay as they were."""
        store(repository)
        for record in samples.RECORDS:
            repository.commit(Change(replace=[Replace(record, edited(record))]))
        for record in samples.RECORDS:
            after = edited(record)
            assert after != record
            assert exactly(stored(repository, record)) == exactly(after)

    def test_what_was_changed_meanwhile_is_lost(self, repository: Repository) -> None:
        """Whoever read an older value loses, even if they would write what is stored."""
        store(repository)
        for record in samples.RECORDS:
            after = edited(record)
            repository.commit(Change(replace=[Replace(record, after)]))
            check_lost(repository, Change(replace=[Replace(record, record)]), masked_id(record))
            check_lost(repository, Change(replace=[Replace(record, after)]), masked_id(record))
            repository.commit(Change(replace=[Replace(after, record)]))

    def test_every_field_is_compared(self, repository: Repository) -> None:
        """A value that differs in any one field is another value."""
        store(repository)
        for record in OF_MANY_FIELDS:
            varied: set[str] = set()
            for name, other in variants(record):
                if other.id == record.id:
                    check_lost(repository, Change(replace=[Replace(other, record)]), record.id)
                    varied.add(name)
            assert {one.name for one in attrs.fields(type(record))} - varied <= {"id"}

    def test_what_is_not_there_is_lost(self, repository: Repository) -> None:
        """Nothing is made by replacing."""
        for record in samples.RECORDS:
            check_lost(repository, Change(replace=[Replace(record, record)]), masked_id(record))

    def test_replacing_a_record_by_itself_changes_nothing(self, repository: Repository) -> None:
        """It is checked all the same."""
        store(repository)
        before = contents(repository)
        repository.commit(Change(replace=[Replace(one, one) for one in samples.RECORDS]))
        assert contents(repository) == before


class Expecting(Examples):
    """``expect``: lost if the stored record, before this change, is not equal to it."""

    def test_nothing_is_written(self, repository: Repository) -> None:
        """What is as it was read stays so."""
        store(repository)
        before = contents(repository)
        repository.commit(Change(expect=samples.RECORDS))
        assert contents(repository) == before

    def test_what_is_otherwise_is_lost(self, repository: Repository) -> None:
        """Another value is, and so is what is not there at all."""
        for record in samples.RECORDS:
            check_lost(repository, Change(expect=[record]), masked_id(record))
        store(repository)
        for record in samples.RECORDS:
            check_lost(repository, Change(expect=[edited(record)]), masked_id(record))

    def test_the_uses_of_a_key_count(self, repository: Repository) -> None:
        """Unlike a replace, it compares a key whole."""
        store(repository)
        repository.commit(Change(use=[Use(samples.SPRING, 1)]))
        check_lost(repository, Change(expect=[samples.SPRING]), "****-26")

    def test_it_speaks_of_what_was_there_before(self, repository: Repository) -> None:
        """What the same change writes is not what it expects."""
        store(repository)
        after = edited(samples.PYTHON)
        replace = [Replace(samples.PYTHON, after)]
        new = Course(id="new", name="New")
        check_lost(repository, Change(replace=replace, expect=[after]), "py")
        check_lost(repository, Change(create=[new], expect=[new]), "new")
        used = attrs.evolve(samples.SPRING, uses=3)
        use = [Use(samples.SPRING, 1)]
        check_lost(repository, Change(use=use, expect=[used]), "****-26")
        repository.commit(Change(replace=replace, use=use, expect=[samples.PYTHON, samples.SPRING]))
        assert stored(repository, after) == after
        assert stored(repository, used) == used


class Together(Examples):
    """All of a change is stored, or nothing."""

    def test_all_verbs_are_stored_together(self, repository: Repository) -> None:
        """One change may speak all five."""
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
        """Whatever else would have succeeded is not stored."""
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
            (Change(replace=[Replace(stale, samples.PYTHON)]), "py"),
            (Change(use=[Use(samples.USED_UP, 1)]), "****-26"),
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
        """A conflict names what was lost, and nothing else."""
        store(repository)
        stale = edited(samples.PYTHON)
        change = Change(
            create=[samples.ADA],
            replace=[Replace(stale, samples.PYTHON)],
            use=[Use(samples.USED_UP, 1)],
            expect=[edited(samples.SQL)],
        )
        check_lost(repository, change, "ada", "py", "****-26", "sql")

    def test_an_empty_change_is_no_matter(self, repository: Repository) -> None:
        """Nothing happens."""
        store(repository)
        before = contents(repository)
        repository.commit(Change())
        assert contents(repository) == before
