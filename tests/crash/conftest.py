"""Fixtures of the crash tests; ``CRASH_PROFILE=full`` for the counts that are published."""

from collections.abc import Iterator

import pytest

from tests.support import processes
from tests.support.crash_tests import FULL, SIZES, Note
from tests.support.processes import ProcessPool

# Asked for by name only: it takes what other sessions do without.
collect_ignore = ["test_crash_postgres.py"]

FIGURES: list[tuple[str, str, str]] = []


@pytest.fixture(scope="session")
def pool() -> Iterator[ProcessPool]:
    with processes.process_pool("tests.support.writers") as kept:
        yield kept


@pytest.fixture
def note(backend: str) -> Note:
    return lambda done, found: FIGURES.append((backend, done, found))


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    """Print the figures that are published as a table that a page can take."""
    if SIZES is FULL and FIGURES:
        terminalreporter.section("figures")
        terminalreporter.line("| where | what was done | result |\n| --- | --- | --- |")
        for line in FIGURES:
            terminalreporter.line(f"| {' | '.join(line)} |")
