"""What a migration tool makes of the tables: it sees names and types, and none of our classes."""

from typing import Any

import pytest
from sqlalchemy import CheckConstraint, MetaData
from sqlalchemy.dialects import postgresql, sqlite

from course_assignments.sqlalchemy import Tables, build_tables, column_types
from course_assignments.sqlalchemy.column_types import Document, EncodedText

DIALECTS = [postgresql.dialect(), sqlite.dialect()]  # type: ignore[no-untyped-call]


def each_column_type(tables: Tables) -> dict[str, Any]:
    return {str(column): column.type for table in tables for column in table.columns}


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_type_is_made_anew_from_how_it_shows_itself(dialect: Any) -> None:
    """As a migration is written: the name of the module, and the ``repr`` of the type."""
    ours = {
        name: kind
        for name, kind in each_column_type(build_tables(MetaData())).items()
        if type(kind).__module__.startswith("course_assignments.")
    }
    assert ours
    for name, kind in ours.items():
        again = eval(f"column_types.{kind!r}", {"column_types": column_types})  # noqa: S307 - our own text
        assert again.compile(dialect=dialect) == kind.compile(dialect=dialect), name


def test_no_constraint_is_written_for_another_database() -> None:
    """A migration does not know for which database a constraint is; so its words have to fit."""
    checks = [
        one
        for table in build_tables(MetaData())
        for one in table.constraints
        if isinstance(one, CheckConstraint) and str(one.name).endswith("_ok")
    ]
    assert checks
    for check in checks:
        on_postgresql, on_sqlite = (
            str(check.sqltext.compile(dialect=dialect)) for dialect in DIALECTS
        )
        same = on_postgresql == on_sqlite and on_sqlite.endswith(" IN (false, true)")
        assert same or (on_postgresql.startswith("isfinite(") and " GLOB " in on_sqlite)


def test_a_value_is_kept_by_a_type_that_names_no_kind() -> None:
    """So that rows can be moved by a migration, too, as what the JSON says."""
    for dialect in DIALECTS:
        text = Document().process_bind_param([{"b": 1, "a": None}], dialect)
        assert text == '[{"a":null,"b":1}]'
        assert Document().process_result_value(text, dialect) == [{"b": 1, "a": None}]
        assert EncodedText().process_result_value("P6M", dialect) == "P6M"
