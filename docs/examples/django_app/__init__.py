"""A Django app with tables of its own that asks course_assignments for the rules."""
