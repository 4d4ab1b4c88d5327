"""The code of a key is a secret: a repr or message masks it, and no id or event holds it."""

import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import course_assignments as ca
from course_assignments import commands, reasons
from course_assignments.entities.codes import check_symbol, fold, format_code
from tests.support.junk import COMMANDS as SAID
from tests.support.junk import QUERIES, Entry
from tests.support.world import ACME, ADA, BETA, BO, PYTHON, START, contents, world

DAY = timedelta(days=1)


def plain(text: str) -> str:
    """Return *text* as someone reads it who knows how codes are written."""
    return text.replace("-", "").casefold()


def shows(code: str, text: str, most: int | None = None) -> bool:
    """Return whether more than *most* symbols of *code* stand in *text*, however grouped.

    By default that is what may be shown: at most 4 symbols, never more than a quarter.
    """
    symbols, read = plain(code), plain(text)
    length = 1 + (min(4, len(fold(code)) // 4) if most is None else most)
    return any(
        symbols[start : start + length] in read for start in range(len(symbols) - length + 1)
    )


def generated(symbols: str) -> str:
    return format_code(symbols + check_symbol(symbols))


# Rare symbols only, so that what is found of a code in a text is no accident: no hexadecimals,
# which ids are made of, no marks that tracebacks draw below a line, and none that both codes have.
HAND_MADE = st.text("&%", min_size=8, max_size=64), st.text("$}", min_size=8, max_size=64)
GENERATED = tuple(
    st.text(symbols, min_size=16, max_size=16).map(generated) for symbols in ("QXZ", "JKWV")
)


def strings_of(thing: Any) -> Iterator[str]:
    """Give all that can be read of *thing* without asking for a code by name."""
    yield repr(thing)
    yield str(thing)
    yield f"{thing}"
    if isinstance(thing, BaseException):
        yield "".join(traceback.format_exception(thing))
        yield from (repr(argument) for argument in thing.args)
    if isinstance(thing, ca.Event):
        yield from (
            thing.action,
            *thing.subject_ids,
            *(text for two in thing.details for text in two),
        )
    if isinstance(thing, ca.Conflict):
        yield from thing.ids
    if not isinstance(thing, ca.TrainingKey) and isinstance(getattr(thing, "id", None), str):
        yield thing.id


class Story:
    """Keys made, listed, redeemed, mistyped, taken, given back and revoked; all that is said."""

    def __init__(self, code: str, other: str) -> None:
        restoring = ca.CancellationPolicy(restores_key_use=True)
        self.registrar, self.clock = world(policies=ca.Policies(cancellation=restoring))
        self.said: list[Any] = [self.registrar, self.clock]
        self.code, self.other = code, other
        self.tell()

    def say(self, command: str, *args: Any, **kwargs: Any) -> Any:
        """Carry *command* out and keep what it says, and what its question answers before it."""
        for name in (f"may_{command}", command):
            self.attempt(getattr(self.registrar, name), *args, **kwargs)
        return self.said[-1]

    def attempt(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        try:
            self.said.append(function(*args, **kwargs))
        except ca.CourseAssignmentsError as error:
            self.said += [error, *getattr(getattr(error, "decision", None), "reasons", ())]

    def tell(self) -> None:
        registrar, code, other = self.registrar, self.code, self.other
        terms: dict[str, Any] = {"organization_id": "acme", "availability": 30 * DAY}
        keys = {"name": "Keys", "max_uses": 2, **terms}
        self.say("create_keys", "py", codes=[code], id="b-1", **keys)
        self.say("create_keys", "py", codes=[code], id="b-1", **keys)
        self.say("create_keys", "py", codes=[code, other], id="b-2", **keys)
        self.say("create_keys", "sql", codes=[code], id="b-1", **keys)
        self.say("add_keys", "b-1", codes=[other], id="more")
        self.say("add_keys", "b-1", codes=[code], id="more")
        self.say("add_keys", "b-1", codes=[code], id="most")
        for lines in ([code, code], [code + "!"], [code[:7]], [f" {code} x"], [code.encode()]):
            self.say("add_keys", "b-1", codes=lines)
        self.said += list(registrar.keys("b-1"))
        for learner in ("ada", "ada", "bo", "manager", "support", "nobody"):
            self.say("redeem", code, learner, id=f"a-{learner}")
        self.say("redeem", code, "ada")
        self.say("redeem", other, "ada", id="a-ada")
        self.say("redeem", code[:-1] + ("0" if code[-1] != "0" else "1"), "ada")
        self.say("redeem", code + "?", "ada")
        self.say("redeem", code.encode(), "ada")
        self.say("register", code, attrs.evolve(ADA, id="x"))
        self.say("register", code, ca.User(id="x", name="X", email="x@example.org"))
        self.say("cancel", "a-ada")
        self.say("redeem", code, "ada", id="a-again")
        self.say("edit_keys", "b-1", redeemable_from=DAY)
        self.say("redeem", code, "ada")
        self.say("edit_keys", "b-1", redeemable_from=None, redeemable_until=START)
        self.say("redeem", code, "ada")
        self.say("edit_keys", "b-1", max_uses=1)
        self.say("edit_keys", "b-1", max_uses=5)
        self.say("revoke_key", other)
        self.say("redeem", other, "bo")
        self.say("revoke_key", code)
        self.say("revoke_keys", "b-1")
        self.say("revoke_key", "Never-made-1")
        self.handle_records()
        for kind in contents(registrar.repository).values():
            self.said += kind

    def handle_records(self) -> None:
        """Do by hand what the commands do, as whoever keeps the records elsewhere does."""
        store, code, other = self.registrar.repository, fold(self.code), fold(self.other)
        key = ca.TrainingKey(id="k-1", code=code, batch_id="b-1")
        absent = ca.TrainingKey(id="k-9", code=other, batch_id="b-9", max_uses=9)
        redemption = ca.Redemption(
            id=ca.Redemption.id_for("k-1", "ada", 0),
            key_id="k-1",
            batch_id="b-1",
            learner_id="ada",
            assignment_id="a-ada",
            redeemed_at=START,
        )
        batch = ca.KeyBatch(
            id="b-1",
            name="Keys",
            course_id="py",
            organization_id="acme",
            created_at=START,
            availability=DAY,
        )
        redeemable = commands.Redeemable(
            id="a",
            redemption_id=redemption.id,
            key=key,
            batch=batch,
            course=PYTHON,
            learner=ADA,
            organization=ACME,
            redeemed=redemption,
        )
        replace, use = ca.Replace(key, attrs.evolve(key, revoked_at=START)), ca.Use(absent, 1)
        changes = [
            ca.Change(create=[key, redemption], expect=[absent], use=[ca.Use(key, 1)]),
            ca.Change(replace=[replace], use=[use]),
        ]
        self.said += [key, redemption, redeemable, replace, use, *changes]
        for change in changes:
            self.attempt(store.commit, change)
        context = commands.Context(START)
        self.attempt(commands.Redeem(code, "ada").decide, redeemable, context)
        by_bo = attrs.evolve(redeemable, redeemed=None, learner=BO, organization=BETA)
        self.attempt(commands.Redeem(code, "bo").decide, by_bo, context)
        extend = commands.AddKeys("b-1", codes=[code]).decide
        for taken in ([code], []):
            more = commands.BatchToExtend(batch=batch, course=PYTHON, key_ids=["k-2"], taken=taken)
            self.attempt(extend, more, context)
        self.attempt(
            commands.BatchToExtend,
            batch=batch,
            course=PYTHON,
            key_ids=["k-2"],
            generated=[code + "\N{EURO SIGN}"],
        )
        self.attempt(commands.BatchAndKeys, batch, [key, absent])
        queries: tuple[ca.Query[Any], ...] = (
            ca.KeyQuery(code=self.code, codes=[self.code, code]),
            ca.KeyQuery(batch_ids=["b-1"], limit=1),
            ca.KeyQuery(batch_ids=["b-1"], cursor=("b-1", 1, code)),
        )
        for query in queries:
            page = store.find(query)
            self.said += [query, page, page.next]
        for bad in (self.code + " ", self.code + "\0", code + 70 * "x", code[:7], [code]):
            for make in (self._key, self._asked):
                self.attempt(make, bad)

    @staticmethod
    def _key(code: Any) -> object:
        return ca.TrainingKey(id="k-1", code=code, batch_id="b-1")

    @staticmethod
    def _asked(code: Any) -> object:
        return ca.KeyQuery(code=code)


def kept_of(story: Story) -> list[Any]:
    """Return everything that is stored, receipts and claims too, and events, but no key."""
    shelves: Any = vars(story.registrar.repository)["_shelves"]
    return [
        record
        for kind, shelf in shelves.items()
        if kind is not ca.TrainingKey
        for record in shelf.records.values()
    ]


def leaks(story: Story) -> list[str]:
    strings = {text for thing in story.said for text in strings_of(thing)}
    return [
        f"{code} in {text}"
        for code in (story.code, story.other)
        for text in strings
        if shows(code, text)
    ]


class TestNothingShowsACode:
    """No id, message, event or repr ever shows a code."""

    @given(*HAND_MADE)
    def test_that_was_made_by_hand(self, code: str, other: str) -> None:
        assert not leaks(Story(code, other))

    def test_no_stored_record_but_the_key_has_anything_of_it(self) -> None:
        """With other codes the same is stored, so nothing in it is derived from a code."""
        one, other = Story("&&%%&&%%&&%%", "$$}}$$}}"), Story("%&%&%&%&", "}$}$}$}$}$}$")
        assert len(kept_of(one)) > 20
        assert kept_of(one) == kept_of(other)
        assert contents(one.registrar.repository) != contents(other.registrar.repository)

    @given(*GENERATED)
    def test_that_was_generated(self, code: str, other: str) -> None:
        assert not leaks(Story(code, other))

    @pytest.mark.parametrize(
        ("code", "other"),
        [
            ("Spring~2026~Acme", "Autumn~2026~Acme"),
            ("QXZJ-KWVQ-XZJK-WVQX", "JJJJJJJJ"),
            ("&&--%%--&&--", "a:b$c:d$"),
            ("{code!r:>9}%s", "<b>&amp</b>"),
        ],
    )
    def test_of_an_odd_form(self, code: str, other: str) -> None:
        said = [text for thing in Story(code, other).said for text in strings_of(thing)]
        assert not [text for text in said if code in text or other in text]
        assert not [text for text in said if shows(code, text, 4)]

    def test_of_codes_that_the_registrar_draws(self) -> None:
        registrar, _ = world(random_bytes=lambda size: bytes(range(200, 200 + 16)) * (size // 16))
        batch = registrar.create_keys(
            "py", name="Keys", organization_id="acme", availability=DAY, generate=1
        )
        (key,) = registrar.keys(batch.id)
        registrar.redeem(key.display_code, "ada")
        said = [
            key,
            batch,
            *(one for kind in contents(registrar.repository).values() for one in kind),
        ]
        assert not [t for thing in said for t in strings_of(thing) if shows(key.code, t)]


@given(*HAND_MADE)
def test_no_command_and_no_records_show_a_code(code: str, other: str) -> None:
    newcomer = ca.User(id="x", name="X", email="x@example.org")
    said = [
        commands.AddKeys("b-1", codes=[code, other]),
        commands.Redeem(code, "ada"),
        commands.Register(code, newcomer),
        commands.RevokeKey(code),
        commands.BatchToCreate(
            id="b-1",
            course=PYTHON,
            organization=ACME,
            key_ids=["k-1"],
            generated=[fold(generated("QXZQXZQXZQXZQXZQ"))],
            taken=[other],
        ),
    ]
    assert not [t for thing in said for t in strings_of(thing) if shows(code, t)]


#: Calls that take an id, with one argument for a code that someone put there.
IN_PLACE_OF_AN_ID: Mapping[str, Callable[[ca.Registrar, str], object]] = {
    "redeem": lambda of, code: of.redeem("ada", code),
    "redeem by": lambda of, code: of.redeem("ada", "ada", by=code),
    "keys": lambda of, code: of.keys(code),
    "add_keys": lambda of, code: of.add_keys(code, generate=1),
    "assign": lambda of, code: of.assign(code, code),
    "assign_many": lambda of, code: of.assign_many(["py", code], ["ada", code]),
    "cancel": lambda of, code: of.cancel(code),
    "start": lambda of, code: of.start("a-1", code),
    "open_course": lambda of, code: of.open_course(code, code),
    "get": lambda of, code: of.get(ca.Course, code),
    "statement": lambda of, code: ca.statement(
        of.repository, start=START, end=START + DAY, organization_id=code
    ),
    "add": lambda of, code: of.add(
        ca.User(id="n", name="N", email="n@example.org", organization_id=code)
    ),
    "taken id": lambda of, code: of.assign("sql", "ada", id=code),
    "changed profile": lambda of, code: of.add(ca.Course(id=code, name="Other")),
    "repeated activity": lambda _, code: ca.Course(
        id="c",
        name="C",
        activities=[ca.Activity(id=code, name="A", kind=ca.ActivityKind.LAB)] * 2,
    ),
}


@pytest.mark.parametrize("name", IN_PLACE_OF_AN_ID)
@pytest.mark.parametrize("code", ["Welcome2026", "0000-0000-0000-0001-2"])
def test_a_code_in_place_of_an_id_is_masked(name: str, code: str) -> None:
    registrar, _ = world()
    registrar.assign("py", "ada", id="a-1")
    if name in {"taken id", "changed profile"}:
        registrar.assign("py", "ada", id=code)
        registrar.add(ca.Course(id=code, name="Named by mistake"))
    with pytest.raises(ca.CourseAssignmentsError) as caught:
        IN_PLACE_OF_AN_ID[name](registrar, code)
    error = caught.value
    for text in (str(error), repr(error), "".join(traceback.format_exception_only(error))):
        assert not shows(code, text)


def _made(entry: Entry) -> Any:
    return entry.run(ca.Registrar(), entry.arguments)


def _ids(kind: type[Any]) -> list[str]:
    """Return the arguments of a command or query that take ids."""
    names = [at.alias for at in attrs.fields(kind) if at.repr]
    return [one for one in names if one == "by" or one.endswith(("id", "ids", "learners"))]


@pytest.mark.parametrize(
    "value", [*map(_made, (*SAID, *QUERIES))], ids=lambda one: type(one).__name__
)
def test_a_repr_masks_a_code_in_place_of_an_id(value: Any) -> None:
    for name in _ids(type(value)):
        code = "Welcome-QXZJ"
        several = name.endswith("s")
        made = attrs.evolve(value, **{name: [code] if several else code})
        assert not shows(code, repr(made))
        assert f"{name}={('****-XZJ',) if several else '****-XZJ'!r}" in repr(made)


@pytest.mark.parametrize(
    "make",
    [
        lambda: commands.Assign("py", "ada", expires="tomorrow"),  # type: ignore[arg-type]
        lambda: commands.CreateKeys(
            "py",
            name="K",
            organization_id="acme",
            availability=DAY,
            codes="Secret~Code~99",  # type: ignore[arg-type]
        ),
        lambda: ca.CourseQuery(limit=0),
        lambda: ca.KeyBatch(
            id="b",
            name="K",
            course_id="py",
            organization_id="acme",
            created_at=START,
            availability="long",  # type: ignore[arg-type]
        ),
    ],
)
def test_a_traceback_can_show_a_value_that_could_not_be_made(make: Callable[[], object]) -> None:
    with pytest.raises(ca.InvalidInput) as caught:
        make()
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "InvalidInput" in "".join(shown.format())


def test_the_records_of_new_keys_hide_their_codes() -> None:
    made, taken = fold(generated("QXZQXZQXZQXZQXZQ")), "&%&%&%&%"
    known: dict[str, Any] = {
        "course": PYTHON,
        "key_ids": ["k-1"],
        "generated": [made],
        "taken": [taken],
    }
    batch = ca.KeyBatch(
        id="b", name="B", course_id="py", organization_id="acme", created_at=START, availability=DAY
    )
    for records in (
        commands.BatchToCreate(id="b", organization=ACME, **known),
        commands.BatchToExtend(batch=batch, **known),
    ):
        assert not any(shows(code, repr(records)) for code in (made, taken))


class TestTheStory:
    """What the story writes down is worth reading."""

    def test_tells_of_every_way_a_key_is_refused(self) -> None:
        story = Story("Spring~2026", "Autumn~2026")
        told = {type(thing) for thing in story.said}
        assert {ca.Conflict, ca.InvalidInput, ca.NotFound, ca.Refused, ca.Event} <= told
        assert {ca.TrainingKey, ca.Redemption, ca.Change, ca.Use, ca.Replace, ca.Page} <= told
        assert {ca.Decision, ca.KeyBatch, ca.KeyQuery} <= told
        assert {
            reasons.AlreadyRedeemed,
            reasons.CodeTaken,
            reasons.EmailTaken,
            reasons.KeyExhausted,
            reasons.KeyExpired,
            reasons.KeyNotFound,
            reasons.KeyNotYetRedeemable,
            reasons.KeyRevoked,
            reasons.MaxUsesBelowUses,
            reasons.WrongOrganization,
        } <= told

    def test_tells_of_a_typing_error(self) -> None:
        code = generated("QXZJKWVQXZJKWVQX")
        story = Story(code, generated("WWWWQQQQXXXXZZZZ"))
        assert reasons.KeyMistyped in {type(thing) for thing in story.said}

    @pytest.mark.parametrize(
        "leak",
        [
            lambda code: ca.NotFound("TrainingKey", code),
            lambda code: ca.InvalidInput("invalid_code", "codes[0]", f"{code} is no code"),
            lambda code: ca.Conflict((code,)),
            lambda code: ca.Event(at=START, action="x", subject_ids=["a", code]),
            lambda code: ca.Event(at=START, action="x", subject_ids=[], details={"code": code}),
            lambda code: ca.Claim.of("ada", "py", code),
            lambda code: ca.CustomReason("x-host", code[:6]),
            lambda code: ca.UserQuery(email=code),
        ],
    )
    def test_would_show_a_leak(self, leak: Callable[[str], object]) -> None:
        code = "$}&%$}&%$}&%"
        story = Story(code, "||||||||")
        story.said = [leak(code)]
        assert leaks(story)


def test_a_key_shows_its_code_only_to_who_asks() -> None:
    key = ca.TrainingKey(id="k-1", code="Spring~2026", batch_id="b")
    assert (key.code, key.display_code) == ("Spring~2026",) * 2
    assert "Spring" not in f"{key} {key!r} {[key]} {(key,)} {{'key': {key}}}"


def test_derived_ids_hold_nothing_of_their_parts() -> None:
    code = "ABCDEFABCDEFABCDEF"  # hexadecimal, so that it could be in one
    ids = [ca.Redemption.id_for(code, "ada", turn) for turn in range(3)]
    assert all(len(one) == 72 and not shows(code, one, 4) for one in ids)
    assert len(set(ids)) == 3
