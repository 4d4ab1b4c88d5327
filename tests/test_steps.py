"""Work grows in proportion to the input: calls are counted, not seconds, at two sizes."""

import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from io import StringIO
from itertools import islice
from types import FrameType
from typing import Any, TypeAlias

import attrs
import pytest

import course_assignments as ca
from course_assignments.commands import COMMANDS
from course_assignments.decisions import all_of
from course_assignments.reasons import CourseArchived
from course_assignments.serialization import from_json, to_json
from tests.support.acts import GIVEN, KEY
from tests.support.world import ADA, START, world

DAY = timedelta(days=1)

#: A smaller and a larger input.
SMALL, LARGE = 50, 200

#: How much more work four times the input may be: four times, and what sorting adds.
FOUR_TIMES = 4.6

#: How much more work four times the *stored* records may be, where a command concerns a few.
THE_SAME = 1.2

#: Prepares an input of a size, and returns what is counted.
Prepare: TypeAlias = Callable[[int], Callable[[], object]]


def steps(call: Callable[[], object]) -> int:
    """Return how many functions *call* calls, in Python and in C."""
    count = 0

    def notice(_: FrameType, event: str, __: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(notice)
    try:
        call()
    finally:
        sys.setprofile(before)
    return count


def growth(prepare: Prepare) -> float:
    """Return how much more work the larger input is; the first call fills caches."""
    prepare(SMALL)()
    small, large = (steps(prepare(size)) for size in (SMALL, LARGE))
    return large / small


def ids(number: int, start: str = "u") -> list[str]:
    return [f"{start}-{n:05}" for n in range(number)]


def users(number: int) -> list[ca.User]:
    return [ca.User(id=one, name=one, email=f"{one}@example.org") for one in ids(number)]


def courses(number: int) -> list[ca.Course]:
    return [
        ca.Course(id=one, name=one, content_provider="u", publishing_group="g")
        for one in ids(number, "c")
    ]


def codes(number: int) -> list[str]:
    return [f"Made-{n:05}" for n in range(number)]


def stage(number: int = 0) -> ca.Registrar:
    """Return a registrar with so many users and courses more."""
    registrar, _ = world()
    if number:
        registrar.add(*users(number), *courses(number))
    return registrar


def batch(registrar: ca.Registrar, number: int, **options: Any) -> ca.Registrar:
    terms: dict[str, Any] = {"name": "B", "organization_id": "acme", "availability": DAY}
    registrar.create_keys("py", id="b", codes=codes(number), **terms | options)
    return registrar


def roster(**options: Any) -> Prepare:
    """Assign a course to so many learners, who have it already."""

    def prepare(number: int) -> Callable[[], object]:
        registrar = stage(number)
        registrar.assign_many(["py"], ids(number))
        return lambda: registrar.may_assign_many(["py"], ids(number), **options)

    return prepare


def _adding(number: int) -> Callable[[], object]:
    registrar, people, catalog = stage(), users(number), courses(number)
    return lambda: registrar.add(*people, *catalog)


def _getting(number: int) -> Callable[[], object]:
    repository = stage(number).repository
    return lambda: repository.get(ca.User, ids(number))


def creating(number: int) -> Callable[[], object]:
    registrar = stage()
    return lambda: batch(registrar, number, generate=number)


def _newcomers(number: int) -> Callable[[], object]:
    registrar = stage()
    return lambda: registrar.assign_many(["py"], users(number), id="r")


def _retry(number: int) -> Callable[[], object]:
    registrar = stage(number)

    def call() -> object:
        return registrar.assign_many(["py"], ids(number), id="r")

    call()
    return call


def _many_courses(number: int) -> Callable[[], object]:
    registrar = stage(number)
    return lambda: registrar.assign_many(ids(number, "c"), ["ada"])


def _subscribed(number: int) -> ca.Registrar:
    registrar = stage(number)
    registrar.subscribe(ids(number, "c"), "ada", duration=ca.Months(1), id="s")
    return registrar


def _subscribing(number: int) -> Callable[[], object]:
    registrar = stage(number)
    return lambda: registrar.subscribe(ids(number, "c"), "ada", duration=ca.Months(1), id="s")


def _editing(number: int) -> Callable[[], object]:
    registrar = _subscribed(number)
    return lambda: registrar.edit_subscription("s", ids(number, "c")[::-1])


def _opening(number: int) -> Callable[[], object]:
    registrar = _subscribed(number)
    for one in ids(number, "c"):
        registrar.open_course("s", one)
    return lambda: registrar.cancel_subscription("s")


def _of_batch(name: str, *args: Any, **options: Any) -> Prepare:
    def prepare(number: int) -> Callable[[], object]:
        registrar = batch(stage(), number)
        return lambda: getattr(registrar, name)("b", *args, **options)

    return prepare


def _adding_keys(number: int) -> Callable[[], object]:
    registrar = batch(stage(), 1)
    more = [f"More-{n:05}" for n in range(number)]
    return lambda: registrar.add_keys("b", codes=more, generate=number, id="more")


def _listing(number: int) -> Callable[[], object]:
    registrar = batch(stage(), number)
    return lambda: [*registrar.keys("b")]


def _pausing(number: int) -> Callable[[], object]:
    registrar = stage()
    attempt = registrar.start(registrar.assign("py", "ada").id, "lab")
    paused = attrs.evolve(attempt, pauses=[ca.Pause(START, START)] * number)
    registrar.repository.commit(ca.Change(replace=[ca.Replace(attempt, paused)]))
    return lambda: registrar.pause(attempt.id)


def _learning(number: int) -> ca.Registrar:
    """Return a registrar with so many assignments of Ada."""
    registrar = stage(number)
    registrar.assign_many(ids(number, "c"), ["ada"])
    return registrar


def _view(look: Callable[[ca.Repository], object]) -> Prepare:
    def prepare(number: int) -> Callable[[], object]:
        repository = _learning(number).repository
        return lambda: look(repository)

    return prepare


def _finding(query: Callable[[int], ca.Query[Any]]) -> Prepare:
    def prepare(number: int) -> Callable[[], object]:
        repository = batch(_learning(number), number).repository
        return lambda: [*ca.find_all(repository, query(number))]

    return prepare


def _json(record: Callable[[int], Any]) -> Prepare:
    return lambda number: lambda: from_json(to_json(record(number)))


def _subscription(number: int) -> ca.Subscription:
    return ca.Subscription(
        id="s",
        learner_id="ada",
        organization_id=None,
        course_ids=ids(number),
        created_at=START,
        expires_at=START + DAY,
        openings=[ca.Opening(one, f"a-{one}") for one in ids(number)],
    )


def _questions(number: int) -> Callable[[], object]:
    refusal = ca.Decision([CourseArchived("py")], START + DAY)
    return lambda: all_of([lambda _: refusal] * number, START)


def _refused(number: int) -> Callable[[], object]:
    registrar = stage(number)
    asked = registrar.may_assign_many(ids(number, "c"), ["ada"], expires=ca.Months(99))
    assert len(asked.reasons) == number
    return lambda: str(asked)


LINEAR: dict[str, Prepare] = {
    "add": _adding,
    "assign_many": roster(),
    "assign_many, skipping": roster(repeat=ca.Repeat.SKIP),
    "assign_many, refused": roster(repeat=ca.Repeat.REFUSE),
    "assign_many to newcomers": _newcomers,
    "assign_many once more": _retry,
    "assign_many courses": _many_courses,
    "create_keys": creating,
    "add_keys": _adding_keys,
    "edit_keys": _of_batch("edit_keys", max_uses=2),
    "revoke_keys": _of_batch("revoke_keys"),
    "keys": _listing,
    "subscribe": _subscribing,
    "edit_subscription": _editing,
    "cancel_subscription": _opening,
    "pause": _pausing,
    "dashboard": _view(lambda repository: ca.dashboard(repository, "ada", at=START)),
    "current_training": _view(lambda repository: ca.current_training(repository, "ada", at=START)),
    "transcript": _view(lambda repository: ca.transcript(repository, "ada", at=START)),
    "expiring": _view(lambda repository: [*ca.expiring(repository, at=START, within=300 * DAY)]),
    "statement": _view(
        lambda repository: ca.statement(
            repository, start=START, end=START + DAY, organization_id="acme"
        )
    ),
    "find_all": _finding(lambda _: ca.AssignmentQuery(learner_id="ada", limit=20)),
    "find by ids": _finding(
        lambda number: ca.AssignmentQuery(course_ids=ids(number, "c"), limit=1000)
    ),
    "find by codes": _finding(lambda number: ca.KeyQuery(codes=codes(number), limit=1000)),
    "find by name": _finding(lambda _: ca.CourseQuery(name="c-00")),
    "get": _getting,
    "export_csv": lambda number: lambda: ca.export_csv(_keys(number), StringIO()),
    "JSON of a subscription": _json(_subscription),
    "JSON of a course": _json(
        lambda number: ca.Course(
            id="c",
            name="C",
            activities=[
                ca.Activity(id=one, name=one, kind=ca.ActivityKind.LAB) for one in ids(number)
            ],
        )
    ),
    "read_codes": lambda number: lambda: ca.read_codes(codes(number)),
    "all_of": _questions,
    "sentences of a refusal": _refused,
}


def _keys(number: int) -> Iterable[ca.TrainingKey]:
    return (attrs.evolve(KEY, id=f"k-{n}", code=one) for n, one in enumerate(codes(number)))


@pytest.mark.parametrize("name", LINEAR)
def test_work_grows_in_proportion_to_the_input(name: str) -> None:
    assert growth(LINEAR[name]) <= FOUR_TIMES


def _after_redemptions(number: int) -> Callable[[], object]:
    registrar = batch(stage(number), 1, max_uses=number + 1, any_organization=True)
    for one in ids(number):
        registrar.redeem("Made-00000", one)
    return lambda: registrar.redeem("Made-00000", "ada")


def _after_additions(number: int) -> Callable[[], object]:
    registrar = batch(stage(), 1)
    for one in range(number):
        registrar.add_keys("b", generate=1, id=f"more-{one}")
    return lambda: (registrar.redeem("Made-00000", "ada"), registrar.add_keys("b", generate=1))


def _after_assignments(repeat: ca.Repeat) -> Prepare:
    def prepare(number: int) -> Callable[[], object]:
        registrar = _learning(number)
        registrar.assign_many(["py"], ids(number))
        registrar.assign("sql", "ada")
        for name in ("py", "sql"):  # what a learner has, or who has a course
            registrar.assign(name, "bo")

        def assign() -> None:
            registrar.assign("sql", "ada", repeat=ca.Repeat.ALLOW)
            registrar.may_assign("sql", "ada", repeat=repeat)
            registrar.may_assign("py", "bo", repeat=repeat)

        return assign

    return prepare


def _after_other_attempts(number: int) -> Callable[[], object]:
    registrar = _learning(number)
    for one in islice(ca.find_all(registrar.repository, ca.AssignmentQuery()), number):
        registrar.complete(one.id)
    made = registrar.assign("py", "ada")
    return lambda: registrar.finish(registrar.start(made.id, "lab").id)


def _after_events(number: int) -> Callable[[], object]:
    registrar = stage()
    for one in range(number):
        registrar.update(attrs.evolve(ADA, name=f"Ada {one}"))
    return lambda: registrar.cancel(registrar.assign("py", "ada").id)


def _next_query(number: int) -> Callable[[], object]:
    query = ca.AssignmentQuery(course_ids=ids(number, "c"))
    return lambda: query.starting_after(GIVEN)


STORED: dict[str, Prepare] = {
    "the query for the next page": _next_query,
    "redeem after redemptions": _after_redemptions,
    "redeem and add_keys after additions": _after_additions,
    "assign beside other assignments": _after_assignments(ca.Repeat.ALLOW),
    "assign beside other assignments, skipping": _after_assignments(ca.Repeat.SKIP),
    "assign beside other assignments, refusing": _after_assignments(ca.Repeat.REFUSE),
    "start and finish beside other training": _after_other_attempts,
    "assign and cancel after many events": _after_events,
}


@pytest.mark.parametrize("name", STORED)
def test_what_else_is_stored_adds_no_work(name: str) -> None:
    assert growth(STORED[name]) <= THE_SAME


#: Commands that concern a few records, however much else is stored.
OF_A_FEW = {
    *("add_note", "anonymize", "complete", "open_course", "register", "reschedule", "resume"),
    *("revoke_key", "update"),
}


def test_every_command_is_counted() -> None:
    counted = {word for name in [*LINEAR, *STORED] for word in name.replace(",", "").split()}
    assert {*COMMANDS} - counted == OF_A_FEW


def test_work_that_grows_with_the_square_is_noticed() -> None:
    def quadratic(number: int) -> Callable[[], object]:
        return lambda: [abs(one) for _ in range(number) for one in range(number)]

    assert growth(quadratic) > FOUR_TIMES
