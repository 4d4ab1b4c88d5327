"""A FastAPI service with async SQLAlchemy where learners redeem training keys.

Each command runs in one transaction of the service, and our commit is a savepoint in it. Any number
of workers may run. Start it with ``uvicorn --factory fastapi_app:create_app``.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from random import random
from typing import Annotated, Any, TypeVar

import attrs
from fastapi import APIRouter, Body, Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

import course_assignments as ca
from course_assignments.sqlalchemy import SqlRepository, build_tables

T = TypeVar("T")
URL = "sqlite+aiosqlite:///training.db"
METADATA = MetaData()  # add your own tables too; Alembic reads it
TABLES = build_tables(METADATA, prefix="training_")
STATUS = {ca.Refused: 409, ca.Conflict: 409, ca.NotFound: 404, ca.InvalidInput: 422}
TRIES = 5


@attrs.frozen
class Runner:
    """Executes each command in a separate transaction."""

    engine: AsyncEngine
    clock: ca.Clock

    async def carry_out(self, command: Callable[[ca.Registrar], T]) -> T:
        """Commit all that *command* does or nothing; retry after a concurrent change."""
        attempt = 1
        while True:
            try:
                async with self.engine.begin() as connection:
                    return await connection.run_sync(self._try, command)
            except (ca.Conflict, ca.StorageBusy) as error:
                if attempt == TRIES or getattr(error, "code", "") == "id_taken":
                    raise
            await asyncio.sleep(random() * 0.02 * 2**attempt)  # noqa: S311 - no secret
            attempt += 1

    def _try(self, connection: Connection, command: Callable[[ca.Registrar], T]) -> T:
        # No timeout: only a new transaction is sure to see the other changes.
        repository = SqlRepository(connection, TABLES)
        return command(ca.Registrar(repository, clock=self.clock, timeout=timedelta(0)))


def _runner(request: Request) -> Any:
    return request.app.state.runner


CurrentRunner = Annotated[Runner, Depends(_runner)]
router = APIRouter()


class Access(BaseModel, from_attributes=True):
    """An assignment as clients see it."""

    id: str
    course_id: str
    expires_at: datetime


@router.post("/learners/{learner_id}/redemptions", status_code=201, response_model=Access)
async def redeem(
    runner: CurrentRunner,
    learner_id: str,
    code: Annotated[str, Body(embed=True)],  # not in the URL, which appears in logs
    idempotency_key: Annotated[str | None, Header()] = None,
) -> ca.CourseAssignment:
    """Redeem a key once for each Idempotency-Key, however often the request is sent."""
    own = idempotency_key and f"{learner_id}/{idempotency_key}"  # unique for each learner
    return await runner.carry_out(lambda to: to.redeem(code, learner_id, id=own))


@router.put("/assignments/{assignment_id}/end", response_model=Access)
async def reschedule(
    runner: CurrentRunner, assignment_id: str, expires_at: Annotated[datetime, Body(embed=True)]
) -> ca.CourseAssignment:
    """Change the end of access."""
    return await runner.carry_out(lambda to: to.reschedule(assignment_id, expires_at))


async def explain(_: Request, error: Exception) -> JSONResponse:
    """Return codes for programs and sentences for people; other errors are a 500."""
    if isinstance(error, ca.StorageBusy):
        return JSONResponse({"detail": str(error)}, 503, {"Retry-After": "1"})
    if type(error) not in STATUS:
        raise error
    reasons = error.decision.reasons if isinstance(error, ca.Refused) else [error]
    codes = [one.code for one in reasons if hasattr(one, "code")]
    return JSONResponse({"codes": codes, "detail": str(error)}, STATUS[type(error)])


def create_app(url: str = URL, clock: ca.Clock = ca.system_clock) -> FastAPI:
    """Return the service with its database at *url*."""
    engine = create_async_engine(url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(lambda one: SqlRepository(one, TABLES).create_all())
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan, exception_handlers={ca.CourseAssignmentsError: explain})
    app.state.runner = Runner(engine, clock)
    app.include_router(router)
    return app
