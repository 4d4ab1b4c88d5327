"""Records in SQLite or PostgreSQL, by SQLAlchemy: the extra ``sqlalchemy`` brings what it needs.

Nothing else of this library imports it, so that those who keep their records elsewhere need not
have it.
"""

from course_assignments.sqlalchemy.repository import SqlRepository
from course_assignments.sqlalchemy.tables import Tables, build_tables

__all__ = ["SqlRepository", "Tables", "build_tables"]
