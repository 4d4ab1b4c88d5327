"""What a database really holds, read with plain SQL and without a repository."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, MetaData, Select, create_engine, func, select
from sqlalchemy.pool import NullPool

from course_assignments import CourseAssignment, Event, Redemption, TrainingKey
from course_assignments.sqlalchemy import build_tables

TABLES = build_tables(MetaData()).by_kind
KEYS, EVENTS = TABLES[TrainingKey].c, TABLES[Event].c
REDEMPTIONS, ASSIGNMENTS = TABLES[Redemption].c, TABLES[CourseAssignment].c


@dataclass(frozen=True)
class Ledger:
    """How often keys were used, counted in four places that must agree."""

    uses: int
    redemptions: int
    assignments: int
    events: int
    #: Redemptions of a key by a learner who had redeemed it before.
    doubled: int
    #: What the integrity checks of the database report.
    complaints: tuple[str, ...] = ()

    @property
    def agree(self) -> bool:
        """Whether all counts agree, and the database reports nothing wrong."""
        accounts = {self.uses, self.redemptions, self.assignments, self.events}
        return len(accounts) == 1 and not self.complaints


#: Each count, as one number.
ACCOUNTS: dict[str, Select[Any]] = {
    "uses": select(func.coalesce(func.sum(KEYS.uses), 0)),
    "redemptions": select(func.count(REDEMPTIONS.id)),
    "assignments": select(func.count(ASSIGNMENTS.id)),
    "events": select(func.count(EVENTS.position)).where(EVENTS.action == "redeem"),
    "doubled": select(
        func.count(REDEMPTIONS.id)
        - func.count(func.distinct(REDEMPTIONS.key_id + " " + REDEMPTIONS.learner_id))
    ),
}


def read_ledger(url: str) -> Ledger:
    """Return what the database at *url* holds."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        counted: dict[str, Any] = {
            name: connection.execute(account).scalar_one() for name, account in ACCOUNTS.items()
        }
        return Ledger(**counted, complaints=_complaints(connection))


def _complaints(connection: Connection) -> tuple[str, ...]:
    if connection.dialect.name != "sqlite":
        return ()
    said = connection.exec_driver_sql("PRAGMA integrity_check").scalars()
    dangling = connection.exec_driver_sql("PRAGMA foreign_key_check")
    return (*(one for one in said if one != "ok"), *map(str, dangling))


@dataclass(frozen=True)
class Use:
    """One use of a key: its redemption and the assignment of that id are both stored."""

    code: str
    learner_id: str
    id: str


def uses(url: str, codes: Iterable[str]) -> list[Use]:
    """Return every use of the keys with *codes*."""
    found = (
        select(KEYS.code, REDEMPTIONS.learner_id, ASSIGNMENTS.id)
        .join_from(TABLES[Redemption], TABLES[CourseAssignment])
        .join(TABLES[TrainingKey], KEYS.id == REDEMPTIONS.key_id)
        .where(KEYS.code.in_([*codes]))
    )
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return [Use(*row) for row in connection.execute(found)]
