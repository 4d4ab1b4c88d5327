"""Fixtures of the tests with histories; ``HISTORIES=2000`` for the published figures."""

from collections.abc import Callable

import pytest

from tests.support.history_tests import HISTORIES

# Asked for by name only: it takes what other sessions do without.
collect_ignore = ["test_linearizable_postgres.py"]

FIGURES: list[tuple[str, ...]] = []


@pytest.fixture
def note() -> Callable[..., None]:
    return lambda *cells: FIGURES.append(cells)


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    """Print the figures that are published as a table that a page can take."""
    if HISTORIES and FIGURES:
        terminalreporter.section("figures")
        terminalreporter.line("| where | histories | commands | answered | refused | time |")
        terminalreporter.line("| --- | --- | --- | --- | --- | --- |")
        for line in FIGURES:
            terminalreporter.line(f"| {' | '.join(line)} |")
