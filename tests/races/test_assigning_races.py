"""Commands that make an assignment of one course to one learner, each at every point of another.

Under SKIP and REFUSE it makes no difference which command made the other assignment (rule 15).
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository
from course_assignments.testing.samples import DAY
from tests.support.missing_guards import creates_over, replaces_anything
from tests.support.order import Command, Table
from tests.support.races import Make, Scene, careless, granted, interrupted, newcomers, the_one
from tests.support.sql import closing, emptied, open_file, stocked
from tests.support.world import contents

CODES = ("Spring-2026-1", "Spring-2026-2")
(DI,) = newcomers(1, "new")
MODES = (ca.Repeat.SKIP, ca.Repeat.REFUSE)

#: Every command that makes an assignment, twice: with other arguments it is another call.
ASSIGNING: dict[str, Command] = {
    "assign": lambda of: of.assign("py", "ada", id="x-1"),
    "assign again": lambda of: of.assign("py", "ada", id="x-2"),
    "assign_many": lambda of: of.assign_many(["py", "sql"], ["bo", "ada", DI], id="r-1"),
    "assign_many again": lambda of: of.assign_many(["py"], [DI, "ada"], id="r-2"),
    "redeem": lambda of: of.redeem(CODES[0], "ada", id="x-3"),
    "redeem again": lambda of: of.redeem(CODES[1], "ada", id="x-4"),
    "register": lambda of: of.register(CODES[0], DI, id="x-5"),
    "register again": lambda of: of.register(CODES[1], DI, id="x-6"),
    "open_course": lambda of: of.open_course("s-1", "py", id="x-7"),
    "open_course again": lambda of: of.open_course("s-2", "py", id="x-8"),
    "reschedule": lambda of: of.reschedule("x-0", 20 * DAY),  # an expired one becomes active
}
TABLE = Table(ASSIGNING)


#: What Ada has at the beginning; after an assignment there is a claim.
GIVEN = (
    *("nothing", "a cancelled assignment", "an active assignment"),
    "an expired assignment",
)


def scene(mode: ca.Repeat, given: str = "nothing") -> Scene:
    """Return a scene with keys and two subscriptions of Ada, who has what is *given*."""
    found = Scene(
        ca.InMemoryRepository(), policies=ca.Policies(repeat=ca.RepeatPolicy(default=mode))
    )
    of = found.registrar
    of.create_keys(
        "py",
        id="spring",
        name="Spring",
        organization_id="acme",
        availability=30 * DAY,
        any_organization=True,
        codes=CODES,
        max_uses=2,
    )
    for id_ in ("s-1", "s-2"):
        of.subscribe(["py"], "ada", duration=30 * DAY, id=id_)
    if given != "nothing":
        of.assign("py", "ada", id="x-0", expires=DAY)  # the others last longer
    if given == "a cancelled assignment":
        of.cancel("x-0")
    if given == "an expired assignment":
        found.clock.advance(DAY)
    return found


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ASSIGNING)
def test_assigning_commands_that_meet_have_a_serial_order(
    name: str, mode: ca.Repeat, given: str
) -> None:
    assert TABLE.all_differences(ca.InMemoryRepository, scene(mode, given), name) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("other", ["assign again", "redeem", "open_course"])
@pytest.mark.parametrize("name", ["assign", "assign_many again"])
def test_they_have_none_without_claims(name: str, other: str, mode: ca.Repeat) -> None:
    fresh, claimed = scene(mode), scene(mode, "a cancelled assignment")
    for base, habit in ((fresh, creates_over(ca.Claim)), (claimed, replaces_anything(ca.Claim))):
        assert TABLE.differences(careless(habit), base, name, other) != []


@pytest.fixture
def empty_sqlite(tmp_path: Path) -> Iterator[Make]:
    with closing(open_file(tmp_path / "records.db")) as engine:
        stocked(engine)
        yield partial(emptied, engine, SqlRepository(engine))


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ASSIGNING)
def test_assigning_commands_that_meet_have_a_serial_order_in_sqlite(
    name: str, mode: ca.Repeat, empty_sqlite: Make
) -> None:
    assert TABLE.all_differences(empty_sqlite, scene(mode), name) == []


def upload(of: ca.Registrar, *learners: str | ca.User, course: str = "py") -> ca.AssignmentBatch:
    return of.assign_many([course], learners, id="up-7", repeat=ca.Repeat.SKIP)


class TestOneIdForTwoRosters:
    """The id of a call is claimed, so a call that is repeated has one result."""

    @staticmethod
    def start() -> Scene:
        """Return a scene in which Ada has the course, so a roster skips her."""
        return scene(ca.Repeat.ALLOW, "an active assignment")

    def test_a_retry_amid_the_first_call_returns_what_the_first_made_and_skipped(self) -> None:
        """Between the two, Ada's assignment ends and Bo gets one: they would make other pairs."""
        retried: list[ca.AssignmentBatch] = []

        def change_and_retry(of: ca.Registrar) -> ca.AssignmentBatch:
            of.cancel("x-0")
            of.assign("py", "bo", id="x-1")
            return upload(of, "ada", "bo")

        def check(found: Scene, outcomes: list[Any]) -> None:
            first, retry = granted(outcomes)
            now = found.repository.get(ca.CourseAssignment, [one.id for one in all_of(first)])
            assert all_of(retry) == [now[one.id] for one in all_of(first)]
            assert len(found.events("assign_many")) == 1
            assert upload(found.registrar, "ada", "bo") == retry
            retried.append(retry)

        interrupted(self.start, lambda of: upload(of, "ada", "bo"), change_and_retry, check)
        # First the retry is through before the call reads anything, and last it comes after it.
        assert [one.learner_id for one in retried[0].created] == ["ada"]
        assert [one.learner_id for one in retried[-1].created] == ["bo"]

    @pytest.mark.parametrize(
        "other",
        [
            lambda of: upload(of, "bo", "cy"),
            lambda of: upload(of, "ada", "bo", course="sql"),
            lambda of: upload(of, "bo", "ada"),
            lambda of: upload(of, DI, "ada"),
        ],
        ids=["other learners", "another course", "another order", "a newcomer"],
    )
    def test_with_other_arguments_one_of_two_calls_is_a_conflict(self, other: Command) -> None:
        def roster(of: ca.Registrar) -> object:
            return upload(of, "ada", "bo")

        def check(found: Scene, outcomes: list[Any]) -> None:
            batch = the_one([one for one in outcomes if isinstance(one, ca.AssignmentBatch)])
            assert ca.Conflict(("up-7",), "id_taken") in outcomes
            made = {one.id for one in contents(found.repository)["CourseAssignment"]} - {"x-0"}
            assert made == {one.id for one in batch.created}
            assert len(found.events("assign_many")) == 1

        assert interrupted(self.start, roster, other, check) > 4
        assert interrupted(self.start, other, roster, check) > 4

    def test_without_the_receipt_both_calls_are_stored(self) -> None:
        def check(_: Scene, outcomes: list[Any]) -> None:
            assert ca.Conflict(("up-7",), "id_taken") in outcomes

        def start() -> Scene:
            return self.start().copied(careless(creates_over(ca.Receipt)))

        with pytest.raises(AssertionError):
            interrupted(
                start,
                lambda of: upload(of, "ada", "bo"),
                lambda of: upload(of, "cy"),
                check,
            )


def all_of(batch: ca.AssignmentBatch) -> list[ca.CourseAssignment]:
    return [*batch.created, *batch.skipped]
