"""What can be asked of a repository: frozen values, every filter optional.

A query says by itself whether a record matches and where the record stands in the order, so that a
repository without a search engine of its own works by filtering and sorting.
"""

from typing import Any, Final

from course_assignments.queries.assignments import AssignmentQuery
from course_assignments.queries.attempts import AttemptQuery
from course_assignments.queries.base import (
    DEFAULT_PAGE,
    MAX_PAGE,
    F,
    Found,
    Parts,
    Place,
    Query,
    Ranges,
    Where,
)
from course_assignments.queries.catalog import CourseQuery, OrganizationQuery, UserQuery
from course_assignments.queries.events import EventQuery
from course_assignments.queries.keys import BatchQuery, KeyQuery, RedemptionQuery
from course_assignments.queries.subscriptions import SubscriptionQuery

#: Every class of query, one for each kind of record that is listed.
QUERIES: Final[tuple[type[Query[Any]], ...]] = (
    OrganizationQuery,
    CourseQuery,
    UserQuery,
    AssignmentQuery,
    AttemptQuery,
    SubscriptionQuery,
    BatchQuery,
    KeyQuery,
    RedemptionQuery,
    EventQuery,
)

__all__ = [
    "DEFAULT_PAGE",
    "MAX_PAGE",
    "QUERIES",
    "AssignmentQuery",
    "AttemptQuery",
    "BatchQuery",
    "CourseQuery",
    "EventQuery",
    "F",
    "Found",
    "KeyQuery",
    "OrganizationQuery",
    "Parts",
    "Place",
    "Query",
    "Ranges",
    "RedemptionQuery",
    "SubscriptionQuery",
    "UserQuery",
    "Where",
]
