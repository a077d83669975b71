"""Positions in the event log as clients know them: `<epoch>-<offset>`, the id of every event on a stream."""

import re
from dataclasses import dataclass
from typing import Self

# The offset is an unsigned 64-bit number.
_FORM = re.compile(r"([A-Za-z0-9]{1,32})-(0|[1-9][0-9]{0,18})\Z")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the log; offsets mean something only within their epoch."""

    epoch: str
    offset: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The position that an id names, or None when it isn't one of ours."""
        match = _FORM.match(text)
        return cls(match[1], int(match[2])) if match else None

    def __str__(self) -> str:
        return f"{self.epoch}-{self.offset}"
