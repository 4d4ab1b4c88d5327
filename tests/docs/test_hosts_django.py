from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.management import call_command
from django.db import OperationalError, connection, connections
from django.test import Client, override_settings

from course_assignments import InvalidInput, Refused
from tests.support.django_host import Course, Enrollment, Permission, User, migrated, services

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ACTION = "/admin/django_app/enrollment/"


@pytest.fixture(scope="module", autouse=True)
def tables() -> Iterator[None]:
    with migrated():
        yield


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("flush", interactive=False, verbosity=0)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


def enrolled(name: str, **columns: Any) -> Any:
    opened_at = columns.setdefault("opened_at", NOW - timedelta(hours=1))
    columns.setdefault("closes_at", opened_at + timedelta(days=90))
    course, _ = Course.objects.get_or_create(title="Python")
    return Enrollment.objects.create(
        user=User.objects.create(username=name), course=course, **columns
    )


def stored(row: Any) -> Any:
    return Enrollment.objects.get(pk=row.pk)


def post(rows: list[Any], client: Client) -> list[tuple[str, str]]:
    chosen = {"action": "cancel_selected", "_selected_action": [row.pk for row in rows]}
    answer = client.post(ACTION, chosen)
    return [(one.level_tag, one.message) for one in get_messages(answer.wsgi_request)]


