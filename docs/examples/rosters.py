"""Read the rosters that learning management systems export, or name every wrong line."""

import csv
from collections.abc import Callable, Iterable, Mapping

from course_assignments import InvalidInput, User

#: What a row of each file says about a learner, as the id, the name and the e-mail address.
MOODLE = ("username", ("firstname", "lastname"), "email")
CANVAS = ("user_id", ("first_name", "last_name"), "email")
ONEROSTER = ("sourcedId", ("givenName", "familyName"), "email")

Columns = tuple[str, tuple[str, ...], str]


class WrongLines(ValueError):
    """Some lines of a roster are wrong; ``lines`` has what is wrong by the number of the line."""

    def __init__(self, lines: Mapping[int, str]) -> None:
        """Name each line."""
        super().__init__("\n".join(f"line {number}: {what}" for number, what in lines.items()))
        self.lines = lines


def read_roster(
    lines: Iterable[str],
    columns: Columns,
    organization_id: str,
    is_learner: Callable[[Mapping[str, str]], bool] = bool,
) -> list[User]:
    """Return the learners of a CSV file with a heading; *is_learner* can leave out other rows.

    Open the file with ``encoding="utf-8-sig", newline=""``, or pass ``text.splitlines()``.
    """
    text = iter(lines)
    heading = next(text, "").removeprefix("\ufeff")
    delimiter = max(",;\t", key=heading.count)
    names = next(csv.reader([heading], delimiter=delimiter), [])
    id_, name, email = columns
    missing = [one for one in (id_, *name, email) if one not in names]
    if missing:
        raise WrongLines({1: f"no column {', '.join(missing)}"})
    users: list[User] = []
    wrong: dict[int, str] = {}
    rows = csv.DictReader(text, names, delimiter=delimiter, restkey="more", restval="")
    for row in rows:
        number = rows.line_num + 1
        if row.get("more"):
            wrong[number] = f"more than {len(names)} cells"
            continue
        if not is_learner(row):
            continue
        try:
            users.append(
                User(
                    id=row[id_].strip(),
                    name=" ".join(row[one].strip() for one in name).strip(),
                    email=row[email].strip(),
                    organization_id=organization_id,
                )
            )
        except InvalidInput as error:
            wrong[number] = str(error)
    if wrong:
        raise WrongLines(wrong)
    return users
