"""Run every Python block of README.md and of the pages beside this file, as a reader would."""

from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.integration.pytest import SybilItem
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser, SkipParser

FLAGS = ELLIPSIS | NORMALIZE_WHITESPACE

# Settings of Sphinx, what it built, and scripts that have tests of their own: not for doctest.
collect_ignore = ["_build", "conf.py", "examples"]

console = PythonCodeBlockParser(doctest_optionflags=FLAGS)
console.codeblock_parser = CodeBlockParser("pycon", PythonEvaluator())

pages = Sybil(
    parsers=[PythonCodeBlockParser(doctest_optionflags=FLAGS), console, SkipParser()],
    path=str(Path(__file__).parent.parent),
    patterns=["README.md", "docs/*.md", "docs/*/*.md"],
)


class Pages:
    """Collects the pages; as a hook of this file it would not be asked about the README above."""

    pytest_collect_file = staticmethod(pages.pytest())


def pytest_configure(config: pytest.Config) -> None:
    """Let pytest ask `Pages` about every file."""
    config.pluginmanager.register(Pages)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the blocks back in the order of their page: each builds on those above it."""
    blocks = [item for item in items if isinstance(item, SybilItem)]
    ordered = iter(sorted(blocks, key=lambda block: (block.path, block.example.line)))
    items[:] = [next(ordered) if isinstance(item, SybilItem) else item for item in items]
