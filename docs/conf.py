"""Settings of Sphinx. Nothing here reads the network."""

import os
import re
import tomllib
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import attrs

import course_assignments
from course_assignments import Duration, DurationLike, EndLike, Origin, Reason, Record
from course_assignments.reasons import CustomReason, PlainReason, Variants

# Read where it is written, so that the pages can be built beside a package that is not installed.
PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]

project = PROJECT["name"]
author = "course-assignments contributors"
project_copyright = "2026, course-assignments contributors"
version = release = PROJECT["version"]

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "examples"]
html_theme = "furo"
html_title = project

# `Refused` in a docstring becomes a link, and a warning when there is nothing of that name.
default_role = "any"

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
napoleon_attr_annotations = False  # the signature has the types
# One parameter a line as soon as a signature is wider than the page.
maximum_signature_line_length = 80
python_use_unqualified_type_names = True

myst_enable_extensions = ["attrs_block", "deflist", "substitution"]
myst_heading_anchors = 3
# A cached result would hide that a notebook no longer runs.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
# A notebook runs in its own folder, from which a relative search path would lead elsewhere.
if "PYTHONPATH" in os.environ:
    os.environ["PYTHONPATH"] = str(Path(course_assignments.__file__).parents[1])

# What other projects document, and type variables, which nobody does.
nitpick_ignore_regex = [
    (
        "py:.*",
        r"(attr|attrs|collections|dateutil|datetime|email|enum|hypothesis|sqlalchemy|threading|typing|zoneinfo)\..+",
    ),
    ("py:.*", r"course_assignments\..+\.(T_co|RecordT|Several|[A-Z])"),
    ("any", r"date|datetime|relativedelta|timedelta|tzinfo|ZoneInfo"),
]

#: Unions that signatures call by their names, the longer before those that they contain.
ALIASES = {
    " | ".join(f"~{one.__module__}.{one.__qualname__}" for one in get_args(union)): name
    for union, name in (
        (Reason, "~course_assignments.Reason"),
        (Record, "~course_assignments.Record"),
        (Origin, "~course_assignments.Origin"),
        (PlainReason, "~course_assignments.reasons.PlainReason"),
        (EndLike, "~course_assignments.EndLike"),
        (DurationLike, "~course_assignments.DurationLike"),
        (Duration, "~course_assignments.Duration"),
    )
}


def tabulate_reasons() -> str:
    """Return a Markdown table of every documented reason with its code and its sentences."""
    rows = ["| code | class | sentence |", "|---|---|---|"]
    for kind in get_args(PlainReason):
        if kind is CustomReason:
            continue
        sentence: str | Variants = kind.sentence
        if isinstance(sentence, Variants):
            sentence = "<br>".join(sentence.sentences)
        rows.append(
            f"| `{kind.code}` | {{py:class}}`~{kind.__module__}.{kind.__name__}` | {sentence} |"
        )
    return "\n".join(rows)


# What a page shows for {{ reasons }}.
myst_substitutions = {"reasons": tabulate_reasons()}


def shorten(text: str) -> str:
    """Return the signature *text* with the unions of `ALIASES` called by their names."""
    for union, name in ALIASES.items():
        text = text.replace(union, name)
    return text


def spell(default: object) -> str:
    """Return *default* as a reader would write it."""
    if isinstance(default, Enum):
        return f"{type(default).__name__}.{default.name}"
    if isinstance(default, tuple):
        return "(" + "".join(f"{spell(one)}, " for one in default).strip() + ")"
    factory = getattr(default, "factory", None)  # of an attrs.Factory
    if factory is not None:
        return f"{factory.__name__}()"
    kind = type(default)
    if attrs.has(kind) and all(one.default is not attrs.NOTHING for one in attrs.fields(kind)):
        return f"{kind.__name__}()"
    return repr(default)


def on_signature(
    _app: object,
    _what: str,
    _name: str,
    documented: Any,
    _options: object,
    signature: str | None,
    returns: str | None,
) -> tuple[str | None, str | None]:
    """Make a signature readable, where attrs hides defaults and aliases are written out."""
    if signature and attrs.has(documented):
        of = attrs.fields_dict(documented)
        hidden = r"attr_dict\['(\w+)'\]\.default"
        signature = re.sub(hidden, lambda found: spell(of[found[1]].default), signature)
    return signature and shorten(signature), returns and shorten(returns)


def setup(app: Any) -> None:
    """Hook into autodoc; the check of types does without Sphinx, hence `Any`."""
    app.connect("autodoc-process-signature", on_signature)
