"""How hard the property tests look: HYPOTHESIS_PROFILE is "default", "few" or "thorough"."""

import os

import pytest
from hypothesis import settings

from tests.support.examples import Examples

# Asked for by name only; they take what other sessions do without.
collect_ignore = ["bench.py", "postgres", "support/postgres_daemon.py"]

for profile, examples in {"default": 50, "few": 10}.items():
    settings.register_profile(
        profile, max_examples=examples, derandomize=True, deadline=None, print_blob=True
    )
settings.register_profile("thorough", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_configure(config: pytest.Config) -> None:
    """Let the examples of the commands have their names."""
    config.pluginmanager.register(Examples)
