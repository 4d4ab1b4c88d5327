"""Each command once: a value that is allowed, the records it is decided on, and its outcome."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import attrs

import course_assignments as ca
from course_assignments import commands
from course_assignments.entities.people import anonymous_email
from course_assignments.entities.receipts import receipts_of
from course_assignments.policies import DEFAULT_POLICIES
from tests.support.world import ACME, ADA, BETA, MANAGER, PYTHON, RECORDS, SQL, START

DAY = timedelta(days=1)
NOW = START + timedelta(hours=1)
GENERATED = "00000000000000012"
GIVEN = ca.CourseAssignment(
    id="a-1",
    learner_id="ada",
    course_id="py",
    organization_id="acme",
    created_at=START,
    expires_at=START + 180 * DAY,
    limited_by=ca.ExpirationLimit.MAXIMUM,
    origin=ca.Direct(),
)
BATCH = ca.KeyBatch(
    id="spring",
    name="Spring",
    course_id="py",
    organization_id="acme",
    created_at=START,
    max_uses=3,
    availability=30 * DAY,
    size=1,
)
KEY = ca.TrainingKey(id="k-1", code="Spring-2026", batch_id="spring", max_uses=3, uses=1)
REDEMPTION = ca.Redemption(
    id="r-1",
    key_id=KEY.id,
    batch_id="spring",
    learner_id="di",
    assignment_id="a-2",
    redeemed_at=START,
)
REDEEMED = attrs.evolve(GIVEN, id="a-2", learner_id="di", origin=ca.FromKey("spring", "r-1"))
SUBSCRIPTION = ca.Subscription(
    id="s-1",
    learner_id="ada",
    organization_id="acme",
    course_ids=["py", "sql"],
    created_at=START,
    expires_at=START + 20 * DAY,
    openings=[ca.Opening("py", "a-3")],
)
OPENED = attrs.evolve(
    GIVEN,
    id="a-3",
    expires_at=SUBSCRIPTION.expires_at,
    limited_by=ca.ExpirationLimit.SUBSCRIPTION,
    origin=ca.FromSubscription("s-1"),
)
RUNNING = ca.Attempt(
    id=ca.Attempt.id_for("a-3", "lab", 1),
    assignment_id="a-3",
    activity_id="lab",
    number=1,
    started_at=START,
)
PAUSED = attrs.evolve(
    RUNNING, id=ca.Attempt.id_for("a-2", "lab", 1), assignment_id="a-2", pauses=[ca.Pause(START)]
)
DI = ca.User(id="di", name="Di", email="di@example.org", organization_id="acme")
NEWCOMER = ca.User(id="new", name="New", email="new@example.org", organization_id="acme")
NEW_COURSE = attrs.evolve(PYTHON, id="new-course")
CLAIM = ca.Claim.of("di", "py", "a-2")
NOTE = ca.Note(title="A title", message="A message")
OTHER_NOTE = ca.Note(title="Another title", message="Another message")
RESTORING = ca.Policies(cancellation=ca.CancellationPolicy(restores_key_use=True))
HOMES = {None: None, "acme": ACME, "beta": BETA}
STOCK = (
    *(*RECORDS, DI, GIVEN, BATCH, KEY, REDEMPTION, REDEEMED, CLAIM),
    *(SUBSCRIPTION, OPENED, RUNNING, PAUSED),
)


def pair(**changed: Any) -> commands.Assignable:
    """Return what has to be read to assign Python to Ada."""
    known = {"id": "a-9", "course": PYTHON, "learner": ADA, "existing": (), **changed}
    learner, course = known["learner"], known["course"]
    known.setdefault("organization", HOMES[learner.organization_id])
    known["existing"] = [
        attrs.evolve(one, learner_id=learner.id, course_id=course.id) for one in known["existing"]
    ]
    return commands.Assignable(**known)


def presented(learner: ca.User = ADA, **changed: Any) -> commands.Redeemable:
    """Return the key as *learner* presents it."""
    course = changed.get("course", PYTHON)
    known = {
        "id": f"a-9-{learner.id}",
        "redemption_id": ca.Redemption.id_for(KEY.id, learner.id, 0),
        "key": KEY,
        "learner": learner,
        "organization": HOMES[learner.organization_id],
        **changed,
        "course": course,
        "batch": attrs.evolve(changed.get("batch", BATCH), course_id=course.id),
    }
    return commands.Redeemable(**known)


def event(action: str, *subject_ids: str, by: ca.User | None = None, **details: str) -> ca.Event:
    """Return what is recorded of *action* at `NOW`."""
    actor = None if by is None else by.id
    return ca.Event(at=NOW, by=actor, action=action, subject_ids=subject_ids, details=details)


def wanted(
    *records: ca.Event,
    create: Iterable[ca.Record] = (),
    replace: Iterable[tuple[ca.Record, ca.Record]] = (),
    amend: Iterable[ca.Amend] = (),
    use: Iterable[tuple[ca.TrainingKey, int]] = (),
    expect: Iterable[ca.Record] = (),
) -> ca.Change:
    """Return the change that consists of these verbs."""
    return ca.Change(
        create=tuple(create),
        replace=[ca.Replace(before, after) for before, after in replace],
        amend=tuple(amend),
        use=[ca.Use(key, by) for key, by in use],
        expect=tuple(expect),
        record=records,
    )


def made(**changed: Any) -> ca.CourseAssignment:
    """Return the assignment that `pair` asks for, less what is *changed*."""
    known: dict[str, Any] = {
        "id": "a-9",
        "created_at": NOW,
        "expires_at": NOW + 10 * DAY,
        "limited_by": ca.ExpirationLimit.REQUEST,
        "notes": (NOTE,),
    }
    return attrs.evolve(GIVEN, **{**known, **changed})


def redemption(learner: ca.User) -> ca.Redemption:
    """Return the redemption of the key that `presented` asks for."""
    return attrs.evolve(
        REDEMPTION,
        id=ca.Redemption.id_for(KEY.id, learner.id, 0),
        learner_id=learner.id,
        assignment_id=f"a-9-{learner.id}",
        redeemed_at=NOW,
    )


def redeemed(learner: ca.User) -> ca.CourseAssignment:
    """Return the assignment that `presented` asks for."""
    return made(
        id=f"a-9-{learner.id}",
        learner_id=learner.id,
        expires_at=NOW + 30 * DAY,
        limited_by=ca.ExpirationLimit.KEY,
        origin=ca.FromKey("spring", redemption(learner).id),
        notes=(),
    )


@attrs.frozen
class Act:
    """A command that is allowed, the records it is decided on, its result, and what it writes.

    What was found present is replaced, used or expected; what was found absent is created under an
    id that whoever else makes it would write too.
    """

    command: commands.Command[Any, Any]
    records: Any
    result: Any
    change: ca.Change
    policies: ca.Policies = DEFAULT_POLICIES
    #: What is expected as well if the manager acts, whose roles are needed.
    with_actor: tuple[ca.Record, ...] = (MANAGER,)

    def outcome(self, **changed: Any) -> commands.Outcome[Any]:
        """Decide it, with some fields of the command, the records or the context *changed*.

        *about* takes the place of all records. The command names the records that are then there.
        """
        context: dict[str, Any] = {"at": NOW, "policies": self.policies}
        context |= {one: changed.pop(one) for one in ("at", "policies", "actor") if one in changed}
        records = changed.pop("about", self.records)
        said = {one: changed.pop(one) for one in {*changed} & {*attrs.fields_dict(self.kind)}}
        found = attrs.evolve(records, **changed)
        named = _names(self.kind, found) if found is not self.records else {}
        command = attrs.evolve(self.command, **{**named, **said})
        return command.decide(found, commands.Context(**context))

    def __call__(self, **changed: Any) -> ca.Change:
        """Return what it then writes."""
        return self.outcome(**changed).change

    def decision(self, **changed: Any) -> ca.Decision:
        """Return the answer, be it a yes or a no."""
        try:
            return self.outcome(**changed).decision
        except ca.Refused as refused:
            return refused.decision

    @property
    def kind(self) -> type[commands.Command[Any, Any]]:
        """The class of the command."""
        return type(self.command)


def _act(
    command: commands.Command[Any, Any],
    records: Any,
    result: Any,
    *told: ca.Event,
    policies: ca.Policies = DEFAULT_POLICIES,
    with_actor: tuple[ca.Record, ...] = (MANAGER,),
    **verbs: Any,
) -> Act:
    """Return an act that writes the events *told* and these *verbs*."""
    return Act(command, records, result, wanted(*told, **verbs), policies, with_actor)


def _names(kind: type[commands.Command[Any, Any]], records: Any) -> dict[str, Any]:
    """Return the arguments with which a command of *kind* names *records*."""
    named: dict[str, Any] = {}
    if isinstance(records, commands.BatchToCreate):
        return named
    for name in attrs.fields_dict(kind):
        one = getattr(records, name.removesuffix("_id"), None)
        if one is not None and hasattr(one, "id") and name.endswith("_id"):
            named[name] = one.id
    match records:
        case commands.Roster():
            pairs = records.assignables
            named["course_ids"] = [one.course.id for one in pairs]
            named["learners"] = dict.fromkeys(
                one.learner if one.learner in records.newcomers else one.learner.id for one in pairs
            )
        case commands.Registrable():
            named["user"] = records.redeemable.learner
        case commands.Subscribable() | commands.EditableSubscription():
            named["course_ids"] = [one.id for one in records.courses]
        case ca.User() | ca.KeyBatch():
            named["user_id" if isinstance(records, ca.User) else "batch_id"] = records.id
        case _:
            pass
    return named


def _later(record: Any, **changed: Any) -> tuple[Any, Any]:
    """Return *record* and what it is changed into."""
    return record, attrs.evolve(record, **changed)


_ADDED = tuple(
    ca.TrainingKey(id=f"k-{number}", code=code, batch_id="spring", number=number, max_uses=3)
    for number, code in enumerate(("Summer-2026", GENERATED), start=2)
)
_SUMMER = attrs.evolve(BATCH, id="summer", created_at=NOW, size=3)
_TRIED = attrs.evolve(
    RUNNING, id=ca.Attempt.id_for("a-1", "lab", 1), assignment_id="a-1", started_at=NOW
)
_GRANTED = attrs.evolve(
    SUBSCRIPTION, id="s-9", created_at=NOW, expires_at=NOW + 90 * DAY, openings=()
)
FROM_SQL = attrs.evolve(OPENED, id="a-9", course_id="sql", created_at=NOW)


def _rows() -> Iterable[Act]:
    yield _act(
        commands.Add([NEWCOMER, NEW_COURSE, ADA]),
        commands.Addable({(ca.User, "ada"): ADA}, [ADA]),
        None,
        event("add", "new", "new-course"),
        create=[NEWCOMER, NEW_COURSE],
    )
    before, after = _later(ADA, name="Ada L.")
    yield _act(
        commands.Update(after),
        commands.Updatable(before, email_owner=ADA),
        after,
        event("update", "ada"),
        replace=[(before, after)],
    )
    before, after = _later(ADA, name="Anonymous", email=anonymous_email("ada"))
    yield _act(
        commands.Anonymize("ada"),
        before,
        after,
        event("anonymize", "ada"),
        replace=[(before, after)],
    )
    yield _act(
        commands.Assign("py", "ada", expires=10 * DAY, note=NOTE),
        pair(),
        made(),
        event("assign", "a-9", "py", "ada"),
        create=[made(), ca.Claim.of("ada", "py", "a-9")],
        expect=[PYTHON, ADA, ACME],
    )
    many = made(), made(id="a-10", learner_id="new")
    yield _act(
        commands.AssignMany(["py"], ["ada", NEWCOMER], expires=10 * DAY, note=NOTE),
        commands.Roster(
            assignables=[pair(), pair(id="a-10", learner=NEWCOMER)],
            newcomers=[NEWCOMER],
            email_owners=[ADA],
        ),
        ca.AssignmentBatch(created=many, skipped=()),
        event("assign_many", "a-9", "py", "ada", "a-10", "new"),
        create=[
            *(NEWCOMER, *many),
            *(ca.Claim.of("ada", "py", "a-9"), ca.Claim.of("new", "py", "a-10")),
        ],
        # Not the newcomer, who is made here.
        expect=[PYTHON, ADA, ACME],
    )
    before, after = _later(REDEEMED, cancelled_at=NOW)
    yield _act(
        commands.Cancel("a-2"),
        commands.Cancellable(before, DI, REDEMPTION, KEY),
        after,
        event("cancel", "a-2", "di"),
        replace=[(before, after), _later(REDEMPTION, restored_at=NOW)],
        use=[(KEY, -1)],
        policies=RESTORING,
        # Whose assignment it is was asked for because of the organization.
        with_actor=(MANAGER, DI),
    )
    before, after = _later(
        GIVEN, expires_at=START + 10 * DAY, limited_by=ca.ExpirationLimit.REQUEST
    )
    yield _act(
        commands.Reschedule("a-1", 10 * DAY),
        commands.Reschedulable(before, ADA, PYTHON, ACME),
        after,
        event("reschedule", "a-1", "ada"),
        replace=[(before, after)],
        expect=[ADA, PYTHON, ACME],
    )
    before, after = _later(GIVEN, completed_at=NOW)
    yield _act(
        commands.Complete("a-1"),
        commands.Assigned(before, ADA),
        after,
        event("complete", "a-1", "ada"),
        replace=[(before, after)],
        with_actor=(MANAGER, ADA),
    )
    before, after = _later(GIVEN, notes=(*GIVEN.notes, OTHER_NOTE))
    yield _act(
        commands.AddNote("a-1", OTHER_NOTE),
        commands.Assigned(before, ADA),
        after,
        event("add_note", "a-1", "ada"),
        replace=[(before, after)],
        with_actor=(MANAGER, ADA),
    )
    yield _act(
        commands.Start("a-1", "lab", id="try"),
        commands.Startable(GIVEN, ADA, PYTHON),
        _TRIED,
        event("start", _TRIED.id, "a-1", "ada"),
        create=[_TRIED, *receipts_of("start", "try", ("a-1", "lab"), made=[_TRIED.id])],
        replace=[_later(GIVEN, started_at=NOW, first_lab_launched_at=NOW)],
        expect=[ADA, PYTHON],
    )
    before, after = _later(RUNNING, pauses=[ca.Pause(NOW)])
    yield _act(
        commands.Pause(before.id),
        commands.Attempted(before, OPENED, ADA),
        after,
        event("pause", before.id, "a-3", "ada"),
        replace=[(before, after)],
        expect=[OPENED],
        with_actor=(MANAGER, ADA),
    )
    before, after = _later(PAUSED, pauses=[ca.Pause(START, NOW)])
    yield _act(
        commands.Resume(before.id),
        commands.Attempted(before, REDEEMED, DI),
        after,
        event("resume", before.id, "a-2", "di"),
        replace=[(before, after)],
        expect=[REDEEMED],
        with_actor=(MANAGER, DI),
    )
    before, after = _later(RUNNING, finished_at=NOW)
    yield _act(
        commands.Finish(before.id),
        commands.Finishable(before, OPENED, ADA, PYTHON),
        after,
        event("finish", before.id, "a-3", "ada"),
        event("complete", "a-3", "ada"),
        replace=[(before, after), _later(OPENED, finished={"lab"}, completed_at=NOW)],
        expect=[ADA, PYTHON],
    )
    yield _act(
        commands.CreateKeys(
            "py",
            name="Spring",
            organization_id="acme",
            availability=30 * DAY,
            max_uses=3,
            codes=["Summer-2026", "", "", "Summer-2027"],
            generate=1,
        ),
        commands.BatchToCreate(
            id="summer",
            course=PYTHON,
            organization=ACME,
            key_ids=["new-1", "new-2", "new-3"],
            generated=[GENERATED],
            taken={"Spring-2026"},
        ),
        _SUMMER,
        event("create_keys", "summer", "py", keys="3"),
        create=[
            _SUMMER,
            *(
                ca.TrainingKey(
                    id=f"new-{number}", code=code, batch_id="summer", number=number, max_uses=3
                )
                for number, code in enumerate(("Summer-2026", "Summer-2027", GENERATED), start=1)
            ),
        ],
        expect=[PYTHON, ACME],
    )
    before, after = _later(BATCH, size=3)
    yield _act(
        commands.AddKeys("spring", codes=["Summer-2026"], generate=1, id="plus"),
        commands.BatchToExtend(
            batch=before,
            course=PYTHON,
            key_ids=["k-2", "k-3"],
            generated=[GENERATED],
            taken={"Spring-2026"},
        ),
        after,
        event("add_keys", "spring", "py", keys="2"),
        create=[*_ADDED, *receipts_of("add_keys", "plus", ("spring", 1, 1), positions=(2, 3))],
        replace=[(before, after)],
        expect=[PYTHON],
    )
    before, after = _later(BATCH, name="May", max_uses=2)
    yield _act(
        commands.EditKeys("spring", name="May", max_uses=2),
        commands.BatchAndKeys(before, organization=ACME),
        after,
        event("edit_keys", "spring"),
        replace=[(before, after)],
        amend=[ca.Amend(batch_id="spring", max_uses=2)],
        expect=[ACME],
    )
    before, after = _later(KEY, revoked_at=NOW)
    found = commands.BatchAndKeys(BATCH, [before])
    yield _act(
        commands.RevokeKey("Spring-2026"),
        found,
        after,
        event("revoke_key", "spring", KEY.id),
        replace=[(before, after)],
        expect=[BATCH],
    )
    yield _act(
        commands.RevokeKeys("spring"),
        found,
        BATCH,
        event("revoke_keys", "spring"),
        replace=[(before, after)],
        amend=[ca.Amend(batch_id="spring", revoked_at=NOW)],
        expect=[BATCH],
    )
    yield Act(commands.Keys("spring"), BATCH, BATCH, ca.Change(), with_actor=())
    yield _act(
        commands.Redeem("Spring-2026", "ada"),
        presented(),
        redeemed(ADA),
        event("redeem", "a-9-ada", redemption(ADA).id, KEY.id, "spring", "py", "ada"),
        create=[redeemed(ADA), redemption(ADA), ca.Claim.of("ada", "py", "a-9-ada")],
        use=[(KEY, 1)],
        # Not the batch: a redemption may commit just after an edit of its window.
        expect=[PYTHON, ADA, ACME],
    )
    yield _act(
        commands.Register("Spring-2026", NEWCOMER),
        commands.Registrable(redeemable=presented(NEWCOMER), batch_organization=ACME),
        redeemed(NEWCOMER),
        event("register", "a-9-new", redemption(NEWCOMER).id, KEY.id, "spring", "py", "new"),
        create=[
            *(NEWCOMER, redeemed(NEWCOMER), redemption(NEWCOMER)),
            ca.Claim.of("new", "py", "a-9-new"),
        ],
        use=[(KEY, 1)],
        expect=[PYTHON, ACME],
    )
    yield _act(
        commands.Subscribe(["py", "sql"], "ada", duration=90 * DAY),
        commands.Subscribable(id="s-9", learner=ADA, courses=[PYTHON, SQL], organization=ACME),
        _GRANTED,
        event("subscribe", "s-9", "ada"),
        create=[_GRANTED],
        expect=[PYTHON, SQL, ADA, ACME],
    )
    before, after = _later(SUBSCRIPTION, course_ids=["py", "new-course"], edited_at=NOW)
    yield _act(
        commands.EditSubscription("s-1", ["py", "new-course"]),
        commands.EditableSubscription(before, ADA, [PYTHON, NEW_COURSE]),
        after,
        event("edit_subscription", "s-1", "ada"),
        replace=[(before, after)],
        expect=[NEW_COURSE],
        with_actor=(MANAGER, ADA),
    )
    before, after = _later(SUBSCRIPTION, cancelled_at=NOW)
    yield _act(
        commands.CancelSubscription("s-1"),
        commands.CancellableSubscription(before, ADA, [OPENED]),
        after,
        event("cancel_subscription", "s-1", "a-3", "ada"),
        replace=[(before, after), _later(OPENED, cancelled_at=NOW)],
        with_actor=(MANAGER, ADA),
    )
    yield _act(
        commands.OpenCourse("s-1", "sql", id="a-9"),
        commands.Openable(subscription=SUBSCRIPTION, learner=ADA, course=SQL, organization=ACME),
        FROM_SQL,
        event("open_course", "a-9", "s-1", "sql", "ada"),
        create=[
            FROM_SQL,
            ca.Claim.of("ada", "sql", "a-9"),
            *receipts_of("open_course", "a-9", ("s-1", "sql"), made=["a-9"]),
        ],
        replace=[
            _later(SUBSCRIPTION, openings=[ca.Opening("py", "a-3"), ca.Opening("sql", "a-9")])
        ],
        expect=[SQL, ADA, ACME],
    )


#: By the names of the commands.
ACTS = {act.command.action: act for act in _rows()}


def stocked() -> ca.InMemoryRepository:
    """Return a repository that keeps the records which the acts are about."""
    repository = ca.InMemoryRepository()
    repository.commit(ca.Change(create=STOCK))
    return repository
