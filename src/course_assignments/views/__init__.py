"""Views: read-only, for any time, from any repository."""
