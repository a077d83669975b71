"""Concurrent calls of one kind done together: while one group is under way, the next one gathers.

Nobody waits for company: who finds nothing under way goes at once, with whoever is there by then. One thread of those who
wait does the work of all, so nothing has to be started or stopped.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Generic, TypeVar

from services.common.errors import Unavailable

Argument = TypeVar("Argument")
Outcome = TypeVar("Outcome")

MOST = 100  # in a group, so that its first one does not wait for a crowd


class _Place(Generic[Argument, Outcome]):
    """One call's place in a group."""

    def __init__(self, argument: Argument) -> None:
        self.argument = argument
        self.called = threading.Event()  # when it is done, or is to lead the next group
        self.done = False
        self.outcome: Outcome | Exception = Unavailable("The work was given up.")
        self.traceback: TracebackType | None = None

    def wait(self) -> None:
        """Until called."""
        self.called.wait()


class Grouped(Generic[Argument, Outcome]):
    """Call it as the work itself, with one argument, from any thread."""

    def __init__(self, work: Callable[[Sequence[Argument]], Sequence[Outcome | Exception]], most: int = MOST) -> None:
        """Take `work`, which gets the arguments of a group and returns each one's result, or what it is to raise, in their order.

        What the work itself raises, all of the group do.
        """
        self._work = work
        self._most = most
        self._waiting: deque[_Place[Argument, Outcome]] = deque()
        self._busy = False
        self._lock = threading.Lock()

    def __call__(self, argument: Argument) -> Outcome:
        """The result for this argument."""
        place: _Place[Argument, Outcome] = _Place(argument)
        with self._lock:
            self._waiting.append(place)
            leads, self._busy = not self._busy, True
        try:
            if leads:
                time.sleep(0)  # calls that have arrived already come along
            else:
                place.wait()
        except BaseException:  # this thread is killed; the others go on
            self._leave(place, leads=leads or place.called.is_set())
            raise
        if not place.done:
            self._lead()
        if isinstance(place.outcome, Exception):
            raise place.outcome.with_traceback(place.traceback)  # others raise the same one, and each would lengthen it
        return place.outcome

    def _lead(self) -> None:
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            outcomes = self._work([place.argument for place in group])
            for place, outcome in zip(group, outcomes, strict=True):
                place.outcome = outcome
        except Exception as error:  # noqa: BLE001 - each of them raises it
            for place in group:
                place.outcome = error
        finally:
            for place in group:
                if isinstance(place.outcome, Exception):
                    place.traceback = place.outcome.__traceback__
                place.done = True
                place.called.set()
            self._call_next()

    def _leave(self, place: _Place[Argument, Outcome], *, leads: bool) -> None:
        with self._lock, contextlib.suppress(ValueError):
            self._waiting.remove(place)
        if leads and not place.done:
            self._call_next()

    def _call_next(self) -> None:
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._busy = following is not None
        if following is not None:
            following.called.set()
