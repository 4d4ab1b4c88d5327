"""The rules: pure answers, one object a question, no clock and no storage."""
