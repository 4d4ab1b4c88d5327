"""The admin action that cancels what was selected, and tells every reason where it may not."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from course_assignments import InvalidInput, Refused

from .models import Enrolment
from .services import cancel


@admin.register(Enrolment)
class EnrolmentAdmin(admin.ModelAdmin):
    """Enrolments, which are cancelled by the rules."""

    list_display = ("user", "course", "opened_at", "closes_at", "cancelled_at")
    list_select_related = ("user", "course")
    actions = ("cancel_selected",)

    @admin.action(description="Cancel selected enrolments", permissions=["change"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Enrolment]) -> None:
        """Cancel each on its own: what is refused for one does not hold up the others."""
        now = timezone.now()
        for row in queryset.order_by("pk"):  # in one order, so that no two wait for each other
            try:
                cancel(row.pk, at=now)
            except Refused as refused:
                for reason in refused.decision.reasons:
                    self.message_user(request, f"{row}: {reason}", messages.WARNING)
            except InvalidInput as error:  # a row that the rules do not take, such as an empty one
                self.message_user(request, f"{row}: {error}", messages.ERROR)
            else:
                self.log_change(request, row, "Cancelled.")
                self.message_user(request, f"{row}: cancelled", messages.SUCCESS)
