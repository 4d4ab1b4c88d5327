"""A Django project around the example app: settings, tables by real migrations, a clean start."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import django
from django.conf import settings
from django.core.management import call_command

#: Where the database file and the migrations that Django writes for the example live.
FOLDER = TemporaryDirectory()

sys.path.insert(0, FOLDER.name)
settings.configure(
    ALLOWED_HOSTS=["testserver"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": f"{FOLDER.name}/host.sqlite3",
            "OPTIONS": {"transaction_mode": "IMMEDIATE"},
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "django_app",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    MIGRATION_MODULES={"django_app": "written_migrations"},
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="known to everybody",  # noqa: S106 - of a test
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                    "django.template.context_processors.request",
                ]
            },
        }
    ],
    USE_TZ=True,
)
django.setup()

# What follows needs the settings above.
import openedx_filter  # noqa: E402
from django.contrib import admin  # noqa: E402
from django.contrib.auth.models import Permission, User  # noqa: E402
from django.db import connections  # noqa: E402
from django.urls import path  # noqa: E402
from django_app import services  # noqa: E402
from django_app.models import Course, Enrollment  # noqa: E402

__all__ = ["Course", "Enrollment", "Permission", "User", "migrated", "openedx_filter", "services"]

urlpatterns = [path("admin/", admin.site.urls)]


@contextmanager
def migrated() -> Iterator[None]:
    """Write the migrations of the example and apply them with all the others."""
    (Path(FOLDER.name) / "written_migrations").mkdir()
    (Path(FOLDER.name) / "written_migrations" / "__init__.py").touch()
    call_command("makemigrations", "django_app", verbosity=0)
    call_command("migrate", verbosity=0)
    yield
    connections.close_all()
    FOLDER.cleanup()
