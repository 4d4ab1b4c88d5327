"""Records as JSON and back; the extra ``cattrs`` installs what it needs."""

from course_assignments.serialization.converter import VERSION, from_json, make_converter, to_json

__all__ = ["VERSION", "from_json", "make_converter", "to_json"]
