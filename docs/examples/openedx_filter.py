"""An Open edX pipeline step: nobody enrols in a course without an active assignment of it.

Put it into the settings of the LMS. ``fail_silently`` has to be off: by default a step that breaks
is skipped, and everybody is let in.

    OPEN_EDX_FILTERS_CONFIG = {
        "org.openedx.learning.course.enrollment.started.v1": {
            "fail_silently": False,
            "pipeline": ["openedx_filter.RequireAssignment"],
            "repository": "your_plugin.storage.open_repository",
        },
    }

It only reads, so it can run at any number of enrolments at once. An assignment that is cancelled
while an enrolment goes through counts as cancelled after it.
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


def may_enrol(repository: Repository, learner_id: str, course_id: str, *, at: datetime) -> Decision:
    """Return a yes if any assignment is active at *at*, else why the latest is not."""
    query = AssignmentQuery(learner_id=learner_id, course_id=course_id)
    decision = Decision((UNASSIGNED,))
    for assignment in find_all(repository, query):  # from the oldest on
        decision = AccessPolicy().evaluate(assignment, at=at)
        if decision:
            break
    return decision


class RequireAssignment(PipelineStep):
    """Prevents an enrolment that no assignment covers, and says why."""

    def run_filter(self, *, user: Any, course_key: Any, **_: Any) -> dict[str, Any]:
        """Return nothing to change, or raise PreventEnrollment with the decision's reasons."""
        repository = import_string(self.extra_config["repository"])()
        decision = may_enrol(repository, str(user.pk), str(course_key), at=system_clock())
        if not decision:
            raise CourseEnrollmentStarted.PreventEnrollment(str(decision))
        return {}  # None would end the pipeline and skip the steps behind this one
