"""An admin action that cancels enrollments and shows every reason of a refusal."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from course_assignments import InvalidInput, Refused

from .models import Enrollment
from .services import cancel


@admin.register(Enrollment)
class EnrollmentAdmin(admin.ModelAdmin):
    """Enrollments, with an action that cancels by the rules."""

    list_display = ("user", "course", "opened_at", "closes_at", "cancelled_at")
    list_select_related = ("user", "course")
    actions = ("cancel_selected",)

    @admin.action(description="Cancel selected enrollments", permissions=["change"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Enrollment]) -> None:
        """Cancel each row separately, so a refusal does not affect the others."""
        now = timezone.now()
        for row in queryset.order_by("pk"):  # a fixed order prevents deadlocks
            try:
                cancel(row.pk, at=now)
            except Refused as refused:
                for reason in refused.decision.reasons:
                    self.message_user(request, f"{row}: {reason}", messages.WARNING)
            except InvalidInput as error:  # the row is not a valid assignment
                self.message_user(request, f"{row}: {error}", messages.ERROR)
            else:
                self.log_change(request, row, "Cancelled.")
                self.message_user(request, f"{row}: cancelled", messages.SUCCESS)
