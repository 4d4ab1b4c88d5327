"""Commands as transactions: lock the row, apply the rules, write the result.

A row stays locked until the decision is stored, so a second command waits and then decides on the
new values. SQLite cannot lock rows. Set ``"OPTIONS": {"transaction_mode": "IMMEDIATE"}`` in
``DATABASES``, and each command locks the whole database.
"""

from datetime import datetime

from django.db.transaction import atomic

from course_assignments import CourseAssignment, Direct, ExpirationLimit, Policies, User
from course_assignments.commands import Cancel, Cancellable, Context

from .models import Enrollment

RULES = Policies()  # the documented rules; pass your own settings here


def assignment_from(row: Enrollment) -> CourseAssignment:
    """Convert a row of the host to an assignment."""
    return CourseAssignment(
        id=str(row.pk),
        learner_id=str(row.user_id),
        course_id=str(row.course_id),
        organization_id=None,
        created_at=row.opened_at,
        expires_at=row.closes_at,
        limited_by=ExpirationLimit.MAXIMUM,  # this host does not store which limit set the end
        origin=Direct(),
        first_lab_launched_at=row.first_lab_at,
        cancelled_at=row.cancelled_at,
    )


@atomic
def launch_lab(enrollment_id: int, *, at: datetime) -> None:
    """Record a lab launch; after that, the enrollment cannot be cancelled."""
    row = Enrollment.objects.select_for_update().get(pk=enrollment_id)
    RULES.access.evaluate(assignment_from(row), at=at).require()
    row.first_lab_at = row.first_lab_at or at
    row.save(update_fields=["first_lab_at"])


@atomic
def cancel(enrollment_id: int, *, at: datetime) -> None:
    """Cancel the enrollment, or raise Refused with every reason."""
    row = Enrollment.objects.select_for_update().get(pk=enrollment_id)
    email = row.user.email or f"{row.user_id}@users.invalid"  # Django allows a blank address
    learner = User(id=str(row.user_id), name=row.user.get_username(), email=email)
    records = Cancellable(assignment_from(row), learner)
    cancelled = Cancel(str(row.pk)).decide(records, Context(at, RULES)).result
    row.cancelled_at = cancelled.cancelled_at
    row.save(update_fields=["cancelled_at"])
