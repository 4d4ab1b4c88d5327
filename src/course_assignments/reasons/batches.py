"""Why keys are not made or not edited. Rules 12 and 20."""

from typing import ClassVar

import attrs
from attrs import field

from course_assignments import validation
from course_assignments.errors import name_lines


@attrs.frozen
class CodeTaken:
    """Hand-made codes that keys have already; the lines count from 1 (rule 12).

    Example:
        >>> print(CodeTaken((3, 7)))
        There are keys with these codes already; take them out: lines 3, 7.
    """

    code: ClassVar = "code_taken"
    lines: tuple[int, ...] = field(
        converter=validation.tidy_tuple, validator=validation.each_of(tuple, int)
    )

    def __str__(self) -> str:
        return f"There are keys with these codes already; take them out: {name_lines(self.lines)}."


@attrs.frozen
class MaxUsesBelowUses:
    """A key of the batch was used more often than the new maximum allows (rule 20).

    Example:
        >>> print(MaxUsesBelowUses(4))
        A key was used 4 times already; choose at least 4.
    """

    code: ClassVar = "max_uses_below_uses"
    uses: int = field(validator=validation.count(1))

    def __str__(self) -> str:
        return f"A key was used {self.uses} times already; choose at least {self.uses}."
