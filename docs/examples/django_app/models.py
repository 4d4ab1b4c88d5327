"""The existing tables of the host, unchanged."""

from django.conf import settings
from django.db import models


class Course(models.Model):
    """A course of the host."""

    title = models.CharField(max_length=200)

    def __str__(self) -> str:
        return str(self.title)


class Enrollment(models.Model):
    """One user's access to one course; the datetimes need ``USE_TZ = True``."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    course = models.ForeignKey(Course, on_delete=models.PROTECT)
    opened_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    first_lab_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user} in {self.course}"
