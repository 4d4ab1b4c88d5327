"""SQL repositories that lack one guard each: what goes wrong elsewhere, and has to be noticed here.

Each keeps its records with the real one, and does one thing differently when it commits.
"""

from collections.abc import Callable, Iterable
from typing import Any

import attrs
from sqlalchemy import Connection, Engine, event, select, update
from sqlalchemy.exc import OperationalError

from course_assignments import (
    Change,
    Conflict,
    Decision,
    Page,
    Query,
    Refused,
    Repository,
    TrainingKey,
    Use,
)
from course_assignments.changes import R
from course_assignments.queries import RecordT
from course_assignments.reasons import KeyExhausted
from course_assignments.sqlalchemy import SqlRepository
from tests.support.ledger import TABLES

KEYS = TABLES[TrainingKey]


class Careless:
    """The real repository, but for how it commits."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sound = SqlRepository(engine)

    def get(self, kind: type[R], ids: Iterable[str], /) -> dict[str, R]:
        return self.sound.get(kind, ids)

    def find(self, query: Query[RecordT], /) -> Page[RecordT]:
        return self.sound.find(query)


class CountsInHand(Careless):
    """The counter is read, counted up in hand, and written back."""

    def commit(self, change: Change, /) -> None:
        with self.engine.begin() as connection:
            counted = {use.key.id: self._read(connection, use) + use.by for use in change.use}
        if any(counted[use.key.id] > use.key.max_uses for use in change.use):
            raise Conflict(tuple(counted))
        self.sound.commit(attrs.evolve(change, use=()))
        with self.engine.begin() as connection:
            for id_, number in counted.items():
                connection.execute(update(KEYS).where(KEYS.c.id == id_).values(uses=number))

    def _read(self, connection: Connection, use: Use) -> int:
        read = select(KEYS.c.uses).where(KEYS.c.id == use.key.id)
        return int(connection.execute(read).scalar_one())


class SaysUsedUpWhenBusy(Careless):
    """Who finds the key in the hands of another is told that it is used up, and not to wait."""

    def commit(self, change: Change, /) -> None:
        for use in change.use:
            try:
                self._look_at(use.key)
            except OperationalError:
                raise Refused(Decision([KeyExhausted(use.key.max_uses)])) from None
        self.sound.commit(change)

    def _look_at(self, key: TrainingKey) -> None:
        with self.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA busy_timeout = 0")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            held = select(KEYS.c.uses).where(KEYS.c.id == key.id).with_for_update(nowait=True)
            connection.execute(held)


class InTwoSteps(Careless):
    """The counter is written in a transaction of its own."""

    def commit(self, change: Change, /) -> None:
        self.sound.commit(attrs.evolve(change, use=()))
        self.sound.commit(Change(use=change.use))


class StoresLater(Careless):
    """It says that all is stored, and stores it when it is called the next time."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._waiting: list[Change] = []

    def get(self, kind: type[R], ids: Iterable[str], /) -> dict[str, R]:
        while self._waiting:
            self.sound.commit(self._waiting.pop())
        return super().get(kind, ids)

    def commit(self, change: Change, /) -> None:
        self._waiting.append(change)


def does_not_wait_for_the_disk(engine: Engine) -> SqlRepository:
    """Keep records in a PostgreSQL that says that all is stored before it is on the disk."""

    @event.listens_for(engine, "connect")
    def hurry(connection: Any, _: object) -> None:
        connection.execute("SET synchronous_commit = off")
        connection.commit()

    return SqlRepository(engine)


VARIANTS: dict[str, Callable[[Engine], Repository]] = {
    "sound": SqlRepository,
    "counts in hand": CountsInHand,
    "says used up when busy": SaysUsedUpWhenBusy,
    "in two steps": InTwoSteps,
    "stores later": StoresLater,
    "does not wait for the disk": does_not_wait_for_the_disk,
}
