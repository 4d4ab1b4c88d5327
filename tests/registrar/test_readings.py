"""Readings of docs/decisions.md that no test of a single command would look for."""

from datetime import timedelta

import attrs

from course_assignments import ExpirationLimit, Months
from tests.support.world import ACME, BETA, START, world


def test_neither_the_maximum_nor_the_zone_of_a_parent_reaches_the_child() -> None:
    registrar, _ = world()
    alone = registrar.assign("py", "bo")
    registrar.update(attrs.evolve(ACME, maximum_access=timedelta(days=7), time_zone="Asia/Tokyo"))
    registrar.update(attrs.evolve(BETA, parent_id="acme"))
    child = registrar.assign("py", "bo")
    assert (child.expires_at, child.limited_by) == (alone.expires_at, alone.limited_by)
    assert child.limited_by is ExpirationLimit.ORGANIZATION
    assert registrar.may_reschedule(child.id, timedelta(days=90))
    registrar.update(attrs.evolve(BETA, parent_id="acme", maximum_access=None))
    free = registrar.assign("py", "bo", expires=Months(1))
    assert free.expires_at == START.replace(month=2)


def test_what_a_key_made_can_be_given_an_end_beyond_its_availability() -> None:
    registrar, _ = world()
    registrar.create_keys(
        "py",
        name="Spring",
        organization_id="acme",
        availability=timedelta(days=30),
        codes=["Hand-made-1"],
    )
    made = registrar.redeem("Hand-made-1", "ada")
    assert (made.expires_at, made.limited_by) == (START + timedelta(days=30), ExpirationLimit.KEY)
    assert registrar.reschedule(made.id, timedelta(days=180)).expires_at > made.expires_at
    assert not registrar.may_reschedule(made.id, timedelta(days=181))


def test_a_batch_can_be_ended_at_an_instant_that_has_passed() -> None:
    registrar, clock = world()
    batch = registrar.create_keys(
        "py",
        name="Spring",
        organization_id="acme",
        availability=timedelta(days=30),
        codes=["Hand-made-1"],
    )
    clock.advance(timedelta(days=9))
    registrar.edit_keys(batch.id, redeemable_until=START + timedelta(days=2))
    refused = registrar.may_redeem("Hand-made-1", "ada")
    assert [reason.code for reason in refused.reasons] == ["key_expired"]
