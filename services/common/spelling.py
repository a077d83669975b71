"""When two spellings are the same: one place, so that who counts and who knows an account agree on it; pure."""

import unicodedata


def spelling_key(text: str) -> str:
    """What the spellings have in common that people take for the same name or address."""
    return unicodedata.normalize("NFKC", text.strip()).casefold()
