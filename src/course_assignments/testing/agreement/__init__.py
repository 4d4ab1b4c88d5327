"""The machine that has any repository agree with the one in memory, one theme of rules a file."""
