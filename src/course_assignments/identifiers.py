"""Ids made from what makes a record unique, so that two who make the same record meet.

An id made here is a digest of its parts; nobody can read a key's code off it.
"""

from hashlib import sha256


def derived_id(*parts: str) -> str:
    """Return the id that *parts*, in this order, always give.

    Each part goes in behind its length, so that no two lists of parts run together.

    Example:
        >>> derived_id("seat", "ab", "c") == derived_id("seat", "a", "bc")
        False
        >>> len(derived_id("seat", "ada", "python"))
        64
    """
    digest = sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
