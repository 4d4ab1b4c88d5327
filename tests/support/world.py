"""The world of the samples to act in, with a clock and a registrar."""

from typing import Any

from course_assignments import ManualClock, Registrar, Repository
from course_assignments.testing.contract.base import contents
from course_assignments.testing.samples import (
    ACME,
    ADA,
    BETA,
    BO,
    CY,
    DRAFT,
    MANAGER,
    OLD,
    PYTHON,
    SALES,
    SQL,
    START,
    SUPPORT,
    WORLD,
    counting,
    counting_bytes,
)

__all__ = ["ACME", "ADA", "BETA", "BO", "CY", "DRAFT", "MANAGER", "OLD", "PYTHON", "RECORDS"]
__all__ += ["SALES", "SQL", "START", "SUPPORT", "contents", "counting", "counting_bytes", "world"]

RECORDS = WORLD


def world(repository: Repository | None = None, **options: Any) -> tuple[Registrar, ManualClock]:
    """Return a registrar who knows `RECORDS`, and the clock it reads, which shows `START`."""
    clock = ManualClock(START)
    settings: dict[str, Any] = {
        "clock": clock,
        "new_id": counting(),
        "random_bytes": counting_bytes(),
        **options,
    }
    registrar = Registrar(repository, **settings)
    registrar.add(*RECORDS)
    return registrar, clock
