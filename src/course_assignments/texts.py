"""How two texts compare where neither case nor composition counts. It knows nothing of records."""

from unicodedata import normalize


def fold_text(text: str) -> str:
    """Return the form in which two texts are the same: composed (NFC), then without case.

    Folding a folded text changes nothing.

    Example:
        >>> fold_text("STRASSE") == fold_text("Stra\N{LATIN SMALL LETTER SHARP S}e")
        True
    """
    return normalize("NFC", normalize("NFC", text).casefold())
