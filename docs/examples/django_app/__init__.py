"""A Django app with its own tables that uses the rules of course_assignments."""
