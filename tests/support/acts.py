"""One call of every action that is allowed, and the records that it is about."""

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import attrs

from course_assignments import (
    CancellationPolicy,
    Change,
    Claim,
    Course,
    CourseAssignment,
    Decision,
    Direct,
    ExpirationLimit,
    FromKey,
    InMemoryRepository,
    KeyBatch,
    Note,
    Policies,
    Redemption,
    Refused,
    TrainingKey,
    User,
    actions,
)
from tests.support.world import ACME, ADA, BETA, PYTHON, RECORDS, START

DAY = timedelta(days=1)
NOW = START + timedelta(hours=1)
GIVEN = CourseAssignment(
    id="a-1",
    learner_id="ada",
    course_id="py",
    organization_id="acme",
    created_at=START,
    expires_at=START + 180 * DAY,
    limited_by=ExpirationLimit.MAXIMUM,
    origin=Direct(),
)
BATCH = KeyBatch(
    id="spring",
    name="Spring",
    course_id="py",
    organization_id="acme",
    created_at=START,
    max_uses=3,
    availability=30 * DAY,
    size=1,
)
KEY = TrainingKey(code="Spring-2026", batch_id="spring", max_uses=3, uses=1)
REDEMPTION = Redemption(
    id="r-1",
    code=KEY.code,
    batch_id="spring",
    learner_id="di",
    assignment_id="a-2",
    redeemed_at=START,
)
REDEEMED = attrs.evolve(GIVEN, id="a-2", learner_id="di", origin=FromKey("spring", "r-1"))
DI = User(id="di", name="Di", email="di@example.org", organization_id="acme")
NEWCOMER = User(id="new", name="New", email="new@example.org", organization_id="acme")
CLAIM = Claim.of("di", "py", "a-2")
NOTE = Note(title="A title", message="A message")
RESTORING = Policies(cancellation=CancellationPolicy(restores_key_use=True))
HOMES = {None: None, "acme": ACME, "beta": BETA}
STOCK = (*RECORDS, DI, GIVEN, BATCH, KEY, REDEMPTION, REDEEMED, CLAIM)


def pair(**changed: Any) -> actions.Pair:
    """Return what has to be read to assign Python to Ada."""
    known = {"id": "a-9", "course": PYTHON, "learner": ADA, "standing": (), **changed}
    learner, course = known["learner"], known["course"]
    known.setdefault("organization", HOMES[learner.organization_id])
    known["standing"] = [
        attrs.evolve(one, learner_id=learner.id, course_id=course.id) for one in known["standing"]
    ]
    return actions.Pair(**known)


def presented(learner: User = ADA, **changed: Any) -> actions.Presented:
    """Return the key as *learner* presents it."""
    batch: KeyBatch = changed.get("batch", BATCH)
    course: Course = changed.get("course", PYTHON)
    known = {
        "id": f"a-9-{learner.id}",
        "redemption_id": Redemption.id_for(KEY.code, learner.id, 0),
        "key": KEY,
        "learner": learner,
        "organization": HOMES[learner.organization_id],
        **changed,
        "course": course,
        "batch": attrs.evolve(batch, course_id=course.id),
    }
    return actions.Presented(**known)


@attrs.frozen
class Act:
    """A call of an action, every argument by its name."""

    action: Callable[..., Change]
    arguments: dict[str, Any]

    def __call__(self, **changed: Any) -> Change:
        """Carry it out, with some arguments *changed*."""
        return self.action(**{**deepcopy(self.arguments), **changed})

    def decision(self, **changed: Any) -> Decision:
        """Return the answer, be it a yes or a no."""
        try:
            return self(**changed).decision
        except Refused as refused:
            return refused.decision


ACTS = {
    "add": Act(
        actions.add,
        {
            "records": [NEWCOMER, attrs.evolve(PYTHON, id="new-course"), ADA],
            "stored": {(User, "ada"): ADA},
            "holders": [ADA],
        },
    ),
    "update": Act(
        actions.update,
        {"before": ADA, "after": attrs.evolve(ADA, name="Ada L."), "holder": ADA},
    ),
    "anonymize": Act(actions.anonymize, {"user": ADA}),
    "assign": Act(actions.assign, {"pair": pair(), "note": NOTE, "expires": 10 * DAY}),
    "assign_many": Act(
        actions.assign_many,
        {
            "pairs": [pair(), pair(id="a-10", learner=NEWCOMER)],
            "newcomers": [NEWCOMER],
            "holders": [ADA],
            "expires": 10 * DAY,
            "note": NOTE,
        },
    ),
    "cancel": Act(
        actions.cancel,
        {
            "assignment": REDEEMED,
            "learner": DI,
            "redemption": REDEMPTION,
            "key": KEY,
            "policies": RESTORING,
        },
    ),
    "reschedule": Act(
        actions.reschedule,
        {
            "assignment": GIVEN,
            "learner": ADA,
            "expires": 10 * DAY,
            "course": PYTHON,
            "organization": ACME,
        },
    ),
    "complete": Act(actions.complete, {"assignment": GIVEN, "learner": ADA}),
    "create_keys": Act(
        actions.create_keys,
        {
            "batch": attrs.evolve(BATCH, id="summer", size=0),
            "course": PYTHON,
            "codes": {"Summer-2026": 1, "Summer-2027": 4},
            "generated": ["00000000000000012"],
            "taken": ["Spring-2026"],
        },
    ),
    "add_keys": Act(
        actions.add_keys,
        {
            "batch": BATCH,
            "course": PYTHON,
            "id": "plus",
            "codes": {"Summer-2026": 1},
            "generated": ["00000000000000012"],
            "taken": ["Spring-2026"],
        },
    ),
    "edit_keys": Act(
        actions.edit_keys,
        {"batch": BATCH, "after": attrs.evolve(BATCH, name="May", max_uses=2), "keys": [KEY]},
    ),
    "revoke_keys": Act(actions.revoke_keys, {"batch": BATCH, "keys": [KEY]}),
    "redeem": Act(actions.redeem, {"presented": presented()}),
    "register": Act(
        actions.register, {"presented": presented(NEWCOMER), "host": ACME, "holder": None}
    ),
}
for _act in ACTS.values():
    _act.arguments.update({"at": NOW, "actor": None, **_act.arguments})
    if _act.action not in {actions.add, actions.update, actions.anonymize}:
        _act.arguments.setdefault("policies", Policies())


def stocked() -> InMemoryRepository:
    """Return a repository that keeps the records which the acts are about."""
    repository = InMemoryRepository()
    repository.commit(Change(create=STOCK))
    return repository
