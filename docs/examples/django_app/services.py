"""Lock the row, let the rules decide, write what they say: each command is one transaction.

A row stays locked from before the decision until what was decided is stored, so that of two who
come at once the second decides on what the first has left. SQLite cannot lock rows: there, put
``"OPTIONS": {"transaction_mode": "IMMEDIATE"}`` into ``DATABASES``, and a command locks the whole.
"""

from datetime import datetime

from django.db.transaction import atomic

from course_assignments import CourseAssignment, Direct, ExpirationLimit, Policies, User, actions

from .models import Enrolment

RULES = Policies()  # the documented ones; a host gives its own numbers here


def assignment_from(row: Enrolment) -> CourseAssignment:
    """Return what the rules take for a row of the host."""
    return CourseAssignment(
        id=str(row.pk),
        learner_id=str(row.user_id),
        course_id=str(row.course_id),
        organization_id=None,
        created_at=row.opened_at,
        expires_at=row.closes_at,
        limited_by=ExpirationLimit.MAXIMUM,  # this host keeps no record of what set the end
        origin=Direct(),
        first_lab_launched_at=row.first_lab_at,
        cancelled_at=row.cancelled_at,
    )


@atomic
def launch_lab(enrolment_id: int, *, at: datetime) -> None:
    """Let the user into a lab; from then on the enrolment can't be cancelled."""
    row = Enrolment.objects.select_for_update().get(pk=enrolment_id)
    RULES.access.evaluate(assignment_from(row), at=at).require()
    row.first_lab_at = row.first_lab_at or at
    row.save(update_fields=["first_lab_at"])


@atomic
def cancel(enrolment_id: int, *, at: datetime) -> None:
    """Cancel the enrolment, or raise Refused with every reason against."""
    row = Enrolment.objects.select_for_update().get(pk=enrolment_id)
    email = row.user.email or f"{row.user_id}@users.invalid"  # in Django it may be blank
    learner = User(id=str(row.user_id), name=row.user.get_username(), email=email)
    change = actions.cancel(assignment_from(row), learner, at=at, policies=RULES)
    [cancelled] = change.made(CourseAssignment)
    row.cancelled_at = cancelled.cancelled_at
    row.save(update_fields=["cancelled_at"])
