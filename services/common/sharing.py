"""Answers shared: who asks the same while an answer is being read shares the next one, whose reading begins after they asked."""

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from services.common.grouping import Grouped

Answer = TypeVar("Answer")
Reading = Callable[[], Answer]


class Shared(Generic[Answer]):
    """Call it with what is asked and how that is read. Nobody may change what it returns: others have it too."""

    def __init__(self) -> None:
        self._asked: dict[Hashable, tuple[Grouped[Reading[Answer], Answer], int]] = {}

    def __call__(self, asked: Hashable, read: Reading[Answer]) -> Answer:
        """The answer, read by the first of those who ask the same. Raises what the reading does."""
        group, askers = self._asked.get(asked) or (Grouped(_read_once), 0)
        self._asked[asked] = group, askers + 1
        try:
            return group(read)
        finally:
            group, askers = self._asked.pop(asked)
            if askers > 1:
                self._asked[asked] = group, askers - 1


def _read_once(readings: Sequence[Reading[Answer]]) -> list[Answer | Exception]:
    answer = readings[0]()
    return [answer for _ in readings]
