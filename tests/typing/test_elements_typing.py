"""What mypy and pyright refuse: elements of another class, and one string for several.

A comment that ignores an error must be needed, so both check this file; nothing in it is run.
"""

from datetime import timedelta
from io import StringIO
from pathlib import Path

from sqlalchemy import Engine

import course_assignments as ca
from course_assignments import commands
from course_assignments.sqlalchemy import SqlRepository

DAY = timedelta(days=1)


def elements_of_another_class(batch: ca.KeyBatch) -> None:
    ca.User(id="u", name="U", email="u@b.org", roles=["support"])  # type: ignore[list-item]
    ca.Course(id="c", name="C", activities=["lab"])  # type: ignore[list-item]
    ca.Change(create=["a"])  # type: ignore[list-item]
    ca.Change(record=["a"])  # type: ignore[list-item]
    ca.Decision(["no"])  # type: ignore[list-item]
    commands.BatchAndKeys(batch, ["a"])  # type: ignore[list-item]
    commands.AssignMany(["c"], [7])  # type: ignore[list-item]


def one_string_for_several(of: ca.Registrar, keys: list[ca.TrainingKey], engine: Engine) -> None:
    ca.User(id="u", name="U", email="u@b.org", managed_organization_ids="acme")  # type: ignore[arg-type]
    commands.AssignMany("c", ["u"])  # type: ignore[arg-type]
    commands.AssignMany(["c"], "u")  # type: ignore[arg-type]
    commands.AddKeys("b", codes="Spring-2026")  # type: ignore[arg-type]
    commands.Subscribe("c", "u", duration=DAY)  # type: ignore[arg-type]
    ca.KeyQuery(codes="Spring-2026")  # type: ignore[arg-type]
    ca.KeyQuery(batch_ids="spring")  # type: ignore[arg-type]
    ca.AssignmentQuery(learner_ids="ada")  # type: ignore[arg-type]
    ca.AssignmentQuery(course_ids="py")  # type: ignore[arg-type]
    ca.export_csv(keys, StringIO(), columns="code")  # type: ignore[arg-type]
    ca.export_csv(keys, StringIO(), as_text="code")  # type: ignore[arg-type]
    ca.Conflict("a-1")  # type: ignore[arg-type]
    ca.OutcomeUnknown("a-1")  # type: ignore[arg-type]
    of.repository.get(ca.Course, "py")  # type: ignore[arg-type]
    ca.InMemoryRepository().get(ca.Course, "py")  # type: ignore[arg-type]
    SqlRepository(engine).get(ca.Course, "py")  # type: ignore[arg-type]
    of.add_keys("b", codes="Spring-2026")  # type: ignore[arg-type]
    of.assign_many("c", ["u"])  # type: ignore[arg-type]
    of.subscribe("c", "u", duration=DAY)  # type: ignore[arg-type]
    ca.read_codes("Spring-2026")  # type: ignore[arg-type]


def all_that_holds_the_right_elements(
    of: ca.Registrar, user: ca.User, keys: list[ca.TrainingKey]
) -> None:
    ca.User(id="u", name="U", email="u@b.org", roles=[ca.Role.SUPPORT])
    ca.User(id="u", name="U", email="u@b.org", roles=(role for role in ca.Role))
    ca.User(id="u", name="U", email="u@b.org", managed_organization_ids={"a": 1}.keys())
    commands.AssignMany({"c"}, ["u", user])
    commands.AssignMany(("c",), (user,))
    commands.AssignMany(frozenset("c"), {"u": 1}.keys())
    of.add_keys("b", codes="Spring-2026".splitlines())
    of.add_keys("b", codes=(line for line in ["Spring-2026"]))
    with Path("codes.txt").open(encoding="utf-8") as file:
        of.add_keys("b", codes=file)
        ca.read_codes(file)
    ca.KeyQuery(codes=["Spring-2026"], batch_ids={"spring"})
    ca.AssignmentQuery(learner_ids={"ada": 1}, course_ids=("py", "sql"))
    code = ca.ExportColumn[ca.TrainingKey]("Code", lambda key: key.code)
    ca.export_csv(keys, StringIO(), columns=["id", code], as_text={"code"})
    ca.export_csv(keys, StringIO(), columns=(name for name in ["id"]))
    of.repository.get(ca.Course, (course for course in ["py"]))


def test_every_wrong_call_is_refused_by_type_checkers() -> None:
    wrong, _ = Path(__file__).read_text(encoding="utf-8").split("\ndef all_that_holds")
    calls = [line for line in wrong.splitlines() if line.startswith(("    ca.", "    commands."))]
    assert len(calls) > 10
    assert all("# type: ignore[" in line for line in calls)
