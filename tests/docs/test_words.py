"""Plain words: short sentences and paragraphs, and none of the words that `INSTEAD` replaces."""

import ast
import re
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]

#: The files to check. In a page it is the prose, in a module the docstrings and the messages.
FILES = [
    path.relative_to(ROOT).as_posix()
    for path in [
        *(ROOT / name for name in ("README.md", "noxfile.py")),
        *sorted(ROOT.glob("src/**/*.py")),
        *sorted(ROOT.glob("docs/**/*.md")),
        *sorted(ROOT.glob("docs/examples/**/*.py")),
    ]
]

MAXIMUM_WORDS = 30
MAXIMUM_LINES = 5

#: Patterns that must not appear, with what to write instead.
INSTEAD = {
    r"desks?": "reader",
    r"offices?": "registrar",
    r"seats?": "claim; a seat is a place that is sold",
    r"ceilings?": "limit",
    r"patience|patient|impatient": "timeout",
    r"twins?": "question, or `may_...` method",
    r"crowd(s|ed|ing)?": "many processes, or concurrent calls",
    r"circles?": "cycle",
    r"havoc|gist|stock": "a plain word: no metaphors",
    r"promis(e|es|ed|ing)": "contract, guarantee, must",
    r"instants?": "moment, time, datetime or timestamp",
    r"for good": "permanently",
    r"(is|are|be|am) none|none of (our|your|its|what)": "is not one",
    r"(come|comes|came|coming) to": "the result is",
    r"(draws?|drew|drawn) lots|no lots": "nothing is random",
    r"(run|runs|ran) dry": "is exhausted",
    r"behind": "after",
    r"anew": "again",
    r"meanwhile": "in the meantime, or since then",
    r"to and fro": "back and forth",
    r"mend(s|ed|ing)?": "fix",
    r"without a word": "silently",
    r"for want of|to be had": "without, available",
    r"be it": "past or future",
    r"themself": "themselves",
    r"typing errors?": "typo",
    r"letters?": "character, or message",
    r"texts|a text(?! (stream|file|editor|column))": "string",
    r"(un)?enrol(s|ment|ments)?": "enroll, enrollment",
    r"catalogues?": "catalog",
    r"licences?": "license",
    r"(behavi|col|fav|hon|neighb|lab)our(s|ed|ing|able)?": "-or",
    r"(anonym|author|capital|custom|initial|memor|neutral|normal|organ|random|recogn|serial|summar"
    r"|synchron)is(e|es|ed|er|ing|ation|ations)": "-ize",
}

WORDS = {re.compile(rf"\b({one})\b", re.IGNORECASE): better for one, better in INSTEAD.items()}


class Passage(NamedTuple):
    """A paragraph, a list item, a heading, the cell of a table, or a message."""

    line: int  # the number of its first line
    text: str
    height: int = 1  # how many lines it has in the file


def passages(path: str, text: str) -> Iterator[Passage]:
    return in_module(text) if path.endswith(".py") else in_page(text)


def in_page(text: str) -> Iterator[Passage]:
    """Yield the prose of a Markdown page, without front matter, code and directives."""
    for pattern in (r"\A---\n.*?^---$", r"^ *(`{3,}).*?^ *\1$", r"<!--.*?-->"):
        text = re.sub(pattern, _blank, text, flags=re.MULTILINE | re.DOTALL)
    return _in_lines(text, starts=r"\s*([-*:]|\d+\.) |#", skipped=r"\s*(:::.*|\{\..*\}|%.*)?")


def in_module(source: str) -> Iterator[Passage]:
    """Yield the prose of the docstrings, without examples, and every other string of 3 words."""
    pending: list[ast.AST] = [ast.parse(source)]
    while pending:
        node = pending.pop()
        inner = list(ast.iter_child_nodes(node))
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                text = re.sub(r"^ *>>> .*(\n *\S.*)*", _blank, cleandoc(text), flags=re.MULTILINE)
                for one in _in_lines(text, starts=r"\s+[\w*, ]+: |\s*- ", skipped=r"\s*(\w+:)?"):
                    yield one._replace(line=node.lineno + one.line - 1)
                inner = []
            case ast.JoinedStr(values=values):
                parts = (one.value if isinstance(one, ast.Constant) else "X" for one in values)
                yield Passage(node.lineno, _spoken("".join(map(str, parts))))
                inner = []
            case ast.Constant(value=str(text)) if len(text.split()) > 2:
                yield Passage(node.lineno, _spoken(text))
            case _:
                pass
        pending += inner


