"""Invitation e-mails for learners."""
