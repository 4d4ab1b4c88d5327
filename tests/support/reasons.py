"""Facts for a reason of any class, by the types of its fields."""

from datetime import datetime
from typing import Any

import attrs

from course_assignments import ExpirationLimit, Role, reasons


def facts_for(kind: type[Any], text: str, instant: datetime) -> dict[str, Any]:
    """Return a value for each field of *kind*, from *text* and *instant* where they fit."""
    values: dict[Any, Any] = {
        datetime: instant,
        str: text,
        str | None: text,
        int: 7,
        bool: False,
        tuple[str, ...]: (text,),
        tuple[int, ...]: (7,),
        tuple[Role, ...]: tuple(Role),
        ExpirationLimit: ExpirationLimit.COURSE,
        reasons.PlainReason: reasons.CourseArchived("py"),
    }
    return {field.name: values[field.type] for field in attrs.fields(kind)}