def _blank(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")  # keeps the line numbers of the rest


def _in_lines(text: str, *, starts: str, skipped: str) -> Iterator[Passage]:
    begun: list[str] = []
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        is_row = line.lstrip().startswith("|")
        if begun and (is_row or re.fullmatch(skipped, line) or re.match(starts, line)):
            yield Passage(number - len(begun), _spoken(" ".join(begun)), len(begun))
            begun = []
        if is_row:
            for cell in _spoken(line).split("|"):
                yield Passage(number, cell)
        elif not re.fullmatch(skipped, line):
            begun.append(re.sub(rf"^({starts}) *", "", line))
            if line.startswith("#"):  # a heading ends with its line
                yield Passage(number, _spoken(begun.pop()))


def _spoken(text: str) -> str:
    """Return *text* without markup; a piece of code or an address becomes one word."""
    text = re.sub(r"(\{[\w:]+\})?(`+)[^`]+\2|https?://\S+", "X", text)
    return re.sub(r"[*\\]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text))


def complaints(path: str, text: str) -> list[str]:
    """Return what to change in the file, as ``path:line: what``."""
    found = []
    for line, said, height in passages(path, text):
        for sentence in re.split(r"""(?<=[.!?])["')]*\s+(?=["'(]*[A-Z0-9])""", said):
            count = len(re.findall(r"\S*\w\S*", sentence))
            if count > MAXIMUM_WORDS:
                found.append(f"{path}:{line}: {count} words: {' '.join(sentence.split())}")
        if path.endswith(".md") and height > MAXIMUM_LINES:
            found.append(f"{path}:{line}: {height} lines in one paragraph")
        for pattern, better in WORDS.items():
            if word := pattern.search(said):
                found.append(f"{path}:{line}: {word[0]!r}: write {better}")
    return found


@pytest.mark.parametrize("path", FILES)
def test_it_is_written_in_plain_words(path: str) -> None:
    assert complaints(path, (ROOT / path).read_text(encoding="utf-8")) == []


def test_every_page_that_is_not_pending_is_checked() -> None:
    assert "README.md" in FILES
    assert "docs/tutorial.md" in FILES
    assert "src/course_assignments/errors.py" in FILES
    assert "docs/examples/demo.py" in FILES
    assert len(FILES) == len(set(FILES))


LONG = " ".join(["word"] * (MAXIMUM_WORDS + 1))


@pytest.mark.parametrize(
    ("page", "lines"),
    [
        ("Short.\n\n" + LONG + ".\n", [3]),
        ("- Short.\n- " + LONG.replace(" ", "\n  ", 3) + "\n", [2]),
        ("| a | b |\n|---|---|\n| short | the office |\n", [3]),
        (f"| {LONG[:80]} | {LONG[80:]} |\n", []),
        ("# The Desk\n\nPlain.\n", [1]),
        ("Word\n: An *instant*.\n", [2]),
        (":::{warning}\nNot for good.\n:::\n", [2]),
        ("---\noffice: 1\n---\n\nThe [catalogue](office.md), and `office`.\n", [5]),
        ("```pycon\n>>> office\n```\n\nSee <!-- office --> the\noffice.\n", [5]),
        ("One.\n" * MAXIMUM_LINES, []),
        ("One.\n" * (MAXIMUM_LINES + 1), [1]),
    ],
)
def test_a_page_is_read_as_a_person_reads_it(page: str, lines: list[int]) -> None:
    assert [int(one.split(":")[1]) for one in complaints("page.md", page)] == lines


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ('"""Open the office."""\noffice = "office"\n', [1]),
        ('"""Do it.\n\nArgs:\n    x: An instant.\n\n    >>> office\n"""\n', [4]),
        (f'"""Do it.\n\n- {LONG[:80]}\n- {LONG[80:]}\n"""\n', []),
        ('raise ValueError(\n    "there is no office here"\n)\n', [2]),
        ('office = 1\nraise ValueError(f"the {office} is a text")\n', [2]),
        ("# The office.\n", []),
    ],
)
def test_a_module_is_read_for_docstrings_and_messages(body: str, lines: list[int]) -> None:
    assert [int(one.split(":")[1]) for one in complaints("module.py", body)] == lines
