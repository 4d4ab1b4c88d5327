"""Serialization of records to JSON and to plain data."""

from course_assignments.serialization.records import (
    VERSION,
    from_json,
    read_value,
    to_dict,
    to_json,
    write_value,
)

__all__ = ["VERSION", "from_json", "read_value", "to_dict", "to_json", "write_value"]
