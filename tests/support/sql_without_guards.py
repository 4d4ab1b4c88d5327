"""SQL repositories that lack one guard each, as is common in real systems.

Each keeps its records with the real one, and does one thing differently when it commits.
"""

from collections.abc import Callable
from typing import Any

import attrs
from sqlalchemy import Connection, Engine, event, select, update
from sqlalchemy.exc import OperationalError

import course_assignments as ca
from course_assignments.changes import R
from course_assignments.reasons import KeyExhausted
from course_assignments.sqlalchemy import SqlRepository
from course_assignments.validation import Strings
from tests.support.ledger import TABLES
from tests.support.races import Watched

KEYS = TABLES[ca.TrainingKey]


class Careless(Watched):
    """The real repository, except for how it commits."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sound = SqlRepository(engine)
        super().__init__(self.sound)


class CountsInTheClient(Careless):
    """The client reads the counter, adds one and writes it back."""

    def commit(self, change: ca.Change, /) -> None:
        with self.engine.begin() as connection:
            counted = {use.key.id: self._read(connection, use) + use.by for use in change.use}
        if any(counted[use.key.id] > use.key.max_uses for use in change.use):
            raise ca.Conflict(tuple(counted))
        self.sound.commit(attrs.evolve(change, use=()))
        with self.engine.begin() as connection:
            for id_, number in counted.items():
                connection.execute(update(KEYS).where(KEYS.c.id == id_).values(uses=number))

    def _read(self, connection: Connection, use: ca.Use) -> int:
        read = select(KEYS.c.uses).where(KEYS.c.id == use.key.id)
        return int(connection.execute(read).scalar_one())


class DoesNotWaitForOthers(Careless):
    """A locked key is reported as exhausted."""

    def commit(self, change: ca.Change, /) -> None:
        for use in change.use:
            try:
                self._look_at(use.key)
            except OperationalError:
                raise ca.Refused(ca.Decision([KeyExhausted(use.key.max_uses)])) from None
        self.sound.commit(change)

    def _look_at(self, key: ca.TrainingKey) -> None:
        with self.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA busy_timeout = 0")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            held = select(KEYS.c.uses).where(KEYS.c.id == key.id).with_for_update(nowait=True)
            connection.execute(held)


class CountsInASecondStep(Careless):
    """The counter is written in a separate transaction."""

    def commit(self, change: ca.Change, /) -> None:
        self.sound.commit(attrs.evolve(change, use=()))
        self.sound.commit(ca.Change(use=change.use))


class StoresLater(Careless):
    """A commit returns before its change is stored, by the next call."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._waiting: list[ca.Change] = []

    def get(self, kind: type[R], ids: Strings, /) -> dict[str, R]:
        while self._waiting:
            self.sound.commit(self._waiting.pop())
        return super().get(kind, ids)

    def commit(self, change: ca.Change, /) -> None:
        self._waiting.append(change)


def does_not_wait_for_the_disk(engine: Engine) -> SqlRepository:
    """Keep records in a PostgreSQL that says that all is stored before it is on the disk."""

    @event.listens_for(engine, "connect")
    def hurry(connection: Any, _: object) -> None:
        connection.execute("SET synchronous_commit = off")
        connection.commit()

    return SqlRepository(engine)


VARIANTS: dict[str, Callable[[Engine], ca.Repository]] = {
    "sound": SqlRepository,
    "counting in the client": CountsInTheClient,
    "not waiting for others": DoesNotWaitForOthers,
    "counting in a second step": CountsInASecondStep,
    "acknowledging before storing": StoresLater,
    "not waiting for the disk": does_not_wait_for_the_disk,
}
