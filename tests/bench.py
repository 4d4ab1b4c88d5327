"""Measure commands and look-ups with more and more records: nox -s bench. Asserts nothing."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache, partial
from io import StringIO
from itertools import count, repeat
from typing import Any

import attrs
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from sqlalchemy import create_engine

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository
from tests.support import postgres
from tests.support.world import ADA, world

CODE = "Benchmark-1"
#: The numbers of learners.
SIZES = (10_000, 100_000)


@cache
def filled(size: int) -> ca.Registrar:
    """Return a registrar with *size* learners in memory."""
    return fill(world()[0], size)


def fill(registrar: ca.Registrar, size: int) -> ca.Registrar:
    """Add *size* learners with one course each; half of them get a second course."""
    people = [
        attrs.evolve(ADA, id=f"u{one}", email=f"u{one}@example.org", organization_id="acme")
        for one in range(size)
    ]
    registrar.add(*people)
    registrar.create_keys(
        "py",
        name="Keys",
        organization_id="acme",
        availability=timedelta(days=30),
        max_uses=10**9,
        codes=[CODE],
        generate=100,
        id="spring",
    )
    registrar.assign_many(["py"], [one.id for one in people])
    for one in people[: size // 2]:
        registrar.redeem(CODE, one.id)
    return registrar


def look_up(by: str, registrar: ca.Registrar) -> Callable[[], object]:
    """Return a look-up of one learner, key or batch."""
    if by == "id":
        return partial(registrar.repository.get, ca.User, ["u7"])
    if by == "key and learner":
        (key,) = registrar.find_all(ca.KeyQuery(code=CODE))
        return partial(
            registrar.repository.find, ca.RedemptionQuery(key_id=key.id, learner_id="u7")
        )
    queries: dict[str, ca.Query[Any]] = {
        "learner": ca.AssignmentQuery(learner_id="u7"),
        "batch": ca.KeyQuery(batch_ids=["spring"]),
        "email": ca.UserQuery(email="U7@example.org"),
    }
    return partial(registrar.repository.find, queries[by])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("by", ["id", "learner", "batch", "key and learner", "email"])
def test_look_up(benchmark: BenchmarkFixture, size: int, by: str) -> None:
    benchmark(look_up(by, filled(size)))


@pytest.mark.parametrize("size", SIZES)
class TestCommands:
    def test_assign(self, benchmark: BenchmarkFixture, size: int) -> None:
        benchmark(filled(size).assign, "sql", "cy")

    def test_assign_skipping(self, benchmark: BenchmarkFixture, size: int) -> None:
        benchmark(filled(size).assign, "py", "u7", repeat=ca.Repeat.SKIP)

    def test_may_cancel(self, benchmark: BenchmarkFixture, size: int) -> None:
        registrar = filled(size)
        benchmark(registrar.may_cancel, registrar.assign("sql", "u7").id)

    def test_redeem(self, benchmark: BenchmarkFixture, size: int) -> None:
        registrar, numbers = filled(size), count(size // 2)
        # Each round needs a learner who has not redeemed the key, so the rounds are limited.
        rounds: Any = benchmark.pedantic
        rounds(lambda: registrar.redeem(CODE, f"u{next(numbers)}"), rounds=size // 4)

    def test_redeem_what_was_redeemed(self, benchmark: BenchmarkFixture, size: int) -> None:
        benchmark(filled(size).may_redeem, CODE, "u7")


@pytest.fixture(scope="module", params=["SQLite", "PostgreSQL"])
def registrar(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ca.Registrar]:
    """Return a registrar with a database in its default settings."""
    in_file = f"sqlite:///{tmp_path_factory.mktemp('bench') / 'records.db'}"
    url = in_file if request.param == "SQLite" else postgres.server().room()
    engine = create_engine(url)
    repository = SqlRepository(engine)
    repository.create_all()
    yield fill(world(repository)[0], 2_000)
    engine.dispose()


class TestInADatabase:
    @pytest.mark.parametrize("by", ["id", "learner"])
    def test_look_up(self, benchmark: BenchmarkFixture, registrar: ca.Registrar, by: str) -> None:
        benchmark(look_up(by, registrar))

    def test_assign(self, benchmark: BenchmarkFixture, registrar: ca.Registrar) -> None:
        benchmark(registrar.assign, "sql", "cy")

    def test_redeem(self, benchmark: BenchmarkFixture, registrar: ca.Registrar) -> None:
        numbers = count(1_000)
        rounds: Any = benchmark.pedantic
        rounds(lambda: registrar.redeem(CODE, f"u{next(numbers)}"), rounds=1_000)


class TestExporting:
    """One thousand rows: a million rows take as many seconds as these take milliseconds."""

    def test_assignments(self, benchmark: BenchmarkFixture) -> None:
        assignment = world()[0].assign("py", "ada")
        benchmark(lambda: ca.export_csv(repeat(assignment, 1000), StringIO()))

    def test_keys(self, benchmark: BenchmarkFixture) -> None:
        registrar = filled(SIZES[0])
        key = next(iter(registrar.keys("spring")))
        benchmark(lambda: ca.export_csv(repeat(key, 1000), StringIO()))
