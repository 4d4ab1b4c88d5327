"""Settings of Sphinx. Nothing here reads the network."""

from importlib.metadata import version as installed_version

project = "course-assignments"
author = "course-assignments contributors"
project_copyright = "2026, course-assignments contributors"
version = release = installed_version(project)

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "examples"]
html_theme = "furo"
html_title = project

# `Refused` in a docstring becomes a link, and a warning when there is nothing of that name.
default_role = "any"

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_preserve_defaults = True
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# A cached result would hide that a notebook no longer runs.
nb_execution_mode = "force"
nb_execution_raise_on_error = True

# What other projects document, and type variables, which nobody does.
nitpick_ignore_regex = [
    ("py:.*", r"(attr|attrs|collections|dateutil|datetime|enum|threading|typing|zoneinfo)\..+"),
    ("py:.*", r"course_assignments\..+\.[A-Z]"),
    ("any", r"date|datetime|relativedelta|timedelta|tzinfo|ZoneInfo"),
]
