"""Texts with places for collected values: `{field}` and `{field|what is said without it}`."""

import re
from collections.abc import Iterator, Mapping

from services.common.validation import MAX_TEXT

Value = str | int | float | bool

PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9_]{0,63})(?:\|([^{}]*))?\}")


def fill(text: str, fields: Mapping[str, Value | None], *, limit: int = MAX_TEXT) -> str:
    """The text with the fields' values in their places, cut at `limit` characters; no more than that is ever put together.

    A field that has no value gives its fallback; without one nothing, and the blank or comma before it goes too.
    """
    if "{" not in text:
        return text[:limit]
    filled = _Filled(limit)
    for part in _parts(text, fields):
        if part is None:
            filled.drop_blank()
        elif filled.is_full():
            break
        else:
            filled.add(part)
    return filled.text()


def is_empty(value: object) -> bool:
    """Whether a field has no value: none at all, or a blank text."""
    return value is None or (isinstance(value, str) and not value.strip())


def _parts(text: str, fields: Mapping[str, Value | None]) -> Iterator[str | None]:
    """The text's own words and the fields' values in turn; None where there is none."""
    end = 0
    for match in PLACEHOLDER.finditer(text):
        yield text[end : match.start()]
        value = fields.get(match[1])
        yield match[2] if is_empty(value) else str(value).replace("\x00", "")
        end = match.end()
    yield text[end:]


class _Filled:
    """A text that grows up to its limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[str] = []
        self._length = 0

    def is_full(self) -> bool:
        return self._length >= self._limit

    def add(self, piece: str) -> None:
        kept = piece[: self._limit - self._length]
        if kept:
            self._pieces.append(kept)
            self._length += len(kept)

    def drop_blank(self) -> None:
        """Take the blank at the end away, and the comma before it."""
        if not self._pieces:
            return
        last = self._pieces.pop()
        self._length -= len(last)
        shorter = last.removesuffix(" ")
        self.add(shorter.removesuffix(",") if shorter != last else last)

    def text(self) -> str:
        return "".join(self._pieces)
