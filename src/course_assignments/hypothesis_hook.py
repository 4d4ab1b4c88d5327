"""Register our strategies with Hypothesis, once it and the package are imported.

It must not load `testing`, which loads pytest.
"""

from typing import Any, Final

from course_assignments.changes import KINDS, Event
from course_assignments.entities.assignments import Direct, FromKey, FromSubscription, Note
from course_assignments.entities.attempts import Pause
from course_assignments.entities.catalog import Activity
from course_assignments.entities.subscriptions import Opening
from course_assignments.time.durations import Months

#: The classes that ``st.from_type`` can generate: all records and the values in them.
DRAWN: Final[tuple[type, ...]] = (
    *(*KINDS, Event, Months, Note, Direct, FromKey, FromSubscription),
    *(Activity, Pause, Opening),
)


def register() -> None:
    """Let ``st.from_type`` generate each class of `DRAWN` with `testing.strategies`."""
    from hypothesis import strategies as st  # noqa: PLC0415 - an extra

    for kind in DRAWN:
        st.register_type_strategy(kind, _strategy_of)


def _strategy_of(kind: type) -> Any:
    from course_assignments.testing.strategies import STRATEGIES  # noqa: PLC0415 - only when asked

    return STRATEGIES[kind]()
