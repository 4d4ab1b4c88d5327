"""The entry point that Hypothesis calls whenever it is imported, as the package does.

It is not in the package, because its import would import the package, which takes time.
"""

import sys
from contextlib import suppress


def register() -> None:
    """Register our strategies if Hypothesis and the package are imported; the last one calls."""
    if "hypothesis" in sys.modules and "course_assignments" in sys.modules:
        with suppress(Exception):  # neither breaks the other
            from course_assignments import hypothesis_hook  # noqa: PLC0415 - only if both are there

            hypothesis_hook.register()
