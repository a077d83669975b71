"""Numbers that make every text of a run its own."""

import itertools
import threading


class Numbering:
    """From 1 on; safe to share."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def next(self) -> int:
        """A number that nobody had."""
        with self._lock:
            return next(self._numbers)
