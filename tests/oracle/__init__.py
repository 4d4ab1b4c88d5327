"""A record of how the library behaved before it was redesigned; it goes when that is done."""