def signed_in(*permissions: str) -> Client:
    user = User.objects.create(username="clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_the_admin_action_cancels_what_it_may_and_names_every_other_reason() -> None:
    young = enrolled("ada")
    opened_at = NOW - timedelta(days=3)
    old = enrolled("bo", opened_at=opened_at, first_lab_at=opened_at + timedelta(hours=2))

    told = post([old, young], signed_in("view_enrollment", "change_enrollment"))

    assert stored(young).cancelled_at == NOW
    assert stored(old).cancelled_at is None
    window_closed = (
        "bo in Python: Cancellation was possible until 28 Feb 2026, 09:00 UTC. "
        "Support can still cancel it if no lab was launched."
    )
    lab_launched = "bo in Python: A lab was launched on 27 Feb 2026, 11:00 UTC"
    assert told == [
        ("success", "ada in Python: cancelled"),
        ("warning", window_closed),
        ("warning", f"{lab_launched}, so cancellation is no longer possible."),
    ]


def test_the_page_shows_them_and_the_history_of_the_enrollment_keeps_it() -> None:
    young = enrolled("ada")
    client = signed_in("view_enrollment", "change_enrollment")
    chosen = {"action": "cancel_selected", "_selected_action": [young.pk]}

    page = client.post(ACTION, chosen, follow=True)
    history = client.get(f"{ACTION}{young.pk}/history/")

    assert "Ada in Python: cancelled" in page.text
    assert "Cancelled." in history.text


def test_a_row_that_cannot_be_is_named_and_holds_up_no_other() -> None:
    broken = enrolled("ada", closes_at=NOW - timedelta(hours=1))
    young = enrolled("bo")

    told = post([broken, young], signed_in("view_enrollment", "change_enrollment"))

    (level, message), second = told
    assert level == "error"
    assert message.startswith("ada in Python: expires_at: expected a datetime after created_at, ")
    assert second == ("success", "bo in Python: cancelled")
    assert stored(broken).cancelled_at is None


def test_who_may_only_look_cannot_cancel() -> None:
    young = enrolled("ada")

    post([young], signed_in("view_enrollment"))

    assert stored(young).cancelled_at is None


def test_a_launched_lab_prevents_cancellation_permanently() -> None:
    row = enrolled("ada")

    services.launch_lab(row.pk, at=NOW)
    services.launch_lab(row.pk, at=NOW + timedelta(minutes=5))

    assert stored(row).first_lab_at == NOW
    with pytest.raises(Refused) as refused:
        services.cancel(row.pk, at=NOW + timedelta(minutes=6))
    assert [reason.code for reason in refused.value.decision.reasons] == ["lab_launched"]
    assert stored(row).cancelled_at is None


def test_a_lab_of_a_cancelled_enrollment_is_not_launched() -> None:
    row = enrolled("ada")

    services.cancel(row.pk, at=NOW)

    with pytest.raises(Refused, match="Already cancelled"):
        services.launch_lab(row.pk, at=NOW + timedelta(minutes=1))
    assert stored(row).first_lab_at is None


@pytest.mark.parametrize("command", [services.cancel, services.launch_lab])
def test_without_time_zones_in_django_nothing_is_decided(command: Callable[..., None]) -> None:
    row = enrolled("ada")

    with override_settings(USE_TZ=False), pytest.raises(InvalidInput) as invalid:
        command(row.pk, at=NOW)

    assert (invalid.value.code, invalid.value.field) == ("naive_datetime", "created_at")
    assert (stored(row).cancelled_at, stored(row).first_lab_at) == (None, None)


@pytest.mark.parametrize("command", [services.cancel, services.launch_lab])
def test_a_naive_datetime_is_refused_and_changes_nothing(command: Callable[..., None]) -> None:
    row = enrolled("ada")

    with pytest.raises(InvalidInput, match="without a zone"):
        command(row.pk, at=NOW.replace(tzinfo=None))

    assert (stored(row).cancelled_at, stored(row).first_lab_at) == (None, None)


@pytest.mark.parametrize("command", [services.cancel, services.launch_lab])
def test_an_unknown_id_is_what_django_calls_it(command: Callable[..., None]) -> None:
    with pytest.raises(Enrollment.DoesNotExist):
        command(404, at=NOW)


@pytest.mark.parametrize("command", [services.cancel, services.launch_lab])
def test_the_row_is_locked_as_it_is_read_where_rows_can_be(
    command: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = enrolled("ada")
    read: list[str] = []

    def unlocked(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("SELECT"):
            read.append(sql)
        return execute(sql.removesuffix(" FOR UPDATE"), *rest)

    monkeypatch.setattr(connection.features, "has_select_for_update", True)
    with connection.execute_wrapper(unlocked):
        command(row.pk, at=NOW)

    assert [sql.endswith(" FOR UPDATE") for sql in read if "enrollment" in sql] == [True]


def race(row: Any, *, until: str) -> list[BaseException | None]:
    """Hold `launch_lab` before its UPDATE until `cancel` has come to the SQL *until*."""
    first_has_read, second_is_there = Event(), Event()

    def hold_first(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE"):
            first_has_read.set()
            assert second_is_there.wait(10)
        return execute(sql, *rest)

    def tell_of_second(execute: Any, sql: str, *rest: Any) -> Any:
        assert first_has_read.wait(10)
        if sql.startswith(until):
            second_is_there.set()
        return execute(sql, *rest)

    def run(command: Callable[..., None], wrapper: Any) -> None:
        try:
            with connection.execute_wrapper(wrapper):
                command(row.pk, at=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        runs = [
            threads.submit(run, services.launch_lab, hold_first),
            threads.submit(run, services.cancel, tell_of_second),
        ]
        return [one.exception() for one in runs]


def test_of_two_at_once_the_second_decides_on_what_the_first_has_left() -> None:
    row = enrolled("ada")

    launched, cancelled = race(row, until="BEGIN IMMEDIATE")

    assert launched is None
    assert isinstance(cancelled, Refused)
    assert [reason.code for reason in cancelled.decision.reasons] == ["lab_launched"]
    assert (stored(row).first_lab_at, stored(row).cancelled_at) == (NOW, None)


def test_without_immediate_transactions_sqlite_lets_one_of_both_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = enrolled("ada")
    monkeypatch.setitem(connections.settings["default"], "OPTIONS", {})

    failed = [one for one in race(row, until="UPDATE") if one is not None]

    assert [type(one) for one in failed] == [OperationalError]
