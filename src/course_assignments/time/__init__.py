"""Datetimes in UTC, lengths of time, and clocks."""
