"""Texts with places for collected values: `{field}` and `{field|what is said without it}`."""

import re
from collections.abc import Mapping

from services.common.validation import MAX_TEXT

Value = str | int | float | bool

PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9_]{0,63})(?:\|([^{}]*))?\}")
# No field and no text of a flow has it.
_NOTHING = "\x00"


def fill(text: str, fields: Mapping[str, Value | None], *, limit: int = MAX_TEXT) -> str:
    """The text with the fields' values in their places, cut at `limit` characters.

    A field that has no value gives its fallback; without one nothing, and the blank or comma before it goes too.
    """

    def value_of(match: re.Match[str]) -> str:
        value = fields.get(match[1])
        if not is_empty(value):
            return str(value).replace(_NOTHING, "")
        return match[2] if match[2] is not None else _NOTHING

    filled = PLACEHOLDER.sub(value_of, text)
    return filled.replace(f", {_NOTHING}", "").replace(f" {_NOTHING}", "").replace(_NOTHING, "")[:limit]


def is_empty(value: object) -> bool:
    """Whether a field has no value: none at all, or a blank text."""
    return value is None or (isinstance(value, str) and not value.strip())
