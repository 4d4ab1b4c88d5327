"""Store records in SQLite or PostgreSQL with SQLAlchemy; needs the extra ``sqlalchemy``.

Nothing else in this library imports SQLAlchemy.
"""

from course_assignments.errors import check_extra

check_extra("sqlalchemy", "sqlalchemy")

from course_assignments.sqlalchemy.repository import SqlRepository  # noqa: E402 - needs the extra
from course_assignments.sqlalchemy.tables import Tables, build_tables  # noqa: E402 - the same

__all__ = ["SqlRepository", "Tables", "build_tables"]
