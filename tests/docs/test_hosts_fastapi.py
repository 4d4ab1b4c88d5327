import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fastapi_app
import httpx
import pytest
from sqlalchemy import Engine, create_engine, event, text

from course_assignments import Course, KeyQuery, ManualClock, Organization, Registrar, User
from course_assignments.sqlalchemy import SqlRepository

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LEARNERS = [f"learner-{number}" for number in range(12)]
CODE = "Spring-2026"
OTHER = "Summer-2026"

pytestmark = pytest.mark.anyio


class Service:
    """The app on a file of its own, and what an administrator sees of the same file."""

    def __init__(self, path: Path, **options: int) -> None:
        self.clock = ManualClock(NOW)
        self.path = path
        query = "&".join(f"{name}={value}" for name, value in options.items())
        self.app = fastapi_app.create_app(f"sqlite+aiosqlite:///{path}?{query}", self.clock)
        self.engine: Engine = create_engine(f"sqlite:///{path}")
        self.repository = SqlRepository(self.engine, fastapi_app.TABLES)
        self.registrar = Registrar(self.repository, clock=self.clock)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[httpx.AsyncClient]:
        """Start it, with a key of five uses for twelve learners."""
        async with self.app.router.lifespan_context(self.app):
            self.registrar.add(
                Course(id="py", name="Python", content_provider="us", publishing_group="all"),
                Organization(id="acme", name="Acme"),
                *(
                    User(id=one, name=one, email=f"{one}@example.org", organization_id="acme")
                    for one in LEARNERS
                ),
            )
            self.registrar.create_keys(
                "py",
                name="Spring",
                organization_id="acme",
                availability=timedelta(days=30),
                max_uses=5,
                codes=[CODE, OTHER],
            )
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                yield client
        self.engine.dispose()

    def uses(self) -> int:
        return next(iter(self.repository.find(KeyQuery(code=CODE)))).uses


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Service:
    return Service(tmp_path / "training.db", **getattr(request, "param", {}))


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with service.open() as client:
        yield client


async def redeem(client: httpx.AsyncClient, learner: str, code: str = CODE, **headers: str) -> Any:
    return await client.post(
        f"/learners/{learner}/redemptions", json={"code": code}, headers=headers
    )


async def test_a_learner_redeems_a_key(service: Service, client: httpx.AsyncClient) -> None:
    answer = await redeem(client, "learner-0")

    assert answer.status_code == 201
    assert answer.json() == {
        "id": answer.json()["id"],
        "course_id": "py",
        "expires_at": "2026-04-01T09:00:00Z",
    }
    assert service.uses() == 1


async def test_five_of_twelve_concurrent_requests_get_the_five_uses(
    service: Service, client: httpx.AsyncClient
) -> None:
    answers = await asyncio.gather(*(redeem(client, learner) for learner in LEARNERS))

    got = [answer.status_code for answer in answers]
    assert sorted(got) == [201] * 5 + [409] * 7
    told = [answer.json()["codes"] for answer in answers if answer.status_code == 409]
    assert told == [["key_exhausted"]] * 7
    assert service.uses() == 5


async def test_under_one_idempotency_key_a_request_counts_once(
    service: Service, client: httpx.AsyncClient
) -> None:
    again = [redeem(client, "learner-0", **{"Idempotency-Key": "r-1"}) for _ in range(4)]
    answers = await asyncio.gather(*again)
    begun: list[Any] = []
    event.listen(service.app.state.runner.engine.sync_engine, "begin", begun.append)
    other = await redeem(client, "learner-0", OTHER, **{"Idempotency-Key": "r-1"})

    made = (201, "learner-0/r-1")
    assert [(one.status_code, one.json()["id"]) for one in answers] == [made] * 4
    assert (other.status_code, other.json()["codes"]) == (409, ["id_taken"])
    assert len(begun) == 1
    assert service.uses() == 1
    own = await redeem(client, "learner-1", **{"Idempotency-Key": "r-1"})
    assert own.json()["id"] == "learner-1/r-1"


@pytest.mark.parametrize(
    ("learner", "code", "status", "codes"),
    [
        ("nobody", CODE, 404, []),
        ("learner-0", "Autumn-2026", 409, ["key_not_found"]),
        ("learner-0", "0000-0000-0000-0001-3", 409, ["key_mistyped"]),
        ("x" * 201, CODE, 422, ["too_long"]),
    ],
    ids=["unknown_learner", "unknown_key", "mistyped_key", "long_id"],
)
async def test_what_goes_wrong_has_a_status_and_codes(
    service: Service, client: httpx.AsyncClient, learner: str, code: str, *, status: int, codes: Any
) -> None:
    answer = await redeem(client, learner, code)

    assert (answer.status_code, answer.json()["codes"]) == (status, codes)
    assert answer.json()["detail"]
    assert service.uses() == 0


@pytest.mark.parametrize(
    ("end", "status", "codes"),
    [
        ("2026-03-20T12:00:00+01:00", 200, None),
        ("2026-03-20T12:00:00", 422, ["naive_datetime"]),
        ("2027-03-20T12:00:00Z", 409, ["expires_too_late"]),
        ("2026-01-20T12:00:00Z", 409, ["expires_too_early"]),
    ],
)
async def test_a_new_end_takes_a_time_zone_and_obeys_the_limits(
    client: httpx.AsyncClient, end: str, status: int, codes: list[str] | None
) -> None:
    made = (await redeem(client, "learner-0")).json()["id"]

    answer = await client.put(f"/assignments/{made}/end", json={"expires_at": end})

    assert (answer.status_code, answer.json().get("codes")) == (status, codes)


async def test_a_request_that_conflicts_decides_again_on_the_new_state(
    service: Service, client: httpx.AsyncClient
) -> None:
    made = (await redeem(client, "learner-0")).json()["id"]
    engine = service.app.state.runner.engine.sync_engine
    overtaken: list[str] = []
    rolled_back: list[Any] = []
    event.listen(engine, "rollback", rolled_back.append)

    @event.listens_for(engine, "before_cursor_execute")
    def overtake(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement == "BEGIN IMMEDIATE" and not overtaken:
            overtaken.append(service.registrar.cancel(made).id)

    answer = await client.put(
        f"/assignments/{made}/end", json={"expires_at": "2026-03-20T12:00:00Z"}
    )

    assert overtaken == [made]
    assert len(rolled_back) == len(["what lost", "what was refused"])
    assert (answer.status_code, answer.json()["codes"]) == (409, ["already_cancelled"])


@pytest.mark.parametrize("service", [{"timeout": 0}], indirect=True)
async def test_a_storage_that_stays_busy_is_a_503_that_says_when_to_come_back(
    service: Service, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def at_once(seconds: float) -> None:
        waits.append(seconds)

    with closing(sqlite3.connect(service.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(asyncio, "sleep", at_once)
        busy = await redeem(client, "learner-0")
        monkeypatch.undo()
    free = await redeem(client, "learner-0")

    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "1")
    assert len(waits) == fastapi_app.TRIES - 1
    assert (free.status_code, service.uses()) == (201, 1)


async def test_what_is_wrong_in_the_service_itself_is_a_500(
    service: Service, client: httpx.AsyncClient
) -> None:
    with service.engine.begin() as connection:
        connection.execute(text("ALTER TABLE training_training_keys RENAME TO lost"))

    answer = await redeem(client, "learner-0")

    assert answer.status_code == 500
