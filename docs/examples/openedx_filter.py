"""An Open edX pipeline step: to enroll, a learner needs an active assignment.

Add the step to the settings of the LMS. ``fail_silently`` must be off. By default, Open edX skips a
step that raises an error, and then everybody can enroll.

    OPEN_EDX_FILTERS_CONFIG = {
        "org.openedx.learning.course.enrollment.started.v1": {
            "fail_silently": False,
            "pipeline": ["openedx_filter.RequireAssignment"],
            "repository": "your_plugin.storage.open_repository",
        },
    }

The step only reads, so it can run for many enrollments at once. If an assignment is cancelled while
an enrollment is in progress, the enrollment can still succeed.
"""

from datetime import datetime
from typing import Any

from django.utils.module_loading import import_string
from openedx_filters import PipelineStep
from openedx_filters.learning.filters import CourseEnrollmentStarted

from course_assignments import (
    AccessPolicy,
    AssignmentQuery,
    CustomReason,
    Decision,
    Repository,
    find_all,
    system_clock,
)

UNASSIGNED = CustomReason("x-not-assigned", "The course is not assigned to you; ask your manager.")


def may_enroll(
    repository: Repository, learner_id: str, course_id: str, *, at: datetime
) -> Decision:
    """Return "yes" if any assignment is active at *at*, else why the newest is not."""
    query = AssignmentQuery(learner_id=learner_id, course_id=course_id)
    decision = Decision((UNASSIGNED,))
    for assignment in find_all(repository, query):  # oldest first
        decision = AccessPolicy().evaluate(assignment, at=at)
        if decision:
            break
    return decision


class RequireAssignment(PipelineStep):
    """Prevents an enrollment without an active assignment, and gives the reasons."""

    def run_filter(self, *, user: Any, course_key: Any, **_: Any) -> dict[str, Any]:
        """Change nothing, or raise PreventEnrollment with the reasons of the decision."""
        repository = import_string(self.extra_config["repository"])()
        decision = may_enroll(repository, str(user.pk), str(course_key), at=system_clock())
        if not decision:
            raise CourseEnrollmentStarted.PreventEnrollment(str(decision))
        return {}  # None would end the pipeline and skip the following steps
