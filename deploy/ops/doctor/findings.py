"""What the doctor found, line by line."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["ok", "warn", "bad", "skip"]


@dataclass(frozen=True)
class Finding:
    """One line; `remedy` says what to do where something is not well."""

    level: Level
    part: str
    text: str
    remedy: str = ""


@dataclass
class Findings:
    """The lines of a visit, in order."""

    lines: list[Finding] = field(default_factory=list)
    part: str = ""

    def ok(self, text: str) -> None:
        """As it should be."""
        self.lines.append(Finding("ok", self.part, text))

    def warn(self, text: str, remedy: str) -> None:
        """It works, and should be seen to."""
        self.lines.append(Finding("warn", self.part, text, remedy))

    def bad(self, text: str, remedy: str) -> None:
        """Something does not work, or will be lost."""
        self.lines.append(Finding("bad", self.part, text, remedy))

    def skip(self, text: str, remedy: str = "") -> None:
        """It could not be looked at from here."""
        self.lines.append(Finding("skip", self.part, text, remedy))

    def about(self, part: str) -> "Findings":
        """The same visit, from now on about a part."""
        self.part = part
        return self

    def of(self, level: Level) -> Iterator[Finding]:
        """The lines of a level."""
        return (line for line in self.lines if line.level == level)
