"""Store records in SQLite or PostgreSQL with SQLAlchemy; needs the extra ``sqlalchemy``.

Nothing else in this library imports SQLAlchemy.
"""

from course_assignments.sqlalchemy.repository import SqlRepository
from course_assignments.sqlalchemy.tables import Tables, build_tables

__all__ = ["SqlRepository", "Tables", "build_tables"]
