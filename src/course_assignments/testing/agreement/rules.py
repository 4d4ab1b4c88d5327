"""A rule for each command, with arguments that often fit the stored records."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import rule

from course_assignments.commands import COMMANDS
from course_assignments.commands.profiles import PROFILES
from course_assignments.entities.assignments import CourseAssignment
from course_assignments.entities.attempts import Attempt
from course_assignments.entities.enums import Repeat
from course_assignments.entities.keys import KeyBatch, TrainingKey
from course_assignments.entities.people import User
from course_assignments.entities.subscriptions import Subscription
from course_assignments.testing import strategies
from course_assignments.testing.agreement.compared import Compared
from course_assignments.testing.samples import DAY, HOUR, user
from course_assignments.testing.variants import variants
from course_assignments.time.datetimes import TICK
from course_assignments.time.durations import Months

T = TypeVar("T")

#: The commands that continue an attempt.
VERBS = ("pause", "resume", "finish")
COURSES = st.sampled_from(["py"] * 4 + ["lessons"] * 2 + ["sql"] * 2 + ["nothing"])
LEARNERS = st.sampled_from(["ada"] * 5 + ["bo"] * 4 + ["cy", "manager", "nobody"])
TERMS = st.sampled_from([TICK, DAY, 30 * DAY, 300 * DAY, Months(1), Months(6)])
#: Users, some of them with the address or the id of another user.
USERS = st.sampled_from(
    [
        user("dee"),
        user("eli", "acme"),
        user("eli", "beta", email="ADA@example.org"),
        user("fay", email="DEE@example.org"),
        user("gus", email="Ada@Example.org"),
        user("ada", name="Ada Again", email="again@example.org"),
    ]
)
RECORDS = strategies.organizations() | strategies.courses() | strategies.users() | USERS
CODES = st.sampled_from(["Spring-2026", "first-2026", " Summer-2026 ", ""]) | strategies.codes()
#: Ways to type a code: unchanged, in the other case, with spaces around it, or wrong.
TYPING: st.SearchStrategy[Callable[[str], str]] = st.sampled_from(
    [str, str, str, str.swapcase, "  {}\n".format, "{}x".format]
)


def from_machine(draw: Callable[[Compared], st.SearchStrategy[T]]) -> st.SearchStrategy[T]:
    """Generate values that depend on what the machine has stored, and on its clock."""
    return st.runner().flatmap(draw)


def ids(kind: type) -> st.SearchStrategy[str]:
    """Generate the ids of stored records of *kind*, and sometimes an unknown id."""
    return from_machine(
        lambda machine: st.sampled_from(
            [values[0].id for values in machine.histories(kind)] * 5 + ["nothing-there"]
        )
    )


def codes() -> st.SearchStrategy[str]:
    """Generate the first codes of stored keys, as someone types them."""
    first = from_machine(
        lambda machine: st.sampled_from(
            [str(values[-1].code) for values in machine.histories(TrainingKey)]
        )
    )
    return TYPING.flatmap(first.map)


def edited() -> st.SearchStrategy[Any]:
    """Generate stored organizations, courses and users with another value in one field."""
    return from_machine(
        lambda machine: (
            st.sampled_from(PROFILES)
            .flatmap(lambda kind: st.sampled_from(machine.histories(kind)))
            .flatmap(lambda values: st.sampled_from([one for _, one in variants(values[0])]))
        )
    )


def from_now(*distances: timedelta) -> st.SearchStrategy[datetime]:
    """Generate datetimes at these distances from the time of the clock."""
    return from_machine(
        lambda machine: st.sampled_from([machine.clock() + one for one in distances])
    )


def without_rights(user: User) -> User:
    """Return *user* as a new user may be."""
    return attrs.evolve(user, roles=(), managed_organization_ids=())


#: Values for each argument, by its name.
ARGUMENTS: Mapping[str, st.SearchStrategy[Any]] = {
    "activity_id": st.sampled_from(["lab", "lab", "film", "nothing"]),
    "any_organization": st.booleans(),
    "assignment_id": ids(CourseAssignment),
    "attempt_id": ids(Attempt),
    "availability": TERMS,
    "batch_id": ids(KeyBatch),
    "by": st.sampled_from([None] * 4 + ["manager", "manager", "sales", "support", "ada", "nobody"]),
    "code": codes(),
    "codes": st.lists(CODES, max_size=2, unique=True),
    "course_id": COURSES,
    "course_ids": st.lists(COURSES, min_size=1, max_size=2),
    "duration": TERMS,
    "expires": TERMS | from_now(-DAY, timedelta(0), DAY, 20 * DAY),
    "generate": st.integers(0, 2),
    "id": st.sampled_from([None] * 3 + ["one", "ONE", "\N{SNOWMAN} three"]),
    "learner_id": LEARNERS,
    "learners": st.lists(LEARNERS | USERS, min_size=1, max_size=3),
    "max_uses": st.sampled_from([None, 1, 2, 2, 3]),
    "name": strategies.names(),
    "note": strategies.notes(),
    "organization_id": st.sampled_from(["acme", "acme", "beta", "nowhere"]),
    "record": edited() | USERS,
    "records": st.lists(RECORDS, min_size=1, max_size=2),
    "redeemable_from": st.none() | from_now(-DAY, HOUR),
    "redeemable_until": st.sampled_from([None, Months(1)]) | from_now(2 * HOUR, 20 * DAY),
    "repeat": st.sampled_from(Repeat),
    "subscription_id": ids(Subscription),
    "support_reason": st.just("Moved."),
    "user": USERS | strategies.users().map(without_rights),
    "user_id": ids(User),
}


def _arguments(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Generate arguments of the command *name*; optional arguments are often left out."""
    fields: Any = attrs.fields_dict(COMMANDS[name])
    required = {one: ARGUMENTS[one] for one, at in fields.items() if at.default is attrs.NOTHING}
    optional = {one: ARGUMENTS[one] for one in fields if one not in required}
    return st.fixed_dictionaries(required, optional=optional)


CALLS = st.one_of(*[st.tuples(st.just(name), _arguments(name)) for name in COMMANDS])


class CommandRules(Compared):
    """Call every command."""

    @rule(calls=st.lists(CALLS, min_size=1, max_size=4))
    def call(self, *, calls: list[tuple[str, dict[str, Any]]]) -> None:
        """Call any commands, one after the other."""
        for name, arguments in calls:
            named = {**arguments}
            self.do(name, *named.pop("records", ()), **named)

    @rule(start=_arguments("start"), then=st.lists(st.sampled_from(VERBS), max_size=3))
    def study(self, *, start: dict[str, Any], then: list[str]) -> None:
        """Start an activity, and continue the attempt that changed last."""
        self.do("start", **start)
        for verb in then if self.seen["Attempt"] else []:
            self.do(verb, self.histories(Attempt)[0][0].id)
