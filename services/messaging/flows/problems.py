"""What is wrong with a flow, by place, as the check finds it: bounded, however wrong the flow is."""

from collections.abc import Iterable, Mapping
from typing import Final

Problems = dict[str, list[str]]
Problem = tuple[str, str]  # its place and its text

MAX_PROBLEMS: Final = 500
# A place is made of names that the document chose.
MAX_PLACE: Final = 500
MORE = f"More is wrong than these {MAX_PROBLEMS} problems."


class Found:
    """Problems in the order in which they were found; when they are many, the rest is not looked for."""

    def __init__(self) -> None:
        self.by_place: Problems = {}
        self.is_full = False
        self._count = 0

    def add(self, found: Iterable[Problem]) -> None:
        """Take over problems, each once, as long as there is room."""
        for place, text in found:
            if self.is_full:
                return
            self._add(place if len(place) <= MAX_PLACE else f"{place[:MAX_PLACE]}…", text)

    def in_order(self, names: Iterable[str]) -> Problems:
        """As the document has its blocks."""
        position = {name: number for number, name in enumerate(names)}
        problems = dict(sorted(self.by_place.items(), key=lambda item: _position(item[0], position)))
        if self.is_full:
            problems["blocks"] = [*problems.get("blocks", ()), MORE]
        return problems

    def _add(self, place: str, text: str) -> None:
        texts = self.by_place.setdefault(place, [])
        if text not in texts:
            texts.append(text)
            self._count += 1
            self.is_full = self._count >= MAX_PROBLEMS


def _position(place: str, position: Mapping[str, int]) -> int:
    outer, _, rest = place.partition(".")
    if outer != "blocks":
        return -1
    return position.get(rest, position.get(rest.partition(".")[0], len(position)))
