"""A process that writes: it opens a repository, redeems keys and reports each redemption.

A process pool imports this module, so that each writer starts quickly. `VARIANTS` are the
repositories that a writer can use: the real one, and those without one guard.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from sqlalchemy import create_engine

from course_assignments import ManualClock, Policies, Refused, Registrar, Repository
from tests.support.processes import Channel
from tests.support.sql_without_guards import VARIANTS
from tests.support.world import START

with suppress(ImportError):  # on SQLite alone it is not there
    import psycopg  # noqa: F401 - imported here, it need not be imported by each writer


@dataclass(frozen=True)
class Place:
    """Where records are kept, and how a writer goes about it."""

    url: str
    isolation: str | None = None
    variant: str = "sound"

    def repository(self) -> Repository:
        level = {} if self.isolation is None else {"isolation_level": self.isolation}
        return VARIANTS[self.variant](create_engine(self.url, **level))

    def at(self, isolation: str | None) -> "Place":
        return replace(self, isolation=isolation)

    def using(self, variant: str) -> "Place":
        return replace(self, variant=variant)


@dataclass(frozen=True)
class Call:
    """One redemption: of which key, for whom, and under which id."""

    code: str
    learner_id: str
    id: str | None = None


@dataclass(frozen=True)
class Answer:
    """What came of a call: ``redeemed``, the codes of a refusal, or the name of an error."""

    call: Call
    said: str
    assignment_id: str | None = None
    is_fault: bool = False


REDEEMED = "redeemed"

#: What a writer sends when it is ready to begin.
READY = "ready"


def write(channel: Channel, place: Place, calls: Iterable[Call], policies: Policies) -> None:
    """Wait for a signal, then redeem call by call and report each answer; end at a fault."""
    registrar = Registrar(place.repository(), policies=policies, clock=ManualClock(START))
    channel.send(READY)
    channel.recv()
    for call in calls:
        answer = _answer(registrar, call)
        channel.send(answer)
        if answer.is_fault:
            break


def _answer(registrar: Registrar, call: Call) -> Answer:
    try:
        made = registrar.redeem(call.code, call.learner_id, id=call.id)
    except Refused as refused:
        return Answer(call, ", ".join(reason.code for reason in refused.decision.reasons))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
        return Answer(call, type(error).__name__, is_fault=True)
    return Answer(call, REDEEMED, made.id)
